/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cases: what a person decides about what the hub does not decide by itself (contract 4.2 rule 12b,
 * 10).
 *
 *   POST /v1/finance/cases/{id}/resolve {resolution, note}
 *
 *   late_start, force_closed   confirm: its CDR is billed; decline: never, come or not
 *   quarantined_cdr            bill: whatever was found; decline: never
 *   unmatched_cdr              decline; done: it goes on looking for its session
 *   cost_mismatch              accept: the network gets what it states; refuse: nothing
 *   others                     done: a person has dealt with it elsewhere
 */
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/finance_list.h"
#include "hub/finance/deed.h"
#include "hub/finance/finance_api.h"
#include "hub/finance/intake.h"
#include "hub/finance/list_ask.h"
#include "hub/hub.h"

enum { NOTE_MAX = 1000, ANSWER_MAX = 8192 };

/* clang-format off */
static const struct rule {
    const char *kind; /* NULL: any other */
    const char *words[3];
} rules[] = {
    {"late_start",      {"confirm", "decline"}},
    {"force_closed",    {"confirm", "decline"}},
    {"quarantined_cdr", {"bill", "decline"}},
    {"unmatched_cdr",   {"decline", "done"}},
    {"cost_mismatch",   {"accept", "refuse"}},
    {NULL,              {"done"}},
};
/* clang-format on */

struct resolving {
    struct deed deed;
    int64_t id;
    const char *resolution, *note;
    struct finance_case about;
    struct cdr_intake intake;
    struct cdr_stored declined;
    bool released, closed;
    enum { BEGIN, LOOK, ACT, CLOSE, DONE } phase;
    const char *receipt, *filed; /* what came of the CDR, or NULL */
};

static enum flow_next read_ask(struct flow *f)
{
    struct resolving *s = f->state;
    const struct request *r = request_of(f);
    struct field_errors errors;

    FLOW_TRY(f, deed_read(f, &s->deed, true));
    s->id = list_id(r->params[0]);
    if (!s->id)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    s->resolution = json_text_of(r->json, "resolution");
    s->note = json_text_of(r->json, "note");
    field_errors_init(&errors, f->arena);
    if (!s->resolution)
        field_errors_add(&errors, "resolution", "resolution_required", "is required");
    if (json_object_get(r->json, "note") && !deed_text_is_good(s->note, NOTE_MAX))
        field_errors_add(&errors, "note", "note_invalid",
                         "must be text of 1 to 1000 characters without control characters");
    return errors.count ? reply_field_errors(f, &errors) : FLOW_NEXT;
}

static enum flow_next begin(struct flow *f)
{
    struct resolving *s = f->state;

    return deed_begin(f, &s->deed);
}

/* ---- what may be decided ---- */

static bool is(const struct resolving *s, const char *word)
{
    return strcmp(s->resolution, word) == 0;
}

static struct err check(struct flow *f, const struct resolving *s)
{
    const struct finance_case *c = &s->about;
    const struct rule *rule = rules;

    if (!c->found)
        return err_new(ERR_OBJECT_NOT_FOUND);
    if (c->resolved)
        return err_new(ERR_ALREADY_DECIDED);
    while (rule->kind && strcmp(rule->kind, c->kind) != 0)
        rule++;
    for (int i = 0; rule->words[i]; i++)
        if (is(s, rule->words[i]))
            return !c->cdr && (is(s, "confirm") || is(s, "bill"))
                       ? err_at(f->arena, ERR_BAD_FIELD, "resolution",
                                "its CDR has not come yet; a manual CDR can take its place")
                       : OK;
    return err_at(f->arena, ERR_BAD_FIELD, "resolution", "for %s it must be %s%s%s", c->kind,
                  rule->words[0], rule->words[1] ? " or " : "",
                  rule->words[1] ? rule->words[1] : "");
}

/* ---- what follows ---- */

static enum flow_next close_case(struct flow *f, struct resolving *s)
{
    s->phase = DONE;
    finance_case_settled(f, s->id, s->resolution, request_of(f)->caller.name, s->note, &s->closed);
    return FLOW_AGAIN;
}

static enum flow_next act(struct flow *f, struct resolving *s)
{
    const char *by = request_of(f)->caller.name;
    int64_t cdr = s->about.cdr;

    if (is(s, "confirm") || is(s, "bill")) {
        s->phase = ACT;
        s->intake = (struct cdr_intake){.stored = cdr, .by = by, .confirmed = true};
        return FLOW_AGAIN;
    }
    s->phase = CLOSE;
    if (is(s, "decline") && cdr)
        cdr_decline(f, cdr, by, &s->declined);
    else if (is(s, "decline"))
        cdr_decline_awaited(f, s->about.session_id, by, &s->declined);
    else if (is(s, "accept") || is(s, "refuse"))
        cdr_release(f, cdr, is(s, "accept"), by, &s->released);
    return FLOW_AGAIN;
}

/* A person's word does not make a second bill of a session, nor money out of a credit. */
static enum flow_next took_in(struct flow *f, struct resolving *s)
{
    const struct cdr_stored *r = &s->intake.result;

    s->filed = r->filed;
    s->receipt = r->receipt;
    if (r->outcome == CDR_SETTLED)
        hub_of(f)->session_changed(hub_of(f), &r->session);
    if (strcmp(r->filed, "billed") != 0 && strcmp(r->filed, "credit") != 0)
        return flow_fail(f, r->outcome == CDR_SETTLED && s->intake.priced.unbillable
                                ? err_at(f->arena, ERR_UNBILLABLE, NULL,
                                         "the CDR cannot be billed: %s", s->intake.priced.why)
                                : err_at(f->arena, ERR_ALREADY_DECIDED, NULL,
                                         "the CDR cannot be billed: it is %s", r->filed));
    return close_case(f, s);
}

static enum flow_next acted(struct flow *f, struct resolving *s)
{
    if (is(s, "decline")) {
        s->filed = s->declined.filed;
        if (s->declined.outcome == CDR_SETTLED)
            hub_of(f)->session_changed(hub_of(f), &s->declined.session);
        else if (strcmp(s->declined.filed, "declined") != 0)
            return flow_fail(f, err_at(f->arena, ERR_ALREADY_DECIDED, NULL, "the CDR is %s already",
                                       s->declined.filed));
    } else if ((is(s, "accept") || is(s, "refuse")) && !s->released) {
        return flow_fail(
            f, err_at(f->arena, ERR_ALREADY_DECIDED, NULL, "the CDR is not disputed any more"));
    }
    return close_case(f, s);
}

static enum flow_next resolve(struct flow *f)
{
    struct resolving *s = f->state;
    enum flow_next next;
    struct text t;

    switch (s->phase) {
    case BEGIN:
        if (!deed_is_new(f, &s->deed))
            return FLOW_DONE;
        s->phase = LOOK;
        finance_case(f, s->id, &s->about);
        return FLOW_AGAIN;
    case LOOK:
        FLOW_TRY(f, check(f, s));
        return act(f, s);
    case ACT:
        next = cdr_intake_run(f, &s->intake);
        return next == FLOW_NEXT ? took_in(f, s) : next;
    case CLOSE:
        return acted(f, s);
    case DONE:
        break;
    }
    text_init(&t, f->arena, ANSWER_MAX);
    json_begin_object(&t, NULL);
    json_put_int(&t, "id", s->id);
    json_put_text(&t, "kind", s->about.kind);
    json_put_text(&t, "resolution", s->resolution);
    json_put_text(&t, "note", s->note);
    json_put_text(&t, "by", request_of(f)->caller.name);
    json_put_text(&t, "session_id", s->about.session_id[0] ? s->about.session_id : NULL);
    json_put_text(&t, "filed", s->filed ? s->filed : s->about.filed);
    json_put_text(&t, "receipt_number", s->receipt);
    json_end_object(&t);
    return deed_done(&s->deed, 200, &t);
}

static enum flow_next keep(struct flow *f)
{
    struct resolving *s = f->state;

    return deed_keep(f, &s->deed);
}

static enum flow_next answer(struct flow *f)
{
    const struct resolving *s = f->state;

    return deed_answer(f, &s->deed);
}

static const struct flow_step steps[] = {
    {"read what is asked", read_ask},
    {"reserve the key", begin},
    {"resolve", resolve},
    {"keep the answer", keep, .also_on_failure = true},
    {"answer", answer},
    {0},
};
const struct flow_type resolve_case_flow = {
    .name = "resolve_case",
    .state_size = sizeof(struct resolving),
    .deadline_ms = SECONDS(20),
    .steps = steps,
};
