/* SPDX-License-Identifier: Apache-2.0 */
/* Quirks: the list as data. */
#include "ocpi/quirks.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name, *help;
    size_t offset;
} list[] = {
#define X(name, help) {#name, help, offsetof(struct quirks, name)},
    QUIRKS(X)
#undef X
};
enum { QUIRK_COUNT = sizeof list / sizeof *list };

struct quirks quirks_read(const json_t *json)
{
    struct quirks q = {0};

    for (size_t i = 0; i < QUIRK_COUNT; i++)
        *(bool *)((char *)&q + list[i].offset) = json_is_true(json_object_get(json, list[i].name));
    return q;
}

const char *quirk_help(const char *name)
{
    for (size_t i = 0; i < QUIRK_COUNT; i++)
        if (strcmp(list[i].name, name) == 0)
            return list[i].help;
    return NULL;
}
