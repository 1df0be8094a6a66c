/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watch: an operator waits for what becomes of a command.
 */
#ifndef HUB_OPS_WATCH_H
#define HUB_OPS_WATCH_H

#include "db/operation.h"

struct watch {
    int64_t operation_id;
    struct operation_state state;
    /* as it goes */
    int64_t until_ms;
    bool looked;
};

/* Has it sent and waits 15 s at most: returned from a step until it says FLOW_NEXT. Then
 * state.finished tells whether the answer is there. */
enum flow_next watch_operation(struct flow *f, struct watch *w);

/* Why a command that has finished did not succeed; OK where it did. */
struct err watch_refusal(struct flow *f, const struct watch *w);

#endif
