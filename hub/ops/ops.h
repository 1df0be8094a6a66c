/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health, metrics, and the admin API of hubctl, each endpoint a use case (routes.c lists them).
 */
#ifndef HUB_OPS_OPS_H
#define HUB_OPS_OPS_H

struct flow_type;

extern const struct flow_type healthz_flow, readyz_flow, metrics_flow; /* health.c */
extern const struct flow_type mint_token_flow;                          /* tokens.c */
extern const struct flow_type list_partners_flow, show_partner_flow,
    invite_partner_flow; /* partners.c */
extern const struct flow_type register_partner_flow, rotate_partner_flow; /* registration.c */
/* For flow_child, without a request: context is the partner's id, an int64_t. */
void rotate_partner_fill(void *state, void *context);
extern const struct flow_type unregister_partner_flow, suspend_partner_flow, resume_partner_flow,
    approve_host_flow, set_quirks_flow; /* connection.c */
extern const struct flow_type test_partner_flow, show_partner_test_flow; /* selftest/request.c */
extern const struct flow_type inspect_session_flow; /* inspect.c */
extern const struct flow_type list_messages_flow, show_message_flow; /* messages.c */
extern const struct flow_type unlock_evse_flow;     /* unlock.c */
extern const struct flow_type list_contracts_flow, set_contract_flow; /* contracts.c */
extern const struct flow_type publish_retail_flow, list_retail_flow, show_retail_flow,
    withdraw_retail_flow; /* retail.c */
extern const struct flow_type set_vat_flow, list_vat_flow; /* vat.c */
extern const struct flow_type list_user_groups_flow, set_user_group_flow, add_user_flow,
    remove_user_flow; /* user_groups.c */
extern const struct flow_type list_tariff_lint_flow, approve_tariff_flow; /* tariff_lint.c */

extern const struct flow_type active_profile_ask_flow; /* active_profile.c */
extern const struct flow_type reserve_evse_flow, cancel_reservation_flow; /* reservations.c */

#endif
