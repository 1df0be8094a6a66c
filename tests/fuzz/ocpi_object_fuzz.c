/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: objects. The first byte chooses the class, the second leniency; the rest is JSON.
 * What parses must print, read back and print the same; what merges must be a valid object.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "ocpi/object.h"
#include "ocpi/session.h"

enum { ARENA_MAX = 512 * 1024 * 1024, INPUT_MAX = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_of_classes(void)
{
    size_t count = 0;

    while (object_type_at(OCPI_2_2_1, count))
        count++;
    return count;
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
    if (type == &ocpi_session_type && !failed(session_merge(stored, patch, leniency, a, &merged)))
        assert(!failed(object_check(type, merged, leniency, a)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static size_t classes;
    struct object_leniency leniency;
    const struct object_type *type;
    struct arena *a;
    json_t *json;
    struct err e;

    if (size < 2 || size > INPUT_MAX)
        return 0;
    classes = classes ? classes : count_of_classes();
    type = object_type_at(OCPI_2_2_1, data[0] % classes);
    leniency = (struct object_leniency){.numbers_as_text = data[1] & 1,
                                        .offset_times = data[1] & 2,
                                        .long_text = data[1] & 4,
                                        .unknown_words = data[1] & 8};
    a = arena_new(ARENA_MAX);
    if (!failed(json_read(a, (const char *)data + 2, size - 2, 0, &json))) {
        e = object_check(type, json, &leniency, a);
        assert(!failed(e) || (e.where && e.text));
        print_and_read_back(type, json, a);
        (void)object_check_patch(type, json, &leniency, a);
        merge(type, json, &leniency, a);
    }
    arena_free(a);
    return 0;
}
