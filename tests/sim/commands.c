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
    if (!no_timeout)
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

static struct evse *start_evse(struct call *call, const struct ocpi_start_session *start)
{
    struct world *w = call->sim->world;
    struct location *l = world_location(w, start->location_id);
    struct evse *e;

    if (!l)
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

static struct session_token start_token(const struct ocpi_token *token)
{
    struct session_token t;

    text_copy(t.country_code, sizeof(t.country_code), token->country_code);
    text_copy(t.party_id, sizeof(t.party_id), token->party_id);
    text_copy(t.uid, sizeof(t.uid), token->uid);
    text_copy(t.type, sizeof(t.type), ocpi_token_kind_name(token->type));
    text_copy(t.contract_id, sizeof(t.contract_id), token->contract_id);
    return t;
}

static void start_check(struct call *call, const struct ocpi_start_session *start,
                        const struct evse *evse)
{
    struct sim *sim = call->sim;
    struct party_id owner;

    check_used_once(call, "response_url", start->response_url);
    check_used_once(call, "authorization_reference", start->authorization_reference);
    if (!party_id_make(start->token->country_code, start->token->party_id, &owner) ||
        !party_id_equal(&owner, &call->routing.from))
        check_violation(sim, "R-CMD-02", "POST", call->r->target, "a token of somebody else");
    if (!evse->remote_start)
        check_violation(sim, "R-REST-02", "POST", call->r->target,
                        "EVSE %s has no REMOTE_START_STOP_CAPABLE", evse->uid);
    if (evse->connector_required && !start->connector_id)
        check_violation(sim, "R-REST-02", "POST", call->r->target,
                        "EVSE %s has START_SESSION_CONNECTOR_REQUIRED", evse->uid);
}

static bool evse_startable(const struct evse *e, const struct ocpi_start_session *start)
{
    bool usable = e->status != OCPI_EVSE_PLANNED && e->status != OCPI_EVSE_REMOVED &&
                  e->status != OCPI_EVSE_INOPERATIVE && e->status != OCPI_EVSE_OUTOFORDER;

    return usable && e->remote_start && !(e->connector_required && !start->connector_id);
}

static void serve_start(struct call *call)
{
    struct sim *sim = call->sim;
    struct ocpi_start_session start;

    if (failed(object_parse(&ocpi_start_session_type, call->json, call->arena, &start))) {
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
    if (!evse_startable(evse, &start) || behave_acts(sim->behave, BEHAVE_REJECT_START, evse)) {
        refuse(call, "REJECTED", "this EVSE cannot be started");
        return;
    }
    struct session_token token = start_token(start.token);
    struct session *s = session_new(sim, evse, connector, &token, start.authorization_reference,
                                    "COMMAND", start.response_url);
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
                         .body = callback_body(word)};
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
    struct ocpi_stop_session stop;

    if (failed(object_parse(&ocpi_stop_session_type, call->json, call->arena, &stop))) {
        call_invalid(call, "not a StopSession");
        return;
    }
    check_used_once(call, "response_url", stop.response_url);
    struct session *s = session_find(sim, stop.session_id);
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
        r->response_url = stop.response_url;
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
    struct ocpi_unlock_connector unlock;

    if (failed(object_parse(&ocpi_unlock_connector_type, call->json, call->arena, &unlock))) {
        call_invalid(call, "not an UnlockConnector");
        return;
    }
    check_used_once(call, "response_url", unlock.response_url);
    struct evse *e = world_evse(call->sim->world, unlock.evse_uid);
    if (!world_location(call->sim->world, unlock.location_id) || !e ||
        !evse_connector(e, unlock.connector_id)) {
        refuse_location(call);
        return;
    }
    call->evse = e;
    struct response *r = response_new(call, "ACCEPTED");
    r->then = unlock_accepted;
    r->response_url = unlock.response_url;
    response_after_hook(r);
}

void serve_commands(struct call *call)
{
    const char *word = call->rest_count > 0 ? call->rest[0] : "";
    enum ocpi_command command = ocpi_command_parse(word);
    const struct object_type *type = command_body_type(command);

    if (type)
        check_body(call, type);
    switch (command) {
    case OCPI_COMMAND_START_SESSION:
        serve_start(call);
        break;
    case OCPI_COMMAND_STOP_SESSION:
        serve_stop(call);
        break;
    case OCPI_COMMAND_UNLOCK_CONNECTOR:
        serve_unlock(call);
        break;
    default: /* RESERVE_NOW, CANCEL_RESERVATION, and what OCPI does not know (R-CMD-01) */
        refuse(call, "NOT_SUPPORTED", "this network does not do that");
        break;
    }
}
