/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Breaker: when it opens, how long, and what closes it. The clock is an argument.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "adapters/breaker.h"
#include "adapters/network.h"
#include "base/metrics.h"
#include "base/text.h"

enum { PARTNER = 7, OTHER = 7 + 256 }; /* OTHER shares a bucket with it */

static int64_t now;

static int setup(void **state)
{
    (void)state;
    now = 1000000;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    breaker_forget_all();
    return 0;
}

static void note(bool ok, int times)
{
    for (int i = 0; i < times; i++)
        breaker_note_at(PARTNER, ok, now);
}

static enum breaker_state state_now(void)
{
    return breaker_state_at(PARTNER, now);
}

static void open_it(void)
{
    note(false, 5);
    assert_int_equal(state_now(), BREAKER_OPEN);
}

static void it_is_closed_for_partners_nobody_called(void **state)
{
    (void)state;
    assert_int_equal(breaker_state_at(123456789, now), BREAKER_CLOSED);
    assert_false(network_breaker_open(123456789));
    assert_false(breaker_probe_at(123456789, now));
}

static void five_failures_in_a_row_open_it(void **state)
{
    (void)state;
    note(false, 4);
    assert_int_equal(state_now(), BREAKER_CLOSED);
    note(true, 1);
    note(false, 4);
    assert_int_equal(state_now(), BREAKER_CLOSED);
    note(false, 1);
    assert_int_equal(state_now(), BREAKER_OPEN);
    assert_int_equal(breaker_state_at(OTHER, now), BREAKER_CLOSED);
}

static void half_of_twenty_within_thirty_seconds_open_it(void **state)
{
    (void)state;
    for (int i = 0; i < 9; i++) {
        note(true, 1);
        note(false, 1);
        now += 1000;
    }
    note(true, 1);
    assert_int_equal(state_now(), BREAKER_CLOSED); /* 19 calls */
    note(false, 1);
    assert_int_equal(state_now(), BREAKER_OPEN);
}

static void less_than_half_does_not_open_it(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        note(true, 2);
        note(false, 1);
        now += 100;
    }
    assert_int_equal(state_now(), BREAKER_CLOSED);
}

static void failures_of_long_ago_do_not_count(void **state)
{
    (void)state;
    for (int i = 0; i < 9; i++) {
        note(true, 1);
        note(false, 1);
    }
    now += 31000;
    note(true, 1);
    note(false, 1);
    assert_int_equal(state_now(), BREAKER_CLOSED);
}

static void it_opens_for_ten_seconds_doubling_to_five_minutes(void **state)
{
    static const int64_t seconds[] = {10, 20, 40, 80, 160, 300, 300};

    (void)state;
    open_it();
    for (size_t i = 0; i < sizeof(seconds) / sizeof(*seconds); i++) {
        now += seconds[i] * 1000 - 1;
        assert_int_equal(state_now(), BREAKER_OPEN);
        now += 1;
        assert_int_equal(state_now(), BREAKER_HALF_OPEN);
        note(false, 1);
        assert_int_equal(state_now(), BREAKER_OPEN);
    }
}

static void failures_while_it_is_open_do_not_prolong_it(void **state)
{
    (void)state;
    open_it();
    now += 9999;
    note(false, 20);
    now += 1;
    assert_int_equal(state_now(), BREAKER_HALF_OPEN);
}

static void three_successes_close_it_and_the_next_time_is_short_again(void **state)
{
    (void)state;
    open_it();
    now += 10000;
    note(false, 1);
    now += 20000;
    assert_int_equal(state_now(), BREAKER_HALF_OPEN);
    note(true, 2);
    assert_int_equal(state_now(), BREAKER_HALF_OPEN);
    note(true, 1);
    assert_int_equal(state_now(), BREAKER_CLOSED);
    note(false, 4);
    assert_int_equal(state_now(), BREAKER_CLOSED);
    note(false, 1);
    now += 10000;
    assert_int_equal(state_now(), BREAKER_HALF_OPEN);
}

static void a_stop_that_succeeds_opens_it_half(void **state)
{
    (void)state;
    open_it();
    note(true, 1);
    assert_int_equal(state_now(), BREAKER_HALF_OPEN);
    note(true, 2);
    assert_int_equal(state_now(), BREAKER_CLOSED);
}

static void one_probe_at_a_time(void **state)
{
    (void)state;
    assert_false(breaker_probe_at(PARTNER, now));
    open_it();
    assert_false(breaker_probe_at(PARTNER, now));
    now += 10000;
    assert_true(breaker_probe_at(PARTNER, now));
    assert_false(breaker_probe_at(PARTNER, now));
    note(true, 1);
    assert_true(breaker_probe_at(PARTNER, now));
    /* a probe of which nothing was heard is forgotten */
    now += 15001;
    assert_true(breaker_probe_at(PARTNER, now));
}

static void the_hub_sees_it_open(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_false(network_breaker_open(PARTNER));
        network_breaker_note(PARTNER, false);
    }
    assert_true(network_breaker_open(PARTNER));
    assert_false(network_breaker_open(OTHER));
}

static void the_metric_shows_the_state(void **state)
{
    struct text out;

    (void)state;
    open_it();
    text_init(&out, NULL, 1024 * 1024);
    metrics_print(&out);
    assert_non_null(strstr(out.bytes, "hub_breaker_state{network=\"7\"} 2"));
    text_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_closed_for_partners_nobody_called, setup, teardown),
        cmocka_unit_test_setup_teardown(five_failures_in_a_row_open_it, setup, teardown),
        cmocka_unit_test_setup_teardown(half_of_twenty_within_thirty_seconds_open_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(less_than_half_does_not_open_it, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_of_long_ago_do_not_count, setup, teardown),
        cmocka_unit_test_setup_teardown(it_opens_for_ten_seconds_doubling_to_five_minutes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(failures_while_it_is_open_do_not_prolong_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(three_successes_close_it_and_the_next_time_is_short_again,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_stop_that_succeeds_opens_it_half, setup, teardown),
        cmocka_unit_test_setup_teardown(one_probe_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(the_hub_sees_it_open, setup, teardown),
        cmocka_unit_test_setup_teardown(the_metric_shows_the_state, setup, teardown),
    };

    metrics_setup(1);
    metrics_use_slot(0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
