/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pricing of a CDR.
 *
 *    document --> record --> check against the session and its tariff --> class
 *                        --> receipt, where there is a session to bill
 *             credit     --> the cancellation of its original's receipt
 */
#include "hub/finance/cdr_price.h"

#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "hub/finance/cdr_receipt.h"
#include "hub/finance/cdr_told.h"
#include "hub/finance/zones.h"
#include "hub/settings.h"
#include "ocpi/object.h"
#include "ocpi/translate/translate.h"

static const char ENGINE[] = "price-1"; /* another number where it may come to other results */

enum {
    TEXT_BYTES = 1024 * 1024,
    DOCUMENT_VALUES = 1000000, /* as stored objects may have */
    PER_U4 = 100,
    MS_PER_SECOND = 1000
};

/* What partners with quirks are allowed was checked when it came. */
static const struct object_leniency ALL = {
    .offset_times = true, .long_text = true, .unknown_words = true, .numbers_as_text = true};

struct pricing {
    const struct cdr_pricing *in;
    struct arena *arena;
    enum ocpi_version version;
    struct price_record record;
    bool readable;
    struct cdr_told told;
    struct cdr_facts facts;
    struct cdr_limits limits;
    struct cdr_check check;
    struct cdr_receipt receipt;
    bool has_receipt;
    const char *country, *time_zone;
    const char *cancellation, *credit_fault;
    enum cdr_class class;
    const char *why;
};

/* ---- the record ---- */

/* By the strict table of its version; what only a lenient one takes is seen as 2.2.1. */
static struct err read_record(enum ocpi_version version, const json_t *document,
                              const struct cdr_put *put, struct arena *a, struct price_record *ret)
{
    struct translation_facts facts = {
        .country_code = put->country_code,
        .party_id = put->party_id,
        .token_country_code = put->country_code,
        .token_party_id = put->party_id,
    };
    struct ocpi_cdr *cdr = arena_alloc(a, sizeof *cdr);
    struct translation t;

    if (!failed(price_record_read(version, document, a, ret)) && ret->cdr)
        return OK;
    TRY(translate("CDR", version, OCPI_2_2_1, document, &facts, a, &t));
    if (!t.document)
        return err_new(ERR_BAD_FIELD);
    TRY(object_parse_lenient(&ocpi_cdr_type, t.document, &ALL, a, cdr));
    *ret = price_record_of_cdr(cdr, a);
    return OK;
}

/* ---- facts ---- */

static struct err read_start_tariff(struct pricing *p, const json_t *entry,
                                    struct price_tariff *ret)
{
    const char *text = json_text_of(entry, "document");
    json_t *document;

    if (!text)
        return err_at(p->arena, ERR_TOO_LARGE, NULL, "together they are too long");
    TRY(json_read(p->arena, text, strlen(text), DOCUMENT_VALUES, &document));
    return price_tariff_read_lenient(version_parse(json_text_of(entry, "ocpi")), document, &ALL,
                                     p->arena, ret);
}

/* [{document, ocpi}]; the one that counts at the start comes first. */
static struct err take_start_tariffs(struct pricing *p)
{
    const char *text = p->in->context->tariffs;
    json_t *list, *entry;
    size_t i, n = 0;

    if (!text)
        return OK;
    TRY(json_read_own(p->arena, text, &list));
    struct price_tariff *tariffs =
        arena_alloc(p->arena, (json_array_size(list) + 1) * sizeof *tariffs);
    json_array_foreach(list, i, entry)
    {
        struct err e = read_start_tariff(p, entry, &tariffs[n]);
        if (!failed(e))
            n++;
        else if (!p->facts.start_unreadable)
            p->facts.start_unreadable = err_text(e);
    }
    const struct price_tariff *chosen =
        n ? price_choose(tariffs, n, p->record.start_us, OCPI_TARIFF_NONE) : NULL;
    if (chosen && chosen != tariffs) {
        struct price_tariff first = *chosen;
        tariffs[chosen - tariffs] = tariffs[0];
        tariffs[0] = first;
    }
    p->facts.start_tariffs = tariffs;
    p->facts.start_tariff_count = n;
    return OK;
}

static struct err take_facts(struct pricing *p)
{
    const struct cdr_context *c = p->in->context;

    p->limits = cdr_limits_default(p->record.currency);
    if (c->has_limits) {
        p->limits.ok_u6 = c->ok_u6;
        p->limits.ok_percent_u4 = c->ok_percent_u4;
        p->limits.warn_u6 = c->warn_u6;
        p->limits.warn_percent_u4 = c->warn_percent_u4;
    }
    p->limits.power_percent = p->in->settings->power_tolerance;
    p->country = c->country ? c->country : p->told.country;
    p->facts = (struct cdr_facts){
        .now_us = p->in->received_us,
        .zone = zones_find(c->time_zone),
        .power_w = c->power_w,
        .session_energy_u6 = c->has_energy ? c->session_energy_mwh : NUMBER_NONE,
        .token_overlap = c->token_overlap,
        .evse_overlap = c->evse_overlap,
        .signed_energy_u6 =
            p->told.has_readings ? p->told.last_mwh - p->told.first_mwh : NUMBER_NONE,
        .limits = &p->limits,
    };
    if (p->facts.zone)
        p->time_zone = c->time_zone;
    return take_start_tariffs(p);
}

/* ---- class ---- */

static void judge(struct pricing *p)
{
    const struct cdr_put *put = p->in->put;

    if (!p->readable) {
        p->class = CDR_QUARANTINE;
        p->why = "it cannot be read as a record that can be priced";
        return;
    }
    p->class = p->check.class;
    for (size_t i = 0; i < p->check.finding_count && !p->why; i++)
        if (p->check.findings[i].class == p->class && p->class != CDR_OK)
            p->why = p->check.findings[i].text;
    for (size_t i = 0; i < p->check.finding_count && !p->why; i++)
        if (p->check.findings[i].kind == CDR_FINDING_cost_differs)
            p->why = p->check.findings[i].text;
    if (!put->plausible && p->class != CDR_QUARANTINE) {
        p->class = CDR_QUARANTINE;
        p->why = put->implausible_why;
    }
}

/* A credit repeats its original, which was checked when it came: what counts is that it is one, and
 * that it takes back the whole amount. */
static struct err price_credit(struct pricing *p)
{
    const struct cdr_context *c = p->in->context;
    struct price_record original;
    json_t *document;

    if (p->record.cost_excl > 0) {
        p->class = CDR_QUARANTINE;
        p->why = "a credit with a positive total";
    }
    if (c->original != CDR_ORIGINAL_OPEN)
        return OK;
    struct err e =
        json_read(p->arena, c->original_body, strlen(c->original_body), DOCUMENT_VALUES, &document);
    if (!failed(e))
        e = read_record(c->original_ocpi, document, p->in->put, p->arena, &original);
    p->credit_fault = failed(e) ? "credit_amount" : cdr_check_credit(&p->record, &original);
    if (p->credit_fault || !c->receipt_content)
        return OK;
    return cdr_receipt_cancel(c->receipt_content, c->receipt_number, p->arena, &p->cancellation);
}

static void price_charge(struct pricing *p)
{
    const struct cdr_findings found = {&p->record, &p->check,  &p->facts,
                                       &p->told,   p->country, p->time_zone};

    cdr_check_document(p->version, p->in->document, &p->record, &p->facts, p->arena, &p->check);
    judge(p);
    if (!p->in->context->session_id[0])
        return;
    struct err e = cdr_receipt_make(p->in, &found, p->arena, &p->receipt);
    p->has_receipt = !failed(e);
    if (failed(e)) {
        p->class = CDR_QUARANTINE;
        p->why = arena_printf(p->arena, "no receipt can be made: %s", err_text(e));
    } else if (p->receipt.unfounded && p->class == CDR_DISPUTE) {
        p->class = CDR_QUARANTINE;
        p->why = "a disputed sum: no price was quoted, and no tariff gives one to hold it against";
    }
}

/* ---- what is filed ---- */

static void put_number(struct text *t, const char *key, int64_t value)
{
    if (value == NUMBER_NONE)
        json_put_null(t, key);
    else
        json_put_int(t, key, value);
}

static void print_findings(const struct pricing *p, struct text *t)
{
    bool told = false;

    json_begin_array(t, "findings");
    for (size_t i = 0; p->readable && i < p->check.finding_count; i++) {
        const struct cdr_finding *x = &p->check.findings[i];
        json_begin_object(t, NULL);
        json_put_text(t, "name", x->name);
        json_put_text(t, "class", cdr_class_name(x->class));
        json_put_text(t, "text", x->text);
        json_put_text(t, "where", x->where);
        json_end_object(t);
        told |= x->text == p->why;
    }
    if (p->why && !told) {
        json_begin_object(t, NULL);
        json_put_text(t, "name", "other");
        json_put_text(t, "class", cdr_class_name(p->class));
        json_put_text(t, "text", p->why);
        json_put_null(t, "where");
        json_end_object(t);
    }
    json_end_array(t);
}

/* With the document, the tariffs of the start and the quote, which are kept, it can be done again.
 */
static void print_calculation(const struct pricing *p, bool whole, struct text *t)
{
    char time[TIME_TEXT];

    json_begin_object(t, "calculation");
    json_put_text(t, "received", time_print_micros(time, p->in->received_us));
    json_put_text(t, "time_zone", p->time_zone);
    put_number(t, "power_w", p->facts.power_w);
    put_number(t, "session_energy_u6", p->facts.session_energy_u6);
    put_number(t, "signed_energy_u6", p->facts.signed_energy_u6);
    json_begin_object(t, "limits");
    json_put_int(t, "ok_u6", p->limits.ok_u6);
    json_put_int(t, "ok_percent_u4", p->limits.ok_percent_u4);
    json_put_int(t, "warn_u6", p->limits.warn_u6);
    json_put_int(t, "warn_percent_u4", p->limits.warn_percent_u4);
    json_put_int(t, "power_percent", p->limits.power_percent);
    json_end_object(t);
    if (p->readable && !p->record.credit && whole)
        cdr_check_print(&p->check, t, "check");
    if (p->has_receipt) {
        put_number(t, "vat_u4", p->receipt.vat_u4);
        json_put_int(t, "loss_u6", p->receipt.loss_u6);
    }
    json_end_object(t);
}

static const char *rate_text(char buffer[DECIMAL_TEXT], int64_t vat_u4)
{
    return decimal_print_u6(buffer, vat_u4 * PER_U4, 0, 4);
}

/* Debits are positive. */
static void print_receipt(const struct pricing *p, struct text *t)
{
    const struct bill *b = &p->receipt.bill;
    const char *country = p->country ? p->country : "none";
    char rate[DECIMAL_TEXT];

    json_begin_object(t, "receipt");
    json_put_text(t, "content", p->receipt.content);
    json_put_text(t, "currency", b->currency);
    json_put_int(t, "gross_minor", b->gross_minor);
    json_put_int(t, "net_minor", b->net_minor);
    json_put_int(t, "vat_minor", b->vat_minor);
    json_begin_array(t, "accounts");
    json_put_text(t, NULL, "receivable");
    for (size_t i = 0; i < b->group_count; i++) {
        rate_text(rate, b->groups[i].vat_u4);
        json_put_text(t, NULL, arena_printf(p->arena, "revenue:%s:%s", country, rate));
        json_put_text(t, NULL, arena_printf(p->arena, "vat:%s:%s", country, rate));
    }
    json_end_array(t);
    json_begin_array(t, "amounts_u6");
    json_put_int(t, NULL, money_u6_from_minor(b->gross_minor, b->currency));
    for (size_t i = 0; i < b->group_count; i++) {
        json_put_int(t, NULL, -money_u6_from_minor(b->groups[i].net_minor, b->currency));
        json_put_int(t, NULL, -money_u6_from_minor(b->groups[i].vat_minor, b->currency));
    }
    json_end_array(t);
    json_end_object(t);
}

/* A token of ours, or of nobody we know: the latter is for a person to look at. */
static bool is_ours(const struct pricing *p)
{
    const struct cdr_put *put = p->in->put;
    const struct settings *s = p->in->settings;

    return !put->token_country_code || !put->token_party_id ||
           (text_equal_caseless(put->token_country_code, s->country_code) &&
            text_equal_caseless(put->token_party_id, s->party_id));
}

/* Of its end, by the clocks of the place; NULL: nobody knows, or no year that a charge has. */
static const char *supply_day(const struct pricing *p, char day[TIME_TEXT])
{
    int64_t end_us = p->readable ? p->record.end_us : TIME_NONE;

    if (end_us == TIME_NONE || end_us == CDR_TIME_UNKNOWN)
        end_us = p->in->context->session_id[0] ? p->in->context->session_end_us : TIME_NONE;
    if (end_us == TIME_NONE || end_us < CDR_EARLIEST_US || end_us >= CDR_LATEST_US)
        return NULL;
    return zones_day(p->facts.zone, end_us, day);
}

static void print(const struct pricing *p, bool whole, struct text *t)
{
    char day[TIME_TEXT];

    json_begin_object(t, NULL);
    json_put_text(t, "situation", p->in->context->situation);
    json_put_text(t, "class", cdr_class_name(p->class));
    json_put_text(t, "why", p->why);
    print_findings(p, t);
    put_number(t, "recalculated_u6", p->check.reckoned ? p->check.net_u6 : NUMBER_NONE);
    put_number(t, "difference_u6",
               p->check.reckoned && p->check.net_u6 != NUMBER_NONE ? p->check.delta_u6
                                                                   : NUMBER_NONE);
    print_calculation(p, whole, t);
    json_put_text(t, "engine", ENGINE);
    json_put_text(t, "tz_version", zones_version());
    json_put_text(t, "country", p->country);
    if (p->has_receipt) {
        json_put_int(t, "duration_s", p->receipt.duration_s);
        put_number(t, "charging_s",
                   p->receipt.charging_s < 0 ? NUMBER_NONE : p->receipt.charging_s);
        put_number(t, "parking_s", p->receipt.parking_s < 0 ? NUMBER_NONE : p->receipt.parking_s);
        print_receipt(p, t);
    }
    json_put_text(t, "supply_day", supply_day(p, day));
    json_put_bool(t, "ours", is_ours(p));
    json_put_text(t, "credit_fault", p->credit_fault);
    json_put_text(t, "cancellation", p->cancellation);
    json_put_int(t, "hold_s", p->in->settings->cancellation_hold_ms / MS_PER_SECOND);
    json_end_object(t);
}

struct err cdr_price(const struct cdr_pricing *in, struct arena *a, struct cdr_priced *ret)
{
    struct pricing *p = arena_alloc(a, sizeof *p);
    struct text *text = arena_alloc(a, sizeof *text);

    *p = (struct pricing){.in = in, .arena = a};
    p->version = in->put->ocpi == OCPI_VERSION_NONE ? OCPI_2_2_1 : in->put->ocpi;
    p->told = cdr_told(in->document, a);
    p->readable = !failed(read_record(p->version, in->document, in->put, a, &p->record));
    if (p->readable) {
        p->record.credit = in->put->credit;
        TRY(take_facts(p));
        if (in->put->credit)
            TRY(price_credit(p));
        else
            price_charge(p);
    } else {
        judge(p);
    }
    text_init(text, a, TEXT_BYTES);
    print(p, true, text);
    if (text_overflowed(text)) { /* thousands of lines: the result alone */
        text_init(text, a, TEXT_BYTES);
        print(p, false, text);
    }
    if (text_overflowed(text))
        return err_at(a, ERR_TOO_LARGE, NULL, "the calculation of the CDR is too long");
    *ret = (struct cdr_priced){
        .text = text->bytes,
        .class = p->class,
        .why = p->why,
        .unbillable = !p->has_receipt && !in->put->credit && in->context->session_id[0],
    };
    return OK;
}
