/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a CDR's document tells beside its price: the place, and signed meter readings. Of any
 * version, read from the document as it came, which has passed its table. Pure.
 */
#ifndef HUB_FINANCE_CDR_TOLD_H
#define HUB_FINANCE_CDR_TOLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct arena;

struct cdr_told {
    const char *name, *address, *postal_code, *city, *country; /* NULL: not told */
    const char *evse_id, *connector_id;
    /* Signed readings; the figures only where their format is one we read (OCMF). */
    bool is_signed;
    bool has_readings;
    int64_t first_mwh, last_mwh;
    const char *signed_url;
    const char *signed_sha256; /* of the member as canonical JSON; NULL: none */
};
struct cdr_told cdr_told(const json_t *document, struct arena *a);

#endif
