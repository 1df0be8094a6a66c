/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ledger: double entry, append only. Receipts, purchases and credits are posted by the statements
 * that make them (db/cdr.h); payments and statements post theirs by SQL's ledger_post(). Here it is
 * read and checked. Debits are positive; amounts have six decimals.
 */
#ifndef DB_LEDGER_H
#define DB_LEDGER_H

#include "base/flow.h"

struct ledger_balance {
    const char *account;
    char currency[4];
    int64_t amount_u6;
};
struct ledger_balances {
    struct ledger_balance *items;
    size_t count;
};
/* Sums per account of what was posted in [from, to); TIME_NONE: open. */
enum flow_next ledger_balances(struct flow *f, int64_t from_us, int64_t to_us,
                               struct ledger_balances *ret);

/* What must hold of money at any moment; each line says what does not, none is right. */
struct ledger_fault {
    const char *what;    /* "ledger_sum", "receipt_without_entry" ... */
    const char *subject; /* a number, an id */
    const char *detail;
};
struct ledger_faults {
    struct ledger_fault *items; /* at most 100 */
    size_t count;
};
/* Of what was written in [from, to), TIME_NONE: open; sums are of everything. Takes as long as that
 * takes, beside all others (db/pg_long.h). */
enum flow_next ledger_check(struct flow *f, int64_t from_us, int64_t to_us,
                            struct ledger_faults *ret);

/* ---- the nightly look ---- */

/* Whether it is this process that does it now: then when it was done last, else TIME_NONE. For an
 * hour nobody else does; who has not come to the end by then has lost it. */
enum flow_next finance_job_claim(struct flow *f, const char *name, int64_t *ret_done_us);
/* The end: how many receipts' chain was recomputed, and the faults as a JSON array. */
enum flow_next finance_audit_keep(struct flow *f, int64_t receipts, const char *faults);

#endif
