/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands: tables (2.2.1).
 */
#include "ocpi/command.h"

#include "ocpi/field.h"

WORDS_DEFINE(ocpi_command, OCPI_COMMAND, OCPI_COMMAND_TYPES, "CommandType", .open = true)
WORDS_DEFINE(ocpi_command_response_word, OCPI_RESPONSE, OCPI_COMMAND_RESPONSES,
             "CommandResponseType", .open = false)
WORDS_DEFINE(ocpi_command_result_word, OCPI_RESULT, OCPI_COMMAND_RESULTS, "CommandResultType",
             .open = false)

/* A connector is one of an EVSE: without evse_uid its id names nothing. */
static struct err start_session_check(const struct object_place *at, const void *object)
{
    const struct ocpi_start_session *ask = object;

    if (ask->connector_id && !ask->evse_uid)
        return object_rule(
            object_complaint(at, "evse_uid", "missing, it is required beside connector_id"),
            "R-TYPE-12", "evse_uid beside connector_id");
    return OK;
}

/* clang-format off */
static const struct field start_session_fields[] = {
    URL   (struct ocpi_start_session, response_url, REQUIRED, .text_check = field_callable_url),
    OBJECT(struct ocpi_start_session, token,        token, REQUIRED),
    TEXT  (struct ocpi_start_session, location_id,  36, REQUIRED | CASELESS),
    TEXT  (struct ocpi_start_session, evse_uid,     36, OPTIONAL | CASELESS),
    TEXT  (struct ocpi_start_session, connector_id, 36, OPTIONAL | CASELESS),
    TEXT  (struct ocpi_start_session, authorization_reference, 36, OPTIONAL | CASELESS),
};

static const struct field stop_session_fields[] = {
    URL   (struct ocpi_stop_session, response_url, REQUIRED, .text_check = field_callable_url),
    TEXT  (struct ocpi_stop_session, session_id,   36, REQUIRED | CASELESS),
};

static const struct field unlock_connector_fields[] = {
    URL   (struct ocpi_unlock_connector, response_url, REQUIRED, .text_check = field_callable_url),
    TEXT  (struct ocpi_unlock_connector, location_id,  36, REQUIRED | CASELESS),
    TEXT  (struct ocpi_unlock_connector, evse_uid,     36, REQUIRED | CASELESS),
    TEXT  (struct ocpi_unlock_connector, connector_id, 36, REQUIRED | CASELESS),
};

static const struct field reserve_now_fields[] = {
    URL   (struct ocpi_reserve_now, response_url,   REQUIRED, .text_check = field_callable_url),
    OBJECT(struct ocpi_reserve_now, token,          token, REQUIRED),
    TIME  (struct ocpi_reserve_now, expiry_date,    REQUIRED),
    TEXT  (struct ocpi_reserve_now, reservation_id, 36, REQUIRED | CASELESS),
    TEXT  (struct ocpi_reserve_now, location_id,    36, REQUIRED | CASELESS),
    TEXT  (struct ocpi_reserve_now, evse_uid,       36, OPTIONAL | CASELESS),
    TEXT  (struct ocpi_reserve_now, authorization_reference, 36, OPTIONAL | CASELESS),
};

static const struct field cancel_reservation_fields[] = {
    URL   (struct ocpi_cancel_reservation, response_url, REQUIRED,
           .text_check = field_callable_url),
    TEXT  (struct ocpi_cancel_reservation, reservation_id, 36, REQUIRED | CASELESS),
};

static const struct field command_response_fields[] = {
    ENUM  (struct ocpi_command_response, result,  command_response_word, REQUIRED),
    INT   (struct ocpi_command_response, timeout, REQUIRED,
           .number_check = field_int32_not_negative),
    LIST  (struct ocpi_command_response, message, display_text, OPTIONAL),
};

static const struct field command_result_fields[] = {
    ENUM  (struct ocpi_command_result, result,  command_result_word, REQUIRED),
    LIST  (struct ocpi_command_result, message, display_text, OPTIONAL),
};

const struct object_type ocpi_start_session_type =
    OBJECT_TYPE("StartSession", OCPI_2_2_1, struct ocpi_start_session, start_session_fields,
                .check = start_session_check);
const struct object_type ocpi_stop_session_type =
    OBJECT_TYPE("StopSession", OCPI_2_2_1, struct ocpi_stop_session, stop_session_fields);
const struct object_type ocpi_unlock_connector_type =
    OBJECT_TYPE("UnlockConnector", OCPI_2_2_1, struct ocpi_unlock_connector,
                unlock_connector_fields);
const struct object_type ocpi_reserve_now_type =
    OBJECT_TYPE("ReserveNow", OCPI_2_2_1, struct ocpi_reserve_now, reserve_now_fields);
const struct object_type ocpi_cancel_reservation_type =
    OBJECT_TYPE("CancelReservation", OCPI_2_2_1, struct ocpi_cancel_reservation,
                cancel_reservation_fields);
const struct object_type ocpi_command_response_type =
    OBJECT_TYPE("CommandResponse", OCPI_2_2_1, struct ocpi_command_response,
                command_response_fields);
const struct object_type ocpi_command_result_type =
    OBJECT_TYPE("CommandResult", OCPI_2_2_1, struct ocpi_command_result, command_result_fields);
/* clang-format on */

const struct object_type *command_body_type(enum ocpi_command command)
{
    switch (command) {
    case OCPI_COMMAND_START_SESSION:
        return &ocpi_start_session_type;
    case OCPI_COMMAND_STOP_SESSION:
        return &ocpi_stop_session_type;
    case OCPI_COMMAND_UNLOCK_CONNECTOR:
        return &ocpi_unlock_connector_type;
    case OCPI_COMMAND_RESERVE_NOW:
        return &ocpi_reserve_now_type;
    case OCPI_COMMAND_CANCEL_RESERVATION:
        return &ocpi_cancel_reservation_type;
    case OCPI_COMMAND_NONE:
    case OCPI_COMMAND_UNLISTED:
        break;
    }
    return NULL;
}
