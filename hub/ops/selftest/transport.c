/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of transport: tokens, addresses, methods, and what every answer has. */
#include <string.h>

#include "hub/ops/selftest/selftest.h"
#include "ocpi/headers.h"
#include "ocpi/url.h"

#define VERSIONS "versions"
#define WRONG_TOKEN "HUBTEST-this-token-was-never-given"

/* ---- tokens ---- */

static struct peer *peer_copy(struct flow *f)
{
    struct peer *peer = arena_alloc(f->arena, sizeof *peer);

    *peer = selftest_of(f)->peer;
    return peer;
}

/* A list, else the details: what must not be open to anybody. */
static const char *a_closed_url(struct flow *f, const char **ret_module)
{
    static const char *const MODULES[] = {MODULE_LOCATIONS, MODULE_TOKENS, MODULE_TARIFFS,
                                          MODULE_CDRS};
    const struct selftest *t = selftest_of(f);

    for (size_t i = 0; i < sizeof MODULES / sizeof *MODULES; i++) {
        *ret_module = MODULES[i];
        if (offers(t, MODULES[i], OCPI_INTERFACE_SENDER))
            return peer_url(f->arena, &t->peer, MODULES[i], OCPI_INTERFACE_SENDER, NULL);
    }
    *ret_module = VERSIONS;
    return t->peer.versions_url;
}

static enum flow_next ask_without_token(struct flow *f)
{
    struct peer *peer = peer_copy(f);

    peer->token = (struct secret){0};
    return ask(f,
               (struct ocpi_call){
                   .peer = peer, .method = "GET", .module = VERSIONS, .url = peer->versions_url});
}

static enum flow_next ask_module_without_token(struct flow *f)
{
    struct peer *peer = peer_copy(f);
    const char *module, *url = a_closed_url(f, &module);

    peer->token = (struct secret){0};
    return ask(f, (struct ocpi_call){.peer = peer, .method = "GET", .module = module, .url = url});
}

static enum flow_next ask_with_wrong_token(struct flow *f)
{
    return ask(f, (struct ocpi_call){.token = WRONG_TOKEN,
                                     .method = "GET",
                                     .module = VERSIONS,
                                     .url = selftest_of(f)->peer.versions_url});
}

static enum flow_next ask_module_with_wrong_token(struct flow *f)
{
    const char *module, *url = a_closed_url(f, &module);

    return ask(
        f, (struct ocpi_call){.token = WRONG_TOKEN, .method = "GET", .module = module, .url = url});
}

static enum flow_next judge_refused(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const char *where = arena_printf(f->arena, "%s %s", t->call.method, t->call.url);

    if (t->answer.http.outcome != HTTP_ANSWERED || answer_good(t))
        tell_fail(f, where, "HTTP 401", answer_words(f));
    else if (t->answer.http.status != 401)
        tell_warn(f, where, "HTTP 401", answer_words(f));
    return FLOW_NEXT;
}

/* In the form that the version wants, whatever was learnt or agreed. */
static enum flow_next ask_in_right_form(struct flow *f)
{
    struct peer *peer = peer_copy(f);

    peer->auth_encoding = peer->version == OCPI_2_1_1 ? AUTH_RAW : AUTH_BASE64;
    return ask(f,
               (struct ocpi_call){
                   .peer = peer, .method = "GET", .module = VERSIONS, .url = peer->versions_url});
}

static enum flow_next judge_right_form(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    bool raw = t->peer.version == OCPI_2_1_1;
    const char *expected = raw ? "the token is taken as it is" : "the token is taken in Base64";

    if (answer_good(t))
        return FLOW_DONE;
    /* Where we agreed on another form, nothing breaks. */
    bool agreed = t->peer.auth_encoding == (raw ? AUTH_BASE64 : AUTH_RAW);
    return (agreed ? tell_warn : tell_fail)(f, HEADER_AUTHORIZATION, expected, answer_words(f));
}

/* ---- addresses and methods ---- */

static enum flow_next ask_unknown_path(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (!t->details_url)
        return tell_skipped(f, "no URL of the version details is known");
    return ask_get(f, VERSIONS, url_join(f->arena, t->details_url, "hubtest-no-such-module", NULL));
}

static enum flow_next judge_unknown_path(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (t->answer.http.outcome != HTTP_ANSWERED || answer_good(t))
        return tell_fail(f, t->call.url, "HTTP 404", answer_words(f));
    if (t->answer.http.status != 404)
        return tell_warn(f, t->call.url, "HTTP 404", answer_words(f));
    return FLOW_DONE;
}

static enum flow_next ask_wrong_method(struct flow *f)
{
    return ask(f, (struct ocpi_call){.method = "PUT",
                                     .module = VERSIONS,
                                     .body = "{}",
                                     .url = selftest_of(f)->peer.versions_url});
}

static enum flow_next judge_wrong_method(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const char *where = arena_printf(f->arena, "PUT %s", t->call.url);

    if (t->answer.http.outcome != HTTP_ANSWERED || answer_good(t))
        return tell_fail(f, where, "HTTP 405", answer_words(f));
    if (t->answer.http.status != 405)
        return tell_warn(f, where, "HTTP 405", answer_words(f));
    return FLOW_DONE;
}

/* clang-format off */
const struct check transport_checks[] = {
    {"auth.no_token", "R-TRANS-06", "Answer requests without Authorization with HTTP 401.", 0,
     {ask_without_token, judge_refused, ask_module_without_token, judge_refused}},
    {"auth.wrong_token", "R-TRANS-06", "Answer unknown tokens with HTTP 401.", 0,
     {ask_with_wrong_token, judge_refused, ask_module_with_wrong_token, judge_refused}},
    {"auth.encoding", "R-TRANS-02", "Take the token in the form of the version: Base64 from 2.2 on, as it is before.", 0,
     {ask_in_right_form, judge_right_form}},
    {"transport.unknown_path", "R-TRANS-33", "Answer addresses that do not exist with HTTP 404 and an envelope.", 0,
     {ask_unknown_path, judge_unknown_path}},
    {"transport.method", "R-TRANS-09", "Answer methods that an endpoint does not have with HTTP 405 and an envelope.", 0,
     {ask_wrong_method, judge_wrong_method}},
    {0},
};
/* clang-format on */

/* ---- all answers of the test ---- */

static enum flow_next tell_audited(struct flow *f, enum audit_kind kind)
{
    const struct selftest *t = selftest_of(f);
    const struct audited *audited = &t->audit[kind];

    if (!audited->seen)
        return tell_skipped(f, "no answer shows it");
    if (!audited->wrong)
        return FLOW_DONE;
    const char *got = arena_printf(f->arena, "%s (%u of %u answers)", audited->got, audited->wrong,
                                   audited->seen);
    return (audited->grave ? tell_fail : tell_warn)(f, audited->where, audited->expected, got);
}

static enum flow_next tell_envelope(struct flow *f)
{
    return tell_audited(f, AUDIT_ENVELOPE);
}

static enum flow_next tell_timestamp(struct flow *f)
{
    return tell_audited(f, AUDIT_TIMESTAMP);
}

static enum flow_next tell_clock(struct flow *f)
{
    return tell_audited(f, AUDIT_CLOCK);
}

static enum flow_next tell_content_type(struct flow *f)
{
    return tell_audited(f, AUDIT_CONTENT_TYPE);
}

static enum flow_next tell_message_ids(struct flow *f)
{
    return tell_audited(f, AUDIT_MESSAGE_IDS);
}

static enum flow_next tell_routing(struct flow *f)
{
    return tell_audited(f, AUDIT_ROUTING);
}

static enum flow_next tell_config_routing(struct flow *f)
{
    return tell_audited(f, AUDIT_CONFIG_ROUTING);
}

/* clang-format off */
const struct check answer_checks[] = {
    {"answers.envelope", "R-TRANS-30", "Put every answer, errors included, into an envelope.", 0, {tell_envelope}},
    {"answers.timestamp", "R-TRANS-30", "Give each envelope its timestamp, in UTC.", 0, {tell_timestamp}},
    {"answers.clock", "R-TRANS-30", "Let the clock of your servers be set by NTP.", 0, {tell_clock}},
    {"answers.content_type", "R-TRANS-08", "Answer with Content-Type: application/json.", 0, {tell_content_type}},
    {"answers.message_ids", "R-TRANS-60", "Repeat X-Request-ID and X-Correlation-ID of the request in its answer.",
     CHECK_SINCE_22, {tell_message_ids}},
    {"answers.routing", "R-ROUTE-04", "Swap the TO and FROM headers of the request in its answer.",
     CHECK_SINCE_22, {tell_routing}},
    {"answers.config_routing", "R-ROUTE-02", "Leave routing headers out of versions, credentials and hubclientinfo.",
     CHECK_SINCE_22, {tell_config_routing}},
    {0},
};
/* clang-format on */
