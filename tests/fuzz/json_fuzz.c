/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz: any bytes into the JSON loader; what it takes prints, and prints the same when read again.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void walk_numbers(const json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;
    int64_t u6;

    json_number_u6(value, true, &u6);
    if (json_is_object(value))
        json_object_foreach((json_t *)(uintptr_t)value, key, member) walk_numbers(member);
    if (json_is_array(value))
        json_array_foreach(value, i, member) walk_numbers(member);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct arena *a = arena_new(256 << 20);
    json_t *value, *again;

    if (!failed(json_read(a, (const char *)bytes, length, 0, &value))) {
        size_t printed_length;
        char *printed = json_text(a, value, &printed_length);
        walk_numbers(value);
        char *canonical = json_canonical(a, value);
        /* A string of escapes may print longer than the loader takes. */
        if (!failed(json_read(a, printed, printed_length, 0, &again))) {
            assert(strcmp(printed, json_text(a, again, NULL)) == 0);
            assert(strcmp(canonical, json_canonical(a, again)) == 0);
        } else {
            assert(printed_length > 128);
        }
        assert(!failed(json_read(a, canonical, strlen(canonical), 0, &again)) ||
               strlen(canonical) > 128);
    }
    arena_free(a);
    return 0;
}
