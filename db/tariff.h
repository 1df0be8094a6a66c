/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tariffs: the CPOs' prices as they told them, with every version they ever had.
 *
 * A deleted tariff leaves a tombstone (R-TAR-16): CDRs refer to it.
 */
#ifndef DB_TARIFF_H
#define DB_TARIFF_H

#include "base/flow.h"
#include "db/location.h"

struct tariff_key {
    int64_t partner_id;
    const char *country_code, *party_id, *tariff_id;
};
struct tariff_put {
    struct tariff_key key;
    const char *document;   /* as it came */
    enum ocpi_version ocpi; /* its version; NONE: 2.2.1 */
    int64_t last_updated_us;
    int64_t if_version;    /* 0: whatever is there (a PUT); else only if unchanged (PATCH) */
    bool unreliable_clock; /* an older one counts, too */
};
struct tariff_stored {
    bool created;
    bool conflict; /* if_version did not hold: read, merge, try again */
};
enum flow_next tariff_get(struct flow *f, const struct tariff_key *key, struct stored_object *ret);
enum flow_next tariff_put(struct flow *f, const struct tariff_put *put, struct tariff_stored *ret);
enum flow_next tariff_put_many(struct flow *f, const struct tariff_put *puts, size_t count);
/* found=false: unknown or already deleted: HTTP 404. */
enum flow_next tariff_delete(struct flow *f, const struct tariff_key *key, bool *ret_found);

#endif
