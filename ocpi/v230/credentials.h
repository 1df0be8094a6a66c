/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials of 2.3.0: a platform that routes names its hub, and its roles are the parties that
 * can be reached through it (R-CRED-14).
 */
#ifndef OCPI_V230_CREDENTIALS_H
#define OCPI_V230_CREDENTIALS_H

#include "ocpi/types.h"
#include "ocpi/v230/types.h"

struct ocpi230_credentials_role {
    enum ocpi230_role role;
    const struct ocpi_business_details *business_details;
    const char *party_id, *country_code;
};

struct ocpi230_credentials {
    const char *token; /* a secret: never in a log */
    const char *url;
    const char
        *hub_party_id; /* "FIHUB", for party_id_parse; NULL: a platform that does not route */
    LIST_OF(struct ocpi230_credentials_role) roles;
};

extern const struct object_type ocpi230_credentials_role_type;
extern const struct object_type ocpi230_credentials_type;

#endif
