/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redis connections of this process, on the loop (internal to db/).
 *
 * Two: one for commands, one that subscribes. Every command has 50 ms; when one expires the whole
 * connection is dropped, because answers are matched by order only. While Redis is away commands
 * fail at once, and somebody knocks again after 100 ms, then 1 s ... 30 s.
 */
#ifndef DB_REDIS_H
#define DB_REDIS_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>

#include "db/db.h"

enum { REDIS_DEADLINE_MS = 50 };

struct err redis_open(struct event_base *loop, const struct db_options *options);
void redis_close(void); /* commands under way end with NULL */
bool redis_up(void);

/* Data goes as counted arguments, never through a format. `done` gets NULL when there is no
 * answer; it may be called before this returns. The answer is borrowed. done may be NULL. */
typedef void redis_done(const redisReply *answer, void *arg);
void redis_command(int count, const char *const *args, const size_t *lengths, redis_done *done,
                   void *arg);

/* What live.c listens to: one channel, subscribed again after each reconnect. Set before opening.
 */
struct redis_listener {
    const char *channel;
    void (*message)(const char *text, size_t length);
    void (*ready)(void);        /* commands are taken again */
    void (*subscription)(void); /* has just begun or ended: messages may have been missed */
};
void redis_listen(const struct redis_listener *listener);
bool redis_subscribed(void);

#endif
