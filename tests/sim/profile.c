/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles: reading the limit at a moment.
 */
#include "tests/sim/profile.h"

#include "base/decimal.h"
#include "base/text.h"
#include "base/time.h"
#include "tests/sim/world.h"

enum { PHASE_VOLTS = 230, PHASES = 3 };

static int64_t limit_in_w(int64_t limit_u6, bool amperes, const struct connector *c)
{
    int64_t volts = c->dc ? c->volts : (int64_t)PHASE_VOLTS * PHASES;

    return decimal_round_div(amperes ? limit_u6 * volts : limit_u6, 1000000);
}

bool profile_set(struct profile *p, const struct ocpi_charging_profile *from,
                 const struct connector *connector, int64_t virtual_now_us)
{
    int64_t wait_us = 0;

    if (from->charging_profile_period.count > PROFILE_PERIODS)
        return false;
    if (from->start_date_time != TIME_NONE && from->start_date_time > time_now_us())
        wait_us = from->start_date_time - time_now_us();
    *p = (struct profile){
        .set = true,
        .begin_us = virtual_now_us + wait_us,
        .accepted_us = time_now_us(),
        .duration_us = from->duration == NUMBER_NONE ? NUMBER_NONE : from->duration * US_PER_SECOND,
        .amperes = from->charging_rate_unit == OCPI_RATE_A,
        .count = from->charging_profile_period.count,
    };
    for (size_t i = 0; i < p->count; i++) {
        const struct ocpi_charging_profile_period *period = &from->charging_profile_period.at[i];

        p->periods[i] = (struct profile_period){
            .from_us = period->start_period * US_PER_SECOND,
            .limit_w = limit_in_w(period->limit, p->amperes, connector),
            .limit_u6 = period->limit,
        };
    }
    return true;
}

int64_t profile_limit_w(const struct profile *p, int64_t virtual_us)
{
    int64_t limit = -1;

    if (!p || !p->set)
        return -1;
    int64_t at = virtual_us - p->begin_us;
    if (at < 0 || (p->duration_us != NUMBER_NONE && at >= p->duration_us))
        return -1;
    for (size_t i = 0; i < p->count && p->periods[i].from_us <= at; i++)
        limit = p->periods[i].limit_w;
    return limit;
}

int64_t profile_next_us(const struct profile *p, int64_t virtual_us)
{
    int64_t next = INT64_MAX;

    if (!p || !p->set)
        return next;
    for (size_t i = 0; i < p->count && next == INT64_MAX; i++) {
        if (p->begin_us + p->periods[i].from_us > virtual_us)
            next = p->begin_us + p->periods[i].from_us;
    }
    if (p->duration_us != NUMBER_NONE) {
        int64_t end = p->begin_us + p->duration_us;

        if (end > virtual_us && end < next)
            next = end;
    }
    return next;
}

void profile_print(const struct profile *p, const struct connector *connector, struct text *out,
                   const char *key)
{
    char time[TIME_TEXT], number[DECIMAL_TEXT];
    struct profile_period whole = {.limit_u6 = connector->max_w * 1000000};
    bool set = p && p->set;
    const struct profile_period *periods = set ? p->periods : &whole;
    const char *start = time_print_seconds(time, set ? p->accepted_us : time_now_us());

    json_begin_object(out, key);
    json_put_text(out, "start_date_time", start);
    json_begin_object(out, "charging_profile");
    json_put_text(out, "start_date_time", start);
    if (set && p->duration_us != NUMBER_NONE)
        json_put_int(out, "duration", p->duration_us / US_PER_SECOND);
    json_put_text(out, "charging_rate_unit", set && p->amperes ? "A" : "W");
    json_begin_array(out, "charging_profile_period");
    for (size_t i = 0; i < (set ? p->count : 1); i++) {
        json_begin_object(out, 0);
        json_put_int(out, "start_period", periods[i].from_us / US_PER_SECOND);
        json_put_raw(out, "limit", decimal_print_u6(number, periods[i].limit_u6, 0, 1));
        json_end_object(out);
    }
    json_end_array(out);
    json_end_object(out);
    json_end_object(out);
}
