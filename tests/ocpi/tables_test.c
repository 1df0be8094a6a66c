/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generated from the tables: for every class and field, what is missing, of another type, too long
 * or unknown is refused with exactly the right pointer, and nothing else is.
 *
 * The documents are tests/ocpi/examples: each has every field of its class.
 */
#include "tests/ocpi/ocpi_test.h"

#include "base/text.h"

static unsigned checks;

static const char *pointer(const char *name)
{
    return arena_printf(arena, "/%s", name);
}

static const char *entry_pointer(const char *name)
{
    return arena_printf(arena, "/%s/0", name);
}

static void refused(const struct object_type *type, const json_t *json, const char *member,
                    json_t *value, const char *where)
{
    json_t *wrong = changed(json, member, value);
    struct err e = object_check(type, wrong, NULL, arena);

    if (!failed(e))
        fail_msg("%s.%s was accepted", object_type_name(type), member);
    if (strcmp(e.where, where) != 0)
        fail_msg("%s.%s: the complaint is about %s, not %s (%s)", object_type_name(type), member,
                 e.where, where, err_text(e));
    assert_int_equal(e.kind, ERR_BAD_FIELD);
    assert_true(strncmp(e.text, where, strlen(where)) == 0);
    checks++;
}

static void accepted(const struct object_type *type, const json_t *json, const char *member,
                     json_t *value)
{
    json_t *other = changed(json, member, value);
    struct err e = object_check(type, other, NULL, arena);

    if (failed(e))
        fail_msg("%s.%s was refused: %s", object_type_name(type), member, err_text(e));
    checks++;
}

typedef void each_field(const struct object_type *type, const json_t *json, struct field_facts f);

static void for_each_field(each_field *f)
{
    const struct object_type *type;
    unsigned before = checks;

    for (size_t i = 0; (type = object_type_at(OCPI_2_2_1, i)); i++) {
        json_t *json = example(object_type_name(type));

        for (size_t j = 0; j < object_type_fields(type); j++)
            f(type, json, object_type_field(type, j));
        arena_teardown(NULL);
        arena_setup(NULL);
    }
    assert_true(checks > before + 100); /* the walk did walk */
}

static void every_class_has_an_example_with_every_field(void **state)
{
    const struct object_type *type;
    size_t classes = 0;

    (void)state;
    for (; (type = object_type_at(OCPI_2_2_1, classes)); classes++) {
        json_t *json = example(object_type_name(type));

        assert_accepted(type, json);
        for (size_t i = 0; i < object_type_fields(type); i++) {
            const char *name = object_type_field(type, i).name;

            if (!json_object_get(json, name))
                fail_msg("the example of %s has no %s", object_type_name(type), name);
        }
        assert_int_equal(json_object_size(json), object_type_fields(type));
        assert_ptr_equal(object_type_find(OCPI_2_2_1, object_type_name(type)), type);
    }
    assert_int_equal(classes, 54);
    assert_null(object_type_at(OCPI_2_1_1, 0));
    assert_null(object_type_find(OCPI_2_2_1, "Nothing"));
}

/* Optional, but another member of the example asks for it. */
static const char *const wanted_by_rules[][2] = {
    {"PublishTokenType", "type"},
    {"PublishTokenType", "issuer"},
    {"StartSession", "evse_uid"},
    {"CDR", "credit_reference_id"},
};

static bool is_wanted(const struct object_type *type, const char *name, bool required)
{
    for (size_t i = 0; i < sizeof(wanted_by_rules) / sizeof(wanted_by_rules[0]); i++) {
        if (strcmp(wanted_by_rules[i][0], object_type_name(type)) == 0 &&
            strcmp(wanted_by_rules[i][1], name) == 0)
            return true;
    }
    return required;
}

static void try_without(const struct object_type *type, const json_t *json, struct field_facts f)
{
    if (is_wanted(type, f.name, f.required)) {
        refused(type, json, f.name, NULL, pointer(f.name));
        refused(type, json, f.name, json_null(), pointer(f.name));
    } else {
        accepted(type, json, f.name, NULL);
        accepted(type, json, f.name, json_null());
    }
    if (f.list && f.required)
        refused(type, json, f.name, json_array(), pointer(f.name));
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

static void try_wrong_kinds(const struct object_type *type, const json_t *json,
                            struct field_facts f)
{
    const char *text;

    for (size_t i = 0; i < 4 && (text = wrong_values(f.kind, f.number_tolerated, i)); i++) {
        json_t *value = json_object_get(document(text), "v");

        if (!f.list) {
            refused(type, json, f.name, json_incref(value), pointer(f.name));
            continue;
        }
        refused(type, json, f.name, json_pack("[O]", value), entry_pointer(f.name));
        if (!json_is_array(value))
            refused(type, json, f.name, json_incref(value), pointer(f.name));
    }
    if (f.list)
        refused(type, json, f.name, json_pack("[n]"), entry_pointer(f.name));
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
    refused(type, json, f.name, one_or_list(f, repeated("A", f.limit + 1, start)), where);
    /* Shorter ones have a form of their own: codes, times of day, degrees. */
    if (f.limit >= 36)
        accepted(type, json, f.name, one_or_list(f, repeated("A", f.limit, start)));
    if (f.caseless) {
        refused(type, json, f.name, one_or_list(f, "\303\251"), where); /* R-TYPE-01 */
        refused(type, json, f.name, one_or_list(f, "a\tb"), where);
    } else if (f.kind == FIELD_TEXT && f.limit >= 36 && strcmp(f.name, "time_zone") != 0 &&
               strcmp(f.name, "token") != 0) {
        /* Limits count characters, not bytes: 4 bytes each here. */
        accepted(type, json, f.name, one_or_list(f, repeated("\360\237\224\214", f.limit, start)));
        refused(type, json, f.name, one_or_list(f, repeated("\303\251", f.limit + 1, start)),
                where);
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
        refused(type, json, f.name, one_or_list(f, "NEVER_HEARD_OF"), where);
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
        refused(type, json, f.name, one_or_list(f, word), where);
    }
}

static void words_compare_with_case(void **state)
{
    (void)state; /* R-LOC-14 */
    for_each_field(try_lower_case);
}

static void unknown_members_pass(void **state)
{
    const struct object_type *type;

    (void)state; /* R-TRANS-20 */
    for (size_t i = 0; (type = object_type_at(OCPI_2_2_1, i)); i++) {
        json_t *json = example(object_type_name(type));

        accepted(type, json, "nltnm-extension", json_pack("{s:[i,s]}", "x", 1, "y"));
        accepted(type, json, "__proto__", json_true());
    }
}

static void a_printed_object_reads_back_the_same(void **state)
{
    const struct object_type *type;

    (void)state;
    for (size_t i = 0; (type = object_type_at(OCPI_2_2_1, i)); i++) {
        json_t *json = example(object_type_name(type)), *printed = NULL, *again = NULL;
        void *object = arena_alloc(arena, object_type_size(type));
        void *second = arena_alloc(arena, object_type_size(type));
        struct err e;

        assert_false(failed(object_parse(type, json, arena, object)));
        e = object_json(type, object, arena, &printed);
        if (failed(e))
            fail_msg("%s: %s", object_type_name(type), err_text(e));
        /* Canonical texts: 15 and 15.0 are the same number, and the order of members is free. */
        assert_false(failed(object_parse(type, printed, arena, second)));
        assert_false(failed(object_json(type, second, arena, &again)));
        assert_string_equal(json_canonical(arena, printed), json_canonical(arena, again));
        assert_int_equal(json_object_size(printed), json_object_size(json));
    }
}

static void a_patch_may_hold_any_single_member(const struct object_type *type, const json_t *json,
                                               struct field_facts f)
{
    json_t *patch = json_object();

    json_object_set(patch, f.name, json_object_get(json, f.name));
    json_object_set_new(patch, "last_updated", json_string("2026-04-01T00:00:00Z"));
    if (failed(object_check_patch(type, patch, NULL, arena)))
        fail_msg("a PATCH of %s.%s was refused", object_type_name(type), f.name);
    json_object_set_new(patch, f.name, json_null());
    assert_int_equal(failed(object_check_patch(type, patch, NULL, arena)), f.required);
    json_decref(patch);
    checks++;
}

static void null_in_a_patch_clears_optional_fields_only(void **state)
{
    (void)state; /* R-TRANS-11, 13 */
    for_each_field(a_patch_may_hold_any_single_member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(every_class_has_an_example_with_every_field),
        OCPI_TEST(required_fields_are_required_and_optional_ones_are_not),
        OCPI_TEST(a_value_of_another_kind_is_refused_where_it_stands),
        OCPI_TEST(texts_may_be_as_long_as_their_limit_and_no_longer),
        OCPI_TEST(unknown_words_are_refused_in_closed_enums_only),
        OCPI_TEST(words_compare_with_case),
        OCPI_TEST(unknown_members_pass),
        OCPI_TEST(a_printed_object_reads_back_the_same),
        OCPI_TEST(null_in_a_patch_clears_optional_fields_only),
    };

    return cmocka_run_group_tests_name("ocpi/tables", tests, NULL, NULL);
}
