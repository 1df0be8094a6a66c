/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own registration at a partner, and the change of tokens that we begin.
 *
 *    hub (sender)                      partner
 *     | -- GET versions (A) ----------> |
 *     | -- GET version details (A) ---> |
 *     | -- POST credentials (A, B) ---> |    B is valid before it leaves
 *     | <-- their credentials (C) ----- |
 *
 * A rotation is the same with the token in use instead of A, and PUT. Both tokens that open our
 * door are good until the new one is first used, so nothing they send meanwhile is lost.
 */
#include <string.h>

#include "adapters/ocpi_client.h"
#include "adapters/url_guard.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "db/partner.h"
#include "db/partner_life.h"
#include "hub/hub.h"
#include "hub/ops/ops.h"
#include "hub/ops/partners.h"
#include "hub/partner/handshake.h"
#include "hub/partner/our_credentials.h"
#include "hub/partner/their_credentials.h"
#include "hub/request.h"
#include "ocpi/headers.h"

enum { TOKEN_LENGTH = 43 };

struct registering {
    const char *versions_url, *token; /* token A, or the one in use */
    const struct partner *partner;    /* NULL: not known yet */
    const char *method;               /* of our credentials */
    enum ocpi_role role;              /* that they have to have; NONE: any */
    enum ocpi_version want;
    enum face face;
    struct discovery found;
    struct err refusal; /* of a URL or a call: told once what has to be asked is asked */
    char token_b[TOKEN_LENGTH + 1];
    int64_t partner_id;
    struct client_infos clients;
    bool asked;
    struct peer peer;
    struct ocpi_call call;
    struct ocpi_answer answer;
    struct their_credentials theirs;
    struct partner_registration registration;
    struct partner_registered done;
};

/* ---- what is to be done ---- */

/* They may be known: from a handshake that did not get through, or as somebody who left. */
static const struct partner *partner_at(struct flow *f, const char *versions_url)
{
    struct partners all = partner_all(f);

    for (size_t i = 0; i < all.count; i++) {
        const char *known = all.items[i]->peer.versions_url;
        if (known && strcmp(known, versions_url) == 0)
            return all.items[i];
    }
    return NULL;
}

static enum flow_next check_register(struct flow *f)
{
    struct registering *s = f->state;
    const json_t *body = request_of(f)->json;
    const char *role = json_text_of(body, "role");
    struct field_errors errors;
    struct url url;

    s->method = "POST";
    s->versions_url = json_text_of(body, "versions_url");
    s->token = json_text_of(body, "token_a");
    s->role = role ? ocpi_role_parse(role) : OCPI_ROLE_CPO;
    field_errors_init(&errors, f->arena);
    if (!s->versions_url ||
        failed(url_guard_parse(http_client_guard(), f->arena, s->versions_url, &url)))
        field_errors_add(&errors, "versions_url", "versions_url_invalid",
                         "must be an https URL of at most 255 characters that may be called from "
                         "here");
    if (!s->token || !credentials_token_valid(s->token))
        field_errors_add(&errors, "token_a", "token_a_invalid",
                         "must be 1 to 64 printable characters without blanks");
    if (s->role != OCPI_ROLE_CPO && s->role != OCPI_ROLE_EMSP)
        field_errors_add(&errors, "role", "role_invalid", "must be CPO or EMSP");
    partner_version_read(body, &s->want, &errors);
    if (errors.count)
        return reply_field_errors(f, &errors);
    s->partner = partner_at(f, s->versions_url);
    return FLOW_NEXT;
}

void rotate_partner_fill(void *state, void *context)
{
    struct registering *s = state;

    s->partner_id = *(const int64_t *)context;
}

static enum flow_next check_rotate(struct flow *f)
{
    struct registering *s = f->state;
    const struct partner *p =
        s->partner_id ? partner_find(f, s->partner_id) : partner_named(f, request_of(f)->params[0]);

    if (!p)
        return flow_fail(f, err_at(f->arena, ERR_NOT_FOUND, NULL, "no such partner"));
    if (!secret_is_set(p->peer.token) || !p->peer.versions_url ||
        strcmp(p->state, "suspended") == 0)
        return flow_fail(f, err_at(f->arena, ERR_NOT_REGISTERED, NULL,
                                   "%s is not connected: there is no token to change", p->name));
    s->method = "PUT";
    s->partner = p;
    s->partner_id = p->id;
    s->versions_url = p->peer.versions_url;
    s->token = secret_reveal(p->peer.token);
    s->want = p->peer.version;
    s->face = p->face;
    for (size_t i = 0; i < p->party_count; i++)
        if (p->parties[i].role == OCPI_ROLE_CPO)
            s->role = OCPI_ROLE_CPO;
    return FLOW_NEXT;
}

/* ---- the way ---- */

/* What 2.1.1 leaves open is decided by whom we present ourselves to. */
static enum flow_next discover(struct flow *f)
{
    struct registering *s = f->state;

    if (strcmp(s->method, "POST") == 0)
        s->face = face_for(s->role, OCPI_2_1_1) == FACE_EMSP ? FACE_EMSP : FACE_CPO;
    struct discover_state ask = {
        .versions_url = s->versions_url,
        .token = s->token,
        .want = s->want,
        .face = s->face,
        .network = s->role == OCPI_ROLE_CPO,
        .partner = s->partner,
        .ret = &s->found,
        .ret_arena = f->arena,
    };
    return flow_child(f, &discover_flow, discover_fill, &ask, &s->refusal);
}

/* The other side calls back with B before it answers. Where an operator has to approve a host
 * first, the partner is noted all the same, so that there is one to approve it for. */
static enum flow_next expect_token(struct flow *f)
{
    struct registering *s = f->state;
    struct url url;

    if (failed(s->refusal) && !s->found.foreign_host)
        return flow_fail(f, s->refusal);
    if (strcmp(s->method, "POST") == 0)
        s->face = face_for(s->role, s->found.version);
    id_token(s->token_b, TOKEN_LENGTH);
    const char *name = url_parse(f->arena, s->versions_url, &url) ? url.host : "partner";
    return partner_expect_token(f, s->partner ? s->partner->id : 0,
                                s->partner ? s->partner->name : name, s->versions_url, s->token_b,
                                &s->partner_id);
}

static enum flow_next ask_for_host(struct flow *f)
{
    struct registering *s = f->state;

    if (s->found.foreign_host)
        return partner_host_ask(f, s->partner_id, s->found.foreign_host, &s->asked);
    return our_clients_read(f, s->face, s->found.version, s->partner_id, &s->clients);
}

static struct err foreign(struct flow *f, const struct registering *s)
{
    const char *host = s->found.foreign_host;

    return err_at(f->arena, ERR_URL_REFUSED, NULL,
                  "a URL of theirs lies on the host %s, which is not that of the versions URL. If "
                  "it is theirs: hubctl partner approve %lld %s, then this once more",
                  host, (long long)s->partner_id, host);
}

static enum flow_next send_credentials(struct flow *f)
{
    struct registering *s = f->state;

    if (failed(s->refusal))
        return flow_fail(f, foreign(f, s));
    s->peer = (struct peer){
        .partner_id = s->partner_id,
        .version = s->found.version,
        .versions_url = s->versions_url,
        .auth_encoding = s->found.encoding,
        .endpoints = s->found.endpoints,
        .endpoint_count = s->found.endpoint_count,
    };
    s->call = (struct ocpi_call){
        .peer = &s->peer,
        .token = s->token,
        .method = s->method,
        .module = MODULE_CREDENTIALS,
        .url = peer_endpoint(&s->peer, MODULE_CREDENTIALS, OCPI_INTERFACE_RECEIVER),
        .body = our_credentials(f, s->face, s->found.version, &s->clients, s->token_b),
        .total_ms = SECONDS(30), /* they call us back meanwhile */
    };
    return ocpi_send(f, &s->call, &s->answer);
}

static struct err unusable(struct flow *f, const struct registering *s, struct err e)
{
    return err_at(f->arena, ERR_PEER_ERROR, e.where,
                  "%s credentials: the answer is no usable Credentials object: %s", s->method,
                  err_text(e));
}

/* What they answer: who they are, and where from now on. */
static struct err check_theirs(struct flow *f, struct registering *s)
{
    TRY(ocpi_answer_err(f->arena, &s->answer));
    struct err e = their_credentials_read(f, s->face, s->found.version, s->partner, s->answer.data,
                                          &s->theirs);
    if (failed(e))
        return unusable(f, s, e);
    if (s->role != OCPI_ROLE_NONE && !s->theirs.hub && !their_credentials_have(&s->theirs, s->role))
        return err_at(f->arena, ERR_PEER_ERROR, NULL,
                      "%s credentials: they do not present themselves as %s", s->method,
                      ocpi_role_name(s->role));
    return OK;
}

static enum flow_next store(struct flow *f)
{
    struct registering *s = f->state;
    const struct settings *settings = hub_of(f)->settings;

    FLOW_TRY(f, check_theirs(f, s));
    s->found.foreign_host = foreign_host(f->arena, s->versions_url, s->partner, s->theirs.url);
    if (s->found.foreign_host)
        return partner_host_ask(f, s->partner_id, s->found.foreign_host, &s->asked);
    s->registration = (struct partner_registration){
        .partner_id = s->partner_id,
        .name = s->theirs.name,
        .version = version_name(s->found.version),
        .versions_url = s->theirs.url,
        .token_out = s->theirs.token,
        .token_in = s->token_b,
        .auth_encoding = auth_encoding_name(s->found.encoding),
        .endpoints = s->found.endpoints_json,
        .roles = their_roles(f, s->partner, &s->theirs),
        .our_country = settings->country_code,
        .our_party = settings->party_id,
        .face = s->face,
        .hub = s->theirs.hub,
    };
    return partner_registered(f, &s->registration, &s->done);
}

static enum flow_next answer(struct flow *f)
{
    struct registering *s = f->state;
    struct text t;

    if (s->found.foreign_host)
        return flow_fail(f, foreign(f, s));
    if (s->done.conflict || s->done.taken)
        return flow_fail(f, err_at(f->arena, ERR_PEER_ERROR, NULL,
                                   s->done.taken ? "a party of this partner belongs to another "
                                                   "connection of this hub"
                                                 : "the connection changed meanwhile"));
    text_init(&t, f->arena, 4 * 1024 * 1024);
    json_begin_object(&t, NULL);
    json_put_int(&t, "id", s->done.partner_id);
    json_put_text(&t, "name", s->registration.name);
    json_put_text(&t, "version", s->registration.version);
    json_put_raw(&t, "roles", s->registration.roles);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

#define REGISTRATION_STEPS                                                                         \
    {"read their versions", discover}, {"expect our token", expect_token},                         \
        {"whom may they know, and where from?", ask_for_host},                                     \
        {"send our credentials", send_credentials}, {"store the connection", store},               \
        {"answer", answer}, {0},

static const struct flow_step register_steps[] = {{"check the body", check_register},
                                                  REGISTRATION_STEPS};
const struct flow_type register_partner_flow = {
    .name = "register_partner",
    .state_size = sizeof(struct registering),
    .deadline_ms = SECONDS(60),
    .steps = register_steps,
};

static const struct flow_step rotate_steps[] = {{"connected?", check_rotate}, REGISTRATION_STEPS};
const struct flow_type rotate_partner_flow = {
    .name = "rotate_partner",
    .state_size = sizeof(struct registering),
    .deadline_ms = SECONDS(60),
    .steps = rotate_steps,
};
