/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registration: versions, details, credentials, in both roles.
 */
#include "tests/sim/handshake.h"

#include "adapters/http_client.h"
#include "base/flow.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "ocpi/credentials.h"
#include "ocpi/envelope.h"
#include "tests/sim/behave.h"
#include "tests/sim/call.h"
#include "tests/sim/check.h"
#include "tests/sim/print.h"
#include "tests/sim/push.h"
#include "tests/sim/record.h"

enum { STEP_MS = 10000, HEADER_COUNT = 3 };

struct handshake {
    struct sim *sim;
    const char *method; /* of our credentials call; NULL: they register at us */
    char versions_url[SIM_URL];
    char token[CREDENTIALS_TOKEN_MAX + 1]; /* what we show them */
    struct call *call;                     /* to be answered at the end */
    void (*ended)(struct sim *sim, struct handshake_result result, void *arg);
    void *arg;
    const char *details_url;
    struct registration found; /* endpoints, party, token of theirs */
    struct http_call http;
    struct http_answer answer;
};

/* --- what we are --- */

void serve_versions(struct call *call)
{
    struct text data;

    text_init(&data, call->arena, 4096);
    json_begin_array(&data, 0);
    json_begin_object(&data, 0);
    json_put_text(&data, "version", version_name(OCPI_2_2_1));
    json_put_text(&data, "url", arena_printf(call->arena, "%s/ocpi/2.2.1", call->sim->base_url));
    json_end_object(&data);
    json_end_array(&data);
    call_ok(call, data.bytes);
}

void serve_details(struct call *call)
{
    static const struct {
        const char *module, *role;
    } endpoints[] = {
        {MODULE_CREDENTIALS, "SENDER"}, {MODULE_LOCATIONS, "SENDER"},
        {MODULE_TARIFFS, "SENDER"},     {MODULE_SESSIONS, "SENDER"},
        {MODULE_CDRS, "SENDER"},        {MODULE_TOKENS, "RECEIVER"},
        {MODULE_COMMANDS, "RECEIVER"},  {MODULE_CHARGING_PROFILES, "RECEIVER"},
    };
    struct text data;

    text_init(&data, call->arena, 16384);
    json_begin_object(&data, 0);
    json_put_text(&data, "version", version_name(OCPI_2_2_1));
    json_begin_array(&data, "endpoints");
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        json_begin_object(&data, 0);
        json_put_text(&data, "identifier", endpoints[i].module);
        json_put_text(&data, "role", endpoints[i].role);
        json_put_text(&data, "url",
                      arena_printf(call->arena, "%s/ocpi/2.2.1/%s", call->sim->base_url,
                                   endpoints[i].module));
        json_end_object(&data);
    }
    json_end_array(&data);
    json_end_object(&data);
    call_ok(call, data.bytes);
}

static char *our_credentials(struct sim *sim, struct arena *a, const char *token)
{
    const struct sim_options *o = sim->options;
    struct text data;

    text_init(&data, a, 4096);
    json_begin_object(&data, 0);
    json_put_text(&data, "token", token);
    json_put_text(&data, "url", arena_printf(a, "%s/ocpi/versions", sim->base_url));
    json_begin_array(&data, "roles");
    json_begin_object(&data, 0);
    json_put_text(&data, "role", "CPO");
    json_put_text(&data, "party_id", o->party.party_id);
    json_put_text(&data, "country_code", o->party.country_code);
    json_begin_object(&data, "business_details");
    json_put_text(&data, "name", o->name);
    json_end_object(&data);
    json_end_object(&data);
    json_end_array(&data);
    json_end_object(&data);
    return data.bytes;
}

/* --- asking them --- */

static enum flow_next ask(struct flow *f, const char *method, const char *url, const char *body)
{
    struct handshake *h = f->state;
    struct http_call_header *headers = arena_alloc(f->arena, HEADER_COUNT * sizeof(*headers));
    enum auth_encoding encoding =
        behave_acts(h->sim->behave, BEHAVE_PLAIN_TOKEN, 0) ? AUTH_RAW : AUTH_BASE64;
    char *ids = arena_alloc(f->arena, 2 * (size_t)UUID_TEXT);

    id_uuid_v4(ids);
    id_uuid_v4(ids + UUID_TEXT);
    headers[0] = (struct http_call_header){
        HEADER_AUTHORIZATION, authorization_print(f->arena, h->token, encoding, OCPI_2_2_1)};
    headers[1] = (struct http_call_header){HEADER_REQUEST_ID, ids};
    headers[2] = (struct http_call_header){HEADER_CORRELATION_ID, ids + UUID_TEXT};
    h->http = (struct http_call){
        .method = method,
        .url = url,
        .headers = headers,
        .header_count = HEADER_COUNT,
        .body = body,
        .body_length = body ? strlen(body) : 0,
        .connect_ms = 3000,
        .total_ms = STEP_MS,
    };
    return http_send(f, &h->http, &h->answer);
}

/* `data` of a good answer. */
static struct err read_answer(struct flow *f, const char *what, enum err_kind kind, json_t **ret)
{
    struct handshake *h = f->state;
    struct envelope e;

    record_out(h->sim->record, &h->http, &h->answer);
    if (h->answer.outcome != HTTP_ANSWERED)
        return err_at(f->arena, kind, 0, "%s: no answer: %s", what,
                      h->answer.error ? h->answer.error : "?");
    envelope_read(f->arena, h->answer.status, h->answer.body, h->answer.body_length, 0, &e);
    if (!envelope_is_success(&e) || !e.data)
        return err_at(f->arena, kind, 0, "%s: HTTP %d, status_code %lld %s", what, h->answer.status,
                      (long long)e.status_code, e.status_message ? e.status_message : "");
    *ret = e.data;
    return OK;
}

static enum flow_next ask_versions(struct flow *f)
{
    struct handshake *h = f->state;

    return ask(f, "GET", h->versions_url, 0);
}

static enum flow_next ask_details(struct flow *f)
{
    struct handshake *h = f->state;
    json_t *list = 0, *entry;
    size_t i;

    FLOW_TRY(f, read_answer(f, "GET versions", ERR_PEER_UNUSABLE, &list));
    json_array_foreach(list, i, entry)
    {
        const char *version = json_text_of(entry, "version");

        if (version && strcmp(version, version_name(OCPI_2_2_1)) == 0)
            h->details_url = json_text_of(entry, "url");
    }
    if (!h->details_url)
        return flow_fail(f, err_at(f->arena, ERR_PEER_VERSION, 0, "they do not offer 2.2.1"));
    return ask(f, "GET", h->details_url, 0);
}

static enum flow_next take_details(struct flow *f)
{
    struct handshake *h = f->state;
    json_t *data = 0, *entry;
    size_t i;

    FLOW_TRY(f, read_answer(f, "GET version details", ERR_PEER_UNUSABLE, &data));
    struct err e = object_check(&ocpi_version_details_type, data, 0, f->arena);
    if (failed(e))
        check_violation(h->sim, "R-VER", "GET", h->details_url, "%s", err_text(e));
    json_array_foreach(json_array_of(data, "endpoints"), i, entry)
    {
        const char *module = json_text_of(entry, "identifier"), *url = json_text_of(entry, "url");
        struct endpoint *to = &h->found.endpoints[h->found.endpoint_count];

        if (!module || !url || h->found.endpoint_count == SIM_ENDPOINTS ||
            !text_copy(to->module, sizeof(to->module), module) ||
            !text_copy(to->url, sizeof(to->url), url))
            continue;
        to->role = ocpi_interface_parse(json_text_of(entry, "role"));
        h->found.endpoint_count++;
    }
    return FLOW_NEXT;
}

static enum flow_next send_credentials(struct flow *f)
{
    struct handshake *h = f->state;
    struct registration *reg = &h->sim->reg;
    const char *url = 0;

    if (!h->method)
        return FLOW_DONE;
    for (size_t i = 0; i < h->found.endpoint_count && !url; i++) {
        if (strcmp(h->found.endpoints[i].module, MODULE_CREDENTIALS) == 0)
            url = h->found.endpoints[i].url;
    }
    if (!url)
        return flow_fail(f, err_at(f->arena, ERR_PEER_ENDPOINTS, 0,
                                   "their version details have no credentials endpoint"));
    id_token(reg->token_next, 40);
    return ask(f, h->method, url, our_credentials(h->sim, f->arena, reg->token_next));
}

/* Their credentials object: token, versions URL, and which party speaks for the hub. */
static struct err take_credentials(struct handshake *h, struct arena *a, json_t *json)
{
    struct ocpi_credentials c;

    TRY(object_parse(&ocpi_credentials_type, json, a, &c));
    text_copy(h->found.token_out, sizeof(h->found.token_out), c.token);
    text_copy(h->found.versions_url, sizeof(h->found.versions_url), c.url);
    for (size_t i = 0; i < c.roles.count; i++) {
        const struct ocpi_credentials_role *role = &c.roles.at[i];

        if (i == 0 || role->role == OCPI_ROLE_EMSP)
            party_id_make(role->country_code, role->party_id, &h->found.hub);
    }
    return OK;
}

static enum flow_next take_their_credentials(struct flow *f)
{
    struct handshake *h = f->state;
    json_t *data = 0;

    FLOW_TRY(f, read_answer(f, "credentials", ERR_PEER_UNUSABLE, &data));
    struct err e = take_credentials(h, f->arena, data);
    if (failed(e))
        check_violation(h->sim, "R-CRED", h->method, h->http.url, "%s", err_text(e));
    return failed(e) ? flow_fail(f, e) : FLOW_NEXT;
}

static const struct flow_step steps[] = {
    {"ask for their versions", ask_versions},
    {"ask for the details of 2.2.1", ask_details},
    {"take their endpoints", take_details},
    {"send our credentials", send_credentials},
    {"take their credentials", take_their_credentials},
    {0},
};
static const struct flow_type handshake_flow = {
    .name = "handshake", .state_size = sizeof(struct handshake), .steps = steps};

/* --- the end, in both directions --- */

static void registration_take(struct sim *sim, const struct handshake *h, const char *token_in)
{
    struct registration *reg = &sim->reg;
    struct text line;
    char party[PARTY_TEXT];

    if (reg->registered)
        text_copy(reg->token_before, sizeof(reg->token_before), reg->token_in);
    text_copy(reg->token_in, sizeof(reg->token_in), token_in);
    text_copy(reg->token_out, sizeof(reg->token_out), h->found.token_out);
    text_copy(reg->versions_url, sizeof(reg->versions_url), h->found.versions_url);
    memcpy(reg->endpoints, h->found.endpoints, sizeof(reg->endpoints));
    reg->endpoint_count = h->found.endpoint_count;
    reg->hub = h->found.hub;
    reg->token_next[0] = 0;
    reg->registered = true;
    text_init(&line, 0, 4096);
    json_begin_object(&line, 0);
    json_put_text(&line, "event", "registered");
    json_put_text(&line, "hub", party_id_print(&reg->hub, party));
    json_put_text(&line, "version", version_name(OCPI_2_2_1));
    json_put_text(&line, "hub_versions_url", reg->versions_url);
    json_end_object(&line);
    sim_event(line.bytes);
    text_done(&line);
}

void registration_end(struct sim *sim)
{
    char token_a[CREDENTIALS_TOKEN_MAX + 1];

    text_copy(token_a, sizeof(token_a), sim->reg.token_a);
    sim->reg = (struct registration){0};
    text_copy(sim->reg.token_a, sizeof(sim->reg.token_a), token_a);
    sim_event("{\"event\":\"unregistered\"}");
}

static void answer_registration(struct handshake *h, struct err e)
{
    struct sim *sim = h->sim;
    char token[CREDENTIALS_TOKEN_MAX + 1];
    const struct err_info *info = err_info(e.kind);

    if (failed(e)) {
        call_answer(h->call, 200, info->ocpi_code, err_text(e), 0);
        return;
    }
    id_token(token, 40);
    registration_take(sim, h, token);
    sim->reg.token_a[0] = 0;
    call_ok(h->call, our_credentials(sim, h->call->arena, token));
}

static void handshake_ended(struct flow *f)
{
    struct handshake *h = f->state;
    struct sim *sim = h->sim;

    if (h->call) {
        answer_registration(h, f->err);
    } else if (failed(f->err)) {
        sim->reg.token_next[0] = 0;
    } else {
        char token[CREDENTIALS_TOKEN_MAX + 1];

        text_copy(token, sizeof(token), sim->reg.token_next);
        registration_take(sim, h, token);
    }
    if (h->ended)
        h->ended(sim, (struct handshake_result){!failed(f->err), err_text(f->err)}, h->arg);
}

static struct flow *handshake_new(struct sim *sim)
{
    struct flow *f =
        flow_new(&handshake_flow,
                 &(struct flow_options){.loop = sim->loop, .app = sim, .on_end = handshake_ended});
    struct handshake *h = f->state;

    h->sim = sim;
    return f;
}

void handshake_start(struct sim *sim, const char *versions_url, const char *token_a,
                     void (*ended)(struct sim *sim, struct handshake_result result, void *arg),
                     void *arg)
{
    struct flow *f = handshake_new(sim);
    struct handshake *h = f->state;

    h->method = token_a ? "POST" : "PUT";
    text_copy(h->versions_url, sizeof(h->versions_url),
              versions_url ? versions_url : sim->reg.versions_url);
    text_copy(h->token, sizeof(h->token), token_a ? token_a : sim->reg.token_out);
    h->ended = ended;
    h->arg = arg;
    flow_run(f);
}

/* POST and PUT of their credentials at us. */
static void serve_registration(struct call *call)
{
    struct handshake *first = arena_alloc(call->arena, sizeof(*first));

    first->sim = call->sim;
    if (!check_body(call, &ocpi_credentials_type) ||
        failed(take_credentials(first, call->arena, call->json))) {
        call_invalid(call, "not a Credentials object");
        return;
    }
    struct flow *f = handshake_new(call->sim);
    struct handshake *h = f->state;
    h->found = first->found;
    h->call = call;
    /* The token inside the body is the one to call back with (R-CRED-07). */
    text_copy(h->token, sizeof(h->token), h->found.token_out);
    text_copy(h->versions_url, sizeof(h->versions_url), h->found.versions_url);
    flow_run(f);
}

void serve_credentials(struct call *call)
{
    const char *method = call->r->method;
    bool post = strcmp(method, "POST") == 0;

    if (strcmp(method, "GET") == 0) {
        call_ok(call, our_credentials(call->sim, call->arena, call->shown_token));
    } else if (post != call->with_token_a) {
        check_violation(call->sim, "R-CRED-04", method, call->r->target,
                        post ? "POST though registered" : "not registered");
        call_answer(call, 405, OCPI_CLIENT_ERROR,
                    post ? "already registered: use PUT" : "not registered: use POST", 0);
    } else if (strcmp(method, "DELETE") == 0) {
        registration_end(call->sim);
        call_ok(call, 0);
    } else {
        serve_registration(call);
    }
}
