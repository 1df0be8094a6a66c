/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared lists: the pages of objects that partners read from us (R-TRANS-40..45).
 */
#ifndef HUB_PARTNER_SHARED_LISTS_H
#define HUB_PARTNER_SHARED_LISTS_H

#include "db/contract.h"
#include "db/share.h"
#include "hub/partner/retell.h"
#include "hub/request.h"
#include "ocpi/headers.h"

enum {
    PAGE_SLICE = 50,                   /* translated documents between two looks at the loop */
    PAGE_DATA_BYTES = 3 * 1024 * 1024, /* a page ends here, however few objects it has then */
};

/* What the caller of a functional module may ask of `kind`, by who it is and whom it named: TO is
 * us for everybody's objects, another party for that one's; 2.1.1 names nobody. */
void share_ask_of(struct flow *f, enum share_kind kind, struct share_ask *ret);

/* A list without TO would be everybody's, which has to be said (R-ROUTE-22). */
struct err shared_list_named(struct flow *f);

/* An owner was named and nothing of it is there: is it to be had at all? Asks for its contracts
 * with the reader, then judges them: without one it is unknown here (R-ROUTE-41, 42). */
enum flow_next shared_list_contracts(struct flow *f, const struct share_ask *ask, int64_t total,
                                     struct contracts *ret);
struct err shared_list_connected(struct flow *f, const struct share_ask *ask, int64_t total,
                                 const struct contracts *found);

/* How the object is told to the caller, in the version of the URL. */
struct retell_ask shared_object_ask(const struct flow *f, const char *object,
                                    const struct shared_object *o);

/* The answer to a list: `data` is the array, `used` how many of the page's objects it speaks for.
 */
enum flow_next reply_page(struct flow *f, const struct paging *paging, size_t used, int64_t total,
                          const struct text *data);

#endif
