/* SPDX-License-Identifier: Apache-2.0 */
/* What a payment service provider says, and whether it was it that said so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/json.h"
#include "base/time.h"
#include "ocpi/psp.h"

static const char SECRET[] = "0123456789abcdef0123456789abcdef";
static const char BODY[] = "{\"id\":\"evt_1\"}";
static const int64_t NOW = INT64_C(1790000000) * US_PER_SECOND;

static struct secret secret;

static const char *sign(struct arena *a, int64_t stamp_s, const char *body, const char *key)
{
    const char *text = arena_printf(a, "%lld.%s", (long long)stamp_s, body);
    unsigned char mac[SHA256_BYTES];
    char hex[SHA256_HEX];

    id_hmac_sha256(key, strlen(key), text, strlen(text), mac);
    id_hex(mac, sizeof mac, hex);
    return arena_printf(a, "t=%lld,v1=%s", (long long)stamp_s, hex);
}

static bool good(const char *header, const char *body)
{
    return psp_signature_good(header, secret, body, strlen(body), NOW);
}

static void a_known_signature_is_good(void **state)
{
    /* HMAC-SHA256, reckoned by openssl: printf '1790000000.{"id":"evt_1"}' | openssl dgst -hmac */
    (void)state;
    assert_true(good("t=1790000000,v1="
                     "5f8e1783401c75f737e02796509697f0ec1c62169ac10c23dd144b297d8a00d0",
                     BODY));
}

static void a_signature_is_good_for_300_seconds_both_ways(void **state)
{
    struct arena *a = *state;

    for (int64_t age = -302; age <= 302; age++)
        assert_int_equal(good(sign(a, NOW / US_PER_SECOND - age, BODY, SECRET), BODY),
                         age >= -300 && age <= 300);
    assert_false(good(sign(a, NOW / US_PER_SECOND - 86400, BODY, SECRET), BODY));
}

static void another_secret_body_or_time_is_not_good(void **state)
{
    struct arena *a = *state;
    int64_t now = NOW / US_PER_SECOND;
    const char *header = sign(a, now, BODY, SECRET);

    assert_true(good(header, BODY));
    assert_false(good(sign(a, now, BODY, "another secret of thirty-two char"), BODY));
    assert_false(good(header, "{\"id\": \"evt_1\"}")); /* white space alone */
    assert_false(good(header, ""));
    /* The time is signed too. */
    char *moved = arena_text(a, header);
    moved[strlen("t=179000000")] ^= 1;
    assert_false(good(moved, BODY));
    /* Each digit counts. */
    for (size_t i = strlen("t=1790000000,v1="); header[i]; i++) {
        char *other = arena_text(a, header);
        other[i] = other[i] == '0' ? '1' : '0';
        assert_false(good(other, BODY));
    }
}

static void of_several_signatures_one_is_enough(void **state)
{
    struct arena *a = *state;
    int64_t now = NOW / US_PER_SECOND;
    const char *header = sign(a, now, BODY, SECRET);
    const char *other = sign(a, now, BODY, "the secret before this one was changed");
    const char *value = strstr(header, "v1=");

    assert_true(good(arena_printf(a, "%s,%s", other, value), BODY));
    assert_true(good(arena_printf(a, "%s, v0=x, %s", other, value), BODY));
    assert_true(good(arena_printf(a, "%s,t=", value), BODY) == false);
}

static void what_is_no_signature_is_not_good(void **state)
{
    static const char *const HEADERS[] = {
        "",
        "t=",
        "v1=",
        "t=1790000000",
        "t=1790000000,v1=",
        "t=1790000000,v1=00",
        "t=x,v1=00",
        ",,,,",
        "t=1790000000,t=1790000000",
        "t=-1",
        "t=99999999999999999999,v1=00",
        "=",
        "t",
    };
    struct arena *a = *state;

    for (size_t i = 0; i < sizeof HEADERS / sizeof *HEADERS; i++)
        assert_false(good(HEADERS[i], BODY));
    assert_false(psp_signature_good(NULL, secret, BODY, strlen(BODY), NOW));
    assert_false(psp_signature_good(sign(a, NOW / US_PER_SECOND, BODY, SECRET), (struct secret){0},
                                    BODY, strlen(BODY), NOW));
    char *twice = arena_printf(a, "t=1,%s", sign(a, NOW / US_PER_SECOND, BODY, SECRET));
    assert_false(good(twice, BODY));
}

/* ---- payments ---- */

static struct err view(struct arena *a, const char *text, struct psp_view *ret)
{
    json_t *json;

    assert_false(failed(json_read(a, text, strlen(text), 0, &json)));
    return psp_view_read(json, ret);
}

static void a_payment_is_read_and_of_its_card_four_digits(void **state)
{
    struct psp_view v;

    assert_false(
        failed(view(*state,
                    "{\"id\":\"pay_1\",\"reference\":\"r\",\"status\":\"captured\",\"amount\":6000,"
                    "\"currency\":\"EUR\",\"captured\":1384,\"refunded\":5,\"fee\":44,"
                    "\"expires_at\":\"2026-11-28T10:00:00Z\",\"card\":{\"brand\":\"visa\",\"last_"
                    "four\":\"4242\","
                    "\"number\":\"4242424242424242\",\"cvc\":\"123\"}}",
                    &v)));
    assert_string_equal(v.psp_id, "pay_1");
    assert_int_equal(v.status, PSP_CAPTURED);
    assert_int_equal(v.amount_minor, 6000);
    assert_int_equal(v.captured_minor, 1384);
    assert_int_equal(v.refunded_minor, 5);
    assert_int_equal(v.fee_minor, 44);
    assert_string_equal(v.currency, "EUR");
    assert_string_equal(v.last_four, "4242");
    assert_int_equal(v.expires_us, INT64_C(1795860000) * US_PER_SECOND);
}

static void a_longer_number_in_the_place_of_four_digits_is_dropped(void **state)
{
    struct psp_view v;

    assert_false(failed(view(*state,
                             "{\"id\":\"p\",\"status\":\"pending\",\"amount\":1,\"currency\":"
                             "\"EUR\",\"card\":{\"last_four\":\"4242424242424242\"}}",
                             &v)));
    assert_null(v.last_four);
}

static void what_is_not_exact_is_no_payment(void **state)
{
    static const char *const WRONG[] = {
        "{}",
        "{\"id\":\"p\",\"status\":\"pending\",\"amount\":60.00,\"currency\":\"EUR\"}",
        "{\"id\":\"p\",\"status\":\"pending\",\"amount\":\"6000\",\"currency\":\"EUR\"}",
        "{\"id\":\"p\",\"status\":\"pending\",\"amount\":-1,\"currency\":\"EUR\"}",
        "{\"id\":\"p\",\"status\":\"pending\",\"amount\":9223372036854775807,\"currency\":\"EUR\"}",
        "{\"id\":\"p\",\"status\":\"pending\",\"currency\":\"EUR\"}",
        "{\"id\":\"p\",\"status\":\"pending\",\"amount\":1,\"currency\":\"eur\"}",
        "{\"id\":\"p\",\"status\":\"pending\",\"amount\":1}",
        "{\"id\":\"p\",\"status\":\"succeeded\",\"amount\":1,\"currency\":\"EUR\"}",
        "{\"id\":\"p\",\"amount\":1,\"currency\":\"EUR\"}",
        "{\"id\":\"\",\"status\":\"pending\",\"amount\":1,\"currency\":\"EUR\"}",
        "{\"id\":5,\"status\":\"pending\",\"amount\":1,\"currency\":\"EUR\"}",
        "{\"id\":\"p\",\"status\":\"pending\",\"amount\":1,\"currency\":\"EUR\",\"captured\":1.5}",
        "{\"id\":\"p\",\"status\":\"pending\",\"amount\":1,\"currency\":\"EUR\",\"refunded\":true}",
        ("{\"id\":\"p\",\"status\":\"pending\",\"amount\":1,\"currency\":\"EUR\",\"expires_at\":"
         "\"x\"}"),
    };
    struct psp_view v;

    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        assert_true(failed(view(*state, WRONG[i], &v)));
}

/* ---- events ---- */

static struct err event(struct arena *a, const char *type, int64_t captured, int64_t refunded,
                        struct psp_event *ret)
{
    const char *text = arena_printf(
        a,
        "{\"id\":\"evt_1\",\"type\":\"%s\",\"payment\":{\"id\":\"p\",\"status\":\"captured\","
        "\"amount\":6000,\"currency\":\"EUR\",\"captured\":%lld,\"refunded\":%lld}}",
        type, (long long)captured, (long long)refunded);

    return psp_event_read(a, text, strlen(text), ret);
}

static void kinds_of_events_become_events_of_the_table(void **state)
{
    static const char *const KINDS[][2] = {
        {"payment.authorised", "authorised"},
        {"payment.declined", "auth_declined"},
        {"payment.captured", "captured"},
        {"payment.capture_failed", "capture_declined"},
        {"payment.voided", "voided"},
        {"payment.expired", "expired"},
        {"payment.disputed", "disputed"},
        {"payment.dispute_won", "dispute_won"},
        {"payment.dispute_lost", "dispute_lost"},
    };
    struct psp_event e;

    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        assert_false(failed(event(*state, KINDS[i][0], 10, 0, &e)));
        assert_string_equal(e.event, KINDS[i][1]);
    }
    assert_false(failed(event(*state, "payment.refunded", 10, 4, &e)));
    assert_string_equal(e.event, "refunded_part");
    assert_false(failed(event(*state, "payment.refunded", 10, 10, &e)));
    assert_string_equal(e.event, "refunded_all");
    assert_false(failed(event(*state, "payment.polished", 10, 0, &e)));
    assert_null(e.event);
}

static void an_event_of_another_kind_needs_no_payment(void **state)
{
    static const char TEXT[] = "{\"id\":\"evt_2\",\"type\":\"account.updated\"}";
    struct psp_event e;

    assert_false(failed(psp_event_read(*state, TEXT, sizeof TEXT - 1, &e)));
    assert_null(e.event);
    assert_null(e.view.psp_id);
}

static void a_body_that_is_no_event_is_refused(void **state)
{
    static const char *const WRONG[] = {
        "",
        "[]",
        "{",
        "{}",
        "{\"id\":\"e\"}",
        "{\"type\":\"payment.captured\"}",
        "{\"id\":\"e\",\"type\":\"payment.captured\"}",
        "{\"id\":\"e\",\"type\":\"payment.captured\",\"payment\":[]}",
        "{\"id\":\"e\",\"id\":\"f\",\"type\":\"x\"}",
        "{\"id\":\"e\",\"type\":\"x\"} x",
    };
    struct psp_event e;

    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        assert_true(failed(psp_event_read(*state, WRONG[i], strlen(WRONG[i]), &e)));
}

static int setup(void **state)
{
    *state = arena_new(16 << 20);
    secret = secret_from(SECRET, strlen(SECRET));
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    secret_wipe(&secret);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_known_signature_is_good),
        TEST(a_signature_is_good_for_300_seconds_both_ways),
        TEST(another_secret_body_or_time_is_not_good),
        TEST(of_several_signatures_one_is_enough),
        TEST(what_is_no_signature_is_not_good),
        TEST(a_payment_is_read_and_of_its_card_four_digits),
        TEST(a_longer_number_in_the_place_of_four_digits_is_dropped),
        TEST(what_is_not_exact_is_no_payment),
        TEST(kinds_of_events_become_events_of_the_table),
        TEST(an_event_of_another_kind_needs_no_payment),
        TEST(a_body_that_is_no_event_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
