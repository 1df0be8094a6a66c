/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a session comes out of a result: the columns of SQL's type session_row (internal to db/).
 */
#ifndef DB_SESSION_ROW_H
#define DB_SESSION_ROW_H

#include "db/pg.h"
#include "db/session.h"

/* id "" where the row has no session. Text lives in the arena. */
void session_take(struct arena *a, const PGresult *rows, int row, struct session *ret);

/* pg_text of a short column into an array; "" for NULL and for what does not fit. */
void session_take_text(const PGresult *rows, int row, const char *column, char *to, size_t size);

/* Which of the words a column holds: its index, or -1. `words` ends with NULL. */
int session_take_word(const PGresult *rows, int row, const char *column, const char *const *words);

/* The key's five values; NULLs where no key was sent. */
void idempotency_args(struct pg_args *args, const struct idempotency *key);

#endif
