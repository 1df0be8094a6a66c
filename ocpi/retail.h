/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retail: the hub's own tariffs, what a user pays for a session. Pure.
 *
 * A tariff is a JSON document that is read strictly: an unknown or wrong member is named in the
 * complaint. Before the start it becomes a quote (retail_quote): a tariff again, of firm prices per
 * kWh, minute and session, in which nothing depends on what the network charges later. The quote is
 * stored with the session, printed by retail_tariff_print and read back by retail_tariff_read, and
 * both the live estimate and the receipt are computed from it by the same function.
 *
 *   {"id":"RT-EU-1","version":3,"name":"Standard","currency":"EUR","vat":19,
 *    "price_includes_vat":true,"kwh_price":0.59,"session_price":0.35,
 *    "time_tariffs":[{"starting_at_minute":0,"minute_price":0.00},
 *                    {"starting_at_minute":240,"minute_price":0.10}],
 *    "max_charging_time":720}
 */
#ifndef OCPI_RETAIL_H
#define OCPI_RETAIL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ocpi/bill.h"
#include "ocpi/object.h"
#include "ocpi/types.h"

struct arena;
struct price_history;
struct price_tariff;
struct text;
struct zone;

/* ---- the tariff ---- */

enum {
    RETAIL_TIERS_MAX = 50,
    RETAIL_SELECTOR_MAX = 500, /* entries per list of a selector */
    RETAIL_VOID_THRESHOLD_S = 120
};

enum retail_mode {
    RETAIL_FIXED,       /* prices of its own: the default, and every quote */
    RETAIL_MARKUP,      /* the network's net prices and something on top */
    RETAIL_PASS_THROUGH /* the user pays what the CDR says (bill_of_record); no quote */
};
const char *retail_mode_name(enum retail_mode mode); /* "fixed" */

enum retail_power_class {
    RETAIL_POWER_NONE,
    RETAIL_AC,
    RETAIL_DC,
    RETAIL_HPC /* direct current from 150 kW on; a selector DC takes it too */
};
enum retail_power_class retail_power_class_of(bool direct_current, int64_t max_power_w);

/* From this minute of the session on, until the next tier. */
struct retail_tier {
    int64_t starting_at_minute;
    int64_t minute_price_u6;
};

/* Whom it is for; a list that is empty takes all. */
struct retail_selector {
    TEXT_LIST_OF countries; /* "country": ISO alpha-3 of the location as OCPI has it, "DEU" */
    TEXT_LIST_OF cpos;      /* "cpo": "DE*ABC" */
    enum retail_power_class power_class;
    TEXT_LIST_OF user_groups; /* "user_group" */
};

struct retail_tariff {
    const char *id;   /* 1..36 of A-Z a-z 0-9 . _ - */
    int64_t version;  /* from 1 on */
    const char *name; /* for display; the id where there is none */
    char currency[4];
    enum retail_mode mode;
    enum retail_mode quoted_mode; /* of a quote: the mode of the tariff that it came from */
    int64_t vat_u4;               /* percent, four decimals */
    bool price_includes_vat; /* default true; counts for all prices and limits in the document */
    /* Firm prices; all 0 in the other modes. */
    int64_t kwh_price_u6, session_price_u6;
    LIST_OF(struct retail_tier) time_tariffs;
    int64_t parking_minute_price_u6;    /* replaces the tiers' after charging ended; NUMBER_NONE */
    int64_t time_increment_s;           /* minutes are counted in started increments; default 60 */
    int64_t max_charging_time;          /* minutes; NUMBER_NONE: no such limit */
    int64_t grace_minutes;              /* free of time prices after charging ended; default 0 */
    int64_t min_price_u6, max_price_u6; /* of the session; markup: floor and cap; NUMBER_NONE */
    int64_t percent_u4;                 /* markup */
    int64_t kwh_adder_u6, session_adder_u6; /* markup, priced as the document is */
    int64_t valid_from_us, valid_until_us;  /* at the session's start; TIME_NONE: open */
    bool currency_mismatch_refused; /* "currency_mismatch":"refuse": only where the network charges
                                     * in the same currency; always so for markup */
    struct retail_selector selector;
};

/* ERR_BAD_FIELD: err.where is the member, "time_tariffs[1].minute_price", err.text says what is
 * wrong with it. Texts are borrowed from the document, which lives in the arena or longer. */
struct err retail_tariff_read(const json_t *json, struct arena *a, struct retail_tariff *ret);
/* Canonical: the same tariff is always the same text, whatever document it came from; reading it
 * gives the same tariff. For hashes and storage. */
void retail_tariff_print(const struct retail_tariff *t, struct text *out, const char *key);
/* As apps and fleets see prices: {kwh_price, session_price, time_tariffs[], vat (a fraction),
 * currency, max_charging_time}. */
void retail_tariff_print_public(const struct retail_tariff *t, struct text *out, const char *key);

/* ---- selection ---- */

struct retail_where {
    const char *country; /* "DEU" */
    const char *cpo;     /* "DE*ABC"; compared without case and separators */
    enum retail_power_class power_class;
    const char *user_group;         /* NULL: in none */
    const char *wholesale_currency; /* NULL: not known, which only a mode of markup minds */
    int64_t start_us;
};
bool retail_tariff_fits(const struct retail_tariff *t, const struct retail_where *where);
/* Of those that fit and are valid at the start the most specific: user group counts more than CPO,
 * that more than power class (HPC more than DC), that more than country; then the later valid_from,
 * the higher version, the first listed. NULL: none, so the network's price is passed through. */
const struct retail_tariff *retail_choose(const struct retail_tariff *tariffs, size_t count,
                                          const struct retail_where *where);

/* ---- the quote ---- */

/* Firm prices for a session that starts then, of mode RETAIL_FIXED (RETAIL_PASS_THROUGH stays what
 * it is). A fixed tariff is its own quote. For markup, from the wholesale tariff:
 *
 *   per kWh, fee    the prices that are active at the start, for the whole session
 *   per minute      the time prices as tiers over the minutes of the next two days (or
 *                   max_charging_time), so that prices by the clock or by duration stay what they
 *                   are; parking as it is at the start
 *   limits          its minimum and maximum price, where the markup has no floor or cap
 *
 * Each is net x (100 % + percent), with VAT on top where price_includes_vat, rounded to four
 * decimals; then the adders come on top.
 * `zone`: NULL where not known; `power_w` of the connector, 0: not known. ERR_BAD_FIELD: a markup
 * without a wholesale tariff, on another currency, or on prices with included taxes of an unknown
 * rate. */
struct err retail_quote(const struct retail_tariff *t, const struct price_tariff *wholesale,
                        const struct zone *zone, int64_t power_w, int64_t start_us, struct arena *a,
                        struct retail_tariff *ret);

/* ---- what a session costs ---- */

struct retail_facts {
    int64_t energy_u6; /* kWh; below 0 counts as nothing */
    int64_t start_us, end_us;
    int64_t charging_end_us; /* TIME_NONE: charged until the end */
    bool final;              /* false: still running, so it is not void yet */
    int64_t vat_u4; /* at the end of the supply, at its place; NUMBER_NONE: the tariff's own */
    int64_t void_threshold_s; /* RETAIL_VOID_THRESHOLD_S */
};
/* Start, end, energy and end of charging of a CDR's or Session's periods; the phase of a
 * reservation does not count. Final, VAT of the tariff, the usual threshold. */
struct retail_facts retail_facts_of(const struct price_history *history);

struct retail_price {
    struct bill bill;   /* priced as the tariff is; the lines are the explanation */
    bool is_void;       /* no Wh, and shorter than the threshold: costs nothing, no lines */
    int64_t energy_u6;  /* rounded to the Wh */
    int64_t elapsed_s;  /* from start to end, started seconds */
    int64_t billed_s;   /* of it: started increments, within max_charging_time, without grace */
    int64_t excess_s;   /* beyond max_charging_time, never billed: the hub's loss */
    bool limit_reached; /* max_charging_time has passed: the hub stops the session */
};
/* By a quote (mode RETAIL_FIXED; else ERR_INTERNAL). ERR_BAD_FIELD: amounts beyond reckoning. */
struct err retail_price(const struct retail_tariff *quote, const struct retail_facts *facts,
                        struct arena *a, struct retail_price *ret);
/* The moment at which max_charging_time is over; TIME_NONE: never. */
int64_t retail_stop_at(const struct retail_tariff *quote, int64_t start_us);

/* ---- the live estimate ---- */

enum { RETAIL_STALE_S = 15 * 60 };

/* `cost_detail` of status and events. Amounts in minor units, gross. */
struct retail_estimate {
    char currency[4];
    int64_t amount_minor;       /* measured + extrapolated */
    int64_t measured_minor;     /* up to the last update */
    int64_t extrapolated_minor; /* time alone, from the last update until now; never energy */
    bool vat_included;          /* true */
    int64_t as_of_us;           /* now */
    bool stale;                 /* no update for 15 minutes */
};
/* `facts.end_us`: the last accepted update's moment; what is known was measured until then. */
struct err retail_estimate(const struct retail_tariff *quote, const struct retail_facts *facts,
                           int64_t now_us, struct arena *a, struct retail_estimate *ret);
/* {amount, currency, vat_included, as_of, measured, extrapolated, stale, final: false} */
void retail_estimate_print(const struct retail_estimate *e, struct text *out, const char *key);

#endif
