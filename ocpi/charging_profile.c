/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charging profiles: tables (2.2.1).
 */
#include "ocpi/charging_profile.h"

#include "base/arena.h"
#include "ocpi/field.h"

WORDS_DEFINE(ocpi_rate_unit, OCPI_RATE, OCPI_RATE_UNITS, "ChargingRateUnit", .open = false)
WORDS_DEFINE(ocpi_profile_response_word, OCPI_PROFILE_RESPONSE, OCPI_PROFILE_RESPONSES,
             "ChargingProfileResponseType", .open = false)
WORDS_DEFINE(ocpi_profile_result_word, OCPI_PROFILE_RESULT, OCPI_PROFILE_RESULTS,
             "ChargingProfileResultType", .open = false)

/* R-CP-06: periods start at 0 and ascend. */
static struct err charging_profile_check(const struct object_place *at, const void *object)
{
    const struct ocpi_charging_profile *profile = object;
    int64_t before = -1;

    for (size_t i = 0; i < profile->charging_profile_period.count; i++) {
        int64_t start = profile->charging_profile_period.at[i].start_period;
        const char *where = arena_printf(at->arena, "charging_profile_period/%zu/start_period", i);

        if (i == 0 && start != 0)
            return object_rule(object_complaint(at, where, "the first period starts at 0"),
                               "R-CP-06", "0");
        if (start <= before)
            return object_rule(
                object_complaint(at, where, "it is not later than the period before it"), "R-CP-06",
                "periods in ascending order");
        before = start;
    }
    return OK;
}

/* clang-format off */
static const struct field charging_profile_period_fields[] = {
    INT   (struct ocpi_charging_profile_period, start_period, REQUIRED,
           .number_check = field_int32_not_negative),
    NUMBER(struct ocpi_charging_profile_period, limit,        REQUIRED, .limit = 1),
};

static const struct field charging_profile_fields[] = {
    TIME  (struct ocpi_charging_profile, start_date_time,         OPTIONAL),
    INT   (struct ocpi_charging_profile, duration,                OPTIONAL,
           .number_check = field_int32_not_negative),
    ENUM  (struct ocpi_charging_profile, charging_rate_unit,      rate_unit, REQUIRED),
    NUMBER(struct ocpi_charging_profile, min_charging_rate,       OPTIONAL, .limit = 1),
    LIST  (struct ocpi_charging_profile, charging_profile_period, charging_profile_period,
           OPTIONAL),
};

static const struct field set_charging_profile_fields[] = {
    OBJECT(struct ocpi_set_charging_profile, charging_profile, charging_profile, REQUIRED),
    URL   (struct ocpi_set_charging_profile, response_url,     REQUIRED,
           .text_check = field_callable_url),
};

static const struct field active_charging_profile_fields[] = {
    TIME  (struct ocpi_active_charging_profile, start_date_time,  REQUIRED),
    OBJECT(struct ocpi_active_charging_profile, charging_profile, charging_profile, REQUIRED),
};

static const struct field charging_profile_response_fields[] = {
    ENUM  (struct ocpi_charging_profile_response, result,  profile_response_word, REQUIRED),
    INT   (struct ocpi_charging_profile_response, timeout, REQUIRED,
           .number_check = field_int32_not_negative),
};

static const struct field charging_profile_result_fields[] = {
    ENUM  (struct ocpi_charging_profile_result, result, profile_result_word, REQUIRED),
};

static const struct field active_charging_profile_result_fields[] = {
    ENUM  (struct ocpi_active_charging_profile_result, result,  profile_result_word, REQUIRED),
    OBJECT(struct ocpi_active_charging_profile_result, profile, active_charging_profile, OPTIONAL),
};

const struct object_type ocpi_charging_profile_period_type =
    OBJECT_TYPE("ChargingProfilePeriod", OCPI_2_2_1, struct ocpi_charging_profile_period,
                charging_profile_period_fields);
const struct object_type ocpi_charging_profile_type =
    OBJECT_TYPE("ChargingProfile", OCPI_2_2_1, struct ocpi_charging_profile,
                charging_profile_fields, .check = charging_profile_check);
const struct object_type ocpi_set_charging_profile_type =
    OBJECT_TYPE("SetChargingProfile", OCPI_2_2_1, struct ocpi_set_charging_profile,
                set_charging_profile_fields);
const struct object_type ocpi_active_charging_profile_type =
    OBJECT_TYPE("ActiveChargingProfile", OCPI_2_2_1, struct ocpi_active_charging_profile,
                active_charging_profile_fields);
const struct object_type ocpi_charging_profile_response_type =
    OBJECT_TYPE("ChargingProfileResponse", OCPI_2_2_1, struct ocpi_charging_profile_response,
                charging_profile_response_fields);
const struct object_type ocpi_charging_profile_result_type =
    OBJECT_TYPE("ChargingProfileResult", OCPI_2_2_1, struct ocpi_charging_profile_result,
                charging_profile_result_fields);
const struct object_type ocpi_clear_profile_result_type =
    OBJECT_TYPE("ClearProfileResult", OCPI_2_2_1, struct ocpi_charging_profile_result,
                charging_profile_result_fields);
const struct object_type ocpi_active_charging_profile_result_type =
    OBJECT_TYPE("ActiveChargingProfileResult", OCPI_2_2_1,
                struct ocpi_active_charging_profile_result, active_charging_profile_result_fields);
/* clang-format on */
