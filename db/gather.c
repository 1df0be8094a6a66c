/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows gathered.
 *
 * What holds true: a row is in `waiting` or in one batch until it ends, and ends once. A batch that
 * fails in a way that one of its rows may be to blame for goes again as batches of one.
 */
#include "db/gather.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "db/pg.h"
#include "db/statements.h"

enum {
    WAITING_MAX = 4096,
    BATCH_MAX = 256,
    UNDER_WAY = 1, /* two would be half as large each, and cost more than the wait they save */
    ARGS_ARENA = 64 * 1024 * 1024,
};

struct gather_row {
    struct gather_row *next;
    bool for_flow, alone;
    struct flow_ticket ticket;
    const char *values[GATHER_COLUMNS];
    char bytes[];
};

struct batch {
    struct gather *gather;
    struct gather_row *rows;
    size_t count;
};

static void *or_stop(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static void row_end(struct gather_row *row, struct err e)
{
    if (row->for_flow)
        flow_resume(row->ticket, e);
    free(row);
}

static void wait_in_line(struct gather *g, struct gather_row *row)
{
    row->next = NULL;
    if (g->last)
        g->last->next = row;
    else
        g->first = row;
    g->last = row;
    g->waiting++;
}

static void turn_soon(struct gather *g)
{
    bool full = g->waiting == BATCH_MAX; /* no longer wait for others */

    if ((g->turn_pending && !full) || !g->turn)
        return;
    g->turn_pending = true;
    if (!g->wait_ms || g->waiting >= BATCH_MAX)
        event_active(g->turn, EV_TIMEOUT, 0);
    else
        event_add(g->turn, &(struct timeval){g->wait_ms / 1000, g->wait_ms % 1000 * 1000});
}

/* ---- batches ---- */

static struct gather_row *take_wanted(struct gather *g)
{
    struct gather_row *row;

    while ((row = g->first)) {
        g->first = row->next;
        if (!g->first)
            g->last = NULL;
        g->waiting--;
        if (!row->for_flow || flow_ticket_flow(row->ticket))
            return row;
        free(row);
    }
    return NULL;
}

static void on_written(const PGresult *rows, struct err e, void *arg)
{
    struct batch *b = arg;
    struct gather *g = b->gather;
    struct gather_row *row = b->rows, *next;
    bool each_alone = failed(e) && e.kind != ERR_STORE && b->count > 1 && g->turn;

    (void)rows;
    g->under_way--;
    for (; row; row = next) {
        next = row->next;
        row->alone = each_alone;
        if (each_alone)
            wait_in_line(g, row);
        else
            row_end(row, e);
    }
    free(b);
    if (g->first)
        turn_soon(g);
}

static void write_batch(struct batch *b)
{
    struct arena *a = arena_new(ARGS_ARENA);
    const char **column = arena_alloc(a, (b->count + 1) * sizeof *column);
    struct pg_args args;

    pg_args_init(&args, a);
    for (size_t i = 0; i < b->gather->width; i++) {
        size_t n = 0;
        for (const struct gather_row *row = b->rows; row; row = row->next)
            column[n++] = row->values[i];
        pg_arg_texts(&args, column, n);
    }
    b->gather->under_way++;
    pg_send(PG_WRITE, b->gather->statement, &args, on_written, b);
    arena_free(a);
}

static void begin_batch(struct gather *g)
{
    struct batch *b = or_stop(calloc(1, sizeof *b));
    struct gather_row **end = &b->rows, *row;

    b->gather = g;
    while (b->count < BATCH_MAX && (b->count == 0 || !b->rows->alone) && (row = take_wanted(g))) {
        row->next = NULL;
        *end = row;
        end = &row->next;
        b->count++;
    }
    if (b->count)
        write_batch(b);
    else
        free(b);
}

static void on_turn(evutil_socket_t fd, short what, void *context)
{
    struct gather *g = context;

    (void)fd;
    (void)what;
    g->turn_pending = false;
    while (g->first && g->under_way < UNDER_WAY)
        begin_batch(g);
}

/* ---- for the modules ---- */

static struct gather_row *row_new(const struct gather *g, const char *const *values)
{
    size_t bytes = 0;

    for (size_t i = 0; i < g->width; i++)
        bytes += values[i] ? strlen(values[i]) + 1 : 0;
    struct gather_row *row = or_stop(calloc(1, sizeof *row + bytes));
    char *at = row->bytes;
    for (size_t i = 0; i < g->width; i++) {
        if (!values[i])
            continue;
        size_t length = strlen(values[i]) + 1;
        row->values[i] = memcpy(at, values[i], length);
        at += length;
    }
    return row;
}

static void take_in(struct gather *g, struct gather_row *row)
{
    if (!g->turn || g->waiting >= WAITING_MAX) {
        row_end(row, err_new(ERR_STORE));
        return;
    }
    wait_in_line(g, row);
    if (g->under_way < UNDER_WAY)
        turn_soon(g);
}

enum flow_next gather_run(struct flow *f, struct gather *g, const char *const *values)
{
    struct gather_row *row = row_new(g, values);

    row->for_flow = true;
    row->ticket = flow_wait(f);
    take_in(g, row);
    return FLOW_WAIT;
}

void gather_add(struct gather *g, const char *const *values)
{
    take_in(g, row_new(g, values));
}

void gather_open(struct gather *g, struct event_base *loop)
{
    assert(!g->turn && g->width <= GATHER_COLUMNS &&
           statements[g->statement].params == (int)g->width);
    g->turn_pending = false;
    g->turn = or_stop(event_new(loop, -1, 0, on_turn, g));
}

void gather_close(struct gather *g)
{
    struct gather_row *row;

    if (!g->turn)
        return;
    event_free(g->turn);
    g->turn = NULL;
    while ((row = take_wanted(g)))
        row_end(row, err_new(ERR_STORE));
}
