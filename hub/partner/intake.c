/* SPDX-License-Identifier: Apache-2.0 */
/* Checking a partner's documents and taking out of them what we query. */
#include "hub/partner/intake.h"

#include <string.h>

#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/time.h"
#include "hub/hub.h"
#include "hub/request.h"
#include "ocpi/cdr.h"
#include "ocpi/headers.h"
#include "ocpi/location.h"
#include "ocpi/object.h"
#include "ocpi/session.h"
#include "ocpi/tariff.h"
#include "ocpi/translate/translate.h"

enum {
    AHEAD_MAX_S = 24 * 3600,
    CDR_DAYS_MAX = 7,
    TRIES = 25, /* 6 s of pauses at the most, 3 s as a rule */
    FIRST_PAUSE_MS = 8,
    PAUSE_GROWS = 5,         /* times two */
    STORED_VALUES = 1000000, /* more than one body may have: it came in parts, or on a page */
};

/* The view was made by us of a document that has passed its own table: what 2.2.1 would find too
 * long or new is no reason to refuse it. */
static const struct object_leniency VIEW = {
    .offset_times = true, .long_text = true, .unknown_words = true, .numbers_as_text = true};

/* ---- where it comes from ---- */

/* In the spelling in which the party is registered. */
static struct party_id registered(const struct partner *p, struct party_id id)
{
    for (size_t i = 0; i < p->party_count; i++)
        if (party_id_equal(&p->parties[i].id, &id))
            return p->parties[i].id;
    return id;
}

struct intake intake_of_request(struct flow *f, const char *country_code, const char *party_id)
{
    const struct request *r = request_of(f);
    struct intake in = {.partner = r->caller.partner, .version = r->version};
    struct party_id id;

    in.in_url = country_code && party_id_make(country_code, party_id, &id);
    in.owner = in.in_url ? registered(in.partner, id) : r->caller.from;
    return in;
}

struct intake intake_of_connection(const struct partner *p)
{
    struct intake in = {.partner = p, .version = p->peer.version, .owner = p->peer.their_party};

    if (in.version == OCPI_VERSION_NONE)
        in.version = OCPI_2_2_1;
    return in;
}

/* ---- written at the same time ---- */

bool intake_once_more(struct flow *f, int *tries)
{
    if (++*tries == TRIES)
        return false;
    int64_t most_ms = FIRST_PAUSE_MS << (*tries < PAUSE_GROWS ? *tries : PAUSE_GROWS);
    flow_sleep(f, (int64_t)id_random_below((uint64_t)most_ms));
    return true;
}

/* ---- checks that all share ---- */

struct err intake_check(struct flow *f, const struct intake *in, const char *object,
                        const json_t *document)
{
    return object_check(object_type_find(in->version, object), document,
                        &in->partner->peer.leniency, f->arena);
}

struct err intake_check_patch(struct flow *f, struct intake *in, const char *object,
                              const json_t *patch)
{
    in->timeless = in->version == OCPI_2_1_1 && !json_text_of(patch, "last_updated");
    return object_check_patch(object_type_find(in->version, object), patch,
                              &in->partner->peer.leniency, f->arena);
}

struct err intake_check_clock(struct flow *f, const struct intake *in, int64_t last_updated_us)
{
    if (last_updated_us <= time_now_us() + AHEAD_MAX_S * US_PER_SECOND ||
        in->partner->peer.quirks.unreliable_clock)
        return OK;
    return err_rule(err_at(f->arena, ERR_BAD_FIELD, "/last_updated",
                           "/last_updated: is more than 24 hours ahead of now"),
                    "R-TRANS-15");
}

/* An object belongs to the party of the URL it is pushed to; and to a party of the partner who sent
 * it, in the role that owns all of these modules (R-TRANS-18). */
static struct err check_owner(struct flow *f, const struct intake *in, const char *country_code,
                              const char *party_id)
{
    const struct partner *p = in->partner;
    struct party_id id;

    if (in->in_url) {
        TRY(intake_same(f, "/country_code", in->owner.country_code, country_code));
        TRY(intake_same(f, "/party_id", in->owner.party_id, party_id));
    }
    if (party_id_make(country_code, party_id, &id))
        for (size_t i = 0; i < p->party_count; i++)
            if (p->parties[i].role == OCPI_ROLE_CPO && party_id_equal(&p->parties[i].id, &id))
                return OK;
    return err_rule(err_at(f->arena, ERR_BAD_FIELD, "/party_id",
                           "/party_id: %s-%s is not a party of this connection", country_code,
                           party_id),
                    "R-TRANS-18");
}

static void content_hash(struct flow *f, const json_t *document, char ret[SHA256_HEX])
{
    const char *canonical = json_canonical(f->arena, document);

    id_sha256_hex(canonical, strlen(canonical), ret);
}

struct err intake_same(struct flow *f, const char *where, const char *in_url, const char *in_body)
{
    if (text_equal_caseless(in_url, in_body))
        return OK;
    struct err e = err_at(f->arena, ERR_BAD_FIELD, where, "%s: \"%s\" is not the one in the URL",
                          where, in_body);
    e.came = in_body;
    e.expected = in_url;
    return err_rule(e, strcmp(where, "/id") == 0 ? "R-TRANS-16" : "R-TRANS-17");
}

struct err intake_fits(struct flow *f, const char *object, size_t bytes, size_t most)
{
    if (bytes <= most)
        return OK;
    struct err e =
        err_at(f->arena, ERR_TOO_LARGE, NULL, "the %s would have %zu bytes, where %zu are accepted",
               object, bytes, most);
    e.came = arena_printf(f->arena, "%zu bytes", bytes);
    e.expected = arena_printf(f->arena, "at most %zu bytes", most);
    return e;
}

int64_t intake_updated(const json_t *object)
{
    const char *text = json_text_of(object, "last_updated");
    int64_t us;

    return text && time_parse(text, TIME_OCPI_ANY_OFFSET, &us) ? us : TIME_NONE;
}

void intake_stamp(const struct intake *in, json_t *patch, const json_t *stored)
{
    int64_t now = time_now_us(), before = intake_updated(stored);
    char text[TIME_TEXT];

    if (!in->timeless)
        return;
    now -= now % US_PER_SECOND; /* 2.1.1 has whole seconds */
    if (before != TIME_NONE && before > now)
        json_object_set(patch, "last_updated", json_object_get(stored, "last_updated"));
    else
        json_object_set_new(patch, "last_updated", json_string(time_print_seconds(text, now)));
}

/* ---- one version as another ---- */

/* Checked by its own table, then seen as an object of 2.2.1: fills *ret, of the type's struct.
 * *ret_view is the document itself, or what became of it. */
static struct err view(struct flow *f, const struct intake *in, const struct object_type *type,
                       const json_t *document, struct translation_facts *facts,
                       const json_t **ret_view, void *ret)
{
    const char *object = object_type_name(type);
    struct translation t;

    *ret_view = document;
    if (in->version == OCPI_2_2_1)
        return object_parse_lenient(type, document, &in->partner->peer.leniency, f->arena, ret);
    TRY(intake_check(f, in, object, document));
    facts->country_code = in->owner.country_code;
    facts->party_id = in->owner.party_id;
    TRY(translate(object, in->version, OCPI_2_2_1, document, facts, f->arena, &t));
    if (!t.document)
        return err_rule(err_at(f->arena, ERR_BAD_FIELD, NULL, "%s", t.withheld), "R-BR-03");
    *ret_view = t.document;
    return object_parse_lenient(type, t.document, &VIEW, f->arena, ret);
}

/* ---- whose token? ---- */

const char *intake_auth_id(const struct intake *in, const json_t *document)
{
    return in->version == OCPI_2_1_1 ? json_text_of(document, "auth_id") : NULL;
}

/* What the translation of a Session or CDR of 2.1.1 has to be told of the token. One that nobody
 * owns passes as the CPO's own, which issues none; what is stored says so (settle_token). */
static struct err token_facts(struct flow *f, const struct intake *in,
                              struct translation_facts *facts)
{
    const struct token_owner *o = in->token;
    struct translation t;
    json_t *document;

    facts->token_country_code = in->owner.country_code;
    facts->token_party_id = in->owner.party_id;
    if (!o || !o->found)
        return OK;
    facts->token_country_code = o->country_code;
    facts->token_party_id = o->party_id;
    facts->by_command = o->ours;
    if (!o->document)
        return OK;
    TRY(json_read(f->arena, o->document, strlen(o->document), 0, &document));
    if (o->ocpi == OCPI_2_1_1) {
        struct translation_facts of_token = {.country_code = o->country_code,
                                             .party_id = o->party_id};
        TRY(translate("Token", OCPI_2_1_1, OCPI_2_2_1, document, &of_token, f->arena, &t));
        document = t.document;
    }
    facts->token = document;
    return OK;
}

static enum ocpi_version version_of(const struct stored_object *stored)
{
    return stored->ocpi == OCPI_VERSION_NONE ? OCPI_2_2_1 : stored->ocpi;
}

const char *intake_stored_auth_id(struct flow *f, const struct intake *in,
                                  const struct stored_object *stored)
{
    json_t *document;

    if (!stored->found || version_of(stored) != OCPI_2_1_1 || in->version == OCPI_2_1_1 ||
        failed(json_read(f->arena, stored->document, strlen(stored->document), STORED_VALUES,
                         &document)))
        return NULL;
    return json_text_of(document, "auth_id");
}

struct err intake_stored(struct flow *f, const struct intake *in, const char *object,
                         const struct stored_object *stored, json_t **ret)
{
    struct translation_facts facts = {.country_code = in->owner.country_code,
                                      .party_id = in->owner.party_id};
    enum ocpi_version from = version_of(stored);
    struct translation t;

    TRY(json_read(f->arena, stored->document, strlen(stored->document), STORED_VALUES, ret));
    if (from == in->version)
        return OK;
    TRY(token_facts(f, in, &facts));
    struct err e = translate(object, from, in->version, *ret, &facts, f->arena, &t);
    if (failed(e) || !t.document) {
        log_line(LOG_WARN, "a stored object cannot be told in this version",
                 LOG_TEXT("object", object), LOG_TEXT("from", version_name(from)),
                 LOG_TEXT("to", version_name(in->version)),
                 LOG_TEXT("text", failed(e) ? err_text(e) : t.withheld));
        return err_rule(err_new(ERR_OBJECT_NOT_FOUND), "R-BR-47");
    }
    *ret = t.document;
    return OK;
}

/* Us, or a connected party that issues tokens. */
static bool issues_tokens(struct flow *f, const struct party_id *id)
{
    const struct settings *s = hub_of(f)->settings;
    struct partners all;
    struct party_id ours;

    if (party_id_make(s->country_code, s->party_id, &ours) && party_id_equal(&ours, id))
        return true;
    all = partner_all(f);
    for (size_t i = 0; i < all.count; i++) {
        const struct partner *p = all.items[i];
        if (strcmp(p->state, "connected") != 0 && strcmp(p->state, "offline") != 0)
            continue;
        for (size_t k = 0; k < p->party_count; k++)
            if (p->parties[k].role != OCPI_ROLE_CPO && party_id_equal(&p->parties[k].id, id))
                return true;
    }
    return false;
}

/* The owner of the token as it is stored; a stranger's is kept as nobody's, and so shown to
 * nobody. */
static void settle_token(struct flow *f, const struct intake *in,
                         const struct ocpi_cdr_token *token, const char **ret_uid,
                         const char **ret_country, const char **ret_party)
{
    const struct token_owner *o = in->token;
    bool of_2_1_1 = in->version == OCPI_2_1_1, found = o && o->found;
    const char *country = of_2_1_1 ? (found ? o->country_code : NULL) : token->country_code;
    const char *party = of_2_1_1 ? (found ? o->party_id : NULL) : token->party_id;
    struct party_id owner;

    *ret_uid = of_2_1_1 && found && o->uid ? o->uid : token->uid;
    *ret_country = *ret_party = NULL;
    if (!country || !party || !party_id_make(country, party, &owner) || !issues_tokens(f, &owner))
        return;
    *ret_country = country;
    *ret_party = party;
}

void intake_note_stranger(const struct partner *p, const char *object, const char *id)
{
    log_line(LOG_WARN, "operator: charged with a token of nobody we know: kept, told to nobody",
             LOG_TEXT("object", object), LOG_TEXT("id", id), LOG_TEXT("partner", p->name),
             LOG_TEXT("rule", "R-SESS-15"));
}

struct err intake_check_receiver(struct flow *f, const char *object, const char *id,
                                 const char *token_country_code, const char *token_party_id)
{
    const struct caller *c = &request_of(f)->caller;
    const struct settings *s = hub_of(f)->settings;
    char text[PARTY_TEXT];
    struct party_id party;

    if (request_of(f)->version == OCPI_2_1_1 || !party_id_is_set(&c->to) ||
        c->partner->peer.quirks.lenient_routing)
        return OK;
    if (party_id_make(s->country_code, s->party_id, &party) && party_id_equal(&party, &c->to))
        return OK;
    if (token_country_code && token_party_id &&
        party_id_make(token_country_code, token_party_id, &party) && party_id_equal(&party, &c->to))
        return OK;
    party_id_print(&c->to, text);
    metric_add(METRIC_CALLBACKS, strcmp(object, "CDR") == 0 ? "cdr" : "session", "anomaly", NULL,
               1);
    log_line(LOG_WARN, "operator: a charge is sent to a party whose token it was not: refused",
             LOG_TEXT("object", object), LOG_TEXT("id", id), LOG_TEXT("partner", c->partner->name),
             LOG_TEXT("to", text), LOG_TEXT("rule", "R-ROUTE-06"),
             LOG_TEXT("correlation_id", *f->correlation_id ? f->correlation_id : NULL));
    return err_rule(err_at(f->arena, ERR_FORBIDDEN, HEADER_TO_PARTY_ID,
                           "%s is not the owner of the token that was charged with", text),
                    "R-ROUTE-06");
}

/* ---- Locations and Tariffs ---- */

struct err intake_location_of(struct flow *f, const struct intake *in, const json_t *document,
                              struct location_put *ret)
{
    struct translation_facts facts = {0};
    struct ocpi_location l;
    const json_t *seen;
    size_t length;

    TRY(view(f, in, &ocpi_location_type, document, &facts, &seen, &l));
    TRY(check_owner(f, in, l.country_code, l.party_id));
    TRY(intake_check_clock(f, in, l.last_updated));
    const char *text = json_text(f->arena, document, &length);
    TRY(intake_fits(f, "Location", length, LOCATION_BYTES_MAX));
    *ret = (struct location_put){
        .key = {in->partner->id, l.country_code, l.party_id, json_text_of(document, "id")},
        .document = text,
        .ocpi = in->version,
        .view = seen == document ? NULL : json_text(f->arena, seen, &length),
        .last_updated_us = l.last_updated,
        .ignore_older = !in->partner->peer.quirks.unreliable_clock,
    };
    return OK;
}

struct err intake_tariff_of(struct flow *f, const struct intake *in, const json_t *document,
                            struct tariff_put *ret)
{
    const char *country = in->owner.country_code, *party = in->owner.party_id;
    int64_t updated = intake_updated(document);
    size_t length;

    TRY(intake_check(f, in, "Tariff", document));
    if (in->version != OCPI_2_1_1) {
        country = json_text_of(document, "country_code");
        party = json_text_of(document, "party_id");
    }
    TRY(check_owner(f, in, country, party));
    TRY(intake_check_clock(f, in, updated));
    const char *text = json_text(f->arena, document, &length);
    TRY(intake_fits(f, "Tariff", length, OBJECT_BYTES_MAX));
    *ret = (struct tariff_put){
        .key = {in->partner->id, arena_text(f->arena, country), arena_text(f->arena, party),
                json_text_of(document, "id")},
        .document = text,
        .ocpi = in->version,
        .last_updated_us = updated,
        .unreliable_clock = in->partner->peer.quirks.unreliable_clock,
    };
    return OK;
}

/* ---- Sessions and CDRs ---- */

static int64_t price_of(const struct ocpi_price *price)
{
    return price->incl_vat != NUMBER_NONE ? price->incl_vat : price->excl_vat;
}

struct err intake_session_of(struct flow *f, const struct intake *in, const json_t *document,
                             struct network_session_put *ret)
{
    struct translation_facts facts = {0};
    struct ocpi_session s;
    const json_t *seen;
    size_t length;

    TRY(token_facts(f, in, &facts));
    TRY(view(f, in, &ocpi_session_type, document, &facts, &seen, &s));
    TRY(check_owner(f, in, s.country_code, s.party_id));
    TRY(intake_check_clock(f, in, s.last_updated));
    const char *text = json_text(f->arena, document, &length);
    TRY(intake_fits(f, "Session", length, OBJECT_BYTES_MAX));
    *ret = (struct network_session_put){
        .key = {in->partner->id, s.country_code, s.party_id, json_text_of(document, "id")},
        .document = text,
        .ocpi = in->version,
        .last_updated_us = s.last_updated,
        .status = ocpi_session_status_name(s.status),
        .start_us = s.start_date_time,
        .end_us = s.end_date_time,
        .kwh_u6 = s.kwh,
        .has_cost = s.total_cost != NULL,
        .cost_u6 = s.total_cost ? price_of(s.total_cost) : 0,
        .currency = s.currency,
        .authorization_reference = s.authorization_reference,
        .location_id = s.location_id,
        .evse_uid = s.evse_uid,
        .connector_id = s.connector_id,
        .unreliable_clock = in->partner->peer.quirks.unreliable_clock,
    };
    settle_token(f, in, s.cdr_token, &ret->token_uid, &ret->token_country_code,
                 &ret->token_party_id);
    if (!ret->status)
        ret->status = json_text_of(document, "status");
    content_hash(f, document, ret->content_hash);
    return OK;
}

/* NULL, or why nobody is billed for this as it stands; it is stored all the same. */
static const char *implausible(const struct ocpi_cdr *c)
{
    bool times_known =
        c->start_date_time != CDR_TIME_UNKNOWN && c->end_date_time != CDR_TIME_UNKNOWN;

    if (times_known && c->end_date_time < c->start_date_time)
        return "it ends before it begins";
    if (times_known && c->end_date_time > time_now_us() + 5 * 60 * US_PER_SECOND)
        return "it ends in the future";
    if (times_known &&
        c->end_date_time - c->start_date_time > CDR_DAYS_MAX * INT64_C(86400) * US_PER_SECOND)
        return "it lasts longer than 7 days";
    if (c->total_energy < 0)
        return "its energy is negative";
    if (!c->credit && price_of(c->total_cost) < 0)
        return "its total is negative without being a credit";
    if (c->home_charging_compensation) /* R-CDR-16 */
        return "it is what a driver gets for charging at home, no charge";
    return NULL;
}

struct err intake_cdr_of(struct flow *f, const struct intake *in, const json_t *document,
                         const char *body, size_t body_length, struct cdr_put *ret)
{
    struct translation_facts facts = {0};
    struct ocpi_cdr c;
    const json_t *seen;

    TRY(token_facts(f, in, &facts));
    TRY(view(f, in, &ocpi_cdr_type, document, &facts, &seen, &c));
    TRY(check_owner(f, in, c.country_code, c.party_id));
    TRY(intake_check_clock(f, in, c.last_updated));
    if (!body)
        body = json_text(f->arena, document, &body_length);
    TRY(intake_fits(f, "CDR", body_length, OBJECT_BYTES_MAX));
    *ret = (struct cdr_put){
        .partner_id = in->partner->id,
        .country_code = c.country_code,
        .party_id = c.party_id,
        .id = json_text_of(document, "id"),
        .body = body,
        .body_length = body_length,
        .ocpi = in->version,
        .session_id = c.session_id,
        .authorization_reference = c.authorization_reference,
        .evse_uid = c.cdr_location->evse_uid,
        .cdr_location_id = c.cdr_location->id,
        .start_us = c.start_date_time,
        .end_us = c.end_date_time,
        .energy_u6 = c.total_energy,
        .total_cost_u6 = price_of(c.total_cost),
        .total_cost_excl_u6 = c.total_cost->excl_vat,
        .has_incl_vat = c.total_cost->incl_vat != NUMBER_NONE,
        .currency = c.currency,
        .credit = c.credit,
        .credit_reference_id = c.credit_reference_id,
        .last_updated_us = c.last_updated,
    };
    settle_token(f, in, c.cdr_token, &ret->token_uid, &ret->token_country_code,
                 &ret->token_party_id);
    ret->implausible_why = implausible(&c);
    ret->plausible = !ret->implausible_why;
    id_token(ret->location_id_path, sizeof ret->location_id_path - 1);
    content_hash(f, document, ret->content_hash);
    return OK;
}
