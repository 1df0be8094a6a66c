/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locations and tariffs as JSON, and the spelling of ids, times and numbers.
 */
#include "tests/sim/print.h"

#include "base/decimal.h"
#include "base/text.h"
#include "base/time.h"
#include "tests/sim/behave.h"
#include "tests/sim/number.h"

void print_id(struct sim *sim, const struct evse *e, struct text *out, const char *key,
              const char *id)
{
    char lower[128];

    if (id && behave_acts(sim->behave, BEHAVE_LOWER_CASE_IDS, e) &&
        text_copy(lower, sizeof(lower), id)) {
        text_to_lower(lower);
        id = lower;
    }
    json_put_text(out, key, id);
}

void print_time(struct sim *sim, const struct evse *e, struct text *out, const char *key,
                int64_t us)
{
    char buffer[TIME_TEXT], shifted[TIME_TEXT + 8];
    const int64_t two_hours = INT64_C(7200) * US_PER_SECOND;

    if (behave_acts(sim->behave, BEHAVE_OFFSET_TIMES, e)) {
        time_print_seconds(buffer, us + two_hours);
        buffer[strcspn(buffer, "Z")] = 0;
        snprintf(shifted, sizeof(shifted), "%s+02:00", buffer);
        json_put_text(out, key, shifted);
        return;
    }
    time_print_millis(buffer, us);
    if (behave_acts(sim->behave, BEHAVE_BARE_TIMES, e))
        buffer[strcspn(buffer, "Z")] = 0;
    json_put_text(out, key, buffer);
}

void print_number(struct sim *sim, const struct evse *e, struct text *out, const char *key,
                  int64_t value_u6)
{
    char buffer[DECIMAL_TEXT];

    decimal_print_u6(buffer, value_u6, 0, 4);
    if (behave_acts(sim->behave, BEHAVE_NUMBERS_AS_TEXT, e))
        json_put_text(out, key, buffer);
    else
        json_put_raw(out, key, buffer);
}

void print_extra(struct sim *sim, const struct evse *e, struct text *out)
{
    if (!behave_acts(sim->behave, BEHAVE_EXTRA_FIELDS, e))
        return;
    json_begin_object(out, "x_vendor");
    json_put_text(out, "firmware", "4.2");
    json_put_raw(out, "lists", "[1,[2,{\"three\":3}]]");
    json_end_object(out);
    json_put_text(out, "kommentti", "tuntematon kentt\xc3\xa4");
}

void print_connector(struct sim *sim, struct text *out, const char *key, const struct evse *e,
                     const struct connector *c)
{
    json_begin_object(out, key);
    json_put_text(out, "id", c->id);
    json_put_text(out, "standard", c->standard);
    json_put_text(out, "format", c->format);
    json_put_text(out, "power_type", c->power_type);
    json_put_int(out, "max_voltage", c->volts);
    json_put_int(out, "max_amperage", c->amperes);
    json_put_int(out, "max_electric_power", c->max_w);
    json_begin_array(out, "tariff_ids");
    print_id(sim, e, out, 0, c->tariff->id);
    json_end_array(out);
    print_time(sim, e, out, "last_updated", e->updated_us);
    json_end_object(out);
}

void print_evse(struct sim *sim, struct text *out, const char *key, const struct evse *e)
{
    json_begin_object(out, key);
    print_id(sim, e, out, "uid", e->uid);
    if (!behave_acts(sim->behave, BEHAVE_NO_EVSE_ID, e))
        print_id(sim, e, out, "evse_id", e->evse_id);
    json_put_text(out, "status", ocpi_evse_status_name(e->status));
    json_begin_array(out, "capabilities");
    json_put_text(out, 0, "RFID_READER");
    json_put_text(out, 0, "UNLOCK_CAPABLE");
    if (e->remote_start)
        json_put_text(out, 0, "REMOTE_START_STOP_CAPABLE");
    if (e->profiles)
        json_put_text(out, 0, "CHARGING_PROFILE_CAPABLE");
    if (e->connector_required)
        json_put_text(out, 0, "START_SESSION_CONNECTOR_REQUIRED");
    json_end_array(out);
    json_begin_array(out, "connectors");
    for (size_t i = 0; i < e->connector_count; i++)
        print_connector(sim, out, 0, e, &e->connectors[i]);
    json_end_array(out);
    json_put_text(out, "physical_reference", e->uid);
    print_extra(sim, e, out);
    print_time(sim, e, out, "last_updated", e->updated_us);
    json_end_object(out);
}

void print_evse_patch(struct sim *sim, struct text *out, const struct evse *e)
{
    json_begin_object(out, 0);
    json_put_text(out, "status", ocpi_evse_status_name(e->status));
    print_extra(sim, e, out);
    print_time(sim, e, out, "last_updated", e->updated_us);
    json_end_object(out);
}

/* Somewhere in Finland, always the same place for the same number. */
void print_coordinates(struct text *out, unsigned number)
{
    char latitude[DECIMAL_TEXT], longitude[DECIMAL_TEXT];
    int64_t spread = (int64_t)(number * 2654435761U % 1000000);

    decimal_print_u6(latitude, INT64_C(60170000) + spread * 5, 6, 6);
    decimal_print_u6(longitude, INT64_C(22900000) + (spread * 7919) % 6000000, 6, 6);
    json_begin_object(out, "coordinates");
    json_put_text(out, "latitude", latitude);
    json_put_text(out, "longitude", longitude);
    json_end_object(out);
}

void print_address(struct sim *sim, const struct evse *e, struct text *out, unsigned number)
{
    char address[320];
    int length = snprintf(address, sizeof(address), "Latauskatu %u", number);

    if (behave_acts(sim->behave, BEHAVE_LONG_ADDRESS, e)) {
        memset(address + length, 'x', (size_t)(300 - length));
        address[300] = 0;
    }
    json_put_text(out, "address", address);
    json_put_text(out, "city", "Helsinki");
    json_put_text(out, "postal_code", "00100");
    json_put_text(out, "country", "FIN");
}

void print_location(struct sim *sim, struct text *out, const char *key, const struct location *l)
{
    unsigned number = (unsigned)(l - sim->world->locations) + 1;
    const struct evse *first = &sim->world->evses[l->first_evse];
    const struct sim_options *o = sim->options;
    char name[160];

    snprintf(name, sizeof(name), "%s %u", o->name, number);
    json_begin_object(out, key);
    print_id(sim, first, out, "country_code", o->party.country_code);
    print_id(sim, first, out, "party_id", o->party.party_id);
    print_id(sim, first, out, "id", l->id);
    json_put_bool(out, "publish", true);
    json_put_text(out, "name", name);
    print_address(sim, first, out, number);
    if (number % 2 != 0 || !behave_acts(sim->behave, BEHAVE_BAD_LOCATION, first))
        print_coordinates(out, number);
    json_put_text(out, "parking_type", "PARKING_LOT");
    json_begin_array(out, "evses");
    for (unsigned i = 0; i < l->evse_count; i++)
        print_evse(sim, out, 0, first + i);
    json_end_array(out);
    json_begin_object(out, "operator");
    json_put_text(out, "name", o->name);
    json_end_object(out);
    json_put_text(out, "time_zone", "Europe/Helsinki");
    json_put_raw(out, "opening_times", "{\"twentyfourseven\":true}");
    print_extra(sim, first, out);
    print_time(sim, first, out, "last_updated", l->updated_us);
    json_end_object(out);
}

static void print_component(struct sim *sim, struct text *out, const char *type, int64_t price_u6,
                            int64_t vat_percent)
{
    if (price_u6 == 0)
        return;
    json_begin_object(out, 0);
    json_put_text(out, "type", type);
    print_number(sim, 0, out, "price", price_u6);
    print_number(sim, 0, out, "vat", vat_percent * 1000000);
    json_put_int(out, "step_size", 1);
    json_end_object(out);
}

void print_tariff(struct sim *sim, struct text *out, const char *key, const struct tariff *t)
{
    const struct sim_options *o = sim->options;

    json_begin_object(out, key);
    print_id(sim, 0, out, "country_code", o->party.country_code);
    print_id(sim, 0, out, "party_id", o->party.party_id);
    print_id(sim, 0, out, "id", t->id);
    json_put_text(out, "currency", "EUR");
    json_put_text(out, "type", "REGULAR");
    json_begin_array(out, "tariff_alt_text");
    json_begin_object(out, 0);
    json_put_text(out, "language", "en");
    json_put_text(out, "text", t->text);
    json_end_object(out);
    json_end_array(out);
    json_begin_array(out, "elements");
    json_begin_object(out, 0);
    json_begin_array(out, "price_components");
    print_component(sim, out, "FLAT", t->flat_u6, t->vat_percent);
    print_component(sim, out, "ENERGY", t->energy_u6, t->vat_percent);
    print_component(sim, out, "TIME", t->time_u6, t->vat_percent);
    json_end_array(out);
    json_end_object(out);
    json_end_array(out);
    print_extra(sim, 0, out);
    /* Tariffs never change here: older than anything else. */
    print_time(sim, 0, out, "last_updated",
               sim->world->locations[sim->world->location_count - 1].updated_us);
    json_end_object(out);
}
