/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routing: where a partner's message goes when we carry messages between third parties, and with
 * which routing headers (R-ROUTE). Pure: no sockets, no database, one decision per request.
 *
 *    TO names a party            that party, if it may be addressed        DIRECT (LOCAL: it is
 * ours) TO names the hub            a push: to everybody it is meant for      BROADCAST a list: of
 * everybody's objects            GET_ALL TO is missing, or 2.1.1     whom the content names OPEN
 * (LOCAL) nobody, or several: all candidates        FAN_OUT a URL that we handed out    whom that
 * URL stands for                  DIRECT (LOCAL)
 *
 * Which calls a module has, which of these modes each allows and how the content names a receiver
 * is one table in routing.c.
 */
#ifndef OCPI_ROUTING_H
#define OCPI_ROUTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ocpi/client_info.h"
#include "ocpi/face.h"
#include "ocpi/headers.h"
#include "ocpi/party.h"
#include "ocpi/peer.h"
#include "ocpi/version.h"

struct arena;

/* ---- modules, and what a party offers of them ---- */

enum routing_module {
    ROUTING_CONFIGURATION, /* versions, credentials, hubclientinfo: never routed (R-ROUTE-02) */
    ROUTING_LOCATIONS,
    ROUTING_TARIFFS,
    ROUTING_TOKENS,
    ROUTING_SESSIONS,
    ROUTING_CDRS,
    ROUTING_COMMANDS,
    ROUTING_CHARGING_PROFILES,
    ROUTING_INVOICES,
    ROUTING_PAYMENTS,
    ROUTING_BOOKINGS,
    ROUTING_BOOKING_LOCATIONS, /* the other half of the module `bookings` */
    ROUTING_MODULE_COUNT
};

/* Of a module id; false: not a module of OCPI. `bookings` is ROUTING_BOOKINGS. */
bool routing_module_of(const char *module, enum routing_module *ret);

/* Sets of modules with their interfaces. */
#define ROUTING_OFFER(module, interface)                                                           \
    (UINT32_C(1) << (2 * (unsigned)(module) + ((interface) == OCPI_INTERFACE_RECEIVER)))

/* What a connection's endpoints offer of it for a party in this role; in 2.1.1, whose endpoints
 * have no roles, the party's role says which interface each of them is (R-VER-04). */
uint32_t routing_offers_of(const struct peer_endpoint *endpoints, size_t count, enum ocpi_role role,
                           enum ocpi_version version);

/* ---- the directory: who is there, at one moment ---- */

/* One party in one role: a company with two roles has two. */
struct routing_party {
    struct party_id id;
    enum ocpi_role role;
    int64_t partner_id; /* its connection; parties behind another hub have that hub's */
    enum ocpi_connection_status status;
    enum ocpi_version version;
    bool ours;             /* our own eMSP: what is for it stays here, whatever status says */
    bool hears_neighbours; /* is pushed what other parties of its own platform push (R-ROUTE-18) */
    uint32_t offers;       /* ROUTING_OFFER() */
};

struct routing_directory;

/* Indexes the parties, which are borrowed and have to stay. `hub`: the party id that means all. It
 * may be that of our own eMSP as well: what cannot be meant for all is then for that one. */
struct routing_directory *routing_directory_new(struct arena *a, struct party_id hub,
                                                const struct routing_party *parties, size_t count);

/* ---- the question ---- */

/* Bits, because the table of calls has sets of them. */
enum routing_method {
    ROUTING_GET = 1,
    ROUTING_POST = 2,
    ROUTING_PUT = 4,
    ROUTING_PATCH = 8,
    ROUTING_DELETE = 16,
};
bool routing_method_of(const char *method, enum routing_method *ret);

enum routing_target {
    ROUTING_OBJECT = 1,
    ROUTING_LIST = 2,
    /* A URL that we handed out: a response_url, the Location of a CDR. It stands for the one party
     * in `owners`, whatever the headers say; none: we do not know this URL (R-ASYNC-14). */
    ROUTING_HANDED_OUT = 4,
};

struct routing_ask {
    /* Who asks. */
    int64_t partner_id;
    enum ocpi_version version;
    enum face face;             /* at which the partner registered */
    struct routing headers;     /* as sent */
    struct party_id stands_for; /* 2.1.1: the party that the URLs given to the partner represent;
                                   unset: the hub itself, for all of them (R-BR-05) */
    bool lenient;               /* quirk lenient_routing: what is wrong in the headers is ignored */
    bool broadcast_is_open;     /* TO = hub where a broadcast is forbidden: as if TO were missing
                                   (R-ROUTE-15) */
    /* What. */
    enum routing_method method;
    enum routing_module module;
    enum ocpi_interface interface; /* that is addressed */
    enum routing_target target;
    /* Whom the content names as receiver, by the column "resolve" of the table; possibly several
     * where an id is not unique, or none. */
    const struct party_id *owners;
    size_t owner_count;
};

/* Whether `from` may address `to`. `from` is always who asks, also where the data flow the other
 * way (GET). It is asked about our own party too. */
struct routing_contracts {
    bool (*allowed)(void *ctx, const struct routing_party *from, const struct routing_party *to,
                    enum routing_module module);
    void *ctx;
};

/* ---- the answer ---- */

enum routing_kind {
    ROUTING_REFUSED,
    ROUTING_LOCAL,
    ROUTING_DIRECT,
    ROUTING_OPEN,
    ROUTING_FAN_OUT,
    ROUTING_BROADCAST,
    ROUTING_GET_ALL,
};

const char *routing_kind_name(enum routing_kind kind); /* "fan_out": logs */

enum routing_answer_by {
    ROUTING_ANSWER_OURS,    /* we answer, at once; what the receivers say is only logged */
    ROUTING_ANSWER_RELAYED, /* the one receiver's */
    ROUTING_ANSWER_FIRST,   /* ask all, take the first success: ocpi/relay_answer.h */
};

struct routing_leg {
    const struct routing_party *party; /* ->ours: taken by ourselves, nothing is sent */
    struct routing request;            /* what is sent to the party; unset towards 2.1.1 */
    struct routing answer;             /* with its answer, where that is relayed to who asked */
};

struct routing_decision {
    enum routing_kind kind;
    enum routing_answer_by answer_by;
    struct err err;                   /* REFUSED: what to answer, with the rule */
    struct routing answer;            /* headers of an answer of our own, errors included */
    const struct routing_party *from; /* for whom was asked; NULL: not known (configuration, 403) */
    /* To whom it goes. LOCAL: our own party, or nobody where the hub answers from its store.
     * GET_ALL: no messages, but the parties whose objects the list may hold (R-ROUTE-31). */
    const struct routing_leg *legs;
    size_t leg_count;
    /* A push that these would have got if they were not OFFLINE: they have to pull (R-ROUTE-16). */
    const struct routing_leg *missed;
    size_t missed_count;
    bool own_tokens_only; /* GET_ALL of sessions, cdrs: those of the asker's tokens (R-ROUTE-32) */
    bool not_in_version;  /* REFUSED, because the receiver's OCPI version has no such call */
    bool headers_ignored; /* worth a warning in the log */
};

/* Texts of errors and the legs are in the arena; parties are those of the directory. */
struct routing_decision routing_decide(struct arena *a, const struct routing_directory *directory,
                                       const struct routing_contracts *contracts,
                                       const struct routing_ask *ask);

#endif
