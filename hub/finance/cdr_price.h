/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pricing of a CDR: what the network charges is recalculated and held against what is known of the
 * session, what the user pays comes from the session's quote or from the CDR itself, and both
 * become the text that db/cdr.h files. No I/O but the time zone files.
 *
 *   {situation, class, why, findings[], recalculated_u6, difference_u6, calculation{}, engine,
 *    tz_version, country, supply_day, duration_s, charging_s, parking_s, ours,
 *    receipt: {content, currency, gross_minor, net_minor, vat_minor, accounts[], amounts_u6[]},
 *    credit_fault, cancellation, hold_s}
 */
#ifndef HUB_FINANCE_CDR_PRICE_H
#define HUB_FINANCE_CDR_PRICE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "db/cdr.h"
#include "ocpi/cdr_check.h"

struct arena;
struct settings;

struct cdr_pricing {
    const struct settings *settings;
    const struct cdr_put *put;
    const json_t *document; /* as it came, in the version of put->ocpi */
    const struct cdr_context *context;
    int64_t received_us; /* when it came: what was late or in the future then stays so */
    bool manual;         /* recorded by a person */
};
struct cdr_priced {
    const char *text; /* JSON, for cdr_put and cdr_settle */
    enum cdr_class class;
    const char *why; /* what made the class, for people; NULL: nothing */
    bool unbillable; /* no receipt can be made of it, whoever says so */
};
/* What a partner wrote is never an error here: what cannot be read or reckoned is QUARANTINE. */
struct err cdr_price(const struct cdr_pricing *in, struct arena *a, struct cdr_priced *ret);

#endif
