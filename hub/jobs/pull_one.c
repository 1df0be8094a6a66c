/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storing a page of a pull: Sessions and CDRs, one at a time, each with what it does to a session
 * of ours; and invoice records, which may have many thousand ids of CDRs each.
 *
 *    look whose token it was (2.1.1) --> put --> tell what it did --> the next one
 */
#include <string.h>

#include "base/arena.h"
#include "hub/jobs/jobs.h"
#include "hub/jobs/pull_store.h"

static bool are(const struct pull_store *s, const char *module)
{
    return strcmp(s->claim->module, module) == 0;
}

static bool are_sessions(const struct pull_store *s)
{
    return are(s, MODULE_SESSIONS);
}

static struct err put(struct flow *f, struct pull_store *s, const json_t *object)
{
    if (are_sessions(s)) {
        struct network_session_put *session = arena_alloc(f->arena, sizeof *session);
        TRY(intake_session_of(f, &s->in, object, session));
        session->by_pull = true;
        network_session_put(f, session, &s->session);
    } else if (are(s, MODULE_INVOICES)) {
        struct invoice_put *record = arena_alloc(f->arena, sizeof *record);
        TRY(intake_invoice_of(f, &s->in, object, record));
        record->way = INVOICE_BY_PULL;
        invoice_put(f, record, &s->invoice);
    } else {
        s->cdr = (struct cdr_intake){.document = object};
        TRY(intake_cdr_of(f, &s->in, object, NULL, 0, &s->cdr.put));
        s->cdr.put.by_pull = true;
    }
    return OK;
}

static enum flow_next next_one(struct pull_store *s)
{
    s->index++;
    s->phase = PULL_SEE;
    return FLOW_AGAIN;
}

enum flow_next pull_store_one(struct flow *f, struct pull_store *s)
{
    const json_t *object = json_array_get(s->objects, s->index);
    const char *auth_id;

    if (!object)
        return FLOW_NEXT;
    switch (s->phase) {
    case PULL_SEE:
    case PULL_COMPARE:
        s->phase = PULL_PUT;
        s->in.token = NULL;
        auth_id = intake_auth_id(&s->in, object);
        if (auth_id) {
            s->in.token = &s->owner;
            token_owner_find(f, s->in.partner->id, auth_id, &s->owner);
        }
        return FLOW_AGAIN;
    case PULL_PUT: {
        struct err e = put(f, s, object);
        if (failed(e)) {
            pull_refused(f, s, object, e);
            return next_one(s);
        }
        s->written++;
        s->phase = PULL_TELL;
        return FLOW_AGAIN;
    }
    case PULL_TELL:
        break;
    }
    if (are(s, MODULE_INVOICES))
        return next_one(s);
    if (!are_sessions(s)) {
        enum flow_next next = cdr_intake_run(f, &s->cdr);
        if (next != FLOW_NEXT)
            return next;
    }
    after_session_change(hub_of(f), are_sessions(s) ? &s->session.session : &s->cdr.result.session);
    return next_one(s);
}
