/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP head: copying and look-ups. Names are compared without case, ASCII only.
 */
#include "hub/server/http_head.h"

#include "base/arena.h"
#include "base/text.h"

/* The same string in the copy of the buffer it lies in. */
static const char *moved(const char *s, const char *from, const char *to)
{
    return to + (s - from);
}

struct http_head *http_head_copy(const struct http_head *from, const char *from_text, size_t length,
                                 struct arena *a)
{
    size_t headers_bytes = from->header_count * sizeof(struct http_header);
    struct http_head *head = arena_alloc(a, sizeof *head + headers_bytes + length);
    struct http_header *headers = (struct http_header *)(head + 1);
    char *text = (char *)headers + headers_bytes;

    memcpy(text, from_text, length);
    for (size_t i = 0; i < from->header_count; i++) {
        headers[i].name = moved(from->headers[i].name, from_text, text);
        headers[i].value = moved(from->headers[i].value, from_text, text);
    }
    *head = *from;
    head->headers = headers;
    head->method = moved(from->method, from_text, text);
    head->target = moved(from->target, from_text, text);
    head->path = moved(from->path, from_text, text);
    head->query = moved(from->query, from_text, text);
    return head;
}

const char *http_head_find_at(const struct http_head *head, const char *name, size_t index)
{
    for (size_t i = 0; i < head->header_count; i++) {
        if (text_equal_caseless(head->headers[i].name, name) && index-- == 0)
            return head->headers[i].value;
    }
    return NULL;
}

const char *http_head_find(const struct http_head *head, const char *name)
{
    return http_head_find_at(head, name, 0);
}

size_t http_head_count(const struct http_head *head, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < head->header_count; i++)
        n += text_equal_caseless(head->headers[i].name, name);
    return n;
}
