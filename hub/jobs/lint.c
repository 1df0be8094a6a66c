/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lint: reads what is new, judges it, keeps the findings. Two processes that look at the same find
 * the same.
 *
 *    a few at a time, until nobody is left --> read them --> look at one, keep what was found -->
 * ...
 */
#include "hub/jobs/lint.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "db/retail.h"
#include "hub/hub.h"
#include "hub/jobs/jobs.h"
#include "ocpi/object.h"
#include "ocpi/price.h"
#include "ocpi/tariff_lint.h"

enum {
    AT_ONCE = 20, /* or fewer: what is read at once is bounded in bytes, too */
    DOCUMENT_VALUES = 100000,
    LINT_BYTES = 256 * 1024,
    LOOK_BYTES = 64 * 1024 * 1024,
};

/* ---- a few of them ---- */

struct linting {
    struct lint_works works;
    size_t next;
    size_t *found; /* how many there were; whoever asked for them goes on until there are none */
};

static enum flow_next read_new(struct flow *f)
{
    struct linting *l = f->state;

    return tariff_lint_due(f, AT_ONCE, &l->works);
}

/* The findings as JSON. What cannot be read at all is a finding, too: it was checked by its table,
 * so its amounts are beyond us. */
static char *findings_of(struct arena *a, const struct lint_work *w, bool *ret_hold)
{
    struct tariff_lint_facts facts = {
        .country_currency = w->country_currency,
        .country_vat_u4 = w->vat_u6 == NUMBER_NONE ? NUMBER_NONE : w->vat_u6 / 100,
    };
    struct price_tariff tariff;
    struct tariff_lints lints;
    json_t *document;
    struct text t;

    text_init(&t, a, LINT_BYTES);
    struct err e =
        json_read(a, w->tariff.document, strlen(w->tariff.document), DOCUMENT_VALUES, &document);
    if (!failed(e))
        e = price_tariff_read(w->tariff.ocpi, document, a, &tariff);
    if (failed(e)) {
        *ret_hold = true;
        json_begin_array(&t, NULL);
        json_begin_object(&t, NULL);
        json_put_text(&t, "name", "unreadable");
        json_put_text(&t, "severity", lint_severity_name(LINT_HOLD));
        json_put_text(&t, "text", err_text(e));
        json_put_text(&t, "path", e.where ? e.where : "");
        json_end_object(&t);
        json_end_array(&t);
        return t.bytes;
    }
    tariff_lint(&tariff, &facts, a, &lints);
    *ret_hold = lints.hold;
    tariff_lint_print(&lints, &t, NULL);
    return t.bytes;
}

/* What one takes is given back before the next one: they are as large as partners make them. */
static const char *look_at(struct flow *f, const struct lint_work *w, bool *ret_hold)
{
    struct arena *own = arena_new(LOOK_BYTES);
    const char *findings = arena_text(f->arena, findings_of(own, w, ret_hold));

    arena_free(own);
    return findings;
}

static enum flow_next look(struct flow *f)
{
    struct linting *l = f->state;
    bool hold;

    *l->found = l->works.count;
    if (l->next == l->works.count)
        return FLOW_NEXT;
    const struct lint_work *w = &l->works.items[l->next++];
    const char *findings = look_at(f, w, &hold);
    if (hold)
        log_line(LOG_WARN, "a network's tariff is held: `hubctl tariff lint --held`",
                 LOG_INT("tariff", w->tariff.tariff), LOG_INT("version", w->tariff.version));
    flow_again_after_wait(f);
    return tariff_lint_put(f, &w->tariff, findings, hold);
}

static const struct flow_step few_steps[] = {
    {"read what is new", read_new},
    {"look at each", look},
    {0},
};
static const struct flow_type few_flow = {
    .name = "tariff_lint_few",
    .state_size = sizeof(struct linting),
    .deadline_ms = SECONDS(20),
    .steps = few_steps,
};

static void tell_where(void *state, void *context)
{
    struct linting *l = state;

    l->found = context;
}

/* ---- one round at a time ---- */

struct round {
    bool began;
    size_t found;
};

static bool running;

static enum flow_next look_at_a_few(struct flow *f)
{
    struct round *r = f->state;

    running = true;
    if ((r->began && !r->found) || hub_of(f)->draining)
        return FLOW_NEXT;
    r->began = true;
    r->found = 0;
    flow_child(f, &few_flow, tell_where, &r->found, NULL);
    return FLOW_AGAIN;
}

static enum flow_next let_next_begin(struct flow *f)
{
    (void)f;
    running = false;
    return FLOW_NEXT;
}

static const struct flow_step steps[] = {
    {"look at a few", look_at_a_few},
    {"let the next round begin", let_next_begin, .also_on_failure = true},
    {0},
};
static const struct flow_type lint_flow = {
    .name = "tariff_lint",
    .state_size = sizeof(struct round),
    .steps = steps,
};

void lint_look(struct hub *hub)
{
    if (!running)
        hub_job(hub, &lint_flow, NULL, NULL);
}
