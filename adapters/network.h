/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network: the one interface behind which each kind of charging network stands. The hub
 * asks; the answer is an outcome of ocpi/outcome.h: accepted, rejected, not_supported, not_sent
 * (certain that the network never got it) or unclear (it may have been executed). What the network
 * does afterwards comes in as pushes and callbacks.
 *
 * Adapters keep no state that matters: every process can run every command.
 */
#ifndef ADAPTERS_NETWORK_H
#define ADAPTERS_NETWORK_H

#include <jansson.h>

#include "base/flow.h"
#include "ocpi/outcome.h"
#include "ocpi/peer.h"

struct network_command {
    const struct peer *peer;
    const char *callback_url; /* ours, for the asynchronous result */
    const char *session_id;   /* our session: authorization_reference */
    const char *network_session_id;
    const char *location_id, *evse_uid, *connector_id;
    bool send_connector_id;
    int64_t volts, phases; /* of an AC connector, phase to neutral; 0: DC, or not known */
    /* start, reserve: the token as the network shall see it */
    const char *token_uid, *token_type, *token_contract_id, *token_issuer;
    int64_t token_last_updated_us;
    /* profile: JSON
     * {"unit":"W","start_date_time":..,"duration":..,"periods":[{start_period,limit}]} */
    const json_t *profile;
    int64_t profile_seconds; /* get: how far ahead the network shall look */
    /* reservations; 2.1.1 knows them by number */
    const char *reservation_id;
    int64_t reservation_number, reservation_until_us;
};

struct network_ack {
    enum ocpi_outcome outcome;
    const char *failure_code; /* contract 4.4, or NULL */
    int64_t timeout_s;        /* clamped to 10..180; 60 where the network gave none */
    const char *detail;       /* for people: what the network said */
    bool unauthorized;        /* turned away for the token that was shown: nothing was done */
};

struct network_kind {
    const char *name; /* "ocpi" */
    enum flow_next (*start)(struct flow *f, const struct network_command *c,
                            struct network_ack *ret);
    enum flow_next (*stop)(struct flow *f, const struct network_command *c,
                           struct network_ack *ret);
    enum flow_next (*unlock)(struct flow *f, const struct network_command *c,
                             struct network_ack *ret);
    enum flow_next (*set_profile)(struct flow *f, const struct network_command *c,
                                  struct network_ack *ret);
    enum flow_next (*clear_profile)(struct flow *f, const struct network_command *c,
                                    struct network_ack *ret);
    enum flow_next (*get_profile)(struct flow *f, const struct network_command *c,
                                  struct network_ack *ret);
    enum flow_next (*reserve)(struct flow *f, const struct network_command *c,
                              struct network_ack *ret);
    enum flow_next (*cancel_reservation)(struct flow *f, const struct network_command *c,
                                         struct network_ack *ret);
    /* How a probe ended: up is an answer that shows OCPI at work (R-HCI-08). */
    enum flow_next (*health)(struct flow *f, const struct peer *peer, bool *ret_up);
};

extern const struct network_kind network_ocpi; /* adapters/ocpi_cpo.c */

/* Circuit breaker of this process, per partner: before a start is
 * accepted, and told by every call of the client. */
bool network_breaker_open(int64_t partner_id);
void network_breaker_note(int64_t partner_id, bool ok);
/* Told each time one opens that was closed; set once at start. */
void network_breaker_observe(void (*opened)(int64_t partner_id));

#endif
