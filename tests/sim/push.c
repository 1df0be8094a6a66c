/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending to the hub: lanes, headers, the answer's fate.
 */
#include "tests/sim/push.h"

#include <assert.h>
#include <stdlib.h>

#include "adapters/http_client.h"
#include "base/flow.h"
#include "base/id.h"
#include "base/log.h"
#include "ocpi/envelope.h"
#include "tests/sim/behave.h"
#include "tests/sim/check.h"
#include "tests/sim/clock.h"
#include "tests/sim/record.h"
#include "tests/sim/sim.h"

enum { CONNECT_MS = 3000, TOTAL_MS = 30000, HEADERS_MAX = 24, HOLD_MS = 2000, ATTEMPTS = 30 };
enum { REPEAT_MS = 2000, REPEAT_MAX_MS = 60000, ANSWER_MAX = 48 << 20 };

struct sending {
    struct push *push;
    struct http_call call;
    struct http_answer answer;
};

struct push *push_new(struct sim *sim, const char *method, const char *module, const char *url,
                      char *body)
{
    struct push *p = calloc(1, sizeof(*p));

    assert(p);
    p->sim = sim;
    p->method = strdup(method);
    p->module = strdup(module);
    p->url = strdup(url);
    p->body = body;
    return p;
}

void push_header(struct push *p, const char *name, const char *value)
{
    p->headers = realloc(p->headers, (p->header_count + 1) * sizeof(*p->headers));
    assert(p->headers);
    p->headers[p->header_count].name = strdup(name);
    p->headers[p->header_count++].value = value ? strdup(value) : 0;
}

static void push_free(struct push *p)
{
    for (size_t i = 0; i < p->header_count; i++) {
        free(p->headers[i].name);
        free(p->headers[i].value);
    }
    free(p->headers);
    free(p->method);
    free(p->module);
    free(p->url);
    free(p->body);
    free(p->token);
    free(p->correlation_id);
    free(p);
}

/* What the hub thinks of it: STATUS_UNKNOWN where there is no answer to read. */
static enum status_class answer_class(const struct http_answer *answer)
{
    struct envelope e;

    if (answer->outcome != HTTP_ANSWERED)
        return STATUS_UNKNOWN;
    struct arena *a = arena_new(2 * ANSWER_MAX);
    envelope_read(a, answer->status, answer->body, answer->body_length,
                  &(struct envelope_rules){.max_values = 4 << 20}, &e);
    enum status_class class = envelope_is_success(&e) ? STATUS_SUCCESS
                              : status_class(e.status_code) == STATUS_SUCCESS
                                  ? STATUS_UNKNOWN
                                  : status_class(e.status_code);
    arena_free(a);
    return class;
}

bool push_taken(const struct http_answer *answer)
{
    return answer_class(answer) == STATUS_SUCCESS;
}

static void header_set(struct http_call *call, struct http_call_header *list, const char *name,
                       const char *value)
{
    size_t i = 0;

    while (i < call->header_count && strcasecmp(list[i].name, name) != 0)
        i++;
    if (!value) {
        if (i < call->header_count)
            memmove(list + i, list + i + 1, (--call->header_count - i) * sizeof(*list));
        return;
    }
    assert(i < HEADERS_MAX);
    if (i == call->header_count)
        call->header_count++;
    list[i] = (struct http_call_header){name, value};
}

static void push_headers(struct flow *f, struct push *p, struct http_call *call)
{
    struct sim *sim = p->sim;
    struct http_call_header *list = arena_alloc(f->arena, HEADERS_MAX * sizeof(*list));
    enum ocpi_version version = sim->reg.version;
    enum auth_encoding encoding =
        behave_acts(sim->behave, BEHAVE_PLAIN_TOKEN, p->evse) ? AUTH_RAW : AUTH_AUTO;
    char *request_id = arena_alloc(f->arena, UUID_TEXT), *other = arena_alloc(f->arena, UUID_TEXT);
    struct party_id *ids = arena_alloc(f->arena, 2 * sizeof(*ids));

    id_uuid_v4(request_id);
    id_uuid_v4(other);
    header_set(
        call, list, HEADER_AUTHORIZATION,
        authorization_print(f->arena, p->token ? p->token : sim->reg.token_out, encoding, version));
    /* 2.1.1 knows neither message ids nor routing. */
    if (version != OCPI_2_1_1) {
        header_set(call, list, HEADER_REQUEST_ID, request_id);
        header_set(call, list, HEADER_CORRELATION_ID,
                   p->correlation_id ? p->correlation_id : other);
    }
    if (version != OCPI_2_1_1 && module_is_routed(p->module)) {
        ids[0] = sim->options->party;
        ids[1] = party_id_is_set(&p->to) ? p->to : sim->reg.hub;
        header_set(call, list, HEADER_FROM_COUNTRY_CODE, ids[0].country_code);
        header_set(call, list, HEADER_FROM_PARTY_ID, ids[0].party_id);
        if (party_id_is_set(&ids[1]) && !p->open) {
            header_set(call, list, HEADER_TO_COUNTRY_CODE, ids[1].country_code);
            header_set(call, list, HEADER_TO_PARTY_ID, ids[1].party_id);
        }
    }
    for (size_t i = 0; i < p->header_count; i++)
        header_set(call, list, p->headers[i].name, p->headers[i].value);
    call->headers = list;
}

static enum flow_next send_it(struct flow *f)
{
    struct sending *s = f->state;
    struct push *p = s->push;

    s->call = (struct http_call){
        .method = p->method,
        .url = p->url,
        .body = p->body,
        .body_length = p->body ? strlen(p->body) : 0,
        .connect_ms = CONNECT_MS,
        .total_ms = TOTAL_MS,
        .max_answer = ANSWER_MAX,
    };
    push_headers(f, p, &s->call);
    p->attempts++;
    return http_send(f, &s->call, &s->answer);
}

static const struct flow_step push_steps[] = {{"send", send_it}, {0}};
static const struct flow_type push_flow = {
    .name = "push", .state_size = sizeof(struct sending), .steps = push_steps};

static void push_start(struct push *p);

static void lane_go_on(struct lane *lane)
{
    struct push *p = lane->first;

    if (lane->busy || !p)
        return;
    lane->first = p->next;
    if (!lane->first)
        lane->last = 0;
    lane->busy = true;
    push_start(p);
}

static void push_again(void *arg)
{
    struct push *p = arg;

    if (p->sim->closing)
        push_free(p);
    else
        push_start(p);
}

/* A CDR is sent again until it is taken; what the hub calls our mistake (2xxx) is not repeated. */
static bool push_to_repeat(const struct push *p, const struct http_answer *answer)
{
    if (!p->must_arrive || p->attempts >= ATTEMPTS || p->sim->closing || !p->sim->reg.registered)
        return false;
    enum status_class class = answer_class(answer);
    return answer->status >= 500 || answer->status == 429 ||
           (class != STATUS_SUCCESS && class != STATUS_CLIENT);
}

static void push_ended(struct flow *f)
{
    struct sending *s = f->state;
    struct push *p = s->push;
    struct sim *sim = p->sim;
    struct lane *lane = p->lane;

    if (failed(f->err) && s->answer.outcome == HTTP_ANSWERED && s->answer.status == 0)
        s->answer = (struct http_answer){.outcome = HTTP_UNCLEAR, .error = err_text(f->err)};
    record_out(sim->record, &s->call, &s->answer);
    if (s->answer.outcome == HTTP_ANSWERED)
        check_answer(sim, p, &s->call, &s->answer);
    if (!push_taken(&s->answer))
        log_line(LOG_WARN, "the hub did not take a message", LOG_TEXT("method", p->method),
                 LOG_TEXT("url", p->url), LOG_INT("status", s->answer.status),
                 LOG_TEXT("error", s->answer.error));
    if (lane)
        lane->busy = false;
    if (push_to_repeat(p, &s->answer)) {
        int64_t wait = REPEAT_MS << (p->attempts < 5 ? p->attempts - 1 : 5);

        p->lane = 0; /* what comes after it need not wait */
        clock_after(sim->clock, wait < REPEAT_MAX_MS ? wait : REPEAT_MAX_MS, push_again, p);
    } else {
        if (p->done)
            p->done(p, &s->answer);
        push_free(p);
    }
    if (lane)
        lane_go_on(lane);
}

static void push_start(struct push *p)
{
    struct flow *f = flow_new(&push_flow, &(struct flow_options){.loop = p->sim->loop,
                                                                 .app = p->sim,
                                                                 .on_end = push_ended,
                                                                 .no_log = true,
                                                                 .arena_max = 2 * ANSWER_MAX});
    struct sending *s = f->state;

    s->push = p;
    flow_run(f);
}

static void lane_append(struct lane *lane, struct push *p)
{
    p->next = 0;
    if (lane->last)
        lane->last->next = p;
    else
        lane->first = p;
    lane->last = p;
}

static void lane_release(void *arg)
{
    struct lane *lane = arg;

    lane->release = 0;
    if (lane->held)
        lane_append(lane, lane->held);
    lane->held = 0;
    lane_go_on(lane);
}

void push_send(struct push *p, struct lane *lane)
{
    if (!lane) {
        push_start(p);
        return;
    }
    p->lane = lane;
    if (lane->held) {
        clock_cancel(p->sim->clock, &lane->release);
        lane_append(lane, p);
        lane_release(lane);
    } else if (strcmp(p->module, MODULE_COMMANDS) != 0 &&
               behave_acts(p->sim->behave, BEHAVE_REORDERED_PUSHES, p->evse)) {
        lane->held = p;
        lane->release = clock_after(p->sim->clock, clock_pace_ms(p->sim->clock, HOLD_MS, 500),
                                    lane_release, lane);
    } else {
        lane_append(lane, p);
        lane_go_on(lane);
    }
}

void push_send_next(struct push *p, struct lane *lane)
{
    p->lane = lane;
    p->next = lane->first;
    lane->first = p;
    if (!lane->last)
        lane->last = p;
    lane_go_on(lane);
}

void lane_clear(struct sim *sim, struct lane *lane)
{
    clock_cancel(sim->clock, &lane->release);
    if (lane->held)
        push_free(lane->held);
    lane->held = 0;
    while (lane->first) {
        struct push *p = lane->first;

        lane->first = p->next;
        push_free(p);
    }
    lane->last = 0;
}
