/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translation of Sessions and CDRs: the rows of tables 15.5 and 15.6, R-BR-31, 40 to 42.
 */
#include "tests/ocpi/translate_check.h"

#define T "'last_updated':'2026-01-01T10:00:00Z'"

#define CONNECTOR_211 /* */                                                                        \
    "{'id':'2','standard':'CHADEMO','format':'CABLE','power_type':'DC','voltage':400,"             \
    "'amperage':125,'tariff_id':'T9'," T "}"
#define LOCATION_211(evses)                                                                        \
    "{'id':'L1','type':'ON_STREET','name':'Here','address':'Street 1','city':'Oulu',"              \
    "'postal_code':'90100','country':'FIN','coordinates':{'latitude':'65.012093',"                 \
    "'longitude':'25.465076'},'evses':[" evses "]," T "}"
#define EVSE_211                                                                                   \
    "{'uid':'E1','evse_id':'FI*ABC*E1','status':'CHARGING','connectors':[" CONNECTOR_211 "]," T "}"

#define PERIOD(rest, dimensions)                                                                   \
    "{'start_date_time':'2026-01-01T09:00:00Z'," rest "'dimensions':[" dimensions "]}"
#define ENERGY "{'type':'ENERGY','volume':1.5}"

#define SESSION_211(rest, location, periods)                                                       \
    "{'id':'S1','start_datetime':'2026-01-01T09:00:00Z'," rest "'kwh':1.5,'auth_id':'C1',"         \
    "'auth_method':'WHITELIST','location':" location ",'currency':'EUR',"                          \
    "'charging_periods':[" periods "],'status':'ACTIVE'," T "}"
#define SESSION_22(rest, periods)                                                                  \
    "{'country_code':'FI','party_id':'ABC','id':'S1','start_date_time':'2026-01-01T09:00:00Z'"     \
    "," rest                                                                                       \
    "'kwh':1.5,'cdr_token':{'country_code':'DE','party_id':'EMP','uid':'C1','type':'OTHER',"       \
    "'contract_id':'C1'},'auth_method':'WHITELIST','location_id':'L1','evse_uid':'E1',"            \
    "'connector_id':'2','currency':'EUR','charging_periods':[" periods "],'status':'ACTIVE'," T    \
    "}"

#define PERIOD_T9 PERIOD("'tariff_id':'T9',", ENERGY)

static void a_session_of_211_is_told_in_newer_words(void **state)
{
    static const char *const text = SESSION_211("'end_datetime':'2026-01-01T11:00:00Z',",
                                                LOCATION_211(EVSE_211), PERIOD("", ENERGY));
    static const char *const told =
        SESSION_22("'end_date_time':'2026-01-01T11:00:00Z',", PERIOD_T9);

    (void)state;
    assert_turned("Session", V211, V221, text, told);
    assert_turned("Session", V211, V230, text, told);
}

static void a_session_for_211_carries_the_known_location(void **state)
{
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    facts.location = json_of(LOCATION_211(
        "{'uid':'E0','status':'BLOCKED','connectors':[" CONNECTOR_211 "]," T "}," EVSE_211));
    facts.location_version = V211;
    ret = turned_with("Session", V221, V211, json_of(SESSION_22("", PERIOD_T9)), &facts);
    assert_json(ret.document, SESSION_211("", LOCATION_211(EVSE_211), PERIOD("", ENERGY)));
    assert_lost(&ret, "/cdr_token/uid", "C1");
    assert_lost(&ret, "/cdr_token/type", "OTHER");
    assert_lost(&ret, "/charging_periods/0/tariff_id", "T9");
    assert_int_equal(ret.loss_count, 3);
}

static void the_known_location_is_turned_as_well_and_never_withheld(void **state)
{
    static const char location[] =
        "{'country_code':'FI','party_id':'ABC','id':'L1','publish':false,'address':'Street 1',"
        "'city':'Oulu','country':'FIN','coordinates':{'latitude':'65.01','longitude':'25.46'},"
        "'time_zone':'Europe/Helsinki','evses':[{'uid':'e1','status':'CHARGING','connectors':["
        "{'id':'1','standard':'CHADEMO','format':'CABLE','power_type':'DC','max_voltage':400,"
        "'max_amperage':125," T "},{'id':'2','standard':'MCS','format':'CABLE','power_type':'DC',"
        "'max_voltage':900,'max_amperage':500," T "}]," T "}]," T "}";
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    facts.location = json_of(location);
    facts.location_version = V230;
    ret = turned_with("Session", V221, V211, json_of(SESSION_22("", PERIOD_T9)), &facts);
    assert_value_at(&ret, "/location/evses",
                    "[{'uid':'e1','status':'CHARGING','connectors':[{'id':'2','standard':'MCS',"
                    "'format':'CABLE','power_type':'DC','voltage':900,'amperage':500," T "}]," T
                    "}]");
    assert_text_at(&ret, "/location/type", "UNKNOWN");
    assert_text_at(&ret, "/location/coordinates/latitude", "65.010000");
    assert_text_at(&ret, "/location/country_code", NULL);
    assert_valid("Session", V211, ret.document);
}

static void without_a_known_location_there_is_a_stub(void **state)
{
    struct translation ret = turned("Session", V221, V211, SESSION_22("", PERIOD_T9));

    (void)state;
    assert_value_at(&ret, "/location",
                    "{'id':'L1','type':'UNKNOWN','name':'#NA','address':'#NA','city':'#NA',"
                    "'postal_code':'#NA','country':'FIN','coordinates':{'latitude':'0.000000',"
                    "'longitude':'0.000000'}," T "}");
    assert_lost(&ret, "/location_id", "L1");
    assert_valid("Session", V211, ret.document);
}

static void an_evse_that_is_not_known_is_left_out_and_flagged(void **state)
{
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    facts.location = json_of(LOCATION_211(EVSE_211));
    facts.location_version = V211;
    ret = turned_with("Session", V230, V211, with(SESSION_22("", PERIOD_T9), "evse_uid", "'#NA'"),
                      &facts);
    assert_value_at(&ret, "/location/evses", "[]");
    assert_lost(&ret, "/evse_uid", "#NA");
}

/* R-TYPE-13, R-SESS-05 */
static void a_location_without_evse_has_ids_that_say_so(void **state)
{
    struct translation ret;

    (void)state;
    ret = turned("Session", V211, V230, SESSION_211("", LOCATION_211(""), PERIOD("", ENERGY)));
    assert_text_at(&ret, "/location_id", "L1");
    assert_text_at(&ret, "/evse_uid", "#NA");
    assert_text_at(&ret, "/connector_id", "#NA");
    assert_text_at(&ret, "/charging_periods/0/tariff_id", NULL);
    assert_non_null(loss_at(&ret, "/charging_periods/0/tariff_id"));
    ret = turned("Session", V211, V221,
                 SESSION_211("", LOCATION_211(EVSE_211 "," EVSE_211), PERIOD("", ENERGY)));
    assert_text_at(&ret, "/evse_uid", "E1");
    assert_non_null(loss_at(&ret, "/location/evses"));
    assert_bad_field("Session", V211, V221,
                     with(SESSION_211("", LOCATION_211(EVSE_211), ""), "location", "{}"), &usual,
                     "/location/id");
}

static void the_driver_is_the_token_that_is_known(void **state)
{
    json_t *session = json_of(SESSION_211("", LOCATION_211(EVSE_211), PERIOD("", ENERGY)));
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    facts.token =
        json_of("{'country_code':'SE','party_id':'XXX','uid':'U1','type':'EMAID',"
                "'contract_id':'C1','issuer':'x','valid':true,'whitelist':'NEVER'," T "}");
    ret = turned_with("Session", V211, V230, session, &facts);
    assert_value_at(&ret, "/cdr_token",
                    "{'country_code':'SE','party_id':'XXX','uid':'U1','type':'EMAID',"
                    "'contract_id':'C1'}");
    ret = turned_with("Session", V211, V221, session, &facts);
    assert_text_at(&ret, "/cdr_token/type", "OTHER");
    facts.token = NULL;
    facts.token_party_id = NULL;
    assert_bad_field("Session", V211, V221, session, &facts, "/auth_id");
}

static void what_the_hub_remembers_comes_back_in(void **state)
{
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    facts.authorization_reference = "REF-1";
    facts.by_command = true;
    ret = turned_with("Session", V211, V221,
                      json_of(SESSION_211("", LOCATION_211(EVSE_211), PERIOD("", ENERGY))), &facts);
    assert_text_at(&ret, "/authorization_reference", "REF-1");
    assert_text_at(&ret, "/auth_method", "COMMAND");
    ret = turned_with("Session", V221, V211, ret.document, &usual);
    assert_text_at(&ret, "/authorization_reference", NULL);
    assert_null(loss_at(&ret, "/authorization_reference"));
    assert_text_at(&ret, "/auth_method", "AUTH_REQUEST");
    assert_lost(&ret, "/auth_method", "COMMAND");
}

static void dimensions_that_are_unknown_are_dropped(void **state)
{
    static const char *const only_newer =
        "{'type':'CURRENT','volume':16},{'type':'STATE_OF_CHARGE','volume':50},"
        "{'type':'RESERVATION_TIME','volume':1},{'type':'MAX_POWER','volume':11}";
    static const char *const nothing = "{'type':'ENERGY','volume':0}";
    struct translation ret;
    json_t *json;

    (void)state;
    ret = turned("Session", V211, V221,
                 SESSION_211("", LOCATION_211(EVSE_211),
                             PERIOD("", "{'type':'FLAT','volume':1}," ENERGY) "," PERIOD(
                                 "", "{'type':'FLAT','volume':1}")));
    assert_value_at(&ret, "/charging_periods/0/dimensions", "[" ENERGY "]");
    assert_value_at(&ret, "/charging_periods/1/dimensions/0", nothing);
    assert_non_null(loss_at(&ret, "/charging_periods/0/dimensions/0"));

    json = json_of(SESSION_22("", PERIOD("", ENERGY) "," PERIOD("", "")));
    json_object_set(json_array_get(json_object_get(json, "charging_periods"), 1), "dimensions",
                    json_of(arena_printf(arena, "[%s]", only_newer)));
    ret = turned_with("Session", V221, V211, json, &usual);
    assert_value_at(&ret, "/charging_periods/1/dimensions", arena_printf(arena, "[%s]", nothing));
    assert_non_null(loss_at(&ret, "/charging_periods/1/dimensions/3"));
    ret = turned_with("Session", V230, V221, json, &usual);
    assert_value_at(&ret, "/charging_periods/1/dimensions",
                    arena_printf(arena, "[%s]", only_newer));
    /* Of the Bookings module. */
    ret = turned("Session", V230, V221,
                 SESSION_22("", PERIOD("", "{'type':'RESERVATION_EXPIRES','volume':1},"
                                           "{'type':'RESERVATION_OVERTIME','volume':1}")));
    assert_value_at(&ret, "/charging_periods/0/dimensions/0", nothing);
}

static void costs_of_three_versions(void **state)
{
    static const char with_cost[] = SESSION_22("'total_cost':%s,", PERIOD_T9);
    static const struct {
        enum ocpi_version from, to;
        const char *cost, *told;
    } costs[] = {
        {V221, V230, "{'excl_vat':4.10,'incl_vat':5.08}",
         "{'before_taxes':4.10,'taxes':[{'name':'VAT','amount':0.98}]}"},
        {V221, V230, "{'excl_vat':0.1,'incl_vat':0.3}",
         "{'before_taxes':0.1,'taxes':[{'name':'VAT','amount':0.2}]}"},
        {V221, V230, "{'excl_vat':4.10}", "{'before_taxes':4.10}"},
        {V221, V230, "{'excl_vat':-4,'incl_vat':-5}",
         "{'before_taxes':-4,'taxes':[{'name':'VAT','amount':-1}]}"},
        {V230, V221,
         "{'before_taxes':4.10,'taxes':[{'name':'GST','amount':0.205},"
         "{'name':'QST','account_number':'1','percentage':9.975,'amount':0.40898}]}",
         "{'excl_vat':4.10,'incl_vat':4.71398}"},
        {V230, V221, "{'before_taxes':4.10,'taxes':[]}", "{'excl_vat':4.10}"},
        {V221, V211, "{'excl_vat':4.10,'incl_vat':5.08}", "4.10"},
        {V230, V211, "{'before_taxes':4.10,'taxes':[{'name':'VAT','amount':0.98}]}", "4.10"},
    };
    struct translation ret;

    (void)state;
    for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
        ret = turned_with("Session", costs[i].from, costs[i].to,
                          json_of(arena_printf(arena, with_cost, costs[i].cost)), &usual);
        assert_value_at(&ret, "/total_cost", costs[i].told);
        if (i == 4) {
            assert_lost(&ret, "/total_cost/taxes/0/name", "GST");
            assert_lost(&ret, "/total_cost/taxes/1/account_number", "1");
            assert_lost(&ret, "/total_cost/taxes/1/percentage", "9.975");
        }
        if (i == 6)
            assert_lost(&ret, "/total_cost/incl_vat", "5.08");
    }
    ret = turned("Session", V211, V221,
                 SESSION_211("'total_cost':4.10,", LOCATION_211(EVSE_211), ""));
    assert_value_at(&ret, "/total_cost", "{'excl_vat':4.10}");
    ret = turned("Session", V211, V230,
                 SESSION_211("'total_cost':'4.10',", LOCATION_211(EVSE_211), ""));
    assert_value_at(&ret, "/total_cost", "{'before_taxes':4.1}");
}

static void a_reservation_is_pending_in_211(void **state)
{
    struct translation ret;

    (void)state;
    for (int i = 0; i < 2; i++) {
        json_t *json =
            with(SESSION_22("", PERIOD_T9), "status", i ? "'RESERVED'" : "'RESERVATION'");

        ret = turned_with("Session", V221, V211, json, &usual);
        assert_text_at(&ret, "/status", "PENDING");
        ret = turned_with("Session", V221, V230, json, &usual); /* R-SESS-04 */
        assert_text_at(&ret, "/status", "RESERVATION");
    }
    ret = turned("Session", V221, V211, SESSION_22("", PERIOD_T9));
    assert_text_at(&ret, "/status", "ACTIVE");
}

static void token_types_of_230_are_other_in_221(void **state)
{
    json_t *json = with(SESSION_22("", PERIOD_T9), "cdr_token",
                        "{'country_code':'DE','party_id':'EMP','uid':'C1','type':'EMAID',"
                        "'contract_id':'C1'}");
    struct translation ret = turned_with("Session", V230, V221, json, &usual);

    (void)state;
    assert_text_at(&ret, "/cdr_token/type", "OTHER");
    assert_lost(&ret, "/cdr_token/type", "EMAID");
}

/* --- CDR --- */

#define CDR_211(rest, cost, location)                                                              \
    "{'id':'C1','start_date_time':'2026-01-01T09:00:00Z','stop_date_time':'2026-01-01T11:00:00Z'," \
    "'auth_id':'C1','auth_method':'WHITELIST','location':" location ",'currency':'EUR'," rest      \
    "'charging_periods':[" PERIOD("", ENERGY) "],'total_cost':" cost                               \
                                              ",'total_energy':1.5,'total_time':2," T "}"
#define PLACE(rest)                                                                                \
    "{'id':'L1','name':'Here','address':'Street 1','city':'Oulu','postal_code':'90100','country':" \
    "'FIN','coordinates':{'latitude':'65.012093','longitude':'25.465076'},'evse_uid':'E1',"        \
    "'evse_id':'FI*ABC*E1','connector_id':'2','connector_standard':'CHADEMO'," rest                \
    "'connector_format':'CABLE','connector_power_type':'DC'}"
#define CDR_22(rest, cost, place)                                                                  \
    "{'country_code':'FI','party_id':'ABC','id':'C1','start_date_time':'2026-01-01T09:00:00Z',"    \
    "'end_date_time':'2026-01-01T11:00:00Z','cdr_token':{'country_code':'DE','party_id':'EMP',"    \
    "'uid':'C1','type':'OTHER','contract_id':'C1'},'auth_method':'WHITELIST','cdr_location'"       \
    ":" place ",'currency':'EUR'," rest "'charging_periods':[" PERIOD_T9 "],'total_cost':" cost    \
    ",'total_energy':1.5,'total_time':2," T "}"
#define COST_221 "{'excl_vat':3.75}"

static void a_cdr_of_211_is_told_in_newer_words(void **state)
{
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    ret = turned("CDR", V211, V221, CDR_211("", "3.75", LOCATION_211(EVSE_211)));
    assert_json(ret.document, CDR_22("", COST_221, PLACE("")));
    assert_lost(&ret, "/location/type", "ON_STREET");
    assert_turned("CDR", V211, V230, CDR_211("", "3.75", LOCATION_211(EVSE_211)),
                  CDR_22("", "{'before_taxes':3.75}", PLACE("")));
    facts.session_id = "S1";
    facts.authorization_reference = "REF-1";
    ret = turned_with("CDR", V211, V221, json_of(CDR_211("", "3.75", LOCATION_211(EVSE_211))),
                      &facts);
    assert_text_at(&ret, "/session_id", "S1");
    assert_text_at(&ret, "/authorization_reference", "REF-1");
}

static void a_cdr_for_211_has_its_place_expanded(void **state)
{
    static const char connector[] =
        "{'id':'2','standard':'CHADEMO','format':'CABLE','power_type':'DC','voltage':%d,"
        "'amperage':%d," T "}";
    static const char location[] =
        "{'id':'L1','type':'%s','name':'Here','address':'Street 1','city':'Oulu',"
        "'postal_code':'90100','country':'FIN','coordinates':{'latitude':'65.012093',"
        "'longitude':'25.465076'},'evses':[{'uid':'E1','evse_id':'FI*ABC*E1','status':'UNKNOWN',"
        "'connectors':[%s]," T "}]," T "}";
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    ret = turned("CDR", V221, V211, CDR_22("'session_id':'S1',", COST_221, PLACE("")));
    assert_json(ret.document, arena_printf(arena, CDR_211("", "3.75", "%s"),
                                           arena_printf(arena, location, "UNKNOWN",
                                                        arena_printf(arena, connector, 230, 16))));
    assert_lost(&ret, "/session_id", "S1");
    assert_non_null(loss_at(&ret, "/cdr_location/connector_id")); /* 230 V and 16 A are guessed */
    assert_valid("CDR", V211, ret.document);

    facts.location = json_of(LOCATION_211(EVSE_211));
    facts.location_version = V211;
    ret = turned_with(
        "CDR", V230, V211,
        json_of(CDR_22("'authorization_reference':'R',", "{'before_taxes':3.75}", PLACE(""))),
        &facts);
    assert_json(ret.document, arena_printf(arena, CDR_211("", "3.75", "%s"),
                                           arena_printf(arena, location, "ON_STREET",
                                                        arena_printf(arena, connector, 400, 125))));
    assert_null(loss_at(&ret, "/cdr_location/connector_id"));
    /* cdr_token/uid, cdr_token/type, charging_periods/0/tariff_id. What the URL or the hub knows is
     * no loss. */
    assert_int_equal(ret.loss_count, 3);
}

static void the_place_of_a_cdr_for_211_is_cut_and_completed(void **state)
{
    json_t *json = json_of(CDR_22("", COST_221, PLACE("'state':'ST',")));
    json_t *place = json_object_get(json, "cdr_location");
    struct translation ret;

    (void)state;
    json_object_del(place, "postal_code");
    json_object_set_new(place, "evse_id", json_string("#NA"));
    json_object_set_new(place, "address",
                        json_string("1234567890123456789012345678901234567890123456789"));
    ret = turned_with("CDR", V221, V211, json, &usual);
    assert_text_at(&ret, "/location/postal_code", "-");
    assert_text_at(&ret, "/location/evses/0/evse_id", NULL);
    assert_text_at(&ret, "/location/address", "123456789012345678901234567890123456789012345");
    assert_lost(&ret, "/cdr_location/state", "ST");
    assert_non_null(loss_at(&ret, "/cdr_location/address"));
    ret = turned_with("CDR", V211, V221, ret.document, &usual);
    assert_text_at(&ret, "/cdr_location/evse_id", "#NA");
    assert_text_at(&ret, "/cdr_location/postal_code", NULL);
}

/* R-CDR-14 */
static void a_cdr_of_211_without_evse_says_so(void **state)
{
    struct translation ret = turned("CDR", V211, V221, CDR_211("", "3.75", LOCATION_211("")));

    (void)state;
    assert_text_at(&ret, "/cdr_location/evse_uid", "#NA");
    assert_text_at(&ret, "/cdr_location/evse_id", "#NA");
    assert_text_at(&ret, "/cdr_location/connector_id", "#NA");
    assert_non_null(loss_at(&ret, "/location/evses"));
    assert_valid("CDR", V221, ret.document);
}

static void a_cdr_is_not_withheld_for_its_plug(void **state)
{
    static const struct {
        const char *standard, *power;
        enum ocpi_version to;
    } plugs[] = {{"MCS", "DC", V211}, {"GBT_DC", "AC_2_PHASE", V211}, {"MCS", "DC", V221}};
    struct translation ret;

    (void)state;
    for (size_t i = 0; i < sizeof(plugs) / sizeof(plugs[0]); i++) {
        json_t *json = json_of(CDR_22("", "{'before_taxes':3.75}", PLACE("")));
        json_t *place = json_object_get(json, "cdr_location");

        json_object_set_new(place, "connector_standard", json_string(plugs[i].standard));
        json_object_set_new(place, "connector_power_type", json_string(plugs[i].power));
        ret = turned_with("CDR", V230, plugs[i].to, json, &usual);
        assert_null(ret.withheld);
        assert_text_at(&ret,
                       plugs[i].to == V211 ? "/location/evses/0/connectors/0/standard"
                                           : "/cdr_location/connector_standard",
                       plugs[i].standard);
        assert_lost(&ret, "/cdr_location/connector_standard", plugs[i].standard);
        if (plugs[i].to == V211)
            assert_text_at(&ret, "/location/evses/0/connectors/0/power_type",
                           i == 1 ? "AC_1_PHASE" : "DC");
    }
}

#define TARIFF_230(tax, rest)                                                                      \
    "{'country_code':'FI','party_id':'ABC','id':'T9','currency':'EUR','tax_included':'" tax        \
    "'," rest                                                                                      \
    "'elements':[{'price_components':[{'type':'ENERGY','price':0.25,'step_size':1}]}]," T "}"

/* R-BR-31 */
static void tariffs_in_a_cdr_are_not_withheld_but_never_gross_for_net(void **state)
{
    static const char *const text = CDR_22(
        "'tariffs':[" TARIFF_230("NO", "'type':'AD_HOC_PAYMENT','end_date_time':"
                                       "'2020-01-01T00:00:00Z',") "," TARIFF_230("YES", "") "],",
        "{'before_taxes':3.75}", PLACE(""));
    struct translation ret = turned("CDR", V230, V211, text);

    (void)state;
    assert_value_at(&ret, "/tariffs",
                    "[{'id':'T9','currency':'EUR','elements':[{'price_components':[{'type':"
                    "'ENERGY','price':0.25,'step_size':1}]}]," T "}]");
    assert_non_null(loss_at(&ret, "/tariffs/0/type"));
    assert_non_null(loss_at(&ret, "/tariffs/0/end_date_time"));
    assert_non_null(loss_at(&ret, "/tariffs/1"));
}

static void the_only_tariff_of_a_cdr_is_that_of_its_periods(void **state)
{
    static const char tariff[] =
        "{'id':'%s','currency':'EUR','elements':[{'price_components':[{'type':'ENERGY','price':"
        "0.25,'step_size':1}]}]," T "}";
    json_t *json = json_of(CDR_211("", "3.75", LOCATION_211(EVSE_211)));
    struct translation ret;

    (void)state;
    json_object_set_new(json, "tariffs", json_array());
    json_array_append(json_object_get(json, "tariffs"), json_of(arena_printf(arena, tariff, "T1")));
    ret = turned_with("CDR", V211, V221, json, &usual);
    assert_text_at(&ret, "/charging_periods/0/tariff_id", "T1");
    assert_text_at(&ret, "/tariffs/0/country_code", "FI");
    json_array_append(json_object_get(json, "tariffs"), json_of(arena_printf(arena, tariff, "T2")));
    ret = turned_with("CDR", V211, V230, json, &usual);
    assert_text_at(&ret, "/charging_periods/0/tariff_id", NULL);
    assert_text_at(&ret, "/tariffs/1/tax_included", "NO");
}

/* R-CDR-17 */
static void signed_data_goes_byte_for_byte_or_not_at_all(void **state)
{
    static const char *const data =
        "{\"encoding_method\":\"OCMF\",\"signed_values\":[{\"nature\":\"Start\",\"plain_data\":"
        "\" OCMF|{\\\"a\\\":1}\\r\\n\\t|\\u00e4 \",\"signed_data\":\"QUJD\\nREVG\"}],"
        "\"vendor\":[1.10]}";
    json_t *json = json_of(CDR_22("", COST_221, PLACE("")));
    struct translation ret;

    (void)state;
    json_object_set(json, "signed_data", document(data));
    ret = turned_with("CDR", V221, V230, json, &usual);
    assert_string_equal(
        json_text_of(at(ret.document, "/signed_data/signed_values/0"), "plain_data"),
        " OCMF|{\"a\":1}\r\n\t|ä ");
    assert_string_equal(json_text(arena, at(ret.document, "/signed_data"), NULL),
                        json_text(arena, document(data), NULL));
    ret = turned_with("CDR", V221, V211, json, &usual);
    assert_null(json_object_get(ret.document, "signed_data"));
    assert_non_null(loss_at(&ret, "/signed_data"));
}

/* R-BR-42 */
static void totals_are_copied_even_where_they_contradict_each_other(void **state)
{
    json_t *json = json_of(CDR_22("'total_energy_cost':{'excl_vat':99,'incl_vat':98},"
                                  "'total_parking_time':7.0001,",
                                  "{'excl_vat':0.1,'incl_vat':0.05}", PLACE("")));
    struct translation ret;

    (void)state;
    ret = turned_with("CDR", V221, V230, json, &usual);
    assert_value_at(&ret, "/total_cost",
                    "{'before_taxes':0.1,'taxes':[{'name':'VAT','amount':-0.05}]}");
    assert_value_at(&ret, "/total_energy_cost",
                    "{'before_taxes':99,'taxes':[{'name':'VAT','amount':-1}]}");
    assert_value_at(&ret, "/total_parking_time", "7.0001");
    ret = turned_with("CDR", V230, V221, ret.document, &usual);
    assert_string_equal(json_canonical(arena, ret.document), json_canonical(arena, json));
    ret = turned_with("CDR", V221, V211, json, &usual);
    assert_value_at(&ret, "/total_cost", "0.1");
    assert_value_at(&ret, "/total_parking_time", "7.0001");
    assert_non_null(loss_at(&ret, "/total_energy_cost"));
}

/* R-BR-40 */
static void a_credit_for_211_is_negative_and_says_what_it_credits(void **state)
{
    static const struct {
        const char *rest, *cost, *remark;
    } credits[] = {
        {"'credit':true,'credit_reference_id':'C0',", "{'excl_vat':-3.75}", "CREDIT for C0"},
        {"'credit':true,'credit_reference_id':'C0',", "{'excl_vat':3.75}", "CREDIT for C0"},
        {"'credit':true,'credit_reference_id':'C0','remark':'Sorry',", "{'excl_vat':-3.75}",
         "CREDIT for C0; Sorry"},
        {"'credit':true,'credit_reference_id':'C0','invoice_reference_id':'I7',",
         "{'excl_vat':-3.75}", "CREDIT for C0; Invoice I7"},
    };
    struct translation_facts facts = usual;
    struct translation ret;
    json_t *json;

    (void)state;
    for (size_t i = 0; i < sizeof(credits) / sizeof(credits[0]); i++) {
        json = json_of(
            arena_printf(arena, CDR_22("%s", "%s", PLACE("")), credits[i].rest, credits[i].cost));
        ret = turned_with("CDR", V221, V211, json, &usual);
        assert_value_at(&ret, "/total_cost", "-3.75");
        assert_text_at(&ret, "/remark", credits[i].remark);
        assert_string_equal(translate_credited_id(arena, credits[i].remark), "C0");
        assert_null(json_object_get(ret.document, "credit"));
        assert_null(json_object_get(ret.document, "credit_reference_id"));
        assert_null(loss_at(&ret, "/credit"));
        assert_null(loss_at(&ret, "/credit_reference_id"));
    }
    facts.withhold_credits = true;
    ret = turned_with("CDR", V221, V211, json, &facts);
    assert_non_null(ret.withheld);
    /* A CDR that replaces is a normal one. */
    ret = turned_with("CDR", V221, V211, json_of(CDR_22("'credit':false,", COST_221, PLACE(""))),
                      &facts);
    assert_value_at(&ret, "/total_cost", "3.75");
    assert_text_at(&ret, "/remark", NULL);
}

static void the_long_id_of_a_credit_has_an_alias_in_211(void **state)
{
    json_t *json = with(CDR_22("'credit':true,'credit_reference_id':'C0',", COST_221, PLACE("")),
                        "id", "'12345678901234567890123456789012345-C1'");
    struct translation ret = turned_with("CDR", V221, V211, json, &usual);

    (void)state;
    assert_text_at(&ret, "/id", translate_id(arena, "12345678901234567890123456789012345-C1"));
    ret = turned_with("CDR", V221, V230, json, &usual);
    assert_text_at(&ret, "/id", "12345678901234567890123456789012345-C1");
}

/* R-BR-41 */
static void a_negative_cdr_of_211_is_a_credit_only_of_a_known_one(void **state)
{
    json_t *json = json_of(CDR_211("'remark':'CREDIT for C0',", "-3.75", LOCATION_211(EVSE_211)));
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    facts.credited_id = "C0";
    ret = turned_with("CDR", V211, V221, json, &facts);
    assert_value_at(&ret, "/credit", "true");
    assert_text_at(&ret, "/credit_reference_id", "C0");
    assert_value_at(&ret, "/total_cost", "{'excl_vat':-3.75}");
    assert_value_at(&ret, "/total_energy", "1.5");
    assert_valid("CDR", V221, ret.document);
    ret = turned_with("CDR", V211, V230, json, &usual);
    assert_null(json_object_get(ret.document, "credit"));
    assert_lost(&ret, "/total_cost", "-3.75");
    assert_null(translate_credited_id(arena, "CREDIT for "));
    assert_null(translate_credited_id(arena, "credit"));
    assert_null(translate_credited_id(arena, NULL));
}

static void what_211_has_no_member_for_is_hinted_at_in_the_remark(void **state)
{
    static const char *const hints =
        "'invoice_reference_id':'I7','home_charging_compensation':true,";
    char long_remark[256];
    struct translation ret;
    json_t *json;

    (void)state;
    json = json_of(arena_printf(arena, CDR_22("%s", COST_221, PLACE("")), hints));
    ret = turned_with("CDR", V221, V211, json, &usual);
    assert_text_at(&ret, "/remark", "Invoice I7; Home charging compensation");
    assert_lost(&ret, "/invoice_reference_id", "I7");
    assert_lost(&ret, "/home_charging_compensation", "true");
    memset(long_remark, 'x', 250);
    long_remark[250] = '\0';
    json_object_set_new(json, "remark", json_string(long_remark));
    ret =
        turned_with("CDR", V230, V211,
                    with(json_text(arena, json, NULL), "total_cost", "{'before_taxes':1}"), &usual);
    assert_text_at(&ret, "/remark", long_remark);
}

static void a_booking_is_lost_below_230(void **state)
{
    static const char *const text =
        CDR_22("'booking_id':'B1',", "{'before_taxes':3.75}", PLACE(""));
    struct translation ret = turned("CDR", V230, V221, text);

    (void)state;
    assert_lost(&ret, "/booking_id", "B1");
    ret = turned("CDR", V230, V211, text);
    assert_lost(&ret, "/booking_id", "B1");
}

/* R-CDR-15 */
static void an_unknown_time_is_padded_for_211(void **state)
{
    struct translation ret = turned_with(
        "CDR", V221, V211,
        with(CDR_22("", COST_221, PLACE("")), "start_date_time", "'1970-1-1T00:00:00Z'"), &usual);

    (void)state;
    assert_text_at(&ret, "/start_date_time", "1970-01-01T00:00:00Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(a_session_of_211_is_told_in_newer_words),
        OCPI_TEST(a_session_for_211_carries_the_known_location),
        OCPI_TEST(the_known_location_is_turned_as_well_and_never_withheld),
        OCPI_TEST(without_a_known_location_there_is_a_stub),
        OCPI_TEST(an_evse_that_is_not_known_is_left_out_and_flagged),
        OCPI_TEST(a_location_without_evse_has_ids_that_say_so),
        OCPI_TEST(the_driver_is_the_token_that_is_known),
        OCPI_TEST(what_the_hub_remembers_comes_back_in),
        OCPI_TEST(dimensions_that_are_unknown_are_dropped),
        OCPI_TEST(costs_of_three_versions),
        OCPI_TEST(a_reservation_is_pending_in_211),
        OCPI_TEST(token_types_of_230_are_other_in_221),
        OCPI_TEST(a_cdr_of_211_is_told_in_newer_words),
        OCPI_TEST(a_cdr_for_211_has_its_place_expanded),
        OCPI_TEST(the_place_of_a_cdr_for_211_is_cut_and_completed),
        OCPI_TEST(a_cdr_of_211_without_evse_says_so),
        OCPI_TEST(a_cdr_is_not_withheld_for_its_plug),
        OCPI_TEST(tariffs_in_a_cdr_are_not_withheld_but_never_gross_for_net),
        OCPI_TEST(the_only_tariff_of_a_cdr_is_that_of_its_periods),
        OCPI_TEST(signed_data_goes_byte_for_byte_or_not_at_all),
        OCPI_TEST(totals_are_copied_even_where_they_contradict_each_other),
        OCPI_TEST(a_credit_for_211_is_negative_and_says_what_it_credits),
        OCPI_TEST(the_long_id_of_a_credit_has_an_alias_in_211),
        OCPI_TEST(a_negative_cdr_of_211_is_a_credit_only_of_a_known_one),
        OCPI_TEST(what_211_has_no_member_for_is_hinted_at_in_the_remark),
        OCPI_TEST(a_booking_is_lost_below_230),
        OCPI_TEST(an_unknown_time_is_padded_for_211),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
