/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routing calls: the tables behind ocpi/routing.h. Which calls each module has, who may make them,
 * in which modes, and how the content names the receiver where TO does not.
 */
#ifndef OCPI_ROUTING_CALL_H
#define OCPI_ROUTING_CALL_H

#include "ocpi/routing.h"

/* Every call may be sent to one named party. */
enum routing_mode {
    ROUTING_MAY_GET_ALL = 1,
    ROUTING_MAY_BROADCAST = 2,
    ROUTING_MAY_OPEN = 4,
};

enum routing_resolve {
    RESOLVE_NOWHERE,       /* the content does not say */
    RESOLVE_OWNER,         /* one owner; several: ambiguous (R-ROUTE-55) */
    RESOLVE_OWNERS,        /* the owner; several: ask them all (R-ROUTE-23) */
    RESOLVE_OWNERS_OR_ANY, /* ... and if none is known, every owner of such objects */
    RESOLVE_OPPOSITE,      /* it is for all of the opposite side (R-ROUTE-12) */
};

struct routing_call {
    enum routing_module module;
    enum ocpi_interface interface;
    unsigned methods, targets, modes; /* sets of routing_method, routing_target, routing_mode */
    enum routing_resolve resolve;
    enum ocpi_version since, until; /* until: may be asked; forwarding translates it */
};

/* NULL: OCPI has no such call in this version. */
const struct routing_call *routing_call_find(const struct routing_ask *ask);

/* Whether a party in this role may address an interface: only eMSPs have tokens to push. */
bool routing_may_ask(enum ocpi_role role, uint32_t offer);
/* Whether such parties usually implement it (R-ROUTE-56): which of two roles is meant. */
bool routing_is_typical(enum ocpi_role role, uint32_t offer);
/* Who owns the objects of a module. */
bool routing_is_owner(enum ocpi_role role, enum routing_module module);
/* Opposite sides (R-ROUTE-12): who hears what an owner pushes to everybody. */
bool routing_hears(enum ocpi_role role, enum routing_module module);

#endif
