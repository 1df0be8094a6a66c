/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contracts: set and listed; what follows from them stands in the statements of db/share.h and of
 * the outbox. For questions of every message, each process has them in memory too.
 */
#include "db/contract.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/time.h"
#include "db/cache.h"
#include "db/fresh.h"
#include "db/partner.h"
#include "db/pg.h"
#include "db/statements.h"

static void add_party(struct pg_args *args, const struct party_id *p)
{
    bool set = p && party_id_is_set(p);

    pg_arg_text(args, set ? p->country_code : NULL);
    pg_arg_text(args, set ? p->party_id : NULL);
}

enum flow_next contract_set(struct flow *f, const struct contract *c)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    add_party(&args, &c->from);
    add_party(&args, &c->to);
    pg_arg_text(&args, c->module);
    pg_arg_bool(&args, c->allowed);
    return pg_run(f, PG_WRITE, STATEMENT_contract_set, &args, NULL, NULL);
}

static struct err take_contracts(struct flow *f, const PGresult *rows, void *to)
{
    struct contracts *ret = to;
    int count = PQntuples(rows);
    struct arena *a = f->arena;

    ret->count = 0;
    ret->items = arena_alloc(a, sizeof(*ret->items) * ((size_t)count + 1));
    for (int i = 0; i < count; i++) {
        struct contract *c = &ret->items[ret->count];

        *c = (struct contract){
            .module = pg_text(a, rows, i, "module"),
            .allowed = pg_bool(rows, i, "allowed"),
            .since_us = pg_time(rows, i, "since"),
        };
        if (party_id_make(pg_text(a, rows, i, "from_country"), pg_text(a, rows, i, "from_party"),
                          &c->from) &&
            party_id_make(pg_text(a, rows, i, "to_country"), pg_text(a, rows, i, "to_party"),
                          &c->to))
            ret->count++;
    }
    return OK;
}

enum flow_next contract_list(struct flow *f, const struct party_id *from, const struct party_id *to,
                             struct contracts *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    add_party(&args, from);
    add_party(&args, to);
    return pg_run(f, PG_READ, STATEMENT_contract_list, &args, take_contracts, ret);
}

/* ---- in memory ---- */

enum {
    EVERY_MS = 5000,
    MODULE_MAX = 40,
    KEY_MAX = 2 * PARTY_TEXT + MODULE_MAX,
};

/* "NL-ABC>FI-VRT/locations"; "NL-ABC>FI-VRT/" stands for all modules. */
struct contract_key {
    char text[KEY_MAX];
    bool allowed;
};

static struct {
    struct contract_key *keys; /* sorted; replaced as a whole */
    size_t count;
} state;

static bool read_all(void);
static struct fresh fresh = {.channel = "contract", .every_ms = EVERY_MS, .read = read_all};

static bool make_key(char ret[KEY_MAX], const struct party_id *from, const struct party_id *to,
                     const char *module)
{
    char from_text[PARTY_TEXT], to_text[PARTY_TEXT];
    int length = snprintf(ret, KEY_MAX, "%s>%s/%s", party_id_print(from, from_text),
                          party_id_print(to, to_text), module);

    return length > 0 && length < KEY_MAX;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct contract_key *)a)->text, ((const struct contract_key *)b)->text);
}

static const struct contract_key *key_find(const char *text)
{
    struct contract_key wanted;

    if (!state.keys || !text_copy(wanted.text, sizeof(wanted.text), text))
        return NULL;
    return bsearch(&wanted, state.keys, state.count, sizeof(*state.keys), compare_keys);
}

static void take_all(const PGresult *rows)
{
    int count = PQntuples(rows);
    struct contract_key *keys = calloc((size_t)count + 1, sizeof(*keys));
    struct arena *a = arena_new(64 * 1024 * 1024);
    size_t used = 0;

    if (!keys)
        abort();
    for (int i = 0; i < count; i++) {
        struct party_id from, to;

        if (!party_id_make(pg_text(a, rows, i, "from_country"), pg_text(a, rows, i, "from_party"),
                           &from) ||
            !party_id_make(pg_text(a, rows, i, "to_country"), pg_text(a, rows, i, "to_party"),
                           &to) ||
            !make_key(keys[used].text, &from, &to, pg_text(a, rows, i, "module")))
            continue;
        keys[used++].allowed = pg_bool(rows, i, "allowed");
    }
    arena_free(a);
    qsort(keys, used, sizeof(*keys), compare_keys);
    free(state.keys);
    state.keys = keys;
    state.count = used;
}

static void have_read(const PGresult *rows, struct err e, void *ticket)
{
    if (!fresh_expects(&fresh, ticket))
        return;
    if (!failed(e))
        take_all(rows);
    fresh_ended(&fresh, !failed(e));
}

static bool read_all(void)
{
    struct pg_args args;

    pg_args_init(&args, NULL);
    pg_send(PG_READ, STATEMENT_contract_register, &args, have_read, fresh_ticket(&fresh));
    return true;
}

void contract_open(struct event_base *loop)
{
    fresh_open(&fresh, loop);
}

void contract_close(void)
{
    fresh_close(&fresh);
    free(state.keys);
    state.keys = NULL;
    state.count = 0;
}

bool contracts_ready(void)
{
    return fresh.have;
}

static bool is_ours(const struct party_id *p)
{
    const struct db_options *o = pg_options();
    struct party_id ours;

    return o->our_country && o->our_party && party_id_make(o->our_country, o->our_party, &ours) &&
           party_id_equal(p, &ours);
}

static bool is_cpo(struct flow *f, const struct party_id *p)
{
    const struct partner *partner = partner_of_party(f, p->country_code, p->party_id);

    for (size_t i = 0; partner && i < partner->party_count; i++) {
        if (partner->parties[i].role == OCPI_ROLE_CPO && party_id_equal(&partner->parties[i].id, p))
            return true;
    }
    return false;
}

bool contract_allows(struct flow *f, const struct party_id *from, const struct party_id *to,
                     const char *module)
{
    const struct contract_key *found = NULL;
    char key[KEY_MAX];

    if ((is_ours(from) && is_cpo(f, to)) || (is_ours(to) && is_cpo(f, from)))
        return true;
    if (make_key(key, from, to, module))
        found = key_find(key);
    if (!found && make_key(key, from, to, ""))
        found = key_find(key);
    return found && found->allowed;
}
