/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions and CDRs as JSON, and what they cost.
 *
 * Everything is first cut to four decimals (0.1 Wh, 0.36 s, 0.0001 EUR), and sums are made of what
 * is printed: the periods add up to the totals, the sub-totals to total_cost, exactly.
 */
#include "base/decimal.h"
#include "base/text.h"
#include "base/time.h"
#include "tests/sim/behave.h"
#include "tests/sim/number.h"
#include "tests/sim/print.h"

#define U6 INT64_C(1000000)

struct price {
    int64_t excl_u6, incl_u6;
};

struct bill {
    int64_t energy_u6, hours_u6;
    struct price energy, time, flat, total;
};

static int64_t four_decimals(int64_t value_u6)
{
    return decimal_round_div(value_u6, 100) * 100;
}

static struct price price_of(int64_t amount_u6, int64_t price_u6, int64_t vat_percent)
{
    __int128 excl_u12 = (__int128)amount_u6 * price_u6;
    __int128 incl_u12 = excl_u12 * (100 + vat_percent) / 100;

    return (struct price){.excl_u6 = four_decimals((int64_t)(excl_u12 / U6)),
                          .incl_u6 = four_decimals((int64_t)(incl_u12 / U6))};
}

/* Hours since the start of the session. */
static int64_t hours_u6(const struct session *s, int64_t until_us)
{
    return four_decimals(decimal_round_div((until_us - s->start_us) / 1000, 3600) * 1000);
}

static struct bill session_bill(const struct session *s)
{
    const struct tariff *t = s->connector->tariff;
    int64_t until = s->end_us != TIME_NONE ? s->end_us : s->updated_us;
    struct bill b = {.energy_u6 = four_decimals(s->mwh), .hours_u6 = hours_u6(s, until)};

    b.energy = price_of(b.energy_u6, t->energy_u6, t->vat_percent);
    b.time = price_of(b.hours_u6, t->time_u6, t->vat_percent);
    b.flat = price_of(U6, t->flat_u6, t->vat_percent);
    b.total.excl_u6 = b.energy.excl_u6 + b.time.excl_u6 + b.flat.excl_u6;
    b.total.incl_u6 = b.energy.incl_u6 + b.time.incl_u6 + b.flat.incl_u6;
    return b;
}

static void print_price(struct session *s, struct text *out, const char *key, struct price p)
{
    json_begin_object(out, key);
    print_number(s->sim, s->evse, out, "excl_vat", p.excl_u6);
    print_number(s->sim, s->evse, out, "incl_vat", p.incl_u6);
    json_end_object(out);
}

static void print_token(struct session *s, struct text *out)
{
    json_begin_object(out, "cdr_token");
    json_put_text(out, "country_code", s->token.country_code);
    json_put_text(out, "party_id", s->token.party_id);
    print_id(s->sim, s->evse, out, "uid", s->token.uid);
    json_put_text(out, "type", s->token.type);
    print_id(s->sim, s->evse, out, "contract_id", s->token.contract_id);
    json_end_object(out);
}

static void print_dimension(struct session *s, struct text *out, const char *type, int64_t u6)
{
    json_begin_object(out, 0);
    json_put_text(out, "type", type);
    print_number(s->sim, s->evse, out, "volume", u6);
    json_end_object(out);
}

/* Periods from `first` on that have ended; at the session's end all of them have. */
static void print_periods(struct session *s, struct text *out, size_t first)
{
    size_t ended = s->end_us != TIME_NONE ? s->period_count
                   : s->period_count > 0  ? s->period_count - 1
                                          : 0;

    if (first >= ended)
        return;
    json_begin_array(out, "charging_periods");
    for (size_t i = first; i < ended; i++) {
        const struct session_period *p = &s->periods[i], *next = p + 1;
        bool last = i + 1 == s->period_count;
        int64_t end_mwh = last ? s->mwh : next->begin_mwh;
        int64_t end_us = last ? s->end_us : next->start_us;

        json_begin_object(out, 0);
        print_time(s->sim, s->evse, out, "start_date_time", p->start_us);
        json_begin_array(out, "dimensions");
        print_dimension(s, out, "ENERGY", four_decimals(end_mwh) - four_decimals(p->begin_mwh));
        print_dimension(s, out, "TIME", hours_u6(s, end_us) - hours_u6(s, p->start_us));
        json_end_array(out);
        print_id(s->sim, s->evse, out, "tariff_id", s->connector->tariff->id);
        json_end_object(out);
    }
    json_end_array(out);
}

static const char *location_id(const struct session *s)
{
    return s->sim->world->locations[s->evse->location].id;
}

static const char *status_word(const struct session *s)
{
    return s->state == SESSION_PENDING     ? "PENDING"
           : s->state == SESSION_COMPLETED ? "COMPLETED"
           : s->state == SESSION_INVALID   ? "INVALID"
                                           : "ACTIVE";
}

static void print_reference(struct session *s, struct text *out, enum behaviour unless)
{
    if (s->authorization_reference[0] && !behave_acts(s->sim->behave, unless, s->evse))
        json_put_text(out, "authorization_reference", s->authorization_reference);
}

static void print_owner(struct session *s, struct text *out, const char *id)
{
    print_id(s->sim, s->evse, out, "country_code", s->sim->options->party.country_code);
    print_id(s->sim, s->evse, out, "party_id", s->sim->options->party.party_id);
    print_id(s->sim, s->evse, out, "id", id);
}

void print_session(struct text *out, const char *key, struct session *s)
{
    struct sim *sim = s->sim;

    json_begin_object(out, key);
    print_owner(s, out, s->id);
    print_time(sim, s->evse, out, "start_date_time", s->start_us);
    if (s->end_us != TIME_NONE)
        print_time(sim, s->evse, out, "end_date_time", s->end_us);
    print_number(sim, s->evse, out, "kwh", four_decimals(s->mwh));
    print_token(s, out);
    json_put_text(out, "auth_method", s->auth_method);
    print_reference(s, out, BEHAVE_SESSION_NO_REFERENCE);
    print_id(sim, s->evse, out, "location_id", location_id(s));
    print_id(sim, s->evse, out, "evse_uid", s->evse->uid);
    json_put_text(out, "connector_id", s->connector->id);
    json_put_text(out, "meter_id", s->evse->uid);
    json_put_text(out, "currency", "EUR");
    print_periods(s, out, 0);
    if (s->state != SESSION_PENDING && !behave_acts(sim->behave, BEHAVE_NO_COST, s->evse))
        print_price(s, out, "total_cost", session_bill(s).total);
    json_put_text(out, "status", status_word(s));
    print_extra(sim, s->evse, out);
    print_time(sim, s->evse, out, "last_updated", s->updated_us);
    json_end_object(out);
}

void print_session_patch(struct text *out, struct session *s, struct session_patch what)
{
    struct sim *sim = s->sim;

    json_begin_object(out, 0);
    if (what.start)
        print_time(sim, s->evse, out, "start_date_time", s->start_us);
    if (what.kwh) {
        print_number(sim, s->evse, out, "kwh", four_decimals(s->mwh - what.kwh_less));
        if (!behave_acts(sim->behave, BEHAVE_NO_COST, s->evse))
            print_price(s, out, "total_cost", session_bill(s).total);
    }
    /* A PATCH appends (R-SESS-08): only what was not told before. */
    print_periods(s, out, s->periods_told);
    if (s->period_count > 0)
        s->periods_told = s->period_count - 1;
    if (what.status)
        json_put_text(out, "status", status_word(s));
    print_extra(sim, s->evse, out);
    print_time(sim, s->evse, out, "last_updated", s->updated_us);
    json_end_object(out);
}

static void print_cdr_location(struct session *s, struct text *out)
{
    unsigned number = s->evse->location + 1;
    char name[160];
    const char *id = location_id(s);

    if (behave_acts(s->sim->behave, BEHAVE_CDR_UNKNOWN_LOCATION, s->evse))
        id = "LOC-NOBODY-KNOWS";
    snprintf(name, sizeof(name), "%s %u", s->sim->options->name, number);
    json_begin_object(out, "cdr_location");
    print_id(s->sim, s->evse, out, "id", id);
    json_put_text(out, "name", name);
    print_address(s->sim, s->evse, out, number);
    print_coordinates(out, number);
    print_id(s->sim, s->evse, out, "evse_uid", s->evse->uid);
    print_id(s->sim, s->evse, out, "evse_id", s->evse->evse_id);
    json_put_text(out, "connector_id", s->connector->id);
    json_put_text(out, "connector_standard", s->connector->standard);
    json_put_text(out, "connector_format", s->connector->format);
    json_put_text(out, "connector_power_type", s->connector->power_type);
    json_end_object(out);
}

void print_cdr(struct text *out, const char *key, struct session *s, int64_t cost_more_u6)
{
    struct sim *sim = s->sim;
    struct bill b = session_bill(s);

    b.total.excl_u6 += cost_more_u6;
    b.total.incl_u6 += cost_more_u6;
    json_begin_object(out, key);
    print_owner(s, out, s->cdr_id);
    print_time(sim, s->evse, out, "start_date_time", s->start_us);
    print_time(sim, s->evse, out, "end_date_time", s->end_us);
    if (!s->silent && !behave_acts(sim->behave, BEHAVE_CDR_NO_SESSION_ID, s->evse))
        print_id(sim, s->evse, out, "session_id", s->id);
    print_token(s, out);
    json_put_text(out, "auth_method", s->auth_method);
    print_reference(s, out, BEHAVE_CDR_NO_REFERENCE);
    print_cdr_location(s, out);
    json_put_text(out, "meter_id", s->evse->uid);
    json_put_text(out, "currency", "EUR");
    json_begin_array(out, "tariffs");
    print_tariff(sim, out, 0, s->connector->tariff);
    json_end_array(out);
    print_periods(s, out, 0);
    print_price(s, out, "total_cost", b.total);
    if (s->connector->tariff->flat_u6 != 0)
        print_price(s, out, "total_fixed_cost", b.flat);
    print_number(sim, s->evse, out, "total_energy", b.energy_u6);
    print_price(s, out, "total_energy_cost", b.energy);
    print_number(sim, s->evse, out, "total_time", b.hours_u6);
    if (s->connector->tariff->time_u6 != 0)
        print_price(s, out, "total_time_cost", b.time);
    print_extra(sim, s->evse, out);
    print_time(sim, s->evse, out, "last_updated", s->cdr_us);
    json_end_object(out);
}
