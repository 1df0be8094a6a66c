/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invoices: the reconciliation records of partners and ours (OCPI 2.3.0), and what finance read on
 * the invoices themselves. What each CDR of one is, and what it comes to, is judged when it is
 * looked at: migrations/023_invoice.sql.
 */
#ifndef DB_INVOICE_H
#define DB_INVOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/flow.h"
#include "base/id.h"
#include "db/export.h"
#include "ocpi/party.h"

struct invoice_key {
    int64_t partner_id;
    const char *country_code, *party_id, *record_id; /* any case */
};

struct invoice_put {
    struct invoice_key key;
    const char *invoice_id;
    const char *const *cdrs;
    size_t cdr_count;
    const char *document;          /* as it came */
    char content_hash[SHA256_HEX]; /* of it, whatever its spaces and order */
    int64_t last_updated_us;
    struct party_id to; /* whom it came for */
    enum invoice_way {
        INVOICE_BY_PUT,  /* an older state of it changes nothing */
        INVOICE_BY_POST, /* it is to be a new one */
        INVOICE_BY_PULL, /* as PUT; and one that was deleted stays so */
    } way;
    bool unreliable_clock; /* last_updated orders nothing */
};
enum invoice_outcome {
    INVOICE_CREATED,
    INVOICE_REPLACED,
    INVOICE_SAME,
    INVOICE_STALE,
    INVOICE_EXISTS, /* a POST of something else under an id that is taken */
};
enum flow_next invoice_put(struct flow *f, const struct invoice_put *put,
                           enum invoice_outcome *ret);
/* The partner's; NULL: there is none. */
enum flow_next invoice_get(struct flow *f, const struct invoice_key *key,
                           const char **ret_document);
enum flow_next invoice_delete(struct flow *f, const struct invoice_key *key, bool *ret_found);

/* Ours, for a party of the partner, in the order in which they were issued. */
struct invoice_ask {
    int64_t partner_id;
    struct party_id reader;
    int64_t date_from_us, date_to_us; /* of last_updated; TIME_NONE */
    int64_t offset, limit;
    int64_t bytes; /* of the documents in all, where it is not a single one */
};
struct invoice_page {
    const char **documents;
    size_t count;
    int64_t total;
};
enum flow_next invoice_list(struct flow *f, const struct invoice_ask *ask,
                            struct invoice_page *ret);

/* ---- finance ---- */

/* All about one but the end of a long list of CDRs, as JSON; NULL: there is none. */
enum flow_next invoice_document(struct flow *f, int64_t invoice, const char **ret_document);
enum flow_next invoice_exists(struct flow *f, int64_t invoice, bool *ret_found);
/* kind: "net", "gross". false: there is no such received invoice. */
enum flow_next invoice_enter_total(struct flow *f, int64_t invoice, const char *kind,
                                   int64_t amount_u6, const char *currency, const char *by,
                                   bool *ret_found);

/* What is not set does not restrict: TIME_NONE, 0, NULL. Columns as in db/statements/invoice.sql.
 */
struct err invoice_export(struct flow *f, int64_t from_us, int64_t to_us, int64_t partner_id,
                          const char *state, const struct export_taker *taker, void *arg,
                          struct export **ret);
struct err invoice_export_cdrs(struct flow *f, int64_t invoice, const struct export_taker *taker,
                               void *arg, struct export **ret);
struct err invoice_export_gaps(struct flow *f, int64_t partner_id, const char *kind,
                               const struct export_taker *taker, void *arg, struct export **ret);

#endif
