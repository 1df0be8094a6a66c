/* SPDX-License-Identifier: Apache-2.0 */
/* Two tariffs compared by what they charge. */
#include "ocpi/cdr_tariff.h"

#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/text.h"

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static unsigned days_of(const struct ocpi_tariff_restrictions *r)
{
    unsigned days = 0;

    for (size_t i = 0; i < r->day_of_week.count; i++)
        days |= 1U << r->day_of_week.at[i];
    return days;
}

static bool same_restrictions(const struct ocpi_tariff_restrictions *a,
                              const struct ocpi_tariff_restrictions *b)
{
    if (!a || !b)
        return a == b;
    return same_text(a->start_time, b->start_time) && same_text(a->end_time, b->end_time) &&
           same_text(a->start_date, b->start_date) && same_text(a->end_date, b->end_date) &&
           a->min_kwh == b->min_kwh && a->max_kwh == b->max_kwh &&
           a->min_current == b->min_current && a->max_current == b->max_current &&
           a->min_power == b->min_power && a->max_power == b->max_power &&
           a->min_duration == b->min_duration && a->max_duration == b->max_duration &&
           days_of(a) == days_of(b) && a->reservation == b->reservation;
}

static int64_t step_of(const struct ocpi_price_component *c)
{
    return c->type == OCPI_PRICED_FLAT || c->step_size < 1 ? 1 : c->step_size;
}

static bool same_component(const struct ocpi_price_component *a,
                           const struct ocpi_price_component *b, bool with_vat)
{
    return a->type == b->type && a->price == b->price && step_of(a) == step_of(b) &&
           (!with_vat || a->vat == b->vat);
}

/* NULL: no difference. */
static const char *element_change(const struct ocpi_tariff_element *a,
                                  const struct ocpi_tariff_element *b, bool with_vat)
{
    if (!same_restrictions(a->restrictions, b->restrictions))
        return "other restrictions";
    if (a->price_components.count != b->price_components.count)
        return "other price components";
    for (size_t i = 0; i < a->price_components.count; i++)
        if (!same_component(&a->price_components.at[i], &b->price_components.at[i], with_vat))
            return "another price, VAT or step";
    return NULL;
}

static const char *change(const struct price_tariff *a, const struct price_tariff *b,
                          struct arena *arena)
{
    /* 2.1.1 tells no VAT: that is no other one. */
    bool with_vat = a->taxes != PRICE_TAXES_UNKNOWN && b->taxes != PRICE_TAXES_UNKNOWN;

    if (!same_text(a->currency, b->currency))
        return "another currency";
    if (with_vat && a->taxes != b->taxes)
        return "taxes are included in one of them only";
    if (a->min_excl != b->min_excl || a->max_excl != b->max_excl || a->min_incl != b->min_incl ||
        a->max_incl != b->max_incl)
        return "another minimum or maximum price";
    if (a->elements.count != b->elements.count)
        return "another number of elements";
    for (size_t i = 0; i < a->elements.count; i++) {
        const char *what = element_change(&a->elements.at[i], &b->elements.at[i], with_vat);
        if (what)
            return arena_printf(arena, "%s in element %zu", what, i);
    }
    return NULL;
}

static const char *change_of_one(const struct price_tariff *cdr, const struct price_tariff *start,
                                 size_t start_count, struct arena *a)
{
    for (size_t i = 0; i < start_count; i++)
        if (cdr->id && start[i].id && text_equal_caseless(cdr->id, start[i].id))
            return change(cdr, &start[i], a);
    return "it is another tariff";
}

const char *cdr_tariff_change(const struct price_tariff *cdr, size_t cdr_count,
                              const struct price_tariff *start, size_t start_count, struct arena *a)
{
    for (size_t i = 0; i < cdr_count; i++) {
        const char *what = change_of_one(&cdr[i], start, start_count, a);
        if (what)
            return arena_printf(a, "tariff %s: %s", cdr[i].id ? cdr[i].id : "without id", what);
    }
    return NULL;
}
