/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts: reading them, and recomputing their chain.
 */
#include "db/receipt.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "db/pg.h"
#include "db/session_row.h"
#include "db/statements.h"

static struct receipt take_one(struct arena *a, const PGresult *rows, int row)
{
    static const char *const kinds[] = {"receipt", "cancellation", NULL};
    struct receipt r = {0};
    char state[16];

    session_take_text(rows, row, "state", state, sizeof(state));
    bool known = session_state_parse(state, &r.state);
    assert(known);
    (void)known;
    session_take_text(rows, row, "session_id", r.session_id, sizeof(r.session_id));
    r.network = pg_text(a, rows, row, "network");
    r.evse_id = pg_text(a, rows, row, "evse_id");
    r.user_id = pg_text(a, rows, row, "user_id");
    r.found = !pg_is_null(rows, row, "number");
    if (!r.found)
        return r;
    r.id = pg_int(rows, row, "id");
    r.number = pg_text(a, rows, row, "number");
    int kind = session_take_word(rows, row, "kind", kinds);
    assert(kind >= 0);
    r.kind = (enum receipt_kind)kind;
    r.revision = pg_int(rows, row, "revision");
    r.cancels = pg_text(a, rows, row, "cancels");
    r.cancelled_by = pg_text(a, rows, row, "cancelled_by");
    r.cdr = pg_int(rows, row, "cdr");
    r.cdr_id = pg_text(a, rows, row, "cdr_id");
    r.energy_mwh = pg_int(rows, row, "energy_mwh");
    r.duration_s = pg_int(rows, row, "duration_s");
    r.duration_minutes = r.duration_s / 60;
    r.start_us = pg_time(rows, row, "start_at");
    r.end_us = pg_time(rows, row, "end_at");
    r.issued_us = pg_time(rows, row, "issued_at");
    r.cost_minor = pg_int(rows, row, "amount_minor");
    r.net_minor = pg_int(rows, row, "net_minor");
    r.vat_minor = pg_int(rows, row, "vat_minor");
    session_take_text(rows, row, "currency", r.currency, sizeof(r.currency));
    r.content = pg_text(a, rows, row, "content");
    r.has_content = r.content != NULL;
    r.content_length = r.content ? strlen(r.content) : 0;
    r.hash = pg_text(a, rows, row, "hash");
    r.payment_status = pg_text(a, rows, row, "payment_status");
    return r;
}

struct receipt_got {
    bool *session_found;
    struct receipt *receipt;
};

static struct err take_receipt(struct flow *f, const PGresult *rows, void *to)
{
    struct receipt_got *got = to;
    bool found = PQntuples(rows) == 1;

    if (got->session_found)
        *got->session_found = found;
    *got->receipt = found ? take_one(f->arena, rows, 0) : (struct receipt){0};
    return OK;
}

enum flow_next receipt_get(struct flow *f, const char *session_id, const char *user_id,
                           bool *ret_session_found, struct receipt *ret)
{
    struct receipt_got *got = arena_alloc(f->arena, sizeof(*got));
    struct pg_args args;

    *got = (struct receipt_got){ret_session_found, ret};
    pg_args_init(&args, f->arena);
    pg_arg_text(&args, session_id);
    pg_arg_text(&args, user_id);
    return pg_run(f, PG_READ, STATEMENT_receipt_get, &args, take_receipt, got);
}

enum flow_next receipt_find(struct flow *f, int64_t id, const char *number, struct receipt *ret)
{
    struct receipt_got *got = arena_alloc(f->arena, sizeof(*got));
    struct pg_args args;

    *got = (struct receipt_got){NULL, ret};
    pg_args_init(&args, f->arena);
    pg_arg_int(&args, id);
    pg_arg_text(&args, number);
    return pg_run(f, PG_READ, STATEMENT_receipt_find, &args, take_receipt, got);
}

static struct err take_list(struct flow *f, const PGresult *rows, void *to)
{
    struct receipts *ret = to;

    ret->count = (size_t)PQntuples(rows);
    ret->items = arena_alloc(f->arena, sizeof(*ret->items) * (ret->count + 1));
    for (size_t i = 0; i < ret->count; i++)
        ret->items[i] = take_one(f->arena, rows, (int)i);
    return OK;
}

enum flow_next receipt_of_session(struct flow *f, const char *session_id, struct receipts *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, session_id);
    return pg_run(f, PG_READ, STATEMENT_receipt_of_session, &args, take_list, ret);
}

/* ---- the chain ---- */

static struct err take_series(struct flow *f, const PGresult *rows, void *to)
{
    struct receipt_series_list *ret = to;

    ret->count = (size_t)PQntuples(rows);
    ret->items = arena_alloc(f->arena, sizeof(*ret->items) * (ret->count + 1));
    for (size_t i = 0; i < ret->count; i++)
        ret->items[i] = (struct receipt_series){
            .series = pg_text(f->arena, rows, (int)i, "series"),
            .year = pg_int(rows, (int)i, "year"),
            .issued = pg_int(rows, (int)i, "issued"),
        };
    return OK;
}

enum flow_next receipt_series_all(struct flow *f, struct receipt_series_list *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    return pg_run(f, PG_READ, STATEMENT_receipt_series_all, &args, take_series, ret);
}

static struct err take_chain(struct flow *f, const PGresult *rows, void *to)
{
    struct receipt_chain *ret = to;

    *ret = (struct receipt_chain){
        .rows = pg_int(rows, 0, "rows"),
        .last_seq = pg_int(rows, 0, "last_seq"),
        .last_hash = pg_text(f->arena, rows, 0, "last_hash"),
        .broken = pg_text(f->arena, rows, 0, "broken"),
        .why = pg_text(f->arena, rows, 0, "why"),
    };
    return OK;
}

enum flow_next receipt_verify(struct flow *f, const char *series, int64_t year, int64_t after_seq,
                              const char *after_hash, int64_t limit, struct receipt_chain *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, series);
    pg_arg_int(&args, year);
    pg_arg_int(&args, after_seq);
    pg_arg_text(&args, after_hash);
    pg_arg_int(&args, limit);
    return pg_run(f, PG_READ, STATEMENT_receipt_verify, &args, take_chain, ret);
}
