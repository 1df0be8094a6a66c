/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The example payloads that the specification publishes, of the three versions: each is accepted by
 * the table of its class, or it is listed with what is wrong in it. They are not ours to carry
 * along: the test looks for them in $OCPI_EXAMPLES, else beside the project, else it is skipped.
 */
#include "tests/ocpi/ocpi_test.h"

#include <dirent.h>

#include "ocpi/envelope.h"
#include "ocpi/session.h"

/* OTHER: of a module that is not served here. ERROR: an answer that reports a mistake. */
enum shape { OBJECT, LIST, PATCH, ENVELOPE, ENVELOPE_LIST, ERROR, OTHER };

struct published {
    const char *file, *class_name;
    enum shape shape;
    const char *member;   /* the object is this member of the document */
    const char *wrong_at; /* where it is refused */
    const char *erratum;  /* why */
};

/* clang-format off */
static const struct published of_2_1_1[] = {
    {"cdr_example", "CDR", OBJECT, NULL, "/location/country",
     "Location.country is ISO 3166-1 alpha-3"},
    {"credentials_example", "Credentials", OBJECT},
    {"location_example", "Location", OBJECT},
    {"location_patch_example_location", "Location", PATCH},
    {"location_patch_example_remove_evse", "EVSE", PATCH},
    {"location_patch_example_status", "EVSE", PATCH},
    {"location_patch_example_tariff", "Connector", PATCH},
    {"location_put_example_add_evse", "EVSE", OBJECT, NULL, "/connectors/0/power_type",
     "required members of the Connector are missing"},
    {"session_example_1_simple_start", "Session", OBJECT, NULL, "/location/country",
     "Location.country is ISO 3166-1 alpha-3"},
    {"session_example_2_short_finished", "Session", OBJECT, NULL, "/location/country",
     "Location.country is ISO 3166-1 alpha-3"},
    {"session_patch_example_total_cost", "Session", PATCH},
    {"tariff_1_simple_2hour", "Tariff", OBJECT},
    {"tariff_2_alt_text", "Tariff", OBJECT},
    {"tariff_3_alt_url", "Tariff", OBJECT},
    {"tariff_4_complex", "Tariff", OBJECT},
    {"tariff_5_free_of_charge", "Tariff", OBJECT},
    {"tariff_patch_example", "Tariff", PATCH},
    {"tariff_put_example", "Tariff", OBJECT, NULL, "/last_updated",
     "a required member is missing"},
    {"token_example", "Token", OBJECT},
    {"token_patch_example", "Token", PATCH},
    {"token_put_example", "Token", OBJECT},
    {"transport_and_format_error_response_example", NULL, ERROR},
    {"transport_and_format_get_token_example", "Token", ENVELOPE},
    {"transport_and_format_get_token_list_example", "Token", ENVELOPE_LIST},
    {"transport_and_format_version_details_example", "VersionDetails", ENVELOPE},
    {"transport_and_format_version_info_example", "Version", ENVELOPE_LIST},
    {"version_details_example", "VersionDetails", OBJECT},
    {"versions_info_example", "Version", LIST},
};

static const struct published of_2_2_1[] = {
    {"cdr_example", "CDR", OBJECT},
    {"credentials_example", "Credentials", OBJECT},
    {"credentials_example2", "Credentials", OBJECT},
    {"credentials_example3", "Credentials", OBJECT},
    {"credentials_example4", "Credentials", OBJECT},
    {"location_energymix_example_complete", "EnergyMix", OBJECT, "energy_mix"},
    {"location_energymix_example_energy_provider", "EnergyMix", OBJECT, "energy_mix"},
    {"location_energymix_example_simple", "EnergyMix", OBJECT, "energy_mix"},
    {"location_example", "Location", OBJECT},
    {"location_example_parking_garage_opening_hours", "Location", OBJECT},
    {"location_example_uc2_destination_charger", "Location", OBJECT},
    {"location_example_uc3_destination_charger_not_published", "Location", OBJECT},
    {"location_example_uc4_limited_visibility", "Location", OBJECT},
    {"location_example_uc5_home_charge_point", "Location", OBJECT},
    {"location_hours_247_open_exception_closing", "Hours", OBJECT},
    {"location_hours_opening_hours_with_exceptional_closing", "Hours", OBJECT},
    {"location_hours_opening_hours_with_exceptional_opening", "Hours", OBJECT},
    {"location_patch_example_location", "Location", PATCH},
    {"location_patch_example_remove_evse", "EVSE", PATCH},
    {"location_patch_example_status", "EVSE", PATCH},
    {"location_patch_example_tariff", "Connector", PATCH},
    {"location_put_example_add_evse", "EVSE", OBJECT, NULL, "/connectors/0/power_type",
     "required members of the Connector are missing"},
    {"location_regularhours_example", "Hours", OBJECT, "opening_times"},
    {"session_example_1_simple_start", "Session", OBJECT},
    {"session_example_2_short_finished", "Session", OBJECT},
    {"session_patch_example_charging_period", "Session", PATCH},
    {"session_patch_example_total_cost", "Session", PATCH},
    {"tariff_10_025kwh_parking_start", "Tariff", OBJECT},
    {"tariff_11_not_possible_alt_text", "Tariff", OBJECT},
    {"tariff_12_025kwh_min_price", "Tariff", OBJECT},
    {"tariff_13_simple_3hour_5parking", "Tariff", OBJECT},
    {"tariff_14_step_size", "Tariff", OBJECT},
    {"tariff_15_reservation_5_euro_per_hour", "Tariff", OBJECT},
    {"tariff_16_reservation_2_euro_fee_5_euro_per_hour", "Tariff", OBJECT},
    {"tariff_17_reservation_with_expire_fee", "Tariff", OBJECT},
    {"tariff_18_reservation_with_expire_time", "Tariff", OBJECT},
    {"tariff_1_simple_2hour", "Tariff", OBJECT},
    {"tariff_2_alt_text", "Tariff", OBJECT},
    {"tariff_3_alt_url", "Tariff", OBJECT},
    {"tariff_4_complex", "Tariff", OBJECT},
    {"tariff_5_free_of_charge", "Tariff", OBJECT},
    {"tariff_6_025kwh_start_max_price", "Tariff", OBJECT},
    {"tariff_8_simple_025kwh", "Tariff", OBJECT},
    {"tariff_9_025kwh_start", "Tariff", OBJECT},
    {"tariff_put_example", "Tariff", OBJECT, NULL, "/last_updated",
     "a required member is missing"},
    {"tariffrestriction_example_max_duration", "Tariff", OBJECT},
    {"tariffrestriction_example_max_power", "Tariff", OBJECT},
    {"token_example_1_app_user", "Token", OBJECT},
    {"token_example_2_full_rfid", "Token", OBJECT},
    {"token_patch_example", "Token", PATCH},
    {"token_put_example", "Token", OBJECT},
    {"transport_and_format_get_token_example", "Token", ENVELOPE},
    {"transport_and_format_get_token_list_example", "Token", ENVELOPE_LIST},
    {"transport_and_format_version_details_example", "VersionDetails", ENVELOPE},
    {"transport_and_format_version_info_example", "Version", ENVELOPE_LIST},
    {"type_displaytext_example", "DisplayText", OBJECT},
    {"version_details_example", "VersionDetails", OBJECT},
    {"version_details_example2", "VersionDetails", OBJECT},
    {"versions_info_example", "Version", LIST},
};

static const struct published of_2_3_0[] = {
    {"cdr_example", "CDR", OBJECT, NULL, "/tariffs/0/tax_included",
     "a required member of 2.3.0 is missing"},
    {"credentials_example", "Credentials", OBJECT},
    {"credentials_example2", "Credentials", OBJECT},
    {"credentials_example3", "Credentials", OBJECT},
    {"credentials_example4", "Credentials", OBJECT},
    {"location_energymix_example_complete", "EnergyMix", OBJECT, "energy_mix"},
    {"location_energymix_example_energy_provider", "EnergyMix", OBJECT, "energy_mix"},
    {"location_energymix_example_simple", "EnergyMix", OBJECT, "energy_mix"},
    {"location_example", "Location", OBJECT},
    {"location_example_parking_garage_opening_hours", "Location", OBJECT},
    {"location_example_uc2_destination_charger", "Location", OBJECT},
    {"location_example_uc3_destination_charger_not_published", "Location", OBJECT},
    {"location_example_uc4_limited_visibility", "Location", OBJECT},
    {"location_example_uc5_home_charge_point", "Location", OBJECT},
    {"location_hours_247_open_exception_closing", "Hours", OBJECT},
    {"location_hours_opening_hours_with_exceptional_closing", "Hours", OBJECT},
    {"location_hours_opening_hours_with_exceptional_opening", "Hours", OBJECT},
    {"location_patch_example_location", "Location", PATCH},
    {"location_patch_example_remove_evse", "EVSE", PATCH},
    {"location_patch_example_status", "EVSE", PATCH},
    {"location_patch_example_tariff", "Connector", PATCH},
    {"location_put_example_add_evse", "EVSE", OBJECT, NULL, "/connectors/0/power_type",
     "required members of the Connector are missing"},
    {"location_regularhours_example", "Hours", OBJECT, "opening_times"},
    {"payment_financial_advice_confirmation_create", NULL, OTHER},
    {"payment_financial_advice_confirmation_example_failure", NULL, OTHER},
    {"payment_financial_advice_confirmation_example_success", NULL, OTHER},
    {"payment_terminal_activate", NULL, OTHER},
    {"payment_terminal_create", NULL, OTHER},
    {"payment_terminal_create_minimal", NULL, OTHER},
    {"payment_terminal_example_assigned_locations", NULL, OTHER},
    {"payment_terminal_example_assigned_locations_assigned_evses", NULL, OTHER},
    {"payment_terminal_example_newly_created", NULL, OTHER},
    {"payment_terminal_location_assignment", NULL, OTHER},
    {"payment_terminal_put_update", NULL, OTHER},
    {"session_example_1_simple_start", "Session", OBJECT},
    {"session_example_2_short_finished", "Session", OBJECT},
    {"session_patch_example_charging_period", "Session", PATCH},
    {"session_patch_example_total_cost", "Session", PATCH},
    {"tariff_10_025kwh_parking_start", "Tariff", OBJECT},
    {"tariff_11_not_possible_alt_text", "Tariff", OBJECT},
    {"tariff_12_025kwh_min_price", "Tariff", OBJECT},
    {"tariff_13_simple_3hour_5parking", "Tariff", OBJECT},
    {"tariff_14_step_size", "Tariff", OBJECT},
    {"tariff_15_reservation_5_euro_per_hour", "Tariff", OBJECT},
    {"tariff_16_reservation_2_euro_fee_5_euro_per_hour", "Tariff", OBJECT},
    {"tariff_17_reservation_with_expire_fee", "Tariff", OBJECT},
    {"tariff_18_reservation_with_expire_time", "Tariff", OBJECT},
    {"tariff_19_simple_north_american_exclusive", "Tariff", OBJECT},
    {"tariff_1_simple_2hour", "Tariff", OBJECT},
    {"tariff_20_simple_north_american_inclusive", "Tariff", OBJECT},
    {"tariff_2_alt_text", "Tariff", OBJECT},
    {"tariff_3_alt_url", "Tariff", OBJECT},
    {"tariff_4_complex", "Tariff", OBJECT},
    {"tariff_5_free_of_charge", "Tariff", OBJECT},
    {"tariff_6_025kwh_start_max_price", "Tariff", OBJECT},
    {"tariff_8_simple_025kwh", "Tariff", OBJECT},
    {"tariff_9_025kwh_start", "Tariff", OBJECT},
    {"tariff_put_example", "Tariff", OBJECT, NULL, "/last_updated",
     "a required member is missing"},
    {"tariffrestriction_example_max_duration", "Tariff", OBJECT},
    {"tariffrestriction_example_max_power", "Tariff", OBJECT},
    {"token_example_1_app_user", "Token", OBJECT},
    {"token_example_2_full_rfid", "Token", OBJECT},
    {"token_patch_example", "Token", PATCH},
    {"token_put_example", "Token", OBJECT},
    {"transport_and_format_get_token_example", "Token", ENVELOPE},
    {"transport_and_format_get_token_list_example", "Token", ENVELOPE_LIST},
    {"transport_and_format_version_details_example", "VersionDetails", ENVELOPE},
    {"transport_and_format_version_info_example", "Version", ENVELOPE_LIST},
    {"type_displaytext_example", "DisplayText", OBJECT},
    {"version_details_example", "VersionDetails", OBJECT},
    {"version_details_example2", "VersionDetails", OBJECT},
    {"versions_info_example", "Version", LIST},
};
/* clang-format on */

static const struct edition {
    enum ocpi_version version;
    const struct published *at;
    size_t count;
} editions[] = {
    {OCPI_2_1_1, of_2_1_1, sizeof(of_2_1_1) / sizeof(of_2_1_1[0])},
    {OCPI_2_2_1, of_2_2_1, sizeof(of_2_2_1) / sizeof(of_2_2_1[0])},
    {OCPI_2_3_0, of_2_3_0, sizeof(of_2_3_0) / sizeof(of_2_3_0[0])},
};

static const struct edition *edition_of(enum ocpi_version version)
{
    return &editions[version - OCPI_2_1_1];
}

static const char *folder_of(enum ocpi_version version)
{
    const char *root = getenv("OCPI_EXAMPLES");

    return arena_printf(arena, "%s/%s", root ? root : "../shared/data/ocpi-examples",
                        version_name(version));
}

/* --- one file --- */

static struct err check_list(const struct object_type *type, const json_t *list)
{
    assert_true(json_is_array(list) && json_array_size(list) > 0);
    for (size_t i = 0; i < json_array_size(list); i++)
        TRY(object_check(type, json_array_get(list, i), NULL, arena));
    return OK;
}

static struct envelope read_envelope(json_t *json)
{
    struct envelope answer;
    size_t length;
    char *bytes = json_text(arena, json, &length);

    envelope_read(arena, 200, bytes, length, NULL, &answer);
    assert_int_equal(answer.state, ENVELOPE_GOOD);
    return answer;
}

static json_t *data_of(json_t *json)
{
    struct envelope answer = read_envelope(json);

    assert_true(envelope_is_success(&answer));
    return answer.data;
}

static struct err check_as(const struct object_type *type, enum shape shape, json_t *json)
{
    struct envelope answer;

    switch (shape) {
    case PATCH:
        return object_check_patch(type, json, NULL, arena);
    case LIST:
        return check_list(type, json);
    case ENVELOPE:
        return object_check(type, data_of(json), NULL, arena);
    case ENVELOPE_LIST:
        return check_list(type, data_of(json));
    case ERROR:
        answer = read_envelope(json);
        assert_false(envelope_is_success(&answer));
        return OK;
    case OTHER:
        return OK;
    case OBJECT:
        break;
    }
    return object_check(type, json, NULL, arena);
}

static void check_file(const struct edition *edition, const struct published *row)
{
    const char *path = arena_printf(arena, "%s/%s.json", folder_of(edition->version), row->file);
    const struct object_type *type = NULL;
    json_t *json = document_of_file(path);
    struct err e;

    if (!json)
        fail_msg("%s is listed and is not there", path);
    if (row->class_name) {
        type = object_type_find(edition->version, row->class_name);
        assert_non_null(type);
    }
    e = check_as(type, row->shape, row->member ? json_object_get(json, row->member) : json);
    if (!row->wrong_at && failed(e))
        fail_msg("%s was refused: %s", path, err_text(e));
    if (!row->wrong_at)
        return;
    if (!failed(e) || strcmp(e.where, row->wrong_at) != 0)
        fail_msg("%s: a complaint about %s was expected, not: %s", path, row->wrong_at,
                 err_text(e));
    assert_non_null(row->erratum);
    assert_non_null(e.rule);
}

/* --- the folders --- */

static bool is_listed(const struct edition *edition, const char *file, size_t length)
{
    for (size_t i = 0; i < edition->count; i++) {
        if (strlen(edition->at[i].file) == length &&
            strncmp(edition->at[i].file, file, length) == 0)
            return true;
    }
    return false;
}

static void every_file_is_listed(const struct edition *edition, DIR *folder)
{
    struct dirent *entry;

    while ((entry = readdir(folder))) {
        size_t length = strlen(entry->d_name);

        if (length < 5 || strcmp(entry->d_name + length - 5, ".json") != 0)
            continue;
        if (!is_listed(edition, entry->d_name, length - 5))
            fail_msg("%s: this test does not know what it is", entry->d_name);
    }
}

static void examples_are_accepted(enum ocpi_version version)
{
    const struct edition *edition = edition_of(version);
    const char *path = folder_of(version);
    DIR *folder = opendir(path);

    assert_int_equal(edition->version, version);
    if (!folder) {
        print_message("skipped: no published examples in %s; set OCPI_EXAMPLES\n", path);
        skip();
    }
    every_file_is_listed(edition, folder);
    closedir(folder);
    for (size_t i = 0; i < edition->count; i++)
        check_file(edition, &edition->at[i]);
}

static void published_examples_of_2_1_1_are_accepted(void **state)
{
    (void)state;
    examples_are_accepted(OCPI_2_1_1);
}

static void published_examples_of_2_2_1_are_accepted(void **state)
{
    (void)state;
    examples_are_accepted(OCPI_2_2_1);
}

static void published_examples_of_2_3_0_are_accepted(void **state)
{
    (void)state;
    examples_are_accepted(OCPI_2_3_0);
}

static void published_patches_apply_to_the_published_session(void **state)
{
    const char *path = folder_of(OCPI_2_2_1);
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
        OCPI_TEST(published_examples_of_2_1_1_are_accepted),
        OCPI_TEST(published_examples_of_2_2_1_are_accepted),
        OCPI_TEST(published_examples_of_2_3_0_are_accepted),
        OCPI_TEST(published_patches_apply_to_the_published_session),
    };

    return cmocka_run_group_tests_name("ocpi/published", tests, NULL, NULL);
}
