/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worked examples of pricing, each by its number, as CDRs: from the hours and kilowatt-hours
 * that a network writes to the amounts. What they come to as documents of the hub is in
 * bill_test.c and retail_test.c. And properties that hold whatever the tariff.
 */
#include "tests/ocpi/price_check.h"

#include "base/json.h"

#define E19(price) VAT("ENERGY", price, "19", "1")

/* A CDR of 2.2.1, as documents say it: hours with four decimals. */
struct told {
    const char *start;
    const char *dimensions; /* "'TIME':1.0,'ENERGY':20" */
};

static struct price of_cdr(const char *tariff, const char *end, const struct told *told,
                           size_t count)
{
    struct ocpi_charging_period *periods = arena_alloc(arena, count * sizeof *periods);
    struct price_tariff t = tariff_of(tariff);
    struct price_record r = {
        .cdr = true, .over = true, .start_us = at(told->start), .end_us = at(end)};
    struct price_history h;

    for (size_t i = 0; i < count; i++) {
        json_t *json = json_of(arena_printf(arena, "{%s}", told[i].dimensions)), *volume;
        struct ocpi_cdr_dimension *dimensions = arena_alloc(arena, 10 * sizeof *dimensions);
        const char *type;
        size_t n = 0;
        json_object_foreach(json, type, volume)
        {
            dimensions[n].type = ocpi_dimension_parse(type);
            assert_true(json_number_u6(volume, false, &dimensions[n++].volume));
        }
        periods[i] = (struct ocpi_charging_period){.start_date_time = at(told[i].start),
                                                   .dimensions = {dimensions, n}};
    }
    r.periods.at = periods;
    r.periods.count = count;
    assert_false(failed(price_history_of(&r, &t, 1, arena, &h)));
    return reckoned(&t, 1, &h);
}
#define TOLD(tariff, end, ...)                                                                     \
    of_cdr(tariff, end, (const struct told[]){__VA_ARGS__},                                        \
           sizeof((const struct told[]){__VA_ARGS__}) / sizeof(struct told))

static const char *net4(const struct price *p)
{
    char buffer[DECIMAL_TEXT];

    return arena_text(arena, decimal_print_u6(buffer, p->excl, 4, 4));
}

static void w1_odd_watt_hours(void **state)
{
    struct price p =
        TOLD(TARIFF(ALWAYS(VAT("FLAT", "0.35", "19", "1") "," E19("0.4567"))),
             "2026-05-04T09:00:00Z", {"2026-05-04T08:00:00Z", "'ENERGY':23.4567,'TIME':1"});

    (void)state;
    assert_amounts(&p, "11.062812", "13.164746");
    assert_billed(&p, PRICE_ENERGY, 23456700, 23457000);
    assert_string_equal(net4(&p), "11.0628");
}

static void w2_energy_step_over_a_change_of_price(void **state)
{
    struct price p =
        TOLD(TARIFF(WHEN("'end_time':'17:00'", VAT("ENERGY", "0.20", "19", "500")) "," WHEN(
                 "'start_time':'17:00'", VAT("ENERGY", "0.27", "19", "500"))),
             "2026-05-04T15:30:00Z", {"2026-05-04T14:00:00Z", "'ENERGY':4.3,'TIME':1"},
             {"2026-05-04T15:00:00Z", "'ENERGY':1.1,'TIME':0.5"});

    (void)state;
    assert_amounts(&p, "1.184", "1.40896");
    assert_billed(&p, PRICE_ENERGY, 5400000, 5500000);
    assert_int_equal(p.lines[0].billed, 4300000);
    assert_int_equal(p.lines[1].billed, 1200000);
}

#define WEEKDAYS "'day_of_week':['MONDAY','TUESDAY','WEDNESDAY','THURSDAY','FRIDAY']"
#define COMPLEX_TIME                                                                               \
    ALWAYS(VAT("FLAT", "2.50", "15", "1"))                                                         \
    "," WHEN("'max_current':32.00", VAT("TIME", "1.00", "20", "900")) "," WHEN(                    \
        "'min_current':32.00," WEEKDAYS,                                                           \
        VAT("TIME", "2.00", "20",                                                                  \
            "600")) "," WHEN("'min_current':32.00,'day_of_week':['SATURDAY','SUNDAY']",            \
                             VAT("TIME", "1.25", "20", "600"))
#define COMPLEX_PARKING                                                                            \
    WHEN("'start_time':'09:00','end_time':'18:00'," WEEKDAYS,                                      \
         VAT("PARKING_TIME", "5.00", "10", "300"))                                                 \
    "," WHEN("'start_time':'10:00','end_time':'17:00','day_of_week':['SATURDAY']",                 \
             VAT("PARKING_TIME", "6.00", "10", "300"))
#define COMPLEX TARIFF(COMPLEX_TIME "," COMPLEX_PARKING)

static void w3_complex_tariff_on_a_monday(void **state)
{
    struct price p = TOLD(COMPLEX, "2026-05-04T10:57:00Z",
                          {"2026-05-04T07:30:00Z", "'TIME':2.75,'ENERGY':10,'MAX_CURRENT':16"},
                          {"2026-05-04T10:15:00Z", "'PARKING_TIME':0.7"});

    (void)state;
    assert_amounts(&p, "9.00", "10.30");
    assert_billed(&p, PRICE_CHARGING, 9900, 9900);
    assert_billed(&p, PRICE_PARKING, 2520, 2700);
}

static void w3_complex_tariff_on_a_saturday(void **state)
{
    struct price p = TOLD(COMPLEX, "2026-05-09T14:35:00Z",
                          {"2026-05-09T11:30:00Z", "'TIME':1.9,'ENERGY':30,'MAX_CURRENT':43"},
                          {"2026-05-09T13:24:00Z", "'PARKING_TIME':1.1833"});

    (void)state;
    assert_amounts(&p, "12.375", "13.975");
    assert_billed(&p, PRICE_PARKING, 4260, 4500);
}

static void w4_a_night_with_a_clock_change(void **state)
{
    const char *tariff =
        TARIFF(WHEN("'start_time':'22:00','end_time':'06:00'",
                    VAT("TIME", "1.20", "19", "1")) "," WHEN("'start_time':'06:00','end_time':'22:"
                                                             "00'",
                                                             VAT("TIME", "2.40", "19", "1")));
    struct price p =
        TOLD(tariff, "2026-03-29T04:30:00Z", {"2026-03-28T23:30:00Z", "'TIME':4.5,'ENERGY':9"},
             {"2026-03-29T04:00:00Z", "'TIME':0.5,'ENERGY':1"});

    (void)state;
    assert_amounts(&p, "6.60", "7.854");
    p = TOLD(tariff, "2026-10-25T05:30:00Z", {"2026-10-24T22:30:00Z", "'TIME':6.5,'ENERGY':9"},
             {"2026-10-25T05:00:00Z", "'TIME':0.5,'ENERGY':1"});
    assert_amounts(&p, "9.00", "10.71");
    /* Cut by us, from one period each. */
    p = estimated(tariff, STEPS("2026-03-28T23:30:00Z", {300, 'c', 9000}));
    assert_amounts(&p, "6.60", "7.854");
    p = estimated(tariff, STEPS("2026-10-24T22:30:00Z", {420, 'c', 9000}));
    assert_amounts(&p, "9.00", "10.71");
}

static void w5_energy_tiers(void **state)
{
    struct price p =
        TOLD(TARIFF(WHEN("'max_kwh':10", E19("0.30")) "," WHEN("'min_kwh':10", E19("0.45"))),
             "2026-05-04T09:00:00Z", {"2026-05-04T08:00:00Z", "'TIME':0.5,'ENERGY':10"},
             {"2026-05-04T08:30:00Z", "'TIME':0.5,'ENERGY':7.383"});

    (void)state;
    assert_amounts(&p, "6.32235", "7.523597");
    assert_string_equal(net4(&p), "6.3224");
}

static void w6_power_and_duration(void **state)
{
#define E21(price) VAT("ENERGY", price, "21", "1")
    struct price p = TOLD(TARIFF(WHEN("'max_power':16", E21("0.20")) "," WHEN(
                              "'max_power':32", E21("0.35")) "," ALWAYS(E21("0.50"))),
                          "2026-05-04T09:08:00Z",
                          {"2026-05-04T08:00:00Z", "'TIME':0.1667,'ENERGY':1,'MAX_POWER':6"},
                          {"2026-05-04T08:10:00Z", "'TIME':0.8333,'ENERGY':40,'MAX_POWER':48"},
                          {"2026-05-04T09:00:00Z", "'TIME':0.1333,'ENERGY':0.5,'MAX_POWER':4"});

    (void)state;
    assert_amounts(&p, "20.30", "24.563");
    p = TOLD(TARIFF(WHEN("'max_duration':1800", PLAIN("ENERGY", "0", "1")) "," WHEN(
                 "'max_duration':3600",
                 PLAIN("ENERGY", "0.25", "1")) "," ALWAYS(PLAIN("ENERGY", "0.40", "1"))),
             "2026-05-04T08:40:00Z", {"2026-05-04T08:00:00Z", "'TIME':0.5,'ENERGY':5"},
             {"2026-05-04T08:30:00Z", "'TIME':0.1667,'ENERGY':1.2"});
    assert_amounts(&p, "0.30", "0.30");
}

#define SESSION VAT("FLAT", "0.50", "20", "1") "," VAT("ENERGY", "0.25", "10", "1")

static void w7_limits_with_two_rates(void **state)
{
    const char *tariff = TARIFF_WITH("'max_price':{'excl_vat':10,'incl_vat':11},", ALWAYS(SESSION));
    struct price p =
        TOLD(tariff, "2026-05-04T09:00:00Z", {"2026-05-04T08:00:00Z", "'TIME':1,'ENERGY':50"});

    (void)state;
    assert_amounts(&p, "10.00", "11.00");
    assert_string_equal(amount_text(p.unlimited_excl), "13.00");
    assert_string_equal(amount_text(p.unlimited_incl), "14.35");
    p = TOLD(tariff, "2026-05-04T09:00:00Z", {"2026-05-04T08:00:00Z", "'TIME':1,'ENERGY':30"});
    assert_amounts(&p, "8.00", "8.85");
    p = TOLD(TARIFF_WITH("'min_price':{'excl_vat':0.50,'incl_vat':0.55},",
                         ALWAYS(VAT("ENERGY", "0.25", "10", "1"))),
             "2026-05-04T09:00:00Z", {"2026-05-04T08:00:00Z", "'TIME':1,'ENERGY':1.2"});
    assert_amounts(&p, "0.50", "0.55");
}

static void w8_reservations(void **state)
{
    const char *fee = TARIFF(WHEN(
        "'reservation':'RESERVATION'",
        VAT("FLAT", "2.00", "20", "1") "," VAT("TIME", "5.00", "20", "300")) "," ALWAYS(SESSION));
    const char *expiry =
        TARIFF(WHEN("'reservation':'RESERVATION_EXPIRES'", VAT("FLAT", "4.00", "20", "1")) "," WHEN(
            "'reservation':'RESERVATION'", VAT("TIME", "2.00", "20", "600")) "," ALWAYS(SESSION));
    struct price p =
        TOLD(fee, "2026-05-04T09:13:00Z", {"2026-05-04T08:00:00Z", "'RESERVATION_TIME':0.2167"},
             {"2026-05-04T08:13:00Z", "'TIME':1,'ENERGY':20"});

    (void)state;
    assert_amounts(&p, "8.75", "10.00");
    assert_billed(&p, PRICE_RESERVATION, 780, 900);
    p = TOLD(expiry, "2026-05-04T09:00:00Z", {"2026-05-04T08:00:00Z", "'RESERVATION_TIME':1"});
    assert_amounts(&p, "6.00", "7.20");
    p = TOLD(expiry, "2026-05-04T09:22:00Z", {"2026-05-04T08:00:00Z", "'RESERVATION_TIME':0.3667"},
             {"2026-05-04T08:22:00Z", "'TIME':1,'ENERGY':20"});
    assert_amounts(&p, "6.50", "7.30");
    assert_billed(&p, PRICE_RESERVATION, 1320, 1800);
}

static void w9_taxes_of_230(void **state)
{
    struct price p =
        TOLD(TARIFF_230("NO", ALWAYS(PLAIN("TIME", "2.00", "60"))), "2026-05-04T10:30:00Z",
             {"2026-05-04T08:00:00Z", "'TIME':2.5,'ENERGY':20"});

    (void)state;
    assert_amounts(&p, "5.00", "-");
    p = TOLD(TARIFF_230("YES", ALWAYS(E19("0.59"))), "2026-05-04T09:00:00Z",
             {"2026-05-04T08:00:00Z", "'TIME':1,'ENERGY':31.274"});
    assert_amounts(&p, "15.505597", "18.45166");
}

static void w11_a_replacement(void **state)
{
    struct price p =
        TOLD(TARIFF(ALWAYS(VAT("FLAT", "0.35", "19", "1") "," E19("0.4567"))),
             "2026-05-04T09:00:00Z", {"2026-05-04T08:00:00Z", "'ENERGY':21.9,'TIME':1"});

    (void)state;
    assert_amounts(&p, "10.35173", "12.318559");
    assert_string_equal(net4(&p), "10.3517");
}

static void steps_of_115_2_watt_hours(void **state)
{
    static const struct {
        const char *step, *cost;
        int64_t billed;
    } rows[] = {{"1", "0.029", 116000}, {"25", "0.03125", 125000}, {"500", "0.125", 500000}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct price p =
            TOLD(arena_printf(
                     arena, TARIFF(ALWAYS("{'type':'ENERGY','price':0.25,'vat':0,'step_size':%s}")),
                     rows[i].step),
                 "2026-05-04T08:01:00Z", {"2026-05-04T08:00:00Z", "'ENERGY':0.1152,'TIME':0.0167"});
        assert_amounts(&p, rows[i].cost, NULL);
        assert_billed(&p, PRICE_ENERGY, 115200, rows[i].billed);
    }
}

/* By the hours alone, with a clock that is too far off to help; and with one that helps. */
static void hours_of_four_decimals_are_whole_seconds(void **state)
{
    static const struct {
        const char *hours;
        int64_t seconds;
    } rows[] = {{"0.3333", 1200}, {"1.9736", 7105}, {"0.0167", 60}, {"2.0564", 7403}};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const char *volume = arena_printf(arena, "'ENERGY':1,'TIME':%s", rows[i].hours);
        int64_t start = at("2026-05-04T08:00:00Z");
        char end[TIME_TEXT];
        for (int64_t off = -3; off <= 3; off++) {
            time_print_seconds(end, start + (rows[i].seconds + off) * US_PER_SECOND);
            struct price p = TOLD(TARIFF(ALWAYS(PLAIN("TIME", "1", "1"))), end,
                                  {"2026-05-04T08:00:00Z", volume});
            bool close = off >= -1 && off <= 1;
            assert_int_equal(p.totals[PRICE_CHARGING].used, rows[i].seconds + (close ? off : 0));
        }
    }
}

#define EVENING                                                                                    \
    TARIFF(WHEN("'end_time':'17:00'", PLAIN("TIME", "1.20", "1800")) "," WHEN(                     \
        "'start_time':'17:00'",                                                                    \
        PLAIN("TIME", "2.40", "900")) "," WHEN("'end_time':'20:00'",                               \
                                               PLAIN("PARKING_TIME", "1.00", "900")))

static void changes_of_element(void **state)
{
    struct price p =
        TOLD(EVENING, "2026-05-04T15:07:00Z", {"2026-05-04T14:55:00Z", "'TIME':0.0833,'ENERGY':1"},
             {"2026-05-04T15:00:00Z", "'TIME':0.0833,'ENERGY':1"},
             {"2026-05-04T15:05:00Z", "'PARKING_TIME':0.0333"});

    (void)state;
    assert_amounts(&p, "0.55", NULL);
    p = TOLD(EVENING, "2026-05-04T15:10:00Z", {"2026-05-04T14:35:00Z", "'TIME':0.4167,'ENERGY':1"},
             {"2026-05-04T15:00:00Z", "'TIME':0.1667,'ENERGY':1"});
    assert_amounts(&p, "1.30", NULL);
    p = TOLD(EVENING, "2026-05-04T18:12:00Z", {"2026-05-04T17:40:00Z", "'TIME':0.2,'ENERGY':1"},
             {"2026-05-04T17:52:00Z", "'PARKING_TIME':0.1333"},
             {"2026-05-04T18:00:00Z", "'PARKING_TIME':0.2"});
    assert_amounts(&p, "0.73", NULL);
}

/* ---- what is refused, and what is told ---- */

static void negative_prices_are_not_reckoned(void **state)
{
    struct price_tariff t = tariff_of(TARIFF(ALWAYS(E19("0.40") "," VAT("TIME", "-1", "19", "1"))));
    struct price_history h = STEPS("2026-05-04T08:00:00Z", {60, 'c', 1000});
    struct price p;

    (void)state;
    assert_int_equal(price_reckon(&t, 1, &h, NULL, arena, &p).kind, ERR_BAD_FIELD);
}

static void negative_steps_are_no_tariff(void **state)
{
    struct price_tariff t;

    (void)state;
    assert_int_equal(price_tariff_read(OCPI_2_2_1,
                                       json_of(TARIFF(ALWAYS(VAT("ENERGY", "1", "19", "-1")))),
                                       arena, &t)
                         .kind,
                     ERR_BAD_FIELD);
}

static void more_than_six_decimals_are_told(void **state)
{
    struct price p = TOLD(TARIFF(ALWAYS(E19("0.12345678"))), "2026-05-04T09:00:00Z",
                          {"2026-05-04T08:00:00Z", "'TIME':1,'ENERGY':10"});

    (void)state;
    assert_noted(&p, PRICE_NOTE_PRECISION_REDUCED, true);
    assert_amounts(&p, "1.23457", NULL);
    p = TOLD(TARIFF(ALWAYS(E19("0.123456"))), "2026-05-04T09:00:00Z",
             {"2026-05-04T08:00:00Z", "'TIME':1,'ENERGY':10"});
    assert_noted(&p, PRICE_NOTE_PRECISION_REDUCED, false);
}

/* ---- properties ---- */

struct dice {
    uint64_t seed;
};

static int64_t thrown(struct dice *d, int64_t count)
{
    d->seed = d->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((d->seed >> 33) % (uint64_t)count);
}

static const char *random_component(struct dice *d)
{
    static const char *const types[] = {"ENERGY", "TIME", "PARKING_TIME", "FLAT"};

    return arena_printf(arena, "{'type':'%s','price':%lld.%04lld,'vat':%lld,'step_size':%lld}",
                        types[thrown(d, 4)], (long long)thrown(d, 5), (long long)thrown(d, 10000),
                        (long long)thrown(d, 3) * 10, (long long)thrown(d, 3) * 50);
}

static const char *random_tariff(struct dice *d)
{
    static const char *const restrictions[] = {
        "'start_time':'09:00','end_time':'17:30'",
        "'start_time':'22:00','end_time':'05:15'",
        "'max_kwh':12.5",
        "'min_kwh':3,'max_kwh':20",
        "'min_duration':1800",
        "'day_of_week':['SATURDAY','MONDAY']",
        "'max_power':22",
    };
    const char *elements = "";

    for (int64_t i = 0, count = 1 + thrown(d, 5); i < count; i++) {
        const char *a = random_component(d), *b = random_component(d);
        elements = thrown(d, 3) ? arena_printf(arena, "%s" WHEN("%s", "%s,%s") ",", elements, a, b,
                                               restrictions[thrown(d, 7)])
                                : arena_printf(arena, "%s" ALWAYS("%s,%s") ",", elements, a, b);
    }
    return arena_printf(arena, TARIFF("%s" ALWAYS("%s")), elements, random_component(d));
}

static struct step random_step(struct dice *d)
{
    static const char whats[] = "ccp";

    return (struct step){.minutes = (int)thrown(d, 300) + 1,
                         .what = whats[thrown(d, 3)],
                         .wh = thrown(d, 30000),
                         .watt = thrown(d, 60000) + 1};
}

static void a_period_more_never_costs_less(void **state)
{
    struct dice d = {1};

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct step steps[5];
        const char *tariff = random_tariff(&d);
        int64_t before = 0;
        for (size_t i = 0; i < 5; i++)
            steps[i] = random_step(&d);
        /* Steps of the last component are what is rounded up: without them. */
        struct price_tariff t = tariff_of(tariff);
        for (size_t e = 0; e < t.elements.count; e++)
            for (size_t k = 0; k < t.elements.at[e].price_components.count; k++)
                ((struct ocpi_price_component *)(uintptr_t)&t.elements.at[e].price_components.at[k])
                    ->step_size = 0;
        for (size_t n = 1; n <= 5; n++) {
            struct price_history h = history_of("2026-05-02T05:00:00Z", steps, n);
            for (size_t i = 0; i < n; i++)
                ((struct price_period *)(uintptr_t)&h.periods.at[i])->energy = steps[i].wh * 1000;
            struct price p = reckoned(&t, 1, &h);
            if (p.excl < before)
                fail_msg("%s: %lld after %lld", tariff, (long long)p.excl, (long long)before);
            before = p.excl;
        }
    }
}

/* A cut that crosses no boundary changes nothing; nor does the order inside an element. */
static void a_split_period_costs_the_same(void **state)
{
    struct dice d = {2};
    const char *tariff = TARIFF(WHEN(
        "'start_time':'09:00','end_time':'17:30'",
        E19("0.50") "," VAT("TIME", "1", "19",
                            "60")) "," ALWAYS(E19("0.30") "," VAT("TIME", "2", "19",
                                                                  "1") "," VAT("PARKING_TIME", "3",
                                                                               "19", "60")));

    (void)state;
    for (int round = 0; round < 2000; round++) {
        int minutes = 2 + (int)thrown(&d, 180), first = 1 + (int)thrown(&d, minutes - 1);
        int64_t wh = thrown(&d, 30000), part = wh * first / minutes;
        char what = thrown(&d, 3) ? 'c' : 'p';
        struct price whole =
            priced(tariff, STEPS("2026-05-04T08:00:00Z", {minutes, what, wh, 7000}));
        struct price split = priced(tariff, STEPS("2026-05-04T08:00:00Z", {first, what, part, 7000},
                                                  {minutes - first, what, wh - part, 7000}));
        assert_int_equal(split.excl, whole.excl);
        assert_int_equal(split.incl, whole.incl);
    }
}

static void the_order_inside_an_element_is_irrelevant(void **state)
{
    struct dice d = {3};

    (void)state;
    for (int round = 0; round < 2000; round++) {
        const char *a = VAT("ENERGY", "0.31", "19", "100"), *b = VAT("TIME", "1.5", "7", "60"),
                   *c = VAT("FLAT", "0.5", "20", "1");
        struct step steps[2] = {random_step(&d), random_step(&d)};
        struct price_history h = history_of("2026-05-04T08:00:00Z", steps, 2);
        struct price p = priced(arena_printf(arena, TARIFF(ALWAYS("%s,%s,%s")), a, b, c), h);
        struct price q = priced(arena_printf(arena, TARIFF(ALWAYS("%s,%s,%s")), c, a, b), h);
        assert_int_equal(p.excl, q.excl);
        assert_int_equal(p.incl, q.incl);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(w1_odd_watt_hours),
        OCPI_TEST(w2_energy_step_over_a_change_of_price),
        OCPI_TEST(w3_complex_tariff_on_a_monday),
        OCPI_TEST(w3_complex_tariff_on_a_saturday),
        OCPI_TEST(w4_a_night_with_a_clock_change),
        OCPI_TEST(w5_energy_tiers),
        OCPI_TEST(w6_power_and_duration),
        OCPI_TEST(w7_limits_with_two_rates),
        OCPI_TEST(w8_reservations),
        OCPI_TEST(w9_taxes_of_230),
        OCPI_TEST(w11_a_replacement),
        OCPI_TEST(steps_of_115_2_watt_hours),
        OCPI_TEST(hours_of_four_decimals_are_whole_seconds),
        OCPI_TEST(changes_of_element),
        OCPI_TEST(negative_prices_are_not_reckoned),
        OCPI_TEST(negative_steps_are_no_tariff),
        OCPI_TEST(more_than_six_decimals_are_told),
        OCPI_TEST(a_period_more_never_costs_less),
        OCPI_TEST(a_split_period_costs_the_same),
        OCPI_TEST(the_order_inside_an_element_is_irrelevant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
