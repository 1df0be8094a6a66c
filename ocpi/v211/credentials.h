/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials of 2.1.1: one party in one role, which the face of the URL tells.
 */
#ifndef OCPI_V211_CREDENTIALS_H
#define OCPI_V211_CREDENTIALS_H

#include "ocpi/types.h"

struct ocpi211_credentials {
    const char *token; /* a secret: never in a log */
    const char *url;
    const struct ocpi_business_details *business_details;
    const char *party_id, *country_code;
};

extern const struct object_type ocpi211_credentials_type;

#endif
