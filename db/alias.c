/* SPDX-License-Identifier: Apache-2.0 */
/* Aliases and numbers of reservations (migrations/018_relay.sql). */
#include "db/alias.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/time.h"
#include "db/pg.h"
#include "db/session_row.h"
#include "db/statements.h"
#include "ocpi/translate/translate.h"

enum {
    LONG_HASH = 16, /* digits of it in what stands for a long id */
    WITHOUT_KEPT = 1024,
    WITHOUT_MS = 5000,
};

static const char *const modules[] = {
    [ALIAS_LOCATIONS] = "locations",
    [ALIAS_TARIFFS] = "tariffs",
    [ALIAS_SESSIONS] = "sessions",
    [ALIAS_MODULE_COUNT] = NULL,
};

/* ---- giving ---- */

/* Ids compare without case, as everywhere. */
static int compare_aliases(const void *a, const void *b)
{
    const struct alias *x = a, *y = b;
    int order = (int)x->module - (int)y->module;

    if (!order)
        order = text_compare_caseless(x->owner.country_code, y->owner.country_code);
    if (!order)
        order = text_compare_caseless(x->owner.party_id, y->owner.party_id);
    return order ? order : text_compare_caseless(x->id, y->id);
}

static struct err take_aliases(struct flow *f, const PGresult *rows, void *to)
{
    struct aliases *ret = to;
    int count = PQntuples(rows);
    struct arena *a = f->arena;

    ret->count = 0;
    ret->items = arena_alloc(a, sizeof(*ret->items) * ((size_t)count + 1));
    for (int i = 0; i < count; i++) {
        struct alias *alias = &ret->items[ret->count];
        int module = session_take_word(rows, i, "module", modules);

        assert(module >= 0);
        *alias = (struct alias){
            .module = (enum alias_module)module,
            .id = pg_text(a, rows, i, "id"),
            .alias = pg_text(a, rows, i, "alias"),
        };
        if (party_id_make(pg_text(a, rows, i, "country_code"), pg_text(a, rows, i, "party_id"),
                          &alias->owner))
            ret->count++;
    }
    qsort(ret->items, ret->count, sizeof(*ret->items), compare_aliases);
    return OK;
}

enum flow_next aliases_find(struct flow *f, const struct alias_ask *ask, struct aliases *ret)
{
    const char **countries = arena_alloc(f->arena, sizeof(char *) * (ask->owner_count + 1));
    const char **parties = arena_alloc(f->arena, sizeof(char *) * (ask->owner_count + 1));
    struct pg_args args;

    *ret = (struct aliases){0};
    if (!ask->owner_count)
        return FLOW_NEXT;
    for (size_t i = 0; i < ask->owner_count; i++) {
        countries[i] = ask->owners[i].country_code;
        parties[i] = ask->owners[i].party_id;
    }
    pg_args_init(&args, f->arena);
    pg_arg_int(&args, ask->reader_id);
    pg_arg_texts(&args, countries, ask->owner_count);
    pg_arg_texts(&args, parties, ask->owner_count);
    if (ask->session_ids)
        pg_arg_texts(&args, ask->session_ids, ask->owner_count);
    else
        pg_arg_text(&args, NULL);
    pg_arg_texts(&args, ask->ids, ask->id_count);
    return pg_run(f, PG_WRITE, STATEMENT_aliases_find, &args, take_aliases, ret);
}

const char *alias_of(const struct aliases *aliases, enum alias_module module,
                     const struct party_id *owner, const char *id)
{
    const struct alias wanted = {.module = module, .owner = *owner, .id = id}, *found = NULL;

    if (aliases && aliases->count)
        found = bsearch(&wanted, aliases->items, aliases->count, sizeof(wanted), compare_aliases);
    return found ? found->alias : id;
}

static struct err take_alias(struct flow *f, const PGresult *rows, void *to)
{
    const char **ret = to;

    *ret = pg_text(f->arena, rows, 0, "alias");
    return OK;
}

enum flow_next alias_give(struct flow *f, int64_t reader_id, enum alias_module module,
                          const struct party_id *owner, const char *id, const char **ret_alias)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, reader_id);
    pg_arg_text(&args, modules[module]);
    pg_arg_text(&args, owner->country_code);
    pg_arg_text(&args, owner->party_id);
    pg_arg_text(&args, id);
    return pg_run(f, PG_WRITE, STATEMENT_alias_give, &args, take_alias, ret_alias);
}

/* ---- back ---- */

/* Readers that were seen to have none, by the last digits of their ids. */
static struct {
    int64_t reader_id, until_ms;
} without[WITHOUT_KEPT];

static bool has_none(int64_t reader_id)
{
    size_t slot = (size_t)reader_id % WITHOUT_KEPT;

    return without[slot].reader_id == reader_id && time_monotonic_ms() < without[slot].until_ms;
}

static void note_none(int64_t reader_id)
{
    size_t slot = (size_t)reader_id % WITHOUT_KEPT;

    without[slot].reader_id = reader_id;
    without[slot].until_ms = time_monotonic_ms() + WITHOUT_MS;
}

/* As translate_id makes them: what was kept of the id, a dash, and a hash. */
static bool may_be_long(const char *alias)
{
    size_t length = strlen(alias);

    if (text_utf8_count(alias) != ALIAS_OF_LONG_ID || length <= LONG_HASH)
        return false;
    const char *hash = alias + length - LONG_HASH;
    return hash[-1] == '-' && strspn(hash, "0123456789abcdefABCDEF") == LONG_HASH;
}

/* What is looked for stands in *ret when the rows come. A long id that is several owners' is told
 * without an owner. */
static struct err take_resolved(struct flow *f, const PGresult *rows, void *to)
{
    struct alias_resolved *ret = to;
    const char *alias = ret->id;
    struct arena *a = f->arena;

    *ret = (struct alias_resolved){0};
    for (int i = 0; i < PQntuples(rows); i++) {
        const char *id = pg_text(a, rows, i, "id");
        bool given = pg_bool(rows, i, "given");
        struct party_id owner;

        if (!id) /* says that there is none */
            continue;
        if ((!given && !text_equal_caseless(translate_id(a, id), alias)) ||
            !party_id_make(pg_text(a, rows, i, "country_code"), pg_text(a, rows, i, "party_id"),
                           &owner))
            continue;
        if (ret->found && !party_id_equal(&owner, &ret->owner)) {
            ret->owner = (struct party_id){0};
            return OK;
        }
        *ret = (struct alias_resolved){.found = true, .owner = owner, .id = id};
        if (given)
            return OK;
    }
    return OK;
}

struct resolving {
    int64_t reader_id;
    struct alias_resolved *ret;
};

static struct err take_of_reader(struct flow *f, const PGresult *rows, void *to)
{
    const struct resolving *r = to;

    for (int i = 0; i < PQntuples(rows); i++)
        if (pg_is_null(rows, i, "given"))
            note_none(r->reader_id);
    return take_resolved(f, rows, r->ret);
}

enum flow_next alias_resolve(struct flow *f, int64_t reader_id, bool settled,
                             enum alias_module module, const char *alias,
                             struct alias_resolved *ret)
{
    struct resolving *r = arena_alloc(f->arena, sizeof *r);
    struct pg_args args;

    *ret = (struct alias_resolved){0};
    if (settled && has_none(reader_id) && !may_be_long(alias))
        return FLOW_NEXT;
    ret->id = arena_text(f->arena, alias);
    *r = (struct resolving){reader_id, ret};
    pg_args_init(&args, f->arena);
    pg_arg_int(&args, reader_id);
    pg_arg_text(&args, modules[module]);
    pg_arg_text(&args, alias);
    pg_arg_int(&args, ALIAS_OF_LONG_ID);
    return pg_run(f, PG_READ, STATEMENT_alias_resolve, &args, take_of_reader, r);
}

enum flow_next alias_resolve_evse(struct flow *f, const struct party_id *owner,
                                  const char *location_id, const char *alias,
                                  struct alias_resolved *ret)
{
    struct pg_args args;

    *ret = (struct alias_resolved){0};
    if (text_utf8_count(alias) != ALIAS_OF_LONG_ID)
        return FLOW_NEXT;
    ret->id = arena_text(f->arena, alias);
    pg_args_init(&args, f->arena);
    pg_arg_text(&args, owner->country_code);
    pg_arg_text(&args, owner->party_id);
    pg_arg_text(&args, location_id);
    pg_arg_text(&args, alias);
    return pg_run(f, PG_READ, STATEMENT_alias_resolve_evse, &args, take_resolved, ret);
}

/* ---- reservations ---- */

static struct err take_number(struct flow *f, const PGresult *rows, void *to)
{
    int64_t *ret = to;

    (void)f;
    *ret = pg_int(rows, 0, "number");
    return OK;
}

enum flow_next reservation_number_give(struct flow *f, const struct party_id *emsp, const char *id,
                                       int64_t expiry_us, int64_t *ret_number)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, emsp->country_code);
    pg_arg_text(&args, emsp->party_id);
    pg_arg_text(&args, id);
    pg_arg_time(&args, expiry_us);
    return pg_run(f, PG_WRITE, STATEMENT_reservation_number_give, &args, take_number, ret_number);
}

static struct err take_reservation(struct flow *f, const PGresult *rows, void *to)
{
    const char **ret = to;

    *ret = PQntuples(rows) ? pg_text(f->arena, rows, 0, "reservation_id") : NULL;
    return OK;
}

enum flow_next reservation_number_resolve(struct flow *f, const struct party_id *emsp,
                                          int64_t number, const char **ret_id)
{
    struct pg_args args;

    *ret_id = NULL;
    if (number <= 0 || number > INT32_MAX)
        return FLOW_NEXT;
    pg_args_init(&args, f->arena);
    pg_arg_text(&args, emsp->country_code);
    pg_arg_text(&args, emsp->party_id);
    pg_arg_int(&args, number);
    return pg_run(f, PG_READ, STATEMENT_reservation_number_resolve, &args, take_reservation,
                  ret_id);
}
