/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Version details of 2.1.1: endpoints without a role (R-VER-04). The entries of the list of
 * versions are those of ocpi/version.h.
 */
#ifndef OCPI_V211_VERSION_H
#define OCPI_V211_VERSION_H

#include "ocpi/object.h"
#include "ocpi/version.h"

struct ocpi211_endpoint {
    const char *identifier, *url;
};

struct ocpi211_version_details {
    const char *version;
    LIST_OF(struct ocpi211_endpoint) endpoints;
};

extern const struct object_type ocpi211_endpoint_type;
extern const struct object_type ocpi211_version_details_type;

#endif
