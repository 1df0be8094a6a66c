/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receipt as it is laid out: the same blocks of ready texts for paper and for the browser, in one
 * language. What stands where is decided here; how it looks, by receipt_html.c and receipt-pdf.
 * All texts are one line of valid UTF-8 without control characters, also those that turn the
 * direction of writing: names from outside have no say over the layout.
 */
#ifndef HUB_FINANCE_RECEIPT_VIEW_H
#define HUB_FINANCE_RECEIPT_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "hub/finance/receipt_content.h"
#include "hub/finance/receipt_words.h"

/* A receipt with its columns. */
struct receipt_document {
    const struct receipt_content *content;
    const char *number;
    int64_t issued_us;
    /* What may change after the issue; NULL in documents that must not change: */
    const char *payment_status;
    const char *cancelled_by; /* number */
};

struct receipt_fact {
    const char *label, *text;
};
enum { RECEIPT_FACTS_MAX = 16 };
struct receipt_facts {
    struct receipt_fact items[RECEIPT_FACTS_MAX];
    size_t count;
};

enum { RECEIPT_LINE_CELLS = 5, RECEIPT_GROUP_CELLS = 4 };

struct receipt_view {
    enum receipt_language language;
    bool cancellation;
    const char *title;
    const char *warning; /* that it cancels or is cancelled; NULL: neither */
    const char *issuer;
    const char *issuer_lines[RECEIPT_ADDRESS_MAX + 2];
    size_t issuer_line_count;
    const char *buyer_label; /* NULL: not known */
    const char *buyer_lines[RECEIPT_ADDRESS_MAX + 3];
    size_t buyer_line_count;
    struct receipt_facts document; /* number, date, references */
    struct receipt_facts summary;  /* energy, duration, total */
    const char *session_title;
    struct receipt_facts session;
    const char *line_heads[RECEIPT_LINE_CELLS]; /* what, quantity, unit price, VAT, amount */
    const char *(*lines)[RECEIPT_LINE_CELLS];
    size_t line_count;
    const char *line_note; /* with or without VAT */
    struct receipt_facts sums;
    struct receipt_fact total;
    const char *group_heads[RECEIPT_GROUP_CELLS]; /* rate, net, VAT, gross */
    const char *(*groups)[RECEIPT_GROUP_CELLS];
    size_t group_count;
    const char *details_title;
    struct receipt_facts details;
    const char *notes[RECEIPT_NOTES_MAX];
    size_t note_count;
    const char *footer; /* issuer, VAT id, contact in one line */
};

void receipt_view_make(struct arena *a, const struct receipt_document *d, enum receipt_language l,
                       struct receipt_view *ret);

#endif
