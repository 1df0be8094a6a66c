/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields: checks that many tables use, and the register of all classes.
 */
#include "ocpi/field.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ocpi/cdr.h"
#include "ocpi/charging_profile.h"
#include "ocpi/client_info.h"
#include "ocpi/command.h"
#include "ocpi/credentials.h"
#include "ocpi/location.h"
#include "ocpi/party.h"
#include "ocpi/session.h"
#include "ocpi/tariff.h"
#include "ocpi/token.h"
#include "ocpi/types.h"
#include "ocpi/url.h"
#include "ocpi/v211/classes.h"
#include "ocpi/v230/classes.h"
#include "ocpi/version.h"

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static bool is_made_of(const char *text, size_t length, const char *characters)
{
    return strlen(text) == length && strspn(text, characters) == length;
}

const char *field_country_code(const char *text)
{
    return party_country_valid(text) ? NULL : "a country code of two letters";
}

const char *field_party_id(const char *text)
{
    return party_name_valid(text) ? NULL : "a party id of three letters or digits";
}

const char *field_country(const char *text)
{
    return is_made_of(text, 3, UPPER LOWER) ? NULL : "a country code of three letters";
}

const char *field_currency(const char *text)
{
    return is_made_of(text, 3, UPPER) ? NULL : "a currency code of three upper-case letters";
}

const char *field_language(const char *text)
{
    return is_made_of(text, 2, UPPER LOWER) ? NULL : "a language code of two letters";
}

/* The value of two digits, -1 if they are none. */
static int two_digits(const char *text)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return -1;
    return (text[0] - '0') * 10 + (text[1] - '0');
}

const char *field_time_of_day(const char *text)
{
    static const char *const wanted = "a time of day from 00:00 to 23:59";

    if (strlen(text) != 5 || text[2] != ':')
        return wanted;
    if (two_digits(text) < 0 || two_digits(text) > 23)
        return wanted;
    return two_digits(text + 3) < 0 || two_digits(text + 3) > 59 ? wanted : NULL;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

const char *field_date(const char *text)
{
    static const char *const wanted = "a date of the calendar as YYYY-MM-DD";
    int century, year, month, day;

    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-')
        return wanted;
    century = two_digits(text);
    year = two_digits(text + 2);
    month = two_digits(text + 5);
    day = two_digits(text + 8);
    if (century < 1 || year < 0 || month < 1 || month > 12)
        return wanted;
    return day < 1 || day > days_of_month(century * 100 + year, month) ? wanted : NULL;
}

/* The shape of a name of the zone database; whether the zone exists, only the database knows. */
const char *field_time_zone(const char *text)
{
    if (strspn(text, UPPER LOWER) == 0 || text[strspn(text, UPPER LOWER DIGITS "/_+-")] != '\0' ||
        strstr(text, "//"))
        return "a name of the time zone database such as Europe/Oslo";
    return NULL;
}

const char *field_callable_url(const char *text)
{
    return url_callable(text) ? NULL : "an http or https URL with a host";
}

const char *field_not_negative(int64_t value)
{
    return value >= 0 ? NULL : "a number that is not negative";
}

const char *field_int32_not_negative(int64_t value)
{
    return value >= 0 && value <= INT32_MAX ? NULL : "a whole number from 0 to 2147483647";
}

/* --- the register: one list per version, in the order of strcmp, which look-ups rely on --- */

static const struct object_type *const classes_221[] = {
    &ocpi_active_charging_profile_type,
    &ocpi_active_charging_profile_result_type,
    &ocpi_additional_geo_location_type,
    &ocpi_authorization_info_type,
    &ocpi_business_details_type,
    &ocpi_cdr_type,
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
    &ocpi_client_info_type,
    &ocpi_command_response_type,
    &ocpi_command_result_type,
    &ocpi_connector_type,
    &ocpi_credentials_type,
    &ocpi_credentials_role_type,
    &ocpi_display_text_type,
    &ocpi_evse_type,
    &ocpi_endpoint_type,
    &ocpi_energy_contract_type,
    &ocpi_energy_mix_type,
    &ocpi_energy_source_type,
    &ocpi_environmental_impact_type,
    &ocpi_exceptional_period_type,
    &ocpi_geo_location_type,
    &ocpi_hours_type,
    &ocpi_image_type,
    &ocpi_location_type,
    &ocpi_location_references_type,
    &ocpi_price_type,
    &ocpi_price_component_type,
    &ocpi_publish_token_type,
    &ocpi_regular_hours_type,
    &ocpi_reserve_now_type,
    &ocpi_session_type,
    &ocpi_set_charging_profile_type,
    &ocpi_signed_data_type,
    &ocpi_signed_value_type,
    &ocpi_start_session_type,
    &ocpi_status_schedule_type,
    &ocpi_stop_session_type,
    &ocpi_tariff_type,
    &ocpi_tariff_element_type,
    &ocpi_tariff_restrictions_type,
    &ocpi_token_type,
    &ocpi_unlock_connector_type,
    &ocpi_version_entry_type,
    &ocpi_version_details_type,
};

struct class_list {
    const struct object_type *const *at;
    size_t count;
};

static struct class_list classes_of(enum ocpi_version version)
{
    switch (version) {
    case OCPI_2_1_1:
        return (struct class_list){ocpi211_classes, ocpi211_class_count};
    case OCPI_2_2_1:
        return (struct class_list){classes_221, sizeof(classes_221) / sizeof(classes_221[0])};
    case OCPI_2_3_0:
        return (struct class_list){ocpi230_classes, ocpi230_class_count};
    case OCPI_VERSION_NONE:
        break;
    }
    return (struct class_list){NULL, 0};
}

const struct object_type *object_type_at(enum ocpi_version version, size_t index)
{
    struct class_list classes = classes_of(version);

    return index < classes.count ? classes.at[index] : NULL;
}

static int by_name(const void *name, const void *entry)
{
    const struct object_type *const *type = entry;

    return strcmp(name, (*type)->name);
}

const struct object_type *object_type_find(enum ocpi_version version, const char *name)
{
    struct class_list classes = classes_of(version);
    const struct object_type *const *found = NULL;

    if (classes.count > 0)
        found = bsearch(name, classes.at, classes.count, sizeof(*classes.at), by_name);
    return found ? *found : NULL;
}
