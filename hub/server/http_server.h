/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP server: HTTP/1.1 on a listening socket, TCP or unix, plain or TLS, on libevent's loop.
 *
 * A complete request becomes an exchange and goes to `handle`; the exchange is answered once, at
 * once or later. While the answer is pending the connection is still read (bounded), so that a
 * client that leaves is noticed; pipelined requests wait their turn. Everything a client can use
 * up has a number: connections, requests per connection, head and body bytes, and absolute times
 * for the head, the body and taking the answer.
 *
 * The listening socket belongs to the caller (workers share it) and is not closed here.
 * With TLS the process must not die of SIGPIPE: http_server_new() ignores the signal.
 */
#ifndef HUB_SERVER_HTTP_SERVER_H
#define HUB_SERVER_HTTP_SERVER_H

#include "base/err.h"
#include "hub/server/http_codec.h"
#include "hub/server/http_path.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct event_base;
struct text;

struct http_server;   /* one listening socket and its connections */
struct http_exchange; /* one request and the right, and duty, to answer it once */

/* Lives in the request's arena, with everything it points to. */
struct http_request {
    const char *method; /* one of GET HEAD POST PUT PATCH DELETE OPTIONS */
    const char *target; /* as it came */
    const char *path;   /* undecoded, without the query; see http_path_split() */
    const char *query;  /* after the '?', or ""; see http_query_get() */
    const struct http_header *headers;
    size_t header_count;
    const char *body; /* NUL-terminated for convenience; NULs inside are possible; never NULL */
    size_t body_length;
    const char *remote; /* numeric address without port, or "unix" */
    bool tls;
    int64_t received_ms; /* time_monotonic_ms() when it was complete */
    struct arena *arena;
    const struct http_head *head; /* the same and the rest: version, keep-alive */
};

/* The first value under this name (without case), or NULL. */
const char *http_header(const struct http_request *r, const char *name);
/* Duplicates: how many there are, and the one at `index` (0 is the first), or NULL. */
size_t http_header_count(const struct http_request *r, const char *name);
const char *http_header_at(const struct http_request *r, const char *name, size_t index);

/* A header of an answer. Control bytes in a value are replaced by blanks. */
struct http_header_out {
    const char *name;
    const char *value; /* NULL: the header is left out */
};

struct http_server_options {
    struct event_base *loop;
    int fd;               /* already listening, non-blocking or not */
    const char *listener; /* label of hub_http_connections; NULL: not counted */

    /* TLS if either is given: PEM files (certificate with its chain), or an SSL_CTX, borrowed. */
    const char *tls_certificate_file;
    const char *tls_key_file;
    void *tls_context;

    /* 0 means the default in the comment. */
    size_t max_connections;   /* 10 000; at the limit no more are accepted until one closes */
    unsigned max_requests;    /* 1000 per connection */
    int64_t head_timeout_ms;  /* 10 s from the first byte (or the accept) to the end of the head */
    int64_t body_timeout_ms;  /* 30 s from the end of the head to the end of the body */
    int64_t idle_timeout_ms;  /* 75 s between requests */
    int64_t write_timeout_ms; /* 60 s for the client to take what it asked for */
    size_t arena_max_bytes;   /* 16 MiB: request and what its handler puts there */

    void *ctx;

    /* How large a body this request may have. Called when the head is complete and before
     * "100 Continue" is sent. NULL: 64 KiB. The strings are borrowed for the call. */
    size_t (*body_max)(void *ctx, const struct http_head *head);

    /* Optional: a look at the request before its body is read (body_length is 0), for instance
     * at its credentials. True: it has been answered, the body is not wanted; the connection ends
     * after the answer if there was a body. Called after body_max has been respected. */
    bool (*refuse)(void *ctx, struct http_exchange *x);

    /* A complete request. Answer it once with http_exchange_reply(), now or later. */
    void (*handle)(void *ctx, struct http_exchange *x);

    /* The body of the answer to a request that is no request (HTTP status: err_info(kind)->http).
     * `path` is what is known of it, perhaps cut off, or NULL. ret_body is empty and bounded;
     * *ret_content_type must stay valid (a constant).
     * `request_id` is made for this answer and stands in its X-Request-ID. NULL: one line of plain
     * text. */
    void (*malformed)(void *ctx, enum err_kind kind, const char *path, const char *request_id,
                      struct text *ret_body, const char **ret_content_type);
};

/* Begins to accept. Fails if the certificate or key cannot be used. Strings are not kept. */
struct err http_server_new(const struct http_server_options *options, struct http_server **ret);
/* Closes all connections. Exchanges without an answer stay valid until they get it (it is
 * dropped); their on_close callbacks run. The loop must still exist. NULL is fine. */
void http_server_free(struct http_server *s);

void http_server_stop_accepting(struct http_server *s);
/* Ends every connection as soon as it has nothing to do: idle ones now, the others after their
 * answer, which says Connection: close. One that has not asked anything yet may still ask once.
 * Does not stop accepting by itself. */
void http_server_drain(struct http_server *s);
/* Connections with a request that is being read, worked on or answered; 0: nothing is lost now. */
size_t http_server_busy(const struct http_server *s);
size_t http_server_connections(const struct http_server *s); /* all of them, idle too */

/* Valid until the reply; and after it if the arena was taken. */
const struct http_request *http_exchange_request(const struct http_exchange *x);

/* The caller now owns the request's memory and frees it (after the reply, or before if it asks no
 * more for the request). Once per exchange. */
struct arena *http_exchange_take_arena(struct http_exchange *x);

/*
 * Answers. Everything is copied or sent before this returns; x is invalid afterwards. Every
 * exchange must be answered exactly once, also when its client has left: the answer is then
 * dropped. Date, Content-Length and Connection are written here; HEAD and 304 send no body, 204
 * neither body nor length. Runs no callback of the caller for this or another exchange: pipelined
 * requests are handled from the loop when the reply came later than `handle`.
 */
void http_exchange_reply(struct http_exchange *x, int status, const struct http_header_out *headers,
                         size_t header_count, const void *body, size_t length);

/*
 * An answer in parts, for what is too long to be held: the head (200), any number of writes, the
 * end. In chunks; to HTTP/1.0 until the connection ends. The exchange stays valid until the end.
 * write: copied or sent. false: enough for now, or the client has left (on_close tells); wait for
 * on_room, which is called once from the loop when all that was written has gone.
 * end: whole=false breaks the connection off, so that nobody takes half for the whole.
 */
enum { HTTP_STREAM_BYTES = 256 * 1024 }; /* that wait for a client */
void http_exchange_stream(struct http_exchange *x, int status,
                          const struct http_header_out *headers, size_t header_count);
bool http_exchange_write(struct http_exchange *x, const void *bytes, size_t length);
void http_exchange_on_room(struct http_exchange *x, void (*room)(void *arg), void *arg);
void http_exchange_end(struct http_exchange *x, bool whole);

/* Closes the connection without an answer, as a broken peer would: for simulators and tests. */
void http_exchange_drop(struct http_exchange *x);

/* Calls closed(arg) once if the client leaves before the answer. It must still be answered. The
 * caller may answer inside the callback. NULL takes the wish back. */
void http_exchange_on_close(struct http_exchange *x, void (*closed)(void *arg), void *arg);

#endif
