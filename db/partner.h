/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partners: companies connected by OCPI, how they prove who they are, and how to reach them.
 *
 * Each process keeps the register as an immutable snapshot (struct partner_register): look-ups are
 * plain function calls. A change in the database is notified, a new snapshot is read and swapped
 * in; a flow that must not see an old one (token just rotated) misses in the snapshot and then
 * asks the database (partner_by_token).
 */
#ifndef DB_PARTNER_H
#define DB_PARTNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/flow.h"
#include "ocpi/face.h"
#include "ocpi/party.h"
#include "ocpi/peer.h"

struct partner_party {
    struct party_id id;
    enum ocpi_role role;
    const char *name; /* business_details.name: the network's display name */
    const char *details; /* business_details, JSON */
};

struct partner {
    int64_t id;
    const char *name;
    const char *state; /* "planned", "connected", "offline", "suspended" */
    bool enabled;
    enum face face; /* as what it met us: R-VER-10 */
    bool hub;       /* it is a hub itself: HUB among its roles (2.2.1) or hub_party_id (2.3.0) */
    struct peer peer; /* version, endpoints, token to send, our and their party */
    struct partner_party *parties;
    size_t party_count;
    struct partner_party *pending; /* what it lists beyond the agreed ones: an operator decides */
    size_t pending_count;
    int64_t last_contact_us; /* TIME_NONE: never */
    int64_t registered_us;
    const char *pulled; /* JSON {"locations": "...", "tariffs": "..."}: when last pulled in full */
    const char *quirks; /* JSON {"unreliable_clock": true, ...}: peer.quirks has them read */
    const char *host_asked; /* a host it wants to move to, until an operator approves it; or NULL */
    bool needs_resync;      /* pushes to it were dropped: it has to pull */
    int failures;           /* of probes, in a row */
    int64_t state_since_us;
};

enum token_kind {
    TOKEN_A,        /* opens versions and credentials only */
    TOKEN_A_USED,   /* remembered for 24 h: POST answers 405 (R-CRED-20) */
    TOKEN_ACCEPTED, /* B/C: the connection's own */
};

/* Finds who presents one of the candidate tokens (ocpi/headers.h gives verbatim and decoded), by
 * keyed hash. First the snapshot (answers at once), then the database. found=false: 401. A token
 * that replaces another retires the old one when it is first used (R-CRED-06). */
struct partner_auth {
    bool found;
    enum token_kind kind;
    const struct partner *partner; /* lives as long as the flow */
    int matched;                   /* which candidate: auth_encoding learnt (R-TRANS-03) */
};
enum flow_next partner_by_token(struct flow *f, const char *const *candidates, size_t count,
                                struct partner_auth *ret);

/* From the snapshot; NULL if unknown. Lives as long as the flow. */
const struct partner *partner_find(struct flow *f, int64_t id);
const struct partner *partner_of_party(struct flow *f, const char *country_code,
                                       const char *party_id);

struct partners {
    const struct partner **items;
    size_t count;
};
struct partners partner_all(struct flow *f); /* from the snapshot, fresh within a second */
/* By name in any case, or by number: what people type. NULL: nobody is called so. */
const struct partner *partner_named(struct flow *f, const char *which);
bool partner_register_ready(void);           /* the first snapshot has been read */
uint64_t partner_register_number(void);      /* of the newest snapshot: each has another */

/* ---- life of a connection ---- */

struct partner_invite {
    const char *name, *country_code, *party_id, *role;
    const char *token_a;                     /* made by the caller; stored hashed, 7 days */
    const char *our_country, *our_party;
};
/* ERR_CONFLICT-free: a party that is already known gets a new token A (re-registration). */
enum flow_next partner_invite(struct flow *f, const struct partner_invite *ask, int64_t *ret_id);

/* What a finished handshake (POST/PUT by them, or our own POST/PUT) fixes, in one statement. */
struct partner_registration {
    int64_t partner_id;          /* 0: a new partner (we registered at them) */
    const char *expected_state;  /* "planned" for POST, "connected" for PUT; NULL: any */
    const char *name;
    const char *version;         /* "2.2.1" */
    const char *versions_url;
    const char *token_out;       /* the token we send: sealed at rest */
    const char *token_in;        /* the token they send from now on: stored hashed */
    const char *auth_encoding;   /* "auto", "raw", "base64" */
    const char *endpoints;       /* JSON array of {identifier, role, url} */
    const char *roles;           /* JSON array of their CredentialsRole: those that were not agreed
                                    become pending; the first time all of them are active */
    const char *our_country, *our_party;
    enum face face;
    bool hub;
    bool spend_token_a;
};
struct partner_registered {
    bool conflict; /* the state was not the expected one: 405 */
    bool taken;    /* one of the roles belongs to another partner: 2001, nothing was stored */
    int64_t partner_id;
};
enum flow_next partner_registered(struct flow *f, const struct partner_registration *r,
                                  struct partner_registered *ret);
/* Our own registration: token_in must be valid before the other side has answered. */
enum flow_next partner_expect_token(struct flow *f, int64_t partner_id, const char *name,
                                    const char *versions_url, const char *token_in,
                                    int64_t *ret_partner_id);

enum flow_next partner_unregistered(struct flow *f, int64_t partner_id);

/* Seen alive (throttled by the module to one write per 30 s; per second, while it counts as away: what
 * it sends brings it back). */
void partner_seen(const struct partner *p);

#endif
