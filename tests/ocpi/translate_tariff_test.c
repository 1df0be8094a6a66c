/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translation of Tariffs and prices: the rows of table 15.4, R-BR-30 to R-BR-33.
 */
#include "tests/ocpi/translate_check.h"

#define T "'last_updated':'2026-01-01T10:00:00Z'"
#define PLAIN_ELEMENT "{'price_components':[{'type':'ENERGY','price':0.25,'step_size':1}]}"
#define VAT_ELEMENT "{'price_components':[{'type':'ENERGY','price':0.25,'vat':24.0,'step_size':1}]}"

#define TARIFF_211(rest, elements)                                                                 \
    "{'id':'T1','currency':'EUR'," rest "'elements':[" elements "]," T "}"
#define TARIFF_221(rest, elements)                                                                 \
    "{'country_code':'FI','party_id':'ABC','id':'T1','currency':'EUR'," rest                       \
    "'elements':[" elements "]," T "}"
#define TARIFF_230(tax, rest, elements)                                                            \
    "{'country_code':'FI','party_id':'ABC','id':'T1','currency':'EUR','tax_included':'" tax        \
    "'," rest "'elements':[" elements "]," T "}"

static void a_tariff_of_211_gets_owner_and_prices_without_tax(void **state)
{
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    assert_turned("Tariff", V211, V221, TARIFF_211("", PLAIN_ELEMENT),
                  TARIFF_221("", PLAIN_ELEMENT));
    assert_turned("Tariff", V211, V230, TARIFF_211("", PLAIN_ELEMENT),
                  TARIFF_230("NO", "", PLAIN_ELEMENT));
    facts.tax_free = true;
    ret = turned_with("Tariff", V211, V230, json_of(TARIFF_211("", PLAIN_ELEMENT)), &facts);
    assert_json(ret.document, TARIFF_230("N/A", "", PLAIN_ELEMENT));
}

static void a_tariff_for_211_loses_owner_and_vat(void **state)
{
    struct translation ret;

    (void)state;
    ret = turned("Tariff", V221, V211, TARIFF_221("", VAT_ELEMENT));
    assert_json(ret.document, TARIFF_211("", PLAIN_ELEMENT));
    assert_lost(&ret, "/elements/0/price_components/0/vat", "24.0");
    assert_int_equal(ret.loss_count, 1);
    ret = turned("Tariff", V230, V211, TARIFF_230("NO", "", VAT_ELEMENT));
    assert_json(ret.document, TARIFF_211("", PLAIN_ELEMENT));
}

/* R-BR-33, R-TAR-18 */
static void prices_of_221_are_without_tax_in_230(void **state)
{
    (void)state;
    assert_turned("Tariff", V221, V230, TARIFF_221("", VAT_ELEMENT),
                  TARIFF_230("NO", "", VAT_ELEMENT));
    assert_turned("Tariff", V230, V221, TARIFF_230("NO", "", VAT_ELEMENT),
                  TARIFF_221("", VAT_ELEMENT));
    assert_turned("Tariff", V230, V221, TARIFF_230("N/A", "", PLAIN_ELEMENT),
                  TARIFF_221("", PLAIN_ELEMENT));
}

/* R-AMB-17 */
static void a_vat_where_no_tax_applies_is_not_passed_on(void **state)
{
    struct translation ret = turned("Tariff", V230, V221, TARIFF_230("N/A", "", VAT_ELEMENT));

    (void)state;
    assert_json(ret.document, TARIFF_221("", PLAIN_ELEMENT));
    assert_non_null(loss_at(&ret, "/elements/0/price_components/0/vat"));
}

#define PRICED(price, vat)                                                                         \
    "{'price_components':[{'type':'ENERGY','price':" price vat ",'step_size':1}]}"

/* R-BR-32 */
static void a_price_with_tax_is_told_without_to_four_decimals(void **state)
{
    static const struct {
        const char *gross, *net;
    } prices[] = {
        {TARIFF_230("YES", "", PRICED("0.25", ",'vat':24.0")),
         TARIFF_221("", PRICED("0.2016", ",'vat':24.0"))},
        {TARIFF_230("YES", "", PRICED("1.21", ",'vat':21")),
         TARIFF_221("", PRICED("1", ",'vat':21"))},
        {TARIFF_230("YES", "", PRICED("100", ",'vat':0")),
         TARIFF_221("", PRICED("100", ",'vat':0"))},
        {TARIFF_230("YES", "", PRICED("-0.25", ",'vat':24.0")),
         TARIFF_221("", PRICED("-0.2016", ",'vat':24.0"))},
        {TARIFF_230("YES", "", PRICED("999999999", ",'vat':25.5")),
         TARIFF_221("", PRICED("796812748.2072", ",'vat':25.5"))},
        /* Free is free, whatever the tax. */
        {TARIFF_230("YES", "", PRICED("0.00", "")), TARIFF_221("", PRICED("0.00", ""))},
    };
    struct translation ret;

    (void)state;
    for (size_t i = 0; i < sizeof(prices) / sizeof(prices[0]); i++) {
        ret = turned("Tariff", V230, V221, prices[i].gross);
        assert_null(ret.withheld);
        assert_json(ret.document, prices[i].net);
        assert_lost(&ret, "/tax_included", "YES");
    }
    ret = turned("Tariff", V230, V211, prices[0].gross);
    assert_json(ret.document, TARIFF_211("", PRICED("0.2016", "")));
}

static void a_price_with_an_unknown_tax_is_withheld(void **state)
{
    static const char *const text = TARIFF_230("YES", "", VAT_ELEMENT "," PRICED("0.50", ""));
    struct translation_facts facts = usual;
    struct translation ret;

    (void)state;
    ret = turned("Tariff", V230, V221, text);
    assert_non_null(strstr(ret.withheld, "tax"));
    ret = turned("Tariff", V230, V211, text);
    assert_non_null(ret.withheld);
    /* R-BR-33: with the CPO's configured rate, which then stands beside the price. */
    facts.tax_percent_u6 = 25000000;
    ret = turned_with("Tariff", V230, V221, json_of(text), &facts);
    assert_value_at(&ret, "/elements/1/price_components/0",
                    "{'type':'ENERGY','price':0.4,'vat':25,'step_size':1}");
    assert_value_at(&ret, "/elements/0/price_components/0/price", "0.2016");
    /* Neither with nor without. */
    ret = turned("Tariff", V230, V221, TARIFF_230("MAYBE", "", PRICED("0.50", ",'vat':24")));
    assert_non_null(ret.withheld);
    ret = turned("Tariff", V230, V211, TARIFF_221("", PRICED("0.50", ",'vat':24")));
    assert_non_null(ret.withheld);
    ret = turned("Tariff", V230, V221, TARIFF_230("YES", "", PRICED("0.50", ",'vat':-100")));
    assert_non_null(ret.withheld);
}

static void limits_of_the_price_change_their_names(void **state)
{
    static const char *const in_221 =
        TARIFF_221("'min_price':{'excl_vat':5.00,'incl_vat':6.20},'max_price':{'excl_vat':10},",
                   PLAIN_ELEMENT);
    static const char *const in_230 = TARIFF_230(
        "NO",
        "'min_price':{'before_taxes':5.00,'after_taxes':6.20},'max_price':{'before_taxes':10},",
        PLAIN_ELEMENT);

    (void)state;
    assert_turned("Tariff", V221, V230, in_221, in_230);
    assert_turned("Tariff", V230, V221, in_230, in_221);
}

static void limits_of_the_price_are_told_in_words_to_211(void **state)
{
    struct translation ret;

    (void)state;
    ret = turned("Tariff", V221, V211,
                 TARIFF_221("'min_price':{'excl_vat':5,'incl_vat':6.2},"
                            "'tariff_alt_text':[{'language':'fi','text':'Hinta'}],",
                            PLAIN_ELEMENT));
    assert_value_at(&ret, "/tariff_alt_text",
                    "[{'language':'fi','text':'Hinta'},{'language':'en','text':"
                    "'Minimum price: 5.00 EUR without tax, 6.20 EUR with tax.'}]");
    assert_non_null(loss_at(&ret, "/min_price"));
    ret = turned("Tariff", V230, V211,
                 TARIFF_230("NO",
                            "'max_price':{'before_taxes':7.125},"
                            "'tariff_alt_text':[{'language':'en','text':'Cheap.'}],",
                            PLAIN_ELEMENT));
    assert_value_at(&ret, "/tariff_alt_text",
                    "[{'language':'en','text':'Cheap. Maximum price: 7.125 EUR without tax.'}]");
}

static void only_regular_tariffs_go_to_211(void **state)
{
    struct translation ret;

    (void)state;
    ret = turned("Tariff", V221, V211, TARIFF_221("'type':'REGULAR',", PLAIN_ELEMENT));
    assert_json(ret.document, TARIFF_211("", PLAIN_ELEMENT));
    ret = turned("Tariff", V221, V211, TARIFF_221("'type':'PROFILE_GREEN',", PLAIN_ELEMENT));
    assert_non_null(ret.withheld);
    ret = turned("Tariff", V230, V211, TARIFF_230("NO", "'type':'AD_HOC_PAYMENT',", PLAIN_ELEMENT));
    assert_non_null(ret.withheld);
    ret = turned("Tariff", V230, V221, TARIFF_230("NO", "'type':'AD_HOC_PAYMENT',", PLAIN_ELEMENT));
    assert_text_at(&ret, "/type", "AD_HOC_PAYMENT");
}

static void only_tariffs_in_force_go_to_211(void **state)
{
    static const struct {
        const char *period;
        bool goes;
    } periods[] = {
        {"'start_date_time':'2026-09-21T14:13:20Z','end_date_time':'2026-09-21T14:13:21Z',", true},
        {"'start_date_time':'2026-09-21T14:13:21Z',", false},
        {"'end_date_time':'2026-09-21T14:13:20Z',", false},
    };
    struct translation ret;

    (void)state;
    for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
        json_t *json =
            json_of(arena_printf(arena, TARIFF_221("%s", PLAIN_ELEMENT), periods[i].period));

        ret = turned_with("Tariff", V221, V211, json, &usual);
        assert_int_equal(!ret.withheld, periods[i].goes);
        if (periods[i].goes)
            assert_non_null(loss_at(&ret, "/start_date_time"));
        ret = turned_with("Tariff", V221, V230, json, &usual);
        assert_null(ret.withheld);
        assert_non_null(
            json_object_get(ret.document, i == 2 ? "end_date_time" : "start_date_time"));
    }
}

static void preauthorize_amount_is_lost(void **state)
{
    struct translation ret =
        turned("Tariff", V230, V221, TARIFF_230("NO", "'preauthorize_amount':50,", PLAIN_ELEMENT));

    (void)state;
    assert_json(ret.document, TARIFF_221("", PLAIN_ELEMENT));
    assert_lost(&ret, "/preauthorize_amount", "50");
}

#define RESTRICTED(restrictions)                                                                   \
    "{'price_components':[{'type':'TIME','price':1,'step_size':60}],'restrictions':{" restrictions \
    "}}"

/* R-BR-30 */
static void an_element_whose_restriction_is_unknown_is_left_out(void **state)
{
    static const char *const restrictions[] = {"'reservation':'RESERVATION'", "'min_current':16",
                                               "'max_current':32", "'booking':'BOOKING'",
                                               "'moon_phase':'FULL'"};
    struct translation_facts facts = usual;
    struct translation ret;
    json_t *json;

    (void)state;
    for (size_t i = 0; i < sizeof(restrictions) / sizeof(restrictions[0]); i++) {
        json = json_of(arena_printf(arena, TARIFF_221("", RESTRICTED("%s") "," PLAIN_ELEMENT),
                                    restrictions[i]));
        ret = turned_with("Tariff", V221, V211, json, &usual);
        assert_value_at(&ret, "/elements", "[" PLAIN_ELEMENT "]");
        assert_non_null(loss_at(&ret, "/elements/0"));
        assert_text_at(&ret, "/tariff_alt_text/0/language", "en");
        assert_non_null(
            strstr(json_text_of(at(ret.document, "/tariff_alt_text/0"), "text"), "indicative"));
    }
    facts.keep_unknown = true;
    ret = turned_with("Tariff", V221, V211, json, &facts);
    assert_value_at(&ret, "/elements/0/restrictions", "{'moon_phase':'FULL'}");

    ret = turned("Tariff", V230, V221,
                 TARIFF_230("NO", "", RESTRICTED("'booking':'BOOKING'") "," PLAIN_ELEMENT));
    assert_value_at(&ret, "/elements", "[" PLAIN_ELEMENT "]");
    assert_non_null(
        strstr(json_text_of(at(ret.document, "/tariff_alt_text/0"), "text"), "indicative"));
    ret = turned("Tariff", V230, V221,
                 TARIFF_230("NO", "", RESTRICTED("'reservation':'RESERVATION','max_current':32")));
    assert_value_at(&ret, "/elements/0/restrictions",
                    "{'reservation':'RESERVATION','max_current':32}");
    assert_null(json_object_get(ret.document, "tariff_alt_text"));
}

static void a_tariff_without_any_element_left_is_withheld(void **state)
{
    struct translation ret =
        turned("Tariff", V221, V211, TARIFF_221("", RESTRICTED("'reservation':'RESERVATION'")));

    (void)state;
    assert_non_null(ret.withheld);
}

static void restrictions_of_every_version_are_copied(void **state)
{
    static const char *const element =
        RESTRICTED("'start_time':'09:00','end_time':'18:00','start_date':'2026-01-01',"
                   "'end_date':'2027-01-01','min_kwh':1.5,'max_kwh':20,'min_power':3.7,"
                   "'max_power':22,'min_duration':60,'max_duration':7200,"
                   "'day_of_week':['MONDAY','SUNDAY']");
    json_t *json = json_of(arena_printf(arena, TARIFF_221("", "%s"), element));
    struct translation ret = turned_with("Tariff", V221, V211, json, &usual);

    (void)state;
    assert_value_at(&ret, "/elements/0", element);
    assert_int_equal(ret.loss_count, 0);
    ret = turned_with("Tariff", V211, V230, ret.document, &usual);
    assert_value_at(&ret, "/elements/0", element);
}

static void a_step_size_of_zero_is_copied(void **state)
{
    struct translation ret =
        turned("Tariff", V211, V221,
               TARIFF_211("", "{'price_components':[{'type':'FLAT','price':0.00,'step_size':0}]}"));

    (void)state;
    assert_value_at(&ret, "/elements/0/price_components/0/step_size", "0");
}

static void energy_mix_of_a_tariff_follows_that_of_a_location(void **state)
{
    struct translation ret =
        turned("Tariff", V211, V221,
               TARIFF_211("'energy_mix':{'is_green_energy':false,'environ_impact':[{'source':"
                          "'CARBON_DIOXIDE','amount':3}]},",
                          PLAIN_ELEMENT));

    (void)state;
    assert_value_at(&ret, "/energy_mix/environ_impact/0",
                    "{'category':'CARBON_DIOXIDE','amount':3}");
}

/* R-TYPE-08, R-TYPE-09 */
static void prices_keep_their_digits_and_texts_become_numbers(void **state)
{
    struct translation ret;
    size_t length;

    (void)state;
    ret = turned("Tariff", V211, V230, TARIFF_211("", PRICED("0.1", "")));
    assert_non_null(strstr(json_text(arena, ret.document, &length), "\"price\":0.1,"));
    ret = turned("Tariff", V211, V221, TARIFF_211("", PRICED("'0.30'", "")));
    assert_value_at(&ret, "/elements/0/price_components/0/price", "0.3");
    ret = turned("Tariff", V230, V221, TARIFF_230("NO", "", PRICED("'0.30'", "")));
    assert_value_at(&ret, "/elements/0/price_components/0/price", "0.3");
}

/* R-TAR-15 */
static void a_patch_of_a_tariff_goes_as_a_whole(void **state)
{
    struct translation ret;
    bool whole;

    (void)state;
    assert_false(failed(translate_patch("Tariff", V211, V221, json_of("{'currency':'SEK'}"), &usual,
                                        arena, &ret, &whole)));
    assert_true(whole);
    assert_null(ret.document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(a_tariff_of_211_gets_owner_and_prices_without_tax),
        OCPI_TEST(a_tariff_for_211_loses_owner_and_vat),
        OCPI_TEST(prices_of_221_are_without_tax_in_230),
        OCPI_TEST(a_vat_where_no_tax_applies_is_not_passed_on),
        OCPI_TEST(a_price_with_tax_is_told_without_to_four_decimals),
        OCPI_TEST(a_price_with_an_unknown_tax_is_withheld),
        OCPI_TEST(limits_of_the_price_change_their_names),
        OCPI_TEST(limits_of_the_price_are_told_in_words_to_211),
        OCPI_TEST(only_regular_tariffs_go_to_211),
        OCPI_TEST(only_tariffs_in_force_go_to_211),
        OCPI_TEST(preauthorize_amount_is_lost),
        OCPI_TEST(an_element_whose_restriction_is_unknown_is_left_out),
        OCPI_TEST(a_tariff_without_any_element_left_is_withheld),
        OCPI_TEST(restrictions_of_every_version_are_copied),
        OCPI_TEST(a_step_size_of_zero_is_copied),
        OCPI_TEST(energy_mix_of_a_tariff_follows_that_of_a_location),
        OCPI_TEST(prices_keep_their_digits_and_texts_become_numbers),
        OCPI_TEST(a_patch_of_a_tariff_goes_as_a_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
