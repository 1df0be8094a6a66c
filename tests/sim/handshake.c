/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registration, from both sides, in each version.
 */
#include "tests/sim/handshake.h"

#include "adapters/http_client.h"
#include "base/flow.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
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
    enum ocpi_version wanted; /* NONE: the highest that both speak */
    const char *details_url;
    struct registration found; /* endpoints, party, token of theirs */
    struct http_call http;
    struct http_answer answer;
};

/* --- asking them --- */

static enum flow_next ask(struct flow *f, const char *method, const char *url, const char *body)
{
    struct handshake *h = f->state;
    struct http_call_header *headers = arena_alloc(f->arena, HEADER_COUNT * sizeof(*headers));
    enum auth_encoding encoding =
        behave_acts(h->sim->behave, BEHAVE_PLAIN_TOKEN, 0) ? AUTH_RAW : AUTH_AUTO;
    enum ocpi_version version = h->found.version;
    char *ids = arena_alloc(f->arena, 2 * (size_t)UUID_TEXT);

    /* Before a version is chosen: as in the best one we speak. */
    for (size_t i = 0; i < h->sim->options->version_count && !h->found.version; i++) {
        if (h->sim->options->versions[i] > version)
            version = h->sim->options->versions[i];
    }
    if (!h->found.version && h->wanted)
        version = h->wanted;
    id_uuid_v4(ids);
    id_uuid_v4(ids + UUID_TEXT);
    headers[0] = (struct http_call_header){
        HEADER_AUTHORIZATION, authorization_print(f->arena, h->token, encoding, version)};
    headers[1] = (struct http_call_header){HEADER_REQUEST_ID, ids};
    headers[2] = (struct http_call_header){HEADER_CORRELATION_ID, ids + UUID_TEXT};
    h->http = (struct http_call){
        .method = method,
        .url = url,
        .headers = headers,
        .header_count = version == OCPI_2_1_1 ? 1 : HEADER_COUNT, /* no message ids there */
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
        enum ocpi_version version = version_parse(json_text_of(entry, "version"));

        if (!sim_speaks(h->sim, version) || (h->wanted && version != h->wanted) ||
            version < h->found.version)
            continue;
        h->found.version = version;
        h->details_url = json_text_of(entry, "url");
    }
    if (!h->details_url)
        return flow_fail(f, err_at(f->arena, ERR_PEER_VERSION, 0, "they do not offer %s",
                                   h->wanted ? version_name(h->wanted) : "a version of ours"));
    return ask(f, "GET", h->details_url, 0);
}

static enum flow_next take_details(struct flow *f)
{
    struct handshake *h = f->state;
    json_t *data = 0, *entry;
    size_t i;

    FLOW_TRY(f, read_answer(f, "GET version details", ERR_PEER_UNUSABLE, &data));
    const struct object_type *type = object_type_find(h->found.version, "VersionDetails");
    struct err e = type ? object_check(type, data, 0, f->arena) : OK;
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
    return ask(f, h->method, url,
               our_credentials(h->sim, f->arena, h->found.version, reg->token_next));
}

/* The party that speaks for them: the other side of our trade, or the hub itself. */
static void take_roles(struct handshake *h, const json_t *roles)
{
    const char *wanted = sim_is_emsp(h->sim) ? "CPO" : "EMSP";
    json_t *entry;
    size_t i;

    json_array_foreach(roles, i, entry)
    {
        const char *role = json_text_of(entry, "role");
        const char *country_code = json_text_of(entry, "country_code");
        const char *party_id = json_text_of(entry, "party_id");

        if (!role || !country_code || !party_id)
            continue;
        if (strcmp(role, "HUB") == 0)
            h->found.routes = true;
        if (i == 0 || strcmp(role, wanted) == 0)
            party_id_make(country_code, party_id, &h->found.hub);
    }
}

/* Their credentials object: token, versions URL, and which party speaks for the hub. */
static struct err take_credentials(struct handshake *h, struct arena *a, enum ocpi_version version,
                                   json_t *json)
{
    const struct object_type *type = object_type_find(version, "Credentials");
    const char *token = json_text_of(json, "token"), *url = json_text_of(json, "url");
    const char *hub = json_text_of(json, "hub_party_id");

    if (type)
        TRY(object_check(type, json, 0, a));
    if (!token || !url || !text_copy(h->found.token_out, sizeof(h->found.token_out), token) ||
        !text_copy(h->found.versions_url, sizeof(h->found.versions_url), url))
        return err_at(a, ERR_BAD_FIELD, "token", "no usable token or url");
    if (version == OCPI_2_1_1) {
        const char *country_code = json_text_of(json, "country_code");
        const char *party_id = json_text_of(json, "party_id");

        if (!country_code || !party_id || !party_id_make(country_code, party_id, &h->found.hub))
            return err_at(a, ERR_BAD_FIELD, "party_id", "no usable party");
        return OK;
    }
    take_roles(h, json_array_of(json, "roles"));
    if (version == OCPI_2_3_0 && hub) {
        h->found.routes = true; /* R-CRED-14 */
        if (strlen(hub) != 5 || !party_id_parse(hub, &h->found.hub))
            return err_at(a, ERR_BAD_FIELD, "hub_party_id", "no usable hub_party_id");
    }
    return OK;
}

static enum flow_next take_their_credentials(struct flow *f)
{
    struct handshake *h = f->state;
    json_t *data = 0;

    FLOW_TRY(f, read_answer(f, "credentials", ERR_PEER_UNUSABLE, &data));
    struct err e = take_credentials(h, f->arena, h->found.version, data);
    if (failed(e))
        check_violation(h->sim, "R-CRED", h->method, h->http.url, "%s", err_text(e));
    return failed(e) ? flow_fail(f, e) : FLOW_NEXT;
}

static const struct flow_step steps[] = {
    {"ask for their versions", ask_versions},
    {"ask for the details of a version", ask_details},
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
    reg->version = h->found.version;
    reg->routes = h->found.routes;
    reg->token_next[0] = 0;
    reg->registered = true;
    text_init(&line, 0, 4096);
    json_begin_object(&line, 0);
    json_put_text(&line, "event", "registered");
    json_put_text(&line, "hub", party_id_print(&reg->hub, party));
    json_put_text(&line, "version", version_name(reg->version));
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
    enum ocpi_version reg_version = sim->reg.version;
    call_ok(h->call, our_credentials(sim, h->call->arena, reg_version, token));
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
    handshake_start_version(sim, OCPI_VERSION_NONE, versions_url, token_a, ended, arg);
}

void handshake_start_version(
    struct sim *sim, enum ocpi_version version, const char *versions_url, const char *token_a,
    void (*ended)(struct sim *sim, struct handshake_result result, void *arg), void *arg)
{
    struct flow *f = handshake_new(sim);
    struct handshake *h = f->state;

    h->method = token_a ? "POST" : "PUT";
    h->wanted = version;
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
    if (!check_body(call, "Credentials") ||
        failed(take_credentials(first, call->arena, call->version, call->json))) {
        call_invalid(call, "not a Credentials object");
        return;
    }
    struct flow *f = handshake_new(call->sim);
    struct handshake *h = f->state;
    h->found = first->found;
    h->call = call;
    h->wanted = call->version;
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
        call_ok(call, our_credentials(call->sim, call->arena, call->version, call->shown_token));
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
