/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP answer: the head of a response, written by hand: it is done for every request.
 */
#include "hub/server/http_answer.h"

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "Status";
}

static size_t number_length(size_t number)
{
    size_t length = 1;

    for (; number >= 10; number /= 10)
        length++;
    return length;
}

static char *put(char *to, const char *s, size_t length)
{
    memcpy(to, s, length);
    return to + length;
}

static char *put_text(char *to, const char *s)
{
    return put(to, s, strlen(s));
}

static char *put_number(char *to, size_t number, size_t digits)
{
    for (size_t i = digits; i > 0; i--, number /= 10)
        to[i - 1] = (char)('0' + number % 10);
    return to + digits;
}

/* What comes from a partner's text must not begin a header of its own. */
static char *put_value(char *to, const char *value)
{
    for (; *value; value++)
        *to++ = (unsigned char)*value < ' ' || *value == 0x7f ? ' ' : *value;
    return to;
}

size_t http_answer_room(const struct http_answer *a)
{
    size_t room = 256;

    for (size_t i = 0; i < a->header_count; i++) {
        if (a->headers[i].value)
            room += strlen(a->headers[i].name) + strlen(a->headers[i].value) + 4;
    }
    return room;
}

size_t http_answer_print(const struct http_answer *a, char *to)
{
    const char *begin = to;

    to = put_text(to, "HTTP/1.1 ");
    to = put_number(to, (size_t)a->status, 3);
    *to++ = ' ';
    to = put_text(to, reason_of(a->status));
    to = put_text(to, "\r\nDate: ");
    to = put_text(to, a->date);
    to = put_text(to, "\r\n");
    for (size_t i = 0; i < a->header_count; i++) {
        if (!a->headers[i].value)
            continue;
        to = put_text(to, a->headers[i].name);
        to = put_text(to, ": ");
        to = put_value(to, a->headers[i].value);
        to = put_text(to, "\r\n");
    }
    if (a->framing == HTTP_CHUNKED) {
        to = put_text(to, "Transfer-Encoding: chunked\r\n");
    } else if (a->framing == HTTP_LENGTH && a->status != 204) {
        to = put_text(to, "Content-Length: ");
        to = put_number(to, a->length, number_length(a->length));
        to = put_text(to, "\r\n");
    }
    if (a->connection) {
        to = put_text(to, "Connection: ");
        to = put_text(to, a->connection);
        to = put_text(to, "\r\n");
    }
    to = put_text(to, "\r\n");
    return (size_t)(to - begin);
}
