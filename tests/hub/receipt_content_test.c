/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of receipts: canonical, whole, and read back as it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "tests/hub/receipt_fixture.h"

static struct arena *a;

static int setup(void **state)
{
    (void)state;
    a = arena_new(64 * 1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static const char *printed(const struct receipt_content *c)
{
    const char *text;
    size_t length;

    struct err e = receipt_content_print(a, c, &text, &length);
    if (failed(e))
        fail_msg("%s", err_text(e));
    assert_int_equal(strlen(text), length);
    return text;
}

static struct receipt_content read_back(const char *text)
{
    struct receipt_content c;

    struct err e = receipt_content_read(a, text, strlen(text), &c);
    if (failed(e))
        fail_msg("%s: %s", err_text(e), text);
    return c;
}

static void the_text_is_canonical(void **state)
{
    struct receipt_content c = receipt_fixture(a);

    (void)state;
    assert_string_equal(
        printed(&c),
        "{\"issuer\":{\"name\":\"Nordlicht Oy\",\"address\":[\"Mannerheimintie 12 B\","
        "\"00100 Helsinki\"],\"vat_id\":\"FI12345678\",\"contact\":\"help@hub.example\"},"
        "\"buyer\":null,\"network\":\"Virta\",\"evse_id\":\"FI*VRT*E12345\","
        "\"location\":{\"name\":\"Kamppi\",\"address\":\"Urho Kekkosen katu 1\","
        "\"postal_code\":\"00100\",\"city\":\"Helsinki\",\"country\":\"FIN\","
        "\"time_zone\":\"Europe/Helsinki\"},\"supply\":{\"start\":\"2026-11-12T14:05:09+02:00\","
        "\"end\":\"2026-11-12T20:17:34+02:00\",\"energy_kwh\":42.318,\"duration_s\":22345,"
        "\"charging_s\":15120,\"parking_s\":7225},\"tariff\":{\"name\":\"Standard\",\"version\":3,"
        "\"mode\":\"fixed\"},\"price_includes_vat\":true,\"lines\":["
        "{\"kind\":\"session\",\"quantity\":1,\"unit\":\"piece\",\"from_minute\":0,\"price\":0.35,"
        "\"amount\":0.35,\"net\":0.29,\"vat_rate\":19},"
        "{\"kind\":\"energy\",\"quantity\":42.318,\"unit\":\"kwh\",\"from_minute\":0,"
        "\"price\":0.59,\"amount\":24.97,\"net\":20.98,\"vat_rate\":19},"
        "{\"kind\":\"time\",\"quantity\":133,\"unit\":\"minute\",\"from_minute\":240,"
        "\"price\":0.1,\"amount\":13.30,\"net\":11.18,\"vat_rate\":19}],"
        "\"vat\":[{\"rate\":19,\"net\":32.45,\"amount\":6.17,\"gross\":38.62}],"
        "\"currency\":\"EUR\",\"net\":32.45,\"vat_total\":6.17,\"gross\":38.62,"
        "\"session_id\":\"770e8400-e29b-41d4-a716-446655440000\",\"cdr_id\":\"CDR-1\","
        "\"meter\":{\"start_kwh\":120384.117,\"end_kwh\":120426.435,"
        "\"signed_url\":\"https://meter.example/1\",\"signed_sha256\":\"9f86\"},"
        "\"cancels\":null,\"replaces\":null,\"payment\":null,"
        "\"notes\":[\"max_charging_time\",\"Danke für Ihren Besuch\"]}");
    assert_string_equal(printed(&c), printed(&c));
}

static void what_was_read_is_printed_as_it_came(void **state)
{
    static const char *const address[] = {"Lange Straße 1", "10115 Berlin"};
    static const struct receipt_party buyer = {"A & \"B\" <GmbH>", address, 2, "DE999", NULL};
    struct receipt_content c = receipt_fixture(a);

    (void)state;
    for (int round = 0; round < 4; round++) {
        const char *text = printed(&c);
        struct receipt_content again = read_back(text);
        assert_string_equal(printed(&again), text);
        c.buyer = &buyer;
        c.payment_state = "paid";
        c.payment_means = "Visa 4242";
        c.replaces = "FI-2026-1";
        if (round == 1) { /* half an hour behind UTC; nothing known of the times */
            c.start.offset_s = -(3 * 3600 + 1800);
            c.charging_s = c.parking_s = -1;
            c.end.us = TIME_NONE;
            c.meter = NULL;
            c.bill.lines[1].price_u6 = NUMBER_NONE;
        }
        if (round == 2)
            c.bill = bill_mirror(&c.bill, a);
    }
}

static void the_order_of_keys_does_not_matter_to_the_reader(void **state)
{
    struct receipt_content c = receipt_fixture(a);
    const char *text = printed(&c);
    json_t *root;

    (void)state;
    assert_false(failed(json_read(a, text, strlen(text), 0, &root)));
    const char *sorted = json_canonical(a, root);
    assert_string_not_equal(sorted, text);
    c = read_back(sorted);
    assert_string_equal(printed(&c), text);
}

static void amounts_have_the_decimals_of_their_currency(void **state)
{
    static const struct {
        const char *currency, *gross;
    } cases[] = {{"JPY", "\"gross\":1234567}"}, {"KWD", "\"gross\":1234.567}"}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct receipt_content c = receipt_fixture(a);
        assert_false(failed(bill_new(cases[i].currency, true, a, &c.bill)));
        bill_put(&c.bill, (struct bill_line){.kind = BILL_CHARGING,
                                             .quantity_u6 = 1000000,
                                             .price_u6 = NUMBER_NONE,
                                             .amount_minor = 1234567});
        assert_false(failed(bill_add_up(&c.bill, &BILL_NO_LIMITS, 0)));
        const char *text = printed(&c);
        assert_non_null(strstr(text, cases[i].gross));
        c = read_back(text);
        assert_int_equal(c.bill.gross_minor, 1234567);
        assert_true(c.bill.lines[0].price_u6 == NUMBER_NONE);
    }
}

static void figures_that_do_not_add_up_are_told(void **state)
{
    (void)state;
    struct receipt_content c = receipt_fixture(a);
    assert_null(receipt_content_wrong(&c));
    c.bill.lines[0].amount_minor++;
    assert_string_equal(receipt_content_wrong(&c), "the lines do not make the total");
    c = receipt_fixture(a);
    c.bill.groups[0].vat_minor++;
    assert_string_equal(receipt_content_wrong(&c), "net and VAT of a rate do not make its gross");
    c = receipt_fixture(a);
    c.bill.groups[0].vat_minor++;
    c.bill.groups[0].net_minor--;
    assert_string_equal(receipt_content_wrong(&c), "the VAT rates do not make the totals");
    c = receipt_fixture(a);
    c.bill = bill_mirror(&c.bill, a);
    assert_null(receipt_content_wrong(&c));
}

static void what_is_too_much_is_refused(void **state)
{
    struct receipt_content c = receipt_fixture(a);
    const char *text = "";
    size_t length;
    char *name = arena_alloc(a, 5000);

    (void)state;
    memset(name, 'x', 4999);
    c.network = name;
    assert_int_equal(receipt_content_print(a, &c, &text, &length).kind, ERR_TOO_LARGE);
    c = receipt_fixture(a);
    c.note_count = RECEIPT_NOTES_MAX + 1;
    const char *notes[RECEIPT_NOTES_MAX + 1];
    for (size_t i = 0; i <= RECEIPT_NOTES_MAX; i++)
        notes[i] = "n";
    c.notes = notes;
    assert_int_equal(receipt_content_print(a, &c, &text, &length).kind, ERR_TOO_LARGE);
    c = receipt_fixture(a);
    c.bill.gross_minor = INT64_MAX; /* more digits than a reader would give back */
    assert_int_equal(receipt_content_print(a, &c, &text, &length).kind, ERR_TOO_LARGE);
    assert_string_equal(text, "");
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *good, *bad, *where;
    } cases[] = {
        {"\"kind\":\"energy\"", "\"kind\":\"coffee\"", "lines"},
        {"\"unit\":\"kwh\"", "\"unit\":7", "lines"},
        {"\"gross\":38.62,\"session", "\"gross\":38.625,\"session", "gross"},
        {"\"vat_total\":6.17", "\"vat_total\":\"6.17\"", "vat_total"},
        {"\"currency\":\"EUR\"", "\"currency\":\"EURO\"", "currency"},
        {"\"start\":\"2026-11-12T14:05:09+02:00\"", "\"start\":\"yesterday\"", "start"},
        {"\"start\":\"2026-11-12T14:05:09+02:00\"", "\"start\":\"2026-11-12T14:05:09Z\"", "start"},
        {"\"lines\":[", "\"posts\":[", "lines"},
        {"\"notes\":[", "\"notes\":[1,", "notes"},
    };
    struct receipt_content c = receipt_fixture(a), got;
    const char *text = printed(&c);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *at = strstr(text, cases[i].good);
        assert_non_null(at);
        const char *bad = arena_printf(a, "%.*s%s%s", (int)(at - text), text, cases[i].bad,
                                       at + strlen(cases[i].good));
        struct err e = receipt_content_read(a, bad, strlen(bad), &got);
        assert_int_equal(e.kind, ERR_BAD_FIELD);
        assert_string_equal(e.where, cases[i].where);
    }
    assert_true(failed(receipt_content_read(a, "[]", 2, &got)));
    assert_true(failed(receipt_content_read(a, "{", 1, &got)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_text_is_canonical, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_read_is_printed_as_it_came, setup, teardown),
        cmocka_unit_test_setup_teardown(the_order_of_keys_does_not_matter_to_the_reader, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(amounts_have_the_decimals_of_their_currency, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(figures_that_do_not_add_up_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_too_much_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_named, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
