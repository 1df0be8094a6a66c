/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PSP calls. What is not certain is PSP_RETRY: the key makes that harmless.
 */
#include "adapters/psp.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

enum {
    CONNECT_MS = 3000,
    BODY_MAX = 4096,
    ANSWER_MAX = 256 * 1024,
    RETRY_AFTER_MAX_S = 3600,
    HEADERS = 2
};

static const char *const kind_names[] = {
    [PSP_AUTHORISE] = "authorise", [PSP_CHARGE] = "charge", [PSP_CAPTURE] = "capture",
    [PSP_VOID] = "void",           [PSP_REFUND] = "refund", [PSP_READ] = "read",
};

const char *psp_kind_name(enum psp_kind kind)
{
    return kind_names[kind];
}

bool psp_kind_parse(const char *name, enum psp_kind *ret)
{
    for (size_t i = 0; i < sizeof kind_names / sizeof *kind_names; i++) {
        if (strcmp(kind_names[i], name) == 0) {
            *ret = (enum psp_kind)i;
            return true;
        }
    }
    return false;
}

const char *psp_outcome_name(const struct psp_answer *a)
{
    static const char *const NAMES[] = {
        [PSP_ANSWERED] = "answered", [PSP_DECLINED] = "declined", [PSP_REFUSED] = "refused",
        [PSP_MISSING] = "missing",   [PSP_RETRY] = "retry",
    };
    return NAMES[a->outcome];
}

/* ---- the call ---- */

static const char *url_of(struct arena *a, const struct psp *psp, const struct psp_call *c)
{
    const char *id = c->psp_id ? text_url_encode(a, c->psp_id) : "";

    switch (c->kind) {
    case PSP_CAPTURE:
        return arena_printf(a, "%s/payments/%s/capture", psp->url, id);
    case PSP_VOID:
        return arena_printf(a, "%s/payments/%s/void", psp->url, id);
    case PSP_REFUND:
        return arena_printf(a, "%s/payments/%s/refunds", psp->url, id);
    case PSP_READ:
        if (c->psp_id)
            return arena_printf(a, "%s/payments/%s", psp->url, id);
        return arena_printf(a, "%s/payments?reference=%s", psp->url,
                            text_url_encode(a, c->reference));
    case PSP_AUTHORISE:
    case PSP_CHARGE:
        break;
    }
    return arena_printf(a, "%s/payments", psp->url);
}

static char *body_of(struct arena *a, const struct psp_call *c)
{
    bool is_new = c->kind == PSP_AUTHORISE || c->kind == PSP_CHARGE;
    struct text t;

    text_init(&t, a, BODY_MAX);
    json_begin_object(&t, NULL);
    if (is_new) {
        json_put_text(&t, "reference", c->reference);
        json_put_text(&t, "customer", c->customer);
        json_put_bool(&t, "capture", c->kind == PSP_CHARGE);
    } else if (c->kind == PSP_REFUND) {
        json_put_text(&t, "reference", c->key);
    }
    if (c->kind != PSP_VOID) {
        json_put_int(&t, "amount", c->amount_minor);
        json_put_text(&t, "currency", c->currency);
    }
    json_end_object(&t);
    return t.bytes;
}

static enum flow_next send_to(struct flow *f, const struct psp *psp, const char *method,
                              const char *url, const char *key, const char *body,
                              struct psp_answer *ret)
{
    struct http_call_header headers[HEADERS];
    size_t count = 0;

    *ret = (struct psp_answer){0};
    headers[count++] = (struct http_call_header){
        "Authorization", arena_printf(f->arena, "Bearer %s", secret_reveal(psp->key))};
    if (key)
        headers[count++] = (struct http_call_header){"Idempotency-Key", key};
    struct http_call call = {
        .method = method,
        .url = url,
        .headers = headers,
        .header_count = count,
        .body = body,
        .body_length = body ? strlen(body) : 0,
        .connect_ms = CONNECT_MS,
        .total_ms = psp->timeout_ms,
        .max_answer = ANSWER_MAX,
    };
    return http_send(f, &call, &ret->http);
}

enum flow_next psp_send(struct flow *f, const struct psp *psp, const struct psp_call *call,
                        struct psp_answer *ret)
{
    bool read = call->kind == PSP_READ;

    return send_to(f, psp, read ? "GET" : "POST", url_of(f->arena, psp, call),
                   read ? NULL : call->key, read ? NULL : body_of(f->arena, call), ret);
}

enum flow_next psp_ask_payouts(struct flow *f, const struct psp *psp, const char *day,
                               struct psp_answer *ret)
{
    const char *url = arena_printf(f->arena, "%s/payouts?date=%s", psp->url, day);

    return send_to(f, psp, "GET", url, NULL, NULL, ret);
}

/* ---- the answer ---- */

/* A list that was asked for by our reference has one payment, or none. */
static const json_t *payment_in(const json_t *json)
{
    const json_t *items = json_array_of(json, "items");

    return items ? json_array_get(items, 0) : json;
}

static void read_good(struct arena *a, enum psp_kind kind, struct psp_answer *answer)
{
    json_t *json;

    answer->outcome = PSP_RETRY;
    if (failed(json_read(a, answer->http.body, answer->http.body_length, 0, &json))) {
        answer->detail = "the answer is not JSON";
        return;
    }
    const json_t *payment = payment_in(json);
    if (kind == PSP_READ && !payment) {
        answer->outcome = PSP_MISSING;
        return;
    }
    struct err e = psp_view_read(payment, &answer->view);
    if (failed(e))
        answer->detail = arena_printf(a, "%s %s", e.where, e.text);
    else
        answer->outcome = PSP_ANSWERED;
}

static const char *plain_word(const char *text)
{
    return text && *text && strlen(text) <= PSP_ID_MAX && text_is_printable_ascii(text) ? text
                                                                                        : NULL;
}

/* {"code":"card_declined","payment":{...}}: the payment where there is one. */
static void read_bad(struct arena *a, struct psp_answer *answer)
{
    json_t *json = NULL;

    if (failed(json_read(a, answer->http.body, answer->http.body_length, 0, &json)))
        json = NULL;
    const json_t *payment = json_object_of(json, "payment");
    struct psp_view view = {.expires_us = TIME_NONE};
    if (payment && failed(psp_view_read(payment, &view)))
        view = (struct psp_view){.expires_us = TIME_NONE};
    const char *code = plain_word(json_text_of(json, "code"));
    if (code)
        view.code = code;
    answer->view = view;
    answer->detail = arena_printf(a, "HTTP %d %s", answer->http.status, code ? code : "");
}

static int64_t retry_after_of(const struct http_answer *http)
{
    const char *text = http_answer_header(http, "retry-after");
    char *end;

    if (!text)
        return 0;
    long long seconds = strtoll(text, &end, 10);
    if (end == text || *end || seconds < 0)
        return 0;
    return seconds > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : seconds;
}

void psp_answer_read(struct arena *a, enum psp_kind kind, struct psp_answer *answer)
{
    const struct http_answer *http = &answer->http;

    answer->view = (struct psp_view){.expires_us = TIME_NONE};
    answer->outcome = PSP_RETRY;
    if (http->outcome != HTTP_ANSWERED) {
        answer->detail = http->error ? http->error : "no answer";
        return;
    }
    if (http->status == 200 || http->status == 201 || http->status == 202) {
        read_good(a, kind, answer);
        return;
    }
    read_bad(a, answer);
    answer->retry_after_s = retry_after_of(http);
    if (http->status == 402)
        answer->outcome = PSP_DECLINED;
    else if (http->status == 404 && kind == PSP_READ)
        answer->outcome = PSP_MISSING;
    else if (http->status >= 400 && http->status < 500 && http->status != 401 &&
             http->status != 403 && http->status != 408 && http->status != 409 &&
             http->status != 429)
        answer->outcome = PSP_REFUSED;
}

/* ---- payouts ---- */

static bool whole(const json_t *item, const char *key, int64_t *ret)
{
    const json_t *value = json_object_get(item, key);

    *ret = json_integer_value(value);
    return json_is_integer(value);
}

struct err psp_payouts_read(struct arena *a, const struct psp_answer *answer,
                            struct psp_payouts *ret)
{
    const struct http_answer *http = &answer->http;
    json_t *json;

    if (http->outcome != HTTP_ANSWERED || http->status != 200)
        return err_at(a, ERR_PEER_ERROR, NULL, "the PSP has no payout report: %s",
                      http->error ? http->error : "HTTP status");
    TRY(json_read(a, http->body, http->body_length, 0, &json));
    const json_t *items = json_array_of(json, "items");
    if (!items)
        return err_at(a, ERR_PEER_ERROR, NULL, "the payout report has no items");
    ret->count = json_array_size(items);
    ret->items = arena_alloc(a, sizeof *ret->items * (ret->count + 1));
    for (size_t i = 0; i < ret->count; i++) {
        const json_t *item = json_array_get(items, i);
        struct psp_payout *p = &ret->items[i];
        const char *currency = json_text_of(item, "currency");
        if (!currency || !currency_known(currency) || !whole(item, "paid", &p->paid_minor) ||
            !whole(item, "captured", &p->captured_minor) ||
            !whole(item, "refunded", &p->refunded_minor) ||
            !whole(item, "charged_back", &p->charged_back_minor) ||
            !whole(item, "fees", &p->fee_minor))
            return err_at(a, ERR_PEER_ERROR, NULL, "item %zu of the payout report is wrong", i);
        text_copy(p->currency, sizeof p->currency, currency);
    }
    return OK;
}
