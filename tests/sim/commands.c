/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands: what the hub asks the charge points to do. The answer says that we pass it on, the
 * result on response_url what the charge point did.
 */
#include "ocpi/command.h"

#include "adapters/http_client.h"
#include "base/flow.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/envelope.h"
#include "tests/sim/behave.h"
#include "tests/sim/call.h"
#include "tests/sim/callback.h"
#include "tests/sim/check.h"
#include "tests/sim/clock.h"
#include "tests/sim/session.h"

enum { TIMEOUT_S = 30, RESULT_MS = 400, RESULT_REAL_MS = 20, STOP_MS = 300, HOOK_MS = 5000 };
enum { EARLY_MS = 500 };

/* The CommandResponse, kept while a hook or an early callback has its turn. */
struct response {
    struct call *call;
    const char *result;
    int code; /* status_code */
    const char *message;
    void (*then)(struct session *s, const char *response_url, struct call *call);
    struct session *session;
    const char *response_url;
};

struct hook {
    struct response *response;
    struct http_call http;
    struct http_answer answer;
};

static void response_send(struct response *r)
{
    struct call *call = r->call;
    struct text data;
    bool no_timeout = behave_acts(call->sim->behave, BEHAVE_NO_TIMEOUT, call->evse);
    bool accepted = strcmp(r->result, "ACCEPTED") == 0;

    text_init(&data, call->arena, 4096);
    json_begin_object(&data, 0);
    json_put_text(&data, "result", r->result);
    if (!no_timeout && call->version != OCPI_2_1_1)
        json_put_int(&data, "timeout", accepted ? TIMEOUT_S : 0);
    json_end_object(&data);
    /* The call, and with it everything in its arena, is over after the answer. */
    void (*then)(struct session *, const char *, struct call *) = r->then;
    if (then && accepted)
        then(r->session, r->response_url, call);
    call_answer(call, 200, r->code, r->message ? r->message : "Success", data.bytes);
}

static enum flow_next ask_hook(struct flow *f)
{
    struct hook *h = f->state;

    return http_send(f, &h->http, &h->answer);
}

static const struct flow_step hook_steps[] = {{"ask the hook", ask_hook}, {0}};
static const struct flow_type hook_flow = {
    .name = "hook", .state_size = sizeof(struct hook), .steps = hook_steps};

static void hook_ended(struct flow *f)
{
    struct hook *h = f->state;

    response_send(h->response);
}

/* A test may want to look at the hub's database before we answer. */
static void response_after_hook(struct response *r)
{
    struct sim *sim = r->call->sim;

    if (!sim->hook_url[0]) {
        response_send(r);
        return;
    }
    struct flow *f = flow_new(
        &hook_flow, &(struct flow_options){
                        .loop = sim->loop, .app = sim, .on_end = hook_ended, .no_log = true});
    struct hook *h = f->state;

    h->response = r;
    h->http = (struct http_call){.method = "POST",
                                 .url = sim->hook_url,
                                 .body = r->call->r->body,
                                 .body_length = r->call->r->body_length,
                                 .connect_ms = 1000,
                                 .total_ms = HOOK_MS};
    flow_run(f);
}

static void response_due(void *arg)
{
    response_send(arg);
}

static struct response *response_new(struct call *call, const char *result)
{
    struct response *r = arena_alloc(call->arena, sizeof(*r));

    *r = (struct response){.call = call, .result = result, .code = OCPI_SUCCESS};
    return r;
}

static void refuse(struct call *call, const char *result, const char *why)
{
    struct response *r = response_new(call, result);

    r->message = why;
    response_after_hook(r);
}

static void refuse_location(struct call *call)
{
    struct response *r = response_new(call, "REJECTED");

    r->code = OCPI_UNKNOWN_LOCATION; /* R-CMD-10 */
    r->message = "no such location or EVSE";
    response_after_hook(r);
}

/* --- START_SESSION --- */

/* What START_SESSION and RESERVE_NOW ask for; members that are not there are NULL. */
struct start {
    const char *response_url, *location_id, *evse_uid, *connector_id, *authorization_reference;
    struct session_token token;
};

static void member_copy(char *to, size_t size, const json_t *object, const char *key)
{
    const char *value = json_text_of(object, key);

    text_copy(to, size, value ? value : "");
}

/* By name, whatever the version: 2.1.1 has no owner in a token, and calls the contract auth_id. */
static bool start_read(struct call *call, struct start *ret)
{
    const json_t *json = call->json, *token = json_object_of(json, "token");
    const struct party_id *hub = &call->sim->reg.hub;
    bool old = call->version == OCPI_2_1_1;

    *ret = (struct start){
        .response_url = json_text_of(json, "response_url"),
        .location_id = json_text_of(json, "location_id"),
        .evse_uid = json_text_of(json, "evse_uid"),
        .connector_id = old ? 0 : json_text_of(json, "connector_id"),
        .authorization_reference = old ? 0 : json_text_of(json, "authorization_reference"),
    };
    struct session_token *t = &ret->token;
    member_copy(t->uid, sizeof(t->uid), token, "uid");
    member_copy(t->type, sizeof(t->type), token, "type");
    member_copy(t->contract_id, sizeof(t->contract_id), token, old ? "auth_id" : "contract_id");
    if (old) {
        text_copy(t->country_code, sizeof(t->country_code), hub->country_code);
        text_copy(t->party_id, sizeof(t->party_id), hub->party_id);
    } else {
        member_copy(t->country_code, sizeof(t->country_code), token, "country_code");
        member_copy(t->party_id, sizeof(t->party_id), token, "party_id");
    }
    return ret->response_url && ret->location_id && t->uid[0];
}

static struct evse *start_evse(struct call *call, const struct start *start)
{
    struct world *w = call->sim->world;
    struct location *l = world_location(w, start->location_id);
    struct evse *e;

    if (!l || l->hidden)
        return 0;
    if (start->evse_uid) {
        e = world_evse(w, start->evse_uid);
        return e && &w->locations[e->location] == l && strcasecmp(e->uid, start->evse_uid) == 0 ? e
                                                                                                : 0;
    }
    for (unsigned i = 0; i < l->evse_count; i++) {
        e = &w->evses[l->first_evse + i];
        if (e->remote_start && !e->session && e->status == OCPI_EVSE_AVAILABLE)
            return e;
    }
    return &w->evses[l->first_evse];
}

static void start_planned(struct session *s, const char *response_url, struct call *call)
{
    (void)response_url;
    (void)call;
    session_plan(s, false);
}

static void start_check(struct call *call, const struct start *start, const struct evse *evse)
{
    struct sim *sim = call->sim;
    struct party_id owner;

    check_used_once(call, "response_url", start->response_url);
    if (call->version != OCPI_2_1_1 &&
        (!party_id_make(start->token.country_code, start->token.party_id, &owner) ||
         !party_id_equal(&owner, &call->routing.from)))
        check_violation(sim, "R-CMD-02", "POST", call->r->target, "a token of somebody else");
    if (!evse->remote_start)
        check_violation(sim, "R-REST-02", "POST", call->r->target,
                        "EVSE %s has no REMOTE_START_STOP_CAPABLE", evse->uid);
}

static bool evse_usable(const struct evse *e)
{
    return e->status != OCPI_EVSE_PLANNED && e->status != OCPI_EVSE_REMOVED &&
           e->status != OCPI_EVSE_INOPERATIVE && e->status != OCPI_EVSE_OUTOFORDER &&
           e->remote_start;
}

/* 2.1.1 has no member for the connector. */
static bool connector_named(const struct call *call, const struct evse *e,
                            const struct start *start)
{
    return !e->connector_required || start->connector_id || call->version == OCPI_2_1_1;
}

/* Whoever reserved the EVSE takes the session of the reservation further (R-SESS-03). */
static struct session *start_session(struct call *call, const struct start *start,
                                     struct evse *evse, const struct connector *connector)
{
    struct session *s = evse->reserved;

    if (!s || strcasecmp(s->token.uid, start->token.uid) != 0)
        return session_new(call->sim, evse, connector, &start->token,
                           start->authorization_reference, "COMMAND", start->response_url);
    s->connector = connector;
    text_copy(s->response_url, sizeof(s->response_url), start->response_url);
    if (start->authorization_reference)
        text_copy(s->authorization_reference, sizeof(s->authorization_reference),
                  start->authorization_reference);
    return s;
}

static void serve_start(struct call *call)
{
    struct sim *sim = call->sim;
    struct start start;

    if (!check_body(call, "StartSession") || !start_read(call, &start)) {
        call_invalid(call, "not a StartSession");
        return;
    }
    struct evse *evse = start_evse(call, &start);
    const struct connector *connector = !evse ? 0
                                        : start.connector_id
                                            ? evse_connector(evse, start.connector_id)
                                            : &evse->connectors[0];
    if (!connector) {
        refuse_location(call);
        return;
    }
    call->evse = evse;
    start_check(call, &start, evse);
    check_used_once(call, "authorization_reference", start.authorization_reference);
    if (!connector_named(call, evse, &start))
        check_violation(sim, "R-REST-02", "POST", call->r->target,
                        "EVSE %s has START_SESSION_CONNECTOR_REQUIRED", evse->uid);
    if (!evse_usable(evse) || !connector_named(call, evse, &start) ||
        behave_acts(sim->behave, BEHAVE_REJECT_START, evse)) {
        refuse(call, "REJECTED", "this EVSE cannot be started");
        return;
    }
    struct session *s = start_session(call, &start, evse, connector);
    struct response *r = response_new(call, "ACCEPTED");
    if (behave_acts(sim->behave, BEHAVE_EARLY_CALLBACK, evse)) {
        session_plan(s, true);
        clock_after(sim->clock, clock_pace_ms(sim->clock, 0, EARLY_MS), response_due, r);
        return;
    }
    r->then = start_planned;
    r->session = s;
    response_after_hook(r);
}

/* --- STOP_SESSION and UNLOCK_CONNECTOR --- */

static void result_later(struct call *call, const char *response_url, const char *word)
{
    struct sim *sim = call->sim;
    struct callback c = {.module = MODULE_COMMANDS,
                         .response_url = response_url,
                         .to = call->routing.from,
                         .evse = call->evse,
                         .body = callback_body(sim, word)};
    int64_t wait_ms = clock_pace_ms(sim->clock, RESULT_MS, RESULT_REAL_MS), after_s;

    if (behave_acts_after(sim->behave, BEHAVE_LATE_CALLBACK, call->evse, &after_s))
        wait_ms = SECONDS(after_s);
    if (behave_acts(sim->behave, BEHAVE_EARLY_CALLBACK, call->evse)) {
        callback_send(sim, c);
        call->late_s = call->late_s > 0 ? call->late_s : clock_speed(sim->clock);
        return;
    }
    callback_later(sim, wait_ms, c);
}

static void stop_due(void *arg)
{
    session_end(arg);
}

static void stop_accepted(struct session *s, const char *response_url, struct call *call)
{
    struct sim *sim = call->sim;

    if (behave_acts(sim->behave, BEHAVE_REFUSE_STOP, s->evse)) {
        result_later(call, response_url, "REJECTED");
        return;
    }
    result_later(call, response_url, "ACCEPTED");
    if (!behave_acts(sim->behave, BEHAVE_STOP_IGNORED, s->evse))
        clock_after(sim->clock,
                    clock_pace_ms(sim->clock, RESULT_MS + STOP_MS, INT64_C(2) * RESULT_REAL_MS),
                    stop_due, s);
}

static void serve_stop(struct call *call)
{
    struct sim *sim = call->sim;
    const char *response_url = json_text_of(call->json, "response_url");
    const char *session_id = json_text_of(call->json, "session_id");

    if (!check_body(call, "StopSession") || !response_url || !session_id) {
        call_invalid(call, "not a StopSession");
        return;
    }
    check_used_once(call, "response_url", response_url);
    struct session *s = session_find(sim, session_id);
    if (s && session_is_open(s) &&
        behave_acts(sim->behave, BEHAVE_UNKNOWN_SESSION_ON_STOP, s->evse))
        session_end(s);
    if (!s || !session_is_open(s)) {
        refuse(call, "UNKNOWN_SESSION", "no such session is running");
    } else if (behave_acts(sim->behave, BEHAVE_REFUSE_STOP_SYNC, s->evse)) {
        refuse(call, "REJECTED", "not now");
    } else {
        struct response *r = response_new(call, "ACCEPTED");

        r->then = stop_accepted;
        r->session = s;
        r->response_url = response_url;
        response_after_hook(r);
    }
}

static void unlock_accepted(struct session *s, const char *response_url, struct call *call)
{
    (void)s;
    result_later(call, response_url, "ACCEPTED");
}

static void serve_unlock(struct call *call)
{
    const char *response_url = json_text_of(call->json, "response_url");
    const char *location_id = json_text_of(call->json, "location_id");
    const char *evse_uid = json_text_of(call->json, "evse_uid");
    const char *connector_id = json_text_of(call->json, "connector_id");

    if (!check_body(call, "UnlockConnector") || !response_url || !location_id || !evse_uid ||
        !connector_id) {
        call_invalid(call, "not an UnlockConnector");
        return;
    }
    check_used_once(call, "response_url", response_url);
    struct evse *e = world_evse(call->sim->world, evse_uid);
    if (!world_location(call->sim->world, location_id) || !e || !evse_connector(e, connector_id)) {
        refuse_location(call);
        return;
    }
    call->evse = e;
    struct response *r = response_new(call, "ACCEPTED");
    r->then = unlock_accepted;
    r->response_url = response_url;
    response_after_hook(r);
}

/* --- RESERVE_NOW and CANCEL_RESERVATION --- */

struct reservation {
    char id[40];
    int64_t expiry_us;
};

/* 2.1.1: a whole number; later a text. */
static bool reservation_read(const struct call *call, struct reservation *ret)
{
    const json_t *id = json_object_get(call->json, "reservation_id");
    const char *expiry = json_text_of(call->json, "expiry_date");

    ret->expiry_us = TIME_NONE;
    if (json_is_integer(id))
        snprintf(ret->id, sizeof(ret->id), "%lld", (long long)json_integer_value(id));
    else if (!json_is_string(id) || !text_copy(ret->id, sizeof(ret->id), json_string_value(id)))
        return false;
    return !expiry || time_parse(expiry, TIME_OCPI, &ret->expiry_us);
}

static void reserve_accepted(struct session *s, const char *response_url, struct call *call)
{
    struct reservation reservation;

    reservation_read(call, &reservation);
    result_later(call, response_url, "ACCEPTED");
    session_reserve(s, reservation.id, reservation.expiry_us);
}

/* The same id again replaces the reservation (R-CMD-07). */
static struct session *reserve_session(struct call *call, const struct start *start,
                                       struct evse *evse, const char *reservation_id)
{
    struct session *s = session_of_reservation(call->sim, reservation_id);

    if (!s)
        return session_new(call->sim, evse, &evse->connectors[0], &start->token,
                           start->authorization_reference, "COMMAND", start->response_url);
    if (s->evse->reserved == s && s->evse != evse) {
        s->evse->reserved = 0;
        evse_status(call->sim, s->evse, s->evse->usual_status);
    }
    s->evse = evse;
    s->connector = &evse->connectors[0];
    text_copy(s->response_url, sizeof(s->response_url), start->response_url);
    return s;
}

static void serve_reserve(struct call *call)
{
    struct reservation reservation;
    struct start start;

    if (!call->sim->options->reservations) {
        refuse(call, "NOT_SUPPORTED", "this network takes no reservations");
        return;
    }
    if (!check_body(call, "ReserveNow") || !start_read(call, &start) ||
        !reservation_read(call, &reservation) || reservation.expiry_us == TIME_NONE) {
        call_invalid(call, "not a ReserveNow");
        return;
    }
    struct evse *evse = start_evse(call, &start);
    if (!evse) {
        refuse_location(call);
        return;
    }
    call->evse = evse;
    start_check(call, &start, evse);
    bool taken = evse->reserved && strcasecmp(evse->reserved->reservation_id, reservation.id) != 0;
    if (!evse_usable(evse) || evse->session || taken) {
        refuse(call, "REJECTED", "this EVSE cannot be reserved");
        return;
    }
    struct response *r = response_new(call, "ACCEPTED");
    r->then = reserve_accepted;
    r->session = reserve_session(call, &start, evse, reservation.id);
    r->response_url = start.response_url;
    response_after_hook(r);
}

static void cancel_accepted(struct session *s, const char *response_url, struct call *call)
{
    result_later(call, response_url, s ? "ACCEPTED" : "UNKNOWN_RESERVATION");
    if (s)
        session_reserve_end(s);
}

static void serve_cancel(struct call *call)
{
    const char *response_url = json_text_of(call->json, "response_url");
    struct reservation reservation;

    if (!check_body(call, "CancelReservation") || !response_url ||
        !reservation_read(call, &reservation)) {
        call_invalid(call, "not a CancelReservation");
        return;
    }
    check_used_once(call, "response_url", response_url);
    struct response *r = response_new(call, "ACCEPTED");
    r->then = cancel_accepted;
    r->session = session_of_reservation(call->sim, reservation.id);
    r->response_url = response_url;
    call->evse = r->session ? r->session->evse : 0;
    response_after_hook(r);
}

void serve_commands(struct call *call)
{
    const char *word = call->rest_count > 0 ? call->rest[0] : "";

    switch (ocpi_command_parse(word)) {
    case OCPI_COMMAND_START_SESSION:
        serve_start(call);
        return;
    case OCPI_COMMAND_STOP_SESSION:
        serve_stop(call);
        return;
    case OCPI_COMMAND_UNLOCK_CONNECTOR:
        serve_unlock(call);
        return;
    case OCPI_COMMAND_RESERVE_NOW:
        serve_reserve(call);
        return;
    case OCPI_COMMAND_CANCEL_RESERVATION:
        if (call->version != OCPI_2_1_1) {
            serve_cancel(call);
            return;
        }
        break;
    default:
        break;
    }
    refuse(call, "NOT_SUPPORTED", "this network does not do that"); /* R-CMD-01 */
}
