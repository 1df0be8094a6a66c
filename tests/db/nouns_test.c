/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The modules of db/ against a real Postgres: one company is invited and registers, one session
 * runs from the start to the receipt. What the statements decide in all the other cases is tested
 * in test_model.py; here it is about what C sees of it.
 *
 * Without DATABASE_URL the test starts private stores and runs itself in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>

#include "base/arena.h"
#include "base/time.h"
#include "db/cdr.h"
#include "db/db.h"
#include "db/inspect.h"
#include "db/ledger.h"
#include "db/location.h"
#include "db/network_session.h"
#include "db/operation.h"
#include "db/partner.h"
#include "db/pull.h"
#include "db/receipt.h"
#include "db/session.h"
#include "db/tariff.h"
#include "db/timer.h"
#include "db/token.h"

static struct event_base *loop;

/* Everything the steps pass on; text lives as long as the flow. */
static struct {
    int64_t partner;
    struct partner_auth auth;
    struct partner_registered registered;
    struct location_stored location;
    struct evses evses;
    struct session_start ask;
    struct session_started started, again;
    struct operations claimed;
    struct operation_resulted result;
    struct session session;
    struct network_session_stored reading;
    struct stored_object object;
    struct session_stopped stopped;
    struct cdr_put cdr_put;
    struct cdr_context context;
    struct cdr_stored cdr, settled;
    struct cdr_row row;
    struct receipt receipt;
    struct receipts receipts;
    struct receipt_series_list series;
    struct receipt_chain chain;
    struct ledger_balances balances;
    struct ledger_faults faults;
    struct cdr_body body;
    struct token_found token;
    struct token_page tokens;
    struct session_list list;
    struct session_events events;
    struct profile_asked profile;
    struct operation_state operation;
    struct pull_claims pulls;
    struct idempotency_record record;
    struct timer_effects effects;
    const char *document;
    bool found, ended_well;
    struct tariff_stored tariff;
} t;

static void have_ended(struct flow *f)
{
    if (failed(f->err))
        print_error("%s\n", err_text(f->err));
    t.ended_well = !failed(f->err);
    event_base_loopbreak(loop);
}

static void play(const struct flow_step *steps)
{
    struct flow_type type = {.name = "test", .deadline_ms = SECONDS(30), .steps = steps};

    memset(&t, 0, sizeof(t));
    flow_run(flow_new(&type, &(struct flow_options){.loop = loop, .on_end = have_ended}));
    event_base_dispatch(loop);
    assert_true(t.ended_well);
}

static enum flow_next wait_ready(struct flow *f)
{
    if (db_health() == DB_UP && partner_register_ready())
        return FLOW_NEXT;
    flow_again_after_wait(f);
    return flow_sleep(f, 20);
}

/* ---- a company ---- */

static enum flow_next invite(struct flow *f)
{
    static const struct partner_invite ask = {.name = "Virta",
                                              .country_code = "FI",
                                              .party_id = "VRT",
                                              .role = "CPO",
                                              .token_a = "token A",
                                              .our_country = "FI",
                                              .our_party = "HUB"};

    return partner_invite(f, &ask, &t.partner);
}

static enum flow_next present_token_a(struct flow *f)
{
    static const char *const candidates[] = {"verbatim", "token A"};

    assert_true(t.partner > 0);
    return partner_by_token(f, candidates, 2, &t.auth);
}

static enum flow_next enter(struct flow *f)
{
    static struct partner_registration r = {
        .expected_state = "planned",
        .name = "Virta",
        .version = "2.2.1",
        .versions_url = "https://virta.example/versions",
        .token_out = "what we send",
        .token_in = "token C",
        .auth_encoding = "base64",
        .endpoints = "[{\"identifier\":\"sessions\",\"role\":\"SENDER\",\"url\":\"https://v/s\"},"
                     "{\"identifier\":\"commands\",\"role\":\"RECEIVER\",\"url\":\"https://v/c\"}]",
        .roles = "[{\"role\":\"CPO\",\"country_code\":\"FI\",\"party_id\":\"VRT\","
                 "\"business_details\":{\"name\":\"Virta Oy\"}}]",
        .our_country = "FI",
        .our_party = "HUB",
        .spend_token_a = true};

    /* The register has not been read since the invitation: the database was asked. */
    assert_true(t.auth.found);
    assert_int_equal(t.auth.kind, TOKEN_A);
    assert_int_equal(t.auth.matched, 1);
    assert_int_equal(t.auth.partner->id, t.partner);
    r.partner_id = t.partner;
    return partner_registered(f, &r, &t.registered);
}

static enum flow_next enter_again(struct flow *f)
{
    assert_false(t.registered.conflict);
    assert_int_equal(t.registered.partner_id, t.partner);
    return partner_registered(f,
                              &(struct partner_registration){.partner_id = t.partner,
                                                             .expected_state = "planned",
                                                             .token_out = "x",
                                                             .token_in = "y",
                                                             .roles = "[]",
                                                             .endpoints = "[]"},
                              &t.registered);
}

static enum flow_next present_token_c(struct flow *f)
{
    static const char *const candidates[] = {"token C"};

    assert_true(t.registered.conflict);
    return partner_by_token(f, candidates, 1, &t.auth);
}

static enum flow_next look_at_partner(struct flow *f)
{
    static const char *const candidates[] = {"no such token"};
    const struct partner *p = t.auth.partner;

    assert_true(t.auth.found);
    assert_int_equal(t.auth.kind, TOKEN_ACCEPTED);
    assert_string_equal(p->state, "connected");
    assert_int_equal(p->peer.version, OCPI_2_2_1);
    assert_string_equal(secret_reveal(p->peer.token), "what we send");
    assert_string_equal(peer_endpoint(&p->peer, MODULE_COMMANDS, OCPI_INTERFACE_RECEIVER),
                        "https://v/c");
    assert_string_equal(p->parties[0].name, "Virta Oy");
    assert_ptr_equal(partner_of_party(f, "fi", "vrt"), p);
    assert_ptr_equal(partner_find(f, p->id), p);
    assert_int_equal(partner_all(f).count, 1);
    return partner_by_token(f, candidates, 1, &t.auth);
}

/* Due a second after the handshake: by then the other side knows our token. */
static enum flow_next wait_for_pulls(struct flow *f)
{
    assert_false(t.auth.found);
    return flow_sleep(f, 1100);
}

static enum flow_next look_at_pulls(struct flow *f)
{
    return pull_claim(f, 10, &t.pulls);
}

static enum flow_next end_pull(struct flow *f)
{
    assert_int_equal(t.pulls.count, 1);
    assert_string_equal(t.pulls.items[0].module, "sessions");
    assert_true(t.pulls.items[0].date_from_us < time_now_us() - US_PER_SECOND);
    return pull_finished(f, t.partner, "sessions", true, true);
}

static void a_company_registers_and_is_known_by_its_token(void **state)
{
    static const struct flow_step steps[] = {
        {"ready", wait_ready},
        {"invite", invite},
        {"token A", present_token_a},
        {"register", enter},
        {"register twice", enter_again},
        {"token C", present_token_c},
        {"partner", look_at_partner},
        {"wait for pulls", wait_for_pulls},
        {"claim pulls", look_at_pulls},
        {"end the pull", end_pull},
        {0},
    };

    (void)state;
    play(steps);
}

/* ---- a place ---- */

static const char place[] =
    "{\"id\":\"LOC1\",\"publish\":true,\"name\":\"Harbour\",\"address\":\"Quay 1\","
    "\"city\":\"Turku\",\"country\":\"FIN\",\"time_zone\":\"Europe/Helsinki\","
    "\"coordinates\":{\"latitude\":\"60.17\",\"longitude\":\"24.93\"},\"evses\":[{\"uid\":\"3256\","
    "\"evse_id\":\"FI*VRT*E12345\",\"status\":\"AVAILABLE\",\"capabilities\":"
    "[\"REMOTE_START_STOP_CAPABLE\"],\"connectors\":[{\"id\":\"1\",\"standard\":"
    "\"IEC_62196_T2\",\"format\":\"SOCKET\",\"power_type\":\"AC_3_PHASE\",\"max_voltage\":230,"
    "\"max_amperage\":32}]}]}";

static enum flow_next find_partner(struct flow *f)
{
    const struct partner *p = partner_of_party(f, "FI", "VRT");

    if (!p || !p->registered_us) {
        flow_again_after_wait(f);
        return flow_sleep(f, 20);
    }
    t.partner = p->id;
    return FLOW_NEXT;
}

static enum flow_next put_place(struct flow *f)
{
    return location_put(f,
                        &(struct location_put){.key = {t.partner, "FI", "VRT", "LOC1"},
                                               .document = place,
                                               .last_updated_us = INT64_C(1700000000000000),
                                               .ignore_older = true},
                        &t.location);
}

static enum flow_next find_evse(struct flow *f)
{
    return evse_find(f, "FIVRTE12345", &t.evses);
}

static enum flow_next look_at_evse(struct flow *f)
{
    const struct evse *e = t.evses.items;

    assert_int_equal(t.location.outcome, LOCATION_CREATED);
    assert_int_equal(t.evses.count, 1);
    assert_string_equal(e->network, "Virta Oy");
    assert_true(e->network_enabled && e->published);
    assert_true(evse_has_capability(e, "REMOTE_START_STOP_CAPABLE"));
    assert_false(evse_has_capability(e, "RESERVABLE"));
    assert_int_equal(e->connectors[0].power_w, 230 * 32 * 3);
    assert_string_equal(e->latitude, "60.17");
    return location_put_many(
        f,
        (struct location_put[]){{.key = {t.partner, "fi", "vrt", "loc1"},
                                 .document = "{\"id\":\"LOC1\"}",
                                 .last_updated_us = INT64_C(1600000000000000)},
                                {.key = {t.partner, "FI", "VRT", "LOC2"},
                                 .document = "{\"id\":\"LOC2, with \\\"quotes\\\"\"}",
                                 .last_updated_us = INT64_C(1700000000000000)}},
        2);
}

static enum flow_next get_place(struct flow *f)
{
    return location_get(f, &(struct location_key){t.partner, "fi", "vrt", "loc1"}, &t.object);
}

static enum flow_next look_at_place(struct flow *f)
{
    assert_true(t.object.found);
    assert_string_equal(t.object.document, place); /* the older one of the page was ignored */
    assert_int_equal(t.object.last_updated_us, INT64_C(1700000000000000));
    return tariff_put(f,
                      &(struct tariff_put){.key = {t.partner, "FI", "VRT", "T1"},
                                           .document = "{}",
                                           .last_updated_us = 5},
                      &t.tariff);
}

static enum flow_next delete_tariff(struct flow *f)
{
    assert_true(t.tariff.created);
    return tariff_delete(f, &(struct tariff_key){t.partner, "FI", "VRT", "t1"}, &t.found);
}

static enum flow_next get_tariff(struct flow *f)
{
    assert_true(t.found);
    return tariff_get(f, &(struct tariff_key){t.partner, "FI", "VRT", "T1"}, &t.object);
}

static enum flow_next tariff_is_gone(struct flow *f)
{
    (void)f;
    assert_false(t.object.found);
    return FLOW_NEXT;
}

static void a_place_is_stored_and_its_evse_found(void **state)
{
    static const struct flow_step steps[] = {
        {"ready", wait_ready},
        {"partner", find_partner},
        {"put", put_place},
        {"find", find_evse},
        {"look", look_at_evse},
        {"get", get_place},
        {"look again", look_at_place},
        {"delete tariff", delete_tariff},
        {"get tariff", get_tariff},
        {"gone", tariff_is_gone},
        {0},
    };

    (void)state;
    play(steps);
}

/* ---- a session ---- */

static enum flow_next start(struct flow *f)
{
    t.ask = (struct session_start){
        .user_id = "anna",
        .evse_id = "fi-vrt-e12345",
        .network = "Virta Oy",
        .partner_id = t.partner,
        .country_code = "FI",
        .party_id = "VRT",
        .location_id = "LOC1",
        .evse_uid = "3256",
        .connector_id = "1",
        .profiles = true,
        .currency = "EUR",
        .max_open_per_user = 3,
        .start_grace_s = 120,
        .idempotency = {"key", "user:anna", "POST", "/v1/sessions/start", "hash"},
        .answer_body = "the answer",
    };
    id_uuid_v7(t.ask.id);
    return session_start(f, &t.ask, &t.started);
}

static enum flow_next start_again(struct flow *f)
{
    assert_int_equal(t.started.outcome, START_STORED);
    assert_string_equal(t.started.session.id, t.ask.id);
    assert_string_equal(t.started.session.evse_id, "fi-vrt-e12345");
    assert_int_equal(t.started.session.state, SESSION_PENDING);
    assert_true(t.started.session.operations_due && t.started.session.changed);
    assert_int_equal(t.started.session.start_us, TIME_NONE);
    return session_start(f, &t.ask, &t.again);
}

static enum flow_next claim(struct flow *f)
{
    assert_int_equal(t.again.outcome, START_REPLAY);
    assert_int_equal(t.again.replay.status, 200);
    assert_string_equal(t.again.replay.body, "the answer");
    return operation_claim(f, t.ask.id, 5, &t.claimed);
}

static enum flow_next find_token(struct flow *f)
{
    const struct operation *o = t.claimed.items;

    assert_int_equal(t.claimed.count, 1);
    assert_int_equal(o->kind, OPERATION_START);
    assert_int_equal(o->attempts, 1);
    assert_int_equal(strlen(o->callback_id), 32);
    assert_string_equal(o->session.location_id, "LOC1");
    assert_string_equal(o->token_type, "APP_USER");
    assert_memory_equal(o->token_contract_id, "FI-HUB-C", 8);
    return token_find(f, t.partner, o->token_uid, "APP_USER", &t.token);
}

static enum flow_next answer(struct flow *f)
{
    assert_true(t.token.found && t.token.live_command);
    assert_string_equal(t.token.authorization_reference, t.ask.id);
    return operation_answered(f,
                              &(struct operation_answer){.id = t.claimed.items[0].id,
                                                         .outcome = OCPI_OUTCOME_ACCEPTED,
                                                         .timeout_s = 30},
                              &t.session);
}

static enum flow_next result(struct flow *f)
{
    assert_string_equal(t.session.substatus, "command_accepted");
    return operation_result(
        f,
        &(struct operation_result){.callback_id = t.claimed.items[0].callback_id,
                                   .partner_id = t.partner,
                                   .outcome = OCPI_OUTCOME_ACCEPTED,
                                   .raw = "ACCEPTED"},
        &t.result);
}

static enum flow_next put_session(struct flow *f, const char *status, int64_t kwh_u6)
{
    int64_t now_us = time_now_us();
    struct network_session_put put = {.key = {t.partner, "FI", "VRT", "S-77"},
                                      .document = status,
                                      .last_updated_us = now_us,
                                      .status = status,
                                      .start_us = now_us - 90 * US_PER_SECOND,
                                      .end_us = TIME_NONE,
                                      .kwh_u6 = kwh_u6,
                                      .has_cost = kwh_u6 > 0,
                                      .cost_u6 = 5320000,
                                      .currency = "EUR",
                                      .authorization_reference = t.ask.id,
                                      .location_id = "LOC1",
                                      .evse_uid = "3256",
                                      .connector_id = "1"};

    id_sha256_hex(&now_us, sizeof(now_us), put.content_hash);
    return network_session_put(f, &put, &t.reading);
}

static enum flow_next charge(struct flow *f)
{
    assert_true(t.result.found && t.result.applied);
    assert_int_equal(t.result.kind, OPERATION_START);
    return put_session(f, "ACTIVE", 0);
}

static enum flow_next charge_more(struct flow *f)
{
    assert_int_equal(t.reading.outcome, NS_APPLIED);
    assert_true(t.reading.created);
    assert_int_equal(t.reading.session.state, SESSION_ACTIVE);
    assert_string_equal(t.reading.session.network_session_id, "S-77");
    assert_false(t.reading.session.cost_known);
    return put_session(f, "ACTIVE", 15200000);
}

static enum flow_next get_network_session(struct flow *f)
{
    assert_int_equal(t.reading.session.energy_mwh, 15200000);
    assert_int_equal(t.reading.session.cost_u6, 5320000);
    assert_true(t.reading.session.cost_known);
    assert_int_equal(session_duration_minutes(&t.reading.session, time_now_us()), 1);
    return network_session_get(f, &(struct network_session_key){t.partner, "FI", "VRT", "s-77"},
                               &t.object);
}

static enum flow_next ask_profile(struct flow *f)
{
    struct profile_ask ask = {.user_id = "anna", .by = "user:anna", .params = "{}"};

    assert_int_equal(t.object.version, 2);
    memcpy(ask.session_id, t.ask.id, sizeof(ask.session_id));
    return profile_ask(f, &ask, &t.profile);
}

static enum flow_next get_profile(struct flow *f)
{
    assert_int_equal(t.profile.outcome, PROFILE_QUEUED);
    return operation_get(f, t.profile.operation_id, &t.operation);
}

static enum flow_next stop(struct flow *f)
{
    struct session_stop ask = {.user_id = "anna",
                               .by = "user:anna",
                               .cause = "user_stop",
                               .idempotency = {.caller = "user:anna"}};

    assert_true(t.operation.found && !t.operation.finished);
    memcpy(ask.id, t.ask.id, sizeof(ask.id));
    return session_stop(f, &ask, &t.stopped);
}

static enum flow_next look_at_cdr(struct flow *f)
{
    int64_t now_us = time_now_us();

    t.cdr_put = (struct cdr_put){.partner_id = t.partner,
                                 .country_code = "FI",
                                 .party_id = "VRT",
                                 .id = "CDR-1",
                                 .body = "{\"id\": \"CDR-1\"}",
                                 .body_length = 15,
                                 .content_hash = "c1",
                                 .location_id_path = "0123456789abcdef0123456789abcdef",
                                 .session_id = "S-77",
                                 .start_us = now_us - 1800 * US_PER_SECOND,
                                 .end_us = now_us,
                                 .energy_u6 = 20000000,
                                 .total_cost_u6 = 7204900,
                                 .total_cost_excl_u6 = 6050000,
                                 .currency = "EUR",
                                 .last_updated_us = now_us,
                                 .plausible = true};
    assert_int_equal(t.stopped.outcome, STOP_TAKEN);
    assert_int_equal(t.stopped.session.state, SESSION_STOPPING);
    return cdr_context(f, &(struct cdr_ask){.put = &t.cdr_put, .token_most = 3}, &t.context);
}

static const char *priced(struct flow *f, const char *situation)
{
    return arena_printf(f->arena,
                        "{\"situation\":\"%s\",\"class\":\"OK\",\"ours\":true,"
                        "\"calculation\":{\"loss_u6\":50000},"
                        "\"receipt\":{\"content\":\"{}\",\"currency\":\"EUR\","
                        "\"gross_minor\":720,\"net_minor\":605,\"vat_minor\":115,"
                        "\"accounts\":[\"receivable\",\"revenue:FIN:19\",\"vat:FIN:19\"],"
                        "\"amounts_u6\":[7200000,-6050000,-1150000]}}",
                        situation);
}

static enum flow_next post_cdr_too_late(struct flow *f)
{
    assert_int_equal(t.context.known, CDR_NEW);
    assert_string_equal(t.context.session_id, t.ask.id);
    assert_string_equal(t.context.phase, "stopping");
    assert_false(t.context.billed || t.context.has_limits);
    assert_true(t.context.has_energy);
    assert_null(t.context.quote);
    assert_null(t.context.replaces);
    return cdr_put(f, &t.cdr_put, priced(f, "another"), &t.cdr);
}

static enum flow_next post_cdr(struct flow *f)
{
    assert_int_equal(t.cdr.outcome, CDR_AGAIN);
    return cdr_put(f, &t.cdr_put, priced(f, t.context.situation), &t.cdr);
}

static enum flow_next look_once_more(struct flow *f)
{
    assert_int_equal(t.cdr.outcome, CDR_STORED);
    assert_string_equal(t.cdr.class, "OK");
    assert_memory_equal(t.cdr.receipt, "TEST-", 5);
    assert_string_equal(t.cdr.receipt + strlen("TEST-2026"), "-0000001");
    assert_int_equal(t.cdr.waiting_credit, 0);
    return cdr_context(f, &(struct cdr_ask){.put = &t.cdr_put}, &t.context);
}

static enum flow_next settle_what_is_over(struct flow *f)
{
    assert_int_equal(t.context.known, CDR_KNOWN);
    assert_string_equal(t.context.path, "0123456789abcdef0123456789abcdef");
    assert_string_equal(t.context.filed, "billed");
    return cdr_settle(f, t.cdr.cdr, NULL, "{}", "hub", false, &t.settled);
}

static enum flow_next read_row(struct flow *f)
{
    assert_int_equal(t.settled.outcome, CDR_OVER);
    return cdr_read(f, t.cdr.cdr, &t.row);
}

static enum flow_next check_books(struct flow *f)
{
    assert_true(t.row.found && !t.row.manual);
    assert_string_equal(t.row.put.id, "CDR-1");
    assert_string_equal(t.row.put.content_hash, "c1");
    assert_int_equal(t.row.put.energy_u6, 20000000);
    assert_string_equal(t.row.session_id, t.ask.id);
    return ledger_check(f, TIME_NONE, TIME_NONE, &t.faults);
}

static enum flow_next read_books(struct flow *f)
{
    assert_int_equal(t.faults.count, 0);
    return ledger_balances(f, TIME_NONE, TIME_NONE, &t.balances);
}

static enum flow_next read_documents(struct flow *f)
{
    int64_t sum = 0;

    /* cpo_payable, hub_loss, purchase, receivable, revenue, vat */
    assert_int_equal(t.balances.count, 6);
    assert_string_equal(t.balances.items[1].account, "hub_loss");
    assert_int_equal(t.balances.items[1].amount_u6, 50000);
    assert_string_equal(t.balances.items[2].account, "purchase");
    assert_int_equal(t.balances.items[2].amount_u6, 6000000);
    for (size_t i = 0; i < t.balances.count; i++)
        sum += t.balances.items[i].amount_u6;
    assert_int_equal(sum, 0);
    return receipt_of_session(f, t.ask.id, &t.receipts);
}

static enum flow_next list_series(struct flow *f)
{
    assert_int_equal(t.receipts.count, 1);
    assert_int_equal(t.receipts.items[0].net_minor, 605);
    assert_string_equal(t.receipts.items[0].cdr_id, "CDR-1");
    assert_null(t.receipts.items[0].cancels);
    return receipt_series_all(f, &t.series);
}

static enum flow_next verify_series(struct flow *f)
{
    assert_int_equal(t.series.count, 1);
    assert_int_equal(t.series.items[0].issued, 1);
    return receipt_verify(f, t.series.items[0].series, t.series.items[0].year, 0, "", 100,
                          &t.chain);
}

static enum flow_next find_by_number(struct flow *f)
{
    assert_int_equal(t.chain.rows, 1);
    assert_null(t.chain.broken);
    assert_string_equal(t.chain.last_hash, t.receipts.items[0].hash);
    return receipt_find(f, 0, t.cdr.receipt, &t.receipt);
}

static enum flow_next get_receipt(struct flow *f)
{
    assert_true(t.receipt.found);
    assert_int_equal(t.receipt.id, t.receipts.items[0].id);
    assert_string_equal(t.cdr.filed, "billed");
    assert_int_equal(t.cdr.session.state, SESSION_COMPLETED);
    return receipt_get(f, t.ask.id, "anna", &t.found, &t.receipt);
}

static enum flow_next get_foreign_receipt(struct flow *f)
{
    assert_true(t.found && t.receipt.found);
    assert_int_equal(t.receipt.cost_minor, 720);
    assert_int_equal(t.receipt.energy_mwh, 20000000);
    assert_int_equal(t.receipt.duration_minutes, 30);
    assert_string_equal(t.receipt.currency, "EUR");
    assert_string_equal(t.receipt.payment_status, "not_required");
    assert_string_equal(t.receipt.number, t.cdr.receipt);
    assert_true(t.receipt.has_content);
    assert_string_equal(t.receipt.content, "{}");
    return receipt_get(f, t.ask.id, "bert", &t.found, &t.receipt);
}

static enum flow_next get_cdr(struct flow *f)
{
    assert_false(t.found);
    return cdr_get(f, t.partner, t.cdr.path, &t.body);
}

static enum flow_next list_sessions(struct flow *f)
{
    assert_true(t.body.found);
    assert_string_equal(t.body.body, "{\"id\": \"CDR-1\"}");
    return session_list(f,
                        &(struct session_filter){.user_id = "anna",
                                                 .states = {[SESSION_COMPLETED] = true},
                                                 .from_us = TIME_NONE,
                                                 .to_us = TIME_NONE,
                                                 .evse_id = "FI*VRT*E12345",
                                                 .limit = 10,
                                                 .before_created_us = TIME_NONE},
                        &t.list);
}

static enum flow_next list_events(struct flow *f)
{
    assert_int_equal(t.list.count, 1);
    return session_events(f, t.ask.id, 50, &t.events);
}

static enum flow_next list_tokens(struct flow *f)
{
    static const char *const states[] = {"pending", "active", "stopping", "completed"};

    assert_int_equal(t.events.count, 4);
    assert_null(t.events.items[0].from);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(t.events.items[i].to, states[i]);
    return token_list(f, TIME_NONE, TIME_NONE, 5, 10, &t.tokens);
}

static enum flow_next inspect(struct flow *f)
{
    assert_int_equal(t.tokens.count, 0);
    assert_int_equal(t.tokens.total, 1);
    return session_inspect(f, t.ask.id, &t.document);
}

static enum flow_next run_timers(struct flow *f)
{
    assert_non_null(strstr(t.document, "\"receipts\""));
    return timer_run(f, 100, &t.effects);
}

static enum flow_next get_foreign_session(struct flow *f)
{
    assert_int_equal(t.effects.session_count, 0);
    return session_get(f, t.ask.id, "bert", &t.found, &t.session);
}

static enum flow_next it_is_not_found(struct flow *f)
{
    (void)f;
    assert_false(t.found);
    return FLOW_NEXT;
}

static void a_session_runs_from_the_start_to_the_receipt(void **state)
{
    static const struct flow_step steps[] = {
        {"ready", wait_ready},
        {"partner", find_partner},
        {"start", start},
        {"start again", start_again},
        {"claim", claim},
        {"find the token", find_token},
        {"answer", answer},
        {"result", result},
        {"charge", charge},
        {"charge more", charge_more},
        {"get the network's session", get_network_session},
        {"ask a profile", ask_profile},
        {"get the profile", get_profile},
        {"stop", stop},
        {"look", look_at_cdr},
        {"CDR too late", post_cdr_too_late},
        {"CDR", post_cdr},
        {"look once more", look_once_more},
        {"settle what is over", settle_what_is_over},
        {"read the row", read_row},
        {"check the books", check_books},
        {"read the books", read_books},
        {"read the documents", read_documents},
        {"list the series", list_series},
        {"verify the series", verify_series},
        {"find by number", find_by_number},
        {"receipt", get_receipt},
        {"foreign receipt", get_foreign_receipt},
        {"get the CDR", get_cdr},
        {"list", list_sessions},
        {"events", list_events},
        {"tokens", list_tokens},
        {"inspect", inspect},
        {"timers", run_timers},
        {"foreign session", get_foreign_session},
        {"not found", it_is_not_found},
        {0},
    };

    (void)state;
    play(steps);
}

/* ---- idempotency of other calls ---- */

static const struct idempotency other = {"k", "operator:x", "POST", "/v1/x", "h1"};

static enum flow_next begin(struct flow *f)
{
    return idempotency_begin(f, &other, &t.record);
}

static enum flow_next is_new(struct flow *f)
{
    (void)f;
    assert_int_equal(t.record.state, IDEMPOTENCY_NONE);
    return FLOW_NEXT;
}

static enum flow_next is_running(struct flow *f)
{
    assert_int_equal(t.record.state, IDEMPOTENCY_RUNNING);
    return idempotency_forget(f, &other);
}

static enum flow_next finish(struct flow *f)
{
    assert_int_equal(t.record.state, IDEMPOTENCY_NONE);
    return idempotency_finish(f, &other, 201, "body");
}

static enum flow_next find_record(struct flow *f)
{
    return idempotency_find(f, &other, &t.record);
}

static enum flow_next is_done(struct flow *f)
{
    static struct idempotency changed;

    assert_int_equal(t.record.state, IDEMPOTENCY_DONE);
    assert_int_equal(t.record.status, 201);
    assert_string_equal(t.record.body, "body");
    changed = other;
    memcpy(changed.body_hash, "h2", 3);
    return idempotency_begin(f, &changed, &t.record);
}

static enum flow_next is_other_body(struct flow *f)
{
    (void)f;
    assert_int_equal(t.record.state, IDEMPOTENCY_OTHER_BODY);
    return FLOW_NEXT;
}

static void an_idempotency_key_is_running_forgotten_done_or_reused(void **state)
{
    static const struct flow_step steps[] = {
        {"ready", wait_ready},
        {"begin", begin},
        {"new", is_new},
        {"begin", begin},
        {"running", is_running},
        {"begin", begin},
        {"finish", finish},
        {"find", find_record},
        {"done", is_done},
        {"other", is_other_body},
        {0},
    };

    (void)state;
    play(steps);
}

/* ---- the process ---- */

static int open_stores(void **state)
{
    static const unsigned char key[32] = {1, 2, 3};
    struct arena *a = arena_new(1 << 20);

    (void)state;
    assert_false(failed(db_migrate(a, getenv("DATABASE_URL"))));
    arena_free(a);
    loop = event_base_new();
    assert_false(failed(db_open(loop, &(struct db_options){.database_url = getenv("DATABASE_URL"),
                                                           .writers = 2,
                                                           .readers = 2,
                                                           .data_key = key,
                                                           .hash_key = key,
                                                           .our_country = "FI",
                                                           .our_party = "HUB",
                                                           .receipt_series = "TEST"})));
    return 0;
}

static int close_stores(void **state)
{
    (void)state;
    db_close();
    event_base_free(loop);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_company_registers_and_is_known_by_its_token),
        cmocka_unit_test(a_place_is_stored_and_its_evse_found),
        cmocka_unit_test(a_session_runs_from_the_start_to_the_receipt),
        cmocka_unit_test(an_idempotency_key_is_running_forgotten_done_or_reused),
    };

    (void)argc;
    if (!getenv("DATABASE_URL")) {
        execlp("python3", "python3", "tests/stores.py", "run", "--fast", "--", argv[0], (char *)0);
        perror("python3 tests/stores.py");
        return 1;
    }
    return cmocka_run_group_tests(tests, open_stores, close_stores);
}
