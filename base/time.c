/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: reading and writing of date-times, and the clocks.
 *
 * The calendar is computed here (proleptic Gregorian), so that neither the locale nor TZ can have
 * a say. Fractions finer than a microsecond are cut off.
 */
#include "base/time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define US_PER_DAY (US_PER_SECOND * 86400)

/* ---- clocks ---- */

static int64_t frozen_us = TIME_NONE;

int64_t time_now_us(void)
{
    struct timespec now;

    if (frozen_us != TIME_NONE)
        return frozen_us;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000;
}

int64_t time_monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void time_set_for_test(int64_t us)
{
    frozen_us = us;
}

/* ---- calendar ---- */

struct date {
    int year, month, day;
};

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days since 1970-01-01. Years are counted from March, so that the leap day is the last. */
static int64_t days_of(struct date d)
{
    int64_t year = d.month <= 2 ? d.year - 1 : d.year;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (d.month > 2 ? d.month - 3 : d.month + 9) + 2) / 5 + d.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static struct date date_of(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);

    return (struct date){
        .year = (int)(year_of_era + era * 400 + (month <= 2)),
        .month = month,
        .day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
    };
}

/* ---- reading ---- */

/* Takes exactly `count` digits. */
static bool take_digits(const char **s, int count, int *ret)
{
    int value = 0;

    for (int i = 0; i < count; i++) {
        char c = (*s)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *s += count;
    *ret = value;
    return true;
}

static bool take(const char **s, char c)
{
    if (**s != c)
        return false;
    (*s)++;
    return true;
}

static bool take_date(const char **s, struct date *d)
{
    return take_digits(s, 4, &d->year) && take(s, '-') && take_digits(s, 2, &d->month) &&
           take(s, '-') && take_digits(s, 2, &d->day) && d->year >= 1 && d->month >= 1 &&
           d->month <= 12 && d->day >= 1 && d->day <= days_in_month(d->year, d->month);
}

/* ".1" to ".123456789" */
static bool take_fraction(const char **s, int64_t *ret_us)
{
    int64_t us = 0;
    int count = 0;

    if (!take(s, '.'))
        return true;
    for (; **s >= '0' && **s <= '9'; (*s)++, count++)
        if (count < 6)
            us = us * 10 + (**s - '0');
    if (count < 1 || count > 9)
        return false;
    for (int i = count; i < 6; i++)
        us *= 10;
    *ret_us = us;
    return true;
}

/* Z, z, +hh:mm or -hh:mm, or nothing, as far as the rule permits. */
static bool take_zone(const char **s, enum time_rule rule, int *ret_minutes)
{
    int hours, minutes;

    *ret_minutes = 0;
    if (take(s, 'Z') || take(s, 'z'))
        return true;
    if (!**s)
        return rule != TIME_RFC3339;
    if (rule == TIME_OCPI) {
        if (strncmp(*s, "+00:00", 6) != 0)
            return false;
        *s += 6;
        return true;
    }
    int sign = **s == '-' ? -1 : 1;
    if (!take(s, '+') && !take(s, '-'))
        return false;
    if (!take_digits(s, 2, &hours) || !take(s, ':') || !take_digits(s, 2, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    *ret_minutes = sign * (hours * 60 + minutes);
    return true;
}

bool time_parse(const char *s, enum time_rule rule, int64_t *ret_us)
{
    struct date date;
    int hour, minute, second, zone_minutes;
    int64_t fraction_us = 0;

    /* R-CDR-15: the one text of OCPI without leading zeros. */
    if (rule != TIME_RFC3339 && strcmp(s, "1970-1-1T00:00:00Z") == 0) {
        *ret_us = TIME_UNKNOWN;
        return true;
    }
    if (!take_date(&s, &date) || (!take(&s, 'T') && !take(&s, 't')))
        return false;
    if (!take_digits(&s, 2, &hour) || !take(&s, ':') || !take_digits(&s, 2, &minute) ||
        !take(&s, ':') || !take_digits(&s, 2, &second) || hour > 23 || minute > 59 || second > 60)
        return false;
    if (!take_fraction(&s, &fraction_us) || !take_zone(&s, rule, &zone_minutes) || *s)
        return false;

    int64_t day_minute = hour * 60 + minute - zone_minutes;
    /* A leap second exists in the last minute of a UTC day only; it reads as the next second. */
    if (second == 60 && (day_minute + 1440) % 1440 != 1439)
        return false;
    int64_t us = days_of(date) * US_PER_DAY + (day_minute * 60 + second) * US_PER_SECOND;
    us += second == 60 ? 0 : fraction_us;
    if (us < days_of((struct date){1, 1, 1}) * US_PER_DAY ||
        us >= days_of((struct date){10000, 1, 1}) * US_PER_DAY)
        return false;
    *ret_us = us;
    return true;
}

/* ---- writing ---- */

/* Writes "2026-03-30T08:00:00" and gives the microseconds that are left. */
static int print_whole(char buffer[TIME_TEXT], int64_t us, int *ret_length)
{
    int64_t day = us / US_PER_DAY;
    int64_t rest = us % US_PER_DAY;
    if (rest < 0) {
        rest += US_PER_DAY;
        day--;
    }
    struct date d = date_of(day);
    int64_t second = rest / US_PER_SECOND;

    *ret_length =
        snprintf(buffer, TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d", d.year, d.month, d.day,
                 (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
    return (int)(rest % US_PER_SECOND);
}

static const char *print(char buffer[TIME_TEXT], int64_t us, int decimals, bool drop_zeros)
{
    int length = 0;

    if (us == TIME_NONE) {
        buffer[0] = '\0';
        return buffer;
    }
    int fraction = print_whole(buffer, us, &length);
    char *rest = buffer + length;
    size_t room = (size_t)(TIME_TEXT - length);
    if (decimals == 3)
        fraction /= 1000;
    if (decimals == 0 || (drop_zeros && fraction == 0))
        snprintf(rest, room, "Z");
    else
        snprintf(rest, room, ".%0*dZ", decimals, fraction);
    return buffer;
}

const char *time_print_seconds(char buffer[TIME_TEXT], int64_t us)
{
    return print(buffer, us, 0, true);
}

const char *time_print_millis(char buffer[TIME_TEXT], int64_t us)
{
    return print(buffer, us, 3, true);
}

const char *time_print_micros(char buffer[TIME_TEXT], int64_t us)
{
    return print(buffer, us, 6, false);
}
