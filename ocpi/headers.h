/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers of OCPI over HTTP: credentials, routing, message ids, paging.
 */
#ifndef OCPI_HEADERS_H
#define OCPI_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ocpi/party.h"
#include "ocpi/peer.h"
#include "ocpi/version.h"

struct arena;

#define HEADER_AUTHORIZATION "Authorization"
#define HEADER_REQUEST_ID "X-Request-ID"
#define HEADER_CORRELATION_ID "X-Correlation-ID"
#define HEADER_TO_COUNTRY_CODE "OCPI-to-country-code"
#define HEADER_TO_PARTY_ID "OCPI-to-party-id"
#define HEADER_FROM_COUNTRY_CODE "OCPI-from-country-code"
#define HEADER_FROM_PARTY_ID "OCPI-from-party-id"
#define HEADER_TOTAL_COUNT "X-Total-Count"
#define HEADER_LIMIT "X-Limit"
#define HEADER_LINK "Link"
#define HEADER_LOCATION "Location"

enum { CREDENTIALS_TOKEN_MAX = 64 };

/* 1 to 64 printable, non-blank ASCII characters (R-TRANS-05). */
bool credentials_token_valid(const char *token);

/* What an Authorization header may mean: try `verbatim` first; only if nobody has that token, try
 * `decoded` (R-TRANS-03, 04). NULL: not a possible token, or excluded by the encoding. */
struct token_candidates {
    const char *verbatim;
    const char *decoded; /* Base64 decoded, trailing CR and LF dropped */
};

/* ERR_UNAUTHENTICATED if there is no header, ERR_TOKEN_INVALID if it has another form than
 * "Token <value>" or no candidate is left. No text of an error repeats the value. */
struct err authorization_read(struct arena *a, const char *header, enum auth_encoding encoding,
                              struct token_candidates *ret);
/* The value of the header. AUTO: Base64 from 2.2 on, raw before. */
char *authorization_print(struct arena *a, const char *token, enum auth_encoding encoding,
                          enum ocpi_version version);

/* Routing: who asks whom. A party that is not set was not named. */
struct routing {
    struct party_id from, to;
};

/* Arguments are header values or NULL. Half a pair, or values of the wrong form: ERR_BAD_FIELD with
 * the header's name in err.where (R-ROUTE-05). */
struct err routing_read(struct arena *a, const char *from_country_code, const char *from_party_id,
                        const char *to_country_code, const char *to_party_id, struct routing *ret);
/* In a response TO and FROM change places (R-ROUTE-04). */
struct routing routing_of_answer(struct routing request);
/* Configuration modules never carry routing headers (R-ROUTE-02). */
bool module_is_routed(const char *module);

/* A page that is asked for (R-TRANS-40..44). */
struct paging {
    int64_t offset;
    int64_t limit;        /* effective: never above the maximum */
    int64_t date_from_us; /* inclusive; TIME_NONE: not given */
    int64_t date_to_us;   /* exclusive; TIME_NONE: not given */
};

/* `query` without '?', NULL or "" for none. Errors are ERR_BAD_FIELD (2001) with the parameter's
 * name in err.where. date_from is required for Sessions (R-TRANS-42). */
struct err paging_read(struct arena *a, const char *query, int64_t max_limit,
                       bool date_from_required, struct paging *ret);
/* The value of the Link header for the page after this one: the endpoint, the request's filters,
 * the next offset, the effective limit. NULL if this is the last page (limit 0 included) or if the
 * URL would be longer than 255 characters. */
char *paging_link(struct arena *a, const char *endpoint_url, const char *query,
                  const struct paging *page, int64_t total_count);

/* The target of rel="next" in a Link header, as it came; NULL if there is none. */
char *link_next(struct arena *a, const char *header);
/* A header that is a whole number, such as X-Total-Count; -1 if it is not. */
int64_t header_count(const char *value);

#endif
