/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs: taking apart and joining. Nothing here decides whether a URL may be called from this
 * machine; that is the SSRF guard's work, with the address in hand.
 */
#ifndef OCPI_URL_H
#define OCPI_URL_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

enum { URL_MAX = 255 }; /* R-TYPE-10 */

struct url {
    bool tls;
    const char *host; /* lower case; an IPv6 address without its brackets */
    unsigned port;    /* 443 or 80 where none is given */
    const char *rest; /* from the path on, "" if there is none; without fragment */
};

/* http and https with a host; no user name, no blanks or control characters. */
bool url_parse(struct arena *a, const char *text, struct url *ret);
/* The same without an arena: is this a URL somebody could call? */
bool url_callable(const char *text);
bool url_same_origin(const struct url *a, const struct url *b);

/* Joins with exactly one '/' (R-VER-08); every segment is percent-encoded (R-VER-09). A query of
 * the base stays behind the path. The segments end with NULL. */
char *url_join(struct arena *a, const char *base, ...) __attribute__((sentinel));
/* Adds name=value pairs, percent-encoded; pairs end with NULL, a pair with NULL value is left out.
 */
char *url_query(struct arena *a, const char *url, ...) __attribute__((sentinel));

/* The decoded value of a parameter in a query ("a=1&b=2", no '?'). NULL: absent or badly encoded.
 * *ret_times, which may be NULL, counts how often the name occurs. */
char *query_value(struct arena *a, const char *query, const char *name, size_t *ret_times);
/* response_url of a charging profile GET or DELETE; a sender may have left it unencoded, with '&'
 * inside (R-ASYNC-16). NULL if there is none. */
char *query_response_url(struct arena *a, const char *query);

#endif
