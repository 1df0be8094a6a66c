/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The payment service provider (PSP), as its client: one call, one answer.
 *
 *   authorise  POST {url}/payments             {reference, customer, amount, currency,
 * capture:false} charge     POST {url}/payments             ... capture:true capture    POST
 * {url}/payments/{id}/capture  {amount, currency} void       POST {url}/payments/{id}/void     {}
 *   refund     POST {url}/payments/{id}/refunds  {amount, currency, reference: the key}
 *   read       GET  {url}/payments/{id}, or {url}/payments?reference= while its id is not known
 *   payouts    GET  {url}/payouts?date=
 *
 * Each of the first five carries the stored key as Idempotency-Key, so it may be repeated as often
 * as one likes. Amounts are whole minor units; there is no card data anywhere. What is answered is
 * a payment (ocpi/psp.h).
 */
#ifndef ADAPTERS_PSP_H
#define ADAPTERS_PSP_H

#include "adapters/http_client.h"
#include "base/secret.h"
#include "ocpi/psp.h"

struct psp {
    const char *url; /* without a slash at its end */
    struct secret key;
    int64_t timeout_ms;
};

enum psp_kind { PSP_AUTHORISE, PSP_CHARGE, PSP_CAPTURE, PSP_VOID, PSP_REFUND, PSP_READ };
const char *psp_kind_name(enum psp_kind kind); /* "authorise" */
bool psp_kind_parse(const char *name, enum psp_kind *ret);

struct psp_call {
    enum psp_kind kind;
    const char *key;       /* NULL for PSP_READ */
    const char *reference; /* of the payment */
    const char *psp_id;    /* NULL: not known yet */
    const char *customer;
    int64_t amount_minor;
    const char *currency;
};

struct psp_answer {
    struct http_answer http;
    /* by psp_answer_read(): */
    enum {
        PSP_ANSWERED, /* view is how the payment stands */
        PSP_DECLINED, /* finally; view.code tells why, view.psp_id may be there */
        PSP_REFUSED,  /* it was no good request */
        PSP_MISSING,  /* PSP_READ: it does not know the payment */
        PSP_RETRY,    /* nobody knows, or not now: the same key again */
    } outcome;
    struct psp_view view;
    int64_t retry_after_s;
    const char *detail; /* for people; no body of theirs */
};
const char *psp_outcome_name(const struct psp_answer *a); /* "answered" */

enum flow_next psp_send(struct flow *f, const struct psp *psp, const struct psp_call *call,
                        struct psp_answer *ret);
/* In the step after it. */
void psp_answer_read(struct arena *a, enum psp_kind kind, struct psp_answer *answer);

/* What was paid out on a day, an item a currency. */
struct psp_payout {
    char currency[4];
    int64_t paid_minor, captured_minor, refunded_minor, charged_back_minor, fee_minor;
};
struct psp_payouts {
    struct psp_payout *items;
    size_t count;
};
enum flow_next psp_ask_payouts(struct flow *f, const struct psp *psp, const char *day,
                               struct psp_answer *ret);
struct err psp_payouts_read(struct arena *a, const struct psp_answer *answer,
                            struct psp_payouts *ret);

#endif
