/* SPDX-License-Identifier: Apache-2.0 */
/* Decimals: reading, rounding, printing, currencies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"

static uint64_t random_state = 88172645463325252U;

/* xorshift: the same numbers in every run. */
static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void reads(const char *text, int64_t expected)
{
    int64_t value = -77;

    if (!decimal_parse_u6(text, &value) || value != expected)
        fail_msg("\"%s\" gives %" PRId64, text, value);
}

static void refuses(const char *text)
{
    int64_t value = -77;

    if (decimal_parse_u6(text, &value) || value != -77)
        fail_msg("\"%s\" is accepted", text);
    assert_int_equal(decimal_places(text), -1);
}

static void numbers_are_read(void **state)
{
    (void)state;
    reads("0", 0);
    reads("-0", 0);
    reads("-0.000", 0); /* N05: no negative zero */
    reads("1", 1000000);
    reads("0.25", 250000);
    reads("-12.3456", -12345600);
    reads("999999999999", INT64_C(999999999999000000));
    reads("999999999999.999", INT64_C(999999999999999000));
    reads("-999999999999.999", INT64_C(-999999999999999000));
    reads("1e3", 1000000000);
    reads("1E+3", 1000000000);
    reads("1.5e-3", 1500);
    reads("500000e6", INT64_C(500000000000000000));
    reads("1e-6", 1);
    reads("1e-06", 1);
    reads("100000.100000000", INT64_C(100000100000));
    reads("123456789012.000", INT64_C(123456789012000000));
    reads("0.000001", 1);
}

static void the_seventh_decimal_is_rounded_half_away_from_zero(void **state)
{
    (void)state;
    reads("0.0000005", 1);
    reads("-0.0000005", -1);
    reads("0.000000499", 0);
    reads("-0.000000499", 0);
    reads("1.0000015", 1000002);
    reads("2.000000499", 2000000);
    reads("5e-6", 5);
    reads("0.5e-6", 1);
    reads("0.4e-6", 0);
}

/* N02, N06, N07, N11, J33, J34 */
static void other_texts_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "-",
        "+1",
        ".5",
        "5.",
        "01",
        "-01",
        "00",
        "1,5",
        "1 ",
        " 1",
        "1.2.3",
        "0x1",
        "NaN",
        "inf",
        "1e",
        "1e+",
        "1e7",
        "1e-7",
        "1e99999999999999999999",
        "--1",
        "1.-5",
        "1a",
        "1000000000000",
        "-1000000000000",
        "0.1234567890",
        "1234567890123456",
        "1234567.123456789",
        "100000000000e1",
        "1e-9",
        "\xD9\xA1",
        "1e1.5",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refuses(bad[i]);
}

static void fifteen_significant_digits_are_the_most(void **state)
{
    (void)state;
    reads("123456.123456789", INT64_C(123456123457));
    refuses("1234567.123456789");
    reads("123456789012.345", INT64_C(123456789012345000));
    refuses("123456789012.3456");
    reads("0.123456789", 123457);
    reads("120000000000.00000", INT64_C(120000000000000000)); /* zeros do not count */
}

static void places_are_counted_without_trailing_zeros(void **state)
{
    (void)state;
    assert_int_equal(decimal_places("5"), 0);
    assert_int_equal(decimal_places("500"), 0);
    assert_int_equal(decimal_places("0.00"), 0);
    assert_int_equal(decimal_places("0.10"), 1);
    assert_int_equal(decimal_places("-1.2345"), 4);
    assert_int_equal(decimal_places("1e-3"), 3);
    assert_int_equal(decimal_places("1.5e1"), 0);
    assert_int_equal(decimal_places("0.123456789"), 9);
}

static void prints(int64_t value, int least, int most, const char *expected)
{
    char buffer[DECIMAL_TEXT];

    assert_string_equal(decimal_print_u6(buffer, value, least, most), expected);
}

static void numbers_are_printed(void **state)
{
    (void)state;
    prints(0, 0, 6, "0");
    prints(0, 2, 6, "0.00");
    prints(350000, 0, 4, "0.35");
    prints(350000, 2, 4, "0.35");
    prints(350000, 3, 4, "0.350");
    prints(1, 0, 6, "0.000001");
    prints(-1, 0, 6, "-0.000001");
    prints(1, 0, 4, "0"); /* rounded away */
    prints(-1, 0, 4, "0");
    prints(-1, 2, 2, "0.00"); /* never "-0.00" */
    prints(1005000, 2, 2, "1.01");
    prints(-1005000, 2, 2, "-1.01");
    prints(1999999, 0, 2, "2");
    prints(12000000, 0, 6, "12");
    prints(INT64_MAX, 0, 6, "9223372036854.775807");
    prints(INT64_MIN, 0, 6, "-9223372036854.775808");
    prints(INT64_MIN, 0, 0, "-9223372036855");
}

/* In cents. 0.0049999 has a decimal more than a price keeps; it is rounded in one go below. */
static void halves_go_away_from_zero(void **state)
{
    static const struct {
        const char *text;
        int64_t cents;
    } vectors[] = {
        {"0.005", 1},    {"-0.005", -1},   {"1.005", 101},    {"2.675", 268},
        {"0.004999", 0}, {"-1.005", -101}, {"0.004", 0},      {"-0.004", 0},
        {"0.015", 2},    {"0.025", 3},     {"0.00500001", 1}, {"7.2", 720},
    };
    int64_t value;

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        assert_true(decimal_parse_u6(vectors[i].text, &value));
        assert_int_equal(money_minor_from_u6(value, "EUR"), vectors[i].cents);
    }
}

static void division_rounds_half_away_from_zero(void **state)
{
    (void)state;
    assert_int_equal(decimal_round_div(5, 10), 1);
    assert_int_equal(decimal_round_div(-5, 10), -1);
    assert_int_equal(decimal_round_div(5, -10), -1);
    assert_int_equal(decimal_round_div(-5, -10), 1);
    assert_int_equal(decimal_round_div(4, 10), 0);
    assert_int_equal(decimal_round_div(49999, 100000), 0); /* 0.0049999 in cents */
    assert_int_equal(decimal_round_div(1, 3), 0);
    assert_int_equal(decimal_round_div(2, 3), 1);
    assert_int_equal(decimal_round_div(7, 1), 7);
    assert_int_equal(decimal_round_div(INT64_MAX, INT64_MAX), 1);
    assert_int_equal(decimal_round_div(INT64_MIN, 1), INT64_MIN);
    assert_int_equal(decimal_round_div(INT64_MIN, INT64_MAX), -1);
    assert_int_equal(decimal_round_div(1, INT64_MIN), 0);
}

/* |value - result * divisor| is at most half the divisor, and a half goes outwards. */
static void division_is_the_nearest_for_any_numbers(void **state)
{
    (void)state;
    for (int round = 0; round < 300000; round++) {
        int64_t value = (int64_t)random_next() >> random_next() % 60;
        int64_t divisor = (int64_t)(random_next() >> (1 + random_next() % 60));
        if (divisor == 0)
            divisor = 1;
        int64_t result = decimal_round_div(value, divisor);
        __extension__ __int128 rest = (__int128)value - (__int128)result * divisor;
        __extension__ __int128 twice = 2 * (rest < 0 ? -rest : rest);
        assert_true(twice <= divisor);
        if (twice == divisor)
            assert_true(value < 0 ? rest > 0 : rest < 0);
        assert_int_equal(decimal_round_div(-value, divisor), -result);
    }
}

static void what_is_printed_reads_back(void **state)
{
    char buffer[DECIMAL_TEXT];
    int64_t back;

    (void)state;
    for (int round = 0; round < 300000; round++) {
        int64_t value = (int64_t)(random_next() % UINT64_C(1000000000000000)) >> random_next() % 48;
        if (random_next() % 2)
            value = -value;
        int least = (int)(random_next() % 7);
        decimal_print_u6(buffer, value, least, 6);
        assert_true(decimal_parse_u6(buffer, &back));
        assert_int_equal(back, value);
        const char *point = strchr(buffer, '.');
        int places = point ? (int)strlen(point + 1) : 0;
        assert_true(places >= least && places <= 6);
        assert_true(places == least || buffer[strlen(buffer) - 1] != '0');
    }
}

/* Against arithmetic on the digits as text: nine decimals, rounded to six by hand. */
static void reading_agrees_with_long_arithmetic(void **state)
{
    (void)state;
    for (int round = 0; round < 300000; round++) {
        uint64_t whole = random_next() % 1000000;
        uint64_t nano = random_next() % 1000000000;
        char text[40];
        int64_t value;
        snprintf(text, sizeof(text), "-%" PRIu64 ".%09" PRIu64, whole, nano);
        int64_t expected = -(int64_t)(whole * 1000000 + (nano + 500) / 1000);
        reads(text, expected);
        assert_true(decimal_parse_u6(text + 1, &value));
        assert_int_equal(value, -expected);
    }
}

/* N10 */
static void currencies_have_their_decimals(void **state)
{
    char buffer[DECIMAL_TEXT];

    (void)state;
    assert_int_equal(currency_exponent("EUR"), 2);
    assert_int_equal(currency_exponent("HUF"), 2);
    assert_int_equal(currency_exponent("JPY"), 0);
    assert_int_equal(currency_exponent("ISK"), 0);
    assert_int_equal(currency_exponent("KWD"), 3);
    assert_int_equal(currency_exponent("???"), 2);
    assert_int_equal(money_minor_from_u6(7200000, "EUR"), 720);
    assert_int_equal(money_minor_from_u6(7500000, "JPY"), 8);
    assert_int_equal(money_minor_from_u6(1234500, "KWD"), 1235);
    assert_int_equal(money_u6_from_minor(720, "EUR"), 7200000);
    assert_int_equal(money_u6_from_minor(-8, "JPY"), -8000000);
    assert_int_equal(money_u6_from_minor(1235, "KWD"), 1235000);
    assert_string_equal(money_print_minor(buffer, 720, "EUR"), "7.20");
    assert_string_equal(money_print_minor(buffer, -5, "EUR"), "-0.05");
    assert_string_equal(money_print_minor(buffer, 0, "EUR"), "0.00");
    assert_string_equal(money_print_minor(buffer, 1500, "JPY"), "1500");
    assert_string_equal(money_print_minor(buffer, 0, "JPY"), "0");
    assert_string_equal(money_print_minor(buffer, 1235, "KWD"), "1.235");
    assert_string_equal(money_print_minor(buffer, INT64_MIN, "EUR"), "-92233720368547758.08");
}

/* O09 */
static void only_real_currencies_are_known(void **state)
{
    static const char *const good[] = {"EUR", "CHF", "GBP", "USD", "DKK", "JPY",
                                       "KWD", "ZWG", "AED", "BIF", "XPF", "TND"};
    static const char *const bad[] = {"eur", "EURO", "XXX", "BTC", "XAU", "",
                                      "EU",  "UR ",  "R A", "E R", "XTS"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(currency_known(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(currency_known(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read),
        cmocka_unit_test(the_seventh_decimal_is_rounded_half_away_from_zero),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(fifteen_significant_digits_are_the_most),
        cmocka_unit_test(places_are_counted_without_trailing_zeros),
        cmocka_unit_test(numbers_are_printed),
        cmocka_unit_test(halves_go_away_from_zero),
        cmocka_unit_test(division_rounds_half_away_from_zero),
        cmocka_unit_test(division_is_the_nearest_for_any_numbers),
        cmocka_unit_test(what_is_printed_reads_back),
        cmocka_unit_test(reading_agrees_with_long_arithmetic),
        cmocka_unit_test(currencies_have_their_decimals),
        cmocka_unit_test(only_real_currencies_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
