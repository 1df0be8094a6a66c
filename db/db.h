/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stores of this process: Postgres, which is the truth, and Redis, the live view.
 *
 * One process has one of each, on one event loop, so the modules of db/ take the flow alone. Both
 * connect in the background and reconnect by themselves; while Postgres is away every statement
 * ends at once with ERR_STORE, while Redis is away live_* falls back as its header says.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

struct event_base;
struct arena;

struct db_options {
    const char *database_url; /* libpq connection string or URI; unix sockets welcome */
    const char *redis_url;    /* "redis://host:port/0" or "unix:///path?db=0"; NULL: no Redis */
    struct secret redis_password, database_password; /* may be unset */
    int writers, readers;                            /* connections of this process: 2 and 2 */
    int64_t statement_timeout_ms;
    const unsigned char *data_key;       /* 32 bytes: seals outgoing credentials tokens */
    const unsigned char *hash_key;       /* 32 bytes: keyed hash of incoming tokens */
    const char *our_country, *our_party; /* our eMSP party: tokens and contract ids */
    const char *receipt_series;          /* "FI-HUB": prefix of receipt numbers */
};

struct err db_open(struct event_base *loop, const struct db_options *options);
void db_close(void);

enum db_health {
    DB_UP,
    DB_DOWN,
    DB_NO_SCHEMA, /* missing, older or newer than this program's: "run ocpi-hub migrate" */
};
enum db_health db_health(void);
const char *db_health_text(void); /* for /readyz and people */
bool db_redis_up(void);

/* Runs fn(payload) in this process when another (or this) process said db_notify's channel.
 * Channels: "operation" and "outbox" (something is due), "partner" (register changed), "contract",
 * "location" (an EVSE changed: payload "partner_id/location key"). Lost notifications are possible: everybody
 * polls too. After the listening connection was away, fn is called once with the payload "". */
void db_on_notify(const char *channel, void (*fn)(const char *payload, void *arg), void *arg);

/* ---- before the loop: the command line programs ---- */

/* Applies what is missing, under an advisory lock; prints one line per migration. Blocking. */
struct err db_migrate(struct arena *a, const char *database_url);

#endif
