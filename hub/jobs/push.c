/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pushing: objects that others own, to the partners that may have them.
 *
 *    claim --> in the partner's version: PUT, PATCH, POST or DELETE --> note what came of it
 *
 *    Location, Tariff, Session   PUT    {endpoint}/{cc}/{pid}/{id}
 *    status of an EVSE           PATCH  {endpoint}/{cc}/{pid}/{id}/{evse}; a receiver that does not
 *                                       know it gets the Location, and one that refuses it is asked
 *                                       whether it does (R-TRANS-14)
 *    Tariff that is no more      DELETE
 *    CDR                         POST   {endpoint}
 *    Token                       PUT    {endpoint}/{cc}/{pid}/{uid}?type={type}
 *    invoice record (ours)       POST   {endpoint}
 *    what of it has changed      PUT or DELETE {endpoint}/{cc}/{pid}/{id}; POST where the receiver
 *                                       does not know it
 *    ClientInfo                  PUT    {endpoint}/{cc}/{pid}, without routing headers (R-HCI-03)
 *
 * The hub is the sender: FROM is the hub, TO the partner, while URL and object keep their owner
 * (R-ROUTE-13).
 */
#include "hub/jobs/push.h"

#include <string.h>

#include <event2/event.h>

#include "adapters/breaker.h"
#include "adapters/ocpi_client.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/time.h"
#include "db/alias.h"
#include "db/outbox.h"
#include "db/partner.h"
#include "hub/hub.h"
#include "hub/partner/rename.h"
#include "hub/partner/retell.h"
#include "ocpi/headers.h"
#include "ocpi/translate/translate.h"
#include "ocpi/url.h"
#include "ocpi/version.h"

enum {
    AT_ONCE = 32,        /* claimed by one statement */
    PER_PARTNER = 8,     /* under way */
    IN_FLIGHT_MAX = 256, /* in this process */
    GATHER_MS = 20,      /* from claim to claim, while some of the last one is under way */
    GATHER_IDLE_MS = 5,
    PUSH_BYTES = 64 * 1024 * 1024,
    LOCATION_VALUES = 1000000,
    BODY_MAX = 64 * 1024,
    RETRY_AFTER_MAX_S = 3600,
    REST_MIN_S = 5,
    REST_MORE_S = 15,
};

struct push {
    struct outbox_item item; /* our own copy */
    unsigned claim;          /* the one it came with */
    enum { PREPARE, FILL, LOOK_AT_PROBE, SEND, LOOK_AT_ANSWER, LOOK_AT_OBJECT } phase;
    const struct partner *partner;
    struct retell_known known; /* Session, CDR of 2.1.1 for a newer partner */
    struct aliases aliases;    /* what a partner of 2.1.1 calls the owner's objects */
    struct peer peer;          /* the partner's, with the party that this is for */
    struct ocpi_call call, probe;
    struct ocpi_answer answer, refusal; /* refusal: of the PATCH, while we look why */
    bool patched;                       /* the EVSE alone: the Location may have to follow */
    bool decided;
    enum outbox_outcome outcome;
    int64_t retry_after_s;
    const char *detail;
};

static unsigned in_flight;
static unsigned claims;          /* so far */
static unsigned of_last_claim;   /* what came with the last one and is under way */
static bool claiming, once_more; /* one claim at a time: who asks meanwhile gets another */
static struct event *soon;       /* the next claim, where the last one was just now */
static int64_t claimed_ms = -GATHER_MS;

static const char *outcome_name(enum outbox_outcome outcome)
{
    static const char *const NAMES[] = {
        [OUTBOX_SENT] = "sent",       [OUTBOX_RETRY] = "retry",     [OUTBOX_REST] = "retry",
        [OUTBOX_REFUSED] = "refused", [OUTBOX_SKIPPED] = "skipped",
    };
    return NAMES[outcome];
}

static void decide(struct push *p, enum outbox_outcome outcome, const char *detail)
{
    p->decided = true;
    p->outcome = outcome;
    p->detail = detail;
}

/* ---- whom and where ---- */

/* Nothing was tried, so the pause does not grow: all is told soon after the partner is back. The
 * rest of what waits for it is not even looked at meanwhile. */
static void rest(struct push *p, const char *why)
{
    decide(p, OUTBOX_REST, why);
    p->retry_after_s = REST_MIN_S + (int64_t)id_random_below(REST_MORE_S);
}

static const char *module_of(enum outbox_kind kind)
{
    switch (kind) {
    case OUTBOX_LOCATION:
    case OUTBOX_EVSE:
        return MODULE_LOCATIONS;
    case OUTBOX_TARIFF:
    case OUTBOX_TARIFF_DELETED:
        return MODULE_TARIFFS;
    case OUTBOX_SESSION:
        return MODULE_SESSIONS;
    case OUTBOX_CDR:
        return MODULE_CDRS;
    case OUTBOX_TOKEN:
        return MODULE_TOKENS;
    case OUTBOX_INVOICE:
    case OUTBOX_INVOICE_CHANGED:
    case OUTBOX_INVOICE_DELETED:
        return MODULE_INVOICES;
    case OUTBOX_CLIENT_INFO:
        break;
    }
    return MODULE_HUB_CLIENT_INFO;
}

/* R-ROUTE-46. What waits too long meanwhile is dropped, and the partner pulls. */
static bool is_there(struct push *p)
{
    if (!p->partner || !secret_is_set(p->partner->peer.token) ||
        strcmp(p->partner->state, "connected") != 0) {
        rest(p, "the partner is not connected");
        return false;
    }
    if (!p->partner->enabled) {
        rest(p, "the partner is disabled");
        return false;
    }
    return true;
}

/* A Session or CDR is for the party whose token it was; a platform may have several. */
static void name_receiver(struct push *p)
{
    struct party_id owner;

    p->peer = p->partner->peer;
    if (!p->item.token_country_code || !p->item.token_party_id ||
        !party_id_make(p->item.token_country_code, p->item.token_party_id, &owner))
        return;
    for (size_t i = 0; i < p->partner->party_count; i++)
        if (party_id_equal(&p->partner->parties[i].id, &owner))
            p->peer.their_party = p->partner->parties[i].id;
}

/* The object's id as the body has it: the partner knows it by that (R-TRANS-16). */
static const char *told_id(struct flow *f, const struct push *p)
{
    const struct outbox_item *o = &p->item;
    enum alias_module module = ALIAS_LOCATIONS;
    struct party_id owner;

    if (p->peer.version != OCPI_2_1_1)
        return o->ocpi == OCPI_2_1_1 ? translate_id(f->arena, o->object_id) : o->object_id;
    if (o->kind == OUTBOX_TOKEN || !party_id_make(o->country_code, o->party_id, &owner))
        return o->object_id;
    if (o->kind == OUTBOX_TARIFF || o->kind == OUTBOX_TARIFF_DELETED)
        module = ALIAS_TARIFFS;
    else if (o->kind == OUTBOX_SESSION)
        module = ALIAS_SESSIONS;
    return alias_of(&p->aliases, module, &owner, o->object_id);
}

/* An EVSE's, likewise. */
static const char *told_uid(struct flow *f, const struct push *p)
{
    const struct outbox_item *o = &p->item;
    bool shorter = o->ocpi == OCPI_2_1_1 && p->peer.version != OCPI_2_1_1;

    return o->evse_uid && shorter ? translate_id(f->arena, o->evse_uid) : o->evse_uid;
}

static const char *url_of(struct flow *f, const struct push *p, const char *evse_uid)
{
    const struct outbox_item *o = &p->item;
    const char *module = module_of(o->kind);

    switch (o->kind) {
    case OUTBOX_CDR:
    case OUTBOX_INVOICE:
        return peer_url(f->arena, &p->peer, module, OCPI_INTERFACE_RECEIVER, NULL);
    case OUTBOX_CLIENT_INFO:
        return peer_url(f->arena, &p->peer, module, OCPI_INTERFACE_RECEIVER, o->country_code,
                        o->party_id, NULL);
    default:
        /* The segments end where the EVSE's would begin. */
        return peer_url(f->arena, &p->peer, module, OCPI_INTERFACE_RECEIVER, o->country_code,
                        o->party_id, told_id(f, p), evse_uid, NULL);
    }
}

/* ---- what ---- */

static const char *class_of(enum outbox_kind kind)
{
    switch (kind) {
    case OUTBOX_TARIFF:
    case OUTBOX_TARIFF_DELETED:
        return "Tariff";
    case OUTBOX_SESSION:
        return "Session";
    case OUTBOX_CDR:
        return "CDR";
    case OUTBOX_TOKEN:
        return "Token";
    case OUTBOX_INVOICE:
    case OUTBOX_INVOICE_CHANGED:
        return "InvoiceReconciliationRecord";
    default:
        return "Location";
    }
}

static struct retell_ask ask_of(const struct push *p)
{
    const struct outbox_item *o = &p->item;

    return (struct retell_ask){
        .object = class_of(o->kind),
        .id = o->object_id,
        .document = o->document,
        .length = o->length,
        .from = o->ocpi,
        .to = p->peer.version,
        .reader = p->partner,
        .country_code = o->country_code,
        .party_id = o->party_id,
        .location = o->location,
        .location_version = o->location_ocpi,
        .token_country_code = o->token_country_code,
        .token_party_id = o->token_party_id,
        .known = &p->known,
        .aliases = &p->aliases,
    };
}

static bool tell(struct flow *f, struct push *p, struct retold *ret)
{
    struct retell_ask ask = ask_of(p);

    retell(f, &ask, ret);
    if (!ret->document)
        decide(p, OUTBOX_SKIPPED, ret->why);
    return ret->document != NULL;
}

/* Status and last_updated of the EVSE as they stand in the Location that is told: last_updated is
 * always there, as 2.2.1 wants it (R-TRANS-12). NULL: the Location has no such EVSE. */
static const char *evse_patch(struct flow *f, const struct push *p, const struct retold *location)
{
    const char *status, *updated;
    json_t *document;
    struct text t;

    if (!p->item.evse_uid || failed(json_read(f->arena, location->document, location->length,
                                              LOCATION_VALUES, &document)))
        return NULL;
    const json_t *evse = retold_part(document, "evses", "uid", told_uid(f, p));
    status = json_text_of(evse, "status");
    updated = json_text_of(evse, "last_updated");
    if (!status || !updated)
        return NULL;
    text_init(&t, f->arena, BODY_MAX);
    json_begin_object(&t, NULL);
    json_put_text(&t, "status", status);
    json_put_text(&t, "last_updated", updated);
    json_end_object(&t);
    return t.bytes;
}

static const char *client_info(struct flow *f, const struct outbox_item *o)
{
    char updated[TIME_TEXT];
    struct text t;

    text_init(&t, f->arena, BODY_MAX);
    json_begin_object(&t, NULL);
    json_put_text(&t, "country_code", o->country_code);
    json_put_text(&t, "party_id", o->party_id);
    json_put_text(&t, "role", o->role);
    json_put_text(&t, "status", o->status);
    json_put_text(&t, "last_updated", time_print_millis(updated, o->last_updated_us));
    json_end_object(&t);
    return t.bytes;
}

/* A Token's URL says its type, which is part of its key (R-TOK-01), in the words of the body. */
static const char *token_url(struct flow *f, const struct push *p, const char *url)
{
    json_t *token;

    if (!url || failed(json_read(f->arena, p->call.body, strlen(p->call.body), 0, &token)))
        return url;
    return url_query(f->arena, url, "type", json_text_of(token, "type"), NULL);
}

/* Fills method, url and body; false: decided. */
static bool fill_call(struct flow *f, struct push *p, bool whole)
{
    const struct outbox_item *o = &p->item;
    const char *evse_uid = NULL;
    struct retold told;

    p->call = (struct ocpi_call){
        .peer = &p->peer, .method = "PUT", .module = module_of(o->kind), .object_id = o->object_id};
    p->patched = false;
    if (o->kind == OUTBOX_CLIENT_INFO) {
        p->call.body = client_info(f, o);
    } else if (o->kind == OUTBOX_TARIFF_DELETED || o->kind == OUTBOX_INVOICE_DELETED) {
        p->call.method = "DELETE";
    } else {
        if (!tell(f, p, &told))
            return false;
        p->call.body = told.document;
        p->call.losses = told.losses;
        if (o->kind == OUTBOX_CDR || o->kind == OUTBOX_INVOICE)
            p->call.method = "POST";
        const char *patch = o->kind == OUTBOX_EVSE && !whole ? evse_patch(f, p, &told) : NULL;
        if (patch) {
            p->patched = true;
            p->call.method = "PATCH";
            p->call.body = patch;
            evse_uid = told_uid(f, p);
        }
    }
    p->call.url = url_of(f, p, evse_uid);
    if (o->kind == OUTBOX_TOKEN)
        p->call.url = token_url(f, p, p->call.url);
    return true;
}

static bool prepare(struct flow *f, struct push *p)
{
    enum outbox_kind kind = p->item.kind;

    p->partner = partner_find(f, p->item.partner_id);
    if (!is_there(p))
        return false;
    name_receiver(p);
    if (kind == OUTBOX_CLIENT_INFO && p->peer.version == OCPI_2_1_1) {
        decide(p, OUTBOX_SKIPPED, "OCPI 2.1.1 has no ClientInfo"); /* R-HCI-10 */
        return false;
    }
    if (kind == OUTBOX_CLIENT_INFO && !p->item.role) {
        decide(p, OUTBOX_SKIPPED, "it is no more to be told");
        return false;
    }
    if (kind == OUTBOX_CLIENT_INFO && strcmp(p->item.role, "HUB") == 0) {
        decide(p, OUTBOX_SKIPPED, "a hub is not told of"); /* R-HCI-11 */
        return false;
    }
    if (!peer_endpoint(&p->peer, module_of(kind), OCPI_INTERFACE_RECEIVER)) {
        decide(p, OUTBOX_SKIPPED, "the partner takes no pushes of this module"); /* R-TRANS-64 */
        return false;
    }
    if (kind != OUTBOX_CLIENT_INFO && kind != OUTBOX_TARIFF_DELETED && !p->item.document) {
        decide(p, OUTBOX_SKIPPED, "it is no more to be told");
        return false;
    }
    return true;
}

/* What has to be known before it can be told: what a partner of 2.1.1 calls the owner's objects, or
 * what 2.1.1 has not said to a newer one. */
static void look_up(struct flow *f, struct push *p)
{
    const struct outbox_item *o = &p->item;
    struct retell_ask ask = ask_of(p);
    struct rename_ids ids = {0};
    struct party_id owner;

    if (retell_learn(f, &ask, &p->known))
        return;
    if (p->peer.version != OCPI_2_1_1 || o->kind == OUTBOX_CLIENT_INFO || o->kind == OUTBOX_TOKEN ||
        !party_id_make(o->country_code, o->party_id, &owner))
        return;
    rename_gather_one(f->arena, o->object_id, &ids);
    rename_gather(f->arena, o->document, o->length, &ids);
    rename_gather(f->arena, o->location, o->location ? strlen(o->location) : 0, &ids);
    aliases_find(f,
                 &(struct alias_ask){
                     .reader_id = o->partner_id,
                     .owners = &owner,
                     .owner_count = 1,
                     .session_ids = o->kind == OUTBOX_SESSION ? &o->object_id : NULL,
                     .ids = ids.items,
                     .id_count = ids.count,
                 },
                 &p->aliases);
}

/* ---- whether it is back ---- */

/* True: send. Else an answer is awaited (p->probe.url is set), or it is decided. */
static bool breaker_lets_through(struct push *p)
{
    int64_t partner_id = p->item.partner_id, now_ms = time_monotonic_ms();

    switch (breaker_state_at(partner_id, now_ms)) {
    case BREAKER_CLOSED:
        return true;
    case BREAKER_HALF_OPEN:
        if (p->peer.versions_url && breaker_probe_at(partner_id, now_ms)) {
            p->probe = (struct ocpi_call){
                .peer = &p->peer,
                .method = "GET",
                .module = "versions",
                .url = p->peer.versions_url,
                .total_ms = SECONDS(5), /* with the push itself below the deadline */
            };
            return false;
        }
        break;
    case BREAKER_OPEN:
        break;
    }
    rest(p, "the partner has not answered lately and is given a rest");
    return false;
}

/* ---- what came of it ---- */

static bool is_missing_there(const struct ocpi_answer *a)
{
    return a->http.outcome == HTTP_ANSWERED &&
           (a->http.status == 404 || a->http.status == 405 ||
            (a->has_envelope && a->status_code == OCPI_UNKNOWN_LOCATION));
}

static bool comes_back(const struct ocpi_answer *a)
{
    int status = a->http.status;

    if (a->http.outcome != HTTP_ANSWERED || status == 408 || status == 429 || status >= 500)
        return true;
    if (status >= 300)
        return false;
    return status_class(a->status_code) != STATUS_CLIENT;
}

static void judge(struct flow *f, struct push *p)
{
    const struct ocpi_answer *a = &p->answer;
    const char *after = http_answer_header(&a->http, "retry-after");
    struct err e = ocpi_answer_err(f->arena, a);

    bool deleted = p->item.kind == OUTBOX_TARIFF_DELETED || p->item.kind == OUTBOX_INVOICE_DELETED;

    if (!failed(e) || (deleted && a->http.status == 404)) {
        const char *location = http_answer_header(&a->http, "location");
        decide(p, OUTBOX_SENT,
               location ? arena_printf(f->arena, "Location: %.255s", location) : NULL);
        return;
    }
    decide(p, comes_back(a) ? OUTBOX_RETRY : OUTBOX_REFUSED, err_text(e));
    if (p->outcome == OUTBOX_RETRY && after) {
        int64_t seconds = header_count(after); /* -1 where it is a date */
        p->retry_after_s = seconds > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : seconds;
        if (p->retry_after_s < 0)
            p->retry_after_s = 0;
    }
}

static enum flow_next tell_partner(struct flow *f)
{
    struct push *p = f->state;

    switch (p->phase) {
    case PREPARE:
        if (!prepare(f, p))
            return FLOW_NEXT;
        p->phase = FILL;
        look_up(f, p);
        return FLOW_AGAIN;
    case FILL:
        if (!fill_call(f, p, false))
            return FLOW_NEXT;
        p->phase = SEND;
        if (breaker_lets_through(p))
            return FLOW_AGAIN;
        if (p->decided)
            return FLOW_NEXT;
        p->phase = LOOK_AT_PROBE;
        ocpi_send(f, &p->probe, &p->answer);
        return FLOW_AGAIN;
    case LOOK_AT_PROBE:
        if (p->answer.http.outcome != HTTP_ANSWERED || p->answer.http.status >= 500) {
            rest(p, "the partner still does not answer");
            return FLOW_NEXT;
        }
        p->phase = SEND;
        return FLOW_AGAIN;
    case SEND:
        p->phase = LOOK_AT_ANSWER;
        ocpi_send(f, &p->call, &p->answer);
        return FLOW_AGAIN;
    case LOOK_AT_ANSWER:
        if (p->item.kind == OUTBOX_INVOICE_CHANGED && p->answer.http.status == 404) {
            p->item.kind = OUTBOX_INVOICE; /* it never got there */
            if (!fill_call(f, p, true))
                return FLOW_NEXT;
            p->phase = SEND;
            return FLOW_AGAIN;
        }
        if (p->patched && is_missing_there(&p->answer)) {
            if (!fill_call(f, p, true))
                return FLOW_NEXT;
            p->phase = SEND;
            return FLOW_AGAIN;
        }
        if (p->patched && failed(ocpi_answer_err(f->arena, &p->answer)) &&
            !comes_back(&p->answer)) {
            p->refusal = p->answer;
            p->phase = LOOK_AT_OBJECT;
            p->call.method = "GET";
            p->call.body = NULL;
            p->call.total_ms = SECONDS(5);
            p->call.url = url_of(f, p, NULL);
            ocpi_send(f, &p->call, &p->answer);
            return FLOW_AGAIN;
        }
        judge(f, p);
        return FLOW_NEXT;
    case LOOK_AT_OBJECT:
        if (is_missing_there(&p->answer)) {
            if (!fill_call(f, p, true))
                return FLOW_NEXT;
            p->phase = SEND;
            return FLOW_AGAIN;
        }
        p->answer = p->refusal;
        judge(f, p);
        return FLOW_NEXT;
    }
    return flow_fail(f, err_new(ERR_INTERNAL));
}

static enum log_level level_of(enum outbox_outcome outcome)
{
    if (outcome == OUTBOX_REFUSED)
        return LOG_WARN;
    return outcome == OUTBOX_RETRY || outcome == OUTBOX_REST ? LOG_INFO : LOG_DEBUG;
}

static enum flow_next note(struct flow *f)
{
    struct push *p = f->state;
    const char *partner = p->partner ? p->partner->name : NULL;

    if (!p->decided)
        decide(p, OUTBOX_RETRY, err_text(f->err));
    metric_add(METRIC_PUSHES, partner ? partner : "", outbox_kind_name(p->item.kind),
               outcome_name(p->outcome), 1);
    log_line(level_of(p->outcome), "push", LOG_TEXT("partner", partner),
             LOG_TEXT("kind", outbox_kind_name(p->item.kind)), LOG_TEXT("id", p->item.object_id),
             LOG_TEXT("evse_uid", p->item.evse_uid), LOG_TEXT("outcome", outcome_name(p->outcome)),
             LOG_TEXT("detail", p->detail), LOG_INT("attempts", p->item.attempts));
    return outbox_done(f, &p->item, p->outcome, p->retry_after_s, p->detail);
}

/* There may be more for this partner than it had room for. */
static enum flow_next make_room(struct flow *f)
{
    const struct push *p = f->state;

    in_flight--;
    if (p->claim == claims)
        of_last_claim--;
    push_what_is_due(hub_of(f));
    return FLOW_NEXT;
}

static const struct flow_step push_steps[] = {
    {"tell the partner", tell_partner},
    {"note what came of it", note, .also_on_failure = true},
    {"make room for the next", make_room, .also_on_failure = true},
    {0},
};

static const struct flow_type push_flow = {
    .name = "push",
    .state_size = sizeof(struct push),
    .deadline_ms = SECONDS(28), /* below the lease of a claim */
    .steps = push_steps,
};

/* ---- taking up ---- */

static void push_begin(struct hub *hub, const struct outbox_item *item)
{
    struct flow *f = flow_new(
        &push_flow, &(struct flow_options){.loop = hub->loop, .app = hub, .arena_max = PUSH_BYTES});
    struct push *p = f->state;
    struct arena *a = f->arena;

    p->item = *item;
    p->claim = claims;
    p->item.country_code = arena_text(a, item->country_code);
    p->item.party_id = arena_text(a, item->party_id);
    p->item.object_id = arena_text(a, item->object_id);
    p->item.evse_uid = arena_text(a, item->evse_uid);
    p->item.document = item->document ? arena_bytes(a, item->document, item->length) : NULL;
    p->item.location = arena_text(a, item->location);
    p->item.token_country_code = arena_text(a, item->token_country_code);
    p->item.token_party_id = arena_text(a, item->token_party_id);
    p->item.role = arena_text(a, item->role);
    p->item.status = arena_text(a, item->status);
    in_flight++;
    of_last_claim++;
    flow_run(f);
}

struct claim {
    struct outbox_items items;
    int limit;
};

static enum flow_next claim(struct flow *f)
{
    struct claim *c = f->state;

    c->limit = IN_FLIGHT_MAX - (int)in_flight;
    if (c->limit > AT_ONCE)
        c->limit = AT_ONCE;
    return c->limit > 0 ? outbox_claim(f, c->limit, PER_PARTNER, &c->items) : FLOW_NEXT;
}

static enum flow_next let_next_begin(struct flow *f)
{
    const struct claim *c = f->state;
    bool full = c->limit > 0 && c->items.count == (size_t)c->limit;
    bool again = once_more || full;

    claiming = once_more = false;
    if (full)
        claimed_ms = time_monotonic_ms() - GATHER_MS; /* no need to wait for more */
    if (c->items.count) {
        claims++;
        of_last_claim = 0;
    }
    for (size_t i = 0; i < c->items.count; i++)
        push_begin(hub_of(f), &c->items.items[i]);
    if (again && !failed(f->err) && in_flight < IN_FLIGHT_MAX)
        push_what_is_due(hub_of(f));
    return FLOW_NEXT;
}

static const struct flow_step claim_steps[] = {
    {"claim what is due", claim},
    {"begin each", let_next_begin, .also_on_failure = true},
    {0},
};

static const struct flow_type claim_flow = {
    .name = "claim_pushes",
    .state_size = sizeof(struct claim),
    .deadline_ms = SECONDS(10),
    .steps = claim_steps,
};

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    push_what_is_due(arg);
}

void push_start(struct hub *hub)
{
    soon = evtimer_new(hub->loop, on_soon, hub);
}

void push_stop(void)
{
    if (soon)
        event_free(soon);
    soon = NULL;
}

/* A claim of eight costs little more than a claim of one: the first is made at once, the next when
 * what was claimed is gone or, so that the slow ones hold up nobody, after a few milliseconds. What
 * is left of older claims does not count: a partner that hangs is under way for half a minute. */
void push_what_is_due(struct hub *hub)
{
    int64_t now_ms = time_monotonic_ms();
    int64_t next_ms = claimed_ms + (of_last_claim ? GATHER_MS : GATHER_IDLE_MS);

    if (hub->draining || !partner_register_ready() || !soon)
        return;
    if (claiming) {
        once_more = true;
        return;
    }
    if (now_ms < next_ms) {
        event_add(soon, &(struct timeval){0, (next_ms - now_ms) * 1000});
        return;
    }
    event_del(soon);
    claimed_ms = now_ms;
    claiming = true;
    hub_job(hub, &claim_flow, NULL, NULL);
}
