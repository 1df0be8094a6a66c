/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bill: from quantities and prices to a document's amounts in minor units. Pure.
 *
 * Every amount is rounded once, half away from zero: a line's when the line is added up, a VAT
 * group's once per group, never a line's VAT. All adds up: the lines to the groups, the groups to
 * the totals, net plus VAT to gross. Whoever fills in the lines calls bill_add_up, which does the
 * rest; a cancellation is the exact mirror (bill_mirror).
 *
 *   gross-priced (receipts)   line = price x quantity, taxes included; a group's VAT is taken out
 *                             of its gross: gross x r / (100 + r)
 *   net-priced (statements)   line = net; a group's VAT is net x r / 100
 */
#ifndef OCPI_BILL_H
#define OCPI_BILL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ocpi/object.h"

struct arena;
struct price;
struct price_tariff;
struct price_record;

enum { BILL_LINES_MAX = 200, BILL_VAT_MAX_U4 = 2000000 /* 200 % */ };

/* clang-format off */
#define BILL_KINDS(X)                                                                             \
    X(SESSION,     "session")     /* once per session */                                           \
    X(ENERGY,      "energy")                                                                       \
    X(TIME,        "time")        /* from the start, or of charging */                             \
    X(PARKING,     "parking")     /* after charging had ended */                                   \
    X(RESERVATION, "reservation") /* its time, or a fee */                                         \
    X(CHARGING,    "charging")    /* all in one sum: a CDR without sub-totals */                   \
    X(MINIMUM,     "minimum")     /* what is missing to the minimum price */                       \
    X(LIMIT,       "limit")       /* negative: what is above the maximum price */                  \
    X(FEE,         "fee")         /* the hub's, on statements */

#define BILL_UNITS(X)                                                                             \
    X(PIECE,  "piece")                                                                             \
    X(KWH,    "kwh")                                                                               \
    X(MINUTE, "minute")                                                                            \
    X(HOUR,   "hour")
/* clang-format on */

enum bill_kind {
#define X(name, text) BILL_##name,
    BILL_KINDS(X)
#undef X
        BILL_KIND_COUNT
};
enum bill_unit {
#define X(name, text) BILL_##name,
    BILL_UNITS(X)
#undef X
        BILL_UNIT_COUNT
};
const char *bill_kind_name(enum bill_kind kind); /* "energy" */
const char *bill_unit_name(enum bill_unit unit); /* "kwh" */
/* The _COUNT: there is none of that name. */
enum bill_kind bill_kind_parse(const char *name);
enum bill_unit bill_unit_parse(const char *name);

struct bill_line {
    enum bill_kind kind;
    enum bill_unit unit;
    /* Of the unit, six decimals. A time stands for the nearest whole second: 0.016667 minutes are
     * one second, and are billed as such. */
    int64_t quantity_u6;
    /* Per unit, with or without taxes as the document says. NUMBER_NONE: only the amount is known,
     * and amount_minor is filled in by whoever puts the line. */
    int64_t price_u6;
    int64_t vat_u4;      /* percent, four decimals: 19 % is 190000 */
    int64_t from_minute; /* TIME by tiers: counted from this minute of the session on; else 0 */
    /* Filled in by bill_add_up: */
    int64_t amount_minor; /* net or gross, as the document is priced */
    int64_t net_minor;    /* its share of its group's net; by largest remainder if gross-priced */
};

/* All of one VAT rate. */
struct bill_group {
    int64_t vat_u4;
    int64_t net_minor, vat_minor, gross_minor;
};

struct bill {
    char currency[4];
    bool gross_priced;
    struct bill_line *lines;
    size_t line_count;
    struct bill_group *groups; /* in the order in which their rates first appear */
    size_t group_count;
    int64_t net_minor, vat_minor, gross_minor;
    struct arena *arena; /* of the lines and groups */
    size_t line_room;
};

/* Six decimals of the currency, NUMBER_NONE: no such limit. Both hold: what is above one is reduced
 * until it is below both, what is below one is lifted until it is above both. */
struct bill_limits {
    int64_t min_net_u6, max_net_u6, min_gross_u6, max_gross_u6;
};
#define BILL_NO_LIMITS ((struct bill_limits){NUMBER_NONE, NUMBER_NONE, NUMBER_NONE, NUMBER_NONE})

/* An empty document with room for lines. ERR_BAD_FIELD: a currency that is not in ISO 4217. */
struct err bill_new(const char *currency, bool gross_priced, struct arena *a, struct bill *ret);
/* Appends a line; kind, unit, quantity, price, vat and from_minute count. At most BILL_LINES_MAX,
 * more is a bug of the caller (lines of tiers are bounded where tariffs are read). */
void bill_put(struct bill *b, struct bill_line line);

/* Amounts of lines, groups and totals. Where a limit applies, a line LIMIT or MINIMUM is appended
 * for each VAT group that it changes, in proportion (largest remainder, ties to the first group).
 * A minimum where nothing costs anything goes to the rate of the first ENERGY line, else of the
 * first line, else to `vat_u4`. Once per document. ERR_BAD_FIELD: amounts beyond reckoning. */
struct err bill_add_up(struct bill *b, const struct bill_limits *limits, int64_t vat_u4);

/* The exact amount of a line, rounded to the minor unit. false: beyond reckoning. */
bool bill_line_amount(const struct bill_line *line, const char *currency, int64_t *ret_minor);

/* The cancellation: the same document with all quantities and amounts negated; prices stay. A
 * document and its mirror add up to zero in each line, group and total. */
struct bill bill_mirror(const struct bill *b, struct arena *a);

/* A statement's group: the sum of unrounded nets is rounded once, then VAT is taken of the rounded
 * net, once. ERR_BAD_FIELD: beyond reckoning. */
struct err bill_group_of_net(int64_t net_u6, int64_t vat_u4, const char *currency, struct arena *a,
                             struct bill_group *ret);
/* The same for a gross amount. */
struct err bill_group_of_gross(int64_t gross_u6, int64_t vat_u4, const char *currency,
                               struct arena *a, struct bill_group *ret);

/* Splits `whole` in proportion to the weights (none negative): the parts are whole numbers and add
 * up to it exactly; what is left after rounding down goes to the largest remainders, ties to the
 * one listed first. All weights 0: everything to the first. */
void bill_allocate(int64_t whole, const int64_t *weights, size_t count, int64_t *ret_parts);

/* A net-priced document from a wholesale tariff as an own receipt: lines as reckoned, limits of
 * the tariff (both held, unlike the check of a CDR, which caps each total by itself). A tariff with
 * included taxes makes a gross-priced one. `vat_u4`: for components without a vat. */
struct err bill_of_price(const struct price *p, const struct price_tariff *tariffs, int64_t vat_u4,
                         struct arena *a, struct bill *ret);

/* The figures of a CDR as it states them: without a retail tariff the user pays what it says (gross
 * where it gives it, else its net as what there is to pay). One line per sub-total where those add
 * up to its total, else one line CHARGING; gross-priced. A line's rate is the one of `vat_u4` and
 * those of the CDR's own tariffs which agrees with its amounts with and without taxes, else the one
 * that follows from them; `vat_u4` where the CDR gives no amount with taxes. */
struct err bill_of_record(const struct price_record *record, int64_t vat_u4, struct arena *a,
                          struct bill *ret);

#endif
