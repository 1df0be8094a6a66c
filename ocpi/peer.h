/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peer: everything needed to call a partner, at one moment. Filled in by whoever keeps partners;
 * borrowed by everyone else.
 */
#ifndef OCPI_PEER_H
#define OCPI_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "ocpi/object.h"
#include "ocpi/party.h"
#include "ocpi/quirks.h"
#include "ocpi/version.h"

struct arena;

/* How the token stands in Authorization (R-TRANS-03). */
enum auth_encoding { AUTH_AUTO, AUTH_RAW, AUTH_BASE64 };

const char *auth_encoding_name(enum auth_encoding encoding); /* "auto", "raw", "base64" */
bool auth_encoding_parse(const char *name, enum auth_encoding *ret);

struct peer_endpoint {
    const char *module;
    enum ocpi_interface role; /* NONE: the version has no roles */
    const char *url;
};

struct peer {
    int64_t partner_id;
    const char *name;
    enum ocpi_version version;
    const char *versions_url;
    struct secret token; /* the credentials token we send */
    enum auth_encoding auth_encoding;
    struct party_id our_party, their_party;
    const struct peer_endpoint *endpoints;
    size_t endpoint_count;
    /* Further hosts ("host" or "host:port") that Link, Location and response_url may name. */
    const char *const *hosts;
    size_t host_count;
    struct quirks quirks;
    struct object_leniency leniency; /* of the quirks that concern reading objects */
};

/* The published URL of a module's interface; NULL if the partner does not offer it. The role of
 * `credentials` does not count (R-VER-03). */
const char *peer_endpoint(const struct peer *peer, const char *module, enum ocpi_interface role);
/* What is called below it: {endpoint}/{segment}..., as the partner's quirks want it. The segments
 * end with NULL. NULL if the partner does not offer the module. */
char *peer_url(struct arena *a, const struct peer *peer, const char *module,
               enum ocpi_interface role, ...) __attribute__((sentinel));
/* The id of one of the partner's own objects as it stands in such a URL. */
const char *peer_own_id(struct arena *a, const struct peer *peer, const char *id);
/* Whether a URL stays on the scheme, host and port of the partner's versions URL or endpoints, or
 * on a listed host (R-TRANS-47, R-ASYNC-17). */
bool peer_owns_url(const struct peer *peer, const char *url);

#endif
