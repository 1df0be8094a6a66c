/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDR intake: going round until what was priced is what is there. A CDR and its tariffs may be
 * megabytes, and so is what is made of them: each round looks and prices in memory of its own, and
 * leaves the result.
 */
#include "hub/finance/intake.h"

#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "hub/finance/cdr_told.h"
#include "hub/hub.h"

enum {
    TRIES = 20, /* a session that changes each time it is looked at */
    PAUSE_MS = 20,
    STORED_VALUES = 1000000,
    LOOK_BYTES = 128 * 1024 * 1024,
    RESULT_BYTES = 4 * 1024 * 1024,
};

/* What a look has found: in->priced, or that the CDR is known. */
struct cdr_round {
    struct arena *arena; /* of all texts */
    typeof(((struct cdr_context *)0)->known) known;
    const char *path, *filed; /* of a known one */
};

/* ---- look and price ---- */

struct looking {
    struct cdr_intake *in;
    struct cdr_context context;
};

static enum flow_next read_context(struct flow *f)
{
    struct looking *l = f->state;
    const struct cdr_intake *in = l->in;
    struct cdr_ask ask = {
        .put = &in->put,
        .stored = in->stored,
        .connector_id = cdr_told(in->document, f->arena).connector_id,
        .session_id = in->session_id           ? in->session_id
                      : in->row_.session_id[0] ? in->row_.session_id
                                               : NULL,
        .token_most = hub_of(f)->settings->max_open_sessions,
    };

    return cdr_context(f, &ask, &l->context);
}

static enum flow_next price(struct flow *f)
{
    struct looking *l = f->state;
    struct cdr_intake *in = l->in;
    struct cdr_round *r = in->round_;
    const struct cdr_context *c = &l->context;
    struct cdr_pricing pricing = {
        .settings = hub_of(f)->settings,
        .put = &in->put,
        .document = in->document,
        .context = c,
        .received_us = in->stored ? in->row_.received_us : time_now_us(),
        .manual = in->row_.manual,
    };

    r->known = c->known;
    r->path = arena_text(r->arena, c->path);
    r->filed = arena_text(r->arena, c->filed);
    if (c->known != CDR_NEW)
        return FLOW_NEXT;
    FLOW_TRY(f, cdr_price(&pricing, f->arena, &in->priced));
    in->priced.text = arena_text(r->arena, in->priced.text);
    in->priced.why = arena_text(r->arena, in->priced.why);
    return FLOW_NEXT;
}

static const struct flow_step look_steps[] = {
    {"look at what is there", read_context},
    {"price", price},
    {0},
};
static const struct flow_type look_flow = {
    .name = "cdr_look",
    .state_size = sizeof(struct looking),
    .deadline_ms = SECONDS(20),
    .arena_max = LOOK_BYTES,
    .steps = look_steps,
};

static void tell_which(void *state, void *context)
{
    struct looking *l = state;

    l->in = context;
}

static void forget(void *what)
{
    struct cdr_round *r = what;

    arena_free(r->arena);
    r->arena = NULL;
}

static enum flow_next look(struct flow *f, struct cdr_intake *in)
{
    if (!in->round_) {
        in->round_ = arena_alloc(f->arena, sizeof *in->round_);
        arena_on_free(f->arena, forget, in->round_);
    }
    forget(in->round_);
    in->round_->arena = arena_new(RESULT_BYTES);
    in->priced = (struct cdr_priced){0};
    in->phase_ = CDR_INTAKE_FILE;
    flow_child(f, &look_flow, tell_which, in, NULL);
    return FLOW_AGAIN;
}

/* ---- begin ---- */

static enum flow_next begin(struct flow *f, struct cdr_intake *in)
{
    if (!in->stored)
        return look(f, in);
    in->phase_ = CDR_INTAKE_PARSE;
    cdr_read(f, in->stored, &in->row_);
    return FLOW_AGAIN;
}

static enum flow_next parse(struct flow *f, struct cdr_intake *in)
{
    json_t *document;

    if (!in->row_.found)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    in->put = in->row_.put;
    FLOW_TRY(f, json_read(f->arena, in->put.body, in->put.body_length, STORED_VALUES, &document));
    in->document = document;
    return look(f, in);
}

/* ---- file ---- */

static enum flow_next file(struct flow *f, struct cdr_intake *in)
{
    const struct cdr_round *r = in->round_;

    in->phase_ = CDR_INTAKE_TOLD;
    if (r->known == CDR_KNOWN)
        in->result = (struct cdr_stored){.outcome = CDR_REPEATED,
                                         .path = arena_text(f->arena, r->path),
                                         .filed = arena_text(f->arena, r->filed)};
    else if (r->known == CDR_OTHER)
        cdr_put(f, &in->put, "{}", &in->result);
    else if (in->stored)
        cdr_settle(f, in->stored, in->session_id, in->priced.text, in->by, in->confirmed,
                   &in->result);
    else
        cdr_put(f, &in->put, in->priced.text, &in->result);
    return FLOW_AGAIN;
}

/* ---- what came of it ---- */

static void tell(const struct cdr_intake *in)
{
    const struct cdr_stored *r = &in->result;

    if (r->outcome != CDR_STORED && r->outcome != CDR_SETTLED)
        return;
    log_line(in->priced.class == CDR_QUARANTINE ? LOG_WARN : LOG_INFO, "a CDR is filed",
             LOG_TEXT("cdr", in->put.id), LOG_TEXT("filed", r->filed), LOG_TEXT("class", r->class),
             LOG_TEXT("why", in->priced.why), LOG_TEXT("receipt", r->receipt),
             LOG_TEXT("session", r->session.id[0] ? r->session.id : NULL));
}

static enum flow_next told(struct flow *f, struct cdr_intake *in)
{
    if (in->result.outcome == CDR_AGAIN) {
        if (++in->tries_ == TRIES)
            return flow_fail(f, err_new(ERR_OVERLOADED));
        in->phase_ = CDR_INTAKE_BEGIN;
        flow_sleep(f, (int64_t)id_random_below(PAUSE_MS));
        return FLOW_AGAIN;
    }
    tell(in);
    if (!in->result.waiting_credit)
        return FLOW_NEXT;
    in->credit_ = arena_alloc(f->arena, sizeof *in->credit_);
    *in->credit_ = (struct cdr_intake){.stored = in->result.waiting_credit, .by = "hub"};
    in->phase_ = CDR_INTAKE_CREDIT;
    return FLOW_AGAIN;
}

enum flow_next cdr_intake_run(struct flow *f, struct cdr_intake *in)
{
    switch (in->phase_) {
    case CDR_INTAKE_BEGIN:
        return begin(f, in);
    case CDR_INTAKE_PARSE:
        return parse(f, in);
    case CDR_INTAKE_FILE:
        return file(f, in);
    case CDR_INTAKE_TOLD:
        return told(f, in);
    case CDR_INTAKE_CREDIT:
        break;
    }
    return cdr_intake_run(f, in->credit_);
}
