/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The example documents of this project, tests/ocpi/examples: one per class, in the folder of the
 * version whose table the class has. Other tests make their cases of them, so none may be left
 * over, and what is true of each alone has to be true of them together.
 */
#include "tests/ocpi/ocpi_test.h"

#include <dirent.h>

#include "ocpi/v211/command.h"
#include "ocpi/v211/session.h"

static const struct object_type *type_of_file(enum ocpi_version version, const char *file)
{
    size_t length = strlen(file);
    const struct object_type *type;

    assert_true(length > 5 && strcmp(file + length - 5, ".json") == 0);
    type = object_type_find(version, arena_bytes(arena, file, length - 5));
    if (!type || object_type_version(type) != version)
        fail_msg("%s %s is the example of no table", version_name(version), file);
    return type;
}

static void every_example_belongs_to_a_table(void **state)
{
    size_t files = 0;

    (void)state;
    for (enum ocpi_version v = OCPI_2_1_1; v <= OCPI_2_3_0; v++) {
        DIR *folder = opendir(arena_printf(arena, "tests/ocpi/examples/%s", version_name(v)));
        struct dirent *entry;

        assert_non_null(folder);
        while ((entry = readdir(folder))) {
            if (*entry->d_name == '.')
                continue;
            assert_accepted(type_of_file(v, entry->d_name),
                            example_of(type_of_file(v, entry->d_name)));
            files++;
        }
        closedir(folder);
    }
    assert_true(files > 80);
}

/* A document of one version is none of another where the classes differ in what is required. */
static void versions_do_not_take_each_other_for_themselves(void **state)
{
    static const char *const names[] = {"Connector", "EVSE",  "Location",   "Session",
                                        "CDR",       "Token", "Credentials"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct object_type *old = object_type_find(OCPI_2_1_1, names[i]);
        const struct object_type *new = object_type_find(OCPI_2_2_1, names[i]);

        assert_true(failed(object_check(old, example_of(new), NULL, arena)));
        assert_true(failed(object_check(new, example_of(old), NULL, arena)));
    }
}

static void a_session_of_2_1_1_holds_a_whole_location(void **state)
{
    struct ocpi211_session s;

    (void)state;
    assert_false(
        failed(object_parse(&ocpi211_session_type, example_of(&ocpi211_session_type), arena, &s)));
    assert_int_equal(s.status, OCPI211_SESSION_ACTIVE);
    assert_int_equal(s.auth_method, OCPI211_AUTH_AUTH_REQUEST);
    assert_string_equal(s.auth_id, "DE-EMP-C00042077-1");
    assert_int_equal(s.kwh, 6432100);
    assert_int_equal(s.total_cost, 2190000);
    assert_int_equal(s.location->type, OCPI211_LOCATION_PARKING_LOT);
    assert_int_equal(s.location->evses.count, 1);
    assert_int_equal(s.location->evses.at[0].connectors.at[0].voltage, 230);
    assert_string_equal(s.location->evses.at[0].connectors.at[0].tariff_id, "DOCK");
    assert_int_equal(s.location->energy_mix->environ_impact.at[1].source,
                     OCPI_IMPACT_CARBON_DIOXIDE);
    assert_int_equal(s.charging_periods.at[0].dimensions.at[1].type,
                     OCPI211_DIMENSION_PARKING_TIME);
}

static void a_reservation_of_2_1_1_has_a_number(void **state)
{
    json_t *json = example_of(&ocpi211_reserve_now_type);
    struct ocpi211_reserve_now ask;

    (void)state;
    assert_false(failed(object_parse(&ocpi211_reserve_now_type, json, arena, &ask)));
    assert_int_equal(ask.reservation_id, 52001);
    json_object_set_new(json, "reservation_id", json_string("52001"));
    assert_refused_at(&ocpi211_reserve_now_type, json, "/reservation_id");
    json_object_set_new(json, "reservation_id", json_integer(INT64_C(2147483648)));
    assert_refused_at(&ocpi211_reserve_now_type, json, "/reservation_id");
    assert_ptr_equal(ocpi211_command_body_type(ocpi_command_parse("RESERVE_NOW")),
                     &ocpi211_reserve_now_type);
    assert_null(ocpi211_command_body_type(ocpi_command_parse("CANCEL_RESERVATION")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(every_example_belongs_to_a_table),
        OCPI_TEST(versions_do_not_take_each_other_for_themselves),
        OCPI_TEST(a_session_of_2_1_1_holds_a_whole_location),
        OCPI_TEST(a_reservation_of_2_1_1_has_a_number),
    };

    return cmocka_run_group_tests_name("ocpi/examples", tests, NULL, NULL);
}
