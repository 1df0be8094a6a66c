/* SPDX-License-Identifier: Apache-2.0 */
/* The partners' door: token, then party, then the log of what was said. */
#include "hub/partner/door.h"

#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
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
            return flow_fail(f, err_new(ERR_TOKEN_INVALID));
        let_in(r, d);
        return FLOW_NEXT;
    }
    struct shown *d = shown_of(f);
    FLOW_TRY(f, authorization_read(f->arena, http_header(r->http, HEADER_AUTHORIZATION), AUTH_AUTO,
                                   &found));
    d->candidates[0] = found.verbatim ? found.verbatim : "";
    d->candidates[1] = found.decoded;
    d->count = found.decoded ? 2 : 1;
    partner_by_token(f, d->candidates, d->count, &d->auth);
    return FLOW_AGAIN;
}

/* The party in the spelling in which it is registered, for our answer (R-ROUTE-03); false if the
 * partner does not speak for it. */
static bool speaks_for(const struct partner *p, struct party_id *id)
{
    for (size_t i = 0; i < p->party_count; i++) {
        if (!party_id_equal(&p->parties[i].id, id))
            continue;
        *id = p->parties[i].id;
        return true;
    }
    return false;
}

/* What was not said, as far as there is one answer to it (R-ROUTE-06); this face is our own party.
 */
static void name_parties(const struct hub *hub, struct caller *c)
{
    struct party_id ours;

    if (!party_id_is_set(&c->from) && c->partner->party_count == 1)
        c->from = c->partner->parties[0].id;
    if (party_id_make(hub->settings->country_code, hub->settings->party_id, &ours) &&
        (!party_id_is_set(&c->to) || party_id_equal(&c->to, &ours)))
        c->to = ours;
}

/* We serve one party so far: our own eMSP (R-ROUTE-41). */
static bool is_ours(const struct hub *hub, const struct party_id *id)
{
    struct party_id ours;

    return party_id_make(hub->settings->country_code, hub->settings->party_id, &ours) &&
           party_id_equal(&ours, id);
}

struct err partner_door_check(struct flow *f)
{
    static const char *const ROUTING[] = {HEADER_FROM_COUNTRY_CODE, HEADER_FROM_PARTY_ID,
                                          HEADER_TO_COUNTRY_CODE, HEADER_TO_PARTY_ID};
    struct request *r = request_of(f);
    struct caller *c = &r->caller;
    struct routing routing;

    if (c->token_a && r->route->door != DOOR_REGISTRATION)
        return err_new(ERR_TOKEN_INVALID);
    /* A spent token A is remembered only to say 405 on POST credentials (R-CRED-20). */
    if (c->token_a_used && strcmp(r->route->module, MODULE_CREDENTIALS) != 0)
        return err_new(ERR_TOKEN_INVALID);
    if (c->partner && !c->token_a)
        partner_seen(c->partner->id);
    if (!module_is_routed(r->route->module))
        return OK;
    for (size_t i = 0; i < sizeof ROUTING / sizeof *ROUTING; i++)
        if (http_header_count(r->http, ROUTING[i]) > 1)
            return err_at(f->arena, ERR_BAD_FIELD, ROUTING[i], "%s: is given twice", ROUTING[i]);
    TRY(routing_read(f->arena, http_header(r->http, HEADER_FROM_COUNTRY_CODE),
                     http_header(r->http, HEADER_FROM_PARTY_ID),
                     http_header(r->http, HEADER_TO_COUNTRY_CODE),
                     http_header(r->http, HEADER_TO_PARTY_ID), &routing));
    c->from = routing.from;
    c->to = routing.to;
    if (party_id_is_set(&c->from) && !speaks_for(c->partner, &c->from)) {
        char party[PARTY_TEXT];
        log_line(LOG_WARN, "a partner speaks for a party that is not its own",
                 LOG_TEXT("partner", c->partner->name),
                 LOG_TEXT("from", party_id_print(&c->from, party)));
        return err_at(f->arena, ERR_FORBIDDEN, HEADER_FROM_PARTY_ID,
                      "%s is not a party of this connection", party);
    }
    if (party_id_is_set(&c->to) && !is_ours(hub_of(f), &c->to))
        return err_at(f->arena, ERR_UNKNOWN_RECEIVER, HEADER_TO_PARTY_ID,
                      "%s-%s is not connected here", c->to.country_code, c->to.party_id);
    name_parties(hub_of(f), c);
    return OK;
}

struct err partner_door_party(struct flow *f, const char *country_code, const char *party_id)
{
    const struct partner *p = request_of(f)->caller.partner;
    struct party_id id;

    if (party_id_make(country_code, party_id, &id))
        for (size_t i = 0; i < p->party_count; i++)
            if (p->parties[i].role == OCPI_ROLE_CPO && party_id_equal(&p->parties[i].id, &id))
                return OK;
    return err_new(ERR_OBJECT_NOT_FOUND);
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
        .request_body =
            known && r->http->body_length
                ? message_mask(f->arena, r->route->module, r->http->body, r->http->body_length)
                : NULL,
        .response_body = r->reply_length ? message_mask(f->arena, r->route->module, r->reply_body,
                                                        r->reply_length)
                                         : NULL,
    });
}
