/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Came: writes until the room is full, so that a large document costs no more than a small one.
 */
#include "ocpi/came.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"

struct look {
    struct arena *arena;
    char bytes[CAME_MAX + 1];
    size_t length;
    bool full;
};

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static void look_add(struct look *look, const char *text)
{
    size_t length = strlen(text), room = CAME_MAX - look->length;

    if (length > room) {
        look->full = true;
        length = room;
    }
    memcpy(look->bytes + look->length, text, length);
    look->length += length;
}

/* The beginning of the text as a JSON string: what is cut off would not have had room anyway. */
static void look_add_text(struct look *look, const char *text, size_t length)
{
    json_t *cut;

    if (length > CAME_MAX) {
        length = CAME_MAX;
        while (length > 0 && is_continuation(text[length]))
            length--;
    }
    cut = json_stringn(text, length);
    look_add(look, cut ? json_text(look->arena, cut, NULL) : "\"\"");
    json_decref(cut);
}

static void look_at(struct look *look, const char *member, const json_t *value);

static void look_into_object(struct look *look, const json_t *object)
{
    const char *separator = "{", *name;
    json_t *value;

    if (json_object_size(object) == 0)
        look_add(look, "{");
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (look->full)
            return;
        look_add(look, separator);
        look_add_text(look, name, strlen(name));
        look_add(look, ":");
        look_at(look, name, value);
        separator = ",";
    }
    look_add(look, "}");
}

static void look_into_array(struct look *look, const json_t *array)
{
    look_add(look, "[");
    for (size_t i = 0; i < json_array_size(array) && !look->full; i++) {
        if (i > 0)
            look_add(look, ",");
        look_at(look, NULL, json_array_get(array, i));
    }
    look_add(look, "]");
}

static void look_at(struct look *look, const char *member, const json_t *value)
{

    if (member && text_equal_caseless(member, "token"))
        look_add(look, "\"***\"");
    else if (json_is_object(value))
        look_into_object(look, value);
    else if (json_is_array(value))
        look_into_array(look, value);
    else if (json_is_string(value))
        look_add_text(look, json_string_value(value), json_string_length(value));
    else
        look_add(look, json_text(look->arena, value, NULL));
}

const char *came_of(struct arena *a, const char *member, const json_t *value)
{
    static const char dots[] = "...";
    struct look look = {.arena = a};

    if (!value)
        return NULL;
    look_at(&look, member, value);
    if (look.full) {
        look.length = CAME_MAX - strlen(dots);
        while (look.length > 0 && is_continuation(look.bytes[look.length]))
            look.length--;
        memcpy(look.bytes + look.length, dots, sizeof(dots));
    }
    return arena_text(a, look.bytes);
}
