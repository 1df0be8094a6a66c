/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When an element of a tariff applies. Times of day, dates and weekdays are those of the wall
 * clock: an hour that is skipped contributes nothing, one that is repeated counts twice (R-TAR-07).
 * Durations are elapsed time.
 */
#include "ocpi/price_time.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/time.h"
#include "base/zone.h"

enum { DAY_MINUTES = 1440, MINUTE_S = 60 };

#define US_PER_MINUTE (US_PER_SECOND * MINUTE_S)
#define US_PER_DAY (US_PER_MINUTE * DAY_MINUTES)

static int64_t floor_div(int64_t value, int64_t divisor)
{
    return value / divisor - (value % divisor < 0);
}

/* The tables have checked them; what is no digit counts as 0 all the same. */
static int digits(const char *text, int count)
{
    int value = 0;

    for (int i = 0; i < count && text[i]; i++)
        value = value * 10 + (text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : 0);
    return value;
}

/* "2026-11-21" */
static int date_of(const char *text)
{
    if (strlen(text) < 10)
        return 0;
    return digits(text, 4) * 10000 + digits(text + 5, 2) * 100 + digits(text + 8, 2);
}

/* "17:00" */
static int minute_of(const char *text)
{
    if (strlen(text) != 5)
        return 0;
    int minute = digits(text, 2) * MINUTE_S + digits(text + 3, 2);
    return minute < DAY_MINUTES ? minute : 0;
}

void price_moment_localise(struct price_moment *m, const struct zone *zone)
{
    int64_t local = m->us + (zone ? zone_offset(zone, m->us) * US_PER_SECOND : 0);
    int64_t days = floor_div(local, US_PER_DAY);
    char text[TIME_TEXT];

    m->minute = (int)((local - days * US_PER_DAY) / US_PER_MINUTE);
    m->date = date_of(time_print_seconds(text, local));
    /* 1970-01-01 was a Thursday. */
    m->day = 1U << (OCPI_DAY_MONDAY + (unsigned)(((days + 3) % 7 + 7) % 7));
}

static int64_t seconds_to_us(int64_t seconds)
{
    if (seconds == NUMBER_NONE)
        return NUMBER_NONE;
    if (seconds > INT32_MAX || seconds < INT32_MIN)
        return seconds < 0 ? INT32_MIN * US_PER_SECOND : INT32_MAX * US_PER_SECOND;
    return seconds * US_PER_SECOND;
}

struct price_window price_window_of(const struct ocpi_tariff_restrictions *r)
{
    struct price_window w = {
        .end_date = INT_MAX,
        .min_kwh = NUMBER_NONE,
        .max_kwh = NUMBER_NONE,
        .min_current = NUMBER_NONE,
        .max_current = NUMBER_NONE,
        .min_power = NUMBER_NONE,
        .max_power = NUMBER_NONE,
        .min_duration_us = NUMBER_NONE,
        .max_duration_us = NUMBER_NONE,
    };

    if (!r)
        return w;
    /* An end of 00:00 is the end of the day; equal times say nothing. */
    w.start_minute = r->start_time ? minute_of(r->start_time) : 0;
    w.end_minute = r->end_time ? minute_of(r->end_time) : DAY_MINUTES;
    if (r->end_time && !w.end_minute)
        w.end_minute = DAY_MINUTES;
    if (w.end_minute == w.start_minute || (!w.start_minute && w.end_minute == DAY_MINUTES))
        w.start_minute = w.end_minute = 0;
    w.start_date = r->start_date ? date_of(r->start_date) : 0;
    w.end_date = r->end_date ? date_of(r->end_date) : INT_MAX;
    for (size_t i = 0; i < r->day_of_week.count; i++)
        w.days |= 1U << r->day_of_week.at[i];
    w.min_kwh = r->min_kwh;
    w.max_kwh = r->max_kwh;
    w.min_current = r->min_current;
    w.max_current = r->max_current;
    w.min_power = r->min_power;
    w.max_power = r->max_power;
    w.min_duration_us = seconds_to_us(r->min_duration);
    w.max_duration_us = seconds_to_us(r->max_duration);
    w.reservation = r->reservation;
    w.local = w.start_minute != w.end_minute || r->start_date || r->end_date || w.days;
    w.by_power = w.min_power != NUMBER_NONE || w.max_power != NUMBER_NONE;
    w.by_current = w.min_current != NUMBER_NONE || w.max_current != NUMBER_NONE;
    return w;
}

static bool within(int64_t value, int64_t min, int64_t max)
{
    return (min == NUMBER_NONE || value >= min) && (max == NUMBER_NONE || value < max);
}

static bool clock_within(const struct price_window *w, int minute)
{
    if (w->start_minute == w->end_minute)
        return true;
    if (w->start_minute < w->end_minute)
        return minute >= w->start_minute && minute < w->end_minute;
    return minute >= w->start_minute || minute < w->end_minute;
}

bool price_window_open(const struct price_window *w, const struct price_moment *m)
{
    if ((w->reservation != OCPI_PRICES_NONE) != m->reservation)
        return false;
    if (w->local && (!clock_within(w, m->minute) || (w->days && !(w->days & m->day)) ||
                     m->date < w->start_date || m->date >= w->end_date))
        return false;
    if (w->by_power && (m->power == NUMBER_NONE || !within(m->power, w->min_power, w->max_power)))
        return false;
    if (w->by_current &&
        (m->current == NUMBER_NONE || !within(m->current, w->min_current, w->max_current)))
        return false;
    return within(m->energy, w->min_kwh, w->max_kwh) &&
           within(m->elapsed_us, w->min_duration_us, w->max_duration_us);
}

/* ---- edges ---- */

static int compare(const void *x, const void *y)
{
    const int64_t *a = x, *b = y;

    return (*a > *b) - (*a < *b);
}

/* Each day ends with an edge, so that the search goes on tomorrow. */
static void list_minutes(const bool *is_edge, short *next)
{
    short edge = DAY_MINUTES;

    for (int minute = DAY_MINUTES - 1; minute >= 0; minute--) {
        next[minute] = edge;
        if (is_edge[minute])
            edge = (short)minute;
    }
}

void price_edges_of(const struct price_window *windows, size_t count, struct arena *a,
                    struct price_edges *ret)
{
    bool is_edge[DAY_MINUTES + 1] = {false};

    *ret = (struct price_edges){0};
    ret->elapsed_us = arena_alloc(a, (2 * count + 1) * sizeof *ret->elapsed_us);
    ret->energy = arena_alloc(a, (2 * count + 1) * sizeof *ret->energy);
    for (size_t i = 0; i < count; i++) {
        const struct price_window *w = &windows[i];
        const int64_t durations[] = {w->min_duration_us, w->max_duration_us};
        const int64_t energies[] = {w->min_kwh, w->max_kwh};
        for (size_t k = 0; k < 2; k++) {
            if (durations[k] != NUMBER_NONE)
                ret->elapsed_us[ret->elapsed_count++] = durations[k];
            if (energies[k] != NUMBER_NONE)
                ret->energy[ret->energy_count++] = energies[k];
        }
        if (!w->local)
            continue;
        ret->local = true;
        is_edge[w->start_minute] = is_edge[w->end_minute] = true;
    }
    qsort(ret->elapsed_us, ret->elapsed_count, sizeof *ret->elapsed_us, compare);
    qsort(ret->energy, ret->energy_count, sizeof *ret->energy, compare);
    list_minutes(is_edge, ret->next_minute);
}

int64_t price_edge_of_clock(const struct price_edges *e, const struct price_moment *m,
                            const struct zone *zone)
{
    if (!e->local)
        return INT64_MAX;
    int64_t offset_us = zone ? zone_offset(zone, m->us) * US_PER_SECOND : 0;
    int64_t midnight = floor_div(m->us + offset_us, US_PER_DAY) * US_PER_DAY - offset_us;
    int64_t change = zone ? zone_next_change(zone, m->us) : TIME_NONE;
    int64_t edge = midnight + e->next_minute[m->minute] * US_PER_MINUTE;

    return change != TIME_NONE && change < edge ? change : edge;
}

int64_t price_edge_above(const int64_t *sorted, size_t count, int64_t value)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] <= value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count ? sorted[low] : INT64_MAX;
}
