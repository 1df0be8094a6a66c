/* SPDX-License-Identifier: Apache-2.0 */
/* Replies: JSON, problem+json, OCPI envelopes. */
#include "hub/request.h"

#include <string.h>

#include "base/json.h"
#include "hub/routes.h"
#include "hub/server/http_server.h"
#include "ocpi/envelope.h"
#include "ocpi/headers.h"

enum { REPLY_MAX = 8 * 1024 * 1024, PROBLEM_MAX = 64 * 1024, HEADERS_MAX = 12 };

static const char PROBLEM[] = "application/problem+json";
static const char JSON[] = "application/json";

static bool is_ocpi(const struct request *r)
{
    return r->http && strncmp(r->http->path, "/ocpi", 5) == 0;
}

/* OCPI answers repeat the ids of the request and turn the routing headers round (R-TRANS-60,
 * R-ROUTE-04). */
static size_t ocpi_headers(struct flow *f, struct http_header_out *out)
{
    const struct request *r = request_of(f);
    size_t n = 0;

    out[n++] = (struct http_header_out){HEADER_CORRELATION_ID, f->correlation_id};
    if (r->route && r->route->module && module_is_routed(r->route->module) &&
        r->version != OCPI_2_1_1) { /* which has no such headers (R-BR-10) */
        const struct party_id *to = &r->caller.from, *from = &r->caller.to;
        if (party_id_is_set(to)) {
            out[n++] = (struct http_header_out){HEADER_TO_COUNTRY_CODE, to->country_code};
            out[n++] = (struct http_header_out){HEADER_TO_PARTY_ID, to->party_id};
        }
        if (party_id_is_set(from)) {
            out[n++] = (struct http_header_out){HEADER_FROM_COUNTRY_CODE, from->country_code};
            out[n++] = (struct http_header_out){HEADER_FROM_PARTY_ID, from->party_id};
        }
    }
    return n;
}

enum flow_next reply(struct flow *f, int status, const char *content_type, const char *body,
                     size_t length, const struct reply_header *headers, size_t header_count)
{
    struct request *r = request_of(f);
    struct http_header_out out[HEADERS_MAX];
    size_t n = 0;

    if (!r || r->replied)
        return FLOW_DONE;
    out[n++] = (struct http_header_out){"X-Request-ID", f->request_id};
    out[n++] = (struct http_header_out){"Content-Type", content_type};
    if (is_ocpi(r))
        n += ocpi_headers(f, out + n);
    if (status == 405 && r->allow)
        out[n++] = (struct http_header_out){"Allow", r->allow};
    for (size_t i = 0; i < header_count && n < HEADERS_MAX; i++)
        out[n++] = (struct http_header_out){headers[i].name, headers[i].value};
    r->replied = true;
    r->reply_status = status;
    r->reply_body = body;
    r->reply_length = length;
    if (r->exchange)
        http_exchange_reply(r->exchange, status, out, n, body, length);
    r->exchange = NULL;
    return FLOW_DONE;
}

enum flow_next reply_json(struct flow *f, int status, const struct text *body)
{
    if (text_overflowed(body))
        return flow_fail(f, err_at(f->arena, ERR_INTERNAL, NULL, "the answer grew too large"));
    return reply(f, status, JSON, body->bytes, body->length, NULL, 0);
}

enum flow_next reply_json_text(struct flow *f, int status, const char *body)
{
    return reply(f, status, JSON, body, strlen(body), NULL, 0);
}

/* ---- OCPI ---- */

static enum flow_next reply_envelope(struct flow *f, int http_status, int code, const char *message,
                                     const char *data, const struct reply_header *headers,
                                     size_t count)
{
    struct text body;

    text_init(&body, f->arena, REPLY_MAX);
    envelope_print(&body, code, message, data, data ? strlen(data) : 0);
    request_of(f)->ocpi_code = code;
    return reply(f, http_status, JSON, body.bytes, body.length, headers, count);
}

enum flow_next reply_ocpi(struct flow *f, int http_status, const char *data_json)
{
    return reply_envelope(f, http_status, OCPI_SUCCESS, "Success", data_json, NULL, 0);
}

enum flow_next reply_ocpi_headers(struct flow *f, int http_status, const char *data_json,
                                  const struct reply_header *headers, size_t count)
{
    return reply_envelope(f, http_status, OCPI_SUCCESS, "Success", data_json, headers, count);
}

enum flow_next reply_ocpi_error(struct flow *f, int http_status, int status_code,
                                const char *message, const char *data_json)
{
    return reply_envelope(f, http_status, status_code, message, data_json, NULL, 0);
}

/* ---- problem+json ---- */

/* "evse_busy" -> "Evse busy" */
static const char *title_of(const char *code, char *buffer, size_t size)
{
    text_copy(buffer, size, code);
    for (char *c = buffer; *c; c++)
        if (*c == '_')
            *c = ' ';
    if (strncmp(buffer, "evse ", 5) == 0)
        memcpy(buffer, "EVSE", 4);
    else if (buffer[0] >= 'a' && buffer[0] <= 'z')
        buffer[0] = (char)(buffer[0] - 'a' + 'A');
    return buffer;
}

static void problem_begin(struct text *out, enum err_kind kind, const char *detail,
                          const char *path, const char *request_id)
{
    const struct err_info *info = err_info(kind);
    char title[64], type[128];

    snprintf(type, sizeof type, "https://docs.hub.example/problems/%s", info->code);
    json_begin_object(out, NULL);
    json_put_text(out, "type", type);
    json_put_text(out, "title", title_of(info->code, title, sizeof title));
    json_put_int(out, "status", info->http);
    json_put_text(out, "code", info->code);
    json_put_text(out, "detail", detail ? detail : info->text);
    json_put_text(out, "instance", path ? path : "");
    json_put_text(out, "request_id", request_id ? request_id : "");
}

void problem_body(struct text *out, enum err_kind kind, const char *detail, const char *path,
                  const char *request_id)
{
    problem_begin(out, kind, detail, path, request_id);
    json_end_object(out);
}

static const char *path_of(struct flow *f)
{
    const struct request *r = request_of(f);

    return r->http ? r->http->path : "";
}

static enum flow_next send_problem(struct flow *f, enum err_kind kind, struct text *body,
                                   int retry_after_s)
{
    struct reply_header headers[2];
    size_t n = 0;
    int status = err_info(kind)->http;
    char seconds[16];

    if (retry_after_s) {
        snprintf(seconds, sizeof seconds, "%d", retry_after_s);
        headers[n++] = (struct reply_header){"Retry-After", seconds};
    }
    if (status == 401)
        headers[n++] = (struct reply_header){
            "WWW-Authenticate",
            kind == ERR_UNAUTHENTICATED ? "Bearer" : "Bearer error=\"invalid_token\""};
    return reply(f, status, PROBLEM, body->bytes, body->length, headers, n);
}

enum flow_next reply_problem(struct flow *f, enum err_kind kind, const char *detail,
                             int retry_after_s, const struct problem_extra *extra, size_t count)
{
    struct text body;

    text_init(&body, f->arena, PROBLEM_MAX);
    problem_begin(&body, kind, detail, path_of(f), f->request_id);
    for (size_t i = 0; i < count; i++)
        if (extra[i].value)
            json_put_text(&body, extra[i].name, extra[i].value);
    json_end_object(&body);
    return send_problem(f, kind, &body, retry_after_s);
}

void field_errors_init(struct field_errors *e, struct arena *a)
{
    *e = (struct field_errors){.arena = a};
}

void field_errors_add(struct field_errors *e, const char *field, const char *code,
                      const char *message)
{
    if (e->count == e->capacity) {
        size_t more = e->capacity ? 2 * e->capacity : 8;
        struct field_error *items = arena_alloc(e->arena, more * sizeof *items);
        if (e->count)
            memcpy(items, e->items, e->count * sizeof *items);
        e->items = items;
        e->capacity = more;
    }
    e->items[e->count++] = (struct field_error){arena_text(e->arena, field), code, message};
}

static enum flow_next reply_fields(struct flow *f, enum err_kind kind, const char *detail,
                                   const struct field_errors *e)
{
    struct text body;

    text_init(&body, f->arena, PROBLEM_MAX);
    problem_begin(&body, kind, detail, path_of(f), f->request_id);
    json_begin_array(&body, "errors");
    for (size_t i = 0; i < e->count; i++) {
        json_begin_object(&body, NULL);
        json_put_text(&body, "field", e->items[i].field);
        json_put_text(&body, "code", e->items[i].code);
        json_put_text(&body, "message", e->items[i].message);
        json_end_object(&body);
    }
    json_end_array(&body);
    json_end_object(&body);
    return send_problem(f, kind, &body, 0);
}

enum flow_next reply_field_errors(struct flow *f, const struct field_errors *e)
{
    const char *detail = "a field is missing or wrong; see errors";

    if (e->count == 1)
        detail = arena_printf(f->arena, "%s: %s", e->items[0].field, e->items[0].message);
    return reply_fields(f, ERR_BAD_FIELD, detail, e);
}

/* ---- errors ---- */

/* When to come back, for errors that pass by themselves. */
static int retry_after(enum err_kind kind)
{
    switch (kind) {
    case ERR_STORE:
    case ERR_OVERLOADED:
    case ERR_STARTING:
    case ERR_DEADLINE:
    case ERR_PEER_UNREACHABLE:
    case ERR_PAYMENT_UNAVAILABLE:
        return 5;
    case ERR_IDEMPOTENCY_RUNNING:
        return 1;
    case ERR_RECEIPT_NOT_READY:
        return 30;
    case ERR_PROFILE_TOO_OFTEN:
        return 60;
    default:
        return 0;
    }
}

/* A 401 tells nothing of why, and our own trouble nothing of the inside: both are in the log. */
static bool keeps_to_itself(enum err_kind kind)
{
    return err_info(kind)->http == 401 || err_info(kind)->http == 500 || kind == ERR_STORE ||
           kind == ERR_DEADLINE;
}

void reply_error(struct flow *f, struct err e)
{
    struct request *r = request_of(f);
    const struct err_info *info = err_info(e.kind);

    if (!r || r->replied)
        return;
    if (keeps_to_itself(e.kind))
        e.text = NULL;
    if (is_ocpi(r)) {
        struct text body;
        struct reply_header more = {"Retry-After", "5"};
        bool has_more = info->ocpi_http == 503 || info->ocpi_http == 401;
        if (info->ocpi_http == 401)
            more = (struct reply_header){"WWW-Authenticate", "Token"};
        text_init(&body, f->arena, PROBLEM_MAX);
        envelope_print_err(&body, e, r->version);
        r->ocpi_code = info->ocpi_code;
        reply(f, info->ocpi_http, JSON, body.bytes, body.length, &more, has_more);
        return;
    }
    if (e.where && e.text && info->http < 500) {
        struct field_errors field;
        field_errors_init(&field, f->arena);
        field_errors_add(&field, e.where, info->code, e.text);
        reply_fields(f, e.kind, e.text, &field);
        return;
    }
    reply_problem(f, e.kind, err_text(e), retry_after(e.kind), NULL, 0);
}

const char *request_query(struct flow *f, const char *name)
{
    return http_query_get(f->arena, request_of(f)->http->query, name, NULL);
}
