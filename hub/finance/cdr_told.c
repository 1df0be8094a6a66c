/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the place and the signed readings of a CDR.
 *
 * OCMF: "OCMF|{payload}|{signature}"; the payload's RD is a list of readings {TX, RV, RU}, of which
 * TX "B" begins and "E" (or another end: L, R, A, P) ends the transaction.
 */
#include "hub/finance/cdr_told.h"

#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/json.h"

#define OCMF "OCMF|"

/* ---- the place ---- */

static void take_place(struct cdr_told *t, const json_t *place)
{
    t->name = json_text_of(place, "name");
    t->address = json_text_of(place, "address");
    t->postal_code = json_text_of(place, "postal_code");
    t->city = json_text_of(place, "city");
    t->country = json_text_of(place, "country");
}

/* 2.1.1: the Location with the one EVSE and the one connector. */
static void take_location(struct cdr_told *t, const json_t *location)
{
    const json_t *evse = json_array_get(json_array_of(location, "evses"), 0);
    const json_t *connector = json_array_get(json_array_of(evse, "connectors"), 0);

    take_place(t, location);
    t->evse_id = json_text_of(evse, "evse_id");
    t->connector_id = json_text_of(connector, "id");
}

/* ---- signed readings ---- */

struct reading {
    bool found;
    int64_t mwh;
};

static bool reading_of(const json_t *entry, int64_t *ret)
{
    const char *unit = json_text_of(entry, "RU");

    if (!unit || !json_number_u6(json_object_get(entry, "RV"), true, ret))
        return false;
    if (strcmp(unit, "kWh") == 0)
        return true;
    if (strcmp(unit, "Wh") != 0)
        return false;
    *ret = (*ret + (*ret < 0 ? -500 : 500)) / 1000;
    return true;
}

/* The readings of one record; the first beginning and the last end of all of them count. */
static void take_ocmf(struct arena *a, const char *text, struct reading *first,
                      struct reading *last)
{
    const char *payload = text + strlen(OCMF), *end = strrchr(payload, '|');
    size_t length = end ? (size_t)(end - payload) : strlen(payload), i;
    json_t *json, *entry;
    int64_t mwh;

    if (failed(json_read(a, payload, length, 0, &json)))
        return;
    json_array_foreach(json_object_get(json, "RD"), i, entry)
    {
        const char *what = json_text_of(entry, "TX");
        if (!what || !what[0] || !reading_of(entry, &mwh))
            continue;
        if (what[0] == 'B' && !first->found)
            *first = (struct reading){true, mwh};
        if (strchr("ELRAP", what[0]))
            *last = (struct reading){true, mwh};
    }
}

static void take_signed(struct cdr_told *t, const json_t *data, struct arena *a)
{
    struct reading first = {0}, last = {0};
    char *digest = arena_alloc(a, SHA256_HEX);
    const char *canonical = json_canonical(a, data);
    size_t i;
    json_t *value;

    t->is_signed = true;
    t->signed_url = json_text_of(data, "url");
    id_sha256_hex(canonical, strlen(canonical), digest);
    t->signed_sha256 = digest;
    json_array_foreach(json_object_get(data, "signed_values"), i, value)
    {
        const char *record = json_text_of(value, "signed_data");
        if (!record || strncmp(record, OCMF, strlen(OCMF)) != 0)
            record = json_text_of(value, "plain_data");
        if (record && strncmp(record, OCMF, strlen(OCMF)) == 0)
            take_ocmf(a, record, &first, &last);
    }
    t->has_readings = first.found && last.found;
    t->first_mwh = first.mwh;
    t->last_mwh = last.mwh;
}

struct cdr_told cdr_told(const json_t *document, struct arena *a)
{
    const json_t *place = json_object_of(document, "cdr_location");
    const json_t *data = json_object_of(document, "signed_data");
    struct cdr_told t = {0};

    if (place) {
        take_place(&t, place);
        t.evse_id = json_text_of(place, "evse_id");
        t.connector_id = json_text_of(place, "connector_id");
    } else {
        take_location(&t, json_object_of(document, "location"));
    }
    if (data)
        take_signed(&t, data, a);
    return t;
}
