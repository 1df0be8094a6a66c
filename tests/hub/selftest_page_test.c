/* SPDX-License-Identifier: Apache-2.0 */
/* Pages: reading them, their Links, and comparing objects. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "hub/ops/selftest/page.h"

#define ENDPOINT "https://cpo.example/ocpi/2.2.1/locations"
#define FILTERS "date_from=2026-01-01T00:00:00Z&date_to=2026-02-01T00:00:00Z"

static struct arena *a;
static const struct peer peer = {.versions_url = "https://cpo.example/ocpi/versions"};

static int setup(void **state)
{
    (void)state;
    a = arena_new(1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static json_t *json(const char *text)
{
    json_t *ret = NULL;

    assert_false(failed(json_read(a, text, strlen(text), 0, &ret)));
    return ret;
}

static struct page page_with(const char *next)
{
    return (struct page){.url = ENDPOINT "?" FILTERS "&limit=2", .next = next};
}

static struct ocpi_answer answer_of(const char *data, struct http_call_header *headers,
                                    size_t count)
{
    struct ocpi_answer answer = {
        .http = {.outcome = HTTP_ANSWERED,
                 .status = 200,
                 .headers = headers,
                 .header_count = count},
        .envelope = {.state = ENVELOPE_GOOD, .http_status = 200, .status_code = 1000},
        .has_envelope = true,
        .status_code = 1000,
    };

    answer.envelope.data = json(data);
    answer.data = answer.envelope.data;
    return answer;
}

static void a_page_has_its_counts_and_its_link(void **state)
{
    struct http_call_header headers[] = {
        {"x-total-count", "7"},
        {"x-limit", "50"},
        {"link", "<" ENDPOINT "?offset=2&limit=2>; rel=\"next\""},
    };
    struct ocpi_answer answer = answer_of("[{\"id\":\"1\"},{\"id\":\"2\"}]", headers, 3);
    struct page page;

    (void)state;
    assert_true(page_read(a, ENDPOINT, &answer, &page));
    assert_int_equal(page.count, 2);
    assert_int_equal(page.total, 7);
    assert_int_equal(page.limit, 50);
    assert_string_equal(page.next, ENDPOINT "?offset=2&limit=2");
}

static void counts_that_are_missing_or_no_numbers_are_not_known(void **state)
{
    struct http_call_header headers[] = {{"x-total-count", "many"}};
    struct ocpi_answer answer = answer_of("[]", headers, 1);
    struct page page;

    (void)state;
    assert_true(page_read(a, ENDPOINT, &answer, &page));
    assert_int_equal(page.total, -1);
    assert_int_equal(page.limit, -1);
    assert_null(page.next);
}

static void an_object_or_an_error_is_no_page(void **state)
{
    struct ocpi_answer answer = answer_of("{\"id\":\"1\"}", NULL, 0);
    struct page page;

    (void)state;
    assert_false(page_read(a, ENDPOINT, &answer, &page));
    answer = answer_of("[]", NULL, 0);
    answer.envelope.status_code = 2001;
    assert_false(page_read(a, ENDPOINT, &answer, &page));
    assert_null(page.objects);
}

static void a_link_that_leads_on_is_right(void **state)
{
    struct page page = page_with(ENDPOINT "?" FILTERS "&offset=2&limit=2");
    struct link_fault fault;

    (void)state;
    assert_false(link_wrong(&peer, &page, &fault));
    page.next = NULL;
    assert_false(link_wrong(&peer, &page, &fault));
}

/* R-TRANS-47 */
static void a_link_to_another_host_is_wrong(void **state)
{
    struct page page = page_with("https://cpo.example.evil/ocpi/2.2.1/locations?offset=2");
    struct link_fault fault;

    (void)state;
    assert_true(link_wrong(&peer, &page, &fault));
    assert_string_equal(fault.rule, "R-TRANS-47");
    page.next = "http://cpo.example/ocpi/2.2.1/locations?offset=2";
    assert_true(link_wrong(&peer, &page, &fault));
}

/* R-TRANS-43 */
static void a_link_to_the_page_itself_is_wrong(void **state)
{
    struct page page = page_with(ENDPOINT "?" FILTERS "&limit=2");
    struct link_fault fault;

    (void)state;
    assert_true(link_wrong(&peer, &page, &fault));
    assert_string_equal(fault.rule, "R-TRANS-43");
}

/* R-TRANS-43 */
static void a_link_keeps_the_filters(void **state)
{
    struct page page = page_with(ENDPOINT "?offset=2&" FILTERS);
    struct link_fault fault;

    (void)state;
    assert_false(link_drops_filter(a, &page, &fault));
    page.next = ENDPOINT "?date_from=2026-01-01T00%3A00%3A00.000Z&date_to=2026-02-01T00:00:00";
    assert_false(link_drops_filter(a, &page, &fault));
    page.next = ENDPOINT "?date_from=2026-01-01T00:00:00Z&offset=2";
    assert_true(link_drops_filter(a, &page, &fault));
    assert_non_null(strstr(fault.expected, "date_to"));
    page.next = ENDPOINT "?date_from=2026-01-02T00:00:00Z&date_to=2026-02-01T00:00:00Z";
    assert_true(link_drops_filter(a, &page, &fault));
    assert_non_null(strstr(fault.expected, "date_from"));
}

/* R-TYPE-01, R-TOK-01 */
static void an_object_is_found_by_owner_and_id_in_any_case(void **state)
{
    struct page page = {.objects = json("[{\"id\":\"X\"},{\"country_code\":\"FI\","
                                        "\"party_id\":\"VRT\",\"id\":\"Loc1\"}]")};
    const char *key =
        object_key(a, json("{\"id\":\"LOC1\",\"party_id\":\"vrt\",\"country_code\":\"fi\"}"));

    (void)state;
    assert_ptr_equal(page_find(a, &page, key), json_array_get(page.objects, 1));
    assert_null(page_find(a, &page, object_key(a, json("{\"id\":\"LOC1\"}"))));
    assert_null(object_key(a, json("{\"name\":\"no id\"}")));
    assert_string_not_equal(object_key(a, json("{\"uid\":\"1\",\"type\":\"RFID\"}")),
                            object_key(a, json("{\"uid\":\"1\",\"type\":\"APP_USER\"}")));
}

static void last_updated_is_read_or_unknown(void **state)
{
    (void)state;
    assert_int_equal(object_changed(json("{\"last_updated\":\"1970-01-01T00:00:01Z\"}")), 1000000);
    assert_true(object_changed(json("{\"last_updated\":\"yesterday\"}")) == TIME_NONE);
    assert_true(object_changed(json("{}")) == TIME_NONE);
}

static void what_came_back_may_have_more_but_not_other_values(void **state)
{
    const json_t *sent = json("{\"id\":\"1\",\"t\":\"2026-01-01T00:00:00Z\",\"n\":1,"
                              "\"list\":[{\"x\":\"a\"}],\"none\":[]}");

    (void)state;
    assert_null(object_differs(a, sent,
                               json("{\"id\":\"1\",\"t\":\"2026-01-01T00:00:00.000Z\",\"n\":1.0,"
                                    "\"list\":[{\"x\":\"a\",\"y\":2}],\"more\":true}")));
    assert_string_equal(object_differs(a, sent,
                                       json("{\"id\":\"1\",\"t\":\"2026-01-01T00:00:00Z\",\"n\":1,"
                                            "\"list\":[{\"x\":\"b\"}]}")),
                        "/list/0/x");
    assert_string_equal(object_differs(a, sent, json("{\"id\":\"1\"}")), "/t");
    assert_string_equal(object_differs(a, sent, json("[]")), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_has_its_counts_and_its_link),
        cmocka_unit_test(counts_that_are_missing_or_no_numbers_are_not_known),
        cmocka_unit_test(an_object_or_an_error_is_no_page),
        cmocka_unit_test(a_link_that_leads_on_is_right),
        cmocka_unit_test(a_link_to_another_host_is_wrong),
        cmocka_unit_test(a_link_to_the_page_itself_is_wrong),
        cmocka_unit_test(a_link_keeps_the_filters),
        cmocka_unit_test(an_object_is_found_by_owner_and_id_in_any_case),
        cmocka_unit_test(last_updated_is_read_or_unknown),
        cmocka_unit_test(what_came_back_may_have_more_but_not_other_values),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
