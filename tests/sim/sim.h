/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocpi-sim: a charging network in one process, which speaks real OCPI 2.2.1 to the hub.
 *
 *   hub  <--- OCPI --->  call.c  (who asks what) -> faces.c, commands.c, profiles.c, handshake.c
 *        <-- pushes ---  push.c  <- session.c, callback.c, control.c
 *   test --- control -> control.c
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

enum { SIM_ENDPOINTS = 32, SIM_URL = 512 };

struct sim_options {
    struct party_id party;
    const char *name;
    int port, control_port;
    int64_t speed;
    int64_t reading_s; /* virtual seconds between readings of a session */
    int64_t page;      /* objects per page at most */
    uint64_t seed;
    bool seeded;
    unsigned locations; /* 0: the small world */
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
    struct party_id hub;
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
    json_t *tokens; /* pushed to us: "cc/pid/uid/type" in lower case -> document */
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
/* NULL if the hub does not offer it. */
const char *sim_endpoint(const struct sim *sim, const char *module, enum ocpi_interface role);

#endif
