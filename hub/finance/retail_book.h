/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The retail book: the published retail tariffs and the VAT rates, as this process last read them.
 *
 * An immutable snapshot; a change in the database makes a new one within a moment, in every worker.
 * A flow keeps the one it asked for until it ends. Look-ups are plain function calls.
 */
#ifndef HUB_FINANCE_RETAIL_BOOK_H
#define HUB_FINANCE_RETAIL_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/flow.h"
#include "ocpi/retail.h"

struct hub;
struct retail_book;

void retail_book_open(struct hub *hub);
void retail_book_close(void);
bool retail_book_ready(void); /* it has been read once */

/* The newest, held by the flow; waits for the first one. */
enum flow_next retail_book_get(struct flow *f, const struct retail_book **ret);

/* Of what db/retail.h's retail_book_read has just read: for who must not miss the last change. The
 * flow's. */
const struct retail_book *retail_book_of(struct flow *f, const json_t *rows);

bool retail_book_has_markup(const struct retail_book *b); /* some tariff is made of the network's */
bool retail_book_has_groups(const struct retail_book *b);

/* The rate for a kind of buyer ("consumer") on the day of `us` where local time is `offset_s` ahead
 * of UTC; percent with four decimals. false: no rate is known. */
bool retail_book_vat(const struct retail_book *b, const char *country, const char *buyer,
                     int64_t us, int32_t offset_s, int64_t *ret_u4);

/* The tariffs that may count at that moment: a newer version takes the place of an older one from
 * its valid_from on; a tariff for all countries is left out where its VAT is not that of `country`
 * on the day of a place whose time is `offset_s` ahead of UTC. The list is the flow's, the tariffs
 * are the book's. */
size_t retail_book_candidates(struct flow *f, const struct retail_book *b, const char *country,
                              int64_t start_us, int32_t offset_s, struct retail_tariff **ret);

/* Whether a tariff may be published at that moment: each country it is for has a complete profile
 * (a registration of ours, a rate) and this rate. By the country's own day where all its clocks
 * show the same, else by UTC's. ERR_BAD_FIELD with the member's name. */
struct err retail_book_check(const struct retail_book *b, const struct retail_tariff *t,
                             int64_t now_us, struct arena *a);

#endif
