/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register of partners as this process has it (internal to db/).
 */
#ifndef DB_PARTNER_REGISTER_H
#define DB_PARTNER_REGISTER_H

#include "base/id.h"
#include "db/partner.h"
#include "db/pg.h"

/* A token that opens our doors, as its keyed hash. */
struct partner_token {
    char hash[SHA256_HEX];
    const struct partner *partner;
    enum token_kind kind;
    bool fresh; /* never used: its first use retires the one before */
    bool lasts;
    int64_t expires_us;
};

void partner_token_hash(const char *token, char ret[SHA256_HEX]);
/* In the newest snapshot, which the flow then holds; NULL: not there, or over. */
struct partner_token *partner_token_find(struct flow *f, const char *hash);

/* Builds a snapshot of the result of STATEMENT_partner_register and makes it the newest. */
void partner_register_take(const PGresult *rows);

#endif
