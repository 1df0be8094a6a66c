/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outcomes: every row of what a partner's answer means.
 */
#include "tests/ocpi/ocpi_test.h"

#include "ocpi/outcome.h"

#define RESULT(word) "{\"status_code\":1000,\"data\":{\"result\":\"" word "\",\"timeout\":30}}"

static struct outcome response(enum outcome_ask ask, int http_status, const char *body)
{
    struct envelope e;

    envelope_read(arena, http_status, body, strlen(body), NULL, &e);
    return outcome_of_response(ask, &e);
}

static void assert_outcome(struct outcome o, enum ocpi_outcome kind, const char *failure_code,
                           const char *what)
{
    if (o.kind != kind)
        fail_msg("%s: %s, not %s", what, ocpi_outcome_name(o.kind), ocpi_outcome_name(kind));
    if ((o.failure_code != NULL) != (failure_code != NULL) ||
        (failure_code && strcmp(o.failure_code, failure_code) != 0))
        fail_msg("%s: %s, not %s", what, o.failure_code ? o.failure_code : "no failure code",
                 failure_code ? failure_code : "none");
}

static void responses_mean_what_the_table_says(void **state)
{
    /* clang-format off */
    static const struct {
        int http;
        const char *body;
        enum ocpi_outcome kind;
        const char *failure_code;
        bool deviation, our_fault;
    } rows[] = {
        {200, RESULT("ACCEPTED"),        OCPI_OUTCOME_ACCEPTED,        NULL, 0, 0},
        {201, RESULT("ACCEPTED"),        OCPI_OUTCOME_ACCEPTED,        NULL, 0, 0},
        {200, RESULT("REJECTED"),        OCPI_OUTCOME_REJECTED,        "rejected_by_network", 0, 0},
        {200, RESULT("NOT_SUPPORTED"),   OCPI_OUTCOME_NOT_SUPPORTED,   "not_supported", 0, 0},
        {200, RESULT("UNKNOWN_SESSION"), OCPI_OUTCOME_UNKNOWN_SESSION, "network_error", 0, 0},
        {200, RESULT("TIMEOUT"),         OCPI_OUTCOME_UNCLEAR,         NULL, 0, 0},
        {200, RESULT("MAYBE"),           OCPI_OUTCOME_UNCLEAR,         NULL, 1, 0},
        /* R-BR-44 */
        {200, RESULT("SUCCESSFUL"),      OCPI_OUTCOME_ACCEPTED,        NULL, 1, 0},
        {200, RESULT("UNKOWN_LOCATION"), OCPI_OUTCOME_REJECTED,        "evse_inoperative", 1, 0},
        {200, RESULT("UNKNOWN_LOCATION"), OCPI_OUTCOME_REJECTED,       "evse_inoperative", 1, 0},
        {200, "{\"status_code\":1000}",  OCPI_OUTCOME_ACCEPTED,        NULL, 1, 0},
        {200, "{\"status_code\":1000,\"data\":[]}", OCPI_OUTCOME_ACCEPTED, NULL, 1, 0},
        {200, "{\"status_code\":2003}",  OCPI_OUTCOME_REJECTED,        "evse_inoperative", 0, 0},
        /* R-CMD-10 */
        {200, "{\"status_code\":2003,\"data\":{\"result\":\"REJECTED\"}}",
                                         OCPI_OUTCOME_REJECTED,        "evse_inoperative", 0, 0},
        {404, "{\"status_code\":2003}",  OCPI_OUTCOME_REJECTED,        "evse_inoperative", 0, 0},
        {200, "{\"status_code\":2004}",  OCPI_OUTCOME_REJECTED,        "token_unknown", 0, 0},
        {200, "{\"status_code\":2000}",  OCPI_OUTCOME_REJECTED,        "network_error", 0, 1},
        {200, "{\"status_code\":2001}",  OCPI_OUTCOME_REJECTED,        "network_error", 0, 1},
        {200, "{\"status_code\":2002}",  OCPI_OUTCOME_REJECTED,        "network_error", 0, 1},
        {200, "{\"status_code\":3000}",  OCPI_OUTCOME_REJECTED,        "network_error", 0, 0},
        {200, "{\"status_code\":3999}",  OCPI_OUTCOME_REJECTED,        "network_error", 0, 0},
        {200, "{\"status_code\":4000}",  OCPI_OUTCOME_UNCLEAR,         NULL, 0, 0},
        {200, "{\"status_code\":4001}",  OCPI_OUTCOME_REJECTED,        "network_unreachable", 0, 0},
        {200, "{\"status_code\":4002}",  OCPI_OUTCOME_UNCLEAR,         NULL, 0, 0},
        {200, "{\"status_code\":4003}",  OCPI_OUTCOME_REJECTED,        "network_unreachable", 0, 0},
        {500, RESULT("ACCEPTED"),        OCPI_OUTCOME_UNCLEAR,         NULL, 0, 0},
        {503, "busy",                    OCPI_OUTCOME_UNCLEAR,         NULL, 0, 0},
        {200, "<html>",                  OCPI_OUTCOME_UNCLEAR,         NULL, 0, 0},
        {200, "",                        OCPI_OUTCOME_UNCLEAR,         NULL, 1, 0},
        {200, "{}",                      OCPI_OUTCOME_UNCLEAR,         NULL, 1, 0},
        {401, "",                        OCPI_OUTCOME_REJECTED,        "network_error", 0, 1},
        {403, RESULT("ACCEPTED"),        OCPI_OUTCOME_REJECTED,        "network_error", 0, 1},
        {404, "",                        OCPI_OUTCOME_NOT_SUPPORTED,   "not_supported", 0, 0},
        {404, "{\"status_code\":2000}",  OCPI_OUTCOME_NOT_SUPPORTED,   "not_supported", 0, 0},
        {405, "<html>",                  OCPI_OUTCOME_NOT_SUPPORTED,   "not_supported", 0, 0},
        {400, "{\"status_code\":2000}",  OCPI_OUTCOME_REJECTED,        "network_error", 0, 1},
        {429, "",                        OCPI_OUTCOME_REJECTED,        "network_error", 0, 0},
        {302, "",                        OCPI_OUTCOME_REJECTED,        "network_error", 0, 0},
    };
    /* clang-format on */

    (void)state; /* R-ASYNC-01, R-TRANS-36, R-ROUTE-41 */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct outcome o = response(OUTCOME_OF_START, rows[i].http, rows[i].body);

        assert_outcome(o, rows[i].kind, rows[i].failure_code,
                       arena_printf(arena, "%d %s", rows[i].http, rows[i].body));
        assert_int_equal(o.deviation, rows[i].deviation);
        assert_int_equal(o.our_fault, rows[i].our_fault);
    }
}

static void the_timeout_of_a_response_is_taken_where_it_makes_sense(void **state)
{
    (void)state; /* R-ASYNC-03 */
    assert_int_equal(response(OUTCOME_OF_STOP, 200, RESULT("ACCEPTED")).timeout_s, 30);
    assert_int_equal(
        response(OUTCOME_OF_STOP, 200,
                 "{\"status_code\":1000,\"data\":{\"result\":\"ACCEPTED\",\"timeout\":-3}}")
            .timeout_s,
        0);
    assert_int_equal(
        response(OUTCOME_OF_STOP, 200, "{\"status_code\":1000,\"data\":{\"result\":\"ACCEPTED\"}}")
            .timeout_s,
        0);
}

static void a_missing_timeout_is_noted_where_one_is_due(void **state)
{
    (void)state; /* R-ASYNC-03: only an accepted request has something to wait for */
    assert_false(response(OUTCOME_OF_STOP, 200, RESULT("ACCEPTED")).no_timeout);
    assert_true(
        response(OUTCOME_OF_STOP, 200, "{\"status_code\":1000,\"data\":{\"result\":\"ACCEPTED\"}}")
            .no_timeout);
    assert_false(
        response(OUTCOME_OF_STOP, 200, "{\"status_code\":1000,\"data\":{\"result\":\"REJECTED\"}}")
            .no_timeout);
}

static void cancelling_what_is_not_there_has_its_wish(void **state)
{
    (void)state; /* R-CMD-14 */
    assert_int_equal(outcome_of_result(OUTCOME_OF_CANCEL_RESERVATION, "UNKNOWN_RESERVATION").kind,
                     OCPI_OUTCOME_ACCEPTED);
    assert_int_equal(outcome_of_result(OUTCOME_OF_CANCEL_RESERVATION, "FAILED").kind,
                     OCPI_OUTCOME_REJECTED);
    assert_int_equal(outcome_of_result(OUTCOME_OF_RESERVE, "UNKNOWN_RESERVATION").kind,
                     OCPI_OUTCOME_REJECTED);
}

static void a_profile_may_come_too_often(void **state)
{
    struct outcome o = response(OUTCOME_OF_SET_PROFILE, 200, RESULT("TOO_OFTEN"));

    (void)state; /* R-CP-05 */
    assert_int_equal(o.kind, OCPI_OUTCOME_TOO_OFTEN);
    assert_false(o.deviation);
    assert_string_equal(o.word, "TOO_OFTEN");
    assert_true(response(OUTCOME_OF_START, 200, RESULT("TOO_OFTEN")).deviation);
}

static void results_mean_what_the_table_says(void **state)
{
    /* clang-format off */
    static const struct {
        const char *word;
        enum ocpi_outcome start;
        const char *start_code;
        enum ocpi_outcome stop;
        const char *stop_code;
    } rows[] = {
        {"ACCEPTED",         OCPI_OUTCOME_ACCEPTED,      NULL,
                             OCPI_OUTCOME_ACCEPTED,      NULL},
        {"EVSE_OCCUPIED",    OCPI_OUTCOME_REJECTED,      "evse_occupied",
                             OCPI_OUTCOME_IGNORED,       NULL},
        {"EVSE_INOPERATIVE", OCPI_OUTCOME_REJECTED,      "evse_inoperative",
                             OCPI_OUTCOME_RETRY,         NULL},
        {"FAILED",           OCPI_OUTCOME_REJECTED,      "rejected_by_network",
                             OCPI_OUTCOME_REJECTED,      "rejected_by_network"},
        {"REJECTED",         OCPI_OUTCOME_REJECTED,      "rejected_by_network",
                             OCPI_OUTCOME_REJECTED,      "rejected_by_network"},
        {"TIMEOUT",          OCPI_OUTCOME_REJECTED,      "start_timeout",
                             OCPI_OUTCOME_RETRY,         NULL},
        {"NOT_SUPPORTED",    OCPI_OUTCOME_NOT_SUPPORTED, "not_supported",
                             OCPI_OUTCOME_NOT_SUPPORTED, "not_supported"},
        {"UNKNOWN_SESSION",  OCPI_OUTCOME_REJECTED,      "network_error",
                             OCPI_OUTCOME_UNKNOWN_SESSION, NULL},
        /* R-BR-44 */
        {"SUCCESSFUL",       OCPI_OUTCOME_ACCEPTED,      NULL,
                             OCPI_OUTCOME_ACCEPTED,      NULL},
        {"UNKOWN_LOCATION",  OCPI_OUTCOME_REJECTED,      "evse_inoperative",
                             OCPI_OUTCOME_RETRY,         NULL},
        {"UNKNOWN_LOCATION", OCPI_OUTCOME_REJECTED,      "evse_inoperative",
                             OCPI_OUTCOME_RETRY,         NULL},
        {"WHATEVER",         OCPI_OUTCOME_REJECTED,      "rejected_by_network",
                             OCPI_OUTCOME_RETRY,         NULL},
        {"accepted",         OCPI_OUTCOME_REJECTED,      "rejected_by_network",
                             OCPI_OUTCOME_RETRY,         NULL},
        {NULL,               OCPI_OUTCOME_REJECTED,      "rejected_by_network",
                             OCPI_OUTCOME_RETRY,         NULL},
    };
    /* clang-format on */

    (void)state; /* R-CMD-12, R-CMD-13 */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *what = rows[i].word ? rows[i].word : "nothing";

        assert_outcome(outcome_of_result(OUTCOME_OF_START, rows[i].word), rows[i].start,
                       rows[i].start_code, what);
        assert_outcome(outcome_of_result(OUTCOME_OF_STOP, rows[i].word), rows[i].stop,
                       rows[i].stop_code, what);
        assert_ptr_equal(outcome_of_result(OUTCOME_OF_STOP, rows[i].word).word, rows[i].word);
    }
    assert_true(outcome_of_result(OUTCOME_OF_START, "WHATEVER").deviation);
    assert_int_equal(outcome_of_result(OUTCOME_OF_UNLOCK, "TIMEOUT").kind, OCPI_OUTCOME_UNCLEAR);
    assert_int_equal(outcome_of_result(OUTCOME_OF_RESERVE, "CANCELED_RESERVATION").kind,
                     OCPI_OUTCOME_REJECTED);
    assert_false(outcome_of_result(OUTCOME_OF_RESERVE, "CANCELED_RESERVATION").deviation);
}

static void results_of_profiles(void **state)
{
    (void)state; /* R-CP-10: UNKNOWN on clearing means that there is none any more */
    assert_int_equal(outcome_of_result(OUTCOME_OF_SET_PROFILE, "ACCEPTED").kind,
                     OCPI_OUTCOME_ACCEPTED);
    assert_int_equal(outcome_of_result(OUTCOME_OF_SET_PROFILE, "REJECTED").kind,
                     OCPI_OUTCOME_REJECTED);
    assert_int_equal(outcome_of_result(OUTCOME_OF_SET_PROFILE, "UNKNOWN").kind,
                     OCPI_OUTCOME_UNCLEAR);
    assert_int_equal(outcome_of_result(OUTCOME_OF_CLEAR_PROFILE, "UNKNOWN").kind,
                     OCPI_OUTCOME_ACCEPTED);
    assert_int_equal(outcome_of_result(OUTCOME_OF_CLEAR_PROFILE, "REJECTED").kind,
                     OCPI_OUTCOME_REJECTED);
    assert_true(outcome_of_result(OUTCOME_OF_SET_PROFILE, "EVSE_OCCUPIED").deviation);
    assert_true(outcome_of_result(OUTCOME_OF_SET_PROFILE, NULL).deviation);
}

static void session_words_move_as_ocpi_allows(void **state)
{
    static const char *const words[] = {"PENDING", "RESERVATION", "ACTIVE", "COMPLETED", "INVALID"};
    /* Rows: from; columns: to, in the order of the words. */
    static const bool allowed[5][5] = {
        {1, 0, 1, 1, 1}, {0, 1, 1, 1, 1}, {1, 0, 1, 1, 1}, {0, 0, 0, 1, 0}, {0, 0, 0, 0, 1},
    };

    (void)state; /* R-SESS-03, R-SESS-04 */
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 5; j++) {
            if (session_move_allowed(words[i], words[j]) != allowed[i][j])
                fail_msg("%s to %s", words[i], words[j]);
        }
    }
    assert_true(session_move_allowed("RESERVED", "RESERVATION"));
    assert_int_equal(session_word_of("RESERVED"), SESSION_WORD_PENDING);
    assert_int_equal(session_word_of("COMPLETED"), SESSION_WORD_ENDED);
    assert_int_equal(session_word_of("active"), SESSION_WORD_UNKNOWN);
    assert_int_equal(session_word_of(NULL), SESSION_WORD_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(responses_mean_what_the_table_says),
        OCPI_TEST(the_timeout_of_a_response_is_taken_where_it_makes_sense),
        OCPI_TEST(a_missing_timeout_is_noted_where_one_is_due),
        OCPI_TEST(cancelling_what_is_not_there_has_its_wish),
        OCPI_TEST(a_profile_may_come_too_often),
        OCPI_TEST(results_mean_what_the_table_says),
        OCPI_TEST(results_of_profiles),
        OCPI_TEST(session_words_move_as_ocpi_allows),
    };

    return cmocka_run_group_tests_name("ocpi/outcome", tests, NULL, NULL);
}
