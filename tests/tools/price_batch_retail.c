/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Price-batch: a session by a retail tariff. A markup is made a quote first.
 *
 *   {"do": "retail", "tariff": {...},
 *    "facts": {"energy": u6, "start": us, "end": us, "charging_end": us, "final": true, "vat": u4,
 *              "void_threshold": s},
 *    "wholesale": {...}, "version": of it, "zone": ..., "power": W, "now": us: makes an estimate}
 */
#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "ocpi/bill.h"
#include "ocpi/price.h"
#include "ocpi/retail.h"
#include "tests/tools/price_batch.h"

static struct err quote_of(struct arena *a, const json_t *ask, int64_t start_us,
                           struct retail_tariff *ret)
{
    const json_t *document = json_object_of(ask, "wholesale");
    const char *version = json_text_of(ask, "version");
    struct retail_tariff tariff;
    struct price_tariff wholesale;
    const struct zone *zone;

    TRY(retail_tariff_read(json_object_get(ask, "tariff"), a, &tariff));
    TRY(batch_zone(a, ask, &zone));
    if (document)
        TRY(price_tariff_read(version ? version_parse(version) : OCPI_VERSION_NONE, document, a,
                              &wholesale));
    return retail_quote(&tariff, document ? &wholesale : NULL, zone, batch_int(ask, "power", 0),
                        start_us, a, ret);
}

static struct retail_facts facts_of(const json_t *facts)
{
    return (struct retail_facts){
        .energy_u6 = batch_int(facts, "energy", 0),
        .start_us = batch_int(facts, "start", 0),
        .end_us = batch_int(facts, "end", 0),
        .charging_end_us = batch_int(facts, "charging_end", TIME_NONE),
        .final = !json_is_false(json_object_get(facts, "final")),
        .vat_u4 = batch_int(facts, "vat", NUMBER_NONE),
        .void_threshold_s = batch_int(facts, "void_threshold", RETAIL_VOID_THRESHOLD_S),
    };
}

struct err batch_retail(struct arena *a, const json_t *ask, struct text *out)
{
    struct retail_facts facts = facts_of(json_object_of(ask, "facts"));
    struct retail_tariff quote;
    struct retail_price p;

    TRY(quote_of(a, ask, facts.start_us, &quote));
    TRY(retail_price(&quote, &facts, a, &p));
    if (json_object_of(ask, "wholesale"))
        retail_tariff_print(&quote, out, "quote");
    json_put_bool(out, "void", p.is_void);
    json_put_int(out, "energy", p.energy_u6);
    json_put_int(out, "elapsed", p.elapsed_s);
    json_put_int(out, "billed", p.billed_s);
    json_put_int(out, "excess", p.excess_s);
    json_put_bool(out, "limit_reached", p.limit_reached);
    batch_put_bill(out, "bill", &p.bill);
    if (json_object_get(ask, "now")) {
        struct retail_estimate e;
        TRY(retail_estimate(&quote, &facts, batch_int(ask, "now", 0), a, &e));
        retail_estimate_print(&e, out, "estimate");
    }
    return OK;
}
