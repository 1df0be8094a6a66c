/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP connection: the inside of the server, shared by http_server.c (listener, life),
 * http_connection.c (one client) and http_exchange.c (its answers). Not for others.
 */
#ifndef HUB_SERVER_HTTP_CONNECTION_H
#define HUB_SERVER_HTTP_CONNECTION_H

#include "hub/server/http_server.h"
#include "hub/server/http_stream.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/uio.h>

enum {
    HTTP_READ_BYTES = 64 * 1024,  /* at once */
    HTTP_AHEAD_BYTES = 64 * 1024, /* kept of what comes while an answer is pending */
    HTTP_DATE_BYTES = 32,
    HTTP_REMOTE_BYTES = 48,
    HTTP_HEAD_OUT_BYTES = 2048,
};

struct connection;

struct http_server {
    struct http_server_options options; /* with the defaults filled in; strings not kept */
    char listener[32];
    bool is_unix;
    struct ssl_ctx_st *tls;
    bool owns_tls;
    struct event accept_event, retry_event;
    bool accepting; /* the accept event is in the loop */
    bool stopped, draining, out_of_descriptors;
    bool freed;                     /* only kept for exchanges without an answer */
    struct connection *connections; /* those without a socket too, while an answer is due */
    size_t open;                    /* with a socket */
    char *input;                    /* HTTP_READ_BYTES; what one connection reads in one turn */
    char *record;                   /* STREAM_RECORD, if there is TLS */
    int64_t date_second;
    char date[HTTP_DATE_BYTES]; /* "Sun, 06 Nov 1994 08:49:37 GMT" */
};

/* What they mean and how they follow stands in http_connection.c. */
enum phase { READING_HEAD, READING_BODY, ANSWERING, CLOSING, LINGERING, GONE };

struct buffer {
    char *bytes;
    size_t at, length, capacity; /* at: what has been taken from its front */
};

struct http_exchange {
    struct connection *connection;
    struct arena *arena;          /* NULL: taken */
    struct http_request *request; /* in the arena */
    bool owed;                    /* the caller has it and has not answered */
    bool no_body;                 /* HEAD */
    bool is_old;                  /* HTTP/1.0: must be told that the connection goes on */
    bool keep_alive;
    bool streams; /* the head of its answer has gone, its body comes in parts */
    bool chunked; /* ... in chunks; else it lasts until the end of the connection */
    void (*closed)(void *arg);
    void *arg;
    void (*drained)(void *arg);
    void *drained_arg;
};

struct connection {
    unsigned magic;
    struct http_server *server;
    struct connection *next, *before;
    struct http_stream stream;
    enum phase phase;
    unsigned pins;
    bool ended;            /* the client sends no more; perhaps it still listens */
    bool reading, writing; /* the events are in the loop */
    unsigned requests;
    struct event read_event, write_event, timer;
    struct event
        again;        /* made active by hand: libevent does not add an fd's event that is active */
    int64_t timer_ms; /* when the timer rings; 0: not set. Often earlier than needed. */
    int64_t since_ms; /* when the phase's time began */
    int64_t writing_ms; /* when `out` was last empty */
    bool head_began;    /* READING_HEAD: since_ms is that of the first byte (or the accept) */
    struct http_codec *codec;
    struct buffer ahead, out, body;
    size_t body_max;
    struct http_exchange exchange;
    char remote[HTTP_REMOTE_BYTES];
};

enum { CONNECTION_MAGIC = 0x68747470 };

static inline size_t buffer_left(const struct buffer *b)
{
    return b->length - b->at;
}

/* ---- for http_exchange.c; settle() is the last thing that its functions do ---- */

struct connection *connection_of(void *arg);
void connection_set_phase(struct connection *c, enum phase phase);
/* May close the socket: look at the phase afterwards. */
void connection_send(struct connection *c, const struct iovec *pieces, int count);
void connection_close_socket(struct connection *c);
void connection_forget_exchange(struct connection *c);
void connection_settle(struct connection *c);
/* From the loop, not from here: the caller is in the middle of something. */
void connection_look_soon(struct connection *c);
/* A whole answer; from http_exchange.c, for the errors of http_connection.c too. */
void connection_answer(struct connection *c, int status, const struct http_header_out *headers,
                       size_t header_count, const void *body, size_t length);

/* ---- for http_server.c ---- */

/* Takes the socket. */
void connection_new(struct http_server *s, int fd, const char *remote);
/* The socket goes; the rest when there is no answer due. May free the server's last memory. */
void connection_kill(struct connection *c);
/* Draining has begun: an idle connection goes. */
void connection_drain(struct connection *c);
bool connection_is_open(const struct connection *c); /* has a socket */
bool connection_is_busy(const struct connection *c);
struct connection *connection_next(const struct connection *c);

/* Back in http_server.c: a socket was closed; a connection's memory is gone. */
void server_on_close(struct http_server *s);
void server_on_forgotten(struct http_server *s);
const char *server_date(struct http_server *s);

#endif
