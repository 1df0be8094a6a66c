/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tariffs of 2.3.0. The elements are those of 2.2.1, but what their prices mean depends on
 * tax_included (R-TAR-17).
 */
#ifndef OCPI_V230_TARIFF_H
#define OCPI_V230_TARIFF_H

#include "ocpi/tariff.h"

/* Written as YES, NO and N/A: contained in the prices; on top of them; there is no tax. */
enum ocpi230_tax_included {
    OCPI230_TAX_INCLUDED_NONE,
    OCPI230_TAX_INCLUDED_YES,
    OCPI230_TAX_INCLUDED_NO,
    OCPI230_TAX_INCLUDED_NOT_APPLICABLE,
    OCPI230_TAX_INCLUDED_UNLISTED
};
WORDS_DECLARE_TABLE(ocpi230_tax_included)

struct ocpi230_price_limit {
    int64_t before_taxes;
    int64_t after_taxes; /* NUMBER_NONE: no limit of the taxed total is given */
};

struct ocpi230_tariff {
    const char *country_code, *party_id;
    const char *id;
    const char *currency;
    enum ocpi_tariff_kind type;
    LIST_OF(struct ocpi_display_text) tariff_alt_text;
    const char *tariff_alt_url;
    const struct ocpi230_price_limit *min_price, *max_price;
    int64_t preauthorize_amount; /* of the Payments module */
    LIST_OF(struct ocpi_tariff_element) elements;
    enum ocpi230_tax_included tax_included;
    int64_t start_date_time, end_date_time;
    const struct ocpi_energy_mix *energy_mix;
    int64_t last_updated;
};

extern const struct object_type ocpi230_price_limit_type;
extern const struct object_type ocpi230_tariff_type;

#endif
