/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects of OCPI 2.1.1, from the world and its sessions.
 */
#include "tests/sim/body_211.h"

#include "base/text.h"
#include "base/time.h"
#include "tests/sim/behave.h"
#include "tests/sim/receipt.h"

void print_211_connector(struct pen pen, const char *key, const struct evse *e,
                         const struct connector *c)
{
    struct text *out = pen.out;

    json_begin_object(out, key);
    json_put_text(out, "id", c->id);
    json_put_text(out, "standard", c->standard);
    json_put_text(out, "format", c->format);
    json_put_text(out, "power_type", c->power_type);
    json_put_int(out, "voltage", c->volts);
    json_put_int(out, "amperage", c->amperes);
    pen_id(&pen, "tariff_id", c->tariff->id);
    pen_time(&pen, "last_updated", e->updated_us);
    json_end_object(out);
}

void print_211_evse(struct pen pen, const char *key, const struct evse *e,
                    const struct connector *only)
{
    struct text *out = pen.out;

    json_begin_object(out, key);
    pen_id(&pen, "uid", e->uid);
    if (!behave_acts(pen.sim->behave, BEHAVE_NO_EVSE_ID, e))
        pen_id(&pen, "evse_id", e->evse_id);
    json_put_text(out, "status", ocpi_evse_status_name(e->status));
    json_begin_array(out, "capabilities");
    json_put_text(out, 0, "RFID_READER");
    json_put_text(out, 0, "UNLOCK_CAPABLE");
    if (e->remote_start)
        json_put_text(out, 0, "REMOTE_START_STOP_CAPABLE");
    if (e->remote_start && pen.sim->options->reservations)
        json_put_text(out, 0, "RESERVABLE");
    json_end_array(out);
    json_begin_array(out, "connectors");
    for (size_t i = 0; i < e->connector_count; i++) {
        if (!only || only == &e->connectors[i])
            print_211_connector(pen, 0, e, &e->connectors[i]);
    }
    json_end_array(out);
    json_put_text(out, "physical_reference", e->uid);
    pen_extra(&pen);
    pen_time(&pen, "last_updated", e->updated_us);
    json_end_object(out);
}

/* only_evse and only_connector: the place of a session; NULL: the whole location. */
static void print_211_place(struct pen pen, const char *key, const struct location *l,
                            const char *id, const struct evse *only_evse,
                            const struct connector *only_connector)
{
    const struct world *w = pen.sim->world;
    unsigned number = (unsigned)(l - w->locations) + 1;
    struct text *out = pen.out;
    char name[160];

    json_begin_object(out, key);
    pen_id(&pen, "id", id);
    json_put_text(out, "type", "PARKING_LOT");
    json_put_text(out, "name", location_name(name, sizeof(name), pen.sim->options->name, l, w));
    pen_address(&pen, number);
    if (only_evse || number % 2 != 0 ||
        !behave_acts(pen.sim->behave, BEHAVE_BAD_LOCATION, pen.evse))
        pen_coordinates(&pen, number);
    json_begin_array(out, "evses");
    for (unsigned i = 0; i < l->evse_count; i++) {
        const struct evse *e = &w->evses[l->first_evse + i];

        if (only_evse && only_evse != e)
            continue;
        pen.evse = e;
        print_211_evse(pen, 0, e, only_connector);
    }
    json_end_array(out);
    json_begin_object(out, "operator");
    json_put_text(out, "name", pen.sim->options->name);
    json_end_object(out);
    json_put_text(out, "time_zone", "Europe/Helsinki");
    json_put_raw(out, "opening_times", "{\"twentyfourseven\":true}");
    pen_extra(&pen);
    pen_time(&pen, "last_updated", l->updated_us);
    json_end_object(out);
}

void print_211_location(struct pen pen, const char *key, const struct location *l)
{
    print_211_place(pen, key, l, l->id, 0, 0);
}

static void print_component(const struct pen *pen, const char *type, int64_t price_u6)
{
    if (price_u6 == 0)
        return;
    json_begin_object(pen->out, 0);
    json_put_text(pen->out, "type", type);
    pen_number(pen, "price", price_u6);
    json_put_int(pen->out, "step_size", 1);
    json_end_object(pen->out);
}

void print_211_tariff(struct pen pen, const char *key, const struct tariff *t)
{
    struct text *out = pen.out;

    json_begin_object(out, key);
    pen_id(&pen, "id", t->id);
    json_put_text(out, "currency", "EUR");
    json_begin_array(out, "tariff_alt_text");
    json_begin_object(out, 0);
    json_put_text(out, "language", "en");
    json_put_text(out, "text", t->text);
    json_end_object(out);
    json_end_array(out);
    json_begin_array(out, "elements");
    json_begin_object(out, 0);
    json_begin_array(out, "price_components");
    if (t->energy_u6 == 0 && t->time_u6 == 0 && t->flat_u6 == 0)
        json_put_raw(out, 0, "{\"type\":\"FLAT\",\"price\":0,\"step_size\":0}"); /* R-TAR-10 */
    print_component(&pen, "FLAT", t->flat_u6);
    print_component(&pen, "ENERGY", t->energy_u6);
    print_component(&pen, "TIME", t->time_u6);
    json_end_array(out);
    json_end_object(out);
    json_end_array(out);
    pen_extra(&pen);
    pen_time(&pen, "last_updated", t->updated_us);
    json_end_object(out);
}

/* 2.1.1 has no word for a session that a command began: the eMSP was asked, and agreed. */
static const char *auth_method(const struct session *s)
{
    return strcmp(s->auth_method, "WHITELIST") == 0 ? "WHITELIST" : "AUTH_REQUEST";
}

/* And none for a reservation. */
static const char *status_word(const struct session *s)
{
    return s->state == SESSION_RESERVED ? "PENDING" : session_status_word(s);
}

static void print_session_place(struct pen pen, struct session *s, bool in_cdr)
{
    const struct location *l = &s->sim->world->locations[s->evse->location];
    bool unknown = in_cdr && behave_acts(s->sim->behave, BEHAVE_CDR_UNKNOWN_LOCATION, s->evse);

    print_211_place(pen, "location", l, unknown ? "LOC-NOBODY-KNOWS" : l->id, s->evse,
                    s->connector);
}

void print_211_session(struct pen pen, const char *key, struct session *s)
{
    struct text *out = pen.out;

    json_begin_object(out, key);
    pen_id(&pen, "id", s->id);
    pen_time(&pen, "start_datetime", s->start_us);
    if (s->end_us != TIME_NONE)
        pen_time(&pen, "end_datetime", s->end_us);
    pen_number(&pen, "kwh", session_kwh_u6(s, 0));
    pen_id(&pen, "auth_id", s->token.contract_id);
    json_put_text(out, "auth_method", auth_method(s));
    print_session_place(pen, s, false);
    json_put_text(out, "meter_id", s->evse->uid);
    json_put_text(out, "currency", "EUR");
    print_periods(pen, s, 0);
    if (s->state != SESSION_PENDING && s->state != SESSION_RESERVED &&
        !behave_acts(s->sim->behave, BEHAVE_NO_COST, s->evse))
        pen_number(&pen, "total_cost", session_bill(s).total.excl_u6);
    json_put_text(out, "status", status_word(s));
    pen_extra(&pen);
    pen_time(&pen, "last_updated", s->updated_us);
    json_end_object(out);
}

void print_211_session_patch(struct pen pen, struct session *s, struct session_patch what)
{
    struct text *out = pen.out;

    json_begin_object(out, 0);
    if (what.start)
        pen_time(&pen, "start_datetime", s->start_us);
    if (what.kwh) {
        pen_number(&pen, "kwh", session_kwh_u6(s, what.kwh_less));
        if (!behave_acts(s->sim->behave, BEHAVE_NO_COST, s->evse))
            pen_number(&pen, "total_cost", session_bill(s).total.excl_u6);
    }
    /* A list in a PATCH replaces here (R-SESS-08): all of it. */
    print_periods(pen, s, 0);
    if (what.status)
        json_put_text(out, "status", status_word(s));
    pen_extra(&pen);
    json_end_object(out);
}

void print_211_cdr(struct pen pen, const char *key, struct session *s, struct cdr_variant variant)
{
    struct text *out = pen.out;
    struct bill b = session_bill(s);

    json_begin_object(out, key);
    pen_id(&pen, "id", variant.id ? variant.id : s->cdr_id);
    pen_time(&pen, "start_date_time", s->start_us);
    pen_time(&pen, "stop_date_time", s->end_us);
    pen_id(&pen, "auth_id", s->token.contract_id);
    json_put_text(out, "auth_method", auth_method(s));
    print_session_place(pen, s, true);
    json_put_text(out, "meter_id", s->evse->uid);
    json_put_text(out, "currency", "EUR");
    json_begin_array(out, "tariffs");
    print_211_tariff(pen, 0, s->connector->tariff);
    json_end_array(out);
    print_periods(pen, s, 0);
    pen_number(&pen, "total_cost", b.total.excl_u6 + variant.cost_more_u6);
    pen_number(&pen, "total_energy", b.energy_u6);
    pen_number(&pen, "total_time", b.hours_u6);
    pen_extra(&pen);
    pen_time(&pen, "last_updated", s->cdr_us);
    json_end_object(out);
}

const char *result_word_211(const char *word)
{
    static const char *const same[] = {"ACCEPTED", "NOT_SUPPORTED", "REJECTED", "TIMEOUT"};

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        if (strcmp(same[i], word) == 0)
            return word;
    }
    return "REJECTED";
}
