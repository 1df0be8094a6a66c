/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Callbacks: the asynchronous results of what we asked (R-ASYNC). The id in the URL names the
 * operation; only the partner it was given to is heard, everybody else finds nothing (R-ASYNC-11).
 * What is none of ours may be the result of what another party asked (hub/relay/results.c).
 */
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "db/operation.h"
#include "db/partner.h"
#include "hub/jobs/jobs.h"
#include "hub/partner/partner_api.h"
#include "hub/relay/relay.h"
#include "hub/request.h"
#include "ocpi/charging_profile.h"
#include "ocpi/object.h"
#include "ocpi/outcome.h"
#include "ocpi/types.h"

enum { CALLBACK_ID = 32 };

struct callback {
    const char *id; /* without the number of the attempt */
    bool known;
    enum operation_kind kind;
    struct operation_result result;
    struct operation_resulted done;
};

static enum flow_next find(struct flow *f)
{
    struct callback *c = f->state;
    const struct request *r = request_of(f);

    c->id = r->params[0];
    if (strlen(c->id) > CALLBACK_ID && c->id[CALLBACK_ID] == '-')
        c->id = arena_bytes(f->arena, c->id, CALLBACK_ID);
    return operation_kind_of(f, c->id, r->caller.partner->id, &c->known, &c->kind);
}

static struct err unknown(void)
{
    return err_rule(err_new(ERR_OBJECT_NOT_FOUND), "R-ASYNC-11");
}

static enum outcome_ask ask_of(enum operation_kind kind)
{
    switch (kind) {
    case OPERATION_START:
        return OUTCOME_OF_START;
    case OPERATION_STOP:
        return OUTCOME_OF_STOP;
    case OPERATION_UNLOCK:
        return OUTCOME_OF_UNLOCK;
    case OPERATION_PROFILE_SET:
        return OUTCOME_OF_SET_PROFILE;
    case OPERATION_PROFILE_CLEAR:
        return OUTCOME_OF_CLEAR_PROFILE;
    case OPERATION_PROFILE_GET:
        return OUTCOME_OF_GET_PROFILE;
    case OPERATION_RESERVE:
        return OUTCOME_OF_RESERVE;
    case OPERATION_CANCEL_RESERVATION:
        return OUTCOME_OF_CANCEL_RESERVATION;
    }
    return OUTCOME_OF_START;
}

/* message: a list of DisplayText, or left out; 2.1.1 has none. */
static struct err check_message(struct flow *f, const json_t *body)
{
    const json_t *list = json_object_get(body, "message");

    if (!list || json_is_null(list) || request_of(f)->version == OCPI_2_1_1)
        return OK;
    if (!json_is_array(list))
        return err_rule(err_at(f->arena, ERR_BAD_FIELD, "/message", "/message: must be a list"),
                        "R-TYPE-12");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (failed(object_check(&ocpi_display_text_type, json_array_get(list, i),
                                &request_of(f)->caller.partner->peer.leniency, f->arena)))
            return err_rule(err_at(f->arena, ERR_BAD_FIELD,
                                   arena_printf(f->arena, "/message/%zu", i),
                                   "/message/%zu: is no DisplayText", i),
                            "R-TYPE-11");
    return OK;
}

/* The profile that was asked for, kept for whoever waits for it. */
static enum flow_next keep_profile(struct flow *f)
{
    struct callback *c = f->state;
    const struct request *r = request_of(f);
    const struct partner *p = r->caller.partner;
    const json_t *profile = json_object_of(r->json, "profile");
    size_t length;

    if (!c->known || c->kind != OPERATION_PROFILE_GET || !profile)
        return FLOW_NEXT;
    FLOW_TRY(
        f, object_check(&ocpi_active_charging_profile_type, profile, &p->peer.leniency, f->arena));
    return operation_keep_document(f, c->id, p->id, json_text(f->arena, profile, &length));
}

/* An unknown word counts as a failure and is kept; a missing one is an error. */
static enum flow_next store(struct flow *f)
{
    struct callback *c = f->state;
    const struct request *r = request_of(f);
    const char *word = json_text_of(r->json, "result");

    if (!c->known) {
        flow_become(f, &relay_result_flow);
        return FLOW_NEXT;
    }
    if (!word)
        return flow_fail(f, err_rule(err_at(f->arena, ERR_BAD_FIELD, "/result",
                                            "/result: is required and must be a text"),
                                     "R-TYPE-12"));
    FLOW_TRY(f, check_message(f, r->json));
    struct outcome outcome = outcome_of_result(ask_of(c->kind), word);
    c->result = (struct operation_result){
        .callback_id = c->id,
        .partner_id = r->caller.partner->id,
        .outcome = outcome.kind,
        .failure_code = outcome.failure_code,
        .raw = json_text_of(r->json, "result"),
    };
    return operation_result(f, &c->result, &c->done);
}

static enum flow_next tell_and_answer(struct flow *f)
{
    struct callback *c = f->state;

    if (!c->done.found)
        return flow_fail(f, unknown());
    metric_add(METRIC_CALLBACKS, operation_kind_name(c->kind),
               c->done.applied ? "applied" : "duplicate", NULL, 1);
    log_line(LOG_INFO, "command result", LOG_TEXT("command", operation_kind_name(c->kind)),
             LOG_TEXT("result", c->result.raw), LOG_BOOL("applied", c->done.applied),
             LOG_TEXT("session_id", c->done.session.id),
             LOG_TEXT("correlation_id", f->correlation_id));
    after_session_change(hub_of(f), &c->done.session);
    return reply_ocpi(f, 200, NULL); /* without data (R-ASYNC-05) */
}

static const struct flow_step steps[] = {
    {"find the operation", find},
    {"keep the profile", keep_profile},
    {"store the result", store},
    {"tell and answer", tell_and_answer},
    {0},
};

const struct flow_type callback_flow = {
    .name = "callback",
    .state_size = sizeof(struct callback),
    .deadline_ms = SECONDS(10),
    .steps = steps,
};

/* ---- ActiveChargingProfile (R-CP-03) ---- */

struct active_profile {
    bool known;                  /* a session of ours at this CPO ... */
    bool set;                    /* ... for which a profile was asked for */
    struct profile_setter other; /* ... or by another party */
};

static enum flow_next find_session(struct flow *f)
{
    struct active_profile *a = f->state;
    const struct request *r = request_of(f);

    FLOW_TRY(f, object_check(object_type_find(r->version, "ActiveChargingProfile"), r->json,
                             &r->caller.partner->peer.leniency, f->arena));
    return operation_profile_find(f, r->caller.partner->id, r->params[0], &a->known, &a->set);
}

static enum flow_next find_setter(struct flow *f)
{
    struct active_profile *a = f->state;
    const struct request *r = request_of(f);

    return a->set ? FLOW_NEXT : profile_setter_find(f, &r->caller.from, r->params[0], &a->other);
}

/* Kept in the message log; the limit that counts is what the session then draws. */
static enum flow_next take(struct flow *f)
{
    const struct active_profile *a = f->state;
    const json_t *profile = json_object_of(request_of(f)->json, "charging_profile");

    if (a->other.found) {
        flow_become(f, &relay_active_profile_flow);
        return FLOW_NEXT;
    }
    if (!a->known)
        return flow_fail(f, err_rule(err_new(ERR_OBJECT_NOT_FOUND), "R-CP-03"));
    if (!a->set)
        return flow_fail(f, err_rule(err_at(f->arena, ERR_BAD_FIELD, NULL,
                                            "no charging profile was set for this session"),
                                     "R-CP-03"));
    log_line(LOG_INFO, "a charging profile is active",
             LOG_TEXT("network_session_id", request_of(f)->params[0]),
             LOG_TEXT("unit", json_text_of(profile, "charging_rate_unit")),
             LOG_INT("periods",
                     (int64_t)json_array_size(json_array_of(profile, "charging_profile_period"))),
             LOG_TEXT("partner", request_of(f)->caller.partner->name));
    return reply_ocpi(f, 200, NULL);
}

static const struct flow_step profile_steps[] = {
    {"find the session", find_session},
    {"find who else has set a profile", find_setter},
    {"check and acknowledge", take},
    {0},
};
const struct flow_type active_profile_flow = {
    .name = "active_profile",
    .state_size = sizeof(struct active_profile),
    .deadline_ms = SECONDS(10),
    .steps = profile_steps,
};
