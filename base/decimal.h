/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decimals: exact fixed point in int64. No amount, energy or duration ever is a double.
 *
 *   _u6   six decimals of whatever unit: prices, OCPI totals, kWh as OCPI gives it
 *   _mwh  energy in 10^-6 kWh: the same six decimals
 *   minor the smallest unit of a currency; its exponent from ISO 4217
 *
 * Rounding is half away from zero, once, at the last step (no negative zero).
 */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DECIMAL_TEXT = 32 }; /* a buffer that fits every printed decimal */

/* Lexeme: optional '-', up to 12 integer digits, up to 9 decimals, exponent within +-6, at most 15
 * significant digits. Rounded to six decimals. false: not such a number. */
bool decimal_parse_u6(const char *s, int64_t *ret_u6);
/* How many decimals the text gives after trailing zeros are dropped; -1 if it is no number. */
int decimal_places(const char *s);

/* At least min_places, at most max_places (0..6) decimals; rounds when digits are dropped. */
const char *decimal_print_u6(char buffer[DECIMAL_TEXT], int64_t value_u6, int min_places,
                             int max_places);

int64_t decimal_round_div(int64_t value, int64_t divisor); /* half away from zero */

int currency_exponent(const char *currency); /* 0..3; 2 for codes that are not in the list */
bool currency_known(const char *currency);   /* three upper-case letters in ISO 4217 */
/* Major units with six decimals to minor units and back; rounds half away from zero. */
int64_t money_minor_from_u6(int64_t amount_u6, const char *currency);
int64_t money_u6_from_minor(int64_t minor, const char *currency);
/* "7.20", with exactly the currency's decimals. */
const char *money_print_minor(char buffer[DECIMAL_TEXT], int64_t minor, const char *currency);

#endif
