/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zone: reading of TZif files. A file holds a list of changes, and for the time after the last of
 * them a rule in the words of POSIX: "CET-1CEST,M3.5.0,M10.5.0/3".
 */
#include "base/zone.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/time.h"

enum {
    HEADER = 44,
    CHANGES_MAX = 4096,
    TYPES_MAX = 256,
    TYPE_BYTES = 6,
    NAME_MAX_BYTES = 64,
    FOOTER_MAX = 256,
    DAY = 86400
};

/* A day of the year at which the clocks are put on or back, and when, in seconds of local time. */
struct day_rule {
    char kind; /* 'M': week and weekday of a month; 'J': day 1..365, no 29 Feb; 'N': day 0..365 */
    int month, week, day;
    int32_t second;
};

struct rule {
    int32_t standard, summer; /* seconds ahead of UTC */
    bool has_summer;
    struct day_rule begins, ends;
};

struct zone {
    int64_t *at;     /* seconds since 1970 */
    int32_t *offset; /* from then on */
    size_t count;
    int32_t first; /* before all changes */
    bool has_rule;
    struct rule rule; /* after all changes */
};

static struct err bad(struct arena *a, const char *what)
{
    return err_at(a, ERR_BAD_FIELD, NULL, "this is no time zone file: %s", what);
}

/* ---- calendar ---- */

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t floor_div(int64_t value, int64_t divisor)
{
    return value / divisor - (value % divisor < 0);
}

/* Days from 1970-01-01 to the first day of the year. */
static int64_t days_before(int64_t year)
{
    int64_t y = year - 1;

    return 365 * (year - 1970) + floor_div(y, 4) - floor_div(y, 100) + floor_div(y, 400) - 477;
}

static int64_t year_of(int64_t second)
{
    int64_t days = floor_div(second, DAY);
    int64_t year = 1970 + floor_div(days * 400, 146097);

    while (days_before(year) > days)
        year--;
    while (days_before(year + 1) <= days)
        year++;
    return year;
}

static int64_t day_of_rule(const struct day_rule *r, int64_t year)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t first = days_before(year);

    if (r->kind == 'N')
        return first + r->day;
    if (r->kind == 'J')
        return first + r->day - 1 + (is_leap(year) && r->day >= 60);
    for (int m = 1; m < r->month; m++)
        first += lengths[m - 1] + (m == 2 && is_leap(year));
    int length = lengths[r->month - 1] + (r->month == 2 && is_leap(year));
    /* 1970-01-01 was a Thursday. */
    int64_t weekday = ((first + 4) % 7 + 7) % 7;
    int64_t day = (r->day - weekday + 7) % 7 + (r->week - 1) * 7;
    while (day >= length)
        day -= 7;
    return first + day;
}

/* ---- the rule ---- */

static bool take_number(const char **s, int limit, int *ret)
{
    int value = 0;

    if (**s < '0' || **s > '9')
        return false;
    for (; **s >= '0' && **s <= '9'; (*s)++) {
        value = value * 10 + (**s - '0');
        if (value > limit)
            return false;
    }
    *ret = value;
    return true;
}

/* "CET", "<+03>" */
static bool take_name(const char **s)
{
    const char *from = *s;

    if (**s == '<') {
        while (**s && **s != '>')
            (*s)++;
        return *(*s)++ == '>';
    }
    while ((**s >= 'A' && **s <= 'Z') || (**s >= 'a' && **s <= 'z'))
        (*s)++;
    return *s - from >= 3;
}

/* "3", "-3:30", "02:00:00" */
static bool take_hours(const char **s, int32_t *ret)
{
    int hours, minutes = 0, seconds = 0;
    int sign = **s == '-' ? -1 : 1;

    if (**s == '-' || **s == '+')
        (*s)++;
    if (!take_number(s, 167, &hours))
        return false;
    if (**s == ':' && (++*s, !take_number(s, 59, &minutes)))
        return false;
    if (**s == ':' && (++*s, !take_number(s, 59, &seconds)))
        return false;
    *ret = sign * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

static bool take_day(const char **s, struct day_rule *ret)
{
    ret->second = 2 * 3600;
    if (*(*s)++ != ',')
        return false;
    ret->kind = 'N';
    if (**s == 'M' || **s == 'J')
        ret->kind = *(*s)++;
    if (ret->kind == 'M') {
        if (!take_number(s, 12, &ret->month) || *(*s)++ != '.' || !take_number(s, 5, &ret->week) ||
            *(*s)++ != '.' || !take_number(s, 6, &ret->day) || !ret->month || !ret->week)
            return false;
    } else if (!take_number(s, 365, &ret->day) || (ret->kind == 'J' && !ret->day)) {
        return false;
    }
    return **s != '/' || (++*s, take_hours(s, &ret->second));
}

static bool offset_is_sane(int32_t offset)
{
    return offset >= -ZONE_OFFSET_MAX && offset <= ZONE_OFFSET_MAX;
}

/* POSIX counts the hours to the west. */
static bool read_rule(const char *s, struct rule *ret)
{
    if (!take_name(&s) || !take_hours(&s, &ret->standard))
        return false;
    ret->standard = ret->summer = -ret->standard;
    if (*s) {
        ret->has_summer = true;
        if (!take_name(&s))
            return false;
        ret->summer = ret->standard + 3600;
        if (*s != ',') {
            if (!take_hours(&s, &ret->summer))
                return false;
            ret->summer = -ret->summer;
        }
        if (!take_day(&s, &ret->begins) || !take_day(&s, &ret->ends) || *s)
            return false;
    }
    return offset_is_sane(ret->standard) && offset_is_sane(ret->summer);
}

static int64_t begin_of_summer(const struct rule *r, int64_t year)
{
    return day_of_rule(&r->begins, year) * DAY + r->begins.second - r->standard;
}

static int64_t end_of_summer(const struct rule *r, int64_t year)
{
    return day_of_rule(&r->ends, year) * DAY + r->ends.second - r->summer;
}

static int32_t offset_by_rule(const struct rule *r, int64_t second)
{
    if (!r->has_summer)
        return r->standard;
    int64_t year = year_of(second + r->standard);
    int64_t begin = begin_of_summer(r, year), end = end_of_summer(r, year);
    bool summer = begin < end ? second >= begin && second < end : second >= begin || second < end;
    return summer ? r->summer : r->standard;
}

/* ---- the file ---- */

static uint32_t word(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t long_word(const unsigned char *p)
{
    return (int64_t)((uint64_t)word(p) << 32 | word(p + 4));
}

struct counts {
    size_t utc, standard, leap, changes, types, characters;
};

static bool read_header(const unsigned char *p, size_t length, struct counts *ret)
{
    if (length < HEADER || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
        return false;
    *ret = (struct counts){word(p + 20), word(p + 24), word(p + 28),
                           word(p + 32), word(p + 36), word(p + 40)};
    return ret->changes <= CHANGES_MAX && ret->types <= TYPES_MAX && ret->leap <= CHANGES_MAX &&
           ret->characters <= ZONE_FILE_MAX && ret->utc <= TYPES_MAX && ret->standard <= TYPES_MAX;
}

static size_t block_bytes(const struct counts *c, size_t time_bytes)
{
    return c->changes * (time_bytes + 1) + c->types * TYPE_BYTES + c->characters +
           c->leap * (time_bytes + 4) + c->standard + c->utc;
}

static struct err read_changes(struct arena *a, const unsigned char *p, const struct counts *c,
                               struct zone *z)
{
    const unsigned char *indexes = p + c->changes * 8, *types = indexes + c->changes;

    for (size_t i = 0; i < c->types; i++)
        if (!offset_is_sane((int32_t)word(types + i * TYPE_BYTES)))
            return bad(a, "an offset is too large");
    z->first = (int32_t)word(types);
    z->at = arena_alloc(a, (c->changes + 1) * sizeof *z->at);
    z->offset = arena_alloc(a, (c->changes + 1) * sizeof *z->offset);
    for (size_t i = 0; i < c->changes; i++) {
        int64_t at = long_word(p + i * 8);
        if (indexes[i] >= c->types || (i && at <= long_word(p + (i - 1) * 8)))
            return bad(a, "its changes are in disorder");
        /* What changes the name alone is no change here. */
        int32_t offset = (int32_t)word(types + indexes[i] * TYPE_BYTES);
        if (offset == (z->count ? z->offset[z->count - 1] : z->first))
            continue;
        z->at[z->count] = at;
        z->offset[z->count++] = offset;
    }
    return OK;
}

static struct err read_footer(struct arena *a, const unsigned char *p, size_t length,
                              struct zone *z)
{
    const unsigned char *end = length > 1 ? memchr(p + 1, '\n', length - 1) : NULL;

    if (!end || *p != '\n' || end - p > FOOTER_MAX)
        return bad(a, "its last line is missing");
    if (end == p + 1)
        return OK;
    z->has_rule = read_rule(arena_bytes(a, p + 1, (size_t)(end - p - 1)), &z->rule);
    return z->has_rule ? OK : bad(a, "the rule in its last line cannot be read");
}

struct err zone_read(struct arena *a, const void *bytes, size_t length, struct zone **ret)
{
    const unsigned char *p = bytes;
    struct counts c;

    if (!read_header(p, length, &c))
        return bad(a, "its head is not that of TZif version 2");
    size_t skip = HEADER + block_bytes(&c, 4);
    if (skip > length || !read_header(p + skip, length - skip, &c))
        return bad(a, "its second head is missing");
    p += skip + HEADER;
    length -= skip + HEADER;
    size_t block = block_bytes(&c, 8);
    if (block > length || !c.types)
        return bad(a, "it is cut off");
    if (c.leap)
        return bad(a, "it counts leap seconds");
    struct zone *z = arena_alloc(a, sizeof *z);
    TRY(read_changes(a, p, &c, z));
    TRY(read_footer(a, p + block, length - block, z));
    *ret = z;
    return OK;
}

static bool name_is_harmless(const char *name)
{
    size_t length = strlen(name);

    if (!length || length > NAME_MAX_BYTES || name[0] == '/' || strstr(name, ".."))
        return false;
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") ==
           length;
}

struct err zone_load(struct arena *a, const char *name, struct zone **ret)
{
    const char *folder = getenv("TZDIR");
    FILE *file = NULL;

    if (!folder || !*folder)
        folder = "/usr/share/zoneinfo";
    if (name_is_harmless(name))
        file = fopen(arena_printf(a, "%s/%s", folder, name), "re");
    if (!file)
        return err_at(a, ERR_NOT_FOUND, NULL, "the time zone \"%s\" is not known here", name);
    char *bytes = arena_alloc(a, ZONE_FILE_MAX);
    size_t length = fread(bytes, 1, ZONE_FILE_MAX, file);
    fclose(file);
    return zone_read(a, bytes, length, ret);
}

/* ---- asking ---- */

/* How many changes are at or before that second. */
static size_t changes_until(const struct zone *z, int64_t second)
{
    size_t low = 0, high = z->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (z->at[middle] <= second)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int32_t zone_offset(const struct zone *z, int64_t us)
{
    int64_t second = floor_div(us, US_PER_SECOND);
    size_t passed = changes_until(z, second);

    if (passed == z->count && z->has_rule)
        return offset_by_rule(&z->rule, second);
    return passed ? z->offset[passed - 1] : z->first;
}

int64_t zone_next_change(const struct zone *z, int64_t us)
{
    int64_t second = floor_div(us, US_PER_SECOND), best = INT64_MAX;
    size_t passed = changes_until(z, second);

    if (passed < z->count)
        best = z->at[passed];
    else if (z->has_rule && z->rule.has_summer)
        for (int64_t year = year_of(second) - 1, last = year + 3; year <= last; year++) {
            int64_t moments[] = {begin_of_summer(&z->rule, year), end_of_summer(&z->rule, year)};
            for (size_t i = 0; i < 2; i++)
                if (moments[i] > second && moments[i] < best)
                    best = moments[i];
        }
    return best > INT64_MAX / US_PER_SECOND ? TIME_NONE : best * US_PER_SECOND;
}
