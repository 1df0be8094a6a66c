/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three flows:
 *
 *   call      claim one: its key is durable -> the PSP -> what it said, with all that follows
 *   look      what has been in between for too long, what no event explains, holds that run out:
 *             the statement does what it can alone; the rest is read at the PSP
 *   payouts   yesterday's report beside our ledger
 *
 * A process that dies in a call leaves the claim's lease; whoever takes it up uses the same key.
 */
#include "hub/jobs/pay.h"

#include <string.h>

#include "adapters/psp.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "db/payment.h"
#include "hub/finance/payment.h"
#include "hub/hub.h"

enum { CALLS_AT_ONCE = 16, CALLS_MAX = 64, LOOKS_AT_ONCE = 20, PAYOUTS_EVERY_MS = 15000 };

/* ---- one call ---- */

struct pay_call {
    struct psp_operation operation; /* our own copy */
    enum psp_kind kind;
    struct psp_answer answer;
    struct psp_done done;
    struct psp_done_answer after;
};

static unsigned in_flight;

static enum flow_next call_psp(struct flow *f)
{
    struct pay_call *c = f->state;
    const struct psp_operation *o = &c->operation;
    struct psp psp;

    if (!psp_kind_parse(o->kind, &c->kind) || !payment_psp(hub_of(f)->settings, &psp))
        return flow_fail(f, err_new(ERR_INTERNAL));
    struct psp_call call = {
        .kind = c->kind,
        .key = o->key,
        .reference = o->reference,
        .psp_id = o->psp_id,
        .customer = o->customer,
        .amount_minor = o->amount_minor,
        .currency = o->currency,
    };
    return psp_send(f, &psp, &call, &c->answer);
}

static enum flow_next note_answer(struct flow *f)
{
    struct pay_call *c = f->state;
    const struct psp_operation *o = &c->operation;

    if (failed(f->err)) /* nobody knows: the lease brings it back */
        return FLOW_NEXT;
    psp_answer_read(f->arena, c->kind, &c->answer);
    metric_add(METRIC_PSP_CALLS, o->kind, psp_outcome_name(&c->answer), NULL, 1);
    log_line(c->answer.outcome == PSP_ANSWERED ? LOG_INFO : LOG_WARN, "PSP called",
             LOG_TEXT("call", o->kind), LOG_TEXT("payment", o->reference),
             LOG_TEXT("outcome", psp_outcome_name(&c->answer)), LOG_INT("attempts", o->attempts),
             LOG_TEXT("detail", c->answer.detail));
    c->done = (struct psp_done){
        .id = o->id,
        .outcome = psp_outcome_name(&c->answer),
        .detail = c->answer.detail,
        .retry_after_s = c->answer.retry_after_s,
        .view = c->answer.view,
    };
    return psp_done(f, &c->done, &c->after);
}

static void claim_calls(struct hub *hub);

static enum flow_next make_room(struct flow *f)
{
    in_flight--;
    claim_calls(hub_of(f));
    return FLOW_NEXT;
}

static const struct flow_step call_steps[] = {
    {"call the PSP", call_psp},
    {"store what it said", note_answer, .also_on_failure = true},
    {"make room for the next", make_room, .also_on_failure = true},
    {0},
};

static const struct flow_type call_flow = {
    .name = "psp_call",
    .state_size = sizeof(struct pay_call),
    .deadline_ms = SECONDS(28), /* below the lease of a claim */
    .steps = call_steps,
};

static void begin_call(struct hub *hub, const struct psp_operation *o)
{
    struct flow *f = flow_new(&call_flow, &(struct flow_options){.loop = hub->loop, .app = hub});
    struct pay_call *c = f->state;
    struct arena *a = f->arena;

    c->operation = *o;
    c->operation.kind = arena_text(a, o->kind);
    c->operation.key = arena_text(a, o->key);
    c->operation.currency = arena_text(a, o->currency);
    c->operation.reference = arena_text(a, o->reference);
    c->operation.psp_id = arena_text(a, o->psp_id);
    c->operation.customer = arena_text(a, o->customer);
    in_flight++;
    flow_run(f);
}

/* ---- taking up calls ---- */

struct claiming {
    struct psp_operations calls;
    int limit;
};

static bool claiming, once_more; /* one claim at a time: who asks meanwhile gets another */

static enum flow_next claim(struct flow *f)
{
    struct claiming *c = f->state;

    c->limit = CALLS_MAX - (int)in_flight;
    if (c->limit > CALLS_AT_ONCE)
        c->limit = CALLS_AT_ONCE;
    return c->limit > 0 ? psp_claim(f, c->limit, &c->calls) : FLOW_NEXT;
}

static enum flow_next begin_each(struct flow *f)
{
    const struct claiming *c = f->state;
    bool again = once_more || (c->limit > 0 && c->calls.count == (size_t)c->limit);

    claiming = once_more = false;
    for (size_t i = 0; i < c->calls.count; i++)
        begin_call(hub_of(f), &c->calls.items[i]);
    if (again && !failed(f->err) && in_flight < CALLS_MAX)
        claim_calls(hub_of(f));
    return FLOW_NEXT;
}

static const struct flow_step claim_steps[] = {
    {"claim what is due", claim},
    {"begin each", begin_each, .also_on_failure = true},
    {0},
};

static const struct flow_type claim_flow = {
    .name = "claim_psp_calls",
    .state_size = sizeof(struct claiming),
    .deadline_ms = SECONDS(10),
    .steps = claim_steps,
};

static void claim_calls(struct hub *hub)
{
    if (hub->draining)
        return;
    if (claiming) {
        once_more = true;
        return;
    }
    claiming = true;
    hub_job(hub, &claim_flow, NULL, NULL);
}

/* ---- looking ---- */

struct looking {
    struct payment_works works;
    size_t next;
    bool asked; /* the PSP, about works.items[next] */
    struct psp_answer answer;
    const char *outcome;
};

static bool looking;

static enum flow_next find_work(struct flow *f)
{
    struct looking *s = f->state;

    return payment_work(f, LOOKS_AT_ONCE, &s->works);
}

static enum flow_next note_view(struct flow *f, struct looking *s)
{
    const struct payment_work *w = &s->works.items[s->next++];

    s->asked = false;
    psp_answer_read(f->arena, PSP_READ, &s->answer);
    metric_add(METRIC_PSP_CALLS, psp_kind_name(PSP_READ), psp_outcome_name(&s->answer), NULL, 1);
    log_line(LOG_INFO, "payment looked up", LOG_TEXT("payment", w->reference),
             LOG_TEXT("outcome", psp_outcome_name(&s->answer)),
             LOG_TEXT("detail", s->answer.detail));
    if (s->answer.outcome == PSP_ANSWERED)
        payment_read(f, w->payment, &s->answer.view, &s->outcome);
    else if (s->answer.outcome == PSP_MISSING)
        payment_read(f, w->payment, NULL, &s->outcome);
    return FLOW_AGAIN;
}

static enum flow_next read_each(struct flow *f)
{
    struct looking *s = f->state;
    struct psp psp;

    if (failed(f->err))
        return FLOW_NEXT;
    if (s->asked)
        return note_view(f, s);
    if (s->next == s->works.count || !payment_psp(hub_of(f)->settings, &psp))
        return FLOW_NEXT;
    struct psp_call call = {
        .kind = PSP_READ,
        .reference = s->works.items[s->next].reference,
        .psp_id = s->works.items[s->next].psp_id,
    };
    s->asked = true;
    psp_send(f, &psp, &call, &s->answer);
    return FLOW_AGAIN;
}

static enum flow_next let_next_look(struct flow *f)
{
    (void)f;
    looking = false;
    return FLOW_NEXT;
}

static const struct flow_step look_steps[] = {
    {"do what can be done here", find_work},
    {"read the others at the PSP", read_each, .also_on_failure = true},
    {"let the next round begin", let_next_look, .also_on_failure = true},
    {0},
};

static const struct flow_type look_flow = {
    .name = "look_at_payments",
    .state_size = sizeof(struct looking),
    .deadline_ms = SECONDS(240),
    .steps = look_steps,
};

/* ---- payouts ---- */

struct payouts {
    const char *day;
    struct psp_answer answer;
    struct psp_payouts report;
    bool good;
    size_t next;
    int64_t difference;
};

static enum flow_next claim_day(struct flow *f)
{
    struct payouts *s = f->state;

    return psp_payout_claim(f, &s->day);
}

static enum flow_next ask_report(struct flow *f)
{
    struct payouts *s = f->state;
    struct psp psp;

    if (!s->day || !payment_psp(hub_of(f)->settings, &psp))
        return FLOW_DONE;
    return psp_ask_payouts(f, &psp, s->day, &s->answer);
}

static enum flow_next keep_lines(struct flow *f)
{
    struct payouts *s = f->state;

    if (s->next == 0 && !s->good) {
        struct err e = psp_payouts_read(f->arena, &s->answer, &s->report);
        s->good = !failed(e);
        if (failed(e))
            log_line(LOG_WARN, "no payout report", LOG_TEXT("day", s->day),
                     LOG_TEXT("reason", err_text(e)));
    }
    if (s->difference)
        log_line(LOG_ERROR, "payout not explained", LOG_TEXT("day", s->day),
                 LOG_INT("difference_minor", s->difference));
    s->difference = 0;
    if (!s->good || s->next == s->report.count)
        return FLOW_NEXT;
    const struct psp_payout *p = &s->report.items[s->next++];
    psp_payout_put(f,
                   &(struct psp_payout_line){
                       .day = s->day,
                       .currency = p->currency,
                       .paid_minor = p->paid_minor,
                       .captured_minor = p->captured_minor,
                       .refunded_minor = p->refunded_minor,
                       .charged_back_minor = p->charged_back_minor,
                       .fee_minor = p->fee_minor,
                   },
                   &s->difference);
    return FLOW_AGAIN;
}

static enum flow_next end_day(struct flow *f)
{
    struct payouts *s = f->state;

    return psp_payout_done(f, s->day, s->good);
}

static const struct flow_step payout_steps[] = {
    {"claim a day", claim_day},
    {"ask for its report", ask_report},
    {"keep it beside our figures", keep_lines},
    {"end the day", end_day},
    {0},
};

static const struct flow_type payout_flow = {
    .name = "psp_payouts",
    .state_size = sizeof(struct payouts),
    .deadline_ms = SECONDS(50),
    .steps = payout_steps,
};

/* ---- the beat ---- */

void pay_what_is_due(struct hub *hub)
{
    static int64_t payouts_ms;
    int64_t now = time_monotonic_ms();

    if (!hub->settings->psp_url || hub->draining)
        return;
    claim_calls(hub);
    if (!looking) {
        looking = true;
        hub_job(hub, &look_flow, NULL, NULL);
    }
    if (!payouts_ms || now - payouts_ms >= PAYOUTS_EVERY_MS) {
        payouts_ms = now;
        hub_job(hub, &payout_flow, NULL, NULL);
    }
}
