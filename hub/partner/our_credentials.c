/* SPDX-License-Identifier: Apache-2.0 */
/* Our credentials object in each version. */
#include "hub/partner/our_credentials.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/partner.h"
#include "hub/hub.h"

enum { CREDENTIALS_BYTES = 16 * 1024 * 1024, CLIENTS_MAX = 10000 };

static bool lists_clients(enum face face, enum ocpi_version version)
{
    return face == FACE_PLATFORM && version >= OCPI_2_3_0;
}

enum flow_next our_clients_read(struct flow *f, enum face face, enum ocpi_version version,
                                int64_t partner_id, struct client_infos *ret)
{
    *ret = (struct client_infos){0};
    if (!lists_clients(face, version))
        return FLOW_NEXT;
    return client_info_list(f, partner_id, TIME_NONE, TIME_NONE, 0, CLIENTS_MAX, ret);
}

static void put_business_details(struct text *t, const struct settings *s)
{
    json_begin_object(t, "business_details");
    json_put_text(t, "name", s->name);
    if (s->website)
        json_put_text(t, "website", s->website);
    json_end_object(t);
}

static void put_our_party(struct text *t, const struct settings *s)
{
    put_business_details(t, s);
    json_put_text(t, "party_id", s->party_id);
    json_put_text(t, "country_code", s->country_code);
}

static void put_our_role(struct text *t, const struct settings *s, const char *role)
{
    json_begin_object(t, NULL);
    json_put_text(t, "role", role);
    put_our_party(t, s);
    json_end_object(t);
}

/* Going offline takes nobody out of the list, being suspended does (R-CRED-15). A planned party
 * cannot be reached yet. 2.3.0 knows no role HUB. */
static bool is_reachable(const struct client_info *c)
{
    return strcmp(c->role, "HUB") != 0 &&
           (strcmp(c->status, "CONNECTED") == 0 || strcmp(c->status, "OFFLINE") == 0);
}

static bool is_our_emsp(const struct client_info *c, const struct settings *s)
{
    return strcmp(c->role, "EMSP") == 0 && text_equal_caseless(c->country_code, s->country_code) &&
           text_equal_caseless(c->party_id, s->party_id);
}

/* The company's own words about itself where it gave any. */
static void put_details_of(struct text *t, const struct partners *all, const struct client_info *c)
{
    struct party_id id;
    const char *name = NULL;

    if (party_id_make(c->country_code, c->party_id, &id)) {
        for (size_t i = 0; i < all->count; i++) {
            for (size_t k = 0; k < all->items[i]->party_count; k++) {
                const struct partner_party *p = &all->items[i]->parties[k];
                if (p->role != ocpi_role_parse(c->role) || !party_id_equal(&p->id, &id))
                    continue;
                if (p->details && strstr(p->details, "\"name\"")) {
                    json_put_raw(t, "business_details", p->details);
                    return;
                }
                name = p->name;
            }
        }
    }
    json_begin_object(t, "business_details");
    json_put_text(t, "name", name && *name ? name : c->party_id);
    json_end_object(t);
}

static void put_clients(struct flow *f, struct text *t, const struct client_infos *clients)
{
    const struct settings *s = hub_of(f)->settings;
    struct partners all = partner_all(f);

    for (size_t i = 0; clients && i < clients->count; i++) {
        const struct client_info *c = &clients->items[i];
        if (!is_reachable(c) || is_our_emsp(c, s))
            continue;
        json_begin_object(t, NULL);
        json_put_text(t, "role", c->role);
        put_details_of(t, &all, c);
        json_put_text(t, "party_id", c->party_id);
        json_put_text(t, "country_code", c->country_code);
        json_end_object(t);
    }
}

char *our_credentials(struct flow *f, enum face face, enum ocpi_version version,
                      const struct client_infos *clients, const char *token)
{
    const struct hub *hub = hub_of(f);
    const struct settings *s = hub->settings;
    struct text t;

    text_init(&t, f->arena, CREDENTIALS_BYTES);
    json_begin_object(&t, NULL);
    json_put_text(&t, "token", token);
    json_put_text(&t, "url",
                  arena_printf(f->arena, "%s%s", hub->public_url, face_versions_path(face)));
    if (version == OCPI_2_1_1) {
        put_our_party(&t, s);
    } else {
        if (lists_clients(face, version))
            json_put_text(&t, "hub_party_id",
                          arena_printf(f->arena, "%s%s", s->country_code, s->party_id));
        json_begin_array(&t, "roles");
        put_our_role(&t, s, face == FACE_PLATFORM && version == OCPI_2_2_1 ? "HUB" : "EMSP");
        if (lists_clients(face, version))
            put_clients(f, &t, clients);
        json_end_array(&t);
    }
    json_end_object(&t);
    return t.bytes;
}
