/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partners' door: who presents which credentials token, and for which party they speak.
 */
#ifndef HUB_PARTNER_DOOR_H
#define HUB_PARTNER_DOOR_H

#include "base/flow.h"

/* Finds the partner by the Authorization header (R-TRANS-01..06). Fills request->caller. */
enum flow_next partner_door_open(struct flow *f);

/* After it: token A opens versions and credentials only (R-TRANS-07); a suspended partner gets in
 * nowhere; the routing headers name a party of this partner in a role that fits the face: CPOs at
 * `emsp`, the others at `cpo` (R-ROUTE-05, 06). TO is us, unless the route says that it may be
 * somebody else. Fills caller->from and to, for 2.1.1 too, which has no such headers. */
struct err partner_door_check(struct flow *f);

/* {cc}/{pid} of a push URL: the partner's own party in a fitting role, else the object does not
 * exist for them (R-TRANS-16): ERR_OBJECT_NOT_FOUND. */
struct err partner_door_party(struct flow *f, const char *country_code, const char *party_id);

/* The row of the message log for a request that was answered. */
void partner_door_log(struct flow *f, int64_t ms);

#endif
