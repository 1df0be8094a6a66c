/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDRs: the final record of a charging session, the only basis of a bill (R-CDR). Also the classes
 * that Sessions share with it: CdrToken, ChargingPeriod, CdrDimension.
 */
#ifndef OCPI_CDR_H
#define OCPI_CDR_H

#include "ocpi/location.h"
#include "ocpi/tariff.h"
#include "ocpi/token.h"
#include "ocpi/types.h"

#define OCPI_AUTH_METHODS(X, P) X(P, AUTH_REQUEST) X(P, COMMAND) X(P, WHITELIST)
WORDS_DECLARE(ocpi_auth_method, OCPI_AUTH, OCPI_AUTH_METHODS)

/* CURRENT, ENERGY_EXPORT, ENERGY_IMPORT, POWER and STATE_OF_CHARGE occur in Sessions only. */
/* clang-format off */
#define OCPI_CDR_DIMENSIONS(X, P)                                                                  \
    X(P, CURRENT) X(P, ENERGY) X(P, ENERGY_EXPORT) X(P, ENERGY_IMPORT) X(P, MAX_CURRENT)           \
    X(P, MIN_CURRENT) X(P, MAX_POWER) X(P, MIN_POWER) X(P, PARKING_TIME) X(P, POWER)               \
    X(P, RESERVATION_TIME) X(P, STATE_OF_CHARGE) X(P, TIME)
/* clang-format on */
WORDS_DECLARE(ocpi_dimension, OCPI_DIMENSION, OCPI_CDR_DIMENSIONS)

/* Start or end of a CDR that both sides agreed not to know: "1970-1-1T00:00:00Z", padded or not
 * (R-CDR-15). */
#define CDR_TIME_UNKNOWN INT64_C(0)

struct ocpi_cdr_token {
    const char *country_code, *party_id;
    const char *uid;
    enum ocpi_token_kind type;
    const char *contract_id;
};

struct ocpi_cdr_dimension {
    enum ocpi_dimension type;
    int64_t volume; /* six decimals of kWh, kW, A, hours or percent */
};

struct ocpi_charging_period {
    int64_t start_date_time;
    LIST_OF(struct ocpi_cdr_dimension) dimensions;
    const char *tariff_id;
};

/* The ids of EVSE and connector may be "#NA" (R-CDR-14). */
struct ocpi_cdr_location {
    const char *id, *name;
    const char *address, *city, *postal_code, *state, *country;
    const struct ocpi_geo_location *coordinates;
    const char *evse_uid, *evse_id, *connector_id;
    enum ocpi_connector_standard connector_standard;
    enum ocpi_connector_format connector_format;
    enum ocpi_power_type connector_power_type;
};

struct ocpi_signed_value {
    const char *nature, *plain_data, *signed_data;
};

struct ocpi_signed_data {
    const char *encoding_method;
    int64_t encoding_method_version;
    const char *public_key;
    LIST_OF(struct ocpi_signed_value) signed_values;
    const char *url;
};

struct ocpi_cdr {
    const char *country_code, *party_id;
    const char *id;
    int64_t start_date_time, end_date_time;
    const char *session_id;
    const struct ocpi_cdr_token *cdr_token;
    enum ocpi_auth_method auth_method;
    const char *authorization_reference;
    const struct ocpi_cdr_location *cdr_location;
    const char *meter_id;
    const char *currency;
    LIST_OF(struct ocpi_tariff) tariffs;
    LIST_OF(struct ocpi_charging_period) charging_periods;
    const struct ocpi_signed_data *signed_data;
    const struct ocpi_price *total_cost;
    const struct ocpi_price *total_fixed_cost;
    int64_t total_energy;
    const struct ocpi_price *total_energy_cost;
    int64_t total_time;
    const struct ocpi_price *total_time_cost;
    int64_t total_parking_time;
    const struct ocpi_price *total_parking_cost;
    const struct ocpi_price *total_reservation_cost;
    const char *remark;
    const char *invoice_reference_id;
    bool credit;
    const char *credit_reference_id;
    bool home_charging_compensation;
    int64_t last_updated;
};

extern const struct object_type ocpi_cdr_token_type;
extern const struct object_type ocpi_cdr_dimension_type;
extern const struct object_type ocpi_charging_period_type;
extern const struct object_type ocpi_cdr_location_type;
extern const struct object_type ocpi_signed_value_type;
extern const struct object_type ocpi_signed_data_type;
extern const struct object_type ocpi_cdr_type;

#endif
