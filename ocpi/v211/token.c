/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens: tables of 2.1.1.
 */
#include "ocpi/v211/token.h"

#include "ocpi/field.h"

WORDS_DEFINE(ocpi211_token_kind, OCPI211_TOKEN, OCPI211_TOKEN_TYPES, "TokenType", .open = true)

/* clang-format off */
static const struct field token_fields[] = {
    TEXT  (struct ocpi211_token, uid,           36, REQUIRED | CASELESS | IDENTITY),
    ENUM_OF(struct ocpi211_token, type,         ocpi211_token_kind, REQUIRED | IDENTITY),
    TEXT  (struct ocpi211_token, auth_id,       36, REQUIRED | CASELESS),
    TEXT  (struct ocpi211_token, visual_number, 64, OPTIONAL),
    TEXT  (struct ocpi211_token, issuer,        64, REQUIRED),
    BOOL  (struct ocpi211_token, valid,         REQUIRED),
    ENUM  (struct ocpi211_token, whitelist,     whitelist_type, REQUIRED),
    TEXT  (struct ocpi211_token, language,       2, OPTIONAL, .text_check = field_language),
    TIME  (struct ocpi211_token, last_updated,  REQUIRED),
};

static const struct field location_references_fields[] = {
    TEXT     (struct ocpi211_location_references, location_id,   39, REQUIRED | CASELESS),
    TEXT_LIST(struct ocpi211_location_references, evse_uids,     39, OPTIONAL | CASELESS),
    TEXT_LIST(struct ocpi211_location_references, connector_ids, 36, OPTIONAL | CASELESS),
};

static const struct field authorization_info_fields[] = {
    ENUM  (struct ocpi211_authorization_info, allowed,  allowed_type, REQUIRED),
    OBJECT_OF(struct ocpi211_authorization_info, location, ocpi211_location_references, OPTIONAL),
    OBJECT(struct ocpi211_authorization_info, info,     display_text, OPTIONAL),
};

const struct object_type ocpi211_token_type =
    OBJECT_TYPE("Token", OCPI_2_1_1, struct ocpi211_token, token_fields);
const struct object_type ocpi211_location_references_type =
    OBJECT_TYPE("LocationReferences", OCPI_2_1_1, struct ocpi211_location_references,
                location_references_fields);
const struct object_type ocpi211_authorization_info_type =
    OBJECT_TYPE("AuthorizationInfo", OCPI_2_1_1, struct ocpi211_authorization_info,
                authorization_info_fields);
/* clang-format on */
