/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GETs that name the party whose objects they are about: asked of that party itself (R-ROUTE-10).
 * The Link of a page leads back to us (R-ROUTE-51); X-Total-Count and X-Limit are the party's own
 * (R-ROUTE-52).
 *
 *    GET {module}?...             the list of the party that TO names
 *    GET {module}?cursor=...      ... goes on, where its own Link said
 *    GET locations/{location}...  one object
 *
 * A party of 2.1.1 is told nobody's name, so it cannot know whose Sessions and CDRs are asked for:
 * those come from our store, as with TO = hub. From the others only those of the reader's own
 * tokens are passed on: a CPO that overlooks FROM would show one eMSP the drivers of all
 * (R-ROUTE-32).
 */
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "db/partner.h"
#include "hub/hub.h"
#include "hub/partner/retell.h"
#include "hub/relay/cursor.h"
#include "hub/relay/relay.h"
#include "hub/routes.h"
#include "hub/server/http_server.h"
#include "ocpi/headers.h"

enum {
    SLICE = 50,                     /* objects between two looks at the loop */
    TURNED_BYTES = 4 * 1024 * 1024, /* of a page that has to be translated */
    PAGE_BYTES = 8 * 1024 * 1024,   /* of one that goes on as it is */
    PAGE_VALUES = 1000000,
};

/* clang-format off */
static const struct read_kind {
    const char *module, *object;
    enum routing_module routed;
    bool charged; /* belongs to who owns its token */
} KINDS[] = {
    {MODULE_LOCATIONS, "Location", ROUTING_LOCATIONS, false},
    {MODULE_TARIFFS,   "Tariff",   ROUTING_TARIFFS,   false},
    {MODULE_SESSIONS,  "Session",  ROUTING_SESSIONS,  true},
    {MODULE_CDRS,      "CDR",      ROUTING_CDRS,      true},
    {MODULE_TOKENS,    "Token",    ROUTING_TOKENS,    false},
};
/* clang-format on */

struct read {
    struct relay relay;
    const struct read_kind *kind;
    const char *cursor; /* NULL: the first page */
    struct cursor_open opened;
    struct relay_cursor place;
    struct relay_exchange exchange;
    const char *link; /* ours */
    json_t *page;
    size_t next;
    bool changed; /* the page is not the party's own any more */
    struct text data;
};

static struct err settle(struct flow *f, enum routing_target target)
{
    struct read *s = f->state;
    const char *module = request_of(f)->route->module;

    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (strcmp(KINDS[i].module, module) == 0)
            s->kind = &KINDS[i];
    if (!s->kind)
        return err_rule(err_new(ERR_METHOD_NOT_ALLOWED), "R-TRANS-09");
    s->relay = (struct relay){
        .module = s->kind->routed, .interface = OCPI_INTERFACE_SENDER, .target = target};
    TRY(relay_decide(f, &s->relay));
    return s->relay.receiver ? OK : err_rule(err_new(ERR_UNKNOWN_RECEIVER), "R-ROUTE-41");
}

/* ---- lists ---- */

static enum flow_next decide_list(struct flow *f)
{
    struct read *s = f->state;
    const struct request *r = request_of(f);

    FLOW_TRY(f, settle(f, ROUTING_LIST));
    if (s->kind->charged && s->relay.version == OCPI_2_1_1) {
        flow_become(f, r->route->flow);
        return FLOW_NEXT;
    }
    s->place = (struct relay_cursor){
        .requester_id = r->caller.partner->id,
        .from = s->relay.decision.from->id,
        .to = s->relay.decision.legs[0].party->id,
        .module = s->kind->module,
    };
    s->cursor = cursor_in(f->arena, r->http->query);
    if (!s->cursor)
        return FLOW_NEXT;
    s->opened.ask = &s->place;
    return cursor_look_up(f, s->cursor, &s->opened);
}

/* The party's endpoint with what was asked for behind it (R-ROUTE-54). */
static const char *first_url(struct flow *f, const struct read *s)
{
    const char *query = request_of(f)->http->query;
    const char *url =
        peer_endpoint(&s->relay.receiver->peer, s->kind->module, OCPI_INTERFACE_SENDER);

    if (!url || !query || !*query)
        return url;
    return arena_printf(f->arena, "%s%s%s", url, strchr(url, '?') ? "&" : "?", query);
}

static enum flow_next ask_list(struct flow *f)
{
    struct read *s = f->state;
    struct relay_exchange *x = &s->exchange;

    if (x->phase != RELAY_BEGIN)
        return relay_exchange(f, x);
    if (s->cursor)
        FLOW_TRY(f, cursor_opened(f->arena, &s->opened, &s->place));
    *x = relay_exchange_to(f, &s->relay, &s->relay.decision.legs[0]);
    x->list = true;
    x->url = s->cursor ? s->place.next_url : first_url(f, s);
    x->max_answer = s->relay.version == request_of(f)->version ? PAGE_BYTES : TURNED_BYTES;
    return relay_exchange(f, x);
}

static enum flow_next make_link(struct flow *f)
{
    struct read *s = f->state;
    const struct request *r = request_of(f);

    if (!s->exchange.answer.relayed)
        return flow_fail(f, s->exchange.answer.err);
    s->page = s->exchange.got.envelope.data;
    text_init(&s->data, f->arena, PAGE_BYTES);
    json_begin_array(&s->data, NULL);
    const char *endpoint =
        arena_printf(f->arena, "%s/ocpi/%s/%s/%s", hub_of(f)->public_url, face_name(r->face),
                     version_name(r->version), r->route->module);
    return cursor_make(f, &s->place, &s->relay.receiver->peer,
                       http_answer_header(&s->exchange.got.http, "link"), endpoint, r->http->query,
                       &s->link);
}

/* ---- a page, object by object ---- */

static bool may_see(const struct flow *f, const struct read *s, const json_t *object)
{
    const json_t *token = json_object_of(object, "cdr_token");
    struct party_id owner;

    return !s->kind->charged || (party_id_make(json_text_of(token, "country_code"),
                                               json_text_of(token, "party_id"), &owner) &&
                                 party_id_equal(&owner, &request_of(f)->caller.from));
}

static void leave_out(struct read *s, const char *id)
{
    s->changed = true;
    log_line(LOG_WARN, "a party has shown somebody what belongs to others",
             LOG_TEXT("partner", s->relay.receiver->name), LOG_TEXT("object", s->kind->object),
             LOG_TEXT("id", id), LOG_TEXT("rule", "R-ROUTE-32"));
}

static void put_object(struct flow *f, struct read *s, const json_t *object)
{
    const char *id = json_text_of(object, strcmp(s->kind->object, "Token") == 0 ? "uid" : "id");
    const struct routing_party *owner = s->relay.decision.legs[0].party;
    struct retold told;
    size_t length;

    if (!may_see(f, s, object)) {
        leave_out(s, id);
        return;
    }
    const char *text = json_text(f->arena, object, &length);
    const struct retell_ask ask = {
        .object = s->kind->object,
        .id = id ? id : "",
        .document = text,
        .length = length,
        .from = s->relay.version,
        .to = request_of(f)->version,
        .reader = request_of(f)->caller.partner,
        .country_code = owner->id.country_code,
        .party_id = owner->id.party_id,
    };
    retell(f, &ask, &told);
    if (told.document)
        json_put_raw_bytes(&s->data, NULL, told.document, told.length);
}

/* A page that nothing has to be left out of goes on as it came. */
static bool is_clean(const struct flow *f, const struct read *s)
{
    if (s->relay.version != request_of(f)->version)
        return false;
    for (size_t i = 0; i < json_array_size(s->page); i++)
        if (!may_see(f, s, json_array_get(s->page, i)))
            return false;
    return true;
}

static enum flow_next tell_slice(struct flow *f)
{
    struct read *s = f->state;
    size_t end = s->next + SLICE;

    if (s->next == 0 && is_clean(f, s))
        return FLOW_NEXT;
    s->changed = true;
    for (; s->next < json_array_size(s->page) && s->next < end; s->next++)
        put_object(f, s, json_array_get(s->page, s->next));
    if (s->next >= json_array_size(s->page))
        return FLOW_NEXT;
    flow_sleep(f, 0);
    return FLOW_AGAIN;
}

static enum flow_next answer_list(struct flow *f)
{
    struct read *s = f->state;
    const struct http_answer *http = &s->exchange.got.http;
    struct reply_header headers[3];
    struct relay_answering a = {.exchange = &s->exchange, .headers = headers};
    const char *total = http_answer_header(http, "x-total-count");
    const char *limit = http_answer_header(http, "x-limit");

    if (total)
        headers[a.header_count++] = (struct reply_header){HEADER_TOTAL_COUNT, total};
    if (limit)
        headers[a.header_count++] = (struct reply_header){HEADER_LIMIT, limit};
    if (s->link)
        headers[a.header_count++] = (struct reply_header){HEADER_LINK, s->link};
    if (!s->changed || !json_is_array(s->page))
        return relay_reply(f, &a);
    json_end_array(&s->data);
    if (text_overflowed(&s->data))
        return flow_fail(f, err_at(f->arena, ERR_PEER_ERROR, NULL, "the page is too large"));
    return relay_reply_data(f, &a, s->data.bytes);
}

static const struct flow_step list_steps[] = {
    {"decide whom to ask", decide_list},
    {"ask for the page", ask_list},
    {"make a Link of our own", make_link},
    {"tell a slice of it", tell_slice},
    {"answer", answer_list},
    {0},
};
const struct flow_type relay_list_flow = {
    .name = "relay_list",
    .state_size = sizeof(struct read),
    .deadline_ms = SECONDS(35),
    .steps = list_steps,
};

/* ---- one Location, or a part of it ---- */

static enum flow_next decide_object(struct flow *f)
{
    FLOW_TRY(f, settle(f, ROUTING_OBJECT));
    return FLOW_NEXT;
}

static enum flow_next ask_object(struct flow *f)
{
    struct read *s = f->state;
    struct relay_exchange *x = &s->exchange;
    const struct request *r = request_of(f);
    const struct peer *peer = &s->relay.receiver->peer;

    if (x->phase != RELAY_BEGIN)
        return relay_exchange(f, x);
    *x = relay_exchange_to(f, &s->relay, &s->relay.decision.legs[0]);
    x->url = peer_url(f->arena, peer, s->kind->module, OCPI_INTERFACE_SENDER,
                      peer_own_id(f->arena, peer, r->params[0]),
                      r->param_count > 1 ? peer_own_id(f->arena, peer, r->params[1]) : NULL,
                      r->param_count > 2 ? peer_own_id(f->arena, peer, r->params[2]) : NULL, NULL);
    return relay_exchange(f, x);
}

static enum flow_next answer_object(struct flow *f)
{
    static const char *const PARTS[] = {"Location", "EVSE", "Connector"};
    struct read *s = f->state;
    const struct routing_party *owner = s->relay.decision.legs[0].party;

    return relay_reply(
        f, &(struct relay_answering){
               .exchange = &s->exchange,
               .object = PARTS[request_of(f)->param_count - 1],
               .facts = {.country_code = owner->id.country_code, .party_id = owner->id.party_id},
           });
}

static const struct flow_step object_steps[] = {
    {"decide whom to ask", decide_object},
    {"ask for it", ask_object},
    {"answer", answer_object},
    {0},
};
const struct flow_type relay_object_flow = {
    .name = "relay_object",
    .state_size = sizeof(struct read),
    .deadline_ms = SECONDS(35),
    .steps = object_steps,
};
