/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Relay answers: what the requester is told about what the receiver said, or did not say
 * (R-ROUTE-40..43), and which answer counts where several were asked (R-ROUTE-23).
 *
 * The headers of the answer are those of the routing decision, never the receiver's (R-ROUTE-07).
 * Broadcasts have no relayed answer at all (R-ROUTE-16).
 */
#ifndef OCPI_RELAY_ANSWER_H
#define OCPI_RELAY_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ocpi/envelope.h"
#include "ocpi/routing.h"

/* How the forwarded request ended. */
enum relay_end {
    RELAY_ANSWERED,  /* with a whole HTTP response */
    RELAY_NOT_SENT,  /* refused, TLS, DNS: no byte of the request left */
    RELAY_TIMED_OUT, /* sent; no answer in time */
    RELAY_BROKEN,    /* sent, at least in part; the connection ended without an answer */
    RELAY_FAILED,    /* we could not do our part */
};

struct relay_answer {
    bool relayed;        /* code, message and data are the receiver's; else `err` is the answer */
    int http_status;     /* of our answer */
    int64_t status_code; /* of our answer, as 22+ has it: 2.1.1 needs R-TRANS-35 on top */
    struct err err;      /* NONE where relayed */
    bool alarm;          /* the receiver refused our own credentials: operators are to know */
    bool offline;        /* ... and the connection is OFFLINE from now on */
    bool unclear;        /* nobody knows whether it took effect: a callback may still come
                            (R-ROUTE-61) */
};

/* `answer` is read only where the end is RELAY_ANSWERED. */
struct relay_answer relay_answer_of(enum relay_end end, const struct envelope *answer);

/* Fan-out: a success ends the wait for the others. */
bool relay_answer_is_success(const struct relay_answer *answer);
/* The one to pass on: the first success, else the most specific failure, the earlier one of equals.
 * They are in the order in which they came; count > 0. */
size_t relay_answer_best(const struct relay_answer *answers, size_t count);

/* Whether the request may be sent a second time, once (R-ROUTE-44). */
bool relay_may_retry(enum routing_method method, enum relay_end end);

#endif
