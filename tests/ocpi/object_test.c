/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects: what complaints say, what structs hold, leniency, PATCH, and printing.
 */
#include "tests/ocpi/ocpi_test.h"

#include "base/text.h"
#include "base/time.h"
#include "ocpi/came.h"
#include "ocpi/charging_profile.h"
#include "ocpi/credentials.h"
#include "ocpi/location.h"
#include "ocpi/session.h"
#include "ocpi/tariff.h"
#include "ocpi/token.h"

/* --- reading --- */

static void a_complaint_names_the_place_and_what_came(void **state)
{
    json_t *session = example_with(
        "Session", "charging_periods",
        V("[{\"start_date_time\":\"2026-03-30T08:00:00Z\","
          "\"dimensions\":[{\"type\":\"ENERGY\",\"volume\":1},{\"type\":\"X\",\"volume\":1}]}]"));
    struct err e = object_check(&ocpi_session_type, session, NULL, arena);

    (void)state;
    assert_string_equal(e.where, "/charging_periods/0/dimensions/1/type");
    assert_string_equal(e.text, "/charging_periods/0/dimensions/1/type: unknown value \"X\", "
                                "a word of CdrDimensionType is expected");
}

static void a_complaint_repeats_no_text_from_outside_but_words(void **state)
{
    struct err e =
        object_check(&ocpi_session_type,
                     example_with("Session", "status", V("\"<script>1</script>\"")), NULL, arena);

    (void)state;
    assert_string_equal(e.text, "/status: unknown value, a word of SessionStatus is expected");
    e = object_check(&ocpi_token_type, example_with("Token", "uid", V("\"new\\nline\"")), NULL,
                     arena);
    assert_string_equal(e.text, "/uid: only printable ASCII characters are allowed");
    e = object_check(&ocpi_token_type, example_with("Token", "valid", V("\"yes\"")), NULL, arena);
    assert_string_equal(e.text, "/valid: a string came where true or false is expected");
    e = object_check(&ocpi_token_type, changed(example("Token"), "uid", NULL), NULL, arena);
    assert_string_equal(e.text, "/uid: missing, a string of at most 36 characters is required");
}

/* --- what partners are told beside the text --- */

static void explained(const struct object_type *type, const json_t *json, const char *rule,
                      const char *came, const char *expected)
{
    struct err e = object_check(type, json, NULL, arena);

    assert_true(failed(e));
    assert_string_equal(e.rule, rule);
    assert_string_equal(e.expected, expected);
    if (came)
        assert_string_equal(e.came, came);
    else
        assert_null(e.came);
}

static void a_complaint_has_its_rule_and_what_would_have_been_right(void **state)
{
    (void)state;
    explained(&ocpi_token_type, changed(example("Token"), "uid", NULL), "R-TYPE-12", NULL,
              "a string of at most 36 characters");
    explained(&ocpi_token_type, example_with("Token", "uid", V("null")), "R-TYPE-12", "null",
              "a string of at most 36 characters");
    explained(&ocpi_token_type, example_with("Token", "valid", V("\"yes\"")), "R-TYPE-16",
              "\"yes\"", "true or false");
    explained(&ocpi_session_type, example_with("Session", "kwh", V("\"15.2\"")), "R-TYPE-09",
              "\"15.2\"", "a number");
    explained(&ocpi_session_type, example_with("Session", "kwh", V("{\"a\":1}")), "R-TYPE-08",
              "{\"a\":1}", "a number");
    explained(&ocpi_session_type, example_with("Session", "kwh", V("-1")), "R-TYPE-07", "-1",
              "a number that is not negative");
    explained(&ocpi_session_type, example_with("Session", "last_updated", V("\"today\"")),
              "R-TYPE-04", "\"today\"", "a time in UTC such as 2026-01-31T08:00:00Z");
    explained(&ocpi_session_type, example_with("Session", "status", V("\"<b>\"")), "R-TYPE-15",
              "\"<b>\"", "one of ACTIVE, COMPLETED, INVALID, PENDING, RESERVATION");
    explained(&ocpi_connector_type, example_with("Connector", "standard", V("1")), "R-TYPE-14", "1",
              "a word of ConnectorType");
    explained(&ocpi_tariff_type, example_with("Tariff", "elements", V("[]")), "R-TYPE-12", "[]",
              "at least one entry");
    explained(&ocpi_tariff_type, example_with("Tariff", "elements", V("{}")), "R-TYPE-16", "{}",
              "a list of which each entry is a TariffElement object");
    explained(&ocpi_token_type, document("[1]"), "R-TYPE-16", "[1]", "a Token object");
    explained(&ocpi_token_type, NULL, "R-TYPE-16", NULL, "a Token object");
}

static void a_rule_of_a_class_is_named_with_what_came(void **state)
{
    (void)state;
    explained(&ocpi_publish_token_type, document("{\"issuer\":\"x\"}"), "R-LOC-06",
              "{\"issuer\":\"x\"}", "one of uid, visual_number and group_id");
    explained(&ocpi_publish_token_type, document("{\"uid\":\"1\"}"), "R-LOC-06", NULL,
              "type beside uid");
    explained(
        &ocpi_charging_profile_type,
        example_with("ChargingProfile", "charging_profile_period",
                     V("[{\"start_period\":0,\"limit\":1},{\"start_period\":-0,\"limit\":2}]")),
        "R-CP-06", "0", "periods in ascending order");
    explained(&ocpi_geo_location_type, example_with("GeoLocation", "latitude", V("\"91.0000\"")),
              "R-LOC-10", "\"91.0000\"", "degrees from -90 to 90 with 4 to 10 decimals");
}

static void a_token_never_comes_to_light(void **state)
{
    static const char *const rows[][2] = {
        {"{\"token\":\"secret\"}", "{\"token\":\"***\"}"},
        {"{\"Token\":\"secret\"}", "{\"Token\":\"***\"}"},
        {"[{\"a\":{\"token\":[\"secret\"],\"b\":1}}]", "[{\"a\":{\"token\":\"***\",\"b\":1}}]"},
        {"{\"tokens\":\"seen\"}", "{\"tokens\":\"seen\"}"},
        {"{}", "{}"},
        {"[]", "[]"},
    };
    struct err e =
        object_check(&ocpi_credentials_type,
                     example_with("Credentials", "token", V("\"a secret\"")), NULL, arena);

    (void)state; /* R-TRANS-05 */
    assert_string_equal(e.where, "/token");
    assert_string_equal(e.came, "\"***\"");
    assert_null(strstr(e.text, "secret"));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(came_of(arena, NULL, document(rows[i][0])), rows[i][1]);
    assert_string_equal(came_of(arena, "token", document("{\"a\":1}")), "\"***\"");
    assert_null(came_of(arena, "token", NULL));
}

static void what_came_is_cut_at_80_bytes(void **state)
{
    char *text = arena_alloc(arena, 400);
    const char *came;

    (void)state;
    memset(text, 'x', 78);
    came =
        came_of(arena, NULL, json_object_get(changed(document("{}"), "v", json_string(text)), "v"));
    assert_int_equal(strlen(came), 80); /* with its quotes it just fits */
    assert_null(strstr(came, "..."));
    /* Characters of two bytes are not cut in halves. */
    for (size_t length = 70; length < 200; length++) {
        memset(text, 'x', length);
        memcpy(text + length, "\303\251\303\251\303\251", 7);
        came = came_of(arena, NULL,
                       json_object_get(changed(document("{}"), "v", json_string(text)), "v"));
        assert_true(strlen(came) <= 80);
        assert_true(text_is_utf8(came, strlen(came)));
        if (length > 79)
            assert_string_equal(came + strlen(came) - 3, "...");
    }
}

static void what_is_no_object_is_a_bad_body(void **state)
{
    static const char *const texts[] = {V("[]"), V("\"x\""), V("1"), V("null"), V("true")};

    (void)state; /* J17 */
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json_t *json = json_object_get(document(texts[i]), "v");

        assert_int_equal(object_check(&ocpi_token_type, json, NULL, arena).kind, ERR_BAD_BODY);
        assert_int_equal(object_check_patch(&ocpi_token_type, json, NULL, arena).kind,
                         ERR_BAD_BODY);
    }
    assert_int_equal(object_check(&ocpi_token_type, NULL, NULL, arena).kind, ERR_BAD_BODY);
}

static void a_struct_holds_what_the_document_says(void **state)
{
    struct ocpi_session s;
    int64_t at;

    (void)state;
    assert_false(failed(object_parse(&ocpi_session_type, example("Session"), arena, &s)));
    assert_string_equal(s.country_code, "NO");
    assert_string_equal(s.id, "S-77");
    assert_int_equal(s.kwh, 15200000);
    assert_int_equal(s.status, OCPI_SESSION_COMPLETED);
    assert_int_equal(s.auth_method, OCPI_AUTH_COMMAND);
    assert_int_equal(s.cdr_token->type, OCPI_TOKEN_APP_USER);
    assert_int_equal(s.charging_periods.count, 1);
    assert_int_equal(s.charging_periods.at[0].dimensions.count, 2);
    assert_int_equal(s.charging_periods.at[0].dimensions.at[1].type, OCPI_DIMENSION_TIME);
    assert_int_equal(s.charging_periods.at[0].dimensions.at[1].volume, 333300);
    assert_int_equal(s.total_cost->incl_vat, 5319600);
    assert_true(time_parse("2026-03-30T09:12:30.250Z", TIME_OCPI, &at));
    assert_int_equal(s.last_updated, at); /* R-TYPE-06: fractions stay */
}

static void what_is_absent_looks_absent(void **state)
{
    struct ocpi_location location;
    struct ocpi_session s;
    struct ocpi_price_component price;
    json_t *json = changed(example("Session"), "end_date_time", NULL);

    (void)state;
    json_object_del(json, "total_cost");
    json_object_set_new(json, "charging_periods", json_null());
    assert_false(failed(object_parse(&ocpi_session_type, json, arena, &s)));
    assert_true(s.end_date_time == TIME_NONE);
    assert_null(s.total_cost); /* R-SESS-06: unknown, not free */
    assert_int_equal(s.charging_periods.count, 0);

    json = changed(example("Location"), "charging_when_closed", NULL);
    assert_false(failed(object_parse(&ocpi_location_type, json, arena, &location)));
    assert_true(location.charging_when_closed);

    /* R-TAR-18: no VAT is not 0 percent. */
    json = changed(example("PriceComponent"), "vat", NULL);
    assert_false(failed(object_parse(&ocpi_price_component_type, json, arena, &price)));
    assert_true(price.vat == NUMBER_NONE);
    json = changed(example("PriceComponent"), "vat", json_real(0.0));
    assert_false(failed(object_parse(&ocpi_price_component_type, json, arena, &price)));
    assert_int_equal(price.vat, 0);
}

static void an_unlisted_word_of_an_open_enum_is_read_as_unlisted(void **state)
{
    struct ocpi_connector connector;
    json_t *json = example_with("Connector", "standard", V("\"ISO_99999_PLUG\""));

    (void)state; /* R-TYPE-14 */
    assert_false(failed(object_parse(&ocpi_connector_type, json, arena, &connector)));
    assert_int_equal(connector.standard, OCPI_CONNECTOR_UNLISTED);
    assert_null(ocpi_connector_standard_name(connector.standard));
    assert_int_equal(ocpi_connector_standard_parse("IEC_60309_2_three_32"),
                     OCPI_CONNECTOR_IEC_60309_2_three_32);
}

static void whole_numbers_may_be_written_with_a_point(void **state)
{
    (void)state; /* R-TYPE-08 */
    assert_accepted(&ocpi_connector_type, example_with("Connector", "max_voltage", V("400.0")));
    assert_accepted(&ocpi_session_type, example_with("Session", "kwh", V("15")));
    assert_refused_at(&ocpi_connector_type, example_with("Connector", "max_voltage", V("400.5")),
                      "/max_voltage");
}

/* --- leniency --- */

static void accepted_only_with(const struct object_type *type, const json_t *json,
                               struct object_leniency leniency)
{
    assert_true(failed(object_check(type, json, NULL, arena)));
    assert_false(failed(object_check(type, json, &leniency, arena)));
}

static void each_quirk_has_its_effect_and_is_off_by_default(void **state)
{
    (void)state; /* R-TRANS-22 */
    /* R-TYPE-09 */
    accepted_only_with(&ocpi_session_type, example_with("Session", "kwh", V("\"15.2\"")),
                       (struct object_leniency){.numbers_as_text = true});
    accepted_only_with(&ocpi_connector_type, example_with("Connector", "max_voltage", V("\"400\"")),
                       (struct object_leniency){.numbers_as_text = true});
    /* R-TYPE-05 */
    accepted_only_with(&ocpi_session_type,
                       example_with("Session", "last_updated", V("\"2026-03-30T10:00:00+02:00\"")),
                       (struct object_leniency){.offset_times = true});
    /* R-TYPE-17 */
    accepted_only_with(
        &ocpi_session_type,
        example_with("Session", "id", V("\"a-session-id-that-is-longer-than-thirty-six\"")),
        (struct object_leniency){.long_text = true});
    /* R-TYPE-15 */
    accepted_only_with(&ocpi_session_type, example_with("Session", "status", V("\"CHARGING\"")),
                       (struct object_leniency){.unknown_words = true});
}

static void leniency_has_its_bounds(void **state)
{
    struct object_leniency all = {true, true, true, true};
    char *text = arena_alloc(arena, LONG_TEXT_MAX + 2);
    json_t *json = example("Session");

    (void)state;
    memset(text, 'a', LONG_TEXT_MAX + 1);
    json_object_set_new(json, "id", json_string(text));
    assert_true(failed(object_check(&ocpi_session_type, json, &all, arena)));
    assert_true(failed(
        object_check(&ocpi_session_type, example_with("Session", "kwh", V("\"x\"")), &all, arena)));
    assert_true(failed(
        object_check(&ocpi_session_type, example_with("Session", "kwh", V("{}")), &all, arena)));
}

static void times_have_the_documented_forms(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {V("\"2026-03-30T08:00:00Z\""), true},
        {V("\"2026-03-30T08:00:00\""), true},
        {V("\"2026-03-30T08:00:00.1Z\""), true},
        {V("\"2026-03-30T08:00:00.123\""), true},
        {V("\"2026-03-30t08:00:00z\""), true},
        {V("\"2026-03-30T08:00:00+00:00\""), true},
        {V("\"2026-03-30T08:00:00+02:00\""), false},
        {V("\"2026-03-30 08:00:00Z\""), false},
        {V("\"2026-02-29T08:00:00Z\""), false},
        {V("\"2026-13-01T08:00:00Z\""), false},
        {V("\"1970-1-1T00:00:00Z\""), false}, /* R-CDR-15: a CDR's times only */
        {V("\"\""), false},
    };

    (void)state; /* R-TYPE-04, 05 */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *json = example_with("Session", "start_date_time", rows[i].text);

        if (rows[i].good)
            assert_accepted(&ocpi_session_type, json);
        else
            assert_refused_at(&ocpi_session_type, json, "/start_date_time");
    }
}

/* --- PATCH --- */

#define STAMP "\"last_updated\":\"2026-04-01T00:00:00Z\""

static json_t *merged(const struct object_type *type, json_t *stored, const char *patch)
{
    json_t *ret = NULL;
    struct err e = object_merge(type, stored, document(patch), NULL, arena, &ret);

    if (failed(e))
        fail_msg("the merge failed: %s", err_text(e));
    return ret;
}

static void a_patch_without_last_updated_is_refused(void **state)
{
    struct err e;

    (void)state; /* R-TRANS-12 */
    e = object_check_patch(&ocpi_token_type, document("{\"valid\":false}"), NULL, arena);
    assert_int_equal(e.kind, ERR_BAD_FIELD);
    assert_string_equal(e.where, "/last_updated");
    assert_string_equal(e.rule, "R-TRANS-12");
    assert_false(
        failed(object_check_patch(&ocpi_token_type, document("{" STAMP "}"), NULL, arena)));
}

static void a_patch_changes_only_what_it_names(void **state)
{
    json_t *stored = example("Token"), *ret;
    char *before = json_canonical(arena, stored);

    (void)state; /* R-TRANS-11 */
    ret = merged(&ocpi_token_type, stored, "{\"valid\":false," STAMP "}");
    assert_true(json_is_false(json_object_get(ret, "valid")));
    assert_string_equal(json_text_of(ret, "last_updated"), "2026-04-01T00:00:00Z");
    assert_string_equal(json_text_of(ret, "issuer"), "Roaming Hub");
    assert_int_equal(json_object_size(ret), json_object_size(stored));
    assert_string_equal(json_canonical(arena, stored), before); /* the stored one is as it was */
}

static void null_clears_and_lists_and_objects_are_replaced_whole(void **state)
{
    json_t *ret;

    (void)state; /* R-TRANS-13 */
    ret = merged(&ocpi_token_type, example("Token"), "{\"group_id\":null," STAMP "}");
    assert_null(json_object_get(ret, "group_id"));
    ret = merged(&ocpi_token_type, example("Token"),
                 "{\"energy_contract\":{\"supplier_name\":\"Other\"}," STAMP "}");
    assert_int_equal(json_object_size(json_object_get(ret, "energy_contract")), 1);
    ret = merged(&ocpi_connector_type, example("Connector"), "{\"tariff_ids\":[\"X\"]," STAMP "}");
    assert_int_equal(json_array_size(json_object_get(ret, "tariff_ids")), 1);
    assert_true(failed(object_merge(&ocpi_token_type, example("Token"),
                                    document("{\"issuer\":null," STAMP "}"), NULL, arena, &ret)));
}

static void unknown_members_survive_a_patch_and_come_with_one(void **state)
{
    json_t *stored = example("Token"), *ret;

    (void)state; /* R-TRANS-20 */
    json_object_set_new(stored, "x_stored", json_integer(7));
    ret = merged(&ocpi_token_type, stored, "{\"x_new\":[1]," STAMP "}");
    assert_int_equal(json_integer_value(json_object_get(ret, "x_stored")), 7);
    assert_true(json_is_array(json_object_get(ret, "x_new")));
}

static void a_patch_may_not_change_id_or_owner(void **state)
{
    static const char *const patches[] = {
        "{\"uid\":\"OTHER\"," STAMP "}",
        "{\"country_code\":\"DE\"," STAMP "}",
        "{\"party_id\":\"XXX\"," STAMP "}",
        "{\"type\":\"RFID\"," STAMP "}",
    };
    static const char *const where[] = {"/uid", "/country_code", "/party_id", "/type"};
    json_t *ret;

    (void)state; /* R-TRANS-13, O58 */
    for (size_t i = 0; i < sizeof(patches) / sizeof(patches[0]); i++) {
        struct err e = object_merge(&ocpi_token_type, example("Token"), document(patches[i]), NULL,
                                    arena, &ret);

        assert_int_equal(e.kind, ERR_BAD_FIELD);
        assert_string_equal(e.where, where[i]);
        assert_string_equal(e.rule, "R-TRANS-13");
    }
    /* Ids compare without case (R-TYPE-01); the stored spelling stays. */
    ret = merged(&ocpi_token_type, example("Token"), "{\"uid\":\"u-8c41\"," STAMP "}");
    assert_string_equal(json_text_of(ret, "uid"), "U-8C41");
}

static void a_merge_that_breaks_a_rule_is_refused(void **state)
{
    json_t *ret;
    struct err e;

    (void)state; /* R-LOC-05: published, and limited to some */
    e = object_merge(&ocpi_location_type, example("Location"),
                     document("{\"publish\":true," STAMP "}"), NULL, arena, &ret);
    assert_string_equal(e.where, "/publish_allowed_to");
    ret = merged(&ocpi_location_type, example("Location"),
                 "{\"publish\":true,\"publish_allowed_to\":null," STAMP "}");
    assert_true(json_is_true(json_object_get(ret, "publish")));
}

static void a_parsed_patch_has_only_its_members(void **state)
{
    struct ocpi_session s;

    (void)state;
    assert_false(failed(object_parse_patch(&ocpi_session_type, document("{\"kwh\":3.5," STAMP "}"),
                                           NULL, arena, &s)));
    assert_int_equal(s.kwh, 3500000);
    assert_null(s.id);
    assert_int_equal(s.status, OCPI_SESSION_NONE);
    assert_true(s.start_date_time == TIME_NONE);
}

/* --- printing --- */

static void what_we_print_is_strict(void **state)
{
    struct ocpi_token token;
    struct text out;
    struct err e;

    (void)state; /* R-TYPE-17 */
    object_blank(&ocpi_token_type, &token);
    token = (struct ocpi_token){.country_code = "FI",
                                .party_id = "HUB",
                                .uid = "U-1",
                                .type = OCPI_TOKEN_APP_USER,
                                .contract_id = "FI-HUB-C1",
                                .issuer = "Hub",
                                .valid = true,
                                .whitelist = OCPI_WHITELIST_NEVER,
                                .last_updated = INT64_C(1774857600) * US_PER_SECOND};
    text_init(&out, arena, 4096);
    e = object_print(&ocpi_token_type, &token, arena, &out, NULL);
    assert_false(failed(e));
    assert_string_equal(out.bytes,
                        "{\"country_code\":\"FI\",\"party_id\":\"HUB\",\"uid\":\"U-1\","
                        "\"type\":\"APP_USER\",\"contract_id\":\"FI-HUB-C1\",\"issuer\":\"Hub\","
                        "\"valid\":true,\"whitelist\":\"NEVER\","
                        "\"last_updated\":\"2026-03-30T08:00:00Z\"}");

    token.uid = "an-id-that-has-more-than-thirty-six-characters";
    text_reset(&out);
    e = object_print(&ocpi_token_type, &token, arena, &out, NULL);
    assert_int_equal(e.kind, ERR_INTERNAL);
    assert_int_equal(out.length, 0);
    token.uid = NULL;
    assert_int_equal(object_print(&ocpi_token_type, &token, arena, &out, NULL).kind, ERR_INTERNAL);
    token.uid = "U-1";
    token.type = OCPI_TOKEN_UNLISTED;
    assert_int_equal(object_print(&ocpi_token_type, &token, arena, &out, NULL).kind, ERR_INTERNAL);
}

static void nothing_is_lost_in_printing(void **state)
{
    struct ocpi_publish_token token = {.group_id = "G", .type = OCPI_TOKEN_UNLISTED};
    struct ocpi_charging_profile_period period = {.limit = 11200000};
    struct text out;
    struct err e;

    (void)state;
    text_init(&out, arena, 4096);
    /* An optional word that we do not know must not vanish; found by the fuzzer. */
    e = object_print(&ocpi_publish_token_type, &token, arena, &out, NULL);
    assert_int_equal(e.kind, ERR_INTERNAL);
    assert_string_equal(e.where, "type");
    /* R-TYPE-07: one decimal; rounding 11.25 would raise the limit. */
    e = object_print(&ocpi_charging_profile_period_type, &period, arena, &out, NULL);
    assert_false(failed(e));
    assert_string_equal(out.bytes, "{\"start_period\":0,\"limit\":11.2}");
    period.limit = 11250000;
    e = object_print(&ocpi_charging_profile_period_type, &period, arena, &out, NULL);
    assert_int_equal(e.kind, ERR_INTERNAL);
    assert_string_equal(e.where, "limit");
}

static void numbers_are_printed_without_a_trace_of_binary_fractions(void **state)
{
    struct ocpi_price price = {.excl_vat = 100000, .incl_vat = NUMBER_NONE};
    struct text out;

    (void)state; /* R-TYPE-08 */
    text_init(&out, arena, 4096);
    assert_false(failed(object_print(&ocpi_price_type, &price, arena, &out, NULL)));
    assert_string_equal(out.bytes, "{\"excl_vat\":0.1}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(a_complaint_names_the_place_and_what_came),
        OCPI_TEST(a_complaint_repeats_no_text_from_outside_but_words),
        OCPI_TEST(a_complaint_has_its_rule_and_what_would_have_been_right),
        OCPI_TEST(a_rule_of_a_class_is_named_with_what_came),
        OCPI_TEST(a_token_never_comes_to_light),
        OCPI_TEST(what_came_is_cut_at_80_bytes),
        OCPI_TEST(what_is_no_object_is_a_bad_body),
        OCPI_TEST(a_struct_holds_what_the_document_says),
        OCPI_TEST(what_is_absent_looks_absent),
        OCPI_TEST(an_unlisted_word_of_an_open_enum_is_read_as_unlisted),
        OCPI_TEST(whole_numbers_may_be_written_with_a_point),
        OCPI_TEST(each_quirk_has_its_effect_and_is_off_by_default),
        OCPI_TEST(leniency_has_its_bounds),
        OCPI_TEST(times_have_the_documented_forms),
        OCPI_TEST(a_patch_without_last_updated_is_refused),
        OCPI_TEST(a_patch_changes_only_what_it_names),
        OCPI_TEST(null_clears_and_lists_and_objects_are_replaced_whole),
        OCPI_TEST(unknown_members_survive_a_patch_and_come_with_one),
        OCPI_TEST(a_patch_may_not_change_id_or_owner),
        OCPI_TEST(a_merge_that_breaks_a_rule_is_refused),
        OCPI_TEST(a_parsed_patch_has_only_its_members),
        OCPI_TEST(what_we_print_is_strict),
        OCPI_TEST(nothing_is_lost_in_printing),
        OCPI_TEST(numbers_are_printed_without_a_trace_of_binary_fractions),
    };

    return cmocka_run_group_tests_name("ocpi/object", tests, NULL, NULL);
}
