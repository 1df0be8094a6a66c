/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LISTEN, on a connection of its own: one that comes back listens again to everything.
 *
 * What was said while it was away is lost, so after a reconnect every listener is called once with
 * an empty payload: "something may have happened".
 */
#include "db/notify.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "db/pg_connection.h"

enum { LISTENERS_MAX = 16, CHANNEL_MAX = 32 };

static struct {
    struct pg_connection *pg;
    struct listener {
        char channel[CHANNEL_MAX];
        void (*fn)(const char *payload, void *arg);
        void *arg;
    } listeners[LISTENERS_MAX];
    int count;
    bool was_lost;
} notify;

/* Channel names are our own constants: lower-case letters and '_'. */
static bool listen_to(const char *channel)
{
    char sql[CHANNEL_MAX + 16];

    snprintf(sql, sizeof(sql), "LISTEN \"%s\"", channel);
    return pg_connection_send_text(notify.pg, sql) && pg_connection_sync(notify.pg);
}

static void on_ready(void *arg)
{
    (void)arg;
    for (int i = 0; i < notify.count; i++)
        if (!listen_to(notify.listeners[i].channel))
            return;
    if (notify.count > 0 && !pg_connection_flush(notify.pg))
        return;
    for (int i = 0; notify.was_lost && i < notify.count; i++)
        notify.listeners[i].fn("", notify.listeners[i].arg);
    notify.was_lost = false;
}

static void on_lost(void *arg)
{
    (void)arg;
    notify.was_lost = true;
}

static void on_result(void *arg, PGresult *rows)
{
    (void)arg;
    if (PQresultStatus(rows) != PGRES_COMMAND_OK)
        log_line(LOG_ERROR, "cannot listen", LOG_TEXT("reason", PQresultErrorMessage(rows)));
    PQclear(rows);
}

static void on_sync(void *arg)
{
    (void)arg;
}

static void on_notified(void *arg, const char *channel, const char *payload)
{
    (void)arg;
    for (int i = 0; i < notify.count; i++)
        if (strcmp(notify.listeners[i].channel, channel) == 0)
            notify.listeners[i].fn(payload, notify.listeners[i].arg);
}

static const struct pg_connection_owner owner = {
    .ready = on_ready,
    .lost = on_lost,
    .result = on_result,
    .sync = on_sync,
    .notified = on_notified,
};

void db_on_notify(const char *channel, void (*fn)(const char *payload, void *arg), void *arg)
{
    assert(notify.count < LISTENERS_MAX && strlen(channel) < CHANNEL_MAX);
    assert(strspn(channel, "abcdefghijklmnopqrstuvwxyz_") == strlen(channel));
    struct listener *l = &notify.listeners[notify.count++];
    snprintf(l->channel, sizeof(l->channel), "%s", channel);
    l->fn = fn;
    l->arg = arg;
    if (notify.pg && pg_connection_ready(notify.pg) && listen_to(channel))
        pg_connection_flush(notify.pg);
}

void notify_open(struct event_base *loop, const struct db_options *options)
{
    notify.was_lost = false;
    notify.pg = pg_connection_new(
        &(struct pg_connection_options){
            .loop = loop,
            .database_url = options->database_url,
            .password = secret_is_set(options->database_password)
                            ? secret_reveal(options->database_password)
                            : NULL,
            .statement_timeout_ms = options->statement_timeout_ms,
            .name = "listener",
        },
        &owner, NULL);
}

void notify_close(void)
{
    pg_connection_free(notify.pg);
    notify.pg = NULL;
    notify.count = 0;
}
