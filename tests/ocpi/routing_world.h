/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of routing share: who is there, a message as a row, an outcome in words.
 *
 * An outcome is written as
 *
 *    KIND  PARTY(TO<FROM,TO<FROM)...  ~PARTY...  =TO<FROM
 *
 * for each leg the headers of the request and of the relayed answer, then who misses a push, then
 * the headers of an answer of our own; "-" is no headers. A refusal is "REFUSED code rule =...".
 */
#ifndef TESTS_ROUTING_WORLD_H
#define TESTS_ROUTING_WORLD_H

#include "tests/ocpi/ocpi_test.h"

#include "base/text.h"
#include "ocpi/routing.h"
#include "ocpi/rule.h"

#define S OCPI_INTERFACE_SENDER
#define R OCPI_INTERFACE_RECEIVER
#define GET ROUTING_GET
#define POST ROUTING_POST
#define PUT ROUTING_PUT
#define PATCH ROUTING_PATCH
#define DELETE ROUTING_DELETE
#define LOCATIONS ROUTING_LOCATIONS
#define TARIFFS ROUTING_TARIFFS
#define TOKENS ROUTING_TOKENS
#define SESSIONS ROUTING_SESSIONS
#define CDRS ROUTING_CDRS
#define COMMANDS ROUTING_COMMANDS
#define PROFILES ROUTING_CHARGING_PROFILES
#define LIST ROUTING_LIST
#define ONE ROUTING_OBJECT
#define URL ROUTING_HANDED_OUT

/* ---- who is there ---- */

/* What parties of a role offer as a rule. */
#define OFFER(module, interface) ROUTING_OFFER(ROUTING_##module, interface)
#define CPO                                                                                        \
    (OFFER(LOCATIONS, S) | OFFER(TARIFFS, S) | OFFER(SESSIONS, S) | OFFER(CDRS, S) |               \
     OFFER(TOKENS, R) | OFFER(COMMANDS, R) | OFFER(CHARGING_PROFILES, R))
#define EMSP                                                                                       \
    (OFFER(LOCATIONS, R) | OFFER(TARIFFS, R) | OFFER(SESSIONS, R) | OFFER(CDRS, R) |               \
     OFFER(TOKENS, S) | OFFER(COMMANDS, S) | OFFER(CHARGING_PROFILES, S))
#define PLACES (OFFER(LOCATIONS, R) | OFFER(TARIFFS, R))
#define NEW                                                                                        \
    (OFFER(INVOICES, S) | OFFER(INVOICES, R) | OFFER(PAYMENTS, S) | OFFER(PAYMENTS, R) |           \
     OFFER(BOOKINGS, S) | OFFER(BOOKINGS, R) | OFFER(BOOKING_LOCATIONS, S) |                       \
     OFFER(BOOKING_LOCATIONS, R))
/* In 2.1.1 there are no charging profiles. */
#define OLD(side) ((side) & ~(OFFER(CHARGING_PROFILES, S) | OFFER(CHARGING_PROFILES, R)))

/* Contracts: parties that share a circle may speak with each other. */
enum { MAIN = 1, WIDE = 2, PAIR = 4, ALONE = 8, OLDS = 16, HUBS = 32, LATE = 64 };

struct resident {
    const char *id;
    enum ocpi_role role;
    int64_t partner_id;
    enum ocpi_connection_status status;
    enum ocpi_version version;
    uint32_t offers;
    int circles;
    bool ours, hears_neighbours;
};

#define ON OCPI_CONNECTION_CONNECTED
#define OFF OCPI_CONNECTION_OFFLINE
#define V211 OCPI_2_1_1
#define V221 OCPI_2_2_1
#define V230 OCPI_2_3_0

/* clang-format off */
static const struct resident residents[] = {
    {"FI-OWN", OCPI_ROLE_EMSP,   0, ON,  V230, EMSP,       MAIN | WIDE | OLDS, .ours = true},
    /* The ordinary world. */
    {"de-cpo", OCPI_ROLE_CPO,    1, ON,  V221, CPO,        MAIN},
    {"SE-CPO", OCPI_ROLE_CPO,    2, ON,  V230, CPO | NEW,  MAIN},
    {"FR-EMP", OCPI_ROLE_EMSP,   3, ON,  V221, EMSP,       MAIN},
    {"GR-EMP", OCPI_ROLE_EMSP,   4, ON,  V230, EMSP | NEW, MAIN},
    {"IT-OFF", OCPI_ROLE_EMSP,   5, OFF, V221, EMSP,       MAIN},
    {"IT-PLN", OCPI_ROLE_EMSP,   6, OCPI_CONNECTION_PLANNED,   V221, EMSP, MAIN},
    {"IT-SUS", OCPI_ROLE_EMSP,   7, OCPI_CONNECTION_SUSPENDED, V221, EMSP, MAIN},
    {"IT-OFC", OCPI_ROLE_CPO,    8, OFF, V221, CPO,        MAIN},
    {"IT-SUC", OCPI_ROLE_CPO,    9, OCPI_CONNECTION_SUSPENDED, V221, CPO,  MAIN},
    {"ES-SEC", OCPI_ROLE_EMSP,  10, ON,  V221, EMSP,       ALONE},
    {"ES-SEK", OCPI_ROLE_CPO,   11, ON,  V221, CPO,        ALONE},
    {"DK-TOK", OCPI_ROLE_EMSP,  12, ON,  V221, OFFER(TOKENS, S), MAIN},
    /* Every role, for broadcasts. */
    {"LU-CPO", OCPI_ROLE_CPO,   20, ON,  V221, CPO,        WIDE},
    {"LU-CP2", OCPI_ROLE_CPO,   21, ON,  V221, CPO,        WIDE},
    {"LU-EMP", OCPI_ROLE_EMSP,  22, ON,  V221, EMSP,       WIDE},
    {"LU-NSP", OCPI_ROLE_NSP,   23, ON,  V221, PLACES,     WIDE},
    {"LU-OTH", OCPI_ROLE_OTHER, 24, ON,  V221, EMSP,       WIDE},
    {"LU-NAP", OCPI_ROLE_NAP,   25, ON,  V221, PLACES,     WIDE},
    {"LU-NA0", OCPI_ROLE_NAP,   26, ON,  V221, OFFER(TARIFFS, R), WIDE},
    {"LU-SCS", OCPI_ROLE_SCSP,  27, ON,  V221, PLACES | OFFER(SESSIONS, R) | OFFER(CHARGING_PROFILES, S), WIDE},
    /* Platforms with both sides. AT-GST is a guest on its one; CH-DUO is one company. */
    {"AT-TWO", OCPI_ROLE_CPO,   30, ON,  V221, CPO | EMSP, WIDE | PAIR},
    {"AT-TWE", OCPI_ROLE_EMSP,  30, ON,  V221, CPO | EMSP, PAIR},
    {"AT-GST", OCPI_ROLE_EMSP,  30, ON,  V221, CPO | EMSP, PAIR, .hears_neighbours = true},
    {"CH-DUO", OCPI_ROLE_CPO,   31, ON,  V221, CPO | EMSP, PAIR},
    {"CH-DUO", OCPI_ROLE_EMSP,  31, ON,  V221, CPO | EMSP, PAIR, .hears_neighbours = true},
    {"CH-DUO", OCPI_ROLE_OTHER, 31, ON,  V221, CPO | EMSP, PAIR},
    /* 2.1.1. */
    {"BE-OLC", OCPI_ROLE_CPO,   40, ON,  V211, OLD(CPO),   OLDS | LATE},
    {"BE-OLE", OCPI_ROLE_EMSP,  41, ON,  V211, OLD(EMSP),  OLDS},
    {"BE-NEW", OCPI_ROLE_EMSP,  42, ON,  V221, EMSP,       OLDS},
    {"BE-NEC", OCPI_ROLE_CPO,   43, ON,  V221, CPO,        OLDS | LATE},
    {"BE-LAT", OCPI_ROLE_EMSP,  44, ON,  V230, EMSP,       LATE},
    /* Behind another hub. */
    {"PL-HUB", OCPI_ROLE_HUB,   50, ON,  V221, CPO | EMSP, HUBS},
    {"PL-CPO", OCPI_ROLE_CPO,   50, ON,  V221, CPO | EMSP, HUBS},
    {"PL-EMP", OCPI_ROLE_EMSP,  50, ON,  V221, CPO | EMSP, HUBS},
    {"PT-EMP", OCPI_ROLE_EMSP,  51, ON,  V221, EMSP,       HUBS},
    {"PT-CPO", OCPI_ROLE_CPO,   52, ON,  V221, CPO,        HUBS},
};
/* clang-format on */
enum { RESIDENTS = sizeof residents / sizeof *residents };

static struct routing_party parties[RESIDENTS];

static struct party_id id_of(const char *text)
{
    struct party_id ret = {0};

    if (text && !party_id_parse(text, &ret))
        fail_msg("%s is no party", text);
    return ret;
}

static struct routing_directory *world(const char *hub)
{
    for (size_t i = 0; i < RESIDENTS; i++) {
        const struct resident *r = &residents[i];
        parties[i] = (struct routing_party){.id = id_of(r->id),
                                            .role = r->role,
                                            .partner_id = r->partner_id,
                                            .status = r->status,
                                            .version = r->version,
                                            .ours = r->ours,
                                            .hears_neighbours = r->hears_neighbours,
                                            .offers = r->offers};
    }
    return routing_directory_new(arena, id_of(hub), parties, RESIDENTS);
}

static int circles_of(const struct routing_party *p)
{
    return residents[p - parties].circles;
}

static bool share_a_circle(void *ctx, const struct routing_party *from,
                           const struct routing_party *to, enum routing_module module)
{
    (void)ctx;
    (void)module;
    return circles_of(from) & circles_of(to);
}

static const struct routing_contracts contracts = {share_a_circle, NULL};

/* ---- the outcome in words ---- */

static void put_headers(struct text *t, const struct routing *r)
{
    char to[PARTY_TEXT];

    if (!party_id_is_set(&r->to) && !party_id_is_set(&r->from)) {
        text_add(t, "-");
        return;
    }
    /* As they are: the case counts (R-ROUTE-03). */
    snprintf(to, sizeof to, "%s-%s", r->to.country_code, r->to.party_id);
    text_printf(t, "%s<%s-%s", to, r->from.country_code, r->from.party_id);
}

static const char *in_words(const struct routing_decision *d)
{
    static const char *const kinds[] = {
        [ROUTING_REFUSED] = "REFUSED", [ROUTING_LOCAL] = "LOCAL",
        [ROUTING_DIRECT] = "DIRECT",   [ROUTING_OPEN] = "OPEN",
        [ROUTING_FAN_OUT] = "FAN_OUT", [ROUTING_BROADCAST] = "BROADCAST",
        [ROUTING_GET_ALL] = "GET_ALL",
    };
    char id[PARTY_TEXT];
    struct text t;

    text_init(&t, arena, 4000);
    text_add(&t, kinds[d->kind]);
    if (d->kind == ROUTING_REFUSED)
        text_printf(&t, " %d %s%s%s", err_info(d->err.kind)->ocpi_code, d->err.rule,
                    err_info(d->err.kind)->ocpi_http == 200 ? "" : " HTTP",
                    d->not_in_version ? " not_in_version" : "");
    if (d->answer_by == ROUTING_ANSWER_FIRST)
        text_add(&t, " first");
    if (d->own_tokens_only)
        text_add(&t, " own_tokens");
    for (size_t i = 0; i < d->leg_count; i++) {
        const struct routing_leg *leg = &d->legs[i];
        text_printf(&t, " %s", party_id_print(&leg->party->id, id));
        if (d->kind == ROUTING_GET_ALL)
            continue;
        text_add(&t, "(");
        put_headers(&t, &leg->request);
        text_add(&t, ",");
        put_headers(&t, &leg->answer);
        text_add(&t, ")");
    }
    for (size_t i = 0; i < d->missed_count; i++)
        text_printf(&t, " ~%s", party_id_print(&d->missed[i].party->id, id));
    text_add(&t, " =");
    put_headers(&t, &d->answer);
    return t.bytes;
}

/* ---- a message ---- */

enum flag { LENIENT = 1, AS_OPEN = 2, AT_OUR_EMSP = 4 };

struct row {
    const char *rules;
    int64_t partner_id;
    const char *from,
        *to; /* headers; 2.1.1: `to` is whom the URLs given to the partner represent */
    enum routing_method method;
    enum routing_module module;
    enum ocpi_interface interface;
    enum routing_target target;
    const char *owners[4];
    int flags;
    const char *outcome;
};

static enum ocpi_version version_of(int64_t partner_id)
{
    for (size_t i = 0; i < RESIDENTS; i++)
        if (residents[i].partner_id == partner_id)
            return residents[i].version;
    return V221;
}

static struct routing_decision decide(const struct routing_directory *directory,
                                      const struct row *row)
{
    struct party_id *owners = arena_alloc(arena, sizeof *owners * 4);
    struct routing_ask ask = {
        .partner_id = row->partner_id,
        .version = version_of(row->partner_id),
        .face = row->flags & AT_OUR_EMSP ? FACE_EMSP : FACE_PLATFORM,
        .lenient = row->flags & LENIENT,
        .broadcast_is_open = row->flags & AS_OPEN,
        .method = row->method,
        .module = row->module,
        .interface = row->interface,
        .target = row->target,
        .owners = owners,
    };

    while (ask.owner_count < 4 && row->owners[ask.owner_count]) {
        owners[ask.owner_count] = id_of(row->owners[ask.owner_count]);
        ask.owner_count++;
    }
    ask.headers.from = id_of(row->from);
    if (ask.version == V211)
        ask.stands_for = id_of(row->to);
    else
        ask.headers.to = id_of(row->to);
    return routing_decide(arena, directory, &contracts, &ask);
}

#endif
