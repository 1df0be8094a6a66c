/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations: claims, answers, results. What follows from each is decided in SQL
 * (migrations/004_operation.sql), under the session's lock.
 */
#include "db/operation.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/time.h"
#include "db/pg.h"
#include "db/session_row.h"
#include "db/statements.h"

static const char *const kind_names[] = {"start",
                                         "stop",
                                         "unlock",
                                         "profile_set",
                                         "profile_clear",
                                         "profile_get",
                                         "reserve",
                                         "cancel_reservation",
                                         NULL};

const char *operation_kind_name(enum operation_kind k)
{
    return kind_names[k];
}

static enum operation_kind take_kind(const PGresult *rows, int row)
{
    int kind = session_take_word(rows, row, "kind", kind_names);

    assert(kind >= 0);
    return (enum operation_kind)kind;
}

/* The word for the SQL functions. */
static const char *outcome_word(enum ocpi_outcome outcome)
{
    switch (outcome) {
    case OCPI_OUTCOME_ACCEPTED:
        return "accepted";
    case OCPI_OUTCOME_REJECTED:
        return "rejected";
    case OCPI_OUTCOME_NOT_SUPPORTED:
        return "not_supported";
    case OCPI_OUTCOME_UNKNOWN_SESSION:
        return "unknown_session";
    case OCPI_OUTCOME_TOO_OFTEN:
        return "too_often";
    case OCPI_OUTCOME_UNCLEAR:
        return "unclear";
    case OCPI_OUTCOME_RETRY:
        return "retry";
    case OCPI_OUTCOME_IGNORED:
        return "ignored";
    case OCPI_OUTCOME_NOT_SENT:
        return "not_sent";
    }
    abort();
}

/* ---- claim ---- */

static struct err take_claimed(struct flow *f, const PGresult *rows, void *to)
{
    struct operations *ret = to;
    struct arena *a = f->arena;
    int count = PQntuples(rows);

    ret->count = (size_t)count;
    ret->items = arena_alloc(a, sizeof(*ret->items) * ((size_t)count + 1));
    for (int i = 0; i < count; i++) {
        struct operation *o = &ret->items[i];

        o->id = pg_int(rows, i, "operation_id");
        o->kind = take_kind(rows, i);
        session_take_text(rows, i, "callback_id", o->callback_id, sizeof(o->callback_id));
        o->partner_id = pg_int(rows, i, "operation_partner_id");
        o->attempts = (int)pg_int(rows, i, "attempts");
        o->params = pg_text(a, rows, i, "params");
        session_take(a, rows, i, &o->session);
        memcpy(o->session_id, o->session.id, sizeof(o->session_id));
        o->token_uid = pg_text(a, rows, i, "token_uid");
        o->token_type = pg_text(a, rows, i, "token_type");
        o->token_contract_id = pg_text(a, rows, i, "token_contract_id");
        o->token_last_updated_us = pg_time(rows, i, "token_last_updated");
        o->more_due = pg_bool(rows, i, "more_due");
    }
    return OK;
}

enum flow_next operation_claim(struct flow *f, const char *session_id, int limit,
                               struct operations *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, session_id);
    pg_arg_int(&args, limit);
    pg_arg_text(&args, arena_printf(f->arena, "pid %d", (int)getpid()));
    return pg_run(f, PG_WRITE, STATEMENT_operation_claim, &args, take_claimed, ret);
}

/* ---- what came back ---- */

static struct err take_session(struct flow *f, const PGresult *rows, void *to)
{
    session_take(f->arena, rows, 0, to);
    return OK;
}

enum flow_next operation_answered(struct flow *f, const struct operation_answer *answer,
                                  struct session *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, answer->id);
    pg_arg_text(&args, outcome_word(answer->outcome));
    pg_arg_text(&args, answer->failure_code);
    pg_arg_int(&args, answer->timeout_s);
    pg_arg_text(&args, answer->detail);
    return pg_run(f, PG_WRITE, STATEMENT_operation_answered, &args, take_session, ret);
}

static struct err take_resulted(struct flow *f, const PGresult *rows, void *to)
{
    struct operation_resulted *ret = to;

    *ret = (struct operation_resulted){.found = pg_bool(rows, 0, "found"),
                                       .applied = pg_bool(rows, 0, "applied")};
    if (ret->found)
        ret->kind = take_kind(rows, 0);
    session_take(f->arena, rows, 0, &ret->session);
    return OK;
}

enum flow_next operation_result(struct flow *f, const struct operation_result *result,
                                struct operation_resulted *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, result->callback_id);
    pg_arg_int(&args, result->partner_id);
    pg_arg_text(&args, outcome_word(result->outcome));
    pg_arg_text(&args, result->failure_code);
    pg_arg_text(&args, result->raw);
    return pg_run(f, PG_WRITE, STATEMENT_operation_result, &args, take_resulted, ret);
}

struct kind_got {
    bool *found;
    enum operation_kind *kind;
};

static struct err take_kind_got(struct flow *f, const PGresult *rows, void *to)
{
    struct kind_got *ret = to;

    (void)f;
    *ret->found = PQntuples(rows) == 1;
    if (*ret->found)
        *ret->kind = take_kind(rows, 0);
    return OK;
}

enum flow_next operation_kind_of(struct flow *f, const char *callback_id, int64_t partner_id,
                                 bool *ret_found, enum operation_kind *ret)
{
    struct kind_got *got = arena_alloc(f->arena, sizeof(*got));
    struct pg_args args;

    *got = (struct kind_got){ret_found, ret};
    pg_args_init(&args, f->arena);
    pg_arg_text(&args, callback_id);
    pg_arg_int(&args, partner_id);
    return pg_run(f, PG_READ, STATEMENT_operation_kind_of, &args, take_kind_got, got);
}

/* ---- charging profiles ---- */

static struct err take_profile(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const words[] = {"queued",   "not_found", "not_active", "not_supported",
                                        "none_set", "others",    NULL};
    struct profile_asked *ret = to;

    int word = session_take_word(rows, 0, "outcome", words);
    assert(word >= 0);
    ret->outcome = (typeof(ret->outcome))word;
    ret->operation_id = pg_int(rows, 0, "operation_id");
    session_take(f->arena, rows, 0, &ret->session);
    if (ret->outcome == PROFILE_QUEUED)
        ret->session.operations_due = true;
    return OK;
}

enum flow_next profile_ask(struct flow *f, const struct profile_ask *ask, struct profile_asked *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, ask->session_id);
    pg_arg_text(&args, ask->user_id);
    pg_arg_text(&args, ask->robot_id);
    pg_arg_text(&args, ask->by);
    pg_arg_bool(&args, ask->clear);
    pg_arg_text(&args, ask->params);
    return pg_run(f, PG_WRITE, STATEMENT_profile_ask, &args, take_profile, ret);
}

enum flow_next profile_get_ask(struct flow *f, const char *session_id, int64_t seconds,
                               const char *by, struct profile_asked *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, session_id);
    pg_arg_int(&args, seconds);
    pg_arg_text(&args, by);
    return pg_run(f, PG_WRITE, STATEMENT_profile_get_ask, &args, take_profile, ret);
}

enum flow_next operation_keep_document(struct flow *f, const char *callback_id, int64_t partner_id,
                                       const char *document)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, callback_id);
    pg_arg_int(&args, partner_id);
    pg_arg_text(&args, document);
    return pg_run(f, PG_WRITE, STATEMENT_operation_keep_document, &args, NULL, NULL);
}

static enum ocpi_outcome outcome_read(const char *word)
{
    static const struct {
        const char *word;
        enum ocpi_outcome outcome;
    } words[] = {
        {"done", OCPI_OUTCOME_ACCEPTED},
        {"rejected", OCPI_OUTCOME_REJECTED},
        {"not_supported", OCPI_OUTCOME_NOT_SUPPORTED},
        {"unknown_session", OCPI_OUTCOME_UNKNOWN_SESSION},
        {"too_often", OCPI_OUTCOME_TOO_OFTEN},
        {"unreachable", OCPI_OUTCOME_NOT_SENT},
        {"cancelled", OCPI_OUTCOME_IGNORED}, /* a newer request replaced it */
    };

    for (size_t i = 0; word && i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].word, word) == 0)
            return words[i].outcome;
    }
    return OCPI_OUTCOME_UNCLEAR;
}

struct profile_got {
    bool *known, *set;
};

static struct err take_profile_got(struct flow *f, const PGresult *rows, void *to)
{
    struct profile_got *got = to;

    (void)f;
    *got->known = pg_bool(rows, 0, "known");
    *got->set = pg_bool(rows, 0, "set");
    return OK;
}

enum flow_next operation_profile_find(struct flow *f, int64_t partner_id,
                                      const char *network_session_id, bool *ret_known,
                                      bool *ret_set)
{
    struct profile_got *got = arena_alloc(f->arena, sizeof(*got));
    struct pg_args args;

    *got = (struct profile_got){ret_known, ret_set};
    pg_args_init(&args, f->arena);
    pg_arg_int(&args, partner_id);
    pg_arg_text(&args, network_session_id);
    return pg_run(f, PG_READ, STATEMENT_operation_profile_find, &args, take_profile_got, got);
}

static struct err take_state(struct flow *f, const PGresult *rows, void *to)
{
    struct operation_state *ret = to;

    *ret = (struct operation_state){.found = PQntuples(rows) == 1};
    if (!ret->found)
        return OK;
    const char *state = pg_text(f->arena, rows, 0, "state");
    ret->finished = strcmp(state, "completed") == 0 || strcmp(state, "failed") == 0;
    ret->outcome = outcome_read(pg_text(f->arena, rows, 0, "outcome"));
    ret->detail = pg_text(f->arena, rows, 0, "detail");
    ret->document = pg_text(f->arena, rows, 0, "result_document");
    return OK;
}

enum flow_next operation_get(struct flow *f, int64_t id, struct operation_state *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, id);
    return pg_run(f, PG_READ, STATEMENT_operation_get, &args, take_state, ret);
}

/* ---- unlock ---- */

static struct err take_id(struct flow *f, const PGresult *rows, void *to)
{
    int64_t *ret = to;

    (void)f;
    *ret = pg_int(rows, 0, "id");
    return OK;
}

enum flow_next operation_unlock(struct flow *f, const struct unlock_ask *ask, int64_t *ret_id)
{
    struct pg_args args;
    struct text params;

    text_init(&params, f->arena, 4096);
    json_begin_object(&params, NULL);
    json_put_text(&params, "country_code", ask->country_code);
    json_put_text(&params, "party_id", ask->party_id);
    json_put_text(&params, "location_id", ask->location_id);
    json_put_text(&params, "evse_uid", ask->evse_uid);
    json_put_text(&params, "connector_id", ask->connector_id);
    json_end_object(&params);
    pg_args_init(&args, f->arena);
    pg_arg_int(&args, ask->partner_id);
    pg_arg_text(&args, params.bytes);
    pg_arg_text(&args, ask->by);
    return pg_run(f, PG_WRITE, STATEMENT_operation_unlock, &args, take_id, ret_id);
}
