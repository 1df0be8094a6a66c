/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of 2.1.1: start_datetime, auth_id and a whole Location.
 */
#ifndef OCPI_V211_SESSION_H
#define OCPI_V211_SESSION_H

#include "ocpi/v211/cdr.h"

#define OCPI211_SESSION_STATUSES(X, P) X(P, ACTIVE) X(P, COMPLETED) X(P, INVALID) X(P, PENDING)
WORDS_DECLARE(ocpi211_session_status, OCPI211_SESSION, OCPI211_SESSION_STATUSES)

struct ocpi211_session {
    const char *id;
    int64_t start_datetime;
    int64_t end_datetime; /* TIME_NONE: not ended, or the CPO does not say */
    int64_t kwh;          /* six decimals */
    const char *auth_id;
    enum ocpi211_auth_method auth_method;
    const struct ocpi211_location *location; /* with the EVSE and connector that are used */
    const char *meter_id;
    const char *currency;
    LIST_OF(struct ocpi211_charging_period) charging_periods;
    int64_t total_cost; /* excluding VAT; NUMBER_NONE: unknown, which is not free (R-SESS-06) */
    enum ocpi211_session_status status;
    int64_t last_updated;
};

extern const struct object_type ocpi211_session_type;

#endif
