/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs of finance. The database hands each CDR, cancellation and night to one process.
 *
 *    is it night? --> claim CDRs --> take each in again --> cancel what is due
 *         '- - - - > audit
 *
 * An audit takes as long as the books are thick; the rounds go on beside it. It is asked for first,
 * so that no CDR that fails keeps it away.
 */
#include "hub/jobs/finance.h"

#include "base/arena.h"
#include "base/id.h"
#include "base/log.h"
#include "base/time.h"
#include "hub/finance/audit.h"
#include "hub/finance/intake.h"
#include "hub/jobs/jobs.h"

enum {
    EVERY_MS = 5000,
    JITTER_MS = 2000,
    CDRS_AT_ONCE = 50,
    CDR_BYTES = 64 * 1024 * 1024, /* as much as whoever pushes one has */
    AUDIT_OVERLAP_HOURS = 2, /* as long as an audit takes, and what was being written meanwhile */
};

/* ---- one CDR again ---- */

static enum flow_next take_in(struct flow *f)
{
    return cdr_intake_run(f, f->state);
}

static enum flow_next tell(struct flow *f)
{
    const struct cdr_intake *in = f->state;

    after_session_change(hub_of(f), &in->result.session);
    return FLOW_NEXT;
}

static const struct flow_step again_steps[] = {
    {"take the CDR in", take_in},
    {"tell the live view", tell},
    {0},
};
static const struct flow_type again_flow = {
    .name = "cdr_again",
    .state_size = sizeof(struct cdr_intake),
    .deadline_ms = SECONDS(20),
    .arena_max = CDR_BYTES,
    .steps = again_steps,
};

static void name_cdr(void *state, void *context)
{
    struct cdr_intake *in = state;

    in->stored = *(const int64_t *)context;
    in->by = "hub";
}

/* ---- the audit ---- */

static enum flow_next audit(struct flow *f)
{
    return audit_run(f, f->state);
}

static enum flow_next keep(struct flow *f)
{
    const struct audit *a = f->state;

    for (size_t i = 0; i < a->faults.count; i++)
        log_line(LOG_ERROR, "operator: the books do not agree",
                 LOG_TEXT("what", a->faults.items[i].what),
                 LOG_TEXT("subject", a->faults.items[i].subject),
                 LOG_TEXT("detail", a->faults.items[i].detail));
    log_line(LOG_INFO, "the books were checked", LOG_INT("receipts", a->receipts),
             LOG_INT("faults", (int64_t)a->faults.count));
    return finance_audit_keep(f, a->receipts, audit_faults_json(a, f->arena));
}

static const struct flow_step audit_steps[] = {
    {"audit", audit},
    {"keep what was found", keep},
    {0},
};
static const struct flow_type audit_flow = {
    .name = "finance_audit",
    .state_size = sizeof(struct audit),
    .deadline_ms = MINUTES(50), /* shorter than the claim */
    .steps = audit_steps,
};

static void since_the_last(void *state, void *context)
{
    struct audit *a = state;

    a->from_us = *(const int64_t *)context - AUDIT_OVERLAP_HOURS * INT64_C(3600) * US_PER_SECOND;
    a->to_us = TIME_NONE;
}

/* ---- the round ---- */

struct round {
    int64_t audited_us; /* when the books were last; TIME_NONE: it is not for us now */
    struct cdr_list cdrs;
    size_t next;
    struct err failed; /* of one CDR: it comes again in its time */
    const char *cancellation;
    bool cancelling;
};

static enum flow_next ask_for_night(struct flow *f)
{
    struct round *r = f->state;

    return finance_job_claim(f, "audit", &r->audited_us);
}

static enum flow_next begin_audit(struct flow *f)
{
    struct round *r = f->state;

    if (r->audited_us != TIME_NONE)
        hub_job(hub_of(f), &audit_flow, since_the_last, &r->audited_us);
    return FLOW_NEXT;
}

static enum flow_next claim(struct flow *f)
{
    struct round *r = f->state;

    return cdr_retry_claim(f, CDRS_AT_ONCE, &r->cdrs);
}

static enum flow_next each(struct flow *f)
{
    struct round *r = f->state;

    if (r->next == r->cdrs.count)
        return FLOW_NEXT;
    flow_child(f, &again_flow, name_cdr, &r->cdrs.ids[r->next++], &r->failed);
    return FLOW_AGAIN;
}

static enum flow_next cancel(struct flow *f)
{
    struct round *r = f->state;

    if (r->cancelling && !r->cancellation)
        return FLOW_NEXT;
    if (r->cancellation)
        log_line(LOG_INFO, "a credited receipt is cancelled: no replacement came in time",
                 LOG_TEXT("receipt", r->cancellation));
    r->cancelling = true;
    cdr_cancel_due(f, &r->cancellation);
    return FLOW_AGAIN;
}

static const struct flow_step round_steps[] = {
    {"ask whether it is night", ask_for_night},
    {"begin the audit", begin_audit},
    {"claim CDRs", claim},
    {"take each in again", each},
    {"cancel what is due", cancel},
    {0},
};
static const struct flow_type round_flow = {
    .name = "finance_round",
    .state_size = sizeof(struct round),
    .deadline_ms = MINUTES(20),
    .steps = round_steps,
};

/* ---- one round at a time ---- */

static bool running;

static enum flow_next go_round(struct flow *f)
{
    running = true;
    return flow_child(f, &round_flow, NULL, NULL, f->state);
}

static enum flow_next let_next_begin(struct flow *f)
{
    (void)f;
    running = false;
    return FLOW_NEXT;
}

static const struct flow_step job_steps[] = {
    {"go round", go_round},
    {"let the next one begin", let_next_begin, .also_on_failure = true},
    {0},
};
static const struct flow_type job_flow = {
    .name = "finance",
    .state_size = sizeof(struct err),
    .steps = job_steps,
};

void finance_what_is_due(struct hub *hub)
{
    static int64_t next_ms;
    int64_t now = time_monotonic_ms();

    if (running || now < next_ms)
        return;
    next_ms = now + EVERY_MS + (int64_t)id_random_below(JITTER_MS);
    hub_job(hub, &job_flow, NULL, NULL);
}
