/* SPDX-License-Identifier: Apache-2.0 */
/* Renaming: which members of 2.1.1 hold ids that are unique with their owner only. */
#include "hub/partner/rename.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { WORK_BYTES = 256 * 1024 * 1024, VALUES_MAX = 1000000, FIRST_ROOM = 64 };

/* ---- what to ask for ---- */

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The same Tariffs occur again and again: they are told apart when there is no room for more. */
static void make_room(struct arena *a, struct rename_ids *ids)
{
    const char **more;
    size_t kept = 0;

    if (ids->count)
        qsort(ids->items, ids->count, sizeof(*ids->items), compare_ids);
    for (size_t i = 0; i < ids->count; i++)
        if (!kept || strcmp(ids->items[kept - 1], ids->items[i]) != 0)
            ids->items[kept++] = ids->items[i];
    ids->count = kept;
    if (kept < ids->room / 2)
        return;
    ids->room = ids->room ? 2 * ids->room : FIRST_ROOM;
    more = arena_alloc(a, sizeof(*more) * ids->room);
    if (kept)
        memcpy(more, ids->items, sizeof(*more) * kept);
    ids->items = more;
}

void rename_gather_one(struct arena *a, const char *id, struct rename_ids *ids)
{
    if (ids->count && strcmp(ids->items[ids->count - 1], id) == 0)
        return;
    if (ids->count == ids->room)
        make_room(a, ids);
    ids->items[ids->count++] = arena_text(a, id);
}

static bool names_an_object(const char *member)
{
    return strcmp(member, "id") == 0 || strcmp(member, "location_id") == 0 ||
           strcmp(member, "tariff_id") == 0;
}

/* As deep as json_read lets a document be. */
static void gather(struct arena *a, json_t *value, bool is_id, struct rename_ids *ids)
{
    const char *member;
    json_t *part;
    size_t i;

    if (is_id && json_is_string(value))
        rename_gather_one(a, json_string_value(value), ids);
    json_array_foreach(value, i, part) gather(a, part, is_id, ids);
    json_object_foreach(value, member, part)
        gather(a, part, names_an_object(member) || strcmp(member, "tariff_ids") == 0, ids);
}

void rename_gather(struct arena *a, const char *document, size_t length, struct rename_ids *ids)
{
    struct arena *work;
    json_t *value;

    if (!document)
        return;
    work = arena_new(WORK_BYTES);
    if (!failed(json_read(work, document, length, VALUES_MAX, &value)))
        gather(a, value, false, ids);
    arena_free(work);
}

/* ---- renaming ---- */

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
