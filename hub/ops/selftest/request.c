/* SPDX-License-Identifier: Apache-2.0 */
/* Self-test for those who run the hub: begin one, and see how far it is. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "hub/hub.h"
#include "hub/ops/ops.h"
#include "hub/ops/selftest/selftest.h"
#include "hub/request.h"
#include "ocpi/rule.h"

enum { DOCUMENT_BYTES = 4 * 1024 * 1024 };

/* ---- begin ---- */

struct beginning {
    const struct partner *partner;
    bool full;
    int64_t id;
};

static enum flow_next check(struct flow *f)
{
    struct beginning *s = f->state;
    const json_t *full = json_object_get(request_of(f)->json, "full");
    struct field_errors errors;

    s->partner = partner_named(f, request_of(f)->params[0]);
    if (!s->partner)
        return flow_fail(f, err_at(f->arena, ERR_NOT_FOUND, NULL, "no such partner"));
    field_errors_init(&errors, f->arena);
    if (full && !json_is_boolean(full))
        field_errors_add(&errors, "full", "full_invalid", "must be true or false");
    if (!secret_is_set(s->partner->peer.token))
        field_errors_add(&errors, "id", "not_connected",
                         "this partner has not registered: there is nothing to test yet");
    if (errors.count)
        return reply_field_errors(f, &errors);
    s->full = json_is_true(full);
    return partner_test_begin(f, s->partner->id, s->full, &s->id);
}

static void fill(void *state, void *context)
{
    struct selftest *t = state;
    const struct beginning *s = context;

    t->id = s->id;
    t->partner_id = s->partner->id;
    t->full = s->full;
}

static enum flow_next start(struct flow *f)
{
    struct beginning *s = f->state;
    struct text t;

    if (!s->id)
        return flow_fail(f, err_new(ERR_TEST_RUNNING));
    hub_job(hub_of(f), &selftest_flow, fill, s);
    text_init(&t, f->arena, 4096);
    json_begin_object(&t, NULL);
    json_put_int(&t, "test_id", s->id);
    json_end_object(&t);
    return reply_json(f, 202, &t);
}

static const struct flow_step begin_steps[] = {
    {"check and store", check}, {"start the job", start}, {0}};
const struct flow_type test_partner_flow = {
    .name = "test_partner",
    .state_size = sizeof(struct beginning),
    .deadline_ms = SECONDS(10),
    .steps = begin_steps,
};

/* ---- see ---- */

struct looking {
    const struct partner *partner;
    struct partner_test test;
};

static enum flow_next look(struct flow *f)
{
    struct looking *s = f->state;
    const char *id = request_of(f)->params[1];
    char *end;
    long long number = strtoll(id, &end, 10);

    s->partner = partner_named(f, request_of(f)->params[0]);
    if (!s->partner || *end || number <= 0)
        return flow_fail(f, err_at(f->arena, ERR_NOT_FOUND, NULL, "no such test"));
    return partner_test_get(f, s->partner->id, number, &s->test);
}

/* After the state: what a finished test says is complete. */
static enum flow_next read_checks(struct flow *f)
{
    struct looking *s = f->state;

    if (!s->test.id)
        return flow_fail(f, err_at(f->arena, ERR_NOT_FOUND, NULL, "no such test"));
    return partner_check_list(f, s->test.id, &s->test);
}

static void put_check(struct text *t, const struct partner_check *c)
{
    const struct rule *rule = rule_find(c->rule);

    json_begin_object(t, NULL);
    json_put_int(t, "seq", c->seq);
    json_put_text(t, "name", c->name);
    json_put_text(t, "module", c->module);
    json_put_text(t, "result", c->result);
    json_put_text(t, "rule", c->rule);
    json_put_text(t, "section", rule && *rule->section ? rule->section : NULL);
    json_put_text(t, "rule_text", rule ? rule->text : NULL);
    json_put_text(t, "where", c->place);
    json_put_text(t, "expected", c->expected);
    json_put_text(t, "got", c->got);
    json_put_text(t, "advice", c->advice);
    json_end_object(t);
}

static int64_t count_of(const struct partner_test *test, enum verdict verdict)
{
    int64_t n = 0;

    for (size_t i = 0; i < test->count; i++)
        n += strcmp(test->checks[i].result, verdict_name(verdict)) == 0;
    return n;
}

static void put_time(struct text *t, const char *key, int64_t us)
{
    char time[TIME_TEXT];

    json_put_text(t, key, us == TIME_NONE ? NULL : time_print_seconds(time, us));
}

static enum flow_next show(struct flow *f)
{
    const struct looking *s = f->state;
    struct text t;

    text_init(&t, f->arena, DOCUMENT_BYTES);
    json_begin_object(&t, NULL);
    json_put_int(&t, "test_id", s->test.id);
    json_put_int(&t, "partner_id", s->partner->id);
    json_put_text(&t, "partner", s->partner->name);
    json_put_text(&t, "version", version_name(s->partner->peer.version));
    json_put_bool(&t, "full", s->test.full);
    json_put_text(&t, "state", s->test.running ? "running" : "finished");
    put_time(&t, "started_at", s->test.started_us);
    put_time(&t, "finished_at", s->test.finished_us);
    json_put_int(&t, "passed", count_of(&s->test, VERDICT_PASS));
    json_put_int(&t, "warnings", count_of(&s->test, VERDICT_WARN));
    json_put_int(&t, "failed", count_of(&s->test, VERDICT_FAIL));
    json_put_int(&t, "not_applicable", count_of(&s->test, VERDICT_SKIPPED));
    json_begin_array(&t, "checks");
    for (size_t i = 0; i < s->test.count; i++)
        put_check(&t, &s->test.checks[i]);
    json_end_array(&t);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step show_steps[] = {
    {"find the test", look}, {"read its checks", read_checks}, {"answer", show}, {0}};
const struct flow_type show_partner_test_flow = {
    .name = "show_partner_test",
    .state_size = sizeof(struct looking),
    .deadline_ms = SECONDS(10),
    .steps = show_steps,
};
