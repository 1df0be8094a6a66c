/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns: a list of the hosts that are being called, each with two queues.
 */
#include "adapters/http_turns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WAITING_PER_HOST = 256, /* in each lane */
    WAITING_ALL = 4096,
    KEPT = 5, /* one slot in five */
};

enum lane { LANE_FIRST, LANE_OTHER, LANES };

struct http_host {
    struct http_host *next;
    char *key; /* "https://name:443" */
    int running;
    struct {
        struct http_turn *first, *last;
        unsigned waiting;
    } queue[LANES];
};

static struct http_host *hosts; /* those that are being called */
static unsigned waiting_all;

static void *or_stop(void *memory)
{
    if (!memory) {
        fprintf(stderr, "http_turns: out of memory\n");
        abort();
    }
    return memory;
}

static struct http_host *host_of(const char *key)
{
    for (struct http_host *h = hosts; h; h = h->next)
        if (strcmp(h->key, key) == 0)
            return h;

    struct http_host *h = or_stop(calloc(1, sizeof(*h)));
    h->key = or_stop(strdup(key));
    h->next = hosts;
    hosts = h;
    return h;
}

static void host_free(struct http_host *h)
{
    struct http_host **link = &hosts;

    while (*link != h)
        link = &(*link)->next;
    *link = h->next;
    free(h->key);
    free(h);
}

static enum lane lane_of(const struct http_turn *t)
{
    return t->first_lane ? LANE_FIRST : LANE_OTHER;
}

static void queue_remove(struct http_turn *t)
{
    struct http_host *h = t->host;
    enum lane lane = lane_of(t);
    struct http_turn *before = NULL, *at = h->queue[lane].first;

    while (at != t) {
        before = at;
        at = at->next;
    }
    if (before)
        before->next = t->next;
    else
        h->queue[lane].first = t->next;
    if (h->queue[lane].last == t)
        h->queue[lane].last = before;
    t->next = NULL;
    h->queue[lane].waiting--;
    waiting_all--;
}

static bool slot_free(const struct http_host *h, enum lane lane, int per_host)
{
    return h->running < (lane == LANE_FIRST ? per_host : per_host - per_host / KEPT);
}

static void host_next(struct http_host *h, int per_host)
{
    for (enum lane lane = 0; lane < LANES; lane++) {
        while (h->queue[lane].first && slot_free(h, lane, per_host)) {
            struct http_turn *t = h->queue[lane].first;
            queue_remove(t);
            t->running = true;
            h->running++;
            t->run(t);
        }
    }
}

const char *http_turn_take(struct http_turn *turn, const char *host_key, int per_host)
{
    enum lane lane = lane_of(turn);

    if (waiting_all >= WAITING_ALL)
        return "too many calls are waiting";
    struct http_host *h = host_of(host_key);
    if (h->queue[lane].waiting >= WAITING_PER_HOST)
        return "too many calls to this host are waiting";
    turn->host = h;
    turn->running = false;
    turn->next = NULL;
    if (h->queue[lane].last)
        h->queue[lane].last->next = turn;
    else
        h->queue[lane].first = turn;
    h->queue[lane].last = turn;
    h->queue[lane].waiting++;
    waiting_all++;
    host_next(h, per_host);
    return NULL;
}

void http_turn_leave(struct http_turn *turn, int per_host, bool closing)
{
    struct http_host *h = turn->host;

    if (turn->running)
        h->running--;
    else
        queue_remove(turn);
    turn->host = NULL;
    if (!closing)
        host_next(h, per_host);
    if (h->running == 0 && !h->queue[LANE_FIRST].first && !h->queue[LANE_OTHER].first)
        host_free(h);
}
