/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reconciliation: what a month came to, a row a network and currency, from the receipts and again
 * from the CDRs and the ledger; the column control says whether both agree. Columns are those of
 * db/statements/reconciliation.sql.
 */
#ifndef DB_RECONCILIATION_H
#define DB_RECONCILIATION_H

#include <stdint.h>

#include "base/flow.h"
#include "db/export.h"

/* month: "2026-11"; partner 0: all. */
struct err reconciliation_list(struct flow *f, const char *month, int64_t partner,
                               const struct export_taker *taker, void *arg, struct export **ret);

#endif
