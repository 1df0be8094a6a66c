/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One receipt for finance people: GET /v1/finance/receipts/{id}, by its number or its row.
 */
#include "base/time.h"
#include "hub/finance/finance_api.h"
#include "hub/finance/list_ask.h"
#include "hub/finance/receipt_reply.h"
#include "hub/request.h"

static enum flow_next read_row(struct flow *f)
{
    struct receipt_reply *s = f->state;
    const char *which = request_of(f)->params[0];
    int64_t id = list_id(which);

    s->finance = true;
    FLOW_TRY(f, receipt_reply_read(f, s));
    return receipt_find(f, id, id ? NULL : which, &s->receipt);
}

static enum flow_next draw(struct flow *f)
{
    struct receipt_reply *s = f->state;

    if (!s->receipt.found)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    FLOW_TRY(f, receipt_reply_check(f, s));
    return receipt_reply_draw(f, s);
}

static enum flow_next answer(struct flow *f)
{
    return receipt_reply_give(f, f->state);
}

static const struct flow_step steps[] = {
    {"read the receipt", read_row},
    {"draw", draw},
    {"answer", answer},
    {0},
};
const struct flow_type show_receipt_flow = {
    .name = "show_receipt",
    .state_size = sizeof(struct receipt_reply),
    .deadline_ms = SECONDS(15),
    .steps = steps,
};
