/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns: how many calls run towards one host at a time, and who waits. A hanging host fills its own
 * slots only. Some slots are kept for commands that may be sent once, which nobody can repeat
 * later. Inside adapters/ only.
 */
#ifndef ADAPTERS_HTTP_TURNS_H
#define ADAPTERS_HTTP_TURNS_H

#include <stdbool.h>

struct http_host;

/* Part of the call that waits; one turn from http_turn_take until http_turn_leave. */
struct http_turn {
    void (*run)(struct http_turn *turn); /* it is this one's turn */
    bool first_lane;                     /* may use the slots that are kept */
    bool running;
    struct http_host *host;
    struct http_turn *next;
};

/* NULL, or why there is no room in the queue: then there is no turn to leave. */
const char *http_turn_take(struct http_turn *turn, const char *host_key, int per_host);
/* Whoever is next runs before this returns, unless `closing`. */
void http_turn_leave(struct http_turn *turn, int per_host, bool closing);

#endif
