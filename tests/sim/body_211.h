/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of OCPI 2.1.1: no owner inside, whole Locations in Sessions and CDRs, auth_id, costs
 * that are plain numbers without VAT.
 */
#ifndef TESTS_SIM_BODY_211_H
#define TESTS_SIM_BODY_211_H

#include "tests/sim/print.h"

void print_211_connector(struct pen pen, const char *key, const struct evse *e,
                         const struct connector *c);
/* only: this connector alone; NULL: all. */
void print_211_evse(struct pen pen, const char *key, const struct evse *e,
                    const struct connector *only);
void print_211_location(struct pen pen, const char *key, const struct location *l);
void print_211_tariff(struct pen pen, const char *key, const struct tariff *t);
void print_211_session(struct pen pen, const char *key, struct session *s);
void print_211_session_patch(struct pen pen, struct session *s, struct session_patch what);
void print_211_cdr(struct pen pen, const char *key, struct session *s, struct cdr_variant variant);
/* The word of a CommandResponse for a result of 2.2: 2.1.1 has fewer. */
const char *result_word_211(const char *word);

#endif
