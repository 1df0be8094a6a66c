/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locations: where one can charge. A Location has EVSEs, an EVSE has Connectors; updates arrive on
 * each of the three levels (R-LOC-01).
 */
#ifndef OCPI_LOCATION_H
#define OCPI_LOCATION_H

#include "ocpi/token.h"
#include "ocpi/types.h"

/* clang-format off */
#define OCPI_EVSE_STATUSES(X, P)                                                                   \
    X(P, AVAILABLE) X(P, BLOCKED) X(P, CHARGING) X(P, INOPERATIVE) X(P, OUTOFORDER) X(P, PLANNED)  \
    X(P, REMOVED) X(P, RESERVED) X(P, UNKNOWN)
/* clang-format on */
WORDS_DECLARE(ocpi_evse_status, OCPI_EVSE, OCPI_EVSE_STATUSES)

/* clang-format off */
#define OCPI_CAPABILITIES(X, P)                                                                    \
    X(P, CHARGING_PROFILE_CAPABLE) X(P, CHARGING_PREFERENCES_CAPABLE) X(P, CHIP_CARD_SUPPORT)      \
    X(P, CONTACTLESS_CARD_SUPPORT) X(P, CREDIT_CARD_PAYABLE) X(P, DEBIT_CARD_PAYABLE)              \
    X(P, PED_TERMINAL) X(P, REMOTE_START_STOP_CAPABLE) X(P, RESERVABLE) X(P, RFID_READER)          \
    X(P, START_SESSION_CONNECTOR_REQUIRED) X(P, TOKEN_GROUP_CAPABLE) X(P, UNLOCK_CAPABLE)
/* clang-format on */
WORDS_DECLARE(ocpi_capability, OCPI_CAPABILITY, OCPI_CAPABILITIES)

/* clang-format off */
#define OCPI_CONNECTOR_TYPES(X, P)                                                                 \
    X(P, CHADEMO) X(P, CHAOJI) X(P, DOMESTIC_A) X(P, DOMESTIC_B) X(P, DOMESTIC_C)                  \
    X(P, DOMESTIC_D) X(P, DOMESTIC_E) X(P, DOMESTIC_F) X(P, DOMESTIC_G) X(P, DOMESTIC_H)           \
    X(P, DOMESTIC_I) X(P, DOMESTIC_J) X(P, DOMESTIC_K) X(P, DOMESTIC_L) X(P, DOMESTIC_M)           \
    X(P, DOMESTIC_N) X(P, DOMESTIC_O) X(P, GBT_AC) X(P, GBT_DC) X(P, IEC_60309_2_single_16)        \
    X(P, IEC_60309_2_three_16) X(P, IEC_60309_2_three_32) X(P, IEC_60309_2_three_64)               \
    X(P, IEC_62196_T1) X(P, IEC_62196_T1_COMBO) X(P, IEC_62196_T2) X(P, IEC_62196_T2_COMBO)        \
    X(P, IEC_62196_T3A) X(P, IEC_62196_T3C) X(P, MCS) X(P, NEMA_5_20) X(P, NEMA_6_30)              \
    X(P, NEMA_6_50) X(P, NEMA_10_30) X(P, NEMA_10_50) X(P, NEMA_14_30) X(P, NEMA_14_50)            \
    X(P, PANTOGRAPH_BOTTOM_UP) X(P, PANTOGRAPH_TOP_DOWN) X(P, SAE_J3400) X(P, TESLA_R)             \
    X(P, TESLA_S)
/* clang-format on */
WORDS_DECLARE(ocpi_connector_standard, OCPI_CONNECTOR, OCPI_CONNECTOR_TYPES)

#define OCPI_CONNECTOR_FORMATS(X, P) X(P, SOCKET) X(P, CABLE)
WORDS_DECLARE(ocpi_connector_format, OCPI_FORMAT, OCPI_CONNECTOR_FORMATS)

/* clang-format off */
#define OCPI_POWER_TYPES(X, P)                                                                     \
    X(P, AC_1_PHASE) X(P, AC_2_PHASE) X(P, AC_2_PHASE_SPLIT) X(P, AC_3_PHASE) X(P, DC)
/* clang-format on */
WORDS_DECLARE(ocpi_power_type, OCPI_POWER, OCPI_POWER_TYPES)

/* clang-format off */
#define OCPI_PARKING_TYPES(X, P)                                                                   \
    X(P, ALONG_MOTORWAY) X(P, PARKING_GARAGE) X(P, PARKING_LOT) X(P, ON_DRIVEWAY) X(P, ON_STREET)  \
    X(P, UNDERGROUND_GARAGE)
/* clang-format on */
WORDS_DECLARE(ocpi_parking_type, OCPI_PARKING, OCPI_PARKING_TYPES)

/* clang-format off */
#define OCPI_PARKING_RESTRICTIONS(X, P)                                                            \
    X(P, EV_ONLY) X(P, PLUGGED) X(P, DISABLED) X(P, CUSTOMERS) X(P, MOTORCYCLES) X(P, EMPLOYEES)   \
    X(P, TAXIS) X(P, TENANTS)
/* clang-format on */
WORDS_DECLARE(ocpi_parking_restriction, OCPI_RESTRICTED, OCPI_PARKING_RESTRICTIONS)

/* clang-format off */
#define OCPI_FACILITIES(X, P)                                                                      \
    X(P, HOTEL) X(P, RESTAURANT) X(P, CAFE) X(P, MALL) X(P, SUPERMARKET) X(P, SPORT)               \
    X(P, RECREATION_AREA) X(P, NATURE) X(P, MUSEUM) X(P, BIKE_SHARING) X(P, BUS_STOP)              \
    X(P, TAXI_STAND) X(P, TRAM_STOP) X(P, METRO_STATION) X(P, TRAIN_STATION) X(P, AIRPORT)         \
    X(P, PARKING_LOT) X(P, CARPOOL_PARKING) X(P, FUEL_STATION) X(P, WIFI)
/* clang-format on */
WORDS_DECLARE(ocpi_facility, OCPI_FACILITY, OCPI_FACILITIES)

/* Decimal degrees as texts; 4 to 10 decimals are read (R-LOC-10). */
struct ocpi_geo_location {
    const char *latitude, *longitude;
};

struct ocpi_additional_geo_location {
    const char *latitude, *longitude;
    const struct ocpi_display_text *name;
};

struct ocpi_regular_hours {
    int64_t weekday;                       /* 1 Monday .. 7 Sunday */
    const char *period_begin, *period_end; /* "HH:MM", local time */
};

struct ocpi_exceptional_period {
    int64_t period_begin, period_end;
};

struct ocpi_hours {
    bool twentyfourseven;
    LIST_OF(struct ocpi_regular_hours) regular_hours;
    LIST_OF(struct ocpi_exceptional_period) exceptional_openings;
    LIST_OF(struct ocpi_exceptional_period) exceptional_closings;
};

struct ocpi_publish_token {
    const char *uid;
    enum ocpi_token_kind type;
    const char *visual_number, *issuer, *group_id;
};

struct ocpi_status_schedule {
    int64_t period_begin, period_end;
    enum ocpi_evse_status status;
};

struct ocpi_connector {
    const char *id;
    enum ocpi_connector_standard standard;
    enum ocpi_connector_format format;
    enum ocpi_power_type power_type;
    int64_t max_voltage, max_amperage;
    int64_t max_electric_power; /* W */
    TEXT_LIST_OF tariff_ids;
    const char *terms_and_conditions;
    int64_t last_updated;
};

struct ocpi_evse {
    const char *uid;
    const char *evse_id;
    enum ocpi_evse_status status;
    LIST_OF(struct ocpi_status_schedule) status_schedule;
    LIST_OF(enum ocpi_capability) capabilities;
    LIST_OF(struct ocpi_connector) connectors;
    const char *floor_level;
    const struct ocpi_geo_location *coordinates;
    const char *physical_reference;
    LIST_OF(struct ocpi_display_text) directions;
    LIST_OF(enum ocpi_parking_restriction) parking_restrictions;
    LIST_OF(struct ocpi_image) images;
    int64_t last_updated;
};

struct ocpi_location {
    const char *country_code, *party_id;
    const char *id;
    bool publish;
    LIST_OF(struct ocpi_publish_token) publish_allowed_to;
    const char *name;
    const char *address, *city, *postal_code, *state, *country;
    const struct ocpi_geo_location *coordinates;
    LIST_OF(struct ocpi_additional_geo_location) related_locations;
    enum ocpi_parking_type parking_type;
    LIST_OF(struct ocpi_evse) evses;
    LIST_OF(struct ocpi_display_text) directions;
    const struct ocpi_business_details *operator, * suboperator, *owner;
    LIST_OF(enum ocpi_facility) facilities;
    const char *time_zone;
    const struct ocpi_hours *opening_times;
    bool charging_when_closed; /* true where not given */
    LIST_OF(struct ocpi_image) images;
    const struct ocpi_energy_mix *energy_mix;
    int64_t last_updated;
};

extern const struct object_type ocpi_geo_location_type;
extern const struct object_type ocpi_additional_geo_location_type;
extern const struct object_type ocpi_regular_hours_type;
extern const struct object_type ocpi_exceptional_period_type;
extern const struct object_type ocpi_hours_type;
extern const struct object_type ocpi_publish_token_type;
extern const struct object_type ocpi_status_schedule_type;
extern const struct object_type ocpi_connector_type;
extern const struct object_type ocpi_evse_type;
extern const struct object_type ocpi_location_type;

/* Whether the EVSE lists a capability. */
bool evse_can(const struct ocpi_evse *evse, enum ocpi_capability capability);

#endif
