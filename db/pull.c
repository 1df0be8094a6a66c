/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pulls: which partner's module is fetched next, and how far it has come.
 */
#include "base/arena.h"
#include "db/partner.h"
#include "db/pg.h"
#include "db/statements.h"

static struct err take_claims(struct flow *f, const PGresult *rows, void *to)
{
    struct pull_claims *ret = to;
    int count = PQntuples(rows);

    ret->count = (size_t)count;
    ret->items = arena_alloc(f->arena, sizeof(*ret->items) * ((size_t)count + 1));
    for (int i = 0; i < count; i++) {
        ret->items[i] = (struct pull_claim){
            .partner_id = pg_int(rows, i, "partner_id"),
            .module = pg_text(f->arena, rows, i, "module"),
            .date_from_us = pg_time(rows, i, "date_from"),
            .cursor = pg_text(f->arena, rows, i, "cursor"),
            .started_us = pg_time(rows, i, "started_at"),
        };
    }
    return OK;
}

enum flow_next pull_claim(struct flow *f, int limit, struct pull_claims *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, limit);
    return pg_run(f, PG_WRITE, STATEMENT_pull_claim, &args, take_claims, ret);
}

static void add_key(struct pg_args *args, struct arena *a, int64_t partner_id, const char *module)
{
    pg_args_init(args, a);
    pg_arg_int(args, partner_id);
    pg_arg_text(args, module);
}

enum flow_next pull_page_done(struct flow *f, int64_t partner_id, const char *module,
                              const char *next_cursor)
{
    struct pg_args args;

    add_key(&args, f->arena, partner_id, module);
    pg_arg_text(&args, next_cursor);
    return pg_run(f, PG_WRITE, STATEMENT_pull_page_done, &args, NULL, NULL);
}

enum flow_next pull_finished(struct flow *f, int64_t partner_id, const char *module, bool ok)
{
    struct pg_args args;

    add_key(&args, f->arena, partner_id, module);
    pg_arg_bool(&args, ok);
    return pg_run(f, PG_WRITE, STATEMENT_pull_finished, &args, NULL, NULL);
}

enum flow_next pull_request(struct flow *f, int64_t partner_id, const char *module)
{
    struct pg_args args;

    add_key(&args, f->arena, partner_id, module);
    return pg_run(f, PG_WRITE, STATEMENT_pull_request, &args, NULL, NULL);
}
