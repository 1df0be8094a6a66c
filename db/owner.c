/* SPDX-License-Identifier: Apache-2.0 */
/* Owners: by the indexes of the ids. */
#include "db/owner.h"

#include "base/arena.h"
#include "base/text.h"
#include "db/pg.h"
#include "db/statements.h"

static struct err take_owners(struct flow *f, const PGresult *rows, void *to)
{
    struct owners *ret = to;
    int count = PQntuples(rows);
    struct arena *a = f->arena;

    ret->count = 0;
    ret->items = arena_alloc(a, sizeof(*ret->items) * ((size_t)count + 1));
    for (int i = 0; i < count; i++) {
        const char *country = pg_text(a, rows, i, "country_code");
        const char *party = pg_text(a, rows, i, "party_id");

        if (country && party && party_id_make(country, party, &ret->items[ret->count]))
            ret->count++;
    }
    return OK;
}

/* "NL-ABC" as the database compares parties: "nl*abc". */
static const char *key_of(struct arena *a, const char *party)
{
    struct party_id id;
    char *key;

    if (!party)
        return NULL;
    if (!party_id_parse(party, &id))
        return ""; /* nobody's */
    key = arena_printf(a, "%s*%s", id.country_code, id.party_id);
    text_to_lower(key);
    return key;
}

enum flow_next owners_find(struct flow *f, enum owner_kind kind, const char *id, const char *type,
                           struct owners *ret)
{
    int statement = STATEMENT_owners_of_location;
    struct pg_args args;

    *ret = (struct owners){0};
    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    switch (kind) {
    case OWNER_OF_LOCATION:
        break;
    case OWNER_OF_SESSION:
        statement = STATEMENT_owners_of_session;
        pg_arg_text(&args, key_of(f->arena, type));
        break;
    case OWNER_OF_RESERVATION:
        statement = STATEMENT_owners_of_reservation;
        pg_arg_text(&args, key_of(f->arena, type));
        break;
    case OWNER_OF_TOKEN:
        statement = STATEMENT_owners_of_token;
        pg_arg_text(&args, type);
        pg_arg_text(&args, pg_options()->our_country);
        pg_arg_text(&args, pg_options()->our_party);
        break;
    }
    return pg_run(f, PG_READ, statement, &args, take_owners, ret);
}
