/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics: counters, gauges and histograms in memory that the supervisor shares with its workers.
 *
 * Each process writes its own slot (no atomics needed beyond plain 64-bit stores); whoever prints
 * adds the slots up. A series is (metric, label values); the number of series is bounded, and what
 * does not fit is counted under label values "other". Names and help texts are one list, METRICS,
 * which also prints the manual. No user or session ids in labels.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdint.h>

struct text;

/* clang-format off */
/*    id                     name                            kind       labels                    help */
#define METRICS(X) \
    X(HTTP_REQUESTS,         "hub_http_requests_total",       COUNTER,   "route,method,status",    "Requests answered") \
    X(HTTP_SECONDS,          "hub_http_request_seconds",      HISTOGRAM, "route",                  "Time from request to answer") \
    X(HTTP_CONNECTIONS,      "hub_http_connections",          GAUGE,     "listener",               "Open connections") \
    X(SESSION_TRANSITIONS,   "hub_session_transitions_total", COUNTER,   "from,to,cause",          "Session state changes") \
    X(COMMAND_SECONDS,       "hub_command_seconds",           HISTOGRAM, "command,result",         "Time from sending a command to the network's answer") \
    X(COMMAND_TIMEOUTS,      "hub_command_timeouts_total",    COUNTER,   "command",                "Commands without a usable answer") \
    X(CALLBACKS,             "hub_callbacks_total",           COUNTER,   "kind,outcome",           "Messages from networks: applied, duplicate, stale, unknown, anomaly") \
    X(FLOW_SECONDS,          "hub_flow_seconds",              HISTOGRAM, "flow,outcome",           "Duration of use cases") \
    X(STORE_SECONDS,         "hub_store_seconds",             HISTOGRAM, "store,statement",        "Time of one statement, queueing included") \
    X(STORE_UP,              "hub_store_up",                  GAUGE,     "store",                  "1 while the store answers") \
    X(CACHE_READS,           "hub_cache_reads_total",         COUNTER,   "outcome",                "Status reads from the live view: hit, miss, down") \
    X(BREAKER_STATE,         "hub_breaker_state",             GAUGE,     "network",                "0 closed, 1 half open, 2 open") \
    X(TRANSLATION_LOSSES,    "hub_translation_losses_total",  COUNTER,   "partner,object",         "Members of objects that a partner's OCPI version cannot say") \
    X(TRANSLATION_WITHHELD,  "hub_translation_withheld_total", COUNTER,  "partner,object",         "Objects that are not told because a partner's OCPI version cannot say them") \
    X(PUSHES,                "hub_pushes_total",              COUNTER,   "partner,kind,outcome",   "Objects pushed to partners: sent, retry, refused, skipped") \
    X(PSP_CALLS,             "hub_psp_calls_total",           COUNTER,   "kind,outcome",           "Calls of the payment service provider: answered, declined, refused, missing, retry") \
    X(PSP_EVENTS,            "hub_psp_events_total",          COUNTER,   "outcome",                "Its events: applied, known, later, mismatch, unknown, ignored, repeated, conflict, refused") \
    X(LOG_DROPPED,           "hub_log_dropped_total",         COUNTER,   "",                       "Log lines and message-log rows dropped") \
    X(WORKER_RESTARTS,       "hub_worker_restarts_total",     COUNTER,   "",                       "Workers replaced by the supervisor")
/* clang-format on */

enum metric {
#define X(id, ...) METRIC_##id,
    METRICS(X)
#undef X
    METRIC_COUNT
};

/* Call before fork(); slots = number of processes that will write. */
void metrics_setup(unsigned slots);
void metrics_use_slot(unsigned slot); /* in each process */

/* Label values in the order of the list, "" for none; at most three. */
void metric_add(enum metric m, const char *l1, const char *l2, const char *l3, uint64_t n);
void metric_set(enum metric m, const char *l1, int64_t value);
void metric_observe_ms(enum metric m, const char *l1, const char *l2, int64_t ms);
void metric_observe_us(enum metric m, const char *l1, const char *l2, int64_t us);

void metrics_print(struct text *out); /* Prometheus text format, all slots */

#endif
