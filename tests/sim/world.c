/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the world of world.h, and finding things in it.
 */
#include "tests/sim/world.h"

#include <assert.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/time.h"
#include "ocpi/evse_id.h"

enum { NAME_KEY = 64, FIXED_LOCATIONS = 3 };

/* clang-format off */
static const struct tariff first_tariffs[] = {
    {"T-ENERGY", "0.30 EUR/kWh plus VAT",                     .energy_u6 = 300000, .vat_percent = 24},
    {"T-FAST",   "1.00 EUR per session, 0.45 EUR/kWh, plus VAT", .energy_u6 = 450000, .flat_u6 = 1000000, .vat_percent = 24},
    {"T-AC",     "0.22 EUR/kWh and 1.20 EUR/h, plus VAT",     .energy_u6 = 220000, .time_u6 = 1200000, .vat_percent = 24},
};

static const struct plug {
    const char *standard, *format, *power_type;
    int64_t volts, amperes, max_w;
    bool dc;
} plugs[] = {
    {"IEC_62196_T2_COMBO", "CABLE",  "DC",         920, 500, 150000, true},
    {"CHADEMO",            "CABLE",  "DC",         500, 125,  50000, true},
    {"IEC_62196_T2",       "SOCKET", "AC_3_PHASE", 230,  32,  22080, false},
};
enum { CCS, CHADEMO, TYPE2 };

enum { ENERGY_ONLY, FAST, AC };
enum { NO_START = 1, NO_PROFILES = 2, NAME_CONNECTOR = 4 };

/* One row per EVSE of the fixed part; `second` < 0: one connector only. */
static const struct blueprint {
    unsigned location, flags;
    const char *uid, *suffix;
    int first, second, tariff;
    enum ocpi_evse_status status;
} blueprints[] = {
    {0, 0,              "3256", "E12345",    CCS,     CHADEMO, ENERGY_ONLY, OCPI_EVSE_AVAILABLE},
    {0, 0,              "3257", "E12346",    TYPE2,   -1,      AC,          OCPI_EVSE_AVAILABLE},
    {1, NAME_CONNECTOR, "4001", "E20001*1",  CCS,     TYPE2,   ENERGY_ONLY, OCPI_EVSE_AVAILABLE},
    {1, NO_PROFILES,    "4002", "E20001*2",  TYPE2,   -1,      ENERGY_ONLY, OCPI_EVSE_AVAILABLE},
    {1, 0,              "4003", "E20001*3",  CCS,     -1,      FAST,        OCPI_EVSE_AVAILABLE},
    {2, NO_START,       "5001", "E30001",    TYPE2,   -1,      AC,          OCPI_EVSE_AVAILABLE},
    {2, 0,              "5002", "E30002",    CCS,     -1,      FAST,        OCPI_EVSE_PLANNED},
    {2, 0,              "5003", "E30003",    TYPE2,   -1,      AC,          OCPI_EVSE_REMOVED},
    {2, 0,              "5004", "E30004",    CHADEMO, -1,      FAST,        OCPI_EVSE_AVAILABLE},
};
/* clang-format on */

struct tariff *tariff_find(struct world *w, const char *id)
{
    for (size_t i = 0; i < w->tariff_count; i++) {
        if (strcasecmp(w->tariffs[i].id, id) == 0)
            return &w->tariffs[i];
    }
    return 0;
}

struct tariff *tariff_make(struct world *w, const char *id)
{
    struct tariff *t = tariff_find(w, id);

    if (t || w->tariff_count == WORLD_TARIFFS)
        return t;
    t = &w->tariffs[w->tariff_count];
    *t = (struct tariff){.vat_percent = 24};
    if (!*id || !text_copy(t->id, sizeof(t->id), id))
        return 0;
    w->tariff_count++;
    return t;
}

/* Names of different kinds must not meet: "l:" locations, "e:" uids and evse_ids. */
static const char *name_key(char key[NAME_KEY], char kind, const char *name)
{
    snprintf(key, NAME_KEY, "%c:%s", kind, name);
    text_to_lower(key);
    return key;
}

static void world_name(struct world *w, char kind, const char *name, unsigned index)
{
    char key[NAME_KEY], folded[EVSE_ID_KEY];

    json_object_set_new(w->names, name_key(key, kind, name), json_integer(index));
    if (kind == 'e' && evse_id_key(name, folded))
        json_object_set_new(w->names, name_key(key, 'k', folded), json_integer(index));
}

static void evse_plug(struct evse *e, int plug, const struct tariff *tariff)
{
    static const char *const ids[EVSE_CONNECTORS] = {"1", "2"};
    const struct plug *p = &plugs[plug];

    e->connectors[e->connector_count] = (struct connector){
        .id = ids[e->connector_count],
        .standard = p->standard,
        .format = p->format,
        .power_type = p->power_type,
        .volts = p->volts,
        .amperes = p->amperes,
        .max_w = p->max_w,
        .dc = p->dc,
        .tariff = tariff,
    };
    e->connector_count++;
}

static void world_add(struct world *w, struct party_id party, const struct blueprint *b)
{
    unsigned index = w->evse_count++;
    struct evse *e = &w->evses[index];
    struct location *l = &w->locations[b->location];

    *e = (struct evse){
        .location = b->location,
        .status = b->status,
        .usual_status = b->status,
        .remote_start = !(b->flags & NO_START),
        .profiles = !(b->flags & NO_PROFILES),
        .connector_required = b->flags & NAME_CONNECTOR,
        .car = car_usual(),
        .meter_mwh = INT64_C(1000000000) + index,
        .updated_us = l->updated_us,
    };
    text_copy(e->uid, sizeof(e->uid), b->uid);
    snprintf(e->evse_id, sizeof(e->evse_id), "%s*%s*%s", party.country_code, party.party_id,
             b->suffix);
    evse_plug(e, b->first, &w->tariffs[b->tariff]);
    if (b->second >= 0)
        evse_plug(e, b->second, &w->tariffs[b->tariff]);
    if (l->evse_count++ == 0)
        l->first_evse = index;
    world_name(w, 'e', e->uid, index);
    world_name(w, 'e', e->evse_id, index);
}

static void world_add_numbered(struct world *w, struct party_id party, unsigned number,
                               unsigned evses)
{
    char uid[24], suffix[24];

    for (unsigned i = 1; i <= evses; i++) {
        struct blueprint b = {.location = number - 1,
                              .uid = uid,
                              .suffix = suffix,
                              .first = i % 2 ? CCS : TYPE2,
                              .second = -1,
                              .tariff = i % 2 ? FAST : AC,
                              .status = OCPI_EVSE_AVAILABLE};

        snprintf(uid, sizeof(uid), "%u-%u", number, i);
        snprintf(suffix, sizeof(suffix), "E9%07u*%u", number, i);
        world_add(w, party, &b);
    }
}

struct world *world_new(struct party_id party, unsigned locations, unsigned evses)
{
    struct world *w = calloc(1, sizeof(*w));
    unsigned count = locations > FIXED_LOCATIONS ? locations : FIXED_LOCATIONS;
    size_t fixed = sizeof(blueprints) / sizeof(blueprints[0]);

    assert(w);
    w->locations = calloc(count, sizeof(*w->locations));
    w->evses = calloc(fixed + (size_t)count * evses, sizeof(*w->evses));
    w->names = json_object();
    assert(w->locations && w->evses && w->names);
    /* Yesterday: whatever happens now is newer. */
    int64_t born_us = time_now_us() - INT64_C(86400) * US_PER_SECOND;
    memcpy(w->tariffs, first_tariffs, sizeof(first_tariffs));
    w->tariff_count = sizeof(first_tariffs) / sizeof(first_tariffs[0]);
    for (size_t i = 0; i < w->tariff_count; i++)
        w->tariffs[i].updated_us = born_us / US_PER_SECOND * US_PER_SECOND;
    for (; w->location_count < count; w->location_count++) {
        struct location *l = &w->locations[w->location_count];

        snprintf(l->id, sizeof(l->id), "LOC%u", w->location_count + 1);
        l->updated_us = born_us / US_PER_SECOND * US_PER_SECOND;
        world_name(w, 'l', l->id, w->location_count);
    }
    for (size_t i = 0; i < fixed; i++)
        world_add(w, party, &blueprints[i]);
    for (unsigned n = FIXED_LOCATIONS + 1; n <= count; n++)
        world_add_numbered(w, party, n, evses);
    return w;
}

void world_free(struct world *w)
{
    if (!w)
        return;
    json_decref(w->names);
    free(w->evses);
    free(w->locations);
    free(w);
}

void world_reset(struct world *w)
{
    for (unsigned i = 0; i < w->evse_count; i++) {
        struct evse *e = &w->evses[i];

        e->car = car_usual();
        e->session = 0;
        e->waiting = 0;
        e->reserved = 0;
        if (e->status != e->usual_status)
            evse_touch(w, e, e->usual_status);
    }
    for (unsigned i = 0; i < w->location_count; i++)
        w->locations[i].hidden = false;
}

static bool world_find(const struct world *w, char kind, const char *name, unsigned *ret)
{
    char key[NAME_KEY];
    const json_t *found = json_object_get(w->names, name_key(key, kind, name));

    if (found)
        *ret = (unsigned)json_integer_value(found);
    return found;
}

struct location *world_location(const struct world *w, const char *id)
{
    unsigned index;

    return world_find(w, 'l', id, &index) ? &w->locations[index] : 0;
}

struct evse *world_evse(const struct world *w, const char *name)
{
    unsigned index;
    char folded[EVSE_ID_KEY];

    if (world_find(w, 'e', name, &index) ||
        (evse_id_key(name, folded) && world_find(w, 'k', folded, &index)))
        return &w->evses[index];
    return 0;
}

const struct connector *evse_connector(const struct evse *e, const char *id)
{
    for (size_t i = 0; i < e->connector_count; i++) {
        if (strcasecmp(e->connectors[i].id, id) == 0)
            return &e->connectors[i];
    }
    return 0;
}

bool evse_is(const struct evse *e, const char *name)
{
    char a[EVSE_ID_KEY], b[EVSE_ID_KEY];

    return strcasecmp(e->uid, name) == 0 ||
           (evse_id_key(e->evse_id, a) && evse_id_key(name, b) && strcmp(a, b) == 0);
}

void evse_touch(struct world *w, struct evse *e, enum ocpi_evse_status status)
{
    e->status = status;
    e->updated_us = time_now_us();
    /* An EVSE's change is its Location's change (R-LOC-01). */
    w->locations[e->location].updated_us = e->updated_us;
}

void world_touch(struct world *w, unsigned count)
{
    int64_t now_us = time_now_us();

    if (count > w->location_count)
        count = w->location_count;
    while (count-- > 0) {
        struct location *l = &w->locations[w->touched++ % w->location_count];

        for (unsigned i = 0; i < l->evse_count; i++)
            w->evses[l->first_evse + i].updated_us = now_us;
        l->updated_us = now_us;
    }
}

const char *location_name(char *buffer, size_t size, const char *company, const struct location *l,
                          const struct world *w)
{
    if (l->name[0])
        snprintf(buffer, size, "%s", l->name);
    else
        snprintf(buffer, size, "%s %u", company, (unsigned)(l - w->locations) + 1);
    return buffer;
}
