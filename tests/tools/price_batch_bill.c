/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Price-batch: a document of lines.
 *
 *   {"do": "bill", "currency": "EUR", "gross_priced": true, "vat": u4, "mirror": false,
 *    "lines": [[kind, unit, quantity, price, vat], ...],
 *    "limits": {"min_net": u6, "max_net": u6, "min_gross": u6, "max_gross": u6}}
 */
#include "base/arena.h"
#include "base/json.h"
#include "ocpi/bill.h"
#include "tests/tools/price_batch.h"

void batch_put_bill(struct text *out, const char *key, const struct bill *b)
{
    json_begin_object(out, key);
    json_put_text(out, "currency", b->currency);
    json_put_bool(out, "gross_priced", b->gross_priced);
    json_begin_array(out, "lines");
    for (size_t i = 0; i < b->line_count; i++) {
        const struct bill_line *l = &b->lines[i];
        json_begin_array(out, NULL);
        json_put_text(out, NULL, bill_kind_name(l->kind));
        json_put_text(out, NULL, bill_unit_name(l->unit));
        json_put_int(out, NULL, l->quantity_u6);
        batch_put(out, NULL, l->price_u6);
        json_put_int(out, NULL, l->vat_u4);
        json_put_int(out, NULL, l->amount_minor);
        json_put_int(out, NULL, l->net_minor);
        json_end_array(out);
    }
    json_end_array(out);
    json_begin_array(out, "groups");
    for (size_t i = 0; i < b->group_count; i++) {
        const struct bill_group *g = &b->groups[i];
        json_begin_array(out, NULL);
        json_put_int(out, NULL, g->vat_u4);
        json_put_int(out, NULL, g->net_minor);
        json_put_int(out, NULL, g->vat_minor);
        json_put_int(out, NULL, g->gross_minor);
        json_end_array(out);
    }
    json_end_array(out);
    json_put_int(out, "net", b->net_minor);
    json_put_int(out, "vat", b->vat_minor);
    json_put_int(out, "gross", b->gross_minor);
    json_end_object(out);
}

static struct err read_line(struct arena *a, const json_t *json, struct bill_line *ret)
{
    const char *kind, *unit;
    json_int_t quantity, price, vat;

    if (json_unpack((json_t *)(uintptr_t)json, "[s,s,I,I,I!]", &kind, &unit, &quantity, &price,
                    &vat) != 0)
        return err_at(a, ERR_BAD_FIELD, "/lines", "that is no line");
    *ret = (struct bill_line){
        .kind = bill_kind_parse(kind),
        .unit = bill_unit_parse(unit),
        .quantity_u6 = quantity,
        .price_u6 = price,
        .vat_u4 = vat,
    };
    return ret->kind == BILL_KIND_COUNT || ret->unit == BILL_UNIT_COUNT
               ? err_at(a, ERR_BAD_FIELD, "/lines", "there is no such kind or unit")
               : OK;
}

struct err batch_bill(struct arena *a, const json_t *ask, struct text *out)
{
    const char *currency = json_text_of(ask, "currency");
    const json_t *lines = json_array_of(ask, "lines"), *bounds = json_object_of(ask, "limits");
    struct bill_limits limits = {
        .min_net_u6 = batch_int(bounds, "min_net", NUMBER_NONE),
        .max_net_u6 = batch_int(bounds, "max_net", NUMBER_NONE),
        .min_gross_u6 = batch_int(bounds, "min_gross", NUMBER_NONE),
        .max_gross_u6 = batch_int(bounds, "max_gross", NUMBER_NONE),
    };
    struct bill b;

    if (!currency || !json_array_size(lines) || json_array_size(lines) > BILL_LINES_MAX)
        return err_at(a, ERR_BAD_FIELD, NULL, "a currency and not too many lines are required");
    TRY(bill_new(currency, json_is_true(json_object_get(ask, "gross_priced")), a, &b));
    for (size_t i = 0; i < json_array_size(lines); i++) {
        struct bill_line line;
        TRY(read_line(a, json_array_get(lines, i), &line));
        bill_put(&b, line);
    }
    TRY(bill_add_up(&b, &limits, batch_int(ask, "vat", 0)));
    if (json_is_true(json_object_get(ask, "mirror")))
        b = bill_mirror(&b, a);
    batch_put_bill(out, "bill", &b);
    return OK;
}
