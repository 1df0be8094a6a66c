/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fresh: when a process reads again what it holds of the database: as soon as a channel tells of a
 * change, and now and then all the same, since notifications may be lost. One reading at a time;
 * what is told meanwhile makes another one follow.
 *
 *    static struct fresh fresh = {.channel = "contract", .every_ms = SECONDS(5), .read = read_all};
 */
#ifndef DB_FRESH_H
#define DB_FRESH_H

#include <stdbool.h>
#include <stdint.h>

struct event;
struct event_base;

struct fresh {
    const char *channel; /* of db_on_notify */
    int64_t every_ms;
    bool (*read)(void); /* begins a reading, which ends with fresh_ended(). false: not now */

    /* Its own. */
    struct event *timer; /* NULL: closed */
    bool have;           /* something has been read */
    bool reading, again;
    uintptr_t life;
};

void fresh_open(struct fresh *s, struct event_base *loop);
void fresh_close(struct fresh *s); /* of one that is closed: nothing */
/* ok: what was read is held now. */
void fresh_ended(struct fresh *s, bool ok);

/* For readings that cannot be called back: one that began before the last fresh_open, or ends after
 * fresh_close, is no more expected. It counts as ended. */
void *fresh_ticket(const struct fresh *s);
bool fresh_expects(const struct fresh *s, const void *ticket);

#endif
