/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP exchange: the answer to one request, whole or in parts.
 */
#include "hub/server/http_connection.h"

#include "base/arena.h"
#include "hub/server/http_answer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_HEAD_BYTES = 20 /* "\r\n", 16 digits, "\r\n" */ };

/* ---- the request ---- */

const struct http_request *http_exchange_request(const struct http_exchange *x)
{
    return x->request;
}

struct arena *http_exchange_take_arena(struct http_exchange *x)
{
    struct arena *arena = x->arena;

    assert(arena);
    x->arena = NULL;
    return arena;
}

void http_exchange_on_close(struct http_exchange *x, void (*closed)(void *arg), void *arg)
{
    struct connection *c = connection_of(x->connection);

    assert(x->owed);
    x->closed = closed;
    x->arg = arg;
    if (closed && c->ended)
        event_active(&c->again, EV_READ, 0); /* it has left already: told from the loop */
}

void http_exchange_drop(struct http_exchange *x)
{
    struct connection *c = connection_of(x->connection);

    assert(x->owed);
    x->owed = false;
    connection_close_socket(c);
    connection_forget_exchange(c);
    connection_settle(c);
}

/* ---- a whole answer ---- */

/* The body goes beside the head in the same call. */
static void send_head(struct connection *c, const struct http_answer *answer, const void *body,
                      size_t length)
{
    char small[HTTP_HEAD_OUT_BYTES], *head = small;
    size_t room = http_answer_room(answer);
    struct iovec pieces[2];

    if (room > sizeof small) {
        head = malloc(room);
        assert(head);
    }
    pieces[0] = (struct iovec){head, http_answer_print(answer, head)};
    pieces[1].iov_len = length;
    memcpy(&pieces[1].iov_base, &body, sizeof body); /* iovec is not const */
    connection_send(c, pieces, length > 0 ? 2 : 1);
    if (head != small)
        free(head);
}

/* 1.1 keeps by itself, 1.0 wants to hear it. */
static const char *connection_word(const struct http_exchange *x)
{
    if (!x->keep_alive)
        return "close";
    return x->is_old ? "keep-alive" : NULL;
}

void connection_answer(struct connection *c, int status, const struct http_header_out *headers,
                       size_t header_count, const void *body, size_t length)
{
    const struct http_exchange *x = &c->exchange;
    const struct http_answer answer = {
        .status = status,
        .date = server_date(c->server),
        .headers = headers,
        .header_count = header_count,
        .length = length,
        .connection = connection_word(x),
    };
    bool sends_body = status != 204 && status != 304 && !x->no_body;

    send_head(c, &answer, body, sends_body ? length : 0);
}

static bool should_end(const struct connection *c)
{
    return c->server->draining || (c->ended && buffer_left(&c->ahead) == 0);
}

void http_exchange_reply(struct http_exchange *x, int status, const struct http_header_out *headers,
                         size_t header_count, const void *body, size_t length)
{
    struct connection *c = connection_of(x->connection);

    assert(x->owed && !x->streams && status >= 200 && status <= 599);
    x->owed = false;
    if (c->phase != GONE) {
        if (should_end(c))
            x->keep_alive = false;
        connection_answer(c, status, headers, header_count, body, length);
    }
    if (c->phase != GONE) {
        connection_set_phase(c, x->keep_alive ? READING_HEAD : CLOSING);
        connection_look_soon(c);
    }
    connection_forget_exchange(c);
    connection_settle(c);
}

/* ---- an answer in parts ---- */

void http_exchange_stream(struct http_exchange *x, int status,
                          const struct http_header_out *headers, size_t header_count)
{
    struct connection *c = connection_of(x->connection);

    assert(x->owed && !x->streams && status == 200);
    x->streams = true;
    x->chunked = !x->is_old;
    if (c->phase == GONE)
        return;
    if (x->is_old || should_end(c))
        x->keep_alive = false;
    const struct http_answer answer = {
        .status = status,
        .date = server_date(c->server),
        .headers = headers,
        .header_count = header_count,
        .framing = x->chunked ? HTTP_CHUNKED : HTTP_UNTIL_CLOSE,
        .connection = connection_word(x),
    };
    send_head(c, &answer, NULL, 0);
    event_active(&c->again, EV_READ, 0);
}

bool http_exchange_write(struct http_exchange *x, const void *bytes, size_t length)
{
    struct connection *c = connection_of(x->connection);
    char head[CHUNK_HEAD_BYTES];
    static char end[] = "\r\n";
    struct iovec pieces[3];

    assert(x->owed && x->streams);
    if (c->phase == GONE || x->no_body || length == 0) /* an empty chunk would be the last */
        return c->phase != GONE;
    memcpy(&pieces[1].iov_base, &bytes, sizeof bytes);
    pieces[1].iov_len = length;
    if (x->chunked) {
        pieces[0] = (struct iovec){head, (size_t)snprintf(head, sizeof head, "%zx\r\n", length)};
        pieces[2] = (struct iovec){end, 2};
        connection_send(c, pieces, 3);
    } else {
        connection_send(c, pieces + 1, 1);
    }
    /* Events and a client that has left are seen to from the loop: the caller is in the middle of
     * something that on_close would end. */
    event_active(&c->again, EV_READ, 0);
    return c->phase != GONE && buffer_left(&c->out) < HTTP_STREAM_BYTES;
}

void http_exchange_on_room(struct http_exchange *x, void (*room)(void *arg), void *arg)
{
    struct connection *c = connection_of(x->connection);

    assert(x->owed && x->streams);
    x->drained = room;
    x->drained_arg = arg;
    if (room && buffer_left(&c->out) == 0 && c->phase != GONE)
        event_active(&c->write_event, EV_WRITE, 0);
}

void http_exchange_end(struct http_exchange *x, bool whole)
{
    struct connection *c = connection_of(x->connection);
    static char last[] = "0\r\n\r\n";
    struct iovec piece = {last, sizeof last - 1};

    assert(x->owed && x->streams);
    x->owed = false;
    if (!whole)
        connection_close_socket(c); /* before the last chunk, so that the client can tell */
    if (c->phase != GONE && x->chunked && !x->no_body)
        connection_send(c, &piece, 1);
    if (c->phase != GONE) {
        if (should_end(c))
            x->keep_alive = false;
        connection_set_phase(c, x->keep_alive ? READING_HEAD : CLOSING);
        connection_look_soon(c);
    }
    connection_forget_exchange(c);
    connection_settle(c);
}
