/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VAT for those who run the hub: the rates by country and day, and where the hub is registered.
 *
 *   PUT /v1/admin/vat/{country}   {rate?, valid_from?, valid_until?, buyer?, vat_id?, currency?}
 *   GET /v1/admin/vat?country
 *
 * Countries by two or three letters; stored by three, as OCPI's locations have them.
 */
#include <string.h>

#include "base/decimal.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "db/retail.h"
#include "hub/finance/zones.h"
#include "hub/ops/ops.h"
#include "hub/request.h"
#include "ocpi/field.h"
#include "ocpi/object.h"
#include "ocpi/translate/turn.h"

struct vat {
    const char *country; /* NULL: all */
    struct vat_rate rate;
    const char *vat_id, *currency;
    bool past;
    const char *document;
};

static const char *country_of(struct flow *f, const char *text)
{
    char *country = arena_text(f->arena, text);

    text_to_upper(country);
    if (strlen(country) == 2)
        return country_alpha3(country);
    return field_country(country) ? NULL : country;
}

static bool is_day(const char *text)
{
    int64_t us;
    char time[32];

    return text && strlen(text) == 10 && snprintf(time, sizeof time, "%sT00:00:00Z", text) == 20 &&
           time_parse(time, TIME_RFC3339, &us);
}

/* In the country, where all its clocks show the same, else by UTC. */
static const char *today(struct flow *f, const char *country)
{
    char day[TIME_TEXT];

    return arena_text(f->arena, zones_day(country ? zones_find(country_time_zone(country)) : NULL,
                                          time_now_us(), day));
}

/* A number, or one as text: the command line has texts only. */
static const char *rate_of(struct flow *f, const json_t *v)
{
    char text[DECIMAL_TEXT];
    int64_t u6;

    if (!json_number_u6(v, true, &u6) || u6 < 0 || u6 > INT64_C(100000000) || u6 % 100)
        return NULL;
    return arena_text(f->arena, decimal_print_u6(text, u6, 0, 4));
}

static void read_rate(struct flow *f, struct vat *v, const json_t *body, struct field_errors *e)
{
    const json_t *rate = json_object_get(body, "rate");
    const char *from = json_text_of(body, "valid_from");
    const char *until = json_text_of(body, "valid_until");
    const char *buyer = json_text_of(body, "buyer");

    v->rate = (struct vat_rate){
        .country = v->country,
        .buyer = buyer ? buyer : "consumer",
        .valid_from = from ? from : today(f, v->country),
        .valid_until = until,
    };
    if (rate && !json_is_null(rate) && !(v->rate.rate = rate_of(f, rate)))
        field_errors_add(e, "rate", "rate_invalid",
                         "must be a percentage of 0 to 100 with at most 4 decimals, such as 19");
    if (!is_day(v->rate.valid_from))
        field_errors_add(e, "valid_from", "valid_from_invalid", "must be a day such as 2026-01-01");
    if (until && (!is_day(until) || strcmp(until, v->rate.valid_from) <= 0))
        field_errors_add(e, "valid_until", "valid_until_invalid",
                         "must be a day after valid_from; the rate ends before it");
    if (strcmp(v->rate.buyer, "consumer") != 0 && strcmp(v->rate.buyer, "business") != 0)
        field_errors_add(e, "buyer", "buyer_invalid", "must be consumer or business");
}

static enum flow_next check(struct flow *f)
{
    struct vat *v = f->state;
    const json_t *body = request_of(f)->json;
    struct field_errors errors;

    field_errors_init(&errors, f->arena);
    v->country = country_of(f, request_of(f)->params[0]);
    if (!v->country)
        field_errors_add(&errors, "country", "country_invalid",
                         "must be a country's code of two or three letters");
    read_rate(f, v, body, &errors);
    v->vat_id = json_text_of(body, "vat_id");
    v->currency = json_text_of(body, "currency");
    if (v->vat_id && (!*v->vat_id || strlen(v->vat_id) > 40 || !text_is_printable_ascii(v->vat_id)))
        field_errors_add(&errors, "vat_id", "vat_id_invalid",
                         "must be the hub's VAT number there, 40 characters at most");
    if (v->currency && !currency_known(v->currency))
        field_errors_add(&errors, "currency", "currency_invalid", "must be a code of ISO 4217");
    if (v->currency && !v->vat_id)
        field_errors_add(&errors, "vat_id", "vat_id_required", "goes with the currency");
    if (!v->rate.rate && !v->vat_id && !errors.count)
        field_errors_add(&errors, "rate", "rate_required", "give a rate, or a vat_id, or both");
    if (errors.count)
        return reply_field_errors(f, &errors);
    return FLOW_NEXT;
}

static enum flow_next set_rate(struct flow *f)
{
    struct vat *v = f->state;

    if (!v->rate.rate)
        return FLOW_NEXT;
    return vat_rate_set(f, &v->rate, request_of(f)->caller.name, &v->past);
}

static enum flow_next set_profile(struct flow *f)
{
    struct vat *v = f->state;
    struct field_errors errors;

    if (v->past) {
        field_errors_init(&errors, f->arena);
        field_errors_add(&errors, "valid_from", "valid_from_invalid",
                         "another rate has been in use for days of this time, and there may be "
                         "receipts by it: begin later");
        return reply_field_errors(f, &errors);
    }
    if (!v->vat_id)
        return FLOW_NEXT;
    return tax_profile_set(f, v->country, v->vat_id, v->currency, request_of(f)->caller.name);
}

static enum flow_next look(struct flow *f)
{
    struct vat *v = f->state;

    return vat_list(f, v->country, &v->document);
}

static enum flow_next confirm(struct flow *f)
{
    const struct vat *v = f->state;

    log_line(LOG_INFO, "VAT set", LOG_TEXT("country", v->country),
             LOG_TEXT("rate", v->rate.rate ? v->rate.rate : ""),
             LOG_TEXT("by", request_of(f)->caller.name));
    return reply_json_text(f, 200, v->document);
}

static const struct flow_step set_steps[] = {
    {"check", check},
    {"set the rate", set_rate},
    {"set the profile", set_profile},
    {"look at the country", look},
    {"confirm", confirm},
    {0},
};
const struct flow_type set_vat_flow = {
    .name = "set_vat",
    .state_size = sizeof(struct vat),
    .deadline_ms = SECONDS(10),
    .steps = set_steps,
};

static enum flow_next look_for(struct flow *f)
{
    struct vat *v = f->state;
    const char *country = request_query(f, "country");
    struct field_errors errors;

    if (country && *country && !(v->country = country_of(f, country))) {
        field_errors_init(&errors, f->arena);
        field_errors_add(&errors, "country", "country_invalid",
                         "must be a country's code of two or three letters");
        return reply_field_errors(f, &errors);
    }
    return vat_list(f, v->country, &v->document);
}

static enum flow_next list(struct flow *f)
{
    const struct vat *v = f->state;

    return reply_json_text(f, 200, v->document);
}

static const struct flow_step list_steps[] = {{"look", look_for}, {"list", list}, {0}};
const struct flow_type list_vat_flow = {
    .name = "list_vat",
    .state_size = sizeof(struct vat),
    .deadline_ms = SECONDS(10),
    .steps = list_steps,
};
