/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zones: a list that only grows, of zones that exist: there are about 600 of them. Names come from
 * partners: those of no zone are remembered for a while, so that they are not looked for each time,
 * and never take the place of one that exists.
 */
#include "hub/finance/zones.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/zone.h"

enum { ZONES_MAX = 1000, MISSES = 64, NAME_MAX_BYTES = 64, ARENA_BYTES = 80 * 1024, DAY = 10 };

struct known {
    struct known *next;
    char name[NAME_MAX_BYTES];
    struct zone *zone;
    struct arena *arena; /* what the zone lies in: the list's, for ever */
};

static struct known *all;
static size_t count;
static char misses[MISSES][NAME_MAX_BYTES]; /* a ring */
static size_t next_miss;

/* One zone, one name: folders twice over, or the database's second copy of itself, are none. */
static bool is_plain(const char *name)
{
    return *name && strlen(name) < NAME_MAX_BYTES && !strstr(name, "//") &&
           strncmp(name, "posix/", strlen("posix/")) != 0;
}

static bool was_missed(const char *name)
{
    for (size_t i = 0; i < MISSES; i++)
        if (strcmp(misses[i], name) == 0)
            return true;
    return false;
}

static void note_miss(const char *name)
{
    memcpy(misses[next_miss], name, strlen(name) + 1);
    next_miss = (next_miss + 1) % MISSES;
}

static const struct zone *load(const char *name)
{
    struct arena *arena = arena_new(4 * ARENA_BYTES);
    struct known *k;
    struct zone *zone;

    if (count == ZONES_MAX || failed(zone_load(arena, name, &zone)) ||
        !(k = calloc(1, sizeof *k))) {
        arena_free(arena);
        note_miss(name);
        return NULL;
    }
    memcpy(k->name, name, strlen(name) + 1);
    k->zone = zone;
    k->arena = arena;
    k->next = all;
    all = k;
    count++;
    return zone;
}

const struct zone *zones_find(const char *name)
{
    if (!name || !is_plain(name))
        return NULL;
    for (struct known *k = all; k; k = k->next)
        if (strcmp(k->name, name) == 0)
            return k->zone;
    return was_missed(name) ? NULL : load(name);
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
