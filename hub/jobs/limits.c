/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits: each look claims what is due, prices it, and says what follows: a stop, or the next look.
 */
#include "hub/jobs/limits.h"

#include "base/log.h"
#include "base/time.h"
#include "db/retail.h"
#include "hub/finance/live_cost.h"
#include "hub/hub.h"
#include "hub/jobs/jobs.h"

enum { AT_ONCE = 50 };

struct looking {
    struct limit_works works;
    size_t next;
    bool asked;
    const char *cause;
    struct session after;
};

static bool claiming; /* one at a time; what is claimed is nobody else's for a minute */

static enum flow_next claim(struct flow *f)
{
    struct looking *l = f->state;

    claiming = true;
    return limit_claim(f, AT_ONCE, &l->works);
}

static enum flow_next judge_one(struct flow *f, struct looking *l)
{
    const struct limit_work *w = &l->works.items[l->next];
    struct live_limit limit = {w->max_minutes, w->credit_currency, w->credit_minor};
    int64_t next_us;

    l->cause = live_limit_reached(&w->session, &limit, time_now_us(), f->arena, &next_us);
    return limit_done(f, &w->session, l->cause, next_us, &l->after);
}

static enum flow_next judge(struct flow *f)
{
    struct looking *l = f->state;

    if (l->asked) {
        if (l->after.id[0] && l->after.changed) {
            log_line(LOG_INFO, "session stopped by a limit", LOG_TEXT("session", l->after.id),
                     LOG_TEXT("cause", l->cause ? l->cause : ""));
            after_session_change(hub_of(f), &l->after);
        }
        l->next++;
    }
    l->asked = l->next < l->works.count;
    if (!l->asked)
        return FLOW_NEXT;
    flow_again_after_wait(f);
    return judge_one(f, l);
}

static enum flow_next let_next_begin(struct flow *f)
{
    (void)f;
    claiming = false;
    return FLOW_NEXT;
}

static const struct flow_step steps[] = {
    {"claim what is due", claim},
    {"let the next round begin", let_next_begin, .also_on_failure = true},
    {"judge each", judge},
    {0},
};

static const struct flow_type limits_flow = {
    .name = "limits",
    .state_size = sizeof(struct looking),
    .deadline_ms = SECONDS(20),
    .steps = steps,
};

void limits_look(struct hub *hub)
{
    if (!claiming)
        hub_job(hub, &limits_flow, NULL, NULL);
}
