/* SPDX-License-Identifier: Apache-2.0 */
/* Routing: what a table of messages does not show, and what holds true for every message. */
#include "tests/ocpi/routing_world.h"

static void no_contract_looks_like_no_party(void **state)
{
    static const struct row rows[] = {
        {"direct", 1, "DE-CPO", "ES-SEC", PUT, LOCATIONS, R, ONE, {0}, 0, NULL},
        {"open", 3, "FR-EMP", NULL, GET, LOCATIONS, S, ONE, {"ES-SEK"}, 0, NULL},
        {"open, creating", 3, "FR-EMP", NULL, POST, COMMANDS, R, ONE, {"ES-SEK"}, 0, NULL},
        {"authorisation", 1, "DE-CPO", NULL, POST, TOKENS, S, ONE, {"ES-SEC"}, 0, NULL},
        {"lenient", 1, "DE-CPO", "ES-SEC", POST, CDRS, R, ONE, {"FR-EMP"}, LENIENT, NULL},
    };
    struct routing_directory *with = world("FI-HUB");

    (void)state; /* R-ROUTE-42 */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct routing_decision known = decide(with, &rows[i]);
        struct row unknown = rows[i];
        if (unknown.to)
            unknown.to = "ES-SEX";
        if (unknown.owners[0] && strncmp(unknown.owners[0], "ES", 2) == 0)
            unknown.owners[0] = NULL;
        struct routing_decision absent = decide(with, &unknown);
        assert_string_equal(in_words(&known), in_words(&absent));
        if (known.kind != ROUTING_REFUSED)
            continue;
        char *text = arena_text(arena, rule_explain(arena, known.err));
        char *id = strstr(text, "ES-SEC");
        if (id)
            id[5] = 'X';
        assert_string_equal(text, rule_explain(arena, absent.err));
    }
}

static void refusals_say_what_to_do(void **state)
{
    static const struct row offline = {"", 1,   "DE-CPO", "IT-OFF", PUT, LOCATIONS,
                                       R,  ONE, {0},      0,        NULL};
    static const struct row unoffered = {"", 1,   "DE-CPO", "DK-TOK", PUT, LOCATIONS,
                                         R,  ONE, {0},      0,        NULL};
    static const struct row nameless = {"", 3,    "FR-EMP", NULL, GET, LOCATIONS,
                                        S,  LIST, {0},      0,    NULL};
    struct routing_directory *directory = world("FI-HUB");
    struct routing_decision d = decide(directory, &offline);

    (void)state;
    assert_non_null(strstr(err_text(d.err), "IT-OFF"));
    assert_non_null(strstr(err_text(d.err), "OFFLINE"));
    d = decide(directory, &unoffered);
    assert_non_null(strstr(err_text(d.err), "module not available at receiver"));
    d = decide(directory, &nameless);
    assert_string_equal(d.err.where, HEADER_TO_PARTY_ID);
    assert_non_null(d.err.expected);
}

static void ignored_headers_are_reported(void **state)
{
    static const struct row rows[] = {
        {"configuration", 1, "DE-CPO", "FR-EMP", PUT, ROUTING_CONFIGURATION, R, ONE, {0}, 0, ""},
        {"2.1.1", 40, "BE-OLC", NULL, PUT, SESSIONS, R, ONE, {"BE-NEW"}, 0, ""},
        {"wrong FROM", 1, "XX-NIL", "FR-EMP", PUT, LOCATIONS, R, ONE, {0}, LENIENT, ""},
        {"wrong TO", 1, "DE-CPO", "XX-NIL", POST, CDRS, R, ONE, {"FR-EMP"}, LENIENT, ""},
        {"no TO", 3, "FR-EMP", NULL, GET, LOCATIONS, S, LIST, {0}, LENIENT, ""},
        {"as open", 1, "DE-CPO", "FI-HUB", POST, CDRS, R, ONE, {"FR-EMP"}, AS_OPEN, ""},
        {"all well", 1, "DE-CPO", "FR-EMP", PUT, LOCATIONS, R, ONE, {0}, LENIENT, NULL},
        {"all well", 40, NULL, NULL, PUT, SESSIONS, R, ONE, {"BE-NEW"}, 0, NULL},
    };
    struct routing_directory *directory = world("FI-HUB");

    (void)state; /* R-ROUTE-02, R-BR-04, R-TRANS-22 */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct routing_decision d = decide(directory, &rows[i]);
        if (d.headers_ignored != (rows[i].outcome != NULL))
            fail_msg("row %zu, %s", i, rows[i].rules);
    }
}

static void endpoints_become_offers(void **state)
{
    static const struct peer_endpoint new[] = {
        {"credentials", OCPI_INTERFACE_SENDER, "https://a/1"},
        {"tokens", OCPI_INTERFACE_RECEIVER, "https://a/2"},
        {"locations", OCPI_INTERFACE_SENDER, "https://a/3"},
        {"nltnm-tokens", OCPI_INTERFACE_SENDER, "https://a/4"},
        {"Booking", OCPI_INTERFACE_SENDER, "https://a/5"},
    };
    static const struct peer_endpoint old[] = {
        {"tokens", OCPI_INTERFACE_NONE, "https://a/1"},
        {"locations", OCPI_INTERFACE_NONE, "https://a/2"},
        {"credentials", OCPI_INTERFACE_NONE, "https://a/3"},
    };
    enum routing_module module;
    enum routing_method method;

    (void)state; /* R-VER-02, 04, 06, 07 */
    assert_int_equal(routing_offers_of(new, 5, OCPI_ROLE_CPO, V221),
                     OFFER(TOKENS, R) | OFFER(LOCATIONS, S) | OFFER(BOOKINGS, S) |
                         OFFER(BOOKING_LOCATIONS, S));
    assert_int_equal(routing_offers_of(old, 3, OCPI_ROLE_CPO, V211),
                     OFFER(TOKENS, R) | OFFER(LOCATIONS, S));
    assert_int_equal(routing_offers_of(old, 3, OCPI_ROLE_EMSP, V211),
                     OFFER(TOKENS, S) | OFFER(LOCATIONS, R));
    assert_true(routing_module_of("chargingprofiles", &module) && module == PROFILES);
    assert_true(routing_module_of("hubclientinfo", &module) && module == ROUTING_CONFIGURATION);
    assert_false(routing_module_of("nltnm-tokens", &module));
    assert_true(routing_method_of("PATCH", &method) && method == PATCH);
    assert_false(routing_method_of("HEAD", &method));
}

/* ---- whatever comes ---- */

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static struct row random_row(uint64_t *seed, const char *hub)
{
    static const enum routing_method methods[] = {GET, POST, PUT, PATCH, DELETE};
    static const enum routing_target targets[] = {ONE, LIST, URL};
#define PICK(n) (random_next(seed) % (n))
#define ANYBODY (PICK(6) == 0 ? "XX-NIL" : PICK(5) == 0 ? hub : residents[PICK(RESIDENTS)].id)
    const struct resident *who = &residents[1 + PICK(RESIDENTS - 1)];
    struct row row = {
        .partner_id = who->partner_id,
        .from = PICK(3) == 0   ? NULL
                : PICK(3) == 0 ? ANYBODY
                               : who->id,
        .to = PICK(3) == 0 ? NULL : ANYBODY,
        .method = methods[PICK(5)],
        .module = (enum routing_module)PICK(ROUTING_MODULE_COUNT),
        .interface = PICK(2) ? S : R,
        .target = targets[PICK(3)],
        .flags = (int)PICK(8),
    };
    size_t owners = PICK(4);

    for (size_t i = 0; i < owners; i++)
        row.owners[i] = ANYBODY;
    return row;
}

/* What must hold for every decision. */
static const char *broken(const struct row *row, const struct routing_decision *d,
                          const struct party_id *hub)
{
    bool push = row->method != GET;
    bool many = d->kind == ROUTING_BROADCAST ||
                (d->kind == ROUTING_FAN_OUT && d->answer_by == ROUTING_ANSWER_OURS);

    if (d->kind == ROUTING_REFUSED)
        return !failed(d->err) || !rule_find(d->err.rule) || d->leg_count ? "a refusal" : NULL;
    if (failed(d->err))
        return "an error that is no refusal";
    if (row->module == ROUTING_CONFIGURATION)
        return d->leg_count || d->kind != ROUTING_LOCAL ? "R-ROUTE-02" : NULL;
    if (!d->from || d->from->ours || d->from->partner_id != row->partner_id)
        return "R-ROUTE-06";
    if (many && row->module != LOCATIONS && row->module != TARIFFS && row->module != TOKENS &&
        row->module != ROUTING_BOOKING_LOCATIONS)
        return "R-ROUTE-15";
    if (d->leg_count > 1 && push && !many && d->kind != ROUTING_GET_ALL && row->module != TOKENS)
        return "R-ROUTE-24, 55";
    for (size_t i = 0; i < d->leg_count; i++) {
        const struct routing_leg *leg = &d->legs[i];
        const struct routing_party *p = leg->party;
        if (row->target != URL && !share_a_circle(NULL, d->from, p, row->module))
            return "R-ROUTE-42";
        if (d->kind == ROUTING_GET_ALL)
            continue;
        if (!p->ours && p->status != ON)
            return "R-ROUTE-46";
        if (!p->ours && p->partner_id == row->partner_id && !(many && p->hears_neighbours))
            return "R-ROUTE-18, 63";
        if (row->target != URL && !(p->offers & ROUTING_OFFER(row->module, row->interface)))
            return "R-ROUTE-42, offers";
        if (p->ours || p->version == V211) {
            if (party_id_is_set(&leg->request.to) || party_id_is_set(&leg->request.from))
                return "R-BR-10";
            continue;
        }
        if (!party_id_equal(&leg->request.to, &p->id) ||
            !party_id_equal(&leg->request.from, d->kind == ROUTING_BROADCAST ? hub : &d->from->id))
            return "headers of a leg";
        for (size_t j = 0; j < i; j++)
            if (d->legs[j].party->partner_id == p->partner_id &&
                party_id_equal(&d->legs[j].party->id, &p->id))
                return "twice to one party";
    }
    return NULL;
}

static void every_decision_keeps_to_the_rules(void **state)
{
    size_t kinds[ROUTING_GET_ALL + 1] = {0};
    uint64_t seed = 0x9e3779b97f4a7c15;
    struct party_id hub = id_of("FI-HUB");
    struct routing_directory *directory = world("FI-HUB");

    (void)state;
    for (int i = 0; i < 60000; i++) {
        struct row row = random_row(&seed, "FI-HUB");
        struct routing_decision d = decide(directory, &row);
        const char *rule = broken(&row, &d, &hub);
        if (rule)
            fail_msg("%s: partner %d, %s to %s, method %d, module %d, interface %d: %s", rule,
                     (int)row.partner_id, row.from ? row.from : "-", row.to ? row.to : "-",
                     (int)row.method, (int)row.module, (int)row.interface, in_words(&d));
        kinds[d.kind]++;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i] < 50)
            fail_msg("%s came only %zu times", routing_kind_name((enum routing_kind)i), kinds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(no_contract_looks_like_no_party),   OCPI_TEST(refusals_say_what_to_do),
        OCPI_TEST(ignored_headers_are_reported),      OCPI_TEST(endpoints_become_offers),
        OCPI_TEST(every_decision_keeps_to_the_rules),
    };

    return cmocka_run_group_tests_name("ocpi/routing_always", tests, NULL, NULL);
}
