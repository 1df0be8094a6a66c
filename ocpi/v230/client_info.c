/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client info: the table of 2.3.0.
 */
#include "ocpi/v230/client_info.h"

#include "ocpi/field.h"

/* clang-format off */
static const struct field client_info_fields[] = {
    TEXT  (struct ocpi230_client_info, party_id,     3, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_party_id),
    TEXT  (struct ocpi230_client_info, country_code, 2, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_country_code),
    ENUM_OF(struct ocpi230_client_info, role,        ocpi230_role, REQUIRED | IDENTITY),
    ENUM  (struct ocpi230_client_info, status,       connection_status, REQUIRED),
    TIME  (struct ocpi230_client_info, last_updated, REQUIRED),
};

const struct object_type ocpi230_client_info_type =
    OBJECT_TYPE("ClientInfo", OCPI_2_3_0, struct ocpi230_client_info, client_info_fields);
/* clang-format on */
