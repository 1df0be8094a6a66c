/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Audit: what holds for every answer, whatever was asked: envelope, time, message ids, routing.
 */
#ifndef HUB_OPS_SELFTEST_AUDIT_H
#define HUB_OPS_SELFTEST_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "adapters/ocpi_client.h"

enum audit_kind {
    AUDIT_ENVELOPE,       /* R-TRANS-30 */
    AUDIT_TIMESTAMP,      /* R-TRANS-30, R-TYPE-04 */
    AUDIT_CLOCK,          /* it is the present time */
    AUDIT_CONTENT_TYPE,   /* R-TRANS-08 */
    AUDIT_MESSAGE_IDS,    /* R-TRANS-60 */
    AUDIT_ROUTING,        /* R-ROUTE-04 */
    AUDIT_CONFIG_ROUTING, /* R-ROUTE-02 */
    AUDIT_KINDS,
};

/* Of one kind: how many answers could be looked at, how many were wrong, and the worst of those. */
struct audited {
    unsigned seen, wrong;
    bool grave; /* a rule is broken; else only unusual */
    const char *where, *expected, *got;
};

/* Texts live in the arena. `now_us`: when the answer came. */
void audit_answer(struct arena *a, const struct ocpi_call *call, const struct ocpi_answer *answer,
                  int64_t now_us, struct audited audit[AUDIT_KINDS]);

#endif
