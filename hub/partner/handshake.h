/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshake: our side of OCPI registration as the one who calls.
 */
#ifndef HUB_PARTNER_HANDSHAKE_H
#define HUB_PARTNER_HANDSHAKE_H

#include "base/flow.h"
#include "db/partner.h"
#include "ocpi/version.h"

/* What a partner's versions and details say. */
struct discovery {
    enum ocpi_version version;
    const char *details_url;
    struct peer_endpoint *endpoints;
    size_t endpoint_count;
    const char *endpoints_json; /* for partner_registration */
    enum auth_encoding encoding; /* the one that worked */
};

/* A flow of its own: GET versions, GET details of the highest mutual version (or `want`), with
 * this token. Errors: PEER_UNUSABLE (3001), PEER_VERSION (3002), PEER_ENDPOINTS (3003). */
struct discover_state {
    const char *versions_url, *token;
    enum ocpi_version want; /* NONE: the highest mutual one */
    struct discovery *ret;  /* in the caller's arena, kept there */
    struct arena *ret_arena;
};
extern const struct flow_type discover_flow;

/* Our credentials object as JSON, with this token in it. */
char *our_credentials(struct flow *f, const char *token);

#endif
