/* SPDX-License-Identifier: Apache-2.0 */
/* Tariffs, receiver: a CPO tells us its prices. PATCH exists in 2.1.1 only (R-TAR-15). */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/partner.h"
#include "db/tariff.h"
#include "hub/partner/door.h"
#include "hub/partner/intake.h"
#include "hub/partner/partner_api.h"
#include "hub/request.h"
#include "ocpi/object.h"

struct tariff_write {
    struct tariff_key key;
    struct intake in;
    struct stored_object stored;
    enum { READ, MERGE, SEE } phase; /* of a PATCH */
    int tries;
    struct tariff_put put;
    struct tariff_stored result;
    bool found;
};

static struct err read_path(struct flow *f, struct tariff_write *w)
{
    const struct request *r = request_of(f);

    TRY(partner_door_party(f, r->params[0], r->params[1]));
    w->in = intake_of_request(f, r->params[0], r->params[1]);
    w->key = (struct tariff_key){r->caller.partner->id, r->params[0], r->params[1], r->params[2]};
    return OK;
}

static enum flow_next read_stored(struct flow *f)
{
    struct tariff_write *w = f->state;

    FLOW_TRY(f, read_path(f, w));
    return tariff_get(f, &w->key, &w->stored);
}

static struct err unknown(const char *rule)
{
    return err_rule(err_new(ERR_OBJECT_NOT_FOUND), rule);
}

/* The stored Tariff in the version in which the partner speaks now (R-BR-01). */
static struct err read_whole(struct flow *f, const struct tariff_write *w, json_t **ret)
{
    return intake_stored(f, &w->in, "Tariff", &w->stored, ret);
}

static enum flow_next show(struct flow *f)
{
    struct tariff_write *w = f->state;
    json_t *document;
    size_t length;

    if (!w->stored.found)
        return flow_fail(f, unknown("R-TRANS-33"));
    FLOW_TRY(f, read_whole(f, w, &document));
    return reply_ocpi(f, 200, json_text(f->arena, document, &length));
}

static const struct flow_step get_steps[] = {
    {"read the Tariff", read_stored}, {"show it", show}, {0}};
const struct flow_type tariff_get_flow = {
    .name = "tariff_get",
    .state_size = sizeof(struct tariff_write),
    .deadline_ms = SECONDS(10),
    .steps = get_steps,
};

static enum flow_next put_whole(struct flow *f, struct tariff_write *w, const json_t *document)
{
    FLOW_TRY(f, intake_tariff_of(f, &w->in, document, &w->put));
    FLOW_TRY(f, intake_same(f, "/country_code", w->key.country_code, w->put.key.country_code));
    FLOW_TRY(f, intake_same(f, "/party_id", w->key.party_id, w->put.key.party_id));
    FLOW_TRY(f, intake_same(f, "/id", w->key.tariff_id, w->put.key.tariff_id));
    w->put.if_version = w->stored.version; /* 0 for a PUT, which reads nothing */
    return tariff_put(f, &w->put, &w->result);
}

static enum flow_next check_and_store(struct flow *f)
{
    struct tariff_write *w = f->state;

    FLOW_TRY(f, read_path(f, w));
    return put_whole(f, w, request_of(f)->json);
}

static enum flow_next answer(struct flow *f)
{
    struct tariff_write *w = f->state;

    return reply_ocpi(f, w->result.created ? 201 : 200, NULL);
}

static const struct flow_step put_steps[] = {
    {"check and store", check_and_store}, {"answer", answer}, {0}};
const struct flow_type tariff_put_flow = {
    .name = "tariff_put",
    .state_size = sizeof(struct tariff_write),
    .deadline_ms = SECONDS(10),
    .steps = put_steps,
};

static enum flow_next check_patch(struct flow *f)
{
    struct tariff_write *w = f->state;

    FLOW_TRY(f, read_path(f, w));
    FLOW_TRY(f, intake_check_patch(f, &w->in, "Tariff", request_of(f)->json));
    return FLOW_NEXT;
}

static enum flow_next merge(struct flow *f, struct tariff_write *w)
{
    json_t *patch = request_of(f)->json, *stored, *merged;

    if (!w->stored.found) /* the sender falls back to PUT */
        return flow_fail(f, unknown("R-TRANS-14"));
    FLOW_TRY(f, read_whole(f, w, &stored));
    intake_stamp(&w->in, patch, stored);
    FLOW_TRY(f, object_merge(object_type_find(w->in.version, "Tariff"), stored, patch,
                             &w->in.partner->peer.leniency, f->arena, &merged));
    return put_whole(f, w, merged);
}

static enum flow_next merge_and_store(struct flow *f)
{
    struct tariff_write *w = f->state;

    switch (w->phase) {
    case READ:
        w->phase = MERGE;
        tariff_get(f, &w->key, &w->stored);
        return FLOW_AGAIN;
    case MERGE:
        w->phase = SEE;
        return merge(f, w) == FLOW_FAILED ? FLOW_FAILED : FLOW_AGAIN;
    case SEE:
        if (!w->result.conflict)
            return FLOW_NEXT;
        if (!intake_once_more(f, &w->tries))
            return flow_fail(f, err_new(ERR_OVERLOADED));
        w->phase = READ;
        return FLOW_AGAIN;
    }
    return flow_fail(f, err_new(ERR_INTERNAL));
}

static const struct flow_step patch_steps[] = {
    {"check the body", check_patch}, {"merge and store", merge_and_store}, {"answer", answer}, {0}};
const struct flow_type tariff_patch_flow = {
    .name = "tariff_patch",
    .state_size = sizeof(struct tariff_write),
    .deadline_ms = SECONDS(10),
    .steps = patch_steps,
};

static enum flow_next forget(struct flow *f)
{
    struct tariff_write *w = f->state;

    FLOW_TRY(f, read_path(f, w));
    return tariff_delete(f, &w->key, &w->found);
}

static enum flow_next confirm(struct flow *f)
{
    struct tariff_write *w = f->state;

    if (!w->found)
        return flow_fail(f, unknown("R-TAR-16"));
    return reply_ocpi(f, 200, NULL);
}

static const struct flow_step delete_steps[] = {
    {"leave a tombstone", forget}, {"confirm", confirm}, {0}};
const struct flow_type tariff_delete_flow = {
    .name = "tariff_delete",
    .state_size = sizeof(struct tariff_write),
    .deadline_ms = SECONDS(10),
    .steps = delete_steps,
};
