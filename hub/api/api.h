/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The REST API for apps and robots, each endpoint a use case (routes.c lists them).
 */
#ifndef HUB_API_API_H
#define HUB_API_API_H

struct flow_type;

extern const struct flow_type start_session_flow, stop_session_flow;  /* start.c, stop.c */
extern const struct flow_type session_status_flow;                     /* status.c */
extern const struct flow_type set_profile_flow, clear_profile_flow;    /* profile.c */
extern const struct flow_type session_receipt_flow;                    /* receipt.c */
extern const struct flow_type list_sessions_flow, show_session_flow;   /* sessions.c */
extern const struct flow_type show_evse_flow, openapi_flow;            /* evses.c, openapi.c */

#endif
