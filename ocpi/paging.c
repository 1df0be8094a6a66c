/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paging: the query of a list request, and the headers of its answer (R-TRANS-40..47).
 */
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/headers.h"
#include "ocpi/url.h"

#define OFFSET_MAX INT64_C(1000000000000000)

enum { LINK_MAX = 4096 };

/* Digits only, at most OFFSET_MAX; -1 otherwise. */
static int64_t whole_number(const char *text)
{
    int64_t number = 0;

    if (!text || !*text || strlen(text) > 16)
        return -1;
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9')
            return -1;
        number = number * 10 + (*p - '0');
    }
    return number <= OFFSET_MAX ? number : -1;
}

static struct err read_once(struct arena *a, const char *query, const char *name, char **ret,
                            bool *ret_given)
{
    size_t times;

    *ret = query_value(a, query, name, &times);
    *ret_given = times > 0;
    if (times > 1)
        return err_at(a, ERR_BAD_FIELD, name, "%s is given more than once", name);
    if (times == 1 && !*ret)
        return err_at(a, ERR_BAD_FIELD, name, "%s is badly encoded", name);
    return OK;
}

static struct err read_number(struct arena *a, const char *query, const char *name, int64_t absent,
                              int64_t *ret)
{
    bool given;
    char *text;

    TRY(read_once(a, query, name, &text, &given));
    *ret = given ? whole_number(text) : absent;
    if (*ret < 0)
        return err_at(a, ERR_BAD_FIELD, name, "%s is no whole number from 0 on", name);
    return OK;
}

static struct err read_time(struct arena *a, const char *query, const char *name, int64_t *ret)
{
    bool given;
    char *text;

    *ret = TIME_NONE;
    TRY(read_once(a, query, name, &text, &given));
    if (given && !time_parse(text, TIME_OCPI, ret))
        return err_at(a, ERR_BAD_FIELD, name, "%s is no time in UTC such as 2026-01-31T08:00:00Z",
                      name);
    return OK;
}

struct err paging_read(struct arena *a, const char *query, int64_t max_limit,
                       bool date_from_required, struct paging *ret)
{
    struct paging p;

    TRY(read_number(a, query, "offset", 0, &p.offset));
    TRY(read_number(a, query, "limit", max_limit, &p.limit));
    TRY(read_time(a, query, "date_from", &p.date_from_us));
    TRY(read_time(a, query, "date_to", &p.date_to_us));
    if (p.limit > max_limit)
        p.limit = max_limit;
    if (date_from_required && p.date_from_us == TIME_NONE)
        return err_at(a, ERR_BAD_FIELD, "date_from", "date_from is required here");
    if (p.date_from_us != TIME_NONE && p.date_to_us != TIME_NONE && p.date_to_us < p.date_from_us)
        return err_at(a, ERR_BAD_FIELD, "date_to", "date_to is before date_from");
    *ret = p;
    return OK;
}

static bool is_parameter(const char *pair, size_t length, const char *name)
{
    size_t name_length = strlen(name);

    return length >= name_length && strncmp(pair, name, name_length) == 0 &&
           (length == name_length || pair[name_length] == '=');
}

/* Header-safe: what is not printable ASCII was not sent by an honest client. */
static bool is_safe(const char *pair, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (pair[i] <= ' ' || pair[i] >= 0x7f || strchr("<>\"", pair[i]))
            return false;
    }
    return true;
}

char *paging_link(struct arena *a, const char *endpoint_url, const char *query,
                  const struct paging *page, int64_t total_count)
{
    int64_t next = page->offset + page->limit;
    struct text url;

    if (page->limit <= 0 || next >= total_count)
        return NULL;
    text_init(&url, a, LINK_MAX);
    text_printf(&url, "%s?offset=%lld&limit=%lld", endpoint_url, (long long)next,
                (long long)page->limit);
    for (const char *p = query ? query : ""; *p;) {
        size_t length = strcspn(p, "&");

        if (length > 0 && !is_parameter(p, length, "offset") && !is_parameter(p, length, "limit")) {
            if (!is_safe(p, length))
                return NULL;
            text_add(&url, "&");
            text_add_bytes(&url, p, length);
        }
        p += length;
        p += *p == '&';
    }
    if (text_overflowed(&url) || url.length > URL_MAX)
        return NULL;
    return arena_printf(a, "<%s>; rel=\"next\"", url.bytes);
}

/* --- reading a partner's Link header --- */

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* One word of a list of relation types. */
static bool has_next(const char *value, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t word = 0;

        while (i + word < length && value[i + word] != ' ' && value[i + word] != '\t')
            word++;
        if (word == 4 && strncasecmp(value + i, "next", 4) == 0)
            return true;
        i += word ? word : 1;
    }
    return false;
}

/* The end of one ";name=value" parameter that begins at p; *ret_next tells whether it is rel=next.
 */
static const char *skip_parameter(const char *p, bool *ret_next)
{
    size_t name_length = strcspn(p, "=;, \t");
    bool is_rel = name_length == 3 && strncasecmp(p, "rel", 3) == 0;
    const char *value;
    size_t length;

    p = skip_blanks(p + name_length);
    if (*p != '=')
        return p;
    p = skip_blanks(p + 1);
    if (*p == '"') {
        value = p + 1;
        length = strcspn(value, "\"");
        p = value + length;
        p += *p == '"';
    } else {
        value = p;
        length = strcspn(value, ";, \t");
        p = value + length;
    }
    if (is_rel)
        *ret_next = *ret_next || has_next(value, length);
    return p;
}

char *link_next(struct arena *a, const char *header)
{
    for (const char *p = header ? header : ""; *p;) {
        const char *target, *end;
        bool next = false;

        p = strchr(p, '<');
        if (!p)
            return NULL;
        target = p + 1;
        end = strchr(target, '>');
        if (!end)
            return NULL;
        for (p = skip_blanks(end + 1); *p == ';'; p = skip_blanks(p))
            p = skip_parameter(skip_blanks(p + 1), &next);
        if (next && end > target)
            return arena_bytes(a, target, (size_t)(end - target));
        p += strcspn(p, "<");
    }
    return NULL;
}

int64_t header_count(const char *value)
{
    return whole_number(value);
}
