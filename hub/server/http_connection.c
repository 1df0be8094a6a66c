/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP connection: one client from accept to close.
 *
 *                    .-----------------------------------------------.
 *                    v                                               | answered, kept
 *   accept ---> READING_HEAD ---> READING_BODY ---> ANSWERING -------+
 *                    |                 |                 |           | answered, not kept
 *                    '--- malformed, too late, too much -'---> CLOSING ---> LINGERING ---> GONE
 *
 *   READING_HEAD  also between requests; nothing belongs to a request yet
 *   READING_BODY  the exchange has an arena and a head, nobody else knows it yet
 *   ANSWERING     somebody owes an answer; what comes is kept, up to a bound
 *   CLOSING       the answer is leaving; nothing is read
 *   LINGERING     all is sent and said; what still comes is thrown away, because closing over
 *                 unread bytes would reset the connection and take the answer back
 *   GONE          no socket; the memory stays while an answer is due
 *
 * While the client takes its answer (`out` is not empty) no further request is read. Every entry
 * from the loop or from a caller ends in connection_settle(), which is the only place that decides
 * about events, timers and the end; `pins` keeps it away while callbacks of the caller are running.
 */
#include "hub/server/http_connection.h"

#include "base/arena.h"
#include "base/id.h"
#include "base/text.h"
#include "base/time.h"
#include "hub/server/http_answer.h"

#include <assert.h>
#include <errno.h>
#include <sys/uio.h>

enum {
    LINGER_MS = 5000,
    BODY_AT_ONCE = 64 * 1024, /* believed of a Content-Length before the bytes are there */
    BODY_DEFAULT_MAX = 64 * 1024,
    ERROR_BODY_MAX = 16 * 1024,
};

static void buffer_free(struct buffer *b)
{
    free(b->bytes);
    *b = (struct buffer){0};
}

/* Bounded by the callers: HTTP_AHEAD_BYTES, the body's maximum, one answer. */
static void buffer_reserve(struct buffer *b, size_t capacity)
{
    if (capacity <= b->capacity)
        return;
    b->bytes = realloc(b->bytes, capacity);
    assert(b->bytes);
    b->capacity = capacity;
}

static void buffer_add(struct buffer *b, const void *bytes, size_t length)
{
    if (length == 0)
        return;
    if (b->length + length > b->capacity)
        buffer_reserve(b, b->length + length + b->length / 2);
    memcpy(b->bytes + b->length, bytes, length);
    b->length += length;
}

void connection_forget_exchange(struct connection *c)
{
    arena_free(c->exchange.arena);
    c->exchange = (struct http_exchange){.connection = c};
    buffer_free(&c->body);
}

void connection_set_phase(struct connection *c, enum phase phase)
{
    c->phase = phase;
    c->since_ms = time_monotonic_ms();
    c->head_began = false;
}

void connection_close_socket(struct connection *c)
{
    if (c->phase == GONE)
        return;
    event_del(&c->read_event);
    event_del(&c->write_event);
    event_del(&c->timer);
    event_del(&c->again);
    http_stream_close(&c->stream);
    buffer_free(&c->ahead);
    buffer_free(&c->out);
    c->ended = true;
    c->phase = GONE;
    if (!c->exchange.owed)
        connection_forget_exchange(c);
    server_on_close(c->server);
}

static void connection_free(struct connection *c)
{
    struct http_server *s = c->server;

    assert(c->phase == GONE && !c->exchange.owed && c->pins == 0);
    if (c->before)
        c->before->next = c->next;
    else
        s->connections = c->next;
    if (c->next)
        c->next->before = c->before;
    event_del(&c->again); /* a write that failed may have asked for it */
    http_codec_free(c->codec);
    connection_forget_exchange(c);
    c->magic = 0;
    free(c);
    server_on_forgotten(s);
}

/* ---- writing ---- */

void connection_send(struct connection *c, const struct iovec *pieces, int count)
{
    size_t sent = 0;

    if (c->phase == GONE)
        return;
    if (buffer_left(&c->out) == 0) {
        ssize_t n = http_stream_write(&c->stream, pieces, count, c->server->record);

        if (n == STREAM_FAILED || n == STREAM_END) {
            connection_close_socket(c);
            return;
        }
        sent = n > 0 ? (size_t)n : 0;
        c->writing_ms = time_monotonic_ms();
    }
    for (int i = 0; i < count; i++) {
        size_t skip = sent < pieces[i].iov_len ? sent : pieces[i].iov_len;

        buffer_add(&c->out, (char *)pieces[i].iov_base + skip, pieces[i].iov_len - skip);
        sent -= skip;
    }
}

static void flush(struct connection *c)
{
    while (buffer_left(&c->out) > 0) {
        struct iovec piece = {c->out.bytes + c->out.at, buffer_left(&c->out)};
        ssize_t n = http_stream_write(&c->stream, &piece, 1, c->server->record);

        if (n == STREAM_AGAIN)
            return;
        if (n < 0) {
            connection_close_socket(c);
            return;
        }
        c->out.at += (size_t)n;
    }
    buffer_free(&c->out);
}

/* Protocol errors: answered in the caller's words, then the connection ends. */
static void refuse_malformed(struct connection *c, enum err_kind kind)
{
    const struct http_server_options *o = &c->server->options;
    struct text body;
    const char *type = "text/plain; charset=utf-8";
    const struct err_info *info = err_info(kind);
    char request_id[UUID_TEXT];

    id_uuid_v4(request_id);
    text_init(&body, NULL, ERROR_BODY_MAX);
    if (o->malformed)
        o->malformed(o->ctx, kind, http_codec_path_so_far(c->codec), request_id, &body, &type);
    else
        text_printf(&body, "%s\n", info->text);
    c->exchange.keep_alive = false;
    {
        const struct http_header_out headers[] = {
            {"Content-Type", type},
            {"X-Request-ID", request_id},
            {"Allow", kind == ERR_METHOD_NOT_ALLOWED
                          ? "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
                          : NULL},
        };
        connection_answer(c, info->http, headers, 3, body.bytes, body.length);
    }
    text_done(&body);
    if (c->phase == GONE)
        return;
    connection_forget_exchange(c);
    connection_set_phase(c, CLOSING);
}

/* ---- reading ---- */

static size_t body_max_of(struct connection *c, const struct http_head *head)
{
    const struct http_server_options *o = &c->server->options;

    return o->body_max ? o->body_max(o->ctx, head) : BODY_DEFAULT_MAX;
}

static void begin_exchange(struct connection *c)
{
    struct arena *arena = arena_new(c->server->options.arena_max_bytes);
    const struct http_head *head = http_codec_copy_head(c->codec, arena);
    struct http_request *r = arena_alloc(arena, sizeof *r);

    *r = (struct http_request){
        .method = head->method,
        .target = head->target,
        .path = head->path,
        .query = head->query,
        .headers = head->headers,
        .header_count = head->header_count,
        .body = "",
        .remote = arena_text(arena, c->remote),
        .tls = c->stream.ssl != NULL,
        .received_ms = time_monotonic_ms(),
        .arena = arena,
        .head = head,
    };
    c->requests++;
    c->exchange = (struct http_exchange){
        .connection = c,
        .arena = arena,
        .request = r,
        .no_body = strcmp(head->method, "HEAD") == 0,
        .is_old = head->minor == 0,
        .keep_alive = head->keep_alive && c->requests < c->server->options.max_requests,
    };
}

/* The head is complete: may this request have its body? */
static void take_head(struct connection *c, bool more_is_here)
{
    const struct http_server_options *o = &c->server->options;
    const struct http_head *head = http_codec_head(c->codec);
    bool has_body = head->chunked || head->content_length > 0;

    begin_exchange(c);
    connection_set_phase(c, READING_BODY);
    c->body_max = body_max_of(c, c->exchange.request->head);
    if (c->phase == GONE)
        return;
    if (!http_codec_limit_body(c->codec, c->body_max)) {
        refuse_malformed(c, http_codec_error(c->codec));
        return;
    }
    if (o->refuse) {
        bool keep_alive = c->exchange.keep_alive;

        /* An unwanted body is not read to its end: then the answer ends the connection. */
        c->exchange.keep_alive = keep_alive && !has_body;
        c->exchange.owed = true;
        if (o->refuse(o->ctx, &c->exchange))
            return;
        assert(c->exchange.owed); /* false, and nevertheless answered? */
        c->exchange.owed = false;
        c->exchange.keep_alive = keep_alive;
        if (c->phase == GONE)
            return;
    }
    if (head->expect_continue && !more_is_here) {
        static char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        struct iovec piece = {go_on, sizeof go_on - 1};

        connection_send(c, &piece, 1);
    }
}

static void take_body(struct connection *c, struct http_piece piece)
{
    const struct http_head *head = c->exchange.request->head;
    size_t need = c->body.length + piece.length + 1; /* and a NUL */

    if (need > c->body.capacity) {
        size_t capacity = c->body.capacity * 2;

        if (!head->chunked && head->content_length < BODY_AT_ONCE)
            capacity = (size_t)head->content_length + 1;
        if (capacity < BODY_AT_ONCE / 16)
            capacity = BODY_AT_ONCE / 16;
        if (capacity > c->body_max + 1)
            capacity = c->body_max + 1;
        buffer_reserve(&c->body, capacity < need ? need : capacity);
    }
    buffer_add(&c->body, piece.bytes, piece.length);
}

/* The body that came in one piece goes straight into the arena; the others go with it. */
static void hand_over(struct connection *c)
{
    const struct http_server_options *o = &c->server->options;
    struct http_exchange *x = &c->exchange;

    if (c->body.length > 0) {
        c->body.bytes[c->body.length] = '\0';
        x->request->body = c->body.bytes;
        x->request->body_length = c->body.length;
        arena_on_free(x->arena, free, c->body.bytes);
        c->body = (struct buffer){0};
    }
    x->request->received_ms = time_monotonic_ms();
    if (c->server->draining)
        x->keep_alive = false;
    x->owed = true;
    connection_set_phase(c, ANSWERING);
    o->handle(o->ctx, x);
}

/* Reads requests from these bytes and has them handled, until the bytes are used up, an answer is
 * due or the connection ends. Returns how many were used. */
static size_t take_bytes(struct connection *c, const char *bytes, size_t length)
{
    size_t at = 0;

    while (c->phase <= READING_BODY && buffer_left(&c->out) == 0) {
        struct http_piece piece = {0};
        size_t used;
        enum http_event event = http_codec_feed(c->codec, bytes + at, length - at, &used, &piece);

        at += used;
        switch (event) {
        case HTTP_MORE:
            return at;
        case HTTP_HEAD:
            take_head(c, at < length);
            break;
        case HTTP_BODY:
            take_body(c, piece);
            break;
        case HTTP_END:
            if (c->phase == READING_BODY) /* else it has been refused and answered */
                hand_over(c);
            break;
        case HTTP_ERROR:
            refuse_malformed(c, http_codec_error(c->codec));
            break;
        }
    }
    return at;
}

/* What was kept while an answer was due comes first. */
static void take_ahead(struct connection *c)
{
    const char *bytes = c->ahead.bytes ? c->ahead.bytes + c->ahead.at : "";
    size_t used = take_bytes(c, bytes, buffer_left(&c->ahead));

    if (c->phase == GONE)
        return; /* the buffer went with the socket */
    c->ahead.at += used;
    if (buffer_left(&c->ahead) == 0)
        buffer_free(&c->ahead);
}

static bool may_take(const struct connection *c)
{
    return c->phase <= READING_BODY && buffer_left(&c->out) == 0;
}

/* How many bytes are welcome: while an answer is due or leaving only so that we notice the end. */
static size_t room_of(const struct connection *c)
{
    if (c->ended || c->phase > ANSWERING)
        return 0;
    return may_take(c) ? HTTP_READ_BYTES : HTTP_AHEAD_BYTES - buffer_left(&c->ahead);
}

static void take_input(struct connection *c)
{
    char *input = c->server->input;
    size_t room;

    if (may_take(c))
        take_ahead(c);
    while ((room = room_of(c)) > 0) {
        ssize_t n = http_stream_read(&c->stream, input, room);
        size_t used = 0;

        if (n == STREAM_AGAIN)
            return;
        if (n == STREAM_FAILED) {
            connection_close_socket(c);
            return;
        }
        if (n == STREAM_END) {
            c->ended = true;
            return;
        }
        if (may_take(c))
            used = take_bytes(c, input, (size_t)n);
        if (c->phase <= ANSWERING) {
            if (c->ahead.at > 0) {
                memmove(c->ahead.bytes, c->ahead.bytes + c->ahead.at, buffer_left(&c->ahead));
                c->ahead.length -= c->ahead.at;
                c->ahead.at = 0;
            }
            buffer_add(&c->ahead, input + used, (size_t)n - used);
        }
        if (c->phase == GONE || !http_stream_holds_back(&c->stream))
            return;
    }
}

/* ---- the loop ---- */

static bool is_idle(const struct connection *c)
{
    return c->phase == READING_HEAD && http_codec_is_idle(c->codec) &&
           buffer_left(&c->ahead) == 0 && buffer_left(&c->out) == 0;
}

/* When this connection has had enough time; 0: it may take as long as it likes. */
static int64_t deadline_of(const struct connection *c)
{
    const struct http_server_options *o = &c->server->options;

    if (buffer_left(&c->out) > 0)
        return c->writing_ms + o->write_timeout_ms;
    switch (c->phase) {
    case READING_HEAD:
        return c->since_ms + (c->head_began ? o->head_timeout_ms : o->idle_timeout_ms);
    case READING_BODY:
        return c->since_ms + o->body_timeout_ms;
    case LINGERING:
        return c->since_ms + LINGER_MS;
    default:
        return 0;
    }
}

static void set_event(struct event *event, bool *is_set, bool wanted)
{
    if (*is_set == wanted)
        return;
    *is_set = wanted;
    if (wanted)
        event_add(event, NULL);
    else
        event_del(event);
}

/* The timer is not moved for a deadline that moves on: when it rings too early it is set again.
 * A busy connection touches it once in a while instead of several times per request. */
static void set_timer(struct connection *c)
{
    int64_t deadline = deadline_of(c), left;

    if (deadline == 0 || (c->timer_ms != 0 && c->timer_ms <= deadline))
        return;
    left = deadline - time_monotonic_ms();
    if (left < 1)
        left = 1;
    c->timer_ms = deadline;
    event_add(&c->timer, &(struct timeval){left / 1000, left % 1000 * 1000});
}

static void say_goodbye(struct connection *c)
{
    http_stream_finish(&c->stream);
    connection_close_socket(c);
}

void connection_settle(struct connection *c)
{
    if (c->pins > 0)
        return;
    if (c->ended && c->exchange.owed && c->exchange.closed) {
        void (*closed)(void *arg) = c->exchange.closed;

        c->exchange.closed = NULL;
        c->pins++;
        closed(c->exchange.arg);
        c->pins--;
    }
    if (c->phase == CLOSING && buffer_left(&c->out) == 0) {
        if (c->ended) {
            connection_close_socket(c);
        } else {
            http_stream_finish(&c->stream);
            buffer_free(&c->ahead);
            connection_set_phase(c, LINGERING);
        }
    }
    if (c->phase <= READING_BODY && c->ended && buffer_left(&c->out) == 0 &&
        buffer_left(&c->ahead) == 0)
        connection_close_socket(c); /* nothing more can come of it */
    if (c->phase == READING_HEAD && is_idle(c)) {
        http_codec_trim(c->codec);
        if (c->server->draining && c->requests > 0)
            say_goodbye(c);
    }
    if (c->phase == GONE) {
        if (!c->exchange.owed)
            connection_free(c);
        return;
    }
    if (c->phase == READING_HEAD && !c->head_began && !http_codec_is_idle(c->codec)) {
        c->head_began = true;
        c->since_ms = time_monotonic_ms();
    }
    set_event(&c->read_event, &c->reading, room_of(c) > 0 || c->phase == LINGERING);
    set_event(&c->write_event, &c->writing,
              buffer_left(&c->out) > 0 || (c->reading && c->stream.read_needs_write));
    set_timer(c);
}

struct connection *connection_of(void *arg)
{
    struct connection *c = arg;

    assert(c->magic == CONNECTION_MAGIC);
    return c;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = connection_of(arg);

    (void)fd, (void)what;
    c->pins++;
    if (c->phase == LINGERING) {
        ssize_t n = http_stream_discard(&c->stream, c->server->input, HTTP_READ_BYTES);

        if (n == STREAM_END || n == STREAM_FAILED)
            connection_close_socket(c);
    } else {
        take_input(c);
    }
    c->pins--;
    connection_settle(c);
}

/* There is room for more of the answer. */
static void tell_drained(struct connection *c)
{
    void (*drained)(void *arg) = c->exchange.drained;

    c->exchange.drained = NULL;
    if (drained)
        drained(c->exchange.drained_arg);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = connection_of(arg);

    (void)fd, (void)what;
    c->pins++;
    flush(c);
    if (c->phase == ANSWERING && c->exchange.streams && buffer_left(&c->out) == 0)
        tell_drained(c);
    take_input(c); /* what had to wait for this */
    c->pins--;
    connection_settle(c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = connection_of(arg);
    int64_t deadline = deadline_of(c);

    (void)fd, (void)what;
    c->timer_ms = 0;
    c->pins++;
    if (deadline != 0 && time_monotonic_ms() >= deadline) {
        if (buffer_left(&c->out) > 0 || c->phase == LINGERING)
            connection_close_socket(c);
        else if (c->phase == READING_HEAD && http_codec_is_idle(c->codec))
            say_goodbye(c); /* nothing was asked */
        else
            refuse_malformed(c, ERR_TIMEOUT_READING);
    }
    c->pins--;
    connection_settle(c);
}

/* ---- for http_server.c ---- */

void connection_new(struct http_server *s, int fd, const char *remote)
{
    struct connection *c = calloc(1, sizeof *c);
    struct event_base *loop = s->options.loop;

    assert(c);
    if (!http_stream_init(&c->stream, fd, s->tls)) {
        free(c);
        return;
    }
    c->magic = CONNECTION_MAGIC;
    c->server = s;
    c->codec = http_codec_new();
    c->exchange.connection = c;
    text_copy(c->remote, sizeof c->remote, remote);
    event_assign(&c->read_event, loop, fd, EV_READ | EV_PERSIST, on_readable, c);
    event_assign(&c->write_event, loop, fd, EV_WRITE | EV_PERSIST, on_writable, c);
    evtimer_assign(&c->timer, loop, on_timer, c);
    event_assign(&c->again, loop, -1, 0, on_readable, c);
    connection_set_phase(c, READING_HEAD);
    c->head_began = true; /* who connects has something to say */
    c->next = s->connections;
    if (c->next)
        c->next->before = c;
    s->connections = c;
    s->open++;
    connection_settle(c);
}

void connection_look_soon(struct connection *c)
{
    if (c->pins == 0 && (buffer_left(&c->ahead) > 0 || http_stream_holds_back(&c->stream)))
        event_active(&c->again, EV_READ, 0);
}

void connection_kill(struct connection *c)
{
    connection_close_socket(c);
    connection_settle(c);
}

void connection_drain(struct connection *c)
{
    if (is_idle(c))
        connection_settle(c);
}

bool connection_is_busy(const struct connection *c)
{
    if (c->phase == GONE)
        return c->exchange.owed;
    return c->phase != LINGERING && !is_idle(c);
}

bool connection_is_open(const struct connection *c)
{
    return c->phase != GONE;
}

struct connection *connection_next(const struct connection *c)
{
    return c->next;
}
