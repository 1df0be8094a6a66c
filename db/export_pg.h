/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Export: how the modules of db/ begin one (internal to db/). An answer may also be asked for as a
 * whole: db/pg_long.h does so, for what needs longer than a statement of pg_run may.
 */
#ifndef DB_EXPORT_PG_H
#define DB_EXPORT_PG_H

#include "db/export.h"
#include "db/pg.h"

/* The arguments are copied. Calls nothing before it returns. */
struct err export_run(int statement, const struct pg_args *args, const struct export_taker *taker,
                      void *arg, struct export **ret);

/* Of those, too, EXPORTS_MAX run at a time, and some more wait for their turn. answer: once, from
 * the loop, unless this fails; rows are borrowed for the call, NULL where it failed. */
typedef void export_answer(void *arg, const PGresult *rows, struct err e);
struct err export_ask(int statement, const struct pg_args *args, export_answer *answer, void *arg);

/* For pg.c: all that are under way end with ERR_STORE. */
void export_close_all(void);

#endif
