/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The restrictions of a tariff, made quick to ask: does an element apply at a moment, and when is
 * the next moment at which that may change. Of the pricing alone (ocpi/price.h).
 */
#ifndef OCPI_PRICE_TIME_H
#define OCPI_PRICE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ocpi/tariff.h"

struct arena;
struct zone;

/* The moment at which restrictions are asked. */
struct price_moment {
    int64_t us;
    int minute;   /* of the local day */
    int date;     /* 20261121 */
    unsigned day; /* a bit: 1 << OCPI_DAY_MONDAY */
    int64_t elapsed_us, energy;
    int64_t power, current; /* NUMBER_NONE: unknown */
    bool reservation;
};
/* Fills in what follows from `us`; zone NULL: UTC. */
void price_moment_localise(struct price_moment *m, const struct zone *zone);

struct price_window {
    int start_minute, end_minute; /* equal: all day; end before start: over midnight */
    int start_date, end_date;     /* end exclusive */
    unsigned days;                /* 0: all */
    int64_t min_kwh, max_kwh, min_current, max_current, min_power, max_power;
    int64_t min_duration_us, max_duration_us;
    enum ocpi_reservation_restriction reservation;
    bool local, by_power, by_current; /* what it asks for */
};
struct price_window price_window_of(const struct ocpi_tariff_restrictions *restrictions);
/* All restrictions match (R-TAR-01). Reservation elements apply to reservations only, the others
 * never (R-TAR-08); the kind of reservation is left to the caller. */
bool price_window_open(const struct price_window *w, const struct price_moment *m);

/* The moments at which windows open or close. */
struct price_edges {
    short next_minute[1440]; /* by the minute of the local day: that of the next edge */
    bool local;
    int64_t *elapsed_us, *energy; /* sorted */
    size_t elapsed_count, energy_count;
};
void price_edges_of(const struct price_window *windows, size_t count, struct arena *a,
                    struct price_edges *ret);
/* The first edge of the clock after m->us. INT64_MAX: none. */
int64_t price_edge_of_clock(const struct price_edges *e, const struct price_moment *m,
                            const struct zone *zone);
/* The first threshold above the value. INT64_MAX: none. */
int64_t price_edge_above(const int64_t *sorted, size_t count, int64_t value);

#endif
