/* SPDX-License-Identifier: Apache-2.0 */
/* Audit: one look at each answer. */
#include "hub/ops/selftest/audit.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/headers.h"

/* A large answer is not read a second time for its timestamp. */
enum { READ_AGAIN_MAX = 1024 * 1024, CLOCK_OFF_S = 120 };

static void note(struct arena *a, struct audited *audited, const struct ocpi_call *call,
                 const struct ocpi_answer *answer, bool grave, const char *expected,
                 const char *got)
{
    audited->wrong++;
    if (audited->where && (audited->grave || !grave))
        return;
    audited->grave = grave;
    audited->where =
        arena_printf(a, "%s %s (HTTP %d)", call->method, call->url, answer->http.status);
    audited->expected = arena_text(a, expected);
    audited->got = arena_text(a, got ? got : "nothing");
}

/* Errors may come from something in front of the partner's OCPI server: less grave. */
static bool is_grave(const struct ocpi_answer *answer)
{
    return answer->http.status >= 200 && answer->http.status <= 299;
}

static void audit_envelope(struct arena *a, const struct ocpi_call *call,
                           const struct ocpi_answer *answer, struct audited *audited)
{
    const char *got = answer->envelope.state == ENVELOPE_NOT_JSON ? "a body that is no JSON"
                      : answer->http.body_length                  ? "JSON without status_code"
                                                                  : "no body";

    audited->seen++;
    if (!answer->has_envelope)
        note(a, audited, call, answer, is_grave(answer),
             "an envelope with status_code and timestamp", got);
}

/* The text of `timestamp`, or NULL. */
static const char *timestamp_of(struct arena *a, const struct ocpi_answer *answer)
{
    json_t *body;

    if (answer->http.body_length > READ_AGAIN_MAX ||
        failed(json_read(a, answer->http.body, answer->http.body_length, 0, &body)))
        return NULL;
    return json_text_of(body, "timestamp");
}

static void audit_timestamp(struct arena *a, const struct ocpi_call *call,
                            const struct ocpi_answer *answer, int64_t now_us,
                            struct audited audit[AUDIT_KINDS])
{
    int64_t us = answer->envelope.timestamp_us, strict_us;

    if (!answer->has_envelope)
        return;
    audit[AUDIT_TIMESTAMP].seen++;
    const char *text = timestamp_of(a, answer);
    if (us == TIME_NONE || (text && !time_parse(text, TIME_OCPI, &strict_us))) {
        note(a, &audit[AUDIT_TIMESTAMP], call, answer, is_grave(answer),
             "timestamp: a time in UTC with Z or without a zone", text ? text : "no timestamp");
        return;
    }
    audit[AUDIT_CLOCK].seen++;
    int64_t off_s = llabs((us - now_us) / US_PER_SECOND);
    if (off_s > CLOCK_OFF_S)
        note(a, &audit[AUDIT_CLOCK], call, answer, false, "timestamp: the present time",
             arena_printf(a, "%lld seconds %s ours", (long long)off_s,
                          us > now_us ? "ahead of" : "behind"));
}

static void audit_content_type(struct arena *a, const struct ocpi_call *call,
                               const struct ocpi_answer *answer, struct audited *audited)
{
    static const char JSON[] = "application/json";
    const char *type = http_answer_header(&answer->http, "content-type");

    if (!answer->http.body_length)
        return;
    audited->seen++;
    char *lower = arena_text(a, type ? type : "");
    text_to_lower(lower);
    if (strncmp(lower, JSON, sizeof JSON - 1) != 0)
        note(a, audited, call, answer, false, "Content-Type: application/json", type);
}

static void audit_ids(struct arena *a, const struct ocpi_call *call,
                      const struct ocpi_answer *answer, struct audited *audited)
{
    const struct {
        const char *name, *sent, *came;
    } ids[] = {
        {HEADER_REQUEST_ID, answer->request_id, http_answer_header(&answer->http, "x-request-id")},
        {HEADER_CORRELATION_ID, answer->correlation_id,
         http_answer_header(&answer->http, "x-correlation-id")},
    };

    audited->seen++;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        if (ids[i].sent && (!ids[i].came || !text_equal_caseless(ids[i].sent, ids[i].came))) {
            note(a, audited, call, answer, is_grave(answer),
                 arena_printf(a, "%s: %s, as it was sent", ids[i].name, ids[i].sent),
                 ids[i].came ? ids[i].came : arena_printf(a, "no %s", ids[i].name));
            return;
        }
    }
}

static const char *pair(struct arena *a, const char *country, const char *party)
{
    return arena_printf(a, "%s-%s", country ? country : "", party ? party : "");
}

/* A hub or a platform of many may answer as another party than the one we know; only one that
 * copied our own headers is certainly wrong. */
static void audit_routing(struct arena *a, const struct ocpi_call *call,
                          const struct ocpi_answer *answer, struct audited *audited)
{
    const struct http_answer *http = &answer->http;
    const struct peer *peer = call->peer;
    const char *to = pair(a, http_answer_header(http, "ocpi-to-country-code"),
                          http_answer_header(http, "ocpi-to-party-id"));
    const char *from = pair(a, http_answer_header(http, "ocpi-from-country-code"),
                            http_answer_header(http, "ocpi-from-party-id"));
    char us[PARTY_TEXT], them[PARTY_TEXT];

    if (!party_id_is_set(&peer->our_party) || !party_id_is_set(&peer->their_party))
        return;
    party_id_print(&peer->our_party, us);
    party_id_print(&peer->their_party, them);
    audited->seen++;
    const char *expected = arena_printf(a, "OCPI-to %s, OCPI-from %s", us, them);
    const char *got = arena_printf(a, "OCPI-to %s, OCPI-from %s", to, from);
    if (strcmp(to, "-") == 0 && strcmp(from, "-") == 0)
        note(a, audited, call, answer, false, expected, "no routing headers");
    else if (!text_equal_caseless(to, us) || text_equal_caseless(from, us))
        note(a, audited, call, answer, is_grave(answer), expected, got);
}

static void audit_config_routing(struct arena *a, const struct ocpi_call *call,
                                 const struct ocpi_answer *answer, struct audited *audited)
{
    const char *to = http_answer_header(&answer->http, "ocpi-to-party-id");
    const char *from = http_answer_header(&answer->http, "ocpi-from-party-id");

    audited->seen++;
    if (to || from)
        note(a, audited, call, answer, false, "no routing headers",
             arena_printf(a, "OCPI-to-party-id %s, OCPI-from-party-id %s", to ? to : "",
                          from ? from : ""));
}

void audit_answer(struct arena *a, const struct ocpi_call *call, const struct ocpi_answer *answer,
                  int64_t now_us, struct audited audit[AUDIT_KINDS])
{
    bool ids = call->peer->version != OCPI_2_1_1;

    if (answer->http.outcome != HTTP_ANSWERED)
        return;
    audit_envelope(a, call, answer, &audit[AUDIT_ENVELOPE]);
    audit_timestamp(a, call, answer, now_us, audit);
    audit_content_type(a, call, answer, &audit[AUDIT_CONTENT_TYPE]);
    if (!ids)
        return;
    audit_ids(a, call, answer, &audit[AUDIT_MESSAGE_IDS]);
    /* Who is not let in has not been read: nobody knows for whom it was. */
    if (answer->http.status == 401)
        return;
    if (module_is_routed(call->module))
        audit_routing(a, call, answer, &audit[AUDIT_ROUTING]);
    else
        audit_config_routing(a, call, answer, &audit[AUDIT_CONFIG_ROUTING]);
}
