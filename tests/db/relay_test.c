/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What relaying remembers, as C sees it: contexts and cursors that outlive the process, owners,
 * aliases, contracts in memory. The rules of each are tested in test_relay_store.py.
 */
#include "tests/db/fixture.h"

#include "db/alias.h"
#include "db/contract.h"
#include "db/outbox.h"
#include "db/owner.h"
#include "db/partner.h"
#include "db/relay_context.h"
#include "db/relay_cursor.h"
#include "ocpi/translate/translate.h"

#define LONG_ID "LOCATION-OF-2.1.1-WITH-THIRTY-NINE-CHAR"
#define LONG_UID "EVSE-OF-2.1.1-WITH-THIRTY-NINE-CHARS-01"

static struct {
    bool ended, ended_well;
    struct relay_context context;
    struct relay_found found;
    struct relay_result result;
    struct relay_cursor_found cursor;
    struct profile_setter setter;
    struct owners owners;
    struct aliases aliases;
    struct alias_resolved resolved;
    struct outbox_items outbox;
    int64_t number;
    const char *text, *alias;
    bool allowed;
} t;

static const struct party_id abc = {"FI", "ABC"}, xyz = {"FI", "XYZ"}, one = {"NL", "ONE"},
                             hub = {"FI", "HUB"};
static int64_t abc_id, one_id;

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

static enum flow_next wait_ready(struct flow *f)
{
    if (db_health() == DB_UP && partner_register_ready())
        return FLOW_NEXT;
    flow_again_after_wait(f);
    return flow_sleep(f, 20);
}

/* One step, and what it says of its results while the flow's memory stands. */
static void play(enum flow_next (*run)(struct flow *f), enum flow_next (*look)(struct flow *f))
{
    const struct flow_step steps[] = {{"be ready", wait_ready}, {"run", run}, {"look", look}, {0}};
    const struct flow_step no_look[] = {{"be ready", wait_ready}, {"run", run}, {0}};
    struct flow_type type = {
        .name = "test", .deadline_ms = SECONDS(30), .steps = look ? steps : no_look};

    t.ended = t.ended_well = false;
    flow_run(flow_new(&type, &(struct flow_options){.loop = loop, .on_end = have_ended}));
    assert_true(fixture_until(ended, 30000));
    assert_true(t.ended_well);
}

static int setup(void **state)
{
    (void)state;
    fixture_database_new();
    fixture_migrate();
    sql("INSERT INTO partner (name, state, version, face) VALUES ('abc', 'connected', '2.1.1', "
        "'emsp'), ('xyz', 'connected', '2.2.1', 'emsp'), ('one', 'connected', '2.1.1', 'cpo')");
    sql("INSERT INTO party (partner_id, country_code, party_id, role, name) VALUES "
        "(1, 'FI', 'ABC', 'CPO', 'a'), (2, 'FI', 'XYZ', 'CPO', 'x'), (3, 'NL', 'ONE', 'EMSP', "
        "'o')");
    sql("SELECT contract_set('FI', 'ABC', 'NL', 'ONE', NULL, true), "
        "contract_set('FI', 'XYZ', 'NL', 'ONE', NULL, true)");
    abc_id = 1;
    one_id = 3;
    fixture_open(2000, false);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_close();
    fixture_database_drop();
    return 0;
}

/* The process ends; another one begins. */
static void restart(void)
{
    fixture_close();
    fixture_open(2000, false);
}

/* ---- contexts ---- */

static enum flow_next insert_context(struct flow *f)
{
    t.context = (struct relay_context){
        .id = "0123456789abcdef0123456789abcdef",
        .kind = RELAY_RESERVE_NOW,
        .requester = {one_id, one, OCPI_2_1_1},
        .receiver = {abc_id, abc, OCPI_2_3_0},
        .response_url = "https://one.example/cb",
        .location_id = "L1",
        .token_uid = "U1",
        .reservation_id = "R1",
        .expiry_us = time_now_us() + 3600 * US_PER_SECOND,
    };
    return relay_context_insert(f, &t.context);
}

static enum flow_next accept_context(struct flow *f)
{
    return relay_context_answered(f, &t.context, RELAY_ACCEPTED, 30);
}

static enum flow_next find_context(struct flow *f)
{
    return relay_context_find(f, "0123456789abcdef0123456789abcdef", abc_id, &t.found);
}

static enum flow_next find_as_another(struct flow *f)
{
    return relay_context_find(f, "0123456789abcdef0123456789abcdef", 2, &t.found);
}

static enum flow_next it_is_whole(struct flow *f)
{
    const struct relay_context *c = &t.found.context;

    (void)f;
    assert_true(t.found.found);
    assert_string_equal(c->id, "0123456789abcdef0123456789abcdef");
    assert_int_equal(c->kind, RELAY_RESERVE_NOW);
    assert_int_equal(c->requester.partner_id, one_id);
    assert_true(party_id_equal(&c->requester.party, &one));
    assert_int_equal(c->requester.version, OCPI_2_1_1);
    assert_int_equal(c->receiver.partner_id, abc_id);
    assert_true(party_id_equal(&c->receiver.party, &abc));
    assert_int_equal(c->receiver.version, OCPI_2_3_0);
    assert_string_equal(c->response_url, "https://one.example/cb");
    assert_string_equal(c->location_id, "L1");
    assert_string_equal(c->token_uid, "U1");
    assert_string_equal(c->reservation_id, "R1");
    assert_null(c->session_id);
    assert_null(c->correlation_id);
    assert_int_equal(c->deadline_us - c->expiry_us, 3600 * US_PER_SECOND); /* R-ASYNC-13 */
    t.context = *c;
    return FLOW_NEXT;
}

static enum flow_next take_result(struct flow *f)
{
    return relay_context_result(f, &t.context, "{}", 2, &t.result);
}

static enum flow_next it_was_told(struct flow *f)
{
    return relay_context_told(f, &t.context, &t.result, true);
}

static enum flow_next refuse_context(struct flow *f)
{
    return relay_context_answered(f, &t.context, RELAY_REFUSED, 0);
}

static void a_context_outlives_the_process_that_made_it(void **state) /* R-ASYNC-18 */
{
    (void)state;
    play(insert_context, NULL);
    play(accept_context, NULL);
    restart();
    play(find_as_another, NULL);
    assert_false(t.found.found); /* R-ASYNC-11 */
    play(find_context, it_is_whole);
    play(take_result, NULL);
    assert_int_equal(t.result.outcome, RELAY_RESULT_FIRST);
    play(it_was_told, NULL);
    play(take_result, NULL);
    assert_int_equal(t.result.outcome, RELAY_RESULT_SAME); /* R-ASYNC-14 */
}

/* ---- many at once ---- */

enum { MANY = 700 }; /* more than two batches */
static struct {
    unsigned ended, well;
    bool bad_one;
    bool accept;
} many;

static void of_many(int i, struct relay_context *ret)
{
    *ret = (struct relay_context){
        .kind = RELAY_START_SESSION,
        .requester = {one_id, one, OCPI_2_2_1},
        .receiver = {abc_id, abc, OCPI_2_2_1},
        .response_url = "https://one.example/cb?\"{a},\\b\"",
        .location_id = "NULL",
        .token_uid = "",
    };
    /* The store refuses what is no id. */
    snprintf(ret->id, sizeof ret->id, many.bad_one && i == 5 ? "x%031x" : "%032x", i);
}

static enum flow_next put_one(struct flow *f)
{
    struct relay_context c;

    of_many(*(int *)f->state, &c);
    return relay_context_insert(f, &c);
}

static enum flow_next accept_one(struct flow *f)
{
    struct relay_context c;

    of_many(*(int *)f->state, &c);
    return many.accept ? relay_context_answered(f, &c, RELAY_ACCEPTED, 30) : FLOW_NEXT;
}

static void one_of_many_ended(struct flow *f)
{
    many.ended++;
    many.well += !failed(f->err);
}

static bool all_of_many_ended(void)
{
    return many.ended == MANY;
}

static void put_many_contexts(void)
{
    static const struct flow_step steps[] = {{"put", put_one}, {"accept", accept_one}, {0}};
    static const struct flow_type type = {
        .name = "test", .state_size = sizeof(int), .deadline_ms = SECONDS(30), .steps = steps};

    sql("DELETE FROM relay_context");
    many.ended = many.well = 0;
    for (int i = 0; i < MANY; i++) {
        struct flow *f = flow_new(
            &type,
            &(struct flow_options){.loop = loop, .on_end = one_of_many_ended, .no_log = true});
        *(int *)f->state = i;
        flow_run(f);
    }
    assert_true(fixture_until(all_of_many_ended, 30000));
}

static bool all_are_accepted(void)
{
    return strcmp(sql("SELECT count(*) FROM relay_context WHERE state = 'accepted'"), "700") == 0;
}

static void contexts_of_one_moment_are_stored_together(void **state)
{
    (void)state;
    many.accept = true;
    put_many_contexts();
    assert_int_equal(many.well, MANY);
    /* now() is that of the transaction. */
    assert_string_equal(sql("SELECT count(DISTINCT created_at) <= 5 FROM relay_context"), "t");
    assert_string_equal(sql("SELECT count(*) FROM relay_context WHERE location_id = 'NULL' AND "
                            "token_uid = '' AND reservation_id IS NULL AND expiry_at IS NULL AND "
                            "response_url = 'https://one.example/cb?\"{a},\\b\"'"),
                        "700");
    assert_true(fixture_until(all_are_accepted, 10000));
    assert_string_equal(sql("SELECT count(*) FROM relay_context WHERE deadline_at < hub_now() + "
                            "interval '91 seconds'"),
                        "700");
}

static void one_bad_context_takes_no_other_with_it(void **state)
{
    (void)state;
    many.accept = false;
    many.bad_one = true;
    put_many_contexts();
    many.bad_one = false;
    assert_int_equal(many.well, MANY - 1);
    assert_string_equal(sql("SELECT count(*) FROM relay_context"), "699");
    sql("DELETE FROM relay_context");
}

static void contexts_that_still_wait_end_with_the_store(void **state)
{
    static const struct flow_step steps[] = {{"put", put_one}, {0}};
    static const struct flow_type type = {
        .name = "test", .state_size = sizeof(int), .deadline_ms = SECONDS(30), .steps = steps};

    (void)state;
    many.ended = many.well = 0;
    for (int i = 0; i < 3; i++) {
        struct flow *f = flow_new(
            &type,
            &(struct flow_options){.loop = loop, .on_end = one_of_many_ended, .no_log = true});
        *(int *)f->state = i;
        flow_run(f);
    }
    restart();
    assert_int_equal(many.ended, 3);
    assert_int_equal(many.well, 0);
    assert_string_equal(sql("SELECT count(*) FROM relay_context"), "0");
}

static enum flow_next find_reservation(struct flow *f)
{
    return owners_find(f, OWNER_OF_RESERVATION, "r1", "NL-ONE", &t.owners);
}

static enum flow_next it_is_abc(struct flow *f)
{
    (void)f;
    assert_int_equal(t.owners.count, 1);
    assert_true(party_id_equal(&t.owners.items[0], &abc));
    return FLOW_NEXT;
}

static void a_reservation_leads_to_its_cpo_until_it_is_refused(void **state)
{
    (void)state;
    play(find_reservation, it_is_abc);
    play(refuse_context, NULL);
    play(find_context, NULL);
    assert_false(t.found.found); /* R-ASYNC-15 */
    play(take_result, NULL);
    assert_int_equal(t.result.outcome, RELAY_RESULT_GONE);
    play(find_reservation, NULL);
    assert_int_equal(t.owners.count, 0);
}

static void kinds_have_names(void **state)
{
    enum relay_kind kind;

    (void)state;
    for (int i = 0; i < RELAY_KIND_COUNT; i++) {
        assert_true(relay_kind_parse(relay_kind_name((enum relay_kind)i), &kind));
        assert_int_equal(kind, i);
    }
    assert_false(relay_kind_parse("BOOK", &kind));
    assert_false(relay_kind_parse(NULL, &kind));
}

/* ---- setters of profiles ---- */

static enum flow_next set_setter(struct flow *f)
{
    struct relay_side side = {one_id, one, OCPI_2_2_1};
    return profile_setter_set(f, &abc, "S1", &side);
}

static enum flow_next clear_setter(struct flow *f)
{
    return profile_setter_set(f, &abc, "S1", NULL);
}

static enum flow_next find_setter(struct flow *f)
{
    return profile_setter_find(f, &abc, "s1", &t.setter);
}

static void the_setter_of_a_profile_is_remembered(void **state)
{
    (void)state;
    play(set_setter, NULL);
    restart();
    play(find_setter, NULL);
    assert_true(t.setter.found);
    assert_int_equal(t.setter.side.partner_id, one_id);
    assert_true(party_id_equal(&t.setter.side.party, &one));
    assert_int_equal(t.setter.side.version, OCPI_2_2_1);
    play(clear_setter, NULL);
    play(find_setter, NULL);
    assert_false(t.setter.found);
}

/* ---- cursors ---- */

static enum flow_next insert_cursor(struct flow *f)
{
    return relay_cursor_insert(f, &(struct relay_cursor){.id = "abcdefghijklmnopqrstuv",
                                                         .requester_id = one_id,
                                                         .receiver_id = abc_id,
                                                         .from = one,
                                                         .module = "sessions",
                                                         .next_url = "https://abc.example/s?x=1"});
}

static enum flow_next find_cursor(struct flow *f)
{
    return relay_cursor_find(f, "abcdefghijklmnopqrstuv", &t.cursor);
}

static enum flow_next cursor_is_whole(struct flow *f)
{
    const struct relay_cursor *c = &t.cursor.cursor;

    (void)f;
    assert_true(t.cursor.found && !t.cursor.expired);
    assert_string_equal(c->id, "abcdefghijklmnopqrstuv");
    assert_int_equal(c->requester_id, one_id);
    assert_int_equal(c->receiver_id, abc_id);
    assert_true(party_id_equal(&c->from, &one));
    assert_false(party_id_is_set(&c->to)); /* none was named */
    assert_string_equal(c->module, "sessions");
    assert_string_equal(c->next_url, "https://abc.example/s?x=1");
    return FLOW_NEXT;
}

static void a_cursor_outlives_the_process_that_made_it(void **state) /* R-ROUTE-51 */
{
    (void)state;
    play(insert_cursor, NULL);
    restart();
    play(find_cursor, cursor_is_whole);
}

/* ---- contracts ---- */

static const struct party_id *from, *to;
static const char *module;

static enum flow_next ask_contract(struct flow *f)
{
    t.allowed = contract_allows(f, from, to, module);
    return FLOW_NEXT;
}

static bool allows(const struct party_id *a, const struct party_id *b, const char *m)
{
    from = a;
    to = b;
    module = m;
    play(ask_contract, NULL);
    return t.allowed;
}

static bool may_have_commands(void)
{
    return allows(&one, &abc, "commands");
}

static bool may_have_tokens(void)
{
    return allows(&abc, &one, "tokens");
}

static bool may_not_have_tokens(void)
{
    return !may_have_tokens();
}

/* The condition turns the loop itself. */
static bool soon(bool (*holds)(void))
{
    int64_t end = time_monotonic_ms() + 2000; /* well before the next look */

    while (!holds() && time_monotonic_ms() < end)
        fixture_turn_for(10);
    return holds();
}

static void contracts_are_closed_unless_they_are_open(void **state)
{
    struct party_id lower = {"nl", "one"};

    (void)state;
    assert_true(soon(may_have_tokens));
    assert_true(allows(&abc, &lower, "locations"));
    assert_false(allows(&one, &abc, "commands")); /* the other way */
    assert_false(allows(&abc, &xyz, "locations"));
    assert_true(allows(&hub, &abc, "commands")); /* ours needs none with CPOs ... */
    assert_true(allows(&abc, &hub, "sessions"));
    assert_false(allows(&hub, &one, "tokens")); /* ... and has none with anybody else */
    assert_false(allows(&one, &hub, "tokens"));
}

static void a_contract_is_followed_at_once(void **state)
{
    (void)state;
    assert_false(may_have_commands());
    sql("SELECT contract_set('NL', 'ONE', 'FI', 'ABC', 'commands', true)");
    assert_true(soon(may_have_commands));
    assert_false(allows(&one, &abc, "tokens"));
    sql("SELECT contract_set('FI', 'ABC', 'NL', 'ONE', 'tokens', false)"); /* an exception */
    assert_true(soon(may_not_have_tokens));
    assert_true(allows(&abc, &one, "locations"));
    sql("SELECT contract_set('FI', 'ABC', 'NL', 'ONE', 'tokens', true)");
    assert_true(soon(may_have_tokens));
}

/* ---- owners and aliases ---- */

static void add_locations(void)
{
    sql("SELECT location_put(1, 'FI', 'ABC', 'L1', '{\"id\":\"L1\"}', hub_now(), 0, false), "
        "location_put(2, 'FI', 'XYZ', 'l1', '{\"id\":\"l1\"}', hub_now(), 0, false)");
    sql("SELECT tariff_put(1, 'FI', 'ABC', 'T' || i, '{}', hub_now()), "
        "tariff_put(2, 'FI', 'XYZ', 'T' || i, '{}', hub_now()) FROM generate_series(1, 20) i");
    sql("SELECT location_put(1, 'FI', 'ABC', '" LONG_ID "', "
        "'{\"evses\":[{\"uid\":\"" LONG_UID "\"},{\"uid\":\"EVSE-OF-2.1.1-WITH\"}]}', hub_now(), "
        "0, false, '2.1.1')");
}

static enum flow_next find_location_owners(struct flow *f)
{
    return owners_find(f, OWNER_OF_LOCATION, "L1", NULL, &t.owners);
}

static enum flow_next both_are_owners(struct flow *f)
{
    (void)f;
    assert_int_equal(t.owners.count, 2);
    assert_true(party_id_equal(&t.owners.items[0], &abc));
    assert_true(party_id_equal(&t.owners.items[1], &xyz));
    return FLOW_NEXT;
}

static enum flow_next find_aliases(struct flow *f)
{
    static const struct party_id both[] = {{"FI", "XYZ"}, {"fi", "abc"}};
    static const char *const ids[] = {"L1", "T7", "t8", "T8", "nobody's", "t9"};
    return aliases_find(
        f,
        &(struct alias_ask){
            .reader_id = one_id, .owners = both, .owner_count = 2, .ids = ids, .id_count = 6},
        &t.aliases);
}

static enum flow_next they_are_the_later_ones(struct flow *f)
{
    (void)f;
    assert_int_equal(t.aliases.count, 4); /* of twenty-one */
    assert_string_equal(alias_of(&t.aliases, ALIAS_LOCATIONS, &xyz, "L1"), "FI*XYZ*l1");
    assert_string_equal(alias_of(&t.aliases, ALIAS_TARIFFS, &xyz, "t7"), "FI*XYZ*T7");
    assert_string_equal(alias_of(&t.aliases, ALIAS_TARIFFS, &abc, "T7"), "T7");
    assert_string_equal(alias_of(&t.aliases, ALIAS_SESSIONS, &xyz, "T7"), "T7");
    assert_string_equal(alias_of(NULL, ALIAS_TARIFFS, &xyz, "T7"), "T7");
    return FLOW_NEXT;
}

static const char *named;

static enum flow_next resolve(struct flow *f)
{
    return alias_resolve(f, one_id, false, ALIAS_LOCATIONS, named, &t.resolved);
}

static enum flow_next it_is_of_xyz(struct flow *f)
{
    (void)f;
    assert_true(t.resolved.found);
    assert_true(party_id_equal(&t.resolved.owner, &xyz));
    assert_string_equal(t.resolved.id, "l1");
    return FLOW_NEXT;
}

static void an_id_of_two_owners_is_told_under_two_names(void **state) /* R-BR-06, 07 */
{
    (void)state;
    add_locations();
    play(find_location_owners, both_are_owners);
    play(find_aliases, they_are_the_later_ones);
    restart();
    named = "fi*xyz*L1";
    play(resolve, it_is_of_xyz);
    named = "FI*XYZ*L2";
    play(resolve, NULL);
    assert_false(t.resolved.found);
}

static enum flow_next resolve_long(struct flow *f)
{
    return alias_resolve(f, 2, true, ALIAS_LOCATIONS, translate_id(f->arena, LONG_ID), &t.resolved);
}

static enum flow_next it_is_the_long_one(struct flow *f)
{
    (void)f;
    assert_true(t.resolved.found);
    assert_true(party_id_equal(&t.resolved.owner, &abc));
    assert_string_equal(t.resolved.id, LONG_ID);
    return FLOW_NEXT;
}

static enum flow_next resolve_another(struct flow *f)
{
    return alias_resolve(f, 2, true, ALIAS_LOCATIONS, "location-of-2.1.1-w-0000000000000000",
                         &t.resolved);
}

static enum flow_next resolve_evse(struct flow *f)
{
    return alias_resolve_evse(f, &abc, LONG_ID, translate_id(f->arena, LONG_UID), &t.resolved);
}

static enum flow_next it_is_the_evse(struct flow *f)
{
    (void)f;
    assert_true(t.resolved.found);
    assert_string_equal(t.resolved.id, LONG_UID);
    return FLOW_NEXT;
}

static enum flow_next resolve_short_evse(struct flow *f)
{
    return alias_resolve_evse(f, &abc, LONG_ID, "E1", &t.resolved);
}

static void what_stands_for_a_long_id_leads_back_to_it(void **state) /* R-BR-07 */
{
    (void)state;
    play(resolve_long, it_is_the_long_one);
    play(resolve_another, NULL); /* the same beginning is not enough */
    assert_false(t.resolved.found);
    play(resolve_evse, it_is_the_evse);
    play(resolve_short_evse, NULL);
    assert_false(t.resolved.found);
    /* Two owners: which one, nobody can tell. */
    sql("SELECT location_put(2, 'FI', 'XYZ', '" LONG_ID "', '{}', hub_now(), 0, false, '2.1.1')");
    play(resolve_long, NULL);
    assert_true(t.resolved.found);
    assert_false(party_id_is_set(&t.resolved.owner));
}

/* ---- reservations ---- */

static enum flow_next give_number(struct flow *f)
{
    return reservation_number_give(f, &one, "R-77", time_now_us(), &t.number);
}

static enum flow_next take_number(struct flow *f)
{
    return reservation_number_resolve(f, &one, t.number, &t.text);
}

static enum flow_next take_impossible_number(struct flow *f)
{
    return reservation_number_resolve(f, &one, INT64_C(1) << 32, &t.text);
}

static enum flow_next it_is_r77(struct flow *f)
{
    (void)f;
    assert_string_equal(t.text, "R-77");
    return FLOW_NEXT;
}

static void a_number_of_a_reservation_leads_back(void **state)
{
    int64_t first;

    (void)state;
    play(give_number, NULL);
    first = t.number;
    assert_true(first > 0 && first <= INT32_MAX);
    restart();
    play(give_number, NULL);
    assert_int_equal(t.number, first);
    play(take_number, it_is_r77);
    play(take_impossible_number, NULL);
    assert_null(t.text);
}

/* ---- tokens ---- */

static enum flow_next claim(struct flow *f)
{
    return outbox_claim(f, 10, 10, &t.outbox);
}

static enum flow_next it_is_the_token(struct flow *f)
{
    (void)f;
    assert_int_equal(t.outbox.count, 1);
    assert_int_equal(t.outbox.items[0].kind, OUTBOX_TOKEN);
    assert_int_equal(t.outbox.items[0].partner_id, abc_id);
    assert_string_equal(t.outbox.items[0].object_id, "U1");
    assert_string_equal(t.outbox.items[0].party_id, "ONE");
    assert_string_equal(t.outbox.items[0].document, "{\"uid\":\"U1\"}");
    assert_string_equal(outbox_kind_name(OUTBOX_TOKEN), "token");
    return FLOW_NEXT;
}

static void a_token_is_claimed_for_a_cpo(void **state)
{
    (void)state;
    sql("INSERT INTO push_target (partner_id, module) VALUES (1, 'tokens')");
    sql("SELECT contract_set('NL', 'ONE', 'FI', 'ABC', 'tokens', true)");
    sql("SELECT roaming_token_put(3, 'NL', 'ONE', 'U1', 'RFID', '{\"uid\":\"U1\"}', '2.2.1', 'C', "
        "true, hub_now(), 0)");
    play(claim, it_is_the_token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_have_names),
        cmocka_unit_test(a_context_outlives_the_process_that_made_it),
        cmocka_unit_test(a_reservation_leads_to_its_cpo_until_it_is_refused),
        cmocka_unit_test(contexts_of_one_moment_are_stored_together),
        cmocka_unit_test(one_bad_context_takes_no_other_with_it),
        cmocka_unit_test(contexts_that_still_wait_end_with_the_store),
        cmocka_unit_test(the_setter_of_a_profile_is_remembered),
        cmocka_unit_test(a_cursor_outlives_the_process_that_made_it),
        cmocka_unit_test(contracts_are_closed_unless_they_are_open),
        cmocka_unit_test(a_contract_is_followed_at_once),
        cmocka_unit_test(an_id_of_two_owners_is_told_under_two_names),
        cmocka_unit_test(what_stands_for_a_long_id_leads_back_to_it),
        cmocka_unit_test(a_number_of_a_reservation_leads_back),
        cmocka_unit_test(a_token_is_claimed_for_a_cpo),
    };
    int skip = fixture_skip();

    return skip ? skip : cmocka_run_group_tests(tests, setup, teardown);
}
