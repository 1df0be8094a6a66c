/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loops: a message that comes back while it is under way, through another hub that routes to us
 * what we have routed to it (R-ROUTE-63). Such a hub keeps our ids, so the X-Request-ID under which
 * we send a message on has a mark of this hub, of the X-Correlation-ID, FROM and TO: whichever
 * process it comes back to knows it, without any memory. What is sent to us twice at the same time
 * is known by its ids in the process that serves it.
 */
#ifndef HUB_RELAY_LOOP_H
#define HUB_RELAY_LOOP_H

#include <stdbool.h>

#include "base/flow.h"
#include "base/id.h"
#include "ocpi/party.h"

struct relay_pair {
    const char *hub; /* what tells this hub from others: its URL */
    const char *correlation_id, *request_id;
    struct party_id from, to;
};

/* A fresh X-Request-ID for what is sent on; the pair has none yet. */
void relay_loop_mark(const struct relay_pair *pair, char ret[UUID_TEXT]);
/* Sent on by us before, or under way. */
bool relay_loop_seen(const struct relay_pair *pair);
/* Under way until the flow ends. */
void relay_loop_note(struct flow *f, const struct relay_pair *pair);

#endif
