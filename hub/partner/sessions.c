/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions, receiver: a CPO tells us how a charge goes on. What it means for our session is
 * decided in the statement that stores it (db/network_session.h).
 */
#include <string.h>

#include "base/json.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/time.h"
#include "db/network_session.h"
#include "db/partner.h"
#include "hub/jobs/jobs.h"
#include "hub/partner/door.h"
#include "hub/partner/intake.h"
#include "hub/partner/partner_api.h"
#include "hub/request.h"
#include "hub/server/http_server.h"
#include "ocpi/object.h"
#include "ocpi/session.h"

struct session_write {
    struct network_session_key key;
    struct intake in;
    enum { READ, KNOW, MERGE, ASK, PUT, SEE } phase;
    bool patch;
    int tries;
    struct stored_object stored;
    json_t *document; /* the whole Session, changed */
    struct token_owner owner;
    struct network_session_put put;
    struct network_session_stored result;
};

static struct err read_path(struct flow *f, struct session_write *w)
{
    const struct request *r = request_of(f);

    TRY(partner_door_party(f, r->params[0], r->params[1]));
    w->in = intake_of_request(f, r->params[0], r->params[1]);
    w->key = (struct network_session_key){r->caller.partner->id, r->params[0], r->params[1],
                                          r->params[2]};
    return OK;
}

/* ---- GET ---- */

static enum flow_next read_stored(struct flow *f)
{
    struct session_write *w = f->state;

    FLOW_TRY(f, read_path(f, w));
    return network_session_get(f, &w->key, &w->stored);
}

/* The stored Session in the version in which the partner speaks now (R-BR-01). */
static struct err read_whole(struct flow *f, const struct session_write *w, json_t **ret)
{
    return intake_stored(f, &w->in, "Session", &w->stored, ret);
}

/* A Session that was told in 2.1.1 does not say whose token it is. */
static enum flow_next ask_for_stored_token(struct flow *f)
{
    struct session_write *w = f->state;
    const char *auth_id = intake_stored_auth_id(f, &w->in, &w->stored);

    if (!auth_id)
        return FLOW_NEXT;
    w->in.token = &w->owner;
    return token_owner_find(f, w->in.partner->id, auth_id, &w->owner);
}

static enum flow_next show(struct flow *f)
{
    struct session_write *w = f->state;
    json_t *document;
    size_t length;

    if (!w->stored.found)
        return flow_fail(f, err_rule(err_new(ERR_OBJECT_NOT_FOUND), "R-TRANS-33"));
    FLOW_TRY(f, read_whole(f, w, &document));
    return reply_ocpi(f, 200, json_text(f->arena, document, &length));
}

static const struct flow_step get_steps[] = {{"read the Session", read_stored},
                                             {"ask whose token it is", ask_for_stored_token},
                                             {"show it", show},
                                             {0}};
const struct flow_type session_get_flow = {
    .name = "session_get",
    .state_size = sizeof(struct session_write),
    .deadline_ms = SECONDS(10),
    .steps = get_steps,
};

/* ---- PUT and PATCH ---- */

/* The owner stands in no Session of 2.1.1. */
static struct err check_identity(struct flow *f, const struct session_write *w)
{
    TRY(intake_same(f, "/country_code", w->key.country_code, w->put.key.country_code));
    TRY(intake_same(f, "/party_id", w->key.party_id, w->put.key.party_id));
    return intake_same(f, "/id", w->key.id, w->put.key.id);
}

static enum flow_next check(struct flow *f)
{
    struct session_write *w = f->state;
    const struct request *r = request_of(f);

    w->patch = strcmp(r->http->method, "PATCH") == 0;
    FLOW_TRY(f, read_path(f, w));
    if (w->patch) {
        FLOW_TRY(f, intake_check_patch(f, &w->in, "Session", r->json));
        return FLOW_NEXT;
    }
    if (w->in.version == OCPI_2_1_1) /* else its intake does */
        FLOW_TRY(f, intake_check(f, &w->in, "Session", r->json));
    w->document = r->json;
    w->phase = ASK;
    return FLOW_NEXT;
}

static int64_t start_of(const json_t *periods, size_t index)
{
    const char *text = json_text_of(json_array_get(periods, index), "start_date_time");
    int64_t us;

    return text && time_parse(text, TIME_OCPI_ANY_OFFSET, &us) ? us : TIME_NONE;
}

/* 2.1.1 does not say whether a PATCH adds periods or gives all of them: those that begin after the
 * last stored one are added (R-SESS-08). */
static bool replaces_periods(const struct session_write *w, const json_t *stored,
                             const json_t *patch)
{
    const json_t *old = json_array_of(stored, "charging_periods");
    const json_t *new = json_array_of(patch, "charging_periods");

    if (w->in.version != OCPI_2_1_1 || !json_array_size(old) || !json_array_size(new))
        return false;
    return start_of(new, 0) <= start_of(old, json_array_size(old) - 1);
}

static struct err merge(struct flow *f, struct session_write *w)
{
    const struct object_leniency *leniency = &w->in.partner->peer.leniency;
    const struct object_type *type = object_type_find(w->in.version, "Session");
    json_t *patch = request_of(f)->json, *stored;

    if (!w->stored.found) /* the sender falls back to PUT */
        return err_rule(err_new(ERR_OBJECT_NOT_FOUND), "R-TRANS-14");
    TRY(read_whole(f, w, &stored));
    intake_stamp(&w->in, patch, stored);
    if (replaces_periods(w, stored, patch))
        return object_merge(type, stored, patch, leniency, f->arena, &w->document);
    return session_merge_as(type, stored, patch, leniency, f->arena, &w->document);
}

/* A PATCH changes neither id nor owner (R-TRANS-13). */
static struct err take(struct flow *f, struct session_write *w)
{
    if (w->in.version == OCPI_2_1_1)
        w->in.token = &w->owner;
    TRY(intake_session_of(f, &w->in, w->document, &w->put));
    TRY(check_identity(f, w));
    TRY(intake_check_receiver(f, "Session", w->put.key.id, w->put.token_country_code,
                              w->put.token_party_id));
    w->put.if_version = w->patch ? w->stored.version : 0;
    return OK;
}

static enum flow_next store(struct flow *f)
{
    struct session_write *w = f->state;
    const char *auth_id;

    switch (w->phase) {
    case READ:
        w->phase = KNOW;
        network_session_get(f, &w->key, &w->stored);
        return FLOW_AGAIN;
    case KNOW:
        w->phase = MERGE;
        ask_for_stored_token(f);
        return FLOW_AGAIN;
    case MERGE:
        FLOW_TRY(f, merge(f, w));
        w->phase = ASK;
        return FLOW_AGAIN;
    case ASK:
        w->phase = PUT;
        auth_id = intake_auth_id(&w->in, w->document);
        if (auth_id)
            token_owner_find(f, w->in.partner->id, auth_id, &w->owner);
        return FLOW_AGAIN;
    case PUT:
        FLOW_TRY(f, take(f, w));
        w->phase = SEE;
        network_session_put(f, &w->put, &w->result);
        return FLOW_AGAIN;
    case SEE:
        if (!w->patch || w->result.outcome != NS_CONFLICT)
            return FLOW_NEXT;
        if (!intake_once_more(f, &w->tries))
            return flow_fail(f, err_new(ERR_OVERLOADED));
        w->phase = READ;
        return FLOW_AGAIN;
    }
    return flow_fail(f, err_new(ERR_INTERNAL));
}

static enum flow_next tell_and_answer(struct flow *f)
{
    static const char *const OUTCOMES[] = {[NS_APPLIED] = "applied",
                                           [NS_DUPLICATE] = "duplicate",
                                           [NS_STALE] = "stale",
                                           [NS_ANOMALY] = "anomaly",
                                           [NS_CONFLICT] = "anomaly"};
    struct session_write *w = f->state;

    metric_add(METRIC_CALLBACKS, "session", OUTCOMES[w->result.outcome], NULL, 1);
    if (w->result.created && !w->put.token_country_code)
        intake_note_stranger(w->in.partner, "Session", w->put.key.id);
    after_session_change(hub_of(f), &w->result.session);
    return reply_ocpi(f, w->result.created ? 201 : 200, NULL);
}

static const struct flow_step write_steps[] = {{"check the body", check},
                                               {"merge and store", store},
                                               {"tell and answer", tell_and_answer},
                                               {0}};
const struct flow_type session_put_flow = {
    .name = "session_put",
    .state_size = sizeof(struct session_write),
    .deadline_ms = SECONDS(10),
    .steps = write_steps,
};

const struct flow_type session_patch_flow = {
    .name = "session_patch",
    .state_size = sizeof(struct session_write),
    .deadline_ms = SECONDS(10),
    .steps = write_steps,
};
