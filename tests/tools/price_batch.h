/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Price-batch: what each of its jobs is asked and answers (tests/tools/price_batch.c).
 */
#ifndef TESTS_PRICE_BATCH_H
#define TESTS_PRICE_BATCH_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

struct arena;
struct bill;
struct zone;

/* Answers `ask` by writing members into the open object of `out`. */
struct err batch_price(struct arena *a, const json_t *ask, struct text *out);
struct err batch_retail(struct arena *a, const json_t *ask, struct text *out);
struct err batch_bill(struct arena *a, const json_t *ask, struct text *out);

/* The zone that `ask` names, kept for the next time; NULL where it names none. */
struct err batch_zone(struct arena *a, const json_t *ask, const struct zone **ret);
/* A whole number, `absent` where there is none. */
int64_t batch_int(const json_t *ask, const char *key, int64_t absent);
/* {currency, gross_priced, lines: [[kind, unit, quantity, price, vat, amount, net]], groups:
 * [[vat, net, vat amount, gross]], net, vat, gross} */
void batch_put_bill(struct text *out, const char *key, const struct bill *b);
/* NUMBER_NONE is null. */
void batch_put(struct text *out, const char *key, int64_t value);

#endif
