/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two rings of record.h. Tokens are masked before they are kept.
 */
#include "tests/sim/record.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "adapters/http_client.h"
#include "base/text.h"
#include "base/time.h"
#include "hub/server/http_server.h"

enum { BODY_KEPT = 256 * 1024, TEXT_MAX = 64 << 20 };

struct entry {
    uint64_t number;
    int64_t at_us;
    char *method, *path, *headers, *body, *answer, *error;
    int status;
    bool answered, body_is_json, answer_is_json;
};

struct ring {
    struct entry entries[RECORD_KEPT];
    uint64_t count; /* ever, since the last clear */
};

struct record {
    struct ring in, out;
    uint64_t cleared; /* numbers go on after a clear */
};

struct record *record_new(void)
{
    struct record *r = calloc(1, sizeof(*r));

    assert(r);
    return r;
}

static void entry_clear(struct entry *e)
{
    free(e->method);
    free(e->path);
    free(e->headers);
    free(e->body);
    free(e->answer);
    free(e->error);
    *e = (struct entry){0};
}

static void ring_clear(struct ring *ring)
{
    for (size_t i = 0; i < RECORD_KEPT; i++)
        entry_clear(&ring->entries[i]);
    ring->count = 0;
}

void record_clear(struct record *r)
{
    r->cleared += r->in.count;
    ring_clear(&r->in);
    ring_clear(&r->out);
}

void record_free(struct record *r)
{
    if (!r)
        return;
    record_clear(r);
    free(r);
}

static struct entry *ring_next(struct ring *ring)
{
    struct entry *e = &ring->entries[ring->count++ % RECORD_KEPT];

    entry_clear(e);
    e->number = ring->count;
    e->at_us = time_now_us();
    return e;
}

static void header_print(struct text *out, const char *name, const char *value)
{
    char lower[128];

    snprintf(lower, sizeof(lower), "%s", name);
    text_to_lower(lower);
    json_put_text(out, lower,
                  strcmp(lower, "authorization") == 0
                      ? (strncmp(value, "Token ", 6) == 0 ? "Token ***" : "***")
                      : value);
}

/* The body as JSON text if it is JSON, with the credentials token masked. */
static char *body_keep(const char *body, size_t length, const char *path, bool *ret_json)
{
    if (!body || length == 0)
        return 0;
    json_t *json = length <= BODY_KEPT ? json_loadb(body, length, JSON_DECODE_ANY, 0) : 0;
    *ret_json = json;
    if (!json)
        return strndup(body, length < BODY_KEPT ? length : BODY_KEPT);
    if (strstr(path, "credentials")) {
        json_t *data =
            json_is_object(json_object_get(json, "data")) ? json_object_get(json, "data") : json;
        if (json_object_get(data, "token"))
            json_object_set_new(data, "token", json_string("***"));
    }
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY);
    json_decref(json);
    return text;
}

uint64_t record_in(struct record *r, const struct http_request *request)
{
    struct entry *e = ring_next(&r->in);
    struct text headers;

    text_init(&headers, 0, TEXT_MAX);
    json_begin_object(&headers, 0);
    for (size_t i = 0; i < request->header_count; i++)
        header_print(&headers, request->headers[i].name, request->headers[i].value);
    json_end_object(&headers);
    e->headers = headers.bytes;
    e->method = strdup(request->method);
    e->path = strdup(request->target);
    e->body = body_keep(request->body, request->body_length, request->path, &e->body_is_json);
    return e->number + r->cleared;
}

void record_answered(struct record *r, uint64_t number, int status)
{
    struct entry *e;

    if (number <= r->cleared)
        return;
    number -= r->cleared;
    e = &r->in.entries[(number - 1) % RECORD_KEPT];
    if (e->number == number) {
        e->status = status;
        e->answered = true;
    }
}

void record_out(struct record *r, const struct http_call *call, const struct http_answer *answer)
{
    struct entry *e = ring_next(&r->out);
    struct text headers;

    text_init(&headers, 0, TEXT_MAX);
    json_begin_object(&headers, 0);
    for (size_t i = 0; i < call->header_count; i++)
        header_print(&headers, call->headers[i].name, call->headers[i].value);
    json_end_object(&headers);
    e->headers = headers.bytes;
    e->method = strdup(call->method);
    e->path = strdup(call->url);
    e->body = body_keep(call->body, call->body_length, call->url, &e->body_is_json);
    e->status = answer->status;
    e->answered = answer->outcome == HTTP_ANSWERED;
    if (e->answered)
        e->answer = body_keep(answer->body, answer->body_length, call->url, &e->answer_is_json);
    e->error = answer->error ? strdup(answer->error) : 0;
}

static void body_print(struct text *out, const char *key, const char *body, bool json)
{
    if (body && json)
        json_put_raw(out, key, body);
    else
        json_put_text(out, key, body);
}

static void entry_print(const struct entry *e, uint64_t number, struct text *out)
{
    char time[TIME_TEXT];

    json_begin_object(out, 0);
    json_put_int(out, "number", (int64_t)number);
    json_put_text(out, "at", time_print_micros(time, e->at_us));
    json_put_text(out, "method", e->method);
    json_put_text(out, "path", e->path);
    json_put_raw(out, "headers", e->headers);
    body_print(out, "body", e->body, e->body_is_json);
    if (e->answered)
        json_put_int(out, "status", e->status);
    else
        json_put_null(out, "status");
    if (e->answer)
        body_print(out, "answer", e->answer, e->answer_is_json);
    if (e->error)
        json_put_text(out, "error", e->error);
    json_end_object(out);
}

void record_print(const struct record *r, bool incoming, const char *path, const char *method,
                  const char *contains, uint64_t after, struct text *out)
{
    const struct ring *ring = incoming ? &r->in : &r->out;
    uint64_t first = ring->count > RECORD_KEPT ? ring->count - RECORD_KEPT : 0;
    uint64_t offset = incoming ? r->cleared : 0;
    int64_t matching = 0;

    json_begin_object(out, 0);
    json_put_int(out, "total", (int64_t)ring->count);
    json_begin_array(out, "requests");
    for (uint64_t i = first; i < ring->count; i++) {
        const struct entry *e = &ring->entries[i % RECORD_KEPT];

        if ((path && !strstr(e->path, path)) || (method && strcasecmp(e->method, method) != 0) ||
            (contains && !(e->body && strstr(e->body, contains))) || e->number + offset <= after)
            continue;
        matching++;
        entry_print(e, e->number + offset, out);
    }
    json_end_array(out);
    json_put_int(out, "count", matching);
    json_end_object(out);
}
