/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts: what users are given for accepted CDRs, numbered without a gap per series and year,
 * never changed. They are written by db/cdr.h in the statement that accepts the CDR; here they are
 * read. What a receipt says stands in its content (hub/finance/receipt_content.h) and the columns
 * below; how far it is paid changes, and is no part of it.
 */
#ifndef DB_RECEIPT_H
#define DB_RECEIPT_H

#include "base/flow.h"
#include "db/session.h"

enum receipt_kind { RECEIPT_RECEIPT, RECEIPT_CANCELLATION };

struct receipt {
    bool found;
    enum session_state state; /* of the session */
    const char *network, *evse_id, *user_id;
    char session_id[UUID_TEXT];
    int64_t id;
    const char *number; /* "FI-HUB-2026-0000001" */
    enum receipt_kind kind;
    int64_t revision;         /* counts the documents of a session */
    const char *cancels;      /* number of what this one cancels, or NULL */
    const char *cancelled_by; /* number of what cancels this one, or NULL */
    int64_t cdr;              /* the row; its id of the network's: */
    const char *cdr_id;
    int64_t energy_mwh, duration_s, duration_minutes;
    int64_t start_us, end_us, issued_us;
    int64_t cost_minor; /* to be paid, VAT included */
    bool has_content;   /* false: of a release that kept none; then net and VAT are not known */
    int64_t net_minor, vat_minor;
    char currency[4];
    const char *content; /* canonical JSON, or NULL */
    size_t content_length;
    const char *hash; /* of the row, chained to the one before it in its series */
    const char *payment_status;
};

/* The newest receipt of a session that is no cancellation: after a credit the replacement's, until
 * then the cancelled one. session_found=false: missing or another user's (user_id NULL: anybody's);
 * found=false: it has none. */
enum flow_next receipt_get(struct flow *f, const char *session_id, const char *user_id,
                           bool *ret_session_found, struct receipt *ret);
/* Any document by its row or by its number (number NULL: by the row). */
enum flow_next receipt_find(struct flow *f, int64_t id, const char *number, struct receipt *ret);

/* All documents of a session, oldest first. */
struct receipts {
    struct receipt *items;
    size_t count;
};
enum flow_next receipt_of_session(struct flow *f, const char *session_id, struct receipts *ret);

/* Recomputes the chain of a series from row `after` on, `limit` rows; begin with after_seq 0 and
 * after_hash "", go on with what came back until `rows` is less than the limit. */
struct receipt_chain {
    int64_t rows, last_seq;
    const char *last_hash;
    /* The first row that is wrong; NULL: none is. A missing number, a hash that is not that of the
     * row, one that does not follow the row before, a date that runs backwards. */
    const char *broken, *why;
};
struct receipt_series {
    const char *series;
    int64_t year, issued;
};
struct receipt_series_list {
    struct receipt_series *items;
    size_t count;
};
enum flow_next receipt_series_all(struct flow *f, struct receipt_series_list *ret);
enum flow_next receipt_verify(struct flow *f, const char *series, int64_t year, int64_t after_seq,
                              const char *after_hash, int64_t limit, struct receipt_chain *ret);

#endif
