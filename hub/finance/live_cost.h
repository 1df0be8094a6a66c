/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live cost: what a session costs its driver so far, and when that reaches a limit. By the quote
 * that was told before the start; nothing is charged from it.
 */
#ifndef HUB_FINANCE_LIVE_COST_H
#define HUB_FINANCE_LIVE_COST_H

#include <stdbool.h>
#include <stdint.h>

#include "ocpi/retail.h"

struct arena;
struct session;

/* What an estimate is made of; it lies in the live view, too. */
struct live_cost {
    const char *quote; /* its document */
    int64_t energy_mwh;
    int64_t start_us, end_us; /* TIME_NONE: not begun, or not ended */
    int64_t seen_us;          /* the last update */
    int64_t charging_end_us;  /* TIME_NONE: charges */
};

/* false: no estimate is due: without a quote, before the network has confirmed the start, and when
 * the session is over. */
bool live_cost_of(const struct session *s, struct live_cost *ret);
/* What the driver pays in. false: the quote cannot be read. */
bool live_cost_currency(const char *quote, struct arena *a, char ret[4]);
/* false: the quote cannot be read, or the amounts are beyond reckoning. */
bool live_cost_estimate(const struct live_cost *c, int64_t now_us, struct arena *a,
                        struct retail_estimate *ret);

struct live_limit {
    int64_t max_minutes;         /* 0: none */
    const char *credit_currency; /* NULL: none */
    int64_t credit_minor;
};
/* Why a running session has to stop: "max_charging_time", "credit_limit"; or NULL, and when to look
 * again: TIME_NONE: not before the network tells something. */
const char *live_limit_reached(const struct session *s, const struct live_limit *limit,
                               int64_t now_us, struct arena *a, int64_t *ret_next_us);

#endif
