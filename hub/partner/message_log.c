/* SPDX-License-Identifier: Apache-2.0 */
/* What goes into the message log, and what is masked before it does. */
#include "hub/partner/message_log.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/message.h"
#include "db/partner.h"
#include "ocpi/headers.h"
#include "ocpi/version.h"

enum { LIST_KEPT = 16 * 1024 };

/* Values of "token" are secrets in credentials objects only; Tokens are called token elsewhere. */
static void mask(json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_object(value)) {
        json_object_foreach(value, key, member)
        {
            if (text_equal_caseless(key, "token") && !json_is_null(member))
                json_object_set_new(value, key, json_string("***")); /* whatever they made of it */
            else
                mask(member);
        }
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, member)
        {
            mask(member);
        }
    }
}

const char *message_mask(struct arena *a, const char *module, const char *body, size_t length)
{
    json_t *document;
    size_t printed;

    if (!module || strcmp(module, MODULE_CREDENTIALS) != 0)
        return body;
    if (failed(json_read(a, body, length, 0, &document)))
        return "(not JSON, not kept: it may hold a token)";
    mask(document);
    return json_text(a, document, &printed);
}

/* The path alone: hosts are known from the partner, queries may hold what is not for a log. */
static const char *path_of(struct arena *a, const char *url)
{
    const char *rest = strstr(url, "://");
    const char *path = rest ? strchr(rest + 3, '/') : NULL;

    return path ? arena_bytes(a, path, strcspn(path, "?")) : "/";
}

/* Lists that are fetched are long, and what is refused of them is logged by itself: of the others
 * the beginning will do. */
static const char *of_answer(struct arena *a, const struct ocpi_call *call,
                             const struct ocpi_answer *answer, struct err e)
{
    const struct http_answer *http = &answer->http;
    size_t length = LIST_KEPT;

    if (http->outcome != HTTP_ANSWERED || !http->body_length)
        return NULL;
    if (failed(e) || !json_is_array(answer->data) || http->body_length <= length)
        return message_mask(a, call->module, http->body, http->body_length);
    while (length > 0 && ((unsigned char)http->body[length] & 0xC0) == 0x80)
        length--;
    return arena_bytes(a, http->body, length);
}

void message_log_object(struct flow *f, const struct partner *p, const char *module, const char *id,
                        const char *url, const json_t *object, struct err e)
{
    char from[PARTY_TEXT];
    size_t length;

    message_log(&(struct message){
        .outgoing = true,
        .partner_id = p->id,
        .to = party_id_is_set(&p->peer.their_party) ? party_id_print(&p->peer.their_party, from)
                                                    : NULL,
        .module = module,
        .method = "GET",
        .path = path_of(f->arena, url),
        .object_id = id,
        .correlation_id = *f->correlation_id ? f->correlation_id : NULL,
        .at_us = time_now_us(),
        .error = err_text(e),
        .where = e.where,
        .rule = e.rule,
        .came = e.came,
        .expected = e.expected,
        .refused = true,
        .response_body = json_text(f->arena, object, &length),
    });
}

void message_log_outgoing(const struct ocpi_exchange *e)
{
    const struct ocpi_call *call = e->call;
    const struct http_answer *http = &e->answer->http;
    struct arena *a = arena_new(16 * 1024 * 1024);
    char from[PARTY_TEXT] = "", to[PARTY_TEXT] = "";
    const char *request = NULL;

    if (call->peer) {
        party_id_print(&call->peer->our_party, from);
        party_id_print(&call->peer->their_party, to);
    }
    if (call->body)
        request = message_mask(a, call->module, call->body, strlen(call->body));
    struct err e2 = ocpi_answer_err(a, e->answer);
    message_log(&(struct message){
        .outgoing = true,
        .partner_id = call->peer ? call->peer->partner_id : 0,
        .from = *from ? from : NULL,
        .to = *to ? to : NULL,
        .module = call->module,
        .method = call->method,
        .path = path_of(a, call->url),
        .request_id = e->request_id,
        .correlation_id = e->correlation_id,
        .session_id = call->session_id,
        .object_id = call->object_id,
        .http_status = http->outcome == HTTP_ANSWERED ? http->status : 0,
        .ocpi_status = e->answer->has_envelope ? e->answer->status_code : 0,
        .at_us = e->started_us,
        .duration_ms = http->duration_ms,
        .error = failed(e2) ? err_text(e2) : NULL,
        .refused = failed(e2),
        .losses = call->losses,
        .request_body = request,
        .response_body = of_answer(a, call, e->answer, e2),
    });
    arena_free(a);
}
