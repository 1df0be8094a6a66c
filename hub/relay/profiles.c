/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charging profiles and preferences: what the owner of a Session's token asks its CPO (R-CP).
 *
 *   GET    cpo/{version}/chargingprofiles/{session}?duration&response_url
 *   PUT    the same, SetChargingProfile       answered twice: the result comes as in commands.c
 *   DELETE the same ?response_url
 *   PUT    cpo/{version}/sessions/{session}/charging_preferences
 *
 * The CPO tells who has set a profile what becomes of it: PUT emsp/{version}/chargingprofiles/
 * {session}, ActiveChargingProfile (R-CP-03).
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/alias.h"
#include "db/partner.h"
#include "hub/relay/context.h"
#include "hub/relay/relay.h"
#include "hub/server/http_server.h"
#include "ocpi/object.h"
#include "ocpi/url.h"

struct profile {
    struct relay relay;
    enum relay_kind kind;
    const char *object;       /* class of the body; NULL: it has none */
    const char *response_url; /* the requester's */
    const char *duration;
    const char *session_id; /* as the CPO calls it */
    enum { RESOLVE, OWNERS, KNOWN } phase;
    struct alias_resolved alias;
    struct owners owners;
    json_t *body; /* in the receiver's version */
    struct relay_context context;
    const char *our_url;
    struct relay_exchange exchange;
};

/* ---- the request ---- */

static struct err check_body(struct flow *f, struct profile *p)
{
    const struct request *r = request_of(f);

    p->body = r->json;
    return object_check(object_type_find(r->version, p->object), r->json,
                        &r->caller.partner->peer.leniency, f->arena);
}

/* In the query of GET and DELETE, in any form that can be read (R-ASYNC-16). */
static struct err check_query(struct flow *f, struct profile *p)
{
    const char *query = request_of(f)->http->query;

    p->duration = request_query(f, "duration");
    p->response_url = query_response_url(f->arena, query);
    if (!p->response_url)
        return err_rule(err_at(f->arena, ERR_BAD_FIELD, "response_url",
                               "response_url: is missing, or no URL that can be called"),
                        "R-ASYNC-16");
    if (p->kind != RELAY_PROFILE_GET)
        return OK;
    size_t digits = p->duration ? strspn(p->duration, "0123456789") : 0;
    if (digits > 0 && digits < 10 && !p->duration[digits])
        return OK;
    return err_rule(
        err_at(f->arena, ERR_BAD_FIELD, "duration", "duration: is required, in whole seconds"),
        "R-TYPE-12");
}

static enum flow_next check_profile(struct flow *f)
{
    struct profile *p = f->state;
    const char *method = request_of(f)->http->method;

    p->kind = strcmp(method, "PUT") == 0      ? RELAY_PROFILE_SET
              : strcmp(method, "DELETE") == 0 ? RELAY_PROFILE_CLEAR
                                              : RELAY_PROFILE_GET; /* or HEAD */
    p->relay.module = ROUTING_CHARGING_PROFILES;
    p->relay.interface = OCPI_INTERFACE_RECEIVER;
    if (p->kind == RELAY_PROFILE_SET) {
        p->object = "SetChargingProfile";
        FLOW_TRY(f, check_body(f, p));
        p->response_url = json_text_of(p->body, "response_url");
    } else {
        FLOW_TRY(f, check_query(f, p));
    }
    FLOW_TRY(f, relay_check_response_url(f, p->response_url));
    return FLOW_NEXT;
}

static enum flow_next check_preferences(struct flow *f)
{
    struct profile *p = f->state;

    p->relay.module = ROUTING_SESSIONS;
    p->relay.interface = OCPI_INTERFACE_SENDER;
    p->object = "ChargingPreferences";
    FLOW_TRY(f, check_body(f, p));
    return FLOW_NEXT;
}

/* ---- whose Session it is ---- */

/* Sessions of tokens of who asks (R-CP-02); an SCSP has none, its contract is what counts. */
static enum flow_next find_owners(struct flow *f)
{
    struct profile *p = f->state;
    const struct request *r = request_of(f);
    bool anybodys = relay_asker_role(f) == OCPI_ROLE_SCSP;

    switch (p->phase) {
    case RESOLVE:
        p->phase = OWNERS;
        alias_resolve(f, r->caller.partner->id, relay_is_settled(f), ALIAS_SESSIONS, r->params[0],
                      &p->alias);
        return FLOW_AGAIN;
    case OWNERS:
        p->phase = KNOWN;
        p->session_id = p->alias.found ? p->alias.id : r->params[0];
        owners_find(f, OWNER_OF_SESSION, p->session_id, anybodys ? NULL : relay_asker_text(f),
                    &p->owners);
        return FLOW_AGAIN;
    case KNOWN:
        break;
    }
    return FLOW_NEXT;
}

/* The receiver's version knows neither profiles nor preferences (R-CP-09). */
static enum flow_next reply_not_supported(struct flow *f, struct err e)
{
    const struct profile *p = f->state;

    if (p->relay.module == ROUTING_CHARGING_PROFILES)
        return reply_ocpi(f, 200, "{\"result\":\"NOT_SUPPORTED\",\"timeout\":0}");
    return flow_fail(
        f, err_rule(err_at(f->arena, ERR_OBJECT_NOT_FOUND, e.where, "%s", err_text(e)), "R-CP-09"));
}

static enum flow_next decide(struct flow *f)
{
    struct profile *p = f->state;

    p->relay.target = ROUTING_OBJECT;
    p->relay.owners = p->owners.items;
    p->relay.owner_count = p->owners.count;
    struct err e = relay_decide(f, &p->relay);
    if (failed(e) && p->relay.decision.not_in_version)
        return reply_not_supported(f, e);
    FLOW_TRY(f, e);
    if (p->relay.receiver && relay_is_owner(&p->owners, &p->relay.decision.legs[0].party->id))
        return FLOW_NEXT;
    return flow_fail(
        f, err_rule(err_at(f->arena, ERR_BAD_FIELD, NULL, "no Session of a token of %s has this id",
                           relay_asker_text(f)),
                    "R-CP-02"));
}

static enum flow_next translate_request(struct flow *f)
{
    struct profile *p = f->state;
    const struct relay_words words = {
        .object = p->object,
        .id = p->session_id,
        .from = request_of(f)->version,
        .to = p->relay.version,
        .reader = p->relay.receiver,
    };
    struct relay_said said;

    if (!p->object)
        return FLOW_NEXT;
    FLOW_TRY(f, err_rule(relay_say(f, &words, p->body, &said), "R-BR-03"));
    if (said.withheld)
        return flow_fail(
            f, err_rule(err_at(f->arena, ERR_BAD_FIELD, NULL, "%s", said.withheld), "R-BR-03"));
    p->body = said.document;
    return FLOW_NEXT;
}

/* ---- there and back ---- */

static enum flow_next open_context(struct flow *f)
{
    struct profile *p = f->state;
    const struct routing_decision *d = &p->relay.decision;
    const struct request *r = request_of(f);

    p->context = (struct relay_context){
        .kind = p->kind,
        .requester = {r->caller.partner->id, d->from->id, r->version},
        .receiver = {p->relay.receiver->id, d->legs[0].party->id, p->relay.version},
        .response_url = p->response_url,
        .correlation_id = *f->correlation_id ? f->correlation_id : NULL,
        .session_id = p->session_id,
        .expiry_us = TIME_NONE,
    };
    return relay_context_open(f, &p->context, &p->our_url);
}

static const char *body_with_our_url(struct flow *f, const struct profile *p)
{
    const struct request *r = request_of(f);
    const char *same = NULL;
    size_t length;

    if (p->body == r->json)
        same =
            relay_splice(f->arena, r->http->body, r->http->body_length, "response_url", p->our_url);
    if (same)
        return same;
    json_object_set_new(p->body, "response_url", json_string(p->our_url));
    return json_text(f->arena, p->body, &length);
}

static enum flow_next ask_cpo(struct flow *f)
{
    struct profile *p = f->state;
    struct relay_exchange *x = &p->exchange;

    if (x->phase != RELAY_BEGIN)
        return relay_exchange(f, x);
    *x = relay_exchange_to(f, &p->relay, &p->relay.decision.legs[0]);
    x->once_only = true;
    x->url = peer_url(f->arena, &p->relay.receiver->peer, MODULE_CHARGING_PROFILES,
                      OCPI_INTERFACE_RECEIVER,
                      peer_own_id(f->arena, &p->relay.receiver->peer, p->session_id), NULL);
    if (p->kind == RELAY_PROFILE_SET)
        x->body = body_with_our_url(f, p);
    else
        x->url = url_query(f->arena, x->url, "duration",
                           p->kind == RELAY_PROFILE_GET ? p->duration : NULL, "response_url",
                           p->our_url, NULL);
    return relay_exchange(f, x);
}

static enum flow_next note_answer(struct flow *f)
{
    struct profile *p = f->state;
    int64_t timeout_s;

    enum relay_answered how = relay_answered_of(f, &p->exchange, &timeout_s);
    flow_all_begin(f);
    relay_context_answered(f, &p->context, how, timeout_s);
    if (p->kind == RELAY_PROFILE_SET &&
        how != RELAY_REFUSED) /* it may PUT before it has a result */
        profile_setter_set(f, &p->context.receiver.party, p->session_id, &p->context.requester);
    return flow_all_end(f);
}

static enum flow_next pass_on(struct flow *f)
{
    struct profile *p = f->state;

    return relay_reply(f, &(struct relay_answering){.exchange = &p->exchange,
                                                    .object = "ChargingProfileResponse"});
}

static const struct flow_step profile_steps[] = {
    {"check the request", check_profile},
    {"find whose Session it is", find_owners},
    {"decide where it goes", decide},
    {"say it in the receiver's version", translate_request},
    {"open a context for the result", open_context},
    {"ask the CPO", ask_cpo},
    {"note the answer", note_answer, .also_on_failure = true},
    {"pass the answer on", pass_on},
    {0},
};
const struct flow_type relay_profile_flow = {
    .name = "relay_profile",
    .state_size = sizeof(struct profile),
    .deadline_ms = SECONDS(25),
    .steps = profile_steps,
};

/* ---- preferences: answered once ---- */

static enum flow_next tell_preferences(struct flow *f)
{
    struct profile *p = f->state;
    struct relay_exchange *x = &p->exchange;
    const struct request *r = request_of(f);
    size_t length;

    if (x->phase != RELAY_BEGIN)
        return relay_exchange(f, x);
    *x = relay_exchange_to(f, &p->relay, &p->relay.decision.legs[0]);
    x->url = peer_url(f->arena, &p->relay.receiver->peer, MODULE_SESSIONS, OCPI_INTERFACE_SENDER,
                      peer_own_id(f->arena, &p->relay.receiver->peer, p->session_id),
                      "charging_preferences", NULL);
    x->body = p->body == r->json ? r->http->body : json_text(f->arena, p->body, &length);
    return relay_exchange(f, x);
}

static enum flow_next pass_word_on(struct flow *f)
{
    struct profile *p = f->state;

    return relay_reply(f, &(struct relay_answering){.exchange = &p->exchange});
}

static const struct flow_step preferences_steps[] = {
    {"check the request", check_preferences},
    {"find whose Session it is", find_owners},
    {"decide where it goes", decide},
    {"say it in the receiver's version", translate_request},
    {"tell the CPO", tell_preferences},
    {"pass the answer on", pass_word_on},
    {0},
};
const struct flow_type relay_preferences_flow = {
    .name = "relay_preferences",
    .state_size = sizeof(struct profile),
    .deadline_ms = SECONDS(20),
    .steps = preferences_steps,
};

/* ---- ActiveChargingProfile: from the CPO to who has set a profile ---- */

struct active {
    struct relay relay;
    struct profile_setter setter;
    json_t *body;
    struct relay_exchange exchange;
};

static enum flow_next find_setter(struct flow *f)
{
    struct active *a = f->state;
    const struct request *r = request_of(f);

    FLOW_TRY(f, object_check(object_type_find(r->version, "ActiveChargingProfile"), r->json,
                             &r->caller.partner->peer.leniency, f->arena));
    return profile_setter_find(f, &r->caller.from, r->params[0], &a->setter);
}

static enum flow_next decide_active(struct flow *f)
{
    struct active *a = f->state;

    if (!a->setter.found)
        return flow_fail(f, err_rule(err_new(ERR_OBJECT_NOT_FOUND), "R-CP-03"));
    a->relay = (struct relay){
        .module = ROUTING_CHARGING_PROFILES,
        .interface = OCPI_INTERFACE_SENDER,
        .target = ROUTING_OBJECT,
        .owners = &a->setter.side.party,
        .owner_count = 1,
        .by_owner = true,
    };
    FLOW_TRY(f, relay_decide(f, &a->relay));
    if (a->relay.receiver)
        return FLOW_NEXT;
    return flow_fail(f, err_rule(err_new(ERR_OBJECT_NOT_FOUND), "R-CP-03"));
}

static enum flow_next translate_active(struct flow *f)
{
    struct active *a = f->state;
    const struct relay_words words = {
        .object = "ActiveChargingProfile",
        .id = request_of(f)->params[0],
        .from = request_of(f)->version,
        .to = a->relay.version,
        .reader = a->relay.receiver,
    };
    struct relay_said said;

    FLOW_TRY(f, err_rule(relay_say(f, &words, request_of(f)->json, &said), "R-BR-03"));
    if (said.withheld)
        return flow_fail(f, err_rule(err_at(f->arena, ERR_PEER_UNREACHABLE, NULL,
                                            "module not available at receiver: %s", said.withheld),
                                     "R-ROUTE-42"));
    a->body = said.document;
    return FLOW_NEXT;
}

static enum flow_next tell_setter(struct flow *f)
{
    struct active *a = f->state;
    struct relay_exchange *x = &a->exchange;
    const struct request *r = request_of(f);
    size_t length;

    if (x->phase != RELAY_BEGIN)
        return relay_exchange(f, x);
    *x = relay_exchange_to(f, &a->relay, &a->relay.decision.legs[0]);
    x->url = peer_url(f->arena, &a->relay.receiver->peer, MODULE_CHARGING_PROFILES,
                      OCPI_INTERFACE_SENDER, r->params[0], NULL);
    x->body = a->body == r->json ? r->http->body : json_text(f->arena, a->body, &length);
    return relay_exchange(f, x);
}

static enum flow_next answer_cpo(struct flow *f)
{
    struct active *a = f->state;

    return relay_reply(f, &(struct relay_answering){.exchange = &a->exchange, .no_data = true});
}

static const struct flow_step active_steps[] = {
    {"find who has set a profile", find_setter},
    {"decide where it goes", decide_active},
    {"say it in the receiver's version", translate_active},
    {"tell who has set it", tell_setter},
    {"answer the CPO", answer_cpo},
    {0},
};
const struct flow_type relay_active_profile_flow = {
    .name = "relay_active_profile",
    .state_size = sizeof(struct active),
    .deadline_ms = SECONDS(20),
    .steps = active_steps,
};
