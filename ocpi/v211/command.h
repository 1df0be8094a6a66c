/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands of 2.1.1: four of them, and one class for both the response and the result. StopSession
 * is the one of ocpi/command.h.
 */
#ifndef OCPI_V211_COMMAND_H
#define OCPI_V211_COMMAND_H

#include "ocpi/command.h"
#include "ocpi/v211/token.h"

/* clang-format off */
#define OCPI211_COMMAND_RESPONSES(X, P)                                                            \
    X(P, NOT_SUPPORTED) X(P, REJECTED) X(P, ACCEPTED) X(P, TIMEOUT) X(P, UNKNOWN_SESSION)
/* clang-format on */
WORDS_DECLARE(ocpi211_command_response_word, OCPI211_RESPONSE, OCPI211_COMMAND_RESPONSES)

struct ocpi211_start_session {
    const char *response_url;
    const struct ocpi211_token *token;
    const char *location_id, *evse_uid;
};

struct ocpi211_unlock_connector {
    const char *response_url, *location_id, *evse_uid, *connector_id;
};

struct ocpi211_reserve_now {
    const char *response_url;
    const struct ocpi211_token *token;
    int64_t expiry_date;
    int64_t reservation_id; /* a number here */
    const char *location_id, *evse_uid;
};

struct ocpi211_command_response {
    enum ocpi211_command_response_word result;
};

extern const struct object_type ocpi211_start_session_type;
extern const struct object_type ocpi211_unlock_connector_type;
extern const struct object_type ocpi211_reserve_now_type;
extern const struct object_type ocpi211_command_response_type;

/* The body's class for a command word of the path; NULL for one that 2.1.1 does not have. */
const struct object_type *ocpi211_command_body_type(enum ocpi_command command);

#endif
