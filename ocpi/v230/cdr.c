/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDRs: the table of 2.3.0.
 */
#include "ocpi/v230/cdr.h"

#include "ocpi/field.h"

/* The rules between the fields are those of 2.2.1, about the same fields. */
static struct err cdr_check(const struct object_place *at, const void *object)
{
    const struct ocpi230_cdr *cdr = object;
    struct ocpi_cdr same = {
        .id = cdr->id,
        .start_date_time = cdr->start_date_time,
        .end_date_time = cdr->end_date_time,
        .credit = cdr->credit,
        .credit_reference_id = cdr->credit_reference_id,
    };

    return ocpi_cdr_type.check(at, &same);
}

/* clang-format off */
static const struct field cdr_fields[] = {
    TEXT  (struct ocpi230_cdr, country_code,               2, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_country_code),
    TEXT  (struct ocpi230_cdr, party_id,                   3, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_party_id),
    TEXT  (struct ocpi230_cdr, id,                        39, REQUIRED | CASELESS | IDENTITY),
    TIME  (struct ocpi230_cdr, start_date_time,           REQUIRED | UNKNOWN_OK),
    TIME  (struct ocpi230_cdr, end_date_time,             REQUIRED | UNKNOWN_OK),
    TEXT  (struct ocpi230_cdr, session_id,                36, OPTIONAL | CASELESS),
    OBJECT(struct ocpi230_cdr, cdr_token,                 cdr_token, REQUIRED),
    ENUM  (struct ocpi230_cdr, auth_method,               auth_method, REQUIRED),
    TEXT  (struct ocpi230_cdr, authorization_reference,   36, OPTIONAL | CASELESS),
    OBJECT(struct ocpi230_cdr, cdr_location,              cdr_location, REQUIRED),
    TEXT  (struct ocpi230_cdr, meter_id,                 255, OPTIONAL),
    TEXT  (struct ocpi230_cdr, currency,                   3, REQUIRED,
           .text_check = field_currency),
    OBJECT_LIST_OF(struct ocpi230_cdr, tariffs,           ocpi230_tariff, OPTIONAL),
    LIST  (struct ocpi230_cdr, charging_periods,          charging_period, REQUIRED),
    OBJECT(struct ocpi230_cdr, signed_data,               signed_data, OPTIONAL),
    OBJECT_OF(struct ocpi230_cdr, total_cost,             ocpi230_price, REQUIRED),
    OBJECT_OF(struct ocpi230_cdr, total_fixed_cost,       ocpi230_price, OPTIONAL),
    NUMBER(struct ocpi230_cdr, total_energy,              REQUIRED),
    OBJECT_OF(struct ocpi230_cdr, total_energy_cost,      ocpi230_price, OPTIONAL),
    NUMBER(struct ocpi230_cdr, total_time,                REQUIRED),
    OBJECT_OF(struct ocpi230_cdr, total_time_cost,        ocpi230_price, OPTIONAL),
    NUMBER(struct ocpi230_cdr, total_parking_time,        OPTIONAL),
    OBJECT_OF(struct ocpi230_cdr, total_parking_cost,     ocpi230_price, OPTIONAL),
    OBJECT_OF(struct ocpi230_cdr, total_reservation_cost, ocpi230_price, OPTIONAL),
    TEXT  (struct ocpi230_cdr, remark,                   255, OPTIONAL),
    TEXT  (struct ocpi230_cdr, invoice_reference_id,      39, OPTIONAL | CASELESS),
    BOOL  (struct ocpi230_cdr, credit,                    OPTIONAL),
    TEXT  (struct ocpi230_cdr, credit_reference_id,       39, OPTIONAL | CASELESS),
    BOOL  (struct ocpi230_cdr, home_charging_compensation, OPTIONAL),
    TEXT  (struct ocpi230_cdr, booking_id,                36, OPTIONAL | CASELESS),
    TIME  (struct ocpi230_cdr, last_updated,              REQUIRED),
};

const struct object_type ocpi230_cdr_type =
    OBJECT_TYPE("CDR", OCPI_2_3_0, struct ocpi230_cdr, cdr_fields, .check = cdr_check);
/* clang-format on */
