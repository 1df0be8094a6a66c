/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: the HTTP codec. The first byte says how many bytes follow that give the lengths of
 * the pieces (used in turn); the rest is what a client sends. Told whole and in pieces it must be
 * the same story, and the story must keep the promises of http_codec.h.
 */
#include "base/arena.h"
#include "base/text.h"
#include "hub/server/http_codec.h"
#include "hub/server/http_path.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BODY_MAX = 4096, STORY_MAX = 64 * 1024 * 1024 };

struct reader {
    struct http_codec *codec;
    struct text story;
    size_t body_bytes;
    bool failed;
};

static void check_text(const char *s)
{
    for (; *s; s++)
        assert(*s == '\t' || ((unsigned char)*s >= ' ' && *s != 0x7f));
}

static void check_head(const struct http_head *head)
{
    struct arena *a = arena_new(16 * 1024 * 1024);
    struct http_path path;

    assert(head->path[0] == '/' && !strchr(head->path, '?'));
    assert(head->header_count <= HTTP_FIELDS_MAX);
    assert(http_head_count(head, "Host") == 1 ||
           (head->minor == 0 && !http_head_find(head, "Host")));
    assert(http_head_count(head, "Content-Length") <= 1);
    assert(!head->chunked || !http_head_find(head, "Content-Length"));
    assert(!head->chunked || (head->minor == 1 && head->content_length == 0));
    check_text(head->target);
    for (size_t i = 0; i < head->header_count; i++) {
        check_text(head->headers[i].name);
        check_text(head->headers[i].value);
        assert(head->headers[i].name[0]);
    }
    if (!failed(http_path_split(a, head->path, &path))) {
        for (size_t i = 0; i < path.count; i++)
            assert(text_is_utf8(path.segments[i], strlen(path.segments[i])));
    }
    http_query_get(a, head->query, "a", NULL);
    arena_free(a);
}

static void tell_head(struct reader *r)
{
    const struct http_head *head = http_codec_head(r->codec);

    check_head(head);
    text_printf(&r->story, "[%s|%s|%s|%d|%d|%d|%llu", head->method, head->path, head->query,
                head->minor, head->keep_alive, head->expect_continue,
                (unsigned long long)head->content_length);
    for (size_t i = 0; i < head->header_count; i++)
        text_printf(&r->story, "|%s=%s", head->headers[i].name, head->headers[i].value);
    text_add(&r->story, "]");
    r->body_bytes = 0;
    http_codec_limit_body(r->codec, BODY_MAX);
}

static void read_piece(struct reader *r, const char *bytes, size_t length)
{
    while (!r->failed) {
        struct http_piece piece = {0};
        size_t used;
        enum http_event event = http_codec_feed(r->codec, bytes, length, &used, &piece);

        assert(used <= length);
        switch (event) {
        case HTTP_MORE:
            assert(used == length);
            return;
        case HTTP_HEAD:
            tell_head(r);
            break;
        case HTTP_BODY:
            assert(piece.length > 0 && piece.bytes >= bytes &&
                   piece.bytes + piece.length <= bytes + used);
            text_add_bytes(&r->story, piece.bytes, piece.length);
            r->body_bytes += piece.length;
            assert(r->body_bytes <= BODY_MAX);
            break;
        case HTTP_END:
            assert(http_codec_head(r->codec)->chunked ||
                   http_codec_head(r->codec)->content_length == r->body_bytes);
            assert(http_codec_is_idle(r->codec));
            text_add(&r->story, "[end]");
            break;
        case HTTP_ERROR:
            text_printf(&r->story, "!%d", http_codec_error(r->codec));
            r->failed = true;
            break;
        }
        bytes += used;
        length -= used;
    }
}

/* A buffer of its own for each piece, so that reading past its end is seen. */
static void read_copy(struct reader *r, const uint8_t *bytes, size_t length)
{
    char *copy = malloc(length ? length : 1);

    assert(copy);
    memcpy(copy, bytes, length);
    read_piece(r, copy, length);
    free(copy);
}

static void tell_path(struct reader *r)
{
    const char *path = http_codec_path_so_far(r->codec);

    text_printf(&r->story, "@%s", path ? path : "-");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader whole = {.codec = http_codec_new()}, pieces = {.codec = http_codec_new()};
    const uint8_t *lengths;
    size_t count, at = 0;

    text_init(&whole.story, NULL, STORY_MAX);
    text_init(&pieces.story, NULL, STORY_MAX);
    count = size > 0 ? data[0] % 8 : 0;
    if (size < count + 1)
        count = 0;
    lengths = data + 1;
    data += size > 0 ? count + 1 : 0;
    size -= size > 0 ? count + 1 : 0;

    read_copy(&whole, data, size);
    for (size_t i = 0; at < size; i++) {
        size_t length = count > 0 ? lengths[i % count] : 1;

        if (length > size - at)
            length = size - at;
        read_copy(&pieces, data + at, length);
        at += length;
        if (length == 0 && i > 2 * size)
            break;
    }
    if (at < size)
        read_copy(&pieces, data + at, size - at); /* all lengths were 0 */
    tell_path(&whole);
    tell_path(&pieces);
    assert(whole.story.length == pieces.story.length);
    assert(memcmp(whole.story.bytes, pieces.story.bytes, whole.story.length) == 0);
    http_codec_free(whole.codec);
    http_codec_free(pieces.codec);
    text_done(&whole.story);
    text_done(&pieces.story);
    return 0;
}
