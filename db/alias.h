/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aliases: the names under which one partner knows objects that others own, where the id alone will
 * not do (R-BR-06, 07). Permanent, and each leads back to one owner and id.
 *
 * OCPI 2.1.1 says nobody's name with an object. Where two owners whose objects a partner of that
 * version may have share an id, the one that the partner could know first keeps it and the others
 * are called "CC*PID*id". Versions differ in how long an id may be as well: what stands for a long
 * one (translate_id in ocpi/translate) is the same for every reader.
 *
 * Reservations are numbers in 2.1.1: each id of an eMSP gets one that is its own among all.
 */
#ifndef DB_ALIAS_H
#define DB_ALIAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/flow.h"
#include "ocpi/party.h"

enum { ALIAS_OF_LONG_ID = 36 }; /* the length of what translate_id makes of a longer id */

enum alias_module { ALIAS_LOCATIONS, ALIAS_TARIFFS, ALIAS_SESSIONS, ALIAS_MODULE_COUNT };

/* ---- what a partner of 2.1.1 calls the objects of others ---- */

struct alias {
    enum alias_module module;
    struct party_id owner;
    const char *id, *alias;
};
struct aliases {
    struct alias *items; /* only those that differ from the id; in the order alias_of wants */
    size_t count;
};

struct alias_ask {
    int64_t reader_id;
    const struct party_id *owners; /* whose objects are going to be told */
    size_t owner_count;
    /* Sessions that are going to be told: their owners stand beside them above, one each. NULL:
     * none. */
    const char *const *session_ids;
    /* Of the Locations and Tariffs that are going to be told or mentioned; others among them do no
     * harm. */
    const char *const *ids;
    size_t id_count;
};
/* What has to be known before objects of these owners are told to a reader of 2.1.1. */
enum flow_next aliases_find(struct flow *f, const struct alias_ask *ask, struct aliases *ret);
/* The alias, or `id` itself. `aliases` NULL: there are none. */
const char *alias_of(const struct aliases *aliases, enum alias_module module,
                     const struct party_id *owner, const char *id);

/* The same of one object. */
enum flow_next alias_give(struct flow *f, int64_t reader_id, enum alias_module module,
                          const struct party_id *owner, const char *id, const char **ret_alias);

/* ---- and back ---- */

struct alias_resolved {
    bool found; /* an alias that was given, or stands for a long id; false: take the id as it is */
    struct party_id owner; /* unset: a long id that several owners use */
    const char *id;
};
/* `alias` in any case, as a reader (of any version) names an object. settled: the reader speaks no
 * 2.1.1, so it is given no new ones; that it has none is remembered for a few seconds. */
enum flow_next alias_resolve(struct flow *f, int64_t reader_id, bool settled,
                             enum alias_module module, const char *alias,
                             struct alias_resolved *ret);
/* An EVSE's uid of which `alias` may be the short form; found=false: take it as it is. */
enum flow_next alias_resolve_evse(struct flow *f, const struct party_id *owner,
                                  const char *location_id, const char *alias,
                                  struct alias_resolved *ret);

/* ---- reservations ---- */

/* The number that stands for a reservation towards 2.1.1, positive and of 31 bits; kept until 30
 * days after `expiry_us` (R-BR, section 15.7). The same for the same eMSP and id. */
enum flow_next reservation_number_give(struct flow *f, const struct party_id *emsp, const char *id,
                                       int64_t expiry_us, int64_t *ret_number);
/* Back: *ret_id NULL where the number stands for none of this eMSP. */
enum flow_next reservation_number_resolve(struct flow *f, const struct party_id *emsp,
                                          int64_t number, const char **ret_id);

#endif
