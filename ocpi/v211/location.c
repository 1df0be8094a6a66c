/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locations: tables of 2.1.1. Ids compare without case as in later versions (R-TYPE-03).
 */
#include "ocpi/v211/location.h"

#include "ocpi/field.h"

WORDS_DEFINE(ocpi211_location_kind, OCPI211_LOCATION, OCPI211_LOCATION_TYPES, "LocationType",
             .open = false)
WORDS_DEFINE(ocpi211_capability, OCPI211_CAPABILITY, OCPI211_CAPABILITIES, "Capability",
             .open = true)
WORDS_DEFINE(ocpi211_connector_standard, OCPI211_CONNECTOR, OCPI211_CONNECTOR_TYPES,
             "ConnectorType", .open = true)
WORDS_DEFINE(ocpi211_power_type, OCPI211_POWER, OCPI211_POWER_TYPES, "PowerType", .open = false)
WORDS_DEFINE(ocpi211_parking_restriction, OCPI211_RESTRICTED, OCPI211_PARKING_RESTRICTIONS,
             "ParkingRestriction", .open = true)
WORDS_DEFINE(ocpi211_facility, OCPI211_FACILITY, OCPI211_FACILITIES, "Facility", .open = true)

/* R-LOC-09. That twentyfourseven is false may be said beside the hours. */
static struct err hours_check(const struct object_place *at, const void *object)
{
    const struct ocpi211_hours *hours = object;

    if (hours->twentyfourseven && hours->regular_hours.count > 0)
        return object_rule(
            object_complaint(at, "regular_hours", "allowed only where twentyfourseven is not true"),
            "R-LOC-09", "either twentyfourseven or regular_hours");
    if (!hours->twentyfourseven && hours->regular_hours.count == 0)
        return object_rule(
            object_complaint(at, "regular_hours",
                             "missing, it is required where twentyfourseven is not true"),
            "R-LOC-09", "either twentyfourseven or regular_hours");
    return OK;
}

/* clang-format off */
static const struct field hours_fields[] = {
    BOOL  (struct ocpi211_hours, twentyfourseven,      OPTIONAL),
    LIST  (struct ocpi211_hours, regular_hours,        regular_hours, OPTIONAL),
    LIST  (struct ocpi211_hours, exceptional_openings, exceptional_period, OPTIONAL),
    LIST  (struct ocpi211_hours, exceptional_closings, exceptional_period, OPTIONAL),
};

static const struct field connector_fields[] = {
    TEXT   (struct ocpi211_connector, id,           36, REQUIRED | CASELESS | IDENTITY),
    ENUM_OF(struct ocpi211_connector, standard,     ocpi211_connector_standard, REQUIRED),
    ENUM   (struct ocpi211_connector, format,       connector_format, REQUIRED),
    ENUM_OF(struct ocpi211_connector, power_type,   ocpi211_power_type, REQUIRED),
    INT    (struct ocpi211_connector, voltage,      REQUIRED,
            .number_check = field_int32_not_negative),
    INT    (struct ocpi211_connector, amperage,     REQUIRED,
            .number_check = field_int32_not_negative),
    TEXT   (struct ocpi211_connector, tariff_id,    36, OPTIONAL | CASELESS),
    URL    (struct ocpi211_connector, terms_and_conditions, OPTIONAL),
    TIME   (struct ocpi211_connector, last_updated, REQUIRED),
};

static const struct field evse_fields[] = {
    TEXT  (struct ocpi211_evse, uid,                  39, REQUIRED | CASELESS | IDENTITY),
    TEXT  (struct ocpi211_evse, evse_id,              48, OPTIONAL | CASELESS),
    ENUM  (struct ocpi211_evse, status,               evse_status, REQUIRED),
    LIST  (struct ocpi211_evse, status_schedule,      status_schedule, OPTIONAL),
    ENUM_LIST_OF(struct ocpi211_evse, capabilities,   ocpi211_capability, OPTIONAL),
    OBJECT_LIST_OF(struct ocpi211_evse, connectors,   ocpi211_connector, REQUIRED),
    TEXT  (struct ocpi211_evse, floor_level,           4, OPTIONAL),
    OBJECT(struct ocpi211_evse, coordinates,          geo_location, OPTIONAL),
    TEXT  (struct ocpi211_evse, physical_reference,   16, OPTIONAL | NUMBER_OK),
    LIST  (struct ocpi211_evse, directions,           display_text, OPTIONAL),
    ENUM_LIST_OF(struct ocpi211_evse, parking_restrictions, ocpi211_parking_restriction, OPTIONAL),
    LIST  (struct ocpi211_evse, images,               image, OPTIONAL),
    TIME  (struct ocpi211_evse, last_updated,         REQUIRED),
};

static const struct field location_fields[] = {
    TEXT  (struct ocpi211_location, id,                  39, REQUIRED | CASELESS | IDENTITY),
    ENUM_OF(struct ocpi211_location, type,               ocpi211_location_kind, REQUIRED),
    TEXT  (struct ocpi211_location, name,               255, OPTIONAL),
    TEXT  (struct ocpi211_location, address,             45, REQUIRED),
    TEXT  (struct ocpi211_location, city,                45, REQUIRED),
    TEXT  (struct ocpi211_location, postal_code,         10, REQUIRED),
    TEXT  (struct ocpi211_location, country,              3, REQUIRED, .text_check = field_country),
    OBJECT(struct ocpi211_location, coordinates,         geo_location, REQUIRED),
    LIST  (struct ocpi211_location, related_locations,   additional_geo_location, OPTIONAL),
    OBJECT_LIST_OF(struct ocpi211_location, evses,       ocpi211_evse, OPTIONAL),
    LIST  (struct ocpi211_location, directions,          display_text, OPTIONAL),
    OBJECT(struct ocpi211_location, operator,            business_details, OPTIONAL),
    OBJECT(struct ocpi211_location, suboperator,         business_details, OPTIONAL),
    OBJECT(struct ocpi211_location, owner,               business_details, OPTIONAL),
    ENUM_LIST_OF(struct ocpi211_location, facilities,    ocpi211_facility, OPTIONAL),
    TEXT  (struct ocpi211_location, time_zone,          255, OPTIONAL,
           .text_check = field_time_zone),
    OBJECT_OF(struct ocpi211_location, opening_times,    ocpi211_hours, OPTIONAL),
    BOOL  (struct ocpi211_location, charging_when_closed, OPTIONAL | TRUE_IF_ABSENT),
    LIST  (struct ocpi211_location, images,              image, OPTIONAL),
    OBJECT_OF(struct ocpi211_location, energy_mix,       ocpi211_energy_mix, OPTIONAL),
    TIME  (struct ocpi211_location, last_updated,        REQUIRED),
};

const struct object_type ocpi211_hours_type =
    OBJECT_TYPE("Hours", OCPI_2_1_1, struct ocpi211_hours, hours_fields, .check = hours_check);
const struct object_type ocpi211_connector_type =
    OBJECT_TYPE("Connector", OCPI_2_1_1, struct ocpi211_connector, connector_fields);
const struct object_type ocpi211_evse_type =
    OBJECT_TYPE("EVSE", OCPI_2_1_1, struct ocpi211_evse, evse_fields);
const struct object_type ocpi211_location_type =
    OBJECT_TYPE("Location", OCPI_2_1_1, struct ocpi211_location, location_fields);
/* clang-format on */
