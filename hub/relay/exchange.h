/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exchange: one message that is carried to its receiver, and what came of it.
 *
 * Whoever does not answer delays nobody else: each receiver has a number of messages that may be
 * under way in this process, and a breaker; beyond them the answer is 4003 at once (R-ROUTE-62).
 */
#ifndef HUB_RELAY_EXCHANGE_H
#define HUB_RELAY_EXCHANGE_H

#include "adapters/ocpi_client.h"
#include "base/flow.h"
#include "ocpi/relay_answer.h"

struct partner;

struct relay_exchange {
    /* What is sent, and to whom. */
    const struct partner *receiver;
    struct party_id from, to;
    enum ocpi_version version; /* in which it is spoken to; NONE: that of its connection */
    const char *module, *method, *url;
    const char *body; /* JSON, or NULL */
    bool once_only;
    bool list;                  /* its data is one of objects */
    size_t max_answer;          /* bytes; 0: the module's */
    int64_t total_ms;           /* 0: the module's */
    const char *correlation_id; /* NULL: that of the flow */
    /* What came of it. */
    struct ocpi_answer got; /* data and headers, where answer.relayed */
    struct relay_answer answer;
    bool sent; /* bytes have left, or may have */
    /* Its own. */
    enum { RELAY_BEGIN, RELAY_SENT, RELAY_ALARM, RELAY_ALARM_AGAIN, RELAY_OVER } phase;
    bool retried;
    struct peer peer;
    struct ocpi_call call;
};

/* A step: return relay_exchange(f, x). It runs again until the answer is there. Never fails the
 * flow. A request that never left is sent once more where it may be (R-ROUTE-44). */
enum flow_next relay_exchange(struct flow *f, struct relay_exchange *x);

/* The same with several receivers, at the same time: the first success ends the wait for the
 * others, else the most telling failure counts (R-ROUTE-23). *ret_best is the index of the answer
 * to pass on. Exchanges and their answers lie in the flow's arena. */
struct relay_race {
    struct relay_exchange *exchanges;
    size_t count;
    size_t best;  /* valid when the step is over */
    size_t *came; /* in the order in which they came */
    size_t came_count;
    struct arena *arena;
    struct flow **running;
    bool begun, won;
};
enum flow_next relay_race(struct flow *f, struct relay_race *race);

#endif
