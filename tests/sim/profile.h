/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charging profile of a session: limits over virtual time, from the moment of acceptance (or the
 * profile's start, if that lies ahead).
 */
#ifndef TESTS_SIM_PROFILE_H
#define TESTS_SIM_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ocpi/charging_profile.h"

struct connector;
struct text;

enum { PROFILE_PERIODS = 100 };

struct profile {
    bool set;
    int64_t begin_us;    /* virtual */
    int64_t accepted_us; /* wall clock, for printing */
    int64_t duration_us; /* NUMBER_NONE: for ever */
    bool amperes;        /* as it came */
    struct profile_period {
        int64_t from_us, limit_w, limit_u6;
    } periods[PROFILE_PERIODS];
    size_t count;
};

/* false: more periods than anybody needs. */
bool profile_set(struct profile *p, const struct ocpi_charging_profile *from,
                 const struct connector *connector, int64_t virtual_now_us);
/* p may be NULL: no profile. -1: no limit. */
int64_t profile_limit_w(const struct profile *p, int64_t virtual_us);
/* When the limit changes next; INT64_MAX: never. */
int64_t profile_next_us(const struct profile *p, int64_t virtual_us);
/* ActiveChargingProfile; without a profile it shows the connector's maximum (R-CP-04). */
void profile_print(const struct profile *p, const struct connector *connector, struct text *out,
                   const char *key);

#endif
