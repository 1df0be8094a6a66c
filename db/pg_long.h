/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long statements: what reads or writes a month of somebody's books, or all of them (internal to
 * db/). They run as exports do, on a connection of their own with its own time limit, so that
 * nobody's short statement waits behind them. What changes anything is one transaction, and goes
 * on to its end when nobody waits for it any more.
 */
#ifndef DB_PG_LONG_H
#define DB_PG_LONG_H

#include "db/pg.h"

/* As pg_run; ERR_OVERLOADED where too many are under way. Runs once: what pg_run would do again
 * after a conflict fails here. */
enum flow_next pg_run_long(struct flow *f, int statement, const struct pg_args *args, pg_take *take,
                           void *ret);

#endif
