/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invoice reconciliation records: the table of 2.3.0. Ids of CDRs may have 39 characters, because
 * those of credit CDRs may (R-INV-03).
 */
#include "ocpi/v230/invoice.h"

#include "ocpi/field.h"

/* clang-format off */
static const struct field invoice_record_fields[] = {
    TEXT     (struct ocpi230_invoice_record, country_code,  2, REQUIRED | CASELESS | IDENTITY,
              .text_check = field_country_code),
    TEXT     (struct ocpi230_invoice_record, party_id,      3, REQUIRED | CASELESS | IDENTITY,
              .text_check = field_party_id),
    TEXT     (struct ocpi230_invoice_record, id,           36, REQUIRED | CASELESS | IDENTITY),
    TEXT     (struct ocpi230_invoice_record, invoice_id,  255, REQUIRED | CASELESS),
    TEXT_LIST(struct ocpi230_invoice_record, cdrs,         39, REQUIRED | CASELESS),
    TIME     (struct ocpi230_invoice_record, last_updated,     REQUIRED),
};

const struct object_type ocpi230_invoice_record_type =
    OBJECT_TYPE("InvoiceReconciliationRecord", OCPI_2_3_0, struct ocpi230_invoice_record,
                invoice_record_fields);
/* clang-format on */
