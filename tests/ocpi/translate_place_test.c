/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translation of Locations, EVSEs and Connectors: the rows of table 15.3.
 */
#include "tests/ocpi/translate_check.h"

#define T "'last_updated':'2026-01-01T10:00:00Z'"

#define LOCATION_211                                                                               \
    "{'id':'L1','type':'ON_STREET','address':'Street 1','city':'Oulu','postal_code':'90100',"      \
    "'country':'FIN','coordinates':{'latitude':'65.012093','longitude':'25.465076'},"              \
    "'time_zone':'Europe/Helsinki'," T "}"
#define LOCATION_22(rest)                                                                          \
    "{'country_code':'FI','party_id':'ABC','id':'L1','publish':true,'address':'Street 1',"         \
    "'city':'Oulu','postal_code':'90100','country':'FIN','parking_type':'ON_STREET',"              \
    "'coordinates':{'latitude':'65.012093','longitude':'25.465076'},"                              \
    "'time_zone':'Europe/Helsinki'," rest T "}"

#define CONNECTOR_211(standard)                                                                    \
    "{'id':'1','standard':'" standard "','format':'SOCKET','power_type':'AC_3_PHASE',"             \
    "'voltage':230,'amperage':32,'tariff_id':'T1'," T "}"
#define CONNECTOR_22(standard)                                                                     \
    "{'id':'1','standard':'" standard "','format':'SOCKET','power_type':'AC_3_PHASE',"             \
    "'max_voltage':230,'max_amperage':32,'tariff_ids':['T1']," T "}"
#define EVSE(connectors, rest)                                                                     \
    "{'uid':'E1','status':'AVAILABLE'," rest "'connectors':[" connectors "]," T "}"

static void a_location_of_211_gets_owner_publish_and_parking_type(void **state)
{
    (void)state;
    assert_told("Location", V211, V221, LOCATION_211, LOCATION_22(""));
    assert_told("Location", V211, V230, LOCATION_211, LOCATION_22(""));
}

static void a_location_for_211_loses_owner_and_publish_and_has_a_type(void **state)
{
    (void)state;
    assert_told("Location", V221, V211, LOCATION_22(""), LOCATION_211);
    assert_told("Location", V230, V211, LOCATION_22(""), LOCATION_211);
}

static void a_location_goes_between_221_and_230_as_it_is(void **state)
{
    static const char *const text = LOCATION_22("'vendor_thing':{'a':[1,2.50]},");

    (void)state;
    assert_told("Location", V221, V230, text, text); /* R-BR-48 */
    assert_told("Location", V230, V221, text, text);
}

static void without_owner_no_location_of_211_can_be_told(void **state)
{
    struct translation_facts facts = usual;

    (void)state; /* R-BR-03 */
    facts.country_code = NULL;
    assert_bad_field("Location", V211, V221, json_of(LOCATION_211), &facts, "/country_code");
    facts.country_code = "FI";
    facts.party_id = NULL;
    assert_bad_field("Location", V211, V230, json_of(LOCATION_211), &facts, "/party_id");
    assert_bad_field("Location", V211, V230, json_of(LOCATION_211), NULL, "/country_code");
}

static void long_ids_of_211_get_an_alias_that_is_always_the_same(void **state)
{
    static const char long_id[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789XYZ";
    const char *alias = translate_id(arena, long_id);
    struct translation ret;

    (void)state;
    assert_int_equal(strlen(alias), 36);
    assert_string_equal(translate_id(arena, "abcdefghijklmnopqrstuvwxyz0123456789xyz"), alias);
    assert_string_not_equal(translate_id(arena, "abcdefghijklmnopqrstuvwxyz0123456789xy1"), alias);
    assert_string_equal(translate_id(arena, "L1"), "L1");

    ret =
        turned_with("Location", V211, V221,
                    with(LOCATION_211, "id", "'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789XYZ'"), &usual);
    assert_text_at(&ret, "/id", alias); /* R-BR-07 */
    assert_lost(&ret, "/id", long_id);
    ret = turned_with("EVSE", V211, V230,
                      with(EVSE(CONNECTOR_211("IEC_62196_T2"), ""), "uid",
                           "'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789XYZ'"),
                      &usual);
    assert_text_at(&ret, "/uid", alias);
}

static void type_and_parking_type_meet_in_four_words(void **state)
{
    static const struct {
        const char *type, *parking_type;
    } same[] = {{"ON_STREET", "ON_STREET"},
                {"PARKING_GARAGE", "PARKING_GARAGE"},
                {"UNDERGROUND_GARAGE", "UNDERGROUND_GARAGE"},
                {"PARKING_LOT", "PARKING_LOT"},
                {"OTHER", NULL},
                {"UNKNOWN", NULL}};
    static const struct {
        const char *parking_type, *type;
    } others[] = {{"ALONG_MOTORWAY", "OTHER"}, {"ON_DRIVEWAY", "OTHER"}, {"ON_THE_MOON", "OTHER"}};
    struct translation ret;

    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        ret = turned_with("Location", V211, V221,
                          with(LOCATION_211, "type", arena_printf(arena, "'%s'", same[i].type)),
                          &usual);
        assert_text_at(&ret, "/parking_type", same[i].parking_type);
        assert_text_at(&ret, "/type", NULL);
        if (!same[i].parking_type)
            continue;
        ret = turned_with("Location", V221, V211,
                          with(LOCATION_22(""), "parking_type",
                               arena_printf(arena, "'%s'", same[i].parking_type)),
                          &usual);
        assert_text_at(&ret, "/type", same[i].type);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        ret = turned_with("Location", V230, V211,
                          with(LOCATION_22(""), "parking_type",
                               arena_printf(arena, "'%s'", others[i].parking_type)),
                          &usual);
        assert_text_at(&ret, "/type", others[i].type);
        assert_lost(&ret, "/parking_type", others[i].parking_type);
    }
    ret = turned_with("Location", V221, V211, without(LOCATION_22(""), "parking_type"), &usual);
    assert_text_at(&ret, "/type", "UNKNOWN");
    ret = turned_with("Location", V230, V221,
                      with(LOCATION_22(""), "parking_type", "'ON_THE_MOON'"), &usual);
    assert_text_at(&ret, "/parking_type", NULL);
    assert_lost(&ret, "/parking_type", "ON_THE_MOON");
}

static void what_is_not_published_does_not_go_to_211(void **state)
{
    json_t *json = with(LOCATION_22(""), "publish", "false");
    struct translation ret;

    (void)state;
    ret = turned_with("Location", V221, V211, json, &usual);
    assert_null(ret.document);
    assert_non_null(strstr(ret.withheld, "publish"));
    ret = turned_with("Location", V230, V211, json, &usual);
    assert_non_null(ret.withheld);
    ret = turned_with("Location", V230, V221, json, &usual);
    assert_null(ret.withheld);
    assert_value_at(&ret, "/publish", "false");
}

static void publish_allowed_to_loses_what_221_has_no_token_type_for(void **state)
{
    json_t *json = with(LOCATION_22(""), "publish", "false");
    struct translation ret;

    (void)state;
    json_object_set(json, "publish_allowed_to",
                    json_of("[{'uid':'1','type':'EMAID'},{'uid':'2','type':'RFID'},"
                            "{'uid':'3','type':'GLOVE'},{'group_id':'G'}]"));
    ret = turned_with("Location", V230, V221, json, &usual);
    assert_value_at(&ret, "/publish_allowed_to", "[{'uid':'2','type':'RFID'},{'group_id':'G'}]");
    assert_non_null(loss_at(&ret, "/publish_allowed_to/0"));
    assert_non_null(loss_at(&ret, "/publish_allowed_to/2"));
    assert_int_equal(ret.loss_count, 2);
    ret = turned_with("Location", V221, V230, json, &usual);
    assert_value_at(&ret, "/publish_allowed_to/0/type", "'EMAID'");
}

static void address_is_cut_to_45_characters_for_211(void **state)
{
    static const char fifty[] = "12345678901234567890123456789012345678901234567890";
    struct translation ret;

    (void)state;
    ret = turned_with("Location", V221, V211,
                      with(LOCATION_22(""), "address", arena_printf(arena, "'%s'", fifty)), &usual);
    assert_text_at(&ret, "/address", "123456789012345678901234567890123456789012345");
    assert_lost(&ret, "/address", fifty);
    ret = turned_with("Location", V230, V221,
                      with(LOCATION_22(""), "address", arena_printf(arena, "'%s'", fifty)), &usual);
    assert_text_at(&ret, "/address", fifty);
}

/* R-TYPE-02 */
static void texts_for_211_are_ascii(void **state)
{
    struct translation ret;

    (void)state;
    ret = turned_with("Location", V221, V211,
                      with(LOCATION_22("'name':'Zürich'"
                                       ","),
                           "address", "'Jyväskylän tie 1'"),
                      &usual);
    assert_text_at(&ret, "/name", "Zurich");
    assert_text_at(&ret, "/address", "Jyvaskylan tie 1");
    assert_lost(&ret, "/name", "Zürich");
    assert_lost(&ret, "/address", "Jyväskylän tie 1");
    ret = turned("Location", V221, V230, LOCATION_22("'name':'Zürich',"));
    assert_text_at(&ret, "/name", "Zürich");
}

static void members_of_newer_versions_are_lost_in_older_ones(void **state)
{
    static const char *const text =
        LOCATION_22("'state':'ST','help_phone':'+3581','parking_places':[{'id':'P1',"
                    "'vehicle_types':['VAN'],'restricted_to_type':false,"
                    "'reservation_required':false}],");
    struct translation ret;

    (void)state;
    ret = turned("Location", V230, V211, text);
    assert_json(ret.document, LOCATION_211);
    assert_lost(&ret, "/state", "ST");
    assert_lost(&ret, "/help_phone", "+3581");
    assert_non_null(loss_at(&ret, "/parking_places"));
    ret = turned("Location", V230, V221, text);
    assert_json(ret.document, LOCATION_22("'state':'ST',"));
    assert_int_equal(ret.loss_count, 2);
    ret = turned("Location", V221, V211, LOCATION_22("'state':'ST',"));
    assert_lost(&ret, "/state", "ST");
}

static void a_missing_postal_code_is_a_dash_in_211(void **state)
{
    struct translation ret;

    (void)state;
    ret = turned_with("Location", V221, V211, without(LOCATION_22(""), "postal_code"), &usual);
    assert_text_at(&ret, "/postal_code", "-");
    ret = turned_with("Location", V230, V211, with(LOCATION_22(""), "postal_code", "null"), &usual);
    assert_text_at(&ret, "/postal_code", "-");
    ret = turned_with("Location", V211, V221, with(LOCATION_211, "postal_code", "'-'"), &usual);
    assert_text_at(&ret, "/postal_code", NULL);
    ret = turned_with("Location", V211, V230, with(LOCATION_211, "postal_code", "''"), &usual);
    assert_text_at(&ret, "/postal_code", NULL);
}

static void a_missing_time_zone_comes_from_the_setting_or_the_country(void **state)
{
    struct translation_facts facts = usual;
    json_t *none = without(LOCATION_211, "time_zone");
    struct translation ret;

    (void)state;
    ret = turned_with("Location", V211, V221, none, &facts);
    assert_text_at(&ret, "/time_zone", "Europe/Helsinki");
    facts.time_zone = "Europe/Oslo";
    ret = turned_with("Location", V211, V221, none, &facts);
    assert_text_at(&ret, "/time_zone", "Europe/Oslo");
    ret = turned_with("Location", V211, V221, json_of(LOCATION_211), &facts);
    assert_text_at(&ret, "/time_zone", "Europe/Helsinki");
    facts.time_zone = NULL;
    json_object_set_new(none, "country", json_string("USA")); /* has many */
    ret = turned_with("Location", V211, V230, none, &facts);
    assert_text_at(&ret, "/time_zone", "Etc/UTC");
    assert_lost(&ret, "/time_zone", "");
}

static void coordinates_for_211_have_six_decimals(void **state)
{
    static const struct {
        const char *came, *goes;
    } texts[] = {{"65.01209", "65.012090"},      {"65.0120935", "65.012094"},
                 {"-65.0120935", "-65.012094"},  {"65.01209349", "65.012093"},
                 {"65.0120934999", "65.012093"}, {"0.0000001", "0.000000"},
                 {"89.9999999", "90.000000"}};
    struct translation ret;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json_t *json = json_of(LOCATION_22("'related_locations':[{'latitude':'1.00001',"
                                           "'longitude':'2.00002'}],"));

        json_object_set_new(json_object_get(json, "coordinates"), "latitude",
                            json_string(texts[i].came));
        ret = turned_with("Location", V221, V211, json, &usual);
        assert_text_at(&ret, "/coordinates/latitude", texts[i].goes);
        assert_text_at(&ret, "/related_locations/0/longitude", "2.000020");
        ret = turned_with("Location", V221, V230, json, &usual);
        assert_text_at(&ret, "/coordinates/latitude", texts[i].came);
    }
}

static void hours_are_a_choice_in_211_only(void **state)
{
    static const char *const hours = "'regular_hours':[{'weekday':1,'period_begin':'08:00',"
                                     "'period_end':'20:00'}]";
    struct translation ret;

    (void)state;
    ret = turned_with("Location", V211, V221,
                      with(LOCATION_211, "opening_times", arena_printf(arena, "{%s}", hours)),
                      &usual);
    assert_value_at(&ret, "/opening_times/twentyfourseven", "false");
    ret = turned_with("Location", V211, V230,
                      with(LOCATION_211, "opening_times", "{'exceptional_closings':[]}"), &usual);
    assert_value_at(&ret, "/opening_times/twentyfourseven", "true");

    ret = turned_with("Location", V221, V211,
                      with(LOCATION_22(""), "opening_times",
                           arena_printf(arena,
                                        "{'twentyfourseven':true,%s,"
                                        "'exceptional_closings':[{'period_begin':"
                                        "'2026-12-24T10:00:00.5Z','period_end':"
                                        "'2026-12-27T10:00:00Z'}]}",
                                        hours)),
                      &usual);
    assert_value_at(&ret, "/opening_times",
                    "{'twentyfourseven':true,'exceptional_closings':[{'period_begin':"
                    "'2026-12-24T10:00:00Z','period_end':'2026-12-27T10:00:00Z'}]}");
    assert_non_null(loss_at(&ret, "/opening_times/regular_hours"));
    ret = turned_with("Location", V230, V211,
                      with(LOCATION_22(""), "opening_times",
                           arena_printf(arena, "{'twentyfourseven':false,%s}", hours)),
                      &usual);
    assert_value_at(&ret, "/opening_times/twentyfourseven", "false");
    assert_non_null(at(ret.document, "/opening_times/regular_hours/0"));
    /* Neither: 2.1.1 has no words for that. */
    ret = turned_with("Location", V230, V211,
                      with(LOCATION_22(""), "opening_times", "{'twentyfourseven':false}"), &usual);
    assert_null(at(ret.document, "/opening_times"));
    assert_non_null(loss_at(&ret, "/opening_times"));
}

static void environmental_impact_is_named_by_source_in_211(void **state)
{
    struct translation ret;

    (void)state;
    ret = turned_with(
        "Location", V211, V230,
        with(LOCATION_211, "energy_mix",
             "{'is_green_energy':true,'environ_impact':[{'source':'NUCLEAR_WASTE',"
             "'amount':0.00050}],'energy_sources':[{'source':'WIND','percentage':99.9}]}"),
        &usual);
    assert_value_at(&ret, "/energy_mix/environ_impact",
                    "[{'category':'NUCLEAR_WASTE','amount':0.0005}]");
    assert_value_at(&ret, "/energy_mix/energy_sources/0/source", "'WIND'");
    for (int i = 0; i < 2; i++) {
        ret = turned_with("Location", V230, i ? V211 : V221,
                          with(LOCATION_22(""), "energy_mix",
                               "{'is_green_energy':true,'environ_impact':[{'category':'NOISE',"
                               "'amount':1},{'category':'CARBON_DIOXIDE','amount':2}]}"),
                          &usual);
        assert_value_at(&ret, "/energy_mix/environ_impact",
                        i ? "[{'source':'CARBON_DIOXIDE','amount':2}]"
                          : "[{'category':'CARBON_DIOXIDE','amount':2}]");
        assert_non_null(loss_at(&ret, "/energy_mix/environ_impact/0"));
    }
}

static void unknown_words_leave_their_lists(void **state)
{
    static const char *const evse =
        EVSE(CONNECTOR_22("IEC_62196_T2"),
             "'capabilities':['RFID_READER','PED_TERMINAL','TELEPATHY'],"
             "'parking_restrictions':['EV_ONLY','TAXIS','DRAGONS'],"
             "'images':[{'url':'https://e.com/1','category':'SMELL','type':'png'}],");
    struct translation ret;

    (void)state;
    ret = turned("EVSE", V230, V211, evse);
    assert_value_at(&ret, "/capabilities", "['RFID_READER']");
    assert_value_at(&ret, "/parking_restrictions", "['EV_ONLY']");
    assert_text_at(&ret, "/images/0/category", "OTHER");
    assert_lost(&ret, "/capabilities/1", "PED_TERMINAL");
    assert_lost(&ret, "/capabilities/2", "TELEPATHY");
    assert_lost(&ret, "/parking_restrictions/1", "TAXIS");
    assert_lost(&ret, "/images/0/category", "SMELL");
    ret = turned("EVSE", V230, V221, evse);
    assert_value_at(&ret, "/capabilities", "['RFID_READER','PED_TERMINAL']");
    assert_value_at(&ret, "/parking_restrictions", "['EV_ONLY']");
    ret = turned("EVSE", V221, V230, evse);
    assert_json(ret.document, evse);
    assert_int_equal(ret.loss_count, 0);

    ret = turned("Location", V221, V211,
                 LOCATION_22("'facilities':['HOTEL','METRO_STATION','WIFI'],"));
    assert_value_at(&ret, "/facilities", "['HOTEL','WIFI']");
    ret =
        turned("Location", V230, V221, LOCATION_22("'facilities':['METRO_STATION','SPACEPORT'],"));
    assert_value_at(&ret, "/facilities", "['METRO_STATION']");
}

static void evse_members_of_230_are_lost_in_older_versions(void **state)
{
    static const char *const connector =
        "{'id':'1','standard':'IEC_62196_T2','format':'SOCKET','power_type':'AC_3_PHASE',"
        "'max_voltage':230,'max_amperage':32,'tariff_ids':['T1'],"
        "'capabilities':['ISO_15118_2_PLUG_AND_CHARGE']," T "}";
    json_t *json = json_of(EVSE("", ""));
    struct translation ret;

    (void)state;
    json_object_set(json, "parking", json_of("[{'parking_id':'P1'}]"));
    json_object_set(json, "accepted_service_providers", json_of("['X']"));
    json_array_append(json_object_get(json, "connectors"), json_of(connector));
    ret = turned_with("EVSE", V230, V221, json, &usual);
    assert_json(ret.document, EVSE(CONNECTOR_22("IEC_62196_T2"), ""));
    assert_non_null(loss_at(&ret, "/parking"));
    assert_non_null(loss_at(&ret, "/accepted_service_providers"));
    assert_non_null(loss_at(&ret, "/connectors/0/capabilities"));
    ret = turned_with("EVSE", V230, V211, json, &usual);
    assert_json(ret.document, EVSE(CONNECTOR_211("IEC_62196_T2"), ""));
}

static void evse_status_inoperative_is_copied(void **state)
{
    struct translation ret;

    (void)state;
    ret = turned_with("EVSE", V211, V230,
                      with(EVSE(CONNECTOR_211("IEC_62196_T2"), ""), "status", "'INOPERATIVE'"),
                      &usual);
    assert_text_at(&ret, "/status", "INOPERATIVE");
}

static void connectors_of_unknown_standards_are_dropped(void **state)
{
    static const char *const two = EVSE(CONNECTOR_22("MCS") "," CONNECTOR_22("CHADEMO"), "");
    struct translation ret;

    (void)state;
    ret = turned("EVSE", V230, V221, two);
    assert_json(ret.document, EVSE(CONNECTOR_22("CHADEMO"), ""));
    assert_non_null(loss_at(&ret, "/connectors/0"));
    ret = turned("EVSE", V221, V211, EVSE(CONNECTOR_22("GBT_DC") "," CONNECTOR_22("CHADEMO"), ""));
    assert_json(ret.document, EVSE(CONNECTOR_211("CHADEMO"), ""));
    ret = turned("EVSE", V221, V230, two);
    assert_json(ret.document, two);

    /* R-BR-47: nothing is left of it. */
    ret = turned("EVSE", V230, V221, EVSE(CONNECTOR_22("MCS"), ""));
    assert_non_null(ret.withheld);
    ret = turned("Connector", V230, V221, CONNECTOR_22("SAE_J3400"));
    assert_non_null(strstr(ret.withheld, "SAE_J3400"));
    ret = turned("Connector", V230, V211, CONNECTOR_22("GBT_AC"));
    assert_non_null(ret.withheld);
    ret = turned("Location", V230, V221,
                 LOCATION_22("'evses':[" EVSE(CONNECTOR_22("MCS"),
                                              "") "," EVSE(CONNECTOR_22("CHADEMO"), "") "],"));
    assert_null(ret.withheld);
    assert_value_at(&ret, "/evses", "[" EVSE(CONNECTOR_22("CHADEMO"), "") "]");
    assert_non_null(loss_at(&ret, "/evses/0"));
}

static void sae_j3400_goes_as_tesla_s_by_setting(void **state)
{
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    facts.sae_j3400_as_tesla_s = true;
    ret = turned_with("Connector", V230, V221, json_of(CONNECTOR_22("SAE_J3400")), &facts);
    assert_text_at(&ret, "/standard", "TESLA_S");
    assert_lost(&ret, "/standard", "SAE_J3400");
    ret = turned_with("Connector", V230, V211, json_of(CONNECTOR_22("MCS")), &facts);
    assert_non_null(ret.withheld);
}

static void two_phases_are_one_in_211(void **state)
{
    struct translation ret;

    (void)state;
    for (int i = 0; i < 2; i++) {
        ret = turned_with("Connector", i ? V221 : V230, V211,
                          with(CONNECTOR_22("IEC_62196_T2"), "power_type",
                               i ? "'AC_2_PHASE'" : "'AC_2_PHASE_SPLIT'"),
                          &usual);
        assert_text_at(&ret, "/power_type", "AC_1_PHASE");
        assert_lost(&ret, "/power_type", i ? "AC_2_PHASE" : "AC_2_PHASE_SPLIT");
    }
    ret = turned_with("Connector", V230, V221,
                      with(CONNECTOR_22("IEC_62196_T2"), "power_type", "'AC_2_PHASE'"), &usual);
    assert_text_at(&ret, "/power_type", "AC_2_PHASE");
}

static void voltage_and_amperage_have_other_names(void **state)
{
    (void)state;
    assert_told("Connector", V211, V221, CONNECTOR_211("IEC_62196_T2"),
                CONNECTOR_22("IEC_62196_T2"));
    assert_told("Connector", V211, V230, CONNECTOR_211("IEC_62196_T2"),
                CONNECTOR_22("IEC_62196_T2"));
    assert_told("Connector", V221, V211, CONNECTOR_22("IEC_62196_T2"),
                CONNECTOR_211("IEC_62196_T2"));
    assert_told("Connector", V230, V211, CONNECTOR_22("IEC_62196_T2"),
                CONNECTOR_211("IEC_62196_T2"));
}

static void amperage_follows_the_power_by_setting(void **state)
{
    static const char *const text = "{'id':'1','standard':'IEC_62196_T2','format':'SOCKET',"
                                    "'power_type':'AC_3_PHASE','max_voltage':230,"
                                    "'max_amperage':32,'max_electric_power':11000," T "}";
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    ret = turned_with("Connector", V221, V211, json_of(text), &facts);
    assert_value_at(&ret, "/amperage", "32");
    assert_lost(&ret, "/max_electric_power", "11000");
    facts.limit_amperage = true;
    ret = turned_with("Connector", V221, V211, json_of(text), &facts);
    assert_value_at(&ret, "/amperage", "15"); /* 11000 / 3 / 230 */
    assert_lost(&ret, "/max_amperage", "32");
    ret = turned_with("Connector", V230, V211, with(text, "max_electric_power", "22080"), &facts);
    assert_value_at(&ret, "/amperage", "32");
}

static void of_several_tariffs_211_gets_the_regular_one(void **state)
{
    static const char *const known =
        "{'A':{'type':'AD_HOC_PAYMENT'},'B':{'start_date_time':'2030-01-01T00:00:00Z'},"
        "'C':{'type':'REGULAR','end_date_time':'2025-01-01T00:00:00Z'},'D':{'type':'REGULAR'},"
        "'E':{}}";
    static const struct {
        const char *ids, *chosen;
    } choices[] = {{"['A','B','C','D','E']", "D"},
                   {"['A','B','C']", "A"},
                   {"['E','D']", "E"},
                   {"['B','C']", "B"},
                   {"['X','Y']", "X"},
                   {"['X','D']", "D"}};
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    facts.tariffs = json_of(known);
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        json_t *json = with(CONNECTOR_22("IEC_62196_T2"), "tariff_ids", choices[i].ids);

        ret = turned_with("Connector", V221, V211, json, &facts);
        assert_text_at(&ret, "/tariff_id", choices[i].chosen);
        assert_int_equal(ret.loss_count, json_array_size(json_object_get(json, "tariff_ids")) - 1);
    }
    facts.tariffs = NULL;
    ret = turned_with("Connector", V230, V211,
                      with(CONNECTOR_22("IEC_62196_T2"), "tariff_ids", "['A','B']"), &facts);
    assert_text_at(&ret, "/tariff_id", "A");
    assert_lost(&ret, "/tariff_ids/1", "B");
}

/* R-TYPE-05, R-TYPE-06 */
static void times_for_211_are_whole_seconds_cut_off(void **state)
{
    json_t *json =
        with(EVSE(CONNECTOR_22("IEC_62196_T2"), ""), "last_updated", "'2026-01-01T10:00:00.999Z'");
    struct translation ret;

    (void)state;
    json_object_set(json, "status_schedule",
                    json_of("[{'period_begin':'2026-01-01T10:00:00.1','status':'BLOCKED'}]"));
    ret = turned_with("EVSE", V221, V211, json, &usual);
    assert_text_at(&ret, "/last_updated", "2026-01-01T10:00:00Z");
    assert_text_at(&ret, "/status_schedule/0/period_begin", "2026-01-01T10:00:00Z");
    ret = turned_with("EVSE", V221, V230, json, &usual);
    assert_text_at(&ret, "/last_updated", "2026-01-01T10:00:00.999Z");
    assert_text_at(&ret, "/status_schedule/0/period_begin", "2026-01-01T10:00:00.1");
}

static void times_in_tolerated_forms_are_told_in_documented_ones(void **state)
{
    static const struct {
        const char *came, *in_211, *in_230;
    } times[] = {
        {"2026-01-01T10:00:00", "2026-01-01T10:00:00Z", "2026-01-01T10:00:00"},
        {"2026-01-01t10:00:00.25z", "2026-01-01T10:00:00Z", "2026-01-01T10:00:00.250Z"},
        {"2026-01-01T10:00:00+02:00", "2026-01-01T08:00:00Z", "2026-01-01T08:00:00Z"},
        {"2026-01-01T10:00:00.1+00:00", "2026-01-01T10:00:00Z", "2026-01-01T10:00:00.100Z"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        json_t *json = with(EVSE(CONNECTOR_22("IEC_62196_T2"), ""), "last_updated",
                            arena_printf(arena, "'%s'", times[i].came));
        struct translation ret = turned_with("EVSE", V221, V211, json, &usual);

        assert_text_at(&ret, "/last_updated", times[i].in_211);
        ret = turned_with("EVSE", V221, V230, json, &usual);
        assert_text_at(&ret, "/last_updated", times[i].in_230);
    }
}

static void numbers_where_texts_belong_become_texts(void **state)
{
    struct translation ret;

    (void)state;
    ret = turned_with("EVSE", V211, V221,
                      with(EVSE(CONNECTOR_211("IEC_62196_T2"), ""), "physical_reference", "7"),
                      &usual);
    assert_text_at(&ret, "/physical_reference", "7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(a_location_of_211_gets_owner_publish_and_parking_type),
        OCPI_TEST(a_location_for_211_loses_owner_and_publish_and_has_a_type),
        OCPI_TEST(a_location_goes_between_221_and_230_as_it_is),
        OCPI_TEST(without_owner_no_location_of_211_can_be_told),
        OCPI_TEST(long_ids_of_211_get_an_alias_that_is_always_the_same),
        OCPI_TEST(type_and_parking_type_meet_in_four_words),
        OCPI_TEST(what_is_not_published_does_not_go_to_211),
        OCPI_TEST(publish_allowed_to_loses_what_221_has_no_token_type_for),
        OCPI_TEST(address_is_cut_to_45_characters_for_211),
        OCPI_TEST(texts_for_211_are_ascii),
        OCPI_TEST(members_of_newer_versions_are_lost_in_older_ones),
        OCPI_TEST(a_missing_postal_code_is_a_dash_in_211),
        OCPI_TEST(a_missing_time_zone_comes_from_the_setting_or_the_country),
        OCPI_TEST(coordinates_for_211_have_six_decimals),
        OCPI_TEST(hours_are_a_choice_in_211_only),
        OCPI_TEST(environmental_impact_is_named_by_source_in_211),
        OCPI_TEST(unknown_words_leave_their_lists),
        OCPI_TEST(evse_members_of_230_are_lost_in_older_versions),
        OCPI_TEST(evse_status_inoperative_is_copied),
        OCPI_TEST(connectors_of_unknown_standards_are_dropped),
        OCPI_TEST(sae_j3400_goes_as_tesla_s_by_setting),
        OCPI_TEST(two_phases_are_one_in_211),
        OCPI_TEST(voltage_and_amperage_have_other_names),
        OCPI_TEST(amperage_follows_the_power_by_setting),
        OCPI_TEST(of_several_tariffs_211_gets_the_regular_one),
        OCPI_TEST(times_for_211_are_whole_seconds_cut_off),
        OCPI_TEST(times_in_tolerated_forms_are_told_in_documented_ones),
        OCPI_TEST(numbers_where_texts_belong_become_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
