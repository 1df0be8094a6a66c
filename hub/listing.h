/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listing: a list of any length as an answer, JSON or CSV, while it is read (db/export.h).
 *
 *   JSON  {"items": [{...}, ...], "count": 2, "control_sum": 14.4}
 *   CSV   header row, rows, and last "#total,<count>,<control sum>" (base/csv.h)
 *
 * The control sum is that of one column over all rows: who has the file can tell whether it is
 * whole. Amounts of several currencies have none: then it is null, or empty in CSV. A list that
 * breaks off has no end: the connection breaks.
 */
#ifndef HUB_LISTING_H
#define HUB_LISTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/flow.h"
#include "db/export.h"

struct listing_ask {
    const char *name;   /* of the file: "receipts-2026-11" */
    const char *summed; /* column of the control sum; NULL: none */
    /* Columns of the CSV, so that an empty list has its header too; NULL ends. JSON has all. */
    const char *const *columns;
    /* Begins the export. What it needs of the flow's state it may use until it returns. */
    struct err (*begin)(struct flow *f, const struct export_taker *taker, void *arg,
                        struct export **ret);
};

/* Long enough for any export: flows that end in one have this deadline. */
enum { LISTING_DEADLINE_MS = 31 * 60 * 1000 };

/* Whether the caller wants text/csv; ERR_NOT_ACCEPTABLE for what is neither that nor JSON. */
struct err listing_wants_csv(struct flow *f, bool *ret);

/* Answers and waits for the end: return listing_answer(f, &ask). `ask` and its columns are
 * constants. */
enum flow_next listing_answer(struct flow *f, const struct listing_ask *ask);

#endif
