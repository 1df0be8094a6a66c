/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of a partner's objects as six arrays, for one statement (internal to db/).
 */
#ifndef DB_PUT_MANY_H
#define DB_PUT_MANY_H

#include <stddef.h>
#include <stdint.h>

#include "db/pg.h"

struct put_many {
    struct arena *arena;
    size_t count;
    const char **columns[6]; /* partner id, country, party, id, document, last_updated */
};

void put_many_init(struct put_many *many, struct arena *a, size_t capacity);
void put_many_add(struct put_many *many, int64_t partner_id, const char *country_code,
                  const char *party_id, const char *id, const char *document,
                  int64_t last_updated_us);
void put_many_args(const struct put_many *many, struct pg_args *args); /* $1 to $6 */

#endif
