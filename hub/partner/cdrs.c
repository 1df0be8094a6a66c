/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDRs, receiver: the final record of a charge. Stored once, in the bytes in which it came, priced
 * and billed before it is answered (hub/finance/intake.h).
 */
#include <string.h>

#include "base/json.h"
#include "base/metrics.h"
#include "base/time.h"
#include "db/cdr.h"
#include "db/partner.h"
#include "hub/finance/intake.h"
#include "hub/jobs/jobs.h"
#include "hub/partner/intake.h"
#include "hub/partner/partner_api.h"
#include "hub/request.h"
#include "hub/server/http_server.h"

struct cdr_write {
    struct intake in;
    struct token_owner owner;
    struct cdr_intake cdr;
    struct cdr_body body;
    struct stored_object stored;
};

/* Its owner stands in no CDR of 2.1.1, nor in the URL: it is the party of the connection. */
static enum flow_next ask_for_token(struct flow *f)
{
    struct cdr_write *w = f->state;
    const struct request *r = request_of(f);

    w->in = intake_of_request(f, NULL, NULL);
    if (w->in.version != OCPI_2_1_1) /* its intake checks it */
        return FLOW_NEXT;
    FLOW_TRY(f, intake_check(f, &w->in, "CDR", r->json));
    w->in.token = &w->owner;
    return token_owner_find(f, w->in.partner->id, intake_auth_id(&w->in, r->json), &w->owner);
}

static enum flow_next check(struct flow *f)
{
    struct cdr_write *w = f->state;
    const struct request *r = request_of(f);
    bool as_sent =
        r->http->body[strspn(r->http->body, " \t\r\n")] != '['; /* a list of one is a quirk */

    FLOW_TRY(f, intake_cdr_of(f, &w->in, r->json, as_sent ? r->http->body : NULL,
                              r->http->body_length, &w->cdr.put));
    FLOW_TRY(f, intake_check_receiver(f, "CDR", w->cdr.put.id, w->cdr.put.token_country_code,
                                      w->cdr.put.token_party_id));
    w->cdr.document = r->json;
    return FLOW_NEXT;
}

static enum flow_next take_in(struct flow *f)
{
    struct cdr_write *w = f->state;

    return cdr_intake_run(f, &w->cdr);
}

static enum flow_next tell_and_answer(struct flow *f)
{
    struct cdr_write *w = f->state;
    bool stored = w->cdr.result.outcome == CDR_STORED;

    metric_add(METRIC_CALLBACKS, "cdr",
               w->cdr.result.outcome == CDR_CONFLICT ? "anomaly"
               : stored                              ? "applied"
                                                     : "duplicate",
               NULL, 1);
    if (w->cdr.result.outcome == CDR_CONFLICT)
        return flow_fail(
            f, err_rule(err_at(f->arena, ERR_BAD_FIELD, "/id",
                               "/id: a CDR with this id and other content is stored already; "
                               "a CDR never changes (send a credit CDR, then a new one)"),
                        "R-CDR-04"));
    if (stored && !w->cdr.put.token_country_code)
        intake_note_stranger(w->in.partner, "CDR", w->cdr.put.id);
    after_session_change(hub_of(f), &w->cdr.result.session);
    struct reply_header location = {
        "Location", arena_printf(f->arena, "%s/ocpi/emsp/%s/cdrs/%s", hub_of(f)->public_url,
                                 version_name(w->in.version), w->cdr.result.path)};
    return reply_ocpi_headers(f, stored ? 201 : 200, NULL, &location, 1);
}

static const struct flow_step post_steps[] = {{"ask whose token it is", ask_for_token},
                                              {"check", check},
                                              {"take it in", take_in},
                                              {"tell and answer", tell_and_answer},
                                              {0}};
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

/* One that was told in 2.1.1 does not say whose token it is. */
static enum flow_next ask_for_stored_token(struct flow *f)
{
    struct cdr_write *w = f->state;
    const struct cdr_body *b = &w->body;
    const char *auth_id;

    if (!b->found)
        return flow_fail(f, err_rule(err_new(ERR_OBJECT_NOT_FOUND), "R-TRANS-33"));
    w->in = intake_of_request(f, b->country_code, b->party_id);
    w->stored = (struct stored_object){.found = true, .document = b->body, .ocpi = b->ocpi};
    auth_id = intake_stored_auth_id(f, &w->in, &w->stored);
    if (!auth_id)
        return FLOW_NEXT;
    w->in.token = &w->owner;
    return token_owner_find(f, w->in.partner->id, auth_id, &w->owner);
}

/* In the version of the one who asks; the bytes that came where that is its own (R-CDR-17). */
static enum flow_next show(struct flow *f)
{
    struct cdr_write *w = f->state;
    const struct cdr_body *b = &w->body;
    json_t *document;
    size_t length;

    if ((b->ocpi == OCPI_VERSION_NONE ? OCPI_2_2_1 : b->ocpi) == w->in.version)
        return reply_ocpi(f, 200, b->body);
    FLOW_TRY(f, intake_stored(f, &w->in, "CDR", &w->stored, &document));
    return reply_ocpi(f, 200, json_text(f->arena, document, &length));
}

static const struct flow_step get_steps[] = {{"read the CDR", read_stored},
                                             {"ask whose token it is", ask_for_stored_token},
                                             {"show it", show},
                                             {0}};
const struct flow_type cdr_get_flow = {
    .name = "cdr_get",
    .state_size = sizeof(struct cdr_write),
    .deadline_ms = SECONDS(10),
    .steps = get_steps,
};
