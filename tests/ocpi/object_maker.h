/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Object maker: random valid objects of every class and version, made by walking the tables of
 * fields. What a table cannot say (a country, a time of day) goes by the member's name; what the
 * rules between fields refuse is made again.
 *
 * Words that a version does not know are listed here once more, apart from the translation.
 */
#ifndef TESTS_OBJECT_MAKER_H
#define TESTS_OBJECT_MAKER_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "ocpi/object.h"

struct object_maker {
    uint64_t state; /* the seed; never 0 */
    enum ocpi_version version;
    bool ascii;   /* texts of ASCII only */
    bool fullest; /* every optional member */
};

enum { MAKER_TRIES = 200, MAKER_LIST_MAX = 3 };

static inline uint64_t maker_random(struct object_maker *m, uint64_t below)
{
    m->state ^= m->state >> 12;
    m->state ^= m->state << 25;
    m->state ^= m->state >> 27;
    return (m->state * UINT64_C(2685821657736338717) >> 11) % below;
}

static inline const char *maker_one_of(struct object_maker *m, const char *const *words)
{
    size_t count = 0;

    while (words[count])
        count++;
    return words[maker_random(m, count)];
}

/* Words of 2.2.1's own lists that came with 2.3.0, and of no list of 2.1.1. */
static inline bool maker_knows(enum ocpi_version version, const char *word)
{
    static const char *const since_230[] = {"EMAID", "MCS",     "SAE_J3400", "EMPLOYEES",
                                            "TAXIS", "TENANTS", NULL};

    if (version == OCPI_2_3_0)
        return true;
    for (size_t i = 0; since_230[i]; i++) {
        if (strcmp(word, since_230[i]) == 0)
            return false;
    }
    return true;
}

static inline json_t *maker_text(struct object_maker *m, struct arena *a,
                                 const struct field_facts *field)
{
    static const char *const letters[] = {"a", "B", "7", "-", "*", "x", "Q", "0", " ", ":", "_"};
    static const char *const others[] = {"ä", "é", "Ж", "東", "ß", "€"};
    size_t limit = field->limit ? field->limit : 36, length;
    char *text;

    /* Mostly short, sometimes as long as can be. */
    length = 1 + maker_random(m, limit < 24 ? limit : 24);
    if (maker_random(m, 16) == 0)
        length = limit;
    text = arena_alloc(a, length * 4 + 1);
    for (size_t i = 0, at = 0; i < length; i++) {
        bool edge = i == 0 || i + 1 == length;
        bool other = !m->ascii && !field->caseless && maker_random(m, 12) == 0;
        const char *c =
            other ? others[maker_random(m, 6)] : letters[maker_random(m, edge ? 3 : 11)];

        while (*c)
            text[at++] = *c++;
    }
    return json_string(text);
}

static inline json_t *maker_degrees(struct object_maker *m, struct arena *a, int most)
{
    int decimals = m->version == OCPI_2_1_1 ? 6 : 5 + (int)maker_random(m, 3);
    int degrees = (int)maker_random(m, (uint64_t)most);
    uint64_t fraction = maker_random(m, 10000000);

    if (decimals == 5)
        fraction /= 100;
    else if (decimals == 6)
        fraction /= 10;
    /* No "-0.000000": that is 0. */
    return json_string(arena_printf(a, "%s%d.%0*llu", degrees && maker_random(m, 2) ? "-" : "",
                                    degrees, decimals, (unsigned long long)fraction));
}

/* NULL: the name says nothing. */
static inline json_t *maker_named(struct object_maker *m, struct arena *a,
                                  const struct field_facts *field)
{
    static const char *const countries[] = {"FI", "DE", "NL", "SE", "US", NULL};
    static const char *const parties[] = {"ABC", "HUB", "X1Y", "TNM", NULL};
    static const char *const nations[] = {"FIN", "DEU", "NLD", "USA", NULL};
    static const char *const currencies[] = {"EUR", "SEK", "USD", NULL};
    static const char *const languages[] = {"en", "de", "fi", NULL};
    static const char *const zones[] = {"Europe/Helsinki", "America/New_York", "Etc/UTC", NULL};
    static const char *const hubs[] = {"FIHUB", "DEABC", NULL};
    const char *name = field->name;

    if (field->kind == FIELD_URL)
        return json_string(
            arena_printf(a, "https://example.com/%llu", (unsigned long long)maker_random(m, 1000)));
    if (strcmp(name, "country_code") == 0)
        return json_string(maker_one_of(m, countries));
    if (strcmp(name, "party_id") == 0)
        return json_string(maker_one_of(m, parties));
    if (strcmp(name, "country") == 0)
        return json_string(maker_one_of(m, nations));
    if (strcmp(name, "currency") == 0)
        return json_string(maker_one_of(m, currencies));
    if (strcmp(name, "language") == 0)
        return json_string(maker_one_of(m, languages));
    if (strcmp(name, "time_zone") == 0)
        return json_string(maker_one_of(m, zones));
    if (strcmp(name, "hub_party_id") == 0)
        return json_string(maker_one_of(m, hubs));
    if (strcmp(name, "latitude") == 0)
        return maker_degrees(m, a, 90);
    if (strcmp(name, "longitude") == 0)
        return maker_degrees(m, a, 180);
    if (strcmp(name, "start_time") == 0 || strcmp(name, "end_time") == 0 ||
        strcmp(name, "period_begin") == 0 || strcmp(name, "period_end") == 0)
        return json_string(
            arena_printf(a, "%02d:%02d", (int)maker_random(m, 24), (int)maker_random(m, 60)));
    if (strcmp(name, "start_date") == 0 || strcmp(name, "end_date") == 0)
        return json_string(arena_printf(a, "20%02d-%02d-%02d", 10 + (int)maker_random(m, 30),
                                        1 + (int)maker_random(m, 12),
                                        1 + (int)maker_random(m, 28)));
    if (strcmp(name, "version") == 0)
        return json_string(version_name(m->version));
    return NULL;
}

static inline json_t *maker_time(struct object_maker *m, struct arena *a)
{
    const char *fraction = "";

    if (m->version != OCPI_2_1_1 && maker_random(m, 3) == 0)
        fraction = maker_random(m, 2) ? ".5" : ".123";
    return json_string(arena_printf(a, "20%02d-%02d-%02dT%02d:%02d:%02d%sZ",
                                    20 + (int)maker_random(m, 10), 1 + (int)maker_random(m, 12),
                                    1 + (int)maker_random(m, 28), (int)maker_random(m, 24),
                                    (int)maker_random(m, 60), (int)maker_random(m, 60), fraction));
}

static inline json_t *maker_number(struct object_maker *m, const char *name)
{
    bool tenths = strcmp(name, "limit") == 0 || strcmp(name, "min_charging_rate") == 0;
    uint64_t below = strcmp(name, "percentage") == 0 ? 100 : 5000;
    char text[40];

    if (maker_random(m, 3) == 0)
        return json_integer((json_int_t)maker_random(m, below));
    snprintf(text, sizeof(text), tenths ? "%llu.%01llu" : "%llu.%04llu",
             (unsigned long long)maker_random(m, below),
             (unsigned long long)maker_random(m, tenths ? 10 : 10000));
    return json_loads(text, JSON_DECODE_ANY, NULL);
}

static inline json_t *maker_object(struct object_maker *m, struct arena *a,
                                   const struct object_type *type);

static inline json_t *maker_value(struct object_maker *m, struct arena *a,
                                  const struct field_facts *field)
{
    const char *word;
    json_t *named;

    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_URL:
        named = maker_named(m, a, field);
        return named ? named : maker_text(m, a, field);
    case FIELD_TIME:
        return maker_time(m, a);
    case FIELD_NUMBER:
        return maker_number(m, field->name);
    case FIELD_INT:
        return json_integer(
            (json_int_t)maker_random(m, strcmp(field->name, "weekday") == 0 ? 8 : 30000));
    case FIELD_BOOL:
        return json_boolean(maker_random(m, 2));
    case FIELD_ENUM:
        do
            word = word_name(field->words, 1 + (unsigned)maker_random(m, field->words->count));
        while (!maker_knows(m->version, word));
        return json_string(word);
    case FIELD_OBJECT:
        break;
    }
    return maker_object(m, a, field->type);
}

static inline json_t *maker_list(struct object_maker *m, struct arena *a,
                                 const struct field_facts *field)
{
    size_t count = maker_random(m, MAKER_LIST_MAX) + (field->required || m->fullest ? 1 : 0);
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, maker_value(m, a, field));
    return list;
}

static inline json_t *maker_object_once(struct object_maker *m, struct arena *a,
                                        const struct object_type *type)
{
    json_t *object = json_object();

    for (size_t i = 0; i < object_type_fields(type); i++) {
        struct field_facts field = object_type_field(type, i);

        if (!field.required && !m->fullest && maker_random(m, 2))
            continue;
        json_object_set_new(object, field.name,
                            field.list ? maker_list(m, a, &field) : maker_value(m, a, &field));
    }
    return object;
}

/* A new reference; valid by the table and the rules between its fields. */
static inline json_t *maker_object(struct object_maker *m, struct arena *a,
                                   const struct object_type *type)
{
    bool fullest = m->fullest;
    struct err e = OK;

    for (int i = 0; i < MAKER_TRIES; i++) {
        json_t *object = maker_object_once(m, a, type);

        e = object_check(type, object, NULL, a);
        if (!failed(e)) {
            m->fullest = fullest;
            return object;
        }
        json_decref(object);
        m->fullest = false; /* everything at once may be against the rules */
    }
    fprintf(stderr, "no valid %s in %d tries: %s\n", object_type_name(type), MAKER_TRIES,
            err_text(e));
    abort();
}

#endif
