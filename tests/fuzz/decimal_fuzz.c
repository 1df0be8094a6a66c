/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz: any text into the decimal parser; what it takes prints and reads back. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = strndup((const char *)bytes, length);
    char buffer[DECIMAL_TEXT];
    int64_t value, back;

    assert(text);
    bool good = decimal_parse_u6(text, &value);
    assert(good == (decimal_places(text) >= 0));
    if (good) {
        assert(value > INT64_C(-1000000000000000000) && value < INT64_C(1000000000000000000));
        decimal_print_u6(buffer, value, 0, 6);
        assert(strcmp(buffer, "-0") != 0);
        assert(decimal_parse_u6(buffer, &back) && back == value);
        money_print_minor(buffer, money_minor_from_u6(value, "EUR"), "EUR");
        assert(strlen(buffer) < DECIMAL_TEXT);
    }
    free(text);
    return 0;
}
