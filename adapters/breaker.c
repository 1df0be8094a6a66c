/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Breaker: one small record per partner, in this process only: each worker finds out by itself.
 */
#include "adapters/breaker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/network.h"
#include "base/metrics.h"
#include "base/time.h"

enum {
    FAILURES_IN_A_ROW = 5,
    WINDOW_SECONDS = 30,
    WINDOW_CALLS = 20, /* fewer say nothing about a share */
    SUCCESSES_TO_CLOSE = 3,
    OPEN_MS = 10 * 1000,
    OPEN_MAX_MS = 5 * 60 * 1000,
    PROBE_MS = 15 * 1000, /* after that a probe counts as lost */
    BUCKETS = 256,
};

struct second {
    int64_t at; /* monotonic second that the counts belong to */
    unsigned calls, failures;
};

struct breaker {
    struct breaker *next;
    int64_t partner_id;
    enum breaker_state state;
    unsigned failures_in_a_row, successes; /* successes: since it was half open */
    struct second window[WINDOW_SECONDS];
    int64_t open_ms, open_until_ms; /* how long it opens next time; until when it is open */
    int64_t probe_until_ms;         /* 0: no probe under way */
};

static struct breaker *buckets[BUCKETS];

static struct breaker *find(int64_t partner_id)
{
    struct breaker *b = buckets[(uint64_t)partner_id % BUCKETS];

    while (b && b->partner_id != partner_id)
        b = b->next;
    return b;
}

static struct breaker *find_or_make(int64_t partner_id)
{
    struct breaker *b = find(partner_id);

    if (b)
        return b;
    b = calloc(1, sizeof(*b));
    if (!b) {
        fprintf(stderr, "breaker: out of memory\n");
        abort();
    }
    b->partner_id = partner_id;
    b->open_ms = OPEN_MS;
    b->next = buckets[(uint64_t)partner_id % BUCKETS];
    buckets[(uint64_t)partner_id % BUCKETS] = b;
    return b;
}

static void change(struct breaker *b, enum breaker_state state)
{
    char partner[24];

    if (b->state == state)
        return;
    b->state = state;
    b->successes = 0;
    b->probe_until_ms = 0;
    snprintf(partner, sizeof(partner), "%" PRId64, b->partner_id);
    metric_set(METRIC_BREAKER_STATE, partner, (int64_t)state);
}

static void (*opened)(int64_t partner_id);

void network_breaker_observe(void (*seen)(int64_t partner_id))
{
    opened = seen;
}

static void open_it(struct breaker *b, int64_t now_ms)
{
    bool was_closed = b->state == BREAKER_CLOSED;

    change(b, BREAKER_OPEN);
    if (was_closed && opened)
        opened(b->partner_id);
    b->open_until_ms = now_ms + b->open_ms;
    b->open_ms = b->open_ms * 2 < OPEN_MAX_MS ? b->open_ms * 2 : OPEN_MAX_MS;
}

static void close_it(struct breaker *b)
{
    change(b, BREAKER_CLOSED);
    b->open_ms = OPEN_MS;
    b->failures_in_a_row = 0;
    memset(b->window, 0, sizeof(b->window));
}

static bool half_of_them_failed(const struct breaker *b, int64_t now_ms)
{
    int64_t now = now_ms / 1000;
    unsigned calls = 0, failures = 0;

    for (size_t i = 0; i < WINDOW_SECONDS; i++) {
        if (b->window[i].at > now - WINDOW_SECONDS) {
            calls += b->window[i].calls;
            failures += b->window[i].failures;
        }
    }
    return calls >= WINDOW_CALLS && failures * 2 >= calls;
}

static void count(struct breaker *b, bool ok, int64_t now_ms)
{
    int64_t now = now_ms / 1000;
    struct second *s = &b->window[now % WINDOW_SECONDS];

    if (s->at != now)
        *s = (struct second){.at = now};
    s->calls++;
    s->failures += !ok;
    b->failures_in_a_row = ok ? 0 : b->failures_in_a_row + 1;
}

static void look_at_the_clock(struct breaker *b, int64_t now_ms)
{
    if (b->state == BREAKER_OPEN && now_ms >= b->open_until_ms)
        change(b, BREAKER_HALF_OPEN);
}

enum breaker_state breaker_state_at(int64_t partner_id, int64_t now_ms)
{
    struct breaker *b = find(partner_id);

    if (!b)
        return BREAKER_CLOSED;
    look_at_the_clock(b, now_ms);
    return b->state;
}

void breaker_note_at(int64_t partner_id, bool ok, int64_t now_ms)
{
    struct breaker *b = find_or_make(partner_id);

    look_at_the_clock(b, now_ms);
    switch (b->state) {
    case BREAKER_CLOSED:
        count(b, ok, now_ms);
        if (b->failures_in_a_row >= FAILURES_IN_A_ROW || half_of_them_failed(b, now_ms))
            open_it(b, now_ms);
        break;
    case BREAKER_OPEN:
        /* Stops still go out: one that succeeds is better news than the clock. Failures are the
         * calls that were under way when it opened. */
        if (ok) {
            change(b, BREAKER_HALF_OPEN);
            b->successes = 1;
        }
        break;
    case BREAKER_HALF_OPEN:
        b->probe_until_ms = 0;
        if (!ok)
            open_it(b, now_ms);
        else if (++b->successes >= SUCCESSES_TO_CLOSE)
            close_it(b);
        break;
    }
}

bool breaker_probe_at(int64_t partner_id, int64_t now_ms)
{
    struct breaker *b = find(partner_id);

    if (!b)
        return false;
    look_at_the_clock(b, now_ms);
    if (b->state != BREAKER_HALF_OPEN || b->probe_until_ms > now_ms)
        return false;
    b->probe_until_ms = now_ms + PROBE_MS;
    return true;
}

void breaker_forget_all(void)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        while (buckets[i]) {
            struct breaker *b = buckets[i];
            buckets[i] = b->next;
            free(b);
        }
    }
}

/* Half open lets starts in: each brings a probe along (ocpi_cpo.c), unless one is under way. */
bool network_breaker_open(int64_t partner_id)
{
    int64_t now_ms = time_monotonic_ms();
    enum breaker_state state = breaker_state_at(partner_id, now_ms);

    return state == BREAKER_OPEN ||
           (state == BREAKER_HALF_OPEN && find(partner_id)->probe_until_ms > now_ms);
}

void network_breaker_note(int64_t partner_id, bool ok)
{
    breaker_note_at(partner_id, ok, time_monotonic_ms());
}
