/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types: the small classes that several modules share.
 */
#ifndef OCPI_TYPES_H
#define OCPI_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "ocpi/object.h"

/* --- words --- */

/* clang-format off */
#define OCPI_IMAGE_CATEGORIES(X, P)                                                                \
    X(P, CHARGER) X(P, ENTRANCE) X(P, LOCATION) X(P, NETWORK) X(P, OPERATOR) X(P, OTHER)           \
    X(P, OWNER)
/* clang-format on */
WORDS_DECLARE(ocpi_image_category, OCPI_IMAGE, OCPI_IMAGE_CATEGORIES)

/* clang-format off */
#define OCPI_ENERGY_SOURCES(X, P)                                                                  \
    X(P, NUCLEAR) X(P, GENERAL_FOSSIL) X(P, COAL) X(P, GAS) X(P, GENERAL_GREEN) X(P, SOLAR)        \
    X(P, WIND) X(P, WATER)
/* clang-format on */
WORDS_DECLARE(ocpi_energy_source_category, OCPI_ENERGY, OCPI_ENERGY_SOURCES)

#define OCPI_ENVIRONMENTAL_IMPACTS(X, P) X(P, NUCLEAR_WASTE) X(P, CARBON_DIOXIDE)
WORDS_DECLARE(ocpi_environmental_impact_category, OCPI_IMPACT, OCPI_ENVIRONMENTAL_IMPACTS)

/* --- classes --- */

struct ocpi_display_text {
    const char *language, *text;
};

/* Six decimals of the currency's major unit. */
struct ocpi_price {
    int64_t excl_vat;
    int64_t incl_vat; /* NUMBER_NONE: not given, which is not the same as no VAT */
};

struct ocpi_image {
    const char *url, *thumbnail;
    enum ocpi_image_category category;
    const char *type;
    int64_t width, height;
};

struct ocpi_business_details {
    const char *name, *website;
    const struct ocpi_image *logo;
};

struct ocpi_energy_source {
    enum ocpi_energy_source_category source;
    int64_t percentage;
};

struct ocpi_environmental_impact {
    enum ocpi_environmental_impact_category category;
    int64_t amount;
};

struct ocpi_energy_mix {
    bool is_green_energy;
    LIST_OF(struct ocpi_energy_source) energy_sources;
    LIST_OF(struct ocpi_environmental_impact) environ_impact;
    const char *supplier_name, *energy_product_name;
};

extern const struct object_type ocpi_display_text_type;
extern const struct object_type ocpi_price_type;
extern const struct object_type ocpi_image_type;
extern const struct object_type ocpi_business_details_type;
extern const struct object_type ocpi_energy_source_type;
extern const struct object_type ocpi_environmental_impact_type;
extern const struct object_type ocpi_energy_mix_type;

/* "#NA" stands where the data cannot exist: never an id to look up (R-TYPE-13). */
bool ocpi_text_not_available(const char *text);

#endif
