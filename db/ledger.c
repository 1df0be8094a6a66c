/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: reading and checking it.
 */
#include "db/ledger.h"

#include "base/arena.h"
#include "db/pg_long.h"
#include "db/session_row.h"
#include "db/statements.h"

static struct err take_balances(struct flow *f, const PGresult *rows, void *to)
{
    struct ledger_balances *ret = to;

    ret->count = (size_t)PQntuples(rows);
    ret->items = arena_alloc(f->arena, sizeof(*ret->items) * (ret->count + 1));
    for (size_t i = 0; i < ret->count; i++) {
        struct ledger_balance *b = &ret->items[i];

        b->account = pg_text(f->arena, rows, (int)i, "account");
        session_take_text(rows, (int)i, "currency", b->currency, sizeof(b->currency));
        b->amount_u6 = pg_int(rows, (int)i, "amount_u6");
    }
    return OK;
}

enum flow_next ledger_balances(struct flow *f, int64_t from_us, int64_t to_us,
                               struct ledger_balances *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_time(&args, from_us);
    pg_arg_time(&args, to_us);
    return pg_run(f, PG_READ, STATEMENT_ledger_balances, &args, take_balances, ret);
}

static struct err take_faults(struct flow *f, const PGresult *rows, void *to)
{
    struct ledger_faults *ret = to;

    ret->count = (size_t)PQntuples(rows);
    ret->items = arena_alloc(f->arena, sizeof(*ret->items) * (ret->count + 1));
    for (size_t i = 0; i < ret->count; i++)
        ret->items[i] = (struct ledger_fault){
            .what = pg_text(f->arena, rows, (int)i, "what"),
            .subject = pg_text(f->arena, rows, (int)i, "subject"),
            .detail = pg_text(f->arena, rows, (int)i, "detail"),
        };
    return OK;
}

enum flow_next ledger_check(struct flow *f, int64_t from_us, int64_t to_us,
                            struct ledger_faults *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_time(&args, from_us);
    pg_arg_time(&args, to_us);
    return pg_run_long(f, STATEMENT_ledger_check, &args, take_faults, ret);
}

static struct err take_claimed(struct flow *f, const PGresult *rows, void *to)
{
    (void)f;
    *(int64_t *)to = pg_time(rows, 0, "done_at");
    return OK;
}

enum flow_next finance_job_claim(struct flow *f, const char *name, int64_t *ret_done_us)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, name);
    return pg_run(f, PG_WRITE, STATEMENT_finance_job_claim, &args, take_claimed, ret_done_us);
}

static struct err take_nothing(struct flow *f, const PGresult *rows, void *to)
{
    (void)f;
    (void)rows;
    (void)to;
    return OK;
}

enum flow_next finance_audit_keep(struct flow *f, int64_t receipts, const char *faults)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, receipts);
    pg_arg_text(&args, faults);
    return pg_run(f, PG_WRITE, STATEMENT_finance_audit_keep, &args, take_nothing, NULL);
}
