/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text: a growing buffer with a maximum, and the direct JSON writer for our answers.
 *
 * The writer keeps track of commas by itself: json_begin_object, json_key..., json_end. Text past
 * the maximum is dropped and text_overflowed() says so; callers check once, at the end.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct text {
    char *bytes; /* NUL-terminated */
    size_t length;
    size_t capacity, max;
    struct arena *arena; /* owner of bytes; NULL: the heap, freed by text_done */
    bool overflowed;
    unsigned char comma[40]; /* the JSON writer's levels: more than JSON_MAX_DEPTH */
    unsigned depth;
};

void text_init(struct text *t, struct arena *a, size_t max);
void text_done(struct text *t);
static inline bool text_overflowed(const struct text *t)
{
    return t->overflowed;
}
void text_add(struct text *t, const char *s);
void text_add_bytes(struct text *t, const void *bytes, size_t length);
void text_printf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_reset(struct text *t);

/* JSON, written directly. `key` NULL inside arrays. Strings must be UTF-8; what is not is replaced
 * by U+FFFD so that the output is always valid. NULL strings are written as null. */
void json_begin_object(struct text *t, const char *key);
void json_begin_array(struct text *t, const char *key);
void json_end_object(struct text *t);
void json_end_array(struct text *t);
void json_put_text(struct text *t, const char *key, const char *value);
void json_put_int(struct text *t, const char *key, int64_t value);
void json_put_bool(struct text *t, const char *key, bool value);
void json_put_null(struct text *t, const char *key);
void json_put_raw(struct text *t, const char *key, const char *json); /* json: valid text */
void json_put_raw_bytes(struct text *t, const char *key, const char *json, size_t length);

/* ASCII only, whatever the locale. */
bool text_equal_caseless(const char *a, const char *b);
int text_compare_caseless(const char *a, const char *b);
void text_to_lower(char *s);
void text_to_upper(char *s);
bool text_is_printable_ascii(const char *s);
bool text_is_utf8(const char *bytes, size_t length);
size_t text_utf8_count(const char *s); /* characters, not bytes */
bool text_copy(char *to, size_t size, const char *from); /* false and to = "" if it does not fit */

/* Percent-encoding of URL segments and query values (RFC 3986 unreserved stays). */
char *text_url_encode(struct arena *a, const char *s);
/* Decodes; NULL on a bad escape, %00, or bytes that are not UTF-8. */
char *text_url_decode(struct arena *a, const char *s, size_t length);

char *text_base64(struct arena *a, const void *bytes, size_t length);
/* Strict standard Base64 with padding; NULL if it is not. */
char *text_base64_decode(struct arena *a, const char *s, size_t *ret_length);

#endif
