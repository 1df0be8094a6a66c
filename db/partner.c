/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partners: who presents a token, and the life of a connection (migrations/008_partner.sql and
 * 011_partner_life.sql).
 * Tokens that come in are known by their keyed hash alone; the one we send is sealed, bound to the
 * partner's id.
 */
#include "db/partner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/time.h"
#include "db/partner_register.h"
#include "db/pg.h"
#include "db/session_row.h"
#include "db/statements.h"

/* ---- who is it? ---- */

static void retire_previous(struct partner_token *t)
{
    struct pg_args args;

    t->fresh = false; /* once per snapshot is enough */
    pg_args_init(&args, NULL);
    pg_arg_text(&args, t->hash);
    pg_send(PG_WRITE, STATEMENT_partner_token_used, &args, NULL, NULL);
}

static bool look_in_register(struct flow *f, const char *const *hashes, size_t count,
                             struct partner_auth *ret)
{
    for (size_t i = 0; i < count; i++) {
        struct partner_token *t = partner_token_find(f, hashes[i]);

        if (!t)
            continue;
        *ret = (struct partner_auth){
            .found = true, .kind = t->kind, .partner = t->partner, .matched = (int)i};
        if (t->fresh)
            retire_previous(t);
        return true;
    }
    *ret = (struct partner_auth){.found = false};
    return false;
}

/* The snapshot did not have it: ask the database, and read the register again if that has it. */
struct late_look {
    struct flow *asker;
    const char *const *hashes;
    size_t count;
    struct partner_auth *ret;
    bool known;
};

static struct err take_known(struct flow *f, const PGresult *rows, void *to)
{
    bool *known = to;

    (void)f;
    *known = PQntuples(rows) > 0;
    return OK;
}

static enum flow_next ask_database(struct flow *f)
{
    struct late_look *s = f->state;
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_texts(&args, s->hashes, s->count);
    return pg_run(f, PG_READ, STATEMENT_partner_token_find, &args, take_known, &s->known);
}

static struct err take_register(struct flow *f, const PGresult *rows, void *to)
{
    (void)f;
    (void)to;
    partner_register_take(rows);
    return OK;
}

static enum flow_next read_register(struct flow *f)
{
    struct late_look *s = f->state;
    struct pg_args args;

    if (!s->known)
        return FLOW_DONE;
    pg_args_init(&args, f->arena);
    return pg_run(f, PG_READ, STATEMENT_partner_register, &args, take_register, NULL);
}

static enum flow_next look_again(struct flow *f)
{
    struct late_look *s = f->state;

    look_in_register(s->asker, s->hashes, s->count, s->ret);
    return FLOW_NEXT;
}

static const struct flow_step late_look_steps[] = {
    {"ask the database", ask_database},
    {"read the register", read_register},
    {"look again", look_again},
    {0},
};
static const struct flow_type late_look_flow = {
    .name = "partner_late_look",
    .state_size = sizeof(struct late_look),
    .deadline_ms = SECONDS(5),
    .steps = late_look_steps,
};

static void fill_late_look(void *child_state, void *context)
{
    memcpy(child_state, context, sizeof(struct late_look));
}

enum flow_next partner_by_token(struct flow *f, const char *const *candidates, size_t count,
                                struct partner_auth *ret)
{
    const char **hashes = arena_alloc(f->arena, sizeof(*hashes) * (count + 1));

    for (size_t i = 0; i < count; i++) {
        char hash[SHA256_HEX];

        partner_token_hash(candidates[i], hash);
        hashes[i] = arena_text(f->arena, hash);
    }
    if (count == 0 || look_in_register(f, hashes, count, ret)) {
        if (count == 0)
            *ret = (struct partner_auth){.found = false};
        return FLOW_NEXT;
    }
    struct late_look *look = arena_alloc(f->arena, sizeof(*look));
    *look = (struct late_look){.asker = f, .hashes = hashes, .count = count, .ret = ret};
    return flow_child(f, &late_look_flow, fill_late_look, look, NULL);
}

/* ---- life of a connection ---- */

static struct err take_id(struct flow *f, const PGresult *rows, void *to)
{
    int64_t *ret = to;

    (void)f;
    *ret = pg_int(rows, 0, "id");
    return OK;
}

enum flow_next partner_invite(struct flow *f, const struct partner_invite *ask, int64_t *ret_id)
{
    char hash[SHA256_HEX];
    struct pg_args args;

    partner_token_hash(ask->token_a, hash);
    pg_args_init(&args, f->arena);
    pg_arg_text(&args, ask->name);
    pg_arg_text(&args, ask->country_code);
    pg_arg_text(&args, ask->party_id);
    pg_arg_text(&args, ask->role);
    pg_arg_text(&args, arena_text(f->arena, hash));
    pg_arg_text(&args, ask->our_country);
    pg_arg_text(&args, ask->our_party);
    return pg_run(f, PG_WRITE, STATEMENT_partner_invite, &args, take_id, ret_id);
}

enum flow_next partner_expect_token(struct flow *f, int64_t partner_id, const char *name,
                                    const char *versions_url, const char *token_in,
                                    int64_t *ret_partner_id)
{
    char hash[SHA256_HEX];
    struct pg_args args;

    partner_token_hash(token_in, hash);
    pg_args_init(&args, f->arena);
    pg_arg_int(&args, partner_id);
    pg_arg_text(&args, name);
    pg_arg_text(&args, versions_url);
    pg_arg_text(&args, arena_text(f->arena, hash));
    return pg_run(f, PG_WRITE, STATEMENT_partner_expect_token, &args, take_id, ret_partner_id);
}

static struct err take_registered(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const words[] = {"registered", "conflict", "taken", NULL};
    struct partner_registered *ret = to;

    (void)f;
    int word = session_take_word(rows, 0, "outcome", words);
    assert(word >= 0);
    *ret = (struct partner_registered){
        .conflict = word == 1, .taken = word == 2, .partner_id = pg_int(rows, 0, "partner_id")};
    return OK;
}

static enum flow_next store_registration(struct flow *f, int64_t id,
                                         const struct partner_registration *r,
                                         struct partner_registered *ret)
{
    char hash[SHA256_HEX];
    struct pg_args args;
    const char *bound_to = arena_printf(f->arena, "%lld", (long long)id);

    partner_token_hash(r->token_in, hash);
    pg_args_init(&args, f->arena);
    pg_arg_int(&args, id);
    pg_arg_text(&args, r->expected_state);
    pg_arg_text(&args, r->name);
    pg_arg_text(&args, r->version);
    pg_arg_text(&args, r->versions_url);
    pg_arg_text(&args, secret_seal(f->arena, pg_options()->data_key, bound_to, r->token_out));
    pg_arg_text(&args, arena_text(f->arena, hash));
    pg_arg_text(&args, r->auth_encoding);
    pg_arg_text(&args, r->endpoints);
    pg_arg_text(&args, r->roles);
    pg_arg_text(&args, r->our_country);
    pg_arg_text(&args, r->our_party);
    pg_arg_bool(&args, r->spend_token_a);
    pg_arg_text(&args, face_name(r->face));
    pg_arg_bool(&args, r->hub);
    return pg_run(f, PG_WRITE, STATEMENT_partner_registered, &args, take_registered, ret);
}

/* A partner without an id yet: the id first, because the sealed token is bound to it. */
struct new_partner {
    const struct partner_registration *registration;
    struct partner_registered *ret;
    int64_t id;
};

static enum flow_next reserve_id(struct flow *f)
{
    struct new_partner *s = f->state;
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, s->registration->name);
    pg_arg_text(&args, s->registration->versions_url);
    pg_arg_text(&args, s->registration->roles);
    return pg_run(f, PG_WRITE, STATEMENT_partner_reserve, &args, take_id, &s->id);
}

static enum flow_next store_new(struct flow *f)
{
    struct new_partner *s = f->state;

    return store_registration(f, s->id, s->registration, s->ret);
}

static const struct flow_step new_partner_steps[] = {
    {"reserve the id", reserve_id},
    {"store the registration", store_new},
    {0},
};
static const struct flow_type new_partner_flow = {
    .name = "partner_new",
    .state_size = sizeof(struct new_partner),
    .steps = new_partner_steps,
};

static void fill_new_partner(void *child_state, void *context)
{
    memcpy(child_state, context, sizeof(struct new_partner));
}

enum flow_next partner_registered(struct flow *f, const struct partner_registration *r,
                                  struct partner_registered *ret)
{
    if (r->partner_id != 0)
        return store_registration(f, r->partner_id, r, ret);
    struct partner_registration *copy = arena_alloc(f->arena, sizeof(*copy));
    struct new_partner *fill = arena_alloc(f->arena, sizeof(*fill));
    *copy = *r;
    *fill = (struct new_partner){.registration = copy, .ret = ret};
    return flow_child(f, &new_partner_flow, fill_new_partner, fill, NULL);
}

enum flow_next partner_unregistered(struct flow *f, int64_t partner_id)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, partner_id);
    return pg_run(f, PG_WRITE, STATEMENT_partner_unregistered, &args, NULL, NULL);
}

/* ---- alive ---- */

enum { SEEN_SLOTS = 512, SEEN_EVERY_MS = 30000, SEEN_AWAY_MS = 1000, SEEN_ARENA = 4096 };

void partner_seen(const struct partner *p)
{
    /* Two partners in one slot only make it write more often. */
    static struct {
        int64_t partner_id, at_ms;
    } seen[SEEN_SLOTS];
    size_t slot = (size_t)p->id % SEEN_SLOTS;
    int64_t now_ms = time_monotonic_ms();
    int64_t every_ms = strcmp(p->state, "offline") == 0 ? SEEN_AWAY_MS : SEEN_EVERY_MS;
    struct pg_args args;

    if (seen[slot].partner_id == p->id && now_ms - seen[slot].at_ms < every_ms)
        return;
    seen[slot].partner_id = p->id;
    seen[slot].at_ms = now_ms;
    struct arena *a = arena_new(SEEN_ARENA);
    pg_args_init(&args, a);
    pg_arg_int(&args, p->id);
    pg_send(PG_WRITE, STATEMENT_partner_seen, &args, NULL, NULL);
    arena_free(a);
}
