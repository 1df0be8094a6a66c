/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accept and Accept-Language. Weights are whole thousandths. Other parameters of a media type count
 * for nothing, since we have no type in two kinds: "application/json; charset=utf-8" is our JSON.
 */
#include "hub/server/http_accept.h"

#include <stdbool.h>
#include <string.h>

enum { WEIGHT_WHOLE = 1000, NOT_NAMED = -1, PRECISION_MAX = 64 };

/* One element of the list: "text/html;level=1;q=0.5". */
struct range {
    const char *name;
    size_t length;
    int weight;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_token(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t token(const char *s)
{
    size_t n = 0;

    while (is_token(s[n]))
        n++;
    return n;
}

static const char *skip_space(const char *s)
{
    return s + strspn(s, " \t");
}

/* "0.805": at most three decimals, at most 1. Returns its end, or NULL. */
static const char *take_weight(const char *s, int *ret)
{
    int weight = 0, place = WEIGHT_WHOLE / 10;

    if (*s != '0' && *s != '1')
        return NULL;
    weight = *s++ == '1' ? WEIGHT_WHOLE : 0;
    if (*s == '.')
        for (s++; *s >= '0' && *s <= '9'; s++, place /= 10) {
            if (!place)
                return NULL;
            weight += (*s - '0') * place;
        }
    *ret = weight;
    return weight > WEIGHT_WHOLE ? NULL : s;
}

/* The value of a parameter; its end, or NULL. */
static const char *skip_value(const char *s)
{
    if (*s != '"') {
        size_t n = token(s);
        return n ? s + n : NULL;
    }
    for (s++; *s && *s != '"'; s++)
        if (*s == '\\' && s[1])
            s++;
    return *s ? s + 1 : NULL;
}

static const char *take_parameters(const char *s, struct range *r)
{
    for (;;) {
        s = skip_space(s);
        if (*s != ';')
            return s;
        s = skip_space(s + 1);
        size_t n = token(s);
        if (!n) /* "text/html;" is tolerated */
            continue;
        bool is_weight = n == 1 && lower(*s) == 'q';
        s += n;
        if (*s != '=')
            return NULL;
        s = is_weight ? take_weight(s + 1, &r->weight) : skip_value(s + 1);
        if (!s)
            return NULL;
    }
}

/* The comma that ends the element, outside of quotes, or the end of the text. */
static const char *skip_element(const char *s)
{
    bool quoted = false;

    for (; *s && (quoted || *s != ','); s++) {
        if (*s == '"')
            quoted = !quoted;
        else if (quoted && *s == '\\' && s[1])
            s++;
    }
    return s;
}

/* The next good element from *at on; false at the end. */
static bool take_range(const char **at, bool media, struct range *ret)
{
    for (;;) {
        const char *s = *at + strspn(*at, " \t,"), *end = skip_element(s);
        struct range r = {.name = s, .weight = WEIGHT_WHOLE};
        if (!*s)
            return false;
        *at = end;
        size_t n = token(s);
        bool good = n;
        if (media) {
            size_t sub = s[n] == '/' ? token(s + n + 1) : 0;
            good = n && sub;
            n += 1 + sub;
        }
        if (!good)
            continue;
        r.length = n;
        if (take_parameters(s + n, &r) != end)
            continue;
        *ret = r;
        return true;
    }
}

static bool same(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

/* How precisely the range names what is offered; NOT_NAMED: it does not. */
static int type_named(const struct range *r, const char *offered)
{
    const char *slash = strchr(offered, '/');
    size_t type = slash ? (size_t)(slash - offered) + 1 : 0;

    if (r->length == strlen(offered) && same(r->name, offered, r->length))
        return 2;
    if (r->length == type + 1 && r->name[type] == '*' && same(r->name, offered, type))
        return 1;
    return r->length == 3 && memcmp(r->name, "*/*", 3) == 0 ? 0 : NOT_NAMED;
}

static int language_named(const struct range *r, const char *offered)
{
    size_t length = strlen(offered);

    if (r->length == 1 && *r->name == '*')
        return 0;
    if (r->length < length || !same(r->name, offered, length))
        return NOT_NAMED;
    if (r->length == length)
        return PRECISION_MAX;
    return r->name[length] == '-' ? 1 : NOT_NAMED;
}

static int pick(const char *header, bool media,
                int (*named)(const struct range *r, const char *offered),
                const char *const *offered, size_t count, bool *ret_any)
{
    int best = HTTP_ACCEPT_NONE, best_weight = 0;

    *ret_any = false;
    for (size_t i = 0; i < count; i++) {
        int precision = NOT_NAMED, weight = 0;
        const char *at = header;
        struct range r;
        while (take_range(&at, media, &r)) {
            int p = named(&r, offered[i]);
            *ret_any = true;
            /* "de-AT;q=0.9, de-CH;q=0.8": of equally precise ones the kindest counts. */
            if (p > precision || (p == precision && p != NOT_NAMED && r.weight > weight)) {
                precision = p;
                weight = r.weight;
            }
        }
        if (weight > best_weight) {
            best_weight = weight;
            best = (int)i;
        }
    }
    return best;
}

int http_accept_type(const char *header, const char *const *offered, size_t count)
{
    bool any = false;
    int best = header ? pick(header, true, type_named, offered, count, &any) : HTTP_ACCEPT_NONE;

    return any ? best : 0;
}

int http_accept_language(const char *header, const char *const *offered, size_t count)
{
    bool any;

    return header ? pick(header, false, language_named, offered, count, &any) : HTTP_ACCEPT_NONE;
}
