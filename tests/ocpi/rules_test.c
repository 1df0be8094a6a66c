/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules beyond the type of a field: between fields, and on single values. What is not forbidden is
 * accepted.
 */
#include "tests/ocpi/ocpi_test.h"

#include "base/time.h"
#include "ocpi/cdr.h"
#include "ocpi/charging_profile.h"
#include "ocpi/command.h"
#include "ocpi/credentials.h"
#include "ocpi/location.h"
#include "ocpi/session.h"
#include "ocpi/tariff.h"

static void values_are_judged(const struct object_type *type, const char *member,
                              const char *const *good, const char *const *bad)
{
    const char *name = object_type_name(type);

    for (; *good; good++)
        assert_accepted(type, example_with(name, member, *good));
    for (; *bad; bad++)
        assert_refused_at(type, example_with(name, member, *bad),
                          arena_printf(arena, "/%s", member));
}
#define VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void codes_of_countries_parties_and_currencies_have_their_form(void **state)
{
    (void)state; /* O07, O08, O09 */
    values_are_judged(&ocpi_token_type, "country_code", VALUES(V("\"de\""), V("\"XX\"")),
                      VALUES(V("\"DEU\""), V("\"D1\""), V("\"D\""), V("\"\"")));
    values_are_judged(&ocpi_token_type, "party_id", VALUES(V("\"hub\""), V("\"1A2\"")),
                      VALUES(V("\"HU\""), V("\"HUBS\""), V("\"H*B\"")));
    values_are_judged(&ocpi_tariff_type, "currency", VALUES(V("\"EUR\""), V("\"JPY\"")),
                      VALUES(V("\"eur\""), V("\"EURO\""), V("\"E1R\"")));
    values_are_judged(&ocpi_location_type, "country", VALUES(V("\"NOR\"")),
                      VALUES(V("\"NO\""), V("\"N0R\"")));
    values_are_judged(&ocpi_display_text_type, "language", VALUES(V("\"xx\"")),
                      VALUES(V("\"e\""), V("\"e1\"")));
}

static void ids_are_printable_and_not_empty(void **state)
{
    (void)state; /* O02, O03, R-TYPE-01, R-TYPE-13 */
    values_are_judged(&ocpi_session_type, "id",
                      VALUES(V("\"#NA\""), V("\"a/b;c'd%20\""), V("\"a b\"")),
                      VALUES(V("\"\""), V("\"   \""), V("\"a\\nb\""), V("\"\\ud83d\\ude00\"")));
    values_are_judged(&ocpi_session_type, "evse_uid", VALUES(V("\"#NA\"")), VALUES(V("\"\"")));
    assert_true(ocpi_text_not_available("#NA"));
    assert_false(ocpi_text_not_available("#NA "));
    assert_false(ocpi_text_not_available(NULL));
}

static void texts_have_no_control_characters_but_signed_data_may(void **state)
{
    (void)state; /* R-TYPE-02, R-CDR-17, U08, U09 */
    values_are_judged(&ocpi_cdr_type, "remark",
                      VALUES(V("\"<script>\""), V("\"\\u202e gnol\""), V("\"\"")),
                      VALUES(V("\"a\\r\\nb\""), V("\"\\u0007\""), V("\"\\u001b[1m\""),
                             V("\"\\u007f\""), V("\"\\u0085\"")));
    values_are_judged(&ocpi_signed_value_type, "plain_data", VALUES(V("\"a\\r\\n\\tb\"")),
                      VALUES(V("null")));
}

static void coordinates_are_degrees_in_texts(void **state)
{
    (void)state; /* R-LOC-10, O32 */
    values_are_judged(&ocpi_geo_location_type, "latitude",
                      VALUES(V("\"51.0475\""), V("\"-51.0475991234\""), V("\"90.0000\"")),
                      VALUES(V("\"91.0000\""), V("\"90.0001\""), V("\"NaN\""), V("\"51,047599\""),
                             V("\"51.047\""), V("\"51.04759912345\""), V("\"+51.047599\""),
                             V("51.047599"), V("\"\"")));
    values_are_judged(&ocpi_geo_location_type, "longitude",
                      VALUES(V("\"180.000000\""), V("\"-179.99999\""), V("\"3.729944\"")),
                      VALUES(V("\"181.000000\""), V("\"180.00001\""), V("\"1e2.000000\"")));
}

static void a_time_zone_has_the_form_of_a_name(void **state)
{
    (void)state; /* O33: whether the zone exists, the zone database knows */
    values_are_judged(
        &ocpi_location_type, "time_zone",
        VALUES(V("\"Europe/Oslo\""), V("\"CET\""), V("\"America/Port-au-Prince\""),
               V("\"Etc/GMT+1\"")),
        VALUES(V("\"+01:00\""), V("\"\""), V("\"Europe/../etc\""), V("\"/etc/passwd\"")));
}

static void times_of_day_and_dates_are_those_of_clock_and_calendar(void **state)
{
    (void)state; /* O25, O26 */
    values_are_judged(&ocpi_tariff_restrictions_type, "start_time",
                      VALUES(V("\"00:00\""), V("\"23:59\"")),
                      VALUES(V("\"24:00\""), V("\"9:00\""), V("\"25:61\""), V("\"\""),
                             V("\"12-30\""), V("\"12:60\"")));
    values_are_judged(&ocpi_tariff_restrictions_type, "start_date",
                      VALUES(V("\"2028-02-29\""), V("\"2026-12-31\"")),
                      VALUES(V("\"2026-02-30\""), V("\"2026-2-3\""), V("\"2026-13-01\""),
                             V("\"2026/01/01\""), V("\"2027-02-29\"")));
    values_are_judged(&ocpi_regular_hours_type, "weekday", VALUES(V("1"), V("7")),
                      VALUES(V("0"), V("8"), V("-1")));
}

static void a_tariff_may_be_odd_but_not_wrong(void **state)
{
    (void)state; /* O20, O21, O22, O23, O24, R-TAR-10 */
    values_are_judged(&ocpi_price_component_type, "step_size",
                      VALUES(V("0"), V("1"), V("2147483647")), VALUES(V("-1"), V("2147483648")));
    values_are_judged(&ocpi_price_component_type, "vat", VALUES(V("0"), V("1900"), V("19.00001")),
                      VALUES(V("-19")));
    values_are_judged(&ocpi_price_component_type, "price", VALUES(V("1000000000"), V("0")),
                      VALUES(V("1e13"), V("1.1e308")));
    values_are_judged(&ocpi_tariff_type, "elements",
                      VALUES(V("[{\"price_components\":[{"
                               "\"type\":\"FLAT\",\"price\":0,\"step_size\":0}]}]")),
                      VALUES(V("[]"), V("null")));
    assert_refused_at(&ocpi_tariff_type,
                      example_with("Tariff", "elements", V("[{\"price_components\":[]}]")),
                      "/elements/0/price_components");
    values_are_judged(&ocpi_tariff_restrictions_type, "day_of_week",
                      VALUES(V("[\"MONDAY\",\"MONDAY\"]"), V("[]")), VALUES(V("\"MONDAY\"")));
}

static void an_evse_has_a_connector(void **state)
{
    (void)state; /* O34 */
    values_are_judged(&ocpi_evse_type, "connectors", VALUES(NULL), VALUES(V("[]")));
    /* A published PUT has a number where a text belongs. */
    values_are_judged(&ocpi_evse_type, "physical_reference", VALUES(V("3"), V("\"3\"")),
                      VALUES(V("3.5"), V("true")));
    values_are_judged(&ocpi_evse_type, "floor_level", VALUES(V("\"-1\"")), VALUES(V("-1")));
}

static void a_number_that_is_tolerated_as_text_reads_as_that_text(void **state)
{
    struct ocpi_evse evse;

    (void)state;
    assert_false(failed(object_parse(
        &ocpi_evse_type, example_with("EVSE", "physical_reference", V("3")), arena, &evse)));
    assert_string_equal(evse.physical_reference, "3");
    assert_true(evse_can(&evse, OCPI_CAPABILITY_RFID_READER));
    assert_false(evse_can(&evse, OCPI_CAPABILITY_RESERVABLE));
}

static void publish_allowed_to_needs_publish_false(void **state)
{
    json_t *location = example_with("Location", "publish", V("true"));

    (void)state; /* R-LOC-05 */
    assert_refused_at(&ocpi_location_type, location, "/publish_allowed_to");
    json_object_set_new(location, "publish_allowed_to", json_array());
    assert_accepted(&ocpi_location_type, location);
}

static void a_publish_token_names_something_whole(void **state)
{
    (void)state; /* R-LOC-06 */
    assert_refused_at(&ocpi_publish_token_type, document("{}"), "");
    assert_refused_at(&ocpi_publish_token_type, document("{\"uid\":\"1\"}"), "/type");
    assert_refused_at(&ocpi_publish_token_type, document("{\"visual_number\":\"1\"}"), "/issuer");
    assert_refused_at(&ocpi_location_type,
                      example_with("Location", "publish_allowed_to", V("[{\"issuer\":\"x\"}]")),
                      "/publish_allowed_to/0");
    assert_accepted(&ocpi_publish_token_type, document("{\"group_id\":\"G\"}"));
    assert_accepted(&ocpi_publish_token_type, document("{\"uid\":\"1\",\"type\":\"RFID\"}"));
}

static void periods_of_a_profile_start_at_0_and_ascend(void **state)
{
    (void)state; /* R-CP-06 */
    assert_accepted(&ocpi_charging_profile_type,
                    example_with("ChargingProfile", "charging_profile_period", V("[]")));
    assert_refused_at(&ocpi_charging_profile_type,
                      example_with("ChargingProfile", "charging_profile_period",
                                   V("[{\"start_period\":1,\"limit\":1}]")),
                      "/charging_profile_period/0/start_period");
    assert_refused_at(
        &ocpi_charging_profile_type,
        example_with("ChargingProfile", "charging_profile_period",
                     V("[{\"start_period\":0,\"limit\":1},{\"start_period\":0,\"limit\":2}]")),
        "/charging_profile_period/1/start_period");
    assert_refused_at(&ocpi_set_charging_profile_type,
                      example_with("SetChargingProfile", "charging_profile",
                                   V("{\"charging_rate_unit\":\"W\",\"charging_profile_period\":"
                                     "[{\"start_period\":5,\"limit\":1}]}")),
                      "/charging_profile/charging_profile_period/0/start_period");
}

static void reserved_is_read_as_reservation(void **state)
{
    struct ocpi_session s;
    json_t *json = example_with("Session", "status", V("\"RESERVED\""));

    (void)state; /* R-SESS-04 */
    assert_false(failed(object_parse(&ocpi_session_type, json, arena, &s)));
    assert_int_equal(s.status, OCPI_SESSION_RESERVATION);
    assert_string_equal(ocpi_session_status_name(s.status), "RESERVATION");
}

static void a_session_may_be_incomplete_but_not_negative(void **state)
{
    (void)state; /* O13, O15, O17 */
    assert_accepted(&ocpi_session_type, changed(example("Session"), "end_date_time", NULL));
    values_are_judged(&ocpi_session_type, "kwh", VALUES(V("0"), V("0.0001")), VALUES(V("-0.0001")));
    assert_accepted(&ocpi_session_type, example_with("Session", "charging_periods", V("[]")));
}

static void a_cdr_does_not_end_before_it_starts_unless_unknown(void **state)
{
    json_t *cdr = example_with("CDR", "end_date_time", V("\"2026-03-30T07:59:59Z\""));
    struct ocpi_cdr parsed;

    (void)state; /* O14, R-CDR-15, O43 */
    assert_refused_at(&ocpi_cdr_type, cdr, "/end_date_time");
    json_object_set_new(cdr, "end_date_time", json_string("1970-1-1T00:00:00Z"));
    assert_accepted(&ocpi_cdr_type, cdr);
    json_object_set_new(cdr, "end_date_time", json_string("1970-01-01T00:00:00Z"));
    assert_false(failed(object_parse(&ocpi_cdr_type, cdr, arena, &parsed)));
    assert_int_equal(parsed.end_date_time, CDR_TIME_UNKNOWN);
    json_object_set_new(cdr, "end_date_time", json_string("2026-03-30T08:00:00Z"));
    assert_accepted(&ocpi_cdr_type, cdr);
}

static void a_credit_names_its_cdr_and_may_have_a_longer_id(void **state)
{
    json_t *cdr = example_with("CDR", "id", V("\"123456789-123456789-123456789-123456789\""));
    struct object_leniency lenient = {.long_text = true};

    (void)state; /* R-CDR-05, R-CDR-06, O01, O39 */
    assert_accepted(&ocpi_cdr_type, cdr);
    json_object_set_new(cdr, "credit", json_false());
    assert_refused_at(&ocpi_cdr_type, cdr, "/id");
    assert_false(failed(object_check(&ocpi_cdr_type, cdr, &lenient, arena)));
    json_object_set_new(cdr, "id", json_string("123456789-123456789-123456789-123456"));
    assert_accepted(&ocpi_cdr_type, cdr);
    json_object_del(cdr, "credit_reference_id");
    assert_accepted(&ocpi_cdr_type, cdr);
    json_object_set_new(cdr, "credit", json_true());
    assert_refused_at(&ocpi_cdr_type, cdr, "/credit_reference_id");
}

static void a_connector_is_named_together_with_its_evse(void **state)
{
    (void)state; /* START_SESSION */
    assert_refused_at(&ocpi_start_session_type, changed(example("StartSession"), "evse_uid", NULL),
                      "/evse_uid");
    assert_refused_at(&ocpi_start_session_type,
                      example_with("StartSession", "response_url", V("\"file:///etc/passwd\"")),
                      "/response_url");
    assert_ptr_equal(command_body_type(ocpi_command_parse("START_SESSION")),
                     &ocpi_start_session_type);
    assert_ptr_equal(command_body_type(ocpi_command_parse("CANCEL_RESERVATION")),
                     &ocpi_cancel_reservation_type);
    assert_null(command_body_type(ocpi_command_parse("MAKE_TEA"))); /* R-CMD-01 */
    assert_null(command_body_type(ocpi_command_parse(NULL)));
}

static void credentials_have_a_token_a_url_and_distinct_roles(void **state)
{
    json_t *json = example("Credentials"), *roles = json_object_get(json, "roles");

    (void)state; /* R-TRANS-05, R-CRED-12, O65 */
    values_are_judged(&ocpi_credentials_type, "token", VALUES(V("\"!~\"")),
                      VALUES(V("\"\""), V("\"a b\""), V("\"\\u00e9\"")));
    values_are_judged(
        &ocpi_credentials_type, "url", VALUES(V("\"http://[::1]:8080\"")),
        VALUES(V("\"ftp://a\""), V("\"https://\""), V("\"https://u@h/\""), V("\"https://a b/\"")));
    values_are_judged(&ocpi_credentials_type, "roles", VALUES(NULL), VALUES(V("[]")));
    json_array_append_new(roles,
                          json_pack("{s:s,s:s,s:s,s:{s:s}}", "role", "CPO", "party_id", "fjc",
                                    "country_code", "no", "business_details", "name", "again"));
    assert_refused_at(&ocpi_credentials_type, json, "/roles/2");
}

/* --- PATCH of a Session --- */

#define STAMP "\"last_updated\":\"2026-04-01T00:00:00Z\""
#define PERIOD(start, kwh)                                                                         \
    "{\"start_date_time\":\"" start "\",\"dimensions\":[{\"type\":\"ENERGY\",\"volume\":" kwh "}]" \
    "}"

static json_t *session_patched(json_t *stored, const char *patch)
{
    json_t *ret = NULL;
    struct err e = session_merge(stored, document(patch), NULL, arena, &ret);

    if (failed(e))
        fail_msg("the merge failed: %s", err_text(e));
    return ret;
}

static void periods_are_appended_in_order_and_replaced_by_start(void **state)
{
    struct ocpi_session s;
    json_t *ret;

    (void)state; /* R-SESS-08, R-SESS-09, O18 */
    ret = session_patched(example("Session"),
                          "{\"charging_periods\":[" PERIOD("2026-03-30T09:00:00Z", "3") "," PERIOD(
                              "2026-03-30T08:30:00Z", "2") "]," STAMP "}");
    assert_false(failed(object_parse(&ocpi_session_type, ret, arena, &s)));
    assert_int_equal(s.charging_periods.count, 3);
    assert_int_equal(s.charging_periods.at[0].dimensions.at[0].volume, 15200000);
    assert_int_equal(s.charging_periods.at[1].dimensions.at[0].volume, 2000000);
    assert_int_equal(s.charging_periods.at[2].dimensions.at[0].volume, 3000000);

    /* The same start in another spelling. */
    ret = session_patched(
        ret, "{\"charging_periods\":[" PERIOD("2026-03-30T08:30:00.000", "2.5") "]," STAMP "}");
    assert_false(failed(object_parse(&ocpi_session_type, ret, arena, &s)));
    assert_int_equal(s.charging_periods.count, 3);
    assert_int_equal(s.charging_periods.at[1].dimensions.at[0].volume, 2500000);
}

static void absent_null_or_no_periods_change_nothing(void **state)
{
    static const char *const patches[] = {
        "{\"kwh\":16," STAMP "}",
        "{\"kwh\":16,\"charging_periods\":null," STAMP "}",
        "{\"kwh\":16,\"charging_periods\":[]," STAMP "}",
    };

    (void)state; /* R-SESS-08 */
    for (size_t i = 0; i < sizeof(patches) / sizeof(patches[0]); i++) {
        json_t *ret = session_patched(example("Session"), patches[i]);

        assert_int_equal(json_array_size(json_object_get(ret, "charging_periods")), 1);
        assert_int_equal(json_integer_value(json_object_get(ret, "kwh")), 16);
    }
}

static void a_wrong_period_in_a_patch_is_found_where_the_partner_put_it(void **state)
{
    json_t *ret;
    struct err e = session_merge(
        example("Session"),
        document("{\"charging_periods\":[" PERIOD("2026-03-30T09:00:00Z", "\"x\"") "]," STAMP "}"),
        NULL, arena, &ret);

    (void)state;
    assert_string_equal(e.where, "/charging_periods/0/dimensions/0/volume");
    e = session_merge(example("Session"), document("{\"id\":\"other\"," STAMP "}"), NULL, arena,
                      &ret);
    assert_string_equal(e.where, "/id");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(codes_of_countries_parties_and_currencies_have_their_form),
        OCPI_TEST(ids_are_printable_and_not_empty),
        OCPI_TEST(texts_have_no_control_characters_but_signed_data_may),
        OCPI_TEST(coordinates_are_degrees_in_texts),
        OCPI_TEST(a_time_zone_has_the_form_of_a_name),
        OCPI_TEST(times_of_day_and_dates_are_those_of_clock_and_calendar),
        OCPI_TEST(a_tariff_may_be_odd_but_not_wrong),
        OCPI_TEST(an_evse_has_a_connector),
        OCPI_TEST(a_number_that_is_tolerated_as_text_reads_as_that_text),
        OCPI_TEST(publish_allowed_to_needs_publish_false),
        OCPI_TEST(a_publish_token_names_something_whole),
        OCPI_TEST(periods_of_a_profile_start_at_0_and_ascend),
        OCPI_TEST(reserved_is_read_as_reservation),
        OCPI_TEST(a_session_may_be_incomplete_but_not_negative),
        OCPI_TEST(a_cdr_does_not_end_before_it_starts_unless_unknown),
        OCPI_TEST(a_credit_names_its_cdr_and_may_have_a_longer_id),
        OCPI_TEST(a_connector_is_named_together_with_its_evse),
        OCPI_TEST(credentials_have_a_token_a_url_and_distinct_roles),
        OCPI_TEST(periods_are_appended_in_order_and_replaced_by_start),
        OCPI_TEST(absent_null_or_no_periods_change_nothing),
        OCPI_TEST(a_wrong_period_in_a_patch_is_found_where_the_partner_put_it),
    };

    return cmocka_run_group_tests_name("ocpi/rules", tests, NULL, NULL);
}
