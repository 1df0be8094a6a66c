/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zones: the time zones of the places, read once each and kept for the life of the process; and
 * which release of the time zone database they come from, which every calculation records.
 */
#ifndef HUB_FINANCE_ZONES_H
#define HUB_FINANCE_ZONES_H

#include <stdint.h>

#include "base/time.h"

struct zone;

/* NULL: no name, or none that is known here. */
const struct zone *zones_find(const char *name);
/* Seconds that local time is ahead of UTC; 0 where the zone is NULL. */
int32_t zones_offset(const struct zone *zone, int64_t us);
/* The local day: "2026-01-31". */
const char *zones_day(const struct zone *zone, int64_t us, char ret[TIME_TEXT]);
/* "2026b"; "" where the database does not say. */
const char *zones_version(void);

#endif
