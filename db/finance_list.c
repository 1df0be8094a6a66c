/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists for finance people.
 */
#include "db/finance_list.h"

#include "base/time.h"
#include "db/export_pg.h"
#include "db/session_row.h"
#include "db/statements.h"

static void put_id(struct pg_args *args, int64_t id)
{
    if (id)
        pg_arg_int(args, id);
    else
        pg_arg_text(args, NULL);
}

struct err finance_list(struct flow *f, enum finance_list which,
                        const struct finance_filter *filter, const struct export_taker *taker,
                        void *arg, struct export **ret)
{
    static const int statement[] = {
        [FINANCE_RECEIPTS] = STATEMENT_finance_receipts,
        [FINANCE_CDRS] = STATEMENT_finance_cdrs,
        [FINANCE_CASES] = STATEMENT_finance_cases,
        [FINANCE_LEDGER] = STATEMENT_finance_ledger,
        [FINANCE_REFUNDS] = STATEMENT_finance_refunds,
    };
    struct pg_args args;

    pg_args_init(&args, f->arena);
    if (which != FINANCE_CASES) {
        pg_arg_time(&args, filter->from_us);
        pg_arg_time(&args, filter->to_us);
    }
    switch (which) {
    case FINANCE_RECEIPTS:
        put_id(&args, filter->partner_id);
        pg_arg_text(&args, filter->payment_status);
        pg_arg_text(&args, filter->user_id);
        break;
    case FINANCE_CDRS:
        put_id(&args, filter->partner_id);
        pg_arg_text(&args, filter->source);
        if (filter->matched == MATCHED_ANY)
            pg_arg_text(&args, NULL);
        else
            pg_arg_bool(&args, filter->matched == MATCHED_YES);
        pg_arg_text(&args, filter->filed);
        break;
    case FINANCE_CASES:
        pg_arg_bool(&args, !filter->resolved_too);
        pg_arg_text(&args, filter->kind);
        put_id(&args, filter->partner_id);
        break;
    case FINANCE_REFUNDS:
        put_id(&args, filter->partner_id);
        pg_arg_text(&args, filter->status);
        break;
    case FINANCE_LEDGER:
        break;
    }
    return export_run(statement[which], &args, taker, arg, ret);
}

static struct err take_document(struct flow *f, const PGresult *rows, void *to)
{
    const char **ret = to;

    *ret = PQntuples(rows) ? pg_text(f->arena, rows, 0, "document") : NULL;
    return OK;
}

enum flow_next finance_cdr(struct flow *f, int64_t cdr, const char **ret_document)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, cdr);
    return pg_run(f, PG_READ, STATEMENT_finance_cdr, &args, take_document, ret_document);
}

static struct err take_case(struct flow *f, const PGresult *rows, void *to)
{
    struct finance_case *c = to;

    *c = (struct finance_case){.found = PQntuples(rows) == 1};
    if (!c->found)
        return OK;
    c->kind = pg_text(f->arena, rows, 0, "kind");
    session_take_text(rows, 0, "session_id", c->session_id, sizeof c->session_id);
    c->cdr = pg_int(rows, 0, "cdr");
    c->resolved = pg_bool(rows, 0, "resolved");
    c->filed = pg_text(f->arena, rows, 0, "filed");
    c->class = pg_text(f->arena, rows, 0, "class");
    return OK;
}

enum flow_next finance_case(struct flow *f, int64_t id, struct finance_case *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, id);
    return pg_run(f, PG_READ, STATEMENT_finance_case, &args, take_case, ret);
}

static struct err take_any(struct flow *f, const PGresult *rows, void *to)
{
    bool *ret = to;

    (void)f;
    *ret = PQntuples(rows) > 0;
    return OK;
}

static enum flow_next close_case(struct flow *f, int statement, int64_t id, const char *resolution,
                                 const char *by, const char *note, bool *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, id);
    pg_arg_text(&args, resolution);
    pg_arg_text(&args, by);
    pg_arg_text(&args, note);
    return pg_run(f, PG_WRITE, statement, &args, take_any, ret);
}

enum flow_next finance_case_resolve(struct flow *f, int64_t id, const char *resolution,
                                    const char *by, const char *note, bool *ret)
{
    return close_case(f, STATEMENT_finance_case_resolve, id, resolution, by, note, ret);
}

enum flow_next finance_case_settled(struct flow *f, int64_t id, const char *resolution,
                                    const char *by, const char *note, bool *ret)
{
    return close_case(f, STATEMENT_finance_case_settled, id, resolution, by, note, ret);
}
