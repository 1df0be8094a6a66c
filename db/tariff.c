/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tariffs: stored with all their versions (migrations/010_ocpi_versions.sql).
 */
#include "db/tariff.h"

#include "base/arena.h"
#include "db/pg.h"
#include "db/put_many.h"
#include "db/statements.h"
#include "db/stored_object.h"

static void add_key(struct pg_args *args, struct arena *a, const struct tariff_key *key)
{
    pg_args_init(args, a);
    pg_arg_int(args, key->partner_id);
    pg_arg_text(args, key->country_code);
    pg_arg_text(args, key->party_id);
    pg_arg_text(args, key->tariff_id);
}

enum flow_next tariff_get(struct flow *f, const struct tariff_key *key, struct stored_object *ret)
{
    struct pg_args args;

    add_key(&args, f->arena, key);
    return pg_run(f, PG_READ, STATEMENT_tariff_get, &args, stored_object_take, ret);
}

static struct err take_stored(struct flow *f, const PGresult *rows, void *to)
{
    struct tariff_stored *ret = to;

    (void)f;
    ret->conflict = pg_is_null(rows, 0, "created");
    ret->created = pg_bool(rows, 0, "created");
    return OK;
}

enum flow_next tariff_put(struct flow *f, const struct tariff_put *put, struct tariff_stored *ret)
{
    struct pg_args args;

    add_key(&args, f->arena, &put->key);
    pg_arg_text(&args, put->document);
    pg_arg_time(&args, put->last_updated_us);
    pg_arg_text(&args, version_name(put->ocpi));
    pg_arg_int(&args, put->if_version);
    pg_arg_bool(&args, put->unreliable_clock);
    return pg_run(f, PG_WRITE, STATEMENT_tariff_put, &args, take_stored, ret);
}

enum flow_next tariff_put_many(struct flow *f, const struct tariff_put *puts, size_t count)
{
    struct put_many many;
    struct pg_args args;

    put_many_init(&many, f->arena, 7, count);
    for (size_t i = 0; i < count; i++) {
        const struct tariff_put *p = &puts[i];

        put_many_add(&many,
                     (const char *[]){put_many_int(f->arena, p->key.partner_id),
                                      p->key.country_code, p->key.party_id, p->key.tariff_id,
                                      p->document, put_many_time(f->arena, p->last_updated_us),
                                      version_name(p->ocpi)});
    }
    if (count == 0)
        return FLOW_NEXT;
    put_many_args(&many, &args);
    return pg_run(f, PG_WRITE, STATEMENT_tariff_put_many, &args, NULL, NULL);
}

static struct err take_deleted(struct flow *f, const PGresult *rows, void *to)
{
    bool *ret = to;

    (void)f;
    *ret = PQntuples(rows) > 0;
    return OK;
}

enum flow_next tariff_delete(struct flow *f, const struct tariff_key *key, bool *ret_found)
{
    struct pg_args args;

    add_key(&args, f->arena, key);
    return pg_run(f, PG_WRITE, STATEMENT_tariff_delete, &args, take_deleted, ret_found);
}
