/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: objects of all versions. The first byte chooses the class, the second leniency; the
 * rest is JSON.
 * What parses must print, read back and print the same; what merges must be a valid object.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "ocpi/came.h"
#include "ocpi/object.h"
#include "ocpi/session.h"

enum { ARENA_MAX = 512 * 1024 * 1024, INPUT_MAX = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_of_classes(enum ocpi_version version)
{
    size_t count = 0;

    while (object_type_at(version, count))
        count++;
    return count;
}

/* All classes of all versions in one row, those of 2.2.1 first. */
static const struct object_type *class_of_byte(size_t byte)
{
    static const enum ocpi_version versions[] = {OCPI_2_2_1, OCPI_2_1_1, OCPI_2_3_0};
    static size_t counts[3];
    size_t all = 0;

    for (size_t v = 0; v < 3; v++) {
        counts[v] = counts[v] ? counts[v] : count_of_classes(versions[v]);
        all += counts[v];
    }
    byte %= all;
    for (size_t v = 0; v < 3; v++) {
        if (byte < counts[v])
            return object_type_at(versions[v], byte);
        byte -= counts[v];
    }
    abort();
}

/* Unlisted words of open enums and over-long texts are read but never written. */
static void print_and_read_back(const struct object_type *type, const json_t *json, struct arena *a)
{
    void *object = arena_alloc(a, object_type_size(type));
    void *again = arena_alloc(a, object_type_size(type));
    json_t *first, *second;

    if (failed(object_parse(type, json, a, object)))
        return;
    if (failed(object_json(type, object, a, &first)))
        return;
    assert(!failed(object_parse(type, first, a, again)));
    assert(!failed(object_json(type, again, a, &second)));
    assert(strcmp(json_canonical(a, first), json_canonical(a, second)) == 0);
}

static void merge(const struct object_type *type, json_t *json,
                  const struct object_leniency *leniency, struct arena *a)
{
    json_t *stored = json_object_get(json, "stored"), *patch = json_object_get(json, "patch");
    json_t *merged;

    if (!json_is_object(stored))
        return;
    if (!failed(object_merge(type, stored, patch, leniency, a, &merged)))
        assert(!failed(object_check(type, merged, leniency, a)));
    if (strcmp(object_type_name(type), "Session") == 0 &&
        !failed(session_merge_as(type, stored, patch, leniency, a, &merged)))
        assert(!failed(object_check(type, merged, leniency, a)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct object_leniency leniency;
    const struct object_type *type;
    struct arena *a;
    json_t *json;
    struct err e;

    if (size < 2 || size > INPUT_MAX)
        return 0;
    type = class_of_byte(data[0]);
    leniency = (struct object_leniency){.numbers_as_text = data[1] & 1,
                                        .offset_times = data[1] & 2,
                                        .long_text = data[1] & 4,
                                        .unknown_words = data[1] & 8};
    a = arena_new(ARENA_MAX);
    if (!failed(json_read(a, (const char *)data + 2, size - 2, 0, &json))) {
        e = object_check(type, json, &leniency, a);
        assert(!failed(e) || (e.where && e.text && e.rule && e.expected));
        assert(!e.came || (strlen(e.came) <= CAME_MAX && text_is_utf8(e.came, strlen(e.came))));
        print_and_read_back(type, json, a);
        (void)object_check_patch(type, json, &leniency, a);
        merge(type, json, &leniency, a);
    }
    arena_free(a);
    return 0;
}
