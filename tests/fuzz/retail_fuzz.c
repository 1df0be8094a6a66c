/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: retail tariffs. JSON: {"tariff": ..., "wholesale": ..., "energy", "seconds",
 * "charging", "vat", "power"}.
 * What is read prints and reads back as the same text; a quote is a tariff again; a price adds up,
 * respects the limits of time, and grows with time and energy; all of it is done quickly.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/price.h"
#include "ocpi/retail.h"
#include "tests/fake/zone_bytes.h"

enum { ARENA_MAX = 512 * 1024 * 1024, INPUT_MAX = 64 * 1024, TEXT_MAX = 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *printed(const struct retail_tariff *t, struct arena *a)
{
    struct text out;

    text_init(&out, a, TEXT_MAX);
    retail_tariff_print(t, &out, NULL);
    assert(!text_overflowed(&out));
    return out.bytes;
}

static void reads_back(const struct retail_tariff *t, struct arena *a)
{
    const char *text = printed(t, a);
    struct retail_tariff again;
    struct text out;
    json_t *json;

    assert(!failed(json_read(a, text, strlen(text), 0, &json)));
    assert(!failed(retail_tariff_read(json, a, &again)));
    assert(strcmp(printed(&again, a), text) == 0);
    text_init(&out, a, TEXT_MAX);
    retail_tariff_print_public(&again, &out, NULL);
    assert(!failed(json_read(a, out.bytes, out.length, 0, &json)));
}

static void adds_up(const struct bill *b)
{
    int64_t lines = 0, net = 0, nets = 0, gross = 0;

    for (size_t i = 0; i < b->line_count; i++) {
        lines += b->lines[i].amount_minor;
        nets += b->lines[i].net_minor;
    }
    for (size_t i = 0; i < b->group_count; i++) {
        assert(b->groups[i].net_minor + b->groups[i].vat_minor == b->groups[i].gross_minor);
        net += b->groups[i].net_minor;
        gross += b->groups[i].gross_minor;
    }
    assert(net == b->net_minor && gross == b->gross_minor && nets == net);
    assert(lines == (b->gross_priced ? gross : net));
    assert(b->net_minor + b->vat_minor == b->gross_minor);
}

static int64_t int_of(const json_t *json, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(json, key);

    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static void price(const struct retail_tariff *t, const json_t *json, struct arena *a)
{
    struct retail_facts f = {
        .energy_u6 = int_of(json, "energy", 20000000),
        .start_us = INT64_C(1777881600) * US_PER_SECOND,
        .charging_end_us = TIME_NONE,
        .final = true,
        .vat_u4 = int_of(json, "vat", NUMBER_NONE),
        .void_threshold_s = RETAIL_VOID_THRESHOLD_S,
    };
    int64_t seconds = int_of(json, "seconds", 3600) % (INT64_C(1) << 32);
    int64_t charging = int_of(json, "charging", -1) % (INT64_C(1) << 32);
    struct retail_price p, longer;
    struct retail_estimate e;

    f.end_us = f.start_us + seconds * US_PER_SECOND;
    if (charging >= 0)
        f.charging_end_us = f.start_us + charging * US_PER_SECOND;
    struct err failure = retail_price(t, &f, a, &p);
    assert(!failed(failure) || failure.kind == ERR_BAD_FIELD);
    if (failed(failure))
        return;
    adds_up(&p.bill);
    assert(p.billed_s >= 0 && p.excess_s >= 0);
    assert(t->max_charging_time == NUMBER_NONE || p.billed_s <= t->max_charging_time * 60);
    assert(p.bill.gross_minor >= 0);
    /* The longer, the dearer: charging goes on, or parking does. */
    f.end_us += 61 * US_PER_SECOND;
    if (!failed(retail_price(t, &f, a, &longer)))
        assert(longer.bill.gross_minor >= p.bill.gross_minor);
    f.end_us -= 61 * US_PER_SECOND;
    if (f.energy_u6 > 0 && f.energy_u6 < INT64_MAX - 1000000) {
        f.energy_u6 += 1000000;
        if (!failed(retail_price(t, &f, a, &longer)))
            assert(longer.bill.gross_minor >= p.bill.gross_minor);
    }
    if (!failed(retail_estimate(t, &f, f.end_us + 1000 * US_PER_SECOND, a, &e)))
        assert(e.measured_minor + e.extrapolated_minor == e.amount_minor &&
               e.extrapolated_minor >= 0);
}

static void quote(const struct retail_tariff *t, const json_t *json, struct arena *a)
{
    const json_t *document = json_object_get(json, "wholesale");
    struct zone *zone = zone_of_rule(a, RULE_OF_BERLIN);
    struct price_tariff wholesale;
    struct retail_tariff q;

    if (failed(price_tariff_read(OCPI_VERSION_NONE, document, a, &wholesale)) ||
        failed(retail_quote(t, &wholesale, zone, int_of(json, "power", 0),
                            INT64_C(1777881630) * US_PER_SECOND, a, &q)))
        return;
    assert(q.mode != RETAIL_MARKUP);
    reads_back(&q, a);
    if (q.mode == RETAIL_FIXED)
        price(&q, json, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct retail_tariff t;
    struct arena *a;
    json_t *json;

    if (size > INPUT_MAX)
        return 0;
    a = arena_new(ARENA_MAX);
    if (!failed(json_read(a, (const char *)data, size, 0, &json))) {
        struct err e = retail_tariff_read(json_object_get(json, "tariff"), a, &t);
        assert(!failed(e) || (e.kind == ERR_BAD_FIELD && e.where) || e.kind == ERR_BAD_BODY);
        if (!failed(e)) {
            reads_back(&t, a);
            if (t.mode == RETAIL_FIXED)
                price(&t, json, a);
            quote(&t, json, a);
        }
    }
    arena_free(a);
    return 0;
}
