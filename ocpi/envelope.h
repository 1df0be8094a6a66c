/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Envelope: every OCPI response is {data, status_code, status_message, timestamp} (R-TRANS-30).
 */
#ifndef OCPI_ENVELOPE_H
#define OCPI_ENVELOPE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ocpi/version.h"

struct arena;
struct text;

enum ocpi_status {
    OCPI_SUCCESS = 1000,
    OCPI_CLIENT_ERROR = 2000,
    OCPI_INVALID_PARAMETER = 2001,
    OCPI_NOT_ENOUGH = 2002,
    OCPI_UNKNOWN_LOCATION = 2003,
    OCPI_UNKNOWN_TOKEN = 2004,
    OCPI_SERVER_ERROR = 3000,
    OCPI_CLIENT_UNUSABLE = 3001,
    OCPI_UNSUPPORTED_VERSION = 3002,
    OCPI_NO_ENDPOINTS = 3003,
    OCPI_HUB_ERROR = 4000,
    OCPI_UNKNOWN_RECEIVER = 4001,
    OCPI_HUB_TIMEOUT = 4002,
    OCPI_HUB_CONNECTION = 4003,
};

/* Any code is classified by its thousands digit (R-TRANS-36). */
enum status_class { STATUS_SUCCESS, STATUS_CLIENT, STATUS_SERVER, STATUS_HUB, STATUS_UNKNOWN };
enum status_class status_class(int64_t status_code);

/* `data` is valid JSON text of `length` bytes, or NULL: the member is left out (R-TRANS-31).
 * `message` may be NULL. The time is now. */
void envelope_print(struct text *out, int status_code, const char *message, const char *data,
                    size_t length);
/* The envelope of an error: code and text from the error list. 2.1.1 knows neither 2004 nor 4xxx:
 * the nearest code, with the original one in the message (R-TRANS-35). */
void envelope_print_err(struct text *out, struct err e, enum ocpi_version version);

enum envelope_state {
    ENVELOPE_GOOD,
    ENVELOPE_MISSING,  /* JSON, or nothing at all, but no envelope */
    ENVELOPE_NOT_JSON, /* bytes that are no JSON */
};

/* A partner's answer. Without an envelope status_code is 3000 (R-TRANS-36), unless the partner has
 * the quirk `missing_envelope` and HTTP says 2xx: then it is 1000 and data the whole body. */
struct envelope {
    enum envelope_state state;
    int http_status;
    int64_t status_code;
    const char *status_message; /* NULL: none; at most 255 bytes of it, for logs only */
    json_t *data;               /* NULL: absent or null; any kind of value otherwise (R-TRANS-31) */
    int64_t timestamp_us;       /* TIME_NONE: absent or unreadable */
};

struct envelope_rules {
    bool missing_envelope; /* quirk */
    size_t max_values;     /* for pages of objects; 0: the default of json_read */
};

/* What lives in *ret belongs to the arena. `rules` NULL: none of the quirks. */
void envelope_read(struct arena *a, int http_status, const char *bytes, size_t length,
                   const struct envelope_rules *rules, struct envelope *ret);
/* HTTP 2xx and a code 1xxx. */
bool envelope_is_success(const struct envelope *e);

#endif
