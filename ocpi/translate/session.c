/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions between versions (15.5), and what they share with CDRs: tokens, periods, dimensions.
 *
 * 2.1.1 puts the whole Location into a Session and names the driver by auth_id; newer versions name
 * the place by three ids and carry a CdrToken. What is missing comes from the facts.
 */
#include "ocpi/translate/turn.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "ocpi/session.h"

static const char not_available[] = "#NA";

/* --- the driver --- */

struct err turn_auth_id(struct turn *t, struct turn_object *o, const struct turn_row *row,
                        const json_t *value)
{
    static const char *const copied[] = {"country_code", "party_id", "uid", "type", "contract_id"};
    AUTO_JSON json_t *known = turn_token_fact(t);
    json_t *token;

    if (!json_is_string(value)) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    if (!known && (!t->facts->token_country_code || !t->facts->token_party_id))
        return turn_missing(t, o, row->member, "nothing tells whose token this is");
    token = json_object();
    json_object_set_new(o->out, "cdr_token", token);
    for (size_t i = 0; known && i < sizeof(copied) / sizeof(copied[0]); i++) {
        const json_t *member = json_object_get(known, copied[i]);

        if (json_is_string(member))
            json_object_set_new(token, copied[i], turn_share(member));
    }
    if (!known) {
        json_object_set_new(token, "country_code", json_string(t->facts->token_country_code));
        json_object_set_new(token, "party_id", json_string(t->facts->token_party_id));
        json_object_set_new(token, "uid", turn_share(value));
        json_object_set_new(token, "type", json_string("OTHER"));
    }
    if (!json_object_get(token, "contract_id"))
        json_object_set_new(token, "contract_id", turn_share(value));
    return OK;
}

/* The owner is the receiver itself; the rest but the contract is lost. */
struct err turn_cdr_token_away(struct turn *t, struct turn_object *o, const struct turn_row *row,
                               const json_t *value)
{
    const json_t *contract = json_object_get(value, "contract_id");
    json_t *walked = (json_t *)(uintptr_t)value;

    if (!json_is_string(contract)) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    turn_set(o, row->to, contract);
    for (void *at = json_object_iter(walked); at; at = json_object_iter_next(walked, at)) {
        const char *member = json_object_iter_key(at);

        if (strcmp(member, "uid") == 0 || strcmp(member, "type") == 0)
            turn_lose(t, o, arena_printf(t->arena, "%s/%s", row->member, member),
                      json_object_iter_value(at), "2.1.1 names the driver by contract only");
    }
    return OK;
}

static const char *const auth_methods_221[] = {"COMMAND", NULL};
static const struct turn_words auth_methods = {&ocpi_auth_method_words, auth_methods_221, NULL,
                                               "AUTH_REQUEST"};

struct err turn_auth_method(struct turn *t, struct turn_object *o, const struct turn_row *row,
                            const json_t *value)
{
    if (t->way & TO_211) {
        const struct turn_row by_word = WORD("auth_method", TO_211, &auth_methods);

        return turn_word(t, o, &by_word, value);
    }
    if (!json_is_string(value))
        turn_wrong_kind(t, o, row, value);
    else if (t->facts->by_command)
        turn_set_text(o, row->member, "COMMAND");
    else
        turn_set(o, row->member, value);
    return OK;
}

/* 2.1.1 has no references: the hub remembers them. */
struct err turn_authorization(struct turn *t, struct turn_object *o)
{
    if (t->facts->authorization_reference)
        turn_set_text(o, "authorization_reference", t->facts->authorization_reference);
    return turn_add_owner(t, o);
}

static const struct turn_row cdr_token_rows[] = {
    WORD("type", FALLS, &turn_token_types),
};
const struct turn_class turn_cdr_token = TURN_CLASS("CdrToken", cdr_token_rows);

/* --- the cost --- */

struct err turn_total_cost(struct turn *t, struct turn_object *o, const struct turn_row *row,
                           const json_t *value)
{
    const char *net_name =
        t->from == OCPI_2_3_0 || t->to == OCPI_2_3_0 ? "before_taxes" : "excl_vat";
    json_t *walked = (json_t *)(uintptr_t)value;
    json_t *number;

    if (t->way & FROM_211) {
        number = turn_numeric(value);
        if (number)
            json_object_set_new(o->out, row->member, json_pack("{s:o}", net_name, number));
        else
            turn_wrong_kind(t, o, row, value);
        return OK;
    }
    number = turn_numeric(json_object_get(value, net_name));
    if (!number) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    json_object_set_new(o->out, row->member, number);
    for (void *at = json_object_iter(walked); at; at = json_object_iter_next(walked, at)) {
        const char *member = json_object_iter_key(at);

        if (strcmp(member, "incl_vat") == 0 || strcmp(member, "taxes") == 0)
            turn_lose(t, o, arena_printf(t->arena, "%s/%s", row->member, member),
                      json_object_iter_value(at), "2.1.1 knows costs without tax only");
    }
    return OK;
}

/* --- charging periods --- */

/* The tariff of a 2.1.1 period: the only one of the CDR, else that of the connector. */
static const char *tariff_of_211(const struct turn_object *whole)
{
    const json_t *tariffs = json_object_get(whole->source, "tariffs");
    const json_t *location = json_object_get(whole->source, "location");

    if (json_array_size(tariffs) == 1)
        return json_text_of(json_array_get(tariffs, 0), "id");
    if (json_array_size(tariffs) > 1)
        return NULL;
    return json_text_of(turn_entry(turn_entry(location, "evses", 0), "connectors", 0), "tariff_id");
}

static struct err charging_period_finish(struct turn *t, struct turn_object *o)
{
    const json_t *dimensions = json_object_get(o->out, "dimensions");
    json_t *energy;

    if (json_is_array(dimensions) && json_array_size(dimensions) == 0 &&
        json_array_size(json_object_get(o->source, "dimensions")) > 0) {
        energy = json_array();
        json_array_append_new(energy, json_pack("{s:s,s:i}", "type", "ENERGY", "volume", 0));
        json_object_set_new(o->out, "dimensions", energy);
    }
    if (t->way & FROM_211) {
        const char *tariff = tariff_of_211(o->up);

        if (tariff)
            turn_set_text(o, "tariff_id", tariff);
        else
            turn_lose(t, o, "tariff_id", NULL,
                      "no single tariff is named: it reads as if none applied");
    }
    return OK;
}

const struct turn_class turn_charging_period = {.name = "ChargingPeriod",
                                                .finish = charging_period_finish};

/* FLAT is of 2.1.1 only; the words of the Bookings module are in no list of 2.2.1. */
static const char *const dimensions_221[] = {"CURRENT",          "ENERGY_EXPORT",   "ENERGY_IMPORT",
                                             "MAX_POWER",        "MIN_POWER",       "POWER",
                                             "RESERVATION_TIME", "STATE_OF_CHARGE", NULL};
static const struct turn_words dimensions = {&ocpi_dimension_words, dimensions_221, NULL, NULL};

static struct err dimension(struct turn *t, struct turn_object *o, const struct turn_row *row,
                            const json_t *value)
{
    const char *word = json_string_value(value);

    if (!word)
        turn_wrong_kind(t, o, row, value);
    else if (turn_is(value, "FLAT") ||
             (t->way & OLDER && !turn_word_known(&dimensions, word, t->to)))
        o->refused = "the dimension is unknown there";
    else
        turn_set(o, row->member, value);
    return OK;
}

static const struct turn_row cdr_dimension_rows[] = {
    BY("type", FROM_211 | OLDER, dimension),
};
const struct turn_class turn_cdr_dimension = TURN_CLASS("CdrDimension", cdr_dimension_rows);

/* --- the place --- */

static void set_id(struct turn *t, struct turn_object *o, const char *member, const char *pointer,
                   const json_t *id)
{
    const char *text = json_string_value(id);
    const char *alias = text ? translate_id(t->arena, text) : not_available;

    if (text && alias != text)
        turn_lose(t, o, pointer, id, "it is too long there: an alias stands for it");
    turn_set_text(o, member, alias);
}

static struct err location_of_211(struct turn *t, struct turn_object *o, const struct turn_row *row,
                                  const json_t *value)
{
    const json_t *evse = turn_entry(value, "evses", 0);
    const json_t *connector = turn_entry(evse, "connectors", 0);

    if (!json_is_string(json_object_get(value, "id"))) {
        turn_wrong_kind(t, o, row, value);
        return turn_missing(t, o, "location/id", "the location has no id");
    }
    if (json_array_size(json_object_get(value, "evses")) > 1)
        turn_lose(t, o, "location/evses", json_object_get(value, "evses"),
                  "a session has one EVSE: the first is taken");
    if (json_array_size(json_object_get(evse, "connectors")) > 1)
        turn_lose(t, o, "location/evses/0/connectors", json_object_get(evse, "connectors"),
                  "a session has one connector: the first is taken");
    set_id(t, o, "location_id", "location/id", json_object_get(value, "id"));
    set_id(t, o, "evse_uid", "location/evses/0/uid", json_object_get(evse, "uid"));
    set_id(t, o, "connector_id", "location/evses/0/connectors/0/id",
           json_object_get(connector, "id"));
    return OK;
}

/* The entry of a list whose id, or the alias of it, is this one, whatever its case (R-BR-07). */
static const json_t *find_entry(const struct turn *t, const json_t *object, const char *list,
                                const char *key, const char *id)
{
    const json_t *entries = json_object_get(object, list);

    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        const char *its = json_text_of(entry, key);

        if (its && text_equal_caseless(translate_id(t->arena, its), id))
            return entry;
    }
    return NULL;
}

/* A copy that has one entry in the list; NULL: none. */
static json_t *with_only(const json_t *object, const char *list, json_t *entry)
{
    json_t *copy = json_copy((json_t *)(uintptr_t)object);
    json_t *entries = json_array();

    if (entry)
        json_array_append_new(entries, entry);
    json_object_set_new(copy, list, entries);
    return copy;
}

/* The known Location with exactly the EVSE and connector of the Session. */
static json_t *kept_location(struct turn *t, struct turn_object *o)
{
    const json_t *location = t->facts->location;
    const char *evse_uid = json_text_of(o->source, "evse_uid");
    const char *connector_id = json_text_of(o->source, "connector_id");
    const json_t *evse = NULL, *connector = NULL;

    if (evse_uid)
        evse = find_entry(t, location, "evses", "uid", evse_uid);
    if (evse && connector_id)
        connector = find_entry(t, evse, "connectors", "id", connector_id);
    if (connector)
        return with_only(location, "evses", with_only(evse, "connectors", turn_share(connector)));
    turn_lose(t, o, "evse_uid", json_object_get(o->source, "evse_uid"),
              "no such EVSE and connector of the location are known");
    return with_only(location, "evses", NULL);
}

/* What its Location says is told with the Location itself: no losses of this document. */
static struct err walk_location(struct turn *t, struct turn_object *o, json_t **ret)
{
    AUTO_JSON json_t *kept = kept_location(t, o);
    struct turn inner = *t;

    if (t->facts->location_version == OCPI_2_1_1) {
        *ret = json_incref(kept);
        return OK;
    }
    inner.from = t->facts->location_version;
    inner.way = inner.from == OCPI_2_2_1 ? FROM_221_TO_211 : FROM_230_TO_211;
    inner.embedded = true;
    inner.silent++;
    return turn_walk(&inner, o, "location_id", "Location", kept, ret);
}

/* Nothing is known but the id: a Location that says so (15.5). */
static json_t *stub(const struct turn *t, const struct turn_object *o)
{
    const char *owner = json_text_of(o->source, "country_code");
    const char *country;

    owner = owner ? owner : t->facts->country_code;
    country = owner ? country_alpha3(owner) : NULL;
    return json_pack("{s:O,s:s,s:s,s:s,s:s,s:s,s:s,s:{s:s,s:s},s:O}", "id",
                     json_object_get(o->source, "location_id"), "type", "UNKNOWN", "name",
                     not_available, "address", not_available, "city", not_available, "postal_code",
                     not_available, "country", country ? country : "ZZZ", "coordinates", "latitude",
                     "0.000000", "longitude", "0.000000", "last_updated",
                     json_object_get(o->out, "last_updated"));
}

static struct err location_for_211(struct turn *t, struct turn_object *o)
{
    json_t *location = NULL;

    if (!json_is_string(json_object_get(o->source, "location_id")))
        return turn_missing(t, o, "location_id", "OCPI 2.1.1 requires a location");
    if (!turn_has(o, "last_updated"))
        return turn_missing(t, o, "last_updated", "OCPI 2.1.1 requires it");
    if (json_is_object(t->facts->location) && failed(walk_location(t, o, &location)))
        location = NULL;
    if (!location) {
        turn_lose(t, o, "location_id", json_object_get(o->source, "location_id"),
                  "nothing is known of the location but its id");
        location = stub(t, o);
    }
    json_object_set_new(o->out, "location", location);
    return OK;
}

/* --- Session --- */

/* R-SESS-04: RESERVED was never in the enum, and is not passed on. */
static struct err status(struct turn *t, struct turn_object *o, const struct turn_row *row,
                         const json_t *value)
{
    bool reserved = turn_is(value, "RESERVATION") || turn_is(value, "RESERVED");

    if (!json_is_string(value)) {
        turn_wrong_kind(t, o, row, value);
    } else if (reserved && t->way & TO_211) {
        turn_lose(t, o, row->member, value, "there it is called PENDING");
        turn_set_text(o, row->member, "PENDING");
    } else if (reserved) {
        turn_set_text(o, row->member, "RESERVATION");
    } else {
        turn_set(o, row->member, value);
    }
    return OK;
}

static struct err session_finish(struct turn *t, struct turn_object *o)
{
    /* A list of 2.1.1 replaces, one of newer versions is appended (R-SESS-08). */
    if (o->patch) {
        t->whole = t->whole ||
                   (t->way & (FROM_211 | TO_211) && json_object_get(o->source, "charging_periods"));
        return OK;
    }
    if (t->way & FROM_211)
        return turn_authorization(t, o);
    return t->way & TO_211 ? location_for_211(t, o) : OK;
}

/* They make the location, at the end; in a PATCH they cannot. */
static struct err place_for_211(struct turn *t, struct turn_object *o, const struct turn_row *row,
                                const json_t *value)
{
    (void)t, (void)o, (void)row, (void)value;
    return OK;
}

/* clang-format off */
static const struct turn_row session_rows[] = {
    LEAVE_OUT    ("country_code",    TO_211),
    LEAVE_OUT    ("party_id",        TO_211),
    LEAVE_OUT    ("authorization_reference", TO_211), /* kept by the hub */
    RENAME       ("start_datetime",  FROM_211, "start_date_time"),
    RENAME       ("end_datetime",    FROM_211, "end_date_time"),
    RENAME       ("start_date_time", TO_211, "start_datetime"),
    RENAME       ("end_date_time",   TO_211, "end_datetime"),
    BY           ("auth_id",         FROM_211, turn_auth_id),
    {.member = "cdr_token", .ways = TO_211, .to = "auth_id", .turn = turn_cdr_token_away},
    BY_ALSO_PATCH("auth_method",     FROM_211 | TO_211, turn_auth_method),
    BY           ("location",        FROM_211, location_of_211),
    BY           ("location_id",     TO_211, place_for_211),
    BY           ("evse_uid",        TO_211, place_for_211),
    BY           ("connector_id",    TO_211, place_for_211),
    BY_ALSO_PATCH("total_cost",      FROM_211 | TO_211, turn_total_cost),
    BY_ALSO_PATCH("status",          FROM_211 | TO_211 | SIDEWAYS, status),
};
const struct turn_class turn_session =
    TURN_CLASS("Session", session_rows, .finish = session_finish);
/* clang-format on */
