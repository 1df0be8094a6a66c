/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of 2.1.1: what differs from later versions beyond names and lengths, the PATCH of a
 * Session, and what we write towards 2.1.1.
 */
#include "tests/ocpi/ocpi_test.h"

#include "base/text.h"
#include "base/time.h"
#include "ocpi/session.h"
#include "ocpi/v211/ascii.h"
#include "ocpi/v211/cdr.h"
#include "ocpi/v211/credentials.h"
#include "ocpi/v211/location.h"
#include "ocpi/v211/session.h"
#include "ocpi/v211/token.h"
#include "ocpi/v211/version.h"

static json_t *with(const struct object_type *type, const char *member, const char *value)
{
    json_t *json = example_of(type);

    json_object_set(json, member, json_object_get(document(value), "v"));
    return json;
}

/* --- the tables themselves --- */

/* As the specification has them: name, ":" and the length of a text, "!" required, "*" a list, "+"
 * one that may not be empty. Hours are a choice there. */
/* clang-format off */
static const struct {
    const char *class_name, *fields;
} specified[] = {
    {"AuthorizationInfo",
     "allowed! location info"},
    {"CDR",
     "id:36! start_date_time! stop_date_time! auth_id:36! auth_method! location! "
     "meter_id:255 currency:3! tariffs* charging_periods+ total_cost! total_energy! "
     "total_time! total_parking_time remark:255 last_updated!"},
    {"CdrDimension",
     "type! volume!"},
    {"ChargingPeriod",
     "start_date_time! dimensions+"},
    {"CommandResponse",
     "result!"},
    {"Connector",
     "id:36! standard! format! power_type! voltage! amperage! tariff_id:36 "
     "terms_and_conditions last_updated!"},
    {"Credentials",
     "token:64! url! business_details! party_id:3! country_code:2!"},
    {"EVSE",
     "uid:39! evse_id:48 status! status_schedule* capabilities* connectors+ "
     "floor_level:4 coordinates physical_reference:16 directions* "
     "parking_restrictions* images* last_updated!"},
    {"Endpoint",
     "identifier:255! url!"},
    {"EnergyMix",
     "is_green_energy! energy_sources* environ_impact* supplier_name:64 "
     "energy_product_name:64"},
    {"EnvironmentalImpact",
     "source! amount!"},
    {"Hours",
     "regular_hours* twentyfourseven exceptional_openings* exceptional_closings*"},
    {"Location",
     "id:39! type! name:255 address:45! city:45! postal_code:10! country:3! "
     "coordinates! related_locations* evses* directions* operator suboperator owner "
     "facilities* time_zone:255 opening_times charging_when_closed images* energy_mix "
     "last_updated!"},
    {"LocationReferences",
     "location_id:39! evse_uids:39* connector_ids:36*"},
    {"PriceComponent",
     "type! price! step_size!"},
    {"ReserveNow",
     "response_url! token! expiry_date! reservation_id! location_id:39! evse_uid:39"},
    {"Session",
     "id:36! start_datetime! end_datetime kwh! auth_id:36! auth_method! location! "
     "meter_id:255 currency:3! charging_periods* total_cost status! last_updated!"},
    {"StartSession",
     "response_url! token! location_id:39! evse_uid:39"},
    {"Tariff",
     "id:36! currency:3! tariff_alt_text* tariff_alt_url elements+ energy_mix "
     "last_updated!"},
    {"TariffElement",
     "price_components+ restrictions"},
    {"TariffRestrictions",
     "start_time:5 end_time:5 start_date:10 end_date:10 min_kwh max_kwh min_power "
     "max_power min_duration max_duration day_of_week*"},
    {"Token",
     "uid:36! type! auth_id:36! visual_number:64 issuer:64! valid! whitelist! "
     "language:2 last_updated!"},
    {"UnlockConnector",
     "response_url! location_id:39! evse_uid:39! connector_id:36!"},
};
/* clang-format on */

static bool has_field(const char *fields, const char *field)
{
    size_t length = strlen(field);

    for (const char *at = fields; (at = strstr(at, field)); at += length) {
        if ((at == fields || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    }
    return false;
}

static size_t count_of_words(const char *text)
{
    size_t count = 1;

    for (; *text; text++)
        count += *text == ' ';
    return count;
}

static void fields_are_those_of_the_specification(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(specified) / sizeof(specified[0]); i++) {
        const struct object_type *type = object_type_find(OCPI_2_1_1, specified[i].class_name);

        assert_non_null(type);
        assert_int_equal(object_type_version(type), OCPI_2_1_1);
        assert_int_equal(object_type_fields(type), count_of_words(specified[i].fields));
        for (size_t j = 0; j < object_type_fields(type); j++) {
            struct field_facts f = object_type_field(type, j);
            const char *mark = f.list ? f.required ? "+" : "*" : f.required ? "!" : "";
            const char *field = f.kind == FIELD_TEXT
                                    ? arena_printf(arena, "%s:%zu%s", f.name, f.limit, mark)
                                    : arena_printf(arena, "%s%s", f.name, mark);

            if (!has_field(specified[i].fields, field))
                fail_msg("%s has no %s", specified[i].class_name, field);
        }
    }
}

static void what_names_an_object_is_no_owner(void **state)
{
    static const struct {
        const struct object_type *type;
        const char *names;
    } rows[] = {
        {&ocpi211_location_type, "id"},    {&ocpi211_evse_type, "uid"},
        {&ocpi211_connector_type, "id"},   {&ocpi211_session_type, "id"},
        {&ocpi211_cdr_type, "id"},         {&ocpi211_tariff_type, "id"},
        {&ocpi211_token_type, "uid type"},
    };

    (void)state; /* R-TRANS-13, R-TOK-01 */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t j = 0; j < object_type_fields(rows[i].type); j++) {
            struct field_facts f = object_type_field(rows[i].type, j);

            assert_int_equal(f.identity, has_field(rows[i].names, f.name));
        }
    }
}

/* --- reading --- */

static void hours_are_always_or_regular(void **state)
{
    const struct object_type *type = &ocpi211_hours_type;
    struct err e;

    (void)state; /* R-LOC-09 */
    assert_accepted(type, document("{\"twentyfourseven\":true}"));
    assert_accepted(type, changed(example_of(type), "twentyfourseven", NULL));
    assert_accepted(type, example_of(type)); /* false beside the hours */
    assert_refused_at(type, document("{}"), "/regular_hours");
    assert_refused_at(type, document("{\"twentyfourseven\":false}"), "/regular_hours");
    e = object_check(type, with(type, "twentyfourseven", V("true")), NULL, arena);
    assert_string_equal(e.where, "/regular_hours");
    assert_string_equal(e.rule, "R-LOC-09");
    assert_non_null(e.came);
    assert_refused_at(&ocpi211_location_type,
                      with(&ocpi211_location_type, "opening_times", V("{}")),
                      "/opening_times/regular_hours");
}

static void words_of_later_versions_are_read_where_the_enum_was_opened(void **state)
{
    struct ocpi211_connector connector;
    struct ocpi211_token token;

    (void)state; /* R-TYPE-14, 15 */
    assert_false(failed(object_parse(&ocpi211_connector_type,
                                     with(&ocpi211_connector_type, "standard", V("\"CHAOJI\"")),
                                     arena, &connector)));
    assert_int_equal(connector.standard, OCPI211_CONNECTOR_UNLISTED);
    assert_false(failed(object_parse(
        &ocpi211_token_type, with(&ocpi211_token_type, "type", V("\"APP_USER\"")), arena, &token)));
    assert_int_equal(token.type, OCPI211_TOKEN_UNLISTED);
    assert_refused_at(&ocpi211_connector_type,
                      with(&ocpi211_connector_type, "power_type", V("\"AC_2_PHASE\"")),
                      "/power_type");
    assert_refused_at(&ocpi211_session_type,
                      with(&ocpi211_session_type, "auth_method", V("\"COMMAND\"")), "/auth_method");
    assert_refused_at(&ocpi211_session_type,
                      with(&ocpi211_session_type, "status", V("\"RESERVATION\"")), "/status");
}

static void a_complaint_inside_the_location_of_a_session_has_the_whole_path(void **state)
{
    json_t *session = example_of(&ocpi211_session_type);
    json_t *evses = json_object_get(json_object_get(session, "location"), "evses");
    json_t *connector = json_array_get(json_object_get(json_array_get(evses, 0), "connectors"), 0);

    (void)state;
    json_object_del(connector, "amperage");
    assert_refused_at(&ocpi211_session_type, session, "/location/evses/0/connectors/0/amperage");
}

static void texts_may_come_in_utf8(void **state)
{
    (void)state; /* R-TYPE-02: tolerated, though 2.1.1 knows ASCII only */
    assert_accepted(&ocpi211_location_type,
                    with(&ocpi211_location_type, "city", V("\"\\u00c5lesund\"")));
    assert_refused_at(&ocpi211_location_type, with(&ocpi211_location_type, "city", V("\"a\\tb\"")),
                      "/city");
    assert_refused_at(&ocpi211_location_type, with(&ocpi211_location_type, "id", V("\"\\u00c5\"")),
                      "/id");
}

static void ids_compare_without_case(void **state)
{
    json_t *ret;

    (void)state; /* R-TYPE-03 */
    assert_false(failed(object_merge(&ocpi211_token_type, example_of(&ocpi211_token_type),
                                     document("{\"uid\":\"04e2c19a5f2280\",\"valid\":false}"), NULL,
                                     arena, &ret)));
    assert_string_equal(json_text_of(ret, "uid"), "04E2C19A5F2280");
    assert_true(failed(object_merge(&ocpi211_token_type, example_of(&ocpi211_token_type),
                                    document("{\"uid\":\"04E2\"}"), NULL, arena, &ret)));
}

static void a_cdr_does_not_stop_before_it_starts(void **state)
{
    json_t *cdr = with(&ocpi211_cdr_type, "stop_date_time", V("\"2026-02-12T10:04:59Z\""));

    (void)state;
    assert_refused_at(&ocpi211_cdr_type, cdr, "/stop_date_time");
    json_object_set_new(cdr, "stop_date_time", json_string("1970-01-01T00:00:00Z"));
    assert_accepted(&ocpi211_cdr_type, cdr);                  /* what an unknown time becomes */
    json_object_set_new(cdr, "total_cost", json_real(-2.19)); /* what a credit becomes */
    assert_accepted(&ocpi211_cdr_type, cdr);
}

/* --- PATCH of a Session --- */

#define PERIOD(start)                                                                              \
    "{\"start_date_time\":\"2026-02-12T" start "Z\","                                              \
    "\"dimensions\":[{\"type\":\"TIME\",\"volume\":0.5}]}"
#define PERIODS(...) "{\"charging_periods\":[" __VA_ARGS__ "]}"

static json_t *merged(json_t *stored, const char *patch)
{
    json_t *ret = NULL;
    struct err e =
        session_merge_as(&ocpi211_session_type, stored, document(patch), NULL, arena, &ret);

    if (failed(e))
        fail_msg("the merge failed: %s", err_text(e));
    return ret;
}

static void assert_starts(const json_t *session, const char *const *starts, size_t count)
{
    const json_t *periods = json_object_get(session, "charging_periods");

    assert_int_equal(json_array_size(periods), count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(json_text_of(json_array_get(periods, i), "start_date_time"),
                            arena_printf(arena, "2026-02-12T%sZ", starts[i]));
}
#define STARTS(...)                                                                                \
    (const char *const[]){__VA_ARGS__},                                                            \
        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)

static void patched_periods_replace_unless_they_follow(void **state)
{
    json_t *stored = example_of(&ocpi211_session_type), *two;

    (void)state; /* R-SESS-08; the stored period starts at 10:05 */
    two = merged(stored, PERIODS(PERIOD("10:30:00")));
    assert_starts(two, STARTS("10:05:00", "10:30:00"));
    /* Not after the last one: the list takes the place of the stored one. */
    assert_starts(merged(two, PERIODS(PERIOD("10:30:00"))), STARTS("10:30:00"));
    assert_starts(merged(two, PERIODS(PERIOD("10:05:00") "," PERIOD("10:40:00"))),
                  STARTS("10:05:00", "10:40:00"));
    assert_starts(merged(two, PERIODS(PERIOD("10:31:00") "," PERIOD("10:45:00"))),
                  STARTS("10:05:00", "10:30:00", "10:31:00", "10:45:00"));
    /* Nothing about periods changes nothing about them. */
    assert_starts(merged(two, "{\"kwh\":7}"), STARTS("10:05:00", "10:30:00"));
    /* null and [] take them away, as they do with every list. */
    assert_int_equal(json_array_size(json_object_get(merged(two, PERIODS("")), "charging_periods")),
                     0);
    assert_null(json_object_get(merged(two, "{\"charging_periods\":null}"), "charging_periods"));
    /* A first list. */
    json_object_del(stored, "charging_periods");
    assert_starts(merged(stored, PERIODS(PERIOD("09:00:00"))), STARTS("09:00:00"));
}

static void later_versions_append_always(void **state)
{
    json_t *stored = example("Session"), *ret;

    (void)state; /* R-SESS-08 */
    assert_false(failed(session_merge_as(
        &ocpi_session_type, stored,
        document("{\"last_updated\":\"2026-04-01T00:00:00Z\",\"charging_periods\":["
                 "{\"start_date_time\":\"2026-03-30T07:00:00Z\","
                 "\"dimensions\":[{\"type\":\"TIME\",\"volume\":0.5}]}]}"),
        NULL, arena, &ret)));
    assert_int_equal(json_array_size(json_object_get(ret, "charging_periods")), 2);
}

static void a_wrong_period_in_a_patch_is_refused_where_it_stands(void **state)
{
    json_t *ret;
    struct err e = session_merge_as(
        &ocpi211_session_type, example_of(&ocpi211_session_type),
        document("{\"charging_periods\":[{\"start_date_time\":\"2027-01-01T00:00:00Z\","
                 "\"dimensions\":[{\"type\":\"POWER\",\"volume\":1}]}]}"),
        NULL, arena, &ret);

    (void)state;
    assert_string_equal(e.where, "/charging_periods/0/dimensions/0/type");
    assert_string_equal(e.expected,
                        "one of ENERGY, FLAT, MAX_CURRENT, MIN_CURRENT, PARKING_TIME, TIME");
}

/* --- writing --- */

static struct ocpi211_token our_token(void)
{
    struct ocpi211_token token;

    object_blank(&ocpi211_token_type, &token);
    token.uid = "U-1";
    token.type = OCPI211_TOKEN_OTHER;
    token.auth_id = "FI-HUB-C1";
    token.issuer = "Hub";
    token.valid = true;
    token.whitelist = OCPI_WHITELIST_NEVER;
    token.last_updated = INT64_C(1774857600) * US_PER_SECOND;
    return token;
}

static json_t *printed(const struct object_type *type, const void *object)
{
    json_t *json = NULL;
    struct err e = object_json(type, object, arena, &json);

    if (failed(e))
        fail_msg("%s", err_text(e));
    return json;
}

static void times_are_written_with_whole_seconds(void **state)
{
    struct ocpi211_token token = our_token();
    struct ocpi_location newer;
    struct ocpi211_location location;
    json_t *json;

    (void)state;                  /* R-TYPE-05 */
    token.last_updated += 999999; /* cut, not rounded */
    assert_string_equal(json_text_of(printed(&ocpi211_token_type, &token), "last_updated"),
                        "2026-03-30T08:00:00Z");
    /* A part whose class 2.2.1 shares obeys the version of the whole. */
    json = example_of(&ocpi211_location_type);
    json_object_set(
        json_array_get(
            json_object_get(json_object_get(json, "opening_times"), "exceptional_openings"), 0),
        "period_begin", json_object_get(document(V("\"2026-04-27T04:00:00.75Z\"")), "v"));
    assert_false(failed(object_parse(&ocpi211_location_type, json, arena, &location)));
    json = json_object_get(printed(&ocpi211_location_type, &location), "opening_times");
    assert_string_equal(
        json_text_of(json_array_get(json_object_get(json, "exceptional_openings"), 0),
                     "period_begin"),
        "2026-04-27T04:00:00Z");
    assert_false(failed(object_parse(&ocpi_location_type, example("Location"), arena, &newer)));
    newer.last_updated = token.last_updated;
    assert_string_equal(json_text_of(printed(&ocpi_location_type, &newer), "last_updated"),
                        "2026-03-30T08:00:00.999Z");
}

static void texts_are_written_in_ascii(void **state)
{
    struct ocpi211_token token = our_token();
    struct ocpi211_location location;
    json_t *json;

    (void)state; /* R-TYPE-02 */
    token.issuer = "M\303\274nchner L\303\244den \342\200\223 \346\227\245";
    assert_string_equal(json_text_of(printed(&ocpi211_token_type, &token), "issuer"),
                        "Munchner Laden - ?");
    json = example_of(&ocpi211_location_type);
    json_object_set_new(json_object_get(json, "operator"), "name", json_string("\303\205s & Co"));
    assert_false(failed(object_parse(&ocpi211_location_type, json, arena, &location)));
    assert_string_equal(
        json_text_of(json_object_get(printed(&ocpi211_location_type, &location), "operator"),
                     "name"),
        "As & Co");
}

static void letters_lose_their_marks_and_keep_their_length_where_it_counts(void **state)
{
    static const struct {
        const char *text;
        size_t limit;
        const char *ascii;
    } rows[] = {
        {"plain ~ ASCII", 0, "plain ~ ASCII"},
        {"Stra\303\237e", 7, "Strasse"},
        {"Stra\303\237e", 6, "Strase"},
        {"\303\206r\303\270 \305\201\303\263d\305\272", 0, "AEro Lodz"},
        {"\342\202\254 5", 0, "EUR 5"},
        {"\342\202\254 5", 3, "E 5"},
        {"\342\200\234x\342\200\235\342\200\246", 0, "\"x\"..."},
        {"\360\237\224\214 \320\226", 0, "? ?"},
        {"a\302\240b\302\205", 0, "a b?"},
        {"a\nb", 0, "a?b"},
        {"", 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(ascii_of(arena, rows[i].text, rows[i].limit), rows[i].ascii);
    /* Every character has one. */
    for (unsigned c = 0xa0; c < 0x180; c++) {
        const char text[] = {(char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f)), '\0'};
        const char *ascii = ascii_of(arena, text, 0);

        assert_true(*ascii != '\0' && text_is_printable_ascii(ascii));
        assert_int_equal(strlen(ascii_of(arena, text, 1)), 1);
    }
}

static void numbers_have_four_decimals_at_most(void **state)
{
    struct ocpi211_cdr_dimension dimension = {OCPI211_DIMENSION_ENERGY, 6432100};
    json_t *json;
    struct err e;

    (void)state; /* R-TYPE-07 */
    json = printed(&ocpi211_cdr_dimension_type, &dimension);
    assert_string_equal(json_canonical(arena, json), "{\"type\":\"ENERGY\",\"volume\":6.4321}");
    dimension.volume = 6432110; /* refused, not rounded: whoever writes it has to decide */
    e = object_json(&ocpi211_cdr_dimension_type, &dimension, arena, &json);
    assert_int_equal(e.kind, ERR_INTERNAL);
    assert_string_equal(e.where, "volume");
}

static void version_details_have_endpoints_without_role(void **state)
{
    struct ocpi211_endpoint endpoint = {"credentials", "https://hub.example/ocpi/emsp/2.1.1/c"};
    struct ocpi211_version_details details = {.version = "2.1.1", .endpoints = {&endpoint, 1}};

    (void)state; /* R-VER-04 */
    assert_string_equal(
        json_canonical(arena, printed(&ocpi211_version_details_type, &details)),
        "{\"endpoints\":[{\"identifier\":\"credentials\","
        "\"url\":\"https://hub.example/ocpi/emsp/2.1.1/c\"}],\"version\":\"2.1.1\"}");
    /* A role that comes all the same is ignored (R-TRANS-20). */
    assert_accepted(&ocpi211_endpoint_type, with(&ocpi211_endpoint_type, "role", V("7")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(fields_are_those_of_the_specification),
        OCPI_TEST(what_names_an_object_is_no_owner),
        OCPI_TEST(hours_are_always_or_regular),
        OCPI_TEST(words_of_later_versions_are_read_where_the_enum_was_opened),
        OCPI_TEST(a_complaint_inside_the_location_of_a_session_has_the_whole_path),
        OCPI_TEST(texts_may_come_in_utf8),
        OCPI_TEST(ids_compare_without_case),
        OCPI_TEST(a_cdr_does_not_stop_before_it_starts),
        OCPI_TEST(patched_periods_replace_unless_they_follow),
        OCPI_TEST(later_versions_append_always),
        OCPI_TEST(a_wrong_period_in_a_patch_is_refused_where_it_stands),
        OCPI_TEST(times_are_written_with_whole_seconds),
        OCPI_TEST(texts_are_written_in_ascii),
        OCPI_TEST(letters_lose_their_marks_and_keep_their_length_where_it_counts),
        OCPI_TEST(numbers_have_four_decimals_at_most),
        OCPI_TEST(version_details_have_endpoints_without_role),
    };

    return cmocka_run_group_tests_name("ocpi/v211", tests, NULL, NULL);
}
