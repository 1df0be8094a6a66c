/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of one kind that are written together (internal to db/): what is asked for while the loop
 * turns, and while the last batch is under way, goes as one statement with an array per column.
 * One statement of forty rows costs a fraction of forty statements.
 *
 *   gather_run ---> waiting ---(end of the turn, none is under way)---> a batch ---> all resumed
 *                      ^                                                       |
 *                      +------ the batch was refused: each row alone ----------+
 *
 * Who waits goes on when its row is committed. The rows of a batch must not depend on each other.
 */
#ifndef DB_GATHER_H
#define DB_GATHER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/flow.h"

enum { GATHER_COLUMNS = 24 };

struct event_base;
struct event;
struct gather_row;

/* One for each kind of row, static in its module; only the first members are set there. The
 * statement has a text[] for each column. */
struct gather {
    int statement;
    size_t width;
    int wait_ms; /* how long rows for which nobody waits may gather; 0: to the end of the turn */
    struct gather_row *first, *last;
    size_t waiting, under_way;
    struct event *turn;
    bool turn_pending;
};

void gather_open(struct gather *g, struct event_base *loop);
/* Before pg_close. Those who wait, now or still, end with ERR_STORE. */
void gather_close(struct gather *g);

/* `width` values, NULL is SQL NULL; borrowed for the call. */
enum flow_next gather_run(struct flow *f, struct gather *g, const char *const *values);
/* Nobody waits for it: it may be lost. */
void gather_add(struct gather *g, const char *const *values);

#endif
