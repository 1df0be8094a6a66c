/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of 2.3.0: those of 2.2.1 with the new Price. ChargingPreferences did not change; a PATCH
 * is merged by session_merge_as.
 */
#ifndef OCPI_V230_SESSION_H
#define OCPI_V230_SESSION_H

#include "ocpi/session.h"
#include "ocpi/v230/types.h"

struct ocpi230_session {
    const char *country_code, *party_id;
    const char *id;
    int64_t start_date_time;
    int64_t end_date_time; /* TIME_NONE: not ended, or the CPO does not say */
    int64_t kwh;           /* six decimals */
    const struct ocpi_cdr_token *cdr_token;
    enum ocpi_auth_method auth_method;
    const char *authorization_reference;
    const char *location_id, *evse_uid, *connector_id; /* EVSE and connector may be "#NA" */
    const char *meter_id;
    const char *currency;
    LIST_OF(struct ocpi_charging_period) charging_periods;
    const struct ocpi230_price *total_cost; /* NULL: unknown, which is not free (R-SESS-06) */
    enum ocpi_session_status status;
    int64_t last_updated;
};

extern const struct object_type ocpi230_session_type;

#endif
