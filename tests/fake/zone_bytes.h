/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A time zone file as bytes, which has no changes but a rule: for tests that must not depend on
 * the machine's tz database.
 */
#ifndef TESTS_ZONE_BYTES_H
#define TESTS_ZONE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/zone.h"

#define RULE_OF_BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"

/* Two heads, of version 1 and 2; one type of local time, UTC; the rule. Its length. */
static inline size_t zone_bytes(const char *rule, char *to, size_t size)
{
    enum { HEAD = 44, TYPE_COUNT = 39, CHARACTER_COUNT = 43, TYPE = 6, NAME = 4 };
    size_t length = 2 * HEAD + TYPE + NAME;

    memset(to, 0, size);
    memcpy(to, "TZif2", 5);
    memcpy(to + HEAD, "TZif2", 5);
    to[HEAD + TYPE_COUNT] = 1;
    to[HEAD + CHARACTER_COUNT] = NAME;
    memcpy(to + 2 * HEAD + TYPE, "UTC", NAME);
    size_t end = length + (size_t)snprintf(to + length, size - length, "\n%s\n", rule);
    return end < size ? end : size - 1; /* a rule that is too long is cut */
}

/* NULL: the rule cannot be read. */
static inline struct zone *zone_of_rule(struct arena *a, const char *rule)
{
    char bytes[512];
    size_t length = zone_bytes(rule, bytes, sizeof bytes);
    struct zone *z = NULL;

    return failed(zone_read(a, bytes, length, &z)) ? NULL : z;
}

#endif
