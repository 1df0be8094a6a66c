/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV as spreadsheets and programs both read it: RFC 4180, UTF-8, CRLF, decimal point. Texts stand
 * in quotes, and numbers do not: whoever imports quoted cells as text keeps "00123" and "12E5" as
 * they are. A text that a spreadsheet would take for a formula gets a leading ' (it begins with
 * = + - @, tab or CR, after any blanks).
 */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include <stdbool.h>
#include <stddef.h>

struct text;

/* One cell, with its comma unless it is the first of the row. NULL: empty. */
void csv_put_text(struct text *out, bool first, const char *value, size_t length);
/* As it is: a number, a truth, a name of ours in the header. */
void csv_put_plain(struct text *out, bool first, const char *value, size_t length);
void csv_end_row(struct text *out);

#endif
