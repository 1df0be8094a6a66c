/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translation of many made-up objects (R-BR-49): what is valid in one version is valid in the other
 * or is withheld, and what is not listed as a loss comes back as it went.
 *
 * TRANSLATE_OBJECTS: how many per class and pair; TRANSLATE_SEED: where the dice begin.
 */
#include "tests/ocpi/ocpi_test.h"

#include <stdlib.h>

#include "ocpi/translate/translate.h"
#include "tests/ocpi/object_maker.h"

enum { OBJECTS = 250, ONE_ARENA_MAX = 64 * 1024 * 1024 };

static const char *const classes[] = {
    "Location",
    "EVSE",
    "Connector",
    "Tariff",
    "Session",
    "CDR",
    "Token",
    "AuthorizationInfo",
    "LocationReferences",
    "ClientInfo",
    "Credentials",
    "VersionDetails",
    "StartSession",
    "StopSession",
    "ReserveNow",
    "CancelReservation",
    "UnlockConnector",
    "CommandResponse",
    "CommandResult",
    "SetChargingProfile",
    "ChargingProfileResponse",
    "ChargingProfileResult",
    "ClearProfileResult",
    "ActiveChargingProfile",
    "ActiveChargingProfileResult",
    "ChargingPreferences",
};
enum { CLASSES = sizeof(classes) / sizeof(classes[0]) };

static const enum ocpi_version versions[] = {OCPI_2_1_1, OCPI_2_2_1, OCPI_2_3_0};

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);

    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static const char *class_in(enum ocpi_version version, const char *class)
{
    return version == OCPI_2_1_1 && strcmp(class, "CommandResult") == 0 ? "CommandResponse" : class;
}

static struct translation_facts facts_of(const char *class, const json_t *json)
{
    struct translation_facts facts = {.country_code = "FI",
                                      .party_id = "ABC",
                                      .now_us = INT64_C(1790000000000000),
                                      .token_country_code = "DE",
                                      .token_party_id = "EMP",
                                      .token_uid = "UID-1",
                                      .reservation_number = 7,
                                      .tax_percent_u6 = 24000000};

    /* The Session names the Location that it came with. */
    if (strcmp(class, "Session") == 0 && json_object_get(json, "location")) {
        facts.location = json_object_get(json, "location");
        facts.location_version = OCPI_2_1_1;
    }
    return facts;
}

/* --- pruning: absent, null and empty are the same (R-TYPE-12) --- */

static bool is_empty(const json_t *value)
{
    return json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0);
}

static void prune(json_t *value)
{
    const char *key;
    json_t *member;
    void *next;

    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++)
            prune(json_array_get(value, i));
        return;
    }
    json_object_foreach_safe(value, next, key, member)
    {
        prune(member);
        if (is_empty(member))
            json_object_del(value, key);
    }
}

/* 2.1.1 may leave out that a place with hours is not always open; newer versions may not. */
static void tell_flag(json_t *location)
{
    json_t *hours = json_object_get(location, "opening_times");

    if (hours && !json_object_get(hours, "twentyfourseven"))
        json_object_set_new(hours, "twentyfourseven", json_false());
}

/* The place of a pointer's last segment: its parent. */
static json_t *parent_at(json_t *value, const char *pointer, const char **ret_last)
{
    for (;;) {
        size_t length = strcspn(pointer + 1, "/");
        char *segment = arena_bytes(arena, pointer + 1, length);

        *ret_last = segment;
        if (pointer[1 + length] == '\0')
            return value;
        value = json_is_array(value) ? json_array_get(value, strtoull(segment, NULL, 10))
                                     : json_object_get(value, segment);
        pointer += 1 + length;
    }
}

/* A long id and its alias are the same (R-BR-07). */
static void to_alias(json_t *value, const char *pointer)
{
    const char *last;
    json_t *parent = parent_at(value, pointer, &last), *id;

    if (json_is_array(parent)) {
        id = json_array_get(parent, strtoull(last, NULL, 10));
        json_array_set_new(parent, strtoull(last, NULL, 10),
                           json_string(translate_id(arena, json_string_value(id))));
        return;
    }
    id = json_object_get(parent, last);
    if (id)
        json_object_set_new(parent, last, json_string(translate_id(arena, json_string_value(id))));
}

/* Removes what a pointer names; `entries`: also an entry of a list, which goes from the end. */
static void remove_at(json_t *value, const char *pointer, bool entries)
{
    const char *last;
    json_t *parent = parent_at(value, pointer, &last);

    if (json_is_object(parent))
        json_object_del(parent, last);
    else if (entries)
        json_array_remove(parent, strtoull(last, NULL, 10));
}

/* Of a CDR's Location 2.3.0 keeps an excerpt; 2.1.1 gets back a Location around it (15.6). */
static void excerpt(json_t *cdr)
{
    static const char *const of_location[] = {"id",          "name",    "address",     "city",
                                              "postal_code", "country", "coordinates", "evses"};
    static const char *const of_evse[] = {"uid", "evse_id", "connectors"};
    static const char *const of_connector[] = {"id", "standard", "format", "power_type"};
    json_t *location = json_object_get(cdr, "location"), *short_one = json_object();
    json_t *evse = json_array_get(json_object_get(location, "evses"), 0), *short_evse;
    json_t *connector = json_array_get(json_object_get(evse, "connectors"), 0), *short_connector;

    short_evse = json_object();
    short_connector = json_object();
    for (size_t i = 0; i < sizeof(of_location) / sizeof(of_location[0]); i++)
        json_object_set(short_one, of_location[i], json_object_get(location, of_location[i]));
    for (size_t i = 0; i < sizeof(of_evse) / sizeof(of_evse[0]); i++)
        json_object_set(short_evse, of_evse[i], json_object_get(evse, of_evse[i]));
    for (size_t i = 0; i < sizeof(of_connector) / sizeof(of_connector[0]); i++)
        json_object_set(short_connector, of_connector[i],
                        json_object_get(connector, of_connector[i]));
    json_object_set_new(short_evse, "connectors", json_pack("[o]", short_connector));
    json_object_set_new(short_one, "evses", json_pack("[o]", short_evse));
    json_object_set_new(cdr, "location", short_one);
}

static void only_first(json_t *object, const char *list)
{
    json_t *entries = json_object_get(object, list);

    while (json_array_size(entries) > 1)
        json_array_remove(entries, 1);
}

/* A Session or CDR of 2.1.1 has the one EVSE and connector that were used; FLAT is of 2.1.1 only
 * and told by its own test. */
static void make_typical(struct object_maker *m, const char *class, json_t *json)
{
    json_t *location = json_object_get(json, "location"), *evse;
    json_t *periods = json_object_get(json, "charging_periods");

    if (m->version != OCPI_2_1_1 || (strcmp(class, "Session") != 0 && strcmp(class, "CDR") != 0))
        return;
    if (json_array_size(json_object_get(location, "evses")) == 0) {
        json_t *one = maker_object(m, arena, object_type_find(OCPI_2_1_1, "EVSE"));

        json_object_set_new(location, "evses", json_pack("[o]", one));
    }
    only_first(location, "evses");
    evse = json_array_get(json_object_get(location, "evses"), 0);
    only_first(evse, "connectors");
    for (size_t i = 0; i < json_array_size(periods); i++) {
        json_t *dimensions = json_object_get(json_array_get(periods, i), "dimensions");

        for (size_t j = 0; j < json_array_size(dimensions); j++) {
            json_t *dimension = json_array_get(dimensions, j);

            if (strcmp(json_text_of(dimension, "type"), "FLAT") == 0)
                json_object_set_new(dimension, "type", json_string("ENERGY"));
        }
    }
}

static void fail_with(const char *what, const char *class, enum ocpi_version from,
                      enum ocpi_version to, uint64_t seed, const json_t *before,
                      const json_t *after)
{
    fail_msg("%s: %s %s to %s, seed %llu\n%s\n%s", what, class, version_name(from),
             version_name(to), (unsigned long long)seed, json_text(arena, before, NULL),
             after ? json_text(arena, after, NULL) : "");
}

/* --- the first difference, as a pointer --- */

static const char *difference(const json_t *a, const json_t *b, const char *pointer)
{
    json_t *walked = (json_t *)(uintptr_t)a;
    const char *inner;

    if (strcmp(json_canonical(arena, a), json_canonical(arena, b)) == 0)
        return NULL;
    for (size_t i = 0; json_is_array(a) && i < json_array_size(a); i++) {
        if (!json_array_get(b, i))
            return arena_printf(arena, "%s/%zu is gone", pointer, i);
        inner = difference(json_array_get(a, i), json_array_get(b, i),
                           arena_printf(arena, "%s/%zu", pointer, i));
        if (inner)
            return inner;
    }
    for (void *at = json_object_iter(walked); at; at = json_object_iter_next(walked, at)) {
        const char *key = json_object_iter_key(at);

        if (!json_object_get(b, key))
            return arena_printf(arena, "%s/%s is gone", pointer, key);
        inner = difference(json_object_iter_value(at), json_object_get(b, key),
                           arena_printf(arena, "%s/%s", pointer, key));
        if (inner)
            return inner;
    }
    return arena_printf(arena, "%s: %s, %s", pointer, json_text(arena, a, NULL),
                        json_text(arena, b, NULL));
}

/* --- the two properties --- */

static bool to_and_fro_is_told(const char *class, enum ocpi_version from)
{
    /* The token of an answer, and its timeout, come from the hub; see translate_test.c. */
    return from != OCPI_2_1_1 || strcmp(class, "AuthorizationInfo") != 0;
}

static void check_return(const char *class, enum ocpi_version from, enum ocpi_version to,
                         json_t *json, const struct translation *there, uint64_t seed)
{
    struct translation_facts facts = facts_of(class, json);
    struct translation back;
    json_t *before = json_deep_copy(json), *after;
    struct err e;

    facts.reservation_number = 0; /* what came as a number goes as one */
    arena_on_free(arena, drop_document, before);
    e = translate(class, to, from, there->document, &facts, arena, &back);
    if (failed(e))
        fail_with(err_text(e), class, to, from, seed, there->document, NULL);
    if (back.withheld)
        fail_with(back.withheld, class, to, from, seed, there->document, NULL);
    after = json_deep_copy(back.document);
    arena_on_free(arena, drop_document, after);
    for (size_t i = there->loss_count; i-- > 0;) {
        if (strstr(there->losses[i].reason, "alias")) {
            to_alias(before, there->losses[i].field);
            to_alias(after, there->losses[i].field);
            continue;
        }
        remove_at(before, there->losses[i].field, true);
        remove_at(after, there->losses[i].field, false);
    }
    /* Newer versions require a zone: it was made up (15.3). */
    if (strcmp(class, "Location") == 0 && !json_object_get(before, "time_zone"))
        json_object_del(after, "time_zone");
    if (from == OCPI_2_1_1) {
        tell_flag(before);
        tell_flag(json_object_get(before, "location"));
        tell_flag(json_object_get(after, "location"));
    }
    if (from == OCPI_2_1_1 && strcmp(class, "CDR") == 0) {
        excerpt(before);
        excerpt(after);
    }
    prune(before);
    prune(after);
    if (strcmp(json_canonical(arena, before), json_canonical(arena, after)) != 0)
        fail_with(difference(before, after, ""), class, from, to, seed, before, after);
}

static void check_document(const char *class, enum ocpi_version from, enum ocpi_version to,
                           json_t *json, uint64_t seed)
{
    const struct object_type *target = object_type_find(to, class_in(to, class));
    struct translation_facts facts = facts_of(class, json);
    struct translation there;
    struct err e = translate(class, from, to, json, &facts, arena, &there);

    if (failed(e) && e.kind != ERR_BAD_FIELD)
        fail_with(err_text(e), class, from, to, seed, json, NULL);
    /* Every member that is needed is there, so that nothing but credentials of HUBs is refused. */
    if (failed(e) && strcmp(class, "Credentials") != 0)
        fail_with(err_text(e), class, from, to, seed, json, NULL);
    if (failed(e) || there.withheld)
        return;
    assert_non_null(target);
    e = object_check(target, there.document, NULL, arena);
    if (failed(e))
        fail_with(err_text(e), class, from, to, seed, json, there.document);
    if (to == OCPI_2_3_0 && to_and_fro_is_told(class, from))
        check_return(class, from, to, json, &there, seed);
}

static void check_one(const char *class, enum ocpi_version from, enum ocpi_version to,
                      uint64_t seed)
{
    struct object_maker m = {.state = seed * 2654435761U + 1, .version = from};
    const struct object_type *type = object_type_find(from, class_in(from, class));
    json_t *json;

    if (!type)
        return;
    m.ascii = from == OCPI_2_1_1;
    m.fullest = seed % 8 == 0;
    json = maker_object(&m, arena, type);
    arena_on_free(arena, drop_document, json);
    make_typical(&m, class, json);
    check_document(class, from, to, json, seed);
}

/* Our own examples, as they lie in tests/ocpi/examples (R-BR-49). */
static void every_example(void **state)
{
    size_t found = 0;

    (void)state;
    for (size_t i = 0; i < 9 * (size_t)CLASSES; i++) {
        enum ocpi_version from = versions[i % 9 / 3], to = versions[i % 3];
        const char *class = classes[i / 9];
        json_t *json;

        arena = arena_new(ONE_ARENA_MAX);
        json = document_of_file(arena_printf(arena, "tests/ocpi/examples/%s/%s.json",
                                             version_name(from), class_in(from, class)));
        if (json && from != to) {
            check_document(class, from, to, json, 0);
            found++;
        }
        arena_free(arena);
        arena = NULL;
    }
    assert_true(found > 80);
}

static void every_pair(void **state)
{
    const char *class = *state;
    uint64_t objects = number_of("TRANSLATE_OBJECTS", OBJECTS);
    uint64_t first = number_of("TRANSLATE_SEED", 1);

    for (size_t i = 0; i < 9; i++) {
        enum ocpi_version from = versions[i / 3], to = versions[i % 3];

        for (uint64_t seed = first; from != to && seed < first + objects; seed++) {
            arena = arena_new(ONE_ARENA_MAX);
            check_one(class, from, to, seed);
            arena_free(arena);
            arena = NULL;
        }
    }
}

int main(void)
{
    struct CMUnitTest tests[CLASSES + 1] = {
        [CLASSES] = cmocka_unit_test_setup_teardown(every_example, NULL, NULL)};

    for (size_t i = 0; i < CLASSES; i++) {
        static char names[CLASSES][128];

        snprintf(names[i], sizeof(names[i]), "R_BR_49_%s_is_valid_in_every_version_and_comes_back",
                 classes[i]);
        tests[i] = (struct CMUnitTest){.name = names[i],
                                       .test_func = every_pair,
                                       .initial_state = (void *)(uintptr_t)classes[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
