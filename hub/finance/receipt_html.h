/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receipt for the browser: one page of HTML that is also well-formed XML, with its style inside
 * and nothing fetched from anywhere. Names come from networks and users: they are shown, never
 * obeyed.
 */
#ifndef HUB_FINANCE_RECEIPT_HTML_H
#define HUB_FINANCE_RECEIPT_HTML_H

#include "hub/finance/receipt_view.h"

struct text;

enum { RECEIPT_HTML_MAX = 1024 * 1024 };

void receipt_html_print(struct text *out, const struct receipt_view *v);

/* What the page needs of its browser, for Content-Security-Policy: its own style, nothing else. */
#define RECEIPT_HTML_POLICY                                                                        \
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "         \
    "frame-ancestors 'none'"

#endif
