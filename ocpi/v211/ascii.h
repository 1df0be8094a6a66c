/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ASCII: texts for 2.1.1, whose `string` knows nothing else (R-TYPE-02).
 */
#ifndef OCPI_V211_ASCII_H
#define OCPI_V211_ASCII_H

#include <stddef.h>

struct arena;

/* The UTF-8 text in printable ASCII: Latin letters lose their marks ("Zürich": "Zurich"), the usual
 * dashes and quotes become plain ones, everything else "?". A letter that becomes two ("Straße":
 * "Strasse") becomes one where the text would be longer than `limit` characters otherwise (0: no
 * limit). The text itself where nothing changes. */
const char *ascii_of(struct arena *a, const char *text, size_t limit);

#endif
