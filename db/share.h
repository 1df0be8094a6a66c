/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shares: what one partner may read of the objects that others own. Who may see what is part of
 * each statement's WHERE, so that an object of others is a missing one:
 *
 *   locations, tariffs   those of parties with a contract towards one of the reader's parties
 *   sessions, cdrs       those of tokens that one of the reader's parties owns
 *   tokens               those of eMSPs with a contract towards one of the reader's parties
 */
#ifndef DB_SHARE_H
#define DB_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/flow.h"
#include "ocpi/party.h"
#include "ocpi/version.h"

enum share_kind { SHARE_LOCATIONS, SHARE_TARIFFS, SHARE_SESSIONS, SHARE_CDRS, SHARE_TOKENS };

struct share_ask {
    enum share_kind kind;
    int64_t reader_id;                /* the partner who asks */
    struct party_id reader;           /* one of its parties, or unset: all of them */
    struct party_id owner;            /* only this party's objects; unset: everybody's */
    bool for_2_1_1;                   /* leaves out what 2.1.1 may not have: Locations that are not
                                         published, Tariffs that are not valid yet or any more */
    int64_t date_from_us, date_to_us; /* last_updated: from (inclusive) to (exclusive); TIME_NONE */
    int64_t offset, limit;
};

struct shared_object {
    const char *document; /* as its owner sent it */
    size_t length;
    enum ocpi_version ocpi; /* ... in this version */
    const char *country_code, *party_id, *id;
    int64_t last_updated_us;
    /* Sessions and CDRs: the Location they name (NULL: not known), for versions that repeat it. */
    const char *location;
    enum ocpi_version location_ocpi;
    /* The owner of the token, and our session if it is one of ours. */
    const char *token_country_code, *token_party_id;
};
struct share_page {
    struct shared_object *items;
    size_t count;
    int64_t total; /* that the reader could list, whatever offset and limit are */
};

/* Ordered by when we first saw the object, so that pages stay stable (R-TRANS-45). A page of large
 * documents ends before its limit. */
enum flow_next share_list(struct flow *f, const struct share_ask *ask, struct share_page *ret);
/* By id, in any case: one object, none, or several where owners share the id. date_* and paging of
 * the ask do not count. */
enum flow_next share_get(struct flow *f, const struct share_ask *ask, const char *id,
                         struct share_page *ret);

#endif
