/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status answer (contract 5.3) as it lies in the live view. Everything is ready but the
 * minutes, which go on by themselves, so the text has four lines:
 *
 *     active                        the status
 *     1774857600000000 -            start and end in microseconds, "-" for none
 *     {"session_id":... ,"duration_minutes":
 *     ,"start_time":...}
 *
 * What a session with a quote costs goes on by itself, too (hub/finance/live_cost.h). Then there is
 * a word more, what the estimate is made of, and two holes more:
 *
 *     quoted active
 *     1774857600000000 -
 *     10400000 1774857900000000 -   10^-6 kWh, last update, end of charging
 *     {"id":"RT-EU-1",...}          the quote
 *     {"session_id":... ,"cost":
 *     ,"currency":... ,"duration_minutes":
 *     ,"start_time":... ,"cost_detail":
 *     }
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/text.h"
#include "base/time.h"
#include "db/session.h"
#include "hub/finance/live_cost.h"
#include "hub/jobs/jobs.h"

enum { STATUS_BYTES = 128 * 1024 };

static void put_time(struct text *t, const char *key, int64_t us)
{
    char buffer[TIME_TEXT];

    if (us == TIME_NONE)
        json_put_null(t, key);
    else
        json_put_text(t, key, time_print_seconds(buffer, us));
}

static void put_micros(struct text *t, int64_t us)
{
    if (us == TIME_NONE)
        text_add(t, "-");
    else
        text_printf(t, "%lld", (long long)us);
}

static const char QUOTED[] = "quoted ";

static bool cost_is_estimated(const struct session *s)
{
    return s->state != SESSION_COMPLETED && (s->quote || !s->cost_known);
}

/* With a quote the network's cost is wholesale until the receipt: nothing yet, or the estimate. */
static void put_cost(struct text *t, const struct session *s, const struct live_cost *estimate)
{
    char buffer[DECIMAL_TEXT], currency[4];
    int64_t u6 = s->quote && s->state != SESSION_COMPLETED ? 0 : s->cost_u6;

    if (estimate)
        json_put_raw(t, "cost", "\n");
    if (!s->quote || s->state == SESSION_COMPLETED ||
        !live_cost_currency(s->quote, t->arena, currency))
        text_copy(currency, sizeof(currency), s->currency);
    if (!estimate)
        json_put_raw(t, "cost",
                     money_print_minor(buffer, money_minor_from_u6(u6, currency), currency));
    json_put_text(t, "currency", currency);
}

char *status_answer(struct arena *a, const struct session *s)
{
    char buffer[DECIMAL_TEXT];
    struct live_cost cost;
    const struct live_cost *estimate = live_cost_of(s, &cost) ? &cost : NULL;
    struct text t;

    text_init(&t, a, STATUS_BYTES);
    text_printf(&t, "%s%s\n", estimate ? QUOTED : "", session_state_name(s->state));
    put_micros(&t, s->start_us);
    text_add(&t, " ");
    put_micros(&t, s->end_us);
    text_add(&t, "\n");
    if (estimate) {
        text_printf(&t, "%lld ", (long long)cost.energy_mwh);
        put_micros(&t, cost.seen_us);
        text_add(&t, " ");
        put_micros(&t, cost.charging_end_us);
        text_printf(&t, "\n%s\n", cost.quote);
    }
    json_begin_object(&t, NULL);
    json_put_text(&t, "session_id", s->id);
    json_put_text(&t, "status", session_state_name(s->state));
    json_put_raw(&t, "energy_kwh", decimal_print_u6(buffer, s->energy_mwh, 1, 3));
    put_cost(&t, s, estimate);
    json_put_raw(&t, "duration_minutes", "\n");
    put_time(&t, "start_time", s->start_us);
    json_put_text(&t, "substatus", s->substatus);
    put_time(&t, "end_time", s->end_us);
    json_put_text(&t, "failure_code", s->failure_code);
    json_put_text(&t, "last_error", s->last_error);
    put_time(&t, "updated_at", s->updated_us);
    json_put_bool(&t, "cost_estimated", cost_is_estimated(s));
    if (estimate)
        json_put_raw(&t, "cost_detail", "\n");
    else
        json_put_null(&t, "cost_detail");
    json_end_object(&t);
    return t.bytes;
}

char *status_owner(struct arena *a, const struct session *s)
{
    return arena_printf(a, "%s\n%s", s->user_id, s->robot_id ? s->robot_id : "");
}

/* A time and the one character behind it. */
static bool micros_from(const char **at, char behind, int64_t *ret_us)
{
    char *end;

    if (**at == '-' && (*at)[1] == behind) {
        *at += 2;
        *ret_us = TIME_NONE;
        return true;
    }
    *ret_us = strtoll(*at, &end, 10);
    if (end == *at || *end != behind)
        return false;
    *at = end + 1;
    return true;
}

/* A whole line; NULL: there is none. */
static const char *line_from(struct arena *a, const char **at)
{
    const char *end = strchr(*at, '\n');

    if (!end)
        return NULL;
    char *line = arena_bytes(a, *at, (size_t)(end - *at));
    *at = end + 1;
    return line;
}

static bool cost_from(struct arena *a, const char **at, struct live_cost *ret)
{
    return micros_from(at, ' ', &ret->energy_mwh) && micros_from(at, ' ', &ret->seen_us) &&
           micros_from(at, '\n', &ret->charging_end_us) && (ret->quote = line_from(a, at));
}

/* Fills the holes of a session with a quote: `at` is its JSON. */
static bool finish_quoted(struct arena *a, const char *at, const struct live_cost *cost,
                          int64_t version, int64_t minutes, int64_t now_us, const char **ret_body,
                          const char **ret_etag)
{
    const char *before = line_from(a, &at), *middle = line_from(a, &at), *after = line_from(a, &at);
    struct retail_estimate e;
    char amount[DECIMAL_TEXT];
    struct text detail;

    if (!after || !live_cost_estimate(cost, now_us, a, &e))
        return false;
    text_init(&detail, a, STATUS_BYTES);
    retail_estimate_print(&e, &detail, NULL);
    *ret_body = arena_printf(a, "%s%s%s%lld%s%s%s", before,
                             money_print_minor(amount, e.amount_minor, e.currency), middle,
                             (long long)minutes, after, detail.bytes, at);
    *ret_etag = arena_printf(a, "\"%lld-%lld-%lld%s\"", (long long)version, (long long)minutes,
                             (long long)e.amount_minor, e.stale ? "-stale" : "");
    return true;
}

bool status_finish(struct arena *a, const char *answer, int64_t version, int64_t now_us,
                   const char **ret_body, const char **ret_etag, const char **ret_status)
{
    const char *at = answer;
    enum session_state state;
    int64_t start_us, end_us, minutes = 0;
    struct live_cost cost = {0};

    bool quoted = strncmp(answer, QUOTED, sizeof QUOTED - 1) == 0;
    if (quoted)
        at += sizeof QUOTED - 1;
    *ret_status = line_from(a, &at);
    if (!*ret_status || !session_state_parse(*ret_status, &state) ||
        !micros_from(&at, ' ', &start_us) || !micros_from(&at, '\n', &end_us) ||
        (quoted && !cost_from(a, &at, &cost)))
        return false;
    if (start_us != TIME_NONE) {
        int64_t until = end_us != TIME_NONE ? end_us : now_us;
        minutes = until > start_us ? (until - start_us) / (60 * US_PER_SECOND) : 0;
    }
    if (quoted) {
        cost.start_us = start_us;
        cost.end_us = end_us;
        return finish_quoted(a, at, &cost, version, minutes, now_us, ret_body, ret_etag);
    }
    const char *hole = strchr(at, '\n');
    if (!hole)
        return false;
    *ret_body = arena_printf(a, "%.*s%lld%s", (int)(hole - at), at, (long long)minutes, hole + 1);
    *ret_etag = arena_printf(a, "\"%lld-%lld\"", (long long)version, (long long)minutes);
    return true;
}
