/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows turned into columns.
 */
#include "db/put_many.h"

#include <assert.h>

#include "base/arena.h"
#include "base/time.h"

void put_many_init(struct put_many *many, struct arena *a, size_t width, size_t capacity)
{
    assert(width <= PUT_MANY_COLUMNS);
    *many = (struct put_many){.arena = a, .width = width};
    for (size_t i = 0; i < width; i++)
        many->columns[i] = arena_alloc(a, sizeof(char *) * (capacity + 1));
}

void put_many_add(struct put_many *many, const char *const *values)
{
    for (size_t i = 0; i < many->width; i++)
        many->columns[i][many->count] = values[i];
    many->count++;
}

void put_many_args(const struct put_many *many, struct pg_args *args)
{
    pg_args_init(args, many->arena);
    for (size_t i = 0; i < many->width; i++)
        pg_arg_texts(args, many->columns[i], many->count);
}

const char *put_many_int(struct arena *a, int64_t value)
{
    return arena_printf(a, "%lld", (long long)value);
}

const char *put_many_time(struct arena *a, int64_t us)
{
    char time[TIME_TEXT];

    return arena_text(a, time_print_micros(time, us));
}
