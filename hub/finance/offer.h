/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offer: what a driver would pay at a connector if they started now. GET /v1/evses shows it, a
 * start keeps it as the session's quote: both come from here, so that what was told is what counts.
 *
 *   offer_read    the retail book, and what is not in it: the user's group, the network's tariffs
 *   offer_make    chooses the retail tariff and makes firm prices of it
 */
#ifndef HUB_FINANCE_OFFER_H
#define HUB_FINANCE_OFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/flow.h"
#include "db/retail.h"
#include "db/session.h"
#include "ocpi/retail.h"

struct evse;
struct evse_connector;
struct retail_book;

struct offer {
    /* filled in by the caller */
    const struct evse *evse;
    const struct evse_connector *connector;
    const char *user_id;
    bool shown; /* to be shown: also what is passed through is priced, as well as it can be told */
    /* by offer_read */
    const struct retail_book *book;
    struct offer_context context;
    /* by offer_make */
    bool quoted; /* by a retail tariff; false: the network's price is passed through */
    bool priced; /* `price` is filled in */
    struct retail_tariff price;             /* firm prices */
    enum retail_mode mode;                  /* of the tariff it came from */
    int64_t network_tariff, tariff_version; /* the network's tariff it was made of; 0: none */
};

/* In two steps of the caller's flow: the second may go to the database. */
enum flow_next offer_begin(struct flow *f, struct offer *o);
enum flow_next offer_read(struct flow *f, struct offer *o);
/* A tariff of which no firm price can be made gives way to the next best one. */
void offer_make(struct flow *f, struct offer *o, int64_t start_us);
/* What the session keeps; `language` as it was told in. */
void offer_quote(struct flow *f, const struct offer *o, const char *language,
                 struct session_quote *ret);

/* "de", "en" or "fi": what an Accept-Language header asks for; NULL or others: "en". */
const char *offer_language(const char *accept_language);

#endif
