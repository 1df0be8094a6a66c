/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts as answers.
 */
#include "hub/finance/receipt_reply.h"

#include <string.h>

#include "base/arena.h"
#include "base/csv.h"
#include "base/decimal.h"
#include "base/text.h"
#include "base/time.h"
#include "hub/finance/receipt_content.h"
#include "hub/finance/receipt_html.h"
#include "hub/finance/receipt_view.h"
#include "hub/hub.h"
#include "hub/request.h"
#include "hub/server/http_accept.h"
#include "hub/server/http_server.h"

enum { JSON_MAX = 256 * 1024, ACCEPT_MAX = 8192, ACCEPT_HEADERS_MAX = 16, DRIVERS_FORMS = 3 };

static const char *const forms[] = {"application/json", "text/html", "application/pdf", "text/csv"};
enum { FORM_COUNT = sizeof forms / sizeof *forms };

/* ---- what is asked for ---- */

/* A header that came in several lines is one list. */
static const char *whole_header(struct flow *f, const char *name)
{
    const struct http_request *http = request_of(f)->http;
    size_t count = http_header_count(http, name);
    struct text t;

    if (count <= 1)
        return http_header(http, name);
    text_init(&t, f->arena, ACCEPT_MAX);
    for (size_t i = 0; i < count && i < ACCEPT_HEADERS_MAX; i++) {
        text_add(&t, i ? ", " : "");
        text_add(&t, http_header_at(http, name, i));
    }
    return t.bytes;
}

static enum receipt_language language_of(struct flow *f)
{
    const char *ours = hub_of(f)->settings->receipt_language;
    int best = http_accept_language(whole_header(f, "Accept-Language"), receipt_languages,
                                    RECEIPT_LANGUAGE_COUNT);

    for (int l = 0; best == HTTP_ACCEPT_NONE && l < RECEIPT_LANGUAGE_COUNT; l++)
        if (strcmp(ours, receipt_languages[l]) == 0)
            best = l;
    return best == HTTP_ACCEPT_NONE ? RECEIPT_EN : (enum receipt_language)best;
}

struct err receipt_reply_read(struct flow *f, struct receipt_reply *r)
{
    int form =
        http_accept_type(whole_header(f, "Accept"), forms, r->finance ? FORM_COUNT : DRIVERS_FORMS);

    if (form == HTTP_ACCEPT_NONE)
        return err_at(f->arena, ERR_NOT_ACCEPTABLE, NULL,
                      "a receipt is available as %s, %s and %s%s%s", forms[RECEIPT_JSON],
                      forms[RECEIPT_HTML], forms[RECEIPT_PDF], r->finance ? ", and " : "",
                      r->finance ? forms[RECEIPT_CSV] : "");
    r->form = (enum receipt_form)form;
    r->language = language_of(f);
    return OK;
}

struct err receipt_reply_check(struct flow *f, const struct receipt_reply *r)
{
    if (r->form != RECEIPT_JSON && !r->receipt.has_content)
        return err_at(f->arena, ERR_NOT_ACCEPTABLE, NULL,
                      "this receipt is of an older release and available as %s only",
                      forms[RECEIPT_JSON]);
    return OK;
}

/* ---- JSON ---- */

static void put_u6(struct text *t, const char *key, int64_t value_u6, int places)
{
    char number[DECIMAL_TEXT];

    json_put_raw(t, key, decimal_print_u6(number, value_u6, places, 6));
}

static void put_money(struct text *t, const char *key, int64_t minor, const char *currency)
{
    char number[DECIMAL_TEXT];

    json_put_raw(t, key, money_print_minor(number, minor, currency));
}

static void put_lines(struct text *t, const struct bill *b)
{
    json_begin_array(t, "vat");
    for (size_t i = 0; i < b->group_count; i++) {
        json_begin_object(t, NULL);
        put_u6(t, "rate", b->groups[i].vat_u4 * 100, 0);
        put_money(t, "net", b->groups[i].net_minor, b->currency);
        put_money(t, "amount", b->groups[i].vat_minor, b->currency);
        json_end_object(t);
    }
    json_end_array(t);
    json_begin_array(t, "line_items");
    for (size_t i = 0; i < b->line_count; i++) {
        const struct bill_line *line = &b->lines[i];
        json_begin_object(t, NULL);
        json_put_text(t, "kind", bill_kind_name(line->kind));
        put_u6(t, "quantity", line->quantity_u6, 0);
        json_put_text(t, "unit", bill_unit_name(line->unit));
        if (line->price_u6 == NUMBER_NONE)
            json_put_null(t, "unit_price");
        else
            put_u6(t, "unit_price", line->price_u6, currency_exponent(b->currency));
        put_money(t, "amount", line->amount_minor, b->currency);
        put_u6(t, "vat_rate", line->vat_u4 * 100, 0);
        json_end_object(t);
    }
    json_end_array(t);
}

static void put_place(struct text *t, const struct receipt_place *p)
{
    json_begin_object(t, "location");
    json_put_text(t, "name", p->name);
    json_put_text(t, "address", p->address);
    json_put_text(t, "postal_code", p->postal_code);
    json_put_text(t, "city", p->city);
    json_put_text(t, "country", p->country);
    json_put_text(t, "time_zone", p->time_zone);
    json_end_object(t);
}

static void put_time(struct text *t, const char *key, int64_t us)
{
    char at[TIME_TEXT];

    json_put_text(t, key, us == TIME_NONE ? NULL : time_print_seconds(at, us));
}

static struct err put_detail(struct text *t, struct flow *f, const struct receipt *r)
{
    struct receipt_content c = {.bill = {.gross_priced = true}};

    json_put_text(t, "receipt_number", r->number);
    json_put_int(t, "revision", r->revision);
    put_time(t, "issued_at", r->issued_us);
    json_put_text(t, "cancelled_by", r->cancelled_by);
    if (r->has_content) {
        TRY(receipt_content_read(f->arena, r->content, r->content_length, &c));
        put_money(t, "cost_excl_vat", c.bill.net_minor, r->currency);
        put_money(t, "vat_amount", c.bill.vat_minor, r->currency);
    } else {
        json_put_null(t, "cost_excl_vat");
        json_put_null(t, "vat_amount");
    }
    json_put_bool(t, "vat_included", c.bill.gross_priced);
    put_lines(t, &c.bill);
    put_time(t, "start_time", r->has_content ? c.start.us : r->start_us);
    put_time(t, "end_time", r->has_content ? c.end.us : r->end_us);
    if (r->has_content)
        put_place(t, &c.place);
    else
        json_put_null(t, "location");
    json_put_text(t, "cdr_id", r->cdr_id);
    return OK;
}

static void put_for_finance(struct text *t, const struct receipt *r)
{
    json_put_int(t, "id", r->id);
    json_put_text(t, "kind", r->kind == RECEIPT_CANCELLATION ? "cancellation" : "receipt");
    json_put_text(t, "cancels", r->cancels);
    json_put_text(t, "user_id", r->user_id);
    json_put_int(t, "cdr", r->cdr);
    json_put_int(t, "duration_s", r->duration_s);
    json_put_text(t, "hash", r->hash);
}

static enum flow_next give_json(struct flow *f, const struct receipt_reply *s)
{
    static const struct reply_header vary[] = {{"Vary", "Accept, Accept-Language"}};
    const struct receipt *r = &s->receipt;
    char number[DECIMAL_TEXT];
    struct text t;

    text_init(&t, f->arena, JSON_MAX);
    json_begin_object(&t, NULL);
    json_put_text(&t, "session_id", r->session_id);
    json_put_text(&t, "network", r->network);
    json_put_text(&t, "evse_id", r->evse_id);
    json_put_raw(&t, "energy_kwh", decimal_print_u6(number, r->energy_mwh, 1, 3));
    json_put_int(&t, "duration_minutes", r->duration_minutes);
    put_money(&t, "cost", r->cost_minor, r->currency);
    json_put_text(&t, "currency", r->currency);
    json_put_text(&t, "payment_status", r->payment_status);
    if (s->finance)
        put_for_finance(&t, r);
    if (s->full || s->finance)
        FLOW_TRY(f, put_detail(&t, f, r));
    json_end_object(&t);
    if (text_overflowed(&t))
        return flow_fail(f, err_at(f->arena, ERR_INTERNAL, NULL, "the receipt is too large"));
    return reply(f, 200, forms[RECEIPT_JSON], t.bytes, t.length, vary, 1);
}

/* ---- for spreadsheets ---- */

static void put_cell(struct text *t, bool first, const char *text)
{
    csv_put_text(t, first, text, strlen(text));
}

static void put_number_cell(struct text *t, const char *number)
{
    csv_put_plain(t, false, number, strlen(number));
}

/* A row a line of the receipt; the last is its total. */
static enum flow_next give_csv(struct flow *f, const struct receipt_reply *s)
{
    static const char *const head[] = {"receipt_number", "line",     "quantity", "unit",
                                       "unit_price",     "vat_rate", "amount",   "currency"};
    const struct receipt *r = &s->receipt;
    const struct reply_header headers[] = {
        {"Vary", "Accept, Accept-Language"},
        {"Content-Disposition",
         arena_printf(f->arena, "attachment; filename=\"%s.csv\"", r->number)},
        {"Cache-Control", "private, no-cache"},
    };
    struct receipt_content content;
    char number[DECIMAL_TEXT];
    struct text t;

    FLOW_TRY(f, receipt_content_read(f->arena, r->content, r->content_length, &content));
    text_init(&t, f->arena, JSON_MAX);
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        csv_put_plain(&t, i == 0, head[i], strlen(head[i]));
    csv_end_row(&t);
    for (size_t i = 0; i < content.bill.line_count; i++) {
        const struct bill_line *line = &content.bill.lines[i];
        put_cell(&t, true, r->number);
        put_cell(&t, false, bill_kind_name(line->kind));
        put_number_cell(&t, decimal_print_u6(number, line->quantity_u6, 0, 6));
        put_cell(&t, false, bill_unit_name(line->unit));
        put_number_cell(
            &t, line->price_u6 == NUMBER_NONE
                    ? ""
                    : decimal_print_u6(number, line->price_u6, currency_exponent(r->currency), 6));
        put_number_cell(&t, decimal_print_u6(number, line->vat_u4 * 100, 0, 6));
        put_number_cell(&t, money_print_minor(number, line->amount_minor, r->currency));
        put_cell(&t, false, r->currency);
        csv_end_row(&t);
    }
    csv_put_plain(&t, true, "#total", 6);
    put_number_cell(&t, arena_printf(f->arena, "%zu", content.bill.line_count));
    put_number_cell(&t, money_print_minor(number, content.bill.gross_minor, r->currency));
    csv_end_row(&t);
    if (text_overflowed(&t))
        return flow_fail(f, err_at(f->arena, ERR_INTERNAL, NULL, "the receipt is too large"));
    return reply(f, 200, "text/csv; charset=utf-8; header=present", t.bytes, t.length, headers,
                 sizeof headers / sizeof *headers);
}

/* ---- for people ---- */

static enum flow_next give_html(struct flow *f, const struct receipt_reply *s)
{
    const struct receipt *r = &s->receipt;
    const struct reply_header headers[] = {
        {"Vary", "Accept, Accept-Language"},
        {"Content-Language", receipt_languages[s->language]},
        {"Content-Security-Policy", RECEIPT_HTML_POLICY},
        {"X-Content-Type-Options", "nosniff"},
        {"Cache-Control", "private, no-cache"},
    };
    struct receipt_content content;
    struct receipt_view view;
    struct text t;

    FLOW_TRY(f, receipt_content_read(f->arena, r->content, r->content_length, &content));
    receipt_view_make(f->arena,
                      &(struct receipt_document){.content = &content,
                                                 .number = r->number,
                                                 .issued_us = r->issued_us,
                                                 .payment_status = r->payment_status,
                                                 .cancelled_by = r->cancelled_by},
                      s->language, &view);
    text_init(&t, f->arena, RECEIPT_HTML_MAX);
    receipt_html_print(&t, &view);
    if (text_overflowed(&t))
        return flow_fail(f, err_at(f->arena, ERR_INTERNAL, NULL, "the receipt is too large"));
    return reply(f, 200, "text/html; charset=utf-8", t.bytes, t.length, headers,
                 sizeof headers / sizeof *headers);
}

enum flow_next receipt_reply_draw(struct flow *f, struct receipt_reply *r)
{
    if (r->form != RECEIPT_PDF)
        return FLOW_NEXT;
    return pdf_draw(f,
                    &(struct pdf_document){.number = r->receipt.number,
                                           .issued_us = r->receipt.issued_us,
                                           .content = r->receipt.content,
                                           .language = r->language},
                    &r->pdf_);
}

static enum flow_next give_pdf(struct flow *f, const struct receipt_reply *s)
{
    const struct reply_header headers[] = {
        {"Vary", "Accept, Accept-Language"},
        {"Content-Language", receipt_languages[s->language]},
        {"Content-Disposition",
         arena_printf(f->arena, "inline; filename=\"%s.pdf\"", s->receipt.number)},
        {"X-Content-Type-Options", "nosniff"},
        {"Cache-Control", "private, no-cache"},
    };

    return reply(f, 200, forms[RECEIPT_PDF], (const char *)s->pdf_.bytes, s->pdf_.length, headers,
                 sizeof headers / sizeof *headers);
}

enum flow_next receipt_reply_give(struct flow *f, const struct receipt_reply *r)
{
    switch (r->form) {
    case RECEIPT_HTML:
        return give_html(f, r);
    case RECEIPT_PDF:
        return give_pdf(f, r);
    case RECEIPT_CSV:
        return give_csv(f, r);
    case RECEIPT_JSON:
        break;
    }
    return give_json(f, r);
}
