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
#include "db/cdr.h"
#include "db/network_session.h"
#include "db/partner.h"
#include "db/pull.h"

enum { PULL_SLICE = 10 };

struct pull_store {
    const struct pull_claim *claim;
    const struct partner *partner;
    const json_t *objects;
    /* results */
    size_t refused, written;
    bool unnamed; /* an object has no id: a full pull cannot say any more what is missing */
    /* as it goes */
    enum { PULL_SEE, PULL_COMPARE, PULL_PUT, PULL_TELL } phase;
    size_t index;
    const char *keys[PULL_SLICE], *digests[PULL_SLICE];
    bool unchanged[PULL_SLICE];
    struct network_session_stored session;
    struct cdr_stored cdr;
    bool told;
};

/* Returned from a step until it says FLOW_NEXT. */
enum flow_next pull_store(struct flow *f, struct pull_store *s);

#endif
