/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of the payment's states.
 */
#include "hub/finance/payment.h"

#include <stddef.h>
#include <string.h>

#include "hub/settings.h"

static const char *const state_names[PAYMENT_STATE_COUNT] = {
    [PAYMENT_PENDING] = "pending",
    [PAYMENT_AUTHORISED] = "authorised",
    [PAYMENT_CAPTURING] = "capturing",
    [PAYMENT_PAID] = "paid",
    [PAYMENT_PARTLY_REFUNDED] = "partly_refunded",
    [PAYMENT_REFUNDED] = "refunded",
    [PAYMENT_DISPUTED] = "disputed",
    [PAYMENT_CHARGED_BACK] = "charged_back",
    [PAYMENT_FAILED] = "failed",
    [PAYMENT_VOIDED] = "voided",
};

static const char *const event_names[PAYMENT_EVENT_COUNT] = {
    [PAYMENT_EVENT_AUTHORISED] = "authorised",
    [PAYMENT_EVENT_AUTH_DECLINED] = "auth_declined",
    [PAYMENT_EVENT_CAPTURE_SENT] = "capture_sent",
    [PAYMENT_EVENT_VOIDED] = "voided",
    [PAYMENT_EVENT_EXPIRED] = "expired",
    [PAYMENT_EVENT_CAPTURED] = "captured",
    [PAYMENT_EVENT_CAPTURE_DECLINED] = "capture_declined",
    [PAYMENT_EVENT_RETRY] = "retry",
    [PAYMENT_EVENT_REFUNDED_PART] = "refunded_part",
    [PAYMENT_EVENT_REFUNDED_ALL] = "refunded_all",
    [PAYMENT_EVENT_DISPUTED] = "disputed",
    [PAYMENT_EVENT_DISPUTE_WON] = "dispute_won",
    [PAYMENT_EVENT_DISPUTE_WON_PART] = "dispute_won_part",
    [PAYMENT_EVENT_DISPUTE_LOST] = "dispute_lost",
};

/* clang-format off */
static const struct transition {
    enum payment_state from;
    enum payment_event event;
    enum payment_state to;
} transitions[] = {
    {PAYMENT_PENDING,         PAYMENT_EVENT_AUTHORISED,       PAYMENT_AUTHORISED},
    {PAYMENT_PENDING,         PAYMENT_EVENT_AUTH_DECLINED,    PAYMENT_FAILED},
    {PAYMENT_AUTHORISED,      PAYMENT_EVENT_CAPTURE_SENT,     PAYMENT_CAPTURING},
    {PAYMENT_AUTHORISED,      PAYMENT_EVENT_VOIDED,           PAYMENT_VOIDED},
    {PAYMENT_AUTHORISED,      PAYMENT_EVENT_EXPIRED,          PAYMENT_VOIDED},
    {PAYMENT_CAPTURING,       PAYMENT_EVENT_CAPTURED,         PAYMENT_PAID},
    {PAYMENT_CAPTURING,       PAYMENT_EVENT_CAPTURE_DECLINED, PAYMENT_FAILED},
    {PAYMENT_FAILED,          PAYMENT_EVENT_RETRY,            PAYMENT_CAPTURING},
    {PAYMENT_PAID,            PAYMENT_EVENT_REFUNDED_PART,    PAYMENT_PARTLY_REFUNDED},
    {PAYMENT_PAID,            PAYMENT_EVENT_REFUNDED_ALL,     PAYMENT_REFUNDED},
    {PAYMENT_PAID,            PAYMENT_EVENT_DISPUTED,         PAYMENT_DISPUTED},
    {PAYMENT_PARTLY_REFUNDED, PAYMENT_EVENT_REFUNDED_PART,    PAYMENT_PARTLY_REFUNDED},
    {PAYMENT_PARTLY_REFUNDED, PAYMENT_EVENT_REFUNDED_ALL,     PAYMENT_REFUNDED},
    {PAYMENT_PARTLY_REFUNDED, PAYMENT_EVENT_DISPUTED,         PAYMENT_DISPUTED},
    {PAYMENT_DISPUTED,        PAYMENT_EVENT_DISPUTE_WON,      PAYMENT_PAID},
    {PAYMENT_DISPUTED,        PAYMENT_EVENT_DISPUTE_WON_PART, PAYMENT_PARTLY_REFUNDED},
    {PAYMENT_DISPUTED,        PAYMENT_EVENT_DISPUTE_LOST,     PAYMENT_CHARGED_BACK},
};
/* clang-format on */

const char *payment_state_name(enum payment_state state)
{
    return state_names[state];
}

bool payment_state_parse(const char *name, enum payment_state *ret)
{
    for (int i = 0; name && i < PAYMENT_STATE_COUNT; i++) {
        if (strcmp(state_names[i], name) == 0) {
            *ret = (enum payment_state)i;
            return true;
        }
    }
    return false;
}

const char *payment_event_name(enum payment_event event)
{
    return event_names[event];
}

bool payment_next(enum payment_state from, enum payment_event event, enum payment_state *ret)
{
    for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++) {
        if (transitions[i].from == from && transitions[i].event == event) {
            *ret = transitions[i].to;
            return true;
        }
    }
    return false;
}

const char *payment_status_word(enum payment_state state)
{
    switch (state) {
    case PAYMENT_PENDING:
    case PAYMENT_AUTHORISED:
    case PAYMENT_CAPTURING:
        return "pending";
    case PAYMENT_PAID:
    case PAYMENT_DISPUTED:
        return "paid";
    case PAYMENT_PARTLY_REFUNDED:
        return "partially_refunded";
    case PAYMENT_REFUNDED:
    case PAYMENT_CHARGED_BACK:
        return "refunded";
    default:
        return "failed";
    }
}

bool payment_psp(const struct settings *settings, struct psp *ret)
{
    if (!settings->psp_url)
        return false;
    *ret = (struct psp){
        .url = settings->psp_url,
        .key = settings->psp_key,
        .timeout_ms = settings->psp_timeout_ms,
    };
    return true;
}
