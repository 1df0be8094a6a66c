/* SPDX-License-Identifier: Apache-2.0 */
/* Finance commands. */
#include "hub/ctl/finance.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "hub/ctl/print.h"

enum { BODY_MAX = 16 * 1024, QUERY_MAX = 4096, COLUMNS_MAX = 16, NUMBER_MAX = 20 };

static const char *cell(struct arena *a, const json_t *object, const char *member)
{
    return print_cell(a, json_object_get(object, member));
}

/* ---- what is asked ---- */

/* name, value, ... NULL; those without a value are left out. */
static const char *query_of(struct arena *a, char first, const char *const *members)
{
    struct text t;

    text_init(&t, a, QUERY_MAX);
    for (; members[0]; members += 2) {
        if (!members[1])
            continue;
        text_printf(&t, "%c%s=%s", t.length ? '&' : first, members[0],
                    text_url_encode(a, members[1]));
    }
    return t.length ? t.bytes : "";
}

const char *finance_receipts_query(struct arena *a, const struct command_line *line)
{
    return query_of(a, '?',
                    (const char *[]){"from", line->since, "to", line->until, "network",
                                     line->partner, "user", line->user, NULL});
}

const char *finance_cdrs_query(struct arena *a, const struct command_line *line)
{
    return query_of(
        a, '?',
        (const char *[]){"from", line->since, "to", line->until, "network", line->partner, NULL});
}

const char *finance_cases_query(struct arena *a, const struct command_line *line)
{
    return query_of(a, '?',
                    (const char *[]){"network", line->partner, "kind", line->kind, "resolved",
                                     line->resolved ? "true" : NULL, NULL});
}

const char *finance_ledger_query(struct arena *a, const struct command_line *line)
{
    return query_of(a, '?', (const char *[]){"from", line->since, "to", line->until, NULL});
}

const char *finance_refunds_query(struct arena *a, const struct command_line *line)
{
    return query_of(a, '?',
                    (const char *[]){"from", line->since, "to", line->until, "network",
                                     line->partner, "status", line->state, NULL});
}

const char *finance_invoices_query(struct arena *a, const struct command_line *line)
{
    return query_of(a, '?',
                    (const char *[]){"from", line->since, "to", line->until, "network",
                                     line->partner, "state", line->state, NULL});
}

const char *finance_gaps_query(struct arena *a, const struct command_line *line)
{
    return query_of(a, '?', (const char *[]){"network", line->partner, "kind", line->kind, NULL});
}

const char *finance_partner_query(struct arena *a, const struct command_line *line)
{
    return query_of(a, '&', (const char *[]){"network", line->partner, NULL});
}

/* A number as a number; what is none is told by the hub. */
static void put_number(struct text *t, const char *key, const char *value)
{
    const char *digits = value && value[0] == '-' ? value + 1 : value;
    size_t length = value ? strlen(value) : 0, whole = value ? strspn(digits, "0123456789") : 0;
    const char *tail = value ? digits + whole : "";
    bool good = whole && length <= NUMBER_MAX && (whole == 1 || digits[0] != '0') &&
                (!*tail ||
                 (tail[0] == '.' && tail[1] && strspn(tail + 1, "0123456789") == strlen(tail + 1)));

    if (good)
        json_put_raw(t, key, value);
    else if (value)
        json_put_text(t, key, value);
}

static void put_text(struct text *t, const char *key, const char *value)
{
    if (value)
        json_put_text(t, key, value);
}

static void begin_body(struct text *t, struct arena *a)
{
    text_init(t, a, BODY_MAX);
    json_begin_object(t, NULL);
}

const char *finance_match_body(struct arena *a, const struct command_line *line)
{
    struct text t;

    begin_body(&t, a);
    put_text(&t, "session_id", line->second);
    json_end_object(&t);
    return t.bytes;
}

const char *finance_resolve_body(struct arena *a, const struct command_line *line)
{
    struct text t;

    begin_body(&t, a);
    put_text(&t, "resolution", line->second);
    put_text(&t, "note", line->note);
    json_end_object(&t);
    return t.bytes;
}

const char *finance_state_body(struct arena *a, const struct command_line *line)
{
    struct text t;

    begin_body(&t, a);
    put_text(&t, "state", line->second);
    json_end_object(&t);
    return t.bytes;
}

const char *finance_manual_body(struct arena *a, const struct command_line *line)
{
    struct text t;

    begin_body(&t, a);
    put_number(&t, "energy_kwh", line->energy);
    put_text(&t, "start_time", line->start);
    put_text(&t, "end_time", line->end);
    put_number(&t, "cost", line->cost);
    put_number(&t, "cost_incl_vat", line->cost_incl_vat);
    put_text(&t, "currency", line->currency);
    put_text(&t, "reason", line->reason);
    json_end_object(&t);
    return t.bytes;
}

const char *finance_reason_body(struct arena *a, const struct command_line *line)
{
    struct text t;

    begin_body(&t, a);
    put_text(&t, "reason", line->reason);
    json_end_object(&t);
    return t.bytes;
}

const char *finance_terms_body(struct arena *a, const struct command_line *line)
{
    struct text t;

    begin_body(&t, a);
    put_text(&t, "currency", line->currency);
    put_text(&t, "valid_from", line->since);
    put_text(&t, "vat_treatment", line->vat_treatment);
    put_number(&t, "vat_rate", line->rate);
    put_number(&t, "fee_percent", line->fee_percent);
    put_number(&t, "fee_per_cdr", line->fee_per_cdr);
    put_text(&t, "fee_vat_treatment", line->fee_vat_treatment);
    put_number(&t, "fee_vat_rate", line->fee_vat_rate);
    json_put_bool(&t, "netting", line->netting);
    json_end_object(&t);
    return t.bytes;
}

const char *finance_refund_body(struct arena *a, const struct command_line *line)
{
    struct text t;

    begin_body(&t, a);
    put_number(&t, "amount", line->amount);
    put_text(&t, "reason", line->reason);
    json_end_object(&t);
    return t.bytes;
}

const char *finance_total_body(struct arena *a, const struct command_line *line)
{
    struct text t;

    begin_body(&t, a);
    put_number(&t, "net", line->net);
    put_number(&t, "gross", line->gross);
    put_text(&t, "currency", line->currency);
    json_end_object(&t);
    return t.bytes;
}

/* ---- what is shown ---- */

/* head and member in turn, NULL at the end. */
static void print_items(struct arena *a, const json_t *answer, const char *const *columns,
                        const char *nothing)
{
    const json_t *items = json_array_of(answer, "items");
    const char *cells[COLUMNS_MAX];
    struct print_table table;
    size_t count = 0;

    if (!json_array_size(items)) {
        puts(nothing);
        return;
    }
    while (columns[2 * count])
        count++;
    print_table_init(&table, a, count);
    for (size_t c = 0; c < count; c++)
        cells[c] = columns[2 * c];
    print_table_add(&table, cells);
    for (size_t i = 0; i < json_array_size(items); i++) {
        for (size_t c = 0; c < count; c++)
            cells[c] = cell(a, json_array_get(items, i), columns[2 * c + 1]);
        print_table_add(&table, cells);
    }
    print_table_end(&table);
}

void finance_print_receipts(struct arena *a, json_t *answer)
{
    print_items(a, answer,
                (const char *[]){"NUMBER",    "receipt_number", "KIND",    "kind",     "ISSUED",
                                 "issued_at", "NETWORK",        "network", "EVSE",     "evse_id",
                                 "KWH",       "energy_kwh",     "NET",     "net",      "VAT",
                                 "vat",       "GROSS",          "gross",   "CURRENCY", "currency",
                                 "PAYMENT",   "payment_status", NULL},
                "There is no receipt.");
}

void finance_print_cdrs(struct arena *a, json_t *answer)
{
    print_items(a, answer,
                (const char *[]){"ID",      "id",         "NETWORK",     "network",    "CDR",
                                 "cdr_id",  "RECEIVED",   "received_at", "FILED",      "filed",
                                 "CLASS",   "class",      "KWH",         "energy_kwh", "NET",
                                 "net",     "DIFFERENCE", "difference",  "CURRENCY",   "currency",
                                 "SESSION", "session_id", NULL},
                "There is no CDR.");
}

void finance_print_cases(struct arena *a, json_t *answer)
{
    print_items(a, answer,
                (const char *[]){"ID", "id", "KIND", "kind", "NETWORK", "network", "OPENED",
                                 "opened_at", "CDR", "cdr_id", "SESSION", "session_id",
                                 "RESOLUTION", "resolution", "DETAIL", "detail", NULL},
                "Nothing waits for a person.");
}

void finance_print_ledger(struct arena *a, json_t *answer)
{
    print_items(a, answer,
                (const char *[]){"ENTRY", "entry", "AT", "at", "KIND", "kind", "ACCOUNT", "account",
                                 "AMOUNT", "amount", "CURRENCY", "currency", "RECEIPT",
                                 "receipt_number", "CDR", "cdr_id", NULL},
                "The ledger is empty.");
}

void finance_print_refunds(struct arena *a, json_t *answer)
{
    print_items(a, answer,
                (const char *[]){"REFUND",   "refund_id",  "RECEIPT",    "receipt_number", "STATE",
                                 "status",   "AMOUNT",     "amount",     "DONE",           "done",
                                 "CURRENCY", "currency",   "ASKED",      "asked_at",       "BY",
                                 "asked_by", "DECIDED BY", "decided_by", "REASON",         "reason",
                                 NULL},
                "There is no refund.");
}

void finance_print_refund(struct arena *a, json_t *answer)
{
    const char *status = json_text_of(answer, "status");

    printf("The refund %s of %s %s is %s.\n", cell(a, answer, "refund_id"),
           cell(a, answer, "amount"), cell(a, answer, "currency"), status);
    if (strcmp(status, "awaiting_confirmation") == 0)
        printf("Somebody else says `hubctl finance confirm-refund %s`.\n",
               cell(a, answer, "refund_id"));
}

void finance_print_invoices(struct arena *a, json_t *answer)
{
    print_items(a, answer,
                (const char *[]){"ID",       "id",       "DIRECTION",  "direction",  "NETWORK",
                                 "network",  "INVOICE",  "invoice_id", "RECEIVED",   "received_at",
                                 "STATE",    "state",    "CDRS",       "cdrs",       "NOT OK",
                                 "not_ok",   "TOTAL",    "total",      "KIND",       "total_kind",
                                 "EXPECTED", "expected", "DIFFERENCE", "difference", "CURRENCY",
                                 "currency", NULL},
                "There is no invoice.");
}

void finance_print_invoice_cdrs(struct arena *a, json_t *answer)
{
    print_items(a, answer,
                (const char *[]){"CDR", "cdr_id", "CLASS", "class", "ROW", "cdr", "OTHER INVOICE",
                                 "other_invoice", "VAT", "vat_treatment", "RATE", "vat_rate", "NET",
                                 "net", "RECALCULATED", "recalculated_net", "CURRENCY", "currency",
                                 NULL},
                "The invoice has no CDR.");
}

void finance_print_gaps(struct arena *a, json_t *answer)
{
    print_items(a, answer,
                (const char *[]){"KIND", "kind", "NETWORK", "network", "CDR", "cdr_id", "INVOICE",
                                 "invoice_id", "OTHER INVOICE", "other_invoice", "SINCE", "since",
                                 "NET", "net", "CURRENCY", "currency", NULL},
                "Each CDR that is owed is in one invoice.");
}

void finance_print_decided(struct arena *a, json_t *answer)
{
    const char *filed = json_text_of(answer, "filed");
    const char *receipt = json_text_of(answer, "receipt_number");

    if (json_object_get(answer, "resolution"))
        printf("Case %s is resolved: %s.\n", cell(a, answer, "id"), cell(a, answer, "resolution"));
    if (filed)
        printf("The CDR is %s%s%s.\n", filed, receipt ? ", receipt " : "", receipt ? receipt : "");
}

void finance_print_draft(struct arena *a, json_t *answer)
{
    printf("The draft has the number %s. Somebody else says `hubctl finance confirm %s`.\n",
           cell(a, answer, "id"), cell(a, answer, "id"));
}

/* ---- months ---- */

bool finance_month_agrees(const json_t *answer)
{
    const json_t *items = json_array_of(answer, "items");

    for (size_t i = 0; i < json_array_size(items); i++)
        if (!json_is_true(json_object_get(json_array_get(items, i), "control")))
            return false;
    return true;
}

void finance_print_month(struct arena *a, json_t *answer)
{
    print_items(
        a, answer,
        (const char *[]){"NETWORK",   "network",   "CURRENCY",      "currency",    "RECEIPTS",
                         "receipts",  "CANCELLED", "cancellations", "KWH",         "energy_kwh",
                         "NET",       "net",       "VAT",           "vat",         "GROSS",
                         "gross",     "BY CDRS",   "gross_by_cdrs", "OWED",        "owed",
                         "DISPUTED",  "disputed",  "HELD",          "quarantined", "UNMATCHED",
                         "unmatched", "OVERDUE",   "overdue",       NULL},
        "Nothing happened in this month.");
    if (json_array_size(json_array_of(answer, "items")))
        puts(finance_month_agrees(answer) ? "\nReceipts, CDRs and ledger agree."
                                          : "\nRECEIPTS, CDRS AND LEDGER DIFFER: --json shows "
                                            "where; `hubctl finance check`.");
}

void finance_print_statements(struct arena *a, json_t *answer)
{
    print_items(a, answer,
                (const char *[]){"ID",      "id",        "PARTNER",  "partner",    "STATE",
                                 "state",   "NUMBER",    "number",   "CDRS",       "cdrs",
                                 "CREDITS", "credits",   "KWH",      "energy_kwh", "NET",
                                 "net",     "VAT",       "vat",      "GROSS",      "gross",
                                 "FEE",     "fee_gross", "CURRENCY", "currency",   NULL},
                "Nothing is owed for this month.");
}

void finance_print_terms(struct arena *a, json_t *answer)
{
    print_items(a, answer,
                (const char *[]){"PARTNER",  "partner",      "CURRENCY", "currency",
                                 "FROM",     "valid_from",   "VAT",      "vat_treatment",
                                 "RATE",     "vat_rate",     "FEE %",    "fee_percent",
                                 "FEE/CDR",  "fee_per_cdr",  "FEE VAT",  "fee_vat_treatment",
                                 "FEE RATE", "fee_vat_rate", "NETTING",  "netting",
                                 NULL},
                "There are no terms.");
}

bool finance_books_agree(const json_t *answer)
{
    return json_array_size(json_array_of(answer, "faults")) == 0;
}

void finance_print_check(struct arena *a, json_t *answer)
{
    const json_t *faults = json_array_of(answer, "faults");

    for (size_t i = 0; i < json_array_size(faults); i++) {
        const json_t *f = json_array_get(faults, i);

        printf("%s: %s %s\n", cell(a, f, "what"), cell(a, f, "subject"), cell(a, f, "detail"));
    }
    if (finance_books_agree(answer))
        printf("The books agree: %s receipts, the ledger and the statements.\n",
               cell(a, answer, "receipts"));
}
