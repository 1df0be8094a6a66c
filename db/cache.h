/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process keeps of the database in memory (internal to db/): the register of partners, the
 * contracts and the index of EVSEs. They fill themselves as soon as Postgres answers, and follow
 * its changes by notification and, since notifications may be lost, by looking every few seconds.
 */
#ifndef DB_CACHE_H
#define DB_CACHE_H

struct event_base;

void partner_open(struct event_base *loop);
void partner_close(void);
void contract_open(struct event_base *loop);
void contract_close(void);
void evse_index_open(struct event_base *loop);
void evse_index_close(void);

/* ... and what leaves it in batches (db/relay_context.h). */
void relay_context_store_open(struct event_base *loop);
void relay_context_store_close(void);
void outbox_open(struct event_base *loop);
void outbox_close(void);

#endif
