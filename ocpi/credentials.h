/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: who a platform is, where its versions are, and the token it may be called with
 * (R-CRED).
 */
#ifndef OCPI_CREDENTIALS_H
#define OCPI_CREDENTIALS_H

#include "ocpi/party.h"
#include "ocpi/types.h"

struct ocpi_credentials_role {
    enum ocpi_role role;
    const struct ocpi_business_details *business_details;
    const char *party_id, *country_code;
};

struct ocpi_credentials {
    const char *token; /* a secret: never in a log */
    const char *url;
    LIST_OF(struct ocpi_credentials_role) roles;
};

extern const struct object_type ocpi_credentials_role_type;
extern const struct object_type ocpi_credentials_type;

#endif
