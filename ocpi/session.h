/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions as the CPO tells them (R-SESS): informative, never the basis of a bill.
 */
#ifndef OCPI_SESSION_H
#define OCPI_SESSION_H

#include "ocpi/cdr.h"
#include "ocpi/types.h"

/* The text of the specification once says RESERVED where the enum says RESERVATION: both are read,
 * RESERVATION is written (R-SESS-04). */
/* clang-format off */
#define OCPI_SESSION_STATUSES(X, P)                                                                \
    X(P, ACTIVE) X(P, COMPLETED) X(P, INVALID) X(P, PENDING) X(P, RESERVATION)
/* clang-format on */
WORDS_DECLARE(ocpi_session_status, OCPI_SESSION, OCPI_SESSION_STATUSES)

/* clang-format off */
#define OCPI_CHARGING_PREFERENCES_RESPONSES(X, P)                                                  \
    X(P, ACCEPTED) X(P, DEPARTURE_REQUIRED) X(P, ENERGY_NEED_REQUIRED) X(P, NOT_POSSIBLE)          \
    X(P, PROFILE_TYPE_NOT_SUPPORTED)
/* clang-format on */
WORDS_DECLARE(ocpi_charging_preferences_response, OCPI_PREFERENCES,
              OCPI_CHARGING_PREFERENCES_RESPONSES)

struct ocpi_session {
    const char *country_code, *party_id;
    const char *id;
    int64_t start_date_time;
    int64_t end_date_time; /* TIME_NONE: not ended, or the CPO does not say */
    int64_t kwh;           /* six decimals */
    const struct ocpi_cdr_token *cdr_token;
    enum ocpi_auth_method auth_method;
    const char *authorization_reference;
    const char *location_id, *evse_uid, *connector_id; /* EVSE and connector may be "#NA" */
    const char *meter_id;
    const char *currency;
    LIST_OF(struct ocpi_charging_period) charging_periods;
    const struct ocpi_price *total_cost; /* NULL: unknown, which is not free (R-SESS-06) */
    enum ocpi_session_status status;
    int64_t last_updated;
};

struct ocpi_charging_preferences {
    enum ocpi_profile_type profile_type;
    int64_t departure_time;
    int64_t energy_need;
    bool discharge_allowed;
};

extern const struct object_type ocpi_session_type;
extern const struct object_type ocpi_charging_preferences_type;

/* object_merge for Sessions: charging_periods are appended to the stored ones; a period with the
 * start of a stored one takes its place; the list stays ordered by start. Absent, null or empty:
 * the stored list stays (R-SESS-08, 09). */
struct err session_merge(json_t *stored, json_t *patch, const struct object_leniency *leniency,
                         struct arena *a, json_t **ret);
/* The same for the Session of another version. In 2.1.1 a list of periods takes the place of the
 * stored one, as every list does, unless its first period starts after the last stored one: then it
 * is appended. null and the empty list clear it there. */
struct err session_merge_as(const struct object_type *type, json_t *stored, json_t *patch,
                            const struct object_leniency *leniency, struct arena *a, json_t **ret);

#endif
