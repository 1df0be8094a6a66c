/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocpi-sim: a company in one process that speaks real OCPI to the hub, in versions 2.1.1, 2.2.1 and
 * 2.3.0: a charging network (CPO) or a provider of charging services (eMSP).
 *
 *   hub  <--- OCPI --->  call.c  (who asks what) -> handshake.c, identity.c, and
 *                                CPO:  faces.c, commands.c, profiles.c
 *                                eMSP: receiver.c, cards.c, asking.c
 *        <-- pushes ---  push.c  <- session.c, callback.c, control*.c
 *   test --- control -> control.c
 *
 * Messages are written for the version that was agreed on (sim.reg.version), answers for that of
 * the URL they came to.
 *
 * Time: timestamps in messages are the wall clock's; what passes between two moments (energy,
 * delays, readings) follows the virtual clock of clock.h. With --speed 60 the meter is a fast
 * meter: a wall-clock second charges what a minute would, and a session of three seconds says so
 * in its times. So total_time is end - start, and nothing lies in the future.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ocpi/headers.h"
#include "ocpi/party.h"
#include "ocpi/peer.h"
#include "ocpi/url.h"

struct event_base;
struct http_server;

enum { SIM_ENDPOINTS = 32, SIM_URL = 512, SIM_VERSIONS = 3 };

struct sim_options {
    enum ocpi_role role;                      /* CPO or EMSP */
    enum ocpi_version versions[SIM_VERSIONS]; /* offered, in this order */
    size_t version_count;
    struct party_id party;
    const char *name;
    int port, control_port;
    int64_t speed;
    int64_t reading_s; /* virtual seconds between readings of a session */
    int64_t page;      /* objects per page at most */
    uint64_t seed;
    bool seeded;
    unsigned locations; /* 0: the small world */
    unsigned evses;     /* of each location beyond the small world */
    unsigned cards;     /* of an eMSP, beyond the first ones */
    bool client_info;   /* a CPO with a receiver of hubclientinfo; an eMSP always has one */
    bool reservations;  /* RESERVABLE, RESERVE_NOW */
    bool status_pushes; /* EVSE status changes go to the hub */
    const char *register_url, *register_token;
    const char *token_a; /* accepted for a registration at us */
    const char *ca_file;
};

/* The connection with the hub. */
struct registration {
    bool registered;
    char token_a[CREDENTIALS_TOKEN_MAX + 1];      /* accepted for registering; "" once used */
    char token_in[CREDENTIALS_TOKEN_MAX + 1];     /* what the hub shows us */
    char token_before[CREDENTIALS_TOKEN_MAX + 1]; /* until the newer one has been seen */
    char token_next[CREDENTIALS_TOKEN_MAX + 1];   /* offered in a handshake under way */
    char token_out[CREDENTIALS_TOKEN_MAX + 1];    /* what we show the hub */
    char versions_url[SIM_URL];
    enum ocpi_version version;
    struct party_id hub;
    bool routes; /* they said that they are a hub: messages name whom they are for */
    struct endpoint {
        char module[40];
        enum ocpi_interface role;
        char url[SIM_URL];
    } endpoints[SIM_ENDPOINTS];
    size_t endpoint_count;
};

struct listener {
    int fd, port;
    struct http_server *server;
};

struct sim {
    const struct sim_options *options;
    struct event_base *loop;
    struct clock *clock;
    struct world *world;
    struct behave *behave;
    struct record *record;
    struct check *check;
    struct sessions *sessions;
    struct cards *cards; /* an eMSP's own tokens */
    struct store *store; /* what was pushed to us, and what we pulled */
    struct registration reg;
    struct listener ocpi, control;
    char base_url[64];      /* http://127.0.0.1:N */
    char hook_url[SIM_URL]; /* asked before a command is answered; "": nobody */
    bool offline;
    bool closing;      /* nothing new begins */
    struct call *hung; /* calls that get no answer: misbehaviour `hang` */
    uint64_t random;
};

/* main.c */
uint64_t sim_random_below(struct sim *sim, uint64_t limit); /* from the seed */
void sim_event(const char *line); /* one line of JSON on standard output */
/* Closes or opens the OCPI door again, on the same port. */
void sim_set_offline(struct sim *sim, bool offline);
bool sim_is_emsp(const struct sim *sim);
bool sim_speaks(const struct sim *sim, enum ocpi_version version);
/* NULL if the hub does not offer it. Before 2.2 endpoints have no role, and any fits. */
const char *sim_endpoint(const struct sim *sim, const char *module, enum ocpi_interface role);

#endif
