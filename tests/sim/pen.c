/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spelling of ids, times and numbers.
 */
#include "tests/sim/pen.h"

#include "base/decimal.h"
#include "base/text.h"
#include "base/time.h"
#include "tests/sim/behave.h"
#include "tests/sim/sim.h"

struct pen pen_to_hub(struct sim *sim, struct text *out)
{
    enum ocpi_version version = sim->reg.version;

    return (struct pen){
        .sim = sim, .out = out, .version = version ? version : sim->options->versions[0]};
}

void pen_id(const struct pen *pen, const char *key, const char *id)
{
    char lower[128];

    if (id && behave_acts(pen->sim->behave, BEHAVE_LOWER_CASE_IDS, pen->evse) &&
        text_copy(lower, sizeof(lower), id)) {
        text_to_lower(lower);
        id = lower;
    }
    json_put_text(pen->out, key, id);
}

void pen_time(const struct pen *pen, const char *key, int64_t us)
{
    char buffer[TIME_TEXT], shifted[TIME_TEXT + 8];
    const int64_t two_hours = INT64_C(7200) * US_PER_SECOND;

    if (behave_acts(pen->sim->behave, BEHAVE_OFFSET_TIMES, pen->evse)) {
        time_print_seconds(buffer, us + two_hours);
        buffer[strcspn(buffer, "Z")] = 0;
        snprintf(shifted, sizeof(shifted), "%s+02:00", buffer);
        json_put_text(pen->out, key, shifted);
        return;
    }
    if (pen->version == OCPI_2_1_1)
        time_print_seconds(buffer, us);
    else
        time_print_millis(buffer, us);
    if (behave_acts(pen->sim->behave, BEHAVE_BARE_TIMES, pen->evse))
        buffer[strcspn(buffer, "Z")] = 0;
    json_put_text(pen->out, key, buffer);
}

void pen_patch_time(const struct pen *pen, int64_t us)
{
    if (pen->version != OCPI_2_1_1 &&
        !behave_acts(pen->sim->behave, BEHAVE_PATCH_NO_STAMP, pen->evse))
        pen_time(pen, "last_updated", us);
}

void pen_number(const struct pen *pen, const char *key, int64_t value_u6)
{
    char buffer[DECIMAL_TEXT];

    decimal_print_u6(buffer, value_u6, 0, 4);
    if (behave_acts(pen->sim->behave, BEHAVE_NUMBERS_AS_TEXT, pen->evse))
        json_put_text(pen->out, key, buffer);
    else
        json_put_raw(pen->out, key, buffer);
}

void pen_extra(const struct pen *pen)
{
    struct text *out = pen->out;

    if (!behave_acts(pen->sim->behave, BEHAVE_EXTRA_FIELDS, pen->evse))
        return;
    json_begin_object(out, "x_vendor");
    json_put_text(out, "firmware", "4.2");
    json_put_raw(out, "lists", "[1,[2,{\"three\":3}]]");
    json_end_object(out);
    json_put_text(out, "kommentti", "tuntematon kentt\xc3\xa4");
}

/* Somewhere in Finland, always the same place for the same number; six decimals are valid in
 * every version (R-LOC-10). */
void pen_coordinates(const struct pen *pen, unsigned number)
{
    char latitude[DECIMAL_TEXT], longitude[DECIMAL_TEXT];
    int64_t spread = (int64_t)(number * 2654435761U % 1000000);

    decimal_print_u6(latitude, INT64_C(60170000) + spread * 5, 6, 6);
    decimal_print_u6(longitude, INT64_C(22900000) + (spread * 7919) % 6000000, 6, 6);
    json_begin_object(pen->out, "coordinates");
    json_put_text(pen->out, "latitude", latitude);
    json_put_text(pen->out, "longitude", longitude);
    json_end_object(pen->out);
}

void pen_address(const struct pen *pen, unsigned number)
{
    char address[320];
    int length = snprintf(address, sizeof(address), "Latauskatu %u", number);

    if (behave_acts(pen->sim->behave, BEHAVE_LONG_ADDRESS, pen->evse)) {
        memset(address + length, 'x', (size_t)(300 - length));
        address[300] = 0;
    }
    json_put_text(pen->out, "address", address);
    json_put_text(pen->out, "city", "Helsinki");
    json_put_text(pen->out, "postal_code", "00100");
    json_put_text(pen->out, "country", "FIN");
}

void pen_owner(const struct pen *pen)
{
    pen_id(pen, "country_code", pen->sim->options->party.country_code);
    pen_id(pen, "party_id", pen->sim->options->party.party_id);
}
