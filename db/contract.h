/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contracts: which party's data and messages may go to which other party, per module. Closed by
 * default. Our own eMSP needs none with the CPOs that are connected to it.
 */
#ifndef DB_CONTRACT_H
#define DB_CONTRACT_H

#include "base/flow.h"
#include "ocpi/party.h"

struct contract {
    struct party_id from, to; /* whose objects, and who gets them: a CPO's locations to an eMSP */
    const char *module;       /* "locations"; NULL: all of them */
    bool allowed;             /* false: this module is excepted from a wider contract */
    int64_t since_us;
};
struct contracts {
    struct contract *items;
    size_t count;
};

/* Replaces what stood for this pair and module. Both parties need not be connected yet. What is
 * newly allowed is pushed and listed from now on. */
enum flow_next contract_set(struct flow *f, const struct contract *c);
/* Both may be unset: all. By from, to, module. */
enum flow_next contract_list(struct flow *f, const struct party_id *from, const struct party_id *to,
                             struct contracts *ret);

/* Whether objects and messages of `module` may go from the one to the other, as this process last
 * read the contracts: a plain function call, fresh within a second. Closed while nothing was read
 * yet. Our own eMSP and the CPOs need no contract. */
bool contract_allows(struct flow *f, const struct party_id *from, const struct party_id *to,
                     const char *module);
bool contracts_ready(void); /* they have been read once */

#endif
