/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invoices of partners, held against the CDRs that they cover (OCPI 2.3.0 tells which):
 *
 *   GET  /v1/finance/invoices?from&to&network&state
 *   GET  /v1/finance/invoices/gaps?network&kind     what stands in no invoice, in two, in vain
 *   GET  /v1/finance/invoices/{id}                  its CDRs by class, and what we expect
 *   GET  /v1/finance/invoices/{id}/cdrs             each of them, however many
 *   POST /v1/finance/invoices/{id}/total            {net | gross, currency}: what the document says
 *
 * A record has no amounts: they are on the invoice, which travels outside OCPI. Entering its total
 * is answered with the same document: matched, or what may explain the difference.
 */
#include <string.h>

#include "base/decimal.h"
#include "base/json.h"
#include "base/time.h"
#include "db/invoice.h"
#include "hub/finance/finance_api.h"
#include "hub/finance/list_ask.h"
#include "hub/listing.h"
#include "hub/request.h"

/* ---- the lists ---- */

struct invoices_asked {
    int64_t from_us, to_us, partner_id;
    const char *word; /* state; of the gaps: kind */
};

static struct err begin_invoices(struct flow *f, const struct export_taker *taker, void *arg,
                                 struct export **ret)
{
    struct invoices_asked *s = f->state;

    return invoice_export(f, s->from_us, s->to_us, s->partner_id, s->word, taker, arg, ret);
}

static enum flow_next list_invoices(struct flow *f)
{
    static const char *const parameters[] = {"from", "to", "network", "state", NULL};
    static const char *const states[] = {"open", "matched", "differs", "deleted", "sent", NULL};
    static const char *const columns[] = {
        "id",         "direction",   "network",  "country_code", "party_id", "record_id",
        "invoice_id", "received_at", "state",    "cdrs",         "not_ok",   "total_kind",
        "total",      "currency",    "expected", "difference",   NULL};
    static const struct listing_ask ask = {"invoices", "total", columns, begin_invoices};
    struct invoices_asked *s = f->state;
    struct field_errors errors;

    field_errors_init(&errors, f->arena);
    list_check_names(f, &errors, parameters);
    list_period(f, &errors, &s->from_us, &s->to_us);
    s->partner_id = list_network(f, &errors);
    s->word = list_word(f, &errors, "state", states);
    return errors.count ? reply_field_errors(f, &errors) : listing_answer(f, &ask);
}

static const struct flow_step list_steps[] = {{"list", list_invoices}, {0}};
const struct flow_type list_invoices_flow = {
    .name = "list_invoices",
    .state_size = sizeof(struct invoices_asked),
    .deadline_ms = LISTING_DEADLINE_MS,
    .steps = list_steps,
};

static struct err begin_gaps(struct flow *f, const struct export_taker *taker, void *arg,
                             struct export **ret)
{
    struct invoices_asked *s = f->state;

    return invoice_export_gaps(f, s->partner_id, s->word, taker, arg, ret);
}

static enum flow_next list_gaps(struct flow *f)
{
    static const char *const parameters[] = {"network", "kind", NULL};
    static const char *const kinds[] = {"not_invoiced", "unknown_cdr", "in_two_invoices", NULL};
    static const char *const columns[] = {
        "kind",          "network", "cdr_id",   "invoice", "invoice_id",
        "other_invoice", "since",   "currency", "net",     NULL};
    static const struct listing_ask ask = {"invoice-gaps", "net", columns, begin_gaps};
    struct invoices_asked *s = f->state;
    struct field_errors errors;

    field_errors_init(&errors, f->arena);
    list_check_names(f, &errors, parameters);
    s->partner_id = list_network(f, &errors);
    s->word = list_word(f, &errors, "kind", kinds);
    return errors.count ? reply_field_errors(f, &errors) : listing_answer(f, &ask);
}

static const struct flow_step gaps_steps[] = {{"list", list_gaps}, {0}};
const struct flow_type list_invoice_gaps_flow = {
    .name = "list_invoice_gaps",
    .state_size = sizeof(struct invoices_asked),
    .deadline_ms = LISTING_DEADLINE_MS,
    .steps = gaps_steps,
};

/* ---- one invoice ---- */

struct invoice_asked {
    int64_t id;
    bool found, entered;
    const char *document;
};

static enum flow_next read_invoice(struct flow *f)
{
    struct invoice_asked *s = f->state;

    s->id = list_id(request_of(f)->params[0]);
    if (!s->id)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    return invoice_document(f, s->id, &s->document);
}

static enum flow_next answer(struct flow *f)
{
    struct invoice_asked *s = f->state;

    if (!s->document)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    return reply_json_text(f, 200, s->document);
}

static const struct flow_step show_steps[] = {
    {"read the invoice", read_invoice}, {"answer", answer}, {0}};
const struct flow_type show_invoice_flow = {
    .name = "show_invoice",
    .state_size = sizeof(struct invoice_asked),
    .deadline_ms = SECONDS(20),
    .steps = show_steps,
};

/* ---- its CDRs ---- */

static enum flow_next find_invoice(struct flow *f)
{
    struct invoice_asked *s = f->state;

    s->id = list_id(request_of(f)->params[0]);
    if (!s->id)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    return invoice_exists(f, s->id, &s->found);
}

static struct err begin_cdrs(struct flow *f, const struct export_taker *taker, void *arg,
                             struct export **ret)
{
    const struct invoice_asked *s = f->state;

    return invoice_export_cdrs(f, s->id, taker, arg, ret);
}

static enum flow_next list_cdrs(struct flow *f)
{
    static const char *const columns[] = {
        "cdr_id",        "class",    "cdr", "other_invoice",    "currency",
        "vat_treatment", "vat_rate", "net", "recalculated_net", NULL};
    static const struct listing_ask ask = {"invoice-cdrs", "net", columns, begin_cdrs};
    const struct invoice_asked *s = f->state;

    return s->found ? listing_answer(f, &ask) : flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
}

static const struct flow_step cdrs_steps[] = {
    {"find the invoice", find_invoice}, {"list", list_cdrs}, {0}};
const struct flow_type list_invoice_cdrs_flow = {
    .name = "list_invoice_cdrs",
    .state_size = sizeof(struct invoice_asked),
    .deadline_ms = LISTING_DEADLINE_MS,
    .steps = cdrs_steps,
};

/* ---- its total ---- */

/* As it can stand on a document: no more decimals than the currency has. */
static bool read_amount(const json_t *amount, const char *currency, int64_t *ret_u6)
{
    return json_is_number(amount) && json_number_u6(amount, false, ret_u6) &&
           json_number_places(amount) <= currency_exponent(currency);
}

/* A total may be below zero: then it is a credit note. */
static enum flow_next enter_total(struct flow *f)
{
    static const char *const members[] = {"net", "gross", "currency", NULL};
    struct invoice_asked *s = f->state;
    const struct request *r = request_of(f);
    const json_t *net = json_object_get(r->json, "net"), *gross = json_object_get(r->json, "gross");
    const char *currency = json_text_of(r->json, "currency"), *name;
    const char *kind = net ? "net" : "gross";
    const json_t *amount = net ? net : gross;
    bool known = currency && currency_known(currency);
    struct field_errors errors;
    int64_t amount_u6 = 0;
    json_t *value;

    s->id = list_id(r->params[0]);
    if (!s->id)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    field_errors_init(&errors, f->arena);
    json_object_foreach(r->json, name, value)
    {
        size_t i = 0;
        while (members[i] && strcmp(members[i], name) != 0)
            i++;
        if (!members[i])
            field_errors_add(&errors, name, "unknown_field", "a total has no such member");
    }
    if (!net == !gross)
        field_errors_add(&errors, "net", "total_required", "either net or gross must be given");
    else if (!read_amount(amount, known ? currency : "", &amount_u6))
        field_errors_add(
            &errors, kind, arena_printf(f->arena, "%s_invalid", kind),
            "must be a number, as it stands on the invoice, with no more decimals than "
            "its currency has");
    if (!known)
        field_errors_add(&errors, "currency", "currency_invalid",
                         "must be a currency of ISO 4217, as EUR");
    if (errors.count)
        return reply_field_errors(f, &errors);
    return invoice_enter_total(f, s->id, kind, amount_u6, currency, r->caller.name, &s->entered);
}

static enum flow_next read_again(struct flow *f)
{
    struct invoice_asked *s = f->state;

    if (!s->entered)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    return invoice_document(f, s->id, &s->document);
}

static const struct flow_step total_steps[] = {
    {"compare the total", enter_total}, {"read the invoice", read_again}, {"answer", answer}, {0}};
const struct flow_type enter_invoice_total_flow = {
    .name = "enter_invoice_total",
    .state_size = sizeof(struct invoice_asked),
    .deadline_ms = SECONDS(20),
    .steps = total_steps,
};
