/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contracts: set and listed; what follows from them stands in the statements of db/share.h and of
 * the outbox.
 */
#include "db/contract.h"

#include "base/arena.h"
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
