/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states of a payment: every pair of state and event, against the drawing of the design as it
 * is written down here a second time, by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "hub/finance/payment.h"
#include "hub/settings.h"

/* Row: state; column: event; the letter: the next state; '.': the event means nothing here. */
static const char LETTERS[] = "PACDSRXBFV"; /* in the order of enum payment_state */
/* clang-format off */
static const char *const TABLE[PAYMENT_STATE_COUNT] = {
    /*                          authorised | auth_declined | capture_sent | voided | expired | captured |
     *                          capture_declined | retry | refunded_part | refunded_all | disputed |
     *                          dispute_won | dispute_won_part | dispute_lost */
    [PAYMENT_PENDING]         = "AF............",
    [PAYMENT_AUTHORISED]      = "..CVV.........",
    [PAYMENT_CAPTURING]       = ".....DF.......",
    [PAYMENT_PAID]            = "........SRX...",
    [PAYMENT_PARTLY_REFUNDED] = "........SRX...",
    [PAYMENT_REFUNDED]        = "..............",
    [PAYMENT_DISPUTED]        = "...........DSB",
    [PAYMENT_CHARGED_BACK]    = "..............",
    [PAYMENT_FAILED]          = ".......C......",
    [PAYMENT_VOIDED]          = "..............",
};
/* clang-format on */

static void every_pair_of_state_and_event_is_as_drawn(void **state)
{
    (void)state;
    for (int from = 0; from < PAYMENT_STATE_COUNT; from++) {
        assert_int_equal(strlen(TABLE[from]), PAYMENT_EVENT_COUNT);
        for (int event = 0; event < PAYMENT_EVENT_COUNT; event++) {
            enum payment_state to = PAYMENT_STATE_COUNT;
            bool moves = payment_next((enum payment_state)from, (enum payment_event)event, &to);
            char wanted = TABLE[from][event];
            assert_int_equal(moves, wanted != '.');
            if (moves)
                assert_int_equal(LETTERS[to], wanted);
            else
                assert_int_equal(to, PAYMENT_STATE_COUNT);
        }
    }
}

static void money_is_taken_once_and_only_what_was_taken_goes_back(void **state)
{
    (void)state;
    /* Whatever comes in whatever order: walk all sequences of six events. */
    int indices[6] = {0};
    for (;;) {
        enum payment_state s = PAYMENT_PENDING;
        int captured = 0;
        bool back = false;
        for (int i = 0; i < 6; i++) {
            enum payment_event e = (enum payment_event)indices[i];
            if (!payment_next(s, e, &s))
                continue;
            captured += e == PAYMENT_EVENT_CAPTURED;
            back |= e == PAYMENT_EVENT_REFUNDED_ALL || e == PAYMENT_EVENT_REFUNDED_PART ||
                    e == PAYMENT_EVENT_DISPUTED;
            assert_true(captured <= 1);
            assert_true(!back || captured == 1);
            assert_true(captured == 0 || (s != PAYMENT_VOIDED && s != PAYMENT_FAILED));
        }
        int at = 0;
        while (at < 6 && ++indices[at] == PAYMENT_EVENT_COUNT)
            indices[at++] = 0;
        if (at == 6)
            break;
    }
}

static void states_and_events_have_names_that_are_read_back(void **state)
{
    enum payment_state s;

    (void)state;
    for (int i = 0; i < PAYMENT_STATE_COUNT; i++) {
        s = PAYMENT_STATE_COUNT;
        assert_true(payment_state_parse(payment_state_name((enum payment_state)i), &s));
        assert_int_equal(s, i);
    }
    for (int i = 0; i < PAYMENT_EVENT_COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(payment_event_name((enum payment_event)i),
                                    payment_event_name((enum payment_event)j));
    assert_false(payment_state_parse("captured", &s));
    assert_false(payment_state_parse(NULL, &s));
}

static void receipts_call_each_state_as_the_contract_does(void **state)
{
    static const char *const words[PAYMENT_STATE_COUNT] = {
        [PAYMENT_PENDING] = "pending",   [PAYMENT_AUTHORISED] = "pending",
        [PAYMENT_CAPTURING] = "pending", [PAYMENT_PAID] = "paid",
        [PAYMENT_DISPUTED] = "paid",     [PAYMENT_PARTLY_REFUNDED] = "partially_refunded",
        [PAYMENT_REFUNDED] = "refunded", [PAYMENT_CHARGED_BACK] = "refunded",
        [PAYMENT_FAILED] = "failed",     [PAYMENT_VOIDED] = "failed",
    };

    (void)state;
    for (int i = 0; i < PAYMENT_STATE_COUNT; i++)
        assert_string_equal(payment_status_word((enum payment_state)i), words[i]);
}

static void amounts_of_settings_are_whole_minor_units_of_a_known_currency(void **state)
{
    static const char *const WRONG[] = {
        "",           "60.00",   "EUR",       "60.00EUR", "60.00 eur", "0 EUR",      "-1.00 EUR",
        "60.005 EUR", "1.5 JPY", "60,00 EUR", " 60 EUR ", "60.00 XXX", "60.00  EUR", "1e9999 EUR"};
    char currency[4];
    int64_t minor;

    (void)state;
    assert_true(settings_amount("60.00 EUR", currency, &minor));
    assert_int_equal(minor, 6000);
    assert_string_equal(currency, "EUR");
    assert_true(settings_amount("1500 JPY", currency, &minor));
    assert_int_equal(minor, 1500);
    assert_true(settings_amount("5.125 KWD", currency, &minor));
    assert_int_equal(minor, 5125);
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        assert_false(settings_amount(WRONG[i], currency, &minor));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_state_and_event_is_as_drawn),
        cmocka_unit_test(money_is_taken_once_and_only_what_was_taken_goes_back),
        cmocka_unit_test(states_and_events_have_names_that_are_read_back),
        cmocka_unit_test(receipts_call_each_state_as_the_contract_does),
        cmocka_unit_test(amounts_of_settings_are_whole_minor_units_of_a_known_currency),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
