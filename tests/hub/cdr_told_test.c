/* SPDX-License-Identifier: Apache-2.0 */
/* What a CDR tells beside its price, in each version; signed readings that are, and are not, OCMF.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "hub/finance/cdr_told.h"
#include "hub/finance/zones.h"

static struct arena *arena;

static struct cdr_told told(const char *text)
{
    json_t *json;

    assert_false(failed(json_read(arena, text, strlen(text), 0, &json)));
    return cdr_told(json, arena);
}

static void the_place_is_read_in_each_version(void **state)
{
    (void)state;
    struct cdr_told t = told("{\"cdr_location\":{\"name\":\"N\",\"address\":\"A 1\",\"city\":\"C\","
                             "\"postal_code\":\"1\",\"country\":\"DEU\",\"evse_id\":\"DE*E\","
                             "\"connector_id\":\"2\"}}");
    assert_string_equal(t.name, "N");
    assert_string_equal(t.postal_code, "1");
    assert_string_equal(t.evse_id, "DE*E");
    assert_string_equal(t.connector_id, "2");
    t = told("{\"location\":{\"address\":\"A 1\",\"city\":\"C\",\"country\":\"FIN\",\"evses\":[{"
             "\"evse_id\":\"FI*E\",\"connectors\":[{\"id\":\"7\"}]}]}}");
    assert_null(t.name);
    assert_string_equal(t.country, "FIN");
    assert_string_equal(t.evse_id, "FI*E");
    assert_string_equal(t.connector_id, "7");
    t = told("{}");
    assert_null(t.country);
    assert_false(t.is_signed);
}

#define READING(kind, value, unit)                                                                 \
    "{\\\"TX\\\":\\\"" kind "\\\",\\\"RV\\\":" value ",\\\"RU\\\":\\\"" unit "\\\"}"
#define OCMF_TEXT(readings) "OCMF|{\\\"RD\\\":[" readings "]}|{\\\"SD\\\":\\\"30\\\"}"
#define SIGNED(...) "{\"signed_data\":{\"url\":\"https://m\",\"signed_values\":[" __VA_ARGS__ "]}}"
#define VALUE(plain, data)                                                                         \
    "{\"nature\":\"x\",\"plain_data\":\"" plain "\",\"signed_data\":\"" data "\"}"

static void readings_of_ocmf_are_the_first_and_the_last(void **state)
{
    (void)state;
    struct cdr_told t =
        told(SIGNED(VALUE("", OCMF_TEXT(READING("B", "100.5", "kWh") "," READING(
                                  "C", "105", "kWh") "," READING("E", "110.7513", "kWh")))));
    assert_true(t.is_signed && t.has_readings);
    assert_int_equal(t.first_mwh, 100500000);
    assert_int_equal(t.last_mwh, 110751300);
    assert_string_equal(t.signed_url, "https://m");
    assert_int_equal(strlen(t.signed_sha256), 64);
    /* One record each, the plain text instead of the signed one, and watt hours. */
    t = told(SIGNED(VALUE(OCMF_TEXT(READING("B", "100500", "Wh")),
                          "QUJD") "," VALUE(OCMF_TEXT(READING("L", "110751.3", "Wh")), "QUJD")));
    assert_true(t.has_readings);
    assert_int_equal(t.last_mwh - t.first_mwh, 10251300);
}

static void what_is_not_ocmf_is_signed_without_figures(void **state)
{
    static const char *const values[] = {
        SIGNED(VALUE("100", "QUJD")),
        SIGNED(VALUE("OCMF", "OCMF|")),
        SIGNED(VALUE("", "OCMF|{|")),
        SIGNED(VALUE("", "OCMF|[1]|x")),
        SIGNED(),
        SIGNED(VALUE("", OCMF_TEXT(READING("B", "1", "kWh")))), /* no end */
        SIGNED(VALUE("", OCMF_TEXT(READING("B", "1", "kvarh") "," READING("E", "2", "kvarh")))),
        SIGNED(VALUE("", OCMF_TEXT(READING("B", "null", "kWh") "," READING("E", "2", "kWh")))),
    };

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct cdr_told t = told(values[i]);
        assert_true(t.is_signed);
        assert_false(t.has_readings);
        assert_non_null(t.signed_sha256);
    }
}

static void the_hash_is_that_of_the_content_not_of_its_spelling(void **state)
{
    (void)state;
    struct cdr_told a = told("{\"signed_data\":{\"url\":\"u\",\"encoding_method\":\"e\"}}");
    struct cdr_told b = told("{ \"signed_data\" : {\"encoding_method\":\"e\", \"url\":\"u\"} }");
    struct cdr_told c = told("{\"signed_data\":{\"url\":\"v\",\"encoding_method\":\"e\"}}");

    assert_string_equal(a.signed_sha256, b.signed_sha256);
    assert_string_not_equal(a.signed_sha256, c.signed_sha256);
}

/* A partner may invent as many names as it likes. */
static void invented_zones_take_nobodys_place(void **state)
{
    char name[40];

    (void)state;
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "Europe/Atlantis-%d", i);
        assert_null(zones_find(name));
    }
    assert_non_null(zones_find("Europe/Helsinki"));
    assert_null(zones_find("Europe//Helsinki"));
    assert_null(zones_find("posix/Europe/Helsinki"));
}

static void zones_are_read_once_and_unknown_ones_are_none(void **state)
{
    (void)state;
    const struct zone *berlin = zones_find("Europe/Berlin");

    if (!berlin) {
        print_message("skipped: this machine has no tz database (package tzdata)\n");
        skip();
        return;
    }
    assert_ptr_equal(berlin, zones_find("Europe/Berlin"));
    assert_null(zones_find(NULL));
    assert_null(zones_find(""));
    assert_null(zones_find("Europe/Atlantis"));
    assert_null(zones_find("../../etc/passwd"));
    assert_int_equal(zones_offset(berlin, INT64_C(1780000000) * 1000000), 7200); /* May 2026 */
    assert_int_equal(zones_offset(NULL, 0), 0);
    assert_ptr_equal(zones_version(), zones_version());
}

static int begin(void **state)
{
    (void)state;
    arena = arena_new(1 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_place_is_read_in_each_version, begin, end),
        cmocka_unit_test_setup_teardown(readings_of_ocmf_are_the_first_and_the_last, begin, end),
        cmocka_unit_test_setup_teardown(what_is_not_ocmf_is_signed_without_figures, begin, end),
        cmocka_unit_test_setup_teardown(the_hash_is_that_of_the_content_not_of_its_spelling, begin,
                                        end),
        cmocka_unit_test_setup_teardown(zones_are_read_once_and_unknown_ones_are_none, begin, end),
        cmocka_unit_test_setup_teardown(invented_zones_take_nobodys_place, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
