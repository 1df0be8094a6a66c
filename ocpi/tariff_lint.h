/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tariff lint: what is odd about a network's tariff, told to operations when it arrives. Pure.
 *
 * The tariff is taken all the same (it was checked by its table); a finding of severity LINT_HOLD
 * asks a person for approval before a session is sold by it: "fat finger" prices.
 */
#ifndef OCPI_TARIFF_LINT_H
#define OCPI_TARIFF_LINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ocpi/price.h"

struct arena;
struct text;

enum lint_severity { LINT_WARN, LINT_HOLD };
const char *lint_severity_name(enum lint_severity s); /* "warn", "hold" */

/* clang-format off */
/*    name                severity  text */
#define TARIFF_LINT_KINDS(X)                                                                           \
    X(no_default,         WARN, "no element prices this dimension at all times")                   \
    X(equal_times,        WARN, "start and end time are the same: taken as all day")               \
    X(unreachable,        WARN, "never applies: an earlier element always matches first")          \
    X(impossible,         WARN, "never applies: its restrictions contradict each other")           \
    X(max_kwh_zero,       WARN, "max_kwh is 0: never applies")                                     \
    X(step_zero,          WARN, "a step_size of 0 is read as 1")                                   \
    X(step_not_one,       WARN, "a step_size other than 1, which newer versions drop")             \
    X(flat_ambiguous,     WARN, "another FLAT could become active later: only the first counts")   \
    X(parking_only,       WARN, "parking has a price, charging time has none")                     \
    X(reservation_dimension, WARN, "a reservation has FLAT and TIME only: never applies")          \
    X(currency_unknown,   HOLD, "the currency is not in ISO 4217")                                 \
    X(currency_foreign,   WARN, "the currency is not that of the location's country")              \
    X(vat_missing,        WARN, "no VAT is told in a country that has one")                        \
    X(vat_unusual,        WARN, "the VAT is not that of the country")                              \
    X(vat_ignored,        WARN, "a tariff without taxes has a vat, which is ignored")              \
    X(net_unknown,        WARN, "taxes are included at an unknown rate: not resold, not told to "  \
                                "partners of older versions")                                      \
    X(min_above_max,      HOLD, "the minimum price is above the maximum price")                    \
    X(end_before_start,   HOLD, "its validity ends before it starts")                              \
    X(negative_price,     HOLD, "a price is negative")                                             \
    X(price_high,         HOLD, "a price is suspiciously high: approval is needed")                \
    X(precision_reduced,  WARN, "a price has more than six decimals and was rounded")
/* clang-format on */

enum tariff_lint_kind {
#define X(name, severity, text) TARIFF_LINT_##name,
    TARIFF_LINT_KINDS(X)
#undef X
        TARIFF_LINT_COUNT
};

struct tariff_lint {
    enum tariff_lint_kind kind;
    enum lint_severity severity;
    const char *name; /* "flat_ambiguous": stable */
    const char *text; /* for people */
    const char *path; /* JSON pointer of the element, "/elements/1/price_components/0/price" */
};

/* What is known of the places where it is used; what is absent is not checked. */
struct tariff_lint_facts {
    const char *country_currency; /* of the locations' country, "EUR"; NULL */
    int64_t country_vat_u4;       /* NUMBER_NONE: not known; 0: a country without VAT */
    int64_t per_eur_u6;           /* units of the tariff's currency for one EUR; 0: by a rough
                                   * table of its own, and not judged where that has none */
};

struct tariff_lints {
    LIST_OF(struct tariff_lint) findings; /* of the whole first, then by element */
    bool hold;                            /* one of them asks for approval */
};

enum { TARIFF_LINTS_MAX = 200 }; /* further ones are left out */

void tariff_lint(const struct price_tariff *tariff, const struct tariff_lint_facts *facts,
                 struct arena *a, struct tariff_lints *ret);

/* The ids of `used` (a connector's tariff_ids) that are not in `known`, compared as OCPI ids:
 * finding "tariff_unknown". */
size_t tariff_lint_unknown(const char *const *used, size_t used_count, const char *const *known,
                           size_t known_count, struct arena *a, const char *const **ret_unknown);

/* [{"name","severity","text","path"}] */
void tariff_lint_print(const struct tariff_lints *l, struct text *out, const char *key);

#endif
