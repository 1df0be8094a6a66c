/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDRs, receiver: the final record of a charge. Stored once, in the bytes in which it came; the
 * receipt is written in the same statement (db/cdr.h).
 */
#include "base/metrics.h"
#include "base/time.h"
#include "db/cdr.h"
#include "db/partner.h"
#include "hub/jobs/jobs.h"
#include "hub/partner/intake.h"
#include "hub/partner/partner_api.h"
#include "hub/request.h"
#include "hub/server/http_server.h"

struct cdr_write {
    struct cdr_put put;
    struct cdr_stored result;
    struct cdr_body body;
};

static enum flow_next check_and_store(struct flow *f)
{
    struct cdr_write *w = f->state;
    const struct request *r = request_of(f);

    FLOW_TRY(f, intake_cdr(f, r->caller.partner, r->json, r->http->body, r->http->body_length,
                           &w->put));
    return cdr_put(f, &w->put, &w->result);
}

static enum flow_next tell_and_answer(struct flow *f)
{
    struct cdr_write *w = f->state;
    bool stored = w->result.outcome == CDR_STORED;

    metric_add(METRIC_CALLBACKS, "cdr",
               w->result.outcome == CDR_CONFLICT ? "anomaly"
               : stored                          ? "applied"
                                                 : "duplicate",
               NULL, 1);
    if (w->result.outcome == CDR_CONFLICT)
        return flow_fail(f, err_at(f->arena, ERR_BAD_FIELD, "/id",
                                   "/id: a CDR with this id and other content is stored already; "
                                   "a CDR never changes (send a credit CDR, then a new one)"));
    after_session_change(hub_of(f), &w->result.session);
    struct reply_header location = {
        "Location", arena_printf(f->arena, "%s/ocpi/emsp/2.2.1/cdrs/%s", hub_of(f)->public_url,
                                 w->result.path)};
    return reply_ocpi_headers(f, stored ? 201 : 200, NULL, &location, 1);
}

static const struct flow_step post_steps[] = {
    {"check and store", check_and_store}, {"tell and answer", tell_and_answer}, {0}};
const struct flow_type cdr_post_flow = {
    .name = "cdr_post",
    .state_size = sizeof(struct cdr_write),
    .deadline_ms = SECONDS(20),
    .steps = post_steps,
};

static enum flow_next read_stored(struct flow *f)
{
    struct cdr_write *w = f->state;
    const struct request *r = request_of(f);

    return cdr_get(f, r->caller.partner->id, r->params[0], &w->body);
}

static enum flow_next show(struct flow *f)
{
    struct cdr_write *w = f->state;

    if (!w->body.found)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    return reply_ocpi(f, 200, w->body.body);
}

static const struct flow_step get_steps[] = {{"read the CDR", read_stored}, {"show it", show}, {0}};
const struct flow_type cdr_get_flow = {
    .name = "cdr_get",
    .state_size = sizeof(struct cdr_write),
    .deadline_ms = SECONDS(10),
    .steps = get_steps,
};
