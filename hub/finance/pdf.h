/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PDF: receipts on paper, drawn by a process of its own (the program receipt-pdf), so that no
 * request waits for a drawing of another.
 *
 * One drawing process per worker; it is started when it is first needed, ended when nothing was
 * asked of it for a minute, replaced when it dies, takes too long or has drawn many. The same
 * document in the same language has the same bytes, always: there is nothing to be kept.
 */
#ifndef HUB_FINANCE_PDF_H
#define HUB_FINANCE_PDF_H

#include <stddef.h>
#include <stdint.h>

#include "base/flow.h"
#include "hub/finance/receipt_words.h"

struct event_base;

/* program NULL: receipt-pdf beside the running program. */
void pdf_open(struct event_base *loop, const char *program);
void pdf_close(void); /* ends the process, and the drawings that still wait for it */

/* A document by its columns and content (receipt_content.h). */
struct pdf_document {
    const char *number;
    int64_t issued_us;
    const char *content;
    enum receipt_language language;
};
struct pdf_drawn {
    const unsigned char *bytes; /* in the flow's arena */
    size_t length;
};

/* ERR_OVERLOADED: too many wait; ERR_DEADLINE: it took too long; ERR_INTERNAL: it cannot be
 * drawn. */
enum flow_next pdf_draw(struct flow *f, const struct pdf_document *d, struct pdf_drawn *ret);

#endif
