/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manual CDRs: the record of a session whose network sends none (contract 10).
 *
 *   POST /v1/finance/sessions/{id}/manual-cdr
 *        {energy_kwh, start_time, end_time, cost, cost_incl_vat?, currency?, reason}
 *   POST /v1/finance/manual-cdrs/{id}/confirm     by somebody else; bills it, or credits
 *   POST /v1/finance/manual-cdrs/{id}/decline     a wrong draft goes
 *
 * cost is what the network is owed, without VAT. What the user pays follows from it as from any
 * CDR: from the quote, or, where the network's price is passed through, from cost_incl_vat.
 */
#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/manual_cdr.h"
#include "hub/finance/cdr_answer.h"
#include "hub/finance/deed.h"
#include "hub/finance/finance_api.h"
#include "hub/finance/intake.h"
#include "hub/finance/list_ask.h"
#include "hub/hub.h"

enum {
    REASON_MAX = 500,
    DOCUMENT_MAX = 16 * 1024,
    LONGEST_DAYS = 7,
    COST_PLACES = 4,
    PATH_LENGTH = 32,
};
static const int64_t ENERGY_MAX_U6 = INT64_C(10000) * 1000000, COST_MAX_U6 = INT64_C(100000000000);

struct drafting {
    struct deed deed;
    char session_id[UUID_TEXT];
    struct cdr_draft draft;
    bool has_incl;
    const char *currency;
    struct manual_cdr_facts facts;
    int64_t cdr;
    enum { BEGIN, FACTS, DRAFTED } phase;
};

/* ---- what is asked ---- */

static void read_amount(struct flow *f, struct field_errors *errors, const char *name, int places,
                        int64_t most, int64_t *ret)
{
    const json_t *value = json_object_get(request_of(f)->json, name);

    *ret = 0;
    if (!value || !json_is_number(value) || !json_number_u6(value, false, ret) || *ret < 0 ||
        *ret > most || json_number_places(value) > places)
        field_errors_add(
            errors, name, arena_printf(f->arena, "%s_invalid", name),
            arena_printf(f->arena, "must be a number from 0 on with %d decimals", places));
}

static void read_time(struct flow *f, struct field_errors *errors, const char *name, int64_t *ret)
{
    const char *text = json_text_of(request_of(f)->json, name);

    *ret = TIME_NONE;
    if (!text || !time_parse(text, TIME_RFC3339, ret))
        field_errors_add(errors, name, arena_printf(f->arena, "%s_invalid", name),
                         "must be a time like 2026-01-31T12:00:00Z");
}

static void read_times(struct flow *f, struct field_errors *errors, struct cdr_draft *d)
{
    size_t before = errors->count;

    read_time(f, errors, "start_time", &d->start_us);
    read_time(f, errors, "end_time", &d->end_us);
    if (errors->count > before)
        return;
    if (d->end_us < d->start_us)
        field_errors_add(errors, "end_time", "end_time_invalid", "must not be before start_time");
    else if (d->end_us > time_now_us())
        field_errors_add(errors, "end_time", "end_time_invalid", "must not be in the future");
    else if (d->end_us - d->start_us > INT64_C(86400) * LONGEST_DAYS * US_PER_SECOND)
        field_errors_add(errors, "end_time", "end_time_invalid",
                         "no session lasts longer than 7 days");
}

static enum flow_next read_ask(struct flow *f)
{
    struct drafting *s = f->state;
    const json_t *json = request_of(f)->json;
    struct cdr_draft *d = &s->draft;
    struct field_errors errors;

    FLOW_TRY(f, deed_read(f, &s->deed, true));
    if (!id_uuid_parse(request_of(f)->params[0], s->session_id))
        return flow_fail(f, err_new(ERR_BAD_SESSION_ID));
    field_errors_init(&errors, f->arena);
    read_amount(f, &errors, "energy_kwh", 6, ENERGY_MAX_U6, &d->energy_u6);
    read_times(f, &errors, d);
    read_amount(f, &errors, "cost", COST_PLACES, COST_MAX_U6, &d->total_cost_excl_u6);
    d->total_cost_u6 = d->total_cost_excl_u6;
    s->has_incl = json_object_get(json, "cost_incl_vat") != NULL;
    if (s->has_incl) {
        read_amount(f, &errors, "cost_incl_vat", COST_PLACES, COST_MAX_U6, &d->total_cost_u6);
        if (d->total_cost_u6 < d->total_cost_excl_u6)
            field_errors_add(&errors, "cost_incl_vat", "cost_incl_vat_invalid",
                             "must not be less than cost");
    }
    s->currency = json_text_of(json, "currency");
    if (json_object_get(json, "currency") && (!s->currency || !currency_known(s->currency)))
        field_errors_add(&errors, "currency", "currency_invalid", "must be a code of ISO 4217");
    d->reason = json_text_of(json, "reason");
    if (!deed_text_is_good(d->reason, REASON_MAX))
        field_errors_add(&errors, "reason", "reason_invalid",
                         "must be text of 1 to 500 characters without control characters");
    return errors.count ? reply_field_errors(f, &errors) : FLOW_NEXT;
}

/* ---- the document ---- */

static void put_number(struct text *t, const char *key, int64_t value_u6)
{
    char number[DECIMAL_TEXT];

    json_put_raw(t, key, decimal_print_u6(number, value_u6, 0, 6));
}

static void put_time(struct text *t, const char *key, int64_t us)
{
    char time[TIME_TEXT];

    json_put_text(t, key, time_print_millis(time, us));
}

static void put_dimension(struct text *t, const char *type, int64_t volume_u6)
{
    json_begin_object(t, NULL);
    json_put_text(t, "type", type);
    put_number(t, "volume", volume_u6);
    json_end_object(t);
}

static void put_token(struct text *t, const struct settings *ours, const char *uid)
{
    json_begin_object(t, "cdr_token");
    json_put_text(t, "country_code", ours->country_code);
    json_put_text(t, "party_id", ours->party_id);
    json_put_text(t, "uid", uid);
    json_put_text(t, "type", "APP_USER");
    json_put_text(t, "contract_id", "#NA");
    json_end_object(t);
}

/* A CDR of 2.2.1, such as the network would have sent: one period, no tariff of its own. */
static const char *document(struct flow *f, const struct drafting *s)
{
    const struct cdr_draft *d = &s->draft;
    int64_t hours_u6 = decimal_round_div(d->end_us - d->start_us, 3600);
    struct text t;

    text_init(&t, f->arena, DOCUMENT_MAX);
    json_begin_object(&t, NULL);
    json_put_text(&t, "country_code", s->facts.country_code);
    json_put_text(&t, "party_id", s->facts.party_id);
    json_put_text(&t, "id", d->id);
    put_time(&t, "start_date_time", d->start_us);
    put_time(&t, "end_date_time", d->end_us);
    if (s->facts.network_session_id)
        json_put_text(&t, "session_id", s->facts.network_session_id);
    put_token(&t, hub_of(f)->settings, s->facts.token_uid);
    json_put_text(&t, "auth_method", "COMMAND");
    json_put_text(&t, "authorization_reference", s->session_id);
    json_put_raw(&t, "cdr_location", s->facts.place);
    json_put_text(&t, "currency", d->currency);
    json_begin_array(&t, "charging_periods");
    json_begin_object(&t, NULL);
    put_time(&t, "start_date_time", d->start_us);
    json_begin_array(&t, "dimensions");
    put_dimension(&t, "ENERGY", d->energy_u6);
    put_dimension(&t, "TIME", hours_u6);
    json_end_array(&t);
    json_end_object(&t);
    json_end_array(&t);
    json_begin_object(&t, "total_cost");
    put_number(&t, "excl_vat", d->total_cost_excl_u6);
    if (s->has_incl)
        put_number(&t, "incl_vat", d->total_cost_u6);
    json_end_object(&t);
    put_number(&t, "total_energy", d->energy_u6);
    put_number(&t, "total_time", hours_u6);
    json_put_text(&t, "remark", "Recorded by hand");
    put_time(&t, "last_updated", time_now_us());
    json_end_object(&t);
    return text_overflowed(&t) ? NULL : t.bytes;
}

/* ---- drafting ---- */

static enum flow_next begin(struct flow *f)
{
    struct drafting *s = f->state;

    return deed_begin(f, &s->deed);
}

static enum flow_next write_draft(struct flow *f, struct drafting *s)
{
    struct cdr_draft *d = &s->draft;
    char id[UUID_TEXT];

    if (!s->facts.found)
        return flow_fail(f, err_new(ERR_SESSION_NOT_FOUND));
    if (s->facts.going_on)
        return flow_fail(f, err_new(ERR_SESSION_NOT_ENDED));
    id_uuid_v4(id);
    d->session_id = s->session_id;
    d->id = arena_printf(f->arena, "M-%s", id);
    d->currency = s->currency ? s->currency : s->facts.currency;
    d->by = request_of(f)->caller.name;
    d->body = document(f, s);
    if (!d->body)
        return flow_fail(f, err_at(f->arena, ERR_INTERNAL, NULL, "the place is too long"));
    id_sha256_hex(d->body, strlen(d->body), d->content_hash);
    id_token(d->path, PATH_LENGTH);
    s->phase = DRAFTED;
    cdr_draft(f, d, &s->cdr);
    return FLOW_AGAIN;
}

static enum flow_next answer_draft(struct flow *f, struct drafting *s)
{
    const struct cdr_draft *d = &s->draft;
    struct text t;

    if (!s->cdr)
        return flow_fail(f, err_new(ERR_CDR_EXISTS));
    text_init(&t, f->arena, DOCUMENT_MAX);
    json_begin_object(&t, NULL);
    json_put_int(&t, "id", s->cdr);
    json_put_text(&t, "cdr_id", d->id);
    json_put_text(&t, "session_id", s->session_id);
    json_put_text(&t, "filed", "draft");
    put_number(&t, "energy_kwh", d->energy_u6);
    put_time(&t, "start_time", d->start_us);
    put_time(&t, "end_time", d->end_us);
    put_number(&t, "cost", d->total_cost_excl_u6);
    if (s->has_incl)
        put_number(&t, "cost_incl_vat", d->total_cost_u6);
    else
        json_put_null(&t, "cost_incl_vat");
    json_put_text(&t, "currency", d->currency);
    json_put_text(&t, "reason", d->reason);
    json_put_text(&t, "drafted_by", d->by);
    json_end_object(&t);
    return deed_done(&s->deed, 201, &t);
}

static enum flow_next draft(struct flow *f)
{
    struct drafting *s = f->state;

    switch (s->phase) {
    case BEGIN:
        if (!deed_is_new(f, &s->deed))
            return FLOW_DONE;
        s->phase = FACTS;
        manual_cdr_facts(f, s->session_id, &s->facts);
        return FLOW_AGAIN;
    case FACTS:
        return write_draft(f, s);
    case DRAFTED:
        break;
    }
    return answer_draft(f, s);
}

static enum flow_next keep_draft(struct flow *f)
{
    struct drafting *s = f->state;

    return deed_keep(f, &s->deed);
}

static enum flow_next tell_draft(struct flow *f)
{
    const struct drafting *s = f->state;

    return deed_answer(f, &s->deed);
}

static const struct flow_step draft_steps[] = {
    {"read what is asked", read_ask},
    {"reserve the key", begin},
    {"draft", draft},
    {"keep the answer", keep_draft, .also_on_failure = true},
    {"answer", tell_draft},
    {0},
};
const struct flow_type draft_cdr_flow = {
    .name = "draft_cdr",
    .state_size = sizeof(struct drafting),
    .deadline_ms = SECONDS(10),
    .steps = draft_steps,
};

/* ---- the second person ---- */

/* Neither needs a key: what has been decided stays so, and is told again. */
struct deciding {
    int64_t cdr;
    struct cdr_row row;
    struct cdr_intake intake;
    struct cdr_stored result;
};

static enum flow_next read_draft(struct flow *f)
{
    struct deciding *s = f->state;

    s->cdr = list_id(request_of(f)->params[0]);
    if (!s->cdr)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    return cdr_read(f, s->cdr, &s->row);
}

static bool is_draft(const struct deciding *s)
{
    return strcmp(s->row.filed, "draft") == 0;
}

static struct err same_person(const struct flow *f)
{
    return err_at(f->arena, ERR_SECOND_PERSON, NULL, "who drafted a manual CDR cannot confirm it");
}

static enum flow_next confirm(struct flow *f)
{
    struct deciding *s = f->state;

    if (!s->row.found || !s->row.manual)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    if (!is_draft(s)) {
        s->result = (struct cdr_stored){.outcome = CDR_OVER, .filed = s->row.filed};
        return FLOW_NEXT;
    }
    const char *by = request_of(f)->caller.name;
    const char *asker = s->row.drafted_by ? s->row.drafted_by : "";
    if (!deed_second_person(asker, by))
        return flow_fail(f, strcmp(by, asker) == 0
                                ? same_person(f)
                                : err_at(f->arena, ERR_SECOND_PERSON, NULL,
                                         "a manual CDR is confirmed by a member of staff in their "
                                         "own name; %s is a name that several share",
                                         by));
    s->intake.stored = s->cdr;
    s->intake.by = by;
    s->intake.confirmed = true;
    enum flow_next next = cdr_intake_run(f, &s->intake);
    s->result = s->intake.result;
    return next;
}

static enum flow_next decline(struct flow *f)
{
    struct deciding *s = f->state;

    if (!s->row.found || !s->row.manual)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    return cdr_decline(f, s->cdr, request_of(f)->caller.name, &s->result);
}

static enum flow_next answer_decision(struct flow *f, const char *wanted)
{
    struct deciding *s = f->state;
    struct text t;

    if (s->result.outcome == CDR_SAME_PERSON)
        return flow_fail(f, same_person(f));
    if (s->result.outcome == CDR_SETTLED)
        hub_of(f)->session_changed(hub_of(f), &s->result.session);
    if (strcmp(s->result.filed, "duplicate_session") == 0)
        return flow_fail(
            f, err_at(f->arena, ERR_CDR_EXISTS, NULL, "the network's CDR has come meanwhile"));
    if (strcmp(s->result.filed, wanted) != 0)
        return flow_fail(f, err_at(f->arena, ERR_ALREADY_DECIDED, NULL, "the manual CDR is %s",
                                   s->result.filed));
    cdr_answer_print(f, &t, s->cdr, s->row.put.id, &s->result);
    return reply_json(f, 200, &t);
}

static enum flow_next answer_confirmed(struct flow *f)
{
    const struct deciding *s = f->state;

    return answer_decision(f, s->row.put.credit ? "credit" : "billed");
}

static enum flow_next answer_declined(struct flow *f)
{
    return answer_decision(f, "declined");
}

static const struct flow_step confirm_steps[] = {
    {"read the draft", read_draft},
    {"confirm", confirm},
    {"answer", answer_confirmed},
    {0},
};
const struct flow_type confirm_cdr_flow = {
    .name = "confirm_cdr",
    .state_size = sizeof(struct deciding),
    .deadline_ms = SECONDS(20),
    .steps = confirm_steps,
};

static const struct flow_step decline_steps[] = {
    {"read the draft", read_draft},
    {"decline", decline},
    {"answer", answer_declined},
    {0},
};
const struct flow_type decline_cdr_flow = {
    .name = "decline_cdr",
    .state_size = sizeof(struct deciding),
    .deadline_ms = SECONDS(20),
    .steps = decline_steps,
};
