/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDRs: tables of 2.1.1.
 */
#include "ocpi/v211/cdr.h"

#include "ocpi/cdr.h"
#include "ocpi/field.h"

WORDS_DEFINE(ocpi211_auth_method, OCPI211_AUTH, OCPI211_AUTH_METHODS, "AuthMethod", .open = false)
WORDS_DEFINE(ocpi211_dimension, OCPI211_DIMENSION, OCPI211_CDR_DIMENSIONS, "CdrDimensionType",
             .open = false)

/* The padded form of an unknown time (R-CDR-15) is what a CDR of a later version becomes here. */
static struct err cdr_check(const struct object_place *at, const void *object)
{
    const struct ocpi211_cdr *cdr = object;

    if (cdr->stop_date_time != CDR_TIME_UNKNOWN && cdr->start_date_time != CDR_TIME_UNKNOWN &&
        cdr->stop_date_time < cdr->start_date_time)
        return object_rule(object_complaint(at, "stop_date_time", "it is before start_date_time"),
                           "R-CDR-11", "a time that is not before start_date_time");
    return OK;
}

/* clang-format off */
static const struct field cdr_dimension_fields[] = {
    ENUM_OF(struct ocpi211_cdr_dimension, type,   ocpi211_dimension, REQUIRED),
    NUMBER (struct ocpi211_cdr_dimension, volume, REQUIRED, .limit = OCPI211_DECIMALS),
};

static const struct field charging_period_fields[] = {
    TIME  (struct ocpi211_charging_period, start_date_time, REQUIRED),
    OBJECT_LIST_OF(struct ocpi211_charging_period, dimensions, ocpi211_cdr_dimension, REQUIRED),
};

static const struct field cdr_fields[] = {
    TEXT  (struct ocpi211_cdr, id,                 36, REQUIRED | CASELESS | IDENTITY),
    TIME  (struct ocpi211_cdr, start_date_time,    REQUIRED),
    TIME  (struct ocpi211_cdr, stop_date_time,     REQUIRED),
    TEXT  (struct ocpi211_cdr, auth_id,            36, REQUIRED | CASELESS),
    ENUM_OF(struct ocpi211_cdr, auth_method,       ocpi211_auth_method, REQUIRED),
    OBJECT_OF(struct ocpi211_cdr, location,        ocpi211_location, REQUIRED),
    TEXT  (struct ocpi211_cdr, meter_id,          255, OPTIONAL),
    TEXT  (struct ocpi211_cdr, currency,            3, REQUIRED, .text_check = field_currency),
    OBJECT_LIST_OF(struct ocpi211_cdr, tariffs,    ocpi211_tariff, OPTIONAL),
    OBJECT_LIST_OF(struct ocpi211_cdr, charging_periods, ocpi211_charging_period, REQUIRED),
    NUMBER(struct ocpi211_cdr, total_cost,         REQUIRED, .limit = OCPI211_DECIMALS),
    NUMBER(struct ocpi211_cdr, total_energy,       REQUIRED, .limit = OCPI211_DECIMALS),
    NUMBER(struct ocpi211_cdr, total_time,         REQUIRED, .limit = OCPI211_DECIMALS),
    NUMBER(struct ocpi211_cdr, total_parking_time, OPTIONAL, .limit = OCPI211_DECIMALS),
    TEXT  (struct ocpi211_cdr, remark,            255, OPTIONAL),
    TIME  (struct ocpi211_cdr, last_updated,       REQUIRED),
};

const struct object_type ocpi211_cdr_dimension_type =
    OBJECT_TYPE("CdrDimension", OCPI_2_1_1, struct ocpi211_cdr_dimension, cdr_dimension_fields);
const struct object_type ocpi211_charging_period_type =
    OBJECT_TYPE("ChargingPeriod", OCPI_2_1_1, struct ocpi211_charging_period,
                charging_period_fields);
const struct object_type ocpi211_cdr_type =
    OBJECT_TYPE("CDR", OCPI_2_1_1, struct ocpi211_cdr, cdr_fields, .check = cdr_check);
/* clang-format on */
