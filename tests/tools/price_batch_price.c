/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Price-batch: a Session or CDR and its tariffs.
 *
 *   {"do": "price", "version": of the record, "record": ..., "tariffs": [...], "zone": ...,
 *    "tariff_version": where it is another one, "bill": VAT of components without one, percent with
 *    four decimals; makes a document of it}
 *
 * Without "tariffs" those of the CDR count. Each line is answered as
 * [kind, tariff, element, component, used, billed, excl, incl], each total without the first four.
 */
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "ocpi/bill.h"
#include "ocpi/price.h"
#include "tests/tools/price_batch.h"

static struct err read_tariffs(struct arena *a, const json_t *ask, enum ocpi_version version,
                               const struct price_record *record,
                               const struct price_tariff **ret_tariffs, size_t *ret_count)
{
    const json_t *documents = json_array_of(ask, "tariffs");
    size_t count = json_array_size(documents);

    if (!documents) {
        *ret_tariffs = record->tariffs.at;
        *ret_count = record->tariffs.count;
        return OK;
    }
    struct price_tariff *tariffs = arena_alloc(a, (count + 1) * sizeof *tariffs);
    for (size_t i = 0; i < count; i++)
        TRY(price_tariff_read(version, json_array_get(documents, i), a, &tariffs[i]));
    *ret_tariffs = tariffs;
    *ret_count = count;
    return OK;
}

static void put_lines(struct text *out, const struct price *p)
{
    json_begin_array(out, "lines");
    for (size_t i = 0; i < p->line_count; i++) {
        const struct price_line *l = &p->lines[i];
        json_begin_array(out, NULL);
        json_put_text(out, NULL, price_kind_name(l->kind));
        json_put_int(out, NULL, (int64_t)l->tariff);
        json_put_int(out, NULL, (int64_t)l->element);
        json_put_int(out, NULL, (int64_t)l->component);
        json_put_int(out, NULL, l->used);
        json_put_int(out, NULL, l->billed);
        batch_put(out, NULL, l->excl);
        batch_put(out, NULL, l->incl);
        json_end_array(out);
    }
    json_end_array(out);
}

static void put_totals(struct text *out, const struct price *p)
{
    json_begin_object(out, "totals");
    for (unsigned kind = 0; kind < PRICE_KINDS; kind++) {
        const struct price_total *t = &p->totals[kind];
        json_begin_array(out, price_kind_name((enum price_kind)kind));
        json_put_int(out, NULL, t->used);
        json_put_int(out, NULL, t->billed);
        batch_put(out, NULL, t->excl);
        batch_put(out, NULL, t->incl);
        json_end_array(out);
    }
    json_end_object(out);
}

static void put_notes(struct text *out, unsigned notes)
{
    json_begin_array(out, "notes");
    for (unsigned note = 0; note < PRICE_NOTE_COUNT; note++) {
        if (notes >> note & 1)
            json_put_text(out, NULL, price_note_name((enum price_note)note));
    }
    json_end_array(out);
}

struct err batch_price(struct arena *a, const json_t *ask, struct text *out)
{
    const char *of_record = json_text_of(ask, "version");
    const char *of_tariffs = json_text_of(ask, "tariff_version");
    struct price_record record;
    const struct price_tariff *tariffs;
    size_t count;
    const struct zone *zone;
    struct price_history history;
    struct price price;

    if (!of_record)
        return err_at(a, ERR_BAD_FIELD, "/version", "is required");
    TRY(price_record_read(version_parse(of_record), json_object_of(ask, "record"), a, &record));
    TRY(read_tariffs(a, ask, version_parse(of_tariffs ? of_tariffs : of_record), &record, &tariffs,
                     &count));
    TRY(batch_zone(a, ask, &zone));
    TRY(price_history_of(&record, tariffs, count, a, &history));
    TRY(price_reckon(tariffs, count, &history, zone, a, &price));

    json_put_text(out, "currency", price.currency);
    batch_put(out, "excl", price.excl);
    batch_put(out, "incl", price.incl);
    batch_put(out, "unlimited_excl", price.unlimited_excl);
    batch_put(out, "unlimited_incl", price.unlimited_incl);
    put_lines(out, &price);
    put_totals(out, &price);
    put_notes(out, price.notes | price_record_check(&record));
    if (json_object_get(ask, "bill")) {
        struct bill bill;
        TRY(bill_of_price(&price, tariffs, batch_int(ask, "bill", 0), a, &bill));
        batch_put_bill(out, "bill", &bill);
    }
    return OK;
}
