/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Payments: what is held and taken from users through the payment service provider (PSP).
 *
 * The states and their transitions are a table of the schema (migrations/021_payment.sql), applied
 * by one SQL function; hub/finance/payment.h has the same table for C. What we want of the PSP is a
 * row, with its key, before the first call: psp_claim() hands the calls out, psp_done() takes what
 * came of them. An event of the PSP and its effect are one statement (psp_event_take), and so is
 * what was read there (payment_read). A receipt that is issued captures, charges or refunds in its
 * own transaction, by a trigger.
 *
 * db_on_notify("psp", ...) tells that something is due now.
 */
#ifndef DB_PAYMENT_H
#define DB_PAYMENT_H

#include "base/flow.h"
#include "db/session.h"
#include "ocpi/psp.h"

/* ---- the hold before a start ---- */

struct payment_hold {
    const char *session_id; /* the one that the start would make */
    const char *user_id;
    int64_t amount_minor;
    const char *currency;
    const struct idempotency *idempotency; /* of the start */
};
struct payment_held {
    enum {
        HOLD_BEGUN,      /* the caller calls the PSP now and says psp_done() */
        HOLD_HELD,       /* by an earlier request with the same key; session_id is its */
        HOLD_RUNNING,    /* an earlier request with the same key is still at it */
        HOLD_KEY_REUSED, /* ... or had another body */
        HOLD_NOT_NEEDED, /* the user pays otherwise */
    } outcome;
    const char *session_id;
    int64_t operation;
    const char *key, *reference, *customer;
    int64_t amount_minor;
    const char *currency;
};
enum flow_next payment_hold(struct flow *f, const struct payment_hold *ask,
                            struct payment_held *ret);
/* The start came to nothing: what is held for it, or turns out to be, goes back. */
enum flow_next payment_release(struct flow *f, const char *session_id);

/* ---- calls of the PSP ---- */

struct psp_operation {
    int64_t id;
    const char *kind; /* "capture" */
    const char *key;
    int64_t amount_minor;
    const char *currency;
    int attempts; /* this one included */
    const char *reference, *psp_id, *customer;
};
struct psp_operations {
    struct psp_operation *items;
    size_t count;
};
/* For 30 s; never two of one payment. */
enum flow_next psp_claim(struct flow *f, int limit, struct psp_operations *ret);

struct psp_done {
    int64_t id;
    const char *outcome; /* answered, declined, refused, retry */
    const char *detail;  /* for people */
    int64_t retry_after_s;
    struct psp_view view; /* answered, and declined as far as it goes */
};
struct psp_done_answer {
    const char *state;   /* of the payment now: "authorised" */
    const char *failure; /* the PSP's code, or NULL */
    const char *outcome; /* applied, known, mismatch, declined, refused, retry, over */
};
/* ret may be NULL. */
enum flow_next psp_done(struct flow *f, const struct psp_done *done, struct psp_done_answer *ret);

/* ---- what the PSP tells by itself ---- */

/* outcome: applied, known, later (it will be asked how things stand), mismatch, unknown, ignored;
 * repeated; conflict: the id of an event with other content. */
enum flow_next psp_event_take(struct flow *f, const struct psp_event *event,
                              const char content_hash[SHA256_HEX], const char **ret_outcome);

/* ---- the job ---- */

struct payment_work {
    int64_t payment;
    const char *reference, *psp_id; /* psp_id NULL: not known */
};
struct payment_works {
    struct payment_work *items;
    size_t count;
};
/* Does what is due; what is to be read at the PSP comes back. */
enum flow_next payment_work(struct flow *f, int limit, struct payment_works *ret);
/* view NULL: the PSP does not know it. */
enum flow_next payment_read(struct flow *f, int64_t payment, const struct psp_view *view,
                            const char **ret_outcome);

/* ---- payouts ---- */

/* A day whose report is due: "2026-11-20", for a minute; NULL: none is. */
enum flow_next psp_payout_claim(struct flow *f, const char **ret_day);
struct psp_payout_line {
    const char *day, *currency;
    int64_t paid_minor, captured_minor, refunded_minor, charged_back_minor, fee_minor;
};
/* Keeps it beside what our ledger has; a difference is a case. */
enum flow_next psp_payout_put(struct flow *f, const struct psp_payout_line *line,
                              int64_t *ret_difference_minor);
/* The report of a day has been read, or not: then it is due again later. */
enum flow_next psp_payout_done(struct flow *f, const char *day, bool ok);

/* ---- refunds ---- */

struct refund_ask {
    int64_t receipt; /* its row; used where there is no receipt of this number: */
    const char *receipt_number;
    int64_t amount_u6;
    const char *reason, *by;
    /* Above it with what went back in the session before without a second person, or in another
     * currency, a second person confirms. */
    int64_t limit_minor;
    const char *limit_currency;
    const struct idempotency *idempotency; /* with a key */
};
struct refund_asked {
    enum {
        REFUND_STORED,  /* it is on its way */
        REFUND_WAITING, /* for the second person */
        REFUND_NOT_FOUND,
        REFUND_NOT_PAID, /* nothing was taken, or all of it has been given back */
        REFUND_TOO_MUCH,
        REFUND_BAD_AMOUNT,  /* more decimals than the currency has */
        REFUND_SAME_PERSON, /* confirm */
        REFUND_ALREADY,     /* confirm: it needs no confirmation any more */
        REFUND_REPLAY,
        REFUND_KEY_REUSED,
        REFUND_KEY_RUNNING,
    } outcome;
    const char *id; /* UUID */
    int64_t receipt, amount_minor;
    char currency[4];
    const char *state; /* waiting, sent, done, failed, declined */
    const char *asked_by, *confirmed_by;
    int64_t left_minor; /* TOO_MUCH: what may be given back */
};
enum flow_next refund_ask(struct flow *f, const struct refund_ask *ask, struct refund_asked *ret);
/* Outcomes STORED, NOT_FOUND. */
enum flow_next refund_get(struct flow *f, const char *id, struct refund_asked *ret);
/* `by` is somebody who may (hub/finance/deed.h). */
enum flow_next refund_confirm(struct flow *f, const char *id, const char *by,
                              struct refund_asked *ret);
/* Outcomes STORED, NOT_FOUND, ALREADY. */
enum flow_next refund_decline(struct flow *f, const char *id, const char *by,
                              struct refund_asked *ret);

/* ---- how a user pays ---- */

struct payer {
    bool found;
    const char *mode; /* card, prepaid, invoice */
    const char *psp_customer;
};
enum flow_next payer_get(struct flow *f, const char *user_id, struct payer *ret);
/* mode, psp_customer (NULL: our own id for the user). */
enum flow_next payer_put(struct flow *f, const char *user_id, const struct payer *payer,
                         const char *by);

#endif
