/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Worker: opens the stores, the clients and the doors, and drains them at SIGTERM.
 *
 * Connections wait in the socket until the stores are there, so that a new worker beside old ones
 * refuses nobody; when they are away it opens all the same and says so.
 *
 *   RUNNING --SIGTERM--> NOTICE --drain_notice--> DRAINING --nothing left, or 20 s--> gone
 *              not ready,          no new ones,
 *              still serving       jobs take up nothing
 *
 * SIGTERM may come from several sides (supervisor, its death, a service manager) and means the same
 * each time; SIGUSR2, the supervisor's word for its own second SIGTERM, skips the waits. What was
 * sent and not answered is left to its lease.
 */
#include "hub/worker.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include <event2/event.h>

#include "adapters/http_client.h"
#include "adapters/ocpi_client.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "db/db.h"
#include "db/message.h"
#include "db/partner.h"
#include "hub/finance/pdf.h"
#include "hub/finance/retail_book.h"
#include "hub/jobs/jobs.h"
#include "hub/partner/message_log.h"
#include "hub/routes.h"
#include "hub/server/authenticate.h"
#include "hub/server/http_server.h"

enum {
    DRAIN_MS = 20000,
    TICK_MS = 100,
    PATIENCE_MS = 1000, /* how long the doors wait for the stores: then callers are told 503 */
    REQUEST_BYTES = 64 * 1024 * 1024, /* a Location of 4 MiB: read, merged, printed, stored */
};

struct worker {
    struct hub hub;
    struct listener_context contexts[LISTEN_COUNT];
    enum { RUNNING, NOTICE, DRAINING } phase;
    int64_t phase_began_ms;
    const struct worker_options *options;
    bool open, failed;
    struct event *tick;
    unsigned char data_key[32], hash_key[32];
};

/* A page of a partner's objects (8 MiB) lies in the arena several times: as it came, and as text
 * and columns of each object. An arena that is full ends the process, so the limits leave room. */
/* ---- opening ---- */

static struct err open_stores(struct worker *w, struct arena *a)
{
    const struct settings *s = w->hub.settings;

    TRY(settings_key(a, "data_key_file", s->data_key, w->data_key));
    TRY(settings_key(a, "hash_key_file", s->hash_key, w->hash_key));
    return db_open(
        w->hub.loop,
        &(struct db_options){
            .database_url = s->database_url,
            .redis_url = s->redis_url,
            .database_password = s->database_password,
            .redis_password = s->redis_password,
            .writers = (int)s->writers,
            .readers = (int)s->readers,
            .statement_timeout_ms = s->statement_timeout_ms,
            .data_key = w->data_key,
            .hash_key = w->hash_key,
            .our_country = s->country_code,
            .our_party = s->party_id,
            .receipt_series = s->receipt_series
                                  ? s->receipt_series
                                  : arena_printf(a, "%s-%s", s->country_code, s->party_id),
        });
}

static struct err open_doors(struct worker *w, const struct worker_options *o)
{
    static const char *const NAMES[] = {"public", "internal", "admin"};

    for (int i = 0; i < LISTEN_COUNT; i++) {
        if (o->fds[i] < 0)
            continue;
        bool tls = i == LISTEN_PUBLIC;
        w->contexts[i] = (struct listener_context){&w->hub, i};
        TRY(http_server_new(
            &(struct http_server_options){
                .loop = w->hub.loop,
                .fd = o->fds[i],
                .listener = NAMES[i],
                .tls_certificate_file = tls ? o->settings->tls_certificate : NULL,
                .tls_key_file = tls ? o->settings->tls_key : NULL,
                .max_connections = (size_t)o->settings->max_connections,
                .arena_max_bytes = REQUEST_BYTES,
                .ctx = &w->contexts[i],
                .body_max = routes_body_max,
                .handle = routes_handle,
                .malformed = routes_malformed,
            },
            &w->hub.servers[i]));
    }
    return OK;
}

static struct err open_all(struct worker *w, const struct worker_options *o, struct arena *a)
{
    TRY(http_client_open(w->hub.loop, &(struct http_client_options){
                                          .allow_private_urls = o->settings->allow_private_urls,
                                          .ca_file = o->settings->ca_file,
                                          .user_agent = "ocpi-hub",
                                          .per_host = 50,
                                      }));
    ocpi_client_observe(message_log_outgoing);
    TRY(open_stores(w, a));
    TRY(authenticator_new(&w->hub, &w->hub.authenticator));
    pdf_open(w->hub.loop, o->settings->receipt_pdf);
    jobs_start(&w->hub);
    return OK;
}

static void open_when_ready(struct worker *w, int64_t waited_ms)
{
    if (w->open || (!hub_is_ready(&w->hub) && waited_ms < PATIENCE_MS))
        return;
    struct err e = open_doors(w, w->options);
    w->open = true;
    if (failed(e)) {
        log_line(LOG_ERROR, "cannot start", LOG_TEXT("why", err_text(e)));
        w->failed = true;
        event_base_loopbreak(w->hub.loop);
    } else if (w->options->ready) {
        *w->options->ready = true;
    }
}

/* ---- draining ---- */

static size_t busy_connections(const struct worker *w)
{
    size_t n = 0;

    for (int i = 0; i < LISTEN_COUNT; i++)
        if (w->hub.servers[i])
            n += http_server_busy(w->hub.servers[i]);
    return n;
}

static void begin_draining(struct worker *w)
{
    w->phase = DRAINING;
    w->phase_began_ms = time_monotonic_ms();
    jobs_stop(&w->hub);
    for (int i = 0; i < LISTEN_COUNT; i++) {
        if (!w->hub.servers[i])
            continue;
        http_server_stop_accepting(w->hub.servers[i]);
        http_server_drain(w->hub.servers[i]);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;
    int64_t waited = time_monotonic_ms() - w->phase_began_ms;

    (void)fd;
    (void)what;
    if (w->phase == RUNNING)
        open_when_ready(w, waited);
    if (w->phase == NOTICE && waited >= w->hub.settings->drain_notice_ms)
        begin_draining(w);
    if (w->phase == DRAINING) {
        bool quiet = !busy_connections(w) && !flow_running() && !http_client_busy();
        if (quiet || time_monotonic_ms() - w->phase_began_ms > DRAIN_MS)
            event_base_loopbreak(w->hub.loop);
    }
}

static void on_term(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;

    (void)fd;
    (void)what;
    if (w->phase != RUNNING)
        return;
    log_line(LOG_INFO, "draining", LOG_INT("worker", w->hub.worker));
    w->hub.draining = true;
    w->phase = NOTICE;
    w->phase_began_ms = time_monotonic_ms();
    on_tick(-1, 0, w);
}

static void on_enough(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;

    (void)fd;
    (void)what;
    w->hub.draining = true;
    event_base_loopbreak(w->hub.loop);
}

/* Closing the clients ends the flows that still wait for them, which may answer or look at a key:
 * what they then reach is freed after them. */
static void close_all(struct worker *w)
{
    event_del(w->tick); /* or it would break the loop off again */
    message_flush();
    event_base_loopexit(w->hub.loop, &(struct timeval){0, 300000});
    event_base_dispatch(w->hub.loop);
    jobs_stop(&w->hub);
    pdf_close();
    http_client_close();
    db_close();
    retail_book_close();
    for (int i = 0; i < LISTEN_COUNT; i++)
        http_server_free(w->hub.servers[i]);
    authenticator_free(w->hub.authenticator);
}

int worker_run(const struct worker_options *o)
{
    struct worker w = {
        .hub = {.settings = o->settings,
                .public_url = o->public_url,
                .worker = o->number,
                .session_changed = after_session_change},
        .phase_began_ms = time_monotonic_ms(),
        .options = o};
    struct arena *a = arena_new(1024 * 1024);

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    prctl(PR_SET_DUMPABLE, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* Ctrl-C reaches the whole group: the supervisor speaks for it */
    metrics_use_slot(o->number);
    w.hub.loop = event_base_new();
    struct event *term = evsignal_new(w.hub.loop, SIGTERM, on_term, &w);
    struct event *enough = evsignal_new(w.hub.loop, SIGUSR2, on_enough, &w);
    w.tick = event_new(w.hub.loop, -1, EV_PERSIST, on_tick, &w);
    event_add(term, NULL);
    event_add(enough, NULL);
    event_add(w.tick, &(struct timeval){0, TICK_MS * 1000});

    struct err e = open_all(&w, o, a);
    if (failed(e)) {
        log_line(LOG_ERROR, "cannot start", LOG_TEXT("why", err_text(e)));
        w.failed = true;
    } else {
        event_base_dispatch(w.hub.loop);
    }
    close_all(&w);
    event_free(term);
    event_free(enough);
    event_free(w.tick);
    event_base_free(w.hub.loop);
    arena_free(a);
    explicit_bzero(w.data_key, sizeof w.data_key);
    explicit_bzero(w.hash_key, sizeof w.hash_key);
    return w.failed;
}
