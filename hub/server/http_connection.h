/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP connection: the inside of the server, shared by http_server.c (listener, life) and
 * http_connection.c (one client). Not for others.
 */
#ifndef HUB_SERVER_HTTP_CONNECTION_H
#define HUB_SERVER_HTTP_CONNECTION_H

#include "hub/server/http_server.h"
#include "hub/server/http_stream.h"

#include <event2/event.h>
#include <event2/event_struct.h>

enum {
    HTTP_READ_BYTES = 64 * 1024,  /* at once */
    HTTP_AHEAD_BYTES = 64 * 1024, /* kept of what comes while an answer is pending */
    HTTP_DATE_BYTES = 32,
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
