/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: tables of 2.3.0.
 */
#include "ocpi/v230/credentials.h"

#include "base/arena.h"
#include "base/text.h"
#include "ocpi/field.h"
#include "ocpi/headers.h"
#include "ocpi/party.h"

static const char *credentials_token(const char *text)
{
    return credentials_token_valid(text) ? NULL : "a token of 1 to 64 printable characters";
}

/* R-CRED-17. Five characters have no room for a separator. */
static const char *hub_party_id(const char *text)
{
    struct party_id party;

    return party_id_parse(text, &party)
               ? NULL
               : "a country code of two letters and a party id of three letters or digits";
}

/* R-CRED-12: each entry is unique by role, party and country. */
static struct err credentials_check(const struct object_place *at, const void *object)
{
    const struct ocpi230_credentials *c = object;

    for (size_t i = 0; i < c->roles.count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct ocpi230_credentials_role *a = &c->roles.at[i], *b = &c->roles.at[j];

            if (a->role == b->role && text_equal_caseless(a->party_id, b->party_id) &&
                text_equal_caseless(a->country_code, b->country_code))
                return object_rule(object_complaint(at, arena_printf(at->arena, "roles/%zu", i),
                                                    "the same role of the same party came twice"),
                                   "R-CRED-12", "each role of a party once");
        }
    }
    return OK;
}

/* clang-format off */
static const struct field credentials_role_fields[] = {
    ENUM_OF(struct ocpi230_credentials_role, role,            ocpi230_role, REQUIRED),
    OBJECT(struct ocpi230_credentials_role, business_details, business_details, REQUIRED),
    TEXT  (struct ocpi230_credentials_role, party_id,         3, REQUIRED | CASELESS,
           .text_check = field_party_id),
    TEXT  (struct ocpi230_credentials_role, country_code,     2, REQUIRED | CASELESS,
           .text_check = field_country_code),
};

static const struct field credentials_fields[] = {
    TEXT  (struct ocpi230_credentials, token,        64, REQUIRED,
           .text_check = credentials_token, .rule = "R-TRANS-05"),
    URL   (struct ocpi230_credentials, url,          REQUIRED, .text_check = field_callable_url),
    TEXT  (struct ocpi230_credentials, hub_party_id,  5, OPTIONAL | CASELESS,
           .text_check = hub_party_id, .rule = "R-CRED-17"),
    OBJECT_LIST_OF(struct ocpi230_credentials, roles, ocpi230_credentials_role, REQUIRED),
};

const struct object_type ocpi230_credentials_role_type =
    OBJECT_TYPE("CredentialsRole", OCPI_2_3_0, struct ocpi230_credentials_role,
                credentials_role_fields);
const struct object_type ocpi230_credentials_type =
    OBJECT_TYPE("Credentials", OCPI_2_3_0, struct ocpi230_credentials, credentials_fields,
                .check = credentials_check);
/* clang-format on */
