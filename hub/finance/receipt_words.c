/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts in words. Groups of three digits are parted by the sign of the language; between a
 * number and its unit stands a no-break space, so that no line ends between them. A negative number
 * has a true minus.
 */
#include "hub/finance/receipt_words.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/text.h"
#include "base/time.h"

#define NBSP "\xC2\xA0"
#define MINUS "\xE2\x88\x92"

const char *const receipt_languages[RECEIPT_LANGUAGE_COUNT] = {"en", "de", "fi"};

struct in_languages {
    const char *code;
    const char *text[RECEIPT_LANGUAGE_COUNT];
};

static const struct in_languages words[] = {
#define X(name, en, de, fi) {#name, {en, de, fi}},
    RECEIPT_WORDS(X)
#undef X
};

static const struct in_languages line_names[] = {
#define X(kind, en, de, fi) [BILL_##kind] = {#kind, {en, de, fi}},
    RECEIPT_LINE_WORDS(X)
#undef X
};
_Static_assert(sizeof line_names / sizeof *line_names == BILL_KIND_COUNT,
               "each kind of line has a name");

static const struct in_languages notes[] = {
#define X(code, en, de, fi) {code, {en, de, fi}},
    RECEIPT_NOTE_WORDS(X)
#undef X
        {0},
};

static const struct in_languages payments[] = {
#define X(code, en, de, fi) {code, {en, de, fi}},
    RECEIPT_PAYMENT_WORDS(X)
#undef X
        {0},
};

/* clang-format off */
static const struct in_languages countries[] = {
    {"ALB", {"Albania", "Albanien", "Albania"}},
    {"AND", {"Andorra", "Andorra", "Andorra"}},
    {"AUT", {"Austria", "Österreich", "Itävalta"}},
    {"BEL", {"Belgium", "Belgien", "Belgia"}},
    {"BGR", {"Bulgaria", "Bulgarien", "Bulgaria"}},
    {"BIH", {"Bosnia and Herzegovina", "Bosnien und Herzegowina", "Bosnia ja Hertsegovina"}},
    {"CHE", {"Switzerland", "Schweiz", "Sveitsi"}},
    {"CYP", {"Cyprus", "Zypern", "Kypros"}},
    {"CZE", {"Czechia", "Tschechien", "Tšekki"}},
    {"DEU", {"Germany", "Deutschland", "Saksa"}},
    {"DNK", {"Denmark", "Dänemark", "Tanska"}},
    {"ESP", {"Spain", "Spanien", "Espanja"}},
    {"EST", {"Estonia", "Estland", "Viro"}},
    {"FIN", {"Finland", "Finnland", "Suomi"}},
    {"FRA", {"France", "Frankreich", "Ranska"}},
    {"GBR", {"United Kingdom", "Vereinigtes Königreich", "Yhdistynyt kuningaskunta"}},
    {"GRC", {"Greece", "Griechenland", "Kreikka"}},
    {"HRV", {"Croatia", "Kroatien", "Kroatia"}},
    {"HUN", {"Hungary", "Ungarn", "Unkari"}},
    {"IRL", {"Ireland", "Irland", "Irlanti"}},
    {"ISL", {"Iceland", "Island", "Islanti"}},
    {"ITA", {"Italy", "Italien", "Italia"}},
    {"LIE", {"Liechtenstein", "Liechtenstein", "Liechtenstein"}},
    {"LTU", {"Lithuania", "Litauen", "Liettua"}},
    {"LUX", {"Luxembourg", "Luxemburg", "Luxemburg"}},
    {"LVA", {"Latvia", "Lettland", "Latvia"}},
    {"MCO", {"Monaco", "Monaco", "Monaco"}},
    {"MDA", {"Moldova", "Republik Moldau", "Moldova"}},
    {"MKD", {"North Macedonia", "Nordmazedonien", "Pohjois-Makedonia"}},
    {"MLT", {"Malta", "Malta", "Malta"}},
    {"MNE", {"Montenegro", "Montenegro", "Montenegro"}},
    {"NLD", {"Netherlands", "Niederlande", "Alankomaat"}},
    {"NOR", {"Norway", "Norwegen", "Norja"}},
    {"POL", {"Poland", "Polen", "Puola"}},
    {"PRT", {"Portugal", "Portugal", "Portugali"}},
    {"ROU", {"Romania", "Rumänien", "Romania"}},
    {"SMR", {"San Marino", "San Marino", "San Marino"}},
    {"SRB", {"Serbia", "Serbien", "Serbia"}},
    {"SVK", {"Slovakia", "Slowakei", "Slovakia"}},
    {"SVN", {"Slovenia", "Slowenien", "Slovenia"}},
    {"SWE", {"Sweden", "Schweden", "Ruotsi"}},
    {"TUR", {"Türkiye", "Türkei", "Turkki"}},
    {"UKR", {"Ukraine", "Ukraine", "Ukraina"}},
    {0},
};

static const struct {
    const char *code, *sign;
} signs[] = {{"EUR", "€"}, {"GBP", "£"}};
/* clang-format on */

static const char *const units[] = {
    [BILL_PIECE] = "", [BILL_KWH] = "kWh", [BILL_MINUTE] = "min", [BILL_HOUR] = "h"};
_Static_assert(sizeof units / sizeof *units == BILL_UNIT_COUNT, "each unit has a sign");

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static const char *find(const struct in_languages *list, enum receipt_language l, const char *code)
{
    for (; code && list->code; list++)
        if (strcmp(list->code, code) == 0)
            return list->text[l];
    return code ? code : "";
}

const char *receipt_word(enum receipt_language l, enum receipt_word w)
{
    return words[w].text[l];
}

const char *receipt_word_with(struct arena *a, enum receipt_language l, enum receipt_word w,
                              int64_t first, int64_t second)
{
    const int64_t numbers[] = {first, second};
    size_t used = 0;
    struct text t;

    text_init(&t, a, 256);
    for (const char *c = receipt_word(l, w); *c; c++) {
        if (*c == '#' && used < 2)
            text_printf(&t, "%" PRId64, numbers[used++]);
        else
            text_add_bytes(&t, c, 1);
    }
    return t.bytes;
}

const char *receipt_line_name(enum receipt_language l, enum bill_kind kind)
{
    return line_names[kind].text[l];
}

const char *receipt_note_text(enum receipt_language l, const char *note)
{
    return find(notes, l, note);
}

const char *receipt_payment_text(enum receipt_language l, const char *state)
{
    return find(payments, l, state);
}

const char *receipt_country_name(enum receipt_language l, const char *alpha3)
{
    return find(countries, l, alpha3);
}

/* ---- figures ---- */

/* A decimal as it was printed for machines, "-1234.50", as people write it. */
static const char *localise(struct arena *a, enum receipt_language l, const char *decimal)
{
    static const char *const group[] = {",", ".", NBSP};
    bool negative = *decimal == '-';
    const char *digits = decimal + negative;
    size_t whole = strcspn(digits, ".");
    struct text t;

    text_init(&t, a, 128);
    if (negative)
        text_add(&t, MINUS);
    for (size_t i = 0; i < whole; i++) {
        if (i && (whole - i) % 3 == 0)
            text_add(&t, group[l]);
        text_add_bytes(&t, &digits[i], 1);
    }
    if (digits[whole] == '.') {
        text_add(&t, l == RECEIPT_EN ? "." : ",");
        text_add(&t, digits + whole + 1);
    }
    return t.bytes;
}

/* The currency goes in front in English, behind elsewhere; the minus always comes first. */
static const char *with_currency(struct arena *a, enum receipt_language l, const char *decimal,
                                 const char *currency)
{
    const char *number = localise(a, l, decimal), *minus = "", *sign = NULL;

    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strcmp(signs[i].code, currency) == 0)
            sign = signs[i].sign;
    if (l != RECEIPT_EN)
        return arena_printf(a, "%s" NBSP "%s", number, sign ? sign : currency);
    if (strncmp(number, MINUS, strlen(MINUS)) == 0) {
        minus = MINUS;
        number += strlen(MINUS);
    }
    if (sign)
        return arena_printf(a, "%s%s%s", minus, sign, number);
    return arena_printf(a, "%s%s" NBSP "%s", minus, currency, number);
}

const char *receipt_money(struct arena *a, enum receipt_language l, int64_t minor,
                          const char *currency)
{
    char number[DECIMAL_TEXT];

    return with_currency(a, l, money_print_minor(number, minor, currency), currency);
}

const char *receipt_price(struct arena *a, enum receipt_language l, int64_t price_u6,
                          const char *currency, enum bill_unit unit)
{
    char number[DECIMAL_TEXT];
    const char *text = with_currency(
        a, l, decimal_print_u6(number, price_u6, currency_exponent(currency), 6), currency);

    return unit == BILL_PIECE ? text : arena_printf(a, "%s/%s", text, units[unit]);
}

const char *receipt_quantity(struct arena *a, enum receipt_language l, int64_t quantity_u6,
                             enum bill_unit unit)
{
    char number[DECIMAL_TEXT];
    int places = unit == BILL_KWH ? 3 : 0;
    const char *text = localise(a, l, decimal_print_u6(number, quantity_u6, places, 6));

    return unit == BILL_PIECE ? text : arena_printf(a, "%s" NBSP "%s", text, units[unit]);
}

const char *receipt_percent(struct arena *a, enum receipt_language l, int64_t vat_u4)
{
    char number[DECIMAL_TEXT];

    if (vat_u4 < 0)
        return "–";
    return arena_printf(a, "%s%s%%", localise(a, l, decimal_print_u6(number, vat_u4 * 100, 0, 4)),
                        l == RECEIPT_EN ? "" : NBSP);
}

const char *receipt_duration(struct arena *a, int64_t seconds)
{
    const int64_t parts[] = {seconds / 3600, seconds / 60 % 60, seconds % 60};
    static const char *const names[] = {"h", "min", "s"};
    struct text t;

    text_init(&t, a, 128);
    for (int i = 0; i < 3; i++)
        if (parts[i] || (i == 2 && !t.length))
            text_printf(&t, "%s%" PRId64 NBSP "%s", t.length ? NBSP : "", parts[i], names[i]);
    return t.bytes;
}

/* "2026-05-03T14:05:09Z" of the local clock. */
static const char *local_clock(char buffer[TIME_TEXT], struct receipt_time at)
{
    return time_print_seconds(buffer, at.us + at.offset_s * US_PER_SECOND);
}

static int two_digits(const char *s)
{
    return (s[0] - '0') * 10 + s[1] - '0';
}

const char *receipt_date(struct arena *a, enum receipt_language l, struct receipt_time at)
{
    char clock[TIME_TEXT];

    if (at.us == TIME_NONE || strlen(local_clock(clock, at)) != 20)
        return "–";
    int month = two_digits(clock + 5), day = two_digits(clock + 8);
    if (l == RECEIPT_EN)
        return arena_printf(a, "%d" NBSP "%s" NBSP "%.4s", day, months[(month + 11) % 12], clock);
    return arena_printf(a, "%d.%d.%.4s", day, month, clock);
}

const char *receipt_moment(struct arena *a, enum receipt_language l, struct receipt_time at)
{
    static const char *const at_word[] = {", ", ", ", (" klo" NBSP)};
    char clock[TIME_TEXT];
    int minutes = at.offset_s / 60, size = minutes < 0 ? -minutes : minutes;
    struct text t;

    if (at.us == TIME_NONE || strlen(local_clock(clock, at)) != 20)
        return "–";
    if (l == RECEIPT_FI)
        clock[13] = clock[16] = '.';
    text_init(&t, a, 128);
    text_printf(&t, "%s%s%.8s", receipt_date(a, l, at), at_word[l], clock + 11);
    text_add(&t, " (UTC");
    if (minutes)
        text_printf(&t, "%s%d", minutes < 0 ? MINUS : "+", size / 60);
    if (size % 60)
        text_printf(&t, ":%02d", size % 60);
    text_add(&t, ")");
    return t.bytes;
}
