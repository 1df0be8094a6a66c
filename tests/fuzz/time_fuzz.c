/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz: any text into the time parser; what it takes prints and reads back. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = strndup((const char *)bytes, length);
    char buffer[TIME_TEXT];
    int64_t us, other, back;

    assert(text);
    for (enum time_rule rule = TIME_RFC3339; rule <= TIME_OCPI_ANY_OFFSET; rule++) {
        if (!time_parse(text, rule, &us))
            continue;
        time_print_micros(buffer, us);
        assert(strlen(buffer) == 27);
        assert(time_parse(buffer, TIME_RFC3339, &back) && back == us);
        assert(time_parse(time_print_seconds(buffer, us), TIME_OCPI, &back) && back <= us);
        /* The widest rule takes all that the others take, as the same moment. */
        assert(time_parse(text, TIME_OCPI_ANY_OFFSET, &other) && other == us);
    }
    free(text);
    return 0;
}
