/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The endpoints for finance people (contract section 10); routes.c lists them. Payments have their
 * own in payment_api.h.
 */
#ifndef HUB_FINANCE_FINANCE_API_H
#define HUB_FINANCE_FINANCE_API_H

struct flow_type;

/* lists.c */
extern const struct flow_type list_receipts_flow, list_cdrs_flow, list_cases_flow, list_ledger_flow,
    list_refunds_flow, show_cdr_flow;
/* invoices.c */
extern const struct flow_type list_invoices_flow, list_invoice_gaps_flow, show_invoice_flow,
    list_invoice_cdrs_flow, enter_invoice_total_flow;
/* receipts_api.c */
extern const struct flow_type show_receipt_flow;
/* matching.c, cases.c, manual_cdr.c, manual_credit.c */
extern const struct flow_type match_cdr_flow, resolve_case_flow, draft_cdr_flow, confirm_cdr_flow,
    decline_cdr_flow, credit_manual_cdr_flow;
/* reconciliation.c */
extern const struct flow_type reconciliation_flow, check_books_flow;
/* statements.c */
extern const struct flow_type list_statements_flow, show_statement_flow, list_statement_lines_flow,
    close_statement_flow, send_statement_flow, move_statement_flow, list_terms_flow, put_terms_flow;

#endif
