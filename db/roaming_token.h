/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roaming tokens: what the drivers of other eMSPs charge with, as their eMSPs tell us. They answer
 * whose a Session or CDR is. Our own users' tokens are another noun (db/token.h).
 *
 * The key is owner, uid and type (R-TOK-01). Never deleted: valid false (R-TOK-02).
 */
#ifndef DB_ROAMING_TOKEN_H
#define DB_ROAMING_TOKEN_H

#include "base/flow.h"
#include "db/location.h"

struct roaming_token_key {
    int64_t partner_id;
    const char *country_code, *party_id, *uid, *type; /* any case; the type as in 2.2.1 */
};
enum flow_next roaming_token_get(struct flow *f, const struct roaming_token_key *key,
                                 struct stored_object *ret);

struct roaming_token_put {
    struct roaming_token_key key;
    const char *document;
    enum ocpi_version ocpi;
    const char *contract_id; /* auth_id of 2.1.1 */
    bool valid;
    int64_t last_updated_us;
    int64_t if_version;    /* as in location_put */
    bool unreliable_clock; /* an older one counts, too */
};
struct roaming_token_stored {
    enum {
        ROAMING_TOKEN_CREATED,
        ROAMING_TOKEN_REPLACED,
        ROAMING_TOKEN_STALE,
        ROAMING_TOKEN_SAME,
        ROAMING_TOKEN_CONFLICT
    } outcome;
};
enum flow_next roaming_token_put(struct flow *f, const struct roaming_token_put *put,
                                 struct roaming_token_stored *ret);
/* A page of a pull. */
enum flow_next roaming_token_put_many(struct flow *f, const struct roaming_token_put *puts,
                                      size_t count);

/* Who owns what a Session or CDR of this CPO was charged with; `uid` may be the contract id
 * (auth_id of 2.1.1). Among tokens of eMSPs that the CPO may know: our own, and those under a
 * contract. found=false: nobody's. */
struct token_owner {
    bool found, ours;
    const char *country_code, *party_id, *uid, *type, *contract_id;
    const char *document; /* the Token, NULL where ours */
    enum ocpi_version ocpi;
};
enum flow_next token_owner_find(struct flow *f, int64_t cpo_partner_id, const char *uid,
                                struct token_owner *ret);

#endif
