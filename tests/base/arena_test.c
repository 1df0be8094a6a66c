/* SPDX-License-Identifier: Apache-2.0 */
/* Arena: lifetime, alignment, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"

static void memory_is_zeroed_and_aligned(void **state)
{
    struct arena *a = arena_new(1 << 20);

    (void)state;
    for (size_t size = 1; size < 9000; size += 37) {
        unsigned char *p = arena_alloc(a, size);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xAA, size);
        if (size > 3000)
            size += 500;
    }
    arena_free(a);
}

static void allocations_do_not_overlap(void **state)
{
    struct arena *a = arena_new(10 << 20);
    unsigned char *blocks[500];

    (void)state;
    for (size_t i = 0; i < 500; i++) {
        blocks[i] = arena_alloc(a, 1 + i * 7);
        memset(blocks[i], (int)(i % 251), 1 + i * 7);
    }
    for (size_t i = 0; i < 500; i++)
        for (size_t at = 0; at < 1 + i * 7; at++)
            assert_int_equal(blocks[i][at], i % 251);
    arena_free(a);
}

static void texts_are_copied(void **state)
{
    struct arena *a = arena_new(1 << 20);
    char text[] = "abc";
    char *copy = arena_text(a, text);
    char long_text[1000];

    (void)state;
    text[0] = 'x';
    assert_string_equal(copy, "abc");
    assert_null(arena_text(a, NULL));
    assert_string_equal(arena_bytes(a, "ab\0c", 2), "ab");
    assert_string_equal(arena_bytes(a, NULL, 0), "");
    assert_string_equal(arena_printf(a, "%d %s", 7, "x"), "7 x");
    memset(long_text, 'y', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    assert_string_equal(arena_printf(a, "%s", long_text), long_text);
    assert_true(arena_used(a) >= 1000);
    arena_free(a);
}

static char order[8];

static void note(void *what)
{
    strncat(order, what, 1);
}

static void what_is_registered_last_is_done_first(void **state)
{
    struct arena *a = arena_new(1 << 20);

    (void)state;
    arena_on_free(a, note, arena_text(a, "1"));
    arena_on_free(a, note, arena_text(a, "2"));
    arena_on_free(a, note, arena_text(a, "3"));
    assert_string_equal(order, "");
    arena_free(a);
    assert_string_equal(order, "321");
    arena_free(NULL);
}

/* True if asking for these two sizes stops the process. */
static bool stops(size_t max, size_t first, size_t second)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGABRT, SIG_DFL);
        close(STDERR_FILENO);
        struct arena *a = arena_new(max);
        arena_alloc(a, first);
        arena_alloc(a, second);
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void above_the_maximum_the_process_stops(void **state)
{
    (void)state;
    assert_false(stops(1000, 500, 500));
    assert_true(stops(1000, 500, 501));
    assert_true(stops(1000, 10, SIZE_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(allocations_do_not_overlap),
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(what_is_registered_last_is_done_first),
        cmocka_unit_test(above_the_maximum_the_process_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
