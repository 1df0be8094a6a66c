/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of 2.1.1, and the answer to "may this one charge?".
 */
#ifndef OCPI_V211_TOKEN_H
#define OCPI_V211_TOKEN_H

#include "ocpi/token.h"

/* Open: a type of a later version is read as UNLISTED (R-TYPE-15). */
#define OCPI211_TOKEN_TYPES(X, P) X(P, OTHER) X(P, RFID)
WORDS_DECLARE(ocpi211_token_kind, OCPI211_TOKEN, OCPI211_TOKEN_TYPES)

struct ocpi211_token {
    const char *uid;
    enum ocpi211_token_kind type;
    const char *auth_id; /* the contract */
    const char *visual_number;
    const char *issuer;
    bool valid;
    enum ocpi_whitelist_type whitelist;
    const char *language;
    int64_t last_updated;
};

struct ocpi211_location_references {
    const char *location_id;
    TEXT_LIST_OF evse_uids;
    TEXT_LIST_OF connector_ids;
};

struct ocpi211_authorization_info {
    enum ocpi_allowed_type allowed;
    const struct ocpi211_location_references *location;
    const struct ocpi_display_text *info;
};

extern const struct object_type ocpi211_token_type;
extern const struct object_type ocpi211_location_references_type;
extern const struct object_type ocpi211_authorization_info_type;

#endif
