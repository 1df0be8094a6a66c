/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a receipt says, to text and back.
 *
 * The writer decides the order of the keys; the reader takes any. Numbers are decimals of at most
 * 15 digits, which a JSON reader that goes through doubles still gives back exactly.
 */
#include "hub/finance/receipt_content.h"

#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

enum { TEXT_MAX = 4096 };

static const int64_t NUMBER_MAX_U6 = INT64_C(999999999999999); /* 15 digits */

/* ---- does it add up ---- */

const char *receipt_content_wrong(const struct receipt_content *c)
{
    const struct bill *b = &c->bill;
    int64_t lines = 0, net = 0, vat = 0, gross = 0;

    for (size_t i = 0; i < b->line_count; i++)
        lines += b->lines[i].amount_minor;
    for (size_t i = 0; i < b->group_count; i++) {
        const struct bill_group *g = &b->groups[i];
        if (g->net_minor + g->vat_minor != g->gross_minor)
            return "net and VAT of a rate do not make its gross";
        net += g->net_minor;
        vat += g->vat_minor;
        gross += g->gross_minor;
    }
    if (lines != (b->gross_priced ? b->gross_minor : b->net_minor))
        return "the lines do not make the total";
    if (net != b->net_minor || vat != b->vat_minor || gross != b->gross_minor)
        return "the VAT rates do not make the totals";
    if (b->net_minor + b->vat_minor != b->gross_minor)
        return "net and VAT do not make the gross total";
    return NULL;
}

/* ---- to text ---- */

struct writing {
    struct text t;
    const char *currency;
    bool too_large;
};

static void put_text(struct writing *w, const char *key, const char *value)
{
    if (value && strlen(value) > TEXT_MAX)
        w->too_large = true;
    else
        json_put_text(&w->t, key, value);
}

static void put_texts(struct writing *w, const char *key, const char *const *texts, size_t count,
                      size_t most)
{
    w->too_large |= count > most;
    json_begin_array(&w->t, key);
    for (size_t i = 0; i < count && i < most; i++)
        put_text(w, NULL, texts[i]);
    json_end_array(&w->t);
}

static void put_u6(struct writing *w, const char *key, int64_t value_u6)
{
    char number[DECIMAL_TEXT];

    w->too_large |= value_u6 > NUMBER_MAX_U6 || value_u6 < -NUMBER_MAX_U6;
    json_put_raw(&w->t, key, decimal_print_u6(number, value_u6, 0, 6));
}

static void put_money(struct writing *w, const char *key, int64_t minor)
{
    char number[DECIMAL_TEXT];
    int64_t most = NUMBER_MAX_U6 / 1000000;

    for (int i = currency_exponent(w->currency); i > 0; i--)
        most *= 10;
    w->too_large |= minor > most || minor < -most;
    json_put_raw(&w->t, key, money_print_minor(number, minor, w->currency));
}

static void put_rate(struct writing *w, const char *key, int64_t vat_u4)
{
    if (vat_u4 < 0 || vat_u4 > BILL_VAT_MAX_U4)
        w->too_large = true;
    else
        put_u6(w, key, vat_u4 * 100);
}

static void put_time(struct writing *w, const char *key, struct receipt_time at)
{
    char local[TIME_TEXT], zoned[TIME_TEXT + 16];
    int minutes = at.offset_s / 60, size = minutes < 0 ? -minutes : minutes;

    if (at.us == TIME_NONE) {
        json_put_null(&w->t, key);
        return;
    }
    if (minutes > 24 * 60 || minutes < -24 * 60) {
        w->too_large = true;
        return;
    }
    time_print_seconds(local, at.us + (int64_t)minutes * 60 * US_PER_SECOND);
    local[strcspn(local, "Z")] = '\0';
    snprintf(zoned, sizeof zoned, "%s%c%02d:%02d", local, minutes < 0 ? '-' : '+', size / 60,
             size % 60);
    json_put_text(&w->t, key, zoned);
}

static void put_seconds(struct writing *w, const char *key, int64_t seconds)
{
    if (seconds < 0)
        json_put_null(&w->t, key);
    else
        json_put_int(&w->t, key, seconds);
}

static void put_party(struct writing *w, const char *key, const struct receipt_party *p)
{
    if (!p) {
        json_put_null(&w->t, key);
        return;
    }
    json_begin_object(&w->t, key);
    put_text(w, "name", p->name);
    put_texts(w, "address", p->address, p->address_count, RECEIPT_ADDRESS_MAX);
    put_text(w, "vat_id", p->vat_id);
    put_text(w, "contact", p->contact);
    json_end_object(&w->t);
}

static void put_supply(struct writing *w, const struct receipt_content *c)
{
    json_begin_object(&w->t, "location");
    put_text(w, "name", c->place.name);
    put_text(w, "address", c->place.address);
    put_text(w, "postal_code", c->place.postal_code);
    put_text(w, "city", c->place.city);
    put_text(w, "country", c->place.country);
    put_text(w, "time_zone", c->place.time_zone);
    json_end_object(&w->t);
    json_begin_object(&w->t, "supply");
    put_time(w, "start", c->start);
    put_time(w, "end", c->end);
    put_u6(w, "energy_kwh", c->energy_mwh);
    put_seconds(w, "duration_s", c->duration_s);
    put_seconds(w, "charging_s", c->charging_s);
    put_seconds(w, "parking_s", c->parking_s);
    json_end_object(&w->t);
}

static void put_bill(struct writing *w, const struct bill *b)
{
    w->too_large |= b->line_count > BILL_LINES_MAX || b->group_count > RECEIPT_GROUPS_MAX;
    json_put_bool(&w->t, "price_includes_vat", b->gross_priced);
    json_begin_array(&w->t, "lines");
    for (size_t i = 0; i < b->line_count && !w->too_large; i++) {
        const struct bill_line *line = &b->lines[i];
        json_begin_object(&w->t, NULL);
        json_put_text(&w->t, "kind", bill_kind_name(line->kind));
        put_u6(w, "quantity", line->quantity_u6);
        json_put_text(&w->t, "unit", bill_unit_name(line->unit));
        json_put_int(&w->t, "from_minute", line->from_minute);
        if (line->price_u6 == NUMBER_NONE)
            json_put_null(&w->t, "price");
        else
            put_u6(w, "price", line->price_u6);
        put_money(w, "amount", line->amount_minor);
        put_money(w, "net", line->net_minor);
        put_rate(w, "vat_rate", line->vat_u4);
        json_end_object(&w->t);
    }
    json_end_array(&w->t);
    json_begin_array(&w->t, "vat");
    for (size_t i = 0; i < b->group_count && !w->too_large; i++) {
        const struct bill_group *g = &b->groups[i];
        json_begin_object(&w->t, NULL);
        put_rate(w, "rate", g->vat_u4);
        put_money(w, "net", g->net_minor);
        put_money(w, "amount", g->vat_minor);
        put_money(w, "gross", g->gross_minor);
        json_end_object(&w->t);
    }
    json_end_array(&w->t);
    json_put_text(&w->t, "currency", b->currency);
    put_money(w, "net", b->net_minor);
    put_money(w, "vat_total", b->vat_minor);
    put_money(w, "gross", b->gross_minor);
}

static void put_meter(struct writing *w, const struct receipt_meter *m)
{
    if (!m) {
        json_put_null(&w->t, "meter");
        return;
    }
    json_begin_object(&w->t, "meter");
    if (m->has_start)
        put_u6(w, "start_kwh", m->start_mwh);
    else
        json_put_null(&w->t, "start_kwh");
    if (m->has_end)
        put_u6(w, "end_kwh", m->end_mwh);
    else
        json_put_null(&w->t, "end_kwh");
    put_text(w, "signed_url", m->signed_url);
    put_text(w, "signed_sha256", m->signed_sha256);
    json_end_object(&w->t);
}

static void put_payment(struct writing *w, const struct receipt_content *c)
{
    if (!c->payment_state && !c->payment_means) {
        json_put_null(&w->t, "payment");
        return;
    }
    json_begin_object(&w->t, "payment");
    put_text(w, "state", c->payment_state);
    put_text(w, "means", c->payment_means);
    json_end_object(&w->t);
}

struct err receipt_content_print(struct arena *a, const struct receipt_content *c,
                                 const char **ret_text, size_t *ret_length)
{
    struct writing w = {.currency = c->bill.currency};

    text_init(&w.t, a, RECEIPT_CONTENT_MAX);
    json_begin_object(&w.t, NULL);
    put_party(&w, "issuer", &c->issuer);
    put_party(&w, "buyer", c->buyer);
    put_text(&w, "network", c->network);
    put_text(&w, "evse_id", c->evse_id);
    put_supply(&w, c);
    json_begin_object(&w.t, "tariff");
    put_text(&w, "name", c->tariff_name);
    json_put_int(&w.t, "version", c->tariff_version);
    put_text(&w, "mode", c->tariff_mode);
    json_end_object(&w.t);
    put_bill(&w, &c->bill);
    put_text(&w, "session_id", c->session_id);
    put_text(&w, "cdr_id", c->cdr_id);
    put_meter(&w, c->meter);
    put_text(&w, "cancels", c->cancels);
    put_text(&w, "replaces", c->replaces);
    put_payment(&w, c);
    put_texts(&w, "notes", c->notes, c->note_count, RECEIPT_NOTES_MAX);
    json_end_object(&w.t);
    if (w.too_large || text_overflowed(&w.t))
        return err_at(a, ERR_TOO_LARGE, NULL, "the receipt is larger than a receipt can be");
    *ret_text = w.t.bytes;
    *ret_length = w.t.length;
    return OK;
}

/* ---- and back ---- */

struct reading {
    struct arena *arena;
    const char *currency;
    const char *wrong; /* the first member that is */
};

static const char *get_text(struct reading *r, const json_t *object, const char *key)
{
    return arena_text(r->arena, json_text_of(object, key));
}

static int64_t get_u6(struct reading *r, const json_t *object, const char *key)
{
    int64_t value = 0;

    if (!json_number_u6(json_object_get(object, key), false, &value) && !r->wrong)
        r->wrong = key;
    return value;
}

static int64_t get_money(struct reading *r, const json_t *object, const char *key)
{
    int64_t u6 = get_u6(r, object, key), minor = money_minor_from_u6(u6, r->currency);

    if (money_u6_from_minor(minor, r->currency) != u6 && !r->wrong)
        r->wrong = key;
    return minor;
}

static int64_t get_rate(struct reading *r, const json_t *object, const char *key)
{
    return decimal_round_div(get_u6(r, object, key), 100);
}

static int64_t get_seconds(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? json_integer_value(value) : -1;
}

static struct receipt_time get_time(struct reading *r, const json_t *object, const char *key)
{
    struct receipt_time ret = {TIME_NONE, 0};
    const char *s = json_text_of(object, key);
    size_t length = s ? strlen(s) : 0;

    if (!s)
        return ret;
    if (length < 6 || !time_parse(s, TIME_RFC3339, &ret.us) || s[length - 3] != ':') {
        r->wrong = r->wrong ? r->wrong : key;
        return ret;
    }
    const char *zone = s + length - 6; /* "+02:00" */
    int minutes =
        (zone[1] - '0') * 600 + (zone[2] - '0') * 60 + (zone[4] - '0') * 10 + zone[5] - '0';
    ret.offset_s = 60 * (zone[0] == '-' ? -minutes : minutes);
    return ret;
}

static const char *const *get_texts(struct reading *r, const json_t *object, const char *key,
                                    size_t most, size_t *ret_count)
{
    const json_t *list = json_array_of(object, key);
    size_t count = list ? json_array_size(list) : 0;
    const char **texts;

    *ret_count = 0;
    if (count > most && !r->wrong)
        r->wrong = key;
    if (!count || count > most)
        return NULL;
    texts = arena_alloc(r->arena, count * sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text && !r->wrong)
            r->wrong = key;
        texts[i] = arena_text(r->arena, text ? text : "");
    }
    *ret_count = count;
    return texts;
}

static struct receipt_party get_party(struct reading *r, const json_t *o)
{
    struct receipt_party p = {.name = get_text(r, o, "name"),
                              .vat_id = get_text(r, o, "vat_id"),
                              .contact = get_text(r, o, "contact")};

    p.address = get_texts(r, o, "address", RECEIPT_ADDRESS_MAX, &p.address_count);
    return p;
}

static struct bill_line get_line(struct reading *r, const json_t *o)
{
    const char *kind = json_text_of(o, "kind"), *unit = json_text_of(o, "unit");
    struct bill_line line = {
        .kind = kind ? bill_kind_parse(kind) : BILL_KIND_COUNT,
        .unit = unit ? bill_unit_parse(unit) : BILL_UNIT_COUNT,
        .quantity_u6 = get_u6(r, o, "quantity"),
        .price_u6 = NUMBER_NONE,
        .vat_u4 = get_rate(r, o, "vat_rate"),
        .from_minute = json_integer_value(json_object_get(o, "from_minute")),
        .amount_minor = get_money(r, o, "amount"),
        .net_minor = get_money(r, o, "net"),
    };

    if (!json_is_null(json_object_get(o, "price")))
        line.price_u6 = get_u6(r, o, "price");
    if (line.kind == BILL_KIND_COUNT || line.unit == BILL_UNIT_COUNT)
        r->wrong = "lines";
    return line;
}

static void get_bill(struct reading *r, const json_t *root, struct bill *b)
{
    const json_t *lines = json_array_of(root, "lines"), *vat = json_array_of(root, "vat");

    if (!lines || json_array_size(lines) > BILL_LINES_MAX || !vat ||
        json_array_size(vat) > RECEIPT_GROUPS_MAX) {
        r->wrong = "lines";
        return;
    }
    b->arena = r->arena;
    b->gross_priced = json_is_true(json_object_get(root, "price_includes_vat"));
    b->line_count = b->line_room = json_array_size(lines);
    b->lines = arena_alloc(r->arena, (b->line_count + 1) * sizeof *b->lines);
    for (size_t i = 0; i < b->line_count; i++)
        b->lines[i] = get_line(r, json_array_get(lines, i));
    b->group_count = json_array_size(vat);
    b->groups = arena_alloc(r->arena, (b->group_count + 1) * sizeof *b->groups);
    for (size_t i = 0; i < b->group_count; i++) {
        const json_t *o = json_array_get(vat, i);
        b->groups[i] = (struct bill_group){
            .vat_u4 = get_rate(r, o, "rate"),
            .net_minor = get_money(r, o, "net"),
            .vat_minor = get_money(r, o, "amount"),
            .gross_minor = get_money(r, o, "gross"),
        };
    }
    b->net_minor = get_money(r, root, "net");
    b->vat_minor = get_money(r, root, "vat_total");
    b->gross_minor = get_money(r, root, "gross");
}

static const struct receipt_meter *get_meter(struct reading *r, const json_t *o)
{
    struct receipt_meter *m;

    if (!o)
        return NULL;
    m = arena_alloc(r->arena, sizeof *m);
    m->has_start = json_is_number(json_object_get(o, "start_kwh"));
    m->has_end = json_is_number(json_object_get(o, "end_kwh"));
    m->start_mwh = m->has_start ? get_u6(r, o, "start_kwh") : 0;
    m->end_mwh = m->has_end ? get_u6(r, o, "end_kwh") : 0;
    m->signed_url = get_text(r, o, "signed_url");
    m->signed_sha256 = get_text(r, o, "signed_sha256");
    return m;
}

static void get_session(struct reading *r, const json_t *root, struct receipt_content *c)
{
    const json_t *place = json_object_of(root, "location");
    const json_t *supply = json_object_of(root, "supply");
    const json_t *tariff = json_object_of(root, "tariff");

    c->network = get_text(r, root, "network");
    c->evse_id = get_text(r, root, "evse_id");
    c->place = (struct receipt_place){
        .name = get_text(r, place, "name"),
        .address = get_text(r, place, "address"),
        .postal_code = get_text(r, place, "postal_code"),
        .city = get_text(r, place, "city"),
        .country = get_text(r, place, "country"),
        .time_zone = get_text(r, place, "time_zone"),
    };
    c->start = get_time(r, supply, "start");
    c->end = get_time(r, supply, "end");
    c->energy_mwh = get_u6(r, supply, "energy_kwh");
    c->duration_s = get_seconds(supply, "duration_s");
    c->charging_s = get_seconds(supply, "charging_s");
    c->parking_s = get_seconds(supply, "parking_s");
    c->tariff_name = get_text(r, tariff, "name");
    c->tariff_mode = get_text(r, tariff, "mode");
    c->tariff_version = json_integer_value(json_object_get(tariff, "version"));
    c->session_id = get_text(r, root, "session_id");
    c->cdr_id = get_text(r, root, "cdr_id");
    c->meter = get_meter(r, json_object_of(root, "meter"));
}

struct err receipt_content_read(struct arena *a, const char *text, size_t length,
                                struct receipt_content *ret)
{
    struct reading r = {.arena = a};
    struct receipt_content c = {0};
    struct receipt_party *buyer = NULL;
    const json_t *payment;
    const char *currency;
    json_t *root;

    if (length > RECEIPT_CONTENT_MAX)
        return err_new(ERR_TOO_LARGE);
    TRY(json_read(a, text, length, 0, &root));
    currency = json_text_of(root, "currency");
    if (!currency || !currency_known(currency))
        return err_at(a, ERR_BAD_FIELD, "currency", "the receipt has no currency");
    text_copy(c.bill.currency, sizeof c.bill.currency, currency);
    r.currency = c.bill.currency;
    c.issuer = get_party(&r, json_object_of(root, "issuer"));
    if (json_object_of(root, "buyer")) {
        buyer = arena_alloc(a, sizeof *buyer);
        *buyer = get_party(&r, json_object_of(root, "buyer"));
    }
    c.buyer = buyer;
    get_session(&r, root, &c);
    get_bill(&r, root, &c.bill);
    c.cancels = get_text(&r, root, "cancels");
    c.replaces = get_text(&r, root, "replaces");
    payment = json_object_of(root, "payment");
    c.payment_state = get_text(&r, payment, "state");
    c.payment_means = get_text(&r, payment, "means");
    c.notes = get_texts(&r, root, "notes", RECEIPT_NOTES_MAX, &c.note_count);
    if (r.wrong)
        return err_at(a, ERR_BAD_FIELD, r.wrong, "the receipt's %s is missing or wrong", r.wrong);
    *ret = c;
    return OK;
}
