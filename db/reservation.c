/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reservations (migrations/016_reservation.sql).
 */
#include "db/reservation.h"

#include <assert.h>

#include "base/arena.h"
#include "db/pg.h"
#include "db/session_row.h"
#include "db/statements.h"

static struct err take_asked(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const words[] = {"queued", "not_found", "not_supported", NULL};
    struct reservation_asked *ret = to;

    int word = session_take_word(rows, 0, "outcome", words);
    assert(word >= 0);
    *ret = (struct reservation_asked){
        .outcome = (typeof(ret->outcome))word,
        .id = pg_text(f->arena, rows, 0, "id"),
        .operation_id = pg_int(rows, 0, "operation_id"),
        .until_us = pg_time(rows, 0, "until_at"),
    };
    return OK;
}

enum flow_next reservation_ask(struct flow *f, const struct reservation_ask *ask,
                               struct reservation_asked *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, ask->id);
    pg_arg_int(&args, ask->partner_id);
    pg_arg_text(&args, ask->country_code);
    pg_arg_text(&args, ask->party_id);
    pg_arg_text(&args, ask->location_id);
    pg_arg_text(&args, ask->evse_uid);
    pg_arg_text(&args, ask->evse_id);
    pg_arg_text(&args, ask->user_id);
    pg_arg_int(&args, ask->minutes);
    pg_arg_text(&args, ask->contract_prefix);
    pg_arg_text(&args, ask->by);
    return pg_run(f, PG_WRITE, STATEMENT_reservation_ask, &args, take_asked, ret);
}

enum flow_next reservation_cancel(struct flow *f, const char *id, const char *by,
                                  struct reservation_asked *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    pg_arg_text(&args, by);
    return pg_run(f, PG_WRITE, STATEMENT_reservation_cancel, &args, take_asked, ret);
}

static struct err take_state(struct flow *f, const PGresult *rows, void *to)
{
    struct reservation_state *ret = to;

    *ret = (struct reservation_state){.found = PQntuples(rows) == 1};
    if (ret->found) {
        ret->state = pg_text(f->arena, rows, 0, "state");
        ret->why = pg_text(f->arena, rows, 0, "why");
    }
    return OK;
}

enum flow_next reservation_get(struct flow *f, const char *id, struct reservation_state *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    return pg_run(f, PG_READ, STATEMENT_reservation_get, &args, take_state, ret);
}
