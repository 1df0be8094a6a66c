/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our OCPI door: who asks, what, and the answer with its headers and its misbehaviours.
 */
#include "tests/sim/call.h"

#include "base/json.h"
#include "base/text.h"
#include "ocpi/command.h"
#include "ocpi/envelope.h"
#include "tests/sim/behave.h"
#include "tests/sim/check.h"
#include "tests/sim/clock.h"
#include "tests/sim/print.h"
#include "tests/sim/record.h"
#include "tests/sim/session.h"

enum { BODY_MAX = 4 << 20, RETRY_TEXT = 24 };

/* clang-format off */
struct door {
    const char *module;
    const char *methods;
    bool functional;
    enum ocpi_version since;
    void (*serve)(struct call *call);
};

static const struct door cpo_doors[] = {
    {"versions",              "GET",                 false, OCPI_2_1_1, serve_versions},
    {"details",               "GET",                 false, OCPI_2_1_1, serve_details},
    {MODULE_CREDENTIALS,      "GET POST PUT DELETE", false, OCPI_2_1_1, serve_credentials},
    {MODULE_LOCATIONS,        "GET",                 true,  OCPI_2_1_1, serve_locations},
    {MODULE_TARIFFS,          "GET",                 true,  OCPI_2_1_1, serve_tariffs},
    {MODULE_SESSIONS,         "GET",                 true,  OCPI_2_1_1, serve_sessions},
    {MODULE_CDRS,             "GET",                 true,  OCPI_2_1_1, serve_cdrs},
    {MODULE_TOKENS,           "GET PUT PATCH",       true,  OCPI_2_1_1, serve_received},
    {MODULE_COMMANDS,         "POST",                true,  OCPI_2_1_1, serve_commands},
    {MODULE_CHARGING_PROFILES,"GET PUT DELETE",      true,  OCPI_2_2_1, serve_profiles},
    {MODULE_INVOICES,         "GET POST PUT DELETE", true,  OCPI_2_3_0, serve_invoices},
    {MODULE_HUB_CLIENT_INFO,  "GET PUT",             false, OCPI_2_2_1, serve_received},
    {0},
};

static const struct door emsp_doors[] = {
    {"versions",              "GET",                 false, OCPI_2_1_1, serve_versions},
    {"details",               "GET",                 false, OCPI_2_1_1, serve_details},
    {MODULE_CREDENTIALS,      "GET POST PUT DELETE", false, OCPI_2_1_1, serve_credentials},
    {MODULE_LOCATIONS,        "GET PUT PATCH",       true,  OCPI_2_1_1, serve_received},
    {MODULE_TARIFFS,          "GET PUT PATCH DELETE",true,  OCPI_2_1_1, serve_received},
    {MODULE_SESSIONS,         "GET PUT PATCH",       true,  OCPI_2_1_1, serve_received},
    {MODULE_CDRS,             "GET POST",            true,  OCPI_2_1_1, serve_received},
    {MODULE_TOKENS,           "GET POST",            true,  OCPI_2_1_1, serve_cards},
    {MODULE_COMMANDS,         "POST",                true,  OCPI_2_1_1, serve_command_results},
    {MODULE_CHARGING_PROFILES,"POST PUT",            true,  OCPI_2_2_1, serve_profile_results},
    {MODULE_INVOICES,         "GET POST PUT DELETE", true,  OCPI_2_3_0, serve_invoices},
    {MODULE_HUB_CLIENT_INFO,  "GET PUT",             false, OCPI_2_2_1, serve_received},
    {0},
};
/* clang-format on */

size_t call_body_max(void *ctx, const struct http_head *head)
{
    (void)ctx;
    (void)head;
    return BODY_MAX;
}

struct pen call_pen(const struct call *call, struct text *out)
{
    return (struct pen){call->sim, out, call->version, call->evse};
}

void call_header(struct call *call, const char *name, const char *value)
{
    if (call->header_count < CALL_HEADERS)
        call->headers[call->header_count++] = (struct http_header_out){name, value};
}

static void call_reply(struct call *call)
{
    struct text *out = call->out;

    record_answered(call->sim->record, call->number, call->close ? 0 : call->status);
    if (call->close)
        http_exchange_drop(call->x);
    else
        http_exchange_reply(call->x, call->status, call->headers, call->header_count, out->bytes,
                            out->length);
}

static void call_reply_late(void *arg)
{
    call_reply(arg);
}

/* Content-Type, message ids, routing headers with TO and FROM swapped (R-ROUTE-04). */
static void call_answer_headers(struct call *call)
{
    struct routing *answer = arena_alloc(call->arena, sizeof(*answer));
    struct behave *b = call->sim->behave;

    call_header(call, "Content-Type", call->html ? "text/html" : "application/json");
    if (!behave_acts(b, BEHAVE_NO_REQUEST_ID_ECHO, call->evse)) {
        call_header(call, HEADER_REQUEST_ID, http_header(call->r, HEADER_REQUEST_ID));
        call_header(call, HEADER_CORRELATION_ID, http_header(call->r, HEADER_CORRELATION_ID));
    }
    *answer = routing_of_answer(call->routing);
    if (!call->functional || call->version == OCPI_2_1_1 || !party_id_is_set(&answer->to))
        return;
    answer->from = call->sim->options->party;
    if (behave_acts(b, BEHAVE_WRONG_ROUTING_HEADERS, call->evse))
        *answer = (struct routing){.from = answer->to, .to = answer->from};
    call_header(call, HEADER_TO_COUNTRY_CODE, answer->to.country_code);
    call_header(call, HEADER_TO_PARTY_ID, answer->to.party_id);
    call_header(call, HEADER_FROM_COUNTRY_CODE, answer->from.country_code);
    call_header(call, HEADER_FROM_PARTY_ID, answer->from.party_id);
}

static void call_envelope(struct call *call, int code, const char *message, const char *data)
{
    struct text *out = call->out;

    if (!behave_acts(call->sim->behave, BEHAVE_NO_ENVELOPE_TIMESTAMP, call->evse)) {
        envelope_print(out, code, message, data, data ? strlen(data) : 0);
        return;
    }
    json_begin_object(out, 0);
    if (data)
        json_put_raw(out, "data", data);
    json_put_int(out, "status_code", code);
    json_put_text(out, "status_message", message);
    json_end_object(out);
}

void call_answer(struct call *call, int http, int code, const char *message, const char *data)
{
    struct sim *sim = call->sim;
    struct text *out = arena_alloc(call->arena, sizeof(*out));

    text_init(out, call->arena, PRINT_MAX);
    call->out = out;
    call->status = http == 200 && call->created ? 201 : http;
    if (http == 404 && behave_acts(sim->behave, BEHAVE_HTTP_200_FOR_UNKNOWN, call->evse))
        call->status = 200;
    if (data && data[0] == '{' && behave_acts(sim->behave, BEHAVE_LIST_FOR_OBJECT, call->evse))
        data = arena_printf(call->arena, "[%s]", data);
    if (call->garbage)
        text_add(out, "{\"data\": [1, 2");
    else if (call->html)
        text_add(out, "<html><body><h1>It works!</h1></body></html>");
    else if (behave_acts(sim->behave, BEHAVE_MISSING_ENVELOPE, call->evse))
        text_add(out, data ? data : "{}");
    else if (!call->empty)
        call_envelope(call, code, message, data);
    call_answer_headers(call);
    if (call->late_s > 0)
        clock_after(sim->clock, call->late_s * 1000, call_reply_late, call);
    else
        call_reply(call);
}

void call_ok(struct call *call, const char *data)
{
    call_answer(call, 200, OCPI_SUCCESS, "Success", data);
}

void call_not_found(struct call *call, const char *message)
{
    call_answer(call, 404, OCPI_CLIENT_ERROR, message, 0);
}

void call_invalid(struct call *call, const char *message)
{
    call_answer(call, 200, OCPI_INVALID_PARAMETER, message, 0);
}

/* The client has given up. */
static void call_hung_left(void *arg)
{
    struct call *call = arg;
    struct call **at = &call->sim->hung;

    while (*at != call)
        at = &(*at)->next_hung;
    *at = call->next_hung;
    http_exchange_drop(call->x);
}

static void call_hang(struct call *call)
{
    call->next_hung = call->sim->hung;
    call->sim->hung = call;
    http_exchange_on_close(call->x, call_hung_left, call);
}

void call_release_hung(struct sim *sim)
{
    while (sim->hung)
        call_hung_left(sim->hung);
}

/* true: misbehaviour has answered, or never will. */
static bool call_spoilt(struct call *call)
{
    struct behave *b = call->sim->behave;
    int64_t after_s;

    if (behave_acts(b, BEHAVE_HANG, call->evse)) {
        call_hang(call);
        return true;
    }
    if (behave_acts(b, BEHAVE_CLOSE_AFTER_REQUEST, call->evse)) {
        call->close = true;
        call_answer(call, 200, OCPI_SUCCESS, 0, 0);
        return true;
    }
    if (behave_acts(b, BEHAVE_HTTP_401, call->evse))
        call_answer(call, 401, OCPI_CLIENT_ERROR, "misbehaviour", 0);
    else if (behave_acts(b, BEHAVE_HTTP_404, call->evse))
        call_answer(call, 404, OCPI_CLIENT_ERROR, "misbehaviour", 0);
    else if (behave_acts(b, BEHAVE_HTTP_500, call->evse))
        call_answer(call, 500, OCPI_SERVER_ERROR, "misbehaviour", 0);
    else if (behave_acts(b, BEHAVE_OCPI_3000, call->evse))
        call_answer(call, 200, OCPI_SERVER_ERROR, "misbehaviour", 0);
    else if (behave_acts_after(b, BEHAVE_HTTP_429, call->evse, &after_s)) {
        if (after_s > 0)
            call_header(call, "Retry-After", arena_printf(call->arena, "%lld", (long long)after_s));
        call_answer(call, 429, OCPI_CLIENT_ERROR, "misbehaviour", 0);
    } else {
        return false;
    }
    return true;
}

static void call_spoil_answer(struct call *call)
{
    struct behave *b = call->sim->behave;

    call->close = behave_acts(b, BEHAVE_LOST_ANSWER, call->evse);
    call->garbage = behave_acts(b, BEHAVE_GARBAGE_BODY, call->evse);
    call->html = behave_acts(b, BEHAVE_HTML_BODY, call->evse);
    call->empty = behave_acts(b, BEHAVE_EMPTY_BODY, call->evse);
    call->created = behave_acts(b, BEHAVE_HTTP_201, call->evse);
    if (!behave_acts_after(b, BEHAVE_SLOW_ANSWER, call->evse, &call->late_s))
        call->late_s = 0;
}

/* Which EVSE a command or profile is about: so that one EVSE can misbehave alone. */
static struct evse *call_evse(struct call *call)
{
    const char *evse_uid = json_text_of(call->json, "evse_uid");
    const char *session_id = json_text_of(call->json, "session_id");
    struct session *s = 0;

    if (strcmp(call->module, MODULE_CHARGING_PROFILES) == 0 && call->rest_count > 0)
        session_id = call->rest[0];
    if (evse_uid)
        return world_evse(call->sim->world, evse_uid);
    if (session_id)
        s = session_find(call->sim, session_id);
    return s ? s->evse : 0;
}

static bool same(const char *a, const char *b)
{
    return b[0] && strcmp(a, b) == 0;
}

/* Which of our tokens is it? A newer one ends the older (R-CRED-06). */
static bool token_fits(struct call *call, const char *token)
{
    struct registration *reg = &call->sim->reg;

    if (!token)
        return false;
    call->shown_token = token;
    if (same(token, reg->token_next))
        return true;
    if (same(token, reg->token_in)) {
        reg->token_before[0] = 0;
        return true;
    }
    if (same(token, reg->token_before))
        return true;
    call->with_token_a = same(token, reg->token_a);
    return call->with_token_a;
}

static bool call_authenticate(struct call *call)
{
    struct token_candidates token = {0};

    if (failed(authorization_read(call->arena, http_header(call->r, HEADER_AUTHORIZATION),
                                  AUTH_AUTO, &token)))
        token = (struct token_candidates){0};
    if (token_fits(call, token.verbatim))
        return true;
    if (token_fits(call, token.decoded)) {
        if (call->version == OCPI_2_1_1)
            check_violation(call->sim, "R-TRANS-02", call->r->method, call->r->target,
                            "the token is encoded, which 2.1.1 does not do");
        return true;
    }
    call->shown_token = call->sim->reg.token_in;
    return behave_acts(call->sim->behave, BEHAVE_OPEN_CREDENTIALS, 0);
}

static const struct door *call_door(struct call *call)
{
    const char *const *s = call->path.segments;
    size_t count = call->path.count, skip = 3;

    /* A slash at the end makes no difference (R-VER-08). */
    if (count > 0 && !s[count - 1][0])
        count--;
    if (count < 2 || strcmp(s[0], "ocpi") != 0)
        return 0;
    if (count == 2 && strcmp(s[1], "versions") == 0) {
        call->module = "versions";
        skip = 2;
    } else if (call->version = version_parse(s[1]), !sim_speaks(call->sim, call->version)) {
        return 0;
    } else {
        call->module = count == 2 ? "details" : s[2];
        skip = count == 2 ? 2 : 3;
    }
    call->rest = s + skip;
    call->rest_count = count - skip;
    for (const struct door *d = sim_is_emsp(call->sim) ? emsp_doors : cpo_doors; d->module; d++) {
        if (strcmp(d->module, call->module) == 0 &&
            (call->version == OCPI_VERSION_NONE || call->version >= d->since))
            return d;
    }
    return 0;
}

static bool call_ends_with_slash(const struct call *call)
{
    size_t length = strlen(call->r->path);

    return length > 0 && call->r->path[length - 1] == '/';
}

static void call_route(struct call *call, const struct door *door)
{
    if (!call_authenticate(call)) {
        call_answer(call, 401, OCPI_CLIENT_ERROR, "this token is not known here", 0);
        return;
    }
    if (!door) {
        check_violation(call->sim, "R-VER-08", call->r->method, call->r->target,
                        "an address we never published");
        call_not_found(call, "no such address");
        return;
    }
    if (!strstr(door->methods, call->r->method)) {
        check_violation(call->sim, "R-TRANS-09", call->r->method, call->r->target,
                        "a method the module does not have");
        call_answer(call, 405, OCPI_CLIENT_ERROR, "method not allowed", 0);
        return;
    }
    if (door->functional && call->with_token_a) {
        check_violation(call->sim, "R-TRANS-07", call->r->method, call->r->target,
                        "token A on a functional module");
        call_answer(call, 401, OCPI_CLIENT_ERROR, "token A opens nothing but credentials", 0);
        return;
    }
    if (call->r->body_length > 0 && !call->json) {
        check_violation(call->sim, "R-TRANS-32", call->r->method, call->r->target,
                        "the body is no JSON");
        call_answer(call, 400, OCPI_CLIENT_ERROR, "the body is no JSON", 0);
        return;
    }
    if (door->functional && !call_ends_with_slash(call) &&
        behave_acts(call->sim->behave, BEHAVE_TRAILING_SLASH, 0)) {
        call_not_found(call, "addresses end with a slash here");
        return;
    }
    if (door->functional) {
        call->evse = call_evse(call);
        if (call_spoilt(call))
            return;
        call_spoil_answer(call);
    }
    door->serve(call);
}

void call_handle(void *ctx, struct http_exchange *x)
{
    const struct http_request *r = http_exchange_request(x);
    struct call *call = arena_alloc(r->arena, sizeof(*call));

    *call = (struct call){.sim = ctx, .x = x, .r = r, .arena = r->arena, .module = ""};
    call->number = record_in(call->sim->record, r);
    if (r->body_length > 0 && failed(json_read(r->arena, r->body, r->body_length, 0, &call->json)))
        call->json = 0;
    const struct door *door =
        failed(http_path_split(r->arena, r->path, &call->path)) ? 0 : call_door(call);
    call->functional = door && door->functional;
    if (door)
        check_request(call);
    call_route(call, door);
}
