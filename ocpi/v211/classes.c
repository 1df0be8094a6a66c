/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classes: the register of all classes of 2.1.1.
 */
#include "ocpi/v211/classes.h"

#include "ocpi/v211/cdr.h"
#include "ocpi/v211/command.h"
#include "ocpi/v211/credentials.h"
#include "ocpi/v211/location.h"
#include "ocpi/v211/session.h"
#include "ocpi/v211/tariff.h"
#include "ocpi/v211/token.h"
#include "ocpi/v211/types.h"
#include "ocpi/v211/version.h"

const struct object_type *const ocpi211_classes[] = {
    &ocpi_additional_geo_location_type,
    &ocpi211_authorization_info_type,
    &ocpi_business_details_type,
    &ocpi211_cdr_type,
    &ocpi211_cdr_dimension_type,
    &ocpi211_charging_period_type,
    &ocpi211_command_response_type,
    &ocpi211_connector_type,
    &ocpi211_credentials_type,
    &ocpi_display_text_type,
    &ocpi211_evse_type,
    &ocpi211_endpoint_type,
    &ocpi211_energy_mix_type,
    &ocpi_energy_source_type,
    &ocpi211_environmental_impact_type,
    &ocpi_exceptional_period_type,
    &ocpi_geo_location_type,
    &ocpi211_hours_type,
    &ocpi_image_type,
    &ocpi211_location_type,
    &ocpi211_location_references_type,
    &ocpi211_price_component_type,
    &ocpi_regular_hours_type,
    &ocpi211_reserve_now_type,
    &ocpi211_session_type,
    &ocpi211_start_session_type,
    &ocpi_status_schedule_type,
    &ocpi_stop_session_type,
    &ocpi211_tariff_type,
    &ocpi211_tariff_element_type,
    &ocpi211_tariff_restrictions_type,
    &ocpi211_token_type,
    &ocpi211_unlock_connector_type,
    &ocpi_version_entry_type,
    &ocpi211_version_details_type,
};
const size_t ocpi211_class_count = sizeof(ocpi211_classes) / sizeof(ocpi211_classes[0]);
