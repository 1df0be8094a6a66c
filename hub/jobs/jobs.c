/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs: the beats of the loop.
 */
#include "hub/jobs/jobs.h"

#include <string.h>

#include <event2/event.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/time.h"
#include "db/db.h"
#include "db/live.h"
#include "db/message.h"
#include "db/partner.h"
#include "db/pull.h"
#include "db/session.h"
#include "db/timer.h"
#include "hub/finance/retail_book.h"
#include "hub/jobs/finance.h"
#include "hub/jobs/limits.h"
#include "hub/jobs/lint.h"
#include "hub/jobs/pay.h"
#include "hub/jobs/probe.h"
#include "hub/jobs/pull.h"
#include "hub/jobs/push.h"

enum { BEAT_MS = 1000, TIMERS_AT_ONCE = 100, FORGET_EVERY_MS = 6 * 3600 * 1000 };

static struct event *beat;

/* ---- timers ---- */

struct timers {
    struct timer_effects effects;
    size_t next_pull;
};

static bool timers_running; /* one round at a time: the next one takes what this one leaves */

static enum flow_next run_due(struct flow *f)
{
    struct timers *t = f->state;

    timers_running = true;
    return timer_run(f, TIMERS_AT_ONCE, &t->effects);
}

static enum flow_next follow_up(struct flow *f)
{
    struct timers *t = f->state;

    for (size_t i = 0; i < t->effects.session_count; i++)
        after_session_change(hub_of(f), &t->effects.sessions[i]);
    return FLOW_NEXT;
}

static enum flow_next ask_networks(struct flow *f)
{
    struct timers *t = f->state;

    if (t->next_pull == t->effects.pull_count)
        return FLOW_DONE;
    pull_request(f, t->effects.pull_sessions[t->next_pull++], "sessions");
    return FLOW_AGAIN;
}

static enum flow_next let_next_begin(struct flow *f)
{
    (void)f;
    timers_running = false;
    return FLOW_NEXT;
}

static const struct flow_step timer_steps[] = {
    {"run what is due", run_due},
    {"let the next round begin", let_next_begin, .also_on_failure = true},
    {"tell the live view", follow_up},
    {"have networks asked", ask_networks},
    {0},
};

static const struct flow_type timers_flow = {
    .name = "timers",
    .state_size = sizeof(struct timers),
    .deadline_ms = SECONDS(20),
    .steps = timer_steps,
};

/* ---- retention of the message log ---- */

static void forget_old_messages(const struct hub *hub)
{
    static int64_t done_ms;
    int64_t now = time_monotonic_ms();

    if (done_ms && now - done_ms < FORGET_EVERY_MS)
        return;
    done_ms = now;
    message_forget(hub->settings->message_days, hub->settings->message_body_days);
}

/* ---- probes ---- */

static void probe_now_and_then(struct hub *hub)
{
    static int64_t done_ms;
    int64_t now = time_monotonic_ms();

    if (done_ms && now - done_ms < hub->settings->probe_every_ms)
        return;
    done_ms = now;
    probe_who_is_silent(hub);
}

/* ---- the beat ---- */

static void on_beat(evutil_socket_t fd, short what, void *arg)
{
    struct hub *hub = arg;
    /* A little jitter keeps the workers from asking all at the same moment. */
    int64_t ms = BEAT_MS - 100 + (int64_t)id_random_below(200);

    (void)fd;
    (void)what;
    event_add(beat, &(struct timeval){ms / 1000, ms % 1000 * 1000});
    if (db_health() != DB_UP || hub->draining)
        return;
    dispatch_operations(hub, NULL);
    if (!timers_running)
        hub_job(hub, &timers_flow, NULL, NULL);
    limits_look(hub);
    lint_look(hub);
    finance_what_is_due(hub);
    pull_what_is_due(hub);
    push_what_is_due(hub);
    pay_what_is_due(hub);
    probe_now_and_then(hub);
    forget_old_messages(hub);
}

static void on_operation(const char *payload, void *arg)
{
    (void)payload;
    dispatch_operations(arg, NULL);
}

static void on_outbox(const char *payload, void *arg)
{
    (void)payload;
    push_what_is_due(arg);
}

static void on_psp(const char *payload, void *arg)
{
    (void)payload;
    pay_what_is_due(arg);
}

void jobs_start(struct hub *hub)
{
    beat = event_new(hub->loop, -1, 0, on_beat, hub);
    event_add(beat, &(struct timeval){0, 200000});
    db_on_notify("operation", on_operation, hub);
    retail_book_open(hub);
    probe_start(hub);
    push_start(hub);
    db_on_notify("outbox", on_outbox, hub);
    if (hub->settings->psp_url)
        db_on_notify("psp", on_psp, hub);
}

void jobs_stop(struct hub *hub)
{
    (void)hub;
    push_stop();
    if (beat)
        event_free(beat);
    beat = NULL;
}
