/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading what a PSP says. Strict: an amount that is no whole number, a status or currency that
 * nobody knows, is an error and never a guess.
 */
#include "ocpi/psp.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

enum { STAMP_DIGITS = 12, SIGNATURES_MAX = 8 };
static const int64_t AMOUNT_MAX = INT64_C(1000000000000); /* in minor units */

static const char *const status_names[] = {
    [PSP_PENDING] = "pending",
    [PSP_AUTHORISED] = "authorised",
    [PSP_DECLINED_STATUS] = "declined",
    [PSP_CAPTURED] = "captured",
    [PSP_VOIDED] = "voided",
    [PSP_EXPIRED] = "expired",
    [PSP_PARTIALLY_REFUNDED] = "partially_refunded",
    [PSP_REFUNDED] = "refunded",
    [PSP_DISPUTED] = "disputed",
    [PSP_CHARGED_BACK] = "charged_back",
};

const char *psp_status_name(enum psp_status status)
{
    return status_names[status];
}

static bool status_read(const char *text, enum psp_status *ret)
{
    for (size_t i = 0; text && i < sizeof status_names / sizeof *status_names; i++) {
        if (strcmp(status_names[i], text) == 0) {
            *ret = (enum psp_status)i;
            return true;
        }
    }
    return false;
}

/* ---- a payment ---- */

static struct err wrong(const char *where, const char *text)
{
    return (struct err){.kind = ERR_BAD_FIELD, .where = where, .text = text};
}

/* Absent and null are 0 unless it is required. */
static bool amount_read(const json_t *json, const char *key, bool required, int64_t *ret)
{
    const json_t *value = json_object_get(json, key);

    *ret = 0;
    if (!value || json_is_null(value))
        return !required;
    if (!json_is_integer(value))
        return false;
    *ret = json_integer_value(value);
    return *ret >= 0 && *ret <= AMOUNT_MAX;
}

/* NULL where it is too long or has other than printable characters. */
static const char *word_of(const json_t *json, const char *key, size_t max)
{
    const char *text = json_text_of(json, key);

    return text && *text && strlen(text) <= max && text_is_printable_ascii(text) ? text : NULL;
}

static bool is_four_digits(const char *text)
{
    return text && strlen(text) == 4 && strspn(text, "0123456789") == 4;
}

struct err psp_view_read(const json_t *json, struct psp_view *ret)
{
    const char *currency, *expires;
    struct psp_view v = {.expires_us = TIME_NONE};

    if (!json_is_object(json))
        return wrong("payment", "is no object");
    v.psp_id = word_of(json, "id", PSP_ID_MAX);
    if (!v.psp_id)
        return wrong("payment.id", "is missing or wrong");
    v.reference = word_of(json, "reference", PSP_ID_MAX);
    if (!status_read(json_text_of(json, "status"), &v.status))
        return wrong("payment.status", "is none that is known");
    currency = json_text_of(json, "currency");
    if (!currency || !currency_known(currency))
        return wrong("payment.currency", "is not an ISO 4217 code");
    text_copy(v.currency, sizeof v.currency, currency);
    if (!amount_read(json, "amount", true, &v.amount_minor))
        return wrong("payment.amount", "must be a whole number of minor units");
    if (!amount_read(json, "captured", false, &v.captured_minor))
        return wrong("payment.captured", "must be a whole number of minor units");
    if (!amount_read(json, "refunded", false, &v.refunded_minor))
        return wrong("payment.refunded", "must be a whole number of minor units");
    if (!amount_read(json, "fee", false, &v.fee_minor))
        return wrong("payment.fee", "must be a whole number of minor units");
    expires = json_text_of(json, "expires_at");
    if (expires && !time_parse(expires, TIME_RFC3339, &v.expires_us))
        return wrong("payment.expires_at", "is no time");
    const json_t *card = json_object_of(json, "card");
    v.brand = word_of(card, "brand", 32);
    v.last_four = json_text_of(card, "last_four");
    if (!is_four_digits(v.last_four))
        v.last_four = NULL;
    v.code = word_of(json, "code", 64);
    *ret = v;
    return OK;
}

/* ---- an event ---- */

static const char *event_of(const char *type, const struct psp_view *v)
{
    /* clang-format off */
    static const struct {
        const char *type, *event;
    } KINDS[] = {
        {"payment.authorised",     "authorised"},
        {"payment.declined",       "auth_declined"},
        {"payment.captured",       "captured"},
        {"payment.capture_failed", "capture_declined"},
        {"payment.voided",         "voided"},
        {"payment.expired",        "expired"},
        {"payment.refunded",       "refunded"},
        {"payment.disputed",       "disputed"},
        {"payment.dispute_won",    "dispute_won"},
        {"payment.dispute_lost",   "dispute_lost"},
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (strcmp(KINDS[i].type, type) != 0)
            continue;
        if (strcmp(KINDS[i].event, "refunded") != 0)
            return KINDS[i].event;
        return v->refunded_minor == v->captured_minor ? "refunded_all" : "refunded_part";
    }
    return NULL;
}

struct err psp_event_read(struct arena *a, const char *bytes, size_t length, struct psp_event *ret)
{
    struct psp_event e = {0};
    json_t *json;

    if (length > PSP_EVENT_BYTES)
        return wrong("event", "is too long");
    TRY(json_read(a, bytes, length, 0, &json));
    e.id = word_of(json, "id", PSP_ID_MAX);
    if (!e.id)
        return wrong("id", "is missing or wrong");
    e.type = word_of(json, "type", PSP_ID_MAX);
    if (!e.type)
        return wrong("type", "is missing or wrong");
    if (strncmp(e.type, "payment.", strlen("payment.")) == 0) {
        TRY(psp_view_read(json_object_get(json, "payment"), &e.view));
        e.event = event_of(e.type, &e.view);
    }
    *ret = e;
    return OK;
}

/* ---- the signature ---- */

struct signature {
    char stamp[STAMP_DIGITS + 1];
    const char *values[SIGNATURES_MAX]; /* each 64 hex digits, not ended */
    size_t count;
};

/* "t=1,v1=abc": other members are for somebody else. */
static bool signature_split(const char *header, struct signature *ret)
{
    *ret = (struct signature){0};
    for (const char *at = header; *at;) {
        size_t length = strcspn(at, ",");
        if (strncmp(at, "t=", 2) == 0) {
            if (*ret->stamp || length - 2 > STAMP_DIGITS || length == 2 ||
                strspn(at + 2, "0123456789") != length - 2)
                return false;
            memcpy(ret->stamp, at + 2, length - 2);
        } else if (strncmp(at, "v1=", 3) == 0 && length - 3 == 2 * (size_t)SHA256_BYTES) {
            if (ret->count == SIGNATURES_MAX)
                return false;
            ret->values[ret->count++] = at + 3;
        }
        at += length;
        while (*at == ',' || *at == ' ')
            at++;
    }
    return *ret->stamp && ret->count;
}

bool psp_signature_good(const char *header, struct secret secret, const char *body, size_t length,
                        int64_t now_us)
{
    unsigned char mac[SHA256_BYTES];
    char hex[SHA256_HEX];
    struct signature s;
    bool good = false;

    if (!header || !secret_is_set(secret) || length > PSP_EVENT_BYTES ||
        !signature_split(header, &s))
        return false;
    int64_t age = now_us / US_PER_SECOND - strtoll(s.stamp, NULL, 10);
    if (age > PSP_SIGNATURE_AGE_S || age < -PSP_SIGNATURE_AGE_S)
        return false;
    size_t stamp = strlen(s.stamp);
    char *signed_bytes = malloc(stamp + 1 + length);
    if (!signed_bytes)
        return false;
    memcpy(signed_bytes, s.stamp, stamp);
    signed_bytes[stamp] = '.';
    if (length)
        memcpy(signed_bytes + stamp + 1, body, length);
    id_hmac_sha256(secret_reveal(secret), secret_length(secret), signed_bytes, stamp + 1 + length,
                   mac);
    free(signed_bytes);
    id_hex(mac, sizeof mac, hex);
    for (size_t i = 0; i < s.count; i++)
        good |= id_equal_constant_time(hex, s.values[i], strlen(hex));
    return good;
}
