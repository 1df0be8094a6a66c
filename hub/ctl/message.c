/* SPDX-License-Identifier: Apache-2.0 */
/* The message log for people: a list, one message whole, and why one was refused. */
#include "hub/ctl/message.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "hub/ctl/command.h"
#include "hub/ctl/print.h"

enum { QUERY_MAX = 4096, WHY_WIDTH = 60 };

static void add(struct text *t, struct arena *a, const char *name, const char *value)
{
    if (value)
        text_printf(t, "%s%s=%s", t->length ? "&" : "?", name, text_url_encode(a, value));
}

const char *message_list_query(struct arena *a, const struct command_line *line)
{
    struct text t;

    text_init(&t, a, QUERY_MAX);
    add(&t, a, "partner", line->partner);
    add(&t, a, "module", line->module);
    add(&t, a, "object", line->object);
    add(&t, a, "correlation_id", line->correlation);
    add(&t, a, "since", line->since);
    add(&t, a, "until", line->until);
    add(&t, a, "before", line->before);
    add(&t, a, "limit", line->limit);
    add(&t, a, "refused", line->refused ? "true" : NULL);
    return t.bytes ? t.bytes : "";
}

static const char *cell(struct arena *a, const json_t *message, const char *name)
{
    return print_cell(a, json_object_get(message, name));
}

static const char *cut(struct arena *a, const char *text)
{
    size_t length = strlen(text), at = WHY_WIDTH;

    if (length <= WHY_WIDTH)
        return text;
    while (at && ((unsigned char)text[at] & 0xC0) == 0x80)
        at--;
    return arena_printf(a, "%.*s...", (int)at, text);
}

void message_print_list(struct arena *a, json_t *answer)
{
    enum { COLUMNS = 9 };
    static const char *const HEAD[COLUMNS] = {"AT",     "",     "PARTNER", "METHOD", "MODULE",
                                              "OBJECT", "OCPI", "ID",      "WHY"};
    const json_t *items = json_array_of(answer, "items");
    struct print_table table;

    if (!json_array_size(items)) {
        puts("No message fits.");
        return;
    }
    print_table_init(&table, a, COLUMNS);
    print_table_add(&table, HEAD);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *m = json_array_get(items, i);
        const char *row[COLUMNS] = {
            cell(a, m, "at"),          cell(a, m, "direction"), cell(a, m, "partner"),
            cell(a, m, "method"),      cell(a, m, "module"),    cell(a, m, "object_id"),
            cell(a, m, "ocpi_status"), cell(a, m, "id"),        cut(a, cell(a, m, "error"))};
        print_table_add(&table, row);
    }
    print_table_end(&table);
    puts("\n`hubctl message explain ID` says why one was refused.");
}

void message_print(struct arena *a, json_t *answer)
{
    print_document(a, answer);
}

static void line_of(const char *name, const char *value)
{
    printf("  %-9s %s\n", name, value);
}

static void print_losses(struct arena *a, const json_t *losses)
{
    for (size_t i = 0; i < json_array_size(losses); i++) {
        const json_t *loss = json_array_get(losses, i);
        line_of(i ? "" : "Lost", arena_printf(a, "%s (%s): %s", cell(a, loss, "field"),
                                              cell(a, loss, "value"), cell(a, loss, "reason")));
    }
}

static const char *same_of(struct arena *a, const json_t *message)
{
    const json_t *same = json_object_of(message, "same");
    json_int_t count = json_integer_value(json_object_get(same, "count"));

    if (count < 2)
        return "the first time in 30 days";
    return arena_printf(a, "%" JSON_INTEGER_FORMAT " times in 30 days, since %s, last %s", count,
                        cell(a, same, "first_at"), cell(a, same, "last_at"));
}

void message_explain(struct arena *a, json_t *answer)
{
    bool out = strcmp(cell(a, answer, "direction"), "out") == 0;
    const json_t *rule = json_object_of(answer, "rule_text");

    printf("%s  %s  %s %s %s\n", cell(a, answer, "at"), out ? "to" : "from",
           cell(a, answer, "partner"), cell(a, answer, "method"), cell(a, answer, "path"));
    printf("%s HTTP %s, OCPI %s, after %s ms\n\n", out ? "They answered" : "We answered",
           cell(a, answer, "http_status"), cell(a, answer, "ocpi_status"),
           cell(a, answer, "duration_ms"));
    if (!json_is_true(json_object_get(answer, "refused"))) {
        puts("It was not refused.");
        print_losses(a, json_array_of(answer, "losses"));
        return;
    }
    line_of("Why", cell(a, answer, "error"));
    line_of("Where", cell(a, answer, "pointer"));
    line_of("Came", cell(a, answer, "came"));
    line_of("Expected", cell(a, answer, "expected"));
    if (rule) {
        const char *section = json_text_of(rule, "ocpi_section");
        line_of("Rule", arena_printf(a, "%s: %s", cell(a, answer, "rule"), cell(a, rule, "says")));
        line_of("OCPI", section && *section ? cell(a, rule, "ocpi_section")
                                            : "is silent here; this is the hub's own rule");
    }
    line_of("Again", same_of(a, answer));
    print_losses(a, json_array_of(answer, "losses"));
    line_of("Ids", arena_printf(a, "request %s, correlation %s", cell(a, answer, "request_id"),
                                cell(a, answer, "correlation_id")));
}
