/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox: triggers fill it (migrations/013_outbox.sql), a worker claims from it.
 */
#include "db/outbox.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "db/cache.h"
#include "db/gather.h"
#include "db/pg.h"
#include "db/session_row.h"
#include "db/statements.h"

static const char *const kinds[] = {
    [OUTBOX_LOCATION] = "location",
    [OUTBOX_EVSE] = "evse",
    [OUTBOX_TARIFF] = "tariff",
    [OUTBOX_TARIFF_DELETED] = "tariff_deleted",
    [OUTBOX_SESSION] = "session",
    [OUTBOX_CDR] = "cdr",
    [OUTBOX_CLIENT_INFO] = "client_info",
    [OUTBOX_TOKEN] = "token",
    [OUTBOX_INVOICE] = "invoice",
    [OUTBOX_INVOICE_CHANGED] = "invoice_changed",
    [OUTBOX_INVOICE_DELETED] = "invoice_deleted",
    NULL,
};

const char *outbox_kind_name(enum outbox_kind kind)
{
    return kinds[kind];
}

static struct gather ends = {.statement = STATEMENT_outbox_done, .width = 5};

void outbox_open(struct event_base *loop)
{
    gather_open(&ends, loop);
}

void outbox_close(void)
{
    gather_close(&ends);
}

static struct outbox_item take_item(struct arena *a, const PGresult *rows, int row)
{
    int kind = session_take_word(rows, row, "kind", kinds);

    assert(kind >= 0);
    struct outbox_item item = {
        .id = pg_int(rows, row, "id"),
        .partner_id = pg_int(rows, row, "partner_id"),
        .kind = (enum outbox_kind)kind,
        .country_code = pg_text(a, rows, row, "country_code"),
        .party_id = pg_text(a, rows, row, "party_id"),
        .object_id = pg_text(a, rows, row, "object_id"),
        .evse_uid = pg_text(a, rows, row, "evse_uid"),
        .attempts = (int)pg_int(rows, row, "attempts"),
        .version = pg_int(rows, row, "version"),
        .document = pg_text(a, rows, row, "document"),
        .ocpi = version_parse(pg_text(a, rows, row, "ocpi")),
        .location = pg_text(a, rows, row, "location"),
        .location_ocpi = version_parse(pg_text(a, rows, row, "location_ocpi")),
        .token_country_code = pg_text(a, rows, row, "token_country"),
        .token_party_id = pg_text(a, rows, row, "token_party"),
        .role = pg_text(a, rows, row, "role"),
        .status = pg_text(a, rows, row, "status"),
        .last_updated_us = pg_time(rows, row, "last_updated"),
    };
    item.length = item.document ? strlen(item.document) : 0;
    return item;
}

static struct err take_items(struct flow *f, const PGresult *rows, void *to)
{
    struct outbox_items *ret = to;

    ret->count = (size_t)PQntuples(rows);
    ret->items = arena_alloc(f->arena, sizeof(*ret->items) * (ret->count + 1));
    for (int i = 0; i < PQntuples(rows); i++)
        ret->items[i] = take_item(f->arena, rows, i);
    return OK;
}

enum flow_next outbox_claim(struct flow *f, int limit, int per_partner, struct outbox_items *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, limit);
    pg_arg_int(&args, per_partner);
    return pg_run(f, PG_WRITE, STATEMENT_outbox_claim, &args, take_items, ret);
}

enum flow_next outbox_done(struct flow *f, const struct outbox_item *item,
                           enum outbox_outcome outcome, int64_t retry_after_s, const char *detail)
{
    static const char *const words[] = {
        [OUTBOX_SENT] = "sent",       [OUTBOX_RETRY] = "retry",     [OUTBOX_REST] = "rest",
        [OUTBOX_REFUSED] = "refused", [OUTBOX_SKIPPED] = "skipped",
    };
    char id[24], version[24], retry_after[24];

    snprintf(id, sizeof id, "%lld", (long long)item->id);
    snprintf(version, sizeof version, "%lld", (long long)item->version);
    snprintf(retry_after, sizeof retry_after, "%lld", (long long)retry_after_s);
    return gather_run(f, &ends,
                      (const char *const[]){id, version, words[outcome], retry_after, detail});
}

/* ---- what waits for a person ---- */

static struct err take_parked(struct flow *f, const PGresult *rows, void *to)
{
    struct outbox_items *ret = to;

    (void)take_items(f, rows, to);
    for (size_t i = 0; i < ret->count; i++)
        ret->items[i].detail = pg_text(f->arena, rows, (int)i, "detail");
    return OK;
}

enum flow_next outbox_parked(struct flow *f, int64_t partner_id, int limit,
                             struct outbox_items *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, partner_id);
    pg_arg_int(&args, limit);
    return pg_run(f, PG_READ, STATEMENT_outbox_parked, &args, take_parked, ret);
}

static struct err take_found(struct flow *f, const PGresult *rows, void *to)
{
    bool *ret = to;

    (void)f;
    *ret = pg_bool(rows, 0, "found");
    return OK;
}

enum flow_next outbox_again(struct flow *f, int64_t id, bool drop, bool *ret_found)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, id);
    pg_arg_bool(&args, drop);
    return pg_run(f, PG_WRITE, STATEMENT_outbox_again, &args, take_found, ret_found);
}
