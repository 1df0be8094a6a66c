/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receipt for the browser. Every text goes through put_escaped; what is written with text_add
 * directly is our own.
 */
#include "hub/finance/receipt_html.h"

#include "base/text.h"

static const char style[] =
    "body{font:15px/1.45 system-ui,'Liberation Sans',Arial,sans-serif;color:#1b2430;"
    "background:#eef1f4;margin:0;padding:2rem 1rem}\n"
    "main{background:#fff;max-width:46rem;margin:0 auto;padding:2.5rem;border-top:5px solid "
    "#0b5c6b;box-sizing:border-box}\n"
    "main.cancellation{border-top-color:#b3261e}\n"
    ".cancellation h1,.warning{color:#b3261e}\n"
    "header{display:flex;flex-wrap:wrap;justify-content:space-between;gap:1.5rem}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:0 0 .6rem}\n"
    "h2{font-size:1rem;margin:2rem 0 .4rem;padding-bottom:.3rem;border-bottom:1px solid #d5dbe1}\n"
    "address{font-style:normal;color:#5b6673;font-size:.87rem}\n"
    "address strong{display:block;color:#1b2430;font-size:1.15rem}\n"
    "dl{display:grid;grid-template-columns:minmax(8rem,auto) 1fr;gap:.2rem 1.2rem;margin:0}\n"
    "dt{color:#5b6673}\n"
    "dd{margin:0}\n"
    "dd,td,th,li,address{overflow-wrap:anywhere;unicode-bidi:isolate}\n"
    ".warning{border-left:4px solid #b3261e;background:#fbeeed;padding:.7rem 1rem;"
    "margin:1.5rem 0 0}\n"
    ".summary{display:flex;flex-wrap:wrap;gap:1rem 3rem;background:#f2f5f7;padding:1rem "
    "1.2rem;margin-top:1.5rem}\n"
    ".summary dt{font-size:.8rem}\n"
    ".summary dd{font-size:1.35rem;font-weight:600}\n"
    ".summary div:last-child{margin-left:auto;text-align:right}\n"
    ".scroll{overflow-x:auto}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\n"
    "th,td{text-align:right;padding:.35rem 0 .35rem 1rem;vertical-align:top;"
    "overflow-wrap:normal}\n"
    "th:first-child,td:first-child{text-align:left;padding-left:0}\n"
    "thead th{font-weight:500;font-size:.8rem;color:#5b6673;border-bottom:1px solid #d5dbe1}\n"
    "tbody td{border-bottom:1px solid #eef1f4}\n"
    "tfoot th{font-weight:400}\n"
    "tfoot tr:last-child th,tfoot tr:last-child td{font-weight:700;font-size:1.15rem;"
    "border-top:2px solid #1b2430}\n"
    "small,footer{color:#5b6673;font-size:.8rem}\n"
    "ul{padding-left:1.2rem;margin:.8rem 0 0}\n"
    "footer{margin-top:2.5rem;border-top:1px solid #d5dbe1;padding-top:.7rem}\n"
    "@media(max-width:34rem){body{padding:0}main{padding:1.3rem}dl{display:block}"
    "dd{margin:0 0 .5rem}table{font-size:.8rem}th,td{padding-left:.35rem}}\n"
    "@media print{body{background:#fff;padding:0}main{padding:0;border:0;max-width:none}}\n";

static void put_escaped(struct text *t, const char *s)
{
    for (; *s; s++) {
        if (*s == '&')
            text_add(t, "&amp;");
        else if (*s == '<')
            text_add(t, "&lt;");
        else if (*s == '>')
            text_add(t, "&gt;");
        else if (*s == '"')
            text_add(t, "&quot;");
        else if (*s == '\'')
            text_add(t, "&#39;");
        else
            text_add_bytes(t, s, 1);
    }
}

static void put_element(struct text *t, const char *name, const char *content)
{
    text_printf(t, "<%s>", name);
    put_escaped(t, content);
    text_printf(t, "</%s>", name);
}

static void put_facts(struct text *t, const struct receipt_facts *facts)
{
    text_add(t, "<dl>\n");
    for (size_t i = 0; i < facts->count; i++) {
        put_element(t, "dt", facts->items[i].label);
        put_element(t, "dd", facts->items[i].text);
        text_add(t, "\n");
    }
    text_add(t, "</dl>\n");
}

static void put_section(struct text *t, const char *title, const struct receipt_facts *facts)
{
    text_add(t, "<section>\n");
    put_element(t, "h2", title);
    text_add(t, "\n");
    put_facts(t, facts);
    text_add(t, "</section>\n");
}

static void put_cells(struct text *t, const char *name, const char *const *cells, size_t count)
{
    text_add(t, "<tr>");
    for (size_t i = 0; i < count; i++)
        put_element(t, name, cells[i]);
    text_add(t, "</tr>\n");
}

static void put_sum(struct text *t, const struct receipt_fact *sum)
{
    text_printf(t, "<tr><th scope=\"row\" colspan=\"%d\">", RECEIPT_LINE_CELLS - 1);
    put_escaped(t, sum->label);
    text_add(t, "</th>");
    put_element(t, "td", sum->text);
    text_add(t, "</tr>\n");
}

static void put_address(struct text *t, const char *name, const char *const *lines, size_t count)
{
    text_add(t, "<address>");
    put_element(t, "strong", name);
    for (size_t i = 0; i < count; i++) {
        put_escaped(t, lines[i]);
        text_add(t, "<br/>");
    }
    text_add(t, "</address>\n");
}

static void put_head(struct text *t, const struct receipt_view *v)
{
    text_add(t, "<header>\n");
    put_address(t, v->issuer, v->issuer_lines, v->issuer_line_count);
    text_add(t, "<div>");
    put_element(t, "h1", v->title);
    put_facts(t, &v->document);
    text_add(t, "</div>\n</header>\n");
    if (v->buyer_label) {
        text_add(t, "<section>");
        put_element(t, "h2", v->buyer_label);
        put_address(t, v->buyer_line_count ? v->buyer_lines[0] : "", v->buyer_lines + 1,
                    v->buyer_line_count ? v->buyer_line_count - 1 : 0);
        text_add(t, "</section>\n");
    }
    if (v->warning) {
        text_add(t, "<p class=\"warning\">");
        put_escaped(t, v->warning);
        text_add(t, "</p>\n");
    }
    text_add(t, "<dl class=\"summary\">\n");
    for (size_t i = 0; i < v->summary.count; i++) {
        text_add(t, "<div>");
        put_element(t, "dt", v->summary.items[i].label);
        put_element(t, "dd", v->summary.items[i].text);
        text_add(t, "</div>\n");
    }
    text_add(t, "</dl>\n");
}

static void put_tables(struct text *t, const struct receipt_view *v)
{
    text_add(t, "<section>\n");
    put_element(t, "h2", receipt_word(v->language, RECEIPT_WORD_PRICE));
    text_add(t, "\n<div class=\"scroll\"><table>\n<thead>");
    put_cells(t, "th", v->line_heads, RECEIPT_LINE_CELLS);
    text_add(t, "</thead>\n<tbody>\n");
    for (size_t i = 0; i < v->line_count; i++)
        put_cells(t, "td", v->lines[i], RECEIPT_LINE_CELLS);
    text_add(t, "</tbody>\n<tfoot>\n");
    for (size_t i = 0; i < v->sums.count; i++)
        put_sum(t, &v->sums.items[i]);
    put_sum(t, &v->total);
    text_add(t, "</tfoot>\n</table></div>\n");
    put_element(t, "small", v->line_note);
    text_add(t, "\n</section>\n");
    if (v->group_count) {
        text_add(t, "<section>\n");
        put_element(t, "h2", receipt_word(v->language, RECEIPT_WORD_VAT_TOTAL));
        text_add(t, "\n<div class=\"scroll\"><table>\n<thead>");
        put_cells(t, "th", v->group_heads, RECEIPT_GROUP_CELLS);
        text_add(t, "</thead>\n<tbody>\n");
        for (size_t i = 0; i < v->group_count; i++)
            put_cells(t, "td", v->groups[i], RECEIPT_GROUP_CELLS);
        text_add(t, "</tbody>\n</table></div>\n</section>\n");
    }
}

void receipt_html_print(struct text *t, const struct receipt_view *v)
{
    const char *language = receipt_languages[v->language];

    text_printf(t,
                "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"%s\" "
                "xml:lang=\"%s\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
                "content=\"width=device-width, initial-scale=1\"/>\n<title>",
                language, language);
    put_escaped(t, v->title);
    if (v->document.count) {
        text_add(t, " ");
        put_escaped(t, v->document.items[0].text);
    }
    text_add(t, "</title>\n<style>\n");
    text_add(t, style);
    text_printf(t, "</style>\n</head>\n<body>\n<main%s>\n",
                v->cancellation ? " class=\"cancellation\"" : "");
    put_head(t, v);
    put_section(t, v->session_title, &v->session);
    put_tables(t, v);
    put_section(t, v->details_title, &v->details);
    if (v->note_count) {
        text_add(t, "<ul>\n");
        for (size_t i = 0; i < v->note_count; i++)
            put_element(t, "li", v->notes[i]);
        text_add(t, "</ul>\n");
    }
    text_add(t, "<footer>");
    put_escaped(t, v->footer);
    text_add(t, "</footer>\n</main>\n</body>\n</html>\n");
}
