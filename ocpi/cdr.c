/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDRs: tables (2.2.1) and the rules between their fields.
 */
#include "ocpi/cdr.h"

#include "base/text.h"
#include "base/time.h"
#include "ocpi/field.h"

enum { CDR_ID_MAX = 36 }; /* of a CDR that is no credit */

WORDS_DEFINE(ocpi_auth_method, OCPI_AUTH, OCPI_AUTH_METHODS, "AuthMethod", .open = false)
WORDS_DEFINE(ocpi_dimension, OCPI_DIMENSION, OCPI_CDR_DIMENSIONS, "CdrDimensionType", .open = false)

static struct err cdr_check(const struct object_place *at, const void *object)
{
    const struct ocpi_cdr *cdr = object;
    bool times_known =
        cdr->start_date_time != CDR_TIME_UNKNOWN && cdr->end_date_time != CDR_TIME_UNKNOWN;

    if (times_known && cdr->end_date_time < cdr->start_date_time)
        return object_rule(object_complaint(at, "end_date_time", "it is before start_date_time"),
                           "R-CDR-11", "a time that is not before start_date_time");
    /* R-CDR-05: the room beyond 36 is for the suffix of a credit. */
    if (!cdr->credit && !at->leniency->long_text && text_utf8_count(cdr->id) > CDR_ID_MAX)
        return object_rule(
            object_complaint(at, "id", "more than %d characters are for credits only", CDR_ID_MAX),
            "R-CDR-05", "at most 36 characters");
    /* R-CDR-06 */
    if (cdr->credit && !cdr->credit_reference_id)
        return object_rule(object_complaint(at, "credit_reference_id",
                                            "missing, a credit names the CDR that it takes back"),
                           "R-CDR-06", "the id of the CDR that is taken back");
    return OK;
}

/* clang-format off */
static const struct field cdr_token_fields[] = {
    TEXT  (struct ocpi_cdr_token, country_code,  2, REQUIRED | CASELESS,
           .text_check = field_country_code),
    TEXT  (struct ocpi_cdr_token, party_id,      3, REQUIRED | CASELESS,
           .text_check = field_party_id),
    TEXT  (struct ocpi_cdr_token, uid,          36, REQUIRED | CASELESS),
    ENUM  (struct ocpi_cdr_token, type,         token_kind, REQUIRED),
    TEXT  (struct ocpi_cdr_token, contract_id,  36, REQUIRED | CASELESS),
};

static const struct field cdr_dimension_fields[] = {
    ENUM  (struct ocpi_cdr_dimension, type,   dimension, REQUIRED),
    NUMBER(struct ocpi_cdr_dimension, volume, REQUIRED),
};

static const struct field charging_period_fields[] = {
    TIME  (struct ocpi_charging_period, start_date_time, REQUIRED),
    LIST  (struct ocpi_charging_period, dimensions,      cdr_dimension, REQUIRED),
    TEXT  (struct ocpi_charging_period, tariff_id,       36, OPTIONAL | CASELESS),
};

/* address and state: the limits of Location, of which these are copies (R-AMB-14). */
static const struct field cdr_location_fields[] = {
    TEXT  (struct ocpi_cdr_location, id,                  36, REQUIRED | CASELESS),
    TEXT  (struct ocpi_cdr_location, name,               255, OPTIONAL),
    TEXT  (struct ocpi_cdr_location, address,            255, REQUIRED),
    TEXT  (struct ocpi_cdr_location, city,                45, REQUIRED),
    TEXT  (struct ocpi_cdr_location, postal_code,         10, OPTIONAL),
    TEXT  (struct ocpi_cdr_location, state,               45, OPTIONAL),
    TEXT  (struct ocpi_cdr_location, country,              3, REQUIRED,
           .text_check = field_country),
    OBJECT(struct ocpi_cdr_location, coordinates,         geo_location, REQUIRED),
    TEXT  (struct ocpi_cdr_location, evse_uid,            36, REQUIRED | CASELESS),
    TEXT  (struct ocpi_cdr_location, evse_id,             48, REQUIRED | CASELESS),
    TEXT  (struct ocpi_cdr_location, connector_id,        36, REQUIRED | CASELESS),
    ENUM  (struct ocpi_cdr_location, connector_standard,  connector_standard, REQUIRED),
    ENUM  (struct ocpi_cdr_location, connector_format,    connector_format, REQUIRED),
    ENUM  (struct ocpi_cdr_location, connector_power_type, power_type, REQUIRED),
};

static const struct field signed_value_fields[] = {
    TEXT  (struct ocpi_signed_value, nature,        32, REQUIRED | CASELESS),
    TEXT  (struct ocpi_signed_value, plain_data,  5000, REQUIRED | VERBATIM),
    TEXT  (struct ocpi_signed_value, signed_data, 5000, REQUIRED | VERBATIM),
};

static const struct field signed_data_fields[] = {
    TEXT  (struct ocpi_signed_data, encoding_method,         36, REQUIRED | CASELESS),
    INT   (struct ocpi_signed_data, encoding_method_version, OPTIONAL),
    TEXT  (struct ocpi_signed_data, public_key,             512, OPTIONAL | VERBATIM),
    LIST  (struct ocpi_signed_data, signed_values,           signed_value, REQUIRED),
    TEXT  (struct ocpi_signed_data, url,                    512, OPTIONAL),
};

static const struct field cdr_fields[] = {
    TEXT  (struct ocpi_cdr, country_code,               2, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_country_code),
    TEXT  (struct ocpi_cdr, party_id,                   3, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_party_id),
    TEXT  (struct ocpi_cdr, id,                        39, REQUIRED | CASELESS | IDENTITY),
    TIME  (struct ocpi_cdr, start_date_time,           REQUIRED | UNKNOWN_OK),
    TIME  (struct ocpi_cdr, end_date_time,             REQUIRED | UNKNOWN_OK),
    TEXT  (struct ocpi_cdr, session_id,                36, OPTIONAL | CASELESS),
    OBJECT(struct ocpi_cdr, cdr_token,                 cdr_token, REQUIRED),
    ENUM  (struct ocpi_cdr, auth_method,               auth_method, REQUIRED),
    TEXT  (struct ocpi_cdr, authorization_reference,   36, OPTIONAL | CASELESS),
    OBJECT(struct ocpi_cdr, cdr_location,              cdr_location, REQUIRED),
    TEXT  (struct ocpi_cdr, meter_id,                 255, OPTIONAL),
    TEXT  (struct ocpi_cdr, currency,                   3, REQUIRED, .text_check = field_currency),
    LIST  (struct ocpi_cdr, tariffs,                   tariff, OPTIONAL),
    LIST  (struct ocpi_cdr, charging_periods,          charging_period, REQUIRED),
    OBJECT(struct ocpi_cdr, signed_data,               signed_data, OPTIONAL),
    OBJECT(struct ocpi_cdr, total_cost,                price, REQUIRED),
    OBJECT(struct ocpi_cdr, total_fixed_cost,          price, OPTIONAL),
    NUMBER(struct ocpi_cdr, total_energy,              REQUIRED),
    OBJECT(struct ocpi_cdr, total_energy_cost,         price, OPTIONAL),
    NUMBER(struct ocpi_cdr, total_time,                REQUIRED),
    OBJECT(struct ocpi_cdr, total_time_cost,           price, OPTIONAL),
    NUMBER(struct ocpi_cdr, total_parking_time,        OPTIONAL),
    OBJECT(struct ocpi_cdr, total_parking_cost,        price, OPTIONAL),
    OBJECT(struct ocpi_cdr, total_reservation_cost,    price, OPTIONAL),
    TEXT  (struct ocpi_cdr, remark,                   255, OPTIONAL),
    TEXT  (struct ocpi_cdr, invoice_reference_id,      39, OPTIONAL | CASELESS),
    BOOL  (struct ocpi_cdr, credit,                    OPTIONAL),
    TEXT  (struct ocpi_cdr, credit_reference_id,       39, OPTIONAL | CASELESS),
    BOOL  (struct ocpi_cdr, home_charging_compensation, OPTIONAL),
    TIME  (struct ocpi_cdr, last_updated,              REQUIRED),
};

const struct object_type ocpi_cdr_token_type =
    OBJECT_TYPE("CdrToken", OCPI_2_2_1, struct ocpi_cdr_token, cdr_token_fields);
const struct object_type ocpi_cdr_dimension_type =
    OBJECT_TYPE("CdrDimension", OCPI_2_2_1, struct ocpi_cdr_dimension, cdr_dimension_fields);
const struct object_type ocpi_charging_period_type =
    OBJECT_TYPE("ChargingPeriod", OCPI_2_2_1, struct ocpi_charging_period, charging_period_fields);
const struct object_type ocpi_cdr_location_type =
    OBJECT_TYPE("CdrLocation", OCPI_2_2_1, struct ocpi_cdr_location, cdr_location_fields);
const struct object_type ocpi_signed_value_type =
    OBJECT_TYPE("SignedValue", OCPI_2_2_1, struct ocpi_signed_value, signed_value_fields);
const struct object_type ocpi_signed_data_type =
    OBJECT_TYPE("SignedData", OCPI_2_2_1, struct ocpi_signed_data, signed_data_fields);
const struct object_type ocpi_cdr_type =
    OBJECT_TYPE("CDR", OCPI_2_2_1, struct ocpi_cdr, cdr_fields, .check = cdr_check);
/* clang-format on */
