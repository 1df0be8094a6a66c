/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types: the small classes of 2.1.1 that several modules share and that differ from those of
 * ocpi/types.h; the others are used as they are.
 */
#ifndef OCPI_V211_TYPES_H
#define OCPI_V211_TYPES_H

#include "ocpi/types.h"

/* Prices and volumes are written with four decimals at most (R-TYPE-07). */
enum { OCPI211_DECIMALS = 4 };

/* Its category is named `source` here. */
struct ocpi211_environmental_impact {
    enum ocpi_environmental_impact_category source;
    int64_t amount;
};

struct ocpi211_energy_mix {
    bool is_green_energy;
    LIST_OF(struct ocpi_energy_source) energy_sources;
    LIST_OF(struct ocpi211_environmental_impact) environ_impact;
    const char *supplier_name, *energy_product_name;
};

extern const struct object_type ocpi211_environmental_impact_type;
extern const struct object_type ocpi211_energy_mix_type;

#endif
