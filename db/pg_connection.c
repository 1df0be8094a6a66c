/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One Postgres connection.
 *
 *            connected      setup, schema list ok       all prepared
 *  DOWN -> CONNECTING -----> CHECKING ----------> PREPARING ----> READY
 *   ^          |                |                     |             |
 *   +----------+----------------+---------------------+-------------+
 *     refused, standby, another schema, silence, lost: again after 10 ms, then 100 ms ... 2 s
 *
 * What holds true: `pg` is NULL exactly in DOWN. The timer is the next attempt in DOWN, the
 * deadline of connecting in the middle states, and in READY the end of patience with a server that
 * owes an answer. libpq looks host names up in a blocking way: write addresses where that matters.
 */
#include "db/pg_connection.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/id.h"
#include "base/log.h"
#include "base/time.h"
#include "db/statements.h"

enum {
    MAGIC = 0x50474331,
    CONNECT_MS = 5000,
    FIRST_RETRY_MS = 10,
    RETRY_MS = 100,
    RETRY_MAX_MS = 2000,
    EMPTY_ANSWERS_MAX = 8, /* libpq going round in circles after errors */
    PROBLEM_TEXT = 300,
};

enum state { DOWN, CONNECTING, CHECKING, PREPARING, READY };

struct pg_connection {
    unsigned magic;
    struct pg_connection_options options;
    const struct pg_connection_owner *owner;
    void *arg;
    enum state state;
    PGconn *pg;
    struct event *readable, *writable, *timer;
    PGresult *answer; /* of the statement being read */
    unsigned syncs;   /* not answered yet */
    int step;         /* CHECKING, PREPARING: answers read so far */
    unsigned failures;
    bool told;                         /* this outage is in the log already */
    bool standby;                      /* or otherwise of no use */
    char problem[PROBLEM_TEXT];        /* with the schema, found by this attempt */
    char schema_problem[PROBLEM_TEXT]; /* by the last attempt that came so far */
};

bool pg_connection_ready(const struct pg_connection *c)
{
    return c->state == READY;
}

const char *pg_connection_schema_problem(const struct pg_connection *c)
{
    return c->schema_problem[0] ? c->schema_problem : NULL;
}

static void arm_timer(struct pg_connection *c, int64_t ms)
{
    struct timeval wait = {ms / 1000, ms % 1000 * 1000};

    event_add(c->timer, &wait);
}

static void watch_nothing(struct pg_connection *c)
{
    if (c->readable)
        event_free(c->readable);
    if (c->writable)
        event_free(c->writable);
    c->readable = c->writable = NULL;
}

static void on_readable(evutil_socket_t fd, short what, void *context);
static void on_writable(evutil_socket_t fd, short what, void *context);

/* The socket may be another one after each step of connecting. */
static void watch(struct pg_connection *c, bool read, bool write)
{
    watch_nothing(c);
    int fd = PQsocket(c->pg);
    c->readable = event_new(c->options.loop, fd, EV_READ | EV_PERSIST, on_readable, c);
    c->writable = event_new(c->options.loop, fd, EV_WRITE, on_writable, c);
    assert(c->readable && c->writable);
    if (read)
        event_add(c->readable, NULL);
    if (write)
        event_add(c->writable, NULL);
}

static void first_line(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text ? text : "");
    to[strcspn(to, "\n")] = '\0';
}

static void close_connection(struct pg_connection *c)
{
    watch_nothing(c);
    PQclear(c->answer);
    c->answer = NULL;
    PQfinish(c->pg);
    c->pg = NULL;
    c->syncs = 0;
    c->step = 0;
}

/* Every way back to DOWN. `why` NULL: what libpq says. */
static void give_up(struct pg_connection *c, const char *why)
{
    bool was_ready = c->state == READY;
    char reason[PROBLEM_TEXT];

    first_line(reason, sizeof(reason), why ? why : PQerrorMessage(c->pg));
    if (was_ready || !c->told)
        log_line(was_ready ? LOG_WARN : LOG_ERROR,
                 was_ready ? "database connection lost" : "no database connection",
                 LOG_TEXT("connection", c->options.name), LOG_TEXT("reason", reason));
    c->told = true;
    close_connection(c);
    c->state = DOWN;
    memcpy(c->schema_problem, c->problem, sizeof(c->problem));
    int64_t ms = FIRST_RETRY_MS;
    if (c->failures > 0)
        ms = c->failures > 5 ? RETRY_MAX_MS : RETRY_MS << (c->failures - 1);
    if (ms > RETRY_MAX_MS)
        ms = RETRY_MAX_MS;
    c->failures++;
    arm_timer(c, ms / 2 + (int64_t)id_random_below((uint64_t)(ms / 2 + 1)));
    if (was_ready)
        c->owner->lost(c->arg);
}

void pg_connection_restart(struct pg_connection *c, const char *why)
{
    if (c->state != DOWN)
        give_up(c, why);
}

/* ---- sending ---- */

bool pg_connection_flush(struct pg_connection *c)
{
    int left = PQflush(c->pg);

    if (left < 0) {
        give_up(c, NULL);
        return false;
    }
    if (left > 0)
        event_add(c->writable, NULL);
    /* Three times what one statement may take; answers of a batch come together. */
    if (c->state == READY && c->syncs > 0 && !event_pending(c->timer, EV_TIMEOUT, NULL))
        arm_timer(c, 3 * c->options.statement_timeout_ms);
    return true;
}

bool pg_connection_send(struct pg_connection *c, int statement, int count,
                        const char *const *values, const int *lengths, const int *formats)
{
    if (PQsendQueryPrepared(c->pg, statements[statement].name, count, values, lengths, formats, 0))
        return true;
    give_up(c, NULL);
    return false;
}

bool pg_connection_send_text(struct pg_connection *c, const char *sql)
{
    if (PQsendQueryParams(c->pg, sql, 0, NULL, NULL, NULL, NULL, 0))
        return true;
    give_up(c, NULL);
    return false;
}

bool pg_connection_sync(struct pg_connection *c)
{
    if (!PQpipelineSync(c->pg)) {
        give_up(c, NULL);
        return false;
    }
    c->syncs++;
    return true;
}

/* ---- from connected to ready ---- */

static void become_ready(struct pg_connection *c)
{
    c->state = READY;
    c->failures = 0;
    c->schema_problem[0] = '\0';
    event_del(c->timer);
    if (c->told)
        log_line(LOG_INFO, "database connection is back", LOG_TEXT("connection", c->options.name));
    c->told = false;
    c->owner->ready(c->arg);
}

static void begin_checking(struct pg_connection *c)
{
    char timeout[24];
    const char *values[] = {timeout};

    c->state = CHECKING;
    c->step = 0;
    if (PQsetnonblocking(c->pg, 1) != 0 || !PQenterPipelineMode(c->pg)) {
        give_up(c, NULL);
        return;
    }
    watch(c, true, false);
    snprintf(timeout, sizeof(timeout), "%lld", (long long)c->options.statement_timeout_ms);
    if (!PQsendQueryParams(c->pg, statements[STATEMENT_connection_setup].text, 1, NULL, values,
                           NULL, NULL, 0)) {
        give_up(c, NULL);
        return;
    }
    if (!pg_connection_sync(c))
        return;
    /* In a batch of its own: the table may not exist. */
    if (c->options.prepares &&
        (!pg_connection_send_text(c, statements[STATEMENT_schema_migration_list].text) ||
         !pg_connection_sync(c)))
        return;
    pg_connection_flush(c);
}

static void begin_preparing(struct pg_connection *c)
{
    c->state = PREPARING;
    c->step = 0;
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        if (!PQsendPrepare(c->pg, statements[i].name, statements[i].text, 0, NULL)) {
            give_up(c, NULL);
            return;
        }
        /* A sync each, so that one bad statement does not hide the others. */
        if (!pg_connection_sync(c))
            return;
    }
    pg_connection_flush(c);
}

static void schema_problem(struct pg_connection *c, const char *what)
{
    if (!c->problem[0])
        snprintf(c->problem, sizeof(c->problem), "%s; run \"ocpi-hub migrate\"", what);
}

/* The schema must be exactly the one this program was built with. */
static void check_schema(struct pg_connection *c, const PGresult *rows)
{
    char what[PROBLEM_TEXT / 2];
    int known = 0, found = PQntuples(rows);

    while (migrations[known].text)
        known++;
    for (int i = 0; i < found && i < known; i++) {
        if (strcmp(PQgetvalue(rows, i, 2), migrations[i].sha256) != 0) {
            snprintf(what, sizeof(what), "migration %d of the database is not this program's",
                     i + 1);
            schema_problem(c, what);
            return;
        }
    }
    if (found < known) {
        snprintf(what, sizeof(what), "the database schema is older than this program (%d of %d)",
                 found, known);
        schema_problem(c, what);
    } else if (found > known) {
        snprintf(what, sizeof(what), "the database schema is newer than this program (%d, %d)",
                 found, known);
        schema_problem(c, what);
    }
}

static void note_check(struct pg_connection *c, const PGresult *rows)
{
    bool ok = PQresultStatus(rows) == PGRES_TUPLES_OK;
    char text[PROBLEM_TEXT];

    if (c->step == 0 && ok)
        c->standby = PQgetvalue(rows, 0, 0)[0] == 't';
    else if (c->step == 1 && ok)
        check_schema(c, rows);
    else if (c->step == 1 && strcmp(PQresultErrorField(rows, PG_DIAG_SQLSTATE), "42P01") == 0)
        schema_problem(c, "the database has no schema yet");
    else {
        first_line(text, sizeof(text), PQresultErrorMessage(rows));
        log_line(LOG_ERROR, "database connection cannot be set up", LOG_TEXT("reason", text));
        c->standby = true; /* not usable */
    }
}

static void note_prepared(struct pg_connection *c, const PGresult *rows)
{
    char text[PROBLEM_TEXT / 2];

    if (PQresultStatus(rows) == PGRES_COMMAND_OK)
        return;
    first_line(text, sizeof(text), PQresultErrorMessage(rows));
    if (!c->told)
        log_line(LOG_ERROR, "statement does not fit the database schema",
                 LOG_TEXT("statement", statements[c->step].name), LOG_TEXT("reason", text));
    schema_problem(c, "a statement does not fit the database schema");
}

static void setup_answer(struct pg_connection *c, PGresult *rows)
{
    if (c->state == CHECKING)
        note_check(c, rows);
    else
        note_prepared(c, rows);
    c->step++;
    PQclear(rows);
}

static void setup_synced(struct pg_connection *c)
{
    if (c->syncs > 0)
        return;
    if (c->standby)
        give_up(c, "the server is a standby or refuses our settings");
    else if (c->problem[0])
        give_up(c, c->problem);
    else if (c->state == CHECKING && c->options.prepares)
        begin_preparing(c);
    else
        become_ready(c);
}

/* ---- reading ---- */

static void answered(struct pg_connection *c)
{
    PGresult *rows = c->answer;

    c->answer = NULL;
    if (c->state == READY)
        c->owner->result(c->arg, rows);
    else
        setup_answer(c, rows);
}

static void synced(struct pg_connection *c)
{
    c->syncs--;
    if (c->state == READY)
        c->owner->sync(c->arg);
    else
        setup_synced(c);
}

/* Works off what has arrived. The owner's functions may end the connection at any point. */
static void read_answers(struct pg_connection *c)
{
    PGconn *same = c->pg;
    int empty = 0;

    while (c->pg == same && c->syncs > 0 && !PQisBusy(c->pg)) {
        PGresult *rows = PQgetResult(c->pg);
        ExecStatusType status = rows ? PQresultStatus(rows) : PGRES_COMMAND_OK;
        if (PQstatus(c->pg) != CONNECTION_OK || empty > EMPTY_ANSWERS_MAX) {
            PQclear(rows);
            give_up(c, NULL);
            return;
        }
        if (!rows && !c->answer) {
            empty++;
            continue;
        }
        empty = 0;
        if (!rows) {
            answered(c);
        } else if (status == PGRES_PIPELINE_SYNC) {
            PQclear(rows);
            if (c->answer)
                answered(c);
            if (c->pg == same)
                synced(c);
        } else {
            PQclear(c->answer); /* rows, then an error: the error counts */
            c->answer = rows;
        }
    }
}

static void read_notifications(struct pg_connection *c)
{
    PGconn *same = c->pg;
    PGnotify *n;

    while (c->pg == same && (n = PQnotifies(c->pg))) {
        if (c->owner->notified)
            c->owner->notified(c->arg, n->relname, n->extra);
        PQfreemem(n);
    }
}

static void poll_connecting(struct pg_connection *c)
{
    switch (PQconnectPoll(c->pg)) {
    case PGRES_POLLING_READING:
        watch(c, true, false);
        return;
    case PGRES_POLLING_WRITING:
        watch(c, false, true);
        return;
    case PGRES_POLLING_OK:
        begin_checking(c);
        return;
    default:
        give_up(c, NULL);
    }
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct pg_connection *c = context;

    (void)fd;
    (void)what;
    assert(c->magic == MAGIC);
    if (c->state == CONNECTING) {
        poll_connecting(c);
        return;
    }
    if (!PQconsumeInput(c->pg)) {
        give_up(c, NULL);
        return;
    }
    if (c->state == READY && c->syncs > 0)
        arm_timer(c, 3 * c->options.statement_timeout_ms);
    read_answers(c);
    if (c->state == READY && c->syncs == 0)
        event_del(c->timer);
    if (c->pg)
        read_notifications(c);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    struct pg_connection *c = context;

    (void)fd;
    (void)what;
    assert(c->magic == MAGIC);
    if (c->state == CONNECTING)
        poll_connecting(c);
    else
        pg_connection_flush(c);
}

/* ---- life ---- */

/* libpq would write notices to stderr, where only log lines go. */
static void ignore_notice(void *arg, const PGresult *rows)
{
    (void)arg;
    (void)rows;
}

static void connect_now(struct pg_connection *c)
{
    /* Before dbname: the URL may say otherwise. After it: we know better. */
    const char *names[] = {"application_name",
                           "target_session_attrs",
                           "keepalives_idle",
                           "keepalives_interval",
                           "keepalives_count",
                           "tcp_user_timeout",
                           "dbname",
                           "client_encoding",
                           c->options.password ? "password" : NULL,
                           NULL};
    const char *values[] = {
        "ocpi-hub", "read-write",        "15", "5", "3", "10000", c->options.database_url,
        "UTF8",     c->options.password, NULL};

    c->standby = false;
    c->problem[0] = '\0';
    c->pg = PQconnectStartParams(names, values, 1);
    assert(c->pg);
    c->state = CONNECTING;
    if (PQstatus(c->pg) == CONNECTION_BAD) {
        give_up(c, NULL);
        return;
    }
    PQsetNoticeReceiver(c->pg, ignore_notice, NULL);
    arm_timer(c, CONNECT_MS);
    watch(c, false, true);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct pg_connection *c = context;

    (void)fd;
    (void)what;
    assert(c->magic == MAGIC);
    if (c->state == DOWN)
        connect_now(c);
    else
        give_up(c, "the server does not answer");
}

struct pg_connection *pg_connection_new(const struct pg_connection_options *options,
                                        const struct pg_connection_owner *owner, void *arg)
{
    struct pg_connection *c = calloc(1, sizeof(*c));

    assert(c);
    c->magic = MAGIC;
    c->options = *options;
    c->owner = owner;
    c->arg = arg;
    c->timer = evtimer_new(options->loop, on_timer, c);
    assert(c->timer);
    arm_timer(c, 0);
    return c;
}

void pg_connection_free(struct pg_connection *c)
{
    if (!c)
        return;
    close_connection(c);
    event_free(c->timer);
    c->magic = 0;
    free(c);
}
