/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charging profiles at the CPO: set, clear, show. Power changes the moment a profile is accepted.
 */
#include <stdlib.h>

#include "base/text.h"
#include "ocpi/charging_profile.h"
#include "tests/sim/behave.h"
#include "tests/sim/call.h"
#include "tests/sim/callback.h"
#include "tests/sim/check.h"
#include "tests/sim/clock.h"
#include "tests/sim/print.h"
#include "tests/sim/session_push.h"

enum { TIMEOUT_S = 30, RESULT_MS = 400, RESULT_REAL_MS = 20 };

static void respond(struct call *call, const char *result)
{
    bool no_timeout = behave_acts(call->sim->behave, BEHAVE_NO_TIMEOUT, call->evse);
    struct text data;

    text_init(&data, call->arena, 4096);
    json_begin_object(&data, 0);
    json_put_text(&data, "result", result);
    if (!no_timeout)
        json_put_int(&data, "timeout", strcmp(result, "ACCEPTED") == 0 ? TIMEOUT_S : 0);
    json_end_object(&data);
    call_ok(call, data.bytes);
}

/* The answer ends the call: the result is prepared before it. */
static void result_and_respond(struct call *call, struct session *s, const char *response_url,
                               char *body)
{
    struct sim *sim = call->sim;

    callback_later(sim, clock_pace_ms(sim->clock, RESULT_MS, RESULT_REAL_MS),
                   (struct callback){.module = MODULE_CHARGING_PROFILES,
                                     .response_url = response_url,
                                     .to = call->routing.from,
                                     .evse = s->evse,
                                     .body = body});
    respond(call, "ACCEPTED");
}

static void set_profile(struct call *call, struct session *s)
{
    struct sim *sim = call->sim;
    struct ocpi_set_charging_profile set;

    /* The class is the same in 2.2.1 and 2.3.0. */
    if (!check_body(call, "SetChargingProfile") ||
        failed(object_parse(&ocpi_set_charging_profile_type, call->json, call->arena, &set))) {
        call_invalid(call, "not a SetChargingProfile");
        return;
    }
    check_used_once(call, "response_url", set.response_url);
    if (!s->evse->profiles)
        check_violation(sim, "R-CP-09", "PUT", call->r->target,
                        "EVSE %s has no CHARGING_PROFILE_CAPABLE", s->evse->uid);
    if (!s->evse->profiles || behave_acts(sim->behave, BEHAVE_PROFILE_NOT_SUPPORTED, s->evse)) {
        respond(call, "NOT_SUPPORTED");
    } else if (behave_acts(sim->behave, BEHAVE_PROFILE_REFUSED, s->evse)) {
        respond(call, "REJECTED");
    } else if (behave_acts(sim->behave, BEHAVE_PROFILE_TOO_OFTEN, s->evse)) {
        respond(call, "TOO_OFTEN");
    } else if (behave_acts(sim->behave, BEHAVE_PROFILE_REJECTED, s->evse)) {
        result_and_respond(call, s, set.response_url, callback_body(sim, "REJECTED"));
    } else if (behave_acts(sim->behave, BEHAVE_PROFILE_UNKNOWN, s->evse)) {
        result_and_respond(call, s, set.response_url, callback_body(sim, "UNKNOWN"));
    } else {
        session_account(s);
        if (!s->profile)
            s->profile = calloc(1, sizeof(*s->profile));
        bool taken = s->profile && profile_set(s->profile, set.charging_profile, s->connector,
                                               clock_now_us(sim->clock));
        session_power_changed(s);
        s->profile_owner = call->routing.from;
        if (taken && behave_acts(sim->behave, BEHAVE_ACTIVE_PROFILE_PUSH, s->evse))
            push_active_profile(s);
        result_and_respond(call, s, set.response_url,
                           callback_body(sim, taken ? "ACCEPTED" : "REJECTED"));
    }
}

static void clear_profile(struct call *call, struct session *s, const char *response_url)
{
    bool was_set = s->profile && s->profile->set;

    session_account(s);
    if (s->profile)
        s->profile->set = false;
    session_power_changed(s);
    result_and_respond(call, s, response_url,
                       callback_body(call->sim, was_set ? "ACCEPTED" : "UNKNOWN"));
}

static void show_profile(struct call *call, struct session *s, const char *response_url)
{
    struct text body;

    text_init(&body, 0, PRINT_MAX);
    json_begin_object(&body, 0);
    json_put_text(&body, "result", "ACCEPTED");
    profile_print(s->profile, s->connector, &body, "profile");
    json_end_object(&body);
    result_and_respond(call, s, response_url, body.bytes);
}

void serve_profiles(struct call *call)
{
    struct session *s = call->rest_count == 1 ? session_find(call->sim, call->rest[0]) : 0;

    if (!s || !session_is_open(s)) {
        respond(call, "UNKNOWN_SESSION");
        return;
    }
    if (strcmp(call->r->method, "PUT") == 0) {
        set_profile(call, s);
        return;
    }
    const char *response_url = query_response_url(call->arena, call->r->query);
    if (!response_url || strlen(response_url) > URL_MAX) {
        check_violation(call->sim, "R-ASYNC-16", call->r->method, call->r->target,
                        "no usable response_url in the query");
        call_invalid(call, "response_url is missing");
        return;
    }
    check_used_once(call, "response_url", response_url);
    if (strcmp(call->r->method, "DELETE") == 0)
        clear_profile(call, s, response_url);
    else
        show_profile(call, s, response_url);
}
