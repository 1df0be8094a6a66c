/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and closing of the live view (internal to db/; the rest is db/live.h).
 */
#ifndef DB_LIVE_STORE_H
#define DB_LIVE_STORE_H

struct event_base;
void live_setup(void);                   /* before redis_open */
void live_open(struct event_base *loop); /* after it */
void live_close(void);

#endif
