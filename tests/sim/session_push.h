/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session and an EVSE tell the hub. Nothing is sent while we are not registered or the hub
 * does not offer the interface.
 */
#ifndef TESTS_SIM_SESSION_PUSH_H
#define TESTS_SIM_SESSION_PUSH_H

#include <stdint.h>

#include "tests/sim/print.h"
#include "tests/sim/session.h"

void push_session(struct session *s); /* PUT */
/* PATCH; where the hub does not know the session, PUT (R-TRANS-14). */
void push_session_patch(struct session *s, struct session_patch what);
void push_cdr(struct session *s, struct cdr_variant variant);
/* PATCH of the EVSE's status; where the hub does not know it, PUT of its Location. */
void push_evse_status(struct sim *sim, struct evse *evse);
void push_location(struct sim *sim, const struct location *l);
/* PUT of a whole EVSE below its Location. */
void push_evse(struct sim *sim, struct evse *evse);
void push_tariff(struct sim *sim, const struct tariff *t); /* PUT; DELETE once it is deleted */
/* ActiveChargingProfile (R-CP-03). */
void push_active_profile(struct session *s);

#endif
