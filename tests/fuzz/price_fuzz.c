/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: pricing. The first byte chooses the version of the tariff and of the record, and
 * whether there is a time zone; the rest is JSON: {"tariff": ..., "record": ...}.
 * Whatever can be read is reckoned or refused, quickly; the lines add up, nothing is billed below
 * what was used, and nothing is used that did not happen.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/bill.h"
#include "ocpi/cdr_check.h"
#include "ocpi/price.h"
#include "ocpi/tariff_lint.h"
#include "tests/fake/zone_bytes.h"

enum { ARENA_MAX = 512 * 1024 * 1024, INPUT_MAX = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum ocpi_version versions[] = {OCPI_VERSION_NONE, OCPI_2_1_1, OCPI_2_2_1, OCPI_2_3_0};

static void check(const struct price *p)
{
    __extension__ __int128 excl = 0;
    bool known = true;
    int64_t billed[PRICE_KINDS] = {0};

    for (size_t i = 0; i < p->line_count; i++) {
        const struct price_line *l = &p->lines[i];
        assert(l->used >= 0 && l->billed >= l->used);
        assert((unsigned)l->kind < PRICE_KINDS);
        assert(!i || l->kind >= p->lines[i - 1].kind);
        billed[l->kind] += l->billed;
        known &= l->excl != NUMBER_NONE;
        excl += l->excl;
    }
    for (size_t kind = 0; kind < PRICE_KINDS; kind++)
        assert(billed[kind] == p->totals[kind].billed);
    assert(known == (p->unlimited_excl != NUMBER_NONE));
    /* Each line is rounded by itself, and so is the total. */
    if (known) {
        excl -= p->unlimited_excl;
        assert((excl < 0 ? -excl : excl) <= (int64_t)p->line_count + 1);
    }
    for (unsigned note = 0; note < PRICE_NOTE_COUNT; note++)
        assert(!(p->notes >> note & 1) || price_note_text(note));
}

/* Nothing is billed that did not happen, cut or not. */
static void check_volumes(const struct price *p, const struct price_history *h)
{
    __extension__ __int128 energy = 0, charging = 0, parking = 0, reservation = 0;

    for (size_t i = 0; i < h->periods.count; i++) {
        energy += h->periods.at[i].energy;
        charging += h->periods.at[i].charging_s;
        parking += h->periods.at[i].parking_s;
        reservation += h->periods.at[i].reservation_s;
    }
    assert(p->totals[PRICE_ENERGY].used <= energy);
    assert(p->totals[PRICE_CHARGING].used <= charging);
    assert(p->totals[PRICE_PARKING].used <= parking);
    assert(p->totals[PRICE_RESERVATION].used <= reservation);
    assert(p->totals[PRICE_FLAT].used <= 1);
    assert(p->totals[PRICE_RESERVATION_FLAT].used <= (h->expired ? 2 : 1));
}

static void check_bill(const struct bill *b)
{
    int64_t lines = 0;

    for (size_t i = 0; i < b->line_count; i++)
        lines += b->lines[i].amount_minor;
    assert(lines == (b->gross_priced ? b->gross_minor : b->net_minor));
    assert(b->net_minor + b->vat_minor == b->gross_minor);
}

static void lint(const struct price_tariff *tariff, struct arena *a)
{
    struct tariff_lint_facts facts = {.country_currency = "EUR", .country_vat_u4 = 190000};
    struct tariff_lints l;

    tariff_lint(tariff, &facts, a, &l);
    assert(l.findings.count <= TARIFF_LINTS_MAX);
    for (size_t i = 0; i < l.findings.count; i++)
        assert(l.findings.at[i].path[0] == '/' && l.findings.at[i].text);
}

static void check_record(const struct price_record *record, const struct price_tariff *tariff,
                         const struct zone *zone, struct arena *a)
{
    struct cdr_facts facts = {
        .now_us = INT64_C(1777881600) * US_PER_SECOND,
        .zone = zone,
        .start_tariffs = tariff,
        .start_tariff_count = tariff ? 1 : 0,
        .power_w = 22000,
        .session_energy_u6 = 10000000,
        .signed_energy_u6 = NUMBER_NONE,
    };
    struct cdr_check c;
    struct text out;
    struct bill b;

    cdr_check(record, &facts, a, &c);
    for (size_t i = 0; i < c.finding_count; i++)
        assert(c.class >= c.findings[i].class && c.findings[i].text);
    text_init(&out, a, ARENA_MAX / 16);
    cdr_check_print(&c, &out, NULL);
    if (!failed(bill_of_record(record, 190000, a, &b)))
        check_bill(&b);
}

static void price(const struct price_tariff *tariffs, size_t count,
                  const struct price_record *record, const struct zone *zone, struct arena *a)
{
    struct price_history h;
    struct price p;

    if (failed(price_history_of(record, tariffs, count, a, &h)))
        return;
    for (int cut = 0; cut < 2; cut++) {
        h.cut = cut;
        struct err e = price_reckon(tariffs, count, &h, zone, a, &p);
        assert(!failed(e) || e.kind == ERR_BAD_FIELD);
        if (failed(e))
            continue;
        check(&p);
        check_volumes(&p, &h);
        struct bill b;
        if (!failed(bill_of_price(&p, tariffs, 190000, a, &b)))
            check_bill(&b);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct price_tariff tariff;
    struct price_record record;
    struct arena *a;
    json_t *json;

    if (size < 1 || size > INPUT_MAX)
        return 0;
    a = arena_new(ARENA_MAX);
    if (!failed(json_read(a, (const char *)data + 1, size - 1, 0, &json)) &&
        !failed(price_record_read(versions[data[0] >> 2 & 3], json_object_get(json, "record"), a,
                                  &record))) {
        struct zone *zone = data[0] & 16 ? NULL : zone_of_rule(a, RULE_OF_BERLIN);
        (void)price_record_check(&record);
        check_record(&record, NULL, zone, a);
        if (!failed(price_tariff_read(versions[data[0] & 3], json_object_get(json, "tariff"), a,
                                      &tariff))) {
            lint(&tariff, a);
            check_record(&record, &tariff, zone, a);
            price(&tariff, 1, &record, zone, a);
            (void)price_choose(&tariff, 1, record.start_us, OCPI_TARIFF_NONE);
        }
        if (record.tariffs.count)
            price(record.tariffs.at, record.tariffs.count, &record, zone, a);
    }
    arena_free(a);
    return 0;
}
