/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The price of a session that is under way, for those who run the hub: what its driver pays so far,
 * and what the network's own tariff comes to beside what the network says. A gap between those two
 * is told before the session ends.
 */
#ifndef HUB_FINANCE_SESSION_PRICE_H
#define HUB_FINANCE_SESSION_PRICE_H

#include "base/flow.h"
#include "db/retail.h"

struct text;

/* "live_cost": {"retail": cost_detail|null, "wholesale": {currency, stated, reckoned, difference,
 * flagged, tariff, notes[]}|null}; flagged: more than 5 % or 1.00 apart. Nothing is an error here:
 * what cannot be reckoned is null. */
void session_price_put(struct flow *f, const struct session_price_context *c, int64_t now_us,
                       struct text *t, const char *key);

#endif
