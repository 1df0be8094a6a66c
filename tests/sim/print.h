/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Print: our objects as JSON, in the pen's version of OCPI. Each version is written straight from
 * the world: 2.2.1 and 2.3.0 here and in receipt.c, what is new in 2.3.0 in body_230.c, 2.1.1 in
 * body_211.c.
 */
#ifndef TESTS_SIM_PRINT_H
#define TESTS_SIM_PRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/pen.h"
#include "tests/sim/session.h"
#include "tests/sim/sim.h"
#include "tests/sim/world.h"

enum { PRINT_MAX = 64 << 20 };

void print_location(struct pen pen, const char *key, const struct location *l);
void print_evse(struct pen pen, const char *key, const struct evse *e);
void print_connector(struct pen pen, const char *key, const struct evse *e,
                     const struct connector *c);
void print_evse_patch(struct pen pen, const struct evse *e);
void print_tariff(struct pen pen, const char *key, const struct tariff *t);

void print_session(struct pen pen, const char *key, struct session *s);
/* A PATCH: readings, and what else is asked for. kwh_less is taken off the reading. */
struct session_patch {
    bool status, start, kwh;
    int64_t kwh_less;
};
void print_session_patch(struct pen pen, struct session *s, struct session_patch what);
/* A CDR of a session: the usual one, or what follows it. */
struct cdr_variant {
    const char *id;        /* NULL: the session's */
    const char *credit_of; /* id of the CDR that this one takes back (R-CDR-06); NULL: none */
    int64_t cost_more_u6;  /* added to the totals */
    int64_t updated_us;    /* 0: the session's CDR */
};
struct cdr_variant later_cdr_variant(const struct later_cdr *l);
void print_cdr(struct pen pen, const char *key, struct session *s, struct cdr_variant variant);

#endif
