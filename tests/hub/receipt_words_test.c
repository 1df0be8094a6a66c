/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts in words: figures as people in each country write them, and no text that is missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hub/finance/receipt_words.h"
#include "tests/hub/receipt_fixture.h"

#define NBSP "\xC2\xA0"
#define MINUS "\xE2\x88\x92"

static struct arena *a;

static int setup(void **state)
{
    (void)state;
    a = arena_new(16 * 1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static void money_is_written_as_in_each_country(void **state)
{
    static const struct {
        int64_t minor;
        const char *currency, *text[RECEIPT_LANGUAGE_COUNT];
    } cases[] = {
        {0, "EUR", {"€0.00", "0,00" NBSP "€", "0,00" NBSP "€"}},
        {5, "EUR", {"€0.05", "0,05" NBSP "€", "0,05" NBSP "€"}},
        {-1419, "EUR", {MINUS "€14.19", MINUS "14,19" NBSP "€", MINUS "14,19" NBSP "€"}},
        {99999, "EUR", {"€999.99", "999,99" NBSP "€", "999,99" NBSP "€"}},
        {100000, "EUR", {"€1,000.00", "1.000,00" NBSP "€", "1" NBSP "000,00" NBSP "€"}},
        {-123456789,
         "SEK",
         {MINUS "SEK" NBSP "1,234,567.89", MINUS "1.234.567,89" NBSP "SEK",
          MINUS "1" NBSP "234" NBSP "567,89" NBSP "SEK"}},
        {1234567,
         "JPY",
         {"JPY" NBSP "1,234,567", "1.234.567" NBSP "JPY", "1" NBSP "234" NBSP "567" NBSP "JPY"}},
        {1234567,
         "KWD",
         {"KWD" NBSP "1,234.567", "1.234,567" NBSP "KWD", "1" NBSP "234,567" NBSP "KWD"}},
        {720, "GBP", {"£7.20", "7,20" NBSP "£", "7,20" NBSP "£"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int l = 0; l < RECEIPT_LANGUAGE_COUNT; l++)
            assert_string_equal(
                receipt_money(a, (enum receipt_language)l, cases[i].minor, cases[i].currency),
                cases[i].text[l]);
}

static void prices_keep_all_their_decimals(void **state)
{
    (void)state;
    assert_string_equal(receipt_price(a, RECEIPT_EN, 590000, "EUR", BILL_KWH), "€0.59/kWh");
    assert_string_equal(receipt_price(a, RECEIPT_DE, 456700, "EUR", BILL_KWH),
                        "0,4567" NBSP "€/kWh");
    assert_string_equal(receipt_price(a, RECEIPT_FI, 100000, "EUR", BILL_MINUTE),
                        "0,10" NBSP "€/min");
    assert_string_equal(receipt_price(a, RECEIPT_DE, 15000, "EUR", BILL_MINUTE),
                        "0,015" NBSP "€/min");
    assert_string_equal(receipt_price(a, RECEIPT_DE, 1200000, "EUR", BILL_HOUR), "1,20" NBSP "€/h");
    assert_string_equal(receipt_price(a, RECEIPT_EN, 350000, "EUR", BILL_PIECE), "€0.35");
    assert_string_equal(receipt_price(a, RECEIPT_EN, 25500000, "JPY", BILL_KWH),
                        "JPY" NBSP "25.5/kWh");
}

static void quantities_have_their_unit(void **state)
{
    (void)state;
    assert_string_equal(receipt_quantity(a, RECEIPT_EN, 20000000, BILL_KWH), "20.000" NBSP "kWh");
    assert_string_equal(receipt_quantity(a, RECEIPT_DE, INT64_C(1234567890123), BILL_KWH),
                        "1.234.567,890123" NBSP "kWh");
    assert_string_equal(receipt_quantity(a, RECEIPT_DE, -42318000, BILL_KWH),
                        MINUS "42,318" NBSP "kWh");
    assert_string_equal(receipt_quantity(a, RECEIPT_FI, 1500000, BILL_HOUR), "1,5" NBSP "h");
    assert_string_equal(receipt_quantity(a, RECEIPT_FI, 133000000, BILL_MINUTE), "133" NBSP "min");
    assert_string_equal(receipt_quantity(a, RECEIPT_EN, 1000000, BILL_PIECE), "1");
}

static void rates_and_durations(void **state)
{
    (void)state;
    assert_string_equal(receipt_percent(a, RECEIPT_EN, 190000), "19%");
    assert_string_equal(receipt_percent(a, RECEIPT_DE, 190000), "19" NBSP "%");
    assert_string_equal(receipt_percent(a, RECEIPT_FI, 255000), "25,5" NBSP "%");
    assert_string_equal(receipt_percent(a, RECEIPT_EN, 99750), "9.975%");
    assert_string_equal(receipt_percent(a, RECEIPT_DE, 0), "0" NBSP "%");
    assert_string_equal(receipt_duration(a, 22345),
                        "6" NBSP "h" NBSP "12" NBSP "min" NBSP "25" NBSP "s");
    assert_string_equal(receipt_duration(a, 7225), "2" NBSP "h" NBSP "25" NBSP "s");
    assert_string_equal(receipt_duration(a, 0), "0" NBSP "s");
    assert_string_equal(receipt_duration(a, 100 * 3600), "100" NBSP "h");
}

static struct receipt_time at(const char *text, int32_t offset_s)
{
    struct receipt_time t = {TIME_NONE, offset_s};

    assert_true(time_parse(text, TIME_RFC3339, &t.us));
    return t;
}

static void times_are_those_of_the_place(void **state)
{
    (void)state;
    struct receipt_time new_year = at("2025-12-31T22:59:01Z", 7200);
    assert_string_equal(receipt_moment(a, RECEIPT_EN, new_year),
                        "1" NBSP "Jan" NBSP "2026, 00:59:01 (UTC+2)");
    assert_string_equal(receipt_moment(a, RECEIPT_DE, new_year), "1.1.2026, 00:59:01 (UTC+2)");
    assert_string_equal(receipt_moment(a, RECEIPT_FI, new_year),
                        "1.1.2026 klo" NBSP "00.59.01 (UTC+2)");
    assert_string_equal(receipt_moment(a, RECEIPT_DE, at("2026-03-01T02:00:00Z", -12600)),
                        "28.2.2026, 22:30:00 (UTC" MINUS "3:30)");
    assert_string_equal(receipt_moment(a, RECEIPT_EN, at("2026-05-04T00:00:00Z", 0)),
                        "4" NBSP "May" NBSP "2026, 00:00:00 (UTC)");
    assert_string_equal(receipt_date(a, RECEIPT_DE, at("2028-02-29T23:59:59Z", 0)), "29.2.2028");
    assert_string_equal(receipt_date(a, RECEIPT_EN, (struct receipt_time){TIME_NONE, 0}), "–");
    assert_string_equal(receipt_moment(a, RECEIPT_FI, (struct receipt_time){TIME_NONE, 0}), "–");
}

static void codes_become_texts_and_others_stay(void **state)
{
    (void)state;
    assert_string_equal(receipt_country_name(RECEIPT_DE, "FIN"), "Finnland");
    assert_string_equal(receipt_country_name(RECEIPT_FI, "DEU"), "Saksa");
    assert_string_equal(receipt_country_name(RECEIPT_FI, "XYZ"), "XYZ");
    assert_string_equal(receipt_country_name(RECEIPT_FI, NULL), "");
    assert_string_equal(receipt_note_text(RECEIPT_DE, "reverse_charge"),
                        "Steuerschuldnerschaft des Leistungsempfängers.");
    assert_string_equal(receipt_note_text(RECEIPT_DE, "Bitte beachten"), "Bitte beachten");
    assert_string_equal(receipt_payment_text(RECEIPT_FI, "paid"), "Maksettu");
    assert_string_equal(receipt_word_with(a, RECEIPT_FI, RECEIPT_WORD_PAGE, 1, 12), "Sivu 1/12");
    assert_string_equal(receipt_word_with(a, RECEIPT_DE, RECEIPT_WORD_FROM_MINUTE, 240, 0),
                        "ab Minute 240");
}

static void every_word_is_there_in_every_language(void **state)
{
    (void)state;
    for (int l = 0; l < RECEIPT_LANGUAGE_COUNT; l++) {
        for (int w = 0; w < RECEIPT_WORD_COUNT; w++) {
            const char *word = receipt_word((enum receipt_language)l, (enum receipt_word)w);
            assert_non_null(word);
            assert_true(*word);
        }
        for (int k = 0; k < BILL_KIND_COUNT; k++)
            assert_true(*receipt_line_name((enum receipt_language)l, (enum bill_kind)k));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(money_is_written_as_in_each_country, setup, teardown),
        cmocka_unit_test_setup_teardown(prices_keep_all_their_decimals, setup, teardown),
        cmocka_unit_test_setup_teardown(quantities_have_their_unit, setup, teardown),
        cmocka_unit_test_setup_teardown(rates_and_durations, setup, teardown),
        cmocka_unit_test_setup_teardown(times_are_those_of_the_place, setup, teardown),
        cmocka_unit_test_setup_teardown(codes_become_texts_and_others_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(every_word_is_there_in_every_language, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
