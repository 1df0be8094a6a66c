/* SPDX-License-Identifier: Apache-2.0 */
/* Time: the forms of OCPI and of RFC 3339 (cases T of the bad-input list). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <time.h>

#include "base/time.h"

#define AT_EIGHT INT64_C(1774857600000000) /* 2026-03-30T08:00:00Z */

static void reads(const char *s, enum time_rule rule, int64_t expected)
{
    int64_t us = -77;

    if (!time_parse(s, rule, &us) || us != expected)
        fail_msg("\"%s\" gives %" PRId64, s, us);
}

static void refuses(const char *s, enum time_rule rule)
{
    int64_t us = -77;

    if (time_parse(s, rule, &us) || us != -77)
        fail_msg("\"%s\" is accepted", s);
}

static void reads_by_all_rules(const char *s, int64_t expected)
{
    reads(s, TIME_RFC3339, expected);
    reads(s, TIME_OCPI, expected);
    reads(s, TIME_OCPI_ANY_OFFSET, expected);
}

static void refused_by_all_rules(const char *s)
{
    refuses(s, TIME_RFC3339);
    refuses(s, TIME_OCPI);
    refuses(s, TIME_OCPI_ANY_OFFSET);
}

/* R-TYPE-04, R-TYPE-05, T01, T05 */
static void the_six_forms_of_ocpi_are_read(void **state)
{
    (void)state;
    reads("2026-03-30T08:00:00Z", TIME_OCPI, AT_EIGHT);
    reads("2026-03-30T08:00:00", TIME_OCPI, AT_EIGHT);
    reads("2026-03-30T08:00:00.2Z", TIME_OCPI, AT_EIGHT + 200000);
    reads("2026-03-30T08:00:00.2", TIME_OCPI, AT_EIGHT + 200000);
    reads("2026-03-30T08:00:00.123Z", TIME_OCPI, AT_EIGHT + 123000);
    reads("2026-03-30T08:00:00.123", TIME_OCPI, AT_EIGHT + 123000);
}

/* R-TYPE-05, T03 */
static void plus_zero_and_small_letters_are_tolerated(void **state)
{
    (void)state;
    reads_by_all_rules("2026-03-30T08:00:00+00:00", AT_EIGHT);
    reads_by_all_rules("2026-03-30t08:00:00z", AT_EIGHT);
    reads("2026-03-30T08:00:00.5+00:00", TIME_OCPI, AT_EIGHT + 500000);
}

/* R-TYPE-05, T02, O61 */
static void other_offsets_are_refused_under_the_ocpi_rule(void **state)
{
    (void)state;
    refuses("2026-03-30T10:00:00+02:00", TIME_OCPI);
    refuses("2026-03-30T10:00:00-00:00", TIME_OCPI);
    refuses("2026-03-30T10:00:00+00:00x", TIME_OCPI);
    reads("2026-03-30T10:00:00+02:00", TIME_OCPI_ANY_OFFSET, AT_EIGHT);
    reads("2026-03-30T08:00:00", TIME_OCPI_ANY_OFFSET, AT_EIGHT);
    reads("2026-03-30T10:00:00+02:00", TIME_RFC3339, AT_EIGHT);
    reads("2026-03-30T02:30:00-05:30", TIME_RFC3339, AT_EIGHT);
    reads("2026-03-29T22:00:00.000001-10:00", TIME_RFC3339, AT_EIGHT + 1);
    reads("2026-03-30T08:00:00-00:00", TIME_RFC3339, AT_EIGHT);
}

/* T01 */
static void apps_must_give_a_zone(void **state)
{
    (void)state;
    refuses("2026-03-30T08:00:00", TIME_RFC3339);
    refuses("2026-03-30T08:00:00.5", TIME_RFC3339);
    refuses("1970-1-1T00:00:00Z", TIME_RFC3339);
}

/* R-CDR-15, T10, O43 */
static void the_unknown_time_is_read_with_and_without_zeros(void **state)
{
    char buffer[TIME_TEXT];

    (void)state;
    reads("1970-1-1T00:00:00Z", TIME_OCPI, TIME_UNKNOWN);
    reads("1970-1-1T00:00:00Z", TIME_OCPI_ANY_OFFSET, TIME_UNKNOWN);
    reads_by_all_rules("1970-01-01T00:00:00Z", TIME_UNKNOWN);
    assert_string_equal(time_print_seconds(buffer, TIME_UNKNOWN), "1970-01-01T00:00:00Z");
    refuses("1970-1-2T00:00:00Z", TIME_OCPI);
    refuses("2026-3-30T08:00:00Z", TIME_OCPI);
}

/* T05, T19, R-TYPE-06 */
static void fractions_are_kept_to_the_microsecond(void **state)
{
    (void)state;
    reads_by_all_rules("2026-03-30T08:00:00.123456Z", AT_EIGHT + 123456);
    reads_by_all_rules("2026-03-30T08:00:00.123456789Z", AT_EIGHT + 123456);
    reads_by_all_rules("2026-03-30T08:00:00.000001Z", AT_EIGHT + 1);
    reads_by_all_rules("2026-03-30T08:00:00.9999999Z", AT_EIGHT + 999999);
    refused_by_all_rules("2026-03-30T08:00:00.Z");
    refused_by_all_rules("2026-03-30T08:00:00,5Z");
    refused_by_all_rules("2026-03-30T08:00:00.1234567890Z");
}

/* T04, T06 to T09, T14, O25, O26 */
static void what_is_no_time_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "2026",
        "2026-03-30",
        "2026-03-30 08:00:00Z",
        "2026-03-30T08:00Z",
        "2026-03-30T08Z",
        "2026-03-30T8:00:00Z",
        "2026-03-30T08:00:0Z",
        "2026-03-30T08:00:00ZZ",
        "2026-03-30T08:00:00Z ",
        " 2026-03-30T08:00:00Z",
        "2026-03-30T08:00:00 Z",
        "2026-03-30T08:00:00X",
        "2026-03-30T08:00:00+02",
        "2026-03-30T08:00:00+0200",
        "2026-03-30T08:00:00+24:00",
        "2026-03-30T08:00:00+02:60",
        "20260330T080000Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-03-30T24:00:00Z",
        "2026-03-30T25:00:00Z",
        "2026-03-30T08:60:00Z",
        "2026-03-30T08:00:60Z",
        "2026-03-30T23:59:61Z",
        "2026-03-30T08:00:-1Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "-026-01-01T00:00:00Z",
        "9999-12-31T23:59:60Z",
        "2026-03-3\xD9\xA1T08:00:00Z",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refused_by_all_rules(bad[i]);
    refuses("0001-01-01T00:00:00+00:01", TIME_RFC3339);
    refuses("9999-12-31T23:59:59-00:01", TIME_RFC3339);
}

/* T06 */
static void a_leap_second_is_the_next_second(void **state)
{
    int64_t midnight;

    (void)state;
    assert_true(time_parse("2017-01-01T00:00:00Z", TIME_OCPI, &midnight));
    reads_by_all_rules("2016-12-31T23:59:60Z", midnight);
    reads_by_all_rules("2016-12-31T23:59:60.5Z", midnight);
    reads("2017-01-01T01:59:60+02:00", TIME_RFC3339, midnight);
    refuses("2016-12-31T23:59:60+02:00", TIME_RFC3339);
}

/* T07, T09, T11, T15, O61 */
static void corners_of_the_calendar(void **state)
{
    (void)state;
    reads_by_all_rules("2000-02-29T00:00:00Z", INT64_C(951782400000000));
    reads_by_all_rules("2024-02-29T23:59:59Z", INT64_C(1709251199000000));
    reads_by_all_rules("2038-01-19T03:14:08Z", INT64_C(2147483648000000));
    reads_by_all_rules("1969-12-31T23:59:59.999999Z", -1);
    reads_by_all_rules("1900-01-01T00:00:00Z", INT64_C(-2208988800000000));
    reads_by_all_rules("0001-01-01T00:00:00Z", INT64_C(-62135596800000000));
    reads_by_all_rules("9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999));
    reads("2025-12-31T23:30:00-01:00", TIME_RFC3339, INT64_C(1767227400000000));
}

/* T12, T13: there is no local time here; the same wall clock reading is two moments. */
static void clock_changes_are_offsets(void **state)
{
    int64_t first, second;

    (void)state;
    assert_true(time_parse("2026-10-25T02:30:00+02:00", TIME_RFC3339, &first));
    assert_true(time_parse("2026-10-25T02:30:00+01:00", TIME_RFC3339, &second));
    assert_int_equal(second - first, 3600 * US_PER_SECOND);
    reads("2026-03-29T02:30:00+01:00", TIME_RFC3339, INT64_C(1774747800000000));
}

/* R-TYPE-05 */
static void times_are_printed(void **state)
{
    char buffer[TIME_TEXT];

    (void)state;
    assert_string_equal(time_print_seconds(buffer, AT_EIGHT + 999999), "2026-03-30T08:00:00Z");
    assert_string_equal(time_print_millis(buffer, AT_EIGHT), "2026-03-30T08:00:00Z");
    assert_string_equal(time_print_millis(buffer, AT_EIGHT + 999), "2026-03-30T08:00:00Z");
    assert_string_equal(time_print_millis(buffer, AT_EIGHT + 7999), "2026-03-30T08:00:00.007Z");
    assert_string_equal(time_print_micros(buffer, AT_EIGHT), "2026-03-30T08:00:00.000000Z");
    assert_string_equal(time_print_micros(buffer, AT_EIGHT + 42), "2026-03-30T08:00:00.000042Z");
    assert_string_equal(time_print_micros(buffer, -1), "1969-12-31T23:59:59.999999Z");
    assert_string_equal(time_print_seconds(buffer, -1), "1969-12-31T23:59:59Z");
    assert_string_equal(time_print_seconds(buffer, TIME_NONE), "");
}

/* The C library knows the calendar, too. */
static void printing_agrees_with_the_c_library(void **state)
{
    char buffer[TIME_TEXT], expected[TIME_TEXT];

    (void)state;
    for (int64_t second = -60000000000; second < 250000000000; second += 86399 * 37 + 11) {
        time_t t = (time_t)second;
        struct tm tm;
        assert_non_null(gmtime_r(&t, &tm));
        strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &tm);
        if (tm.tm_year + 1900 < 1000) /* strftime writes no leading zeros */
            continue;
        assert_string_equal(time_print_seconds(buffer, second * US_PER_SECOND), expected);
    }
}

static void what_is_printed_reads_back(void **state)
{
    char buffer[TIME_TEXT];
    uint64_t random = 88172645463325252U;

    (void)state;
    for (int round = 0; round < 200000; round++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        int64_t us = (int64_t)(random % UINT64_C(315537897600000000)) - INT64_C(62135596800000000);
        reads_by_all_rules(time_print_micros(buffer, us), us);
    }
}

static void the_clock_is_a_port(void **state)
{
    (void)state;
    time_set_for_test(AT_EIGHT);
    assert_int_equal(time_now_us(), AT_EIGHT);
    time_set_for_test(TIME_NONE);
    assert_true(time_now_us() > AT_EIGHT - INT64_C(400) * 86400 * US_PER_SECOND);
    int64_t before = time_monotonic_ms();
    assert_true(time_monotonic_ms() >= before);
    assert_int_equal(MINUTES(2), 120000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_six_forms_of_ocpi_are_read),
        cmocka_unit_test(plus_zero_and_small_letters_are_tolerated),
        cmocka_unit_test(other_offsets_are_refused_under_the_ocpi_rule),
        cmocka_unit_test(apps_must_give_a_zone),
        cmocka_unit_test(the_unknown_time_is_read_with_and_without_zeros),
        cmocka_unit_test(fractions_are_kept_to_the_microsecond),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(a_leap_second_is_the_next_second),
        cmocka_unit_test(corners_of_the_calendar),
        cmocka_unit_test(clock_changes_are_offsets),
        cmocka_unit_test(times_are_printed),
        cmocka_unit_test(printing_agrees_with_the_c_library),
        cmocka_unit_test(what_is_printed_reads_back),
        cmocka_unit_test(the_clock_is_a_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
