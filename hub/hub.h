/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hub: what one worker process is made of. Everything here is made at start, constant afterwards,
 * and reached from a flow by hub_of(f).
 */
#ifndef HUB_HUB_H
#define HUB_HUB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/flow.h"
#include "hub/settings.h"

struct event_base;
struct http_server;
struct authenticator;
struct session;

enum { LISTEN_PUBLIC, LISTEN_INTERNAL, LISTEN_ADMIN, LISTEN_COUNT };

struct hub {
    const struct settings *settings;
    struct event_base *loop;
    struct http_server *servers[LISTEN_COUNT]; /* NULL where not configured */
    struct authenticator *authenticator;       /* hub/server/authenticate.h */
    const char *public_url; /* "https://hub.example", no slash at the end: in all URLs we give out */
    unsigned worker;        /* 0, 1, ... */
    bool draining;
    /* after_session_change of hub/jobs/jobs.h, for those who do not know the jobs. */
    void (*session_changed)(struct hub *hub, const struct session *s);
    bool was_ready; /* the stores have been there once: a failure is no start-up any more */
};

static inline struct hub *hub_of(const struct flow *f)
{
    return f->app;
}

/* Whether the stores have been there once since the process began. */
bool hub_is_ready(struct hub *hub);

/* A job: a flow that answers nobody. Its end is logged. fill may be NULL. */
void hub_job(struct hub *hub, const struct flow_type *type,
             void (*fill)(void *state, void *context), void *context);

#endif
