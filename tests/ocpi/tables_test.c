/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generated from the tables: for every class and field, what is missing, of another type, too long
 * or unknown is refused with exactly the right pointer, and nothing else is.
 *
 * The documents are tests/ocpi/examples: each has every field of its class. All versions.
 */
#include "tests/ocpi/ocpi_test.h"

#include "base/text.h"
#include "ocpi/came.h"
#include "ocpi/rule.h"
#include "ocpi/v211/classes.h"
#include "ocpi/v230/classes.h"

static unsigned checks;

static const enum ocpi_version versions[] = {OCPI_2_1_1, OCPI_2_2_1, OCPI_2_3_0};
enum { VERSIONS = sizeof(versions) / sizeof(versions[0]) };

static const char *pointer(const char *name)
{
    return arena_printf(arena, "/%s", name);
}

static const char *entry_pointer(const char *name)
{
    return arena_printf(arena, "/%s/0", name);
}

static const char *name_of(const struct object_type *type)
{
    return arena_printf(arena, "%s %s", version_name(object_type_version(type)),
                        object_type_name(type));
}

/* What partners are told beside the text: a rule that is in the list, what came (nothing where
 * nothing came, never a secret) and what was expected. */
static void complaint_explains(struct err e, const char *member, const json_t *value)
{
    assert_non_null(e.rule);
    if (!rule_find(e.rule))
        fail_msg("%s is in no list of rules", e.rule);
    assert_non_null(e.expected);
    assert_true(*e.expected != '\0');
    assert_int_equal(e.came != NULL, value != NULL);
    if (!value)
        return;
    assert_true(strlen(e.came) <= CAME_MAX);
    if (strcmp(member, "token") == 0 && !json_is_array(value))
        assert_string_equal(e.came, "\"***\"");
}

/* `value` is consumed. The rule may be NULL: any. */
static void refused(const struct object_type *type, const json_t *json, const char *member,
                    json_t *value, const char *where, const char *rule)
{
    json_t *wrong = changed(json, member, value);
    struct err e = object_check(type, wrong, NULL, arena);

    if (!failed(e))
        fail_msg("%s.%s was accepted", name_of(type), member);
    if (strcmp(e.where, where) != 0)
        fail_msg("%s.%s: the complaint is about %s, not %s (%s)", name_of(type), member, e.where,
                 where, err_text(e));
    assert_int_equal(e.kind, ERR_BAD_FIELD);
    assert_true(strncmp(e.text, where, strlen(where)) == 0);
    complaint_explains(e, member, json_object_get(wrong, member));
    if (rule && strcmp(e.rule, rule) != 0)
        fail_msg("%s.%s: the rule is %s, not %s (%s)", name_of(type), member, e.rule, rule,
                 err_text(e));
    checks++;
}

static void accepted(const struct object_type *type, const json_t *json, const char *member,
                     json_t *value)
{
    json_t *other = changed(json, member, value);
    struct err e = object_check(type, other, NULL, arena);

    if (failed(e))
        fail_msg("%s.%s was refused: %s", name_of(type), member, err_text(e));
    checks++;
}

/* --- walks: a class that versions share is visited once --- */

typedef void each_type(const struct object_type *type, const json_t *json);

static void for_each_type(each_type *f)
{
    const struct object_type *type;

    for (size_t v = 0; v < VERSIONS; v++) {
        for (size_t i = 0; (type = object_type_at(versions[v], i)); i++) {
            if (object_type_version(type) != versions[v])
                continue;
            f(type, example_of(type));
            arena_teardown(NULL);
            arena_setup(NULL);
        }
    }
}

typedef void each_field(const struct object_type *type, const json_t *json, struct field_facts f);

static each_field *field_visitor;

static void visit_fields(const struct object_type *type, const json_t *json)
{
    for (size_t i = 0; i < object_type_fields(type); i++)
        field_visitor(type, json, object_type_field(type, i));
}

static void for_each_field(each_field *f)
{
    unsigned before = checks;

    field_visitor = f;
    for_each_type(visit_fields);
    assert_true(checks > before + 100); /* the walk did walk */
}

/* --- the tests --- */

static void every_class_is_found_by_its_name(void **state)
{
    const struct object_type *type;
    const char *before;
    size_t i;

    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        before = "";
        for (i = 0; (type = object_type_at(versions[v], i)); i++) {
            const char *name = object_type_name(type);

            if (strcmp(before, name) >= 0)
                fail_msg("%s: %s stands behind %s; look-ups need the order of strcmp",
                         version_name(versions[v]), name, before);
            assert_ptr_equal(object_type_find(versions[v], name), type);
            before = name;
        }
        assert_null(object_type_find(versions[v], "Nothing"));
        assert_null(object_type_find(versions[v], ""));
    }
    assert_int_equal(ocpi211_class_count, 35);
    assert_true(ocpi230_class_count > 55);
    assert_non_null(object_type_at(OCPI_2_2_1, 54));
    assert_null(object_type_at(OCPI_2_2_1, 55));
    assert_null(object_type_at(OCPI_VERSION_NONE, 0));
    assert_null(object_type_find(OCPI_VERSION_NONE, "Token"));
    assert_null(object_type_find(OCPI_2_1_1, "CdrLocation"));
    assert_null(object_type_find(OCPI_2_2_1, "Parking"));
}

static void example_is_whole(const struct object_type *type, const json_t *json)
{
    assert_accepted(type, json);
    for (size_t i = 0; i < object_type_fields(type); i++) {
        const char *name = object_type_field(type, i).name;

        if (!json_object_get(json, name))
            fail_msg("the example of %s has no %s", name_of(type), name);
    }
    assert_int_equal(json_object_size(json), object_type_fields(type));
}

static void every_class_has_an_example_with_every_field(void **state)
{
    (void)state;
    for_each_type(example_is_whole);
}

/* Optional, but another member of the example asks for it. */
static const struct {
    enum ocpi_version version; /* NONE: all */
    const char *class_name, *field;
} wanted_by_rules[] = {
    {OCPI_VERSION_NONE, "PublishTokenType", "type"},
    {OCPI_VERSION_NONE, "PublishTokenType", "issuer"},
    {OCPI_VERSION_NONE, "StartSession", "evse_uid"},
    {OCPI_VERSION_NONE, "CDR", "credit_reference_id"},
    {OCPI_2_1_1, "Hours", "regular_hours"},
};

/* START_SESSION of 2.1.1 names no connector. */
static bool is_wanted(const struct object_type *type, const char *name)
{
    enum ocpi_version version = object_type_version(type);

    for (size_t i = 0; i < sizeof(wanted_by_rules) / sizeof(wanted_by_rules[0]); i++) {
        if ((wanted_by_rules[i].version == OCPI_VERSION_NONE
                 ? version >= OCPI_2_2_1
                 : wanted_by_rules[i].version == version) &&
            strcmp(wanted_by_rules[i].class_name, object_type_name(type)) == 0 &&
            strcmp(wanted_by_rules[i].field, name) == 0)
            return true;
    }
    return false;
}

static void try_without(const struct object_type *type, const json_t *json, struct field_facts f)
{
    bool wanted = is_wanted(type, f.name);

    if (f.required || wanted) {
        refused(type, json, f.name, NULL, pointer(f.name), wanted ? NULL : "R-TYPE-12");
        refused(type, json, f.name, json_null(), pointer(f.name), wanted ? NULL : "R-TYPE-12");
    } else {
        accepted(type, json, f.name, NULL);
        accepted(type, json, f.name, json_null());
    }
    if (f.list && (f.required || wanted))
        refused(type, json, f.name, json_array(), pointer(f.name), wanted ? NULL : "R-TYPE-12");
    else if (f.list)
        accepted(type, json, f.name, json_array());
}

static void required_fields_are_required_and_optional_ones_are_not(void **state)
{
    (void)state; /* R-TYPE-12 */
    for_each_field(try_without);
}

/* Values of kinds that the field does not take. */
static const char *wrong_values(enum field_kind kind, bool number_tolerated, size_t i)
{
    static const char *const values[][4] = {
        [FIELD_TEXT] = {V("true"), V("{}"), V("[]"), V("17")},
        [FIELD_URL] = {V("true"), V("{}"), V("[]"), V("17")},
        [FIELD_TIME] = {V("true"), V("1774857600"), V("\"yesterday\""),
                        V("\"2026-03-30T08:00:00+02:00\"")},
        [FIELD_NUMBER] = {V("\"12\""), V("true"), V("{}"), V("1e14")},
        [FIELD_INT] = {V("\"12\""), V("true"), V("[]"), V("1.5")},
        [FIELD_BOOL] = {V("\"true\""), V("1"), V("{}"), V("0")},
        [FIELD_ENUM] = {V("true"), V("1"), V("{}"), V("\"\"")},
        [FIELD_OBJECT] = {V("\"x\""), V("[]"), V("1"), V("true")},
    };

    return i < 3U + !number_tolerated ? values[kind][i] : NULL;
}

static const char *rule_of_wrong_kind(struct field_facts f, const json_t *value)
{
    bool number = f.kind == FIELD_NUMBER || f.kind == FIELD_INT;

    if (number && json_is_string(value))
        return "R-TYPE-09";
    if (number)
        return json_is_number(value) ? NULL : "R-TYPE-08";
    switch (f.kind) {
    case FIELD_TEXT:
        return f.caseless ? "R-TYPE-01" : "R-TYPE-02";
    case FIELD_URL:
        return "R-TYPE-10";
    case FIELD_TIME:
        return "R-TYPE-04";
    case FIELD_ENUM:
        return f.words->open ? "R-TYPE-14" : "R-TYPE-15";
    default:
        return "R-TYPE-16";
    }
}

static void try_wrong_kinds(const struct object_type *type, const json_t *json,
                            struct field_facts f)
{
    const char *text;

    for (size_t i = 0; i < 4 && (text = wrong_values(f.kind, f.number_tolerated, i)); i++) {
        json_t *value = json_object_get(document(text), "v");
        const char *rule = rule_of_wrong_kind(f, value);

        if (!f.list) {
            refused(type, json, f.name, json_incref(value), pointer(f.name), rule);
            continue;
        }
        refused(type, json, f.name, json_pack("[O]", value), entry_pointer(f.name), rule);
        if (!json_is_array(value))
            refused(type, json, f.name, json_incref(value), pointer(f.name), "R-TYPE-16");
    }
    if (f.list)
        refused(type, json, f.name, json_pack("[n]"), entry_pointer(f.name), NULL);
}

static void a_value_of_another_kind_is_refused_where_it_stands(void **state)
{
    (void)state;
    for_each_field(try_wrong_kinds);
}

static char *repeated(const char *character, size_t times, const char *start)
{
    struct text t;

    text_init(&t, arena, 64 * 1024);
    text_add(&t, start);
    for (size_t i = strlen(start); i < times; i++)
        text_add(&t, character);
    return t.bytes;
}

static json_t *one_or_list(struct field_facts f, const char *text)
{
    return f.list ? json_pack("[s]", text) : json_string(text);
}

static void try_lengths(const struct object_type *type, const json_t *json, struct field_facts f)
{
    const char *start = f.kind == FIELD_URL ? "https://a.example/" : "";
    const char *where = f.list ? entry_pointer(f.name) : pointer(f.name);

    if (f.kind != FIELD_TEXT && f.kind != FIELD_URL)
        return;
    assert_true(f.limit > 0);
    refused(type, json, f.name, one_or_list(f, repeated("A", f.limit + 1, start)), where,
            f.kind == FIELD_URL ? "R-TYPE-10" : "R-TYPE-17");
    /* Shorter ones have a form of their own: codes, times of day, degrees. */
    if (f.limit >= 36)
        accepted(type, json, f.name, one_or_list(f, repeated("A", f.limit, start)));
    if (f.caseless) {
        refused(type, json, f.name, one_or_list(f, "\303\251"), where, "R-TYPE-01");
        refused(type, json, f.name, one_or_list(f, "a\tb"), where, NULL);
    } else if (f.kind == FIELD_TEXT && f.limit >= 36 && strcmp(f.name, "time_zone") != 0 &&
               strcmp(f.name, "token") != 0) {
        /* Limits count characters, not bytes: 4 bytes each here. */
        accepted(type, json, f.name, one_or_list(f, repeated("\360\237\224\214", f.limit, start)));
        refused(type, json, f.name, one_or_list(f, repeated("\303\251", f.limit + 1, start)), where,
                "R-TYPE-17");
    }
}

static void texts_may_be_as_long_as_their_limit_and_no_longer(void **state)
{
    (void)state; /* R-TYPE-01, 10, 17 */
    for_each_field(try_lengths);
}

static void try_words(const struct object_type *type, const json_t *json, struct field_facts f)
{
    const char *where = f.list ? entry_pointer(f.name) : pointer(f.name);

    if (f.kind != FIELD_ENUM)
        return;
    if (f.words->open)
        accepted(type, json, f.name, one_or_list(f, "NEVER_HEARD_OF"));
    else
        refused(type, json, f.name, one_or_list(f, "NEVER_HEARD_OF"), where, "R-TYPE-15");
    for (unsigned i = 0; i < f.words->count; i++)
        accepted(type, json, f.name, one_or_list(f, f.words->words[i]));
    assert_null(word_name(f.words, 0));
    assert_null(word_name(f.words, f.words->count + 1));
}

static void unknown_words_are_refused_in_closed_enums_only(void **state)
{
    (void)state; /* R-TYPE-14, 15 */
    for_each_field(try_words);
}

static void try_lower_case(const struct object_type *type, const json_t *json, struct field_facts f)
{
    const char *where = f.list ? entry_pointer(f.name) : pointer(f.name);

    if (f.kind != FIELD_ENUM || f.words->open)
        return;
    for (unsigned i = 0; i < f.words->count; i++) {
        char *word = arena_text(arena, f.words->words[i]);

        text_to_lower(word);
        refused(type, json, f.name, one_or_list(f, word), where, "R-TYPE-15");
    }
}

static void words_compare_with_case(void **state)
{
    (void)state; /* R-LOC-14 */
    for_each_field(try_lower_case);
}

static void try_unknown_members(const struct object_type *type, const json_t *json)
{
    accepted(type, json, "nltnm-extension", json_pack("{s:[i,s]}", "x", 1, "y"));
    accepted(type, json, "__proto__", json_true());
}

static void unknown_members_pass(void **state)
{
    (void)state; /* R-TRANS-20 */
    for_each_type(try_unknown_members);
}

/* An optional bool that has its default is not written. */
static size_t count_of_written(const struct object_type *type, const json_t *json)
{
    size_t count = json_object_size(json);

    for (size_t i = 0; i < object_type_fields(type); i++) {
        struct field_facts f = object_type_field(type, i);

        if (f.kind == FIELD_BOOL && !f.required &&
            json_is_true(json_object_get(json, f.name)) == f.true_if_absent)
            count--;
    }
    return count;
}

static void print_and_read_back(const struct object_type *type, const json_t *json)
{
    void *object = arena_alloc(arena, object_type_size(type));
    void *second = arena_alloc(arena, object_type_size(type));
    json_t *printed = NULL, *again = NULL;
    struct err e;

    assert_false(failed(object_parse(type, json, arena, object)));
    e = object_json(type, object, arena, &printed);
    if (failed(e))
        fail_msg("%s: %s", name_of(type), err_text(e));
    /* Canonical texts: 15 and 15.0 are the same number, and the order of members is free. */
    assert_false(failed(object_parse(type, printed, arena, second)));
    assert_false(failed(object_json(type, second, arena, &again)));
    assert_string_equal(json_canonical(arena, printed), json_canonical(arena, again));
    assert_int_equal(json_object_size(printed), count_of_written(type, json));
}

static void a_printed_object_reads_back_the_same(void **state)
{
    (void)state;
    for_each_type(print_and_read_back);
}

static void a_patch_may_hold_any_single_member(const struct object_type *type, const json_t *json,
                                               struct field_facts f)
{
    json_t *patch = json_object();
    struct err e;

    json_object_set(patch, f.name, json_object_get(json, f.name));
    json_object_set_new(patch, "last_updated", json_string("2026-04-01T00:00:00Z"));
    if (failed(object_check_patch(type, patch, NULL, arena)))
        fail_msg("a PATCH of %s.%s was refused", name_of(type), f.name);
    json_object_set_new(patch, f.name, json_null());
    e = object_check_patch(type, patch, NULL, arena);
    assert_int_equal(failed(e), f.required);
    if (f.required)
        assert_string_equal(e.rule, "R-TRANS-13");
    json_decref(patch);
    checks++;
}

static void null_in_a_patch_clears_optional_fields_only(void **state)
{
    (void)state; /* R-TRANS-11, 13 */
    for_each_field(a_patch_may_hold_any_single_member);
}

static void try_patch_without_stamp(const struct object_type *type, const json_t *json)
{
    const struct object_type *newer = object_type_find(OCPI_2_2_1, object_type_name(type));
    struct err e = object_check_patch(type, document("{}"), NULL, arena);

    if (!json_object_get(json, "last_updated") || object_type_version(type) == OCPI_2_1_1) {
        assert_false(failed(e));
        /* Where 2.2.1 has the class, it asks for what 2.1.1 does not. */
        if (newer && json_object_get(json, "last_updated"))
            assert_true(failed(object_check_patch(newer, document("{}"), NULL, arena)));
        return;
    }
    assert_true(failed(e));
    assert_string_equal(e.where, "/last_updated");
    assert_string_equal(e.rule, "R-TRANS-12");
    assert_null(e.came);
    checks++;
}

static void a_patch_has_last_updated_from_2_2_1_on(void **state)
{
    unsigned before = checks;

    (void)state; /* R-TRANS-12 */
    for_each_type(try_patch_without_stamp);
    assert_true(checks >= before + 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(every_class_is_found_by_its_name),
        OCPI_TEST(every_class_has_an_example_with_every_field),
        OCPI_TEST(required_fields_are_required_and_optional_ones_are_not),
        OCPI_TEST(a_value_of_another_kind_is_refused_where_it_stands),
        OCPI_TEST(texts_may_be_as_long_as_their_limit_and_no_longer),
        OCPI_TEST(unknown_words_are_refused_in_closed_enums_only),
        OCPI_TEST(words_compare_with_case),
        OCPI_TEST(unknown_members_pass),
        OCPI_TEST(a_printed_object_reads_back_the_same),
        OCPI_TEST(null_in_a_patch_clears_optional_fields_only),
        OCPI_TEST(a_patch_has_last_updated_from_2_2_1_on),
    };

    return cmocka_run_group_tests_name("ocpi/tables", tests, NULL, NULL);
}
