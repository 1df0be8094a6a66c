/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripted server: a partner that does exactly what a test tells it, on a port of 127.0.0.1.
 *
 * Each connection has a thread. It reads one request after the other (head, and the body that
 * Content-Length announces), notes it, and lets the script act; the script says whether to go on.
 */
#ifndef FAKE_SCRIPTED_SERVER_H
#define FAKE_SCRIPTED_SERVER_H

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SCRIPTED_REQUESTS = 64, SCRIPTED_CONNECTIONS = 2048, SCRIPTED_BYTES = 16384 };

enum scripted_next {
    SCRIPTED_GO_ON,
    SCRIPTED_CLOSE,
    SCRIPTED_RESET, /* RST instead of FIN */
};

struct scripted_server {
    /* `request` is the whole text; `number` counts from 1 over all connections. */
    enum scripted_next (*act)(struct scripted_server *s, int fd, const char *request, int number);
    const void *script; /* for act */
    size_t script_bytes;

    int port;
    int listener;
    pthread_t acceptor;
    pthread_mutex_t lock;
    bool stopping;
    int connections, requests, now, most_at_once;
    int fds[SCRIPTED_CONNECTIONS];
    pthread_t threads[SCRIPTED_CONNECTIONS];
    char *seen[SCRIPTED_REQUESTS]; /* the first of them */
};

struct scripted_connection_ {
    struct scripted_server *server;
    int fd;
};

static inline void scripted_write(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        bytes += n;
        length -= (size_t)n;
    }
}

/* An answer with a JSON body. */
static inline void scripted_answer(int fd, int status, const char *body)
{
    char head[256];
    int length = snprintf(head, sizeof(head),
                          "HTTP/1.1 %d Scripted\r\nContent-Type: application/json\r\n"
                          "Content-Length: %zu\r\n\r\n",
                          status, strlen(body));

    scripted_write(fd, head, (size_t)length);
    scripted_write(fd, body, strlen(body));
}

static inline void scripted_wait(struct scripted_server *s, int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};

    (void)s;
    poll(&p, 1, ms);
}

/* The whole request, NUL-terminated; false when the other side is through. */
static inline bool scripted_read_(int fd, char *request)
{
    size_t have = 0, need = 0;

    for (;;) {
        request[have] = '\0';
        char *end = strstr(request, "\r\n\r\n");
        if (end && !need) {
            const char *length = strcasestr(request, "\r\ncontent-length:");
            need = (size_t)(end + 4 - request);
            if (length && length < end)
                need += strtoul(length + 17, NULL, 10);
        }
        if (need && have >= need)
            return true;
        ssize_t n = recv(fd, request + have, SCRIPTED_BYTES - 1 - have, 0);
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
}

static inline void *scripted_connection_run_(void *context)
{
    struct scripted_connection_ c = *(struct scripted_connection_ *)context;
    struct scripted_server *s = c.server;
    char *request = malloc(SCRIPTED_BYTES);
    enum scripted_next next = SCRIPTED_GO_ON;

    free(context);
    assert(request);
    while (next == SCRIPTED_GO_ON && scripted_read_(c.fd, request)) {
        pthread_mutex_lock(&s->lock);
        int number = ++s->requests;
        if (number <= SCRIPTED_REQUESTS)
            s->seen[number - 1] = strdup(request);
        if (++s->now > s->most_at_once)
            s->most_at_once = s->now;
        pthread_mutex_unlock(&s->lock);
        next = s->act(s, c.fd, request, number);
        pthread_mutex_lock(&s->lock);
        s->now--;
        pthread_mutex_unlock(&s->lock);
    }
    free(request);
    if (next == SCRIPTED_RESET) {
        struct linger at_once = {1, 0};
        setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->connections; i++)
        if (s->fds[i] == c.fd)
            s->fds[i] = -1;
    close(c.fd);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static inline void *scripted_accept_run_(void *context)
{
    struct scripted_server *s = context;

    for (;;) {
        int fd = accept(s->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        struct scripted_connection_ *c = malloc(sizeof(*c));
        assert(c && s->connections < SCRIPTED_CONNECTIONS);
        *c = (struct scripted_connection_){s, fd};
        pthread_mutex_lock(&s->lock);
        s->fds[s->connections] = fd;
        pthread_create(&s->threads[s->connections], NULL, scripted_connection_run_, c);
        s->connections++;
        pthread_mutex_unlock(&s->lock);
    }
}

static inline struct scripted_server *scripted_new(
    enum scripted_next (*act)(struct scripted_server *s, int fd, const char *request, int number))
{
    struct scripted_server *s = calloc(1, sizeof(*s));
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(where);

    assert(s);
    s->act = act;
    pthread_mutex_init(&s->lock, NULL);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(s->listener >= 0);
    int bound = bind(s->listener, (struct sockaddr *)&where, size);
    int listening = listen(s->listener, 128);
    int named = getsockname(s->listener, (struct sockaddr *)&where, &size);
    assert(bound == 0 && listening == 0 && named == 0);
    (void)bound, (void)listening, (void)named;
    s->port = ntohs(where.sin_port);
    pthread_create(&s->acceptor, NULL, scripted_accept_run_, s);
    return s;
}

/* No new connections from now on: they are refused. */
static inline void scripted_stop_listening(struct scripted_server *s)
{
    if (s->listener < 0)
        return;
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->acceptor, NULL);
    close(s->listener);
    s->listener = -1;
}

static inline void scripted_free(struct scripted_server *s)
{
    scripted_stop_listening(s);
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    for (int i = 0; i < s->connections; i++)
        if (s->fds[i] >= 0)
            shutdown(s->fds[i], SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; i < s->connections; i++)
        pthread_join(s->threads[i], NULL);
    for (int i = 0; i < SCRIPTED_REQUESTS; i++)
        free(s->seen[i]);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* How many requests have arrived so far. */
static inline int scripted_requests(struct scripted_server *s)
{
    pthread_mutex_lock(&s->lock);
    int n = s->requests;
    pthread_mutex_unlock(&s->lock);
    return n;
}

#endif
