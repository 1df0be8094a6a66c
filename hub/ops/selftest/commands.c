/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of what is asked of the other side: authorisation by an eMSP, commands and charging
 * profiles of a CPO. All are about things that do not exist, so that nothing happens.
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "hub/hub.h"
#include "hub/ops/selftest/selftest.h"
#include "ocpi/url.h"

enum { BODY_BYTES = 16 * 1024 };

/* ---- authorisation ---- */

static enum flow_next ask_authorize(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const char *url = peer_url(f->arena, &t->peer, MODULE_TOKENS, OCPI_INTERFACE_SENDER,
                               new_id(f, "none"), "authorize", NULL);

    return ask(f, (struct ocpi_call){.method = "POST",
                                     .module = MODULE_TOKENS,
                                     .url = url_query(f->arena, url, "type", "RFID", NULL)});
}

static enum flow_next judge_authorize(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const char *allowed = json_text_of(t->answer.data, "allowed");
    bool old = t->peer.version == OCPI_2_1_1;
    const char *expected = old ? "HTTP 404" : "HTTP 404 and status_code 2004";

    if (answer_good(t) && allowed)
        return tell_fail(f, "/data/allowed", expected, allowed);
    if (t->answer.http.outcome != HTTP_ANSWERED || answer_good(t))
        return tell_fail(f, t->call.url, expected, answer_words(f));
    if (t->answer.http.status != 404 || (!old && t->answer.status_code != OCPI_UNKNOWN_TOKEN))
        return tell_warn(f, t->call.url, expected, answer_words(f));
    return FLOW_DONE;
}

/* clang-format off */
const struct check authorize_checks[] = {
    {"authorize_unknown", "R-TOK-03", "Answer the authorisation of an unknown Token with HTTP 404 and 2004.", CHECK_FULL,
     {ask_authorize, judge_authorize}},
    {0},
};
/* clang-format on */

/* ---- commands ---- */

static const char *response_url(struct flow *f)
{
    return arena_printf(f->arena, "%s/ocpi/emsp/%s/cb/%s", hub_of(f)->public_url,
                        version_name(selftest_of(f)->peer.version), new_id(f, "result"));
}

static void put_token(struct flow *f, struct text *t)
{
    const struct selftest *s = selftest_of(f);
    struct sample sample = {.version = s->peer.version,
                            .owner = s->peer.our_party,
                            .id = new_id(f, "token"),
                            .time = now_text(f, 0)};

    json_put_raw(t, "token", sample_object(f->arena, "Token", &sample));
}

static enum flow_next command(struct flow *f, const char *word, const char *body)
{
    struct selftest *t = selftest_of(f);
    const char *url =
        peer_url(f->arena, &t->peer, MODULE_COMMANDS, OCPI_INTERFACE_RECEIVER, word, NULL);

    return ask(f, (struct ocpi_call){.method = "POST",
                                     .module = MODULE_COMMANDS,
                                     .url = url,
                                     .body = body,
                                     .once_only = true});
}

static enum flow_next start_at(struct flow *f, const char *location, const char *evse)
{
    struct text body;

    text_init(&body, f->arena, BODY_BYTES);
    json_begin_object(&body, NULL);
    json_put_text(&body, "response_url", response_url(f));
    put_token(f, &body);
    json_put_text(&body, "location_id", location);
    json_put_text(&body, "evse_uid", evse);
    json_end_object(&body);
    return command(f, "START_SESSION", body.bytes);
}

static enum flow_next start_nowhere(struct flow *f)
{
    return start_at(f, new_id(f, "none"), new_id(f, "none"));
}

static enum flow_next start_at_no_evse(struct flow *f)
{
    const char *location = json_text_of(selftest_of(f)->location, "id");

    return location ? start_at(f, location, new_id(f, "none"))
                    : tell_skipped(f, "no Location is known");
}

static enum flow_next unlock_nowhere(struct flow *f)
{
    struct text body;

    text_init(&body, f->arena, BODY_BYTES);
    json_begin_object(&body, NULL);
    json_put_text(&body, "response_url", response_url(f));
    json_put_text(&body, "location_id", new_id(f, "none"));
    json_put_text(&body, "evse_uid", new_id(f, "none"));
    json_put_text(&body, "connector_id", "1");
    json_end_object(&body);
    return command(f, "UNLOCK_CONNECTOR", body.bytes);
}

static enum flow_next stop_nothing(struct flow *f)
{
    struct text body;

    text_init(&body, f->arena, BODY_BYTES);
    json_begin_object(&body, NULL);
    json_put_text(&body, "response_url", response_url(f));
    json_put_text(&body, "session_id", new_id(f, "none"));
    json_end_object(&body);
    return command(f, "STOP_SESSION", body.bytes);
}

/* The answer's object is right, whatever it says. */
static void judge_form(struct flow *f, const char *class)
{
    struct selftest *t = selftest_of(f);
    const struct object_type *type = object_type_find(t->peer.version, class);
    struct err e = type && t->answer.data ? object_check(type, t->answer.data, NULL, f->arena) : OK;

    if (failed(e))
        tell(f, (struct finding){VERDICT_FAIL, .rule = e.rule,
                                 .where = arena_printf(f->arena, "/data%s", e.where ? e.where : ""),
                                 .expected = e.expected ? e.expected : err_text(e),
                                 .got = e.came ? e.came : "nothing"});
}

static enum flow_next judge_result(struct flow *f, const char *class, const char *expected,
                                   const char *word)
{
    struct selftest *t = selftest_of(f);
    const char *result = json_text_of(t->answer.data, "result");

    if (t->answer.http.outcome != HTTP_ANSWERED || !t->answer.has_envelope)
        return tell_fail(f, t->call.url, expected, answer_words(f));
    judge_form(f, class);
    if (result ? strcmp(result, "ACCEPTED") == 0 : answer_good(t))
        return tell_fail(f, "/data/result", expected, result ? result : answer_words(f));
    if (word && result && strcmp(result, word) != 0 && strcmp(result, "NOT_SUPPORTED") != 0)
        return tell_warn(f, "/data/result", expected, result);
    return FLOW_DONE;
}

static enum flow_next judge_unknown_place(struct flow *f)
{
    return judge_result(f, "CommandResponse", "status_code 2003 and result REJECTED", "REJECTED");
}

static enum flow_next judge_unknown_session(struct flow *f)
{
    return judge_result(f, "CommandResponse", "result UNKNOWN_SESSION", "UNKNOWN_SESSION");
}

/* clang-format off */
const struct check command_checks[] = {
    {"start_unknown_location", "R-CMD-10", "Answer a command for an unknown Location with 2003 and REJECTED.", CHECK_FULL,
     {start_nowhere, judge_unknown_place}},
    {"start_unknown_evse", "R-CMD-10", "Answer a command for an unknown EVSE with 2003 and REJECTED.", CHECK_FULL,
     {start_at_no_evse, judge_unknown_place}},
    {"unlock_unknown", "R-CMD-10", "Answer a command for an unknown Connector with 2003 and REJECTED.", CHECK_FULL,
     {unlock_nowhere, judge_unknown_place}},
    {"stop_unknown_session", "R-CMD-01", "Answer STOP_SESSION of an unknown Session with UNKNOWN_SESSION.", CHECK_FULL,
     {stop_nothing, judge_unknown_session}},
    {0},
};
/* clang-format on */

/* ---- charging profiles ---- */

static enum flow_next get_profile(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const char *url = peer_url(f->arena, &t->peer, MODULE_CHARGING_PROFILES,
                               OCPI_INTERFACE_RECEIVER, new_id(f, "none"), NULL);

    return ask_get(
        f, MODULE_CHARGING_PROFILES,
        url_query(f->arena, url, "duration", "60", "response_url", response_url(f), NULL));
}

static enum flow_next judge_profile(struct flow *f)
{
    return judge_result(f, "ChargingProfileResponse", "result UNKNOWN_SESSION", "UNKNOWN_SESSION");
}

/* clang-format off */
const struct check profile_checks[] = {
    {"get_unknown_session", "R-CP-02", "Answer a profile request for an unknown Session with UNKNOWN_SESSION.", CHECK_FULL,
     {get_profile, judge_profile}},
    {0},
};
/* clang-format on */
