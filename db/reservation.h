/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reservations: an EVSE held for one driver, at the word of an operator (R-CMD-07..09). Asking and
 * cancelling are operations; the reservation follows what becomes of them.
 */
#ifndef DB_RESERVATION_H
#define DB_RESERVATION_H

#include "base/flow.h"

enum { RESERVATION_MINUTES_MAX = 23 * 60 }; /* results are known for 24 h */

struct reservation_ask {
    const char *id; /* of one that is replaced: another end, the same EVSE and user; NULL: new */
    int64_t partner_id;
    const char *country_code, *party_id, *location_id, *evse_uid, *evse_id;
    const char *user_id;
    const char *contract_prefix; /* "FI-HUB": for a user who has no token yet */
    int64_t minutes;
    const char *by;
};
struct reservation_asked {
    enum { RESERVATION_QUEUED, RESERVATION_NOT_FOUND, RESERVATION_NOT_SUPPORTED } outcome;
    const char *id;
    int64_t operation_id, until_us;
};
enum flow_next reservation_ask(struct flow *f, const struct reservation_ask *ask,
                               struct reservation_asked *ret);
/* NOT_SUPPORTED: the network speaks 2.1.1, which has no such command. */
enum flow_next reservation_cancel(struct flow *f, const char *id, const char *by,
                                  struct reservation_asked *ret);

struct reservation_state {
    bool found;
    const char *state; /* "asked", "reserved", "refused", "unclear", "cancelled" */
    const char *why;   /* the network's word, or NULL */
};
enum flow_next reservation_get(struct flow *f, const char *id, struct reservation_state *ret);

#endif
