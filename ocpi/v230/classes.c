/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classes: the register of all classes of 2.3.0.
 */
#include "ocpi/v230/classes.h"

#include "ocpi/charging_profile.h"
#include "ocpi/command.h"
#include "ocpi/v230/cdr.h"
#include "ocpi/v230/client_info.h"
#include "ocpi/v230/credentials.h"
#include "ocpi/v230/invoice.h"
#include "ocpi/v230/location.h"
#include "ocpi/v230/session.h"
#include "ocpi/v230/tariff.h"
#include "ocpi/v230/types.h"
#include "ocpi/version.h"

const struct object_type *const ocpi230_classes[] = {
    &ocpi_active_charging_profile_type,
    &ocpi_active_charging_profile_result_type,
    &ocpi_additional_geo_location_type,
    &ocpi_authorization_info_type,
    &ocpi_business_details_type,
    &ocpi230_cdr_type,
    &ocpi_cancel_reservation_type,
    &ocpi_cdr_dimension_type,
    &ocpi_cdr_location_type,
    &ocpi_cdr_token_type,
    &ocpi_charging_period_type,
    &ocpi_charging_preferences_type,
    &ocpi_charging_profile_type,
    &ocpi_charging_profile_period_type,
    &ocpi_charging_profile_response_type,
    &ocpi_charging_profile_result_type,
    &ocpi_clear_profile_result_type,
    &ocpi230_client_info_type,
    &ocpi_command_response_type,
    &ocpi_command_result_type,
    &ocpi230_connector_type,
    &ocpi230_credentials_type,
    &ocpi230_credentials_role_type,
    &ocpi_display_text_type,
    &ocpi230_evse_type,
    &ocpi230_evse_parking_type,
    &ocpi_endpoint_type,
    &ocpi_energy_contract_type,
    &ocpi_energy_mix_type,
    &ocpi_energy_source_type,
    &ocpi_environmental_impact_type,
    &ocpi_exceptional_period_type,
    &ocpi_geo_location_type,
    &ocpi_hours_type,
    &ocpi_image_type,
    &ocpi230_invoice_record_type,
    &ocpi230_location_type,
    &ocpi_location_references_type,
    &ocpi230_parking_type,
    &ocpi230_price_type,
    &ocpi_price_component_type,
    &ocpi230_price_limit_type,
    &ocpi_publish_token_type,
    &ocpi_regular_hours_type,
    &ocpi_reserve_now_type,
    &ocpi230_session_type,
    &ocpi_set_charging_profile_type,
    &ocpi_signed_data_type,
    &ocpi_signed_value_type,
    &ocpi_start_session_type,
    &ocpi_status_schedule_type,
    &ocpi_stop_session_type,
    &ocpi230_tariff_type,
    &ocpi_tariff_element_type,
    &ocpi_tariff_restrictions_type,
    &ocpi230_tax_amount_type,
    &ocpi_token_type,
    &ocpi_unlock_connector_type,
    &ocpi_version_entry_type,
    &ocpi_version_details_type,
};
const size_t ocpi230_class_count = sizeof(ocpi230_classes) / sizeof(ocpi230_classes[0]);
