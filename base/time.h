/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: microseconds since 1970 UTC in an int64. Waits use the monotonic clock.
 *
 * The clock is a port: tests set it. TIME_UNKNOWN is OCPI's "1970-1-1T00:00:00Z" (R-CDR-15).
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#define SECONDS(n) ((int64_t)(n) * 1000)  /* in milliseconds: deadlines */
#define MINUTES(n) (SECONDS(60) * (n))
#define US_PER_SECOND INT64_C(1000000)
#define TIME_NONE INT64_MIN /* absent */
#define TIME_UNKNOWN INT64_C(0) /* 1970-01-01T00:00:00Z, printed with leading zeros */

enum { TIME_TEXT = 40 };

int64_t time_now_us(void);       /* wall clock */
int64_t time_monotonic_ms(void); /* never goes back */
/* Tests: freezes the wall clock at `us`; TIME_NONE gives it back to the machine. */
void time_set_for_test(int64_t us);

/* How strictly a text is read. */
enum time_rule {
    TIME_RFC3339, /* apps: any offset, a zone is required */
    TIME_OCPI,    /* R-TYPE-04/05: Z or nothing; +00:00 and lower-case t/z tolerated */
    TIME_OCPI_ANY_OFFSET, /* quirk offset_times */
};
bool time_parse(const char *s, enum time_rule rule, int64_t *ret_us);

/* TIME_NONE prints as ""; digits that are not shown are cut off, not rounded. */
const char *time_print_seconds(char buffer[TIME_TEXT], int64_t us); /* 2026-03-30T08:00:00Z */
const char *time_print_millis(char buffer[TIME_TEXT], int64_t us);  /* ...00.123Z; .000 left out */
const char *time_print_micros(char buffer[TIME_TEXT], int64_t us);  /* for the database */

#endif
