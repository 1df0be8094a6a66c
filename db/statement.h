/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements: what we owe a partner for the CDRs of a month and the fee it owes us. An open one is
 * reckoned when it is looked at; closing writes it down with its number, for ever. What stands in
 * them and by which rules: migrations/022_statement.sql.
 */
#ifndef DB_STATEMENT_H
#define DB_STATEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/flow.h"
#include "db/export.h"
#include "db/ledger.h"

/* month: "2026-11"; partner 0: all. Columns: db/statements/statement.sql. */
struct err statement_list(struct flow *f, const char *month, int64_t partner,
                          const struct export_taker *taker, void *arg, struct export **ret);
/* The CDRs of one, by its id; none where there is no such. */
struct err statement_lines(struct flow *f, const char *id, const struct export_taker *taker,
                           void *arg, struct export **ret);

/* Everything but its lines, as JSON; NULL: there is none. An open one is reckoned: that, closing
 * and checking take seconds where a month has many CDRs, and run beside all others (db/pg_long.h).
 */
enum flow_next statement_document(struct flow *f, const char *id, const char **ret);

struct statement_done {
    enum {
        STATEMENT_DONE,
        STATEMENT_ALREADY,
        STATEMENT_NOT_FOUND,
        STATEMENT_NOT_OVER,     /* the month */
        STATEMENT_EARLIER_OPEN, /* detail: the month to be closed before */
        STATEMENT_NO_TERMS,     /* detail: the first day without */
        STATEMENT_DIFFERS,      /* detail: which sums */
        STATEMENT_WRONG_STATE,  /* detail: in which it is */
    } outcome;
    const char *detail;
};
/* One transaction: it is closed, or it is not. */
enum flow_next statement_close(struct flow *f, const char *id, const char *by,
                               struct statement_done *ret);
/* to: "SENT" ... */
enum flow_next statement_move(struct flow *f, const char *id, const char *to, const char *by,
                              struct statement_done *ret);

/* What does not add up of those that were closed since then; TIME_NONE: of all. */
enum flow_next statement_check(struct flow *f, int64_t from_us, struct ledger_faults *ret);

/* ---- terms ---- */

struct statement_terms {
    int64_t partner_id;
    const char *currency;
    const char *valid_from;                            /* "2026-01-01"; NULL: ever since */
    const char *vat_treatment, *fee_vat_treatment;     /* domestic, reverse_charge, exempt */
    const char *vat_rate, *fee_percent, *fee_vat_rate; /* percent, numbers' texts */
    int64_t fee_per_cdr_u6;
    bool netting;
};
enum flow_next statement_terms_put(struct flow *f, const struct statement_terms *terms,
                                   const char *by);
/* A JSON array. */
enum flow_next statement_terms_list(struct flow *f, const char **ret);

#endif
