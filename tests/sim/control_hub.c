/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the control API that talks to the hub and answers with the hub's answer.
 */
#include <stdlib.h>

#include "adapters/http_client.h"
#include "base/json.h"
#include "base/text.h"
#include "tests/sim/control.h"
#include "tests/sim/handshake.h"
#include "tests/sim/print.h"
#include "tests/sim/push.h"

enum { VALUES_MAX = 4 << 20 };

/* "outcome", "status", "headers", "body" (JSON or text), "error" */
void ask_put_answer(struct ask *ask, const struct http_answer *answer, struct text *out)
{
    static const char *const outcomes[] = {
        [HTTP_ANSWERED] = "answered", [HTTP_NOT_SENT] = "not_sent", [HTTP_UNCLEAR] = "unclear"};
    json_t *body;

    json_put_text(out, "outcome", outcomes[answer->outcome]);
    json_put_int(out, "status", answer->status);
    json_begin_object(out, "headers");
    for (size_t i = 0; i < answer->header_count; i++)
        json_put_text(out, answer->headers[i].name, answer->headers[i].value);
    json_end_object(out);
    if (answer->body &&
        !failed(json_read(ask->arena, answer->body, answer->body_length, VALUES_MAX, &body)))
        json_put_raw_bytes(out, "body", answer->body, answer->body_length);
    else
        json_put_text(out, "body", answer->body);
    json_put_text(out, "error", answer->error);
}

void ask_pushed(struct push *p, const struct http_answer *answer)
{
    struct ask *ask = p->arg;
    struct text out;

    text_init(&out, 0, PRINT_MAX);
    json_begin_object(&out, 0);
    ask_put_answer(ask, answer, &out);
    json_end_object(&out);
    ask_answer(ask, 200, out.bytes, out.length);
    text_done(&out);
}

char *ask_heap_json(const json_t *value)
{
    return json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY);
}

void ask_address(const struct ask *ask, struct push *p)
{
    const char *to = json_text_of(ask->json, "to");

    p->open = to && strcmp(to, "none") == 0;
    if (to && !p->open)
        party_id_parse(to, &p->to);
}

/* Towards a CPO the hub is the sender of what an eMSP owns, the receiver of all else; towards an
 * eMSP the opposite. */
static enum ocpi_interface hub_role(const struct ask *ask, const char *module)
{
    const char *role = json_text_of(ask->json, "role");
    bool of_emsp = strcmp(module, MODULE_TOKENS) == 0 || strcmp(module, MODULE_COMMANDS) == 0 ||
                   strcmp(module, MODULE_CHARGING_PROFILES) == 0;

    if (role)
        return ocpi_interface_parse(role);
    if (strcmp(module, MODULE_HUB_CLIENT_INFO) == 0)
        return OCPI_INTERFACE_SENDER;
    return of_emsp != sim_is_emsp(ask->sim) ? OCPI_INTERFACE_SENDER : OCPI_INTERFACE_RECEIVER;
}

static const char *push_address(struct ask *ask, const char *module)
{
    const char *url = json_text_of(ask->json, "url");
    const char *path = ask_text(ask, "path", ""), *query = json_text_of(ask->json, "query");

    if (!url)
        url = sim_endpoint(ask->sim, module, hub_role(ask, module));
    if (!url)
        return 0;
    /* As written: a test may want to send what is not encoded well. */
    if (*path)
        url = arena_printf(ask->arena, "%s%s%s", url, path[0] == '/' ? "" : "/", path);
    return query ? arena_printf(ask->arena, "%s?%s", url, query) : url;
}

void control_push(struct ask *ask)
{
    const char *module = ask_text(ask, "module", ""), *name;
    const char *url = push_address(ask, module), *raw = json_text_of(ask->json, "raw_body");
    const char *token = json_text_of(ask->json, "token");
    json_t *body = json_object_get(ask->json, "body"), *value;

    if (!url) {
        ask_wrong(ask, "the hub offers no such module (or we are not registered)");
        return;
    }
    struct push *p = push_new(ask->sim, ask_text(ask, "method", "PUT"), module, url,
                              raw    ? strdup(raw)
                              : body ? ask_heap_json(body)
                                     : 0);
    json_object_foreach(json_object_get(ask->json, "headers"), name, value)
        push_header(p, name, json_string_value(value));
    p->token = token ? strdup(token) : 0;
    ask_address(ask, p);
    p->done = ask_pushed;
    p->arg = ask;
    push_send(p, 0);
}

void control_authorize(struct ask *ask)
{
    if (sim_is_emsp(ask->sim)) {
        control_answer(ask);
        return;
    }
    const char *endpoint = sim_endpoint(ask->sim, MODULE_TOKENS, OCPI_INTERFACE_SENDER);
    const char *uid = json_text_of(ask->json, "uid");
    const char *location_id = json_text_of(ask->json, "location_id");
    const json_t *evse_uids = json_array_of(ask->json, "evse_uids");
    char *body = 0;

    if (!endpoint || !uid) {
        ask_wrong(ask, "\"uid\" is missing, or the hub offers no tokens");
        return;
    }
    if (location_id) {
        json_t *references = json_pack("{s:s}", "location_id", location_id);

        if (evse_uids)
            json_object_set_new(references, "evse_uids", json_deep_copy(evse_uids));
        body = ask_heap_json(references);
        json_decref(references);
    }
    const char *url = url_query(ask->arena, url_join(ask->arena, endpoint, uid, "authorize", NULL),
                                "type", json_text_of(ask->json, "type"), NULL);
    struct push *p = push_new(ask->sim, "POST", MODULE_TOKENS, url, body);
    p->done = ask_pushed;
    p->arg = ask;
    ask_address(ask, p);
    if (ask->sim->reg.routes && !json_text_of(ask->json, "to"))
        p->open = true; /* whose card it is the hub knows better */
    push_send(p, 0);
}

static void handshake_done(struct sim *sim, struct handshake_result result, void *arg)
{
    struct ask *ask = arg;

    (void)sim;
    if (result.good)
        ask_done(ask);
    else
        ask_wrong(ask, result.text);
}

void control_register(struct ask *ask)
{
    const char *accept = json_text_of(ask->json, "accept_token_a");
    const char *url = json_text_of(ask->json, "versions_url");
    const char *token = json_text_of(ask->json, "token_a");

    if (accept) {
        text_copy(ask->sim->reg.token_a, sizeof(ask->sim->reg.token_a), accept);
        ask_done(ask);
    } else if (!url || !token) {
        ask_wrong(ask, "\"versions_url\" and \"token_a\", or \"accept_token_a\"");
    } else {
        handshake_start_version(ask->sim, version_parse(json_text_of(ask->json, "version")), url,
                                token, handshake_done, ask);
    }
}

void control_rotate(struct ask *ask)
{
    if (!ask->sim->reg.registered)
        ask_wrong(ask, "not registered");
    else
        handshake_start_version(ask->sim, version_parse(json_text_of(ask->json, "version")), 0, 0,
                                handshake_done, ask);
}

static void unregistered(struct push *p, const struct http_answer *answer)
{
    struct sim *sim = p->sim;

    if (push_taken(answer))
        registration_end(sim);
    ask_pushed(p, answer);
}

void control_unregister(struct ask *ask)
{
    const char *url = sim_endpoint(ask->sim, MODULE_CREDENTIALS, OCPI_INTERFACE_SENDER);

    if (!ask->sim->reg.registered || !url) {
        ask_wrong(ask, "not registered");
        return;
    }
    struct push *p = push_new(ask->sim, "DELETE", MODULE_CREDENTIALS, url, 0);
    p->done = unregistered;
    p->arg = ask;
    push_send(p, 0);
}
