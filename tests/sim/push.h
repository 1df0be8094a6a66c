/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pushes: what we send to the hub. A lane sends one after the other, in order; without a lane a
 * push leaves at once. OCPI has no queues for what cannot be delivered (R-TRANS-63): a push is
 * tried once, except a CDR, which is repeated until it is taken.
 */
#ifndef TESTS_SIM_PUSH_H
#define TESTS_SIM_PUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ocpi/party.h"

struct evse;
struct http_answer;
struct lane;
struct push;
struct session;
struct sim;

struct lane {
    struct push *first, *last;
    struct push *held; /* reordered-pushes */
    struct clock_timer *release;
    bool busy;
};

struct push_header {
    char *name, *value; /* value NULL: the header is left out */
};

struct push {
    struct push *next;
    struct sim *sim;
    struct lane *lane;
    char *method, *module, *url, *body; /* body NULL: none */
    char *token;                        /* instead of ours; NULL */
    char *correlation_id;               /* NULL: a new one */
    struct party_id to;                 /* not set: the hub's party */
    bool open;                          /* nobody is named: open routing */
    struct push_header *headers;        /* further ones, and ours replaced */
    size_t header_count;
    struct evse *evse; /* whose misbehaviours count */
    bool must_arrive;  /* repeated until taken */
    unsigned attempts;
    /* What to do with the answer; may be NULL. Runs before the next push of the lane leaves. */
    void (*done)(struct push *p, const struct http_answer *answer);
    void *arg;
};

/* Copies its texts; body is taken over (free()d), NULL for none. */
struct push *push_new(struct sim *sim, const char *method, const char *module, const char *url,
                      char *body);
void push_header(struct push *p, const char *name, const char *value);
/* The push belongs to the queue from here on. */
void push_send(struct push *p, struct lane *lane);
/* In front of all that waits in the lane: for use inside done(). */
void push_send_next(struct push *p, struct lane *lane);
/* HTTP 2xx and 1xxx. */
bool push_taken(const struct http_answer *answer);
/* Forgets what has not left yet. */
void lane_clear(struct sim *sim, struct lane *lane);

#endif
