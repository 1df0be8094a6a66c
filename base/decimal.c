/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decimals: text to fixed point and back, rounding, and the currencies of ISO 4217.
 *
 * All intermediate values are __int128; what does not fit an int64 in the end is refused when it
 * came from outside and stops the program when we computed it ourselves.
 */
#include "base/decimal.h"

#include <assert.h>
#include <string.h>

__extension__ typedef __int128 wide; /* the compiler's own type has no name without a warning */

enum { MAX_INTEGER_DIGITS = 12, MAX_DECIMALS = 9, MAX_EXPONENT = 6, MAX_SIGNIFICANT = 15 };

/* 1 for what is negative. */
static wide power_of_ten(int n)
{
    wide ret = 1;

    while (n-- > 0)
        ret *= 10;
    return ret;
}

/* Half away from zero; the divisor is positive. */
static wide round_div(wide value, wide divisor)
{
    wide half_up = (2 * (value < 0 ? -value : value) + divisor) / (2 * divisor);

    return value < 0 ? -half_up : half_up;
}

static int64_t narrow(wide value)
{
    assert(value >= INT64_MIN && value <= INT64_MAX);
    return (int64_t)value;
}

/* ---- text ---- */

/* A number as it was written: mantissa / 10^scale, without trailing zeros in the mantissa. */
struct lexeme {
    bool negative;
    wide mantissa;
    int scale;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "e5", "E-05": within +-6. */
static bool take_exponent(const char **s, int *ret)
{
    int value = 0;

    if (**s != 'e' && **s != 'E')
        return true;
    (*s)++;
    bool negative = **s == '-';
    if (**s == '-' || **s == '+')
        (*s)++;
    if (!is_digit(**s))
        return false;
    for (; is_digit(**s); (*s)++) {
        value = value * 10 + (**s - '0');
        if (value > MAX_EXPONENT)
            return false;
    }
    *ret = negative ? -value : value;
    return true;
}

static bool take_lexeme(const char *s, struct lexeme *ret)
{
    struct lexeme l = {.negative = *s == '-'};
    int integers = 0, decimals = 0, exponent = 0;

    if (l.negative)
        s++;
    if (s[0] == '0' && is_digit(s[1]))
        return false;
    for (; is_digit(*s); s++) {
        if (++integers > MAX_INTEGER_DIGITS)
            return false;
        l.mantissa = l.mantissa * 10 + (*s - '0');
    }
    if (!integers)
        return false;
    if (*s == '.') {
        for (s++; is_digit(*s); s++) {
            if (++decimals > MAX_DECIMALS)
                return false;
            l.mantissa = l.mantissa * 10 + (*s - '0');
        }
        if (!decimals)
            return false;
    }
    if (!take_exponent(&s, &exponent) || *s)
        return false;

    l.scale = decimals - exponent;
    while (l.mantissa && l.mantissa % 10 == 0) {
        l.mantissa /= 10;
        l.scale--;
    }
    if (l.mantissa >= power_of_ten(MAX_SIGNIFICANT))
        return false;
    /* An exponent may move digits in front of the point. */
    if (l.mantissa * power_of_ten(-l.scale) >=
        power_of_ten(MAX_INTEGER_DIGITS) * power_of_ten(l.scale))
        return false;
    if (!l.mantissa)
        l = (struct lexeme){0}; /* no negative zero */
    *ret = l;
    return true;
}

bool decimal_parse_u6(const char *s, int64_t *ret_u6)
{
    struct lexeme l;
    wide value;

    if (!take_lexeme(s, &l))
        return false;
    if (l.scale <= 6)
        value = l.mantissa * power_of_ten(6 - l.scale);
    else
        value = round_div(l.mantissa, power_of_ten(l.scale - 6));
    *ret_u6 = (int64_t)(l.negative ? -value : value);
    return true;
}

int decimal_places(const char *s)
{
    struct lexeme l;

    if (!take_lexeme(s, &l))
        return -1;
    return l.scale > 0 ? l.scale : 0;
}

/* Writes value / 10^places with all its decimals. */
static const char *print_fixed(char buffer[DECIMAL_TEXT], int64_t value, int places)
{
    char digits[DECIMAL_TEXT];
    /* Negation in unsigned arithmetic: INT64_MIN has no positive twin. */
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    int count = 0, at = 0;

    while (left || count <= places) {
        digits[count++] = (char)('0' + left % 10);
        left /= 10;
    }
    if (value < 0)
        buffer[at++] = '-';
    while (count) {
        if (count == places)
            buffer[at++] = '.';
        buffer[at++] = digits[--count];
    }
    buffer[at] = '\0';
    return buffer;
}

const char *decimal_print_u6(char buffer[DECIMAL_TEXT], int64_t value_u6, int min_places,
                             int max_places)
{
    assert(min_places >= 0 && min_places <= max_places && max_places <= 6);
    int places = max_places;
    int64_t value = narrow(round_div(value_u6, power_of_ten(6 - max_places)));

    while (places > min_places && value % 10 == 0) {
        value /= 10;
        places--;
    }
    return print_fixed(buffer, value, places);
}

int64_t decimal_round_div(int64_t value, int64_t divisor)
{
    assert(divisor);
    if (divisor < 0)
        return narrow(round_div(-(wide)value, -(wide)divisor));
    return narrow(round_div(value, divisor));
}

/* ---- currencies ---- */

/* ISO 4217 without funds, metals, test codes and "no currency" (XXX): nobody charges in those.
 * Codes withdrawn lately (ANG, BGN) stay, because old records carry them. */
static const char no_decimals[] =
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF ";
static const char three_decimals[] = "BHD IQD JOD KWD LYD OMR TND ";
static const char two_decimals[] =
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
    "GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD "
    "MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP "
    "PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS "
    "TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ";

static bool listed(const char *list, const char *currency)
{
    if (strlen(currency) != 3)
        return false;
    for (; *list; list += 4)
        if (memcmp(list, currency, 3) == 0)
            return true;
    return false;
}

int currency_exponent(const char *currency)
{
    if (listed(no_decimals, currency))
        return 0;
    return listed(three_decimals, currency) ? 3 : 2;
}

bool currency_known(const char *currency)
{
    return listed(two_decimals, currency) || listed(no_decimals, currency) ||
           listed(three_decimals, currency);
}

int64_t money_minor_from_u6(int64_t amount_u6, const char *currency)
{
    return narrow(round_div(amount_u6, power_of_ten(6 - currency_exponent(currency))));
}

int64_t money_u6_from_minor(int64_t minor, const char *currency)
{
    return narrow(minor * power_of_ten(6 - currency_exponent(currency)));
}

const char *money_print_minor(char buffer[DECIMAL_TEXT], int64_t minor, const char *currency)
{
    return print_fixed(buffer, minor, currency_exponent(currency));
}
