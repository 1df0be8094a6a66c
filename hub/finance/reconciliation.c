/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reconciliation of a month, and the check of the books by hand (contract 10).
 *
 *   GET /v1/finance/reconciliation?month=2026-11&network     a row a network and currency
 *   GET /v1/finance/check                                    {receipts, faults[]}: none is right
 */
#include "db/reconciliation.h"

#include "base/text.h"
#include "base/time.h"
#include "db/statement.h"
#include "hub/finance/audit.h"
#include "hub/finance/finance_api.h"
#include "hub/finance/list_ask.h"
#include "hub/listing.h"

enum { ANSWER_MAX = 512 * 1024 };

/* ---- the month ---- */

struct month_asked {
    const char *month;
    int64_t partner;
};

static struct err begin_rows(struct flow *f, const struct export_taker *taker, void *arg,
                             struct export **ret)
{
    const struct month_asked *s = f->state;

    return reconciliation_list(f, s->month, s->partner, taker, arg, ret);
}

static enum flow_next reconcile(struct flow *f)
{
    static const char *const parameters[] = {"month", "network", NULL};
    static const char *const columns[] = {"month",
                                          "network",
                                          "currency",
                                          "sessions",
                                          "receipts",
                                          "cancellations",
                                          "energy_kwh",
                                          "net",
                                          "vat",
                                          "gross",
                                          "cdrs",
                                          "credits",
                                          "cdr_energy_kwh",
                                          "gross_by_cdrs",
                                          "cdr_net",
                                          "our_net",
                                          "difference",
                                          "differing",
                                          "owed",
                                          "owed_by_ledger",
                                          "disputed",
                                          "quarantined",
                                          "unmatched",
                                          "overdue",
                                          "control",
                                          NULL};
    static const struct listing_ask ask = {"reconciliation", "gross", columns, begin_rows};
    struct month_asked *s = f->state;
    struct field_errors errors;

    field_errors_init(&errors, f->arena);
    list_check_names(f, &errors, parameters);
    s->month = list_month(f, &errors);
    s->partner = list_network(f, &errors);
    return errors.count ? reply_field_errors(f, &errors) : listing_answer(f, &ask);
}

static const struct flow_step reconcile_steps[] = {{"list", reconcile}, {0}};
const struct flow_type reconciliation_flow = {
    .name = "reconciliation",
    .state_size = sizeof(struct month_asked),
    .deadline_ms = LISTING_DEADLINE_MS,
    .steps = reconcile_steps,
};

/* ---- the check ---- */

struct checking {
    struct audit audit;
    struct ledger_faults statements;
};

static enum flow_next audit(struct flow *f)
{
    struct checking *s = f->state;

    if (s->audit.phase_ == AUDIT_BEGIN)
        s->audit.from_us = s->audit.to_us = TIME_NONE;
    return audit_run(f, &s->audit);
}

static enum flow_next check_statements(struct flow *f)
{
    struct checking *s = f->state;

    return statement_check(f, TIME_NONE, &s->statements);
}

static void put_faults(struct text *t, const struct ledger_faults *faults)
{
    for (size_t i = 0; i < faults->count; i++) {
        json_begin_object(t, NULL);
        json_put_text(t, "what", faults->items[i].what);
        json_put_text(t, "subject", faults->items[i].subject);
        json_put_text(t, "detail", faults->items[i].detail);
        json_end_object(t);
    }
}

static enum flow_next answer_check(struct flow *f)
{
    struct checking *s = f->state;
    struct text t;

    text_init(&t, f->arena, ANSWER_MAX);
    json_begin_object(&t, NULL);
    json_put_int(&t, "receipts", s->audit.receipts);
    json_begin_array(&t, "faults");
    put_faults(&t, &s->audit.faults);
    put_faults(&t, &s->statements);
    json_end_array(&t);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step check_steps[] = {
    {"audit receipts and ledger", audit},
    {"check the statements", check_statements},
    {"answer", answer_check},
    {0},
};
const struct flow_type check_books_flow = {
    .name = "check_books",
    .state_size = sizeof(struct checking),
    .deadline_ms = MINUTES(10),
    .steps = check_steps,
};
