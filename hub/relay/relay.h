/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Relay: messages that one partner has for another go through the hub as if both were connected to
 * each other (R-ROUTE). Each use case is a flow: commands.c, profiles.c, authorize.c, reads.c,
 * results.c; what they share stands here.
 *
 *    requester              hub                                      receiver
 *     | --- request ------> | check, decide (ocpi/routing.h)         |
 *     |                     | say it in the receiver's version       |
 *     |                     | --- request, URLs of our own --------> |
 *     |                     | <-- answer --------------------------- |
 *     | <-- answer -------- | in the requester's version             |
 *
 * Only requests whose answer is the receiver's own word are carried while the requester waits:
 * commands and charging profiles with their results, real-time authorisation, charging preferences,
 * and GETs that name their receiver. Pushes are not: Locations, Tariffs, Tokens, Sessions and CDRs
 * are stored, answered by the hub and told on by the outbox (db/outbox.h) to everybody who may have
 * them: TO narrows nothing, because what one reader was pushed and all others can list is the same
 * object; a Session or CDR has but one reader, the owner of its token, and TO must be it or us.
 * What we have acknowledged is then durable and repeated until it arrives; a receiver's error code,
 * which its sender could do little about, is in the log instead. R-ROUTE-40 holds for what is
 * carried.
 */
#ifndef HUB_RELAY_RELAY_H
#define HUB_RELAY_RELAY_H

#include "db/owner.h"
#include "db/relay_context.h"
#include "hub/relay/exchange.h"
#include "hub/request.h"
#include "ocpi/routing.h"
#include "ocpi/translate/translate.h"

/* ---- the use cases ---- */

/* POST cpo/{version}/commands/{command}; GET, PUT, DELETE cpo/{version}/chargingprofiles/{session};
 * PUT cpo/{version}/sessions/{session}/charging_preferences */
extern const struct flow_type relay_command_flow, relay_profile_flow, relay_preferences_flow;
/* Lists and objects of one party (R-ROUTE-10): the route's `relay`. */
extern const struct flow_type relay_list_flow, relay_object_flow;
/* POST emsp/{version}/tokens/{uid}/authorize, of a token that is not our own user's. */
extern const struct flow_type relay_authorize_flow;
/* POST emsp/{version}/cb/{id}, and ActiveChargingProfile: what is none of ours. */
extern const struct flow_type relay_result_flow, relay_active_profile_flow;

/* Whether TO names a party that is neither us nor missing: then a route's `relay` serves it. */
bool relay_is_named(struct flow *f);
/* Whether the caller speaks no 2.1.1: aliases are given to none but those who do. */
bool relay_is_settled(struct flow *f);

/* ---- who gets it ---- */

struct relay {
    /* Filled before relay_decide. */
    enum routing_module module;
    enum ocpi_interface interface;
    enum routing_target target;
    const struct party_id *owners;
    size_t owner_count;
    bool by_owner; /* the content alone decides, whatever TO says */
    /* ... and by it. */
    struct routing_decision decision;
    const struct partner *receiver; /* of a single leg that is not ours */
    enum ocpi_version version;      /* ... and of its connection */
};

/* Where the caller's request goes. A refusal is the error; headers of our answer are set. */
struct err relay_decide(struct flow *f, struct relay *r);
/* What is to be sent to the receiver of a leg: FROM and TO, module and method of the request. No
 * receiver: it has gone since the directory was made, which happens to one of several only. */
struct relay_exchange relay_exchange_to(struct flow *f, const struct relay *r,
                                        const struct routing_leg *leg);
/* The party for whom the caller speaks, and as which: settled by the door. */
enum ocpi_role relay_asker_role(const struct flow *f);
/* "NL-ABC" of it, in the arena. */
const char *relay_asker_text(struct flow *f);

/* ---- requests that are answered twice (R-ASYNC-01) ---- */

/* Results go to the hosts of who asked, and nowhere else (R-ASYNC-17). */
struct err relay_check_response_url(struct flow *f, const char *url);
/* What the first answer means for the second one, and its `timeout`, 0 for none. */
enum relay_answered relay_answered_of(const struct flow *f, const struct relay_exchange *x,
                                      int64_t *ret_timeout_s);
/* Whether a party is among the owners of what was asked about. */
bool relay_is_owner(const struct owners *owners, const struct party_id *party);

/* ---- in whose words ---- */

struct relay_words {
    const char *object; /* the class */
    const char *id;     /* for the log */
    enum ocpi_version from, to;
    const struct partner *reader;
    struct translation_facts facts;
};
struct relay_said {
    json_t *document;     /* members of its own may be changed */
    const char *withheld; /* why it may not be said; NULL: it may */
};
/* Translated, and checked by the tables of the version in which it is said: ERR_BAD_FIELD where
 * that cannot have it. The same version: the document itself. */
struct err relay_say(struct flow *f, const struct relay_words *words, json_t *document,
                     struct relay_said *ret);

/* The same bytes with one text member of the object replaced; NULL where it is not found in plain
 * sight. `json` is valid JSON. */
const char *relay_splice(struct arena *a, const char *json, size_t length, const char *member,
                         const char *text);

/* ---- the answer ---- */

struct relay_answering {
    const struct relay_exchange *exchange;
    const char *object;                 /* class of its data; NULL: goes over as it is */
    struct translation_facts facts;     /* to say it in the caller's version */
    bool no_data;                       /* only status and message are passed on */
    const struct reply_header *headers; /* besides */
    size_t header_count;
};
/* The receiver's answer in the caller's version, byte for byte where that is the receiver's; or the
 * error that stands for it. */
enum flow_next relay_reply(struct flow *f, const struct relay_answering *a);
/* Its parts, for answers of another shape: the receiver's code and message with other data. */
enum flow_next relay_reply_data(struct flow *f, const struct relay_answering *a, const char *data);

#endif
