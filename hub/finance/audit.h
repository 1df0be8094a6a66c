/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Audit: all chains of receipts recomputed, the ledger added up, and what must follow from what
 * looked for. By night, once for all processes; or when a person asks.
 */
#ifndef HUB_FINANCE_AUDIT_H
#define HUB_FINANCE_AUDIT_H

#include "base/flow.h"
#include "db/ledger.h"
#include "db/receipt.h"

struct audit {
    /* What to look at beside the chains and the sums, which are always looked at as a whole;
     * TIME_NONE: open. */
    int64_t from_us, to_us;
    /* Result. */
    int64_t receipts;            /* whose chain was recomputed */
    struct ledger_faults faults; /* chains that are broken come as "receipt_chain" */
    /* as it goes */
    enum { AUDIT_BEGIN, AUDIT_SERIES, AUDIT_CHAIN, AUDIT_DONE } phase_;
    struct receipt_series_list series_;
    size_t index_;
    struct receipt_chain chain_;
    struct ledger_fault *broken_;
    size_t broken_count_;
};

/* Returned from a step until it says FLOW_NEXT. */
enum flow_next audit_run(struct flow *f, struct audit *a);
/* [{what, subject, detail}] */
const char *audit_faults_json(const struct audit *a, struct arena *arena);

#endif
