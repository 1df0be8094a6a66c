/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Discovery: what a partner offers, read from its versions URL.
 *
 * R-TRANS-03: a 401 is tried once more with the token in the other form, and what worked is kept.
 */
#include "hub/partner/handshake.h"

#include <string.h>

#include "adapters/ocpi_client.h"
#include "adapters/url_guard.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "hub/hub.h"
#include "ocpi/object.h"

struct discover {
    struct discover_state ask; /* first: the caller fills it */
    struct peer peer;
    struct ocpi_call call;
    struct ocpi_answer answer;
    bool other_form;
};

static enum flow_next get(struct flow *f, struct discover *d, const char *url)
{
    d->call = (struct ocpi_call){
        .peer = &d->peer,
        .token = d->ask.token,
        .method = "GET",
        .module = "versions",
        .url = url,
        .total_ms = hub_of(f)->settings->handshake_timeout_ms,
    };
    return ocpi_send(f, &d->call, &d->answer);
}

static enum flow_next get_versions(struct flow *f)
{
    struct discover *d = f->state;

    d->peer = (struct peer){
        .version = OCPI_2_2_1,
        .versions_url = d->ask.versions_url,
        .auth_encoding = AUTH_BASE64,
    };
    return get(f, d, d->ask.versions_url);
}

static enum flow_next try_other_form(struct flow *f)
{
    struct discover *d = f->state;

    if (d->answer.http.outcome != HTTP_ANSWERED || d->answer.http.status != 401)
        return FLOW_NEXT;
    d->peer.auth_encoding = AUTH_RAW;
    return get(f, d, d->ask.versions_url);
}

static struct err unusable(struct flow *f, const struct discover *d, const char *what)
{
    struct err e = ocpi_answer_err(f->arena, &d->answer);

    return err_at(f->arena, ERR_PEER_UNUSABLE, NULL, "%s: %s", what,
                  failed(e) ? err_text(e) : "the answer has no usable data");
}

static enum flow_next choose_version(struct flow *f)
{
    static const enum ocpi_version OURS[] = {OCPI_2_2_1};
    struct discover *d = f->state;
    struct ocpi_version_entry entries[32];
    size_t count = 0;

    if (failed(ocpi_answer_err(f->arena, &d->answer)) || !json_is_array(d->answer.data))
        return flow_fail(f, unusable(f, d, "GET versions"));
    for (size_t i = 0; i < json_array_size(d->answer.data) && count < 32; i++)
        if (!failed(object_parse(&ocpi_version_entry_type, json_array_get(d->answer.data, i),
                                 f->arena, &entries[count])))
            count++;
    const struct ocpi_version_entry *chosen = version_choose(entries, count, OURS, 1);
    if (!chosen)
        return flow_fail(
            f, err_at(f->arena, ERR_PEER_VERSION, NULL, "GET versions: OCPI 2.2.1 is not offered"));
    d->ask.ret->version = version_parse(chosen->version);
    d->ask.ret->details_url = arena_text(d->ask.ret_arena, chosen->url);
    return get(f, d, chosen->url);
}

static enum flow_next read_details(struct flow *f)
{
    struct discover *d = f->state;
    struct discovery *ret = d->ask.ret;
    struct ocpi_version_details details;
    size_t printed;

    if (failed(ocpi_answer_err(f->arena, &d->answer)) || !d->answer.data)
        return flow_fail(f, unusable(f, d, "GET version details"));
    struct err e = object_parse(&ocpi_version_details_type, d->answer.data, f->arena, &details);
    if (failed(e))
        return flow_fail(f, err_at(f->arena, ERR_PEER_UNUSABLE, e.where, "GET version details: %s",
                                   err_text(e)));
    ret->endpoint_count = details.endpoints.count;
    ret->endpoints =
        arena_alloc(d->ask.ret_arena, (ret->endpoint_count + 1) * sizeof *ret->endpoints);
    for (size_t i = 0; i < ret->endpoint_count; i++)
        ret->endpoints[i] = (struct peer_endpoint){
            .module = arena_text(d->ask.ret_arena, details.endpoints.at[i].identifier),
            .role = details.endpoints.at[i].role,
            .url = arena_text(d->ask.ret_arena, details.endpoints.at[i].url),
        };
    ret->encoding = d->peer.auth_encoding;
    ret->endpoints_json =
        json_text(d->ask.ret_arena, json_array_of(d->answer.data, "endpoints"), &printed);
    return FLOW_NEXT;
}

/* What we would call must be callable: said now, not when the first command is to go out
 * (R-CRED-19). Modules that we do not use may lie anywhere. */
static struct err check_urls(struct flow *f, const struct peer *peer)
{
    static const struct {
        const char *module;
        enum ocpi_interface role;
    } USED[] = {
        {MODULE_CREDENTIALS, OCPI_INTERFACE_RECEIVER},
        {MODULE_COMMANDS, OCPI_INTERFACE_RECEIVER},
        {MODULE_CHARGING_PROFILES, OCPI_INTERFACE_RECEIVER},
        {MODULE_LOCATIONS, OCPI_INTERFACE_SENDER},
        {MODULE_TARIFFS, OCPI_INTERFACE_SENDER},
        {MODULE_SESSIONS, OCPI_INTERFACE_SENDER},
        {MODULE_CDRS, OCPI_INTERFACE_SENDER},
    };

    for (size_t i = 0; i < sizeof USED / sizeof *USED; i++) {
        const char *url = peer_endpoint(peer, USED[i].module, USED[i].role);
        struct url parts;
        struct err e = url ? url_guard_parse(http_client_guard(), f->arena, url, &parts) : OK;
        if (failed(e))
            return err_at(f->arena, ERR_PEER_UNUSABLE, NULL, "the URL of the %s endpoint: %s",
                          USED[i].module, err_text(e));
    }
    return OK;
}

/* A CPO that takes no commands cannot be a network of ours. */
static enum flow_next check_endpoints(struct flow *f)
{
    static const char *const NEEDED[] = {MODULE_CREDENTIALS, MODULE_COMMANDS};
    struct discover *d = f->state;
    struct peer peer = {.endpoints = d->ask.ret->endpoints,
                        .endpoint_count = d->ask.ret->endpoint_count};

    for (size_t i = 0; i < sizeof NEEDED / sizeof *NEEDED; i++)
        if (!peer_endpoint(&peer, NEEDED[i], OCPI_INTERFACE_RECEIVER))
            return flow_fail(f, err_at(f->arena, ERR_PEER_ENDPOINTS, NULL,
                                       "the %s endpoint (RECEIVER) is missing in the version "
                                       "details",
                                       NEEDED[i]));
    FLOW_TRY(f, check_urls(f, &peer));
    return FLOW_NEXT;
}

static const struct flow_step steps[] = {
    {"get the versions", get_versions},
    {"try the other form of the token", try_other_form},
    {"choose a version and get its details", choose_version},
    {"read the details", read_details},
    {"check the endpoints", check_endpoints},
    {0},
};

const struct flow_type discover_flow = {
    .name = "discover",
    .state_size = sizeof(struct discover),
    .deadline_ms = SECONDS(40),
    .steps = steps,
};

char *our_credentials(struct flow *f, const char *token)
{
    const struct hub *hub = hub_of(f);
    const struct settings *s = hub->settings;
    struct text t;

    text_init(&t, f->arena, 16384);
    json_begin_object(&t, NULL);
    json_put_text(&t, "token", token);
    json_put_text(&t, "url", arena_printf(f->arena, "%s/ocpi/emsp/versions", hub->public_url));
    json_begin_array(&t, "roles");
    json_begin_object(&t, NULL);
    json_put_text(&t, "role", "EMSP");
    json_begin_object(&t, "business_details");
    json_put_text(&t, "name", s->name);
    if (s->website)
        json_put_text(&t, "website", s->website);
    json_end_object(&t);
    json_put_text(&t, "party_id", s->party_id);
    json_put_text(&t, "country_code", s->country_code);
    json_end_object(&t);
    json_end_array(&t);
    json_end_object(&t);
    return t.bytes;
}
