/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zone: the local time of a place, "Europe/Berlin", from the system's tz database.
 *
 * TZ and the C library's own idea of local time have no say: a zone is a value, and there may be
 * many. A zone file is read when the caller asks for it, which blocks: do it once and keep it.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct arena;
struct zone;

enum { ZONE_FILE_MAX = 64 * 1024, ZONE_OFFSET_MAX = 26 * 3600 };

/* From the bytes of a TZif file (RFC 8536, version 2 or newer, without leap seconds).
 * ERR_BAD_FIELD says what is wrong with it. */
struct err zone_read(struct arena *a, const void *bytes, size_t length, struct zone **ret);
/* By its name, from TZDIR or /usr/share/zoneinfo. ERR_NOT_FOUND: there is no such zone here. */
struct err zone_load(struct arena *a, const char *name, struct zone **ret);

/* Seconds that local time is ahead of UTC at that moment. */
int32_t zone_offset(const struct zone *z, int64_t us);
/* The first moment after that at which the offset changes; TIME_NONE: never. */
int64_t zone_next_change(const struct zone *z, int64_t us);

#endif
