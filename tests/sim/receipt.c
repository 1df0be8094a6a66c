/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bill, and Sessions and CDRs of 2.2.1 and 2.3.0.
 */
#include "tests/sim/receipt.h"

#include "base/decimal.h"
#include "base/text.h"
#include "base/time.h"
#include "tests/sim/body_211.h"
#include "tests/sim/body_230.h"

#define U6 INT64_C(1000000)

static int64_t four_decimals(int64_t value_u6)
{
    return decimal_round_div(value_u6, 100) * 100;
}

static struct price price_of(int64_t amount_u6, int64_t price_u6, int64_t vat_percent)
{
    __int128 excl_u12 = (__int128)amount_u6 * price_u6;
    __int128 incl_u12 = excl_u12 * (100 + vat_percent) / 100;

    return (struct price){.excl_u6 = four_decimals((int64_t)(excl_u12 / U6)),
                          .incl_u6 = four_decimals((int64_t)(incl_u12 / U6)),
                          .vat_percent = vat_percent};
}

/* Hours since the start of the session. */
static int64_t hours_u6(const struct session *s, int64_t until_us)
{
    return four_decimals(decimal_round_div(until_us - s->start_us, 3600));
}

struct bill session_bill(const struct session *s)
{
    const struct tariff *t = s->connector->tariff;
    int64_t until = s->end_us != TIME_NONE ? s->end_us : s->updated_us;
    struct bill b = {.energy_u6 = four_decimals(s->mwh), .hours_u6 = hours_u6(s, until)};

    b.energy = price_of(b.energy_u6, t->energy_u6, t->vat_percent);
    b.time = price_of(b.hours_u6, t->time_u6, t->vat_percent);
    b.flat = price_of(U6, t->flat_u6, t->vat_percent);
    b.total.excl_u6 = b.energy.excl_u6 + b.time.excl_u6 + b.flat.excl_u6;
    b.total.incl_u6 = b.energy.incl_u6 + b.time.incl_u6 + b.flat.incl_u6;
    b.total.vat_percent = t->vat_percent;
    return b;
}

int64_t session_kwh_u6(const struct session *s, int64_t less_mwh)
{
    return four_decimals(s->mwh - less_mwh);
}

const char *session_status_word(const struct session *s)
{
    return s->state == SESSION_PENDING     ? "PENDING"
           : s->state == SESSION_RESERVED  ? "RESERVATION"
           : s->state == SESSION_COMPLETED ? "COMPLETED"
           : s->state == SESSION_INVALID   ? "INVALID"
                                           : "ACTIVE";
}

static void print_dimension(const struct pen *pen, const char *type, int64_t u6)
{
    json_begin_object(pen->out, 0);
    json_put_text(pen->out, "type", type);
    pen_number(pen, "volume", u6);
    json_end_object(pen->out);
}

void print_periods(struct pen pen, struct session *s, size_t first)
{
    size_t ended = s->end_us != TIME_NONE ? s->period_count
                   : s->period_count > 0  ? s->period_count - 1
                                          : 0;

    if (first >= ended)
        return;
    json_begin_array(pen.out, "charging_periods");
    for (size_t i = first; i < ended; i++) {
        const struct session_period *p = &s->periods[i], *next = p + 1;
        bool last = i + 1 == s->period_count;
        int64_t end_mwh = last ? s->mwh : next->begin_mwh;
        int64_t end_us = last ? s->end_us : next->start_us;

        json_begin_object(pen.out, 0);
        pen_time(&pen, "start_date_time", p->start_us);
        json_begin_array(pen.out, "dimensions");
        print_dimension(&pen, "ENERGY", four_decimals(end_mwh) - four_decimals(p->begin_mwh));
        print_dimension(&pen, "TIME", hours_u6(s, end_us) - hours_u6(s, p->start_us));
        json_end_array(pen.out);
        if (pen.version != OCPI_2_1_1)
            pen_id(&pen, "tariff_id", s->connector->tariff->id);
        json_end_object(pen.out);
    }
    json_end_array(pen.out);
}

static void print_price(const struct pen *pen, const char *key, struct price p)
{
    if (pen->version == OCPI_2_3_0) {
        print_230_price(*pen, key, p);
        return;
    }
    json_begin_object(pen->out, key);
    pen_number(pen, "excl_vat", p.excl_u6);
    pen_number(pen, "incl_vat", p.incl_u6);
    json_end_object(pen->out);
}

static void print_token(const struct pen *pen, const struct session *s)
{
    json_begin_object(pen->out, "cdr_token");
    json_put_text(pen->out, "country_code", s->token.country_code);
    json_put_text(pen->out, "party_id", s->token.party_id);
    pen_id(pen, "uid", s->token.uid);
    json_put_text(pen->out, "type", s->token.type);
    pen_id(pen, "contract_id", s->token.contract_id);
    json_end_object(pen->out);
}

static const char *location_id(const struct session *s)
{
    return s->sim->world->locations[s->evse->location].id;
}

static void print_reference(const struct pen *pen, struct session *s, enum behaviour unless)
{
    if (s->authorization_reference[0] && !behave_acts(s->sim->behave, unless, s->evse))
        json_put_text(pen->out, "authorization_reference", s->authorization_reference);
}

void print_session(struct pen pen, const char *key, struct session *s)
{
    struct text *out = pen.out;

    pen.evse = s->evse;
    if (pen.version == OCPI_2_1_1) {
        print_211_session(pen, key, s);
        return;
    }
    json_begin_object(out, key);
    pen_owner(&pen);
    pen_id(&pen, "id", s->id);
    pen_time(&pen, "start_date_time", s->start_us);
    if (s->end_us != TIME_NONE)
        pen_time(&pen, "end_date_time", s->end_us);
    pen_number(&pen, "kwh", session_kwh_u6(s, 0));
    print_token(&pen, s);
    json_put_text(out, "auth_method", s->auth_method);
    print_reference(&pen, s, BEHAVE_SESSION_NO_REFERENCE);
    pen_id(&pen, "location_id", location_id(s));
    pen_id(&pen, "evse_uid", s->evse->uid);
    json_put_text(out, "connector_id", s->connector->id);
    json_put_text(out, "meter_id", s->evse->uid);
    json_put_text(out, "currency", "EUR");
    print_periods(pen, s, 0);
    if (s->state != SESSION_PENDING && s->state != SESSION_RESERVED &&
        !behave_acts(s->sim->behave, BEHAVE_NO_COST, s->evse))
        print_price(&pen, "total_cost", session_bill(s).total);
    json_put_text(out, "status", session_status_word(s));
    pen_extra(&pen);
    pen_time(&pen, "last_updated", s->updated_us);
    json_end_object(out);
}

void print_session_patch(struct pen pen, struct session *s, struct session_patch what)
{
    struct text *out = pen.out;

    pen.evse = s->evse;
    if (pen.version == OCPI_2_1_1) {
        print_211_session_patch(pen, s, what);
        return;
    }
    json_begin_object(out, 0);
    if (what.start)
        pen_time(&pen, "start_date_time", s->start_us);
    if (what.kwh) {
        pen_number(&pen, "kwh", session_kwh_u6(s, what.kwh_less));
        if (!behave_acts(s->sim->behave, BEHAVE_NO_COST, s->evse))
            print_price(&pen, "total_cost", session_bill(s).total);
    }
    /* A PATCH appends (R-SESS-08): only what was not told before. */
    print_periods(pen, s, s->periods_told);
    if (s->period_count > 0)
        s->periods_told = s->period_count - 1;
    if (what.status)
        json_put_text(out, "status", session_status_word(s));
    pen_extra(&pen);
    pen_patch_time(&pen, s->updated_us);
    json_end_object(out);
}

static void print_cdr_location(const struct pen *pen, struct session *s)
{
    const struct world *w = s->sim->world;
    unsigned number = s->evse->location + 1;
    struct text *out = pen->out;
    char name[160];
    const char *id = location_id(s);

    if (behave_acts(s->sim->behave, BEHAVE_CDR_UNKNOWN_LOCATION, s->evse))
        id = "LOC-NOBODY-KNOWS";
    json_begin_object(out, "cdr_location");
    pen_id(pen, "id", id);
    json_put_text(out, "name",
                  location_name(name, sizeof(name), s->sim->options->name,
                                &w->locations[s->evse->location], w));
    pen_address(pen, number);
    pen_coordinates(pen, number);
    pen_id(pen, "evse_uid", s->evse->uid);
    pen_id(pen, "evse_id", s->evse->evse_id);
    json_put_text(out, "connector_id", s->connector->id);
    json_put_text(out, "connector_standard", s->connector->standard);
    json_put_text(out, "connector_format", s->connector->format);
    json_put_text(out, "connector_power_type", s->connector->power_type);
    json_end_object(out);
}

/* All data of the original, and only the total negated (R-CDR-06). */
static struct price total_of(struct price total, struct cdr_variant variant)
{
    total.excl_u6 += variant.cost_more_u6;
    total.incl_u6 += variant.cost_more_u6;
    if (variant.credit_of) {
        total.excl_u6 = -total.excl_u6;
        total.incl_u6 = -total.incl_u6;
    }
    return total;
}

struct cdr_variant later_cdr_variant(const struct later_cdr *l)
{
    return (struct cdr_variant){.id = l->id,
                                .credit_of = l->credit ? l->session->cdr_id : 0,
                                .cost_more_u6 = l->cost_more_u6,
                                .updated_us = l->updated_us};
}

void print_cdr(struct pen pen, const char *key, struct session *s, struct cdr_variant variant)
{
    struct text *out = pen.out;
    struct bill b = session_bill(s);

    pen.evse = s->evse;
    if (pen.version == OCPI_2_1_1) {
        print_211_cdr(pen, key, s, variant);
        return;
    }
    json_begin_object(out, key);
    pen_owner(&pen);
    pen_id(&pen, "id", variant.id ? variant.id : s->cdr_id);
    pen_time(&pen, "start_date_time", s->start_us);
    pen_time(&pen, "end_date_time", s->end_us);
    if (!s->silent && !behave_acts(s->sim->behave, BEHAVE_CDR_NO_SESSION_ID, s->evse))
        pen_id(&pen, "session_id", s->id);
    print_token(&pen, s);
    json_put_text(out, "auth_method", s->auth_method);
    print_reference(&pen, s, BEHAVE_CDR_NO_REFERENCE);
    print_cdr_location(&pen, s);
    json_put_text(out, "meter_id", s->evse->uid);
    json_put_text(out, "currency", "EUR");
    json_begin_array(out, "tariffs");
    print_tariff(pen, 0, s->connector->tariff);
    json_end_array(out);
    print_periods(pen, s, 0);
    print_price(&pen, "total_cost", total_of(b.total, variant));
    if (s->connector->tariff->flat_u6 != 0)
        print_price(&pen, "total_fixed_cost", b.flat);
    pen_number(&pen, "total_energy", b.energy_u6);
    print_price(&pen, "total_energy_cost", b.energy);
    pen_number(&pen, "total_time", b.hours_u6);
    if (s->connector->tariff->time_u6 != 0)
        print_price(&pen, "total_time_cost", b.time);
    if (variant.credit_of) {
        json_put_bool(out, "credit", true);
        pen_id(&pen, "credit_reference_id", variant.credit_of);
    }
    pen_extra(&pen);
    pen_time(&pen, "last_updated", variant.updated_us ? variant.updated_us : s->cdr_us);
    json_end_object(out);
}
