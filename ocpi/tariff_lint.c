/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is odd about a tariff: the whole first, then element by element.
 */
#include "ocpi/tariff_lint.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/price_time.h"

enum {
    DAY_MINUTES = 1440,
    LOOK_BACK = 500, /* elements that one is compared with: a tariff has a handful */
    MINUTES_PER_HOUR = 60
};

#define U6 INT64_C(1000000)
/* In EUR: above, a finger has slipped. */
#define MOST_PER_KWH 5
#define MOST_PER_MINUTE 2
#define MOST_FLAT 50

struct linting {
    const struct price_tariff *tariff;
    const struct tariff_lint_facts *facts;
    struct arena *arena;
    struct price_window *windows; /* one per element */
    struct tariff_lint *findings;
    size_t count;
    int64_t per_eur_u6; /* 0: not known */
    bool hold;
};

/* ---- words ---- */

const char *lint_severity_name(enum lint_severity s)
{
    return s == LINT_HOLD ? "hold" : "warn";
}

static const struct {
    const char *name, *text;
    enum lint_severity severity;
} kinds[] = {
#define X(name, severity, text) {#name, text, LINT_##severity},
    TARIFF_LINT_KINDS(X)
#undef X
};

/* `detail`: for people, NULL if the list's text says it all. */
static void add(struct linting *l, enum tariff_lint_kind kind, const char *path, const char *detail)
{
    const char *text = kinds[kind].text;

    if (kinds[kind].severity == LINT_HOLD)
        l->hold = true;
    if (l->count == TARIFF_LINTS_MAX)
        return;
    if (detail)
        text = arena_printf(l->arena, "%s: %s", text, detail);
    l->findings[l->count++] =
        (struct tariff_lint){kind, kinds[kind].severity, kinds[kind].name, text, path};
}

static const char *element_path(struct linting *l, size_t element, const char *rest)
{
    return arena_printf(l->arena, "/elements/%zu%s", element, rest);
}

static const char *component_path(struct linting *l, size_t element, size_t component,
                                  const char *member)
{
    return arena_printf(l->arena, "/elements/%zu/price_components/%zu%s", element, component,
                        member);
}

static const char *number(struct linting *l, int64_t value_u6)
{
    char buffer[DECIMAL_TEXT];

    return arena_text(l->arena, decimal_print_u6(buffer, value_u6, 0, 6));
}

/* ---- which element applies when ---- */

static bool is_reservation(const struct ocpi_tariff_element *e)
{
    return e->restrictions && e->restrictions->reservation != OCPI_PRICES_NONE;
}

/* Minutes of the day that a window is open. */
static int minutes_of(const struct price_window *w)
{
    int minutes = w->end_minute - w->start_minute;

    return minutes <= 0 ? minutes + DAY_MINUTES : minutes;
}

static bool clock_covers(const struct price_window *wide, const struct price_window *narrow)
{
    int offset = (narrow->start_minute - wide->start_minute + DAY_MINUTES) % DAY_MINUTES;

    if (minutes_of(wide) == DAY_MINUTES)
        return true;
    return offset + minutes_of(narrow) <= minutes_of(wide);
}

static bool range_covers(int64_t wide_min, int64_t wide_max, int64_t min, int64_t max)
{
    return (wide_min == NUMBER_NONE || (min != NUMBER_NONE && min >= wide_min)) &&
           (wide_max == NUMBER_NONE || (max != NUMBER_NONE && max <= wide_max));
}

/* Whenever the narrow one is open, the wide one is. */
static bool covers(const struct price_window *wide, const struct price_window *narrow)
{
    return wide->reservation == narrow->reservation && clock_covers(wide, narrow) &&
           wide->start_date <= narrow->start_date && wide->end_date >= narrow->end_date &&
           (!wide->days || (narrow->days && !(narrow->days & ~wide->days))) &&
           range_covers(wide->min_kwh, wide->max_kwh, narrow->min_kwh, narrow->max_kwh) &&
           range_covers(wide->min_current, wide->max_current, narrow->min_current,
                        narrow->max_current) &&
           range_covers(wide->min_power, wide->max_power, narrow->min_power, narrow->max_power) &&
           range_covers(wide->min_duration_us, wide->max_duration_us, narrow->min_duration_us,
                        narrow->max_duration_us);
}

static bool prices(const struct ocpi_tariff_element *e, enum ocpi_tariff_dimension dimension)
{
    for (size_t i = 0; i < e->price_components.count; i++)
        if (e->price_components.at[i].type == dimension)
            return true;
    return false;
}

/* The element before which hides this dimension; `element` itself: an earlier component of it does;
 * SIZE_MAX: none. */
static size_t hidden_by(struct linting *l, size_t element, size_t component)
{
    const struct ocpi_tariff_element *e = &l->tariff->elements.at[element];
    enum ocpi_tariff_dimension dimension = e->price_components.at[component].type;

    for (size_t i = 0; i < component; i++)
        if (e->price_components.at[i].type == dimension)
            return element;
    for (size_t i = 0; i < element && i < LOOK_BACK; i++)
        if (covers(&l->windows[i], &l->windows[element]) &&
            prices(&l->tariff->elements.at[i], dimension))
            return i;
    return SIZE_MAX;
}

/* ---- restrictions ---- */

static bool contradicts(int64_t min, int64_t max)
{
    return min != NUMBER_NONE && max != NUMBER_NONE && min >= max;
}

static void lint_restrictions(struct linting *l, size_t element)
{
    const struct ocpi_tariff_restrictions *r = l->tariff->elements.at[element].restrictions;

    if (!r)
        return;
    if (r->start_time && r->end_time && strcmp(r->start_time, r->end_time) == 0)
        add(l, TARIFF_LINT_equal_times, element_path(l, element, "/restrictions/end_time"),
            r->start_time);
    if (r->start_date && r->end_date && strcmp(r->start_date, r->end_date) >= 0)
        add(l, TARIFF_LINT_impossible, element_path(l, element, "/restrictions/end_date"), NULL);
    if (r->max_kwh == 0)
        add(l, TARIFF_LINT_max_kwh_zero, element_path(l, element, "/restrictions/max_kwh"), NULL);
    else if (contradicts(r->min_kwh, r->max_kwh))
        add(l, TARIFF_LINT_impossible, element_path(l, element, "/restrictions/max_kwh"), NULL);
    if (contradicts(r->min_current, r->max_current))
        add(l, TARIFF_LINT_impossible, element_path(l, element, "/restrictions/max_current"), NULL);
    if (contradicts(r->min_power, r->max_power))
        add(l, TARIFF_LINT_impossible, element_path(l, element, "/restrictions/max_power"), NULL);
    if (contradicts(r->min_duration, r->max_duration))
        add(l, TARIFF_LINT_impossible, element_path(l, element, "/restrictions/max_duration"),
            NULL);
}

/* ---- prices ---- */

/* Only the order of magnitude matters: what is told is what one EUR is, roughly. */
/* clang-format off */
static const struct {
    const char currency[4];
    int per_eur;
} rough[] = {
    {"EUR", 1}, {"CHF", 1}, {"GBP", 1}, {"USD", 1}, {"SEK", 11}, {"NOK", 12}, {"DKK", 7},
    {"PLN", 4}, {"CZK", 25}, {"HUF", 400}, {"RON", 5}, {"BGN", 2}, {"ISK", 145}, {"TRY", 45},
    {"RSD", 117}, {"ALL", 100}, {"MKD", 61}, {"BAM", 2}, {"MDL", 20}, {"UAH", 48}, {"GEL", 3},
    {"CAD", 2}, {"AUD", 2}, {"NZD", 2}, {"JPY", 170}, {"CNY", 8}, {"KRW", 1600}, {"INR", 100},
    {"THB", 38}, {"SGD", 2}, {"HKD", 9}, {"TWD", 35}, {"MYR", 5}, {"IDR", 19000}, {"PHP", 66},
    {"VND", 30000}, {"BRL", 6}, {"MXN", 22}, {"CLP", 1050}, {"COP", 4500}, {"ARS", 1600},
    {"ZAR", 20}, {"AED", 4}, {"SAR", 4}, {"ILS", 4}, {"EGP", 55}, {"MAD", 11},
};
/* clang-format on */

static int64_t per_eur_of(const char *currency)
{
    for (size_t i = 0; i < sizeof rough / sizeof *rough; i++)
        if (strcmp(rough[i].currency, currency) == 0)
            return rough[i].per_eur * U6;
    return 0;
}

static int64_t most_of(enum ocpi_tariff_dimension dimension)
{
    switch (dimension) {
    case OCPI_PRICED_ENERGY:
        return MOST_PER_KWH;
    case OCPI_PRICED_FLAT:
        return MOST_FLAT;
    default:
        return MOST_PER_MINUTE * MINUTES_PER_HOUR;
    }
}

static void lint_price(struct linting *l, const struct ocpi_price_component *c, const char *path)
{
    int64_t most;

    if (c->price < 0)
        add(l, TARIFF_LINT_negative_price, path, number(l, c->price));
    if (!l->per_eur_u6 || __builtin_mul_overflow(l->per_eur_u6, most_of(c->type), &most))
        return;
    if (c->price > most)
        add(l, TARIFF_LINT_price_high, path,
            arena_printf(l->arena, "%s %s, more than %s", number(l, c->price), l->tariff->currency,
                         number(l, most)));
}

static void lint_vat(struct linting *l, const struct ocpi_price_component *c, const char *path)
{
    enum price_taxes taxes = l->tariff->taxes;
    int64_t expected_u4 = l->facts->country_vat_u4;

    if (!c->price || taxes == PRICE_TAXES_NONE || taxes == PRICE_TAXES_UNKNOWN)
        return;
    if (c->vat == NUMBER_NONE && taxes == PRICE_TAXES_INCLUDED)
        add(l, TARIFF_LINT_net_unknown, path, NULL);
    if (expected_u4 == NUMBER_NONE)
        return;
    if (c->vat == NUMBER_NONE) {
        if (expected_u4 && taxes == PRICE_TAXES_ON_TOP)
            add(l, TARIFF_LINT_vat_missing, path, NULL);
    } else if (c->vat != expected_u4 * 100) {
        add(l, TARIFF_LINT_vat_unusual, path,
            arena_printf(l->arena, "%s, not %s", number(l, c->vat), number(l, expected_u4 * 100)));
    }
}

static void lint_step(struct linting *l, const struct ocpi_price_component *c, const char *path)
{
    if (c->type == OCPI_PRICED_FLAT)
        return;
    if (c->step_size == 0)
        add(l, TARIFF_LINT_step_zero, path, NULL);
    else if (c->step_size != 1)
        add(l, TARIFF_LINT_step_not_one, path,
            arena_printf(l->arena, "%lld", (long long)c->step_size));
}

static void lint_component(struct linting *l, size_t element, size_t component)
{
    const struct ocpi_tariff_element *e = &l->tariff->elements.at[element];
    const struct ocpi_price_component *c = &e->price_components.at[component];
    size_t hidden = hidden_by(l, element, component);

    if (is_reservation(e) && c->type != OCPI_PRICED_FLAT && c->type != OCPI_PRICED_TIME)
        add(l, TARIFF_LINT_reservation_dimension, component_path(l, element, component, "/type"),
            ocpi_tariff_dimension_name(c->type));
    else if (hidden != SIZE_MAX)
        add(l, TARIFF_LINT_unreachable, component_path(l, element, component, ""),
            arena_printf(l->arena, "%s is priced by element %zu",
                         ocpi_tariff_dimension_name(c->type), hidden));
    lint_price(l, c, component_path(l, element, component, "/price"));
    lint_vat(l, c, component_path(l, element, component, "/vat"));
    lint_step(l, c, component_path(l, element, component, "/step_size"));
}

/* ---- the whole ---- */

/* A FLAT that differs from the first one and may become active later. */
static void lint_flats(struct linting *l)
{
    const struct ocpi_price_component *first = NULL;

    for (size_t i = 0; i < l->tariff->elements.count; i++) {
        const struct ocpi_tariff_element *e = &l->tariff->elements.at[i];
        for (size_t k = 0; k < e->price_components.count && !is_reservation(e); k++) {
            const struct ocpi_price_component *c = &e->price_components.at[k];
            if (c->type != OCPI_PRICED_FLAT || hidden_by(l, i, k) != SIZE_MAX)
                continue;
            if (!first)
                first = c;
            else if (c->price != first->price || c->vat != first->vat)
                add(l, TARIFF_LINT_flat_ambiguous, component_path(l, i, k, ""), NULL);
        }
    }
}

/* Always open: no restriction that could be closed. */
static bool is_default(const struct price_window *w)
{
    static const struct ocpi_tariff_restrictions none = {
        .min_kwh = NUMBER_NONE,
        .max_kwh = NUMBER_NONE,
        .min_current = NUMBER_NONE,
        .max_current = NUMBER_NONE,
        .min_power = NUMBER_NONE,
        .max_power = NUMBER_NONE,
        .min_duration = NUMBER_NONE,
        .max_duration = NUMBER_NONE,
    };
    struct price_window always = price_window_of(&none);

    return covers(w, &always);
}

static void lint_dimensions(struct linting *l)
{
    static const enum ocpi_tariff_dimension dimensions[] = {
        OCPI_PRICED_ENERGY, OCPI_PRICED_FLAT, OCPI_PRICED_PARKING_TIME, OCPI_PRICED_TIME};
    bool priced[4] = {false}, always[4] = {false};

    for (size_t i = 0; i < l->tariff->elements.count; i++) {
        const struct ocpi_tariff_element *e = &l->tariff->elements.at[i];
        for (size_t d = 0; d < 4 && !is_reservation(e); d++) {
            if (!prices(e, dimensions[d]))
                continue;
            priced[d] = true;
            always[d] |= is_default(&l->windows[i]);
        }
    }
    for (size_t d = 0; d < 4; d++)
        if (priced[d] && !always[d])
            add(l, TARIFF_LINT_no_default, "/elements", ocpi_tariff_dimension_name(dimensions[d]));
    if (priced[2] && !priced[3])
        add(l, TARIFF_LINT_parking_only, "/elements", NULL);
}

static bool above(int64_t min, int64_t max)
{
    return min != NUMBER_NONE && max != NUMBER_NONE && min > max;
}

static void lint_head(struct linting *l)
{
    const struct price_tariff *t = l->tariff;

    if (!currency_known(t->currency))
        add(l, TARIFF_LINT_currency_unknown, "/currency", t->currency);
    else if (l->facts->country_currency && strcmp(t->currency, l->facts->country_currency) != 0)
        add(l, TARIFF_LINT_currency_foreign, "/currency",
            arena_printf(l->arena, "%s, not %s", t->currency, l->facts->country_currency));
    if (above(t->min_excl, t->max_excl) || above(t->min_incl, t->max_incl))
        add(l, TARIFF_LINT_min_above_max, "/min_price", NULL);
    if (t->start_us != TIME_NONE && t->end_us != TIME_NONE && t->end_us <= t->start_us)
        add(l, TARIFF_LINT_end_before_start, "/end_date_time", NULL);
    if (t->vat_ignored)
        add(l, TARIFF_LINT_vat_ignored, "/tax_included", NULL);
    else if (t->taxes == PRICE_TAXES_NONE && l->facts->country_vat_u4 != NUMBER_NONE &&
             l->facts->country_vat_u4)
        add(l, TARIFF_LINT_vat_missing, "/tax_included", NULL);
    if (t->precision_reduced)
        add(l, TARIFF_LINT_precision_reduced, "/elements", NULL);
}

void tariff_lint(const struct price_tariff *tariff, const struct tariff_lint_facts *facts,
                 struct arena *a, struct tariff_lints *ret)
{
    size_t count = tariff->elements.count;
    struct linting l = {
        .tariff = tariff,
        .facts = facts,
        .arena = a,
        .windows = arena_alloc(a, (count + 1) * sizeof *l.windows),
        .findings = arena_alloc(a, TARIFF_LINTS_MAX * sizeof *l.findings),
        .per_eur_u6 = facts->per_eur_u6 ? facts->per_eur_u6 : per_eur_of(tariff->currency),
    };

    for (size_t i = 0; i < count; i++)
        l.windows[i] = price_window_of(tariff->elements.at[i].restrictions);
    lint_head(&l);
    lint_dimensions(&l);
    for (size_t i = 0; i < count; i++) {
        lint_restrictions(&l, i);
        for (size_t k = 0; k < tariff->elements.at[i].price_components.count; k++)
            lint_component(&l, i, k);
    }
    lint_flats(&l);
    ret->findings.at = l.findings;
    ret->findings.count = l.count;
    ret->hold = l.hold;
}

/* ---- ids ---- */

static bool is_known(const char *id, const char *const *known, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal_caseless(id, known[i]))
            return true;
    return false;
}

size_t tariff_lint_unknown(const char *const *used, size_t used_count, const char *const *known,
                           size_t known_count, struct arena *a, const char *const **ret_unknown)
{
    const char **unknown = arena_alloc(a, (used_count + 1) * sizeof *unknown);
    size_t count = 0;

    for (size_t i = 0; i < used_count; i++)
        if (!is_known(used[i], known, known_count) && !is_known(used[i], unknown, count))
            unknown[count++] = used[i];
    *ret_unknown = unknown;
    return count;
}

/* ---- printing ---- */

void tariff_lint_print(const struct tariff_lints *l, struct text *out, const char *key)
{
    json_begin_array(out, key);
    for (size_t i = 0; i < l->findings.count; i++) {
        const struct tariff_lint *f = &l->findings.at[i];
        json_begin_object(out, NULL);
        json_put_text(out, "name", f->name);
        json_put_text(out, "severity", lint_severity_name(f->severity));
        json_put_text(out, "text", f->text);
        json_put_text(out, "path", f->path);
        json_end_object(out);
    }
    json_end_array(out);
}
