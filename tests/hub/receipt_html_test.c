/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receipt as a page: all it must say, and names that cannot do anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "hub/finance/receipt_html.h"
#include "tests/hub/receipt_fixture.h"

#define NBSP "\xC2\xA0"

static struct arena *a;
static struct receipt_content content;
static struct receipt_document document;

static int setup(void **state)
{
    (void)state;
    a = arena_new(64 * 1024 * 1024);
    content = receipt_fixture(a);
    document = (struct receipt_document){.content = &content, .number = "FI-2026-0000042"};
    time_parse("2026-11-13T08:00:00Z", TIME_RFC3339, &document.issued_us);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static const char *page(enum receipt_language l)
{
    struct receipt_view view;
    struct text t;

    receipt_view_make(a, &document, l, &view);
    text_init(&t, a, RECEIPT_HTML_MAX);
    receipt_html_print(&t, &view);
    assert_false(text_overflowed(&t));
    return t.bytes;
}

static void has(const char *html, const char *part)
{
    if (!strstr(html, part))
        fail_msg("no %s in %s", part, html);
}

static void has_not(const char *html, const char *part)
{
    const char *at = strstr(html, part);

    if (at)
        fail_msg("%s in %.200s", part, at);
}

static void it_says_what_a_receipt_must_say(void **state)
{
    static const char *const parts[] = {
        "lang=\"de\"",
        "<h1>Rechnung</h1>",
        "FI-2026-0000042",
        "13.11.2026",
        "Nordlicht Oy",
        "Mannerheimintie 12 B",
        "00100 Helsinki",
        "FI12345678",
        "12.11.2026, 14:05:09 (UTC+2)",
        "12.11.2026, 20:17:34 (UTC+2)",
        "FI*VRT*E12345",
        "Kamppi, Urho Kekkosen katu 1, 00100 Helsinki, Finnland",
        "42,318" NBSP "kWh",
        "4" NBSP "h" NBSP "12" NBSP "min",
        "2" NBSP "h" NBSP "25" NBSP "s",
        "<td>0,59" NBSP "€/kWh</td>",
        "<td>24,97" NBSP "€</td>",
        "<td>13,30" NBSP "€</td>",
        "Zeit, ab Minute 240",
        "<tr><td>19" NBSP "%</td><td>32,45" NBSP "€</td><td>6,17" NBSP "€</td><td>38,62" NBSP
        "€</td></tr>",
        "Preise und Beträge einschließlich Umsatzsteuer.",
        "Standard, Version" NBSP "3",
        "770e8400-e29b-41d4-a716-446655440000",
        "CDR-1",
        "help@hub.example",
        "120.384,117" NBSP "kWh – 120.426,435" NBSP "kWh",
        "https://meter.example/1",
        "Die berechnete Zeit ist auf die längste Ladezeit des Tarifs begrenzt.",
        "Danke für Ihren Besuch",
    };
    const char *html = page(RECEIPT_DE);

    (void)state;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        has(html, parts[i]);
    has_not(html, "Storn");
    has_not(html, "class=\"warning\"");
    has_not(html, "src=");
    has_not(html, "<a ");
    has_not(html, "url(");
}

static void what_is_not_known_is_not_shown(void **state)
{
    (void)state;
    content.issuer = (struct receipt_party){.name = "Hub"};
    content.place = (struct receipt_place){.city = "Turku"};
    content.meter = NULL;
    content.charging_s = content.parking_s = -1;
    content.tariff_name = NULL;
    content.note_count = 0;
    const char *html = page(RECEIPT_EN);
    has(html, "<dd>Turku</dd>");
    has(html, "Price of the charging network");
    has_not(html, "Charging time");
    has_not(html, "Parking time");
    has_not(html, "Meter");
    has_not(html, "complaints");
    has_not(html, "Bill to");
    has_not(html, "Payment");
    has_not(html, "VAT ID");
    has_not(html, "null");
    has_not(html, "<dd></dd>");
    has_not(html, "<li>");
}

static void a_cancellation_is_marked(void **state)
{
    (void)state;
    content.bill = bill_mirror(&content.bill, a);
    content.cancels = "FI-2026-0000041";
    const char *html = page(RECEIPT_DE);
    has(html, "<main class=\"cancellation\">");
    has(html, "<h1>Stornorechnung</h1>");
    has(html, "<dt>Storniert Rechnung</dt><dd>FI-2026-0000041</dd>");
    has(html, "class=\"warning\"");
    has(html, "\xE2\x88\x92"
              "38,62" NBSP "€");
    has(html, "\xE2\x88\x92"
              "42,318" NBSP "kWh</td>");
}

static void a_cancelled_one_says_by_which(void **state)
{
    (void)state;
    document.cancelled_by = "FI-2026-0000043";
    document.payment_status = "refunded";
    const char *html = page(RECEIPT_FI);
    has(html, "<h1>Kuitti</h1>");
    has(html, "<p class=\"warning\">Peruttu asiakirjalla FI-2026-0000043</p>");
    has(html, "<dt>Maksu</dt><dd>Palautettu</dd>");
}

static void the_state_of_a_payment_is_shown_where_there_is_one(void **state)
{
    (void)state;
    document.payment_status = "not_required";
    has_not(page(RECEIPT_EN), "Payment");
    document.payment_status = "pending";
    has(page(RECEIPT_EN), "<dd>Not yet paid</dd>");
    content.payment_means = "Visa 4242";
    has(page(RECEIPT_EN), "<dd>Not yet paid (Visa 4242)</dd>");
    document.payment_status = NULL; /* as it was issued */
    content.payment_state = "paid";
    has(page(RECEIPT_EN), "<dd>Paid (Visa 4242)</dd>");
}

/* Each place where a text from outside can stand. */
static void hostile_names_are_shown_and_do_nothing(void **state)
{
    static const char bad[] = "<script>alert(1)</script>\"'&amp;\n\x01\x7F"
                              "\xE2\x80\xAE" /* right-to-left override */
                              "\xE2\x81\xA6" /* isolate */
                              "\xC2\x85"     /* C1 control */
                              "\xEF\xBF\xBF" /* no character */
                              "\xE2\x80\xA8" /* line separator */
                              "]]>--><style>";
    static const char *const list[] = {bad, bad};
    static const struct receipt_party party = {bad, list, 2, bad, bad};
    static const struct receipt_meter meter = {false, false, 0, 0, bad, bad};
    static const char *const never[] = {"<script",      "<style>a",     "]]><",         "\x01",
                                        "\x7F",         "\xE2\x80\xAE", "\xE2\x81\xA6", "\xC2\x85",
                                        "\xEF\xBF\xBF", "\xE2\x80\xA8", "'&amp;\n"};

    (void)state;
    content.issuer = party;
    content.buyer = &party;
    content.network = content.evse_id = content.session_id = content.cdr_id = bad;
    content.place = (struct receipt_place){bad, bad, bad, bad, bad, bad};
    content.tariff_name = bad;
    content.meter = &meter;
    content.replaces = bad;
    content.payment_means = content.payment_state = bad;
    content.notes = list;
    document.number = document.cancelled_by = bad;
    const char *html = page(RECEIPT_EN);
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        has_not(html, never[i]);
    has(html, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;amp;");
    /* The one style element is ours. */
    const char *ours = strstr(html, "<style>");
    assert_non_null(ours);
    assert_null(strstr(ours + 1, "<style>"));
    assert_true(text_is_utf8(html, strlen(html)));
}

static void bytes_that_are_no_utf8_become_question_marks(void **state)
{
    (void)state;
    content.network = "Vi\xFFrta<";
    has(page(RECEIPT_EN), "<dd>Vi?rta&lt;</dd>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_says_what_a_receipt_must_say, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_known_is_not_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cancellation_is_marked, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cancelled_one_says_by_which, setup, teardown),
        cmocka_unit_test_setup_teardown(the_state_of_a_payment_is_shown_where_there_is_one, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(hostile_names_are_shown_and_do_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_utf8_become_question_marks, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
