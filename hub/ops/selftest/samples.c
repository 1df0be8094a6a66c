/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples: what a full test pushes. Nobody can charge with them and nobody has to pay: locations
 * are not published and have one removed EVSE, sessions and CDRs cost nothing, tokens are not
 * valid.
 */
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "hub/ops/selftest/selftest.h"

enum { SAMPLE_BYTES = 16 * 1024 };

#define PLACE "60.169900"
#define PLACE_EAST "24.938400"

static void put_owner(struct text *t, const struct sample *s)
{
    if (s->version == OCPI_2_1_1)
        return;
    json_put_text(t, "country_code", s->owner.country_code);
    json_put_text(t, "party_id", s->owner.party_id);
}

static void put_coordinates(struct text *t)
{
    json_begin_object(t, "coordinates");
    json_put_text(t, "latitude", PLACE);
    json_put_text(t, "longitude", PLACE_EAST);
    json_end_object(t);
}

static void put_address(struct text *t)
{
    json_put_text(t, "address", "Testikatu 1");
    json_put_text(t, "city", "Helsinki");
    json_put_text(t, "postal_code", "00100");
    json_put_text(t, "country", "FIN");
    put_coordinates(t);
}

static void put_connector(struct text *t, const struct sample *s)
{
    bool old = s->version == OCPI_2_1_1;

    json_begin_object(t, NULL);
    json_put_text(t, "id", "1");
    json_put_text(t, "standard", "IEC_62196_T2");
    json_put_text(t, "format", "SOCKET");
    json_put_text(t, "power_type", "AC_3_PHASE");
    json_put_int(t, old ? "voltage" : "max_voltage", 230);
    json_put_int(t, old ? "amperage" : "max_amperage", 16);
    json_put_text(t, "last_updated", s->time);
    json_end_object(t);
}

static void put_location_body(struct text *t, const struct sample *s, const char *id,
                              const char *evse_status)
{
    json_put_text(t, "id", id);
    if (s->version == OCPI_2_1_1)
        json_put_text(t, "type", "OTHER");
    else
        json_put_bool(t, "publish", false);
    json_put_text(t, "name", "Interface test, not a real place");
    put_address(t);
    json_put_text(t, "time_zone", "Europe/Helsinki");
    json_begin_array(t, "evses");
    json_begin_object(t, NULL);
    json_put_text(t, "uid", "HUBTEST-1");
    json_put_text(t, "status", evse_status);
    json_begin_array(t, "connectors");
    put_connector(t, s);
    json_end_array(t);
    json_put_text(t, "last_updated", s->time);
    json_end_object(t);
    json_end_array(t);
    json_put_text(t, "last_updated", s->time);
}

static void put_location(struct text *t, const struct sample *s)
{
    put_owner(t, s);
    put_location_body(t, s, s->id, "REMOVED");
}

static void put_tariff(struct text *t, const struct sample *s)
{
    put_owner(t, s);
    json_put_text(t, "id", s->id);
    json_put_text(t, "currency", "EUR");
    if (s->version == OCPI_2_3_0)
        json_put_text(t, "tax_included", "NO");
    json_put_raw(t, "elements",
                 "[{\"price_components\":[{\"type\":\"FLAT\",\"price\":0,\"step_size\":1}]}]");
    json_put_text(t, "last_updated", s->time);
}

static void put_token_of(struct text *t, const struct sample *s)
{
    if (s->version == OCPI_2_1_1) {
        json_put_text(t, "auth_id", "HUBTEST");
        return;
    }
    json_begin_object(t, "cdr_token");
    json_put_text(t, "country_code", s->token_owner.country_code);
    json_put_text(t, "party_id", s->token_owner.party_id);
    json_put_text(t, "uid", "HUBTEST");
    json_put_text(t, "type", "RFID");
    json_put_text(t, "contract_id", "HUBTEST");
    json_end_object(t);
}

static void put_place(struct text *t, const struct sample *s)
{
    json_begin_object(t, "location");
    put_location_body(t, s, "HUBTEST-location", "CHARGING");
    json_end_object(t);
}

static void put_session(struct text *t, const struct sample *s)
{
    bool old = s->version == OCPI_2_1_1;

    put_owner(t, s);
    json_put_text(t, "id", s->id);
    json_put_text(t, old ? "start_datetime" : "start_date_time", s->start);
    json_put_int(t, "kwh", 0);
    put_token_of(t, s);
    json_put_text(t, "auth_method", "WHITELIST");
    if (old) {
        put_place(t, s);
    } else {
        json_put_text(t, "location_id", "HUBTEST-location");
        json_put_text(t, "evse_uid", "HUBTEST-1");
        json_put_text(t, "connector_id", "1");
    }
    json_put_text(t, "currency", "EUR");
    json_put_text(t, "status", "PENDING");
    json_put_text(t, "last_updated", s->time);
}

static void put_cdr_location(struct text *t)
{
    json_begin_object(t, "cdr_location");
    json_put_text(t, "id", "HUBTEST-location");
    put_address(t);
    json_put_text(t, "evse_uid", "HUBTEST-1");
    json_put_text(t, "evse_id", "FI*HUB*ETEST1");
    json_put_text(t, "connector_id", "1");
    json_put_text(t, "connector_standard", "IEC_62196_T2");
    json_put_text(t, "connector_format", "SOCKET");
    json_put_text(t, "connector_power_type", "AC_3_PHASE");
    json_end_object(t);
}

static void put_cost(struct text *t, enum ocpi_version version)
{
    if (version == OCPI_2_1_1)
        json_put_int(t, "total_cost", 0);
    else
        json_put_raw(t, "total_cost",
                     version == OCPI_2_2_1 ? "{\"excl_vat\":0}" : "{\"before_taxes\":0}");
}

static void put_cdr(struct text *t, const struct sample *s)
{
    bool old = s->version == OCPI_2_1_1;

    put_owner(t, s);
    json_put_text(t, "id", s->id);
    json_put_text(t, "start_date_time", s->start);
    json_put_text(t, old ? "stop_date_time" : "end_date_time", s->time);
    put_token_of(t, s);
    json_put_text(t, "auth_method", "WHITELIST");
    if (old)
        put_place(t, s);
    else
        put_cdr_location(t);
    json_put_text(t, "currency", "EUR");
    json_begin_array(t, "charging_periods");
    json_begin_object(t, NULL);
    json_put_text(t, "start_date_time", s->start);
    json_put_raw(t, "dimensions", "[{\"type\":\"ENERGY\",\"volume\":0}]");
    json_end_object(t);
    json_end_array(t);
    put_cost(t, s->version);
    json_put_int(t, "total_energy", 0);
    json_put_raw(t, "total_time", "0.0167");
    json_put_text(t, "remark", "Interface test, without cost");
    json_put_text(t, "last_updated", s->time);
}

static void put_token(struct text *t, const struct sample *s)
{
    put_owner(t, s);
    json_put_text(t, "uid", s->id);
    json_put_text(t, "type", "RFID");
    json_put_text(t, s->version == OCPI_2_1_1 ? "auth_id" : "contract_id", "HUBTEST");
    json_put_text(t, "issuer", "Interface test");
    json_put_bool(t, "valid", false);
    json_put_text(t, "whitelist", "NEVER");
    json_put_text(t, "last_updated", s->time);
}

/* clang-format off */
static const struct {
    const char *class;
    void (*put)(struct text *t, const struct sample *s);
    const char *needed, *changed, *value;
} kinds[] = {
    {"Location", put_location, "coordinates", "name",          "\"Interface test, changed\""},
    {"Tariff",   put_tariff,   "currency",    "currency",      "\"SEK\""},
    {"Session",  put_session,  "kwh",         "meter_id",      "\"HUBTEST\""},
    {"CDR",      put_cdr,      "currency",    NULL,            NULL},
    {"Token",    put_token,    "issuer",      "visual_number", "\"HUBTEST\""},
};
/* clang-format on */
enum { KINDS = sizeof kinds / sizeof *kinds };

char *sample_object(struct arena *a, const char *class, const struct sample *sample)
{
    struct text t;

    for (size_t i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i].class, class) != 0)
            continue;
        text_init(&t, a, SAMPLE_BYTES);
        json_begin_object(&t, NULL);
        kinds[i].put(&t, sample);
        json_end_object(&t);
        return t.bytes;
    }
    return NULL;
}

const char *sample_needed(const char *class)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].class, class) == 0)
            return kinds[i].needed;
    return NULL;
}

const char *sample_change(const char *class, const char **ret_value)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i].class, class) == 0) {
            *ret_value = kinds[i].value;
            return kinds[i].changed;
        }
    }
    return NULL;
}
