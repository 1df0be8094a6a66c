/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text: a growing buffer, the direct JSON writer, UTF-8, percent-encoding and Base64.
 *
 * What does not fit under the maximum is dropped whole, and so is everything after it: a text that
 * overflowed is a clean beginning, never one with a hole.
 */
#include "base/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/* ---- the buffer ---- */

enum { FIRST_CAPACITY = 256 };

static char nothing[1]; /* what an empty text points to before it has memory */

void text_init(struct text *t, struct arena *a, size_t max)
{
    *t = (struct text){.bytes = nothing, .max = max, .arena = a};
}

void text_done(struct text *t)
{
    if (t->capacity && !t->arena)
        free(t->bytes);
    *t = (struct text){.bytes = nothing};
}

void text_reset(struct text *t)
{
    t->length = 0;
    t->bytes[0] = '\0';
    t->overflowed = false;
    t->depth = 0;
    memset(t->comma, 0, sizeof(t->comma));
}

/* Makes room for `more` bytes and a NUL; false when that is above the maximum. */
static bool text_reserve(struct text *t, size_t more)
{
    if (t->overflowed || more > t->max || t->length > t->max - more) {
        t->overflowed = true;
        return false;
    }
    size_t need = t->length + more + 1;
    if (need <= t->capacity)
        return true;

    size_t capacity = t->capacity ? t->capacity : FIRST_CAPACITY;
    while (capacity < need)
        capacity *= 2;
    if (capacity > t->max + 1)
        capacity = t->max + 1;

    char *bytes;
    if (t->arena) {
        bytes = arena_alloc(t->arena, capacity);
        memcpy(bytes, t->bytes, t->length + 1);
    } else {
        bytes = realloc(t->capacity ? t->bytes : NULL, capacity);
        if (!bytes) {
            fprintf(stderr, "text: out of memory (%zu bytes)\n", capacity);
            abort();
        }
        if (!t->capacity)
            bytes[0] = '\0';
    }
    t->bytes = bytes;
    t->capacity = capacity;
    return true;
}

void text_add_bytes(struct text *t, const void *bytes, size_t length)
{
    if (!length || !text_reserve(t, length))
        return;
    memcpy(t->bytes + t->length, bytes, length);
    t->length += length;
    t->bytes[t->length] = '\0';
}

void text_add(struct text *t, const char *s)
{
    text_add_bytes(t, s, strlen(s));
}

void text_printf(struct text *t, const char *format, ...)
{
    char short_text[256];
    va_list args;

    va_start(args, format);
    int length = vsnprintf(short_text, sizeof(short_text), format, args);
    va_end(args);
    assert(length >= 0);
    if ((size_t)length < sizeof(short_text)) {
        text_add_bytes(t, short_text, (size_t)length);
        return;
    }
    if (!text_reserve(t, (size_t)length))
        return;
    va_start(args, format);
    vsnprintf(t->bytes + t->length, (size_t)length + 1, format, args);
    va_end(args);
    t->length += (size_t)length;
}

/* ---- UTF-8 ---- */

/* Length of the character at s (at most `left` bytes) and its code; 0 if it is not UTF-8. */
static size_t utf8_take(const unsigned char *s, size_t left, uint32_t *ret_code)
{
    uint32_t least;
    size_t length;
    uint32_t code;

    if (s[0] < 0x80) {
        *ret_code = s[0];
        return 1;
    }
    if (s[0] >= 0xC2 && s[0] <= 0xDF) {
        length = 2;
        code = s[0] & 0x1FU;
        least = 0x80;
    } else if ((s[0] & 0xF0) == 0xE0) {
        length = 3;
        code = s[0] & 0x0FU;
        least = 0x800;
    } else if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        length = 4;
        code = s[0] & 0x07U;
        least = 0x10000;
    } else {
        return 0;
    }
    if (left < length)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3FU);
    }
    if (code < least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    *ret_code = code;
    return length;
}

bool text_is_utf8(const char *bytes, size_t length)
{
    const unsigned char *s = (const unsigned char *)bytes;
    uint32_t code;

    for (size_t i = 0; i < length;) {
        size_t n = utf8_take(s + i, length - i, &code);
        if (!n)
            return false;
        i += n;
    }
    return true;
}

size_t text_utf8_count(const char *s)
{
    size_t count = 0;

    for (; *s; s++)
        count += ((unsigned char)*s & 0xC0) != 0x80;
    return count;
}

/* ---- the JSON writer ---- */

/* Adds a string with its quotes. Runs of plain characters are copied at once. */
static void add_quoted(struct text *t, const char *value)
{
    const unsigned char *s = (const unsigned char *)value;
    size_t length = strlen(value);
    size_t plain = 0; /* where the run that is not written yet begins */
    size_t i = 0;

    text_add_bytes(t, "\"", 1);
    while (i < length) {
        uint32_t code;
        size_t n = utf8_take(s + i, length - i, &code);
        /* C1 controls are escaped as well: a terminal obeys them. */
        if (n && code >= 0x20 && code != '"' && code != '\\' && !(code >= 0x7F && code < 0xA0)) {
            i += n;
            continue;
        }
        text_add_bytes(t, s + plain, i - plain);
        if (!n) {
            text_add_bytes(t, "\xEF\xBF\xBD", 3); /* U+FFFD for each byte that is not UTF-8 */
            n = 1;
        } else if (code == '"') {
            text_add_bytes(t, "\\\"", 2);
        } else if (code == '\\') {
            text_add_bytes(t, "\\\\", 2);
        } else if (code == '\n') {
            text_add_bytes(t, "\\n", 2);
        } else if (code == '\t') {
            text_add_bytes(t, "\\t", 2);
        } else if (code == '\r') {
            text_add_bytes(t, "\\r", 2);
        } else {
            text_printf(t, "\\u%04x", (unsigned)code);
        }
        i += n;
        plain = i;
    }
    text_add_bytes(t, s + plain, i - plain);
    text_add_bytes(t, "\"", 1);
}

/* Writes comma and key, as far as this place needs them. */
static void before_value(struct text *t, const char *key)
{
    if (t->depth && t->comma[t->depth])
        text_add_bytes(t, ",", 1);
    t->comma[t->depth] = 1;
    if (key) {
        add_quoted(t, key);
        text_add_bytes(t, ":", 1);
    }
}

static void begin(struct text *t, const char *key, const char *bracket)
{
    before_value(t, key);
    text_add_bytes(t, bracket, 1);
    assert(t->depth + 1 < sizeof(t->comma));
    t->depth++;
    t->comma[t->depth] = 0;
}

static void end(struct text *t, const char *bracket)
{
    assert(t->depth);
    t->depth--;
    text_add_bytes(t, bracket, 1);
}

void json_begin_object(struct text *t, const char *key)
{
    begin(t, key, "{");
}

void json_begin_array(struct text *t, const char *key)
{
    begin(t, key, "[");
}

void json_end_object(struct text *t)
{
    end(t, "}");
}

void json_end_array(struct text *t)
{
    end(t, "]");
}

void json_put_text(struct text *t, const char *key, const char *value)
{
    before_value(t, key);
    if (value)
        add_quoted(t, value);
    else
        text_add_bytes(t, "null", 4);
}

void json_put_int(struct text *t, const char *key, int64_t value)
{
    before_value(t, key);
    text_printf(t, "%" PRId64, value);
}

void json_put_bool(struct text *t, const char *key, bool value)
{
    before_value(t, key);
    text_add(t, value ? "true" : "false");
}

void json_put_null(struct text *t, const char *key)
{
    before_value(t, key);
    text_add_bytes(t, "null", 4);
}

void json_put_raw(struct text *t, const char *key, const char *json)
{
    json_put_raw_bytes(t, key, json, strlen(json));
}

void json_put_raw_bytes(struct text *t, const char *key, const char *json, size_t length)
{
    before_value(t, key);
    text_add_bytes(t, json, length);
}

/* ---- ASCII ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int text_compare_caseless(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return (unsigned char)lower(*a) - (unsigned char)lower(*b);
}

bool text_equal_caseless(const char *a, const char *b)
{
    return text_compare_caseless(a, b) == 0;
}

void text_to_lower(char *s)
{
    for (; *s; s++)
        *s = lower(*s);
}

void text_to_upper(char *s)
{
    for (; *s; s++)
        if (*s >= 'a' && *s <= 'z')
            *s = (char)(*s - 'a' + 'A');
}

bool text_is_printable_ascii(const char *s)
{
    for (; *s; s++)
        if (*s < 0x20 || *s > 0x7E)
            return false;
    return true;
}

bool text_copy(char *to, size_t size, const char *from)
{
    size_t length = strlen(from);

    if (length >= size) {
        if (size)
            to[0] = '\0';
        return false;
    }
    memcpy(to, from, length + 1);
    return true;
}

/* ---- percent-encoding ---- */

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

char *text_url_encode(struct arena *a, const char *s)
{
    static const char digits[] = "0123456789ABCDEF";
    char *ret = arena_alloc(a, 3 * strlen(s) + 1);
    char *to = ret;

    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (is_unreserved(*s)) {
            *to++ = *s;
        } else {
            *to++ = '%';
            *to++ = digits[c >> 4];
            *to++ = digits[c & 15];
        }
    }
    *to = '\0';
    return ret;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* '+' stays '+': our URLs are RFC 3986, and partners send "+00:00" without encoding it. */
char *text_url_decode(struct arena *a, const char *s, size_t length)
{
    char *ret = arena_alloc(a, length + 1);
    size_t n = 0;

    for (size_t i = 0; i < length; i++) {
        char c = s[i];
        if (c == '%') {
            int high = i + 2 < length ? hex_digit(s[i + 1]) : -1;
            int low = i + 2 < length ? hex_digit(s[i + 2]) : -1;
            if (high < 0 || low < 0)
                return NULL;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (!c)
            return NULL;
        ret[n++] = c;
    }
    ret[n] = '\0';
    return text_is_utf8(ret, n) ? ret : NULL;
}

/* ---- Base64 ---- */

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *text_base64(struct arena *a, const void *bytes, size_t length)
{
    const unsigned char *s = bytes;
    char *ret = arena_alloc(a, (length + 2) / 3 * 4 + 1);
    char *to = ret;

    for (size_t i = 0; i < length; i += 3) {
        uint32_t three = (uint32_t)s[i] << 16;
        if (i + 1 < length)
            three |= (uint32_t)s[i + 1] << 8;
        if (i + 2 < length)
            three |= s[i + 2];
        *to++ = base64_digits[three >> 18];
        *to++ = base64_digits[three >> 12 & 63];
        *to++ = i + 1 < length ? base64_digits[three >> 6 & 63] : '=';
        *to++ = i + 2 < length ? base64_digits[three & 63] : '=';
    }
    *to = '\0';
    return ret;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* Refuses white space, missing padding, and unused bits that are not zero: one text per value. */
char *text_base64_decode(struct arena *a, const char *s, size_t *ret_length)
{
    size_t length = strlen(s);

    if (length % 4)
        return NULL;
    size_t padding = 0;
    if (length)
        padding = s[length - 1] != '=' ? 0 : s[length - 2] != '=' ? 1 : 2;
    size_t digits = length - padding;

    char *ret = arena_alloc(a, length / 4 * 3 + 1);
    size_t n = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < digits; i++) {
        int value = base64_value(s[i]);
        if (value < 0)
            return NULL;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            ret[n++] = (char)(bits >> held & 255);
        }
    }
    if (bits & ((1U << held) - 1))
        return NULL;
    ret[n] = '\0';
    *ret_length = n;
    return ret;
}
