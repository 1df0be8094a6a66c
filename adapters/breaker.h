/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Breaker: stops calling a partner that does not answer. The hub sees
 * network_breaker_open and network_breaker_note of adapters/network.h; this is what lies below,
 * with the clock as an argument.
 *
 *              5 failures in a row, or half of 20 in 30 s
 *      CLOSED ---------------------------------------------> OPEN, 10 s, doubling to 5 min
 *        ^                                                    |    ^
 *        | 3 successes                          time is over, |    | a failure
 *        |                                      or a success  v    |
 *        +------------------------------------------------ HALF_OPEN: one probe at a time
 */
#ifndef ADAPTERS_BREAKER_H
#define ADAPTERS_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum breaker_state { BREAKER_CLOSED, BREAKER_HALF_OPEN, BREAKER_OPEN }; /* the metric's values */

enum breaker_state breaker_state_at(int64_t partner_id, int64_t now_ms);
void breaker_note_at(int64_t partner_id, bool ok, int64_t now_ms);
/* Half open: true for the one caller who may ask the partner now whether it is back. */
bool breaker_probe_at(int64_t partner_id, int64_t now_ms);
void breaker_forget_all(void); /* tests */

#endif
