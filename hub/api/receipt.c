/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipt (contract 5.6): the row that was written once from the CDR.
 */
#include "base/decimal.h"
#include "base/text.h"
#include "base/time.h"
#include "db/cdr.h"
#include "hub/api/api.h"
#include "hub/api/validate.h"

struct receipt_asked {
    char id[UUID_TEXT];
    bool session_found;
    struct receipt receipt;
};

static enum flow_next read_row(struct flow *f)
{
    struct receipt_asked *s = f->state;

    FLOW_TRY(f, path_session_id(f, s->id));
    return receipt_get(f, s->id, request_of(f)->caller.user_id, &s->session_found, &s->receipt);
}

static enum flow_next answer(struct flow *f)
{
    struct receipt_asked *s = f->state;
    const struct receipt *r = &s->receipt;
    char number[DECIMAL_TEXT];
    struct text t;

    if (!s->session_found)
        return flow_fail(f, err_new(ERR_SESSION_NOT_FOUND));
    if (r->state == SESSION_FAILED)
        return flow_fail(f, err_new(ERR_SESSION_FAILED));
    if (!r->found)
        return flow_fail(f, err_new(ERR_RECEIPT_NOT_READY));
    text_init(&t, f->arena, 8192);
    json_begin_object(&t, NULL);
    json_put_text(&t, "session_id", s->id);
    json_put_text(&t, "network", r->network);
    json_put_text(&t, "evse_id", r->evse_id);
    json_put_raw(&t, "energy_kwh", decimal_print_u6(number, r->energy_mwh, 1, 3));
    json_put_int(&t, "duration_minutes", r->duration_minutes);
    json_put_raw(&t, "cost", money_print_minor(number, r->cost_minor, r->currency));
    json_put_text(&t, "currency", r->currency);
    json_put_text(&t, "payment_status", r->payment_status);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step steps[] = {{"read the row", read_row}, {"answer", answer}, {0}};

const struct flow_type session_receipt_flow = {
    .name = "session_receipt",
    .state_size = sizeof(struct receipt_asked),
    .deadline_ms = SECONDS(10),
    .steps = steps,
};
