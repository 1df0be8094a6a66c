/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flow: a use case as a list of named steps. The list is the table of contents; the steps stand
 * above it in the order in which they happen; one struct holds everything that outlives a step.
 *
 * A step does one thing and returns a word. An operation (a statement, an HTTP call) takes the
 * flow, writes its result where the caller said and returns FLOW_WAIT itself, so that
 * `return peer_post(...)` reads as "wait for this". An operation outlives the flow that asked for
 * it: it holds a flow_ticket and asks flow_ticket_flow() before it writes anything.
 *
 *   flow_start -> step -> FLOW_NEXT -> step -> FLOW_WAIT ... operation ends: flow_resume -> step ...
 *
 * After a failure the remaining steps are skipped, except one marked also_on_failure, which runs
 * if the step just above it had been started. The first error is kept. The deadline ends the wait,
 * not the operation. The runner goes round a loop and never recurses, so an operation may finish
 * before it returns.
 */
#ifndef BASE_FLOW_H
#define BASE_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct event_base;
struct flow;

enum flow_next {
    FLOW_NEXT,   /* go on with the next step */
    FLOW_WAIT,   /* an operation has begun; the next step runs when it has finished */
    FLOW_AGAIN,  /* run this step once more (after the wait, if flow_again_after_wait was said) */
    FLOW_DONE,   /* finished early, well */
    FLOW_FAILED, /* through flow_fail */
};

struct flow_step {
    const char *name; /* "ask the CPO": log, metric */
    enum flow_next (*run)(struct flow *f);
    bool also_on_failure;
};

struct flow_type {
    const char *name; /* "start_session" */
    size_t state_size;
    int64_t deadline_ms; /* 0: none */
    const struct flow_step *steps; /* ends with {0} */
    size_t arena_max; /* of its memory, where whoever starts it does not say; 0: 16 MiB */
};

struct flow {
    const struct flow_type *type;
    void *state;         /* state_size bytes, zeroed */
    struct arena *arena; /* goes with the flow */
    struct err err;      /* the first error */
    void *app;           /* the program's own context (struct hub, struct sim): borrowed */
    void *request;       /* what is being answered, or NULL for a job */
    char request_id[132];     /* X-Request-ID; "" for jobs */
    char correlation_id[132]; /* X-Correlation-ID; "" where there is none */
    struct flow_private *private_;
};

struct flow_options {
    struct event_base *loop; /* required */
    void *app;
    void *request;
    const char *request_id, *correlation_id; /* may be NULL; copied */
    size_t arena_max;                        /* 0: as its type says */
    struct arena *arena; /* taken over if given (a request that was read into it); else a new one */
    void (*on_end)(struct flow *f); /* answers, logs; the flow still stands. May be NULL */
    bool no_log; /* the caller logs the end itself */
};

/* Makes a flow without running it, so that its state can be filled; then flow_run. */
struct flow *flow_new(const struct flow_type *type, const struct flow_options *options);
void flow_run(struct flow *f);
/* Ends a running flow with an error, for instance because its caller left. */
void flow_cancel(struct flow *f, struct err e);

enum flow_next flow_fail(struct flow *f, struct err e); /* returns FLOW_FAILED */

#define FLOW_TRY(f, expression)                                                                    \
    do {                                                                                           \
        struct err flow_try_err_ = (expression);                                                   \
        if (failed(flow_try_err_))                                                                 \
            return flow_fail(f, flow_try_err_);                                                    \
    } while (0)

/* ---- for those who implement operations ---- */

struct flow_ticket {
    uint64_t id_;
};

/* Begins a wait: take a ticket, start the work, return FLOW_WAIT. */
struct flow_ticket flow_wait(struct flow *f);
/* The flow if it still waits for this ticket, else NULL: then drop the result. */
struct flow *flow_ticket_flow(struct flow_ticket t);
/* Ends the wait; an error fails the flow. The flow may be gone when this returns. Safe to call from
 * inside the operation that returns FLOW_WAIT right afterwards. */
void flow_resume(struct flow_ticket t, struct err e);

/* Said before returning FLOW_WAIT: the step runs once more when the wait has ended well. */
void flow_again_after_wait(struct flow *f);

/* Waits `ms` without doing anything: return flow_sleep(f, ms). */
enum flow_next flow_sleep(struct flow *f, int64_t ms);

/* Runs another flow inside a step and waits for it. Its error fails this flow unless ret_err is
 * given, where it is stored instead. fill(child_state) may set up the child before it runs.
 * The child has the parent's app and ids but no request. If the parent stops waiting for it, it is
 * cancelled; memory of the parent that it was given stays until it has ended. */
enum flow_next flow_child(struct flow *f, const struct flow_type *type,
                          void (*fill)(void *child_state, void *context), void *context,
                          struct err *ret_err);

/* The flow goes on as another use case, with a state and a deadline of that type's own: what a front
 * door does once it has let somebody in. Return FLOW_NEXT after it. */
void flow_become(struct flow *f, const struct flow_type *type);

/* Waits for several operations at once: all = flow_all_begin(f); each operation is begun with the
 * flow as usual between begin and end (its FLOW_WAIT is ignored); return flow_all_end(f). */
void flow_all_begin(struct flow *f);
enum flow_next flow_all_end(struct flow *f);

unsigned flow_running(void); /* number of flows alive in this process: draining waits for 0 */

#endif
