/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens, sender: the list of our tokens by pages, and real-time authorisation (R-TOK).
 */
#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "db/partner.h"
#include "db/token.h"
#include "hub/hub.h"
#include "hub/partner/partner_api.h"
#include "hub/request.h"
#include "hub/server/http_server.h"
#include "ocpi/headers.h"
#include "ocpi/object.h"
#include "ocpi/token.h"

enum { PAGE_BYTES = 4 * 1024 * 1024 };

static void fill_token(struct ocpi_token *t, const struct token_row *row, const struct settings *s)
{
    object_blank(&ocpi_token_type, t);
    t->country_code = s->country_code;
    t->party_id = s->party_id;
    t->uid = row->uid;
    t->type = ocpi_token_kind_parse(row->type);
    t->contract_id = row->contract_id;
    t->issuer = s->name;
    t->valid = row->valid;
    t->whitelist = OCPI_WHITELIST_NEVER; /* R-TOK-07 */
    t->last_updated = row->last_updated_us;
}

/* ---- the list ---- */

struct list {
    struct paging paging;
    struct token_page page;
};

static enum flow_next read_page(struct flow *f)
{
    struct list *l = f->state;

    FLOW_TRY(f, paging_read(f->arena, request_of(f)->http->query,
                            hub_of(f)->settings->page_limit, false, &l->paging));
    return token_list(f, l->paging.date_from_us, l->paging.date_to_us, l->paging.offset,
                      l->paging.limit, &l->page);
}

static enum flow_next answer_page(struct flow *f)
{
    struct list *l = f->state;
    const struct hub *hub = hub_of(f);
    struct ocpi_token token;
    struct text t;

    text_init(&t, f->arena, PAGE_BYTES);
    json_begin_array(&t, NULL);
    for (size_t i = 0; i < l->page.count; i++) {
        fill_token(&token, &l->page.items[i], hub->settings);
        FLOW_TRY(f, object_print(&ocpi_token_type, &token, f->arena, &t, NULL));
    }
    json_end_array(&t);
    const char *endpoint = arena_printf(f->arena, "%s/ocpi/emsp/2.2.1/tokens", hub->public_url);
    struct reply_header headers[] = {
        {HEADER_TOTAL_COUNT, arena_printf(f->arena, "%lld", (long long)l->page.total)},
        {HEADER_LIMIT, arena_printf(f->arena, "%lld", (long long)hub->settings->page_limit)},
        {HEADER_LINK, paging_link(f->arena, endpoint, request_of(f)->http->query, &l->paging,
                                  l->page.total)},
    };
    return reply_ocpi_headers(f, 200, t.bytes, headers, 3);
}

static const struct flow_step list_steps[] = {
    {"read the page", read_page}, {"answer", answer_page}, {0}};
const struct flow_type token_list_flow = {
    .name = "token_list",
    .state_size = sizeof(struct list),
    .deadline_ms = SECONDS(10),
    .steps = list_steps,
};

/* ---- real-time authorisation ---- */

struct authorize {
    struct ocpi_location_references references;
    bool has_references;
    struct token_found found;
};

static enum flow_next find(struct flow *f)
{
    struct authorize *a = f->state;
    const struct request *r = request_of(f);

    if (r->json) {
        FLOW_TRY(f, object_parse(&ocpi_location_references_type, r->json, f->arena,
                                 &a->references));
        a->has_references = true;
    }
    return token_find(f, r->caller.partner->id, r->params[0], request_query(f, "type"), &a->found);
}

/* Our tokens live in apps and charge by command only: without a live one, who shows the token at a
 * charge point is not our user (R-CMD-03). A known place is not looked at: what we have of it may
 * be old, or it may be private (R-TOK-05, R-LOC-13). An unknown token is 404 with 2004 (R-TOK-03). */
static enum flow_next answer(struct flow *f)
{
    struct authorize *a = f->state;
    struct ocpi_token token;
    struct ocpi_authorization_info info;
    struct text t;

    if (!a->found.found)
        return flow_fail(f, err_new(ERR_UNKNOWN_TOKEN));
    fill_token(&token, &a->found.token, hub_of(f)->settings);
    object_blank(&ocpi_authorization_info_type, &info);
    bool allowed = a->found.token.valid && a->found.live_command;
    info.allowed = allowed ? OCPI_ALLOWED_ALLOWED : OCPI_ALLOWED_NOT_ALLOWED;
    info.token = &token;
    if (a->has_references)
        info.location = &a->references;
    info.authorization_reference = a->found.authorization_reference;
    text_init(&t, f->arena, 64 * 1024);
    FLOW_TRY(f, object_print(&ocpi_authorization_info_type, &info, f->arena, &t, NULL));
    return reply_ocpi(f, 200, t.bytes);
}

static const struct flow_step authorize_steps[] = {{"find the token", find}, {"answer", answer}, {0}};
const struct flow_type token_authorize_flow = {
    .name = "token_authorize",
    .state_size = sizeof(struct authorize),
    .deadline_ms = SECONDS(1),
    .steps = authorize_steps,
};
