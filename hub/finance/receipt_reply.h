/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipt reply: a receipt as an answer, in the form that its caller likes best: JSON, a page, on
 * paper, its lines as CSV. For the driver whose it is, and for people of finance.
 *
 * Only the JSON has what changes later (payment_status) or is true of the moment; the page shows it
 * as well; the PDF is the document as it was issued, byte for byte.
 */
#ifndef HUB_FINANCE_RECEIPT_REPLY_H
#define HUB_FINANCE_RECEIPT_REPLY_H

#include <stdbool.h>

#include "base/flow.h"
#include "db/receipt.h"
#include "hub/finance/pdf.h"
#include "hub/finance/receipt_words.h"

enum receipt_form { RECEIPT_JSON, RECEIPT_HTML, RECEIPT_PDF, RECEIPT_CSV };

struct receipt_reply {
    enum receipt_form form;
    enum receipt_language language;
    bool full;    /* JSON with everything, not only what contract 5.6 shows drivers */
    bool finance; /* ... and what is for finance alone; then there is CSV, too */
    struct receipt receipt;
    struct pdf_drawn pdf_;
};

/* Form and language, from the headers; `finance` has been said. ERR_NOT_ACCEPTABLE. */
struct err receipt_reply_read(struct flow *f, struct receipt_reply *r);
/* Once the receipt has been read: whether it has that form. */
struct err receipt_reply_check(struct flow *f, const struct receipt_reply *r);
enum flow_next receipt_reply_draw(struct flow *f, struct receipt_reply *r);
enum flow_next receipt_reply_give(struct flow *f, const struct receipt_reply *r);

#endif
