/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the translation share: a document in, a document out, and what was lost.
 * Documents are written with ' for ".
 */
#ifndef TESTS_TRANSLATE_CHECK_H
#define TESTS_TRANSLATE_CHECK_H

#include "tests/ocpi/ocpi_test.h"

#include "ocpi/translate/translate.h"

#define V211 OCPI_2_1_1
#define V221 OCPI_2_2_1
#define V230 OCPI_2_3_0

/* 2026-09-21T14:13:20Z */
#define NOW_US INT64_C(1790000000000000)

static const struct translation_facts usual = {.country_code = "FI",
                                               .party_id = "ABC",
                                               .now_us = NOW_US,
                                               .token_country_code = "DE",
                                               .token_party_id = "EMP"};

static inline json_t *json_of(const char *text)
{
    char *quoted = arena_text(arena, text);

    for (char *c = quoted; *c; c++) {
        if (*c == '\'')
            *c = '"';
    }
    return document(quoted);
}

static inline struct translation turned_with(const char *class, enum ocpi_version from,
                                             enum ocpi_version to, const json_t *json,
                                             const struct translation_facts *facts)
{
    struct translation ret;
    struct err e = translate(class, from, to, json, facts, arena, &ret);

    if (failed(e))
        fail_msg("%s %s to %s: %s", class, version_name(from), version_name(to), err_text(e));
    assert_true(!ret.document != !ret.withheld);
    return ret;
}

static inline struct translation turned(const char *class, enum ocpi_version from,
                                        enum ocpi_version to, const char *text)
{
    return turned_with(class, from, to, json_of(text), &usual);
}

static inline void assert_json(const json_t *json, const char *expected)
{
    assert_non_null(json);
    assert_string_equal(json_canonical(arena, json), json_canonical(arena, json_of(expected)));
}

/* The whole result. */
static inline void assert_turned(const char *class, enum ocpi_version from, enum ocpi_version to,
                                 const char *text, const char *expected)
{
    struct translation ret = turned(class, from, to, text);

    if (ret.withheld)
        fail_msg("withheld: %s", ret.withheld);
    assert_json(ret.document, expected);
}

/* The whole result, of which nothing is lost: the URL or the hub knows the rest. */
static inline void assert_told(const char *class, enum ocpi_version from, enum ocpi_version to,
                               const char *text, const char *expected)
{
    struct translation ret = turned(class, from, to, text);

    if (ret.loss_count > 0)
        fail_msg("%s was lost: %s", ret.losses[0].field, ret.losses[0].reason);
    assert_json(ret.document, expected);
}

/* NULL: no such loss is listed. */
static inline const struct translation_loss *loss_at(const struct translation *ret,
                                                     const char *field)
{
    for (size_t i = 0; i < ret->loss_count; i++) {
        if (strcmp(ret->losses[i].field, field) == 0)
            return &ret->losses[i];
    }
    return NULL;
}

static inline void assert_lost(const struct translation *ret, const char *field, const char *value)
{
    const struct translation_loss *loss = loss_at(ret, field);

    if (!loss) {
        fail_msg("no loss of %s is listed", field);
        return;
    }
    assert_string_equal(loss->value, value);
    assert_true(loss->reason[0] != '\0');
}

static inline void assert_bad_field(const char *class, enum ocpi_version from, enum ocpi_version to,
                                    const json_t *json, const struct translation_facts *facts,
                                    const char *where)
{
    struct translation ret;
    struct err e = translate(class, from, to, json, facts, arena, &ret);

    assert_int_equal(e.kind, ERR_BAD_FIELD);
    assert_string_equal(e.where, where);
    assert_string_equal(e.rule, "R-BR-03");
    assert_null(ret.document);
}

/* A member of the result by pointer; NULL where there is none. */
static inline const json_t *at(const json_t *json, const char *pointer)
{
    while (json && *pointer == '/') {
        size_t length = strcspn(pointer + 1, "/");
        const char *name = arena_bytes(arena, pointer + 1, length);

        json = json_is_array(json) ? json_array_get(json, strtoull(name, NULL, 10))
                                   : json_object_get(json, name);
        pointer += 1 + length;
    }
    return json;
}

static inline void assert_text_at(const struct translation *ret, const char *pointer,
                                  const char *expected)
{
    const json_t *value = at(ret->document, pointer);

    if (!expected) {
        assert_null(value);
        return;
    }
    if (!json_is_string(value))
        fail_msg("there is no text at %s", pointer);
    assert_string_equal(json_string_value(value), expected);
}

static inline void assert_value_at(const struct translation *ret, const char *pointer,
                                   const char *expected)
{
    const json_t *value = at(ret->document, pointer);

    if (!value)
        fail_msg("there is nothing at %s", pointer);
    assert_string_equal(json_canonical(arena, value), json_canonical(arena, json_of(expected)));
}

static inline json_t *with(const char *text, const char *member, const char *value)
{
    json_t *json = json_of(text);

    json_object_set(json, member, json_of(value));
    return json;
}

static inline json_t *without(const char *text, const char *member)
{
    json_t *json = json_of(text);

    json_object_del(json, member);
    return json;
}

static inline void assert_valid(const char *class, enum ocpi_version version, const json_t *json)
{
    assert_accepted(object_type_find(version, class), json);
}

#endif
