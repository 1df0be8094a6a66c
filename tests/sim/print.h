/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Print: our objects as OCPI JSON, with the misbehaviours that concern how things are written.
 */
#ifndef TESTS_SIM_PRINT_H
#define TESTS_SIM_PRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/session.h"
#include "tests/sim/sim.h"
#include "tests/sim/world.h"

struct text;

enum { PRINT_MAX = 64 << 20 };

void print_location(struct sim *sim, struct text *out, const char *key, const struct location *l);
void print_evse(struct sim *sim, struct text *out, const char *key, const struct evse *e);
void print_connector(struct sim *sim, struct text *out, const char *key, const struct evse *e,
                     const struct connector *c);
void print_tariff(struct sim *sim, struct text *out, const char *key, const struct tariff *t);
void print_session(struct text *out, const char *key, struct session *s);
/* A PATCH: readings, and what else is asked for. kwh_less is taken off the reading. */
struct session_patch {
    bool status, start, kwh;
    int64_t kwh_less;
};
void print_session_patch(struct text *out, struct session *s, struct session_patch what);
/* cost_more is added to both totals. */
void print_cdr(struct text *out, const char *key, struct session *s, int64_t cost_more_u6);
void print_evse_patch(struct sim *sim, struct text *out, const struct evse *e);

/* Helpers that other printers share. */
void print_id(struct sim *sim, const struct evse *e, struct text *out, const char *key,
              const char *id);
void print_time(struct sim *sim, const struct evse *e, struct text *out, const char *key,
                int64_t us);

#endif
