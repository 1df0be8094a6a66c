/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a partner: each step is one function of migrations/011_partner_life.sql.
 */
#include "db/partner_life.h"

#include <assert.h>

#include "base/arena.h"
#include "db/pg.h"
#include "db/session_row.h"
#include "db/statements.h"

static struct err take_ids(struct flow *f, const PGresult *rows, void *to)
{
    struct partner_ids *ret = to;

    ret->count = (size_t)PQntuples(rows);
    ret->items = arena_alloc(f->arena, sizeof(*ret->items) * (ret->count + 1));
    for (int i = 0; i < PQntuples(rows); i++)
        ret->items[i] = pg_int(rows, i, "id");
    return OK;
}

enum flow_next partner_probe_due(struct flow *f, int limit, int64_t silence_s,
                                 struct partner_ids *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, limit);
    pg_arg_int(&args, silence_s);
    return pg_run(f, PG_WRITE, STATEMENT_partner_probe_due, &args, take_ids, ret);
}

enum flow_next partner_probed(struct flow *f, int64_t partner_id, bool ok)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, partner_id);
    pg_arg_bool(&args, ok);
    return pg_run(f, PG_WRITE, STATEMENT_partner_probed, &args, NULL, NULL);
}

enum flow_next partner_needs_resync(struct flow *f, int64_t partner_id, bool needs)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, partner_id);
    pg_arg_bool(&args, needs);
    return pg_run(f, PG_WRITE, STATEMENT_partner_needs_resync, &args, NULL, NULL);
}

/* ---- operators ---- */

static struct err take_found(struct flow *f, const PGresult *rows, void *to)
{
    bool *ret = to;

    (void)f;
    *ret = pg_bool(rows, 0, "found");
    return OK;
}

enum flow_next partner_suspend(struct flow *f, int64_t partner_id, bool *ret_found)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, partner_id);
    return pg_run(f, PG_WRITE, STATEMENT_partner_suspend, &args, take_found, ret_found);
}

enum flow_next partner_resume(struct flow *f, int64_t partner_id, bool *ret_found)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, partner_id);
    return pg_run(f, PG_WRITE, STATEMENT_partner_resume, &args, take_found, ret_found);
}

enum flow_next partner_quirk_set(struct flow *f, int64_t partner_id, const char *name,
                                 const char *value, bool *ret_found)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, partner_id);
    pg_arg_text(&args, name);
    pg_arg_text(&args, value);
    return pg_run(f, PG_WRITE, STATEMENT_partner_quirk_set, &args, take_found, ret_found);
}

enum flow_next partner_host_ask(struct flow *f, int64_t partner_id, const char *host,
                                bool *ret_found)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, partner_id);
    pg_arg_text(&args, host);
    return pg_run(f, PG_WRITE, STATEMENT_partner_host_ask, &args, take_found, ret_found);
}

enum flow_next partner_host_approve(struct flow *f, int64_t partner_id, const char *host,
                                    bool *ret_found)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, partner_id);
    pg_arg_text(&args, host);
    return pg_run(f, PG_WRITE, STATEMENT_partner_host_approve, &args, take_found, ret_found);
}

static struct err take_approved(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const words[] = {"approved", "unknown", "taken", NULL};
    enum partner_party_approved *ret = to;

    (void)f;
    int word = session_take_word(rows, 0, "outcome", words);
    assert(word >= 0);
    *ret = (enum partner_party_approved)word;
    return OK;
}

enum flow_next partner_party_approve(struct flow *f, int64_t partner_id, const struct party_id *id,
                                     enum ocpi_role role, enum partner_party_approved *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, partner_id);
    pg_arg_text(&args, id->country_code);
    pg_arg_text(&args, id->party_id);
    pg_arg_text(&args, ocpi_role_name(role));
    return pg_run(f, PG_WRITE, STATEMENT_partner_party_approve, &args, take_approved, ret);
}
