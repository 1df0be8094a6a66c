/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The price of a session under way: net, as the network charges us.
 */
#include "hub/finance/session_price.h"

#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/text.h"
#include "hub/finance/live_cost.h"
#include "hub/finance/zones.h"
#include "ocpi/object.h"
#include "ocpi/price.h"

enum { DOCUMENT_VALUES = 100000, GAP_PERCENT = 5 };

#define GAP_U6 INT64_C(1000000)

struct wholesale {
    struct price_record record;
    struct price_tariff *tariffs; /* the one that counts comes first: periods may name others */
    size_t count;
    const struct zone *zone;
    struct price price;
};

/* The tariffs of the session's start that can be read; the one that counts, first. */
static bool read_tariffs(struct flow *f, const struct session_price_context *c, struct wholesale *w)
{
    struct arena *a = f->arena;

    w->tariffs = arena_alloc(a, sizeof(*w->tariffs) * (c->tariff_count + 1));
    for (size_t i = 0; i < c->tariff_count; i++) {
        const struct network_tariff *t = &c->tariffs[i];
        json_t *document;

        if (!failed(json_read(a, t->document, strlen(t->document), DOCUMENT_VALUES, &document)) &&
            !failed(price_tariff_read(t->ocpi, document, a, &w->tariffs[w->count])))
            w->count++;
    }
    const struct price_tariff *counts =
        price_choose(w->tariffs, w->count, w->record.start_us, OCPI_TARIFF_NONE);
    if (!counts)
        return false;
    struct price_tariff first = *counts;
    w->tariffs[counts - w->tariffs] = w->tariffs[0];
    w->tariffs[0] = first;
    return true;
}

static bool reckon(struct flow *f, const struct session_price_context *c, struct wholesale *w)
{
    struct arena *a = f->arena;
    struct price_history history;
    json_t *document;

    if (!c->document ||
        failed(json_read(a, c->document, strlen(c->document), DOCUMENT_VALUES, &document)) ||
        failed(price_record_read(c->ocpi, document, a, &w->record)) || !read_tariffs(f, c, w))
        return false;
    w->zone = zones_find(c->time_zone);
    return !failed(price_history_of(&w->record, w->tariffs, w->count, a, &history)) &&
           !failed(price_reckon(w->tariffs, w->count, &history, w->zone, a, &w->price));
}

static void put_u6(struct text *t, const char *key, int64_t u6)
{
    char buffer[DECIMAL_TEXT];

    if (u6 == NUMBER_NONE)
        json_put_null(t, key);
    else
        json_put_raw(t, key, decimal_print_u6(buffer, u6, 2, 4));
}

static bool is_flagged(int64_t difference, int64_t reckoned)
{
    int64_t apart = difference < 0 ? -difference : difference;
    int64_t of = reckoned < 0 ? -reckoned : reckoned;

    return apart > GAP_U6 || apart > of / 100 * GAP_PERCENT + of % 100 * GAP_PERCENT / 100;
}

static void put_wholesale(struct text *t, const struct wholesale *w)
{
    int64_t stated = w->record.cost_excl, difference = NUMBER_NONE;
    bool same_currency = w->record.currency && w->price.currency &&
                         strcmp(w->record.currency, w->price.currency) == 0;

    if (stated != NUMBER_NONE && w->price.excl != NUMBER_NONE && same_currency &&
        __builtin_sub_overflow(stated, w->price.excl, &difference))
        difference = NUMBER_NONE;
    json_begin_object(t, "wholesale");
    json_put_text(t, "currency", w->price.currency);
    put_u6(t, "stated", stated);
    put_u6(t, "reckoned", w->price.excl);
    put_u6(t, "difference", difference);
    json_put_bool(t, "flagged",
                  difference != NUMBER_NONE ? is_flagged(difference, w->price.excl)
                                            : stated != NUMBER_NONE && !same_currency);
    json_put_text(t, "tariff", w->tariffs[0].id);
    json_begin_array(t, "notes");
    for (int i = 0; i < PRICE_NOTE_COUNT; i++)
        if (w->price.notes >> i & 1)
            json_put_text(t, NULL, price_note_text((enum price_note)i));
    json_end_array(t);
    json_end_object(t);
}

void session_price_put(struct flow *f, const struct session_price_context *c, int64_t now_us,
                       struct text *t, const char *key)
{
    struct retail_estimate e;
    struct live_cost cost;
    struct wholesale w = {0};

    json_begin_object(t, key);
    if (live_cost_of(&c->session, &cost) && live_cost_estimate(&cost, now_us, f->arena, &e))
        retail_estimate_print(&e, t, "retail");
    else
        json_put_null(t, "retail");
    if (reckon(f, c, &w))
        put_wholesale(t, &w);
    else
        json_put_null(t, "wholesale");
    json_end_object(t);
}
