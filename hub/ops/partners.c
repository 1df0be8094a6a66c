/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partners for those who run the hub: list, show, and invite (they register at us). What is done
 * with a connection stands in connection.c, our own registration in registration.c.
 */
#include "hub/ops/partners.h"

#include <string.h>

#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/partner.h"
#include "hub/hub.h"
#include "hub/ops/ops.h"
#include "hub/request.h"

enum { TOKEN_LENGTH = 43, LIST_BYTES = 4 * 1024 * 1024 };

/* ---- list and show ---- */

static void put_parties(struct text *t, const char *key, const struct partner_party *parties,
                        size_t count)
{
    json_begin_array(t, key);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(t, NULL);
        json_put_text(t, "country_code", parties[i].id.country_code);
        json_put_text(t, "party_id", parties[i].id.party_id);
        json_put_text(t, "role", ocpi_role_name(parties[i].role));
        json_put_text(t, "name", parties[i].name);
        json_end_object(t);
    }
    json_end_array(t);
}

static void put_partner(struct text *t, const struct partner *p)
{
    char time[TIME_TEXT];

    json_begin_object(t, NULL);
    json_put_int(t, "id", p->id);
    json_put_text(t, "name", p->name);
    json_put_text(t, "state", p->state);
    json_put_bool(t, "enabled", p->enabled);
    json_put_text(t, "version", version_name(p->peer.version));
    json_put_text(t, "face", face_name(p->face));
    json_put_bool(t, "hub", p->hub);
    json_put_text(t, "versions_url", p->peer.versions_url);
    put_parties(t, "roles", p->parties, p->party_count);
    json_put_text(t, "auth_encoding", auth_encoding_name(p->peer.auth_encoding));
    json_put_text(t, "registered_at",
                  p->registered_us == TIME_NONE ? NULL
                                                : time_print_seconds(time, p->registered_us));
    json_put_text(t, "last_contact_at",
                  p->last_contact_us == TIME_NONE ? NULL
                                                  : time_print_seconds(time, p->last_contact_us));
    json_put_raw(t, "pulled", p->pulled ? p->pulled : "{}");
    json_put_text(t, "host_asked", p->host_asked);
    json_put_bool(t, "needs_resync", p->needs_resync);
}

static enum flow_next list(struct flow *f)
{
    struct partners all = partner_all(f);
    struct text t;

    text_init(&t, f->arena, LIST_BYTES);
    json_begin_object(&t, NULL);
    json_begin_array(&t, "items");
    for (size_t i = 0; i < all.count; i++) {
        put_partner(&t, all.items[i]);
        json_end_object(&t);
    }
    json_end_array(&t);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step list_steps[] = {{"list", list}, {0}};
const struct flow_type list_partners_flow = {.name = "list_partners", .steps = list_steps};

static void put_hosts(struct text *t, const struct peer *peer)
{
    json_begin_array(t, "hosts");
    for (size_t i = 0; i < peer->host_count; i++)
        json_put_text(t, NULL, peer->hosts[i]);
    json_end_array(t);
}

enum flow_next reply_partner(struct flow *f, const struct partner *p)
{
    struct text t;

    text_init(&t, f->arena, LIST_BYTES);
    put_partner(&t, p);
    put_hosts(&t, &p->peer);
    put_parties(&t, "pending", p->pending, p->pending_count);
    json_put_raw(&t, "quirks", p->quirks ? p->quirks : "{}");
    json_begin_array(&t, "endpoints");
    for (size_t i = 0; i < p->peer.endpoint_count; i++) {
        json_begin_object(&t, NULL);
        json_put_text(&t, "module", p->peer.endpoints[i].module);
        json_put_text(&t, "role", ocpi_interface_name(p->peer.endpoints[i].role));
        json_put_text(&t, "url", p->peer.endpoints[i].url);
        json_end_object(&t);
    }
    json_end_array(&t);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static enum flow_next show(struct flow *f)
{
    const struct partner *p = partner_named(f, request_of(f)->params[0]);

    if (!p)
        return flow_fail(f, err_at(f->arena, ERR_NOT_FOUND, NULL, "no such partner"));
    return reply_partner(f, p);
}

static const struct flow_step show_steps[] = {{"show", show}, {0}};
const struct flow_type show_partner_flow = {.name = "show_partner", .steps = show_steps};

/* ---- invite ---- */

void partner_version_read(const json_t *body, enum ocpi_version *ret, struct field_errors *errors)
{
    const json_t *given = json_object_get(body, "version");

    *ret = version_parse(json_text_of(body, "version"));
    if (given && !json_is_null(given) && *ret == OCPI_VERSION_NONE)
        field_errors_add(errors, "version", "version_invalid", "must be 2.1.1, 2.2.1 or 2.3.0");
}

struct invite {
    struct partner_invite ask;
    enum ocpi_role role;
    enum ocpi_version version; /* NONE: whichever they choose */
    char token_a[TOKEN_LENGTH + 1];
    int64_t id;
};

static enum flow_next check_invite(struct flow *f)
{
    struct invite *s = f->state;
    const json_t *body = request_of(f)->json;
    struct field_errors errors;
    struct party_id id;

    s->ask = (struct partner_invite){
        .name = json_text_of(body, "name"),
        .country_code = json_text_of(body, "country_code"),
        .party_id = json_text_of(body, "party_id"),
        .role = json_text_of(body, "role"),
        .token_a = s->token_a,
        .our_country = hub_of(f)->settings->country_code,
        .our_party = hub_of(f)->settings->party_id,
    };
    field_errors_init(&errors, f->arena);
    if (!s->ask.name || !*s->ask.name || text_utf8_count(s->ask.name) > 100)
        field_errors_add(&errors, "name", "name_invalid", "must be 1 to 100 characters");
    if (!party_country_valid(s->ask.country_code ? s->ask.country_code : ""))
        field_errors_add(&errors, "country_code", "country_code_invalid", "must be two letters");
    if (!party_id_make("FI", s->ask.party_id ? s->ask.party_id : "", &id))
        field_errors_add(&errors, "party_id", "party_id_invalid",
                         "must be three letters or digits");
    s->role = ocpi_role_parse(s->ask.role);
    if (s->role == OCPI_ROLE_NONE || s->role == OCPI_ROLE_UNLISTED || s->role == OCPI_ROLE_HUB)
        field_errors_add(&errors, "role", "role_invalid",
                         "must be CPO, EMSP, NAP, NSP, SCSP or OTHER");
    partner_version_read(body, &s->version, &errors);
    if (errors.count)
        return reply_field_errors(f, &errors);
    id_token(s->token_a, TOKEN_LENGTH);
    return partner_invite(f, &s->ask, &s->id);
}

static const char *versions_url(struct flow *f, enum face face)
{
    return arena_printf(f->arena, "%s%s", hub_of(f)->public_url, face_versions_path(face));
}

/* Who is no CPO meets the platform, but not with 2.1.1, where a URL stands for one role. */
static enum flow_next answer_invite(struct flow *f)
{
    struct invite *s = f->state;
    enum face face = face_for(s->role, s->version);
    struct text t;

    text_init(&t, f->arena, 4096);
    json_begin_object(&t, NULL);
    json_put_int(&t, "id", s->id);
    json_put_text(&t, "versions_url", versions_url(f, face));
    if (face == FACE_PLATFORM && s->version == OCPI_VERSION_NONE)
        json_put_text(&t, "versions_url_2_1_1", versions_url(f, FACE_CPO));
    json_put_text(&t, "token_a", s->token_a);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step invite_steps[] = {
    {"check and store", check_invite}, {"answer", answer_invite}, {0}};
const struct flow_type invite_partner_flow = {
    .name = "invite_partner",
    .state_size = sizeof(struct invite),
    .deadline_ms = SECONDS(10),
    .steps = invite_steps,
};
