/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roaming tokens, receiver: an eMSP tells us what its drivers charge with (R-TOK).
 *
 *   GET, PUT, PATCH /ocpi/cpo/{version}/tokens/{cc}/{pid}/{uid}[?type=]
 *
 * The key is owner, uid and type. The URL's type is RFID where it has none (R-TOK-01); 2.1.1 has
 * none there at all: the body says it, and a GET or PATCH means the one there is, RFID first.
 * Documents are checked by the tables of the version they came in and kept as they came; nothing is
 * ever deleted (R-TOK-02).
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/partner.h"
#include "db/roaming_token.h"
#include "hub/partner/intake.h"
#include "hub/partner/partner_api.h"
#include "hub/partner/retell.h"
#include "hub/request.h"
#include "hub/server/http_server.h"
#include "ocpi/object.h"
#include "ocpi/token.h"

struct token_write {
    struct roaming_token_key key;
    struct intake in;
    enum { READ, MERGE, SEE } phase;
    int tries;
    struct stored_object stored;
    json_t *document;
    const char *contract_id;
    struct token_owner by_uid, by_contract;
    bool older; /* the stored one is newer: success, nothing changes (R-TRANS-15) */
    struct roaming_token_put put;
    struct roaming_token_stored result;
};

/* ---- the path ---- */

/* Whose tokens these are: an eMSP-like party of the caller (R-ROUTE-12). */
static struct err check_owner(struct flow *f)
{
    const struct request *r = request_of(f);
    const struct partner *p = r->caller.partner;
    struct party_id id;
    bool other_role = false;

    if (party_id_make(r->params[0], r->params[1], &id)) {
        for (size_t i = 0; i < p->party_count; i++) {
            if (!party_id_equal(&p->parties[i].id, &id))
                continue;
            if (p->parties[i].role == OCPI_ROLE_EMSP || p->parties[i].role == OCPI_ROLE_OTHER)
                return OK;
            other_role = true;
        }
    }
    if (other_role) {
        struct err e = err_at(f->arena, ERR_FORBIDDEN, NULL, "%s-%s is no eMSP: it has no Tokens",
                              r->params[0], r->params[1]);
        e.expected = "a party with the role EMSP";
        return err_rule(e, "R-ROUTE-56");
    }
    return err_rule(err_new(ERR_OBJECT_NOT_FOUND), "R-TRANS-16");
}

/* The words of 2.2.1; every other one is OTHER there. */
static const char *type_of_key(const char *type)
{
    static const char *const WORDS[] = {"RFID", "APP_USER", "AD_HOC_USER", "OTHER"};

    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (strcmp(WORDS[i], type) == 0)
            return WORDS[i];
    return "OTHER";
}

static const char *type_of_url(struct flow *f)
{
    const char *type = request_query(f, "type");

    return type && *type ? type_of_key(type) : NULL;
}

static struct err read_path(struct flow *f, struct token_write *w)
{
    const struct request *r = request_of(f);
    const char *type = type_of_url(f);

    TRY(check_owner(f));
    w->key = (struct roaming_token_key){r->caller.partner->id, r->params[0], r->params[1],
                                        r->params[2], type ? type : "RFID"};
    return OK;
}

static struct err no_such_token(void)
{
    return err_rule(err_new(ERR_UNKNOWN_TOKEN), "R-TRANS-33");
}

/* A path of 2.1.1 means the token there is, whatever its type. True: look once more. */
static bool other_type_too(struct flow *f, struct token_write *w)
{
    if (w->stored.found || request_of(f)->version != OCPI_2_1_1 || type_of_url(f) ||
        strcmp(w->key.type, "RFID") != 0)
        return false;
    w->key.type = "OTHER";
    return true;
}

/* ---- GET ---- */

static enum flow_next read_stored(struct flow *f)
{
    struct token_write *w = f->state;

    if (!w->key.uid)
        FLOW_TRY(f, read_path(f, w));
    else if (!other_type_too(f, w))
        return FLOW_NEXT;
    roaming_token_get(f, &w->key, &w->stored);
    return FLOW_AGAIN;
}

/* The owner sees what it sent (R-BR-01), in the version in which it asks. */
static void told_to_owner(struct flow *f, const struct token_write *w, struct retold *ret)
{
    const struct request *r = request_of(f);

    retell(f,
           &(struct retell_ask){
               .object = "Token",
               .id = w->key.uid,
               .document = w->stored.document,
               .length = strlen(w->stored.document),
               .from = w->stored.ocpi,
               .to = r->version,
               .reader = r->caller.partner,
               .country_code = w->key.country_code,
               .party_id = w->key.party_id,
           },
           ret);
}

static enum flow_next show(struct flow *f)
{
    struct token_write *w = f->state;
    struct retold told;

    if (!w->stored.found)
        return flow_fail(f, no_such_token());
    told_to_owner(f, w, &told);
    return told.document ? reply_ocpi(f, 200, told.document) : flow_fail(f, no_such_token());
}

static const struct flow_step get_steps[] = {
    {"read the Token", read_stored}, {"show it", show}, {0}};
const struct flow_type roaming_token_get_flow = {
    .name = "roaming_token_get",
    .state_size = sizeof(struct token_write),
    .deadline_ms = SECONDS(10),
    .steps = get_steps,
};

/* ---- what came ---- */

static const char *contract_member(const struct flow *f)
{
    return request_of(f)->version == OCPI_2_1_1 ? "auth_id" : "contract_id";
}

static struct err same(struct flow *f, const json_t *body, const char *name, const char *in_url)
{
    const char *in_body = json_text_of(body, name);

    return in_body ? intake_same(f, arena_printf(f->arena, "/%s", name), in_url, in_body) : OK;
}

/* The owner of a 2.1.1 Token stands in the URL alone. */
static struct err check_identity(struct flow *f, const struct token_write *w, const json_t *body)
{
    TRY(same(f, body, "country_code", w->key.country_code));
    TRY(same(f, body, "party_id", w->key.party_id));
    return same(f, body, "uid", w->key.uid);
}

static struct err check_type(struct flow *f, struct token_write *w, const json_t *body)
{
    const char *type = json_text_of(body, "type");

    if (!type)
        return OK;
    if (request_of(f)->version == OCPI_2_1_1 && !type_of_url(f)) {
        w->key.type = type_of_key(type);
        return OK;
    }
    if (strcmp(type_of_key(type), w->key.type) == 0)
        return OK;
    struct err e =
        err_at(f->arena, ERR_BAD_FIELD, "/type",
               "/type: \"%.40s\" is not the type of the URL, which is %s", type, w->key.type);
    e.came = arena_printf(f->arena, "%.40s", type);
    e.expected =
        arena_printf(f->arena, "?type=%.40s in the URL; without it the type is RFID", type);
    return err_rule(e, "R-TOK-01");
}

/* Everything is checked: from here the document is what will be kept. */
static struct err fill_put(struct flow *f, struct token_write *w)
{
    size_t length;
    const char *text = json_text(f->arena, w->document, &length);

    TRY(intake_fits(f, "Token", length, TOKEN_BYTES_MAX));
    w->put = (struct roaming_token_put){
        .key = w->key,
        .document = text,
        .ocpi = request_of(f)->version,
        .contract_id = json_text_of(w->document, contract_member(f)),
        .valid = json_is_true(json_object_get(w->document, "valid")),
        .last_updated_us = intake_updated(w->document),
        .if_version = w->stored.found ? w->stored.version : 0,
        .unreliable_clock = w->in.partner->peer.quirks.unreliable_clock,
    };
    return intake_check_clock(f, &w->in, w->put.last_updated_us);
}

/* ---- PUT and PATCH ---- */

static enum flow_next check(struct flow *f)
{
    struct token_write *w = f->state;
    const struct request *r = request_of(f);

    FLOW_TRY(f, read_path(f, w));
    w->in = intake_of_request(f, r->params[0], r->params[1]);
    if (strcmp(r->http->method, "PATCH") == 0)
        FLOW_TRY(f, intake_check_patch(f, &w->in, "Token", r->json));
    else
        FLOW_TRY(f, intake_check(f, &w->in, "Token", r->json));
    FLOW_TRY(f, check_identity(f, w, r->json));
    FLOW_TRY(f, check_type(f, w, r->json));
    w->contract_id = json_text_of(r->json, contract_member(f));
    flow_all_begin(f);
    token_owner_find(f, r->caller.partner->id, w->key.uid, &w->by_uid);
    if (w->contract_id)
        token_owner_find(f, r->caller.partner->id, w->contract_id, &w->by_contract);
    return flow_all_end(f);
}

/* Whoever owned such a token could charge at the cost of our users. */
static enum flow_next keep_ours(struct flow *f)
{
    struct token_write *w = f->state;
    bool uid = w->by_uid.found && w->by_uid.ours;
    bool contract = w->by_contract.found && w->by_contract.ours;

    if (!uid && !contract)
        return FLOW_NEXT;
    const char *member = uid ? "uid" : contract_member(f);
    return flow_fail(f,
                     err_rule(err_at(f->arena, ERR_BAD_FIELD, arena_printf(f->arena, "/%s", member),
                                     "/%s: belongs to another eMSP", member),
                              "R-TRANS-18"));
}

static enum flow_next put(struct flow *f)
{
    struct token_write *w = f->state;

    w->document = request_of(f)->json;
    FLOW_TRY(f, fill_put(f, w));
    return roaming_token_put(f, &w->put, &w->result);
}

static enum flow_next answer(struct flow *f)
{
    struct token_write *w = f->state;
    bool created = !w->older && w->result.outcome == ROAMING_TOKEN_CREATED;

    return reply_ocpi(f, created ? 201 : 200, NULL);
}

static const struct flow_step put_steps[] = {
    {"check the body", check},
    {"keep our users' tokens ours", keep_ours},
    {"store it", put},
    {"answer", answer},
    {0},
};
const struct flow_type roaming_token_put_flow = {
    .name = "roaming_token_put",
    .state_size = sizeof(struct token_write),
    .deadline_ms = SECONDS(10),
    .steps = put_steps,
};

static struct err merge(struct flow *f, struct token_write *w)
{
    const struct request *r = request_of(f);
    struct retold told;
    json_t *stored;

    if (!w->stored.found)
        return no_such_token(); /* so that the sender falls back to PUT (R-TRANS-14) */
    told_to_owner(f, w, &told); /* it may have been stored before a change of version */
    if (!told.document)
        return no_such_token();
    TRY(json_read(f->arena, told.document, told.length, 0, &stored));
    intake_stamp(&w->in, r->json, stored);
    w->older = intake_updated(r->json) < w->stored.last_updated_us &&
               !r->caller.partner->peer.quirks.unreliable_clock;
    if (w->older)
        return OK;
    return object_merge(object_type_find(r->version, "Token"), stored, r->json,
                        &r->caller.partner->peer.leniency, f->arena, &w->document);
}

static enum flow_next patch(struct flow *f)
{
    struct token_write *w = f->state;

    switch (w->phase) {
    case READ:
        w->phase = MERGE;
        roaming_token_get(f, &w->key, &w->stored);
        return FLOW_AGAIN;
    case MERGE:
        if (other_type_too(f, w)) {
            roaming_token_get(f, &w->key, &w->stored);
            return FLOW_AGAIN;
        }
        FLOW_TRY(f, merge(f, w));
        if (w->older)
            return FLOW_NEXT;
        FLOW_TRY(f, fill_put(f, w));
        w->phase = SEE;
        roaming_token_put(f, &w->put, &w->result);
        return FLOW_AGAIN;
    case SEE:
        if (w->result.outcome != ROAMING_TOKEN_CONFLICT)
            return FLOW_NEXT;
        if (!intake_once_more(f, &w->tries))
            return flow_fail(f, err_new(ERR_OVERLOADED));
        w->phase = READ;
        return FLOW_AGAIN;
    }
    return flow_fail(f, err_new(ERR_INTERNAL));
}

static const struct flow_step patch_steps[] = {
    {"check the body", check},
    {"keep our users' tokens ours", keep_ours},
    {"merge and store", patch},
    {"answer", answer},
    {0},
};
const struct flow_type roaming_token_patch_flow = {
    .name = "roaming_token_patch",
    .state_size = sizeof(struct token_write),
    .deadline_ms = SECONDS(10),
    .steps = patch_steps,
};
