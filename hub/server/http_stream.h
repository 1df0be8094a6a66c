/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP stream: a connected, non-blocking socket, plain or TLS, read and written alike.
 *
 * Written on the sockets themselves rather than on bufferevents: a request that fits one read is
 * parsed where it was read, and its answer leaves in one call without a turn through epoll.
 */
#ifndef HUB_SERVER_HTTP_STREAM_H
#define HUB_SERVER_HTTP_STREAM_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct iovec;
struct ssl_ctx_st; /* OpenSSL's SSL_CTX */
struct ssl_st;     /* and SSL */

struct http_stream {
    int fd; /* -1: closed */
    struct ssl_st *ssl;
    bool read_needs_write; /* a TLS handshake has something to send before it can read on */
};

enum { STREAM_AGAIN = -1, STREAM_END = -2, STREAM_FAILED = -3 };
enum { STREAM_RECORD = 16 * 1024 }; /* what a TLS record carries at most */

/* A server's context: TLS 1.2 and newer, AEAD ciphers with forward secrecy. */
struct err http_tls_new(const char *certificate_file, const char *key_file,
                        struct ssl_ctx_st **ret);
void http_tls_free(struct ssl_ctx_st *tls);

/* Takes the socket; tls NULL: plain. Returns false (and closes the socket) if TLS cannot begin. */
bool http_stream_init(struct http_stream *s, int fd, struct ssl_ctx_st *tls);
/* How many bytes (> 0), or one of the words above. */
ssize_t http_stream_read(struct http_stream *s, void *buffer, size_t size);
/* May write less than given. `record`: STREAM_RECORD bytes to put pieces together in, for TLS. */
ssize_t http_stream_write(struct http_stream *s, const struct iovec *pieces, int count,
                          char *record);
/* Bytes have been taken from the socket that a read has not delivered yet: no event will tell. */
bool http_stream_holds_back(const struct http_stream *s);
/* Says that nothing more comes from us; afterwards only http_stream_discard(). */
void http_stream_finish(struct http_stream *s);
/* Reads and forgets raw bytes; as http_stream_read(). */
ssize_t http_stream_discard(struct http_stream *s, void *buffer, size_t size);
void http_stream_close(struct http_stream *s);

#endif
