/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OCPI 2.3.0 writes differently from 2.2.1: prices with taxes, parking places.
 */
#ifndef TESTS_SIM_BODY_230_H
#define TESTS_SIM_BODY_230_H

#include "tests/sim/print.h"
#include "tests/sim/receipt.h"

void print_230_price(struct pen pen, const char *key, struct price p);
void print_230_location_parking(struct pen pen, const struct location *l);
void print_230_evse_parking(struct pen pen, const struct evse *e);
void print_230_connector_capabilities(struct pen pen);

#endif
