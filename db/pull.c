/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pulls: which partner's module is fetched next, how far it has come, and what it has shown.
 */
#include "db/pull.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "db/pg.h"
#include "db/statements.h"

enum { CLOSE_AT_ONCE = 20 };

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
            .page_url = pg_text(f->arena, rows, i, "page_url"),
            .first_id = pg_text(f->arena, rows, i, "first_id"),
            .total = pg_is_null(rows, i, "total") ? -1 : pg_int(rows, i, "total"),
            .pages = pg_int(rows, i, "pages"),
            .mark = pg_text(f->arena, rows, i, "mark"),
            .complete = pg_bool(rows, i, "complete"),
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

enum flow_next pull_page_done(struct flow *f, const struct pull_claim *next)
{
    struct pg_args args;

    add_key(&args, f->arena, next->partner_id, next->module);
    pg_arg_text(&args, next->cursor);
    pg_arg_text(&args, next->page_url);
    if (next->total < 0)
        pg_arg_text(&args, NULL);
    else
        pg_arg_int(&args, next->total);
    pg_arg_text(&args, next->first_id);
    pg_arg_text(&args, next->mark);
    pg_arg_int(&args, next->pages);
    pg_arg_bool(&args, next->complete);
    return pg_run(f, PG_WRITE, STATEMENT_pull_page_done, &args, NULL, NULL);
}

enum flow_next pull_finished(struct flow *f, int64_t partner_id, const char *module, bool ok,
                             bool complete)
{
    struct pg_args args;

    add_key(&args, f->arena, partner_id, module);
    pg_arg_bool(&args, ok);
    pg_arg_bool(&args, complete);
    return pg_run(f, PG_WRITE, STATEMENT_pull_finished, &args, NULL, NULL);
}

enum flow_next pull_request(struct flow *f, int64_t partner_id, const char *module)
{
    struct pg_args args;

    add_key(&args, f->arena, partner_id, module);
    return pg_run(f, PG_WRITE, STATEMENT_pull_request, &args, NULL, NULL);
}

/* ---- the objects ---- */

char *pull_key(struct arena *a, const char *country_code, const char *party_id, const char *id)
{
    char *key = arena_printf(a, "%s*%s/%s", country_code, party_id, id);

    text_to_lower(key);
    return key;
}

static struct err take_unchanged(struct flow *f, const PGresult *rows, void *to)
{
    bool *ret = to;

    (void)f;
    for (int i = 0; i < PQntuples(rows); i++)
        ret[pg_int(rows, i, "i") - 1] = true;
    return OK;
}

enum flow_next pull_unchanged(struct flow *f, const struct pull_claim *claim,
                              const char *const *keys, const char *const *digests, size_t count,
                              bool *ret)
{
    struct pg_args args;

    memset(ret, 0, count * sizeof *ret);
    add_key(&args, f->arena, claim->partner_id, claim->module);
    pg_arg_texts(&args, keys, count);
    pg_arg_texts(&args, digests, count);
    return pg_run(f, PG_READ, STATEMENT_pull_unchanged, &args, take_unchanged, ret);
}

enum flow_next pull_ours(struct flow *f, const char *const *uids, const char *const *contracts,
                         size_t count, bool *ret)
{
    struct pg_args args;

    memset(ret, 0, count * sizeof *ret);
    pg_args_init(&args, f->arena);
    pg_arg_texts(&args, uids, count);
    pg_arg_texts(&args, contracts, count);
    return pg_run(f, PG_READ, STATEMENT_pull_ours, &args, take_unchanged, ret);
}

enum flow_next pull_see(struct flow *f, const struct pull_claim *claim, const char *const *keys,
                        size_t count)
{
    struct pg_args args;

    if (count == 0)
        return FLOW_NEXT;
    add_key(&args, f->arena, claim->partner_id, claim->module);
    pg_arg_texts(&args, keys, count);
    return pg_run(f, PG_WRITE, STATEMENT_pull_see, &args, NULL, NULL);
}

enum flow_next pull_note_missing(struct flow *f, const struct pull_claim *claim)
{
    struct pg_args args;

    add_key(&args, f->arena, claim->partner_id, claim->module);
    return pg_run(f, PG_WRITE, STATEMENT_pull_note_missing, &args, NULL, NULL);
}

static struct err take_closed(struct flow *f, const PGresult *rows, void *to)
{
    int64_t *ret = to;

    (void)f;
    *ret = pg_int(rows, 0, "closed");
    return OK;
}

enum flow_next pull_close_missing(struct flow *f, const struct pull_claim *claim,
                                  int64_t *ret_closed)
{
    struct pg_args args;

    add_key(&args, f->arena, claim->partner_id, claim->module);
    pg_arg_int(&args, CLOSE_AT_ONCE);
    return pg_run(f, PG_WRITE, STATEMENT_pull_close_missing, &args, take_closed, ret_closed);
}
