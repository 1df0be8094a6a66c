/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types of 2.3.0 that differ from those of 2.2.1: prices, whose taxes stand one by one, and the
 * roles of parties.
 */
#ifndef OCPI_V230_TYPES_H
#define OCPI_V230_TYPES_H

#include <stdint.h>

#include "ocpi/object.h"

/* There is no HUB (R-CRED-14). The text of the Payments module knows a role PTP, which is in no
 * enum: it is read as OTHER, and OTHER is written (R-AMB-12). */
#define OCPI230_ROLES(X, P) X(P, CPO) X(P, EMSP) X(P, NAP) X(P, NSP) X(P, OTHER) X(P, SCSP)
WORDS_DECLARE(ocpi230_role, OCPI230_ROLE, OCPI230_ROLES)

struct ocpi230_tax_amount {
    const char *name, *account_number;
    int64_t percentage; /* six decimals of percent, for people */
    int64_t amount;     /* six decimals of the currency's major unit; this is what counts */
};

struct ocpi230_price {
    int64_t before_taxes; /* six decimals of the currency's major unit */
    LIST_OF(struct ocpi230_tax_amount) taxes;
};

extern const struct object_type ocpi230_tax_amount_type;
extern const struct object_type ocpi230_price_type;

#endif
