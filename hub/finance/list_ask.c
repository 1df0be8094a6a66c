/* SPDX-License-Identifier: Apache-2.0 */
/* The query parameters of finance lists. */
#include "hub/finance/list_ask.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/time.h"
#include "db/partner.h"
#include "hub/server/http_path.h"
#include "hub/server/http_server.h"

enum { ID_DIGITS = 18, UNKNOWN_TOLD = 8 };

const char *list_given(struct flow *f, const char *name)
{
    const char *text = request_query(f, name);

    return text && *text ? text : NULL;
}

/* One complaint a parameter is enough. */
static void complain_as(struct field_errors *errors, const char *name, const char *code,
                        const char *why)
{
    for (size_t i = 0; i < errors->count; i++)
        if (strcmp(errors->items[i].field, name) == 0)
            return;
    field_errors_add(errors, name, code, why);
}

static void complain(struct flow *f, struct field_errors *errors, const char *name, const char *why)
{
    complain_as(errors, name, arena_printf(f->arena, "%s_invalid", name), why);
}

/* Names that are none of ours; a few of them are enough to tell. */
static void check_unknown(struct flow *f, struct field_errors *errors, const char *const *known)
{
    const char *query = request_of(f)->http->query;

    for (int told = 0; *query && told < UNKNOWN_TOLD;) {
        size_t length = strcspn(query, "=&"), whole = strcspn(query, "&"), i = 0;
        while (known[i] && !(strlen(known[i]) == length && strncmp(known[i], query, length) == 0))
            i++;
        if (!known[i] && whole) {
            field_errors_add(errors, arena_bytes(f->arena, query, length), "unknown_parameter",
                             "this list has no such parameter");
            told++;
        }
        query += whole;
        query += *query == '&';
    }
}

void list_check_names(struct flow *f, struct field_errors *errors, const char *const *known)
{
    check_unknown(f, errors, known);
    for (size_t i = 0; known[i]; i++) {
        const char *value, *why = NULL;
        size_t count = 0;
        if (failed(http_query_find(f->arena, request_of(f)->http->query, known[i], &value, &count)))
            why = "is not well encoded";
        else if (count > 1)
            why = "is given twice";
        else if (count && !*value)
            why = "is empty";
        if (why)
            complain(f, errors, known[i], why);
    }
}

int64_t list_time(struct flow *f, struct field_errors *errors, const char *name)
{
    const char *text = list_given(f, name);
    int64_t us = TIME_NONE;

    if (!text)
        return TIME_NONE;
    const char *whole = strlen(text) == 10 ? arena_printf(f->arena, "%sT00:00:00Z", text) : text;
    if (!time_parse(whole, TIME_RFC3339, &us))
        complain(f, errors, name,
                 "must be a date like 2026-01-31 or a time like 2026-01-31T12:00:00Z");
    return us;
}

void list_period(struct flow *f, struct field_errors *errors, int64_t *ret_from_us,
                 int64_t *ret_to_us)
{
    *ret_from_us = list_time(f, errors, "from");
    *ret_to_us = list_time(f, errors, "to");
    if (*ret_from_us != TIME_NONE && *ret_to_us != TIME_NONE && *ret_to_us < *ret_from_us)
        complain(f, errors, "to", "must not be before from");
}

const char *list_word(struct flow *f, struct field_errors *errors, const char *name,
                      const char *const *words)
{
    const char *text = list_given(f, name);
    struct text t;

    if (!text)
        return NULL;
    for (size_t i = 0; words[i]; i++)
        if (strcmp(words[i], text) == 0)
            return text;
    text_init(&t, f->arena, 1024);
    text_add(&t, "must be ");
    for (size_t i = 0; words[i]; i++) {
        if (i)
            text_add(&t, words[i + 1] ? ", " : " or ");
        text_add(&t, words[i]);
    }
    complain(f, errors, name, t.bytes);
    return NULL;
}

const char *list_month(struct flow *f, struct field_errors *errors)
{
    const char *text = list_given(f, "month");
    int64_t us;

    if (text && strlen(text) == 7 &&
        time_parse(arena_printf(f->arena, "%s-01T00:00:00Z", text), TIME_RFC3339, &us))
        return text;
    complain_as(errors, "month", text ? "month_invalid" : "month_required",
                "must be a month like 2026-01");
    return NULL;
}

int64_t list_network(struct flow *f, struct field_errors *errors)
{
    const char *which = list_given(f, "network");

    if (!which)
        return 0;
    const struct partner *p = partner_named(f, which);
    if (!p)
        complain(f, errors, "network", "no partner has this name or number");
    return p ? p->id : 0;
}

int64_t list_id(const char *text)
{
    size_t length = strlen(text);

    if (!length || length > ID_DIGITS || strspn(text, "0123456789") != length)
        return 0;
    return strtoll(text, NULL, 10);
}
