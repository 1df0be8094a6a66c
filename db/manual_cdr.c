/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts for manual CDRs.
 */
#include "db/manual_cdr.h"

#include <string.h>

#include "db/pg.h"
#include "db/statements.h"

static struct err take_facts(struct flow *f, const PGresult *rows, void *to)
{
    struct manual_cdr_facts *ret = to;

    *ret = (struct manual_cdr_facts){.found = PQntuples(rows) == 1};
    if (!ret->found)
        return OK;
    const char *state = pg_text(f->arena, rows, 0, "state");
    ret->going_on = strcmp(state, "pending") == 0 || strcmp(state, "active") == 0;
    ret->currency = pg_text(f->arena, rows, 0, "currency");
    ret->country_code = pg_text(f->arena, rows, 0, "country_code");
    ret->party_id = pg_text(f->arena, rows, 0, "party_id");
    ret->token_uid = pg_text(f->arena, rows, 0, "token_uid");
    ret->network_session_id = pg_text(f->arena, rows, 0, "network_session_id");
    ret->place = pg_text(f->arena, rows, 0, "place");
    return OK;
}

enum flow_next manual_cdr_facts(struct flow *f, const char *session_id,
                                struct manual_cdr_facts *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, session_id);
    return pg_run(f, PG_READ, STATEMENT_manual_cdr_facts, &args, take_facts, ret);
}
