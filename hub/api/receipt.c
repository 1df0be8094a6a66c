/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipt (contract 5.6): the driver's own, in whichever form the app likes best
 * (hub/finance/receipt_reply.h).
 */
#include <string.h>

#include "base/time.h"
#include "hub/api/api.h"
#include "hub/api/validate.h"
#include "hub/finance/receipt_reply.h"

struct receipt_asked {
    char id[UUID_TEXT];
    bool session_found;
    struct receipt_reply reply;
};

static enum flow_next read_request(struct flow *f)
{
    struct receipt_asked *s = f->state;
    const char *detail = request_query(f, "detail");
    struct field_errors wrong;

    FLOW_TRY(f, path_session_id(f, s->id));
    if (detail && strcmp(detail, "full") != 0) {
        field_errors_init(&wrong, f->arena);
        field_errors_add(&wrong, "detail", "detail_invalid", "must be full, or absent");
        return reply_field_errors(f, &wrong);
    }
    s->reply.full = detail;
    FLOW_TRY(f, receipt_reply_read(f, &s->reply));
    return FLOW_NEXT;
}

static enum flow_next read_row(struct flow *f)
{
    struct receipt_asked *s = f->state;

    return receipt_get(f, s->id, request_of(f)->caller.user_id, &s->session_found,
                       &s->reply.receipt);
}

static enum flow_next check(struct flow *f)
{
    struct receipt_asked *s = f->state;
    const struct receipt *r = &s->reply.receipt;

    if (!s->session_found)
        return flow_fail(f, err_new(ERR_SESSION_NOT_FOUND));
    if (r->state == SESSION_FAILED)
        return flow_fail(f, err_new(ERR_SESSION_FAILED));
    if (!r->found)
        return flow_fail(f, err_new(ERR_RECEIPT_NOT_READY));
    FLOW_TRY(f, receipt_reply_check(f, &s->reply));
    return FLOW_NEXT;
}

static enum flow_next draw(struct flow *f)
{
    struct receipt_asked *s = f->state;

    return receipt_reply_draw(f, &s->reply);
}

static enum flow_next answer(struct flow *f)
{
    const struct receipt_asked *s = f->state;

    return receipt_reply_give(f, &s->reply);
}

static const struct flow_step steps[] = {
    {"read the request", read_request},
    {"read the row", read_row},
    {"is there one", check},
    {"draw", draw},
    {"answer", answer},
    {0},
};

const struct flow_type session_receipt_flow = {
    .name = "session_receipt",
    .state_size = sizeof(struct receipt_asked),
    .deadline_ms = SECONDS(15),
    .steps = steps,
};
