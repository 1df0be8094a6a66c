/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hold: before a session starts, an amount is authorised at the payment service provider, where
 * there is one. No hold, no START_SESSION.
 *
 *   start          hub                                    PSP
 *     |  hold_begin |  payment and call stored, with key   |
 *     |             | ------------- authorise -----------> |
 *     |             | <------- authorised, declined ------ |
 *     | <-- held ---|  stored                              |
 *
 * Where nobody knows what became of the call, nothing starts; the job repeats the call with the
 * same key and gives back what turns out to be held (hub/jobs/pay.c).
 */
#ifndef HUB_FINANCE_HOLD_H
#define HUB_FINANCE_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/flow.h"
#include "base/id.h"

struct hub;
struct idempotency;
struct retail_tariff;

struct hold {
    /* filled in by the caller */
    const char *user_id;
    const struct idempotency *idempotency; /* of the start */
    const struct retail_tariff *price;     /* NULL: not known before */
    int64_t target_u6;                     /* kWh that shall be charged; 0: not known */
    /* by hold_begin */
    bool held;                  /* false, and no error: nothing need be held */
    char session_id[UUID_TEXT]; /* which the session has to have */
    int64_t amount_minor;
    char currency[4];
};

/* One step of the caller's flow: fails it with ERR_PAYMENT_REQUIRED, ERR_PAYMENT_UNAVAILABLE, or
 * the errors of an Idempotency-Key. Where an earlier request with this key is over, nothing is
 * held: its answer is given again by the statement of the start. */
enum flow_next hold_begin(struct flow *f, struct hold *h);

/* The start came to nothing: gives back in the background. Nothing held is fine. */
void hold_release(struct hub *hub, const struct hold *h);

#endif
