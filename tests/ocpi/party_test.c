/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parties, peers, versions, EVSE ids and connector words.
 */
#include "tests/ocpi/ocpi_test.h"

#include "ocpi/evse_id.h"
#include "ocpi/party.h"
#include "ocpi/peer.h"
#include "ocpi/version.h"

static void party_ids_compare_without_case_and_keep_their_spelling(void **state)
{
    struct party_id a, b;
    char text[PARTY_TEXT];

    (void)state; /* R-TYPE-01 */
    assert_true(party_id_make("fi", "hub", &a));
    assert_true(party_id_make("FI", "HUB", &b));
    assert_true(party_id_equal(&a, &b));
    assert_string_equal(a.country_code, "fi");
    assert_string_equal(party_id_print(&a, text), "FI-HUB");
    assert_true(party_id_make("FI", "HUX", &b));
    assert_false(party_id_equal(&a, &b));
    assert_true(party_id_parse("FI-HUB", &b) && party_id_equal(&a, &b));
    assert_true(party_id_parse("fi*hub", &b) && party_id_equal(&a, &b));
    assert_true(party_id_parse("FIHUB", &b) && party_id_equal(&a, &b));
}

static void what_is_no_party_is_refused(void **state)
{
    static const char *const texts[] = {"",      "F",       "FI",     "FIHU",   "FI-HU",
                                        "F1HUB", "FI-HUBS", "FI_HUB", "FI--UB", "FI-H B"};
    struct party_id p;

    (void)state; /* O07, O08 */
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(party_id_parse(texts[i], &p));
        assert_false(party_id_is_set(&p));
    }
    assert_false(party_id_make(NULL, "HUB", &p));
    assert_false(party_id_make("FI", NULL, &p));
}

static void the_highest_mutual_version_is_chosen(void **state)
{
    static const enum ocpi_version all[] = {OCPI_2_1_1, OCPI_2_2_1, OCPI_2_3_0};
    static const enum ocpi_version some[] = {OCPI_2_2_1};
    static const struct ocpi_version_entry theirs[] = {
        {"2.0", "https://a/0"},     {"2.2.1", "https://a/221"}, {"9.9", "https://a/99"},
        {"2.1.1", "https://a/211"}, {"2.2", "https://a/22"},
    };

    (void)state; /* R-VER-05 */
    assert_string_equal(version_choose(theirs, 5, all, 3)->url, "https://a/221");
    assert_string_equal(version_choose(theirs + 2, 3, all, 3)->url, "https://a/211");
    assert_null(version_choose(theirs + 2, 3, some, 1));
    assert_null(version_choose(theirs, 0, all, 3));
    assert_int_equal(version_parse("2.2"), OCPI_VERSION_NONE);
    assert_int_equal(version_parse("2.2.1"), OCPI_2_2_1);
    assert_string_equal(version_name(OCPI_2_3_0), "2.3.0");
}

static void endpoints_are_found_by_module_and_role(void **state)
{
    static const struct ocpi_endpoint list[] = {
        {"credentials", OCPI_INTERFACE_RECEIVER, "https://a/credentials"},
        {"sessions", OCPI_INTERFACE_SENDER, "https://a/sessions"},
        {"nltnm-tokens", OCPI_INTERFACE_SENDER, "https://a/custom"},
    };
    struct ocpi_version_details details = {.version = "2.2.1", .endpoints = {list, 3}};

    (void)state; /* R-VER-02, 03, 07 */
    assert_string_equal(version_endpoint(&details, "sessions", OCPI_INTERFACE_SENDER)->url,
                        "https://a/sessions");
    assert_null(version_endpoint(&details, "sessions", OCPI_INTERFACE_RECEIVER));
    assert_non_null(version_endpoint(&details, "credentials", OCPI_INTERFACE_SENDER));
    assert_null(version_endpoint(&details, "tokens", OCPI_INTERFACE_SENDER));
}

static void a_peer_knows_its_endpoints_and_hosts(void **state)
{
    static const struct peer_endpoint endpoints[] = {
        {"credentials", OCPI_INTERFACE_SENDER, "https://api.partner.example/credentials"},
        {"commands", OCPI_INTERFACE_RECEIVER, "https://cmd.partner.example:8443/commands/"},
    };
    static const char *const hosts[] = {"cdn.example", "files.example:9443"};
    struct peer peer = {.versions_url = "https://api.partner.example/versions",
                        .endpoints = endpoints,
                        .endpoint_count = 2,
                        .hosts = hosts,
                        .host_count = 2};
    enum auth_encoding encoding;

    (void)state; /* R-TRANS-47, R-ASYNC-17, R-VER-03 */
    assert_string_equal(peer_endpoint(&peer, "commands", OCPI_INTERFACE_RECEIVER),
                        "https://cmd.partner.example:8443/commands/");
    assert_null(peer_endpoint(&peer, "commands", OCPI_INTERFACE_SENDER));
    assert_non_null(peer_endpoint(&peer, "credentials", OCPI_INTERFACE_RECEIVER));
    assert_true(peer_owns_url(&peer, "https://API.partner.example:443/tokens?offset=5"));
    assert_true(peer_owns_url(&peer, "https://cmd.partner.example:8443/x"));
    assert_true(peer_owns_url(&peer, "https://cdn.example/x"));
    assert_true(peer_owns_url(&peer, "https://files.example:9443/x"));
    assert_false(peer_owns_url(&peer, "http://api.partner.example/tokens"));
    assert_false(peer_owns_url(&peer, "https://cmd.partner.example/x"));
    assert_false(peer_owns_url(&peer, "https://cdn.example:8080/x"));
    assert_false(peer_owns_url(&peer, "https://files.example/x"));
    assert_false(peer_owns_url(&peer, "https://api.partner.example.evil.example/"));
    assert_false(peer_owns_url(&peer, "https://evil.example/#api.partner.example"));
    assert_false(peer_owns_url(&peer, "nonsense"));
    assert_true(auth_encoding_parse("base64", &encoding) && encoding == AUTH_BASE64);
    assert_false(auth_encoding_parse("BASE64", &encoding));
    assert_string_equal(auth_encoding_name(AUTH_AUTO), "auto");
}

/* --- EVSE ids --- */

static void evse_ids_have_a_form(void **state)
{
    static const char *const good[] = {"FI-VRT-E12345",
                                       "FI*VRT*E12345",
                                       "fi-vrt-e12345",
                                       "FIVRTE12345",
                                       "FI-VRTE1",
                                       "FI*VRT*E1*2-3",
                                       "DE*1A2*E123456789012345678901234567890"};
    static const char *const bad[] = {"",
                                      "FI",
                                      "FI-VRT-",
                                      "FI-VRT-E",
                                      "FI-VRT-X1",
                                      "F1-VRT-E1",
                                      "FI-VR-E1",
                                      "FI--VRT-E1",
                                      "FI-VRT-E1 ",
                                      "FI-VRT-E1/2",
                                      "FI_VRT_E1",
                                      "FI-V*T-E1",
                                      "FI-VRT-E1\n",
                                      "\303\251I-VRT-E1",
                                      "DE*1A2*E1234567890123456789012345678901"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (!evse_id_valid(good[i]))
            fail_msg("%s was refused", good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (evse_id_valid(bad[i]))
            fail_msg("%s was accepted", bad[i]);
    }
}

static void evse_ids_compare_by_their_key(void **state)
{
    char key[EVSE_ID_KEY], long_id[60] = "";
    struct party_id p;

    (void)state;
    assert_true(evse_id_key("fi*vrt*e12-345", key));
    assert_string_equal(key, "FIVRTE12345");
    assert_true(evse_id_operator(key, &p));
    assert_string_equal(p.country_code, "FI");
    assert_string_equal(p.party_id, "VRT");
    assert_true(evse_id_key("pump 7", key));
    assert_string_equal(key, "PUMP 7");
    assert_false(evse_id_operator("X", &p));
    assert_false(evse_id_key("-*-", key));
    assert_false(evse_id_key("caf\303\251", key));
    memset(long_id, 'a', 48);
    assert_true(evse_id_key(long_id, key));
    long_id[48] = 'a';
    assert_false(evse_id_key(long_id, key));
    assert_string_equal(key, "");
}

static void connector_words_fit_standards(void **state)
{
    static const struct {
        const char *word, *standard, *country;
        bool fits;
    } rows[] = {
        {"CCS", "IEC_62196_T2_COMBO", "NOR", true},
        {"CCS", "IEC_62196_T1_COMBO", "NOR", false},
        {"CCS", "IEC_62196_T1_COMBO", "USA", true},
        {"CCS", "IEC_62196_T2_COMBO", "CAN", false},
        {"CCS", "IEC_62196_T2_COMBO", NULL, true},
        {"ccs1", "IEC_62196_T1_COMBO", "NOR", true},
        {"CCS2", "IEC_62196_T2_COMBO", "USA", true},
        {"CHAdeMO", "CHADEMO", "NOR", true},
        {"TYPE2", "IEC_62196_T2", "NOR", true},
        {"TYPE2", "IEC_62196_T2_COMBO", "NOR", false},
        {"TYPE1", "IEC_62196_T1", "USA", true},
        {"NACS", "SAE_J3400", "NOR", true},
        {"NACS", "TESLA_S", "USA", true},
        {"NACS", "TESLA_S", "NOR", false},
        {"SCHUKO", "DOMESTIC_F", "DEU", true},
        {"GBT_AC", "GBT_AC", "CHN", true},
        {"iec_60309_2_three_32", "IEC_60309_2_three_32", "DEU", true},
        {"IEC_62196_T2", "IEC_62196_T2", "NOR", true},
        {"WARP_PLUG", "WARP_PLUG", "NOR", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (connector_word_fits(rows[i].word, rows[i].standard, rows[i].country) != rows[i].fits)
            fail_msg("%s and %s in %s", rows[i].word, rows[i].standard, rows[i].country);
        assert_int_equal(connector_word_valid(rows[i].word),
                         strcmp(rows[i].word, "WARP_PLUG") != 0);
    }
    assert_false(connector_word_valid(""));
    assert_false(connector_word_valid("UNLISTED"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(party_ids_compare_without_case_and_keep_their_spelling),
        OCPI_TEST(what_is_no_party_is_refused),
        OCPI_TEST(the_highest_mutual_version_is_chosen),
        OCPI_TEST(endpoints_are_found_by_module_and_role),
        OCPI_TEST(a_peer_knows_its_endpoints_and_hosts),
        OCPI_TEST(evse_ids_have_a_form),
        OCPI_TEST(evse_ids_compare_by_their_key),
        OCPI_TEST(connector_words_fit_standards),
    };

    return cmocka_run_group_tests_name("ocpi/party", tests, NULL, NULL);
}
