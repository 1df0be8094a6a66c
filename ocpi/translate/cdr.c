/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDRs between versions (15.6). They are what bills are made of: no number is computed anew, and
 * none is withheld for what its place or its tariffs cannot say (R-BR-31, 42). What is signed goes
 * over as it is or not at all (R-CDR-17).
 */
#include "ocpi/translate/turn.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "ocpi/cdr.h"

enum {
    ADDRESS_MAX = 45,
    NAME_MAX_211 = 255,
    CITY_MAX = 45,
    POSTAL_CODE_MAX = 10,
    REMARK_MAX = 255,
    VOLTAGE_ASSUMED = 230,
    AMPERAGE_ASSUMED = 16
};

static const char not_available[] = "#NA";
static const char credit_for[] = "CREDIT for ";

/* --- the place, flattened --- */

static void put_text(json_t *object, const char *member, const char *text)
{
    json_object_set_new(object, member, json_string(text));
}

static void put_share(json_t *object, const char *member, const json_t *from, const char *its)
{
    const json_t *value = json_object_get(from, its);

    if (value && !json_is_null(value))
        json_object_set_new(object, member, turn_share(value));
}

/* An id of 2.1.1; "#NA" where there is none. */
static void put_id(struct turn *t, struct turn_object *o, json_t *object, const char *member,
                   const char *pointer, const json_t *id)
{
    const char *text = json_string_value(id);
    const char *alias = text ? translate_id(t->arena, text) : not_available;

    if (text && alias != text)
        turn_lose(t, o, pointer, id, "it is too long there: an alias stands for it");
    put_text(object, member, alias);
}

/* Without an EVSE its ids are "#NA", and then its plug means nothing (R-CDR-14). */
static void put_connector(struct turn *t, struct turn_object *o, json_t *place,
                          const json_t *location)
{
    const json_t *evse = turn_entry(location, "evses", 0);
    const json_t *connector = turn_entry(evse, "connectors", 0);

    put_id(t, o, place, "evse_uid", "location/evses/0/uid", json_object_get(evse, "uid"));
    put_text(place, "evse_id",
             json_text_of(evse, "evse_id") ? json_text_of(evse, "evse_id") : not_available);
    put_id(t, o, place, "connector_id", "location/evses/0/connectors/0/id",
           json_object_get(connector, "id"));
    if (connector) {
        put_share(place, "connector_standard", connector, "standard");
        put_share(place, "connector_format", connector, "format");
        put_share(place, "connector_power_type", connector, "power_type");
        return;
    }
    turn_lose(t, o, "location/evses", json_object_get(location, "evses"),
              "no connector is named: what stands for it means nothing");
    put_text(place, "connector_standard", "IEC_62196_T2");
    put_text(place, "connector_format", "SOCKET");
    put_text(place, "connector_power_type", "AC_1_PHASE");
}

/* Of the Location a CDR keeps an excerpt. */
static void lose_the_rest(struct turn *t, struct turn_object *o, const json_t *location)
{
    static const char *const kept[] = {"id",          "name",        "address",
                                       "city",        "postal_code", "country",
                                       "coordinates", "evses",       "last_updated"};
    json_t *walked = (json_t *)(uintptr_t)location;

    for (void *at = json_object_iter(walked); at; at = json_object_iter_next(walked, at)) {
        const char *member = json_object_iter_key(at);
        const json_t *value = json_object_iter_value(at);
        bool lost =
            !json_is_null(value) && turn_knows(object_type_find(t->from, "Location"), member);

        for (size_t i = 0; lost && i < sizeof(kept) / sizeof(kept[0]); i++)
            lost = strcmp(member, kept[i]) != 0;
        if (lost)
            turn_lose(t, o, arena_printf(t->arena, "location/%s", member), value,
                      "a CDR has an excerpt of the location only");
    }
}

static struct err location_of_211(struct turn *t, struct turn_object *o, const struct turn_row *row,
                                  const json_t *value)
{
    const char *postal_code = json_text_of(value, "postal_code");
    const char *address = json_text_of(value, "address");
    json_t *place, *required;
    static const char *const members[] = {"id", "address", "city", "country", "coordinates"};

    if (!json_is_object(value)) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        required = json_object_get(value, members[i]);
        if (strcmp(members[i], "coordinates") == 0 ? !json_is_object(required)
                                                   : !json_is_string(required))
            return turn_missing(t, o, arena_printf(t->arena, "location/%s", members[i]),
                                "a cdr_location requires it");
    }
    place = json_object();
    json_object_set_new(o->out, "cdr_location", place);
    put_id(t, o, place, "id", "location/id", json_object_get(value, "id"));
    put_share(place, "name", value, "name");
    put_text(place, "address", turn_cut_text(t->arena, address, ADDRESS_MAX));
    put_share(place, "city", value, "city");
    if (postal_code && *postal_code && strcmp(postal_code, "-") != 0)
        put_text(place, "postal_code", postal_code);
    put_share(place, "country", value, "country");
    put_share(place, "coordinates", value, "coordinates");
    put_connector(t, o, place, value);
    lose_the_rest(t, o, value);
    return OK;
}

/* --- the place, expanded --- */

/* The connector as the store knows it, in the version in which it is kept. */
static const json_t *known_connector(const struct turn *t, const json_t *place)
{
    const char *evse_uid = json_text_of(place, "evse_uid");
    const char *connector_id = json_text_of(place, "connector_id");
    const json_t *evses = json_object_get(t->facts->location, "evses");

    for (size_t i = 0; evse_uid && connector_id && i < json_array_size(evses); i++) {
        const json_t *evse = json_array_get(evses, i);
        const json_t *connectors = json_object_get(evse, "connectors");
        const char *uid = json_text_of(evse, "uid");

        for (size_t j = 0; uid && text_equal_caseless(translate_id(t->arena, uid), evse_uid) &&
                           j < json_array_size(connectors);
             j++) {
            const json_t *connector = json_array_get(connectors, j);
            const char *id = json_text_of(connector, "id");

            if (id && text_equal_caseless(translate_id(t->arena, id), connector_id))
                return connector;
        }
    }
    return NULL;
}

static void put_power(struct turn *t, struct turn_object *o, json_t *connector, const json_t *place)
{
    bool old = t->facts->location_version == OCPI_2_1_1;
    const json_t *known = known_connector(t, place);
    const json_t *voltage = json_object_get(known, old ? "voltage" : "max_voltage");
    const json_t *amperage = json_object_get(known, old ? "amperage" : "max_amperage");

    if (json_is_integer(voltage) && json_is_integer(amperage)) {
        json_object_set_new(connector, "voltage", turn_share(voltage));
        json_object_set_new(connector, "amperage", turn_share(amperage));
        return;
    }
    turn_lose(t, o, "cdr_location/connector_id", json_object_get(place, "connector_id"),
              "voltage and amperage are not known: 230 V and 16 A are told");
    json_object_set_new(connector, "voltage", json_integer(VOLTAGE_ASSUMED));
    json_object_set_new(connector, "amperage", json_integer(AMPERAGE_ASSUMED));
}

/* A CDR is never withheld for a plug that its receiver does not know. */
static void put_standard(struct turn *t, struct turn_object *o, json_t *connector,
                         const json_t *place)
{
    const json_t *value = json_object_get(place, "connector_standard");
    const char *standard = json_string_value(value);
    const char *there = standard ? turn_standard(t, standard) : NULL;

    if (standard && there != standard)
        turn_lose(t, o, "cdr_location/connector_standard", value,
                  there ? "there it is called TESLA_S"
                        : "it is unknown there, and told all the same");
    put_text(connector, "standard", there ? there : standard);
}

static json_t *expand_connector(struct turn *t, struct turn_object *o, const json_t *place,
                                const json_t *last_updated)
{
    const json_t *power = json_object_get(place, "connector_power_type");
    json_t *connector = json_object();

    put_share(connector, "id", place, "connector_id");
    put_standard(t, o, connector, place);
    put_share(connector, "format", place, "connector_format");
    if (json_is_string(power) &&
        !turn_word_known(&turn_power_types, json_string_value(power), t->to)) {
        turn_lose(t, o, "cdr_location/connector_power_type", power,
                  "there it is called AC_1_PHASE");
        put_text(connector, "power_type", turn_power_types.other);
    } else {
        put_share(connector, "power_type", place, "connector_power_type");
    }
    put_power(t, o, connector, place);
    json_object_set_new(connector, "last_updated", turn_share(last_updated));
    return connector;
}

static json_t *expand_evse(struct turn *t, struct turn_object *o, const json_t *place,
                           const json_t *last_updated)
{
    json_t *evse = json_object(), *connectors = json_array();

    put_share(evse, "uid", place, "evse_uid");
    if (!turn_is(json_object_get(place, "evse_id"), not_available))
        put_share(evse, "evse_id", place, "evse_id");
    put_text(evse, "status", "UNKNOWN");
    json_array_append_new(connectors, expand_connector(t, o, place, last_updated));
    json_object_set_new(evse, "connectors", connectors);
    json_object_set_new(evse, "last_updated", turn_share(last_updated));
    return evse;
}

/* Its type, from the store. */
static const char *known_type(const struct turn *t)
{
    static const char *const same[] = {"ON_STREET", "PARKING_GARAGE", "UNDERGROUND_GARAGE",
                                       "PARKING_LOT"};
    const char *type = json_text_of(
        t->facts->location, t->facts->location_version == OCPI_2_1_1 ? "type" : "parking_type");

    for (size_t i = 0; type && i < sizeof(same) / sizeof(same[0]); i++) {
        if (strcmp(same[i], type) == 0)
            return same[i];
    }
    return type ? "OTHER" : "UNKNOWN";
}

static const char *const place_members[] = {"id",
                                            "address",
                                            "city",
                                            "country",
                                            "evse_uid",
                                            "connector_id",
                                            "connector_format",
                                            "connector_standard",
                                            "connector_power_type"};

static struct err check_place(struct turn *t, struct turn_object *o, const json_t *place)
{
    const json_t *coordinates = json_object_get(place, "coordinates");

    for (size_t i = 0; i < sizeof(place_members) / sizeof(place_members[0]); i++) {
        if (!json_text_of(place, place_members[i]))
            return turn_missing(t, o, arena_printf(t->arena, "cdr_location/%s", place_members[i]),
                                "OCPI 2.1.1 requires it");
    }
    if (!json_text_of(coordinates, "latitude") || !json_text_of(coordinates, "longitude"))
        return turn_missing(t, o, "cdr_location/coordinates", "OCPI 2.1.1 requires it");
    return OK;
}

static struct err place_for_211(struct turn *t, struct turn_object *o)
{
    const json_t *place = json_object_of(o->source, "cdr_location");
    const json_t *last_updated = json_object_get(o->out, "last_updated");
    const json_t *coordinates = json_object_get(place, "coordinates");
    const char *address, *latitude, *longitude;
    json_t *location, *evses;

    if (!place)
        return turn_missing(t, o, "cdr_location", "OCPI 2.1.1 requires a location");
    TRY(check_place(t, o, place));
    latitude = turn_degrees(t->arena, json_text_of(coordinates, "latitude"));
    longitude = turn_degrees(t->arena, json_text_of(coordinates, "longitude"));
    if (!latitude || !longitude)
        return turn_missing(t, o, "cdr_location/coordinates", "these are no degrees");
    if (!last_updated)
        return turn_missing(t, o, "last_updated", "OCPI 2.1.1 requires it");

    location = json_object();
    json_object_set_new(o->out, "location", location);
    put_share(location, "id", place, "id");
    put_text(location, "type", known_type(t));
    if (json_text_of(place, "name"))
        put_text(location, "name",
                 turn_ascii(t, o, "cdr_location/name", json_text_of(place, "name"), NAME_MAX_211));
    address = turn_cut_text(t->arena, json_text_of(place, "address"), ADDRESS_MAX);
    if (address != json_text_of(place, "address"))
        turn_lose(t, o, "cdr_location/address", json_object_get(place, "address"),
                  "it is too long there and was cut");
    put_text(location, "address", turn_ascii(t, o, "cdr_location/address", address, ADDRESS_MAX));
    put_text(location, "city",
             turn_ascii(t, o, "cdr_location/city", json_text_of(place, "city"), CITY_MAX));
    put_text(
        location, "postal_code",
        turn_ascii(t, o, "cdr_location/postal_code",
                   json_text_of(place, "postal_code") ? json_text_of(place, "postal_code") : "-",
                   POSTAL_CODE_MAX));
    if (json_text_of(place, "state"))
        turn_lose(t, o, "cdr_location/state", json_object_get(place, "state"),
                  "OCPI 2.1.1 has no such member");
    put_share(location, "country", place, "country");
    json_object_set_new(location, "coordinates",
                        json_pack("{s:s,s:s}", "latitude", latitude, "longitude", longitude));
    evses = json_array();
    json_array_append_new(evses, expand_evse(t, o, place, last_updated));
    json_object_set_new(location, "evses", evses);
    json_object_set_new(location, "last_updated", turn_share(last_updated));
    return OK;
}

static struct err standard_for_221(struct turn *t, struct turn_object *o,
                                   const struct turn_row *row, const json_t *value)
{
    const char *standard = json_string_value(value);
    const char *there = standard ? turn_standard(t, standard) : NULL;

    if (!standard) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    if (there != standard)
        turn_lose(t, o, row->member, value,
                  there ? "there it is called TESLA_S"
                        : "it is unknown there, and told all the same");
    turn_set_text(o, row->member, there ? there : standard);
    return OK;
}

static const struct turn_row cdr_location_rows[] = {
    BY("connector_standard", FALLS, standard_for_221),
};
const struct turn_class turn_cdr_location = TURN_CLASS("CdrLocation", cdr_location_rows);

/* --- credits --- */

const char *translate_credited_id(struct arena *a, const char *remark)
{
    size_t length;

    if (!remark || strncmp(remark, credit_for, sizeof(credit_for) - 1) != 0)
        return NULL;
    remark += sizeof(credit_for) - 1;
    length = strcspn(remark, ";");
    return length > 0 ? arena_bytes(a, remark, length) : NULL;
}

static const char *join(struct arena *a, const char *remark, const char *more)
{
    const char *both;

    if (!remark)
        return more;
    both = arena_printf(a, "%s; %s", remark, more);
    return text_utf8_count(both) <= REMARK_MAX ? both : remark;
}

/* What 2.1.1 has no members for, as far as the remark has room. */
static void remark_for_211(struct turn *t, struct turn_object *o)
{
    const char *own = json_text_of(o->out, "remark");
    const char *invoice = json_text_of(o->source, "invoice_reference_id");
    const char *remark = own;

    if (json_is_true(json_object_get(o->source, "credit")) &&
        !translate_credited_id(t->arena, own)) {
        const char *id = json_text_of(o->source, "credit_reference_id");

        id = id ? translate_id(t->arena, id) : t->facts->credited_id;
        remark = id ? arena_printf(t->arena, "%s%s", credit_for, id) : "CREDIT";
        if (own && join(t->arena, remark, own) == remark)
            turn_lose(t, o, "remark", json_object_get(o->source, "remark"),
                      "there is no room beside what it credits");
        else if (own)
            remark = join(t->arena, remark, own);
    }
    if (invoice)
        remark = join(t->arena, remark, arena_printf(t->arena, "Invoice %s", invoice));
    if (json_is_true(json_object_get(o->source, "home_charging_compensation")))
        remark = join(t->arena, remark, "Home charging compensation");
    if (remark && text_utf8_count(remark) <= REMARK_MAX)
        turn_set_text(o, "remark", remark);
}

/* R-BR-40: 2.1.1 knows a credit by its negative total and its remark. */
static struct err credit_for_211(struct turn *t, struct turn_object *o)
{
    int64_t total;

    if (!json_is_true(json_object_get(o->source, "credit")))
        return OK;
    if (t->facts->withhold_credits) {
        o->refused = "credit CDRs do not go to 2.1.1";
        return OK;
    }
    if (json_number_u6(json_object_get(o->out, "total_cost"), false, &total) && total > 0)
        json_object_set_new(o->out, "total_cost", turn_number(-total));
    return OK;
}

/* R-BR-41 */
static void credit_of_211(struct turn *t, struct turn_object *o)
{
    const json_t *cost = json_object_get(o->source, "total_cost");
    int64_t total;

    if (!json_number_u6(cost, true, &total) || total >= 0)
        return;
    if (t->facts->credited_id) {
        json_object_set_new(o->out, "credit", json_true());
        turn_set_text(o, "credit_reference_id", t->facts->credited_id);
        return;
    }
    turn_lose(t, o, "total_cost", cost, "it is negative, and the CDR that it credits is not known");
}

/* --- CDR --- */

static struct err cdr_finish(struct turn *t, struct turn_object *o)
{
    if (t->way & FROM_211) {
        if (t->facts->session_id)
            turn_set_text(o, "session_id", t->facts->session_id);
        credit_of_211(t, o);
        return turn_authorization(t, o);
    }
    if (t->way & TO_211) {
        remark_for_211(t, o);
        TRY(credit_for_211(t, o));
        return place_for_211(t, o);
    }
    return OK;
}

/* clang-format off */
static const struct turn_row cdr_rows[] = {
    LEAVE_OUT("country_code",   TO_211),
    LEAVE_OUT("party_id",       TO_211),
    LEAVE_OUT("authorization_reference", TO_211), /* kept by the hub */
    LEAVE_OUT("credit",         TO_211),          /* R-BR-40 */
    LEAVE_OUT("credit_reference_id", TO_211),
    LEAVE_OUT("cdr_location",   TO_211),          /* expanded at the end */
    ID       ("id",             TO_211, NULL),
    RENAME   ("stop_date_time", FROM_211, "end_date_time"),
    RENAME   ("end_date_time",  TO_211, "stop_date_time"),
    BY       ("auth_id",        FROM_211, turn_auth_id),
    {.member = "cdr_token", .ways = TO_211, .to = "auth_id", .turn = turn_cdr_token_away},
    BY       ("auth_method",    FROM_211 | TO_211, turn_auth_method),
    BY       ("location",       FROM_211, location_of_211),
    BY       ("total_cost",     FROM_211 | TO_211, turn_total_cost),
};
const struct turn_class turn_cdr = TURN_CLASS("CDR", cdr_rows, .finish = cdr_finish);
/* clang-format on */
