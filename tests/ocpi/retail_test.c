/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retail tariffs: reading, choosing, quoting, pricing, and the live estimate.
 */
#include "tests/ocpi/price_check.h"

#include "base/text.h"
#include "ocpi/bill.h"
#include "ocpi/retail.h"

#define START "2026-05-04T08:00:00Z"
#define RT_WITH(rest) "{'id':'RT-EU-1','version':3,'currency':'EUR','vat':19" rest "}"
#define RT_EU_1                                                                                    \
    RT_WITH(",'price_includes_vat':true,'kwh_price':0.59,'session_price':0.35,"                    \
            "'time_tariffs':[{'starting_at_minute':0,'minute_price':0.00},"                        \
            "{'starting_at_minute':240,'minute_price':0.10}],'max_charging_time':720")

static struct retail_tariff retail(const char *text)
{
    struct retail_tariff t;
    struct err e = retail_tariff_read(json_of(text), arena, &t);

    if (failed(e))
        fail_msg("the test's own tariff is wrong: %s", err_text(e));
    return t;
}

static struct retail_facts facts(int64_t energy_u6, int64_t seconds)
{
    return (struct retail_facts){
        .energy_u6 = energy_u6,
        .start_us = at(START),
        .end_us = at(START) + seconds * US_PER_SECOND,
        .charging_end_us = TIME_NONE,
        .final = true,
        .vat_u4 = NUMBER_NONE,
        .void_threshold_s = RETAIL_VOID_THRESHOLD_S,
    };
}

static struct retail_price cost_of(const char *tariff, struct retail_facts f)
{
    struct retail_tariff t = retail(tariff);
    struct retail_price p;
    struct err e = retail_price(&t, &f, arena, &p);

    if (failed(e))
        fail_msg("not priced: %s", err_text(e));
    return p;
}

static void assert_cost(const struct retail_price *p, int64_t net, int64_t vat, int64_t gross)
{
    assert_int_equal(p->bill.gross_minor, gross);
    assert_int_equal(p->bill.vat_minor, vat);
    assert_int_equal(p->bill.net_minor, net);
}

static void assert_line(const struct retail_price *p, size_t i, enum bill_kind kind,
                        int64_t quantity_u6, int64_t amount_minor)
{
    assert_true(i < p->bill.line_count);
    assert_int_equal(p->bill.lines[i].kind, kind);
    assert_int_equal(p->bill.lines[i].quantity_u6, quantity_u6);
    assert_int_equal(p->bill.lines[i].amount_minor, amount_minor);
}

/* ---- the worked example ---- */

static void w10_45_minutes(void **state)
{
    struct retail_price p = cost_of(RT_EU_1, facts(11000000, 45 * 60));

    (void)state;
    assert_cost(&p, 575, 109, 684);
    assert_int_equal(p.bill.line_count, 3);
    assert_line(&p, 0, BILL_SESSION, 1000000, 35);
    assert_line(&p, 1, BILL_ENERGY, 11000000, 649);
    assert_line(&p, 2, BILL_TIME, 45000000, 0);
    assert_int_equal(p.billed_s, 2700);
}

static void w10_started_minutes_in_the_second_tier(void **state)
{
    struct retail_price p = cost_of(RT_EU_1, facts(42318000, 6 * 3600 + 12 * 60 + 25));

    (void)state;
    assert_cost(&p, 3245, 617, 3862);
    assert_line(&p, 1, BILL_ENERGY, 42318000, 2497);
    assert_line(&p, 2, BILL_TIME, 240000000, 0);
    assert_line(&p, 3, BILL_TIME, 133000000, 1330);
    assert_int_equal(p.bill.lines[3].from_minute, 240);
    assert_int_equal(p.bill.lines[3].price_u6, 100000);
    assert_int_equal(p.billed_s, 373 * 60);
}

static void w10_no_time_beyond_max_charging_time(void **state)
{
    struct retail_price p = cost_of(RT_EU_1, facts(60000000, 13 * 3600));

    (void)state;
    assert_cost(&p, 7038, 1337, 8375);
    assert_line(&p, 3, BILL_TIME, 480000000, 4800);
    assert_int_equal(p.billed_s, 720 * 60);
    assert_int_equal(p.excess_s, 3600);
    assert_true(p.limit_reached);
    struct retail_tariff t = retail(RT_EU_1);
    assert_int_equal(retail_stop_at(&t, at(START)), at("2026-05-04T20:00:00Z"));
}

static void w10_second_tariff(void **state)
{
    const char *tariff = "{'id':'RT-2','version':1,'currency':'EUR','vat':20,'kwh_price':0.49,"
                         "'time_tariffs':[{'starting_at_minute':0,'minute_price':0.015},"
                         "{'starting_at_minute':90,'minute_price':0.08},"
                         "{'starting_at_minute':180,'minute_price':0.25}],'max_charging_time':300}";
    struct retail_price p = cost_of(tariff, facts(18765000, 200 * 60 + 1));

    (void)state;
    assert_cost(&p, 1916, 383, 2299);
    assert_line(&p, 0, BILL_ENERGY, 18765000, 919);
    assert_line(&p, 1, BILL_TIME, 90000000, 135);
    assert_line(&p, 2, BILL_TIME, 90000000, 720);
    assert_line(&p, 3, BILL_TIME, 21000000, 525);
}

static void w11_credit_and_replacement(void **state)
{
    struct retail_price a = cost_of(RT_EU_1, facts(23456700, 3600)),
                        b = cost_of(RT_EU_1, facts(21900000, 3600));
    struct bill credit = bill_mirror(&a.bill, arena);

    (void)state;
    assert_int_equal(a.energy_u6, 23457000);
    assert_cost(&a, 1192, 227, 1419);
    assert_int_equal(credit.gross_minor, -1419);
    assert_int_equal(credit.vat_minor, -227);
    assert_int_equal(credit.net_minor, -1192);
    assert_cost(&b, 1115, 212, 1327);
    assert_int_equal(a.bill.gross_minor - b.bill.gross_minor, 92);
    assert_int_equal(a.bill.gross_minor + credit.gross_minor + b.bill.gross_minor, 1327);
    /* Wholesale: W1, and 21.9 kWh. */
    struct price p = priced(
        TARIFF(ALWAYS(VAT("FLAT", "0.35", "19", "1") "," VAT("ENERGY", "0.4567", "19", "1"))),
        STEPS(START, {60, 'c', 21900}));
    assert_amounts(&p, "10.35173", "12.318559");
}

/* The example of the fleet API. */
static void the_fleet_sample_costs_19_40(void **state)
{
    struct retail_price p =
        cost_of(RT_WITH(",'kwh_price':0.88,'session_price':0,'max_charging_time':4320,"
                        "'time_tariffs':[{'starting_at_minute':45,'minute_price':0.12}]"),
                facts(20000000, 3600));

    (void)state;
    assert_int_equal(p.bill.gross_minor, 1940);
    assert_int_equal(p.bill.line_count, 2);
}

/* ---- rules ---- */

static void energy_is_rounded_to_the_watt_hour_first(void **state)
{
    /* 0.0004999 kWh at 1000: without the rounding 0.50. */
    struct retail_price p = cost_of(RT_WITH(",'kwh_price':1000"), facts(499, 300));

    (void)state;
    assert_int_equal(p.bill.gross_minor, 0);
    p = cost_of(RT_WITH(",'kwh_price':1000"), facts(500, 300));
    assert_int_equal(p.bill.gross_minor, 100);
    p = cost_of(RT_WITH(",'kwh_price':0.59"), facts(-5000000, 300));
    assert_int_equal(p.bill.gross_minor, 0);
}

static void a_void_session_costs_nothing(void **state)
{
    const char *tariff = RT_WITH(",'kwh_price':0.59,'session_price':0.35,'min_price':1,"
                                 "'time_tariffs':[{'starting_at_minute':0,'minute_price':0.10}]");
    struct retail_facts f = facts(0, 119);
    struct retail_price p = cost_of(tariff, f);

    (void)state;
    assert_true(p.is_void);
    assert_int_equal(p.bill.gross_minor, 0);
    assert_int_equal(p.bill.line_count, 0);
    p = cost_of(tariff, facts(0, 120));
    assert_false(p.is_void);
    assert_int_equal(p.bill.gross_minor, 100);
    /* What is rounded to nothing is nothing. */
    p = cost_of(tariff, facts(499, 60));
    assert_true(p.is_void);
    p = cost_of(tariff, facts(500, 60));
    assert_false(p.is_void);
    /* While it runs nobody knows yet whether it will be. */
    f.final = false;
    p = cost_of(tariff, f);
    assert_false(p.is_void);
    assert_int_equal(p.bill.gross_minor, 100);
}

static void a_first_tier_may_start_later(void **state)
{
    const char *tariff =
        RT_WITH(",'kwh_price':0,'time_tariffs':[{'starting_at_minute':30,'minute_price':0.20}]");
    struct retail_price p = cost_of(tariff, facts(1000000, 30 * 60));

    (void)state;
    assert_int_equal(p.bill.gross_minor, 0);
    p = cost_of(tariff, facts(1000000, 30 * 60 + 1));
    assert_int_equal(p.bill.gross_minor, 20);
}

static void seconds_are_exact_where_the_increment_is_one(void **state)
{
    const char *tariff = RT_WITH(",'kwh_price':0,'time_increment_s':1,'time_tariffs':["
                                 "{'starting_at_minute':0,'minute_price':0.60}]");
    struct retail_price p = cost_of(tariff, facts(1000000, 3601));

    (void)state;
    /* 36.01, and not 36.60. */
    assert_int_equal(p.bill.gross_minor, 3601);
    assert_int_equal(p.billed_s, 3601);
    /* A quarter of an hour begun is billed whole, but not beyond the end. */
    tariff = RT_WITH(",'kwh_price':0,'time_increment_s':900,'max_charging_time':20,'time_tariffs':["
                     "{'starting_at_minute':0,'minute_price':1}]");
    p = cost_of(tariff, facts(1000000, 1));
    assert_int_equal(p.bill.gross_minor, 1500);
    p = cost_of(tariff, facts(1000000, 901));
    assert_int_equal(p.bill.gross_minor, 2000);
}

static void grace_and_parking_follow_the_end_of_charging(void **state)
{
    const char *grace = RT_WITH(",'kwh_price':0,'grace_minutes':10,'time_tariffs':["
                                "{'starting_at_minute':0,'minute_price':0.10}]");
    const char *parking =
        RT_WITH(",'kwh_price':0,'grace_minutes':10,'parking_minute_price':1,'time_tariffs':["
                "{'starting_at_minute':0,'minute_price':0.10}]");
    struct retail_facts f = facts(5000000, 60 * 60);

    (void)state;
    f.charging_end_us = f.start_us + (29 * 60 + 30) * US_PER_SECOND;
    /* 30 started minutes, 10 of grace, 20 more. */
    struct retail_price p = cost_of(grace, f);
    assert_int_equal(p.bill.gross_minor, 500);
    assert_int_equal(p.billed_s, 50 * 60);
    p = cost_of(parking, f);
    assert_int_equal(p.bill.gross_minor, 300 + 2000);
    assert_line(&p, 2, BILL_PARKING, 20000000, 2000);
    /* Within the grace nothing is added, and charging until the end knows none. */
    f.end_us = f.start_us + 39 * 60 * US_PER_SECOND;
    p = cost_of(parking, f);
    assert_int_equal(p.bill.gross_minor, 300);
    f.charging_end_us = TIME_NONE;
    p = cost_of(parking, f);
    assert_int_equal(p.bill.gross_minor, 390);
    /* Parking is time too: it ends with max_charging_time. */
    f = facts(5000000, 10 * 3600);
    f.charging_end_us = f.start_us;
    p = cost_of(RT_WITH(",'kwh_price':0,'parking_minute_price':1,'max_charging_time':60"), f);
    assert_int_equal(p.bill.gross_minor, 6000);
}

static void limits_of_the_session(void **state)
{
    const char *tariff =
        RT_WITH(",'kwh_price':0.50,'session_price':0.50,'max_price':10,'min_price':2");
    struct retail_price p = cost_of(tariff, facts(40000000, 3600));

    (void)state;
    assert_cost(&p, 840, 160, 1000);
    assert_line(&p, 2, BILL_LIMIT, 1000000, -1050);
    p = cost_of(tariff, facts(1000000, 3600));
    assert_cost(&p, 168, 32, 200);
    assert_line(&p, 2, BILL_MINIMUM, 1000000, 100);
    tariff = RT_WITH(",'kwh_price':0.50,'price_includes_vat':false,'max_price':10");
    p = cost_of(tariff, facts(40000000, 3600));
    assert_cost(&p, 1000, 190, 1190);
}

static void the_rate_at_the_end_of_the_supply_counts(void **state)
{
    struct retail_facts f = facts(11000000, 45 * 60);

    (void)state;
    f.vat_u4 = 210000;
    struct retail_price p = cost_of(RT_EU_1, f);
    /* The promised price stays, its share of VAT does not. */
    assert_cost(&p, 565, 119, 684);
    p = cost_of(RT_WITH(",'kwh_price':1,'price_includes_vat':false"), f);
    assert_cost(&p, 1100, 231, 1331);
}

static void what_cannot_be_reckoned_is_an_error(void **state)
{
    struct retail_tariff t = retail(RT_WITH(",'kwh_price':1000000"));
    struct retail_facts f = facts(INT64_MAX, 60);
    struct retail_price p;

    (void)state;
    assert_int_equal(retail_price(&t, &f, arena, &p).kind, ERR_BAD_FIELD);
    f = facts(1000000, 0);
    f.start_us = INT64_MIN + 1;
    f.end_us = INT64_MAX;
    assert_false(failed(retail_price(&t, &f, arena, &p)));
    f.end_us = f.start_us;
    f.start_us = INT64_MAX;
    assert_false(failed(retail_price(&t, &f, arena, &p)));
    t.mode = RETAIL_MARKUP;
    assert_int_equal(retail_price(&t, &f, arena, &p).kind, ERR_INTERNAL);
}

static void what_happened_is_taken_from_the_periods(void **state)
{
    struct price_history h =
        STEPS(START, {15, 'r'}, {30, 'c', 5000}, {5, 'p'}, {10, 'c', 1000}, {20, 'p'});
    struct retail_facts f = retail_facts_of(&h);

    (void)state;
    assert_int_equal(f.energy_u6, 6000000);
    assert_int_equal(f.start_us, at("2026-05-04T08:15:00Z"));
    assert_int_equal(f.charging_end_us, at("2026-05-04T09:00:00Z"));
    assert_int_equal(f.end_us, at("2026-05-04T09:20:00Z"));
    assert_true(f.final);
    h = STEPS(START, {30, 'c', 5000});
    f = retail_facts_of(&h);
    assert_int_equal(f.charging_end_us, TIME_NONE);
    /* A reservation that lapsed is no session. */
    h = STEPS(START, {30, 'r'});
    f = retail_facts_of(&h);
    struct retail_price p = cost_of(RT_EU_1, f);
    assert_true(p.is_void);
    /* One period with both: charging came first. */
    struct price_period both = {.start_us = at(START),
                                .end_us = at(START) + 3600 * US_PER_SECOND,
                                .energy = 1000000,
                                .charging_s = 1800,
                                .parking_s = 1800};
    h = (struct price_history){.periods = {&both, 1}};
    f = retail_facts_of(&h);
    assert_int_equal(f.charging_end_us, at("2026-05-04T08:30:00Z"));
}

/* ---- the live estimate ---- */

static void an_estimate_extrapolates_time_and_never_energy(void **state)
{
    struct retail_tariff t = retail(RT_WITH(",'kwh_price':0.50,'session_price':1,'time_tariffs':["
                                            "{'starting_at_minute':0,'minute_price':0.10}]"));
    struct retail_facts f = facts(10000000, 600);
    struct retail_estimate e;
    struct text out;

    (void)state;
    assert_false(failed(retail_estimate(&t, &f, f.end_us + 300 * US_PER_SECOND, arena, &e)));
    assert_int_equal(e.measured_minor, 700);
    assert_int_equal(e.extrapolated_minor, 50);
    assert_int_equal(e.amount_minor, 750);
    assert_false(e.stale);
    text_init(&out, arena, 1000);
    retail_estimate_print(&e, &out, NULL);
    assert_string_equal(out.bytes, "{\"amount\":7.50,\"currency\":\"EUR\",\"vat_included\":true,"
                                   "\"as_of\":\"2026-05-04T08:15:00Z\",\"measured\":7.00,"
                                   "\"extrapolated\":0.50,\"stale\":false,\"final\":false}");
    assert_false(failed(retail_estimate(&t, &f, f.end_us + 900 * US_PER_SECOND, arena, &e)));
    assert_true(e.stale);
    /* A clock that went back takes nothing off. */
    assert_false(failed(retail_estimate(&t, &f, f.end_us - 900 * US_PER_SECOND, arena, &e)));
    assert_int_equal(e.extrapolated_minor, 0);
}

/* ---- reading ---- */

static void complaints_name_the_member(void **state)
{
    static const struct {
        const char *document, *where;
    } rows[] = {
        {"{'version':3,'currency':'EUR','vat':19,'kwh_price':1}", "id"},
        {"{'id':'a b','version':3,'currency':'EUR','vat':19,'kwh_price':1}", "id"},
        {"{'id':'a','currency':'EUR','vat':19,'kwh_price':1}", "version"},
        {"{'id':'a','version':0,'currency':'EUR','vat':19,'kwh_price':1}", "version"},
        {"{'id':'a','version':1.5,'currency':'EUR','vat':19,'kwh_price':1}", "version"},
        {"{'id':'a','version':1,'currency':'EUX','vat':19,'kwh_price':1}", "currency"},
        {"{'id':'a','version':1,'vat':19,'kwh_price':1}", "currency"},
        {"{'id':'a','version':1,'currency':'EUR','kwh_price':1}", "vat"},
        {"{'id':'a','version':1,'currency':'EUR','vat':'19','kwh_price':1}", "vat"},
        {"{'id':'a','version':1,'currency':'EUR','vat':101,'kwh_price':1}", "vat"},
        {"{'id':'a','version':1,'currency':'EUR','vat':-1,'kwh_price':1}", "vat"},
        {"{'id':'a','version':1,'currency':'EUR','vat':19.00001,'kwh_price':1}", "vat"},
        {RT_WITH(""), "kwh_price"},
        {RT_WITH(",'kwh_price':null"), "kwh_price"},
        {RT_WITH(",'kwh_price':-0.01"), "kwh_price"},
        {RT_WITH(",'kwh_price':0.1234567"), "kwh_price"},
        {RT_WITH(",'kwh_price':1000001"), "kwh_price"},
        {RT_WITH(",'kwh_price':true"), "kwh_price"},
        {RT_WITH(",'kwh_prize':1"), "kwh_prize"},
        {RT_WITH(",'kwh_price':1,'price_includes_vat':1"), "price_includes_vat"},
        {RT_WITH(",'kwh_price':1,'mode':'free'"), "mode"},
        {RT_WITH(",'kwh_price':1,'name':''"), "name"},
        {RT_WITH(",'kwh_price':1,'name':'a\\nb'"), "name"},
        {RT_WITH(",'kwh_price':1,'time_tariffs':{}"), "time_tariffs"},
        {RT_WITH(",'kwh_price':1,'time_tariffs':[1]"), "time_tariffs[0]"},
        {RT_WITH(",'kwh_price':1,'time_tariffs':[{'starting_at_minute':0}]"),
         "time_tariffs[0].minute_price"},
        {RT_WITH(",'kwh_price':1,'time_tariffs':[{'starting_at_minute':-1,'minute_price':1}]"),
         "time_tariffs[0].starting_at_minute"},
        {RT_WITH(",'kwh_price':1,'time_tariffs':[{'starting_at_minute':5,'minute_price':1},"
                 "{'starting_at_minute':5,'minute_price':2}]"),
         "time_tariffs[1].starting_at_minute"},
        {RT_WITH(",'kwh_price':1,'time_tariffs':[{'starting_at_minute':5,'minute_price':1,'x':1}]"),
         "time_tariffs[0].x"},
        {RT_WITH(",'kwh_price':1,'time_increment_s':0"), "time_increment_s"},
        {RT_WITH(",'kwh_price':1,'max_charging_time':0"), "max_charging_time"},
        {RT_WITH(",'kwh_price':1,'grace_minutes':-1"), "grace_minutes"},
        {RT_WITH(",'kwh_price':1,'min_price':5,'max_price':4"), "min_price"},
        {RT_WITH(",'kwh_price':1,'valid_from':'2026'"), "valid_from"},
        {RT_WITH(",'kwh_price':1,'valid_from':'2026-01-02T00:00:00Z',"
                 "'valid_until':'2026-01-02T00:00:00Z'"),
         "valid_until"},
        {RT_WITH(",'kwh_price':1,'markup':{}"), "markup"},
        {RT_WITH(",'mode':'markup'"), "markup"},
        {RT_WITH(",'mode':'markup','markup':{},'kwh_price':1"), "kwh_price"},
        {RT_WITH(",'mode':'markup','markup':{'percent':1001}"), "markup.percent"},
        {RT_WITH(",'mode':'markup','markup':{'percent':-1}"), "markup.percent"},
        {RT_WITH(",'mode':'markup','markup':{'floor':2,'cap':1}"), "markup.floor"},
        {RT_WITH(",'mode':'markup','markup':{'x':2}"), "markup.x"},
        {RT_WITH(",'mode':'markup','markup':{},'currency_mismatch':'allow'"), "currency_mismatch"},
        {RT_WITH(",'mode':'pass_through','kwh_price':1"), "kwh_price"},
        {RT_WITH(",'mode':'pass_through','max_charging_time':1"), "max_charging_time"},
        {RT_WITH(",'kwh_price':1,'selector':[]"), "selector"},
        {RT_WITH(",'kwh_price':1,'selector':{'country':'DE'}"), "selector.country"},
        {RT_WITH(",'kwh_price':1,'selector':{'country':[]}"), "selector.country"},
        {RT_WITH(",'kwh_price':1,'selector':{'cpo':['DEABC']}"), "selector.cpo"},
        {RT_WITH(",'kwh_price':1,'selector':{'power_class':'ac'}"), "selector.power_class"},
        {RT_WITH(",'kwh_price':1,'selector':{'user_group':[1]}"), "selector.user_group"},
        {RT_WITH(",'kwh_price':1,'selector':{'city':'x'}"), "selector.city"},
    };
    struct retail_tariff t;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = retail_tariff_read(json_of(rows[i].document), arena, &t);
        if (e.kind != ERR_BAD_FIELD || !e.where || strcmp(e.where, rows[i].where) != 0)
            fail_msg("%s: %s", rows[i].document, failed(e) ? err_text(e) : "was taken");
        assert_non_null(strstr(err_text(e), rows[i].where));
    }
    assert_int_equal(retail_tariff_read(json_of("[]"), arena, &t).kind, ERR_BAD_BODY);
}

static const char *printed(const struct retail_tariff *t)
{
    struct text out;

    text_init(&out, arena, 10000);
    retail_tariff_print(t, &out, NULL);
    assert_false(text_overflowed(&out));
    return out.bytes;
}

static void what_is_printed_reads_back(void **state)
{
    static const char *const documents[] = {
        RT_EU_1,
        RT_WITH(",'kwh_price':0.123456,'session_price':0,'parking_minute_price':0.05,"
                "'grace_minutes':15,'time_increment_s':1,'min_price':0.5,'max_price':99.99,"
                "'name':'Grün & gut','valid_from':'2026-01-01T00:00:00+01:00',"
                "'valid_until':'2027-01-01T00:00:00.5Z','currency_mismatch':'refuse',"
                "'selector':{'country':['DEU','FIN'],'cpo':'DE*ABC','power_class':'HPC',"
                "'user_group':['fleet-1']}"),
        RT_WITH(",'mode':'markup','markup':{'percent':12.5,'kwh_adder':0.02,'session_adder':0.3,"
                "'floor':1,'cap':80},'max_charging_time':300"),
        RT_WITH(",'mode':'pass_through','selector':{'power_class':'AC'}"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        struct retail_tariff t = retail(documents[i]), again;
        const char *text = printed(&t);
        struct err e = retail_tariff_read(document(text), arena, &again);
        if (failed(e))
            fail_msg("%s: %s", text, err_text(e));
        assert_string_equal(printed(&again), text);
        assert_int_equal(again.max_price_u6, t.max_price_u6);
        assert_int_equal(again.percent_u4, t.percent_u4);
        assert_int_equal(again.valid_from_us, t.valid_from_us);
        assert_int_equal(again.valid_until_us, t.valid_until_us);
        assert_int_equal(again.selector.power_class, t.selector.power_class);
        assert_int_equal(again.selector.cpos.count, t.selector.cpos.count);
    }
}

static void the_same_tariff_is_the_same_text(void **state)
{
    struct retail_tariff a = retail(RT_WITH(",'kwh_price':0.59")),
                         b = retail("{'kwh_price':0.590,'vat':19.0,'mode':'fixed','version':3,"
                                    "'price_includes_vat':true,'currency':'EUR','id':'RT-EU-1',"
                                    "'name':'RT-EU-1','max_price':null,'time_tariffs':[]}");

    (void)state;
    assert_string_equal(printed(&a), printed(&b));
    b.kwh_price_u6++;
    assert_string_not_equal(printed(&a), printed(&b));
}

static void apps_see_vat_as_a_fraction(void **state)
{
    struct retail_tariff t = retail(RT_EU_1);
    struct text out;

    (void)state;
    text_init(&out, arena, 1000);
    retail_tariff_print_public(&t, &out, NULL);
    assert_string_equal(out.bytes, "{\"kwh_price\":0.59,\"session_price\":0.35,\"time_tariffs\":["
                                   "{\"starting_at_minute\":0,\"minute_price\":0},"
                                   "{\"starting_at_minute\":240,\"minute_price\":0.1}],"
                                   "\"vat\":0.19,\"currency\":\"EUR\",\"max_charging_time\":720}");
}

/* ---- choosing ---- */

static void the_most_specific_tariff_is_chosen(void **state)
{
    const char *texts[] = {
        RT_WITH(",'kwh_price':1,'name':'all'"),
        RT_WITH(",'kwh_price':1,'name':'country','selector':{'country':['DEU','FRA']}"),
        RT_WITH(",'kwh_price':1,'name':'dc','selector':{'power_class':'DC'}"),
        RT_WITH(",'kwh_price':1,'name':'hpc','selector':{'power_class':'HPC'}"),
        RT_WITH(",'kwh_price':1,'name':'cpo','selector':{'cpo':'DE*ABC'}"),
        RT_WITH(",'kwh_price':1,'name':'group','selector':{'user_group':'fleet'}"),
        RT_WITH(",'kwh_price':1,'name':'old','selector':{'user_group':'fleet'},"
                "'valid_until':'2026-01-01T00:00:00Z'"),
        RT_WITH(",'kwh_price':1,'name':'next','selector':{'cpo':'DE*ABC'},"
                "'valid_from':'2026-06-01T00:00:00Z'"),
    };
    static const struct {
        struct retail_where where;
        const char *name;
    } rows[] = {
        {{"ITA", "IT*XYZ", RETAIL_AC, NULL, "EUR", 0}, "all"},
        {{"DEU", "DE*XYZ", RETAIL_AC, NULL, "EUR", 0}, "country"},
        {{"DEU", "DE*XYZ", RETAIL_DC, NULL, "EUR", 0}, "dc"},
        {{"DEU", "DE*XYZ", RETAIL_HPC, NULL, "EUR", 0}, "hpc"},
        {{"DEU", "deabc", RETAIL_HPC, NULL, "EUR", 0}, "cpo"},
        {{"DEU", "DE-ABC", RETAIL_HPC, "fleet", "EUR", 0}, "group"},
        {{"DEU", "DE*ABC", RETAIL_HPC, "FLEET", "EUR", 0}, "cpo"},
        {{NULL, NULL, RETAIL_POWER_NONE, NULL, NULL, 0}, "all"},
    };
    struct retail_tariff tariffs[8];

    (void)state;
    for (size_t i = 0; i < 8; i++)
        tariffs[i] = retail(texts[i]);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct retail_where w = rows[i].where;
        w.start_us = at(START);
        const struct retail_tariff *t = retail_choose(tariffs, 8, &w);
        assert_non_null(t);
        assert_string_equal(t->name, rows[i].name);
    }
    struct retail_where w = {"DEU", "DE*ABC", RETAIL_AC, NULL, "EUR", at("2026-06-01T00:00:00Z")};
    assert_string_equal(retail_choose(tariffs, 8, &w)->name, "next");
    w.start_us--;
    assert_string_equal(retail_choose(tariffs, 8, &w)->name, "cpo");
    assert_null(retail_choose(tariffs, 0, &w));
}

static void a_currency_mismatch_may_be_refused(void **state)
{
    struct retail_tariff any = retail(RT_WITH(",'kwh_price':1")),
                         strict = retail(RT_WITH(",'kwh_price':1,'currency_mismatch':'refuse'")),
                         markup = retail(RT_WITH(",'mode':'markup','markup':{}"));
    struct retail_where w = {.start_us = at(START), .wholesale_currency = "SEK"};

    (void)state;
    assert_true(retail_tariff_fits(&any, &w));
    assert_false(retail_tariff_fits(&strict, &w));
    assert_false(retail_tariff_fits(&markup, &w));
    w.wholesale_currency = "EUR";
    assert_true(retail_tariff_fits(&strict, &w));
    assert_true(retail_tariff_fits(&markup, &w));
    w.wholesale_currency = NULL;
    assert_true(retail_tariff_fits(&strict, &w));
    assert_false(retail_tariff_fits(&markup, &w));
}

static void power_classes(void **state)
{
    (void)state;
    assert_int_equal(retail_power_class_of(false, 200000), RETAIL_AC);
    assert_int_equal(retail_power_class_of(true, 149999), RETAIL_DC);
    assert_int_equal(retail_power_class_of(true, 150000), RETAIL_HPC);
}

/* ---- quotes ---- */

static struct retail_tariff quoted(const char *tariff, const char *wholesale, const char *start)
{
    struct retail_tariff t = retail(tariff), quote;
    struct price_tariff w = tariff_of(wholesale);
    struct err e =
        retail_quote(&t, &w, zone_of_rule(arena, RULE_OF_BERLIN), 50000, at(start), arena, &quote);

    if (failed(e))
        fail_msg("no quote: %s", err_text(e));
    return quote;
}

#define MARKUP(rest) RT_WITH(",'mode':'markup','markup':{" rest "}")

static void a_markup_becomes_firm_prices(void **state)
{
    const char *wholesale =
        TARIFF(ALWAYS(PLAIN("FLAT", "0.50", "1") "," PLAIN("ENERGY", "0.40", "1") "," PLAIN(
            "TIME", "1.20", "60") "," PLAIN("PARKING_TIME", "6.00", "60")));
    struct retail_tariff q =
        quoted(MARKUP("'percent':10,'kwh_adder':0.01,'session_adder':0.25"), wholesale, START);

    (void)state;
    assert_int_equal(q.mode, RETAIL_FIXED);
    assert_int_equal(q.quoted_mode, RETAIL_MARKUP);
    assert_int_equal(q.kwh_price_u6, 533600);     /* 0.4 x 1.1 x 1.19 = 0.5236, + 0.01 */
    assert_int_equal(q.session_price_u6, 904500); /* 0.6545 + 0.25 */
    assert_int_equal(q.time_tariffs.count, 1);
    assert_int_equal(q.time_tariffs.at[0].starting_at_minute, 0);
    assert_int_equal(q.time_tariffs.at[0].minute_price_u6, 26200); /* 0.02618 */
    assert_int_equal(q.parking_minute_price_u6, 130900);
    /* The quote is a document like any other, and is priced like any other. */
    struct retail_tariff again;
    assert_false(failed(retail_tariff_read(document(printed(&q)), arena, &again)));
    assert_string_equal(printed(&again), printed(&q));
    struct retail_facts f = facts(10000000, 600);
    struct retail_price p;
    assert_false(failed(retail_price(&again, &f, arena, &p)));
    assert_int_equal(p.bill.gross_minor, 534 + 90 + 26);
    /* Without VAT in the prices. */
    q = quoted(RT_WITH(",'mode':'markup','price_includes_vat':false,'markup':{'percent':10}"),
               wholesale, START);
    assert_int_equal(q.kwh_price_u6, 440000);
    assert_int_equal(q.parking_minute_price_u6, 110000);
}

static void a_quote_knows_the_minutes_to_come(void **state)
{
    /* 08:00 there; 09:00 to 10:00 costs, and from the third hour on as well. */
    const char *wholesale = TARIFF(
        WHEN("'start_time':'09:00','end_time':'10:00'", PLAIN("TIME", "6.00", "60")) "," WHEN(
            "'min_duration':10800", PLAIN("TIME", "3.00", "60")));
    struct retail_tariff q =
        quoted(RT_WITH(",'mode':'markup','price_includes_vat':false,'markup':{},"
                       "'max_charging_time':600"),
               wholesale, "2026-05-04T06:00:30Z");
    static const int64_t expected[][2] = {{60, 100000}, {120, 0}, {180, 50000}};

    (void)state;
    assert_int_equal(q.time_tariffs.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(q.time_tariffs.at[i].starting_at_minute, expected[i][0]);
        assert_int_equal(q.time_tariffs.at[i].minute_price_u6, expected[i][1]);
    }
    /* The same every day: a second day has its hour again. */
    q = quoted(RT_WITH(",'mode':'markup','markup':{}"),
               TARIFF(WHEN("'start_time':'09:00','end_time':'10:00'", PLAIN("TIME", "6.00", "60"))),
               "2026-05-04T06:00:00Z");
    assert_int_equal(q.time_tariffs.count, 4);
    assert_int_equal(q.time_tariffs.at[2].starting_at_minute, 60 + 1440);
}

static void a_quote_takes_what_is_active_at_the_start(void **state)
{
    const char *wholesale = TARIFF(
        WHEN("'start_time':'08:00','end_time':'20:00'", PLAIN("ENERGY", "0.50", "1")) "," WHEN(
            "'min_power':100",
            PLAIN("ENERGY", "0.60", "1")) "," ALWAYS(PLAIN("ENERGY", "0.30", "1")));
    const char *markup = RT_WITH(",'mode':'markup','price_includes_vat':false,'markup':{}");
    struct retail_tariff q = quoted(markup, wholesale, START);

    (void)state;
    assert_int_equal(q.kwh_price_u6, 500000);
    q = quoted(markup, wholesale, "2026-05-04T20:00:00Z");
    assert_int_equal(q.kwh_price_u6, 300000);
    assert_int_equal(q.time_tariffs.count, 0);
    assert_int_equal(q.parking_minute_price_u6, NUMBER_NONE);
}

/* Every second another element, and each has hundreds of components to look through. */
static void a_quote_costs_only_so_much(void **state)
{
    enum { ELEMENTS = PRICE_ELEMENTS_MAX, COMPONENTS = PRICE_COMPONENTS_MAX - ELEMENTS };
    struct ocpi_tariff_element *elements = arena_alloc(arena, ELEMENTS * sizeof *elements);
    struct ocpi_price_component *components = arena_alloc(arena, COMPONENTS * sizeof *components);
    struct price_tariff wholesale = tariff_of(TARIFF(ALWAYS(PLAIN("TIME", "1", "1"))));
    struct retail_tariff t = retail(MARKUP("")), quote;

    (void)state;
    for (size_t i = 0; i < COMPONENTS; i++)
        components[i] = (struct ocpi_price_component){OCPI_PRICED_ENERGY, 0, NUMBER_NONE, 1};
    for (size_t i = 0; i < ELEMENTS; i++) {
        struct ocpi_tariff_restrictions *r = arena_alloc(arena, sizeof *r);
        object_blank(&ocpi_tariff_restrictions_type, r);
        r->min_duration = (int64_t)i;
        r->start_time = arena_printf(arena, "%02zu:%02zu", i / 60, i % 60);
        r->end_time = arena_printf(arena, "%02zu:%02zu", 12 + i / 60, i % 60);
        elements[i] = (struct ocpi_tariff_element){{components, i ? 1 : COMPONENTS}, r};
    }
    wholesale.elements.at = elements;
    wholesale.elements.count = ELEMENTS;
    struct err e = retail_quote(&t, &wholesale, NULL, 0, at(START), arena, &quote);
    assert_int_equal(e.kind, ERR_BAD_FIELD);
    assert_string_equal(e.text, "the network's prices change too often to be told");
}

static void limits_of_the_network_are_passed_on(void **state)
{
    const char *wholesale =
        TARIFF_WITH("'min_price':{'excl_vat':1},'max_price':{'excl_vat':10,'incl_vat':11},",
                    ALWAYS(PLAIN("ENERGY", "0.40", "1")));
    struct retail_tariff q = quoted(MARKUP("'percent':10,'session_adder':0.25"), wholesale, START);

    (void)state;
    assert_int_equal(q.min_price_u6, 1559000);
    assert_int_equal(q.max_price_u6, 13340000);
    q = quoted(MARKUP("'percent':10,'floor':2,'cap':50"), wholesale, START);
    assert_int_equal(q.min_price_u6, 2000000);
    assert_int_equal(q.max_price_u6, 50000000);
}

static void included_taxes_of_the_network_are_taken_out(void **state)
{
    struct retail_tariff q =
        quoted(RT_WITH(",'mode':'markup','price_includes_vat':false,'markup':{}"),
               TARIFF_230("YES", ALWAYS(VAT("ENERGY", "0.595", "19", "1"))), START);
    struct retail_tariff t = retail(MARKUP("")), sek = t;
    struct price_tariff unknown =
        tariff_of(TARIFF_230("YES", ALWAYS(PLAIN("ENERGY", "0.595", "1"))));
    struct retail_tariff quote;

    (void)state;
    assert_int_equal(q.kwh_price_u6, 500000);
    assert_int_equal(retail_quote(&t, &unknown, NULL, 0, at(START), arena, &quote).kind,
                     ERR_BAD_FIELD);
    assert_int_equal(retail_quote(&t, NULL, NULL, 0, at(START), arena, &quote).kind, ERR_BAD_FIELD);
    memcpy(sek.currency, "SEK", 4);
    assert_int_equal(retail_quote(&sek, &unknown, NULL, 0, at(START), arena, &quote).kind,
                     ERR_BAD_FIELD);
    t = retail(RT_EU_1);
    assert_false(failed(retail_quote(&t, NULL, NULL, 0, at(START), arena, &quote)));
    assert_string_equal(printed(&quote), printed(&t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(w10_45_minutes),
        OCPI_TEST(w10_started_minutes_in_the_second_tier),
        OCPI_TEST(w10_no_time_beyond_max_charging_time),
        OCPI_TEST(w10_second_tariff),
        OCPI_TEST(w11_credit_and_replacement),
        OCPI_TEST(the_fleet_sample_costs_19_40),
        OCPI_TEST(energy_is_rounded_to_the_watt_hour_first),
        OCPI_TEST(a_void_session_costs_nothing),
        OCPI_TEST(a_first_tier_may_start_later),
        OCPI_TEST(seconds_are_exact_where_the_increment_is_one),
        OCPI_TEST(grace_and_parking_follow_the_end_of_charging),
        OCPI_TEST(limits_of_the_session),
        OCPI_TEST(the_rate_at_the_end_of_the_supply_counts),
        OCPI_TEST(what_cannot_be_reckoned_is_an_error),
        OCPI_TEST(what_happened_is_taken_from_the_periods),
        OCPI_TEST(an_estimate_extrapolates_time_and_never_energy),
        OCPI_TEST(complaints_name_the_member),
        OCPI_TEST(what_is_printed_reads_back),
        OCPI_TEST(the_same_tariff_is_the_same_text),
        OCPI_TEST(apps_see_vat_as_a_fraction),
        OCPI_TEST(the_most_specific_tariff_is_chosen),
        OCPI_TEST(a_currency_mismatch_may_be_refused),
        OCPI_TEST(power_classes),
        OCPI_TEST(a_markup_becomes_firm_prices),
        OCPI_TEST(a_quote_knows_the_minutes_to_come),
        OCPI_TEST(a_quote_takes_what_is_active_at_the_start),
        OCPI_TEST(a_quote_costs_only_so_much),
        OCPI_TEST(limits_of_the_network_are_passed_on),
        OCPI_TEST(included_taxes_of_the_network_are_taken_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
