/* SPDX-License-Identifier: Apache-2.0 */
/* Finance commands: lists, decisions, months, statements. */
#ifndef HUB_CTL_FINANCE_H
#define HUB_CTL_FINANCE_H

#include <jansson.h>
#include <stdbool.h>

#include "hub/ctl/command.h"

const char *finance_receipts_query(struct arena *a, const struct command_line *line);
const char *finance_cdrs_query(struct arena *a, const struct command_line *line);
const char *finance_cases_query(struct arena *a, const struct command_line *line);
const char *finance_ledger_query(struct arena *a, const struct command_line *line);
const char *finance_refunds_query(struct arena *a, const struct command_line *line);
const char *finance_invoices_query(struct arena *a, const struct command_line *line);
const char *finance_gaps_query(struct arena *a, const struct command_line *line);
const char *finance_partner_query(struct arena *a, const struct command_line *line);

const char *finance_match_body(struct arena *a, const struct command_line *line);
const char *finance_resolve_body(struct arena *a, const struct command_line *line);
const char *finance_manual_body(struct arena *a, const struct command_line *line);
const char *finance_reason_body(struct arena *a, const struct command_line *line);
const char *finance_state_body(struct arena *a, const struct command_line *line);
const char *finance_terms_body(struct arena *a, const struct command_line *line);
const char *finance_refund_body(struct arena *a, const struct command_line *line);
const char *finance_total_body(struct arena *a, const struct command_line *line);

void finance_print_receipts(struct arena *a, json_t *answer);
void finance_print_cdrs(struct arena *a, json_t *answer);
void finance_print_cases(struct arena *a, json_t *answer);
void finance_print_ledger(struct arena *a, json_t *answer);
void finance_print_refunds(struct arena *a, json_t *answer);
void finance_print_refund(struct arena *a, json_t *answer);
void finance_print_invoices(struct arena *a, json_t *answer);
void finance_print_invoice_cdrs(struct arena *a, json_t *answer);
void finance_print_gaps(struct arena *a, json_t *answer);
void finance_print_decided(struct arena *a, json_t *answer);
void finance_print_draft(struct arena *a, json_t *answer);
void finance_print_month(struct arena *a, json_t *answer);
void finance_print_statements(struct arena *a, json_t *answer);
void finance_print_terms(struct arena *a, json_t *answer);
void finance_print_check(struct arena *a, json_t *answer);
bool finance_month_agrees(const json_t *answer);
bool finance_books_agree(const json_t *answer);

#endif
