/* SPDX-License-Identifier: Apache-2.0 */
/* Renaming: which members of 2.1.1 hold ids that are unique with their owner only. */
#include "hub/partner/rename.h"

#include <string.h>

#include "base/json.h"

struct names {
    const struct party_id *owner;
    const struct aliases *aliases;
};

bool rename_is_due(const struct aliases *aliases, const struct party_id *owner)
{
    for (size_t i = 0; aliases && i < aliases->count; i++)
        if (party_id_equal(&aliases->items[i].owner, owner))
            return true;
    return false;
}

static void rename_member(json_t *object, const char *member, enum alias_module module,
                          const struct names *n)
{
    const char *id = json_text_of(object, member);
    const char *alias = id ? alias_of(n->aliases, module, n->owner, id) : NULL;

    if (alias && alias != id)
        json_object_set_new(object, member, json_string(alias));
}

static void rename_location(json_t *location, const struct names *n)
{
    const json_t *evses = json_array_of(location, "evses");

    rename_member(location, "id", ALIAS_LOCATIONS, n);
    for (size_t i = 0; i < json_array_size(evses); i++) {
        const json_t *connectors = json_array_of(json_array_get(evses, i), "connectors");

        for (size_t k = 0; k < json_array_size(connectors); k++)
            rename_member(json_array_get(connectors, k), "tariff_id", ALIAS_TARIFFS, n);
    }
}

void rename_ids(json_t *document, const char *object, const struct party_id *owner,
                const struct aliases *aliases)
{
    const struct names n = {owner, aliases};

    if (strcmp(object, "Location") == 0) {
        rename_location(document, &n);
    } else if (strcmp(object, "Tariff") == 0) {
        rename_member(document, "id", ALIAS_TARIFFS, &n);
    } else if (strcmp(object, "Session") == 0) {
        rename_member(document, "id", ALIAS_SESSIONS, &n);
        rename_location(json_object_get(document, "location"), &n);
    } else if (strcmp(object, "CDR") == 0) {
        const json_t *tariffs = json_array_of(document, "tariffs");

        rename_location(json_object_get(document, "location"), &n);
        for (size_t i = 0; i < json_array_size(tariffs); i++)
            rename_member(json_array_get(tariffs, i), "id", ALIAS_TARIFFS, &n);
    }
}
