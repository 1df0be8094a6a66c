/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDRs: arguments and results of the functions in migrations/020_money.sql.
 */
#include "db/cdr.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/time.h"
#include "db/pg.h"
#include "db/session_row.h"
#include "db/statements.h"

/* pg_int says 0 for NULL. */
static void arg_row(struct pg_args *args, int64_t id)
{
    if (id)
        pg_arg_int(args, id);
    else
        pg_arg_text(args, NULL);
}

/* ---- looking ---- */

static struct err take_context(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const known[] = {"new", "repeated", "conflict", NULL};
    static const char *const originals[] = {"waiting", "twice", "open", NULL};
    struct cdr_context *ret = to;
    struct arena *a = f->arena;

    *ret = (struct cdr_context){0};
    int word = session_take_word(rows, 0, "known", known);
    assert(word >= 0);
    ret->known = (typeof(ret->known))word;
    ret->path = pg_text(a, rows, 0, "path");
    ret->filed = pg_text(a, rows, 0, "filed");
    ret->situation = pg_text(a, rows, 0, "situation");
    session_take_text(rows, 0, "session_id", ret->session_id, sizeof(ret->session_id));
    ret->phase = pg_text(a, rows, 0, "phase");
    ret->user_id = pg_text(a, rows, 0, "user_id");
    ret->evse_id = pg_text(a, rows, 0, "evse_id");
    ret->network = pg_text(a, rows, 0, "network");
    ret->has_energy = !pg_is_null(rows, 0, "session_energy_mwh");
    ret->session_energy_mwh = pg_int(rows, 0, "session_energy_mwh");
    ret->session_start_us = pg_time(rows, 0, "session_start_at");
    ret->session_end_us = pg_time(rows, 0, "session_end_at");
    ret->billed = !pg_is_null(rows, 0, "billed") && pg_bool(rows, 0, "billed");
    ret->tariffs = pg_text(a, rows, 0, "tariffs");
    ret->power_w = pg_int(rows, 0, "power_w");
    ret->time_zone = pg_text(a, rows, 0, "time_zone");
    ret->country = pg_text(a, rows, 0, "country");
    ret->place_name = pg_text(a, rows, 0, "place_name");
    ret->place_address = pg_text(a, rows, 0, "place_address");
    ret->place_city = pg_text(a, rows, 0, "place_city");
    ret->quote = pg_text(a, rows, 0, "quote");
    ret->quote_mode = pg_text(a, rows, 0, "quote_mode");
    ret->vat = pg_text(a, rows, 0, "vat");
    ret->vat_id = pg_text(a, rows, 0, "vat_id");
    ret->replaces = pg_text(a, rows, 0, "replaces");
    ret->replaced_currency = pg_text(a, rows, 0, "replaced_currency");
    ret->replaced_minor = pg_int(rows, 0, "replaced_minor");
    if (!pg_is_null(rows, 0, "original_state")) {
        word = session_take_word(rows, 0, "original_state", originals);
        assert(word >= 0);
        ret->original = (typeof(ret->original))word;
    }
    ret->original_body = pg_text(a, rows, 0, "original_body");
    if (ret->original_body)
        ret->original_ocpi = version_parse(pg_text(a, rows, 0, "original_ocpi"));
    ret->receipt_number = pg_text(a, rows, 0, "receipt_number");
    ret->receipt_content = pg_text(a, rows, 0, "receipt_content");
    ret->token_overlap = pg_text(a, rows, 0, "token_overlap");
    ret->evse_overlap = pg_text(a, rows, 0, "evse_overlap");
    ret->has_limits = !pg_is_null(rows, 0, "ok_u6");
    ret->ok_u6 = pg_int(rows, 0, "ok_u6");
    ret->ok_percent_u4 = pg_int(rows, 0, "ok_percent_u4");
    ret->warn_u6 = pg_int(rows, 0, "warn_u6");
    ret->warn_percent_u4 = pg_int(rows, 0, "warn_percent_u4");
    return OK;
}

enum flow_next cdr_context(struct flow *f, const struct cdr_ask *ask, struct cdr_context *ret)
{
    const struct cdr_put *put = ask->put;
    struct pg_args args;

    pg_args_init(&args, f->arena);
    arg_row(&args, ask->stored);
    pg_arg_int(&args, put->partner_id);
    pg_arg_text(&args, put->country_code);
    pg_arg_text(&args, put->party_id);
    pg_arg_text(&args, put->id);
    pg_arg_text(&args, put->content_hash);
    pg_arg_text(&args, put->session_id);
    pg_arg_text(&args, put->token_uid);
    pg_arg_text(&args, put->authorization_reference);
    pg_arg_text(&args, put->evse_uid);
    pg_arg_text(&args, put->cdr_location_id);
    pg_arg_text(&args, ask->connector_id);
    pg_arg_time(&args, put->start_us);
    pg_arg_time(&args, put->end_us);
    pg_arg_text(&args, put->currency);
    pg_arg_bool(&args, put->credit);
    pg_arg_text(&args, put->credit_reference_id);
    pg_arg_text(&args, ask->session_id);
    pg_arg_int(&args, ask->token_most);
    return pg_run(f, PG_READ, STATEMENT_cdr_context, &args, take_context, ret);
}

/* ---- filing ---- */

static struct err take_stored(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const words[] = {"stored",  "repeated", "conflict",    "again",
                                        "settled", "over",     "same_person", NULL};
    struct cdr_stored *ret = to;

    int word = session_take_word(rows, 0, "outcome", words);
    assert(word >= 0);
    ret->outcome = (typeof(ret->outcome))word;
    ret->path = pg_text(f->arena, rows, 0, "path");
    ret->filed = pg_text(f->arena, rows, 0, "filed");
    ret->cdr = pg_int(rows, 0, "cdr");
    ret->class = pg_text(f->arena, rows, 0, "class");
    ret->receipt = pg_text(f->arena, rows, 0, "receipt");
    ret->waiting_credit = pg_int(rows, 0, "waiting");
    session_take(f->arena, rows, 0, &ret->session);
    return OK;
}

enum flow_next cdr_put(struct flow *f, const struct cdr_put *put, const char *priced,
                       struct cdr_stored *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, put->partner_id);
    pg_arg_text(&args, put->country_code);
    pg_arg_text(&args, put->party_id);
    pg_arg_text(&args, put->id);
    pg_arg_bytes(&args, put->body, put->body_length);
    pg_arg_text(&args, put->content_hash);
    pg_arg_text(&args, put->location_id_path);
    pg_arg_text(&args, put->session_id);
    pg_arg_text(&args, put->token_uid);
    pg_arg_text(&args, put->authorization_reference);
    pg_arg_text(&args, put->evse_uid);
    pg_arg_text(&args, put->cdr_location_id);
    pg_arg_time(&args, put->start_us);
    pg_arg_time(&args, put->end_us);
    pg_arg_int(&args, put->energy_u6);
    pg_arg_int(&args, put->total_cost_u6);
    pg_arg_int(&args, put->total_cost_excl_u6);
    pg_arg_bool(&args, put->has_incl_vat);
    pg_arg_text(&args, put->currency);
    pg_arg_bool(&args, put->credit);
    pg_arg_text(&args, put->credit_reference_id);
    pg_arg_time(&args, put->last_updated_us);
    pg_arg_text(&args, version_name(put->ocpi));
    pg_arg_text(&args, put->token_country_code);
    pg_arg_text(&args, put->token_party_id);
    pg_arg_text(&args, put->by_pull ? "pull" : "push");
    pg_arg_text(&args, priced);
    pg_arg_text(&args, pg_options()->receipt_series);
    return pg_run(f, PG_WRITE, STATEMENT_cdr_put, &args, take_stored, ret);
}

enum flow_next cdr_settle(struct flow *f, int64_t cdr, const char *session_id, const char *priced,
                          const char *by, bool confirmed, struct cdr_stored *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, cdr);
    pg_arg_text(&args, session_id);
    pg_arg_text(&args, priced);
    pg_arg_text(&args, by);
    pg_arg_bool(&args, confirmed);
    pg_arg_text(&args, pg_options()->receipt_series);
    return pg_run(f, PG_WRITE, STATEMENT_cdr_settle, &args, take_stored, ret);
}

static struct err take_row(struct flow *f, const PGresult *rows, void *to)
{
    struct cdr_row *ret = to;
    struct arena *a = f->arena;

    *ret = (struct cdr_row){.found = PQntuples(rows) == 1};
    if (!ret->found)
        return OK;
    ret->put = (struct cdr_put){
        .partner_id = pg_int(rows, 0, "partner_id"),
        .country_code = pg_text(a, rows, 0, "country_code"),
        .party_id = pg_text(a, rows, 0, "party_id"),
        .id = pg_text(a, rows, 0, "cdr_id"),
        .body = pg_text(a, rows, 0, "body"),
        .ocpi = version_parse(pg_text(a, rows, 0, "ocpi")),
        .session_id = pg_text(a, rows, 0, "network_session_id"),
        .token_uid = pg_text(a, rows, 0, "token_uid"),
        .authorization_reference = pg_text(a, rows, 0, "authorization_reference"),
        .token_country_code = pg_text(a, rows, 0, "token_country"),
        .token_party_id = pg_text(a, rows, 0, "token_party"),
        .evse_uid = pg_text(a, rows, 0, "evse_uid"),
        .cdr_location_id = pg_text(a, rows, 0, "location_id"),
        .start_us = pg_time(rows, 0, "start_at"),
        .end_us = pg_time(rows, 0, "end_at"),
        .energy_u6 = pg_int(rows, 0, "energy_mwh"),
        .total_cost_u6 = pg_int(rows, 0, "total_cost_u6"),
        .total_cost_excl_u6 = pg_int(rows, 0, "total_cost_excl_u6"),
        .has_incl_vat = pg_bool(rows, 0, "has_incl_vat"),
        .currency = pg_text(a, rows, 0, "currency"),
        .credit = pg_bool(rows, 0, "credit"),
        .credit_reference_id = pg_text(a, rows, 0, "credit_reference_id"),
        .last_updated_us = pg_time(rows, 0, "last_updated"),
        .plausible = true,
    };
    ret->put.body_length = strlen(ret->put.body);
    session_take_text(rows, 0, "content_hash", ret->put.content_hash,
                      sizeof(ret->put.content_hash));
    ret->filed = pg_text(a, rows, 0, "filed");
    ret->manual = pg_bool(rows, 0, "manual");
    ret->drafted_by = pg_text(a, rows, 0, "drafted_by");
    session_take_text(rows, 0, "session_id", ret->session_id, sizeof(ret->session_id));
    ret->received_us = pg_time(rows, 0, "received_at");
    return OK;
}

enum flow_next cdr_read(struct flow *f, int64_t cdr, struct cdr_row *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, cdr);
    return pg_run(f, PG_READ, STATEMENT_cdr_read, &args, take_row, ret);
}

/* ---- what people decide ---- */

enum flow_next cdr_decline(struct flow *f, int64_t cdr, const char *by, struct cdr_stored *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, cdr);
    pg_arg_text(&args, by);
    return pg_run(f, PG_WRITE, STATEMENT_cdr_decline, &args, take_stored, ret);
}

enum flow_next cdr_decline_awaited(struct flow *f, const char *session_id, const char *by,
                                   struct cdr_stored *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, session_id);
    pg_arg_text(&args, by);
    return pg_run(f, PG_WRITE, STATEMENT_cdr_decline_awaited, &args, take_stored, ret);
}

static struct err take_released(struct flow *f, const PGresult *rows, void *to)
{
    (void)f;
    *(bool *)to = pg_bool(rows, 0, "released");
    return OK;
}

enum flow_next cdr_release(struct flow *f, int64_t cdr, bool owe, const char *by, bool *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, cdr);
    pg_arg_bool(&args, owe);
    pg_arg_text(&args, by);
    return pg_run(f, PG_WRITE, STATEMENT_cdr_release, &args, take_released, ret);
}

static struct err take_id(struct flow *f, const PGresult *rows, void *to)
{
    (void)f;
    *(int64_t *)to = pg_int(rows, 0, "cdr");
    return OK;
}

enum flow_next cdr_draft(struct flow *f, const struct cdr_draft *draft, int64_t *ret_cdr)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, draft->session_id);
    pg_arg_text(&args, draft->id);
    pg_arg_text(&args, draft->body);
    pg_arg_text(&args, draft->content_hash);
    pg_arg_text(&args, draft->path);
    pg_arg_time(&args, draft->start_us);
    pg_arg_time(&args, draft->end_us);
    pg_arg_int(&args, draft->energy_u6);
    pg_arg_int(&args, draft->total_cost_u6);
    pg_arg_int(&args, draft->total_cost_excl_u6);
    pg_arg_text(&args, draft->currency);
    pg_arg_text(&args, draft->by);
    pg_arg_text(&args, draft->reason);
    return pg_run(f, PG_WRITE, STATEMENT_cdr_draft, &args, take_id, ret_cdr);
}

enum flow_next cdr_draft_credit(struct flow *f, int64_t cdr, const struct cdr_draft *draft,
                                int64_t *ret_cdr)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, cdr);
    pg_arg_text(&args, draft->id);
    pg_arg_text(&args, draft->body);
    pg_arg_text(&args, draft->content_hash);
    pg_arg_text(&args, draft->path);
    pg_arg_text(&args, draft->by);
    pg_arg_text(&args, draft->reason);
    return pg_run(f, PG_WRITE, STATEMENT_cdr_draft_credit, &args, take_id, ret_cdr);
}

/* ---- by and by ---- */

static struct err take_ids(struct flow *f, const PGresult *rows, void *to)
{
    struct cdr_list *ret = to;

    ret->count = (size_t)PQntuples(rows);
    ret->ids = arena_alloc(f->arena, sizeof(*ret->ids) * (ret->count + 1));
    for (size_t i = 0; i < ret->count; i++)
        ret->ids[i] = pg_int(rows, (int)i, "id");
    return OK;
}

enum flow_next cdr_retry_claim(struct flow *f, int limit, struct cdr_list *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, limit);
    return pg_run(f, PG_WRITE, STATEMENT_cdr_retry_claim, &args, take_ids, ret);
}

static struct err take_number(struct flow *f, const PGresult *rows, void *to)
{
    *(const char **)to = pg_text(f->arena, rows, 0, "number");
    return OK;
}

enum flow_next cdr_cancel_due(struct flow *f, const char **ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, pg_options()->receipt_series);
    return pg_run(f, PG_WRITE, STATEMENT_cdr_cancel_due, &args, take_number, ret);
}

/* ---- reading ---- */

static struct err take_body(struct flow *f, const PGresult *rows, void *to)
{
    struct cdr_body *ret = to;

    *ret = (struct cdr_body){.found = PQntuples(rows) == 1};
    if (ret->found) {
        ret->body = pg_text(f->arena, rows, 0, "body");
        ret->length = strlen(ret->body);
        ret->ocpi = version_parse(pg_text(f->arena, rows, 0, "ocpi"));
        ret->country_code = pg_text(f->arena, rows, 0, "country_code");
        ret->party_id = pg_text(f->arena, rows, 0, "party_id");
    }
    return OK;
}

enum flow_next cdr_get(struct flow *f, int64_t partner_id, const char *path, struct cdr_body *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, partner_id);
    pg_arg_text(&args, path);
    return pg_run(f, PG_READ, STATEMENT_cdr_get, &args, take_body, ret);
}
