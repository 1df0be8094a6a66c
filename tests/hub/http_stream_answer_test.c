/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers in parts over real sockets: whole, in order, bounded while the client does not read, and
 * recognisably broken where they break off.
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
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 16, MANY_LINES = 2 * 1024 * 1024 /* 32 MiB */, PATIENCE_MS = 20000 };

/* Writes lines "00000012       \n" until it has written `lines`. */
struct source {
    struct http_exchange *exchange;
    long at, lines;
    bool whole, closed, ended;
};

struct house {
    struct event_base *loop;
    int fd;
    uint16_t port;
    struct http_server *server;
    struct source source;
};

static void go_on(void *arg)
{
    struct source *s = arg;
    bool room = true;

    if (s->closed)
        return;
    while (room && s->at < s->lines) {
        char lines[64 * LINE + 1];
        int n = 0;
        for (; n < 64 && s->at < s->lines; n++, s->at++)
            snprintf(lines + (size_t)n * LINE, LINE + 1, "%08ld       \n", s->at);
        room = http_exchange_write(s->exchange, lines, (size_t)n * LINE);
    }
    if (s->at < s->lines) {
        http_exchange_on_room(s->exchange, go_on, s);
        return;
    }
    s->ended = true;
    http_exchange_end(s->exchange, s->whole);
}

static void left(void *arg)
{
    struct source *s = arg;

    s->closed = s->ended = true;
    http_exchange_end(s->exchange, false);
}

static void handle(void *ctx, struct http_exchange *x)
{
    struct house *h = ctx;
    const struct http_request *r = http_exchange_request(x);
    const struct http_header_out type = {"Content-Type", "text/csv"};

    h->source = (struct source){
        .exchange = x,
        .lines = strtol(r->path + 1, NULL, 10),
        .whole = strcmp(r->query, "broken") != 0,
    };
    if (strcmp(r->query, "later") == 0)
        return;
    http_exchange_on_close(x, left, &h->source);
    http_exchange_stream(x, 200, &type, 1);
    go_on(&h->source);
}

static void turn(struct house *h)
{
    event_base_loop(h->loop, EVLOOP_NONBLOCK);
    nanosleep(&(struct timespec){0, 50 * 1000}, NULL);
}

static void set_up(struct house *h)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof a;

    *h = (struct house){.loop = event_base_new(), .fd = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(bind(h->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(h->fd, 16), 0);
    assert_int_equal(getsockname(h->fd, (struct sockaddr *)&a, &length), 0);
    h->port = ntohs(a.sin_port);
    const struct http_server_options options = {
        .loop = h->loop, .fd = h->fd, .ctx = h, .handle = handle};
    assert_false(failed(http_server_new(&options, &h->server)));
}

static void tear_down(struct house *h)
{
    http_server_free(h->server);
    close(h->fd);
    event_base_free(h->loop);
}

static int ask(struct house *h, const char *request)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons(h->port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Everything until `end` stands at the end, or the server ends the connection (end NULL). */
static char *read_until(struct house *h, int fd, const char *end, size_t *ret_length)
{
    size_t length = 0, room = 1 << 20;
    char *all = malloc(room);
    int64_t until = time_monotonic_ms() + PATIENCE_MS;

    for (;;) {
        ssize_t n = read(fd, all + length, room - length - 1);
        if (n == 0)
            break;
        if (n < 0) {
            if (errno == ECONNRESET)
                break;
            assert_int_equal(errno, EAGAIN);
            assert_true(time_monotonic_ms() < until);
            turn(h);
            continue;
        }
        length += (size_t)n;
        if (room - length < 1024)
            all = realloc(all, room *= 2);
        if (end && length >= strlen(end) &&
            memcmp(all + length - strlen(end), end, strlen(end)) == 0)
            break;
    }
    all[length] = 0;
    *ret_length = length;
    return all;
}

/* The chunks' bytes, in place; returns their length, or -1 if the last chunk is missing. */
static long unchunk(char *body)
{
    char *from = body, *to = body;

    for (;;) {
        char *rest;
        long size = strtol(from, &rest, 16);
        if (rest == from || strncmp(rest, "\r\n", 2) != 0)
            return -1;
        if (size == 0)
            return to - body;
        memmove(to, rest + 2, (size_t)size);
        to += size;
        from = rest + 2 + size + 2;
    }
}

static char *body_of(char *answer)
{
    char *body = strstr(answer, "\r\n\r\n");

    assert_non_null(body);
    return body + 4;
}

static void check_lines(const char *body, long length, long lines)
{
    assert_int_equal(length, lines * LINE);
    for (long i = 0; i < lines; i++)
        assert_int_equal(strtol(body + i * LINE, NULL, 10), i);
}

static void an_answer_in_parts_arrives_whole_and_the_connection_goes_on(void **state)
{
    struct house h;
    size_t length;

    (void)state;
    set_up(&h);
    int fd = ask(&h, "GET /1000 HTTP/1.1\r\nHost: h\r\n\r\nGET /0 HTTP/1.1\r\nHost: h\r\n\r\n"
                     "GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    char *all = read_until(&h, fd, NULL, &length);
    assert_non_null(strstr(all, "Transfer-Encoding: chunked\r\n"));
    assert_null(strstr(all, "Content-Length"));
    char *second = strstr(all + 1, "HTTP/1.1 200"), *third = strstr(second + 1, "HTTP/1.1 200");
    char *a = body_of(all), *b = body_of(second), *c = body_of(third);
    check_lines(a, unchunk(a), 1000);
    assert_int_equal(unchunk(b), 0);
    check_lines(c, unchunk(c), 3);
    free(all);
    close(fd);
    tear_down(&h);
}

static void a_client_that_does_not_read_holds_the_source_back(void **state)
{
    struct house h;
    size_t length;

    (void)state;
    set_up(&h);
    char request[64];
    snprintf(request, sizeof request, "GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", MANY_LINES);
    int fd = ask(&h, request);
    long before = -1;
    for (int i = 0; i < 2000 && (h.source.at == 0 || h.source.at != before || i < 200); i++) {
        before = h.source.at;
        turn(&h);
    }
    /* What the kernel's buffers and ours hold, and not the rest. */
    assert_true(h.source.at < MANY_LINES / 2);
    char *all = read_until(&h, fd, "\r\n0\r\n\r\n", &length);
    char *body = body_of(all);
    check_lines(body, unchunk(body), MANY_LINES);
    free(all);
    close(fd);
    tear_down(&h);
}

static void a_client_that_leaves_ends_the_source(void **state)
{
    struct house h;

    (void)state;
    set_up(&h);
    char request[64];
    snprintf(request, sizeof request, "GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", MANY_LINES);
    int fd = ask(&h, request);
    while (h.source.at == 0)
        turn(&h);
    close(fd);
    int64_t until = time_monotonic_ms() + PATIENCE_MS;
    while (!h.source.ended) {
        assert_true(time_monotonic_ms() < until);
        turn(&h);
    }
    assert_true(h.source.closed);
    tear_down(&h);
}

/* Who answers may ask to be told only when the client is gone already. */
static void a_client_that_has_been_reset_is_told_to_who_asks_later(void **state)
{
    const struct linger at_once = {.l_onoff = 1};
    struct house h;

    (void)state;
    set_up(&h);
    int fd = ask(&h, "GET /3?later HTTP/1.1\r\nHost: h\r\n\r\n");
    int64_t until = time_monotonic_ms() + PATIENCE_MS;
    while (!h.source.exchange)
        turn(&h);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
    while (http_server_connections(h.server) > 0) {
        assert_true(time_monotonic_ms() < until);
        turn(&h);
    }
    http_exchange_on_close(h.source.exchange, left, &h.source);
    http_exchange_stream(h.source.exchange, 200, NULL, 0);
    assert_false(http_exchange_write(h.source.exchange, "x", 1));
    assert_false(h.source.closed); /* from the loop: the caller may be in the middle of something */
    turn(&h);
    assert_true(h.source.closed);
    tear_down(&h);
}

static void what_breaks_off_has_no_last_chunk(void **state)
{
    struct house h;
    size_t length;

    (void)state;
    set_up(&h);
    int fd = ask(&h, "GET /10?broken HTTP/1.1\r\nHost: h\r\n\r\n");
    char *all = read_until(&h, fd, NULL, &length);
    assert_int_equal(unchunk(body_of(all)), -1);
    free(all);
    close(fd);
    tear_down(&h);
}

static void http_1_0_is_told_the_end_by_the_connection(void **state)
{
    struct house h;
    size_t length;

    (void)state;
    set_up(&h);
    int fd = ask(&h, "GET /2000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    char *all = read_until(&h, fd, NULL, &length);
    assert_null(strstr(all, "Transfer-Encoding"));
    assert_non_null(strstr(all, "Connection: close\r\n"));
    char *body = body_of(all);
    check_lines(body, (long)(length - (size_t)(body - all)), 2000);
    free(all);
    close(fd);
    tear_down(&h);
}

static void a_head_request_gets_the_head(void **state)
{
    struct house h;
    size_t length;

    (void)state;
    set_up(&h);
    int fd = ask(&h, "HEAD /2000 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    char *all = read_until(&h, fd, NULL, &length);
    assert_string_equal(body_of(all), "");
    free(all);
    close(fd);
    tear_down(&h);
}

static void the_server_may_go_while_an_answer_is_under_way(void **state)
{
    struct house h;

    (void)state;
    set_up(&h);
    char request[64];
    snprintf(request, sizeof request, "GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", MANY_LINES);
    int fd = ask(&h, request);
    while (h.source.at == 0)
        turn(&h);
    tear_down(&h);
    assert_true(h.source.ended);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_in_parts_arrives_whole_and_the_connection_goes_on),
        cmocka_unit_test(a_client_that_does_not_read_holds_the_source_back),
        cmocka_unit_test(a_client_that_leaves_ends_the_source),
        cmocka_unit_test(a_client_that_has_been_reset_is_told_to_who_asks_later),
        cmocka_unit_test(what_breaks_off_has_no_last_chunk),
        cmocka_unit_test(http_1_0_is_told_the_end_by_the_connection),
        cmocka_unit_test(a_head_request_gets_the_head),
        cmocka_unit_test(the_server_may_go_while_an_answer_is_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
