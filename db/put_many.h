/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of a partner's objects as one array per column, for one statement (internal to db/).
 */
#ifndef DB_PUT_MANY_H
#define DB_PUT_MANY_H

#include <stddef.h>
#include <stdint.h>

#include "db/pg.h"

enum { PUT_MANY_COLUMNS = 10 };

struct put_many {
    struct arena *arena;
    size_t count, width;
    const char **columns[PUT_MANY_COLUMNS];
};

void put_many_init(struct put_many *many, struct arena *a, size_t width, size_t capacity);
/* A row: `width` values, NULL is SQL NULL; borrowed until the statement is on its way. */
void put_many_add(struct put_many *many, const char *const *values);
void put_many_args(const struct put_many *many, struct pg_args *args); /* $1 to $width */

/* Numbers, times and truths as such values. */
const char *put_many_int(struct arena *a, int64_t value);
const char *put_many_time(struct arena *a, int64_t us);

#endif
