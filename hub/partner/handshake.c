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
#include "hub/partner/their_credentials.h"
#include "ocpi/object.h"

enum { VERSIONS_MAX = 32, ENDPOINTS_BYTES = 1024 * 1024 };

struct discover {
    struct discover_state ask; /* first: the caller fills it */
    struct peer peer;
    struct ocpi_call call;
    struct ocpi_answer answer;
    bool pinned; /* the form of the token that they want is known */
};

void discover_fill(void *state, void *context)
{
    *(struct discover_state *)state = *(struct discover_state *)context;
}

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

/* The form of the token that the version has, as far as it is known already. */
static enum flow_next get_versions(struct flow *f)
{
    struct discover *d = f->state;

    d->peer = (struct peer){
        .version = d->ask.want == OCPI_VERSION_NONE ? OCPI_2_2_1 : d->ask.want,
        .versions_url = d->ask.versions_url,
        .auth_encoding = d->ask.want == OCPI_2_1_1 ? AUTH_RAW : AUTH_BASE64,
    };
    return get(f, d, d->ask.versions_url);
}

static enum flow_next try_other_form(struct flow *f)
{
    struct discover *d = f->state;

    if (d->answer.http.outcome != HTTP_ANSWERED || d->answer.http.status != 401)
        return FLOW_NEXT;
    if (d->pinned)
        return FLOW_NEXT;
    d->pinned = true;
    d->peer.auth_encoding = d->peer.auth_encoding == AUTH_RAW ? AUTH_BASE64 : AUTH_RAW;
    return get(f, d, d->call.url);
}

static struct err unusable(struct flow *f, const struct discover *d, const char *what)
{
    struct err e = ocpi_answer_err(f->arena, &d->answer);

    return err_rule(err_at(f->arena, ERR_PEER_UNUSABLE, NULL, "%s: %s", what,
                           failed(e) ? err_text(e) : "the answer has no usable data"),
                    "R-CRED-03");
}

/* Where it is not theirs, nobody goes: a token is shown only where it was given for. */
static struct err check_host(struct flow *f, struct discover *d, const char *what, const char *url)
{
    struct discovery *ret = d->ask.ret;
    const struct partner *p = d->ask.partner;
    const char *host = foreign_host(f->arena, d->ask.versions_url, p, url);

    if (!host || (p && !foreign_host(f->arena, p->peer.versions_url, p, url)))
        return OK;
    ret->foreign_host = arena_text(d->ask.ret_arena, host);
    return foreign_host_err(f->arena, NULL, what, ret->foreign_host);
}

/* ---- the version ---- */

/* Those that we could speak with them; with a quirk 2.2 counts as 2.2.1. */
static const struct ocpi_version_entry *choose(struct flow *f, const struct discover *d)
{
    static const enum ocpi_version ALL[] = {OCPI_2_1_1, OCPI_2_2_1, OCPI_2_3_0};
    bool also_2_2 = d->ask.partner && d->ask.partner->peer.quirks.version_2_2;
    struct ocpi_version_entry entries[VERSIONS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(d->answer.data) && count < VERSIONS_MAX; i++) {
        struct ocpi_version_entry *e = &entries[count];
        if (failed(object_parse(&ocpi_version_entry_type, json_array_get(d->answer.data, i),
                                f->arena, e)))
            continue;
        if (also_2_2 && strcmp(e->version, "2.2") == 0)
            e->version = version_name(OCPI_2_2_1);
        count++;
    }
    const struct ocpi_version_entry *chosen =
        d->ask.want == OCPI_VERSION_NONE
            ? version_choose(entries, count, ALL, sizeof ALL / sizeof *ALL)
            : version_choose(entries, count, &d->ask.want, 1);
    if (!chosen)
        return NULL;
    struct ocpi_version_entry *kept = arena_alloc(f->arena, sizeof *kept);
    *kept = *chosen;
    return kept;
}

static enum flow_next choose_version(struct flow *f)
{
    struct discover *d = f->state;
    const struct ocpi_version_entry *chosen;

    if (failed(ocpi_answer_err(f->arena, &d->answer)) || !json_is_array(d->answer.data))
        return flow_fail(f, unusable(f, d, "GET versions"));
    chosen = choose(f, d);
    if (!chosen)
        return flow_fail(
            f, err_rule(err_at(f->arena, ERR_PEER_VERSION, NULL,
                               "GET versions: OCPI %s is not offered",
                               d->ask.want == OCPI_VERSION_NONE ? "2.1.1, 2.2.1 or 2.3.0"
                                                                : version_name(d->ask.want)),
                        "R-CRED-03"));
    FLOW_TRY(f, check_host(f, d, "GET versions: the URL of the version details", chosen->url));
    d->peer.version = version_parse(chosen->version);
    if (!d->pinned)
        d->peer.auth_encoding = d->peer.version == OCPI_2_1_1 ? AUTH_RAW : AUTH_BASE64;
    d->ask.ret->version = d->peer.version;
    d->ask.ret->details_url = arena_text(d->ask.ret_arena, chosen->url);
    return get(f, d, chosen->url);
}

/* ---- the endpoints ---- */

/* 2.1.1 has no roles in the details: what the other side of our face sends and receives
 * (R-VER-04). */
static enum ocpi_interface role_in_2_1_1(enum face face, const char *module)
{
    static const char *const OF_CPO[] = {MODULE_LOCATIONS, MODULE_TARIFFS, MODULE_SESSIONS,
                                         MODULE_CDRS};
    bool cpo_sends = false;

    if (strcmp(module, MODULE_CREDENTIALS) == 0)
        return OCPI_INTERFACE_SENDER;
    for (size_t i = 0; i < sizeof OF_CPO / sizeof *OF_CPO; i++)
        cpo_sends |= strcmp(module, OF_CPO[i]) == 0;
    return cpo_sends == (face == FACE_EMSP) ? OCPI_INTERFACE_SENDER : OCPI_INTERFACE_RECEIVER;
}

static void take_endpoint(struct discover *d, const json_t *entry, struct peer_endpoint *ret)
{
    struct arena *a = d->ask.ret_arena;

    ret->module = arena_text(a, json_text_of(entry, "identifier"));
    ret->url = arena_text(a, json_text_of(entry, "url"));
    ret->role = d->peer.version == OCPI_2_1_1 ? role_in_2_1_1(d->ask.face, ret->module)
                                              : ocpi_interface_parse(json_text_of(entry, "role"));
}

static const char *print_endpoints(const struct discovery *found, struct arena *a)
{
    struct text t;

    text_init(&t, a, ENDPOINTS_BYTES);
    json_begin_array(&t, NULL);
    for (size_t i = 0; i < found->endpoint_count; i++) {
        json_begin_object(&t, NULL);
        json_put_text(&t, "identifier", found->endpoints[i].module);
        json_put_text(&t, "role", ocpi_interface_name(found->endpoints[i].role));
        json_put_text(&t, "url", found->endpoints[i].url);
        json_end_object(&t);
    }
    json_end_array(&t);
    return t.bytes;
}

static enum flow_next read_details(struct flow *f)
{
    struct discover *d = f->state;
    struct discovery *ret = d->ask.ret;

    if (failed(ocpi_answer_err(f->arena, &d->answer)) || !d->answer.data)
        return flow_fail(f, unusable(f, d, "GET version details"));
    struct err e = object_check(object_type_find(d->peer.version, "VersionDetails"), d->answer.data,
                                NULL, f->arena);
    if (failed(e)) {
        struct err unreadable =
            err_at(f->arena, ERR_PEER_UNUSABLE, e.where, "GET version details: %s", err_text(e));
        return flow_fail(f, err_rule(unreadable, "R-CRED-03"));
    }
    const json_t *list = json_array_of(d->answer.data, "endpoints");
    ret->endpoint_count = json_array_size(list);
    ret->endpoints =
        arena_alloc(d->ask.ret_arena, (ret->endpoint_count + 1) * sizeof *ret->endpoints);
    for (size_t i = 0; i < ret->endpoint_count; i++)
        take_endpoint(d, json_array_get(list, i), &ret->endpoints[i]);
    ret->encoding = d->peer.auth_encoding;
    ret->endpoints_json = print_endpoints(ret, d->ask.ret_arena);
    return FLOW_NEXT;
}

/* What we would call must be callable: said now, not when the first command is to go out
 * (R-CRED-19). Modules that we do not use may lie anywhere. */
static struct err check_urls(struct flow *f, struct discover *d)
{
    static const char *const USED[] = {
        MODULE_CREDENTIALS, MODULE_COMMANDS, MODULE_CHARGING_PROFILES,
        MODULE_LOCATIONS,   MODULE_TARIFFS,  MODULE_SESSIONS,
        MODULE_CDRS,        MODULE_TOKENS,   MODULE_HUB_CLIENT_INFO,
    };
    const struct discovery *found = d->ask.ret;

    for (size_t i = 0; i < found->endpoint_count; i++) {
        const struct peer_endpoint *endpoint = &found->endpoints[i];
        struct url parts;
        bool used = d->peer.version == OCPI_2_3_0 && /* before, it is no module */
                    strcmp(endpoint->module, MODULE_INVOICES) == 0;
        for (size_t k = 0; k < sizeof USED / sizeof *USED; k++)
            used |= strcmp(USED[k], endpoint->module) == 0;
        if (!used)
            continue;
        const char *what = arena_printf(f->arena, "the URL of the %s endpoint", endpoint->module);
        struct err e = url_guard_parse(http_client_guard(), f->arena, endpoint->url, &parts);
        if (failed(e))
            return err_rule(err_at(f->arena, ERR_PEER_UNUSABLE, NULL, "%s: %s", what, err_text(e)),
                            "R-CRED-19");
        TRY(check_host(f, d, what, endpoint->url));
    }
    return OK;
}

static struct err missing(struct flow *f, const char *module)
{
    return err_rule(err_at(f->arena, ERR_PEER_ENDPOINTS, NULL,
                           "the %s endpoint (RECEIVER) is missing in the version details", module),
                    "R-CRED-03");
}

/* A CPO that takes no commands cannot be a network of ours. */
static enum flow_next check_endpoints(struct flow *f)
{
    struct discover *d = f->state;
    struct peer peer = {.endpoints = d->ask.ret->endpoints,
                        .endpoint_count = d->ask.ret->endpoint_count};

    if (!peer_endpoint(&peer, MODULE_CREDENTIALS, OCPI_INTERFACE_RECEIVER))
        return flow_fail(f, missing(f, MODULE_CREDENTIALS));
    if (d->ask.network && !peer_endpoint(&peer, MODULE_COMMANDS, OCPI_INTERFACE_RECEIVER))
        return flow_fail(f, missing(f, MODULE_COMMANDS));
    FLOW_TRY(f, check_urls(f, d));
    return FLOW_NEXT;
}

static const struct flow_step steps[] = {
    {"get the versions", get_versions},
    {"try the other form of the token", try_other_form},
    {"choose a version and get its details", choose_version},
    {"try the other form of the token there", try_other_form},
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
