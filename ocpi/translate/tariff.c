/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tariffs between versions (15.4), and prices wherever they stand.
 *
 * Two rules come before all others: a gross price is never sent as a net one (R-BR-33), and an
 * element whose restrictions cannot be told is left out, since without them it would always apply.
 */
#include "ocpi/translate/turn.h"

#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/tariff.h"

enum { ALT_TEXT_MAX = 512 };

#define PERCENT_100_U6 INT64_C(100000000)
#define AMOUNT_MAX_U6 INT64_C(1000000000000000000) /* 12 integer digits */

/* --- Tariff --- */

/* Inside a CDR a Tariff is never withheld (R-BR-31). */
static bool is_in_cdr(const struct turn_object *tariff)
{
    return tariff->up != NULL;
}

static struct err type_for_211(struct turn *t, struct turn_object *o, const struct turn_row *row,
                               const json_t *value)
{
    if (turn_is(value, "REGULAR"))
        return OK;
    if (is_in_cdr(o))
        turn_lose(t, o, row->member, value, "OCPI 2.1.1 has no such member");
    else
        o->refused = "OCPI 2.1.1 knows regular tariffs only";
    return OK;
}

/* 2.1.1 cannot say when a Tariff is in force: it gets those that are. */
static struct err period_for_211(struct turn *t, struct turn_object *o, const struct turn_row *row,
                                 const json_t *value)
{
    bool is_start = strcmp(row->member, "start_date_time") == 0;
    int64_t us;

    if (!json_is_string(value) ||
        !time_parse(json_string_value(value), TIME_OCPI_ANY_OFFSET, &us)) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    if (!is_in_cdr(o) && is_start && us > t->now_us)
        o->refused = "the tariff is not in force yet (start_date_time)";
    else if (!is_in_cdr(o) && !is_start && us <= t->now_us)
        o->refused = "the tariff is no longer in force (end_date_time)";
    else
        turn_lose(t, o, row->member, value, "OCPI 2.1.1 has no such member");
    return OK;
}

static struct err tax_included_for_older(struct turn *t, struct turn_object *o,
                                         const struct turn_row *row, const json_t *value)
{
    if (!json_is_string(value))
        turn_wrong_kind(t, o, row, value);
    else if (turn_is(value, "N/A"))
        turn_lose(t, o, row->member, value, "that no tax applies is not told there");
    else if (!turn_is(value, "NO"))
        turn_lose(t, o, row->member, value, "prices are told without tax there");
    return OK;
}

/* A language tag is two letters; "en" is where notes of ours go. */
static void add_note(struct turn *t, struct turn_object *o, const char *note)
{
    json_t *list = json_object_get(o->out, "tariff_alt_text"), *entry;

    if (!json_is_array(list)) {
        list = json_array();
        json_object_set_new(o->out, "tariff_alt_text", list);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *language, *text, *both;

        entry = json_array_get(list, i);
        language = json_text_of(entry, "language");
        text = json_text_of(entry, "text");
        if (!language || !text || !text_equal_caseless(language, "en"))
            continue;
        both = arena_printf(t->arena, "%s %s", text, note);
        if (text_utf8_count(both) > ALT_TEXT_MAX)
            break;
        json_object_set_new(entry, "text", json_string(both));
        return;
    }
    json_array_append_new(list, json_pack("{s:s,s:s}", "language", "en", "text", note));
}

/* "Minimum price: 5.00 EUR without tax, 6.00 EUR with tax." */
static void note_limit(struct turn *t, struct turn_object *o, const char *member, const char *name)
{
    const json_t *limit = json_object_get(o->source, member);
    const char *currency = json_text_of(o->source, "currency");
    char net[DECIMAL_TEXT], gross[DECIMAL_TEXT];
    int64_t net_u6, gross_u6;
    bool has_gross;

    if (!json_number_u6(json_object_get(limit, t->from == OCPI_2_3_0 ? "before_taxes" : "excl_vat"),
                        false, &net_u6))
        return;
    has_gross =
        json_number_u6(json_object_get(limit, t->from == OCPI_2_3_0 ? "after_taxes" : "incl_vat"),
                       false, &gross_u6);
    decimal_print_u6(net, net_u6, 2, 6);
    decimal_print_u6(gross, has_gross ? gross_u6 : 0, 2, 6);
    currency = currency ? turn_cut_text(t->arena, currency, 3) : "";
    add_note(t, o,
             has_gross
                 ? arena_printf(t->arena, "%s price: %s %s without tax, %s %s with tax.", name, net,
                                currency, gross, currency)
                 : arena_printf(t->arena, "%s price: %s %s without tax.", name, net, currency));
}

/* Whether a price is gross or net decides what it says (R-BR-33). */
static bool is_tax_told(const struct turn_object *o)
{
    const json_t *word = json_object_get(o->source, "tax_included");

    return turn_is(word, "YES") || turn_is(word, "NO") || turn_is(word, "N/A");
}

static struct err tariff_finish(struct turn *t, struct turn_object *o)
{
    if (t->way & FROM_230 && !is_tax_told(o)) {
        o->refused = "it does not say whether its prices include tax (tax_included)";
        return OK;
    }
    if (t->way & FROM_211)
        TRY(turn_add_owner(t, o));
    /* R-BR-33: prices of older versions never contain tax. */
    if (t->way & TO_230)
        turn_set_text(o, "tax_included", t->way & FROM_211 && t->facts->tax_free ? "N/A" : "NO");
    if (t->way & TO_211) {
        note_limit(t, o, "min_price", "Minimum");
        note_limit(t, o, "max_price", "Maximum");
    }
    /* R-BR-30 */
    if (o->reduced)
        add_note(t, o, "This tariff is indicative: the price may differ.");
    if (json_array_size(json_object_get(o->out, "elements")) == 0 &&
        json_array_size(json_object_get(o->source, "elements")) > 0)
        o->refused = "none of its elements can be told there";
    return OK;
}

/* clang-format off */
static const struct turn_row tariff_rows[] = {
    LEAVE_OUT("country_code",    TO_211),
    LEAVE_OUT("party_id",        TO_211),
    BY       ("type",            TO_211, type_for_211),
    BY       ("start_date_time", TO_211, period_for_211),
    BY       ("end_date_time",   TO_211, period_for_211),
    BY       ("tax_included",    FROM_230, tax_included_for_older),
};
const struct turn_class turn_tariff = TURN_CLASS("Tariff", tariff_rows, .finish = tariff_finish);
/* clang-format on */

/* --- prices with tax --- */

static bool is_tax_included(const struct turn *t, const struct turn_object *tariff)
{
    return t->way & FROM_230 && turn_is(json_object_get(tariff->source, "tax_included"), "YES");
}

/* The rate that a gross price contains; false: nobody knows (R-BR-33). */
static bool find_tax(const struct turn *t, const json_t *component, int64_t *ret_u6)
{
    const json_t *vat = json_object_get(component, "vat");

    if (json_number_u6(vat, true, ret_u6))
        return *ret_u6 > -PERCENT_100_U6;
    *ret_u6 = t->facts->tax_percent_u6;
    return (!vat || json_is_null(vat)) && *ret_u6 > 0;
}

/* R-BR-32: net to four decimals, half away from zero. */
static int64_t net_of(int64_t gross_u6, int64_t percent_u6)
{
    __int128 dividend = (__int128)gross_u6 * PERCENT_100_U6;
    __int128 divisor = ((__int128)PERCENT_100_U6 + percent_u6) * 100;
    __int128 half = divisor / 2;

    return (int64_t)((dividend + (dividend < 0 ? -half : half)) / divisor) * 100;
}

static struct err price_of_230(struct turn *t, struct turn_object *o, const struct turn_row *row,
                               const json_t *value)
{
    json_t *number = turn_numeric(value);
    int64_t price, percent;

    if (!number) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    json_object_set_new(o->out, row->member, number);
    /* Without a rate the element's finish() refuses the Tariff; nothing of it goes out. */
    if (!is_tax_included(t, o->up->up) || !json_number_u6(number, false, &price) || price == 0 ||
        !find_tax(t, o->source, &percent))
        return OK;
    price = net_of(price, percent);
    if (price < AMOUNT_MAX_U6 && price > -AMOUNT_MAX_U6)
        json_object_set_new(o->out, row->member, turn_number(price));
    else
        o->up->up->refused = "a price of it cannot be computed without tax";
    return OK;
}

/* The vat of 2.3.0 means nothing where no tax applies (R-AMB-17). */
static struct err vat_for_221(struct turn *t, struct turn_object *o, const struct turn_row *row,
                              const json_t *value)
{
    if (turn_is(json_object_get(o->up->up->source, "tax_included"), "N/A"))
        turn_lose(t, o, row->member, value, "no tax applies to this tariff");
    else if (json_is_number(value))
        turn_set(o, row->member, value);
    else
        turn_wrong_kind(t, o, row, value);
    return OK;
}

/* The rate with which a net price was made belongs to it. */
static struct err price_component_finish(struct turn *t, struct turn_object *o)
{
    int64_t percent;

    if (t->way & FALLS && is_tax_included(t, o->up->up) && !turn_has(o, "vat") &&
        find_tax(t, o->source, &percent))
        json_object_set_new(o->out, "vat", turn_number(percent));
    return OK;
}

/* clang-format off */
static const struct turn_row price_component_rows[] = {
    BY("price", FROM_230, price_of_230),
    BY("vat",   FALLS, vat_for_221),
};
const struct turn_class turn_price_component =
    TURN_CLASS("PriceComponent", price_component_rows, .finish = price_component_finish);
/* clang-format on */

/* R-BR-33 */
static struct err tariff_element_finish(struct turn *t, struct turn_object *o)
{
    const json_t *components = json_object_get(o->source, "price_components");

    if (!is_tax_included(t, o->up))
        return OK;
    for (size_t i = 0; i < json_array_size(components); i++) {
        const json_t *component = json_array_get(components, i);
        int64_t price, percent;

        if (!json_number_u6(json_object_get(component, "price"), true, &price) ||
            (price != 0 && !find_tax(t, component, &percent)))
            o->up->refused = "its prices include a tax of unknown rate (tax_included, vat)";
    }
    return OK;
}

const struct turn_class turn_tariff_element = {.name = "TariffElement",
                                               .finish = tariff_element_finish};

/* --- restrictions --- */

static void refuse_element(struct turn *t, struct turn_object *o, const char *member)
{
    o->up->refused =
        arena_printf(t->arena,
                     "its restriction \"%s\" is unknown there, without it the price would "
                     "be another",
                     turn_cut_text(t->arena, member, 40));
    o->up->up->reduced = true;
}

static struct err restriction_for_older(struct turn *t, struct turn_object *o,
                                        const struct turn_row *row, const json_t *value)
{
    (void)value;
    refuse_element(t, o, row->member);
    return OK;
}

/* Restrictions of no table restrict as well: they pass between 2.2.1 and 2.3.0 only. */
static struct err restrictions_finish(struct turn *t, struct turn_object *o)
{
    json_t *walked = (json_t *)(uintptr_t)o->source;

    if (!(t->way & TO_211) || t->facts->keep_unknown)
        return OK;
    for (void *at = json_object_iter(walked); at; at = json_object_iter_next(walked, at)) {
        const char *member = json_object_iter_key(at);

        if (!turn_knows(o->from, member) && !json_is_null(json_object_iter_value(at)))
            refuse_element(t, o, member);
    }
    return OK;
}

/* clang-format off */
static const struct turn_row restriction_rows[] = {
    BY("min_current", TO_211, restriction_for_older),
    BY("max_current", TO_211, restriction_for_older),
    BY("reservation", TO_211, restriction_for_older),
    BY("booking",     OLDER, restriction_for_older), /* of the Bookings module, in no table */
};
const struct turn_class turn_tariff_restrictions =
    TURN_CLASS("TariffRestrictions", restriction_rows, .finish = restrictions_finish);
/* clang-format on */

/* --- Price and PriceLimit --- */

/* excl_vat and incl_vat; before_taxes and taxes; before_taxes and after_taxes. The first of each
 * goes over as it is. */
static struct err incl_vat_for_230(struct turn *t, struct turn_object *o,
                                   const struct turn_row *row, const json_t *value)
{
    int64_t net, gross;
    json_t *taxes;

    if (turn_knows(o->to, "after_taxes") && json_is_number(value)) {
        turn_set(o, "after_taxes", value);
        return OK;
    }
    if (turn_knows(o->to, "after_taxes") || !json_number_u6(value, true, &gross) ||
        !json_number_u6(json_object_get(o->source, "excl_vat"), true, &net)) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    taxes = json_array();
    json_array_append_new(
        taxes, json_pack("{s:s,s:o}", "name", "VAT", "amount", turn_number(gross - net)));
    json_object_set_new(o->out, "taxes", taxes);
    return OK;
}

static void lose_tax_details(struct turn *t, struct turn_object *o, size_t index, const json_t *tax)
{
    static const char *const members[] = {"name", "account_number", "percentage"};

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const json_t *value = json_object_get(tax, members[i]);

        if (value && !json_is_null(value) && !turn_is(value, "VAT"))
            turn_lose(t, o, arena_printf(t->arena, "taxes/%zu/%s", index, members[i]), value,
                      "taxes are told as one sum there");
    }
}

static struct err taxes_for_221(struct turn *t, struct turn_object *o, const struct turn_row *row,
                                const json_t *value)
{
    int64_t sum, amount;

    if (!json_is_array(value) ||
        !json_number_u6(json_object_get(o->source, "before_taxes"), true, &sum)) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    if (json_array_size(value) == 0)
        return OK;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *tax = json_array_get(value, i);

        if (!json_number_u6(json_object_get(tax, "amount"), true, &amount) ||
            __builtin_add_overflow(sum, amount, &sum)) {
            turn_wrong_kind(t, o, row, value);
            return OK;
        }
        lose_tax_details(t, o, i, tax);
    }
    if (sum >= AMOUNT_MAX_U6 || sum <= -AMOUNT_MAX_U6) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    json_object_set_new(o->out, "incl_vat", turn_number(sum));
    return OK;
}

/* clang-format off */
static const struct turn_row price_rows[] = {
    RENAME("excl_vat",     RISES, "before_taxes"),
    BY    ("incl_vat",     RISES, incl_vat_for_230),
    RENAME("before_taxes", FALLS, "excl_vat"),
    BY    ("taxes",        FALLS, taxes_for_221),
};
const struct turn_class turn_price = TURN_CLASS("Price", price_rows);

static const struct turn_row price_limit_rows[] = {
    RENAME("before_taxes", FALLS, "excl_vat"),
    RENAME("after_taxes",  FALLS, "incl_vat"),
};
const struct turn_class turn_price_limit = TURN_CLASS("PriceLimit", price_limit_rows);
/* clang-format on */
