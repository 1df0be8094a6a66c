/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the control API that happens at a charging network.
 */
#include <stdlib.h>

#include "adapters/http_client.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/envelope.h"
#include "tests/sim/callback.h"
#include "tests/sim/control.h"
#include "tests/sim/print.h"
#include "tests/sim/push.h"
#include "tests/sim/session_push.h"

/* --- a driver with somebody's card --- */

struct arrival {
    struct ask *ask;
    struct evse *evse;
    const struct connector *connector;
    struct session_token token;
};

static void token_member(char *to, size_t size, const json_t *token, const char *key,
                         const char *otherwise)
{
    const char *value = json_text_of(token, key);

    text_copy(to, size, value ? value : otherwise);
}

static void put_members(struct text *out, const char *id, const char *cdr_id, const char *allowed)
{
    json_put_text(out, "id", id);
    json_put_text(out, "cdr_id", cdr_id);
    json_put_text(out, "allowed", allowed);
}

static struct session *arrival_begin(struct arrival *a, const char *reference, const char *method)
{
    const char *to = json_text_of(a->ask->json, "to");
    struct session *s =
        session_new(a->ask->sim, a->evse, a->connector, &a->token, reference, method, 0);

    s->to_open = to && strcmp(to, "none") == 0;
    if (to && !s->to_open)
        party_id_parse(to, &s->to);
    session_begin(s);
    return s;
}

static void arrival_asked(struct push *p, const struct http_answer *answer)
{
    struct arrival *a = p->arg;
    struct ask *ask = a->ask;
    struct session *s = 0;
    struct envelope e;
    struct text out;

    envelope_read(ask->arena, answer->status, answer->body, answer->body_length, 0, &e);
    const char *allowed = json_text_of(e.data, "allowed");
    if (envelope_is_success(&e) && allowed && strcmp(allowed, "ALLOWED") == 0)
        s = arrival_begin(a, json_text_of(e.data, "authorization_reference"), "AUTH_REQUEST");
    text_init(&out, 0, PRINT_MAX);
    json_begin_object(&out, 0);
    put_members(&out, s ? s->id : 0, s ? s->cdr_id : 0, allowed);
    json_begin_object(&out, "answer");
    ask_put_answer(ask, answer, &out);
    json_end_object(&out);
    json_end_object(&out);
    ask_answer(ask, 200, out.bytes, out.length);
    text_done(&out);
}

static void arrival_ask(struct arrival *a)
{
    struct ask *ask = a->ask;
    const char *endpoint = sim_endpoint(ask->sim, MODULE_TOKENS, OCPI_INTERFACE_SENDER);
    const char *location = ask->sim->world->locations[a->evse->location].id;

    if (!endpoint) {
        ask_wrong(ask, "the hub offers no tokens");
        return;
    }
    const char *url = url_join(ask->arena, endpoint, a->token.uid, "authorize", NULL);
    json_t *body = json_pack("{s:s, s:[s]}", "location_id", location, "evse_uids", a->evse->uid);
    struct push *p =
        push_new(ask->sim, "POST", MODULE_TOKENS,
                 url_query(ask->arena, url, "type", a->token.type, NULL), ask_heap_json(body));
    json_decref(body);
    ask_address(ask, p);
    if (!p->open && !party_id_is_set(&p->to) && ask->sim->reg.routes)
        party_id_make(a->token.country_code, a->token.party_id, &p->to);
    p->done = arrival_asked;
    p->arg = a;
    push_send(p, 0);
}

void control_start_session(struct ask *ask)
{
    struct arrival *a = arena_alloc(ask->arena, sizeof(*a));
    const json_t *token = json_object_of(ask->json, "token");
    struct text out;

    a->ask = ask;
    a->evse = ask_evse(ask);
    if (!a->evse)
        return;
    a->connector = evse_connector(a->evse, ask_text(ask, "connector", "1"));
    if (!a->connector || a->evse->session) {
        ask_wrong(ask, a->connector ? "a session is open on this EVSE" : "no such connector");
        return;
    }
    struct session_token *t = &a->token;
    token_member(t->country_code, sizeof(t->country_code), token, "country_code", "DE");
    token_member(t->party_id, sizeof(t->party_id), token, "party_id", "EMS");
    token_member(t->uid, sizeof(t->uid), token, "uid", "CARD-1");
    token_member(t->type, sizeof(t->type), token, "type", "RFID");
    token_member(t->contract_id, sizeof(t->contract_id), token, "contract_id", "DE-EMS-CARD-1");
    if (ask_bool(ask, "authorize", false)) {
        arrival_ask(a);
        return;
    }
    struct session *s = arrival_begin(a, 0, "WHITELIST");
    text_init(&out, ask->arena, 4096);
    json_begin_object(&out, 0);
    put_members(&out, s->id, s->cdr_id, 0);
    json_end_object(&out);
    ask_answer(ask, 200, out.bytes, out.length);
}

/* --- credit CDRs --- */

static struct session *session_of_cdr(const struct sim *sim, const char *cdr_id)
{
    const struct sessions *all = sim->sessions;

    for (size_t i = all->first_visible; i < all->count; i++) {
        if (all->list[i]->cdr_us != TIME_NONE && strcasecmp(all->list[i]->cdr_id, cdr_id) == 0)
            return all->list[i];
    }
    return 0;
}

void control_credit(struct ask *ask)
{
    struct session *s = session_of_cdr(ask->sim, ask_text(ask, "cdr_id", ""));
    bool corrected = ask_bool(ask, "corrected", false);
    const struct later_cdr *credit, *correction = 0;
    int64_t more_u6 = 0;
    struct text out;

    json_number_u6(json_object_get(ask->json, "cost_more"), false, &more_u6);
    if (!s) {
        ask_wrong(ask, "\"cdr_id\": no such CDR");
        return;
    }
    if (ask->sim->reg.version == OCPI_2_1_1) {
        ask_wrong(ask, "2.1.1 has no credit CDRs");
        return;
    }
    credit = later_cdr_new(s, true, 0);
    push_cdr(s, later_cdr_variant(credit));
    if (corrected) {
        correction = later_cdr_new(s, false, more_u6);
        push_cdr(s, later_cdr_variant(correction));
    }
    text_init(&out, ask->arena, 4096);
    json_begin_object(&out, 0);
    json_put_text(&out, "credit_id", credit->id);
    json_put_text(&out, "corrected_id", correction ? correction->id : 0);
    json_end_object(&out);
    ask_answer(ask, 200, out.bytes, out.length);
}

/* --- locations --- */

static void change_evse(struct ask *ask)
{
    struct sim *sim = ask->sim;
    bool remove = ask_bool(ask, "remove", false);
    enum ocpi_evse_status to = ocpi_evse_status_parse(json_text_of(ask->json, "status"));
    struct evse *e = ask_evse(ask);

    if (!e)
        return;
    if (remove)
        to = OCPI_EVSE_REMOVED;
    if (to == OCPI_EVSE_NONE || to == OCPI_EVSE_UNLISTED) {
        ask_wrong(ask, "\"status\": not a Status of OCPI");
        return;
    }
    e->usual_status = to;
    evse_touch(sim->world, e, to);
    if (ask_bool(ask, "push", true)) {
        if (ask_bool(ask, "put", remove))
            push_evse(sim, e);
        else
            push_evse_status(sim, e);
    }
    ask_done(ask);
}

static void change_location(struct ask *ask, const char *id)
{
    struct location *l = world_location(ask->sim->world, id);

    if (!l) {
        ask_wrong(ask, "\"location\": no such location");
        return;
    }
    const char *name = json_text_of(ask->json, "name");
    if (name && !text_copy(l->name, sizeof(l->name), name)) {
        ask_wrong(ask, "\"name\" is too long");
        return;
    }
    l->hidden = ask_bool(ask, "hidden", l->hidden);
    l->updated_us = time_now_us();
    if (!l->hidden && ask_bool(ask, "push", true))
        push_location(ask->sim, l);
    ask_done(ask);
}

void control_location(struct ask *ask)
{
    struct sim *sim = ask->sim;
    const char *id = json_text_of(ask->json, "location");

    if (ask_bool(ask, "all", false)) {
        for (size_t i = 0; i < sim->world->tariff_count; i++) {
            if (!sim->world->tariffs[i].deleted)
                push_tariff(sim, &sim->world->tariffs[i]);
        }
        for (unsigned i = 0; i < sim->world->location_count; i++) {
            if (!sim->world->locations[i].hidden)
                push_location(sim, &sim->world->locations[i]);
        }
        ask_done(ask);
    } else if (id) {
        change_location(ask, id);
    } else {
        change_evse(ask);
    }
}

void control_touch(struct ask *ask)
{
    int64_t count = ask_int(ask, "count", 1);

    if (count < 0) {
        ask_wrong(ask, "\"count\" is a whole number");
        return;
    }
    world_touch(ask->sim->world, count > UINT32_MAX ? UINT32_MAX : (unsigned)count);
    ask_done(ask);
}

/* --- tariffs --- */

void control_tariff(struct ask *ask)
{
    struct tariff *t = tariff_make(ask->sim->world, ask_text(ask, "id", ""));
    const char *text = json_text_of(ask->json, "text");

    if (!t || (text && !text_copy(t->text, sizeof(t->text), text))) {
        ask_wrong(ask, "\"id\" or \"text\" is not usable, or there are too many tariffs");
        return;
    }
    json_number_u6(json_object_get(ask->json, "energy"), false, &t->energy_u6);
    json_number_u6(json_object_get(ask->json, "time"), false, &t->time_u6);
    json_number_u6(json_object_get(ask->json, "flat"), false, &t->flat_u6);
    t->vat_percent = ask_int(ask, "vat", t->vat_percent);
    t->deleted = false;
    t->updated_us = time_now_us();
    push_tariff(ask->sim, t);
    ask_done(ask);
}

void control_tariff_delete(struct ask *ask)
{
    struct tariff *t = tariff_find(ask->sim->world, ask_text(ask, "id", ""));

    if (!t || t->deleted) {
        ask_wrong(ask, "\"id\": no such tariff");
        return;
    }
    t->deleted = true;
    t->updated_us = time_now_us();
    push_tariff(ask->sim, t);
    ask_done(ask);
}

/* --- profiles and reservations --- */

void control_active_profile(struct ask *ask)
{
    struct session *s = session_find(ask->sim, ask_text(ask, "id", ""));

    if (!s || !session_is_open(s)) {
        ask_wrong(ask, "\"id\": no such open session");
        return;
    }
    push_active_profile(s);
    ask_done(ask);
}

void control_cancel_reservation(struct ask *ask)
{
    struct sim *sim = ask->sim;
    struct session *s = session_of_reservation(sim, ask_text(ask, "reservation_id", ""));
    struct callback c = {.module = MODULE_COMMANDS};

    if (!s || sim->reg.version == OCPI_2_1_1) {
        ask_wrong(ask, s ? "2.1.1 has no word for it" : "\"reservation_id\": no such reservation");
        return;
    }
    c.response_url = s->response_url;
    c.evse = s->evse;
    c.body = callback_body(sim, "CANCELED_RESERVATION");
    party_id_make(s->token.country_code, s->token.party_id, &c.to);
    callback_send(sim, c); /* R-CMD-08 */
    session_reserve_end(s);
    ask_done(ask);
}
