/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matching: a person says whose an unmatched CDR is (contract 10).
 *
 *   POST /v1/finance/cdrs/{id}/match {session_id}
 *
 * It is taken in as if it had just come with that session: priced, judged, billed or held.
 */
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "hub/finance/cdr_answer.h"
#include "hub/finance/deed.h"
#include "hub/finance/finance_api.h"
#include "hub/finance/intake.h"
#include "hub/finance/list_ask.h"
#include "hub/hub.h"

struct matching {
    struct deed deed;
    int64_t cdr;
    char session_id[UUID_TEXT];
    struct cdr_row row;
    bool found;
    struct session session;
    struct cdr_intake intake;
    enum { BEGIN, ROW, SESSION, INTAKE } phase;
};

static enum flow_next read_ask(struct flow *f)
{
    struct matching *m = f->state;
    const struct request *r = request_of(f);
    const char *session = json_text_of(r->json, "session_id");
    struct field_errors errors;

    FLOW_TRY(f, deed_read(f, &m->deed, true));
    m->cdr = list_id(r->params[0]);
    if (!m->cdr)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    field_errors_init(&errors, f->arena);
    if (!session)
        field_errors_add(&errors, "session_id", "session_id_required", "is required");
    else if (!id_uuid_parse(session, m->session_id))
        field_errors_add(&errors, "session_id", "session_id_invalid", "must be a UUID");
    return errors.count ? reply_field_errors(f, &errors) : FLOW_NEXT;
}

static enum flow_next begin(struct flow *f)
{
    struct matching *m = f->state;

    return deed_begin(f, &m->deed);
}

/* Whether it can be this session's at all; the intake finds out the rest. */
static struct err check(struct flow *f, const struct matching *m)
{
    const struct cdr_row *c = &m->row;

    if (!c->found)
        return err_new(ERR_OBJECT_NOT_FOUND);
    if (!m->found)
        return err_new(ERR_SESSION_NOT_FOUND);
    if (c->put.credit)
        return err_at(f->arena, ERR_BAD_FIELD, "session_id",
                      "a credit belongs to the CDR that it names, not to a session");
    if (c->put.partner_id != m->session.partner_id)
        return err_at(f->arena, ERR_BAD_FIELD, "session_id", "the session is with another network");
    if (strcmp(c->filed, "unmatched") != 0)
        return err_at(f->arena, ERR_ALREADY_DECIDED, NULL, "the CDR is not unmatched but %s",
                      c->filed);
    return OK;
}

static enum flow_next took_in(struct flow *f, struct matching *m)
{
    const struct cdr_stored *r = &m->intake.result;
    struct text t;

    if (r->outcome == CDR_OVER)
        return flow_fail(
            f, err_at(f->arena, ERR_ALREADY_DECIDED, NULL, "the CDR is %s already", r->filed));
    hub_of(f)->session_changed(hub_of(f), &r->session);
    cdr_answer_print(f, &t, m->cdr, m->row.put.id, r);
    return deed_done(&m->deed, 200, &t);
}

static enum flow_next match(struct flow *f)
{
    struct matching *m = f->state;

    switch (m->phase) {
    case BEGIN:
        if (!deed_is_new(f, &m->deed))
            return FLOW_DONE;
        m->phase = ROW;
        cdr_read(f, m->cdr, &m->row);
        return FLOW_AGAIN;
    case ROW:
        m->phase = SESSION;
        session_get(f, m->session_id, NULL, &m->found, &m->session);
        return FLOW_AGAIN;
    case SESSION:
        /* Asked again after its answer was lost. */
        if (m->row.found && strcmp(m->row.session_id, m->session_id) == 0) {
            struct text t;
            cdr_answer_print(f, &t, m->cdr, m->row.put.id,
                             &(struct cdr_stored){.filed = m->row.filed, .session = m->session});
            return deed_done(&m->deed, 200, &t);
        }
        FLOW_TRY(f, check(f, m));
        m->phase = INTAKE;
        m->intake = (struct cdr_intake){
            .stored = m->cdr, .by = request_of(f)->caller.name, .session_id = m->session_id};
        __attribute__((fallthrough));
    case INTAKE:
        break;
    }
    enum flow_next next = cdr_intake_run(f, &m->intake);
    return next == FLOW_NEXT ? took_in(f, m) : next;
}

static enum flow_next keep(struct flow *f)
{
    struct matching *m = f->state;

    return deed_keep(f, &m->deed);
}

static enum flow_next answer(struct flow *f)
{
    const struct matching *m = f->state;

    return deed_answer(f, &m->deed);
}

static const struct flow_step steps[] = {
    {"read what is asked", read_ask},
    {"reserve the key", begin},
    {"match", match},
    {"keep the answer", keep, .also_on_failure = true},
    {"answer", answer},
    {0},
};
const struct flow_type match_cdr_flow = {
    .name = "match_cdr",
    .state_size = sizeof(struct matching),
    .deadline_ms = SECONDS(20),
    .steps = steps,
};
