/* SPDX-License-Identifier: Apache-2.0 */
/* Relay cursors (migrations/018_relay.sql). */
#include "db/relay_cursor.h"

#include "base/arena.h"
#include "base/text.h"
#include "db/pg.h"
#include "db/statements.h"

enum flow_next relay_cursor_insert(struct flow *f, const struct relay_cursor *c)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, c->id);
    pg_arg_int(&args, c->requester_id);
    pg_arg_int(&args, c->receiver_id);
    pg_arg_text(&args, c->from.country_code);
    pg_arg_text(&args, c->from.party_id);
    pg_arg_text(&args, c->to.country_code);
    pg_arg_text(&args, c->to.party_id);
    pg_arg_text(&args, c->module);
    pg_arg_text(&args, c->next_url);
    pg_arg_int(&args, RELAY_CURSOR_HOURS);
    return pg_run(f, PG_WRITE, STATEMENT_relay_cursor_insert, &args, NULL, NULL);
}

static struct err take_cursor(struct flow *f, const PGresult *rows, void *to)
{
    struct relay_cursor_found *ret = to;
    struct relay_cursor *c = &ret->cursor;
    struct arena *a = f->arena;

    *ret = (struct relay_cursor_found){0};
    if (PQntuples(rows) != 1 || !text_copy(c->id, sizeof(c->id), pg_text(a, rows, 0, "id")))
        return OK;
    ret->found = true;
    ret->expired = pg_bool(rows, 0, "expired");
    c->requester_id = pg_int(rows, 0, "requester_id");
    c->receiver_id = pg_int(rows, 0, "receiver_id");
    /* Unset where the request named none. */
    (void)party_id_make(pg_text(a, rows, 0, "from_country"), pg_text(a, rows, 0, "from_party"),
                        &c->from);
    (void)party_id_make(pg_text(a, rows, 0, "to_country"), pg_text(a, rows, 0, "to_party"), &c->to);
    c->module = pg_text(a, rows, 0, "module");
    c->next_url = pg_text(a, rows, 0, "next_url");
    return OK;
}

enum flow_next relay_cursor_find(struct flow *f, const char *id, struct relay_cursor_found *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    return pg_run(f, PG_READ, STATEMENT_relay_cursor_find, &args, take_cursor, ret);
}
