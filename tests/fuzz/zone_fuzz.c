/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: time zone files. The first byte chooses between a file and a rule alone. What is
 * read gives an offset for every moment, and its changes are changes.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/time.h"
#include "base/zone.h"
#include "tests/fake/zone_bytes.h"

enum { ARENA_MAX = 64 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct zone *z)
{
    static const int64_t moments[] = {
        INT64_C(-62135596800), -1, 0, 951782400, 1774746000, 4102444800, INT64_C(253402300799)};

    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        int64_t us = moments[i] * US_PER_SECOND;
        int32_t offset = zone_offset(z, us);
        assert(offset >= -ZONE_OFFSET_MAX && offset <= ZONE_OFFSET_MAX);
        int64_t next = zone_next_change(z, us);
        assert(next == TIME_NONE || next > us);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a;
    struct zone *z = NULL;

    if (size < 1 || size > ZONE_FILE_MAX)
        return 0;
    a = arena_new(ARENA_MAX);
    if (data[0] & 1)
        z = zone_of_rule(a, arena_bytes(a, data + 1, size - 1));
    else if (failed(zone_read(a, data + 1, size - 1, &z)))
        z = NULL;
    if (z)
        ask(z);
    arena_free(a);
    return 0;
}
