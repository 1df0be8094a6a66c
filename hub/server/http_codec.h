/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP codec: strict RFC 9112 requests, bytes in, events out. Pure: no socket, no clock, no loop.
 *
 * One parser decides what a request is, and it does not guess: what two programs could read
 * differently is refused. CRLF only; no control byte anywhere in the head; no blank before a colon;
 * no folding; exactly one Host on 1.1; Content-Length once and digits only; Transfer-Encoding
 * exactly "chunked", never beside Content-Length, never on 1.0; origin-form, or absolute-form whose
 * authority equals Host; methods and versions from a list. Trailers are checked and dropped.
 *
 * However the bytes are cut into pieces, the events are the same. Everything is bounded: the
 * request line, the header section with the trailers, the number of fields, the chunk extensions,
 * and the body by a limit the caller gives once it has seen the head.
 *
 *     http_codec_init(&codec);
 *     while (length > 0) {
 *         size_t used;
 *         event = http_codec_feed(&codec, bytes, length, &used, &piece);
 *         bytes += used, length -= used;
 *         switch (event) ...     HEAD: look, http_codec_limit_body(); BODY: keep the piece;
 *     }                          END: handle; ERROR: answer http_codec_error(), close
 */
#ifndef HUB_SERVER_HTTP_CODEC_H
#define HUB_SERVER_HTTP_CODEC_H

#include "base/err.h"
#include "hub/server/http_head.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_REQUEST_LINE_MAX = 8 * 1024,     /* without its CRLF */
    HTTP_HEADERS_MAX = 16 * 1024,         /* all field lines with their CRLF, trailers included */
    HTTP_FIELDS_MAX = 64,                 /* trailers included */
    HTTP_CHUNK_EXTENSIONS_MAX = 4 * 1024, /* all of one request */
};

enum http_event {
    HTTP_MORE,  /* all bytes are used, nothing to tell yet */
    HTTP_HEAD,  /* the head is complete: see http_codec_head(), then limit the body */
    HTTP_BODY,  /* a piece of the body, inside the bytes just given */
    HTTP_END,   /* the request is complete; the next byte begins another one */
    HTTP_ERROR, /* see http_codec_error(); only closing the connection helps */
};

struct http_piece {
    const char *bytes;
    size_t length;
};

struct arena;
struct http_codec;

struct http_codec *http_codec_new(void);
void http_codec_free(struct http_codec *c); /* NULL is fine */

/* Reads until there is something to tell or the bytes are used up. *ret_used: how many of them;
 * the caller comes back with the rest. A piece of HTTP_BODY points into `bytes`. After HTTP_ERROR
 * nothing more is used. HTTP_HEAD and HTTP_END may come without using a byte (length 0 is fine):
 * keep calling until HTTP_MORE. */
enum http_event http_codec_feed(struct http_codec *c, const char *bytes, size_t length,
                                size_t *ret_used, struct http_piece *ret_piece);

/* Valid from HTTP_HEAD until the first feed after HTTP_END. */
const struct http_head *http_codec_head(const struct http_codec *c);

/* Bodies over `max` bytes become TOO_LARGE; false if the head already says so (and then the codec
 * is in error). Without a call between HTTP_HEAD and the next feed no body is accepted. */
bool http_codec_limit_body(struct http_codec *c, uint64_t max);

/* BAD_HTTP, HTTP_VERSION, METHOD_NOT_ALLOWED, URI_TOO_LONG, HEADERS_TOO_LARGE, TOO_LARGE or
 * EXPECTATION; NONE if there is no error. */
enum err_kind http_codec_error(const struct http_codec *c);

/* True while no byte of a request has come: the connection is idle. */
bool http_codec_is_idle(const struct http_codec *c);
/* True from HTTP_HEAD to HTTP_END. */
bool http_codec_in_body(const struct http_codec *c);
/* The path of the request as far as it is known, for the answer to one that failed or stays
 * unfinished; else NULL. Spoils an unfinished head: close the connection afterwards. */
const char *http_codec_path_so_far(struct http_codec *c);
/* The head with all its strings as one block of the arena. After HTTP_HEAD. */
const struct http_head *http_codec_copy_head(const struct http_codec *c, struct arena *a);
/* Gives back what memory an idle codec can do without. */
void http_codec_trim(struct http_codec *c);

#endif
