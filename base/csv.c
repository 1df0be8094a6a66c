/* SPDX-License-Identifier: Apache-2.0 */
/* CSV: cells and rows. */
#include "base/csv.h"

#include <string.h>

#include "base/text.h"

static void begin_cell(struct text *out, bool first)
{
    if (!first)
        text_add(out, ",");
}

void csv_put_plain(struct text *out, bool first, const char *value, size_t length)
{
    begin_cell(out, first);
    if (value)
        text_add_bytes(out, value, length);
}

/* A blank before it does not help: some programs skip blanks. */
static bool looks_like_formula(const char *value, size_t length)
{
    size_t i = 0;

    while (i < length && value[i] == ' ')
        i++;
    return i < length && memchr("=+-@\t\r", value[i], 6) != NULL;
}

void csv_put_text(struct text *out, bool first, const char *value, size_t length)
{
    begin_cell(out, first);
    if (!value)
        return;
    text_add(out, looks_like_formula(value, length) ? "\"'" : "\"");
    /* NULs are left out: no reader takes them. */
    for (size_t i = 0; i < length; i++) {
        if (value[i] == '"')
            text_add(out, "\"\"");
        else if (value[i])
            text_add_bytes(out, value + i, 1);
    }
    text_add(out, "\"");
}

void csv_end_row(struct text *out)
{
    text_add(out, "\r\n");
}
