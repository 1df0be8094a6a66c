/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links of relayed lists under any bytes: the query comes from the requester, the next URL from the
 * receiver. What we hand out is one header line, a URL of ours, and leads to our cursor.
 *
 * Input: the query, a newline, the next URL.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "hub/relay/cursor.h"
#include "ocpi/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ENDPOINT "https://hub.example/ocpi/cpo/2.2.1/sessions"
#define ID "abcdefghijklmnopqrstuv"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(4 * 1024 * 1024);
    const char *query = arena_bytes(a, data, size), *next = "";
    char *line = strchr(query, '\n');
    struct url url;

    if (line) {
        *line = 0;
        next = line + 1;
    }
    (void)cursor_in(a, query);

    const char *made = cursor_url(a, ENDPOINT, query, ID, next);
    assert(made && strlen(made) <= URL_MAX);
    assert(strncmp(made, ENDPOINT "?cursor=" ID, strlen(ENDPOINT "?cursor=" ID)) == 0);
    for (const char *c = made; *c; c++)
        assert(*c > ' ' && *c <= '~' && !strchr("<>\"#", *c));
    assert(url_parse(a, made, &url) && strcmp(url.host, "hub.example") == 0);
    assert(strcmp(cursor_in(a, strchr(made, '?') + 1), ID) == 0);
    arena_free(a);
    return 0;
}
