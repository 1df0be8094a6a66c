/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a CPO offers: lists and objects of locations, tariffs, sessions, CDRs.
 */
#include "base/text.h"
#include "base/time.h"
#include "ocpi/envelope.h"
#include "tests/sim/behave.h"
#include "tests/sim/call.h"
#include "tests/sim/list.h"
#include "tests/sim/print.h"

/* --- locations --- */

static int64_t location_changed(struct sim *sim, size_t index)
{
    const struct location *l = &sim->world->locations[index];

    if (l->hidden || (index == 1 && behave_acts(sim->behave, BEHAVE_DELETED_BY_ABSENCE, 0)))
        return TIME_NONE;
    return l->updated_us;
}

static void location_print(struct pen pen, size_t index)
{
    print_location(pen, 0, &pen.sim->world->locations[index]);
}

static bool print_part(struct call *call, struct text *out)
{
    struct pen pen = call_pen(call, out);
    const struct world *w = call->sim->world;
    const struct location *l = world_location(w, call->rest[0]);
    const struct evse *e = call->rest_count > 1 ? world_evse(w, call->rest[1]) : 0;
    const struct connector *c = e && call->rest_count > 2 ? evse_connector(e, call->rest[2]) : 0;

    if (!l || l->hidden || (call->rest_count > 1 && (!e || &w->locations[e->location] != l)) ||
        (call->rest_count > 2 && !c) || call->rest_count > 3)
        return false;
    if (c)
        print_connector(pen, 0, e, c);
    else if (e)
        print_evse(pen, 0, e);
    else
        print_location(pen, 0, l);
    return true;
}

void serve_locations(struct call *call)
{
    struct text data;

    if (call->rest_count == 0) {
        serve_list(call,
                   &(struct list){MODULE_LOCATIONS, call->sim->world->location_count,
                                  location_changed, location_print, "coordinates"},
                   false);
        return;
    }
    text_init(&data, call->arena, PRINT_MAX);
    if (print_part(call, &data))
        call_ok(call, data.bytes);
    else
        call_answer(call, 404, OCPI_UNKNOWN_LOCATION, "no such location", 0);
}

/* --- tariffs --- */

static int64_t tariff_changed(struct sim *sim, size_t index)
{
    const struct tariff *t = &sim->world->tariffs[index];

    return t->deleted ? TIME_NONE : t->updated_us;
}

static void tariff_print(struct pen pen, size_t index)
{
    print_tariff(pen, 0, &pen.sim->world->tariffs[index]);
}

void serve_tariffs(struct call *call)
{
    serve_list(call,
               &(struct list){MODULE_TARIFFS, call->sim->world->tariff_count, tariff_changed,
                              tariff_print, "currency"},
               false);
}

/* --- sessions and CDRs --- */

static int64_t session_changed(struct sim *sim, size_t index)
{
    struct session *s = sim->sessions->list[index];

    if (index < sim->sessions->first_visible || !session_is_visible(s))
        return TIME_NONE;
    return s->updated_us;
}

static void session_print(struct pen pen, size_t index)
{
    print_session(pen, 0, pen.sim->sessions->list[index]);
}

void serve_sessions(struct call *call)
{
    struct text data;

    if (call->rest_count == 0) {
        serve_list(call,
                   &(struct list){MODULE_SESSIONS, call->sim->sessions->count, session_changed,
                                  session_print, "kwh"},
                   true);
        return;
    }
    /* OCPI has no GET of one Session at the sender; answering it helps those who try. */
    struct session *s = session_find(call->sim, call->rest[0]);
    if (!s) {
        call_not_found(call, "no such session");
        return;
    }
    text_init(&data, call->arena, PRINT_MAX);
    print_session(call_pen(call, &data), 0, s);
    call_ok(call, data.bytes);
}

/* The usual ones, then those that followed. */
static int64_t cdr_changed(struct sim *sim, size_t index)
{
    const struct sessions *all = sim->sessions;

    if (index < all->count)
        return index < all->first_visible ? TIME_NONE : all->list[index]->cdr_us;
    index -= all->count;
    return index < all->later_first_visible ? TIME_NONE : all->later[index]->updated_us;
}

static void cdr_print(struct pen pen, size_t index)
{
    const struct sessions *all = pen.sim->sessions;

    if (index < all->count) {
        print_cdr(pen, 0, all->list[index], (struct cdr_variant){0});
    } else {
        const struct later_cdr *l = all->later[index - all->count];

        print_cdr(pen, 0, l->session, later_cdr_variant(l));
    }
}

void serve_cdrs(struct call *call)
{
    const struct sessions *all = call->sim->sessions;

    serve_list(call,
               &(struct list){MODULE_CDRS, all->count + all->later_count, cdr_changed, cdr_print,
                              "total_cost"},
               false);
}
