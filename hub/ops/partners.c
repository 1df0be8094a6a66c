/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partners for those who run the hub: list, show, invite (they register at us), register (we
 * register at them).
 *
 *    hub (sender)                      partner
 *     | -- GET versions (A) ----------> |
 *     | -- GET version details (A) ---> |
 *     | -- POST credentials (A, B) ---> |    B is valid before it leaves
 *     | <-- their credentials (C) ----- |
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/ocpi_client.h"
#include "adapters/url_guard.h"
#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/partner.h"
#include "hub/hub.h"
#include "hub/ops/ops.h"
#include "hub/partner/handshake.h"
#include "hub/request.h"
#include "ocpi/credentials.h"
#include "ocpi/headers.h"
#include "ocpi/object.h"

enum { TOKEN_LENGTH = 43, LIST_BYTES = 4 * 1024 * 1024 };

/* ---- list and show ---- */

static void put_partner(struct text *t, const struct partner *p)
{
    char time[TIME_TEXT];

    json_begin_object(t, NULL);
    json_put_int(t, "id", p->id);
    json_put_text(t, "name", p->name);
    json_put_text(t, "state", p->state);
    json_put_bool(t, "enabled", p->enabled);
    json_put_text(t, "version", version_name(p->peer.version));
    json_put_text(t, "versions_url", p->peer.versions_url);
    json_begin_array(t, "roles");
    for (size_t i = 0; i < p->party_count; i++) {
        json_begin_object(t, NULL);
        json_put_text(t, "country_code", p->parties[i].id.country_code);
        json_put_text(t, "party_id", p->parties[i].id.party_id);
        json_put_text(t, "role", ocpi_role_name(p->parties[i].role));
        json_put_text(t, "name", p->parties[i].name);
        json_end_object(t);
    }
    json_end_array(t);
    json_put_text(t, "auth_encoding", auth_encoding_name(p->peer.auth_encoding));
    json_put_text(t, "registered_at",
                  p->registered_us == TIME_NONE ? NULL : time_print_seconds(time, p->registered_us));
    json_put_text(t, "last_contact_at", p->last_contact_us == TIME_NONE
                                            ? NULL
                                            : time_print_seconds(time, p->last_contact_us));
    json_put_raw(t, "pulled", p->pulled ? p->pulled : "{}");
}

static enum flow_next list(struct flow *f)
{
    struct partners all = partner_all(f);
    struct text t;

    text_init(&t, f->arena, LIST_BYTES);
    json_begin_object(&t, NULL);
    json_begin_array(&t, "items");
    for (size_t i = 0; i < all.count; i++) {
        put_partner(&t, all.items[i]);
        json_end_object(&t);
    }
    json_end_array(&t);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step list_steps[] = {{"list", list}, {0}};
const struct flow_type list_partners_flow = {.name = "list_partners", .steps = list_steps};

/* By number, or by name. */
static const struct partner *find(struct flow *f, const char *which)
{
    struct partners all = partner_all(f);

    for (size_t i = 0; i < all.count; i++) {
        char id[24];
        snprintf(id, sizeof id, "%lld", (long long)all.items[i]->id);
        if (strcmp(which, id) == 0 || text_equal_caseless(which, all.items[i]->name))
            return all.items[i];
    }
    return NULL;
}

static enum flow_next show(struct flow *f)
{
    const struct partner *p = find(f, request_of(f)->params[0]);
    struct text t;

    if (!p)
        return flow_fail(f, err_at(f->arena, ERR_NOT_FOUND, NULL, "no such partner"));
    text_init(&t, f->arena, LIST_BYTES);
    put_partner(&t, p);
    json_begin_array(&t, "endpoints");
    for (size_t i = 0; i < p->peer.endpoint_count; i++) {
        json_begin_object(&t, NULL);
        json_put_text(&t, "module", p->peer.endpoints[i].module);
        json_put_text(&t, "role", ocpi_interface_name(p->peer.endpoints[i].role));
        json_put_text(&t, "url", p->peer.endpoints[i].url);
        json_end_object(&t);
    }
    json_end_array(&t);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step show_steps[] = {{"show", show}, {0}};
const struct flow_type show_partner_flow = {.name = "show_partner", .steps = show_steps};

/* ---- invite ---- */

struct invite {
    struct partner_invite ask;
    char token_a[TOKEN_LENGTH + 1];
    int64_t id;
};

static enum flow_next check_invite(struct flow *f)
{
    struct invite *s = f->state;
    const json_t *body = request_of(f)->json;
    struct field_errors errors;
    struct party_id id;

    s->ask = (struct partner_invite){
        .name = json_text_of(body, "name"),
        .country_code = json_text_of(body, "country_code"),
        .party_id = json_text_of(body, "party_id"),
        .role = json_text_of(body, "role"),
        .token_a = s->token_a,
        .our_country = hub_of(f)->settings->country_code,
        .our_party = hub_of(f)->settings->party_id,
    };
    field_errors_init(&errors, f->arena);
    if (!s->ask.name || !*s->ask.name || text_utf8_count(s->ask.name) > 100)
        field_errors_add(&errors, "name", "name_invalid", "must be 1 to 100 characters");
    if (!party_country_valid(s->ask.country_code ? s->ask.country_code : ""))
        field_errors_add(&errors, "country_code", "country_code_invalid", "must be two letters");
    if (!party_id_make("FI", s->ask.party_id ? s->ask.party_id : "", &id))
        field_errors_add(&errors, "party_id", "party_id_invalid",
                         "must be three letters or digits");
    if (!s->ask.role || strcmp(s->ask.role, "CPO") != 0)
        field_errors_add(&errors, "role", "role_invalid",
                         "must be CPO: other roles cannot connect to this hub yet");
    if (errors.count)
        return reply_field_errors(f, &errors);
    id_token(s->token_a, TOKEN_LENGTH);
    return partner_invite(f, &s->ask, &s->id);
}

static enum flow_next answer_invite(struct flow *f)
{
    struct invite *s = f->state;
    struct text t;

    text_init(&t, f->arena, 4096);
    json_begin_object(&t, NULL);
    json_put_int(&t, "id", s->id);
    json_put_text(&t, "versions_url",
                  arena_printf(f->arena, "%s/ocpi/emsp/versions", hub_of(f)->public_url));
    json_put_text(&t, "token_a", s->token_a);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step invite_steps[] = {
    {"check and store", check_invite}, {"answer", answer_invite}, {0}};
const struct flow_type invite_partner_flow = {
    .name = "invite_partner",
    .state_size = sizeof(struct invite),
    .deadline_ms = SECONDS(10),
    .steps = invite_steps,
};

/* ---- register ---- */

struct registering {
    const char *versions_url, *token_a;
    struct discovery found;
    char token_b[TOKEN_LENGTH + 1];
    int64_t partner_id;
    struct peer peer;
    struct ocpi_call call;
    struct ocpi_answer answer;
    struct ocpi_credentials theirs;
    struct partner_registration registration;
    struct partner_registered done;
};

static enum flow_next check_register(struct flow *f)
{
    struct registering *s = f->state;
    const json_t *body = request_of(f)->json;
    struct field_errors errors;
    struct url url;

    s->versions_url = json_text_of(body, "versions_url");
    s->token_a = json_text_of(body, "token_a");
    field_errors_init(&errors, f->arena);
    if (!s->versions_url ||
        failed(url_guard_parse(http_client_guard(), f->arena, s->versions_url, &url)))
        field_errors_add(&errors, "versions_url", "versions_url_invalid",
                         "must be an https URL of at most 255 characters that may be called from "
                         "here");
    if (!s->token_a || !credentials_token_valid(s->token_a))
        field_errors_add(&errors, "token_a", "token_a_invalid",
                         "must be 1 to 64 printable characters without blanks");
    if (errors.count)
        return reply_field_errors(f, &errors);
    return FLOW_NEXT;
}

static void fill_discover(void *state, void *context)
{
    *(struct discover_state *)state = *(struct discover_state *)context;
}

static enum flow_next discover(struct flow *f)
{
    struct registering *s = f->state;
    struct discover_state ask = {
        .versions_url = s->versions_url,
        .token = s->token_a,
        .ret = &s->found,
        .ret_arena = f->arena,
    };

    return flow_child(f, &discover_flow, fill_discover, &ask, NULL);
}

/* The other side calls back with B before it answers. */
static enum flow_next expect_token(struct flow *f)
{
    struct registering *s = f->state;
    struct url url;

    id_token(s->token_b, TOKEN_LENGTH);
    const char *name = url_parse(f->arena, s->versions_url, &url) ? url.host : "partner";
    return partner_expect_token(f, 0, name, s->versions_url, s->token_b, &s->partner_id);
}

static enum flow_next post_credentials(struct flow *f)
{
    struct registering *s = f->state;

    s->peer = (struct peer){
        .partner_id = s->partner_id,
        .version = s->found.version,
        .versions_url = s->versions_url,
        .auth_encoding = s->found.encoding,
        .endpoints = s->found.endpoints,
        .endpoint_count = s->found.endpoint_count,
    };
    s->call = (struct ocpi_call){
        .peer = &s->peer,
        .token = s->token_a,
        .method = "POST",
        .module = MODULE_CREDENTIALS,
        .url = peer_endpoint(&s->peer, MODULE_CREDENTIALS, OCPI_INTERFACE_RECEIVER),
        .body = our_credentials(f, s->token_b),
        .total_ms = SECONDS(30), /* they call us back meanwhile */
    };
    return ocpi_send(f, &s->call, &s->answer);
}

static enum flow_next store(struct flow *f)
{
    struct registering *s = f->state;
    const struct settings *settings = hub_of(f)->settings;
    size_t printed;

    FLOW_TRY(f, ocpi_answer_err(f->arena, &s->answer));
    struct err e = object_parse(&ocpi_credentials_type, s->answer.data, f->arena, &s->theirs);
    if (failed(e))
        return flow_fail(f, err_at(f->arena, ERR_PEER_ERROR, e.where,
                                   "POST credentials: the answer is not a Credentials object: %s",
                                   err_text(e)));
    if (!credentials_token_valid(s->theirs.token))
        return flow_fail(f, err_at(f->arena, ERR_PEER_ERROR, "/token",
                                   "POST credentials: the answer holds a token that is not 1 to 64 "
                                   "printable characters without blanks"));
    s->registration = (struct partner_registration){
        .partner_id = s->partner_id,
        .name = s->theirs.roles.at[0].business_details->name,
        .version = version_name(s->found.version),
        .versions_url = s->theirs.url,
        .token_out = s->theirs.token,
        .token_in = s->token_b,
        .auth_encoding = auth_encoding_name(s->found.encoding),
        .endpoints = s->found.endpoints_json,
        .roles = json_text(f->arena, json_array_of(s->answer.data, "roles"), &printed),
        .our_country = settings->country_code,
        .our_party = settings->party_id,
    };
    return partner_registered(f, &s->registration, &s->done);
}

static enum flow_next answer_register(struct flow *f)
{
    struct registering *s = f->state;
    struct text t;

    if (s->done.conflict || s->done.taken)
        return flow_fail(f, err_at(f->arena, ERR_PEER_ERROR, NULL,
                                   s->done.taken ? "a party of this partner belongs to another "
                                                   "connection of this hub"
                                                 : "the connection changed meanwhile"));
    text_init(&t, f->arena, 64 * 1024);
    json_begin_object(&t, NULL);
    json_put_int(&t, "id", s->done.partner_id);
    json_put_text(&t, "name", s->registration.name);
    json_put_text(&t, "version", s->registration.version);
    json_put_raw(&t, "roles", s->registration.roles);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step register_steps[] = {
    {"check the body", check_register},
    {"read their versions", discover},
    {"expect our token", expect_token},
    {"post our credentials", post_credentials},
    {"store the connection", store},
    {"answer", answer_register},
    {0},
};

const struct flow_type register_partner_flow = {
    .name = "register_partner",
    .state_size = sizeof(struct registering),
    .deadline_ms = SECONDS(60),
    .steps = register_steps,
};
