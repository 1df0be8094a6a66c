/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Envelope: printing ours, reading a partner's.
 */
#include "ocpi/envelope.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/rule.h"

enum { MESSAGE_MAX = 255 };

enum status_class status_class(int64_t status_code)
{
    switch (status_code / 1000) {
    case 1:
        return STATUS_SUCCESS;
    case 2:
        return STATUS_CLIENT;
    case 3:
        return STATUS_SERVER;
    case 4:
        return STATUS_HUB;
    default:
        return STATUS_UNKNOWN;
    }
}

void envelope_print(struct text *out, int status_code, const char *message, const char *data,
                    size_t length)
{
    char now[TIME_TEXT];

    json_begin_object(out, NULL);
    if (data)
        json_put_raw_bytes(out, "data", data, length);
    json_put_int(out, "status_code", status_code);
    if (message)
        json_put_text(out, "status_message", message);
    json_put_text(out, "timestamp", time_print_seconds(now, time_now_us()));
    json_end_object(out);
}

void envelope_print_err(struct text *out, struct err e, enum ocpi_version version)
{
    int code = err_info(e.kind)->ocpi_code, known = code;
    char message[1024];
    size_t start = 0;

    if (version == OCPI_2_1_1 && code == OCPI_UNKNOWN_TOKEN)
        known = OCPI_CLIENT_ERROR;
    else if (version == OCPI_2_1_1 && status_class(code) == STATUS_HUB)
        known = OCPI_SERVER_ERROR;
    if (known != code)
        start = (size_t)snprintf(message, sizeof(message), "%d: ", code);
    rule_explain_to(message + start, (unsigned)(sizeof(message) - start), e);
    envelope_print(out, known, message, NULL, 0);
}

/* --- reading --- */

static bool is_blank(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!strchr(" \t\r\n", bytes[i]) || bytes[i] == '\0')
            return false;
    }
    return true;
}

static bool is_http_success(int http_status)
{
    return http_status >= 200 && http_status <= 299;
}

static const char *short_message(struct arena *a, const char *message)
{
    size_t length;

    if (!message)
        return NULL;
    length = strlen(message);
    if (length > MESSAGE_MAX) {
        length = MESSAGE_MAX;
        /* Not in the middle of a character. */
        while (length > 0 && ((unsigned char)message[length] & 0xc0) == 0x80)
            length--;
    }
    return arena_bytes(a, message, length);
}

static void without_envelope(json_t *body, const struct envelope_rules *rules, struct envelope *ret)
{
    ret->state = ENVELOPE_MISSING;
    ret->status_code = OCPI_SERVER_ERROR;
    if (rules->missing_envelope && is_http_success(ret->http_status)) {
        ret->status_code = OCPI_SUCCESS;
        ret->data = body;
    }
}

/* A whole number of four digits, also where a partner writes 1000.0 or "1000". */
static int64_t read_status_code(const json_t *value)
{
    int64_t code;

    if (!value || !json_number_u6(value, true, &code) || code % 1000000 != 0)
        return 0;
    code /= 1000000;
    return code >= 1000 && code <= 9999 ? code : 0;
}

void envelope_read(struct arena *a, int http_status, const char *bytes, size_t length,
                   const struct envelope_rules *rules, struct envelope *ret)
{
    static const struct envelope_rules none;
    const char *timestamp;
    json_t *body, *data;

    rules = rules ? rules : &none;
    *ret = (struct envelope){
        .http_status = http_status, .status_code = OCPI_SERVER_ERROR, .timestamp_us = TIME_NONE};
    if (is_blank(bytes, length)) {
        without_envelope(NULL, rules, ret);
        return;
    }
    if (failed(json_read(a, bytes, length, rules->max_values, &body))) {
        ret->state = ENVELOPE_NOT_JSON;
        return;
    }
    ret->status_code = read_status_code(json_object_get(body, "status_code"));
    if (ret->status_code == 0) {
        without_envelope(body, rules, ret);
        return;
    }
    data = json_object_get(body, "data");
    ret->data = data && !json_is_null(data) ? data : NULL;
    ret->status_message =
        short_message(a, json_string_value(json_object_get(body, "status_message")));
    timestamp = json_string_value(json_object_get(body, "timestamp"));
    if (timestamp && !time_parse(timestamp, TIME_OCPI_ANY_OFFSET, &ret->timestamp_us))
        ret->timestamp_us = TIME_NONE;
}

bool envelope_is_success(const struct envelope *e)
{
    return is_http_success(e->http_status) && status_class(e->status_code) == STATUS_SUCCESS;
}
