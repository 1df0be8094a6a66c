/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What print.c and receipt.c share: numbers, addresses, members that OCPI does not know.
 */
#ifndef TESTS_SIM_NUMBER_H
#define TESTS_SIM_NUMBER_H

#include <stdint.h>

struct evse;
struct sim;
struct text;

/* At most four decimals (R-TYPE-07). */
void print_number(struct sim *sim, const struct evse *e, struct text *out, const char *key,
                  int64_t value_u6);
void print_extra(struct sim *sim, const struct evse *e, struct text *out);
void print_coordinates(struct text *out, unsigned number);
void print_address(struct sim *sim, const struct evse *e, struct text *out, unsigned number);

#endif
