/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of db/ share: a database of their own beside the one that DATABASE_URL names, a
 * loop, and a hand on the servers (STORES_DIR, see tests/stores.py). Without them a test is
 * skipped.
 */
#ifndef TESTS_DB_FIXTURE_H
#define TESTS_DB_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "db/db.h"
#include "db/statements.h"

static struct event_base *loop;
static char database_url[600]; /* of our own database */
static char database_name[64];

static inline int fixture_skip(void)
{
    if (getenv("DATABASE_URL") && getenv("REDIS_URL") && getenv("STORES_DIR"))
        return 0;
    printf("skipped: needs DATABASE_URL, REDIS_URL and STORES_DIR; run it by\n"
           "    python3 tests/stores.py run --fast -- <this program>\n");
    return 77;
}

/* Runs SQL on a connection of its own and returns the first value, "" where there is none. */
static inline const char *fixture_sql(const char *url, const char *sql)
{
    static char value[4][400];
    static int next;
    PGconn *pg = PQconnectdb(url);
    PGresult *rows = PQexec(pg, sql);
    char *ret = value[next++ % 4];

    if (PQresultStatus(rows) != PGRES_TUPLES_OK && PQresultStatus(rows) != PGRES_COMMAND_OK)
        print_error("%s\n%s", sql, PQerrorMessage(pg));
    assert_true(PQresultStatus(rows) == PGRES_TUPLES_OK ||
                PQresultStatus(rows) == PGRES_COMMAND_OK);
    snprintf(ret, sizeof(value[0]), "%s",
             PQntuples(rows) > 0 && PQnfields(rows) > 0 ? PQgetvalue(rows, 0, 0) : "");
    PQclear(rows);
    PQfinish(pg);
    return ret;
}

static inline const char *sql(const char *text)
{
    return fixture_sql(database_url, text);
}

/* The same server, our own database: as keyword=value, the last dbname wins. */
static inline void fixture_database_new(void)
{
    static int number;
    char create[128];
    PQconninfoOption *options = PQconninfoParse(getenv("DATABASE_URL"), NULL);
    size_t length = 0;

    assert_non_null(options);
    snprintf(database_name, sizeof(database_name), "test_%d_%d", (int)getpid(), ++number);
    snprintf(create, sizeof(create), "CREATE DATABASE %s", database_name);
    fixture_sql(getenv("DATABASE_URL"), create);
    for (PQconninfoOption *o = options; o->keyword; o++)
        if (o->val && strcmp(o->keyword, "dbname") != 0)
            length += (size_t)snprintf(database_url + length, sizeof(database_url) - length,
                                       "%s='%s' ", o->keyword, o->val);
    snprintf(database_url + length, sizeof(database_url) - length, "dbname=%s", database_name);
    PQconninfoFree(options);
}

static inline void fixture_database_drop(void)
{
    char drop[128];

    snprintf(drop, sizeof(drop), "DROP DATABASE IF EXISTS %s WITH (FORCE)", database_name);
    fixture_sql(getenv("DATABASE_URL"), drop);
}

static inline void fixture_migrate(void)
{
    struct arena *a = arena_new(1 << 20);
    struct err e = db_migrate(a, database_url);

    if (failed(e))
        print_error("%s\n", err_text(e));
    assert_false(failed(e));
    arena_free(a);
}

/* ---- the loop ---- */

static inline void fixture_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

/* Turns the loop until the condition holds; false after `ms`. */
static inline bool fixture_until(bool (*holds)(void), int64_t ms)
{
    int64_t end = time_monotonic_ms() + ms;
    struct event *beat = event_new(loop, -1, EV_PERSIST, fixture_wake, NULL);
    struct timeval every = {0, 2000};
    bool held;

    event_add(beat, &every);
    while (!(held = holds()) && time_monotonic_ms() < end)
        event_base_loop(loop, EVLOOP_ONCE);
    event_free(beat);
    return held;
}

static inline bool fixture_never(void)
{
    return false;
}

static inline void fixture_turn_for(int64_t ms)
{
    fixture_until(fixture_never, ms);
}

static inline bool fixture_db_up(void)
{
    return db_health() == DB_UP;
}

static inline bool fixture_db_not_up(void)
{
    return db_health() != DB_UP;
}

static inline void fixture_open(int64_t statement_timeout_ms, bool with_redis)
{
    static const unsigned char key[32] = {1};
    struct err e;

    loop = event_base_new();
    assert_non_null(loop);
    e = db_open(loop, &(struct db_options){
                          .database_url = database_url,
                          .redis_url = with_redis ? getenv("REDIS_URL") : NULL,
                          .writers = 2,
                          .readers = 2,
                          .statement_timeout_ms = statement_timeout_ms,
                          .data_key = key,
                          .hash_key = key,
                          .our_country = "FI",
                          .our_party = "HUB",
                          .receipt_series = "FI-TEST",
                      });
    assert_false(failed(e));
}

static inline void fixture_close(void)
{
    db_close();
    event_base_free(loop);
    loop = NULL;
}

/* ---- the servers ---- */

/* "stop", "start" of "postgres", "redis". */
static inline void fixture_store(const char *action, const char *which)
{
    char command[500];

    snprintf(command, sizeof(command), "python3 tests/stores.py %s '%s' %s >/dev/null", action,
             getenv("STORES_DIR"), which);
    assert_int_equal(system(command), 0);
}

static inline pid_t fixture_pid(const char *which)
{
    char command[500], line[32] = "";

    snprintf(command, sizeof(command), "python3 tests/stores.py pid '%s' %s", getenv("STORES_DIR"),
             which);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    assert_non_null(fgets(line, sizeof(line), out));
    pclose(out);
    pid_t pid = (pid_t)strtol(line, NULL, 10);
    assert_true(pid > 1);
    return pid;
}

#endif
