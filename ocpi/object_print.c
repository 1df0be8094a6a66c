/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects: printing what we originate, by the field tables. Strict: limits are the specification's
 * (R-TYPE-17), and what breaks a rule is a mistake of ours, not of a partner.
 */
#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/field.h"
#include "ocpi/v211/ascii.h"

enum { OBJECT_TEXT_MAX = 16 * 1024 * 1024 };

struct any_list {
    const void *at;
    size_t count;
};

struct printer {
    struct text *out;
    struct arena *arena;
    enum ocpi_version version; /* of the whole object; parts may be shared with another one */
    const char *lost; /* the first member of which something would have been lost; NULL: none */
};

static void print_object(const struct object_type *type, const void *object, struct printer *p,
                         const char *key);

static void note_loss(struct printer *p, const struct field *field)
{
    if (!p->lost)
        p->lost = field->name;
}

/* A number with too many decimals is refused, not rounded: it may be a limit. */
static void print_number(const struct field *field, int64_t value, struct printer *p,
                         const char *key)
{
    static const int64_t units[] = {1, 100000, 10000, 1000, 100, 10, 1}; /* by decimals */
    int decimals = field->limit > 0 ? (int)field->limit : 6;
    char buffer[DECIMAL_TEXT];

    if (value % units[decimals] != 0)
        note_loss(p, field);
    json_put_raw(p->out, key, decimal_print_u6(buffer, value, 0, decimals));
}

/* 2.1.1 knows whole seconds only (R-TYPE-05). */
static void print_time(int64_t value, struct printer *p, const char *key)
{
    char buffer[TIME_TEXT];

    if (p->version == OCPI_2_1_1)
        json_put_text(p->out, key, time_print_seconds(buffer, value));
    else
        json_put_text(p->out, key, time_print_millis(buffer, value));
}

/* 2.1.1 knows printable ASCII only (R-TYPE-02). */
static void print_text(const struct field *field, const char *text, struct printer *p,
                       const char *key)
{
    if (p->version == OCPI_2_1_1 && field->kind == FIELD_TEXT && !(field->flags & VERBATIM))
        text = ascii_of(p->arena, text, field->limit);
    json_put_text(p->out, key, text);
}

/* `at` is the member, or the entry of a list. */
static void print_one(const struct field *field, const char *at, struct printer *p, const char *key)
{
    const char *text;
    int64_t number;
    unsigned word;
    bool yes;

    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_URL:
        memcpy(&text, at, sizeof(text));
        print_text(field, text, p, key);
        break;
    case FIELD_TIME:
        memcpy(&number, at, sizeof(number));
        print_time(number, p, key);
        break;
    case FIELD_NUMBER:
        memcpy(&number, at, sizeof(number));
        print_number(field, number, p, key);
        break;
    case FIELD_INT:
        memcpy(&number, at, sizeof(number));
        json_put_int(p->out, key, number);
        break;
    case FIELD_BOOL:
        memcpy(&yes, at, sizeof(yes));
        json_put_bool(p->out, key, yes);
        break;
    case FIELD_ENUM:
        memcpy(&word, at, sizeof(word));
        if (!word_name(field->words, word))
            note_loss(p, field); /* an unlisted word: the struct does not know it */
        json_put_text(p->out, key, word_name(field->words, word));
        break;
    case FIELD_OBJECT:
        print_object(field->type, at, p, key);
        break;
    }
}

static size_t entry_size(const struct field *field)
{
    if (field->kind == FIELD_OBJECT)
        return field->type->size;
    return field->kind == FIELD_ENUM ? sizeof(unsigned) : sizeof(const char *);
}

static bool is_absent(const struct field *field, const char *at)
{
    const void *pointer;
    int64_t number;
    unsigned word;
    bool yes;

    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_URL:
    case FIELD_OBJECT:
        memcpy(&pointer, at, sizeof(pointer));
        return pointer == NULL;
    case FIELD_TIME:
    case FIELD_NUMBER:
    case FIELD_INT:
        memcpy(&number, at, sizeof(number));
        return number == NUMBER_NONE;
    case FIELD_ENUM:
        memcpy(&word, at, sizeof(word));
        return word == 0;
    case FIELD_BOOL:
        memcpy(&yes, at, sizeof(yes));
        return !(field->flags & REQUIRED) && yes == ((field->flags & TRUE_IF_ABSENT) != 0);
    }
    return true;
}

static void print_list(const struct field *field, const char *at, struct printer *p)
{
    size_t size = entry_size(field);
    struct any_list list;

    memcpy(&list, at, sizeof(list));
    if (list.count == 0)
        return;
    json_begin_array(p->out, field->name);
    for (size_t i = 0; i < list.count; i++)
        print_one(field, (const char *)list.at + i * size, p, NULL);
    json_end_array(p->out);
}

static void print_object(const struct object_type *type, const void *object, struct printer *p,
                         const char *key)
{
    json_begin_object(p->out, key);
    for (size_t i = 0; i < type->field_count; i++) {
        const struct field *field = &type->fields[i];
        const char *at = (const char *)object + field->offset;
        const char *inner;

        if (field->list) {
            print_list(field, at, p);
        } else if (!is_absent(field, at)) {
            if (field->kind == FIELD_OBJECT) {
                memcpy(&inner, at, sizeof(inner));
                at = inner;
            }
            print_one(field, at, p, field->name);
        }
    }
    json_end_object(p->out);
}

/* Prints into a text of its own and reads it back through the tables: what leaves is checked by
 * the same rules as what comes. */
static struct err print_checked(const struct object_type *type, const void *object, struct arena *a,
                                struct text *ret_text, json_t **ret_json)
{
    struct printer printer = {.out = ret_text, .arena = a, .version = type->version};
    struct err e;

    text_init(ret_text, a, OBJECT_TEXT_MAX);
    print_object(type, object, &printer, NULL);
    if (printer.lost)
        return err_at(a, ERR_INTERNAL, printer.lost, "%s of a %s cannot be written as it is",
                      printer.lost, type->name);
    if (text_overflowed(ret_text))
        return err_at(a, ERR_INTERNAL, NULL, "a %s is too large to print", type->name);
    e = json_read(a, ret_text->bytes, ret_text->length, 0, ret_json);
    if (!failed(e))
        e = object_check(type, *ret_json, NULL, a);
    if (failed(e))
        return err_at(a, ERR_INTERNAL, e.where, "a %s of ours is wrong: %s", type->name,
                      err_text(e));
    return OK;
}

struct err object_print(const struct object_type *type, const void *object, struct arena *a,
                        struct text *out, const char *key)
{
    struct text text;
    json_t *json;

    TRY(print_checked(type, object, a, &text, &json));
    json_put_raw_bytes(out, key, text.bytes, text.length);
    return OK;
}

struct err object_json(const struct object_type *type, const void *object, struct arena *a,
                       json_t **ret)
{
    struct text text;

    return print_checked(type, object, a, &text, ret);
}
