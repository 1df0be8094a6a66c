/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From quantities to amounts: each line is multiplied out exactly, the sums are held against the
 * limits, and only what is shown is rounded, half away from zero, to six decimals (R-TAR-13).
 *
 * Amounts are whole numbers of 10^-6 of the currency / 9e14: 9e6 because hours and Wh divide it,
 * 1e8 for the percent of a tax.
 */
#include "ocpi/price_amount.h"

__extension__ typedef __int128 wide; /* the compiler's own types have no name without a warning */
__extension__ typedef unsigned __int128 unsigned_wide;

enum {
    PER_U6_KWH = 9,   /* price_u6 * kwh_u6 in units of 10^-6 / 9e6 */
    PER_SECOND = 2500 /* price_u6 * seconds, likewise */
};

#define PER_FLAT INT64_C(9000000)
#define WHOLE INT64_C(100000000) /* 100 % with six decimals */
#define SCALE ((wide)PER_FLAT * WHOLE)

struct adding {
    const struct price_tariff *tariffs;
    bool beyond; /* a number does not fit */
    unsigned notes;
};

/* Multiplied by magnitudes: what does not fit is 0 and noted. */
static wide times(struct adding *r, wide a, wide b)
{
    const unsigned_wide most = ~(unsigned_wide)0 >> 3;
    unsigned_wide x = a < 0 ? -(unsigned_wide)a : (unsigned_wide)a;
    unsigned_wide y = b < 0 ? -(unsigned_wide)b : (unsigned_wide)b;

    if (x && y > most / x) {
        r->beyond = true;
        return 0;
    }
    return (a < 0) != (b < 0) ? -(wide)(x * y) : (wide)(x * y);
}

static wide sum(struct adding *r, wide a, wide b)
{
    const wide most = (wide)(~(unsigned_wide)0 >> 3);
    wide ret = a + b;

    if (ret > most || ret < -most) {
        r->beyond = true;
        return 0;
    }
    return ret;
}

static int64_t to_u6(struct adding *r, wide amount)
{
    wide size = ((amount < 0 ? -amount : amount) + SCALE / 2) / SCALE;

    if (size >= INT64_MAX) {
        r->beyond = true;
        return 0;
    }
    return (int64_t)(amount < 0 ? -size : size);
}

struct amount {
    wide excl, incl;
    bool excl_known, incl_known;
};

static wide base_of(struct adding *r, const struct price_line *l)
{
    wide units = PER_FLAT;

    if (l->kind == PRICE_ENERGY)
        units = PER_U6_KWH;
    else if (l->kind == PRICE_CHARGING || l->kind == PRICE_PARKING || l->kind == PRICE_RESERVATION)
        units = PER_SECOND;
    return times(r, times(r, l->price, l->billed), units);
}

/* gross * 100 % / (100 % + vat), to the last unit. */
static wide without_vat(struct adding *r, wide gross, int64_t vat)
{
    wide whole = (wide)WHOLE + vat, size = gross < 0 ? -gross : gross;
    wide rest = times(r, size % whole, WHOLE);
    wide net = sum(r, times(r, size / whole, WHOLE), (2 * rest + whole) / (2 * whole));

    return gross < 0 ? -net : net;
}

static struct amount amount_of(struct adding *r, const struct price_line *l)
{
    wide base = base_of(r, l);
    struct amount ret = {times(r, base, WHOLE), times(r, base, WHOLE), true, true};
    enum price_taxes taxes = r->tariffs[l->tariff].taxes;

    /* Nothing is nothing, whatever the tax. */
    if (!base)
        return ret;
    if (taxes == PRICE_TAXES_UNKNOWN) {
        ret.incl_known = false;
        r->notes |= 1U << PRICE_NOTE_TAXES_UNKNOWN;
    } else if (taxes == PRICE_TAXES_ON_TOP && l->vat != NUMBER_NONE) {
        ret.incl = times(r, base, (wide)WHOLE + l->vat);
    } else if (taxes == PRICE_TAXES_INCLUDED && l->vat != NUMBER_NONE) {
        ret.excl = without_vat(r, ret.incl, l->vat);
    } else if (taxes == PRICE_TAXES_INCLUDED) {
        ret.excl_known = false;
        r->notes |= 1U << PRICE_NOTE_NET_UNKNOWN;
    }
    return ret;
}

static void amount_add(struct adding *r, struct amount *total, const struct amount *one)
{
    total->excl = sum(r, total->excl, one->excl);
    total->incl = sum(r, total->incl, one->incl);
    total->excl_known &= one->excl_known;
    total->incl_known &= one->incl_known;
}

static int64_t excl_of(struct adding *r, const struct amount *a)
{
    return a->excl_known ? to_u6(r, a->excl) : NUMBER_NONE;
}

static int64_t incl_of(struct adding *r, const struct amount *a)
{
    return a->incl_known ? to_u6(r, a->incl) : NUMBER_NONE;
}

/* Each total has limits of its own (R-TAR-12). */
static int64_t within_limits(struct adding *r, int64_t amount, int64_t min, int64_t max)
{
    if (amount == NUMBER_NONE)
        return amount;
    if (min != NUMBER_NONE && amount < min) {
        amount = min;
        r->notes |= 1U << PRICE_NOTE_MIN_PRICE;
    }
    if (max != NUMBER_NONE && amount > max) {
        amount = max;
        r->notes |= 1U << PRICE_NOTE_MAX_PRICE;
    }
    return amount;
}

static void add(struct adding *r, int64_t *total, int64_t value)
{
    if (__builtin_add_overflow(*total, value, total)) {
        r->beyond = true;
        *total = 0;
    }
}

bool price_add_up(const struct price_tariff *tariffs, const struct price_tariff *limits,
                  struct price *p)
{
    struct adding r = {.tariffs = tariffs};
    struct amount total = {0, 0, true, true}, parts[PRICE_KINDS];

    for (size_t kind = 0; kind < PRICE_KINDS; kind++)
        parts[kind] = (struct amount){0, 0, true, true};
    for (size_t i = 0; i < p->line_count; i++) {
        struct price_line *l = &p->lines[i];
        struct amount one = amount_of(&r, l);
        l->excl = excl_of(&r, &one);
        l->incl = incl_of(&r, &one);
        amount_add(&r, &total, &one);
        amount_add(&r, &parts[l->kind], &one);
        add(&r, &p->totals[l->kind].used, l->used);
        add(&r, &p->totals[l->kind].billed, l->billed);
    }
    for (size_t kind = 0; kind < PRICE_KINDS; kind++) {
        p->totals[kind].excl = excl_of(&r, &parts[kind]);
        p->totals[kind].incl = incl_of(&r, &parts[kind]);
    }
    p->unlimited_excl = excl_of(&r, &total);
    p->unlimited_incl = incl_of(&r, &total);
    p->excl = within_limits(&r, p->unlimited_excl, limits->min_excl, limits->max_excl);
    p->incl = within_limits(&r, p->unlimited_incl, limits->min_incl, limits->max_incl);
    p->currency = limits->currency;
    p->notes |= r.notes;
    return !r.beyond;
}
