/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live cost: estimates by a quote, and when a session has to stop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/time.h"
#include "db/session.h"
#include "hub/finance/live_cost.h"
#include "hub/finance/offer.h"
#include "hub/jobs/jobs.h"

#define START INT64_C(1774857600000000) /* 2026-03-30T08:00:00Z */
#define MINUTE (60 * US_PER_SECOND)

static const char QUOTE[] =
    "{\"id\":\"RT-EU-1\",\"version\":3,\"currency\":\"EUR\",\"vat\":19,\"price_includes_vat\":true,"
    "\"kwh_price\":0.59,\"session_price\":0.35,\"time_tariffs\":["
    "{\"starting_at_minute\":0,\"minute_price\":0.00},"
    "{\"starting_at_minute\":240,\"minute_price\":0.10}],\"max_charging_time\":720}";

static struct arena *a;
static struct session session;

static int setup(void **state)
{
    (void)state;
    a = arena_new(64 * 1024 * 1024);
    session = (struct session){
        .id = "770e8400-e29b-41d4-a716-446655440002",
        .version = 5,
        .state = SESSION_ACTIVE,
        .user_id = "u",
        .evse_id = "DE*ABC*E1",
        .network = "CPO",
        .energy_mwh = 11000000,
        .cost_u6 = 4000000,
        .cost_known = true,
        .currency = "EUR",
        .created_us = START,
        .start_us = START,
        .end_us = TIME_NONE,
        .seen_us = START + 45 * MINUTE,
        .charging_end_us = TIME_NONE,
        .updated_us = START + 45 * MINUTE,
        .quote = QUOTE,
    };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static struct retail_estimate estimate_at(int64_t now_us)
{
    struct live_cost cost;
    struct retail_estimate e;

    assert_true(live_cost_of(&session, &cost));
    assert_true(live_cost_estimate(&cost, now_us, a, &e));
    assert_int_equal(e.amount_minor, e.measured_minor + e.extrapolated_minor);
    return e;
}

static void energy_and_session_price_are_measured(void **state)
{
    (void)state;
    struct retail_estimate e = estimate_at(START + 45 * MINUTE);

    assert_int_equal(e.amount_minor, 35 + 649);
    assert_int_equal(e.extrapolated_minor, 0);
    assert_string_equal(e.currency, "EUR");
    assert_false(e.stale);
}

static void time_alone_is_extrapolated(void **state)
{
    (void)state;
    session.seen_us = START + 239 * MINUTE;
    struct retail_estimate e = estimate_at(START + 250 * MINUTE);

    assert_int_equal(e.measured_minor, 35 + 649);
    assert_int_equal(e.extrapolated_minor, 10 * 10); /* minutes 240 to 249 */
    assert_false(e.stale);
    assert_true(e.as_of_us == START + 250 * MINUTE);
}

static void a_quarter_of_an_hour_without_news_is_stale(void **state)
{
    (void)state;
    assert_false(estimate_at(session.seen_us + 15 * MINUTE - US_PER_SECOND).stale);
    assert_true(estimate_at(session.seen_us + 16 * MINUTE).stale);
}

static void after_the_end_nothing_is_added_and_nothing_is_stale(void **state)
{
    (void)state;
    session.state = SESSION_STOPPING;
    session.end_us = START + 245 * MINUTE;
    struct retail_estimate e = estimate_at(START + 2000 * MINUTE);

    assert_int_equal(e.amount_minor, 35 + 649 + 5 * 10);
    assert_int_equal(e.extrapolated_minor, 0);
    assert_false(e.stale);
}

static void a_network_clock_ahead_of_ours_costs_nothing(void **state)
{
    (void)state;
    session.energy_mwh = 0;
    assert_int_equal(estimate_at(START - MINUTE).amount_minor, 35);
}

static void without_a_quote_or_a_start_there_is_no_estimate(void **state)
{
    struct live_cost cost;

    (void)state;
    session.state = SESSION_COMPLETED;
    assert_false(live_cost_of(&session, &cost));
    session.state = SESSION_FAILED;
    assert_false(live_cost_of(&session, &cost));
    session.state = SESSION_ACTIVE;
    session.start_us = TIME_NONE;
    assert_false(live_cost_of(&session, &cost));
    session.start_us = START;
    session.quote = NULL;
    assert_false(live_cost_of(&session, &cost));
}

/* ---- limits ---- */

static const char *cause_at(const struct live_limit *limit, int64_t now_us, int64_t *ret_next_us)
{
    return live_limit_reached(&session, limit, now_us, a, ret_next_us);
}

static void max_charging_time_stops_on_the_second(void **state)
{
    struct live_limit limit = {.max_minutes = 720};
    int64_t next;

    (void)state;
    assert_null(cause_at(&limit, START + MINUTE, &next));
    assert_true(next == START + 720 * MINUTE);
    assert_null(cause_at(&limit, START + 720 * MINUTE - 1, &next));
    assert_string_equal(cause_at(&limit, START + 720 * MINUTE, &next), "max_charging_time");
}

static void a_start_long_before_ours_is_a_clocks_fault(void **state)
{
    struct live_limit limit = {.max_minutes = 60};
    int64_t next;

    (void)state;
    session.start_us = START - 600 * MINUTE;
    assert_null(cause_at(&limit, START + MINUTE, &next));
    assert_true(next == START + 60 * MINUTE);
}

static void a_credit_limit_is_reached_by_energy(void **state)
{
    struct live_limit limit = {.credit_currency = "EUR", .credit_minor = 684};
    int64_t next;

    (void)state;
    assert_string_equal(cause_at(&limit, START + 45 * MINUTE, &next), "credit_limit");
    session.energy_mwh -= 20000; /* 0.0118 less */
    assert_null(cause_at(&limit, START + 45 * MINUTE, &next));
}

static void the_moment_at_which_time_reaches_it_is_foreseen(void **state)
{
    struct live_limit limit = {.credit_currency = "EUR", .credit_minor = 684 + 100};
    int64_t next;

    (void)state;
    assert_null(cause_at(&limit, START + 50 * MINUTE, &next));
    /* The tenth of the minutes that cost something has begun. */
    assert_true(next > START + 249 * MINUTE && next <= START + 249 * MINUTE + 2 * US_PER_SECOND);
    assert_string_equal(cause_at(&limit, next, &next), "credit_limit");
}

static void what_time_never_reaches_is_not_looked_for(void **state)
{
    struct live_limit limit = {.credit_currency = "EUR", .credit_minor = 1000000};
    int64_t next;

    (void)state;
    assert_null(cause_at(&limit, START + 50 * MINUTE, &next));
    assert_true(next == TIME_NONE);
}

static void amounts_of_two_currencies_are_not_compared(void **state)
{
    struct live_limit limit = {.credit_currency = "NOK", .credit_minor = 1};
    int64_t next;

    (void)state;
    assert_null(cause_at(&limit, START + 45 * MINUTE, &next));
    session.quote = NULL;
    assert_null(cause_at(&limit, START + 45 * MINUTE, &next));
}

static void passed_through_the_networks_word_counts(void **state)
{
    struct live_limit limit = {.credit_currency = "EUR", .credit_minor = 400};
    int64_t next;

    (void)state;
    session.quote = NULL;
    assert_string_equal(cause_at(&limit, START + 45 * MINUTE, &next), "credit_limit");
    session.cost_known = false;
    assert_null(cause_at(&limit, START + 45 * MINUTE, &next));
}

/* ---- the status answer ---- */

static const char *body_at(int64_t now_us, const char **ret_etag)
{
    const char *body, *status;

    assert_true(status_finish(a, status_answer(a, &session), session.version, now_us, &body,
                              ret_etag, &status));
    return body;
}

static void the_status_answer_goes_on_by_itself(void **state)
{
    const char *first, *second, *body;

    (void)state;
    body = body_at(START + 45 * MINUTE, &first);
    assert_non_null(strstr(body, "\"cost\":6.84,\"currency\":\"EUR\",\"duration_minutes\":45,"));
    assert_non_null(strstr(body, "\"cost_estimated\":true,\"cost_detail\":{\"amount\":6.84,"));
    body = body_at(START + 250 * MINUTE, &second);
    assert_non_null(strstr(body, "\"cost\":7.84,"));
    assert_non_null(strstr(body, "\"final\":false}}"));
    assert_string_not_equal(first, second);
}

static void wholesale_is_never_shown(void **state)
{
    const char *etag;

    (void)state;
    session.cost_u6 = 98765432;
    assert_null(strstr(body_at(START + 45 * MINUTE, &etag), "98.7"));
    session.state = SESSION_PENDING;
    session.start_us = TIME_NONE;
    assert_non_null(strstr(body_at(START, &etag), "\"cost\":0.00,"));
    session.state = SESSION_COMPLETED; /* now it is the receipt's */
    session.start_us = START;
    session.end_us = START + 45 * MINUTE;
    assert_non_null(strstr(body_at(START, &etag), "\"cost\":98.77,"));
    assert_non_null(strstr(body_at(START, &etag), "\"cost_estimated\":false,\"cost_detail\":null"));
}

static void a_cut_text_of_the_live_view_is_none(void **state)
{
    const char *text, *body, *etag, *status;

    (void)state;
    text = status_answer(a, &session);
    for (size_t length = 0; length < strlen(text) - 2; length++) {
        const char *cut = arena_bytes(a, text, length);

        if (strchr(cut, '\n') && strlen(strrchr(text, '\n')) < strlen(text) - length)
            assert_false(status_finish(a, cut, 1, START, &body, &etag, &status));
    }
}

static void languages_are_read_in_their_order(void **state)
{
    (void)state;
    assert_string_equal(offer_language(NULL), "en");
    assert_string_equal(offer_language("de-AT, en;q=0.5"), "de");
    assert_string_equal(offer_language("sv, fi;q=0.9, en"), "fi");
    assert_string_equal(offer_language("FI"), "fi");
    assert_string_equal(offer_language("d"), "en");
    assert_string_equal(offer_language("den"), "en");
    assert_string_equal(offer_language(",,"), "en");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(energy_and_session_price_are_measured),
        TEST(time_alone_is_extrapolated),
        TEST(a_quarter_of_an_hour_without_news_is_stale),
        TEST(after_the_end_nothing_is_added_and_nothing_is_stale),
        TEST(a_network_clock_ahead_of_ours_costs_nothing),
        TEST(without_a_quote_or_a_start_there_is_no_estimate),
        TEST(max_charging_time_stops_on_the_second),
        TEST(a_start_long_before_ours_is_a_clocks_fault),
        TEST(a_credit_limit_is_reached_by_energy),
        TEST(the_moment_at_which_time_reaches_it_is_foreseen),
        TEST(what_time_never_reaches_is_not_looked_for),
        TEST(amounts_of_two_currencies_are_not_compared),
        TEST(passed_through_the_networks_word_counts),
        TEST(the_status_answer_goes_on_by_itself),
        TEST(wholesale_is_never_shown),
        TEST(a_cut_text_of_the_live_view_is_none),
        TEST(languages_are_read_in_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
