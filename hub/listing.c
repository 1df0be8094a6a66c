/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listing: rows come from an export and go to an exchange. It stands on the heap, because both may
 * outlive the flow that began it: the client may leave, the flow may be cancelled.
 *
 *   row --> text (a few KB) --> http_exchange_write --no room--> export waits --on_room--> goes on
 */
#include "hub/listing.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/decimal.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "hub/request.h"
#include "hub/server/http_server.h"

enum { PART_BYTES = 16 * 1024, PART_MAX = 32 * 1024 * 1024, COLUMNS_MAX = 64 };

struct listing {
    const struct listing_ask *ask;
    bool csv;
    struct http_exchange *exchange; /* NULL: nobody listens any more */
    struct flow_ticket ticket;
    struct export *export;
    struct text part;
    char request_id[132];
    char *who, *query;        /* for the log */
    struct id_digest *digest; /* of all that was sent */
    bool begun;               /* the head has gone */
    int64_t count, sum_u6;
    bool sum_is_whole;          /* no number was lost, and all are of one currency */
    char currency[4];           /* of the sum; empty: no row has told any */
    int column_of[COLUMNS_MAX]; /* CSV: which of the row's columns is its n-th; -1: not known yet */
};

/* Every export is told to the log: who had it, what was asked for, and what was given. */
static void listing_log(const struct listing *l, bool whole, const char *hash)
{
    log_line(LOG_INFO, "export", LOG_TEXT("list", l->ask->name), LOG_TEXT("who", l->who),
             LOG_TEXT("query", l->query), LOG_TEXT("format", l->csv ? "csv" : "json"),
             LOG_INT("rows", l->count), LOG_BOOL("whole", whole), LOG_TEXT("sha256", hash),
             LOG_TEXT("request_id", l->request_id));
}

static void listing_free(struct listing *l, bool whole)
{
    char hash[SHA256_HEX];

    id_digest_end(l->digest, hash);
    if (l->begun)
        listing_log(l, whole, hash);
    text_done(&l->part);
    free(l->who);
    free(l->query);
    free(l);
}

/* ---- parts ---- */

static void send_head(struct listing *l)
{
    char disposition[256];

    snprintf(disposition, sizeof disposition, "attachment; filename=\"%s.csv\"", l->ask->name);
    const struct http_header_out headers[] = {
        {"X-Request-ID", l->request_id},
        {"Content-Type", l->csv ? "text/csv; charset=utf-8; header=present" : "application/json"},
        {"Content-Disposition", l->csv ? disposition : NULL},
        {"Cache-Control", "no-store"},
    };

    l->begun = true;
    http_exchange_stream(l->exchange, 200, headers, sizeof headers / sizeof *headers);
    if (l->csv) {
        for (int i = 0; l->ask->columns[i]; i++)
            csv_put_plain(&l->part, i == 0, l->ask->columns[i], strlen(l->ask->columns[i]));
        csv_end_row(&l->part);
    } else {
        text_add(&l->part, "{\"items\":[");
    }
}

static bool send_part(struct listing *l)
{
    bool room = http_exchange_write(l->exchange, l->part.bytes, l->part.length);

    id_digest_add(l->digest, l->part.bytes, l->part.length);
    text_reset(&l->part);
    return room;
}

static void on_room(void *arg)
{
    struct listing *l = arg;

    if (l->export)
        export_go_on(l->export);
}

static void put_cell(struct text *t, bool first, const struct export_column *c)
{
    bool yes = c->value && c->value[0] == 't';

    if (c->kind == EXPORT_NUMBER || !c->value)
        csv_put_plain(t, first, c->value, c->length);
    else if (c->kind == EXPORT_BOOL)
        csv_put_plain(t, first, yes ? "true" : "false", yes ? 4 : 5);
    else
        csv_put_text(t, first, c->value, c->length);
}

static void put_csv(struct listing *l, const struct export_column *columns, int count)
{
    for (int i = 0; l->ask->columns[i]; i++) {
        int k = l->column_of[i];
        if (k < 0) {
            for (k = 0; k < count && strcmp(columns[k].name, l->ask->columns[i]) != 0; k++)
                ;
            assert(k < count); /* the statement has no such column */
            l->column_of[i] = k;
        }
        put_cell(&l->part, i == 0, &columns[k]);
    }
    csv_end_row(&l->part);
}

static void put_json(struct listing *l, const struct export_column *columns, int count)
{
    if (l->count > 0)
        text_add(&l->part, ",");
    l->part.depth = 0;
    json_begin_object(&l->part, NULL);
    for (int i = 0; i < count; i++) {
        const struct export_column *c = &columns[i];
        if (!c->value)
            json_put_null(&l->part, c->name);
        else if (c->kind == EXPORT_TEXT)
            json_put_text(&l->part, c->name, c->value);
        else if (c->kind == EXPORT_BOOL)
            json_put_bool(&l->part, c->name, c->value[0] == 't');
        else
            json_put_raw(&l->part, c->name, c->value);
    }
    json_end_object(&l->part);
    l->part.depth = 0;
    l->part.comma[0] = 0;
}

/* Amounts of two currencies have no sum. */
static void check_currency(struct listing *l, const char *currency)
{
    if (!*l->currency)
        text_copy(l->currency, sizeof l->currency, currency);
    else if (strcmp(l->currency, currency) != 0)
        l->sum_is_whole = false;
}

static void add_up(struct listing *l, const struct export_column *columns, int count)
{
    int64_t value;

    for (int i = 0; l->ask->summed && i < count; i++) {
        if (strcmp(columns[i].name, "currency") == 0 && columns[i].value)
            check_currency(l, columns[i].value);
        if (strcmp(columns[i].name, l->ask->summed) != 0 || !columns[i].value)
            continue;
        if (!decimal_parse_u6(columns[i].value, &value) ||
            __builtin_add_overflow(l->sum_u6, value, &l->sum_u6))
            l->sum_is_whole = false;
    }
}

static void put_end(struct listing *l)
{
    char number[DECIMAL_TEXT] = "", count[24];

    snprintf(count, sizeof count, "%lld", (long long)l->count);
    if (l->ask->summed && l->sum_is_whole)
        decimal_print_u6(number, l->sum_u6, 0, 6);
    if (l->csv) {
        csv_put_plain(&l->part, true, "#total", 6);
        csv_put_plain(&l->part, false, count, strlen(count));
        csv_put_plain(&l->part, false, number, strlen(number));
        csv_end_row(&l->part);
    } else {
        text_add(&l->part, "],\"count\":");
        text_add(&l->part, count);
        text_add(&l->part, ",\"control_sum\":");
        text_add(&l->part, *number ? number : "null");
        text_add(&l->part, "}");
    }
}

/* ---- rows ---- */

static bool take_row(void *arg, const struct export_column *columns, int count)
{
    struct listing *l = arg;

    if (!l->exchange)
        return false;
    if (!l->begun)
        send_head(l);
    if (l->csv)
        put_csv(l, columns, count);
    else
        put_json(l, columns, count);
    l->count++;
    add_up(l, columns, count);
    if (l->part.length < PART_BYTES || send_part(l))
        return true;
    http_exchange_on_room(l->exchange, on_room, l);
    return false;
}

static void take_end(void *arg, struct err e)
{
    struct listing *l = arg;
    struct flow *f = flow_ticket_flow(l->ticket);
    struct flow_ticket ticket = l->ticket;

    l->export = NULL;
    if (failed(e) && !l->begun && f) {
        /* Nothing has been said yet: the flow says what is wrong. */
        http_exchange_on_close(l->exchange, NULL, NULL);
        request_of(f)->exchange = l->exchange;
        request_of(f)->replied = false;
        listing_free(l, false);
        flow_resume(ticket, e);
        return;
    }
    if (!failed(e) && !l->begun)
        send_head(l);
    if (!failed(e)) {
        put_end(l);
        send_part(l);
    }
    if (l->begun)
        http_exchange_end(l->exchange, !failed(e));
    else
        http_exchange_drop(l->exchange);
    listing_free(l, !failed(e));
    flow_resume(ticket, e);
}

static const struct export_taker taker = {take_row, take_end};

static void client_left(void *arg)
{
    struct listing *l = arg;
    struct flow_ticket ticket = l->ticket;

    export_cancel(l->export);
    if (l->begun)
        http_exchange_end(l->exchange, false);
    else
        http_exchange_drop(l->exchange);
    listing_free(l, false);
    flow_resume(ticket, OK);
}

/* ---- for others ---- */

struct err listing_wants_csv(struct flow *f, bool *ret)
{
    const char *accept = http_header(request_of(f)->http, "Accept");

    *ret = accept && strstr(accept, "text/csv") != NULL;
    if (accept && !*ret && !strstr(accept, "application/json") && !strstr(accept, "*/*") &&
        !strstr(accept, "application/*"))
        return err_at(f->arena, ERR_NOT_ACCEPTABLE, "Accept",
                      "this list comes as application/json or text/csv");
    return OK;
}

enum flow_next listing_answer(struct flow *f, const struct listing_ask *ask)
{
    struct request *r = request_of(f);
    bool csv;

    FLOW_TRY(f, listing_wants_csv(f, &csv));
    if (!r->exchange)
        return FLOW_DONE; /* the client has left */
    struct listing *l = calloc(1, sizeof *l);
    assert(l);
    l->ask = ask;
    l->csv = csv;
    l->sum_is_whole = true;
    l->who = strdup(r->caller.name ? r->caller.name : "");
    l->query = strdup(r->http->query);
    l->digest = id_digest_begin();
    assert(l->who && l->query);
    memcpy(l->request_id, f->request_id, sizeof l->request_id);
    for (int i = 0; i < COLUMNS_MAX; i++)
        l->column_of[i] = -1;
    text_init(&l->part, NULL, PART_MAX);
    struct err e = ask->begin(f, &taker, l, &l->export);
    if (failed(e)) {
        listing_free(l, false);
        return flow_fail(f, e);
    }
    l->exchange = r->exchange;
    http_exchange_on_close(l->exchange, client_left, l);
    /* From here on the answer is ours. */
    r->exchange = NULL;
    r->replied = true;
    r->reply_status = 200;
    l->ticket = flow_wait(f);
    return FLOW_WAIT;
}
