/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stores of this process: opening, closing, and how they are.
 */
#include "db/db.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "db/cache.h"
#include "db/live_store.h"
#include "db/message_store.h"
#include "db/notify.h"
#include "db/pg.h"
#include "db/redis.h"

/* The modules borrow from here: the caller's options need not outlive db_open. */
static struct {
    struct db_options options;
    char *database_url, *redis_url, *receipt_series, *our_country, *our_party;
    unsigned char data_key[32], hash_key[32];
    bool open;
} db;

static char *copy(const char *text)
{
    char *s = text ? strdup(text) : NULL;

    if (text && !s)
        abort();
    return s;
}

static struct secret copy_secret(struct secret s)
{
    return secret_is_set(s) ? secret_from(secret_reveal(s), secret_length(s)) : (struct secret){0};
}

static void forget_options(void)
{
    free(db.database_url);
    free(db.redis_url);
    free(db.receipt_series);
    free(db.our_country);
    free(db.our_party);
    secret_wipe(&db.options.redis_password);
    secret_wipe(&db.options.database_password);
    explicit_bzero(&db, sizeof(db));
}

struct err db_open(struct event_base *loop, const struct db_options *options)
{
    db.options = *options;
    db.options.database_url = db.database_url = copy(options->database_url);
    db.options.redis_url = db.redis_url = copy(options->redis_url);
    db.options.receipt_series = db.receipt_series = copy(options->receipt_series);
    db.options.our_country = db.our_country = copy(options->our_country);
    db.options.our_party = db.our_party = copy(options->our_party);
    db.options.redis_password = copy_secret(options->redis_password);
    db.options.database_password = copy_secret(options->database_password);
    if (options->data_key) {
        memcpy(db.data_key, options->data_key, sizeof(db.data_key));
        db.options.data_key = db.data_key;
    }
    if (options->hash_key) {
        memcpy(db.hash_key, options->hash_key, sizeof(db.hash_key));
        db.options.hash_key = db.hash_key;
    }
    if (db.options.statement_timeout_ms <= 0)
        db.options.statement_timeout_ms = 2000;

    live_setup();
    struct err e = redis_open(loop, &db.options);
    if (failed(e)) {
        forget_options();
        return e;
    }
    live_open(loop);
    pg_open(loop, &db.options);
    notify_open(loop, &db.options);
    message_open(loop);
    relay_context_store_open(loop);
    outbox_open(loop);
    partner_open(loop);
    contract_open(loop);
    evse_index_open(loop);
    db.open = true;
    return OK;
}

void db_close(void)
{
    if (!db.open)
        return;
    db.open = false;
    evse_index_close();
    contract_close();
    partner_close();
    outbox_close();
    relay_context_store_close();
    message_close();
    notify_close();
    pg_close();
    redis_close();
    live_close();
    forget_options();
}

enum db_health db_health(void)
{
    const char *text;

    return pg_health(&text);
}

const char *db_health_text(void)
{
    const char *text;

    pg_health(&text);
    return text;
}

bool db_redis_up(void)
{
    return redis_up();
}
