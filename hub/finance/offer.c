/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offer: chosen from the retail book; what is made of the network's tariffs needs those, too.
 */
#include "hub/finance/offer.h"

#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "db/location.h"
#include "hub/finance/retail_book.h"
#include "hub/finance/zones.h"
#include "ocpi/price.h"

enum { DOCUMENT_VALUES = 100000, QUOTE_BYTES = 64 * 1024 };

enum flow_next offer_begin(struct flow *f, struct offer *o)
{
    return retail_book_get(f, &o->book);
}

enum flow_next offer_read(struct flow *f, struct offer *o)
{
    struct offer_place place = {
        .partner_id = o->evse->partner_id,
        .country_code = o->evse->country_code,
        .party_id = o->evse->party_id,
        .tariff_ids = o->connector->tariff_ids,
        .tariff_count = o->connector->tariff_count,
    };
    bool by_network = o->shown || retail_book_has_markup(o->book);

    if (!retail_book_has_groups(o->book) && !(by_network && place.tariff_count > 0))
        return FLOW_NEXT;
    if (!by_network)
        place.tariff_count = 0;
    return offer_context_read(f, o->user_id, &place, &o->context);
}

/* ---- the network's tariff ---- */

struct wholesale {
    const struct price_tariff *tariff; /* NULL: not known */
    const struct network_tariff *row;
    const struct zone *zone;
};

static struct wholesale wholesale_of(struct flow *f, const struct offer *o, int64_t start_us)
{
    struct arena *a = f->arena;
    size_t count = o->context.tariff_count, used = 0;
    struct price_tariff *tariffs = arena_alloc(a, sizeof(*tariffs) * (count + 1));
    const struct network_tariff **rows =
        arena_alloc(a, sizeof(struct network_tariff *) * (count + 1));
    struct wholesale w = {0};

    for (size_t i = 0; i < count; i++) {
        const struct network_tariff *t = &o->context.tariffs[i];
        json_t *document;

        struct err e = json_read(a, t->document, strlen(t->document), DOCUMENT_VALUES, &document);
        if (!failed(e))
            e = price_tariff_read(t->ocpi, document, a, &tariffs[used]);
        if (!failed(e))
            rows[used++] = t;
    }
    w.tariff = price_choose(tariffs, used, start_us, OCPI_TARIFF_NONE);
    if (w.tariff)
        w.row = rows[w.tariff - tariffs];
    w.zone = zones_find(o->evse->time_zone);
    return w;
}

/* The network's price as a markup of nothing: what is passed through, as well as it can be told
 * before. Its own VAT, else the country's. */
static bool pass_through_of(const struct offer *o, const struct price_tariff *t, int64_t start_us,
                            int32_t offset_s, struct retail_tariff *ret)
{
    int64_t vat_u6 = NUMBER_NONE, vat_u4 = 0;

    for (size_t i = 0; i < t->elements.count && vat_u6 == NUMBER_NONE; i++) {
        const struct ocpi_tariff_element *e = &t->elements.at[i];
        for (size_t k = 0; k < e->price_components.count && vat_u6 == NUMBER_NONE; k++)
            vat_u6 = e->price_components.at[k].vat;
    }
    if (vat_u6 != NUMBER_NONE)
        vat_u4 = vat_u6 / 100;
    else
        (void)retail_book_vat(o->book, o->evse->country, "consumer", start_us, offset_s, &vat_u4);
    *ret = (struct retail_tariff){
        .id = t->id,
        .version = 1,
        .name = t->id,
        .mode = RETAIL_MARKUP,
        .vat_u4 = vat_u4,
        .price_includes_vat = true,
        .parking_minute_price_u6 = NUMBER_NONE,
        .time_increment_s = 60,
        .max_charging_time = NUMBER_NONE,
        .min_price_u6 = NUMBER_NONE,
        .max_price_u6 = NUMBER_NONE,
        .valid_from_us = TIME_NONE,
        .valid_until_us = TIME_NONE,
    };
    return t->currency && text_copy(ret->currency, sizeof(ret->currency), t->currency);
}

/* ---- the choice ---- */

static bool price_by(struct flow *f, struct offer *o, const struct retail_tariff *t,
                     const struct wholesale *w, int64_t start_us)
{
    struct err e =
        retail_quote(t, w->tariff, w->zone, o->connector->power_w, start_us, f->arena, &o->price);

    if (failed(e) && o->quoted)
        log_line(LOG_WARN, "no firm price can be made by a retail tariff",
                 LOG_TEXT("tariff", t->id), LOG_TEXT("evse", o->evse->evse_id),
                 LOG_TEXT("text", err_text(e)));
    o->priced = !failed(e);
    o->mode = t->mode;
    if (o->priced && t->mode == RETAIL_MARKUP && w->row) {
        o->network_tariff = w->row->tariff;
        o->tariff_version = w->row->version;
    }
    return o->priced;
}

void offer_make(struct flow *f, struct offer *o, int64_t start_us)
{
    struct wholesale w = wholesale_of(f, o, start_us);
    const char *kind = o->connector->power_type;
    struct retail_where where = {
        .country = o->evse->country,
        .cpo = arena_printf(f->arena, "%s*%s", o->evse->country_code, o->evse->party_id),
        .power_class =
            retail_power_class_of(kind && strcmp(kind, "DC") == 0, o->connector->power_w),
        .user_group = o->context.user_group,
        .wholesale_currency = w.tariff ? w.tariff->currency : NULL,
        .start_us = start_us,
    };
    struct retail_tariff *candidates;
    int32_t offset_s = zones_offset(w.zone, start_us);
    size_t count =
        retail_book_candidates(f, o->book, o->evse->country, start_us, offset_s, &candidates);

    o->quoted = o->priced = false;
    for (;;) {
        const struct retail_tariff *t = retail_choose(candidates, count, &where);

        if (!t || t->mode == RETAIL_PASS_THROUGH)
            break;
        o->quoted = true;
        if (price_by(f, o, t, &w, start_us))
            return;
        o->quoted = false;
        size_t i = (size_t)(t - candidates);
        memmove(&candidates[i], &candidates[i + 1], sizeof(*candidates) * (--count - i));
    }
    struct retail_tariff passed;
    if (o->shown && w.tariff && pass_through_of(o, w.tariff, start_us, offset_s, &passed))
        (void)price_by(f, o, &passed, &w, start_us);
}

/* ---- what is kept ---- */

void offer_quote(struct flow *f, const struct offer *o, const char *language,
                 struct session_quote *ret)
{
    const struct retail_tariff *t = &o->price;
    struct text document;

    text_init(&document, f->arena, QUOTE_BYTES);
    retail_tariff_print(t, &document, NULL);
    *ret = (struct session_quote){
        .retail_tariff = t->id,
        .retail_version = t->version,
        .mode = retail_mode_name(o->mode),
        .document = document.bytes,
        .language = language,
        .country = o->evse->country ? o->evse->country : "",
        .network_tariff = o->network_tariff,
        .tariff_version = o->tariff_version,
        .max_minutes = t->max_charging_time == NUMBER_NONE ? 0 : t->max_charging_time,
        .parks = t->grace_minutes > 0 || t->parking_minute_price_u6 != NUMBER_NONE,
    };
    id_sha256_hex(document.bytes, document.length, ret->hash);
}

const char *offer_language(const char *accept_language)
{
    static const char *const KNOWN[] = {"en", "de", "fi"};
    const char *at = accept_language;

    while (at && *at) {
        at += strspn(at, " ,");
        for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
            if ((at[0] | 0x20) == KNOWN[i][0] && (at[1] | 0x20) == KNOWN[i][1] &&
                (at[2] == '\0' || strchr("-,; ", at[2])))
                return KNOWN[i];
        }
        at += strcspn(at, ",");
    }
    return "en";
}
