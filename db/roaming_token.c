/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roaming tokens: kept as they came, and asked whose they are (migrations/012_share.sql).
 */
#include "db/roaming_token.h"

#include <assert.h>

#include "base/arena.h"
#include "db/pg.h"
#include "db/put_many.h"
#include "db/session_row.h"
#include "db/statements.h"
#include "db/stored_object.h"

static void add_key(struct pg_args *args, struct arena *a, const struct roaming_token_key *key)
{
    pg_args_init(args, a);
    pg_arg_int(args, key->partner_id);
    pg_arg_text(args, key->country_code);
    pg_arg_text(args, key->party_id);
    pg_arg_text(args, key->uid);
    pg_arg_text(args, key->type);
}

enum flow_next roaming_token_get(struct flow *f, const struct roaming_token_key *key,
                                 struct stored_object *ret)
{
    struct pg_args args;

    add_key(&args, f->arena, key);
    return pg_run(f, PG_READ, STATEMENT_roaming_token_get, &args, stored_object_take, ret);
}

static struct err take_stored(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const words[] = {"created", "replaced", "stale", "same", "conflict", NULL};
    struct roaming_token_stored *ret = to;

    (void)f;
    int word = session_take_word(rows, 0, "outcome", words);
    assert(word >= 0);
    ret->outcome = (typeof(ret->outcome))word;
    return OK;
}

enum flow_next roaming_token_put(struct flow *f, const struct roaming_token_put *put,
                                 struct roaming_token_stored *ret)
{
    struct pg_args args;

    add_key(&args, f->arena, &put->key);
    pg_arg_text(&args, put->document);
    pg_arg_text(&args, version_name(put->ocpi));
    pg_arg_text(&args, put->contract_id);
    pg_arg_bool(&args, put->valid);
    pg_arg_time(&args, put->last_updated_us);
    pg_arg_int(&args, put->if_version);
    pg_arg_bool(&args, put->unreliable_clock);
    return pg_run(f, PG_WRITE, STATEMENT_roaming_token_put, &args, take_stored, ret);
}

enum flow_next roaming_token_put_many(struct flow *f, const struct roaming_token_put *puts,
                                      size_t count)
{
    struct put_many many;
    struct pg_args args;

    put_many_init(&many, f->arena, 10, count);
    for (size_t i = 0; i < count; i++) {
        const struct roaming_token_put *p = &puts[i];

        put_many_add(&many, (const char *[]){put_many_int(f->arena, p->key.partner_id),
                                             p->key.country_code, p->key.party_id, p->key.uid,
                                             p->key.type, p->document, version_name(p->ocpi),
                                             p->contract_id, p->valid ? "t" : "f",
                                             put_many_time(f->arena, p->last_updated_us)});
    }
    if (count == 0)
        return FLOW_NEXT;
    put_many_args(&many, &args);
    return pg_run(f, PG_WRITE, STATEMENT_roaming_token_put_many, &args, NULL, NULL);
}

static struct err take_owner(struct flow *f, const PGresult *rows, void *to)
{
    struct token_owner *ret = to;
    struct arena *a = f->arena;

    *ret = (struct token_owner){.found = PQntuples(rows) == 1};
    if (!ret->found)
        return OK;
    ret->ours = pg_bool(rows, 0, "ours");
    ret->country_code = pg_text(a, rows, 0, "country_code");
    ret->party_id = pg_text(a, rows, 0, "party_id");
    ret->uid = pg_text(a, rows, 0, "uid");
    ret->type = pg_text(a, rows, 0, "type");
    ret->contract_id = pg_text(a, rows, 0, "contract_id");
    ret->document = pg_text(a, rows, 0, "document");
    ret->ocpi = version_parse(pg_text(a, rows, 0, "ocpi"));
    return OK;
}

enum flow_next token_owner_find(struct flow *f, int64_t cpo_partner_id, const char *uid,
                                struct token_owner *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, cpo_partner_id);
    pg_arg_text(&args, uid);
    pg_arg_text(&args, pg_options()->our_country);
    pg_arg_text(&args, pg_options()->our_party);
    return pg_run(f, PG_READ, STATEMENT_token_owner_find, &args, take_owner, ret);
}
