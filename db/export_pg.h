/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Export: how the modules of db/ begin one (internal to db/).
 */
#ifndef DB_EXPORT_PG_H
#define DB_EXPORT_PG_H

#include "db/export.h"
#include "db/pg.h"

/* The arguments are copied. Calls nothing before it returns. */
struct err export_run(int statement, const struct pg_args *args, const struct export_taker *taker,
                      void *arg, struct export **ret);

/* For pg.c: all that are under way end with ERR_STORE. */
void export_close_all(void);

#endif
