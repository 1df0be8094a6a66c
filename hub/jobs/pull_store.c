/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storing a page of a pull: Locations, Tariffs and Tokens, a few at a time.
 *
 *    see the whole page --> compare: unchanged? one of our own? --> put what is left --> compare
 * ...
 */
#include "hub/jobs/pull_store.h"

#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "hub/hub.h"
#include "hub/partner/message_log.h"

enum {
    TEXT_MEMORY = 32 * 1024 * 1024,
    PAUSE_MAX_MS = 50,
    PACED_MS = 20000, /* a page so large that it takes longer gets no more pauses */
};

static bool is(const struct pull_store *s, const char *module)
{
    return strcmp(s->claim->module, module) == 0;
}

void pull_refused(struct flow *f, struct pull_store *s, const json_t *object, struct err e)
{
    const char *id = json_text_of(object, "id");

    s->refused++;
    message_log_object(f, s->in.partner, s->claim->module, id ? id : json_text_of(object, "uid"),
                       s->url, object, e);
    log_line(LOG_WARN, "an object of a page is refused", LOG_TEXT("partner", s->in.partner->name),
             LOG_TEXT("module", s->claim->module),
             LOG_TEXT("id", id ? id : json_text_of(object, "uid")), LOG_TEXT("text", err_text(e)),
             LOG_TEXT("where", e.where), LOG_TEXT("rule", e.rule));
}

/* Objects of 2.1.1 do not say whose they are: the connection's. NULL: it has no id. */
static const char *key_of(struct flow *f, const struct pull_store *s, const json_t *object)
{
    const char *country = json_text_of(object, "country_code");
    const char *owner = json_text_of(object, "party_id"), *id = json_text_of(object, "id");

    if (!id)
        return NULL;
    return pull_key(f->arena, country ? country : s->in.owner.country_code,
                    owner ? owner : s->in.owner.party_id, id);
}

static enum flow_next see(struct flow *f, struct pull_store *s)
{
    size_t size = json_array_size(s->objects), n = 0;
    const char **keys = arena_alloc(f->arena, (size + 1) * sizeof *keys);

    s->phase = PULL_COMPARE;
    if (is(s, MODULE_TOKENS)) /* never closed: they are valid or not (R-TOK-02) */
        return FLOW_AGAIN;
    for (size_t i = 0; i < size; i++) {
        const char *key = key_of(f, s, json_array_get(s->objects, i));
        if (key)
            keys[n++] = key;
        else
            s->unnamed = true;
    }
    pull_see(f, s->claim, keys, n);
    return FLOW_AGAIN;
}

/* The text itself is needed for what has changed only. */
static const char *digest_of(struct arena *a, const json_t *object)
{
    char *digest = arena_alloc(a, SHA256_HEX);
    struct arena *own = arena_new(TEXT_MEMORY);
    size_t length;
    const char *text = json_text(own, object, &length);

    id_sha256_hex(text, length, digest);
    arena_free(own);
    return digest;
}

static size_t slice_size(const struct pull_store *s)
{
    size_t left = json_array_size(s->objects) - s->index;

    return left < PULL_SLICE ? left : PULL_SLICE;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static enum flow_next compare(struct flow *f, struct pull_store *s)
{
    bool tokens = is(s, MODULE_TOKENS);
    size_t size = slice_size(s);

    if (size == 0)
        return FLOW_NEXT;
    s->phase = PULL_PUT;
    for (size_t i = 0; i < size; i++) {
        const json_t *object = json_array_get(s->objects, s->index + i);

        s->keys[i] = or_empty(tokens ? json_text_of(object, "uid") : key_of(f, s, object));
        s->digests[i] =
            tokens ? or_empty(pull_token_contract(&s->in, object)) : digest_of(f->arena, object);
    }
    if (tokens)
        pull_ours(f, s->keys, s->digests, size, s->skip);
    else
        pull_unchanged(f, s->claim, s->keys, s->digests, size, s->skip);
    return FLOW_AGAIN;
}

/* An id that comes twice in a slice: the later one counts. */
static bool comes_again(const struct pull_store *s, size_t i, size_t size)
{
    for (size_t k = i + 1; k < size && !is(s, MODULE_TOKENS); k++)
        if (*s->keys[i] && strcmp(s->keys[i], s->keys[k]) == 0)
            return true;
    return false;
}

struct slice {
    struct location_put *locations;
    struct tariff_put *tariffs;
    struct roaming_token_put *tokens;
    size_t count;
};

static struct err take_in(struct flow *f, const struct pull_store *s, const json_t *object,
                          const struct slice *to)
{
    if (is(s, MODULE_LOCATIONS))
        return intake_location_of(f, &s->in, object, &to->locations[to->count]);
    if (is(s, MODULE_TARIFFS))
        return intake_tariff_of(f, &s->in, object, &to->tariffs[to->count]);
    return pull_token(f, &s->in, object, &to->tokens[to->count]);
}

static void skipped(struct flow *f, struct pull_store *s, const json_t *object)
{
    /* Whoever owned such a token could charge at the cost of our users. */
    if (is(s, MODULE_TOKENS))
        pull_refused(
            f, s, object,
            err_rule(err_at(f->arena, ERR_BAD_FIELD, "/uid", "/uid: belongs to another eMSP"),
                     "R-TRANS-18"));
}

static enum flow_next put_slice(struct flow *f, struct pull_store *s)
{
    struct slice slice = {
        .locations = arena_alloc(f->arena, PULL_SLICE * sizeof(struct location_put)),
        .tariffs = arena_alloc(f->arena, PULL_SLICE * sizeof(struct tariff_put)),
        .tokens = arena_alloc(f->arena, PULL_SLICE * sizeof(struct roaming_token_put)),
    };
    size_t size = slice_size(s);

    for (size_t i = 0; i < size; i++) {
        const json_t *object = json_array_get(s->objects, s->index + i);
        if (s->skip[i])
            skipped(f, s, object);
        if (s->skip[i] || comes_again(s, i, size))
            continue;
        struct err e = take_in(f, s, object, &slice);
        if (failed(e))
            pull_refused(f, s, object, e);
        else
            slice.count++;
    }
    s->index += size;
    s->written += slice.count;
    s->phase = PULL_COMPARE;
    if (slice.count == 0)
        flow_sleep(f, 0); /* whoever waits for this process goes first */
    else if (is(s, MODULE_LOCATIONS))
        location_put_many(f, slice.locations, slice.count);
    else if (is(s, MODULE_TARIFFS))
        tariff_put_many(f, slice.tariffs, slice.count);
    else
        roaming_token_put_many(f, slice.tokens, slice.count);
    return FLOW_AGAIN;
}

/* A pull is in no hurry: the longer a slice took, the longer the pause after it. */
static bool pauses(struct flow *f, struct pull_store *s)
{
    int64_t now = time_monotonic_ms(), share = hub_of(f)->settings->pull_share;

    if (!s->page_ms) {
        s->page_ms = now;
        s->pause_at = PULL_SLICE;
    }
    if (!s->slice_ms)
        s->slice_ms = now;
    if (s->index < s->pause_at)
        return false;
    int64_t took = now - s->slice_ms + 1; /* the clock counts whole milliseconds */
    s->pause_at = s->index + PULL_SLICE;
    s->slice_ms = 0;
    if (share >= 100 || now - s->page_ms > PACED_MS)
        return false;
    int64_t pause = took * (100 - share) / share;
    flow_sleep(f, pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
    return true;
}

enum flow_next pull_store(struct flow *f, struct pull_store *s)
{
    if (pauses(f, s))
        return FLOW_AGAIN;
    if (is(s, MODULE_SESSIONS) || is(s, MODULE_CDRS) || is(s, MODULE_INVOICES))
        return pull_store_one(f, s);
    switch (s->phase) {
    case PULL_SEE:
        return see(f, s);
    case PULL_COMPARE:
        return compare(f, s);
    case PULL_PUT:
    case PULL_TELL:
        break;
    }
    return put_slice(f, s);
}
