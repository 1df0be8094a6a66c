/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields: the rows of the tables behind ocpi/object.h. Included by the files that hold tables and
 * by nobody else.
 *
 * Each row holds the JSON name (the member's own), kind, offset, limit or inner type, and flags.
 * The macro asks the compiler, by _Generic, whether the member has the C type that the kind writes:
 * a wrong row does not compile. A rule *between* fields is a plain function beside the table.
 */
#ifndef OCPI_FIELD_H
#define OCPI_FIELD_H

#include "ocpi/object.h"

enum field_flags {
    OPTIONAL = 0,
    REQUIRED = 1,       /* a list: may not be empty ("+") */
    CASELESS = 2,       /* CiString: printable ASCII, compared without case */
    IDENTITY = 4,       /* names the object or its owner: a PATCH may not change it */
    TRUE_IF_ABSENT = 8, /* the default of an optional bool */
    VERBATIM = 16,      /* a text that may hold line breaks (R-CDR-17) */
    NUMBER_OK = 32,  /* a text that is also read from a whole number (EVSE, physical_reference) */
    UNKNOWN_OK = 64, /* a time that may be "1970-1-1T00:00:00Z" (R-CDR-15) */
};

/* Where a value stands, for complaints. */
struct object_place {
    struct arena *arena;
    const struct object_leniency *leniency;
    const struct object_place *up;
    const char *name; /* NULL: an entry of a list */
    size_t index;
};

/* A complaint about a member of the object at `at`; `member` may be a pointer's tail
 * ("charging_profile_period/2/limit"), "" the object itself. */
struct err object_complaint(const struct object_place *at, const char *member, const char *format,
                            ...) __attribute__((format(printf, 3, 4)));
/* The same complaint with the rule that was broken and what would have been right. What came is
 * filled in by the reader. */
static inline struct err object_rule(struct err e, const char *rule, const char *expected)
{
    e.rule = rule;
    e.expected = expected;
    return e;
}

struct field {
    const char *name;
    enum field_kind kind;
    bool list;
    unsigned flags;
    size_t offset;
    size_t limit; /* texts: characters; numbers: decimals that we may write, 0: six */
    const struct object_type *type;
    const struct word_list *words;
    /* Further demands on one value: NULL, or what the value should have been. */
    const char *(*text_check)(const char *text);
    const char *(*number_check)(int64_t value); /* six decimals for FIELD_NUMBER */
    const char *rule; /* that the further demands come from; NULL: the one of the kind */
};

struct object_type {
    const char *name;
    enum ocpi_version version;
    size_t size;
    const struct field *fields;
    size_t field_count;
    struct err (*check)(const struct object_place *at, const void *object);
};

#define OBJECT_TYPE(name_, version_, struct_, table, ...)                                          \
    {                                                                                              \
        .name = name_, .version = version_, .size = sizeof(struct_), .fields = table,              \
        .field_count = sizeof(table) / sizeof((table)[0]), __VA_ARGS__                             \
    }

#define FIELD_OFFSET_(s, m, T) _Generic(((s *)0)->m, T : offsetof(s, m))
#define FIELD_LIST_OFFSET_(s, m, T) _Generic(((s *)0)->m.at, T : offsetof(s, m))

/* Trailing arguments: further members of struct field, `.text_check = ...`. */
#define TEXT(s, m, limit_, flags_, ...)                                                            \
    {                                                                                              \
        .name = #m, .kind = FIELD_TEXT, .offset = FIELD_OFFSET_(s, m, const char *),               \
        .limit = limit_, .flags = flags_ __VA_OPT__(, ) __VA_ARGS__                                \
    }
#define URL(s, m, flags_, ...)                                                                     \
    {                                                                                              \
        .name = #m, .kind = FIELD_URL, .offset = FIELD_OFFSET_(s, m, const char *), .limit = 255,  \
        .flags = flags_ __VA_OPT__(, ) __VA_ARGS__                                                 \
    }
#define TIME(s, m, flags_)                                                                         \
    {                                                                                              \
        .name = #m, .kind = FIELD_TIME, .offset = FIELD_OFFSET_(s, m, int64_t), .flags = flags_    \
    }
#define NUMBER(s, m, flags_, ...)                                                                  \
    {                                                                                              \
        .name = #m, .kind = FIELD_NUMBER, .offset = FIELD_OFFSET_(s, m, int64_t),                  \
        .flags = flags_ __VA_OPT__(, ) __VA_ARGS__                                                 \
    }
#define INT(s, m, flags_, ...)                                                                     \
    {                                                                                              \
        .name = #m, .kind = FIELD_INT, .offset = FIELD_OFFSET_(s, m, int64_t),                     \
        .flags = flags_ __VA_OPT__(, ) __VA_ARGS__                                                 \
    }
#define BOOL(s, m, flags_)                                                                         \
    {                                                                                              \
        .name = #m, .kind = FIELD_BOOL, .offset = FIELD_OFFSET_(s, m, bool), .flags = flags_       \
    }
/* The names of enums and classes are given without their ocpi_ prefix; those of other versions
 * stand whole in ENUM_OF and its kin: ENUM_OF(s, m, ocpi230_tax_included, REQUIRED). */
#define ENUM_OF(s, m, name_, flags_)                                                               \
    {                                                                                              \
        .name = #m, .kind = FIELD_ENUM, .offset = FIELD_OFFSET_(s, m, enum name_),                 \
        .words = &name_##_words, .flags = flags_                                                   \
    }
#define ENUM(s, m, name_, flags_) ENUM_OF(s, m, ocpi_##name_, flags_)
#define OBJECT_OF(s, m, class_, flags_)                                                            \
    {                                                                                              \
        .name = #m, .kind = FIELD_OBJECT, .offset = FIELD_OFFSET_(s, m, const struct class_ *),    \
        .type = &class_##_type, .flags = flags_                                                    \
    }
#define OBJECT(s, m, class_, flags_) OBJECT_OF(s, m, ocpi_##class_, flags_)
#define TEXT_LIST(s, m, limit_, flags_, ...)                                                       \
    {                                                                                              \
        .name = #m, .kind = FIELD_TEXT, .list = true,                                              \
        .offset = FIELD_LIST_OFFSET_(s, m, const char *const *), .limit = limit_,                  \
        .flags = flags_ __VA_OPT__(, ) __VA_ARGS__                                                 \
    }
#define ENUM_LIST_OF(s, m, name_, flags_)                                                          \
    {                                                                                              \
        .name = #m, .kind = FIELD_ENUM, .list = true,                                              \
        .offset = FIELD_LIST_OFFSET_(s, m, const enum name_ *), .words = &name_##_words,           \
        .flags = flags_                                                                            \
    }
#define ENUM_LIST(s, m, name_, flags_) ENUM_LIST_OF(s, m, ocpi_##name_, flags_)
#define OBJECT_LIST_OF(s, m, class_, flags_)                                                       \
    {                                                                                              \
        .name = #m, .kind = FIELD_OBJECT, .list = true,                                            \
        .offset = FIELD_LIST_OFFSET_(s, m, const struct class_ *), .type = &class_##_type,         \
        .flags = flags_                                                                            \
    }
#define LIST(s, m, class_, flags_) OBJECT_LIST_OF(s, m, ocpi_##class_, flags_)

/* Checks that many tables use. */
const char *field_country_code(const char *text); /* two letters */
const char *field_party_id(const char *text);     /* three letters or digits */
const char *field_country(const char *text);      /* ISO 3166-1 alpha-3 */
const char *field_currency(const char *text);     /* ISO 4217: three upper-case letters */
const char *field_language(const char *text);     /* ISO 639-1: two letters */
const char *field_time_of_day(const char *text);  /* HH:MM */
const char *field_date(const char *text);         /* YYYY-MM-DD, of the calendar */
const char *field_time_zone(const char *text);    /* Area/Place */
const char *field_callable_url(const char *text); /* http or https, with a host */
const char *field_not_negative(int64_t value);
const char *field_int32_not_negative(int64_t value);

#endif
