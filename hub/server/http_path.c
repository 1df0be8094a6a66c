/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a request's path and query: split first, decode afterwards.
 */
#include "hub/server/http_path.h"

#include "base/arena.h"
#include "base/text.h"

struct err http_path_split(struct arena *a, const char *path, struct http_path *ret)
{
    struct http_path split = {0};

    if (path[0] != '/')
        return err_new(ERR_BAD_HTTP);
    if (path[1] == '\0') {
        *ret = split;
        return OK;
    }
    while (*path == '/') {
        size_t length = strcspn(++path, "/");
        const char *segment = text_url_decode(a, path, length);

        if (!segment || strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
            return (struct err){ERR_BAD_HTTP, "the path is not well encoded", 0};
        if (split.count == HTTP_SEGMENTS_MAX)
            return err_new(ERR_NOT_FOUND); /* no page of ours lies this deep */
        split.segments[split.count++] = segment;
        path += length;
    }
    *ret = split;
    return OK;
}

/* Form decoding: '+' is a blank. NULL if it is badly encoded. */
static const char *form_decode(struct arena *a, const char *s, size_t length)
{
    char *copy = arena_bytes(a, s, length);

    for (char *plus = copy; (plus = strchr(plus, '+'));)
        *plus = ' ';
    return strchr(copy, '%') ? text_url_decode(a, copy, length) : copy;
}

/* Encoded names are rare; only they cost memory. */
static bool name_is(struct arena *a, const char *s, size_t length, const char *name)
{
    const char *decoded;

    if (!memchr(s, '%', length) && !memchr(s, '+', length))
        return strlen(name) == length && memcmp(s, name, length) == 0;
    decoded = form_decode(a, s, length);
    return decoded && strcmp(decoded, name) == 0;
}

struct err http_query_find(struct arena *a, const char *query, const char *name,
                           const char **ret_value, size_t *ret_count)
{
    const char *first = NULL;
    size_t count = 0;

    while (*query) {
        size_t length = strcspn(query, "&");
        size_t name_length = strcspn(query, "&=");

        if (length > 0 && name_is(a, query, name_length, name) && count++ == 0) {
            if (name_length == length)
                first = "";
            else
                first = form_decode(a, query + name_length + 1, length - name_length - 1);
            if (!first)
                return (struct err){ERR_BAD_HTTP, "a query parameter is not well encoded", name};
        }
        query += length;
        query += *query == '&';
    }
    *ret_value = first;
    if (ret_count)
        *ret_count = count;
    return OK;
}

const char *http_query_get(struct arena *a, const char *query, const char *name, size_t *ret_count)
{
    const char *value = NULL;

    if (ret_count)
        *ret_count = 0;
    if (failed(http_query_find(a, query, name, &value, ret_count)))
        return NULL;
    return value;
}
