/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Relay cursors: where a list that we relay goes on, kept under a random id (R-ROUTE-51).
 */
#ifndef DB_RELAY_CURSOR_H
#define DB_RELAY_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/flow.h"
#include "ocpi/party.h"

enum { RELAY_CURSOR_ID = 23, RELAY_CURSOR_HOURS = 2 }; /* 128 bits and more, and NUL */

struct relay_cursor {
    char id[RELAY_CURSOR_ID];
    int64_t requester_id, receiver_id; /* partners */
    struct party_id from, to;          /* of the request */
    const char *module;
    const char *next_url; /* the receiver's */
};

enum flow_next relay_cursor_insert(struct flow *f, const struct relay_cursor *c);

struct relay_cursor_found {
    bool found;   /* of whomever */
    bool expired; /* over, but not forgotten yet */
    struct relay_cursor cursor;
};
enum flow_next relay_cursor_find(struct flow *f, const char *id, struct relay_cursor_found *ret);

#endif
