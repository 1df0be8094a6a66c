/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and closing of the message log (internal to db/; the rest is db/message.h).
 */
#ifndef DB_MESSAGE_STORE_H
#define DB_MESSAGE_STORE_H

struct event_base;
void message_open(struct event_base *loop);
void message_close(void); /* what is not written by now is lost and counted */

#endif
