/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The retail book: read by a job at the start, after each notification, and now and then, since
 * notifications may be lost.
 */
#include "hub/finance/retail_book.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "db/db.h"
#include "db/fresh.h"
#include "db/retail.h"
#include "hub/finance/zones.h"
#include "hub/hub.h"
#include "ocpi/translate/turn.h"

enum { BOOK_BYTES = 256 * 1024 * 1024, TARIFF_VALUES = 20000, EVERY_MS = 30000 };

struct rate {
    const char *country, *buyer, *from, *until; /* days; until NULL: open */
    int64_t u4;
};

struct retail_book {
    unsigned refs;
    struct arena *arena;
    struct retail_tariff *tariffs; /* by id, then version */
    size_t tariff_count;
    struct rate *rates;
    size_t rate_count;
    const char **profiles;
    size_t profile_count;
    bool groups, markup;
};

static struct {
    struct hub *hub;
    struct retail_book *newest;
} state;

static bool read_book(void);
static struct fresh fresh = {.channel = "retail", .every_ms = EVERY_MS, .read = read_book};

/* ---- holding ---- */

static void book_unref(void *what)
{
    struct retail_book *b = what;

    if (!b || --b->refs > 0)
        return;
    arena_free(b->arena);
    free(b);
}

bool retail_book_ready(void)
{
    return state.newest != NULL;
}

/* ---- building ---- */

static void build_tariffs(struct retail_book *b, const json_t *list)
{
    b->tariffs = arena_alloc(b->arena, sizeof(*b->tariffs) * (json_array_size(list) + 1));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        const char *text = json_text_of(row, "document");
        struct retail_tariff *t = &b->tariffs[b->tariff_count];
        json_t *document;

        struct err e = json_read(b->arena, text, strlen(text), TARIFF_VALUES, &document);
        if (!failed(e))
            e = retail_tariff_read(document, b->arena, t);
        if (failed(e)) {
            /* It was read when it was published; another release may read more strictly. */
            log_line(LOG_ERROR, "a retail tariff cannot be read",
                     LOG_TEXT("tariff", json_text_of(row, "id")), LOG_TEXT("text", err_text(e)));
            continue;
        }
        b->markup = b->markup || t->mode == RETAIL_MARKUP;
        b->tariff_count++;
    }
}

static void build_rates(struct retail_book *b, const json_t *list)
{
    b->rates = arena_alloc(b->arena, sizeof(*b->rates) * (json_array_size(list) + 1));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        const char *percent = json_text_of(row, "rate");
        int64_t u6;

        if (!percent || !decimal_parse_u6(percent, &u6))
            continue;
        b->rates[b->rate_count++] = (struct rate){
            .country = arena_text(b->arena, json_text_of(row, "country")),
            .buyer = arena_text(b->arena, json_text_of(row, "buyer")),
            .from = arena_text(b->arena, json_text_of(row, "from")),
            .until = arena_text(b->arena, json_text_of(row, "until")),
            .u4 = u6 / 100,
        };
    }
}

static void build_profiles(struct retail_book *b, const json_t *list)
{
    b->profiles = arena_alloc(b->arena, sizeof(*b->profiles) * (json_array_size(list) + 1));
    for (size_t i = 0; i < json_array_size(list); i++)
        b->profiles[b->profile_count++] =
            arena_text(b->arena, json_string_value(json_array_get(list, i)));
}

static struct retail_book *book_new(const json_t *rows)
{
    struct retail_book *b = calloc(1, sizeof(*b));

    if (!b)
        abort();
    b->refs = 1;
    b->arena = arena_new(BOOK_BYTES);
    b->groups = json_is_true(json_object_get(rows, "groups"));
    build_tariffs(b, json_array_of(rows, "tariffs"));
    build_rates(b, json_array_of(rows, "vat"));
    build_profiles(b, json_array_of(rows, "profiles"));
    return b;
}

const struct retail_book *retail_book_of(struct flow *f, const json_t *rows)
{
    struct retail_book *b = book_new(rows);

    arena_on_free(f->arena, book_unref, b);
    return b;
}

/* ---- keeping it fresh ---- */

struct reading {
    const json_t *rows;
};

static enum flow_next read_rows(struct flow *f)
{
    struct reading *r = f->state;

    return retail_book_read(f, &r->rows);
}

static enum flow_next take_rows(struct flow *f)
{
    struct reading *r = f->state;

    if (state.hub) {
        book_unref(state.newest);
        state.newest = book_new(r->rows);
    }
    return FLOW_NEXT;
}

static enum flow_next let_next_begin(struct flow *f)
{
    fresh_ended(&fresh, !failed(f->err));
    return FLOW_NEXT;
}

static const struct flow_step steps[] = {
    {"read tariffs and VAT", read_rows},
    {"let the next reading begin", let_next_begin, .also_on_failure = true},
    {"make it the newest", take_rows},
    {0},
};

static const struct flow_type retail_book_flow = {
    .name = "retail_book",
    .state_size = sizeof(struct reading),
    .deadline_ms = SECONDS(20),
    .steps = steps,
};

static bool read_book(void)
{
    if (!state.hub || db_health() != DB_UP || (state.hub->draining && state.newest))
        return false;
    hub_job(state.hub, &retail_book_flow, NULL, NULL);
    return true;
}

void retail_book_open(struct hub *hub)
{
    state.hub = hub;
    fresh_open(&fresh, hub->loop);
}

void retail_book_close(void)
{
    fresh_close(&fresh);
    state.hub = NULL;
    book_unref(state.newest);
    state.newest = NULL;
}

enum flow_next retail_book_get(struct flow *f, const struct retail_book **ret)
{
    enum { PATIENCE_MS = 50 };

    if (!state.newest) {
        flow_again_after_wait(f);
        return flow_sleep(f, PATIENCE_MS);
    }
    state.newest->refs++;
    arena_on_free(f->arena, book_unref, state.newest);
    *ret = state.newest;
    return FLOW_NEXT;
}

/* ---- looking in it ---- */

bool retail_book_has_markup(const struct retail_book *b)
{
    return b->markup;
}

bool retail_book_has_groups(const struct retail_book *b)
{
    return b->groups;
}

/* "2026-11-21" */
static void day_of(int64_t us, int32_t offset_s, char ret[11])
{
    char text[TIME_TEXT];

    memcpy(ret, time_print_seconds(text, us + (int64_t)offset_s * US_PER_SECOND), 10);
    ret[10] = '\0';
}

bool retail_book_vat(const struct retail_book *b, const char *country, const char *buyer,
                     int64_t us, int32_t offset_s, int64_t *ret_u4)
{
    char day[11];

    if (!country)
        return false;
    day_of(us, offset_s, day);
    for (size_t i = 0; i < b->rate_count; i++) {
        const struct rate *r = &b->rates[i];

        if (strcmp(r->country, country) == 0 && strcmp(r->buyer, buyer) == 0 &&
            strcmp(r->from, day) <= 0 && (!r->until || strcmp(day, r->until) < 0)) {
            *ret_u4 = r->u4;
            return true;
        }
    }
    return false;
}

static bool is_complete(const struct retail_book *b, const char *country)
{
    for (size_t i = 0; i < b->profile_count; i++) {
        if (strcmp(b->profiles[i], country) == 0)
            return true;
    }
    return false;
}

static bool is_begun(const struct retail_tariff *t, int64_t us)
{
    return t->valid_from_us == TIME_NONE || t->valid_from_us <= us;
}

/* A newer version of the same tariff has begun. */
static bool is_superseded(const struct retail_book *b, size_t i, int64_t us)
{
    for (size_t k = i + 1; k < b->tariff_count; k++) {
        if (strcmp(b->tariffs[k].id, b->tariffs[i].id) != 0)
            return false;
        if (is_begun(&b->tariffs[k], us))
            return true;
    }
    return false;
}

static bool has_rate_of(const struct retail_book *b, const struct retail_tariff *t,
                        const char *country, int64_t us, int32_t offset_s)
{
    int64_t u4;

    return country && is_complete(b, country) &&
           retail_book_vat(b, country, "consumer", us, offset_s, &u4) && u4 == t->vat_u4;
}

size_t retail_book_candidates(struct flow *f, const struct retail_book *b, const char *country,
                              int64_t start_us, int32_t offset_s, struct retail_tariff **ret)
{
    size_t count = 0;

    *ret = arena_alloc(f->arena, sizeof(**ret) * (b->tariff_count + 1));
    for (size_t i = 0; i < b->tariff_count; i++) {
        const struct retail_tariff *t = &b->tariffs[i];

        if (is_superseded(b, i, start_us))
            continue;
        if (t->mode != RETAIL_PASS_THROUGH && t->selector.countries.count == 0 &&
            !has_rate_of(b, t, country, start_us, offset_s))
            continue;
        (*ret)[count++] = *t;
    }
    return count;
}

/* ---- publication ---- */

static int32_t offset_of(const char *country, int64_t us)
{
    return zones_offset(zones_find(country_time_zone(country)), us);
}

static struct err check_country(const struct retail_book *b, const struct retail_tariff *t,
                                const char *country, int64_t us, struct arena *a)
{
    char is[DECIMAL_TEXT], must_be[DECIMAL_TEXT], day[11];
    int64_t u4;

    if (!is_complete(b, country))
        return err_at(a, ERR_BAD_FIELD, "selector.country",
                      "%s has no complete tax profile: `hubctl vat set %s --vat-id ...`", country,
                      country);
    int32_t offset_s = offset_of(country, us);
    day_of(us, offset_s, day);
    if (!retail_book_vat(b, country, "consumer", us, offset_s, &u4))
        return err_at(a, ERR_BAD_FIELD, "selector.country",
                      "the VAT table has no rate of %s for %s: `hubctl vat set %s --rate ...`",
                      country, day, country);
    if (u4 != t->vat_u4)
        return err_at(a, ERR_BAD_FIELD, "vat", "is %s, but the VAT of %s on %s is %s",
                      decimal_print_u6(is, t->vat_u4 * 100, 0, 4), country, day,
                      decimal_print_u6(must_be, u4 * 100, 0, 4));
    return OK;
}

struct err retail_book_check(const struct retail_book *b, const struct retail_tariff *t,
                             int64_t now_us, struct arena *a)
{
    int64_t us = is_begun(t, now_us) ? now_us : t->valid_from_us;
    char is[DECIMAL_TEXT];

    if (t->mode == RETAIL_PASS_THROUGH)
        return OK;
    for (size_t i = 0; i < t->selector.countries.count; i++)
        TRY(check_country(b, t, t->selector.countries.at[i], us, a));
    if (t->selector.countries.count > 0)
        return OK;
    for (size_t i = 0; i < b->profile_count; i++) {
        if (has_rate_of(b, t, b->profiles[i], us, offset_of(b->profiles[i], us)))
            return OK;
    }
    return err_at(a, ERR_BAD_FIELD, "vat",
                  "is %s, but no country with a complete tax profile has that rate: "
                  "`hubctl vat list`",
                  decimal_print_u6(is, t->vat_u4 * 100, 0, 4));
}
