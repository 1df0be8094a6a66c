/* SPDX-License-Identifier: Apache-2.0 */
/* What all that is relayed has in common: the decision, the words, the answer. */
#include "hub/relay/relay.h"

#include <ctype.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "db/partner.h"
#include "hub/hub.h"
#include "hub/partner/retell.h"
#include "hub/relay/directory.h"
#include "hub/relay/loop.h"
#include "hub/routes.h"
#include "hub/server/http_server.h"
#include "ocpi/headers.h"
#include "ocpi/object.h"

enum { BODY_MAX = 8 * 1024 * 1024 };

static const char JSON[] = "application/json";

/* ---- who asks whom ---- */

enum ocpi_role relay_asker_role(const struct flow *f)
{
    const struct caller *c = &request_of(f)->caller;

    for (size_t i = 0; i < c->partner->party_count; i++)
        if (party_id_equal(&c->partner->parties[i].id, &c->from))
            return c->partner->parties[i].role;
    return OCPI_ROLE_OTHER;
}

const char *relay_asker_text(struct flow *f)
{
    char text[PARTY_TEXT];

    return arena_text(f->arena, party_id_print(&request_of(f)->caller.from, text));
}

/* The door has put us where TO is missing. */
static struct party_id named_receiver(struct flow *f)
{
    const struct request *r = request_of(f);

    if (r->version == OCPI_2_1_1 || !http_header(r->http, HEADER_TO_PARTY_ID))
        return (struct party_id){0};
    return r->caller.to;
}

static bool is_us(struct flow *f, const struct party_id *id)
{
    const struct settings *s = hub_of(f)->settings;
    struct party_id ours;

    return party_id_make(s->country_code, s->party_id, &ours) && party_id_equal(&ours, id);
}

bool relay_is_named(struct flow *f)
{
    struct party_id to = named_receiver(f);

    return party_id_is_set(&to) && !is_us(f, &to);
}

bool relay_is_settled(struct flow *f)
{
    const struct request *r = request_of(f);

    return r->version != OCPI_2_1_1 && r->caller.partner->peer.version != OCPI_2_1_1;
}

/* Whoever has written to us hears from us: a partner that knows no hubs has only one to talk to. */
static bool is_for_us(struct flow *f)
{
    const struct http_request *http = request_of(f)->http;
    const char *country = http_header(http, HEADER_TO_COUNTRY_CODE);
    const char *party = http_header(http, HEADER_TO_PARTY_ID);
    struct party_id to;

    return country && party && party_id_make(country, party, &to) && is_us(f, &to);
}

/* The headers of our own answer turn those of the caller round (hub/request.c). */
static void set_answer_headers(struct flow *f, const struct routing *answer)
{
    struct caller *c = &request_of(f)->caller;

    if (party_id_is_set(&answer->from) && !is_for_us(f))
        c->to = answer->from;
    if (party_id_is_set(&answer->to))
        c->from = answer->to;
}

static void note_decision(struct flow *f, const struct routing_decision *d)
{
    if (d->headers_ignored)
        log_line(LOG_WARN, "routing headers are ignored",
                 LOG_TEXT("partner", request_of(f)->caller.partner->name),
                 LOG_TEXT("correlation_id", *f->correlation_id ? f->correlation_id : NULL));
    log_line(LOG_DEBUG, "routed", LOG_TEXT("kind", routing_kind_name(d->kind)),
             LOG_INT("legs", (int64_t)d->leg_count),
             LOG_TEXT("correlation_id", *f->correlation_id ? f->correlation_id : NULL));
}

/* Who asks with HEAD is told the length of what GET would say. */
static const char *method_of(const struct request *r)
{
    return strcmp(r->http->method, "HEAD") == 0 ? "GET" : r->http->method;
}

/* R-ROUTE-63. TO is who was named, which is nobody in open routing; what goes on carries its leg's.
 */
static struct err check_loop(struct flow *f, const struct party_id *from, const struct party_id *to)
{
    const struct request *r = request_of(f);
    const struct http_request *http = r->http;
    const struct relay_pair pair = {
        .hub = hub_of(f)->public_url,
        .correlation_id = http_header(http, HEADER_CORRELATION_ID),
        .request_id = http_header(http, HEADER_REQUEST_ID),
        .from = *from,
        .to = *to,
    };

    if (r->version == OCPI_2_1_1) /* R-BR-04: it has no such ids */
        return OK;
    if (relay_loop_seen(&pair))
        return err_rule(err_at(f->arena, ERR_HUB_ERROR, HEADER_REQUEST_ID,
                               "%s: this message is under way through this hub already",
                               HEADER_REQUEST_ID),
                        "R-ROUTE-63");
    relay_loop_note(f, &pair);
    return OK;
}

struct err relay_decide(struct flow *f, struct relay *r)
{
    const struct request *request = request_of(f);
    const struct partner *partner = request->caller.partner;
    struct routing_contracts contracts = relay_contracts(f, r->interface);
    struct routing_ask ask = {
        .partner_id = partner->id,
        .version = request->version,
        .face = partner->face,
        .headers = {.from = request->caller.from},
        .lenient = partner->peer.quirks.lenient_routing,
        .module = r->module,
        .interface = r->interface,
        .target = r->target,
        .owners = r->owners,
        .owner_count = r->owner_count,
    };

    const struct party_id named = named_receiver(f);
    if (!r->by_owner)
        ask.headers.to = named;
    if (!routing_method_of(method_of(request), &ask.method))
        return err_rule(err_new(ERR_METHOD_NOT_ALLOWED), "R-TRANS-09");
    r->decision = routing_decide(f->arena, relay_directory(f), &contracts, &ask);
    note_decision(f, &r->decision);
    set_answer_headers(f, &r->decision.answer);
    if (r->decision.kind == ROUTING_REFUSED)
        return r->decision.err;
    TRY(check_loop(f, &r->decision.from->id, &named));
    if (r->decision.leg_count == 1 && !r->decision.legs[0].party->ours) {
        r->receiver = partner_find(f, r->decision.legs[0].party->partner_id);
        if (!r->receiver) /* gone since the directory was made */
            return err_rule(err_new(ERR_UNKNOWN_RECEIVER), "R-ROUTE-41");
        r->version = r->receiver->peer.version;
    }
    return OK;
}

struct relay_exchange relay_exchange_to(struct flow *f, const struct relay *r,
                                        const struct routing_leg *leg)
{
    const struct request *request = request_of(f);

    const struct partner *receiver = r->receiver;

    if (!receiver) /* one of several */
        receiver = partner_find(f, leg->party->partner_id);
    return (struct relay_exchange){
        .receiver = receiver,
        .from = r->decision.from->id,
        .to = leg->party->id,
        .module = request->route->module,
        .method = method_of(request),
    };
}

/* ---- requests that are answered twice ---- */

struct err relay_check_response_url(struct flow *f, const char *url)
{
    if (url && peer_owns_url(&request_of(f)->caller.partner->peer, url))
        return OK;
    struct err e = err_at(f->arena, ERR_URL_REFUSED, "/response_url",
                          "/response_url: is on none of the hosts of this connection");
    e.expected = "a URL on the host of the connection's versions or endpoints";
    return err_rule(e, "R-ASYNC-17");
}

enum relay_answered relay_answered_of(const struct flow *f, const struct relay_exchange *x,
                                      int64_t *ret_timeout_s)
{
    const json_t *timeout = json_object_get(x->got.envelope.data, "timeout");
    const char *result = json_text_of(x->got.envelope.data, "result");

    *ret_timeout_s = json_is_integer(timeout) ? json_integer_value(timeout) : 0;
    if (failed(f->err) || x->answer.unclear || (x->sent && !x->answer.relayed && !x->answer.alarm))
        return RELAY_UNCLEAR;
    return result && relay_answer_is_success(&x->answer) && strcmp(result, "ACCEPTED") == 0
               ? RELAY_ACCEPTED
               : RELAY_REFUSED;
}

bool relay_is_owner(const struct owners *owners, const struct party_id *party)
{
    for (size_t i = 0; i < owners->count; i++)
        if (party_id_equal(&owners->items[i], party))
            return true;
    return false;
}

/* ---- words ---- */

/* Over-long texts of a partner that is allowed them go on as they are (R-TYPE-17). */
static struct err check_said(struct arena *a, const struct relay_words *w, const json_t *document)
{
    static const struct object_leniency PASSED_ON = {.long_text = true};
    const char *name = w->object;

    if (w->to == OCPI_2_1_1 && strcmp(name, "CommandResult") == 0)
        name = "CommandResponse";
    const struct object_type *type = object_type_find(w->to, name);
    if (!type)
        return err_at(a, ERR_BAD_FIELD, NULL, "OCPI %s has no %s", version_name(w->to), name);
    return object_check(type, document, &PASSED_ON, a);
}

struct err relay_say(struct flow *f, const struct relay_words *words, json_t *document,
                     struct relay_said *ret)
{
    struct translation_facts facts = words->facts;
    struct translation t;

    *ret = (struct relay_said){.document = document};
    if (words->from == words->to)
        return OK;
    facts.keep_unknown = words->reader->peer.quirks.keep_unknown;
    TRY(translate(words->object, words->from, words->to, document, &facts, f->arena, &t));
    const struct retell_ask ask = {.object = words->object,
                                   .id = words->id ? words->id : "",
                                   .from = words->from,
                                   .to = words->to,
                                   .reader = words->reader};
    note_losses(f, &ask, &t);
    note_losses_in_request(f, &ask, &t);
    ret->document = t.document;
    ret->withheld = t.withheld;
    return t.withheld ? OK : check_said(f->arena, words, t.document);
}

/* ---- one member replaced ---- */

static const char *skip_blanks(const char *c)
{
    while (*c == ' ' || *c == '\t' || *c == '\n' || *c == '\r')
        c++;
    return c;
}

/* Behind the closing quote; `c` stands on the opening one. */
static const char *skip_text(const char *c)
{
    for (c++; *c && *c != '"'; c++)
        if (*c == '\\' && c[1])
            c++;
    return *c ? c + 1 : c;
}

/* Where the value of a member of the outermost object begins; NULL: not found. */
static const char *find_member(const char *json, const char *member)
{
    size_t length = strlen(member);
    int depth = 0;
    bool key = false; /* the next text of the outermost object is a name */

    for (const char *c = json; *c;) {
        if (*c == '"') {
            const char *end = skip_text(c);
            bool found = depth == 1 && key && (size_t)(end - c) == length + 2 &&
                         memcmp(c + 1, member, length) == 0;
            c = end;
            if (found) {
                c = skip_blanks(c);
                return *c == ':' ? skip_blanks(c + 1) : NULL;
            }
            key = false;
            continue;
        }
        if (*c == '{' || *c == '[')
            key = ++depth == 1 && *c == '{';
        else if (*c == '}' || *c == ']')
            depth--;
        else if (*c == ',')
            key = depth == 1;
        c++;
    }
    return NULL;
}

const char *relay_splice(struct arena *a, const char *json, size_t length, const char *member,
                         const char *text)
{
    const char *copy = arena_bytes(a, json, length);
    const char *value = *skip_blanks(copy) == '{' ? find_member(copy, member) : NULL;
    json_t *string = value && *value == '"' ? json_string(text) : NULL;
    size_t printed;

    if (!string)
        return NULL;
    const char *quoted = json_text(a, string, &printed);
    json_decref(string);
    return arena_printf(a, "%.*s%s%s", (int)(value - copy), copy, quoted, skip_text(value));
}

/* ---- the answer ---- */

/* FROM is the receiver, whatever its answer says (R-ROUTE-07), or the hub where the request was
 * addressed to it (R-ROUTE-04). */
static enum flow_next reply_text(struct flow *f, const struct relay_answering *a, int code,
                                 const char *body, size_t length)
{
    struct party_id *from = &request_of(f)->caller.to;

    if (!is_for_us(f)) {
        *from = a->exchange->to;
        text_to_upper(from->country_code);
        text_to_upper(from->party_id);
    }
    request_of(f)->ocpi_code = code;
    return reply(f, a->exchange->answer.http_status, JSON, body, length, a->headers,
                 a->header_count);
}

enum flow_next relay_reply_data(struct flow *f, const struct relay_answering *a, const char *data)
{
    const struct relay_exchange *x = a->exchange;
    int came = (int)x->answer.status_code;
    int code = translate_status(came, request_of(f)->version);
    const char *message = x->got.envelope.status_message;
    struct text body;

    if (code != came) /* R-TRANS-35 */
        message = arena_printf(f->arena, "%s (OCPI %d)", message ? message : "", came);
    text_init(&body, f->arena, BODY_MAX + 64 * 1024);
    envelope_print(&body, code, message, data, data ? strlen(data) : 0);
    if (text_overflowed(&body))
        return flow_fail(f, err_at(f->arena, ERR_PEER_ERROR, NULL, "the answer is too large"));
    return reply_text(f, a, code, body.bytes, body.length);
}

/* Nothing has to change. */
static bool goes_as_it_is(const struct flow *f, const struct relay_answering *a)
{
    const struct relay_exchange *x = a->exchange;
    enum ocpi_version version = request_of(f)->version;

    return x->version == version && !a->no_data && x->got.envelope.state == ENVELOPE_GOOD &&
           translate_status((int)x->answer.status_code, version) == (int)x->answer.status_code;
}

enum flow_next relay_reply(struct flow *f, const struct relay_answering *a)
{
    const struct relay_exchange *x = a->exchange;
    const struct request *r = request_of(f);
    json_t *data = x->got.envelope.data;
    struct relay_said said;
    size_t length;

    if (!x->answer.relayed)
        return flow_fail(f, x->answer.err);
    if (goes_as_it_is(f, a))
        return reply_text(f, a, (int)x->answer.status_code, x->got.http.body,
                          x->got.http.body_length);
    if (a->no_data || !data)
        return relay_reply_data(f, a, NULL);
    if (!a->object || !json_is_object(data))
        return relay_reply_data(f, a, json_text(f->arena, data, &length));
    const struct relay_words words = {
        .object = a->object,
        .from = x->version,
        .to = r->version,
        .reader = r->caller.partner,
        .facts = a->facts,
    };
    struct err e = relay_say(f, &words, data, &said);
    if (failed(e) || said.withheld) {
        e = err_at(f->arena, ERR_PEER_ERROR, e.where,
                   "the receiver's answer cannot be said in OCPI %s: %s", version_name(r->version),
                   failed(e) ? err_text(e) : said.withheld);
        return flow_fail(f, err_rule(e, "R-BR-03"));
    }
    return relay_reply_data(f, a, json_text(f->arena, said.document, &length));
}
