/* SPDX-License-Identifier: Apache-2.0 */
/* Print: cells, tables, documents. */
#include "hub/ctl/print.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"

enum { CELL_MAX = 100, COLUMNS_MAX = 24, GAP = 2 };

/* ---- cells ---- */

/* C0, DEL, and C1 as UTF-8 writes it: what terminals obey. */
static char *harmless(struct arena *a, const char *s)
{
    char *copy = arena_text(a, s);

    for (unsigned char *c = (unsigned char *)copy; *c; c++) {
        if (*c < ' ' || *c == 0x7f)
            *c = '?';
        else if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
            c[0] = c[1] = '?';
    }
    return copy;
}

const char *print_cell(struct arena *a, const json_t *value)
{
    size_t length;

    if (!value || json_is_null(value))
        return "-";
    if (json_is_string(value))
        return harmless(a, json_string_value(value));
    if (json_is_boolean(value))
        return json_is_true(value) ? "yes" : "no";
    if (!json_is_array(value) && !json_is_object(value))
        return json_text(a, value, &length);
    char *text = harmless(a, json_text(a, value, &length));
    if (length <= CELL_MAX)
        return text;
    size_t end = CELL_MAX - 3;
    while (((unsigned char)text[end] & 0xc0) == 0x80) /* not inside a character */
        end--;
    return arena_printf(a, "%.*s...", (int)end, text);
}

/* ---- tables ---- */

void print_table_init(struct print_table *t, struct arena *a, size_t columns)
{
    *t = (struct print_table){.arena = a, .columns = columns};
}

void print_table_add(struct print_table *t, const char *const *cells)
{
    if (t->rows == t->capacity) {
        size_t more = t->capacity ? 2 * t->capacity : 16;
        const char **bigger = arena_alloc(t->arena, more * t->columns * sizeof *bigger);
        if (t->rows)
            memcpy(bigger, t->cells, t->rows * t->columns * sizeof *bigger);
        t->cells = bigger;
        t->capacity = more;
    }
    memcpy(t->cells + t->rows++ * t->columns, cells, t->columns * sizeof *cells);
}

static void print_row(const struct print_table *t, size_t row, const size_t *widths)
{
    for (size_t c = 0; c < t->columns; c++) {
        const char *cell = t->cells[row * t->columns + c];
        bool last = c + 1 == t->columns;
        size_t blanks = last ? 0 : widths[c] + GAP - text_utf8_count(cell);
        printf("%s%*s", cell, (int)blanks, "");
    }
    putchar('\n');
}

void print_table_end(const struct print_table *t)
{
    size_t *widths = arena_alloc(t->arena, (t->columns + 1) * sizeof *widths);

    for (size_t i = 0; i < t->rows * t->columns; i++) {
        size_t width = text_utf8_count(t->cells[i]);
        if (width > widths[i % t->columns])
            widths[i % t->columns] = width;
    }
    for (size_t row = 0; row < t->rows; row++)
        print_row(t, row, widths);
}

/* ---- documents ---- */

static bool is_nested(const json_t *value)
{
    return json_is_object(value) || json_is_array(value);
}

/* Members without a value are left out: most of a session's are, most of the time. */
static void print_members(struct arena *a, json_t *object, bool nested_too)
{
    struct print_table t;
    const char *name;
    json_t *value;

    print_table_init(&t, a, 2);
    json_object_foreach(object, name, value)
    {
        if (json_is_null(value) || (is_nested(value) && !nested_too))
            continue;
        print_table_add(&t, (const char *[]){harmless(a, name), print_cell(a, value)});
    }
    print_table_end(&t);
}

/* What is shown first, in this order; and the columns worth a line on a screen, of lists whose
 * items have many more (NULL: all). The database gives members in an order of its own. */
static const struct part {
    const char *name, *columns;
} parts[] = {
    {"session", NULL},
    {"events", "seq at from from_state to to_state substatus cause by"},
    {"operations", "id kind state outcome attempts created_at sent_at finished_at"},
    {"network_session", NULL},
    {"cdrs", "cdr_id credit currency received_at accepted_at"},
    {"receipts", "number revision kind energy_mwh amount_minor currency issued_at"},
    {"cases", NULL},
    {"roles", "country_code party_id role name"},
    {"endpoints", "module role url"},
};

enum { PARTS = sizeof parts / sizeof *parts };

static const struct part *part_of(const char *name)
{
    for (size_t i = 0; i < PARTS; i++)
        if (strcmp(name, parts[i].name) == 0)
            return &parts[i];
    return NULL;
}

static bool has_value(const json_t *items, const char *name)
{
    size_t i;
    json_t *item;

    json_array_foreach(items, i, item)
    {
        const json_t *value = json_object_get(item, name);
        if (value && !json_is_null(value) && !is_nested(value))
            return true;
    }
    return false;
}

static size_t wanted_columns(struct arena *a, const json_t *items, const char *wanted,
                             const char **ret)
{
    size_t count = 0;

    while (*wanted && count < COLUMNS_MAX) {
        size_t length = strcspn(wanted, " ");
        const char *name = arena_bytes(a, wanted, length);
        if (has_value(items, name))
            ret[count++] = name;
        wanted += length + (wanted[length] == ' ');
    }
    return count;
}

/* Names of the items' plain members that have a value in some item, in the order they come. */
static size_t all_columns(const json_t *items, const char **ret)
{
    size_t count = 0, i;
    const char *name;
    json_t *item, *value;

    json_array_foreach(items, i, item)
    {
        json_object_foreach(item, name, value)
        {
            bool known = false;
            for (size_t c = 0; c < count && !known; c++)
                known = strcmp(ret[c], name) == 0;
            if (!known && count < COLUMNS_MAX && has_value(items, name))
                ret[count++] = name;
        }
    }
    return count;
}

static void print_list(struct arena *a, const char *list, json_t *items)
{
    const char *names[COLUMNS_MAX], *row[COLUMNS_MAX];
    struct print_table t;
    size_t i;
    json_t *item;

    const struct part *part = part_of(list);
    size_t count = part && part->columns ? wanted_columns(a, items, part->columns, names) : 0;
    if (!count)
        count = all_columns(items, names);
    print_table_init(&t, a, count);
    for (size_t c = 0; c < count; c++)
        row[c] = harmless(a, names[c]);
    print_table_add(&t, row);
    json_array_foreach(items, i, item)
    {
        for (size_t c = 0; c < count; c++)
            row[c] = print_cell(a, json_object_get(item, names[c]));
        print_table_add(&t, row);
    }
    print_table_end(&t);
}

static void print_part(struct arena *a, const char *name, json_t *value, bool *first)
{
    bool empty = json_is_array(value) ? !json_array_size(value) : !json_object_size(value);

    if (!is_nested(value))
        return;
    printf("%s%s%s\n", *first ? "" : "\n", harmless(a, name), empty ? ": none" : "");
    *first = false;
    if (json_is_object(value))
        print_members(a, value, true);
    else if (json_is_object(json_array_get(value, 0)))
        print_list(a, name, value);
    else if (!empty)
        puts(print_cell(a, value));
}

void print_document(struct arena *a, json_t *document)
{
    const char *name;
    json_t *value;
    bool first = true;

    json_object_foreach(document, name, value)
    {
        if (!is_nested(value) && !json_is_null(value))
            first = false;
    }
    print_members(a, document, false);
    for (size_t i = 0; i < PARTS; i++)
        print_part(a, parts[i].name, json_object_get(document, parts[i].name), &first);
    json_object_foreach(document, name, value)
    {
        if (!part_of(name))
            print_part(a, name, value, &first);
    }
}
