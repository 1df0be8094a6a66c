/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Self-test: the job. It walks through the plan; what each check found is stored before the next
 * one begins, so that whoever waits sees it at once.
 */
#include "hub/ops/selftest/selftest.h"

#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "base/time.h"
#include "hub/hub.h"

enum { SILENT_MAX = 3 };

/* ---- the plan ---- */

struct plan {
    struct planned *at;
    size_t count, most;
};

static void plan_add(struct plan *plan, const struct check *checks, const char *module,
                     enum ocpi_interface role)
{
    for (const struct check *c = checks; c->name && plan->count < plan->most; c++)
        plan->at[plan->count++] = (struct planned){c, module, role};
}

static void plan_lists(struct plan *plan, const struct selftest *t)
{
    static const char *const MODULES[] = {MODULE_LOCATIONS, MODULE_TARIFFS, MODULE_SESSIONS,
                                          MODULE_CDRS,      MODULE_TOKENS,  MODULE_HUB_CLIENT_INFO};

    for (size_t i = 0; i < sizeof MODULES / sizeof *MODULES; i++) {
        if (!offers(t, MODULES[i], OCPI_INTERFACE_SENDER))
            continue;
        plan_add(plan, list_checks, MODULES[i], OCPI_INTERFACE_SENDER);
        if (strcmp(MODULES[i], MODULE_SESSIONS) == 0)
            plan_add(plan, session_list_checks, MODULES[i], OCPI_INTERFACE_SENDER);
        if (strcmp(MODULES[i], MODULE_LOCATIONS) == 0)
            plan_add(plan, location_checks, MODULES[i], OCPI_INTERFACE_SENDER);
    }
}

static void plan_receivers(struct plan *plan, const struct selftest *t)
{
    static const char *const MODULES[] = {MODULE_LOCATIONS, MODULE_TARIFFS, MODULE_SESSIONS,
                                          MODULE_TOKENS};

    for (size_t i = 0; i < sizeof MODULES / sizeof *MODULES; i++) {
        const char *module = MODULES[i];
        if (!offers(t, module, OCPI_INTERFACE_RECEIVER))
            continue;
        bool tariffs = strcmp(module, MODULE_TARIFFS) == 0;
        plan_add(plan, receiver_checks, module, OCPI_INTERFACE_RECEIVER);
        if (!tariffs || t->peer.version == OCPI_2_1_1)
            plan_add(plan, patch_checks, module, OCPI_INTERFACE_RECEIVER);
        if (tariffs)
            plan_add(plan, tariff_checks, module, OCPI_INTERFACE_RECEIVER);
        if (strcmp(module, MODULE_SESSIONS) == 0)
            plan_add(plan, session_checks, module, OCPI_INTERFACE_RECEIVER);
    }
    if (offers(t, MODULE_CDRS, OCPI_INTERFACE_RECEIVER))
        plan_add(plan, cdr_checks, MODULE_CDRS, OCPI_INTERFACE_RECEIVER);
}

size_t selftest_plan(const struct selftest *t, struct planned *ret, size_t most)
{
    struct plan plan = {.at = ret, .most = most};

    plan_add(&plan, discovery_checks, NULL, OCPI_INTERFACE_NONE);
    plan_add(&plan, transport_checks, NULL, OCPI_INTERFACE_NONE);
    plan_lists(&plan, t);
    plan_receivers(&plan, t);
    if (offers(t, MODULE_TOKENS, OCPI_INTERFACE_SENDER))
        plan_add(&plan, authorize_checks, MODULE_TOKENS, OCPI_INTERFACE_SENDER);
    if (offers(t, MODULE_COMMANDS, OCPI_INTERFACE_RECEIVER))
        plan_add(&plan, command_checks, MODULE_COMMANDS, OCPI_INTERFACE_RECEIVER);
    if (offers(t, MODULE_CHARGING_PROFILES, OCPI_INTERFACE_RECEIVER))
        plan_add(&plan, profile_checks, MODULE_CHARGING_PROFILES, OCPI_INTERFACE_RECEIVER);
    plan_add(&plan, credentials_checks, NULL, OCPI_INTERFACE_NONE);
    plan_add(&plan, answer_checks, NULL, OCPI_INTERFACE_NONE);
    return plan.count;
}

/* ---- the steps ---- */

/* The partner as it really is: what we put up with in it is what a test should find. Only how it
 * is addressed stays as agreed. */
static struct peer plain_peer(const struct partner *partner)
{
    struct peer peer = partner->peer;

    peer.quirks = (struct quirks){.trailing_slash = partner->peer.quirks.trailing_slash,
                                  .lower_case_ids = partner->peer.quirks.lower_case_ids};
    peer.leniency = (struct object_leniency){0};
    return peer;
}

static enum flow_next prepare(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    char mark[7];

    t->partner = partner_find(f, t->partner_id);
    if (!t->partner || !secret_is_set(t->partner->peer.token))
        return flow_fail(f, err_at(f->arena, ERR_NOT_FOUND, NULL, "the partner has gone"));
    t->peer = plain_peer(t->partner);
    id_token(mark, sizeof mark - 1);
    snprintf(t->mark, sizeof t->mark, "HUBTEST-%s", mark);
    /* One correlation id for the whole test: so it is found in the message log. */
    id_uuid_v4(f->correlation_id);
    t->plan = arena_alloc(f->arena, PLAN_MAX * sizeof *t->plan);
    t->plan_count = selftest_plan(t, t->plan, PLAN_MAX);
    return FLOW_NEXT;
}

static const char *not_now(const struct selftest *t, const struct check *check)
{
    if (t->stop)
        return t->stop;
    if (check->flags & CHECK_FULL && !t->full)
        return "changes something at the partner: only with --full";
    if (check->flags & CHECK_SINCE_22 && t->peer.version == OCPI_2_1_1)
        return "not in 2.1.1";
    return NULL;
}

/* The check is over; its findings are stored. */
static enum flow_next store_found(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    size_t count = t->found_count;

    if (!count) {
        tell(f, (struct finding){VERDICT_PASS});
        count = t->found_count;
    }
    t->at++;
    t->step = 0;
    t->found_count = 0;
    flow_again_after_wait(f);
    return partner_check_add(f, t->id, t->found, count);
}

/* One who hangs would use up the time of the whole test. */
static void note_answer(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    audit_answer(f->arena, &t->call, &t->answer, time_now_us(), t->audit);
    t->silent = t->answer.http.timed_out ? t->silent + 1 : 0;
    if (t->silent >= SILENT_MAX && !t->stop)
        t->stop = "the partner does not answer any more";
}

static enum flow_next run_checks(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (t->asked)
        note_answer(f);
    t->asked = false;
    if (hub_of(f)->draining)
        t->stop = "the hub is shutting down";
    while (t->at < t->plan_count) {
        const struct check *check = t->plan[t->at].check;
        const char *why = t->step ? NULL : not_now(t, check);
        if (why)
            t->step = CHECK_STEPS;
        if (why)
            tell_skipped(f, why);
        if (t->step >= CHECK_STEPS || !check->steps[t->step])
            return store_found(f);
        switch (check->steps[t->step++](f)) {
        case FLOW_AGAIN:
            t->step--;
            break;
        case FLOW_DONE:
            t->step = CHECK_STEPS;
            break;
        case FLOW_WAIT:
            flow_again_after_wait(f);
            return FLOW_WAIT;
        case FLOW_FAILED:
            return FLOW_FAILED;
        case FLOW_NEXT:
            break;
        }
    }
    return FLOW_NEXT;
}

/* Of a test that was cut short: by its deadline, or because nothing was left to ask. */
static enum flow_next say_why_it_ended(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const char *why = failed(f->err) ? err_text(f->err) : t->stop;
    struct partner_check row = {
        .seq = t->seq + 1,
        .name = "test.complete",
        .result = verdict_name(VERDICT_WARN),
        .expected = "every check was made",
        .got = arena_text(f->arena, why),
        .advice =
            "Test again when the endpoints answer; those that hang use up the time of the test.",
    };

    return why ? partner_check_add(f, t->id, &row, 1) : FLOW_NEXT;
}

static enum flow_next note_end(struct flow *f)
{
    return partner_test_end(f, selftest_of(f)->id);
}

static const struct flow_step steps[] = {
    {"make the plan", prepare},
    {"run the checks", run_checks},
    {"say why it ended early, if so", say_why_it_ended, .also_on_failure = true},
    {"note the end", note_end, .also_on_failure = true},
    {0},
};

const struct flow_type selftest_flow = {
    .name = "partner_test",
    .state_size = sizeof(struct selftest),
    .deadline_ms = MINUTES(5),
    .steps = steps,
};
