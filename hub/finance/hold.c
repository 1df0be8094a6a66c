/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hold: a flow of its own inside the start's.
 */
#include "hub/finance/hold.h"

#include <string.h>

#include "adapters/psp.h"
#include "base/arena.h"
#include "base/decimal.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/time.h"
#include "db/payment.h"
#include "hub/finance/payment.h"
#include "hub/hub.h"
#include "ocpi/retail.h"

enum { TARGET_S = 3600 }; /* how long a session of a wanted energy is taken to be */

struct holding {
    struct hold *hold; /* the caller's */
    struct idempotency_record earlier;
    struct payment_hold ask;
    struct payment_held held;
    struct psp_answer answer;
    struct psp_done done;
    struct psp_done_answer after;
};

/* ---- how much ---- */

/* What a session of the wanted energy is likely to cost. */
static int64_t expected_minor(struct flow *f, const struct hold *h)
{
    struct retail_price price;
    int64_t now = time_now_us();

    if (!h->price || h->target_u6 <= 0)
        return 0;
    struct retail_facts facts = {
        .energy_u6 = h->target_u6,
        .start_us = now,
        .end_us = now + TARGET_S * US_PER_SECOND,
        .charging_end_us = TIME_NONE,
        .vat_u4 = h->price->vat_u4,
        .void_threshold_s = RETAIL_VOID_THRESHOLD_S,
    };
    if (failed(retail_price(h->price, &facts, f->arena, &price)))
        return 0;
    return price.bill.gross_minor;
}

/* The larger of the hold of its currency and of what is expected. */
static bool amount_of(struct flow *f, struct hold *h)
{
    const struct settings *settings = hub_of(f)->settings;
    const char *wanted = h->price ? h->price->currency : settings->default_currency;
    int64_t minor, expected = expected_minor(f, h);

    for (const char *const *hold = settings->hold_amounts; *hold; hold++) {
        if (settings_amount(*hold, h->currency, &minor) && strcmp(h->currency, wanted) == 0) {
            h->amount_minor = minor > expected ? minor : expected;
            return true;
        }
    }
    return false;
}

/* ---- steps ---- */

static enum flow_next look_for_earlier(struct flow *f)
{
    struct holding *s = f->state;

    return idempotency_find(f, s->hold->idempotency, &s->earlier);
}

static enum flow_next reserve(struct flow *f)
{
    struct holding *s = f->state;
    struct hold *h = s->hold;

    if (s->earlier.state != IDEMPOTENCY_NONE)
        return FLOW_DONE;
    if (!amount_of(f, h))
        return flow_fail(f, err_at(f->arena, ERR_PAYMENT_REQUIRED, NULL,
                                   "payments in the currency of this place are not possible"));
    id_uuid_v7(h->session_id);
    s->ask = (struct payment_hold){
        .session_id = h->session_id,
        .user_id = h->user_id,
        .amount_minor = h->amount_minor,
        .currency = h->currency,
        .idempotency = h->idempotency,
    };
    return payment_hold(f, &s->ask, &s->held);
}

static enum flow_next authorise(struct flow *f)
{
    struct holding *s = f->state;
    struct hold *h = s->hold;
    struct psp psp;

    switch (s->held.outcome) {
    case HOLD_NOT_NEEDED:
        return FLOW_DONE;
    case HOLD_RUNNING:
        return flow_fail(f, err_new(ERR_IDEMPOTENCY_RUNNING));
    case HOLD_KEY_REUSED:
        return flow_fail(f, err_new(ERR_IDEMPOTENCY_REUSED));
    case HOLD_HELD:
        h->held = true;
        h->amount_minor = s->held.amount_minor;
        text_copy(h->session_id, sizeof h->session_id, s->held.session_id);
        return FLOW_DONE;
    case HOLD_BEGUN:
        break;
    }
    struct psp_call call = {
        .kind = PSP_AUTHORISE,
        .key = s->held.key,
        .reference = s->held.reference,
        .customer = s->held.customer,
        .amount_minor = s->held.amount_minor,
        .currency = s->held.currency,
    };
    if (!payment_psp(hub_of(f)->settings, &psp))
        return flow_fail(f, err_new(ERR_PAYMENT_UNAVAILABLE));
    return psp_send(f, &psp, &call, &s->answer);
}

static enum flow_next store_answer(struct flow *f)
{
    struct holding *s = f->state;

    psp_answer_read(f->arena, PSP_AUTHORISE, &s->answer);
    metric_add(METRIC_PSP_CALLS, psp_kind_name(PSP_AUTHORISE), psp_outcome_name(&s->answer), NULL,
               1);
    s->done = (struct psp_done){
        .id = s->held.operation,
        .outcome = psp_outcome_name(&s->answer),
        .detail = s->answer.detail,
        .retry_after_s = s->answer.retry_after_s,
        .view = s->answer.view,
    };
    return psp_done(f, &s->done, &s->after);
}

/* Whatever is not plainly authorised starts nothing; what may still become so is given back. */
static enum flow_next give_up_or_go_on(struct flow *f)
{
    struct holding *s = f->state;
    enum payment_state state;

    if (payment_state_parse(s->after.state, &state) && state == PAYMENT_AUTHORISED) {
        s->hold->held = true;
        return FLOW_DONE;
    }
    return payment_release(f, s->hold->session_id);
}

static enum flow_next refuse(struct flow *f)
{
    struct holding *s = f->state;
    enum payment_state state;
    bool declined = payment_state_parse(s->after.state, &state) && state == PAYMENT_FAILED;

    log_line(LOG_INFO, "no hold", LOG_TEXT("outcome", s->after.outcome),
             LOG_TEXT("code", s->after.failure), LOG_TEXT("detail", s->answer.detail));
    if (!declined)
        return flow_fail(f, err_new(ERR_PAYMENT_UNAVAILABLE));
    return flow_fail(f, err_at(f->arena, ERR_PAYMENT_REQUIRED, NULL,
                               "The payment was refused (%s); nothing was started.",
                               s->after.failure ? s->after.failure : "declined"));
}

static const struct flow_step steps[] = {
    {"look for an earlier request", look_for_earlier},
    {"store payment and call", reserve},
    {"ask the PSP", authorise},
    {"store what it said", store_answer},
    {"give up or go on", give_up_or_go_on},
    {"refuse", refuse},
    {0},
};

static const struct flow_type hold_flow = {
    .name = "hold",
    .state_size = sizeof(struct holding),
    .deadline_ms = SECONDS(28), /* below the lease of the call */
    .steps = steps,
};

static void fill(void *state, void *context)
{
    struct holding *s = state;

    s->hold = context;
}

enum flow_next hold_begin(struct flow *f, struct hold *h)
{
    if (!hub_of(f)->settings->psp_url)
        return FLOW_NEXT;
    return flow_child(f, &hold_flow, fill, h, NULL);
}

/* ---- giving back ---- */

struct release {
    char session_id[UUID_TEXT];
};

static enum flow_next release(struct flow *f)
{
    struct release *s = f->state;

    return payment_release(f, s->session_id);
}

static const struct flow_step release_steps[] = {{"give back", release}, {0}};

static const struct flow_type release_flow = {
    .name = "release_hold",
    .state_size = sizeof(struct release),
    .deadline_ms = SECONDS(10),
    .steps = release_steps,
};

static void fill_release(void *state, void *context)
{
    struct release *s = state;
    const struct hold *h = context;

    text_copy(s->session_id, sizeof s->session_id, h->session_id);
}

void hold_release(struct hub *hub, const struct hold *h)
{
    struct hold copy = *h;

    if (h->held)
        hub_job(hub, &release_flow, fill_release, &copy);
}
