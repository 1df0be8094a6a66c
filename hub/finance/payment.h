/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states of a payment (pure). The database applies the same table (payment_transition); a test
 * compares the two.
 *
 *  PENDING --authorised--> AUTHORISED --capture_sent--> CAPTURING --captured--> PAID
 *     |                        |                          |   ^                 | |
 *     | auth_declined          | voided, expired          |   | retry           | | disputed
 *     v                        v         capture_declined v   |                 | v
 *   FAILED                  VOIDED                        FAILED                | DISPUTED
 *                                                                               |  | dispute_won:
 * PAID REFUNDED <-- refunded_all -- PARTLY_REFUNDED <------ refunded_part -------+  v dispute_lost
 *                                                                             CHARGED_BACK
 *
 * PARTLY_REFUNDED may be disputed, too; what is left of it is charged back, or by dispute_won_part
 * it is PARTLY_REFUNDED again.
 */
#ifndef HUB_FINANCE_PAYMENT_H
#define HUB_FINANCE_PAYMENT_H

#include <stdbool.h>

#include "adapters/psp.h"

struct settings;

enum payment_state {
    PAYMENT_PENDING,
    PAYMENT_AUTHORISED,
    PAYMENT_CAPTURING,
    PAYMENT_PAID,
    PAYMENT_PARTLY_REFUNDED,
    PAYMENT_REFUNDED,
    PAYMENT_DISPUTED,
    PAYMENT_CHARGED_BACK,
    PAYMENT_FAILED,
    PAYMENT_VOIDED,
    PAYMENT_STATE_COUNT
};
const char *payment_state_name(enum payment_state state); /* "partly_refunded" */
bool payment_state_parse(const char *name, enum payment_state *ret);

enum payment_event {
    PAYMENT_EVENT_AUTHORISED,
    PAYMENT_EVENT_AUTH_DECLINED,
    PAYMENT_EVENT_CAPTURE_SENT,
    PAYMENT_EVENT_VOIDED,
    PAYMENT_EVENT_EXPIRED,
    PAYMENT_EVENT_CAPTURED,
    PAYMENT_EVENT_CAPTURE_DECLINED,
    PAYMENT_EVENT_RETRY,
    PAYMENT_EVENT_REFUNDED_PART,
    PAYMENT_EVENT_REFUNDED_ALL,
    PAYMENT_EVENT_DISPUTED,
    PAYMENT_EVENT_DISPUTE_WON,
    PAYMENT_EVENT_DISPUTE_WON_PART, /* some of it had been given back */
    PAYMENT_EVENT_DISPUTE_LOST,
    PAYMENT_EVENT_COUNT
};
const char *payment_event_name(enum payment_event event); /* "refunded_all" */

/* False: the event means nothing in this state, and *ret is left alone. */
bool payment_next(enum payment_state from, enum payment_event event, enum payment_state *ret);

/* What receipts call it (contract 5.6): "pending", "paid", "partially_refunded", "refunded",
 * "failed". A receipt without a payment is "not_required". */
const char *payment_status_word(enum payment_state state);

/* The PSP of the settings; false: payments are off. */
bool payment_psp(const struct settings *settings, struct psp *ret);

#endif
