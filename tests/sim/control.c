/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control API's table, and what changes the world.
 */
#include "tests/sim/control.h"

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "tests/sim/behave.h"
#include "tests/sim/call.h"
#include "tests/sim/cards.h"
#include "tests/sim/check.h"
#include "tests/sim/clock.h"
#include "tests/sim/record.h"
#include "tests/sim/session_push.h"
#include "tests/sim/store.h"

enum { BODY_MAX = 4 << 20 };

size_t control_body_max(void *ctx, const struct http_head *head)
{
    (void)ctx;
    (void)head;
    return BODY_MAX;
}

/* --- answers and members --- */

void ask_answer(struct ask *ask, int status, const char *json, size_t length)
{
    const struct http_header_out type = {"Content-Type", "application/json"};

    http_exchange_reply(ask->x, status, &type, 1, json, length);
}

void ask_done(struct ask *ask)
{
    static const char ok[] = "{\"ok\":true}";

    ask_answer(ask, 200, ok, sizeof(ok) - 1);
}

void ask_wrong(struct ask *ask, const char *reason)
{
    struct text out;

    text_init(&out, ask->arena, 65536);
    json_begin_object(&out, 0);
    json_put_text(&out, "error", reason);
    json_end_object(&out);
    ask_answer(ask, 400, out.bytes, out.length);
}

const char *ask_text(const struct ask *ask, const char *key, const char *otherwise)
{
    const char *value = json_text_of(ask->json, key);

    return value ? value : otherwise;
}

int64_t ask_int(const struct ask *ask, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(ask->json, key);

    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool ask_bool(const struct ask *ask, const char *key, bool otherwise)
{
    const json_t *value = json_object_get(ask->json, key);

    return json_is_boolean(value) ? json_boolean_value(value) : otherwise;
}

struct evse *ask_evse(struct ask *ask)
{
    const char *name = json_text_of(ask->json, "evse");
    struct evse *evse = name ? world_evse(ask->sim->world, name) : 0;

    if (!evse)
        ask_wrong(ask, "\"evse\": no such EVSE (its uid or evse_id)");
    return evse;
}

/* --- the world --- */

static void set_behave(struct ask *ask)
{
    const char *name = ask_text(ask, "name", "");

    if (strcmp(name, "none") == 0)
        behave_clear(ask->sim->behave);
    else if (!behave_set(ask->sim->behave, name, json_text_of(ask->json, "evse"),
                         ask_bool(ask, "on", true), ask_int(ask, "times", -1),
                         ask_int(ask, "after_s", -1))) {
        ask_wrong(ask, "\"name\": no such misbehaviour (see ocpi-sim --help)");
        return;
    }
    ask_done(ask);
}

static void set_clock(struct ask *ask)
{
    struct text out;
    int64_t advance_s = ask_int(ask, "advance_s", 0), speed = ask_int(ask, "speed", 0);

    if (advance_s < 0 || advance_s > 1000000 || speed < 0 || speed > 1000000) {
        ask_wrong(ask, "\"advance_s\" and \"speed\" are whole numbers, 0 to 1000000");
        return;
    }
    if (speed > 0)
        clock_set_speed(ask->sim->clock, speed);
    if (advance_s > 0)
        clock_advance(ask->sim->clock, advance_s * US_PER_SECOND);
    text_init(&out, ask->arena, 4096);
    json_begin_object(&out, 0);
    json_put_int(&out, "now_s", clock_now_us(ask->sim->clock) / US_PER_SECOND);
    json_put_int(&out, "speed", clock_speed(ask->sim->clock));
    json_end_object(&out);
    ask_answer(ask, 200, out.bytes, out.length);
}

static void plug_car(struct ask *ask)
{
    struct evse *e = ask_evse(ask);

    if (!e)
        return;
    e->car.start_percent = ask_int(ask, "start_percent", e->car.start_percent);
    e->car.battery_mwh = ask_int(ask, "battery_kwh", e->car.battery_mwh / 1000000) * 1000000;
    e->car.max_ac_w = ask_int(ask, "max_ac_w", e->car.max_ac_w);
    e->car.max_dc_w = ask_int(ask, "max_dc_w", e->car.max_dc_w);
    evse_plugged(ask->sim, e, ask_bool(ask, "plugged", true));
    ask_done(ask);
}

static void unplug_car(struct ask *ask)
{
    struct evse *e = ask_evse(ask);

    if (!e)
        return;
    evse_plugged(ask->sim, e, false);
    ask_done(ask);
}

/* Somebody came with a card, or with an app that is not the hub's. */
static void make_session(struct ask *ask)
{
    struct evse *e = ask_evse(ask);
    struct session_token token;
    struct text out;

    if (!e)
        return;
    const struct connector *c = evse_connector(e, ask_text(ask, "connector", "1"));
    if (!c || e->session) {
        ask_wrong(ask, c ? "a session is open on this EVSE" : "no such connector");
        return;
    }
    text_copy(token.country_code, sizeof(token.country_code), ask_text(ask, "country_code", "FI"));
    text_copy(token.party_id, sizeof(token.party_id), ask_text(ask, "party_id", "OTH"));
    text_copy(token.uid, sizeof(token.uid), ask_text(ask, "uid", "CARD-1"));
    text_copy(token.type, sizeof(token.type), ask_text(ask, "type", "RFID"));
    text_copy(token.contract_id, sizeof(token.contract_id),
              ask_text(ask, "contract_id", "FI-OTH-C00000001-X"));
    const char *method = ask_text(ask, "auth_method", "WHITELIST");
    struct session *s =
        session_new(ask->sim, e, c, &token, json_text_of(ask->json, "authorization_reference"),
                    strcmp(method, "COMMAND") == 0        ? "COMMAND"
                    : strcmp(method, "AUTH_REQUEST") == 0 ? "AUTH_REQUEST"
                                                          : "WHITELIST",
                    0);
    session_begin(s);
    text_init(&out, ask->arena, 4096);
    json_begin_object(&out, 0);
    json_put_text(&out, "id", s->id);
    json_put_text(&out, "cdr_id", s->cdr_id);
    json_end_object(&out);
    ask_answer(ask, 200, out.bytes, out.length);
}

static void stop_session(struct ask *ask)
{
    struct session *s = session_find(ask->sim, ask_text(ask, "id", ""));

    if (!s) {
        ask_wrong(ask, "\"id\": no such session");
        return;
    }
    session_end(s);
    ask_done(ask);
}

static void set_offline(struct ask *ask)
{
    sim_set_offline(ask->sim, ask_bool(ask, "on", true));
    ask_done(ask);
}

static void set_hook(struct ask *ask)
{
    if (!text_copy(ask->sim->hook_url, SIM_URL, ask_text(ask, "url", ""))) {
        ask_wrong(ask, "\"url\" is too long");
        return;
    }
    ask_done(ask);
}

static void reset(struct ask *ask)
{
    struct sim *sim = ask->sim;

    behave_clear(sim->behave);
    sessions_reset(sim);
    world_reset(sim->world);
    record_clear(sim->record);
    check_clear(sim->check);
    store_clear(sim->store);
    cards_reset(sim);
    sim->hook_url[0] = 0;
    call_release_hung(sim);
    clock_set_speed(sim->clock, sim->options->speed);
    sim_set_offline(sim, false);
    ask_done(ask);
}

/* --- the table --- */

/* clang-format off */
static const struct control {
    const char *method, *path;
    void (*run)(struct ask *ask);
    const char *help;
} controls[] = {
    {"GET",  "/sim/requests",   control_requests,   "what the hub asked: ?path= &method= &contains= &after= (number)"},
    {"GET",  "/sim/sent",       control_sent,       "what we sent to the hub, with its answers; the same filters"},
    {"GET",  "/sim/violations", control_violations, "where the hub's messages broke OCPI; count 0 is good"},
    {"GET",  "/sim/world",      control_world,      "EVSEs with car, power, meter: ?evse= &offset= &limit="},
    {"GET",  "/sim/sessions",   control_sessions,   "all sessions with their inner state"},
    {"GET",  "/sim/cdrs",       control_cdrs,       "all CDRs, as they are sent"},
    {"GET",  "/sim/tokens",     control_tokens,     "CPO: tokens that were pushed to us; eMSP: its own"},
    {"GET",  "/sim/state",      control_state,      "registration, clock, misbehaviours"},
    {"POST", "/sim/behave",     set_behave,         "{name, evse?, on?, times?, after_s?}; name \"none\" ends all"},
    {"POST", "/sim/clock",      set_clock,          "{advance_s?, speed?}"},
    {"POST", "/sim/plug",       plug_car,           "{evse, plugged?, start_percent?, battery_kwh?, max_ac_w?, max_dc_w?}"},
    {"POST", "/sim/unplug",     unplug_car,         "{evse}"},
    {"POST", "/sim/session",    make_session,       "{evse, connector?, uid?, type?, country_code?, party_id?, contract_id?, auth_method?, authorization_reference?}"},
    {"POST", "/sim/stop",       stop_session,       "{id}: ends a session at the charge point"},
    {"POST", "/sim/start_session", control_start_session, "{evse, connector?, token: {country_code, party_id, uid, type, contract_id}, authorize?, to?}: a driver with somebody's card"},
    {"POST", "/sim/credit",     control_credit,     "{cdr_id, corrected?, cost_more?}: a credit CDR, and perhaps a corrected one (2.2.1, 2.3.0)"},
    {"POST", "/sim/location",   control_location,   "{evse, status, put?} or {evse, remove: true} PATCH, PUT; {location, name?, hidden?} PUT; {all: true} PUT of everything; push: false: silently"},
    {"POST", "/sim/tariff",     control_tariff,     "{id, text?, energy?, time?, flat?, vat?}: makes or changes one, PUT"},
    {"DELETE", "/sim/tariff",   control_tariff_delete, "{id}: DELETE"},
    {"POST", "/sim/touch",      control_touch,      "{count}: that many locations get a new last_updated, silently"},
    {"POST", "/sim/active_profile", control_active_profile, "{id}: PUT of the session's ActiveChargingProfile"},
    {"POST", "/sim/cancel_reservation", control_cancel_reservation, "{reservation_id}: the network takes it back (CANCELED_RESERVATION)"},
    {"GET",  "/sim/received",   control_received,   "what was pushed to us: ?module=locations|tariffs|sessions|cdrs|tokens|clientinfo|invoicereconciliation &valid=false &id= &owner="},
    {"GET",  "/sim/results",    control_results,    "eMSP: results of our commands and profiles, ActiveChargingProfiles: ?id="},
    {"POST", "/sim/pull",       control_pull,       "{module, date_from?, date_to?, limit?, max_pages?, to?}: crawls the hub's sender interface by Link"},
    {"GET",  "/sim/pulled",     control_pulled,     "the last pull: ?module= &objects=false"},
    {"POST", "/sim/token",      control_token,      "eMSP: {uid, type?, valid?, whitelist?, contract_id?, visual_number?, group_id?, language?, method?, to?}: makes or changes a token; PUT or PATCH (method \"none\": silently)"},
    {"POST", "/sim/command",    control_command,    "eMSP: {command, location_id?, evse_uid?, connector_id?, session_id?, reservation_id?, expires_s?, token?: {uid, type}, authorization_reference?, to?}"},
    {"POST", "/sim/profile",    control_profile,    "eMSP: {session_id, method?: PUT, GET or DELETE, limit_w?, duration?, to?}"},
    {"POST", "/sim/invoice",    control_invoice,    "{id, invoice_id?, cdrs, method?: POST, PUT or DELETE, to?}: an invoice record of ours, to the hub and into our list (2.3.0)"},
    {"POST", "/sim/forget",     control_forget,     "empties what was received, pulled, and the results"},
    {"GET",  "/sim/partner",    control_partner,    "whom we are connected with, and how their tokens begin"},
    {"POST", "/sim/push",       control_push,       "{method, module, role?, path?, query?, body?, raw_body?, headers?, token?, url?, to?}: any message, answered with the hub's"},
    {"POST", "/sim/authorize",  control_authorize,  "CPO: {uid, type?, location_id?, evse_uids?, to?}: asks the hub. eMSP: {uid, type?, answer}: what is said when asked (ALLOWED, BLOCKED, EXPIRED, NO_CREDIT, NOT_ALLOWED, UNKNOWN, NOT_ENOUGH; \"\": by valid)"},
    {"POST", "/sim/register",   control_register,   "{versions_url, token_a, version?}, or {accept_token_a} to be registered at"},
    {"POST", "/sim/rotate",     control_rotate,     "{version?}: PUT credentials: new tokens on both sides"},
    {"POST", "/sim/unregister", control_unregister, "DELETE credentials"},
    {"POST", "/sim/offline",    set_offline,        "{on?}: closes or opens the OCPI port"},
    {"POST", "/sim/hook",       set_hook,           "{url?}: asked (POST, the command's body) before a command is answered"},
    {"POST", "/sim/reset",      reset,              "forgets all but the registration"},
};
/* clang-format on */

void control_help(FILE *to)
{
    for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
        fprintf(to, "  %-6s %-23s %s\n", controls[i].method, controls[i].path, controls[i].help);
}

void control_handle(void *ctx, struct http_exchange *x)
{
    const struct http_request *r = http_exchange_request(x);
    struct ask *ask = arena_alloc(r->arena, sizeof(*ask));

    *ask = (struct ask){.sim = ctx, .x = x, .r = r, .arena = r->arena};
    if (failed(json_read(r->arena, r->body_length ? r->body : "{}",
                         r->body_length ? r->body_length : 2, 0, &ask->json)) ||
        !json_is_object(ask->json)) {
        ask_wrong(ask, "the body is not a JSON object");
        return;
    }
    for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
        if (strcmp(controls[i].path, r->path) == 0 && strcmp(controls[i].method, r->method) == 0) {
            controls[i].run(ask);
            return;
        }
    }
    static const char unknown[] = "{\"error\":\"see ocpi-sim --help\"}";
    ask_answer(ask, 404, unknown, sizeof(unknown) - 1);
}
