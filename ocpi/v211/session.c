/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions: table of 2.1.1. Their PATCH is in ocpi/session.c.
 */
#include "ocpi/v211/session.h"

#include "ocpi/field.h"

WORDS_DEFINE(ocpi211_session_status, OCPI211_SESSION, OCPI211_SESSION_STATUSES, "SessionStatus",
             .open = false)

/* clang-format off */
static const struct field session_fields[] = {
    TEXT  (struct ocpi211_session, id,               36, REQUIRED | CASELESS | IDENTITY),
    TIME  (struct ocpi211_session, start_datetime,   REQUIRED),
    TIME  (struct ocpi211_session, end_datetime,     OPTIONAL),
    NUMBER(struct ocpi211_session, kwh,              REQUIRED, .limit = OCPI211_DECIMALS,
           .number_check = field_not_negative),
    TEXT  (struct ocpi211_session, auth_id,          36, REQUIRED | CASELESS),
    ENUM_OF(struct ocpi211_session, auth_method,     ocpi211_auth_method, REQUIRED),
    OBJECT_OF(struct ocpi211_session, location,      ocpi211_location, REQUIRED),
    TEXT  (struct ocpi211_session, meter_id,        255, OPTIONAL),
    TEXT  (struct ocpi211_session, currency,          3, REQUIRED, .text_check = field_currency),
    OBJECT_LIST_OF(struct ocpi211_session, charging_periods, ocpi211_charging_period, OPTIONAL),
    NUMBER(struct ocpi211_session, total_cost,       OPTIONAL, .limit = OCPI211_DECIMALS),
    ENUM_OF(struct ocpi211_session, status,          ocpi211_session_status, REQUIRED),
    TIME  (struct ocpi211_session, last_updated,     REQUIRED),
};

const struct object_type ocpi211_session_type =
    OBJECT_TYPE("Session", OCPI_2_1_1, struct ocpi211_session, session_fields);
/* clang-format on */
