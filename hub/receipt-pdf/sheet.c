/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sheet: cairo for the PDF, pango for the text, fontconfig for the few fonts we know.
 */
#include "hub/receipt-pdf/sheet.h"

#include <string.h>

#include <cairo/cairo-pdf.h>
#include <fontconfig/fontconfig.h>
#include <pango/pangocairo.h>

#include "base/arena.h"
#include "base/text.h"

/* The second family has the signs that the first lacks. */
static const char FONTS[] = "Liberation Sans, DejaVu Sans";
static const char *const font_files[] = {
    "liberation/LiberationSans-Regular.ttf",
    "liberation/LiberationSans-Bold.ttf",
    "liberation2/LiberationSans-Regular.ttf",
    "liberation2/LiberationSans-Bold.ttf",
    "dejavu/DejaVuSans.ttf",
    "dejavu/DejaVuSans-Bold.ttf",
};

enum { LINES_MAX = 12 };

struct sheet {
    struct text bytes;
    cairo_surface_t *surface;
    cairo_t *cairo;
    PangoContext *context;
    PangoAttrList *attributes;
};

static PangoFontMap *font_map;

const char *sheet_fonts_open(void)
{
    FcConfig *config = FcConfigCreate();
    size_t found = 0;
    char path[128];

    if (!config)
        return "fontconfig does not start";
    for (size_t i = 0; i < sizeof font_files / sizeof *font_files; i++) {
        snprintf(path, sizeof path, "/usr/share/fonts/truetype/%s", font_files[i]);
        /* What both packages have is the same font: one is enough. */
        if (found < 2 || i >= 4)
            found += FcConfigAppFontAddFile(config, (const FcChar8 *)path) == FcTrue;
    }
    if (!found)
        return "there are no fonts: install fonts-liberation and fonts-dejavu-core";
    FcConfigSetCurrent(config); /* what pango takes */
    FcConfigDestroy(config);    /* fontconfig keeps its own reference */
    font_map = pango_cairo_font_map_new_for_font_type(CAIRO_FONT_TYPE_FT);
    if (!font_map)
        return "pango has no FreeType";
    return NULL;
}

static cairo_status_t take_bytes(void *closure, const unsigned char *data, unsigned length)
{
    struct text *bytes = closure;

    text_add_bytes(bytes, data, length);
    return text_overflowed(bytes) ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

/* Outlines as they were designed, positions in fractions: what a printer wants, and the same
 * everywhere. */
static void set_font_options(PangoContext *context)
{
    cairo_font_options_t *options = cairo_font_options_create();

    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    pango_cairo_context_set_font_options(context, options);
    cairo_font_options_destroy(options);
    pango_context_set_round_glyph_positions(context, FALSE);
    pango_cairo_context_set_resolution(context, 72);
}

struct sheet *sheet_new(struct arena *a, const struct sheet_facts *facts, size_t bytes_max)
{
    struct sheet *s = arena_alloc(a, sizeof *s);

    text_init(&s->bytes, a, bytes_max);
    s->surface =
        cairo_pdf_surface_create_for_stream(take_bytes, &s->bytes, SHEET_WIDTH, SHEET_HEIGHT);
    cairo_pdf_surface_set_metadata(s->surface, CAIRO_PDF_METADATA_TITLE, facts->title);
    cairo_pdf_surface_set_metadata(s->surface, CAIRO_PDF_METADATA_AUTHOR, facts->author);
    cairo_pdf_surface_set_metadata(s->surface, CAIRO_PDF_METADATA_CREATOR, "ocpi-hub");
    cairo_pdf_surface_set_metadata(s->surface, CAIRO_PDF_METADATA_CREATE_DATE, facts->created);
    cairo_pdf_surface_set_metadata(s->surface, CAIRO_PDF_METADATA_MOD_DATE, facts->created);
    s->cairo = cairo_create(s->surface);
    s->context = pango_font_map_create_context(font_map);
    set_font_options(s->context);
    /* No ligatures: whoever searches for "fi" finds it. */
    s->attributes = pango_attr_list_new();
    pango_attr_list_insert(s->attributes, pango_attr_font_features_new("liga=0, clig=0"));
    /* Nor hyphens that are not in the text: most long words here are ids and addresses. */
    pango_attr_list_insert(s->attributes, pango_attr_insert_hyphens_new(FALSE));
    return s;
}

static PangoLayout *lay_out(struct sheet *s, double width, const struct sheet_style *style,
                            const char *text)
{
    PangoLayout *layout = pango_layout_new(s->context);
    PangoFontDescription *font = pango_font_description_from_string(FONTS);

    pango_font_description_set_absolute_size(font, style->size * PANGO_SCALE);
    pango_font_description_set_weight(font, style->bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_attributes(layout, s->attributes);
    pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_height(layout, -(style->lines_max ? style->lines_max : LINES_MAX));
    pango_layout_set_auto_dir(layout, FALSE);
    pango_layout_set_line_spacing(layout, 1.2F);
    pango_layout_set_alignment(layout,
                               style->align == SHEET_RIGHT ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT);
    pango_layout_set_text(layout, text, -1);
    return layout;
}

static double height_of(PangoLayout *layout)
{
    PangoRectangle logical;

    pango_layout_get_extents(layout, NULL, &logical);
    return (double)logical.height / PANGO_SCALE;
}

double sheet_text(struct sheet *s, double x, double y, double width,
                  const struct sheet_style *style, const char *text)
{
    PangoLayout *layout = lay_out(s, width, style, text);
    double height = height_of(layout);

    cairo_set_source_rgb(s->cairo, style->colour.red, style->colour.green, style->colour.blue);
    cairo_move_to(s->cairo, x, y);
    pango_cairo_show_layout(s->cairo, layout);
    g_object_unref(layout);
    return height;
}

double sheet_text_height(struct sheet *s, double width, const struct sheet_style *style,
                         const char *text)
{
    PangoLayout *layout = lay_out(s, width, style, text);
    double height = height_of(layout);

    g_object_unref(layout);
    return height;
}

void sheet_box(struct sheet *s, double x, double y, double width, double height,
               struct sheet_colour colour)
{
    cairo_set_source_rgb(s->cairo, colour.red, colour.green, colour.blue);
    cairo_rectangle(s->cairo, x, y, width, height);
    cairo_fill(s->cairo);
}

void sheet_next_page(struct sheet *s)
{
    cairo_show_page(s->cairo);
}

const char *sheet_done(struct sheet *s, const unsigned char **ret_bytes, size_t *ret_length)
{
    cairo_show_page(s->cairo);
    cairo_surface_finish(s->surface);
    cairo_status_t status = cairo_status(s->cairo);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(s->surface);
    pango_attr_list_unref(s->attributes);
    g_object_unref(s->context);
    cairo_destroy(s->cairo);
    cairo_surface_destroy(s->surface);
    if (text_overflowed(&s->bytes))
        return "the document is too large";
    if (status != CAIRO_STATUS_SUCCESS)
        return cairo_status_to_string(status);
    *ret_bytes = (const unsigned char *)s->bytes.bytes;
    *ret_length = s->bytes.length;
    return NULL;
}
