/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDRs of 2.1.1, and the classes that Sessions share with them. The place is a whole Location with
 * the one EVSE and the one connector that were used; the contract is named by auth_id.
 */
#ifndef OCPI_V211_CDR_H
#define OCPI_V211_CDR_H

#include "ocpi/v211/location.h"
#include "ocpi/v211/tariff.h"

#define OCPI211_AUTH_METHODS(X, P) X(P, AUTH_REQUEST) X(P, WHITELIST)
WORDS_DECLARE(ocpi211_auth_method, OCPI211_AUTH, OCPI211_AUTH_METHODS)

/* clang-format off */
#define OCPI211_CDR_DIMENSIONS(X, P)                                                               \
    X(P, ENERGY) X(P, FLAT) X(P, MAX_CURRENT) X(P, MIN_CURRENT) X(P, PARKING_TIME) X(P, TIME)
/* clang-format on */
WORDS_DECLARE(ocpi211_dimension, OCPI211_DIMENSION, OCPI211_CDR_DIMENSIONS)

struct ocpi211_cdr_dimension {
    enum ocpi211_dimension type;
    int64_t volume; /* six decimals of kWh, A or hours; FLAT has no unit */
};

struct ocpi211_charging_period {
    int64_t start_date_time;
    LIST_OF(struct ocpi211_cdr_dimension) dimensions;
};

struct ocpi211_cdr {
    const char *id;
    int64_t start_date_time, stop_date_time;
    const char *auth_id;
    enum ocpi211_auth_method auth_method;
    const struct ocpi211_location *location;
    const char *meter_id;
    const char *currency;
    LIST_OF(struct ocpi211_tariff) tariffs;
    LIST_OF(struct ocpi211_charging_period) charging_periods;
    int64_t total_cost; /* six decimals, excluding VAT */
    int64_t total_energy, total_time, total_parking_time;
    const char *remark;
    int64_t last_updated;
};

extern const struct object_type ocpi211_cdr_dimension_type;
extern const struct object_type ocpi211_charging_period_type;
extern const struct object_type ocpi211_cdr_type;

#endif
