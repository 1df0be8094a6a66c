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
#include "ocpi/object.h"
#include "ocpi/session.h"

enum { TRIES = 5 };

struct session_write {
    struct network_session_key key;
    enum { READ, MERGE, SEE } phase;
    int tries;
    struct stored_object stored;
    struct network_session_put put;
    struct network_session_stored result;
};

static struct err read_path(struct flow *f, struct session_write *w)
{
    const struct request *r = request_of(f);

    TRY(partner_door_party(f, r->params[0], r->params[1]));
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

static enum flow_next show(struct flow *f)
{
    struct session_write *w = f->state;

    if (!w->stored.found)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    return reply_ocpi(f, 200, w->stored.document);
}

static const struct flow_step get_steps[] = {
    {"read the Session", read_stored}, {"show it", show}, {0}};
const struct flow_type session_get_flow = {
    .name = "session_get",
    .state_size = sizeof(struct session_write),
    .deadline_ms = SECONDS(10),
    .steps = get_steps,
};

/* ---- PUT and PATCH ---- */

static struct err check_identity(struct flow *f, const struct session_write *w)
{
    TRY(intake_same(f, "/country_code", w->key.country_code, w->put.key.country_code));
    TRY(intake_same(f, "/party_id", w->key.party_id, w->put.key.party_id));
    return intake_same(f, "/id", w->key.id, w->put.key.id);
}

static enum flow_next put_whole(struct flow *f)
{
    struct session_write *w = f->state;
    const struct request *r = request_of(f);

    FLOW_TRY(f, read_path(f, w));
    FLOW_TRY(f, intake_session(f, r->caller.partner, r->json, &w->put));
    FLOW_TRY(f, check_identity(f, w));
    return network_session_put(f, &w->put, &w->result);
}

static struct err merge(struct flow *f, struct session_write *w)
{
    const struct partner *p = request_of(f)->caller.partner;
    json_t *stored, *merged;

    if (!w->stored.found) /* the sender falls back to PUT (R-TRANS-14) */
        return err_new(ERR_OBJECT_NOT_FOUND);
    TRY(json_read(f->arena, w->stored.document, strlen(w->stored.document), 0, &stored));
    TRY(session_merge(stored, request_of(f)->json, &p->peer.leniency, f->arena, &merged));
    TRY(intake_session(f, p, merged, &w->put));
    return check_identity(f, w); /* a PATCH changes neither id nor owner (R-TRANS-13) */
}

static enum flow_next check_patch(struct flow *f)
{
    struct session_write *w = f->state;
    const struct request *r = request_of(f);

    FLOW_TRY(f, read_path(f, w));
    FLOW_TRY(f, object_check_patch(&ocpi_session_type, r->json, &r->caller.partner->peer.leniency,
                                   f->arena));
    return FLOW_NEXT;
}

static enum flow_next merge_and_put(struct flow *f)
{
    struct session_write *w = f->state;

    switch (w->phase) {
    case READ:
        w->phase = MERGE;
        network_session_get(f, &w->key, &w->stored);
        return FLOW_AGAIN;
    case MERGE:
        FLOW_TRY(f, merge(f, w));
        w->put.if_version = w->stored.version;
        w->phase = SEE;
        network_session_put(f, &w->put, &w->result);
        return FLOW_AGAIN;
    case SEE:
        if (w->result.outcome != NS_CONFLICT)
            return FLOW_NEXT;
        if (++w->tries == TRIES)
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
    after_session_change(hub_of(f), &w->result.session);
    return reply_ocpi(f, w->result.created ? 201 : 200, NULL);
}

static const struct flow_step put_steps[] = {
    {"check and store", put_whole}, {"tell and answer", tell_and_answer}, {0}};
const struct flow_type session_put_flow = {
    .name = "session_put",
    .state_size = sizeof(struct session_write),
    .deadline_ms = SECONDS(10),
    .steps = put_steps,
};

static const struct flow_step patch_steps[] = {{"check the body", check_patch},
                                               {"merge and store", merge_and_put},
                                               {"tell and answer", tell_and_answer},
                                               {0}};
const struct flow_type session_patch_flow = {
    .name = "session_patch",
    .state_size = sizeof(struct session_write),
    .deadline_ms = SECONDS(10),
    .steps = patch_steps,
};
