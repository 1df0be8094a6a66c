/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of ocpi/ share: an arena per test, documents from text and from files.
 */
#ifndef TESTS_OCPI_TEST_H
#define TESTS_OCPI_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "ocpi/object.h"

#define TEST_ARENA_MAX (256U * 1024 * 1024)
#define EXAMPLES "tests/ocpi/examples/2.2.1"

/* One arena per test; the tests run in the root of the project. */
static struct arena *arena;

static inline int arena_setup(void **state)
{
    (void)state;
    arena = arena_new(TEST_ARENA_MAX);
    return 0;
}

static inline int arena_teardown(void **state)
{
    (void)state;
    arena_free(arena);
    arena = NULL;
    return 0;
}

#define OCPI_TEST(f) cmocka_unit_test_setup_teardown(f, arena_setup, arena_teardown)

static inline json_t *document(const char *text)
{
    json_t *json = NULL;
    struct err e = json_read(arena, text, strlen(text), 0, &json);

    if (failed(e))
        fail_msg("the test's own JSON is wrong: %s", err_text(e));
    return json;
}

/* NULL if there is no such file. */
static inline json_t *document_of_file(const char *path)
{
    enum { MAX = 256 * 1024 };
    char *bytes = arena_alloc(arena, MAX);
    FILE *file = fopen(path, "rb");
    json_t *json = NULL;
    size_t length;

    if (!file)
        return NULL;
    length = fread(bytes, 1, MAX, file);
    fclose(file);
    if (failed(json_read(arena, bytes, length, 0, &json)))
        fail_msg("%s is no JSON", path);
    return json;
}

static inline json_t *example(const char *class_name)
{
    json_t *json = document_of_file(arena_printf(arena, EXAMPLES "/%s.json", class_name));

    if (!json)
        fail_msg("there is no example of %s; run the test in the root of the project", class_name);
    return json;
}

/* The example of a class; it lies in the folder of the version whose table it is. */
static inline json_t *example_of(const struct object_type *type)
{
    const char *version = version_name(object_type_version(type)), *name = object_type_name(type);
    json_t *json =
        document_of_file(arena_printf(arena, "tests/ocpi/examples/%s/%s.json", version, name));

    if (!json)
        fail_msg("there is no example of %s %s; run the test in the root of the project", version,
                 name);
    return json;
}

static inline void drop_document(void *json)
{
    json_decref(json);
}

/* A copy of an example in which one member is another, or is gone (`value` NULL). */
static inline json_t *changed(const json_t *json, const char *member, json_t *value)
{
    json_t *copy = json_deep_copy(json);

    arena_on_free(arena, drop_document, copy);
    if (value)
        json_object_set_new(copy, member, value);
    else
        json_object_del(copy, member);
    return copy;
}

static inline json_t *example_with(const char *class_name, const char *member, const char *value)
{
    json_t *json = example(class_name);

    json_object_set(json, member, json_object_get(document(value), "v"));
    return json;
}
#define V(text) "{\"v\":" text "}"

static inline void assert_accepted(const struct object_type *type, const json_t *json)
{
    struct err e = object_check(type, json, NULL, arena);

    if (failed(e))
        fail_msg("%s was refused: %s", object_type_name(type), err_text(e));
}

static inline void assert_refused_at(const struct object_type *type, const json_t *json,
                                     const char *where)
{
    struct err e = object_check(type, json, NULL, arena);

    if (!failed(e))
        fail_msg("%s was accepted, a complaint about %s was expected", object_type_name(type),
                 where);
    assert_int_equal(e.kind, ERR_BAD_FIELD);
    assert_non_null(e.where);
    assert_string_equal(e.where, where);
    assert_int_equal(err_info(e.kind)->ocpi_code, 2001);
}

#endif
