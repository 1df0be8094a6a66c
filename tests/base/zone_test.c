/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zones: rules, broken files, and every zone of this machine held against the C library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/time.h"
#include "base/zone.h"
#include "tests/fake/zone_bytes.h"

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(64U * 1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static int64_t at(const char *text)
{
    int64_t us;

    assert_true(time_parse(text, TIME_RFC3339, &us));
    return us;
}

static void assert_offset(const struct zone *z, const char *when, int32_t seconds)
{
    assert_non_null(z);
    if (zone_offset(z, at(when)) != seconds)
        fail_msg("%s: %d, not %d", when, zone_offset(z, at(when)), seconds);
}

static void summer_begins_and_ends_to_the_second(void **state)
{
    struct zone *z = zone_of_rule(arena, RULE_OF_BERLIN);

    (void)state;
    assert_offset(z, "2026-03-29T00:59:59Z", 3600);
    assert_offset(z, "2026-03-29T01:00:00Z", 7200);
    assert_offset(z, "2026-10-25T00:59:59.999999Z", 7200);
    assert_offset(z, "2026-10-25T01:00:00Z", 3600);
    assert_offset(z, "1969-12-31T23:59:59Z", 3600);
    assert_int_equal(zone_next_change(z, at("2026-01-01T00:00:00Z")), at("2026-03-29T01:00:00Z"));
    assert_int_equal(zone_next_change(z, at("2026-03-29T01:00:00Z")), at("2026-10-25T01:00:00Z"));
    assert_int_equal(zone_next_change(z, at("2026-12-31T23:59:59Z")), at("2027-03-28T01:00:00Z"));
}

static void summer_of_the_south_spans_new_year(void **state)
{
    struct zone *z = zone_of_rule(arena, "AEST-10AEDT,M10.1.0,M4.1.0/3");

    (void)state;
    assert_offset(z, "2026-01-01T00:00:00Z", 11 * 3600);
    assert_offset(z, "2026-07-01T00:00:00Z", 10 * 3600);
    assert_offset(z, "2026-10-03T15:59:59Z", 10 * 3600);
    assert_offset(z, "2026-10-03T16:00:00Z", 11 * 3600);
}

static void rules_of_every_shape_are_read(void **state)
{
    struct zone *z;

    (void)state;
    assert_offset(zone_of_rule(arena, "<+0545>-5:45"), "2026-01-01T00:00:00Z", 20700);
    assert_int_equal(
        zone_next_change(zone_of_rule(arena, "<+0545>-5:45"), at("2026-01-01T00:00:00Z")),
        TIME_NONE);
    assert_offset(zone_of_rule(arena, "EST5"), "2026-01-01T00:00:00Z", -18000);
    /* Day 60 without leap days is the first of March in every year; day 59 from zero is not. */
    z = zone_of_rule(arena, "AAA0BBB,J60/0,J300/0");
    assert_offset(z, "2024-02-29T23:59:59Z", 0);
    assert_offset(z, "2024-03-01T00:00:00Z", 3600);
    assert_offset(z, "2023-03-01T00:00:00Z", 3600);
    z = zone_of_rule(arena, "AAA0BBB,59/0,300/0");
    assert_offset(z, "2024-02-29T00:00:00Z", 3600);
    assert_offset(z, "2023-02-28T23:59:59Z", 0);
    /* Summer is winter there, and the hours of a change may be negative. */
    assert_offset(zone_of_rule(arena, "IST-1GMT0,M10.5.0,M3.5.0/1"), "2026-07-01T00:00:00Z", 3600);
    assert_offset(zone_of_rule(arena, "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"), "2026-03-29T00:59:59Z",
                  -7200);
    assert_offset(zone_of_rule(arena, "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"), "2026-03-29T01:00:00Z",
                  -3600);
}

static void a_broken_rule_is_no_zone(void **state)
{
    static const char *const broken[] = {"C-1",
                                         "CET",
                                         "CET-1CEST",
                                         "CET-1CEST,M3.5.0",
                                         "CET-200",
                                         "<CET-1",
                                         "CET-1CEST,M13.5.0,M10.5.0",
                                         "CET-1CEST,M3.6.0,M10.5.0",
                                         "CET-1CEST,M3.5.7,M10.5.0",
                                         "CET-1CEST,J0,J5",
                                         "CET-1CEST,366,5",
                                         "CET-30",
                                         "CET-1CEST,M3.5.0,M10.5.0x",
                                         "CET-1:60"};

    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        if (zone_of_rule(arena, broken[i]))
            fail_msg("%s was read", broken[i]);
}

static void a_file_that_is_cut_off_is_refused(void **state)
{
    char bytes[512];
    size_t length = zone_bytes(RULE_OF_BERLIN, bytes, sizeof bytes);
    struct zone *z;

    (void)state;
    for (size_t i = 0; i < length; i++) {
        char *cut = malloc(i + 1); /* its end is guarded by the sanitizer */
        assert_non_null(cut);
        memcpy(cut, bytes, i);
        assert_int_equal(zone_read(arena, cut, i, &z).kind, ERR_BAD_FIELD);
        free(cut);
    }
    assert_false(failed(zone_read(arena, bytes, length, &z)));
}

static void only_names_within_the_database_are_opened(void **state)
{
    static const char *const bad[] = {"",
                                      "/etc/passwd",
                                      "../../etc/passwd",
                                      "Europe/../../x",
                                      "Nowhere/Atlantis",
                                      "Europe/Ber lin"};
    struct zone *z;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(zone_load(arena, bad[i], &z).kind, ERR_NOT_FOUND);
}

/* The C library reads the same files with code of its own. */
static void all_moments_are_those_of_the_c_library(void **state)
{
    static const char *const names[] = {
        "Europe/Berlin",    "Europe/Helsinki",   "Europe/Dublin",      "Europe/Lisbon",
        "America/New_York", "America/St_Johns",  "America/Nuuk",       "America/Sao_Paulo",
        "Asia/Kathmandu",   "Asia/Gaza",         "Asia/Tehran",        "Australia/Lord_Howe",
        "Australia/Sydney", "Africa/Casablanca", "Africa/Cairo",       "Pacific/Chatham",
        "Pacific/Apia",     "Antarctica/Troll",  "Pacific/Kiritimati", "UTC"};
    const int64_t step = 86400 * 3 + 3607, last = INT64_C(4102444800); /* the year 2100 */
    size_t known = 0;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct zone *z;
        if (zone_load(arena, names[i], &z).kind == ERR_NOT_FOUND)
            continue;
        known++;
        assert_int_equal(setenv("TZ", names[i], 1), 0);
        tzset();
        for (time_t t = 0; t < last; t += step) {
            struct tm local;
            assert_non_null(localtime_r(&t, &local));
            int32_t ours = zone_offset(z, t * US_PER_SECOND);
            if (ours != local.tm_gmtoff)
                fail_msg("%s at %ld: %d, not %ld", names[i], (long)t, ours, local.tm_gmtoff);
            /* The next change is one, and there is none before it. */
            int64_t next = zone_next_change(z, t * US_PER_SECOND);
            if (next == TIME_NONE)
                continue;
            assert_int_equal(zone_offset(z, next - 1), ours);
            assert_int_not_equal(zone_offset(z, next), ours);
        }
    }
    unsetenv("TZ");
    tzset();
    if (!known) {
        print_message("skipped: this machine has no tz database (package tzdata)\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(summer_begins_and_ends_to_the_second, setup, teardown),
        cmocka_unit_test_setup_teardown(summer_of_the_south_spans_new_year, setup, teardown),
        cmocka_unit_test_setup_teardown(rules_of_every_shape_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(a_broken_rule_is_no_zone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_cut_off_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(only_names_within_the_database_are_opened, setup, teardown),
        cmocka_unit_test_setup_teardown(all_moments_are_those_of_the_c_library, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
