/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storing a page of a pull.
 *
 *    Locations, Tariffs, Tokens   see the whole page -> ten at a time: compare -> put what differs
 *    Sessions, CDRs               one at a time, each with what it does to a session of ours
 */
#include "hub/jobs/pull_store.h"

#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "hub/jobs/jobs.h"
#include "hub/partner/intake.h"

enum { TEXT_MEMORY = 32 * 1024 * 1024 };

static bool is(const struct pull_store *s, const char *module)
{
    return strcmp(s->claim->module, module) == 0;
}

static void note_refused(struct pull_store *s, const json_t *object, struct err e)
{
    s->refused++;
    log_line(LOG_WARN, "an object of a page is refused", LOG_TEXT("partner", s->partner->name),
             LOG_TEXT("module", s->claim->module), LOG_TEXT("id", json_text_of(object, "id")),
             LOG_TEXT("text", err_text(e)), LOG_TEXT("where", e.where));
}

/* Objects of 2.1.1 do not say whose they are: the connection's. NULL: it has no id. */
static const char *key_of(struct flow *f, const struct pull_store *s, const json_t *object)
{
    const struct party_id *party = &s->partner->peer.their_party;
    const char *country = json_text_of(object, "country_code");
    const char *owner = json_text_of(object, "party_id"), *id = json_text_of(object, "id");

    if (!id)
        return NULL;
    return pull_key(f->arena, country ? country : party->country_code,
                    owner ? owner : party->party_id, id);
}

/* ---- many at a time ---- */

static enum flow_next see(struct flow *f, struct pull_store *s)
{
    size_t size = json_array_size(s->objects), n = 0;
    const char **keys = arena_alloc(f->arena, (size + 1) * sizeof *keys);

    s->phase = PULL_COMPARE;
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

static enum flow_next compare(struct flow *f, struct pull_store *s)
{
    size_t size = slice_size(s);

    if (size == 0)
        return FLOW_NEXT;
    s->phase = PULL_PUT;
    for (size_t i = 0; i < size; i++) {
        const json_t *object = json_array_get(s->objects, s->index + i);
        const char *key = key_of(f, s, object);

        s->keys[i] = key ? key : "";
        s->digests[i] = digest_of(f->arena, object);
    }
    pull_unchanged(f, s->claim, s->keys, s->digests, size, s->unchanged);
    return FLOW_AGAIN;
}

/* An id that comes twice in a slice: the later one counts. */
static bool comes_again(const struct pull_store *s, size_t i, size_t size)
{
    for (size_t k = i + 1; k < size; k++)
        if (*s->keys[i] && strcmp(s->keys[i], s->keys[k]) == 0)
            return true;
    return false;
}

static struct err take_in(struct flow *f, const struct pull_store *s, const json_t *object,
                          struct location_put *location, struct tariff_put *tariff)
{
    if (is(s, MODULE_LOCATIONS))
        return intake_location(f, s->partner, object, location);
    return intake_tariff(f, s->partner, object, tariff);
}

static enum flow_next put_slice(struct flow *f, struct pull_store *s)
{
    struct location_put *locations = arena_alloc(f->arena, PULL_SLICE * sizeof *locations);
    struct tariff_put *tariffs = arena_alloc(f->arena, PULL_SLICE * sizeof *tariffs);
    size_t size = slice_size(s), n = 0;

    for (size_t i = 0; i < size; i++) {
        const json_t *object = json_array_get(s->objects, s->index + i);
        if (s->unchanged[i] || comes_again(s, i, size))
            continue;
        struct err e = take_in(f, s, object, &locations[n], &tariffs[n]);
        if (failed(e))
            note_refused(s, object, e);
        else
            n++;
    }
    s->index += size;
    s->written += n;
    s->phase = PULL_COMPARE;
    if (n == 0)
        flow_sleep(f, 0); /* whoever waits for this process goes first */
    else if (is(s, MODULE_LOCATIONS))
        location_put_many(f, locations, n);
    else
        tariff_put_many(f, tariffs, n);
    return FLOW_AGAIN;
}

/* ---- one at a time ---- */

static void tell(struct flow *f, struct pull_store *s)
{
    if (s->told)
        return;
    s->told = true;
    after_session_change(hub_of(f),
                         is(s, MODULE_SESSIONS) ? &s->session.session : &s->cdr.session);
}

/* The next good object is put, the result of the former one is told. */
static enum flow_next put_next(struct flow *f, struct pull_store *s)
{
    if (s->phase == PULL_TELL)
        tell(f, s);
    while (s->index < json_array_size(s->objects)) {
        const json_t *o = json_array_get(s->objects, s->index++);
        struct network_session_put *session = arena_alloc(f->arena, sizeof *session);
        struct cdr_put *cdr = arena_alloc(f->arena, sizeof *cdr);
        struct err e = is(s, MODULE_SESSIONS) ? intake_session(f, s->partner, o, session)
                                              : intake_cdr(f, s->partner, o, NULL, 0, cdr);
        if (failed(e)) {
            note_refused(s, o, e);
            continue;
        }
        s->phase = PULL_TELL;
        s->told = false;
        s->written++;
        if (is(s, MODULE_SESSIONS)) {
            session->by_pull = true;
            network_session_put(f, session, &s->session);
        } else {
            cdr_put(f, cdr, &s->cdr);
        }
        return FLOW_AGAIN;
    }
    return FLOW_NEXT;
}

enum flow_next pull_store(struct flow *f, struct pull_store *s)
{
    if (is(s, MODULE_SESSIONS) || is(s, MODULE_CDRS))
        return put_next(f, s);
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
