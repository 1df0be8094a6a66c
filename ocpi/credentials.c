/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: tables (2.2.1).
 */
#include "ocpi/credentials.h"

#include "base/arena.h"
#include "base/text.h"
#include "ocpi/field.h"
#include "ocpi/headers.h"

static const char *credentials_token(const char *text)
{
    return credentials_token_valid(text) ? NULL : "a token of 1 to 64 printable characters";
}

/* R-CRED-12: each entry is unique by role, party and country. */
static struct err credentials_check(const struct object_place *at, const void *object)
{
    const struct ocpi_credentials *c = object;

    for (size_t i = 0; i < c->roles.count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct ocpi_credentials_role *a = &c->roles.at[i], *b = &c->roles.at[j];

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
    ENUM  (struct ocpi_credentials_role, role,             role, REQUIRED),
    OBJECT(struct ocpi_credentials_role, business_details, business_details, REQUIRED),
    TEXT  (struct ocpi_credentials_role, party_id,         3, REQUIRED | CASELESS,
           .text_check = field_party_id),
    TEXT  (struct ocpi_credentials_role, country_code,     2, REQUIRED | CASELESS,
           .text_check = field_country_code),
};

static const struct field credentials_fields[] = {
    TEXT  (struct ocpi_credentials, token, 64, REQUIRED, .text_check = credentials_token,
           .rule = "R-TRANS-05"),
    URL   (struct ocpi_credentials, url,   REQUIRED, .text_check = field_callable_url),
    LIST  (struct ocpi_credentials, roles, credentials_role, REQUIRED),
};

const struct object_type ocpi_credentials_role_type =
    OBJECT_TYPE("CredentialsRole", OCPI_2_2_1, struct ocpi_credentials_role,
                credentials_role_fields);
const struct object_type ocpi_credentials_type =
    OBJECT_TYPE("Credentials", OCPI_2_2_1, struct ocpi_credentials, credentials_fields,
                .check = credentials_check);
/* clang-format on */
