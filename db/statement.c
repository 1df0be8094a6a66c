/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements.
 */
#include "db/statement.h"

#include <assert.h>

#include "base/arena.h"
#include "base/time.h"
#include "db/export_pg.h"
#include "db/pg_long.h"
#include "db/session_row.h"
#include "db/statements.h"

/* ---- reading ---- */

struct err statement_list(struct flow *f, const char *month, int64_t partner,
                          const struct export_taker *taker, void *arg, struct export **ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, arena_printf(f->arena, "%s-01", month));
    if (partner)
        pg_arg_int(&args, partner);
    else
        pg_arg_text(&args, NULL);
    return export_run(STATEMENT_statement_list, &args, taker, arg, ret);
}

struct err statement_lines(struct flow *f, const char *id, const struct export_taker *taker,
                           void *arg, struct export **ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    return export_run(STATEMENT_statement_lines, &args, taker, arg, ret);
}

static struct err take_document(struct flow *f, const PGresult *rows, void *to)
{
    const char **ret = to;

    *ret = pg_text(f->arena, rows, 0, "document");
    return OK;
}

enum flow_next statement_document(struct flow *f, const char *id, const char **ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    return pg_run_long(f, STATEMENT_statement_document, &args, take_document, ret);
}

/* ---- closing and what follows ---- */

static struct err take_done(struct flow *f, const PGresult *rows, void *to)
{
    static const struct {
        const char *word;
        int outcome;
    } words[] = {
        {"closed", STATEMENT_DONE},
        {"moved", STATEMENT_DONE},
        {"already", STATEMENT_ALREADY},
        {"not_found", STATEMENT_NOT_FOUND},
        {"not_over", STATEMENT_NOT_OVER},
        {"earlier_open", STATEMENT_EARLIER_OPEN},
        {"no_terms", STATEMENT_NO_TERMS},
        {"differs", STATEMENT_DIFFERS},
        {"wrong_state", STATEMENT_WRONG_STATE},
    };
    struct statement_done *ret = to;
    const char *outcome = pg_text(f->arena, rows, 0, "outcome");
    size_t i = 0;

    while (i < sizeof words / sizeof *words && strcmp(words[i].word, outcome) != 0)
        i++;
    assert(i < sizeof words / sizeof *words);
    ret->outcome = (typeof(ret->outcome))words[i].outcome;
    ret->detail = pg_text(f->arena, rows, 0, "detail");
    return OK;
}

enum flow_next statement_close(struct flow *f, const char *id, const char *by,
                               struct statement_done *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    pg_arg_text(&args, by);
    pg_arg_text(&args, pg_options()->receipt_series);
    return pg_run_long(f, STATEMENT_statement_close, &args, take_done, ret);
}

enum flow_next statement_move(struct flow *f, const char *id, const char *to, const char *by,
                              struct statement_done *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    pg_arg_text(&args, to);
    pg_arg_text(&args, by);
    return pg_run(f, PG_WRITE, STATEMENT_statement_move, &args, take_done, ret);
}

static struct err take_faults(struct flow *f, const PGresult *rows, void *to)
{
    struct ledger_faults *ret = to;

    ret->count = (size_t)PQntuples(rows);
    ret->items = arena_alloc(f->arena, sizeof *ret->items * (ret->count + 1));
    for (size_t i = 0; i < ret->count; i++)
        ret->items[i] = (struct ledger_fault){
            .what = pg_text(f->arena, rows, (int)i, "what"),
            .subject = pg_text(f->arena, rows, (int)i, "subject"),
            .detail = pg_text(f->arena, rows, (int)i, "detail"),
        };
    return OK;
}

enum flow_next statement_check(struct flow *f, int64_t from_us, struct ledger_faults *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_time(&args, from_us);
    return pg_run_long(f, STATEMENT_statement_check, &args, take_faults, ret);
}

/* ---- terms ---- */

enum flow_next statement_terms_put(struct flow *f, const struct statement_terms *t, const char *by)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, t->partner_id);
    pg_arg_text(&args, t->currency);
    pg_arg_text(&args, t->valid_from);
    pg_arg_text(&args, t->vat_treatment);
    pg_arg_text(&args, t->vat_rate);
    pg_arg_text(&args, t->fee_percent);
    pg_arg_int(&args, t->fee_per_cdr_u6);
    pg_arg_text(&args, t->fee_vat_treatment);
    pg_arg_text(&args, t->fee_vat_rate);
    pg_arg_bool(&args, t->netting);
    pg_arg_text(&args, by);
    return pg_run(f, PG_WRITE, STATEMENT_statement_terms_put, &args, NULL, NULL);
}

enum flow_next statement_terms_list(struct flow *f, const char **ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    return pg_run(f, PG_READ, STATEMENT_statement_terms_list, &args, take_document, ret);
}
