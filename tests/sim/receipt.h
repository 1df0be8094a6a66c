/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipt: what a session costs, and the parts of Sessions and CDRs that all versions share.
 *
 * Everything is first cut to four decimals (0.1 Wh, 0.36 s, 0.0001 EUR), and sums are made of what
 * is printed: the periods add up to the totals, the sub-totals to total_cost, exactly.
 */
#ifndef TESTS_SIM_RECEIPT_H
#define TESTS_SIM_RECEIPT_H

#include "tests/sim/behave.h"
#include "tests/sim/pen.h"
#include "tests/sim/print.h"
#include "tests/sim/session.h"

struct price {
    int64_t excl_u6, incl_u6;
    int64_t vat_percent;
};

struct bill {
    int64_t energy_u6, hours_u6;
    struct price energy, time, flat, total;
};

struct bill session_bill(const struct session *s);
int64_t session_kwh_u6(const struct session *s, int64_t less_mwh); /* as it is printed */
const char *session_status_word(const struct session *s);
/* Periods from `first` on that have ended; at the session's end all of them have. */
void print_periods(struct pen pen, struct session *s, size_t first);

#endif
