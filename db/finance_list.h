/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists for finance people, of any length (db/export.h), and the cases that wait for them.
 */
#ifndef DB_FINANCE_LIST_H
#define DB_FINANCE_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/flow.h"
#include "base/id.h"
#include "db/export.h"

/* What is not set does not restrict: TIME_NONE, 0, NULL. */
struct finance_filter {
    /* [from, to): receipts, ledger: their date; CDRs: their arrival; refunds: when asked for */
    int64_t from_us, to_us;
    int64_t partner_id;
    const char *payment_status, *user_id;                  /* receipts */
    const char *source, *filed;                            /* CDRs */
    enum { MATCHED_ANY, MATCHED_YES, MATCHED_NO } matched; /* CDRs: to a session */
    const char *kind;                                      /* cases */
    bool resolved_too;                                     /* cases */
    const char *status;                                    /* refunds */
};

enum finance_list {
    FINANCE_RECEIPTS,
    FINANCE_CDRS,
    FINANCE_CASES,
    FINANCE_LEDGER,
    FINANCE_REFUNDS,
};

/* Columns are those of db/statements/finance.sql. */
struct err finance_list(struct flow *f, enum finance_list which,
                        const struct finance_filter *filter, const struct export_taker *taker,
                        void *arg, struct export **ret);

/* A CDR with everything that is known of it, as JSON; NULL: there is none. */
enum flow_next finance_cdr(struct flow *f, int64_t cdr, const char **ret_document);

struct finance_case {
    bool found, resolved;
    const char *kind;
    char session_id[UUID_TEXT]; /* "": none */
    int64_t cdr;                /* 0: none, or it has not come yet */
    const char *filed, *class;  /* of the CDR */
};
enum flow_next finance_case(struct flow *f, int64_t id, struct finance_case *ret);
/* Closes it, and nothing else; false: it is closed already. */
enum flow_next finance_case_resolve(struct flow *f, int64_t id, const char *resolution,
                                    const char *by, const char *note, bool *ret);
/* After what was decided has had its effect, which may have closed it already. */
enum flow_next finance_case_settled(struct flow *f, int64_t id, const char *resolution,
                                    const char *by, const char *note, bool *ret);

#endif
