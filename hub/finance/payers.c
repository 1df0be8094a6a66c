/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a user pays: by card through the payment service provider, the default, or by what was agreed
 * on: prepaid, invoice. Those need no hold.
 */
#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "db/payment.h"
#include "hub/finance/payment_api.h"
#include "hub/request.h"

enum { ID_MAX = 255, ANSWER_MAX = 4096 };

struct payers {
    struct payer payer;
};

static bool is_id(const char *text)
{
    return text && *text && strlen(text) <= ID_MAX && text_is_printable_ascii(text);
}

static enum flow_next answer(struct flow *f)
{
    const struct payers *s = f->state;
    const char *user_id = request_of(f)->params[0];
    struct text t;

    text_init(&t, f->arena, ANSWER_MAX);
    json_begin_object(&t, NULL);
    json_put_text(&t, "user_id", user_id);
    json_put_text(&t, "mode", s->payer.mode ? s->payer.mode : "card");
    json_put_text(&t, "psp_customer", s->payer.psp_customer ? s->payer.psp_customer : user_id);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static enum flow_next look_up(struct flow *f)
{
    struct payers *s = f->state;

    return payer_get(f, request_of(f)->params[0], &s->payer);
}

static const struct flow_step show_steps[] = {{"look up", look_up}, {"answer", answer}, {0}};

const struct flow_type show_payer_flow = {
    .name = "show_payer",
    .state_size = sizeof(struct payers),
    .deadline_ms = SECONDS(10),
    .steps = show_steps,
};

static enum flow_next store(struct flow *f)
{
    struct payers *s = f->state;
    struct request *r = request_of(f);
    const json_t *mode = json_object_get(r->json, "mode");
    const json_t *customer = json_object_get(r->json, "psp_customer");
    struct field_errors errors;

    field_errors_init(&errors, f->arena);
    if (!is_id(r->params[0]))
        return flow_fail(f, err_new(ERR_NOT_FOUND));
    s->payer.mode = json_string_value(mode);
    if (!s->payer.mode || (strcmp(s->payer.mode, "card") && strcmp(s->payer.mode, "prepaid") &&
                           strcmp(s->payer.mode, "invoice")))
        field_errors_add(&errors, "mode", "mode_invalid", "must be card, prepaid or invoice");
    s->payer.psp_customer = json_string_value(customer);
    if (customer && !json_is_null(customer) && !is_id(s->payer.psp_customer))
        field_errors_add(&errors, "psp_customer", "psp_customer_invalid",
                         "must be text of 1 to 255 printable characters");
    if (errors.count)
        return reply_field_errors(f, &errors);
    return payer_put(f, r->params[0], &s->payer, r->caller.name);
}

static const struct flow_step set_steps[] = {{"store", store}, {"answer", answer}, {0}};

const struct flow_type set_payer_flow = {
    .name = "set_payer",
    .state_size = sizeof(struct payers),
    .deadline_ms = SECONDS(10),
    .steps = set_steps,
};
