/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz: any bytes as the content of a receipt. What is taken is printed to a text that reads back
 * to the same text, and shows as a page without anything that could act.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "hub/finance/receipt_html.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void show(struct arena *a, const struct receipt_content *c, enum receipt_language l)
{
    struct receipt_document document = {.content = c, .number = "FI-1", .cancelled_by = c->network};
    struct receipt_view view;
    struct text page;

    receipt_view_make(a, &document, l, &view);
    text_init(&page, a, RECEIPT_HTML_MAX);
    receipt_html_print(&page, &view);
    if (text_overflowed(&page))
        return;
    assert(text_is_utf8(page.bytes, page.length));
    assert(!strstr(page.bytes, "<script"));
    const char *style = strstr(page.bytes, "<style");
    assert(style && !strstr(style + 1, "<style"));
    for (const char *p = page.bytes; *p; p++)
        assert((unsigned char)*p >= 0x20 || *p == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct arena *a = arena_new(512 << 20);
    struct receipt_content c, again;
    const char *text, *second;
    size_t text_length, second_length;

    if (length < RECEIPT_CONTENT_MAX &&
        !failed(receipt_content_read(a, (const char *)bytes, length, &c)) &&
        !failed(receipt_content_print(a, &c, &text, &text_length))) {
        assert(!failed(receipt_content_read(a, text, text_length, &again)));
        assert(!failed(receipt_content_print(a, &again, &second, &second_length)));
        assert(text_length == second_length && memcmp(text, second, text_length) == 0);
        (void)receipt_content_wrong(&again);
        for (int l = 0; l < RECEIPT_LANGUAGE_COUNT; l++)
            show(a, &again, (enum receipt_language)l);
    }
    arena_free(a);
    return 0;
}
