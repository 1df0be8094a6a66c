/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCPI CPO: what we send to a charging network and what its responses mean, against a partner on
 * the wire.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>

#include "adapters/breaker.h"
#include "adapters/network.h"
#include "adapters/ocpi_client.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/charging_profile.h"
#include "ocpi/command.h"
#include "ocpi/url.h"
#include "tests/fake/scripted_server.h"

#define CALLBACK "https://hub.example/ocpi/emsp/2.2.1/cb/3b1e?a=1&b=2"
#define SESSION "770e8400-e29b-41d4-a716-446655440002"

static const char *const loopback[] = {"127.0.0.0/8", NULL};

static struct event_base *loop;
static struct arena *keep;
static struct scripted_server *cpo;
static struct peer peer;
static struct peer_endpoint endpoints[2];
static struct network_command command;

static struct {
    int calls;
    char method[16], module[32], url[400], session_id[64], correlation_id[64];
    int64_t total_ms, partner_id;
    bool token_seen;
    int http, ocpi;
} observed;

/* ---- the partner ---- */

struct reply {
    int status;
    const char *body;
    const char *versions; /* what GET versions is answered with; NULL: the same */
};

static enum scripted_next reply_it(struct scripted_server *s, int fd, const char *request,
                                   int number)
{
    const struct reply *r = s->script;

    (void)number;
    if (r->versions && strstr(request, "GET /ocpi/versions ") == request)
        scripted_answer(fd, 200, r->versions);
    else
        scripted_answer(fd, r->status, r->body);
    return SCRIPTED_GO_ON;
}

static enum scripted_next swallow(struct scripted_server *s, int fd, const char *request,
                                  int number)
{
    (void)s;
    (void)fd;
    (void)request;
    (void)number;
    return SCRIPTED_CLOSE;
}

static void observe(const struct ocpi_exchange *x)
{
    observed.calls++;
    snprintf(observed.method, sizeof(observed.method), "%s", x->call->method);
    snprintf(observed.module, sizeof(observed.module), "%s", x->call->module);
    snprintf(observed.url, sizeof(observed.url), "%s", x->call->url);
    snprintf(observed.session_id, sizeof(observed.session_id), "%s",
             x->call->session_id ? x->call->session_id : "");
    snprintf(observed.correlation_id, sizeof(observed.correlation_id), "%s", x->correlation_id);
    observed.total_ms = x->call->total_ms;
    observed.partner_id = x->call->peer->partner_id;
    observed.token_seen = secret_is_set(x->call->peer->token) || x->call->token;
    observed.http = x->answer->http.status;
    observed.ocpi = x->answer->status_code;
}

static int setup(void **state)
{
    struct http_client_options options = {.allow_private_urls = loopback, .per_host = 10};

    (void)state;
    memset(&observed, 0, sizeof(observed));
    loop = event_base_new();
    keep = arena_new(16 * 1024 * 1024);
    assert_false(failed(http_client_open(loop, &options)));
    ocpi_client_observe(observe);
    cpo = scripted_new(reply_it);
    const char *base = arena_printf(keep, "http://127.0.0.1:%d/ocpi/", cpo->port);
    endpoints[0] = (struct peer_endpoint){MODULE_COMMANDS, OCPI_INTERFACE_RECEIVER,
                                          arena_printf(keep, "%scommands", base)};
    endpoints[1] = (struct peer_endpoint){MODULE_CHARGING_PROFILES, OCPI_INTERFACE_RECEIVER,
                                          arena_printf(keep, "%schargingprofiles/", base)};
    peer = (struct peer){
        .partner_id = 42,
        .name = "Voltaire",
        .version = OCPI_2_2_1,
        .versions_url = arena_printf(keep, "%sversions", base),
        .token = secret_from("example-token", 13),
        .our_party = {"fi", "hub"},
        .their_party = {"FI", "VRT"},
        .endpoints = endpoints,
        .endpoint_count = 2,
    };
    command = (struct network_command){
        .peer = &peer,
        .callback_url = CALLBACK,
        .session_id = SESSION,
        .network_session_id = "S/77",
        .location_id = "LOC1",
        .evse_uid = "3256",
        .connector_id = "1",
        .send_connector_id = true,
        .token_uid = "U-8c41",
        .token_type = "APP_USER",
        .token_contract_id = "FI-HUB-C12345678-X",
        .token_issuer = "Hub \"one\"",
        .token_last_updated_us = INT64_C(1774857598) * US_PER_SECOND,
    };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(http_client_busy(), 0);
    scripted_free(cpo);
    http_client_close();
    secret_wipe(&peer.token);
    breaker_forget_all();
    event_base_free(loop);
    arena_free(keep);
    return 0;
}

/* ---- asking ---- */

typedef enum flow_next ask_fn(struct flow *f, const struct network_command *c,
                              struct network_ack *ret);

struct asking {
    ask_fn *run;
    struct network_ack ack;
};

static struct network_ack last;
static bool ended, up;

static enum flow_next ask_it(struct flow *f)
{
    struct asking *s = f->state;

    return s->run(f, &command, &s->ack);
}

static enum flow_next ask_health(struct flow *f)
{
    return network_ocpi.health(f, &peer, &up);
}

static void note_end(struct flow *f)
{
    struct asking *s = f->state;

    assert_false(failed(f->err));
    last = s->ack;
    last.detail = arena_text(keep, last.detail);
    ended = true;
}

static const struct flow_step ask_steps[] = {{"ask", ask_it}, {0}};
static const struct flow_type ask_flow = {"ask", sizeof(struct asking), 0, ask_steps};
static const struct flow_step health_steps[] = {{"ask", ask_health}, {0}};
static const struct flow_type health_flow = {"health", sizeof(struct asking), 0, health_steps};

static void run(const struct flow_type *type, ask_fn *operation)
{
    struct flow_options options = {
        .loop = loop, .on_end = note_end, .no_log = true, .correlation_id = "corr-1"};
    struct flow *f = flow_new(type, &options);
    struct asking *s = f->state;

    ended = false;
    s->run = operation;
    flow_run(f);
    while (!ended)
        assert_int_equal(event_base_loop(loop, EVLOOP_ONCE), 0);
}

static struct network_ack ask_with(ask_fn *operation, int status, const char *body)
{
    struct reply reply = {.status = status, .body = body};

    cpo->script = &reply;
    run(&ask_flow, operation);
    return last;
}

#define ENVELOPE(data, code)                                                                       \
    "{\"data\":" data ",\"status_code\":" code ",\"timestamp\":\"2026-03-30T07:59:59Z\"}"
#define ACCEPTED ENVELOPE("{\"result\":\"ACCEPTED\",\"timeout\":30}", "1000")

static const char *request(int number)
{
    assert_true(scripted_requests(cpo) >= number);
    return cpo->seen[number - 1];
}

static json_t *body_of(const char *text)
{
    const char *body = strstr(text, "\r\n\r\n") + 4;
    json_t *json;

    assert_false(failed(json_read(keep, body, strlen(body), 0, &json)));
    return json;
}

static void assert_valid(const struct object_type *type, const json_t *json)
{
    struct err e = object_check(type, json, NULL, keep);

    if (failed(e))
        fail_msg("%s", err_text(e));
}

static void assert_header(const char *text, const char *line)
{
    if (!strstr(text, arena_printf(keep, "\r\n%s\r\n", line)))
        fail_msg("no \"%s\" in:\n%s", line, text);
}

/* ---- what goes out ---- */

/* R-TRANS-01, 02, 04, 60; R-ROUTE-01, 03 */
static void a_command_carries_credentials_ids_and_routing(void **state)
{
    (void)state;
    ask_with(network_ocpi.start, 200, ACCEPTED);
    const char *text = request(1);
    assert_ptr_equal(strstr(text, "POST /ocpi/commands/START_SESSION HTTP/1.1\r\n"), text);
    assert_header(text, "Authorization: Token ZXhhbXBsZS10b2tlbg==");
    assert_header(text, "X-Correlation-ID: corr-1");
    assert_header(text, "OCPI-from-country-code: FI");
    assert_header(text, "OCPI-from-party-id: HUB");
    assert_header(text, "OCPI-to-country-code: FI");
    assert_header(text, "OCPI-to-party-id: VRT");
    const char *id = strstr(text, "\r\nX-Request-ID: ");
    assert_non_null(id);
    assert_int_equal(strcspn(id + 16, "\r"), 36);

    ask_with(network_ocpi.start, 200, ACCEPTED);
    const char *other = strstr(request(2), "\r\nX-Request-ID: ");
    assert_int_not_equal(strncmp(id, other, 52), 0);
}

/* R-TRANS-02, 03 */
static void the_token_goes_out_as_the_partner_wants_it(void **state)
{
    (void)state;
    peer.auth_encoding = AUTH_RAW;
    ask_with(network_ocpi.start, 200, ACCEPTED);
    assert_header(request(1), "Authorization: Token example-token");
    peer.auth_encoding = AUTH_AUTO;
    peer.version = OCPI_2_1_1;
    ask_with(network_ocpi.start, 200, ACCEPTED);
    assert_header(request(2), "Authorization: Token example-token");
    assert_null(strcasestr(request(2), "ocpi-from"));
}

/* R-ROUTE-02 */
static void configuration_modules_carry_no_routing(void **state)
{
    struct reply reply = {200, ENVELOPE("[]", "1000"), NULL};

    (void)state;
    cpo->script = &reply;
    run(&health_flow, NULL);
    assert_true(up);
    assert_ptr_equal(strstr(request(1), "GET /ocpi/versions HTTP/1.1\r\n"), request(1));
    assert_header(request(1), "Authorization: Token ZXhhbXBsZS10b2tlbg==");
    assert_null(strcasestr(request(1), "ocpi-"));
}

/* R-CMD-05, R-ASYNC-02 */
static void start_session_has_all_members(void **state)
{
    (void)state;
    ask_with(network_ocpi.start, 200, ACCEPTED);
    json_t *body = body_of(request(1));
    assert_valid(&ocpi_start_session_type, body);
    const json_t *token = json_object_get(body, "token");
    assert_int_equal(json_object_size(body), 6);
    assert_string_equal(json_text_of(body, "response_url"), CALLBACK);
    assert_string_equal(json_text_of(body, "location_id"), "LOC1");
    assert_string_equal(json_text_of(body, "evse_uid"), "3256");
    assert_string_equal(json_text_of(body, "connector_id"), "1");
    assert_string_equal(json_text_of(body, "authorization_reference"), SESSION);
    assert_int_equal(json_object_size(token), 9);
    assert_string_equal(json_text_of(token, "country_code"), "FI");
    assert_string_equal(json_text_of(token, "party_id"), "HUB");
    assert_string_equal(json_text_of(token, "uid"), "U-8c41");
    assert_string_equal(json_text_of(token, "type"), "APP_USER");
    assert_string_equal(json_text_of(token, "contract_id"), "FI-HUB-C12345678-X");
    assert_string_equal(json_text_of(token, "issuer"), "Hub \"one\"");
    assert_true(json_is_true(json_object_get(token, "valid")));
    assert_string_equal(json_text_of(token, "whitelist"), "NEVER");
    assert_string_equal(json_text_of(token, "last_updated"), "2026-03-30T07:59:58Z");
}

static void the_connector_is_named_only_where_it_is_wanted(void **state)
{
    (void)state;
    command.send_connector_id = false;
    ask_with(network_ocpi.start, 200, ACCEPTED);
    json_t *body = body_of(request(1));
    assert_valid(&ocpi_start_session_type, body);
    assert_null(json_object_get(body, "connector_id"));
    assert_non_null(json_object_get(body, "evse_uid"));

    command.send_connector_id = true;
    command.evse_uid = NULL;
    ask_with(network_ocpi.start, 200, ACCEPTED);
    body = body_of(request(2));
    assert_valid(&ocpi_start_session_type, body);
    assert_null(json_object_get(body, "evse_uid"));
    assert_null(json_object_get(body, "connector_id"));
}

/* R-CMD-11 */
static void stop_session_names_the_networks_session(void **state)
{
    (void)state;
    ask_with(network_ocpi.stop, 200, ACCEPTED);
    assert_ptr_equal(strstr(request(1), "POST /ocpi/commands/STOP_SESSION HTTP/1.1\r\n"),
                     request(1));
    json_t *body = body_of(request(1));
    assert_valid(&ocpi_stop_session_type, body);
    assert_int_equal(json_object_size(body), 2);
    assert_string_equal(json_text_of(body, "session_id"), "S/77");
    assert_string_equal(json_text_of(body, "response_url"), CALLBACK);
}

static void unlock_connector_names_the_connector(void **state)
{
    (void)state;
    ask_with(network_ocpi.unlock, 200, ACCEPTED);
    assert_ptr_equal(strstr(request(1), "POST /ocpi/commands/UNLOCK_CONNECTOR HTTP/1.1\r\n"),
                     request(1));
    json_t *body = body_of(request(1));
    assert_valid(&ocpi_unlock_connector_type, body);
    assert_int_equal(json_object_size(body), 4);
    assert_string_equal(json_text_of(body, "location_id"), "LOC1");
    assert_string_equal(json_text_of(body, "evse_uid"), "3256");
    assert_string_equal(json_text_of(body, "connector_id"), "1");
}

/* R-CP-06 */
static void a_profile_is_put_below_the_session(void **state)
{
    static const char text[] =
        "{\"unit\":\"W\",\"start_date_time\":\"2026-03-30T08:00:00Z\","
        "\"duration\":3600,\"periods\":[{\"start_period\":0,\"limit\":11000},"
        "{\"start_period\":600,\"limit\":3700.5}]}";
    json_t *profile;

    (void)state;
    assert_false(failed(json_read(keep, text, sizeof(text) - 1, 0, &profile)));
    command.profile = profile;
    struct network_ack ack = ask_with(network_ocpi.set_profile, 200, ACCEPTED);
    assert_int_equal(ack.outcome, OCPI_OUTCOME_ACCEPTED);
    assert_ptr_equal(strstr(request(1), "PUT /ocpi/chargingprofiles/S%2F77 HTTP/1.1\r\n"),
                     request(1));
    json_t *body = body_of(request(1));
    assert_valid(&ocpi_set_charging_profile_type, body);
    assert_string_equal(json_text_of(body, "response_url"), CALLBACK);
    const json_t *sent = json_object_of(body, "charging_profile");
    const json_t *periods = json_array_of(sent, "charging_profile_period");
    assert_string_equal(json_text_of(sent, "charging_rate_unit"), "W");
    assert_string_equal(json_text_of(sent, "start_date_time"), "2026-03-30T08:00:00Z");
    assert_int_equal(json_integer_value(json_object_get(sent, "duration")), 3600);
    assert_int_equal(json_array_size(periods), 2);
    assert_non_null(strstr(request(1), "3700.5"));
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(periods, 1), "start_period")), 600);
}

static void a_profile_that_is_not_valid_is_not_sent(void **state)
{
    static const char *const texts[] = {
        "{\"unit\":\"W\",\"periods\":[]}",
        "{\"unit\":\"V\",\"periods\":[{\"start_period\":0,\"limit\":1}]}",
        "{\"unit\":\"W\",\"periods\":[{\"start_period\":5,\"limit\":1}]}",
        "{\"unit\":\"W\",\"periods\":[{\"start_period\":0}]}",
        "{\"unit\":\"W\",\"duration\":-1,\"periods\":[{\"start_period\":0,\"limit\":1}]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        json_t *profile;
        assert_false(failed(json_read(keep, texts[i], strlen(texts[i]), 0, &profile)));
        command.profile = profile;
        struct network_ack ack = ask_with(network_ocpi.set_profile, 200, ACCEPTED);
        assert_int_equal(ack.outcome, OCPI_OUTCOME_NOT_SENT);
        assert_non_null(ack.detail);
    }
    assert_int_equal(scripted_requests(cpo), 0);
}

/* R-ASYNC-16 */
static void clearing_a_profile_encodes_the_response_url(void **state)
{
    (void)state;
    ask_with(network_ocpi.clear_profile, 200, ACCEPTED);
    static const char start[] =
        "DELETE /ocpi/chargingprofiles/S%2F77?response_url="
        "https%3A%2F%2Fhub.example%2Focpi%2Femsp%2F2.2.1%2Fcb%2F3b1e%3Fa%3D1%26b%3D2 HTTP/1.1\r\n";
    assert_ptr_equal(strstr(request(1), start), request(1));
    assert_null(strcasestr(request(1), "content-type:"));
}

static void long_urls_of_our_own_making_go_out(void **state)
{
    char callback[256];

    (void)state;
    memset(callback, '/', sizeof(callback));
    memcpy(callback, "https://hub.example/", 20);
    callback[255] = '\0';
    command.callback_url = callback;
    struct network_ack ack = ask_with(network_ocpi.clear_profile, 200, ACCEPTED);
    assert_int_equal(ack.outcome, OCPI_OUTCOME_ACCEPTED);
}

/* Commands never reuse a connection: curl would repeat them on its own when it dies. */
static void only_profile_calls_reuse_a_connection(void **state)
{
    (void)state;
    ask_with(network_ocpi.clear_profile, 200, ACCEPTED);
    ask_with(network_ocpi.clear_profile, 200, ACCEPTED);
    assert_int_equal(cpo->connections, 1);
    ask_with(network_ocpi.start, 200, ACCEPTED);
    assert_int_equal(cpo->connections, 2);
    ask_with(network_ocpi.stop, 200, ACCEPTED);
    assert_int_equal(cpo->connections, 3);
    ask_with(network_ocpi.unlock, 200, ACCEPTED);
    assert_int_equal(cpo->connections, 4);
    ask_with(network_ocpi.clear_profile, 200, ACCEPTED);
    assert_int_equal(cpo->connections, 4);
}

static void a_2_1_1_network_gets_its_own_token_object(void **state)
{
    (void)state;
    peer.version = OCPI_2_1_1;
    ask_with(network_ocpi.start, 200, ACCEPTED);
    json_t *body = body_of(request(1));
    const json_t *token = json_object_get(body, "token");
    assert_null(json_object_get(body, "connector_id"));
    assert_null(json_object_get(body, "authorization_reference"));
    assert_null(json_object_get(token, "country_code"));
    assert_string_equal(json_text_of(token, "auth_id"), "FI-HUB-C12345678-X");
    assert_string_equal(json_text_of(token, "type"), "OTHER");
    assert_int_equal(ask_with(network_ocpi.set_profile, 200, ACCEPTED).outcome,
                     OCPI_OUTCOME_NOT_SUPPORTED);
    assert_int_equal(ask_with(network_ocpi.clear_profile, 200, ACCEPTED).outcome,
                     OCPI_OUTCOME_NOT_SUPPORTED);
    assert_int_equal(scripted_requests(cpo), 1);
}

/* ---- reservations ---- */

static void reserve_now_names_reservation_end_and_token(void **state)
{
    (void)state; /* R-CMD-07; a number in 2.1.1 */
    command.reservation_id = "R17";
    command.reservation_number = 17;
    command.reservation_until_us = INT64_C(1774857598) * US_PER_SECOND + 999999;
    ask_with(network_ocpi.reserve, 200, ACCEPTED);
    assert_ptr_equal(strstr(request(1), "POST /ocpi/commands/RESERVE_NOW HTTP/1.1\r\n"),
                     request(1));
    json_t *body = body_of(request(1));
    assert_valid(&ocpi_reserve_now_type, body);
    assert_int_equal(json_object_size(body), 6);
    assert_string_equal(json_text_of(body, "reservation_id"), "R17");
    assert_string_equal(json_text_of(body, "expiry_date"), "2026-03-30T07:59:58Z");

    peer.version = OCPI_2_1_1;
    ask_with(network_ocpi.reserve, 200, ACCEPTED);
    body = body_of(request(2));
    assert_int_equal(json_integer_value(json_object_get(body, "reservation_id")), 17);
    assert_string_equal(json_text_of(json_object_get(body, "token"), "type"), "OTHER");
}

static void a_reservation_is_cancelled_by_its_id_but_not_in_2_1_1(void **state)
{
    (void)state; /* section 15.7 */
    command.reservation_id = "R17";
    ask_with(network_ocpi.cancel_reservation, 200, ACCEPTED);
    assert_ptr_equal(strstr(request(1), "POST /ocpi/commands/CANCEL_RESERVATION HTTP/1.1\r\n"),
                     request(1));
    json_t *body = body_of(request(1));
    assert_valid(&ocpi_cancel_reservation_type, body);
    assert_int_equal(json_object_size(body), 2);

    peer.version = OCPI_2_1_1;
    struct network_ack ack = ask_with(network_ocpi.cancel_reservation, 200, ACCEPTED);
    assert_int_equal(ack.outcome, OCPI_OUTCOME_NOT_SUPPORTED);
    assert_non_null(strstr(ack.detail, "2.1.1"));
    assert_int_equal(scripted_requests(cpo), 1);
}

/* ---- the active profile, and quirks ---- */

static void the_active_profile_is_asked_with_duration_and_callback(void **state)
{
    static const char start[] =
        "GET /ocpi/chargingprofiles/S%2F77?duration=3600&response_url="
        "https%3A%2F%2Fhub.example%2Focpi%2Femsp%2F2.2.1%2Fcb%2F3b1e%3Fa%3D1%26b%3D2 HTTP/1.1\r\n";

    (void)state;
    command.profile_seconds = 3600;
    assert_int_equal(ask_with(network_ocpi.get_profile, 200, ACCEPTED).outcome,
                     OCPI_OUTCOME_ACCEPTED);
    assert_ptr_equal(strstr(request(1), start), request(1));
    peer.version = OCPI_2_1_1;
    assert_int_equal(ask_with(network_ocpi.get_profile, 200, ACCEPTED).outcome,
                     OCPI_OUTCOME_NOT_SUPPORTED);
    assert_int_equal(scripted_requests(cpo), 1);
}

static void limits_in_ampere_are_per_phase_and_never_higher(void **state)
{
    static const struct {
        int64_t volts, phases;
        const char *watts, *unit, *limit;
    } rows[] = {
        {230, 3, "11000", "\"A\"", "15.9"},  {230, 1, "3680", "\"A\"", "16"},
        {230, 1, "3679.9", "\"A\"", "15.9"}, {230, 3, "0", "\"A\"", "0"},
        {0, 0, "11000", "\"W\"", "11000"}, /* not known: not converted */
        {400, 0, "11000", "\"W\"", "11000"},
    };

    (void)state; /* R-TRANS-22: prefers_amps */
    peer.quirks.prefers_amps = true;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const char *text =
            arena_printf(keep, "{\"unit\":\"W\",\"periods\":[{\"start_period\":0,\"limit\":%s}]}",
                         rows[i].watts);
        json_t *profile;

        assert_false(failed(json_read(keep, text, strlen(text), 0, &profile)));
        command.profile = profile;
        command.volts = rows[i].volts;
        command.phases = rows[i].phases;
        ask_with(network_ocpi.set_profile, 200, ACCEPTED);
        const char *sent = request((int)i + 1);
        assert_non_null(
            strstr(sent, arena_printf(keep, "\"charging_rate_unit\":%s", rows[i].unit)));
        if (!strstr(sent, arena_printf(keep, "\"limit\":%s}", rows[i].limit)) &&
            !strstr(sent, arena_printf(keep, "\"limit\":%s.0}", rows[i].limit)))
            fail_msg("%s W: no limit of %s in %s", rows[i].watts, rows[i].limit, sent);
    }
}

static void quirks_shape_the_urls(void **state)
{
    (void)state; /* R-TRANS-22: trailing_slash, lower_case_ids */
    peer.quirks.trailing_slash = true;
    peer.quirks.lower_case_ids = true;
    ask_with(network_ocpi.stop, 200, ACCEPTED);
    assert_ptr_equal(strstr(request(1), "POST /ocpi/commands/STOP_SESSION/ HTTP/1.1\r\n"),
                     request(1));
    /* What stands in a body is theirs as it came. */
    assert_string_equal(json_text_of(body_of(request(1)), "session_id"), "S/77");
    ask_with(network_ocpi.clear_profile, 200, ACCEPTED);
    assert_ptr_equal(strstr(request(2), "DELETE /ocpi/chargingprofiles/s%2F77/?response_url="),
                     request(2));
}

static void quirks_read_answers_that_are_no_answers(void **state)
{
    static const char bare[] = "{\"result\":\"REJECTED\",\"timeout\":0}";
    static const char list[] = ENVELOPE("[{\"result\":\"REJECTED\",\"timeout\":0}]", "1000");

    (void)state; /* R-TRANS-22: missing_envelope, list_for_object */
    assert_int_equal(ask_with(network_ocpi.start, 200, bare).outcome, OCPI_OUTCOME_UNCLEAR);
    assert_int_equal(ask_with(network_ocpi.start, 200, list).outcome, OCPI_OUTCOME_ACCEPTED);
    peer.quirks.missing_envelope = peer.quirks.list_for_object = true;
    assert_int_equal(ask_with(network_ocpi.start, 200, bare).outcome, OCPI_OUTCOME_REJECTED);
    assert_int_equal(ask_with(network_ocpi.start, 200, list).outcome, OCPI_OUTCOME_REJECTED);
    assert_int_equal(ask_with(network_ocpi.start, 500, bare).outcome, OCPI_OUTCOME_UNCLEAR);
}

/* R-HCI-08: any answer with an envelope counts as alive; 401 does not. */
static void a_probe_wants_an_envelope_and_to_be_let_in(void **state)
{
    static const struct {
        int status;
        const char *body;
        bool up;
    } rows[] = {
        {200, ENVELOPE("[]", "1000"), true},
        {200, ENVELOPE("null", "3000"), true},
        {404, ENVELOPE("null", "2000"), true},
        {500, ENVELOPE("null", "3000"), true},
        {401, ENVELOPE("null", "2001"), false},
        {200, "<html>", false},
        {200, "[]", false},
        {502, "bad gateway", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct reply reply = {.status = rows[i].status, .body = rows[i].body};
        cpo->script = &reply;
        run(&health_flow, NULL);
        if (up != rows[i].up)
            fail_msg("HTTP %d %s", rows[i].status, rows[i].body);
    }
}

static int64_t opened_for;

static void note_opened(int64_t partner_id)
{
    opened_for = partner_id;
}

static void a_breaker_that_opens_is_told_once(void **state)
{
    (void)state;
    opened_for = 0;
    network_breaker_observe(note_opened);
    for (int i = 0; i < 4; i++)
        network_breaker_note(peer.partner_id, false);
    assert_int_equal(opened_for, 0);
    network_breaker_note(peer.partner_id, false);
    assert_int_equal(opened_for, peer.partner_id);
    opened_for = 0;
    network_breaker_note(peer.partner_id, false);
    assert_int_equal(opened_for, 0);
    network_breaker_observe(NULL);
}

/* ---- what comes back ---- */

struct row {
    int status;
    const char *body;
    ask_fn *const *operation; /* NULL: start */
    enum ocpi_outcome outcome;
    const char *failure_code;
};

/* the table of synchronous results; R-CMD-10 */
static void each_response_has_its_meaning(void **state)
{
    /* clang-format off */
    static const struct row rows[] = {
        {200, ACCEPTED, NULL, OCPI_OUTCOME_ACCEPTED, NULL},
        {201, ACCEPTED, NULL, OCPI_OUTCOME_ACCEPTED, NULL},
        {200, ENVELOPE("{\"result\":\"REJECTED\",\"timeout\":0}", "1000"), NULL,
            OCPI_OUTCOME_REJECTED, "rejected_by_network"},
        {200, ENVELOPE("{\"result\":\"NOT_SUPPORTED\",\"timeout\":0}", "1000"), NULL,
            OCPI_OUTCOME_NOT_SUPPORTED, "not_supported"},
        {200, ENVELOPE("{\"result\":\"UNKNOWN_SESSION\",\"timeout\":0}", "1000"), &network_ocpi.stop,
            OCPI_OUTCOME_UNKNOWN_SESSION, "network_error"},
        {200, ENVELOPE("{\"result\":\"TOO_OFTEN\",\"timeout\":0}", "1000"),
            &network_ocpi.clear_profile, OCPI_OUTCOME_TOO_OFTEN, "rejected_by_network"},
        {200, ENVELOPE("{\"result\":\"TIMEOUT\"}", "1000"), NULL, OCPI_OUTCOME_UNCLEAR, NULL},
        {200, ENVELOPE("{\"result\":\"REJECTED\",\"timeout\":0}", "2003"), NULL,
            OCPI_OUTCOME_REJECTED, "evse_inoperative"},
        {200, ENVELOPE("null", "2004"), NULL, OCPI_OUTCOME_REJECTED, "token_unknown"},
        {200, ENVELOPE("null", "2000"), NULL, OCPI_OUTCOME_REJECTED, "network_error"},
        {200, ENVELOPE("null", "2001"), NULL, OCPI_OUTCOME_REJECTED, "network_error"},
        {200, ENVELOPE("null", "2002"), NULL, OCPI_OUTCOME_REJECTED, "network_error"},
        {200, ENVELOPE("null", "3000"), NULL, OCPI_OUTCOME_REJECTED, "network_error"},
        {200, ENVELOPE("null", "3001"), NULL, OCPI_OUTCOME_REJECTED, "network_error"},
        {500, ENVELOPE("null", "3000"), NULL, OCPI_OUTCOME_UNCLEAR, NULL},
        {502, "<html>bad gateway</html>", NULL, OCPI_OUTCOME_UNCLEAR, NULL},
        {503, ACCEPTED, NULL, OCPI_OUTCOME_UNCLEAR, NULL},
        {200, "<html>fine</html>", NULL, OCPI_OUTCOME_UNCLEAR, NULL},
        {200, "{\"data\":{\"result\":\"ACC", NULL, OCPI_OUTCOME_UNCLEAR, NULL},
        {200, "", NULL, OCPI_OUTCOME_UNCLEAR, NULL},
        {200, "{}", NULL, OCPI_OUTCOME_UNCLEAR, NULL},
        {200, ENVELOPE("null", "4001"), NULL, OCPI_OUTCOME_REJECTED, "network_unreachable"},
        {200, ENVELOPE("null", "4003"), NULL, OCPI_OUTCOME_REJECTED, "network_unreachable"},
        {200, ENVELOPE("null", "4002"), NULL, OCPI_OUTCOME_UNCLEAR, NULL},
        {401, ENVELOPE("null", "2001"), NULL, OCPI_OUTCOME_REJECTED, "network_error"},
        {403, "", NULL, OCPI_OUTCOME_REJECTED, "network_error"},
        {404, "", NULL, OCPI_OUTCOME_NOT_SUPPORTED, "not_supported"},
        {405, "", NULL, OCPI_OUTCOME_NOT_SUPPORTED, "not_supported"},
        {200, "{\"status_code\":1000,\"timestamp\":\"2026-03-30T07:59:59Z\"}", NULL,
            OCPI_OUTCOME_ACCEPTED, NULL},
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct row *r = &rows[i];
        breaker_forget_all();
        struct network_ack ack =
            ask_with(r->operation ? *r->operation : network_ocpi.start, r->status, r->body);
        if (ack.outcome != r->outcome)
            fail_msg("HTTP %d %s: %d", r->status, r->body, (int)ack.outcome);
        if (r->failure_code)
            assert_string_equal(ack.failure_code, r->failure_code);
        else
            assert_null(ack.failure_code);
        assert_non_null(ack.detail);
        assert_int_equal(scripted_requests(cpo), i + 1);
    }
}

static void the_timeout_is_kept_within_bounds(void **state)
{
    static const struct {
        const char *body;
        int64_t timeout_s;
    } rows[] = {
        {ENVELOPE("{\"result\":\"ACCEPTED\",\"timeout\":30}", "1000"), 30},
        {ENVELOPE("{\"result\":\"ACCEPTED\",\"timeout\":3}", "1000"), 10},
        {ENVELOPE("{\"result\":\"ACCEPTED\",\"timeout\":600}", "1000"), 180},
        {ENVELOPE("{\"result\":\"ACCEPTED\",\"timeout\":-1}", "1000"), 60},
        {ENVELOPE("{\"result\":\"ACCEPTED\"}", "1000"), 60},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_int_equal(ask_with(network_ocpi.start, 200, rows[i].body).timeout_s,
                         rows[i].timeout_s);
}

static void what_the_network_said_is_kept_for_people(void **state)
{
    (void)state;
    struct network_ack ack = ask_with(
        network_ocpi.start, 200,
        "{\"data\":{\"result\":\"REJECTED\",\"timeout\":0,\"message\":[{\"language\":\"en\","
        "\"text\":\"cable\"}]},\"status_code\":2003,\"status_message\":\"no such EVSE\"}");
    assert_string_equal(ack.detail, "REJECTED, OCPI 2003, no such EVSE, cable");
}

/* Invariant: a start that may have arrived is never sent again (F33). */
static void a_start_that_is_swallowed_is_unclear_and_sent_once(void **state)
{
    (void)state;
    ask_with(network_ocpi.stop, 200, ACCEPTED); /* a connection to be reused */
    cpo->act = swallow;
    struct network_ack ack = ask_with(network_ocpi.start, 200, ACCEPTED);
    assert_int_equal(ack.outcome, OCPI_OUTCOME_UNCLEAR);
    assert_null(ack.failure_code);
    assert_int_equal(scripted_requests(cpo), 2);
    ack = ask_with(network_ocpi.unlock, 200, ACCEPTED);
    assert_int_equal(ack.outcome, OCPI_OUTCOME_UNCLEAR);
    assert_int_equal(scripted_requests(cpo), 3);
}

static void a_network_that_is_away_is_not_sent(void **state)
{
    (void)state;
    scripted_stop_listening(cpo);
    struct network_ack ack = ask_with(network_ocpi.start, 200, ACCEPTED);
    assert_int_equal(ack.outcome, OCPI_OUTCOME_NOT_SENT);
    assert_string_equal(ack.failure_code, "network_unreachable");
    assert_non_null(ack.detail);
    run(&health_flow, NULL);
    assert_false(up);
}

static void a_missing_endpoint_is_not_supported(void **state)
{
    (void)state;
    peer.endpoint_count = 0;
    assert_int_equal(ask_with(network_ocpi.start, 200, ACCEPTED).outcome,
                     OCPI_OUTCOME_NOT_SUPPORTED);
    assert_int_equal(ask_with(network_ocpi.stop, 200, ACCEPTED).outcome,
                     OCPI_OUTCOME_NOT_SUPPORTED);
    assert_int_equal(ask_with(network_ocpi.unlock, 200, ACCEPTED).outcome,
                     OCPI_OUTCOME_NOT_SUPPORTED);
    assert_int_equal(ask_with(network_ocpi.set_profile, 200, ACCEPTED).outcome,
                     OCPI_OUTCOME_NOT_SUPPORTED);
    struct network_ack ack = ask_with(network_ocpi.clear_profile, 200, ACCEPTED);
    assert_int_equal(ack.outcome, OCPI_OUTCOME_NOT_SUPPORTED);
    assert_string_equal(ack.failure_code, "not_supported");
    assert_int_equal(scripted_requests(cpo), 0);
}

/* ---- breaker and observer ---- */

static void a_network_that_fails_is_left_alone_except_for_stops(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_false(network_breaker_open(peer.partner_id));
        ask_with(network_ocpi.start, 500, "");
    }
    assert_true(network_breaker_open(peer.partner_id));
    struct network_ack ack = ask_with(network_ocpi.start, 200, ACCEPTED);
    assert_int_equal(ack.outcome, OCPI_OUTCOME_NOT_SENT);
    assert_int_equal(scripted_requests(cpo), 5);
    ack = ask_with(network_ocpi.stop, 200, ACCEPTED);
    assert_int_equal(ack.outcome, OCPI_OUTCOME_ACCEPTED);
    assert_int_equal(scripted_requests(cpo), 6);
}

static void refusals_are_no_failures_of_the_network(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++)
        ask_with(network_ocpi.start, i % 2 ? 404 : 200, ENVELOPE("null", "3000"));
    assert_false(network_breaker_open(peer.partner_id));
}

/* Half open: GET versions first, and the command only if that was answered. */
static void a_network_that_was_away_is_probed_first(void **state)
{
    struct reply reply = {200, ACCEPTED, ENVELOPE("[]", "1000")};

    (void)state;
    for (int i = 0; i < 5; i++)
        breaker_note_at(peer.partner_id, false, time_monotonic_ms() - 10000);
    assert_false(network_breaker_open(peer.partner_id));
    cpo->script = &reply;
    run(&ask_flow, network_ocpi.start);
    assert_int_equal(last.outcome, OCPI_OUTCOME_ACCEPTED);
    assert_int_equal(scripted_requests(cpo), 2);
    assert_ptr_equal(strstr(request(1), "GET /ocpi/versions "), request(1));
    assert_ptr_equal(strstr(request(2), "POST /ocpi/commands/START_SESSION "), request(2));

    breaker_forget_all();
    for (int i = 0; i < 5; i++)
        breaker_note_at(peer.partner_id, false, time_monotonic_ms() - 10000);
    struct network_ack ack = ask_with(network_ocpi.start, 500, "");
    assert_int_equal(ack.outcome, OCPI_OUTCOME_NOT_SENT);
    assert_int_equal(scripted_requests(cpo), 3); /* the probe only */
    assert_true(network_breaker_open(peer.partner_id));
}

static void each_exchange_is_observed_without_the_token(void **state)
{
    (void)state;
    ask_with(network_ocpi.start, 200, ENVELOPE("null", "2004"));
    assert_int_equal(observed.calls, 1);
    assert_string_equal(observed.method, "POST");
    assert_string_equal(observed.module, "commands");
    assert_non_null(strstr(observed.url, "/ocpi/commands/START_SESSION"));
    assert_string_equal(observed.session_id, SESSION);
    assert_string_equal(observed.correlation_id, "corr-1");
    assert_int_equal(observed.total_ms, 15000);
    assert_int_equal(observed.partner_id, 42);
    assert_false(observed.token_seen);
    assert_int_equal(observed.http, 200);
    assert_int_equal(observed.ocpi, 2004);
}

static enum scripted_next answer_late(struct scripted_server *s, int fd, const char *text,
                                      int number)
{
    scripted_wait(s, fd, 300);
    return reply_it(s, fd, text, number);
}

static const struct flow_type hasty_flow = {"ask", sizeof(struct asking), 50, ask_steps};

static void note_hasty_end(struct flow *f)
{
    assert_int_equal(f->err.kind, ERR_DEADLINE);
    ended = true;
}

static void an_exchange_is_observed_even_if_its_flow_has_gone(void **state)
{
    struct reply reply = {.status = 200, .body = ACCEPTED};
    struct flow_options options = {.loop = loop, .on_end = note_hasty_end, .no_log = true};
    struct flow *f = flow_new(&hasty_flow, &options);
    struct asking *s = f->state;

    (void)state;
    cpo->script = &reply;
    cpo->act = answer_late;
    ended = false;
    s->run = network_ocpi.start;
    flow_run(f);
    while (!ended)
        event_base_loop(loop, EVLOOP_ONCE);
    assert_int_equal(observed.calls, 0);
    while (http_client_busy())
        event_base_loop(loop, EVLOOP_ONCE);
    assert_int_equal(observed.calls, 1);
    assert_int_equal(observed.http, 200);
    assert_int_equal(observed.ocpi, 1000);
}

/* R-TRANS-36 */
static void answers_become_errors_by_what_they_say(void **state)
{
    static const struct {
        int http, code;
        bool envelope;
        enum err_kind kind;
    } rows[] = {
        {200, 1000, true, ERR_NONE},           {201, 1001, true, ERR_NONE},
        {200, 3000, false, ERR_PEER_ERROR},    {200, 2001, true, ERR_PEER_REJECTED},
        {200, 2999, true, ERR_PEER_REJECTED},  {200, 3001, true, ERR_PEER_ERROR},
        {200, 4000, true, ERR_PEER_ERROR},     {200, 4001, true, ERR_PEER_UNREACHABLE},
        {200, 4002, true, ERR_PEER_TIMEOUT},   {200, 4003, true, ERR_PEER_UNREACHABLE},
        {404, 3000, false, ERR_PEER_REJECTED}, {404, 1000, true, ERR_PEER_REJECTED},
        {500, 2001, true, ERR_PEER_ERROR},     {302, 3000, false, ERR_PEER_ERROR},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct ocpi_answer a = {
            .http = {.outcome = HTTP_ANSWERED, .status = rows[i].http},
            .has_envelope = rows[i].envelope,
            .status_code = rows[i].code,
            .envelope = {.http_status = rows[i].http, .status_code = rows[i].code},
        };
        struct err e = ocpi_answer_err(keep, &a);
        if (e.kind != rows[i].kind)
            fail_msg("HTTP %d, %d: %s", rows[i].http, rows[i].code, err_text(e));
    }
    struct ocpi_answer none = {.http = {.outcome = HTTP_NOT_SENT, .error = "refused"}};
    assert_int_equal(ocpi_answer_err(keep, &none).kind, ERR_PEER_UNREACHABLE);
    none.http.outcome = HTTP_UNCLEAR;
    assert_int_equal(ocpi_answer_err(keep, &none).kind, ERR_PEER_UNREACHABLE);
    none.http.timed_out = true;
    assert_int_equal(ocpi_answer_err(keep, &none).kind, ERR_PEER_TIMEOUT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_command_carries_credentials_ids_and_routing),
        TEST(the_token_goes_out_as_the_partner_wants_it),
        TEST(configuration_modules_carry_no_routing),
        TEST(start_session_has_all_members),
        TEST(the_connector_is_named_only_where_it_is_wanted),
        TEST(stop_session_names_the_networks_session),
        TEST(unlock_connector_names_the_connector),
        TEST(a_profile_is_put_below_the_session),
        TEST(a_profile_that_is_not_valid_is_not_sent),
        TEST(clearing_a_profile_encodes_the_response_url),
        TEST(long_urls_of_our_own_making_go_out),
        TEST(only_profile_calls_reuse_a_connection),
        TEST(a_2_1_1_network_gets_its_own_token_object),
        TEST(reserve_now_names_reservation_end_and_token),
        TEST(a_reservation_is_cancelled_by_its_id_but_not_in_2_1_1),
        TEST(the_active_profile_is_asked_with_duration_and_callback),
        TEST(limits_in_ampere_are_per_phase_and_never_higher),
        TEST(quirks_shape_the_urls),
        TEST(quirks_read_answers_that_are_no_answers),
        TEST(a_probe_wants_an_envelope_and_to_be_let_in),
        TEST(a_breaker_that_opens_is_told_once),
        TEST(each_response_has_its_meaning),
        TEST(the_timeout_is_kept_within_bounds),
        TEST(what_the_network_said_is_kept_for_people),
        TEST(a_start_that_is_swallowed_is_unclear_and_sent_once),
        TEST(a_network_that_is_away_is_not_sent),
        TEST(a_missing_endpoint_is_not_supported),
        TEST(a_network_that_fails_is_left_alone_except_for_stops),
        TEST(refusals_are_no_failures_of_the_network),
        TEST(a_network_that_was_away_is_probed_first),
        TEST(each_exchange_is_observed_without_the_token),
        TEST(an_exchange_is_observed_even_if_its_flow_has_gone),
        TEST(answers_become_errors_by_what_they_say),
    };

    log_setup("ocpi_cpo_test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
