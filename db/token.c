/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens: reading only; session_start makes them.
 */
#include "db/token.h"

#include "base/arena.h"
#include "db/pg.h"
#include "db/statements.h"

static struct token_row take_token(struct arena *a, const PGresult *rows, int row)
{
    return (struct token_row){
        .uid = pg_text(a, rows, row, "uid"),
        .type = pg_text(a, rows, row, "type"),
        .contract_id = pg_text(a, rows, row, "contract_id"),
        .valid = pg_bool(rows, row, "valid"),
        .last_updated_us = pg_time(rows, row, "last_updated"),
    };
}

static struct err take_page(struct flow *f, const PGresult *rows, void *to)
{
    struct token_page *ret = to;
    /* The first row is the count alone: a page past the end still tells the total. */
    int count = PQntuples(rows) - 1;

    ret->total = pg_int(rows, 0, "total");
    ret->count = (size_t)count;
    ret->items = arena_alloc(f->arena, sizeof(*ret->items) * ((size_t)count + 1));
    for (int i = 0; i < count; i++)
        ret->items[i] = take_token(f->arena, rows, i + 1);
    return OK;
}

enum flow_next token_list(struct flow *f, int64_t date_from_us, int64_t date_to_us, int64_t offset,
                          int64_t limit, struct token_page *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_time(&args, date_from_us);
    pg_arg_time(&args, date_to_us);
    pg_arg_int(&args, offset);
    pg_arg_int(&args, limit);
    return pg_run(f, PG_READ, STATEMENT_token_list, &args, take_page, ret);
}

static struct err take_found(struct flow *f, const PGresult *rows, void *to)
{
    struct token_found *ret = to;

    *ret = (struct token_found){.found = PQntuples(rows) == 1};
    if (ret->found) {
        ret->token = take_token(f->arena, rows, 0);
        ret->authorization_reference = pg_text(f->arena, rows, 0, "authorization_reference");
        ret->live_command = ret->authorization_reference != NULL;
    }
    return OK;
}

enum flow_next token_find(struct flow *f, int64_t partner_id, const char *uid, const char *type,
                          struct token_found *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, partner_id);
    pg_arg_text(&args, uid);
    pg_arg_text(&args, type && type[0] ? type : "RFID");
    return pg_run(f, PG_READ, STATEMENT_token_find, &args, take_found, ret);
}
