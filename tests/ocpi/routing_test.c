/* SPDX-License-Identifier: Apache-2.0 */
/* Routing: a table of messages and where each has to go. */
#include "tests/ocpi/routing_world.h"

static void check_rows(const char *hub, const struct row *rows, size_t count)
{
    struct routing_directory *directory = world(hub);
    int wrong = 0;

    for (size_t i = 0; i < count; i++) {
        struct routing_decision d = decide(directory, &rows[i]);
        const char *came = in_words(&d);
        if (strcmp(came, rows[i].outcome) != 0) {
            print_error("row %zu, %s:\n  expected %s\n  came     %s\n", i, rows[i].rules,
                        rows[i].outcome, came);
            wrong++;
        }
        if (d.kind == ROUTING_REFUSED && !rule_find(d.err.rule)) {
            print_error("row %zu: %s is not in the list of rules\n", i, d.err.rule);
            wrong++;
        }
    }
    if (wrong)
        fail_msg("%d rows are wrong", wrong);
}
#define CHECK(hub, rows) check_rows(hub, rows, sizeof(rows) / sizeof((rows)[0]))

/* clang-format off */
static void a_message_that_names_a_party_goes_to_it(void **state)
{
    static const struct row rows[] = {
        {"R-ROUTE-01, 04, 10: both pairs stay, the answer has them swapped",
         1, "DE-CPO", "FR-EMP", PUT, LOCATIONS, R, ONE, {0}, 0,
         "DIRECT FR-EMP(FR-EMP<DE-CPO,DE-CPO<FR-EMP) =DE-CPO<FI-HUB"},
        {"R-ROUTE-03: any case comes in, upper case goes out",
         1, "de-Cpo", "fr-emp", PUT, LOCATIONS, R, ONE, {0}, 0,
         "DIRECT FR-EMP(FR-EMP<DE-CPO,DE-CPO<FR-EMP) =DE-CPO<FI-HUB"},
        {"R-ROUTE-10: the interface that is addressed, across versions",
         4, "GR-EMP", "DE-CPO", GET, LOCATIONS, S, LIST, {0}, 0,
         "DIRECT DE-CPO(DE-CPO<GR-EMP,GR-EMP<DE-CPO) =GR-EMP<FI-HUB"},
        {"R-ROUTE-10: what the content says does not count then",
         1, "DE-CPO", "FR-EMP", POST, CDRS, R, ONE, {"GR-EMP"}, 0,
         "DIRECT FR-EMP(FR-EMP<DE-CPO,DE-CPO<FR-EMP) =DE-CPO<FI-HUB"},
        {"our own eMSP is a party like others",
         1, "DE-CPO", "FI-OWN", PUT, SESSIONS, R, ONE, {0}, 0,
         "LOCAL FI-OWN(-,DE-CPO<FI-OWN) =DE-CPO<FI-OWN"},
        {"two hubs in a row: both keep both pairs",
         50, "PL-CPO", "PT-EMP", PUT, SESSIONS, R, ONE, {0}, 0,
         "DIRECT PT-EMP(PT-EMP<PL-CPO,PL-CPO<PT-EMP) =PL-CPO<FI-HUB"},
        {"two hubs in a row, the other way",
         51, "PT-EMP", "PL-CPO", POST, COMMANDS, R, ONE, {0}, 0,
         "DIRECT PL-CPO(PL-CPO<PT-EMP,PT-EMP<PL-CPO) =PT-EMP<FI-HUB"},
        {"2.1.1 receivers get no headers (R-BR-10)",
         42, "BE-NEW", "BE-OLC", POST, COMMANDS, R, ONE, {0}, 0,
         "DIRECT BE-OLC(-,BE-NEW<BE-OLC) =BE-NEW<FI-HUB"},
        {"a company in two roles: the one that has this side",
         30, "AT-TWO", "CH-DUO", PUT, LOCATIONS, R, ONE, {0}, 0,
         "DIRECT CH-DUO(CH-DUO<AT-TWO,AT-TWO<CH-DUO) =AT-TWO<FI-HUB"},
    };
    (void)state;
    CHECK("FI-HUB", rows);
}

static void a_message_to_nobody_who_can_take_it_is_refused(void **state)
{
    static const struct row rows[] = {
        {"R-ROUTE-41: unknown",
         1, "DE-CPO", "XX-NIL", PUT, LOCATIONS, R, ONE, {0}, 0, "REFUSED 4001 R-ROUTE-41 =DE-CPO<FI-HUB"},
        {"R-ROUTE-42: no contract",
         1, "DE-CPO", "ES-SEC", PUT, LOCATIONS, R, ONE, {0}, 0, "REFUSED 4001 R-ROUTE-41 =DE-CPO<FI-HUB"},
        {"R-ROUTE-41, 46: OFFLINE",
         1, "DE-CPO", "IT-OFF", PUT, LOCATIONS, R, ONE, {0}, 0, "REFUSED 4003 R-ROUTE-46 =DE-CPO<FI-HUB"},
        {"R-ROUTE-41, 46: PLANNED",
         1, "DE-CPO", "IT-PLN", PUT, LOCATIONS, R, ONE, {0}, 0, "REFUSED 4003 R-ROUTE-46 =DE-CPO<FI-HUB"},
        {"R-ROUTE-41, 46: SUSPENDED",
         1, "DE-CPO", "IT-SUS", PUT, LOCATIONS, R, ONE, {0}, 0, "REFUSED 4003 R-ROUTE-46 =DE-CPO<FI-HUB"},
        {"R-ROUTE-42: the module is not offered",
         1, "DE-CPO", "DK-TOK", PUT, LOCATIONS, R, ONE, {0}, 0, "REFUSED 4003 R-ROUTE-42 =DE-CPO<FI-HUB"},
        {"R-ROUTE-42: the other interface of the module is not enough",
         1, "DE-CPO", "SE-CPO", PUT, LOCATIONS, R, ONE, {0}, 0, "REFUSED 4003 R-ROUTE-42 =DE-CPO<FI-HUB"},
        {"R-ROUTE-42, R-CP-09: not in the receiver's version",
         42, "BE-NEW", "BE-OLC", PUT, PROFILES, R, ONE, {0}, 0, "REFUSED 4003 R-ROUTE-42 not_in_version =BE-NEW<FI-HUB"},
        {"R-ROUTE-42: charging preferences are not in 2.1.1, though sessions are",
         42, "BE-NEW", "BE-OLC", PUT, SESSIONS, S, ONE, {0}, 0, "REFUSED 4003 R-ROUTE-42 not_in_version =BE-NEW<FI-HUB"},
        {"R-ROUTE-63: never back into the connection it came from",
         30, "AT-TWO", "AT-TWE", PUT, LOCATIONS, R, ONE, {0}, 0, "REFUSED 4001 R-ROUTE-63 =AT-TWO<FI-HUB"},
        {"R-TRANS-09: no such call",
         1, "DE-CPO", "FR-EMP", DELETE, LOCATIONS, R, ONE, {0}, 0, "REFUSED 2000 R-TRANS-09 HTTP =-"},
        {"R-TAR-15: PATCH of a Tariff is 2.1.1's",
         1, "DE-CPO", "FR-EMP", PATCH, TARIFFS, R, ONE, {0}, 0, "REFUSED 2000 R-TRANS-09 HTTP =-"},
        {"lenient_routing: TO that is wrong counts as missing",
         1, "DE-CPO", "XX-NIL", POST, CDRS, R, ONE, {"FR-EMP"}, LENIENT,
         "OPEN FR-EMP(FR-EMP<DE-CPO,DE-CPO<FR-EMP) =DE-CPO<FI-HUB"},
    };
    (void)state;
    CHECK("FI-HUB", rows);
}

static void nobody_speaks_for_others(void **state)
{
    static const struct row rows[] = {
        {"R-ROUTE-06: a party of another connection",
         1, "SE-CPO", "FR-EMP", PUT, LOCATIONS, R, ONE, {0}, 0, "REFUSED 2001 R-ROUTE-06 HTTP =-"},
        {"R-ROUTE-06: a party of nobody",
         1, "XX-NIL", "FR-EMP", PUT, LOCATIONS, R, ONE, {0}, 0, "REFUSED 2001 R-ROUTE-06 HTTP =-"},
        {"R-ROUTE-06: our own party",
         1, "FI-OWN", "SE-CPO", PUT, TOKENS, R, ONE, {0}, 0, "REFUSED 2001 R-ROUTE-06 HTTP =-"},
        {"R-ROUTE-06: the hub",
         1, "FI-HUB", "FR-EMP", PUT, LOCATIONS, R, ONE, {0}, 0, "REFUSED 2001 R-ROUTE-06 HTTP =-"},
        {"R-ROUTE-06, 56: a CPO has no tokens to push",
         1, "DE-CPO", "SE-CPO", PUT, TOKENS, R, ONE, {0}, 0, "REFUSED 2001 R-ROUTE-06 HTTP =-"},
        {"R-ROUTE-06, 56: an eMSP has no locations to push",
         3, "FR-EMP", "GR-EMP", PUT, LOCATIONS, R, ONE, {0}, 0, "REFUSED 2001 R-ROUTE-06 HTTP =-"},
        {"R-ROUTE-56: OTHER is like an eMSP",
         24, "LU-OTH", "LU-CPO", PUT, TOKENS, R, ONE, {0}, 0,
         "DIRECT LU-CPO(LU-CPO<LU-OTH,LU-OTH<LU-CPO) =LU-OTH<FI-HUB"},
        {"R-ROUTE-56: an NSP reads locations",
         23, "LU-NSP", "LU-CPO", GET, LOCATIONS, S, LIST, {0}, 0,
         "DIRECT LU-CPO(LU-CPO<LU-NSP,LU-NSP<LU-CPO) =LU-NSP<FI-HUB"},
        {"R-ROUTE-56: an NSP has no tokens",
         23, "LU-NSP", "LU-CPO", PUT, TOKENS, R, ONE, {0}, 0, "REFUSED 2001 R-ROUTE-06 HTTP =-"},
        {"R-ROUTE-56: a NAP passes locations on",
         25, "LU-NAP", "LU-EMP", PUT, LOCATIONS, R, ONE, {0}, 0,
         "DIRECT LU-EMP(LU-EMP<LU-NAP,LU-NAP<LU-EMP) =LU-NAP<FI-HUB"},
        {"R-ROUTE-56: an SCSP sets profiles, and has sessions sent",
         27, "LU-SCS", "LU-CPO", PUT, PROFILES, R, ONE, {0}, 0,
         "DIRECT LU-CPO(LU-CPO<LU-SCS,LU-SCS<LU-CPO) =LU-SCS<FI-HUB"},
        {"R-CP-08: an eMSP between CPO and SCSP passes profiles on",
         22, "LU-EMP", "LU-SCS", PUT, PROFILES, S, ONE, {0}, 0,
         "DIRECT LU-SCS(LU-SCS<LU-EMP,LU-EMP<LU-SCS) =LU-EMP<FI-HUB"},
        {"R-ROUTE-12: to an SCSP sessions go directly",
         20, "LU-CPO", "LU-SCS", PUT, SESSIONS, R, ONE, {0}, 0,
         "DIRECT LU-SCS(LU-SCS<LU-CPO,LU-CPO<LU-SCS) =LU-CPO<FI-HUB"},
        {"R-ROUTE-06: FROM is missing, one party uses that side",
         30, NULL, "CH-DUO", PUT, LOCATIONS, R, ONE, {0}, 0,
         "DIRECT CH-DUO(CH-DUO<AT-TWO,AT-TWO<CH-DUO) =AT-TWO<FI-HUB"},
        {"R-ROUTE-06: FROM is missing, two parties use it",
         30, NULL, "CH-DUO", PUT, TOKENS, R, ONE, {0}, 0, "REFUSED 2001 R-ROUTE-06 =-"},
        {"R-ROUTE-06: FROM is missing, one company in two roles is one party",
         31, NULL, "AT-TWO", PUT, TOKENS, R, ONE, {0}, 0,
         "DIRECT AT-TWO(AT-TWO<CH-DUO,CH-DUO<AT-TWO) =CH-DUO<FI-HUB"},
        {"R-ROUTE-06: FROM is missing, nobody uses it",
         3, NULL, "GR-EMP", PUT, LOCATIONS, R, ONE, {0}, 0, "REFUSED 2001 R-ROUTE-06 HTTP =-"},
        {"R-ROUTE-06: the parties behind a hub are not inferred from one another",
         50, NULL, "PT-EMP", PUT, LOCATIONS, R, ONE, {0}, 0,
         "DIRECT PT-EMP(PT-EMP<PL-CPO,PL-CPO<PT-EMP) =PL-CPO<FI-HUB"},
        {"lenient_routing: FROM that is wrong counts as missing",
         1, "XX-NIL", "FR-EMP", PUT, LOCATIONS, R, ONE, {0}, LENIENT,
         "DIRECT FR-EMP(FR-EMP<DE-CPO,DE-CPO<FR-EMP) =DE-CPO<FI-HUB"},
        {"R-ROUTE-02: configuration modules are ours, and without headers",
         1, "XX-NIL", "FR-EMP", PUT, ROUTING_CONFIGURATION, R, ONE, {0}, 0, "LOCAL =-"},
    };
    (void)state;
    CHECK("FI-HUB", rows);
}

static void a_push_to_the_hub_goes_to_the_opposite_side(void **state)
{
    static const struct row rows[] = {
        {"R-ROUTE-11, 12, 16, 17, 18, 46: locations; our eMSP is one of those who hear it",
         20, "LU-CPO", "FI-HUB", PUT, LOCATIONS, R, ONE, {0}, 0,
         "BROADCAST FI-OWN(-,-) LU-EMP(LU-EMP<FI-HUB,-) LU-NAP(LU-NAP<FI-HUB,-) LU-NSP(LU-NSP<FI-HUB,-)"
         " LU-OTH(LU-OTH<FI-HUB,-) =LU-CPO<FI-HUB"},
        {"R-ROUTE-12: tariffs, also to the NAP that has only these",
         20, "LU-CPO", "FI-HUB", PUT, TARIFFS, R, ONE, {0}, 0,
         "BROADCAST FI-OWN(-,-) LU-EMP(LU-EMP<FI-HUB,-) LU-NA0(LU-NA0<FI-HUB,-) LU-NAP(LU-NAP<FI-HUB,-)"
         " LU-NSP(LU-NSP<FI-HUB,-) LU-OTH(LU-OTH<FI-HUB,-) =LU-CPO<FI-HUB"},
        {"R-ROUTE-12: tokens, to CPOs only",
         22, "LU-EMP", "FI-HUB", PUT, TOKENS, R, ONE, {0}, 0,
         "BROADCAST AT-TWO(AT-TWO<FI-HUB,-) LU-CP2(LU-CP2<FI-HUB,-) LU-CPO(LU-CPO<FI-HUB,-) =LU-EMP<FI-HUB"},
        {"R-ROUTE-12: OTHER to CPOs, never to eMSPs",
         24, "LU-OTH", "FI-HUB", PATCH, TOKENS, R, ONE, {0}, 0,
         "BROADCAST AT-TWO(AT-TWO<FI-HUB,-) LU-CP2(LU-CP2<FI-HUB,-) LU-CPO(LU-CPO<FI-HUB,-) =LU-OTH<FI-HUB"},
        {"R-ROUTE-16, 41, 42, 46: contracts, connections, offers; who is OFFLINE misses it",
         1, "DE-CPO", "FI-HUB", PATCH, LOCATIONS, R, ONE, {0}, 0,
         "BROADCAST FI-OWN(-,-) FR-EMP(FR-EMP<FI-HUB,-) GR-EMP(GR-EMP<FI-HUB,-) ~IT-OFF =DE-CPO<FI-HUB"},
        {"R-ROUTE-19: DELETE of a Tariff is one",
         1, "DE-CPO", "FI-HUB", DELETE, TARIFFS, R, ONE, {0}, 0,
         "BROADCAST FI-OWN(-,-) FR-EMP(FR-EMP<FI-HUB,-) GR-EMP(GR-EMP<FI-HUB,-) ~IT-OFF =DE-CPO<FI-HUB"},
        {"R-ROUTE-18: not to its own platform, unless flagged; a company in two roles hears it once",
         30, "AT-TWO", "FI-HUB", PUT, TARIFFS, R, ONE, {0}, 0,
         "BROADCAST AT-GST(AT-GST<FI-HUB,-) CH-DUO(CH-DUO<FI-HUB,-) FI-OWN(-,-) LU-EMP(LU-EMP<FI-HUB,-)"
         " LU-NA0(LU-NA0<FI-HUB,-) LU-NAP(LU-NAP<FI-HUB,-) LU-NSP(LU-NSP<FI-HUB,-) LU-OTH(LU-OTH<FI-HUB,-)"
         " =AT-TWO<FI-HUB"},
        {"R-ROUTE-18: a party in both roles does not hear itself",
         31, "CH-DUO", "FI-HUB", PUT, LOCATIONS, R, ONE, {0}, 0,
         "BROADCAST AT-GST(AT-GST<FI-HUB,-) AT-TWE(AT-TWE<FI-HUB,-) =CH-DUO<FI-HUB"},
        {"R-BR-10: 2.1.1 hears it without headers",
         43, "BE-NEC", "FI-HUB", PUT, LOCATIONS, R, ONE, {0}, 0,
         "BROADCAST BE-LAT(BE-LAT<FI-HUB,-) BE-NEW(BE-NEW<FI-HUB,-) BE-OLE(-,-) FI-OWN(-,-) =BE-NEC<FI-HUB"},
        {"R-ROUTE-12: a NAP's to the eMSPs' side",
         25, "LU-NAP", "FI-HUB", PUT, TARIFFS, R, ONE, {0}, 0,
         "BROADCAST FI-OWN(-,-) LU-EMP(LU-EMP<FI-HUB,-) LU-NA0(LU-NA0<FI-HUB,-) LU-NSP(LU-NSP<FI-HUB,-)"
         " LU-OTH(LU-OTH<FI-HUB,-) =LU-NAP<FI-HUB"},
        {"two hubs: the other one's broadcast goes on, not back",
         50, "PL-HUB", "FI-HUB", PUT, LOCATIONS, R, ONE, {0}, 0,
         "BROADCAST PT-EMP(PT-EMP<FI-HUB,-) =PL-HUB<FI-HUB"},
        {"R-ROUTE-14: no GET", 1, "DE-CPO", "FI-HUB", GET, LOCATIONS, R, ONE, {0}, 0,
         "REFUSED 2001 R-ROUTE-14 =DE-CPO<FI-HUB"},
        {"R-ROUTE-14: no GET, of a Token neither, lenient or not", 3, "FR-EMP", "FI-HUB", GET, TOKENS, R, ONE, {0}, LENIENT,
         "REFUSED 2001 R-ROUTE-14 =FR-EMP<FI-HUB"},
        {"R-ROUTE-15: no sessions", 1, "DE-CPO", "FI-HUB", PUT, SESSIONS, R, ONE, {"FR-EMP"}, 0,
         "REFUSED 2001 R-ROUTE-15 =DE-CPO<FI-HUB"},
        {"R-ROUTE-15: no CDRs", 1, "DE-CPO", "FI-HUB", POST, CDRS, R, ONE, {"FR-EMP"}, 0,
         "REFUSED 2001 R-ROUTE-15 =DE-CPO<FI-HUB"},
        {"R-ROUTE-15: no commands", 3, "FR-EMP", "FI-HUB", POST, COMMANDS, R, ONE, {"DE-CPO"}, 0,
         "REFUSED 2001 R-ROUTE-15 =FR-EMP<FI-HUB"},
        {"R-ROUTE-15: no charging profiles", 3, "FR-EMP", "FI-HUB", DELETE, PROFILES, R, ONE, {"DE-CPO"}, 0,
         "REFUSED 2001 R-ROUTE-15 =FR-EMP<FI-HUB"},
        {"R-ROUTE-15: no authorisations", 1, "DE-CPO", "FI-HUB", POST, TOKENS, S, ONE, {"FR-EMP"}, 0,
         "REFUSED 2001 R-ROUTE-15 =DE-CPO<FI-HUB"},
        {"R-ROUTE-15: no invoices", 2, "SE-CPO", "FI-HUB", POST, ROUTING_INVOICES, R, ONE, {0}, 0,
         "REFUSED 2001 R-ROUTE-15 =SE-CPO<FI-HUB"},
        {"R-ROUTE-15: no payments", 2, "SE-CPO", "FI-HUB", PUT, ROUTING_PAYMENTS, R, ONE, {0}, 0,
         "REFUSED 2001 R-ROUTE-15 =SE-CPO<FI-HUB"},
        {"R-ROUTE-15: no booking requests", 4, "GR-EMP", "FI-HUB", POST, ROUTING_BOOKINGS, S, ONE, {0}, 0,
         "REFUSED 2001 R-ROUTE-15 =GR-EMP<FI-HUB"},
        {"5.5: but places to book are for everybody", 2, "SE-CPO", "FI-HUB", PUT, ROUTING_BOOKING_LOCATIONS, R, ONE, {0}, 0,
         "BROADCAST GR-EMP(GR-EMP<FI-HUB,-) =SE-CPO<FI-HUB"},
        {"R-ROUTE-15: unless the connection is switched to open routing",
         1, "DE-CPO", "FI-HUB", POST, CDRS, R, ONE, {"FR-EMP"}, AS_OPEN,
         "OPEN FR-EMP(FR-EMP<DE-CPO,DE-CPO<FR-EMP) =DE-CPO<FI-HUB"},
    };
    (void)state;
    CHECK("FI-HUB", rows);
}

static void a_list_of_the_hub_is_everybodys(void **state)
{
    static const struct row rows[] = {
        {"R-ROUTE-30, 31, 33: owners of locations, OFFLINE ones too, SUSPENDED ones not",
         3, "FR-EMP", "FI-HUB", GET, LOCATIONS, S, LIST, {0}, 0,
         "GET_ALL DE-CPO IT-OFC SE-CPO =FR-EMP<FI-HUB"},
        {"R-ROUTE-30, 33: tariffs",
         3, "FR-EMP", "FI-HUB", GET, TARIFFS, S, LIST, {0}, 0, "GET_ALL DE-CPO IT-OFC SE-CPO =FR-EMP<FI-HUB"},
        {"R-ROUTE-30: tokens, ours among them",
         1, "DE-CPO", "FI-HUB", GET, TOKENS, S, LIST, {0}, 0,
         "GET_ALL DK-TOK FI-OWN FR-EMP GR-EMP IT-OFF IT-PLN =DE-CPO<FI-HUB"},
        {"R-ROUTE-30, 56: OTHER has tokens, an NSP has none",
         20, "LU-CPO", "FI-HUB", GET, TOKENS, S, LIST, {0}, 0, "GET_ALL FI-OWN LU-EMP LU-OTH =LU-CPO<FI-HUB"},
        {"R-ROUTE-31: each owner once, and not the reader's own platform",
         30, "AT-TWO", "FI-HUB", GET, TOKENS, S, LIST, {0}, 0, "GET_ALL CH-DUO FI-OWN LU-EMP LU-OTH =AT-TWO<FI-HUB"},
        {"R-ROUTE-32: sessions of one's own tokens",
         3, "FR-EMP", "FI-HUB", GET, SESSIONS, S, LIST, {0}, 0, "GET_ALL own_tokens DE-CPO IT-OFC SE-CPO =FR-EMP<FI-HUB"},
        {"R-ROUTE-32: cdrs of one's own tokens",
         3, "FR-EMP", "FI-HUB", GET, CDRS, S, LIST, {0}, 0, "GET_ALL own_tokens DE-CPO IT-OFC SE-CPO =FR-EMP<FI-HUB"},
        {"R-ROUTE-32: invoices of both sides, by contract",
         2, "SE-CPO", "FI-HUB", GET, ROUTING_INVOICES, S, LIST, {0}, 0,
         "GET_ALL DE-CPO DK-TOK FI-OWN FR-EMP GR-EMP IT-OFC IT-OFF IT-PLN =SE-CPO<FI-HUB"},
        {"R-ROUTE-32: bookings",
         4, "GR-EMP", "FI-HUB", GET, ROUTING_BOOKINGS, S, LIST, {0}, 0, "GET_ALL DE-CPO IT-OFC SE-CPO =GR-EMP<FI-HUB"},
        {"R-ROUTE-32: not the lists of payments",
         4, "GR-EMP", "FI-HUB", GET, ROUTING_PAYMENTS, S, LIST, {0}, 0, "REFUSED 2001 R-ROUTE-32 =GR-EMP<FI-HUB"},
        {"R-ROUTE-33: a reader with few contracts gets a short list, no error",
         10, "ES-SEC", "FI-HUB", GET, LOCATIONS, S, LIST, {0}, 0, "GET_ALL ES-SEK =ES-SEC<FI-HUB"},
        {"R-ROUTE-30: a single object is asked of its owner",
         3, "FR-EMP", "FI-HUB", GET, LOCATIONS, S, ONE, {"DE-CPO"}, 0, "REFUSED 2001 R-ROUTE-30 =FR-EMP<FI-HUB"},
        {"R-ROUTE-30: lenient, by its id",
         3, "FR-EMP", "FI-HUB", GET, LOCATIONS, S, ONE, {"DE-CPO"}, LENIENT,
         "OPEN DE-CPO(DE-CPO<FR-EMP,FR-EMP<DE-CPO) =FR-EMP<FI-HUB"},
        {"R-ROUTE-22: a list without TO",
         3, "FR-EMP", NULL, GET, LOCATIONS, S, LIST, {0}, 0, "REFUSED 2001 R-ROUTE-22 =FR-EMP<FI-HUB"},
        {"R-ROUTE-22: lenient",
         3, "FR-EMP", NULL, GET, LOCATIONS, S, LIST, {0}, LENIENT, "GET_ALL DE-CPO IT-OFC SE-CPO =FR-EMP<FI-HUB"},
        {"R-ROUTE-22: lenient does not make a list of what is not collected",
         4, "GR-EMP", NULL, GET, ROUTING_PAYMENTS, S, LIST, {0}, LENIENT, "REFUSED 2001 R-ROUTE-22 =GR-EMP<FI-HUB"},
    };
    (void)state;
    CHECK("FI-HUB", rows);
}

static void without_receiver_the_content_decides(void **state)
{
    static const struct row rows[] = {
        {"R-ROUTE-20, 21: locations, by id; FROM is who asks",
         3, "FR-EMP", NULL, GET, LOCATIONS, S, ONE, {"DE-CPO"}, 0,
         "OPEN DE-CPO(DE-CPO<FR-EMP,FR-EMP<DE-CPO) =FR-EMP<FI-HUB"},
        {"R-ROUTE-21, 23: several owners of the id: all are asked",
         3, "FR-EMP", NULL, GET, LOCATIONS, S, ONE, {"SE-CPO", "DE-CPO"}, 0,
         "FAN_OUT first SE-CPO(SE-CPO<FR-EMP,FR-EMP<SE-CPO) DE-CPO(DE-CPO<FR-EMP,FR-EMP<DE-CPO) =FR-EMP<FI-HUB"},
        {"R-ROUTE-23, 46: of several those that are connected",
         3, "FR-EMP", NULL, GET, LOCATIONS, S, ONE, {"IT-OFC", "DE-CPO", "DE-CPO"}, 0,
         "OPEN DE-CPO(DE-CPO<FR-EMP,FR-EMP<DE-CPO) =FR-EMP<FI-HUB"},
        {"R-ROUTE-41: the only owner is OFFLINE",
         3, "FR-EMP", NULL, GET, LOCATIONS, S, ONE, {"IT-OFC"}, 0, "REFUSED 4003 R-ROUTE-46 =FR-EMP<FI-HUB"},
        {"R-ROUTE-20, 41: nobody's id",
         3, "FR-EMP", NULL, GET, LOCATIONS, S, ONE, {0}, 0, "REFUSED 4001 R-ROUTE-20 =FR-EMP<FI-HUB"},
        {"R-ROUTE-42: the id of somebody unknown to the reader",
         3, "FR-EMP", NULL, GET, LOCATIONS, S, ONE, {"ES-SEK"}, 0, "REFUSED 4001 R-ROUTE-20 =FR-EMP<FI-HUB"},
        {"5.5: a Location that is read back has no receiver",
         1, "DE-CPO", NULL, GET, LOCATIONS, R, ONE, {0}, 0, "REFUSED 2001 R-ROUTE-20 =DE-CPO<FI-HUB"},
        {"5.5, R-ROUTE-21: locations pushed: to all with a contract, FROM is who asks",
         1, "DE-CPO", NULL, PUT, LOCATIONS, R, ONE, {0}, 0,
         "FAN_OUT FI-OWN(-,-) FR-EMP(FR-EMP<DE-CPO,-) GR-EMP(GR-EMP<DE-CPO,-) ~IT-OFF =DE-CPO<FI-HUB"},
        {"5.5: tariffs deleted",
         1, "DE-CPO", NULL, DELETE, TARIFFS, R, ONE, {0}, 0,
         "FAN_OUT FI-OWN(-,-) FR-EMP(FR-EMP<DE-CPO,-) GR-EMP(GR-EMP<DE-CPO,-) ~IT-OFF =DE-CPO<FI-HUB"},
        {"5.5: a Tariff that is read back has no receiver",
         1, "DE-CPO", NULL, GET, TARIFFS, R, ONE, {0}, 0, "REFUSED 2001 R-ROUTE-20 =DE-CPO<FI-HUB"},
        {"5.5: tokens pushed: to CPOs with a contract",
         3, "FR-EMP", NULL, PUT, TOKENS, R, ONE, {0}, 0,
         "FAN_OUT DE-CPO(DE-CPO<FR-EMP,-) SE-CPO(SE-CPO<FR-EMP,-) ~IT-OFC =FR-EMP<FI-HUB"},
        {"5.5: a Token read back: from CPOs with a contract",
         3, "FR-EMP", NULL, GET, TOKENS, R, ONE, {0}, 0,
         "FAN_OUT first DE-CPO(DE-CPO<FR-EMP,FR-EMP<DE-CPO) SE-CPO(SE-CPO<FR-EMP,FR-EMP<SE-CPO) =FR-EMP<FI-HUB"},
        {"5.5: authorisation, by the token's owner",
         1, "DE-CPO", NULL, POST, TOKENS, S, ONE, {"GR-EMP"}, 0,
         "OPEN GR-EMP(GR-EMP<DE-CPO,DE-CPO<GR-EMP) =DE-CPO<FI-HUB"},
        {"5.5: authorisation of one of our own",
         1, "DE-CPO", NULL, POST, TOKENS, S, ONE, {"FI-OWN"}, 0, "LOCAL FI-OWN(-,DE-CPO<FI-OWN) =DE-CPO<FI-OWN"},
        {"5.5, R-ROUTE-23: authorisation of an unknown token: all eMSPs, ours too",
         1, "DE-CPO", NULL, POST, TOKENS, S, ONE, {0}, 0,
         "FAN_OUT first DK-TOK(DK-TOK<DE-CPO,DE-CPO<DK-TOK) FI-OWN(-,DE-CPO<FI-OWN) FR-EMP(FR-EMP<DE-CPO,DE-CPO<FR-EMP)"
         " GR-EMP(GR-EMP<DE-CPO,DE-CPO<GR-EMP) =DE-CPO<FI-HUB"},
        {"R-ROUTE-42: a token of somebody unknown to the CPO is an unknown token",
         1, "DE-CPO", NULL, POST, TOKENS, S, ONE, {"ES-SEC"}, 0,
         "FAN_OUT first DK-TOK(DK-TOK<DE-CPO,DE-CPO<DK-TOK) FI-OWN(-,DE-CPO<FI-OWN) FR-EMP(FR-EMP<DE-CPO,DE-CPO<FR-EMP)"
         " GR-EMP(GR-EMP<DE-CPO,DE-CPO<GR-EMP) =DE-CPO<FI-HUB"},
        {"R-ROUTE-23: a token of two owners: both",
         1, "DE-CPO", NULL, POST, TOKENS, S, ONE, {"GR-EMP", "FR-EMP"}, 0,
         "FAN_OUT first GR-EMP(GR-EMP<DE-CPO,DE-CPO<GR-EMP) FR-EMP(FR-EMP<DE-CPO,DE-CPO<FR-EMP) =DE-CPO<FI-HUB"},
        {"5.5: charging preferences, by the session's owner",
         3, "FR-EMP", NULL, PUT, SESSIONS, S, ONE, {"DE-CPO"}, 0,
         "OPEN DE-CPO(DE-CPO<FR-EMP,FR-EMP<DE-CPO) =FR-EMP<FI-HUB"},
        {"R-ROUTE-55: the session's id is not unique",
         3, "FR-EMP", NULL, PUT, SESSIONS, S, ONE, {"DE-CPO", "SE-CPO"}, 0, "REFUSED 2001 R-ROUTE-55 =FR-EMP<FI-HUB"},
        {"R-ROUTE-55: but is among the CPOs that this eMSP knows",
         3, "FR-EMP", NULL, PUT, SESSIONS, S, ONE, {"DE-CPO", "ES-SEK"}, 0,
         "OPEN DE-CPO(DE-CPO<FR-EMP,FR-EMP<DE-CPO) =FR-EMP<FI-HUB"},
        {"R-ROUTE-55: an OFFLINE namesake makes it no more unique",
         3, "FR-EMP", NULL, PUT, SESSIONS, S, ONE, {"DE-CPO", "IT-OFC"}, 0, "REFUSED 2001 R-ROUTE-55 =FR-EMP<FI-HUB"},
        {"5.5: sessions, by the token's owner",
         1, "DE-CPO", NULL, PATCH, SESSIONS, R, ONE, {"FR-EMP"}, 0,
         "OPEN FR-EMP(FR-EMP<DE-CPO,DE-CPO<FR-EMP) =DE-CPO<FI-HUB"},
        {"5.5: a session of one of our own",
         1, "DE-CPO", NULL, PUT, SESSIONS, R, ONE, {"FI-OWN"}, 0, "LOCAL FI-OWN(-,DE-CPO<FI-OWN) =DE-CPO<FI-OWN"},
        {"5.5: a session read back",
         1, "DE-CPO", NULL, GET, SESSIONS, R, ONE, {"FR-EMP"}, 0,
         "OPEN FR-EMP(FR-EMP<DE-CPO,DE-CPO<FR-EMP) =DE-CPO<FI-HUB"},
        {"R-SESS-15: nobody's token", 1, "DE-CPO", NULL, PUT, SESSIONS, R, ONE, {0}, 0, "REFUSED 4001 R-ROUTE-20 =DE-CPO<FI-HUB"},
        {"5.5: CDRs, by the token's owner",
         1, "DE-CPO", NULL, POST, CDRS, R, ONE, {"FR-EMP"}, 0,
         "OPEN FR-EMP(FR-EMP<DE-CPO,DE-CPO<FR-EMP) =DE-CPO<FI-HUB"},
        {"R-ROUTE-24: a CDR of nobody", 1, "DE-CPO", NULL, POST, CDRS, R, ONE, {0}, 0, "REFUSED 4001 R-ROUTE-24 =DE-CPO<FI-HUB"},
        {"R-ROUTE-24: a command for nobody", 3, "FR-EMP", NULL, POST, COMMANDS, R, ONE, {0}, 0, "REFUSED 4001 R-ROUTE-24 =FR-EMP<FI-HUB"},
        {"R-ROUTE-24, 55: a command for two", 3, "FR-EMP", NULL, POST, COMMANDS, R, ONE, {"DE-CPO", "SE-CPO"}, 0,
         "REFUSED 2001 R-ROUTE-55 =FR-EMP<FI-HUB"},
        {"5.5: a command", 3, "FR-EMP", NULL, POST, COMMANDS, R, ONE, {"SE-CPO"}, 0,
         "OPEN SE-CPO(SE-CPO<FR-EMP,FR-EMP<SE-CPO) =FR-EMP<FI-HUB"},
        {"5.5: charging profiles: PUT", 3, "FR-EMP", NULL, PUT, PROFILES, R, ONE, {"SE-CPO"}, 0,
         "OPEN SE-CPO(SE-CPO<FR-EMP,FR-EMP<SE-CPO) =FR-EMP<FI-HUB"},
        {"5.5: charging profiles: GET; its result comes later, so several are not asked", 3, "FR-EMP", NULL, GET, PROFILES, R, ONE, {"SE-CPO", "DE-CPO"}, 0,
         "REFUSED 2001 R-ROUTE-55 =FR-EMP<FI-HUB"},
        {"5.5: ActiveChargingProfile, to who set it", 1, "DE-CPO", NULL, PUT, PROFILES, S, ONE, {"FR-EMP"}, 0,
         "OPEN FR-EMP(FR-EMP<DE-CPO,DE-CPO<FR-EMP) =DE-CPO<FI-HUB"},
        {"R-ROUTE-63: the content names a party of the same platform", 30, "AT-TWO", NULL, PUT, SESSIONS, R, ONE, {"AT-TWE"}, 0,
         "REFUSED 4001 R-ROUTE-63 =AT-TWO<FI-HUB"},
        {"5.5: invoices are direct only", 2, "SE-CPO", NULL, POST, ROUTING_INVOICES, R, ONE, {"GR-EMP"}, 0, "REFUSED 2001 R-ROUTE-20 =SE-CPO<FI-HUB"},
        {"5.5: invoices, direct", 2, "SE-CPO", "GR-EMP", POST, ROUTING_INVOICES, R, ONE, {0}, 0,
         "DIRECT GR-EMP(GR-EMP<SE-CPO,SE-CPO<GR-EMP) =SE-CPO<FI-HUB"},
        {"5.5: payments, direct", 4, "GR-EMP", "SE-CPO", GET, ROUTING_PAYMENTS, S, LIST, {0}, 0,
         "DIRECT SE-CPO(SE-CPO<GR-EMP,GR-EMP<SE-CPO) =GR-EMP<FI-HUB"},
        {"5.5: bookings, direct", 4, "GR-EMP", "SE-CPO", POST, ROUTING_BOOKINGS, S, ONE, {0}, 0,
         "DIRECT SE-CPO(SE-CPO<GR-EMP,GR-EMP<SE-CPO) =GR-EMP<FI-HUB"},
        {"5.5: bookings, to a party of an older version", 4, "GR-EMP", "DE-CPO", POST, ROUTING_BOOKINGS, S, ONE, {0}, 0,
         "REFUSED 4003 R-ROUTE-42 not_in_version =GR-EMP<FI-HUB"},
        {"5.5: lists of one party", 1, "DE-CPO", "FR-EMP", GET, TOKENS, S, LIST, {0}, 0,
         "DIRECT FR-EMP(FR-EMP<DE-CPO,DE-CPO<FR-EMP) =DE-CPO<FI-HUB"},
    };
    (void)state;
    CHECK("FI-HUB", rows);
}

static void a_url_that_was_handed_out_stands_for_its_party(void **state)
{
    static const struct row rows[] = {
        {"5.5, R-ASYNC-12: the result of a command", 1, "DE-CPO", "FR-EMP", POST, COMMANDS, S, URL, {"FR-EMP"}, 0,
         "DIRECT FR-EMP(FR-EMP<DE-CPO,DE-CPO<FR-EMP) =DE-CPO<FI-HUB"},
        {"the headers do not decide", 1, "DE-CPO", "FI-HUB", POST, COMMANDS, S, URL, {"FR-EMP"}, 0,
         "DIRECT FR-EMP(FR-EMP<DE-CPO,DE-CPO<FR-EMP) =DE-CPO<FI-HUB"},
        {"nor does a contract that ended meanwhile", 1, NULL, NULL, POST, PROFILES, S, URL, {"ES-SEC"}, 0,
         "DIRECT ES-SEC(ES-SEC<DE-CPO,DE-CPO<ES-SEC) =DE-CPO<FI-HUB"},
        {"the result of one of our own", 1, "DE-CPO", NULL, POST, COMMANDS, S, URL, {"FI-OWN"}, 0,
         "LOCAL FI-OWN(-,DE-CPO<FI-OWN) =DE-CPO<FI-OWN"},
        {"R-ASYNC-14: an unknown URL", 1, "DE-CPO", "FR-EMP", POST, COMMANDS, S, URL, {0}, 0,
         "REFUSED 2000 R-ASYNC-14 HTTP =DE-CPO<FI-HUB"},
        {"nor one that would stand for two", 1, "DE-CPO", "FR-EMP", POST, COMMANDS, S, URL, {"FR-EMP", "GR-EMP"}, 0,
         "REFUSED 2000 R-ASYNC-14 HTTP =DE-CPO<FI-HUB"},
        {"R-ROUTE-46: who asked is OFFLINE", 1, "DE-CPO", "IT-OFF", POST, COMMANDS, S, URL, {"IT-OFF"}, 0,
         "REFUSED 4003 R-ROUTE-46 =DE-CPO<FI-HUB"},
        {"5.5, R-ROUTE-53: the Location of a CDR", 1, "DE-CPO", NULL, GET, CDRS, R, URL, {"GR-EMP"}, 0,
         "DIRECT GR-EMP(GR-EMP<DE-CPO,DE-CPO<GR-EMP) =DE-CPO<FI-HUB"},
        {"R-ROUTE-06 holds here, too", 1, "SE-CPO", "FR-EMP", POST, COMMANDS, S, URL, {"FR-EMP"}, 0,
         "REFUSED 2001 R-ROUTE-06 HTTP =-"},
        {"2.1.1 sends results without headers", 40, NULL, NULL, POST, COMMANDS, S, URL, {"BE-NEW"}, 0,
         "DIRECT BE-NEW(BE-NEW<BE-OLC,-) =-"},
        {"no other call has such URLs", 1, "DE-CPO", NULL, PUT, LOCATIONS, R, URL, {"FR-EMP"}, 0,
         "REFUSED 2000 R-TRANS-09 HTTP =-"},
    };
    (void)state;
    CHECK("FI-HUB", rows);
}

static void partners_of_2_1_1_are_routed_by_content(void **state)
{
    static const struct row rows[] = {
        {"R-BR-04: a session", 40, NULL, NULL, PUT, SESSIONS, R, ONE, {"BE-NEW"}, 0, "OPEN BE-NEW(BE-NEW<BE-OLC,-) =-"},
        {"R-BR-04: of an eMSP of the same version", 40, NULL, NULL, PUT, SESSIONS, R, ONE, {"BE-OLE"}, 0, "OPEN BE-OLE(-,-) =-"},
        {"R-BR-04: of our own", 40, NULL, NULL, PUT, SESSIONS, R, ONE, {"FI-OWN"}, AT_OUR_EMSP, "LOCAL FI-OWN(-,-) =-"},
        {"R-BR-04: what stands in headers means nothing", 40, "XX-NIL", NULL, PUT, SESSIONS, R, ONE, {"BE-NEW"}, 0,
         "OPEN BE-NEW(BE-NEW<BE-OLC,-) =-"},
        {"5.5: a location: to all with a contract", 40, NULL, NULL, PUT, LOCATIONS, R, ONE, {0}, AT_OUR_EMSP,
         "FAN_OUT BE-LAT(BE-LAT<BE-OLC,-) BE-NEW(BE-NEW<BE-OLC,-) BE-OLE(-,-) FI-OWN(-,-) =-"},
        {"5.5: PATCH of a Tariff", 40, NULL, NULL, PATCH, TARIFFS, R, ONE, {0}, 0,
         "FAN_OUT BE-LAT(BE-LAT<BE-OLC,-) BE-NEW(BE-NEW<BE-OLC,-) BE-OLE(-,-) FI-OWN(-,-) =-"},
        {"R-BR-01: a Location read back comes from our store", 40, NULL, NULL, GET, LOCATIONS, R, ONE, {0}, 0, "LOCAL =-"},
        {"R-BR-01: a Token read back comes from our store", 41, NULL, NULL, GET, TOKENS, R, ONE, {0}, 0, "LOCAL =-"},
        {"R-BR-06: lists hold several owners' objects", 41, NULL, NULL, GET, LOCATIONS, S, LIST, {0}, 0, "GET_ALL BE-NEC BE-OLC =-"},
        {"R-BR-06: tokens for a CPO", 40, NULL, NULL, GET, TOKENS, S, LIST, {0}, 0, "GET_ALL BE-LAT BE-NEW BE-OLE FI-OWN =-"},
        {"R-BR-05: or one owner's, where its URLs stand for that one", 41, NULL, "BE-NEC", GET, LOCATIONS, S, LIST, {0}, 0,
         "DIRECT BE-NEC(BE-NEC<BE-OLE,-) =-"},
        {"R-BR-05: pushes then go there only", 40, NULL, "BE-NEW", PUT, LOCATIONS, R, ONE, {0}, 0,
         "DIRECT BE-NEW(BE-NEW<BE-OLC,-) =-"},
        {"R-BR-05: the hub's own URLs stand for all", 40, NULL, "FI-HUB", POST, CDRS, R, ONE, {"BE-NEW"}, 0,
         "OPEN BE-NEW(BE-NEW<BE-OLC,-) =-"},
        {"R-ROUTE-24: a command for nobody", 41, NULL, NULL, POST, COMMANDS, R, ONE, {0}, 0, "REFUSED 4001 R-ROUTE-24 =-"},
        {"R-ROUTE-55: a command for two", 41, NULL, NULL, POST, COMMANDS, R, ONE, {"BE-NEC", "BE-OLC"}, 0, "REFUSED 2001 R-ROUTE-55 =-"},
        {"R-BR-05: somebody unknown to the partner", 41, NULL, "DE-CPO", GET, LOCATIONS, S, LIST, {0}, 0, "REFUSED 4001 R-ROUTE-41 =-"},
        {"R-ROUTE-56: an eMSP pushes no locations", 41, NULL, NULL, PUT, LOCATIONS, R, ONE, {0}, 0, "REFUSED 2001 R-ROUTE-06 HTTP =-"},
        {"no charging profiles there", 41, NULL, NULL, PUT, PROFILES, R, ONE, {"BE-NEC"}, 0, "REFUSED 2000 R-TRANS-09 HTTP =-"},
    };
    (void)state;
    CHECK("FI-HUB", rows);
}

static void who_registered_at_our_emsp_may_leave_the_receiver_out(void **state)
{
    static const struct row rows[] = {
        {"R-ROUTE-01: a list of tokens is ours", 1, "DE-CPO", NULL, GET, TOKENS, S, LIST, {0}, AT_OUR_EMSP,
         "LOCAL FI-OWN(-,DE-CPO<FI-OWN) =DE-CPO<FI-OWN"},
        {"R-ROUTE-01: neither header", 1, NULL, NULL, PUT, LOCATIONS, R, ONE, {0}, AT_OUR_EMSP,
         "LOCAL FI-OWN(-,DE-CPO<FI-OWN) =DE-CPO<FI-OWN"},
        {"R-ROUTE-01: an unknown token is asked of us alone", 1, NULL, NULL, POST, TOKENS, S, ONE, {0}, AT_OUR_EMSP,
         "LOCAL FI-OWN(-,DE-CPO<FI-OWN) =DE-CPO<FI-OWN"},
        {"R-ROUTE-42: that of an eMSP without a contract is as unknown", 1, NULL, NULL, POST, TOKENS, S, ONE, {"ES-SEC"}, AT_OUR_EMSP,
         "LOCAL FI-OWN(-,DE-CPO<FI-OWN) =DE-CPO<FI-OWN"},
        {"R-ROUTE-24: but a CDR that names such a one is not taken for ours", 1, NULL, NULL, POST, CDRS, R, ONE, {"ES-SEC"}, AT_OUR_EMSP,
         "REFUSED 4001 R-ROUTE-24 =DE-CPO<FI-HUB"},
        {"R-ROUTE-20: unless the content names somebody else", 1, NULL, NULL, POST, CDRS, R, ONE, {"FR-EMP"}, AT_OUR_EMSP,
         "OPEN FR-EMP(FR-EMP<DE-CPO,DE-CPO<FR-EMP) =DE-CPO<FI-HUB"},
        {"R-ROUTE-10: or the header does", 1, NULL, "FR-EMP", PUT, LOCATIONS, R, ONE, {0}, AT_OUR_EMSP,
         "DIRECT FR-EMP(FR-EMP<DE-CPO,DE-CPO<FR-EMP) =DE-CPO<FI-HUB"},
    };
    (void)state;
    CHECK("FI-HUB", rows);
}

static void the_hub_and_our_emsp_may_share_their_id(void **state)
{
    static const struct row rows[] = {
        {"what is for one receiver is for our eMSP", 1, "DE-CPO", "FI-OWN", PUT, SESSIONS, R, ONE, {"FR-EMP"}, 0,
         "LOCAL FI-OWN(-,DE-CPO<FI-OWN) =DE-CPO<FI-OWN"},
        {"so is what is read back", 1, "DE-CPO", "FI-OWN", GET, LOCATIONS, R, ONE, {0}, 0,
         "LOCAL FI-OWN(-,DE-CPO<FI-OWN) =DE-CPO<FI-OWN"},
        {"and an authorisation", 1, "DE-CPO", "FI-OWN", POST, TOKENS, S, ONE, {"FR-EMP"}, 0,
         "LOCAL FI-OWN(-,DE-CPO<FI-OWN) =DE-CPO<FI-OWN"},
        {"what is for everybody goes to everybody", 1, "DE-CPO", "FI-OWN", PUT, LOCATIONS, R, ONE, {0}, 0,
         "BROADCAST FI-OWN(-,-) FR-EMP(FR-EMP<FI-OWN,-) GR-EMP(GR-EMP<FI-OWN,-) ~IT-OFF =DE-CPO<FI-OWN"},
        {"lists are everybody's", 1, "DE-CPO", "FI-OWN", GET, TOKENS, S, LIST, {0}, 0,
         "GET_ALL DK-TOK FI-OWN FR-EMP GR-EMP IT-OFF IT-PLN =DE-CPO<FI-OWN"},
        {"what our eMSP does not have is refused", 3, "FR-EMP", "FI-OWN", POST, COMMANDS, R, ONE, {"DE-CPO"}, 0,
         "REFUSED 2001 R-ROUTE-15 =FR-EMP<FI-OWN"},
    };
    (void)state;
    CHECK("FI-OWN", rows);
}
/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        OCPI_TEST(a_message_that_names_a_party_goes_to_it),
        OCPI_TEST(a_message_to_nobody_who_can_take_it_is_refused),
        OCPI_TEST(nobody_speaks_for_others),
        OCPI_TEST(a_push_to_the_hub_goes_to_the_opposite_side),
        OCPI_TEST(a_list_of_the_hub_is_everybodys),
        OCPI_TEST(without_receiver_the_content_decides),
        OCPI_TEST(a_url_that_was_handed_out_stands_for_its_party),
        OCPI_TEST(partners_of_2_1_1_are_routed_by_content),
        OCPI_TEST(who_registered_at_our_emsp_may_leave_the_receiver_out),
        OCPI_TEST(the_hub_and_our_emsp_may_share_their_id),
    };

    return cmocka_run_group_tests_name("ocpi/routing", tests, NULL, NULL);
}
