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
#include "db/alias.h"
#include "db/partner.h"
#include "db/share.h"
#include "hub/partner/partner_api.h"
#include "hub/partner/shared_lists.h"
#include "hub/relay/relay.h"
#include "hub/server/http_server.h"
#include "ocpi/object.h"
#include "ocpi/url.h"

enum { FORWARD_MS = 8000 }; /* R-ROUTE-60 */

struct authorize {
    struct relay relay;
    const char *type;        /* as in 2.2.1 */
    bool any_type;           /* it may be called otherwise by who owns it: OTHER stands for many */
    struct share_page known; /* then: what the eMSPs have told of tokens of this uid */
    struct owners owners;
    const char **places; /* of each leg: what its eMSP calls the location, NULL: as it is */
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

/* OTHER is what EMAID is called in 2.2.1, and all but RFID in 2.1.1 (R-BR, section 15.2); it is
 * stored under the names of 2.2.1. */
static bool is_called_the_same(const char *type, enum ocpi_version version)
{
    if (version == OCPI_2_1_1)
        return strcmp(type, "RFID") == 0;
    return strcmp(type, "RFID") == 0 || strcmp(type, "APP_USER") == 0 ||
           strcmp(type, "AD_HOC_USER") == 0;
}

static enum flow_next find_owners(struct flow *f)
{
    struct share_ask ask;
    struct authorize *a = f->state;
    const struct request *r = request_of(f);

    if (r->json)
        FLOW_TRY(f, object_check(object_type_find(r->version, "LocationReferences"), r->json,
                                 &r->caller.partner->peer.leniency, f->arena));
    a->type = type_asked(f);
    a->any_type = !is_called_the_same(a->type, r->version);
    flow_all_begin(f);
    owners_find(f, OWNER_OF_TOKEN, r->params[0], a->any_type ? NULL : a->type, &a->owners);
    if (a->any_type) {
        share_ask_of(f, SHARE_TOKENS, &ask);
        ask.owner = (struct party_id){0};
        share_get(f, &ask, r->params[0], &a->known);
    }
    return flow_all_end(f);
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

/* What the eMSP itself calls it, where it has told. */
static const char *type_told(struct flow *f, const struct authorize *a, const struct party_id *emsp)
{
    for (size_t i = 0; i < a->known.count; i++) {
        const struct shared_object *o = &a->known.items[i];
        struct party_id owner;
        json_t *token;

        if (!party_id_make(o->country_code, o->party_id, &owner) || !party_id_equal(&owner, emsp) ||
            failed(json_read(f->arena, o->document, o->length, 0, &token)))
            continue;
        const char *type = json_text_of(token, "type");
        if (type && strcmp(type, "RFID") != 0)
            return arena_text(f->arena, type);
    }
    return a->type;
}

/* 2.1.1 knows RFID and OTHER alone. */
static const char *type_for(struct flow *f, const struct authorize *a,
                            const struct relay_exchange *x)
{
    if (strcmp(a->type, "RFID") == 0)
        return NULL;
    if (x->receiver->peer.version == OCPI_2_1_1)
        return "OTHER";
    return a->any_type ? type_told(f, a, &x->to) : a->type;
}

static const char *location_asked(struct flow *f)
{
    return json_text_of(request_of(f)->json, "location_id");
}

/* eMSPs of 2.1.1 may know it by another name (R-BR-06). */
static enum flow_next name_place(struct flow *f)
{
    struct authorize *a = f->state;
    const struct routing_decision *d = &a->relay.decision;
    const struct party_id *cpo = &request_of(f)->caller.from;

    a->places = arena_alloc(f->arena, (d->leg_count + 1) * sizeof *a->places);
    flow_all_begin(f);
    for (size_t i = 0; i < d->leg_count; i++) {
        const struct partner *emsp = partner_find(f, d->legs[i].party->partner_id);

        a->places[i] = NULL;
        if (location_asked(f) && emsp && emsp->peer.version == OCPI_2_1_1)
            alias_give(f, emsp->id, ALIAS_LOCATIONS, cpo, location_asked(f), &a->places[i]);
    }
    return flow_all_end(f);
}

/* The place, in the eMSP's version. One that cannot be said is no reason not to ask (R-TOK-05). */
static const char *body_for(struct flow *f, const struct partner *emsp, const char *place)
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
    bool renamed = place && strcmp(place, location_asked(f)) != 0;
    if (words.from == words.to && !renamed)
        return r->http->body;
    if (failed(relay_say(f, &words, r->json, &said)) || said.withheld)
        return NULL;
    if (!renamed)
        return json_text(f->arena, said.document, &length);
    AUTO_JSON json_t *document = json_copy(said.document);
    json_object_set_new(document, "location_id", json_string(place));
    return json_text(f->arena, document, &length);
}

static bool prepare(struct flow *f, struct authorize *a, size_t index, struct relay_exchange *x)
{
    *x = relay_exchange_to(f, &a->relay, &a->relay.decision.legs[index]);
    if (!x->receiver)
        return false;
    const struct peer *peer = &x->receiver->peer;
    const char *url =
        peer_url(f->arena, peer, MODULE_TOKENS, OCPI_INTERFACE_SENDER,
                 peer_own_id(f->arena, peer, request_of(f)->params[0]), "authorize", NULL);
    if (!url)
        return false;
    x->url = url_query(f->arena, url, "type", type_for(f, a, x), NULL);
    x->body = body_for(f, x->receiver, a->places[index]);
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
            prepare(f, a, i, &race->exchanges[race->count]))
            race->count++;
    if (!race->count)
        return flow_fail(f, err_rule(err_new(ERR_UNKNOWN_TOKEN), "R-TOK-03"));
    return relay_race(f, race);
}

/* In the answer it is the CPO's own name again: where the eMSP has another one, the place that it
 * means can only be the one that was asked about. True: the answer is not the eMSP's own any more.
 */
static bool name_place_back(struct flow *f, const struct relay_exchange *x)
{
    json_t *place = json_object_get(x->got.envelope.data, "location");
    const char *said = json_text_of(place, "location_id");

    if (!said || !location_asked(f) || x->receiver->peer.version != OCPI_2_1_1 ||
        strcmp(said, location_asked(f)) == 0)
        return false;
    json_object_set_new(place, "location_id", json_string(location_asked(f)));
    return true;
}

static enum flow_next answer(struct flow *f)
{
    struct authorize *a = f->state;
    const struct relay_exchange *x = &a->race.exchanges[a->race.best];

    if (!x->answer.relayed && a->relay.by_owner && a->owners.count) {
        flow_become(f, &token_known_flow);
        return FLOW_NEXT;
    }
    const struct relay_answering answering = {
        .exchange = x,
        .object = "AuthorizationInfo",
        .facts = {.country_code = x->to.country_code,
                  .party_id = x->to.party_id,
                  .token_uid = request_of(f)->params[0],
                  .token_type = a->any_type ? NULL : a->type,
                  .token_issuer = x->receiver->name},
    };
    size_t length;
    if (x->answer.relayed && name_place_back(f, x) && request_of(f)->version == x->version)
        return relay_reply_data(f, &answering, json_text(f->arena, x->got.envelope.data, &length));
    return relay_reply(f, &answering);
}

static const struct flow_step steps[] = {
    {"find whose token it is", find_owners},
    {"decide whom to ask", decide},
    {"name the place as they know it", name_place},
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
