/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The amounts of a price whose lines are billed. Of the pricing alone (ocpi/price.h).
 */
#ifndef OCPI_PRICE_AMOUNT_H
#define OCPI_PRICE_AMOUNT_H

#include "ocpi/price.h"

/* Fills in all amounts and totals from p->lines; `limits` has the currency, and the minimum and
 * maximum. false: a number is too large, and the result is of no use. */
bool price_add_up(const struct price_tariff *tariffs, const struct price_tariff *limits,
                  struct price *p);

#endif
