/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands: tables of 2.1.1.
 */
#include "ocpi/v211/command.h"

#include "ocpi/field.h"

WORDS_DEFINE(ocpi211_command_response_word, OCPI211_RESPONSE, OCPI211_COMMAND_RESPONSES,
             "CommandResponseType", .open = false)

static const char *int32(int64_t value)
{
    return value >= INT32_MIN && value <= INT32_MAX ? NULL : "a whole number of 32 bits";
}

/* clang-format off */
static const struct field start_session_fields[] = {
    URL   (struct ocpi211_start_session, response_url, REQUIRED, .text_check = field_callable_url),
    OBJECT_OF(struct ocpi211_start_session, token,     ocpi211_token, REQUIRED),
    TEXT  (struct ocpi211_start_session, location_id,  39, REQUIRED | CASELESS),
    TEXT  (struct ocpi211_start_session, evse_uid,     39, OPTIONAL | CASELESS),
};

static const struct field unlock_connector_fields[] = {
    URL   (struct ocpi211_unlock_connector, response_url, REQUIRED,
           .text_check = field_callable_url),
    TEXT  (struct ocpi211_unlock_connector, location_id,  39, REQUIRED | CASELESS),
    TEXT  (struct ocpi211_unlock_connector, evse_uid,     39, REQUIRED | CASELESS),
    TEXT  (struct ocpi211_unlock_connector, connector_id, 36, REQUIRED | CASELESS),
};

static const struct field reserve_now_fields[] = {
    URL   (struct ocpi211_reserve_now, response_url,   REQUIRED, .text_check = field_callable_url),
    OBJECT_OF(struct ocpi211_reserve_now, token,       ocpi211_token, REQUIRED),
    TIME  (struct ocpi211_reserve_now, expiry_date,    REQUIRED),
    INT   (struct ocpi211_reserve_now, reservation_id, REQUIRED, .number_check = int32),
    TEXT  (struct ocpi211_reserve_now, location_id,    39, REQUIRED | CASELESS),
    TEXT  (struct ocpi211_reserve_now, evse_uid,       39, OPTIONAL | CASELESS),
};

static const struct field command_response_fields[] = {
    ENUM_OF(struct ocpi211_command_response, result, ocpi211_command_response_word, REQUIRED),
};

const struct object_type ocpi211_start_session_type =
    OBJECT_TYPE("StartSession", OCPI_2_1_1, struct ocpi211_start_session, start_session_fields);
const struct object_type ocpi211_unlock_connector_type =
    OBJECT_TYPE("UnlockConnector", OCPI_2_1_1, struct ocpi211_unlock_connector,
                unlock_connector_fields);
const struct object_type ocpi211_reserve_now_type =
    OBJECT_TYPE("ReserveNow", OCPI_2_1_1, struct ocpi211_reserve_now, reserve_now_fields);
const struct object_type ocpi211_command_response_type =
    OBJECT_TYPE("CommandResponse", OCPI_2_1_1, struct ocpi211_command_response,
                command_response_fields);
/* clang-format on */

const struct object_type *ocpi211_command_body_type(enum ocpi_command command)
{
    switch (command) {
    case OCPI_COMMAND_START_SESSION:
        return &ocpi211_start_session_type;
    case OCPI_COMMAND_STOP_SESSION:
        return &ocpi_stop_session_type;
    case OCPI_COMMAND_UNLOCK_CONNECTOR:
        return &ocpi211_unlock_connector_type;
    case OCPI_COMMAND_RESERVE_NOW:
        return &ocpi211_reserve_now_type;
    case OCPI_COMMAND_CANCEL_RESERVATION:
    case OCPI_COMMAND_NONE:
    case OCPI_COMMAND_UNLISTED:
        break;
    }
    return NULL;
}
