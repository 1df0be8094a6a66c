/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs: taking apart and joining.
 */
#include "ocpi/url.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/text.h"

enum { HOST_MAX = 253, JOINED_MAX = 64 * 1024 };

/* The parts of a URL as they stand in its text. */
struct parts {
    bool tls;
    const char *host;
    size_t host_length;
    unsigned port;
    const char *rest;
    size_t rest_length;
};

static bool read_port(const char *text, size_t length, unsigned *ret)
{
    unsigned port = 0;

    if (length == 0 || length > 5)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    *ret = port;
    return port > 0 && port <= 65535;
}

static bool is_host(const char *host, size_t length)
{
    static const char *const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                          "0123456789-._";

    if (length == 0 || length > HOST_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!strchr(characters, host[i]))
            return false;
    }
    return true;
}

static bool is_ipv6(const char *host, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!strchr("0123456789abcdefABCDEF:.", host[i]))
            return false;
    }
    return length >= 2;
}

/* "host", "host:port", "[::1]", "[::1]:port" */
static bool split_authority(const char *text, size_t length, struct parts *p)
{
    const char *port = NULL, *end = text + length, *after;

    if (length > 0 && *text == '[') {
        after = memchr(text, ']', length);
        if (!after || !is_ipv6(text + 1, (size_t)(after - text - 1)))
            return false;
        p->host = text + 1;
        p->host_length = (size_t)(after - text - 1);
        after++;
        if (after != end && *after != ':')
            return false;
        port = after != end ? after + 1 : NULL;
    } else {
        const char *colon = memchr(text, ':', length);

        p->host = text;
        p->host_length = colon ? (size_t)(colon - text) : length;
        if (!is_host(p->host, p->host_length))
            return false;
        port = colon ? colon + 1 : NULL;
    }
    p->port = p->tls ? 443 : 80;
    return !port || read_port(port, (size_t)(end - port), &p->port);
}

static bool split(const char *text, struct parts *p)
{
    const char *authority;
    size_t length;

    *p = (struct parts){0};
    for (const char *c = text; *c; c++) {
        if (*c <= ' ' || *c == 0x7f || *c == '\\')
            return false;
    }
    if (strncasecmp(text, "https://", 8) == 0) {
        p->tls = true;
        authority = text + 8;
    } else if (strncasecmp(text, "http://", 7) == 0) {
        authority = text + 7;
    } else {
        return false;
    }
    length = strcspn(authority, "/?#");
    p->rest = authority + length;
    p->rest_length = strcspn(p->rest, "#");
    return split_authority(authority, length, p);
}

bool url_parse(struct arena *a, const char *text, struct url *ret)
{
    struct parts p;
    char *host;

    if (!text || !split(text, &p))
        return false;
    host = arena_bytes(a, p.host, p.host_length);
    text_to_lower(host);
    *ret = (struct url){
        .tls = p.tls,
        .host = host,
        .port = p.port,
        .rest = arena_bytes(a, p.rest, p.rest_length),
    };
    return true;
}

bool url_callable(const char *text)
{
    struct parts p;

    return text && split(text, &p);
}

bool url_same_origin(const struct url *a, const struct url *b)
{
    return a->tls == b->tls && a->port == b->port && strcmp(a->host, b->host) == 0;
}

char *url_join(struct arena *a, const char *base, ...)
{
    size_t path = strcspn(base, "?");
    const char *segment;
    struct text t;
    va_list args;

    text_init(&t, a, JOINED_MAX);
    text_add_bytes(&t, base, path);
    va_start(args, base);
    while ((segment = va_arg(args, const char *))) {
        if (t.length == 0 || t.bytes[t.length - 1] != '/')
            text_add(&t, "/");
        text_add(&t, text_url_encode(a, segment));
    }
    va_end(args);
    text_add(&t, base + path);
    return t.bytes;
}

char *url_query(struct arena *a, const char *url, ...)
{
    bool has_query = strchr(url, '?') != NULL;
    const char *name, *value;
    struct text t;
    va_list args;

    text_init(&t, a, JOINED_MAX);
    text_add(&t, url);
    va_start(args, url);
    while ((name = va_arg(args, const char *))) {
        value = va_arg(args, const char *);
        if (!value)
            continue;
        text_add(&t, has_query ? "&" : "?");
        text_add(&t, text_url_encode(a, name));
        text_add(&t, "=");
        text_add(&t, text_url_encode(a, value));
        has_query = true;
    }
    va_end(args);
    return t.bytes;
}

char *query_value(struct arena *a, const char *query, const char *name, size_t *ret_times)
{
    size_t name_length = strlen(name), times = 0;
    const char *first = NULL;
    size_t first_length = 0;

    for (const char *p = query ? query : ""; *p;) {
        size_t length = strcspn(p, "&");

        if (length >= name_length && strncmp(p, name, name_length) == 0 &&
            (length == name_length || p[name_length] == '=')) {
            if (times++ == 0) {
                first = length == name_length ? p + length : p + name_length + 1;
                first_length = (size_t)(p + length - first);
            }
        }
        p += length;
        p += *p == '&';
    }
    if (ret_times)
        *ret_times = times;
    return first ? text_url_decode(a, first, first_length) : NULL;
}

/* Where response_url= begins its value; NULL if it does not occur. */
static const char *find_response_url(const char *query)
{
    static const char name[] = "response_url=";

    for (const char *p = query ? query : ""; *p;) {
        if (strncmp(p, name, sizeof(name) - 1) == 0)
            return p + sizeof(name) - 1;
        p += strcspn(p, "&");
        p += *p == '&';
    }
    return NULL;
}

char *query_response_url(struct arena *a, const char *query)
{
    const char *raw = find_response_url(query), *end;
    char *decoded;

    if (!raw)
        return NULL;
    /* An encoded URL has no ':' or '/' of its own. */
    if (strncasecmp(raw, "http://", 7) != 0 && strncasecmp(raw, "https://", 8) != 0) {
        decoded = query_value(a, query, "response_url", NULL);
        return decoded && url_callable(decoded) ? decoded : NULL;
    }
    end = strstr(raw, "&duration=");
    decoded = end ? arena_bytes(a, raw, (size_t)(end - raw)) : arena_text(a, raw);
    return url_callable(decoded) ? decoded : NULL;
}
