/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared lists: what eMSPs and other partners read of the objects of CPOs, from the hub's store
 * (R-ROUTE-30..33).
 *
 *   GET /ocpi/cpo/{version}/locations|tariffs|sessions|cdrs?offset&limit&date_from&date_to
 *   GET /ocpi/cpo/{version}/locations/{location}[/{evse}[/{connector}]]
 *
 * Who may see what stands in the store's statements (db/share.h): an object of others is a missing
 * one. Documents go out in the version of the URL (hub/partner/retell.h); one that is not told in
 * it is left out of lists and missing by itself (R-BR-47). X-Total-Count leaves out what is known
 * beforehand not to be told, and counts what only the translation finds: then a page is shorter
 * than it could be (R-BR-46).
 */
#include "hub/partner/shared_lists.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/alias.h"
#include "db/partner.h"
#include "hub/hub.h"
#include "hub/partner/partner_api.h"
#include "hub/partner/rename.h"
#include "hub/routes.h"
#include "hub/server/http_server.h"

enum {
    LOCATION_VALUES = 1000000,
    REPLY_DATA_MAX = 7 * 1024 * 1024,
    GATHER_BYTES = 64 * 1024, /* read for their ids between two looks at the loop */
};

/* ---- what is asked ---- */

void share_ask_of(struct flow *f, enum share_kind kind, struct share_ask *ret)
{
    const struct request *r = request_of(f);
    const struct settings *s = hub_of(f)->settings;
    struct party_id ours;

    *ret = (struct share_ask){
        .kind = kind,
        .reader_id = r->caller.partner->id,
        .for_2_1_1 = r->version == OCPI_2_1_1,
        .date_from_us = TIME_NONE,
        .date_to_us = TIME_NONE,
    };
    if (r->version == OCPI_2_1_1) /* R-BR-04: it has no headers, and one party per connection */
        return;
    ret->reader = r->caller.from;
    if (party_id_is_set(&r->caller.to) && !(party_id_make(s->country_code, s->party_id, &ours) &&
                                            party_id_equal(&ours, &r->caller.to)))
        ret->owner = r->caller.to;
}

struct err shared_list_named(struct flow *f)
{
    const struct request *r = request_of(f);

    if (r->version == OCPI_2_1_1 || http_header(r->http, HEADER_TO_PARTY_ID) ||
        r->caller.partner->peer.quirks.lenient_routing)
        return OK;
    struct err e = err_at(f->arena, ERR_BAD_FIELD, HEADER_TO_PARTY_ID,
                          "%s: a list needs the party it is asked of", HEADER_TO_PARTY_ID);
    e.expected = "the party of the hub for everybody's objects, or that of their owner";
    return err_rule(e, "R-ROUTE-22");
}

static bool owner_is_missing(const struct share_ask *ask, int64_t total)
{
    return party_id_is_set(&ask->owner) && !total && ask->date_from_us == TIME_NONE &&
           ask->date_to_us == TIME_NONE;
}

enum flow_next shared_list_contracts(struct flow *f, const struct share_ask *ask, int64_t total,
                                     struct contracts *ret)
{
    return owner_is_missing(ask, total) ? contract_list(f, &ask->owner, &ask->reader, ret)
                                        : FLOW_NEXT;
}

struct err shared_list_connected(struct flow *f, const struct share_ask *ask, int64_t total,
                                 const struct contracts *found)
{
    const char *module = request_of(f)->route->module;
    bool allowed = false, denied = false;

    if (!owner_is_missing(ask, total))
        return OK;
    for (size_t i = 0; i < found->count; i++) {
        const struct contract *c = &found->items[i];
        bool ours = c->module && strcmp(c->module, module) == 0;
        allowed |= c->allowed && (ours || !c->module);
        denied |= !c->allowed && ours;
    }
    if (allowed && !denied)
        return OK;
    return err_rule(err_at(f->arena, ERR_UNKNOWN_RECEIVER, HEADER_TO_PARTY_ID,
                           "%s-%s is not connected here", ask->owner.country_code,
                           ask->owner.party_id),
                    "R-ROUTE-41");
}

/* ---- what is told ---- */

struct retell_ask shared_object_ask(const struct flow *f, const char *object,
                                    const struct shared_object *o)
{
    const struct request *r = request_of(f);

    return (struct retell_ask){
        .object = object,
        .id = o->id,
        .document = o->document,
        .length = o->length,
        .from = o->ocpi,
        .to = r->version,
        .reader = r->caller.partner,
        .country_code = o->country_code,
        .party_id = o->party_id,
        .location = o->location,
        .location_version = o->location_ocpi,
        .token_country_code = o->token_country_code,
        .token_party_id = o->token_party_id,
    };
}

enum flow_next reply_page(struct flow *f, const struct paging *paging, size_t used, int64_t total,
                          const struct text *data)
{
    const struct request *r = request_of(f);
    const struct hub *hub = hub_of(f);
    struct paging page = *paging;
    const char *endpoint;

    if (text_overflowed(data))
        return flow_fail(f, err_at(f->arena, ERR_INTERNAL, NULL, "the page grew too large"));
    /* The next page begins behind what this one speaks for, which may be less than the limit:
     * paging_link adds the limit to the offset. */
    if (page.limit > 0)
        page.offset += (int64_t)used - page.limit;
    endpoint = arena_printf(f->arena, "%s/ocpi/%s/%s/%s", hub->public_url, face_name(r->face),
                            version_name(r->version), r->route->module);
    if (r->face == FACE_PLATFORM) /* what lies below the details */
        endpoint = arena_printf(f->arena, "%s/ocpi/%s/%s", hub->public_url,
                                version_name(r->version), r->route->module);
    const char *link = used ? paging_link(f->arena, endpoint, r->http->query, &page, total) : NULL;
    struct reply_header headers[] = {
        {HEADER_TOTAL_COUNT, arena_printf(f->arena, "%lld", (long long)total)},
        {HEADER_LIMIT, arena_printf(f->arena, "%lld", (long long)hub->settings->page_limit)},
        {HEADER_LINK, link},
    };
    return reply_ocpi_headers(f, 200, data->bytes, headers, link ? 3 : 2);
}

/* ---- lists ---- */

static const struct listed {
    const char *module, *object;
    enum share_kind kind;
} LISTED[] = {
    {MODULE_LOCATIONS, "Location", SHARE_LOCATIONS},
    {MODULE_TARIFFS, "Tariff", SHARE_TARIFFS},
    {MODULE_SESSIONS, "Session", SHARE_SESSIONS},
    {MODULE_CDRS, "CDR", SHARE_CDRS},
};

struct naming {
    struct rename_ids ids;
    size_t next; /* of the page: the ids in those before it are known */
};

struct shared_list {
    const struct listed *what;
    struct paging paging;
    struct share_ask ask;
    struct share_page page;
    struct contracts contracts;
    size_t next; /* of the page */
    bool learnt;
    struct retell_known known; /* of the next */
    struct naming naming;
    struct aliases aliases; /* for a reader of 2.1.1 */
    struct text data;
};

static enum flow_next read_page(struct flow *f)
{
    struct shared_list *l = f->state;
    const struct request *r = request_of(f);

    for (size_t i = 0; i < sizeof LISTED / sizeof *LISTED; i++)
        if (strcmp(LISTED[i].module, r->route->module) == 0)
            l->what = &LISTED[i];
    if (!l->what)
        return flow_fail(f, err_new(ERR_INTERNAL));
    FLOW_TRY(f, shared_list_named(f));
    bool sessions = l->what->kind == SHARE_SESSIONS;
    struct err e = paging_read(f->arena, r->http->query, hub_of(f)->settings->page_limit, sessions,
                               &l->paging);
    if (failed(e))
        return flow_fail(f, e.rule ? e
                                   : err_rule(e, e.where && !strcmp(e.where, "date_from")
                                                     ? "R-TRANS-42"
                                                     : "R-TRANS-44"));
    share_ask_of(f, l->what->kind, &l->ask);
    l->ask.date_from_us = l->paging.date_from_us;
    l->ask.date_to_us = l->paging.date_to_us;
    l->ask.offset = l->paging.offset;
    l->ask.limit = l->paging.limit;
    text_init(&l->data, f->arena, REPLY_DATA_MAX);
    json_begin_array(&l->data, NULL);
    return share_list(f, &l->ask, &l->page);
}

static enum flow_next look_for_owner(struct flow *f)
{
    struct shared_list *l = f->state;

    return shared_list_contracts(f, &l->ask, l->page.total, &l->contracts);
}

static enum flow_next check_owner(struct flow *f)
{
    struct shared_list *l = f->state;

    FLOW_TRY(f, shared_list_connected(f, &l->ask, l->page.total, &l->contracts));
    return FLOW_NEXT;
}

/* What a reader of 2.1.1 calls them, and what they mention. The ids are gathered a slice at a time,
 * then all names are looked up at once. */
static enum flow_next look_up_names(struct flow *f, const struct share_page *page, bool sessions,
                                    struct naming *n, struct aliases *ret)
{
    const struct request *r = request_of(f);
    const char **ids;
    struct party_id *owners;
    size_t read = 0;

    if (r->version != OCPI_2_1_1)
        return FLOW_NEXT;
    for (; n->next < page->count; n->next++) {
        const struct shared_object *o = &page->items[n->next];

        if (read > GATHER_BYTES) {
            flow_sleep(f, 0);
            return FLOW_AGAIN;
        }
        rename_gather(f->arena, o->document, o->length, &n->ids);
        rename_gather(f->arena, o->location, o->location ? strlen(o->location) : 0, &n->ids);
        read += o->length + (o->location ? strlen(o->location) : 0);
    }
    owners = arena_alloc(f->arena, sizeof(*owners) * (page->count + 1));
    ids = arena_alloc(f->arena, sizeof(*ids) * (page->count + 1));
    for (size_t i = 0; i < page->count; i++) {
        (void)party_id_make(page->items[i].country_code, page->items[i].party_id, &owners[i]);
        ids[i] = page->items[i].id;
    }
    return aliases_find(f,
                        &(struct alias_ask){.reader_id = r->caller.partner->id,
                                            .owners = owners,
                                            .owner_count = page->count,
                                            .session_ids = sessions ? ids : NULL,
                                            .ids = n->ids.items,
                                            .id_count = n->ids.count},
                        ret);
}

static enum flow_next name_page(struct flow *f)
{
    struct shared_list *l = f->state;

    return look_up_names(f, &l->page, l->what->kind == SHARE_SESSIONS, &l->naming, &l->aliases);
}

/* A slice at a time: others are served in between. */
static enum flow_next tell_slice(struct flow *f)
{
    struct shared_list *l = f->state;
    size_t turned = 0;

    while (l->next < l->page.count && turned < PAGE_SLICE) {
        const struct shared_object *o = &l->page.items[l->next];
        struct retell_ask ask = shared_object_ask(f, l->what->object, o);
        struct retold told;

        if (l->next && l->data.length + o->length > PAGE_DATA_BYTES)
            return FLOW_NEXT;
        if (!l->learnt) {
            l->learnt = true;
            if (retell_learn(f, &ask, &l->known))
                return FLOW_AGAIN;
        }
        ask.known = &l->known;
        ask.aliases = &l->aliases;
        retell(f, &ask, &told);
        if (told.document)
            json_put_raw_bytes(&l->data, NULL, told.document, told.length);
        if (ask.from != ask.to)
            turned += o->length + (o->location ? strlen(o->location) : 0);
        l->next++;
        l->learnt = false;
    }
    if (l->next == l->page.count)
        return FLOW_NEXT;
    flow_sleep(f, 0);
    return FLOW_AGAIN;
}

static enum flow_next answer_page(struct flow *f)
{
    struct shared_list *l = f->state;

    json_end_array(&l->data);
    return reply_page(f, &l->paging, l->next, l->page.total, &l->data);
}

static const struct flow_step list_steps[] = {
    {"read the page", read_page},
    {"look for the owner", look_for_owner},
    {"check that it is connected", check_owner},
    {"name what is told", name_page},
    {"tell a slice of it", tell_slice},
    {"answer", answer_page},
    {0},
};
const struct flow_type shared_list_flow = {
    .name = "shared_list",
    .state_size = sizeof(struct shared_list),
    .deadline_ms = SECONDS(10),
    .steps = list_steps,
};

/* ---- one Location, or a part of it ---- */

struct shared_location {
    struct share_ask ask;
    struct share_page page;
    struct alias_resolved named;
    struct naming naming;
    struct aliases aliases;
};

/* The id may be a name that we gave, or stand for a longer one (R-BR-07). */
static enum flow_next look_up_name(struct flow *f)
{
    struct shared_location *l = f->state;
    const struct request *r = request_of(f);

    if (r->version != OCPI_2_1_1 && text_utf8_count(r->params[0]) != ALIAS_OF_LONG_ID)
        return FLOW_NEXT;
    return alias_resolve(f, r->caller.partner->id, false, ALIAS_LOCATIONS, r->params[0], &l->named);
}

static enum flow_next find_location(struct flow *f)
{
    struct shared_location *l = f->state;

    share_ask_of(f, SHARE_LOCATIONS, &l->ask);
    if (l->named.found && !party_id_is_set(&l->ask.owner))
        l->ask.owner = l->named.owner;
    return share_get(f, &l->ask, l->named.found ? l->named.id : request_of(f)->params[0], &l->page);
}

static enum flow_next name_location(struct flow *f)
{
    struct shared_location *l = f->state;

    return look_up_names(f, &l->page, false, &l->naming, &l->aliases);
}

/* Unknown, of others, not told in this version: all the same. */
static struct err no_such_location(void)
{
    return err_rule(err_new(ERR_UNKNOWN_LOCATION), "R-TRANS-33");
}

/* Where owners share an id and none was named, the one we have known longest answers, as the first
 * success of an open request would (R-ROUTE-23). */
static enum flow_next show_location(struct flow *f)
{
    struct shared_location *l = f->state;
    const struct request *r = request_of(f);
    struct retold told = {0};
    size_t length;
    json_t *part;

    for (size_t i = 0; i < l->page.count && !told.document; i++) {
        struct retell_ask ask = shared_object_ask(f, "Location", &l->page.items[i]);
        ask.aliases = &l->aliases;
        retell(f, &ask, &told);
    }
    if (!told.document)
        return flow_fail(f, no_such_location());
    if (r->param_count == 1)
        return reply_ocpi(f, 200, told.document);
    FLOW_TRY(f, json_read(f->arena, told.document, told.length, LOCATION_VALUES, &part));
    part = retold_part(part, "evses", "uid", r->params[1]);
    if (part && r->param_count > 2)
        part = retold_part(part, "connectors", "id", r->params[2]);
    if (!part)
        return flow_fail(f, no_such_location());
    return reply_ocpi(f, 200, json_text(f->arena, part, &length));
}

static const struct flow_step location_steps[] = {
    {"look up its name", look_up_name},
    {"find the Location", find_location},
    {"name what is told", name_location},
    {"show the part", show_location},
    {0},
};
const struct flow_type shared_location_flow = {
    .name = "shared_location",
    .state_size = sizeof(struct shared_location),
    .deadline_ms = SECONDS(10),
    .steps = location_steps,
};
