/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locations: tables (2.2.1) and the rules between their fields.
 */
#include "ocpi/location.h"

#include <stdlib.h>
#include <string.h>

#include "ocpi/field.h"

WORDS_DEFINE(ocpi_evse_status, OCPI_EVSE, OCPI_EVSE_STATUSES, "Status", .open = false)
WORDS_DEFINE(ocpi_capability, OCPI_CAPABILITY, OCPI_CAPABILITIES, "Capability", .open = true)
WORDS_DEFINE(ocpi_connector_standard, OCPI_CONNECTOR, OCPI_CONNECTOR_TYPES, "ConnectorType",
             .open = true)
WORDS_DEFINE(ocpi_connector_format, OCPI_FORMAT, OCPI_CONNECTOR_FORMATS, "ConnectorFormat",
             .open = false)
WORDS_DEFINE(ocpi_power_type, OCPI_POWER, OCPI_POWER_TYPES, "PowerType", .open = false)
WORDS_DEFINE(ocpi_parking_type, OCPI_PARKING, OCPI_PARKING_TYPES, "ParkingType", .open = true)
WORDS_DEFINE(ocpi_parking_restriction, OCPI_RESTRICTED, OCPI_PARKING_RESTRICTIONS,
             "ParkingRestriction", .open = true)
WORDS_DEFINE(ocpi_facility, OCPI_FACILITY, OCPI_FACILITIES, "Facility", .open = true)

/* --- single values --- */

/* Digits, a point, 4 to 10 decimals (R-LOC-10), not beyond `most` degrees. */
static bool is_degrees(const char *text, int most)
{
    size_t whole, decimals;
    int degrees = 0;

    if (*text == '-')
        text++;
    whole = strspn(text, "0123456789");
    if (whole < 1 || whole > 3 || text[whole] != '.')
        return false;
    for (size_t i = 0; i < whole; i++)
        degrees = degrees * 10 + (text[i] - '0');
    text += whole + 1;
    decimals = strspn(text, "0123456789");
    if (decimals < 4 || decimals > 10 || text[decimals] != '\0' || degrees > most)
        return false;
    return degrees < most || strspn(text, "0") == decimals;
}

static const char *latitude(const char *text)
{
    return is_degrees(text, 90) ? NULL : "degrees from -90 to 90 with 4 to 10 decimals";
}

static const char *longitude(const char *text)
{
    return is_degrees(text, 180) ? NULL : "degrees from -180 to 180 with 4 to 10 decimals";
}

static const char *weekday(int64_t value)
{
    return value >= 1 && value <= 7 ? NULL : "a weekday from 1 (Monday) to 7 (Sunday)";
}

/* --- rules between fields --- */

/* R-LOC-06 */
static struct err publish_token_check(const struct object_place *at, const void *object)
{
    const struct ocpi_publish_token *token = object;

    if (!token->uid && !token->visual_number && !token->group_id)
        return object_rule(
            object_complaint(at, "", "one of uid, visual_number and group_id is required"),
            "R-LOC-06", "one of uid, visual_number and group_id");
    if (token->uid && token->type == OCPI_TOKEN_NONE)
        return object_rule(object_complaint(at, "type", "missing, it is required beside uid"),
                           "R-LOC-06", "type beside uid");
    if (token->visual_number && !token->issuer)
        return object_rule(
            object_complaint(at, "issuer", "missing, it is required beside visual_number"),
            "R-LOC-06", "issuer beside visual_number");
    return OK;
}

/* R-LOC-05 */
static struct err location_check(const struct object_place *at, const void *object)
{
    const struct ocpi_location *location = object;

    if (location->publish && location->publish_allowed_to.count > 0)
        return object_rule(
            object_complaint(at, "publish_allowed_to", "allowed only where publish is false"),
            "R-LOC-05", "no publish_allowed_to where publish is true");
    return OK;
}

/* --- tables --- */

/* clang-format off */
static const struct field geo_location_fields[] = {
    TEXT  (struct ocpi_geo_location, latitude,  14, REQUIRED, .text_check = latitude,
           .rule = "R-LOC-10"),
    TEXT  (struct ocpi_geo_location, longitude, 15, REQUIRED, .text_check = longitude,
           .rule = "R-LOC-10"),
};

static const struct field additional_geo_location_fields[] = {
    TEXT  (struct ocpi_additional_geo_location, latitude,  14, REQUIRED, .text_check = latitude,
           .rule = "R-LOC-10"),
    TEXT  (struct ocpi_additional_geo_location, longitude, 15, REQUIRED, .text_check = longitude,
           .rule = "R-LOC-10"),
    OBJECT(struct ocpi_additional_geo_location, name,      display_text, OPTIONAL),
};

static const struct field regular_hours_fields[] = {
    INT   (struct ocpi_regular_hours, weekday,      REQUIRED, .number_check = weekday,
           .rule = "R-LOC-09"),
    TEXT  (struct ocpi_regular_hours, period_begin, 5, REQUIRED, .text_check = field_time_of_day,
           .rule = "R-LOC-09"),
    TEXT  (struct ocpi_regular_hours, period_end,   5, REQUIRED, .text_check = field_time_of_day,
           .rule = "R-LOC-09"),
};

static const struct field exceptional_period_fields[] = {
    TIME  (struct ocpi_exceptional_period, period_begin, REQUIRED),
    TIME  (struct ocpi_exceptional_period, period_end,   REQUIRED),
};

static const struct field hours_fields[] = {
    BOOL  (struct ocpi_hours, twentyfourseven,      REQUIRED),
    LIST  (struct ocpi_hours, regular_hours,        regular_hours, OPTIONAL),
    LIST  (struct ocpi_hours, exceptional_openings, exceptional_period, OPTIONAL),
    LIST  (struct ocpi_hours, exceptional_closings, exceptional_period, OPTIONAL),
};

static const struct field publish_token_fields[] = {
    TEXT  (struct ocpi_publish_token, uid,           36, OPTIONAL | CASELESS),
    ENUM  (struct ocpi_publish_token, type,          token_kind, OPTIONAL),
    TEXT  (struct ocpi_publish_token, visual_number, 64, OPTIONAL),
    TEXT  (struct ocpi_publish_token, issuer,        64, OPTIONAL),
    TEXT  (struct ocpi_publish_token, group_id,      36, OPTIONAL | CASELESS),
};

static const struct field status_schedule_fields[] = {
    TIME  (struct ocpi_status_schedule, period_begin, REQUIRED),
    TIME  (struct ocpi_status_schedule, period_end,   OPTIONAL),
    ENUM  (struct ocpi_status_schedule, status,       evse_status, REQUIRED),
};

static const struct field connector_fields[] = {
    TEXT  (struct ocpi_connector, id,                 36, REQUIRED | CASELESS | IDENTITY),
    ENUM  (struct ocpi_connector, standard,           connector_standard, REQUIRED),
    ENUM  (struct ocpi_connector, format,             connector_format, REQUIRED),
    ENUM  (struct ocpi_connector, power_type,         power_type, REQUIRED),
    INT   (struct ocpi_connector, max_voltage,        REQUIRED,
           .number_check = field_int32_not_negative),
    INT   (struct ocpi_connector, max_amperage,       REQUIRED,
           .number_check = field_int32_not_negative),
    INT   (struct ocpi_connector, max_electric_power, OPTIONAL,
           .number_check = field_int32_not_negative),
    TEXT_LIST(struct ocpi_connector, tariff_ids,      36, OPTIONAL | CASELESS),
    URL   (struct ocpi_connector, terms_and_conditions, OPTIONAL),
    TIME  (struct ocpi_connector, last_updated,       REQUIRED),
};

static const struct field evse_fields[] = {
    TEXT  (struct ocpi_evse, uid,                  36, REQUIRED | CASELESS | IDENTITY),
    TEXT  (struct ocpi_evse, evse_id,              48, OPTIONAL | CASELESS),
    ENUM  (struct ocpi_evse, status,               evse_status, REQUIRED),
    LIST  (struct ocpi_evse, status_schedule,      status_schedule, OPTIONAL),
    ENUM_LIST(struct ocpi_evse, capabilities,      capability, OPTIONAL),
    LIST  (struct ocpi_evse, connectors,           connector, REQUIRED),
    TEXT  (struct ocpi_evse, floor_level,           4, OPTIONAL),
    OBJECT(struct ocpi_evse, coordinates,          geo_location, OPTIONAL),
    TEXT  (struct ocpi_evse, physical_reference,   16, OPTIONAL | NUMBER_OK),
    LIST  (struct ocpi_evse, directions,           display_text, OPTIONAL),
    ENUM_LIST(struct ocpi_evse, parking_restrictions, parking_restriction, OPTIONAL),
    LIST  (struct ocpi_evse, images,               image, OPTIONAL),
    TIME  (struct ocpi_evse, last_updated,         REQUIRED),
};

static const struct field location_fields[] = {
    TEXT  (struct ocpi_location, country_code,         2, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_country_code),
    TEXT  (struct ocpi_location, party_id,             3, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_party_id),
    TEXT  (struct ocpi_location, id,                  36, REQUIRED | CASELESS | IDENTITY),
    BOOL  (struct ocpi_location, publish,             REQUIRED),
    LIST  (struct ocpi_location, publish_allowed_to,  publish_token, OPTIONAL),
    TEXT  (struct ocpi_location, name,               255, OPTIONAL),
    TEXT  (struct ocpi_location, address,            255, REQUIRED),
    TEXT  (struct ocpi_location, city,                45, REQUIRED),
    TEXT  (struct ocpi_location, postal_code,         10, OPTIONAL),
    TEXT  (struct ocpi_location, state,               45, OPTIONAL),
    TEXT  (struct ocpi_location, country,              3, REQUIRED, .text_check = field_country),
    OBJECT(struct ocpi_location, coordinates,         geo_location, REQUIRED),
    LIST  (struct ocpi_location, related_locations,   additional_geo_location, OPTIONAL),
    ENUM  (struct ocpi_location, parking_type,        parking_type, OPTIONAL),
    LIST  (struct ocpi_location, evses,               evse, OPTIONAL),
    LIST  (struct ocpi_location, directions,          display_text, OPTIONAL),
    OBJECT(struct ocpi_location, operator,            business_details, OPTIONAL),
    OBJECT(struct ocpi_location, suboperator,         business_details, OPTIONAL),
    OBJECT(struct ocpi_location, owner,               business_details, OPTIONAL),
    ENUM_LIST(struct ocpi_location, facilities,       facility, OPTIONAL),
    TEXT  (struct ocpi_location, time_zone,          255, REQUIRED, .text_check = field_time_zone),
    OBJECT(struct ocpi_location, opening_times,       hours, OPTIONAL),
    BOOL  (struct ocpi_location, charging_when_closed, OPTIONAL | TRUE_IF_ABSENT),
    LIST  (struct ocpi_location, images,              image, OPTIONAL),
    OBJECT(struct ocpi_location, energy_mix,          energy_mix, OPTIONAL),
    TIME  (struct ocpi_location, last_updated,        REQUIRED),
};

const struct object_type ocpi_geo_location_type =
    OBJECT_TYPE("GeoLocation", OCPI_2_2_1, struct ocpi_geo_location, geo_location_fields);
const struct object_type ocpi_additional_geo_location_type =
    OBJECT_TYPE("AdditionalGeoLocation", OCPI_2_2_1, struct ocpi_additional_geo_location,
                additional_geo_location_fields);
const struct object_type ocpi_regular_hours_type =
    OBJECT_TYPE("RegularHours", OCPI_2_2_1, struct ocpi_regular_hours, regular_hours_fields);
const struct object_type ocpi_exceptional_period_type =
    OBJECT_TYPE("ExceptionalPeriod", OCPI_2_2_1, struct ocpi_exceptional_period,
                exceptional_period_fields);
const struct object_type ocpi_hours_type =
    OBJECT_TYPE("Hours", OCPI_2_2_1, struct ocpi_hours, hours_fields);
const struct object_type ocpi_publish_token_type =
    OBJECT_TYPE("PublishTokenType", OCPI_2_2_1, struct ocpi_publish_token, publish_token_fields,
                .check = publish_token_check);
const struct object_type ocpi_status_schedule_type =
    OBJECT_TYPE("StatusSchedule", OCPI_2_2_1, struct ocpi_status_schedule, status_schedule_fields);
const struct object_type ocpi_connector_type =
    OBJECT_TYPE("Connector", OCPI_2_2_1, struct ocpi_connector, connector_fields);
const struct object_type ocpi_evse_type =
    OBJECT_TYPE("EVSE", OCPI_2_2_1, struct ocpi_evse, evse_fields);
const struct object_type ocpi_location_type =
    OBJECT_TYPE("Location", OCPI_2_2_1, struct ocpi_location, location_fields,
                .check = location_check);
/* clang-format on */

bool evse_can(const struct ocpi_evse *evse, enum ocpi_capability capability)
{
    for (size_t i = 0; i < evse->capabilities.count; i++) {
        if (evse->capabilities.at[i] == capability)
            return true;
    }
    return false;
}
