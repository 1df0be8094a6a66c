/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receipt of a CDR: lines and content, from the quote the session began with or, without one,
 * from the CDR itself, as far as its sum is not disputed: then never more than the tariff that the
 * user was shown comes to. And the cancellation of a receipt whose CDR is credited. Pure.
 */
#ifndef HUB_FINANCE_CDR_RECEIPT_H
#define HUB_FINANCE_CDR_RECEIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "hub/finance/cdr_price.h"
#include "hub/finance/cdr_told.h"
#include "ocpi/bill.h"

struct zone;

/* What has been found out about the CDR so far. */
struct cdr_findings {
    const struct price_record *record;
    const struct cdr_check *check;
    const struct cdr_facts *facts;
    const struct cdr_told *told;
    const char *country;   /* of the place; NULL: not known */
    const char *time_zone; /* its name, where it is known */
};

struct cdr_receipt {
    struct bill bill;
    const char *content; /* canonical JSON */
    int64_t vat_u4;      /* of the country at the end of the supply; NUMBER_NONE: not known */
    int64_t loss_u6;     /* of the wholesale cost: beyond what the user's tariff bills */
    /* The network's sum is disputed, no price was quoted, and no tariff gives one: it says what the
     * network states, which is for a person to decide on. */
    bool unfounded;
    int64_t duration_s, charging_s, parking_s; /* the latter -1: not known */
};

/* ERR_BAD_FIELD: amounts beyond reckoning. */
struct err cdr_receipt_make(const struct cdr_pricing *in, const struct cdr_findings *found,
                            struct arena *a, struct cdr_receipt *ret);

/* The content of the cancellation of a receipt. */
struct err cdr_receipt_cancel(const char *content, const char *number, struct arena *a,
                              const char **ret);

#endif
