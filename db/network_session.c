/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network sessions: one statement stores, orders, matches and applies
 * (migrations/010_ocpi_versions.sql).
 */
#include "db/network_session.h"

#include <assert.h>

#include "base/arena.h"
#include "base/time.h"
#include "db/pg.h"
#include "db/session_row.h"
#include "db/statements.h"
#include "db/stored_object.h"

enum flow_next network_session_get(struct flow *f, const struct network_session_key *key,
                                   struct stored_object *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, key->partner_id);
    pg_arg_text(&args, key->country_code);
    pg_arg_text(&args, key->party_id);
    pg_arg_text(&args, key->id);
    return pg_run(f, PG_READ, STATEMENT_network_session_get, &args, stored_object_take, ret);
}

static struct err take_stored(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const words[] = {"applied", "duplicate", "stale",
                                        "anomaly", "conflict",  NULL};
    struct network_session_stored *ret = to;

    int word = session_take_word(rows, 0, "outcome", words);
    assert(word >= 0);
    ret->outcome = (typeof(ret->outcome))word;
    ret->created = pg_bool(rows, 0, "created");
    session_take(f->arena, rows, 0, &ret->session);
    return OK;
}

enum flow_next network_session_put(struct flow *f, const struct network_session_put *put,
                                   struct network_session_stored *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, put->key.partner_id);
    pg_arg_text(&args, put->key.country_code);
    pg_arg_text(&args, put->key.party_id);
    pg_arg_text(&args, put->key.id);
    pg_arg_text(&args, put->document);
    pg_arg_text(&args, put->content_hash);
    pg_arg_int(&args, put->if_version);
    pg_arg_time(&args, put->last_updated_us);
    pg_arg_text(&args, put->status);
    pg_arg_time(&args, put->start_us);
    pg_arg_time(&args, put->end_us);
    pg_arg_int(&args, put->kwh_u6);
    if (put->has_cost)
        pg_arg_int(&args, put->cost_u6);
    else
        pg_arg_text(&args, NULL);
    pg_arg_text(&args, put->currency);
    pg_arg_text(&args, put->token_uid);
    pg_arg_text(&args, put->authorization_reference);
    pg_arg_text(&args, put->location_id);
    pg_arg_text(&args, put->evse_uid);
    pg_arg_text(&args, put->connector_id);
    pg_arg_bool(&args, put->by_pull);
    pg_arg_bool(&args, put->unreliable_clock);
    pg_arg_text(&args, version_name(put->ocpi));
    pg_arg_text(&args, put->token_country_code);
    pg_arg_text(&args, put->token_party_id);
    return pg_run(f, PG_WRITE, STATEMENT_network_session_put, &args, take_stored, ret);
}
