/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session costs. Each period, or each piece of one that is cut, asks per dimension for the
 * first element whose restrictions match (R-TAR-01); its volume is added to that component's line.
 * In the end the last component's step_size rounds the total up, once for energy and once for the
 * times (R-TAR-20 to 26), and the lines are multiplied out (ocpi/price_amount.c).
 */
#include "ocpi/price.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/time.h"
#include "ocpi/price_amount.h"
#include "ocpi/price_time.h"

__extension__ typedef __int128 wide; /* the compiler's own type has no name without a warning */

enum {
    U6_PER_WH = 1000,
    WORK_OF_PIECE = 2000, /* what a piece costs besides, in restrictions that are asked */
};

/* What is looked up: the kinds of lines, and the two of a reservation that expired. */
enum { EXPIRED_TIME = PRICE_KINDS, EXPIRED_FLAT, LISTS };

struct rate {
    const struct price_window *window;
    const struct ocpi_price_component *component;
    size_t element, index;
    size_t line; /* 0: none yet, else its number + 1 */
};

struct rate_list {
    struct rate *at;
    size_t count;
};

struct ratebook {
    struct rate_list lists[LISTS];
    struct price_edges edges;
    bool by_power, by_current;
};

struct reckoning {
    const struct price_tariff *tariffs;
    size_t count;
    const struct price_history *history;
    const struct zone *zone;
    struct arena *arena;
    struct ratebook *books; /* one per tariff */
    struct price_line *lines;
    size_t line_count, line_capacity;
    int64_t energy;                         /* used before the moment */
    int64_t charging_start, reserved_start; /* TIME_NONE: not begun */
    bool flat_done, reservation_flat_done;
    size_t last_energy, last_time, last_reservation; /* lines + 1, which get the step */
    struct price_moment reserved;                    /* the last moment of the reservation */
    size_t reserved_tariff;
    int64_t work, work_max;
    bool beyond; /* a number does not fit */
    unsigned notes;
};

/* ---- words ---- */

const char *price_note_name(enum price_note note)
{
    static const char *const names[] = {
#define X(name, text) #name,
        PRICE_NOTES(X)
#undef X
    };

    assert(note < PRICE_NOTE_COUNT);
    return names[note];
}

const char *price_note_text(enum price_note note)
{
    static const char *const texts[] = {
#define X(name, text) text,
        PRICE_NOTES(X)
#undef X
    };

    assert(note < PRICE_NOTE_COUNT);
    return texts[note];
}

const char *price_kind_name(enum price_kind kind)
{
    static const char *const names[] = {"flat",    "energy",           "time",
                                        "parking", "reservation time", "reservation flat"};

    assert(kind < PRICE_KINDS);
    return names[kind];
}

/* ---- numbers ---- */

static void add(struct reckoning *r, int64_t *sum, int64_t value)
{
    if (__builtin_add_overflow(*sum, value, sum)) {
        r->beyond = true;
        *sum = 0;
    }
}

/* ---- the rates of a tariff ---- */

/* LISTS: it prices nothing there. A reservation has FLAT and TIME only (R-TAR-08). */
static int list_of(enum ocpi_tariff_dimension type, enum ocpi_reservation_restriction reservation)
{
    bool expires = reservation == OCPI_PRICES_RESERVATION_EXPIRES;

    if (reservation == OCPI_PRICES_NONE) {
        switch (type) {
        case OCPI_PRICED_ENERGY:
            return PRICE_ENERGY;
        case OCPI_PRICED_FLAT:
            return PRICE_FLAT;
        case OCPI_PRICED_PARKING_TIME:
            return PRICE_PARKING;
        case OCPI_PRICED_TIME:
            return PRICE_CHARGING;
        default:
            return LISTS;
        }
    }
    if (reservation != OCPI_PRICES_RESERVATION && !expires)
        return LISTS;
    if (type == OCPI_PRICED_TIME)
        return expires ? EXPIRED_TIME : PRICE_RESERVATION;
    if (type == OCPI_PRICED_FLAT)
        return expires ? EXPIRED_FLAT : PRICE_RESERVATION_FLAT;
    return LISTS;
}

static void count_rates(const struct ocpi_tariff_element *e,
                        enum ocpi_reservation_restriction reservation, struct ratebook *book)
{
    for (size_t i = 0; i < e->price_components.count; i++) {
        int list = list_of(e->price_components.at[i].type, reservation);
        if (list != LISTS)
            book->lists[list].count++;
    }
}

/* Of two components of the same dimension in one element the first counts, as of two elements. */
static void fill_rates(const struct ocpi_tariff_element *e, size_t element,
                       const struct price_window *window, struct ratebook *book)
{
    for (size_t i = 0; i < e->price_components.count; i++) {
        const struct ocpi_price_component *c = &e->price_components.at[i];
        int list = list_of(c->type, window->reservation);
        if (list != LISTS)
            book->lists[list].at[book->lists[list].count++] =
                (struct rate){.window = window, .component = c, .element = element, .index = i};
    }
}

static void make_book(const struct price_tariff *t, struct arena *a, struct ratebook *book)
{
    size_t count = t->elements.count;
    struct price_window *windows = arena_alloc(a, (count + 1) * sizeof *windows);

    for (size_t i = 0; i < count; i++) {
        windows[i] = price_window_of(t->elements.at[i].restrictions);
        book->by_power |= windows[i].by_power;
        book->by_current |= windows[i].by_current;
        count_rates(&t->elements.at[i], windows[i].reservation, book);
    }
    for (int list = 0; list < LISTS; list++) {
        size_t rates = book->lists[list].count;
        book->lists[list].at = arena_alloc(a, (rates + 1) * sizeof *book->lists[list].at);
        book->lists[list].count = 0;
    }
    for (size_t i = 0; i < count; i++)
        fill_rates(&t->elements.at[i], i, &windows[i], book);
    price_edges_of(windows, count, a, &book->edges);
}

static struct rate *find(struct reckoning *r, size_t tariff, int list, const struct price_moment *m)
{
    struct rate_list *rates = &r->books[tariff].lists[list];

    for (size_t i = 0; i < rates->count; i++) {
        r->work++;
        if (price_window_open(rates->at[i].window, m))
            return &rates->at[i];
    }
    return NULL;
}

/* ---- lines ---- */

static struct price_line *new_line(struct reckoning *r)
{
    if (r->line_count == r->line_capacity) {
        size_t capacity = r->line_capacity ? 2 * r->line_capacity : 16;
        struct price_line *lines = arena_alloc(r->arena, capacity * sizeof *lines);
        if (r->line_count)
            memcpy(lines, r->lines, r->line_count * sizeof *lines);
        r->lines = lines;
        r->line_capacity = capacity;
    }
    return &r->lines[r->line_count++];
}

/* Adds a volume to the line of the rate; its number + 1. */
static size_t charge(struct reckoning *r, size_t tariff, enum price_kind kind, struct rate *rate,
                     int64_t volume)
{
    if (!rate->line) {
        const struct ocpi_price_component *c = rate->component;
        *new_line(r) = (struct price_line){
            .kind = kind,
            .tariff = tariff,
            .element = rate->element,
            .component = rate->index,
            .price = c->price,
            .vat = c->vat,
            .step_size = c->step_size,
        };
        rate->line = r->line_count;
    }
    add(r, &r->lines[rate->line - 1].used, volume);
    return rate->line;
}

/* ---- pieces of time ---- */

/* A part of a period, within which nothing changes, and what was active in it. */
struct piece {
    int64_t energy, charging_s, parking_s, reservation_s;
    const struct rate *active[4];
};

static bool is_charging(const struct price_period *p)
{
    return !p->reservation_s || p->energy || p->charging_s || p->parking_s;
}

static int64_t power_of(const struct price_period *p)
{
    if (p->power != NUMBER_NONE)
        return p->power;
    wide us = p->charging_s ? (wide)p->charging_s * US_PER_SECOND : p->end_us - p->start_us;
    if (us <= 0)
        return NUMBER_NONE;
    wide power = (wide)p->energy * 3600 * US_PER_SECOND / us;
    return power < INT64_MAX ? (int64_t)power : INT64_MAX;
}

static void price_charging(struct reckoning *r, const struct price_period *p, struct piece *piece,
                           struct price_moment *m)
{
    struct rate *rate;

    m->reservation = false;
    m->elapsed_us = m->us - r->charging_start;
    m->energy = r->energy;
    m->power = power_of(p);
    m->current = p->current;
    if (!r->flat_done && (rate = find(r, p->tariff, PRICE_FLAT, m))) {
        charge(r, p->tariff, PRICE_FLAT, rate, 1);
        r->flat_done = true;
    }
    if (piece->energy && (rate = find(r, p->tariff, PRICE_ENERGY, m))) {
        r->last_energy = charge(r, p->tariff, PRICE_ENERGY, rate, piece->energy);
        piece->active[0] = rate;
    }
    if (piece->charging_s && (rate = find(r, p->tariff, PRICE_CHARGING, m))) {
        r->last_time = charge(r, p->tariff, PRICE_CHARGING, rate, piece->charging_s);
        piece->active[1] = rate;
        if (p->assumed_charging)
            r->notes |= 1U << PRICE_NOTE_ASSUMED_CHARGING;
    }
    if (piece->parking_s && (rate = find(r, p->tariff, PRICE_PARKING, m))) {
        r->last_time = charge(r, p->tariff, PRICE_PARKING, rate, piece->parking_s);
        piece->active[2] = rate;
    }
    if (r->books[p->tariff].by_power && p->power == NUMBER_NONE)
        r->notes |= 1U << PRICE_NOTE_DERIVED_POWER;
    if (r->books[p->tariff].by_current && p->current == NUMBER_NONE)
        r->notes |= 1U << PRICE_NOTE_NO_CURRENT;
    add(r, &r->energy, piece->energy);
}

static void price_reservation(struct reckoning *r, const struct price_period *p,
                              struct piece *piece, struct price_moment *m)
{
    struct rate *rate = NULL;

    m->reservation = true;
    m->elapsed_us = m->us - r->reserved_start;
    m->energy = 0;
    m->power = p->power;
    m->current = p->current;
    r->reserved = *m;
    r->reserved_tariff = p->tariff;
    if (!r->reservation_flat_done && (rate = find(r, p->tariff, PRICE_RESERVATION_FLAT, m))) {
        charge(r, p->tariff, PRICE_RESERVATION_FLAT, rate, 1);
        r->reservation_flat_done = true;
    }
    if (!piece->reservation_s)
        return;
    /* Where an expired one has a price of its own, it takes the other's place (R-TAR-09). */
    rate = r->history->expired ? find(r, p->tariff, EXPIRED_TIME, m) : NULL;
    if (!rate)
        rate = find(r, p->tariff, PRICE_RESERVATION, m);
    if (rate)
        r->last_reservation = charge(r, p->tariff, PRICE_RESERVATION, rate, piece->reservation_s);
    piece->active[3] = rate;
}

/* The FLAT of an expired reservation comes on top of the others (R-TAR-09). */
static void price_expiry(struct reckoning *r)
{
    struct rate *rate;

    if (!r->history->expired || r->reserved_start == TIME_NONE)
        return;
    rate = find(r, r->reserved_tariff, EXPIRED_FLAT, &r->reserved);
    if (rate)
        charge(r, r->reserved_tariff, PRICE_RESERVATION_FLAT, rate, 1);
}

/* What of a period's volume lies before the moment, spread evenly. */
static int64_t part_before(int64_t volume, const struct price_period *p, int64_t us)
{
    if (us >= p->end_us)
        return volume;
    return (int64_t)((wide)volume * (us - p->start_us) / (p->end_us - p->start_us));
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A threshold of elapsed time, counted from `start`. */
static int64_t edge_of_elapsed(const struct price_edges *e, int64_t start, int64_t us)
{
    int64_t edge = start == TIME_NONE
                       ? INT64_MAX
                       : price_edge_above(e->elapsed_us, e->elapsed_count, us - start);

    return edge == INT64_MAX ? INT64_MAX : start + edge;
}

/* The moment at which the energy reaches the next threshold. `before`: what was used when the
 * period began. */
static int64_t edge_of_energy(const struct price_edges *e, const struct price_period *p,
                              int64_t before, int64_t used)
{
    int64_t edge = price_edge_above(e->energy, e->energy_count, used);

    if (edge == INT64_MAX || edge < before || edge - before >= p->energy)
        return INT64_MAX;
    wide length = p->end_us - p->start_us;
    return p->start_us + (int64_t)((length * (edge - before) + p->energy - 1) / p->energy);
}

/* The next moment after m at which something may change; the end of the period at the latest. */
static int64_t next_edge(struct reckoning *r, const struct price_period *p, int64_t energy_before,
                         const struct price_moment *m)
{
    const struct price_edges *e = &r->books[p->tariff].edges;
    int64_t edge = p->end_us;

    if (!r->history->cut || p->start_us == TIME_UNKNOWN)
        return edge;
    edge = sooner(edge, price_edge_of_clock(e, m, r->zone));
    if (is_charging(p)) {
        edge = sooner(edge, edge_of_elapsed(e, r->charging_start, m->us));
        edge = sooner(edge, edge_of_energy(e, p, energy_before, r->energy));
    }
    if (p->reservation_s)
        edge = sooner(edge, edge_of_elapsed(e, r->reserved_start, m->us));
    return edge;
}

static struct piece piece_between(const struct price_period *p, int64_t from, int64_t to)
{
    struct piece ret = {p->energy, p->charging_s, p->parking_s, p->reservation_s, {NULL}};

    if (from == p->start_us && to >= p->end_us)
        return ret;
    ret.energy = part_before(p->energy, p, to) - part_before(p->energy, p, from);
    ret.charging_s = part_before(p->charging_s, p, to) - part_before(p->charging_s, p, from);
    ret.parking_s = part_before(p->parking_s, p, to) - part_before(p->parking_s, p, from);
    ret.reservation_s =
        part_before(p->reservation_s, p, to) - part_before(p->reservation_s, p, from);
    return ret;
}

/* Durations count from the session's start; those of the second phase from its first period. */
static int64_t begin_of(const struct reckoning *r, const struct price_period *p, bool first_phase)
{
    int64_t start = r->history->start_us;

    return first_phase && start > TIME_UNKNOWN && start < p->start_us ? start : p->start_us;
}

static void price_period(struct reckoning *r, const struct price_period *p)
{
    int64_t energy_before = r->energy;
    struct piece last = {0};

    if (is_charging(p) && r->charging_start == TIME_NONE)
        r->charging_start = begin_of(r, p, r->reserved_start == TIME_NONE);
    if (p->reservation_s && r->reserved_start == TIME_NONE)
        r->reserved_start = begin_of(r, p, r->charging_start == TIME_NONE);
    for (int64_t us = p->start_us, next; !r->beyond && r->work < r->work_max; us = next) {
        struct price_moment m = {.us = us};
        price_moment_localise(&m, r->zone);
        r->work += WORK_OF_PIECE;
        next = next_edge(r, p, energy_before, &m);
        struct piece piece = piece_between(p, us, next);
        if (p->reservation_s)
            price_reservation(r, p, &piece, &m);
        if (is_charging(p))
            price_charging(r, p, &piece, &m);
        if (us > p->start_us && memcmp(piece.active, last.active, sizeof last.active) != 0)
            r->notes |= 1U << PRICE_NOTE_CUT;
        last = piece;
        if (next >= p->end_us)
            break;
    }
}

/* ---- steps ---- */

/* The total of a kind is rounded up by the step of its last component, which gets what is added. A
 * step of 0 means 1; what is a multiple stays (R-TAR-10, 21, 26). */
static void round_up(struct reckoning *r, size_t line, int64_t unit)
{
    int64_t total = 0, step;

    if (!line || r->beyond)
        return;
    struct price_line *last = &r->lines[line - 1];
    for (size_t i = 0; i < r->line_count; i++)
        if (r->lines[i].kind == last->kind)
            add(r, &total, r->lines[i].used);
    step = last->step_size > 0 ? last->step_size : 1;
    if (r->beyond || __builtin_mul_overflow(step, unit, &step)) {
        r->beyond = true;
        return;
    }
    if (total % step)
        add(r, &last->billed, step - total % step);
}

static void round_steps(struct reckoning *r)
{
    for (size_t i = 0; i < r->line_count; i++)
        r->lines[i].billed = r->lines[i].used;
    round_up(r, r->last_energy, U6_PER_WH);
    round_up(r, r->last_time, 1);
    round_up(r, r->last_reservation, 1);
}

/* ---- the result ---- */

/* By kind; within a kind the order stays. */
static void sort_lines(struct reckoning *r, struct price *ret)
{
    ret->lines = arena_alloc(r->arena, (r->line_count + 1) * sizeof *ret->lines);
    for (unsigned kind = 0; kind < PRICE_KINDS; kind++)
        for (size_t i = 0; i < r->line_count; i++)
            if ((unsigned)r->lines[i].kind == kind)
                ret->lines[ret->line_count++] = r->lines[i];
}

/* ---- the story ---- */

/* What a network would pay for being used is a contract of its own, not a tariff. */
static bool has_negative_price(const struct price_tariff *t)
{
    for (size_t i = 0; i < t->elements.count; i++)
        for (size_t k = 0; k < t->elements.at[i].price_components.count; k++)
            if (t->elements.at[i].price_components.at[k].price < 0)
                return true;
    return false;
}

static struct err check_input(const struct reckoning *r)
{
    const struct price_history *h = r->history;

    if (!r->count || !h->periods.count)
        return err_at(r->arena, ERR_BAD_FIELD, NULL,
                      r->count ? "nothing has happened that could be priced"
                               : "there is no tariff to price it by");
    for (size_t i = 0; i < h->periods.count; i++)
        assert(h->periods.at[i].tariff < r->count);
    for (size_t i = 0; i < r->count; i++)
        if (has_negative_price(&r->tariffs[i]))
            return err_at(r->arena, ERR_BAD_FIELD, NULL, "a price is below 0");
    for (size_t i = 1; i < r->count; i++)
        if (strcmp(r->tariffs[i].currency, r->tariffs[0].currency) != 0)
            return err_at(r->arena, ERR_BAD_FIELD, NULL,
                          "tariffs in %s and in %s cannot be added up", r->tariffs[0].currency,
                          r->tariffs[i].currency);
    return OK;
}

static void note_facts(struct reckoning *r)
{
    const struct price_period *first = &r->history->periods.at[0];
    const struct price_tariff *t = &r->tariffs[first->tariff];

    int64_t start = begin_of(r, first, true);

    if ((t->start_us != TIME_NONE && start < t->start_us) ||
        (t->end_us != TIME_NONE && start >= t->end_us))
        r->notes |= 1U << PRICE_NOTE_NOT_VALID;
    if (t->vat_ignored)
        r->notes |= 1U << PRICE_NOTE_VAT_IGNORED;
    if (t->precision_reduced)
        r->notes |= 1U << PRICE_NOTE_PRECISION_REDUCED;
    for (size_t i = 0; !r->zone && i < r->count; i++)
        if (r->books[i].edges.local)
            r->notes |= 1U << PRICE_NOTE_NO_TIME_ZONE;
}

struct err price_reckon(const struct price_tariff *tariffs, size_t count,
                        const struct price_history *history, const struct zone *zone,
                        struct arena *a, struct price *ret)
{
    struct reckoning r = {
        .tariffs = tariffs,
        .count = count,
        .history = history,
        .zone = zone,
        .arena = a,
        .charging_start = TIME_NONE,
        .reserved_start = TIME_NONE,
        .notes = history->notes,
        .work_max = history->work ? *history->work : PRICE_WORK_MAX,
    };

    TRY(check_input(&r));
    r.books = arena_alloc(a, count * sizeof *r.books);
    for (size_t i = 0; i < count; i++)
        make_book(&tariffs[i], a, &r.books[i]);
    note_facts(&r);
    for (size_t i = 0; i < history->periods.count; i++)
        price_period(&r, &history->periods.at[i]);
    if (history->work)
        *history->work = r.work < r.work_max ? r.work_max - r.work : 0;
    if (r.work >= r.work_max)
        return err_at(a, ERR_BAD_FIELD, NULL, "tariff and session are too long to be priced");
    price_expiry(&r);
    round_steps(&r);
    *ret = (struct price){.notes = r.notes, .tariff = history->periods.at[0].tariff};
    sort_lines(&r, ret);
    if (r.beyond || !price_add_up(tariffs, &tariffs[ret->tariff], ret))
        return err_at(a, ERR_BAD_FIELD, NULL, "the amounts are too large to be reckoned");
    return OK;
}
