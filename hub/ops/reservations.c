/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reservations: an operator has a network hold an EVSE for a driver, or let it go (R-CMD-07).
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/location.h"
#include "db/reservation.h"
#include "hub/hub.h"
#include "hub/ops/ops.h"
#include "hub/ops/watch.h"
#include "hub/request.h"
#include "ocpi/evse_id.h"

enum { ID_MAX = 36, USER_ID_MAX = 255 };

struct reserve {
    char key[EVSE_ID_KEY];
    struct evses found;
    struct reservation_ask ask;
    struct reservation_asked asked;
    struct watch watch;
    struct reservation_state state;
};

/* ---- what is asked ---- */

static bool text_fits(const char *text, size_t max)
{
    return text && *text && strlen(text) <= max && text_is_printable_ascii(text);
}

static enum flow_next find(struct flow *f)
{
    struct reserve *s = f->state;
    const json_t *body = request_of(f)->json, *minutes = json_object_get(body, "minutes");
    struct field_errors errors;

    field_errors_init(&errors, f->arena);
    s->ask.user_id = json_text_of(body, "user_id");
    s->ask.id = json_text_of(body, "reservation_id");
    s->ask.minutes = json_integer_value(minutes);
    if (!text_fits(s->ask.user_id, USER_ID_MAX))
        field_errors_add(&errors, "user_id", "user_id_invalid",
                         "must name the driver: 1 to 255 printable characters");
    if (s->ask.id && !text_fits(s->ask.id, ID_MAX))
        field_errors_add(&errors, "reservation_id", "reservation_id_invalid",
                         "must be the id of a reservation");
    if (!json_is_integer(minutes) || s->ask.minutes < 1 || s->ask.minutes > RESERVATION_MINUTES_MAX)
        field_errors_add(&errors, "minutes", "minutes_invalid",
                         "must be a whole number from 1 to 1380");
    if (errors.count)
        return reply_field_errors(f, &errors);
    if (!evse_id_key(request_of(f)->params[0], s->key))
        return flow_fail(f, err_new(ERR_EVSE_NOT_FOUND));
    return evse_find(f, s->key, &s->found);
}

static enum flow_next store(struct flow *f)
{
    struct reserve *s = f->state;
    const struct evse *e = s->found.items;
    const struct settings *settings = hub_of(f)->settings;

    if (!s->found.count)
        return flow_fail(f, err_new(ERR_EVSE_NOT_FOUND));
    if (s->found.count > 1)
        return flow_fail(f, err_new(ERR_EVSE_AMBIGUOUS));
    if (!evse_has_capability(e, "RESERVABLE"))
        return flow_fail(f, err_at(f->arena, ERR_NETWORK_CANNOT, NULL,
                                   "EVSE %s cannot be reserved.", e->evse_id));
    s->ask.partner_id = e->partner_id;
    s->ask.country_code = e->country_code;
    s->ask.party_id = e->party_id;
    s->ask.location_id = e->location_id;
    s->ask.evse_uid = e->uid;
    s->ask.evse_id = e->evse_id;
    s->ask.contract_prefix =
        arena_printf(f->arena, "%s-%s", settings->country_code, settings->party_id);
    s->ask.by = request_of(f)->caller.name;
    return reservation_ask(f, &s->ask, &s->asked);
}

static enum flow_next cancel(struct flow *f)
{
    struct reserve *s = f->state;
    const struct request *r = request_of(f);

    return reservation_cancel(f, r->params[0], r->caller.name, &s->asked);
}

/* ---- what becomes of it ---- */

static enum flow_next watch(struct flow *f)
{
    struct reserve *s = f->state;

    if (s->asked.outcome == RESERVATION_NOT_FOUND)
        return flow_fail(
            f, err_at(f->arena, ERR_NOT_FOUND, NULL, "There is no such reservation any more."));
    if (s->asked.outcome == RESERVATION_NOT_SUPPORTED)
        return flow_fail(f, err_at(f->arena, ERR_NETWORK_CANNOT, NULL,
                                   "The network speaks OCPI 2.1.1, which has no command that "
                                   "cancels a reservation; it ends by itself."));
    s->watch.operation_id = s->asked.operation_id;
    return watch_operation(f, &s->watch);
}

static enum flow_next look(struct flow *f)
{
    struct reserve *s = f->state;

    if (s->watch.state.finished)
        FLOW_TRY(f, watch_refusal(f, &s->watch));
    return reservation_get(f, s->asked.id, &s->state);
}

static enum flow_next answer(struct flow *f)
{
    struct reserve *s = f->state;
    char time[TIME_TEXT];
    struct text t;

    text_init(&t, f->arena, 4096);
    json_begin_object(&t, NULL);
    json_put_text(&t, "reservation_id", s->asked.id);
    json_put_int(&t, "operation_id", s->asked.operation_id);
    json_put_text(&t, "state", s->state.state);
    json_put_text(&t, "expires_at", time_print_seconds(time, s->asked.until_us));
    json_end_object(&t);
    return reply_json(f, s->watch.state.finished ? 200 : 202, &t);
}

static const struct flow_step reserve_steps[] = {
    {"check and find the EVSE", find},
    {"store reservation and operation", store},
    {"send it and watch", watch},
    {"look at the reservation", look},
    {"answer", answer},
    {0},
};

const struct flow_type reserve_evse_flow = {
    .name = "reserve_evse",
    .state_size = sizeof(struct reserve),
    .deadline_ms = SECONDS(20),
    .steps = reserve_steps,
};

static const struct flow_step cancel_steps[] = {
    {"store the operation", cancel},
    {"send it and watch", watch},
    {"look at the reservation", look},
    {"answer", answer},
    {0},
};

const struct flow_type cancel_reservation_flow = {
    .name = "cancel_reservation",
    .state_size = sizeof(struct reserve),
    .deadline_ms = SECONDS(20),
    .steps = cancel_steps,
};
