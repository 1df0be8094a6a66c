/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receipt on paper: blocks from top to bottom. It is drawn twice, since the first page must know
 * how many there are; the first drawing is thrown away.
 */
#include "hub/receipt-pdf/page.h"

#include "base/arena.h"
#include "hub/receipt-pdf/sheet.h"

/* clang-format off */
#define MARGIN      54.0
#define INNER       (SHEET_WIDTH - 2 * MARGIN)
#define BOTTOM      (SHEET_HEIGHT - 72.0)
#define GAP         14.0
#define LABEL_WIDTH 132.0
#define CELL_GAP    10.0

static const struct sheet_colour INK = {0.10, 0.13, 0.18}, MUTED = {0.36, 0.40, 0.45},
    RULE = {0.82, 0.85, 0.88}, PANEL = {0.95, 0.96, 0.97}, ACCENT = {0.04, 0.36, 0.42},
    RED = {0.70, 0.15, 0.12}, PALE_RED = {0.99, 0.94, 0.93};
/* clang-format on */

struct drawing {
    struct arena *arena;
    struct sheet *sheet;
    const struct receipt_view *view;
    double y;
    int page, pages;
};

static struct sheet_style style(double size, bool bold, struct sheet_colour colour)
{
    return (struct sheet_style){.size = size, .bold = bold, .colour = colour};
}

static struct sheet_style to_the_right(struct sheet_style s)
{
    s.align = SHEET_RIGHT;
    return s;
}

static double greater(double a, double b)
{
    return a > b ? a : b;
}

/* ---- pages ---- */

static void draw_footer(struct drawing *d)
{
    const struct receipt_view *v = d->view;
    struct sheet_style small = style(7.5, false, MUTED);
    const char *page =
        receipt_word_with(d->arena, v->language, RECEIPT_WORD_PAGE, d->page, d->pages);

    small.lines_max = 2;
    sheet_box(d->sheet, MARGIN, SHEET_HEIGHT - 56, INNER, 0.6, RULE);
    sheet_text(d->sheet, MARGIN, SHEET_HEIGHT - 49, INNER - 90, &small, v->footer);
    small = to_the_right(small);
    sheet_text(d->sheet, SHEET_WIDTH - MARGIN - 80, SHEET_HEIGHT - 49, 80, &small, page);
}

static void begin_page(struct drawing *d)
{
    d->page++;
    sheet_box(d->sheet, 0, 0, SHEET_WIDTH, 5, d->view->cancellation ? RED : ACCENT);
    draw_footer(d);
    d->y = 44;
}

static void next_page(struct drawing *d)
{
    const struct receipt_view *v = d->view;
    struct sheet_style small = style(8, false, MUTED);

    sheet_next_page(d->sheet);
    begin_page(d);
    small.lines_max = 1;
    d->y += sheet_text(d->sheet, MARGIN, d->y, INNER, &small,
                       arena_printf(d->arena, "%s %s · %s", v->title, v->document.items[0].text,
                                    receipt_word(v->language, RECEIPT_WORD_CONTINUED)));
    d->y += GAP;
}

/* True where a new page was begun. */
static bool make_room(struct drawing *d, double height)
{
    if (d->y + height <= BOTTOM)
        return false;
    next_page(d);
    return true;
}

/* ---- the head ---- */

static double draw_party(struct drawing *d, double y, double width, const char *name,
                         double name_size, const char *const *lines, size_t count)
{
    struct sheet_style strong = style(name_size, true, INK), small = style(8.5, false, MUTED);

    strong.lines_max = 3;
    small.lines_max = 2;
    y += sheet_text(d->sheet, MARGIN, y, width, &strong, name) + 2;
    for (size_t i = 0; i < count; i++)
        y += sheet_text(d->sheet, MARGIN, y, width, &small, lines[i]) + 1.5;
    return y;
}

static double draw_document_facts(struct drawing *d, double y, double x, double width)
{
    struct sheet_style label = style(8.5, false, MUTED);
    struct sheet_style text = to_the_right(style(8.5, false, INK));
    double label_width = width * 0.42;

    for (size_t i = 0; i < d->view->document.count; i++) {
        const struct receipt_fact *fact = &d->view->document.items[i];
        text.bold = i == 0;
        double left = sheet_text(d->sheet, x, y, label_width, &label, fact->label);
        double right =
            sheet_text(d->sheet, x + label_width, y, width - label_width, &text, fact->text);
        y += greater(left, right) + 2;
    }
    return y;
}

static void draw_head(struct drawing *d)
{
    const struct receipt_view *v = d->view;
    struct sheet_style title = to_the_right(style(21, true, v->cancellation ? RED : INK));
    double right_width = 225, left_width = INNER - right_width - 24;
    double x = SHEET_WIDTH - MARGIN - right_width;

    double left =
        draw_party(d, d->y + 2, left_width, v->issuer, 14, v->issuer_lines, v->issuer_line_count);
    double right = d->y - 4;
    right += sheet_text(d->sheet, x, right, right_width, &title, v->title) + 8;
    right = draw_document_facts(d, right, x, right_width);
    if (v->buyer_label) {
        struct sheet_style label = style(8, false, MUTED);
        left += 18;
        left += sheet_text(d->sheet, MARGIN, left, left_width, &label, v->buyer_label) + 1;
        left = draw_party(d, left, left_width, v->buyer_line_count ? v->buyer_lines[0] : "", 10,
                          v->buyer_lines + 1, v->buyer_line_count ? v->buyer_line_count - 1 : 0);
    }
    d->y = greater(left, right) + 16;
}

static void draw_warning(struct drawing *d)
{
    struct sheet_style strong = style(9.5, true, RED);

    if (!d->view->warning)
        return;
    double height = sheet_text_height(d->sheet, INNER - 26, &strong, d->view->warning) + 16;
    make_room(d, height);
    sheet_box(d->sheet, MARGIN, d->y, INNER, height, PALE_RED);
    sheet_box(d->sheet, MARGIN, d->y, 4, height, RED);
    sheet_text(d->sheet, MARGIN + 14, d->y + 8, INNER - 26, &strong, d->view->warning);
    d->y += height + 12;
}

/* Three figures that answer most questions; the last one, the total, stands where totals stand. */
static void draw_summary(struct drawing *d)
{
    const struct receipt_facts *facts = &d->view->summary;
    double height = 52, column = (INNER - 28) / (double)facts->count;

    make_room(d, height);
    sheet_box(d->sheet, MARGIN, d->y, INNER, height, PANEL);
    for (size_t i = 0; i < facts->count; i++) {
        struct sheet_style label = style(8, false, MUTED), text = style(15, true, INK);
        double x = MARGIN + 14 + (double)i * column;
        if (i + 1 == facts->count) {
            label = to_the_right(label);
            text = to_the_right(text);
            text.colour = d->view->cancellation ? RED : ACCENT;
        }
        text.lines_max = 1;
        sheet_text(d->sheet, x, d->y + 9, column, &label, facts->items[i].label);
        sheet_text(d->sheet, x, d->y + 22, column, &text, facts->items[i].text);
    }
    d->y += height;
}

/* ---- sections ---- */

static void draw_title(struct drawing *d, const char *title, double room_below)
{
    struct sheet_style strong = style(10.5, true, INK);

    d->y += GAP + 4;
    make_room(d, 24 + room_below);
    d->y += sheet_text(d->sheet, MARGIN, d->y, INNER, &strong, title) + 3;
    sheet_box(d->sheet, MARGIN, d->y, INNER, 0.6, RULE);
    d->y += 6;
}

static void draw_facts(struct drawing *d, const struct receipt_facts *facts)
{
    struct sheet_style label = style(9, false, MUTED), text = style(9, false, INK);
    double width = INNER - LABEL_WIDTH;

    for (size_t i = 0; i < facts->count; i++) {
        const struct receipt_fact *fact = &facts->items[i];
        double height = greater(sheet_text_height(d->sheet, LABEL_WIDTH - 8, &label, fact->label),
                                sheet_text_height(d->sheet, width, &text, fact->text));
        make_room(d, height);
        sheet_text(d->sheet, MARGIN, d->y, LABEL_WIDTH - 8, &label, fact->label);
        sheet_text(d->sheet, MARGIN + LABEL_WIDTH, d->y, width, &text, fact->text);
        d->y += height + 4;
    }
}

/* ---- tables ---- */

struct table {
    double x;
    const double *widths; /* of the columns; the first is to the left, the others to the right */
    size_t columns;
};

static double row_height(struct drawing *d, const struct table *t, const struct sheet_style *s,
                         const char *const *cells)
{
    double height = 0;

    for (size_t i = 0; i < t->columns; i++)
        height = greater(
            height, sheet_text_height(d->sheet, t->widths[i] - (i ? CELL_GAP : 0), s, cells[i]));
    return height;
}

static void draw_row(struct drawing *d, const struct table *t, double y, struct sheet_style s,
                     const char *const *cells)
{
    double x = t->x;

    for (size_t i = 0; i < t->columns; i++) {
        double gap = i ? CELL_GAP : 0;
        s.align = i ? SHEET_RIGHT : SHEET_LEFT;
        sheet_text(d->sheet, x + gap, y, t->widths[i] - gap, &s, cells[i]);
        x += t->widths[i];
    }
}

static double table_width(const struct table *t)
{
    double width = 0;

    for (size_t i = 0; i < t->columns; i++)
        width += t->widths[i];
    return width;
}

static double draw_heads(struct drawing *d, const struct table *t, double y,
                         const char *const *heads)
{
    struct sheet_style head = style(8, false, MUTED);
    double height = row_height(d, t, &head, heads);

    draw_row(d, t, y, head, heads);
    sheet_box(d->sheet, t->x, y + height + 3, table_width(t), 0.6, RULE);
    return y + height + 8;
}

static void draw_lines(struct drawing *d)
{
    static const double widths[RECEIPT_LINE_CELLS] = {INNER - 318, 84, 92, 50, 92};
    const struct table table = {MARGIN, widths, RECEIPT_LINE_CELLS};
    struct sheet_style cell = style(9, false, INK), small = style(8, false, MUTED);
    const struct receipt_view *v = d->view;

    draw_title(d, receipt_word(v->language, RECEIPT_WORD_PRICE), 60);
    d->y = draw_heads(d, &table, d->y, v->line_heads);
    for (size_t i = 0; i < v->line_count; i++) {
        double height = row_height(d, &table, &cell, v->lines[i]);
        if (make_room(d, height + 8))
            d->y = draw_heads(d, &table, d->y, v->line_heads);
        draw_row(d, &table, d->y, cell, v->lines[i]);
        d->y += height + 4;
        sheet_box(d->sheet, MARGIN, d->y, INNER, 0.4, PANEL);
        d->y += 4;
    }
    make_room(d, 12);
    d->y += sheet_text(d->sheet, MARGIN, d->y, INNER, &small, v->line_note) + GAP;
}

static double draw_groups(struct drawing *d, double y)
{
    static const double widths[RECEIPT_GROUP_CELLS] = {58, 70, 66, 70};
    const struct table table = {MARGIN, widths, RECEIPT_GROUP_CELLS};
    struct sheet_style cell = style(8.5, false, INK);

    if (!d->view->group_count)
        return y;
    y = draw_heads(d, &table, y, d->view->group_heads);
    for (size_t i = 0; i < d->view->group_count; i++) {
        draw_row(d, &table, y, cell, d->view->groups[i]);
        y += row_height(d, &table, &cell, d->view->groups[i]) + 3;
    }
    return y;
}

static double draw_sum(struct drawing *d, double x, double y, double width,
                       const struct receipt_fact *sum, struct sheet_style s)
{
    double height = sheet_text(d->sheet, x, y, width / 2, &s, sum->label);

    s = to_the_right(s);
    return greater(height, sheet_text(d->sheet, x + width / 2, y, width / 2, &s, sum->text));
}

/* VAT by rate to the left, the totals to the right below the amounts: together on one page. */
static void draw_totals(struct drawing *d)
{
    const struct receipt_view *v = d->view;
    double width = 180, x = SHEET_WIDTH - MARGIN - width;

    make_room(d, greater(70, 24 + 15 * (double)v->group_count));
    double left = draw_groups(d, d->y), right = d->y;
    for (size_t i = 0; i < v->sums.count; i++)
        right += draw_sum(d, x, right, width, &v->sums.items[i], style(9, false, INK)) + 3;
    sheet_box(d->sheet, x, right + 1, width, 1, INK);
    right += 6;
    right +=
        draw_sum(d, x, right, width, &v->total, style(12.5, true, v->cancellation ? RED : INK));
    d->y = greater(left, right);
}

static void draw_notes(struct drawing *d)
{
    struct sheet_style text = style(8.5, false, INK);

    d->y += d->view->note_count ? 6 : 0;
    for (size_t i = 0; i < d->view->note_count; i++) {
        make_room(d, sheet_text_height(d->sheet, INNER, &text, d->view->notes[i]));
        d->y += sheet_text(d->sheet, MARGIN, d->y, INNER, &text, d->view->notes[i]) + 3;
    }
}

static void draw_all(struct drawing *d)
{
    begin_page(d);
    draw_head(d);
    draw_warning(d);
    draw_summary(d);
    draw_title(d, d->view->session_title, 40);
    draw_facts(d, &d->view->session);
    draw_lines(d);
    draw_totals(d);
    draw_title(d, d->view->details_title, 40);
    draw_facts(d, &d->view->details);
    draw_notes(d);
}

const char *page_draw(struct arena *a, const struct receipt_view *v, const char *created,
                      size_t bytes_max, const unsigned char **ret_bytes, size_t *ret_length)
{
    const struct sheet_facts facts = {
        .title = arena_printf(a, "%s %s", v->title, v->document.items[0].text),
        .author = v->issuer,
        .created = created,
    };
    struct drawing d = {.arena = a, .view = v};
    const char *wrong = NULL;

    for (int round = 0; round < 2 && !wrong; round++) {
        d.pages = d.page;
        d.page = 0;
        d.sheet = sheet_new(a, &facts, bytes_max);
        draw_all(&d);
        wrong = sheet_done(d.sheet, ret_bytes, ret_length);
    }
    return wrong;
}
