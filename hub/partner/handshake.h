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
    struct peer_endpoint *endpoints; /* with roles in 2.1.1 too: those of the other side's face */
    size_t endpoint_count;
    const char *endpoints_json;  /* for partner_registration */
    enum auth_encoding encoding; /* the one that worked */
    const char *foreign_host; /* why it failed: a host that an operator has to approve; or NULL */
};

/* A flow of its own: GET versions, GET details of the version that is wanted, with this token.
 * Errors: PEER_UNUSABLE (3001), PEER_VERSION (3002), PEER_ENDPOINTS (3003), URL_REFUSED (2001). No
 * URL is called, and none accepted, that lies on a host which is not theirs. */
struct discover_state {
    const char *versions_url, *token;
    enum ocpi_version want;        /* NONE: the highest mutual one */
    enum face face;                /* as what they know us: in 2.1.1 it tells who sends what */
    bool network;                  /* a CPO: it has to take commands */
    const struct partner *partner; /* its listed hosts and quirks; NULL: not known yet */
    struct discovery *ret;         /* in the caller's arena, kept there */
    struct arena *ret_arena;
};
extern const struct flow_type discover_flow;

void discover_fill(void *state, void *context); /* for flow_child: context is a discover_state */

#endif
