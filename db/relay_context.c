/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Relay contexts and setters of profiles (migrations/018_relay.sql). What each command costs is
 * gathered (db/gather.h): its context before it is sent, which is durable, and that it was
 * accepted, which shortens the context's life and may be lost.
 */
#include "db/relay_context.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/text.h"
#include "base/time.h"
#include "db/cache.h"
#include "db/gather.h"
#include "db/pg.h"
#include "db/session_row.h"
#include "db/statements.h"

static const char *const kinds[] = {
    [RELAY_START_SESSION] = "START_SESSION",
    [RELAY_STOP_SESSION] = "STOP_SESSION",
    [RELAY_RESERVE_NOW] = "RESERVE_NOW",
    [RELAY_CANCEL_RESERVATION] = "CANCEL_RESERVATION",
    [RELAY_UNLOCK_CONNECTOR] = "UNLOCK_CONNECTOR",
    [RELAY_PROFILE_GET] = "profile_get",
    [RELAY_PROFILE_SET] = "profile_set",
    [RELAY_PROFILE_CLEAR] = "profile_clear",
    [RELAY_KIND_COUNT] = NULL,
};

const char *relay_kind_name(enum relay_kind kind)
{
    return kinds[kind];
}

bool relay_kind_parse(const char *name, enum relay_kind *ret)
{
    for (int i = 0; name && i < RELAY_KIND_COUNT; i++) {
        if (strcmp(kinds[i], name) == 0) {
            *ret = (enum relay_kind)i;
            return true;
        }
    }
    return false;
}

static void add_side(struct pg_args *args, const struct relay_side *side)
{
    pg_arg_int(args, side->partner_id);
    pg_arg_text(args, side->party.country_code);
    pg_arg_text(args, side->party.party_id);
    pg_arg_text(args, version_name(side->version));
}

static struct gather contexts = {.statement = STATEMENT_relay_context_insert, .width = 20};
static struct gather acceptances = {
    .statement = STATEMENT_relay_context_accepted, .width = 2, .wait_ms = 100};

void relay_context_store_open(struct event_base *loop)
{
    gather_open(&contexts, loop);
    gather_open(&acceptances, loop);
}

void relay_context_store_close(void)
{
    gather_close(&contexts);
    gather_close(&acceptances);
}

enum flow_next relay_context_insert(struct flow *f, const struct relay_context *c)
{
    char expiry[TIME_TEXT], requester[24], receiver[24];
    bool expires = c->kind == RELAY_RESERVE_NOW && c->expiry_us != TIME_NONE;

    assert(strlen(c->id) == RELAY_ID - 1);
    snprintf(requester, sizeof requester, "%lld", (long long)c->requester.partner_id);
    snprintf(receiver, sizeof receiver, "%lld", (long long)c->receiver.partner_id);
    const char *const values[] = {
        c->id,
        relay_kind_name(c->kind),
        requester,
        c->requester.party.country_code,
        c->requester.party.party_id,
        version_name(c->requester.version),
        receiver,
        c->receiver.party.country_code,
        c->receiver.party.party_id,
        version_name(c->receiver.version),
        c->response_url,
        c->correlation_id,
        c->session_id,
        c->location_id,
        c->token_uid,
        c->reservation_id,
        expires ? time_print_micros(expiry, c->expiry_us) : NULL,
        c->evse_uid,
        c->contract_id,
        c->authorization_reference,
    };
    _Static_assert(sizeof values / sizeof *values == 20, "a value for each column");
    return gather_run(f, &contexts, values);
}

static void note_accepted(const struct relay_context *c, int64_t timeout_s)
{
    char timeout[24];
    const char *const values[] = {c->id, timeout};

    snprintf(timeout, sizeof timeout, "%lld", (long long)timeout_s);
    gather_add(&acceptances, values);
}

enum flow_next relay_context_answered(struct flow *f, const struct relay_context *c,
                                      enum relay_answered how, int64_t timeout_s)
{
    struct pg_args args;

    if (how == RELAY_ACCEPTED) {
        note_accepted(c, timeout_s);
        return FLOW_NEXT;
    }
    pg_args_init(&args, f->arena);
    pg_arg_text(&args, c->id);
    pg_arg_text(&args, how == RELAY_REFUSED ? "refused" : "unclear");
    return pg_run(f, PG_WRITE, STATEMENT_relay_context_ended, &args, NULL, NULL);
}

static void take_side(struct arena *a, const PGresult *rows, const char *prefix,
                      struct relay_side *ret)
{
    const char *country = pg_text(a, rows, 0, arena_printf(a, "%scountry", prefix));
    const char *party = pg_text(a, rows, 0, arena_printf(a, "%sparty", prefix));

    ret->partner_id = pg_int(rows, 0, arena_printf(a, "%sid", prefix));
    ret->version = version_parse(pg_text(a, rows, 0, arena_printf(a, "%socpi", prefix)));
    (void)party_id_make(country, party, &ret->party);
}

static struct err take_context(struct flow *f, const PGresult *rows, void *to)
{
    struct relay_found *ret = to;
    struct relay_context *c = &ret->context;
    struct arena *a = f->arena;

    *ret = (struct relay_found){.found = PQntuples(rows) == 1};
    if (!ret->found)
        return OK;
    ret->found = text_copy(c->id, sizeof(c->id), pg_text(a, rows, 0, "id")) &&
                 relay_kind_parse(pg_text(a, rows, 0, "kind"), &c->kind);
    take_side(a, rows, "requester_", &c->requester);
    take_side(a, rows, "receiver_", &c->receiver);
    c->response_url = pg_text(a, rows, 0, "response_url");
    c->correlation_id = pg_text(a, rows, 0, "correlation_id");
    c->session_id = pg_text(a, rows, 0, "session_id");
    c->location_id = pg_text(a, rows, 0, "location_id");
    c->token_uid = pg_text(a, rows, 0, "token_uid");
    c->reservation_id = pg_text(a, rows, 0, "reservation_id");
    c->expiry_us = pg_time(rows, 0, "expiry_at");
    c->created_us = pg_time(rows, 0, "created_at");
    c->deadline_us = pg_time(rows, 0, "deadline_at");
    c->results = (int)pg_int(rows, 0, "results");
    return OK;
}

enum flow_next relay_context_find(struct flow *f, const char *id, int64_t partner_id,
                                  struct relay_found *ret)
{
    struct pg_args args;

    *ret = (struct relay_found){0};
    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    pg_arg_int(&args, partner_id);
    return pg_run(f, PG_READ, STATEMENT_relay_context_find, &args, take_context, ret);
}

/* ---- results ---- */

static struct err take_result(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const words[] = {
        [RELAY_RESULT_FIRST] = "first", [RELAY_RESULT_OTHER] = "other",
        [RELAY_RESULT_SAME] = "same",   [RELAY_RESULT_SPENT] = "spent",
        [RELAY_RESULT_GONE] = "gone",   NULL,
    };
    struct relay_result *ret = to;
    int outcome = session_take_word(rows, 0, "outcome", words);

    (void)f;
    assert(outcome >= 0);
    ret->outcome = (enum relay_resulted)outcome;
    if (ret->outcome == RELAY_RESULT_SAME && !pg_bool(rows, 0, "told"))
        ret->outcome = RELAY_RESULT_BUSY;
    ret->seq = (int)pg_int(rows, 0, "seq");
    return OK;
}

enum flow_next relay_context_result(struct flow *f, const struct relay_context *c, const char *body,
                                    size_t length, struct relay_result *ret)
{
    char hash[SHA256_HEX];
    struct pg_args args;

    id_sha256_hex(body, length, hash);
    pg_args_init(&args, f->arena);
    pg_arg_text(&args, c->id);
    pg_arg_text(&args, hash);
    return pg_run(f, PG_WRITE, STATEMENT_relay_context_result, &args, take_result, ret);
}

enum flow_next relay_context_told(struct flow *f, const struct relay_context *c,
                                  const struct relay_result *result, bool told)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, c->id);
    pg_arg_int(&args, result->seq);
    pg_arg_bool(&args, told);
    return pg_run(f, PG_WRITE, STATEMENT_relay_context_told, &args, NULL, NULL);
}

/* ---- how a charge began ---- */

static struct err take_origin(struct flow *f, const PGresult *rows, void *to)
{
    *(struct relay_origin *)to = (struct relay_origin){
        .by_command = pg_bool(rows, 0, "by_command"),
        .authorization_reference = pg_text(f->arena, rows, 0, "authorization_reference"),
        .session_id = pg_text(f->arena, rows, 0, "session_id"),
    };
    return OK;
}

enum flow_next relay_origin_find(struct flow *f, const struct relay_origin_ask *ask,
                                 struct relay_origin *ret)
{
    struct pg_args args;

    *ret = (struct relay_origin){0};
    pg_args_init(&args, f->arena);
    pg_arg_int(&args, ask->cpo_partner_id);
    pg_arg_text(&args, ask->token_country_code);
    pg_arg_text(&args, ask->token_party_id);
    pg_arg_text(&args, ask->auth_id);
    pg_arg_text(&args, ask->location_id);
    pg_arg_text(&args, ask->evse_uid);
    pg_arg_time(&args, ask->start_us);
    pg_arg_bool(&args, ask->cdr);
    return pg_run(f, PG_READ, STATEMENT_relay_origin_find, &args, take_origin, ret);
}

/* ---- charging profiles ---- */

enum flow_next profile_setter_set(struct flow *f, const struct party_id *cpo,
                                  const char *session_id, const struct relay_side *setter)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, cpo->country_code);
    pg_arg_text(&args, cpo->party_id);
    pg_arg_text(&args, session_id);
    if (setter) {
        add_side(&args, setter);
    } else {
        for (int i = 0; i < 4; i++)
            pg_arg_text(&args, NULL);
    }
    return pg_run(f, PG_WRITE, STATEMENT_profile_setter_set, &args, NULL, NULL);
}

static struct err take_setter(struct flow *f, const PGresult *rows, void *to)
{
    struct profile_setter *ret = to;
    struct arena *a = f->arena;

    *ret = (struct profile_setter){.found = PQntuples(rows) == 1};
    if (!ret->found)
        return OK;
    ret->side.partner_id = pg_int(rows, 0, "partner_id");
    ret->side.version = version_parse(pg_text(a, rows, 0, "ocpi"));
    (void)party_id_make(pg_text(a, rows, 0, "country_code"), pg_text(a, rows, 0, "party_id"),
                        &ret->side.party);
    return OK;
}

enum flow_next profile_setter_find(struct flow *f, const struct party_id *cpo,
                                   const char *session_id, struct profile_setter *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, cpo->country_code);
    pg_arg_text(&args, cpo->party_id);
    pg_arg_text(&args, session_id);
    return pg_run(f, PG_READ, STATEMENT_profile_setter_find, &args, take_setter, ret);
}
