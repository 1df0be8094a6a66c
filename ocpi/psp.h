/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a payment service provider (PSP) says: its payment as JSON, its events and how they are
 * signed. Pure.
 *
 *   payment {"id":"pay_1","reference":"<our UUID>","status":"captured","amount":6000,
 *            "currency":"EUR","captured":1384,"refunded":0,"fee":25,"expires_at":"...",
 *            "card":{"brand":"visa","last_four":"4242"},"code":null}
 *   event   {"id":"evt_1","type":"payment.captured","payment":{...}}
 *
 * Amounts are whole minor units; captured, refunded and fee are totals. Nothing else of a card is
 * read, so nothing else can be kept.
 */
#ifndef OCPI_PSP_H
#define OCPI_PSP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

struct arena;

enum { PSP_ID_MAX = 64, PSP_EVENT_BYTES = 64 * 1024, PSP_SIGNATURE_AGE_S = 300 };

enum psp_status {
    PSP_PENDING, /* not decided yet: it will tell */
    PSP_AUTHORISED,
    PSP_DECLINED_STATUS,
    PSP_CAPTURED,
    PSP_VOIDED,
    PSP_EXPIRED,
    PSP_PARTIALLY_REFUNDED,
    PSP_REFUNDED,
    PSP_DISPUTED,
    PSP_CHARGED_BACK,
};
const char *psp_status_name(enum psp_status status); /* "authorised" */

/* Texts are borrowed from the document. */
struct psp_view {
    const char *psp_id;    /* NULL: nothing was said about a payment */
    const char *reference; /* ours, or NULL */
    enum psp_status status;
    char currency[4];
    int64_t amount_minor, captured_minor, refunded_minor, fee_minor;
    int64_t expires_us; /* of a hold; TIME_NONE: not told */
    const char *brand, *last_four, *code;
};
struct err psp_view_read(const json_t *json, struct psp_view *ret);

struct psp_event {
    const char *id, *type;
    const char *event; /* of payment_transition: "captured"; NULL: a kind that is none of ours */
    struct psp_view view;
};
/* The raw bytes of a webhook whose signature was good. */
struct err psp_event_read(struct arena *a, const char *bytes, size_t length, struct psp_event *ret);

/* `header`: "t=<Unix seconds>,v1=<hex HMAC-SHA256 of t.body>[,v1=...]", several while the secret is
 * changed. Compared in constant time, and not older or newer than PSP_SIGNATURE_AGE_S. */
bool psp_signature_good(const char *header, struct secret secret, const char *body, size_t length,
                        int64_t now_us);

#endif
