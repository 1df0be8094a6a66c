/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers: SQL does the work (migrations/007_timer.sql); what is left for the caller comes back.
 */
#include "db/timer.h"

#include "base/arena.h"
#include "db/pg.h"
#include "db/session_row.h"
#include "db/statements.h"

static struct err take_effects(struct flow *f, const PGresult *rows, void *to)
{
    struct timer_effects *ret = to;
    int count = PQntuples(rows);

    *ret = (struct timer_effects){
        .sessions = arena_alloc(f->arena, sizeof(*ret->sessions) * ((size_t)count + 1)),
        .pull_sessions = arena_alloc(f->arena, sizeof(*ret->pull_sessions) * ((size_t)count + 1)),
    };
    for (int i = 0; i < count; i++) {
        struct session *s = &ret->sessions[ret->session_count];

        session_take(f->arena, rows, i, s);
        if (s->id[0])
            ret->session_count++;
        int64_t partner = pg_int(rows, i, "pull_partner");
        bool known = partner == 0;
        for (size_t k = 0; k < ret->pull_count; k++)
            known = known || ret->pull_sessions[k] == partner;
        if (!known)
            ret->pull_sessions[ret->pull_count++] = partner;
    }
    return OK;
}

enum flow_next timer_run(struct flow *f, int limit, struct timer_effects *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, limit);
    pg_arg_text(&args, pg_options()->receipt_series);
    return pg_run(f, PG_WRITE, STATEMENT_timer_run, &args, take_effects, ret);
}
