/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refunds that a person asks for (contract 10):
 *
 *   POST /v1/finance/receipts/{id}/refund {amount, reason}    below the limit it is on its way; id
 *                                                             is the receipt's number or its row
 *   POST /v1/finance/refunds/{id}/confirm                     above it, by somebody else
 *   POST /v1/finance/refunds/{id}/decline                     or not, by anybody of finance
 *
 * The refund, its calls of the payment service provider and the idempotency record are one
 * transaction; the outbox goes on from there, whatever happens to this process.
 */
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/payment.h"
#include "hub/finance/deed.h"
#include "hub/finance/list_ask.h"
#include "hub/finance/payment_api.h"
#include "hub/hub.h"
#include "hub/request.h"
#include "hub/server/http_server.h"

enum { REASON_MAX = 500, KEY_MAX = 200, ANSWER_MAX = 4096 };

struct refunding {
    struct idempotency idempotency;
    struct refund_ask ask;
    struct refund_asked asked;
};

/* ---- what is asked ---- */

static struct err read_key(struct flow *f, struct idempotency *ret)
{
    const struct request *r = request_of(f);
    const char *key = http_header(r->http, "Idempotency-Key");
    size_t length = key ? strlen(key) : 0;

    if (!key)
        return err_new(ERR_IDEMPOTENCY_REQUIRED);
    if (!length || length > KEY_MAX || !text_is_printable_ascii(key) ||
        http_header_count(r->http, "Idempotency-Key") > 1)
        return err_new(ERR_BAD_IDEMPOTENCY_KEY);
    const char *body = json_canonical(f->arena, r->json);
    *ret = (struct idempotency){
        .key = key, .caller = r->caller.name, .method = r->http->method, .path = r->http->path};
    id_sha256_hex(body, strlen(body), ret->body_hash);
    return OK;
}

/* A JSON number above 0; how many decimals it may have is the receipt's currency's matter. */
static bool read_amount(const json_t *value, int64_t *ret_u6)
{
    return value && json_is_number(value) && json_number_u6(value, false, ret_u6) && *ret_u6 > 0;
}

static bool is_reason(const char *text)
{
    size_t count = text ? text_utf8_count(text) : 0;

    for (const char *c = text ? text : ""; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    return count > 0 && count <= REASON_MAX;
}

static enum flow_next ask(struct flow *f)
{
    struct refunding *s = f->state;
    struct request *r = request_of(f);
    struct field_errors errors;
    char currency[4];

    FLOW_TRY(f, read_key(f, &s->idempotency));
    s->ask = (struct refund_ask){
        .receipt = list_id(r->params[0]),
        .receipt_number = r->params[0],
        .reason = json_text_of(r->json, "reason"),
        .by = r->caller.name,
        .idempotency = &s->idempotency,
    };
    field_errors_init(&errors, f->arena);
    if (!read_amount(json_object_get(r->json, "amount"), &s->ask.amount_u6))
        field_errors_add(&errors, "amount", "amount_invalid", "must be a number above 0");
    if (!is_reason(s->ask.reason))
        field_errors_add(&errors, "reason", "reason_invalid",
                         "must be text of 1 to 500 characters without control characters");
    if (errors.count)
        return reply_field_errors(f, &errors);
    if (!settings_amount(hub_of(f)->settings->refund_limit, currency, &s->ask.limit_minor))
        return flow_fail(f, err_new(ERR_INTERNAL));
    s->ask.limit_currency = arena_text(f->arena, currency);
    return refund_ask(f, &s->ask, &s->asked);
}

/* ---- what came of it ---- */

static enum flow_next answer_refund(struct flow *f, const struct refund_asked *a, bool replay)
{
    struct reply_header header = {"Idempotent-Replay", "true"};
    char amount[DECIMAL_TEXT];
    struct text t;

    text_init(&t, f->arena, ANSWER_MAX);
    json_begin_object(&t, NULL);
    json_put_text(&t, "refund_id", a->id);
    json_put_int(&t, "receipt_id", a->receipt);
    json_put_text(&t, "status",
                  strcmp(a->state, "waiting") == 0 ? "awaiting_confirmation" : a->state);
    json_put_raw(&t, "amount", money_print_minor(amount, a->amount_minor, a->currency));
    json_put_text(&t, "currency", a->currency);
    json_put_text(&t, "asked_by", a->asked_by);
    json_put_text(&t, "confirmed_by", a->confirmed_by);
    json_end_object(&t);
    return reply(f, 202, "application/json", t.bytes, t.length, &header, replay);
}

static enum flow_next answer(struct flow *f)
{
    struct refunding *s = f->state;
    const struct refund_asked *a = &s->asked;
    char left[DECIMAL_TEXT];

    switch (a->outcome) {
    case REFUND_STORED:
    case REFUND_WAITING:
        return answer_refund(f, a, false);
    case REFUND_REPLAY:
        return answer_refund(f, a, true);
    case REFUND_NOT_FOUND:
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    case REFUND_NOT_PAID:
        return flow_fail(f, err_new(ERR_NOT_REFUNDABLE));
    case REFUND_TOO_MUCH:
        return flow_fail(f,
                         err_at(f->arena, ERR_BAD_FIELD, "amount",
                                "more than was paid; at most %s %s can be given back",
                                money_print_minor(left, a->left_minor, a->currency), a->currency));
    case REFUND_BAD_AMOUNT:
        return flow_fail(
            f, err_at(f->arena, ERR_BAD_FIELD, "amount", "has more decimals than %s", a->currency));
    case REFUND_KEY_REUSED:
        return flow_fail(f, err_new(ERR_IDEMPOTENCY_REUSED));
    case REFUND_KEY_RUNNING:
        return flow_fail(f, err_new(ERR_IDEMPOTENCY_RUNNING));
    case REFUND_SAME_PERSON:
        return flow_fail(f, err_new(ERR_SECOND_PERSON));
    case REFUND_ALREADY:
        return answer_refund(f, a, true);
    }
    return flow_fail(f, err_new(ERR_INTERNAL));
}

static const struct flow_step refund_steps[] = {
    {"store the refund", ask},
    {"answer", answer},
    {0},
};

const struct flow_type refund_receipt_flow = {
    .name = "refund_receipt",
    .state_size = sizeof(struct refunding),
    .deadline_ms = SECONDS(10),
    .steps = refund_steps,
};

/* ---- the second person ---- */

static enum flow_next find(struct flow *f)
{
    struct refunding *s = f->state;

    return refund_get(f, request_of(f)->params[0], &s->asked);
}

/* Who asked for it never changes, and one that waits no more is only shown. */
static enum flow_next confirm(struct flow *f)
{
    struct refunding *s = f->state;
    const struct request *r = request_of(f);
    const char *by = r->caller.name;

    if (s->asked.outcome == REFUND_STORED && strcmp(s->asked.state, "waiting") == 0 &&
        !deed_second_person(s->asked.asked_by, by))
        return flow_fail(f, err_at(f->arena, ERR_SECOND_PERSON, NULL,
                                   "a refund that %s asked for is confirmed by another member of "
                                   "staff in their own name, and not by %s",
                                   s->asked.asked_by, by));
    return refund_confirm(f, r->params[0], by, &s->asked);
}

static const struct flow_step confirm_steps[] = {
    {"find the refund", find},
    {"confirm", confirm},
    {"answer", answer},
    {0},
};

const struct flow_type confirm_refund_flow = {
    .name = "confirm_refund",
    .state_size = sizeof(struct refunding),
    .deadline_ms = SECONDS(10),
    .steps = confirm_steps,
};

static enum flow_next decline(struct flow *f)
{
    struct refunding *s = f->state;
    const struct request *r = request_of(f);

    return refund_decline(f, r->params[0], r->caller.name, &s->asked);
}

static const struct flow_step decline_steps[] = {
    {"decline", decline},
    {"answer", answer},
    {0},
};

const struct flow_type decline_refund_flow = {
    .name = "decline_refund",
    .state_size = sizeof(struct refunding),
    .deadline_ms = SECONDS(10),
    .steps = decline_steps,
};
