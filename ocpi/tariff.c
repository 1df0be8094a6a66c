/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tariffs: tables (2.2.1). What is odd but legal, such as a maximum below its minimum, is no
 * reason to refuse a tariff; the lint of the pricing module reports it.
 */
#include "ocpi/tariff.h"

#include "ocpi/field.h"

WORDS_DEFINE(ocpi_tariff_kind, OCPI_TARIFF, OCPI_TARIFF_TYPES, "TariffType", .open = false)
WORDS_DEFINE(ocpi_tariff_dimension, OCPI_PRICED, OCPI_TARIFF_DIMENSIONS, "TariffDimensionType",
             .open = false)
WORDS_DEFINE(ocpi_day_of_week, OCPI_DAY, OCPI_DAYS_OF_WEEK, "DayOfWeek", .open = false)
WORDS_DEFINE(ocpi_reservation_restriction, OCPI_PRICES, OCPI_RESERVATION_RESTRICTIONS,
             "ReservationRestrictionType", .open = false)

/* clang-format off */
static const struct field price_component_fields[] = {
    ENUM  (struct ocpi_price_component, type,      tariff_dimension, REQUIRED),
    NUMBER(struct ocpi_price_component, price,     REQUIRED),
    NUMBER(struct ocpi_price_component, vat,       OPTIONAL, .number_check = field_not_negative),
    INT   (struct ocpi_price_component, step_size, REQUIRED,
           .number_check = field_int32_not_negative),
};

static const struct field tariff_restrictions_fields[] = {
    TEXT  (struct ocpi_tariff_restrictions, start_time,    5, OPTIONAL,
           .text_check = field_time_of_day),
    TEXT  (struct ocpi_tariff_restrictions, end_time,      5, OPTIONAL,
           .text_check = field_time_of_day),
    TEXT  (struct ocpi_tariff_restrictions, start_date,   10, OPTIONAL, .text_check = field_date),
    TEXT  (struct ocpi_tariff_restrictions, end_date,     10, OPTIONAL, .text_check = field_date),
    NUMBER(struct ocpi_tariff_restrictions, min_kwh,      OPTIONAL),
    NUMBER(struct ocpi_tariff_restrictions, max_kwh,      OPTIONAL),
    NUMBER(struct ocpi_tariff_restrictions, min_current,  OPTIONAL),
    NUMBER(struct ocpi_tariff_restrictions, max_current,  OPTIONAL),
    NUMBER(struct ocpi_tariff_restrictions, min_power,    OPTIONAL),
    NUMBER(struct ocpi_tariff_restrictions, max_power,    OPTIONAL),
    INT   (struct ocpi_tariff_restrictions, min_duration, OPTIONAL),
    INT   (struct ocpi_tariff_restrictions, max_duration, OPTIONAL),
    ENUM_LIST(struct ocpi_tariff_restrictions, day_of_week, day_of_week, OPTIONAL),
    ENUM  (struct ocpi_tariff_restrictions, reservation,  reservation_restriction, OPTIONAL),
};

static const struct field tariff_element_fields[] = {
    LIST  (struct ocpi_tariff_element, price_components, price_component, REQUIRED),
    OBJECT(struct ocpi_tariff_element, restrictions,     tariff_restrictions, OPTIONAL),
};

static const struct field tariff_fields[] = {
    TEXT  (struct ocpi_tariff, country_code,     2, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_country_code),
    TEXT  (struct ocpi_tariff, party_id,         3, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_party_id),
    TEXT  (struct ocpi_tariff, id,              36, REQUIRED | CASELESS | IDENTITY),
    TEXT  (struct ocpi_tariff, currency,         3, REQUIRED, .text_check = field_currency),
    ENUM  (struct ocpi_tariff, type,            tariff_kind, OPTIONAL),
    LIST  (struct ocpi_tariff, tariff_alt_text, display_text, OPTIONAL),
    URL   (struct ocpi_tariff, tariff_alt_url,  OPTIONAL),
    OBJECT(struct ocpi_tariff, min_price,       price, OPTIONAL),
    OBJECT(struct ocpi_tariff, max_price,       price, OPTIONAL),
    LIST  (struct ocpi_tariff, elements,        tariff_element, REQUIRED),
    TIME  (struct ocpi_tariff, start_date_time, OPTIONAL),
    TIME  (struct ocpi_tariff, end_date_time,   OPTIONAL),
    OBJECT(struct ocpi_tariff, energy_mix,      energy_mix, OPTIONAL),
    TIME  (struct ocpi_tariff, last_updated,    REQUIRED),
};

const struct object_type ocpi_price_component_type =
    OBJECT_TYPE("PriceComponent", OCPI_2_2_1, struct ocpi_price_component, price_component_fields);
const struct object_type ocpi_tariff_restrictions_type =
    OBJECT_TYPE("TariffRestrictions", OCPI_2_2_1, struct ocpi_tariff_restrictions,
                tariff_restrictions_fields);
const struct object_type ocpi_tariff_element_type =
    OBJECT_TYPE("TariffElement", OCPI_2_2_1, struct ocpi_tariff_element, tariff_element_fields);
const struct object_type ocpi_tariff_type =
    OBJECT_TYPE("Tariff", OCPI_2_2_1, struct ocpi_tariff, tariff_fields);
/* clang-format on */
