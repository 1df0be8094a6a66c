/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dispatch: what follows a change of a session: the live view, and the operations that are due.
 *
 *    claim one: sent_at is durable --> ask the network --> store what it said --> live view
 *
 * Nothing leaves before the claim has been committed. Whoever got one starts the next dispatch at
 * once, so that a slow network holds up nobody else's command.
 */
#include <string.h>

#include "adapters/network.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/time.h"
#include "db/live.h"
#include "db/location.h"
#include "db/operation.h"
#include "db/partner.h"
#include "hub/jobs/jobs.h"

enum { IN_FLIGHT_MAX = 1000, NEW_TOKEN_MS = 100, NEW_TOKEN_LOOKS = 20 };

struct dispatch {
    char session_id[UUID_TEXT]; /* "": of any session */
    struct operations claimed;
    const struct operation *operation;
    struct location_key place;
    struct stored_object location;
    struct network_command command;
    struct network_ack ack;
    const struct partner *asked;
    int looks; /* for a newer token */
    struct session session;
    bool counted;
    int64_t asked_ms;
};

static unsigned in_flight;

static enum flow_next claim(struct flow *f)
{
    struct dispatch *d = f->state;

    if (in_flight >= IN_FLIGHT_MAX)
        return FLOW_DONE;
    return operation_claim(f, *d->session_id ? d->session_id : NULL, 1, &d->claimed);
}

static enum flow_next pass_on(struct flow *f)
{
    struct dispatch *d = f->state;

    if (!d->claimed.count)
        return FLOW_DONE;
    d->operation = &d->claimed.items[0];
    in_flight++;
    d->counted = true;
    d->asked_ms = time_monotonic_ms();
    if (!*d->session_id)
        dispatch_operations(hub_of(f), NULL);
    else if (d->operation->more_due)
        dispatch_operations(hub_of(f), d->session_id);
    return FLOW_NEXT;
}

static enum flow_next unreachable(struct dispatch *d, const char *why)
{
    d->ack = (struct network_ack){
        .outcome = OCPI_OUTCOME_NOT_SENT, .failure_code = "network_unreachable", .detail = why};
    return FLOW_NEXT;
}

static enum flow_next ask(struct flow *f, const struct dispatch *d, struct network_ack *ret)
{
    const struct network_kind *kind = &network_ocpi;

    switch (d->operation->kind) {
    case OPERATION_START:
        return kind->start(f, &d->command, ret);
    case OPERATION_STOP:
        return kind->stop(f, &d->command, ret);
    case OPERATION_UNLOCK:
        return kind->unlock(f, &d->command, ret);
    case OPERATION_PROFILE_SET:
        return kind->set_profile(f, &d->command, ret);
    case OPERATION_PROFILE_CLEAR:
        return kind->clear_profile(f, &d->command, ret);
    case OPERATION_PROFILE_GET:
        return kind->get_profile(f, &d->command, ret);
    case OPERATION_RESERVE:
        return kind->reserve(f, &d->command, ret);
    case OPERATION_CANCEL_RESERVATION:
        return kind->cancel_reservation(f, &d->command, ret);
    }
    return flow_fail(f, err_new(ERR_INTERNAL));
}

/* Unique per request (R-ASYNC-02): a repeated stop says which attempt it is. In the version that
 * the partner speaks (R-ASYNC-10). */
static const char *callback_url(struct flow *f, const struct peer *peer, const struct operation *o)
{
    const char *url = arena_printf(f->arena, "%s/ocpi/emsp/%s/cb/%s", hub_of(f)->public_url,
                                   version_name(peer->version), o->callback_id);

    return o->attempts > 1 ? arena_printf(f->arena, "%s-%d", url, o->attempts) : url;
}

static bool time_of(const json_t *params, const char *name, int64_t *ret_us)
{
    const char *text = json_text_of(params, name);

    return text && time_parse(text, TIME_RFC3339, ret_us);
}

static const char *either(const char *of_params, const char *of_session)
{
    return of_params ? of_params : of_session;
}

/* Limits in ampere need the voltage and the phases of the connector. */
static enum flow_next look_at_connector(struct flow *f)
{
    struct dispatch *d = f->state;
    const struct session *s = &d->operation->session;
    const struct partner *partner = partner_find(f, d->operation->partner_id);

    if (d->operation->kind != OPERATION_PROFILE_SET || !partner ||
        !partner->peer.quirks.prefers_amps)
        return FLOW_NEXT;
    d->place = (struct location_key){s->partner_id, s->country_code, s->party_id, s->location_id};
    return location_get(f, &d->place, &d->location);
}

static const json_t *find_by_id(const json_t *list, const char *name, const char *id)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *of_this = json_text_of(json_array_get(list, i), name);
        if (of_this && id && text_equal_caseless(of_this, id))
            return json_array_get(list, i);
    }
    return NULL;
}

static int64_t whole_number(const json_t *value)
{
    int64_t u6;

    return value && json_number_u6(value, true, &u6) ? u6 / 1000000 : 0;
}

/* 2.1.1 says voltage where the others say max_voltage. */
static void read_connector(struct flow *f, struct dispatch *d)
{
    const struct session *s = &d->operation->session;
    json_t *location;

    if (!d->location.found || failed(json_read(f->arena, d->location.document,
                                               strlen(d->location.document), 0, &location)))
        return;
    const json_t *evse = find_by_id(json_array_of(location, "evses"), "uid", s->evse_uid);
    const json_t *c = find_by_id(json_array_of(evse, "connectors"), "id", s->connector_id);
    const char *type = json_text_of(c, "power_type");
    const json_t *volts = json_object_get(c, "max_voltage");
    if (!type || strncmp(type, "AC_", 3) != 0)
        return;
    d->command.volts = whole_number(volts ? volts : json_object_get(c, "voltage"));
    d->command.phases = strncmp(type, "AC_3", 4) == 0 ? 3 : strncmp(type, "AC_2", 4) == 0 ? 2 : 1;
}

static enum flow_next ask_network(struct flow *f)
{
    struct dispatch *d = f->state;
    const struct operation *o = d->operation;
    const struct session *s = &o->session;
    const struct partner *partner = partner_find(f, o->partner_id);
    int64_t until_us = 0;
    json_t *params;

    if (!partner || !secret_is_set(partner->peer.token))
        return unreachable(d, "the partner is not connected");
    if (!partner->enabled)
        return unreachable(d, "the partner is disabled");
    if (strcmp(partner->state, "suspended") == 0) /* R-ROUTE-46; a stop is tried again */
        return unreachable(d, "the partner is suspended");
    d->asked = partner;
    FLOW_TRY(f, json_read(f->arena, o->params, strlen(o->params), 0, &params));
    d->command = (struct network_command){
        .peer = &partner->peer,
        .callback_url = callback_url(f, &partner->peer, o),
        .session_id = *o->session_id ? o->session_id : NULL,
        .network_session_id = s->network_session_id,
        .location_id = either(json_text_of(params, "location_id"), s->location_id),
        .evse_uid = either(json_text_of(params, "evse_uid"), s->evse_uid),
        .connector_id = either(json_text_of(params, "connector_id"), s->connector_id),
        .send_connector_id = json_is_true(json_object_get(params, "send_connector_id")),
        .token_uid = either(json_text_of(params, "token_uid"), o->token_uid),
        .token_type = either(json_text_of(params, "token_type"), o->token_type),
        .token_contract_id =
            either(json_text_of(params, "token_contract_id"), o->token_contract_id),
        .token_issuer = hub_of(f)->settings->name,
        .token_last_updated_us = o->token_last_updated_us,
        .profile = params,
        .profile_seconds = json_integer_value(json_object_get(params, "seconds")),
        .reservation_id = json_text_of(params, "reservation_id"),
        .reservation_number = json_integer_value(json_object_get(params, "reservation_number")),
    };
    if (time_of(params, "until", &until_us))
        d->command.reservation_until_us = until_us;
    if (time_of(params, "token_last_updated", &until_us))
        d->command.token_last_updated_us = until_us;
    read_connector(f, d);
    return ask(f, d, &d->ack);
}

/* While tokens change, one may be dead when it is read that was good when it was written; who
 * turned us away for it has done nothing, so the same goes out once more with the new one
 * (R-CRED-06). */
static enum flow_next ask_with_newer_token(struct flow *f)
{
    struct dispatch *d = f->state;
    const struct partner *partner;

    if (!d->ack.unauthorized)
        return FLOW_NEXT;
    partner = partner_find(f, d->operation->partner_id);
    if (!partner || !secret_is_set(partner->peer.token))
        return FLOW_NEXT;
    if (strcmp(secret_reveal(partner->peer.token), secret_reveal(d->asked->peer.token)) != 0) {
        d->command.peer = &partner->peer;
        d->command.callback_url = callback_url(f, &partner->peer, d->operation);
        d->ack = (struct network_ack){0};
        return ask(f, d, &d->ack);
    }
    if (d->looks++ == NEW_TOKEN_LOOKS)
        return FLOW_NEXT;
    flow_sleep(f, NEW_TOKEN_MS);
    return FLOW_AGAIN;
}

static enum flow_next store_answer(struct flow *f)
{
    struct dispatch *d = f->state;
    const char *kind = operation_kind_name(d->operation->kind);
    const char *outcome = ocpi_outcome_name(d->ack.outcome);
    struct operation_answer *answer = arena_alloc(f->arena, sizeof *answer);

    if (failed(f->err)) /* nobody knows what left: the lease decides */
        return FLOW_NEXT;
    metric_observe_ms(METRIC_COMMAND_SECONDS, kind, outcome, time_monotonic_ms() - d->asked_ms);
    if (d->ack.outcome == OCPI_OUTCOME_UNCLEAR)
        metric_add(METRIC_COMMAND_TIMEOUTS, kind, NULL, NULL, 1);
    log_line(d->ack.outcome == OCPI_OUTCOME_ACCEPTED ? LOG_INFO : LOG_WARN, "command answered",
             LOG_TEXT("command", kind), LOG_TEXT("outcome", outcome),
             LOG_TEXT("detail", d->ack.detail), LOG_INT("operation", d->operation->id),
             LOG_TEXT("session_id", d->operation->session_id),
             LOG_TEXT("correlation_id", f->correlation_id));
    *answer = (struct operation_answer){
        .id = d->operation->id,
        .outcome = d->ack.outcome,
        .failure_code = d->ack.failure_code,
        .timeout_s = d->ack.timeout_s,
        .detail = d->ack.detail,
    };
    return operation_answered(f, answer, &d->session);
}

static enum flow_next tell(struct flow *f)
{
    struct dispatch *d = f->state;

    in_flight -= d->counted;
    if (!failed(f->err) && *d->session.id)
        after_session_change(hub_of(f), &d->session);
    return FLOW_NEXT;
}

static const struct flow_step steps[] = {
    {"claim one", claim},
    {"let the next begin", pass_on},
    {"look at the connector", look_at_connector},
    {"ask the network", ask_network},
    {"ask again with a newer token", ask_with_newer_token},
    {"store what it said", store_answer, .also_on_failure = true},
    {"tell the live view", tell, .also_on_failure = true},
    {0},
};

static const struct flow_type dispatch_flow = {
    .name = "dispatch_operation",
    .state_size = sizeof(struct dispatch),
    .deadline_ms = SECONDS(28), /* below the lease of a claim */
    .steps = steps,
};

static void fill(void *state, void *context)
{
    struct dispatch *d = state;

    if (context)
        text_copy(d->session_id, sizeof d->session_id, context);
}

void dispatch_operations(struct hub *hub, const char *session_id)
{
    char id[UUID_TEXT];

    /* While draining only what our own last requests began: nobody else may be there to send it. */
    if (hub->draining && !session_id)
        return;
    if (session_id)
        text_copy(id, sizeof id, session_id);
    hub_job(hub, &dispatch_flow, fill, session_id ? id : NULL);
}

void after_session_change(struct hub *hub, const struct session *s)
{
    struct arena *a;

    if (!*s->id)
        return;
    a = arena_new(64 * 1024);
    live_put(s->id, s->version, status_owner(a, s), status_answer(a, s));
    arena_free(a);
    if (s->operations_due)
        dispatch_operations(hub, s->id);
}
