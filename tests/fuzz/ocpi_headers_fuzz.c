/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: what partners put into headers, URLs and envelopes. The first byte chooses the
 * reader; the rest is the text.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "ocpi/envelope.h"
#include "ocpi/evse_id.h"
#include "ocpi/headers.h"
#include "ocpi/outcome.h"
#include "ocpi/url.h"

enum { ARENA_MAX = 512 * 1024 * 1024, INPUT_MAX = 16 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_authorization(struct arena *a, const char *text)
{
    struct token_candidates c;

    for (int i = AUTH_AUTO; i <= AUTH_BASE64; i++) {
        if (failed(authorization_read(a, text, (enum auth_encoding)i, &c)))
            continue;
        assert(c.verbatim || c.decoded);
        assert(!c.verbatim || credentials_token_valid(c.verbatim));
        assert(!c.decoded || credentials_token_valid(c.decoded));
    }
}

static void try_paging(struct arena *a, const char *text)
{
    struct paging p;
    char *link, *next;

    if (failed(paging_read(a, text, 100, false, &p)))
        return;
    assert(p.offset >= 0 && p.limit >= 0 && p.limit <= 100);
    link = paging_link(a, "https://hub.example/x", text, &p, INT64_MAX);
    if (!link)
        return;
    assert(!strpbrk(link, "\r\n"));
    next = link_next(a, link);
    assert(next && strlen(next) <= URL_MAX);
}

static void try_url(struct arena *a, const char *text)
{
    struct url u, v;
    char *url = query_response_url(a, text);

    assert(!url || url_callable(url));
    assert(url_parse(a, text, &u) == url_callable(text));
    if (url_callable(text)) {
        assert(url_parse(a, text, &u) && url_parse(a, url_join(a, text, "a/b", NULL), &v));
        assert(url_same_origin(&u, &v));
    }
}

static void try_envelope(struct arena *a, const char *text, size_t length, int http_status)
{
    struct envelope_rules rules = {.missing_envelope = http_status & 1};
    struct envelope e;

    envelope_read(a, http_status, text, length, &rules, &e);
    for (int ask = OUTCOME_OF_START; ask <= OUTCOME_OF_GET_PROFILE; ask++) {
        struct outcome o = outcome_of_response((enum outcome_ask)ask, &e);

        assert(ocpi_outcome_name(o.kind));
        assert(o.kind != OCPI_OUTCOME_ACCEPTED || envelope_is_success(&e));
    }
}

static void try_ids(struct arena *a, const char *text)
{
    char key[EVSE_ID_KEY];
    struct routing r;

    if (evse_id_valid(text))
        assert(evse_id_key(text, key));
    (void)connector_word_fits(text, text, text);
    (void)session_move_allowed(text, text);
    (void)routing_read(a, text, text, text + strlen(text) / 2, text, &r);
    (void)outcome_of_result(OUTCOME_OF_STOP, text);
    (void)header_count(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a;
    char *text;

    if (size < 2 || size > INPUT_MAX)
        return 0;
    a = arena_new(ARENA_MAX);
    text = arena_bytes(a, data + 2, size - 2);
    switch (data[0] % 6) {
    case 0:
        try_authorization(a, text);
        break;
    case 1:
        try_paging(a, text);
        break;
    case 2:
        try_url(a, text);
        break;
    case 3:
        try_envelope(a, text, size - 2, 200 + data[1] * 2);
        break;
    case 4:
        try_ids(a, text);
        break;
    default:
        (void)link_next(a, text);
        break;
    }
    arena_free(a);
    return 0;
}
