/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finance lists: receipts, CDRs, cases, refunds, the ledger; as JSON or CSV, of any length
 * (hub/listing.h).
 *
 *   GET /v1/finance/receipts?from&to&network&payment_status&user
 *   GET /v1/finance/cdrs?from&to&network&source&matched&filed
 *   GET /v1/finance/cdrs/{id}      as it came and as it was read, with all findings
 *   GET /v1/finance/cases?network&kind&resolved
 *   GET /v1/finance/refunds?from&to&network&status
 *   GET /v1/finance/ledger?from&to
 *
 * from and to are dates or times; a date is the begin of its day in UTC, `to` is not part of it.
 * network is a partner's name or number.
 */
#include "hub/finance/finance_api.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/time.h"
#include "db/finance_list.h"
#include "hub/finance/list_ask.h"
#include "hub/listing.h"
#include "hub/request.h"
#include "hub/server/http_server.h"

struct list_asked {
    struct finance_filter filter;
};

/* ---- the lists ---- */

static struct err begin_list(struct flow *f, enum finance_list which,
                             const struct export_taker *taker, void *arg, struct export **ret)
{
    struct list_asked *s = f->state;

    return finance_list(f, which, &s->filter, taker, arg, ret);
}

#define LIST(name, which)                                                                          \
    static struct err begin_##name(struct flow *f, const struct export_taker *taker, void *arg,    \
                                   struct export **ret)                                            \
    {                                                                                              \
        return begin_list(f, which, taker, arg, ret);                                              \
    }
LIST(receipts, FINANCE_RECEIPTS)
LIST(cdrs, FINANCE_CDRS)
LIST(cases, FINANCE_CASES)
LIST(ledger, FINANCE_LEDGER)
LIST(refunds, FINANCE_REFUNDS)
#undef LIST

static enum flow_next list_receipts(struct flow *f)
{
    static const char *const parameters[] = {"from",           "to",   "network",
                                             "payment_status", "user", NULL};
    static const char *const states[] = {
        "not_required", "pending", "paid", "failed", "refunded", "partially_refunded", NULL};
    static const char *const columns[] = {
        "receipt_number", "revision",   "kind",     "issued_at", "session_id", "network",
        "evse_id",        "user_id",    "cdr_id",   "cancels",   "start_time", "end_time",
        "energy_kwh",     "duration_s", "currency", "net",       "vat",        "gross",
        "payment_status", NULL};
    static const struct listing_ask ask = {"receipts", "gross", columns, begin_receipts};
    struct list_asked *s = f->state;
    struct field_errors errors;

    field_errors_init(&errors, f->arena);
    list_check_names(f, &errors, parameters);
    list_period(f, &errors, &s->filter.from_us, &s->filter.to_us);
    s->filter.partner_id = list_network(f, &errors);
    s->filter.payment_status = list_word(f, &errors, "payment_status", states);
    s->filter.user_id = list_given(f, "user");
    return errors.count ? reply_field_errors(f, &errors) : listing_answer(f, &ask);
}

static enum flow_next list_cdrs(struct flow *f)
{
    static const char *const parameters[] = {"from",    "to",    "network", "source",
                                             "matched", "filed", NULL};
    static const char *const sources[] = {"network", "hub", "push", "pull", "manual", NULL};
    /* clang-format off */
    static const char *const filed[] = {
        "received", "billed", "credit", "unmatched", "credit_waiting", "quarantined",
        "duplicate_session", "late_start", "force_closed", "credit_unknown", "credit_twice",
        "credit_amount", "draft", "declined", "carried", NULL};
    /* clang-format on */
    static const char *const truths[] = {"true", "false", NULL};
    static const char *const columns[] = {
        "id",         "network",  "country_code",     "party_id",
        "cdr_id",     "source",   "received_at",      "session_id",
        "filed",      "class",    "credit",           "credit_reference_id",
        "start_time", "end_time", "energy_kwh",       "currency",
        "net",        "gross",    "recalculated_net", "difference",
        "month",      NULL};
    static const struct listing_ask ask = {"cdrs", "net", columns, begin_cdrs};
    struct list_asked *s = f->state;
    struct field_errors errors;

    field_errors_init(&errors, f->arena);
    list_check_names(f, &errors, parameters);
    list_period(f, &errors, &s->filter.from_us, &s->filter.to_us);
    s->filter.partner_id = list_network(f, &errors);
    s->filter.source = list_word(f, &errors, "source", sources);
    const char *matched = list_word(f, &errors, "matched", truths);
    if (matched)
        s->filter.matched = *matched == 't' ? MATCHED_YES : MATCHED_NO;
    s->filter.filed = list_word(f, &errors, "filed", filed);
    return errors.count ? reply_field_errors(f, &errors) : listing_answer(f, &ask);
}

static enum flow_next list_cases(struct flow *f)
{
    static const char *const parameters[] = {"network", "kind", "resolved", NULL};
    static const char *const kinds[] = {"cdr_overdue",
                                        "unmatched_cdr",
                                        "cdr_conflict",
                                        "cost_mismatch",
                                        "quarantined_cdr",
                                        "late_start",
                                        "force_closed",
                                        "joined_sessions",
                                        "no_price",
                                        "payment_mismatch",
                                        "payment_unknown",
                                        "payment_failed",
                                        "payment_stuck",
                                        "payment_dispute",
                                        "refund_failed",
                                        "hold_expiring",
                                        "payout_difference",
                                        "audit_overdue",
                                        NULL};
    static const char *const truths[] = {"true", "false", NULL};
    static const char *const columns[] = {
        "id",        "kind",        "detail",     "session_id", "cdr_id",   "network",    "class",
        "opened_at", "resolved_at", "resolution", "by",         "currency", "difference", NULL};
    static const struct listing_ask ask = {"cases", NULL, columns, begin_cases};
    struct list_asked *s = f->state;
    struct field_errors errors;

    field_errors_init(&errors, f->arena);
    list_check_names(f, &errors, parameters);
    s->filter.partner_id = list_network(f, &errors);
    s->filter.kind = list_word(f, &errors, "kind", kinds);
    const char *resolved = list_word(f, &errors, "resolved", truths);
    s->filter.resolved_too = resolved && *resolved == 't';
    return errors.count ? reply_field_errors(f, &errors) : listing_answer(f, &ask);
}

static enum flow_next list_ledger(struct flow *f)
{
    static const char *const parameters[] = {"from", "to", NULL};
    static const char *const columns[] = {
        "entry", "at", "kind", "currency", "account", "amount", "receipt_number", "cdr_id", NULL};
    static const struct listing_ask ask = {"ledger", "amount", columns, begin_ledger};
    struct list_asked *s = f->state;
    struct field_errors errors;

    field_errors_init(&errors, f->arena);
    list_check_names(f, &errors, parameters);
    list_period(f, &errors, &s->filter.from_us, &s->filter.to_us);
    return errors.count ? reply_field_errors(f, &errors) : listing_answer(f, &ask);
}

static enum flow_next list_refunds(struct flow *f)
{
    static const char *const parameters[] = {"from", "to", "network", "status", NULL};
    static const char *const states[] = {
        "awaiting_confirmation", "sent", "done", "failed", "declined", NULL};
    static const char *const columns[] = {"refund_id", "receipt_number", "session_id",  "network",
                                          "user_id",   "cause",          "status",      "currency",
                                          "amount",    "done",           "reason",      "asked_by",
                                          "asked_at",  "decided_by",     "finished_at", NULL};
    static const struct listing_ask ask = {"refunds", "amount", columns, begin_refunds};
    struct list_asked *s = f->state;
    struct field_errors errors;

    field_errors_init(&errors, f->arena);
    list_check_names(f, &errors, parameters);
    list_period(f, &errors, &s->filter.from_us, &s->filter.to_us);
    s->filter.partner_id = list_network(f, &errors);
    s->filter.status = list_word(f, &errors, "status", states);
    return errors.count ? reply_field_errors(f, &errors) : listing_answer(f, &ask);
}

#define LIST_FLOW(kind)                                                                            \
    static const struct flow_step kind##_steps[] = {{"list", list_##kind}, {0}};                   \
    const struct flow_type list_##kind##_flow = {.name = "list_" #kind,                            \
                                                 .state_size = sizeof(struct list_asked),          \
                                                 .deadline_ms = LISTING_DEADLINE_MS,               \
                                                 .steps = kind##_steps};
LIST_FLOW(receipts)
LIST_FLOW(cdrs)
LIST_FLOW(cases)
LIST_FLOW(ledger)
LIST_FLOW(refunds)
#undef LIST_FLOW

/* ---- one CDR ---- */

struct cdr_asked {
    const char *document;
};

static enum flow_next read_cdr(struct flow *f)
{
    struct cdr_asked *s = f->state;
    int64_t id = list_id(request_of(f)->params[0]);

    if (!id)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    return finance_cdr(f, id, &s->document);
}

static enum flow_next answer_cdr(struct flow *f)
{
    struct cdr_asked *s = f->state;

    if (!s->document)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    return reply_json_text(f, 200, s->document);
}

static const struct flow_step cdr_steps[] = {
    {"read the CDR", read_cdr}, {"answer", answer_cdr}, {0}};
const struct flow_type show_cdr_flow = {
    .name = "show_cdr",
    .state_size = sizeof(struct cdr_asked),
    .deadline_ms = SECONDS(10),
    .steps = cdr_steps,
};
