/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects: reading, checking and merging by the field tables. Printing is in object_print.c, the
 * words of complaints are in complaint.c.
 */
#include "ocpi/object.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/came.h"
#include "ocpi/complaint.h"
#include "ocpi/field.h"

enum { WORD_SHOWN_MAX = 40 };

/* How much of an object has to be there. */
enum reading { READING_WHOLE, READING_PATCH };

/* The layout that every LIST_OF has. */
struct any_list {
    const void *at;
    size_t count;
};

static struct err parse_object(const struct object_place *at, const struct object_type *type,
                               const json_t *json, enum reading reading, void *ret);

static const char *rule_of_demand(const struct field *field)
{
    return field->rule ? field->rule : complaint_rule(field);
}

/* --- single values; `to` is the member, or the entry of a list --- */

/* C0 and C1 control characters and DEL. The text is valid UTF-8: the loader saw to it. */
static bool has_control_character(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p < 0x20 || *p == 0x7f)
            return true;
        if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
            return true;
    }
    return false;
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " ")] == '\0';
}

static struct err check_characters(const struct object_place *at, const struct field *field,
                                   const json_t *value, const char *text)
{
    const char *rule = complaint_rule(field);

    if (field->flags & CASELESS) {
        if (!text_is_printable_ascii(text))
            return complaint_about(at, value, rule, "printable ASCII characters",
                                   "only printable ASCII characters are allowed");
        if (field->flags & REQUIRED && is_blank(text))
            return complaint_about(at, value, "R-TYPE-12", complaint_wanted_one(at->arena, field),
                                   "an empty text came where %s is expected",
                                   complaint_one(at->arena, field));
    } else if (!(field->flags & VERBATIM) && has_control_character(text)) {
        return complaint_about(at, value, rule, "a text without control characters",
                               "control characters are not allowed");
    }
    if (field->kind == FIELD_URL && (is_blank(text) || strchr(text, ' ')))
        return complaint_about(at, value, rule, complaint_wanted_one(at->arena, field),
                               "this is not a URL");
    return OK;
}

static struct err check_text(const struct object_place *at, const struct field *field,
                             const json_t *value, const char *text)
{
    bool long_text = at->leniency->long_text && field->limit < LONG_TEXT_MAX;
    size_t limit = long_text ? LONG_TEXT_MAX : field->limit;
    size_t length = text_utf8_count(text);
    const char *wanted;

    if (length > limit)
        return complaint_about(at, value, field->kind == FIELD_URL ? "R-TYPE-10" : "R-TYPE-17",
                               arena_printf(at->arena, "at most %zu characters", field->limit),
                               "%zu characters came where at most %zu are allowed", length,
                               field->limit);
    TRY(check_characters(at, field, value, text));
    wanted = field->text_check ? field->text_check(text) : NULL;
    if (wanted)
        return complaint_about(at, value, rule_of_demand(field), wanted, "%s is expected", wanted);
    return OK;
}

static struct err parse_text(const struct object_place *at, const struct field *field,
                             const json_t *value, void *to)
{
    const char *text;

    if (json_is_string(value))
        text = json_string_value(value);
    else if (field->flags & NUMBER_OK && json_is_integer(value))
        text = arena_printf(at->arena, "%lld", (long long)json_integer_value(value));
    else
        return complaint_of_kind(at, field, value);
    TRY(check_text(at, field, value, text));
    memcpy(to, &text, sizeof(text));
    return OK;
}

static struct err parse_time(const struct object_place *at, const struct field *field,
                             const json_t *value, void *to)
{
    enum time_rule rule = at->leniency->offset_times ? TIME_OCPI_ANY_OFFSET : TIME_OCPI;
    const char *text = json_string_value(value);
    int64_t us;

    if (!text)
        return complaint_of_kind(at, field, value);
    /* The unpadded form is a word for "unknown", not a time (R-CDR-15). */
    if ((!(field->flags & UNKNOWN_OK) && strcmp(text, "1970-1-1T00:00:00Z") == 0) ||
        !time_parse(text, rule, &us))
        return complaint_about(at, value, complaint_rule(field),
                               complaint_wanted_one(at->arena, field), "a text came that is not %s",
                               complaint_one(at->arena, field));
    memcpy(to, &us, sizeof(us));
    return OK;
}

static struct err parse_number(const struct object_place *at, const struct field *field,
                               const json_t *value, void *to)
{
    const char *wanted;
    int64_t number;

    if (!json_is_number(value) && !(at->leniency->numbers_as_text && json_is_string(value)))
        return complaint_of_kind(at, field, value);
    if (!json_number_u6(value, at->leniency->numbers_as_text, &number))
        return complaint_about(at, value, "R-TYPE-07", "a number of at most 15 digits",
                               "this number is too large, too exact or none at all");
    if (field->kind == FIELD_INT) {
        if (number % 1000000 != 0)
            return complaint_about(at, value, "R-TYPE-08", "a whole number",
                                   "a whole number is expected");
        number /= 1000000;
    }
    wanted = field->number_check ? field->number_check(number) : NULL;
    if (wanted)
        return complaint_about(at, value, rule_of_demand(field), wanted, "%s is expected", wanted);
    memcpy(to, &number, sizeof(number));
    return OK;
}

static bool looks_like_a_word(const char *text)
{
    size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    return length > 0 && length <= WORD_SHOWN_MAX && text[length] == '\0';
}

static struct err check_unlisted_word(const struct object_place *at, const struct field *field,
                                      const json_t *value, const char *text)
{
    const char *rule = complaint_rule(field), *wanted = complaint_wanted_one(at->arena, field);

    if (*text == '\0' || !text_is_printable_ascii(text))
        return complaint_about(at, value, rule, wanted, "a text came that is no word of %s",
                               field->words->name);
    if (field->words->open || at->leniency->unknown_words)
        return OK;
    if (!looks_like_a_word(text))
        return complaint_about(at, value, rule, wanted, "unknown value, %s is expected",
                               complaint_one(at->arena, field));
    return complaint_about(at, value, rule, wanted, "unknown value \"%s\", %s is expected", text,
                           complaint_one(at->arena, field));
}

static struct err parse_word(const struct object_place *at, const struct field *field,
                             const json_t *value, void *to)
{
    const char *text = json_string_value(value);
    unsigned word;

    if (!text)
        return complaint_of_kind(at, field, value);
    word = word_parse(field->words, text);
    if (word > field->words->count)
        TRY(check_unlisted_word(at, field, value, text));
    memcpy(to, &word, sizeof(word));
    return OK;
}

static struct err parse_one(const struct object_place *at, const struct field *field,
                            const json_t *value, void *to)
{
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_URL:
        return parse_text(at, field, value, to);
    case FIELD_TIME:
        return parse_time(at, field, value, to);
    case FIELD_NUMBER:
    case FIELD_INT:
        return parse_number(at, field, value, to);
    case FIELD_BOOL: {
        bool yes = json_is_true(value);

        if (!json_is_boolean(value))
            return complaint_of_kind(at, field, value);
        memcpy(to, &yes, sizeof(yes));
        return OK;
    }
    case FIELD_ENUM:
        return parse_word(at, field, value, to);
    case FIELD_OBJECT:
        if (!json_is_object(value))
            return complaint_of_kind(at, field, value);
        return parse_object(at, field->type, value, READING_WHOLE, to);
    }
    return err_new(ERR_INTERNAL);
}

static size_t size_of_one(const struct field *field)
{
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_URL:
        return sizeof(const char *);
    case FIELD_ENUM:
        return sizeof(unsigned);
    case FIELD_OBJECT:
        return field->type->size;
    case FIELD_BOOL:
        return sizeof(bool);
    case FIELD_TIME:
    case FIELD_NUMBER:
    case FIELD_INT:
        break;
    }
    return sizeof(int64_t);
}

/* --- members --- */

static struct err parse_list(const struct object_place *at, const struct field *field,
                             const json_t *value, void *to)
{
    size_t count = json_array_size(value), size = size_of_one(field);
    struct any_list list = {.count = count};
    char *entries;

    if (!json_is_array(value))
        return complaint_about(at, value, "R-TYPE-16", complaint_wanted(at->arena, field),
                               "%s came where %s is expected", complaint_kind(value),
                               complaint_expected(at->arena, field));
    if (count == 0 && field->flags & REQUIRED)
        return complaint_about(at, value, "R-TYPE-12", "at least one entry",
                               "an empty list came where at least one entry is required");
    if (count == 0)
        return OK;
    entries = arena_alloc(at->arena, count * size);
    list.at = entries;
    for (size_t i = 0; i < count; i++) {
        struct object_place entry = {at->arena, at->leniency, at, NULL, i};

        TRY(parse_one(&entry, field, json_array_get(value, i), entries + i * size));
    }
    memcpy(to, &list, sizeof(list));
    return OK;
}

static struct err parse_member(const struct object_place *at, const struct field *field,
                               const json_t *value, char *object)
{
    char *to = object + field->offset;

    if (field->list)
        return parse_list(at, field, value, to);
    if (field->kind == FIELD_OBJECT) {
        void *inner = arena_alloc(at->arena, field->type->size);

        TRY(parse_one(at, field, value, inner));
        memcpy(to, &inner, sizeof(inner));
        return OK;
    }
    return parse_one(at, field, value, to);
}

/* The value at the end of a pointer that begins at `json`; NULL where there is nothing. */
static const json_t *value_at(struct arena *a, const json_t *json, const char *pointer)
{
    while (json && *pointer == '/') {
        size_t length = strcspn(++pointer, "/");
        const char *name = arena_bytes(a, pointer, length);

        if (json_is_array(json))
            json = json_array_get(json, strtoul(name, NULL, 10));
        else
            json = json_object_get(json, name);
        pointer += length;
    }
    return json;
}

/* The rule between the fields of a class sees the struct; what came at the place that it complains
 * about stands in the document. */
static struct err check_rules(const struct object_place *at, const struct object_type *type,
                              const json_t *json, const void *object)
{
    struct err e = type->check(at, object);
    const char *pointer, *name;

    if (!failed(e) || e.came || !e.where)
        return e;
    pointer = e.where + strlen(complaint_pointer(at));
    name = strrchr(e.where, '/');
    e.came = came_of(at->arena, name ? name + 1 : NULL, value_at(at->arena, json, pointer));
    return e;
}

static struct err parse_object(const struct object_place *at, const struct object_type *type,
                               const json_t *json, enum reading reading, void *ret)
{
    object_blank(type, ret);
    for (size_t i = 0; i < type->field_count; i++) {
        const struct field *field = &type->fields[i];
        const json_t *value = json_object_get(json, field->name);
        struct object_place member = {at->arena, at->leniency, at, field->name, 0};

        if (!value && reading == READING_PATCH)
            continue;
        if (value && !json_is_null(value))
            TRY(parse_member(&member, field, value, ret));
        else if (field->flags & REQUIRED)
            return complaint_about(
                &member, value, reading == READING_PATCH ? "R-TRANS-13" : "R-TYPE-12",
                complaint_wanted(at->arena, field), "%s, %s is required",
                value ? "null" : "missing", complaint_expected(at->arena, field));
    }
    return type->check && reading == READING_WHOLE ? check_rules(at, type, json, ret) : OK;
}

static const struct field *find_field(const struct object_type *type, const char *name)
{
    for (size_t i = 0; i < type->field_count; i++) {
        if (strcmp(type->fields[i].name, name) == 0)
            return &type->fields[i];
    }
    return NULL;
}

/* --- the public functions --- */

static const struct object_leniency strict;

static struct err no_object(struct arena *a, const json_t *json, const struct object_type *type,
                            const char *what)
{
    struct err e = err_at(a, ERR_BAD_BODY, "", "%s came where %s%s object %s expected",
                          json ? complaint_kind(json) : "nothing", what, type->name,
                          *what == 'a' ? "is" : "are");

    e = object_rule(e, "R-TYPE-16", arena_printf(a, "%s%s object", what, type->name));
    e.came = came_of(a, NULL, json);
    return e;
}

void object_blank(const struct object_type *type, void *object)
{
    static const int64_t none = NUMBER_NONE;

    _Static_assert(NUMBER_NONE == TIME_NONE, "absent times and numbers look alike");
    memset(object, 0, type->size);
    for (size_t i = 0; i < type->field_count; i++) {
        const struct field *field = &type->fields[i];
        char *to = (char *)object + field->offset;

        if (field->list)
            continue;
        if (field->kind == FIELD_TIME || field->kind == FIELD_NUMBER || field->kind == FIELD_INT)
            memcpy(to, &none, sizeof(none));
        else if (field->kind == FIELD_BOOL)
            *(bool *)(void *)to = (field->flags & TRUE_IF_ABSENT) != 0;
    }
}

struct err object_parse_lenient(const struct object_type *type, const json_t *json,
                                const struct object_leniency *leniency, struct arena *a, void *ret)
{
    struct object_place top = {a, leniency ? leniency : &strict, NULL, NULL, 0};

    if (!json_is_object(json))
        return no_object(a, json, type, "a ");
    return parse_object(&top, type, json, READING_WHOLE, ret);
}

struct err object_parse(const struct object_type *type, const json_t *json, struct arena *a,
                        void *ret)
{
    return object_parse_lenient(type, json, NULL, a, ret);
}

struct err object_check(const struct object_type *type, const json_t *json,
                        const struct object_leniency *leniency, struct arena *a)
{
    return object_parse_lenient(type, json, leniency, a, arena_alloc(a, type->size));
}

struct err object_parse_patch(const struct object_type *type, const json_t *patch,
                              const struct object_leniency *leniency, struct arena *a, void *ret)
{
    struct object_place top = {a, leniency ? leniency : &strict, NULL, NULL, 0};
    const json_t *stamp = json_object_get(patch, "last_updated");

    if (!json_is_object(patch))
        return no_object(a, patch, type, "members of a ");
    TRY(parse_object(&top, type, patch, READING_PATCH, ret));
    if (!stamp && type->version >= OCPI_2_2_1 && find_field(type, "last_updated"))
        return object_rule(
            object_complaint(&top, "last_updated", "missing, every PATCH carries it"), "R-TRANS-12",
            "last_updated in every PATCH");
    return OK;
}

struct err object_check_patch(const struct object_type *type, const json_t *patch,
                              const struct object_leniency *leniency, struct arena *a)
{
    return object_parse_patch(type, patch, leniency, a, arena_alloc(a, type->size));
}

/* Identity is made of texts and words; ids compare without case (R-TYPE-01). */
static bool same_identity(const struct field *field, const json_t *stored, const json_t *patch)
{
    const char *ours = json_string_value(stored), *theirs = json_string_value(patch);

    if (!ours || !theirs)
        return false;
    return field->flags & CASELESS ? text_equal_caseless(ours, theirs) : strcmp(ours, theirs) == 0;
}

static void drop_json(void *document)
{
    json_decref(document);
}

struct err object_merge(const struct object_type *type, json_t *stored, json_t *patch,
                        const struct object_leniency *leniency, struct arena *a, json_t **ret)
{
    struct object_place top = {a, leniency ? leniency : &strict, NULL, NULL, 0};
    json_t *merged, *value;
    const char *name;

    TRY(object_check_patch(type, patch, leniency, a));
    merged = json_copy(stored); /* members are shared with the stored document, never changed */
    if (!merged)
        return err_at(a, ERR_INTERNAL, NULL, "the stored %s is no object", type->name);
    arena_on_free(a, drop_json, merged);
    json_object_foreach(patch, name, value)
    {
        const struct field *field = find_field(type, name);
        int failed_to_set = 0;

        if (field && field->flags & IDENTITY) {
            const struct object_place member = {a, top.leniency, &top, name, 0};
            json_t *ours = json_object_get(stored, name);

            if (!same_identity(field, ours, value))
                return complaint_about(&member, value, "R-TRANS-13", came_of(a, name, ours),
                                       "a PATCH may not change what the object is");
            continue; /* the stored spelling stays */
        }
        if (json_is_null(value))
            json_object_del(merged, name);
        else
            failed_to_set = json_object_set(merged, name, value);
        if (failed_to_set)
            return err_at(a, ERR_INTERNAL, name, "a member could not be merged");
    }
    TRY(object_check(type, merged, leniency, a));
    *ret = merged;
    return OK;
}

/* --- the tables --- */

const char *object_type_name(const struct object_type *type)
{
    return type->name;
}

enum ocpi_version object_type_version(const struct object_type *type)
{
    return type->version;
}

size_t object_type_size(const struct object_type *type)
{
    return type->size;
}

size_t object_type_fields(const struct object_type *type)
{
    return type->field_count;
}

struct field_facts object_type_field(const struct object_type *type, size_t index)
{
    const struct field *field = &type->fields[index];

    return (struct field_facts){
        .name = field->name,
        .kind = field->kind,
        .list = field->list,
        .required = (field->flags & REQUIRED) != 0,
        .caseless = (field->flags & CASELESS) != 0,
        .identity = (field->flags & IDENTITY) != 0,
        .number_tolerated = (field->flags & NUMBER_OK) != 0,
        .true_if_absent = (field->flags & TRUE_IF_ABSENT) != 0,
        .limit = field->limit,
        .type = field->type,
        .words = field->words,
    };
}
