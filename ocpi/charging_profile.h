/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charging profiles: upper limits on power or current over time (R-CP).
 */
#ifndef OCPI_CHARGING_PROFILE_H
#define OCPI_CHARGING_PROFILE_H

#include "ocpi/types.h"

#define OCPI_RATE_UNITS(X, P) X(P, W) X(P, A)
WORDS_DECLARE(ocpi_rate_unit, OCPI_RATE, OCPI_RATE_UNITS)

/* clang-format off */
#define OCPI_PROFILE_RESPONSES(X, P)                                                               \
    X(P, ACCEPTED) X(P, NOT_SUPPORTED) X(P, REJECTED) X(P, TOO_OFTEN) X(P, UNKNOWN_SESSION)
/* clang-format on */
WORDS_DECLARE(ocpi_profile_response_word, OCPI_PROFILE_RESPONSE, OCPI_PROFILE_RESPONSES)

#define OCPI_PROFILE_RESULTS(X, P) X(P, ACCEPTED) X(P, REJECTED) X(P, UNKNOWN)
WORDS_DECLARE(ocpi_profile_result_word, OCPI_PROFILE_RESULT, OCPI_PROFILE_RESULTS)

struct ocpi_charging_profile_period {
    int64_t start_period; /* seconds from the start of the profile */
    int64_t limit;        /* six decimals; one decimal is written at most */
};

struct ocpi_charging_profile {
    int64_t start_date_time; /* TIME_NONE: relative to the start of charging */
    int64_t duration;        /* seconds; NUMBER_NONE: the last period runs on */
    enum ocpi_rate_unit charging_rate_unit;
    int64_t min_charging_rate;
    LIST_OF(struct ocpi_charging_profile_period) charging_profile_period;
};

struct ocpi_set_charging_profile {
    const struct ocpi_charging_profile *charging_profile;
    const char *response_url;
};

struct ocpi_active_charging_profile {
    int64_t start_date_time;
    const struct ocpi_charging_profile *charging_profile;
};

struct ocpi_charging_profile_response {
    enum ocpi_profile_response_word result;
    int64_t timeout;
};

struct ocpi_charging_profile_result {
    enum ocpi_profile_result_word result;
};

struct ocpi_active_charging_profile_result {
    enum ocpi_profile_result_word result;
    const struct ocpi_active_charging_profile *profile;
};

extern const struct object_type ocpi_charging_profile_period_type;
extern const struct object_type ocpi_charging_profile_type;
extern const struct object_type ocpi_set_charging_profile_type;
extern const struct object_type ocpi_active_charging_profile_type;
extern const struct object_type ocpi_charging_profile_response_type;
extern const struct object_type ocpi_charging_profile_result_type;
extern const struct object_type ocpi_clear_profile_result_type; /* same struct as the one above */
extern const struct object_type ocpi_active_charging_profile_result_type;

#endif
