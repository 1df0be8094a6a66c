/* SPDX-License-Identifier: Apache-2.0 */
/* Routing calls: the tables, and the look-ups in them. */
#include "ocpi/routing_call.h"

#include <string.h>

/* clang-format off */
#define S OCPI_INTERFACE_SENDER
#define R OCPI_INTERFACE_RECEIVER
#define GET ROUTING_GET
#define POST ROUTING_POST
#define PUT ROUTING_PUT
#define PATCH ROUTING_PATCH
#define DELETE ROUTING_DELETE
#define CHANGE (POST | PUT | DELETE)
#define ANY (GET | POST | PUT | PATCH | DELETE)
#define LIST ROUTING_LIST
#define OBJECT ROUTING_OBJECT
#define URL ROUTING_HANDED_OUT
#define NONE 0
#define ALL ROUTING_MAY_GET_ALL
#define CAST ROUTING_MAY_BROADCAST
#define OPEN ROUTING_MAY_OPEN
#define NOWHERE RESOLVE_NOWHERE
#define OWNER RESOLVE_OWNER
#define OWNERS RESOLVE_OWNERS
#define OWNERS_OR_ANY RESOLVE_OWNERS_OR_ANY
#define OPPOSITE RESOLVE_OPPOSITE
#define V211 OCPI_2_1_1
#define V221 OCPI_2_2_1
#define V230 OCPI_2_3_0

static const struct routing_call calls[] = {
    {ROUTING_LOCATIONS,         S, GET,                LIST,          ALL,         NOWHERE,       V211, V230},
    {ROUTING_LOCATIONS,         S, GET,                OBJECT,        OPEN,        OWNERS,        V211, V230},
    {ROUTING_LOCATIONS,         R, GET,                OBJECT,        NONE,        NOWHERE,       V211, V230},
    {ROUTING_LOCATIONS,         R, PUT | PATCH,        OBJECT,        CAST | OPEN, OPPOSITE,      V211, V230},
    {ROUTING_TARIFFS,           S, GET,                LIST,          ALL,         NOWHERE,       V211, V230},
    {ROUTING_TARIFFS,           R, GET,                OBJECT,        NONE,        NOWHERE,       V211, V230},
    {ROUTING_TARIFFS,           R, PUT | DELETE,       OBJECT,        CAST | OPEN, OPPOSITE,      V211, V230},
    {ROUTING_TARIFFS,           R, PATCH,              OBJECT,        CAST | OPEN, OPPOSITE,      V211, V211},
    {ROUTING_TOKENS,            S, GET,                LIST,          ALL,         NOWHERE,       V211, V230},
    {ROUTING_TOKENS,            S, POST,               OBJECT,        OPEN,        OWNERS_OR_ANY, V211, V230},
    {ROUTING_TOKENS,            R, GET,                OBJECT,        OPEN,        OPPOSITE,      V211, V230},
    {ROUTING_TOKENS,            R, PUT | PATCH,        OBJECT,        CAST | OPEN, OPPOSITE,      V211, V230},
    {ROUTING_SESSIONS,          S, GET,                LIST,          ALL,         NOWHERE,       V211, V230},
    {ROUTING_SESSIONS,          S, PUT,                OBJECT,        OPEN,        OWNER,         V221, V230},
    {ROUTING_SESSIONS,          R, GET,                OBJECT,        OPEN,        OWNERS,        V211, V230},
    {ROUTING_SESSIONS,          R, PUT | PATCH,        OBJECT,        OPEN,        OWNER,         V211, V230},
    {ROUTING_CDRS,              S, GET,                LIST,          ALL,         NOWHERE,       V211, V230},
    {ROUTING_CDRS,              R, POST,               OBJECT,        OPEN,        OWNER,         V211, V230},
    {ROUTING_CDRS,              R, GET,                URL,           NONE,        NOWHERE,       V211, V230},
    {ROUTING_COMMANDS,          R, POST,               OBJECT,        OPEN,        OWNER,         V211, V230},
    {ROUTING_COMMANDS,          S, POST,               URL,           NONE,        NOWHERE,       V211, V230},
    {ROUTING_CHARGING_PROFILES, R, GET | PUT | DELETE, OBJECT,        OPEN,        OWNER,         V221, V230},
    {ROUTING_CHARGING_PROFILES, S, POST,               URL,           NONE,        NOWHERE,       V221, V230},
    {ROUTING_CHARGING_PROFILES, S, PUT,                OBJECT,        OPEN,        OWNER,         V221, V230},
    {ROUTING_INVOICES,          S, GET,                LIST,          ALL,         NOWHERE,       V230, V230},
    {ROUTING_INVOICES,          S, GET | CHANGE,       OBJECT,        NONE,        NOWHERE,       V230, V230},
    {ROUTING_INVOICES,          R, GET | CHANGE,       OBJECT,        NONE,        NOWHERE,       V230, V230},
    {ROUTING_PAYMENTS,          S, ANY,                LIST | OBJECT, NONE,        NOWHERE,       V230, V230},
    {ROUTING_PAYMENTS,          R, ANY,                LIST | OBJECT, NONE,        NOWHERE,       V230, V230},
    {ROUTING_BOOKINGS,          S, GET,                LIST,          ALL,         NOWHERE,       V230, V230},
    {ROUTING_BOOKINGS,          S, ANY,                OBJECT,        NONE,        NOWHERE,       V230, V230},
    {ROUTING_BOOKINGS,          R, ANY,                OBJECT,        NONE,        NOWHERE,       V230, V230},
    {ROUTING_BOOKING_LOCATIONS, S, GET,                LIST,          ALL,         NOWHERE,       V230, V230},
    {ROUTING_BOOKING_LOCATIONS, S, GET,                OBJECT,        NONE,        NOWHERE,       V230, V230},
    {ROUTING_BOOKING_LOCATIONS, R, GET,                OBJECT,        NONE,        NOWHERE,       V230, V230},
    {ROUTING_BOOKING_LOCATIONS, R, POST | PUT | PATCH, OBJECT,        CAST,        OPPOSITE,      V230, V230},
};

/* ---- the sides of each role (R-ROUTE-56) ---- */

#define BIT(module, interface) ROUTING_OFFER(ROUTING_##module, interface)
#define BOTH(module) (BIT(module, S) | BIT(module, R))
/* What a CPO implements, and what an eMSP does. */
#define CPO_SIDE (BIT(LOCATIONS, S) | BIT(TARIFFS, S) | BIT(SESSIONS, S) | BIT(CDRS, S) |          \
                  BIT(TOKENS, R) | BIT(COMMANDS, R) | BIT(CHARGING_PROFILES, R))
#define EMSP_SIDE (BIT(LOCATIONS, R) | BIT(TARIFFS, R) | BIT(SESSIONS, R) | BIT(CDRS, R) |         \
                   BIT(TOKENS, S) | BIT(COMMANDS, S) | BIT(CHARGING_PROFILES, S))
#define EITHER_SIDE (BOTH(INVOICES) | BOTH(PAYMENTS) | BOTH(BOOKINGS) | BOTH(BOOKING_LOCATIONS))
#define ANY_SIDE (CPO_SIDE | EMSP_SIDE | EITHER_SIDE)
#define PLACES (BOTH(LOCATIONS) | BOTH(TARIFFS))

static const struct {
    uint32_t asks; /* interfaces that a party of the role may address */
    uint32_t has;  /* interfaces that it typically implements */
} sides[] = {
    [OCPI_ROLE_CPO]   = {EMSP_SIDE | EITHER_SIDE,      CPO_SIDE | EITHER_SIDE},
    /* An eMSP may stand between a CPO and an SCSP (R-CP-08). */
    [OCPI_ROLE_EMSP]  = {CPO_SIDE | EITHER_SIDE | BIT(CHARGING_PROFILES, S), EMSP_SIDE | EITHER_SIDE},
    [OCPI_ROLE_OTHER] = {CPO_SIDE | EITHER_SIDE,       EMSP_SIDE | EITHER_SIDE},
    [OCPI_ROLE_NSP]   = {CPO_SIDE & ~BIT(TOKENS, R),   BIT(LOCATIONS, R) | BIT(TARIFFS, R)},
    [OCPI_ROLE_NAP]   = {PLACES,                       PLACES},
    [OCPI_ROLE_SCSP]  = {CPO_SIDE & ~BIT(TOKENS, R),   BIT(SESSIONS, R) | BIT(CHARGING_PROFILES, S)},
    [OCPI_ROLE_HUB]   = {ANY_SIDE,                     ANY_SIDE},
};
/* clang-format on */

const struct routing_call *routing_call_find(const struct routing_ask *ask)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const struct routing_call *c = &calls[i];
        if (c->module == ask->module && c->interface == ask->interface &&
            c->methods & (unsigned)ask->method && c->targets & (unsigned)ask->target &&
            ask->version >= c->since && ask->version <= c->until)
            return c;
    }
    return NULL;
}

bool routing_may_ask(enum ocpi_role role, uint32_t offer)
{
    return role < sizeof sides / sizeof *sides && (sides[role].asks & offer);
}

bool routing_is_typical(enum ocpi_role role, uint32_t offer)
{
    return role < sizeof sides / sizeof *sides && (sides[role].has & offer);
}

bool routing_is_owner(enum ocpi_role role, enum routing_module module)
{
    if (module == ROUTING_INVOICES)
        return true;
    if (module == ROUTING_TOKENS)
        return role == OCPI_ROLE_EMSP || role == OCPI_ROLE_OTHER;
    if (module == ROUTING_LOCATIONS || module == ROUTING_TARIFFS)
        return role == OCPI_ROLE_CPO || role == OCPI_ROLE_NAP;
    return role == OCPI_ROLE_CPO;
}

bool routing_hears(enum ocpi_role role, enum routing_module module)
{
    switch (role) {
    case OCPI_ROLE_CPO:
        return module == ROUTING_TOKENS;
    case OCPI_ROLE_EMSP:
    case OCPI_ROLE_NSP:
    case OCPI_ROLE_OTHER:
        return module != ROUTING_TOKENS;
    case OCPI_ROLE_NAP:
        return module == ROUTING_LOCATIONS || module == ROUTING_TARIFFS;
    default: /* SCSP: by direct routing only; hubs: their parties are named one by one */
        return false;
    }
}

/* ---- names ---- */

static const struct {
    const char *id;
    enum routing_module module;
} modules[] = {
    {"versions", ROUTING_CONFIGURATION},
    {MODULE_CREDENTIALS, ROUTING_CONFIGURATION},
    {MODULE_HUB_CLIENT_INFO, ROUTING_CONFIGURATION},
    {MODULE_LOCATIONS, ROUTING_LOCATIONS},
    {MODULE_TARIFFS, ROUTING_TARIFFS},
    {MODULE_TOKENS, ROUTING_TOKENS},
    {MODULE_SESSIONS, ROUTING_SESSIONS},
    {MODULE_CDRS, ROUTING_CDRS},
    {MODULE_COMMANDS, ROUTING_COMMANDS},
    {MODULE_CHARGING_PROFILES, ROUTING_CHARGING_PROFILES},
    {MODULE_INVOICES, ROUTING_INVOICES},
    {"payments", ROUTING_PAYMENTS},
    {"bookings", ROUTING_BOOKINGS}, /* R-VER-06 */
    {"booking", ROUTING_BOOKINGS},
    {"Booking", ROUTING_BOOKINGS},
};

bool routing_module_of(const char *module, enum routing_module *ret)
{
    for (size_t i = 0; module && i < sizeof modules / sizeof *modules; i++) {
        if (strcmp(modules[i].id, module) != 0)
            continue;
        *ret = modules[i].module;
        return true;
    }
    return false;
}

bool routing_method_of(const char *method, enum routing_method *ret)
{
    static const struct {
        const char *name;
        enum routing_method method;
    } methods[] = {{"GET", ROUTING_GET},
                   {"POST", ROUTING_POST},
                   {"PUT", ROUTING_PUT},
                   {"PATCH", ROUTING_PATCH},
                   {"DELETE", ROUTING_DELETE}};

    for (size_t i = 0; method && i < sizeof methods / sizeof *methods; i++) {
        if (strcmp(methods[i].name, method) != 0)
            continue;
        *ret = methods[i].method;
        return true;
    }
    return false;
}

const char *routing_kind_name(enum routing_kind kind)
{
    static const char *const names[] = {
        [ROUTING_REFUSED] = "refused", [ROUTING_LOCAL] = "local",
        [ROUTING_DIRECT] = "direct",   [ROUTING_OPEN] = "open",
        [ROUTING_FAN_OUT] = "fan_out", [ROUTING_BROADCAST] = "broadcast",
        [ROUTING_GET_ALL] = "get_all",
    };
    return names[kind];
}

uint32_t routing_offers_of(const struct peer_endpoint *endpoints, size_t count, enum ocpi_role role,
                           enum ocpi_version version)
{
    uint32_t ret = 0;

    for (size_t i = 0; i < count; i++) {
        enum routing_module module;
        if (!routing_module_of(endpoints[i].module, &module) || module == ROUTING_CONFIGURATION)
            continue;
        uint32_t sender = ROUTING_OFFER(module, OCPI_INTERFACE_SENDER);
        uint32_t receiver = ROUTING_OFFER(module, OCPI_INTERFACE_RECEIVER);
        if (version == OCPI_2_1_1)
            ret |= (sender | receiver) & (role == OCPI_ROLE_CPO ? CPO_SIDE : EMSP_SIDE);
        else if (endpoints[i].role == OCPI_INTERFACE_SENDER)
            ret |= sender;
        else if (endpoints[i].role == OCPI_INTERFACE_RECEIVER)
            ret |= receiver;
        if (module == ROUTING_BOOKINGS && version != OCPI_2_1_1)
            ret |= ROUTING_OFFER(ROUTING_BOOKING_LOCATIONS, endpoints[i].role);
    }
    return ret;
}
