/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Print: answers for people's eyes, aligned. What partners wrote cannot steer the terminal:
 * control characters come out as '?'.
 */
#ifndef HUB_CTL_PRINT_H
#define HUB_CTL_PRINT_H

#include <jansson.h>
#include <stddef.h>

struct arena;

/* A value as one word or line: "-" for null and absent, short JSON for lists and objects. */
const char *print_cell(struct arena *a, const json_t *value);

/* Rows with columns as wide as their widest cell; printed by the end. Cells are borrowed. */
struct print_table {
    struct arena *arena;
    size_t columns, rows, capacity;
    const char **cells;
};
void print_table_init(struct print_table *t, struct arena *a, size_t columns);
void print_table_add(struct print_table *t, const char *const *cells);
void print_table_end(const struct print_table *t);

/* An object whole: its plain members line by line, then each object and list under its name. */
void print_document(struct arena *a, json_t *document);

#endif
