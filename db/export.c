/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Export: (WAITING ->) CONNECTING -> SETTING_UP -> RUNNING -> gone.
 *
 * libpq gives row by row (single row mode). While the taker has enough the socket is not read, so
 * that the server's side of the connection fills and the server waits; its statement has no other
 * time limit than LONGEST_MS. An answer that is asked for as a whole goes the same way, with all
 * its rows at the end; while EXPORTS_MAX of these are under way the next ones wait for their turn.
 */
#include "db/export_pg.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/time.h"
#include "db/statements.h"

enum {
    CONNECT_MS = 5000,
    LONGEST_MS = 30 * 60 * 1000,
    COLUMNS_MAX = 64,
    ASKED_MAX = 64,     /* those that wait, too */
    ROWS_AT_ONCE = 500, /* then the loop turns: others have something to do too */
    /* Types by their numbers, which never change: bool, int8, int2, int4, numeric, json, jsonb. */
    OID_BOOL = 16,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_JSON = 114,
    OID_NUMERIC = 1700,
    OID_JSONB = 3802,
};

enum state { WAITING, CONNECTING, SETTING_UP, RUNNING };

struct export
{
    struct export *next;
    enum state state;
    PGconn *pg;
    struct event *readable, *writable, *soon, *timer;
    int statement;
    int count;
    char *values[PG_MAX_ARGS];
    const struct export_taker *taker; /* NULL: it is asked for as a whole */
    export_answer *answer;
    void *arg;
    PGresult *rows; /* the whole */
    bool held;      /* the taker has enough */
    bool giving;    /* inside the taker */
    bool cancelled; /* ... which has said so */
};

/* The newest comes first. Those that go row by row and those that are asked for as a whole do not
 * take each other's room. */
static struct export *exports;

static int count_of(bool asked, bool waiting_too)
{
    int count = 0;

    for (const struct export *x = exports; x; x = x->next)
        count += asked == !x->taker && (waiting_too || x->state != WAITING);
    return count;
}

static void unwatch(struct export *x)
{
    if (x->readable)
        event_free(x->readable);
    if (x->writable)
        event_free(x->writable);
    x->readable = x->writable = NULL;
}

/* The oldest of those that wait, from the loop. */
static void call_next(void)
{
    struct export *next = NULL;

    for (struct export *x = exports; x; x = x->next)
        if (x->state == WAITING)
            next = x;
    if (next && count_of(true, false) < EXPORTS_MAX)
        event_active(next->soon, EV_TIMEOUT, 0);
}

static void forget(struct export *x)
{
    struct export **at = &exports;

    while (*at != x)
        at = &(*at)->next;
    *at = x->next;
    unwatch(x);
    event_free(x->soon);
    event_free(x->timer);
    PQclear(x->rows);
    PQfinish(x->pg);
    for (int i = 0; i < x->count; i++)
        free(x->values[i]);
    free(x);
    call_next();
}

static void end(struct export *x, struct err e)
{
    const struct export_taker *taker = x->taker;
    export_answer *answer = x->answer;
    PGresult *rows = x->rows;
    void *arg = x->arg;

    x->rows = NULL;
    forget(x);
    if (taker)
        taker->ended(arg, e);
    else
        answer(arg, failed(e) ? NULL : rows, e);
    PQclear(rows);
}

/* What libpq or the server says is for the log; it may quote data, so of results only the code. */
static void fail(struct export *x, const PGresult *rows)
{
    const char *code = rows ? PQresultErrorField(rows, PG_DIAG_SQLSTATE) : NULL;

    log_line(LOG_ERROR, x->taker ? "export failed" : "statement failed",
             LOG_TEXT("statement", statements[x->statement].name),
             LOG_TEXT("sqlstate", code ? code : "none: the connection was lost"));
    end(x, err_new(ERR_STORE));
}

static void on_socket(evutil_socket_t fd, short what, void *context);

static void watch(struct export *x, bool read, bool write)
{
    struct event_base *loop = event_get_base(x->soon);

    unwatch(x);
    x->readable = event_new(loop, PQsocket(x->pg), EV_READ | EV_PERSIST, on_socket, x);
    x->writable = event_new(loop, PQsocket(x->pg), EV_WRITE, on_socket, x);
    assert(x->readable && x->writable);
    if (read)
        event_add(x->readable, NULL);
    if (write)
        event_add(x->writable, NULL);
}

static bool flush(struct export *x)
{
    int left = PQflush(x->pg);

    if (left > 0)
        event_add(x->writable, NULL);
    return left >= 0;
}

/* ---- rows ---- */

static enum export_kind kind_of(Oid type)
{
    switch (type) {
    case OID_BOOL:
        return EXPORT_BOOL;
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_NUMERIC:
        return EXPORT_NUMBER;
    case OID_JSON:
    case OID_JSONB:
        return EXPORT_JSON;
    default:
        return EXPORT_TEXT;
    }
}

static void give(struct export *x, const PGresult *rows)
{
    struct export_column columns[COLUMNS_MAX];
    int count = PQnfields(rows);

    assert(count <= COLUMNS_MAX);
    for (int i = 0; i < count; i++)
        columns[i] = (struct export_column){
            .name = PQfname(rows, i),
            .kind = kind_of(PQftype(rows, i)),
            .value = PQgetisnull(rows, 0, i) ? NULL : PQgetvalue(rows, 0, i),
            .length = (size_t)PQgetlength(rows, 0, i),
        };
    x->giving = true;
    if (!x->taker->row(x->arg, columns, count))
        x->held = true;
    x->giving = false;
}

/* Takes what libpq has; x may be gone afterwards. */
static void take_rows(struct export *x)
{
    for (int i = 0; !x->held; i++) {
        if (i == ROWS_AT_ONCE) {
            event_active(x->soon, EV_TIMEOUT, 0);
            return;
        }
        if (PQisBusy(x->pg)) {
            event_add(x->readable, NULL);
            return;
        }
        PGresult *rows = PQgetResult(x->pg);
        if (!rows) {
            end(x, OK);
            return;
        }
        switch (PQresultStatus(rows)) {
        case PGRES_SINGLE_TUPLE:
            give(x, rows);
            PQclear(rows);
            if (x->cancelled) {
                forget(x);
                return;
            }
            break;
        case PGRES_TUPLES_OK: /* after the last row; or all of them */
            PQclear(x->rows);
            x->rows = rows;
            break;
        default:
            fail(x, rows);
            PQclear(rows);
            return;
        }
    }
    event_del(x->readable);
}

/* ---- from connecting to running ---- */

static bool send_setup(struct export *x)
{
    static const char *const timeout[] = {"1800000"};

    _Static_assert(LONGEST_MS == 1800000, "the text above says the same");
    x->state = SETTING_UP;
    watch(x, true, false);
    return PQsetnonblocking(x->pg, 1) == 0 &&
           PQsendQueryParams(x->pg, statements[STATEMENT_connection_setup].text, 1, NULL, timeout,
                             NULL, NULL, 0) &&
           flush(x);
}

static bool send_statement(struct export *x)
{
    x->state = RUNNING;
    event_add(x->timer, &(struct timeval){LONGEST_MS / 1000, 0});
    return PQsendQueryParams(x->pg, statements[x->statement].text, x->count, NULL,
                             (const char *const *)x->values, NULL, NULL, 0) &&
           (!x->taker || PQsetSingleRowMode(x->pg)) && flush(x);
}

static void poll_connecting(struct export *x)
{
    switch (PQconnectPoll(x->pg)) {
    case PGRES_POLLING_READING:
        watch(x, true, false);
        return;
    case PGRES_POLLING_WRITING:
        watch(x, false, true);
        return;
    case PGRES_POLLING_OK:
        if (!send_setup(x))
            fail(x, NULL);
        return;
    default:
        fail(x, NULL);
    }
}

static void take_setup(struct export *x)
{
    while (!PQisBusy(x->pg)) {
        PGresult *rows = PQgetResult(x->pg);
        if (!rows) {
            if (!send_statement(x))
                fail(x, NULL);
            return;
        }
        if (PQresultStatus(rows) != PGRES_TUPLES_OK) {
            fail(x, rows);
            PQclear(rows);
            return;
        }
        PQclear(rows);
    }
}

static void on_socket(evutil_socket_t fd, short what, void *context)
{
    struct export *x = context;

    (void)fd;
    if (x->state == CONNECTING) {
        poll_connecting(x);
        return;
    }
    if ((what & EV_WRITE && !flush(x)) || (what & EV_READ && !PQconsumeInput(x->pg))) {
        fail(x, NULL);
        return;
    }
    if (x->state == SETTING_UP)
        take_setup(x);
    else if (!x->held)
        take_rows(x);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct export *x = context;

    (void)fd;
    (void)what;
    fail(x, NULL);
}

/* libpq would write notices to stderr, where only log lines go. */
static void ignore_notice(void *arg, const PGresult *rows)
{
    (void)arg;
    (void)rows;
}

static bool begin(struct export *x)
{
    const struct db_options *options = pg_options();
    const char *password = secret_is_set(options->database_password)
                               ? secret_reveal(options->database_password)
                               : NULL;
    /* As pg_connection.c has them. */
    const char *names[] = {"application_name",
                           "keepalives_idle",
                           "tcp_user_timeout",
                           "dbname",
                           "client_encoding",
                           password ? "password" : NULL,
                           NULL};
    const char *values[] = {"ocpi-hub export", "15", "10000", options->database_url, "UTF8",
                            password,          NULL};

    x->state = CONNECTING;
    event_add(x->timer, &(struct timeval){CONNECT_MS / 1000, 0});
    x->pg = PQconnectStartParams(names, values, 1);
    assert(x->pg);
    PQsetNoticeReceiver(x->pg, ignore_notice, NULL);
    if (PQstatus(x->pg) == CONNECTION_BAD)
        return false;
    watch(x, false, true);
    return true;
}

static void on_soon(evutil_socket_t fd, short what, void *context)
{
    struct export *x = context;

    (void)fd;
    (void)what;
    if (x->state == RUNNING && !x->held) {
        take_rows(x);
    } else if (x->state == WAITING && count_of(true, false) < EXPORTS_MAX) {
        if (!begin(x))
            fail(x, NULL);
        call_next(); /* there may be room for more than one */
    }
}

/* `to` says who takes what comes of it. */
static struct export *export_new(int statement, const struct pg_args *args, const struct export *to)
{
    struct event_base *loop = pg_loop();
    struct export *x = malloc(sizeof *x);

    assert(x);
    *x = *to;
    x->next = exports;
    exports = x;
    x->statement = statement;
    x->count = args->count;
    for (int i = 0; i < args->count; i++) {
        assert(!args->formats[i]);
        x->values[i] = args->values[i] ? strdup(args->values[i]) : NULL;
    }
    x->soon = event_new(loop, -1, 0, on_soon, x);
    x->timer = evtimer_new(loop, on_timer, x);
    assert(x->soon && x->timer);
    return x;
}

/* ---- for others ---- */

struct err export_run(int statement, const struct pg_args *args, const struct export_taker *taker,
                      void *arg, struct export **ret)
{
    *ret = NULL;
    if (!pg_options()) /* the process is leaving */
        return err_new(ERR_STORE);
    if (count_of(false, false) >= EXPORTS_MAX)
        return err_new(ERR_OVERLOADED);
    struct export *x = export_new(statement, args, &(struct export){.taker = taker, .arg = arg});
    if (!begin(x)) {
        forget(x);
        return err_new(ERR_STORE);
    }
    *ret = x;
    return OK;
}

struct err export_ask(int statement, const struct pg_args *args, export_answer *answer, void *arg)
{
    if (!pg_options())
        return err_new(ERR_STORE);
    if (count_of(true, true) >= ASKED_MAX)
        return err_new(ERR_OVERLOADED);
    export_new(statement, args, &(struct export){.answer = answer, .arg = arg});
    call_next();
    return OK;
}

void export_go_on(struct export *x)
{
    x->held = false;
    event_active(x->soon, EV_TIMEOUT, 0);
}

void export_cancel(struct export *x)
{
    if (!x)
        return;
    if (x->giving)
        x->cancelled = true;
    else
        forget(x);
}

void export_close_all(void)
{
    while (exports)
        end(exports, err_new(ERR_STORE));
}
