/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pull: one page of one module of one partner.
 *
 *    claim --> GET page --> store what is good, list what is bad --> note the next page
 *
 * Link is followed verbatim, and only on the partner's own hosts (R-TRANS-47); a page that names
 * itself as the next one ends the pull.
 */
#include "hub/jobs/pull.h"

#include <string.h>

#include "adapters/ocpi_client.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "db/partner.h"
#include "hub/jobs/jobs.h"
#include "hub/partner/intake.h"
#include "ocpi/headers.h"
#include "ocpi/url.h"

enum { PAGE_LIMIT = 100, PAGE_BYTES = 8 * 1024 * 1024, PAGE_VALUES = 1000000 };

struct pull {
    struct pull_claims claims;
    const struct pull_claim *claim;
    const struct partner *partner;
    const char *url;
    struct ocpi_call call;
    struct ocpi_answer answer;
    const char *next; /* NULL: this was the last page */
    bool ok;
    const json_t *objects;
    size_t index; /* sessions and CDRs go one by one */
    struct network_session_stored session;
    struct cdr_stored cdr;
    bool stored_one;
    size_t bad;
};

static enum flow_next claim(struct flow *f)
{
    struct pull *p = f->state;

    return pull_claim(f, 1, &p->claims);
}

static const char *first_page(struct flow *f, const struct pull *p)
{
    char from[TIME_TEXT];
    const char *endpoint =
        peer_endpoint(&p->partner->peer, p->claim->module, OCPI_INTERFACE_SENDER);

    if (!endpoint)
        return NULL;
    return url_query(
        f->arena, endpoint, "limit", arena_printf(f->arena, "%d", PAGE_LIMIT), "date_from",
        p->claim->date_from_us == TIME_NONE ? NULL
                                            : time_print_millis(from, p->claim->date_from_us),
        NULL);
}

static enum flow_next fetch(struct flow *f)
{
    struct pull *p = f->state;

    if (!p->claims.count)
        return FLOW_DONE;
    p->claim = &p->claims.items[0];
    pull_what_is_due(hub_of(f)); /* somebody else's page need not wait for ours */
    p->partner = partner_find(f, p->claim->partner_id);
    if (!p->partner || !p->partner->enabled || !secret_is_set(p->partner->peer.token))
        return FLOW_NEXT;
    p->url = p->claim->cursor ? p->claim->cursor : first_page(f, p);
    if (!p->url) {
        p->ok = true; /* the partner does not offer the module: nothing to fetch */
        return FLOW_NEXT;
    }
    p->call = (struct ocpi_call){
        .peer = &p->partner->peer,
        .method = "GET",
        .module = p->claim->module,
        .url = p->url,
        .max_answer = PAGE_BYTES,
        .max_values = PAGE_VALUES,
    };
    return ocpi_send(f, &p->call, &p->answer);
}

static const char *next_page(struct flow *f, const struct pull *p)
{
    const char *link = http_answer_header(&p->answer.http, "link");
    const char *next = link ? link_next(f->arena, link) : NULL;

    if (!next || strcmp(next, p->url) == 0)
        return NULL;
    if (!peer_owns_url(&p->partner->peer, next)) {
        log_line(LOG_WARN, "a Link to a foreign host is not followed",
                 LOG_TEXT("partner", p->partner->name), LOG_TEXT("module", p->claim->module));
        return NULL;
    }
    return next;
}

static void note_bad(struct pull *p, const json_t *object, struct err e)
{
    p->bad++;
    log_line(LOG_WARN, "an object of a page is refused", LOG_TEXT("partner", p->partner->name),
             LOG_TEXT("module", p->claim->module), LOG_TEXT("id", json_text_of(object, "id")),
             LOG_TEXT("text", err_text(e)), LOG_TEXT("where", e.where));
}

static enum flow_next store_locations(struct flow *f, struct pull *p)
{
    size_t n = 0, size = json_array_size(p->objects);
    struct location_put *puts = arena_alloc(f->arena, (size + 1) * sizeof *puts);

    for (size_t i = 0; i < size; i++) {
        const json_t *o = json_array_get(p->objects, i);
        struct err e = intake_location(f, p->partner, o, &puts[n]);
        if (failed(e))
            note_bad(p, o, e);
        else
            n++;
    }
    return n ? location_put_many(f, puts, n) : FLOW_NEXT;
}

static enum flow_next store_tariffs(struct flow *f, struct pull *p)
{
    size_t n = 0, size = json_array_size(p->objects);
    struct tariff_put *puts = arena_alloc(f->arena, (size + 1) * sizeof *puts);

    for (size_t i = 0; i < size; i++) {
        const json_t *o = json_array_get(p->objects, i);
        struct err e = intake_tariff(f, p->partner, o, &puts[n]);
        if (failed(e))
            note_bad(p, o, e);
        else
            n++;
    }
    return n ? tariff_put_many(f, puts, n) : FLOW_NEXT;
}

static void tell_former(struct flow *f, struct pull *p)
{
    if (!p->stored_one)
        return;
    p->stored_one = false;
    bool sessions = strcmp(p->claim->module, "sessions") == 0;
    after_session_change(hub_of(f), sessions ? &p->session.session : &p->cdr.session);
}

/* One a round: the next good object is put, the result of the former one is told. */
static enum flow_next store_next(struct flow *f, struct pull *p)
{
    bool sessions = strcmp(p->claim->module, "sessions") == 0;

    tell_former(f, p);
    while (p->index < json_array_size(p->objects)) {
        const json_t *o = json_array_get(p->objects, p->index++);
        struct network_session_put *session = arena_alloc(f->arena, sizeof *session);
        struct cdr_put *cdr = arena_alloc(f->arena, sizeof *cdr);
        struct err e = sessions ? intake_session(f, p->partner, o, session)
                                : intake_cdr(f, p->partner, o, NULL, 0, cdr);
        if (failed(e)) {
            note_bad(p, o, e);
            continue;
        }
        session->by_pull = true;
        p->stored_one = true;
        if (sessions)
            network_session_put(f, session, &p->session);
        else
            cdr_put(f, cdr, &p->cdr);
        return FLOW_AGAIN;
    }
    return FLOW_NEXT;
}

static enum flow_next store(struct flow *f)
{
    struct pull *p = f->state;

    if (!p->url)
        return FLOW_NEXT;
    if (!p->objects) {
        struct err e = ocpi_answer_err(f->arena, &p->answer);
        if (failed(e) || !json_is_array(p->answer.data)) {
            log_line(LOG_WARN, "a page could not be fetched", LOG_TEXT("partner", p->partner->name),
                     LOG_TEXT("module", p->claim->module),
                     LOG_TEXT("text", failed(e) ? err_text(e) : "data is no list"));
            return FLOW_NEXT;
        }
        p->objects = p->answer.data;
        p->ok = true;
        p->next = next_page(f, p);
    }
    if (strcmp(p->claim->module, "locations") == 0)
        return store_locations(f, p);
    if (strcmp(p->claim->module, "tariffs") == 0)
        return store_tariffs(f, p);
    return store_next(f, p);
}

static enum flow_next note(struct flow *f)
{
    struct pull *p = f->state;

    if (!p->claim)
        return FLOW_NEXT;
    if (!failed(f->err) && p->next)
        return pull_page_done(f, p->claim->partner_id, p->claim->module, p->next);
    return pull_finished(f, p->claim->partner_id, p->claim->module, !failed(f->err) && p->ok);
}

static enum flow_next go_on(struct flow *f)
{
    struct pull *p = f->state;

    if (p->next)
        pull_what_is_due(hub_of(f));
    return FLOW_DONE;
}

static const struct flow_step steps[] = {
    {"claim a page", claim},
    {"fetch it", fetch},
    {"store its objects", store},
    {"note the next page", note, .also_on_failure = true},
    {"go on", go_on},
    {0},
};

static const struct flow_type pull_flow = {
    .name = "pull_page",
    .state_size = sizeof(struct pull),
    .deadline_ms = SECONDS(60),
    .steps = steps,
};

void pull_what_is_due(struct hub *hub)
{
    if (!hub->draining && partner_register_ready())
        hub_job(hub, &pull_flow, NULL, NULL);
}
