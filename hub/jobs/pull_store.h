/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storing a page of a pull: a few objects at a time, so that whoever else wants something of this
 * process waits for a few of them only. What has not changed is not written; what is refused is
 * listed and left out (R-TRANS-19).
 */
#ifndef HUB_JOBS_PULL_STORE_H
#define HUB_JOBS_PULL_STORE_H

#include <jansson.h>

#include "base/flow.h"
#include "db/network_session.h"
#include "db/partner.h"
#include "db/pull.h"
#include "db/roaming_token.h"
#include "hub/finance/intake.h"
#include "hub/partner/intake.h"

enum { PULL_SLICE = 3 }; /* a pause follows: the setting pull_share */

struct pull_store {
    const struct pull_claim *claim;
    const char *url; /* of the page */
    struct intake in;
    const json_t *objects;
    /* results */
    size_t refused, written;
    bool unnamed; /* an object has no id: a full pull cannot say any more what is missing */
    /* as it goes */
    enum { PULL_SEE, PULL_COMPARE, PULL_PUT, PULL_TELL } phase;
    size_t index;
    size_t pause_at;                                    /* this index; 0: nothing has begun */
    int64_t page_ms, slice_ms;                          /* when they began, monotonic; 0: not yet */
    const char *keys[PULL_SLICE], *digests[PULL_SLICE]; /* tokens: uids, contracts */
    bool skip[PULL_SLICE];
    struct token_owner owner;
    struct err failed; /* of the one that was put */
};

/* Returned from a step until it says FLOW_NEXT. */
enum flow_next pull_store(struct flow *f, struct pull_store *s);

/* For the parts of it: says that the object is left out, and why. */
void pull_refused(struct flow *f, struct pull_store *s, const json_t *object, struct err e);
/* Sessions, CDRs and invoice records, one at a time: hub/jobs/pull_one.c. */
enum flow_next pull_store_one(struct flow *f, struct pull_store *s);
/* An eMSP's Token as it is kept: hub/jobs/pull_token.c. */
const char *pull_token_contract(const struct intake *in, const json_t *token);
struct err pull_token(struct flow *f, const struct intake *in, const json_t *token,
                      struct roaming_token_put *ret);

#endif
