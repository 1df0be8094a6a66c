/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges: one at a time, and races of several. */
#include "hub/relay/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/network.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "db/partner.h"
#include "db/partner_life.h"
#include "hub/hub.h"
#include "hub/relay/loop.h"

enum { UNDER_WAY = 40 }; /* of the 50 calls per host, so that commands of our own find room */

/* ---- how many are under way ---- */

struct crowd {
    int64_t partner_id;
    unsigned count;
    struct crowd *next;
};
static struct crowd *crowds;

static struct crowd *crowd_of(int64_t partner_id)
{
    struct crowd *c = crowds;

    while (c && c->partner_id != partner_id)
        c = c->next;
    if (c)
        return c;
    c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->partner_id = partner_id;
    c->next = crowds;
    crowds = c;
    return c;
}

static void leave(void *what)
{
    struct crowd *crowd = what;

    crowd->count--;
}

/* Until the flow ends. */
static bool enter(struct flow *f, int64_t partner_id)
{
    struct crowd *c = crowd_of(partner_id);

    if (c->count >= UNDER_WAY)
        return false;
    c->count++;
    arena_on_free(f->arena, leave, c);
    return true;
}

/* ---- one ---- */

static enum flow_next refuse(struct relay_exchange *x, const char *why, const char *rule)
{
    x->phase = RELAY_OVER;
    x->answer = relay_answer_of(RELAY_NOT_SENT, NULL);
    x->answer.err.text = why;
    x->answer.err.rule = rule;
    return FLOW_NEXT;
}

static void prepare(struct relay_exchange *x)
{
    x->peer = x->receiver->peer;
    x->peer.our_party = x->from;
    x->peer.their_party = x->to;
    if (x->version == OCPI_VERSION_NONE)
        x->version = x->peer.version;
    x->peer.version = x->version;
    x->call = (struct ocpi_call){
        .peer = &x->peer,
        .method = x->method,
        .module = x->module,
        .url = x->url,
        .body = x->body,
        .once_only = x->once_only,
        .reuses = true, /* a new one for each message would cost more than the message */
        .one_object = !x->list,
        .total_ms = x->total_ms,
        .max_answer = x->max_answer,
        .correlation_id = x->correlation_id,
    };
}

/* Under an id of its own each time; whoever sends us that again has sent it in a circle. */
static void send_it(struct flow *f, struct relay_exchange *x)
{
    char id[UUID_TEXT];

    relay_loop_mark(&(struct relay_pair){.hub = hub_of(f)->public_url,
                                         .correlation_id = x->correlation_id ? x->correlation_id
                                                                             : f->correlation_id,
                                         .from = x->from,
                                         .to = x->to},
                    id);
    x->call.request_id = arena_text(f->arena, id);
    ocpi_send(f, &x->call, &x->got);
}

static enum relay_end end_of(const struct http_answer *http)
{
    switch (http->outcome) {
    case HTTP_ANSWERED:
        return RELAY_ANSWERED;
    case HTTP_NOT_SENT:
        return RELAY_NOT_SENT;
    case HTTP_UNCLEAR:
        return http->timed_out ? RELAY_TIMED_OUT : RELAY_BROKEN;
    }
    return RELAY_FAILED;
}

static bool may_retry(const struct relay_exchange *x, enum relay_end end)
{
    enum routing_method method;

    return !x->retried && !x->once_only && routing_method_of(x->method, &method) &&
           relay_may_retry(method, end);
}

static void note(struct flow *f, const struct relay_exchange *x)
{
    char from[PARTY_TEXT], to[PARTY_TEXT];
    bool bad = !x->answer.relayed;

    log_line(bad ? LOG_WARN : LOG_DEBUG, bad ? "not relayed" : "relayed",
             LOG_TEXT("partner", x->receiver->name), LOG_TEXT("module", x->module),
             LOG_TEXT("method", x->method), LOG_TEXT("from", party_id_print(&x->from, from)),
             LOG_TEXT("to", party_id_print(&x->to, to)), LOG_INT("status", x->answer.http_status),
             LOG_INT("ocpi_status", x->answer.status_code),
             LOG_TEXT("rule", bad ? x->answer.err.rule : NULL),
             LOG_TEXT("text", bad ? err_text(x->answer.err) : NULL),
             LOG_TEXT("error", x->got.http.error), LOG_INT("ms", x->got.http.duration_ms),
             LOG_TEXT("correlation_id", *f->correlation_id ? f->correlation_id : NULL));
    if (x->answer.alarm)
        log_line(LOG_ERROR, "a partner refuses our credentials",
                 LOG_TEXT("partner", x->receiver->name), LOG_INT("status", x->got.http.status));
}

static enum flow_next look_at_answer(struct flow *f, struct relay_exchange *x)
{
    enum relay_end end = end_of(&x->got.http);

    if (may_retry(x, end)) {
        x->retried = true;
        send_it(f, x);
        return FLOW_AGAIN;
    }
    x->sent = end != RELAY_NOT_SENT;
    x->answer = relay_answer_of(end, &x->got.envelope);
    note(f, x);
    if (!x->answer.offline)
        return FLOW_NEXT;
    x->phase = RELAY_ALARM;
    return FLOW_AGAIN;
}

enum flow_next relay_exchange(struct flow *f, struct relay_exchange *x)
{
    switch (x->phase) {
    case RELAY_BEGIN:
        if (!x->url)
            return refuse(x, "module not available at receiver", "R-ROUTE-42");
        if (network_breaker_open(x->receiver->id))
            return refuse(x, "the receiver has not answered for a while, and is left in peace",
                          "R-ROUTE-62");
        if (!enter(f, x->receiver->id))
            return refuse(x, "too much is under way to this receiver", "R-ROUTE-62");
        prepare(x);
        x->phase = RELAY_SENT;
        send_it(f, x);
        return FLOW_AGAIN;
    case RELAY_SENT:
        return look_at_answer(f, x);
    case RELAY_ALARM: /* two probes that fail make it OFFLINE (R-ROUTE-43) */
        x->phase = RELAY_ALARM_AGAIN;
        partner_probed(f, x->receiver->id, false);
        return FLOW_AGAIN;
    case RELAY_ALARM_AGAIN:
        x->phase = RELAY_OVER;
        partner_probed(f, x->receiver->id, false);
        return FLOW_AGAIN;
    case RELAY_OVER:
        return FLOW_NEXT;
    }
    return FLOW_NEXT;
}

/* ---- several ---- */

struct runner {
    struct relay_race *race;
    size_t index;
};

static enum flow_next run(struct flow *f)
{
    const struct runner *r = f->state;

    r->race->running[r->index] = f;
    return relay_exchange(f, &r->race->exchanges[r->index]);
}

/* Out of the runner's memory into the race's. */
static void keep(struct relay_race *race, struct relay_exchange *x)
{
    struct ocpi_answer *got = &x->got;

    if (got->http.outcome != HTTP_ANSWERED || !x->answer.relayed)
        return;
    got->http.body = arena_bytes(race->arena, got->http.body, got->http.body_length);
    got->http.headers = NULL;
    got->http.header_count = 0;
    struct envelope_rules rules = {.missing_envelope = x->peer.quirks.missing_envelope};
    envelope_read(race->arena, got->http.status, got->http.body, got->http.body_length, &rules,
                  &got->envelope);
    got->status_message = got->envelope.status_message;
    got->data = got->envelope.data;
}

static enum flow_next arrive(struct flow *f)
{
    const struct runner *r = f->state;
    struct relay_race *race = r->race;

    race->running[r->index] = NULL;
    if (race->won || failed(f->err))
        return FLOW_DONE;
    keep(race, &race->exchanges[r->index]);
    race->came[race->came_count++] = r->index;
    if (!relay_answer_is_success(&race->exchanges[r->index].answer))
        return FLOW_DONE;
    race->won = true;
    for (size_t i = 0; i < race->count; i++)
        if (race->running[i])
            flow_cancel(race->running[i], err_new(ERR_DEADLINE));
    return FLOW_DONE;
}

static const struct flow_step runner_steps[] = {
    {"ask", run},
    {"arrive", arrive, .also_on_failure = true},
    {0},
};
static const struct flow_type runner_flow = {
    .name = "relay_runner", .state_size = sizeof(struct runner), .steps = runner_steps};

static void fill(void *state, void *context)
{
    *(struct runner *)state = *(const struct runner *)context;
}

static enum flow_next race_over(struct flow *f, struct relay_race *race)
{
    struct relay_answer *answers = arena_alloc(f->arena, (race->came_count + 1) * sizeof *answers);

    if (!race->came_count)
        return flow_fail(f, err_rule(err_new(ERR_PEER_TIMEOUT), "R-ROUTE-23"));
    for (size_t i = 0; i < race->came_count; i++)
        answers[i] = race->exchanges[race->came[i]].answer;
    race->best = race->came[relay_answer_best(answers, race->came_count)];
    return FLOW_NEXT;
}

enum flow_next relay_race(struct flow *f, struct relay_race *race)
{
    if (race->begun)
        return race_over(f, race);
    race->begun = true;
    race->arena = f->arena;
    race->came = arena_alloc(f->arena, (race->count + 1) * sizeof *race->came);
    race->running = arena_alloc(f->arena, (race->count + 1) * sizeof(struct flow *));
    struct err *ends = arena_alloc(f->arena, (race->count + 1) * sizeof *ends);
    flow_all_begin(f);
    for (size_t i = 0; i < race->count; i++) {
        struct runner runner = {race, i};
        flow_child(f, &runner_flow, fill, &runner, &ends[i]);
    }
    flow_again_after_wait(f);
    return flow_all_end(f);
}
