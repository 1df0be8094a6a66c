/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client infos: which parties the hub connects, told to partners; and taken in from partners that
 * are hubs themselves (R-HCI).
 *
 *   GET      {details of the version}/hubclientinfo?date_from&date_to&offset&limit
 *   GET, PUT {details of the version}/hubclientinfo/{cc}/{pid}       partners that are hubs
 *
 * From 2.2.1 on; 2.1.1 has no such module (R-HCI-10). The list that a partner sees never has its
 * own parties, nor the hub (R-HCI-06, R-HCI-11).
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/client_info.h"
#include "db/partner.h"
#include "hub/hub.h"
#include "hub/partner/intake.h"
#include "hub/partner/partner_api.h"
#include "hub/partner/shared_lists.h"
#include "hub/request.h"
#include "hub/server/http_server.h"
#include "ocpi/object.h"

enum { PAGE_BYTES = 4 * 1024 * 1024 };

static struct err check_version(const struct flow *f)
{
    if (request_of(f)->version == OCPI_2_1_1)
        return err_rule(err_new(ERR_NOT_FOUND), "R-HCI-10");
    return OK;
}

static void put_info(struct text *t, const struct client_info *info)
{
    char updated[TIME_TEXT];

    json_begin_object(t, NULL);
    json_put_text(t, "country_code", info->country_code);
    json_put_text(t, "party_id", info->party_id);
    json_put_text(t, "role", info->role);
    json_put_text(t, "status", info->status);
    json_put_text(t, "last_updated", time_print_millis(updated, info->last_updated_us));
    json_end_object(t);
}

/* ---- the list ---- */

struct info_list {
    struct paging paging;
    struct client_infos infos;
};

static enum flow_next read_page(struct flow *f)
{
    struct info_list *l = f->state;
    const struct request *r = request_of(f);

    FLOW_TRY(f, check_version(f));
    struct err e =
        paging_read(f->arena, r->http->query, hub_of(f)->settings->page_limit, false, &l->paging);
    if (failed(e))
        return flow_fail(f, e.rule ? e : err_rule(e, "R-TRANS-44"));
    return client_info_list(f, r->caller.partner->id, l->paging.date_from_us, l->paging.date_to_us,
                            l->paging.offset, l->paging.limit, &l->infos);
}

static enum flow_next answer_page(struct flow *f)
{
    struct info_list *l = f->state;
    struct text t;

    text_init(&t, f->arena, PAGE_BYTES);
    json_begin_array(&t, NULL);
    for (size_t i = 0; i < l->infos.count; i++)
        put_info(&t, &l->infos.items[i]);
    json_end_array(&t);
    return reply_page(f, &l->paging, l->infos.count, l->infos.total, &t);
}

static const struct flow_step list_steps[] = {
    {"read the page", read_page}, {"answer", answer_page}, {0}};
const struct flow_type client_info_list_flow = {
    .name = "client_info_list",
    .state_size = sizeof(struct info_list),
    .deadline_ms = SECONDS(10),
    .steps = list_steps,
};

/* ---- from other hubs ---- */

struct info_write {
    struct client_info info;
    struct client_infos stored;
    bool created;
};

/* Only a hub knows of others (R-HCI-01). */
static struct err check_hub(struct flow *f)
{
    TRY(check_version(f));
    if (request_of(f)->caller.partner->hub)
        return OK;
    struct err e = err_at(f->arena, ERR_FORBIDDEN, NULL, "ClientInfo is taken from hubs only");
    e.expected = "a connection with the role HUB (2.2.1) or a hub_party_id (2.3.0)";
    return err_rule(e, "R-HCI-01");
}

static enum flow_next read_infos(struct flow *f)
{
    struct info_write *w = f->state;
    const struct request *r = request_of(f);

    FLOW_TRY(f, check_hub(f));
    return client_info_get(f, r->caller.partner->id, r->params[0], r->params[1], &w->stored);
}

/* The path has no role: of a party with several, the one that changed last (R-HCI-04). */
static enum flow_next show_newest(struct flow *f)
{
    struct info_write *w = f->state;
    const struct client_info *newest = NULL;
    struct text t;

    for (size_t i = 0; i < w->stored.count; i++)
        if (!newest || w->stored.items[i].last_updated_us > newest->last_updated_us)
            newest = &w->stored.items[i];
    if (!newest)
        return flow_fail(f, err_rule(err_new(ERR_OBJECT_NOT_FOUND), "R-TRANS-33"));
    text_init(&t, f->arena, PAGE_BYTES);
    put_info(&t, newest);
    return reply_ocpi(f, 200, t.bytes);
}

static const struct flow_step get_steps[] = {
    {"read it", read_infos}, {"show the newest", show_newest}, {0}};
const struct flow_type client_info_get_flow = {
    .name = "client_info_get",
    .state_size = sizeof(struct info_write),
    .deadline_ms = SECONDS(10),
    .steps = get_steps,
};

static struct err read_body(struct flow *f, struct client_info *ret)
{
    const struct request *r = request_of(f);
    const struct object_type *type = object_type_find(r->version, "ClientInfo");
    char now[TIME_TEXT];

    /* The published example has none (R-HCI-12). */
    if (!json_object_get(r->json, "last_updated"))
        json_object_set_new(r->json, "last_updated",
                            json_string(time_print_millis(now, time_now_us())));
    TRY(object_check(type, r->json, &r->caller.partner->peer.leniency, f->arena));
    TRY(intake_same(f, "/country_code", r->params[0], json_text_of(r->json, "country_code")));
    TRY(intake_same(f, "/party_id", r->params[1], json_text_of(r->json, "party_id")));
    *ret = (struct client_info){
        .country_code = r->params[0],
        .party_id = r->params[1],
        .role = json_text_of(r->json, "role"),
        .status = json_text_of(r->json, "status"),
        .last_updated_us = intake_updated(r->json),
    };
    return OK;
}

static enum flow_next store(struct flow *f)
{
    struct info_write *w = f->state;

    FLOW_TRY(f, check_hub(f));
    FLOW_TRY(f, read_body(f, &w->info));
    return client_info_put(f, request_of(f)->caller.partner->id, &w->info, &w->created);
}

static enum flow_next answer(struct flow *f)
{
    struct info_write *w = f->state;

    return reply_ocpi(f, w->created ? 201 : 200, NULL);
}

static const struct flow_step put_steps[] = {{"check and store", store}, {"answer", answer}, {0}};
const struct flow_type client_info_put_flow = {
    .name = "client_info_put",
    .state_size = sizeof(struct info_write),
    .deadline_ms = SECONDS(10),
    .steps = put_steps,
};
