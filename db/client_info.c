/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client infos: told to others, and told by other hubs (migrations/012_share.sql).
 */
#include "db/client_info.h"

#include "base/arena.h"
#include "db/pg.h"
#include "db/statements.h"

/* A row without a party carries the total alone. */
static struct err take_infos(struct flow *f, const PGresult *rows, void *to)
{
    struct client_infos *ret = to;
    int count = PQntuples(rows);

    *ret = (struct client_infos){
        .items = arena_alloc(f->arena, sizeof(*ret->items) * ((size_t)count + 1)),
        .total = count ? pg_int(rows, 0, "total") : 0,
    };
    for (int i = 0; i < count; i++) {
        if (pg_is_null(rows, i, "party_id"))
            continue;
        ret->items[ret->count++] = (struct client_info){
            .country_code = pg_text(f->arena, rows, i, "country_code"),
            .party_id = pg_text(f->arena, rows, i, "party_id"),
            .role = pg_text(f->arena, rows, i, "role"),
            .status = pg_text(f->arena, rows, i, "status"),
            .last_updated_us = pg_time(rows, i, "last_updated"),
        };
    }
    return OK;
}

enum flow_next client_info_list(struct flow *f, int64_t reader_id, int64_t date_from_us,
                                int64_t date_to_us, int64_t offset, int64_t limit,
                                struct client_infos *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, reader_id);
    pg_arg_time(&args, date_from_us);
    pg_arg_time(&args, date_to_us);
    pg_arg_int(&args, offset);
    pg_arg_int(&args, limit);
    pg_arg_text(&args, pg_options()->our_country);
    pg_arg_text(&args, pg_options()->our_party);
    return pg_run(f, PG_READ, STATEMENT_client_info_list, &args, take_infos, ret);
}

static struct err take_created(struct flow *f, const PGresult *rows, void *to)
{
    bool *ret = to;

    (void)f;
    *ret = pg_bool(rows, 0, "created");
    return OK;
}

enum flow_next client_info_put(struct flow *f, int64_t partner_id, const struct client_info *info,
                               bool *ret_created)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, partner_id);
    pg_arg_text(&args, info->country_code);
    pg_arg_text(&args, info->party_id);
    pg_arg_text(&args, info->role);
    pg_arg_text(&args, info->status);
    pg_arg_time(&args, info->last_updated_us);
    return pg_run(f, PG_WRITE, STATEMENT_client_info_put, &args, take_created, ret_created);
}

enum flow_next client_info_get(struct flow *f, int64_t partner_id, const char *country_code,
                               const char *party_id, struct client_infos *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, partner_id);
    pg_arg_text(&args, country_code);
    pg_arg_text(&args, party_id);
    return pg_run(f, PG_READ, STATEMENT_client_info_get, &args, take_infos, ret);
}
