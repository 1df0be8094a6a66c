/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pull: one page of one module of one partner.
 *
 *    claim --> GET page --> store what is good, list what is bad --> note the next page
 *                                                                    or close what has gone
 */
#include "hub/jobs/pull.h"

#include <string.h>

#include "adapters/ocpi_client.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "db/partner.h"
#include "db/pull.h"
#include "hub/hub.h"
#include "hub/jobs/pull_page.h"
#include "hub/jobs/pull_store.h"
#include "ocpi/headers.h"

enum {
    PAGE_BYTES = 8 * 1024 * 1024,
    PAGE_VALUES = 1000000,
    PASSED_OVER_PAGES = PULL_PAGES_MAX / 20, /* what an object that is left out counts for */
};

struct pull {
    struct pull_claims claims;
    const struct pull_claim *claim;
    const struct partner *partner;
    const char *url;
    struct ocpi_call call;
    struct ocpi_answer answer;
    struct pull_store store;
    struct pull_claim next; /* cursor NULL: this was the last page */
    bool ok;
    bool noted;
    int64_t closed, closed_in_all;
};

static enum flow_next claim(struct flow *f)
{
    struct pull *p = f->state;

    return pull_claim(f, 1, &p->claims);
}

static enum flow_next fetch(struct flow *f)
{
    struct pull *p = f->state;

    if (!p->claims.count)
        return FLOW_DONE;
    p->claim = &p->claims.items[0];
    p->next = *p->claim;
    p->next.cursor = NULL;
    pull_what_is_due(hub_of(f)); /* somebody else's page need not wait for ours */
    p->partner = partner_find(f, p->claim->partner_id);
    if (!p->partner || !p->partner->enabled || !secret_is_set(p->partner->peer.token))
        return FLOW_NEXT;
    p->url = p->claim->cursor ? p->claim->cursor
                              : pull_first_page(f->arena, &p->partner->peer, p->claim);
    if (!p->url) { /* the partner does not offer the module: nothing to fetch */
        p->ok = true;
        p->next.complete = false;
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

static const char *first_id(const json_t *objects)
{
    const json_t *first = json_array_get(objects, 0);
    const char *id = json_text_of(first, "id");

    return id ? id : json_text_of(first, "uid");
}

/* Asked for again with fewer objects. One that is too large alone is left out, so that what is
 * behind it comes: the pull is not complete then, and the next one asks for it again. Whoever sends
 * too much whatever the offset is not asked for ever. */
static void make_smaller(struct flow *f, struct pull *p)
{
    p->ok = true;
    p->next.cursor = pull_smaller_page(f->arena, p->url);
    if (p->next.cursor)
        return;
    p->next.complete = false;
    p->next.pages += PASSED_OVER_PAGES;
    if (p->next.pages < PULL_PAGES_MAX)
        p->next.cursor = pull_page_behind(f->arena, p->claim, p->url);
    log_line(LOG_WARN, "an object is too large to be fetched",
             LOG_TEXT("partner", p->partner->name), LOG_TEXT("module", p->claim->module),
             LOG_TEXT("page", p->url), LOG_TEXT("goes_on_at", p->next.cursor));
}

static enum flow_next read_page(struct flow *f)
{
    struct pull *p = f->state;

    if (!p->url)
        return FLOW_NEXT;
    if (p->answer.http.too_large) {
        make_smaller(f, p);
        return FLOW_NEXT;
    }
    struct err e = ocpi_answer_err(f->arena, &p->answer);
    if (failed(e) || !json_is_array(p->answer.data)) {
        log_line(LOG_WARN, "a page could not be fetched", LOG_TEXT("partner", p->partner->name),
                 LOG_TEXT("module", p->claim->module),
                 LOG_TEXT("text", failed(e) ? err_text(e) : "data is no list"));
        return FLOW_NEXT;
    }
    partner_seen(p->partner);
    struct pull_page page = {
        .url = p->url,
        .link = http_answer_header(&p->answer.http, "link"),
        .total = header_count(http_answer_header(&p->answer.http, "x-total-count")),
        .count = json_array_size(p->answer.data),
        .first_id = first_id(p->answer.data),
    };
    const char *why = pull_next_page(f->arena, &p->partner->peer, p->claim, &page, &p->next);
    if (why)
        log_line(LOG_WARN, "a pull ends before its time", LOG_TEXT("partner", p->partner->name),
                 LOG_TEXT("module", p->claim->module), LOG_TEXT("why", why),
                 LOG_TEXT("page", p->url), LOG_TEXT("link", page.link));
    p->store = (struct pull_store){.claim = p->claim,
                                   .url = p->url,
                                   .in = intake_of_connection(p->partner),
                                   .objects = p->answer.data};
    p->ok = true;
    return FLOW_NEXT;
}

static enum flow_next store(struct flow *f)
{
    struct pull *p = f->state;

    if (!p->store.objects)
        return FLOW_NEXT;
    return pull_store(f, &p->store);
}

/* R-TRANS-48 */
static enum flow_next close_what_has_gone(struct flow *f)
{
    struct pull *p = f->state;

    p->next.complete = p->next.complete && !p->store.unnamed;
    if (!p->store.objects || p->next.cursor || !p->next.complete ||
        p->claim->date_from_us != TIME_NONE)
        return FLOW_NEXT;
    if (!p->noted) {
        p->noted = true;
        p->closed = -1;
        pull_note_missing(f, p->claim);
        return FLOW_AGAIN;
    }
    p->closed_in_all += p->closed > 0 ? p->closed : 0;
    if (p->closed != 0) {
        pull_close_missing(f, p->claim, &p->closed);
        return FLOW_AGAIN;
    }
    if (p->closed_in_all)
        log_line(LOG_WARN, "objects are closed that two full pulls have not shown",
                 LOG_TEXT("partner", p->partner->name), LOG_TEXT("module", p->claim->module),
                 LOG_INT("objects", p->closed_in_all));
    return FLOW_NEXT;
}

static enum flow_next note(struct flow *f)
{
    struct pull *p = f->state;

    if (!p->claim)
        return FLOW_NEXT;
    if (!failed(f->err) && p->ok && p->next.cursor)
        return pull_page_done(f, &p->next);
    return pull_finished(f, p->claim->partner_id, p->claim->module, !failed(f->err) && p->ok,
                         p->next.complete);
}

static enum flow_next go_on(struct flow *f)
{
    struct pull *p = f->state;

    if (p->next.cursor)
        pull_what_is_due(hub_of(f));
    return FLOW_DONE;
}

static const struct flow_step steps[] = {
    {"claim a page", claim},
    {"fetch it", fetch},
    {"read it", read_page},
    {"store its objects", store},
    {"close what has gone", close_what_has_gone},
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
