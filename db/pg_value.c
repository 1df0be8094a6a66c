/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values on their way to Postgres and back. Everything but bytea travels as text, in the formats
 * that connection_setup fixes (UTC, ISO dates).
 *
 * A column that a statement does not return is a mistake in our own SQL or C: we stop.
 */
#include "db/pg.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/text.h"
#include "base/time.h"

enum { ARRAY_MAX = 16 * 1024 * 1024 };

/* ---- to Postgres ---- */

void pg_args_init(struct pg_args *args, struct arena *a)
{
    args->arena = a;
    args->count = 0;
}

static void add(struct pg_args *args, const char *value, int length, int format)
{
    assert(args->count < PG_MAX_ARGS);
    args->values[args->count] = value;
    args->lengths[args->count] = length;
    args->formats[args->count] = format;
    args->count++;
}

void pg_arg_text(struct pg_args *args, const char *value)
{
    add(args, value, 0, 0);
}

void pg_arg_int(struct pg_args *args, int64_t value)
{
    add(args, arena_printf(args->arena, "%lld", (long long)value), 0, 0);
}

void pg_arg_bool(struct pg_args *args, bool value)
{
    add(args, value ? "t" : "f", 0, 0);
}

void pg_arg_time(struct pg_args *args, int64_t us)
{
    char text[TIME_TEXT];

    add(args, us == TIME_NONE ? NULL : arena_text(args->arena, time_print_micros(text, us)), 0, 0);
}

void pg_arg_u6(struct pg_args *args, int64_t value)
{
    char text[DECIMAL_TEXT];

    add(args, arena_text(args->arena, decimal_print_u6(text, value, 0, 6)), 0, 0);
}

void pg_arg_bytes(struct pg_args *args, const void *bytes, size_t length)
{
    assert(length < INT32_MAX);
    add(args, bytes, (int)length, 1);
}

/* {"a","b \"c\"",NULL}: always quoted, so that the text NULL and white space stay what they are. */
void pg_arg_texts(struct pg_args *args, const char *const *values, size_t count)
{
    struct text array;

    text_init(&array, args->arena, ARRAY_MAX);
    text_add(&array, "{");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            text_add(&array, ",");
        if (!values[i]) {
            text_add(&array, "NULL");
            continue;
        }
        text_add(&array, "\"");
        for (const char *s = values[i]; *s;) {
            size_t plain = strcspn(s, "\"\\");
            text_add_bytes(&array, s, plain);
            s += plain;
            if (*s) {
                text_add(&array, "\\");
                text_add_bytes(&array, s++, 1);
            }
        }
        text_add(&array, "\"");
    }
    text_add(&array, "}");
    assert(!text_overflowed(&array));
    add(args, array.bytes, 0, 0);
}

/* ---- from Postgres ---- */

static int column_of(const PGresult *rows, const char *column)
{
    int count = PQnfields(rows);

    /* Not PQfnumber: it copies the name and folds its case at each call. */
    for (int i = 0; i < count; i++)
        if (strcmp(PQfname(rows, i), column) == 0)
            return i;
    fprintf(stderr, "pg: a statement does not return the column %s\n", column);
    abort();
}

/* NULL where the value is NULL. */
static const char *value_of(const PGresult *rows, int row, const char *column)
{
    int index = column_of(rows, column);

    return PQgetisnull(rows, row, index) ? NULL : PQgetvalue(rows, row, index);
}

const char *pg_text(struct arena *a, const PGresult *rows, int row, const char *column)
{
    return arena_text(a, value_of(rows, row, column));
}

int64_t pg_int(const PGresult *rows, int row, const char *column)
{
    const char *value = value_of(rows, row, column);

    return value ? strtoll(value, NULL, 10) : 0;
}

bool pg_bool(const PGresult *rows, int row, const char *column)
{
    const char *value = value_of(rows, row, column);

    return value && value[0] == 't';
}

/* "2026-03-30 08:00:00.123+00": the session's time zone is UTC. */
int64_t pg_time(const PGresult *rows, int row, const char *column)
{
    const char *value = value_of(rows, row, column);
    char text[TIME_TEXT];
    int64_t us;

    if (!value || !text_copy(text, sizeof(text) - 1, value))
        return TIME_NONE;
    char *space = strchr(text, ' '), *zone = strchr(text, '+');
    if (!space || !zone)
        return TIME_NONE;
    *space = 'T';
    memcpy(zone, "Z", sizeof("Z"));
    return time_parse(text, TIME_RFC3339, &us) ? us : TIME_NONE;
}

/* Exact, and wider than what decimal_parse_u6 takes from outside: a sum may have 18 digits. */
int64_t pg_u6(const PGresult *rows, int row, const char *column)
{
    const char *s = value_of(rows, row, column);

    if (!s)
        return 0;
    bool negative = *s == '-';
    int64_t value = 0;
    int decimals = -1;
    for (s += negative; *s && decimals < 6; s++) {
        if (*s == '.') {
            decimals = 0;
            continue;
        }
        assert(*s >= '0' && *s <= '9');
        bool overflow = __builtin_mul_overflow(value, 10, &value) ||
                        __builtin_add_overflow(value, *s - '0', &value);
        assert(!overflow);
        if (decimals >= 0)
            decimals++;
    }
    for (; *s; s++)
        assert(*s == '0'); /* our columns keep six decimals */
    for (decimals = decimals < 0 ? 0 : decimals; decimals < 6; decimals++) {
        bool overflow = __builtin_mul_overflow(value, 10, &value);
        assert(!overflow);
    }
    return negative ? -value : value;
}

bool pg_is_null(const PGresult *rows, int row, const char *column)
{
    return value_of(rows, row, column) == NULL;
}
