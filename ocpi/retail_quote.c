/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firm prices from a network's tariff: what it charges per kWh, minute and session, looked up at
 * the start, with what the hub puts on top.
 */
#include "ocpi/retail.h"

#include <string.h>

#include "base/arena.h"
#include "base/time.h"
#include "ocpi/price.h"
#include "ocpi/price_time.h"

__extension__ typedef __int128 wide; /* the compiler's own type has no name without a warning */

enum { MINUTE_S = 60, MINUTES_PER_HOUR = 60, HORIZON_MINUTES = 2 * 24 * 60 };

#define U6 INT64_C(1000000)
#define PERCENT_100_U6 (100 * U6)
#define US_PER_MINUTE (MINUTE_S * US_PER_SECOND)
/* Prices of a network above this are no prices. */
#define PRICE_MAX_U6 (INT64_C(10000000) * U6)
/* Elements and components that are looked at for one quote: some hundredths of a second. */
#define WORK_MAX INT64_C(2000000)
#define QUOTED_MAX_U6 (INT64_C(1000000) * U6) /* as retail_tariff_read takes it */

struct quoting {
    const struct retail_tariff *tariff;
    const struct price_tariff *wholesale;
    const struct zone *zone;
    int64_t power_u6, start_us;
    struct arena *arena;
    struct price_window *windows; /* one per element */
    struct price_edges edges;
    int64_t work;
    struct err trouble; /* the first */
};

/* The first component of the dimension that is active then, as in price_reckon. */
static const struct ocpi_price_component *active(struct quoting *q,
                                                 enum ocpi_tariff_dimension dimension, int64_t us)
{
    struct price_moment m = {
        .us = us, .elapsed_us = us - q->start_us, .power = q->power_u6, .current = NUMBER_NONE};

    price_moment_localise(&m, q->zone);
    for (size_t i = 0; i < q->wholesale->elements.count; i++) {
        const struct ocpi_tariff_element *e = &q->wholesale->elements.at[i];
        q->work++;
        if (!price_window_open(&q->windows[i], &m))
            continue;
        q->work += (int64_t)e->price_components.count;
        for (size_t k = 0; k < e->price_components.count; k++)
            if (e->price_components.at[k].type == dimension)
                return &e->price_components.at[k];
    }
    return NULL;
}

static int64_t trouble(struct quoting *q, const char *what)
{
    if (!failed(q->trouble))
        q->trouble = err_at(q->arena, ERR_BAD_FIELD, "markup", "%s", what);
    return 0;
}

/* What becomes of a network's price: without its taxes, with our percent, with our VAT where the
 * document is priced so, to four decimals. `vat_u6`: its own, if its prices include one. */
static int64_t raise(struct quoting *q, int64_t price_u6, int64_t vat_u6, int64_t divisor)
{
    const struct retail_tariff *t = q->tariff;
    wide above = price_u6, below = divisor;

    if (price_u6 < 0 || price_u6 > PRICE_MAX_U6)
        return trouble(q, "a price of the network is beyond reckoning");
    above *= U6 + t->percent_u4;
    below *= U6;
    if (t->price_includes_vat) {
        above *= U6 + t->vat_u4;
        below *= U6;
    }
    if (q->wholesale->taxes == PRICE_TAXES_INCLUDED && price_u6) {
        if (vat_u6 == NUMBER_NONE || vat_u6 < 0 || vat_u6 > 10 * PERCENT_100_U6)
            return trouble(q, "the network's prices include taxes of an unknown rate");
        /* Percent with four decimals are exact enough for any rate, and keep 128 bits. */
        above *= U6;
        below *= U6 + vat_u6 / 100;
    }
    below *= 100; /* millionths to four decimals */
    above = (above + below / 2) / below * 100;
    if (above > QUOTED_MAX_U6 - t->kwh_adder_u6 - t->session_adder_u6)
        return trouble(q, "a price of the network is beyond reckoning");
    return (int64_t)above;
}

static int64_t raised(struct quoting *q, const struct ocpi_price_component *c, int64_t divisor)
{
    return c ? raise(q, c->price, c->vat, divisor) : 0;
}

/* ---- minutes ---- */

/* The next moment at which a price by time may change. Energy does not count: nobody knows it. */
static int64_t next_edge(const struct quoting *q, int64_t us)
{
    struct price_moment m = {.us = us};
    int64_t edge, elapsed;

    price_moment_localise(&m, q->zone);
    edge = price_edge_of_clock(&q->edges, &m, q->zone);
    elapsed = price_edge_above(q->edges.elapsed_us, q->edges.elapsed_count, us - q->start_us);
    if (elapsed != INT64_MAX && q->start_us + elapsed < edge)
        edge = q->start_us + elapsed;
    return edge;
}

/* A minute has the price of its beginning. */
static int64_t minute_after(const struct quoting *q, int64_t us)
{
    return (us - q->start_us + US_PER_MINUTE - 1) / US_PER_MINUTE;
}

static void quote_minutes(struct quoting *q, struct retail_tariff *ret)
{
    struct retail_tier *tiers = arena_alloc(q->arena, RETAIL_TIERS_MAX * sizeof *tiers);
    int64_t minutes = HORIZON_MINUTES, us = q->start_us;
    size_t count = 0;

    if (ret->max_charging_time != NUMBER_NONE && ret->max_charging_time < minutes)
        minutes = ret->max_charging_time;
    while (count < RETAIL_TIERS_MAX) {
        if (q->work > WORK_MAX) {
            trouble(q, "the network's prices change too often to be told");
            return;
        }
        int64_t minute = minute_after(q, us);
        int64_t price = raised(q, active(q, OCPI_PRICED_TIME, us), MINUTES_PER_HOUR);
        if (count && tiers[count - 1].starting_at_minute == minute)
            count--; /* it lasted less than a minute */
        bool same = count ? tiers[count - 1].minute_price_u6 == price : !price;
        if (!same)
            tiers[count++] = (struct retail_tier){minute, price};
        us = next_edge(q, us);
        if (us == INT64_MAX || minute_after(q, us) >= minutes)
            break;
    }
    ret->time_tariffs.at = tiers;
    ret->time_tariffs.count = count;
}

/* ---- the story ---- */

static void look_at_elements(struct quoting *q)
{
    size_t count = q->wholesale->elements.count;

    q->windows = arena_alloc(q->arena, (count + 1) * sizeof *q->windows);
    for (size_t i = 0; i < count; i++)
        q->windows[i] = price_window_of(q->wholesale->elements.at[i].restrictions);
    price_edges_of(q->windows, count, q->arena, &q->edges);
}

/* The session adder comes on top of a limit as it does on top of the price. */
static int64_t quote_limit(struct quoting *q, int64_t own_u6, int64_t excl_u6)
{
    wide above;

    if (own_u6 != NUMBER_NONE || excl_u6 == NUMBER_NONE)
        return own_u6;
    if (excl_u6 < 0 || excl_u6 > PRICE_MAX_U6)
        return trouble(q, "a limit of the network is beyond reckoning");
    above = (wide)excl_u6 * (U6 + q->tariff->percent_u4);
    if (q->tariff->price_includes_vat)
        above = above * (U6 + q->tariff->vat_u4) / U6;
    above = (above + 50 * U6) / (100 * U6) * 100 + q->tariff->session_adder_u6;
    return above > QUOTED_MAX_U6 ? trouble(q, "a limit of the network is beyond reckoning")
                                 : (int64_t)above;
}

static struct err check_wholesale(const struct quoting *q)
{
    if (!q->wholesale)
        return err_at(q->arena, ERR_BAD_FIELD, "markup",
                      "there is no tariff of the network to put it on");
    if (strcmp(q->wholesale->currency, q->tariff->currency) != 0)
        return err_at(q->arena, ERR_BAD_FIELD, "currency", "the network charges in %s, not in %s",
                      q->wholesale->currency, q->tariff->currency);
    return OK;
}

struct err retail_quote(const struct retail_tariff *t, const struct price_tariff *wholesale,
                        const struct zone *zone, int64_t power_w, int64_t start_us, struct arena *a,
                        struct retail_tariff *ret)
{
    struct quoting q = {
        .tariff = t,
        .wholesale = wholesale,
        .zone = zone,
        .power_u6 = power_w > 0 && power_w < PRICE_MAX_U6 ? power_w * 1000 : NUMBER_NONE,
        .start_us = start_us,
        .arena = a,
    };
    struct retail_tariff quote = *t;

    if (t->mode != RETAIL_MARKUP) {
        *ret = quote;
        return OK;
    }
    TRY(check_wholesale(&q));
    look_at_elements(&q);
    quote.mode = RETAIL_FIXED;
    quote.kwh_price_u6 = raised(&q, active(&q, OCPI_PRICED_ENERGY, start_us), 1) + t->kwh_adder_u6;
    quote.session_price_u6 =
        raised(&q, active(&q, OCPI_PRICED_FLAT, start_us), 1) + t->session_adder_u6;
    quote_minutes(&q, &quote);
    quote.parking_minute_price_u6 =
        raised(&q, active(&q, OCPI_PRICED_PARKING_TIME, start_us), MINUTES_PER_HOUR);
    if (!quote.parking_minute_price_u6 && !quote.time_tariffs.count)
        quote.parking_minute_price_u6 = NUMBER_NONE;
    quote.min_price_u6 = quote_limit(&q, t->min_price_u6, wholesale->min_excl);
    quote.max_price_u6 = quote_limit(&q, t->max_price_u6, wholesale->max_excl);
    if (quote.max_price_u6 != NUMBER_NONE && quote.min_price_u6 > quote.max_price_u6)
        quote.max_price_u6 = quote.min_price_u6;
    quote.percent_u4 = quote.kwh_adder_u6 = quote.session_adder_u6 = 0;
    if (failed(q.trouble))
        return q.trouble;
    *ret = quote;
    return OK;
}
