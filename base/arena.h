/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arena: memory with one lifetime. A flow has one; everything it needs comes from there and goes
 * with it. Allocation never returns NULL: inputs are bounded before they are read, and a machine
 * out of memory is the one case left; then we stop.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(size_t max_bytes); /* max_bytes: more is a bug of the caller; we stop */
void arena_free(struct arena *a);          /* NULL is fine */

void *arena_alloc(struct arena *a, size_t bytes); /* zeroed, aligned for anything */
char *arena_text(struct arena *a, const char *s); /* copy; NULL stays NULL */
char *arena_bytes(struct arena *a, const void *bytes, size_t length); /* copy, NUL added */
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Runs done(what) when the arena is freed, last registered first. For foreign objects (json_t). */
void arena_on_free(struct arena *a, void (*done)(void *), void *what);

size_t arena_used(const struct arena *a);

#endif
