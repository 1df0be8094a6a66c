/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lint of tariffs: each oddity is found where it is, and a usual tariff has none.
 */
#include "tests/ocpi/price_check.h"

#include "base/text.h"
#include "ocpi/tariff_lint.h"

#define ENERGY VAT("ENERGY", "0.40", "19", "1")

static struct tariff_lints linted(const struct price_tariff *t)
{
    struct tariff_lint_facts facts = {.country_currency = "EUR", .country_vat_u4 = 190000};
    struct tariff_lints l;

    tariff_lint(t, &facts, arena, &l);
    return l;
}

static const struct tariff_lint *find(const struct tariff_lints *l, enum tariff_lint_kind kind)
{
    for (size_t i = 0; i < l->findings.count; i++)
        if (l->findings.at[i].kind == kind)
            return &l->findings.at[i];
    return NULL;
}

struct row {
    const char *tariff;
    enum tariff_lint_kind kind;
    const char *path;
};

static void assert_row(const struct row *row)
{
    struct price_tariff t = tariff_of(row->tariff);
    struct tariff_lints l = linted(&t);
    const struct tariff_lint *f = find(&l, row->kind);

    if (!f || strcmp(f->path, row->path) != 0)
        fail_msg("%s: %s", row->tariff, f ? f->path : "nothing found");
    if (l.hold != (f->severity == LINT_HOLD))
        fail_msg("%s: %s", row->tariff, l.hold ? "held" : "not held");
}

static void a_usual_tariff_has_no_findings(void **state)
{
    static const char *const tariffs[] = {
        TARIFF(ALWAYS(ENERGY)),
        TARIFF(ALWAYS(VAT("FLAT", "0.50", "19", "1") "," ENERGY "," VAT(
            "TIME", "1", "19", "1") "," VAT("PARKING_TIME", "6", "19", "1"))),
        TARIFF(WHEN("'start_time':'08:00','end_time':'20:00'",
                    VAT("ENERGY", "0.50", "19", "1")) "," ALWAYS(ENERGY)),
        TARIFF(WHEN("'reservation':'RESERVATION'", VAT("TIME", "2", "19", "1")) "," ALWAYS(ENERGY)),
        TARIFF_230("YES", ALWAYS(ENERGY)),
        TARIFF(ALWAYS(PLAIN("FLAT", "0", "0"))),
        TARIFF_211(ALWAYS("{'type':'ENERGY','price':0.4,'step_size':1}")),
        TARIFF(ALWAYS(VAT("ENERGY", "5.00", "19",
                          "1") "," VAT("TIME", "120", "19", "1") "," VAT("FLAT", "50", "19", "1"))),
    };

    (void)state;
    for (size_t i = 0; i < sizeof tariffs / sizeof *tariffs; i++) {
        struct price_tariff t = tariff_of(tariffs[i]);
        struct tariff_lints l = linted(&t);
        if (l.findings.count || l.hold)
            fail_msg("%s: %s at %s", tariffs[i], l.findings.at[0].text, l.findings.at[0].path);
    }
}

static void oddities_are_found_where_they_are(void **state)
{
    static const struct row rows[] = {
        {TARIFF(WHEN("'max_kwh':10", ENERGY)), TARIFF_LINT_no_default, "/elements"},
        {TARIFF(WHEN("'start_time':'08:00','end_time':'08:00'", ENERGY)), TARIFF_LINT_equal_times,
         "/elements/0/restrictions/end_time"},
        {TARIFF(ALWAYS(ENERGY) "," WHEN("'max_kwh':10", VAT("ENERGY", "0.30", "19", "1"))),
         TARIFF_LINT_unreachable, "/elements/1/price_components/0"},
        {TARIFF(ALWAYS(ENERGY "," VAT("ENERGY", "0.30", "19", "1"))), TARIFF_LINT_unreachable,
         "/elements/0/price_components/1"},
        {TARIFF(WHEN("'start_time':'22:00','end_time':'06:00'", ENERGY) "," WHEN(
             "'start_time':'23:00','end_time':'05:00'", ENERGY) "," ALWAYS(ENERGY)),
         TARIFF_LINT_unreachable, "/elements/1/price_components/0"},
        {TARIFF(WHEN("'day_of_week':['MONDAY','TUESDAY']", ENERGY) "," WHEN(
             "'day_of_week':['MONDAY'],'min_power':5", ENERGY) "," ALWAYS(ENERGY)),
         TARIFF_LINT_unreachable, "/elements/1/price_components/0"},
        {TARIFF(WHEN("'min_kwh':10,'max_kwh':10", ENERGY) "," ALWAYS(ENERGY)),
         TARIFF_LINT_impossible, "/elements/0/restrictions/max_kwh"},
        {TARIFF(WHEN("'min_duration':60,'max_duration':30", ENERGY) "," ALWAYS(ENERGY)),
         TARIFF_LINT_impossible, "/elements/0/restrictions/max_duration"},
        {TARIFF(
             WHEN("'start_date':'2026-02-01','end_date':'2026-01-01'", ENERGY) "," ALWAYS(ENERGY)),
         TARIFF_LINT_impossible, "/elements/0/restrictions/end_date"},
        {TARIFF(WHEN("'max_kwh':0", ENERGY) "," ALWAYS(ENERGY)), TARIFF_LINT_max_kwh_zero,
         "/elements/0/restrictions/max_kwh"},
        {TARIFF(ALWAYS(VAT("ENERGY", "0.4", "19", "0"))), TARIFF_LINT_step_zero,
         "/elements/0/price_components/0/step_size"},
        {TARIFF(ALWAYS(ENERGY "," VAT("TIME", "1", "19", "60"))), TARIFF_LINT_step_not_one,
         "/elements/0/price_components/1/step_size"},
        {TARIFF(WHEN("'max_kwh':10",
                     VAT("FLAT", "1", "19", "1")) "," ALWAYS(VAT("FLAT", "2", "19", "1"))),
         TARIFF_LINT_flat_ambiguous, "/elements/1/price_components/0"},
        {TARIFF(ALWAYS(VAT("PARKING_TIME", "6", "19", "1"))), TARIFF_LINT_parking_only,
         "/elements"},
        {TARIFF(WHEN("'reservation':'RESERVATION'", ENERGY) "," ALWAYS(ENERGY)),
         TARIFF_LINT_reservation_dimension, "/elements/0/price_components/0/type"},
        {TARIFF(ALWAYS(PLAIN("ENERGY", "0.4", "1"))), TARIFF_LINT_vat_missing,
         "/elements/0/price_components/0/vat"},
        {TARIFF_230("N/A", ALWAYS(PLAIN("ENERGY", "0.4", "1"))), TARIFF_LINT_vat_missing,
         "/tax_included"},
        {TARIFF(ALWAYS(VAT("ENERGY", "0.4", "7", "1"))), TARIFF_LINT_vat_unusual,
         "/elements/0/price_components/0/vat"},
        {TARIFF_230("N/A", ALWAYS(ENERGY)), TARIFF_LINT_vat_ignored, "/tax_included"},
        {TARIFF_230("YES", ALWAYS(PLAIN("ENERGY", "0.4", "1"))), TARIFF_LINT_net_unknown,
         "/elements/0/price_components/0/vat"},
        {TARIFF_WITH("'min_price':{'excl_vat':2},'max_price':{'excl_vat':1},", ALWAYS(ENERGY)),
         TARIFF_LINT_min_above_max, "/min_price"},
        {TARIFF(ALWAYS(VAT("ENERGY", "5.01", "19", "1"))), TARIFF_LINT_price_high,
         "/elements/0/price_components/0/price"},
        {TARIFF(ALWAYS(VAT("TIME", "120.01", "19", "1"))), TARIFF_LINT_price_high,
         "/elements/0/price_components/0/price"},
        {TARIFF(ALWAYS(VAT("FLAT", "50.01", "19", "1"))), TARIFF_LINT_price_high,
         "/elements/0/price_components/0/price"},
        {TARIFF(ALWAYS(VAT("ENERGY", "0.1234567", "19", "1"))), TARIFF_LINT_precision_reduced,
         "/elements"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_row(&rows[i]);
}

/* What no document may have, and a struct can. */
static void what_the_tables_refuse_is_found_too(void **state)
{
    struct price_tariff t = tariff_of(TARIFF(ALWAYS(ENERGY)));

    (void)state;
    t.start_us = at("2026-02-01T00:00:00Z");
    t.end_us = t.start_us;
    struct tariff_lints l = linted(&t);
    assert_non_null(find(&l, TARIFF_LINT_end_before_start));
    assert_true(l.hold);
    t = tariff_of(TARIFF(ALWAYS(ENERGY)));
    t.currency = "EUX";
    l = linted(&t);
    assert_non_null(find(&l, TARIFF_LINT_currency_unknown));
    struct ocpi_price_component c = {OCPI_PRICED_ENERGY, -1, 19000000, 1};
    struct ocpi_tariff_element e = {.price_components = {&c, 1}};
    t.currency = "EUR";
    t.elements.at = &e;
    t.elements.count = 1;
    l = linted(&t);
    assert_non_null(find(&l, TARIFF_LINT_negative_price));
    assert_true(l.hold);
}

static void overlapping_windows_do_not_hide_each_other(void **state)
{
    static const char *const tariffs[] = {
        TARIFF(WHEN("'start_time':'22:00','end_time':'06:00'", ENERGY) "," WHEN(
            "'start_time':'05:00','end_time':'23:00'", ENERGY) "," ALWAYS(ENERGY)),
        TARIFF(WHEN("'day_of_week':['MONDAY']", ENERGY) "," WHEN("'min_power':5",
                                                                 ENERGY) "," ALWAYS(ENERGY)),
        TARIFF(WHEN("'max_kwh':10", ENERGY) "," WHEN("'max_kwh':11", ENERGY) "," ALWAYS(ENERGY)),
        TARIFF(WHEN("'reservation':'RESERVATION'", VAT("TIME", "1", "19", "1")) "," ALWAYS(
            ENERGY "," VAT("TIME", "1", "19", "1"))),
        TARIFF(WHEN("'start_date':'2026-01-01'", ENERGY) "," ALWAYS(ENERGY)),
    };

    (void)state;
    for (size_t i = 0; i < sizeof tariffs / sizeof *tariffs; i++) {
        struct price_tariff t = tariff_of(tariffs[i]);
        struct tariff_lints l = linted(&t);
        if (find(&l, TARIFF_LINT_unreachable))
            fail_msg("%s: %s", tariffs[i], find(&l, TARIFF_LINT_unreachable)->path);
    }
}

static void prices_are_judged_in_the_size_of_their_currency(void **state)
{
    struct tariff_lint_facts facts = {.country_currency = "SEK", .country_vat_u4 = NUMBER_NONE};
    struct price_tariff t = tariff_of(TARIFF(ALWAYS(VAT("ENERGY", "8", "25", "1"))));
    struct tariff_lints l;

    (void)state;
    t.currency = "SEK";
    tariff_lint(&t, &facts, arena, &l);
    assert_int_equal(l.findings.count, 0);
    facts.per_eur_u6 = 1000000;
    tariff_lint(&t, &facts, arena, &l);
    assert_non_null(find(&l, TARIFF_LINT_price_high));
    facts.country_currency = "EUR";
    tariff_lint(&t, &facts, arena, &l);
    assert_non_null(find(&l, TARIFF_LINT_currency_foreign));
    /* A currency whose size nobody knows is not judged. */
    t.currency = "XOF";
    facts = (struct tariff_lint_facts){.country_vat_u4 = NUMBER_NONE};
    tariff_lint(&t, &facts, arena, &l);
    assert_int_equal(l.findings.count, 0);
}

static void findings_are_bounded_and_a_hold_is_not_lost(void **state)
{
    enum { COUNT = 300 };
    struct ocpi_price_component c = {OCPI_PRICED_ENERGY, 400000, 19000000, 0},
                                dear = {OCPI_PRICED_TIME, INT64_C(1000000000), 19000000, 1};
    struct ocpi_tariff_element *elements = arena_alloc(arena, COUNT * sizeof *elements);
    struct price_tariff t = tariff_of(TARIFF(ALWAYS(ENERGY)));

    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        elements[i] =
            (struct ocpi_tariff_element){.price_components = {i + 1 < COUNT ? &c : &dear, 1}};
    t.elements.at = elements;
    t.elements.count = COUNT;
    struct tariff_lints l = linted(&t);
    assert_int_equal(l.findings.count, TARIFF_LINTS_MAX);
    assert_true(l.hold);
}

static void ids_that_are_used_and_unknown(void **state)
{
    static const char *const used[] = {"a", "B", "c", "C"}, *const known[] = {"A", "b"};
    const char *const *unknown;

    (void)state;
    assert_int_equal(tariff_lint_unknown(used, 4, known, 2, arena, &unknown), 1);
    assert_string_equal(unknown[0], "c");
    assert_int_equal(tariff_lint_unknown(used, 0, known, 2, arena, &unknown), 0);
}

static void findings_are_printed(void **state)
{
    struct price_tariff t = tariff_of(TARIFF(ALWAYS(VAT("ENERGY", "0.4", "19", "0"))));
    struct tariff_lints l = linted(&t);
    struct text out;

    (void)state;
    text_init(&out, arena, 1000);
    tariff_lint_print(&l, &out, NULL);
    assert_string_equal(out.bytes, "[{\"name\":\"step_zero\",\"severity\":\"warn\","
                                   "\"text\":\"a step_size of 0 is read as 1\","
                                   "\"path\":\"/elements/0/price_components/0/step_size\"}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(a_usual_tariff_has_no_findings),
        OCPI_TEST(oddities_are_found_where_they_are),
        OCPI_TEST(what_the_tables_refuse_is_found_too),
        OCPI_TEST(overlapping_windows_do_not_hide_each_other),
        OCPI_TEST(prices_are_judged_in_the_size_of_their_currency),
        OCPI_TEST(findings_are_bounded_and_a_hold_is_not_lost),
        OCPI_TEST(ids_that_are_used_and_unknown),
        OCPI_TEST(findings_are_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
