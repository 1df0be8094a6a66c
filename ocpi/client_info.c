/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client info: the table (2.2.1). The published example has no last_updated; that it is missing is
 * told, and whoever reads from a hub upstream may put one in first (R-HCI-12).
 */
#include "ocpi/client_info.h"

#include "ocpi/field.h"

WORDS_DEFINE(ocpi_connection_status, OCPI_CONNECTION, OCPI_CONNECTION_STATUSES, "ConnectionStatus",
             .open = false)

/* clang-format off */
static const struct field client_info_fields[] = {
    TEXT  (struct ocpi_client_info, party_id,     3, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_party_id),
    TEXT  (struct ocpi_client_info, country_code, 2, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_country_code),
    ENUM  (struct ocpi_client_info, role,         role, REQUIRED | IDENTITY),
    ENUM  (struct ocpi_client_info, status,       connection_status, REQUIRED),
    TIME  (struct ocpi_client_info, last_updated, REQUIRED),
};

const struct object_type ocpi_client_info_type =
    OBJECT_TYPE("ClientInfo", OCPI_2_2_1, struct ocpi_client_info, client_info_fields);
/* clang-format on */
