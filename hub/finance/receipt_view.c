/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receipt as it is laid out. What is not known is left out, never shown empty.
 */
#include "hub/finance/receipt_view.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

#define NBSP "\xC2\xA0"

struct making {
    struct arena *arena;
    enum receipt_language language;
    const struct receipt_content *content;
    struct receipt_view *view;
};

static const char *say(const struct making *m, enum receipt_word w)
{
    return receipt_word(m->language, w);
}

/* The length of a character that is not for display, at s, or 0. */
static size_t unseen(const char *s)
{
    const unsigned char *c = (const unsigned char *)s;

    if (c[0] < 0x20 || c[0] == 0x7F)
        return 1;
    if (c[0] == 0xC2 && c[1] < 0xA0) /* C1 controls */
        return 2;
    /* U+200E, 200F, 2028..202E: marks of direction, separators of lines; U+2066..2069: isolates */
    if (c[0] == 0xE2 && c[1] == 0x80 &&
        (c[2] == 0x8E || c[2] == 0x8F || (c[2] >= 0xA8 && c[2] <= 0xAE)))
        return 3;
    if (c[0] == 0xE2 && c[1] == 0x81 && c[2] >= 0xA6 && c[2] <= 0xA9)
        return 3;
    if (c[0] == 0xEF && c[1] == 0xBF && c[2] >= 0xBE) /* U+FFFE, FFFF: in no XML */
        return 3;
    return 0;
}

static const char *clean(const struct making *m, const char *text)
{
    struct text t;

    text_init(&t, m->arena, RECEIPT_CONTENT_MAX);
    if (!text_is_utf8(text, strlen(text))) {
        for (; *text; text++)
            text_add_bytes(&t, *text >= 0x20 && *text < 0x7F ? text : "?", 1);
        return t.bytes;
    }
    while (*text) {
        size_t bad = unseen(text);
        text_add_bytes(&t, bad ? " " : text, 1);
        text += bad ? bad : 1;
    }
    return t.bytes;
}

static void put(const struct making *m, struct receipt_facts *facts, enum receipt_word label,
                const char *text)
{
    if (text && *text && facts->count < RECEIPT_FACTS_MAX)
        facts->items[facts->count++] = (struct receipt_fact){say(m, label), clean(m, text)};
}

static const char *money(const struct making *m, int64_t minor)
{
    return receipt_money(m->arena, m->language, minor, m->content->bill.currency);
}

static const char *energy(const struct making *m, int64_t mwh)
{
    return receipt_quantity(m->arena, m->language, mwh, BILL_KWH);
}

/* "a, b, c" without what is missing. */
static void join(struct text *t, const char *between, const char *more)
{
    if (!more || !*more)
        return;
    if (t->length)
        text_add(t, between);
    text_add(t, more);
}

/* ---- who ---- */

static size_t put_party(const struct making *m, const struct receipt_party *p, const char **lines)
{
    size_t n = 0;

    for (size_t i = 0; i < p->address_count && i < RECEIPT_ADDRESS_MAX; i++)
        lines[n++] = clean(m, p->address[i]);
    if (p->vat_id)
        lines[n++] = clean(
            m, arena_printf(m->arena, "%s" NBSP "%s", say(m, RECEIPT_WORD_VAT_ID), p->vat_id));
    return n;
}

static void put_parties(const struct making *m)
{
    const struct receipt_content *c = m->content;
    struct receipt_view *v = m->view;
    struct text footer;

    v->issuer = clean(m, c->issuer.name ? c->issuer.name : "");
    v->issuer_line_count = put_party(m, &c->issuer, v->issuer_lines);
    if (c->buyer) {
        v->buyer_label = say(m, RECEIPT_WORD_BUYER);
        if (c->buyer->name)
            v->buyer_lines[v->buyer_line_count++] = clean(m, c->buyer->name);
        v->buyer_line_count += put_party(m, c->buyer, v->buyer_lines + v->buyer_line_count);
    }
    text_init(&footer, m->arena, 64 * 1024);
    text_add(&footer, v->issuer);
    for (size_t i = 0; i < v->issuer_line_count; i++)
        join(&footer, i + 1 == v->issuer_line_count && c->issuer.vat_id ? " · " : ", ",
             v->issuer_lines[i]);
    v->footer = footer.bytes;
}

/* ---- which document ---- */

static void put_document(const struct making *m, const struct receipt_document *d)
{
    const struct receipt_content *c = m->content;
    struct receipt_view *v = m->view;
    struct receipt_time issued = {d->issued_us, 0};

    v->cancellation = c->cancels;
    v->title = say(m, c->cancels ? RECEIPT_WORD_TITLE_CANCELLATION : RECEIPT_WORD_TITLE);
    put(m, &v->document, RECEIPT_WORD_NUMBER, d->number);
    put(m, &v->document, RECEIPT_WORD_ISSUED, receipt_date(m->arena, m->language, issued));
    put(m, &v->document, RECEIPT_WORD_CANCELS, c->cancels);
    put(m, &v->document, RECEIPT_WORD_REPLACES, c->cancels ? NULL : c->replaces);
    if (c->cancels)
        v->warning = say(m, RECEIPT_WORD_CANCELS_IN_FULL);
    else if (d->cancelled_by)
        v->warning = clean(
            m, arena_printf(m->arena, "%s %s", say(m, RECEIPT_WORD_CANCELLED_BY), d->cancelled_by));
    put(m, &v->summary, RECEIPT_WORD_ENERGY, energy(m, c->energy_mwh));
    put(m, &v->summary, RECEIPT_WORD_DURATION, receipt_duration(m->arena, c->duration_s));
    put(m, &v->summary, RECEIPT_WORD_TOTAL, money(m, c->bill.gross_minor));
}

/* ---- what was supplied ---- */

static const char *place_text(const struct making *m)
{
    const struct receipt_place *p = &m->content->place;
    struct text town, t;

    text_init(&t, m->arena, 32 * 1024);
    text_init(&town, m->arena, 16 * 1024);
    join(&t, ", ", p->name);
    join(&t, ", ", p->address);
    join(&town, " ", p->postal_code);
    join(&town, " ", p->city);
    join(&t, ", ", town.bytes);
    join(&t, ", ", receipt_country_name(m->language, p->country));
    return t.bytes;
}

static const char *meter_text(const struct making *m, const struct receipt_meter *meter)
{
    struct text t;

    text_init(&t, m->arena, 1024);
    if (meter->has_start)
        text_add(&t, energy(m, meter->start_mwh));
    if (meter->has_start || meter->has_end)
        text_add(&t, " – ");
    if (meter->has_end)
        text_add(&t, energy(m, meter->end_mwh));
    return t.bytes;
}

static const char *signed_text(const struct making *m, const struct receipt_meter *meter)
{
    struct text t;

    text_init(&t, m->arena, 16 * 1024);
    join(&t, ", ", meter->signed_url);
    if (meter->signed_sha256)
        join(&t, ", ", arena_printf(m->arena, "SHA-256" NBSP "%s", meter->signed_sha256));
    return t.bytes;
}

static void put_session(const struct making *m)
{
    const struct receipt_content *c = m->content;
    struct receipt_facts *s = &m->view->session;
    const char *end = receipt_moment(m->arena, m->language, c->end);

    m->view->session_title = say(m, RECEIPT_WORD_SESSION);
    put(m, s, RECEIPT_WORD_PLACE, place_text(m));
    put(m, s, RECEIPT_WORD_EVSE, c->evse_id);
    put(m, s, RECEIPT_WORD_NETWORK, c->network);
    put(m, s, RECEIPT_WORD_START, receipt_moment(m->arena, m->language, c->start));
    put(m, s, RECEIPT_WORD_END, end);
    put(m, s, RECEIPT_WORD_ENERGY, energy(m, c->energy_mwh));
    if (c->charging_s >= 0)
        put(m, s, RECEIPT_WORD_CHARGING_TIME, receipt_duration(m->arena, c->charging_s));
    if (c->parking_s >= 0)
        put(m, s, RECEIPT_WORD_PARKING_TIME, receipt_duration(m->arena, c->parking_s));
    if (c->meter) {
        put(m, s, RECEIPT_WORD_METER, meter_text(m, c->meter));
        put(m, s, RECEIPT_WORD_SIGNED, signed_text(m, c->meter));
    }
}

/* ---- what it costs ---- */

static const char *line_text(const struct making *m, const struct bill_line *line)
{
    const char *name = receipt_line_name(m->language, line->kind);

    if (!line->from_minute)
        return name;
    return arena_printf(
        m->arena, "%s, %s", name,
        receipt_word_with(m->arena, m->language, RECEIPT_WORD_FROM_MINUTE, line->from_minute, 0));
}

static void put_lines(const struct making *m)
{
    const struct bill *b = &m->content->bill;
    struct receipt_view *v = m->view;
    enum receipt_language l = m->language;

    v->line_heads[0] = say(m, RECEIPT_WORD_WHAT);
    v->line_heads[1] = say(m, RECEIPT_WORD_QUANTITY);
    v->line_heads[2] = say(m, RECEIPT_WORD_UNIT_PRICE);
    v->line_heads[3] = say(m, RECEIPT_WORD_VAT);
    v->line_heads[4] = say(m, b->gross_priced ? RECEIPT_WORD_AMOUNT : RECEIPT_WORD_AMOUNT_NET);
    v->line_note = say(m, b->gross_priced ? RECEIPT_WORD_WITH_VAT : RECEIPT_WORD_WITHOUT_VAT);
    v->lines = arena_alloc(m->arena, (b->line_count + 1) * sizeof *v->lines);
    for (size_t i = 0; i < b->line_count; i++) {
        const struct bill_line *line = &b->lines[i];
        const char **cells = v->lines[v->line_count++];
        cells[0] = line_text(m, line);
        cells[1] = receipt_quantity(m->arena, l, line->quantity_u6, line->unit);
        cells[2] = line->price_u6 == NUMBER_NONE
                       ? ""
                       : receipt_price(m->arena, l, line->price_u6, b->currency, line->unit);
        cells[3] = receipt_percent(m->arena, l, line->vat_u4);
        cells[4] = money(m, line->amount_minor);
    }
}

static void put_sums(const struct making *m)
{
    const struct bill *b = &m->content->bill;
    struct receipt_view *v = m->view;

    put(m, &v->sums, RECEIPT_WORD_NET_TOTAL, money(m, b->net_minor));
    put(m, &v->sums, RECEIPT_WORD_VAT_TOTAL, money(m, b->vat_minor));
    v->total = (struct receipt_fact){say(m, RECEIPT_WORD_TOTAL), money(m, b->gross_minor)};
    v->group_heads[0] = say(m, RECEIPT_WORD_VAT_RATE);
    v->group_heads[1] = say(m, RECEIPT_WORD_NET);
    v->group_heads[2] = say(m, RECEIPT_WORD_VAT);
    v->group_heads[3] = say(m, RECEIPT_WORD_GROSS);
    v->groups = arena_alloc(m->arena, (b->group_count + 1) * sizeof *v->groups);
    for (size_t i = 0; i < b->group_count; i++) {
        const struct bill_group *g = &b->groups[i];
        const char **cells = v->groups[v->group_count++];
        cells[0] = receipt_percent(m->arena, m->language, g->vat_u4);
        cells[1] = money(m, g->net_minor);
        cells[2] = money(m, g->vat_minor);
        cells[3] = money(m, g->gross_minor);
    }
}

/* ---- and the rest ---- */

static const char *tariff_text(const struct making *m)
{
    const struct receipt_content *c = m->content;

    if (!c->tariff_name)
        return say(m, RECEIPT_WORD_TARIFF_OF_NETWORK);
    if (!c->tariff_version)
        return c->tariff_name;
    return arena_printf(m->arena, "%s, %s" NBSP "%" PRId64, c->tariff_name,
                        say(m, RECEIPT_WORD_TARIFF_VERSION), c->tariff_version);
}

static void put_details(const struct making *m, const struct receipt_document *d)
{
    const struct receipt_content *c = m->content;
    struct receipt_view *v = m->view;
    const char *state = d->payment_status ? d->payment_status : c->payment_state;
    const char *payment = c->payment_means;

    v->details_title = say(m, RECEIPT_WORD_DETAILS);
    put(m, &v->details, RECEIPT_WORD_TARIFF, tariff_text(m));
    if (state && strcmp(state, "not_required") != 0) {
        payment = receipt_payment_text(m->language, state);
        if (c->payment_means)
            payment = arena_printf(m->arena, "%s (%s)", payment, c->payment_means);
    }
    put(m, &v->details, RECEIPT_WORD_PAYMENT, payment);
    put(m, &v->details, RECEIPT_WORD_SESSION_ID, c->session_id);
    put(m, &v->details, RECEIPT_WORD_CDR_ID, c->cdr_id);
    put(m, &v->details, RECEIPT_WORD_CONTACT, c->issuer.contact);
    for (size_t i = 0; i < c->note_count && i < RECEIPT_NOTES_MAX; i++)
        v->notes[v->note_count++] = clean(m, receipt_note_text(m->language, c->notes[i]));
}

void receipt_view_make(struct arena *a, const struct receipt_document *d, enum receipt_language l,
                       struct receipt_view *ret)
{
    struct making m = {a, l, d->content, ret};

    *ret = (struct receipt_view){.language = l};
    put_parties(&m);
    put_document(&m, d);
    put_session(&m);
    put_lines(&m);
    put_sums(&m);
    put_details(&m, d);
}
