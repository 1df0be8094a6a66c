/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of pricing share: tariffs from text, sessions step by step in Berlin, amounts as
 * text. Texts are written with ' for ".
 */
#ifndef TESTS_PRICE_CHECK_H
#define TESTS_PRICE_CHECK_H

#include "tests/ocpi/ocpi_test.h"

#include "base/decimal.h"
#include "base/time.h"
#include "base/zone.h"
#include "ocpi/price.h"
#include "tests/fake/zone_bytes.h"

#define T "'last_updated':'2026-01-01T10:00:00Z'"
#define HEAD "'country_code':'DE','party_id':'ABC','id':'T1','currency':'EUR',"
#define TARIFF_WITH(rest, elements) "{" HEAD rest "'elements':[" elements "]," T "}"
#define TARIFF(elements) TARIFF_WITH("", elements)
#define TARIFF_230(tax, elements) TARIFF_WITH("'tax_included':'" tax "',", elements)
#define TARIFF_211(elements) "{'id':'T1','currency':'EUR','elements':[" elements "]," T "}"
#define WHEN(restrictions, components)                                                             \
    "{'price_components':[" components "],'restrictions':{" restrictions "}}"
#define ALWAYS(components) "{'price_components':[" components "]}"
#define VAT(type, price, vat, step)                                                                \
    "{'type':'" type "','price':" price ",'vat':" vat ",'step_size':" step "}"
#define PLAIN(type, price, step) "{'type':'" type "','price':" price ",'step_size':" step "}"

static inline json_t *json_of(const char *text)
{
    char *quoted = arena_text(arena, text);

    for (char *c = quoted; *c; c++) {
        if (*c == '\'')
            *c = '"';
    }
    return document(quoted);
}

static inline struct price_tariff tariff_of(const char *text)
{
    struct price_tariff ret;
    struct err e = price_tariff_read(OCPI_VERSION_NONE, json_of(text), arena, &ret);

    if (failed(e))
        fail_msg("the test's own tariff is wrong: %s", err_text(e));
    return ret;
}

static inline int64_t at(const char *text)
{
    int64_t us;

    assert_true(time_parse(text, TIME_RFC3339, &us));
    return us;
}

/* A period: so many minutes of the clock, with energy in Wh; power in W, current in A (0: not
 * told). `charge`, `park`, `reserve`: it is what all of its minutes are. */
struct step {
    int minutes;
    char what; /* 'c', 'p', 'r' */
    int64_t wh, watt, ampere;
    size_t tariff;
};

static inline struct price_history history_of(const char *start, const struct step *steps,
                                              size_t count)
{
    struct price_period *periods = arena_alloc(arena, count * sizeof *periods);
    int64_t us = at(start);

    for (size_t i = 0; i < count; i++) {
        const struct step *s = &steps[i];
        int64_t seconds = s->minutes * INT64_C(60);
        periods[i] = (struct price_period){
            .start_us = us,
            .end_us = us + seconds * US_PER_SECOND,
            .energy = s->wh * 1000,
            .charging_s = s->what == 'c' ? seconds : 0,
            .parking_s = s->what == 'p' ? seconds : 0,
            .reservation_s = s->what == 'r' ? seconds : 0,
            .power = s->watt ? s->watt * 1000 : NUMBER_NONE,
            .current = s->ampere ? s->ampere * 1000000 : NUMBER_NONE,
            .tariff = s->tariff,
        };
        us = periods[i].end_us;
    }
    return (struct price_history){.periods = {periods, count}};
}
#define STEPS(start, ...)                                                                          \
    history_of(start, (const struct step[]){__VA_ARGS__},                                          \
               sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

static inline struct price reckoned(const struct price_tariff *tariffs, size_t count,
                                    const struct price_history *h)
{
    struct price ret;
    struct err e =
        price_reckon(tariffs, count, h, zone_of_rule(arena, RULE_OF_BERLIN), arena, &ret);

    if (failed(e))
        fail_msg("not reckoned: %s", err_text(e));
    return ret;
}

static inline struct price priced(const char *tariff, struct price_history h)
{
    struct price_tariff t = tariff_of(tariff);

    return reckoned(&t, 1, &h);
}

/* The same, where periods may be cut. */
static inline struct price estimated(const char *tariff, struct price_history h)
{
    h.cut = true;
    return priced(tariff, h);
}

static inline const char *amount_text(int64_t u6)
{
    char buffer[DECIMAL_TEXT];

    return u6 == NUMBER_NONE ? "-" : arena_text(arena, decimal_print_u6(buffer, u6, 2, 6));
}

static inline void assert_amounts(const struct price *p, const char *excl, const char *incl)
{
    assert_string_equal(amount_text(p->excl), excl);
    if (incl)
        assert_string_equal(amount_text(p->incl), incl);
}

/* Seconds, or millionths of a kWh. */
static inline void assert_billed(const struct price *p, enum price_kind kind, int64_t used,
                                 int64_t billed)
{
    assert_int_equal(p->totals[kind].used, used);
    assert_int_equal(p->totals[kind].billed, billed);
}

static inline void assert_noted(const struct price *p, enum price_note note, bool noted)
{
    if (((p->notes >> note) & 1) != noted)
        fail_msg("%s: %s", noted ? "missing" : "too much", price_note_text(note));
}

#endif
