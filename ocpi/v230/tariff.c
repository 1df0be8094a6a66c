/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tariffs: tables of 2.3.0. A vat rate in a tariff without taxes is odd, and no reason to refuse it
 * (R-AMB-17).
 */
#include "ocpi/v230/tariff.h"

#include "ocpi/field.h"

static const char *const tax_included_texts[] = {"YES", "NO", "N/A"};

const struct word_list ocpi230_tax_included_words = {
    .name = "TaxIncluded",
    .words = tax_included_texts,
    .count = sizeof(tax_included_texts) / sizeof(tax_included_texts[0]),
};

/* clang-format off */
static const struct field price_limit_fields[] = {
    NUMBER(struct ocpi230_price_limit, before_taxes, REQUIRED),
    NUMBER(struct ocpi230_price_limit, after_taxes,  OPTIONAL),
};

static const struct field tariff_fields[] = {
    TEXT  (struct ocpi230_tariff, country_code,     2, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_country_code),
    TEXT  (struct ocpi230_tariff, party_id,         3, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_party_id),
    TEXT  (struct ocpi230_tariff, id,              36, REQUIRED | CASELESS | IDENTITY),
    TEXT  (struct ocpi230_tariff, currency,         3, REQUIRED, .text_check = field_currency),
    ENUM  (struct ocpi230_tariff, type,            tariff_kind, OPTIONAL),
    LIST  (struct ocpi230_tariff, tariff_alt_text, display_text, OPTIONAL),
    URL   (struct ocpi230_tariff, tariff_alt_url,  OPTIONAL),
    OBJECT_OF(struct ocpi230_tariff, min_price,    ocpi230_price_limit, OPTIONAL),
    OBJECT_OF(struct ocpi230_tariff, max_price,    ocpi230_price_limit, OPTIONAL),
    NUMBER(struct ocpi230_tariff, preauthorize_amount, OPTIONAL,
           .number_check = field_not_negative),
    LIST  (struct ocpi230_tariff, elements,        tariff_element, REQUIRED),
    ENUM_OF(struct ocpi230_tariff, tax_included,   ocpi230_tax_included, REQUIRED),
    TIME  (struct ocpi230_tariff, start_date_time, OPTIONAL),
    TIME  (struct ocpi230_tariff, end_date_time,   OPTIONAL),
    OBJECT(struct ocpi230_tariff, energy_mix,      energy_mix, OPTIONAL),
    TIME  (struct ocpi230_tariff, last_updated,    REQUIRED),
};

const struct object_type ocpi230_price_limit_type =
    OBJECT_TYPE("PriceLimit", OCPI_2_3_0, struct ocpi230_price_limit, price_limit_fields);
const struct object_type ocpi230_tariff_type =
    OBJECT_TYPE("Tariff", OCPI_2_3_0, struct ocpi230_tariff, tariff_fields);
/* clang-format on */
