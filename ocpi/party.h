/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Party ids: country code and party id, which name a company in a role. Both are CiStrings: they
 * compare without case and keep the spelling in which they came (R-TYPE-01).
 */
#ifndef OCPI_PARTY_H
#define OCPI_PARTY_H

#include <stdbool.h>

#include "ocpi/words.h"

#define OCPI_ROLES(X, P) X(P, CPO) X(P, EMSP) X(P, HUB) X(P, NAP) X(P, NSP) X(P, OTHER) X(P, SCSP)
WORDS_DECLARE(ocpi_role, OCPI_ROLE, OCPI_ROLES)

#define OCPI_INTERFACE_ROLES(X, P) X(P, SENDER) X(P, RECEIVER)
WORDS_DECLARE(ocpi_interface, OCPI_INTERFACE, OCPI_INTERFACE_ROLES)

struct party_id {
    char country_code[3]; /* "": no party */
    char party_id[4];
};

enum { PARTY_TEXT = 8 };

/* Two letters; three letters or digits. */
bool party_country_valid(const char *country_code);
bool party_name_valid(const char *party_id);
/* false, and *ret without a party, if either is not valid. */
bool party_id_make(const char *country_code, const char *party_id, struct party_id *ret);
bool party_id_equal(const struct party_id *a, const struct party_id *b);
bool party_id_is_set(const struct party_id *p);
/* "FI-HUB", upper case: for logs and keys. */
const char *party_id_print(const struct party_id *p, char buffer[PARTY_TEXT]);
/* "FI-HUB", "FI*HUB" or "FIHUB". */
bool party_id_parse(const char *text, struct party_id *ret);

#endif
