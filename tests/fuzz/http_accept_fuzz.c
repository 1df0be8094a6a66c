/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz: any text as Accept and as Accept-Language. The answer is one of those offered or none, and
 * what it is does not depend on the order of the header's parts around an empty element.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/server/http_accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char *const types[] = {"application/json", "text/html", "application/pdf"};
static const char *const languages[] = {"en", "de", "fi"};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *header = malloc(length + 4);

    if (!header || memchr(bytes, 0, length)) {
        free(header);
        return 0;
    }
    memcpy(header, bytes, length);
    header[length] = '\0';
    int type = http_accept_type(header, types, 3);
    int language = http_accept_language(header, languages, 3);
    assert(type >= HTTP_ACCEPT_NONE && type < 3);
    assert(language >= HTTP_ACCEPT_NONE && language < 3);
    assert(http_accept_type(header, types, 0) <= 0);

    memcpy(header, ", ,", 3); /* empty elements in front change nothing */
    memcpy(header + 3, bytes, length);
    header[length + 3] = '\0';
    assert(http_accept_type(header, types, 3) == type);
    assert(http_accept_language(header, languages, 3) == language);
    free(header);
    return 0;
}
