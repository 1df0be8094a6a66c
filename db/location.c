/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locations: documents in, documents out (migrations/010_ocpi_versions.sql). The EVSEs that lie in
 * memory are evse_index.c's.
 */
#include "db/location.h"

#include <assert.h>

#include "base/arena.h"
#include "db/pg.h"
#include "db/put_many.h"
#include "db/session_row.h"
#include "db/statements.h"
#include "db/stored_object.h"

/* Shared with the other documents. */
struct err stored_object_take(struct flow *f, const PGresult *rows, void *to)
{
    struct stored_object *ret = to;

    *ret = (struct stored_object){.found = PQntuples(rows) == 1};
    if (ret->found) {
        ret->document = pg_text(f->arena, rows, 0, "document");
        ret->ocpi = version_parse(pg_text(f->arena, rows, 0, "ocpi"));
        ret->version = pg_int(rows, 0, "version");
        ret->last_updated_us = pg_time(rows, 0, "last_updated");
    }
    return OK;
}

static void add_key(struct pg_args *args, struct arena *a, const struct location_key *key)
{
    pg_args_init(args, a);
    pg_arg_int(args, key->partner_id);
    pg_arg_text(args, key->country_code);
    pg_arg_text(args, key->party_id);
    pg_arg_text(args, key->location_id);
}

enum flow_next location_get(struct flow *f, const struct location_key *key,
                            struct stored_object *ret)
{
    struct pg_args args;

    add_key(&args, f->arena, key);
    return pg_run(f, PG_READ, STATEMENT_location_get, &args, stored_object_take, ret);
}

static struct err take_stored(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const words[] = {"created", "replaced", "stale", "same", "conflict", NULL};
    struct location_stored *ret = to;

    (void)f;
    int word = session_take_word(rows, 0, "outcome", words);
    assert(word >= 0);
    ret->outcome = (typeof(ret->outcome))word;
    return OK;
}

enum flow_next location_put(struct flow *f, const struct location_put *put,
                            struct location_stored *ret)
{
    struct pg_args args;

    add_key(&args, f->arena, &put->key);
    pg_arg_text(&args, put->document);
    pg_arg_time(&args, put->last_updated_us);
    pg_arg_int(&args, put->if_version);
    pg_arg_bool(&args, put->ignore_older);
    pg_arg_text(&args, version_name(put->ocpi));
    pg_arg_text(&args, put->view);
    return pg_run(f, PG_WRITE, STATEMENT_location_put, &args, take_stored, ret);
}

enum flow_next location_put_many(struct flow *f, const struct location_put *puts, size_t count)
{
    struct put_many many;
    struct pg_args args;

    put_many_init(&many, f->arena, 8, count);
    for (size_t i = 0; i < count; i++) {
        const struct location_put *p = &puts[i];

        put_many_add(&many,
                     (const char *[]){put_many_int(f->arena, p->key.partner_id),
                                      p->key.country_code, p->key.party_id, p->key.location_id,
                                      p->document, put_many_time(f->arena, p->last_updated_us),
                                      version_name(p->ocpi), p->view});
    }
    if (count == 0)
        return FLOW_NEXT;
    put_many_args(&many, &args);
    return pg_run(f, PG_WRITE, STATEMENT_location_put_many, &args, NULL, NULL);
}
