/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the tariffs of a CDR are those with which its session began. Of the CDR check alone
 * (ocpi/cdr_check.h).
 */
#ifndef OCPI_CDR_TARIFF_H
#define OCPI_CDR_TARIFF_H

#include "ocpi/price.h"

struct arena;

/* NULL: each tariff of the CDR has the prices of one of the start; else what is different, for
 * people. Texts, validity and times of change do not count. */
const char *cdr_tariff_change(const struct price_tariff *cdr, size_t cdr_count,
                              const struct price_tariff *start, size_t start_count,
                              struct arena *a);

#endif
