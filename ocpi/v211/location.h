/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locations of 2.1.1: without an owner, who stands in the URL only, and always published. The
 * classes that are not here (GeoLocation, RegularHours, StatusSchedule ...) are those of
 * ocpi/location.h.
 */
#ifndef OCPI_V211_LOCATION_H
#define OCPI_V211_LOCATION_H

#include "ocpi/location.h"
#include "ocpi/v211/types.h"

/* The enums that 2.3.0 opened are open here too (R-TYPE-15): what later versions added is read as
 * UNLISTED, and never written. */
/* clang-format off */
#define OCPI211_LOCATION_TYPES(X, P)                                                               \
    X(P, ON_STREET) X(P, PARKING_GARAGE) X(P, UNDERGROUND_GARAGE) X(P, PARKING_LOT) X(P, OTHER)    \
    X(P, UNKNOWN)
/* clang-format on */
WORDS_DECLARE(ocpi211_location_kind, OCPI211_LOCATION, OCPI211_LOCATION_TYPES)

/* clang-format off */
#define OCPI211_CAPABILITIES(X, P)                                                                 \
    X(P, CHARGING_PROFILE_CAPABLE) X(P, CREDIT_CARD_PAYABLE) X(P, REMOTE_START_STOP_CAPABLE)       \
    X(P, RESERVABLE) X(P, RFID_READER) X(P, UNLOCK_CAPABLE)
/* clang-format on */
WORDS_DECLARE(ocpi211_capability, OCPI211_CAPABILITY, OCPI211_CAPABILITIES)

/* clang-format off */
#define OCPI211_CONNECTOR_TYPES(X, P)                                                              \
    X(P, CHADEMO) X(P, DOMESTIC_A) X(P, DOMESTIC_B) X(P, DOMESTIC_C) X(P, DOMESTIC_D)              \
    X(P, DOMESTIC_E) X(P, DOMESTIC_F) X(P, DOMESTIC_G) X(P, DOMESTIC_H) X(P, DOMESTIC_I)           \
    X(P, DOMESTIC_J) X(P, DOMESTIC_K) X(P, DOMESTIC_L) X(P, IEC_60309_2_single_16)                 \
    X(P, IEC_60309_2_three_16) X(P, IEC_60309_2_three_32) X(P, IEC_60309_2_three_64)               \
    X(P, IEC_62196_T1) X(P, IEC_62196_T1_COMBO) X(P, IEC_62196_T2) X(P, IEC_62196_T2_COMBO)        \
    X(P, IEC_62196_T3A) X(P, IEC_62196_T3C) X(P, TESLA_R) X(P, TESLA_S)
/* clang-format on */
WORDS_DECLARE(ocpi211_connector_standard, OCPI211_CONNECTOR, OCPI211_CONNECTOR_TYPES)

#define OCPI211_POWER_TYPES(X, P) X(P, AC_1_PHASE) X(P, AC_3_PHASE) X(P, DC)
WORDS_DECLARE(ocpi211_power_type, OCPI211_POWER, OCPI211_POWER_TYPES)

/* clang-format off */
#define OCPI211_PARKING_RESTRICTIONS(X, P)                                                         \
    X(P, EV_ONLY) X(P, PLUGGED) X(P, DISABLED) X(P, CUSTOMERS) X(P, MOTORCYCLES)
/* clang-format on */
WORDS_DECLARE(ocpi211_parking_restriction, OCPI211_RESTRICTED, OCPI211_PARKING_RESTRICTIONS)

/* clang-format off */
#define OCPI211_FACILITIES(X, P)                                                                   \
    X(P, HOTEL) X(P, RESTAURANT) X(P, CAFE) X(P, MALL) X(P, SUPERMARKET) X(P, SPORT)               \
    X(P, RECREATION_AREA) X(P, NATURE) X(P, MUSEUM) X(P, BUS_STOP) X(P, TAXI_STAND)                \
    X(P, TRAIN_STATION) X(P, AIRPORT) X(P, CARPOOL_PARKING) X(P, FUEL_STATION) X(P, WIFI)
/* clang-format on */
WORDS_DECLARE(ocpi211_facility, OCPI211_FACILITY, OCPI211_FACILITIES)

/* Either always open or at regular hours (R-LOC-09). */
struct ocpi211_hours {
    bool twentyfourseven; /* false where not given */
    LIST_OF(struct ocpi_regular_hours) regular_hours;
    LIST_OF(struct ocpi_exceptional_period) exceptional_openings;
    LIST_OF(struct ocpi_exceptional_period) exceptional_closings;
};

struct ocpi211_connector {
    const char *id;
    enum ocpi211_connector_standard standard;
    enum ocpi_connector_format format;
    enum ocpi211_power_type power_type;
    int64_t voltage; /* line to neutral for AC_3_PHASE */
    int64_t amperage;
    const char *tariff_id;
    const char *terms_and_conditions;
    int64_t last_updated;
};

struct ocpi211_evse {
    const char *uid;
    const char *evse_id;
    enum ocpi_evse_status status;
    LIST_OF(struct ocpi_status_schedule) status_schedule;
    LIST_OF(enum ocpi211_capability) capabilities;
    LIST_OF(struct ocpi211_connector) connectors;
    const char *floor_level;
    const struct ocpi_geo_location *coordinates;
    const char *physical_reference;
    LIST_OF(struct ocpi_display_text) directions;
    LIST_OF(enum ocpi211_parking_restriction) parking_restrictions;
    LIST_OF(struct ocpi_image) images;
    int64_t last_updated;
};

struct ocpi211_location {
    const char *id;
    enum ocpi211_location_kind type;
    const char *name;
    const char *address, *city, *postal_code, *country;
    const struct ocpi_geo_location *coordinates;
    LIST_OF(struct ocpi_additional_geo_location) related_locations;
    LIST_OF(struct ocpi211_evse) evses;
    LIST_OF(struct ocpi_display_text) directions;
    const struct ocpi_business_details *operator, * suboperator, *owner;
    LIST_OF(enum ocpi211_facility) facilities;
    const char *time_zone;
    const struct ocpi211_hours *opening_times;
    bool charging_when_closed; /* true where not given */
    LIST_OF(struct ocpi_image) images;
    const struct ocpi211_energy_mix *energy_mix;
    int64_t last_updated;
};

extern const struct object_type ocpi211_hours_type;
extern const struct object_type ocpi211_connector_type;
extern const struct object_type ocpi211_evse_type;
extern const struct object_type ocpi211_location_type;

#endif
