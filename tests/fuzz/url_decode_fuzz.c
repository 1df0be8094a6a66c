/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz: any bytes into the URL decoder; what it gives encodes and decodes to itself. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct arena *a = arena_new(64 << 20);
    char *decoded = text_url_decode(a, (const char *)bytes, length);

    if (decoded) {
        assert(strlen(decoded) <= length);
        assert(text_is_utf8(decoded, strlen(decoded)));
        char *encoded = text_url_encode(a, decoded);
        assert(text_is_printable_ascii(encoded));
        char *again = text_url_decode(a, encoded, strlen(encoded));
        assert(again && strcmp(again, decoded) == 0);
    }
    arena_free(a);
    return 0;
}
