/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON from outside enters here and nowhere else: duplicate keys refused, depth and size bounded,
 * valid UTF-8, no NUL. A json_t leaves through json_text only.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct arena;

enum {
    JSON_MAX_DEPTH = 32,
    JSON_MAX_VALUES = 100000,
    JSON_MAX_MEMBERS = 10000, /* per object */
};

/* The document belongs to the arena: borrowed by everyone else. ERR_BAD_JSON otherwise. A page of
 * objects (a partner's list answer) may have max_values above JSON_MAX_VALUES; 0: the default. */
struct err json_read(struct arena *a, const char *bytes, size_t length, size_t max_values,
                     json_t **ret);

/* Text that our own SQL made. Of any size: it carries whole documents as strings, whose bounds were
 * checked when they came in. It fails only where that SQL is wrong: ERR_INTERNAL. */
struct err json_read_own(struct arena *a, const char *text, json_t **ret);

/* Compact text, numbers with 15 digits, keys in their order. */
char *json_text(struct arena *a, const json_t *value, size_t *ret_length);

/* The same value has the same text, whatever the order of keys and white space: for hashes. */
char *json_canonical(struct arena *a, const json_t *value);

/* Members by name; NULL where absent or null or of another kind. Borrowed from the document. */
const char *json_text_of(const json_t *object, const char *key);
const json_t *json_object_of(const json_t *object, const char *key);
const json_t *json_array_of(const json_t *object, const char *key);

/* The number as a fixed point with six decimals (rounded half away from zero); false where the
 * value is not a number or has more than 15 digits. A numeric string counts only if `lenient`. */
bool json_number_u6(const json_t *value, bool lenient, int64_t *ret_u6);
/* How many decimals the number has; -1: it is none, or has more than 15 digits. */
int json_number_places(const json_t *value);

static inline void json_free_(json_t **p)
{
    json_decref(*p);
}
#define AUTO_JSON __attribute__((cleanup(json_free_)))

#endif
