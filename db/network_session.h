/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network sessions: the CPOs' OCPI Session objects, and what they do to our sessions.
 *
 * One statement stores the object by the rules of order (contract 4.3:
 * older is ignored, equal with the same content is a repetition, energy and state never fall),
 * matches it to a session (authorization reference, network session id, token uid + EVSE + start
 * within 15 minutes), applies the event and returns the session.
 */
#ifndef DB_NETWORK_SESSION_H
#define DB_NETWORK_SESSION_H

#include "base/flow.h"
#include "db/location.h"
#include "db/session.h"

struct network_session_key {
    int64_t partner_id;
    const char *country_code, *party_id, *id; /* any case */
};
enum flow_next network_session_get(struct flow *f, const struct network_session_key *key,
                                   struct stored_object *ret);

struct network_session_put {
    struct network_session_key key;
    const char *document;          /* as it came */
    enum ocpi_version ocpi;        /* its version; NONE: 2.2.1. The members below are the hub's view */
    char content_hash[SHA256_HEX]; /* of the canonical document */
    int64_t if_version;            /* as in location_put */
    int64_t last_updated_us;
    const char *status;            /* OCPI's word; RESERVED already turned into RESERVATION */
    int64_t start_us, end_us;      /* end TIME_NONE where absent */
    int64_t kwh_u6;
    bool has_cost;
    int64_t cost_u6; /* incl_vat where given, else excl_vat */
    const char *currency;
    const char *token_uid, *authorization_reference; /* reference may be NULL */
    const char *token_country_code, *token_party_id; /* the token's owner; NULL: nobody's */
    const char *location_id, *evse_uid, *connector_id;
    bool by_pull; /* found by our own GET */
    bool unreliable_clock; /* the partner's quirk */
};
struct network_session_stored {
    enum { NS_APPLIED, NS_DUPLICATE, NS_STALE, NS_ANOMALY, NS_CONFLICT } outcome;
    bool created; /* HTTP 201 */
    struct session session; /* id "": belongs to none of ours */
};
enum flow_next network_session_put(struct flow *f, const struct network_session_put *put,
                                   struct network_session_stored *ret);

#endif
