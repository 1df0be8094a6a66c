/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client infos: the state of each connected party, as told to the others (R-HCI). A party sees
 * those it could work with: of the opposite side, with a contract in either direction; never its
 * own.
 */
#ifndef DB_CLIENT_INFO_H
#define DB_CLIENT_INFO_H

#include "base/flow.h"

struct client_info {
    const char *country_code, *party_id, *role;
    const char *status; /* CONNECTED, OFFLINE, PLANNED, SUSPENDED */
    int64_t last_updated_us;
};
struct client_infos {
    struct client_info *items;
    size_t count;
    int64_t total;
};
enum flow_next client_info_list(struct flow *f, int64_t reader_id, int64_t date_from_us,
                                int64_t date_to_us, int64_t offset, int64_t limit,
                                struct client_infos *ret);

/* What another hub tells us of its clients (R-HCI-04: by party and role). */
enum flow_next client_info_put(struct flow *f, int64_t partner_id, const struct client_info *info,
                               bool *ret_created);
enum flow_next client_info_get(struct flow *f, int64_t partner_id, const char *country_code,
                               const char *party_id, struct client_infos *ret);

#endif
