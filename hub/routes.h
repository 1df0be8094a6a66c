/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes: every endpoint in one list: method, path, the door its callers come through, the role
 * they need, and the flow that serves it.
 *
 * Bodies: 64 KiB for apps, 1 MiB for OCPI, 4 MiB for Locations.
 */
#ifndef HUB_ROUTES_H
#define HUB_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/flow.h"
#include "hub/request.h"

struct hub;
struct http_exchange;
struct http_head;
struct text;

enum door {
    DOOR_OPEN,    /* nobody asks who you are: health, openapi */
    DOOR_USER,    /* a user's or robot's JWT */
    DOOR_PARTNER, /* an OCPI credentials token B/C */
    DOOR_REGISTRATION, /* the same, or token A: versions and credentials */
    DOOR_ADMIN,   /* the admin socket, or the admin token */
    DOOR_FINANCE, /* staff with the role finance, auditors too where it is read; else as ADMIN */
};

enum {
    ROUTE_JSON = 1,      /* takes a JSON body: 415, 400 otherwise */
    ROUTE_JSON_OPTIONAL = 2,
    ROUTE_NO_ROBOT = 4,  /* a robot may not (contract section 2) */
    ROUTE_INTERNAL = 8,  /* only on the internal listener */
    ROUTE_EVERYWHERE = 16, /* on the internal listener too */
    ROUTE_RAW = 32,      /* the handler reads the bytes itself */
    ROUTE_ONLY_2_1_1 = 64, /* OCPI: other versions do not have it ... */
    ROUTE_NOT_2_1_1 = 128, /* ... or 2.1.1 does not */
    ROUTE_TO_OTHERS = 256, /* OCPI: TO may name a party that is not ours: the flow looks for it */
    ROUTE_SINCE_2_3_0 = 1024, /* ... nor has 2.2.1 */
    ROUTE_TO_READERS = 512, /* ... one to whom what is stored here is told on */
};

struct route {
    const char *method;
    const char *pattern; /* "/v1/sessions/{session_id}/status" */
    enum door door;
    unsigned flags;
    const struct flow_type *flow;
    const char *module; /* OCPI: for the message log; NULL for apps */
    const struct flow_type *relay; /* ... what serves it where TO names another party; or NULL */
};

extern const struct route routes[]; /* ends with {0} */

/* Callbacks of the HTTP servers; ctx is a struct listener_context. */
struct listener_context {
    struct hub *hub;
    int listener; /* LISTEN_PUBLIC ... */
};
size_t routes_body_max(void *ctx, const struct http_head *head);
void routes_handle(void *ctx, struct http_exchange *x);
void routes_malformed(void *ctx, enum err_kind kind, const char *path, const char *request_id,
                      struct text *ret_body, const char **ret_content_type);

#endif
