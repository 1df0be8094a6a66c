/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lint: reads what is new, judges it, keeps the findings. Two processes that look at the same find
 * the same.
 */
#include "hub/jobs/lint.h"

#include <string.h>

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

enum { AT_ONCE = 50, DOCUMENT_VALUES = 100000, LINT_BYTES = 256 * 1024 };

struct linting {
    struct lint_works works;
    size_t next;
};

static bool reading;

static enum flow_next read_new(struct flow *f)
{
    struct linting *l = f->state;

    reading = true;
    return tariff_lint_due(f, AT_ONCE, &l->works);
}

static enum flow_next let_next_begin(struct flow *f)
{
    const struct linting *l = f->state;

    if (l->works.count == 0)
        reading = false; /* else when the findings are kept: what is read is not read again */
    return FLOW_NEXT;
}

/* The findings as JSON. What cannot be read at all is a finding, too: it was checked by its table,
 * so its amounts are beyond us. */
static char *findings_of(struct flow *f, const struct lint_work *w, bool *ret_hold)
{
    struct tariff_lint_facts facts = {
        .country_currency = w->country_currency,
        .country_vat_u4 = w->vat_u6 == NUMBER_NONE ? NUMBER_NONE : w->vat_u6 / 100,
    };
    struct price_tariff tariff;
    struct tariff_lints lints;
    json_t *document;
    struct text t;

    text_init(&t, f->arena, LINT_BYTES);
    struct err e = json_read(f->arena, w->tariff.document, strlen(w->tariff.document),
                             DOCUMENT_VALUES, &document);
    if (!failed(e))
        e = price_tariff_read(w->tariff.ocpi, document, f->arena, &tariff);
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
    tariff_lint(&tariff, &facts, f->arena, &lints);
    *ret_hold = lints.hold;
    tariff_lint_print(&lints, &t, NULL);
    return t.bytes;
}

static enum flow_next look(struct flow *f)
{
    struct linting *l = f->state;
    bool hold;

    if (l->next == l->works.count)
        return FLOW_NEXT;
    const struct lint_work *w = &l->works.items[l->next++];
    const char *findings = findings_of(f, w, &hold);
    if (hold)
        log_line(LOG_WARN, "a network's tariff is held: `hubctl tariff lint --held`",
                 LOG_INT("tariff", w->tariff.tariff), LOG_INT("version", w->tariff.version));
    flow_again_after_wait(f);
    return tariff_lint_put(f, &w->tariff, findings, hold);
}

static enum flow_next done(struct flow *f)
{
    (void)f;
    reading = false;
    return FLOW_NEXT;
}

static const struct flow_step steps[] = {
    {"read what is new", read_new},
    {"nothing new: done", let_next_begin, .also_on_failure = true},
    {"look at each", look},
    {"let the next round begin", done, .also_on_failure = true},
    {0},
};

static const struct flow_type lint_flow = {
    .name = "tariff_lint",
    .state_size = sizeof(struct linting),
    .deadline_ms = SECONDS(20),
    .steps = steps,
};

void lint_look(struct hub *hub)
{
    if (!reading)
        hub_job(hub, &lint_flow, NULL, NULL);
}
