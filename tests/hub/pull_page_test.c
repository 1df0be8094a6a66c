/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of a pull: which one comes first, and which one after this.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/time.h"
#include "hub/jobs/pull_page.h"

#define BASE "https://cpo.example/ocpi/2.2.1/locations"

static struct arena *a;
static struct peer_endpoint endpoint;
static struct peer peer;
static struct pull_claim claim, next;

static int setup(void **state)
{
    (void)state;
    a = arena_new(64 * 1024 * 1024);
    endpoint = (struct peer_endpoint){MODULE_LOCATIONS, OCPI_INTERFACE_SENDER, BASE};
    peer = (struct peer){.version = OCPI_2_2_1, .endpoints = &endpoint, .endpoint_count = 1};
    claim = (struct pull_claim){.partner_id = 1,
                                .module = MODULE_LOCATIONS,
                                .date_from_us = TIME_NONE,
                                .total = -1,
                                .complete = true};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static const char *after(const char *url, const char *link, int64_t total, size_t count)
{
    struct pull_page page = {
        .url = url, .link = link, .total = total, .count = count, .first_id = url};

    return pull_next_page(a, &peer, &claim, &page, &next);
}

static void the_first_page_is_asked_with_limit_and_date(void **state)
{
    (void)state; /* R-TRANS-40, 41, 42; whole seconds in 2.1.1 */
    assert_string_equal(pull_first_page(a, &peer, &claim), BASE "?limit=20");
    claim.date_from_us = INT64_C(1774857598) * US_PER_SECOND + 250000;
    assert_string_equal(pull_first_page(a, &peer, &claim),
                        BASE "?limit=20&date_from=2026-03-30T07%3A59%3A58.250Z");
    peer.version = OCPI_2_1_1;
    endpoint.role = OCPI_INTERFACE_NONE;
    assert_string_equal(pull_first_page(a, &peer, &claim),
                        BASE "?limit=20&date_from=2026-03-30T07%3A59%3A58Z");
    peer.quirks.trailing_slash = true;
    claim.date_from_us = TIME_NONE;
    assert_string_equal(pull_first_page(a, &peer, &claim), BASE "/?limit=20");
    claim.module = MODULE_TARIFFS;
    assert_null(pull_first_page(a, &peer, &claim));
}

static void a_link_is_followed_as_it_stands(void **state)
{
    (void)state; /* R-TRANS-47 */
    assert_null(after(BASE, "<" BASE "?cursor=AbC%2F&x=1>; rel=\"next\"", 9, 3));
    assert_string_equal(next.cursor, BASE "?cursor=AbC%2F&x=1");
    assert_true(next.complete);
    assert_int_equal(next.pages, 1);
    assert_int_equal(next.total, 9);
    assert_string_equal(next.page_url, BASE);
}

static void a_link_to_another_host_ends_the_pull(void **state)
{
    static const char *const links[] = {
        "<https://evil.example/ocpi/2.2.1/locations?offset=3>; rel=\"next\"",
        "<http://cpo.example/ocpi/2.2.1/locations?offset=3>; rel=\"next\"",
        "<https://cpo.example:8443/ocpi/2.2.1/locations?offset=3>; rel=\"next\"",
    };

    (void)state; /* R-TRANS-47 */
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        assert_non_null(after(BASE, links[i], 9, 3));
        assert_null(next.cursor);
        assert_false(next.complete);
    }
}

static void the_last_page_has_no_next_one(void **state)
{
    (void)state;
    assert_null(after(BASE "?offset=6&limit=3", NULL, 9, 3));
    assert_null(next.cursor);
    assert_true(next.complete);
    assert_null(after(BASE, NULL, -1, 3));
    assert_null(next.cursor);
    assert_null(after(BASE "?offset=6", NULL, 100, 0)); /* an empty page is the end */
    assert_null(next.cursor);
}

static void without_link_the_offset_is_counted(void **state)
{
    (void)state; /* R-TRANS-43 */
    assert_null(after(BASE "?limit=50&date_from=2026-01-01T00%3A00%3A00Z", NULL, 120, 50));
    assert_string_equal(next.cursor, BASE "?offset=50&limit=50&date_from=2026-01-01T00%3A00%3A00Z");
    claim.first_id = "another";
    assert_null(after(BASE "?offset=50&limit=50", NULL, 120, 50));
    assert_string_equal(next.cursor, BASE "?offset=100&limit=50");
    claim.first_id = BASE "?offset=100&limit=50"; /* the same objects again */
    assert_non_null(after(BASE "?offset=100&limit=50", NULL, 200, 50));
    assert_null(next.cursor);
    assert_false(next.complete);
}

static void a_falling_total_repeats_the_page_before(void **state)
{
    (void)state; /* R-TRANS-46 */
    claim.page_url = BASE "?offset=3&limit=3";
    claim.total = 9;
    assert_null(after(BASE "?offset=6&limit=3", "<" BASE "?offset=9>; rel=\"next\"", 8, 2));
    assert_string_equal(next.cursor, BASE "?offset=2&limit=3");
    assert_int_equal(next.total, 8);
    assert_null(next.page_url);
    claim.page_url = BASE "?limit=3"; /* offset 0 stays 0 */
    assert_null(after(BASE "?offset=3&limit=3", NULL, 8, 3));
    assert_string_equal(next.cursor, BASE "?limit=3");
    assert_null(after(BASE "?offset=3&limit=3", NULL, 10, 3)); /* a growing one does not matter */
    assert_string_equal(next.cursor, BASE "?offset=6&limit=3");
}

/* Every circle is noticed, whatever its length and how long the way into it. */
static void pages_that_go_in_a_circle_end(void **state)
{
    (void)state; /* R-TRANS-47 */
    for (int way = 0; way < 12; way += 3) {
        for (int length = 1; length < 30; length += 4) {
            struct pull_claim at = claim;
            int page = 0, asked = 0;
            bool stopped = false;

            while (!stopped && asked < 200) {
                int to = page + 1 < way + length ? page + 1 : way;
                const char *url = arena_printf(a, BASE "?page=%d", page);
                const char *link = arena_printf(a, "<" BASE "?page=%d>; rel=\"next\"", to);
                struct pull_page seen = {
                    .url = url, .link = link, .total = -1, .count = 3, .first_id = url};
                struct pull_claim then;

                stopped = pull_next_page(a, &peer, &at, &seen, &then) != NULL;
                at = then;
                page = to;
                asked++;
            }
            assert_true(stopped);
            assert_false(at.complete);
            assert_true(asked <= 4 * (way + length) + 4);
        }
    }
}

static void ten_thousand_pages_are_enough(void **state)
{
    (void)state;
    claim.pages = PULL_PAGES_MAX - 2;
    assert_null(after(BASE, "<" BASE "?offset=1>; rel=\"next\"", -1, 1));
    assert_non_null(next.cursor);
    claim.pages = PULL_PAGES_MAX - 1;
    assert_non_null(after(BASE, "<" BASE "?offset=1>; rel=\"next\"", -1, 1));
    assert_null(next.cursor);
    assert_false(next.complete);
    assert_null(after(BASE, NULL, -1, 1)); /* the last page may be the ten thousandth */
    assert_true(next.complete);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void a_page_that_is_too_large_is_asked_for_with_half_as_many(void **state)
{
    const char *url = BASE "?limit=20&date_from=2026-03-30T07%3A59%3A58Z";
    int asked = 1;

    (void)state;
    assert_string_equal(pull_smaller_page(a, url),
                        BASE "?limit=10&date_from=2026-03-30T07%3A59%3A58Z");
    for (const char *smaller = url; (smaller = pull_smaller_page(a, smaller)); asked++)
        url = smaller;
    assert_int_equal(asked, 5);
    assert_string_equal(url, BASE "?limit=1&date_from=2026-03-30T07%3A59%3A58Z");
    assert_string_equal(pull_smaller_page(a, BASE), BASE "?limit=50");
    assert_string_equal(pull_smaller_page(a, BASE "?my_limit=1&cursor=x"),
                        BASE "?limit=50&my_limit=1&cursor=x");
    assert_string_equal(pull_smaller_page(a, BASE "?limit=1000"), BASE "?limit=50");
}

static void an_object_that_is_too_large_is_passed_over(void **state)
{
    (void)state;
    assert_string_equal(pull_page_behind(a, &claim, BASE "?limit=1"), BASE "?offset=1&limit=20");
    claim.page_url = BASE;
    assert_string_equal(pull_page_behind(a, &claim, BASE "?offset=7&limit=1"),
                        BASE "?offset=8&limit=20");
    assert_null(pull_page_behind(a, &claim, BASE "?cursor=x&limit=1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_page_is_asked_with_limit_and_date),
        TEST(a_link_is_followed_as_it_stands),
        TEST(a_link_to_another_host_ends_the_pull),
        TEST(the_last_page_has_no_next_one),
        TEST(without_link_the_offset_is_counted),
        TEST(a_falling_total_repeats_the_page_before),
        TEST(pages_that_go_in_a_circle_end),
        TEST(ten_thousand_pages_are_enough),
        TEST(a_page_that_is_too_large_is_asked_for_with_half_as_many),
        TEST(an_object_that_is_too_large_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
