/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renaming: the ids in a document of 2.1.1 as its reader knows them (R-BR-06).
 */
#ifndef HUB_PARTNER_RENAME_H
#define HUB_PARTNER_RENAME_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "db/alias.h"

struct rename_ids {
    const char **items;
    size_t count, room;
};
/* Adds what may be an id of a Location or a Tariff in a document of any version: for aliases_find,
 * before it is told. A document that cannot be read adds nothing, for it is not told. NULL: none.
 */
void rename_gather(struct arena *a, const char *document, size_t length, struct rename_ids *ids);
void rename_gather_one(struct arena *a, const char *id, struct rename_ids *ids);

/* Whether documents of this owner may have an id that is called otherwise. */
bool rename_is_due(const struct aliases *aliases, const struct party_id *owner);

/* A Location, Tariff, Session or CDR, changed in place: its own id, and those of the Location and
 * the Tariffs in it. */
void rename_ids(json_t *document, const char *object, const struct party_id *owner,
                const struct aliases *aliases);

#endif
