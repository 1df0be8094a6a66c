/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pricing, rule by rule: R-TAR-01 to R-TAR-26, and what CDRs and Sessions say about themselves.
 * Local times are those of Berlin.
 */
#include "tests/ocpi/price_check.h"


#define MONDAY "2026-05-04T08:00:00Z" /* 10:00 there */
#define HOUR_OF_20_KWH STEPS(MONDAY, {60, 'c', 20000})
#define RESERVED "'reservation':'RESERVATION'"
#define EXPIRES "'reservation':'RESERVATION_EXPIRES'"
#define BEFORE_17 "'start_time':'00:00','end_time':'17:00'"
#define AFTER_17 "'start_time':'17:00','end_time':'00:00'"

/* R-TAR-01 */
static void each_dimension_takes_the_first_element_that_matches(void **state)
{
    struct price p = priced(
        TARIFF(WHEN("'min_kwh':100", PLAIN("ENERGY", "9.00", "1")) "," WHEN(
            "'max_kwh':100",
            PLAIN(
                "TIME", "1.00",
                "1")) "," ALWAYS(PLAIN("ENERGY", "0.30",
                                       "1") "," PLAIN("TIME", "7.00",
                                                      "1")) "," ALWAYS(PLAIN("ENERGY", "0.10",
                                                                             "1") "," PLAIN("FLAT",
                                                                                            "0.20",
                                                                                            "1"))),
        HOUR_OF_20_KWH);

    (void)state;
    assert_amounts(&p, "7.20", NULL); /* 0.20 + 20 * 0.30 + 1 h * 1.00 */
    assert_int_equal(p.line_count, 3);
    assert_int_equal(p.lines[0].element, 3);
    assert_int_equal(p.lines[0].component, 1);
    assert_int_equal(p.lines[1].element, 2);
    assert_int_equal(p.lines[2].element, 1);
}

/* R-TAR-01: all restrictions of an element must match */
static void restrictions_are_joined_by_and(void **state)
{
    const char *tariff =
        TARIFF(WHEN("'max_kwh':10,'max_duration':1800,'day_of_week':['MONDAY']",
                    PLAIN("ENERGY", "0.10", "1")) "," ALWAYS(PLAIN("ENERGY", "1.00", "1")));
    struct price p =
        priced(tariff, STEPS(MONDAY, {20, 'c', 5000}, {20, 'c', 5000}, {20, 'c', 5000}));

    (void)state;
    /* The first two periods begin within all limits, the third has used 10 kWh and 40 min. */
    assert_amounts(&p, "6.00", NULL);
    p = priced(tariff, STEPS(MONDAY, {40, 'c', 1000}, {20, 'c', 1000}));
    assert_amounts(&p, "1.10", NULL);
    p = priced(tariff, STEPS("2026-05-05T08:00:00Z", {20, 'c', 5000}));
    assert_amounts(&p, "5.00", NULL);
}

/* R-TAR-02 */
static void what_no_element_prices_costs_nothing(void **state)
{
    struct price p = priced(TARIFF(WHEN("'min_kwh':50", PLAIN("ENERGY", "1.00", "1"))),
                            STEPS(MONDAY, {60, 'c', 20000}, {60, 'p'}));

    (void)state;
    assert_amounts(&p, "0.00", "0.00");
    assert_int_equal(p.line_count, 0);
}

/* R-TAR-03, R-TAR-25 */
static void tariffs_of_211_follow_the_same_rules(void **state)
{
    struct price p = priced(TARIFF_211(ALWAYS(PLAIN("FLAT", "2.50", "1")) "," ALWAYS(PLAIN(
                                "TIME", "1.00", "900") "," PLAIN("PARKING_TIME", "5.00", "300"))),
                            STEPS(MONDAY, {165, 'c', 10000}, {42, 'p'}));

    (void)state;
    /* The first element alone would cost the start fee. There is no VAT to add. */
    assert_amounts(&p, "9.00", "-");
    assert_noted(&p, PRICE_NOTE_TAXES_UNKNOWN, true);
    assert_billed(&p, PRICE_CHARGING, 9900, 9900);
    assert_billed(&p, PRICE_PARKING, 2520, 2700);
    /* 2.1.1 knows power, and takes 32 there as kW. */
    p = priced(TARIFF_211(WHEN("'min_power':32.00",
                               PLAIN("TIME", "2.00", "1")) "," ALWAYS(PLAIN("TIME", "1.00", "1"))),
               STEPS(MONDAY, {60, 'c', 20000, 31999}, {60, 'c', 40000, 32000}));
    assert_amounts(&p, "3.00", "-");
}

/* R-TAR-04 */
static void restrictions_switch_at_the_moment(void **state)
{
    const char *by_current =
        TARIFF(WHEN("'min_current':32.00", PLAIN("TIME", "2.00", "1")) "," WHEN(
            "'max_current':32.00", PLAIN("TIME", "1.00", "1")));
    struct price p = priced(by_current, STEPS(MONDAY, {60, 'c', 5000, 0, 31},
                                              {60, 'c', 9000, 0, 32}, {60, 'c', 5000, 0, 16}));

    (void)state;
    assert_amounts(&p, "4.00", NULL); /* back at 16 A it is cheap again */
    p = priced(by_current, HOUR_OF_20_KWH);
    assert_amounts(&p, "0.00", NULL);
    assert_noted(&p, PRICE_NOTE_NO_CURRENT, true);
}

/* R-TAR-04 */
static void estimates_are_cut_where_the_price_changes_and_cdrs_are_not(void **state)
{
    const char *tariff = TARIFF(WHEN(BEFORE_17, PLAIN("ENERGY", "0.20", "1")) "," WHEN(
        AFTER_17, PLAIN("ENERGY", "0.40", "1")));
    struct price_history h = STEPS("2026-05-04T14:45:00Z", {60, 'c', 20000}); /* 16:45 there */
    struct price p = priced(tariff, h);

    (void)state;
    assert_amounts(&p, "4.00", NULL);
    assert_noted(&p, PRICE_NOTE_CUT, false);
    p = estimated(tariff, h);
    assert_amounts(&p, "7.00", NULL); /* 5 kWh and 15 kWh */
    assert_noted(&p, PRICE_NOTE_CUT, true);
    /* A cut that changes nothing is none. */
    p = estimated(tariff, STEPS("2026-05-04T08:00:00Z", {60, 'c', 20000}));
    assert_noted(&p, PRICE_NOTE_CUT, false);
}

/* R-TAR-04: pieces add up to the whole, and a split without a change of price changes nothing */
static void pieces_add_up(void **state)
{
    const char *tariff = TARIFF(
        WHEN("'max_kwh':3.333333",
             PLAIN("ENERGY", "0.25", "1") "," PLAIN(
                 "TIME", "1", "1")) "," WHEN("'max_duration':1733",
                                             PLAIN("ENERGY", "0.25", "1") "," PLAIN(
                                                 "TIME", "1",
                                                 "1")) "," ALWAYS(PLAIN("ENERGY", "0.25",
                                                                        "1") "," PLAIN("TIME", "1",
                                                                                       "1")));
    struct price one =
        estimated(TARIFF(ALWAYS(PLAIN("ENERGY", "0.25", "1") "," PLAIN("TIME", "1", "1"))),
                  STEPS(MONDAY, {59, 'c', 17777}));
    struct price many = estimated(tariff, STEPS(MONDAY, {59, 'c', 17777}));

    (void)state;
    assert_int_equal(many.line_count, 6);
    assert_int_equal(one.excl, many.excl);
    assert_billed(&many, PRICE_ENERGY, 17777000, 17777000);
    assert_billed(&many, PRICE_CHARGING, 3540, 3540);
    /* The first tier is used up to its end, not to the next second. */
    assert_int_equal(many.lines[0].used, 3333333);
}

/* R-TAR-05 */
static void a_tariff_is_chosen_by_validity_and_type(void **state)
{
    struct price_tariff t[5];

    (void)state;
    for (size_t i = 0; i < 5; i++)
        t[i] = tariff_of(TARIFF(ALWAYS(PLAIN("FLAT", "1", "1"))));
    t[0].type = OCPI_TARIFF_REGULAR;
    t[0].end_us = at("2026-05-04T08:00:00Z");
    t[1].type = OCPI_TARIFF_PROFILE_GREEN;
    t[2].last_updated += 1;
    t[3].type = OCPI_TARIFF_REGULAR;
    t[3].start_us = at("2026-05-04T08:00:00Z");
    assert_ptr_equal(price_choose(t, 5, at(MONDAY), OCPI_TARIFF_NONE), &t[3]);
    assert_ptr_equal(price_choose(t, 5, at(MONDAY) - 1, OCPI_TARIFF_REGULAR), &t[0]);
    assert_ptr_equal(price_choose(t, 5, at(MONDAY), OCPI_TARIFF_PROFILE_GREEN), &t[1]);
    /* Nothing is said for this one: what fits all, the newest. */
    assert_ptr_equal(price_choose(t, 5, at(MONDAY), OCPI_TARIFF_AD_HOC_PAYMENT), &t[2]);
    assert_null(price_choose(&t[1], 1, at(MONDAY), OCPI_TARIFF_REGULAR));
    assert_null(price_choose(t, 1, at(MONDAY), OCPI_TARIFF_REGULAR));
}

/* R-TAR-06 */
static void validity_is_in_utc_and_restrictions_are_local(void **state)
{
    struct price_tariff t =
        tariff_of(TARIFF(WHEN("'start_date':'2026-05-05','start_time':'00:00','end_time':'06:00'",
                              PLAIN("FLAT", "3", "1")) "," ALWAYS(PLAIN("FLAT", "1", "1"))));
    struct price_history h = STEPS("2026-05-04T22:00:00Z", {10, 'c', 100}); /* 00:00 there */
    struct price p;

    (void)state;
    t.start_us = at("2026-05-04T22:00:00Z");
    p = reckoned(&t, 1, &h);
    assert_amounts(&p, "3.00", NULL);
    assert_noted(&p, PRICE_NOTE_NOT_VALID, false);
    h = STEPS("2026-05-04T21:59:00Z", {10, 'c', 100});
    p = reckoned(&t, 1, &h);
    assert_amounts(&p, "1.00", NULL);
    assert_noted(&p, PRICE_NOTE_NOT_VALID, true);
}

/* The price of a minute of parking that begins then. */
static const char *at_that_time(const char *restrictions, const char *utc)
{
    struct price p =
        priced(arena_printf(arena, TARIFF(WHEN("%s", PLAIN("FLAT", "1", "1"))), restrictions),
               STEPS(utc, {1, 'p'}));

    return amount_text(p.excl);
}
#define assert_applies(restrictions, utc)                                                          \
    assert_string_equal(at_that_time(restrictions, utc), "1.00")
#define assert_applies_not(restrictions, utc)                                                      \
    assert_string_equal(at_that_time(restrictions, utc), "0.00")

/* R-TAR-06: start inclusive, end exclusive; over midnight; 00:00 as end of the day */
static void local_windows_have_these_edges(void **state)
{
    const char *day = "'start_time':'09:00','end_time':'18:00'";
    const char *night = "'start_time':'22:00','end_time':'06:00'";
    const char *late = "'start_time':'22:00','end_time':'00:00'";
    const char *dates = "'start_date':'2026-05-04','end_date':'2026-05-05'";

    (void)state;
    assert_applies_not(day, "2026-05-04T06:59:59Z");
    assert_applies(day, "2026-05-04T07:00:00Z");
    assert_applies(day, "2026-05-04T15:59:59Z");
    assert_applies_not(day, "2026-05-04T16:00:00Z");
    assert_applies(night, "2026-05-04T20:00:00Z");
    assert_applies(night, "2026-05-05T03:59:59Z");
    assert_applies_not(night, "2026-05-05T04:00:00Z");
    assert_applies(late, "2026-05-04T21:59:59Z");
    assert_applies_not(late, "2026-05-04T22:00:00Z");
    assert_applies("'start_time':'07:00','end_time':'07:00'", "2026-05-04T22:00:00Z");
    assert_applies("'start_time':'09:00'", "2026-05-04T21:59:59Z");
    assert_applies_not("'start_time':'09:00'", "2026-05-04T22:00:00Z");
    assert_applies_not(dates, "2026-05-03T21:59:59Z");
    assert_applies(dates, "2026-05-03T22:00:00Z");
    assert_applies(dates, "2026-05-04T21:59:59Z");
    assert_applies_not(dates, "2026-05-04T22:00:00Z");
    assert_applies("'day_of_week':['TUESDAY']", "2026-05-04T22:00:00Z");
    assert_applies_not("'day_of_week':['MONDAY']", "2026-05-04T22:00:00Z");
    assert_applies("'day_of_week':['SUNDAY']", "2026-05-03T21:59:59Z");
}

/* R-TAR-07 */
static void a_skipped_hour_costs_nothing_and_a_repeated_one_counts_twice(void **state)
{
    const char *at_two =
        TARIFF(WHEN("'start_time':'02:00','end_time':'03:00'", PLAIN("TIME", "1.00", "1")));
    struct price p = estimated(at_two, STEPS("2026-03-28T22:00:00Z", {480, 'c', 100}));

    (void)state;
    assert_amounts(&p, "0.00", NULL);
    p = estimated(at_two, STEPS("2026-10-24T22:00:00Z", {480, 'c', 100}));
    assert_amounts(&p, "2.00", NULL);
    p = estimated(at_two, STEPS("2026-05-04T22:00:00Z", {480, 'c', 100}));
    assert_amounts(&p, "1.00", NULL);
}

/* R-TAR-07 */
static void without_a_time_zone_the_price_is_uncertain(void **state)
{
    struct price_tariff local = tariff_of(TARIFF(WHEN(AFTER_17, PLAIN("FLAT", "1.00", "1"))));
    struct price_tariff plain = tariff_of(TARIFF(ALWAYS(PLAIN("FLAT", "1.00", "1"))));
    struct price_history h = STEPS("2026-05-04T15:30:00Z", {10, 'c', 100}); /* 17:30 there */
    struct price p;

    (void)state;
    assert_false(failed(price_reckon(&local, 1, &h, NULL, arena, &p)));
    assert_amounts(&p, "0.00", NULL); /* 15:30 in UTC */
    assert_noted(&p, PRICE_NOTE_NO_TIME_ZONE, true);
    assert_false(failed(price_reckon(&plain, 1, &h, NULL, arena, &p)));
    assert_noted(&p, PRICE_NOTE_NO_TIME_ZONE, false);
    p = reckoned(&local, 1, &h);
    assert_amounts(&p, "1.00", NULL);
    assert_noted(&p, PRICE_NOTE_NO_TIME_ZONE, false);
}

/* R-TAR-08 */
static void reservation_elements_price_reservations_only(void **state)
{
    const char *tariff = TARIFF(WHEN(
        RESERVED, PLAIN("TIME", "4.00", "1") "," PLAIN("ENERGY", "9.00", "1") "," PLAIN(
                      "PARKING_TIME", "9.00",
                      "1")) "," ALWAYS(PLAIN("TIME", "1.00", "1") "," PLAIN("FLAT", "0.50", "1")));
    struct price p = priced(tariff, STEPS(MONDAY, {30, 'r'}, {60, 'c', 20000}, {60, 'p'}));
    struct price_history h = STEPS(MONDAY, {30, 'r'});

    (void)state;
    assert_amounts(&p, "3.50", NULL); /* 2.00 + 0.50 + 1.00 */
    h.expired = true;
    p = priced(tariff, h);
    assert_amounts(&p, "2.00", NULL); /* nor does the session's fee price the reservation */
    /* Durations count from the start of charging, not of the reservation. */
    p = priced(TARIFF(WHEN("'max_duration':60", PLAIN("FLAT", "1.00", "1"))),
               STEPS(MONDAY, {30, 'r'}, {60, 'c', 20000}));
    assert_amounts(&p, "1.00", NULL);
}

/* R-TAR-09 */
static void an_expired_reservation_replaces_the_time_and_adds_the_fee(void **state)
{
    const char *tariff =
        TARIFF(WHEN(RESERVED, PLAIN("FLAT", "1.00", "1") "," PLAIN("TIME", "3.00", "1")) "," WHEN(
            EXPIRES, PLAIN("FLAT", "4.00", "1") "," PLAIN("TIME", "6.00", "1")));
    struct price_history h = STEPS(MONDAY, {30, 'r'}, {30, 'r'});
    struct price p = priced(tariff, h);

    (void)state;
    assert_amounts(&p, "4.00", NULL); /* not over yet: 1.00 + 3.00 */
    h.expired = true;
    p = priced(tariff, h);
    assert_amounts(&p, "11.00", NULL); /* 1.00 + 4.00 + 6.00 */
}

/* R-TAR-10 */
static void a_free_tariff_is_free_and_a_step_of_zero_is_one(void **state)
{
    struct price p = priced(TARIFF(ALWAYS(PLAIN("FLAT", "0.00", "0"))), HOUR_OF_20_KWH);
    struct price_period half = {.start_us = at(MONDAY),
                                .end_us = at(MONDAY) + 60 * US_PER_SECOND,
                                .energy = 1500,
                                .charging_s = 60,
                                .power = NUMBER_NONE,
                                .current = NUMBER_NONE};

    (void)state;
    assert_amounts(&p, "0.00", "0.00");
    p = priced(TARIFF(ALWAYS(PLAIN("ENERGY", "1.00", "0") "," PLAIN("TIME", "1.00", "0"))),
               (struct price_history){.periods = {&half, 1}});
    assert_billed(&p, PRICE_ENERGY, 1500, 2000);
    assert_billed(&p, PRICE_CHARGING, 60, 60);
}

/* R-TAR-11 */
static void a_fee_is_charged_once_when_it_first_becomes_active(void **state)
{
    const char *tariff = TARIFF(
        WHEN(BEFORE_17, PLAIN("FLAT", "1.00", "1")) "," WHEN(AFTER_17, PLAIN("FLAT", "3.00", "1")));
    struct price p =
        priced(tariff, STEPS("2026-05-04T14:30:00Z", {30, 'c', 900}, {30, 'c', 900}, {30, 'p'}));

    (void)state;
    assert_amounts(&p, "1.00", NULL);
    p = priced(TARIFF(WHEN("'min_duration':1800", PLAIN("FLAT", "2.00", "1"))),
               STEPS(MONDAY, {30, 'c', 900}, {30, 'c', 900}, {30, 'c', 900}));
    assert_amounts(&p, "2.00", NULL);
    p = priced(TARIFF(WHEN(RESERVED, PLAIN("FLAT", "2.00", "1"))),
               STEPS(MONDAY, {10, 'r'}, {10, 'r'}, {30, 'c', 900}));
    assert_amounts(&p, "2.00", NULL);
}

/* R-TAR-12 */
static void limits_of_one_total_leave_the_other(void **state)
{
    struct price p = priced(
        TARIFF_WITH("'max_price':{'excl_vat':2.00},", ALWAYS(VAT("ENERGY", "0.25", "20", "1"))),
        HOUR_OF_20_KWH);

    (void)state;
    assert_amounts(&p, "2.00", "6.00");
    p = priced(TARIFF_WITH("'tax_included':'NO','min_price':{'before_taxes':7,'after_taxes':5},",
                           ALWAYS(VAT("ENERGY", "0.25", "20", "1"))),
               HOUR_OF_20_KWH);
    assert_amounts(&p, "7.00", "6.00");
    p = priced(TARIFF_WITH("'min_price':{'excl_vat':7},'max_price':{'excl_vat':6},",
                           ALWAYS(PLAIN("ENERGY", "0.25", "1"))),
               HOUR_OF_20_KWH);
    assert_amounts(&p, "6.00", NULL);
}

/* R-TAR-13: half away from zero, once */
static void an_amount_is_rounded_once_at_the_end(void **state)
{
    struct price p;

    (void)state;
    /* 3 times 0.0000005 are 0.0000015, not three times 0.000001. */
    p = priced(TARIFF(WHEN("'max_kwh':0.000001", PLAIN("ENERGY", "0.0005", "1")) "," WHEN(
                   "'max_kwh':0.002",
                   PLAIN("ENERGY", "0.0005", "1")) "," ALWAYS(PLAIN("ENERGY", "0.0005", "1"))),
               STEPS(MONDAY, {1, 'c', 1}, {1, 'c', 1}, {1, 'c', 1}));
    assert_int_equal(p.line_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(p.lines[i].excl, 1);
    assert_int_equal(p.excl, 2);
    p = priced(TARIFF(ALWAYS(PLAIN("TIME", "1.00", "1"))), STEPS(MONDAY, {20, 'c', 1}));
    assert_int_equal(p.excl, 333333);
    p = priced(TARIFF(ALWAYS(PLAIN("TIME", "2.00", "1"))), STEPS(MONDAY, {20, 'c', 1}));
    assert_int_equal(p.excl, 666667);
}

/* R-TAR-14 */
static void the_text_of_a_tariff_changes_no_amount(void **state)
{
    const char *with = TARIFF_WITH("'tariff_alt_text':[{'language':'en','text':'9.99 per kWh'}],",
                                   ALWAYS(PLAIN("ENERGY", "0.25", "1")));
    struct price_tariff t = tariff_of(with);
    struct price p = priced(with, HOUR_OF_20_KWH);

    (void)state;
    assert_amounts(&p, "5.00", "5.00");
    assert_int_equal(t.alt_text.count, 1);
    assert_string_equal(t.alt_text.at[0].text, "9.99 per kWh");
}

/* R-TAR-17 */
static void tax_included_says_what_a_price_is(void **state)
{
    struct price p =
        priced(TARIFF_230("NO", ALWAYS(VAT("ENERGY", "0.50", "25", "1"))), HOUR_OF_20_KWH);

    (void)state;
    assert_amounts(&p, "10.00", "12.50");
    p = priced(TARIFF_230("YES", ALWAYS(VAT("ENERGY", "0.50", "25", "1"))), HOUR_OF_20_KWH);
    assert_amounts(&p, "8.00", "10.00");
    p = priced(TARIFF_230("N/A", ALWAYS(PLAIN("ENERGY", "0.50", "1"))), HOUR_OF_20_KWH);
    assert_amounts(&p, "10.00", "10.00");
    /* R-AMB-17 */
    p = priced(TARIFF_230("N/A", ALWAYS(VAT("ENERGY", "0.50", "25", "1"))), HOUR_OF_20_KWH);
    assert_amounts(&p, "10.00", "10.00");
    assert_noted(&p, PRICE_NOTE_VAT_IGNORED, true);
    /* One price of an unknown rate, and the net total is unknown, too. */
    p = priced(
        TARIFF_230("YES", ALWAYS(VAT("ENERGY", "0.50", "25", "1") "," PLAIN("FLAT", "1", "1"))),
        HOUR_OF_20_KWH);
    assert_amounts(&p, "-", "11.00");
    /* Sales taxes come on top, and no component tells them. */
    p = priced(TARIFF_230("NO", ALWAYS(PLAIN("TIME", "2.00", "1"))), HOUR_OF_20_KWH);
    assert_amounts(&p, "2.00", "-");
}

/* R-TAR-18 */
static void no_vat_is_not_a_vat_of_zero(void **state)
{
    struct price p =
        priced(TARIFF(ALWAYS(VAT("ENERGY", "0.50", "0.0", "1") "," PLAIN("FLAT", "1", "1"))),
               HOUR_OF_20_KWH);

    (void)state;
    assert_amounts(&p, "11.00", "11.00");
    assert_int_equal(p.lines[0].vat, NUMBER_NONE);
    assert_int_equal(p.lines[1].vat, 0);
    /* In a tariff that includes its taxes the difference is one of money. */
    p = priced(TARIFF_230("YES", ALWAYS(VAT("ENERGY", "0.50", "0.0", "1"))), HOUR_OF_20_KWH);
    assert_amounts(&p, "10.00", "10.00");
    p = priced(TARIFF_230("YES", ALWAYS(PLAIN("ENERGY", "0.50", "1"))), HOUR_OF_20_KWH);
    assert_amounts(&p, "-", "10.00");
}

/* R-TAR-20, R-TAR-22 */
static void steps_round_once_per_session_and_not_between_elements(void **state)
{
    const char *tariff = TARIFF(
        WHEN(BEFORE_17, PLAIN("ENERGY", "0.10", "1000") "," PLAIN("TIME", "1.00", "3600")) "," WHEN(
            AFTER_17, PLAIN("ENERGY", "0.20", "1000") "," PLAIN("TIME", "1.00", "3600") "," PLAIN(
                          "PARKING_TIME", "2.00", "600")));
    struct price p =
        priced(tariff, STEPS("2026-05-04T14:55:00Z", {5, 'c', 1300}, {10, 'c', 1300}, {3, 'p'}));

    (void)state;
    assert_billed(&p, PRICE_ENERGY, 2600000, 3000000);
    assert_billed(&p, PRICE_CHARGING, 900, 900);
    assert_billed(&p, PRICE_PARKING, 180, 600);
    assert_int_equal(p.totals[PRICE_ENERGY].excl, 470000); /* 1.3 * 0.10 + 1.7 * 0.20 */
}

/* R-TAR-21, R-TAR-22: the step of the last component, over two tariffs */
static void the_last_components_step_and_price_count(void **state)
{
    struct price_tariff t[] = {tariff_of(TARIFF(ALWAYS(PLAIN("ENERGY", "0.10", "5000")))),
                               tariff_of(TARIFF(ALWAYS(PLAIN("ENERGY", "0.40", "500"))))};
    struct price_history h =
        STEPS(MONDAY, {30, 'c', 2600}, {30, 'c', 1600, 0, 0, 1}, {10, 'c', 0, 0, 0, 0});
    struct price p = reckoned(t, 2, &h);

    (void)state;
    /* 4.2 kWh are 4.5; the last period used none and says nothing. */
    assert_billed(&p, PRICE_ENERGY, 4200000, 4500000);
    assert_amounts(&p, "1.02", NULL); /* 0.26 + 1.9 * 0.40 */
    assert_int_equal(p.lines[1].tariff, 1);
    assert_int_equal(p.lines[0].billed, 2600000);
}

/* R-TAR-23 */
static void an_unpriced_end_leaves_the_step_to_the_last_priced_period(void **state)
{
    struct price p = priced(TARIFF(ALWAYS(PLAIN("TIME", "1.20", "900"))),
                            STEPS(MONDAY, {20, 'c', 900}, {40, 'p'}));

    (void)state;
    assert_billed(&p, PRICE_CHARGING, 1200, 1800);
    assert_amounts(&p, "0.60", NULL);
}

/* R-TAR-24 */
static void charging_after_parking_rounds_the_charging(void **state)
{
    struct price p = priced(
        TARIFF(ALWAYS(PLAIN("TIME", "1.00", "600") "," PLAIN(
            "PARKING_TIME", "2.00", "600")) "," WHEN(RESERVED, PLAIN("TIME", "3.00", "600"))),
        STEPS(MONDAY, {7, 'r'}, {21, 'c', 900}, {16, 'p'}, {2, 'c', 100}));

    (void)state;
    assert_billed(&p, PRICE_CHARGING, 1380, 1800);
    assert_billed(&p, PRICE_PARKING, 960, 960);
    assert_billed(&p, PRICE_RESERVATION, 420, 600);
}

/* R-TAR-26 */
static void an_exact_multiple_stays(void **state)
{
    struct price p =
        priced(TARIFF(ALWAYS(PLAIN("TIME", "1.00", "600") "," PLAIN("ENERGY", "1.00", "500"))),
               STEPS(MONDAY, {60, 'c', 5500}));

    (void)state;
    assert_billed(&p, PRICE_CHARGING, 3600, 3600);
    assert_billed(&p, PRICE_ENERGY, 5500000, 5500000);
}

/* ---- records ---- */

static struct price_record record_of(json_t *json)
{
    struct price_record r;
    struct err e = price_record_read(OCPI_VERSION_NONE, json, arena, &r);

    if (failed(e))
        fail_msg("not read: %s", err_text(e));
    return r;
}

static json_t *cdr_with(const char *member, const char *value)
{
    json_t *json = changed(example("CDR"), "credit", NULL);

    json_object_del(json, "credit_reference_id");
    if (member)
        json_object_set(json, member, json_of(value));
    return json;
}

static struct price_history history_of_record(const struct price_record *r)
{
    struct price_history h;

    assert_false(failed(price_history_of(r, r->tariffs.at, r->tariffs.count, arena, &h)));
    return h;
}

#define PERIOD(start, dimensions)                                                                  \
    "{'start_date_time':'2026-03-30T" start "Z','dimensions':[" dimensions "]}"
#define DIM(type, volume) "{'type':'" type "','volume':" volume "}"

/* R-CDR-11 */
static void a_period_lasts_until_the_next_one_starts(void **state)
{
    /* 08:00:00 to 09:12:30.250 */
    struct price_record r = record_of(cdr_with(
        "charging_periods", "[" PERIOD("08:30:00", DIM("PARKING_TIME", "0.7083")) "," PERIOD(
                                "08:00:00", DIM("ENERGY", "3")) "]"));
    struct price_history h = history_of_record(&r);

    (void)state;
    assert_int_equal(h.periods.count, 2);
    assert_int_equal(h.periods.at[0].start_us, at("2026-03-30T08:00:00Z"));
    assert_int_equal(h.periods.at[0].end_us, at("2026-03-30T08:30:00Z"));
    assert_int_equal(h.periods.at[1].end_us, at("2026-03-30T09:12:30.250Z"));
    /* 0.7083 h are 2549.88 s; the clock says 2550. */
    assert_int_equal(h.periods.at[1].parking_s, 2550);
    /* A period that does not say what its time is counts as charging. */
    assert_int_equal(h.periods.at[0].charging_s, 1800);
    assert_true(h.periods.at[0].assumed_charging);
    assert_false(h.cut);
    r = record_of(cdr_with("charging_periods", "[" PERIOD("08:00:00", DIM("ENERGY", "3")) "]"));
    assert_int_equal(price_record_check(&r) >> PRICE_NOTE_PERIODS_OUTSIDE & 1, 0);
    r.periods.at = (struct ocpi_charging_period[]){
        {.start_date_time = at("2026-03-30T09:12:31Z"), .dimensions = r.periods.at->dimensions}};
    assert_int_equal(price_record_check(&r) >> PRICE_NOTE_PERIODS_OUTSIDE & 1, 1);
}

static unsigned notes_of_times(const char *total, const char *parking)
{
    json_t *json =
        cdr_with("charging_periods", "[" PERIOD("08:00:00", DIM("TIME", "1.0000")) "," PERIOD(
                                         "09:00:00", DIM("PARKING_TIME", "0.2083")) "]");

    json_object_set(json, "total_time", json_object_get(document(total), "v"));
    json_object_del(json, "total_parking_time");
    if (parking)
        json_object_set(json, "total_parking_time", json_object_get(document(parking), "v"));
    struct price_record r = record_of(json);
    return price_record_check(&r) >> PRICE_NOTE_TIME_DIFFERS & 1;
}

/* R-CDR-12 */
static void total_time_includes_the_parking(void **state)
{
    (void)state;
    assert_int_equal(notes_of_times(V("1.2083"), V("0.2083")), 0);
    assert_int_equal(notes_of_times(V("1.0000"), V("0.2083")), 1);
    assert_int_equal(notes_of_times(V("1.2083"), V("0.3000")), 1);
    /* Where it does not say how much of it was parking, the periods do. */
    assert_int_equal(notes_of_times(V("1.2083"), NULL), 0);
    assert_int_equal(notes_of_times(V("1.0000"), NULL), 1);
}

static unsigned notes_of_parts(const char *total, const char *energy, bool limited)
{
    json_t *json = cdr_with("total_cost", total);

    for (size_t i = 0; i < 4; i++)
        json_object_del(json,
                        (const char *const[]){"total_fixed_cost", "total_time_cost",
                                              "total_parking_cost", "total_reservation_cost"}[i]);
    json_object_set(json, "total_energy_cost", json_of(energy));
    json_object_set(json, "total_fixed_cost", json_of("{'excl_vat':1.00}"));
    if (!limited)
        json_object_del(json, "tariffs");
    struct price_record r = record_of(json);
    return price_record_check(&r) >> PRICE_NOTE_PARTS_DIFFER & 1;
}

/* R-CDR-13 */
static void sub_totals_add_up_to_the_total(void **state)
{
    (void)state;
    assert_int_equal(notes_of_parts("{'excl_vat':5.30}", "{'excl_vat':4.30}", false), 0);
    assert_int_equal(notes_of_parts("{'excl_vat':5.30}", "{'excl_vat':4.29}", false), 0);
    assert_int_equal(notes_of_parts("{'excl_vat':5.30}", "{'excl_vat':4.28}", false), 1);
    /* The tariff of the example has a maximum price, which cuts the total alone. */
    assert_int_equal(notes_of_parts("{'excl_vat':5.30}", "{'excl_vat':9.28}", true), 0);
}

/* R-SESS-06 */
static void a_session_without_a_cost_is_not_free(void **state)
{
    struct price_record r = record_of(example("Session"));

    (void)state;
    assert_int_equal(r.cost_excl, 4290000);
    r = record_of(changed(example("Session"), "total_cost", NULL));
    assert_int_equal(r.cost_excl, NUMBER_NONE);
    assert_int_equal(r.cost_incl, NUMBER_NONE);
    r = record_of(example_with("Session", "total_cost", V("{\"excl_vat\":0.00}")));
    assert_int_equal(r.cost_excl, 0);
    assert_int_equal(r.cost_incl, NUMBER_NONE);
}

/* R-SESS-11 */
static void watt_hours_are_noticed_and_not_corrected(void **state)
{
    struct price_record r = record_of(
        changed(example("Session"), "charging_periods",
                json_incref(json_of("[" PERIOD("08:00:00", DIM("ENERGY", "15200")) "]"))));
    struct price_history h = history_of_record(&r);

    (void)state;
    assert_int_equal(r.kwh, 15200000);
    assert_int_equal(price_record_check(&r) >> PRICE_NOTE_WATT_HOURS & 1, 1);
    assert_int_equal(h.periods.at[0].energy, INT64_C(15200000000));
    r = record_of(example("Session"));
    assert_int_equal(price_record_check(&r) >> PRICE_NOTE_WATT_HOURS & 1, 0);
}

static void records_of_all_versions_read_alike(void **state)
{
    struct price_record r = record_of(document_of_file("tests/ocpi/examples/2.1.1/CDR.json"));

    (void)state;
    assert_true(r.cdr && r.over);
    assert_int_equal(r.cost_excl, 2190000);
    assert_int_equal(r.cost_incl, NUMBER_NONE);
    assert_int_equal(r.tariffs.at[0].taxes, PRICE_TAXES_UNKNOWN);
    assert_int_equal(r.periods.at[0].dimensions.at[1].type, OCPI_DIMENSION_PARKING_TIME);
    r = record_of(document_of_file("tests/ocpi/examples/2.3.0/CDR.json"));
    assert_int_equal(r.cost_excl, -4290000);
    assert_int_equal(r.cost_incl, -5319600);
    assert_true(r.credit);
    r = record_of(document_of_file("tests/ocpi/examples/2.1.1/Session.json"));
    assert_false(r.cdr);
    r = record_of(document_of_file("tests/ocpi/examples/2.3.0/Session.json"));
    assert_false(r.cdr);
    assert_int_equal(r.kwh, 15200000);
}

/* R-TAR-09: who has reserved and never charged has let it expire, once the session is over */
static void an_expired_reservation_is_recognised(void **state)
{
    struct price_record r = record_of(cdr_with(
        "charging_periods", "[" PERIOD("08:00:00", DIM("RESERVATION_TIME", "1.2083")) "]"));
    struct price_history h = history_of_record(&r);

    (void)state;
    assert_true(h.expired);
    assert_int_equal(h.periods.at[0].reservation_s, 4350);
    assert_int_equal(h.periods.at[0].charging_s, 0);
    r.over = false;
    assert_false(history_of_record(&r).expired);
    r = record_of(cdr_with("charging_periods",
                           "[" PERIOD("08:00:00", DIM("RESERVATION_TIME", "0.5")) "," PERIOD(
                               "08:30:00", DIM("ENERGY", "1")) "]"));
    assert_false(history_of_record(&r).expired);
}

static void a_deviation_has_a_class(void **state)
{
    (void)state;
    assert_int_equal(price_compare(12280000, 12375000), PRICE_CLOSE);
    assert_int_equal(price_compare(12370000, 12375000), PRICE_SAME);
    assert_int_equal(price_compare(13000000, 12375000), PRICE_DISPUTE);
    assert_int_equal(price_compare(200100000, 200000000), PRICE_SAME); /* 0.05 % */
    assert_int_equal(price_compare(1000000, 900000), PRICE_DISPUTE);   /* little, but 11 % */
    assert_int_equal(price_compare(INT64_MAX, -INT64_MAX), PRICE_DISPUTE);
}

/* ---- hostile input ---- */

static void what_cannot_be_reckoned_is_an_error(void **state)
{
    struct price_tariff t =
        tariff_of(TARIFF(ALWAYS(VAT("ENERGY", "999999999999", "999999999999", "1"))));
    struct price_history h = HOUR_OF_20_KWH, none = {0};
    struct price_tariff two[] = {t, t};
    struct price p;

    (void)state;
    ((struct price_period *)(uintptr_t)h.periods.at)->energy = INT64_C(999999999999000000);
    assert_int_equal(price_reckon(&t, 1, &h, NULL, arena, &p).kind, ERR_BAD_FIELD);
    assert_int_equal(price_reckon(&t, 1, &none, NULL, arena, &p).kind, ERR_BAD_FIELD);
    assert_int_equal(price_reckon(&t, 0, &h, NULL, arena, &p).kind, ERR_BAD_FIELD);
    two[1].currency = "SEK";
    h = HOUR_OF_20_KWH;
    assert_int_equal(price_reckon(two, 2, &h, NULL, arena, &p).kind, ERR_BAD_FIELD);
}

/* 10 000 elements, each with edges of its own, and a session of a hundred years. */
static void a_hostile_tariff_is_given_up(void **state)
{
    enum { ELEMENTS = 10000 };
    struct ocpi_tariff_element *elements = arena_alloc(arena, ELEMENTS * sizeof *elements);
    struct ocpi_price_component component = {OCPI_PRICED_TIME, 1000000, NUMBER_NONE, 7};
    struct price_tariff t = tariff_of(TARIFF(ALWAYS(PLAIN("TIME", "1", "1"))));
    struct price_history h = STEPS(MONDAY, {100 * 365 * 1440, 'c', 1000000});
    struct price p;

    (void)state;
    for (size_t i = 0; i < ELEMENTS; i++) {
        struct ocpi_tariff_restrictions *r = arena_alloc(arena, sizeof *r);
        object_blank(&ocpi_tariff_restrictions_type, r);
        r->start_time = arena_printf(arena, "%02zu:%02zu", i / 60 % 24, i % 60);
        r->end_time = "23:59";
        r->max_kwh = (int64_t)i;
        r->max_duration = (int64_t)i;
        elements[i] = (struct ocpi_tariff_element){{&component, 1}, r};
    }
    t.elements.at = elements;
    t.elements.count = ELEMENTS;
    h.cut = true;
    struct err e = price_reckon(&t, 1, &h, zone_of_rule(arena, RULE_OF_BERLIN), arena, &p);
    assert_int_equal(e.kind, ERR_BAD_FIELD);
}

/* A document of so many elements, the last of which has so many components more. */
static enum err_kind read_of(size_t elements, size_t more)
{
    json_t *document = json_of(TARIFF(ALWAYS(PLAIN("ENERGY", "1", "1"))));
    json_t *list = json_object_get(document, "elements");
    const json_t *first = json_array_get(list, 0);
    struct price_tariff t;

    while (json_array_size(list) < elements)
        json_array_append_new(list, json_deep_copy(first));
    json_t *components = json_object_get(json_array_get(list, elements - 1), "price_components");
    for (size_t i = 0; i < more; i++)
        json_array_append_new(components, json_deep_copy(json_array_get(components, 0)));
    return price_tariff_read(OCPI_2_2_1, document, arena, &t).kind;
}

static void only_so_large_a_tariff_is_reckoned_with(void **state)
{
    (void)state;
    assert_int_equal(read_of(500, 0), ERR_NONE);
    assert_int_equal(read_of(501, 0), ERR_TOO_LARGE);
    assert_int_equal(read_of(100, 1900), ERR_NONE);
    assert_int_equal(read_of(100, 1901), ERR_TOO_LARGE);
}

/* Two reckonings of one budget: what the first one spends is not there for the second. */
static void work_may_be_counted_down(void **state)
{
    struct price_tariff t = tariff_of(TARIFF(ALWAYS(PLAIN("TIME", "1", "1"))));
    struct price_history h = STEPS(MONDAY, {60, 'c', 1000}, {60, 'c', 1000});
    int64_t work = 6000, before = work;
    struct price p;

    (void)state;
    h.work = &work;
    assert_false(failed(price_reckon(&t, 1, &h, NULL, arena, &p)));
    assert_true(work > 0 && work <= before - 4000);
    assert_int_equal(price_reckon(&t, 1, &h, NULL, arena, &p).kind, ERR_BAD_FIELD);
    assert_int_equal(work, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(each_dimension_takes_the_first_element_that_matches),
        OCPI_TEST(restrictions_are_joined_by_and),
        OCPI_TEST(what_no_element_prices_costs_nothing),
        OCPI_TEST(tariffs_of_211_follow_the_same_rules),
        OCPI_TEST(restrictions_switch_at_the_moment),
        OCPI_TEST(estimates_are_cut_where_the_price_changes_and_cdrs_are_not),
        OCPI_TEST(pieces_add_up),
        OCPI_TEST(a_tariff_is_chosen_by_validity_and_type),
        OCPI_TEST(validity_is_in_utc_and_restrictions_are_local),
        OCPI_TEST(local_windows_have_these_edges),
        OCPI_TEST(a_skipped_hour_costs_nothing_and_a_repeated_one_counts_twice),
        OCPI_TEST(without_a_time_zone_the_price_is_uncertain),
        OCPI_TEST(reservation_elements_price_reservations_only),
        OCPI_TEST(an_expired_reservation_replaces_the_time_and_adds_the_fee),
        OCPI_TEST(a_free_tariff_is_free_and_a_step_of_zero_is_one),
        OCPI_TEST(a_fee_is_charged_once_when_it_first_becomes_active),
        OCPI_TEST(limits_of_one_total_leave_the_other),
        OCPI_TEST(an_amount_is_rounded_once_at_the_end),
        OCPI_TEST(the_text_of_a_tariff_changes_no_amount),
        OCPI_TEST(tax_included_says_what_a_price_is),
        OCPI_TEST(no_vat_is_not_a_vat_of_zero),
        OCPI_TEST(steps_round_once_per_session_and_not_between_elements),
        OCPI_TEST(the_last_components_step_and_price_count),
        OCPI_TEST(an_unpriced_end_leaves_the_step_to_the_last_priced_period),
        OCPI_TEST(charging_after_parking_rounds_the_charging),
        OCPI_TEST(an_exact_multiple_stays),
        OCPI_TEST(a_period_lasts_until_the_next_one_starts),
        OCPI_TEST(total_time_includes_the_parking),
        OCPI_TEST(sub_totals_add_up_to_the_total),
        OCPI_TEST(a_session_without_a_cost_is_not_free),
        OCPI_TEST(watt_hours_are_noticed_and_not_corrected),
        OCPI_TEST(records_of_all_versions_read_alike),
        OCPI_TEST(an_expired_reservation_is_recognised),
        OCPI_TEST(a_deviation_has_a_class),
        OCPI_TEST(what_cannot_be_reckoned_is_an_error),
        OCPI_TEST(a_hostile_tariff_is_given_up),
        OCPI_TEST(only_so_large_a_tariff_is_reckoned_with),
        OCPI_TEST(work_may_be_counted_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
