/* SPDX-License-Identifier: Apache-2.0 */
/* Text: the buffer, the JSON writer, UTF-8, URLs, Base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/text.h"

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(8 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void text_grows(void **state)
{
    struct text heap, in_arena;

    (void)state;
    text_init(&heap, NULL, 100000);
    text_init(&in_arena, arena, 100000);
    assert_string_equal(heap.bytes, "");
    for (int i = 0; i < 5000; i++) {
        text_printf(&heap, "%d,", i % 10);
        text_add(&in_arena, "ab");
    }
    assert_int_equal(heap.length, 10000);
    assert_int_equal(strlen(heap.bytes), 10000);
    assert_int_equal(strlen(in_arena.bytes), 10000);
    assert_memory_equal(heap.bytes, "0,1,2,", 6);
    assert_false(text_overflowed(&heap));
    text_done(&heap);
    text_done(&in_arena);
}

static void text_stops_at_its_maximum(void **state)
{
    struct text t;

    (void)state;
    text_init(&t, NULL, 10);
    text_add(&t, "0123456789");
    assert_false(text_overflowed(&t));
    text_add(&t, "x");
    assert_true(text_overflowed(&t));
    assert_string_equal(t.bytes, "0123456789");
    text_reset(&t);
    text_add(&t, "abc");
    text_add(&t, "much too long for it");
    text_add(&t, "d"); /* nothing after a hole */
    assert_string_equal(t.bytes, "abc");
    text_reset(&t);
    assert_false(text_overflowed(&t));
    char long_text[400];
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    text_printf(&t, "%s", long_text);
    assert_true(text_overflowed(&t));
    assert_string_equal(t.bytes, "");
    text_done(&t);
}

static void the_writer_places_commas_and_keys(void **state)
{
    struct text t;

    (void)state;
    text_init(&t, NULL, 1000);
    json_begin_object(&t, NULL);
    json_put_text(&t, "a", "x");
    json_put_int(&t, "b", INT64_MIN);
    json_begin_array(&t, "c");
    json_put_int(&t, NULL, 1);
    json_begin_object(&t, NULL);
    json_end_object(&t);
    json_put_bool(&t, NULL, false);
    json_end_array(&t);
    json_put_null(&t, "d");
    json_put_text(&t, "e", NULL);
    json_put_raw(&t, "f", "0.10");
    json_put_raw_bytes(&t, "g", "[1]...", 3);
    json_end_object(&t);
    assert_string_equal(t.bytes, "{\"a\":\"x\",\"b\":-9223372036854775808,\"c\":[1,{},false],"
                                 "\"d\":null,\"e\":null,\"f\":0.10,\"g\":[1]}");
    text_reset(&t);
    json_put_int(&t, NULL, 1);
    text_add(&t, "\n");
    json_put_int(&t, NULL, 2); /* documents side by side have no commas */
    assert_string_equal(t.bytes, "1\n2");
    text_done(&t);
}

static const char *quoted(const char *s)
{
    struct text t;

    text_init(&t, arena, 10000);
    json_put_text(&t, NULL, s);
    return t.bytes;
}

static void strings_are_escaped(void **state)
{
    (void)state;
    assert_string_equal(quoted("a\"b\\c/\n\r\t\x01\x1b\x7f"),
                        "\"a\\\"b\\\\c/\\n\\r\\t\\u0001\\u001b\\u007f\"");
    assert_string_equal(quoted("\xC2\x9B"), "\"\\u009b\""); /* C1: a terminal obeys it */
    assert_string_equal(quoted("é€😀"), "\"é€😀\"");
    assert_string_equal(quoted(""), "\"\"");
}

static void what_is_not_utf8_is_replaced(void **state)
{
    (void)state;
    assert_string_equal(quoted("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
    assert_string_equal(quoted("\xE2\x82"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    assert_string_equal(quoted("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

static void any_bytes_become_valid_json(void **state)
{
    char bytes[41];

    (void)state;
    for (int round = 0; round < 5000; round++) {
        struct text t;
        text_init(&t, NULL, 10000);
        id_random(bytes, sizeof(bytes) - 1);
        bytes[sizeof(bytes) - 1] = '\0';
        json_begin_object(&t, NULL);
        json_put_text(&t, bytes, bytes);
        json_end_object(&t);
        assert_true(text_is_utf8(t.bytes, t.length));
        json_t *value = json_loadb(t.bytes, t.length, 0, NULL);
        assert_non_null(value);
        json_decref(value);
        text_done(&t);
    }
}

/* J30: overlong, surrogates, beyond the end, cut off. */
static void utf8_is_told_from_other_bytes(void **state)
{
    static const char *const good[] = {"",
                                       "abc",
                                       "\x7F",
                                       "é",
                                       "€",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF",
                                       "\xEF\xBF\xBE"};
    static const char *const bad[] = {"\x80",
                                      "\xC1\xBF",
                                      "\xC0\x80",
                                      "\xC3",
                                      "\xE0\x9F\xBF",
                                      "\xE2\x82",
                                      "\xFF",
                                      "\xED\xA0\x80",
                                      "\xED\xBF\xBF",
                                      "\xC3\x28",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xF8\x88\x80\x80\x80"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(text_is_utf8(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(text_is_utf8(bad[i], strlen(bad[i])));
    assert_int_equal(text_utf8_count("aé€😀"), 4); /* U05: characters, not bytes */
}

/* U07: no locale has a say. */
static void case_is_ascii_only(void **state)
{
    char s[] = "AZaz09[`@\xC3\x89";

    (void)state;
    assert_true(text_equal_caseless("DE*ABC", "de*abc"));
    assert_false(text_equal_caseless("a", "ab"));
    assert_false(text_equal_caseless("ab", "a"));
    assert_false(text_equal_caseless("@", "`"));
    assert_false(text_equal_caseless("[", "{"));
    assert_false(text_equal_caseless("É", "é"));
    assert_true(text_compare_caseless("a", "B") < 0);
    assert_true(text_compare_caseless("b", "A") > 0);
    assert_true(text_compare_caseless("", "a") < 0);
    text_to_lower(s);
    assert_string_equal(s, "azaz09[`@\xC3\x89");
    text_to_upper(s);
    assert_string_equal(s, "AZAZ09[`@\xC3\x89");
    assert_true(text_is_printable_ascii(" ~"));
    assert_false(text_is_printable_ascii("a\x7F"));
    assert_false(text_is_printable_ascii("a\n"));
    assert_false(text_is_printable_ascii("é"));
}

static void copy_fits_or_is_empty(void **state)
{
    char to[4] = "xxx";

    (void)state;
    assert_true(text_copy(to, sizeof(to), "abc"));
    assert_string_equal(to, "abc");
    assert_false(text_copy(to, sizeof(to), "abcd"));
    assert_string_equal(to, "");
}

static const char *decoded(const char *s)
{
    return text_url_decode(arena, s, strlen(s));
}

/* H26, H28, H29 */
static void urls_are_encoded_and_decoded(void **state)
{
    (void)state;
    assert_string_equal(text_url_encode(arena, "aZ09-._~ /%+é"), "aZ09-._~%20%2F%25%2B%C3%A9");
    assert_string_equal(decoded("aZ%20%2f%2F%25+%C3%A9"), "aZ //%+é");
    assert_string_equal(decoded("%252F"), "%2F"); /* once, not twice */
    assert_string_equal(decoded(""), "");
    assert_null(decoded("%"));
    assert_null(decoded("%2"));
    assert_null(decoded("%2g"));
    assert_null(decoded("%%20"));
    assert_null(decoded("a%00b"));
    assert_null(decoded("%FF"));
    assert_null(decoded("%C0%AF"));
    assert_null(text_url_decode(arena, "a\0b", 3));
    assert_string_equal(text_url_decode(arena, "abc%20", 3), "abc");
    assert_null(text_url_decode(arena, "abc%20", 5));
}

static void base64_keeps_to_rfc_4648(void **state)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xFB\xFF", "+/8="},
    };
    static const char *const bad[] = {"Zg",   "Zg=",      "Zg===",  "Z===", "====", "Zh==", "Zm9=",
                                      "Z g=", "Zg==Zg==", "Zm9v\n", "-_8=", "Zg=x", "=Zg="};
    size_t length;

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        assert_string_equal(text_base64(arena, pairs[i][0], strlen(pairs[i][0])), pairs[i][1]);
        assert_string_equal(text_base64_decode(arena, pairs[i][1], &length), pairs[i][0]);
        assert_int_equal(length, strlen(pairs[i][0]));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_null(text_base64_decode(arena, bad[i], &length));
    for (size_t n = 0; n < 200; n++) {
        unsigned char bytes[200];
        id_random(bytes, n);
        char *back = text_base64_decode(arena, text_base64(arena, bytes, n), &length);
        assert_int_equal(length, n);
        assert_memory_equal(back, bytes, n);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(text_grows),
        T(text_stops_at_its_maximum),
        T(the_writer_places_commas_and_keys),
        T(strings_are_escaped),
        T(what_is_not_utf8_is_replaced),
        T(any_bytes_become_valid_json),
        T(utf8_is_told_from_other_bytes),
        T(case_is_ascii_only),
        T(copy_fits_or_is_empty),
        T(urls_are_encoded_and_decoded),
        T(base64_keeps_to_rfc_4648),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
