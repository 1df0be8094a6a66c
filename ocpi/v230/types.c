/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types: tables of the small classes of 2.3.0 that several modules share.
 */
#include "ocpi/v230/types.h"

#include "ocpi/field.h"

WORDS_DEFINE(ocpi230_role, OCPI230_ROLE, OCPI230_ROLES, "Role",
             .alias = {"PTP", OCPI230_ROLE_OTHER})

/* The specification sets no limit to the texts of a tax. */
/* clang-format off */
static const struct field tax_amount_fields[] = {
    TEXT  (struct ocpi230_tax_amount, name,           LONG_TEXT_MAX, REQUIRED),
    TEXT  (struct ocpi230_tax_amount, account_number, LONG_TEXT_MAX, OPTIONAL),
    NUMBER(struct ocpi230_tax_amount, percentage,     OPTIONAL),
    NUMBER(struct ocpi230_tax_amount, amount,         REQUIRED),
};

static const struct field price_fields[] = {
    NUMBER(struct ocpi230_price, before_taxes, REQUIRED),
    OBJECT_LIST_OF(struct ocpi230_price, taxes, ocpi230_tax_amount, OPTIONAL),
};

const struct object_type ocpi230_tax_amount_type =
    OBJECT_TYPE("TaxAmount", OCPI_2_3_0, struct ocpi230_tax_amount, tax_amount_fields);
const struct object_type ocpi230_price_type =
    OBJECT_TYPE("Price", OCPI_2_3_0, struct ocpi230_price, price_fields);
/* clang-format on */
