/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens: what drivers identify themselves with, and the answer to "may this one charge?" (R-TOK).
 */
#ifndef OCPI_TOKEN_H
#define OCPI_TOKEN_H

#include "ocpi/types.h"

#define OCPI_TOKEN_TYPES(X, P) X(P, AD_HOC_USER) X(P, APP_USER) X(P, EMAID) X(P, OTHER) X(P, RFID)
WORDS_DECLARE(ocpi_token_kind, OCPI_TOKEN, OCPI_TOKEN_TYPES)

#define OCPI_WHITELIST_TYPES(X, P) X(P, ALWAYS) X(P, ALLOWED) X(P, ALLOWED_OFFLINE) X(P, NEVER)
WORDS_DECLARE(ocpi_whitelist_type, OCPI_WHITELIST, OCPI_WHITELIST_TYPES)

#define OCPI_PROFILE_TYPES(X, P) X(P, CHEAP) X(P, FAST) X(P, GREEN) X(P, REGULAR)
WORDS_DECLARE(ocpi_profile_type, OCPI_PROFILE, OCPI_PROFILE_TYPES)

/* clang-format off */
#define OCPI_ALLOWED_TYPES(X, P)                                                                   \
    X(P, ALLOWED) X(P, BLOCKED) X(P, EXPIRED) X(P, NO_CREDIT) X(P, NOT_ALLOWED)
/* clang-format on */
WORDS_DECLARE(ocpi_allowed_type, OCPI_ALLOWED, OCPI_ALLOWED_TYPES)

struct ocpi_energy_contract {
    const char *supplier_name, *contract_id;
};

struct ocpi_token {
    const char *country_code, *party_id;
    const char *uid;
    enum ocpi_token_kind type;
    const char *contract_id;
    const char *visual_number;
    const char *issuer;
    const char *group_id;
    bool valid;
    enum ocpi_whitelist_type whitelist;
    const char *language;
    enum ocpi_profile_type default_profile_type;
    const struct ocpi_energy_contract *energy_contract;
    int64_t last_updated;
};

struct ocpi_location_references {
    const char *location_id;
    TEXT_LIST_OF evse_uids;
};

struct ocpi_authorization_info {
    enum ocpi_allowed_type allowed;
    const struct ocpi_token *token;
    const struct ocpi_location_references *location;
    const char *authorization_reference;
    const struct ocpi_display_text *info;
};

extern const struct object_type ocpi_energy_contract_type;
extern const struct object_type ocpi_token_type;
extern const struct object_type ocpi_location_references_type;
extern const struct object_type ocpi_authorization_info_type;

#endif
