/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EVSE ids as people write them ("FI*VRT*E12345", "fi-vrt-e12345"), and the connector words of the
 * start request.
 */
#ifndef OCPI_EVSE_ID_H
#define OCPI_EVSE_ID_H

#include <stdbool.h>

#include "ocpi/party.h"

enum { EVSE_ID_MAX = 48, EVSE_ID_KEY = EVSE_ID_MAX + 1 };

/* CC[-*]?PPP[-*]?E...: two letters, three letters or digits, E, then 1 to 30 of A-Z a-z 0-9 * -,
 * at most 48 characters in all. */
bool evse_id_valid(const char *id);
/* The form in which ids are compared: upper case, without '-' and '*'. Also for ids of networks
 * that do not keep to the pattern; false if the text is longer than 48 characters, has characters
 * outside printable ASCII, or nothing is left of it. */
bool evse_id_key(const char *id, char ret[EVSE_ID_KEY]);
/* The first five characters of a key; false if they are no party. */
bool evse_id_operator(const char *key, struct party_id *ret);

/* CCS, CCS1, CCS2, CHADEMO, TYPE1, TYPE2, NACS, SCHUKO, GBT_AC, GBT_DC or an OCPI ConnectorType,
 * without regard to case. */
bool connector_word_valid(const char *word);
/* Whether a connector of this OCPI standard is what the word asks for. `country` is the location's
 * ISO 3166-1 alpha-3 code (may be NULL): CCS is combo 1 in North America, combo 2 elsewhere. */
bool connector_word_fits(const char *word, const char *standard, const char *country);

#endif
