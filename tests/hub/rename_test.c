/* SPDX-License-Identifier: Apache-2.0 */
/* Renaming: which ids of a document of 2.1.1 follow their reader's names (R-BR-06). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "hub/partner/rename.h"

static struct arena *a;
/* In the order in which aliases_find gives them. */
static struct alias items[] = {
    {ALIAS_LOCATIONS, {"FI", "ABC"}, "L1", "FI*ABC*L1"},
    {ALIAS_TARIFFS, {"FI", "ABC"}, "T1", "FI*ABC*T1"},
    {ALIAS_SESSIONS, {"FI", "ABC"}, "S1", "FI*ABC*S1"},
};
static const struct aliases aliases = {items, 3};
static const struct party_id abc = {"FI", "ABC"}, xyz = {"FI", "XYZ"};

static int setup(void **state)
{
    (void)state;
    a = arena_new(16 * 1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static void becomes(const char *object, const struct party_id *owner, const char *before,
                    const char *after)
{
    json_t *document, *wanted;

    assert_false(failed(json_read(a, before, strlen(before), 0, &document)));
    assert_false(failed(json_read(a, after, strlen(after), 0, &wanted)));
    rename_ids(document, object, owner, &aliases);
    if (!json_equal(document, wanted))
        print_error("%s\n%s\n", json_text(a, document, NULL), after);
    assert_true(json_equal(document, wanted));
}

static void a_location_and_the_tariffs_of_its_connectors_are_renamed(void **state)
{
    (void)state;
    becomes("Location", &abc,
            "{\"id\":\"l1\",\"evses\":[{\"uid\":\"L1\",\"connectors\":"
            "[{\"id\":\"L1\",\"tariff_id\":\"T1\"},{\"id\":\"T1\",\"tariff_id\":\"T2\"}]},{}]}",
            "{\"id\":\"FI*ABC*L1\",\"evses\":[{\"uid\":\"L1\",\"connectors\":"
            "[{\"id\":\"L1\",\"tariff_id\":\"FI*ABC*T1\"},{\"id\":\"T1\",\"tariff_id\":\"T2\"}]},"
            "{}]}");
}

static void each_class_has_names_of_its_own(void **state)
{
    (void)state;
    becomes("Tariff", &abc, "{\"id\":\"T1\"}", "{\"id\":\"FI*ABC*T1\"}");
    becomes("Tariff", &abc, "{\"id\":\"L1\"}", "{\"id\":\"L1\"}");
    becomes("Session", &abc, "{\"id\":\"S1\",\"location\":{\"id\":\"L1\"}}",
            "{\"id\":\"FI*ABC*S1\",\"location\":{\"id\":\"FI*ABC*L1\"}}");
    becomes("CDR", &abc,
            "{\"id\":\"S1\",\"location\":{\"id\":\"L1\"},\"tariffs\":[{\"id\":\"T1\"}]}",
            "{\"id\":\"S1\",\"location\":{\"id\":\"FI*ABC*L1\"},\"tariffs\":"
            "[{\"id\":\"FI*ABC*T1\"}]}");
    becomes("Token", &abc, "{\"id\":\"L1\"}", "{\"id\":\"L1\"}");
}

static void objects_of_others_keep_their_ids(void **state)
{
    (void)state;
    becomes("Location", &xyz, "{\"id\":\"L1\"}", "{\"id\":\"L1\"}");
    assert_true(rename_is_due(&aliases, &abc));
    assert_false(rename_is_due(&aliases, &xyz));
    assert_false(rename_is_due(NULL, &abc));
}

static void what_has_a_wrong_form_is_left_alone(void **state)
{
    (void)state;
    becomes("Location", &abc, "{\"id\":7,\"evses\":{\"a\":1}}", "{\"id\":7,\"evses\":{\"a\":1}}");
    becomes("Session", &abc, "{\"location\":[1]}", "{\"location\":[1]}");
    becomes("CDR", &abc, "{\"tariffs\":[null,3]}", "{\"tariffs\":[null,3]}");
}

static void finds(const char *document, const char *ids)
{
    struct rename_ids found = {0};
    struct text t;

    rename_gather(a, document, strlen(document), &found);
    text_init(&t, a, 4096);
    for (size_t i = 0; i < found.count; i++)
        text_printf(&t, "%s ", found.items[i]);
    assert_string_equal(t.bytes, ids);
}

static void the_ids_that_a_document_mentions_are_found_whatever_its_version(void **state)
{
    (void)state;
    finds("{\"id\":\"L1\",\"evses\":[{\"uid\":\"E1\",\"connectors\":"
          "[{\"id\":\"1\",\"tariff_id\":\"T1\"},{\"id\":\"2\",\"tariff_id\":\"T2\"}]}]}",
          "L1 1 T1 2 T2 ");
    finds("{\"id\":\"L1\",\"evses\":[{\"connectors\":[{\"tariff_ids\":[\"T1\",\"T2\"]},"
          "{\"tariff_ids\":[\"T2\"]}]}]}",
          "L1 T1 T2 ");
    finds("{\"id\":\"S1\",\"location_id\":\"L1\",\"auth_id\":\"A1\",\"currency\":\"EUR\"}",
          "S1 L1 ");
    finds("{\"cdr_location\":{\"id\":\"L1\"},\"tariffs\":[{\"id\":\"T1\"},{\"id\":\"T2\"}],"
          "\"id\":7}",
          "L1 T1 T2 ");
    finds("{\"id\":", "");
}

static void many_ids_are_all_kept_and_the_same_again_takes_no_room(void **state)
{
    struct rename_ids found = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        rename_gather_one(a, arena_printf(a, "T%d", i / 2), &found);
    assert_int_equal(found.count, 500);
    for (int i = 0; i < 10000; i++)
        rename_gather_one(a, i % 2 ? "T0" : "T499", &found);
    assert_in_range(found.room, 500, 1024);
    bool seen[500] = {0};
    for (size_t i = 0; i < found.count; i++)
        seen[strtol(found.items[i] + 1, NULL, 10)] = true;
    for (int i = 0; i < 500; i++)
        assert_true(seen[i]);
    rename_gather(a, NULL, 0, &found); /* what is no more has no document */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_location_and_the_tariffs_of_its_connectors_are_renamed),
        cmocka_unit_test(each_class_has_names_of_its_own),
        cmocka_unit_test(objects_of_others_keep_their_ids),
        cmocka_unit_test(what_has_a_wrong_form_is_left_alone),
        cmocka_unit_test(the_ids_that_a_document_mentions_are_found_whatever_its_version),
        cmocka_unit_test(many_ids_are_all_kept_and_the_same_again_takes_no_room),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
