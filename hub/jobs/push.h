/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Push: what the outbox holds for partners goes out to them, each object in a flow of its own, so
 * that nobody waits for somebody else's slow partner. Order per partner and object, retries and
 * expiry are the outbox's (db/outbox.h).
 */
#ifndef HUB_JOBS_PUSH_H
#define HUB_JOBS_PUSH_H

struct hub;

void push_start(struct hub *hub);
void push_stop(void);
void push_what_is_due(struct hub *hub);

#endif
