/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP answers: reading the head, looking headers up, copying into a flow's memory.
 */
#include <string.h>

#include "adapters/http_client.h"
#include "adapters/http_run.h"
#include "base/arena.h"
#include "base/text.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* One line of the head, without its end. Folded and broken lines are left out. */
static bool header_read(struct arena *a, const char *line, size_t length,
                        struct http_call_header *ret)
{
    const char *colon = memchr(line, ':', length);

    if (!colon || colon == line || is_blank(line[0]))
        return false;
    const char *value = colon + 1, *end = line + length;
    while (value < end && is_blank(*value))
        value++;
    while (end > value && is_blank(end[-1]))
        end--;
    char *name = arena_bytes(a, line, (size_t)(colon - line));
    text_to_lower(name);
    ret->name = name;
    ret->value = arena_bytes(a, value, (size_t)(end - value));
    return true;
}

void http_answer_head(struct arena *a, const char *head, struct http_answer *ret)
{
    size_t lines = 1;

    for (const char *c = head; *c; c++)
        lines += *c == '\n';
    ret->headers = arena_alloc(a, lines * sizeof(*ret->headers));
    ret->header_count = 0;
    for (const char *line = head; *line;) {
        size_t length = strcspn(line, "\r\n");
        if (header_read(a, line, length, &ret->headers[ret->header_count]))
            ret->header_count++;
        line += length;
        line += strspn(line, "\r\n");
    }
}

const char *http_answer_header(const struct http_answer *a, const char *lower_case_name)
{
    for (size_t i = 0; i < a->header_count; i++)
        if (strcmp(a->headers[i].name, lower_case_name) == 0)
            return a->headers[i].value;
    return NULL;
}

void http_answer_copy(struct arena *a, const struct http_answer *from, struct http_answer *ret)
{
    *ret = *from;
    ret->headers = arena_alloc(a, (from->header_count + 1) * sizeof(*ret->headers));
    for (size_t i = 0; i < from->header_count; i++) {
        ret->headers[i].name = arena_text(a, from->headers[i].name);
        ret->headers[i].value = arena_text(a, from->headers[i].value);
    }
    ret->body = arena_bytes(a, from->body ? from->body : "", from->body_length);
    ret->error = arena_text(a, from->error);
}
