/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Callbacks: the asynchronous results of commands and charging profiles, to their response_url.
 */
#ifndef TESTS_SIM_CALLBACK_H
#define TESTS_SIM_CALLBACK_H

#include "ocpi/party.h"

struct evse;
struct lane;
struct sim;

struct callback {
    const char *module; /* "commands" or "chargingprofiles" */
    const char *response_url;
    struct party_id to;
    struct evse *evse;
    struct lane *lane; /* NULL: none */
    char *body;        /* taken over */
};

/* {"result": word}, the body of a CommandResult; in 2.1.1 that of a CommandResponse, which has
 * fewer words. */
char *callback_body(const struct sim *sim, const char *word);
/* Sends it now: once, twice, to another spelling of the URL, or never. */
void callback_send(struct sim *sim, struct callback c);
/* After a while of the virtual clock. `response_url` is copied; `lane` must stay. */
void callback_later(struct sim *sim, int64_t virtual_ms, struct callback c);

#endif
