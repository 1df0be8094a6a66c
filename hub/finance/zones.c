/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zones: a list that only grows. Names come from partners, so it has an end: what does not fit is
 * not known.
 */
#include "hub/finance/zones.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/zone.h"

enum { ZONES_MAX = 1000, NAME_MAX_BYTES = 64, ARENA_BYTES = 80 * 1024, DAY = 10 };

struct known {
    struct known *next;
    char name[NAME_MAX_BYTES];
    struct zone *zone;   /* NULL: there is none of that name */
    struct arena *arena; /* what the zone lies in */
};

static struct known *all;
static size_t count;

static void load(struct known *k)
{
    struct arena *reading = arena_new(4 * ARENA_BYTES);

    /* Read once to see that it is there, so that an unknown name keeps no memory. */
    bool found = !failed(zone_load(reading, k->name, &k->zone));
    arena_free(reading);
    k->zone = NULL;
    if (!found)
        return;
    k->arena = arena_new(4 * ARENA_BYTES); /* the list's, for ever */
    if (failed(zone_load(k->arena, k->name, &k->zone)))
        k->zone = NULL;
}

const struct zone *zones_find(const char *name)
{
    struct known *k;

    if (!name || !*name || strlen(name) >= NAME_MAX_BYTES)
        return NULL;
    for (k = all; k; k = k->next)
        if (strcmp(k->name, name) == 0)
            return k->zone;
    if (count == ZONES_MAX || !(k = calloc(1, sizeof *k)))
        return NULL;
    memcpy(k->name, name, strlen(name) + 1);
    load(k);
    k->next = all;
    all = k;
    count++;
    return k->zone;
}

int32_t zones_offset(const struct zone *zone, int64_t us)
{
    return zone ? zone_offset(zone, us) : 0;
}

const char *zones_day(const struct zone *zone, int64_t us, char ret[TIME_TEXT])
{
    time_print_seconds(ret, us + zones_offset(zone, us) * US_PER_SECOND);
    ret[DAY] = '\0';
    return ret;
}

const char *zones_version(void)
{
    static char version[16];
    static bool read;
    const char *folder = getenv("TZDIR");
    char path[512], line[64];

    if (read)
        return version;
    read = true;
    snprintf(path, sizeof path, "%s/tzdata.zi", folder && *folder ? folder : "/usr/share/zoneinfo");
    FILE *file = fopen(path, "re");
    if (file && fgets(line, sizeof line, file) && sscanf(line, "# version %15s", version) != 1)
        version[0] = '\0';
    if (file)
        fclose(file);
    return version;
}
