/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One Postgres connection on the loop, in pipeline mode (internal to db/): connects, checks that it
 * talks to a primary with our schema, prepares every statement, and comes back by itself when it is
 * lost. Who sends what, and what an answer means, is the owner's business.
 */
#ifndef DB_PG_CONNECTION_H
#define DB_PG_CONNECTION_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct pg_connection;

struct pg_connection_owner {
    void (*ready)(void *arg); /* may send from now on */
    void (*lost)(void *arg);  /* was ready and is not any more; what was sent has no answer */
    /* The answer to one statement, in order of sending; takes it over. An error that belongs to
     * the commit itself arrives as one more answer before the sync. */
    void (*result)(void *arg, PGresult *rows);
    void (*sync)(void *arg); /* the batch is committed, or rolled back if it had an error */
    void (*notified)(void *arg, const char *channel, const char *payload); /* may be NULL */
};

struct pg_connection_options {
    struct event_base *loop;
    const char *database_url, *password; /* password may be NULL; both outlive the connection */
    int64_t statement_timeout_ms;
    bool prepares;    /* checks the schema and prepares all statements before it is ready */
    const char *name; /* "writer 1": logs */
};

struct pg_connection *pg_connection_new(const struct pg_connection_options *options,
                                        const struct pg_connection_owner *owner, void *arg);
void pg_connection_free(struct pg_connection *c); /* NULL is fine; says nothing to the owner */

bool pg_connection_ready(const struct pg_connection *c);
/* Not NULL: the server is there, but the schema is not ours. For people. */
const char *pg_connection_schema_problem(const struct pg_connection *c);

/* Each returns false if the connection has just been lost: lost() was called. Nothing leaves
 * before pg_connection_flush. */
bool pg_connection_send(struct pg_connection *c, int statement, int count,
                        const char *const *values, const int *lengths, const int *formats);
bool pg_connection_send_text(struct pg_connection *c, const char *sql);
bool pg_connection_sync(struct pg_connection *c);
bool pg_connection_flush(struct pg_connection *c);

/* Gives the connection up and makes a new one: lost() is called. */
void pg_connection_restart(struct pg_connection *c, const char *why);

#endif
