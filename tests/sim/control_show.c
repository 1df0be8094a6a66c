/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control API's questions.
 */
#include <stdlib.h>

#include "base/decimal.h"
#include "base/text.h"
#include "base/time.h"
#include "tests/sim/behave.h"
#include "tests/sim/cards.h"
#include "tests/sim/check.h"
#include "tests/sim/clock.h"
#include "tests/sim/control.h"
#include "tests/sim/print.h"
#include "tests/sim/record.h"
#include "tests/sim/store.h"

enum { WORLD_LIMIT = 100 };

const char *ask_query(struct ask *ask, const char *name)
{
    const char *value = http_query_get(ask->arena, ask->r->query, name, 0);

    return value && *value ? value : 0;
}

static void show_record(struct ask *ask, bool incoming)
{
    const char *after = ask_query(ask, "after");
    struct text out;

    text_init(&out, 0, PRINT_MAX);
    record_print(ask->sim->record, incoming, ask_query(ask, "path"), ask_query(ask, "method"),
                 ask_query(ask, "contains"), after ? strtoull(after, 0, 10) : 0, &out);
    ask_answer(ask, 200, out.bytes, out.length);
    text_done(&out);
}

void control_requests(struct ask *ask)
{
    show_record(ask, true);
}

void control_sent(struct ask *ask)
{
    show_record(ask, false);
}

void control_violations(struct ask *ask)
{
    struct text out;

    text_init(&out, 0, PRINT_MAX);
    check_print(ask->sim->check, &out);
    ask_answer(ask, 200, out.bytes, out.length);
    text_done(&out);
}

static void put_kwh(struct text *out, const char *key, int64_t mwh)
{
    char number[DECIMAL_TEXT];

    json_put_raw(out, key, decimal_print_u6(number, mwh, 0, 6));
}

static void show_evse(struct sim *sim, struct text *out, struct evse *e)
{
    if (e->session)
        session_account(e->session);
    json_begin_object(out, 0);
    json_put_text(out, "location", sim->world->locations[e->location].id);
    json_put_text(out, "uid", e->uid);
    json_put_text(out, "evse_id", e->evse_id);
    json_put_text(out, "status", ocpi_evse_status_name(e->status));
    json_put_bool(out, "plugged", e->car.plugged);
    json_put_int(out, "start_percent", e->car.start_percent);
    put_kwh(out, "battery_kwh", e->car.battery_mwh);
    put_kwh(out, "meter_kwh", e->meter_mwh);
    json_put_int(out, "power_w", e->session ? session_power_w(e->session) : 0);
    json_put_text(out, "session", e->session ? e->session->id : 0);
    json_end_object(out);
}

void control_world(struct ask *ask)
{
    struct sim *sim = ask->sim;
    const char *name = ask_query(ask, "evse"), *offset = ask_query(ask, "offset");
    const char *limit = ask_query(ask, "limit");
    size_t first = offset ? strtoul(offset, 0, 10) : 0;
    size_t most = limit ? strtoul(limit, 0, 10) : WORLD_LIMIT, shown = 0;
    struct text out;

    text_init(&out, 0, PRINT_MAX);
    json_begin_object(&out, 0);
    json_put_int(&out, "locations", sim->world->location_count);
    json_put_int(&out, "count", sim->world->evse_count);
    json_begin_array(&out, "evses");
    for (size_t i = first; i < sim->world->evse_count && shown < most; i++) {
        if (name && !evse_is(&sim->world->evses[i], name))
            continue;
        show_evse(sim, &out, &sim->world->evses[i]);
        shown++;
    }
    json_end_array(&out);
    json_end_object(&out);
    ask_answer(ask, 200, out.bytes, out.length);
    text_done(&out);
}

static void show_session(struct text *out, struct session *s)
{
    session_account(s);
    json_begin_object(out, 0);
    json_put_text(out, "id", s->id);
    json_put_text(out, "cdr_id", s->cdr_us != TIME_NONE ? s->cdr_id : 0);
    json_put_text(out, "state", session_state_name(s));
    json_put_text(out, "evse", s->evse->uid);
    json_put_text(out, "evse_id", s->evse->evse_id);
    json_put_text(out, "connector", s->connector->id);
    json_put_text(out, "uid", s->token.uid);
    json_put_text(out, "authorization_reference",
                  s->authorization_reference[0] ? s->authorization_reference : 0);
    put_kwh(out, "kwh", s->mwh);
    json_put_int(out, "power_w", session_power_w(s));
    json_put_bool(out, "profile", s->profile && s->profile->set);
    json_put_bool(out, "known_to_hub", s->known_to_hub);
    json_end_object(out);
}

void control_sessions(struct ask *ask)
{
    const struct sessions *all = ask->sim->sessions;
    struct text out;

    text_init(&out, 0, PRINT_MAX);
    json_begin_object(&out, 0);
    json_put_int(&out, "count", (int64_t)(all->count - all->first_visible));
    json_begin_array(&out, "sessions");
    for (size_t i = all->first_visible; i < all->count; i++)
        show_session(&out, all->list[i]);
    json_end_array(&out);
    json_end_object(&out);
    ask_answer(ask, 200, out.bytes, out.length);
    text_done(&out);
}

void control_cdrs(struct ask *ask)
{
    const struct sessions *all = ask->sim->sessions;
    struct text out;
    int64_t count = 0;

    text_init(&out, 0, PRINT_MAX);
    json_begin_object(&out, 0);
    json_begin_array(&out, "cdrs");
    for (size_t i = all->first_visible; i < all->count; i++) {
        if (all->list[i]->cdr_us == TIME_NONE)
            continue;
        print_cdr(pen_to_hub(ask->sim, &out), 0, all->list[i], (struct cdr_variant){0});
        count++;
    }
    json_end_array(&out);
    json_put_int(&out, "count", count);
    json_end_object(&out);
    ask_answer(ask, 200, out.bytes, out.length);
    text_done(&out);
}

/* A CPO's: those that were pushed; an eMSP's: its own. */
void control_tokens(struct ask *ask)
{
    struct sim *sim = ask->sim;
    const struct cards *cards = sim->cards;
    json_t *tokens = json_object_get(sim->store->received, MODULE_TOKENS), *entry;
    struct text out;
    const char *key;
    int64_t count = 0;

    text_init(&out, 0, PRINT_MAX);
    json_begin_object(&out, 0);
    json_begin_array(&out, "tokens");
    for (size_t i = 0; sim_is_emsp(sim) && i < cards->count; i++, count++)
        print_card(pen_to_hub(sim, &out), 0, &cards->list[i]);
    json_object_foreach(tokens, key, entry)
    {
        if (!entry_document(entry))
            continue;
        char *text = ask_heap_json(entry_document(entry));

        json_put_raw(&out, 0, text);
        free(text);
        count++;
    }
    json_end_array(&out);
    json_put_int(&out, "count", count);
    json_end_object(&out);
    ask_answer(ask, 200, out.bytes, out.length);
    text_done(&out);
}

void control_state(struct ask *ask)
{
    const struct sim *sim = ask->sim;
    char party[PARTY_TEXT];
    struct text out;

    text_init(&out, ask->arena, PRINT_MAX);
    json_begin_object(&out, 0);
    json_put_text(&out, "role", ocpi_role_name(sim->options->role));
    json_put_bool(&out, "registered", sim->reg.registered);
    json_put_text(&out, "version", version_name(sim->reg.version));
    json_put_text(&out, "hub", sim->reg.registered ? party_id_print(&sim->reg.hub, party) : 0);
    json_put_text(&out, "hub_versions_url", sim->reg.registered ? sim->reg.versions_url : 0);
    json_put_bool(&out, "offline", sim->offline);
    json_put_int(&out, "now_s", clock_now_us(sim->clock) / US_PER_SECOND);
    json_put_int(&out, "speed", clock_speed(sim->clock));
    behave_print(sim->behave, &out, "behave");
    json_begin_array(&out, "endpoints");
    for (size_t i = 0; i < sim->reg.endpoint_count; i++) {
        json_begin_object(&out, 0);
        json_put_text(&out, "identifier", sim->reg.endpoints[i].module);
        json_put_text(&out, "role", ocpi_interface_name(sim->reg.endpoints[i].role));
        json_put_text(&out, "url", sim->reg.endpoints[i].url);
        json_end_object(&out);
    }
    json_end_array(&out);
    json_end_object(&out);
    ask_answer(ask, 200, out.bytes, out.length);
}
