/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: a partner registers at us, rotates its tokens, switches the version, or leaves
 * (R-CRED). The version is that of the URL, our face too.
 *
 *    partner                          hub
 *     | -- POST credentials (A) ------> |
 *     | <-- GET versions (B) ---------- |    with the token in the body (R-CRED-07)
 *     | <-- GET version details (B) --- |    of the version of this URL (R-CRED-02, 05)
 *     | <-- our credentials (C) ------- |    A is dead from here on
 *
 * PUT is the same for a connection that stands; the former token lives until the new one is first
 * used, or 10 minutes (R-CRED-06).
 */
#include <string.h>

#include "adapters/url_guard.h"
#include "base/id.h"
#include "base/log.h"
#include "base/time.h"
#include "db/partner.h"
#include "db/partner_life.h"
#include "hub/hub.h"
#include "hub/partner/handshake.h"
#include "hub/partner/our_credentials.h"
#include "hub/partner/partner_api.h"
#include "hub/partner/their_credentials.h"
#include "hub/request.h"
#include "hub/server/http_server.h"
#include "ocpi/headers.h"
#include "ocpi/url.h"

enum {
    TOKEN_LENGTH = 43, /* 256 bits in letters and digits */
    KNOWN_EVERYWHERE_MS = 100,
};

/* The other workers hear of it by notification: who reads our answer finds a spent token A dead,
 * all calls made with the new token, and after DELETE all doors shut (R-CRED-06, R-CRED-08,
 * R-CRED-20). */
static enum flow_next let_all_know(struct flow *f)
{
    return flow_sleep(f, KNOWN_EVERYWHERE_MS);
}

/* ---- GET ---- */

static enum flow_next read_clients(struct flow *f)
{
    const struct request *r = request_of(f);

    if (r->caller.token_a_used)
        return flow_fail(f, err_rule(err_new(ERR_TOKEN_INVALID), "R-CRED-20"));
    return our_clients_read(f, r->face, r->version, r->caller.partner_id, f->state);
}

/* The token field holds the caller's current one (R-CRED-18): what it has just shown. */
static enum flow_next show(struct flow *f)
{
    const struct request *r = request_of(f);
    struct token_candidates t;

    FLOW_TRY(
        f, authorization_read(f->arena, http_header(r->http, HEADER_AUTHORIZATION), AUTH_AUTO, &t));
    return reply_ocpi(f, 200,
                      our_credentials(f, r->face, r->version, f->state,
                                      r->caller.token_encoded ? t.decoded : t.verbatim));
}

static const struct flow_step get_steps[] = {
    {"read whom the caller may know", read_clients}, {"show our credentials", show}, {0}};
const struct flow_type credentials_get_flow = {
    .name = "credentials_get",
    .state_size = sizeof(struct client_infos),
    .deadline_ms = SECONDS(10),
    .steps = get_steps,
};

/* ---- POST and PUT ---- */

struct exchange {
    struct their_credentials theirs;
    struct discovery found;
    struct err refusal; /* of a URL or a call: told once what has to be asked is asked */
    char token_c[TOKEN_LENGTH + 1];
    struct partner_registration registration;
    struct partner_registered done;
    struct client_infos clients;
    bool asked;
};

static enum flow_next check_post(struct flow *f)
{
    const struct caller *c = &request_of(f)->caller;

    if (!c->token_a || c->token_a_used)
        return flow_fail(f, err_rule(err_new(ERR_ALREADY_REGISTERED), "R-CRED-04"));
    return FLOW_NEXT;
}

static enum flow_next check_put(struct flow *f)
{
    if (request_of(f)->caller.token_a)
        return flow_fail(f, err_rule(err_new(ERR_NOT_REGISTERED), "R-CRED-04"));
    return FLOW_NEXT;
}

/* An address that serves networks only is of no use to anybody else. */
static struct err check_face(struct flow *f, const struct their_credentials *c)
{
    const struct request *r = request_of(f);

    if (r->face == FACE_EMSP && !their_credentials_have(c, OCPI_ROLE_CPO))
        return err_rule(err_at(f->arena, ERR_BAD_FIELD, "/roles",
                               "/roles: this address is for CPOs; other roles register at %s%s",
                               hub_of(f)->public_url, face_versions_path(FACE_PLATFORM)),
                        "R-VER-10");
    return OK;
}

/* A change of host waits for a person: a stolen token must not move the connection elsewhere. A
 * new token A comes from a person, so its bearer may be anywhere. */
static struct err check_url(struct flow *f, struct exchange *x)
{
    const struct caller *c = &request_of(f)->caller;
    const char *registered = c->partner && !c->token_a ? c->partner->peer.versions_url : NULL;
    struct url parts;

    /* The address behind the name is judged again when it is called. */
    struct err refused = url_guard_parse(http_client_guard(), f->arena, x->theirs.url, &parts);
    if (failed(refused))
        return err_rule(err_at(f->arena, ERR_BAD_FIELD, "/url", "/url: %s", err_text(refused)),
                        "R-CRED-19");
    if (!registered || !*registered)
        return OK;
    x->found.foreign_host = foreign_host(f->arena, registered, c->partner, x->theirs.url);
    if (x->found.foreign_host)
        x->refusal = foreign_host_err(f->arena, "/url", "/url: it", x->found.foreign_host);
    return OK;
}

static enum flow_next check_body(struct flow *f)
{
    struct exchange *x = f->state;
    const struct request *r = request_of(f);
    const struct partner *p = r->caller.partner;

    FLOW_TRY(f, their_credentials_read(f, r->face, r->version, p, r->json, &x->theirs));
    FLOW_TRY(f, check_face(f, &x->theirs));
    FLOW_TRY(f, check_url(f, x));
    FLOW_TRY(f, their_credentials_approved(f, p, &x->theirs));
    return FLOW_NEXT;
}

static enum flow_next call_back(struct flow *f)
{
    struct exchange *x = f->state;
    const struct request *r = request_of(f);
    struct discover_state ask = {
        .versions_url = x->theirs.url,
        .token = x->theirs.token,
        .want = r->version,
        .face = r->face,
        .network = their_credentials_have(&x->theirs, OCPI_ROLE_CPO),
        .partner = r->caller.partner,
        .ret = &x->found,
        .ret_arena = f->arena,
    };

    if (failed(x->refusal))
        return FLOW_NEXT;
    return flow_child(f, &discover_flow, discover_fill, &ask, &x->refusal);
}

/* The operators see the host at the partner, and approve it or not. */
static enum flow_next ask_for_host(struct flow *f)
{
    struct exchange *x = f->state;
    const struct caller *c = &request_of(f)->caller;

    if (!x->found.foreign_host || !c->partner_id)
        return FLOW_NEXT;
    log_line(LOG_WARN, "a partner names a host that waits for approval",
             LOG_TEXT("partner", c->name), LOG_TEXT("host", x->found.foreign_host));
    return partner_host_ask(f, c->partner_id, x->found.foreign_host, &x->asked);
}

static enum flow_next store(struct flow *f)
{
    struct exchange *x = f->state;
    const struct request *r = request_of(f);
    const struct settings *s = hub_of(f)->settings;

    if (failed(x->refusal))
        return flow_fail(f, x->refusal);
    id_token(x->token_c, TOKEN_LENGTH);
    x->registration = (struct partner_registration){
        .partner_id = r->caller.partner_id,
        .expected_state = r->caller.token_a ? NULL : "connected",
        .name = x->theirs.name,
        .version = version_name(r->version),
        .versions_url = x->theirs.url,
        .token_out = x->theirs.token,
        .token_in = x->token_c,
        .auth_encoding = auth_encoding_name(x->found.encoding),
        .endpoints = x->found.endpoints_json,
        .roles = their_roles(f, r->caller.partner, &x->theirs),
        .our_country = s->country_code,
        .our_party = s->party_id,
        .face = r->face,
        .hub = x->theirs.hub,
        .spend_token_a = r->caller.token_a,
    };
    return partner_registered(f, &x->registration, &x->done);
}

static enum flow_next check_stored(struct flow *f)
{
    struct exchange *x = f->state;
    const struct request *r = request_of(f);

    if (x->done.taken)
        return flow_fail(f, err_rule(err_at(f->arena, ERR_BAD_FIELD, "/roles",
                                            "/roles: a party of these belongs to another "
                                            "connection"),
                                     "R-CRED-12"));
    if (x->done.conflict)
        return flow_fail(
            f, err_rule(err_new(r->caller.token_a ? ERR_ALREADY_REGISTERED : ERR_NOT_REGISTERED),
                        "R-CRED-20"));
    return our_clients_read(f, r->face, r->version, x->done.partner_id, &x->clients);
}

static enum flow_next answer(struct flow *f)
{
    struct exchange *x = f->state;
    const struct request *r = request_of(f);

    return reply_ocpi(f, 200, our_credentials(f, r->face, r->version, &x->clients, x->token_c));
}

#define EXCHANGE_STEPS                                                                             \
    {"check the body", check_body}, {"call back with their token", call_back},                     \
        {"ask the operators for a host", ask_for_host}, {"store the connection", store},           \
        {"stored?", check_stored}, {"let all workers know", let_all_know},                         \
        {"answer with our token", answer}, {0},

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
        return flow_fail(f, err_rule(err_new(ERR_NOT_REGISTERED), "R-CRED-04"));
    return partner_unregistered(f, c->partner_id);
}

static enum flow_next confirm(struct flow *f)
{
    return reply_ocpi(f, 200, NULL);
}

static const struct flow_step delete_steps[] = {{"end the connection", unregister},
                                                {"let all workers know", let_all_know},
                                                {"confirm", confirm},
                                                {0}};
const struct flow_type credentials_delete_flow = {
    .name = "credentials_delete", .deadline_ms = SECONDS(10), .steps = delete_steps};
