/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents from what a network charges: by a wholesale tariff, and as a CDR states it.
 */
#include "ocpi/bill.h"

#include "base/arena.h"
#include "base/decimal.h"
#include "ocpi/price.h"

__extension__ typedef __int128 wide; /* the compiler's own type has no name without a warning */

#define U6 INT64_C(1000000)

enum { SECONDS_PER_HOUR = 3600, PER_U4 = 100 /* percent with six decimals to four */ };

/* ---- by a tariff ---- */

static const struct {
    enum bill_kind kind;
    enum bill_unit unit;
} kinds[PRICE_KINDS] = {
    [PRICE_FLAT] = {BILL_SESSION, BILL_PIECE},
    [PRICE_ENERGY] = {BILL_ENERGY, BILL_KWH},
    [PRICE_CHARGING] = {BILL_TIME, BILL_HOUR},
    [PRICE_PARKING] = {BILL_PARKING, BILL_HOUR},
    [PRICE_RESERVATION] = {BILL_RESERVATION, BILL_HOUR},
    [PRICE_RESERVATION_FLAT] = {BILL_RESERVATION, BILL_PIECE},
};

/* Hours that stand for so many whole seconds. */
static bool hours_of(int64_t seconds, int64_t *ret_u6)
{
    if (__builtin_mul_overflow(seconds, U6, ret_u6))
        return false;
    *ret_u6 = decimal_round_div(*ret_u6, SECONDS_PER_HOUR);
    return true;
}

static bool quantity_of(const struct price_line *l, int64_t *ret_u6)
{
    if (l->kind == PRICE_ENERGY)
        *ret_u6 = l->billed;
    else if (kinds[l->kind].unit == BILL_HOUR)
        return hours_of(l->billed, ret_u6);
    else
        return !__builtin_mul_overflow(l->billed, U6, ret_u6);
    return true;
}

static int64_t rate_of(int64_t vat_u6, int64_t otherwise_u4)
{
    return vat_u6 == NUMBER_NONE ? otherwise_u4 : decimal_round_div(vat_u6, PER_U4);
}

struct err bill_of_price(const struct price *p, const struct price_tariff *tariffs, int64_t vat_u4,
                         struct arena *a, struct bill *ret)
{
    const struct price_tariff *limits = &tariffs[p->tariff];

    TRY(bill_new(p->currency, limits->taxes == PRICE_TAXES_INCLUDED, a, ret));
    for (size_t i = 0; i < p->line_count; i++) {
        const struct price_line *l = &p->lines[i];
        enum price_taxes taxes = tariffs[l->tariff].taxes;
        struct bill_line line = {
            .kind = kinds[l->kind].kind,
            .unit = kinds[l->kind].unit,
            .price_u6 = l->price,
            .vat_u4 = taxes == PRICE_TAXES_NONE ? 0 : rate_of(l->vat, vat_u4),
        };
        if ((taxes == PRICE_TAXES_INCLUDED) != ret->gross_priced)
            return err_at(a, ERR_BAD_FIELD, NULL,
                          "prices with and without taxes cannot be in one document");
        if (i >= BILL_LINES_MAX || !quantity_of(l, &line.quantity_u6))
            return err_at(a, ERR_BAD_FIELD, NULL, "the amounts are too large to be reckoned");
        bill_put(ret, line);
    }
    return bill_add_up(ret,
                       &(struct bill_limits){limits->min_excl, limits->max_excl, limits->min_incl,
                                             limits->max_incl},
                       vat_u4);
}

/* ---- as stated ---- */

/* How far off sub-totals may be from their total, and an amount from its rate: half a cent, and the
 * last of the four decimals of a CDR. */
#define CLOSE_U6 INT64_C(10000)
#define RATE_CLOSE_U6 INT64_C(5100)

struct rating {
    int64_t excl, incl;
    int64_t best_u4, best_off;
};

static int64_t size_of(int64_t value)
{
    return value < 0 ? -value : value;
}

static void consider(struct rating *r, int64_t vat_u4)
{
    if (vat_u4 < 0 || vat_u4 > BILL_VAT_MAX_U4)
        return;
    wide off = (wide)r->excl * (U6 + vat_u4) - (wide)r->incl * U6;
    off = (off < 0 ? -off : off) / U6;
    if (off < r->best_off) {
        r->best_off = (int64_t)off;
        r->best_u4 = vat_u4;
    }
}

/* The rate between an amount with and without taxes: a known one where that fits, since four
 * decimals do not tell 19 % of a few cents from 18.9 %. */
static int64_t rate_between(const struct price_record *r, int64_t excl, int64_t incl,
                            int64_t vat_u4)
{
    struct rating rating = {excl, incl, vat_u4, RATE_CLOSE_U6 + 1};

    if (incl == NUMBER_NONE || excl == NUMBER_NONE)
        return vat_u4;
    consider(&rating, vat_u4);
    for (size_t t = 0; t < r->tariffs.count; t++)
        for (size_t e = 0; e < r->tariffs.at[t].elements.count; e++) {
            const struct ocpi_tariff_element *element = &r->tariffs.at[t].elements.at[e];
            for (size_t c = 0; c < element->price_components.count; c++)
                consider(&rating, rate_of(element->price_components.at[c].vat, -1));
        }
    consider(&rating, 0);
    if (rating.best_off <= RATE_CLOSE_U6 || !excl)
        return rating.best_u4;
    /* To two decimals of a percent. */
    wide tax = ((wide)incl - excl) * 10000, half = size_of(excl) / 2;
    wide rate = ((tax < 0 ? -tax : tax) + half) / size_of(excl) * PER_U4;
    bool negative = (tax < 0) != (excl < 0);
    return negative || rate > BILL_VAT_MAX_U4 ? vat_u4 : (int64_t)rate;
}

/* What is paid: with taxes where they are told. */
static int64_t paid(struct price_stated s)
{
    return s.incl == NUMBER_NONE ? s.excl : s.incl;
}

/* The sub-totals are those of the total: of the same sign, told with taxes if it is, and its sum.
 */
static bool parts_fit(const struct price_record *r)
{
    bool with_taxes = r->cost_incl != NUMBER_NONE;
    int64_t total = with_taxes ? r->cost_incl : r->cost_excl;
    wide sum = 0;
    bool any = false;

    for (size_t i = 0; i < PRICE_PARTS; i++) {
        const struct price_stated *s = &r->parts[i];
        if (s->excl == NUMBER_NONE)
            continue;
        any = true;
        if (with_taxes && s->incl == NUMBER_NONE && s->excl)
            return false;
        if (paid(*s) && (paid(*s) < 0) != (total < 0))
            return false;
        sum += paid(*s);
    }
    any &= sum || !total;
    sum -= total;
    return any && (sum < 0 ? -sum : sum) <= CLOSE_U6;
}

static const struct {
    enum bill_kind kind;
    enum bill_unit unit;
} part_kinds[PRICE_PARTS] = {
    [PRICE_PART_FIXED] = {BILL_SESSION, BILL_PIECE},
    [PRICE_PART_ENERGY] = {BILL_ENERGY, BILL_KWH},
    [PRICE_PART_TIME] = {BILL_TIME, BILL_HOUR},
    [PRICE_PART_PARKING] = {BILL_PARKING, BILL_HOUR},
    [PRICE_PART_RESERVATION] = {BILL_RESERVATION, BILL_PIECE},
};

/* Of the totals: a sub-total says no price. */
static int64_t quantity_of_part(const struct price_record *r, enum price_part part)
{
    int64_t parking = r->total_parking_time == NUMBER_NONE ? 0 : r->total_parking_time;

    switch (part) {
    case PRICE_PART_ENERGY:
        return r->kwh;
    case PRICE_PART_TIME:
        return r->total_time == NUMBER_NONE ? 0 : r->total_time - parking;
    case PRICE_PART_PARKING:
        return parking;
    default:
        return U6;
    }
}

/* The largest remainder again, in the size of what is paid. */
static void share_parts(const struct price_record *r, int64_t total_minor, int64_t *parts)
{
    int64_t weights[PRICE_PARTS];

    for (size_t i = 0; i < PRICE_PARTS; i++)
        weights[i] = r->parts[i].excl == NUMBER_NONE ? 0 : size_of(paid(r->parts[i]));
    bill_allocate(total_minor, weights, PRICE_PARTS, parts);
}

struct err bill_of_record(const struct price_record *r, int64_t vat_u4, struct arena *a,
                          struct bill *ret)
{
    const struct price_stated total = {r->cost_excl, r->cost_incl};
    int64_t parts[PRICE_PARTS];

    if (total.excl == NUMBER_NONE)
        return err_at(a, ERR_BAD_FIELD, "total_cost", "it has no total cost");
    TRY(bill_new(r->currency, true, a, ret));
    int64_t minor = money_minor_from_u6(paid(total), ret->currency);
    bool by_parts = parts_fit(r);
    share_parts(r, minor, parts);
    for (size_t i = 0; by_parts && i < PRICE_PARTS; i++) {
        const struct price_stated *s = &r->parts[i];
        int64_t quantity = quantity_of_part(r, (enum price_part)i);
        if (s->excl == NUMBER_NONE || (!parts[i] && !paid(*s)))
            continue;
        bill_put(ret, (struct bill_line){
                          .kind = part_kinds[i].kind,
                          .unit = part_kinds[i].unit,
                          .quantity_u6 = minor < 0 ? -quantity : quantity,
                          .price_u6 = NUMBER_NONE,
                          .vat_u4 = rate_between(r, s->excl, s->incl, vat_u4),
                          .amount_minor = parts[i],
                      });
    }
    if (!ret->line_count)
        bill_put(ret, (struct bill_line){
                          .kind = BILL_CHARGING,
                          .quantity_u6 = minor < 0 ? -U6 : U6,
                          .price_u6 = NUMBER_NONE,
                          .vat_u4 = rate_between(r, total.excl, total.incl, vat_u4),
                          .amount_minor = minor,
                      });
    return bill_add_up(ret, &BILL_NO_LIMITS, vat_u4);
}
