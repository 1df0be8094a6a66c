/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDRs: the networks' final records, each stored once, for ever, in the bytes in which it came.
 *
 * Two round trips, because pricing is C's and effects are SQL's (migrations/020_money.sql):
 *
 *   cdr_context --> everything that pricing needs, and the name of the situation it was read in
 *   cdr_put     --> stores and files it with all that follows (receipt, ledger, cases, session) in
 *   cdr_settle      one transaction; CDR_AGAIN where the situation is another one by now
 *
 * hub/finance/intake.h goes round this loop; nobody else calls these three. What cannot be billed
 * by itself waits as a finance case; the sender still gets success, except for the same id with
 * other content, which is refused.
 */
#ifndef DB_CDR_H
#define DB_CDR_H

#include "base/flow.h"
#include "db/session.h"
#include "ocpi/version.h"

struct cdr_put {
    int64_t partner_id;
    const char *country_code, *party_id, *id;
    const char *body; /* as it came */
    size_t body_length;
    enum ocpi_version ocpi;        /* its version; NONE: 2.2.1 */
    char content_hash[SHA256_HEX]; /* of the canonical document */
    char location_id_path[33];     /* made by the caller: the unguessable part of Location */
    const char *session_id;        /* the CPO's Session.id, or NULL */
    const char *token_uid, *authorization_reference;
    const char *token_country_code, *token_party_id; /* the token's owner; NULL: nobody's */
    const char *evse_uid, *cdr_location_id;
    int64_t start_us, end_us;
    int64_t energy_u6, total_cost_u6; /* incl_vat where given */
    int64_t total_cost_excl_u6;
    bool has_incl_vat;
    const char *currency;
    bool credit;
    const char *credit_reference_id;
    int64_t last_updated_us;
    bool plausible; /* as far as the object alone tells */
    const char *implausible_why;
    bool by_pull;
};

/* ---- looking ---- */

struct cdr_ask {
    const struct cdr_put *put;
    int64_t stored;           /* the row of one that is stored; 0: it has just come */
    const char *connector_id; /* of the CDR, or NULL */
    const char *session_id;   /* whose it is, as a person says; NULL: to be found */
    int64_t token_most;       /* sessions that may go on at once with one token */
};
struct cdr_context {
    enum { CDR_NEW, CDR_KNOWN, CDR_OTHER } known; /* by its id; OTHER: it had other content */
    const char *path, *filed;                     /* of the known one */
    const char *situation;                        /* handed back with what was priced */
    char session_id[UUID_TEXT];                   /* "": none fits; the rest is NULL or 0 then */
    const char *phase;                            /* as migrations/003_session.sql has them */
    const char *user_id, *evse_id, *network;
    bool has_energy; /* the session is open: the last reading */
    int64_t session_energy_mwh, session_start_us, session_end_us;
    bool billed; /* by another CDR */
    /* With which tariffs of the network it began: JSON [{document, ocpi}], or NULL. */
    const char *tariffs;
    int64_t power_w;                 /* of the connector; 0: not known */
    const char *time_zone, *country; /* alpha-3 */
    const char *place_name, *place_address, *place_city;
    const char *quote, *quote_mode; /* NULL: the network's price is passed through */
    const char *vat; /* JSON [{from, until, rate}]: rates of the country around the end, or NULL */
    const char *vat_id; /* ours in that country, or NULL */
    /* The cancelled receipt that this one replaces; number NULL: none. */
    const char *replaces, *replaced_currency;
    int64_t replaced_minor;
    /* Of a credit: what it credits. */
    enum { CDR_ORIGINAL_WAITING, CDR_ORIGINAL_TWICE, CDR_ORIGINAL_OPEN } original;
    const char *original_body;
    enum ocpi_version original_ocpi;
    const char *receipt_number, *receipt_content; /* of the original; NULL: it has none */
    const char *token_overlap, *evse_overlap;     /* ids of other CDRs, or NULL */
    bool has_limits;
    int64_t ok_u6, ok_percent_u4, warn_u6, warn_percent_u4;
};
enum flow_next cdr_context(struct flow *f, const struct cdr_ask *ask, struct cdr_context *ret);

/* ---- filing ---- */

struct cdr_stored {
    enum {
        CDR_STORED,
        CDR_REPEATED,
        CDR_CONFLICT, /* 2001 (R-CDR-04) */
        CDR_AGAIN,    /* nothing was written: look and price once more */
        CDR_SETTLED,
        CDR_OVER,        /* nothing is left to do with it */
        CDR_SAME_PERSON, /* a draft is confirmed by somebody else than who wrote it */
    } outcome;
    const char *path; /* location_id_path of the stored one: the same Location again */
    /* billed; unmatched, carried (it was another party's token); duplicate_session, quarantined,
     * late_start, force_closed; credit, credit_waiting, credit_twice, credit_amount,
     * credit_unknown; declined, draft */
    const char *filed;
    int64_t cdr;            /* its row; 0: refused */
    const char *class;      /* OK, WARN, DISPUTE, QUARANTINE or NULL */
    const char *receipt;    /* number, or NULL */
    int64_t waiting_credit; /* a row to be settled next: it came before this one; 0: none */
    struct session session; /* id "" where none */
};
/* priced: JSON, see hub/finance/cdr_price.h. */
enum flow_next cdr_put(struct flow *f, const struct cdr_put *put, const char *priced,
                       struct cdr_stored *ret);
enum flow_next cdr_settle(struct flow *f, int64_t cdr, const char *session_id, const char *priced,
                          const char *by, bool confirmed, struct cdr_stored *ret);

/* A stored one as it was put, with its bytes. */
struct cdr_row {
    bool found;
    struct cdr_put put;
    const char *filed;
    bool manual;                /* recorded by a person: */
    const char *drafted_by;     /* who that was, or NULL */
    char session_id[UUID_TEXT]; /* "": none */
    int64_t received_us;
};
enum flow_next cdr_read(struct flow *f, int64_t cdr, struct cdr_row *ret);

/* ---- what people decide ---- */

/* Never billed; CDR_SETTLED or CDR_OVER. Confirming is cdr_settle's business (hub/finance). */
enum flow_next cdr_decline(struct flow *f, int64_t cdr, const char *by, struct cdr_stored *ret);
/* The CDR of a late start or a forced end that has not come yet. */
enum flow_next cdr_decline_awaited(struct flow *f, const char *session_id, const char *by,
                                   struct cdr_stored *ret);
/* A disputed one: owe, the network gets what it states. false: there is nothing to release. */
enum flow_next cdr_release(struct flow *f, int64_t cdr, bool owe, const char *by, bool *ret);
/* The draft of a manual CDR. 0: the session has a CDR that counts, or a draft, or does not exist.
 */
struct cdr_draft {
    const char *session_id;
    const char *id, *body; /* a CDR of 2.2.1 */
    char content_hash[SHA256_HEX], path[33];
    int64_t start_us, end_us, energy_u6, total_cost_u6, total_cost_excl_u6;
    const char *currency, *by, *reason;
};
enum flow_next cdr_draft(struct flow *f, const struct cdr_draft *draft, int64_t *ret_cdr);
/* The draft of the credit of a manual CDR; id, body, its hash, path, by and reason count. 0: it
 * does not count, or its session has a draft. */
enum flow_next cdr_draft_credit(struct flow *f, int64_t cdr, const struct cdr_draft *draft,
                                int64_t *ret_cdr);

/* ---- by and by ---- */

/* Rows to settle again: those without a session, credits without an original. Each is given to one
 * process, and comes again later for 30 days. */
struct cdr_list {
    int64_t *ids;
    size_t count;
};
enum flow_next cdr_retry_claim(struct flow *f, int limit, struct cdr_list *ret);
/* Issues the next cancellation whose replacement has not come in time; *ret its number, NULL: none
 * is due. */
enum flow_next cdr_cancel_due(struct flow *f, const char **ret);

/* ---- reading ---- */

/* GET by the URL that was returned; only for the partner that posted it. */
struct cdr_body {
    bool found;
    const char *body;
    size_t length;
    enum ocpi_version ocpi;
    const char *country_code, *party_id; /* whose it is */
};
enum flow_next cdr_get(struct flow *f, int64_t partner_id, const char *path, struct cdr_body *ret);

#endif
