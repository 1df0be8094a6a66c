/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EVSE lookup (contract 5.7): what may be started where, and what it costs there: what a start at
 * this moment would be charged by, component by component.
 */
#include <string.h>

#include "base/decimal.h"
#include "base/text.h"
#include "base/time.h"
#include "db/location.h"
#include "hub/api/api.h"
#include "hub/finance/offer.h"
#include "hub/request.h"
#include "ocpi/evse_id.h"

struct show_evse {
    char key[EVSE_ID_KEY];
    struct evses found;
    const struct evse *evse;
    struct offer offer;
};

static enum flow_next find(struct flow *f)
{
    struct show_evse *s = f->state;

    if (!evse_id_key(request_of(f)->params[0], s->key))
        return flow_fail(f, err_new(ERR_EVSE_NOT_FOUND));
    return evse_find(f, s->key, &s->found);
}

/* The one whose operator the id names, else the only one. */
static struct err choose(const struct show_evse *s, const struct evse **ret)
{
    struct party_id operator, party;
    bool named = evse_id_operator(s->key, &operator);
    size_t visible = 0;

    for (size_t i = 0; i < s->found.count; i++) {
        const struct evse *e = &s->found.items[i];
        if (!e->published)
            continue;
        visible++;
        *ret = e;
        if (named && party_id_make(e->country_code, e->party_id, &party) &&
            party_id_equal(&operator, &party))
            return OK;
    }
    if (visible == 1)
        return OK;
    return err_new(visible ? ERR_EVSE_AMBIGUOUS : ERR_EVSE_NOT_FOUND);
}

static bool is_startable(const struct evse *e)
{
    return e->network_enabled && strcmp(e->status, "REMOVED") != 0 &&
           strcmp(e->status, "PLANNED") != 0 && evse_starts_remotely(e);
}

/* Coordinates are text in OCPI and numbers here; what is no number is null. */
static void put_coordinate(struct text *t, const char *key, const char *value)
{
    char number[DECIMAL_TEXT];
    int64_t u6;

    if (value && decimal_parse_u6(value, &u6))
        json_put_raw(t, key, decimal_print_u6(number, u6, 1, 6));
    else
        json_put_null(t, key);
}

static void put_connector(struct text *t, const struct evse_connector *c)
{
    char number[DECIMAL_TEXT];

    json_begin_object(t, NULL);
    json_put_text(t, "id", c->id);
    json_put_text(t, "standard", c->standard);
    json_put_text(t, "format", c->format);
    json_put_raw(t, "power_kw", decimal_print_u6(number, c->power_w * 1000, 1, 3));
    json_end_object(t);
}

/* The connector that a start without a connector_type would take. */
static const struct evse_connector *usual_connector(const struct evse *e)
{
    const struct evse_connector *best = NULL;

    for (size_t i = 0; i < e->connector_count; i++) {
        const struct evse_connector *c = &e->connectors[i];
        if (!best || c->power_w > best->power_w ||
            (c->power_w == best->power_w && text_compare_caseless(c->id, best->id) < 0))
            best = c;
    }
    return best;
}

static enum flow_next open_book(struct flow *f)
{
    struct show_evse *s = f->state;

    FLOW_TRY(f, choose(s, &s->evse));
    s->offer = (struct offer){.evse = s->evse,
                              .connector = usual_connector(s->evse),
                              .user_id = request_of(f)->caller.user_id,
                              .shown = true};
    return s->offer.connector ? offer_begin(f, &s->offer) : FLOW_NEXT;
}

static enum flow_next read_prices(struct flow *f)
{
    struct show_evse *s = f->state;

    return s->offer.connector ? offer_read(f, &s->offer) : FLOW_NEXT;
}

static void put_tariff(struct flow *f, struct text *t, struct offer *o)
{
    if (o->connector)
        offer_make(f, o, time_now_us());
    if (o->priced)
        retail_tariff_print_public(&o->price, t, "tariff");
    else
        json_put_null(t, "tariff");
}

static enum flow_next answer(struct flow *f)
{
    struct show_evse *s = f->state;
    const struct evse *e = s->evse;
    char time[TIME_TEXT];
    struct text t;

    text_init(&t, f->arena, 256 * 1024);
    json_begin_object(&t, NULL);
    json_put_text(&t, "evse_id", e->evse_id);
    json_put_text(&t, "network", e->network);
    json_put_text(&t, "status", e->status);
    json_put_bool(&t, "startable", is_startable(e));
    json_put_bool(&t, "profiles", evse_has_capability(e, "CHARGING_PROFILE_CAPABLE"));
    json_begin_object(&t, "location");
    json_put_text(&t, "name", e->name);
    json_put_text(&t, "address", e->address);
    json_put_text(&t, "city", e->city);
    json_put_text(&t, "country", e->country);
    json_put_text(&t, "time_zone", e->time_zone);
    put_coordinate(&t, "latitude", e->latitude);
    put_coordinate(&t, "longitude", e->longitude);
    json_end_object(&t);
    json_begin_array(&t, "connectors");
    for (size_t i = 0; i < e->connector_count; i++)
        put_connector(&t, &e->connectors[i]);
    json_end_array(&t);
    put_tariff(f, &t, &s->offer);
    json_put_text(&t, "updated_at", time_print_seconds(time, e->updated_us));
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step steps[] = {
    {"find the EVSE", find},
    {"open the book of prices", open_book},
    {"read what else the price needs", read_prices},
    {"answer", answer},
    {0},
};

const struct flow_type show_evse_flow = {
    .name = "show_evse",
    .state_size = sizeof(struct show_evse),
    .deadline_ms = SECONDS(10),
    .steps = steps,
};
