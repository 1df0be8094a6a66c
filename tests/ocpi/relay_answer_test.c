/* SPDX-License-Identifier: Apache-2.0 */
/* Relay answers: what a receiver's answer becomes for the requester, and which of several counts.
 */
#include "tests/ocpi/ocpi_test.h"

#include "ocpi/relay_answer.h"
#include "ocpi/rule.h"

#define GOOD ENVELOPE_GOOD
#define MISSING ENVELOPE_MISSING
#define NOT_JSON ENVELOPE_NOT_JSON

static struct relay_answer answered(int http_status, enum envelope_state state, int status_code)
{
    struct envelope e = {.http_status = http_status, .state = state, .status_code = status_code};

    return relay_answer_of(RELAY_ANSWERED, &e);
}

static void answers_of_receivers_are_passed_on(void **state)
{
    /* clang-format off */
    static const struct {
        int http;
        enum envelope_state body;
        int code;
        /* what becomes of it */
        bool relayed;
        int http_out, code_out;
        bool alarm;
    } rows[] = {
        /* R-ROUTE-43: 200, 201, 400, 404, 405 as they are */
        {200, GOOD, 1000, true, 200, 1000, false},
        {201, GOOD, 1000, true, 201, 1000, false},
        {200, GOOD, 1901, true, 200, 1901, false},
        /* R-ROUTE-40: errors of the receiver as they are */
        {200, GOOD, 2000, true, 200, 2000, false},
        {200, GOOD, 2001, true, 200, 2001, false},
        {200, GOOD, 2003, true, 200, 2003, false},
        {200, GOOD, 2004, true, 200, 2004, false},
        {200, GOOD, 2999, true, 200, 2999, false},
        {200, GOOD, 3000, true, 200, 3000, false},
        {200, GOOD, 3001, true, 200, 3001, false},
        {400, GOOD, 2001, true, 400, 2001, false},
        {404, GOOD, 2004, true, 404, 2004, false},
        {404, GOOD, 2000, true, 404, 2000, false},
        {404, GOOD, 1000, true, 404, 1000, false}, /* odd, but its own words */
        {405, GOOD, 2000, true, 405, 2000, false},
        /* a hub behind us says what went wrong there */
        {200, GOOD, 4001, true, 200, 4001, false},
        {200, GOOD, 4002, true, 200, 4002, false},
        /* R-ROUTE-43: our own credentials do not work, whatever the body says */
        {401, GOOD,     2001, false, 200, 4003, true},
        {401, MISSING,  3000, false, 200, 4003, true},
        {401, NOT_JSON, 3000, false, 200, 4003, true},
        {403, GOOD,     2001, false, 200, 4003, true},
        {403, GOOD,     1000, false, 200, 4003, true},
        /* R-ROUTE-43: 3xx, 5xx and no JSON */
        {301, GOOD,     1000, false, 200, 3000, false},
        {307, MISSING,  3000, false, 200, 3000, false},
        {304, MISSING,  3000, false, 200, 3000, false},
        {500, GOOD,     3000, false, 200, 3000, false},
        {500, GOOD,     1000, false, 200, 3000, false},
        {503, NOT_JSON, 3000, false, 200, 3000, false},
        {599, GOOD,     2001, false, 200, 3000, false},
        {100, GOOD,     1000, false, 200, 3000, false},
        {200, NOT_JSON, 3000, false, 200, 3000, false},
        {404, NOT_JSON, 3000, false, 200, 3000, false},
        /* R-TRANS-36: without an envelope; 404 and 405 say enough by themselves */
        {200, MISSING,  3000, false, 200, 3000, false},
        {204, MISSING,  3000, false, 200, 3000, false},
        {400, MISSING,  3000, false, 200, 3000, false},
        {404, MISSING,  3000, false, 404, 2000, false},
        {405, MISSING,  3000, false, 405, 2000, false},
        /* the quirk `missing_envelope` made a success of it */
        {200, MISSING,  1000, true, 200, 1000, false},
        /* other statuses are no words of OCPI */
        {202, GOOD, 1000, true,  200, 1000, false},
        {409, GOOD, 2001, true,  200, 2001, false},
        {429, GOOD, 3000, true,  200, 3000, false},
        {422, GOOD, 1000, false, 200, 3000, false},
        {200, GOOD, 9999, false, 200, 3000, false},
        {200, GOOD, 0,    false, 200, 3000, false},
    };
    /* clang-format on */

    (void)state; /* R-ROUTE-40, R-ROUTE-43 */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct relay_answer a = answered(rows[i].http, rows[i].body, rows[i].code);
        if (a.relayed != rows[i].relayed || a.http_status != rows[i].http_out ||
            a.status_code != rows[i].code_out || a.alarm != rows[i].alarm ||
            a.offline != rows[i].alarm || a.unclear)
            fail_msg("HTTP %d, %d became HTTP %d, %d%s%s", rows[i].http, rows[i].code,
                     a.http_status, (int)a.status_code, a.relayed ? ", relayed" : "",
                     a.alarm ? ", alarm" : "");
        /* Either the receiver's words or an error of ours that says the same. */
        assert_int_equal(failed(a.err), !a.relayed);
        if (!a.relayed) {
            assert_int_equal(err_info(a.err.kind)->ocpi_http, a.http_status);
            assert_int_equal(err_info(a.err.kind)->ocpi_code, a.status_code);
            assert_non_null(rule_find(a.err.rule));
        }
    }
}

static void a_request_without_an_answer_is_a_hub_error(void **state)
{
    static const struct {
        enum relay_end end;
        int code;
        bool unclear;
    } rows[] = {
        {RELAY_NOT_SENT, 4003, false},
        {RELAY_TIMED_OUT, 4002, true},
        {RELAY_BROKEN, 4002, true},
        {RELAY_FAILED, 4000, false},
    };

    (void)state; /* R-ROUTE-41, R-TRANS-37, R-ROUTE-61 */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct relay_answer a = relay_answer_of(rows[i].end, NULL);
        assert_false(a.relayed);
        assert_int_equal(a.status_code, rows[i].code);
        assert_int_equal(a.http_status, 200);
        assert_int_equal(a.unclear, rows[i].unclear);
        assert_int_equal(err_info(a.err.kind)->ocpi_code, rows[i].code);
        assert_non_null(rule_find(a.err.rule));
        assert_false(a.alarm || a.offline);
    }
}

/* The most telling answer of a fan-out first; each is better than all that follow. */
static struct relay_answer by_rank(size_t rank)
{
    switch (rank) {
    case 0:
        return answered(200, GOOD, 1000);
    case 1:
        return answered(200, GOOD, 2002);
    case 2:
        return answered(404, GOOD, 2004);
    case 3:
        return answered(200, GOOD, 2003);
    case 4:
        return answered(200, GOOD, 2001);
    case 5:
        return answered(404, MISSING, 3000);
    case 6:
        return relay_answer_of(RELAY_TIMED_OUT, NULL);
    case 7:
        return answered(500, NOT_JSON, 3000);
    case 8:
        return relay_answer_of(RELAY_NOT_SENT, NULL);
    default:
        return relay_answer_of(RELAY_FAILED, NULL);
    }
}
enum { RANKS = 10 };

static void of_several_failures_the_most_specific_counts(void **state)
{
    (void)state; /* R-ROUTE-23: 2004 over 404 over 4002 over 4003 */
    for (size_t better = 0; better < RANKS; better++) {
        for (size_t worse = better + 1; worse < RANKS; worse++) {
            struct relay_answer pair[] = {by_rank(worse), by_rank(better)};
            if (relay_answer_best(pair, 2) != 1)
                fail_msg("rank %zu lost against %zu", better, worse);
            struct relay_answer turned[] = {by_rank(better), by_rank(worse)};
            if (relay_answer_best(turned, 2) != 0)
                fail_msg("rank %zu lost against %zu when it came first", better, worse);
        }
    }
}

static void the_first_success_ends_the_wait(void **state)
{
    struct relay_answer list[] = {answered(404, GOOD, 2004), answered(200, GOOD, 1000),
                                  answered(201, GOOD, 1000)};
    struct relay_answer one = answered(200, GOOD, 2004), odd = answered(404, GOOD, 1000);

    (void)state; /* R-ROUTE-23 */
    assert_int_equal(relay_answer_best(list, 3), 1);
    assert_true(relay_answer_is_success(&list[1]));
    assert_false(relay_answer_is_success(&list[0]));
    assert_false(relay_answer_is_success(&one));
    assert_false(relay_answer_is_success(&odd));
    assert_int_equal(relay_answer_best(&one, 1), 0);
    /* Of two equal failures the earlier one. */
    list[1] = list[2] = one;
    assert_int_equal(relay_answer_best(list, 3), 0);
}

static void only_what_was_not_sent_is_sent_again(void **state)
{
    static const enum routing_method methods[] = {ROUTING_GET, ROUTING_POST, ROUTING_PUT,
                                                  ROUTING_PATCH, ROUTING_DELETE};

    (void)state; /* R-ROUTE-44 */
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        bool idempotent = methods[i] == ROUTING_GET || methods[i] == ROUTING_PUT;
        assert_int_equal(relay_may_retry(methods[i], RELAY_NOT_SENT), idempotent);
        assert_false(relay_may_retry(methods[i], RELAY_TIMED_OUT));
        assert_false(relay_may_retry(methods[i], RELAY_BROKEN));
        assert_false(relay_may_retry(methods[i], RELAY_ANSWERED));
        assert_false(relay_may_retry(methods[i], RELAY_FAILED));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_of_receivers_are_passed_on),
        cmocka_unit_test(a_request_without_an_answer_is_a_hub_error),
        cmocka_unit_test(of_several_failures_the_most_specific_counts),
        cmocka_unit_test(the_first_success_ends_the_wait),
        cmocka_unit_test(only_what_was_not_sent_is_sent_again),
    };

    return cmocka_run_group_tests_name("ocpi/relay_answer", tests, NULL, NULL);
}
