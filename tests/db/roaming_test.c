/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several partners, as C sees them: a CPO of 2.1.1 and an eMSP of 2.3.0 with a contract, what the
 * one may read of the other, and what the outbox has for it. Who may see what in all the other
 * cases is tested in test_share.py and test_outbox.py.
 */
#include "tests/db/fixture.h"

#include "db/cdr.h"
#include "db/client_info.h"
#include "db/contract.h"
#include "db/network_session.h"
#include "db/outbox.h"
#include "db/partner.h"
#include "db/partner_life.h"
#include "db/roaming_token.h"
#include "db/share.h"
#include "db/tariff.h"

/* Everything the steps pass on; text lives as long as the flow. */
static struct {
    int64_t cpo, emsp;
    struct partner_registered registered;
    struct location_stored location;
    struct stored_object object;
    struct share_page page;
    struct contracts contracts;
    struct roaming_token_stored token;
    struct token_owner owner;
    struct network_session_stored session;
    struct cdr_context context;
    struct cdr_stored cdr;
    struct cdr_body body;
    struct outbox_items outbox;
    struct client_infos infos;
    struct partner_ids ids;
    enum partner_party_approved approved;
    bool found, created, ended, ended_well;
    int told;
} t;

static void have_ended(struct flow *f)
{
    if (failed(f->err))
        print_error("%s\n", err_text(f->err));
    t.ended_well = !failed(f->err);
    t.ended = true;
}

static bool ended(void)
{
    return t.ended;
}

static void play(const struct flow_step *steps)
{
    struct flow_type type = {.name = "test", .deadline_ms = SECONDS(30), .steps = steps};
    int64_t cpo = t.cpo, emsp = t.emsp;

    memset(&t, 0, sizeof(t));
    t.cpo = cpo;
    t.emsp = emsp;
    flow_run(flow_new(&type, &(struct flow_options){.loop = loop, .on_end = have_ended}));
    assert_true(fixture_until(ended, 30000));
    assert_true(t.ended_well);
}

static enum flow_next wait_ready(struct flow *f)
{
    if (db_health() == DB_UP && partner_register_ready())
        return FLOW_NEXT;
    flow_again_after_wait(f);
    return flow_sleep(f, 20);
}

/* ---- two companies ---- */

static enum flow_next invite_cpo(struct flow *f)
{
    return partner_invite(f,
                          &(struct partner_invite){.name = "Virta",
                                                   .country_code = "FI",
                                                   .party_id = "VRT",
                                                   .role = "CPO",
                                                   .token_a = "A of the CPO",
                                                   .our_country = "FI",
                                                   .our_party = "HUB"},
                          &t.cpo);
}

static enum flow_next invite_emsp(struct flow *f)
{
    return partner_invite(f,
                          &(struct partner_invite){.name = "Drive",
                                                   .country_code = "NL",
                                                   .party_id = "DRV",
                                                   .role = "EMSP",
                                                   .token_a = "A of the eMSP",
                                                   .our_country = "FI",
                                                   .our_party = "HUB"},
                          &t.emsp);
}

static enum flow_next register_cpo(struct flow *f)
{
    return partner_registered(
        f,
        &(struct partner_registration){
            .partner_id = t.cpo,
            .expected_state = "planned",
            .name = "Virta",
            .version = "2.1.1",
            .versions_url = "https://virta.example/versions",
            .token_out = "to the CPO",
            .token_in = "from the CPO",
            .auth_encoding = "raw",
            .endpoints = "[{\"identifier\":\"locations\",\"url\":\"https://v/l\"},"
                         "{\"identifier\":\"tokens\",\"url\":\"https://v/t\"}]",
            .roles = "[{\"role\":\"CPO\",\"country_code\":\"FI\",\"party_id\":\"VRT\","
                     "\"business_details\":{\"name\":\"Virta Oy\",\"website\":\"https://v\"}}]",
            .face = FACE_EMSP,
            .spend_token_a = true},
        &t.registered);
}

static enum flow_next register_emsp(struct flow *f)
{
    assert_false(t.registered.conflict || t.registered.taken);
    return partner_registered(
        f,
        &(struct partner_registration){
            .partner_id = t.emsp,
            .expected_state = "planned",
            .name = "Drive",
            .version = "2.3.0",
            .versions_url = "https://drive.example/versions",
            .token_out = "to the eMSP",
            .token_in = "from the eMSP",
            .auth_encoding = "base64",
            .endpoints =
                "[{\"identifier\":\"locations\",\"role\":\"RECEIVER\",\"url\":\"https://d/l\"},"
                "{\"identifier\":\"cdrs\",\"role\":\"RECEIVER\",\"url\":\"https://d/c\"},"
                "{\"identifier\":\"sessions\",\"role\":\"RECEIVER\",\"url\":\"https://d/s\"},"
                "{\"identifier\":\"hubclientinfo\",\"role\":\"RECEIVER\",\"url\":\"https://d/h\"}]",
            .roles = "[{\"role\":\"EMSP\",\"country_code\":\"NL\",\"party_id\":\"DRV\"},"
                     "{\"role\":\"CPO\",\"country_code\":\"NL\",\"party_id\":\"DRV\"}]",
            .face = FACE_PLATFORM,
            .hub = true,
            .spend_token_a = true},
        &t.registered);
}

static enum flow_next ask_host(struct flow *f)
{
    assert_false(t.registered.conflict || t.registered.taken);
    return partner_host_ask(f, t.emsp, "new.example", &t.found);
}

static enum flow_next need_resync(struct flow *f)
{
    assert_true(t.found);
    return partner_needs_resync(f, t.emsp, true);
}

static enum flow_next look_at_register(struct flow *f)
{
    const struct partner *p = partner_find(f, t.emsp), *cpo = partner_find(f, t.cpo);

    if (!p || !p->needs_resync || !p->host_asked) {
        flow_again_after_wait(f);
        return flow_sleep(f, 20);
    }
    assert_int_equal(cpo->face, FACE_EMSP);
    assert_false(cpo->hub || cpo->needs_resync);
    assert_int_equal(cpo->peer.version, OCPI_2_1_1);
    assert_non_null(strstr(cpo->parties[0].details, "https://v"));
    assert_int_equal(p->face, FACE_PLATFORM);
    assert_true(p->hub);
    assert_int_equal(p->peer.version, OCPI_2_3_0);
    assert_string_equal(p->host_asked, "new.example");
    assert_int_equal(p->party_count, 1);
    assert_int_equal(p->parties[0].role, OCPI_ROLE_EMSP);
    assert_int_equal(p->pending_count, 1); /* not agreed: nothing until an operator says so */
    assert_int_equal(p->pending[0].role, OCPI_ROLE_CPO);
    assert_true(p->state_since_us > 0 && p->failures == 0);
    return partner_host_approve(f, t.emsp, "new.example", &t.found);
}

static enum flow_next approve_party(struct flow *f)
{
    struct party_id id;

    assert_true(t.found);
    assert_true(party_id_make("NL", "DRV", &id));
    return partner_party_approve(f, t.emsp, &id, OCPI_ROLE_CPO, &t.approved);
}

static enum flow_next set_quirk(struct flow *f)
{
    assert_int_equal(t.approved, PARTY_APPROVED);
    return partner_quirk_set(f, t.emsp, "trailing_slash", "true", &t.found);
}

static enum flow_next look_again(struct flow *f)
{
    const struct partner *p = partner_find(f, t.emsp);

    if (!p->peer.quirks.trailing_slash) {
        flow_again_after_wait(f);
        return flow_sleep(f, 20);
    }
    assert_int_equal(p->party_count, 2);
    assert_int_equal(p->pending_count, 0);
    assert_null(p->host_asked);
    assert_int_equal(p->peer.host_count, 1);
    assert_string_equal(p->peer.hosts[0], "new.example");
    return FLOW_DONE;
}

static void companies_of_both_kinds_register_in_their_versions(void **state)
{
    static const struct flow_step steps[] = {
        {"ready", wait_ready},      {"invite", invite_cpo},      {"invite", invite_emsp},
        {"register", register_cpo}, {"register", register_emsp}, {"ask host", ask_host},
        {"resync", need_resync},    {"look", look_at_register},  {"approve", approve_party},
        {"quirk", set_quirk},       {"look", look_again},        {0},
    };

    (void)state;
    play(steps);
}

/* ---- what the one may read of the other ---- */

static struct party_id party(const char *country_code, const char *party_id)
{
    struct party_id ret;

    assert_true(party_id_make(country_code, party_id, &ret));
    return ret;
}

static enum flow_next open_contract(struct flow *f)
{
    return contract_set(
        f, &(struct contract){party("FI", "VRT"), party("NL", "DRV"), .allowed = true});
}

static enum flow_next open_tokens(struct flow *f)
{
    return contract_set(f, &(struct contract){.from = party("NL", "DRV"),
                                              .to = party("FI", "VRT"),
                                              .module = "tokens",
                                              .allowed = true});
}

static enum flow_next list_contracts(struct flow *f)
{
    struct party_id from = party("NL", "DRV");

    return contract_list(f, &from, NULL, &t.contracts);
}

static const char old_place[] = "{\"id\":\"L1\",\"name\":\"as it came\"}";
static const char view[] =
    "{\"id\":\"L1\",\"publish\":true,\"evses\":[{\"uid\":\"E1\",\"status\":\"AVAILABLE\"}]}";

static enum flow_next put_place(struct flow *f)
{
    assert_int_equal(t.contracts.count, 1);
    assert_string_equal(t.contracts.items[0].module, "tokens");
    assert_true(t.contracts.items[0].allowed && t.contracts.items[0].since_us > 0);
    return location_put(f,
                        &(struct location_put){.key = {t.cpo, "FI", "VRT", "L1"},
                                               .document = old_place,
                                               .ocpi = OCPI_2_1_1,
                                               .view = view,
                                               .last_updated_us = INT64_C(1700000000000000)},
                        &t.location);
}

static enum flow_next put_places(struct flow *f)
{
    assert_int_equal(t.location.outcome, LOCATION_CREATED);
    return location_put_many(
        f,
        (struct location_put[]){{.key = {t.cpo, "FI", "VRT", "L2"},
                                 .document = "{\"id\":\"L2\"}",
                                 .ocpi = OCPI_2_1_1,
                                 .view = "{\"id\":\"L2\",\"publish\":true}",
                                 .last_updated_us = INT64_C(1700000000000000)},
                                {.key = {t.cpo, "FI", "VRT", "L3"},
                                 .document = "{\"id\":\"L3\",\"publish\":false}",
                                 .last_updated_us = INT64_C(1700000000000000)}},
        2);
}

static enum flow_next get_place(struct flow *f)
{
    return location_get(f, &(struct location_key){t.cpo, "FI", "VRT", "l1"}, &t.object);
}

static enum flow_next list_places(struct flow *f)
{
    assert_true(t.object.found);
    assert_string_equal(t.object.document, old_place);
    assert_int_equal(t.object.ocpi, OCPI_2_1_1);
    return share_list(f,
                      &(struct share_ask){.kind = SHARE_LOCATIONS,
                                          .reader_id = t.emsp,
                                          .owner = party("fi", "vrt"),
                                          .date_from_us = INT64_C(1700000000000000),
                                          .date_to_us = TIME_NONE,
                                          .offset = 1,
                                          .limit = 5},
                      &t.page);
}

static enum flow_next list_for_old_version(struct flow *f)
{
    assert_int_equal(t.page.total, 3);
    assert_int_equal(t.page.count, 2);
    assert_string_equal(t.page.items[0].id, "L2");
    assert_int_equal(t.page.items[0].ocpi, OCPI_2_1_1);
    assert_int_equal(t.page.items[1].ocpi, OCPI_2_2_1);
    assert_string_equal(t.page.items[1].party_id, "VRT");
    assert_int_equal(t.page.items[1].length, strlen(t.page.items[1].document));
    return share_list(f,
                      &(struct share_ask){.kind = SHARE_LOCATIONS,
                                          .reader_id = t.emsp,
                                          .for_2_1_1 = true,
                                          .date_from_us = TIME_NONE,
                                          .date_to_us = TIME_NONE,
                                          .offset = 9,
                                          .limit = 5},
                      &t.page);
}

static enum flow_next list_for_cpo(struct flow *f)
{
    assert_int_equal(t.page.total, 2); /* the unpublished one is not 2.1.1's */
    assert_int_equal(t.page.count, 0);
    return share_list(f,
                      &(struct share_ask){.kind = SHARE_LOCATIONS,
                                          .reader_id = t.cpo,
                                          .date_from_us = TIME_NONE,
                                          .date_to_us = TIME_NONE,
                                          .limit = 5},
                      &t.page);
}

static enum flow_next put_tariffs(struct flow *f)
{
    assert_int_equal(t.page.total, 0);
    return tariff_put_many(f,
                           (struct tariff_put[]){{.key = {t.cpo, "FI", "VRT", "T1"},
                                                  .document = "{}",
                                                  .ocpi = OCPI_2_1_1,
                                                  .last_updated_us = 5}},
                           1);
}

static enum flow_next find_tariff(struct flow *f)
{
    return share_get(f, &(struct share_ask){.kind = SHARE_TARIFFS, .reader_id = t.emsp}, "t1",
                     &t.page);
}

static enum flow_next find_nothing(struct flow *f)
{
    assert_int_equal(t.page.count, 1);
    assert_int_equal(t.page.total, 1);
    assert_int_equal(t.page.items[0].ocpi, OCPI_2_1_1);
    return share_get(f, &(struct share_ask){.kind = SHARE_TARIFFS, .reader_id = t.cpo}, "t1",
                     &t.page);
}

static enum flow_next put_token(struct flow *f)
{
    assert_int_equal(t.page.count, 0);
    return roaming_token_put(
        f,
        &(struct roaming_token_put){.key = {t.emsp, "NL", "DRV", "04AABB", "RFID"},
                                    .document = "{\"uid\":\"04AABB\"}",
                                    .ocpi = OCPI_2_3_0,
                                    .contract_id = "NL-DRV-C1",
                                    .valid = true,
                                    .last_updated_us = 5},
        &t.token);
}

static enum flow_next put_tokens(struct flow *f)
{
    struct roaming_token_put put = {.key = {t.emsp, "NL", "DRV", "04CCDD", "RFID"},
                                    .document = "{}",
                                    .contract_id = "NL-DRV-C2",
                                    .last_updated_us = 5};

    assert_int_equal(t.token.outcome, ROAMING_TOKEN_CREATED);
    return roaming_token_put_many(f, (struct roaming_token_put[]){put}, 1);
}

static enum flow_next find_owner(struct flow *f)
{
    return token_owner_find(f, t.cpo, "nl-drv-c1", &t.owner);
}

static enum flow_next find_no_owner(struct flow *f)
{
    assert_true(t.owner.found && !t.owner.ours);
    assert_string_equal(t.owner.party_id, "DRV");
    assert_string_equal(t.owner.uid, "04AABB");
    assert_string_equal(t.owner.type, "RFID");
    assert_int_equal(t.owner.ocpi, OCPI_2_3_0);
    assert_string_equal(t.owner.document, "{\"uid\":\"04AABB\"}");
    return token_owner_find(f, t.emsp, "nl-drv-c1", &t.owner);
}

static enum flow_next get_token(struct flow *f)
{
    assert_false(t.owner.found);
    return roaming_token_get(f, &(struct roaming_token_key){t.emsp, "nl", "drv", "04ccdd", "RFID"},
                             &t.object);
}

static enum flow_next list_tokens(struct flow *f)
{
    assert_true(t.object.found);
    assert_int_equal(t.object.ocpi, OCPI_2_2_1);
    return share_list(f,
                      &(struct share_ask){.kind = SHARE_TOKENS,
                                          .reader_id = t.cpo,
                                          .date_from_us = TIME_NONE,
                                          .date_to_us = TIME_NONE,
                                          .limit = 5},
                      &t.page);
}

static enum flow_next put_session(struct flow *f)
{
    assert_int_equal(t.page.count, 2);
    return network_session_put(f,
                               &(struct network_session_put){.key = {t.cpo, "FI", "VRT", "S1"},
                                                             .document = "{\"id\":\"S1\"}",
                                                             .ocpi = OCPI_2_1_1,
                                                             .content_hash = "h",
                                                             .last_updated_us = time_now_us(),
                                                             .status = "ACTIVE",
                                                             .start_us = time_now_us(),
                                                             .end_us = TIME_NONE,
                                                             .currency = "EUR",
                                                             .token_uid = "04AABB",
                                                             .token_country_code = "NL",
                                                             .token_party_id = "DRV",
                                                             .location_id = "L1",
                                                             .evse_uid = "E1"},
                               &t.session);
}

static const struct cdr_put *the_cdr(void)
{
    static struct cdr_put put;

    put = (struct cdr_put){.partner_id = t.cpo,
                           .country_code = "FI",
                           .party_id = "VRT",
                           .id = "C1",
                           .body = "{\"id\":\"C1\"}",
                           .body_length = 11,
                           .ocpi = OCPI_2_1_1,
                           .content_hash = "c",
                           .location_id_path = "0123456789abcdef0123456789abcdef",
                           .token_uid = "04AABB",
                           .token_country_code = "NL",
                           .token_party_id = "DRV",
                           .cdr_location_id = "l1",
                           .start_us = 1,
                           .end_us = 2,
                           .currency = "EUR",
                           .last_updated_us = 3,
                           .plausible = true};
    return &put;
}

static enum flow_next look_at_cdr(struct flow *f)
{
    assert_int_equal(t.session.outcome, NS_APPLIED);
    return cdr_context(f, &(struct cdr_ask){.put = the_cdr()}, &t.context);
}

static enum flow_next put_cdr(struct flow *f)
{
    assert_string_equal(t.context.session_id, "");
    return cdr_put(f, the_cdr(),
                   arena_printf(f->arena, "{\"situation\":\"%s\",\"class\":\"OK\",\"ours\":false}",
                                t.context.situation),
                   &t.cdr);
}

static enum flow_next get_cdr(struct flow *f)
{
    assert_int_equal(t.cdr.outcome, CDR_STORED);
    assert_string_equal(t.cdr.filed, "carried"); /* another party's token: nobody is billed here */
    return cdr_get(f, t.cpo, "0123456789abcdef0123456789abcdef", &t.body);
}

static enum flow_next list_cdrs(struct flow *f)
{
    assert_true(t.body.found);
    assert_int_equal(t.body.ocpi, OCPI_2_1_1);
    assert_string_equal(t.body.country_code, "FI");
    assert_string_equal(t.body.party_id, "VRT");
    return share_list(f,
                      &(struct share_ask){.kind = SHARE_CDRS,
                                          .reader_id = t.emsp,
                                          .date_from_us = TIME_NONE,
                                          .date_to_us = TIME_NONE,
                                          .limit = 5},
                      &t.page);
}

static enum flow_next list_sessions(struct flow *f)
{
    assert_int_equal(t.page.count, 1);
    assert_string_equal(t.page.items[0].document, "{\"id\":\"C1\"}");
    assert_string_equal(t.page.items[0].location, old_place);
    assert_int_equal(t.page.items[0].location_ocpi, OCPI_2_1_1);
    assert_string_equal(t.page.items[0].token_party_id, "DRV");
    return share_list(f,
                      &(struct share_ask){.kind = SHARE_SESSIONS,
                                          .reader_id = t.emsp,
                                          .date_from_us = TIME_NONE,
                                          .date_to_us = TIME_NONE,
                                          .limit = 5},
                      &t.page);
}

static enum flow_next has_session(struct flow *f)
{
    (void)f;
    assert_int_equal(t.page.count, 1);
    assert_string_equal(t.page.items[0].id, "S1");
    return FLOW_DONE;
}

static void a_contract_lets_one_read_what_the_other_told(void **state)
{
    static const struct flow_step steps[] = {
        {"contract", open_contract},
        {"contract", open_tokens},
        {"list", list_contracts},
        {"place", put_place},
        {"places", put_places},
        {"get", get_place},
        {"list", list_places},
        {"list", list_for_old_version},
        {"list", list_for_cpo},
        {"tariffs", put_tariffs},
        {"find", find_tariff},
        {"find", find_nothing},
        {"token", put_token},
        {"tokens", put_tokens},
        {"owner", find_owner},
        {"owner", find_no_owner},
        {"get", get_token},
        {"list", list_tokens},
        {"session", put_session},
        {"look at the cdr", look_at_cdr},
        {"cdr", put_cdr},
        {"get", get_cdr},
        {"list", list_cdrs},
        {"list", list_sessions},
        {"session", has_session},
        {0},
    };

    (void)state;
    play(steps);
}

/* ---- what it is told ---- */

static void told(const char *payload, void *arg)
{
    (void)payload;
    (void)arg;
    t.told++;
}

static enum flow_next claim(struct flow *f)
{
    return outbox_claim(f, 100, 50, &t.outbox);
}

static const struct outbox_item *item_of(enum outbox_kind kind)
{
    for (size_t i = 0; i < t.outbox.count; i++)
        if (t.outbox.items[i].kind == kind)
            return &t.outbox.items[i];
    return NULL;
}

static enum flow_next park_cdr(struct flow *f)
{
    const struct outbox_item *cdr = item_of(OUTBOX_CDR), *info = item_of(OUTBOX_CLIENT_INFO);

    /* three places, session, CDR and the CPO's state for the eMSP; its two tokens for the CPO */
    assert_int_equal(t.outbox.count, 8);
    assert_int_equal(item_of(OUTBOX_TOKEN)->partner_id, t.cpo);
    assert_non_null(item_of(OUTBOX_SESSION));
    assert_null(item_of(OUTBOX_TARIFF)); /* it has no receiver for them */
    assert_int_equal(cdr->partner_id, t.emsp);
    assert_string_equal(cdr->document, "{\"id\":\"C1\"}");
    assert_int_equal(cdr->length, 11);
    assert_int_equal(cdr->ocpi, OCPI_2_1_1);
    assert_string_equal(cdr->object_id, "C1");
    assert_string_equal(cdr->location, old_place);
    assert_string_equal(cdr->token_country_code, "NL");
    assert_int_equal(cdr->attempts, 1);
    assert_string_equal(info->party_id, "VRT");
    assert_string_equal(info->role, "CPO");
    assert_string_equal(info->status, "CONNECTED");
    assert_true(info->last_updated_us > 0);
    return outbox_done(f, cdr, OUTBOX_REFUSED, 0, "2001");
}

static enum flow_next wake(struct flow *f)
{
    (void)f;
    sql("UPDATE outbox SET refusals = 4, due_at = now() WHERE class = 'cdr'");
    return FLOW_NEXT;
}

static enum flow_next refuse(struct flow *f)
{
    assert_int_equal(t.outbox.count, 1);
    assert_int_equal(t.outbox.items[0].attempts, 2);
    return outbox_done(f, t.outbox.items, OUTBOX_REFUSED, 0, "2001");
}

static enum flow_next look_at_parked(struct flow *f)
{
    return outbox_parked(f, t.emsp, 10, &t.outbox);
}

static enum flow_next again(struct flow *f)
{
    assert_int_equal(t.outbox.count, 1);
    assert_string_equal(t.outbox.items[0].detail, "2001");
    return outbox_again(f, t.outbox.items[0].id, false, &t.found);
}

static enum flow_next have_sent(struct flow *f)
{
    assert_true(t.found);
    assert_int_equal(t.outbox.count, 1);
    return outbox_done(f, t.outbox.items, OUTBOX_SENT, 0, NULL);
}

static enum flow_next list_infos(struct flow *f)
{
    return client_info_list(f, t.cpo, TIME_NONE, TIME_NONE, 0, 10, &t.infos);
}

static enum flow_next put_info(struct flow *f)
{
    assert_int_equal(t.infos.total, 2); /* our own eMSP and the other one */
    assert_string_equal(t.infos.items[0].party_id, "HUB");
    assert_string_equal(t.infos.items[1].party_id, "DRV");
    return client_info_put(f, t.emsp,
                           &(struct client_info){.country_code = "DE",
                                                 .party_id = "QQQ",
                                                 .role = "CPO",
                                                 .status = "PLANNED",
                                                 .last_updated_us = TIME_NONE},
                           &t.created);
}

static enum flow_next get_info(struct flow *f)
{
    assert_true(t.created);
    return client_info_get(f, t.emsp, "DE", "qqq", &t.infos);
}

static enum flow_next probe_due(struct flow *f)
{
    assert_int_equal(t.infos.count, 1);
    assert_string_equal(t.infos.items[0].status, "PLANNED");
    return partner_probe_due(f, 10, 0, &t.ids);
}

static enum flow_next fail_probe(struct flow *f)
{
    assert_int_equal(t.ids.count, 2);
    return partner_probed(f, t.cpo, false);
}

static enum flow_next fail_again(struct flow *f)
{
    return partner_probed(f, t.cpo, false);
}

static enum flow_next is_offline(struct flow *f)
{
    const struct partner *p = partner_find(f, t.cpo);

    if (strcmp(p->state, "offline") != 0) {
        flow_again_after_wait(f);
        return flow_sleep(f, 20);
    }
    assert_int_equal(p->failures, 2);
    return partner_suspend(f, t.cpo, &t.found);
}

static enum flow_next resume(struct flow *f)
{
    assert_true(t.found);
    return partner_resume(f, t.cpo, &t.found);
}

static enum flow_next leave(struct flow *f)
{
    assert_true(t.found);
    return partner_unregistered(f, t.emsp);
}

static enum flow_next has_left(struct flow *f)
{
    (void)f;
    assert_string_equal(sql("SELECT state FROM partner WHERE name = 'Drive'"), "offline");
    assert_string_equal(sql("SELECT count(*) FROM outbox"), "0");
    assert_true(t.told > 0);
    return FLOW_DONE;
}

static void the_outbox_has_it_and_the_partner_may_leave(void **state)
{
    static const struct flow_step steps[] = {
        {"claim", claim},       {"park", park_cdr},
        {"wake", wake},         {"claim", claim},
        {"refuse", refuse},     {"parked", look_at_parked},
        {"again", again},       {"claim", claim},
        {"send", have_sent},    {"infos", list_infos},
        {"put info", put_info}, {"get info", get_info},
        {"due", probe_due},     {"probe", fail_probe},
        {"probe", fail_again},  {"offline", is_offline},
        {"resume", resume},     {"leave", leave},
        {"left", has_left},     {0},
    };

    (void)state;
    play(steps);
}

static int open_stores(void **state)
{
    (void)state;
    fixture_database_new();
    fixture_migrate();
    fixture_open(5000, false);
    db_on_notify("outbox", told, NULL);
    return 0;
}

static int close_stores(void **state)
{
    (void)state;
    fixture_close();
    fixture_database_drop();
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(companies_of_both_kinds_register_in_their_versions),
        cmocka_unit_test(a_contract_lets_one_read_what_the_other_told),
        cmocka_unit_test(the_outbox_has_it_and_the_partner_may_leave),
    };
    int skip = fixture_skip();

    return skip ? skip : cmocka_run_group_tests(tests, open_stores, close_stores);
}
