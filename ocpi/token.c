/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens: tables (2.2.1).
 */
#include "ocpi/token.h"

#include "ocpi/field.h"

WORDS_DEFINE(ocpi_token_kind, OCPI_TOKEN, OCPI_TOKEN_TYPES, "TokenType", .open = true)
WORDS_DEFINE(ocpi_whitelist_type, OCPI_WHITELIST, OCPI_WHITELIST_TYPES, "WhitelistType",
             .open = false)
WORDS_DEFINE(ocpi_profile_type, OCPI_PROFILE, OCPI_PROFILE_TYPES, "ProfileType", .open = false)
WORDS_DEFINE(ocpi_allowed_type, OCPI_ALLOWED, OCPI_ALLOWED_TYPES, "AllowedType", .open = false)

/* clang-format off */
static const struct field energy_contract_fields[] = {
    TEXT  (struct ocpi_energy_contract, supplier_name, 64, REQUIRED),
    TEXT  (struct ocpi_energy_contract, contract_id,   64, OPTIONAL),
};

static const struct field token_fields[] = {
    TEXT  (struct ocpi_token, country_code,          2, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_country_code),
    TEXT  (struct ocpi_token, party_id,              3, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_party_id),
    TEXT  (struct ocpi_token, uid,                  36, REQUIRED | CASELESS | IDENTITY),
    ENUM  (struct ocpi_token, type,                 token_kind, REQUIRED | IDENTITY),
    TEXT  (struct ocpi_token, contract_id,          36, REQUIRED | CASELESS),
    TEXT  (struct ocpi_token, visual_number,        64, OPTIONAL),
    TEXT  (struct ocpi_token, issuer,               64, REQUIRED),
    TEXT  (struct ocpi_token, group_id,             36, OPTIONAL | CASELESS),
    BOOL  (struct ocpi_token, valid,                REQUIRED),
    ENUM  (struct ocpi_token, whitelist,            whitelist_type, REQUIRED),
    TEXT  (struct ocpi_token, language,              2, OPTIONAL, .text_check = field_language),
    ENUM  (struct ocpi_token, default_profile_type, profile_type, OPTIONAL),
    OBJECT(struct ocpi_token, energy_contract,      energy_contract, OPTIONAL),
    TIME  (struct ocpi_token, last_updated,         REQUIRED),
};

static const struct field location_references_fields[] = {
    TEXT     (struct ocpi_location_references, location_id, 36, REQUIRED | CASELESS),
    TEXT_LIST(struct ocpi_location_references, evse_uids,   36, OPTIONAL | CASELESS),
};

static const struct field authorization_info_fields[] = {
    ENUM  (struct ocpi_authorization_info, allowed,  allowed_type, REQUIRED),
    OBJECT(struct ocpi_authorization_info, token,    token, REQUIRED),
    OBJECT(struct ocpi_authorization_info, location, location_references, OPTIONAL),
    TEXT  (struct ocpi_authorization_info, authorization_reference, 36, OPTIONAL | CASELESS),
    OBJECT(struct ocpi_authorization_info, info,     display_text, OPTIONAL),
};

const struct object_type ocpi_energy_contract_type =
    OBJECT_TYPE("EnergyContract", OCPI_2_2_1, struct ocpi_energy_contract, energy_contract_fields);
const struct object_type ocpi_token_type =
    OBJECT_TYPE("Token", OCPI_2_2_1, struct ocpi_token, token_fields);
const struct object_type ocpi_location_references_type =
    OBJECT_TYPE("LocationReferences", OCPI_2_2_1, struct ocpi_location_references,
                location_references_fields);
const struct object_type ocpi_authorization_info_type =
    OBJECT_TYPE("AuthorizationInfo", OCPI_2_2_1, struct ocpi_authorization_info,
                authorization_info_fields);
/* clang-format on */
