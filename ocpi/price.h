/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Price: what a charging session costs by a tariff (R-TAR). Pure: history in, amounts out.
 *
 * Three steps, each of use alone: price_tariff_read and price_record_read bring the documents of
 * all versions into one form; price_history_of makes of a Session's or CDR's periods what happened
 * when; price_reckon says what that costs. Nothing is rounded but each printed amount, once, to six
 * decimals (R-TAR-13).
 */
#ifndef OCPI_PRICE_H
#define OCPI_PRICE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ocpi/cdr.h"
#include "ocpi/tariff.h"
#include "ocpi/version.h"

struct arena;
struct zone;
struct ocpi_session;
struct ocpi211_tariff;
struct ocpi230_tariff;
struct object_leniency;

/* ---- tariffs ---- */

/* What the prices of a tariff say about taxes. */
enum price_taxes {
    PRICE_TAXES_ON_TOP,   /* by the `vat` of each component; without one no VAT applies */
    PRICE_TAXES_INCLUDED, /* so is the component's `vat` */
    PRICE_TAXES_NONE,
    PRICE_TAXES_UNKNOWN, /* on top, but their rates are not told: 2.1.1 */
};

/* A tariff of any version, borrowed from what it was made of. */
struct price_tariff {
    const char *id, *currency;
    enum ocpi_tariff_kind type;
    enum price_taxes taxes;
    LIST_OF(struct ocpi_tariff_element) elements;
    int64_t min_excl, min_incl, max_excl, max_incl; /* NUMBER_NONE: no such limit */
    int64_t start_us, end_us;                       /* validity in UTC; TIME_NONE: open */
    int64_t last_updated;
    LIST_OF(struct ocpi_display_text) alt_text; /* adds to the elements, changes nothing */
    bool vat_ignored;                           /* N/A with a vat (R-AMB-17) */
    bool precision_reduced; /* a price of the document had more than six decimals */
};

/* What is reckoned with. Real tariffs have a dozen elements of a few components each, and CDRs a
 * tariff or two; each piece of a session asks them all. */
enum { PRICE_ELEMENTS_MAX = 500, PRICE_COMPONENTS_MAX = 2000, PRICE_TARIFFS_MAX = 100 };

struct price_tariff price_tariff_of(const struct ocpi_tariff *tariff);
struct price_tariff price_tariff_of_211(const struct ocpi211_tariff *tariff, struct arena *a);
struct price_tariff price_tariff_of_230(const struct ocpi230_tariff *tariff);
/* A document, checked by its table. OCPI_VERSION_NONE: the version is told by its members.
 * ERR_TOO_LARGE: more than is reckoned with. */
struct err price_tariff_read(enum ocpi_version version, const json_t *json, struct arena *a,
                             struct price_tariff *ret);
/* The same of what was taken in with leniency (ocpi/object.h). */
struct err price_tariff_read_lenient(enum ocpi_version version, const json_t *json,
                                     const struct object_leniency *leniency, struct arena *a,
                                     struct price_tariff *ret);
/* NULL, or what there is too much of to be reckoned with. */
const char *price_tariffs_beyond(const struct price_tariff *tariffs, size_t count);

/* Which of a connector's tariffs counts for a session that begins then: one that is valid, of the
 * wanted type (NONE: REGULAR), else one without a type, of several the newest (R-TAR-05). NULL:
 * none fits. */
const struct price_tariff *price_choose(const struct price_tariff *tariffs, size_t count,
                                        int64_t start_us, enum ocpi_tariff_kind wanted);

/* ---- what happened ---- */

/* The sub-totals of a CDR. */
enum price_part {
    PRICE_PART_FIXED,
    PRICE_PART_ENERGY,
    PRICE_PART_TIME,
    PRICE_PART_PARKING,
    PRICE_PART_RESERVATION,
    PRICE_PARTS
};
struct price_stated {
    int64_t excl, incl; /* NUMBER_NONE: not told */
};

/* What a Session or CDR of any version tells. */
struct price_record {
    bool cdr, credit;
    const char *id, *currency;
    int64_t start_us, end_us; /* end TIME_NONE: not ended, or not known */
    int64_t last_updated;
    bool over; /* a CDR, or a Session that is COMPLETED or INVALID */
    LIST_OF(struct ocpi_charging_period) periods;
    LIST_OF(struct price_tariff) tariffs; /* of the CDR */
    const char *tariffs_beyond; /* NULL, or why its tariffs are left out: price_tariffs_beyond */
    int64_t kwh;                /* total_energy of a CDR */
    int64_t total_time, total_parking_time; /* hours, six decimals; NUMBER_NONE: not told */
    int64_t cost_excl, cost_incl; /* NUMBER_NONE: not told, which is not free (R-SESS-06) */
    int64_t parts_excl; /* the sum of a CDR's sub-totals; NUMBER_NONE: it has none (R-CDR-13) */
    struct price_stated parts[PRICE_PARTS];
};
/* Of the hub's own view. */
struct price_record price_record_of_session(const struct ocpi_session *session);
struct price_record price_record_of_cdr(const struct ocpi_cdr *cdr, struct arena *a);
/* A document, as price_tariff_read takes it; which of the two it is, its members tell. */
struct err price_record_read(enum ocpi_version version, const json_t *json, struct arena *a,
                             struct price_record *ret);

struct price_period {
    int64_t start_us, end_us;
    int64_t energy;                               /* kWh, six decimals */
    int64_t charging_s, parking_s, reservation_s; /* whole seconds */
    /* kW and A of the moment, six decimals: the MAX_ dimension, else the MIN_ one, else the
     * Session's own; NUMBER_NONE: not told. */
    int64_t power, current;
    size_t tariff; /* by which it is priced */
    bool assumed_charging;
};

struct price_history {
    LIST_OF(struct price_period) periods;
    /* Of the session, from where durations count; 0: of the first period. A first period may begin
     * later: the car took its time. */
    int64_t start_us;
    bool expired; /* the reservation was not used (R-TAR-09) */
    bool cut;     /* periods may be cut where a restriction begins or ends (R-TAR-04): estimates */
    unsigned notes;
    /* What may be spent on reckoning, counted down; NULL: PRICE_WORK_MAX for this one alone. */
    int64_t *work;
};

/* The record's periods in their order; each lasts until the next one starts, the last until the end
 * of the session (R-CDR-11). Sessions may be cut, CDRs are priced with the periods they have. The
 * tariff of each is found by its id among those that price_reckon will get. */
struct err price_history_of(const struct price_record *record, const struct price_tariff *tariffs,
                            size_t count, struct arena *a, struct price_history *ret);

/* ---- what it costs ---- */

/* clang-format off */
#define PRICE_NOTES(X)                                                                             \
    X(NO_TIME_ZONE,      "uncertain: no time zone, local times are taken as UTC")                  \
    X(UNKNOWN_TIME,      "uncertain: a time is given as unknown")                                  \
    X(CUT,               "estimated: periods were cut where prices change, energy spread evenly")  \
    X(DERIVED_POWER,     "uncertain: no power is told, it was derived from energy and time")       \
    X(NO_CURRENT,        "uncertain: no current is told, prices that depend on it do not apply")   \
    X(ASSUMED_CHARGING,  "uncertain: a period without TIME and PARKING_TIME is taken as TIME")     \
    X(NO_PERIODS,        "uncertain: there are no periods, the session is taken as one")           \
    X(NEGATIVE,          "a negative volume counts as nothing")                                    \
    X(UNKNOWN_TARIFF,    "uncertain: a period names a tariff that is not here")                    \
    X(NOT_VALID,         "the tariff is not valid at the start of the session")                    \
    X(NET_UNKNOWN,       "the prices include taxes of an unknown rate")                            \
    X(TAXES_UNKNOWN,     "taxes come on top, their rates are not told")                            \
    X(VAT_IGNORED,       "a tariff without taxes has a vat, which is ignored")                     \
    X(PRECISION_REDUCED, "a price has more than six decimals and was rounded")                     \
    X(MIN_PRICE,         "raised to the minimum price")                                            \
    X(MAX_PRICE,         "cut to the maximum price")                                               \
    /* of records, R-SESS-11, R-CDR-11, 12, 13 */                                                  \
    X(WATT_HOURS,        "the energy of the periods looks like Wh, not kWh")                       \
    X(ENERGY_DIFFERS,    "the energy of the periods is not the total energy")                      \
    X(TIME_DIFFERS,      "the times of the periods are not the total times")                       \
    X(PARTS_DIFFER,      "the sub-totals do not add up to the total cost")                         \
    X(PERIODS_OUTSIDE,   "a period starts before the session starts or after it ends")
/* clang-format on */

enum price_note {
#define X(name, text) PRICE_NOTE_##name,
    PRICE_NOTES(X)
#undef X
        PRICE_NOTE_COUNT
};
#define PRICE_NOTED(notes, name) (((notes) >> PRICE_NOTE_##name) & 1)
const char *price_note_name(enum price_note note); /* "NO_TIME_ZONE" */
const char *price_note_text(enum price_note note);

enum price_kind {
    PRICE_FLAT,
    PRICE_ENERGY,
    PRICE_CHARGING,
    PRICE_PARKING,
    PRICE_RESERVATION, /* its time */
    PRICE_RESERVATION_FLAT,
    PRICE_KINDS
};
const char *price_kind_name(enum price_kind kind); /* "energy" */

/* One component that was active, with the sum of what it priced. */
struct price_line {
    enum price_kind kind;
    size_t tariff, element, component;
    int64_t used, billed; /* before and after step_size: kWh with six decimals, seconds, or 1 */
    int64_t price, vat, step_size; /* as in the component */
    int64_t excl, incl;            /* NUMBER_NONE: unknown */
};

struct price_total {
    int64_t used, billed;
    int64_t excl, incl;
};

struct price {
    const char *currency;
    size_t tariff;      /* whose currency and limits count */
    int64_t excl, incl; /* six decimals; NUMBER_NONE: unknown */
    int64_t unlimited_excl, unlimited_incl;
    struct price_line *lines; /* in the order in which they became active, by kind */
    size_t line_count;
    struct price_total totals[PRICE_KINDS];
    unsigned notes;
};

/* Restrictions that are asked: well below a second. */
#define PRICE_WORK_MAX INT64_C(50000000)

/* `tariffs`: those that the periods name by their index; the first one's currency and limits count.
 * `zone`: of the place; NULL: not known (R-TAR-07). ERR_BAD_FIELD: amounts beyond reckoning, a
 * tariff and history too long together, a price below 0, or tariffs of several currencies. */
struct err price_reckon(const struct price_tariff *tariffs, size_t count,
                        const struct price_history *history, const struct zone *zone,
                        struct arena *a, struct price *ret);

/* ---- what a CPO says it costs ---- */

/* The sums within a record that should agree; notes. */
unsigned price_record_check(const struct price_record *record);

enum price_class {
    PRICE_SAME,    /* within 0.01 or 0.05 % */
    PRICE_CLOSE,   /* within 0.50 and 2 %: accepted, to be looked at */
    PRICE_DISPUTE, /* more */
};
enum price_class price_compare(int64_t stated_excl, int64_t reckoned_excl);

#endif
