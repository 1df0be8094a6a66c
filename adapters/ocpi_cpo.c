/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCPI CPO: charging networks that we reach by OCPI, with us as eMSP or hub.
 *
 *   hub                          CPO
 *    | --- command or profile --> |
 *    | <-- response ------------- |       this file: what the response means
 *    |     ...seconds, minutes    |
 *    | <-- result --------------- |       response_url: taken in elsewhere
 *
 * STOP_SESSION and profiles may be repeated; the other commands go out once.
 * Bodies are written directly: ids of a partner that breaks OCPI's limits go back as they came.
 */
#include "adapters/breaker.h"
#include "adapters/network.h"
#include "adapters/ocpi_client.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/charging_profile.h"
#include "ocpi/url.h"

enum {
    BODY_MAX = 256 * 1024,
    TIMEOUT_DEFAULT_S = 60,
    TIMEOUT_MIN_S = 10,
    TIMEOUT_MAX_S = 180,
    RETRY_AFTER_MAX_S = 5,
    ONE_DECIMAL_U6 = 100000,
};

/* ---- one command, in a flow of its own ---- */

struct command {
    struct arena *keep; /* of the flow that asked: for what the ack points to */
    enum outcome_ask ask;
    bool whatever_the_breaker_says;
    struct ocpi_call call;
    struct ocpi_call probe;
    bool probed;
    struct ocpi_answer answer;
    struct network_ack *ret;
};

static struct network_ack ack(enum ocpi_outcome outcome, const char *failure_code,
                              const char *detail)
{
    return (struct network_ack){.outcome = outcome,
                                .failure_code = failure_code,
                                .timeout_s = TIMEOUT_DEFAULT_S,
                                .detail = detail};
}

static struct network_ack not_supported(const char *detail)
{
    return ack(OCPI_OUTCOME_NOT_SUPPORTED, "not_supported", detail);
}

static struct network_ack not_sent(const char *detail)
{
    return ack(OCPI_OUTCOME_NOT_SENT, "network_unreachable", detail);
}

/* A partner that was away is asked for its versions before it is asked for anything that counts. */
static enum flow_next see_whether_it_is_back(struct flow *f)
{
    struct command *c = f->state;
    int64_t partner_id = c->call.peer->partner_id;
    int64_t now_ms = time_monotonic_ms();

    if (c->whatever_the_breaker_says)
        return FLOW_NEXT;
    switch (breaker_state_at(partner_id, now_ms)) {
    case BREAKER_CLOSED:
        return FLOW_NEXT;
    case BREAKER_HALF_OPEN:
        if (c->probe.url && breaker_probe_at(partner_id, now_ms)) {
            c->probed = true;
            return ocpi_send(f, &c->probe, &c->answer);
        }
        break;
    case BREAKER_OPEN:
        break;
    }
    *c->ret = not_sent("the network has not answered lately and is given a rest");
    return FLOW_DONE;
}

static enum flow_next ask_the_network(struct flow *f)
{
    struct command *c = f->state;

    if (c->probed && (c->answer.http.outcome != HTTP_ANSWERED || c->answer.http.status >= 500)) {
        *c->ret = not_sent("the network still does not answer");
        return FLOW_DONE;
    }
    return ocpi_send(f, &c->call, &c->answer);
}

/* The first of the texts for people, or NULL. */
static const char *display_text(const json_t *data)
{
    const json_t *message = json_object_get(data, "message");

    if (json_is_array(message))
        message = json_array_get(message, 0);
    return json_text_of(message, "text");
}

/* Kept for people and logs: all that the partner said, in one line. */
static const char *detail_of(struct arena *a, const struct ocpi_answer *answer,
                             const struct outcome *outcome)
{
    const char *text = display_text(answer->data);
    struct text line;

    text_init(&line, a, 1024);
    if (outcome->word)
        text_add(&line, outcome->word);
    else
        text_printf(&line, "HTTP %d", answer->http.status);
    if (answer->has_envelope && status_class(answer->status_code) != STATUS_SUCCESS)
        text_printf(&line, ", OCPI %d", answer->status_code);
    if (answer->status_message && *answer->status_message)
        text_printf(&line, ", %s", answer->status_message);
    if (text)
        text_printf(&line, ", %.200s", text);
    return line.bytes;
}

/* What we put up with is told, so that somebody can ask the partner to mend it. */
static void tell_deviation(const struct command *c, const struct outcome *outcome)
{
    const struct peer *peer = c->call.peer;
    bool no_timeout =
        outcome->no_timeout && peer->version != OCPI_2_1_1 && !peer->quirks.no_timeout;

    if (!outcome->deviation && !no_timeout)
        return;
    log_line(LOG_WARN, "a partner's answer deviates from OCPI", LOG_TEXT("partner", peer->name),
             LOG_TEXT("url", c->call.url), LOG_TEXT("result", outcome->word),
             LOG_TEXT("what", no_timeout ? "timeout is missing" : "the result is no word of OCPI"));
}

static int64_t timeout_of(const struct outcome *outcome)
{
    if (outcome->timeout_s <= 0)
        return TIMEOUT_DEFAULT_S;
    if (outcome->timeout_s < TIMEOUT_MIN_S)
        return TIMEOUT_MIN_S;
    return outcome->timeout_s < TIMEOUT_MAX_S ? outcome->timeout_s : TIMEOUT_MAX_S;
}

/* Turned away before anything was looked at, with a time to come back that is soon enough: the
 * same as not sent. */
static bool is_turned_away(const struct http_answer *http)
{
    const char *after = http_answer_header(http, "retry-after");
    char *end;

    if ((http->status != 429 && http->status != 503) || !after)
        return false;
    long seconds = strtol(after, &end, 10);
    return end != after && !*end && seconds >= 0 && seconds <= RETRY_AFTER_MAX_S;
}

static enum flow_next read_the_response(struct flow *f)
{
    struct command *c = f->state;
    const struct http_answer *http = &c->answer.http;

    if (http->outcome == HTTP_NOT_SENT) {
        *c->ret = not_sent(arena_text(c->keep, http->error));
        return FLOW_NEXT;
    }
    if (http->outcome == HTTP_UNCLEAR) {
        *c->ret = ack(OCPI_OUTCOME_UNCLEAR, NULL, arena_text(c->keep, http->error));
        return FLOW_NEXT;
    }
    if (is_turned_away(http)) {
        *c->ret = not_sent("the network asked to come back in a moment");
        return FLOW_NEXT;
    }
    struct outcome outcome = outcome_of_response(c->ask, &c->answer.envelope);
    tell_deviation(c, &outcome);
    *c->ret = ack(outcome.kind, outcome.failure_code, detail_of(c->keep, &c->answer, &outcome));
    c->ret->timeout_s = timeout_of(&outcome);
    c->ret->unauthorized = http->status == 401;
    return FLOW_NEXT;
}

static const struct flow_step command_steps[] = {
    {"see whether it is back", see_whether_it_is_back},
    {"ask the network", ask_the_network},
    {"read the response", read_the_response},
    {0},
};

static const struct flow_type command_flow = {
    .name = "ocpi_command",
    .state_size = sizeof(struct command),
    .steps = command_steps,
};

static void command_fill(void *state, void *context)
{
    *(struct command *)state = *(const struct command *)context;
}

static enum flow_next command_begin(struct flow *f, const struct network_command *c,
                                    enum outcome_ask ask, const struct ocpi_call *call,
                                    struct network_ack *ret)
{
    struct command command = {
        .keep = f->arena,
        .ask = ask,
        /* A stop is tried even then: somebody's car is charging. */
        .whatever_the_breaker_says = ask == OUTCOME_OF_STOP,
        .call = *call,
        .probe = {.peer = c->peer,
                  .method = "GET",
                  .module = "versions",
                  .url = c->peer->versions_url,
                  .session_id = c->session_id},
        .ret = ret,
    };

    command.call.peer = c->peer;
    command.call.session_id = c->session_id;
    command.call.one_object = true;
    return flow_child(f, &command_flow, command_fill, &command, NULL);
}

/* ---- commands ---- */

/* Writes the body and sends it to {commands}/{name}. */
static enum flow_next command_send(struct flow *f, const struct network_command *c,
                                   enum outcome_ask ask, const char *name, bool once_only,
                                   const struct text *body, struct network_ack *ret)
{
    const char *url =
        peer_url(f->arena, c->peer, MODULE_COMMANDS, OCPI_INTERFACE_RECEIVER, name, NULL);

    if (!url) {
        *ret = not_supported("the network offers no commands");
        return FLOW_NEXT;
    }
    if (text_overflowed(body)) {
        *ret = not_sent("the command is too long");
        return FLOW_NEXT;
    }
    struct ocpi_call call = {
        .method = "POST",
        .module = MODULE_COMMANDS,
        .url = url,
        .body = body->bytes,
        .once_only = once_only,
    };
    return command_begin(f, c, ask, &call, ret);
}

static void put_optional(struct text *t, const char *key, const char *value)
{
    if (value)
        json_put_text(t, key, value);
}

static void put_token(struct text *t, const struct network_command *c)
{
    struct party_id owner = c->peer->our_party;
    char time[TIME_TEXT];

    text_to_upper(owner.country_code);
    text_to_upper(owner.party_id);
    json_begin_object(t, "token");
    if (c->peer->version == OCPI_2_1_1) {
        json_put_text(t, "uid", c->token_uid);
        /* 2.1.1 knows OTHER and RFID only */
        bool rfid = c->token_type && strcmp(c->token_type, "RFID") == 0;
        json_put_text(t, "type", rfid ? "RFID" : "OTHER");
        json_put_text(t, "auth_id", c->token_contract_id);
    } else {
        json_put_text(t, "country_code", owner.country_code);
        json_put_text(t, "party_id", owner.party_id);
        json_put_text(t, "uid", c->token_uid);
        json_put_text(t, "type", c->token_type);
        json_put_text(t, "contract_id", c->token_contract_id);
    }
    json_put_text(t, "issuer", c->token_issuer);
    json_put_bool(t, "valid", true);
    json_put_text(t, "whitelist", "NEVER");
    json_put_text(t, "last_updated", time_print_seconds(time, c->token_last_updated_us));
    json_end_object(t);
}

static enum flow_next start(struct flow *f, const struct network_command *c,
                            struct network_ack *ret)
{
    bool newer = c->peer->version != OCPI_2_1_1;
    struct text body;

    text_init(&body, f->arena, BODY_MAX);
    json_begin_object(&body, NULL);
    json_put_text(&body, "response_url", c->callback_url);
    put_token(&body, c);
    json_put_text(&body, "location_id", c->location_id);
    put_optional(&body, "evse_uid", c->evse_uid);
    /* A connector's id names nothing without its EVSE. */
    if (newer && c->send_connector_id && c->evse_uid)
        put_optional(&body, "connector_id", c->connector_id);
    if (newer)
        put_optional(&body, "authorization_reference", c->session_id);
    json_end_object(&body);
    return command_send(f, c, OUTCOME_OF_START, "START_SESSION", true, &body, ret);
}

static enum flow_next stop(struct flow *f, const struct network_command *c, struct network_ack *ret)
{
    struct text body;

    text_init(&body, f->arena, BODY_MAX);
    json_begin_object(&body, NULL);
    json_put_text(&body, "response_url", c->callback_url);
    json_put_text(&body, "session_id", c->network_session_id);
    json_end_object(&body);
    /* Repeatable, but by us alone: curl would repeat it behind our back, with the same ids. */
    return command_send(f, c, OUTCOME_OF_STOP, "STOP_SESSION", true, &body, ret);
}

static enum flow_next unlock(struct flow *f, const struct network_command *c,
                             struct network_ack *ret)
{
    struct text body;

    text_init(&body, f->arena, BODY_MAX);
    json_begin_object(&body, NULL);
    json_put_text(&body, "response_url", c->callback_url);
    json_put_text(&body, "location_id", c->location_id);
    json_put_text(&body, "evse_uid", c->evse_uid);
    json_put_text(&body, "connector_id", c->connector_id);
    json_end_object(&body);
    return command_send(f, c, OUTCOME_OF_UNLOCK, "UNLOCK_CONNECTOR", true, &body, ret);
}

/* ---- charging profiles ---- */

/* {chargingprofiles}/{session_id}, or NULL: the network has no such module. */
static const char *profile_url(struct flow *f, const struct network_command *c)
{
    if (c->peer->version == OCPI_2_1_1)
        return NULL;
    return peer_url(f->arena, c->peer, MODULE_CHARGING_PROFILES, OCPI_INTERFACE_RECEIVER,
                    peer_own_id(f->arena, c->peer, c->network_session_id), NULL);
}

static struct err read_periods(struct arena *a, const json_t *profile,
                               struct ocpi_charging_profile *ret)
{
    const json_t *periods = json_array_of(profile, "periods"), *period;
    size_t count = json_array_size(periods), i;
    struct ocpi_charging_profile_period *list = arena_alloc(a, (count + 1) * sizeof(*list));

    if (count == 0)
        return err_at(a, ERR_BAD_FIELD, "periods", "the profile has no periods");
    json_array_foreach(periods, i, period)
    {
        const json_t *start_period = json_object_get(period, "start_period");
        if (!json_is_integer(start_period) ||
            !json_number_u6(json_object_get(period, "limit"), false, &list[i].limit))
            return err_at(a, ERR_BAD_FIELD, "periods", "period %zu of the profile is not valid", i);
        list[i].start_period = json_integer_value(start_period);
    }
    ret->charging_profile_period.at = list;
    ret->charging_profile_period.count = count;
    return OK;
}

static struct err read_profile(struct arena *a, const json_t *profile,
                               struct ocpi_charging_profile *ret)
{
    const char *start_at = json_text_of(profile, "start_date_time");
    const json_t *duration = json_object_get(profile, "duration");

    object_blank(&ocpi_charging_profile_type, ret);
    ret->charging_rate_unit = ocpi_rate_unit_parse(json_text_of(profile, "unit"));
    if (start_at && !time_parse(start_at, TIME_RFC3339, &ret->start_date_time))
        return err_at(a, ERR_BAD_FIELD, "start_date_time", "the profile's start is not a time");
    if (json_is_integer(duration))
        ret->duration = json_integer_value(duration);
    return read_periods(a, profile, ret);
}

/* Watts as ampere per phase, rounded down so that the limit is kept, with one decimal. */
static void to_amps(const struct network_command *c, struct arena *a,
                    struct ocpi_charging_profile *profile)
{
    size_t count = profile->charging_profile_period.count;
    struct ocpi_charging_profile_period *list = arena_alloc(a, (count + 1) * sizeof(*list));

    for (size_t i = 0; i < count; i++) {
        list[i] = profile->charging_profile_period.at[i];
        list[i].limit /= c->volts * c->phases;
        list[i].limit -= list[i].limit % ONE_DECIMAL_U6;
    }
    profile->charging_profile_period.at = list;
    profile->charging_rate_unit = OCPI_RATE_A;
}

static enum flow_next set_profile(struct flow *f, const struct network_command *c,
                                  struct network_ack *ret)
{
    struct ocpi_charging_profile profile;
    struct ocpi_set_charging_profile ask = {&profile, c->callback_url};
    const char *url = profile_url(f, c);
    struct text body;

    if (!url) {
        *ret = not_supported("the network takes no charging profiles");
        return FLOW_NEXT;
    }
    text_init(&body, f->arena, BODY_MAX);
    struct err e = read_profile(f->arena, c->profile, &profile);
    if (!failed(e) && c->peer->quirks.prefers_amps && c->volts > 0 && c->phases > 0 &&
        profile.charging_rate_unit == OCPI_RATE_W)
        to_amps(c, f->arena, &profile);
    if (!failed(e))
        e = object_print(&ocpi_set_charging_profile_type, &ask, f->arena, &body, NULL);
    if (failed(e) || text_overflowed(&body)) {
        *ret = not_sent(failed(e) ? err_text(e) : "the profile is too long");
        return FLOW_NEXT;
    }
    struct ocpi_call call = {
        .method = "PUT", .module = MODULE_CHARGING_PROFILES, .url = url, .body = body.bytes};
    return command_begin(f, c, OUTCOME_OF_SET_PROFILE, &call, ret);
}

static enum flow_next clear_profile(struct flow *f, const struct network_command *c,
                                    struct network_ack *ret)
{
    const char *url = profile_url(f, c);

    if (!url) {
        *ret = not_supported("the network takes no charging profiles");
        return FLOW_NEXT;
    }
    /* R-ASYNC-16: always percent-encoded */
    struct ocpi_call call = {
        .method = "DELETE",
        .module = MODULE_CHARGING_PROFILES,
        .url = url_query(f->arena, url, "response_url", c->callback_url, NULL),
    };
    return command_begin(f, c, OUTCOME_OF_CLEAR_PROFILE, &call, ret);
}

/* R-CP: what the network is going to allow; the profile itself comes as the result. */
static enum flow_next get_profile(struct flow *f, const struct network_command *c,
                                  struct network_ack *ret)
{
    const char *url = profile_url(f, c);

    if (!url) {
        *ret = not_supported("the network takes no charging profiles");
        return FLOW_NEXT;
    }
    struct ocpi_call call = {
        .method = "GET",
        .module = MODULE_CHARGING_PROFILES,
        .url = url_query(f->arena, url, "duration",
                         arena_printf(f->arena, "%lld", (long long)c->profile_seconds),
                         "response_url", c->callback_url, NULL),
        .total_ms = SECONDS(15),
    };
    return command_begin(f, c, OUTCOME_OF_GET_PROFILE, &call, ret);
}

/* ---- reservations ---- */

static enum flow_next reserve(struct flow *f, const struct network_command *c,
                              struct network_ack *ret)
{
    char time[TIME_TEXT];
    struct text body;

    text_init(&body, f->arena, BODY_MAX);
    json_begin_object(&body, NULL);
    json_put_text(&body, "response_url", c->callback_url);
    put_token(&body, c);
    json_put_text(&body, "expiry_date", time_print_seconds(time, c->reservation_until_us));
    if (c->peer->version == OCPI_2_1_1)
        json_put_int(&body, "reservation_id", c->reservation_number);
    else
        json_put_text(&body, "reservation_id", c->reservation_id);
    json_put_text(&body, "location_id", c->location_id);
    put_optional(&body, "evse_uid", c->evse_uid);
    json_end_object(&body);
    return command_send(f, c, OUTCOME_OF_RESERVE, "RESERVE_NOW", true, &body, ret);
}

static enum flow_next cancel_reservation(struct flow *f, const struct network_command *c,
                                         struct network_ack *ret)
{
    struct text body;

    if (c->peer->version == OCPI_2_1_1) {
        *ret = not_supported("OCPI 2.1.1 has no command that cancels a reservation");
        return FLOW_NEXT;
    }
    text_init(&body, f->arena, BODY_MAX);
    json_begin_object(&body, NULL);
    json_put_text(&body, "response_url", c->callback_url);
    json_put_text(&body, "reservation_id", c->reservation_id);
    json_end_object(&body);
    return command_send(f, c, OUTCOME_OF_CANCEL_RESERVATION, "CANCEL_RESERVATION", true, &body,
                        ret);
}

/* ---- health ---- */

struct health {
    struct ocpi_call call;
    struct ocpi_answer answer;
    bool *ret_up;
};

static enum flow_next ask_for_versions(struct flow *f)
{
    struct health *h = f->state;

    return ocpi_send(f, &h->call, &h->answer);
}

static enum flow_next see_whether_it_is_up(struct flow *f)
{
    struct health *h = f->state;
    const struct ocpi_answer *a = &h->answer;

    /* R-HCI-08: any answer with an envelope counts, but one that does not let us in. */
    *h->ret_up = a->http.outcome == HTTP_ANSWERED && a->http.status != 401 &&
                 (a->has_envelope ||
                  (h->call.peer->quirks.missing_envelope && envelope_is_success(&a->envelope)));
    return FLOW_NEXT;
}

static const struct flow_step health_steps[] = {
    {"ask for versions", ask_for_versions},
    {"see whether it is up", see_whether_it_is_up},
    {0},
};

static const struct flow_type health_flow = {
    .name = "ocpi_health",
    .state_size = sizeof(struct health),
    .steps = health_steps,
};

static void health_fill(void *state, void *context)
{
    *(struct health *)state = *(const struct health *)context;
}

static enum flow_next health(struct flow *f, const struct peer *peer, bool *ret_up)
{
    struct health h = {
        .call = {.peer = peer, .method = "GET", .module = "versions", .url = peer->versions_url},
        .ret_up = ret_up,
    };

    *ret_up = false;
    if (!peer->versions_url)
        return FLOW_NEXT;
    return flow_child(f, &health_flow, health_fill, &h, NULL);
}

const struct network_kind network_ocpi = {
    .name = "ocpi",
    .start = start,
    .stop = stop,
    .unlock = unlock,
    .set_profile = set_profile,
    .clear_profile = clear_profile,
    .get_profile = get_profile,
    .reserve = reserve,
    .cancel_reservation = cancel_reservation,
    .health = health,
};
