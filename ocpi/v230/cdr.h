/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDRs of 2.3.0: those of 2.2.1 with the new Price and Tariff. CdrToken, CdrLocation,
 * ChargingPeriod and SignedData did not change.
 */
#ifndef OCPI_V230_CDR_H
#define OCPI_V230_CDR_H

#include "ocpi/cdr.h"
#include "ocpi/v230/tariff.h"
#include "ocpi/v230/types.h"

struct ocpi230_cdr {
    const char *country_code, *party_id;
    const char *id;
    int64_t start_date_time, end_date_time;
    const char *session_id;
    const struct ocpi_cdr_token *cdr_token;
    enum ocpi_auth_method auth_method;
    const char *authorization_reference;
    const struct ocpi_cdr_location *cdr_location;
    const char *meter_id;
    const char *currency;
    LIST_OF(struct ocpi230_tariff) tariffs;
    LIST_OF(struct ocpi_charging_period) charging_periods;
    const struct ocpi_signed_data *signed_data;
    const struct ocpi230_price *total_cost;
    const struct ocpi230_price *total_fixed_cost;
    int64_t total_energy;
    const struct ocpi230_price *total_energy_cost;
    int64_t total_time;
    const struct ocpi230_price *total_time_cost;
    int64_t total_parking_time;
    const struct ocpi230_price *total_parking_cost;
    const struct ocpi230_price *total_reservation_cost;
    const char *remark;
    const char *invoice_reference_id;
    bool credit;
    const char *credit_reference_id;
    bool home_charging_compensation;
    const char *booking_id; /* of the Bookings module */
    int64_t last_updated;
};

extern const struct object_type ocpi230_cdr_type;

#endif
