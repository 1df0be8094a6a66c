/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check of a CDR: each thing that can be wrong with it, by itself, lands in its class.
 */
#include "tests/ocpi/price_check.h"

#include "base/json.h"
#include "base/text.h"
#include "ocpi/cdr_check.h"

#define NOW "2026-05-04T12:00:00Z"
#define FLAT_AND_ENERGY ALWAYS(VAT("FLAT", "0.50", "19", "1") "," VAT("ENERGY", "0.40", "19", "1"))
#define PERIODS                                                                                    \
    "'charging_periods':[{'start_date_time':'2026-05-04T08:00:00Z','dimensions':["                 \
    "{'type':'TIME','volume':1.0},{'type':'ENERGY','volume':20.0}]},"                              \
    "{'start_date_time':'2026-05-04T09:00:00Z','dimensions':["                                     \
    "{'type':'PARKING_TIME','volume':0.5}]}]"
/* 0.50 + 20 kWh at 0.40: 8.50 net, 10.115 gross. */
#define CDR                                                                                        \
    "{'country_code':'DE','party_id':'ABC','id':'C1','currency':'EUR',"                            \
    "'start_date_time':'2026-05-04T08:00:00Z','end_date_time':'2026-05-04T09:30:00Z',"             \
    "'cdr_token':{'country_code':'DE','party_id':'TNM','uid':'U','type':'RFID',"                   \
    "'contract_id':'X'},'auth_method':'COMMAND','cdr_location':{'id':'L','address':'S',"           \
    "'city':'C','country':'DEU','coordinates':{'latitude':'1.00000','longitude':'2.00000'},"       \
    "'evse_uid':'1','evse_id':'DE*ABC*E1','connector_id':'1',"                                     \
    "'connector_standard':'IEC_62196_T2','connector_format':'CABLE',"                              \
    "'connector_power_type':'DC'},'tariffs':[" TARIFF(                                             \
        FLAT_AND_ENERGY) "]," PERIODS ","                                                          \
                         "'total_cost':{'excl_vat':8.5,'incl_vat':10.115},'total_energy':20.0,"    \
                         "'total_time':1.5,'total_parking_time':0.5," T "}"

static struct cdr_facts facts(void)
{
    return (struct cdr_facts){
        .now_us = at(NOW),
        .zone = zone_of_rule(arena, RULE_OF_BERLIN),
        .power_w = 50000,
        .session_energy_u6 = 20000000,
        .signed_energy_u6 = NUMBER_NONE,
    };
}

/* The CDR with other members. */
static json_t *with(const char *members)
{
    json_t *cdr = json_of(CDR);

    assert_int_equal(json_object_update(cdr, json_of(members)), 0);
    return cdr;
}

static struct price_record record_of(const json_t *cdr)
{
    struct price_record r;
    struct err e = price_record_read(OCPI_2_2_1, cdr, arena, &r);

    if (failed(e))
        fail_msg("the test's own CDR is wrong: %s", err_text(e));
    return r;
}

static struct cdr_check checked_by(const char *members, const struct cdr_facts *f)
{
    struct price_record r = record_of(with(members));
    struct cdr_check c;

    cdr_check(&r, f, arena, &c);
    return c;
}

static struct cdr_check checked(const char *members)
{
    struct cdr_facts f = facts();

    return checked_by(members, &f);
}

/* Exactly this finding, and the class. */
static void assert_found(const struct cdr_check *c, enum cdr_finding_kind kind,
                         enum cdr_class class)
{
    if (!cdr_check_find(c, kind) || c->class != class || c->finding_count != 1)
        fail_msg("%s with %zu findings, first %s", cdr_class_name(c->class), c->finding_count,
                 c->finding_count ? c->findings[0].text : "none");
}

static void a_right_cdr_is_ok(void **state)
{
    struct cdr_check c = checked("{}");

    (void)state;
    assert_int_equal(c.class, CDR_OK);
    assert_int_equal(c.finding_count, 0);
    assert_true(c.reckoned && c.by_own_tariff);
    assert_int_equal(c.net_u6, 8500000);
    assert_int_equal(c.gross_u6, 10115000);
    assert_int_equal(c.delta_u6, 0);
    assert_int_equal(c.history.periods.count, 2);
}

static void measured_values_that_cannot_be_are_held(void **state)
{
    static const struct {
        const char *members;
        enum cdr_finding_kind finding;
    } rows[] = {
        {"{'end_date_time':'2026-05-04T12:05:01Z','total_time':4.0836}", CDR_FINDING_in_the_future},
        {"{'start_date_time':'0001-01-01T00:00:00Z','end_date_time':'0001-01-01T01:30:00Z'}",
         CDR_FINDING_long_ago},
        {"{'start_date_time':'2026-04-27T00:00:00Z','total_time':177.5}", CDR_FINDING_too_long},
        {"{'total_energy':20.003}", CDR_FINDING_energy_mismatch},
        {"{'total_energy':-20}", CDR_FINDING_negative_energy},
        {"{'total_time':1.6}", CDR_FINDING_duration_mismatch},
        {"{'total_parking_time':0.4}", CDR_FINDING_time_mismatch},
        {"{'currency':'SEK'}", CDR_FINDING_currency_mismatch},
        {"{'total_cost':{'excl_vat':-8.5}}", CDR_FINDING_negative_total},
        {"{'credit':true,'credit_reference_id':'C0'}", CDR_FINDING_credit_positive},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cdr_check c = checked(rows[i].members);
        if (!cdr_check_find(&c, rows[i].finding) || c.class != CDR_QUARANTINE)
            fail_msg("%s: %s", rows[i].members,
                     c.finding_count ? c.findings[0].text : cdr_class_name(c.class));
    }
}

static void the_end_may_be_five_minutes_ahead(void **state)
{
    struct cdr_facts f = facts();

    (void)state;
    f.now_us = at("2026-05-04T09:25:00Z");
    assert_int_equal(checked_by("{}", &f).class, CDR_OK);
    f.now_us--;
    struct cdr_check c = checked_by("{}", &f);
    assert_found(&c, CDR_FINDING_in_the_future, CDR_QUARANTINE);
}

static void energy_is_held_against_power_session_and_meter(void **state)
{
    struct cdr_facts f = facts();
    struct cdr_check c;

    (void)state;
    /* 20 kWh in 1.5 h and a second: 12.119 kW with a tenth more are enough, 12.118 are not. */
    f.power_w = 12119;
    assert_int_equal(checked_by("{}", &f).class, CDR_OK);
    f.power_w = 12118;
    c = checked_by("{}", &f);
    assert_found(&c, CDR_FINDING_energy_above_power, CDR_QUARANTINE);
    f = facts();
    f.session_energy_u6 = 20202020;
    assert_int_equal(checked_by("{}", &f).class, CDR_OK);
    f.session_energy_u6 = 20202021;
    c = checked_by("{}", &f);
    assert_found(&c, CDR_FINDING_energy_fell, CDR_QUARANTINE);
    f = facts();
    f.signed_energy_u6 = 20000000;
    assert_int_equal(checked_by("{}", &f).class, CDR_OK);
    f.signed_energy_u6 = 20001000;
    c = checked_by("{}", &f);
    assert_found(&c, CDR_FINDING_signed_mismatch, CDR_QUARANTINE);
}

/* A network that tells whole seconds and hours of four decimals is not wrong for that. */
static void what_is_rounded_is_not_wrong(void **state)
{
#define SHORT(end, hours, energy)                                                                  \
    "{'end_date_time':'2026-05-04T08:" end "Z','total_energy':" energy ",'total_time':" hours      \
    ",'total_parking_time':0,'charging_periods':[{'start_date_time':'2026-05-04T08:00:00Z',"       \
    "'dimensions':[{'type':'TIME','volume':" hours "},{'type':'ENERGY','volume':" energy "}]}]}"
    struct cdr_facts f = facts();
    struct cdr_check c;

    (void)state;
    f.session_energy_u6 = NUMBER_NONE;
    /* Began and ended within a second, at 50 kW: 15.2 Wh at most. */
    c = checked_by(SHORT("00:00", "0.0002", "0.0152"), &f);
    assert_null(cdr_check_find(&c, CDR_FINDING_energy_above_power));
    c = checked_by(SHORT("00:00", "0.0002", "0.0153"), &f);
    assert_non_null(cdr_check_find(&c, CDR_FINDING_energy_above_power));
    /* 0.0169 h are 60.84 s, which means 61: a second more than the times tell, and no more. */
    c = checked_by(SHORT("01:00", "0.0169", "0.5"), &f);
    assert_null(cdr_check_find(&c, CDR_FINDING_duration_mismatch));
    c = checked_by(SHORT("01:00", "0.0170", "0.5"), &f);
    assert_null(cdr_check_find(&c, CDR_FINDING_duration_mismatch));
    c = checked_by(SHORT("01:00", "0.0171", "0.5"), &f);
    assert_non_null(cdr_check_find(&c, CDR_FINDING_duration_mismatch));
    /* A Session of three decimals, a CDR of four: a watt-hour is nothing, however small the sum. */
    f.session_energy_u6 = 25000;
    c = checked_by(SHORT("01:00", "0.0167", "0.0240"), &f);
    assert_null(cdr_check_find(&c, CDR_FINDING_energy_fell));
    c = checked_by(SHORT("01:00", "0.0167", "0.0239"), &f);
    assert_non_null(cdr_check_find(&c, CDR_FINDING_energy_fell));
}

static void periods_are_in_order_and_inside(void **state)
{
    struct cdr_check c =
        checked("{'charging_periods':[{'start_date_time':'2026-05-04T09:00:00Z','dimensions':["
                "{'type':'PARKING_TIME','volume':0.5}]},{'start_date_time':'2026-05-04T08:00:00Z',"
                "'dimensions':[{'type':'TIME','volume':1.0},{'type':'ENERGY','volume':20.0}]}]}");

    (void)state;
    assert_found(&c, CDR_FINDING_periods_unordered, CDR_QUARANTINE);
    assert_string_equal(c.findings[0].where, "/charging_periods/1/start_date_time");
    c = checked("{'charging_periods':[{'start_date_time':'2026-05-04T07:59:59Z','dimensions':["
                "{'type':'TIME','volume':1.0},{'type':'ENERGY','volume':20.0}]},"
                "{'start_date_time':'2026-05-04T09:00:00Z','dimensions':["
                "{'type':'PARKING_TIME','volume':0.5}]}]}");
    assert_found(&c, CDR_FINDING_periods_outside, CDR_QUARANTINE);
}

static void watt_hours_are_named(void **state)
{
    struct cdr_check c =
        checked("{'charging_periods':[{'start_date_time':'2026-05-04T08:00:00Z','dimensions':["
                "{'type':'TIME','volume':1.0},{'type':'ENERGY','volume':20000}]},"
                "{'start_date_time':'2026-05-04T09:00:00Z','dimensions':["
                "{'type':'PARKING_TIME','volume':0.5}]}]}");

    (void)state;
    assert_non_null(cdr_check_find(&c, CDR_FINDING_watt_hours));
    assert_int_equal(c.class, CDR_QUARANTINE);
}

static void times_have_a_second_per_period(void **state)
{
    (void)state;
    /* 0.0005 h are 1.8 s. */
    struct cdr_check c = checked("{'total_time':1.5005,'total_parking_time':0.5005}");

    assert_int_equal(c.class, CDR_OK);
    c = checked("{'total_time':1.5006,'total_parking_time':0.5006}");
    assert_int_equal(c.class, CDR_QUARANTINE);
    struct cdr_limits limits = cdr_limits_default("EUR");
    struct cdr_facts f = facts();
    limits.time_s = 60;
    f.limits = &limits;
    c = checked_by("{'end_date_time':'2026-05-04T09:29:00Z'}", &f);
    assert_null(cdr_check_find(&c, CDR_FINDING_duration_mismatch));
}

/* Whether a reservation is part of the session's time, networks see in two ways. */
static void a_reservation_may_count_or_not(void **state)
{
#define RESERVED                                                                                   \
    "'start_date_time':'2026-05-04T07:45:00Z','charging_periods':["                                \
    "{'start_date_time':'2026-05-04T07:45:00Z','dimensions':["                                     \
    "{'type':'RESERVATION_TIME','volume':0.25}]},{'start_date_time':'2026-05-04T08:00:00Z',"       \
    "'dimensions':[{'type':'TIME','volume':1.0},{'type':'ENERGY','volume':20.0}]},"                \
    "{'start_date_time':'2026-05-04T09:00:00Z','dimensions':["                                     \
    "{'type':'PARKING_TIME','volume':0.5}]}]"
    struct cdr_check c = checked("{" RESERVED ",'total_time':1.5}");

    (void)state;
    assert_int_equal(c.class, CDR_OK);
    c = checked("{" RESERVED ",'total_time':1.4}");
    assert_non_null(cdr_check_find(&c, CDR_FINDING_duration_mismatch));
}

/* Where a period tells no time there is nothing to add up. */
static void periods_without_times_are_not_summed(void **state)
{
    struct cdr_check c =
        checked("{'charging_periods':[{'start_date_time':'2026-05-04T08:00:00Z','dimensions':["
                "{'type':'ENERGY','volume':20.0}]},{'start_date_time':'2026-05-04T09:00:00Z',"
                "'dimensions':[{'type':'PARKING_TIME','volume':0.5}]}]}");

    (void)state;
    assert_int_equal(c.class, CDR_OK);
}

static void neighbours_are_named(void **state)
{
    struct cdr_facts f = facts();

    (void)state;
    f.token_overlap = "770e8400";
    struct cdr_check c = checked_by("{}", &f);
    assert_found(&c, CDR_FINDING_token_overlap, CDR_QUARANTINE);
    assert_non_null(strstr(c.findings[0].text, "770e8400"));
    f.token_overlap = NULL;
    f.evse_overlap = "770e8401";
    c = checked_by("{}", &f);
    assert_found(&c, CDR_FINDING_evse_overlap, CDR_QUARANTINE);
}

/* ---- amounts ---- */

static void w13_a_deviation_has_a_class(void **state)
{
    static const struct {
        int64_t stated, reckoned;
        enum cdr_class class;
    } rows[] = {
        {12280000, 12375000, CDR_WARN},
        {12370000, 12375000, CDR_OK},
        {13000000, 12375000, CDR_DISPUTE},
        {12375000, 12375000, CDR_OK},
        {12385000, 12375000, CDR_OK},
        {12385100, 12375000, CDR_WARN},
        {100050000, 100000000, CDR_OK},
        {100050100, 100000000, CDR_WARN},
        {100500000, 100000000, CDR_WARN},
        {100500100, 100000000, CDR_DISPUTE},
        {10200000, 10000000, CDR_WARN},
        {10200100, 10000000, CDR_DISPUTE},
        {0, 10000, CDR_OK},
        {10100, 0, CDR_DISPUTE},
        {10000, 0, CDR_OK},
        {-12280000, -12375000, CDR_WARN},
        {INT64_MAX, INT64_MIN + 1, CDR_DISPUTE},
        /* The fifth decimal is nobody's. */
        {12385040, 12375000, CDR_OK},
    };
    struct cdr_limits limits = cdr_limits_default("EUR");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum cdr_class class = cdr_class_of_difference(rows[i].stated, rows[i].reckoned, &limits);
        if (class != rows[i].class)
            fail_msg("row %zu: %s", i, cdr_class_name(class));
    }
    limits = cdr_limits_default("JPY");
    assert_int_equal(cdr_class_of_difference(101000000, 100000000, &limits), CDR_OK);
    assert_int_equal(cdr_class_of_difference(102000000, 100000000, &limits), CDR_WARN);
}

static void a_wrong_price_is_a_difference(void **state)
{
    struct cdr_check c = checked("{'total_cost':{'excl_vat':8.6}}");

    (void)state;
    assert_found(&c, CDR_FINDING_cost_differs, CDR_WARN);
    assert_int_equal(c.delta_u6, 100000);
    assert_int_equal(c.delta_percent_u4, 11764);
    c = checked("{'total_cost':{'excl_vat':9.5}}");
    assert_found(&c, CDR_FINDING_cost_differs, CDR_DISPUTE);
    c = checked("{'total_cost':{'excl_vat':8.509}}");
    assert_int_equal(c.class, CDR_OK);
}

static void a_wrong_vat_is_a_difference(void **state)
{
    struct cdr_check c = checked("{'total_cost':{'excl_vat':8.5,'incl_vat':10.285}}");

    (void)state;
    assert_found(&c, CDR_FINDING_gross_differs, CDR_WARN);
    c = checked("{'total_cost':{'excl_vat':8.5,'incl_vat':12.5}}");
    assert_found(&c, CDR_FINDING_gross_differs, CDR_DISPUTE);
    c = checked("{'total_cost':{'excl_vat':8.5,'incl_vat':8.4}}");
    assert_non_null(cdr_check_find(&c, CDR_FINDING_tax_mismatch));
}

static void the_worst_finding_counts(void **state)
{
    struct cdr_check c = checked("{'total_cost':{'excl_vat':8.6},'total_energy':21}");

    (void)state;
    assert_int_equal(c.class, CDR_QUARANTINE);
    assert_int_equal(c.finding_count, 2);
    assert_non_null(cdr_check_find(&c, CDR_FINDING_cost_differs));
    assert_non_null(cdr_check_find(&c, CDR_FINDING_energy_mismatch));
}

static void limits_cap_each_total_by_itself(void **state)
{
    struct cdr_check c = checked(
        "{'tariffs':[" TARIFF_WITH("'max_price':{'excl_vat':6.00,'incl_vat':7.00},",
                                   FLAT_AND_ENERGY) "],'total_cost':{'excl_vat':6,'incl_vat':7}}");

    (void)state;
    assert_int_equal(c.class, CDR_OK);
    assert_int_equal(c.net_u6, 6000000);
    assert_int_equal(c.gross_u6, 7000000);
}

/* ---- tariffs ---- */

static void the_tariff_of_the_start_counts(void **state)
{
    struct cdr_facts f = facts();
    struct price_tariff start = tariff_of(TARIFF(FLAT_AND_ENERGY));

    (void)state;
    f.start_tariffs = &start;
    f.start_tariff_count = 1;
    assert_int_equal(checked_by("{}", &f).class, CDR_OK);
    /* Where the CDR has none, it is all there is. */
    struct cdr_check c = checked_by("{'tariffs':[]}", &f);
    assert_int_equal(c.class, CDR_OK);
    assert_true(c.reckoned && !c.by_own_tariff);
    /* Dearer than promised: right by its own tariff, and wrong by that of the start. */
    start = tariff_of(
        TARIFF(ALWAYS(VAT("FLAT", "0.50", "19", "1") "," VAT("ENERGY", "0.30", "19", "1"))));
    c = checked_by("{}", &f);
    assert_found(&c, CDR_FINDING_tariff_changed, CDR_DISPUTE);
    assert_non_null(strstr(c.findings[0].text, "element 0"));
    assert_non_null(strstr(c.findings[0].text, "6.5"));
    /* Another step that makes no difference here. */
    start = tariff_of(
        TARIFF(ALWAYS(VAT("FLAT", "0.50", "19", "1") "," VAT("ENERGY", "0.40", "19", "100"))));
    c = checked_by("{}", &f);
    assert_found(&c, CDR_FINDING_tariff_changed, CDR_WARN);
    start.id = "T2";
    c = checked_by("{}", &f);
    assert_found(&c, CDR_FINDING_tariff_changed, CDR_WARN);
    assert_non_null(strstr(c.findings[0].text, "another tariff"));
}

static void a_tariff_that_is_named_per_period_may_change(void **state)
{
    struct cdr_facts f = facts();
    struct price_tariff start = tariff_of(TARIFF(ALWAYS(VAT("ENERGY", "0.20", "19", "1"))));

    (void)state;
    f.start_tariffs = &start;
    f.start_tariff_count = 1;
    struct cdr_check c = checked_by(
        "{'charging_periods':[{'start_date_time':'2026-05-04T08:00:00Z','tariff_id':'T1',"
        "'dimensions':[{'type':'TIME','volume':1.0},{'type':'ENERGY','volume':20.0}]},"
        "{'start_date_time':'2026-05-04T09:00:00Z','tariff_id':'T1','dimensions':["
        "{'type':'PARKING_TIME','volume':0.5}]}]}",
        &f);
    assert_found(&c, CDR_FINDING_tariff_changed, CDR_WARN);
}

static void without_a_tariff_nothing_is_recalculated(void **state)
{
    struct cdr_check c = checked("{'tariffs':[]}");

    (void)state;
    assert_found(&c, CDR_FINDING_no_tariff, CDR_WARN);
    assert_false(c.reckoned);
    assert_int_equal(c.net_u6, NUMBER_NONE);
    /* What happened is known all the same. */
    assert_int_equal(c.history.periods.count, 2);
    c = checked("{'tariffs':[],'total_cost':{'excl_vat':0}}");
    assert_int_equal(c.class, CDR_OK);
}

static void what_is_uncertain_is_told(void **state)
{
    struct cdr_facts f = facts();
    const char *night = "{'tariffs':[" TARIFF(
        WHEN("'start_time':'00:00','end_time':'12:00'",
             VAT("FLAT", "0.50", "19", "1") "," VAT("ENERGY", "0.40", "19", "1"))) "]}";

    (void)state;
    f.zone = NULL;
    struct cdr_check c = checked_by(night, &f);
    assert_found(&c, CDR_FINDING_assumed_zone, CDR_OK);
    c = checked("{'charging_periods':[{'start_date_time':'2026-05-04T08:00:00Z','dimensions':["
                "{'type':'ENERGY','volume':20.0}]}],'total_parking_time':0,'tariffs':[" TARIFF(
                    ALWAYS(VAT("TIME", "1", "19", "1"))) "],'total_cost':{'excl_vat':1.5}}");
    assert_found(&c, CDR_FINDING_assumed_charging, CDR_OK);
    c = checked("{'tariffs':[" TARIFF(
        WHEN("'max_current':32", VAT("ENERGY", "1", "19", "1"))) "],"
                                                                 "'total_cost':{'excl_"
                                                                 "vat':0}}");
    assert_found(&c, CDR_FINDING_missing_current, CDR_WARN);
    f = facts();
    f.now_us = at("2026-06-03T09:30:01Z");
    c = checked_by("{}", &f);
    assert_found(&c, CDR_FINDING_late, CDR_WARN);
    f.now_us -= US_PER_SECOND;
    assert_int_equal(checked_by("{}", &f).class, CDR_OK);
    c = checked("{'tariffs':[" TARIFF_WITH("'end_date_time':'2026-01-01T00:00:00Z',",
                                           FLAT_AND_ENERGY) "]}");
    assert_found(&c, CDR_FINDING_tariff_not_valid, CDR_WARN);
}

static void what_cannot_be_reckoned_is_held(void **state)
{
    struct price_record r = record_of(with("{}"));
    struct cdr_facts f = facts();
    struct price_tariff two[2];
    struct cdr_check c;

    (void)state;
    two[0] = tariff_of(TARIFF(FLAT_AND_ENERGY));
    two[1] = two[0];
    two[1].currency = "SEK";
    r.tariffs.at = two;
    r.tariffs.count = 2;
    cdr_check(&r, &f, arena, &c);
    assert_non_null(cdr_check_find(&c, CDR_FINDING_beyond_reckoning));
    assert_non_null(cdr_check_find(&c, CDR_FINDING_currency_mismatch));
    assert_int_equal(c.class, CDR_QUARANTINE);
    assert_false(c.reckoned);
    r = record_of(with("{}"));
    r.end_us = r.start_us - 1;
    cdr_check(&r, &f, arena, &c);
    assert_non_null(cdr_check_find(&c, CDR_FINDING_end_before_start));
    assert_int_equal(c.class, CDR_QUARANTINE);
}

/* ---- taxes of 2.3.0 ---- */

static struct cdr_check checked_230(const char *total_cost)
{
    struct cdr_facts f = facts();
    json_t *cdr = with(total_cost);
    struct price_record r;
    struct cdr_check c;

    json_object_set_new(cdr, "tariffs", json_array());
    struct err e = price_record_read(OCPI_2_3_0, cdr, arena, &r);
    if (failed(e))
        fail_msg("the test's own CDR is wrong: %s", err_text(e));
    cdr_check_document(OCPI_2_3_0, cdr, &r, &f, arena, &c);
    return c;
}

static void a_tax_is_its_percentage_of_the_net(void **state)
{
    struct cdr_check c = checked_230("{'total_cost':{'before_taxes':5.00,'taxes':["
                                     "{'name':'GST','percentage':5,'amount':0.25},"
                                     "{'name':'QST','percentage':9.975,'amount':0.50}]}}");

    (void)state;
    assert_null(cdr_check_find(&c, CDR_FINDING_tax_mismatch));
    c = checked_230("{'total_cost':{'before_taxes':5.00,'taxes':["
                    "{'name':'GST','percentage':5,'amount':0.25},"
                    "{'name':'QST','percentage':9.975,'amount':0.51}]}}");
    const struct cdr_finding *f = cdr_check_find(&c, CDR_FINDING_tax_mismatch);
    assert_non_null(f);
    assert_int_equal(f->class, CDR_WARN);
    assert_string_equal(f->where, "/total_cost/taxes/1/amount");
    c = checked_230("{'total_cost':{'before_taxes':5.00,'taxes':[{'name':'X','amount':3}]}}");
    assert_null(cdr_check_find(&c, CDR_FINDING_tax_mismatch));
    c = checked_230("{'total_cost':{'before_taxes':0},'total_energy_cost':{'before_taxes':1,"
                    "'taxes':[{'name':'X','percentage':19,'amount':0.17}]}}");
    assert_non_null(cdr_check_find(&c, CDR_FINDING_tax_mismatch));
}

/* ---- credits ---- */

static void w11_a_credit_is_its_original_negated(void **state)
{
    struct price_record original = record_of(with("{}")),
                        credit = record_of(with("{'id':'C1-C','credit':true,"
                                                "'credit_reference_id':'C1',"
                                                "'total_cost':{'excl_vat':-8.5,'incl_vat':-10.115}"
                                                "}"));
    struct cdr_facts f = facts();
    struct cdr_check c;

    (void)state;
    assert_null(cdr_check_credit(&credit, &original));
    cdr_check(&credit, &f, arena, &c);
    assert_int_equal(c.class, CDR_OK);
    assert_int_equal(c.delta_u6, 0);
    credit.cost_excl = -8499900;
    assert_string_equal(cdr_check_credit(&credit, &original), "credit_amount");
    credit.cost_excl = 8500000;
    assert_string_equal(cdr_check_credit(&credit, &original), "credit_amount");
    credit.cost_excl = -8500000;
    credit.cost_incl = NUMBER_NONE;
    assert_null(cdr_check_credit(&credit, &original));
    credit.currency = "SEK";
    assert_string_equal(cdr_check_credit(&credit, &original), "credit_currency");
}

/* ---- printing ---- */

static void a_check_is_kept_as_json(void **state)
{
    struct cdr_check c = checked("{'total_cost':{'excl_vat':8.6},'total_energy_cost':"
                                 "{'excl_vat':8.1},'total_fixed_cost':{'excl_vat':0.5}}");
    struct text out;
    json_t *json;

    (void)state;
    text_init(&out, arena, 10000);
    cdr_check_print(&c, &out, NULL);
    assert_false(failed(json_read(arena, out.bytes, out.length, 0, &json)));
    assert_string_equal(json_text_of(json, "class"), "WARN");
    assert_string_equal(json_text_of(json, "by"), "cdr");
    assert_non_null(strstr(out.bytes, "\"net\":8.5,\"gross\":10.115,\"delta\":0.1,"));
    assert_non_null(strstr(out.bytes, "\"name\":\"cost_differs\",\"class\":\"WARN\""));
    assert_non_null(strstr(out.bytes, "\"energy\":{\"stated\":8.1,\"recalculated\":8}"));
    assert_int_equal(json_array_size(json_array_of(json, "lines")), 2);
}

static void each_finding_has_a_name_and_a_text(void **state)
{
    static const char *const names[] = {
#define X(name, class, text) #name,
        CDR_FINDINGS(X)
#undef X
    };
    struct cdr_check none = {0};

    (void)state;
    for (unsigned i = 0; i < CDR_FINDING_COUNT; i++) {
        assert_null(cdr_check_find(&none, (enum cdr_finding_kind)i));
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(names[i], names[k]);
    }
}

/* Its own tariff has more than anybody reckons with. */
static void a_tariff_beyond_reckoning_is_held(void **state)
{
    json_t *cdr = with("{}");
    json_t *elements =
        json_object_get(json_array_get(json_object_get(cdr, "tariffs"), 0), "elements");
    struct cdr_facts f = facts();
    struct cdr_check c;

    (void)state;
    while (json_array_size(elements) <= PRICE_ELEMENTS_MAX)
        json_array_append_new(elements, json_deep_copy(json_array_get(elements, 0)));
    struct price_record r = record_of(cdr);
    assert_int_equal(r.tariffs.count, 0);
    cdr_check(&r, &f, arena, &c);
    assert_found(&c, CDR_FINDING_tariff_unreadable, CDR_QUARANTINE);
    assert_false(c.reckoned);
}

/* A tariff of the start that cannot be read is not the same as none. */
static void an_unreadable_tariff_of_the_start_is_held(void **state)
{
    static const char *const records[] = {"{}", "{'tariffs':[]}",
                                          "{'tariffs':[],'total_cost':{'excl_vat':0}}"};
    struct price_tariff other = tariff_of(TARIFF(ALWAYS(PLAIN("ENERGY", "9.00", "1"))));
    struct cdr_facts f = facts();

    (void)state;
    f.start_unreadable = "it is too long";
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        struct cdr_check c = checked_by(records[i], &f);
        assert_found(&c, CDR_FINDING_tariff_unreadable, CDR_QUARANTINE);
    }
    /* Nor does another of the start's tariffs say that it has changed. */
    f.start_tariffs = &other;
    f.start_tariff_count = 1;
    struct cdr_check c = checked_by("{}", &f);
    assert_found(&c, CDR_FINDING_tariff_unreadable, CDR_QUARANTINE);
}

/* What is spent on the tariff of the CDR is not there for that of the start. */
static void all_reckonings_of_a_cdr_share_one_budget(void **state)
{
    enum { PERIODS_OF_HALF = 15000 };
    struct price_tariff start = tariff_of(TARIFF(ALWAYS(PLAIN("ENERGY", "0.41", "1"))));
    struct ocpi_charging_period *periods = arena_alloc(arena, PERIODS_OF_HALF * sizeof *periods);
    struct price_record r = record_of(with("{}"));
    struct cdr_facts f = facts();
    struct cdr_check c;

    (void)state;
    for (size_t i = 0; i < PERIODS_OF_HALF; i++) {
        periods[i] = r.periods.at[0];
        periods[i].start_date_time += (int64_t)i;
    }
    r.periods.at = periods;
    r.periods.count = PERIODS_OF_HALF;
    cdr_check(&r, &f, arena, &c);
    assert_null(cdr_check_find(&c, CDR_FINDING_beyond_reckoning));
    assert_true(c.work_left < PRICE_WORK_MAX / 2);
    f.start_tariffs = &start;
    f.start_tariff_count = 1;
    cdr_check(&r, &f, arena, &c);
    assert_non_null(cdr_check_find(&c, CDR_FINDING_beyond_reckoning));
    assert_int_equal(c.work_left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(a_right_cdr_is_ok),
        OCPI_TEST(measured_values_that_cannot_be_are_held),
        OCPI_TEST(the_end_may_be_five_minutes_ahead),
        OCPI_TEST(energy_is_held_against_power_session_and_meter),
        OCPI_TEST(what_is_rounded_is_not_wrong),
        OCPI_TEST(periods_are_in_order_and_inside),
        OCPI_TEST(watt_hours_are_named),
        OCPI_TEST(times_have_a_second_per_period),
        OCPI_TEST(a_reservation_may_count_or_not),
        OCPI_TEST(periods_without_times_are_not_summed),
        OCPI_TEST(neighbours_are_named),
        OCPI_TEST(w13_a_deviation_has_a_class),
        OCPI_TEST(a_wrong_price_is_a_difference),
        OCPI_TEST(a_wrong_vat_is_a_difference),
        OCPI_TEST(the_worst_finding_counts),
        OCPI_TEST(limits_cap_each_total_by_itself),
        OCPI_TEST(the_tariff_of_the_start_counts),
        OCPI_TEST(a_tariff_that_is_named_per_period_may_change),
        OCPI_TEST(without_a_tariff_nothing_is_recalculated),
        OCPI_TEST(what_is_uncertain_is_told),
        OCPI_TEST(what_cannot_be_reckoned_is_held),
        OCPI_TEST(a_tax_is_its_percentage_of_the_net),
        OCPI_TEST(w11_a_credit_is_its_original_negated),
        OCPI_TEST(a_check_is_kept_as_json),
        OCPI_TEST(each_finding_has_a_name_and_a_text),
        OCPI_TEST(a_tariff_beyond_reckoning_is_held),
        OCPI_TEST(an_unreadable_tariff_of_the_start_is_held),
        OCPI_TEST(all_reckonings_of_a_cdr_share_one_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
