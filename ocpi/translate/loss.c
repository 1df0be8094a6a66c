/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Losses: what the target cannot say (R-BR-02), and what it cannot do without (R-BR-03). Places are
 * made into JSON pointers only here, when there is something to complain about.
 */
#include "ocpi/translate/turn.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"

enum { VALUE_SHOWN_MAX = 80, LOSSES_MAX = 1000 };

static const char *escape(struct arena *a, const char *name)
{
    char *ret, *to;

    if (!strpbrk(name, "~/"))
        return name;
    ret = to = arena_alloc(a, 2 * strlen(name) + 1);
    for (; *name; name++) {
        *to = *name;
        if (*name == '~' || *name == '/') {
            *to++ = '~';
            *to = *name == '~' ? '0' : '1';
        }
        to++;
    }
    return ret;
}

static const char *pointer_of(struct arena *a, const struct turn_object *o)
{
    const char *up;

    if (!o->up)
        return "";
    up = pointer_of(a, o->up);
    if (o->index != NO_INDEX)
        return arena_printf(a, "%s/%s/%zu", up, o->name, o->index);
    return arena_printf(a, "%s/%s", up, o->name);
}

struct shown {
    char bytes[VALUE_SHOWN_MAX * 4 + 1];
    size_t length;
};

static int show_some(const char *bytes, size_t length, void *to)
{
    struct shown *shown = to;
    size_t room = sizeof(shown->bytes) - 1 - shown->length;
    size_t taken = length < room ? length : room;

    memcpy(shown->bytes + shown->length, bytes, taken);
    shown->length += taken;
    return taken == length ? 0 : -1; /* enough: jansson stops here */
}

static const char *show(struct arena *a, const json_t *value)
{
    struct shown shown = {.length = 0};

    if (!value)
        return "";
    if (json_is_string(value))
        return turn_cut_text(a, json_string_value(value), VALUE_SHOWN_MAX);
    (void)json_dump_callback(value, show_some, &shown,
                             JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    /* A character that was cut in two is dropped by the cut below: it counts by first bytes. */
    while (shown.length > 0 && !text_is_utf8(shown.bytes, shown.length))
        shown.length--;
    return turn_cut_text(a, arena_bytes(a, shown.bytes, shown.length), VALUE_SHOWN_MAX);
}

void turn_lose(struct turn *t, const struct turn_object *o, const char *member, const json_t *value,
               const char *reason)
{
    const char *pointer;

    if (t->silent > 0 || t->loss_count == LOSSES_MAX)
        return;
    if (t->loss_count == t->loss_room) {
        size_t room = t->loss_room ? 2 * t->loss_room : 8;
        struct translation_loss *more = arena_alloc(t->arena, room * sizeof(*more));

        if (t->loss_count)
            memcpy(more, t->losses, t->loss_count * sizeof(*more));
        t->losses = more;
        t->loss_room = room;
    }
    if (t->loss_count == LOSSES_MAX - 1) {
        t->losses[t->loss_count++] =
            (struct translation_loss){"", "", "there are more losses than are listed"};
        return;
    }
    pointer = pointer_of(t->arena, o);
    if (member)
        pointer = arena_printf(t->arena, "%s/%s", pointer, member);
    t->losses[t->loss_count++] = (struct translation_loss){pointer, show(t->arena, value), reason};
}

void turn_lose_member(struct turn *t, const struct turn_object *o, const char *name,
                      const json_t *value, const char *reason)
{
    turn_lose(t, o, escape(t->arena, name), value, reason);
}

/* R-BR-03 */
struct err turn_missing(struct turn *t, const struct turn_object *o, const char *member,
                        const char *why)
{
    const char *where = arena_printf(t->arena, "%s/%s", pointer_of(t->arena, o), member);

    return err_rule(err_at(t->arena, ERR_BAD_FIELD, where, "%s: %s", where, why), "R-BR-03");
}
