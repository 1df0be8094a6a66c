/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pricing: from where durations count, and over what an average power is taken. Found by comparing
 * random sessions with another reckoning.
 */
#include "tests/ocpi/price_check.h"

#define MONDAY "2026-05-04T08:00:00Z"
#define RESERVED "'reservation':'RESERVATION'"
#define HALF_HOUR_FREE                                                                             \
    TARIFF(WHEN("'max_duration':1800",                                                             \
                PLAIN("ENERGY", "0.00", "1")) "," ALWAYS(PLAIN("ENERGY", "0.40", "1")))

/* R-TAR-04: the car took five minutes; the CPO cut its periods half an hour after the start. */
static void durations_count_from_the_start_of_the_session(void **state)
{
    struct price_history h = STEPS("2026-05-04T08:05:00Z", {25, 'c', 5000}, {30, 'c', 5000});
    struct price p = priced(HALF_HOUR_FREE, h);

    (void)state;
    assert_amounts(&p, "0.00", NULL); /* from the first period on, the second is in time as well */
    h.start_us = at(MONDAY);
    p = priced(HALF_HOUR_FREE, h);
    assert_amounts(&p, "2.00", NULL);
}

/* A start that is told as unknown, or after the first period, is none. */
static void an_unknown_start_is_that_of_the_first_period(void **state)
{
    struct price_history h = STEPS(MONDAY, {30, 'c', 5000}, {30, 'c', 5000});

    (void)state;
    for (int i = 0; i < 3; i++) {
        const int64_t starts[] = {TIME_UNKNOWN, TIME_NONE, at("2026-05-04T08:10:00Z")};
        h.start_us = starts[i];
        struct price p = priced(HALF_HOUR_FREE, h);
        assert_amounts(&p, "2.00", NULL);
    }
}

/* R-TAR-08: what was reserved before is not part of the charging. */
static void durations_of_charging_do_not_hold_the_reservation(void **state)
{
    struct price_history h = STEPS(MONDAY, {20, 'r'}, {20, 'c', 5000}, {20, 'c', 5000});
    struct price p = priced(HALF_HOUR_FREE, h);

    (void)state;
    h.start_us = at(MONDAY);
    assert_amounts(&p, "0.00", NULL);
    p = priced(HALF_HOUR_FREE, h);
    assert_amounts(&p, "0.00", NULL);
    p = priced(TARIFF(WHEN(RESERVED ",'min_duration':600", PLAIN("TIME", "6.00", "1"))),
               STEPS(MONDAY, {10, 'r'}, {10, 'r'}, {20, 'c', 5000}));
    assert_amounts(&p, "1.00", NULL);
}

/* A record says when its session started. */
static void the_history_of_a_record_has_its_start(void **state)
{
    const json_t *cdr =
        changed(example("CDR"), "start_date_time", json_string("2026-03-30T07:55:00Z"));
    struct price_record record;
    struct price_history h;

    (void)state;
    assert_false(failed(price_record_read(OCPI_2_2_1, cdr, arena, &record)));
    assert_false(
        failed(price_history_of(&record, record.tariffs.at, record.tariffs.count, arena, &h)));
    assert_int_equal(h.start_us, at("2026-03-30T07:55:00Z"));
    assert_int_equal(h.periods.at[0].start_us, at("2026-03-30T08:00:00Z"));
}

/* Less than a second is a time as well: 0.01 kWh in half a second are 72 kW. */
static void an_average_power_is_taken_over_the_exact_time(void **state)
{
    const char *tariff = TARIFF(WHEN("'min_power':72", PLAIN("ENERGY", "1.00", "1")));
    struct price_period half = {.start_us = at(MONDAY),
                                .end_us = at(MONDAY) + US_PER_SECOND / 2,
                                .energy = 10000,
                                .power = NUMBER_NONE,
                                .current = NUMBER_NONE};
    struct price p = priced(tariff, (struct price_history){.periods = {&half, 1}});

    (void)state;
    assert_amounts(&p, "0.01", NULL);
    half.energy = 9999;
    p = priced(tariff, (struct price_history){.periods = {&half, 1}});
    assert_amounts(&p, "0.00", NULL);
    /* The time that was charged counts, where it is told. */
    half.energy = 10000;
    half.charging_s = 1;
    p = priced(tariff, (struct price_history){.periods = {&half, 1}});
    assert_amounts(&p, "0.00", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(durations_count_from_the_start_of_the_session),
        OCPI_TEST(an_unknown_start_is_that_of_the_first_period),
        OCPI_TEST(durations_of_charging_do_not_hold_the_reservation),
        OCPI_TEST(the_history_of_a_record_has_its_start),
        OCPI_TEST(an_average_power_is_taken_over_the_exact_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
