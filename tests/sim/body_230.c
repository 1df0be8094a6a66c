/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prices, parking and plug-and-charge of OCPI 2.3.0.
 */
#include "tests/sim/body_230.h"

#include "base/text.h"

void print_230_price(struct pen pen, const char *key, struct price p)
{
    json_begin_object(pen.out, key);
    pen_number(&pen, "before_taxes", p.excl_u6);
    json_begin_array(pen.out, "taxes");
    json_begin_object(pen.out, 0);
    json_put_text(pen.out, "name", "VAT");
    json_put_text(pen.out, "account_number", "FI12345678");
    if (p.vat_percent > 0)
        pen_number(&pen, "percentage", p.vat_percent * 1000000);
    pen_number(&pen, "amount", p.incl_u6 - p.excl_u6);
    json_end_object(pen.out);
    json_end_array(pen.out);
    json_end_object(pen.out);
}

static const char *parking_id(char buffer[40], const struct evse *e)
{
    snprintf(buffer, 40, "P-%s", e->uid);
    return buffer;
}

/* A place in front of each EVSE; the last one of a location is wide enough for a trailer. */
void print_230_location_parking(struct pen pen, const struct location *l)
{
    const struct evse *first = &pen.sim->world->evses[l->first_evse];
    struct text *out = pen.out;
    char id[40];

    json_begin_array(out, "parking_places");
    for (unsigned i = 0; i < l->evse_count; i++) {
        bool wide = i > 0 && i + 1 == l->evse_count;

        json_begin_object(out, 0);
        json_put_text(out, "id", parking_id(id, first + i));
        json_begin_array(out, "vehicle_types");
        json_put_text(out, 0, "PERSONAL_VEHICLE");
        if (wide)
            json_put_text(out, 0, "PERSONAL_VEHICLE_WITH_TRAILER");
        json_end_array(out);
        json_put_text(out, "direction", "PERPENDICULAR");
        json_put_bool(out, "drive_through", wide);
        json_put_bool(out, "restricted_to_type", false);
        json_put_bool(out, "reservation_required", false);
        json_end_object(out);
    }
    json_end_array(out);
    json_put_text(out, "help_phone", "+358100100");
}

void print_230_evse_parking(struct pen pen, const struct evse *e)
{
    char id[40];

    json_begin_array(pen.out, "parking");
    json_begin_object(pen.out, 0);
    json_put_text(pen.out, "parking_id", parking_id(id, e));
    json_put_text(pen.out, "evse_position", "LEFT");
    json_end_object(pen.out);
    json_end_array(pen.out);
}

void print_230_connector_capabilities(struct pen pen)
{
    json_begin_array(pen.out, "capabilities");
    json_put_text(pen.out, 0, "ISO_15118_2_PLUG_AND_CHARGE");
    json_end_array(pen.out);
}
