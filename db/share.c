/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shares: one statement per kind lists, one finds by id; who may see what stands in them
 * (statements/share.sql).
 */
#include "db/share.h"

#include <string.h>

#include "base/arena.h"
#include "db/pg.h"
#include "db/statements.h"

static const struct {
    int list, get;
} of_kind[] = {
    [SHARE_LOCATIONS] = {STATEMENT_share_locations, STATEMENT_share_location},
    [SHARE_TARIFFS] = {STATEMENT_share_tariffs, STATEMENT_share_tariff},
    [SHARE_SESSIONS] = {STATEMENT_share_sessions, STATEMENT_share_session},
    [SHARE_CDRS] = {STATEMENT_share_cdrs, STATEMENT_share_cdr},
    [SHARE_TOKENS] = {STATEMENT_share_tokens, STATEMENT_share_token},
};

enum { PAGE_BYTES = 8 * 1024 * 1024 };

/* A row without an id carries the total alone. */
static struct err take_page(struct flow *f, const PGresult *rows, void *to)
{
    struct share_page *ret = to;
    struct arena *a = f->arena;
    int count = PQntuples(rows);
    size_t bytes = 0;

    *ret = (struct share_page){
        .items = arena_alloc(a, sizeof(*ret->items) * ((size_t)count + 1)),
        .total = count ? pg_int(rows, 0, "total") : 0,
    };
    for (int i = 0; i < count && bytes < PAGE_BYTES; i++) {
        struct shared_object *o = &ret->items[ret->count];

        if (pg_is_null(rows, i, "id"))
            continue;
        *o = (struct shared_object){
            .document = pg_text(a, rows, i, "document"),
            .ocpi = version_parse(pg_text(a, rows, i, "ocpi")),
            .country_code = pg_text(a, rows, i, "country_code"),
            .party_id = pg_text(a, rows, i, "party_id"),
            .id = pg_text(a, rows, i, "id"),
            .last_updated_us = pg_time(rows, i, "last_updated"),
            .location = pg_text(a, rows, i, "location"),
            .location_ocpi = version_parse(pg_text(a, rows, i, "location_ocpi")),
            .token_country_code = pg_text(a, rows, i, "token_country"),
            .token_party_id = pg_text(a, rows, i, "token_party"),
        };
        o->length = strlen(o->document);
        bytes += o->length + (o->location ? strlen(o->location) : 0);
        ret->count++;
    }
    return OK;
}

static void add_party(struct pg_args *args, const struct party_id *p)
{
    bool set = party_id_is_set(p);

    pg_arg_text(args, set ? p->country_code : NULL);
    pg_arg_text(args, set ? p->party_id : NULL);
}

static void add_ask(struct pg_args *args, struct arena *a, const struct share_ask *ask)
{
    pg_args_init(args, a);
    pg_arg_int(args, ask->reader_id);
    add_party(args, &ask->reader);
    add_party(args, &ask->owner);
    pg_arg_bool(args, ask->for_2_1_1);
}

enum flow_next share_list(struct flow *f, const struct share_ask *ask, struct share_page *ret)
{
    struct pg_args args;

    add_ask(&args, f->arena, ask);
    pg_arg_time(&args, ask->date_from_us);
    pg_arg_time(&args, ask->date_to_us);
    pg_arg_int(&args, ask->offset);
    pg_arg_int(&args, ask->limit);
    return pg_run(f, PG_READ, of_kind[ask->kind].list, &args, take_page, ret);
}

enum flow_next share_get(struct flow *f, const struct share_ask *ask, const char *id,
                         struct share_page *ret)
{
    struct pg_args args;

    add_ask(&args, f->arena, ask);
    pg_arg_text(&args, id);
    return pg_run(f, PG_READ, of_kind[ask->kind].get, &args, take_page, ret);
}
