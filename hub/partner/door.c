/* SPDX-License-Identifier: Apache-2.0 */
/* The partners' door: token, then party, then the log of what was said. */
#include "hub/partner/door.h"

#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "db/contract.h"
#include "db/message.h"
#include "db/partner.h"
#include "hub/hub.h"
#include "hub/partner/message_log.h"
#include "hub/request.h"
#include "hub/routes.h"
#include "hub/server/http_server.h"
#include "ocpi/headers.h"

struct shown {
    struct partner_auth auth;
    const char *candidates[2];
    size_t count;
};

/* The state of the flow belongs to the route table's request flow, so what the door needs lies
 * beside it. Two calls of the step: ask, then read. */
static struct shown *shown_of(struct flow *f)
{
    struct request *r = request_of(f);

    if (!r->door)
        r->door = arena_alloc(f->arena, sizeof(struct shown));
    return r->door;
}

static void let_in(struct request *r, const struct shown *d)
{
    const struct partner_auth *auth = &d->auth;

    r->caller = (struct caller){
        .kind = CALLER_PARTNER,
        .partner = auth->partner,
        .partner_id = auth->partner ? auth->partner->id : 0,
        .name = auth->partner ? auth->partner->name : "partner",
        .token_a = auth->kind != TOKEN_ACCEPTED,
        .token_a_used = auth->kind == TOKEN_A_USED,
        .token_encoded = auth->matched == 1,
    };
}

enum flow_next partner_door_open(struct flow *f)
{
    struct request *r = request_of(f);
    struct token_candidates found;

    if (r->door) {
        const struct shown *d = r->door;
        if (!d->auth.found)
            return flow_fail(f, err_rule(err_new(ERR_TOKEN_INVALID), "R-TRANS-06"));
        let_in(r, d);
        return FLOW_NEXT;
    }
    struct shown *d = shown_of(f);
    struct err e =
        authorization_read(f->arena, http_header(r->http, HEADER_AUTHORIZATION), AUTH_AUTO, &found);
    if (failed(e))
        return flow_fail(f, err_rule(e, "R-TRANS-01"));
    d->candidates[0] = found.verbatim ? found.verbatim : "";
    d->candidates[1] = found.decoded;
    d->count = found.decoded ? 2 : 1;
    partner_by_token(f, d->candidates, d->count, &d->auth);
    return FLOW_AGAIN;
}

/* ---- for whom they speak ---- */

/* Which side of a module a face serves: `emsp` talks with CPOs, `cpo` with everybody else. */
static bool role_fits(enum face face, enum ocpi_role role)
{
    if (role == OCPI_ROLE_HUB)
        return false;
    return face == FACE_PLATFORM || (role == OCPI_ROLE_CPO) == (face == FACE_EMSP);
}

/* The first party in a fitting role, and how many there are. */
static size_t fitting_parties(const struct request *r, const struct partner_party **ret)
{
    const struct partner *p = r->caller.partner;
    size_t count = 0;

    *ret = NULL;
    for (size_t i = 0; i < p->party_count; i++) {
        const struct partner_party *party = &p->parties[i];
        if (!role_fits(r->face, party->role))
            continue;
        count += !*ret || !party_id_equal(&(*ret)->id, &party->id);
        if (!*ret)
            *ret = party;
    }
    return count;
}

/* The party in the spelling in which it is registered, for our answer (R-ROUTE-03). */
static const struct partner_party *party_of(const struct request *r, const struct party_id *id)
{
    const struct partner *p = r->caller.partner;

    for (size_t i = 0; i < p->party_count; i++)
        if (role_fits(r->face, p->parties[i].role) && party_id_equal(&p->parties[i].id, id))
            return &p->parties[i];
    return NULL;
}

/* FROM: a party of this connection, in the role to which the module belongs. What was not said is
 * inferred where there is one answer (R-ROUTE-06); 2.1.1 never says it (R-BR-04). */
static struct err settle_from(struct flow *f, const struct partner_party *first, size_t count)
{
    struct request *r = request_of(f);
    struct caller *c = &r->caller;
    char text[PARTY_TEXT];

    if (!party_id_is_set(&c->from)) {
        if (count == 1 || r->version == OCPI_2_1_1 || c->partner->peer.quirks.lenient_routing) {
            c->from = first->id;
            return OK;
        }
        return err_rule(err_at(f->arena, ERR_BAD_FIELD, HEADER_FROM_PARTY_ID,
                               "%s: is missing, and this connection has several parties",
                               HEADER_FROM_PARTY_ID),
                        "R-ROUTE-06");
    }
    const struct partner_party *party = party_of(r, &c->from);
    if (party) {
        c->from = party->id;
        return OK;
    }
    party_id_print(&c->from, text);
    log_line(LOG_WARN, "a partner speaks for a party that is not its own, or not in this role",
             LOG_TEXT("partner", c->partner->name), LOG_TEXT("from", text),
             LOG_TEXT("face", face_name(r->face)));
    if (c->partner->peer.quirks.lenient_routing) {
        c->from = first->id;
        return OK;
    }
    return err_rule(err_at(f->arena, ERR_FORBIDDEN, HEADER_FROM_PARTY_ID,
                           "%s is not a party of this connection in a role that uses this address",
                           text),
                    "R-ROUTE-06");
}

/* A push that names a party is stored and told on, so the party need not be there at the moment. */
static bool may_be_told(struct flow *f, const struct party_id *to)
{
    const struct request *r = request_of(f);

    return r->route->flags & ROUTE_TO_READERS &&
           partner_of_party(f, to->country_code, to->party_id) &&
           contract_allows(f, &r->caller.from, to, r->route->module);
}

/* TO: us, as eMSP and as hub, unless the route has something to say to others (R-ROUTE-41). */
static struct err settle_to(struct flow *f)
{
    const struct settings *s = hub_of(f)->settings;
    struct caller *c = &request_of(f)->caller;
    struct party_id ours;

    if (request_of(f)->route->flags & ROUTE_TO_OTHERS && party_id_is_set(&c->to))
        return OK;
    if (!party_id_make(s->country_code, s->party_id, &ours))
        return OK;
    if (party_id_is_set(&c->to) && !party_id_equal(&c->to, &ours)) {
        if (may_be_told(f, &c->to))
            return OK;
        if (!c->partner->peer.quirks.lenient_routing)
            return err_rule(err_at(f->arena, ERR_UNKNOWN_RECEIVER, HEADER_TO_PARTY_ID,
                                   "%s-%s is not connected here", c->to.country_code,
                                   c->to.party_id),
                            "R-ROUTE-41");
    }
    c->to = ours;
    return OK;
}

/* The routing headers as far as the version has them. */
static struct err read_routing(struct flow *f)
{
    static const char *const ROUTING[] = {HEADER_FROM_COUNTRY_CODE, HEADER_FROM_PARTY_ID,
                                          HEADER_TO_COUNTRY_CODE, HEADER_TO_PARTY_ID};
    struct request *r = request_of(f);
    bool lenient = r->caller.partner->peer.quirks.lenient_routing;
    struct routing routing = {0};

    if (r->version == OCPI_2_1_1)
        return OK;
    for (size_t i = 0; i < sizeof ROUTING / sizeof *ROUTING && !lenient; i++)
        if (http_header_count(r->http, ROUTING[i]) > 1)
            return err_rule(
                err_at(f->arena, ERR_BAD_FIELD, ROUTING[i], "%s: is given twice", ROUTING[i]),
                "R-ROUTE-05");
    struct err e = routing_read(f->arena, http_header(r->http, HEADER_FROM_COUNTRY_CODE),
                                http_header(r->http, HEADER_FROM_PARTY_ID),
                                http_header(r->http, HEADER_TO_COUNTRY_CODE),
                                http_header(r->http, HEADER_TO_PARTY_ID), &routing);
    if (failed(e))
        return lenient ? OK : err_rule(e, "R-ROUTE-05");
    r->caller.from = routing.from;
    r->caller.to = routing.to;
    return OK;
}

/* Whether the token that was shown opens this address at all. */
static struct err check_token(const struct request *r)
{
    const struct caller *c = &r->caller;

    if (c->token_a && r->route->door != DOOR_REGISTRATION)
        return err_rule(err_new(ERR_TOKEN_INVALID), "R-TRANS-07");
    /* A spent token A is remembered only to say 405 on POST credentials (R-CRED-20). */
    if (c->token_a_used && strcmp(r->route->module, MODULE_CREDENTIALS) != 0)
        return err_rule(err_new(ERR_TOKEN_INVALID), "R-CRED-20");
    return OK;
}

struct err partner_door_check(struct flow *f)
{
    struct request *r = request_of(f);
    struct caller *c = &r->caller;
    const struct partner_party *first;

    TRY(check_token(r));
    if (c->partner && (!c->partner->enabled || strcmp(c->partner->state, "suspended") == 0))
        return err_rule(err_at(f->arena, ERR_FORBIDDEN, NULL,
                               "this connection is suspended by the hub's operators"),
                        "R-HCI-05");
    if (c->partner && !c->token_a)
        partner_seen(c->partner);
    if (!module_is_routed(r->route->module) || !c->partner)
        return OK;
    size_t count = fitting_parties(r, &first);
    if (!count)
        return err_rule(err_at(f->arena, ERR_FORBIDDEN, NULL,
                               r->face == FACE_EMSP ? "this address is for CPOs, and none of this "
                                                      "connection's parties is one"
                                                    : "this address is not for CPOs, and this "
                                                      "connection has no party in another role"),
                        "R-ROUTE-06");
    TRY(read_routing(f));
    TRY(settle_from(f, first, count));
    return settle_to(f);
}

struct err partner_door_party(struct flow *f, const char *country_code, const char *party_id)
{
    struct party_id id;

    if (party_id_make(country_code, party_id, &id) && party_of(request_of(f), &id))
        return OK;
    return err_rule(err_new(ERR_OBJECT_NOT_FOUND), "R-TRANS-16");
}

void partner_door_log(struct flow *f, int64_t ms)
{
    const struct request *r = request_of(f);
    const struct caller *c = &r->caller;
    char from[PARTY_TEXT], to[PARTY_TEXT];
    bool bad = failed(f->err);
    bool known = c->kind == CALLER_PARTNER; /* strangers fill no table with what they send */

    message_log(&(struct message){
        .partner_id = c->partner_id,
        .from = party_id_is_set(&c->from) ? party_id_print(&c->from, from) : NULL,
        .to = party_id_is_set(&c->to) ? party_id_print(&c->to, to) : NULL,
        .module = r->route->module,
        .method = r->http->method,
        .path = r->http->path,
        .object_id = r->param_count ? r->params[r->param_count > 2 ? 2 : 0] : NULL,
        .request_id = f->request_id,
        .correlation_id = f->correlation_id,
        .http_status = r->reply_status,
        .ocpi_status = r->ocpi_code,
        .at_us = time_now_us() - ms * 1000,
        .duration_ms = ms,
        .error = bad ? err_text(f->err) : NULL,
        .where = bad ? f->err.where : NULL,
        .rule = bad ? f->err.rule : NULL,
        .came = bad ? f->err.came : NULL,
        .expected = bad ? f->err.expected : NULL,
        .refused = bad,
        .losses = r->losses ? arena_printf(f->arena, "[%s]", r->losses->bytes) : NULL,
        .request_body =
            known && r->http->body_length
                ? message_mask(f->arena, r->route->module, r->http->body, r->http->body_length)
                : NULL,
        .response_body = r->reply_length ? message_mask(f->arena, r->route->module, r->reply_body,
                                                        r->reply_length)
                                         : NULL,
    });
}
