/* SPDX-License-Identifier: Apache-2.0 */
/* Checking a partner's documents and taking out of them what we query. */
#include "hub/partner/intake.h"

#include <string.h>

#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/cdr.h"
#include "ocpi/location.h"
#include "ocpi/object.h"
#include "ocpi/session.h"
#include "ocpi/tariff.h"

enum { AHEAD_MAX_S = 24 * 3600, CDR_DAYS_MAX = 7 };

/* A clock that is a day ahead orders nothing. */
static struct err check_clock(struct flow *f, int64_t last_updated_us)
{
    if (last_updated_us > time_now_us() + AHEAD_MAX_S * US_PER_SECOND)
        return err_at(f->arena, ERR_BAD_FIELD, "/last_updated",
                      "/last_updated: is more than 24 hours ahead of now");
    return OK;
}

/* An object belongs to a party of the partner who sent it, in the role that owns all of these
 * modules (R-TRANS-18). */
static struct err check_owner(struct flow *f, const struct partner *p, const char *country_code,
                              const char *party_id)
{
    struct party_id id;

    if (party_id_make(country_code, party_id, &id))
        for (size_t i = 0; i < p->party_count; i++)
            if (p->parties[i].role == OCPI_ROLE_CPO && party_id_equal(&p->parties[i].id, &id))
                return OK;
    return err_at(f->arena, ERR_BAD_FIELD, "/party_id",
                  "/party_id: %s-%s is not a party of this connection", country_code, party_id);
}

static void content_hash(struct flow *f, const json_t *document, char ret[SHA256_HEX])
{
    const char *canonical = json_canonical(f->arena, document);

    id_sha256_hex(canonical, strlen(canonical), ret);
}

struct err intake_location(struct flow *f, const struct partner *p, const json_t *document,
                           struct location_put *ret)
{
    struct ocpi_location l;
    size_t length;

    TRY(object_parse_lenient(&ocpi_location_type, document, &p->peer.leniency, f->arena, &l));
    TRY(check_owner(f, p, l.country_code, l.party_id));
    TRY(check_clock(f, l.last_updated));
    *ret = (struct location_put){
        .key = {p->id, l.country_code, l.party_id, l.id},
        .document = json_text(f->arena, document, &length),
        .last_updated_us = l.last_updated,
        .ignore_older = true,
    };
    return OK;
}

struct err intake_tariff(struct flow *f, const struct partner *p, const json_t *document,
                         struct tariff_put *ret)
{
    struct ocpi_tariff t;
    size_t length;

    TRY(object_parse_lenient(&ocpi_tariff_type, document, &p->peer.leniency, f->arena, &t));
    TRY(check_owner(f, p, t.country_code, t.party_id));
    TRY(check_clock(f, t.last_updated));
    *ret = (struct tariff_put){
        .key = {p->id, t.country_code, t.party_id, t.id},
        .document = json_text(f->arena, document, &length),
        .last_updated_us = t.last_updated,
    };
    return OK;
}

static int64_t price_of(const struct ocpi_price *price)
{
    return price->incl_vat != NUMBER_NONE ? price->incl_vat : price->excl_vat;
}

struct err intake_session(struct flow *f, const struct partner *p, const json_t *document,
                          struct network_session_put *ret)
{
    struct ocpi_session s;
    size_t length;

    TRY(object_parse_lenient(&ocpi_session_type, document, &p->peer.leniency, f->arena, &s));
    TRY(check_owner(f, p, s.country_code, s.party_id));
    TRY(check_clock(f, s.last_updated));
    *ret = (struct network_session_put){
        .key = {p->id, s.country_code, s.party_id, s.id},
        .document = json_text(f->arena, document, &length),
        .last_updated_us = s.last_updated,
        .status = ocpi_session_status_name(s.status),
        .start_us = s.start_date_time,
        .end_us = s.end_date_time,
        .kwh_u6 = s.kwh,
        .has_cost = s.total_cost != NULL,
        .cost_u6 = s.total_cost ? price_of(s.total_cost) : 0,
        .currency = s.currency,
        .token_uid = s.cdr_token->uid,
        .authorization_reference = s.authorization_reference,
        .location_id = s.location_id,
        .evse_uid = s.evse_uid,
        .connector_id = s.connector_id,
    };
    if (!ret->status)
        ret->status = json_text_of(document, "status");
    content_hash(f, document, ret->content_hash);
    return OK;
}

/* As far as the object alone tells. */
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
    return NULL;
}

struct err intake_cdr(struct flow *f, const struct partner *p, const json_t *document,
                      const char *body, size_t body_length, struct cdr_put *ret)
{
    struct ocpi_cdr c;

    TRY(object_parse_lenient(&ocpi_cdr_type, document, &p->peer.leniency, f->arena, &c));
    TRY(check_owner(f, p, c.country_code, c.party_id));
    TRY(check_clock(f, c.last_updated));
    if (!body)
        body = json_text(f->arena, document, &body_length);
    *ret = (struct cdr_put){
        .partner_id = p->id,
        .country_code = c.country_code,
        .party_id = c.party_id,
        .id = c.id,
        .body = body,
        .body_length = body_length,
        .session_id = c.session_id,
        .token_uid = c.cdr_token->uid,
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
    ret->implausible_why = implausible(&c);
    ret->plausible = !ret->implausible_why;
    id_token(ret->location_id_path, sizeof ret->location_id_path - 1);
    content_hash(f, document, ret->content_hash);
    return OK;
}

struct err intake_same(struct flow *f, const char *where, const char *in_url, const char *in_body)
{
    if (!text_equal_caseless(in_url, in_body))
        return err_at(f->arena, ERR_BAD_FIELD, where, "%s: \"%s\" is not the one in the URL", where,
                      in_body);
    return OK;
}
