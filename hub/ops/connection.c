/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operators do with a connection: end it, hold it, let it go on, approve what it asks for, and
 * say what is put up with in it.
 */
#include <string.h>

#include "adapters/ocpi_client.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "db/partner.h"
#include "db/partner_life.h"
#include "hub/hub.h"
#include "hub/ops/ops.h"
#include "hub/ops/partners.h"
#include "hub/request.h"
#include "ocpi/quirks.h"

enum { KNOWN_EVERYWHERE_MS = 100 };

struct change {
    const struct partner *partner;
    struct ocpi_call call;
    struct ocpi_answer answer;
    bool told; /* the other side has heard that we leave */
    bool done;
    bool of_party;
    enum partner_party_approved outcome;
    size_t next; /* quirks: the one to be set */
};

static enum flow_next find(struct flow *f)
{
    struct change *c = f->state;

    c->partner = partner_named(f, request_of(f)->params[0]);
    if (!c->partner)
        return flow_fail(f, err_at(f->arena, ERR_NOT_FOUND, NULL, "no such partner"));
    return FLOW_NEXT;
}

/* Who reads our answer finds all workers knowing it. */
static enum flow_next let_all_know(struct flow *f)
{
    return flow_sleep(f, KNOWN_EVERYWHERE_MS);
}

static enum flow_next show(struct flow *f)
{
    const struct change *c = f->state;
    const struct partner *p = partner_find(f, c->partner->id);

    return reply_partner(f, p ? p : c->partner);
}

/* ---- unregister ---- */

static enum flow_next say_goodbye(struct flow *f)
{
    struct change *c = f->state;
    const struct peer *peer = &c->partner->peer;
    const char *url = peer_endpoint(peer, MODULE_CREDENTIALS, OCPI_INTERFACE_RECEIVER);

    if (!url || !secret_is_set(peer->token))
        return FLOW_NEXT;
    c->call = (struct ocpi_call){
        .peer = peer, .method = "DELETE", .module = MODULE_CREDENTIALS, .url = url};
    return ocpi_send(f, &c->call, &c->answer);
}

/* Whatever they answered, it is over here (R-CRED-08). */
static enum flow_next end_here(struct flow *f)
{
    struct change *c = f->state;

    c->told = c->call.url && !failed(ocpi_answer_err(f->arena, &c->answer));
    if (c->call.url && !c->told)
        log_line(LOG_WARN, "a partner did not hear that we unregister",
                 LOG_TEXT("partner", c->partner->name),
                 LOG_TEXT("text", err_text(ocpi_answer_err(f->arena, &c->answer))));
    return partner_unregistered(f, c->partner->id);
}

static enum flow_next answer_unregistered(struct flow *f)
{
    const struct change *c = f->state;
    struct text t;

    text_init(&t, f->arena, 4096);
    json_begin_object(&t, NULL);
    json_put_int(&t, "id", c->partner->id);
    json_put_text(&t, "name", c->partner->name);
    json_put_bool(&t, "told", c->told);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step unregister_steps[] = {
    {"find the partner", find},      {"say goodbye", say_goodbye},
    {"end it here", end_here},       {"let all workers know", let_all_know},
    {"answer", answer_unregistered}, {0}};
const struct flow_type unregister_partner_flow = {
    .name = "unregister_partner",
    .state_size = sizeof(struct change),
    .deadline_ms = SECONDS(30),
    .steps = unregister_steps,
};

/* ---- suspend and resume: doing it twice is doing it once ---- */

static enum flow_next suspend(struct flow *f)
{
    struct change *c = f->state;

    return partner_suspend(f, c->partner->id, &c->done);
}

static enum flow_next resume(struct flow *f)
{
    struct change *c = f->state;

    return partner_resume(f, c->partner->id, &c->done);
}

static const struct flow_step suspend_steps[] = {{"find the partner", find},
                                                 {"suspend it", suspend},
                                                 {"let all workers know", let_all_know},
                                                 {"show it", show},
                                                 {0}};
const struct flow_type suspend_partner_flow = {
    .name = "suspend_partner",
    .state_size = sizeof(struct change),
    .deadline_ms = SECONDS(10),
    .steps = suspend_steps,
};

static const struct flow_step resume_steps[] = {{"find the partner", find},
                                                {"resume it", resume},
                                                {"let all workers know", let_all_know},
                                                {"show it", show},
                                                {0}};
const struct flow_type resume_partner_flow = {
    .name = "resume_partner",
    .state_size = sizeof(struct change),
    .deadline_ms = SECONDS(10),
    .steps = resume_steps,
};

/* ---- approve: a host, or a party that was not agreed ---- */

static enum flow_next approve(struct flow *f)
{
    struct change *c = f->state;
    const json_t *body = request_of(f)->json;
    const char *host = json_text_of(body, "host"), *country = json_text_of(body, "country_code");
    const char *party = json_text_of(body, "party_id"), *role = json_text_of(body, "role");
    struct field_errors errors;
    struct party_id id;

    if (host)
        return partner_host_approve(f, c->partner->id, host, &c->done);
    if (country && party && role && party_id_make(country, party, &id)) {
        c->of_party = true;
        return partner_party_approve(f, c->partner->id, &id, ocpi_role_parse(role), &c->outcome);
    }
    field_errors_init(&errors, f->arena);
    field_errors_add(&errors, "host", "host_missing",
                     "is required, or country_code, party_id and role of a party");
    return reply_field_errors(f, &errors);
}

static enum flow_next check_approved(struct flow *f)
{
    struct change *c = f->state;
    const char *asked = c->partner->host_asked;

    if (c->of_party && c->outcome != PARTY_APPROVED)
        return flow_fail(f, err_at(f->arena, ERR_BAD_FIELD, "party_id",
                                   c->outcome == PARTY_TAKEN
                                       ? "this party belongs to another connection"
                                       : "no such party waits for approval"));
    if (c->of_party || c->done)
        return FLOW_NEXT;
    if (!asked)
        return flow_fail(f, err_at(f->arena, ERR_BAD_FIELD, "host", "no host waits for approval"));
    return flow_fail(f, err_at(f->arena, ERR_BAD_FIELD, "host",
                               "the host that waits for approval is %s", asked));
}

static const struct flow_step approve_steps[] = {{"find the partner", find},
                                                 {"approve", approve},
                                                 {"did it wait?", check_approved},
                                                 {"let all workers know", let_all_know},
                                                 {"show it", show},
                                                 {0}};
const struct flow_type approve_host_flow = {
    .name = "approve_host",
    .state_size = sizeof(struct change),
    .deadline_ms = SECONDS(10),
    .steps = approve_steps,
};

/* ---- quirks ---- */

static enum flow_next check_quirks(struct flow *f)
{
    json_t *body = request_of(f)->json, *value;
    struct field_errors errors;
    const char *name;

    field_errors_init(&errors, f->arena);
    json_object_foreach(body, name, value)
    {
        enum auth_encoding encoding;
        if (strcmp(name, "auth_encoding") == 0) {
            if (!json_is_string(value) || !auth_encoding_parse(json_string_value(value), &encoding))
                field_errors_add(&errors, name, "quirk_invalid", "must be auto, raw or base64");
        } else if (!quirk_help(name)) {
            field_errors_add(&errors, name, "quirk_unknown", "there is no such quirk");
        } else if (!json_is_boolean(value) && !json_is_null(value)) {
            field_errors_add(&errors, name, "quirk_invalid", "must be true or false");
        }
    }
    if (!json_object_size(body))
        field_errors_add(&errors, "", "quirk_missing", "name at least one quirk");
    if (errors.count)
        return reply_field_errors(f, &errors);
    return FLOW_NEXT;
}

/* One a round. */
static enum flow_next set_quirks(struct flow *f)
{
    struct change *c = f->state;
    json_t *body = request_of(f)->json;
    size_t index = 0, length;
    const char *name;
    json_t *value;

    json_object_foreach(body, name, value)
    {
        if (index++ < c->next)
            continue;
        c->next++;
        /* Off is how it is without the row. */
        bool off = json_is_null(value) || json_is_false(value);
        partner_quirk_set(f, c->partner->id, name, off ? NULL : json_text(f->arena, value, &length),
                          &c->done);
        return FLOW_AGAIN;
    }
    return FLOW_NEXT;
}

static const struct flow_step quirk_steps[] = {
    {"find the partner", find}, {"check the body", check_quirks},
    {"set them", set_quirks},   {"let all workers know", let_all_know},
    {"show it", show},          {0}};
const struct flow_type set_quirks_flow = {
    .name = "set_quirks",
    .state_size = sizeof(struct change),
    .deadline_ms = SECONDS(10),
    .steps = quirk_steps,
};
