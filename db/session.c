/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions: each function is one statement. What a statement decides comes back as a word, and the
 * words stand here beside the values of the header's enums, in the same order.
 */
#include "db/session.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/time.h"
#include "db/pg.h"
#include "db/session_row.h"
#include "db/statements.h"

static const char *const state_names[] = {"pending",   "active", "stopping",
                                          "completed", "failed", NULL};

const char *session_state_name(enum session_state s)
{
    return state_names[s];
}

bool session_state_parse(const char *name, enum session_state *ret)
{
    for (int i = 0; name && state_names[i]; i++) {
        if (strcmp(state_names[i], name) == 0) {
            *ret = (enum session_state)i;
            return true;
        }
    }
    return false;
}

int64_t session_duration_minutes(const struct session *s, int64_t now_us)
{
    int64_t end_us = s->end_us != TIME_NONE ? s->end_us : now_us;

    if (s->state == SESSION_PENDING || s->start_us == TIME_NONE || end_us <= s->start_us)
        return 0;
    return (end_us - s->start_us) / (60 * US_PER_SECOND);
}

/* ---- out of a result ---- */

static const char *column_text(const PGresult *rows, int row, const char *column)
{
    int number = PQfnumber(rows, column);

    assert(number >= 0);
    return PQgetisnull(rows, row, number) ? NULL : PQgetvalue(rows, row, number);
}

void session_take_text(const PGresult *rows, int row, const char *column, char *to, size_t size)
{
    const char *value = column_text(rows, row, column);

    text_copy(to, size, value ? value : "");
}

int session_take_word(const PGresult *rows, int row, const char *column, const char *const *words)
{
    const char *value = column_text(rows, row, column);

    for (int i = 0; value && words[i]; i++) {
        if (strcmp(words[i], value) == 0)
            return i;
    }
    return -1;
}

void session_take(struct arena *a, const PGresult *rows, int row, struct session *ret)
{
    *ret = (struct session){0};
    if (pg_is_null(rows, row, "s_id"))
        return;
    session_take_text(rows, row, "s_id", ret->id, sizeof(ret->id));
    session_take_text(rows, row, "s_currency", ret->currency, sizeof(ret->currency));
    ret->version = pg_int(rows, row, "s_version");
    int state = session_take_word(rows, row, "s_state", state_names);
    assert(state >= 0);
    ret->state = (enum session_state)state;
    ret->substatus = pg_text(a, rows, row, "s_substatus");
    ret->failure_code = pg_text(a, rows, row, "s_failure_code");
    ret->last_error = pg_text(a, rows, row, "s_last_error");
    ret->user_id = pg_text(a, rows, row, "s_user_id");
    ret->robot_id = pg_text(a, rows, row, "s_robot_id");
    ret->evse_id = pg_text(a, rows, row, "s_evse_id");
    ret->network = pg_text(a, rows, row, "s_network");
    ret->user_reference = pg_text(a, rows, row, "s_user_reference");
    ret->partner_id = pg_int(rows, row, "s_partner_id");
    ret->country_code = pg_text(a, rows, row, "s_country_code");
    ret->party_id = pg_text(a, rows, row, "s_party_id");
    ret->location_id = pg_text(a, rows, row, "s_location_id");
    ret->evse_uid = pg_text(a, rows, row, "s_evse_uid");
    ret->connector_id = pg_text(a, rows, row, "s_connector_id");
    ret->network_session_id = pg_text(a, rows, row, "s_network_session_id");
    ret->profiles = pg_bool(rows, row, "s_profiles");
    ret->energy_mwh = pg_int(rows, row, "s_energy_mwh");
    ret->cost_u6 = pg_int(rows, row, "s_cost_u6");
    ret->cost_known = pg_bool(rows, row, "s_cost_known");
    ret->created_us = pg_time(rows, row, "s_created_at");
    ret->start_us = pg_time(rows, row, "s_start_at");
    ret->end_us = pg_time(rows, row, "s_end_at");
    ret->updated_us = pg_time(rows, row, "s_updated_at");
    ret->seen_us = pg_time(rows, row, "s_seen_at");
    ret->charging_end_us = pg_time(rows, row, "s_charging_end_at");
    ret->quote = pg_text(a, rows, row, "s_quote");
    ret->operations_due = pg_bool(rows, row, "s_operations_due");
    ret->changed = pg_bool(rows, row, "s_changed");
}

void idempotency_args(struct pg_args *args, const struct idempotency *key)
{
    bool sent = key->key != NULL;

    pg_arg_text(args, key->key);
    pg_arg_text(args, key->caller);
    pg_arg_text(args, sent ? key->method : NULL);
    pg_arg_text(args, sent ? key->path : NULL);
    pg_arg_text(args, sent ? key->body_hash : NULL);
}

static void take_replay(struct arena *a, const PGresult *rows, struct idempotency_record *ret)
{
    ret->state = IDEMPOTENCY_DONE;
    ret->status = (int)pg_int(rows, 0, "replay_status");
    ret->body = pg_text(a, rows, 0, "replay_body");
}

/* ---- start ---- */

static struct err take_started(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const words[] = {"stored",    "replay", "key_reused", "key_running",
                                        "evse_busy", "limit",  "evse_gone",  NULL};
    struct session_started *ret = to;

    int word = session_take_word(rows, 0, "outcome", words);
    assert(word >= 0);
    *ret = (struct session_started){.running_session_id =
                                        pg_text(f->arena, rows, 0, "running_session_id")};
    ret->outcome = (typeof(ret->outcome))word;
    if (ret->outcome == START_REPLAY)
        take_replay(f->arena, rows, &ret->replay);
    session_take(f->arena, rows, 0, &ret->session);
    return OK;
}

static void arg_int_unless(struct pg_args *args, bool absent, int64_t value)
{
    if (absent)
        pg_arg_text(args, NULL);
    else
        pg_arg_int(args, value);
}

static void quote_args(struct pg_args *args, const struct session_start *ask)
{
    static const struct session_quote none;
    const struct session_quote *q = ask->quote ? ask->quote : &none;

    pg_arg_texts(args, ask->tariff_ids, ask->tariff_count);
    pg_arg_text(args, q->retail_tariff);
    arg_int_unless(args, !ask->quote, q->retail_version);
    pg_arg_text(args, q->mode);
    pg_arg_text(args, q->document);
    pg_arg_text(args, ask->quote ? q->hash : NULL);
    pg_arg_text(args, q->language);
    pg_arg_text(args, q->country);
    arg_int_unless(args, !q->network_tariff, q->network_tariff);
    arg_int_unless(args, !q->network_tariff, q->tariff_version);
    arg_int_unless(args, !q->max_minutes, q->max_minutes);
    pg_arg_bool(args, q->parks);
    arg_int_unless(args, !ask->credit_currency, ask->credit_minor);
    pg_arg_text(args, ask->credit_currency);
}

enum flow_next session_start(struct flow *f, const struct session_start *ask,
                             struct session_started *ret)
{
    const struct db_options *options = pg_options();
    struct pg_args args;
    struct text params;

    text_init(&params, f->arena, 256);
    json_begin_object(&params, NULL);
    json_put_bool(&params, "send_connector_id", ask->send_connector_id);
    json_end_object(&params);

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, ask->id);
    pg_arg_text(&args, ask->user_id);
    pg_arg_text(&args, ask->robot_id);
    pg_arg_text(&args, ask->evse_id);
    pg_arg_text(&args, ask->network);
    pg_arg_int(&args, ask->partner_id);
    pg_arg_text(&args, ask->country_code);
    pg_arg_text(&args, ask->party_id);
    pg_arg_text(&args, ask->location_id);
    pg_arg_text(&args, ask->evse_uid);
    pg_arg_text(&args, ask->connector_id);
    pg_arg_text(&args, params.bytes);
    pg_arg_bool(&args, ask->profiles);
    pg_arg_int(&args, ask->battery_target_mwh);
    pg_arg_text(&args, ask->user_reference);
    pg_arg_text(&args, ask->currency);
    pg_arg_int(&args, ask->max_open_per_user);
    pg_arg_int(&args, ask->start_grace_s);
    pg_arg_bool(&args, ask->own_token_per_start);
    pg_arg_text(&args, arena_printf(f->arena, "%s-%s", options->our_country, options->our_party));
    idempotency_args(&args, &ask->idempotency);
    pg_arg_text(&args, ask->answer_body);
    quote_args(&args, ask);
    return pg_run(f, PG_WRITE, STATEMENT_session_start, &args, take_started, ret);
}

/* ---- stop ---- */

static struct err take_stopped(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const words[] = {"taken",  "already",    "ended",       "not_found",
                                        "replay", "key_reused", "key_running", NULL};
    struct session_stopped *ret = to;

    int word = session_take_word(rows, 0, "outcome", words);
    assert(word >= 0);
    *ret = (struct session_stopped){0};
    ret->outcome = (typeof(ret->outcome))word;
    if (ret->outcome == STOP_REPLAY)
        take_replay(f->arena, rows, &ret->replay);
    session_take(f->arena, rows, 0, &ret->session);
    return OK;
}

enum flow_next session_stop(struct flow *f, const struct session_stop *ask,
                            struct session_stopped *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, ask->id);
    pg_arg_text(&args, ask->user_id);
    pg_arg_text(&args, ask->robot_id);
    pg_arg_text(&args, ask->by);
    pg_arg_text(&args, ask->cause);
    idempotency_args(&args, &ask->idempotency);
    return pg_run(f, PG_WRITE, STATEMENT_session_stop, &args, take_stopped, ret);
}

/* ---- read ---- */

struct session_got {
    bool *found;
    struct session *session;
};

static struct err take_got(struct flow *f, const PGresult *rows, void *to)
{
    struct session_got *ret = to;

    *ret->found = PQntuples(rows) == 1;
    if (*ret->found)
        session_take(f->arena, rows, 0, ret->session);
    return OK;
}

enum flow_next session_get(struct flow *f, const char *id, const char *user_id, bool *ret_found,
                           struct session *ret)
{
    struct session_got *got = arena_alloc(f->arena, sizeof(*got));
    struct pg_args args;

    *got = (struct session_got){ret_found, ret};
    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    pg_arg_text(&args, user_id);
    return pg_run(f, PG_READ, STATEMENT_session_get, &args, take_got, got);
}

static struct err take_events(struct flow *f, const PGresult *rows, void *to)
{
    struct session_events *ret = to;
    int count = PQntuples(rows);

    ret->items = arena_alloc(f->arena, sizeof(*ret->items) * ((size_t)count + 1));
    ret->count = (size_t)count;
    for (int i = 0; i < count; i++) {
        ret->items[i] = (struct session_event){
            .seq = pg_int(rows, i, "seq"),
            .at_us = pg_time(rows, i, "at"),
            .from = pg_text(f->arena, rows, i, "from_state"),
            .to = pg_text(f->arena, rows, i, "to_state"),
            .cause = pg_text(f->arena, rows, i, "cause"),
            .by = pg_text(f->arena, rows, i, "by"),
        };
    }
    return OK;
}

enum flow_next session_events(struct flow *f, const char *id, int limit, struct session_events *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    pg_arg_int(&args, limit);
    return pg_run(f, PG_READ, STATEMENT_session_events, &args, take_events, ret);
}

static struct err take_list(struct flow *f, const PGresult *rows, void *to)
{
    struct session_list *ret = to;
    int count = PQntuples(rows);

    ret->items = arena_alloc(f->arena, sizeof(*ret->items) * ((size_t)count + 1));
    ret->count = (size_t)count;
    for (int i = 0; i < count; i++)
        session_take(f->arena, rows, i, &ret->items[i]);
    return OK;
}

enum flow_next session_list(struct flow *f, const struct session_filter *filter,
                            struct session_list *ret)
{
    bool first = filter->before_created_us == TIME_NONE;
    const char *states[5];
    size_t state_count = 0;
    struct pg_args args;

    for (size_t i = 0; i < 5; i++) {
        if (filter->states[i])
            states[state_count++] = state_names[i];
    }
    pg_args_init(&args, f->arena);
    pg_arg_text(&args, filter->user_id);
    if (filter->any_state)
        pg_arg_text(&args, NULL);
    else
        pg_arg_texts(&args, states, state_count);
    pg_arg_time(&args, filter->from_us);
    pg_arg_time(&args, filter->to_us);
    pg_arg_text(&args, filter->network);
    pg_arg_text(&args, filter->evse_id);
    pg_arg_time(&args, filter->before_created_us);
    pg_arg_text(&args, first ? NULL : filter->before_id);
    pg_arg_int(&args, filter->limit + 1);
    return pg_run(f, PG_READ, STATEMENT_session_list, &args, take_list, ret);
}
