/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions: tables (2.2.1), and the PATCH of all versions, which appends charging periods.
 */
#include "ocpi/session.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/time.h"
#include "ocpi/field.h"

#define PERIODS "charging_periods"

WORDS_DEFINE(ocpi_session_status, OCPI_SESSION, OCPI_SESSION_STATUSES, "SessionStatus",
             .alias = {"RESERVED", OCPI_SESSION_RESERVATION})
WORDS_DEFINE(ocpi_charging_preferences_response, OCPI_PREFERENCES,
             OCPI_CHARGING_PREFERENCES_RESPONSES, "ChargingPreferencesResponse", .open = false)

/* clang-format off */
static const struct field session_fields[] = {
    TEXT  (struct ocpi_session, country_code,       2, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_country_code),
    TEXT  (struct ocpi_session, party_id,           3, REQUIRED | CASELESS | IDENTITY,
           .text_check = field_party_id),
    TEXT  (struct ocpi_session, id,                36, REQUIRED | CASELESS | IDENTITY),
    TIME  (struct ocpi_session, start_date_time,   REQUIRED),
    TIME  (struct ocpi_session, end_date_time,     OPTIONAL),
    NUMBER(struct ocpi_session, kwh,               REQUIRED, .number_check = field_not_negative),
    OBJECT(struct ocpi_session, cdr_token,         cdr_token, REQUIRED),
    ENUM  (struct ocpi_session, auth_method,       auth_method, REQUIRED),
    TEXT  (struct ocpi_session, authorization_reference, 36, OPTIONAL | CASELESS),
    TEXT  (struct ocpi_session, location_id,       36, REQUIRED | CASELESS),
    TEXT  (struct ocpi_session, evse_uid,          36, REQUIRED | CASELESS),
    TEXT  (struct ocpi_session, connector_id,      36, REQUIRED | CASELESS),
    TEXT  (struct ocpi_session, meter_id,         255, OPTIONAL),
    TEXT  (struct ocpi_session, currency,           3, REQUIRED, .text_check = field_currency),
    LIST  (struct ocpi_session, charging_periods,  charging_period, OPTIONAL),
    OBJECT(struct ocpi_session, total_cost,        price, OPTIONAL),
    ENUM  (struct ocpi_session, status,            session_status, REQUIRED),
    TIME  (struct ocpi_session, last_updated,      REQUIRED),
};

static const struct field charging_preferences_fields[] = {
    ENUM  (struct ocpi_charging_preferences, profile_type,      profile_type, REQUIRED),
    TIME  (struct ocpi_charging_preferences, departure_time,    OPTIONAL),
    NUMBER(struct ocpi_charging_preferences, energy_need,       OPTIONAL,
           .number_check = field_not_negative),
    BOOL  (struct ocpi_charging_preferences, discharge_allowed, OPTIONAL),
};

const struct object_type ocpi_session_type =
    OBJECT_TYPE("Session", OCPI_2_2_1, struct ocpi_session, session_fields);
const struct object_type ocpi_charging_preferences_type =
    OBJECT_TYPE("ChargingPreferences", OCPI_2_2_1, struct ocpi_charging_preferences,
                charging_preferences_fields);
/* clang-format on */

/* --- PATCH --- */

struct timed_period {
    int64_t start_us;
    size_t came; /* later arrivals of the same start win */
    json_t *period;
};

/* Both lists have been checked: every period has a start that can be read. */
static int64_t start_of(const json_t *period)
{
    const char *start = json_string_value(json_object_get(period, "start_date_time"));
    int64_t us;

    return start && time_parse(start, TIME_OCPI_ANY_OFFSET, &us) ? us : TIME_NONE;
}

static size_t take_periods(json_t *periods, size_t count, struct timed_period *ret)
{
    for (size_t i = 0; i < json_array_size(periods); i++) {
        json_t *period = json_array_get(periods, i);

        ret[count] = (struct timed_period){start_of(period), count, period};
        count++;
    }
    return count;
}

static int by_start_and_arrival(const void *a, const void *b)
{
    const struct timed_period *x = a, *y = b;

    if (x->start_us != y->start_us)
        return x->start_us < y->start_us ? -1 : 1;
    return x->came < y->came ? -1 : 1;
}

/* The stored periods and the new ones in order; of several with one start the last that came. */
static json_t *join_periods(struct arena *a, json_t *stored, json_t *added)
{
    size_t count = json_array_size(stored) + json_array_size(added);
    struct timed_period *all = arena_alloc(a, count * sizeof(*all));
    json_t *joined = json_array();

    count = take_periods(stored, 0, all);
    count = take_periods(added, count, all);
    qsort(all, count, sizeof(*all), by_start_and_arrival);
    for (size_t i = 0; joined && i < count; i++) {
        if (i + 1 < count && all[i].start_us == all[i + 1].start_us)
            continue;
        if (json_array_append(joined, all[i].period)) {
            json_decref(joined);
            return NULL;
        }
    }
    return joined;
}

/* R-SESS-08. 2.1.1 does not write the rule of later versions: there a list may be all periods. */
static bool is_appended(const struct object_type *type, json_t *stored, json_t *came)
{
    size_t count = json_array_size(stored);

    if (object_type_version(type) != OCPI_2_1_1)
        return true;
    return count > 0 && json_array_size(came) > 0 &&
           start_of(json_array_get(came, 0)) > start_of(json_array_get(stored, count - 1));
}

static void drop_json(void *document)
{
    json_decref(document);
}

struct err session_merge_as(const struct object_type *type, json_t *stored, json_t *patch,
                            const struct object_leniency *leniency, struct arena *a, json_t **ret)
{
    json_t *periods = json_object_get(patch, PERIODS), *before = json_object_get(stored, PERIODS);
    json_t *whole;

    if (!is_appended(type, before, periods))
        return object_merge(type, stored, patch, leniency, a, ret);
    /* Checked before it is changed: complaints speak of what the partner sent. */
    TRY(object_check_patch(type, patch, leniency, a));
    whole = json_copy(patch);
    if (!whole)
        return err_at(a, ERR_INTERNAL, NULL, "the patch could not be copied");
    arena_on_free(a, drop_json, whole);
    json_object_del(whole, PERIODS);
    if (json_array_size(periods) > 0) {
        json_t *joined = join_periods(a, before, periods);

        if (!joined || json_object_set_new(whole, PERIODS, joined))
            return err_at(a, ERR_INTERNAL, PERIODS, "the periods could not be joined");
    }
    return object_merge(type, stored, whole, leniency, a, ret);
}

struct err session_merge(json_t *stored, json_t *patch, const struct object_leniency *leniency,
                         struct arena *a, json_t **ret)
{
    return session_merge_as(&ocpi_session_type, stored, patch, leniency, a, ret);
}
