/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pricing: the calculations of the published examples, V01 to V31, with the errata of the prints
 * corrected, and some of our own with clock changes. Local times are those of Berlin.
 */
#include "tests/ocpi/price_check.h"

#define MONDAY "2026-05-04T08:00:00Z" /* 10:00 there */
#define ENERGY_10 VAT("ENERGY", "0.25", "10", "1")
#define FLAT_20 VAT("FLAT", "0.50", "20", "0")

static void v01_energy(void **state)
{
    struct price p = priced(TARIFF(ALWAYS(ENERGY_10)), STEPS(MONDAY, {60, 'c', 20000}));

    (void)state;
    assert_amounts(&p, "5.00", "5.50");
    assert_int_equal(p.notes, 0);
    assert_string_equal(p.currency, "EUR");
}

static void v02_energy_and_start_fee(void **state)
{
    struct price p = priced(TARIFF(ALWAYS(FLAT_20 "," ENERGY_10)), STEPS(MONDAY, {60, 'c', 20000}));

    (void)state;
    assert_amounts(&p, "5.50", "6.10");
    assert_int_equal(p.line_count, 2);
    assert_int_equal(p.totals[PRICE_FLAT].excl, 500000);
    assert_int_equal(p.totals[PRICE_FLAT].incl, 600000);
    assert_int_equal(p.totals[PRICE_ENERGY].excl, 5000000);
}

static void v03_minimum_price(void **state)
{
    struct price p =
        priced(TARIFF_WITH("'min_price':{'excl_vat':0.50,'incl_vat':0.55},", ALWAYS(ENERGY_10)),
               STEPS(MONDAY, {60, 'c', 1500}));

    (void)state;
    assert_amounts(&p, "0.50", "0.55");
    assert_string_equal(amount_text(p.unlimited_excl), "0.375");
    assert_string_equal(amount_text(p.unlimited_incl), "0.4125");
    assert_noted(&p, PRICE_NOTE_MIN_PRICE, true);
}

static void v04_parking_after_charging(void **state)
{
    struct price p =
        priced(TARIFF(ALWAYS(FLAT_20 "," ENERGY_10 "," VAT("PARKING_TIME", "2.00", "20", "900"))),
               STEPS(MONDAY, {60, 'c', 20000}, {40, 'p'}));

    (void)state;
    assert_amounts(&p, "7.00", "7.90");
    assert_billed(&p, PRICE_PARKING, 2400, 2700);
}

#define CAPPED                                                                                     \
    TARIFF_WITH("'max_price':{'excl_vat':10.00,'incl_vat':11.00},", ALWAYS(FLAT_20 "," ENERGY_10))

static void v05_v06_v07_maximum_price(void **state)
{
    struct price p = priced(CAPPED, STEPS(MONDAY, {60, 'c', 50000}));

    (void)state;
    assert_amounts(&p, "10.00", "11.00");
    assert_string_equal(amount_text(p.unlimited_excl), "13.00");
    assert_string_equal(amount_text(p.unlimited_incl), "14.35");
    p = priced(CAPPED, STEPS(MONDAY, {60, 'c', 30000}));
    assert_amounts(&p, "8.00", "8.85");
    assert_noted(&p, PRICE_NOTE_MAX_PRICE, false);
    /* Each total has its own limit: the net one stays. */
    p = priced(CAPPED, STEPS(MONDAY, {60, 'c', 37900}));
    assert_amounts(&p, "9.975", "11.00");
    assert_noted(&p, PRICE_NOTE_MAX_PRICE, true);
}

static void v08_time(void **state)
{
    struct price p =
        priced(TARIFF(ALWAYS(VAT("TIME", "2.00", "10", "60"))), STEPS(MONDAY, {150, 'c', 30000}));

    (void)state;
    assert_amounts(&p, "5.00", "5.50");
}

static void v09_time_and_parking(void **state)
{
    struct price p = priced(TARIFF(ALWAYS(VAT("TIME", "3.00", "10",
                                              "60") "," VAT("PARKING_TIME", "5.00", "20", "300"))),
                            STEPS(MONDAY, {150, 'c', 30000}, {42, 'p'}));

    (void)state;
    assert_amounts(&p, "11.25", "12.75");
    assert_billed(&p, PRICE_CHARGING, 9000, 9000);
    assert_billed(&p, PRICE_PARKING, 2520, 2700);
}

static void v10_an_odd_rate(void **state)
{
    struct price p =
        priced(TARIFF(ALWAYS(VAT("TIME", "1.90", "5.2", "300"))), STEPS(MONDAY, {150, 'c', 30000}));

    (void)state;
    assert_amounts(&p, "4.75", "4.997");
}

static void v11_energy_in_blocks(void **state)
{
    struct price p = priced(TARIFF(ALWAYS(FLAT_20 "," VAT("ENERGY", "0.25", "10", "100"))),
                            STEPS(MONDAY, {60, 'c', 20450}));

    (void)state;
    assert_amounts(&p, "5.625", "6.2375");
    assert_billed(&p, PRICE_ENERGY, 20450000, 20500000);
}

#define WEEKDAYS "'day_of_week':['MONDAY','TUESDAY','WEDNESDAY','THURSDAY','FRIDAY']"
#define COMPLEX                                                                                                 \
    TARIFF(ALWAYS(VAT("FLAT", "2.50", "15", "1")) "," WHEN(                                                     \
        "'max_current':32.00",                                                                                  \
        VAT("TIME", "1.00", "20",                                                                               \
            "900")) "," WHEN("'min_current':32.00," WEEKDAYS,                                                   \
                             VAT("TIME", "2.00", "20",                                                          \
                                 "600")) "," WHEN("'min_current':32.00,'day_of_week':['SATURDAY',"              \
                                                  "'SUNDAY']",                                                  \
                                                  VAT("TIME", "1.25", "20",                                     \
                                                      "600")) "," WHEN("'start_time':'09:00','"                 \
                                                                       "end_time':'18:00'"                      \
                                                                       "," WEEKDAYS,                            \
                                                                       VAT("PARKING_TIME", "5.00",              \
                                                                           "10",                                \
                                                                           "300")) "," WHEN("'sta"              \
                                                                                            "rt_"               \
                                                                                            "time"              \
                                                                                            "':'"               \
                                                                                            "10:"               \
                                                                                            "00',"              \
                                                                                            "'end"              \
                                                                                            "_tim"              \
                                                                                            "e':'"              \
                                                                                            "17:"               \
                                                                                            "00',"              \
                                                                                            "'day"              \
                                                                                            "_of_"              \
                                                                                            "week"              \
                                                                                            "':['"              \
                                                                                            "SATU"              \
                                                                                            "RDAY"              \
                                                                                            "']",               \
                                                                                            VAT("PARKING_TIME", \
                                                                                                "6.00",         \
                                                                                                "10",           \
                                                                                                "300")))

static void v12_complex_tariff_on_a_monday(void **state)
{
    struct price p = priced(
        COMPLEX, STEPS("2026-05-04T07:30:00Z", {165, 'c', 10000, 0, 16}, {42, 'p', 0, 0, 0}));

    (void)state;
    assert_amounts(&p, "9.00", "10.30");
    assert_billed(&p, PRICE_CHARGING, 9900, 9900);
}

/* The print charges 1.9 h at 1.20 where the tariff says 1.25. */
static void v13_complex_tariff_on_a_saturday(void **state)
{
    struct price p = priced(
        COMPLEX, STEPS("2026-05-09T11:30:00Z", {114, 'c', 30000, 0, 43}, {71, 'p', 0, 0, 0}));

    (void)state;
    assert_amounts(&p, "12.375", "13.975");
}

#define RESERVED "'reservation':'RESERVATION'"
#define EXPIRES "'reservation':'RESERVATION_EXPIRES'"
#define SESSION ALWAYS(FLAT_20 "," ENERGY_10)
#define RESERVED_AND_CHARGED(minutes) STEPS(MONDAY, {minutes, 'r'}, {60, 'c', 20000})

static struct price_history lapsed(int minutes)
{
    struct price_history h = STEPS(MONDAY, {minutes, 'r'});

    h.expired = true;
    return h;
}

static void v14_reservation_time(void **state)
{
    struct price p = priced(TARIFF(WHEN(RESERVED, VAT("TIME", "5.00", "20", "60")) "," SESSION),
                            RESERVED_AND_CHARGED(15));

    (void)state;
    assert_amounts(&p, "6.75", "7.60");
    assert_billed(&p, PRICE_RESERVATION, 900, 900);
}

static void v15_reservation_fee(void **state)
{
    struct price p = priced(TARIFF(WHEN(RESERVED, VAT("FLAT", "2.00", "20", "1") "," VAT(
                                                      "TIME", "5.00", "20", "300")) "," SESSION),
                            RESERVED_AND_CHARGED(13));

    (void)state;
    assert_amounts(&p, "8.75", "10.00");
    assert_billed(&p, PRICE_RESERVATION, 780, 900);
    assert_int_equal(p.totals[PRICE_RESERVATION_FLAT].excl, 2000000);
    assert_int_equal(p.totals[PRICE_FLAT].excl, 500000);
}

#define EXPIRY_FEE                                                                                 \
    TARIFF(WHEN(EXPIRES, VAT("FLAT", "4.00", "20", "1")) "," WHEN(                                 \
        RESERVED, VAT("TIME", "2.00", "20", "600")) "," SESSION)

static void v16_v17_a_fee_for_the_unused_reservation(void **state)
{
    struct price p = priced(EXPIRY_FEE, RESERVED_AND_CHARGED(22));

    (void)state;
    assert_amounts(&p, "6.50", "7.30");
    p = priced(EXPIRY_FEE, lapsed(60));
    assert_amounts(&p, "6.00", "7.20");
}

#define EXPIRY_TIME                                                                                \
    TARIFF(WHEN(EXPIRES, VAT("TIME", "6.00", "20", "600")) "," WHEN(                               \
        RESERVED, VAT("TIME", "3.00", "20", "600")) "," SESSION)

static void v18_v19_a_price_for_the_unused_time(void **state)
{
    struct price p = priced(EXPIRY_TIME, RESERVED_AND_CHARGED(22));

    (void)state;
    assert_amounts(&p, "7.00", "7.90");
    p = priced(EXPIRY_TIME, lapsed(90));
    assert_amounts(&p, "9.00", "10.80");
}

#define BEFORE_17 "'start_time':'00:00','end_time':'17:00'"
#define AFTER_17 "'start_time':'17:00','end_time':'00:00'"
#define EVENING                                                                                    \
    TARIFF(WHEN(BEFORE_17, PLAIN("TIME", "1.20", "1800")) "," WHEN(                                \
        AFTER_17,                                                                                  \
        PLAIN("TIME", "2.40", "900")) "," WHEN("'start_time':'00:00','end_time':'20:00'",          \
                                               PLAIN("PARKING_TIME", "1.00", "900")))

static void v20_v21_v22_times_over_a_change_of_price(void **state)
{
    struct price p =
        priced(EVENING, STEPS("2026-05-04T14:55:00Z", {5, 'c', 500}, {5, 'c', 500}, {2, 'p'}));

    (void)state;
    assert_amounts(&p, "0.55", "0.55");
    assert_billed(&p, PRICE_CHARGING, 600, 600);
    assert_billed(&p, PRICE_PARKING, 120, 900);
    p = priced(EVENING, STEPS("2026-05-04T14:35:00Z", {25, 'c', 500}, {10, 'c', 500}));
    assert_amounts(&p, "1.30", NULL);
    p = priced(EVENING, STEPS("2026-05-04T17:40:00Z", {12, 'c', 500}, {8, 'p'}, {12, 'p'}));
    assert_amounts(&p, "0.73", NULL);
    assert_billed(&p, PRICE_PARKING, 480, 900);
    /* The same where we cut the periods ourselves. */
    p = estimated(EVENING, STEPS("2026-05-04T14:55:00Z", {10, 'c', 1000}, {2, 'p'}));
    assert_amounts(&p, "0.55", NULL);
    p = estimated(EVENING, STEPS("2026-05-04T14:35:00Z", {35, 'c', 1000}));
    assert_amounts(&p, "1.30", NULL);
    p = estimated(EVENING, STEPS("2026-05-04T17:40:00Z", {12, 'c', 1000}, {20, 'p'}));
    assert_amounts(&p, "0.73", NULL);
    assert_noted(&p, PRICE_NOTE_CUT, true);
}

static void v23_energy_over_a_change_of_price(void **state)
{
    const char *tariff = TARIFF(WHEN(BEFORE_17, PLAIN("ENERGY", "0.20", "500")) "," WHEN(
        AFTER_17, PLAIN("ENERGY", "0.27", "500")));
    struct price p =
        priced(tariff, STEPS("2026-05-04T14:00:00Z", {60, 'c', 4300}, {20, 'c', 1100}));

    (void)state;
    assert_amounts(&p, "1.184", NULL);
    assert_billed(&p, PRICE_ENERGY, 5400000, 5500000);
}

static void v24_time_over_a_change_of_price(void **state)
{
    const char *tariff = TARIFF(WHEN(BEFORE_17, PLAIN("TIME", "5.00", "600")) "," WHEN(
        AFTER_17, PLAIN("TIME", "7.00", "600")));
    struct price p = priced(tariff, STEPS("2026-05-04T14:54:00Z", {6, 'c', 500}, {22, 'c', 900}));

    (void)state;
    assert_amounts(&p, "3.30", NULL);
    assert_billed(&p, PRICE_CHARGING, 1680, 1800);
}

static void v25_v26_parking_alone_is_rounded_at_the_end(void **state)
{
    struct price p = priced(
        TARIFF(ALWAYS(PLAIN("TIME", "1.00", "600") "," PLAIN("PARKING_TIME", "2.00", "600"))),
        STEPS(MONDAY, {21, 'c', 900}, {16, 'p'}));

    (void)state;
    assert_amounts(&p, "1.016667", NULL);
    assert_billed(&p, PRICE_CHARGING, 1260, 1260);
    assert_billed(&p, PRICE_PARKING, 960, 1200);
    p = priced(
        TARIFF(ALWAYS(PLAIN("TIME", "1.00", "300") "," PLAIN("PARKING_TIME", "2.00", "300"))),
        STEPS(MONDAY, {21, 'c', 900}, {7, 'p'}));
    assert_billed(&p, PRICE_CHARGING, 1260, 1260);
    assert_billed(&p, PRICE_PARKING, 420, 600);
}

static void v27_steps_of_energy(void **state)
{
    static const struct {
        const char *tariff, *cost;
        int64_t billed;
    } rows[] = {
        {TARIFF(ALWAYS(PLAIN("ENERGY", "0.25", "1"))), "0.029", 116000},
        {TARIFF(ALWAYS(PLAIN("ENERGY", "0.25", "25"))), "0.03125", 125000},
        {TARIFF(ALWAYS(PLAIN("ENERGY", "0.25", "500"))), "0.125", 500000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct price_period tenth = {.start_us = at(MONDAY),
                                     .end_us = at(MONDAY) + 60 * US_PER_SECOND,
                                     .energy = 115200,
                                     .charging_s = 60,
                                     .power = NUMBER_NONE,
                                     .current = NUMBER_NONE};
        struct price p = priced(rows[i].tariff, (struct price_history){.periods = {&tenth, 1}});
        assert_amounts(&p, rows[i].cost, NULL);
        assert_billed(&p, PRICE_ENERGY, 115200, rows[i].billed);
    }
}

static void v28_prices_by_power(void **state)
{
    const char *tariff = TARIFF(WHEN("'max_power':16.00", PLAIN("ENERGY", "0.20", "1")) "," WHEN(
        "'max_power':32.00",
        PLAIN("ENERGY", "0.35", "1")) "," ALWAYS(PLAIN("ENERGY", "0.50", "1")));
    struct price p = priced(
        tariff, STEPS(MONDAY, {10, 'c', 1000, 6000}, {50, 'c', 40000, 48000}, {8, 'c', 500, 4000}));

    (void)state;
    assert_amounts(&p, "20.30", NULL);
    assert_noted(&p, PRICE_NOTE_DERIVED_POWER, false);
    /* Where no power is told, it is the average of the period. */
    p = priced(tariff, STEPS(MONDAY, {10, 'c', 1000}, {50, 'c', 40000}, {8, 'c', 500}));
    assert_amounts(&p, "20.30", NULL);
    assert_noted(&p, PRICE_NOTE_DERIVED_POWER, true);
}

static void v29_prices_by_duration(void **state)
{
    const char *tariff = TARIFF(WHEN("'max_duration':1800", PLAIN("ENERGY", "0.00", "1")) "," WHEN(
        "'max_duration':3600",
        PLAIN("ENERGY", "0.25", "1")) "," ALWAYS(PLAIN("ENERGY", "0.40", "1")));
    struct price p = priced(tariff, STEPS(MONDAY, {30, 'c', 5000}, {10, 'c', 1200}));

    (void)state;
    assert_amounts(&p, "0.30", NULL);
    /* Cut by us: 3.1 kWh free, 3.1 kWh at 0.25, and 1.55 at 0.40. */
    p = estimated(tariff, STEPS(MONDAY, {75, 'c', 7750}));
    assert_amounts(&p, "1.395", NULL);
}

static void v30_included_taxes_of_an_unknown_rate(void **state)
{
    struct price p = priced(TARIFF_230("YES", ALWAYS(PLAIN("TIME", "2.10", "60"))),
                            STEPS(MONDAY, {150, 'c', 20000}));

    (void)state;
    assert_amounts(&p, "-", "5.25");
    assert_noted(&p, PRICE_NOTE_NET_UNKNOWN, true);
}

/* From the hours of a CDR: 1.973 h are 7103 s. */
static void v31_hours_of_a_cdr(void **state)
{
    static const struct ocpi_cdr_dimension hours = {OCPI_DIMENSION_TIME, 1973000};
    static const struct ocpi_charging_period period = {
        .start_date_time = INT64_C(1777881600) * US_PER_SECOND, .dimensions = {&hours, 1}};
    struct price_record record = {.cdr = true,
                                  .over = true,
                                  .start_us = period.start_date_time,
                                  .end_us = period.start_date_time + 7110 * US_PER_SECOND,
                                  .periods = {&period, 1}};
    struct price_tariff t = tariff_of(TARIFF(ALWAYS(VAT("TIME", "2.00", "10", "300"))));
    struct price_history h;

    (void)state;
    assert_false(failed(price_history_of(&record, &t, 1, arena, &h)));
    struct price p = reckoned(&t, 1, &h);
    assert_amounts(&p, "4.00", "4.40");
    assert_billed(&p, PRICE_CHARGING, 7103, 7200);
}

/* ---- our own ---- */

static void a_night_with_a_clock_change_has_its_own_hours(void **state)
{
    const char *tariff = TARIFF(
        WHEN("'start_time':'22:00','end_time':'06:00'", VAT("TIME", "1.20", "19", "1")) "," WHEN(
            "'start_time':'06:00','end_time':'22:00'", VAT("TIME", "2.40", "19", "1")));
    struct price p = estimated(tariff, STEPS("2026-03-28T23:30:00Z", {300, 'c', 9000}));

    (void)state;
    assert_amounts(&p, "6.60", "7.854");
    p = estimated(tariff, STEPS("2026-10-24T22:30:00Z", {420, 'c', 9000}));
    assert_amounts(&p, "9.00", "10.71");
}

static void odd_watt_hours_and_tiers_of_energy(void **state)
{
    const char *tiers = TARIFF(WHEN("'max_kwh':10", VAT("ENERGY", "0.30", "19", "1")) "," WHEN(
        "'min_kwh':10", VAT("ENERGY", "0.45", "19", "1")));
    struct price_history h = STEPS(MONDAY, {60, 'c', 23457});
    struct price p;

    (void)state;
    ((struct price_period *)(uintptr_t)h.periods.at)->energy = 23456700;
    p = priced(
        TARIFF(ALWAYS(VAT("FLAT", "0.35", "19", "1") "," VAT("ENERGY", "0.4567", "19", "1"))), h);
    assert_amounts(&p, "11.062812", "13.164746");
    p = priced(tiers, STEPS(MONDAY, {30, 'c', 10000}, {30, 'c', 7383}));
    assert_amounts(&p, "6.32235", "7.523597");
    p = estimated(tiers, STEPS(MONDAY, {45, 'c', 17383}));
    assert_amounts(&p, "6.32235", "7.523597");
}

static void prices_with_included_taxes_give_net_and_gross(void **state)
{
    struct price p = priced(TARIFF_230("YES", ALWAYS(VAT("ENERGY", "0.59", "19", "1"))),
                            STEPS(MONDAY, {45, 'c', 31274}));

    (void)state;
    assert_amounts(&p, "15.505597", "18.45166");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(v01_energy),
        OCPI_TEST(v02_energy_and_start_fee),
        OCPI_TEST(v03_minimum_price),
        OCPI_TEST(v04_parking_after_charging),
        OCPI_TEST(v05_v06_v07_maximum_price),
        OCPI_TEST(v08_time),
        OCPI_TEST(v09_time_and_parking),
        OCPI_TEST(v10_an_odd_rate),
        OCPI_TEST(v11_energy_in_blocks),
        OCPI_TEST(v12_complex_tariff_on_a_monday),
        OCPI_TEST(v13_complex_tariff_on_a_saturday),
        OCPI_TEST(v14_reservation_time),
        OCPI_TEST(v15_reservation_fee),
        OCPI_TEST(v16_v17_a_fee_for_the_unused_reservation),
        OCPI_TEST(v18_v19_a_price_for_the_unused_time),
        OCPI_TEST(v20_v21_v22_times_over_a_change_of_price),
        OCPI_TEST(v23_energy_over_a_change_of_price),
        OCPI_TEST(v24_time_over_a_change_of_price),
        OCPI_TEST(v25_v26_parking_alone_is_rounded_at_the_end),
        OCPI_TEST(v27_steps_of_energy),
        OCPI_TEST(v28_prices_by_power),
        OCPI_TEST(v29_prices_by_duration),
        OCPI_TEST(v30_included_taxes_of_an_unknown_rate),
        OCPI_TEST(v31_hours_of_a_cdr),
        OCPI_TEST(a_night_with_a_clock_change_has_its_own_hours),
        OCPI_TEST(odd_watt_hours_and_tiers_of_energy),
        OCPI_TEST(prices_with_included_taxes_give_net_and_gross),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
