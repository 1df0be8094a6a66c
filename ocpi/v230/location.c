/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locations: tables of 2.3.0 and the rules between their fields.
 */
#include "ocpi/v230/location.h"

#include "base/arena.h"
#include "base/text.h"
#include "ocpi/field.h"

WORDS_DEFINE(ocpi230_connector_capability, OCPI230_CONNECTOR_CAPABILITY,
             OCPI230_CONNECTOR_CAPABILITIES, "ConnectorCapability", .open = true)
WORDS_DEFINE(ocpi230_evse_position, OCPI230_EVSE_POSITION, OCPI230_EVSE_POSITIONS, "EVSEPosition",
             .open = false)
WORDS_DEFINE(ocpi230_parking_direction, OCPI230_PARKED, OCPI230_PARKING_DIRECTIONS,
             "ParkingDirection", .open = false)
WORDS_DEFINE(ocpi230_vehicle_type, OCPI230_VEHICLE, OCPI230_VEHICLE_TYPES, "VehicleType",
             .open = true)

/* Whether an EVSE's parking_id names one of the parking places is not asked: an EVSE also comes
 * alone, and receivers may leave parking out (R-LOC-12). */
static struct err parking_ids_check(const struct object_place *at,
                                    const struct ocpi230_location *location)
{
    for (size_t i = 0; i < location->parking_places.count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (text_equal_caseless(location->parking_places.at[i].id,
                                    location->parking_places.at[j].id))
                return object_rule(
                    object_complaint(at, arena_printf(at->arena, "parking_places/%zu/id", i),
                                     "another parking place of the Location has this id"),
                    "R-LOC-12", "an id of its own");
        }
    }
    return OK;
}

/* Beside the rules of 2.2.1, which are about the same fields. */
static struct err location_check(const struct object_place *at, const void *object)
{
    const struct ocpi230_location *location = object;
    struct ocpi_location same = {
        .publish = location->publish,
        .publish_allowed_to = {location->publish_allowed_to.at, location->publish_allowed_to.count},
    };

    TRY(ocpi_location_type.check(at, &same));
    return parking_ids_check(at, location);
}

/* clang-format off */
static const struct field parking_fields[] = {
    TEXT  (struct ocpi230_parking, id,                  36, REQUIRED | CASELESS | IDENTITY),
    TEXT  (struct ocpi230_parking, physical_reference,  12, OPTIONAL),
    ENUM_LIST_OF(struct ocpi230_parking, vehicle_types, ocpi230_vehicle_type, REQUIRED),
    NUMBER(struct ocpi230_parking, max_vehicle_weight,   OPTIONAL,
           .number_check = field_not_negative),
    NUMBER(struct ocpi230_parking, max_vehicle_height,   OPTIONAL,
           .number_check = field_not_negative),
    NUMBER(struct ocpi230_parking, max_vehicle_length,   OPTIONAL,
           .number_check = field_not_negative),
    NUMBER(struct ocpi230_parking, max_vehicle_width,    OPTIONAL,
           .number_check = field_not_negative),
    NUMBER(struct ocpi230_parking, parking_space_length, OPTIONAL,
           .number_check = field_not_negative),
    NUMBER(struct ocpi230_parking, parking_space_width,  OPTIONAL,
           .number_check = field_not_negative),
    BOOL  (struct ocpi230_parking, dangerous_goods_allowed, OPTIONAL),
    ENUM_OF(struct ocpi230_parking, direction,          ocpi230_parking_direction, OPTIONAL),
    BOOL  (struct ocpi230_parking, drive_through,       OPTIONAL),
    BOOL  (struct ocpi230_parking, restricted_to_type,  REQUIRED),
    BOOL  (struct ocpi230_parking, reservation_required, REQUIRED),
    NUMBER(struct ocpi230_parking, time_limit,          OPTIONAL,
           .number_check = field_not_negative),
    BOOL  (struct ocpi230_parking, roofed,              OPTIONAL),
    LIST  (struct ocpi230_parking, images,              image, OPTIONAL),
    BOOL  (struct ocpi230_parking, lighting,            OPTIONAL),
    BOOL  (struct ocpi230_parking, refrigeration_outlet, OPTIONAL),
    TEXT_LIST(struct ocpi230_parking, standards,        36, OPTIONAL | CASELESS),
    /* The specification sets no limit. */
    TEXT  (struct ocpi230_parking, apds_reference,      LONG_TEXT_MAX, OPTIONAL | CASELESS),
};

static const struct field evse_parking_fields[] = {
    TEXT  (struct ocpi230_evse_parking, parking_id,      36, REQUIRED | CASELESS),
    ENUM_OF(struct ocpi230_evse_parking, evse_position,  ocpi230_evse_position, OPTIONAL),
};

static const struct field connector_fields[] = {
    TEXT  (struct ocpi230_connector, id,                 36, REQUIRED | CASELESS | IDENTITY),
    ENUM  (struct ocpi230_connector, standard,           connector_standard, REQUIRED),
    ENUM  (struct ocpi230_connector, format,             connector_format, REQUIRED),
    ENUM  (struct ocpi230_connector, power_type,         power_type, REQUIRED),
    INT   (struct ocpi230_connector, max_voltage,        REQUIRED,
           .number_check = field_int32_not_negative),
    INT   (struct ocpi230_connector, max_amperage,       REQUIRED,
           .number_check = field_int32_not_negative),
    INT   (struct ocpi230_connector, max_electric_power, OPTIONAL,
           .number_check = field_int32_not_negative),
    TEXT_LIST(struct ocpi230_connector, tariff_ids,      36, OPTIONAL | CASELESS),
    URL   (struct ocpi230_connector, terms_and_conditions, OPTIONAL),
    ENUM_LIST_OF(struct ocpi230_connector, capabilities, ocpi230_connector_capability, OPTIONAL),
    TIME  (struct ocpi230_connector, last_updated,       REQUIRED),
};

static const struct field evse_fields[] = {
    TEXT  (struct ocpi230_evse, uid,                  36, REQUIRED | CASELESS | IDENTITY),
    TEXT  (struct ocpi230_evse, evse_id,              48, OPTIONAL | CASELESS),
    ENUM  (struct ocpi230_evse, status,               evse_status, REQUIRED),
    LIST  (struct ocpi230_evse, status_schedule,      status_schedule, OPTIONAL),
    ENUM_LIST(struct ocpi230_evse, capabilities,      capability, OPTIONAL),
    OBJECT_LIST_OF(struct ocpi230_evse, connectors,   ocpi230_connector, REQUIRED),
    TEXT  (struct ocpi230_evse, floor_level,           4, OPTIONAL),
    OBJECT(struct ocpi230_evse, coordinates,          geo_location, OPTIONAL),
    TEXT  (struct ocpi230_evse, physical_reference,   16, OPTIONAL | NUMBER_OK),
    LIST  (struct ocpi230_evse, directions,           display_text, OPTIONAL),
    ENUM_LIST(struct ocpi230_evse, parking_restrictions, parking_restriction, OPTIONAL),
    OBJECT_LIST_OF(struct ocpi230_evse, parking,      ocpi230_evse_parking, OPTIONAL),
    LIST  (struct ocpi230_evse, images,               image, OPTIONAL),
    TEXT_LIST(struct ocpi230_evse, accepted_service_providers, 50, OPTIONAL),
    TIME  (struct ocpi230_evse, last_updated,         REQUIRED),
};

static const struct field location_fields[] = {
    TEXT  (struct ocpi230_location, country_code,         2, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_country_code),
    TEXT  (struct ocpi230_location, party_id,             3, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_party_id),
    TEXT  (struct ocpi230_location, id,                  36, REQUIRED | CASELESS | IDENTITY),
    BOOL  (struct ocpi230_location, publish,             REQUIRED),
    LIST  (struct ocpi230_location, publish_allowed_to,  publish_token, OPTIONAL),
    TEXT  (struct ocpi230_location, name,               255, OPTIONAL),
    TEXT  (struct ocpi230_location, address,            255, REQUIRED),
    TEXT  (struct ocpi230_location, city,                45, REQUIRED),
    TEXT  (struct ocpi230_location, postal_code,         10, OPTIONAL),
    TEXT  (struct ocpi230_location, state,               45, OPTIONAL),
    TEXT  (struct ocpi230_location, country,              3, REQUIRED, .text_check = field_country),
    OBJECT(struct ocpi230_location, coordinates,         geo_location, REQUIRED),
    LIST  (struct ocpi230_location, related_locations,   additional_geo_location, OPTIONAL),
    ENUM  (struct ocpi230_location, parking_type,        parking_type, OPTIONAL),
    OBJECT_LIST_OF(struct ocpi230_location, evses,       ocpi230_evse, OPTIONAL),
    OBJECT_LIST_OF(struct ocpi230_location, parking_places, ocpi230_parking, OPTIONAL),
    LIST  (struct ocpi230_location, directions,          display_text, OPTIONAL),
    OBJECT(struct ocpi230_location, operator,            business_details, OPTIONAL),
    OBJECT(struct ocpi230_location, suboperator,         business_details, OPTIONAL),
    OBJECT(struct ocpi230_location, owner,               business_details, OPTIONAL),
    ENUM_LIST(struct ocpi230_location, facilities,       facility, OPTIONAL),
    TEXT  (struct ocpi230_location, time_zone,          255, REQUIRED,
           .text_check = field_time_zone),
    OBJECT(struct ocpi230_location, opening_times,       hours, OPTIONAL),
    BOOL  (struct ocpi230_location, charging_when_closed, OPTIONAL | TRUE_IF_ABSENT),
    LIST  (struct ocpi230_location, images,              image, OPTIONAL),
    OBJECT(struct ocpi230_location, energy_mix,          energy_mix, OPTIONAL),
    TEXT  (struct ocpi230_location, help_phone,          25, OPTIONAL | CASELESS),
    TIME  (struct ocpi230_location, last_updated,        REQUIRED),
};

const struct object_type ocpi230_parking_type =
    OBJECT_TYPE("Parking", OCPI_2_3_0, struct ocpi230_parking, parking_fields);
const struct object_type ocpi230_evse_parking_type =
    OBJECT_TYPE("EVSEParking", OCPI_2_3_0, struct ocpi230_evse_parking, evse_parking_fields);
const struct object_type ocpi230_connector_type =
    OBJECT_TYPE("Connector", OCPI_2_3_0, struct ocpi230_connector, connector_fields);
const struct object_type ocpi230_evse_type =
    OBJECT_TYPE("EVSE", OCPI_2_3_0, struct ocpi230_evse, evse_fields);
const struct object_type ocpi230_location_type =
    OBJECT_TYPE("Location", OCPI_2_3_0, struct ocpi230_location, location_fields,
                .check = location_check);
/* clang-format on */
