/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of check.h, and the list of what broke them.
 */
#include "tests/sim/check.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

#include "adapters/http_client.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/envelope.h"
#include "tests/sim/call.h"
#include "tests/sim/push.h"
#include "tests/sim/sim.h"

enum { VIOLATIONS_KEPT = 1000, USED_KEPT = 200000, ENVELOPE_VALUES = 4 << 20 };

struct violation {
    int64_t at_us;
    char *rule, *method, *path, *what;
};

struct check {
    struct violation list[VIOLATIONS_KEPT];
    size_t kept;
    int64_t count;
    json_t *used; /* ids that may come only once */
};

struct check *check_new(void)
{
    struct check *c = calloc(1, sizeof(*c));

    assert(c);
    c->used = json_object();
    return c;
}

void check_clear(struct check *c)
{
    for (size_t i = 0; i < c->kept; i++) {
        free(c->list[i].rule);
        free(c->list[i].method);
        free(c->list[i].path);
        free(c->list[i].what);
    }
    c->kept = 0;
    c->count = 0;
    json_object_clear(c->used);
}

void check_free(struct check *c)
{
    if (!c)
        return;
    check_clear(c);
    json_decref(c->used);
    free(c);
}

void check_print(const struct check *c, struct text *out)
{
    char time[TIME_TEXT];

    json_begin_object(out, 0);
    json_put_int(out, "count", c->count);
    json_begin_array(out, "violations");
    for (size_t i = 0; i < c->kept; i++) {
        json_begin_object(out, 0);
        json_put_text(out, "at", time_print_micros(time, c->list[i].at_us));
        json_put_text(out, "rule", c->list[i].rule);
        json_put_text(out, "method", c->list[i].method);
        json_put_text(out, "path", c->list[i].path);
        json_put_text(out, "what", c->list[i].what);
        json_end_object(out);
    }
    json_end_array(out);
    json_end_object(out);
}

void check_violation(struct sim *sim, const char *rule, const char *method, const char *path,
                     const char *format, ...)
{
    struct check *c = sim->check;
    char what[512];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    log_line(LOG_WARN, "violation", LOG_TEXT("rule", rule), LOG_TEXT("method", method),
             LOG_TEXT("path", path), LOG_TEXT("what", what));
    c->count++;
    if (c->kept < VIOLATIONS_KEPT)
        c->list[c->kept++] = (struct violation){.at_us = time_now_us(),
                                                .rule = strdup(rule),
                                                .method = strdup(method),
                                                .path = strdup(path),
                                                .what = strdup(what)};
}

/* Remembers it; true if it was there before. */
static bool used_before(struct check *c, const char *what, const char *value)
{
    char key[400];

    snprintf(key, sizeof(key), "%s %s", what, value);
    if (json_object_get(c->used, key))
        return true;
    if (json_object_size(c->used) < USED_KEPT)
        json_object_set_new(c->used, key, json_true());
    return false;
}

void check_used_once(struct call *call, const char *what, const char *value)
{
    if (value && used_before(call->sim->check, what, value))
        check_violation(call->sim, "R-ASYNC-02", call->r->method, call->r->target,
                        "%s is used a second time", what);
}

/* Whether the token stands there as the version wants it (R-TRANS-02): raw in 2.1.1, Base64 since
 * 2.2. Before a version is chosen both may come, if both are offered. */
static void check_authorization(struct call *call)
{
    const struct http_request *r = call->r;
    const char *header = http_header(r, HEADER_AUTHORIZATION);
    bool list = call->version == OCPI_VERSION_NONE;
    bool raw = list ? sim_speaks(call->sim, OCPI_2_1_1) : call->version == OCPI_2_1_1;
    bool encoded = list ? call->sim->options->version_count > 1 || !raw : !raw;
    struct token_candidates token;

    if (encoded && !failed(authorization_read(call->arena, header, AUTH_BASE64, &token)) &&
        token.decoded)
        return;
    if (raw && !failed(authorization_read(call->arena, header, AUTH_RAW, &token)) && token.verbatim)
        return;
    check_violation(call->sim, "R-TRANS-02", r->method, r->target,
                    "Authorization is not 'Token %s'", encoded ? "<Base64>" : "<token>");
}

static void check_routing(struct call *call)
{
    const struct http_request *r = call->r;
    const char *values[] = {
        http_header(r, HEADER_FROM_COUNTRY_CODE), http_header(r, HEADER_FROM_PARTY_ID),
        http_header(r, HEADER_TO_COUNTRY_CODE), http_header(r, HEADER_TO_PARTY_ID)};
    struct err e =
        routing_read(call->arena, values[0], values[1], values[2], values[3], &call->routing);
    const struct party_id *us = &call->sim->options->party;

    if (call->version == OCPI_2_1_1) {
        if (values[0] || values[1] || values[2] || values[3])
            check_violation(call->sim, "R-ROUTE-01", r->method, r->target,
                            "2.1.1 knows no routing headers");
    } else if (!call->functional) {
        if (values[0] || values[1] || values[2] || values[3])
            check_violation(call->sim, "R-ROUTE-02", r->method, r->target,
                            "a configuration module with routing headers");
    } else if (failed(e)) {
        check_violation(call->sim, "R-ROUTE-05", r->method, r->target, "%s", err_text(e));
    } else if (!party_id_is_set(&call->routing.from) || !party_id_is_set(&call->routing.to)) {
        check_violation(call->sim, "R-ROUTE-01", r->method, r->target, "no routing headers");
    } else if (!party_id_equal(&call->routing.to, us)) {
        check_violation(call->sim, "R-ROUTE-10", r->method, r->target, "sent to %s*%s, not to us",
                        call->routing.to.country_code, call->routing.to.party_id);
    }
}

void check_request(struct call *call)
{
    const struct http_request *r = call->r;
    const char *id = http_header(r, HEADER_REQUEST_ID);
    const char *correlation_id = http_header(r, HEADER_CORRELATION_ID);
    const char *type = http_header(r, "Content-Type");
    /* 2.1.1 does not know them, and whoever asks for versions may mean it. */
    bool ids = call->version == OCPI_VERSION_NONE ? !sim_speaks(call->sim, OCPI_2_1_1)
                                                  : call->version != OCPI_2_1_1;

    if ((!id || !*id) && ids)
        check_violation(call->sim, "R-TRANS-60", r->method, r->target, "no X-Request-ID");
    else if (id && *id && used_before(call->sim->check, "X-Request-ID", id))
        check_violation(call->sim, "R-TRANS-61", r->method, r->target, "X-Request-ID repeated");
    if ((!correlation_id || !*correlation_id) && ids)
        check_violation(call->sim, "R-TRANS-60", r->method, r->target, "no X-Correlation-ID");
    check_authorization(call);
    if (r->body_length > 0 &&
        (!type || strncasecmp(type, "application/json", strlen("application/json")) != 0))
        check_violation(call->sim, "R-TRANS-08", r->method, r->target, "Content-Type is '%s'",
                        type ? type : "");
    check_routing(call);
}

bool check_body(struct call *call, const char *class)
{
    const struct object_type *type = object_type_find(call->version, class);
    struct err e = type ? object_check(type, call->json, 0, call->arena) : OK;

    if (failed(e))
        check_violation(call->sim, "R-TYPE", call->r->method, call->r->target, "%s", err_text(e));
    return !failed(e);
}

bool check_patch(struct call *call, const char *class)
{
    const struct object_type *type = object_type_find(call->version, class);
    struct err e = type ? object_check_patch(type, call->json, 0, call->arena) : OK;

    if (failed(e))
        check_violation(call->sim, "R-TRANS-12", call->r->method, call->r->target, "%s",
                        err_text(e));
    return !failed(e);
}

static const char *sent_header(const struct http_call *call, const char *name)
{
    for (size_t i = 0; i < call->header_count; i++) {
        if (strcasecmp(call->headers[i].name, name) == 0)
            return call->headers[i].value;
    }
    return 0;
}

static bool same_text(const char *a, const char *b)
{
    return a && b && strcasecmp(a, b) == 0;
}

static void check_answer_headers(struct sim *sim, const struct push *p,
                                 const struct http_call *call, const struct http_answer *answer)
{
    static const struct {
        const char *sent, *back, *rule;
        bool routed;
    } echoes[] = {
        {HEADER_REQUEST_ID, "x-request-id", "R-TRANS-60", false},
        {HEADER_CORRELATION_ID, "x-correlation-id", "R-TRANS-60", false},
        {HEADER_FROM_COUNTRY_CODE, "ocpi-to-country-code", "R-ROUTE-04", true},
        {HEADER_FROM_PARTY_ID, "ocpi-to-party-id", "R-ROUTE-04", true},
        {HEADER_TO_COUNTRY_CODE, "ocpi-from-country-code", "R-ROUTE-04", true},
        {HEADER_TO_PARTY_ID, "ocpi-from-party-id", "R-ROUTE-04", true},
    };

    for (size_t i = 0; i < sizeof(echoes) / sizeof(echoes[0]); i++) {
        const char *sent = sent_header(call, echoes[i].sent);

        /* Whoever is not let in is not told who answers. */
        if (!sent || (echoes[i].routed && (answer->status == 401 || answer->status == 403)))
            continue;
        if (!same_text(sent, http_answer_header(answer, echoes[i].back)))
            check_violation(sim, echoes[i].rule, p->method, p->url, "answer: %s is not %s",
                            echoes[i].back, echoes[i].sent);
    }
    if (strcmp(p->module, MODULE_CDRS) == 0 && strcmp(p->method, "POST") == 0 &&
        push_taken(answer) && !http_answer_header(answer, "location"))
        check_violation(sim, "R-CDR-03", p->method, p->url, "answer without Location");
}

void check_answer(struct sim *sim, const struct push *p, const struct http_call *call,
                  const struct http_answer *answer)
{
    struct arena *a = arena_new(128 << 20);
    struct envelope e;
    const char *type = http_answer_header(answer, "content-type");

    envelope_read(a, answer->status, answer->body, answer->body_length,
                  &(struct envelope_rules){.max_values = ENVELOPE_VALUES}, &e);
    if (e.state != ENVELOPE_GOOD)
        check_violation(sim, "R-TRANS-30", p->method, p->url, "answer %d without an envelope",
                        answer->status);
    else if (e.timestamp_us == TIME_NONE)
        check_violation(sim, "R-TRANS-30", p->method, p->url, "answer without a timestamp");
    if (!type || strncasecmp(type, "application/json", strlen("application/json")) != 0)
        check_violation(sim, "R-TRANS-08", p->method, p->url, "answer: Content-Type is '%s'",
                        type ? type : "");
    check_answer_headers(sim, p, call, answer);
    arena_free(a);
}
