/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page: a receipt on paper. As many pages as it needs; the heading of the table is repeated, and
 * each page says which one of how many it is.
 */
#ifndef HUB_RECEIPT_PDF_PAGE_H
#define HUB_RECEIPT_PDF_PAGE_H

#include <stddef.h>

#include "hub/finance/receipt_view.h"

/* NULL, or what went wrong. created: ISO 8601. */
const char *page_draw(struct arena *a, const struct receipt_view *v, const char *created,
                      size_t bytes_max, const unsigned char **ret_bytes, size_t *ret_length);

#endif
