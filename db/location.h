/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locations: what CPOs told us of their places, EVSEs and connectors.
 *
 * The document is kept as JSON with unknown fields; beside it the columns we query. Ids compare
 * caselessly (R-TYPE-01). The EVSEs also lie in an index in memory, kept fresh by notification, so
 * that a start needs no look-up of its own; a miss is asked of the database before it is believed.
 */
#ifndef DB_LOCATION_H
#define DB_LOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/flow.h"
#include "ocpi/version.h"

struct evse_connector {
    const char *id, *standard, *format, *power_type;
    int64_t power_w; /* max_electric_power, else volts x amperes x phases */
    const char *const *tariff_ids;
    size_t tariff_count;
};
struct evse {
    int64_t partner_id;
    const char *country_code, *party_id, *location_id, *uid;
    const char *evse_id; /* as the network spells it */
    const char *status;  /* OCPI's word */
    const char *const *capabilities; /* NULL-terminated */
    struct evse_connector *connectors;
    size_t connector_count;
    const char *network; /* display name of the CPO's role */
    bool network_enabled, published;
    const char *network_state;      /* of its connection: "connected", "offline", ... */
    enum ocpi_version network_ocpi; /* what it speaks */
    bool assume_remote_start;       /* the partner's quirk */
    /* the location */
    const char *name, *address, *city, *country, *time_zone, *latitude, *longitude;
    int64_t updated_us;
};
bool evse_has_capability(const struct evse *e, const char *capability);
bool evse_starts_remotely(const struct evse *e); /* says so, or is known to */

struct evses {
    struct evse *items;
    size_t count;
};
/* All EVSEs whose normalised id (ocpi/evse_id.h) is `key`; count 0: unknown. */
enum flow_next evse_find(struct flow *f, const char *key, struct evses *ret);

/* ---- receiver and sender side ---- */

struct stored_object {
    bool found;
    const char *document;   /* JSON text, as its owner sent it */
    enum ocpi_version ocpi; /* ... in this version */
    int64_t version;        /* for optimistic writes */
    int64_t last_updated_us;
};

struct location_key {
    int64_t partner_id;
    const char *country_code, *party_id, *location_id; /* any case */
};
enum flow_next location_get(struct flow *f, const struct location_key *key,
                            struct stored_object *ret);

struct location_put {
    struct location_key key;
    const char *document;     /* the whole Location, EVSEs included, as it came */
    enum ocpi_version ocpi;   /* its version; NONE: 2.2.1 */
    const char *view;         /* the same as a Location of 2.2.1; NULL: the document is one */
    int64_t last_updated_us;  /* its own */
    int64_t if_version;       /* 0: whatever is there (a PUT); else only if unchanged (PATCH, EVSE) */
    bool ignore_older;        /* R-TRANS-15: an older full PUT changes nothing */
};
struct location_stored {
    enum { LOCATION_CREATED, LOCATION_REPLACED, LOCATION_STALE, LOCATION_SAME,
           LOCATION_CONFLICT /* if_version did not hold: read, merge, try again */ } outcome;
};
enum flow_next location_put(struct flow *f, const struct location_put *put,
                            struct location_stored *ret);
/* A page of a pull, in one statement. */
enum flow_next location_put_many(struct flow *f, const struct location_put *puts, size_t count);

#endif
