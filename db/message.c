/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message log: rows wait in memory as JSON, and leave together every 200 ms.
 *
 *   message_log ---> waiting (bounded; over it: dropped, counted) ---> one batch ---> message_write
 *                       ^                                                 |
 *                       +------- no answer: the same rows, later ---------+
 *
 * Each row has an id of its own, so a batch whose answer was lost may be written again. A batch
 * that the database refuses is tried row by row, and the row that is refused alone is dropped.
 */
#include "db/message.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/time.h"
#include "db/message_store.h"
#include "db/pg.h"
#include "db/statements.h"

enum {
    BODY_MAX = 256 * 1024,
    ROW_MAX = 4 * 1024 * 1024, /* two bodies with every byte escaped, and the rest */
    BATCH_ROWS = 200,
    BATCH_BYTES = 4 * 1024 * 1024,
    WAITING_ROWS = 8192,
    WAITING_BYTES = 32 * 1024 * 1024,
    EVERY_MS = 200,
    AFTER_FAILURE_MS = 1000,
};

struct row {
    struct row *next;
    char *json;
    size_t length;
};

static struct {
    struct event *timer;
    struct row *first, *last;
    size_t count, bytes;
    size_t under_way;  /* how many of the first rows */
    size_t one_by_one; /* after a refusal */
    bool flushing;
} messages;

static void put_text(struct text *t, const char *key, const char *value)
{
    if (value && *value)
        json_put_text(t, key, value);
}

/* Cut at the start of a character. */
static void put_body(struct text *t, const char *key, const char *body)
{
    if (!body)
        return;
    size_t length = strnlen(body, BODY_MAX + 1);
    if (length <= BODY_MAX) {
        json_put_text(t, key, body);
        return;
    }
    length = BODY_MAX;
    while (length > 0 && ((unsigned char)body[length] & 0xC0) == 0x80)
        length--;
    char *cut = strndup(body, length);
    if (!cut)
        abort();
    json_put_text(t, key, cut);
    free(cut);
}

static void put_int(struct text *t, const char *key, int64_t value)
{
    if (value)
        json_put_int(t, key, value);
}

static void print_row(struct text *t, const struct message *m)
{
    char id[UUID_TEXT], at[TIME_TEXT];

    id_uuid_v7(id);
    json_begin_object(t, NULL);
    json_put_text(
        t, "at",
        time_print_micros(at, m->at_us == TIME_NONE || !m->at_us ? time_now_us() : m->at_us));
    json_put_text(t, "id", id);
    json_put_bool(t, "outgoing", m->outgoing);
    put_int(t, "partner_id", m->partner_id);
    put_text(t, "from_party", m->from);
    put_text(t, "to_party", m->to);
    put_text(t, "module", m->module);
    put_text(t, "method", m->method);
    put_text(t, "path", m->path);
    put_text(t, "object_id", m->object_id);
    put_text(t, "request_id", m->request_id);
    put_text(t, "correlation_id", m->correlation_id);
    put_text(t, "session_id", m->session_id);
    put_int(t, "http_status", m->http_status);
    put_int(t, "ocpi_status", m->ocpi_status);
    json_put_int(t, "duration_ms", m->duration_ms);
    put_text(t, "error", m->error);
    put_text(t, "error_where", m->where);
    put_text(t, "rule", m->rule);
    put_text(t, "came", m->came);
    put_text(t, "expected", m->expected);
    if (m->losses)
        json_put_raw(t, "losses", m->losses);
    json_put_bool(t, "refused", m->refused);
    put_body(t, "request_body", m->request_body);
    put_body(t, "response_body", m->response_body);
    json_end_object(t);
}

static void drop_first(void)
{
    struct row *r = messages.first;

    messages.first = r->next;
    if (!messages.first)
        messages.last = NULL;
    messages.count--;
    messages.bytes -= r->length;
    free(r->json);
    free(r);
}

static void arm(int64_t ms)
{
    struct timeval wait = {ms / 1000, ms % 1000 * 1000};

    event_add(messages.timer, &wait);
}

static void on_written(const PGresult *rows, struct err e, void *arg);

static void write_batch(void)
{
    size_t most = messages.one_by_one > 0 ? 1 : BATCH_ROWS;
    struct text batch;
    struct pg_args args;

    if (!messages.first || messages.under_way)
        return;
    text_init(&batch, NULL, BATCH_BYTES + ROW_MAX + BATCH_ROWS + 2);
    text_add(&batch, "[");
    for (struct row *r = messages.first; r && messages.under_way < most; r = r->next) {
        if (messages.under_way > 0 && batch.length + r->length > BATCH_BYTES)
            break;
        if (messages.under_way > 0)
            text_add(&batch, ",");
        text_add_bytes(&batch, r->json, r->length);
        messages.under_way++;
    }
    text_add(&batch, "]");
    assert(!text_overflowed(&batch));
    pg_args_init(&args, NULL);
    pg_arg_text(&args, batch.bytes);
    pg_send(PG_WRITE, STATEMENT_message_write, &args, on_written, NULL);
    text_done(&batch);
}

static void on_written(const PGresult *rows, struct err e, void *arg)
{
    size_t count = messages.under_way;

    (void)rows;
    (void)arg;
    if (!messages.timer)
        return; /* closed */
    messages.under_way = 0;
    if (e.kind == ERR_STORE) {
        arm(AFTER_FAILURE_MS);
        return;
    }
    if (failed(e) && count > 1) {
        messages.one_by_one = count;
    } else {
        if (failed(e))
            metric_add(METRIC_LOG_DROPPED, NULL, NULL, NULL, 1);
        if (messages.one_by_one > 0)
            messages.one_by_one--;
        for (; count > 0; count--)
            drop_first();
    }
    if (!messages.first)
        messages.flushing = false;
    else if (messages.flushing || messages.one_by_one > 0 || messages.count >= BATCH_ROWS)
        arm(0);
    else
        arm(EVERY_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    write_batch();
}

void message_log(const struct message *m)
{
    struct text t;

    if (!messages.timer || messages.count >= WAITING_ROWS || messages.bytes >= WAITING_BYTES) {
        metric_add(METRIC_LOG_DROPPED, NULL, NULL, NULL, 1);
        return;
    }
    text_init(&t, NULL, ROW_MAX);
    print_row(&t, m);
    struct row *r = calloc(1, sizeof(*r));
    if (!r)
        abort();
    if (text_overflowed(&t)) { /* headers, not bodies, of more than a megabyte: nobody we know */
        metric_add(METRIC_LOG_DROPPED, NULL, NULL, NULL, 1);
        text_done(&t);
        free(r);
        return;
    }
    r->length = t.length;
    r->json = t.bytes; /* taken over */
    if (messages.last)
        messages.last->next = r;
    else
        messages.first = r;
    messages.last = r;
    messages.count++;
    messages.bytes += r->length;
    if (messages.under_way)
        return; /* on_written looks after it */
    if (messages.count == BATCH_ROWS)
        arm(0);
    else if (!event_pending(messages.timer, EV_TIMEOUT, NULL))
        arm(EVERY_MS);
}

void message_flush(void)
{
    if (!messages.first)
        return;
    messages.flushing = true;
    write_batch();
}

void message_forget(int64_t keep_days, int64_t keep_body_days)
{
    struct arena *a = arena_new(4096);
    struct pg_args args;

    pg_args_init(&args, a);
    pg_arg_int(&args, keep_days);
    pg_arg_int(&args, keep_body_days);
    pg_send(PG_WRITE, STATEMENT_message_forget, &args, NULL, NULL);
    arena_free(a);
}

void message_open(struct event_base *loop)
{
    messages.timer = evtimer_new(loop, on_timer, NULL);
    assert(messages.timer);
}

void message_close(void)
{
    event_free(messages.timer);
    messages.timer = NULL;
    if (messages.count > 0)
        metric_add(METRIC_LOG_DROPPED, NULL, NULL, NULL, messages.count);
    while (messages.first)
        drop_first();
    messages.under_way = messages.one_by_one = 0;
    messages.flushing = false;
}
