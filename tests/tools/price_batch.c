/* SPDX-License-Identifier: Apache-2.0 */
/*
 * price-batch: the hub's reckoning for programs that check it. A line of JSON in, a line out:
 *
 *   {"do": "price", "version": "2.2.1", "record": {...}, "tariffs": [...], "zone": "Europe/Oslo"}
 *   {"do": "retail", ...}   {"do": "bill", ...}     see the files of those jobs
 *
 * What is refused is answered with {"error": text, "where": pointer}. Amounts are whole millionths.
 */
#include "tests/tools/price_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/zone.h"
#include "ocpi/price.h"

enum { ARENA_MAX = 512 * 1024 * 1024, OUTPUT_MAX = 16 * 1024 * 1024, ZONES = 64, ZONE_NAME = 64 };

static struct {
    char name[ZONE_NAME];
    struct zone *zone;
} zones[ZONES];
static struct arena *for_ever;

struct err batch_zone(struct arena *a, const json_t *ask, const struct zone **ret)
{
    const char *name = json_text_of(ask, "zone");
    size_t i = 0;

    *ret = NULL;
    if (!name)
        return OK;
    while (i < ZONES && zones[i].zone && strcmp(zones[i].name, name) != 0)
        i++;
    if (i == ZONES)
        return err_at(a, ERR_TOO_LARGE, "/zone", "too many time zones");
    if (!zones[i].zone) {
        if (!text_copy(zones[i].name, sizeof zones[i].name, name))
            return err_at(a, ERR_BAD_FIELD, "/zone", "that is no time zone");
        TRY(zone_load(for_ever, name, &zones[i].zone));
    }
    *ret = zones[i].zone;
    return OK;
}

void batch_put(struct text *out, const char *key, int64_t value)
{
    if (value == NUMBER_NONE)
        json_put_null(out, key);
    else
        json_put_int(out, key, value);
}

int64_t batch_int(const json_t *ask, const char *key, int64_t absent)
{
    const json_t *value = json_object_get(ask, key);

    return json_is_integer(value) ? json_integer_value(value) : absent;
}

static const struct {
    const char *name;
    struct err (*run)(struct arena *a, const json_t *ask, struct text *out);
} jobs[] = {{"price", batch_price}, {"retail", batch_retail}, {"bill", batch_bill}};

static struct err answer(struct arena *a, const char *line, size_t length, struct text *out)
{
    json_t *ask;

    TRY(json_read(a, line, length, 0, &ask));
    const char *job = json_text_of(ask, "do");
    for (size_t i = 0; job && i < sizeof jobs / sizeof jobs[0]; i++) {
        if (strcmp(job, jobs[i].name) == 0)
            return jobs[i].run(a, ask, out);
    }
    return err_at(a, ERR_BAD_FIELD, "/do", "there is no such job");
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;

    for_ever = arena_new(ARENA_MAX);
    for (ssize_t length; (length = getline(&line, &size, stdin)) > 0;) {
        struct arena *a = arena_new(ARENA_MAX);
        struct text out;

        text_init(&out, a, OUTPUT_MAX);
        json_begin_object(&out, NULL);
        struct err e = answer(a, line, (size_t)length, &out);
        if (failed(e)) {
            text_reset(&out);
            json_begin_object(&out, NULL);
            json_put_text(&out, "error", err_text(e));
            json_put_text(&out, "where", e.where);
        }
        json_end_object(&out);
        puts(out.bytes);
        fflush(stdout);
        arena_free(a);
    }
    free(line);
    arena_free(for_ever);
    return 0;
}
