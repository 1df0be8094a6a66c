/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arena: chunks of zeroed memory, handed out from front to back and given back all at once.
 *
 * Under AddressSanitizer each allocation is a chunk of its own, so that a write past its end is
 * seen.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define SEPARATE_CHUNKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SEPARATE_CHUNKS 1
#endif
#endif
#ifndef SEPARATE_CHUNKS
#define SEPARATE_CHUNKS 0
#endif

enum { ALIGNMENT = _Alignof(max_align_t), FIRST_CHUNK = 4000, LARGEST_CHUNK = 64000 };

struct chunk {
    struct chunk *next;
    size_t used, capacity;
    max_align_t bytes[];
};

struct done {
    struct done *next;
    void (*run)(void *);
    void *what;
};

struct arena {
    struct chunk *chunks; /* the first one is being filled */
    struct done *dones;   /* last registered first */
    size_t used, max, next_capacity;
};

__attribute__((noreturn)) static void stop(const char *why, size_t bytes, size_t used)
{
    fprintf(stderr, "arena: %s (%zu bytes asked, %zu in use)\n", why, bytes, used);
    abort();
}

struct arena *arena_new(size_t max_bytes)
{
    struct arena *a = calloc(1, sizeof(*a));
    if (!a)
        stop("out of memory", sizeof(*a), 0);
    a->max = max_bytes;
    a->next_capacity = FIRST_CHUNK;
    return a;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    /* A done() may register no further ones, but may still read the arena's memory. */
    for (struct done *d = a->dones; d; d = d->next)
        d->run(d->what);
    for (struct chunk *c = a->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(a);
}

static struct chunk *chunk_new(struct arena *a, size_t capacity)
{
    struct chunk *c = calloc(1, sizeof(*c) + capacity);
    if (!c)
        stop("out of memory", capacity, a->used);
    c->capacity = capacity;
    return c;
}

/* A chunk with room for `bytes`. What is large gets a chunk of its own behind the one that is
 * being filled, so that the rest of that one is not lost. */
static struct chunk *chunk_for(struct arena *a, size_t bytes)
{
    struct chunk *first = a->chunks;

    if (!SEPARATE_CHUNKS && first && first->capacity - first->used >= bytes)
        return first;
    if (SEPARATE_CHUNKS || bytes > a->next_capacity / 2) {
        struct chunk *own = chunk_new(a, bytes);
        if (first && !SEPARATE_CHUNKS) {
            own->next = first->next;
            first->next = own;
        } else {
            own->next = first;
            a->chunks = own;
        }
        return own;
    }
    struct chunk *fresh = chunk_new(a, a->next_capacity);
    if (a->next_capacity < LARGEST_CHUNK)
        a->next_capacity *= 2;
    fresh->next = first;
    a->chunks = fresh;
    return fresh;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    assert(a);
    if (bytes > a->max || a->used > a->max - bytes)
        stop("more than its maximum", bytes, a->used);

    size_t rounded = SEPARATE_CHUNKS ? bytes : (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct chunk *c = chunk_for(a, rounded);
    void *ret = (char *)c->bytes + c->used;
    c->used += rounded;
    a->used += bytes;
    return ret;
}

char *arena_bytes(struct arena *a, const void *bytes, size_t length)
{
    char *copy = arena_alloc(a, length + 1);
    if (length)
        memcpy(copy, bytes, length);
    return copy;
}

char *arena_text(struct arena *a, const char *s)
{
    return s ? arena_bytes(a, s, strlen(s)) : NULL;
}

char *arena_vprintf(struct arena *a, const char *format, va_list args)
{
    char short_text[256];
    va_list again;

    va_copy(again, args);
    int length = vsnprintf(short_text, sizeof(short_text), format, args);
    assert(length >= 0);
    char *ret = arena_alloc(a, (size_t)length + 1);
    if ((size_t)length < sizeof(short_text))
        memcpy(ret, short_text, (size_t)length);
    else
        vsnprintf(ret, (size_t)length + 1, format, again);
    va_end(again);
    return ret;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *ret = arena_vprintf(a, format, args);
    va_end(args);
    return ret;
}

void arena_on_free(struct arena *a, void (*done)(void *), void *what)
{
    struct done *d = arena_alloc(a, sizeof(*d));

    *d = (struct done){a->dones, done, what};
    a->dones = d;
}

size_t arena_used(const struct arena *a)
{
    return a->used;
}
