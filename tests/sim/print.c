/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locations and tariffs of 2.2.1 and 2.3.0, and the choice of the version's writer.
 */
#include "tests/sim/print.h"

#include "base/text.h"
#include "base/time.h"
#include "tests/sim/behave.h"
#include "tests/sim/body_211.h"
#include "tests/sim/body_230.h"

void print_connector(struct pen pen, const char *key, const struct evse *e,
                     const struct connector *c)
{
    struct text *out = pen.out;

    if (pen.version == OCPI_2_1_1) {
        print_211_connector(pen, key, e, c);
        return;
    }
    json_begin_object(out, key);
    json_put_text(out, "id", c->id);
    json_put_text(out, "standard", c->standard);
    json_put_text(out, "format", c->format);
    json_put_text(out, "power_type", c->power_type);
    json_put_int(out, "max_voltage", c->volts);
    json_put_int(out, "max_amperage", c->amperes);
    json_put_int(out, "max_electric_power", c->max_w);
    json_begin_array(out, "tariff_ids");
    pen_id(&pen, 0, c->tariff->id);
    json_end_array(out);
    if (pen.version == OCPI_2_3_0 && c->dc)
        print_230_connector_capabilities(pen);
    pen_time(&pen, "last_updated", e->updated_us);
    json_end_object(out);
}

void print_evse(struct pen pen, const char *key, const struct evse *e)
{
    struct text *out = pen.out;

    pen.evse = e;
    if (pen.version == OCPI_2_1_1) {
        print_211_evse(pen, key, e, 0);
        return;
    }
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
    if (e->profiles)
        json_put_text(out, 0, "CHARGING_PROFILE_CAPABLE");
    if (e->connector_required)
        json_put_text(out, 0, "START_SESSION_CONNECTOR_REQUIRED");
    json_end_array(out);
    json_begin_array(out, "connectors");
    for (size_t i = 0; i < e->connector_count; i++)
        print_connector(pen, 0, e, &e->connectors[i]);
    json_end_array(out);
    json_put_text(out, "physical_reference", e->uid);
    if (pen.version == OCPI_2_3_0)
        print_230_evse_parking(pen, e);
    pen_extra(&pen);
    pen_time(&pen, "last_updated", e->updated_us);
    json_end_object(out);
}

void print_evse_patch(struct pen pen, const struct evse *e)
{
    pen.evse = e;
    json_begin_object(pen.out, 0);
    json_put_text(pen.out, "status", ocpi_evse_status_name(e->status));
    pen_extra(&pen);
    pen_patch_time(&pen, e->updated_us);
    json_end_object(pen.out);
}

void print_location(struct pen pen, const char *key, const struct location *l)
{
    const struct world *w = pen.sim->world;
    struct text *out = pen.out;
    unsigned number = (unsigned)(l - w->locations) + 1;
    char name[160];

    pen.evse = &w->evses[l->first_evse];
    if (pen.version == OCPI_2_1_1) {
        print_211_location(pen, key, l);
        return;
    }
    json_begin_object(out, key);
    pen_owner(&pen);
    pen_id(&pen, "id", l->id);
    json_put_bool(out, "publish", true);
    json_put_text(out, "name", location_name(name, sizeof(name), pen.sim->options->name, l, w));
    pen_address(&pen, number);
    if (number % 2 != 0 || !behave_acts(pen.sim->behave, BEHAVE_BAD_LOCATION, pen.evse))
        pen_coordinates(&pen, number);
    json_put_text(out, "parking_type", "PARKING_LOT");
    json_begin_array(out, "evses");
    for (unsigned i = 0; i < l->evse_count; i++)
        print_evse(pen, 0, &w->evses[l->first_evse + i]);
    json_end_array(out);
    if (pen.version == OCPI_2_3_0)
        print_230_location_parking(pen, l);
    json_begin_object(out, "operator");
    json_put_text(out, "name", pen.sim->options->name);
    json_end_object(out);
    json_put_text(out, "time_zone", "Europe/Helsinki");
    json_put_raw(out, "opening_times", "{\"twentyfourseven\":true}");
    pen_extra(&pen);
    pen_time(&pen, "last_updated", l->updated_us);
    json_end_object(out);
}

static void print_component(const struct pen *pen, const char *type, int64_t price_u6,
                            int64_t vat_percent)
{
    if (price_u6 == 0)
        return;
    json_begin_object(pen->out, 0);
    json_put_text(pen->out, "type", type);
    pen_number(pen, "price", price_u6);
    pen_number(pen, "vat", vat_percent * 1000000);
    json_put_int(pen->out, "step_size", 1);
    json_end_object(pen->out);
}

void print_tariff(struct pen pen, const char *key, const struct tariff *t)
{
    struct text *out = pen.out;

    pen.evse = 0;
    if (pen.version == OCPI_2_1_1) {
        print_211_tariff(pen, key, t);
        return;
    }
    json_begin_object(out, key);
    pen_owner(&pen);
    pen_id(&pen, "id", t->id);
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
    if (t->energy_u6 == 0 && t->time_u6 == 0 && t->flat_u6 == 0)
        json_put_raw(out, 0, "{\"type\":\"FLAT\",\"price\":0,\"step_size\":0}"); /* R-TAR-10 */
    print_component(&pen, "FLAT", t->flat_u6, t->vat_percent);
    print_component(&pen, "ENERGY", t->energy_u6, t->vat_percent);
    print_component(&pen, "TIME", t->time_u6, t->vat_percent);
    json_end_array(out);
    json_end_object(out);
    json_end_array(out);
    if (pen.version == OCPI_2_3_0)
        json_put_text(out, "tax_included", "NO"); /* R-TAR-17 */
    pen_extra(&pen);
    pen_time(&pen, "last_updated", t->updated_us);
    json_end_object(out);
}
