/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live cost: the quote priced with what is known so far. Until now alone grows with time, so the
 * moment at which an amount is reached is found by halving.
 */
#include "hub/finance/live_cost.h"

#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/session.h"

enum { QUOTE_VALUES = 2000, LOOK_AHEAD_S = 7 * 24 * 3600 };

static bool quote_read(const char *document, struct arena *a, struct retail_tariff *ret)
{
    json_t *json;

    return !failed(json_read(a, document, strlen(document), QUOTE_VALUES, &json)) &&
           !failed(retail_tariff_read(json, a, ret));
}

bool live_cost_of(const struct session *s, struct live_cost *ret)
{
    bool running = s->state == SESSION_ACTIVE || s->state == SESSION_STOPPING;

    if (!s->quote || !running || s->start_us == TIME_NONE)
        return false;
    *ret = (struct live_cost){
        .quote = s->quote,
        .energy_mwh = s->energy_mwh,
        .start_us = s->start_us,
        .end_us = s->end_us,
        .seen_us = s->seen_us,
        .charging_end_us = s->charging_end_us,
    };
    return true;
}

bool live_cost_currency(const char *quote, struct arena *a, char ret[4])
{
    struct retail_tariff t;

    return quote_read(quote, a, &t) && text_copy(ret, 4, t.currency);
}

/* The network's clock may be ahead of ours: what was measured, was until the start at least. */
static int64_t measured_until(const struct live_cost *c)
{
    int64_t us = c->end_us != TIME_NONE ? c->end_us : c->seen_us;

    return us == TIME_NONE || us < c->start_us ? c->start_us : us;
}

static bool estimate_by(const struct retail_tariff *quote, const struct live_cost *c,
                        int64_t now_us, struct arena *a, struct retail_estimate *ret)
{
    struct retail_facts facts = {
        .energy_u6 = c->energy_mwh,
        .start_us = c->start_us,
        .end_us = measured_until(c),
        .charging_end_us = c->charging_end_us,
        .final = false,
        .vat_u4 = NUMBER_NONE,
        .void_threshold_s = RETAIL_VOID_THRESHOLD_S,
    };
    /* Its end is known: nothing is added, and nothing gets stale. */
    int64_t until_us = c->end_us != TIME_NONE || now_us < facts.end_us ? facts.end_us : now_us;

    if (failed(retail_estimate(quote, &facts, until_us, a, ret)))
        return false;
    ret->as_of_us = now_us;
    return true;
}

bool live_cost_estimate(const struct live_cost *c, int64_t now_us, struct arena *a,
                        struct retail_estimate *ret)
{
    struct retail_tariff quote;

    return quote_read(c->quote, a, &quote) && estimate_by(&quote, c, now_us, a, ret);
}

/* ---- limits ---- */

/* The first second from now on at which the amount is reached by time alone. */
static int64_t reached_at(const struct retail_tariff *quote, const struct live_cost *c,
                          int64_t now_us, int64_t limit_minor, struct arena *a)
{
    int64_t low = 0, high = LOOK_AHEAD_S; /* seconds: not reached, reached */
    struct retail_estimate e;

    if (!estimate_by(quote, c, now_us + high * US_PER_SECOND, a, &e) ||
        e.amount_minor < limit_minor)
        return TIME_NONE;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;

        if (!estimate_by(quote, c, now_us + middle * US_PER_SECOND, a, &e))
            return TIME_NONE;
        if (e.amount_minor < limit_minor)
            low = middle;
        else
            high = middle;
    }
    return now_us + high * US_PER_SECOND;
}

static bool credit_reached(const struct session *s, const struct live_limit *limit, int64_t now_us,
                           struct arena *a, int64_t *ret_next_us)
{
    struct live_cost cost;
    struct retail_tariff quote;
    struct retail_estimate e;

    if (!s->quote) /* passed through: what the network has reported */
        return s->cost_known && strcmp(s->currency, limit->credit_currency) == 0 &&
               money_minor_from_u6(s->cost_u6, s->currency) >= limit->credit_minor;
    if (!live_cost_of(s, &cost) || !quote_read(cost.quote, a, &quote) ||
        strcmp(quote.currency, limit->credit_currency) != 0 ||
        !estimate_by(&quote, &cost, now_us, a, &e))
        return false;
    if (e.amount_minor >= limit->credit_minor)
        return true;
    *ret_next_us = reached_at(&quote, &cost, now_us, limit->credit_minor, a);
    return false;
}

const char *live_limit_reached(const struct session *s, const struct live_limit *limit,
                               int64_t now_us, struct arena *a, int64_t *ret_next_us)
{
    *ret_next_us = TIME_NONE;
    if (s->state != SESSION_ACTIVE || s->start_us == TIME_NONE)
        return NULL;
    if (limit->credit_currency && credit_reached(s, limit, now_us, a, ret_next_us))
        return "credit_limit";
    if (limit->max_minutes > 0) {
        /* As the receipt counts: from the network's start. One that lies in the future, or long
         * before ours, is the fault of a clock: then our own record of it is the start. */
        int64_t start_us = s->start_us;
        if (start_us < s->created_us || start_us > now_us)
            start_us = s->created_us;
        int64_t stop_us = start_us + limit->max_minutes * 60 * US_PER_SECOND;

        if (now_us >= stop_us)
            return "max_charging_time";
        if (*ret_next_us == TIME_NONE || stop_us < *ret_next_us)
            *ret_next_us = stop_us;
    }
    return NULL;
}
