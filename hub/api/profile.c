/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charging profile: set a limit for a running session, or clear it (contract 5.4, 5.5).
 *
 * The operation is stored and sent like every command; this flow then watches it for 15 s. What
 * is undecided by then is answered 202 and goes on without us.
 */
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json.h"
#include "base/time.h"
#include "db/live.h"
#include "db/operation.h"
#include "hub/api/api.h"
#include "hub/api/validate.h"
#include "hub/hub.h"
#include "hub/jobs/jobs.h"
#include "hub/server/http_server.h"

enum { WAIT_MS = 15000, LOOK_AGAIN_MS = 500, PERIODS_MAX = 100, WEEK_S = 604800 };

struct period {
    int64_t start_s, limit_u6;
};

struct profile {
    struct idempotency idempotency;
    struct idempotency_record earlier;
    bool clear;
    bool has_rate, has_departure;
    int64_t rate_u6, departure_us;
    struct period periods[PERIODS_MAX];
    size_t count;
    struct profile_ask ask;
    struct profile_asked asked;
    struct operation_state state;
    int64_t until_ms;
    bool looked;
    const char *answer; /* body, once decided */
    int status;
};

/* ---- the body ---- */

static void check_rate(struct profile *p, const json_t *v, struct field_errors *e)
{
    if (!number_read(v, 4, &p->rate_u6) || p->rate_u6 <= 0 || p->rate_u6 > INT64_C(1000000000))
        field_errors_add(e, "max_charge_rate_kw", "max_charge_rate_kw_invalid",
                         "must be a number above 0, at most 1000, with at most 4 decimals");
    p->has_rate = true;
}

static void check_departure(struct profile *p, const json_t *v, struct field_errors *e)
{
    const char *text = json_string_value(v);
    int64_t now = time_now_us();

    p->has_departure = true;
    if (!text || !time_parse(text, TIME_RFC3339, &p->departure_us))
        field_errors_add(e, "departure_time", "departure_time_invalid",
                         "must be an RFC 3339 time with a zone");
    else if (p->departure_us <= now + 60 * US_PER_SECOND)
        field_errors_add(e, "departure_time", "departure_time_past",
                         "must be more than a minute ahead");
    else if (p->departure_us > now + WEEK_S * US_PER_SECOND)
        field_errors_add(e, "departure_time", "departure_time_too_far", "must be within 7 days");
}

static void check_period(struct profile *p, size_t i, const json_t *v, struct field_errors *e)
{
    char field[48];
    struct period *period = &p->periods[i];
    const json_t *start = json_object_get(v, "start_period");
    const json_t *limit = json_object_get(v, "limit");

    snprintf(field, sizeof field, "periods[%zu].start_period", i);
    if (!json_is_integer(start) || json_integer_value(start) < 0 ||
        json_integer_value(start) > WEEK_S) {
        field_errors_add(e, field, "start_period_invalid",
                         "must be whole seconds from 0 to 604800");
    } else {
        period->start_s = json_integer_value(start);
        if (i == 0 && period->start_s != 0)
            field_errors_add(e, field, "periods_must_start_at_zero",
                             "the first period must start at 0");
        else if (i && period->start_s <= p->periods[i - 1].start_s)
            field_errors_add(e, field, "periods_not_ordered",
                             "each period must start after the one before");
    }
    snprintf(field, sizeof field, "periods[%zu].limit", i);
    if (!number_read(limit, 1, &period->limit_u6) || period->limit_u6 < 0 ||
        period->limit_u6 > INT64_C(1000000) * 1000000)
        field_errors_add(e, field, "limit_invalid",
                         "must be watts from 0 to 1000000 with at most 1 decimal");
}

static void check_periods(struct profile *p, const json_t *v, struct field_errors *e)
{
    size_t n = json_array_size(v);

    if (!json_is_array(v) || n < 1 || n > PERIODS_MAX) {
        field_errors_add(e, "periods", "periods_invalid", "must be a list of 1 to 100 periods");
        return;
    }
    p->count = n;
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(v, i);
        if (!json_is_object(item)) {
            char field[32];
            snprintf(field, sizeof field, "periods[%zu]", i);
            field_errors_add(e, field, "periods_invalid", "must be an object");
            continue;
        }
        check_period(p, i, item, e);
    }
}

static bool given(const json_t *v)
{
    return v && !json_is_null(v);
}

static void check_fields(struct profile *p, const json_t *body, struct field_errors *e)
{
    const json_t *rate = json_object_get(body, "max_charge_rate_kw");
    const json_t *departure = json_object_get(body, "departure_time");
    const json_t *periods = json_object_get(body, "periods");

    if (!given(rate) && !given(departure) && !given(periods)) {
        field_errors_add(e, "body", "profile_empty", "give max_charge_rate_kw, or periods");
        return;
    }
    if (given(periods) && (given(rate) || given(departure))) {
        field_errors_add(e, "periods", "profile_conflict",
                         "give either periods, or max_charge_rate_kw with departure_time");
        return;
    }
    if (given(departure) && !given(rate))
        field_errors_add(e, "max_charge_rate_kw", "max_charge_rate_kw_required",
                         "departure_time needs max_charge_rate_kw");
    if (given(rate))
        check_rate(p, rate, e);
    if (given(departure))
        check_departure(p, departure, e);
    if (given(periods))
        check_periods(p, periods, e);
    if (p->has_rate && !e->count) {
        p->periods[0] = (struct period){0, p->rate_u6 * 1000};
        p->count = 1;
    }
}

static enum flow_next check_body(struct flow *f)
{
    struct profile *p = f->state;
    struct field_errors errors;
    const struct caller *caller = &request_of(f)->caller;

    p->clear = strcmp(request_of(f)->http->method, "DELETE") == 0;
    FLOW_TRY(f, path_session_id(f, p->ask.session_id));
    FLOW_TRY(f, idempotency_read(f, &p->idempotency));
    field_errors_init(&errors, f->arena);
    if (!p->clear)
        check_fields(p, request_of(f)->json, &errors);
    if (errors.count)
        return reply_field_errors(f, &errors);
    p->ask.user_id = caller->user_id;
    p->ask.robot_id = caller->robot_id;
    p->ask.by = caller->name;
    p->ask.clear = p->clear;
    return FLOW_NEXT;
}

/* ---- the answer's and the command's JSON ---- */

static void put_periods(struct text *t, const struct profile *p)
{
    char number[DECIMAL_TEXT];

    json_begin_array(t, "periods");
    for (size_t i = 0; i < p->count; i++) {
        json_begin_object(t, NULL);
        json_put_int(t, "start_period", p->periods[i].start_s);
        json_put_raw(t, "limit", decimal_print_u6(number, p->periods[i].limit_u6, 0, 1));
        json_end_object(t);
    }
    json_end_array(t);
}

static const char *command_params(struct flow *f, const struct profile *p)
{
    struct text t;
    char time[TIME_TEXT];
    int64_t now = time_now_us();

    text_init(&t, f->arena, 65536);
    json_begin_object(&t, NULL);
    json_put_text(&t, "unit", "W");
    json_put_text(&t, "start_date_time", time_print_seconds(time, now));
    if (p->has_departure)
        json_put_int(&t, "duration", (p->departure_us - now) / US_PER_SECOND);
    put_periods(&t, p);
    json_end_object(&t);
    return t.bytes;
}

static const char *answer_text(struct flow *f, const struct profile *p, bool done)
{
    struct text t;
    char number[DECIMAL_TEXT], time[TIME_TEXT];

    text_init(&t, f->arena, 65536);
    json_begin_object(&t, NULL);
    json_put_text(&t, "session_id", p->ask.session_id);
    if (p->clear) {
        json_put_bool(&t, "profile_cleared", done);
        json_end_object(&t);
        return t.bytes;
    }
    json_put_bool(&t, "profile_set", done);
    if (p->has_rate)
        json_put_raw(&t, "max_charge_rate_kw", decimal_print_u6(number, p->rate_u6, 1, 4));
    else
        json_put_null(&t, "max_charge_rate_kw");
    json_put_text(&t, "departure_time",
                  p->has_departure ? time_print_seconds(time, p->departure_us) : NULL);
    put_periods(&t, p);
    json_end_object(&t);
    return t.bytes;
}

/* ---- the story ---- */

static enum flow_next look_for_earlier(struct flow *f)
{
    struct profile *p = f->state;

    if (!p->idempotency.key)
        return FLOW_NEXT;
    return idempotency_begin(f, &p->idempotency, &p->earlier);
}

static enum flow_next queue(struct flow *f)
{
    struct profile *p = f->state;

    if (idempotency_answered(f, &p->earlier)) {
        p->idempotency.key = NULL; /* the answer stays as it is */
        return FLOW_DONE;
    }
    p->ask.params = p->clear ? "{}" : command_params(f, p);
    return profile_ask(f, &p->ask, &p->asked);
}

static enum flow_next send_it(struct flow *f)
{
    struct profile *p = f->state;

    if (failed(f->err)) /* also_on_failure, so that the key is given back */
        return FLOW_NEXT;
    switch (p->asked.outcome) {
    case PROFILE_QUEUED:
        break;
    case PROFILE_NOT_FOUND:
        return flow_fail(f, err_new(ERR_SESSION_NOT_FOUND));
    case PROFILE_NOT_ACTIVE:
        return flow_fail(f, err_new(ERR_SESSION_NOT_ACTIVE));
    case PROFILE_NOT_SUPPORTED:
        return flow_fail(f, err_new(ERR_PROFILE_NOT_SUPPORTED));
    case PROFILE_OTHERS: /* R-CP-07 */
        return flow_fail(f, err_at(f->arena, ERR_PROFILE_REJECTED, NULL,
                                   "another party limits this session already"));
    case PROFILE_NONE_SET:
        p->status = 200;
        p->answer = answer_text(f, p, true);
        return FLOW_NEXT;
    }
    p->until_ms = time_monotonic_ms() + WAIT_MS;
    dispatch_operations(hub_of(f), p->ask.session_id);
    return FLOW_NEXT;
}

static struct err refusal_of(enum ocpi_outcome outcome)
{
    switch (outcome) {
    case OCPI_OUTCOME_TOO_OFTEN:
        return err_new(ERR_PROFILE_TOO_OFTEN);
    case OCPI_OUTCOME_NOT_SUPPORTED:
        return err_new(ERR_PROFILE_NOT_SUPPORTED);
    case OCPI_OUTCOME_NOT_SENT:
        return err_new(ERR_PEER_UNREACHABLE);
    default:
        return err_new(ERR_PROFILE_REJECTED);
    }
}

static enum flow_next watch(struct flow *f)
{
    struct profile *p = f->state;

    if (p->answer || failed(f->err))
        return FLOW_NEXT;
    if (!p->looked) {
        p->looked = true;
        operation_get(f, p->asked.operation_id, &p->state);
        return FLOW_AGAIN;
    }
    int64_t left = p->until_ms - time_monotonic_ms();
    bool replaced = p->state.finished && p->state.outcome == OCPI_OUTCOME_IGNORED;
    bool done = p->state.finished && p->state.outcome == OCPI_OUTCOME_ACCEPTED;
    if (p->state.finished && !replaced && !done)
        return flow_fail(f, refusal_of(p->state.outcome));
    if (replaced || done || left <= 0) { /* nobody refused what a newer request replaced */
        p->status = done ? 200 : 202;
        p->answer = answer_text(f, p, done);
        return FLOW_NEXT;
    }
    p->looked = false;
    live_wait(f, p->ask.session_id, left < LOOK_AGAIN_MS ? left : LOOK_AGAIN_MS);
    return FLOW_AGAIN;
}

static enum flow_next keep_answer(struct flow *f)
{
    struct profile *p = f->state;

    if (!p->idempotency.key)
        return FLOW_NEXT;
    if (p->answer)
        return idempotency_finish(f, &p->idempotency, p->status, p->answer);
    return idempotency_forget(f, &p->idempotency);
}

static enum flow_next answer(struct flow *f)
{
    struct profile *p = f->state;

    return reply_json_text(f, p->status, p->answer);
}

static const struct flow_step steps[] = {
    {"check the body", check_body},
    {"look for an earlier answer", look_for_earlier},
    {"queue the operation", queue},
    {"send it", send_it, .also_on_failure = true},
    {"watch for the result", watch, .also_on_failure = true},
    {"keep the answer", keep_answer, .also_on_failure = true},
    {"answer", answer},
    {0},
};

const struct flow_type set_profile_flow = {
    .name = "set_profile",
    .state_size = sizeof(struct profile),
    .deadline_ms = SECONDS(25),
    .steps = steps,
};

const struct flow_type clear_profile_flow = {
    .name = "clear_profile",
    .state_size = sizeof(struct profile),
    .deadline_ms = SECONDS(25),
    .steps = steps,
};
