/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sheet: A4 pages in a PDF, and text on them. Points, from the upper left corner.
 *
 * The same calls on the same texts give the same bytes: fonts come from a list of our own and not
 * from what else the machine has, nothing is hinted, and the date is the one that was given.
 */
#ifndef HUB_RECEIPT_PDF_SHEET_H
#define HUB_RECEIPT_PDF_SHEET_H

#include <stdbool.h>
#include <stddef.h>

/* Points of layout are fractions; nothing that is an amount is ever held in one. */
#define SHEET_WIDTH 595.28
#define SHEET_HEIGHT 841.89

struct arena;
struct sheet;

enum sheet_align { SHEET_LEFT, SHEET_RIGHT };

struct sheet_colour {
    double red, green, blue;
};

struct sheet_style {
    double size;
    bool bold;
    enum sheet_align align;
    struct sheet_colour colour;
    int lines_max; /* 0: 12; what does not fit ends in an ellipsis */
};

struct sheet_facts {
    const char *title, *author, *created; /* created: ISO 8601 */
};

/* Once per process. NULL, or why there are no fonts. */
const char *sheet_fonts_open(void);

struct sheet *sheet_new(struct arena *a, const struct sheet_facts *facts, size_t bytes_max);
/* Draws in a box; returns its height. */
double sheet_text(struct sheet *s, double x, double y, double width,
                  const struct sheet_style *style, const char *text);
/* The height it would have. */
double sheet_text_height(struct sheet *s, double width, const struct sheet_style *style,
                         const char *text);
void sheet_box(struct sheet *s, double x, double y, double width, double height,
               struct sheet_colour colour);
void sheet_next_page(struct sheet *s);
/* Ends the document; the bytes live in the arena. NULL, or what went wrong. Frees the sheet. */
const char *sheet_done(struct sheet *s, const unsigned char **ret_bytes, size_t *ret_length);

#endif
