/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP server: the listening socket, and the life of the whole.
 *
 * Accepting pauses in two cases, and a client then waits in the kernel's queue: the server has all
 * the connections it wants (until one closes), or the process has no descriptor left (until one
 * closes or a moment has passed; without the pause the loop would spin on a readable listener).
 */
#include "hub/server/http_connection.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/time.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>

enum { RETRY_MS = 100 };

/* Accepts or not, as things are. */
static void server_settle(struct http_server *s)
{
    bool wanted = !s->stopped && !s->out_of_descriptors && s->open < s->options.max_connections;

    if (wanted == s->accepting)
        return;
    s->accepting = wanted;
    if (wanted)
        event_add(&s->accept_event, NULL);
    else
        event_del(&s->accept_event);
}

static void count_connections(const struct http_server *s)
{
    if (s->listener[0])
        metric_set(METRIC_HTTP_CONNECTIONS, s->listener, (int64_t)s->open);
}

static const char *print_address(const struct sockaddr_storage *from, char *to, size_t size)
{
    const void *address = NULL;
    int family = from->ss_family;

    if (family == AF_INET) {
        address = &((const struct sockaddr_in *)from)->sin_addr;
    } else if (family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)from)->sin6_addr;

        address = six;
        if (IN6_IS_ADDR_V4MAPPED(six)) {
            family = AF_INET;
            address = six->s6_addr + 12;
        }
    }
    if (!address || !inet_ntop(family, address, to, (socklen_t)size))
        return "unknown";
    return to;
}

static void pause_accepting(struct http_server *s)
{
    if (!s->out_of_descriptors)
        log_line(LOG_WARN, "no descriptors left, accepting pauses",
                 LOG_INT("connections", (int64_t)s->open));
    s->out_of_descriptors = true;
    event_add(&s->retry_event, &(struct timeval){0, RETRY_MS * 1000});
    server_settle(s);
}

/* One at a time: several workers wait at the same socket, and connections should spread. */
static void on_connection(evutil_socket_t listener, short what, void *arg)
{
    struct http_server *s = arg;
    struct sockaddr_storage from = {0};
    socklen_t length = sizeof from;
    char remote[INET6_ADDRSTRLEN];
    int fd = accept4(listener, (struct sockaddr *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)what;
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_accepting(s);
        return; /* taken by another worker, or gone again */
    }
    connection_new(s, fd, s->is_unix ? "unix" : print_address(&from, remote, sizeof remote));
    count_connections(s);
    server_settle(s);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *s = arg;

    (void)fd, (void)what;
    s->out_of_descriptors = false;
    server_settle(s);
}

void server_on_close(struct http_server *s)
{
    assert(s->open > 0);
    s->open--;
    count_connections(s);
    if (!s->freed)
        server_settle(s);
}

static void server_forget(struct http_server *s)
{
    if (s->owns_tls)
        http_tls_free(s->tls);
    free(s->input);
    free(s->record);
    free(s);
}

void server_on_forgotten(struct http_server *s)
{
    if (s->freed && !s->connections)
        server_forget(s);
}

const char *server_date(struct http_server *s)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = (time_t)(time_now_us() / US_PER_SECOND);
    struct tm t;

    if (now == s->date_second && s->date[0])
        return s->date;
    s->date_second = now;
    gmtime_r(&now, &t);
    snprintf(s->date, sizeof s->date, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[t.tm_wday],
             t.tm_mday, months[t.tm_mon], (t.tm_year + 1900) % 10000, t.tm_hour, t.tm_min,
             t.tm_sec);
    return s->date;
}

static struct err set_tls(struct http_server *s, const struct http_server_options *o)
{
    if (o->tls_context) {
        s->tls = o->tls_context;
    } else if (o->tls_certificate_file || o->tls_key_file) {
        TRY(http_tls_new(o->tls_certificate_file, o->tls_key_file, &s->tls));
        s->owns_tls = true;
    }
    if (!s->tls)
        return OK;
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    s->record = malloc(STREAM_RECORD);
    assert(s->record);
    return OK;
}

/* The kernel copies TCP_NODELAY to each accepted socket: one call instead of one per client. */
static struct err set_socket(struct http_server *s, int fd)
{
    struct sockaddr_storage own = {0};
    socklen_t length = sizeof own;
    int flags = fcntl(fd, F_GETFL), one = 1;

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        getsockname(fd, (struct sockaddr *)&own, &length) < 0)
        return (struct err){ERR_INTERNAL, "the listening socket cannot be used", 0};
    s->is_unix = own.ss_family == AF_UNIX;
    if (!s->is_unix)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return OK;
}

static int64_t or_default(int64_t value, int64_t default_value)
{
    return value > 0 ? value : default_value;
}

struct err http_server_new(const struct http_server_options *options, struct http_server **ret)
{
    struct http_server *s = calloc(1, sizeof *s);
    struct http_server_options *o;
    struct err e;

    assert(s && options->loop && options->handle);
    o = &s->options;
    *o = *options;
    o->listener = o->tls_certificate_file = o->tls_key_file = NULL;
    o->max_connections = (size_t)or_default((int64_t)o->max_connections, 10000);
    o->max_requests = (unsigned)or_default(o->max_requests, 1000);
    o->head_timeout_ms = or_default(o->head_timeout_ms, SECONDS(10));
    o->body_timeout_ms = or_default(o->body_timeout_ms, SECONDS(30));
    o->idle_timeout_ms = or_default(o->idle_timeout_ms, SECONDS(75));
    o->write_timeout_ms = or_default(o->write_timeout_ms, SECONDS(60));
    o->arena_max_bytes = (size_t)or_default((int64_t)o->arena_max_bytes, 16 * 1024 * 1024);
    text_copy(s->listener, sizeof s->listener, options->listener ? options->listener : "");

    e = set_socket(s, o->fd);
    if (!failed(e))
        e = set_tls(s, options);
    if (failed(e)) {
        server_forget(s);
        return e;
    }
    s->input = malloc(HTTP_READ_BYTES);
    assert(s->input);
    event_assign(&s->accept_event, o->loop, o->fd, EV_READ | EV_PERSIST, on_connection, s);
    evtimer_assign(&s->retry_event, o->loop, on_retry, s);
    server_settle(s);
    *ret = s;
    return OK;
}

void http_server_stop_accepting(struct http_server *s)
{
    s->stopped = true;
    server_settle(s);
}

void http_server_drain(struct http_server *s)
{
    s->draining = true;
    for (struct connection *c = s->connections, *next; c; c = next) {
        next = connection_next(c);
        connection_drain(c);
    }
}

size_t http_server_busy(const struct http_server *s)
{
    size_t n = 0;

    for (const struct connection *c = s->connections; c; c = connection_next(c))
        n += connection_is_busy(c);
    return n;
}

size_t http_server_connections(const struct http_server *s)
{
    return s->open;
}

static struct connection *first_open(struct http_server *s)
{
    struct connection *c = s->connections;

    while (c && !connection_is_open(c))
        c = connection_next(c);
    return c;
}

void http_server_free(struct http_server *s)
{
    struct connection *c;

    if (!s)
        return;
    http_server_stop_accepting(s);
    event_del(&s->retry_event);
    /* From the front each time: a callback may answer, and so end, any of them. */
    while ((c = first_open(s)))
        connection_kill(c);
    s->freed = true;
    server_on_forgotten(s);
}

const char *http_header(const struct http_request *r, const char *name)
{
    return http_head_find(r->head, name);
}

size_t http_header_count(const struct http_request *r, const char *name)
{
    return http_head_count(r->head, name);
}

const char *http_header_at(const struct http_request *r, const char *name, size_t index)
{
    return http_head_find_at(r->head, name, index);
}
