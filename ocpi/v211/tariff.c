/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tariffs: tables of 2.1.1.
 */
#include "ocpi/v211/tariff.h"

#include "ocpi/field.h"

/* clang-format off */
static const struct field price_component_fields[] = {
    ENUM  (struct ocpi211_price_component, type,      tariff_dimension, REQUIRED),
    NUMBER(struct ocpi211_price_component, price,     REQUIRED, .limit = OCPI211_DECIMALS),
    INT   (struct ocpi211_price_component, step_size, REQUIRED,
           .number_check = field_int32_not_negative),
};

static const struct field tariff_restrictions_fields[] = {
    TEXT  (struct ocpi211_tariff_restrictions, start_time,    5, OPTIONAL,
           .text_check = field_time_of_day),
    TEXT  (struct ocpi211_tariff_restrictions, end_time,      5, OPTIONAL,
           .text_check = field_time_of_day),
    TEXT  (struct ocpi211_tariff_restrictions, start_date,   10, OPTIONAL,
           .text_check = field_date),
    TEXT  (struct ocpi211_tariff_restrictions, end_date,     10, OPTIONAL,
           .text_check = field_date),
    NUMBER(struct ocpi211_tariff_restrictions, min_kwh,      OPTIONAL, .limit = OCPI211_DECIMALS),
    NUMBER(struct ocpi211_tariff_restrictions, max_kwh,      OPTIONAL, .limit = OCPI211_DECIMALS),
    NUMBER(struct ocpi211_tariff_restrictions, min_power,    OPTIONAL, .limit = OCPI211_DECIMALS),
    NUMBER(struct ocpi211_tariff_restrictions, max_power,    OPTIONAL, .limit = OCPI211_DECIMALS),
    INT   (struct ocpi211_tariff_restrictions, min_duration, OPTIONAL),
    INT   (struct ocpi211_tariff_restrictions, max_duration, OPTIONAL),
    ENUM_LIST(struct ocpi211_tariff_restrictions, day_of_week, day_of_week, OPTIONAL),
};

static const struct field tariff_element_fields[] = {
    OBJECT_LIST_OF(struct ocpi211_tariff_element, price_components, ocpi211_price_component,
                   REQUIRED),
    OBJECT_OF(struct ocpi211_tariff_element, restrictions, ocpi211_tariff_restrictions, OPTIONAL),
};

static const struct field tariff_fields[] = {
    TEXT  (struct ocpi211_tariff, id,              36, REQUIRED | CASELESS | IDENTITY),
    TEXT  (struct ocpi211_tariff, currency,         3, REQUIRED, .text_check = field_currency),
    LIST  (struct ocpi211_tariff, tariff_alt_text, display_text, OPTIONAL),
    URL   (struct ocpi211_tariff, tariff_alt_url,  OPTIONAL),
    OBJECT_LIST_OF(struct ocpi211_tariff, elements, ocpi211_tariff_element, REQUIRED),
    OBJECT_OF(struct ocpi211_tariff, energy_mix,   ocpi211_energy_mix, OPTIONAL),
    TIME  (struct ocpi211_tariff, last_updated,    REQUIRED),
};

const struct object_type ocpi211_price_component_type =
    OBJECT_TYPE("PriceComponent", OCPI_2_1_1, struct ocpi211_price_component,
                price_component_fields);
const struct object_type ocpi211_tariff_restrictions_type =
    OBJECT_TYPE("TariffRestrictions", OCPI_2_1_1, struct ocpi211_tariff_restrictions,
                tariff_restrictions_fields);
const struct object_type ocpi211_tariff_element_type =
    OBJECT_TYPE("TariffElement", OCPI_2_1_1, struct ocpi211_tariff_element, tariff_element_fields);
const struct object_type ocpi211_tariff_type =
    OBJECT_TYPE("Tariff", OCPI_2_1_1, struct ocpi211_tariff, tariff_fields);
/* clang-format on */
