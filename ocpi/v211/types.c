/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types: tables of the small classes that several modules share (2.1.1).
 */
#include "ocpi/v211/types.h"

#include "ocpi/field.h"

/* clang-format off */
static const struct field environmental_impact_fields[] = {
    ENUM  (struct ocpi211_environmental_impact, source, environmental_impact_category, REQUIRED),
    NUMBER(struct ocpi211_environmental_impact, amount, REQUIRED, .limit = OCPI211_DECIMALS),
};

static const struct field energy_mix_fields[] = {
    BOOL  (struct ocpi211_energy_mix, is_green_energy,     REQUIRED),
    LIST  (struct ocpi211_energy_mix, energy_sources,      energy_source, OPTIONAL),
    OBJECT_LIST_OF(struct ocpi211_energy_mix, environ_impact, ocpi211_environmental_impact,
                   OPTIONAL),
    TEXT  (struct ocpi211_energy_mix, supplier_name,       64, OPTIONAL),
    TEXT  (struct ocpi211_energy_mix, energy_product_name, 64, OPTIONAL),
};

const struct object_type ocpi211_environmental_impact_type =
    OBJECT_TYPE("EnvironmentalImpact", OCPI_2_1_1, struct ocpi211_environmental_impact,
                environmental_impact_fields);
const struct object_type ocpi211_energy_mix_type =
    OBJECT_TYPE("EnergyMix", OCPI_2_1_1, struct ocpi211_energy_mix, energy_mix_fields);
/* clang-format on */
