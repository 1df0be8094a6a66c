/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locations, EVSEs and Connectors between versions (15.3).
 */
#include "ocpi/translate/turn.h"

#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/location.h"

enum { ADDRESS_211_MAX = 45, DECIMALS_READ_MAX = 9 };

/* --- words (15.3: facilities, capabilities, restrictions, categories, standards) --- */

static const char *const capabilities_221[] = {"CHARGING_PREFERENCES_CAPABLE",
                                               "CHIP_CARD_SUPPORT",
                                               "CONTACTLESS_CARD_SUPPORT",
                                               "DEBIT_CARD_PAYABLE",
                                               "PED_TERMINAL",
                                               "START_SESSION_CONNECTOR_REQUIRED",
                                               "TOKEN_GROUP_CAPABLE",
                                               NULL};
static const struct turn_words capabilities = {&ocpi_capability_words, capabilities_221, NULL,
                                               NULL};

static const char *const facilities_221[] = {"BIKE_SHARING", "TRAM_STOP", "METRO_STATION",
                                             "PARKING_LOT", NULL};
static const struct turn_words facilities = {&ocpi_facility_words, facilities_221, NULL, NULL};

static const char *const restrictions_230[] = {"EMPLOYEES", "TAXIS", "TENANTS", NULL};
static const struct turn_words restrictions = {&ocpi_parking_restriction_words, NULL,
                                               restrictions_230, NULL};

static const char *const standards_221[] = {"CHAOJI",
                                            "DOMESTIC_M",
                                            "DOMESTIC_N",
                                            "DOMESTIC_O",
                                            "GBT_AC",
                                            "GBT_DC",
                                            "NEMA_5_20",
                                            "NEMA_6_30",
                                            "NEMA_6_50",
                                            "NEMA_10_30",
                                            "NEMA_10_50",
                                            "NEMA_14_30",
                                            "NEMA_14_50",
                                            "PANTOGRAPH_BOTTOM_UP",
                                            "PANTOGRAPH_TOP_DOWN",
                                            NULL};
static const char *const standards_230[] = {"MCS", "SAE_J3400", NULL};
const struct turn_words turn_connector_standards = {&ocpi_connector_standard_words, standards_221,
                                                    standards_230, NULL};

/* One phase is the safe lower bound of two. */
static const char *const power_types_221[] = {"AC_2_PHASE", "AC_2_PHASE_SPLIT", NULL};
const struct turn_words turn_power_types = {&ocpi_power_type_words, power_types_221, NULL,
                                            "AC_1_PHASE"};

static const struct turn_words parking_types = {&ocpi_parking_type_words, NULL, NULL, NULL};
static const struct turn_words image_categories = {&ocpi_image_category_words, NULL, NULL, "OTHER"};
static const struct turn_words impacts = {&ocpi_environmental_impact_category_words, NULL, NULL,
                                          NULL};

const char *turn_standard(const struct turn *t, const char *standard)
{
    if (turn_word_known(&turn_connector_standards, standard, t->to))
        return standard;
    if (t->facts->sae_j3400_as_tesla_s && strcmp(standard, "SAE_J3400") == 0)
        return "TESLA_S";
    return NULL;
}

/* --- Location --- */

/* type and parking_type: what only one of the versions can say is UNKNOWN, OTHER or nothing. */
static struct err type_of_211(struct turn *t, struct turn_object *o, const struct turn_row *row,
                              const json_t *value)
{
    if (turn_is(value, "ON_STREET") || turn_is(value, "PARKING_GARAGE") ||
        turn_is(value, "UNDERGROUND_GARAGE") || turn_is(value, "PARKING_LOT"))
        turn_set(o, "parking_type", value);
    else if (!json_is_string(value))
        turn_wrong_kind(t, o, row, value);
    else if (!turn_is(value, "UNKNOWN"))
        turn_lose(t, o, row->member, value, "the word is unknown there");
    return OK;
}

static struct err type_for_211(struct turn *t, struct turn_object *o, const struct turn_row *row,
                               const json_t *value)
{
    if (!json_is_string(value)) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    if (turn_is(value, "ON_STREET") || turn_is(value, "PARKING_GARAGE") ||
        turn_is(value, "UNDERGROUND_GARAGE") || turn_is(value, "PARKING_LOT")) {
        turn_set(o, "type", value);
        return OK;
    }
    turn_lose(t, o, row->member, value, "there it is called OTHER");
    turn_set_text(o, "type", "OTHER");
    return OK;
}

/* What is not public does not go to 2.1.1, which cannot say so (R-LOC-05). */
static struct err publish_for_211(struct turn *t, struct turn_object *o, const struct turn_row *row,
                                  const json_t *value)
{
    if (!json_is_true(value) && !t->embedded)
        o->refused = "the Location is not published (publish), which 2.1.1 cannot say";
    (void)row;
    return OK;
}

static struct err postal_code_of_211(struct turn *t, struct turn_object *o,
                                     const struct turn_row *row, const json_t *value)
{
    if (!json_is_string(value))
        turn_wrong_kind(t, o, row, value);
    else if (!turn_is(value, "") && !turn_is(value, "-"))
        turn_set(o, "postal_code", value);
    return OK;
}

static void add_time_zone(struct turn *t, struct turn_object *o)
{
    const char *country = json_text_of(o->source, "country");
    const char *zone = t->facts->time_zone;

    if (turn_has(o, "time_zone"))
        return;
    if (!zone && country)
        zone = country_time_zone(country);
    if (!zone)
        turn_lose(t, o, "time_zone", NULL, "no time zone is named or known: UTC is assumed");
    turn_set_text(o, "time_zone", zone ? zone : "Etc/UTC");
}

static struct err location_finish(struct turn *t, struct turn_object *o)
{
    if (o->patch)
        return OK;
    if (t->way & FROM_211) {
        TRY(turn_add_owner(t, o));
        json_object_set_new(o->out, "publish", json_true());
        add_time_zone(t, o);
    }
    if (t->way & TO_211) {
        if (!turn_has(o, "type"))
            turn_set_text(o, "type", "UNKNOWN");
        if (!turn_has(o, "postal_code"))
            turn_set_text(o, "postal_code", "-");
    }
    return OK;
}

/* clang-format off */
static const struct turn_row location_rows[] = {
    LEAVE_OUT    ("country_code",  TO_211),
    LEAVE_OUT    ("party_id",      TO_211),
    ID           ("id",            FROM_211, NULL),
    BY           ("type",          FROM_211, type_of_211),
    BY           ("parking_type",  TO_211, type_for_211),
    WORD         ("parking_type",  FALLS, &parking_types),
    BY           ("publish",       TO_211, publish_for_211),
    CUT          ("address",       TO_211, ADDRESS_211_MAX),
    BY_ALSO_PATCH("postal_code",   FROM_211, postal_code_of_211),
    WORD_LIST_OF ("facilities",    OLDER, &facilities),
};
const struct turn_class turn_location =
    TURN_CLASS("Location", location_rows, .finish = location_finish);
/* clang-format on */

/* --- EVSE --- */

/* An EVSE without connectors is not delivered. */
static struct err evse_finish(struct turn *t, struct turn_object *o)
{
    const json_t *out = json_object_get(o->out, "connectors");

    (void)t;
    if (json_array_size(out) == 0 && json_array_size(json_object_get(o->source, "connectors")) > 0)
        o->refused = "none of its connectors can be told there";
    return OK;
}

/* clang-format off */
static const struct turn_row evse_rows[] = {
    ID          ("uid",                  FROM_211, NULL),
    WORD_LIST_OF("capabilities",         OLDER, &capabilities),
    WORD_LIST_OF("parking_restrictions", OLDER, &restrictions),
};
const struct turn_class turn_evse = TURN_CLASS("EVSE", evse_rows, .finish = evse_finish);
/* clang-format on */

/* --- Connector --- */

static struct err standard_for_older(struct turn *t, struct turn_object *o,
                                     const struct turn_row *row, const json_t *value)
{
    const char *standard = json_string_value(value);
    const char *there = standard ? turn_standard(t, standard) : NULL;

    if (!standard) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    if (there) {
        if (there != standard)
            turn_lose(t, o, row->member, value, "there it is called TESLA_S");
        turn_set_text(o, row->member, there);
        return OK;
    }
    if (t->embedded) {
        turn_set(o, row->member, value);
        return OK;
    }
    o->refused = arena_printf(t->arena, "OCPI %s has no connectors of standard %s",
                              version_name(t->to), turn_cut_text(t->arena, standard, 40));
    return OK;
}

/* By setting: the current at which the connector reaches no more than max_electric_power. */
static struct err amperage_for_211(struct turn *t, struct turn_object *o,
                                   const struct turn_row *row, const json_t *value)
{
    int64_t watts, volts, amperes;
    const json_t *power = json_object_get(o->source, "max_electric_power");

    if (!json_is_number(value)) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    turn_set(o, "amperage", value);
    if (!t->facts->limit_amperage || !json_number_u6(power, false, &watts) ||
        !json_number_u6(json_object_get(o->source, "max_voltage"), false, &volts) ||
        !json_number_u6(value, false, &amperes))
        return OK;
    if (turn_is(json_object_get(o->source, "power_type"), "AC_3_PHASE"))
        watts /= 3;
    volts /= 1000000;
    if (volts > 0 && watts >= 0 && watts / volts < amperes) {
        turn_lose(t, o, row->member, value, "reduced to what max_electric_power allows");
        json_object_set_new(o->out, "amperage", json_integer(watts / volts / 1000000));
    }
    return OK;
}

static struct err tariff_id_of_211(struct turn *t, struct turn_object *o,
                                   const struct turn_row *row, const json_t *value)
{
    json_t *list;

    if (!json_is_string(value)) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    list = json_array();
    json_array_append_new(list, turn_share(value));
    json_object_set_new(o->out, "tariff_ids", list);
    return OK;
}

static bool is_active(const struct turn *t, const json_t *tariff)
{
    const char *start = json_text_of(tariff, "start_date_time");
    const char *end = json_text_of(tariff, "end_date_time");
    int64_t us;

    if (start && time_parse(start, TIME_OCPI_ANY_OFFSET, &us) && us > t->now_us)
        return false;
    return !end || !time_parse(end, TIME_OCPI_ANY_OFFSET, &us) || us > t->now_us;
}

/* The active REGULAR or untyped one, else the first active, else the first (15.3). */
static size_t choose_tariff(const struct turn *t, const json_t *ids)
{
    size_t count = json_array_size(ids), first_active = count;

    for (size_t i = 0; t->facts->tariffs && i < count; i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        const json_t *tariff = id ? json_object_of(t->facts->tariffs, id) : NULL;
        const json_t *type = json_object_get(tariff, "type");

        if (!tariff || !is_active(t, tariff))
            continue;
        if (!json_is_string(type) || turn_is(type, "REGULAR"))
            return i;
        if (first_active == count)
            first_active = i;
    }
    return first_active < count ? first_active : 0;
}

static struct err tariff_ids_for_211(struct turn *t, struct turn_object *o,
                                     const struct turn_row *row, const json_t *value)
{
    size_t count = json_array_size(value), chosen;

    if (!json_is_array(value)) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    if (count > 1 && o->patch)
        t->whole = true;
    chosen = choose_tariff(t, value);
    for (size_t i = 0; i < count; i++) {
        const json_t *id = json_array_get(value, i);

        if (i == chosen && json_is_string(id))
            turn_set(o, "tariff_id", id);
        else
            turn_lose(t, o, arena_printf(t->arena, "tariff_ids/%zu", i), id,
                      "a connector of 2.1.1 has one tariff");
    }
    return OK;
}

/* clang-format off */
static const struct turn_row connector_rows[] = {
    BY           ("standard",     OLDER, standard_for_older),
    WORD         ("power_type",   TO_211, &turn_power_types),
    RENAME       ("voltage",      FROM_211, "max_voltage"),
    RENAME       ("amperage",     FROM_211, "max_amperage"),
    RENAME       ("max_voltage",  TO_211, "voltage"),
    {.member = "max_amperage", .ways = TO_211, .to = "amperage", .turn = amperage_for_211,
     .one_to_one = true},
    BY_ALSO_PATCH("tariff_id",    FROM_211, tariff_id_of_211),
    BY_ALSO_PATCH("tariff_ids",   TO_211, tariff_ids_for_211),
};
const struct turn_class turn_connector = TURN_CLASS("Connector", connector_rows);
/* clang-format on */

/* --- the small classes --- */

/* Six decimals, rounded once: digits past the ninth decide nothing. */
const char *turn_degrees(struct arena *a, const char *text)
{
    char buffer[DECIMAL_TEXT];
    const char *point = strchr(text, '.');
    int64_t u6;

    if (point && strlen(point + 1) > DECIMALS_READ_MAX)
        text = arena_bytes(a, text, (size_t)(point - text) + 1 + DECIMALS_READ_MAX);
    if (!decimal_parse_u6(text, &u6))
        return NULL;
    return arena_text(a, decimal_print_u6(buffer, u6, 6, 6));
}

static struct err degrees_for_211(struct turn *t, struct turn_object *o, const struct turn_row *row,
                                  const json_t *value)
{
    const char *text = json_string_value(value);
    const char *degrees = text ? turn_degrees(t->arena, text) : NULL;

    if (degrees)
        turn_set_text(o, row->member, degrees);
    else
        turn_wrong_kind(t, o, row, value);
    return OK;
}

/* clang-format off */
static const struct turn_row geo_location_rows[] = {
    BY_ALSO_PATCH("latitude",  TO_211, degrees_for_211),
    BY_ALSO_PATCH("longitude", TO_211, degrees_for_211),
};
const struct turn_class turn_geo_location = TURN_CLASS("GeoLocation", geo_location_rows);
const struct turn_class turn_additional_geo_location =
    TURN_CLASS("AdditionalGeoLocation", geo_location_rows);
/* clang-format on */

static bool has_entries(const json_t *object, const char *member)
{
    return json_array_size(json_object_get(object, member)) > 0;
}

/* 2.1.1 has either the flag or the hours (R-LOC-09). */
static struct err regular_hours_for_211(struct turn *t, struct turn_object *o)
{
    if (json_is_true(json_object_get(o->out, "twentyfourseven"))) {
        if (has_entries(o->out, "regular_hours"))
            turn_lose(t, o, "regular_hours", json_object_get(o->source, "regular_hours"),
                      "twentyfourseven is told instead");
        json_object_del(o->out, "regular_hours");
    } else if (!has_entries(o->out, "regular_hours")) {
        o->refused = "neither twentyfourseven nor regular hours are given";
    }
    return OK;
}

static struct err hours_finish(struct turn *t, struct turn_object *o)
{
    if (t->way & TO_211)
        return regular_hours_for_211(t, o);
    if (t->way & FROM_211 && !turn_has(o, "twentyfourseven"))
        json_object_set_new(o->out, "twentyfourseven",
                            json_boolean(!has_entries(o->source, "regular_hours")));
    return OK;
}

const struct turn_class turn_hours = {.name = "Hours", .finish = hours_finish};

static const struct turn_row image_rows[] = {
    WORD("category", OLDER, &image_categories),
};
const struct turn_class turn_image = TURN_CLASS("Image", image_rows);

/* Entries of other categories are left out. */
static struct err category_for_older(struct turn *t, struct turn_object *o,
                                     const struct turn_row *row, const json_t *value)
{
    if (!json_is_string(value))
        turn_wrong_kind(t, o, row, value);
    else if (turn_word_known(&impacts, json_string_value(value), t->to))
        turn_set(o, row->to ? row->to : row->member, value);
    else
        o->refused = "the category is unknown there";
    return OK;
}

/* clang-format off */
static const struct turn_row environmental_impact_rows[] = {
    RENAME("source", FROM_211, "category"),
    {.member = "category", .ways = TO_211, .to = "source", .turn = category_for_older},
    BY    ("category", FALLS, category_for_older),
};
const struct turn_class turn_environmental_impact =
    TURN_CLASS("EnvironmentalImpact", environmental_impact_rows);
/* clang-format on */

/* Who may see a Location: an entry of another type would be nobody's, or somebody else's. */
static struct err publish_type_for_221(struct turn *t, struct turn_object *o,
                                       const struct turn_row *row, const json_t *value)
{
    if (!json_is_string(value))
        turn_wrong_kind(t, o, row, value);
    else if (turn_word_known(&turn_token_types, json_string_value(value), t->to))
        turn_set(o, row->member, value);
    else
        o->refused = "the token type is unknown there";
    return OK;
}

static const struct turn_row publish_token_rows[] = {
    BY("type", FALLS, publish_type_for_221),
};
const struct turn_class turn_publish_token = TURN_CLASS("PublishTokenType", publish_token_rows);
