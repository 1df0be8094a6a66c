/* SPDX-License-Identifier: Apache-2.0 */
/* Audit: what is seen in one answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/time.h"
#include "hub/ops/selftest/audit.h"

#define NOW INT64_C(1767225600000000) /* 2026-01-01T00:00:00Z */
#define GOOD_BODY "{\"status_code\":1000,\"timestamp\":\"2026-01-01T00:00:00Z\",\"data\":[]}"

enum { HEADERS = 7 };

static struct arena *a;
static struct audited audit[AUDIT_KINDS];

static int setup(void **state)
{
    (void)state;
    a = arena_new(1024 * 1024);
    memset(audit, 0, sizeof audit);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static const struct peer peer = {
    .version = OCPI_2_2_1, .our_party = {"FI", "HUB"}, .their_party = {"DE", "CPO"}};
static const struct peer old_peer = {
    .version = OCPI_2_1_1, .our_party = {"FI", "HUB"}, .their_party = {"DE", "CPO"}};

static const struct http_call_header good_headers[HEADERS] = {
    {"content-type", "application/json"},  {"x-request-id", "request-1"},
    {"x-correlation-id", "correlation-1"}, {"ocpi-to-country-code", "FI"},
    {"ocpi-to-party-id", "HUB"},           {"ocpi-from-country-code", "DE"},
    {"ocpi-from-party-id", "CPO"},
};

/* `headers` NULL: the good ones. */
static void look(const struct peer *who, const char *module, int status, const char *body,
                 const struct http_call_header *headers, size_t count)
{
    struct ocpi_call call = {
        .peer = who, .method = "GET", .module = module, .url = "https://cpo.example/x"};
    struct ocpi_answer answer = {
        .http = {.outcome = HTTP_ANSWERED,
                 .status = status,
                 .body = body,
                 .body_length = strlen(body)},
        .request_id = "request-1",
        .correlation_id = "correlation-1",
    };
    struct http_call_header copy[HEADERS];

    memcpy(copy, headers ? headers : good_headers, (headers ? count : HEADERS) * sizeof *copy);
    answer.http.headers = copy;
    answer.http.header_count = headers ? count : HEADERS;
    envelope_read(a, status, body, strlen(body), NULL, &answer.envelope);
    answer.has_envelope = answer.envelope.state == ENVELOPE_GOOD;
    audit_answer(a, &call, &answer, NOW, audit);
}

static void only_wrong(enum audit_kind kind, bool grave)
{
    for (enum audit_kind k = 0; k < AUDIT_KINDS; k++)
        assert_int_equal(audit[k].wrong, k == kind);
    assert_int_equal(audit[kind].grave, grave);
    assert_non_null(audit[kind].where);
    assert_non_null(audit[kind].expected);
    assert_non_null(audit[kind].got);
}

static void a_good_answer_has_nothing_wrong(void **state)
{
    (void)state;
    look(&peer, MODULE_LOCATIONS, 200, GOOD_BODY, NULL, 0);
    for (enum audit_kind k = 0; k < AUDIT_KINDS; k++)
        assert_int_equal(audit[k].wrong, 0);
    assert_int_equal(audit[AUDIT_ROUTING].seen, 1);
    assert_int_equal(audit[AUDIT_CONFIG_ROUTING].seen, 0);
}

/* R-TRANS-30 */
static void without_an_envelope_it_is_wrong_and_an_error_less_so(void **state)
{
    (void)state;
    look(&peer, MODULE_LOCATIONS, 404, "[]", NULL, 0);
    only_wrong(AUDIT_ENVELOPE, false);
    look(&peer, MODULE_LOCATIONS, 200, "[]", NULL, 0);
    assert_true(audit[AUDIT_ENVELOPE].grave);
    assert_int_equal(audit[AUDIT_ENVELOPE].wrong, 2);
}

/* R-TRANS-30, R-TYPE-05 */
static void the_timestamp_is_there_and_in_utc(void **state)
{
    (void)state;
    look(&peer, MODULE_LOCATIONS, 200, "{\"status_code\":1000,\"data\":[]}", NULL, 0);
    only_wrong(AUDIT_TIMESTAMP, true);
    memset(audit, 0, sizeof audit);
    look(&peer, MODULE_LOCATIONS, 200,
         "{\"status_code\":1000,\"timestamp\":\"2026-01-01T02:00:00+02:00\"}", NULL, 0);
    only_wrong(AUDIT_TIMESTAMP, true);
    assert_string_equal(audit[AUDIT_TIMESTAMP].got, "2026-01-01T02:00:00+02:00");
}

static void a_clock_that_is_off_is_unusual(void **state)
{
    (void)state;
    look(&peer, MODULE_LOCATIONS, 200,
         "{\"status_code\":1000,\"timestamp\":\"2026-01-01T00:10:00Z\"}", NULL, 0);
    only_wrong(AUDIT_CLOCK, false);
    assert_non_null(strstr(audit[AUDIT_CLOCK].got, "600 seconds ahead"));
}

/* R-TRANS-60 */
static void message_ids_are_repeated_from_2_2_on(void **state)
{
    struct http_call_header headers[HEADERS];

    (void)state;
    memcpy(headers, good_headers, sizeof headers);
    headers[2].value = "another";
    look(&peer, MODULE_LOCATIONS, 200, GOOD_BODY, headers, HEADERS);
    only_wrong(AUDIT_MESSAGE_IDS, true);
    memset(audit, 0, sizeof audit);
    look(&old_peer, MODULE_LOCATIONS, 200, GOOD_BODY, headers, 1);
    assert_int_equal(audit[AUDIT_MESSAGE_IDS].seen, 0);
}

/* R-ROUTE-04 */
static void routing_headers_are_swapped_not_copied(void **state)
{
    static const char *const COPIED[] = {"DE", "CPO", "FI", "HUB"};
    struct http_call_header headers[HEADERS];

    (void)state;
    memcpy(headers, good_headers, sizeof headers);
    for (size_t i = 0; i < 4; i++)
        headers[3 + i].value = COPIED[i];
    look(&peer, MODULE_LOCATIONS, 200, GOOD_BODY, headers, HEADERS);
    only_wrong(AUDIT_ROUTING, true);
    memset(audit, 0, sizeof audit);
    look(&peer, MODULE_LOCATIONS, 200, GOOD_BODY, good_headers, 3);
    only_wrong(AUDIT_ROUTING, false);
}

/* R-ROUTE-02 */
static void configuration_modules_carry_none(void **state)
{
    (void)state;
    look(&peer, "versions", 200, GOOD_BODY, NULL, 0);
    only_wrong(AUDIT_CONFIG_ROUTING, false);
}

static void an_answer_that_never_came_is_not_looked_at(void **state)
{
    struct ocpi_call call = {.peer = &peer, .method = "GET", .module = "versions", .url = "x"};
    struct ocpi_answer answer = {.http = {.outcome = HTTP_UNCLEAR}};

    (void)state;
    audit_answer(a, &call, &answer, NOW, audit);
    for (enum audit_kind k = 0; k < AUDIT_KINDS; k++)
        assert_int_equal(audit[k].seen, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_answer_has_nothing_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(without_an_envelope_it_is_wrong_and_an_error_less_so, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_timestamp_is_there_and_in_utc, setup, teardown),
        cmocka_unit_test_setup_teardown(a_clock_that_is_off_is_unusual, setup, teardown),
        cmocka_unit_test_setup_teardown(message_ids_are_repeated_from_2_2_on, setup, teardown),
        cmocka_unit_test_setup_teardown(routing_headers_are_swapped_not_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(configuration_modules_carry_none, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_that_never_came_is_not_looked_at, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
