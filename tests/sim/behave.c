/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Misbehaviours: the list of those that are switched on.
 */
#include "tests/sim/behave.h"

#include <assert.h>
#include <stdlib.h>

#include "base/text.h"
#include "tests/sim/world.h"

static const struct behaviour_info {
    const char *name;
    int64_t after_s;
    const char *help;
} infos[BEHAVE_COUNT] = {
#define X(constant, word, after, text) {word, after, text},
    BEHAVIOURS(X)
#undef X
};

struct switched {
    enum behaviour what;
    char evse[64]; /* "": all */
    int64_t times, after_s;
};

struct behave {
    struct switched *list;
    size_t count, capacity;
    bool any[BEHAVE_COUNT]; /* at least one in the list: the common answer is quick */
};

struct behave *behave_new(void)
{
    struct behave *b = calloc(1, sizeof(*b));

    assert(b);
    return b;
}

void behave_free(struct behave *b)
{
    if (b)
        free(b->list);
    free(b);
}

void behave_clear(struct behave *b)
{
    b->count = 0;
    memset(b->any, 0, sizeof(b->any));
}

void behave_help(FILE *to)
{
    for (size_t i = 0; i < BEHAVE_COUNT; i++) {
        fprintf(to, "  %-36s%s", infos[i].name, infos[i].help);
        if (infos[i].after_s > 0)
            fprintf(to, " (after_s: %lld)", (long long)infos[i].after_s);
        fputc('\n', to);
    }
}

static bool behaviour_find(const char *name, enum behaviour *ret)
{
    for (size_t i = 0; i < BEHAVE_COUNT; i++) {
        if (strcmp(infos[i].name, name) == 0) {
            *ret = (enum behaviour)i;
            return true;
        }
    }
    return false;
}

static void switched_remove(struct behave *b, size_t index)
{
    enum behaviour what = b->list[index].what;

    memmove(b->list + index, b->list + index + 1, (--b->count - index) * sizeof(*b->list));
    b->any[what] = false;
    for (size_t i = 0; i < b->count; i++)
        b->any[what] |= b->list[i].what == what;
}

bool behave_set(struct behave *b, const char *name, const char *evse, bool on, int64_t times,
                int64_t after_s)
{
    enum behaviour what;
    struct switched new = {.times = times};

    if (!behaviour_find(name, &what) || !text_copy(new.evse, sizeof(new.evse), evse ? evse : ""))
        return false;
    for (size_t i = 0; i < b->count;) {
        if (b->list[i].what == what && (!evse || strcasecmp(b->list[i].evse, evse) == 0))
            switched_remove(b, i);
        else
            i++;
    }
    if (!on || times == 0)
        return true;
    new.what = what;
    new.after_s = after_s >= 0 ? after_s : infos[what].after_s;
    if (b->count == b->capacity) {
        b->capacity = b->capacity ? b->capacity * 2 : 16;
        b->list = realloc(b->list, b->capacity * sizeof(*b->list));
        assert(b->list);
    }
    b->list[b->count++] = new;
    b->any[what] = true;
    return true;
}

bool behave_parse(struct behave *b, const char *word)
{
    char name[160];
    int64_t after_s = -1;

    if (!text_copy(name, sizeof(name), word))
        return false;
    char *evse = strchr(name, '@');
    if (evse)
        *evse++ = 0;
    char *after = strchr(name, ':');
    if (after) {
        *after++ = 0;
        after_s = strtoll(after, 0, 10);
    }
    return behave_set(b, name, evse, true, -1, after_s);
}

bool behave_acts_after(struct behave *b, enum behaviour what, const struct evse *evse,
                       int64_t *ret_after_s)
{
    if (!b->any[what])
        return false;
    for (size_t i = 0; i < b->count; i++) {
        struct switched *s = &b->list[i];

        if (s->what != what || (s->evse[0] && !(evse && evse_is(evse, s->evse))))
            continue;
        *ret_after_s = s->after_s;
        if (s->times > 0 && --s->times == 0)
            switched_remove(b, i);
        return true;
    }
    return false;
}

bool behave_acts(struct behave *b, enum behaviour what, const struct evse *evse)
{
    int64_t after_s;

    return behave_acts_after(b, what, evse, &after_s);
}

void behave_print(const struct behave *b, struct text *out, const char *key)
{
    json_begin_array(out, key);
    for (size_t i = 0; i < b->count; i++) {
        const struct switched *s = &b->list[i];

        json_begin_object(out, 0);
        json_put_text(out, "name", infos[s->what].name);
        json_put_text(out, "evse", s->evse[0] ? s->evse : 0);
        if (s->times > 0)
            json_put_int(out, "times", s->times);
        json_put_int(out, "after_s", s->after_s);
        json_end_object(out);
    }
    json_end_array(out);
}
