/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions and CDRs of three versions in one form, what happened in them, and whether their own
 * sums agree.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/price.h"
#include "ocpi/session.h"
#include "ocpi/v211/cdr.h"
#include "ocpi/v211/session.h"
#include "ocpi/v230/cdr.h"
#include "ocpi/v230/session.h"

enum { SECONDS_PER_HOUR = 3600 };

#define U6 INT64_C(1000000)

/* Sums of what a partner wrote: what does not fit stays at the end of the scale. */
static int64_t plus(int64_t a, int64_t b)
{
    int64_t sum;

    if (!__builtin_add_overflow(a, b, &sum))
        return sum;
    return b < 0 ? INT64_MIN + 1 : INT64_MAX;
}

/* ---- reading ---- */

static void take_part(struct price_record *r, enum price_part part, int64_t excl, int64_t incl)
{
    r->parts[part] = (struct price_stated){excl, incl};
    if (excl != NUMBER_NONE)
        r->parts_excl = r->parts_excl == NUMBER_NONE ? excl : plus(r->parts_excl, excl);
}

static void take_price(struct price_record *r, enum price_part part, const struct ocpi_price *p)
{
    take_part(r, part, p ? p->excl_vat : NUMBER_NONE, p ? p->incl_vat : NUMBER_NONE);
}

/* No list of taxes is not the same as no taxes. */
static int64_t after_taxes(const struct ocpi230_price *price)
{
    int64_t sum = price->before_taxes;

    if (!price->taxes.count)
        return NUMBER_NONE;
    for (size_t i = 0; i < price->taxes.count; i++)
        sum = plus(sum, price->taxes.at[i].amount);
    return sum;
}

static void take_price_230(struct price_record *r, enum price_part part,
                           const struct ocpi230_price *p)
{
    take_part(r, part, p ? p->before_taxes : NUMBER_NONE, p ? after_taxes(p) : NUMBER_NONE);
}

static void no_parts(struct price_record *r)
{
    r->parts_excl = NUMBER_NONE;
    for (size_t i = 0; i < PRICE_PARTS; i++)
        r->parts[i] = (struct price_stated){NUMBER_NONE, NUMBER_NONE};
}

static struct ocpi_charging_period period_of_211(const struct ocpi211_charging_period *p,
                                                 struct arena *a)
{
    struct ocpi_cdr_dimension *dimensions =
        arena_alloc(a, p->dimensions.count * sizeof *dimensions + 1);

    /* FLAT, which is unlisted in the newer versions, has no volume that counts. */
    for (size_t i = 0; i < p->dimensions.count; i++)
        dimensions[i] = (struct ocpi_cdr_dimension){
            .type = ocpi_dimension_parse(ocpi211_dimension_name(p->dimensions.at[i].type)),
            .volume = p->dimensions.at[i].volume,
        };
    return (struct ocpi_charging_period){.start_date_time = p->start_date_time,
                                         .dimensions = {dimensions, p->dimensions.count}};
}

static void take_periods_211(struct price_record *r, const struct ocpi211_charging_period *periods,
                             size_t count, struct arena *a)
{
    struct ocpi_charging_period *turned = arena_alloc(a, count * sizeof *turned + 1);

    for (size_t i = 0; i < count; i++)
        turned[i] = period_of_211(&periods[i], a);
    r->periods.at = turned;
    r->periods.count = count;
}

/* All of them or none: what a part of them comes to is nobody's price. */
static void take_tariffs(struct price_record *r, const struct price_tariff *tariffs, size_t count)
{
    r->tariffs_beyond = price_tariffs_beyond(tariffs, count);
    r->tariffs.at = tariffs;
    r->tariffs.count = r->tariffs_beyond ? 0 : count;
}

static struct err read_cdr_211(const json_t *json, struct arena *a, struct price_record *r)
{
    struct ocpi211_cdr *c = arena_alloc(a, sizeof *c);

    TRY(object_parse(&ocpi211_cdr_type, json, a, c));
    struct price_tariff *tariffs = arena_alloc(a, c->tariffs.count * sizeof *tariffs + 1);
    for (size_t i = 0; i < c->tariffs.count; i++)
        tariffs[i] = price_tariff_of_211(&c->tariffs.at[i], a);
    take_tariffs(r, tariffs, c->tariffs.count);
    take_periods_211(r, c->charging_periods.at, c->charging_periods.count, a);
    r->id = c->id;
    r->currency = c->currency;
    r->start_us = c->start_date_time;
    r->end_us = c->stop_date_time;
    r->last_updated = c->last_updated;
    r->kwh = c->total_energy;
    r->total_time = c->total_time;
    r->total_parking_time = c->total_parking_time;
    r->cost_excl = c->total_cost;
    r->credit = c->total_cost < 0;
    return OK;
}

struct price_record price_record_of_cdr(const struct ocpi_cdr *c, struct arena *a)
{
    struct price_tariff *tariffs = arena_alloc(a, c->tariffs.count * sizeof *tariffs + 1);
    struct price_record r = {
        .cdr = true,
        .credit = c->credit,
        .id = c->id,
        .currency = c->currency,
        .start_us = c->start_date_time,
        .end_us = c->end_date_time,
        .last_updated = c->last_updated,
        .over = true,
        .periods = {c->charging_periods.at, c->charging_periods.count},
        .kwh = c->total_energy,
        .total_time = c->total_time,
        .total_parking_time = c->total_parking_time,
        .cost_excl = c->total_cost->excl_vat,
        .cost_incl = c->total_cost->incl_vat,
    };

    no_parts(&r);
    for (size_t i = 0; i < c->tariffs.count; i++)
        tariffs[i] = price_tariff_of(&c->tariffs.at[i]);
    take_tariffs(&r, tariffs, c->tariffs.count);
    take_price(&r, PRICE_PART_FIXED, c->total_fixed_cost);
    take_price(&r, PRICE_PART_ENERGY, c->total_energy_cost);
    take_price(&r, PRICE_PART_TIME, c->total_time_cost);
    take_price(&r, PRICE_PART_PARKING, c->total_parking_cost);
    take_price(&r, PRICE_PART_RESERVATION, c->total_reservation_cost);
    return r;
}

static struct err read_cdr(const json_t *json, struct arena *a, struct price_record *r)
{
    struct ocpi_cdr *c = arena_alloc(a, sizeof *c);

    TRY(object_parse(&ocpi_cdr_type, json, a, c));
    *r = price_record_of_cdr(c, a);
    return OK;
}

static struct err read_cdr_230(const json_t *json, struct arena *a, struct price_record *r)
{
    struct ocpi230_cdr *c = arena_alloc(a, sizeof *c);

    TRY(object_parse(&ocpi230_cdr_type, json, a, c));
    struct price_tariff *tariffs = arena_alloc(a, c->tariffs.count * sizeof *tariffs + 1);
    for (size_t i = 0; i < c->tariffs.count; i++)
        tariffs[i] = price_tariff_of_230(&c->tariffs.at[i]);
    take_tariffs(r, tariffs, c->tariffs.count);
    r->periods.at = c->charging_periods.at;
    r->periods.count = c->charging_periods.count;
    r->id = c->id;
    r->currency = c->currency;
    r->start_us = c->start_date_time;
    r->end_us = c->end_date_time;
    r->last_updated = c->last_updated;
    r->kwh = c->total_energy;
    r->total_time = c->total_time;
    r->total_parking_time = c->total_parking_time;
    r->credit = c->credit;
    r->cost_excl = c->total_cost->before_taxes;
    r->cost_incl = after_taxes(c->total_cost);
    take_price_230(r, PRICE_PART_FIXED, c->total_fixed_cost);
    take_price_230(r, PRICE_PART_ENERGY, c->total_energy_cost);
    take_price_230(r, PRICE_PART_TIME, c->total_time_cost);
    take_price_230(r, PRICE_PART_PARKING, c->total_parking_cost);
    take_price_230(r, PRICE_PART_RESERVATION, c->total_reservation_cost);
    return OK;
}

static struct err read_session_211(const json_t *json, struct arena *a, struct price_record *r)
{
    struct ocpi211_session *s = arena_alloc(a, sizeof *s);

    TRY(object_parse(&ocpi211_session_type, json, a, s));
    take_periods_211(r, s->charging_periods.at, s->charging_periods.count, a);
    r->id = s->id;
    r->currency = s->currency;
    r->start_us = s->start_datetime;
    r->end_us = s->end_datetime;
    r->last_updated = s->last_updated;
    r->kwh = s->kwh;
    r->cost_excl = s->total_cost;
    r->over = s->status == OCPI211_SESSION_COMPLETED || s->status == OCPI211_SESSION_INVALID;
    return OK;
}

struct price_record price_record_of_session(const struct ocpi_session *s)
{
    struct price_record r = {
        .id = s->id,
        .currency = s->currency,
        .start_us = s->start_date_time,
        .end_us = s->end_date_time,
        .last_updated = s->last_updated,
        .over = s->status == OCPI_SESSION_COMPLETED || s->status == OCPI_SESSION_INVALID,
        .periods = {s->charging_periods.at, s->charging_periods.count},
        .kwh = s->kwh,
        .total_time = NUMBER_NONE,
        .total_parking_time = NUMBER_NONE,
        .cost_excl = s->total_cost ? s->total_cost->excl_vat : NUMBER_NONE,
        .cost_incl = s->total_cost ? s->total_cost->incl_vat : NUMBER_NONE,
    };

    no_parts(&r);
    return r;
}

static struct err read_session(const json_t *json, struct arena *a, struct price_record *r)
{
    struct ocpi_session *s = arena_alloc(a, sizeof *s);

    TRY(object_parse(&ocpi_session_type, json, a, s));
    *r = price_record_of_session(s);
    return OK;
}

static struct err read_session_230(const json_t *json, struct arena *a, struct price_record *r)
{
    struct ocpi230_session *s = arena_alloc(a, sizeof *s);

    TRY(object_parse(&ocpi230_session_type, json, a, s));
    r->periods.at = s->charging_periods.at;
    r->periods.count = s->charging_periods.count;
    r->id = s->id;
    r->currency = s->currency;
    r->start_us = s->start_date_time;
    r->end_us = s->end_date_time;
    r->last_updated = s->last_updated;
    r->kwh = s->kwh;
    r->over = s->status == OCPI_SESSION_COMPLETED || s->status == OCPI_SESSION_INVALID;
    if (s->total_cost) {
        r->cost_excl = s->total_cost->before_taxes;
        r->cost_incl = after_taxes(s->total_cost);
    }
    return OK;
}

/* A Session of 2.3.0 without a cost reads the same in 2.2.1. */
static enum ocpi_version version_of(const json_t *json)
{
    if (json_object_get(json, "auth_id"))
        return OCPI_2_1_1;
    return json_object_get(json_object_get(json, "total_cost"), "before_taxes") ? OCPI_2_3_0
                                                                                : OCPI_2_2_1;
}

struct err price_record_read(enum ocpi_version version, const json_t *json, struct arena *a,
                             struct price_record *ret)
{
    bool cdr = json_object_get(json, "total_energy") || !json_object_get(json, "kwh");

    if (version == OCPI_VERSION_NONE)
        version = version_of(json);
    *ret = (struct price_record){
        .cdr = cdr,
        .over = cdr,
        .total_time = NUMBER_NONE,
        .total_parking_time = NUMBER_NONE,
        .cost_excl = NUMBER_NONE,
        .cost_incl = NUMBER_NONE,
    };
    no_parts(ret);
    if (version == OCPI_2_1_1)
        return cdr ? read_cdr_211(json, a, ret) : read_session_211(json, a, ret);
    if (version == OCPI_2_3_0)
        return cdr ? read_cdr_230(json, a, ret) : read_session_230(json, a, ret);
    return cdr ? read_cdr(json, a, ret) : read_session(json, a, ret);
}

/* ---- what happened ---- */

/* Hours with six decimals: the nearest whole second. */
static int64_t seconds_of(int64_t hours)
{
    /* At most 12 digits before the point, in range whatever the hours. */
    int64_t whole = hours / U6, rest = hours % U6;

    return whole * SECONDS_PER_HOUR + decimal_round_div(rest * SECONDS_PER_HOUR, U6);
}

/* Hours are written with four decimals; where the clock says about the same, it is more exact. */
static int64_t seconds_near(int64_t hours, int64_t clock_s)
{
    int64_t s = seconds_of(hours);

    return clock_s >= s - 1 && clock_s <= s + 1 && clock_s > 0 ? clock_s : s;
}

struct volumes {
    int64_t energy, time, parking, reservation;
    int64_t max_power, min_power, power, max_current, min_current, current;
    bool has_time, has_parking, has_reservation, negative;
};

static void take_volume(int64_t volume, int64_t *sum, bool *has, bool *negative)
{
    *has = true;
    if (volume < 0)
        *negative = true;
    else
        *sum = plus(*sum, volume);
}

static struct volumes volumes_of(const struct ocpi_charging_period *p)
{
    struct volumes v = {
        .max_power = NUMBER_NONE,
        .min_power = NUMBER_NONE,
        .power = NUMBER_NONE,
        .max_current = NUMBER_NONE,
        .min_current = NUMBER_NONE,
        .current = NUMBER_NONE,
    };
    bool has_energy;

    for (size_t i = 0; i < p->dimensions.count; i++) {
        int64_t volume = p->dimensions.at[i].volume;
        switch (p->dimensions.at[i].type) {
        case OCPI_DIMENSION_ENERGY:
            take_volume(volume, &v.energy, &has_energy, &v.negative);
            break;
        case OCPI_DIMENSION_TIME:
            take_volume(volume, &v.time, &v.has_time, &v.negative);
            break;
        case OCPI_DIMENSION_PARKING_TIME:
            take_volume(volume, &v.parking, &v.has_parking, &v.negative);
            break;
        case OCPI_DIMENSION_RESERVATION_TIME:
            take_volume(volume, &v.reservation, &v.has_reservation, &v.negative);
            break;
        case OCPI_DIMENSION_MAX_POWER:
            v.max_power = volume;
            break;
        case OCPI_DIMENSION_MIN_POWER:
            v.min_power = volume;
            break;
        case OCPI_DIMENSION_POWER:
            v.power = volume;
            break;
        case OCPI_DIMENSION_MAX_CURRENT:
            v.max_current = volume;
            break;
        case OCPI_DIMENSION_MIN_CURRENT:
            v.min_current = volume;
            break;
        case OCPI_DIMENSION_CURRENT:
            v.current = volume;
            break;
        default:
            break;
        }
    }
    return v;
}

static int64_t first_known(int64_t a, int64_t b, int64_t c)
{
    if (a != NUMBER_NONE)
        return a;
    return b != NUMBER_NONE ? b : c;
}

/* `end_us` TIME_NONE: the volumes say how long it was. */
static struct price_period period_of(const struct ocpi_charging_period *p, int64_t end_us,
                                     struct price_history *h)
{
    struct volumes v = volumes_of(p);
    struct price_period ret = {
        .start_us = p->start_date_time,
        .end_us = end_us,
        .energy = v.energy,
        .power = first_known(v.max_power, v.min_power, v.power),
        .current = first_known(v.max_current, v.min_current, v.current),
    };
    int64_t clock_s = 0;

    if (v.negative)
        h->notes |= 1U << PRICE_NOTE_NEGATIVE;
    if (end_us != TIME_NONE && end_us > ret.start_us)
        clock_s = decimal_round_div(end_us - ret.start_us, US_PER_SECOND);
    ret.charging_s = seconds_near(v.time, clock_s);
    ret.parking_s = seconds_near(v.parking, clock_s);
    ret.reservation_s = seconds_near(v.reservation, clock_s);
    if (!v.time)
        ret.charging_s = 0;
    if (!v.parking)
        ret.parking_s = 0;
    if (!v.reservation)
        ret.reservation_s = 0;
    if (end_us == TIME_NONE) {
        int64_t s = plus(plus(ret.charging_s, ret.parking_s), ret.reservation_s);
        /* A century is longer than any session. */
        int64_t most_s = INT64_C(100) * 366 * 86400;
        ret.end_us = ret.start_us + (s < most_s ? s : most_s) * US_PER_SECOND;
    } else if (end_us < ret.start_us) {
        ret.end_us = ret.start_us;
    }
    if (!v.has_time && !v.has_parking && !v.has_reservation) {
        ret.assumed_charging = true;
        ret.charging_s = clock_s;
    }
    return ret;
}

struct numbered {
    const struct ocpi_charging_period *period;
    size_t index;
};

static int compare_starts(const void *x, const void *y)
{
    const struct numbered *a = x, *b = y;
    int64_t s = a->period->start_date_time, t = b->period->start_date_time;

    if (s != t)
        return s < t ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

static int64_t end_of(const struct price_record *r)
{
    if (r->end_us != TIME_NONE && r->end_us != TIME_UNKNOWN)
        return r->end_us;
    return r->over ? TIME_NONE : r->last_updated;
}

/* A Session may have no periods: then it is one. */
static struct price_period whole(const struct price_record *r, struct price_history *h)
{
    struct ocpi_cdr_dimension energy = {OCPI_DIMENSION_ENERGY, r->kwh};
    struct ocpi_charging_period p = {.start_date_time = r->start_us, .dimensions = {&energy, 1}};
    int64_t end = end_of(r);

    h->notes |= 1U << PRICE_NOTE_NO_PERIODS;
    return period_of(&p, end == TIME_NONE ? r->last_updated : end, h);
}

static size_t tariff_of(const char *id, const struct price_tariff *tariffs, size_t count,
                        struct price_history *h)
{
    if (!id)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (tariffs[i].id && text_equal_caseless(tariffs[i].id, id))
            return i;
    h->notes |= 1U << PRICE_NOTE_UNKNOWN_TARIFF;
    return 0;
}

struct err price_history_of(const struct price_record *r, const struct price_tariff *tariffs,
                            size_t count, struct arena *a, struct price_history *ret)
{
    size_t n = r->periods.count;
    struct price_period *periods = arena_alloc(a, (n + 1) * sizeof *periods);
    struct numbered *order = arena_alloc(a, (n + 1) * sizeof *order);
    bool reserved = false, charged = false;

    *ret = (struct price_history){.cut = !r->cdr, .start_us = r->start_us};
    for (size_t i = 0; i < n; i++)
        order[i] = (struct numbered){&r->periods.at[i], i};
    qsort(order, n, sizeof *order, compare_starts);
    for (size_t i = 0; i < n; i++) {
        const struct ocpi_charging_period *p = order[i].period;
        int64_t end = i + 1 < n ? order[i + 1].period->start_date_time : end_of(r);
        periods[i] = period_of(p, end, ret);
        periods[i].tariff = tariff_of(p->tariff_id, tariffs, count, ret);
        if (p->start_date_time == TIME_UNKNOWN)
            ret->notes |= 1U << PRICE_NOTE_UNKNOWN_TIME;
        reserved |= periods[i].reservation_s > 0;
        charged |= !periods[i].reservation_s;
    }
    if (!n)
        periods[n++] = whole(r, ret);
    ret->periods.at = periods;
    ret->periods.count = n;
    ret->expired = r->over && reserved && !charged;
    return OK;
}

/* ---- what should agree ---- */

static int64_t distance(int64_t a, int64_t b)
{
    int64_t d = plus(a, b == INT64_MIN ? INT64_MAX : -b);

    if (d == INT64_MIN)
        return INT64_MAX;
    return d < 0 ? -d : d;
}

static int64_t magnitude(int64_t value)
{
    return value < 0 ? -value : value;
}

static bool has_limits(const struct price_record *r)
{
    for (size_t i = 0; i < r->tariffs.count; i++) {
        const struct price_tariff *t = &r->tariffs.at[i];
        if (t->min_excl != NUMBER_NONE || t->max_excl != NUMBER_NONE)
            return true;
    }
    return false;
}

static unsigned check_energy(const struct price_record *r, int64_t energy)
{
    const int64_t per_period = U6 / 1000, periods = (int64_t)r->periods.count;

    /* 120 kWh in a session of 0.12: the published examples have such numbers. */
    if (r->kwh > 0 && energy / 900 >= r->kwh && energy / 1100 <= r->kwh)
        return 1U << PRICE_NOTE_WATT_HOURS;
    /* The periods of a running session may lag behind its meter. */
    if (r->over && distance(energy, r->kwh) > per_period * periods)
        return 1U << PRICE_NOTE_ENERGY_DIFFERS;
    return 0;
}

struct volume_sums {
    int64_t energy, charging, parking, reservation;
    bool metered, timed;
    bool untimed; /* a period tells no time at all: how long it was is not told */
};

static void sum_volumes(const struct ocpi_charging_period *p, struct volume_sums *sums)
{
    bool timed = false;

    for (size_t i = 0; i < p->dimensions.count; i++) {
        const struct ocpi_cdr_dimension *d = &p->dimensions.at[i];
        int64_t *sum = NULL;
        if (d->type == OCPI_DIMENSION_ENERGY)
            sum = &sums->energy;
        else if (d->type == OCPI_DIMENSION_TIME)
            sum = &sums->charging;
        else if (d->type == OCPI_DIMENSION_PARKING_TIME)
            sum = &sums->parking;
        else if (d->type == OCPI_DIMENSION_RESERVATION_TIME)
            sum = &sums->reservation;
        if (sum)
            *sum = plus(*sum, d->volume);
        sums->metered |= d->type == OCPI_DIMENSION_ENERGY;
        sums->timed |= d->type == OCPI_DIMENSION_TIME || d->type == OCPI_DIMENSION_PARKING_TIME;
        timed |= sum && d->type != OCPI_DIMENSION_ENERGY;
    }
    sums->untimed |= !timed;
}

/* total_time counts the parking too (R-CDR-12); whether it counts a reservation, networks see in
 * two ways. */
static unsigned check_times(const struct price_record *r, const struct volume_sums *sums)
{
    const int64_t most = (U6 / SECONDS_PER_HOUR + 1) * (int64_t)r->periods.count;
    int64_t stated = r->total_parking_time == NUMBER_NONE ? sums->parking : r->total_parking_time;
    int64_t told = plus(sums->charging, stated);
    bool total_differs = distance(r->total_time, told) > most &&
                         distance(r->total_time, plus(told, sums->reservation)) > most;

    return (total_differs && !sums->untimed) || distance(sums->parking, stated) > most
               ? 1U << PRICE_NOTE_TIME_DIFFERS
               : 0;
}

static bool is_outside(const struct price_record *r, int64_t us)
{
    if (us == TIME_UNKNOWN)
        return false;
    return (r->start_us != TIME_UNKNOWN && us < r->start_us) ||
           (r->end_us != TIME_NONE && r->end_us != TIME_UNKNOWN && us > r->end_us);
}

unsigned price_record_check(const struct price_record *r)
{
    struct volume_sums sums = {0};
    unsigned notes = 0;

    for (size_t i = 0; i < r->periods.count; i++) {
        if (is_outside(r, r->periods.at[i].start_date_time))
            notes |= 1U << PRICE_NOTE_PERIODS_OUTSIDE;
        sum_volumes(&r->periods.at[i], &sums);
    }
    if (sums.metered)
        notes |= check_energy(r, sums.energy);
    if (sums.timed && r->total_time != NUMBER_NONE)
        notes |= check_times(r, &sums);
    /* A credit negates its total, and may negate its parts. A limit cuts the total alone. */
    if (r->parts_excl != NUMBER_NONE && !has_limits(r) &&
        distance(magnitude(r->parts_excl), magnitude(r->cost_excl)) > U6 / 100)
        notes |= 1U << PRICE_NOTE_PARTS_DIFFER;
    return notes;
}

enum price_class price_compare(int64_t stated_excl, int64_t reckoned_excl)
{
    int64_t off = distance(stated_excl, reckoned_excl), whole_amount = magnitude(reckoned_excl);

    /* Compared at the four decimals in which CDRs are written. */
    off = decimal_round_div(off, 100);
    if (off <= 100 || off <= whole_amount / 100 / 2000)
        return PRICE_SAME;
    return off <= 5000 && off <= whole_amount / 100 / 50 ? PRICE_CLOSE : PRICE_DISPUTE;
}
