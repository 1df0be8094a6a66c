/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: table of 2.1.1.
 */
#include "ocpi/v211/credentials.h"

#include "ocpi/field.h"
#include "ocpi/headers.h"

static const char *credentials_token(const char *text)
{
    return credentials_token_valid(text) ? NULL : "a token of 1 to 64 printable characters";
}

/* clang-format off */
static const struct field credentials_fields[] = {
    TEXT  (struct ocpi211_credentials, token,            64, REQUIRED,
           .text_check = credentials_token, .rule = "R-TRANS-05"),
    URL   (struct ocpi211_credentials, url,              REQUIRED,
           .text_check = field_callable_url),
    OBJECT(struct ocpi211_credentials, business_details, business_details, REQUIRED),
    TEXT  (struct ocpi211_credentials, party_id,          3, REQUIRED | CASELESS,
           .text_check = field_party_id),
    TEXT  (struct ocpi211_credentials, country_code,      2, REQUIRED | CASELESS,
           .text_check = field_country_code),
};

const struct object_type ocpi211_credentials_type =
    OBJECT_TYPE("Credentials", OCPI_2_1_1, struct ocpi211_credentials, credentials_fields);
/* clang-format on */
