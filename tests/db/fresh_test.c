/* SPDX-License-Identifier: Apache-2.0 */
/* When what is held is read again, and when it is not. */
#include "db/fresh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <event2/event.h>

static unsigned begun;
static bool ready, ends_at_once;
static bool begin(void);
static struct fresh fresh = {.channel = "fresh_test", .every_ms = 20, .read = begin};

static bool begin(void)
{
    if (!ready)
        return false;
    begun++;
    if (ends_at_once)
        fresh_ended(&fresh, true);
    return true;
}

static void stop(evutil_socket_t fd, short what, void *loop)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(loop);
}

static void wait_ms(struct event_base *loop, int ms)
{
    event_base_once(loop, -1, EV_TIMEOUT, stop, loop, &(struct timeval){0, ms * 1000});
    event_base_dispatch(loop);
}

static int open_it(void **state)
{
    begun = 0;
    ready = true;
    ends_at_once = false;
    *state = event_base_new();
    fresh_open(&fresh, *state);
    return 0;
}

static int close_it(void **state)
{
    fresh_close(&fresh);
    event_base_free(*state);
    return 0;
}

static void one_reading_at_a_time(void **state)
{
    wait_ms(*state, 60);
    assert_int_equal(begun, 1);
    fresh_ended(&fresh, true);
    assert_int_equal(begun, 1);
    wait_ms(*state, 250); /* what was never read before was to be looked at after 200 ms */
    assert_int_equal(begun, 2);
}

static void once_read_it_is_read_now_and_then(void **state)
{
    ends_at_once = true;
    wait_ms(*state, 450);
    assert_true(begun > 3);
}

static void what_fails_is_tried_again_soon(void **state)
{
    wait_ms(*state, 10);
    fresh_ended(&fresh, false);
    assert_false(fresh.have);
    wait_ms(*state, 250);
    assert_int_equal(begun, 2);
}

static void one_that_cannot_begin_is_none_under_way(void **state)
{
    ready = false;
    wait_ms(*state, 10);
    assert_false(fresh.reading);
    ready = true;
    wait_ms(*state, 250);
    assert_int_equal(begun, 1);
}

static void who_is_told_meanwhile_has_it_read_once_more(void **state)
{
    wait_ms(*state, 10);
    fresh.again = true; /* as a notification leaves it */
    fresh_ended(&fresh, true);
    assert_int_equal(begun, 2);
    assert_false(fresh.again);
}

static void a_reading_of_an_earlier_life_is_not_expected(void **state)
{
    void *ticket = fresh_ticket(&fresh);

    assert_true(fresh_expects(&fresh, ticket));
    fresh_close(&fresh);
    assert_false(fresh_expects(&fresh, ticket));
    fresh_open(&fresh, *state);
    assert_false(fresh_expects(&fresh, ticket));
    assert_true(fresh_expects(&fresh, fresh_ticket(&fresh)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_reading_at_a_time, open_it, close_it),
        cmocka_unit_test_setup_teardown(once_read_it_is_read_now_and_then, open_it, close_it),
        cmocka_unit_test_setup_teardown(what_fails_is_tried_again_soon, open_it, close_it),
        cmocka_unit_test_setup_teardown(one_that_cannot_begin_is_none_under_way, open_it, close_it),
        cmocka_unit_test_setup_teardown(who_is_told_meanwhile_has_it_read_once_more, open_it,
                                        close_it),
        cmocka_unit_test_setup_teardown(a_reading_of_an_earlier_life_is_not_expected, open_it,
                                        close_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
