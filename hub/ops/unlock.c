/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unlock: an operator frees a connector (R-CMD-06: never a driver). The command goes out once; its
 * outcome is in the operation.
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/location.h"
#include "db/operation.h"
#include "hub/ops/ops.h"
#include "hub/ops/watch.h"
#include "hub/request.h"
#include "ocpi/evse_id.h"

struct unlock {
    char key[EVSE_ID_KEY];
    struct evses found;
    struct unlock_ask ask;
    struct watch watch;
};

static enum flow_next find(struct flow *f)
{
    struct unlock *u = f->state;

    if (!evse_id_key(request_of(f)->params[0], u->key))
        return flow_fail(f, err_new(ERR_EVSE_NOT_FOUND));
    return evse_find(f, u->key, &u->found);
}

static enum flow_next store(struct flow *f)
{
    struct unlock *u = f->state;
    const char *connector = json_text_of(request_of(f)->json, "connector_id");
    const struct evse *e = u->found.items;

    if (!u->found.count)
        return flow_fail(f, err_new(ERR_EVSE_NOT_FOUND));
    if (u->found.count > 1)
        return flow_fail(f, err_new(ERR_EVSE_AMBIGUOUS));
    if (!connector && e->connector_count == 1)
        connector = e->connectors[0].id;
    bool known = false;
    for (size_t i = 0; connector && i < e->connector_count; i++)
        known |= text_equal_caseless(connector, e->connectors[i].id);
    if (!known)
        return flow_fail(f, err_at(f->arena, ERR_CONNECTOR_MISMATCH, "connector_id",
                                   "connector_id must name a connector of EVSE %s", e->evse_id));
    u->ask = (struct unlock_ask){
        e->partner_id, e->country_code,           e->party_id, e->location_id, e->uid,
        connector,     request_of(f)->caller.name};
    return operation_unlock(f, &u->ask, &u->watch.operation_id);
}

static enum flow_next watch(struct flow *f)
{
    struct unlock *u = f->state;

    return watch_operation(f, &u->watch);
}

static enum flow_next answer(struct flow *f)
{
    const struct watch *u = &((struct unlock *)f->state)->watch;
    struct text t;

    text_init(&t, f->arena, 4096);
    json_begin_object(&t, NULL);
    json_put_int(&t, "operation_id", u->operation_id);
    json_put_text(&t, "status",
                  !u->state.finished                          ? "submitted"
                  : u->state.outcome == OCPI_OUTCOME_ACCEPTED ? "completed"
                                                              : "failed");
    json_put_text(&t, "outcome", u->state.finished ? ocpi_outcome_name(u->state.outcome) : NULL);
    json_end_object(&t);
    return reply_json(f, u->state.finished ? 200 : 202, &t);
}

static const struct flow_step steps[] = {
    {"find the EVSE", find},
    {"store the operation", store},
    {"send it and watch", watch},
    {"answer", answer},
    {0},
};

const struct flow_type unlock_evse_flow = {
    .name = "unlock_evse",
    .state_size = sizeof(struct unlock),
    .deadline_ms = SECONDS(20),
    .steps = steps,
};
