/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a partner's credentials. */
#include "hub/partner/their_credentials.h"

#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "ocpi/headers.h"
#include "ocpi/object.h"
#include "ocpi/peer.h"
#include "ocpi/url.h"

enum { ROLES_BYTES = 4 * 1024 * 1024 };

static bool is_agreed(const struct partner *p, const struct their_role *r)
{
    for (size_t i = 0; i < p->party_count; i++)
        if (p->parties[i].role == r->role && party_id_equal(&p->parties[i].id, &r->party))
            return true;
    return false;
}

/* ---- one shape for all versions ---- */

static enum ocpi_role implied_role(enum face face, const struct partner *p,
                                   const struct party_id *id)
{
    if (face == FACE_EMSP)
        return OCPI_ROLE_CPO;
    for (size_t i = 0; p && i < p->party_count; i++)
        if (p->parties[i].role != OCPI_ROLE_CPO && party_id_equal(&p->parties[i].id, id))
            return p->parties[i].role;
    return OCPI_ROLE_EMSP;
}

static void drop_json(void *json)
{
    json_decref(json);
}

/* The members that the table has, and so on inside them. What else a partner says of itself is not
 * ours to keep, nor to tell others; and nobody has checked it. */
static json_t *known_members(const struct object_type *type, const json_t *object)
{
    json_t *known = json_object();

    for (size_t i = 0; i < object_type_fields(type); i++) {
        const struct field_facts field = object_type_field(type, i);
        json_t *member = json_object_get(object, field.name);
        if (json_is_object(member))
            json_object_set_new(known, field.name, known_members(field.type, member));
        else if (member)
            json_object_set(known, field.name, member);
    }
    return known;
}

/* As the register keeps them. */
static const json_t *known_roles(struct flow *f, enum ocpi_version version, const json_t *roles)
{
    const struct object_type *type = object_type_find(version == OCPI_2_1_1 ? OCPI_2_2_1 : version,
                                                      "CredentialsRole"); /* 2.1.1 has none */
    json_t *known = json_array();

    arena_on_free(f->arena, drop_json, known);
    for (size_t i = 0; i < json_array_size(roles); i++)
        json_array_append_new(known, known_members(type, json_array_get(roles, i)));
    return known;
}

static const json_t *roles_of_2_1_1(struct flow *f, enum face face, const struct partner *p,
                                    const json_t *document)
{
    static const char *const MEMBERS[] = {"business_details", "party_id", "country_code"};
    json_t *roles = json_array(), *role = json_object();
    struct party_id id;

    if (!party_id_make(json_text_of(document, "country_code"), json_text_of(document, "party_id"),
                       &id))
        id = (struct party_id){0};
    json_object_set_new(role, "role", json_string(ocpi_role_name(implied_role(face, p, &id))));
    for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++)
        json_object_set(role, MEMBERS[i], json_object_get(document, MEMBERS[i]));
    json_array_append_new(roles, role);
    arena_on_free(f->arena, drop_json, roles);
    return roles;
}

/* R-CRED-12: an entry is unique by role and party. */
static struct err read_role(struct flow *f, struct their_credentials *c, const json_t *role,
                            const char *where)
{
    struct their_role *r = &c->items[c->count];

    r->role = ocpi_role_parse(json_text_of(role, "role"));
    if (r->role == OCPI_ROLE_UNLISTED) /* an open word of later releases */
        r->role = OCPI_ROLE_OTHER;
    if (!party_id_make(json_text_of(role, "country_code"), json_text_of(role, "party_id"),
                       &r->party))
        return err_rule(
            err_at(f->arena, ERR_BAD_FIELD, where,
                   "%s: country_code must be two letters, party_id three letters or digits",
                   *where ? where : "/"),
            "R-CRED-12");
    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].role == r->role && party_id_equal(&c->items[i].party, &r->party))
            return err_rule(
                err_at(f->arena, ERR_BAD_FIELD, where, "%s: this role is listed twice", where),
                "R-CRED-12");
    if (r->role == OCPI_ROLE_HUB)
        c->hub = true;
    c->count++;
    return OK;
}

struct err their_credentials_read(struct flow *f, enum face face, enum ocpi_version version,
                                  const struct partner *p, const json_t *document,
                                  struct their_credentials *ret)
{
    const struct object_type *type = object_type_find(version, "Credentials");
    const struct object_leniency *leniency = p ? &p->peer.leniency : NULL;
    struct party_id hub;

    TRY(object_check(type, document, leniency, f->arena));
    *ret = (struct their_credentials){
        .token = json_text_of(document, "token"),
        .url = json_text_of(document, "url"),
        .roles = version == OCPI_2_1_1 ? roles_of_2_1_1(f, face, p, document)
                                       : json_array_of(document, "roles"),
    };
    if (!credentials_token_valid(ret->token))
        return err_rule(err_at(f->arena, ERR_BAD_FIELD, "/token",
                               "/token: must be 1 to 64 printable ASCII characters without blanks"),
                        "R-TRANS-05");
    ret->roles = known_roles(f, version, ret->roles);
    const char *hub_party = json_text_of(document, "hub_party_id");
    if (version >= OCPI_2_3_0 && hub_party) {
        if (strlen(hub_party) != 5 || !party_id_parse(hub_party, &hub))
            return err_rule(err_at(f->arena, ERR_BAD_FIELD, "/hub_party_id",
                                   "/hub_party_id: must be a country code and a party id, five "
                                   "characters together"),
                            "R-CRED-17");
        ret->hub = true;
    }
    size_t count = json_array_size(ret->roles);
    ret->items = arena_alloc(f->arena, (count + 1) * sizeof *ret->items);
    for (size_t i = 0; i < count; i++)
        TRY(read_role(f, ret, json_array_get(ret->roles, i),
                      version == OCPI_2_1_1 ? "" : arena_printf(f->arena, "/roles/%zu", i)));
    ret->name =
        json_text_of(json_object_of(json_array_get(ret->roles, 0), "business_details"), "name");
    return OK;
}

bool their_credentials_have(const struct their_credentials *c, enum ocpi_role role)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].role == role)
            return true;
    return false;
}

/* ---- what was agreed ---- */

struct err their_credentials_approved(struct flow *f, const struct partner *p,
                                      const struct their_credentials *c)
{
    for (size_t i = 0; p && i < p->party_count; i++) {
        struct their_role agreed = {p->parties[i].role, p->parties[i].id};
        bool named = false;
        for (size_t k = 0; k < c->count; k++)
            named |= c->items[k].role == agreed.role &&
                     party_id_equal(&c->items[k].party, &agreed.party);
        if (!named)
            return err_rule(err_at(f->arena, ERR_BAD_FIELD, "/roles",
                                   "/roles: %s %s-%s, for which this connection was agreed, is "
                                   "missing",
                                   ocpi_role_name(agreed.role), agreed.party.country_code,
                                   agreed.party.party_id),
                            "R-CRED-12");
    }
    return OK;
}

const char *their_roles(struct flow *f, const struct partner *p, const struct their_credentials *c)
{
    struct text t;
    size_t length;

    if (!p || !p->party_count)
        return json_text(f->arena, c->roles, &length);
    text_init(&t, f->arena, ROLES_BYTES);
    json_begin_array(&t, NULL);
    for (size_t i = 0; i < c->count; i++) {
        const struct their_role *r = &c->items[i];
        bool agreed = is_agreed(p, r);
        if (!agreed && r->role == OCPI_ROLE_HUB) /* that it is one is known otherwise */
            continue;
        json_put_raw(&t, NULL, json_text(f->arena, json_array_get(c->roles, i), &length));
        if (!agreed)
            log_line(LOG_WARN,
                     "a partner lists a role that was not agreed: it waits for an operator",
                     LOG_TEXT("partner", p->name), LOG_TEXT("role", ocpi_role_name(r->role)),
                     LOG_TEXT("country_code", r->party.country_code),
                     LOG_TEXT("party_id", r->party.party_id));
    }
    json_end_array(&t);
    return t.bytes;
}

/* ---- hosts ---- */

const char *foreign_host(struct arena *a, const char *base, const struct partner *p,
                         const char *url)
{
    struct peer peer = {.versions_url = base};
    struct url parts;

    if (p) {
        peer.hosts = p->peer.hosts;
        peer.host_count = p->peer.host_count;
    }
    if (peer_owns_url(&peer, url) || !url_parse(a, url, &parts))
        return NULL;
    if (parts.port == (parts.tls ? 443U : 80U))
        return parts.host;
    return arena_printf(a, "%s:%u", parts.host, parts.port);
}

struct err foreign_host_err(struct arena *a, const char *where, const char *what, const char *host)
{
    struct err e = err_at(a, ERR_URL_REFUSED, where,
                          "%s lies on the host %s, which is not one of this connection's: it waits "
                          "for the approval of the hub's operators; ask them, then send the same "
                          "request again",
                          what, host);

    e.came = host;
    return err_rule(e, "R-CRED-19");
}
