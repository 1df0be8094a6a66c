/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live view: the ready status answer of each session in Redis. Only a cache: each value
 * carries the row's version and an older one never wins; losing all of it costs speed alone.
 */
#ifndef DB_LIVE_H
#define DB_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/flow.h"
#include "db/session.h"

/* Stores what hub/api/status_json made of the session, and wakes those who wait for it. Never
 * fails, never waits. `answer` is opaque text; owner is "user_id\nrobot_id". */
void live_put(const char *session_id, int64_t version, const char *owner, const char *answer);

struct live_value {
    enum { LIVE_HIT, LIVE_MISS, LIVE_DOWN } outcome;
    bool sure; /* put half a minute ago at most; else a process may have died owing a newer one */
    int64_t version;
    const char *owner, *answer;
};
/* 50 ms at most; LIVE_DOWN then and while Redis is away. */
enum flow_next live_get(struct flow *f, const char *session_id, struct live_value *ret);

/* Waits until live_put was called for the session anywhere, or `ms` passed. While Redis is away it
 * waits at most a second. Look again afterwards. */
enum flow_next live_wait(struct flow *f, const char *session_id, int64_t ms);

#endif
