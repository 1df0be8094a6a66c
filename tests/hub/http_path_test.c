/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and queries: split before decoding, refused when badly encoded (H26 to H29, H53, H54). */
#include "base/arena.h"
#include "hub/server/http_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect_segments(const char *path, const char *joined)
{
    struct arena *a = arena_new(100000);
    struct http_path split;
    char text[1000] = "";

    assert_int_equal(http_path_split(a, path, &split).kind, ERR_NONE);
    for (size_t i = 0; i < split.count; i++) {
        size_t at = strlen(text);
        snprintf(text + at, sizeof text - at, "<%s>", split.segments[i]);
    }
    assert_string_equal(text, joined);
    arena_free(a);
}

static void expect_refused(const char *path, enum err_kind kind)
{
    struct arena *a = arena_new(100000);
    struct http_path split;

    assert_int_equal(http_path_split(a, path, &split).kind, kind);
    arena_free(a);
}

static void paths_are_split_before_they_are_decoded(void **state)
{
    (void)state;
    expect_segments("/", "");
    expect_segments("/ocpi/2.2.1/sessions/DE%2A1", "<ocpi><2.2.1><sessions><DE*1>");
    expect_segments("/a%2Fb/%c3%bc/a+b", "<a/b><\xc3\xbc><a+b>");
    expect_segments("/a%252Fb", "<a%2Fb>"); /* H28: decoded once */
    expect_segments("/a/", "<a><>");        /* H56 */
    expect_segments("//a", "<><a>");
}

static void badly_encoded_paths_are_refused(void **state)
{
    (void)state;
    expect_refused("/a%00b", ERR_BAD_HTTP);
    expect_refused("/%", ERR_BAD_HTTP);
    expect_refused("/%4", ERR_BAD_HTTP);
    expect_refused("/%zz", ERR_BAD_HTTP);
    expect_refused("/%ff", ERR_BAD_HTTP);
    expect_refused("/a/../b", ERR_BAD_HTTP);
    expect_refused("/%2e%2e/b", ERR_BAD_HTTP);
    expect_refused("/./b", ERR_BAD_HTTP);
    expect_refused("a", ERR_BAD_HTTP);
    expect_refused("", ERR_BAD_HTTP);
    expect_refused("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", ERR_NOT_FOUND);
    expect_segments("/%2e%2e%2fb", "<../b>"); /* H27: one segment, which no file name is made of */
}

static void expect_query(const char *query, const char *name, const char *value, size_t times)
{
    struct arena *a = arena_new(100000);
    const char *found;
    size_t count;

    assert_int_equal(http_query_find(a, query, name, &found, &count).kind, ERR_NONE);
    assert_int_equal(count, times);
    if (value)
        assert_string_equal(found, value);
    else
        assert_null(found);
    found = http_query_get(a, query, name, NULL);
    assert_int_equal(found != NULL, value != NULL);
    arena_free(a);
}

static void query_parameters_are_found_and_decoded(void **state)
{
    (void)state;
    expect_query("", "a", NULL, 0);
    expect_query("a=1&b=2", "b", "2", 1);
    expect_query("a=1&b=2", "c", NULL, 0);
    expect_query("ab=1&a=2", "a", "2", 1);
    expect_query("a", "a", "", 1);
    expect_query("a=&b", "a", "", 1);
    expect_query("&&a=x=y&", "a", "x=y", 1);
    expect_query("d%61te_from=2026-01-01T00%3A00%3A00Z", "date_from", "2026-01-01T00:00:00Z", 1);
    expect_query("a=x+y%2Bz%26", "a", "x y+z&", 1);
    expect_query("offset=1&offset=2", "offset", "1", 2); /* H54 */
    expect_query("=1", "", "1", 1);
}

static void badly_encoded_parameters_are_refused(void **state)
{
    static const char *const bad[] = {"a=%", "a=%00", "a=%zz", "a=%ff", "b=1&a=x%2"};
    struct arena *a = arena_new(100000);
    const char *value;
    size_t count = 7;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = http_query_find(a, bad[i], "a", &value, NULL);

        assert_int_equal(e.kind, ERR_BAD_HTTP);
        assert_string_equal(e.where, "a");
        assert_null(http_query_get(a, bad[i], "a", &count));
        assert_int_equal(count, 0);
    }
    /* Somebody else's parameter may look as it likes. */
    assert_string_equal(http_query_get(a, "b=%zz&a=1", "a", &count), "1");
    assert_int_equal(count, 1);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_split_before_they_are_decoded),
        cmocka_unit_test(badly_encoded_paths_are_refused),
        cmocka_unit_test(query_parameters_are_found_and_decoded),
        cmocka_unit_test(badly_encoded_parameters_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
