/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers: Authorization, routing pairs, paging and Link.
 */
#include "tests/ocpi/ocpi_test.h"

#include "base/time.h"
#include "ocpi/headers.h"
#include "ocpi/url.h"

/* --- Authorization --- */

static void authorization_is_tried_verbatim_and_decoded(void **state)
{
    static const struct {
        const char *header;
        enum auth_encoding encoding;
        enum err_kind kind;
        const char *verbatim, *decoded;
    } rows[] = {
        {"Token ZXhhbXBsZS10b2tlbg==", AUTH_AUTO, ERR_NONE,
         "ZXhhbXBsZS10b2tlbg==", "example-token"},
        /* R-TRANS-04: the sample of the specification decodes to a token and a newline. */
        {"Token ZXhhbXBsZS10b2tlbgo=", AUTH_AUTO, ERR_NONE,
         "ZXhhbXBsZS10b2tlbgo=", "example-token"},
        {"Token ZXhhbXBsZS10b2tlbg0K", AUTH_BASE64, ERR_NONE, NULL, "example-token"},
        {"Token example-token", AUTH_AUTO, ERR_NONE, "example-token", NULL},
        {"Token example-token", AUTH_RAW, ERR_NONE, "example-token", NULL},
        {"Token ZXhhbXBsZS10b2tlbg==", AUTH_RAW, ERR_NONE, "ZXhhbXBsZS10b2tlbg==", NULL},
        {"Token example-token", AUTH_BASE64, ERR_TOKEN_INVALID, NULL, NULL},
        {NULL, AUTH_AUTO, ERR_UNAUTHENTICATED, NULL, NULL},
        {"", AUTH_AUTO, ERR_UNAUTHENTICATED, NULL, NULL},
        {"Token", AUTH_AUTO, ERR_TOKEN_INVALID, NULL, NULL},
        {"Token ", AUTH_AUTO, ERR_TOKEN_INVALID, NULL, NULL},
        {"Token  two-blanks", AUTH_AUTO, ERR_TOKEN_INVALID, NULL, NULL},
        {"token example", AUTH_AUTO, ERR_TOKEN_INVALID, NULL, NULL},
        {"Token\texample", AUTH_AUTO, ERR_TOKEN_INVALID, NULL, NULL},
        {"Bearer example", AUTH_AUTO, ERR_TOKEN_INVALID, NULL, NULL},
        {"Token a b", AUTH_AUTO, ERR_TOKEN_INVALID, NULL, NULL},
        {"Token YQBi", AUTH_BASE64, ERR_TOKEN_INVALID, NULL, NULL}, /* a NUL inside */
    };

    (void)state; /* R-TRANS-01..06, H57 */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct token_candidates c;
        struct err e = authorization_read(arena, rows[i].header, rows[i].encoding, &c);

        assert_int_equal(e.kind, rows[i].kind);
        assert_int_equal(c.verbatim != NULL, rows[i].verbatim != NULL);
        assert_int_equal(c.decoded != NULL, rows[i].decoded != NULL);
        if (c.verbatim)
            assert_string_equal(c.verbatim, rows[i].verbatim);
        if (c.decoded)
            assert_string_equal(c.decoded, rows[i].decoded);
        if (failed(e))
            assert_int_equal(err_info(e.kind)->ocpi_http, 401);
    }
}

static void a_token_has_at_most_64_characters(void **state)
{
    char token[66] = "", *header;
    struct token_candidates c;

    (void)state; /* R-TRANS-05 */
    memset(token, 'x', 64);
    assert_true(credentials_token_valid(token));
    header = authorization_print(arena, token, AUTH_BASE64, OCPI_2_2_1);
    assert_false(failed(authorization_read(arena, header, AUTH_AUTO, &c)));
    assert_string_equal(c.decoded, token);
    assert_null(c.verbatim); /* 88 characters are no token */
    token[64] = 'x';
    assert_false(credentials_token_valid(token));
    header = authorization_print(arena, token, AUTH_BASE64, OCPI_2_2_1);
    assert_true(failed(authorization_read(arena, header, AUTH_AUTO, &c)));
    assert_false(credentials_token_valid(""));
    assert_false(credentials_token_valid("a b"));
    assert_false(credentials_token_valid("a\n"));
    assert_false(credentials_token_valid("\303\251"));
}

static void authorization_is_encoded_from_2_2_on(void **state)
{
    (void)state; /* R-TRANS-02, 03 */
    assert_string_equal(authorization_print(arena, "example-token", AUTH_AUTO, OCPI_2_2_1),
                        "Token ZXhhbXBsZS10b2tlbg==");
    assert_string_equal(authorization_print(arena, "example-token", AUTH_AUTO, OCPI_2_1_1),
                        "Token example-token");
    assert_string_equal(authorization_print(arena, "example-token", AUTH_RAW, OCPI_2_2_1),
                        "Token example-token");
    assert_string_equal(authorization_print(arena, "example-token", AUTH_BASE64, OCPI_2_1_1),
                        "Token ZXhhbXBsZS10b2tlbg==");
}

/* --- routing --- */

static void routing_pairs_come_whole_or_not_at_all(void **state)
{
    struct routing r;
    struct err e;

    (void)state; /* R-ROUTE-05, O63 */
    assert_false(failed(routing_read(arena, "no", "fjc", "FI", "HUB", &r)));
    assert_string_equal(r.from.country_code, "no");
    assert_string_equal(r.to.party_id, "HUB");
    assert_false(failed(routing_read(arena, NULL, NULL, NULL, NULL, &r)));
    assert_false(party_id_is_set(&r.from) || party_id_is_set(&r.to));
    assert_false(failed(routing_read(arena, "NO", "FJC", NULL, NULL, &r)));
    assert_true(party_id_is_set(&r.from));
    assert_false(party_id_is_set(&r.to));

    e = routing_read(arena, "NO", NULL, "FI", "HUB", &r);
    assert_string_equal(e.where, "OCPI-from-party-id");
    e = routing_read(arena, NULL, "FJC", "FI", "HUB", &r);
    assert_string_equal(e.where, "OCPI-from-country-code");
    e = routing_read(arena, "NO", "FJC", "FIN", "HUB", &r);
    assert_string_equal(e.where, "OCPI-to-country-code");
    e = routing_read(arena, "NO", "FJC", "FI", "", &r);
    assert_string_equal(e.where, "OCPI-to-party-id");
    assert_int_equal(err_info(e.kind)->ocpi_code, 2001);
}

static void in_an_answer_from_and_to_change_places(void **state)
{
    struct routing r, answer;

    (void)state; /* R-ROUTE-04, R-ROUTE-02 */
    assert_false(failed(routing_read(arena, "NO", "FJC", "FI", "HUB", &r)));
    answer = routing_of_answer(r);
    assert_true(party_id_equal(&answer.from, &r.to));
    assert_true(party_id_equal(&answer.to, &r.from));
    assert_true(module_is_routed(MODULE_SESSIONS));
    assert_false(module_is_routed(MODULE_CREDENTIALS));
    assert_false(module_is_routed(MODULE_HUB_CLIENT_INFO));
    assert_false(module_is_routed("versions"));
}

/* --- paging --- */

static void a_page_is_read_from_the_query(void **state)
{
    struct paging p;
    int64_t at;

    (void)state; /* R-TRANS-40, 41, 44 */
    assert_false(failed(paging_read(arena, NULL, 100, false, &p)));
    assert_int_equal(p.offset, 0);
    assert_int_equal(p.limit, 100);
    assert_true(p.date_from_us == TIME_NONE && p.date_to_us == TIME_NONE);
    assert_false(failed(paging_read(
        arena, "offset=20&limit=7&date_from=2026-03-30T08%3A00%3A00Z&date_to=2026-03-31T00:00:00",
        100, true, &p)));
    assert_int_equal(p.offset, 20);
    assert_int_equal(p.limit, 7);
    assert_true(time_parse("2026-03-30T08:00:00Z", TIME_OCPI, &at));
    assert_true(p.date_from_us == at);
    assert_true(p.date_to_us == at + 16 * 3600 * US_PER_SECOND);
    assert_false(failed(paging_read(arena, "limit=1000000000", 100, false, &p)));
    assert_int_equal(p.limit, 100);
    assert_false(failed(paging_read(arena, "limit=0", 100, false, &p)));
    assert_int_equal(p.limit, 0);
    assert_false(failed(paging_read(arena, "xoffset=3&offsets=4", 100, false, &p)));
    assert_int_equal(p.offset, 0);
}

static void a_wrong_page_is_2001(void **state)
{
    static const struct {
        const char *query, *where;
    } rows[] = {
        {"offset=-1", "offset"},
        {"offset=ten", "offset"},
        {"offset=", "offset"},
        {"offset", "offset"},
        {"offset=1.0", "offset"},
        {"offset=%2B5", "offset"},
        {"offset=%zz", "offset"},
        {"offset=99999999999999999999", "offset"},
        {"offset=1&offset=2", "offset"}, /* H54 */
        {"limit=-1", "limit"},
        {"limit=ten", "limit"},
        {"date_from=yesterday", "date_from"},
        {"date_from=2026-03-30T08:00:00%2B02:00", "date_from"},
        {"date_to=2026-02-30T00:00:00Z", "date_to"},
        {"date_from=2026-03-30T00:00:00Z&date_to=2026-03-29T00:00:00Z", "date_to"},
    };
    struct paging p;
    struct err e;

    (void)state; /* R-TRANS-42, 44, O61, O62 */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        e = paging_read(arena, rows[i].query, 100, false, &p);
        if (!failed(e))
            fail_msg("%s was accepted", rows[i].query);
        assert_string_equal(e.where, rows[i].where);
        assert_int_equal(err_info(e.kind)->ocpi_code, 2001);
    }
    e = paging_read(arena, "limit=5", 100, true, &p);
    assert_string_equal(e.where, "date_from");
}

static char *link_after(const char *query, int64_t total)
{
    struct paging p;

    assert_false(failed(paging_read(arena, query, 50, false, &p)));
    return paging_link(arena, "https://hub.example/ocpi/emsp/2.2.1/tokens", query, &p, total);
}

static void the_link_keeps_filters_and_shows_the_effective_limit(void **state)
{
    (void)state; /* R-TRANS-43, 44 */
    assert_string_equal(
        link_after("date_from=2026-03-30T08%3A00%3A00Z&offset=50&limit=900&x=1", 101),
        "<https://hub.example/ocpi/emsp/2.2.1/tokens?offset=100&limit=50&"
        "date_from=2026-03-30T08%3A00%3A00Z&x=1>; rel=\"next\"");
    assert_null(link_after("offset=50&limit=50", 100)); /* the last page */
    assert_non_null(link_after("offset=50&limit=50", 101));
    assert_null(link_after("limit=0", 100));
    assert_null(link_after("", 0));
    assert_null(link_after("x=\"><script>", 100));
}

static void a_link_longer_than_255_characters_is_not_given(void **state)
{
    char query[400] = "x=";

    (void)state; /* R-TYPE-10 */
    memset(query + 2, 'y', 300);
    assert_null(link_after(query, 100));
}

static void the_next_link_of_a_partner_is_found(void **state)
{
    static const struct {
        const char *header, *next;
    } rows[] = {
        {"<https://a.example/x?offset=5>; rel=\"next\"", "https://a.example/x?offset=5"},
        {"<https://a.example/x>;rel=next", "https://a.example/x"},
        {"<https://a.example/x>; REL=\"NEXT\"", "https://a.example/x"},
        {"<https://a.example/0>; rel=\"prev\", <https://a.example/2>; rel=\"next\"",
         "https://a.example/2"},
        {"<https://a.example/a,b;c>; title=\"x, y; rel=next\"; rel=\"last next\"",
         "https://a.example/a,b;c"},
        {"<https://a.example/x>; rel = \"next\"", "https://a.example/x"},
        {"<https://a.example/x>; rel=\"prev\"", NULL},
        {"<https://a.example/x>; title=\"rel=next\"", NULL},
        {"<https://a.example/x>; rel=\"nextish\"", NULL},
        {"<https://a.example/x>", NULL},
        {"<https://a.example/x", NULL},
        {"<>; rel=next", NULL},
        {"https://a.example/x; rel=next", NULL},
        {"", NULL},
        {NULL, NULL},
    };

    (void)state; /* R-TRANS-47 */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *next = link_next(arena, rows[i].header);

        assert_int_equal(next != NULL, rows[i].next != NULL);
        if (next)
            assert_string_equal(next, rows[i].next);
    }
    assert_int_equal(header_count("120"), 120);
    assert_int_equal(header_count("-1"), -1);
    assert_int_equal(header_count("12 "), -1);
    assert_int_equal(header_count(NULL), -1);
}

static void our_own_link_can_be_read(void **state)
{
    char *next;

    (void)state;
    next = link_next(arena, link_after("limit=10", 11));
    assert_string_equal(next, "https://hub.example/ocpi/emsp/2.2.1/tokens?offset=10&limit=10");
}

/* --- URLs --- */

static void segments_are_joined_with_one_slash_and_encoded(void **state)
{
    (void)state; /* R-VER-08, R-VER-09 */
    assert_string_equal(url_join(arena, "https://a.example/s", "NO", "FJC", "S 1/2*", NULL),
                        "https://a.example/s/NO/FJC/S%201%2F2%2A");
    assert_string_equal(url_join(arena, "https://a.example/s/", "START_SESSION", NULL),
                        "https://a.example/s/START_SESSION");
    assert_string_equal(url_join(arena, "https://a.example/s?k=v", "x", NULL),
                        "https://a.example/s/x?k=v");
    assert_string_equal(url_join(arena, "https://a.example/s/", NULL), "https://a.example/s/");
    assert_string_equal(
        url_query(arena, "https://a.example/s", "response_url", "https://h/cb?a=1&b=2", "none",
                  NULL, "n", "1", NULL),
        "https://a.example/s?response_url=https%3A%2F%2Fh%2Fcb%3Fa%3D1%26b%3D2&n=1");
}

static void urls_are_taken_apart(void **state)
{
    struct url u, v;

    (void)state;
    assert_true(url_parse(arena, "HTTPS://Partner.Example:8443/a?b#c", &u));
    assert_true(u.tls);
    assert_string_equal(u.host, "partner.example");
    assert_int_equal(u.port, 8443);
    assert_string_equal(u.rest, "/a?b");
    assert_true(url_parse(arena, "http://[::1]", &v));
    assert_string_equal(v.host, "::1");
    assert_int_equal(v.port, 80);
    assert_false(url_same_origin(&u, &v));
    assert_true(url_parse(arena, "https://partner.example:8443", &v));
    assert_true(url_same_origin(&u, &v));
}

static void what_cannot_be_called_is_no_url(void **state)
{
    static const char *const texts[] = {
        "",
        "partner.example",
        "ftp://a.example/",
        "file:///etc/passwd",
        "gopher://a.example",
        "https://",
        "https:///x",
        "https://user@host/",
        "https://user:pass@host/",
        "https://host:0/",
        "https://host:65536/",
        "https://host:x/",
        "https://host:/",
        "https://ho st/",
        "https://host/a b",
        "https://host/a\r\nX: y",
        "https://host\\@evil.example/",
        "https://[::1",
        "https://[gg]/",
        "https://h\303\266st/",
    };

    (void)state; /* O51 */
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (url_callable(texts[i]))
            fail_msg("%s was taken for a URL", texts[i]);
    }
    assert_false(url_callable(NULL));
    assert_true(url_callable("https://host#@evil.example")); /* the host is "host" */
}

static void response_url_is_read_encoded_or_not(void **state)
{
    (void)state; /* R-ASYNC-16 */
    assert_string_equal(
        query_response_url(arena, "duration=5&response_url=https%3A%2F%2Fa%2Fb%26c"),
        "https://a/b&c");
    assert_string_equal(query_response_url(arena, "response_url=https://a/b?request_id=5678&x=1"),
                        "https://a/b?request_id=5678&x=1");
    assert_string_equal(query_response_url(arena, "response_url=https://a/b?id=5&duration=60"),
                        "https://a/b?id=5");
    assert_null(query_response_url(arena, "duration=5"));
    assert_null(query_response_url(arena, "response_url="));
    assert_null(query_response_url(arena, "response_url=%zz"));
    assert_null(query_response_url(arena, "my_response_url=https://a/"));
    assert_null(query_response_url(arena, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(authorization_is_tried_verbatim_and_decoded),
        OCPI_TEST(a_token_has_at_most_64_characters),
        OCPI_TEST(authorization_is_encoded_from_2_2_on),
        OCPI_TEST(routing_pairs_come_whole_or_not_at_all),
        OCPI_TEST(in_an_answer_from_and_to_change_places),
        OCPI_TEST(a_page_is_read_from_the_query),
        OCPI_TEST(a_wrong_page_is_2001),
        OCPI_TEST(the_link_keeps_filters_and_shows_the_effective_limit),
        OCPI_TEST(a_link_longer_than_255_characters_is_not_given),
        OCPI_TEST(the_next_link_of_a_partner_is_found),
        OCPI_TEST(our_own_link_can_be_read),
        OCPI_TEST(segments_are_joined_with_one_slash_and_encoded),
        OCPI_TEST(urls_are_taken_apart),
        OCPI_TEST(what_cannot_be_called_is_no_url),
        OCPI_TEST(response_url_is_read_encoded_or_not),
    };

    return cmocka_run_group_tests_name("ocpi/headers", tests, NULL, NULL);
}
