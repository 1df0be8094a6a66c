/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client info of 2.3.0: that of 2.2.1 with the roles of 2.3.0.
 */
#ifndef OCPI_V230_CLIENT_INFO_H
#define OCPI_V230_CLIENT_INFO_H

#include "ocpi/client_info.h"
#include "ocpi/v230/types.h"

struct ocpi230_client_info {
    const char *party_id, *country_code;
    enum ocpi230_role role;
    enum ocpi_connection_status status;
    int64_t last_updated;
};

extern const struct object_type ocpi230_client_info_type;

#endif
