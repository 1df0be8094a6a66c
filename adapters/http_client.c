/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP client: libcurl's multi interface, driven by the loop.
 *
 *               guard, limits              slot of the host free
 *   http_run ---------------> WAITING ---------------------------> RUNNING
 *      |                         | deadline                          | done, deadline, a limit
 *      +-------------------------+-----------------------------------+--> ENDED: done(), freed
 *
 * What holds true:
 *   - A call owns copies of all it was given; it outlives the flow that asked.
 *   - The deadline runs from http_run on, waiting included, by a timer of our own.
 *   - NOT_SENT is said only if curl wrote no byte of the request on any connection.
 *   - A handle is removed from curl outside of curl's callbacks only.
 */
#include "adapters/http_client.h"

#include <assert.h>
#include <curl/curl.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "adapters/http_run.h"
#include "adapters/http_turns.h"
#include "adapters/url_guard.h"
#include "base/text.h"
#include "base/time.h"

enum {
    CALL_MAGIC = 0x48545450,
    POOL_MAX = 64,          /* easy handles kept for the next call */
    IDLE_CONNECTIONS = 200, /* kept open towards all hosts together */
    IDLE_SECONDS = 50,      /* below the minute after which many servers hang up */
    JUST_USED_SECONDS = 1,  /* not even a server in a hurry has hung up since */
    LIFE_SECONDS = 600,     /* so that a change in the name service is noticed */
    DEFAULT_PER_HOST = 50,
    DEFAULT_CONNECT_MS = 3000,
    DEFAULT_TOTAL_MS = 10000,
    DEFAULT_ANSWER = 1024 * 1024,
    HEADERS_MAX = 16 * 1024,
    CALL_MEMORY = 64 * 1024 * 1024,
    COMPOSED_URL_MAX = 4096,
    SLOW_WINDOW_MS = 10000, /* once the answer has begun: at least ... */
    SLOW_WINDOW_BYTES = 1000,
};

struct transfer {
    unsigned magic;
    struct http_turn turn; /* .running: curl has it */
    void (*done)(void *context, const struct http_answer *answer);
    void *context;
    struct arena *arena;
    struct http_call call; /* our own copy */
    bool needs_private;
    struct transfer *all_next, **all_link;

    CURL *easy;
    struct curl_slist *headers;
    char curl_error[CURL_ERROR_SIZE];
    struct event *timer;
    int64_t started_ms, deadline_ms;

    unsigned attempts;   /* connections on which the request was about to be written */
    bool refused;        /* by the guard, at the socket */
    const char *trouble; /* why we broke off ourselves */
    struct text head, body;
    size_t header_bytes;
    bool head_complete; /* the blank line of the final answer was seen */
    int64_t window_ms;  /* 0: the answer has not begun */
    size_t window_bytes;
};

static struct {
    struct event_base *loop;
    CURLM *multi;
    struct event *timer;
    struct url_guard *guard;
    char *ca_file, *user_agent;
    int per_host;
    CURL *pool[POOL_MAX];
    unsigned pooled;
    struct transfer *all;
    unsigned busy;
    bool open, closing;
} client;

static void *or_stop(void *memory)
{
    if (!memory) {
        fprintf(stderr, "http_client: out of memory\n");
        abort();
    }
    return memory;
}

/* ---- the end of a call ---- */

static void easy_give_back(CURL *easy)
{
    curl_easy_reset(easy);
    if (client.pooled < POOL_MAX)
        client.pool[client.pooled++] = easy;
    else
        curl_easy_cleanup(easy);
}

/* Answers, then frees. The place in the host's queue is free before done is called, because that
 * may begin the next call. */
static void transfer_end(struct transfer *t, struct http_answer *answer)
{
    *t->all_link = t->all_next;
    if (t->all_next)
        t->all_next->all_link = t->all_link;
    event_free(t->timer);
    if (t->easy) {
        curl_multi_remove_handle(client.multi, t->easy);
        easy_give_back(t->easy);
    }
    if (t->turn.host)
        http_turn_leave(&t->turn, client.per_host, client.closing);

    answer->duration_ms = time_monotonic_ms() - t->started_ms;
    client.busy--;
    t->done(t->context, answer);

    curl_slist_free_all(t->headers);
    text_done(&t->head);
    text_done(&t->body);
    arena_free(t->arena); /* t lies in it */
}

/* Whether any byte of the request can have left. A second attempt means that curl repeated the
 * request after a reused connection had taken the first one and died. */
static bool was_sent(const struct transfer *t)
{
    long bytes = 0;

    if (!t->easy)
        return false;
    curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &bytes);
    return bytes > 0 || t->attempts > 1;
}

static const char too_large[] = "the answer is too large";

static void transfer_broken(struct transfer *t, const char *error, bool timed_out)
{
    struct http_answer answer = {
        .outcome = was_sent(t) ? HTTP_UNCLEAR : HTTP_NOT_SENT,
        .error = error,
        .timed_out = timed_out,
        .too_large = error == too_large,
        .body = "",
    };

    transfer_end(t, &answer);
}

static void transfer_answered(struct transfer *t, long status)
{
    struct http_answer answer = {
        .outcome = HTTP_ANSWERED,
        .status = (int)status,
        .body = t->body.bytes,
        .body_length = t->body.length,
    };

    http_answer_head(t->arena, t->head.bytes, &answer);
    transfer_end(t, &answer);
}

/* curl is through with it. */
static void transfer_over(struct transfer *t, CURLcode code)
{
    long status = 0;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (t->trouble)
        transfer_broken(t, t->trouble, false);
    else if (t->refused && code == CURLE_COULDNT_CONNECT)
        transfer_broken(t, "the address is not public", false);
    else if (code == CURLE_FILESIZE_EXCEEDED)
        transfer_broken(t, too_large, false);
    else if (code != CURLE_OK)
        transfer_broken(t, *t->curl_error ? t->curl_error : curl_easy_strerror(code),
                        code == CURLE_OPERATION_TIMEDOUT);
    else if (!t->head_complete || status < 200)
        /* curl calls it a success when the connection ends inside the head. */
        transfer_broken(t, "the connection was closed inside the answer's headers", false);
    else
        transfer_answered(t, status);
}

static void collect(void)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(client.multi, &left))) {
        struct transfer *t = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        assert(t->magic == CALL_MAGIC);
        transfer_over(t, code);
    }
}

/* ---- the loop ---- */

static void on_curl_timer(evutil_socket_t fd, short what, void *context)
{
    int running;

    (void)fd;
    (void)what;
    (void)context;
    curl_multi_socket_action(client.multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect();
}

static void on_socket(evutil_socket_t fd, short what, void *context)
{
    int running, action = 0;

    (void)context;
    if (what & EV_READ)
        action |= CURL_CSELECT_IN;
    if (what & EV_WRITE)
        action |= CURL_CSELECT_OUT;
    curl_multi_socket_action(client.multi, fd, action, &running);
    collect();
}

/* A wait of 0 ms is an event, too: curl must not be called from inside its own callback. */
static int set_timer(CURLM *multi, long timeout_ms, void *context)
{
    (void)multi;
    (void)context;
    if (timeout_ms < 0) {
        event_del(client.timer);
        return 0;
    }
    struct timeval wait = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
    return event_add(client.timer, &wait);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
    struct event *event = socket_context;

    (void)easy;
    (void)context;
    if (event)
        event_free(event);
    if (what == CURL_POLL_REMOVE) {
        curl_multi_assign(client.multi, fd, NULL);
        return 0;
    }
    short wanted = EV_PERSIST;
    if (what & CURL_POLL_IN)
        wanted |= EV_READ;
    if (what & CURL_POLL_OUT)
        wanted |= EV_WRITE;
    event = or_stop(event_new(client.loop, fd, wanted, on_socket, NULL));
    curl_multi_assign(client.multi, fd, event);
    return event_add(event, NULL);
}

/* ---- what curl asks and tells during a call ---- */

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *t = context;
    struct sockaddr_storage where = {0};

    assert(t->magic == CALL_MAGIC);
    if (purpose != CURLSOCKTYPE_IPCXN || address->addrlen > sizeof(where)) {
        t->refused = true;
        return CURL_SOCKET_BAD;
    }
    memcpy(&where, &address->addr, address->addrlen);
    const struct sockaddr *peer = (const struct sockaddr *)&where;
    bool ok = t->needs_private ? url_guard_address_private(client.guard, peer)
                               : url_guard_address_ok(client.guard, peer);
    if (!ok) {
        t->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Connected, secured, and about to write. */
static int before_request(void *context, char *peer_ip, char *our_ip, int peer_port, int our_port)
{
    struct transfer *t = context;

    (void)peer_ip;
    (void)our_ip;
    (void)peer_port;
    (void)our_port;
    assert(t->magic == CALL_MAGIC);
    t->attempts++;
    if (t->attempts > 1 && t->call.once_only) {
        t->trouble = "the connection ended before an answer came";
        return CURL_PREREQFUNC_ABORT;
    }
    return CURL_PREREQFUNC_OK;
}

static void arm_timer(struct transfer *t)
{
    int64_t now_ms = time_monotonic_ms(), at_ms = t->deadline_ms;

    if (t->window_ms && t->window_ms + SLOW_WINDOW_MS < at_ms)
        at_ms = t->window_ms + SLOW_WINDOW_MS;
    int64_t wait_ms = at_ms > now_ms ? at_ms - now_ms : 0;
    struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};
    event_add(t->timer, &wait);
}

static void note_bytes(struct transfer *t, size_t bytes)
{
    if (!t->window_ms) {
        t->window_ms = time_monotonic_ms();
        arm_timer(t);
    }
    t->window_bytes += bytes;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *t = context;
    size_t length = size * count;

    assert(t->magic == CALL_MAGIC);
    note_bytes(t, length);
    t->header_bytes += length;
    if (t->header_bytes > HEADERS_MAX) {
        t->trouble = "the headers of the answer are too large";
        return 0;
    }
    if (length >= 5 && memcmp(bytes, "HTTP/", 5) == 0) {
        /* A new head: after 100 Continue, or after curl repeated the request. */
        text_reset(&t->head);
        t->head_complete = false;
        return length;
    }
    if (t->head_complete) /* a trailer */
        return length;
    if ((length == 2 && memcmp(bytes, "\r\n", 2) == 0) || (length == 1 && *bytes == '\n'))
        t->head_complete = true;
    else
        text_add_bytes(&t->head, bytes, length);
    return length;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *t = context;
    size_t length = size * count;

    assert(t->magic == CALL_MAGIC);
    note_bytes(t, length);
    if (t->call.sink) {
        long status = 0;
        curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        if (status / 100 == 2)
            return t->call.sink(t->call.sink_arg, bytes, length) ? length : 0;
    }
    if (length > t->call.max_answer - t->body.length) {
        t->trouble = too_large;
        return 0;
    }
    text_add_bytes(&t->body, bytes, length);
    return length;
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct transfer *t = context;
    int64_t now_ms = time_monotonic_ms();

    (void)fd;
    (void)what;
    assert(t->magic == CALL_MAGIC);
    if (now_ms >= t->deadline_ms) {
        const char *where = !t->turn.running
                                ? "no answer in time: other calls to this host were first"
                            : was_sent(t) ? "no complete answer in time"
                                          : "no connection in time";
        transfer_broken(t, where, true);
        return;
    }
    if (t->window_ms && now_ms - t->window_ms >= SLOW_WINDOW_MS) {
        if (t->window_bytes < SLOW_WINDOW_BYTES) {
            transfer_broken(t, "the answer came too slowly", true);
            return;
        }
        t->window_ms = now_ms;
        t->window_bytes = 0;
    }
    arm_timer(t);
}

/* ---- the beginning of a call ---- */

static void add_header(struct transfer *t, const char *name, const char *value)
{
    /* curl's spelling of a header without value ends in a semicolon. */
    const char *line = *value ? arena_printf(t->arena, "%s: %s", name, value)
                              : arena_printf(t->arena, "%s;", name);

    t->headers = or_stop(curl_slist_append(t->headers, line));
}

static void set_body(struct transfer *t, CURL *easy)
{
    const char *method = t->call.method;

    if (t->call.body || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
        strcmp(method, "PATCH") == 0) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->call.body_length);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t->call.body ? t->call.body : "");
    } else if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    /* curl's own idea of the type of a POST is a web form. */
    t->headers = or_stop(curl_slist_append(
        t->headers, t->call.body ? "Content-Type: application/json" : "Content-Type:"));
    /* Else a body above 1 MB waits for "100 Continue". */
    t->headers = or_stop(curl_slist_append(t->headers, "Expect:"));
    for (size_t i = 0; i < t->call.header_count; i++)
        add_header(t, t->call.headers[i].name, t->call.headers[i].value);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
}

static void set_rules(struct transfer *t, CURL *easy)
{
    /* clang-format off */
    curl_easy_setopt(easy, CURLOPT_URL, t->call.url);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, t->needs_private ? "http,https" : "https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (client.ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, client.ca_file);
    if (client.user_agent)
        curl_easy_setopt(easy, CURLOPT_USERAGENT, client.user_agent);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* giving up must not wait for the name service */
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_SECONDS);
    curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)LIFE_SECONDS);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)t->call.connect_ms);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
                     t->call.sink ? (curl_off_t)0 : (curl_off_t)t->call.max_answer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->curl_error);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, t);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    /* clang-format on */
    if (t->call.unix_socket) {
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, t->call.unix_socket);
    } else {
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t);
    }
    if (t->call.once_only && t->call.reuses) {
        curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)JUST_USED_SECONDS);
    } else if (t->call.once_only) {
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    }
}

static void transfer_run(struct http_turn *turn)
{
    struct transfer *t = (struct transfer *)((char *)turn - offsetof(struct transfer, turn));

    assert(t->magic == CALL_MAGIC);
    t->easy = client.pooled ? client.pool[--client.pooled] : or_stop(curl_easy_init());
    set_rules(t, t->easy);
    set_body(t, t->easy);
    CURLMcode code = curl_multi_add_handle(client.multi, t->easy);
    assert(code == CURLM_OK);
    (void)code;
}

/* ---- for everybody ---- */

static const char *call_trouble(const struct http_call *call)
{
    for (size_t i = 0; i < call->header_count; i++) {
        const struct http_call_header *h = &call->headers[i];
        if (!*h->name || strpbrk(h->name, ": ;") || !text_is_printable_ascii(h->name) ||
            !text_is_printable_ascii(h->value))
            return "a header holds characters that it must not";
    }
    return NULL;
}

static void call_copy(struct arena *a, const struct http_call *from, struct http_call *ret)
{
    struct http_call_header *headers = arena_alloc(a, (from->header_count + 1) * sizeof(*headers));

    for (size_t i = 0; i < from->header_count; i++) {
        headers[i].name = arena_text(a, from->headers[i].name);
        headers[i].value = arena_text(a, from->headers[i].value);
    }
    *ret = *from;
    ret->headers = headers;
    ret->method = arena_text(a, from->method);
    ret->url = arena_text(a, from->url);
    ret->unix_socket = arena_text(a, from->unix_socket);
    if (from->body)
        ret->body = arena_bytes(a, from->body, from->body_length);
    if (ret->connect_ms <= 0)
        ret->connect_ms = DEFAULT_CONNECT_MS;
    if (ret->total_ms <= 0)
        ret->total_ms = DEFAULT_TOTAL_MS;
    if (!ret->max_answer)
        ret->max_answer = DEFAULT_ANSWER;
}

/* Nothing was begun. */
static void refuse(void (*done)(void *context, const struct http_answer *answer), void *context,
                   const char *why)
{
    struct http_answer answer = {.outcome = HTTP_NOT_SENT, .error = why, .body = ""};

    done(context, &answer);
}

void http_run(const struct http_call *call,
              void (*done)(void *context, const struct http_answer *answer), void *context)
{
    assert(client.open);
    struct arena *a = arena_new(CALL_MEMORY);
    struct url url = {0};
    struct err e = OK;
    if (!call->unix_socket)
        e = url_guard_parse_up_to(client.guard, a, call->url, COMPOSED_URL_MAX, &url);
    const char *trouble = failed(e) ? err_text(e) : call_trouble(call);

    if (client.closing)
        trouble = "the program is ending";
    if (trouble) {
        refuse(done, context, trouble);
        arena_free(a);
        return;
    }

    struct transfer *t = arena_alloc(a, sizeof(*t));
    *t = (struct transfer){
        .magic = CALL_MAGIC,
        .done = done,
        .context = context,
        .arena = a,
        .needs_private = call->unix_socket || url_guard_needs_private(&url),
        .turn = {.run = transfer_run, .first_lane = call->once_only},
        .started_ms = time_monotonic_ms(),
        .timer = or_stop(event_new(client.loop, -1, 0, on_timer, t)),
        .all_next = client.all,
        .all_link = &client.all,
    };
    call_copy(a, call, &t->call);
    text_init(&t->head, NULL, HEADERS_MAX);
    text_init(&t->body, NULL, t->call.max_answer);
    t->deadline_ms = t->started_ms + t->call.total_ms;
    arm_timer(t);
    if (client.all)
        client.all->all_link = &t->all_next;
    client.all = t;
    client.busy++;

    const char *host =
        t->call.unix_socket
            ? arena_printf(a, "unix:%s", t->call.unix_socket)
            : arena_printf(a, "%s://%s:%u", url.tls ? "https" : "http", url.host, url.port);
    trouble = http_turn_take(&t->turn, host, client.per_host);
    if (trouble)
        transfer_broken(t, trouble, false);
}

struct sending {
    struct flow_ticket ticket;
    struct http_answer *ret;
};

static void sent(void *context, const struct http_answer *answer)
{
    struct sending *s = context;
    struct flow_ticket ticket = s->ticket;
    struct flow *f = flow_ticket_flow(ticket);

    if (f)
        http_answer_copy(f->arena, answer, s->ret);
    free(s);
    flow_resume(ticket, OK);
}

enum flow_next http_send(struct flow *f, const struct http_call *call, struct http_answer *ret)
{
    struct sending *s = or_stop(malloc(sizeof(*s)));

    *s = (struct sending){flow_wait(f), ret};
    http_run(call, sent, s);
    return FLOW_WAIT;
}

unsigned http_client_busy(void)
{
    return client.busy;
}

const struct url_guard *http_client_guard(void)
{
    return client.guard;
}

struct err http_client_open(struct event_base *loop, const struct http_client_options *options)
{
    struct url_guard *guard;

    assert(!client.open);
    TRY(url_guard_new(options->allow_private_urls, &guard));
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        url_guard_free(guard);
        return (struct err){ERR_INTERNAL, "libcurl cannot be started", NULL};
    }
    memset(&client, 0, sizeof(client));
    client.loop = loop;
    client.guard = guard;
    client.per_host = options->per_host > 0 ? options->per_host : DEFAULT_PER_HOST;
    client.ca_file = options->ca_file ? or_stop(strdup(options->ca_file)) : NULL;
    client.user_agent = options->user_agent ? or_stop(strdup(options->user_agent)) : NULL;
    client.timer = or_stop(event_new(loop, -1, 0, on_curl_timer, NULL));
    client.multi = or_stop(curl_multi_init());
    curl_multi_setopt(client.multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(client.multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(client.multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    curl_multi_setopt(client.multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS);
    client.open = true;
    return OK;
}

void http_client_close(void)
{
    if (!client.open)
        return;
    client.closing = true;
    while (client.all)
        transfer_broken(client.all, "the program is ending", false);
    while (client.pooled)
        curl_easy_cleanup(client.pool[--client.pooled]);
    curl_multi_cleanup(client.multi);
    event_free(client.timer);
    url_guard_free(client.guard);
    free(client.ca_file);
    free(client.user_agent);
    memset(&client, 0, sizeof(client));
    curl_global_cleanup();
}
