/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invoice reconciliation records of 2.3.0: which CDRs an invoice covers (R-INV-01). The invoice
 * itself, and its amounts, travel outside OCPI.
 */
#ifndef OCPI_V230_INVOICE_H
#define OCPI_V230_INVOICE_H

#include "ocpi/object.h"

struct ocpi230_invoice_record {
    const char *country_code,
        *party_id; /* who issued the invoice: CPO, or eMSP in reverse billing */
    const char *id;
    const char *invoice_id; /* the number on the invoice */
    TEXT_LIST_OF cdrs;      /* ids of CDRs, of the CPO of the exchange (R-INV-04) */
    int64_t last_updated;
};

extern const struct object_type ocpi230_invoice_record_type;

#endif
