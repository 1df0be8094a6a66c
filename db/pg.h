/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Postgres connections of this process, on the loop (internal to db/).
 *
 * Writers share commits: statements that are ready when the loop turns travel as one pipeline
 * batch with one sync; while it is under way the next batch gathers. Everybody is answered after
 * the sync. If a member fails, the batch has rolled back and its members run again one by one.
 * A lost connection means an unknown outcome for writes: ERR_STORE; statements are therefore
 * written so that running them again (same key) is harmless.
 */
#ifndef DB_PG_H
#define DB_PG_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/flow.h"
#include "db/db.h"

enum { PG_MAX_ARGS = 48 };

enum pg_lane { PG_WRITE, PG_READ };

/* Arguments in the order of $1..$n, as text; NULL is SQL NULL. Filled by pg_arg_*; values are
 * borrowed until pg_run returns, printed numbers live in the flow's arena. */
struct pg_args {
    struct arena *arena;
    int count;
    const char *values[PG_MAX_ARGS];
    int lengths[PG_MAX_ARGS];
    int formats[PG_MAX_ARGS]; /* 1: binary (bytea) */
};
void pg_args_init(struct pg_args *args, struct arena *a);
void pg_arg_text(struct pg_args *args, const char *value);
void pg_arg_int(struct pg_args *args, int64_t value);
void pg_arg_bool(struct pg_args *args, bool value);
void pg_arg_time(struct pg_args *args, int64_t us);  /* timestamptz; TIME_NONE: NULL */
void pg_arg_u6(struct pg_args *args, int64_t value); /* numeric */
void pg_arg_bytes(struct pg_args *args, const void *bytes, size_t length);
void pg_arg_texts(struct pg_args *args, const char *const *values, size_t count); /* text[] */

/* Columns of a row, by name; text lives in the arena given. */
const char *pg_text(struct arena *a, const PGresult *rows, int row, const char *column);
int64_t pg_int(const PGresult *rows, int row, const char *column); /* NULL: 0 */
bool pg_bool(const PGresult *rows, int row, const char *column);
int64_t pg_time(const PGresult *rows, int row, const char *column); /* NULL: TIME_NONE */
int64_t pg_u6(const PGresult *rows, int row, const char *column);   /* six decimals at most */
bool pg_is_null(const PGresult *rows, int row, const char *column);

/* Takes the result over into the caller's struct; called while the flow lives and after the sync.
 */
typedef struct err pg_take(struct flow *f, const PGresult *rows, void *ret);

/* `statement` is a name of the files in db/statements: STATEMENT_session_start. */
enum flow_next pg_run(struct flow *f, enum pg_lane lane, int statement, const struct pg_args *args,
                      pg_take *take, void *ret);
/* The same without a flow: for the message log and other background writing. done may be NULL; it
 * is called from the loop, or at once when the queue is full. */
void pg_send(enum pg_lane lane, int statement, const struct pg_args *args,
             void (*done)(const PGresult *rows, struct err e, void *arg), void *arg);

/* ---- for db.c ---- */

void pg_open(struct event_base *loop,
             const struct db_options *options); /* borrowed until pg_close */
void pg_close(void);                            /* statements under way end with ERR_STORE */
/* What db_open was given, for the modules of db/ that seal and hash. */
const struct db_options *pg_options(void);
struct event_base *pg_loop(void); /* between pg_open and pg_close */
enum db_health pg_health(const char **ret_text);

#endif
