/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cursors of relayed lists: the URL we hand out, and who may follow it (R-ROUTE-51). That they
 * outlive a process is tested with the store (tests/db/relay_test.c, test_relay_store.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "hub/relay/cursor.h"
#include "ocpi/url.h"

#define ENDPOINT "https://hub.example/ocpi/cpo/2.2.1/sessions"
#define ID "abcdefghijklmnopqrstuv"

static struct arena *a;

static int setup(void **state)
{
    (void)state;
    a = arena_new(16 * 1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

/* ---- the URL ---- */

static void it_has_the_cursor_and_what_helps_people(void **state)
{
    (void)state;
    assert_string_equal(cursor_url(a, ENDPOINT, "date_from=2026-01-01T00:00:00Z&offset=0&limit=10",
                                   ID, "https://cpo.example/s?limit=50&offset=150&secret=1"),
                        ENDPOINT "?cursor=" ID
                                 "&offset=150&limit=50&date_from=2026-01-01T00:00:00Z");
    assert_string_equal(cursor_url(a, ENDPOINT, NULL, ID, "https://cpo.example/next/7"),
                        ENDPOINT "?cursor=" ID);
}

static void nothing_of_the_receiver_but_numbers_is_shown(void **state)
{
    (void)state;
    assert_string_equal(
        cursor_url(a, ENDPOINT, NULL, ID, "https://cpo.example/s?offset=-1&limit=%3Cscript%3E&x=y"),
        ENDPOINT "?cursor=" ID);
    assert_string_equal(cursor_url(a, ENDPOINT, NULL, ID, "https://cpo.example/s?offset=&limit=9"),
                        ENDPOINT "?cursor=" ID "&limit=9");
}

static void an_older_cursor_is_replaced(void **state)
{
    (void)state;
    assert_string_equal(cursor_url(a, ENDPOINT,
                                   "cursor=old&offset=1&date_to=2026-02-01T00:00:00Z&limit=3", ID,
                                   "https://cpo.example/s?offset=5"),
                        ENDPOINT "?cursor=" ID "&offset=5&date_to=2026-02-01T00:00:00Z");
}

static void it_never_has_more_than_255_characters(void **state)
{
    char filter[400], endpoint[400];

    (void)state;
    for (size_t length = 1; length < 300; length++) {
        memset(filter, 'x', length);
        filter[length] = 0;
        const char *url = cursor_url(a, ENDPOINT, filter, ID, "https://cpo.example/s?offset=5");
        assert_non_null(url);
        assert_true(strlen(url) <= URL_MAX);
        bool fits = strlen(ENDPOINT "?cursor=" ID "&offset=5") + 1 + length <= (size_t)URL_MAX;
        assert_int_equal(fits, strchr(url, 'x') && strstr(url, filter));
        assert_non_null(strstr(url, ID));
    }
    memset(endpoint, 'e', sizeof(endpoint));
    endpoint[URL_MAX - strlen("?cursor=" ID)] = 0;
    assert_int_equal(strlen(cursor_url(a, endpoint, "a=b", ID, "https://x/")), URL_MAX);
    endpoint[strlen(endpoint)] = 'e';
    endpoint[URL_MAX - strlen("?cursor=" ID) + 1] = 0;
    assert_null(cursor_url(a, endpoint, NULL, ID, "https://x/"));
}

static void what_would_break_the_header_is_left_out(void **state)
{
    (void)state;
    assert_string_equal(cursor_url(a, ENDPOINT, "a=<&b=>&c=\"&d=#&e=1 2&f=\x01&g=\xc3&h=ok", ID,
                                   "https://cpo.example/s"),
                        ENDPOINT "?cursor=" ID "&h=ok");
}

static void a_query_says_whether_it_has_a_cursor(void **state)
{
    (void)state;
    assert_null(cursor_in(a, NULL));
    assert_null(cursor_in(a, "offset=1&acursor=2"));
    assert_string_equal(cursor_in(a, "offset=1&cursor=" ID "&limit=3"), ID);
    assert_string_equal(cursor_in(a, "cursor=%zz"), "");
    assert_string_equal(cursor_in(a, "cursor=a&cursor=b"), "");
}

/* ---- who may follow it ---- */

static struct party_id party(const char *text)
{
    struct party_id id = {0};

    if (text)
        assert_true(party_id_parse(text, &id));
    return id;
}

static struct relay_cursor kept_cursor(void)
{
    return (struct relay_cursor){
        .id = ID,
        .requester_id = 1,
        .receiver_id = 2,
        .from = party("NL-ONE"),
        .to = party("FI-ABC"),
        .module = "sessions",
        .next_url = "https://cpo.example/s?offset=5",
    };
}

static struct err open_as(const struct relay_cursor *ask, bool found, bool expired,
                          struct relay_cursor *ret)
{
    struct cursor_open o = {.ask = ask, .found = {found, expired, kept_cursor()}};

    if (!found)
        o.found.cursor = (struct relay_cursor){0};
    return cursor_opened(a, &o, ret);
}

static void refused(const struct relay_cursor *ask, bool found, bool expired, const char *word)
{
    struct relay_cursor got = {0};
    struct err e = open_as(ask, found, expired, &got);

    assert_int_equal(e.kind, ERR_BAD_FIELD); /* 2001 */
    assert_string_equal(e.rule, "R-ROUTE-51");
    assert_non_null(strstr(err_text(e), word));
    assert_null(got.next_url);
}

static void whom_it_was_given_to_follows_it(void **state)
{
    struct relay_cursor ask = kept_cursor(), got;

    (void)state;
    ask.next_url = NULL;
    ask.receiver_id = 0;
    ask.from = party("nl-one"); /* R-ROUTE-03 */
    assert_false(failed(open_as(&ask, true, false, &got)));
    assert_string_equal(got.next_url, "https://cpo.example/s?offset=5");
    assert_int_equal(got.receiver_id, 2);
}

static void nobody_else_follows_it(void **state)
{
    struct relay_cursor ask;

    (void)state;
    ask = kept_cursor();
    ask.requester_id = 3; /* another connection */
    refused(&ask, true, false, "none of this list");
    refused(&ask, true, true, "none of this list"); /* and learns nothing */
    ask = kept_cursor();
    ask.from = party("NL-TWO"); /* another party of the same platform */
    refused(&ask, true, false, "none of this list");
    ask.from = party(NULL);
    refused(&ask, true, false, "none of this list");
    ask = kept_cursor();
    ask.to = party("FI-XYZ");
    refused(&ask, true, false, "none of this list");
    ask = kept_cursor();
    ask.module = "cdrs";
    refused(&ask, true, false, "none of this list");
}

static void an_unknown_or_late_one_is_2001(void **state)
{
    struct relay_cursor ask = kept_cursor();

    (void)state;
    refused(&ask, false, false, "none of this list");
    refused(&ask, true, true, "first page");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_the_cursor_and_what_helps_people),
        cmocka_unit_test(nothing_of_the_receiver_but_numbers_is_shown),
        cmocka_unit_test(an_older_cursor_is_replaced),
        cmocka_unit_test(it_never_has_more_than_255_characters),
        cmocka_unit_test(what_would_break_the_header_is_left_out),
        cmocka_unit_test(a_query_says_whether_it_has_a_cursor),
        cmocka_unit_test(whom_it_was_given_to_follows_it),
        cmocka_unit_test(nobody_else_follows_it),
        cmocka_unit_test(an_unknown_or_late_one_is_2001),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
