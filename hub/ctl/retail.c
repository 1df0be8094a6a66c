/* SPDX-License-Identifier: Apache-2.0 */
/* Retail commands: tariffs for users, VAT, groups of users, lint of the networks' tariffs. */
#include "hub/ctl/retail.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "hub/ctl/print.h"

enum { BODY_MAX = 4096, FILE_MAX = 60 * 1024 };

static const char *cell(struct arena *a, const json_t *object, const char *member)
{
    return print_cell(a, json_object_get(object, member));
}

/* An object of those members that have a value: name, value, ..., NULL. */
static const char *body_of(struct arena *a, const char *const *members)
{
    struct text t;

    text_init(&t, a, BODY_MAX);
    json_begin_object(&t, NULL);
    for (; members[0]; members += 2)
        if (members[1])
            json_put_text(&t, members[0], members[1]);
    json_end_object(&t);
    return t.bytes;
}

/* ---- retail tariffs ---- */

const char *retail_file(struct arena *a, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "re");
    char *bytes = arena_alloc(a, FILE_MAX + 2);
    size_t length = file ? fread(bytes, 1, FILE_MAX + 1, file) : 0;
    bool good = file && !ferror(file);

    if (file && !standard)
        fclose(file);
    if (!good)
        fprintf(stderr, "hubctl: the file %s cannot be read\n", path);
    else if (length > FILE_MAX || strlen(bytes) != length)
        fprintf(stderr, "hubctl: the file %s is no JSON document of 60 KiB at most\n", path);
    else
        return bytes;
    return NULL;
}

const char *retail_show_query(struct arena *a, const struct command_line *line)
{
    return line->version ? arena_printf(a, "?version=%s", text_url_encode(a, line->version)) : "";
}

const char *retail_withdraw_body(struct arena *a, const struct command_line *line)
{
    return body_of(a, (const char *[]){"version", line->version, NULL});
}

void retail_print(struct arena *a, json_t *answer)
{
    bool now = json_is_true(json_object_get(answer, "published_now"));

    printf("Retail tariff %s, version %s, is published%s.\n", cell(a, answer, "id"),
           cell(a, answer, "version"), now ? "" : " already");
}

void retail_print_list(struct arena *a, json_t *answer)
{
    enum { COLUMNS = 10 };
    static const char *const HEAD[COLUMNS] = {"ID",  "VERSION", "MODE",    "STATE", "CURRENCY",
                                              "VAT", "KWH",     "SESSION", "USED",  "FOR"};
    const json_t *items = json_array_of(answer, "items");
    struct print_table table;

    if (!json_array_size(items)) {
        puts("There is no retail tariff: users pay what the networks charge. `hubctl retail "
             "publish` makes one.");
        return;
    }
    print_table_init(&table, a, COLUMNS);
    print_table_add(&table, HEAD);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *t = json_array_get(items, i), *d = json_object_of(t, "document");

        print_table_add(&table, (const char *[]){
                                    cell(a, t, "id"),
                                    cell(a, t, "version"),
                                    cell(a, t, "mode"),
                                    cell(a, t, "state"),
                                    cell(a, d, "currency"),
                                    cell(a, d, "vat"),
                                    cell(a, d, "kwh_price"),
                                    cell(a, d, "session_price"),
                                    cell(a, t, "used"),
                                    cell(a, d, "selector"),
                                });
    }
    print_table_end(&table);
}

void retail_print_whole(struct arena *a, json_t *answer)
{
    const json_t *items = json_array_of(answer, "items");

    for (size_t i = 0; i < json_array_size(items); i++) {
        if (i)
            puts("");
        print_document(a, json_array_get(items, i));
    }
}

/* ---- VAT ---- */

const char *vat_set_body(struct arena *a, const struct command_line *line)
{
    return body_of(a, (const char *[]){"rate", line->rate, "valid_from", line->since, "valid_until",
                                       line->until, "buyer", line->buyer, "vat_id", line->vat_id,
                                       "currency", line->currency, NULL});
}

const char *vat_list_query(struct arena *a, const struct command_line *line)
{
    return line->country ? arena_printf(a, "?country=%s", text_url_encode(a, line->country)) : "";
}

void vat_print(struct arena *a, json_t *answer)
{
    enum { RATES = 5, PROFILES = 3 };
    static const char *const RATE_HEAD[RATES] = {"COUNTRY", "BUYER", "RATE", "FROM", "UNTIL"};
    static const char *const PROFILE_HEAD[PROFILES] = {"COUNTRY", "VAT NUMBER", "CURRENCY"};
    const json_t *rates = json_array_of(answer, "items");
    const json_t *profiles = json_array_of(answer, "profiles");
    struct print_table table;

    print_table_init(&table, a, RATES);
    print_table_add(&table, RATE_HEAD);
    for (size_t i = 0; i < json_array_size(rates); i++) {
        const json_t *r = json_array_get(rates, i);

        print_table_add(&table, (const char *[]){cell(a, r, "country"), cell(a, r, "buyer"),
                                                 cell(a, r, "rate"), cell(a, r, "valid_from"),
                                                 cell(a, r, "valid_until")});
    }
    if (json_array_size(rates))
        print_table_end(&table);
    else
        puts("No VAT rate is known. `hubctl vat set COUNTRY --rate 19` tells one.");
    if (!json_array_size(profiles)) {
        puts("\nThe hub is registered nowhere: no retail tariff can be published. `hubctl vat set "
             "COUNTRY --vat-id NUMBER`.");
        return;
    }
    puts("");
    print_table_init(&table, a, PROFILES);
    print_table_add(&table, PROFILE_HEAD);
    for (size_t i = 0; i < json_array_size(profiles); i++) {
        const json_t *p = json_array_get(profiles, i);

        print_table_add(&table, (const char *[]){cell(a, p, "country"), cell(a, p, "vat_id"),
                                                 cell(a, p, "currency")});
    }
    print_table_end(&table);
}

/* ---- groups ---- */

const char *group_set_body(struct arena *a, const struct command_line *line)
{
    return body_of(
        a, (const char *[]){"credit_limit", line->credit_limit, "currency", line->currency, NULL});
}

const char *group_add_body(struct arena *a, const struct command_line *line)
{
    return body_of(a, (const char *[]){"user_id", line->second, NULL});
}

const char *group_remove_query(struct arena *a, const struct command_line *line)
{
    return arena_printf(a, "?user_id=%s", text_url_encode(a, line->second));
}

void group_print(struct arena *a, json_t *answer)
{
    enum { COLUMNS = 4 };
    static const char *const HEAD[COLUMNS] = {"NAME", "CREDIT LIMIT", "CURRENCY", "USERS"};
    const json_t *items = json_array_of(answer, "items");
    struct print_table table;

    if (!json_array_size(items)) {
        puts("There is no group of users. `hubctl group set` makes one.");
        return;
    }
    print_table_init(&table, a, COLUMNS);
    print_table_add(&table, HEAD);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *g = json_array_get(items, i);

        print_table_add(&table, (const char *[]){cell(a, g, "name"), cell(a, g, "credit_limit"),
                                                 cell(a, g, "currency"), cell(a, g, "members")});
    }
    print_table_end(&table);
}

/* ---- lint ---- */

const char *lint_query(struct arena *a, const struct command_line *line)
{
    return arena_printf(a, "?held=%s&partner=%s", line->held ? "true" : "false",
                        line->partner ? text_url_encode(a, line->partner) : "");
}

const char *lint_approve_body(struct arena *a, const struct command_line *line)
{
    return body_of(a, (const char *[]){"version", line->second, NULL});
}

static void print_findings(struct arena *a, const json_t *t)
{
    const json_t *findings = json_array_of(t, "findings");

    printf("%s %s (number %s, version %s)%s\n", cell(a, t, "owner"), cell(a, t, "tariff_id"),
           cell(a, t, "tariff"), cell(a, t, "version"),
           json_is_true(json_object_get(t, "held")) ? ": HELD" : "");
    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *f = json_array_get(findings, i);

        printf("  %-4s %s: %s (%s)\n", cell(a, f, "severity"), cell(a, f, "path"),
               cell(a, f, "text"), cell(a, f, "name"));
    }
}

void lint_print(struct arena *a, json_t *answer)
{
    const json_t *items = json_array_of(answer, "items");
    const json_t *unknown = json_array_of(answer, "unknown");
    json_int_t waiting = json_integer_value(json_object_get(answer, "waiting"));

    for (size_t i = 0; i < json_array_size(items); i++)
        print_findings(a, json_array_get(items, i));
    for (size_t i = 0; i < json_array_size(unknown); i++) {
        const json_t *u = json_array_get(unknown, i);

        printf("%s %s\n  warn named by %s EVSEs, such as %s, but the network has not sent it "
               "(tariff_unknown)\n",
               cell(a, u, "owner"), cell(a, u, "tariff_id"), cell(a, u, "evses"),
               cell(a, u, "for_example"));
    }
    if (!json_array_size(items) && !json_array_size(unknown))
        puts("Nothing is odd about the networks' tariffs.");
    if (waiting)
        printf("%lld are still to be looked at.\n", (long long)waiting);
}
