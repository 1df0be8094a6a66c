/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshake: registration in both directions.
 *
 *   we register at them:  GET versions (A), GET details (A), POST credentials (A, ours: B)
 *                         ... they fetch our versions and details with B ...  -> C
 *   they register at us:  POST credentials (A, theirs: B), GET versions (B), GET details (B) -> C
 */
#ifndef TESTS_SIM_HANDSHAKE_H
#define TESTS_SIM_HANDSHAKE_H

#include <stdbool.h>

#include "tests/sim/sim.h"

struct handshake_result {
    bool good;
    const char *text; /* what went wrong, for people; lives during the call */
};

/* Registers (POST with token A) or, with a NULL token, renews the tokens of a standing
 * registration (PUT). `ended` may be NULL. */
void handshake_start(struct sim *sim, const char *versions_url, const char *token_a,
                     void (*ended)(struct sim *sim, struct handshake_result result, void *arg),
                     void *arg);
/* The same in one version only; NONE: the highest that both speak. */
void handshake_start_version(
    struct sim *sim, enum ocpi_version version, const char *versions_url, const char *token_a,
    void (*ended)(struct sim *sim, struct handshake_result result, void *arg), void *arg);
/* identity.c: our Credentials object of a version. */
char *our_credentials(struct sim *sim, struct arena *a, enum ocpi_version version,
                      const char *token);
/* Both tokens are void from here on. */
void registration_end(struct sim *sim);

#endif
