/* SPDX-License-Identifier: Apache-2.0 */
/*
 * World: locations, their EVSEs, the connectors, a car at each, and the tariffs.
 *
 * The first three locations are always the same and hold what tests ask for by name:
 *
 *   LOC1  3256  FI*VRT*E12345    CCS2 150 kW, CHAdeMO 50 kW
 *         3257  FI*VRT*E12346    Type 2 22 kW
 *   LOC2  4001  FI*VRT*E20001*1  CCS2 150 kW, Type 2 22 kW; the connector must be named
 *         4002  FI*VRT*E20001*2  Type 2 22 kW, takes no charging profiles
 *         4003  FI*VRT*E20001*3  CCS2 150 kW
 *   LOC3  5001  FI*VRT*E30001    Type 2 22 kW, no remote start
 *         5002  FI*VRT*E30002    CCS2, PLANNED
 *         5003  FI*VRT*E30003    Type 2, REMOVED
 *         5004  FI*VRT*E30004    CHAdeMO 50 kW
 *
 * Further ones are made from their number: LOCn with EVSEs n-1, n-2, ... (FI*VRT*E9000n*1, ...), by
 * turns CCS2 and Type 2.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ocpi/location.h"
#include "ocpi/party.h"
#include "tests/sim/car.h"

struct session;

struct tariff {
    char id[40], text[160];
    int64_t energy_u6, time_u6, flat_u6; /* excluding VAT, per kWh, hour, session; 0: not priced */
    int64_t vat_percent;
    int64_t updated_us;
    bool deleted; /* not in the list any more; connectors and sessions may still point here */
};

struct connector {
    const char *id;
    const char *standard, *format, *power_type;
    int64_t volts, amperes, max_w;
    bool dc;
    const struct tariff *tariff;
};

enum { EVSE_CONNECTORS = 2, WORLD_TARIFFS = 64 };

struct evse {
    unsigned location; /* index */
    char uid[24], evse_id[40];
    enum ocpi_evse_status status, usual_status;
    bool remote_start, profiles, connector_required;
    struct connector connectors[EVSE_CONNECTORS];
    size_t connector_count;
    struct car car;
    int64_t meter_mwh; /* the register: continuous across sessions */
    int64_t updated_us;
    struct session *session; /* open on it */
    struct session *waiting; /* accepted, its car not plugged in yet */
    struct session *reserved;
};

struct location {
    char id[24];
    char name[64]; /* "": made from its number */
    unsigned first_evse, evse_count;
    int64_t updated_us;
    bool hidden; /* in no list: as if it had never been */
};

struct world {
    struct location *locations;
    unsigned location_count;
    struct evse *evses;
    unsigned evse_count;
    struct tariff tariffs[WORLD_TARIFFS];
    size_t tariff_count;
    unsigned touched; /* where the next touch goes on */
    json_t *names;    /* location ids, uids and evse_ids, in lower case -> index */
};

struct world *world_new(struct party_id party, unsigned locations, unsigned evses);
void world_free(struct world *w);
/* As it was in the beginning, meters excepted. */
void world_reset(struct world *w);

struct location *world_location(const struct world *w, const char *id); /* NULL: unknown */
/* By uid or evse_id, in any spelling. */
struct evse *world_evse(const struct world *w, const char *name);
const struct connector *evse_connector(const struct evse *e, const char *id); /* NULL: unknown */
bool evse_is(const struct evse *e, const char *name);
void evse_touch(struct world *w, struct evse *e, enum ocpi_evse_status status);

/* As if `count` of the locations had changed now, from where the last touch ended. */
void world_touch(struct world *w, unsigned count);
const char *location_name(char *buffer, size_t size, const char *company, const struct location *l,
                          const struct world *w);

/* Also one that was deleted; NULL: there never was one. */
struct tariff *tariff_find(struct world *w, const char *id);
/* The one of that id, or a new one; NULL: no room or no usable id. */
struct tariff *tariff_make(struct world *w, const char *id);

#endif
