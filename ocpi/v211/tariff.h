/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tariffs of 2.1.1: without owner, type, validity, VAT, and limits of the price.
 */
#ifndef OCPI_V211_TARIFF_H
#define OCPI_V211_TARIFF_H

#include "ocpi/tariff.h"
#include "ocpi/v211/types.h"

struct ocpi211_price_component {
    enum ocpi_tariff_dimension type;
    int64_t price;     /* six decimals, excluding VAT */
    int64_t step_size; /* Wh or seconds; 0 is read, and means 1 (R-TAR-10) */
};

struct ocpi211_tariff_restrictions {
    const char *start_time, *end_time; /* "HH:MM", local time */
    const char *start_date, *end_date; /* "YYYY-MM-DD", local dates */
    int64_t min_kwh, max_kwh, min_power, max_power;
    int64_t min_duration, max_duration; /* seconds */
    LIST_OF(enum ocpi_day_of_week) day_of_week;
};

struct ocpi211_tariff_element {
    LIST_OF(struct ocpi211_price_component) price_components;
    const struct ocpi211_tariff_restrictions *restrictions;
};

struct ocpi211_tariff {
    const char *id;
    const char *currency;
    LIST_OF(struct ocpi_display_text) tariff_alt_text;
    const char *tariff_alt_url;
    LIST_OF(struct ocpi211_tariff_element) elements;
    const struct ocpi211_energy_mix *energy_mix;
    int64_t last_updated;
};

extern const struct object_type ocpi211_price_component_type;
extern const struct object_type ocpi211_tariff_restrictions_type;
extern const struct object_type ocpi211_tariff_element_type;
extern const struct object_type ocpi211_tariff_type;

#endif
