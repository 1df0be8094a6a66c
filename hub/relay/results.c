/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results: what a CPO POSTs to a URL of ours that stands for an eMSP's response_url.
 *
 *    eMSP                      hub                              CPO
 *     |                        | <- POST emsp/{version}/cb/{id} |
 *     | <- POST response_url - |                                |
 *     | --- status ----------> | --- the same status ---------> |
 *
 * Only the partner to whom the URL was given is heard (R-ASYNC-11). A repeated result is
 * acknowledged and goes nowhere (R-ASYNC-14); while the first is being told, it waits for that.
 */
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "db/partner.h"
#include "hub/relay/relay.h"
#include "hub/server/http_server.h"
#include "ocpi/object.h"

enum { LOOK_AGAIN_MS = 200 };

struct result {
    struct relay relay;
    struct relay_found found;
    bool looked;
    struct relay_result result;
    const char *object;
    json_t *body; /* in the requester's version */
    struct relay_exchange exchange;
};

static enum flow_next find(struct flow *f)
{
    struct result *s = f->state;
    const struct request *r = request_of(f);

    return relay_context_find(f, r->params[0], r->caller.partner->id, &s->found);
}

static struct err unknown(void)
{
    return err_rule(err_new(ERR_OBJECT_NOT_FOUND), "R-ASYNC-11");
}

static const char *object_of(enum relay_kind kind)
{
    switch (kind) {
    case RELAY_PROFILE_GET:
        return "ActiveChargingProfileResult";
    case RELAY_PROFILE_SET:
        return "ChargingProfileResult";
    case RELAY_PROFILE_CLEAR:
        return "ClearProfileResult";
    default:
        return "CommandResult";
    }
}

static bool is_profile(enum relay_kind kind)
{
    return kind == RELAY_PROFILE_GET || kind == RELAY_PROFILE_SET || kind == RELAY_PROFILE_CLEAR;
}

/* 2.1.1 has words that are in no enum of it (R-BR-44): the translation knows them. */
static struct err check_body(struct flow *f, const struct result *s)
{
    const struct request *r = request_of(f);

    if (r->version != OCPI_2_1_1)
        return object_check(object_type_find(r->version, s->object), r->json,
                            &r->caller.partner->peer.leniency, f->arena);
    if (json_text_of(r->json, "result"))
        return OK;
    return err_rule(
        err_at(f->arena, ERR_BAD_FIELD, "/result", "/result: is required and must be a text"),
        "R-TYPE-12");
}

static enum flow_next check(struct flow *f)
{
    struct result *s = f->state;

    if (!s->found.found)
        return flow_fail(f, unknown());
    s->object = object_of(s->found.context.kind);
    FLOW_TRY(f, check_body(f, s));
    return FLOW_NEXT;
}

/* Who is told that it has arrived does not send it once more: said when it is known to be true. */
static enum flow_next take_up(struct flow *f)
{
    struct result *s = f->state;
    const struct request *r = request_of(f);

    if (!s->looked) {
        s->looked = true;
        relay_context_result(f, &s->found.context, r->http->body, r->http->body_length, &s->result);
        return FLOW_AGAIN;
    }
    if (s->result.outcome != RELAY_RESULT_BUSY)
        return FLOW_NEXT;
    s->looked = false;
    flow_sleep(f, LOOK_AGAIN_MS);
    return FLOW_AGAIN;
}

static enum flow_next look_for_repetition(struct flow *f)
{
    struct result *s = f->state;
    const struct relay_context *c = &s->found.context;
    bool again = s->result.outcome == RELAY_RESULT_SAME || s->result.outcome == RELAY_RESULT_SPENT;
    const char *word = json_text_of(request_of(f)->json, "result");

    if (s->result.outcome == RELAY_RESULT_GONE)
        return flow_fail(f, unknown());
    metric_add(METRIC_CALLBACKS, relay_kind_name(c->kind), again ? "duplicate" : "applied", NULL,
               1);
    if (s->result.outcome != RELAY_RESULT_FIRST)
        log_line(again && s->result.outcome == RELAY_RESULT_SAME ? LOG_INFO : LOG_WARN,
                 "another result of the same request", LOG_TEXT("kind", relay_kind_name(c->kind)),
                 LOG_TEXT("result", word), LOG_BOOL("forwarded", !again),
                 LOG_TEXT("correlation_id", c->correlation_id));
    return again ? reply_ocpi(f, 200, NULL) : FLOW_NEXT;
}

static struct err settle(struct flow *f, struct result *s)
{
    const struct relay_context *c = &s->found.context;
    struct relay_said said;

    /* The URL stands for one party; it was given to one. */
    request_of(f)->caller.from = c->receiver.party;
    s->relay = (struct relay){
        .module = is_profile(c->kind) ? ROUTING_CHARGING_PROFILES : ROUTING_COMMANDS,
        .interface = OCPI_INTERFACE_SENDER,
        .target = ROUTING_HANDED_OUT,
        .owners = &c->requester.party,
        .owner_count = 1,
        .by_owner = true,
    };
    TRY(relay_decide(f, &s->relay));
    if (!s->relay.receiver || s->relay.receiver->id != c->requester.partner_id)
        return unknown();
    const struct relay_words words = {
        .object = s->object,
        .id = c->session_id,
        .from = request_of(f)->version,
        .to = c->requester.version,
        .reader = s->relay.receiver,
    };
    TRY(err_rule(relay_say(f, &words, request_of(f)->json, &said), "R-BR-03"));
    if (said.withheld)
        return err_rule(err_at(f->arena, ERR_BAD_FIELD, NULL, "%s", said.withheld), "R-BR-03");
    s->body = said.document;
    return OK;
}

/* From here on the store has to hear what became of it. */
static enum flow_next tell_requester(struct flow *f)
{
    struct result *s = f->state;
    struct relay_exchange *x = &s->exchange;
    const struct relay_context *c = &s->found.context;
    const struct request *r = request_of(f);
    size_t length;

    if (x->phase != RELAY_BEGIN)
        return relay_exchange(f, x);
    FLOW_TRY(f, settle(f, s));
    *x = relay_exchange_to(f, &s->relay, &s->relay.decision.legs[0]);
    x->version = c->requester.version;
    x->module = is_profile(c->kind) ? MODULE_CHARGING_PROFILES : MODULE_COMMANDS;
    x->url = c->response_url;
    x->body = s->body == r->json ? r->http->body : json_text(f->arena, s->body, &length);
    x->correlation_id = c->correlation_id;
    x->once_only = true;
    return relay_exchange(f, x);
}

static enum flow_next note(struct flow *f)
{
    struct result *s = f->state;
    const struct relay_context *c = &s->found.context;
    bool told = !failed(f->err) && s->exchange.answer.relayed;
    const char *word = json_text_of(request_of(f)->json, "result");
    bool cleared = c->kind == RELAY_PROFILE_CLEAR && told && word && strcmp(word, "ACCEPTED") == 0;

    flow_all_begin(f);
    relay_context_told(f, c, &s->result, told);
    if (cleared && c->session_id)
        profile_setter_set(f, &c->receiver.party, c->session_id, NULL);
    return flow_all_end(f);
}

/* R-ASYNC-12. */
static enum flow_next answer_cpo(struct flow *f)
{
    struct result *s = f->state;

    return relay_reply(f, &(struct relay_answering){.exchange = &s->exchange, .no_data = true});
}

static const struct flow_step steps[] = {
    {"find the request", find},
    {"check the result", check},
    {"take it up, unless it is being told", take_up},
    {"look whether it is a repetition", look_for_repetition},
    {"tell who asked", tell_requester},
    {"note that it was told", note, .also_on_failure = true},
    {"answer the CPO", answer_cpo},
    {0},
};
const struct flow_type relay_result_flow = {
    .name = "relay_result",
    .state_size = sizeof(struct result),
    .deadline_ms = SECONDS(20),
    .steps = steps,
};
