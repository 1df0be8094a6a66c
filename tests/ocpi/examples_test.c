/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The example payloads that the specification publishes. They are not ours to carry along: the
 * test looks for them in $OCPI_EXAMPLES, else beside the project, else it is skipped.
 */
#include "tests/ocpi/ocpi_test.h"

#include <dirent.h>

#include "ocpi/envelope.h"
#include "ocpi/session.h"

enum shape { OBJECT_SHAPE, LIST_SHAPE, PATCH_SHAPE, ENVELOPE_SHAPE, ENVELOPE_LIST_SHAPE };

/* What a file is, by the beginning of its name: the longest beginning wins. */
/* clang-format off */
static const struct kind {
    const char *start, *class_name;
    enum shape shape;
    const char *member; /* the object is this member of the document */
    const char *wrong_at; /* at odds with the specification, and refused here */
} kinds[] = {
    {"cdr_example",                       "CDR",            OBJECT_SHAPE},
    {"credentials_example",               "Credentials",    OBJECT_SHAPE},
    {"location_energymix_example",        "EnergyMix",      OBJECT_SHAPE, "energy_mix"},
    {"location_example",                  "Location",       OBJECT_SHAPE},
    {"location_hours_",                   "Hours",          OBJECT_SHAPE},
    {"location_patch_example_location",   "Location",       PATCH_SHAPE},
    {"location_patch_example_remove",     "EVSE",           PATCH_SHAPE},
    {"location_patch_example_status",     "EVSE",           PATCH_SHAPE},
    {"location_patch_example_tariff",     "Connector",      PATCH_SHAPE},
    {"location_put_example_add_evse",     "EVSE",           OBJECT_SHAPE, NULL,
                                          "/connectors/0/power_type"},
    {"location_regularhours_example",     "Hours",          OBJECT_SHAPE, "opening_times"},
    {"session_example",                   "Session",        OBJECT_SHAPE},
    {"session_patch",                     "Session",        PATCH_SHAPE},
    {"tariff_",                           "Tariff",         OBJECT_SHAPE},
    {"tariff_put_example",                "Tariff",         OBJECT_SHAPE, NULL, "/last_updated"},
    {"tariffrestriction_example",         "Tariff",         OBJECT_SHAPE},
    {"token_example",                     "Token",          OBJECT_SHAPE},
    {"token_patch_example",               "Token",          PATCH_SHAPE},
    {"token_put_example",                 "Token",          OBJECT_SHAPE},
    {"transport_and_format_get_token_example",       "Token",          ENVELOPE_SHAPE},
    {"transport_and_format_get_token_list_example",  "Token",          ENVELOPE_LIST_SHAPE},
    {"transport_and_format_version_details_example", "VersionDetails", ENVELOPE_SHAPE},
    {"transport_and_format_version_info_example",    "Version",        ENVELOPE_LIST_SHAPE},
    {"type_displaytext_example",          "DisplayText",    OBJECT_SHAPE},
    {"version_details_example",           "VersionDetails", OBJECT_SHAPE},
    {"versions_info_example",             "Version",        LIST_SHAPE},
};
/* clang-format on */

static const struct kind *kind_of(const char *file)
{
    const struct kind *best = NULL;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strncmp(kinds[i].start, file, strlen(kinds[i].start)) == 0 &&
            (!best || strlen(kinds[i].start) > strlen(best->start)))
            best = &kinds[i];
    }
    return best;
}

static struct err check_list(const struct object_type *type, const json_t *list)
{
    assert_true(json_is_array(list) && json_array_size(list) > 0);
    for (size_t i = 0; i < json_array_size(list); i++)
        TRY(object_check(type, json_array_get(list, i), NULL, arena));
    return OK;
}

static json_t *data_of(json_t *json)
{
    struct envelope answer;
    size_t length;
    char *bytes = json_text(arena, json, &length);

    envelope_read(arena, 200, bytes, length, NULL, &answer);
    assert_int_equal(answer.state, ENVELOPE_GOOD);
    assert_true(envelope_is_success(&answer));
    return answer.data;
}

static struct err check_as(const struct kind *kind, json_t *json)
{
    const struct object_type *type = object_type_find(OCPI_2_2_1, kind->class_name);

    assert_non_null(type);
    if (kind->member)
        json = json_object_get(json, kind->member);
    switch (kind->shape) {
    case PATCH_SHAPE:
        return object_check_patch(type, json, NULL, arena);
    case LIST_SHAPE:
        return check_list(type, json);
    case ENVELOPE_SHAPE:
        return object_check(type, data_of(json), NULL, arena);
    case ENVELOPE_LIST_SHAPE:
        return check_list(type, data_of(json));
    case OBJECT_SHAPE:
        break;
    }
    return object_check(type, json, NULL, arena);
}

static void check_file(const char *folder, const char *name)
{
    const struct kind *kind = kind_of(name);
    json_t *json = document_of_file(arena_printf(arena, "%s/%s", folder, name));
    struct err e;

    if (!kind)
        fail_msg("%s: this test does not know what it is", name);
    e = check_as(kind, json);
    if (!kind->wrong_at && failed(e))
        fail_msg("%s was refused: %s", name, err_text(e));
    if (kind->wrong_at && (!failed(e) || strcmp(e.where, kind->wrong_at) != 0))
        fail_msg("%s: a complaint about %s was expected", name, kind->wrong_at);
}

static const char *folder_of_examples(void)
{
    const char *root = getenv("OCPI_EXAMPLES");

    return arena_printf(arena, "%s/2.2.1", root ? root : "../shared/data/ocpi-examples");
}

static void published_examples_of_2_2_1_are_accepted(void **state)
{
    const char *path = folder_of_examples();
    DIR *folder = opendir(path);
    struct dirent *entry;
    unsigned count = 0;

    (void)state;
    if (!folder) {
        print_message("skipped: no published examples in %s; set OCPI_EXAMPLES\n", path);
        skip();
    }
    while ((entry = readdir(folder))) {
        size_t length = strlen(entry->d_name);

        if (length < 5 || strcmp(entry->d_name + length - 5, ".json") != 0)
            continue;
        check_file(path, entry->d_name);
        count++;
    }
    closedir(folder);
    assert_true(count >= 59);
}

static void published_patches_apply_to_the_published_session(void **state)
{
    const char *path = folder_of_examples();
    json_t *session =
        document_of_file(arena_printf(arena, "%s/session_example_1_simple_start.json", path));
    json_t *patch = document_of_file(
        arena_printf(arena, "%s/session_patch_example_charging_period.json", path));
    struct ocpi_session merged;
    size_t before;
    json_t *ret;

    (void)state;
    if (!session) {
        print_message("skipped: no published examples in %s; set OCPI_EXAMPLES\n", path);
        skip();
    }
    before = json_array_size(json_object_get(session, "charging_periods"));
    assert_false(failed(session_merge(session, patch, NULL, arena, &ret)));
    assert_false(failed(object_parse(&ocpi_session_type, ret, arena, &merged)));
    assert_int_equal(merged.charging_periods.count, before + 1);
    assert_int_equal(merged.kwh, 15000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(published_examples_of_2_2_1_are_accepted),
        OCPI_TEST(published_patches_apply_to_the_published_session),
    };

    return cmocka_run_group_tests_name("ocpi/examples", tests, NULL, NULL);
}
