/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flow: the runner.
 *
 *              flow_run                 WAIT, tickets out              on_end, log
 *     FRESH ------------> STEPPING <-----------------------> WAITING
 *       |                    |       last ticket back, deadline,  |
 *       |    flow_cancel     | no step left           flow_cancel |
 *       +------------------> ENDED <------- (through STEPPING) ---+
 *
 * What holds true:
 *   - A ticket is alive from flow_wait until flow_resume, or until its step is over for another
 *     reason (deadline, cancel, failure): then the answer is dropped. It names a slot and the
 *     slot's generation, so an old ticket never finds a newer wait.
 *   - Flows that can go on stand in one queue. Only the outermost flow_run, flow_resume or
 *     flow_cancel works it off, so a step that starts or resumes another flow returns first.
 *   - The memory of a flow stays until its children have ended, because what they were given may
 *     lie in its arena.
 */
#include "base/flow.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/time.h"

enum {
    ARENA_MAX = 16 * 1024 * 1024,
    CLEANUP_MS = 5000, /* what also_on_failure steps get after the deadline */
    FLOW_MAGIC = 0x464C4F57,
    SLEEPER_MAGIC = 0x534C4550,
    NO_SLOT = 0xFFFFFF, /* 24 bits of a ticket are the slot, 40 the generation */
};

enum phase { FRESH, STEPPING, WAITING, ENDED };

struct sleeper {
    unsigned magic;
    struct flow_ticket ticket;
    struct event *timer;
    struct flow_private *owner;
    struct sleeper *next;
};

struct flow_private {
    unsigned magic;
    enum phase phase;
    struct flow *flow;
    struct event_base *loop;
    void (*on_end)(struct flow *f);
    bool no_log;

    const struct flow_type *become; /* what flow_become asked for; when the step is over */
    int next_step, last_started;
    const char *failed_step; /* where the first error came up */
    bool step_failed;        /* this step, or an operation it waits for */
    bool again;              /* FLOW_AGAIN, or flow_again_after_wait */
    bool in_all;
    bool cancelled, expired;
    bool cut_short; /* cancelled in the middle of the step that is running: no wait after it */
    bool give_up;   /* the time for cleaning up is over, too */

    unsigned pending;    /* tickets out */
    uint32_t first_slot; /* of them */
    struct sleeper *sleepers;
    struct event *deadline;
    int64_t started_ms, step_started_ms, deadline_ms; /* monotonic; 0: no deadline */

    struct flow *parent; /* keeps its memory until this flow has ended */
    struct flow_ticket parent_ticket;
    struct err *parent_err;
    struct flow *children, *next_child;
    unsigned references;

    struct flow *queue_next;
    bool queued;
};

static unsigned running;

unsigned flow_running(void)
{
    return running;
}

/* ---- tickets ---- */

struct slot {
    struct flow *flow; /* NULL: free */
    uint64_t generation;
    uint32_t next; /* of the same flow, or of the free ones */
};

static struct slot *slots;
static uint32_t slot_count, first_free = NO_SLOT;

static void slots_grow(void)
{
    uint32_t more = slot_count ? slot_count * 2 : 64;

    assert(more < NO_SLOT);
    struct slot *bigger = realloc(slots, more * sizeof(*slots));
    if (!bigger) {
        fprintf(stderr, "flow: out of memory (%u waits)\n", more);
        abort();
    }
    slots = bigger;
    for (uint32_t i = more; i-- > slot_count;) {
        slots[i] = (struct slot){NULL, 1, first_free};
        first_free = i;
    }
    slot_count = more;
}

static struct slot *slot_of(struct flow_ticket t)
{
    uint32_t index = (uint32_t)(t.id_ & NO_SLOT);

    if (index >= slot_count || !slots[index].flow || slots[index].generation != t.id_ >> 24)
        return NULL;
    return &slots[index];
}

static void slot_free(uint32_t index)
{
    slots[index].flow = NULL;
    slots[index].generation++;
    slots[index].next = first_free;
    first_free = index;
}

struct flow_ticket flow_wait(struct flow *f)
{
    struct flow_private *p = f->private_;

    assert(p->phase == STEPPING || p->phase == WAITING);
    if (first_free == NO_SLOT)
        slots_grow();
    uint32_t index = first_free;
    struct slot *slot = &slots[index];
    first_free = slot->next;
    slot->flow = f;
    slot->next = p->first_slot;
    p->first_slot = index;
    p->pending++;
    return (struct flow_ticket){slot->generation << 24 | index};
}

struct flow *flow_ticket_flow(struct flow_ticket t)
{
    struct slot *slot = slot_of(t);

    return slot ? slot->flow : NULL;
}

/* Takes one ticket back. */
static void end_ticket(struct flow_private *p, struct flow_ticket t)
{
    uint32_t index = (uint32_t)(t.id_ & NO_SLOT);
    uint32_t *link = &p->first_slot;

    while (*link != index)
        link = &slots[*link].next;
    *link = slots[index].next;
    slot_free(index);
    p->pending--;
}

static void sleeper_free(struct sleeper *s)
{
    event_free(s->timer);
    free(s);
}

/* ---- errors ---- */

/* Texts are copied: they may lie in the memory of the operation that ends. */
static struct err err_copy(struct flow *f, struct err e)
{
    e.text = arena_text(f->arena, e.text);
    e.where = arena_text(f->arena, e.where);
    e.came = arena_text(f->arena, e.came);
    e.expected = arena_text(f->arena, e.expected);
    return e;
}

static const char *step_name(const struct flow *f)
{
    int last = f->private_->last_started;

    return last >= 0 ? f->type->steps[last].name : "";
}

/* The first error is kept. */
static void note_error(struct flow *f, struct err e)
{
    f->private_->step_failed = true;
    if (failed(f->err))
        return;
    f->err = err_copy(f, e);
    f->private_->failed_step = step_name(f);
}

enum flow_next flow_fail(struct flow *f, struct err e)
{
    note_error(f, failed(e) ? e : err_new(ERR_INTERNAL));
    return FLOW_FAILED;
}

/* ---- the queue ---- */

static struct {
    struct flow *first, *last;
    bool draining;
} queue;

static void queue_add(struct flow *f)
{
    struct flow_private *p = f->private_;

    if (p->queued)
        return;
    p->queued = true;
    p->queue_next = NULL;
    if (queue.last)
        queue.last->private_->queue_next = f;
    else
        queue.first = f;
    queue.last = f;
}

static struct flow *queue_take(void)
{
    struct flow *f = queue.first;

    if (!f)
        return NULL;
    queue.first = f->private_->queue_next;
    if (!queue.first)
        queue.last = NULL;
    f->private_->queued = false;
    return f;
}

static void run_steps(struct flow *f);

static void queue_drain(void)
{
    struct flow *f;

    if (queue.draining)
        return;
    queue.draining = true;
    while ((f = queue_take()))
        run_steps(f);
    queue.draining = false;
}

/* ---- ending waits ---- */

static void cancel(struct flow *f, struct err e);

/* Takes all tickets back: answers that are still to come find nobody. Children end with it. */
static void drop_waits(struct flow *f)
{
    struct flow_private *p = f->private_;

    while (p->first_slot != NO_SLOT) {
        uint32_t index = p->first_slot;
        p->first_slot = slots[index].next;
        slot_free(index);
    }
    p->pending = 0;
    while (p->sleepers) {
        struct sleeper *s = p->sleepers;
        p->sleepers = s->next;
        sleeper_free(s);
    }
    for (struct flow *child = p->children; child; child = child->private_->next_child)
        cancel(child, failed(f->err) ? f->err : err_new(ERR_DEADLINE));
}

/* Only puts the flow into the queue: nothing ends while somebody walks a list of children. */
static void cancel(struct flow *f, struct err e)
{
    struct flow_private *p = f->private_;

    if (p->phase == ENDED || p->cancelled)
        return;
    p->cancelled = true;
    note_error(f, failed(e) ? e : err_new(ERR_INTERNAL));
    drop_waits(f);
    /* A step that is running now goes on to its own end; then the runner sees the error. */
    if (p->phase == STEPPING)
        p->cut_short = true;
    else
        queue_add(f);
}

/* ---- the deadline ---- */

/* Ends the wait, not the operation. The first time cleaning up gets some seconds, then no more. */
static void expire(struct flow *f, int64_t now_ms)
{
    struct flow_private *p = f->private_;

    p->give_up = p->expired;
    p->expired = true;
    p->deadline_ms = now_ms + CLEANUP_MS;
    note_error(f, err_new(ERR_DEADLINE));
    drop_waits(f);
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
    struct flow_private *p = context;

    (void)fd;
    (void)what;
    assert(p->magic == FLOW_MAGIC);
    if (p->phase != WAITING || p->queued)
        return;
    expire(p->flow, time_monotonic_ms());
    queue_add(p->flow);
    queue_drain();
}

/* The timer is made when a flow waits for the first time: many never do. */
static void arm_deadline(struct flow_private *p)
{
    if (!p->deadline_ms)
        return;
    if (!p->deadline)
        p->deadline = event_new(p->loop, -1, 0, on_deadline, p);
    assert(p->deadline);
    int64_t left = p->deadline_ms - time_monotonic_ms();
    if (left < 0)
        left = 0;
    struct timeval wait = {left / 1000, left % 1000 * 1000};
    event_add(p->deadline, &wait);
}

/* ---- the end ---- */

static const char *outcome_of(const struct flow *f)
{
    return failed(f->err) ? err_info(f->err.kind)->name : "ok";
}

static const char *or_null(const char *s)
{
    return s && *s ? s : NULL;
}

static void log_end(const struct flow *f, int64_t ms)
{
    bool bad = failed(f->err);
    enum log_level level = bad ? (enum log_level)err_info(f->err.kind)->level : LOG_DEBUG;

    log_line(level, bad ? "flow failed" : "flow done", LOG_TEXT("flow", f->type->name),
             LOG_TEXT("outcome", bad ? "failed" : "ok"),
             LOG_TEXT("error", bad ? err_info(f->err.kind)->name : NULL),
             LOG_TEXT("text", bad ? err_text(f->err) : NULL),
             LOG_TEXT("where", bad ? f->err.where : NULL),
             LOG_TEXT("step", or_null(f->private_->failed_step)), LOG_INT("ms", ms),
             LOG_TEXT("request_id", or_null(f->request_id)),
             LOG_TEXT("correlation_id", or_null(f->correlation_id)));
}

static void release(struct flow *f)
{
    while (f && --f->private_->references == 0) {
        struct flow *parent = f->private_->parent;
        running--;
        arena_free(f->arena); /* f and its private part lie in it */
        f = parent;
    }
}

static void leave_parent(struct flow *f)
{
    struct flow_private *p = f->private_;
    struct flow **link = &p->parent->private_->children;

    while (*link != f)
        link = &(*link)->private_->next_child;
    *link = p->next_child;

    /* The parent may wait for something else by now. */
    struct flow *parent = flow_ticket_flow(p->parent_ticket);
    if (!parent)
        return;
    if (p->parent_err)
        *p->parent_err = err_copy(parent, f->err);
    flow_resume(p->parent_ticket, p->parent_err ? OK : f->err);
}

static void finish(struct flow *f)
{
    struct flow_private *p = f->private_;

    p->phase = ENDED;
    drop_waits(f);
    if (p->deadline)
        event_free(p->deadline);
    p->deadline = NULL;
    if (p->on_end)
        p->on_end(f);

    int64_t ms = time_monotonic_ms() - p->started_ms;
    metric_observe_ms(METRIC_FLOW_SECONDS, f->type->name, outcome_of(f), ms);
    if (!p->no_log)
        log_end(f, ms);
    if (p->parent)
        leave_parent(f);
    release(f);
}

/* ---- the steps ---- */

/* The step that was running is over, with or without a wait. */
static void step_over(struct flow *f)
{
    struct flow_private *p = f->private_;

    drop_waits(f);
    p->in_all = false;
    log_line(LOG_DEBUG, "flow step", LOG_TEXT("flow", f->type->name),
             LOG_TEXT("step", step_name(f)), LOG_BOOL("failed", p->step_failed),
             LOG_INT("ms", time_monotonic_ms() - p->step_started_ms),
             LOG_TEXT("request_id", or_null(f->request_id)),
             LOG_TEXT("correlation_id", or_null(f->correlation_id)));
    if (p->again && !p->step_failed)
        p->next_step = p->last_started;
    p->again = false;
    p->step_failed = false;
}

/* The step to run now; NULL when there is none left. */
static const struct flow_step *choose_step(struct flow *f)
{
    struct flow_private *p = f->private_;
    int64_t now_ms = time_monotonic_ms();

    if (p->deadline_ms && now_ms >= p->deadline_ms)
        expire(f, now_ms);
    for (;; p->next_step++) {
        const struct flow_step *step = &f->type->steps[p->next_step];
        if (!step->run)
            return NULL;
        bool cleans_up =
            step->also_on_failure && p->last_started == p->next_step - 1 && p->last_started >= 0;
        if (!failed(f->err) || (cleans_up && !p->give_up)) {
            p->step_started_ms = now_ms;
            return step;
        }
    }
}

/* From here on the flow is of another type; what the former one allocated stays in the arena. */
static void become(struct flow *f)
{
    struct flow_private *p = f->private_;

    f->type = p->become;
    f->state = arena_alloc(f->arena, f->type->state_size);
    p->become = NULL;
    p->next_step = 0;
    p->last_started = -1;
    p->deadline_ms = f->type->deadline_ms ? time_monotonic_ms() + f->type->deadline_ms : 0;
    if (p->deadline && !p->deadline_ms)
        event_del(p->deadline);
}

static void run_steps(struct flow *f)
{
    struct flow_private *p = f->private_;
    const struct flow_step *step;

    if (p->phase == WAITING) {
        step_over(f);
        if (p->become && !failed(f->err))
            become(f);
    }
    p->phase = STEPPING;
    while ((step = choose_step(f))) {
        p->last_started = p->next_step++;
        p->step_failed = false;
        p->cut_short = false;

        enum flow_next next = step->run(f);
        p->again |= next == FLOW_AGAIN;
        if (next == FLOW_FAILED && !p->step_failed)
            note_error(f, err_new(ERR_INTERNAL));
        if ((next == FLOW_WAIT || next == FLOW_AGAIN) && p->pending && !p->cut_short) {
            p->phase = WAITING;
            arm_deadline(p);
            return;
        }
        bool done_well = next == FLOW_DONE && !p->step_failed;
        step_over(f);
        if (done_well)
            break;
        if (p->become && !failed(f->err))
            become(f);
    }
    finish(f);
}

/* ---- for everybody ---- */

struct flow *flow_new(const struct flow_type *type, const struct flow_options *options)
{
    struct arena *arena = options->arena;
    size_t arena_max = options->arena_max ? options->arena_max : type->arena_max;

    if (!arena)
        arena = arena_new(arena_max ? arena_max : (size_t)ARENA_MAX);
    struct flow *f = arena_alloc(arena, sizeof(*f));
    struct flow_private *p = arena_alloc(arena, sizeof(*p));

    assert(options->loop);
    *p = (struct flow_private){
        .magic = FLOW_MAGIC,
        .phase = FRESH,
        .flow = f,
        .loop = options->loop,
        .on_end = options->on_end,
        .no_log = options->no_log,
        .last_started = -1,
        .first_slot = NO_SLOT,
        .references = 1,
        .started_ms = time_monotonic_ms(),
    };
    *f = (struct flow){
        .type = type,
        .state = arena_alloc(arena, type->state_size),
        .arena = arena,
        .app = options->app,
        .request = options->request,
        .private_ = p,
    };
    if (options->request_id)
        text_copy(f->request_id, sizeof(f->request_id), options->request_id);
    if (options->correlation_id)
        text_copy(f->correlation_id, sizeof(f->correlation_id), options->correlation_id);
    running++;
    return f;
}

void flow_run(struct flow *f)
{
    struct flow_private *p = f->private_;

    assert(p->phase == FRESH && !p->queued);
    p->started_ms = time_monotonic_ms();
    if (f->type->deadline_ms)
        p->deadline_ms = p->started_ms + f->type->deadline_ms;
    queue_add(f);
    queue_drain();
}

void flow_cancel(struct flow *f, struct err e)
{
    cancel(f, e);
    queue_drain();
}

void flow_resume(struct flow_ticket t, struct err e)
{
    struct flow *f = flow_ticket_flow(t);

    if (!f)
        return;
    struct flow_private *p = f->private_;
    end_ticket(p, t);
    if (failed(e))
        note_error(f, e);
    if (p->phase != WAITING || p->pending)
        return;
    queue_add(f);
    queue_drain();
}

void flow_become(struct flow *f, const struct flow_type *type)
{
    f->private_->become = type;
}

void flow_again_after_wait(struct flow *f)
{
    f->private_->again = true;
}

/* ---- operations of our own ---- */

static void on_wake(evutil_socket_t fd, short what, void *context)
{
    struct sleeper *s = context;
    struct sleeper **link = &s->owner->sleepers;
    struct flow_ticket ticket = s->ticket;

    (void)fd;
    (void)what;
    assert(s->magic == SLEEPER_MAGIC);
    while (*link != s)
        link = &(*link)->next;
    *link = s->next;
    sleeper_free(s);
    flow_resume(ticket, OK);
}

enum flow_next flow_sleep(struct flow *f, int64_t ms)
{
    struct flow_private *p = f->private_;
    struct timeval wait = {ms > 0 ? ms / 1000 : 0, ms > 0 ? ms % 1000 * 1000 : 0};
    struct sleeper *s = calloc(1, sizeof(*s));

    assert(s);
    *s = (struct sleeper){
        .magic = SLEEPER_MAGIC,
        .ticket = flow_wait(f),
        .timer = event_new(p->loop, -1, 0, on_wake, s),
        .owner = p,
        .next = p->sleepers,
    };
    assert(s->timer);
    event_add(s->timer, &wait);
    p->sleepers = s;
    return FLOW_WAIT;
}

enum flow_next flow_child(struct flow *f, const struct flow_type *type,
                          void (*fill)(void *child_state, void *context), void *context,
                          struct err *ret_err)
{
    struct flow_private *p = f->private_;
    struct flow_options options = {
        .loop = p->loop,
        .app = f->app,
        .request_id = f->request_id,
        .correlation_id = f->correlation_id,
    };
    struct flow *child = flow_new(type, &options);

    child->private_->parent = f;
    child->private_->parent_ticket = flow_wait(f);
    child->private_->parent_err = ret_err;
    child->private_->next_child = p->children;
    p->children = child;
    p->references++;
    if (fill)
        fill(child->state, context);
    flow_run(child);
    return FLOW_WAIT;
}

/* Tickets are counted anyway; the pair keeps a step from returning the word of a single one. */
void flow_all_begin(struct flow *f)
{
    assert(f->private_->phase == STEPPING && !f->private_->in_all);
    f->private_->in_all = true;
}

enum flow_next flow_all_end(struct flow *f)
{
    assert(f->private_->in_all);
    f->private_->in_all = false;
    return FLOW_WAIT;
}
