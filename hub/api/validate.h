/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Validate: the rules that several endpoints share for what apps send.
 */
#ifndef HUB_API_VALIDATE_H
#define HUB_API_VALIDATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/flow.h"
#include "db/session.h"
#include "hub/request.h"

/* The {id} of the path: ERR_BAD_SESSION_ID unless it is a UUID; lower case in ret. */
struct err path_session_id(struct flow *f, char ret[UUID_TEXT]);

/* A JSON number, not a string, with at most `places` decimals, as a fixed point with six. */
bool number_read(const json_t *value, int places, int64_t *ret_u6);

/* The caller's Idempotency-Key: ret->key NULL where none was sent; ERR_BAD_IDEMPOTENCY_KEY. */
struct err idempotency_read(struct flow *f, struct idempotency *ret);

/* What an earlier request with the same key means for this one. True: it has been answered. */
bool idempotency_answered(struct flow *f, const struct idempotency_record *r);

/* Answers a replay: the stored status and body with Idempotent-Replay: true. */
enum flow_next reply_replay(struct flow *f, const struct idempotency_record *r);

#endif
