/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reconciliation of a month.
 */
#include "db/reconciliation.h"

#include "base/arena.h"
#include "db/export_pg.h"
#include "db/statements.h"

struct err reconciliation_list(struct flow *f, const char *month, int64_t partner,
                               const struct export_taker *taker, void *arg, struct export **ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, arena_printf(f->arena, "%s-01", month));
    if (partner)
        pg_arg_int(&args, partner);
    else
        pg_arg_text(&args, NULL);
    return export_run(STATEMENT_reconciliation_list, &args, taker, arg, ret);
}
