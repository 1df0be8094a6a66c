/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts of asynchronous requests that the hub relays: opened before the request is sent, with
 * the URL of ours that takes the place of the requester's response_url (R-ASYNC-10). What follows,
 * from the answer to the result, is db/relay_context.h.
 *
 *    eMSP                      hub                              CPO
 *     | - START_SESSION -----> | relay_context_open             |
 *     |                        | - START_SESSION, our URL ----> |
 *     | <- CommandResponse --- | relay_context_answered <------ |
 *     |                        | <- POST result to our URL ---- |
 *     |                        | relay_context_find             |
 *     |                        | relay_context_result           |
 *     | <- POST result ------- | relay_context_told             |
 */
#ifndef HUB_RELAY_CONTEXT_H
#define HUB_RELAY_CONTEXT_H

#include "base/flow.h"
#include "db/relay_context.h"

/* Gives the context its id and stores it; *ret_url, at once, is what the receiver is told:
 * {public_url}/ocpi/emsp/{receiver's version}/cb/{id}. Fails where that has more than 255
 * characters. */
enum flow_next relay_context_open(struct flow *f, struct relay_context *c, const char **ret_url);

#endif
