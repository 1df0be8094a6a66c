/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDRs against what is known: measured values first, then the amounts. Findings collect, none of
 * them stops the others, so that the partner is told everything at once.
 */
#include "ocpi/cdr_check.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/cdr_tariff.h"
#include "ocpi/v230/cdr.h"

__extension__ typedef __int128 wide; /* the compiler's own type has no name without a warning */

enum { DAY_S = 86400, HOUR_S = 3600 };

#define U6 INT64_C(1000000)
#define WATT_HOUR_U6 INT64_C(1000)
#define CENT_U6 INT64_C(10000)

struct checking {
    const struct price_record *record;
    const struct cdr_facts *facts;
    const struct cdr_limits *limits;
    struct arena *arena;
    struct cdr_check *c;
};

/* ---- words ---- */

const char *cdr_class_name(enum cdr_class c)
{
    static const char *const names[] = {"OK", "WARN", "DISPUTE", "QUARANTINE"};

    assert(c <= CDR_QUARANTINE);
    return names[c];
}

static const struct {
    const char *name, *text;
    enum cdr_class class;
} known_findings[] = {
#define X(name, class, text) {#name, text, CDR_##class},
    CDR_FINDINGS(X)
#undef X
};

/* ---- findings ---- */

const struct cdr_finding *cdr_check_find(const struct cdr_check *c, enum cdr_finding_kind kind)
{
    for (size_t i = 0; i < c->finding_count; i++)
        if (c->findings[i].kind == kind)
            return &c->findings[i];
    return NULL;
}

static void add_at(struct checking *k, enum cdr_finding_kind kind, enum cdr_class class,
                   const char *where, const char *detail)
{
    struct cdr_finding f = {kind, class, known_findings[kind].name, known_findings[kind].text,
                            where};

    if (cdr_check_find(k->c, kind))
        return;
    if (detail)
        f.text = arena_printf(k->arena, "%s: %s", f.text, detail);
    k->c->findings[k->c->finding_count++] = f;
    if (class > k->c->class)
        k->c->class = class;
}

/* `format` NULL: the list's text says it all. */
__attribute__((format(printf, 4, 5))) static void
add(struct checking *k, enum cdr_finding_kind kind, const char *where, const char *format, ...)
{
    const char *detail = NULL;
    va_list args;

    if (format) {
        va_start(args, format);
        detail = arena_vprintf(k->arena, format, args);
        va_end(args);
    }
    add_at(k, kind, known_findings[kind].class, where, detail);
}

static const char *number(struct checking *k, int64_t value_u6)
{
    char buffer[DECIMAL_TEXT];

    if (value_u6 == NUMBER_NONE)
        return "unknown";
    return arena_text(k->arena, decimal_print_u6(buffer, value_u6, 0, 6));
}

/* ---- numbers ---- */

static int64_t size_of(int64_t value)
{
    if (value == INT64_MIN)
        return INT64_MAX;
    return value < 0 ? -value : value;
}

static int64_t distance(int64_t a, int64_t b)
{
    int64_t d;

    if (__builtin_sub_overflow(a, b, &d))
        return INT64_MAX;
    return size_of(d);
}

static bool known(int64_t us)
{
    return us != TIME_NONE && us != TIME_UNKNOWN;
}

/* Both ends are told. */
static bool has_length(const struct price_record *r)
{
    return known(r->start_us) && known(r->end_us) && r->end_us >= r->start_us;
}

static int64_t length_s(const struct price_record *r)
{
    int64_t us;

    if (__builtin_sub_overflow(r->end_us, r->start_us, &us))
        return INT64_MAX / US_PER_SECOND;
    return us / US_PER_SECOND + (us % US_PER_SECOND > 0);
}

/* ---- classes ---- */

struct cdr_limits cdr_limits_default(const char *currency)
{
    int64_t minor_u6 = U6;

    for (int i = currency_exponent(currency); i > 0; i--)
        minor_u6 /= 10;
    return (struct cdr_limits){
        .ok_u6 = minor_u6,
        .ok_percent_u4 = 500,
        .warn_u6 = 50 * minor_u6,
        .warn_percent_u4 = 20000,
        .future_s = 300,
        .longest_s = 7 * DAY_S,
        .late_s = 30 * (int64_t)DAY_S,
        .time_s = 1,
        .power_percent = 10,
        .energy_drop_u4 = 10000,
    };
}

/* CDRs are written with four decimals. */
static int64_t four_decimals(int64_t value_u6)
{
    return decimal_round_div(value_u6, 100) * 100;
}

static int64_t difference(int64_t stated_u6, int64_t reckoned_u6)
{
    int64_t d;

    if (__builtin_sub_overflow(stated_u6, reckoned_u6, &d) || size_of(d) > INT64_MAX - 100)
        return stated_u6 < reckoned_u6 ? INT64_MIN + 1 : INT64_MAX;
    return four_decimals(d);
}

enum cdr_class cdr_class_of_difference(int64_t stated_u6, int64_t reckoned_u6,
                                       const struct cdr_limits *l)
{
    wide off = size_of(difference(stated_u6, reckoned_u6)), of = size_of(reckoned_u6);

    if (off <= l->ok_u6 || off * U6 <= of * l->ok_percent_u4)
        return CDR_OK;
    return off <= l->warn_u6 && off * U6 <= of * l->warn_percent_u4 ? CDR_WARN : CDR_DISPUTE;
}

static int64_t percent_of(int64_t delta_u6, int64_t of_u6)
{
    if (!of_u6)
        return 0;
    wide percent = (wide)size_of(delta_u6) * U6 / size_of(of_u6);
    if (percent > INT64_MAX / 100)
        percent = INT64_MAX / 100;
    return (int64_t)((delta_u6 < 0) != (of_u6 < 0) ? -percent : percent);
}

/* ---- measured values ---- */

static void check_moments(struct checking *k)
{
    const struct price_record *r = k->record;
    char buffer[TIME_TEXT];

    if (!known(r->start_us) || !known(r->end_us))
        add(k, CDR_FINDING_unknown_time, "/start_date_time", NULL);
    if (known(r->start_us) && known(r->end_us) && r->end_us < r->start_us)
        add(k, CDR_FINDING_end_before_start, "/end_date_time", NULL);
    if (known(r->end_us) && r->end_us - k->limits->future_s * US_PER_SECOND > k->facts->now_us)
        add(k, CDR_FINDING_in_the_future, "/end_date_time", "%s",
            time_print_seconds(buffer, r->end_us));
    if (known(r->end_us) && r->end_us < CDR_EARLIEST_US)
        add(k, CDR_FINDING_long_ago, "/end_date_time", "%s", time_print_seconds(buffer, r->end_us));
    if (has_length(r) && length_s(r) > k->limits->longest_s)
        add(k, CDR_FINDING_too_long, "/end_date_time", "%lld s", (long long)length_s(r));
    if (known(r->end_us) && k->facts->now_us - k->limits->late_s * US_PER_SECOND > r->end_us)
        add(k, CDR_FINDING_late, "/end_date_time", NULL);
}

static int64_t reserved_hours(const struct price_record *r)
{
    int64_t sum = 0;

    for (size_t i = 0; i < r->periods.count; i++)
        for (size_t d = 0; d < r->periods.at[i].dimensions.count; d++) {
            const struct ocpi_cdr_dimension *one = &r->periods.at[i].dimensions.at[d];
            if (one->type == OCPI_DIMENSION_RESERVATION_TIME && one->volume > 0 &&
                __builtin_add_overflow(sum, one->volume, &sum))
                return 0;
        }
    return sum;
}

static wide whole_second(wide us)
{
    return (us + U6 / 2) / U6 * U6;
}

/* The total time is that of the session; whether a reservation before it belongs to that, networks
 * see in two ways. */
static void check_duration(struct checking *k)
{
    const struct price_record *r = k->record;
    int64_t periods = r->periods.count ? (int64_t)r->periods.count : 1;

    if (!has_length(r) || r->total_time == NUMBER_NONE)
        return;
    if (r->total_time < 0) {
        add(k, CDR_FINDING_negative_energy, "/total_time", NULL);
        return;
    }
    /* Microseconds; hours have six decimals, a second a million of its own. Hours of four decimals
     * mean the whole second that is nearest to them. */
    wide told = whole_second((wide)r->total_time * HOUR_S);
    wide off = told - ((wide)r->end_us - r->start_us);
    wide off_reserved = off + (wide)reserved_hours(r) * HOUR_S;
    wide most = (wide)k->limits->time_s * periods * U6;
    if ((off > most || off < -most) && (off_reserved > most || off_reserved < -most))
        add(k, CDR_FINDING_duration_mismatch, "/total_time", "%s h told, %lld s passed",
            number(k, r->total_time), (long long)length_s(r));
}

static void check_energy(struct checking *k)
{
    const struct price_record *r = k->record;
    const struct cdr_facts *f = k->facts;

    if (r->kwh < 0)
        add(k, CDR_FINDING_negative_energy, "/total_energy", "%s kWh", number(k, r->kwh));
    if (f->power_w > 0 && has_length(r)) {
        /* Both in W s, times a hundred million. Times that tell whole seconds only hide up to one:
         * what began and ended in the same second did not last for nothing. */
        wide longest_s = (wide)length_s(r) + k->limits->time_s;
        wide most = (wide)f->power_w * longest_s * (100 + k->limits->power_percent) * U6;
        if ((wide)r->kwh * 1000 * HOUR_S * 100 > most)
            add(k, CDR_FINDING_energy_above_power, "/total_energy", "%s kWh in %lld s at %lld W",
                number(k, r->kwh), (long long)length_s(r), (long long)f->power_w);
    }
    /* Less than a watt-hour is how either of them rounds. */
    if (f->session_energy_u6 != NUMBER_NONE && f->session_energy_u6 > 0 &&
        (wide)f->session_energy_u6 - r->kwh > WATT_HOUR_U6 &&
        (wide)r->kwh * U6 < (wide)f->session_energy_u6 * (U6 - k->limits->energy_drop_u4))
        add(k, CDR_FINDING_energy_fell, "/total_energy", "%s kWh, and %s kWh were reported before",
            number(k, r->kwh), number(k, f->session_energy_u6));
    if (f->signed_energy_u6 != NUMBER_NONE && distance(r->kwh, f->signed_energy_u6) >= WATT_HOUR_U6)
        add(k, CDR_FINDING_signed_mismatch, "/signed_data", "%s kWh, and the meter says %s kWh",
            number(k, r->kwh), number(k, f->signed_energy_u6));
}

static void check_periods(struct checking *k)
{
    const struct price_record *r = k->record;
    int64_t before = INT64_MIN;

    for (size_t i = 0; i < r->periods.count; i++) {
        const struct ocpi_charging_period *p = &r->periods.at[i];
        if (!known(p->start_date_time))
            continue;
        if (p->start_date_time < before)
            add(k, CDR_FINDING_periods_unordered,
                arena_printf(k->arena, "/charging_periods/%zu/start_date_time", i), NULL);
        before = p->start_date_time;
    }
}

static void check_sums(struct checking *k)
{
    static const struct {
        enum price_note note;
        enum cdr_finding_kind finding;
        const char *where;
    } rows[] = {
        {PRICE_NOTE_WATT_HOURS, CDR_FINDING_watt_hours, "/charging_periods"},
        {PRICE_NOTE_ENERGY_DIFFERS, CDR_FINDING_energy_mismatch, "/total_energy"},
        {PRICE_NOTE_TIME_DIFFERS, CDR_FINDING_time_mismatch, "/total_time"},
        {PRICE_NOTE_PARTS_DIFFER, CDR_FINDING_parts_differ, "/total_cost"},
        {PRICE_NOTE_PERIODS_OUTSIDE, CDR_FINDING_periods_outside, "/charging_periods"},
    };
    unsigned notes = price_record_check(k->record);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (notes >> rows[i].note & 1)
            add(k, rows[i].finding, rows[i].where, NULL);
}

static void check_totals(struct checking *k)
{
    const struct price_record *r = k->record;
    int64_t cost = r->cost_excl;

    if (cost == NUMBER_NONE)
        return;
    if (cost < 0 && !r->credit)
        add(k, CDR_FINDING_negative_total, "/total_cost", NULL);
    if (cost > 0 && r->credit)
        add(k, CDR_FINDING_credit_positive, "/total_cost", NULL);
    if (r->cost_incl != NUMBER_NONE && size_of(r->cost_incl) < size_of(cost))
        add(k, CDR_FINDING_tax_mismatch, "/total_cost", "less with taxes than without");
}

static void check_neighbours(struct checking *k)
{
    const struct cdr_facts *f = k->facts;

    if (f->token_overlap)
        add(k, CDR_FINDING_token_overlap, NULL, "%s", f->token_overlap);
    if (f->evse_overlap)
        add(k, CDR_FINDING_evse_overlap, NULL, "%s", f->evse_overlap);
}

/* ---- amounts ---- */

static void note_price(struct checking *k, unsigned notes)
{
    static const struct {
        enum price_note note;
        enum cdr_finding_kind finding;
    } rows[] = {
        {PRICE_NOTE_NO_TIME_ZONE, CDR_FINDING_assumed_zone},
        {PRICE_NOTE_ASSUMED_CHARGING, CDR_FINDING_assumed_charging},
        {PRICE_NOTE_DERIVED_POWER, CDR_FINDING_derived_power},
        {PRICE_NOTE_NO_CURRENT, CDR_FINDING_missing_current},
        {PRICE_NOTE_UNKNOWN_TARIFF, CDR_FINDING_unknown_tariff},
        {PRICE_NOTE_NOT_VALID, CDR_FINDING_tariff_not_valid},
        {PRICE_NOTE_UNKNOWN_TIME, CDR_FINDING_unknown_time},
        {PRICE_NOTE_NEGATIVE, CDR_FINDING_negative_energy},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (notes >> rows[i].note & 1)
            add(k, rows[i].finding, NULL, NULL);
}

/* A credit is its original with the signs of the amounts turned. */
static int64_t as_original(const struct price_record *r, int64_t amount)
{
    return r->credit && amount != NUMBER_NONE ? -amount : amount;
}

/* The class by one recalculation: what is stated with taxes counts where the rest is unknown. */
static enum cdr_class compare(struct checking *k, const struct price *p)
{
    int64_t net = as_original(k->record, k->record->cost_excl);
    int64_t gross = as_original(k->record, k->record->cost_incl);
    enum cdr_class class = CDR_OK, by_gross = CDR_OK;

    if (net != NUMBER_NONE && p->excl != NUMBER_NONE)
        class = cdr_class_of_difference(net, p->excl, k->limits);
    if (gross != NUMBER_NONE && p->incl != NUMBER_NONE)
        by_gross = cdr_class_of_difference(gross, p->incl, k->limits);
    return class > by_gross ? class : by_gross;
}

static void tell_differences(struct checking *k)
{
    const struct price_record *r = k->record;
    struct cdr_check *c = k->c;
    int64_t net = as_original(r, r->cost_excl), gross = as_original(r, r->cost_incl);

    c->net_u6 = c->price.excl;
    c->gross_u6 = c->price.incl;
    if (net != NUMBER_NONE && c->net_u6 != NUMBER_NONE) {
        c->delta_u6 = difference(net, c->net_u6);
        c->delta_percent_u4 = percent_of(c->delta_u6, c->net_u6);
        enum cdr_class class = cdr_class_of_difference(net, c->net_u6, k->limits);
        if (class != CDR_OK)
            add_at(k, CDR_FINDING_cost_differs, class, "/total_cost",
                   arena_printf(k->arena, "%s stated, %s recalculated", number(k, net),
                                number(k, c->net_u6)));
    }
    if (gross == NUMBER_NONE || c->gross_u6 == NUMBER_NONE)
        return;
    enum cdr_class class = cdr_class_of_difference(gross, c->gross_u6, k->limits);
    if (class != CDR_OK)
        add_at(k, CDR_FINDING_gross_differs, class, "/total_cost",
               arena_printf(k->arena, "%s stated, %s recalculated", number(k, gross),
                            number(k, c->gross_u6)));
}

static int64_t sum_of(int64_t a, int64_t b)
{
    int64_t sum;

    if (a == NUMBER_NONE || b == NUMBER_NONE || __builtin_add_overflow(a, b, &sum))
        return NUMBER_NONE;
    return sum;
}

static void fill_parts(struct checking *k)
{
    const struct price_total *t = k->c->price.totals;

    for (size_t i = 0; i < PRICE_PARTS; i++)
        k->c->parts[i] = (struct cdr_part){k->record->parts[i].excl, NUMBER_NONE};
    if (!k->c->reckoned)
        return;
    k->c->parts[PRICE_PART_FIXED].reckoned_u6 = t[PRICE_FLAT].excl;
    k->c->parts[PRICE_PART_ENERGY].reckoned_u6 = t[PRICE_ENERGY].excl;
    k->c->parts[PRICE_PART_TIME].reckoned_u6 = t[PRICE_CHARGING].excl;
    k->c->parts[PRICE_PART_PARKING].reckoned_u6 = t[PRICE_PARKING].excl;
    k->c->parts[PRICE_PART_RESERVATION].reckoned_u6 =
        sum_of(t[PRICE_RESERVATION].excl, t[PRICE_RESERVATION_FLAT].excl);
}

static bool reckon(struct checking *k, const struct price_tariff *tariffs, size_t count,
                   struct price_history *history, struct price *price)
{
    struct err e = price_history_of(k->record, tariffs, count, k->arena, history);

    history->work = &k->c->work_left;
    if (!failed(e) && count)
        e = price_reckon(tariffs, count, history, k->facts->zone, k->arena, price);
    history->work = NULL; /* the check may be moved */
    if (!failed(e))
        return true;
    add(k, CDR_FINDING_beyond_reckoning, NULL, "%s", err_text(e));
    return false;
}

/* ---- the tariff of the start ---- */

static bool names_tariffs(const struct price_record *r)
{
    for (size_t i = 0; i < r->periods.count; i++)
        if (!r->periods.at[i].tariff_id)
            return false;
    return r->periods.count > 0;
}

/* A session keeps the tariff with which it began; what a changed one makes of it is classed by
 * both. Unless each period names its tariff: then the network says that it changed on the way. */
static void check_tariff_of_start(struct checking *k)
{
    const struct cdr_facts *f = k->facts;
    const char *changed = cdr_tariff_change(k->record->tariffs.at, k->record->tariffs.count,
                                            f->start_tariffs, f->start_tariff_count, k->arena);
    struct price_history history;
    struct price price;
    enum cdr_class class = CDR_WARN;

    if (!changed)
        return;
    if (!names_tariffs(k->record) &&
        reckon(k, f->start_tariffs, f->start_tariff_count, &history, &price)) {
        enum cdr_class by_start = compare(k, &price);
        class = by_start > class ? by_start : class;
        changed = arena_printf(k->arena, "%s; by the tariff of the start it costs %s", changed,
                               number(k, price.excl));
    }
    add_at(k, CDR_FINDING_tariff_changed, class, "/tariffs", changed);
}

static void check_currency(struct checking *k, const struct price_tariff *tariffs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!k->record->currency || strcmp(tariffs[i].currency, k->record->currency) != 0)
            add(k, CDR_FINDING_currency_mismatch, "/currency", "%s, and its tariff is in %s",
                k->record->currency ? k->record->currency : "none", tariffs[i].currency);
}

static void check_tariffs(struct checking *k)
{
    if (k->record->tariffs_beyond)
        add(k, CDR_FINDING_tariff_unreadable, "/tariffs", "%s", k->record->tariffs_beyond);
    if (k->facts->start_unreadable)
        add(k, CDR_FINDING_tariff_unreadable, NULL, "one of the session's start: %s",
            k->facts->start_unreadable);
}

static void check_amounts(struct checking *k)
{
    const struct price_record *r = k->record;
    const struct cdr_facts *f = k->facts;
    const struct price_tariff *tariffs = r->tariffs.count ? r->tariffs.at : f->start_tariffs;
    size_t count = r->tariffs.count ? r->tariffs.count : f->start_tariff_count;
    int64_t cost = r->cost_excl == NUMBER_NONE ? 0 : r->cost_excl;

    check_tariffs(k);
    check_currency(k, tariffs, count);
    if (!reckon(k, tariffs, count, &k->c->history, &k->c->price))
        return;
    if (!count) {
        note_price(k, k->c->history.notes);
        if (cdr_check_find(k->c, CDR_FINDING_tariff_unreadable))
            return;
        /* A free session needs no price list. */
        add_at(k, CDR_FINDING_no_tariff, cost ? CDR_WARN : CDR_OK, "/tariffs", NULL);
        return;
    }
    k->c->reckoned = true;
    k->c->by_own_tariff = r->tariffs.count > 0;
    note_price(k, k->c->price.notes);
    tell_differences(k);
    if (r->tariffs.count && f->start_tariff_count && !f->start_unreadable)
        check_tariff_of_start(k);
}

/* ---- the story ---- */

void cdr_check(const struct price_record *record, const struct cdr_facts *facts, struct arena *a,
               struct cdr_check *ret)
{
    struct cdr_limits limits = facts->limits
                                   ? *facts->limits
                                   : cdr_limits_default(record->currency ? record->currency : "");
    struct checking k = {record, facts, &limits, a, ret};

    memset(ret, 0, sizeof *ret);
    ret->net_u6 = ret->gross_u6 = NUMBER_NONE;
    ret->work_left = PRICE_WORK_MAX;
    check_moments(&k);
    check_duration(&k);
    check_energy(&k);
    check_periods(&k);
    check_sums(&k);
    check_totals(&k);
    check_neighbours(&k);
    check_amounts(&k);
    fill_parts(&k);
}

/* ---- taxes of a document ---- */

static void check_taxes(struct checking *k, const char *member, const struct ocpi230_price *p)
{
    for (size_t i = 0; p && i < p->taxes.count; i++) {
        const struct ocpi230_tax_amount *t = &p->taxes.at[i];
        if (t->percentage == NUMBER_NONE)
            continue;
        wide expected = (wide)p->before_taxes * t->percentage / (100 * U6);
        wide off = expected - t->amount;
        if (off > CENT_U6 || off < -CENT_U6)
            add(k, CDR_FINDING_tax_mismatch,
                arena_printf(k->arena, "/%s/taxes/%zu/amount", member, i), "%s %% of %s is not %s",
                number(k, t->percentage), number(k, p->before_taxes), number(k, t->amount));
    }
}

void cdr_check_document(enum ocpi_version version, const json_t *json,
                        const struct price_record *record, const struct cdr_facts *facts,
                        struct arena *a, struct cdr_check *ret)
{
    struct cdr_limits limits = facts->limits
                                   ? *facts->limits
                                   : cdr_limits_default(record->currency ? record->currency : "");
    struct checking k = {record, facts, &limits, a, ret};
    struct ocpi230_cdr *c;

    cdr_check(record, facts, a, ret);
    if (version != OCPI_2_3_0)
        return;
    c = arena_alloc(a, sizeof *c);
    if (failed(object_parse(&ocpi230_cdr_type, json, a, c)))
        return;
    check_taxes(&k, "total_cost", c->total_cost);
    check_taxes(&k, "total_fixed_cost", c->total_fixed_cost);
    check_taxes(&k, "total_energy_cost", c->total_energy_cost);
    check_taxes(&k, "total_time_cost", c->total_time_cost);
    check_taxes(&k, "total_parking_cost", c->total_parking_cost);
    check_taxes(&k, "total_reservation_cost", c->total_reservation_cost);
}

const char *cdr_check_credit(const struct price_record *credit, const struct price_record *original)
{
    if (!credit->currency || !original->currency ||
        strcmp(credit->currency, original->currency) != 0)
        return "credit_currency";
    if (credit->cost_excl > 0 || size_of(credit->cost_excl) != size_of(original->cost_excl))
        return "credit_amount";
    /* Where both tell it, with taxes too. */
    if (credit->cost_incl != NUMBER_NONE && original->cost_incl != NUMBER_NONE &&
        size_of(credit->cost_incl) != size_of(original->cost_incl))
        return "credit_amount";
    return NULL;
}

/* ---- printing ---- */

static void put_number(struct text *out, const char *key, int64_t value_u6)
{
    char buffer[DECIMAL_TEXT];

    if (value_u6 == NUMBER_NONE)
        json_put_null(out, key);
    else
        json_put_raw(out, key, decimal_print_u6(buffer, value_u6, 0, 6));
}

static void put_lines(struct text *out, const struct price *p)
{
    json_begin_array(out, "lines");
    for (size_t i = 0; i < p->line_count; i++) {
        const struct price_line *l = &p->lines[i];
        json_begin_object(out, NULL);
        json_put_text(out, "kind", price_kind_name(l->kind));
        json_put_int(out, "tariff", (int64_t)l->tariff);
        json_put_int(out, "element", (int64_t)l->element);
        json_put_int(out, "component", (int64_t)l->component);
        if (l->kind == PRICE_ENERGY) {
            put_number(out, "used", l->used);
            put_number(out, "billed", l->billed);
        } else {
            json_put_int(out, "used", l->used);
            json_put_int(out, "billed", l->billed);
        }
        put_number(out, "price", l->price);
        put_number(out, "vat", l->vat);
        put_number(out, "net", l->excl);
        put_number(out, "gross", l->incl);
        json_end_object(out);
    }
    json_end_array(out);
}

static void put_parts(struct text *out, const struct cdr_check *c)
{
    static const char *const names[] = {"fixed", "energy", "time", "parking", "reservation"};

    json_begin_object(out, "parts");
    for (size_t i = 0; i < PRICE_PARTS; i++) {
        json_begin_object(out, names[i]);
        put_number(out, "stated", c->parts[i].stated_u6);
        put_number(out, "recalculated", c->parts[i].reckoned_u6);
        json_end_object(out);
    }
    json_end_object(out);
}

static void put_findings(struct text *out, const struct cdr_check *c)
{
    json_begin_array(out, "findings");
    for (size_t i = 0; i < c->finding_count; i++) {
        const struct cdr_finding *f = &c->findings[i];
        json_begin_object(out, NULL);
        json_put_text(out, "name", f->name);
        json_put_text(out, "class", cdr_class_name(f->class));
        json_put_text(out, "text", f->text);
        json_put_text(out, "where", f->where);
        json_end_object(out);
    }
    json_end_array(out);
}

void cdr_check_print(const struct cdr_check *c, struct text *out, const char *key)
{
    json_begin_object(out, key);
    json_put_text(out, "class", cdr_class_name(c->class));
    json_put_int(out, "engine", CDR_CHECK_ENGINE);
    json_put_text(out, "by", !c->reckoned ? NULL : c->by_own_tariff ? "cdr" : "start");
    put_number(out, "net", c->net_u6);
    put_number(out, "gross", c->gross_u6);
    put_number(out, "delta", c->delta_u6);
    put_number(out, "delta_percent", c->delta_percent_u4 * 100);
    put_findings(out, c);
    put_parts(out, c);
    if (c->reckoned)
        put_lines(out, &c->price);
    json_end_object(out);
}
