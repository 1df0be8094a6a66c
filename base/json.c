/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON: the one loader, the one printer.
 *
 * Before jansson sees the bytes a scan without recursion checks the bounds (depth, number of
 * values, members of an object, length of strings and numbers): what is too much costs one pass
 * over the input and no memory. The scan judges sizes only; whether it is JSON, jansson says.
 */
#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/text.h"

enum {
    MAX_STRING = 64 * 1024,
    MAX_NUMBER = 128,
    MAX_PRINTED = 256 * 1024 * 1024,
};
_Static_assert(sizeof(((struct text *)0)->comma) > JSON_MAX_DEPTH, "what is read can be written");

/* ---- in ---- */

/* The end of the string that begins after s[i] == '"', or `length` if it has none. */
static size_t skip_string(const char *s, size_t length, size_t i)
{
    for (i++; i < length && s[i] != '"'; i++)
        if (s[i] == '\\')
            i++;
    return i < length ? i : length;
}

static bool is_scalar_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '+' || c == '.';
}

/* NULL, or what there is too much of. */
static const char *check_bounds(const char *s, size_t length, size_t max_values)
{
    size_t members[JSON_MAX_DEPTH + 1] = {0};
    size_t depth = 0;
    size_t strings_and_values = 0, keys = 0;

    for (size_t i = 0; i < length; i++) {
        size_t begin = i;
        switch (s[i]) {
        case '\0':
            return "it contains a NUL byte";
        case '{':
        case '[':
            if (depth == JSON_MAX_DEPTH)
                return "it is nested too deep";
            members[++depth] = 0;
            strings_and_values++;
            break;
        case '}':
        case ']':
            depth -= depth > 0;
            break;
        case ':':
            keys++;
            if (++members[depth] > JSON_MAX_MEMBERS)
                return "an object has too many members";
            break;
        case '"':
            i = skip_string(s, length, i);
            if (i - begin > MAX_STRING)
                return "a string is too long";
            strings_and_values++;
            break;
        default:
            if (!is_scalar_byte(s[i]))
                break;
            while (i + 1 < length && is_scalar_byte(s[i + 1]))
                i++;
            if (i - begin >= MAX_NUMBER)
                return "a number is too long";
            strings_and_values++;
        }
        if (strings_and_values > max_values + keys)
            return "it has too many values";
    }
    return NULL;
}

/* jansson's own text quotes the input, which may hold a secret. */
static const char *reason_of(enum json_error_code code)
{
    switch (code) {
    case json_error_invalid_utf8:
        return "invalid UTF-8";
    case json_error_premature_end_of_input:
        return "it ends too early";
    case json_error_end_of_input_expected:
        return "something follows the document";
    case json_error_duplicate_key:
        return "a member stands twice in one object";
    case json_error_numeric_overflow:
        return "a number is too large";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "\\u0000 is not accepted";
    default:
        return "syntax error";
    }
}

static void decref(void *value)
{
    json_decref(value);
}

/* NULL, with *ret_error: it is no JSON. */
static json_t *load(struct arena *a, const char *bytes, size_t length, json_error_t *ret_error)
{
    json_t *value = json_loadb(bytes, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, ret_error);

    if (value)
        arena_on_free(a, decref, value);
    return value;
}

struct err json_read(struct arena *a, const char *bytes, size_t length, size_t max_values,
                     json_t **ret)
{
    const char *too_much =
        check_bounds(bytes, length, max_values ? max_values : (size_t)JSON_MAX_VALUES);
    if (too_much)
        return err_at(a, ERR_BAD_JSON, NULL, "the body is not acceptable JSON: %s", too_much);

    json_error_t error;
    json_t *value = load(a, bytes, length, &error);
    if (!value)
        return err_at(a, ERR_BAD_JSON, NULL, "the body is not valid JSON: line %d, column %d: %s",
                      error.line, error.column, reason_of(json_error_code(&error)));
    *ret = value;
    return OK;
}

struct err json_read_own(struct arena *a, const char *text, json_t **ret)
{
    json_error_t error;
    json_t *value = load(a, text, strlen(text), &error);

    if (!value)
        return err_at(a, ERR_INTERNAL, NULL, "what the database made is no JSON: %s",
                      reason_of(json_error_code(&error)));
    *ret = value;
    return OK;
}

/* ---- out ---- */

char *json_text(struct arena *a, const json_t *value, size_t *ret_length)
{
    const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15);
    char *printed = json_dumps(value, flags);

    /* Fails for a value that no document can hold (NaN, NULL) and for lack of memory only. */
    assert(printed);
    size_t length = strlen(printed);
    char *ret = arena_bytes(a, printed, length);
    free(printed);
    if (ret_length)
        *ret_length = length;
    return ret;
}

static int compare_keys(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

/* A whole number reads the same as 5, 5.0 and 5e0. */
static void put_canonical_real(struct text *out, const char *key, double real)
{
    char printed[40];

    snprintf(printed, sizeof(printed), "%.15g", real);
    json_put_raw(out, key, strcmp(printed, "-0") == 0 ? "0" : printed);
}

static void put_canonical(struct arena *a, struct text *out, const char *key, const json_t *value);

static void put_canonical_object(struct arena *a, struct text *out, const json_t *object)
{
    size_t count = json_object_size(object);
    const char **keys = arena_alloc(a, (count + 1) * sizeof(*keys));
    /* jansson's iterators take an object that may be changed; this one is not. */
    json_t *walked = (json_t *)(uintptr_t)object;
    size_t n = 0;

    for (void *at = json_object_iter(walked); at; at = json_object_iter_next(walked, at))
        keys[n++] = json_object_iter_key(at);
    qsort(keys, n, sizeof(*keys), compare_keys);
    for (size_t i = 0; i < n; i++)
        put_canonical(a, out, keys[i], json_object_get(object, keys[i]));
}

static void put_canonical(struct arena *a, struct text *out, const char *key, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        json_begin_object(out, key);
        put_canonical_object(a, out, value);
        json_end_object(out);
        break;
    case JSON_ARRAY:
        json_begin_array(out, key);
        for (size_t i = 0; i < json_array_size(value); i++)
            put_canonical(a, out, NULL, json_array_get(value, i));
        json_end_array(out);
        break;
    case JSON_STRING:
        json_put_text(out, key, json_string_value(value));
        break;
    case JSON_INTEGER:
        json_put_int(out, key, json_integer_value(value));
        break;
    case JSON_REAL:
        put_canonical_real(out, key, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        json_put_bool(out, key, json_is_true(value));
        break;
    case JSON_NULL:
        json_put_null(out, key);
        break;
    }
}

char *json_canonical(struct arena *a, const json_t *value)
{
    struct text out;

    text_init(&out, a, MAX_PRINTED);
    put_canonical(a, &out, NULL, value);
    assert(!text_overflowed(&out));
    return out.bytes;
}

/* ---- members ---- */

const char *json_text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

const json_t *json_object_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_object(value) ? value : NULL;
}

const json_t *json_array_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_array(value) ? value : NULL;
}

/* Fifteen digits give back what was written, as long as no more than fifteen were written. */
static bool real_u6(double real, int64_t *ret_u6)
{
    char printed[40];

    snprintf(printed, sizeof(printed), "%.15g", real);
    if (decimal_parse_u6(printed, ret_u6))
        return true;
    /* Below 0.0001 "%g" writes an exponent, which may be -7 to -9 for a text without one. */
    if (real > -1e-4 && real < 1e-4) {
        snprintf(printed, sizeof(printed), "%.9f", real);
        return strtod(printed, NULL) == real && decimal_parse_u6(printed, ret_u6);
    }
    return false;
}

bool json_number_u6(const json_t *value, bool lenient, int64_t *ret_u6)
{
    static const json_int_t limit = INT64_C(1000000000000); /* 12 integer digits */

    if (json_is_integer(value)) {
        json_int_t whole = json_integer_value(value);
        if (whole <= -limit || whole >= limit)
            return false;
        *ret_u6 = whole * 1000000;
        return true;
    }
    if (json_is_real(value))
        return real_u6(json_real_value(value), ret_u6);
    return lenient && json_is_string(value) && decimal_parse_u6(json_string_value(value), ret_u6);
}

int json_number_places(const json_t *value)
{
    char printed[40];
    int places;

    if (json_is_integer(value))
        return 0;
    if (!json_is_real(value))
        return -1;
    snprintf(printed, sizeof(printed), "%.15g", json_real_value(value));
    places = decimal_places(printed);
    if (places >= 0)
        return places;
    snprintf(printed, sizeof(printed), "%.9f", json_real_value(value));
    return decimal_places(printed);
}
