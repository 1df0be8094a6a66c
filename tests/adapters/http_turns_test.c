/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns: who runs, who waits, who is sent away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/http_turns.h"

enum { PER_HOST = 10, MANY = 5000 };

static struct http_turn *order[MANY];
static int ran;

static void run(struct http_turn *turn)
{
    order[ran++] = turn;
}

static const char *take_at(struct http_turn *t, const char *host, bool first_lane)
{
    *t = (struct http_turn){.run = run, .first_lane = first_lane};
    return http_turn_take(t, host, PER_HOST);
}

static void leave(struct http_turn *t)
{
    http_turn_leave(t, PER_HOST, false);
}

static int setup(void **state)
{
    *state = calloc(MANY, sizeof(struct http_turn));
    assert_non_null(*state);
    ran = 0;
    return 0;
}

static int teardown(void **state)
{
    struct http_turn *turns = *state;

    for (int i = 0; i < MANY; i++)
        if (turns[i].host)
            http_turn_leave(&turns[i], PER_HOST, true);
    free(turns);
    return 0;
}

static void a_host_has_its_number_of_slots_and_some_are_kept(void **state)
{
    struct http_turn *t = *state;

    for (int i = 0; i < 9; i++)
        assert_null(take_at(&t[i], "a", false));
    assert_int_equal(ran, 8); /* two of ten are kept */
    assert_null(take_at(&t[9], "a", true));
    assert_null(take_at(&t[10], "a", true));
    assert_int_equal(ran, 10);
    assert_null(take_at(&t[11], "a", true));
    assert_int_equal(ran, 10);
    /* another host is another matter */
    assert_null(take_at(&t[12], "b", false));
    assert_int_equal(ran, 11);
    assert_ptr_equal(order[10], &t[12]);
}

static void those_who_wait_run_in_their_order_the_first_lane_first(void **state)
{
    struct http_turn *t = *state;

    for (int i = 0; i < 11; i++) /* 8 run, 3 wait */
        take_at(&t[i], "a", false);
    for (int i = 11; i < 14; i++) /* 2 run, 1 waits */
        take_at(&t[i], "a", true);
    assert_int_equal(ran, 10);
    leave(&t[0]);
    assert_int_equal(ran, 11);
    assert_ptr_equal(order[10], &t[13]);
    leave(&t[1]); /* nine run, three of them in kept slots: no one of the other lane yet */
    assert_int_equal(ran, 11);
    leave(&t[11]);
    leave(&t[12]);
    assert_int_equal(ran, 12);
    assert_ptr_equal(order[11], &t[8]);
    leave(&t[2]);
    assert_ptr_equal(order[12], &t[9]);
}

static void one_who_gives_up_waiting_leaves_the_queue_whole(void **state)
{
    struct http_turn *t = *state;

    for (int i = 0; i < 12; i++) /* 8 run, 8..11 wait */
        take_at(&t[i], "a", false);
    leave(&t[9]);
    leave(&t[11]);
    take_at(&t[12], "a", false);
    assert_int_equal(ran, 8);
    for (int i = 0; i < 3; i++)
        leave(&t[i]);
    assert_int_equal(ran, 11);
    assert_ptr_equal(order[8], &t[8]);
    assert_ptr_equal(order[9], &t[10]);
    assert_ptr_equal(order[10], &t[12]);
}

static void queues_have_an_end(void **state)
{
    struct http_turn *t = *state;
    int n = 0;

    for (; n < 8 + 256; n++)
        assert_null(take_at(&t[n], "a", false));
    assert_non_null(take_at(&t[n++], "a", false));
    assert_null(take_at(&t[n++], "a", true)); /* a lane of its own */
    assert_null(take_at(&t[n++], "b", false));
    for (int host = 0; host < 15; host++) {
        char key[16];
        snprintf(key, sizeof(key), "h%d", host);
        for (int i = 0; i < 8 + 256; i++)
            assert_null(take_at(&t[n++], key, false));
    }
    /* 4096 wait by now */
    assert_non_null(take_at(&t[n++], "c", false));
    leave(&t[0]);
    leave(&t[1]); /* seven run at "a": one who waits may */
    assert_null(take_at(&t[n++], "c", false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_host_has_its_number_of_slots_and_some_are_kept, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(those_who_wait_run_in_their_order_the_first_lane_first,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(one_who_gives_up_waiting_leaves_the_queue_whole, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(queues_have_an_end, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
