/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storing a page of a pull: Sessions and CDRs, one at a time, each with what it does to a session
 * of ours; and invoice records, which may have many thousand ids of CDRs each.
 *
 *    look whose token it was (2.1.1) --> put it, in a flow of its own --> the next one
 *
 * What goes wrong with one of them is its own affair, and it is refused; only where nobody could be
 * taken in now does the page come again.
 */
#include <string.h>

#include "base/arena.h"
#include "base/time.h"
#include "hub/hub.h"
#include "hub/jobs/jobs.h"
#include "hub/jobs/pull_store.h"

enum { ONE_BYTES = 64 * 1024 * 1024 };

static bool are(const struct pull_store *s, const char *module)
{
    return strcmp(s->claim->module, module) == 0;
}

static bool are_sessions(const struct pull_store *s)
{
    return are(s, MODULE_SESSIONS);
}

/* ---- one object ---- */

struct one {
    struct pull_store *store;
    const json_t *object;
    struct network_session_stored session;
    struct cdr_intake cdr;
    enum invoice_outcome invoice;
};

static void name_object(void *state, void *context)
{
    struct one *o = state;

    o->store = context;
    o->object = json_array_get(o->store->objects, o->store->index);
}

static enum flow_next put(struct flow *f)
{
    struct one *o = f->state;
    struct pull_store *s = o->store;

    if (are_sessions(s)) {
        struct network_session_put *session = arena_alloc(f->arena, sizeof *session);
        FLOW_TRY(f, intake_session_of(f, &s->in, o->object, session));
        session->by_pull = true;
        return network_session_put(f, session, &o->session);
    }
    if (are(s, MODULE_INVOICES)) {
        struct invoice_put *record = arena_alloc(f->arena, sizeof *record);
        FLOW_TRY(f, intake_invoice_of(f, &s->in, o->object, record));
        record->way = INVOICE_BY_PULL;
        return invoice_put(f, record, &o->invoice);
    }
    o->cdr.document = o->object;
    FLOW_TRY(f, intake_cdr_of(f, &s->in, o->object, NULL, 0, &o->cdr.put));
    o->cdr.put.by_pull = true;
    return FLOW_NEXT;
}

static enum flow_next take_cdr_in(struct flow *f)
{
    struct one *o = f->state;

    return are(o->store, MODULE_CDRS) ? cdr_intake_run(f, &o->cdr) : FLOW_NEXT;
}

static enum flow_next tell(struct flow *f)
{
    struct one *o = f->state;

    if (are_sessions(o->store))
        after_session_change(hub_of(f), &o->session.session);
    else if (are(o->store, MODULE_CDRS))
        after_session_change(hub_of(f), &o->cdr.result.session);
    return FLOW_NEXT;
}

static const struct flow_step one_steps[] = {
    {"put it", put},
    {"take a CDR in", take_cdr_in},
    {"tell the live view", tell},
    {0},
};
static const struct flow_type one_flow = {
    .name = "pull_one",
    .state_size = sizeof(struct one),
    .deadline_ms = SECONDS(20),
    .arena_max = ONE_BYTES,
    .steps = one_steps,
};

/* ---- one after the other ---- */

/* The database is away, or there is too much to do: the next one would fare no better. */
static bool concerns_all(struct err e)
{
    return e.kind == ERR_STORE || e.kind == ERR_STARTING || e.kind == ERR_OVERLOADED ||
           e.kind == ERR_DEADLINE;
}

static enum flow_next next_one(struct flow *f, struct pull_store *s, const json_t *object)
{
    if (failed(s->failed) && concerns_all(s->failed))
        return flow_fail(f, s->failed);
    if (failed(s->failed))
        pull_refused(f, s, object, s->failed);
    else
        s->written++;
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
    case PULL_PUT:
        s->phase = PULL_TELL;
        flow_child(f, &one_flow, name_object, s, &s->failed);
        return FLOW_AGAIN;
    case PULL_TELL:
        break;
    }
    return next_one(f, s, object);
}
