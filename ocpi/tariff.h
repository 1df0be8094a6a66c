/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tariffs: what charging costs (R-TAR). The objects only; pricing is a module of its own.
 */
#ifndef OCPI_TARIFF_H
#define OCPI_TARIFF_H

#include "ocpi/types.h"

/* clang-format off */
#define OCPI_TARIFF_TYPES(X, P)                                                                    \
    X(P, AD_HOC_PAYMENT) X(P, PROFILE_CHEAP) X(P, PROFILE_FAST) X(P, PROFILE_GREEN) X(P, REGULAR)
/* clang-format on */
WORDS_DECLARE(ocpi_tariff_kind, OCPI_TARIFF, OCPI_TARIFF_TYPES)

#define OCPI_TARIFF_DIMENSIONS(X, P) X(P, ENERGY) X(P, FLAT) X(P, PARKING_TIME) X(P, TIME)
WORDS_DECLARE(ocpi_tariff_dimension, OCPI_PRICED, OCPI_TARIFF_DIMENSIONS)

/* clang-format off */
#define OCPI_DAYS_OF_WEEK(X, P)                                                                    \
    X(P, MONDAY) X(P, TUESDAY) X(P, WEDNESDAY) X(P, THURSDAY) X(P, FRIDAY) X(P, SATURDAY)          \
    X(P, SUNDAY)
/* clang-format on */
WORDS_DECLARE(ocpi_day_of_week, OCPI_DAY, OCPI_DAYS_OF_WEEK)

#define OCPI_RESERVATION_RESTRICTIONS(X, P) X(P, RESERVATION) X(P, RESERVATION_EXPIRES)
WORDS_DECLARE(ocpi_reservation_restriction, OCPI_PRICES, OCPI_RESERVATION_RESTRICTIONS)

struct ocpi_price_component {
    enum ocpi_tariff_dimension type;
    int64_t price;     /* six decimals, excluding VAT */
    int64_t vat;       /* six decimals of percent; NUMBER_NONE: no VAT applies, not 0 (R-TAR-18) */
    int64_t step_size; /* Wh or seconds; 0 is read, and means 1 (R-TAR-10) */
};

struct ocpi_tariff_restrictions {
    const char *start_time, *end_time; /* "HH:MM", local time */
    const char *start_date, *end_date; /* "YYYY-MM-DD", local dates */
    int64_t min_kwh, max_kwh, min_current, max_current, min_power, max_power;
    int64_t min_duration, max_duration; /* seconds */
    LIST_OF(enum ocpi_day_of_week) day_of_week;
    enum ocpi_reservation_restriction reservation;
};

struct ocpi_tariff_element {
    LIST_OF(struct ocpi_price_component) price_components;
    const struct ocpi_tariff_restrictions *restrictions;
};

struct ocpi_tariff {
    const char *country_code, *party_id;
    const char *id;
    const char *currency;
    enum ocpi_tariff_kind type;
    LIST_OF(struct ocpi_display_text) tariff_alt_text;
    const char *tariff_alt_url;
    const struct ocpi_price *min_price, *max_price;
    LIST_OF(struct ocpi_tariff_element) elements;
    int64_t start_date_time, end_date_time;
    const struct ocpi_energy_mix *energy_mix;
    int64_t last_updated;
};

extern const struct object_type ocpi_price_component_type;
extern const struct object_type ocpi_tariff_restrictions_type;
extern const struct object_type ocpi_tariff_element_type;
extern const struct object_type ocpi_tariff_type;

#endif
