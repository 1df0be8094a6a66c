/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translation: tokens (15.2), commands and profiles (15.7), connections (15.1, 15.8), status codes,
 * and what holds for every class: unknown members, losses, wrong types.
 */
#include "tests/ocpi/translate_check.h"

#include <time.h>

#include "base/text.h"

#define T "'last_updated':'2026-01-01T10:00:00Z'"
#define SAME "'issuer':'Shop','valid':true,'whitelist':'ALLOWED','visual_number':'42'," T "}"
#define TOKEN_211(type) "{'uid':'U1','type':'" type "','auth_id':'C1'," SAME
#define TOKEN_22(type, rest)                                                                       \
    "{'country_code':'FI','party_id':'ABC','uid':'U1','type':'" type                               \
    "','contract_id':'C1'," rest SAME

/* --- 15.2 --- */

static void a_token_gets_its_owner_and_its_contract(void **state)
{
    (void)state;
    assert_told("Token", V211, V221, TOKEN_211("RFID"), TOKEN_22("RFID", ""));
    assert_told("Token", V211, V230, TOKEN_211("RFID"), TOKEN_22("RFID", ""));
    assert_told("Token", V221, V211, TOKEN_22("RFID", ""), TOKEN_211("RFID"));
    assert_told("Token", V230, V211, TOKEN_22("RFID", ""), TOKEN_211("RFID"));
}

static void token_types_are_other_where_they_are_unknown(void **state)
{
    static const struct {
        enum ocpi_version from, to;
        const char *type, *there, *before;
    } types[] = {
        {V221, V211, "APP_USER", "OTHER", NULL},    {V221, V211, "AD_HOC_USER", "OTHER", NULL},
        {V230, V211, "EMAID", "OTHER", NULL},       {V230, V211, "GLOVE", "OTHER", NULL},
        {V230, V221, "EMAID", "OTHER", NULL},       {V230, V221, "GLOVE", "OTHER", NULL},
        {V230, V221, "APP_USER", "APP_USER", NULL}, {V221, V230, "GLOVE", "GLOVE", NULL},
        {V221, V230, "OTHER", "EMAID", "EMAID"},    {V211, V230, "OTHER", "EMAID", "EMAID"},
        {V211, V221, "OTHER", "OTHER", "EMAID"},    {V211, V221, "OTHER", "APP_USER", "APP_USER"},
        {V211, V221, "RFID", "RFID", "APP_USER"},   {V211, V221, "OTHER", "OTHER", NULL},
    };
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        json_t *json = with(types[i].from == V211 ? TOKEN_211("X") : TOKEN_22("X", ""), "type",
                            arena_printf(arena, "'%s'", types[i].type));

        facts.token_type = types[i].before;
        ret = turned_with("Token", types[i].from, types[i].to, json, &facts);
        assert_text_at(&ret, "/type", types[i].there);
        if (types[i].from > types[i].to && strcmp(types[i].type, types[i].there) != 0)
            assert_lost(&ret, "/type", types[i].type);
    }
}

static void a_token_for_211_loses_what_is_newer(void **state)
{
    struct translation ret =
        turned("Token", V230, V211,
               TOKEN_22("RFID", "'group_id':'G','default_profile_type':'GREEN','language':'fi',"
                                "'energy_contract':{'supplier_name':'S'},"));

    (void)state;
    assert_lost(&ret, "/group_id", "G");
    assert_lost(&ret, "/default_profile_type", "GREEN");
    assert_lost(&ret, "/energy_contract", "{\"supplier_name\":\"S\"}");
    assert_int_equal(ret.loss_count, 3);
    assert_text_at(&ret, "/language", "fi");
}

static void an_answer_of_211_gets_the_token_that_was_asked_about(void **state)
{
    static const char *const answer = "{'allowed':'%s','info':{'language':'en','text':'Hi'},"
                                      "'location':{'location_id':'L1','evse_uids':['E1'],"
                                      "'connector_ids':['1']}}";
    struct translation_facts facts = usual;
    struct translation ret;
    json_t *json = json_of(answer);

    (void)state;
    json_object_set_new(json, "allowed", json_string("ALLOWED"));
    facts.token = json_of(TOKEN_22("EMAID", ""));
    ret = turned_with("AuthorizationInfo", V211, V230, json, &facts);
    assert_value_at(&ret, "/token", TOKEN_22("EMAID", ""));
    assert_value_at(&ret, "/location", "{'location_id':'L1','evse_uids':['E1']}");
    assert_non_null(loss_at(&ret, "/location/connector_ids"));
    ret = turned_with("AuthorizationInfo", V211, V221, json, &facts);
    assert_text_at(&ret, "/token/type", "OTHER");
    assert_valid("AuthorizationInfo", V221, ret.document);

    facts.token = NULL;
    assert_bad_field("AuthorizationInfo", V211, V221, json, &facts, "/token");
    facts.token_uid = "U9";
    facts.token_issuer = "Shop";
    facts.authorization_reference = "REF-1";
    ret = turned_with("AuthorizationInfo", V211, V221, json, &facts);
    assert_value_at(&ret, "/token",
                    "{'country_code':'FI','party_id':'ABC','uid':'U9','type':'RFID',"
                    "'contract_id':'U9','issuer':'Shop','valid':true,'whitelist':'NEVER',"
                    "'last_updated':'2026-09-21T14:13:20Z'}");
    assert_text_at(&ret, "/authorization_reference", "REF-1");
    json_object_set_new(json, "allowed", json_string("BLOCKED"));
    ret = turned_with("AuthorizationInfo", V211, V230, json, &facts);
    assert_value_at(&ret, "/token/valid", "false");
}

static void an_answer_for_211_has_no_token(void **state)
{
    struct translation ret =
        turned("AuthorizationInfo", V221, V211,
               "{'allowed':'NO_CREDIT','token':" TOKEN_22("RFID", "") ",'authorization_reference':"
                                                                      "'R','location':{"
                                                                      "'location_id':'L1'}}");

    (void)state;
    assert_json(ret.document, "{'allowed':'NO_CREDIT','location':{'location_id':'L1'}}");
    assert_int_equal(ret.loss_count, 0);
}

static void location_references_of_211_lose_their_connectors(void **state)
{
    struct translation ret =
        turned("LocationReferences", V211, V221,
               "{'location_id':'L1','evse_uids':['E1',7],'connector_ids':['1']}");

    (void)state;
    assert_json(ret.document, "{'location_id':'L1','evse_uids':['E1']}");
    assert_non_null(loss_at(&ret, "/connector_ids"));
    assert_lost(&ret, "/evse_uids/1", "7");
    ret = turned("LocationReferences", V230, V211, "{'location_id':'L1','evse_uids':['E1']}");
    assert_json(ret.document, "{'location_id':'L1','evse_uids':['E1']}");
}

/* --- 15.7 --- */

#define URL "'response_url':'https://e.com/1'"

static void start_session_between_versions(void **state)
{
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    assert_told("StartSession", V221, V211,
                "{" URL ",'token':" TOKEN_22("RFID", "") ",'location_id':'L1','evse_uid':'E1',"
                                                         "'authorization_reference':'R'}",
                "{" URL ",'token':" TOKEN_211("RFID") ",'location_id':'L1','evse_uid':'E1'}");
    ret = turned("StartSession", V230, V211,
                 "{" URL ",'token':" TOKEN_22("EMAID", "") ",'location_id':'L1','evse_uid':'E1',"
                                                           "'connector_id':'1'}");
    assert_lost(&ret, "/connector_id", "1");
    assert_text_at(&ret, "/token/type", "OTHER");
    assert_lost(&ret, "/token/type", "EMAID");
    ret = turned("StartSession", V230, V221,
                 "{" URL ",'token':" TOKEN_22("EMAID", "") ",'location_id':'L1'}");
    assert_text_at(&ret, "/token/type", "OTHER");

    facts.authorization_reference = "REF-1";
    ret =
        turned_with("StartSession", V211, V221,
                    json_of("{" URL ",'token':" TOKEN_211("RFID") ",'location_id':'L1'}"), &facts);
    assert_json(ret.document,
                "{" URL ",'token':" TOKEN_22(
                    "RFID", "") ",'location_id':'L1','authorization_reference':'REF-1'}");
}

static void an_evse_that_wants_to_be_told_its_connector_is_told_the_only_one(void **state)
{
    static const char *const ask =
        "{" URL ",'token':" TOKEN_211("RFID") ",'location_id':'L1','evse_uid':'E1'}";
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    facts.location = json_of("{'evses':[{'uid':'e1','capabilities':["
                             "'START_SESSION_CONNECTOR_REQUIRED'],'connectors':[{'id':'7'}]}]}");
    facts.location_version = V221;
    ret = turned_with("StartSession", V211, V221, json_of(ask), &facts);
    assert_text_at(&ret, "/connector_id", "7");
    facts.location =
        json_of("{'evses':[{'uid':'E1','capabilities':['START_SESSION_CONNECTOR_REQUIRED'],"
                "'connectors':[{'id':'7'},{'id':'8'}]}]}");
    ret = turned_with("StartSession", V211, V230, json_of(ask), &facts);
    assert_non_null(strstr(ret.withheld, "REJECTED"));
    facts.location = json_of("{'evses':[{'uid':'E1','connectors':[{'id':'7'},{'id':'8'}]}]}");
    ret = turned_with("StartSession", V211, V230, json_of(ask), &facts);
    assert_text_at(&ret, "/connector_id", NULL);
}

static void reservations_are_numbers_in_211(void **state)
{
#define RESERVE(id, token)                                                                         \
    "{" URL ",'token':" token ",'expiry_date':'2026-01-01T10:00:00Z','reservation_id':" id         \
    ",'location_id':'L1'}"
    static const char *const ids[] = {"'ABC'", "'0'", "'-5'", "'2147483648'", "''", "'1 '"};
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    assert_told("ReserveNow", V211, V221, RESERVE("42", TOKEN_211("RFID")),
                RESERVE("'42'", TOKEN_22("RFID", "")));
    assert_told("ReserveNow", V230, V211,
                RESERVE("'2147483647','authorization_reference':'R'", TOKEN_22("RFID", "")),
                RESERVE("2147483647", TOKEN_211("RFID")));
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        json_t *json = with(RESERVE("'x'", TOKEN_22("RFID", "")), "reservation_id", ids[i]);

        assert_bad_field("ReserveNow", V221, V211, json, &usual, "/reservation_id");
    }
    facts.reservation_number = 9;
    ret = turned_with("ReserveNow", V221, V211, json_of(RESERVE("'ABC'", TOKEN_22("RFID", ""))),
                      &facts);
    assert_value_at(&ret, "/reservation_id", "9");
}

static void other_commands_are_alike(void **state)
{
    static const char *const unlock =
        "{" URL ",'location_id':'L1','evse_uid':'E1','connector_id':'1'}";
    static const char *const stop = "{" URL ",'session_id':'S1'}";
    struct translation ret;

    (void)state;
    assert_told("UnlockConnector", V211, V230, unlock, unlock);
    assert_told("UnlockConnector", V221, V211, unlock, unlock);
    assert_told("StopSession", V211, V221, stop, stop);
    assert_told("StopSession", V230, V211, stop, stop);
    ret = turned("CancelReservation", V221, V211, "{" URL ",'reservation_id':'1'}");
    assert_non_null(strstr(ret.withheld, "NOT_SUPPORTED"));
    assert_told("CancelReservation", V221, V230, "{" URL ",'reservation_id':'1'}",
                "{" URL ",'reservation_id':'1'}");
    ret = turned("UnlockConnector", V211, V221,
                 "{" URL ",'location_id':'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789XYZ','evse_uid':'E1',"
                 "'connector_id':'1'}");
    assert_text_at(&ret, "/location_id",
                   translate_id(arena, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789XYZ"));
}

/* R-BR-44 */
static void answers_of_211_are_told_in_words_of_newer_versions(void **state)
{
    static const struct {
        const char *came, *response, *result;
    } answers[] = {
        {"ACCEPTED", "ACCEPTED", "ACCEPTED"},
        {"NOT_SUPPORTED", "NOT_SUPPORTED", "NOT_SUPPORTED"},
        {"REJECTED", "REJECTED", "REJECTED"},
        {"TIMEOUT", "REJECTED", "TIMEOUT"},
        {"UNKNOWN_SESSION", "UNKNOWN_SESSION", "REJECTED"},
        {"UNKOWN_LOCATION", "REJECTED", "REJECTED"},
        {"UNKNOWN_LOCATION", "REJECTED", "REJECTED"},
        {"SUCCESSFUL", "ACCEPTED", "ACCEPTED"},
    };
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        json_t *json = json_pack("{s:s}", "result", answers[i].came);

        arena_on_free(arena, drop_document, json);
        ret = turned_with("CommandResponse", V211, V221, json, &usual);
        assert_text_at(&ret, "/result", answers[i].response);
        assert_value_at(&ret, "/timeout", "60");
        assert_int_equal(json_object_get(ret.document, "message") != NULL, i == 3);
        assert_valid("CommandResponse", V221, ret.document);
        ret = turned_with("CommandResult", V211, V230, json, &usual);
        assert_text_at(&ret, "/result", answers[i].result);
        assert_null(json_object_get(ret.document, "timeout"));
        assert_valid("CommandResult", V230, ret.document);
    }
    facts.timeout_s = 30;
    ret = turned_with("CommandResponse", V211, V230, json_of("{'result':'ACCEPTED'}"), &facts);
    assert_value_at(&ret, "/timeout", "30");
}

static void answers_for_211_are_told_in_its_words(void **state)
{
    static const struct {
        const char *came, *result;
    } results[] = {{"ACCEPTED", "ACCEPTED"},
                   {"NOT_SUPPORTED", "NOT_SUPPORTED"},
                   {"REJECTED", "REJECTED"},
                   {"TIMEOUT", "TIMEOUT"},
                   {"EVSE_OCCUPIED", "REJECTED"},
                   {"EVSE_INOPERATIVE", "REJECTED"},
                   {"FAILED", "REJECTED"},
                   {"UNKNOWN_RESERVATION", "REJECTED"},
                   {"CANCELED_RESERVATION", "REJECTED"}};
    struct translation ret;

    (void)state;
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        json_t *json = json_of("{'message':[{'language':'en','text':'No.'}]}");

        json_object_set_new(json, "result", json_string(results[i].came));
        ret = turned_with("CommandResult", i % 2 ? V221 : V230, V211, json, &usual);
        assert_text_at(&ret, "/result", results[i].result);
        assert_non_null(loss_at(&ret, "/message"));
        assert_valid("CommandResponse", V211, ret.document);
        if (i > 3)
            assert_lost(&ret, "/result", results[i].came);
    }
    assert_told("CommandResponse", V221, V211, "{'result':'UNKNOWN_SESSION','timeout':30}",
                "{'result':'UNKNOWN_SESSION'}");
}

static void charging_profiles_do_not_go_to_211(void **state)
{
    static const char *const classes[] = {"SetChargingProfile",    "ChargingProfileResponse",
                                          "ChargingProfileResult", "ClearProfileResult",
                                          "ActiveChargingProfile", "ActiveChargingProfileResult",
                                          "ChargingPreferences",   "ClientInfo"};
    struct translation ret;

    (void)state;
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        ret = turned(classes[i], i % 2 ? V221 : V230, V211, "{'result':'ACCEPTED'}");
        assert_non_null(ret.withheld);
        ret = turned(classes[i], V211, V221, "{}");
        assert_non_null(ret.withheld);
    }
    assert_told("ChargingPreferences", V221, V230, "{'profile_type':'GREEN','energy_need':1.5}",
                "{'profile_type':'GREEN','energy_need':1.5}");
}

/* --- 15.1, 15.8 --- */

/* R-BR-45 */
static void the_role_hub_is_never_relayed(void **state)
{
    static const char *const client = "{'country_code':'FI','party_id':'ABC','role':'EMSP',"
                                      "'status':'CONNECTED'," T "}";
    struct translation ret;

    (void)state;
    assert_told("ClientInfo", V221, V230, client, client);
    assert_told("ClientInfo", V230, V221, client, client);
    ret = turned_with("ClientInfo", V221, V230, with(client, "role", "'HUB'"), &usual);
    assert_non_null(ret.withheld);
}

#define DETAILS "'business_details':{'name':'N'},'party_id':'ABC','country_code':'FI'"
#define CREDENTIALS "{'token':'T','url':'https://e.com/v'"

static void credentials_between_versions(void **state)
{
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    assert_told("Credentials", V211, V221, CREDENTIALS "," DETAILS "}",
                CREDENTIALS ",'roles':[{'role':'CPO'," DETAILS "}]}");
    facts.role = "EMSP";
    ret = turned_with("Credentials", V211, V230, json_of(CREDENTIALS "," DETAILS "}"), &facts);
    assert_json(ret.document, CREDENTIALS ",'roles':[{'role':'EMSP'," DETAILS "}]}");
    ret = turned_with(
        "Credentials", V221, V211,
        json_of(CREDENTIALS ",'roles':[{'role':'CPO','business_details':{'name':'M'},"
                            "'party_id':'XYZ','country_code':'SE'},{'role':'EMSP'," DETAILS "}]}"),
        &facts);
    assert_json(ret.document, CREDENTIALS "," DETAILS "}");
    assert_non_null(loss_at(&ret, "/roles/0"));
    ret = turned("Credentials", V221, V230,
                 CREDENTIALS ",'roles':[{'role':'HUB','business_details':{'name':'M'},'party_id':"
                             "'HUB','country_code':'SE'},{'role':'EMSP'," DETAILS "}]}");
    assert_json(ret.document,
                CREDENTIALS ",'roles':[{'role':'EMSP'," DETAILS "}],'hub_party_id':'SEHUB'}");
    ret = turned_with("Credentials", V230, V221, ret.document, &usual);
    assert_json(ret.document, CREDENTIALS ",'roles':[{'role':'EMSP'," DETAILS "}]}");
    assert_lost(&ret, "/hub_party_id", "SEHUB");
}

#define ENDPOINT(id, role) "{'identifier':'" id "'," role "'url':'https://e.com/" id "'}"

static void endpoints_of_211_get_the_role_of_their_face(void **state)
{
    static const char *const text =
        "{'version':'2.1.1','endpoints':[" ENDPOINT("credentials", "") "," ENDPOINT(
            "locations", "") "," ENDPOINT("tokens", "") "," ENDPOINT("commands", "") "]}";
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    facts.role = "CPO";
    ret = turned_with("VersionDetails", V211, V221, json_of(text), &facts);
    assert_text_at(&ret, "/endpoints/0/role", "SENDER");
    assert_text_at(&ret, "/endpoints/1/role", "SENDER");
    assert_text_at(&ret, "/endpoints/2/role", "RECEIVER");
    assert_text_at(&ret, "/endpoints/3/role", "RECEIVER");
    ret = turned_with("VersionDetails", V221, V211, ret.document, &facts);
    assert_json(ret.document, text);
    facts.role = "EMSP";
    ret = turned_with("VersionDetails", V211, V230, json_of(text), &facts);
    assert_text_at(&ret, "/endpoints/1/role", "RECEIVER");
    assert_text_at(&ret, "/endpoints/2/role", "SENDER");
    facts.role = "CPO";
    ret = turned_with(
        "VersionDetails", V221, V211,
        json_of("{'version':'2.2.1','endpoints':[" ENDPOINT(
            "tokens", "'role':'SENDER',") "," ENDPOINT("tokens", "'role':'RECEIVER',") "]}"),
        &facts);
    assert_value_at(&ret, "/endpoints", "[" ENDPOINT("tokens", "") "]");
}

/* R-TRANS-35 */
static void status_codes_that_211_does_not_know(void **state)
{
    static const int codes[][2] = {{1000, 1000}, {2000, 2000}, {2003, 2003}, {2004, 2000},
                                   {3001, 3001}, {4000, 3000}, {4001, 3000}, {4003, 3000}};

    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        assert_int_equal(translate_status(codes[i][0], V211), codes[i][1]);
        assert_int_equal(translate_status(codes[i][0], V221), codes[i][0]);
        assert_int_equal(translate_status(codes[i][0], V230), codes[i][0]);
    }
}

/* --- of every class --- */

static void the_same_version_is_the_document_itself(void **state)
{
    json_t *json = json_of("{'whatever':1}");
    struct translation ret = turned_with("Token", V221, V221, json, NULL);

    (void)state;
    assert_ptr_equal(ret.document, json);
    assert_int_equal(ret.loss_count, 0);
}

static void an_object_that_is_not_in_the_list_is_our_mistake(void **state)
{
    struct translation ret;

    (void)state;
    assert_int_equal(translate("Toaster", V211, V221, json_of("{}"), NULL, arena, &ret).kind,
                     ERR_INTERNAL);
    assert_int_equal(
        translate("Token", OCPI_VERSION_NONE, V221, json_of("{}"), NULL, arena, &ret).kind,
        ERR_INTERNAL);
    assert_int_equal(translate("Token", V211, V221, json_of("[]"), NULL, arena, &ret).kind,
                     ERR_BAD_BODY);
    assert_int_equal(translate("Token", V211, V221, NULL, NULL, arena, &ret).kind, ERR_BAD_BODY);
}

/* R-BR-48 */
static void members_of_no_table_stay_in_newer_versions_and_leave_for_211(void **state)
{
    static const char *const text = TOKEN_22("RFID", "'x~/y':{'a':[1.10,null]},");
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    assert_told("Token", V221, V230, text, text);
    assert_told("Token", V230, V221, text, text);
    ret = turned("Token", V221, V211, text);
    assert_json(ret.document, TOKEN_211("RFID"));
    assert_lost(&ret, "/x~0~1y", "{\"a\":[1.1,null]}");
    facts.keep_unknown = true;
    ret = turned_with("Token", V221, V211, json_of(text), &facts);
    assert_json(json_object_get(ret.document, "x~/y"), "{'a':[1.10,null]}");
}

static void an_unknown_member_that_means_something_there_is_dropped(void **state)
{
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    ret = turned_with("Token", V211, V221, with(TOKEN_211("RFID"), "country_code", "'XX'"), &usual);
    assert_text_at(&ret, "/country_code", "FI");
    assert_lost(&ret, "/country_code", "XX");
    facts.keep_unknown = true;
    ret = turned_with("Token", V221, V211, with(TOKEN_22("RFID", ""), "auth_id", "'MINE'"), &facts);
    assert_text_at(&ret, "/auth_id", "C1");
    assert_lost(&ret, "/auth_id", "MINE");
}

static void members_of_a_wrong_type_are_lost(void **state)
{
    static const char *const wrong[] = {"7", "true", "{}", "[]", "[{}]"};
    struct translation ret;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ret = turned_with("Token", V211, V221, with(TOKEN_211("RFID"), "visual_number", wrong[i]),
                          &usual);
        assert_null(json_object_get(ret.document, "visual_number"));
        assert_non_null(loss_at(&ret, "/visual_number"));
        assert_bad_field("Token", V211, V221, with(TOKEN_211("RFID"), "auth_id", wrong[i]), &usual,
                         "/auth_id");
    }
    assert_bad_field("Token", V221, V211, with(TOKEN_22("RFID", ""), "last_updated", "'soon'"),
                     &usual, "/last_updated");
    assert_bad_field("Token", V221, V230, with(TOKEN_22("RFID", ""), "uid", "null"), &usual,
                     "/uid");
}

static void a_loss_shows_the_first_80_characters(void **state)
{
    char list[2000] = "[";
    struct translation ret;

    (void)state;
    for (int i = 0; i < 100; i++)
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s'ää'", i ? "," : "");
    snprintf(list + strlen(list), sizeof(list) - strlen(list), "]");
    ret = turned_with("Token", V221, V211, with(TOKEN_22("RFID", ""), "x", list), &usual);
    assert_int_equal(text_utf8_count(loss_at(&ret, "/x")->value), 80);
    ret = turned_with("Token", V221, V211,
                      with(TOKEN_22("RFID", ""), "x", arena_printf(arena, "'%0100d'", 1)), &usual);
    assert_int_equal(strlen(loss_at(&ret, "/x")->value), 80);
}

static json_t *large_location(size_t evses)
{
    json_t *json = json_of("{'country_code':'FI','party_id':'ABC','id':'L1','publish':true,"
                           "'address':'S','city':'O','country':'FIN','coordinates':{'latitude':"
                           "'65.01','longitude':'25.46'},'time_zone':'Etc/UTC','evses':[]," T "}");
    json_t *list = json_object_get(json, "evses");

    for (size_t i = 0; i < evses; i++)
        json_array_append(
            list, json_of(arena_printf(arena,
                                       "{'uid':'E%zu','status':'AVAILABLE','floor_level':'1','x':1,"
                                       "'connectors':[{'id':'1','standard':'IEC_62196_T2','format':"
                                       "'SOCKET','power_type':'AC_3_PHASE','max_voltage':230,"
                                       "'max_amperage':32," T "}]," T "}",
                                       i)));
    return json;
}

static double seconds_of(const json_t *json, struct translation *ret)
{
    clock_t begin = clock();

    *ret = turned_with("Location", V221, V211, json, &usual);
    return (double)(clock() - begin) / CLOCKS_PER_SEC;
}

/* Twenty times as many take about twenty times as long: not four hundred. */
static void thousands_of_evses_take_no_more_than_their_share(void **state)
{
    json_t *few = large_location(500), *many = large_location(10000);
    struct translation ret;
    double one = seconds_of(few, &ret), all = seconds_of(many, &ret);

    (void)state;
    assert_int_equal(json_array_size(json_object_get(ret.document, "evses")), 10000);
    assert_int_equal(ret.loss_count, 1000); /* the last says that there are more */
    assert_string_equal(ret.losses[999].field, "");
    assert_true(all < 100 * (one + 0.01));
}

/* --- PATCH (R-BR-09) --- */

static void patches_that_map_one_to_one_go_as_patches(void **state)
{
    static const struct {
        const char *class;
        enum ocpi_version from, to;
        const char *patch, *told;
    } patches[] = {
        {"EVSE", V211, V221, "{'status':'CHARGING'," T "}", "{'status':'CHARGING'," T "}"},
        /* R-BR-08 */
        {"EVSE", V211, V230, "{'status':'CHARGING'}",
         "{'status':'CHARGING','last_updated':'2026-09-21T14:13:20Z'}"},
        {"EVSE", V221, V211, "{'status':'CHARGING','last_updated':'2026-01-01T10:00:00.9Z'}",
         "{'status':'CHARGING'," T "}"},
        {"Connector", V211, V221, "{'voltage':400," T "}", "{'max_voltage':400," T "}"},
        {"Connector", V211, V221, "{'tariff_id':'T'," T "}", "{'tariff_ids':['T']," T "}"},
        {"Connector", V221, V211, "{'tariff_ids':['T']," T "}", "{'tariff_id':'T'," T "}"},
        {"Location", V221, V211, "{'name':'N','state':'S'," T "}", "{'name':'N'," T "}"},
        {"Location", V230, V221, "{'name':null," T "}", "{'name':null," T "}"},
        {"Session", V211, V230, "{'total_cost':1.5," T "}",
         "{'total_cost':{'before_taxes':1.5}," T "}"},
        {"Session", V221, V211,
         "{'end_date_time':'2026-01-01T10:00:00Z','status':'COMPLETED'," T "}",
         "{'end_datetime':'2026-01-01T10:00:00Z','status':'COMPLETED'," T "}"},
        {"Session", V221, V230,
         "{'charging_periods':[{'start_date_time':'2026-01-01T10:00:00Z','dimensions':[{'type':"
         "'ENERGY','volume':1}]}]," T "}",
         "{'charging_periods':[{'start_date_time':'2026-01-01T10:00:00Z','dimensions':[{'type':"
         "'ENERGY','volume':1}]}]," T "}"},
        {"Token", V211, V221, "{'valid':false," T "}", "{'valid':false," T "}"},
        {"Token", V221, V211, "{'type':'APP_USER','contract_id':'C'," T "}",
         "{'type':'OTHER','auth_id':'C'," T "}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(patches) / sizeof(patches[0]); i++) {
        struct translation ret;
        bool whole = true;
        struct err e = translate_patch(patches[i].class, patches[i].from, patches[i].to,
                                       json_of(patches[i].patch), &usual, arena, &ret, &whole);

        if (failed(e) || whole)
            fail_msg("%s: %s", patches[i].patch, failed(e) ? err_text(e) : "it has to be whole");
        assert_json(ret.document, patches[i].told);
    }
}

static void other_patches_have_to_go_as_a_whole(void **state)
{
    static const struct {
        const char *class;
        enum ocpi_version from, to;
        const char *patch;
    } patches[] = {
        {"Location", V211, V221, "{'type':'OTHER'," T "}"},
        {"Location", V211, V221, "{'type':'ON_STREET'," T "}"},
        {"Location", V221, V211, "{'parking_type':'ON_STREET'," T "}"},
        {"Location", V221, V211, "{'parking_type':null," T "}"},
        {"Location", V221, V211, "{'publish':false," T "}"},
        {"Location", V221, V211, "{'publish':true," T "}"},
        {"Location", V221, V211, "{'postal_code':null," T "}"},
        {"Location", V230, V221, "{'parking_type':'ON_THE_MOON'," T "}"},
        {"Location", V221, V211, "{'opening_times':{'twentyfourseven':false}," T "}"},
        {"EVSE", V230, V221,
         "{'connectors':[{'id':'1','standard':'MCS','format':'CABLE',"
         "'power_type':'DC','max_voltage':1,'max_amperage':1," T "}]," T "}"},
        {"Connector", V221, V211, "{'tariff_ids':['A','B']," T "}"},
        {"Connector", V221, V211, "{'tariff_ids':null," T "}"},
        {"Connector", V230, V221, "{'standard':'MCS'," T "}"},
        {"Session", V211, V221, "{'location':{'id':'L'}," T "}"},
        {"Session", V211, V221, "{'charging_periods':[]," T "}"},
        {"Session", V221, V211, "{'charging_periods':[]," T "}"},
        {"Session", V221, V211, "{'evse_uid':'E2'," T "}"},
        {"Session", V211, V221, "{'auth_id':'C'," T "}"},
        {"CDR", V221, V230, "{'remark':'x'," T "}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(patches) / sizeof(patches[0]); i++) {
        struct translation ret;
        bool whole = false;
        struct err e = translate_patch(patches[i].class, patches[i].from, patches[i].to,
                                       json_of(patches[i].patch), &usual, arena, &ret, &whole);

        if (failed(e) || !whole)
            fail_msg("%s: %s", patches[i].patch, failed(e) ? err_text(e) : "it went as a PATCH");
        assert_null(ret.document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(a_token_gets_its_owner_and_its_contract),
        OCPI_TEST(token_types_are_other_where_they_are_unknown),
        OCPI_TEST(a_token_for_211_loses_what_is_newer),
        OCPI_TEST(an_answer_of_211_gets_the_token_that_was_asked_about),
        OCPI_TEST(an_answer_for_211_has_no_token),
        OCPI_TEST(location_references_of_211_lose_their_connectors),
        OCPI_TEST(start_session_between_versions),
        OCPI_TEST(an_evse_that_wants_to_be_told_its_connector_is_told_the_only_one),
        OCPI_TEST(reservations_are_numbers_in_211),
        OCPI_TEST(other_commands_are_alike),
        OCPI_TEST(answers_of_211_are_told_in_words_of_newer_versions),
        OCPI_TEST(answers_for_211_are_told_in_its_words),
        OCPI_TEST(charging_profiles_do_not_go_to_211),
        OCPI_TEST(the_role_hub_is_never_relayed),
        OCPI_TEST(credentials_between_versions),
        OCPI_TEST(endpoints_of_211_get_the_role_of_their_face),
        OCPI_TEST(status_codes_that_211_does_not_know),
        OCPI_TEST(the_same_version_is_the_document_itself),
        OCPI_TEST(an_object_that_is_not_in_the_list_is_our_mistake),
        OCPI_TEST(members_of_no_table_stay_in_newer_versions_and_leave_for_211),
        OCPI_TEST(an_unknown_member_that_means_something_there_is_dropped),
        OCPI_TEST(members_of_a_wrong_type_are_lost),
        OCPI_TEST(a_loss_shows_the_first_80_characters),
        OCPI_TEST(thousands_of_evses_take_no_more_than_their_share),
        OCPI_TEST(patches_that_map_one_to_one_go_as_patches),
        OCPI_TEST(other_patches_have_to_go_as_a_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
