/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renaming: the ids in a document of 2.1.1 as its reader knows them (R-BR-06).
 */
#ifndef HUB_PARTNER_RENAME_H
#define HUB_PARTNER_RENAME_H

#include <jansson.h>
#include <stdbool.h>

#include "db/alias.h"

/* Whether documents of this owner may have an id that is called otherwise. */
bool rename_is_due(const struct aliases *aliases, const struct party_id *owner);

/* A Location, Tariff, Session or CDR, changed in place: its own id, and those of the Location and
 * the Tariffs in it. */
void rename_ids(json_t *document, const char *object, const struct party_id *owner,
                const struct aliases *aliases);

#endif
