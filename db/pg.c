/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements on their way: two lanes, each a queue in front of some connections.
 *
 *   pg_run ---> queue ---(end of the loop turn)---> flight of a connection ---(sync)---> settled
 *                 ^                                                             |
 *                 +---- batch rolled back: each member alone; deadlock: again --+
 *
 * Write lane: a connection takes a whole batch when its last one is settled, with one sync at the
 * end. Members that must run alone have a sync each, which makes each a transaction of its own.
 * Read lane: a sync each, and a connection takes more while it is busy.
 *
 * What holds true: a request is in exactly one list (queue or flight) until it is finished, and is
 * finished exactly once. `cursor` is the first member of the flight that has no answer yet.
 */
#include "db/pg.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "db/export_pg.h"
#include "db/pg_connection.h"
#include "db/statements.h"

enum {
    CONNECTIONS_MAX = 8,
    QUEUE_MAX = 4096,
    BATCH_MAX = 256,
    READS_IN_FLIGHT = 32, /* per connection */
    RETRIES = 3,
    GRACE_MS = 200, /* a reconnect this quick is not noticed by those who wait */
    TICK_MS = 50,
};

struct request {
    struct request *next;
    enum pg_lane lane;
    int statement;
    int tries;
    bool alone;        /* in a transaction of its own */
    bool last;         /* a sync follows */
    int64_t queued_us; /* monotonic */
    PGresult *rows;
    /* Whose it is: a flow's, or anybody's. */
    bool for_flow;
    struct flow_ticket ticket;
    pg_take *take;
    void *ret;
    void (*done)(const PGresult *rows, struct err e, void *arg);
    void *arg;
    int count;
    const char **values;
    int *lengths, *formats;
    char bytes[];
};

struct list {
    struct request *first, *last;
    int count;
};

struct connection {
    struct pg_connection *pg;
    struct lane *lane;
    struct list flight;
    struct request *cursor;
    bool awaits_sync;
    PGresult *commit_error; /* a constraint that is checked at the end */
    bool stale;             /* its prepared statements or its server are of no use any more */
};

struct lane {
    struct list queue;
    struct connection connections[CONNECTIONS_MAX];
    int count, ready;
    int64_t down_since_ms; /* while ready == 0 */
    bool has_been_ready;
};

static struct {
    const struct db_options *options;
    struct lane lanes[2];
    struct event *turn, *tick;
    bool turn_pending;
} pg;

const struct db_options *pg_options(void)
{
    return pg.options;
}

struct event_base *pg_loop(void)
{
    return event_get_base(pg.turn);
}

/* Finer than time_monotonic_ms, of the same clock. */
static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000;
}

/* ---- lists ---- */

static void list_add(struct list *list, struct request *r)
{
    r->next = NULL;
    if (list->last)
        list->last->next = r;
    else
        list->first = r;
    list->last = r;
    list->count++;
}

static struct request *list_take(struct list *list)
{
    struct request *r = list->first;

    if (!r)
        return NULL;
    list->first = r->next;
    if (!list->first)
        list->last = NULL;
    list->count--;
    r->next = NULL;
    return r;
}

/* Puts all of `front` before `list`, in their order; `front` is empty afterwards. */
static void list_put_back(struct list *list, struct list *front)
{
    if (!front->first)
        return;
    front->last->next = list->first;
    list->first = front->first;
    if (!list->last)
        list->last = front->last;
    list->count += front->count;
    *front = (struct list){0};
}

/* ---- a request ends ---- */

static void finish(struct request *r, struct err e)
{
    metric_observe_us(METRIC_STORE_SECONDS, "postgres", statements[r->statement].name,
                      now_us() - r->queued_us);
    if (r->for_flow) {
        struct flow *f = flow_ticket_flow(r->ticket);
        if (f && !failed(e) && r->take)
            e = r->take(f, r->rows, r->ret);
        flow_resume(r->ticket, e);
    } else if (r->done) {
        r->done(r->rows, e, r->arg);
    }
    PQclear(r->rows);
    free(r);
}

static void finish_all(struct list *list, enum err_kind kind)
{
    struct request *r;

    while ((r = list_take(list))) {
        PQclear(r->rows);
        r->rows = NULL;
        finish(r, err_new(kind));
    }
}

static void turn_soon(void)
{
    if (pg.turn_pending)
        return;
    pg.turn_pending = true;
    event_active(pg.turn, EV_TIMEOUT, 0);
}

static void run_again(struct request *r)
{
    struct list one = {r, r, 1};

    PQclear(r->rows);
    r->rows = NULL;
    r->alone = true;
    list_put_back(&pg.lanes[r->lane].queue, &one);
    turn_soon();
}

/* What an SQLSTATE means to us. */
enum verdict {
    AGAIN,       /* the server chose a victim, or somebody held the lock */
    AGAIN_FRESH, /* this connection's plans are outdated: on a new one */
    AWAY,        /* the server is leaving, full, or not the primary any more */
    TOO_SLOW,
    OUR_MISTAKE,
};

static enum verdict judge(const char *sqlstate)
{
    /* clang-format off */
    static const struct { const char *prefix; enum verdict verdict; } table[] = {
        {"40001", AGAIN},       /* serialization failure */
        {"40P01", AGAIN},       /* deadlock */
        {"55P03", AGAIN},       /* lock timeout */
        {"26000", AGAIN_FRESH}, /* no such prepared statement */
        {"0A000", AGAIN_FRESH}, /* cached plan must not change result type */
        {"25006", AWAY},        /* read-only: a standby now */
        {"57P",   AWAY},        /* shutdown, crash, starting */
        {"08",    AWAY},        /* connection */
        {"53",    AWAY},        /* disk full, out of memory, too many connections */
        {"57014", TOO_SLOW},    /* statement timeout */
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        if (strncmp(sqlstate, table[i].prefix, strlen(table[i].prefix)) == 0)
            return table[i].verdict;
    return OUR_MISTAKE;
}

/* No parameters in the log: they are people's data; the detail of a message may quote them. */
static void log_error(const struct request *r, const char *sqlstate, const PGresult *error)
{
    log_line(LOG_ERROR, "statement failed", LOG_TEXT("statement", statements[r->statement].name),
             LOG_TEXT("sqlstate", sqlstate),
             LOG_TEXT("text", PQresultErrorField(error, PG_DIAG_MESSAGE_PRIMARY)),
             LOG_TEXT("constraint", PQresultErrorField(error, PG_DIAG_CONSTRAINT_NAME)));
}

static void settle_failed(struct connection *c, struct request *r, const PGresult *error)
{
    const char *sqlstate = PQresultErrorField(error, PG_DIAG_SQLSTATE);

    if (!sqlstate)
        sqlstate = "";
    enum verdict verdict = judge(sqlstate);
    if (verdict == AGAIN_FRESH || verdict == AWAY)
        c->stale = true;
    if ((verdict == AGAIN || verdict == AGAIN_FRESH) && r->tries < RETRIES) {
        r->tries++;
        run_again(r);
        return;
    }
    log_error(r, sqlstate, error);
    PQclear(r->rows);
    r->rows = NULL;
    finish(r, err_new(verdict == OUR_MISTAKE ? ERR_INTERNAL : ERR_STORE));
}

static bool is_error(const PGresult *rows)
{
    ExecStatusType status = PQresultStatus(rows);

    return status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK;
}

/* Everybody between two syncs: one transaction. */
static void settle(struct connection *c, struct list *group, PGresult *commit_error)
{
    struct request *r;
    bool rolled_back = commit_error != NULL;

    for (r = group->first; r; r = r->next)
        rolled_back = rolled_back || is_error(r->rows);
    if (!rolled_back) {
        while ((r = list_take(group)))
            finish(r, OK);
    } else if (group->count == 1) {
        r = list_take(group);
        PGresult *error = commit_error;
        if (!error) {
            error = r->rows;
            r->rows = NULL;
        }
        settle_failed(c, r, error);
        if (error != commit_error)
            PQclear(error);
    } else {
        for (r = group->first; r; r = r->next) {
            PQclear(r->rows);
            r->rows = NULL;
            r->alone = true;
        }
        list_put_back(&c->lane->queue, group);
        turn_soon();
    }
    PQclear(commit_error);
}

/* ---- sending ---- */

static bool is_wanted(const struct request *r)
{
    return !r->for_flow || flow_ticket_flow(r->ticket);
}

/* The next request worth sending. Nobody waits for it any more: then it is not begun. */
static struct request *take_wanted(struct lane *lane)
{
    struct request *r;

    while ((r = list_take(&lane->queue)) && !is_wanted(r))
        free(r);
    return r;
}

static bool send_one(struct connection *c, struct request *r)
{
    list_add(&c->flight, r);
    if (!c->cursor)
        c->cursor = r;
    return pg_connection_send(c->pg, r->statement, r->count, r->values, r->lengths, r->formats);
}

static bool send_sync(struct connection *c)
{
    c->flight.last->last = true;
    return pg_connection_sync(c->pg);
}

/* After each step the connection may be gone; then lost() has dealt with the flight. */
static void send_batch(struct connection *c)
{
    bool alone = c->lane->queue.first->alone;
    int sent = 0;

    while (sent < BATCH_MAX && c->lane->queue.first && c->lane->queue.first->alone == alone) {
        struct request *r = take_wanted(c->lane);
        if (!r)
            break;
        /* take_wanted may have skipped over the end of this kind. */
        bool of_other_kind = r->alone != alone;
        if (of_other_kind && sent > 0) {
            struct list one = {r, r, 1};
            list_put_back(&c->lane->queue, &one);
            break;
        }
        alone = r->alone;
        if (!send_one(c, r) || (alone && !send_sync(c)))
            return;
        sent++;
    }
    if (sent > 0 && (alone || send_sync(c)))
        pg_connection_flush(c->pg);
}

static void send_read(struct connection *c)
{
    struct request *r = take_wanted(c->lane);

    if (r && send_one(c, r) && send_sync(c))
        pg_connection_flush(c->pg);
}

/* The ready connection with the least to do that has room; NULL if there is none. */
static struct connection *connection_with_room(struct lane *lane, int room)
{
    struct connection *best = NULL;

    for (int i = 0; i < lane->count; i++) {
        struct connection *c = &lane->connections[i];
        if (!pg_connection_ready(c->pg) || c->stale || c->flight.count >= room)
            continue;
        if (!best || c->flight.count < best->flight.count)
            best = c;
    }
    return best;
}

static void dispatch(void)
{
    struct lane *writes = &pg.lanes[PG_WRITE], *reads = &pg.lanes[PG_READ];
    struct connection *c;

    while (writes->queue.first && (c = connection_with_room(writes, 1)))
        send_batch(c);
    while (reads->queue.first && (c = connection_with_room(reads, READS_IN_FLIGHT)))
        send_read(c);
}

static void on_turn(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
    pg.turn_pending = false;
    dispatch();
}

/* ---- waiting too long ---- */

static bool lane_is_down(const struct lane *lane, int64_t now_ms)
{
    return lane->ready == 0 && (!lane->has_been_ready || now_ms - lane->down_since_ms > GRACE_MS);
}

static void arm_tick(void)
{
    struct timeval wait = {0, TICK_MS * 1000};

    if (!event_pending(pg.tick, EV_TIMEOUT, NULL))
        event_add(pg.tick, &wait);
}

/* Only what has not been sent; a server that owes answers is pg_connection's business. */
static void expire(struct lane *lane, int64_t now_ms)
{
    struct list all = lane->queue, late = {0};
    struct request *r;
    bool down = lane_is_down(lane, now_ms);

    lane->queue = (struct list){0};
    while ((r = list_take(&all))) {
        bool is_late = down || now_ms - r->queued_us / 1000 > pg.options->statement_timeout_ms;
        list_add(is_late ? &late : &lane->queue, r);
    }
    finish_all(&late, ERR_STORE);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
    for (int i = 0; i < 2; i++)
        expire(&pg.lanes[i], time_monotonic_ms());
    if (pg.lanes[0].queue.first || pg.lanes[1].queue.first)
        arm_tick();
}

/* ---- what connections say ---- */

static void note_up(void)
{
    metric_set(METRIC_STORE_UP, "postgres", pg.lanes[PG_WRITE].ready && pg.lanes[PG_READ].ready);
}

static void on_ready(void *arg)
{
    struct connection *c = arg;

    c->stale = false;
    c->lane->ready++;
    c->lane->has_been_ready = true;
    note_up();
    turn_soon();
}

static void on_lost(void *arg)
{
    struct connection *c = arg;
    struct list flight = c->flight, again = {0}, unknown = {0};
    struct request *r;

    c->flight = (struct list){0};
    c->cursor = NULL;
    c->awaits_sync = false;
    PQclear(c->commit_error);
    c->commit_error = NULL;
    if (--c->lane->ready == 0)
        c->lane->down_since_ms = time_monotonic_ms();
    note_up();
    while ((r = list_take(&flight))) {
        PQclear(r->rows);
        r->rows = NULL;
        r->last = false;
        /* Reading twice is harmless. Of a write nobody knows whether it was committed. */
        bool read_once_more = r->lane == PG_READ && r->tries++ == 0;
        list_add(read_once_more ? &again : &unknown, r);
    }
    list_put_back(&c->lane->queue, &again);
    if (c->lane->queue.first) {
        arm_tick();
        turn_soon();
    }
    finish_all(&unknown, ERR_STORE);
}

static void on_result(void *arg, PGresult *rows)
{
    struct connection *c = arg;

    if (c->awaits_sync || !c->cursor) {
        PQclear(c->commit_error);
        c->commit_error = rows;
        return;
    }
    c->cursor->rows = rows;
    if (c->cursor->last)
        c->awaits_sync = true;
    else
        c->cursor = c->cursor->next;
}

static void on_sync(void *arg)
{
    struct connection *c = arg;
    struct list group = {0};
    PGresult *commit_error = c->commit_error;
    struct request *r;

    assert(c->awaits_sync && c->cursor);
    bool more = true;
    while (more && (r = list_take(&c->flight))) {
        more = r != c->cursor;
        r->last = false;
        list_add(&group, r);
    }
    c->cursor = c->flight.first;
    c->awaits_sync = false;
    c->commit_error = NULL;
    settle(c, &group, commit_error);
    if (c->stale && !c->flight.first)
        pg_connection_restart(c->pg, "outdated or not the primary");
    if (c->lane->queue.first)
        turn_soon();
}

static const struct pg_connection_owner owner = {
    .ready = on_ready,
    .lost = on_lost,
    .result = on_result,
    .sync = on_sync,
};

/* ---- asking ---- */

/* One block of memory: the caller's values need not live longer than the call. */
static struct request *request_new(enum pg_lane lane, int statement, const struct pg_args *args)
{
    static const struct pg_args none;
    size_t count, bytes = 0;

    if (!args)
        args = &none;
    assert(statement >= 0 && statement < STATEMENT_COUNT);
    assert(args->count == statements[statement].params);
    count = (size_t)args->count;
    for (size_t i = 0; i < count; i++)
        if (args->values[i])
            bytes += args->formats[i] ? (size_t)args->lengths[i] : strlen(args->values[i]) + 1;
    size_t head = count * (sizeof(char *) + 2 * sizeof(int));
    struct request *r = malloc(sizeof(*r) + head + bytes);
    if (!r)
        abort();
    *r = (struct request){
        .lane = lane,
        .statement = statement,
        .alone = statements[statement].alone,
        .count = args->count,
        .queued_us = now_us(),
    };
    char *at = r->bytes;
    r->values = (void *)at;
    at += count * sizeof(char *);
    r->lengths = (void *)at;
    at += count * sizeof(int);
    r->formats = (void *)at;
    at += count * sizeof(int);
    for (size_t i = 0; i < count; i++) {
        r->lengths[i] = args->lengths[i];
        r->formats[i] = args->formats[i];
        r->values[i] = NULL;
        if (!args->values[i])
            continue;
        size_t length = args->formats[i] ? (size_t)args->lengths[i] : strlen(args->values[i]) + 1;
        memcpy(at, args->values[i], length);
        r->values[i] = at;
        at += length;
    }
    return r;
}

static void enqueue(struct request *r)
{
    struct lane *lane = &pg.lanes[r->lane];

    if (!pg.options || lane->queue.count >= QUEUE_MAX || lane_is_down(lane, time_monotonic_ms())) {
        finish(r, err_new(ERR_STORE));
        return;
    }
    list_add(&lane->queue, r);
    turn_soon();
    arm_tick();
}

enum flow_next pg_run(struct flow *f, enum pg_lane lane, int statement, const struct pg_args *args,
                      pg_take *take, void *ret)
{
    struct request *r = request_new(lane, statement, args);

    r->for_flow = true;
    r->ticket = flow_wait(f);
    r->take = take;
    r->ret = ret;
    enqueue(r);
    return FLOW_WAIT;
}

void pg_send(enum pg_lane lane, int statement, const struct pg_args *args,
             void (*done)(const PGresult *rows, struct err e, void *arg), void *arg)
{
    struct request *r = request_new(lane, statement, args);

    r->done = done;
    r->arg = arg;
    enqueue(r);
}

/* ---- life ---- */

enum db_health pg_health(const char **ret_text)
{
    const char *problem = NULL;
    int64_t now_ms = time_monotonic_ms();

    *ret_text = "the database is not available";
    if (!pg.options)
        return DB_DOWN;
    /* A reconnect within the grace time is not worth a red light. */
    if (!lane_is_down(&pg.lanes[PG_WRITE], now_ms) && !lane_is_down(&pg.lanes[PG_READ], now_ms)) {
        *ret_text = "up";
        return DB_UP;
    }
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < pg.lanes[i].count && !problem; k++)
            problem = pg_connection_schema_problem(pg.lanes[i].connections[k].pg);
    if (!problem)
        return DB_DOWN;
    *ret_text = problem;
    return DB_NO_SCHEMA;
}

static void lane_open(struct lane *lane, struct event_base *loop, const char *name, int count)
{
    *lane = (struct lane){.count = count < 1                 ? 1
                                   : count > CONNECTIONS_MAX ? CONNECTIONS_MAX
                                                             : count};
    for (int i = 0; i < lane->count; i++) {
        struct connection *c = &lane->connections[i];
        c->lane = lane;
        c->pg = pg_connection_new(
            &(struct pg_connection_options){
                .loop = loop,
                .database_url = pg.options->database_url,
                .password = secret_is_set(pg.options->database_password)
                                ? secret_reveal(pg.options->database_password)
                                : NULL,
                .statement_timeout_ms = pg.options->statement_timeout_ms,
                .prepares = true,
                .name = name,
            },
            &owner, c);
    }
}

void pg_open(struct event_base *loop, const struct db_options *options)
{
    assert(!pg.options);
    pg.options = options;
    pg.turn_pending = false;
    pg.turn = event_new(loop, -1, 0, on_turn, NULL);
    pg.tick = evtimer_new(loop, on_tick, NULL);
    assert(pg.turn && pg.tick);
    lane_open(&pg.lanes[PG_WRITE], loop, "writer", options->writers);
    lane_open(&pg.lanes[PG_READ], loop, "reader", options->readers);
    note_up();
}

void pg_close(void)
{
    if (!pg.options)
        return;
    for (int i = 0; i < 2; i++) {
        struct lane *lane = &pg.lanes[i];
        for (int k = 0; k < lane->count; k++) {
            pg_connection_free(lane->connections[k].pg);
            PQclear(lane->connections[k].commit_error);
        }
    }
    export_close_all();
    pg.options = NULL; /* what is asked from now on ends at once */
    for (int i = 0; i < 2; i++) {
        struct lane *lane = &pg.lanes[i];
        for (int k = 0; k < lane->count; k++)
            finish_all(&lane->connections[k].flight, ERR_STORE);
        finish_all(&lane->queue, ERR_STORE);
        lane->count = lane->ready = 0;
    }
    event_free(pg.turn);
    event_free(pg.tick);
    pg.turn = pg.tick = NULL;
}
