/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects: reading, checking, merging and printing of OCPI objects by their field tables.
 *
 * Every class of OCPI has a C struct for people and one table of fields for the machine
 * (ocpi/field.h). A hub is a carrier: what it keeps and forwards is the document that came; the
 * struct is the checked view of the members it works with. Members that are in no table pass
 * (R-TRANS-20).
 *
 * How absence looks in a struct: texts and objects NULL, lists with count 0, enums PREFIX_NONE,
 * bools their default, times TIME_NONE, numbers and integers NUMBER_NONE. A struct that is filled
 * in by hand for printing therefore starts with object_blank().
 */
#ifndef OCPI_OBJECT_H
#define OCPI_OBJECT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ocpi/version.h"
#include "ocpi/words.h"

struct arena;
struct text;
struct object_type;

#define NUMBER_NONE INT64_MIN

/* A typed list: `LIST_OF(struct ocpi_evse) evses;` is walked from .at[0] to .at[count - 1]. */
#define LIST_OF(type)                                                                              \
    struct {                                                                                       \
        const type *at;                                                                            \
        size_t count;                                                                              \
    }
#define TEXT_LIST_OF                                                                               \
    struct {                                                                                       \
        const char *const *at;                                                                     \
        size_t count;                                                                              \
    }

/* What is survived because a partner has the quirk of that name (R-TRANS-22); NULL or all false:
 * strict. */
struct object_leniency {
    bool numbers_as_text; /* R-TYPE-09 */
    bool offset_times;    /* R-TYPE-05: any UTC offset */
    bool long_text;       /* R-TYPE-17: over-long texts, up to LONG_TEXT_MAX characters */
    bool unknown_words;   /* R-TYPE-15: unknown words of closed enums, read as UNLISTED */
};
enum { LONG_TEXT_MAX = 5000 };

/* Fills *ret, which is of the type's struct, with what lives in the arena and the document.
 * ERR_BAD_BODY if the value is no object; ERR_BAD_FIELD with a JSON pointer in err.where and
 * "<pointer>: what is wrong" in err.text. Both say in err.rule which requirement was broken, in
 * err.came what came there (ocpi/came.h; NULL: nothing) and in err.expected what would have been
 * right. *ret may be half filled after an error. */
struct err object_parse(const struct object_type *type, const json_t *json, struct arena *a,
                        void *ret);
struct err object_parse_lenient(const struct object_type *type, const json_t *json,
                                const struct object_leniency *leniency, struct arena *a, void *ret);
/* The same without a result. */
struct err object_check(const struct object_type *type, const json_t *json,
                        const struct object_leniency *leniency, struct arena *a);
/* A PATCH body: only members that are there are checked, null may clear optional ones only, and
 * last_updated is required where the class has it, but not in 2.1.1 (R-TRANS-12): whoever keeps the
 * object stamps it. */
struct err object_check_patch(const struct object_type *type, const json_t *patch,
                              const struct object_leniency *leniency, struct arena *a);
/* Like object_check_patch, and fills in the members that are there; the others are blank. */
struct err object_parse_patch(const struct object_type *type, const json_t *patch,
                              const struct object_leniency *leniency, struct arena *a, void *ret);

/* PATCH applied to a stored document (R-TRANS-11, 13): null removes, lists and objects are replaced
 * as a whole, the members that are the object's identity may not change (2001). The result is a new
 * document, checked, owned by the arena. For Sessions use session_merge_as. */
struct err object_merge(const struct object_type *type, json_t *stored, json_t *patch,
                        const struct object_leniency *leniency, struct arena *a, json_t **ret);

/* Everything absent. */
void object_blank(const struct object_type *type, void *object);
/* What we originate: strict limits, required members, the rules of the class. For 2.1.1 times have
 * whole seconds (R-TYPE-05) and texts are ASCII (R-TYPE-02, ocpi/v211/ascii.h). `key` as in
 * base/text.h. ERR_INTERNAL names the member; nothing is written then. */
struct err object_print(const struct object_type *type, const void *object, struct arena *a,
                        struct text *out, const char *key);
/* The same as a document owned by the arena. */
struct err object_json(const struct object_type *type, const void *object, struct arena *a,
                       json_t **ret);

/* --- the tables, for generated tests, the schema comparison and the fuzz targets --- */

enum field_kind {
    FIELD_TEXT,
    FIELD_URL,
    FIELD_TIME,
    FIELD_NUMBER,
    FIELD_INT,
    FIELD_BOOL,
    FIELD_ENUM,
    FIELD_OBJECT,
};

struct field_facts {
    const char *name;
    enum field_kind kind;
    bool list;
    bool required;                  /* a list: at least one entry */
    bool caseless;                  /* CiString */
    bool identity;                  /* may not be changed by PATCH */
    bool number_tolerated;          /* a text which may come as a whole number */
    bool true_if_absent;            /* the default of an optional bool */
    size_t limit;                   /* texts: characters */
    const struct object_type *type; /* FIELD_OBJECT */
    const struct word_list *words;  /* FIELD_ENUM */
};

const char *object_type_name(const struct object_type *type);
/* Of the table: classes that versions share have the one in whose folder the table lies. */
enum ocpi_version object_type_version(const struct object_type *type);
size_t object_type_size(const struct object_type *type); /* of the C struct */
size_t object_type_fields(const struct object_type *type);
struct field_facts object_type_field(const struct object_type *type, size_t index);

/* All classes of a version, in the order of strcmp: NULL past the end. */
const struct object_type *object_type_at(enum ocpi_version version, size_t index);
/* By the class name of the specification, "ChargingPeriod"; NULL if there is none. Fast enough to
 * be called for each request. */
const struct object_type *object_type_find(enum ocpi_version version, const char *name);

#endif
