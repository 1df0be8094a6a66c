/* SPDX-License-Identifier: Apache-2.0 */
/* What a full test pushes is right in every version, and every check is about a rule that we know.
 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/json.h"
#include "hub/ops/selftest/selftest.h"
#include "ocpi/rule.h"

static const char *const CLASSES[] = {"Location", "Tariff", "Session", "CDR", "Token"};
enum { CLASS_COUNT = sizeof CLASSES / sizeof *CLASSES };

static struct arena *a;

static int setup(void **state)
{
    (void)state;
    a = arena_new(8 * 1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static json_t *sample(enum ocpi_version version, const char *class)
{
    struct sample s = {
        .version = version,
        .owner = {"FI", "HUB"},
        .token_owner = {"DE", "EMS"},
        .id = "HUBTEST-abcdef-1",
        .start = "2026-01-01T00:00:00Z",
        .time = "2026-01-01T00:01:00Z",
    };
    const char *text = sample_object(a, class, &s);
    json_t *json = NULL;

    assert_non_null(text);
    assert_false(failed(json_read(a, text, strlen(text), 0, &json)));
    return json;
}

static void each_sample_is_right_in_each_version(void **state)
{
    (void)state;
    for (enum ocpi_version v = OCPI_2_1_1; v <= OCPI_2_3_0; v++) {
        for (size_t i = 0; i < CLASS_COUNT; i++) {
            const struct object_type *type = object_type_find(v, CLASSES[i]);
            assert_non_null(type);
            struct err e = object_check(type, sample(v, CLASSES[i]), NULL, a);
            if (failed(e))
                fail_msg("%s of %s: %s", CLASSES[i], version_name(v), err_text(e));
        }
    }
}

/* R-TYPE-12: else a receiver that takes it would be called wrong. */
static void without_the_needed_member_it_is_wrong_in_each_version(void **state)
{
    (void)state;
    for (enum ocpi_version v = OCPI_2_1_1; v <= OCPI_2_3_0; v++) {
        for (size_t i = 0; i < CLASS_COUNT; i++) {
            json_t *json = sample(v, CLASSES[i]);
            assert_int_equal(json_object_del(json, sample_needed(CLASSES[i])), 0);
            assert_true(failed(object_check(object_type_find(v, CLASSES[i]), json, NULL, a)));
        }
    }
}

/* R-TRANS-11 */
static void a_change_is_a_patch_that_changes_something(void **state)
{
    (void)state;
    for (enum ocpi_version v = OCPI_2_1_1; v <= OCPI_2_3_0; v++) {
        for (size_t i = 0; i < CLASS_COUNT; i++) {
            const char *value, *member = sample_change(CLASSES[i], &value);
            if (!member) {
                assert_string_equal(CLASSES[i], "CDR");
                continue;
            }
            const char *text = arena_printf(
                a, "{\"%s\":%s,\"last_updated\":\"2026-01-01T00:02:00Z\"}", member, value);
            json_t *patch = NULL, *merged = NULL, *stored = sample(v, CLASSES[i]);
            assert_false(failed(json_read(a, text, strlen(text), 0, &patch)));
            const struct object_type *type = object_type_find(v, CLASSES[i]);
            assert_false(failed(object_merge(type, stored, patch, NULL, a, &merged)));
            assert_false(
                json_equal(json_object_get(stored, member), json_object_get(merged, member)));
        }
    }
}

static void nobody_can_charge_or_pay_with_a_sample(void **state)
{
    (void)state;
    assert_true(json_is_false(json_object_get(sample(OCPI_2_2_1, "Location"), "publish")));
    assert_true(json_is_false(json_object_get(sample(OCPI_2_2_1, "Token"), "valid")));
    const json_t *cost = json_object_get(sample(OCPI_2_2_1, "CDR"), "total_cost");
    assert_int_equal(json_integer_value(json_object_get(cost, "excl_vat")), 0);
}

static void each_check_has_a_name_a_known_rule_and_advice(void **state)
{
    static const struct check *const TABLES[] = {
        discovery_checks, transport_checks, list_checks,    session_list_checks, location_checks,
        receiver_checks,  patch_checks,     tariff_checks,  session_checks,      cdr_checks,
        authorize_checks, command_checks,   profile_checks, credentials_checks,  answer_checks,
    };

    (void)state;
    for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES; i++) {
        for (const struct check *c = TABLES[i]; c->name; c++) {
            if (!rule_find(c->rule))
                fail_msg("%s is about %s, which is not in the list", c->name, c->rule);
            assert_non_null(c->advice);
            assert_int_equal(c->advice[strlen(c->advice) - 1], '.');
            assert_non_null(c->steps[0]);
        }
    }
}

/* Without a module nothing of it is planned; with it, in the role in which it is offered. */
static void the_plan_follows_what_the_partner_offers(void **state)
{
    static const struct peer_endpoint network[] = {
        {MODULE_LOCATIONS, OCPI_INTERFACE_SENDER, "https://cpo.example/locations"},
        {MODULE_TOKENS, OCPI_INTERFACE_RECEIVER, "https://cpo.example/tokens"},
    };
    struct selftest t = {
        .peer = {.version = OCPI_2_2_1, .endpoints = network, .endpoint_count = 2},
    };
    struct planned plan[PLAN_MAX];
    bool locations = false, tokens = false;

    (void)state;
    size_t count = selftest_plan(&t, plan, PLAN_MAX);
    assert_true(count < PLAN_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *module = plan[i].module;
        if (!module)
            continue;
        locations |= strcmp(module, MODULE_LOCATIONS) == 0 && plan[i].role == OCPI_INTERFACE_SENDER;
        tokens |= strcmp(module, MODULE_TOKENS) == 0 && plan[i].role == OCPI_INTERFACE_RECEIVER;
        assert_true(strcmp(module, MODULE_LOCATIONS) == 0 || strcmp(module, MODULE_TOKENS) == 0);
    }
    assert_true(locations && tokens);
}

/* A partner that offers everything in both roles fits. */
static void the_largest_plan_fits(void **state)
{
    static const char *const MODULES[] = {
        MODULE_CREDENTIALS,     MODULE_LOCATIONS, MODULE_TARIFFS,
        MODULE_SESSIONS,        MODULE_CDRS,      MODULE_TOKENS,
        MODULE_HUB_CLIENT_INFO, MODULE_COMMANDS,  MODULE_CHARGING_PROFILES};
    enum { N = sizeof MODULES / sizeof *MODULES };
    struct peer_endpoint all[2 * N];
    struct planned plan[PLAN_MAX];

    (void)state;
    for (size_t i = 0; i < N; i++) {
        all[2 * i] = (struct peer_endpoint){MODULES[i], OCPI_INTERFACE_SENDER, "https://a.example"};
        all[2 * i + 1] =
            (struct peer_endpoint){MODULES[i], OCPI_INTERFACE_RECEIVER, "https://a.example"};
    }
    struct selftest t = {
        .peer = {.version = OCPI_2_1_1, .endpoints = all, .endpoint_count = 2 * N},
    };
    size_t count = selftest_plan(&t, plan, PLAN_MAX);
    assert_true(count > 100 && count < PLAN_MAX);
    assert_string_equal(plan[count - 1].check->name, "answers.config_routing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sample_is_right_in_each_version),
        cmocka_unit_test(without_the_needed_member_it_is_wrong_in_each_version),
        cmocka_unit_test(a_change_is_a_patch_that_changes_something),
        cmocka_unit_test(nobody_can_charge_or_pay_with_a_sample),
        cmocka_unit_test(each_check_has_a_name_a_known_rule_and_advice),
        cmocka_unit_test(the_plan_follows_what_the_partner_offers),
        cmocka_unit_test(the_largest_plan_fits),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
