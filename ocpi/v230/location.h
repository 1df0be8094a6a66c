/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locations of 2.3.0: those of 2.2.1, and the parking spaces beside the EVSEs.
 */
#ifndef OCPI_V230_LOCATION_H
#define OCPI_V230_LOCATION_H

#include "ocpi/location.h"

/* clang-format off */
#define OCPI230_CONNECTOR_CAPABILITIES(X, P)                                                       \
    X(P, ISO_15118_2_PLUG_AND_CHARGE) X(P, ISO_15118_20_PLUG_AND_CHARGE)
/* clang-format on */
WORDS_DECLARE(ocpi230_connector_capability, OCPI230_CONNECTOR_CAPABILITY,
              OCPI230_CONNECTOR_CAPABILITIES)

#define OCPI230_EVSE_POSITIONS(X, P) X(P, LEFT) X(P, RIGHT) X(P, CENTER)
WORDS_DECLARE(ocpi230_evse_position, OCPI230_EVSE_POSITION, OCPI230_EVSE_POSITIONS)

#define OCPI230_PARKING_DIRECTIONS(X, P) X(P, PARALLEL) X(P, PERPENDICULAR) X(P, ANGLE)
WORDS_DECLARE(ocpi230_parking_direction, OCPI230_PARKED, OCPI230_PARKING_DIRECTIONS)

/* clang-format off */
#define OCPI230_VEHICLE_TYPES(X, P)                                                                \
    X(P, MOTORCYCLE) X(P, PERSONAL_VEHICLE) X(P, PERSONAL_VEHICLE_WITH_TRAILER) X(P, VAN)          \
    X(P, SEMI_TRACTOR) X(P, RIGID) X(P, TRUCK_WITH_TRAILER) X(P, BUS) X(P, DISABLED)
/* clang-format on */
WORDS_DECLARE(ocpi230_vehicle_type, OCPI230_VEHICLE, OCPI230_VEHICLE_TYPES)

/* The bools that are optional are false where the CPO does not say; only the document tells. */
struct ocpi230_parking {
    const char *id; /* unique in its Location */
    const char *physical_reference;
    LIST_OF(enum ocpi230_vehicle_type) vehicle_types;
    int64_t max_vehicle_weight;                                        /* kg, six decimals */
    int64_t max_vehicle_height, max_vehicle_length, max_vehicle_width; /* cm, six decimals */
    int64_t parking_space_length, parking_space_width;                 /* cm, six decimals */
    bool dangerous_goods_allowed;
    enum ocpi230_parking_direction direction;
    bool drive_through;
    bool restricted_to_type, reservation_required;
    int64_t time_limit; /* minutes, six decimals */
    bool roofed;
    LIST_OF(struct ocpi_image) images;
    bool lighting, refrigeration_outlet;
    TEXT_LIST_OF standards;
    const char *apds_reference;
};

struct ocpi230_evse_parking {
    const char *parking_id; /* a Parking of the Location */
    enum ocpi230_evse_position evse_position;
};

struct ocpi230_connector {
    const char *id;
    enum ocpi_connector_standard standard;
    enum ocpi_connector_format format;
    enum ocpi_power_type power_type;
    int64_t max_voltage, max_amperage;
    int64_t max_electric_power; /* W */
    TEXT_LIST_OF tariff_ids;
    const char *terms_and_conditions;
    LIST_OF(enum ocpi230_connector_capability) capabilities;
    int64_t last_updated;
};

struct ocpi230_evse {
    const char *uid;
    const char *evse_id;
    enum ocpi_evse_status status;
    LIST_OF(struct ocpi_status_schedule) status_schedule;
    LIST_OF(enum ocpi_capability) capabilities;
    LIST_OF(struct ocpi230_connector) connectors;
    const char *floor_level;
    const struct ocpi_geo_location *coordinates;
    const char *physical_reference;
    LIST_OF(struct ocpi_display_text) directions;
    LIST_OF(enum ocpi_parking_restriction) parking_restrictions;
    LIST_OF(struct ocpi230_evse_parking) parking;
    LIST_OF(struct ocpi_image) images;
    TEXT_LIST_OF accepted_service_providers;
    int64_t last_updated;
};

struct ocpi230_location {
    const char *country_code, *party_id;
    const char *id;
    bool publish;
    LIST_OF(struct ocpi_publish_token) publish_allowed_to;
    const char *name;
    const char *address, *city, *postal_code, *state, *country;
    const struct ocpi_geo_location *coordinates;
    LIST_OF(struct ocpi_additional_geo_location) related_locations;
    enum ocpi_parking_type parking_type;
    LIST_OF(struct ocpi230_evse) evses;
    LIST_OF(struct ocpi230_parking) parking_places;
    LIST_OF(struct ocpi_display_text) directions;
    const struct ocpi_business_details *operator, * suboperator, *owner;
    LIST_OF(enum ocpi_facility) facilities;
    const char *time_zone;
    const struct ocpi_hours *opening_times;
    bool charging_when_closed; /* true where not given */
    LIST_OF(struct ocpi_image) images;
    const struct ocpi_energy_mix *energy_mix;
    const char *help_phone;
    int64_t last_updated;
};

extern const struct object_type ocpi230_parking_type;
extern const struct object_type ocpi230_evse_parking_type;
extern const struct object_type ocpi230_connector_type;
extern const struct object_type ocpi230_evse_type;
extern const struct object_type ocpi230_location_type;

#endif
