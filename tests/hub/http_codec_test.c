/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP codec against requests that are fine and the H cases of the bad-input corpus that
 * concern parsing. Every input is fed whole, cut in two at every offset, and byte by byte; all
 * must tell the same story, written down as one line of text.
 */
#include "base/arena.h"
#include "base/text.h"
#include "hub/server/http_codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { BODY_MAX = 1000, STORY_MAX = 4 * 1024 * 1024 };

struct reader {
    struct http_codec *codec;
    struct text story;
    bool failed;
};

static void read_piece(struct reader *r, const char *bytes, size_t length)
{
    while (!r->failed) {
        struct http_piece piece = {0};
        const struct http_head *head;
        size_t used;

        switch (http_codec_feed(r->codec, bytes, length, &used, &piece)) {
        case HTTP_MORE:
            assert_int_equal(used, length);
            return;
        case HTTP_HEAD:
            head = http_codec_head(r->codec);
            text_printf(&r->story, "[%s %s ? %s 1.%d%s", head->method, head->path, head->query,
                        head->minor, head->keep_alive ? "" : " close");
            for (size_t i = 0; i < head->header_count; i++)
                text_printf(&r->story, " %s=%s", head->headers[i].name, head->headers[i].value);
            text_printf(&r->story, "%s]", head->expect_continue ? " expects" : "");
            http_codec_limit_body(r->codec, BODY_MAX);
            break;
        case HTTP_BODY:
            assert_true(piece.length > 0);
            text_add_bytes(&r->story, piece.bytes, piece.length);
            break;
        case HTTP_END:
            text_add(&r->story, "[end]");
            break;
        case HTTP_ERROR:
            text_printf(&r->story, "!%s", err_info(http_codec_error(r->codec))->name);
            r->failed = true;
            return;
        }
        bytes += used;
        length -= used;
    }
}

static void reader_init(struct reader *r)
{
    *r = (struct reader){.codec = http_codec_new()};
    text_init(&r->story, NULL, STORY_MAX);
}

static void reader_done(struct reader *r)
{
    http_codec_free(r->codec);
    text_done(&r->story);
}

/* Pieces live in buffers of their own size, so that a sanitizer sees a read past their end. */
static void read_copy(struct reader *r, const char *bytes, size_t length)
{
    char *copy = malloc(length ? length : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    read_piece(r, copy, length);
    free(copy);
}

static void expect_bytes(const char *bytes, size_t length, const char *story)
{
    struct reader whole, slow;

    reader_init(&whole);
    read_copy(&whole, bytes, length);
    assert_string_equal(whole.story.length ? whole.story.bytes : "", story);
    reader_done(&whole);

    for (size_t cut = 0; cut <= length && length < 3000; cut++) {
        struct reader r;

        reader_init(&r);
        read_copy(&r, bytes, cut);
        read_copy(&r, bytes + cut, length - cut);
        assert_string_equal(r.story.length ? r.story.bytes : "", story);
        reader_done(&r);
    }
    reader_init(&slow); /* H42 */
    for (size_t i = 0; i < length; i++)
        read_copy(&slow, bytes + i, 1);
    assert_string_equal(slow.story.length ? slow.story.bytes : "", story);
    reader_done(&slow);
}

static void expect(const char *request, const char *story)
{
    expect_bytes(request, strlen(request), story);
}

#define REQUEST(fields) "GET /a HTTP/1.1\r\nHost: h\r\n" fields "\r\n"
#define CHUNKED "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
#define CHUNKED_HEAD "[POST /a ?  1.1 Host=h Transfer-Encoding=chunked]"

static void requests_are_read(void **state)
{
    (void)state;
    expect("GET / HTTP/1.1\r\nHost: hub.example:8080\r\n\r\n",
           "[GET / ?  1.1 Host=hub.example:8080][end]");
    expect("GET /a%2Fb/c?x=1&y=%20?z HTTP/1.1\r\nHost: h\r\n\r\n",
           "[GET /a%2Fb/c ? x=1&y=%20?z 1.1 Host=h][end]");
    expect("HEAD /? HTTP/1.1\r\nhOST:h\r\n\r\n", "[HEAD / ?  1.1 hOST=h][end]");
}

static void fields_lose_the_blanks_around_their_value(void **state)
{
    (void)state;
    expect(REQUEST("A:\r\nB: \t \r\nC:  x  y \t\r\nD:\"\xc3\xbc\"\r\n"),
           "[GET /a ?  1.1 Host=h A= B= C=x  y D=\"\xc3\xbc\"][end]");
}

static void every_method_of_the_list_is_known(void **state)
{
    static const char *const methods[] = {"GET",   "HEAD",   "POST",   "PUT",
                                          "PATCH", "DELETE", "OPTIONS"};
    (void)state;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        char request[100], story[100];

        snprintf(request, sizeof request, "%s /a HTTP/1.1\r\nHost: h\r\n\r\n", methods[i]);
        snprintf(story, sizeof story, "[%s /a ?  1.1 Host=h][end]", methods[i]);
        expect(request, story);
    }
}

static void bodies_are_read_by_length(void **state)
{
    (void)state;
    expect("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
           "[POST /a ?  1.1 Host=h Content-Length=5]hello[end]");
    expect("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
           "[POST /a ?  1.1 Host=h Content-Length=0][end]");
    expect("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0005\r\n\r\nhello",
           "[POST /a ?  1.1 Host=h Content-Length=0005]hello[end]");
    /* H55: a body on GET and DELETE is read like any other. */
    expect("DELETE /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}",
           "[DELETE /a ?  1.1 Host=h Content-Length=2]{}[end]");
}

static void bodies_are_read_by_chunks(void **state)
{
    (void)state;
    expect(CHUNKED "5\r\nhello\r\n00A\r\n, world...\r\n0\r\n\r\n",
           CHUNKED_HEAD "hello, world...[end]");
    expect(CHUNKED "0\r\n\r\n", CHUNKED_HEAD "[end]");
    expect("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
           "[POST /a ?  1.1 Host=h Transfer-Encoding=Chunked]x[end]");
}

static void pipelined_requests_follow_each_other(void **state)
{
    (void)state;
    expect("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
           "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n" CHUNKED "1\r\nc\r\n0\r\n\r\n"
           "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n",
           "[POST /1 ?  1.1 Host=h Content-Length=2]ab[end][GET /2 ?  1.1 Host=h][end]" CHUNKED_HEAD
           "c[end][GET /3 ?  1.1 Host=h][end]");
}

/* H41 */
static void a_thousand_pipelined_requests_are_all_read(void **state)
{
    struct text requests, story;

    (void)state;
    text_init(&requests, NULL, STORY_MAX);
    text_init(&story, NULL, STORY_MAX);
    for (int i = 0; i < 1000; i++) {
        text_printf(&requests, "GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
        text_printf(&story, "[GET /%d ?  1.1 Host=h][end]", i);
    }
    expect_bytes(requests.bytes, requests.length, story.bytes);
    text_done(&requests);
    text_done(&story);
}

static void one_empty_line_before_a_request_is_forgiven(void **state)
{
    (void)state;
    expect("\r\n" REQUEST(""), "[GET /a ?  1.1 Host=h][end]");
    expect(REQUEST("") "\r\n" REQUEST(""),
           "[GET /a ?  1.1 Host=h][end][GET /a ?  1.1 Host=h][end]");
    expect("\r\n\r\n" REQUEST(""), "!BAD_HTTP");
    expect("\n" REQUEST(""), "!BAD_HTTP");
}

static void connections_are_kept_as_asked(void **state)
{
    (void)state;
    expect(REQUEST("Connection: Close\r\n"), "[GET /a ?  1.1 close Host=h Connection=Close][end]");
    expect(REQUEST("Connection: te, close\r\n"),
           "[GET /a ?  1.1 close Host=h Connection=te, close][end]");
    expect(REQUEST("Connection: closer\r\n"), "[GET /a ?  1.1 Host=h Connection=closer][end]");
    /* H35 */
    expect("GET /a HTTP/1.0\r\n\r\n", "[GET /a ?  1.0 close][end]");
    expect("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
           "[GET /a ?  1.0 Connection=keep-alive][end]");
    expect("GET /a HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
           "[GET /a ?  1.0 close Connection=keep-alive, close][end]");
}

static void expectations_are_noticed_or_refused(void **state)
{
    (void)state;
    /* H39, H40 */
    expect("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\nx",
           "[PUT /a ?  1.1 Host=h Content-Length=1 Expect=100-Continue expects]x[end]");
    expect(REQUEST("Expect: 100-continue\r\n"), "[GET /a ?  1.1 Host=h Expect=100-continue][end]");
    expect("PUT /a HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx",
           "[PUT /a ?  1.0 close Content-Length=1 Expect=100-continue]x[end]");
    expect(REQUEST("Expect: a pony\r\n"), "!EXPECTATION");
}

/* H01, H02 */
static void exactly_one_host_is_needed(void **state)
{
    (void)state;
    expect("GET /a HTTP/1.1\r\n\r\n", "!BAD_HTTP");
    expect("GET /a HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", "!BAD_HTTP");
    expect("GET /a HTTP/1.1\r\nHost: h\r\nhost: i\r\n\r\n", "!BAD_HTTP");
    expect("GET /a HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n", "!BAD_HTTP");
    expect("GET /a HTTP/1.1\r\nHost:\r\n\r\n", "!BAD_HTTP");
    expect("GET /a HTTP/1.1\r\nHost: h/x\r\n\r\n", "!BAD_HTTP");
    expect("GET /a HTTP/1.1\r\nHost: u@h\r\n\r\n", "!BAD_HTTP");
    expect("GET /a HTTP/1.1\r\nHost: h i\r\n\r\n", "!BAD_HTTP");
}

#define POST(fields, rest) "POST /a HTTP/1.1\r\nHost: h\r\n" fields "\r\n" rest

/* H03 to H10 */
static void the_length_of_a_body_is_never_guessed(void **state)
{
    (void)state;
    expect(POST("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "!BAD_HTTP");
    expect(POST("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), "!BAD_HTTP");
    expect(POST("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), "!BAD_HTTP");
    expect(POST("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), "!BAD_HTTP");
    expect(POST("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), "!BAD_HTTP");
    expect(POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
           "!BAD_HTTP");
    expect(POST("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n"), "!BAD_HTTP");
    expect(POST("Transfer-Encoding:\r\n", "0\r\n\r\n"), "!BAD_HTTP");
    expect("POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "!BAD_HTTP");
    expect(POST("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), "!BAD_HTTP");
    expect(POST("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), "!BAD_HTTP");
    expect(POST("Content-Length: +5\r\n", "hello"), "!BAD_HTTP");
    expect(POST("Content-Length: 5, 5\r\n", "hello"), "!BAD_HTTP");
    expect(POST("Content-Length: -1\r\n", ""), "!BAD_HTTP");
    expect(POST("Content-Length: 0x5\r\n", "hello"), "!BAD_HTTP");
    expect(POST("Content-Length:\r\n", ""), "!BAD_HTTP");
    expect(POST("Content-Length: 5 5\r\n", ""), "!BAD_HTTP");
    expect(POST("Content-Length: 18446744073709551616\r\n", ""), "!TOO_LARGE");
    expect(POST("Content-Length: 99999999999999999999999999999999\r\n", ""), "!TOO_LARGE");
}

/* H11, H12 */
static void a_body_ends_where_its_length_says(void **state)
{
    (void)state;
    expect(POST("Content-Length: 6\r\n", "hello"), "[POST /a ?  1.1 Host=h Content-Length=6]hello");
    expect(POST("Content-Length: 4\r\n", "hello\x01"),
           "[POST /a ?  1.1 Host=h Content-Length=4]hell[end]!BAD_HTTP");
}

/* H13 to H16 */
static void chunks_are_read_strictly(void **state)
{
    (void)state;
    expect(CHUNKED "0x5\r\nhello\r\n0\r\n\r\n", CHUNKED_HEAD "!BAD_HTTP");
    expect(CHUNKED "+5\r\nhello\r\n0\r\n\r\n", CHUNKED_HEAD "!BAD_HTTP");
    expect(CHUNKED "-5\r\nhello\r\n0\r\n\r\n", CHUNKED_HEAD "!BAD_HTTP");
    expect(CHUNKED " 5\r\nhello\r\n0\r\n\r\n", CHUNKED_HEAD "!BAD_HTTP");
    expect(CHUNKED "5 \r\nhello\r\n0\r\n\r\n", CHUNKED_HEAD "!BAD_HTTP");
    expect(CHUNKED "\r\nhello\r\n0\r\n\r\n", CHUNKED_HEAD "!BAD_HTTP");
    expect(CHUNKED "FFFFFFFFFFFFFFFF\r\n", CHUNKED_HEAD "!BAD_HTTP");
    expect(CHUNKED "FFFFFFFF\r\n", CHUNKED_HEAD "!TOO_LARGE");
    expect(CHUNKED "5\nhello\r\n0\r\n\r\n", CHUNKED_HEAD "!BAD_HTTP");
    expect(CHUNKED "5\r\nhello\n0\r\n\r\n", CHUNKED_HEAD "hello!BAD_HTTP");
    expect(CHUNKED "5\r\nhello!\r\n0\r\n\r\n", CHUNKED_HEAD "hello!BAD_HTTP");
    expect(CHUNKED "5\r\rhello\r\n0\r\n\r\n", CHUNKED_HEAD "!BAD_HTTP");
    expect(CHUNKED "5;a=\"b\"; c\r\nhello\r\n0;x\r\n\r\n", CHUNKED_HEAD "hello[end]");
    expect(CHUNKED "5;a\nb\r\nhello\r\n0\r\n\r\n", CHUNKED_HEAD "!BAD_HTTP");
}

static char *filled(const char *begin, char with, size_t n, const char *end)
{
    size_t length = strlen(begin);
    char *s = malloc(length + n + strlen(end) + 1);

    assert_non_null(s);
    memcpy(s, begin, length);
    memset(s + length, with, n);
    memcpy(s + length + n, end, strlen(end) + 1);
    return s;
}

static void expect_filled(const char *begin, char with, size_t n, const char *end,
                          const char *story)
{
    char *request = filled(begin, with, n, end);

    expect(request, story);
    free(request);
}

/* H15 */
static void chunk_extensions_are_bounded_together(void **state)
{
    (void)state;
    expect_filled(CHUNKED "1;", 'e', 1 << 20, "\r\nx\r\n0\r\n\r\n", CHUNKED_HEAD "!TOO_LARGE");
    expect_filled(CHUNKED "1;", 'e', HTTP_CHUNK_EXTENSIONS_MAX, "\r\nx\r\n0\r\n\r\n",
                  CHUNKED_HEAD "x[end]");
    expect_filled(CHUNKED "1;", 'e', HTTP_CHUNK_EXTENSIONS_MAX, "\r\nx\r\n0;e\r\n\r\n",
                  CHUNKED_HEAD "x!TOO_LARGE");
}

/* H17 */
static void trailers_are_checked_and_dropped(void **state)
{
    (void)state;
    expect(CHUNKED "1\r\nx\r\n0\r\nAuthorization: Token x\r\nContent-Length: 7\r\n\r\n",
           CHUNKED_HEAD "x[end]");
    expect(CHUNKED "0\r\nA : x\r\n\r\n", CHUNKED_HEAD "!BAD_HTTP");
    expect(CHUNKED "0\r\n folded\r\n\r\n", CHUNKED_HEAD "!BAD_HTTP");
    expect(CHUNKED "0\r\nA: x\n\r\n", CHUNKED_HEAD "!BAD_HTTP");
    expect_filled(CHUNKED "0\r\nA:", 'x', HTTP_HEADERS_MAX, "\r\n\r\n",
                  CHUNKED_HEAD "!HEADERS_TOO_LARGE");
}

/* H18 to H20 */
static void field_names_are_tokens(void **state)
{
    (void)state;
    expect(REQUEST(": x\r\n"), "!BAD_HTTP");
    expect(REQUEST("A : x\r\n"), "!BAD_HTTP");
    expect(REQUEST(" A: x\r\n"), "!BAD_HTTP");
    expect(REQUEST("A\r\n"), "!BAD_HTTP");
    expect(REQUEST("A: x\r\n folded\r\n"), "!BAD_HTTP");
    expect(REQUEST("A: x\r\n\tfolded\r\n"), "!BAD_HTTP");
    expect(REQUEST("A(b): x\r\n"), "!BAD_HTTP");
    expect(REQUEST("\xc3\xbc: x\r\n"), "!BAD_HTTP");
    expect("GET /a HTTP/1.1\r\n Host: h\r\n\r\n", "!BAD_HTTP");
}

/* H21, H22, and the bare line feed */
static void no_control_byte_passes(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char value[] = "GET /a HTTP/1.1\r\nHost: h\r\nA: x?y\r\n\r\n";
        char name[] = "GET /a HTTP/1.1\r\nHost: h\r\nA?y: x\r\n\r\n";
        char target[] = "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n";

        *strchr(value, '?') = (char)byte;
        *strchr(name, '?') = (char)byte;
        *strchr(target, '?') = (char)byte;
        if (byte == 0x7f || (byte < ' ' && byte != '\t'))
            expect_bytes(value, sizeof value - 1, "!BAD_HTTP");
        if (byte <= ' ' || byte >= 0x7f)
            expect_bytes(name, sizeof name - 1, "!BAD_HTTP");
        if (byte <= ' ' || byte >= 0x7f || strchr("\"#<>\\^`{|}", byte))
            expect_bytes(target, sizeof target - 1, "!BAD_HTTP");
    }
    expect("GET /a HTTP/1.1\nHost: h\n\n", "!BAD_HTTP");
    expect("GET /a HTTP/1.1\r\nHost: h\r\n\n", "!BAD_HTTP");
    expect("GET /a HTTP/1.1\r\nHost: h\r\nA: x\rB: y\r\n\r\n", "!BAD_HTTP");
}

/* H23, H24 */
static void the_header_section_is_bounded(void **state)
{
    struct text many;
    /* Host: h, A: and the line ends take 13 bytes of it. */
    const size_t fits = HTTP_HEADERS_MAX - 13;
    struct reader r;
    char *request;

    (void)state;
    expect_filled("GET /a HTTP/1.1\r\nHost: h\r\nA:", 'x', 64 * 1024, "\r\n\r\n",
                  "!HEADERS_TOO_LARGE");
    expect_filled("GET /a HTTP/1.1\r\nHost: h\r\nA:", 'x', fits + 1, "\r\n\r\n",
                  "!HEADERS_TOO_LARGE");
    expect_filled("GET /a HTTP/1.1\r\nHost: h\r\n", 'x', 64 * 1024, ": x\r\n\r\n",
                  "!HEADERS_TOO_LARGE");
    expect_filled("GET /a HTTP/1.1\r\nHost: h\r\nA:", ' ', 64 * 1024, "\r\n\r\n",
                  "!HEADERS_TOO_LARGE");
    request = filled("GET /a HTTP/1.1\r\nHost: h\r\nA:", 'x', fits, "\r\n\r\n");
    reader_init(&r);
    read_copy(&r, request, strlen(request));
    assert_false(r.failed);
    assert_int_equal(strlen(http_head_find(http_codec_head(r.codec), "a")), fits);
    reader_done(&r);
    free(request);

    text_init(&many, NULL, STORY_MAX);
    text_add(&many, "GET /a HTTP/1.1\r\nHost: h\r\n");
    for (int i = 1; i < HTTP_FIELDS_MAX; i++)
        text_add(&many, "A:\r\n");
    reader_init(&r);
    read_copy(&r, many.bytes, many.length);
    read_copy(&r, "\r\n", 2);
    assert_false(r.failed);
    assert_int_equal(http_codec_head(r.codec)->header_count, HTTP_FIELDS_MAX);
    reader_done(&r);
    for (int i = 0; i < 1000; i++)
        text_add(&many, "A:\r\n");
    expect_bytes(many.bytes, many.length, "!HEADERS_TOO_LARGE");
    text_done(&many);
}

/* H25 */
static void the_request_line_is_bounded(void **state)
{
    const size_t fits = HTTP_REQUEST_LINE_MAX - strlen("GET / HTTP/1.1");
    struct reader r;
    char *request;

    (void)state;
    expect_filled("GET /", 'x', 64 * 1024, " HTTP/1.1\r\nHost: h\r\n\r\n", "!URI_TOO_LONG");
    expect_filled("GET /", 'x', fits + 1, " HTTP/1.1\r\nHost: h\r\n\r\n", "!URI_TOO_LONG");
    request = filled("GET /", 'x', fits, " HTTP/1.1\r\nHost: h\r\n\r\n");
    reader_init(&r);
    read_copy(&r, request, strlen(request));
    assert_false(r.failed);
    assert_int_equal(strlen(http_codec_head(r.codec)->path), fits + 1);
    reader_done(&r);
    free(request);
    expect_filled("", 'G', 100, " / HTTP/1.1\r\nHost: h\r\n\r\n", "!BAD_HTTP");
}

/* H30 */
static void an_absolute_target_must_be_for_this_host(void **state)
{
    (void)state;
    expect("GET http://h/a?b HTTP/1.1\r\nHost: h\r\n\r\n", "[GET /a ? b 1.1 Host=h][end]");
    expect("GET HTTPS://H:1/a HTTP/1.1\r\nHost: h:1\r\n\r\n", "[GET /a ?  1.1 Host=h:1][end]");
    expect("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", "[GET / ?  1.1 Host=h][end]");
    expect("GET http://h?b HTTP/1.1\r\nHost: h\r\n\r\n", "[GET / ? b 1.1 Host=h][end]");
    expect("GET http://evil/a HTTP/1.1\r\nHost: h\r\n\r\n", "!BAD_HTTP");
    expect("GET http://h.evil/a HTTP/1.1\r\nHost: h\r\n\r\n", "!BAD_HTTP");
    expect("GET http://u@h/a HTTP/1.1\r\nHost: h\r\n\r\n", "!BAD_HTTP");
    expect("GET http://h:80/a HTTP/1.1\r\nHost: h\r\n\r\n", "!BAD_HTTP");
    expect("GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n", "!BAD_HTTP");
    expect("GET ftp://h/a HTTP/1.1\r\nHost: h\r\n\r\n", "!BAD_HTTP");
    expect("GET http://h/a HTTP/1.0\r\n\r\n", "!BAD_HTTP");
    expect("GET a HTTP/1.1\r\nHost: h\r\n\r\n", "!BAD_HTTP");
    expect("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "!BAD_HTTP");
    expect("GET  HTTP/1.1\r\nHost: h\r\n\r\n", "!BAD_HTTP");
}

/* H31 to H33 */
static void other_methods_are_not_allowed(void **state)
{
    (void)state;
    expect("FOO /a HTTP/1.1\r\nHost: h\r\n\r\n", "!METHOD_NOT_ALLOWED");
    expect("get /a HTTP/1.1\r\nHost: h\r\n\r\n", "!METHOD_NOT_ALLOWED");
    expect("GETS /a HTTP/1.1\r\nHost: h\r\n\r\n", "!METHOD_NOT_ALLOWED");
    expect("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", "!METHOD_NOT_ALLOWED");
    expect("TRACE /a HTTP/1.1\r\nHost: h\r\n\r\n", "!METHOD_NOT_ALLOWED");
    expect(" GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "!BAD_HTTP");
    expect("G\tET /a HTTP/1.1\r\nHost: h\r\n\r\n", "!BAD_HTTP");
}

/* H34, H36 */
static void other_versions_are_not_spoken(void **state)
{
    (void)state;
    expect("GET /a\r\n", "!BAD_HTTP");
    expect("GET /a \r\n\r\n", "!BAD_HTTP");
    expect("GET /a HTTP/0.9\r\n\r\n", "!HTTP_VERSION");
    expect("GET /a HTTP/1.2\r\n\r\n", "!HTTP_VERSION");
    expect("GET /a HTTP/9.9\r\n\r\n", "!HTTP_VERSION");
    expect("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "!HTTP_VERSION");
    expect("GET /a HTTP/1.10\r\n\r\n", "!BAD_HTTP");
    expect("GET /a HTTP/1.\r\n\r\n", "!BAD_HTTP");
    expect("GET /a http/1.1\r\n\r\n", "!BAD_HTTP");
    expect("GET /a HTTP/1.1 \r\n\r\n", "!BAD_HTTP");
    expect("GET /a  HTTP/1.1\r\n\r\n", "!BAD_HTTP");
}

/* H37 */
static void tls_on_a_plain_port_is_refused_at_its_first_byte(void **state)
{
    (void)state;
    expect_bytes("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11, "!BAD_HTTP");
    expect_bytes("\x16", 1, "!BAD_HTTP");
}

static void bodies_over_the_limit_are_refused(void **state)
{
    (void)state;
    expect(POST("Content-Length: 1001\r\n", "x"),
           "[POST /a ?  1.1 Host=h Content-Length=1001]!TOO_LARGE");
    expect(CHUNKED "3e9\r\n", CHUNKED_HEAD "!TOO_LARGE");
    expect(CHUNKED "1\r\nx\r\n3e8\r\n", CHUNKED_HEAD "x!TOO_LARGE");
}

/* A caller that forgets the limit gets no body at all. */
static void without_a_limit_no_body_is_read(void **state)
{
    static const char request[] = POST("Content-Length: 1\r\n", "x");
    struct http_codec *c = http_codec_new();
    struct http_piece piece;
    size_t used, rest;

    (void)state;
    assert_int_equal(http_codec_feed(c, request, sizeof request - 1, &used, &piece), HTTP_HEAD);
    rest = sizeof request - 1 - used;
    assert_int_equal(rest, 1);
    assert_int_equal(http_codec_feed(c, request + used, rest, &used, &piece), HTTP_ERROR);
    assert_int_equal(http_codec_error(c), ERR_TOO_LARGE);
    http_codec_free(c);
}

static void expect_path(const char *bytes, const char *path)
{
    struct reader r;

    reader_init(&r);
    read_copy(&r, bytes, strlen(bytes));
    if (path)
        assert_string_equal(http_codec_path_so_far(r.codec), path);
    else
        assert_null(http_codec_path_so_far(r.codec));
    reader_done(&r);
}

static void the_path_of_a_broken_request_is_known_as_far_as_it_came(void **state)
{
    char *longest = filled("GET /ocpi/2.2.1/", 'x', 64 * 1024, "");
    struct reader r;

    (void)state;
    expect_path("", NULL);
    expect_path("GE", NULL);
    expect_path("GET ", NULL);
    expect_path("GET /oc", "/oc");
    expect_path("GET /ocpi/x?y HTTP/9.1\r\n", "/ocpi/x");
    expect_path("GET http://h/ocpi/x?y HTTP/1.1\r\nHost: i\r\n\r\n", "/ocpi/x");
    expect_path("GET /ocpi HTTP/1.1\r\nA : b", "/ocpi");
    expect_path(POST("Content-Length: 1001\r\n", ""), "/a");
    reader_init(&r);
    read_copy(&r, longest, strlen(longest));
    assert_memory_equal(http_codec_path_so_far(r.codec), "/ocpi/2.2.1/xxx", 15);
    reader_done(&r);
    free(longest);
}

static void a_copied_head_outlives_the_codec(void **state)
{
    static const char request[] = "PUT /p?q HTTP/1.1\r\nHost: h\r\nX: 1\r\nx: 2\r\n\r\n";
    struct arena *a = arena_new(100000);
    const struct http_head *head;
    struct reader r;

    (void)state;
    reader_init(&r);
    read_copy(&r, request, sizeof request - 1);
    head = http_codec_copy_head(r.codec, a);
    reader_done(&r);
    assert_string_equal(head->method, "PUT");
    assert_string_equal(head->target, "/p?q");
    assert_string_equal(head->path, "/p");
    assert_string_equal(head->query, "q");
    assert_string_equal(http_head_find(head, "X"), "1");
    assert_string_equal(http_head_find_at(head, "X", 1), "2");
    assert_null(http_head_find_at(head, "X", 2));
    assert_null(http_head_find(head, "Y"));
    assert_int_equal(http_head_count(head, "x"), 2);
    arena_free(a);
}

static void an_idle_codec_gives_memory_back_and_goes_on(void **state)
{
    char *request = filled("GET /", 'x', 7000, " HTTP/1.1\r\nHost: h\r\n\r\n");
    struct reader r;

    (void)state;
    reader_init(&r);
    for (int i = 0; i < 3; i++) {
        assert_true(http_codec_is_idle(r.codec));
        http_codec_trim(r.codec);
        read_copy(&r, request, strlen(request));
        assert_false(r.failed);
    }
    read_copy(&r, "G", 1);
    assert_false(http_codec_is_idle(r.codec));
    reader_done(&r);
    free(request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_read),
        cmocka_unit_test(fields_lose_the_blanks_around_their_value),
        cmocka_unit_test(every_method_of_the_list_is_known),
        cmocka_unit_test(bodies_are_read_by_length),
        cmocka_unit_test(bodies_are_read_by_chunks),
        cmocka_unit_test(pipelined_requests_follow_each_other),
        cmocka_unit_test(a_thousand_pipelined_requests_are_all_read),
        cmocka_unit_test(one_empty_line_before_a_request_is_forgiven),
        cmocka_unit_test(connections_are_kept_as_asked),
        cmocka_unit_test(expectations_are_noticed_or_refused),
        cmocka_unit_test(exactly_one_host_is_needed),
        cmocka_unit_test(the_length_of_a_body_is_never_guessed),
        cmocka_unit_test(a_body_ends_where_its_length_says),
        cmocka_unit_test(chunks_are_read_strictly),
        cmocka_unit_test(chunk_extensions_are_bounded_together),
        cmocka_unit_test(trailers_are_checked_and_dropped),
        cmocka_unit_test(field_names_are_tokens),
        cmocka_unit_test(no_control_byte_passes),
        cmocka_unit_test(the_header_section_is_bounded),
        cmocka_unit_test(the_request_line_is_bounded),
        cmocka_unit_test(an_absolute_target_must_be_for_this_host),
        cmocka_unit_test(other_methods_are_not_allowed),
        cmocka_unit_test(other_versions_are_not_spoken),
        cmocka_unit_test(tls_on_a_plain_port_is_refused_at_its_first_byte),
        cmocka_unit_test(bodies_over_the_limit_are_refused),
        cmocka_unit_test(without_a_limit_no_body_is_read),
        cmocka_unit_test(the_path_of_a_broken_request_is_known_as_far_as_it_came),
        cmocka_unit_test(a_copied_head_outlives_the_codec),
        cmocka_unit_test(an_idle_codec_gives_memory_back_and_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
