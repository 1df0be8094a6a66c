/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens, sender: the list of tokens by pages, and real-time authorisation (R-TOK).
 *
 *   GET  /ocpi/emsp/{version}/tokens
 *   POST /ocpi/emsp/{version}/tokens/{uid}/authorize[?type=]
 *
 * A CPO that is connected to our eMSP gets our own users' tokens. One that is connected to the
 * platform gets those first, and behind them the tokens of eMSPs that have a contract with it
 * (R-TOK-10). About a token that is not our own user's its eMSP is asked (hub/relay/authorize.c);
 * what it has told us before answers only where it cannot be.
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/partner.h"
#include "db/token.h"
#include "hub/hub.h"
#include "hub/partner/partner_api.h"
#include "hub/partner/retell.h"
#include "hub/partner/shared_lists.h"
#include "hub/relay/relay.h"
#include "hub/request.h"
#include "hub/server/http_server.h"
#include "ocpi/headers.h"
#include "ocpi/object.h"
#include "ocpi/token.h"

enum { PAGE_BYTES = 7 * 1024 * 1024, TOKEN_BYTES = 64 * 1024, TOKEN_USUAL = 400 };

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

/* One of ours in the caller's version. */
static struct err print_own(struct flow *f, const struct token_row *row, struct text *out,
                            const char *key)
{
    const struct request *r = request_of(f);
    const struct settings *s = hub_of(f)->settings;
    struct ocpi_token token;
    struct retold told;
    struct text t;

    fill_token(&token, row, s);
    if (r->version == OCPI_2_2_1)
        return object_print(&ocpi_token_type, &token, f->arena, out, key);
    text_init(&t, f->arena, TOKEN_BYTES);
    TRY(object_print(&ocpi_token_type, &token, f->arena, &t, NULL));
    retell(f,
           &(struct retell_ask){
               .object = "Token",
               .id = row->uid,
               .document = t.bytes,
               .length = t.length,
               .from = OCPI_2_2_1,
               .to = r->version,
               .reader = r->caller.partner,
               .country_code = s->country_code,
               .party_id = s->party_id,
           },
           &told);
    if (!told.document)
        return err_at(f->arena, ERR_INTERNAL, NULL, "a Token of ours: %s", told.why);
    json_put_raw_bytes(out, key, told.document, told.length);
    return OK;
}

/* ---- the list ---- */

struct list {
    struct paging paging;
    struct share_ask ask;
    bool own, others; /* whose are listed */
    struct token_page page;
    struct share_page shared;
    struct contracts contracts;
    size_t next; /* of both, one behind the other */
    struct text data;
};

static enum flow_next read_own(struct flow *f)
{
    struct list *l = f->state;
    const struct request *r = request_of(f);
    bool platform = r->caller.partner->face == FACE_PLATFORM;
    struct err e =
        paging_read(f->arena, r->http->query, hub_of(f)->settings->page_limit, false, &l->paging);

    if (failed(e))
        return flow_fail(f, e.rule ? e : err_rule(e, "R-TRANS-44"));
    if (platform)
        FLOW_TRY(f, shared_list_named(f));
    share_ask_of(f, SHARE_TOKENS, &l->ask);
    l->own = !party_id_is_set(&l->ask.owner);
    l->others = platform;
    if (!l->own && !platform) /* R-ROUTE-41: there is nobody but us */
        return flow_fail(f, err_rule(err_at(f->arena, ERR_UNKNOWN_RECEIVER, HEADER_TO_PARTY_ID,
                                            "%s-%s is not connected here",
                                            l->ask.owner.country_code, l->ask.owner.party_id),
                                     "R-ROUTE-41"));
    text_init(&l->data, f->arena, PAGE_BYTES);
    json_begin_array(&l->data, NULL);
    if (!l->own)
        return FLOW_NEXT;
    return token_list(f, l->paging.date_from_us, l->paging.date_to_us, l->paging.offset,
                      l->paging.limit, &l->page);
}

/* Those of others stand behind our own: a token that we make while somebody turns the pages shows
 * one of them twice, and none is missed. */
static enum flow_next read_others(struct flow *f)
{
    struct list *l = f->state;
    int64_t behind = l->paging.offset - l->page.total;

    if (!l->others)
        return FLOW_NEXT;
    l->ask.date_from_us = l->paging.date_from_us;
    l->ask.date_to_us = l->paging.date_to_us;
    l->ask.offset = behind > 0 ? behind : 0;
    l->ask.limit = l->paging.limit - (int64_t)l->page.count;
    return share_list(f, &l->ask, &l->shared);
}

static enum flow_next look_for_owner(struct flow *f)
{
    struct list *l = f->state;

    return shared_list_contracts(f, &l->ask, l->shared.total, &l->contracts);
}

static enum flow_next check_owner(struct flow *f)
{
    struct list *l = f->state;

    FLOW_TRY(f, shared_list_connected(f, &l->ask, l->shared.total, &l->contracts));
    return FLOW_NEXT;
}

static void put_shared(struct flow *f, struct text *out, const struct shared_object *o)
{
    struct retell_ask ask = shared_object_ask(f, "Token", o);
    struct retold told;

    retell(f, &ask, &told);
    if (told.document)
        json_put_raw_bytes(out, NULL, told.document, told.length);
}

static enum flow_next tell_slice(struct flow *f)
{
    struct list *l = f->state;
    size_t own = l->page.count, count = own + l->shared.count;
    size_t turned = 0;

    while (l->next < count && turned < PAGE_SLICE) {
        size_t i = l->next;

        if (i && l->data.length > PAGE_DATA_BYTES)
            return FLOW_NEXT;
        l->next++;
        turned += i < own ? TOKEN_USUAL : l->shared.items[i - own].length;
        if (i < own)
            FLOW_TRY(f, print_own(f, &l->page.items[i], &l->data, NULL));
        else
            put_shared(f, &l->data, &l->shared.items[i - own]);
    }
    if (l->next == count)
        return FLOW_NEXT;
    flow_sleep(f, 0);
    return FLOW_AGAIN;
}

static enum flow_next answer_page(struct flow *f)
{
    struct list *l = f->state;

    json_end_array(&l->data);
    return reply_page(f, &l->paging, l->next, l->page.total + l->shared.total, &l->data);
}

static const struct flow_step list_steps[] = {
    {"read our own", read_own},
    {"read those of others", read_others},
    {"look for the owner", look_for_owner},
    {"check that it is connected", check_owner},
    {"tell a slice of them", tell_slice},
    {"answer", answer_page},
    {0},
};
const struct flow_type token_list_flow = {
    .name = "token_list",
    .state_size = sizeof(struct list),
    .deadline_ms = SECONDS(10),
    .steps = list_steps,
};

/* ---- real-time authorisation ---- */

struct authorize {
    const char *type; /* NULL: RFID */
    const json_t *references;
    struct token_found found;
    struct share_ask ask;
    struct share_page shared;
};

/* 2.1.1 calls it token_type in its table, and type in its text (R-TOK-01). */
static const char *type_asked(struct flow *f)
{
    const char *type = request_query(f, "type");

    if (!type && request_of(f)->version == OCPI_2_1_1)
        type = request_query(f, "token_type");
    return type && *type ? type : NULL;
}

static struct err read_question(struct flow *f)
{
    struct authorize *a = f->state;
    const struct request *r = request_of(f);

    a->type = type_asked(f);
    a->references = r->json;
    if (!r->json)
        return OK;
    return object_check(object_type_find(r->version, "LocationReferences"), r->json,
                        &r->caller.partner->peer.leniency, f->arena);
}

static enum flow_next find(struct flow *f)
{
    struct authorize *a = f->state;
    const struct request *r = request_of(f);

    FLOW_TRY(f, read_question(f));
    return token_find(f, r->caller.partner->id, r->params[0], a->type, &a->found);
}

/* The place comes back as it was asked for. We do not look whether it is free or open: what we have
 * of it may be old, or it may be private (R-TOK-05, R-LOC-13). */
static void put_references(struct text *t, struct arena *arena, const json_t *references)
{
    static const char *const MEMBERS[] = {"location_id", "evse_uids", "connector_ids"};
    size_t length;

    if (!references)
        return;
    json_begin_object(t, "location");
    for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++) {
        const json_t *value = json_object_get(references, MEMBERS[i]);
        if (value && !json_is_null(value))
            json_put_raw(t, MEMBERS[i], json_text(arena, value, &length));
    }
    json_end_object(t);
}

static void put_info(struct text *t, const char *info)
{
    if (!info)
        return;
    json_begin_object(t, "info");
    json_put_text(t, "language", "en");
    json_put_text(t, "text", info);
    json_end_object(t);
}

/* Our tokens live in apps and charge by command only: without a live one, who shows the token at a
 * charge point is not our user (R-CMD-03). AuthorizationInfo of 2.1.1 has neither token nor
 * reference. */
static enum flow_next answer_own(struct flow *f)
{
    struct authorize *a = f->state;
    bool old = request_of(f)->version == OCPI_2_1_1;
    bool allowed = a->found.token.valid && a->found.live_command;
    struct text t;

    text_init(&t, f->arena, TOKEN_BYTES);
    json_begin_object(&t, NULL);
    json_put_text(
        &t, "allowed",
        ocpi_allowed_type_name(allowed ? OCPI_ALLOWED_ALLOWED : OCPI_ALLOWED_NOT_ALLOWED));
    if (!old)
        FLOW_TRY(f, print_own(f, &a->found.token, &t, "token"));
    put_references(&t, f->arena, a->references);
    if (!old && a->found.authorization_reference)
        json_put_text(&t, "authorization_reference", a->found.authorization_reference);
    json_end_object(&t);
    return reply_ocpi(f, 200, t.bytes);
}

/* ---- tokens of other eMSPs ---- */

struct verdict {
    enum ocpi_allowed_type allowed;
    const char *info;
};

/* From the Token as its eMSP told it to us, where the eMSP itself cannot be reached. NEVER says
 * that it has to be asked: so the answer is no, whether the Token is valid or not (R-TOK-06). */
static struct verdict judge(const json_t *token)
{
    const char *whitelist = json_text_of(token, "whitelist");

    if (!whitelist || ocpi_whitelist_type_parse(whitelist) == OCPI_WHITELIST_NEVER)
        return (struct verdict){
            OCPI_ALLOWED_NOT_ALLOWED,
            "The provider of this token decides each time, and cannot be reached."};
    if (!json_is_true(json_object_get(token, "valid")))
        return (struct verdict){OCPI_ALLOWED_BLOCKED, "The provider of this token has blocked it."};
    return (struct verdict){OCPI_ALLOWED_ALLOWED, NULL};
}

/* By the type that was asked for: 2.1.1 knows RFID and OTHER alone, so OTHER is any other there. */
static bool fits_type(const struct flow *f, const char *asked, const json_t *token)
{
    const char *type = json_text_of(token, "type");

    if (!type)
        return false;
    if (!asked)
        asked = "RFID";
    if (request_of(f)->version == OCPI_2_1_1 && strcmp(asked, "OTHER") == 0)
        return strcmp(type, "RFID") != 0;
    return strcmp(type, asked) == 0;
}

static enum flow_next answer_shared(struct flow *f, const struct retold *token,
                                    struct verdict verdict)
{
    const struct authorize *a = f->state;
    struct text t;

    text_init(&t, f->arena, TOKEN_BYTES);
    json_begin_object(&t, NULL);
    json_put_text(&t, "allowed", ocpi_allowed_type_name(verdict.allowed));
    if (request_of(f)->version != OCPI_2_1_1)
        json_put_raw_bytes(&t, "token", token->document, token->length);
    put_references(&t, f->arena, a->references);
    put_info(&t, verdict.info);
    json_end_object(&t);
    if (text_overflowed(&t))
        return flow_fail(f, err_at(f->arena, ERR_INTERNAL, NULL, "the Token is too large"));
    return reply_ocpi(f, 200, t.bytes);
}

static enum flow_next answer_or_hand_on(struct flow *f)
{
    const struct authorize *a = f->state;

    if (a->found.found)
        return answer_own(f);
    flow_become(f, &relay_authorize_flow);
    return FLOW_NEXT;
}

static const struct flow_step authorize_steps[] = {
    {"find the token", find},
    {"answer for our own, or hand it on", answer_or_hand_on},
    {0},
};
const struct flow_type token_authorize_flow = {
    .name = "token_authorize",
    .state_size = sizeof(struct authorize),
    .deadline_ms = SECONDS(1),
    .steps = authorize_steps,
};

static enum flow_next find_others(struct flow *f)
{
    struct authorize *a = f->state;

    FLOW_TRY(f, read_question(f));
    share_ask_of(f, SHARE_TOKENS, &a->ask);
    a->ask.owner = (struct party_id){0};
    return share_get(f, &a->ask, request_of(f)->params[0], &a->shared);
}

/* Unknown, and those of eMSPs without a contract: 404 with 2004 (R-TOK-03); 2.1.1 has no 2004
 * (R-TRANS-35). */
static enum flow_next answer_known(struct flow *f)
{
    const struct authorize *a = f->state;

    for (size_t i = 0; i < a->shared.count; i++) {
        const struct shared_object *o = &a->shared.items[i];
        struct retell_ask ask = shared_object_ask(f, "Token", o);
        struct retold told;
        json_t *token;

        FLOW_TRY(f, json_read(f->arena, o->document, o->length, 0, &token));
        if (!fits_type(f, a->type, token))
            continue;
        retell(f, &ask, &told);
        if (told.document)
            return answer_shared(f, &told, judge(token));
    }
    return flow_fail(f, err_rule(err_new(ERR_UNKNOWN_TOKEN), "R-TOK-03"));
}

static const struct flow_step known_steps[] = {
    {"find it among those of others", find_others},
    {"answer by what its eMSP has told", answer_known},
    {0},
};
const struct flow_type token_known_flow = {
    .name = "token_known",
    .state_size = sizeof(struct authorize),
    .deadline_ms = SECONDS(1),
    .steps = known_steps,
};
