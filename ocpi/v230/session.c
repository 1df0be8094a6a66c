/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions: the table of 2.3.0.
 */
#include "ocpi/v230/session.h"

#include "ocpi/field.h"

/* clang-format off */
static const struct field session_fields[] = {
    TEXT  (struct ocpi230_session, country_code,       2, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_country_code),
    TEXT  (struct ocpi230_session, party_id,           3, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_party_id),
    TEXT  (struct ocpi230_session, id,                36, REQUIRED | CASELESS | IDENTITY),
    TIME  (struct ocpi230_session, start_date_time,   REQUIRED),
    TIME  (struct ocpi230_session, end_date_time,     OPTIONAL),
    NUMBER(struct ocpi230_session, kwh,               REQUIRED, .number_check = field_not_negative),
    OBJECT(struct ocpi230_session, cdr_token,         cdr_token, REQUIRED),
    ENUM  (struct ocpi230_session, auth_method,       auth_method, REQUIRED),
    TEXT  (struct ocpi230_session, authorization_reference, 36, OPTIONAL | CASELESS),
    TEXT  (struct ocpi230_session, location_id,       36, REQUIRED | CASELESS),
    TEXT  (struct ocpi230_session, evse_uid,          36, REQUIRED | CASELESS),
    TEXT  (struct ocpi230_session, connector_id,      36, REQUIRED | CASELESS),
    TEXT  (struct ocpi230_session, meter_id,         255, OPTIONAL),
    TEXT  (struct ocpi230_session, currency,           3, REQUIRED, .text_check = field_currency),
    LIST  (struct ocpi230_session, charging_periods,  charging_period, OPTIONAL),
    OBJECT_OF(struct ocpi230_session, total_cost,     ocpi230_price, OPTIONAL),
    ENUM  (struct ocpi230_session, status,            session_status, REQUIRED),
    TIME  (struct ocpi230_session, last_updated,      REQUIRED),
};

const struct object_type ocpi230_session_type =
    OBJECT_TYPE("Session", OCPI_2_3_0, struct ocpi230_session, session_fields);
/* clang-format on */
