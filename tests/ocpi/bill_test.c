/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bills: rounding, VAT by group, limits, allocation, mirrors, statements, and documents from what a
 * network charges. The figures were computed with exact fractions beforehand.
 */
#include "tests/ocpi/price_check.h"

#include "ocpi/bill.h"

#define MONDAY "2026-05-04T08:00:00Z"

static struct bill new_bill(bool gross_priced)
{
    struct bill b;

    assert_false(failed(bill_new("EUR", gross_priced, arena, &b)));
    return b;
}

/* One piece at that price. */
static void put_amount(struct bill *b, enum bill_kind kind, const char *price, int percent)
{
    struct bill_line line = {
        .kind = kind, .quantity_u6 = 1000000, .vat_u4 = percent * INT64_C(10000)};

    assert_true(decimal_parse_u6(price, &line.price_u6));
    bill_put(b, line);
}

static struct bill_group group_of(const struct bill *b, int percent)
{
    for (size_t i = 0; i < b->group_count; i++)
        if (b->groups[i].vat_u4 == percent * INT64_C(10000))
            return b->groups[i];
    fail_msg("there is no group of %d %%", percent);
    return (struct bill_group){0};
}

/* What holds on every document. */
static void assert_adds_up(const struct bill *b)
{
    int64_t net = 0, vat = 0, gross = 0, lines = 0, line_nets = 0;

    for (size_t i = 0; i < b->group_count; i++) {
        const struct bill_group *g = &b->groups[i];
        int64_t of_lines = 0, nets = 0;
        assert_int_equal(g->net_minor + g->vat_minor, g->gross_minor);
        for (size_t k = 0; k < b->line_count; k++) {
            of_lines += b->lines[k].vat_u4 == g->vat_u4 ? b->lines[k].amount_minor : 0;
            nets += b->lines[k].vat_u4 == g->vat_u4 ? b->lines[k].net_minor : 0;
        }
        assert_int_equal(of_lines, b->gross_priced ? g->gross_minor : g->net_minor);
        assert_int_equal(nets, g->net_minor);
        net += g->net_minor;
        vat += g->vat_minor;
        gross += g->gross_minor;
    }
    for (size_t i = 0; i < b->line_count; i++) {
        lines += b->lines[i].amount_minor;
        line_nets += b->lines[i].net_minor;
    }
    assert_int_equal(net, b->net_minor);
    assert_int_equal(vat, b->vat_minor);
    assert_int_equal(gross, b->gross_minor);
    assert_int_equal(net + vat, gross);
    assert_int_equal(lines, b->gross_priced ? gross : net);
    assert_int_equal(line_nets, net);
}

static void assert_totals(const struct bill *b, int64_t net, int64_t vat, int64_t gross)
{
    assert_int_equal(b->net_minor, net);
    assert_int_equal(b->vat_minor, vat);
    assert_int_equal(b->gross_minor, gross);
    assert_adds_up(b);
}

static void added_up(struct bill *b, const struct bill_limits *limits)
{
    struct err e = bill_add_up(b, limits, 190000);

    if (failed(e))
        fail_msg("not added up: %s", err_text(e));
}

/* ---- rounding ---- */

static void rounding_is_half_away_from_zero(void **state)
{
    static const struct {
        const char *amount;
        int64_t minor;
    } rows[] = {
        {"0.005", 1},     {"0.015", 2},
        {"0.025", 3},     {"1.005", 101},
        {"2.675", 268},   {"-0.005", -1},
        {"-0.015", -2},   {"0.0045", 0},
        {"0", 0},         {"0.00499", 0},
        {"-0.00499", 0},  {"0.0050001", 1},
        {"-2.675", -268}, {"1234567.895", 123456790},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bill b = new_bill(true);
        put_amount(&b, BILL_FEE, rows[i].amount, 0);
        added_up(&b, &BILL_NO_LIMITS);
        if (b.gross_minor != rows[i].minor)
            fail_msg("%s became %lld", rows[i].amount, (long long)b.gross_minor);
    }
}

/* 0.0049999 has seven decimals: as a product it does not lose the last one. */
static void a_line_is_multiplied_out_before_it_is_rounded(void **state)
{
    static const struct {
        int64_t quantity_u6, price_u6, minor;
        enum bill_unit unit;
    } rows[] = {
        {49999, 100000, 0, BILL_KWH}, /* 0.0049999 */
        {-49999, 100000, 0, BILL_KWH},
        {50000, 100000, 1, BILL_KWH},       /* 0.005 */
        {-50000, 100000, -1, BILL_KWH},     /* -0.005 */
        {23457000, 590000, 1384, BILL_KWH}, /* 13.83963 */
        {133000000, 100000, 1330, BILL_MINUTE},
        {16667, 600000, 1, BILL_MINUTE},     /* one second: 0.01 */
        {8333, 600000, 0, BILL_MINUTE},      /* half a second is no second... */
        {333333, 36000000, 1200, BILL_HOUR}, /* 1200 s, not 11.999988 */
        {1973611, 2000000, 395, BILL_HOUR},  /* 7105 s */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bill_line line = {
            .unit = rows[i].unit, .quantity_u6 = rows[i].quantity_u6, .price_u6 = rows[i].price_u6};
        int64_t minor;
        assert_true(bill_line_amount(&line, "EUR", &minor));
        if (minor != rows[i].minor)
            fail_msg("row %zu: %lld", i, (long long)minor);
    }
}

static void a_currency_has_its_own_decimals(void **state)
{
    struct bill_line line = {.quantity_u6 = 1000000, .price_u6 = 1500000};
    int64_t minor;

    (void)state;
    assert_true(bill_line_amount(&line, "JPY", &minor));
    assert_int_equal(minor, 2);
    assert_true(bill_line_amount(&line, "HUF", &minor));
    assert_int_equal(minor, 150);
    line.price_u6 = 1500500;
    assert_true(bill_line_amount(&line, "KWD", &minor));
    assert_int_equal(minor, 1501);
    struct bill b;
    assert_int_equal(bill_new("EUX", true, arena, &b).kind, ERR_BAD_FIELD);
    assert_int_equal(bill_new(NULL, true, arena, &b).kind, ERR_BAD_FIELD);
}

static void amounts_beyond_reckoning_are_errors(void **state)
{
    struct bill b = new_bill(true);

    (void)state;
    bill_put(&b, (struct bill_line){.quantity_u6 = INT64_MAX, .price_u6 = INT64_MAX});
    assert_int_equal(bill_add_up(&b, &BILL_NO_LIMITS, 0).kind, ERR_BAD_FIELD);
    b = new_bill(true);
    bill_put(
        &b, (struct bill_line){.unit = BILL_HOUR, .quantity_u6 = INT64_MAX, .price_u6 = INT64_MAX});
    assert_int_equal(bill_add_up(&b, &BILL_NO_LIMITS, 0).kind, ERR_BAD_FIELD);
    b = new_bill(true);
    for (int i = 0; i < 150; i++)
        bill_put(&b,
                 (struct bill_line){.quantity_u6 = 1000000, .price_u6 = INT64_C(9900000000000000)});
    assert_int_equal(bill_add_up(&b, &BILL_NO_LIMITS, 0).kind, ERR_BAD_FIELD);
    b = new_bill(true);
    bill_put(&b, (struct bill_line){.quantity_u6 = 1000000, .price_u6 = 1, .vat_u4 = -1});
    assert_int_equal(bill_add_up(&b, &BILL_NO_LIMITS, 0).kind, ERR_BAD_FIELD);
}

/* ---- groups ---- */

static void w14_vat_is_taken_per_group_not_per_line(void **state)
{
    struct bill b = new_bill(false);

    (void)state;
    put_amount(&b, BILL_ENERGY, "1.03", 19);
    put_amount(&b, BILL_ENERGY, "1.03", 19);
    put_amount(&b, BILL_PARKING, "0.45", 10);
    added_up(&b, &BILL_NO_LIMITS);
    assert_totals(&b, 251, 44, 295);
    assert_int_equal(group_of(&b, 19).vat_minor, 39);
    assert_int_equal(group_of(&b, 10).vat_minor, 5);
    assert_int_equal(b.group_count, 2);
}

static void nets_of_lines_come_by_largest_remainder(void **state)
{
    struct bill b = new_bill(true);

    (void)state;
    /* 0.10 each: 0.084034 net, 0.25 together. */
    put_amount(&b, BILL_ENERGY, "0.10", 19);
    put_amount(&b, BILL_TIME, "0.10", 19);
    put_amount(&b, BILL_SESSION, "0.10", 19);
    added_up(&b, &BILL_NO_LIMITS);
    assert_totals(&b, 25, 5, 30);
    assert_int_equal(b.lines[0].net_minor, 9);
    assert_int_equal(b.lines[1].net_minor, 8);
    assert_int_equal(b.lines[2].net_minor, 8);
}

static void parts_sum_up_to_the_whole(void **state)
{
    static const struct {
        int64_t whole, weights[4], parts[4];
    } rows[] = {
        {100, {1, 1, 1, 0}, {34, 33, 33, 0}},       {2, {1, 1, 1, 1}, {1, 1, 0, 0}},
        {-2, {1, 1, 1, 1}, {-1, -1, 0, 0}},         {7, {0, 0, 0, 0}, {7, 0, 0, 0}},
        {1100, {60, 1375, 0, 0}, {46, 1054, 0, 0}}, {0, {5, 1, 2, 0}, {0, 0, 0, 0}},
        {10, {1, 2, 3, 0}, {2, 3, 5, 0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t parts[4];
        bill_allocate(rows[i].whole, rows[i].weights, 4, parts);
        for (size_t k = 0; k < 4; k++)
            if (parts[k] != rows[i].parts[k])
                fail_msg("row %zu, part %zu: %lld", i, k, (long long)parts[k]);
    }
}

/* ---- wholesale documents ---- */

static struct bill bill_by(const char *tariff, struct price_history h)
{
    struct price_tariff t = tariff_of(tariff);
    struct price p = reckoned(&t, 1, &h);
    struct bill b;
    struct err e = bill_of_price(&p, &t, 0, arena, &b);

    if (failed(e))
        fail_msg("no bill: %s", err_text(e));
    assert_adds_up(&b);
    return b;
}

#define W7(rest)                                                                                   \
    TARIFF_WITH(rest, ALWAYS(VAT("FLAT", "0.50", "20", "0") "," VAT("ENERGY", "0.25", "10", "1")))
#define W7_MAX "'max_price':{'excl_vat':10.00,'incl_vat':11.00},"

static void w1_odd_watt_hours(void **state)
{
    struct price_history h = STEPS(MONDAY, {60, 'c', 23457});
    ((struct price_period *)(uintptr_t)h.periods.at)->energy = 23456700;
    struct bill b = bill_by(
        TARIFF(ALWAYS(VAT("FLAT", "0.35", "19", "1") "," VAT("ENERGY", "0.4567", "19", "1"))), h);

    (void)state;
    assert_totals(&b, 1106, 210, 1316);
    assert_int_equal(b.lines[0].amount_minor, 35);
    assert_int_equal(b.lines[1].amount_minor, 1071);
    assert_int_equal(b.lines[1].quantity_u6, 23457000);
}

static void w5_energy_tiers(void **state)
{
    struct bill b = bill_by(TARIFF(WHEN("'max_kwh':10", VAT("ENERGY", "0.30", "19", "1")) "," WHEN(
                                "'min_kwh':10", VAT("ENERGY", "0.45", "19", "1"))),
                            STEPS(MONDAY, {30, 'c', 10000}, {30, 'c', 7383}));

    (void)state;
    assert_totals(&b, 632, 120, 752);
}

static void w6_power_tiers(void **state)
{
    struct bill b =
        bill_by(TARIFF(WHEN("'max_power':16.00", VAT("ENERGY", "0.20", "21", "1")) "," WHEN(
                    "'max_power':32.00",
                    VAT("ENERGY", "0.35", "21", "1")) "," ALWAYS(VAT("ENERGY", "0.50", "21", "1"))),
                STEPS(MONDAY, {10, 'c', 1000, 6000}, {50, 'c', 40000, 48000}, {8, 'c', 500, 4000}));

    (void)state;
    assert_totals(&b, 2030, 426, 2456);
}

static void w7_limits_of_a_receipt_hold_both(void **state)
{
    struct bill b = bill_by(W7(W7_MAX), STEPS(MONDAY, {60, 'c', 50000}));

    (void)state;
    assert_totals(&b, 996, 104, 1100);
    assert_int_equal(group_of(&b, 20).gross_minor, 46);
    assert_int_equal(group_of(&b, 20).vat_minor, 8);
    assert_int_equal(group_of(&b, 20).net_minor, 38);
    assert_int_equal(group_of(&b, 10).gross_minor, 1054);
    assert_int_equal(group_of(&b, 10).vat_minor, 96);
    assert_int_equal(group_of(&b, 10).net_minor, 958);
    /* What was cut is told, for each rate. */
    assert_int_equal(b.line_count, 4);
    assert_int_equal(b.lines[2].kind, BILL_LIMIT);
    assert_int_equal(b.lines[2].amount_minor, -12);
    assert_int_equal(b.lines[3].amount_minor, -292);
    b = bill_by(W7(W7_MAX), STEPS(MONDAY, {60, 'c', 30000}));
    assert_totals(&b, 800, 85, 885);
    assert_int_equal(b.line_count, 2);
}

static void w7_minimum(void **state)
{
    struct bill b = bill_by(TARIFF_WITH("'min_price':{'excl_vat':0.50,'incl_vat':0.55},",
                                        ALWAYS(VAT("ENERGY", "0.25", "10", "1"))),
                            STEPS(MONDAY, {60, 'c', 1200}));

    (void)state;
    assert_totals(&b, 50, 5, 55);
    assert_int_equal(b.lines[1].kind, BILL_MINIMUM);
    assert_int_equal(b.lines[1].amount_minor, 20);
    assert_int_equal(b.lines[1].vat_u4, 100000);
}

static void w9_taxes_of_230(void **state)
{
    struct price_tariff t =
        tariff_of(TARIFF_WITH("'tax_included':'NO',", ALWAYS(PLAIN("TIME", "2.00", "60"))));
    struct price_history h = STEPS(MONDAY, {150, 'c', 20000});
    struct bill_group g;
    struct bill b;

    (void)state;
    t.currency = "CAD";
    struct price p = reckoned(&t, 1, &h);
    /* Two taxes are one rate for the document: 14.975 %. */
    assert_false(failed(bill_of_price(&p, &t, 149750, arena, &b)));
    assert_totals(&b, 500, 75, 575);
    assert_false(failed(bill_group_of_net(5000000, 99750, "CAD", arena, &g)));
    assert_int_equal(g.vat_minor, 50);
    b = bill_by(TARIFF_230("YES", ALWAYS(VAT("ENERGY", "0.59", "19", "1"))),
                STEPS(MONDAY, {45, 'c', 31274}));
    assert_true(b.gross_priced);
    assert_totals(&b, 1550, 295, 1845);
}

/* ---- limits ---- */

static struct bill_limits limits(const char *min_net, const char *max_net, const char *min_gross,
                                 const char *max_gross)
{
    struct bill_limits l = BILL_NO_LIMITS;

    assert_true(!min_net || decimal_parse_u6(min_net, &l.min_net_u6));
    assert_true(!max_net || decimal_parse_u6(max_net, &l.max_net_u6));
    assert_true(!min_gross || decimal_parse_u6(min_gross, &l.min_gross_u6));
    assert_true(!max_gross || decimal_parse_u6(max_gross, &l.max_gross_u6));
    return l;
}

static void limits_hold_whatever_the_document(void **state)
{
    static const int rates[] = {0, 7, 10, 19, 20, 25};
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct bill b = new_bill(round & 1);
        int64_t max_net = 0, max_gross = 0;
        for (int i = 0; i < 4; i++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            bill_put(&b, (struct bill_line){.kind = BILL_ENERGY,
                                            .unit = BILL_KWH,
                                            .quantity_u6 = (int64_t)(seed >> 40),
                                            .price_u6 = (int64_t)(seed >> 20 & 0xfffff),
                                            .vat_u4 = rates[seed >> 60 & 3] * INT64_C(10000)});
            max_net = (int64_t)(seed >> 33 & 0x7ff);
            max_gross = (int64_t)(seed >> 45 & 0x7ff);
        }
        struct bill_limits l = BILL_NO_LIMITS;
        if (round & 2) {
            l.max_net_u6 = max_net * 10000;
            l.max_gross_u6 = max_gross * 10000;
        } else {
            l.min_net_u6 = max_net * 10000;
            l.min_gross_u6 = max_gross * 10000;
        }
        added_up(&b, &l);
        assert_adds_up(&b);
        if (round & 2) {
            assert_true(b.net_minor <= max_net && b.gross_minor <= max_gross);
            /* Not cut further than needed: one cent more per rate would break one of them. */
            bool cut = b.lines[b.line_count - 1].kind == BILL_LIMIT;
            assert_true(!cut || b.net_minor + 5 > max_net || b.gross_minor + 5 > max_gross);
        } else {
            assert_true(b.net_minor >= max_net && b.gross_minor >= max_gross);
        }
    }
}

static void a_minimum_where_nothing_costs_anything_has_a_rate(void **state)
{
    struct bill b = new_bill(true);
    struct bill_limits l = limits(NULL, NULL, "1.00", NULL);

    (void)state;
    put_amount(&b, BILL_TIME, "0", 7);
    put_amount(&b, BILL_ENERGY, "0", 20);
    added_up(&b, &l);
    assert_totals(&b, 83, 17, 100);
    assert_int_equal(b.lines[2].vat_u4, 200000);
    b = new_bill(true);
    put_amount(&b, BILL_TIME, "0", 7);
    added_up(&b, &l);
    assert_int_equal(b.lines[1].vat_u4, 70000);
    b = new_bill(false);
    l = limits("1.00", NULL, NULL, NULL);
    added_up(&b, &l);
    assert_totals(&b, 100, 19, 119);
    assert_int_equal(b.lines[0].kind, BILL_MINIMUM);
}

static void a_maximum_of_the_net_holds_on_a_gross_document(void **state)
{
    struct bill b = new_bill(true);
    struct bill_limits l = limits(NULL, "10.00", NULL, NULL);

    (void)state;
    put_amount(&b, BILL_ENERGY, "50.00", 19);
    added_up(&b, &l);
    assert_totals(&b, 1000, 190, 1190);
    b = new_bill(true);
    put_amount(&b, BILL_ENERGY, "50.00", 19);
    l = limits(NULL, NULL, NULL, "0");
    added_up(&b, &l);
    assert_totals(&b, 0, 0, 0);
}

/* ---- mirrors and statements ---- */

static void a_cancellation_is_the_exact_mirror(void **state)
{
    struct bill b = bill_by(W7(W7_MAX), STEPS(MONDAY, {60, 'c', 50000}));
    struct bill m = bill_mirror(&b, arena);

    (void)state;
    assert_totals(&m, -996, -104, -1100);
    assert_int_equal(m.line_count, b.line_count);
    for (size_t i = 0; i < b.line_count; i++) {
        assert_int_equal(m.lines[i].amount_minor + b.lines[i].amount_minor, 0);
        assert_int_equal(m.lines[i].net_minor + b.lines[i].net_minor, 0);
        assert_int_equal(m.lines[i].quantity_u6 + b.lines[i].quantity_u6, 0);
        assert_int_equal(m.lines[i].price_u6, b.lines[i].price_u6);
    }
    /* Reckoned anew from its quantities it is the same: half away from zero has no side. */
    for (size_t i = 0; i < 2; i++) {
        int64_t minor;
        assert_true(bill_line_amount(&m.lines[i], "EUR", &minor));
        assert_int_equal(minor, m.lines[i].amount_minor);
    }
    struct bill twice = bill_mirror(&m, arena);
    assert_totals(&twice, 996, 104, 1100);
}

static void w12_a_statement_rounds_the_sum(void **state)
{
    static const int64_t nets[] = {11062800, -11062800, 10351700, 6322400, 1184000};
    struct bill_group g;
    int64_t sum = 0;

    (void)state;
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
        sum += nets[i];
    assert_int_equal(sum, 17858100);
    assert_false(failed(bill_group_of_net(sum, 190000, "EUR", arena, &g)));
    assert_int_equal(g.net_minor, 1786);
    assert_int_equal(g.vat_minor, 339);
    assert_int_equal(g.gross_minor, 2125);
    /* Hub fee: 2.5 % of the sum. */
    struct bill_line fee = {.kind = BILL_FEE, .quantity_u6 = 25000, .price_u6 = sum};
    int64_t minor;
    assert_true(bill_line_amount(&fee, "EUR", &minor));
    assert_int_equal(minor, 45);
    assert_false(failed(bill_group_of_net(sum, 0, "EUR", arena, &g)));
    assert_int_equal(g.vat_minor, 0);
    assert_int_equal(g.gross_minor, 1786);
}

/* ---- as a CDR states it ---- */

static struct price_record record_of(const char *excl, const char *incl)
{
    struct price_record r = {.cdr = true, .currency = "EUR", .cost_incl = NUMBER_NONE};

    for (size_t i = 0; i < PRICE_PARTS; i++)
        r.parts[i] = (struct price_stated){NUMBER_NONE, NUMBER_NONE};
    assert_true(decimal_parse_u6(excl, &r.cost_excl));
    assert_true(!incl || decimal_parse_u6(incl, &r.cost_incl));
    r.kwh = 20000000;
    r.total_time = 1500000;
    r.total_parking_time = 500000;
    return r;
}

static struct bill stated(const struct price_record *r, int percent)
{
    struct bill b;
    struct err e = bill_of_record(r, percent * INT64_C(10000), arena, &b);

    if (failed(e))
        fail_msg("no bill: %s", err_text(e));
    assert_adds_up(&b);
    return b;
}

static void a_cdr_without_sub_totals_is_one_line(void **state)
{
    struct price_record r = record_of("4.0000", "4.4000");
    struct bill b = stated(&r, 19);

    (void)state;
    assert_totals(&b, 400, 40, 440);
    assert_int_equal(b.line_count, 1);
    assert_int_equal(b.lines[0].kind, BILL_CHARGING);
    assert_int_equal(b.lines[0].vat_u4, 100000);
    assert_int_equal(b.lines[0].price_u6, NUMBER_NONE);
    /* The rate of the place where that is what it says; and where it says none. */
    r = record_of("11.0628", "13.1647");
    b = stated(&r, 19);
    assert_totals(&b, 1106, 210, 1316);
    r = record_of("11.90", NULL);
    b = stated(&r, 19);
    assert_totals(&b, 1000, 190, 1190);
    r = record_of("0", NULL);
    b = stated(&r, 19);
    assert_totals(&b, 0, 0, 0);
    assert_int_equal(b.line_count, 1);
    r.cost_excl = NUMBER_NONE;
    assert_int_equal(bill_of_record(&r, 0, arena, &b).kind, ERR_BAD_FIELD);
}

static void sub_totals_become_lines(void **state)
{
    struct price_record r = record_of("5.50", "6.10");
    struct price_tariff t = tariff_of(
        TARIFF(ALWAYS(VAT("FLAT", "0.50", "20", "0") "," VAT("ENERGY", "0.25", "10", "1"))));

    (void)state;
    r.tariffs.at = &t;
    r.tariffs.count = 1;
    r.parts[PRICE_PART_FIXED] = (struct price_stated){500000, 600000};
    r.parts[PRICE_PART_ENERGY] = (struct price_stated){5000000, 5500000};
    struct bill b = stated(&r, 19);
    assert_totals(&b, 550, 60, 610);
    assert_int_equal(b.line_count, 2);
    assert_int_equal(b.lines[0].kind, BILL_SESSION);
    assert_int_equal(group_of(&b, 20).gross_minor, 60);
    assert_int_equal(b.lines[1].kind, BILL_ENERGY);
    assert_int_equal(b.lines[1].quantity_u6, 20000000);
    assert_int_equal(group_of(&b, 10).gross_minor, 550);
    /* Charging time is what is not parking. */
    r.parts[PRICE_PART_TIME] = (struct price_stated){0, 0};
    r.parts[PRICE_PART_ENERGY].incl -= 100000;
    r.parts[PRICE_PART_ENERGY].excl -= 90909;
    r.parts[PRICE_PART_TIME] = (struct price_stated){90909, 100000};
    b = stated(&r, 19);
    assert_int_equal(b.line_count, 3);
    assert_int_equal(b.lines[2].quantity_u6, 1000000);
    assert_int_equal(b.gross_minor, 610);
    /* What does not add up, a total that was cut for instance, is one line. */
    r.parts[PRICE_PART_ENERGY].incl += 1000000;
    b = stated(&r, 19);
    assert_int_equal(b.line_count, 1);
    assert_int_equal(b.gross_minor, 610);
}

static void a_credit_as_stated_mirrors_its_original(void **state)
{
    struct price_record r = record_of("5.50", "6.10"), c = record_of("-5.50", "-6.10");

    (void)state;
    r.parts[PRICE_PART_FIXED] = (struct price_stated){500000, 600000};
    r.parts[PRICE_PART_ENERGY] = (struct price_stated){5000000, 5500000};
    c.parts[PRICE_PART_FIXED] = (struct price_stated){-500000, -600000};
    c.parts[PRICE_PART_ENERGY] = (struct price_stated){-5000000, -5500000};
    struct bill b = stated(&r, 19), m = stated(&c, 19);
    assert_int_equal(b.gross_minor + m.gross_minor, 0);
    assert_int_equal(b.vat_minor + m.vat_minor, 0);
    assert_int_equal(m.lines[1].quantity_u6, -20000000);
}

static void kinds_and_units_have_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BILL_KIND_COUNT; i++)
        assert_int_equal(bill_kind_parse(bill_kind_name((enum bill_kind)i)), i);
    for (unsigned i = 0; i < BILL_UNIT_COUNT; i++)
        assert_int_equal(bill_unit_parse(bill_unit_name((enum bill_unit)i)), i);
    assert_int_equal(bill_kind_parse("x"), BILL_KIND_COUNT);
    assert_int_equal(bill_unit_parse(""), BILL_UNIT_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(rounding_is_half_away_from_zero),
        OCPI_TEST(a_line_is_multiplied_out_before_it_is_rounded),
        OCPI_TEST(a_currency_has_its_own_decimals),
        OCPI_TEST(amounts_beyond_reckoning_are_errors),
        OCPI_TEST(w14_vat_is_taken_per_group_not_per_line),
        OCPI_TEST(nets_of_lines_come_by_largest_remainder),
        OCPI_TEST(parts_sum_up_to_the_whole),
        OCPI_TEST(w1_odd_watt_hours),
        OCPI_TEST(w5_energy_tiers),
        OCPI_TEST(w6_power_tiers),
        OCPI_TEST(w7_limits_of_a_receipt_hold_both),
        OCPI_TEST(w7_minimum),
        OCPI_TEST(w9_taxes_of_230),
        OCPI_TEST(limits_hold_whatever_the_document),
        OCPI_TEST(a_minimum_where_nothing_costs_anything_has_a_rate),
        OCPI_TEST(a_maximum_of_the_net_holds_on_a_gross_document),
        OCPI_TEST(a_cancellation_is_the_exact_mirror),
        OCPI_TEST(w12_a_statement_rounds_the_sum),
        OCPI_TEST(a_cdr_without_sub_totals_is_one_line),
        OCPI_TEST(sub_totals_become_lines),
        OCPI_TEST(a_credit_as_stated_mirrors_its_original),
        OCPI_TEST(kinds_and_units_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
