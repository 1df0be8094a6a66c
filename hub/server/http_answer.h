/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP answer: how the head of a response is written. Pure.
 */
#ifndef HUB_SERVER_HTTP_ANSWER_H
#define HUB_SERVER_HTTP_ANSWER_H

#include "hub/server/http_server.h"

enum http_framing {
    HTTP_LENGTH,      /* Content-Length */
    HTTP_CHUNKED,     /* Transfer-Encoding: chunked */
    HTTP_UNTIL_CLOSE, /* neither: the body ends with the connection */
};

struct http_answer {
    int status;
    const char *date;
    const struct http_header_out *headers; /* without Date, Content-Length, Connection */
    size_t header_count;
    enum http_framing framing;
    size_t length;          /* of the body, sent or not; 204 does not tell it */
    const char *connection; /* NULL: not said */
};

/* An upper bound for what print writes. */
size_t http_answer_room(const struct http_answer *a);
/* Returns the length; no NUL. */
size_t http_answer_print(const struct http_answer *a, char *to);

#endif
