/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health, metrics, and the admin API of hubctl, each endpoint a use case (routes.c lists them).
 */
#ifndef HUB_OPS_OPS_H
#define HUB_OPS_OPS_H

struct flow_type;

extern const struct flow_type healthz_flow, readyz_flow, metrics_flow; /* health.c */
extern const struct flow_type mint_token_flow;                          /* tokens.c */
extern const struct flow_type list_partners_flow, show_partner_flow, invite_partner_flow,
    register_partner_flow; /* partners.c; register runs partner/handshake.h */
extern const struct flow_type inspect_session_flow; /* inspect.c */
extern const struct flow_type unlock_evse_flow;     /* unlock.c */

#endif
