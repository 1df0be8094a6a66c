/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server over real sockets. Server and clients share this thread: whoever waits for
 * something turns the loop meanwhile. Nothing waits longer than PATIENCE_MS.
 */
#include "base/arena.h"
#include "base/text.h"
#include "base/time.h"
#include "hub/server/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { PATIENCE_MS = 5000, PENDING_MAX = 16, BIG = 8 * 1024 * 1024, INPUT_MAX = 16 * 1024 * 1024 };

struct house {
    struct event_base *loop;
    int fd;
    uint16_t port;
    struct http_server *server;
    struct http_exchange *pending[PENDING_MAX]; /* of /later, in the order of arrival */
    size_t pending_count, handled, closed;
    struct arena *taken;
    char remote[64];
    char malformed_path[64];
    size_t bodies_asked;
};

struct client {
    struct house *house;
    int fd;
    SSL *ssl;
    struct text input;
    bool ended, reset;
};

static char *big; /* BIG bytes that differ */

static void turn(struct house *h)
{
    event_base_loop(h->loop, EVLOOP_NONBLOCK);
}

static void rest(void)
{
    nanosleep(&(struct timespec){0, 200 * 1000}, NULL);
}

#define WAIT_FOR(house, condition)                                                                 \
    do {                                                                                           \
        int64_t until_ = time_monotonic_ms() + PATIENCE_MS;                                        \
        while (!(condition)) {                                                                     \
            turn(house);                                                                           \
            if (time_monotonic_ms() > until_)                                                      \
                fail_msg("waited in vain for: %s", #condition);                                    \
            rest();                                                                                \
        }                                                                                          \
    } while (0)

static void turn_for(struct house *h, int64_t ms)
{
    int64_t until = time_monotonic_ms() + ms;

    while (time_monotonic_ms() < until) {
        turn(h);
        rest();
    }
}

/* ---- the server's side ---- */

static size_t body_max(void *ctx, const struct http_head *head)
{
    struct house *h = ctx;

    h->bodies_asked++;
    return strcmp(head->path, "/small") == 0 ? 10 : BIG;
}

static void note_closed(void *arg)
{
    struct house *h = arg;

    h->closed++;
}

static void answer_when_closed(void *arg)
{
    struct house *h = arg;

    h->closed++;
    http_exchange_reply(h->pending[--h->pending_count], 200, NULL, 0, "gone", 4);
}

static void handle(void *ctx, struct http_exchange *x)
{
    struct house *h = ctx;
    const struct http_request *r = http_exchange_request(x);
    const struct http_header_out type = {"Content-Type", "text/plain"};

    h->handled++;
    text_copy(h->remote, sizeof h->remote, r->remote);
    if (strcmp(r->path, "/later") == 0) {
        h->pending[h->pending_count++] = x;
        http_exchange_on_close(x, note_closed, h);
    } else if (strcmp(r->path, "/later-at-close") == 0) {
        h->pending[h->pending_count++] = x;
        http_exchange_on_close(x, answer_when_closed, h);
    } else if (strcmp(r->path, "/take") == 0) {
        h->taken = http_exchange_take_arena(x);
        http_exchange_reply(x, 200, &type, 1, r->query, strlen(r->query));
        assert_string_equal(r->path, "/take"); /* still there: the arena is ours */
    } else if (strcmp(r->path, "/big") == 0) {
        http_exchange_reply(x, 200, &type, 1, big, BIG);
    } else if (strcmp(r->path, "/drop") == 0) {
        http_exchange_drop(x);
    } else if (strcmp(r->path, "/empty") == 0) {
        http_exchange_reply(x, 204, NULL, 0, NULL, 0);
    } else if (strcmp(r->path, "/inject") == 0) {
        struct http_header_out bad[] = {{"X-Bad", "a\r\nSet-Cookie: b"}, {"X-None", NULL}};
        http_exchange_reply(x, 200, bad, 2, "ok", 2);
    } else if (strcmp(r->path, "/tls") == 0) {
        http_exchange_reply(x, 200, &type, 1, r->tls ? "yes" : "no", r->tls ? 3 : 2);
    } else if (r->body_length > 0) {
        http_exchange_reply(x, 200, &type, 1, r->body, r->body_length);
    } else {
        http_exchange_reply(x, 200, &type, 1, r->target, strlen(r->target));
    }
}

static void malformed(void *ctx, enum err_kind kind, const char *path, const char *request_id,
                      struct text *ret_body, const char **ret_content_type)
{
    struct house *h = ctx;

    assert_int_equal(strlen(request_id), 36);
    text_copy(h->malformed_path, sizeof h->malformed_path, path ? path : "(none)");
    text_printf(ret_body, "{\"code\":\"%s\"}", err_info(kind)->code);
    *ret_content_type = "application/problem+json";
}

static bool refuse_strangers(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    if (http_header(http_exchange_request(x), "Authorization"))
        return false;
    http_exchange_reply(x, 401, NULL, 0, "who?", 4);
    return true;
}

static int listen_tcp(uint16_t *ret_port)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof own;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(listen(fd, 100), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &length), 0);
    *ret_port = ntohs(own.sin_port);
    return fd;
}

static void house_init(struct house *h, struct http_server_options options)
{
    *h = (struct house){.loop = event_base_new()};
    h->fd = listen_tcp(&h->port);
    options.loop = h->loop;
    options.fd = h->fd;
    options.ctx = h;
    options.handle = handle;
    options.body_max = body_max;
    options.malformed = malformed;
    assert_int_equal(http_server_new(&options, &h->server).kind, ERR_NONE);
}

static void house_done(struct house *h)
{
    http_server_free(h->server);
    for (size_t i = 0; i < h->pending_count; i++)
        http_exchange_reply(h->pending[i], 200, NULL, 0, "", 0);
    arena_free(h->taken);
    event_base_free(h->loop);
    close(h->fd);
}

#define HOUSE(h, ...)                                                                              \
    struct house h;                                                                                \
    house_init(&h, (struct http_server_options){__VA_ARGS__})

/* ---- the client's side ---- */

static void client_init(struct client *c, struct house *h)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(h->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    *c = (struct client){.house = h, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_true(c->fd >= 0);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&to, sizeof to), 0);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    text_init(&c->input, NULL, INPUT_MAX);
}

static void client_done(struct client *c)
{
    SSL_free(c->ssl);
    if (c->fd >= 0)
        close(c->fd);
    text_done(&c->input);
}

static void client_leave(struct client *c)
{
    close(c->fd);
    c->fd = -1;
}

/* With a reset instead of an orderly end. */
static void client_abort(struct client *c)
{
    struct linger hard = {1, 0};

    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    client_leave(c);
}

static void client_send_bytes(struct client *c, const char *bytes, size_t length)
{
    int64_t until = time_monotonic_ms() + PATIENCE_MS;

    while (length > 0) {
        ssize_t n = c->ssl ? SSL_write(c->ssl, bytes, length > 65536 ? 65536 : (int)length)
                           : send(c->fd, bytes, length, MSG_NOSIGNAL);

        if (n > 0) {
            bytes += n;
            length -= (size_t)n;
            continue;
        }
        if (!c->ssl && errno != EAGAIN)
            return; /* the server has closed; what it said is read later */
        turn(c->house);
        rest();
        assert_true(time_monotonic_ms() < until);
    }
}

static void client_send(struct client *c, const char *s)
{
    client_send_bytes(c, s, strlen(s));
}

/* Reads what is there. */
static void client_look(struct client *c)
{
    static char block[256 * 1024];

    while (!c->ended) {
        ssize_t n =
            c->ssl ? SSL_read(c->ssl, block, sizeof block) : recv(c->fd, block, sizeof block, 0);

        if (n > 0) {
            text_add_bytes(&c->input, block, (size_t)n);
            continue;
        }
        if (c->ssl)
            c->ended = SSL_get_error(c->ssl, (int)n) == SSL_ERROR_ZERO_RETURN;
        else if (n == 0 || errno == ECONNRESET)
            c->ended = true;
        c->reset = n < 0 && !c->ssl && errno == ECONNRESET;
        return;
    }
}

static bool has(struct client *c, const char *s)
{
    client_look(c);
    return c->input.length > 0 && memmem(c->input.bytes, c->input.length, s, strlen(s));
}

static void expect(struct client *c, const char *s)
{
    int64_t until = time_monotonic_ms() + PATIENCE_MS;

    while (!has(c, s)) {
        turn(c->house);
        if (time_monotonic_ms() > until || c->ended)
            fail_msg("waited in vain for '%s', got '%.*s'%s", s,
                     c->input.length > 1000 ? 1000 : (int)c->input.length,
                     c->input.length ? c->input.bytes : "", c->ended ? " and the end" : "");
        rest();
    }
}

static void expect_end(struct client *c)
{
    WAIT_FOR(c->house, (client_look(c), c->ended));
}

static void forget(struct client *c)
{
    text_reset(&c->input);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

/* ---- tests ---- */

static void a_connection_serves_request_after_request(void **state)
{
    HOUSE(h);
    struct client c;

    (void)state;
    time_set_for_test(INT64_C(784111777) * US_PER_SECOND);
    client_init(&c, &h);
    client_send(&c, GET("/one?x"));
    expect(&c, "\r\n\r\n/one?x");
    assert_string_equal(c.input.bytes, "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                       "Content-Type: text/plain\r\nContent-Length: 6\r\n\r\n"
                                       "/one?x");
    forget(&c);
    time_set_for_test(INT64_C(784111778) * US_PER_SECOND);
    client_send(&c, GET("/two"));
    expect(&c, "/two");
    assert_true(has(&c, "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n"));
    time_set_for_test(TIME_NONE);
    assert_string_equal(h.remote, "127.0.0.1");
    assert_int_equal(http_server_connections(h.server), 1);
    assert_int_equal(http_server_busy(h.server), 0);
    client_leave(&c);
    WAIT_FOR(&h, http_server_connections(h.server) == 0);
    client_done(&c);
    house_done(&h);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    HOUSE(h);
    struct client c;

    (void)state;
    client_init(&c, &h);
    client_send(&c, GET("/a") GET("/later") GET("/b") GET("/later") GET("/c"));
    expect(&c, "/a");
    WAIT_FOR(&h, h.pending_count == 1);
    turn_for(&h, 20);
    assert_int_equal(h.handled, 2); /* the next ones wait for this answer */
    assert_false(has(&c, "/b"));
    http_exchange_reply(h.pending[0], 200, NULL, 0, "/late1", 6);
    assert_int_equal(h.handled, 2); /* nothing is handled inside the reply */
    expect(&c, "/b");
    WAIT_FOR(&h, h.pending_count == 2);
    http_exchange_reply(h.pending[1], 200, NULL, 0, "/late2", 6);
    h.pending_count = 0;
    expect(&c, "/c");
    {
        const char *at = c.input.bytes;
        static const char *const order[] = {"/a", "/late1", "/b", "/late2", "/c"};

        for (size_t i = 0; i < 5; i++) {
            at = strstr(at, order[i]);
            assert_non_null(at);
        }
    }
    client_done(&c);
    house_done(&h);
}

/* H41 */
static void a_thousand_pipelined_requests_are_answered(void **state)
{
    HOUSE(h, .max_requests = 2000);
    struct client c;

    (void)state;
    client_init(&c, &h);
    for (int i = 0; i < 1000; i++)
        client_send(&c, i < 999 ? GET("/x") : GET("/last"));
    expect(&c, "/last");
    assert_int_equal(h.handled, 1000);
    client_done(&c);
    house_done(&h);
}

/* More than is kept while an answer is due: the rest stays with the client, nothing is lost. */
static void what_comes_while_an_answer_is_due_is_bounded(void **state)
{
    HOUSE(h, .max_requests = 1000000);
    struct client c;
    char request[1100];
    size_t sent = 0;

    (void)state;
    snprintf(request, sizeof request, "GET /%0900d HTTP/1.1\r\nHost: h\r\n\r\n", 7);
    client_init(&c, &h);
    client_send(&c, GET("/later"));
    WAIT_FOR(&h, h.pending_count == 1);
    for (int64_t until = time_monotonic_ms() + 300; time_monotonic_ms() < until;) {
        ssize_t n = send(c.fd, request + sent % strlen(request),
                         strlen(request) - sent % strlen(request), MSG_NOSIGNAL);

        sent += n > 0 ? (size_t)n : 0;
        turn(&h);
    }
    assert_true(sent > 100 * 1024);
    assert_int_equal(h.handled, 1);
    http_exchange_reply(h.pending[0], 200, NULL, 0, "", 0);
    h.pending_count = 0;
    WAIT_FOR(&h, (client_look(&c), h.handled == 1 + sent / strlen(request)));
    client_done(&c);
    house_done(&h);
}

static void head_is_answered_without_the_body(void **state)
{
    HOUSE(h);
    struct client c;

    (void)state;
    client_init(&c, &h);
    client_send(&c, "HEAD /12345 HTTP/1.1\r\nHost: h\r\n\r\n" GET("/empty") GET("/z"));
    expect(&c, "/z");
    assert_true(has(&c, "Content-Length: 6\r\n\r\nHTTP/1.1 204 No Content\r\nDate: "));
    assert_null(strstr(c.input.bytes, "/12345"));
    assert_null(strstr(c.input.bytes, "Content-Length: 0"));
    client_done(&c);
    house_done(&h);
}

static void http_1_0_is_closed_unless_it_asks_to_stay(void **state)
{
    HOUSE(h);
    struct client stays, goes, leaves;

    (void)state;
    client_init(&stays, &h);
    client_send(&stays, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    expect(&stays, "Connection: keep-alive\r\n\r\n/a");
    client_init(&goes, &h);
    client_send(&goes, "GET /a HTTP/1.0\r\n\r\n");
    expect(&goes, "Connection: close\r\n\r\n/a");
    expect_end(&goes);
    client_init(&leaves, &h);
    client_send(&leaves, "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" GET("/b"));
    expect(&leaves, "Connection: close\r\n\r\n/a");
    expect_end(&leaves);
    assert_false(leaves.reset);
    assert_int_equal(h.handled, 3);
    client_done(&stays);
    client_done(&goes);
    client_done(&leaves);
    house_done(&h);
}

/* H39 */
static void the_body_is_asked_for_after_its_size_was_accepted(void **state)
{
    HOUSE(h);
    struct client c, large;

    (void)state;
    client_init(&c, &h);
    client_send(&c, "PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                    "Content-Length: 4\r\n\r\n");
    expect(&c, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_int_equal(h.bodies_asked, 1);
    assert_int_equal(h.handled, 0);
    client_send(&c, "body");
    expect(&c, "\r\n\r\nbody");
    client_init(&large, &h);
    client_send(&large, "PUT /small HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                        "Content-Length: 11\r\n\r\n");
    expect(&large, "HTTP/1.1 413 ");
    expect_end(&large);
    assert_null(strstr(large.input.bytes, "100 Continue"));
    client_done(&c);
    client_done(&large);
    house_done(&h);
}

static void bodies_arrive_whole_however_they_came(void **state)
{
    HOUSE(h);
    struct client c;
    char head[200];

    (void)state;
    client_init(&c, &h);
    snprintf(head, sizeof head, "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", BIG);
    client_send(&c, head);
    client_send_bytes(&c, big, BIG);
    WAIT_FOR(&h, (client_look(&c), c.input.length > BIG));
    assert_memory_equal(strstr(c.input.bytes, "\r\n\r\n") + 4, big, BIG);
    forget(&c);

    client_send(&c, "PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0; at < BIG / 8; at += 8192) {
        client_send(&c, "2000\r\n");
        client_send_bytes(&c, big + at, 8192);
        client_send(&c, "\r\n");
    }
    client_send(&c, "0\r\n\r\n");
    WAIT_FOR(&h, (client_look(&c), c.input.length > BIG / 8));
    assert_memory_equal(strstr(c.input.bytes, "\r\n\r\n") + 4, big, BIG / 8);
    client_done(&c);
    house_done(&h);
}

/* The client is still sending when it is refused; it must be able to read why. */
static void a_refused_upload_can_read_the_answer(void **state)
{
    HOUSE(h);
    struct client c;
    char head[200];

    (void)state;
    client_init(&c, &h);
    snprintf(head, sizeof head, "PUT /small HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n",
             BIG);
    client_send(&c, head);
    client_send_bytes(&c, big, BIG);
    shutdown(c.fd, SHUT_WR);
    expect_end(&c);
    assert_false(c.reset);
    assert_non_null(strstr(c.input.bytes, "HTTP/1.1 413 Content Too Large\r\n"));
    assert_non_null(strstr(c.input.bytes, "{\"code\":\"body_too_large\"}"));
    WAIT_FOR(&h, http_server_connections(h.server) == 0);
    assert_int_equal(h.handled, 0);
    client_done(&c);
    house_done(&h);
}

static void strangers_are_refused_before_their_body_is_read(void **state)
{
    HOUSE(h, .refuse = refuse_strangers);
    struct client c, stranger, polite;

    (void)state;
    client_init(&c, &h);
    client_send(&c, "PUT /x HTTP/1.1\r\nHost: h\r\nAuthorization: Token x\r\n"
                    "Content-Length: 4\r\n\r\nbody");
    expect(&c, "\r\n\r\nbody");
    assert_null(strstr(c.input.bytes, "Connection: close"));
    client_init(&stranger, &h);
    client_send(&stranger, "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 400\r\n\r\nbo");
    expect(&stranger, "HTTP/1.1 401 ");
    expect(&stranger, "Connection: close\r\n\r\nwho?");
    expect_end(&stranger);
    client_init(&polite, &h); /* without a body the connection goes on */
    client_send(&polite, GET("/x") GET("/y"));
    expect(&polite, "who?");
    expect(&polite, "who?HTTP/1.1 401 ");
    assert_null(strstr(polite.input.bytes, "Connection: close"));
    assert_int_equal(h.handled, 1);
    client_done(&c);
    client_done(&stranger);
    client_done(&polite);
    house_done(&h);
}

static void a_slow_head_is_refused_however_steadily_it_comes(void **state)
{
    HOUSE(h, .head_timeout_ms = 150);
    struct client slow, silent, second;
    int64_t begin = time_monotonic_ms();

    (void)state;
    client_init(&slow, &h);
    client_init(&silent, &h);
    client_init(&second, &h);
    client_send(&second, GET("/x"));
    expect(&second, "/x");
    client_send(&second, "G"); /* the second request has a deadline of its own */
    client_send(&slow, "GET /slow HTTP/1.1\r\nHost: h\r\nX: ");
    while (!has(&slow, "HTTP/1.1 408 Request Timeout\r\n")) {
        client_send(&slow, "x");
        turn_for(&h, 10);
        assert_true(time_monotonic_ms() - begin < PATIENCE_MS);
    }
    assert_in_range(time_monotonic_ms() - begin, 140, 1000);
    expect(&slow, "{\"code\":\"request_timeout\"}");
    expect_end(&slow);
    expect(&second, "HTTP/1.1 408 ");
    expect_end(&silent);
    assert_int_equal(silent.input.length, 0);
    client_done(&slow);
    client_done(&silent);
    client_done(&second);
    house_done(&h);
}

static void a_slow_body_is_refused_however_steadily_it_comes(void **state)
{
    HOUSE(h, .body_timeout_ms = 150);
    struct client c;
    int64_t begin = time_monotonic_ms();

    (void)state;
    client_init(&c, &h);
    client_send(&c, "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
    while (!has(&c, "HTTP/1.1 408 Request Timeout\r\n")) {
        client_send(&c, "x");
        turn_for(&h, 10);
        assert_true(time_monotonic_ms() - begin < PATIENCE_MS);
    }
    assert_in_range(time_monotonic_ms() - begin, 140, 1000);
    expect_end(&c);
    assert_int_equal(h.handled, 0);
    assert_string_equal(h.malformed_path, "/x");
    client_done(&c);
    house_done(&h);
}

static void an_idle_connection_is_closed_in_the_end(void **state)
{
    HOUSE(h, .idle_timeout_ms = 150, .head_timeout_ms = 50);
    struct client c;
    int64_t begin;

    (void)state;
    client_init(&c, &h);
    client_send(&c, GET("/x"));
    expect(&c, "/x");
    turn_for(&h, 80);
    client_send(&c, GET("/y")); /* each request begins the time anew */
    expect(&c, "/y");
    begin = time_monotonic_ms();
    expect_end(&c);
    assert_in_range(time_monotonic_ms() - begin, 140, 1000);
    client_done(&c);
    house_done(&h);
}

/* H45 */
static void a_client_that_never_reads_is_closed(void **state)
{
    HOUSE(h, .write_timeout_ms = 150);
    struct client c;

    (void)state;
    client_init(&c, &h);
    client_send(&c, GET("/big") GET("/x"));
    WAIT_FOR(&h, h.handled == 1);
    assert_int_equal(http_server_busy(h.server), 1);
    WAIT_FOR(&h, http_server_connections(h.server) == 0);
    assert_int_equal(h.handled, 1);
    client_done(&c);
    house_done(&h);
}

static void a_large_answer_arrives_whole(void **state)
{
    HOUSE(h);
    struct client c;

    (void)state;
    client_init(&c, &h);
    client_send(&c, GET("/big") GET("/after"));
    expect(&c, "/after");
    assert_memory_equal(strstr(c.input.bytes, "\r\n\r\n") + 4, big, BIG);
    client_done(&c);
    house_done(&h);
}

/* H43 */
static void a_client_that_leaves_is_noticed_and_its_answer_dropped(void **state)
{
    HOUSE(h);
    struct client c, aborts;

    (void)state;
    client_init(&c, &h);
    client_send(&c, GET("/later"));
    client_init(&aborts, &h);
    client_send(&aborts, GET("/later"));
    WAIT_FOR(&h, h.pending_count == 2);
    assert_int_equal(h.closed, 0);
    assert_int_equal(http_server_busy(h.server), 2);
    client_leave(&c);
    client_abort(&aborts);
    WAIT_FOR(&h, h.closed == 2);
    turn_for(&h, 20);
    assert_int_equal(h.closed, 2); /* once each */
    http_exchange_reply(h.pending[0], 200, NULL, 0, "x", 1);
    http_exchange_reply(h.pending[1], 200, NULL, 0, big, BIG);
    h.pending_count = 0;
    WAIT_FOR(&h, http_server_connections(h.server) == 0 && http_server_busy(h.server) == 0);
    client_done(&c);
    client_done(&aborts);
    house_done(&h);
}

static void the_answer_may_be_given_when_the_client_leaves(void **state)
{
    HOUSE(h);
    struct client c, aborts;

    (void)state;
    client_init(&c, &h);
    client_send(&c, GET("/later-at-close"));
    WAIT_FOR(&h, h.pending_count == 1);
    client_leave(&c);
    WAIT_FOR(&h, h.closed == 1 && http_server_connections(h.server) == 0);
    client_init(&aborts, &h);
    client_send(&aborts, GET("/later-at-close"));
    WAIT_FOR(&h, h.pending_count == 1);
    client_abort(&aborts);
    WAIT_FOR(&h, h.closed == 2 && http_server_connections(h.server) == 0);
    client_done(&c);
    client_done(&aborts);
    house_done(&h);
}

/* H44 */
static void a_client_that_only_stopped_sending_gets_its_answers(void **state)
{
    HOUSE(h);
    struct client c;

    (void)state;
    client_init(&c, &h);
    client_send(&c, GET("/later") GET("/next"));
    shutdown(c.fd, SHUT_WR);
    WAIT_FOR(&h, h.pending_count == 1 && h.closed == 1);
    http_exchange_reply(h.pending[0], 200, NULL, 0, "still", 5);
    h.pending_count = 0;
    expect(&c, "still");
    expect(&c, "/next");
    expect_end(&c);
    assert_false(c.reset);
    client_done(&c);
    house_done(&h);
}

static void a_dropped_exchange_ends_without_a_word(void **state)
{
    HOUSE(h);
    struct client now, late;

    (void)state;
    client_init(&now, &h);
    client_send(&now, GET("/drop"));
    expect_end(&now);
    client_init(&late, &h);
    client_send(&late, GET("/later"));
    WAIT_FOR(&h, h.pending_count == 1);
    http_exchange_drop(h.pending[--h.pending_count]);
    expect_end(&late);
    assert_int_equal(now.input.length + late.input.length, 0);
    assert_int_equal(http_server_connections(h.server), 0);
    assert_int_equal(h.closed, 0); /* it was not the client who left */
    client_done(&now);
    client_done(&late);
    house_done(&h);
}

static void the_arena_can_be_kept(void **state)
{
    HOUSE(h);
    struct client c;

    (void)state;
    client_init(&c, &h);
    client_send(&c, GET("/take?me"));
    expect(&c, "\r\n\r\nme");
    assert_non_null(h.taken);
    client_done(&c);
    house_done(&h);
}

static void draining_ends_connections_after_their_answers(void **state)
{
    HOUSE(h);
    struct client idle, waits, late;

    (void)state;
    client_init(&idle, &h);
    client_send(&idle, GET("/x"));
    expect(&idle, "/x");
    client_init(&waits, &h);
    client_send(&waits, GET("/later"));
    WAIT_FOR(&h, h.pending_count == 1);
    http_server_stop_accepting(h.server);
    http_server_drain(h.server);
    expect_end(&idle);
    assert_int_equal(http_server_busy(h.server), 1);
    client_init(&late, &h); /* the kernel takes it, this worker does not */
    client_send(&late, GET("/late"));
    turn_for(&h, 20);
    assert_int_equal(h.handled, 2);
    http_exchange_reply(h.pending[0], 200, NULL, 0, "done", 4);
    h.pending_count = 0;
    expect(&waits, "Connection: close\r\n\r\ndone");
    expect_end(&waits);
    assert_int_equal(http_server_busy(h.server), 0);
    client_done(&idle);
    client_done(&waits);
    client_done(&late);
    house_done(&h);
}

static void a_freed_server_still_takes_back_its_exchanges(void **state)
{
    HOUSE(h);
    struct client c, d;

    (void)state;
    client_init(&c, &h);
    client_send(&c, GET("/later"));
    client_init(&d, &h);
    client_send(&d, GET("/later-at-close"));
    WAIT_FOR(&h, h.pending_count == 2);
    http_server_free(h.server);
    h.server = NULL;
    assert_int_equal(h.closed, 2);
    expect_end(&c);
    client_done(&c);
    client_done(&d);
    house_done(&h); /* answers what is left */
}

static void no_more_connections_than_allowed_are_accepted(void **state)
{
    HOUSE(h, .max_connections = 2);
    struct client a, b, c;

    (void)state;
    client_init(&a, &h);
    client_init(&b, &h);
    WAIT_FOR(&h, http_server_connections(h.server) == 2);
    client_init(&c, &h);
    client_send(&c, GET("/c"));
    turn_for(&h, 30);
    assert_int_equal(http_server_connections(h.server), 2);
    assert_int_equal(h.handled, 0);
    client_leave(&a);
    expect(&c, "/c");
    client_done(&a);
    client_done(&b);
    client_done(&c);
    house_done(&h);
}

static void accepting_goes_on_after_descriptors_ran_out(void **state)
{
    HOUSE(h);
    struct client c;
    struct rlimit limit, tight;
    int64_t begin;
    int next;

    (void)state;
    client_init(&c, &h);
    client_send(&c, GET("/c"));
    getrlimit(RLIMIT_NOFILE, &limit);
    tight = limit;
    next = dup(0);
    assert_true(next >= 0);
    close(next);
    tight.rlim_cur = (rlim_t)next;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    turn_for(&h, 20);
    begin = time_monotonic_ms(); /* the loop sleeps meanwhile, though somebody waits */
    event_base_loop(h.loop, EVLOOP_ONCE);
    assert_in_range(time_monotonic_ms() - begin, 30, 1000);
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(http_server_connections(h.server), 0);
    expect(&c, "/c");
    client_done(&c);
    house_done(&h);
}

static void a_connection_serves_only_so_many_requests(void **state)
{
    HOUSE(h, .max_requests = 2);
    struct client c;

    (void)state;
    client_init(&c, &h);
    client_send(&c, GET("/1") GET("/2") GET("/3"));
    expect(&c, "Connection: close\r\n\r\n/2");
    expect_end(&c);
    assert_null(strstr(strstr(c.input.bytes, "HTTP/1.1"), "/3"));
    assert_int_equal(h.handled, 2);
    client_done(&c);
    house_done(&h);
}

static void malformed_requests_are_answered_in_the_callers_words(void **state)
{
    HOUSE(h);
    struct client c, foo, tls;

    (void)state;
    client_init(&c, &h);
    client_send(&c, GET("/ok") "GET /ocpi/x?y HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\n" GET("/no"));
    expect(&c, "/ok");
    expect(&c, "HTTP/1.1 400 Bad Request\r\n");
    expect(&c, "Content-Type: application/problem+json\r\n");
    expect(&c, "Connection: close\r\n\r\n{\"code\":\"bad_request\"}");
    expect_end(&c);
    assert_string_equal(h.malformed_path, "/ocpi/x");
    assert_int_equal(h.handled, 1);

    client_init(&foo, &h);
    client_send(&foo, "FOO /x HTTP/1.1\r\nHost: h\r\n\r\n");
    expect(&foo, "HTTP/1.1 405 Method Not Allowed\r\n");
    expect(&foo, "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n");
    expect_end(&foo);

    client_init(&tls, &h); /* H37 */
    client_send_bytes(&tls, "\x16\x03\x01", 3);
    expect(&tls, "HTTP/1.1 400 ");
    expect_end(&tls);
    assert_string_equal(h.malformed_path, "(none)");
    client_done(&c);
    client_done(&foo);
    client_done(&tls);
    house_done(&h);
}

static void a_header_value_cannot_begin_another_header(void **state)
{
    HOUSE(h);
    struct client c;

    (void)state;
    client_init(&c, &h);
    client_send(&c, GET("/inject"));
    expect(&c, "X-Bad: a  Set-Cookie: b\r\nContent-Length: 2\r\n\r\nok");
    client_done(&c);
    house_done(&h);
}

static void unix_sockets_are_served_too(void **state)
{
    struct house h = {.loop = event_base_new()};
    struct sockaddr_un own = {.sun_family = AF_UNIX};
    struct http_server_options options = {.loop = h.loop, .ctx = &h, .handle = handle};
    struct client c = {.house = &h};
    socklen_t length = (socklen_t)offsetof(struct sockaddr_un, sun_path) + 24;

    (void)state;
    snprintf(own.sun_path + 1, 23, "http-test-%d", (int)getpid()); /* abstract: leaves no file */
    h.fd = options.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(h.fd, (struct sockaddr *)&own, length), 0);
    assert_int_equal(listen(h.fd, 10), 0);
    assert_int_equal(http_server_new(&options, &h.server).kind, ERR_NONE);
    c.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(c.fd, (struct sockaddr *)&own, length), 0);
    fcntl(c.fd, F_SETFL, O_NONBLOCK);
    text_init(&c.input, NULL, INPUT_MAX);
    client_send(&c, GET("/u"));
    expect(&c, "/u");
    assert_string_equal(h.remote, "unix");
    client_done(&c);
    house_done(&h);
}

/* ---- TLS ---- */

static char certificate_file[] = "/tmp/http-server-test-XXXXXX";
static char key_file[] = "/tmp/http-server-test-XXXXXX";

static FILE *temporary(char *path)
{
    int fd = mkstemp(path);
    FILE *f;

    assert_true(fd >= 0);
    f = fdopen(fd, "w");
    assert_non_null(f);
    return f;
}

static int make_certificate(void **state)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    FILE *f;

    (void)state;
    big = malloc(BIG);
    assert_non_null(big);
    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)('a' + (i * 7 + i / 1000) % 26);

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    f = temporary(certificate_file);
    PEM_write_X509(f, x);
    fclose(f);
    f = temporary(key_file);
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    X509_free(x);
    EVP_PKEY_free(key);
    return 0;
}

static int remove_certificate(void **state)
{
    (void)state;
    unlink(certificate_file);
    unlink(key_file);
    free(big);
    return 0;
}

static void client_begin_tls(struct client *c, int version)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

    SSL_CTX_set_max_proto_version(tls, version);
    SSL_CTX_set_min_proto_version(tls, TLS1_VERSION);
    SSL_CTX_set_security_level(tls, 0);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    c->ssl = SSL_new(tls);
    SSL_CTX_free(tls); /* the connection has a reference */
    SSL_set_fd(c->ssl, c->fd);
    SSL_set_connect_state(c->ssl);
}

static bool shakes_hands(struct client *c)
{
    int64_t until = time_monotonic_ms() + PATIENCE_MS;

    while (time_monotonic_ms() < until) {
        int result = SSL_do_handshake(c->ssl), why;

        if (result == 1)
            return true;
        why = SSL_get_error(c->ssl, result);
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
            return false;
        turn(c->house);
        rest();
    }
    return false;
}

static void tls_serves_like_plain(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        HOUSE(h, .tls_certificate_file = certificate_file, .tls_key_file = key_file);
        struct client c;
        char head[200];

        client_init(&c, &h);
        client_begin_tls(&c, versions[i]);
        assert_true(shakes_hands(&c));
        assert_int_equal(SSL_version(c.ssl), versions[i]);
        client_send(&c, GET("/tls"));
        expect(&c, "\r\n\r\nyes");
        forget(&c);
        snprintf(head, sizeof head, "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n",
                 BIG / 4);
        client_send(&c, head);
        client_send_bytes(&c, big, BIG / 4);
        WAIT_FOR(&h, (client_look(&c), c.input.length > BIG / 4));
        assert_memory_equal(strstr(c.input.bytes, "\r\n\r\n") + 4, big, BIG / 4);
        forget(&c);
        client_send(&c, GET("/big") GET("/later") GET("/next"));
        WAIT_FOR(&h, (client_look(&c), h.pending_count == 1));
        http_exchange_reply(h.pending[0], 200, NULL, 0, "late", 4);
        h.pending_count = 0;
        expect(&c, "/next");
        assert_memory_equal(strstr(c.input.bytes, "\r\n\r\n") + 4, big, BIG);
        client_send(&c, "GET /end HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        expect(&c, "/end");
        expect_end(&c); /* with a close_notify */
        client_done(&c);
        WAIT_FOR(&h, http_server_connections(h.server) == 0);
        house_done(&h);
    }
}

static void a_tls_client_that_leaves_is_noticed(void **state)
{
    HOUSE(h, .tls_certificate_file = certificate_file, .tls_key_file = key_file);
    struct client c;

    (void)state;
    client_init(&c, &h);
    client_begin_tls(&c, TLS1_3_VERSION);
    assert_true(shakes_hands(&c));
    client_send(&c, GET("/later"));
    WAIT_FOR(&h, h.pending_count == 1);
    client_leave(&c);
    WAIT_FOR(&h, h.closed == 1);
    http_exchange_reply(h.pending[0], 200, NULL, 0, big, BIG);
    h.pending_count = 0;
    WAIT_FOR(&h, http_server_connections(h.server) == 0);
    client_done(&c);
    house_done(&h);
}

/* H38, and versions before 1.2 */
static void what_is_not_modern_tls_gets_no_further(void **state)
{
    HOUSE(h, .tls_certificate_file = certificate_file, .tls_key_file = key_file,
          .head_timeout_ms = 100);
    struct client plain, old, silent;

    (void)state;
    client_init(&plain, &h);
    client_send(&plain, GET("/x"));
    expect_end(&plain);
    assert_false(has(&plain, "HTTP"));
    client_init(&old, &h);
    client_begin_tls(&old, TLS1_1_VERSION);
    assert_false(shakes_hands(&old));
    client_init(&silent, &h); /* a handshake has the time of a head */
    expect_end(&silent);
    WAIT_FOR(&h, http_server_connections(h.server) == 0);
    assert_int_equal(h.handled, 0);
    client_done(&plain);
    client_done(&old);
    client_done(&silent);
    house_done(&h);
}

static void a_server_without_its_certificate_does_not_start(void **state)
{
    struct house h = {.loop = event_base_new()};
    struct http_server_options options = {.loop = h.loop,
                                          .ctx = &h,
                                          .handle = handle,
                                          .tls_certificate_file = "/nonexistent/certificate.pem",
                                          .tls_key_file = key_file};
    struct http_server *server = NULL;

    (void)state;
    options.fd = h.fd = listen_tcp(&h.port);
    assert_true(failed(http_server_new(&options, &server)));
    options.tls_certificate_file = certificate_file;
    options.tls_key_file = certificate_file;
    assert_true(failed(http_server_new(&options, &server)));
    options.tls_key_file = NULL;
    assert_true(failed(http_server_new(&options, &server)));
    assert_null(server);
    close(h.fd);
    event_base_free(h.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_serves_request_after_request),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(a_thousand_pipelined_requests_are_answered),
        cmocka_unit_test(what_comes_while_an_answer_is_due_is_bounded),
        cmocka_unit_test(head_is_answered_without_the_body),
        cmocka_unit_test(http_1_0_is_closed_unless_it_asks_to_stay),
        cmocka_unit_test(the_body_is_asked_for_after_its_size_was_accepted),
        cmocka_unit_test(bodies_arrive_whole_however_they_came),
        cmocka_unit_test(a_refused_upload_can_read_the_answer),
        cmocka_unit_test(strangers_are_refused_before_their_body_is_read),
        cmocka_unit_test(a_slow_head_is_refused_however_steadily_it_comes),
        cmocka_unit_test(a_slow_body_is_refused_however_steadily_it_comes),
        cmocka_unit_test(an_idle_connection_is_closed_in_the_end),
        cmocka_unit_test(a_client_that_never_reads_is_closed),
        cmocka_unit_test(a_large_answer_arrives_whole),
        cmocka_unit_test(a_client_that_leaves_is_noticed_and_its_answer_dropped),
        cmocka_unit_test(the_answer_may_be_given_when_the_client_leaves),
        cmocka_unit_test(a_client_that_only_stopped_sending_gets_its_answers),
        cmocka_unit_test(a_dropped_exchange_ends_without_a_word),
        cmocka_unit_test(the_arena_can_be_kept),
        cmocka_unit_test(draining_ends_connections_after_their_answers),
        cmocka_unit_test(a_freed_server_still_takes_back_its_exchanges),
        cmocka_unit_test(no_more_connections_than_allowed_are_accepted),
        cmocka_unit_test(accepting_goes_on_after_descriptors_ran_out),
        cmocka_unit_test(a_connection_serves_only_so_many_requests),
        cmocka_unit_test(malformed_requests_are_answered_in_the_callers_words),
        cmocka_unit_test(a_header_value_cannot_begin_another_header),
        cmocka_unit_test(unix_sockets_are_served_too),
        cmocka_unit_test(tls_serves_like_plain),
        cmocka_unit_test(a_tls_client_that_leaves_is_noticed),
        cmocka_unit_test(what_is_not_modern_tls_gets_no_further),
        cmocka_unit_test(a_server_without_its_certificate_does_not_start),
    };

    signal(SIGPIPE, SIG_IGN); /* of the clients here */
    return cmocka_run_group_tests(tests, make_certificate, remove_certificate);
}
