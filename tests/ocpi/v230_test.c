/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of 2.3.0: what differs from 2.2.1, and that the rest is shared with it. Also
 * ClientInfo in both versions.
 */
#include "tests/ocpi/ocpi_test.h"

#include "ocpi/command.h"
#include "ocpi/credentials.h"
#include "ocpi/v230/cdr.h"
#include "ocpi/v230/classes.h"
#include "ocpi/v230/client_info.h"
#include "ocpi/v230/credentials.h"
#include "ocpi/v230/invoice.h"
#include "ocpi/v230/location.h"
#include "ocpi/v230/session.h"
#include "ocpi/v230/tariff.h"

/* The example of a class; a shared one has that of the version whose table it has. */
static json_t *example_230(const struct object_type *type)
{
    json_t *json = document_of_file(arena_printf(arena, "tests/ocpi/examples/%s/%s.json",
                                                 version_name(object_type_version(type)),
                                                 object_type_name(type)));

    if (!json)
        fail_msg("there is no example of %s", object_type_name(type));
    return json;
}

static const struct object_type *class_230(const char *name)
{
    for (size_t i = 0; i < ocpi230_class_count; i++) {
        if (strcmp(object_type_name(ocpi230_classes[i]), name) == 0)
            return ocpi230_classes[i];
    }
    return NULL;
}

/* The example of the class with another value at the pointer; NULL: without the member. A list's
 * index may be one behind its end. */
static json_t *example_but(const struct object_type *type, const char *pointer, const char *value)
{
    char *rest = arena_text(arena, pointer + 1), *step;
    json_t *json = example_230(type), *at = json;

    while ((step = strsep(&rest, "/"))) {
        json_t *new = !rest &&value ? json_object_get(document(value), "v") : NULL;
        size_t index = (size_t)strtoul(step, NULL, 10);

        if (rest)
            at = json_is_array(at) ? json_array_get(at, index) : json_object_get(at, step);
        else if (json_is_array(at) && index == json_array_size(at))
            json_array_append(at, new);
        else if (json_is_array(at))
            json_array_set(at, index, new);
        else if (new)
            json_object_set(at, step, new);
        else
            assert_int_equal(json_object_del(at, step), 0);
        assert_non_null(at);
    }
    return json;
}

static void accepts(const struct object_type *type, const char *pointer, const char *value)
{
    assert_accepted(type, example_but(type, pointer, value));
}

static void refuses_by(const struct object_type *type, const char *pointer, const char *value,
                       const char *where, const char *rule)
{
    struct err e = object_check(type, example_but(type, pointer, value), NULL, arena);

    assert_true(failed(e));
    assert_string_equal(e.where, where);
    assert_non_null(e.rule);
    assert_string_equal(e.rule, rule);
}

static void refuses(const struct object_type *type, const char *pointer, const char *value)
{
    assert_refused_at(type, example_but(type, pointer, value), pointer);
}

static void refuses_text_longer_than(const struct object_type *type, const char *pointer,
                                     size_t limit)
{
    char *text = arena_alloc(arena, limit + 2);

    memset(text, '1', limit + 1);
    text[limit + 1] = '\0';
    refuses(type, pointer, arena_printf(arena, V("\"%s\""), text));
    accepts(type, pointer, arena_printf(arena, V("\"%s\""), text + 1));
}

/* --- the register --- */

static void every_class_has_an_example_with_every_field_that_prints_and_reads_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < ocpi230_class_count; i++) {
        const struct object_type *type = ocpi230_classes[i];
        void *object = arena_alloc(arena, object_type_size(type));
        void *second = arena_alloc(arena, object_type_size(type));
        json_t *json = example_230(type), *printed = NULL, *again = NULL;
        struct err e = object_parse(type, json, arena, object);

        if (failed(e))
            fail_msg("%s: %s", object_type_name(type), err_text(e));
        for (size_t j = 0; j < object_type_fields(type); j++)
            assert_non_null(json_object_get(json, object_type_field(type, j).name));
        assert_int_equal(json_object_size(json), object_type_fields(type));
        assert_false(failed(object_json(type, object, arena, &printed)));
        assert_int_equal(json_object_size(printed), json_object_size(json));
        assert_false(failed(object_parse(type, printed, arena, second)));
        assert_false(failed(object_json(type, second, arena, &again)));
        assert_string_equal(json_canonical(arena, printed), json_canonical(arena, again));
    }
}

/* As the specification has them; a space on either side of each. */
static const char *const required_members[][2] = {
    {"CDR", " country_code party_id id start_date_time end_date_time cdr_token auth_method "
            "cdr_location currency charging_periods total_cost total_energy total_time "
            "last_updated "},
    {"ClientInfo", " party_id country_code role status last_updated "},
    {"Connector", " id standard format power_type max_voltage max_amperage last_updated "},
    {"Credentials", " token url roles "},
    {"CredentialsRole", " role business_details party_id country_code "},
    {"EVSE", " uid status connectors last_updated "},
    {"EVSEParking", " parking_id "},
    {"InvoiceReconciliationRecord", " country_code party_id id invoice_id cdrs last_updated "},
    {"Location", " country_code party_id id publish address city country coordinates time_zone "
                 "last_updated "},
    {"Parking", " id vehicle_types restricted_to_type reservation_required "},
    {"Price", " before_taxes "},
    {"PriceLimit", " before_taxes "},
    {"Session", " country_code party_id id start_date_time kwh cdr_token auth_method location_id "
                "evse_uid connector_id currency status last_updated "},
    {"Tariff", " country_code party_id id currency elements tax_included last_updated "},
    {"TaxAmount", " name amount "},
};

static void try_without(const struct object_type *type, struct field_facts f, bool required)
{
    const char *where = arena_printf(arena, "/%s", f.name);

    if (required || strcmp(f.name, "credit_reference_id") == 0) { /* the latter by a rule */
        refuses(type, where, NULL);
        refuses(type, where, V("null"));
    } else {
        accepts(type, where, NULL);
        accepts(type, where, V("null"));
    }
    if (f.list && required)
        refuses(type, where, V("[]"));
}

static void every_required_member_is_missed_where_it_stands(void **state)
{
    (void)state; /* R-TYPE-12 */
    for (size_t i = 0; i < sizeof(required_members) / sizeof(required_members[0]); i++) {
        const struct object_type *type = class_230(required_members[i][0]);

        assert_non_null(type);
        for (size_t j = 0; j < object_type_fields(type); j++) {
            struct field_facts f = object_type_field(type, j);
            const char *word = arena_printf(arena, " %s ", f.name);

            try_without(type, f, strstr(required_members[i][1], word) != NULL);
        }
    }
}

static void the_register_is_in_order_and_misses_no_class_of_2_2_1(void **state)
{
    const struct object_type *type;
    size_t known = 0;

    (void)state;
    for (size_t i = 1; i < ocpi230_class_count; i++)
        assert_true(strcmp(object_type_name(ocpi230_classes[i - 1]),
                           object_type_name(ocpi230_classes[i])) < 0);
    for (; (type = object_type_at(OCPI_2_2_1, known)); known++) {
        if (!class_230(object_type_name(type)))
            fail_msg("%s is not in 2.3.0", object_type_name(type));
    }
    /* EVSEParking, InvoiceReconciliationRecord, Parking, PriceLimit, TaxAmount */
    assert_int_equal(ocpi230_class_count, known + 5);
}

/* Whether two tables say the same, with all that they hold. */
static bool is_same(const struct object_type *a, const struct object_type *b)
{
    if (a == b)
        return true;
    if (object_type_fields(a) != object_type_fields(b))
        return false;
    for (size_t i = 0; i < object_type_fields(a); i++) {
        struct field_facts f = object_type_field(a, i), g = object_type_field(b, i);

        if (strcmp(f.name, g.name) != 0 || f.kind != g.kind || f.list != g.list ||
            f.required != g.required || f.limit != g.limit || f.words != g.words)
            return false;
        if (f.type && !is_same(f.type, g.type))
            return false;
    }
    return true;
}

static void classes_that_did_not_change_are_shared_and_the_others_are_not(void **state)
{
    size_t owned = 0;

    (void)state;
    for (size_t i = 0; i < ocpi230_class_count; i++) {
        const struct object_type *type = ocpi230_classes[i];
        const struct object_type *older = object_type_find(OCPI_2_2_1, object_type_name(type));

        if (object_type_version(type) == OCPI_2_2_1) {
            assert_ptr_equal(type, older);
            continue;
        }
        assert_int_equal(object_type_version(type), OCPI_2_3_0);
        assert_string_equal(object_type_name(type), required_members[owned++][0]);
        if (older && is_same(type, older))
            fail_msg("%s says nothing that 2.2.1 does not say", object_type_name(type));
    }
    assert_int_equal(owned, sizeof(required_members) / sizeof(required_members[0]));
}

static void no_class_holds_a_class_of_another_version(void **state)
{
    (void)state;
    for (size_t i = 0; i < ocpi230_class_count; i++) {
        for (size_t j = 0; j < object_type_fields(ocpi230_classes[i]); j++) {
            const struct object_type *inner = object_type_field(ocpi230_classes[i], j).type;

            if (inner)
                assert_ptr_equal(inner, class_230(object_type_name(inner)));
        }
    }
}

/* --- prices and tariffs --- */

static void prices_list_their_taxes_one_by_one(void **state)
{
    struct ocpi230_session session;

    (void)state; /* R-TYPE-18 */
    assert_false(failed(
        object_parse(&ocpi230_session_type, example_230(&ocpi230_session_type), arena, &session)));
    assert_int_equal(session.total_cost->before_taxes, 4290000);
    assert_int_equal(session.total_cost->taxes.count, 2);
    assert_string_equal(session.total_cost->taxes.at[0].name, "VAT");
    assert_int_equal(session.total_cost->taxes.at[0].percentage, 24000000);
    assert_int_equal(session.total_cost->taxes.at[0].amount, 1029600);
    assert_int_equal(session.total_cost->taxes.at[1].percentage, NUMBER_NONE);

    accepts(&ocpi230_session_type, "/total_cost", V("{\"before_taxes\":0,\"taxes\":null}"));
    refuses(&ocpi230_session_type, "/total_cost/before_taxes", NULL);
    refuses(&ocpi230_session_type, "/total_cost/taxes/1/amount", NULL);
    refuses(&ocpi230_session_type, "/total_cost/taxes/0/name", V("7"));
    refuses(&ocpi230_session_type, "/total_cost/taxes", V("0.4"));
    assert_refused_at(&ocpi230_session_type,
                      example_but(&ocpi230_session_type, "/total_cost",
                                  V("{\"excl_vat\":4.29,\"incl_vat\":5.3196}")),
                      "/total_cost/before_taxes");
}

static void tariffs_say_whether_taxes_are_included(void **state)
{
    static const struct {
        const char *json;
        enum ocpi230_tax_included value;
    } words[] = {
        {V("\"YES\""), OCPI230_TAX_INCLUDED_YES},
        {V("\"NO\""), OCPI230_TAX_INCLUDED_NO},
        {V("\"N/A\""), OCPI230_TAX_INCLUDED_NOT_APPLICABLE},
    };

    (void)state; /* R-TAR-17 */
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        json_t *json = example_but(&ocpi230_tariff_type, "/tax_included", words[i].json);
        struct ocpi230_tariff tariff;
        json_t *printed;

        assert_false(failed(object_parse(&ocpi230_tariff_type, json, arena, &tariff)));
        assert_int_equal(tariff.tax_included, words[i].value);
        assert_false(failed(object_json(&ocpi230_tariff_type, &tariff, arena, &printed)));
        assert_string_equal(json_string_value(json_object_get(printed, "tax_included")),
                            json_string_value(json_object_get(json, "tax_included")));
    }
    assert_string_equal(ocpi230_tax_included_name(OCPI230_TAX_INCLUDED_NOT_APPLICABLE), "N/A");
    assert_null(ocpi230_tax_included_name(OCPI230_TAX_INCLUDED_UNLISTED));
    assert_int_equal(ocpi230_tax_included_parse("NA"), OCPI230_TAX_INCLUDED_UNLISTED);
    refuses(&ocpi230_tariff_type, "/tax_included", NULL);
    refuses(&ocpi230_tariff_type, "/tax_included", V("\"n/a\""));
    refuses(&ocpi230_tariff_type, "/tax_included", V("\"NOT_APPLICABLE\""));
    refuses(&ocpi230_tariff_type, "/tax_included", V("true"));
}

static void a_vat_rate_where_no_tax_applies_is_no_reason_to_refuse(void **state)
{
    json_t *json = example_but(&ocpi230_tariff_type, "/tax_included", V("\"N/A\""));
    json_t *element = json_array_get(json_object_get(json, "elements"), 0);
    json_t *component = json_array_get(json_object_get(element, "price_components"), 0);

    (void)state; /* R-AMB-17 */
    assert_non_null(json_object_get(component, "vat"));
    assert_accepted(&ocpi230_tariff_type, json);
}

static void limits_of_a_tariff_are_before_and_after_taxes(void **state)
{
    struct ocpi230_tariff tariff;

    (void)state;
    assert_false(failed(
        object_parse(&ocpi230_tariff_type, example_230(&ocpi230_tariff_type), arena, &tariff)));
    assert_int_equal(tariff.min_price->before_taxes, 500000);
    assert_int_equal(tariff.min_price->after_taxes, NUMBER_NONE);
    assert_int_equal(tariff.max_price->after_taxes, 62000000);
    assert_int_equal(tariff.preauthorize_amount, 75000000);
    assert_int_equal(tariff.elements.at[0].price_components.at[0].vat, 24000000);
    refuses(&ocpi230_tariff_type, "/min_price/before_taxes", NULL);
    refuses(&ocpi230_tariff_type, "/max_price/after_taxes", V("\"62\""));
    refuses(&ocpi230_tariff_type, "/max_price", V("62"));
    refuses(&ocpi230_tariff_type, "/preauthorize_amount", V("-1"));
}

/* --- locations --- */

static void locations_know_their_parking_places(void **state)
{
    struct ocpi230_location location;
    const struct ocpi230_parking *parking;

    (void)state; /* R-LOC-12 */
    assert_false(failed(object_parse(&ocpi230_location_type, example_230(&ocpi230_location_type),
                                     arena, &location)));
    parking = &location.parking_places.at[0];
    assert_int_equal(location.parking_places.count, 1);
    assert_int_equal(parking->vehicle_types.at[1], OCPI230_VEHICLE_TRUCK_WITH_TRAILER);
    assert_int_equal(parking->max_vehicle_length, 1875500000);
    assert_int_equal(parking->direction, OCPI230_PARKED_PERPENDICULAR);
    assert_true(parking->drive_through && parking->restricted_to_type && parking->roofed);
    assert_false(parking->reservation_required);
    assert_string_equal(location.help_phone, "+47 55 00 00 00");
    assert_string_equal(location.evses.at[0].parking.at[0].parking_id, "P1");
    assert_int_equal(location.evses.at[0].parking.at[0].evse_position, OCPI230_EVSE_POSITION_LEFT);
    assert_string_equal(location.evses.at[0].accepted_service_providers.at[0], "Fjord Drive");
    assert_int_equal(location.evses.at[0].connectors.at[0].standard, OCPI_CONNECTOR_MCS);
    assert_int_equal(location.evses.at[0].connectors.at[0].capabilities.at[1],
                     OCPI230_CONNECTOR_CAPABILITY_ISO_15118_20_PLUG_AND_CHARGE);

    refuses(&ocpi230_location_type, "/parking_places/0/vehicle_types", V("[]"));
    refuses(&ocpi230_location_type, "/parking_places/0/restricted_to_type", NULL);
    refuses(&ocpi230_location_type, "/parking_places/0/reservation_required", V("\"no\""));
    refuses(&ocpi230_location_type, "/parking_places/0/max_vehicle_height", V("-1"));
    refuses(&ocpi230_location_type, "/parking_places/0/images/0/url", NULL);
    refuses(&ocpi230_location_type, "/evses/0/parking/0/parking_id", NULL);
    refuses(&ocpi230_location_type, "/evses/0/connectors/0/capabilities", V("\"x\""));
    refuses(&ocpi230_location_type, "/evses/0/connectors/0/power_type", NULL);
    refuses_text_longer_than(&ocpi230_location_type, "/help_phone", 25);
    refuses_text_longer_than(&ocpi230_location_type, "/parking_places/0/id", 36);
    refuses_text_longer_than(&ocpi230_location_type, "/parking_places/0/physical_reference", 12);
    refuses_text_longer_than(&ocpi230_location_type, "/parking_places/0/standards/0", 36);
    refuses_text_longer_than(&ocpi230_location_type, "/evses/0/accepted_service_providers/0", 50);
}

static void ids_of_parking_places_are_unique_in_their_location(void **state)
{
    (void)state; /* ids compare without case: R-TYPE-01 */
    accepts(&ocpi230_location_type, "/parking_places/1",
            V("{\"id\":\"P2\",\"vehicle_types\":[\"VAN\"],\"restricted_to_type\":false,"
              "\"reservation_required\":false}"));
    refuses_by(&ocpi230_location_type, "/parking_places/1",
               V("{\"id\":\"p1\",\"vehicle_types\":[\"VAN\"],\"restricted_to_type\":false,"
                 "\"reservation_required\":false}"),
               "/parking_places/1/id", "R-LOC-12");
    /* A place that is not in the list is no reason to refuse the Location. */
    accepts(&ocpi230_location_type, "/evses/0/parking/0/parking_id", V("\"P9\""));
}

static void only_unpublished_locations_have_publish_allowed_to(void **state)
{
    (void)state; /* R-LOC-05 */
    refuses(&ocpi230_location_type, "/publish_allowed_to/0/issuer", NULL);
    assert_refused_at(&ocpi230_location_type,
                      example_but(&ocpi230_location_type, "/publish", V("true")),
                      "/publish_allowed_to");
}

static void enums_that_2_3_0_opened_take_unknown_words_and_the_others_do_not(void **state)
{
    (void)state; /* R-TYPE-14, R-TYPE-15 */
    accepts(&ocpi230_location_type, "/parking_places/0/vehicle_types/0", V("\"CARGO_BIKE\""));
    accepts(&ocpi230_location_type, "/evses/0/connectors/0/capabilities/0", V("\"TELEPATHY\""));
    accepts(&ocpi230_location_type, "/evses/0/connectors/0/standard", V("\"NEXT_BIG_PLUG\""));
    accepts(&ocpi230_location_type, "/evses/0/parking_restrictions/0", V("\"HORSES\""));
    refuses(&ocpi230_location_type, "/parking_places/0/direction", V("\"UPWARDS\""));
    refuses(&ocpi230_location_type, "/evses/0/parking/0/evse_position", V("\"BEHIND\""));
    refuses(&ocpi230_location_type, "/evses/0/connectors/0/power_type", V("\"STEAM\""));
    accepts(&ocpi_token_type, "/type", V("\"EMAID\""));
    accepts(&ocpi_token_type, "/type", V("\"LICENSE_PLATE\""));
    accepts(&ocpi_start_session_type, "/token/type", V("\"EMAID\""));
    accepts(&ocpi230_cdr_type, "/cdr_token/type", V("\"EMAID\""));
}

static void words_that_are_new_in_2_3_0_are_known(void **state)
{
    (void)state;
    assert_string_equal(ocpi_connector_standard_name(OCPI_CONNECTOR_SAE_J3400), "SAE_J3400");
    assert_int_equal(ocpi_connector_standard_parse("MCS"), OCPI_CONNECTOR_MCS);
    assert_int_equal(ocpi_parking_restriction_parse("EMPLOYEES"), OCPI_RESTRICTED_EMPLOYEES);
    assert_int_equal(ocpi_parking_restriction_parse("TAXIS"), OCPI_RESTRICTED_TAXIS);
    assert_int_equal(ocpi_parking_restriction_parse("TENANTS"), OCPI_RESTRICTED_TENANTS);
    assert_int_equal(ocpi_token_kind_parse("EMAID"), OCPI_TOKEN_EMAID);
    assert_int_equal(ocpi230_vehicle_type_words.count, 9);
}

/* --- sessions and CDRs --- */

static void a_patch_appends_charging_periods_to_a_session_of_2_3_0(void **state)
{
    json_t *patch = document("{\"charging_periods\":[{\"start_date_time\":\"2026-03-30T08:30:00Z\","
                             "\"dimensions\":[{\"type\":\"ENERGY\",\"volume\":3}]}],"
                             "\"total_cost\":{\"before_taxes\":5},"
                             "\"last_updated\":\"2026-03-30T08:31:00Z\"}");
    struct ocpi230_session session;
    json_t *merged, *wrong;
    struct err e;

    (void)state; /* R-SESS-08 */
    assert_false(failed(session_merge_as(&ocpi230_session_type, example_230(&ocpi230_session_type),
                                         patch, NULL, arena, &merged)));
    assert_false(failed(object_parse(&ocpi230_session_type, merged, arena, &session)));
    assert_int_equal(session.charging_periods.count, 2);
    assert_int_equal(session.charging_periods.at[1].dimensions.at[0].volume, 3000000);
    assert_int_equal(session.total_cost->before_taxes, 5000000);

    wrong = changed(patch, "total_cost", json_pack("{s:i}", "excl_vat", 5));
    e = session_merge_as(&ocpi230_session_type, example_230(&ocpi230_session_type), wrong, NULL,
                         arena, &merged);
    assert_true(failed(e));
    assert_string_equal(e.where, "/total_cost/before_taxes");
    e = session_merge_as(&ocpi230_session_type, example_230(&ocpi230_session_type),
                         changed(patch, "last_updated", NULL), NULL, arena, &merged);
    assert_true(failed(e)); /* R-TRANS-12 */
    assert_string_equal(e.where, "/last_updated");
}

static void cdrs_hold_tariffs_and_prices_of_2_3_0(void **state)
{
    struct ocpi230_cdr cdr;

    (void)state;
    assert_false(
        failed(object_parse(&ocpi230_cdr_type, example_230(&ocpi230_cdr_type), arena, &cdr)));
    assert_int_equal(cdr.total_cost->before_taxes, -4290000);
    assert_int_equal(cdr.total_cost->taxes.at[0].amount, -1029600);
    assert_int_equal(cdr.tariffs.at[0].tax_included, OCPI230_TAX_INCLUDED_NO);
    assert_string_equal(cdr.booking_id, "B-4");
    refuses(&ocpi230_cdr_type, "/total_cost/before_taxes", NULL);
    refuses(&ocpi230_cdr_type, "/total_energy_cost/taxes/0/amount", V("\"0.40\""));
    refuses(&ocpi230_cdr_type, "/tariffs/0/tax_included", NULL);
    refuses(&ocpi230_cdr_type, "/tariffs/0/min_price", V("0.5"));
    refuses(&ocpi230_cdr_type, "/charging_periods/0/dimensions/1/type", V("\"FLAT\""));
    refuses(&ocpi230_cdr_type, "/cdr_location/coordinates/latitude", V("60.391263"));
    refuses_text_longer_than(&ocpi230_cdr_type, "/booking_id", 36);
}

static void the_rules_between_the_fields_of_a_cdr_are_those_of_2_2_1(void **state)
{
    static const char *const long_id = V("\"123456789-123456789-123456789-1234567\"");
    json_t *json = example_but(&ocpi230_cdr_type, "/id", long_id);

    (void)state; /* R-CDR-05, R-CDR-06, R-CDR-15 */
    assert_accepted(&ocpi230_cdr_type, json);
    json_object_set_new(json, "credit", json_false());
    assert_refused_at(&ocpi230_cdr_type, json, "/id");
    refuses(&ocpi230_cdr_type, "/credit_reference_id", NULL);
    refuses(&ocpi230_cdr_type, "/end_date_time", V("\"2026-03-30T07:59:59Z\""));
    accepts(&ocpi230_cdr_type, "/end_date_time", V("\"1970-1-1T00:00:00Z\""));
}

/* --- credentials and client info --- */

static void a_hub_names_itself_in_five_characters(void **state)
{
    struct ocpi230_credentials credentials;

    (void)state; /* R-CRED-14, R-CRED-17 */
    assert_false(failed(object_parse(&ocpi230_credentials_type,
                                     example_230(&ocpi230_credentials_type), arena, &credentials)));
    assert_string_equal(credentials.hub_party_id, "NOHUB");
    assert_int_equal(credentials.roles.count, 2);
    assert_int_equal(credentials.roles.at[1].role, OCPI230_ROLE_EMSP);
    accepts(&ocpi230_credentials_type, "/hub_party_id", V("\"no1A2\""));
    accepts(&ocpi230_credentials_type, "/hub_party_id", V("null"));
    refuses(&ocpi230_credentials_type, "/hub_party_id", V("\"NOHU\""));
    refuses(&ocpi230_credentials_type, "/hub_party_id", V("\"NO-HUB\""));
    refuses(&ocpi230_credentials_type, "/hub_party_id", V("\"NO*HU\""));
    refuses_by(&ocpi230_credentials_type, "/hub_party_id", V("\"N1HUB\""), "/hub_party_id",
               "R-CRED-17");
    refuses(&ocpi230_credentials_type, "/hub_party_id", V("\"\""));
    refuses(&ocpi230_credentials_type, "/url", V("\"ftp://partner.example\""));
    refuses(&ocpi230_credentials_type, "/token", V("\"\""));
    refuses(&ocpi230_credentials_type, "/roles", V("[]"));
    refuses(&ocpi230_credentials_type, "/roles/1/business_details/name", NULL);
}

static void nobody_has_the_role_hub_in_2_3_0(void **state)
{
    (void)state; /* R-CRED-14, R-HCI-11 */
    refuses(&ocpi230_credentials_type, "/roles/0/role", V("\"HUB\""));
    refuses(&ocpi230_client_info_type, "/role", V("\"HUB\""));
    refuses(&ocpi230_client_info_type, "/role", V("\"BAKER\""));
    assert_accepted(&ocpi_client_info_type, example_with("ClientInfo", "role", V("\"HUB\"")));
    assert_accepted(&ocpi_credentials_role_type,
                    example_with("CredentialsRole", "role", V("\"HUB\"")));
}

static void the_role_ptp_of_the_payments_module_is_read_as_other(void **state)
{
    struct ocpi230_client_info info;
    json_t *printed;

    (void)state; /* R-AMB-12 */
    accepts(&ocpi230_credentials_type, "/roles/0/role", V("\"PTP\""));
    assert_false(failed(object_parse(&ocpi230_client_info_type,
                                     example_but(&ocpi230_client_info_type, "/role", V("\"PTP\"")),
                                     arena, &info)));
    assert_int_equal(info.role, OCPI230_ROLE_OTHER);
    assert_false(failed(object_json(&ocpi230_client_info_type, &info, arena, &printed)));
    assert_string_equal(json_string_value(json_object_get(printed, "role")), "OTHER");
    assert_refused_at(&ocpi_client_info_type, example_with("ClientInfo", "role", V("\"PTP\"")),
                      "/role");
}

static void a_role_of_a_party_comes_once(void **state)
{
    (void)state; /* R-CRED-12 */
    refuses_by(&ocpi230_credentials_type, "/roles/2",
               V("{\"role\":\"EMSP\",\"business_details\":{\"name\":\"F\"},"
                 "\"party_id\":\"fjc\",\"country_code\":\"no\"}"),
               "/roles/2", "R-CRED-12");
    accepts(&ocpi230_credentials_type, "/roles/2",
            V("{\"role\":\"EMSP\",\"business_details\":{\"name\":\"F\"},"
              "\"party_id\":\"FJX\",\"country_code\":\"NO\"}"));
}

static void client_info_tells_whether_a_party_can_be_reached(void **state)
{
    const struct object_type *const both[] = {&ocpi_client_info_type, &ocpi230_client_info_type};
    struct ocpi_client_info info;

    (void)state; /* section 6 of the chapter: four statuses, a closed list */
    assert_false(failed(object_parse(&ocpi_client_info_type, example("ClientInfo"), arena, &info)));
    assert_int_equal(info.role, OCPI_ROLE_EMSP);
    assert_int_equal(info.status, OCPI_CONNECTION_CONNECTED);
    assert_ptr_equal(object_type_find(OCPI_2_2_1, "ClientInfo"), &ocpi_client_info_type);
    for (size_t i = 0; i < 2; i++) {
        accepts(both[i], "/status", V("\"OFFLINE\""));
        accepts(both[i], "/status", V("\"PLANNED\""));
        accepts(both[i], "/status", V("\"SUSPENDED\""));
        refuses(both[i], "/status", V("\"ASLEEP\""));
        refuses(both[i], "/status", NULL);
        refuses(both[i], "/party_id", V("\"FJ\""));
        refuses(both[i], "/country_code", V("\"NOR\""));
    }
}

static void client_info_without_last_updated_is_told(void **state)
{
    (void)state; /* R-HCI-12: leniency belongs to the reader */
    refuses(&ocpi_client_info_type, "/last_updated", NULL);
    refuses(&ocpi230_client_info_type, "/last_updated", NULL);
}

static void invoice_records_list_the_cdrs_that_an_invoice_covers(void **state)
{
    const struct object_type *type = &ocpi230_invoice_record_type;
    struct ocpi230_invoice_record record;

    (void)state; /* R-INV-01: the list, and neither times nor amounts */
    assert_false(failed(object_parse(type, example_230(type), arena, &record)));
    assert_int_equal(record.cdrs.count, 3);
    assert_string_equal(record.cdrs.at[2], "C-2026-10-000002-CR");
    assert_string_equal(record.invoice_id, "CP-2026/10-000417");
    assert_null(object_type_find(OCPI_2_2_1, "InvoiceReconciliationRecord"));
    refuses(type, "/cdrs", NULL);
    refuses(type, "/cdrs", V("[]"));
    refuses(type, "/cdrs/1", V("7"));
    refuses(type, "/invoice_id", NULL);
    refuses(type, "/last_updated", NULL);
    refuses(type, "/party_id", V("\"CPAX\""));
    refuses(type, "/id", V("\"1234567890123456789012345678901234567\""));
}

static void ids_of_credit_cdrs_fit_into_an_invoice_record(void **state)
{
    const struct object_type *type = &ocpi230_invoice_record_type;

    (void)state; /* R-INV-03: 39 characters as in a CDR, although the list has 36 */
    accepts(type, "/cdrs/0", V("\"123456789012345678901234567890123456789\""));
    refuses(type, "/cdrs/0", V("\"1234567890123456789012345678901234567890\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(every_class_has_an_example_with_every_field_that_prints_and_reads_back),
        OCPI_TEST(every_required_member_is_missed_where_it_stands),
        OCPI_TEST(the_register_is_in_order_and_misses_no_class_of_2_2_1),
        OCPI_TEST(classes_that_did_not_change_are_shared_and_the_others_are_not),
        OCPI_TEST(no_class_holds_a_class_of_another_version),
        OCPI_TEST(prices_list_their_taxes_one_by_one),
        OCPI_TEST(tariffs_say_whether_taxes_are_included),
        OCPI_TEST(a_vat_rate_where_no_tax_applies_is_no_reason_to_refuse),
        OCPI_TEST(limits_of_a_tariff_are_before_and_after_taxes),
        OCPI_TEST(locations_know_their_parking_places),
        OCPI_TEST(ids_of_parking_places_are_unique_in_their_location),
        OCPI_TEST(only_unpublished_locations_have_publish_allowed_to),
        OCPI_TEST(enums_that_2_3_0_opened_take_unknown_words_and_the_others_do_not),
        OCPI_TEST(words_that_are_new_in_2_3_0_are_known),
        OCPI_TEST(a_patch_appends_charging_periods_to_a_session_of_2_3_0),
        OCPI_TEST(cdrs_hold_tariffs_and_prices_of_2_3_0),
        OCPI_TEST(the_rules_between_the_fields_of_a_cdr_are_those_of_2_2_1),
        OCPI_TEST(a_hub_names_itself_in_five_characters),
        OCPI_TEST(nobody_has_the_role_hub_in_2_3_0),
        OCPI_TEST(the_role_ptp_of_the_payments_module_is_read_as_other),
        OCPI_TEST(a_role_of_a_party_comes_once),
        OCPI_TEST(client_info_tells_whether_a_party_can_be_reached),
        OCPI_TEST(client_info_without_last_updated_is_told),
        OCPI_TEST(invoice_records_list_the_cdrs_that_an_invoice_covers),
        OCPI_TEST(ids_of_credit_cdrs_fit_into_an_invoice_record),
    };

    return cmocka_run_group_tests_name("ocpi/v230", tests, NULL, NULL);
}
