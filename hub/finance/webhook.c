/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/psp/webhook: an event of the payment service provider.
 *
 *   signature over the raw bytes, not older than 300 s -> read -> one statement: inbox and effect
 *   -> 200 once it is committed
 *
 * An event that came before is answered 200 and has no effect; so are one about a payment that
 * nobody knows, one with another amount, one that does not fit the payment's state: they are kept,
 * told to people, or lead to a look at the PSP. Other than 200 says: send it again.
 */
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "db/payment.h"
#include "hub/finance/payment_api.h"
#include "hub/hub.h"
#include "hub/request.h"
#include "hub/server/http_server.h"

#include <string.h>

static const char SIGNATURE[] = "PSP-Signature";

struct webhook {
    struct psp_event event;
    char hash[SHA256_HEX];
    const char *outcome;
};

static enum flow_next refuse(struct flow *f, enum err_kind kind)
{
    metric_add(METRIC_PSP_EVENTS, "refused", NULL, NULL, 1);
    return flow_fail(f, err_new(kind));
}

static enum flow_next check(struct flow *f)
{
    struct webhook *w = f->state;
    const struct settings *settings = hub_of(f)->settings;
    const struct http_request *r = request_of(f)->http;

    if (!settings->psp_url)
        return flow_fail(f, err_new(ERR_NOT_FOUND));
    if (http_header_count(r, SIGNATURE) != 1 ||
        !psp_signature_good(http_header(r, SIGNATURE), settings->psp_webhook_secret, r->body,
                            r->body_length, time_now_us())) {
        log_line(LOG_WARN, "PSP event refused", LOG_TEXT("reason", "signature"),
                 LOG_INT("bytes", (int64_t)r->body_length));
        return refuse(f, ERR_TOKEN_INVALID);
    }
    id_sha256_hex(r->body, r->body_length, w->hash);
    struct err e = psp_event_read(f->arena, r->body, r->body_length, &w->event);
    if (failed(e)) {
        log_line(LOG_ERROR, "PSP event refused", LOG_TEXT("reason", err_text(e)),
                 LOG_TEXT("where", e.where));
        metric_add(METRIC_PSP_EVENTS, "refused", NULL, NULL, 1);
        return flow_fail(f, e);
    }
    return FLOW_NEXT;
}

static enum flow_next take(struct flow *f)
{
    struct webhook *w = f->state;

    return psp_event_take(f, &w->event, w->hash, &w->outcome);
}

static bool is_alarming(const char *outcome)
{
    return strcmp(outcome, "mismatch") == 0 || strcmp(outcome, "unknown") == 0 ||
           strcmp(outcome, "conflict") == 0;
}

static enum flow_next answer(struct flow *f)
{
    struct webhook *w = f->state;

    metric_add(METRIC_PSP_EVENTS, w->outcome, NULL, NULL, 1);
    log_line(is_alarming(w->outcome) ? LOG_ERROR : LOG_INFO, "PSP event",
             LOG_TEXT("id", w->event.id), LOG_TEXT("type", w->event.type),
             LOG_TEXT("payment", w->event.view.psp_id), LOG_TEXT("outcome", w->outcome));
    if (strcmp(w->outcome, "conflict") == 0)
        return flow_fail(f, err_at(f->arena, ERR_BAD_FIELD, "id",
                                   "this id was that of an event with other content"));
    return reply_json_text(f, 200, "{\"received\":true}");
}

static const struct flow_step steps[] = {
    {"check signature and body", check},
    {"take it in", take},
    {"answer", answer},
    {0},
};

const struct flow_type psp_webhook_flow = {
    .name = "psp_webhook",
    .state_size = sizeof(struct webhook),
    .deadline_ms = SECONDS(10),
    .steps = steps,
};
