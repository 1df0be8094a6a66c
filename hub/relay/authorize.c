/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real-time authorisation of tokens that are not our own users': the eMSP is asked while a driver
 * stands at the charge point (R-TOK).
 *
 *    CPO: is T1 allowed? --> whose is T1?   one eMSP's         ask it
 *                                           nobody here knows  ask all that the CPO may, at once:
 *                                                              the first success counts
 *
 * An eMSP that cannot be reached is spoken for by the Token as it has told it to us, unless the CPO
 * has named it in TO: then the CPO knows of the failure and decides by the Token's whitelist.
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/partner.h"
#include "hub/partner/partner_api.h"
#include "hub/relay/relay.h"
#include "hub/server/http_server.h"
#include "ocpi/object.h"
#include "ocpi/url.h"

enum { FORWARD_MS = 8000 }; /* R-ROUTE-60 */

struct authorize {
    struct relay relay;
    const char *type; /* as in 2.2.1 */
    bool any_type;    /* OTHER of 2.1.1 stands for all but RFID */
    struct owners owners;
    struct relay_race race;
};

/* 2.1.1 calls it token_type in its table, and type in its text (R-TOK-01). */
static const char *type_asked(struct flow *f)
{
    const char *type = request_query(f, "type");

    if (!type && request_of(f)->version == OCPI_2_1_1)
        type = request_query(f, "token_type");
    return type && *type ? type : "RFID";
}

static enum flow_next find_owners(struct flow *f)
{
    struct authorize *a = f->state;
    const struct request *r = request_of(f);

    if (r->json)
        FLOW_TRY(f, object_check(object_type_find(r->version, "LocationReferences"), r->json,
                                 &r->caller.partner->peer.leniency, f->arena));
    a->type = type_asked(f);
    a->any_type = r->version == OCPI_2_1_1 && strcmp(a->type, "RFID") != 0;
    return owners_find(f, OWNER_OF_TOKEN, r->params[0], a->any_type ? NULL : a->type, &a->owners);
}

static enum flow_next decide(struct flow *f)
{
    struct authorize *a = f->state;

    a->relay = (struct relay){
        .module = ROUTING_TOKENS,
        .interface = OCPI_INTERFACE_SENDER,
        .target = ROUTING_OBJECT,
        .owners = a->owners.items,
        .owner_count = a->owners.count,
        .by_owner = !relay_is_named(f), /* us: then it is none of our own users' */
    };
    struct err e = relay_decide(f, &a->relay);
    if (e.kind == ERR_PEER_UNREACHABLE && a->relay.by_owner) {
        flow_become(f, &token_known_flow);
        return FLOW_NEXT;
    }
    if (e.kind == ERR_UNKNOWN_RECEIVER && a->relay.by_owner) /* nobody has tokens at all */
        e = err_rule(err_new(ERR_UNKNOWN_TOKEN), "R-TOK-03");
    FLOW_TRY(f, e);
    return FLOW_NEXT;
}

/* 2.1.1 knows RFID and OTHER alone. */
static const char *type_for(const struct authorize *a, enum ocpi_version version)
{
    if (strcmp(a->type, "RFID") == 0)
        return NULL;
    return version == OCPI_2_1_1 ? "OTHER" : a->type;
}

/* The place, in the eMSP's version. One that cannot be said is no reason not to ask (R-TOK-05). */
static const char *body_for(struct flow *f, const struct partner *emsp)
{
    const struct request *r = request_of(f);
    const struct relay_words words = {
        .object = "LocationReferences",
        .id = r->params[0],
        .from = r->version,
        .to = emsp->peer.version,
        .reader = emsp,
    };
    struct relay_said said;
    size_t length;

    if (!r->json)
        return NULL;
    if (words.from == words.to)
        return r->http->body;
    if (failed(relay_say(f, &words, r->json, &said)) || said.withheld)
        return NULL;
    return json_text(f->arena, said.document, &length);
}

static bool prepare(struct flow *f, struct authorize *a, const struct routing_leg *leg,
                    struct relay_exchange *x)
{
    *x = relay_exchange_to(f, &a->relay, leg);
    if (!x->receiver)
        return false;
    const struct peer *peer = &x->receiver->peer;
    const char *url =
        peer_url(f->arena, peer, MODULE_TOKENS, OCPI_INTERFACE_SENDER,
                 peer_own_id(f->arena, peer, request_of(f)->params[0]), "authorize", NULL);
    if (!url)
        return false;
    x->url = url_query(f->arena, url, "type", type_for(a, peer->version), NULL);
    x->body = body_for(f, x->receiver);
    x->total_ms = FORWARD_MS; /* on a connection that is open already, where there is one */
    return true;
}

static enum flow_next ask(struct flow *f)
{
    struct authorize *a = f->state;
    const struct routing_decision *d = &a->relay.decision;
    struct relay_race *race = &a->race;

    if (race->begun)
        return relay_race(f, race);
    race->exchanges = arena_alloc(f->arena, (d->leg_count + 1) * sizeof *race->exchanges);
    for (size_t i = 0; i < d->leg_count; i++)
        if (!d->legs[i].party->ours && /* our own were looked through before */
            prepare(f, a, &d->legs[i], &race->exchanges[race->count]))
            race->count++;
    if (!race->count)
        return flow_fail(f, err_rule(err_new(ERR_UNKNOWN_TOKEN), "R-TOK-03"));
    return relay_race(f, race);
}

static enum flow_next answer(struct flow *f)
{
    struct authorize *a = f->state;
    const struct relay_exchange *x = &a->race.exchanges[a->race.best];

    if (!x->answer.relayed && a->relay.by_owner && a->owners.count) {
        flow_become(f, &token_known_flow);
        return FLOW_NEXT;
    }
    return relay_reply(f, &(struct relay_answering){
                              .exchange = x,
                              .object = "AuthorizationInfo",
                              .facts = {.country_code = x->to.country_code,
                                        .party_id = x->to.party_id,
                                        .token_uid = request_of(f)->params[0],
                                        .token_type = a->any_type ? NULL : a->type,
                                        .token_issuer = x->receiver->name},
                          });
}

static const struct flow_step steps[] = {
    {"find whose token it is", find_owners},
    {"decide whom to ask", decide},
    {"ask the eMSP", ask},
    {"answer the CPO", answer},
    {0},
};
const struct flow_type relay_authorize_flow = {
    .name = "relay_authorize",
    .state_size = sizeof(struct authorize),
    .deadline_ms = SECONDS(10),
    .steps = steps,
};
