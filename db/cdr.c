/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDRs and receipts: one statement stores the CDR, bills it or files it for a person
 * (migrations/006_cdr.sql and 010_ocpi_versions.sql).
 */
#include "db/cdr.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/time.h"
#include "db/pg.h"
#include "db/session_row.h"
#include "db/statements.h"

static struct err take_stored(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const words[] = {"stored", "repeated", "conflict", NULL};
    struct cdr_stored *ret = to;

    int word = session_take_word(rows, 0, "outcome", words);
    assert(word >= 0);
    ret->outcome = (typeof(ret->outcome))word;
    ret->path = pg_text(f->arena, rows, 0, "path");
    ret->filed = pg_text(f->arena, rows, 0, "filed");
    session_take(f->arena, rows, 0, &ret->session);
    return OK;
}

enum flow_next cdr_put(struct flow *f, const struct cdr_put *put, struct cdr_stored *ret)
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
    pg_arg_bool(&args, put->plausible);
    pg_arg_text(&args, put->implausible_why);
    pg_arg_text(&args, pg_options()->receipt_series);
    pg_arg_text(&args, version_name(put->ocpi));
    pg_arg_text(&args, put->token_country_code);
    pg_arg_text(&args, put->token_party_id);
    return pg_run(f, PG_WRITE, STATEMENT_cdr_put, &args, take_stored, ret);
}

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

struct receipt_got {
    bool *session_found;
    struct receipt *receipt;
};

static struct err take_receipt(struct flow *f, const PGresult *rows, void *to)
{
    struct receipt_got *got = to;
    struct receipt *ret = got->receipt;
    char state[16];

    *ret = (struct receipt){0};
    *got->session_found = PQntuples(rows) == 1;
    if (!*got->session_found)
        return OK;
    session_take_text(rows, 0, "state", state, sizeof(state));
    bool known = session_state_parse(state, &ret->state);
    assert(known);
    (void)known;
    ret->network = pg_text(f->arena, rows, 0, "network");
    ret->evse_id = pg_text(f->arena, rows, 0, "evse_id");
    ret->found = !pg_is_null(rows, 0, "number");
    ret->energy_mwh = pg_int(rows, 0, "energy_mwh");
    ret->duration_minutes = pg_int(rows, 0, "duration_minutes");
    ret->cost_minor = pg_int(rows, 0, "amount_minor");
    session_take_text(rows, 0, "currency", ret->currency, sizeof(ret->currency));
    ret->payment_status = pg_text(f->arena, rows, 0, "payment_status");
    ret->receipt_number = pg_text(f->arena, rows, 0, "number");
    return OK;
}

enum flow_next receipt_get(struct flow *f, const char *session_id, const char *user_id,
                           bool *ret_session_found, struct receipt *ret)
{
    struct receipt_got *got = arena_alloc(f->arena, sizeof(*got));
    struct pg_args args;

    *got = (struct receipt_got){ret_session_found, ret};
    pg_args_init(&args, f->arena);
    pg_arg_text(&args, session_id);
    pg_arg_text(&args, user_id);
    return pg_run(f, PG_READ, STATEMENT_receipt_get, &args, take_receipt, got);
}
