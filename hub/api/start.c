/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start: an app or a robot asks for a charging session (contract 5.1).
 *
 *    app                          hub                           CPO
 *     | -- POST sessions/start -> |                              |
 *     |                           | session + operation stored   |
 *     | <------- pending -------- |                              |
 *     |                           | ------ START_SESSION ------> |   hub/jobs/dispatch.c
 *     |                           | <------- response ---------- |
 *     |                           | <------- result ------------ |   hub/partner/callbacks.c
 *     |                           | <------- Session ----------- |   hub/partner/sessions.c
 */
#include <string.h>

#include "adapters/network.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/time.h"
#include "db/location.h"
#include "db/session.h"
#include "hub/api/api.h"
#include "hub/api/validate.h"
#include "hub/finance/hold.h"
#include "hub/finance/offer.h"
#include "hub/hub.h"
#include "hub/jobs/jobs.h"
#include "hub/server/http_server.h"
#include "ocpi/evse_id.h"

struct start {
    struct idempotency idempotency;
    const char *evse_id, *connector_type, *user_reference;
    int64_t target_mwh;
    char evse_key[EVSE_ID_KEY];
    struct evses found;
    const struct evse *evse;
    const struct evse_connector *connector;
    struct err refusal; /* of the EVSE: an earlier answer to the same key comes first */
    struct idempotency_record earlier;
    struct offer offer; /* what it costs */
    struct hold hold;   /* where payments are configured */
    struct session_quote quote;
    struct session_start ask;
    struct session_started started;
};

/* ---- the body ---- */

static void check_evse_id(struct start *s, const json_t *body, struct field_errors *e)
{
    const json_t *v = json_object_get(body, "evse_id");

    if (!v || json_is_null(v)) {
        field_errors_add(e, "evse_id", "evse_id_required", "the id of the EVSE is required");
        return;
    }
    s->evse_id = json_string_value(v);
    if (!s->evse_id || !evse_id_valid(s->evse_id) || !evse_id_key(s->evse_id, s->evse_key))
        field_errors_add(e, "evse_id", "evse_id_invalid",
                         "must look like FI*VRT*E12345: country, operator, E and up to 30 "
                         "characters");
}

static void check_connector_type(struct start *s, const json_t *body, struct field_errors *e)
{
    const json_t *v = json_object_get(body, "connector_type");

    if (!v || json_is_null(v))
        return;
    s->connector_type = json_string_value(v);
    if (!s->connector_type || !connector_word_valid(s->connector_type))
        field_errors_add(e, "connector_type", "connector_type_invalid",
                         "must be CCS, CCS1, CCS2, CHADEMO, TYPE1, TYPE2, NACS, SCHUKO, GBT_AC, "
                         "GBT_DC or an OCPI ConnectorType");
}

static void check_target(struct start *s, const json_t *body, struct field_errors *e)
{
    const json_t *v = json_object_get(body, "battery_target_kwh");

    if (!v || json_is_null(v))
        return;
    if (!number_read(v, 3, &s->target_mwh) || s->target_mwh <= 0 ||
        s->target_mwh > INT64_C(1000) * 1000000)
        field_errors_add(e, "battery_target_kwh", "battery_target_kwh_invalid",
                         "must be a number above 0, at most 1000, with at most 3 decimals");
}

static void check_user_reference(struct start *s, const json_t *body, struct field_errors *e)
{
    const json_t *v = json_object_get(body, "user_reference");

    if (!v || json_is_null(v))
        return;
    s->user_reference = json_string_value(v);
    bool good = s->user_reference && text_utf8_count(s->user_reference) <= 64;
    for (const char *c = good ? s->user_reference : ""; *c; c++)
        good = good && (unsigned char)*c >= 0x20 && *c != 0x7f;
    if (!good)
        field_errors_add(e, "user_reference", "user_reference_invalid",
                         "must be text of at most 64 characters without control characters");
}

static enum flow_next check_body(struct flow *f)
{
    struct start *s = f->state;
    struct field_errors errors;
    const json_t *body = request_of(f)->json;

    FLOW_TRY(f, idempotency_read(f, &s->idempotency));
    field_errors_init(&errors, f->arena);
    check_evse_id(s, body, &errors);
    check_connector_type(s, body, &errors);
    check_target(s, body, &errors);
    check_user_reference(s, body, &errors);
    if (errors.count)
        return reply_field_errors(f, &errors);
    return FLOW_NEXT;
}

/* ---- the EVSE ---- */

static enum flow_next find_evse(struct flow *f)
{
    struct start *s = f->state;

    return evse_find(f, s->evse_key, &s->found);
}

/* Of several networks' EVSEs with one id, the one whose operator the id names. */
static struct err choose_evse(struct flow *f, struct start *s)
{
    struct party_id operator, party;
    const struct evse *only = NULL;
    size_t visible = 0;

    bool named = evse_id_operator(s->evse_key, &operator);
    for (size_t i = 0; i < s->found.count; i++) {
        const struct evse *e = &s->found.items[i];
        if (!e->published)
            continue;
        visible++;
        only = e;
        if (named && party_id_make(e->country_code, e->party_id, &party) &&
            party_id_equal(&operator, &party)) {
            s->evse = e;
            return OK;
        }
    }
    if (!visible)
        return err_at(f->arena, ERR_EVSE_NOT_FOUND, "evse_id", "No EVSE %s is known.", s->evse_id);
    if (visible > 1)
        return err_new(ERR_EVSE_AMBIGUOUS);
    s->evse = only;
    return OK;
}

static struct err check_startable(struct flow *f, const struct evse *e)
{
    const char *why = NULL;

    if (strcmp(e->network_state, "suspended") == 0)
        why = "its network is suspended";
    else if (!e->network_enabled)
        why = "its network is not enabled";
    else if (strcmp(e->status, "REMOVED") == 0 || strcmp(e->status, "PLANNED") == 0)
        why = strcmp(e->status, "REMOVED") == 0 ? "it has been removed" : "it is only planned";
    else if (!evse_starts_remotely(e))
        why = "it takes no remote start";
    if (why)
        return err_at(f->arena, ERR_EVSE_NOT_STARTABLE, "evse_id",
                      "EVSE %s cannot be started remotely: %s.", e->evse_id, why);
    return OK;
}

/* The strongest that fits; of equal ones the lowest id. */
static struct err choose_connector(struct flow *f, struct start *s)
{
    for (size_t i = 0; i < s->evse->connector_count; i++) {
        const struct evse_connector *c = &s->evse->connectors[i];
        if (s->connector_type &&
            !connector_word_fits(s->connector_type, c->standard, s->evse->country))
            continue;
        if (!s->connector || c->power_w > s->connector->power_w ||
            (c->power_w == s->connector->power_w &&
             text_compare_caseless(c->id, s->connector->id) < 0))
            s->connector = c;
    }
    if (!s->connector)
        return err_at(f->arena, ERR_CONNECTOR_MISMATCH, "connector_type",
                      "EVSE %s has no connector of type %s.", s->evse->evse_id,
                      s->connector_type ? s->connector_type : "any");
    return OK;
}

static struct err choose(struct flow *f, struct start *s)
{
    TRY(choose_evse(f, s));
    TRY(check_startable(f, s->evse));
    TRY(choose_connector(f, s));
    if (strcmp(s->evse->network_state, "offline") == 0)
        return err_at(f->arena, ERR_PEER_UNREACHABLE, NULL,
                      "%s is offline; it is asked regularly whether it is back.", s->evse->network);
    if (network_breaker_open(s->evse->partner_id))
        return err_at(f->arena, ERR_PEER_UNREACHABLE, NULL, "%s cannot be reached at the moment.",
                      s->evse->network);
    return OK;
}

static enum flow_next choose_place(struct flow *f)
{
    struct start *s = f->state;

    s->refusal = choose(f, s);
    if (failed(s->refusal) && s->idempotency.key)
        return idempotency_find(f, &s->idempotency, &s->earlier);
    return FLOW_NEXT;
}

static enum flow_next refuse_or_go_on(struct flow *f)
{
    struct start *s = f->state;

    if (!failed(s->refusal))
        return FLOW_NEXT;
    if (idempotency_answered(f, &s->earlier))
        return FLOW_DONE;
    return flow_fail(f, s->refusal);
}

/* ---- the price ---- */

static enum flow_next open_book(struct flow *f)
{
    struct start *s = f->state;

    s->offer = (struct offer){
        .evse = s->evse, .connector = s->connector, .user_id = request_of(f)->caller.user_id};
    return offer_begin(f, &s->offer);
}

static enum flow_next read_prices(struct flow *f)
{
    struct start *s = f->state;

    return offer_read(f, &s->offer);
}

/* ---- the hold ---- */

static enum flow_next hold_amount(struct flow *f)
{
    struct start *s = f->state;

    offer_make(f, &s->offer, time_now_us());
    s->hold = (struct hold){
        .user_id = request_of(f)->caller.user_id,
        .idempotency = &s->idempotency,
        .price = s->offer.quoted ? &s->offer.price : NULL,
        .target_u6 = s->target_mwh,
    };
    return hold_begin(f, &s->hold);
}

/* ---- storing ---- */

static char *answer_body(struct arena *a, const char *id, const char *evse_id, const char *network)
{
    struct text t;

    text_init(&t, a, 4096);
    json_begin_object(&t, NULL);
    json_put_text(&t, "session_id", id);
    json_put_text(&t, "status", "pending");
    json_put_text(&t, "evse_id", evse_id);
    json_put_text(&t, "network", network);
    json_end_object(&t);
    return t.bytes;
}

static enum flow_next store(struct flow *f)
{
    struct start *s = f->state;
    const struct settings *settings = hub_of(f)->settings;
    const struct caller *caller = &request_of(f)->caller;

    s->ask = (struct session_start){
        .user_id = caller->user_id,
        .robot_id = caller->robot_id,
        .evse_id = s->evse_id,
        .network = s->evse->network,
        .partner_id = s->evse->partner_id,
        .country_code = s->evse->country_code,
        .party_id = s->evse->party_id,
        .location_id = s->evse->location_id,
        .evse_uid = s->evse->uid,
        .connector_id = s->connector->id,
        .send_connector_id = evse_has_capability(s->evse, "START_SESSION_CONNECTOR_REQUIRED"),
        .profiles = evse_has_capability(s->evse, "CHARGING_PROFILE_CAPABLE"),
        .battery_target_mwh = s->target_mwh,
        /* 2.1.1 returns no reference: the token alone tells whose session it is (R-REST-02). */
        .own_token_per_start = s->evse->network_ocpi == OCPI_2_1_1,
        .user_reference = s->user_reference,
        .currency = settings->default_currency,
        .max_open_per_user = (int)settings->max_open_sessions,
        .start_grace_s = settings->start_grace_ms / 1000,
        .idempotency = s->idempotency,
    };
    if (s->offer.quoted) {
        offer_quote(f, &s->offer,
                    offer_language(http_header(request_of(f)->http, "Accept-Language")), &s->quote);
        s->ask.quote = &s->quote;
    }
    s->ask.tariff_ids = s->connector->tariff_ids;
    s->ask.tariff_count = s->connector->tariff_count;
    s->ask.credit_minor = s->offer.context.credit_minor;
    s->ask.credit_currency = s->offer.context.credit_currency;
    if (s->hold.held) { /* what is held is the limit, whatever the user's group has */
        s->ask.credit_minor = s->hold.amount_minor;
        s->ask.credit_currency = s->hold.currency;
        text_copy(s->ask.id, sizeof s->ask.id, s->hold.session_id);
    } else {
        id_uuid_v7(s->ask.id);
    }
    s->ask.answer_body = answer_body(f->arena, s->ask.id, s->evse_id, s->evse->network);
    return session_start(f, &s->ask, &s->started);
}

static enum flow_next answer(struct flow *f)
{
    struct start *s = f->state;
    struct problem_extra running = {"session_id", s->started.running_session_id};

    if (s->started.outcome != START_STORED)
        hold_release(hub_of(f), &s->hold);
    switch (s->started.outcome) {
    case START_STORED:
        after_session_change(hub_of(f), &s->started.session);
        return reply_json_text(f, 200, s->ask.answer_body);
    case START_REPLAY:
        return reply_replay(f, &s->started.replay);
    case START_KEY_REUSED:
        return flow_fail(f, err_new(ERR_IDEMPOTENCY_REUSED));
    case START_KEY_RUNNING:
        return flow_fail(f, err_new(ERR_IDEMPOTENCY_RUNNING));
    case START_EVSE_BUSY:
        return reply_problem(f, ERR_EVSE_BUSY, NULL, 0, &running, 1);
    case START_LIMIT:
        return flow_fail(f, err_new(ERR_SESSION_LIMIT));
    case START_EVSE_GONE:
        return flow_fail(f, err_new(ERR_EVSE_NOT_STARTABLE));
    }
    return flow_fail(f, err_new(ERR_INTERNAL));
}

static const struct flow_step steps[] = {
    {"check the body", check_body},
    {"find the EVSE", find_evse},
    {"choose EVSE and connector", choose_place},
    {"refuse or go on", refuse_or_go_on},
    {"open the book of prices", open_book},
    {"read what else the price needs", read_prices},
    {"hold the amount", hold_amount},
    {"store session, operation and quote", store},
    {"answer", answer},
    {0},
};

const struct flow_type start_session_flow = {
    .name = "start_session",
    .state_size = sizeof(struct start),
    .deadline_ms = SECONDS(35), /* above that of the hold */
    .steps = steps,
};
