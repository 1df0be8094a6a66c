/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands: what an eMSP asks a CPO to do with a charge point, the response to the request and the
 * result that follows on the response_url (R-CMD).
 */
#ifndef OCPI_COMMAND_H
#define OCPI_COMMAND_H

#include "ocpi/token.h"
#include "ocpi/types.h"

/* clang-format off */
#define OCPI_COMMAND_TYPES(X, P)                                                                   \
    X(P, CANCEL_RESERVATION) X(P, RESERVE_NOW) X(P, START_SESSION) X(P, STOP_SESSION)              \
    X(P, UNLOCK_CONNECTOR)
/* clang-format on */
WORDS_DECLARE(ocpi_command, OCPI_COMMAND, OCPI_COMMAND_TYPES)

/* clang-format off */
#define OCPI_COMMAND_RESPONSES(X, P)                                                               \
    X(P, NOT_SUPPORTED) X(P, REJECTED) X(P, ACCEPTED) X(P, UNKNOWN_SESSION)
/* clang-format on */
WORDS_DECLARE(ocpi_command_response_word, OCPI_RESPONSE, OCPI_COMMAND_RESPONSES)

/* clang-format off */
#define OCPI_COMMAND_RESULTS(X, P)                                                                 \
    X(P, ACCEPTED) X(P, CANCELED_RESERVATION) X(P, EVSE_OCCUPIED) X(P, EVSE_INOPERATIVE)           \
    X(P, FAILED) X(P, NOT_SUPPORTED) X(P, REJECTED) X(P, TIMEOUT) X(P, UNKNOWN_RESERVATION)
/* clang-format on */
WORDS_DECLARE(ocpi_command_result_word, OCPI_RESULT, OCPI_COMMAND_RESULTS)

struct ocpi_start_session {
    const char *response_url;
    const struct ocpi_token *token;
    const char *location_id, *evse_uid, *connector_id;
    const char *authorization_reference;
};

struct ocpi_stop_session {
    const char *response_url, *session_id;
};

struct ocpi_unlock_connector {
    const char *response_url, *location_id, *evse_uid, *connector_id;
};

struct ocpi_reserve_now {
    const char *response_url;
    const struct ocpi_token *token;
    int64_t expiry_date;
    const char *reservation_id, *location_id, *evse_uid;
    const char *authorization_reference;
};

struct ocpi_cancel_reservation {
    const char *response_url, *reservation_id;
};

struct ocpi_command_response {
    enum ocpi_command_response_word result;
    int64_t timeout; /* seconds */
    LIST_OF(struct ocpi_display_text) message;
};

struct ocpi_command_result {
    enum ocpi_command_result_word result;
    LIST_OF(struct ocpi_display_text) message;
};

extern const struct object_type ocpi_start_session_type;
extern const struct object_type ocpi_stop_session_type;
extern const struct object_type ocpi_unlock_connector_type;
extern const struct object_type ocpi_reserve_now_type;
extern const struct object_type ocpi_cancel_reservation_type;
extern const struct object_type ocpi_command_response_type;
extern const struct object_type ocpi_command_result_type;

/* The body's class for a command word of the path; NULL for an unknown one (R-CMD-01). */
const struct object_type *command_body_type(enum ocpi_command command);

#endif
