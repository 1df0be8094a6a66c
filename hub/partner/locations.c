/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locations, receiver: a CPO tells us of its places, on three levels by the depth of the path
 * (R-LOC-01).
 *
 *   /locations/{cc}/{pid}/{location}                    a PUT is one statement
 *   /locations/{cc}/{pid}/{location}/{evse}             read the Location, put the part in its
 *   /locations/{cc}/{pid}/{location}/{evse}/{connector} place, write if it has not changed
 *                                                       meanwhile, else once more
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/location.h"
#include "db/partner.h"
#include "hub/partner/door.h"
#include "hub/partner/intake.h"
#include "hub/partner/partner_api.h"
#include "hub/request.h"
#include "hub/server/http_server.h"
#include "ocpi/object.h"

enum level { LEVEL_LOCATION, LEVEL_EVSE, LEVEL_CONNECTOR };

struct location_write {
    struct location_key key;
    struct intake in;
    enum level level;
    const char *evse_uid, *connector_id;
    bool patch;
    enum { READ, MERGE, SEE } phase;
    int tries;
    struct stored_object stored;
    json_t *document; /* the whole Location, changed */
    bool created;     /* a new EVSE or Connector */
    bool older;       /* the stored part is newer: success, nothing changes (R-TRANS-15) */
    struct location_put put;
    struct location_stored result;
};

static struct err read_path(struct flow *f, struct location_write *w)
{
    const struct request *r = request_of(f);

    TRY(partner_door_party(f, r->params[0], r->params[1]));
    w->in = intake_of_request(f, r->params[0], r->params[1]);
    w->key = (struct location_key){r->caller.partner->id, r->params[0], r->params[1], r->params[2]};
    w->evse_uid = r->params[3];
    w->connector_id = r->params[4];
    w->level = (enum level)(r->param_count - 3);
    return OK;
}

/* ---- GET ---- */

static json_t *part_by_id(const json_t *list, const char *key, const char *id, size_t *ret_index)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *part = json_array_get(list, i);
        const char *its_id = json_text_of(part, key);
        if (its_id && text_equal_caseless(its_id, id)) {
            if (ret_index)
                *ret_index = i;
            return part;
        }
    }
    return NULL;
}

static enum flow_next read_stored(struct flow *f)
{
    struct location_write *w = f->state;

    FLOW_TRY(f, read_path(f, w));
    return location_get(f, &w->key, &w->stored);
}

static struct err unknown(void)
{
    return err_rule(err_new(ERR_UNKNOWN_LOCATION), "R-TRANS-33");
}

/* The stored Location in the version in which the partner speaks now (R-BR-01). */
static struct err read_whole(struct flow *f, const struct location_write *w, json_t **ret)
{
    return intake_stored(f, &w->in, "Location", &w->stored, ret);
}

static enum flow_next show(struct flow *f)
{
    struct location_write *w = f->state;
    json_t *part;
    size_t length;

    if (!w->stored.found)
        return flow_fail(f, unknown());
    FLOW_TRY(f, read_whole(f, w, &part));
    if (w->level >= LEVEL_EVSE)
        part = part_by_id(json_array_of(part, "evses"), "uid", w->evse_uid, NULL);
    if (part && w->level == LEVEL_CONNECTOR)
        part = part_by_id(json_array_of(part, "connectors"), "id", w->connector_id, NULL);
    if (!part)
        return flow_fail(f, unknown());
    return reply_ocpi(f, 200, json_text(f->arena, part, &length));
}

static const struct flow_step get_steps[] = {
    {"read the Location", read_stored}, {"show the part", show}, {0}};
const struct flow_type location_get_flow = {
    .name = "location_get",
    .state_size = sizeof(struct location_write),
    .deadline_ms = SECONDS(10),
    .steps = get_steps,
};

/* ---- putting a part in its place ---- */

static const char *class_of(enum level level)
{
    static const char *const CLASSES[] = {"Location", "EVSE", "Connector"};
    return CLASSES[level];
}

static const struct object_type *type_of(const struct location_write *w)
{
    return object_type_find(w->in.version, class_of(w->level));
}

/* The id in the URL is the id in the body (R-TRANS-16, 17). */
static struct err check_id(struct flow *f, const json_t *body, const char *name, const char *id)
{
    const char *given = json_text_of(body, name);

    return given ? intake_same(f, arena_printf(f->arena, "/%s", name), id, given) : OK;
}

static struct err check_identity(struct flow *f, const struct location_write *w, const json_t *body)
{
    switch (w->level) {
    case LEVEL_LOCATION:
        TRY(check_id(f, body, "country_code", w->key.country_code));
        TRY(check_id(f, body, "party_id", w->key.party_id));
        return check_id(f, body, "id", w->key.location_id);
    case LEVEL_EVSE:
        return check_id(f, body, "uid", w->evse_uid);
    case LEVEL_CONNECTOR:
        return check_id(f, body, "id", w->connector_id);
    }
    return OK;
}

/* Parents are as new as their newest part and never go back (R-LOC-01). */
static void lift_updated(json_t *parent, const json_t *part)
{
    int64_t now = intake_updated(part), before = intake_updated(parent);

    if (now != TIME_NONE && (before == TIME_NONE || now > before))
        json_object_set(parent, "last_updated", json_object_get(part, "last_updated"));
}

/* R-TRANS-15; the part of 2.1.1 that says no time gets one. */
static bool is_older(const struct location_write *w, json_t *body, const json_t *stored)
{
    intake_stamp(&w->in, body, stored);
    return !w->in.partner->peer.quirks.unreliable_clock &&
           intake_updated(body) < intake_updated(stored);
}

static struct err put_part(struct flow *f, struct location_write *w, json_t *parent,
                           const char *list_name, const char *id_name, const char *id, json_t *body)
{
    json_t *list = json_object_get(parent, list_name);
    json_t *merged = body;
    size_t index;

    if (!json_is_array(list)) {
        list = json_array();
        json_object_set_new(parent, list_name, list);
    }
    json_t *stored = part_by_id(list, id_name, id, &index);
    if (!stored && w->patch)
        return err_rule(err_new(ERR_UNKNOWN_LOCATION), "R-TRANS-14");
    w->created = !stored;
    if (stored && is_older(w, body, stored)) {
        w->older = true;
        return OK;
    }
    if (w->patch)
        TRY(object_merge(type_of(w), stored, body, &request_of(f)->caller.partner->peer.leniency,
                         f->arena, &merged));
    if (stored)
        json_array_set(list, index, merged);
    else
        json_array_append(list, merged);
    lift_updated(parent, merged);
    return OK;
}

static struct err no_parent(const struct location_write *w)
{
    return err_rule(err_new(ERR_UNKNOWN_LOCATION),
                    w->level == LEVEL_LOCATION ? "R-TRANS-14" : "R-LOC-04");
}

/* Fills w->document from the stored one and the body. */
static struct err merge(struct flow *f, struct location_write *w)
{
    json_t *body = request_of(f)->json, *whole, *evse;

    if (!w->stored.found)
        return no_parent(w);
    TRY(read_whole(f, w, &whole));
    w->document = whole;
    if (w->level == LEVEL_LOCATION) {
        if (is_older(w, body, whole)) {
            w->older = true;
            return OK;
        }
        return object_merge(type_of(w), whole, body, &request_of(f)->caller.partner->peer.leniency,
                            f->arena, &w->document);
    }
    if (w->level == LEVEL_EVSE) {
        TRY(check_identity(f, w, body));
        return put_part(f, w, whole, "evses", "uid", w->evse_uid, body);
    }
    evse = part_by_id(json_array_of(whole, "evses"), "uid", w->evse_uid, NULL);
    if (!evse)
        return no_parent(w);
    TRY(check_identity(f, w, body));
    TRY(put_part(f, w, evse, "connectors", "id", w->connector_id, body));
    lift_updated(whole, evse);
    return OK;
}

static enum flow_next check(struct flow *f)
{
    struct location_write *w = f->state;
    const struct request *r = request_of(f);
    bool whole;

    w->patch = strcmp(r->http->method, "PATCH") == 0;
    FLOW_TRY(f, read_path(f, w));
    whole = w->level == LEVEL_LOCATION && !w->patch;
    if (w->patch)
        FLOW_TRY(f, intake_check_patch(f, &w->in, class_of(w->level), r->json));
    else if (!whole) /* which is checked by its intake */
        FLOW_TRY(f, intake_check(f, &w->in, class_of(w->level), r->json));
    if (!whole) {
        if (w->level == LEVEL_LOCATION) /* a part: once its parent is known to exist (R-LOC-04) */
            FLOW_TRY(f, check_identity(f, w, r->json));
        return FLOW_NEXT;
    }
    FLOW_TRY(f, intake_location_of(f, &w->in, r->json, &w->put));
    FLOW_TRY(f, check_identity(f, w, r->json));
    w->phase = SEE;
    return location_put(f, &w->put, &w->result);
}

static enum flow_next store(struct flow *f)
{
    struct location_write *w = f->state;

    switch (w->phase) {
    case READ:
        w->phase = MERGE;
        location_get(f, &w->key, &w->stored);
        return FLOW_AGAIN;
    case MERGE:
        FLOW_TRY(f, merge(f, w));
        if (w->older)
            return FLOW_NEXT;
        FLOW_TRY(f, intake_location_of(f, &w->in, w->document, &w->put));
        w->put.if_version = w->stored.version;
        w->put.ignore_older = false;
        w->phase = SEE;
        location_put(f, &w->put, &w->result);
        return FLOW_AGAIN;
    case SEE:
        if (w->result.outcome != LOCATION_CONFLICT)
            return FLOW_NEXT;
        if (!intake_once_more(f, &w->tries))
            return flow_fail(f, err_new(ERR_OVERLOADED));
        w->phase = READ;
        return FLOW_AGAIN;
    }
    return flow_fail(f, err_new(ERR_INTERNAL));
}

static enum flow_next answer(struct flow *f)
{
    struct location_write *w = f->state;
    bool created = !w->older && (w->result.outcome == LOCATION_CREATED || w->created);

    return reply_ocpi(f, created ? 201 : 200, NULL);
}

static const struct flow_step write_steps[] = {
    {"check the body", check},
    {"put it in its place", store},
    {"answer", answer},
    {0},
};

const struct flow_type location_put_flow = {
    .name = "location_put",
    .state_size = sizeof(struct location_write),
    .deadline_ms = SECONDS(10),
    .steps = write_steps,
};

const struct flow_type location_patch_flow = {
    .name = "location_patch",
    .state_size = sizeof(struct location_write),
    .deadline_ms = SECONDS(10),
    .steps = write_steps,
};
