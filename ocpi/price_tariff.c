/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tariffs of three versions in one form, and the choice among them. What differs is what prices
 * say about taxes: net without a rate in 2.1.1, net with one in 2.2.1, and as tax_included says in
 * 2.3.0 (R-TAR-17, 18).
 */
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "ocpi/object.h"
#include "ocpi/price.h"
#include "ocpi/v211/tariff.h"
#include "ocpi/v230/tariff.h"

struct price_tariff price_tariff_of(const struct ocpi_tariff *t)
{
    return (struct price_tariff){
        .id = t->id,
        .currency = t->currency,
        .type = t->type,
        .taxes = PRICE_TAXES_ON_TOP,
        .elements = {t->elements.at, t->elements.count},
        .min_excl = t->min_price ? t->min_price->excl_vat : NUMBER_NONE,
        .min_incl = t->min_price ? t->min_price->incl_vat : NUMBER_NONE,
        .max_excl = t->max_price ? t->max_price->excl_vat : NUMBER_NONE,
        .max_incl = t->max_price ? t->max_price->incl_vat : NUMBER_NONE,
        .start_us = t->start_date_time,
        .end_us = t->end_date_time,
        .last_updated = t->last_updated,
        .alt_text = {t->tariff_alt_text.at, t->tariff_alt_text.count},
    };
}

/* ---- 2.1.1 ---- */

static const struct ocpi_tariff_restrictions *
restrictions_of_211(const struct ocpi211_tariff_restrictions *r, struct arena *a)
{
    struct ocpi_tariff_restrictions *ret;

    if (!r)
        return NULL;
    ret = arena_alloc(a, sizeof *ret);
    *ret = (struct ocpi_tariff_restrictions){
        .start_time = r->start_time,
        .end_time = r->end_time,
        .start_date = r->start_date,
        .end_date = r->end_date,
        .min_kwh = r->min_kwh,
        .max_kwh = r->max_kwh,
        .min_current = NUMBER_NONE,
        .max_current = NUMBER_NONE,
        .min_power = r->min_power,
        .max_power = r->max_power,
        .min_duration = r->min_duration,
        .max_duration = r->max_duration,
        .day_of_week = {r->day_of_week.at, r->day_of_week.count},
    };
    return ret;
}

static struct ocpi_tariff_element element_of_211(const struct ocpi211_tariff_element *e,
                                                 struct arena *a)
{
    size_t count = e->price_components.count;
    struct ocpi_price_component *components = arena_alloc(a, count * sizeof *components + 1);

    for (size_t i = 0; i < count; i++) {
        const struct ocpi211_price_component *c = &e->price_components.at[i];
        components[i] = (struct ocpi_price_component){c->type, c->price, NUMBER_NONE, c->step_size};
    }
    return (struct ocpi_tariff_element){.price_components = {components, count},
                                        .restrictions = restrictions_of_211(e->restrictions, a)};
}

/* The rule of 2.2.1, one active component per dimension, holds for 2.1.1 too: by its own words,
 * the first element that matches, its own complex example would cost the start fee alone
 * (R-TAR-03). */
struct price_tariff price_tariff_of_211(const struct ocpi211_tariff *t, struct arena *a)
{
    struct ocpi_tariff_element *elements = arena_alloc(a, t->elements.count * sizeof *elements + 1);

    for (size_t i = 0; i < t->elements.count; i++)
        elements[i] = element_of_211(&t->elements.at[i], a);
    return (struct price_tariff){
        .id = t->id,
        .currency = t->currency,
        .taxes = PRICE_TAXES_UNKNOWN,
        .elements = {elements, t->elements.count},
        .min_excl = NUMBER_NONE,
        .min_incl = NUMBER_NONE,
        .max_excl = NUMBER_NONE,
        .max_incl = NUMBER_NONE,
        .start_us = TIME_NONE,
        .end_us = TIME_NONE,
        .last_updated = t->last_updated,
        .alt_text = {t->tariff_alt_text.at, t->tariff_alt_text.count},
    };
}

/* ---- 2.3.0 ---- */

static bool has_vat(const struct ocpi230_tariff *t)
{
    for (size_t i = 0; i < t->elements.count; i++)
        for (size_t k = 0; k < t->elements.at[i].price_components.count; k++)
            if (t->elements.at[i].price_components.at[k].vat != NUMBER_NONE)
                return true;
    return false;
}

/* Where taxes come on top and no component tells a rate, they are of another kind than VAT: the
 * sales taxes of North America. They are due all the same. */
static enum price_taxes taxes_of_230(const struct ocpi230_tariff *t)
{
    switch (t->tax_included) {
    case OCPI230_TAX_INCLUDED_YES:
        return PRICE_TAXES_INCLUDED;
    case OCPI230_TAX_INCLUDED_NOT_APPLICABLE:
        return PRICE_TAXES_NONE;
    default:
        return has_vat(t) ? PRICE_TAXES_ON_TOP : PRICE_TAXES_UNKNOWN;
    }
}

struct price_tariff price_tariff_of_230(const struct ocpi230_tariff *t)
{
    enum price_taxes taxes = taxes_of_230(t);

    return (struct price_tariff){
        .id = t->id,
        .currency = t->currency,
        .type = t->type,
        .taxes = taxes,
        .elements = {t->elements.at, t->elements.count},
        .min_excl = t->min_price ? t->min_price->before_taxes : NUMBER_NONE,
        .min_incl = t->min_price ? t->min_price->after_taxes : NUMBER_NONE,
        .max_excl = t->max_price ? t->max_price->before_taxes : NUMBER_NONE,
        .max_incl = t->max_price ? t->max_price->after_taxes : NUMBER_NONE,
        .start_us = t->start_date_time,
        .end_us = t->end_date_time,
        .last_updated = t->last_updated,
        .alt_text = {t->tariff_alt_text.at, t->tariff_alt_text.count},
        .vat_ignored = taxes == PRICE_TAXES_NONE && has_vat(t),
    };
}

/* ---- documents ---- */

static enum ocpi_version version_of(const json_t *json)
{
    if (json_object_get(json, "tax_included"))
        return OCPI_2_3_0;
    return json_object_get(json, "party_id") ? OCPI_2_2_1 : OCPI_2_1_1;
}

/* Prices have six decimals; further ones were rounded away. */
static bool has_too_precise(const json_t *json)
{
    const json_t *elements = json_object_get(json, "elements");

    for (size_t i = 0; i < json_array_size(elements); i++) {
        const json_t *components = json_object_get(json_array_get(elements, i), "price_components");
        for (size_t k = 0; k < json_array_size(components); k++)
            if (json_number_places(json_object_get(json_array_get(components, k), "price")) > 6)
                return true;
    }
    return false;
}

static struct err read_tariff(enum ocpi_version version, const json_t *json,
                              const struct object_leniency *leniency, struct arena *a,
                              struct price_tariff *ret)
{
    struct ocpi211_tariff *v211;
    struct ocpi_tariff *v221;
    struct ocpi230_tariff *v230;

    switch (version == OCPI_VERSION_NONE ? version_of(json) : version) {
    case OCPI_2_1_1:
        v211 = arena_alloc(a, sizeof *v211);
        TRY(object_parse_lenient(&ocpi211_tariff_type, json, leniency, a, v211));
        *ret = price_tariff_of_211(v211, a);
        return OK;
    case OCPI_2_3_0:
        v230 = arena_alloc(a, sizeof *v230);
        TRY(object_parse_lenient(&ocpi230_tariff_type, json, leniency, a, v230));
        *ret = price_tariff_of_230(v230);
        return OK;
    default:
        v221 = arena_alloc(a, sizeof *v221);
        TRY(object_parse_lenient(&ocpi_tariff_type, json, leniency, a, v221));
        *ret = price_tariff_of(v221);
        return OK;
    }
}

struct err price_tariff_read_lenient(enum ocpi_version version, const json_t *json,
                                     const struct object_leniency *leniency, struct arena *a,
                                     struct price_tariff *ret)
{
    TRY(read_tariff(version, json, leniency, a, ret));
    const char *beyond = price_tariffs_beyond(ret, 1);
    if (beyond)
        return err_at(a, ERR_TOO_LARGE, "/elements", "%s", beyond);
    ret->precision_reduced = has_too_precise(json);
    return OK;
}

struct err price_tariff_read(enum ocpi_version version, const json_t *json, struct arena *a,
                             struct price_tariff *ret)
{
    static const struct object_leniency strict;

    return price_tariff_read_lenient(version, json, &strict, a, ret);
}

/* ---- what is reckoned with ---- */

const char *price_tariffs_beyond(const struct price_tariff *tariffs, size_t count)
{
    if (count > PRICE_TARIFFS_MAX)
        return "more than 100 tariffs are not reckoned with";
    for (size_t i = 0; i < count; i++) {
        size_t elements = tariffs[i].elements.count, components = 0;
        if (elements > PRICE_ELEMENTS_MAX)
            return "a tariff of more than 500 elements is not reckoned with";
        for (size_t k = 0; k < elements; k++)
            components += tariffs[i].elements.at[k].price_components.count;
        if (components > PRICE_COMPONENTS_MAX)
            return "a tariff of more than 2000 price components is not reckoned with";
    }
    return NULL;
}

/* ---- the choice ---- */

/* 2: the wanted type; 1: none, which fits all; 0: another one. */
static int fitness(const struct price_tariff *t, int64_t start_us, enum ocpi_tariff_kind wanted)
{
    if ((t->start_us != TIME_NONE && start_us < t->start_us) ||
        (t->end_us != TIME_NONE && start_us >= t->end_us))
        return 0;
    if (t->type == OCPI_TARIFF_NONE)
        return 1;
    return t->type == wanted ? 2 : 0;
}

const struct price_tariff *price_choose(const struct price_tariff *tariffs, size_t count,
                                        int64_t start_us, enum ocpi_tariff_kind wanted)
{
    const struct price_tariff *best = NULL;
    int best_fits = 0;

    if (wanted == OCPI_TARIFF_NONE)
        wanted = OCPI_TARIFF_REGULAR;
    for (size_t i = 0; i < count; i++) {
        int fits = fitness(&tariffs[i], start_us, wanted);
        if (!fits || fits < best_fits)
            continue;
        if (fits > best_fits || tariffs[i].last_updated > best->last_updated) {
            best = &tariffs[i];
            best_fits = fits;
        }
    }
    return best;
}
