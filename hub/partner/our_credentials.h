/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our credentials: who we are, in the words of each version and as the face that is asked
 * (R-CRED-13..16).
 *
 *   2.1.1  one party at the top; the URL says in which role
 *   2.2.1  the eMSP face: EMSP; the platform: HUB alone, its clients are told by HubClientInfo
 *   2.3.0  the eMSP face: EMSP; the platform: hub_party_id, our eMSP, and who can be reached here
 */
#ifndef HUB_PARTNER_OUR_CREDENTIALS_H
#define HUB_PARTNER_OUR_CREDENTIALS_H

#include "base/flow.h"
#include "db/client_info.h"
#include "ocpi/face.h"

/* Whom the partner may know of, where our credentials say that; else nothing is read. */
enum flow_next our_clients_read(struct flow *f, enum face face, enum ocpi_version version,
                                int64_t partner_id, struct client_infos *ret);

/* The object as JSON, with this token in it. `clients` of our_clients_read. */
char *our_credentials(struct flow *f, enum face face, enum ocpi_version version,
                      const struct client_infos *clients, const char *token);

#endif
