/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Envelope: ours as printed, a partner's as it may come.
 */
#include "tests/ocpi/ocpi_test.h"

#include "base/text.h"
#include "base/time.h"
#include "ocpi/envelope.h"

#define NOW (INT64_C(1774857600) * US_PER_SECOND)
#define TIMESTAMP "\"timestamp\":\"2026-03-30T08:00:00Z\""

static const char *printed_err(enum err_kind kind, const char *text, enum ocpi_version version)
{
    struct text out;

    text_init(&out, arena, 4096);
    envelope_print_err(&out, (struct err){kind, text, NULL}, version);
    return out.bytes;
}

static void an_envelope_has_data_code_message_and_time(void **state)
{
    struct text out;

    (void)state; /* R-TRANS-30, 31 */
    time_set_for_test(NOW);
    text_init(&out, arena, 4096);
    envelope_print(&out, OCPI_SUCCESS, NULL, "[1,2]", 5);
    assert_string_equal(out.bytes, "{\"data\":[1,2],\"status_code\":1000," TIMESTAMP "}");
    text_reset(&out);
    envelope_print(&out, OCPI_SUCCESS, "Success", NULL, 0);
    assert_string_equal(out.bytes,
                        "{\"status_code\":1000,\"status_message\":\"Success\"," TIMESTAMP "}");
    time_set_for_test(TIME_NONE);
}

static void an_error_has_its_code_and_text(void **state)
{
    (void)state;
    time_set_for_test(NOW);
    assert_string_equal(printed_err(ERR_BAD_FIELD, "/id: missing", OCPI_2_2_1),
                        "{\"status_code\":2001,\"status_message\":\"/id: missing\"," TIMESTAMP "}");
    assert_string_equal(printed_err(ERR_PEER_TIMEOUT, "too late", OCPI_2_2_1),
                        "{\"status_code\":4002,\"status_message\":\"too late\"," TIMESTAMP "}");
    time_set_for_test(TIME_NONE);
}

static void version_2_1_1_is_told_codes_that_it_knows(void **state)
{
    (void)state; /* R-TRANS-35 */
    time_set_for_test(NOW);
    assert_string_equal(
        printed_err(ERR_UNKNOWN_TOKEN, "no such token", OCPI_2_1_1),
        "{\"status_code\":2000,\"status_message\":\"2004: no such token\"," TIMESTAMP "}");
    assert_string_equal(printed_err(ERR_PEER_UNREACHABLE, "gone", OCPI_2_1_1),
                        "{\"status_code\":3000,\"status_message\":\"4003: gone\"," TIMESTAMP "}");
    assert_string_equal(printed_err(ERR_BAD_FIELD, "x", OCPI_2_1_1),
                        "{\"status_code\":2001,\"status_message\":\"x\"," TIMESTAMP "}");
    time_set_for_test(TIME_NONE);
}

static struct envelope received(int http_status, const char *body,
                                const struct envelope_rules *rules)
{
    struct envelope e;

    envelope_read(arena, http_status, body, strlen(body), rules, &e);
    return e;
}

static void data_of_any_kind_is_accepted(void **state)
{
    static const struct {
        const char *body;
        int type; /* -1: none */
    } rows[] = {
        {"{\"status_code\":1000}", -1},
        {"{\"status_code\":1000,\"data\":null}", -1},
        {"{\"status_code\":1000,\"data\":{}}", JSON_OBJECT},
        {"{\"status_code\":1000,\"data\":[]}", JSON_ARRAY},
        {"{\"status_code\":1000,\"data\":\"ACCEPTED\"}", JSON_STRING},
        {"{\"status_code\":1000,\"data\":7}", JSON_INTEGER},
        {"{\"status_code\":\"1000\",\"data\":true}", JSON_TRUE},
        {"{\"status_code\":1000.0,\"x\":1}", -1},
    };

    (void)state; /* R-TRANS-31 */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct envelope e = received(200, rows[i].body, NULL);

        assert_int_equal(e.state, ENVELOPE_GOOD);
        assert_true(envelope_is_success(&e));
        assert_int_equal(e.data ? (int)json_typeof(e.data) : -1, rows[i].type);
    }
}

static void a_success_needs_http_and_ocpi_to_say_so(void **state)
{
    struct envelope e;

    (void)state;
    e = received(201, "{\"status_code\":1000}", NULL);
    assert_true(envelope_is_success(&e));
    e = received(404, "{\"status_code\":1000}", NULL);
    assert_false(envelope_is_success(&e));
    e = received(200, "{\"status_code\":3000," TIMESTAMP "}", NULL);
    assert_false(envelope_is_success(&e));
    assert_true(e.timestamp_us == NOW);
    e = received(200, "{\"status_code\":1999,\"timestamp\":\"now\"}", NULL);
    assert_true(envelope_is_success(&e)); /* R-TRANS-36 */
    assert_true(e.timestamp_us == TIME_NONE);
}

static void codes_are_classified_by_their_first_digit(void **state)
{
    (void)state; /* R-TRANS-36 */
    assert_int_equal(status_class(1000), STATUS_SUCCESS);
    assert_int_equal(status_class(1999), STATUS_SUCCESS);
    assert_int_equal(status_class(2999), STATUS_CLIENT);
    assert_int_equal(status_class(3500), STATUS_SERVER);
    assert_int_equal(status_class(4001), STATUS_HUB);
    assert_int_equal(status_class(0), STATUS_UNKNOWN);
    assert_int_equal(status_class(5000), STATUS_UNKNOWN);
    assert_int_equal(status_class(-1000), STATUS_UNKNOWN);
}

static void without_an_envelope_it_is_3000_unless_the_partner_has_the_quirk(void **state)
{
    static const char *const bodies[] = {
        "",
        " \r\n",
        "[]",
        "{}",
        "\"ok\"",
        "{\"result\":\"ACCEPTED\"}",
        "{\"status_code\":null}",
        "{\"status_code\":200}",
        "{\"status_code\":\"ok\"}",
        "{\"status_code\":12345}",
    };
    struct envelope_rules quirk = {.missing_envelope = true};

    (void)state; /* R-TRANS-36 */
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct envelope e = received(200, bodies[i], NULL);

        assert_int_equal(e.state, ENVELOPE_MISSING);
        assert_int_equal(e.status_code, 3000);
        assert_null(e.data);
        e = received(200, bodies[i], &quirk);
        assert_int_equal(e.state, ENVELOPE_MISSING);
        assert_true(envelope_is_success(&e));
        e = received(500, bodies[i], &quirk);
        assert_int_equal(e.status_code, 3000);
    }
    assert_string_equal(json_text_of(received(200, bodies[5], &quirk).data, "result"), "ACCEPTED");
}

static void what_is_no_json_is_told_apart(void **state)
{
    struct envelope_rules quirk = {.missing_envelope = true};
    struct envelope e = received(200, "<html>busy</html>", &quirk);

    (void)state;
    assert_int_equal(e.state, ENVELOPE_NOT_JSON);
    assert_int_equal(e.status_code, 3000);
    assert_false(envelope_is_success(&e));
    e = received(200, "{\"status_code\":1000,\"status_code\":2000}", NULL);
    assert_int_equal(e.state, ENVELOPE_NOT_JSON); /* J15 */
}

static void a_long_message_is_cut_between_characters(void **state)
{
    char body[1024] = "{\"status_code\":2001,\"status_message\":\"x";
    struct envelope e;

    (void)state;
    for (int i = 0; i < 200; i++)
        strncat(body, "\303\251", sizeof(body) - strlen(body) - 1);
    strncat(body, "\"}", sizeof(body) - strlen(body) - 1);
    e = received(200, body, NULL);
    assert_int_equal(strlen(e.status_message), 255);
    e = received(200, "{\"status_code\":2001,\"status_message\":5}", NULL);
    assert_null(e.status_message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(an_envelope_has_data_code_message_and_time),
        OCPI_TEST(an_error_has_its_code_and_text),
        OCPI_TEST(version_2_1_1_is_told_codes_that_it_knows),
        OCPI_TEST(data_of_any_kind_is_accepted),
        OCPI_TEST(a_success_needs_http_and_ocpi_to_say_so),
        OCPI_TEST(codes_are_classified_by_their_first_digit),
        OCPI_TEST(without_an_envelope_it_is_3000_unless_the_partner_has_the_quirk),
        OCPI_TEST(what_is_no_json_is_told_apart),
        OCPI_TEST(a_long_message_is_cut_between_characters),
    };

    return cmocka_run_group_tests_name("ocpi/envelope", tests, NULL, NULL);
}
