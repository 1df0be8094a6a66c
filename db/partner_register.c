/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register of partners: immutable snapshots, counted. The newest one is held by this file, an
 * older one by the flows that have looked into it; the last to let go frees it and wipes its
 * secrets.
 */
#include "db/partner_register.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "db/cache.h"
#include "db/fresh.h"
#include "db/statements.h"

enum {
    REGISTER_MAX = 256 * 1024 * 1024,
    MORE_VALUES = 1000000, /* of one partner: a hub may have thousands of parties */
    EVERY_MS = 5000,
};

struct partner_register {
    unsigned refs;
    uint64_t number;
    struct arena *arena;
    struct partner *partners;
    size_t partner_count;
    struct partner_token *tokens; /* sorted by hash */
    size_t token_count;
};

static struct {
    struct partner_register *newest;
} state;

static bool read_register(void);
static struct fresh fresh = {.channel = "partner", .every_ms = EVERY_MS, .read = read_register};

/* ---- holding ---- */

static void register_unref(void *what)
{
    struct partner_register *r = what;

    if (!r || --r->refs > 0)
        return;
    for (size_t i = 0; i < r->partner_count; i++)
        secret_wipe(&r->partners[i].peer.token);
    arena_free(r->arena);
    free(r);
}

/* The flow keeps what it looks at until it ends. */
static struct partner_register *register_hold(struct flow *f)
{
    struct partner_register *r = state.newest;

    if (r) {
        r->refs++;
        arena_on_free(f->arena, register_unref, r);
    }
    return r;
}

bool partner_register_ready(void)
{
    return state.newest != NULL;
}

uint64_t partner_register_number(void)
{
    return state.newest ? state.newest->number : 0;
}

/* ---- building ---- */

static void build_peer(struct arena *a, struct partner *p, const PGresult *rows, int row,
                       const json_t *more)
{
    const json_t *endpoints = json_array_of(more, "endpoints");
    const json_t *hosts = json_array_of(more, "hosts");
    const json_t *quirks = json_object_of(more, "quirks");
    const char *version = pg_text(a, rows, row, "version");
    const char *our_country = pg_text(a, rows, row, "our_country");
    const char *our_party = pg_text(a, rows, row, "our_party");
    const char *sealed = pg_text(a, rows, row, "token_out");

    p->peer.partner_id = p->id;
    p->peer.name = p->name;
    p->peer.version = version ? version_parse(version) : OCPI_VERSION_NONE;
    p->peer.versions_url = pg_text(a, rows, row, "versions_url");
    if (!auth_encoding_parse(pg_text(a, rows, row, "auth_encoding"), &p->peer.auth_encoding))
        p->peer.auth_encoding = AUTH_AUTO;
    if (our_country && our_party)
        (void)party_id_make(our_country, our_party, &p->peer.our_party);

    if (sealed) {
        char *token = secret_open(a, pg_options()->data_key,
                                  arena_printf(a, "%lld", (long long)p->id), sealed);
        if (token) {
            p->peer.token = secret_from(token, strlen(token));
            explicit_bzero(token, strlen(token));
        } else {
            log_line(LOG_ERROR, "a partner's token cannot be opened: another data key?",
                     LOG_INT("partner", p->id));
        }
    }

    size_t count = json_array_size(endpoints);
    struct peer_endpoint *list = arena_alloc(a, sizeof(*list) * (count + 1));
    for (size_t i = 0; i < count; i++) {
        const json_t *e = json_array_get(endpoints, i);

        list[i].module = json_text_of(e, "identifier");
        list[i].role = ocpi_interface_parse(json_text_of(e, "role"));
        list[i].url = json_text_of(e, "url");
        if (list[i].module && list[i].url)
            list[p->peer.endpoint_count++] = list[i];
    }
    p->peer.endpoints = list;

    const char **names = arena_alloc(a, sizeof(*names) * (json_array_size(hosts) + 1));
    for (size_t i = 0; i < json_array_size(hosts); i++)
        names[p->peer.host_count++] = json_string_value(json_array_get(hosts, i));
    p->peer.hosts = names;

    p->quirks = quirks ? json_text(a, quirks, NULL) : "{}";
    p->peer.quirks = quirks_read(quirks);
    p->peer.leniency = (struct object_leniency){
        .numbers_as_text = p->peer.quirks.numbers_as_text,
        .offset_times = p->peer.quirks.offset_times,
        .long_text = p->peer.quirks.long_text,
        .unknown_words = p->peer.quirks.unknown_words,
    };
}

/* What can be read of them, in their order. */
static size_t read_parties(struct arena *a, const json_t *list, struct partner_party **ret)
{
    size_t count = 0;

    *ret = arena_alloc(a, sizeof(**ret) * (json_array_size(list) + 1));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *y = json_array_get(list, i);
        struct partner_party *party = &(*ret)[count];
        const char *country = json_text_of(y, "country_code");
        const char *id = json_text_of(y, "party_id");
        const json_t *details = json_object_of(y, "details");

        if (!country || !id || !party_id_make(country, id, &party->id))
            continue;
        party->role = ocpi_role_parse(json_text_of(y, "role"));
        party->name = json_text_of(y, "name");
        party->details = details ? json_text(a, details, NULL) : NULL;
        count++;
    }
    return count;
}

static void build_parties(struct arena *a, struct partner *p, const json_t *more)
{
    const struct partner_party *first = NULL;

    p->party_count = read_parties(a, json_array_of(more, "parties"), &p->parties);
    p->pending_count = read_parties(a, json_array_of(more, "pending"), &p->pending);
    for (size_t i = 0; i < p->party_count; i++) {
        if (!first || (p->parties[i].role == OCPI_ROLE_CPO && first->role != OCPI_ROLE_CPO))
            first = &p->parties[i];
    }
    if (first)
        p->peer.their_party = first->id;
}

static void build_tokens(struct partner_register *r, const struct partner *p, const json_t *tokens)
{
    for (size_t i = 0; i < json_array_size(tokens); i++) {
        const json_t *t = json_array_get(tokens, i);
        const char *kind = json_text_of(t, "kind");
        const char *hash = json_text_of(t, "hash");
        struct partner_token *token = &r->tokens[r->token_count];

        if (!hash || !kind || !text_copy(token->hash, sizeof(token->hash), hash))
            continue;
        token->partner = p;
        token->kind = strcmp(kind, "a") == 0        ? TOKEN_A
                      : strcmp(kind, "a_used") == 0 ? TOKEN_A_USED
                                                    : TOKEN_ACCEPTED;
        token->lasts = json_is_true(json_object_get(t, "lasts"));
        token->fresh = strcmp(kind, "accepted") == 0 && token->lasts &&
                       !json_is_true(json_object_get(t, "used"));
        token->expires_us = json_integer_value(json_object_get(t, "expires_us"));
        r->token_count++;
    }
}

static int compare_tokens(const void *a, const void *b)
{
    return strcmp(((const struct partner_token *)a)->hash, ((const struct partner_token *)b)->hash);
}

void partner_register_take(const PGresult *rows)
{
    static uint64_t numbers;
    struct partner_register *r = calloc(1, sizeof(*r));
    int count = PQntuples(rows);
    size_t token_count = 0;
    json_t **more;

    if (!r)
        abort();
    r->refs = 1;
    r->number = ++numbers;
    r->arena = arena_new(REGISTER_MAX);
    r->partners = arena_alloc(r->arena, sizeof(*r->partners) * ((size_t)count + 1));
    more = arena_alloc(r->arena, sizeof(json_t *) * ((size_t)count + 1));
    for (int i = 0; i < count; i++) {
        const char *text = pg_text(r->arena, rows, i, "more");
        struct err e = json_read(r->arena, text, strlen(text), MORE_VALUES, &more[i]);

        /* One bad row is no reason to know nobody: it has no token, so it is let in nowhere. */
        if (failed(e))
            log_line(LOG_ERROR, "a partner cannot be read",
                     LOG_INT("partner", pg_int(rows, i, "id")), LOG_TEXT("text", err_text(e)));
        token_count += json_array_size(json_array_of(more[i], "tokens"));
    }
    r->tokens = arena_alloc(r->arena, sizeof(*r->tokens) * (token_count + 1));
    for (int i = 0; i < count; i++) {
        struct partner *p = &r->partners[i];

        p->id = pg_int(rows, i, "id");
        p->name = pg_text(r->arena, rows, i, "name");
        p->state = pg_text(r->arena, rows, i, "state");
        p->enabled = pg_bool(rows, i, "enabled");
        p->last_contact_us = pg_time(rows, i, "last_contact_at");
        p->registered_us = pg_time(rows, i, "registered_at");
        p->pulled = pg_text(r->arena, rows, i, "pulled");
        if (!face_parse(pg_text(r->arena, rows, i, "face"), &p->face))
            p->face = FACE_EMSP;
        p->hub = pg_bool(rows, i, "hub");
        p->host_asked = pg_text(r->arena, rows, i, "host_asked");
        p->needs_resync = pg_bool(rows, i, "needs_resync");
        p->failures = (int)pg_int(rows, i, "failures");
        p->state_since_us = pg_time(rows, i, "state_since");
        if (!p->pulled)
            p->pulled = "{}";
        build_peer(r->arena, p, rows, i, more[i]);
        build_parties(r->arena, p, more[i]);
        build_tokens(r, p, json_array_of(more[i], "tokens"));
    }
    r->partner_count = (size_t)count;
    qsort(r->tokens, r->token_count, sizeof(*r->tokens), compare_tokens);

    register_unref(state.newest);
    state.newest = r;
}

/* ---- keeping it fresh ---- */

static void have_read(const PGresult *rows, struct err e, void *ticket)
{
    if (!fresh_expects(&fresh, ticket))
        return;
    if (!failed(e))
        partner_register_take(rows);
    fresh_ended(&fresh, !failed(e));
}

static bool read_register(void)
{
    struct pg_args args;

    pg_args_init(&args, NULL);
    pg_send(PG_READ, STATEMENT_partner_register, &args, have_read, fresh_ticket(&fresh));
    return true;
}

void partner_open(struct event_base *loop)
{
    fresh_open(&fresh, loop);
}

void partner_close(void)
{
    fresh_close(&fresh);
    register_unref(state.newest);
    state.newest = NULL;
}

/* ---- looking in it ---- */

void partner_token_hash(const char *token, char ret[SHA256_HEX])
{
    unsigned char hash[SHA256_BYTES];

    id_hmac_sha256(pg_options()->hash_key, 32, token, strlen(token), hash);
    id_hex(hash, sizeof(hash), ret);
}

struct partner_token *partner_token_find(struct flow *f, const char *hash)
{
    struct partner_register *r = register_hold(f);
    struct partner_token key = {0};

    if (!r || !text_copy(key.hash, sizeof(key.hash), hash))
        return NULL;
    struct partner_token *t =
        bsearch(&key, r->tokens, r->token_count, sizeof(*r->tokens), compare_tokens);
    return t && (t->lasts || t->expires_us > time_now_us()) ? t : NULL;
}

const struct partner *partner_find(struct flow *f, int64_t id)
{
    struct partner_register *r = register_hold(f);

    for (size_t i = 0; r && i < r->partner_count; i++) {
        if (r->partners[i].id == id)
            return &r->partners[i];
    }
    return NULL;
}

const struct partner *partner_of_party(struct flow *f, const char *country_code,
                                       const char *party_id)
{
    struct partner_register *r = register_hold(f);
    struct party_id wanted;

    if (!r || !party_id_make(country_code, party_id, &wanted))
        return NULL;
    for (size_t i = 0; i < r->partner_count; i++) {
        for (size_t k = 0; k < r->partners[i].party_count; k++) {
            if (party_id_equal(&r->partners[i].parties[k].id, &wanted))
                return &r->partners[i];
        }
    }
    return NULL;
}

const struct partner *partner_named(struct flow *f, const char *which)
{
    struct partner_register *r = register_hold(f);

    for (size_t i = 0; r && i < r->partner_count; i++) {
        const struct partner *p = &r->partners[i];
        char number[24];

        snprintf(number, sizeof number, "%lld", (long long)p->id);
        if (strcmp(which, number) == 0 || text_equal_caseless(which, p->name))
            return p;
    }
    return NULL;
}

struct partners partner_all(struct flow *f)
{
    struct partner_register *r = register_hold(f);
    struct partners all = {0};

    if (!r)
        return all;
    all.count = r->partner_count;
    all.items = arena_alloc(f->arena, sizeof(*all.items) * (all.count + 1));
    for (size_t i = 0; i < all.count; i++)
        all.items[i] = &r->partners[i];
    return all;
}
