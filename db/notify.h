/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection that listens (internal to db/; db_on_notify in db.h is what others use).
 */
#ifndef DB_NOTIFY_H
#define DB_NOTIFY_H

#include "db/db.h"

void notify_open(struct event_base *loop, const struct db_options *options);
void notify_close(void);

#endif
