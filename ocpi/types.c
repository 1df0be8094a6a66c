/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types: tables of the small classes that several modules share (2.2.1).
 */
#include "ocpi/types.h"

#include <string.h>

#include "ocpi/field.h"

WORDS_DEFINE(ocpi_image_category, OCPI_IMAGE, OCPI_IMAGE_CATEGORIES, "ImageCategory", .open = true)
WORDS_DEFINE(ocpi_energy_source_category, OCPI_ENERGY, OCPI_ENERGY_SOURCES, "EnergySourceCategory",
             .open = false)
WORDS_DEFINE(ocpi_environmental_impact_category, OCPI_IMPACT, OCPI_ENVIRONMENTAL_IMPACTS,
             "EnvironmentalImpactCategory", .open = true)

bool ocpi_text_not_available(const char *text)
{
    return text && strcmp(text, "#NA") == 0;
}

static const char *width_or_height(int64_t value)
{
    return value >= 0 && value <= 99999 ? NULL : "a whole number of at most five digits";
}

static const char *percentage(int64_t value)
{
    return value >= 0 && value <= INT64_C(100000000) ? NULL : "a percentage from 0 to 100";
}

/* clang-format off */
static const struct field display_text_fields[] = {
    TEXT  (struct ocpi_display_text, language,   2, REQUIRED, .text_check = field_language,
           .rule = "R-TYPE-11"),
    TEXT  (struct ocpi_display_text, text,     512, REQUIRED),
};

static const struct field price_fields[] = {
    NUMBER(struct ocpi_price, excl_vat, REQUIRED),
    NUMBER(struct ocpi_price, incl_vat, OPTIONAL),
};

static const struct field image_fields[] = {
    URL   (struct ocpi_image, url,       REQUIRED),
    URL   (struct ocpi_image, thumbnail, OPTIONAL),
    ENUM  (struct ocpi_image, category,  image_category, REQUIRED),
    TEXT  (struct ocpi_image, type,      4, REQUIRED | CASELESS),
    INT   (struct ocpi_image, width,     OPTIONAL, .number_check = width_or_height),
    INT   (struct ocpi_image, height,    OPTIONAL, .number_check = width_or_height),
};

static const struct field business_details_fields[] = {
    TEXT  (struct ocpi_business_details, name,    100, REQUIRED),
    URL   (struct ocpi_business_details, website, OPTIONAL),
    OBJECT(struct ocpi_business_details, logo,    image, OPTIONAL),
};

static const struct field energy_source_fields[] = {
    ENUM  (struct ocpi_energy_source, source,     energy_source_category, REQUIRED),
    NUMBER(struct ocpi_energy_source, percentage, REQUIRED, .number_check = percentage),
};

static const struct field environmental_impact_fields[] = {
    ENUM  (struct ocpi_environmental_impact, category, environmental_impact_category, REQUIRED),
    NUMBER(struct ocpi_environmental_impact, amount,   REQUIRED),
};

static const struct field energy_mix_fields[] = {
    BOOL  (struct ocpi_energy_mix, is_green_energy,     REQUIRED),
    LIST  (struct ocpi_energy_mix, energy_sources,      energy_source, OPTIONAL),
    LIST  (struct ocpi_energy_mix, environ_impact,      environmental_impact, OPTIONAL),
    TEXT  (struct ocpi_energy_mix, supplier_name,       64, OPTIONAL),
    TEXT  (struct ocpi_energy_mix, energy_product_name, 64, OPTIONAL),
};

const struct object_type ocpi_display_text_type =
    OBJECT_TYPE("DisplayText", OCPI_2_2_1, struct ocpi_display_text, display_text_fields);
const struct object_type ocpi_price_type =
    OBJECT_TYPE("Price", OCPI_2_2_1, struct ocpi_price, price_fields);
const struct object_type ocpi_image_type =
    OBJECT_TYPE("Image", OCPI_2_2_1, struct ocpi_image, image_fields);
const struct object_type ocpi_business_details_type =
    OBJECT_TYPE("BusinessDetails", OCPI_2_2_1, struct ocpi_business_details,
                business_details_fields);
const struct object_type ocpi_energy_source_type =
    OBJECT_TYPE("EnergySource", OCPI_2_2_1, struct ocpi_energy_source, energy_source_fields);
const struct object_type ocpi_environmental_impact_type =
    OBJECT_TYPE("EnvironmentalImpact", OCPI_2_2_1, struct ocpi_environmental_impact,
                environmental_impact_fields);
const struct object_type ocpi_energy_mix_type =
    OBJECT_TYPE("EnergyMix", OCPI_2_2_1, struct ocpi_energy_mix, energy_mix_fields);
/* clang-format on */
