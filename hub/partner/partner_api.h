/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OCPI endpoints, each a use case (routes.c lists them).
 */
#ifndef HUB_PARTNER_PARTNER_API_H
#define HUB_PARTNER_PARTNER_API_H

struct flow_type;

/* versions.c, credentials.c */
extern const struct flow_type versions_flow, version_details_flow;
extern const struct flow_type credentials_get_flow, credentials_post_flow, credentials_put_flow,
    credentials_delete_flow;
/* locations.c, tariffs.c */
extern const struct flow_type location_get_flow, location_put_flow, location_patch_flow;
extern const struct flow_type tariff_get_flow, tariff_put_flow, tariff_patch_flow,
    tariff_delete_flow;
/* sessions.c, cdrs.c */
extern const struct flow_type session_get_flow, session_put_flow, session_patch_flow;
extern const struct flow_type cdr_post_flow, cdr_get_flow;
/* tokens.c, callbacks.c */
extern const struct flow_type token_list_flow, token_authorize_flow, token_known_flow;
extern const struct flow_type callback_flow, active_profile_flow;
/* invoices.c */
extern const struct flow_type invoice_list_flow, invoice_get_flow, invoice_post_flow,
    invoice_put_flow, invoice_delete_flow;
/* shared_lists.c, roaming_tokens.c, client_infos.c */
extern const struct flow_type shared_list_flow, shared_location_flow;
extern const struct flow_type roaming_token_get_flow, roaming_token_put_flow,
    roaming_token_patch_flow;
extern const struct flow_type client_info_list_flow, client_info_get_flow, client_info_put_flow;

#endif
