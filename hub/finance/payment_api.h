/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The endpoints of payments; routes.c lists them.
 */
#ifndef HUB_FINANCE_PAYMENT_API_H
#define HUB_FINANCE_PAYMENT_API_H

struct flow_type;

extern const struct flow_type psp_webhook_flow; /* webhook.c */
/* refund.c */
extern const struct flow_type refund_receipt_flow, confirm_refund_flow, decline_refund_flow;
extern const struct flow_type show_payer_flow, set_payer_flow; /* payers.c */

#endif
