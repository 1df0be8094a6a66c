/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDR check: is what a network says a session was, and cost, plausible (R-CDR). Pure.
 *
 * The caller knows the partner, the identity and the session (steps 1 to 4 of the intake are made
 * of look-ups); here the CDR is recalculated, held against what is known of the session, and given
 * a class. The stated amount is what is accepted, never ours; ours only decides the class.
 *
 *   CDR_OK          the difference is within 0.01 or 0.05 %
 *   CDR_WARN        within 0.50 and 2 %, or something to tell the partner: accepted and billed
 *   CDR_DISPUTE     more: billed to the user, kept out of the statement until a person decides
 *   CDR_QUARANTINE  measured values cannot be right: nothing happens until a person decides
 */
#ifndef OCPI_CDR_CHECK_H
#define OCPI_CDR_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ocpi/price.h"

struct arena;
struct text;
struct zone;

/* Times of a charge: 2000-01-01 to 2200-01-01. Years that are further away are a slip, and may be
 * none at all by the clocks of the place. */
#define CDR_EARLIEST_US INT64_C(946684800000000)
#define CDR_LATEST_US INT64_C(7258118400000000)

/* Of the calculation: raised with each change that can change a result. */
enum { CDR_CHECK_ENGINE = 1 };

enum cdr_class { CDR_OK, CDR_WARN, CDR_DISPUTE, CDR_QUARANTINE };
const char *cdr_class_name(enum cdr_class c); /* "OK", "WARN", "DISPUTE", "QUARANTINE" */

/* Per partner and currency; six decimals of the currency, percent with four decimals. */
struct cdr_limits {
    int64_t ok_u6, ok_percent_u4;     /* either of them is enough: 0.01, 0.05 % */
    int64_t warn_u6, warn_percent_u4; /* both have to hold: 0.50, 2 % */
    int64_t future_s;                 /* an end later than now by more: 300 */
    int64_t longest_s;                /* 7 days */
    int64_t late_s;                   /* 30 days */
    int64_t time_s;                   /* per period that times may be off: 1 */
    int64_t power_percent;            /* of the connector's power that may be exceeded: 10 */
    int64_t energy_drop_u4;           /* percent that energy may be below the last Session's: 1 % */
};
/* The defaults, with amounts in the size of the currency (0.01 EUR, 1 JPY). */
struct cdr_limits cdr_limits_default(const char *currency);

/* What is known of the session and its place. Everything absent is not checked. */
struct cdr_facts {
    int64_t now_us;
    const struct zone *zone; /* of the location; NULL: not known, UTC and a finding */
    /* The tariff version with which the session began; count 0: none is kept. */
    const struct price_tariff *start_tariffs;
    size_t start_tariff_count;
    const char *start_unreadable;    /* why one of them cannot be reckoned with; NULL: all can */
    int64_t power_w;                 /* of the connector; 0: not known */
    int64_t session_energy_u6;       /* of the last Session update; NUMBER_NONE: not known */
    const char *token_overlap;       /* another session of the same token at that time, or NULL */
    const char *evse_overlap;        /* another session at the same EVSE */
    int64_t signed_energy_u6;        /* difference of the signed readings; NUMBER_NONE: none */
    const struct cdr_limits *limits; /* NULL: the defaults */
};

/* clang-format off */
/*    name                 class       text */
#define CDR_FINDINGS(X)                                                                           \
    /* measured values */                                                                          \
    X(end_before_start,    QUARANTINE, "it ends before it starts")                                 \
    X(in_the_future,       QUARANTINE, "it ends in the future")                                    \
    X(long_ago,            QUARANTINE, "it ends before there was anything to charge at")           \
    X(too_long,            QUARANTINE, "it lasted longer than a session may")                      \
    X(energy_mismatch,     QUARANTINE, "the energy of the periods is not the total energy")        \
    X(watt_hours,          QUARANTINE, "the energy of the periods looks like Wh, not kWh")         \
    X(negative_energy,     QUARANTINE, "an energy or a time is negative")                          \
    X(time_mismatch,       QUARANTINE, "the times of the periods are not the total times")         \
    X(duration_mismatch,   QUARANTINE, "the total time is not that from its start to its end")     \
    X(energy_above_power,  QUARANTINE, "more energy than the connector can deliver in that time")  \
    X(energy_fell,         QUARANTINE, "less energy than the session had reported before")         \
    X(signed_mismatch,     QUARANTINE, "the energy is not the difference of the signed readings")  \
    X(periods_unordered,   QUARANTINE, "the periods are not in the order of their starts")         \
    X(periods_outside,     QUARANTINE, "a period starts before the session or after its end")      \
    X(currency_mismatch,   QUARANTINE, "the currency is not that of its tariff")                   \
    X(token_overlap,       QUARANTINE, "the same token charged elsewhere at the same time")        \
    X(evse_overlap,        QUARANTINE, "another session was at the same EVSE at the same time")    \
    X(negative_total,      QUARANTINE, "a negative total, and it is no credit")                    \
    X(credit_positive,     QUARANTINE, "a credit with a positive total")                           \
    X(beyond_reckoning,    QUARANTINE, "it cannot be recalculated")                                \
    X(tariff_unreadable,   QUARANTINE, "a tariff that counts for it cannot be reckoned with")      \
    /* amounts */                                                                                  \
    X(cost_differs,        OK,         "the stated cost is not the recalculated one")              \
    X(gross_differs,       OK,         "the stated cost with taxes is not the recalculated one")   \
    X(tax_mismatch,        WARN,       "a tax is not its percentage of the net amount")            \
    X(tariff_changed,      WARN,       "its tariff is not the one with which the session began")   \
    X(parts_differ,        WARN,       "the sub-totals do not add up to the total cost")           \
    /* to be told */                                                                               \
    X(no_tariff,           WARN,       "it has no tariff and none is kept: not recalculated")      \
    X(late,                WARN,       "it came more than 30 days after the session")              \
    X(assumed_zone,        OK,         "no time zone is known, local times were taken as UTC")     \
    X(assumed_charging,    OK,         "a period without TIME and PARKING_TIME was taken as TIME") \
    X(derived_power,       OK,         "no power is told, it was derived from energy and time")    \
    X(missing_current,     WARN,       "no current is told, prices by current did not apply")      \
    X(unknown_tariff,      WARN,       "a period names a tariff that the record does not have")    \
    X(tariff_not_valid,    WARN,       "its tariff was not valid when the session started")        \
    X(unknown_time,        OK,         "its start or end is told as unknown")
/* clang-format on */

enum cdr_finding_kind {
#define X(name, class, text) CDR_FINDING_##name,
    CDR_FINDINGS(X)
#undef X
        CDR_FINDING_COUNT
};

struct cdr_finding {
    enum cdr_finding_kind kind;
    enum cdr_class class; /* what it makes of the CDR by itself */
    const char *name;     /* "energy_above_power": stable, for cases and lists */
    const char *text;     /* for people, with the figures */
    const char *where;    /* member of the CDR, or NULL */
};

/* A sub-total as the CDR states it, and as it was recalculated; NUMBER_NONE: not told, unknown. */
struct cdr_part {
    int64_t stated_u6, reckoned_u6;
};

struct cdr_check {
    enum cdr_class class; /* the worst of the findings and of the differences */
    struct cdr_finding findings[CDR_FINDING_COUNT]; /* each kind once at most */
    size_t finding_count;
    bool reckoned;            /* the following is there */
    bool by_own_tariff;       /* of the CDR; else by the version kept at the start */
    struct price price;       /* recalculated, limits capped independently */
    int64_t net_u6;           /* NUMBER_NONE: not reckoned, or taxes included at an unknown rate */
    int64_t gross_u6;         /* NUMBER_NONE: unknown */
    int64_t delta_u6;         /* stated net - recalculated net, at four decimals */
    int64_t delta_percent_u4; /* of the recalculated net; 0 where that is 0 */
    struct cdr_part parts[PRICE_PARTS];
    int64_t work_left;            /* of PRICE_WORK_MAX, for whoever reckons on with it */
    struct price_history history; /* for retail_facts_of and the receipt; also without a tariff */
};

/* Never fails on what a partner wrote: that is a finding. For credits the amounts are compared
 * without their sign. */
void cdr_check(const struct price_record *record, const struct cdr_facts *facts, struct arena *a,
               struct cdr_check *ret);
/* The same of a document, with the checks that need it: taxes of 2.3.0 (amount = net x percentage
 * within 0.01, and gross = net + taxes). */
void cdr_check_document(enum ocpi_version version, const json_t *cdr,
                        const struct price_record *record, const struct cdr_facts *facts,
                        struct arena *a, struct cdr_check *ret);
/* NULL: it was not found. */
const struct cdr_finding *cdr_check_find(const struct cdr_check *c, enum cdr_finding_kind kind);

/* A credit and its original: the same currency and |total_cost|. NULL: it fits; else
 * "credit_amount", "credit_currency" (the name of a finance case's reason). */
const char *cdr_check_credit(const struct price_record *credit,
                             const struct price_record *original);

enum cdr_class cdr_class_of_difference(int64_t stated_u6, int64_t reckoned_u6,
                                       const struct cdr_limits *limits);

/* {class, findings[{name, class, text, where}], recalculated{net, gross, by, lines[]}, delta, ...}:
 * what is stored with the CDR so that a decision can be replayed. */
void cdr_check_print(const struct cdr_check *c, struct text *out, const char *key);

#endif
