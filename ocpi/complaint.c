/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Complaints: their words, and the rules that they are about.
 */
#include "ocpi/complaint.h"

#include <stdarg.h>

#include "base/arena.h"
#include "base/text.h"
#include "ocpi/came.h"

enum { WORDS_SHOWN_MAX = 1024 };

const char *complaint_pointer(const struct object_place *at)
{
    if (!at->up)
        return "";
    if (at->name)
        return arena_printf(at->arena, "%s/%s", complaint_pointer(at->up), at->name);
    return arena_printf(at->arena, "%s/%zu", complaint_pointer(at->up), at->index);
}

static struct err complain(const struct object_place *at, const char *member, const char *what)
{
    const char *where = complaint_pointer(at);

    if (*member)
        where = arena_printf(at->arena, "%s/%s", where, member);
    return err_at(at->arena, ERR_BAD_FIELD, where, "%s: %s", *where ? where : "/", what);
}

struct err object_complaint(const struct object_place *at, const char *member, const char *format,
                            ...)
{
    const char *what;
    va_list args;

    va_start(args, format);
    what = arena_vprintf(at->arena, format, args);
    va_end(args);
    return complain(at, member, what);
}

struct err complaint_about(const struct object_place *at, const json_t *value, const char *rule,
                           const char *wanted, const char *format, ...)
{
    const char *what;
    struct err e;
    va_list args;

    va_start(args, format);
    what = arena_vprintf(at->arena, format, args);
    va_end(args);
    e = object_rule(complain(at, "", what), rule, wanted);
    e.came = came_of(at->arena, at->name, value);
    return e;
}

const char *complaint_rule(const struct field *field)
{
    switch (field->kind) {
    case FIELD_TEXT:
        return field->flags & CASELESS ? "R-TYPE-01" : "R-TYPE-02";
    case FIELD_URL:
        return "R-TYPE-10";
    case FIELD_TIME:
        return "R-TYPE-04";
    case FIELD_NUMBER:
    case FIELD_INT:
        return "R-TYPE-07";
    case FIELD_ENUM:
        return field->words->open ? "R-TYPE-14" : "R-TYPE-15";
    case FIELD_BOOL:
    case FIELD_OBJECT:
        break;
    }
    return "R-TYPE-16";
}

const char *complaint_kind(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        return "null";
    }
    return "something else";
}

const char *complaint_one(struct arena *a, const struct field *field)
{
    switch (field->kind) {
    case FIELD_TEXT:
        return arena_printf(a, "a string of at most %zu characters", field->limit);
    case FIELD_URL:
        return "a URL of at most 255 characters";
    case FIELD_TIME:
        return "a time in UTC such as 2026-01-31T08:00:00Z";
    case FIELD_NUMBER:
        return "a number";
    case FIELD_INT:
        return "a whole number";
    case FIELD_BOOL:
        return "true or false";
    case FIELD_ENUM:
        return arena_printf(a, "a word of %s", field->words->name);
    case FIELD_OBJECT:
        return arena_printf(a, "a %s object", field->type->name);
    }
    return "something else";
}

const char *complaint_expected(struct arena *a, const struct field *field)
{
    if (field->list)
        return arena_printf(a, "a list of which each entry is %s", complaint_one(a, field));
    return complaint_one(a, field);
}

const char *complaint_wanted_one(struct arena *a, const struct field *field)
{
    const struct word_list *words = field->words;
    struct text list;

    if (field->kind != FIELD_ENUM || words->open)
        return complaint_one(a, field);
    text_init(&list, a, WORDS_SHOWN_MAX);
    text_add(&list, "one of ");
    for (unsigned i = 0; i < words->count; i++)
        text_printf(&list, "%s%s", i > 0 ? ", " : "", words->words[i]);
    return list.bytes;
}

const char *complaint_wanted(struct arena *a, const struct field *field)
{
    return field->list ? complaint_expected(a, field) : complaint_wanted_one(a, field);
}

struct err complaint_of_kind(const struct object_place *at, const struct field *field,
                             const json_t *value)
{
    const char *rule = complaint_rule(field);

    if (field->kind == FIELD_NUMBER || field->kind == FIELD_INT)
        rule = json_is_string(value) ? "R-TYPE-09" : "R-TYPE-08";
    return complaint_about(at, value, rule, complaint_wanted_one(at->arena, field),
                           "%s came where %s is expected", complaint_kind(value),
                           complaint_one(at->arena, field));
}
