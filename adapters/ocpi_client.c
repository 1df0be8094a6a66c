/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCPI client: headers out, envelope in, and a word to the breaker and the observer.
 *
 * An exchange owns copies of all it needs: it is read, noted and reported even if the flow that
 * began it has gone, because the partner has got the request all the same.
 */
#include "adapters/ocpi_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/http_run.h"
#include "adapters/network.h"
#include "base/arena.h"
#include "base/id.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/headers.h"

enum {
    EXCHANGE_MEMORY = 64 * 1024 * 1024,
    CONNECT_MS = 3000,
    PAGE_ANSWER = 8 * 1024 * 1024,
    OTHER_ANSWER = 1024 * 1024,
    PAGE_VALUES = 1000000, /* JSON values in a page */
    HEADERS_MAX = 8,
};

struct exchange {
    struct arena *arena;
    struct flow_ticket ticket;
    struct ocpi_answer *ret;
    struct ocpi_call call; /* our own copy */
    struct peer peer;
    char request_id[UUID_TEXT];
    const char *correlation_id;
    int64_t started_us;
};

static void (*observer)(const struct ocpi_exchange *exchange);

void ocpi_client_observe(void (*seen)(const struct ocpi_exchange *exchange))
{
    observer = seen;
}

/* ---- before the call ---- */

static bool is_page(const struct ocpi_call *call)
{
    return strcmp(call->method, "GET") == 0 && module_is_routed(call->module);
}

/* How long each module's answer may take. */
static int64_t default_total_ms(const struct ocpi_call *call)
{
    bool post = strcmp(call->method, "POST") == 0;

    if (!module_is_routed(call->module))
        return SECONDS(10);
    if (strcmp(call->module, MODULE_COMMANDS) == 0 ||
        strcmp(call->module, MODULE_CHARGING_PROFILES) == 0)
        return SECONDS(15);
    if (strcmp(call->method, "GET") == 0)
        return SECONDS(30);
    if (post && strcmp(call->module, MODULE_TOKENS) == 0)
        return SECONDS(3);
    if (post && strcmp(call->module, MODULE_CDRS) == 0)
        return SECONDS(20);
    return SECONDS(10);
}

static void call_copy(struct exchange *x, const struct ocpi_call *from)
{
    struct arena *a = x->arena;

    x->peer = *from->peer;
    x->peer.name = arena_text(a, from->peer->name);
    x->peer.versions_url = arena_text(a, from->peer->versions_url);
    x->peer.token = (struct secret){0};
    x->peer.endpoints = NULL;
    x->peer.endpoint_count = 0;
    x->peer.hosts = NULL;
    x->peer.host_count = 0;

    x->call = *from;
    x->call.peer = &x->peer;
    x->call.token = NULL;
    x->call.method = arena_text(a, from->method);
    x->call.module = arena_text(a, from->module);
    x->call.url = arena_text(a, from->url);
    x->call.body = arena_text(a, from->body);
    x->call.session_id = arena_text(a, from->session_id);
    x->call.object_id = arena_text(a, from->object_id);
    x->call.losses = arena_text(a, from->losses);
    x->call.correlation_id = NULL;
    x->call.request_id = NULL;
    if (x->call.total_ms <= 0)
        x->call.total_ms = default_total_ms(from);
    if (!x->call.max_answer)
        x->call.max_answer = is_page(from) ? PAGE_ANSWER : OTHER_ANSWER;
    if (!x->call.max_values && is_page(from))
        x->call.max_values = PAGE_VALUES;
}

struct headers {
    struct http_call_header at[HEADERS_MAX];
    size_t count;
};

static void header_add(struct headers *h, const char *name, const char *value)
{
    h->at[h->count++] = (struct http_call_header){name, value};
}

/* R-ROUTE-03: in upper case, whatever the spelling that came with the registration. */
static void party_add(struct headers *h, struct arena *a, const char *country_header,
                      const char *party_header, const struct party_id *party)
{
    if (!party_id_is_set(party))
        return;
    char *country = arena_text(a, party->country_code), *id = arena_text(a, party->party_id);
    text_to_upper(country);
    text_to_upper(id);
    header_add(h, country_header, country);
    header_add(h, party_header, id);
}

/* R-TRANS-01..04, 60, 61; R-ROUTE-01, 02. */
static void headers_fill(struct exchange *x, const struct ocpi_call *call, struct headers *h)
{
    const struct peer *peer = call->peer;
    const char *token = call->token ? call->token : secret_reveal(peer->token);

    if (token)
        header_add(h, HEADER_AUTHORIZATION,
                   authorization_print(x->arena, token, peer->auth_encoding, peer->version));
    header_add(h, HEADER_REQUEST_ID, x->request_id);
    header_add(h, HEADER_CORRELATION_ID, x->correlation_id);
    if (module_is_routed(call->module) && peer->version != OCPI_2_1_1) {
        party_add(h, x->arena, HEADER_FROM_COUNTRY_CODE, HEADER_FROM_PARTY_ID, &peer->our_party);
        party_add(h, x->arena, HEADER_TO_COUNTRY_CODE, HEADER_TO_PARTY_ID, &peer->their_party);
    }
}

static const char *correlation_of(struct arena *a, const struct flow *f,
                                  const struct ocpi_call *call)
{
    const char *given = call->correlation_id ? call->correlation_id : f->correlation_id;

    if (*given && text_is_printable_ascii(given))
        return arena_text(a, given);

    char fresh[UUID_TEXT];
    id_uuid_v4(fresh);
    return arena_text(a, fresh);
}

/* ---- after it ---- */

static void answer_read(struct arena *a, const struct ocpi_call *call,
                        const struct http_answer *http, struct ocpi_answer *ret)
{
    const struct quirks *quirks = &call->peer->quirks;
    struct envelope_rules rules = {.max_values = call->max_values,
                                   .missing_envelope = quirks->missing_envelope};

    *ret = (struct ocpi_answer){0};
    http_answer_copy(a, http, &ret->http);
    if (http->outcome != HTTP_ANSWERED)
        return;
    envelope_read(a, http->status, ret->http.body, ret->http.body_length, &rules, &ret->envelope);
    if (call->one_object && quirks->list_for_object && json_array_size(ret->envelope.data) == 1)
        ret->envelope.data = json_array_get(ret->envelope.data, 0);
    ret->has_envelope = ret->envelope.state == ENVELOPE_GOOD;
    ret->status_code = (int)ret->envelope.status_code;
    ret->status_message = ret->envelope.status_message;
    ret->data = ret->envelope.data;
}

/* 4xx, OCPI's own codes, and more than we take are answers of a partner that works. */
static bool partner_works(const struct http_answer *http)
{
    return http->too_large || (http->outcome == HTTP_ANSWERED && http->status < 500);
}

static void answered(void *context, const struct http_answer *http)
{
    struct exchange *x = context;
    struct flow *f = flow_ticket_flow(x->ticket);
    struct flow_ticket ticket = x->ticket;
    struct ocpi_answer answer;

    struct arena *a = f ? f->arena : x->arena;
    answer_read(a, &x->call, http, &answer);
    answer.request_id = arena_text(a, x->request_id);
    answer.correlation_id = arena_text(a, x->correlation_id);
    if (x->peer.partner_id && !x->call.unjudged)
        network_breaker_note(x->peer.partner_id, partner_works(http));
    if (observer) {
        struct ocpi_exchange seen = {
            .call = &x->call,
            .answer = &answer,
            .request_id = x->request_id,
            .correlation_id = x->correlation_id,
            .started_us = x->started_us,
        };
        observer(&seen);
    }
    if (f)
        *x->ret = answer;
    arena_free(x->arena);
    flow_resume(ticket, OK);
}

/* ---- for everybody ---- */

enum flow_next ocpi_send(struct flow *f, const struct ocpi_call *call, struct ocpi_answer *ret)
{
    struct arena *a = arena_new(EXCHANGE_MEMORY);
    struct exchange *x = arena_alloc(a, sizeof(*x));
    struct headers headers = {0};

    x->arena = a;
    x->ticket = flow_wait(f);
    x->ret = ret;
    x->started_us = time_now_us();
    if (!call->request_id || !text_copy(x->request_id, sizeof(x->request_id), call->request_id))
        id_uuid_v4(x->request_id);
    x->correlation_id = correlation_of(a, f, call);
    call_copy(x, call);
    headers_fill(x, call, &headers);

    struct http_call http = {
        .method = x->call.method,
        .url = x->call.url,
        .headers = headers.at,
        .header_count = headers.count,
        .body = x->call.body,
        .body_length = x->call.body ? strlen(x->call.body) : 0,
        .connect_ms = CONNECT_MS,
        .total_ms = x->call.total_ms,
        .max_answer = x->call.max_answer,
        .once_only = x->call.once_only,
        .reuses = x->call.reuses,
    };
    http_run(&http, answered, x);
    return FLOW_WAIT;
}

static struct err no_answer(struct arena *a, const struct http_answer *http)
{
    const char *why = http->error ? http->error : "no answer";

    if (http->timed_out)
        return err_at(a, ERR_PEER_TIMEOUT, NULL, "%s", why);
    if (http->outcome == HTTP_NOT_SENT)
        return err_at(a, ERR_PEER_UNREACHABLE, NULL, "%s", why);
    return err_at(a, ERR_PEER_UNREACHABLE, NULL, "the request may have arrived: %s", why);
}

/* R-TRANS-36: any code is classified by its thousands digit. */
static enum err_kind kind_of_code(const struct ocpi_answer *answer)
{
    switch (answer->status_code) {
    case OCPI_HUB_TIMEOUT:
        return ERR_PEER_TIMEOUT;
    case OCPI_UNKNOWN_RECEIVER:
    case OCPI_HUB_CONNECTION:
        return ERR_PEER_UNREACHABLE;
    default:
        break;
    }
    return status_class(answer->status_code) == STATUS_CLIENT ? ERR_PEER_REJECTED : ERR_PEER_ERROR;
}

struct err ocpi_answer_err(struct arena *a, const struct ocpi_answer *answer)
{
    int http = answer->http.status;

    if (answer->http.outcome != HTTP_ANSWERED)
        return no_answer(a, &answer->http);
    if (envelope_is_success(&answer->envelope))
        return OK;
    if (!answer->has_envelope) {
        enum err_kind kind = http >= 400 && http < 500 ? ERR_PEER_REJECTED : ERR_PEER_ERROR;
        return err_at(a, kind, NULL, "HTTP %d without an OCPI answer", http);
    }

    const char *message = answer->status_message ? answer->status_message : "no message";
    enum err_kind kind = kind_of_code(answer);
    if (http >= 500)
        kind = ERR_PEER_ERROR;
    else if (http >= 400 && status_class(answer->status_code) == STATUS_SUCCESS)
        kind = ERR_PEER_REJECTED;
    return err_at(a, kind, NULL, "HTTP %d, OCPI %d: %s", http, answer->status_code, message);
}
