/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock of clock.h: a heap of timers over one timer of the loop.
 */
#include "tests/sim/clock.h"

#include <assert.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>

struct clock_timer {
    int64_t due_us;
    uint64_t order; /* equal times run in the order in which they were made */
    size_t place;
    void (*run)(void *arg);
    void *arg;
};

struct clock {
    struct event *wake;
    struct event_base *loop;
    struct timespec base_real;
    int64_t base_us, speed;
    bool jumping; /* the time is jump_us while timers of a jump run */
    int64_t jump_us;
    struct clock_timer **heap;
    size_t count, capacity;
    uint64_t made;
};

static int64_t real_us_since(const struct timespec *t)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - t->tv_sec) * 1000000 + (now.tv_nsec - t->tv_nsec) / 1000;
}

int64_t clock_now_us(const struct clock *c)
{
    return c->jumping ? c->jump_us : c->base_us + real_us_since(&c->base_real) * c->speed;
}

int64_t clock_speed(const struct clock *c)
{
    return c->speed;
}

int64_t clock_pace_ms(const struct clock *c, int64_t virtual_ms, int64_t real_ms)
{
    return virtual_ms > real_ms * c->speed ? virtual_ms : real_ms * c->speed;
}

static bool timer_before(const struct clock_timer *a, const struct clock_timer *b)
{
    return a->due_us < b->due_us || (a->due_us == b->due_us && a->order < b->order);
}

static void heap_put(struct clock *c, size_t place, struct clock_timer *t)
{
    c->heap[place] = t;
    t->place = place;
}

static void heap_up(struct clock *c, size_t place, struct clock_timer *t)
{
    while (place > 0 && timer_before(t, c->heap[(place - 1) / 2])) {
        heap_put(c, place, c->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    heap_put(c, place, t);
}

static void heap_down(struct clock *c, size_t place, struct clock_timer *t)
{
    for (;;) {
        size_t child = place * 2 + 1;

        if (child + 1 < c->count && timer_before(c->heap[child + 1], c->heap[child]))
            child++;
        if (child >= c->count || !timer_before(c->heap[child], t))
            break;
        heap_put(c, place, c->heap[child]);
        place = child;
    }
    heap_put(c, place, t);
}

static void heap_remove(struct clock *c, struct clock_timer *t)
{
    size_t place = t->place;
    struct clock_timer *last = c->heap[--c->count];

    c->heap[c->count] = 0;
    if (last == t)
        return;
    if (place > 0 && timer_before(last, c->heap[(place - 1) / 2]))
        heap_up(c, place, last);
    else
        heap_down(c, place, last);
}

static void clock_arm(struct clock *c)
{
    if (c->count == 0) {
        event_del(c->wake);
        return;
    }
    int64_t wait = (c->heap[0]->due_us - clock_now_us(c)) / c->speed;
    struct timeval tv = {.tv_sec = wait > 0 ? wait / 1000000 : 0,
                         .tv_usec = wait > 0 ? wait % 1000000 + 1 : 0};
    evtimer_add(c->wake, &tv);
}

static void clock_run_first(struct clock *c)
{
    struct clock_timer *t = c->heap[0];
    void (*run)(void *) = t->run;
    void *arg = t->arg;

    heap_remove(c, t);
    free(t);
    run(arg);
}

static void clock_woken(evutil_socket_t fd, short what, void *arg)
{
    struct clock *c = arg;
    int64_t now = clock_now_us(c);

    (void)fd;
    (void)what;
    while (c->count > 0 && c->heap[0]->due_us <= now)
        clock_run_first(c);
    clock_arm(c);
}

struct clock *clock_new(struct event_base *loop, int64_t speed)
{
    struct clock *c = calloc(1, sizeof(*c));

    assert(c);
    c->loop = loop;
    c->speed = speed;
    clock_gettime(CLOCK_MONOTONIC, &c->base_real);
    c->wake = evtimer_new(loop, clock_woken, c);
    return c;
}

void clock_free(struct clock *c)
{
    if (!c)
        return;
    while (c->count > 0)
        free(c->heap[--c->count]);
    free(c->heap);
    event_free(c->wake);
    free(c);
}

static void clock_rebase(struct clock *c, int64_t now)
{
    c->base_us = now;
    clock_gettime(CLOCK_MONOTONIC, &c->base_real);
}

void clock_set_speed(struct clock *c, int64_t speed)
{
    clock_rebase(c, clock_now_us(c));
    c->speed = speed;
    clock_arm(c);
}

void clock_advance(struct clock *c, int64_t us)
{
    if (c->jumping)
        return;
    c->jump_us = clock_now_us(c);
    int64_t target = c->jump_us + us;

    c->jumping = true;
    while (c->count > 0 && c->heap[0]->due_us <= target) {
        if (c->heap[0]->due_us > c->jump_us)
            c->jump_us = c->heap[0]->due_us;
        clock_run_first(c);
    }
    c->jumping = false;
    clock_rebase(c, target);
    clock_arm(c);
}

void clock_drain(struct clock *c)
{
    while (c->count > 0)
        clock_run_first(c);
}

struct clock_timer *clock_after(struct clock *c, int64_t virtual_ms, void (*run)(void *arg),
                                void *arg)
{
    struct clock_timer *t = calloc(1, sizeof(*t));

    if (c->count == c->capacity) {
        c->capacity = c->capacity ? c->capacity * 2 : 64;
        c->heap = realloc(c->heap, c->capacity * sizeof(struct clock_timer *));
    }
    assert(t && c->heap);
    *t = (struct clock_timer){
        .due_us = clock_now_us(c) + virtual_ms * 1000, .order = ++c->made, .run = run, .arg = arg};
    heap_up(c, c->count++, t);
    if (c->heap[0] == t && !c->jumping)
        clock_arm(c);
    return t;
}

void clock_cancel(struct clock *c, struct clock_timer **t)
{
    if (!*t)
        return;
    heap_remove(c, *t);
    free(*t);
    *t = 0;
}
