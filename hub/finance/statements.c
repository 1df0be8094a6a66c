/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements of partners, and the terms by which they are reckoned (contract 10).
 *
 *   GET  /v1/finance/statements?month=2026-11&network
 *   GET  /v1/finance/statements/{id}           JSON: sums, fee, netting, control; CSV: its lines
 *   GET  /v1/finance/statements/{id}/lines     the lines, as JSON too
 *   POST /v1/finance/statements/{id}/close     once, for ever
 *   POST /v1/finance/statements/{id}/send
 *   POST /v1/finance/statements/{id}/state {state}   acknowledged, disputed, invoiced, paid
 *   GET  /v1/finance/terms
 *   PUT  /v1/finance/terms/{partner}
 *
 * Closing and sending need no key: both are done once, and asking again tells what is.
 */
#include "db/statement.h"

#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/partner.h"
#include "hub/finance/finance_api.h"
#include "hub/finance/list_ask.h"
#include "hub/hub.h"
#include "hub/listing.h"

enum { ID_MAX = 40, PERCENT_PLACES = 4, ANSWER_MAX = 4096 };

/* ---- lists ---- */

struct statements_asked {
    const char *month, *id;
    int64_t partner;
    bool csv;
    const char *document;
    struct statement_done done;
};

static struct err begin_list(struct flow *f, const struct export_taker *taker, void *arg,
                             struct export **ret)
{
    const struct statements_asked *s = f->state;

    return statement_list(f, s->month, s->partner, taker, arg, ret);
}

static struct err begin_lines(struct flow *f, const struct export_taker *taker, void *arg,
                              struct export **ret)
{
    const struct statements_asked *s = f->state;

    return statement_lines(f, s->id, taker, arg, ret);
}

static enum flow_next list(struct flow *f)
{
    static const char *const parameters[] = {"month", "network", NULL};
    static const char *const columns[] = {
        "id",    "number",    "state",      "month",         "partner", "currency",
        "cdrs",  "credits",   "energy_kwh", "net_unrounded", "net",     "vat",
        "gross", "fee_gross", "netting",    "closed_at",     NULL};
    static const struct listing_ask ask = {"statements", "gross", columns, begin_list};
    struct statements_asked *s = f->state;
    struct field_errors errors;

    field_errors_init(&errors, f->arena);
    list_check_names(f, &errors, parameters);
    s->month = list_month(f, &errors);
    s->partner = list_network(f, &errors);
    return errors.count ? reply_field_errors(f, &errors) : listing_answer(f, &ask);
}

static const struct flow_step list_steps[] = {{"list", list}, {0}};
const struct flow_type list_statements_flow = {
    .name = "list_statements",
    .state_size = sizeof(struct statements_asked),
    .deadline_ms = LISTING_DEADLINE_MS,
    .steps = list_steps,
};

/* ---- one ---- */

static enum flow_next answer_lines(struct flow *f)
{
    static const char *const columns[] = {
        "cdr_id",       "session_id", "evse_id",    "start_time",
        "end_time",     "energy_kwh", "duration_s", "charging_s",
        "parking_s",    "currency",   "net",        "vat_treatment",
        "vat_rate",     "class",      "credit",     "credit_reference_id",
        "supply_month", "late",       NULL};
    static const struct listing_ask ask = {"statement", "net", columns, begin_lines};

    return listing_answer(f, &ask);
}

static enum flow_next read_one(struct flow *f)
{
    struct statements_asked *s = f->state;

    s->id = request_of(f)->params[0];
    if (strlen(s->id) > ID_MAX)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    FLOW_TRY(f, listing_wants_csv(f, &s->csv));
    return statement_document(f, s->id, &s->document);
}

static enum flow_next answer_document(struct flow *f)
{
    const struct statements_asked *s = f->state;

    if (!s->document)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    return reply_json_text(f, 200, s->document);
}

static enum flow_next answer_one(struct flow *f)
{
    const struct statements_asked *s = f->state;

    return s->document && s->csv ? answer_lines(f) : answer_document(f);
}

static enum flow_next answer_all_lines(struct flow *f)
{
    const struct statements_asked *s = f->state;

    return s->document ? answer_lines(f) : answer_document(f);
}

static const struct flow_step show_steps[] = {
    {"read the statement", read_one}, {"answer", answer_one}, {0}};
const struct flow_type show_statement_flow = {
    .name = "show_statement",
    .state_size = sizeof(struct statements_asked),
    .deadline_ms = LISTING_DEADLINE_MS,
    .steps = show_steps,
};

static const struct flow_step lines_steps[] = {
    {"read the statement", read_one}, {"answer", answer_all_lines}, {0}};
const struct flow_type list_statement_lines_flow = {
    .name = "list_statement_lines",
    .state_size = sizeof(struct statements_asked),
    .deadline_ms = LISTING_DEADLINE_MS,
    .steps = lines_steps,
};

/* ---- close, send and what follows ---- */

static enum flow_next name_it(struct flow *f)
{
    struct statements_asked *s = f->state;

    s->id = request_of(f)->params[0];
    return strlen(s->id) > ID_MAX ? flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND)) : FLOW_NEXT;
}

static enum flow_next close_it(struct flow *f)
{
    struct statements_asked *s = f->state;

    return statement_close(f, s->id, request_of(f)->caller.name, &s->done);
}

static enum flow_next send_it(struct flow *f)
{
    struct statements_asked *s = f->state;

    return statement_move(f, s->id, "SENT", request_of(f)->caller.name, &s->done);
}

static enum flow_next move_it(struct flow *f)
{
    /* clang-format off */
    static const struct {
        const char *word, *state;
    } words[] = {
        {"acknowledged", "ACKNOWLEDGED"},
        {"disputed",     "DISPUTED"},
        {"invoiced",     "INVOICED"},
        {"paid",         "PAID"},
        {0},
    };
    /* clang-format on */
    struct statements_asked *s = f->state;
    const char *text = json_text_of(request_of(f)->json, "state");
    struct field_errors errors;

    for (size_t i = 0; text && words[i].word; i++)
        if (strcmp(words[i].word, text) == 0)
            return statement_move(f, s->id, words[i].state, request_of(f)->caller.name, &s->done);
    field_errors_init(&errors, f->arena);
    field_errors_add(&errors, "state",
                     json_object_get(request_of(f)->json, "state") ? "state_invalid"
                                                                   : "state_required",
                     "must be acknowledged, disputed, invoiced or paid");
    return reply_field_errors(f, &errors);
}

static struct err why_not(struct flow *f, const struct statement_done *d)
{
    switch (d->outcome) {
    case STATEMENT_DONE:
    case STATEMENT_ALREADY:
        return OK;
    case STATEMENT_NOT_FOUND:
        return err_new(ERR_OBJECT_NOT_FOUND);
    case STATEMENT_NOT_OVER:
        return err_at(f->arena, ERR_STATEMENT_STATE, NULL, "%s is not over yet", d->detail);
    case STATEMENT_EARLIER_OPEN:
        return err_at(f->arena, ERR_STATEMENT_STATE, NULL, "close %s first", d->detail);
    case STATEMENT_NO_TERMS:
        return err_at(f->arena, ERR_STATEMENT_STATE, NULL,
                      "there are no terms for this partner and currency on %s", d->detail);
    case STATEMENT_DIFFERS:
        return err_at(f->arena, ERR_CONTROL_SUMS, NULL, "nothing was closed: %s", d->detail);
    case STATEMENT_WRONG_STATE:
        return err_at(f->arena, ERR_STATEMENT_STATE, NULL, "the statement is %s", d->detail);
    }
    return err_new(ERR_INTERNAL);
}

static enum flow_next read_again(struct flow *f)
{
    struct statements_asked *s = f->state;

    FLOW_TRY(f, why_not(f, &s->done));
    return statement_document(f, s->id, &s->document);
}

static const struct flow_step close_steps[] = {{"name the statement", name_it},
                                               {"close it", close_it},
                                               {"read it", read_again},
                                               {"answer", answer_document},
                                               {0}};
const struct flow_type close_statement_flow = {
    .name = "close_statement",
    .state_size = sizeof(struct statements_asked),
    .deadline_ms = LISTING_DEADLINE_MS,
    .steps = close_steps,
};

static const struct flow_step send_steps[] = {{"name the statement", name_it},
                                              {"send it", send_it},
                                              {"read it", read_again},
                                              {"answer", answer_document},
                                              {0}};
const struct flow_type send_statement_flow = {
    .name = "send_statement",
    .state_size = sizeof(struct statements_asked),
    .deadline_ms = LISTING_DEADLINE_MS,
    .steps = send_steps,
};

static const struct flow_step move_steps[] = {{"name the statement", name_it},
                                              {"move it", move_it},
                                              {"read it", read_again},
                                              {"answer", answer_document},
                                              {0}};
const struct flow_type move_statement_flow = {
    .name = "move_statement",
    .state_size = sizeof(struct statements_asked),
    .deadline_ms = LISTING_DEADLINE_MS,
    .steps = move_steps,
};

/* ---- terms ---- */

struct terms_asked {
    struct statement_terms terms;
    const char *items;
};

static const char *read_treatment(struct flow *f, struct field_errors *errors, const char *name,
                                  const char *absent)
{
    const json_t *value = json_object_get(request_of(f)->json, name);
    const char *text = json_text_of(request_of(f)->json, name);

    if (!value && absent)
        return absent;
    if (text && (strcmp(text, "domestic") == 0 || strcmp(text, "reverse_charge") == 0 ||
                 strcmp(text, "exempt") == 0))
        return text;
    field_errors_add(errors, name, arena_printf(f->arena, "%s_invalid", name),
                     "must be domestic, reverse_charge or exempt");
    return NULL;
}

/* A number, or the text of one; 0 where it is absent. */
static int64_t read_number(struct flow *f, struct field_errors *errors, const char *name,
                           int64_t most_u6, int places)
{
    const json_t *value = json_object_get(request_of(f)->json, name);
    int64_t u6 = 0;

    if (!value)
        return 0;
    const char *text = json_string_value(value);
    if (!json_number_u6(value, true, &u6) || u6 < 0 || u6 > most_u6 ||
        (text ? decimal_places(text) : json_number_places(value)) > places)
        field_errors_add(
            errors, name, arena_printf(f->arena, "%s_invalid", name),
            arena_printf(f->arena, "must be a number from 0 on with at most %d decimals", places));
    return u6;
}

static const char *read_percent(struct flow *f, struct field_errors *errors, const char *name)
{
    char *text = arena_alloc(f->arena, DECIMAL_TEXT);

    return decimal_print_u6(text,
                            read_number(f, errors, name, INT64_C(100) * 1000000, PERCENT_PLACES), 0,
                            PERCENT_PLACES);
}

/* A rate there is where VAT is charged, and nowhere else; nobody means 0 % by silence. */
static void check_rate(struct flow *f, struct field_errors *errors, const char *field,
                       const char *treatment, const char *rate)
{
    bool domestic = treatment && strcmp(treatment, "domestic") == 0;

    if (!treatment)
        return; /* which is told already */
    if (domestic && !json_object_get(request_of(f)->json, field))
        field_errors_add(errors, field, arena_printf(f->arena, "%s_required", field),
                         "is required where VAT is domestic");
    else if (!domestic && strcmp(rate, "0") != 0)
        field_errors_add(errors, field, arena_printf(f->arena, "%s_invalid", field),
                         "only domestic VAT has a rate");
}

static void read_day(struct flow *f, struct field_errors *errors, const char **ret)
{
    const json_t *value = json_object_get(request_of(f)->json, "valid_from");
    const char *text = json_string_value(value);
    int64_t us;

    if (!value)
        return;
    if (!text || strlen(text) != 10 ||
        !time_parse(arena_printf(f->arena, "%sT00:00:00Z", text), TIME_RFC3339, &us))
        field_errors_add(errors, "valid_from", "valid_from_invalid", "must be a day: 2026-01-31");
    *ret = text;
}

static enum flow_next put_terms(struct flow *f)
{
    struct terms_asked *s = f->state;
    struct statement_terms *t = &s->terms;
    const json_t *json = request_of(f)->json, *netting = json_object_get(json, "netting");
    const struct partner *p = partner_named(f, request_of(f)->params[0]);
    struct field_errors errors;

    if (!p)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    field_errors_init(&errors, f->arena);
    t->partner_id = p->id;
    t->currency = json_text_of(json, "currency");
    if (!t->currency || !currency_known(t->currency))
        field_errors_add(&errors, "currency", "currency_invalid", "must be a code of ISO 4217");
    read_day(f, &errors, &t->valid_from);
    t->vat_treatment = read_treatment(f, &errors, "vat_treatment", NULL);
    t->vat_rate = read_percent(f, &errors, "vat_rate");
    t->fee_percent = read_percent(f, &errors, "fee_percent");
    t->fee_per_cdr_u6 =
        read_number(f, &errors, "fee_per_cdr", INT64_C(1000000) * 1000000, PERCENT_PLACES);
    t->fee_vat_treatment = read_treatment(f, &errors, "fee_vat_treatment", "domestic");
    t->fee_vat_rate = read_percent(f, &errors, "fee_vat_rate");
    check_rate(f, &errors, "vat_rate", t->vat_treatment, t->vat_rate);
    if (t->fee_per_cdr_u6 || strcmp(t->fee_percent, "0") != 0 ||
        json_object_get(json, "fee_vat_rate"))
        check_rate(f, &errors, "fee_vat_rate", t->fee_vat_treatment, t->fee_vat_rate);
    if (netting && !json_is_boolean(netting))
        field_errors_add(&errors, "netting", "netting_invalid", "must be true or false");
    t->netting = json_is_true(netting);
    if (errors.count)
        return reply_field_errors(f, &errors);
    return statement_terms_put(f, t, request_of(f)->caller.name);
}

static enum flow_next read_terms(struct flow *f)
{
    struct terms_asked *s = f->state;

    return statement_terms_list(f, &s->items);
}

static enum flow_next answer_terms(struct flow *f)
{
    const struct terms_asked *s = f->state;

    return reply_json_text(f, 200, arena_printf(f->arena, "{\"items\": %s}", s->items));
}

static const struct flow_step list_terms_steps[] = {
    {"read the terms", read_terms}, {"answer", answer_terms}, {0}};
const struct flow_type list_terms_flow = {
    .name = "list_terms",
    .state_size = sizeof(struct terms_asked),
    .deadline_ms = SECONDS(10),
    .steps = list_terms_steps,
};

static const struct flow_step put_terms_steps[] = {
    {"set the terms", put_terms}, {"read the terms", read_terms}, {"answer", answer_terms}, {0}};
const struct flow_type put_terms_flow = {
    .name = "put_terms",
    .state_size = sizeof(struct terms_asked),
    .deadline_ms = SECONDS(10),
    .steps = put_terms_steps,
};
