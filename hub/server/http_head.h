/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP head: a request without its body, as the codec has checked it, and look-ups in it.
 *
 * A head lives in its codec until the next request begins; http_head_copy() moves one into an
 * arena, all strings in one block.
 */
#ifndef HUB_SERVER_HTTP_HEAD_H
#define HUB_SERVER_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct http_header {
    const char *name;  /* as it came; compare without case */
    const char *value; /* without the blanks around it */
};

/* A request without its body. */
struct http_head {
    const char *method; /* one of GET HEAD POST PUT PATCH DELETE OPTIONS */
    const char *target; /* the whole request target as it came */
    const char *path;   /* of it: still encoded, without the query, begins with '/' */
    const char *query;  /* what followed the '?', or "" */
    const struct http_header *headers;
    size_t header_count;
    int minor;               /* HTTP/1.minor: 0 or 1 */
    bool chunked;            /* the body's length is not known yet */
    uint64_t content_length; /* 0 if there is none or if chunked */
    bool expect_continue;    /* the client waits for 100 before it sends the body */
    bool keep_alive;         /* the client wants to go on with this connection */
};

/* The first value under this name, or NULL; and the one at `index` among those with this name. */
const char *http_head_find(const struct http_head *head, const char *name);
const char *http_head_find_at(const struct http_head *head, const char *name, size_t index);
size_t http_head_count(const struct http_head *head, const char *name);

/* `from_text` and `length`: where all of the head's strings lie. */
struct http_head *http_head_copy(const struct http_head *from, const char *from_text, size_t length,
                                 struct arena *a);

#endif
