/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands of an eMSP to a CPO.
 *
 *    eMSP                     hub                              CPO
 *     | --- START_SESSION --> | relay context opened           |
 *     |                       | --- START_SESSION, our URL --> |
 *     | <- CommandResponse -- | <- CommandResponse ----------- |     this file
 *     |      ...seconds or minutes...                          |
 *     | <- CommandResult ---- | <- CommandResult to our URL -- |     results.c
 *
 * The eMSP's own bytes with another response_url go on, so that fields nobody knows pass; between
 * versions the document is translated. An id that stands for another (db/alias.h) is turned back.
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/alias.h"
#include "db/partner.h"
#include "db/share.h"
#include "hub/relay/context.h"
#include "hub/relay/relay.h"
#include "hub/server/http_server.h"
#include "ocpi/envelope.h"
#include "ocpi/object.h"

/* clang-format off */
static const struct command_kind {
    enum relay_kind kind;
    const char *object;
    const char *names; /* the member by which the CPO is found */
    enum owner_kind owner;
    enum alias_module alias; /* ALIAS_MODULE_COUNT: ids of the eMSP's own */
    bool token;              /* has one, of the eMSP itself */
    enum ocpi_version since;
} KINDS[] = {
    {RELAY_START_SESSION,      "StartSession",      "location_id",    OWNER_OF_LOCATION,    ALIAS_LOCATIONS,    true,  OCPI_2_1_1},
    {RELAY_STOP_SESSION,       "StopSession",       "session_id",     OWNER_OF_SESSION,     ALIAS_SESSIONS,     false, OCPI_2_1_1},
    {RELAY_RESERVE_NOW,        "ReserveNow",        "location_id",    OWNER_OF_LOCATION,    ALIAS_LOCATIONS,    true,  OCPI_2_1_1},
    {RELAY_CANCEL_RESERVATION, "CancelReservation", "reservation_id", OWNER_OF_RESERVATION, ALIAS_MODULE_COUNT, false, OCPI_2_2_1},
    {RELAY_UNLOCK_CONNECTOR,   "UnlockConnector",   "location_id",    OWNER_OF_LOCATION,    ALIAS_LOCATIONS,    false, OCPI_2_1_1},
};
/* clang-format on */

struct command {
    struct relay relay;
    const struct command_kind *kind;
    enum { RESOLVE, RESOLVE_EVSE, OWNERS, KNOWN } phase;
    bool changed; /* the body is not the eMSP's own any more */
    struct alias_resolved alias, evse;
    struct owners owners;
    int64_t reservation_number;
    struct share_page location; /* of START_SESSION of 2.1.1 */
    json_t *body;               /* in the receiver's version */
    struct relay_context context;
    const char *our_url;
    struct relay_exchange exchange;
};

/* ---- answers that need no CPO ---- */

/* CommandResponse in the caller's version; the request itself was understood. */
static enum flow_next reply_response(struct flow *f, const char *result, const char *why)
{
    struct text t;

    text_init(&t, f->arena, 4096);
    json_begin_object(&t, NULL);
    json_put_text(&t, "result", result);
    if (request_of(f)->version != OCPI_2_1_1) {
        json_put_int(&t, "timeout", 0);
        if (why) {
            json_begin_array(&t, "message");
            json_begin_object(&t, NULL);
            json_put_text(&t, "language", "en");
            json_put_text(&t, "text", why);
            json_end_object(&t);
            json_end_array(&t);
        }
    }
    json_end_object(&t);
    return reply_ocpi(f, 200, t.bytes);
}

/* ---- the request ---- */

static const struct command_kind *kind_of(const struct request *r)
{
    enum relay_kind kind;

    for (size_t i = 0; relay_kind_parse(r->params[0], &kind) && i < sizeof KINDS / sizeof *KINDS;
         i++)
        if (KINDS[i].kind == kind && r->version >= KINDS[i].since)
            return &KINDS[i];
    return NULL;
}

/* R-CMD-02. The Token of 2.1.1 does not say whose it is. */
static struct err check_token(struct flow *f, const json_t *body)
{
    const json_t *token = json_object_of(body, "token");
    const char *country = json_text_of(token, "country_code"),
               *id = json_text_of(token, "party_id");
    struct party_id owner;

    if (request_of(f)->version == OCPI_2_1_1)
        return OK;
    if (party_id_make(country, id, &owner) && party_id_equal(&owner, &request_of(f)->caller.from))
        return OK;
    return err_rule(err_at(f->arena, ERR_BAD_FIELD, "/token",
                           "/token: is not one of %s, who sends this command", relay_asker_text(f)),
                    "R-CMD-02");
}

static enum flow_next check(struct flow *f)
{
    struct command *c = f->state;
    struct request *r = request_of(f);

    c->kind = kind_of(r);
    if (!c->kind) /* R-CMD-01 */
        return reply_response(f, "NOT_SUPPORTED", "There is no such command.");
    FLOW_TRY(f, object_check(object_type_find(r->version, c->kind->object), r->json,
                             &r->caller.partner->peer.leniency, f->arena));
    FLOW_TRY(f, relay_check_response_url(f, json_text_of(r->json, "response_url")));
    if (c->kind->token)
        FLOW_TRY(f, check_token(f, r->json));
    c->body = r->json;
    return FLOW_NEXT;
}

/* ---- whom it is for ---- */

static const char *named(const struct command *c)
{
    return json_text_of(c->body, c->kind->names);
}

static void put_back(struct command *c, const char *member, const struct alias_resolved *alias)
{
    const char *as_it_is = json_text_of(c->body, member);

    if (!alias->found || (as_it_is && strcmp(as_it_is, alias->id) == 0))
        return;
    json_object_set_new(c->body, member, json_string(alias->id));
    c->changed = true;
}

/* The requester's own reservations, and Sessions of its own tokens (R-CP-02). */
static const char *whose(struct flow *f, const struct command *c)
{
    return c->kind->owner == OWNER_OF_LOCATION ? NULL : relay_asker_text(f);
}

/* Where TO says it, nobody needs to be looked for; one of 2.1.1 may mean another by the same id. */
static bool is_named(struct flow *f, const struct command *c)
{
    return c->kind->owner == OWNER_OF_LOCATION && relay_is_named(f) &&
           !request_of(f)->caller.partner->peer.quirks.lenient_routing;
}

static enum flow_next find_owners(struct flow *f)
{
    struct command *c = f->state;
    int64_t partner_id = request_of(f)->caller.partner->id;

    switch (c->phase) {
    case RESOLVE:
        c->phase = RESOLVE_EVSE;
        if (c->kind->alias != ALIAS_MODULE_COUNT)
            alias_resolve(f, partner_id, relay_is_settled(f), c->kind->alias, named(c), &c->alias);
        return FLOW_AGAIN;
    case RESOLVE_EVSE:
        c->phase = OWNERS;
        put_back(c, c->kind->names, &c->alias);
        if (c->alias.found && json_text_of(c->body, "evse_uid"))
            alias_resolve_evse(f, &c->alias.owner, named(c), json_text_of(c->body, "evse_uid"),
                               &c->evse);
        return FLOW_AGAIN;
    case OWNERS:
        c->phase = KNOWN;
        put_back(c, "evse_uid", &c->evse);
        if ((!c->alias.found || c->kind->owner != OWNER_OF_LOCATION) && !is_named(f, c))
            owners_find(f, c->kind->owner, named(c), whose(f, c), &c->owners);
        return FLOW_AGAIN;
    case KNOWN:
        break;
    }
    if (c->alias.found && c->kind->owner == OWNER_OF_LOCATION)
        c->owners = (struct owners){&c->alias.owner, 1};
    return FLOW_NEXT;
}

static enum flow_next decide(struct flow *f)
{
    struct command *c = f->state;

    c->relay.module = ROUTING_COMMANDS;
    c->relay.interface = OCPI_INTERFACE_RECEIVER;
    c->relay.target = ROUTING_OBJECT;
    c->relay.owners = c->owners.items;
    c->relay.owner_count = c->owners.count;
    FLOW_TRY(f, relay_decide(f, &c->relay));
    if (!c->relay.receiver)
        return flow_fail(f, err_rule(err_new(ERR_UNKNOWN_RECEIVER), "R-ROUTE-24"));
    /* One of somebody else is as unknown as one that does not exist. */
    if (c->kind->owner == OWNER_OF_SESSION &&
        !relay_is_owner(&c->owners, &c->relay.decision.legs[0].party->id))
        return reply_response(f, "UNKNOWN_SESSION", NULL);
    return FLOW_NEXT;
}

/* ---- in the receiver's version ---- */

static int64_t expiry_of(const struct command *c)
{
    const char *text = json_text_of(c->body, "expiry_date");
    int64_t us;

    return c->kind->kind == RELAY_RESERVE_NOW && text && time_parse(text, TIME_OCPI_ANY_OFFSET, &us)
               ? us
               : TIME_NONE;
}

/* What the document does not say, but the other version wants: a number for the reservation, the
 * connectors of the EVSE. */
static enum flow_next learn(struct flow *f)
{
    struct command *c = f->state;
    const struct request *r = request_of(f);
    struct share_ask ask = {.kind = SHARE_LOCATIONS,
                            .reader_id = r->caller.partner->id,
                            .reader = r->caller.from,
                            .owner = c->relay.decision.legs[0].party->id,
                            .date_from_us = TIME_NONE,
                            .date_to_us = TIME_NONE};

    if (r->version == c->relay.version)
        return FLOW_NEXT;
    if (c->relay.version == OCPI_2_1_1 && c->kind->kind == RELAY_RESERVE_NOW)
        return reservation_number_give(f, &r->caller.from, json_text_of(c->body, "reservation_id"),
                                       expiry_of(c), &c->reservation_number);
    if (r->version == OCPI_2_1_1 && c->kind->kind == RELAY_START_SESSION)
        return share_get(f, &ask, named(c), &c->location);
    return FLOW_NEXT;
}

static struct err facts_of(struct flow *f, const struct command *c, struct translation_facts *ret)
{
    const struct party_id *from = &request_of(f)->caller.from;
    json_t *location = NULL;

    *ret = (struct translation_facts){.country_code = from->country_code,
                                      .party_id = from->party_id,
                                      .reservation_number = c->reservation_number};
    if (!c->location.count)
        return OK;
    TRY(json_read(f->arena, c->location.items[0].document, c->location.items[0].length, 0,
                  &location));
    ret->location = location;
    ret->location_version = c->location.items[0].ocpi;
    return OK;
}

static enum flow_next translate_request(struct flow *f)
{
    struct command *c = f->state;
    struct relay_words words = {
        .object = c->kind->object,
        .id = named(c),
        .from = request_of(f)->version,
        .to = c->relay.version,
        .reader = c->relay.receiver,
    };
    struct relay_said said;

    FLOW_TRY(f, facts_of(f, c, &words.facts));
    FLOW_TRY(f, err_rule(relay_say(f, &words, c->body, &said), "R-BR-03"));
    if (said.withheld) /* what would be done is not what was asked for */
        return reply_response(
            f, c->kind->kind == RELAY_CANCEL_RESERVATION ? "NOT_SUPPORTED" : "REJECTED",
            said.withheld);
    if (said.document != c->body) {
        c->body = said.document;
        c->changed = true;
    }
    return FLOW_NEXT;
}

/* ---- there and back ---- */

static enum flow_next open_context(struct flow *f)
{
    struct command *c = f->state;
    const struct request *r = request_of(f);
    const struct routing_decision *d = &c->relay.decision;

    c->context = (struct relay_context){
        .kind = c->kind->kind,
        .requester = {r->caller.partner->id, d->from->id, r->version},
        .receiver = {c->relay.receiver->id, d->legs[0].party->id, c->relay.version},
        .response_url = json_text_of(r->json, "response_url"),
        .correlation_id = *f->correlation_id ? f->correlation_id : NULL,
        .session_id = json_text_of(c->body, "session_id"),
        .location_id = json_text_of(c->body, "location_id"),
        .token_uid = json_text_of(json_object_of(c->body, "token"), "uid"),
        .reservation_id = json_text_of(r->json, "reservation_id"),
        .expiry_us = expiry_of(c),
        .evse_uid = json_text_of(c->body, "evse_uid"),
        .contract_id = json_text_of(json_object_of(c->body, "token"), "auth_id"),
        .authorization_reference = json_text_of(r->json, "authorization_reference"),
    };
    return relay_context_open(f, &c->context, &c->our_url);
}

static const char *body_with_our_url(struct flow *f, struct command *c)
{
    const struct request *r = request_of(f);
    const char *same = c->changed ? NULL
                                  : relay_splice(f->arena, r->http->body, r->http->body_length,
                                                 "response_url", c->our_url);
    size_t length;

    if (same)
        return same;
    json_object_set_new(c->body, "response_url", json_string(c->our_url));
    return json_text(f->arena, c->body, &length);
}

static enum flow_next ask_cpo(struct flow *f)
{
    struct command *c = f->state;

    if (c->exchange.phase == RELAY_BEGIN) {
        c->exchange = relay_exchange_to(f, &c->relay, &c->relay.decision.legs[0]);
        c->exchange.once_only = true;
        c->exchange.url = peer_url(f->arena, &c->relay.receiver->peer, MODULE_COMMANDS,
                                   OCPI_INTERFACE_RECEIVER, relay_kind_name(c->kind->kind), NULL);
        c->exchange.body = body_with_our_url(f, c);
    }
    return relay_exchange(f, &c->exchange);
}

static enum flow_next note_answer(struct flow *f)
{
    struct command *c = f->state;
    int64_t timeout_s;

    enum relay_answered how = relay_answered_of(f, &c->exchange, &timeout_s);
    return relay_context_answered(f, &c->context, how, timeout_s);
}

static enum flow_next pass_on(struct flow *f)
{
    struct command *c = f->state;

    return relay_reply(
        f, &(struct relay_answering){.exchange = &c->exchange, .object = "CommandResponse"});
}

static const struct flow_step steps[] = {
    {"check the command", check},
    {"find whom it names", find_owners},
    {"decide where it goes", decide},
    {"learn what the other version wants", learn},
    {"say it in that version", translate_request},
    {"open a context for the result", open_context},
    {"ask the CPO", ask_cpo},
    {"note the answer", note_answer, .also_on_failure = true},
    {"pass the answer on", pass_on},
    {0},
};
const struct flow_type relay_command_flow = {
    .name = "relay_command",
    .state_size = sizeof(struct command),
    .deadline_ms = SECONDS(25),
    .steps = steps,
};
