/* SPDX-License-Identifier: Apache-2.0 */
/* Reading again on a notification or when its time has come; see the header. */
#include "db/fresh.h"

#include <stdlib.h>

#include <event2/event.h>

#include "db/db.h"

enum { FIRST_MS = 200 }; /* until the first time */

static void read_again(struct fresh *s)
{
    s->again = s->reading;
    if (s->reading)
        return;
    s->reading = true; /* before, as it may end at once */
    if (!s->read())
        s->reading = false;
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    struct fresh *s = arg;
    int64_t ms = s->have ? s->every_ms : FIRST_MS;
    struct timeval next = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};

    (void)fd;
    (void)what;
    evtimer_add(s->timer, &next);
    if (!s->reading)
        read_again(s);
}

static void told(const char *payload, void *arg)
{
    struct fresh *s = arg;

    (void)payload;
    if (s->timer)
        read_again(s);
}

void fresh_open(struct fresh *s, struct event_base *loop)
{
    struct timeval now = {0};

    s->life++;
    s->reading = s->again = s->have = false;
    s->timer = evtimer_new(loop, on_time, s);
    if (!s->timer)
        abort();
    evtimer_add(s->timer, &now);
    db_on_notify(s->channel, told, s);
}

void fresh_close(struct fresh *s)
{
    if (!s->timer)
        return;
    event_free(s->timer);
    s->timer = NULL;
}

void fresh_ended(struct fresh *s, bool ok)
{
    s->reading = false;
    s->have = s->have || ok;
    if (s->again && s->timer)
        read_again(s);
}

void *fresh_ticket(const struct fresh *s)
{
    return (void *)s->life; /* NOLINT: a number, not a pointer */
}

bool fresh_expects(const struct fresh *s, const void *ticket)
{
    return s->timer && (uintptr_t)ticket == s->life;
}
