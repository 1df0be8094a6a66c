/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the receipt of a CDR.
 *
 *    rate of the country, at the end of the supply
 *      --> lines: by the quote, or as the CDR states them
 *      --> not more than the receipt it replaces, unless users have agreed to that
 *      --> what else a receipt says --> canonical text
 */
#include "hub/finance/cdr_receipt.h"

#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/time.h"
#include "hub/finance/receipt_content.h"
#include "hub/finance/zones.h"
#include "hub/settings.h"
#include "ocpi/retail.h"

__extension__ typedef __int128 wide; /* the compiler's own type has no name without a warning */

enum { PER_U4 = 100 /* six decimals to four */, SECONDS_PER_MINUTE = 60 };
static const int64_t WHOLE_U4 = 1000000; /* 100 % */

struct making {
    const struct cdr_pricing *in;
    const struct cdr_findings *found;
    struct arena *arena;
    int64_t start_us, end_us;    /* TIME_NONE: nobody knows */
    int64_t work_left;           /* of what may be spent on reckoning this CDR */
    struct retail_tariff *quote; /* NULL: the network's price is passed through */
    struct retail_price retail;
    struct cdr_receipt *ret;
    const char *notes[RECEIPT_NOTES_MAX];
    size_t note_count;
};

static void note(struct making *m, const char *code)
{
    m->notes[m->note_count++] = code;
}

/* ---- times ---- */

/* The network's, unless it does not know them (R-CDR-15): then ours are the best. */
static void settle_times(struct making *m)
{
    const struct price_record *r = m->found->record;
    const struct cdr_context *c = m->in->context;

    m->start_us = r->start_us != CDR_TIME_UNKNOWN ? r->start_us : c->session_start_us;
    m->end_us = r->end_us != CDR_TIME_UNKNOWN ? r->end_us : c->session_end_us;
    if (m->end_us != TIME_NONE && (m->start_us == TIME_NONE || m->start_us > m->end_us))
        m->start_us = m->end_us;
}

static struct receipt_time local(const struct making *m, int64_t us)
{
    if (us == TIME_NONE)
        return (struct receipt_time){TIME_NONE, 0};
    int32_t offset = zones_offset(m->found->facts->zone, us);
    return (struct receipt_time){us, offset - offset % SECONDS_PER_MINUTE};
}

static void measure(struct making *m)
{
    const struct price_history *h = &m->found->check->history;
    struct cdr_receipt *ret = m->ret;

    if (m->start_us != TIME_NONE && m->end_us != TIME_NONE)
        ret->duration_s = (m->end_us - m->start_us) / US_PER_SECOND;
    ret->charging_s = ret->parking_s = h->periods.count ? 0 : -1;
    for (size_t i = 0; i < h->periods.count; i++) {
        ret->charging_s += h->periods.at[i].charging_s;
        ret->parking_s += h->periods.at[i].parking_s;
    }
}

/* ---- VAT ---- */

/* [{from, until, rate}]; days are local ones, `until` is exclusive. */
static int64_t rate_at(struct making *m)
{
    const char *text = m->in->context->vat;
    char day[TIME_TEXT];
    json_t *rates, *rate;
    int64_t rate_u6;
    size_t i;

    if (!text || m->end_us == TIME_NONE ||
        failed(json_read(m->arena, text, strlen(text), 0, &rates)))
        return NUMBER_NONE;
    zones_day(m->found->facts->zone, m->end_us, day);
    json_array_foreach(rates, i, rate)
    {
        const char *from = json_text_of(rate, "from"), *until = json_text_of(rate, "until");
        const char *value = json_text_of(rate, "rate");
        if (from && value && strcmp(from, day) <= 0 && (!until || strcmp(day, until) < 0) &&
            decimal_parse_u6(value, &rate_u6))
            return rate_u6 / PER_U4;
    }
    return NUMBER_NONE;
}

/* ---- lines ---- */

static struct err read_quote(struct making *m)
{
    const char *text = m->in->context->quote;
    json_t *json;

    if (!text)
        return OK;
    TRY(json_read(m->arena, text, strlen(text), 0, &json));
    m->quote = arena_alloc(m->arena, sizeof *m->quote);
    return retail_tariff_read(json, m->arena, m->quote);
}

static struct err bill_by_quote(struct making *m)
{
    struct retail_facts facts = retail_facts_of(&m->found->check->history);

    facts.energy_u6 = m->found->record->kwh;
    facts.start_us = m->start_us == TIME_NONE ? 0 : m->start_us;
    facts.end_us = m->end_us == TIME_NONE ? facts.start_us : m->end_us;
    facts.vat_u4 = m->ret->vat_u4;
    TRY(retail_price(m->quote, &facts, m->arena, &m->retail));
    m->ret->bill = m->retail.bill;
    if (m->retail.is_void)
        note(m, "void_session");
    if (m->retail.excess_s > 0)
        note(m, "max_charging_time");
    return OK;
}

static struct err bill_by_record(struct making *m, const struct price_record *r)
{
    bool known = m->ret->vat_u4 != NUMBER_NONE;

    if (!known && r->cost_incl == NUMBER_NONE)
        note(m, "vat_unknown");
    return bill_of_record(r, known ? m->ret->vat_u4 : 0, m->arena, &m->ret->bill);
}

/* ---- a disputed sum ---- */

/* What it costs by the tariff that the user was shown: the one of the start, where the network has
 * come with another since. false: nobody can say. */
static bool reckon_shown(struct making *m, struct price *ret)
{
    const struct cdr_check *check = m->found->check;
    const struct cdr_facts *facts = m->found->facts;
    struct price_history history;

    if (!check->reckoned)
        return false;
    *ret = check->price;
    if (!cdr_check_find(check, CDR_FINDING_tariff_changed))
        return true;
    if (failed(price_history_of(m->found->record, facts->start_tariffs, facts->start_tariff_count,
                                m->arena, &history)))
        return false;
    history.work = &m->work_left;
    return !failed(price_reckon(facts->start_tariffs, facts->start_tariff_count, &history,
                                facts->zone, m->arena, ret));
}

static int64_t with_tax(int64_t net_u6, int64_t vat_u4)
{
    wide gross = (wide)net_u6 * (WHOLE_U4 + vat_u4) / WHOLE_U4;

    return net_u6 == NUMBER_NONE || vat_u4 == NUMBER_NONE || gross > INT64_MAX ? NUMBER_NONE
                                                                               : (int64_t)gross;
}

static int64_t payable(const struct price_record *r)
{
    return r->cost_incl == NUMBER_NONE ? r->cost_excl : r->cost_incl;
}

static void take_part(struct price_record *r, enum price_part part, const struct price_total *t)
{
    r->parts[part] = (struct price_stated){t->excl, t->incl};
}

/* The record as it would be by that price: with taxes if it is told with them. false: the price
 * does not say. */
static bool restate(const struct making *m, const struct price *p, struct price_record *ret)
{
    *ret = *m->found->record;
    bool with_taxes = ret->cost_incl != NUMBER_NONE;

    ret->cost_excl = p->excl;
    ret->cost_incl = NUMBER_NONE;
    if (with_taxes) {
        ret->cost_incl = p->incl == NUMBER_NONE ? with_tax(p->excl, m->ret->vat_u4) : p->incl;
        if (ret->cost_incl == NUMBER_NONE)
            return false;
        if (ret->cost_excl == NUMBER_NONE) {
            ret->cost_excl = ret->cost_incl;
            ret->cost_incl = NUMBER_NONE;
        }
    }
    take_part(ret, PRICE_PART_FIXED, &p->totals[PRICE_FLAT]);
    take_part(ret, PRICE_PART_ENERGY, &p->totals[PRICE_ENERGY]);
    take_part(ret, PRICE_PART_TIME, &p->totals[PRICE_CHARGING]);
    take_part(ret, PRICE_PART_PARKING, &p->totals[PRICE_PARKING]);
    /* Two kinds in one: a document that has them is told in one sum. */
    take_part(ret, PRICE_PART_RESERVATION, &p->totals[PRICE_RESERVATION]);
    return ret->cost_excl != NUMBER_NONE;
}

/* Without a quote the user pays what the network states, which is no price when it is disputed:
 * then what is less, that or what the tariff comes to. */
static struct err bill_without_quote(struct making *m)
{
    const struct price_record *stated = m->found->record;
    struct price_record shown;
    struct price price;

    if (m->found->check->class != CDR_DISPUTE || m->in->manual) /* two persons vouch for it */
        return bill_by_record(m, stated);
    if (!reckon_shown(m, &price) || !restate(m, &price, &shown)) {
        m->ret->unfounded = true;
        return bill_by_record(m, stated);
    }
    bool above = payable(stated) > payable(&shown);
    note(m, above ? "by_tariff" : "as_stated");
    return bill_by_record(m, above ? &shown : stated);
}

/* Lowers the document to the gross total that the user has seen already. */
static struct err not_above(struct making *m, int64_t most_minor)
{
    const struct bill b = m->ret->bill;
    struct bill_limits limits = BILL_NO_LIMITS;

    limits.max_gross_u6 = money_u6_from_minor(most_minor, b.currency);
    TRY(bill_new(b.currency, b.gross_priced, m->arena, &m->ret->bill));
    for (size_t i = 0; i < b.line_count; i++)
        bill_put(&m->ret->bill, b.lines[i]);
    return bill_add_up(&m->ret->bill, &limits, 0);
}

static struct err keep_promise(struct making *m)
{
    const struct cdr_context *c = m->in->context;
    struct bill *b = &m->ret->bill;

    if (!c->replaces || m->in->settings->collect_increase ||
        strcmp(c->replaced_currency, b->currency) != 0 || b->gross_minor <= c->replaced_minor ||
        c->replaced_minor < 0)
        return OK;
    note(m, "not_collected");
    return not_above(m, c->replaced_minor);
}

/* ---- the hub's loss ---- */

/* The history as it would be if the CPO had stopped in time: energy spread evenly. */
static struct price_history cut_at(const struct price_history *h, int64_t stop_us, struct arena *a)
{
    struct price_period *periods = arena_alloc(a, (h->periods.count + 1) * sizeof *periods);
    struct price_history cut = *h;
    size_t n = 0;

    for (size_t i = 0; i < h->periods.count; i++) {
        struct price_period p = h->periods.at[i];
        int64_t whole = p.end_us - p.start_us, left = stop_us - p.start_us;
        if (left <= 0)
            continue;
        if (left < whole) {
            int64_t whole_s = whole / US_PER_SECOND, left_s = left / US_PER_SECOND;
            if (whole_s <= 0 || p.energy > INT64_MAX / (left_s + 1))
                continue;
            p.energy = decimal_round_div(p.energy * left_s, whole_s);
            p.charging_s = p.charging_s < left_s ? p.charging_s : left_s;
            p.parking_s = p.parking_s < left_s - p.charging_s ? p.parking_s : left_s - p.charging_s;
            p.end_us = stop_us;
        }
        periods[n++] = p;
    }
    cut.periods.at = periods;
    cut.periods.count = n;
    return cut;
}

static int64_t loss_of(struct making *m)
{
    const struct cdr_check *check = m->found->check;
    const struct price_record *r = m->found->record;
    const struct cdr_facts *facts = m->found->facts;
    struct price_history in_time;
    struct price price;

    if (!m->quote || m->retail.excess_s <= 0 || !check->reckoned || check->net_u6 == NUMBER_NONE ||
        r->cost_excl == NUMBER_NONE)
        return 0;
    in_time = cut_at(&check->history, retail_stop_at(m->quote, m->start_us), m->arena);
    in_time.work = &m->work_left;
    const struct price_tariff *tariffs =
        check->by_own_tariff ? r->tariffs.at : facts->start_tariffs;
    size_t count = check->by_own_tariff ? r->tariffs.count : facts->start_tariff_count;
    if (failed(price_reckon(tariffs, count, &in_time, facts->zone, m->arena, &price)) ||
        price.excl == NUMBER_NONE || price.excl >= check->net_u6)
        return 0;
    int64_t loss = check->net_u6 - price.excl;
    return loss < r->cost_excl ? loss : r->cost_excl;
}

/* ---- what it says ---- */

static const struct receipt_meter *meter_of(struct making *m)
{
    const struct cdr_told *t = m->found->told;
    struct receipt_meter *meter = arena_alloc(m->arena, sizeof *meter);

    if (!t->is_signed)
        return NULL;
    *meter = (struct receipt_meter){
        .has_start = t->has_readings,
        .has_end = t->has_readings,
        .start_mwh = t->first_mwh,
        .end_mwh = t->last_mwh,
        .signed_url = t->signed_url,
        .signed_sha256 = t->signed_sha256,
    };
    return meter;
}

static struct receipt_party issuer_of(const struct making *m)
{
    const struct settings *s = m->in->settings;
    struct receipt_party p = {
        .name = s->issuer_name ? s->issuer_name : s->name,
        .address = s->issuer_address,
        .vat_id = m->in->context->vat_id ? m->in->context->vat_id : s->issuer_vat_id,
        .contact = s->issuer_contact,
    };

    while (p.address && p.address[p.address_count] && p.address_count < RECEIPT_ADDRESS_MAX)
        p.address_count++;
    return p;
}

static const char *first_of(const char *a, const char *b)
{
    return a && *a ? a : b;
}

static struct err print(struct making *m)
{
    const struct cdr_context *c = m->in->context;
    const struct cdr_told *t = m->found->told;
    const struct price_record *r = m->found->record;
    size_t length;

    struct receipt_content content = {
        .issuer = issuer_of(m),
        .network = c->network,
        .evse_id = c->evse_id,
        .place = {.name = first_of(t->name, c->place_name),
                  .address = first_of(t->address, c->place_address),
                  .postal_code = t->postal_code,
                  .city = first_of(t->city, c->place_city),
                  .country = m->found->country,
                  .time_zone = m->found->time_zone},
        .start = local(m, m->start_us),
        .end = local(m, m->end_us),
        .energy_mwh = r->kwh > 0 ? r->kwh : 0,
        .duration_s = m->ret->duration_s,
        .charging_s = m->ret->charging_s,
        .parking_s = m->ret->parking_s,
        .tariff_name = m->quote ? m->quote->name : NULL,
        .tariff_version = m->quote ? m->quote->version : 0,
        .tariff_mode =
            m->quote && c->quote_mode ? c->quote_mode : retail_mode_name(RETAIL_PASS_THROUGH),
        .bill = m->ret->bill,
        .session_id = c->session_id,
        .cdr_id = m->in->put->id,
        .meter = meter_of(m),
        .replaces = c->replaces,
        .notes = m->notes,
        .note_count = m->note_count,
    };
    return receipt_content_print(m->arena, &content, &m->ret->content, &length);
}

struct err cdr_receipt_make(const struct cdr_pricing *in, const struct cdr_findings *found,
                            struct arena *a, struct cdr_receipt *ret)
{
    struct making m = {
        .in = in, .found = found, .arena = a, .work_left = found->check->work_left, .ret = ret};

    *ret = (struct cdr_receipt){0};
    settle_times(&m);
    measure(&m);
    ret->vat_u4 = rate_at(&m);
    TRY(read_quote(&m));
    TRY(m.quote ? bill_by_quote(&m) : bill_without_quote(&m));
    TRY(keep_promise(&m));
    if (ret->bill.gross_minor == 0 && !m.retail.is_void)
        note(&m, "free_of_charge");
    if (in->manual)
        note(&m, "manual_record");
    ret->loss_u6 = loss_of(&m);
    return print(&m);
}

struct err cdr_receipt_cancel(const char *content, const char *number, struct arena *a,
                              const char **ret)
{
    struct receipt_content c;
    size_t length;

    TRY(receipt_content_read(a, content, strlen(content), &c));
    c.bill = bill_mirror(&c.bill, a);
    c.cancels = number;
    return receipt_content_print(a, &c, ret, &length);
}
