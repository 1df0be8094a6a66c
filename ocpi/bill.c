/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Amounts of a document. Lines are multiplied out exactly and rounded; groups and totals are sums
 * of whole minor units, so that all that is printed adds up. Limits replace a group's sum, and what
 * that changes becomes a line of its own.
 */
#include "ocpi/bill.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/text.h"

__extension__ typedef __int128 wide; /* the compiler's own type has no name without a warning */

#define U6 INT64_C(1000000)

/* Beyond the caller's lines there may be one for each group's change by the limits. */
enum { GROUPS_ROOM = BILL_LINES_MAX + 1, LINES_ROOM = BILL_LINES_MAX + GROUPS_ROOM };

/* Minor units of a line, group or limit: keeps all that follows from them in range. */
#define AMOUNT_MAX INT64_C(1000000000000)

static const char *const kind_names[] = {
#define X(name, text) text,
    BILL_KINDS(X)
#undef X
};
static const char *const unit_names[] = {
#define X(name, text) text,
    BILL_UNITS(X)
#undef X
};

const char *bill_kind_name(enum bill_kind kind)
{
    assert(kind < BILL_KIND_COUNT);
    return kind_names[kind];
}

const char *bill_unit_name(enum bill_unit unit)
{
    assert(unit < BILL_UNIT_COUNT);
    return unit_names[unit];
}

enum bill_kind bill_kind_parse(const char *name)
{
    unsigned kind = 0;

    while (kind < BILL_KIND_COUNT && strcmp(name, kind_names[kind]) != 0)
        kind++;
    return (enum bill_kind)kind;
}

enum bill_unit bill_unit_parse(const char *name)
{
    unsigned unit = 0;

    while (unit < BILL_UNIT_COUNT && strcmp(name, unit_names[unit]) != 0)
        unit++;
    return (enum bill_unit)unit;
}

/* ---- numbers ---- */

static wide power_of_ten(int n)
{
    wide ret = 1;

    while (n-- > 0)
        ret *= 10;
    return ret;
}

/* Half away from zero; the divisor is positive. */
static wide round_div(wide value, wide divisor)
{
    wide size = ((value < 0 ? -value : value) + divisor / 2) / divisor;

    return value < 0 ? -size : size;
}

static wide floor_div(wide value, wide divisor)
{
    return value / divisor - (value % divisor < 0);
}

static bool take_minor(wide minor, int64_t *ret)
{
    if (minor > AMOUNT_MAX || minor < -AMOUNT_MAX)
        return false;
    *ret = (int64_t)minor;
    return true;
}

/* Six decimals of the currency; never out of range, but maybe above AMOUNT_MAX. */
static wide minor_of_u6(int64_t amount_u6, const char *currency)
{
    return round_div(amount_u6, power_of_ten(6 - currency_exponent(currency)));
}

bool bill_line_amount(const struct bill_line *l, const char *currency, int64_t *ret_minor)
{
    int decimals = currency_exponent(currency);
    wide per_unit = 0, units = l->quantity_u6;

    switch (l->unit) {
    case BILL_MINUTE:
        per_unit = 60;
        break;
    case BILL_HOUR:
        per_unit = 3600;
        break;
    default:
        return take_minor(round_div((wide)l->price_u6 * units, power_of_ten(12 - decimals)),
                          ret_minor);
    }
    /* Whole seconds: a minute has no end of decimals. */
    units = round_div(units * per_unit, U6);
    if (units > INT64_MAX || units < -INT64_MAX)
        return false;
    return take_minor(round_div((wide)l->price_u6 * units, per_unit * power_of_ten(6 - decimals)),
                      ret_minor);
}

/* ---- allocation ---- */

/* Weights and whole are not negative, their sum is positive. */
static void allocate(int64_t whole, const wide *weights, size_t count, int64_t *parts)
{
    wide sum = 0;
    int64_t left = whole;

    for (size_t i = 0; i < count; i++)
        sum += weights[i];
    for (size_t i = 0; i < count; i++) {
        parts[i] = (int64_t)(whole * weights[i] / sum);
        left -= parts[i];
    }
    /* Less than one unit per part is left. Who has got one is marked by what it has too much. */
    while (left-- > 0) {
        size_t best = count;
        wide most = 0;
        for (size_t i = 0; i < count; i++) {
            wide rest = whole * weights[i] - parts[i] * sum;
            if (rest > most) {
                most = rest;
                best = i;
            }
        }
        assert(best < count);
        parts[best]++;
    }
}

void bill_allocate(int64_t whole, const int64_t *weights, size_t count, int64_t *ret_parts)
{
    wide wides[BILL_LINES_MAX], sum = 0;
    int64_t size = whole < 0 ? -whole : whole;

    assert(count && count <= BILL_LINES_MAX && whole != INT64_MIN);
    for (size_t i = 0; i < count; i++) {
        assert(weights[i] >= 0);
        wides[i] = weights[i];
        sum += weights[i];
    }
    if (!sum)
        wides[0] = 1;
    allocate(size, wides, count, ret_parts);
    for (size_t i = 0; i < count && whole < 0; i++)
        ret_parts[i] = -ret_parts[i];
}

/* ---- making one ---- */

struct err bill_new(const char *currency, bool gross_priced, struct arena *a, struct bill *ret)
{
    if (!currency || !currency_known(currency))
        return err_at(a, ERR_BAD_FIELD, "currency", "%s is no currency of ISO 4217",
                      currency ? currency : "nothing");
    *ret = (struct bill){.gross_priced = gross_priced, .arena = a};
    memcpy(ret->currency, currency, sizeof ret->currency);
    return OK;
}

static void append(struct bill *b, struct bill_line line)
{
    assert(b->line_count < LINES_ROOM);
    if (b->line_count == b->line_room) {
        size_t room = b->line_room ? 2 * b->line_room : 8;
        struct bill_line *lines = arena_alloc(b->arena, room * sizeof *lines);
        if (b->line_count)
            memcpy(lines, b->lines, b->line_count * sizeof *lines);
        b->lines = lines;
        b->line_room = room;
    }
    b->lines[b->line_count++] = line;
}

void bill_put(struct bill *b, struct bill_line line)
{
    assert(b->line_count < BILL_LINES_MAX);
    append(b, line);
}

/* ---- groups ---- */

/* A group while it is made: `of_gross` says from which side the tax is taken. */
static void group_of_net(struct bill_group *g, int64_t net)
{
    g->net_minor = net;
    g->vat_minor = (int64_t)round_div((wide)net * g->vat_u4, U6);
    g->gross_minor = net + g->vat_minor;
}

static void group_of_gross(struct bill_group *g, int64_t gross)
{
    g->gross_minor = gross;
    g->vat_minor = (int64_t)round_div((wide)gross * g->vat_u4, U6 + (wide)g->vat_u4);
    g->net_minor = gross - g->vat_minor;
}

static int64_t *basis_of(const struct bill *b, struct bill_group *g)
{
    return b->gross_priced ? &g->gross_minor : &g->net_minor;
}

static struct bill_group *group_at(struct bill *b, int64_t vat_u4)
{
    for (size_t i = 0; i < b->group_count; i++)
        if (b->groups[i].vat_u4 == vat_u4)
            return &b->groups[i];
    b->groups[b->group_count] = (struct bill_group){.vat_u4 = vat_u4};
    return &b->groups[b->group_count++];
}

static void make_groups(struct bill *b)
{
    b->groups = arena_alloc(b->arena, (b->line_count + 1) * sizeof *b->groups);
    b->group_count = 0;
    for (size_t i = 0; i < b->line_count; i++)
        *basis_of(b, group_at(b, b->lines[i].vat_u4)) += b->lines[i].amount_minor;
    for (size_t i = 0; i < b->group_count; i++) {
        if (b->gross_priced)
            group_of_gross(&b->groups[i], b->groups[i].gross_minor);
        else
            group_of_net(&b->groups[i], b->groups[i].net_minor);
    }
}

static void make_totals(struct bill *b)
{
    b->net_minor = b->vat_minor = b->gross_minor = 0;
    for (size_t i = 0; i < b->group_count; i++) {
        b->net_minor += b->groups[i].net_minor;
        b->vat_minor += b->groups[i].vat_minor;
        b->gross_minor += b->groups[i].gross_minor;
    }
}

/* ---- limits ---- */

/* What the groups are in proportion to each other: their exact net or gross, to a common scale. A
 * group below zero gets no part. */
static bool weigh(const struct bill *b, bool gross, wide *ret)
{
    wide sum = 0;

    for (size_t i = 0; i < b->group_count; i++) {
        const struct bill_group *g = &b->groups[i];
        wide weight = g->gross_minor;
        if (gross && !b->gross_priced)
            weight = g->net_minor * ((wide)U6 + g->vat_u4);
        else if (!gross)
            weight = g->net_minor;
        ret[i] = weight > 0 ? weight : 0;
        sum += ret[i];
    }
    return sum > 0;
}

/* Where nothing costs anything, a minimum needs a rate. */
static void weigh_by_kind(struct bill *b, int64_t vat_u4, wide *ret)
{
    int64_t rate = b->line_count ? b->lines[0].vat_u4 : vat_u4;

    for (size_t i = b->line_count; i-- > 0;)
        if (b->lines[i].kind == BILL_ENERGY)
            rate = b->lines[i].vat_u4;
    struct bill_group *g = group_at(b, rate);
    for (size_t i = 0; i < b->group_count; i++)
        ret[i] = &b->groups[i] == g;
}

static void share_net(struct bill *b, const wide *weights, int64_t net)
{
    int64_t parts[GROUPS_ROOM];

    allocate(net, weights, b->group_count, parts);
    for (size_t i = 0; i < b->group_count; i++)
        group_of_net(&b->groups[i], parts[i]);
    make_totals(b);
}

static void share_gross(struct bill *b, const wide *weights, int64_t gross)
{
    int64_t parts[GROUPS_ROOM];

    allocate(gross, weights, b->group_count, parts);
    for (size_t i = 0; i < b->group_count; i++)
        group_of_gross(&b->groups[i], parts[i]);
    make_totals(b);
}

/* About the gross that has this net, shared like this. */
static int64_t gross_near(struct bill *b, const wide *weights, int64_t net)
{
    share_gross(b, weights, net);
    return b->net_minor > 0 ? (int64_t)round_div((wide)net * net, b->net_minor) : net;
}

/* Weights of before: what is rounded meanwhile shall not count. */
struct weights {
    wide net[GROUPS_ROOM], gross[GROUPS_ROOM];
};

static int64_t at_least(int64_t value, int64_t min)
{
    return value > min ? value : min;
}

static int64_t at_most(int64_t value, int64_t max)
{
    return value < max ? value : max;
}

static void lift(struct bill *b, int64_t min_net, int64_t min_gross, int64_t vat_u4)
{
    struct weights w;
    int64_t gross;

    if (b->net_minor >= min_net && b->gross_minor >= min_gross)
        return;
    if (!weigh(b, false, w.net) || !weigh(b, true, w.gross)) {
        weigh_by_kind(b, vat_u4, w.net);
        weigh_by_kind(b, vat_u4, w.gross);
    }
    if (!b->gross_priced && b->net_minor < min_net) {
        share_net(b, w.net, min_net);
        if (b->gross_minor >= min_gross)
            return;
    }
    gross = at_least(b->gross_minor, min_gross);
    if (b->net_minor < min_net)
        gross = at_least(gross, gross_near(b, w.gross, min_net) - (int64_t)b->group_count);
    share_gross(b, w.gross, gross);
    while (b->net_minor < min_net)
        share_gross(b, w.gross, ++gross);
}

static void cap(struct bill *b, int64_t max_net, int64_t max_gross)
{
    struct weights w;
    int64_t gross;

    if (b->net_minor <= max_net && b->gross_minor <= max_gross)
        return;
    if (!weigh(b, true, w.gross))
        return;
    if (!b->gross_priced && b->net_minor > max_net && weigh(b, false, w.net)) {
        share_net(b, w.net, max_net);
        if (b->gross_minor <= max_gross)
            return;
    }
    gross = at_most(b->gross_minor, max_gross);
    if (b->net_minor > max_net)
        gross = at_most(gross, gross_near(b, w.gross, max_net) + (int64_t)b->group_count);
    share_gross(b, w.gross, gross);
    while (b->net_minor > max_net)
        share_gross(b, w.gross, --gross);
}

/* INT64_MIN or MAX, which no amount reaches, for a limit that is not there. */
static struct err limit_of(const struct bill *b, int64_t limit_u6, int64_t none, int64_t *ret)
{
    wide minor = limit_u6 > 0 ? minor_of_u6(limit_u6, b->currency) : 0;

    if (limit_u6 == NUMBER_NONE) {
        *ret = none;
        return OK;
    }
    if (!take_minor(minor, ret))
        return err_at(b->arena, ERR_BAD_FIELD, NULL, "the limits are too large to be reckoned");
    return OK;
}

/* What the limits changed in each group becomes a line. */
static void put_changes(struct bill *b, const int64_t *before, size_t before_count)
{
    for (size_t i = 0; i < b->group_count; i++) {
        int64_t change = *basis_of(b, &b->groups[i]) - (i < before_count ? before[i] : 0);
        if (!change)
            continue;
        append(b, (struct bill_line){
                      .kind = change < 0 ? BILL_LIMIT : BILL_MINIMUM,
                      .unit = BILL_PIECE,
                      .quantity_u6 = U6,
                      .price_u6 = money_u6_from_minor(change, b->currency),
                      .vat_u4 = b->groups[i].vat_u4,
                      .amount_minor = change,
                  });
    }
}

static struct err apply_limits(struct bill *b, const struct bill_limits *limits, int64_t vat_u4)
{
    int64_t min_net, max_net, min_gross, max_gross, before[GROUPS_ROOM];
    size_t before_count = b->group_count;

    TRY(limit_of(b, limits->min_net_u6, INT64_MIN, &min_net));
    TRY(limit_of(b, limits->max_net_u6, INT64_MAX, &max_net));
    TRY(limit_of(b, limits->min_gross_u6, INT64_MIN, &min_gross));
    TRY(limit_of(b, limits->max_gross_u6, INT64_MAX, &max_gross));
    for (size_t i = 0; i < b->group_count; i++)
        before[i] = *basis_of(b, &b->groups[i]);
    /* The maximum has the last word; a credit has no minimum. */
    if (b->gross_minor >= 0)
        lift(b, min_net, min_gross, vat_u4);
    cap(b, max_net, max_gross);
    put_changes(b, before, before_count);
    return OK;
}

/* ---- nets of lines ---- */

static void share_line_nets(struct bill *b, const struct bill_group *g)
{
    wide whole = U6 + (wide)g->vat_u4, rests[LINES_ROOM];
    int64_t left = g->net_minor;

    for (size_t i = 0; i < b->line_count; i++) {
        struct bill_line *l = &b->lines[i];
        rests[i] = -1;
        if (l->vat_u4 != g->vat_u4)
            continue;
        wide exact = (wide)l->amount_minor * U6;
        l->net_minor = (int64_t)floor_div(exact, whole);
        rests[i] = exact - l->net_minor * whole;
        left -= l->net_minor;
    }
    while (left-- > 0) {
        size_t best = 0;
        for (size_t i = 1; i < b->line_count; i++)
            if (rests[i] > rests[best])
                best = i;
        b->lines[best].net_minor++;
        rests[best] = -1;
    }
}

static void make_line_nets(struct bill *b)
{
    for (size_t i = 0; i < b->line_count; i++)
        b->lines[i].net_minor = b->lines[i].amount_minor;
    for (size_t i = 0; i < b->group_count && b->gross_priced; i++)
        share_line_nets(b, &b->groups[i]);
}

/* ---- the story ---- */

static struct err beyond(const struct bill *b)
{
    return err_at(b->arena, ERR_BAD_FIELD, NULL, "the amounts are too large to be reckoned");
}

static bool within(int64_t minor)
{
    return minor <= AMOUNT_MAX && minor >= -AMOUNT_MAX;
}

static bool rate_within(int64_t vat_u4)
{
    return vat_u4 >= 0 && vat_u4 <= BILL_VAT_MAX_U4;
}

struct err bill_add_up(struct bill *b, const struct bill_limits *limits, int64_t vat_u4)
{
    bool good = rate_within(vat_u4);

    for (size_t i = 0; i < b->line_count && good; i++) {
        struct bill_line *l = &b->lines[i];
        good = rate_within(l->vat_u4) &&
               (l->price_u6 == NUMBER_NONE ? within(l->amount_minor)
                                           : bill_line_amount(l, b->currency, &l->amount_minor));
    }
    if (!good)
        return beyond(b);
    make_groups(b);
    for (size_t i = 0; i < b->group_count; i++)
        good &= within(b->groups[i].net_minor) && within(b->groups[i].gross_minor);
    if (!good)
        return beyond(b);
    make_totals(b);
    if (!within(b->gross_minor))
        return beyond(b);
    TRY(apply_limits(b, limits, vat_u4));
    make_line_nets(b);
    return OK;
}

struct bill bill_mirror(const struct bill *b, struct arena *a)
{
    struct bill ret = *b;

    ret.arena = a;
    ret.line_room = b->line_count;
    ret.lines = arena_alloc(a, (b->line_count + 1) * sizeof *ret.lines);
    ret.groups = arena_alloc(a, (b->group_count + 1) * sizeof *ret.groups);
    for (size_t i = 0; i < b->line_count; i++) {
        ret.lines[i] = b->lines[i];
        ret.lines[i].quantity_u6 = -b->lines[i].quantity_u6;
        ret.lines[i].amount_minor = -b->lines[i].amount_minor;
        ret.lines[i].net_minor = -b->lines[i].net_minor;
    }
    for (size_t i = 0; i < b->group_count; i++)
        ret.groups[i] = (struct bill_group){b->groups[i].vat_u4, -b->groups[i].net_minor,
                                            -b->groups[i].vat_minor, -b->groups[i].gross_minor};
    ret.net_minor = -b->net_minor;
    ret.vat_minor = -b->vat_minor;
    ret.gross_minor = -b->gross_minor;
    return ret;
}

/* ---- statements ---- */

static struct err group_of(int64_t amount_u6, bool gross, int64_t vat_u4, const char *currency,
                           struct arena *a, struct bill_group *ret)
{
    wide minor = minor_of_u6(amount_u6, currency);

    if (!rate_within(vat_u4) || minor > INT64_MAX / 4 || minor < -INT64_MAX / 4)
        return err_at(a, ERR_BAD_FIELD, NULL, "the amounts are too large to be reckoned");
    *ret = (struct bill_group){.vat_u4 = vat_u4};
    if (gross)
        group_of_gross(ret, (int64_t)minor);
    else
        group_of_net(ret, (int64_t)minor);
    return OK;
}

struct err bill_group_of_net(int64_t net_u6, int64_t vat_u4, const char *currency, struct arena *a,
                             struct bill_group *ret)
{
    return group_of(net_u6, false, vat_u4, currency, a, ret);
}

struct err bill_group_of_gross(int64_t gross_u6, int64_t vat_u4, const char *currency,
                               struct arena *a, struct bill_group *ret)
{
    return group_of(gross_u6, true, vat_u4, currency, a, ret);
}
