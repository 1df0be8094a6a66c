/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owners: whose an id is. Ids are unique per party only, so there may be several (R-ROUTE-55);
 * who may be told of which is not looked at here.
 */
#ifndef DB_OWNER_H
#define DB_OWNER_H

#include <stddef.h>

#include "base/flow.h"
#include "ocpi/party.h"

enum owner_kind {
    OWNER_OF_LOCATION,
    OWNER_OF_SESSION,
    OWNER_OF_RESERVATION, /* the CPO that a RESERVE_NOW went to */
    OWNER_OF_TOKEN,       /* its eMSP; our own party for tokens of our users */
};

struct owners {
    struct party_id *items; /* each once */
    size_t count;
};

/* The id in any case. `type`: of a Token, as in 2.2.1 (NULL: any); of a Session the party that owns
 * its token, of a reservation the party that asked for it, as "NL-ABC" (NULL: anybody's); of a
 * Location NULL. */
enum flow_next owners_find(struct flow *f, enum owner_kind kind, const char *id, const char *type,
                           struct owners *ret);

#endif
