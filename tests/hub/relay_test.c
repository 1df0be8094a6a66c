/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is relayed goes on as it came: one member of the outermost object replaced, every other byte
 * the sender's own (R-TRANS-21, R-ASYNC-10). The rest of hub/relay is tested from outside
 * (tests/e2e/test_relay.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "hub/relay/relay.h"

static struct arena *a;

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

static void spliced(const char *json, const char *expected)
{
    const char *found = relay_splice(a, json, strlen(json), "response_url", "https://us/1");

    if (expected)
        assert_string_equal(found, expected);
    else
        assert_null(found);
}

static void every_other_byte_stays(void **state)
{
    (void)state;
    spliced("{\"response_url\":\"https://them/x\"}", "{\"response_url\":\"https://us/1\"}");
    spliced(" {\n \"a\": 1.50 ,\"response_url\" :\t\"x\\\"y\" , \"b\":[1e5,{}]}\n",
            " {\n \"a\": 1.50 ,\"response_url\" :\t\"https://us/1\" , \"b\":[1e5,{}]}\n");
}

static void only_the_outermost_member_counts(void **state)
{
    (void)state;
    spliced(
        "{\"a\":{\"response_url\":\"1\"},\"b\":[\"response_url\",\"2\",{\"response_url\":\"3\"}],"
        "\"c\":\"response_url\",\"response_url\":\"4\"}",
        "{\"a\":{\"response_url\":\"1\"},\"b\":[\"response_url\",\"2\",{\"response_url\":\"3\"}],"
        "\"c\":\"response_url\",\"response_url\":\"https://us/1\"}");
    spliced("{\"a\":\"}\\\",\\\"response_url\\\":\",\"response_url\":\"4\"}",
            "{\"a\":\"}\\\",\\\"response_url\\\":\",\"response_url\":\"https://us/1\"}");
}

static void what_is_not_in_plain_sight_is_not_replaced(void **state)
{
    (void)state;
    spliced("{\"response\\u005furl\":\"1\"}", NULL);
    spliced("{\"a\":{\"response_url\":\"1\"}}", NULL);
    spliced("{\"response_url\":{\"response_url\":\"1\"}}", NULL);
    spliced("[{\"response_url\":\"1\"}]", NULL);
    spliced("{}", NULL);
}

static void what_is_put_in_is_a_json_text(void **state)
{
    (void)state;
    const char *json = "{\"u\":\"x\"}";

    assert_string_equal(relay_splice(a, json, strlen(json), "u", "a\"b\\c"),
                        "{\"u\":\"a\\\"b\\\\c\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_other_byte_stays),
        cmocka_unit_test(only_the_outermost_member_counts),
        cmocka_unit_test(what_is_not_in_plain_sight_is_not_replaced),
        cmocka_unit_test(what_is_put_in_is_a_json_text),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
