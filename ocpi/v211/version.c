/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Version details: tables of 2.1.1.
 */
#include "ocpi/v211/version.h"

#include "ocpi/field.h"

/* clang-format off */
static const struct field endpoint_fields[] = {
    TEXT  (struct ocpi211_endpoint, identifier, 255, REQUIRED),
    URL   (struct ocpi211_endpoint, url,        REQUIRED, .text_check = field_callable_url),
};

static const struct field version_details_fields[] = {
    TEXT  (struct ocpi211_version_details, version, 10, REQUIRED),
    OBJECT_LIST_OF(struct ocpi211_version_details, endpoints, ocpi211_endpoint, REQUIRED),
};

const struct object_type ocpi211_endpoint_type =
    OBJECT_TYPE("Endpoint", OCPI_2_1_1, struct ocpi211_endpoint, endpoint_fields);
const struct object_type ocpi211_version_details_type =
    OBJECT_TYPE("VersionDetails", OCPI_2_1_1, struct ocpi211_version_details,
                version_details_fields);
/* clang-format on */
