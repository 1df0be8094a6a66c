/* SPDX-License-Identifier: Apache-2.0 */
/* Relay answers: by HTTP status first, then by what the body is. */
#include "ocpi/relay_answer.h"

#include <assert.h>

static struct relay_answer ours(enum err_kind kind, const char *text, const char *rule)
{
    const struct err_info *info = err_info(kind);

    return (struct relay_answer){.http_status = info->ocpi_http,
                                 .status_code = info->ocpi_code,
                                 .err = {.kind = kind, .text = text, .rule = rule}};
}

static struct relay_answer unusable(void)
{
    return ours(ERR_PEER_ERROR, "the receiver's answer cannot be used", "R-ROUTE-43");
}

static struct relay_answer relayed(int http_status, int64_t status_code)
{
    return (struct relay_answer){
        .relayed = true, .http_status = http_status, .status_code = status_code};
}

/* 404, 405 and 400 say enough even if no envelope came with them; in a fan-out it counts which. */
static struct relay_answer without_envelope(int http_status)
{
    switch (http_status) {
    case 404:
        return ours(ERR_OBJECT_NOT_FOUND, "the receiver does not know it", "R-TRANS-33");
    case 405:
        return ours(ERR_METHOD_NOT_ALLOWED, "the receiver does not have this method", "R-TRANS-09");
    default:
        return unusable();
    }
}

static struct relay_answer of_response(const struct envelope *answer)
{
    int http = answer->http_status;
    enum status_class class = status_class(answer->status_code);

    if (http == 401 || http == 403) {
        struct relay_answer ret = ours(
            ERR_PEER_UNREACHABLE, "the connection to the receiver does not work", "R-ROUTE-43");
        ret.alarm = ret.offline = true;
        return ret;
    }
    if (http < 200 || (http >= 300 && http < 400) || http >= 500 ||
        answer->state == ENVELOPE_NOT_JSON)
        return unusable();
    /* A quirk may have made a success of it. */
    if (answer->state == ENVELOPE_MISSING && class != STATUS_SUCCESS)
        return without_envelope(http);
    if (class == STATUS_UNKNOWN)
        return unusable();
    if (http == 200 || http == 201 || http == 400 || http == 404 || http == 405)
        return relayed(http, answer->status_code);
    /* Other statuses have no meaning in OCPI: its code is what counts, unless it says the opposite.
     */
    if (http >= 400 && class == STATUS_SUCCESS)
        return unusable();
    return relayed(200, answer->status_code);
}

struct relay_answer relay_answer_of(enum relay_end end, const struct envelope *answer)
{
    struct relay_answer ret;

    switch (end) {
    case RELAY_ANSWERED:
        return of_response(answer);
    case RELAY_NOT_SENT:
        return ours(ERR_PEER_UNREACHABLE, "the receiver cannot be reached", "R-ROUTE-41");
    case RELAY_TIMED_OUT:
        ret = ours(ERR_PEER_TIMEOUT, "the receiver did not answer in time", "R-ROUTE-41");
        ret.unclear = true;
        return ret;
    case RELAY_BROKEN:
        ret = ours(ERR_PEER_TIMEOUT, "the receiver closed the connection without an answer",
                   "R-ROUTE-41");
        ret.unclear = true;
        return ret;
    case RELAY_FAILED:
        break;
    }
    return ours(ERR_HUB_ERROR, NULL, "R-ROUTE-41");
}

/* ---- fan-out ---- */

bool relay_answer_is_success(const struct relay_answer *answer)
{
    return answer->http_status >= 200 && answer->http_status <= 299 &&
           status_class(answer->status_code) == STATUS_SUCCESS;
}

/* What each answer tells; the smaller the more. "Not enough information" comes from one who knows
 * the object: it says what to send next time. A 404, whatever its code, is one who does not. */
static int vagueness(const struct relay_answer *answer)
{
    if (relay_answer_is_success(answer))
        return 0;
    switch (answer->status_code) {
    case OCPI_NOT_ENOUGH:
        return 1;
    case OCPI_UNKNOWN_TOKEN:
        return 2;
    case OCPI_UNKNOWN_LOCATION:
        return 3;
    case OCPI_HUB_TIMEOUT:
        return 6;
    case OCPI_HUB_CONNECTION:
        return 8;
    default:
        break;
    }
    if (answer->http_status == 404)
        return 5;
    switch (status_class(answer->status_code)) {
    case STATUS_CLIENT:
        return 4;
    case STATUS_SERVER:
        return 7;
    default:
        return 9;
    }
}

size_t relay_answer_best(const struct relay_answer *answers, size_t count)
{
    size_t best = 0;

    assert(count > 0);
    for (size_t i = 1; i < count; i++)
        if (vagueness(&answers[i]) < vagueness(&answers[best]))
            best = i;
    return best;
}

bool relay_may_retry(enum routing_method method, enum relay_end end)
{
    return end == RELAY_NOT_SENT && (method == ROUTING_GET || method == ROUTING_PUT);
}
