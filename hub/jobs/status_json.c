/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status answer (contract 5.3) as it lies in the live view. Everything is ready but the
 * minutes, which go on by themselves, so the text has four lines:
 *
 *     active                        the status
 *     1774857600000000 -            start and end in microseconds, "-" for none
 *     {"session_id":... ,"duration_minutes":
 *     ,"start_time":...}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/text.h"
#include "base/time.h"
#include "db/session.h"
#include "hub/jobs/jobs.h"

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

static bool cost_is_estimated(const struct session *s)
{
    return s->state != SESSION_COMPLETED && !s->cost_known;
}

char *status_answer(struct arena *a, const struct session *s)
{
    char buffer[DECIMAL_TEXT];
    struct text t;

    text_init(&t, a, 16384);
    text_printf(&t, "%s\n", session_state_name(s->state));
    put_micros(&t, s->start_us);
    text_add(&t, " ");
    put_micros(&t, s->end_us);
    text_add(&t, "\n");
    json_begin_object(&t, NULL);
    json_put_text(&t, "session_id", s->id);
    json_put_text(&t, "status", session_state_name(s->state));
    json_put_raw(&t, "energy_kwh", decimal_print_u6(buffer, s->energy_mwh, 1, 3));
    json_put_raw(
        &t, "cost",
        money_print_minor(buffer, money_minor_from_u6(s->cost_u6, s->currency), s->currency));
    json_put_text(&t, "currency", s->currency);
    json_put_raw(&t, "duration_minutes", "\n");
    put_time(&t, "start_time", s->start_us);
    json_put_text(&t, "substatus", s->substatus);
    put_time(&t, "end_time", s->end_us);
    json_put_text(&t, "failure_code", s->failure_code);
    json_put_text(&t, "last_error", s->last_error);
    put_time(&t, "updated_at", s->updated_us);
    json_put_bool(&t, "cost_estimated", cost_is_estimated(s));
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

bool status_finish(struct arena *a, const char *answer, int64_t version, int64_t now_us,
                   const char **ret_body, const char **ret_etag, const char **ret_status)
{
    const char *at = strchr(answer, '\n');
    enum session_state state;
    int64_t start_us, end_us, minutes = 0;

    if (!at)
        return false;
    *ret_status = arena_bytes(a, answer, (size_t)(at - answer));
    at++;
    if (!session_state_parse(*ret_status, &state) || !micros_from(&at, ' ', &start_us) ||
        !micros_from(&at, '\n', &end_us))
        return false;
    if (start_us != TIME_NONE) {
        int64_t until = end_us != TIME_NONE ? end_us : now_us;
        minutes = until > start_us ? (until - start_us) / (60 * US_PER_SECOND) : 0;
    }
    const char *hole = strchr(at, '\n');
    if (!hole)
        return false;
    *ret_body = arena_printf(a, "%.*s%lld%s", (int)(hole - at), at, (long long)minutes, hole + 1);
    *ret_etag = arena_printf(a, "\"%lld-%lld\"", (long long)version, (long long)minutes);
    return true;
}
