/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what the loader refuses (cases J of the bad-input list), and what the printer writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"

static struct arena *arena;
static struct err last;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(256 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static json_t *read_bytes(const char *bytes, size_t length)
{
    json_t *value = NULL;

    last = json_read(arena, bytes, length, 0, &value);
    assert_int_equal(failed(last), value == NULL);
    if (!value) {
        assert_int_equal(last.kind, ERR_BAD_JSON);
    }
    return value;
}

static json_t *read_text(const char *s)
{
    return read_bytes(s, strlen(s));
}

/* `count` times `what`, between `before` and `after`. */
static const char *repeat(const char *before, const char *what, size_t count, const char *after)
{
    struct text t;

    text_init(&t, arena, 32 << 20);
    text_add(&t, before);
    for (size_t i = 0; i < count; i++)
        text_add(&t, what);
    text_add(&t, after);
    assert_false(text_overflowed(&t));
    return t.bytes;
}

/* J01 to J10, J28 to J31, J34 */
static void what_is_not_json_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " \n\t ",
        "\xEF\xBB\xBF{}",
        "{\"a\":1,}",
        "[1,]",
        "{} x",
        "{}{}",
        "{'a':1}",
        "{/* */}",
        "// x\n{}",
        "{a:1}",
        "[NaN]",
        "[Infinity]",
        "[-Infinity]",
        "[True]",
        "[\"\\ud800\"]",
        "[\"\\udc00\\ud800\"]",
        "[\"\\u0000\"]",
        "{\"\\u0000\":1}",
        "[\"\xFF\"]",
        "[\"\xC0\xAF\"]",
        "[\"\xE2\x82\"]",
        "[\"a\nb\"]",
        "[\"a\tb\"]",
        "[\"\x01\"]",
        "[\"\\x41\"]",
        "[1e400]",
        "[-1e400]",
        "[01]",
        "[+1]",
        "[.5]",
        "[5.]",
        "[1e]",
        "[0x10]",
        "[--1]",
        "[9223372036854775808]",
        "]",
        "}",
        "[}",
        ":",
        ",",
        "\"",
        "\"\\",
        "[1 2]",
        "{\"a\" 1}",
        "{\"a\"}",
        "nul",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (read_text(bad[i]))
            fail_msg("accepted: %s", bad[i]);
    assert_null(read_bytes("{}\0", 3));
    assert_null(read_bytes("[\"a\0b\"]", 7));
}

/* J04 */
static void a_document_cut_at_any_byte_is_refused(void **state)
{
    static const char whole[] = "{\"a\":[1,2.5,true,null,\"x\\n\\u00e9é\"],\"b\":{\"c\":false}}";

    (void)state;
    for (size_t n = 0; n < sizeof(whole) - 1; n++) {
        char *cut = malloc(n + 1); /* exact, so that reading on is seen */
        assert_non_null(cut);
        memcpy(cut, whole, n);
        assert_null(read_bytes(cut, n));
        free(cut);
    }
    assert_non_null(read_bytes(whole, sizeof(whole) - 1));
}

/* J11 */
static void depth_is_bounded(void **state)
{
    (void)state;
    const char *deepest = repeat(repeat("", "[", 32, ""), "]", 32, "");
    assert_string_equal(json_text(arena, read_text(deepest), NULL), deepest);
    assert_string_equal(json_canonical(arena, read_text(deepest)), deepest);
    assert_null(read_text(repeat(repeat("", "[", 33, ""), "]", 33, "")));
    assert_null(read_text(repeat("", "[", 1000, "")));
    assert_null(read_text(repeat("", "[", 1000000, "")));
    assert_null(read_text(repeat("", "{\"a\":", 1000000, "")));
    /* Side by side is not deep, and brackets in strings are none. */
    assert_non_null(read_text(repeat("[[]", ",[[]]", 1000, "]")));
    assert_non_null(read_text(repeat("[\"", "[\\\"", 1000, "\"]")));
}

/* J12, J13 */
static void the_number_of_values_is_bounded(void **state)
{
    json_t *value = NULL;

    (void)state;
    assert_non_null(read_text(repeat("[0", ",0", JSON_MAX_VALUES - 2, "]")));
    assert_null(read_text(repeat("[0", ",0", JSON_MAX_VALUES - 1, "]")));
    assert_null(read_text(repeat("[0", ",0", 1000000, "]")));
    assert_null(read_text(repeat("[[]", ",[]", 1000000, "]")));
    const char *page = repeat("[0", ",\"x\"", 150000, "]");
    assert_false(failed(json_read(arena, page, strlen(page), 200000, &value)));
    assert_true(failed(json_read(arena, page, strlen(page), 1000, &value)));
}

static const char *object_with(size_t members)
{
    struct text t;

    text_init(&t, arena, 8 << 20);
    text_add(&t, "{");
    for (size_t i = 0; i < members; i++)
        text_printf(&t, "%s\"k%zu\":{\"x\":1}", i ? "," : "", i);
    text_add(&t, "}");
    return t.bytes;
}

static void the_members_of_one_object_are_bounded(void **state)
{
    (void)state;
    assert_non_null(read_text(object_with(JSON_MAX_MEMBERS)));
    assert_null(read_text(object_with(JSON_MAX_MEMBERS + 1)));
    assert_null(read_text(object_with(100000)));
}

/* J15, J16 */
static void a_member_given_twice_is_refused(void **state)
{
    (void)state;
    assert_null(read_text("{\"id\":1,\"id\":2}"));
    assert_non_null(strstr(err_text(last), "twice"));
    assert_null(read_text("{\"id\":1,\"\\u0069d\":2}"));
    assert_null(read_text("[{\"a\":{\"b\":1,\"b\":1}}]"));
    assert_non_null(read_text("{\"id\":1,\"ID\":2}"));
}

/* J17: that it is JSON is one question, that it is an object another (ERR_BAD_BODY). */
static void any_value_is_json(void **state)
{
    (void)state;
    assert_true(json_is_array(read_text("[]")));
    assert_true(json_is_string(read_text(" \"x\" ")));
    assert_true(json_is_integer(read_text("7")));
    assert_true(json_is_null(read_text("null")));
    assert_true(json_is_true(read_text("true")));
}

/* J25, J26 */
static void any_names_are_fine(void **state)
{
    (void)state;
    const json_t *value = read_text("{\"__proto__\":1,\"constructor\":{},\"\":2,\"é\":3}");
    assert_int_equal(json_object_size(value), 4);
}

/* J27, J32, J33 */
static void strings_and_numbers_are_bounded(void **state)
{
    (void)state;
    assert_non_null(read_text(repeat("[\"", "x", 65000, "\"]")));
    assert_null(read_text(repeat("[\"", "x", 66000, "\"]")));
    assert_null(read_text(repeat("[\"", "x", 20 << 20, "\"]")));
    assert_null(read_text(repeat("{\"", "k", 1 << 20, "\":1}")));
    assert_null(read_text(repeat("[1", "0", 10000, "]")));
    assert_null(read_text(repeat("[0.", "1", 10000, "]")));
    assert_non_null(read_text(repeat("[0.", "1", 60, "]")));
}

/* J36 */
static void white_space_is_fine(void **state)
{
    (void)state;
    assert_non_null(read_text(repeat("[1", " \t\r\n", 100000, "]")));
}

static void complaints_do_not_repeat_the_input(void **state)
{
    (void)state;
    assert_null(read_text("{\"token\":\"s3cret\" \"x\"}"));
    assert_non_null(strstr(err_text(last), "line 1"));
    assert_null(strstr(err_text(last), "s3cret"));
    assert_null(read_text("{\"s3cret\":1,\"s3cret\":2}"));
    assert_null(strstr(err_text(last), "s3cret"));
}

/* R-TYPE-08 */
static void numbers_print_as_they_were_written(void **state)
{
    static const char numbers[] = "[0.1,1.005,0.35,12.3456,100000.1,-0.005,3,9223372036854775807]";
    size_t length;

    (void)state;
    assert_string_equal(json_text(arena, read_text(numbers), &length), numbers);
    assert_int_equal(length, sizeof(numbers) - 1);
    assert_string_equal(json_text(arena, read_text("{ \"z\" : 1, \"a\" : [ ] }"), NULL),
                        "{\"z\":1,\"a\":[]}");
    assert_string_equal(json_text(arena, read_text("\"x\""), NULL), "\"x\"");
}

static void canonical_text_depends_on_the_value_only(void **state)
{
    const char *first = "{\"b\":[1,2.50,{\"y\":null,\"x\":true}],\"a\":\"\\u00e9\"}";
    const char *second = " {\"a\":\"é\", \"b\":[1.0,2.5,{\"x\":true,\"y\":null}]}";

    (void)state;
    assert_string_equal(json_canonical(arena, read_text(first)),
                        "{\"a\":\"é\",\"b\":[1,2.5,{\"x\":true,\"y\":null}]}");
    assert_string_equal(json_canonical(arena, read_text(first)),
                        json_canonical(arena, read_text(second)));
    assert_string_equal(json_canonical(arena, read_text("-0.0")), "0");
    assert_string_not_equal(json_canonical(arena, read_text("[1,2]")),
                            json_canonical(arena, read_text("[2,1]")));
    assert_string_not_equal(json_canonical(arena, read_text("\"1\"")),
                            json_canonical(arena, read_text("1")));
}

static void members_are_found_by_name_and_kind(void **state)
{
    (void)state;
    const json_t *value = read_text("{\"t\":\"x\",\"o\":{},\"a\":[],\"n\":null,\"i\":1}");
    assert_string_equal(json_text_of(value, "t"), "x");
    assert_null(json_text_of(value, "i"));
    assert_null(json_text_of(value, "n"));
    assert_null(json_text_of(value, "none"));
    assert_non_null(json_object_of(value, "o"));
    assert_null(json_object_of(value, "a"));
    assert_non_null(json_array_of(value, "a"));
    assert_null(json_array_of(value, "o"));
    assert_null(json_text_of(json_array_of(value, "a"), "x"));
    assert_null(json_object_of(NULL, "x"));
}

static void number_is(const char *text, bool lenient, int64_t expected)
{
    int64_t value = -1;

    if (!json_number_u6(read_text(text), lenient, &value) || value != expected)
        fail_msg("%s gives %lld", text, (long long)value);
}

static void number_is_refused(const char *text, bool lenient)
{
    int64_t value = -1;

    if (json_number_u6(read_text(text), lenient, &value) || value != -1)
        fail_msg("%s is accepted", text);
}

/* J35, N02, N05 to N08 */
static void numbers_become_fixed_point(void **state)
{
    (void)state;
    number_is("0.1", false, 100000);
    number_is("5", false, 5000000);
    number_is("5.0", false, 5000000);
    number_is("-0.0", false, 0);
    number_is("-0.35", false, -350000);
    number_is("1.0000005", false, 1000001);
    number_is("0.0000005", false, 1);
    number_is("0.00000049", false, 0);
    number_is("0.00001", false, 10);
    number_is("0.30000000000000004", false, 300000);
    number_is("123456789.123456", false, INT64_C(123456789123456));
    number_is("999999999999", false, INT64_C(999999999999000000));
    number_is("1.5e3", false, 1500000000);
    number_is_refused("1000000000000", false);
    number_is_refused("-1000000000000", false);
    number_is_refused("1e12", false);
    number_is_refused("1e300", false);
    number_is_refused("0.1234567891", false); /* ten decimals */
    number_is_refused("1e-10", false);
    number_is_refused("true", false);
    number_is_refused("null", true);
    number_is_refused("\"1.5\"", false); /* R-TYPE-09 */
    number_is("\"1.5\"", true, 1500000);
    number_is_refused("\"1,5\"", true);
    number_is_refused("\"\"", true);
}

/* the way through a double loses nothing for what is written with 15 digits. */
static void fifteen_digits_survive_the_double(void **state)
{
    uint64_t random = 88172645463325252U;

    (void)state;
    for (int round = 0; round < 200000; round++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        int64_t expected = (int64_t)(random % UINT64_C(1000000000000000));
        char text[40];
        json_error_t error;
        int64_t value;
        snprintf(text, sizeof(text), "%lld.%06lld", (long long)(expected / 1000000),
                 (long long)(expected % 1000000));
        json_t *number = json_loads(text, JSON_DECODE_ANY, &error);
        assert_true(json_number_u6(number, false, &value));
        assert_int_equal(value, expected);
        json_decref(number);
    }
}

/* A document of several megabytes as one string, as a statement hands it over. */
static void what_the_database_made_may_be_of_any_size(void **state)
{
    const char *text = repeat("[{\"document\":\"", "0123456789", 300000, "\"}]");
    json_t *value = NULL;

    (void)state;
    assert_null(read_text(text));
    assert_false(failed(json_read_own(arena, text, &value)));
    const char *document = json_text_of(json_array_get(value, 0), "document");
    assert_non_null(document);
    assert_int_equal(strlen(document), 3000000);
    struct err e = json_read_own(arena, "[1,", &value);
    assert_int_equal(e.kind, ERR_INTERNAL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_is_not_json_is_refused),
        T(a_document_cut_at_any_byte_is_refused),
        T(depth_is_bounded),
        T(the_number_of_values_is_bounded),
        T(the_members_of_one_object_are_bounded),
        T(a_member_given_twice_is_refused),
        T(any_value_is_json),
        T(any_names_are_fine),
        T(strings_and_numbers_are_bounded),
        T(white_space_is_fine),
        T(complaints_do_not_repeat_the_input),
        T(numbers_print_as_they_were_written),
        T(canonical_text_depends_on_the_value_only),
        T(members_are_found_by_name_and_kind),
        T(numbers_become_fixed_point),
        T(fifteen_digits_survive_the_double),
        T(what_the_database_made_may_be_of_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
