/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client info: which parties a hub connects, and whether they can be reached (R-HCI).
 */
#ifndef OCPI_CLIENT_INFO_H
#define OCPI_CLIENT_INFO_H

#include "ocpi/object.h"
#include "ocpi/party.h"

/* clang-format off */
#define OCPI_CONNECTION_STATUSES(X, P)                                                             \
    X(P, CONNECTED) X(P, OFFLINE) X(P, PLANNED) X(P, SUSPENDED)
/* clang-format on */
WORDS_DECLARE(ocpi_connection_status, OCPI_CONNECTION, OCPI_CONNECTION_STATUSES)

/* One per party and role, although the path has no role (R-HCI-04). */
struct ocpi_client_info {
    const char *party_id, *country_code;
    enum ocpi_role role;
    enum ocpi_connection_status status;
    int64_t last_updated;
};

extern const struct object_type ocpi_client_info_type;

#endif
