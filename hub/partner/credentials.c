/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: a partner registers at us, rotates its tokens, or leaves (ocpi-requirements 4).
 *
 *    partner                          hub
 *     | -- POST credentials (A) ------> |
 *     | <-- GET versions (B) ---------- |    with the token in the body (R-CRED-07)
 *     | <-- GET version details (B) --- |
 *     | <-- our credentials (C) ------- |    A is dead from here on
 *
 * PUT is the same for a connection that stands; the former token lives until the new one is first
 * used, or 10 minutes (R-CRED-06).
 */
#include <string.h>

#include "adapters/url_guard.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "db/partner.h"
#include "hub/hub.h"
#include "hub/partner/handshake.h"
#include "hub/partner/partner_api.h"
#include "hub/request.h"
#include "hub/server/http_server.h"
#include "ocpi/credentials.h"
#include "ocpi/headers.h"
#include "ocpi/object.h"
#include "ocpi/url.h"

enum {
    TOKEN_LENGTH = 43, /* 256 bits in letters and digits */
    KNOWN_EVERYWHERE_MS = 100,
};

/* ---- GET ---- */

static enum flow_next show(struct flow *f)
{
    const struct request *r = request_of(f);
    struct token_candidates t;

    /* The token field holds the caller's current one (R-CRED-18): what it has just shown. */
    FLOW_TRY(
        f, authorization_read(f->arena, http_header(r->http, HEADER_AUTHORIZATION), AUTH_AUTO, &t));
    if (r->caller.token_a_used)
        return flow_fail(f, err_new(ERR_TOKEN_INVALID));
    return reply_ocpi(f, 200, our_credentials(f, r->caller.token_encoded ? t.decoded : t.verbatim));
}

static const struct flow_step get_steps[] = {{"show our credentials", show}, {0}};
const struct flow_type credentials_get_flow = {.name = "credentials_get", .steps = get_steps};

/* ---- POST and PUT ---- */

struct exchange {
    struct ocpi_credentials theirs;
    struct discovery found;
    char token_c[TOKEN_LENGTH + 1];
    struct partner_registration registration;
    struct partner_registered done;
};

static enum flow_next check_post(struct flow *f)
{
    const struct caller *c = &request_of(f)->caller;

    if (!c->token_a || c->token_a_used)
        return flow_fail(f, err_new(ERR_ALREADY_REGISTERED));
    return FLOW_NEXT;
}

static enum flow_next check_put(struct flow *f)
{
    if (request_of(f)->caller.token_a)
        return flow_fail(f, err_new(ERR_NOT_REGISTERED));
    return FLOW_NEXT;
}

/* R-CRED-12: an entry is unique by role and party. */
static struct err check_roles(struct flow *f, const struct ocpi_credentials *c)
{
    struct party_id one, other;

    for (size_t i = 0; i < c->roles.count; i++) {
        const struct ocpi_credentials_role *role = &c->roles.at[i];
        const char *where = arena_printf(f->arena, "/roles/%zu", i);
        if (!party_id_make(role->country_code, role->party_id, &one))
            return err_at(f->arena, ERR_BAD_FIELD, where,
                          "%s: country_code must be two letters, party_id three letters or digits",
                          where);
        for (size_t k = 0; k < i; k++)
            if (party_id_make(c->roles.at[k].country_code, c->roles.at[k].party_id, &other) &&
                party_id_equal(&one, &other) && role->role == c->roles.at[k].role)
                return err_at(f->arena, ERR_BAD_FIELD, where, "%s: this role is listed twice",
                              where);
    }
    return OK;
}

/* A change of host waits for a person: a stolen token must not move the connection elsewhere. */
static struct err check_url(struct flow *f, const struct partner *p, const char *url)
{
    struct url theirs, known;

    /* R-CRED-19; the address behind the name is judged again when it is called. */
    struct err refused = url_guard_parse(http_client_guard(), f->arena, url, &theirs);
    if (failed(refused))
        return err_at(f->arena, ERR_BAD_FIELD, "/url", "/url: %s", err_text(refused));
    if (!p || !p->peer.versions_url || !*p->peer.versions_url)
        return OK;
    if (!url_parse(f->arena, p->peer.versions_url, &known) || !url_same_origin(&theirs, &known))
        return err_at(f->arena, ERR_BAD_FIELD, "/url",
                      "/url: another host than the registered one; ask the hub's operators for a "
                      "new registration");
    return OK;
}

static struct err check_approved(struct flow *f, const struct partner *p,
                                 const struct ocpi_credentials *c)
{
    struct party_id id;

    for (size_t i = 0; p && i < p->party_count; i++) {
        bool named = false;
        for (size_t k = 0; k < c->roles.count; k++)
            named |= party_id_make(c->roles.at[k].country_code, c->roles.at[k].party_id, &id) &&
                     party_id_equal(&id, &p->parties[i].id) &&
                     c->roles.at[k].role == p->parties[i].role;
        if (!named)
            return err_at(f->arena, ERR_BAD_FIELD, "/roles",
                          "/roles: %s %s-%s, for which this connection was agreed, is missing",
                          ocpi_role_name(p->parties[i].role), p->parties[i].id.country_code,
                          p->parties[i].id.party_id);
    }
    return OK;
}

static bool is_agreed(const struct partner *p, const json_t *role)
{
    struct party_id id;
    const char *country_code = json_text_of(role, "country_code");
    const char *party_id = json_text_of(role, "party_id"), *word = json_text_of(role, "role");

    if (!country_code || !party_id || !word || !party_id_make(country_code, party_id, &id))
        return false;
    for (size_t i = 0; i < p->party_count; i++)
        if (party_id_equal(&id, &p->parties[i].id) &&
            strcmp(word, ocpi_role_name(p->parties[i].role)) == 0)
            return true;
    return false;
}

/* Who connects speaks for the parties that were agreed, not for any that it likes to list.
 * The others are named to the operators. */
static const char *agreed_roles(struct flow *f, const struct partner *p, const json_t *roles)
{
    struct text t;
    size_t length;

    if (!p || !p->party_count)
        return json_text(f->arena, roles, &length);
    text_init(&t, f->arena, 1024 * 1024);
    json_begin_array(&t, NULL);
    for (size_t i = 0; i < json_array_size(roles); i++) {
        const json_t *role = json_array_get(roles, i);
        if (is_agreed(p, role))
            json_put_raw(&t, NULL, json_text(f->arena, role, &length));
        else
            log_line(LOG_WARN, "a partner lists a role that was not agreed; it is left out",
                     LOG_TEXT("partner", p->name), LOG_TEXT("role", json_text_of(role, "role")),
                     LOG_TEXT("country_code", json_text_of(role, "country_code")),
                     LOG_TEXT("party_id", json_text_of(role, "party_id")));
    }
    json_end_array(&t);
    return t.bytes;
}

static enum flow_next check_body(struct flow *f)
{
    struct exchange *x = f->state;
    const struct request *r = request_of(f);
    const struct partner *p = r->caller.partner;

    FLOW_TRY(f, object_parse(&ocpi_credentials_type, r->json, f->arena, &x->theirs));
    if (!credentials_token_valid(x->theirs.token))
        return flow_fail(f, err_at(f->arena, ERR_BAD_FIELD, "/token",
                                   "/token: must be 1 to 64 printable ASCII characters without "
                                   "blanks"));
    FLOW_TRY(f, check_roles(f, &x->theirs));
    FLOW_TRY(f, check_url(f, r->caller.token_a ? NULL : p, x->theirs.url));
    FLOW_TRY(f, check_approved(f, p, &x->theirs));
    return FLOW_NEXT;
}

static void fill_discover(void *state, void *context)
{
    *(struct discover_state *)state = *(struct discover_state *)context;
}

static enum flow_next call_back(struct flow *f)
{
    struct exchange *x = f->state;
    struct discover_state ask = {
        .versions_url = x->theirs.url,
        .token = x->theirs.token,
        .want = OCPI_2_2_1,
        .ret = &x->found,
        .ret_arena = f->arena,
    };

    return flow_child(f, &discover_flow, fill_discover, &ask, NULL);
}

static enum flow_next store(struct flow *f)
{
    struct exchange *x = f->state;
    const struct request *r = request_of(f);
    const struct settings *s = hub_of(f)->settings;

    id_token(x->token_c, TOKEN_LENGTH);
    x->registration = (struct partner_registration){
        .partner_id = r->caller.partner_id,
        .expected_state = r->caller.token_a ? NULL : "connected",
        .name = x->theirs.roles.at[0].business_details->name,
        .version = version_name(OCPI_2_2_1),
        .versions_url = x->theirs.url,
        .token_out = x->theirs.token,
        .token_in = x->token_c,
        .auth_encoding = auth_encoding_name(x->found.encoding),
        .endpoints = x->found.endpoints_json,
        .roles = agreed_roles(f, r->caller.partner, json_array_of(r->json, "roles")),
        .our_country = s->country_code,
        .our_party = s->party_id,
        .spend_token_a = r->caller.token_a,
    };
    return partner_registered(f, &x->registration, &x->done);
}

static enum flow_next answer(struct flow *f)
{
    struct exchange *x = f->state;

    if (x->done.taken)
        return flow_fail(f, err_at(f->arena, ERR_BAD_FIELD, "/roles",
                                   "/roles: a party of these belongs to another connection"));
    if (x->done.conflict)
        return flow_fail(f, err_new(request_of(f)->caller.token_a ? ERR_ALREADY_REGISTERED
                                                                  : ERR_NOT_REGISTERED));
    return reply_ocpi(f, 200, our_credentials(f, x->token_c));
}

#define EXCHANGE_STEPS                                                                             \
    {"check the body", check_body}, {"call back with their token", call_back},                     \
        {"store the connection", store}, {"answer with our token", answer}, {0},

static const struct flow_step post_steps[] = {{"not registered yet?", check_post}, EXCHANGE_STEPS};
static const struct flow_step put_steps[] = {{"registered?", check_put}, EXCHANGE_STEPS};

const struct flow_type credentials_post_flow = {
    .name = "credentials_post",
    .state_size = sizeof(struct exchange),
    .deadline_ms = SECONDS(45),
    .steps = post_steps,
};

const struct flow_type credentials_put_flow = {
    .name = "credentials_put",
    .state_size = sizeof(struct exchange),
    .deadline_ms = SECONDS(45),
    .steps = put_steps,
};

/* ---- DELETE ---- */

static enum flow_next unregister(struct flow *f)
{
    const struct caller *c = &request_of(f)->caller;

    if (c->token_a)
        return flow_fail(f, err_new(ERR_NOT_REGISTERED));
    return partner_unregistered(f, c->partner_id);
}

static enum flow_next confirm(struct flow *f)
{
    return reply_ocpi(f, 200, NULL);
}

/* The other workers hear of it by notification; who reads our answer finds all doors shut
 * (R-CRED-08). */
static enum flow_next let_all_know(struct flow *f)
{
    return flow_sleep(f, KNOWN_EVERYWHERE_MS);
}

static const struct flow_step delete_steps[] = {{"end the connection", unregister},
                                                {"let all workers know", let_all_know},
                                                {"confirm", confirm},
                                                {0}};
const struct flow_type credentials_delete_flow = {
    .name = "credentials_delete", .deadline_ms = SECONDS(10), .steps = delete_steps};
