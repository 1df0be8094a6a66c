/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a user pays by a quote, now and in the end, and which tariff is whose.
 *
 * Time is counted in started increments from the session's start, once for the whole session. On
 * that axis lie the tiers, the end of charging with its grace, and the end that max_charging_time
 * sets; each stretch of one price becomes a line.
 */
#include "ocpi/retail.h"

#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/price.h"

enum { MINUTE_S = 60, HPC_W = 150000, U6_PER_WH = 1000 };

#define U6 INT64_C(1000000)
/* A century is longer than any session. */
#define ELAPSED_MAX_S (INT64_C(100) * 366 * 86400)
#define ENERGY_MAX_U6 (INT64_MAX / 2)

enum retail_power_class retail_power_class_of(bool direct_current, int64_t max_power_w)
{
    if (!direct_current)
        return RETAIL_AC;
    return max_power_w >= HPC_W ? RETAIL_HPC : RETAIL_DC;
}

/* ---- the axis of time ---- */

static int64_t at_most(int64_t value, int64_t max)
{
    return value < max ? value : max;
}

/* Started seconds between two moments. */
static int64_t seconds_between(int64_t from_us, int64_t to_us)
{
    int64_t us;

    if (to_us <= from_us)
        return 0;
    if (__builtin_sub_overflow(to_us, from_us, &us))
        return ELAPSED_MAX_S;
    return at_most(us / US_PER_SECOND + (us % US_PER_SECOND > 0), ELAPSED_MAX_S);
}

static int64_t limit_s(const struct retail_tariff *t)
{
    return t->max_charging_time == NUMBER_NONE ? INT64_MAX : t->max_charging_time * MINUTE_S;
}

/* Started increments, within the limit. */
static int64_t counted(const struct retail_tariff *t, int64_t seconds)
{
    int64_t increments = seconds / t->time_increment_s + (seconds % t->time_increment_s > 0);

    return at_most(increments * t->time_increment_s, limit_s(t));
}

/* Where prices of time change, in seconds from the start. */
struct axis {
    int64_t end, charging_end, grace_end;
};

static struct axis axis_of(const struct retail_tariff *t, const struct retail_facts *f,
                           int64_t elapsed_s)
{
    struct axis x = {.end = counted(t, elapsed_s)};

    x.charging_end = x.end;
    if (f->charging_end_us != TIME_NONE)
        x.charging_end =
            at_most(counted(t, seconds_between(f->start_us, f->charging_end_us)), x.end);
    x.grace_end = at_most(x.charging_end + t->grace_minutes * MINUTE_S, x.end);
    return x;
}

static int64_t overlap(int64_t from, int64_t to, int64_t start, int64_t end)
{
    int64_t first = from > start ? from : start, last = at_most(to, end);

    return last > first ? last - first : 0;
}

/* ---- lines ---- */

struct pricing {
    const struct retail_tariff *tariff;
    int64_t vat_u4;
    struct bill *bill;
};

static void put(struct pricing *p, enum bill_kind kind, enum bill_unit unit, int64_t quantity_u6,
                int64_t price_u6, int64_t from_minute)
{
    bill_put(p->bill, (struct bill_line){
                          .kind = kind,
                          .unit = unit,
                          .quantity_u6 = quantity_u6,
                          .price_u6 = price_u6,
                          .vat_u4 = p->vat_u4,
                          .from_minute = from_minute,
                      });
}

static void put_time(struct pricing *p, enum bill_kind kind, int64_t seconds, int64_t price_u6,
                     int64_t from_minute)
{
    if (seconds)
        put(p, kind, BILL_MINUTE, decimal_round_div(seconds * U6, MINUTE_S), price_u6, from_minute);
}

static void put_tiers(struct pricing *p, const struct axis *x)
{
    const struct retail_tariff *t = p->tariff;
    bool own_parking = t->parking_minute_price_u6 != NUMBER_NONE;
    int64_t parking = overlap(x->grace_end, x->end, 0, x->end);

    for (size_t i = 0; i < t->time_tariffs.count; i++) {
        const struct retail_tier *tier = &t->time_tariffs.at[i];
        int64_t from = tier->starting_at_minute * MINUTE_S, to = x->end;
        if (i + 1 < t->time_tariffs.count)
            to = tier[1].starting_at_minute * MINUTE_S;
        int64_t seconds = overlap(from, to, 0, x->charging_end);
        if (!own_parking)
            seconds += overlap(from, to, x->grace_end, x->end);
        put_time(p, BILL_TIME, seconds, tier->minute_price_u6, tier->starting_at_minute);
    }
    if (own_parking)
        put_time(p, BILL_PARKING, parking, t->parking_minute_price_u6, 0);
}

static struct bill_limits limits_of(const struct retail_tariff *t)
{
    struct bill_limits l = BILL_NO_LIMITS;

    if (t->price_includes_vat) {
        l.min_gross_u6 = t->min_price_u6;
        l.max_gross_u6 = t->max_price_u6;
    } else {
        l.min_net_u6 = t->min_price_u6;
        l.max_net_u6 = t->max_price_u6;
    }
    return l;
}

static void put_lines(struct pricing *p, const struct axis *x, int64_t energy_u6)
{
    const struct retail_tariff *t = p->tariff;

    if (t->session_price_u6)
        put(p, BILL_SESSION, BILL_PIECE, U6, t->session_price_u6, 0);
    if (energy_u6 || t->kwh_price_u6)
        put(p, BILL_ENERGY, BILL_KWH, energy_u6, t->kwh_price_u6, 0);
    put_tiers(p, x);
}

struct err retail_price(const struct retail_tariff *t, const struct retail_facts *f,
                        struct arena *a, struct retail_price *ret)
{
    int64_t elapsed_s = seconds_between(f->start_us, f->end_us);
    struct axis x = axis_of(t, f, elapsed_s);
    struct retail_price price = {.elapsed_s = elapsed_s};
    struct pricing p = {t, f->vat_u4 == NUMBER_NONE ? t->vat_u4 : f->vat_u4, &price.bill};
    struct bill_limits limits = limits_of(t);

    if (t->mode != RETAIL_FIXED)
        return err_at(a, ERR_INTERNAL, NULL, "only a quote has prices");
    if (f->energy_u6 > ENERGY_MAX_U6)
        return err_at(a, ERR_BAD_FIELD, NULL, "the energy is too large to be reckoned");
    if (f->energy_u6 > 0)
        price.energy_u6 = decimal_round_div(f->energy_u6, U6_PER_WH) * U6_PER_WH;
    price.is_void = f->final && !price.energy_u6 && elapsed_s < f->void_threshold_s;
    price.limit_reached = elapsed_s >= limit_s(t);
    if (price.limit_reached)
        price.excess_s = elapsed_s - limit_s(t);
    TRY(bill_new(t->currency, t->price_includes_vat, a, &price.bill));
    if (price.is_void) {
        limits = BILL_NO_LIMITS;
    } else {
        price.billed_s = x.end - (x.grace_end - x.charging_end);
        put_lines(&p, &x, price.energy_u6);
    }
    TRY(bill_add_up(&price.bill, &limits, p.vat_u4));
    *ret = price;
    return OK;
}

int64_t retail_stop_at(const struct retail_tariff *t, int64_t start_us)
{
    int64_t us;

    if (t->max_charging_time == NUMBER_NONE ||
        __builtin_add_overflow(start_us, limit_s(t) * US_PER_SECOND, &us))
        return TIME_NONE;
    return us;
}

/* ---- what happened ---- */

static bool is_charging(const struct price_period *p)
{
    return !p->reservation_s || p->energy || p->charging_s || p->parking_s;
}

/* A period of both kinds began with charging. */
static int64_t charging_end_of(const struct price_period *p)
{
    if (!p->charging_s && !p->energy)
        return p->start_us;
    if (!p->parking_s)
        return p->end_us;
    return at_most(p->start_us + p->charging_s * US_PER_SECOND, p->end_us);
}

struct retail_facts retail_facts_of(const struct price_history *h)
{
    struct retail_facts f = {
        .charging_end_us = TIME_NONE,
        .final = true,
        .vat_u4 = NUMBER_NONE,
        .void_threshold_s = RETAIL_VOID_THRESHOLD_S,
    };
    const struct price_period *last = NULL;
    int64_t charged_until = TIME_NONE;

    for (size_t i = 0; i < h->periods.count; i++) {
        const struct price_period *p = &h->periods.at[i];
        if (!is_charging(p))
            continue;
        if (!last)
            charged_until = f.start_us = p->start_us;
        if (p->charging_s || p->energy)
            charged_until = charging_end_of(p);
        if (__builtin_add_overflow(f.energy_u6, p->energy, &f.energy_u6))
            f.energy_u6 = INT64_MAX;
        f.end_us = p->end_us;
        last = p;
    }
    if (!last && h->periods.count)
        f.start_us = f.end_us = h->periods.at[h->periods.count - 1].end_us;
    if (last && charged_until < f.end_us)
        f.charging_end_us = charged_until;
    return f;
}

/* ---- the live estimate ---- */

struct err retail_estimate(const struct retail_tariff *t, const struct retail_facts *facts,
                           int64_t now_us, struct arena *a, struct retail_estimate *ret)
{
    struct retail_facts f = *facts;
    struct retail_price then, now;

    f.final = false;
    TRY(retail_price(t, &f, a, &then));
    if (now_us > f.end_us)
        f.end_us = now_us;
    TRY(retail_price(t, &f, a, &now));
    *ret = (struct retail_estimate){
        .amount_minor = now.bill.gross_minor,
        .measured_minor = then.bill.gross_minor,
        .extrapolated_minor = now.bill.gross_minor - then.bill.gross_minor,
        .vat_included = true,
        .as_of_us = now_us,
        .stale = now_us - facts->end_us >= RETAIL_STALE_S * US_PER_SECOND,
    };
    memcpy(ret->currency, t->currency, sizeof ret->currency);
    return OK;
}

static void put_amount(struct text *out, const char *key, const struct retail_estimate *e,
                       int64_t minor)
{
    char buffer[DECIMAL_TEXT];

    json_put_raw(out, key, money_print_minor(buffer, minor, e->currency));
}

void retail_estimate_print(const struct retail_estimate *e, struct text *out, const char *key)
{
    char buffer[TIME_TEXT];

    json_begin_object(out, key);
    put_amount(out, "amount", e, e->amount_minor);
    json_put_text(out, "currency", e->currency);
    json_put_bool(out, "vat_included", e->vat_included);
    json_put_text(out, "as_of", time_print_seconds(buffer, e->as_of_us));
    put_amount(out, "measured", e, e->measured_minor);
    put_amount(out, "extrapolated", e, e->extrapolated_minor);
    json_put_bool(out, "stale", e->stale);
    json_put_bool(out, "final", false);
    json_end_object(out);
}

/* ---- selection ---- */

static bool listed(const char *const *texts, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(texts[i], text) == 0)
            return true;
    return false;
}

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* "DE*ABC", "de-abc" and "DEABC" are one party. */
static bool same_party(const char *a, const char *b)
{
    for (;;) {
        while (*a && !is_letter_or_digit(*a))
            a++;
        while (*b && !is_letter_or_digit(*b))
            b++;
        char x[2] = {*a}, y[2] = {*b};
        if (!text_equal_caseless(x, y))
            return false;
        if (!*a)
            return true;
        a++;
        b++;
    }
}

static bool party_listed(const struct retail_selector *s, const char *cpo)
{
    for (size_t i = 0; cpo && i < s->cpos.count; i++)
        if (same_party(s->cpos.at[i], cpo))
            return true;
    return false;
}

static bool power_fits(enum retail_power_class wanted, enum retail_power_class there)
{
    return wanted == RETAIL_POWER_NONE || wanted == there ||
           (wanted == RETAIL_DC && there == RETAIL_HPC);
}

bool retail_tariff_fits(const struct retail_tariff *t, const struct retail_where *w)
{
    const struct retail_selector *s = &t->selector;

    if ((t->valid_from_us != TIME_NONE && w->start_us < t->valid_from_us) ||
        (t->valid_until_us != TIME_NONE && w->start_us >= t->valid_until_us))
        return false;
    if (s->countries.count &&
        !(w->country && listed(s->countries.at, s->countries.count, w->country)))
        return false;
    if (s->cpos.count && !party_listed(s, w->cpo))
        return false;
    if (s->user_groups.count &&
        !(w->user_group && listed(s->user_groups.at, s->user_groups.count, w->user_group)))
        return false;
    /* A markup needs to know what it is put on; a price of its own only minds a difference. */
    if (t->mode == RETAIL_MARKUP && !w->wholesale_currency)
        return false;
    if (t->currency_mismatch_refused && w->wholesale_currency &&
        strcmp(t->currency, w->wholesale_currency) != 0)
        return false;
    return power_fits(s->power_class, w->power_class);
}

static int specificity(const struct retail_selector *s)
{
    return (s->user_groups.count ? 16 : 0) + (s->cpos.count ? 8 : 0) +
           (s->power_class == RETAIL_HPC ? 4 : 0) + (s->power_class ? 2 : 0) +
           (s->countries.count ? 1 : 0);
}

static bool better(const struct retail_tariff *a, const struct retail_tariff *b)
{
    int x = specificity(&a->selector), y = specificity(&b->selector);

    if (x != y)
        return x > y;
    if (a->valid_from_us != b->valid_from_us)
        return a->valid_from_us > b->valid_from_us;
    return a->version > b->version;
}

const struct retail_tariff *retail_choose(const struct retail_tariff *tariffs, size_t count,
                                          const struct retail_where *where)
{
    const struct retail_tariff *best = NULL;

    for (size_t i = 0; i < count; i++)
        if (retail_tariff_fits(&tariffs[i], where) && (!best || better(&tariffs[i], best)))
            best = &tariffs[i];
    return best;
}
