/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a request's path and query. Both come encoded: a decoded '/' or '&' is data, so they are
 * split first and decoded afterwards. Percent-escapes must be two hex digits, not %00, and the
 * result UTF-8; anything else is BAD_HTTP, never a guess.
 */
#ifndef HUB_SERVER_HTTP_PATH_H
#define HUB_SERVER_HTTP_PATH_H

#include "base/err.h"

#include <stddef.h>

struct arena;

enum { HTTP_SEGMENTS_MAX = 16 };

struct http_path {
    const char *segments[HTTP_SEGMENTS_MAX]; /* decoded; may hold '/' that came as %2F */
    size_t count;
};

/*
 * "/ocpi/2.2.1/sessions/DE%2A1" -> "ocpi" "2.2.1" "sessions" "DE*1". "/" has no segment. A slash at
 * the end and double slashes make empty segments ("/a/" -> "a" ""): whether those are a page is
 * the router's choice. A decoded "." or ".." is refused, and so are too many segments.
 */
struct err http_path_split(struct arena *a, const char *path, struct http_path *ret);

/*
 * The first value of a query parameter, decoded ('+' is a blank); *ret_value is NULL if it is
 * absent and "" for "name" and "name=". *ret_count: how often it came (may be NULL). Repeating a
 * parameter is for the caller to judge.
 */
struct err http_query_find(struct arena *a, const char *query, const char *name,
                           const char **ret_value, size_t *ret_count);

/* The same for callers to whom a broken value is an absent one: NULL for both. */
const char *http_query_get(struct arena *a, const char *query, const char *name, size_t *ret_count);

#endif
