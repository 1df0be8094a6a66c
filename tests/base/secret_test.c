/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets: files, sealing, wiping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/secret.h"

static struct arena *arena;
static char path[] = "/tmp/secret_test_XXXXXX";

static int setup(void **state)
{
    (void)state;
    arena = arena_new(1 << 20);
    memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    return close(fd);
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return unlink(path);
}

static struct err read_back(const char *content, size_t length, struct secret *ret)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(content, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
    return secret_read_file(arena, path, ret);
}

static void file_holds(const char *content, const char *expected)
{
    struct secret s = {0};

    assert_false(failed(read_back(content, strlen(content), &s)));
    assert_true(secret_is_set(s));
    assert_string_equal(secret_reveal(s), expected);
    assert_int_equal(secret_length(s), strlen(expected));
    secret_wipe(&s);
    assert_false(secret_is_set(s));
    secret_wipe(&s);
}

static void file_is_refused(const char *content, size_t length)
{
    struct secret s = {0};
    struct err e = read_back(content, length, &s);

    assert_true(failed(e));
    assert_false(secret_is_set(s));
    assert_non_null(strstr(e.text, path));
}

static void the_first_line_is_the_secret(void **state)
{
    (void)state;
    file_holds("s3cret", "s3cret");
    file_holds("s3cret\n", "s3cret");
    file_holds("s3cret\r\nmore\n", "s3cret");
    file_holds(" with blanks ", " with blanks ");
}

static void a_file_without_a_secret_is_refused(void **state)
{
    static char large[70000];
    struct secret s = {0};

    (void)state;
    memset(large, 'x', sizeof(large));
    file_is_refused("", 0);
    file_is_refused("\nsecond", 7);
    file_is_refused("a\0b\n", 4);
    file_is_refused(large, sizeof(large));
    struct err e = secret_read_file(arena, "/nonexistent/file", &s);
    assert_true(failed(e));
    assert_string_equal(e.text, "/nonexistent/file: No such file or directory");
    assert_true(failed(secret_read_file(arena, "/tmp", &s)));
}

static void a_file_others_can_read_is_warned_about_only(void **state)
{
    char line[1000] = "";
    int pipes[2];
    int real = dup(STDERR_FILENO);

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    dup2(pipes[1], STDERR_FILENO);
    log_setup("secret_test", LOG_INFO);
    file_holds("s3cret\n", "s3cret"); /* mkstemp: mode 0600, no warning */
    assert_int_equal(chmod(path, 0644), 0);
    file_holds("s3cret\n", "s3cret");
    dup2(real, STDERR_FILENO);
    log_setup("secret_test", LOG_INFO);
    close(pipes[1]);
    assert_true(read(pipes[0], line, sizeof(line) - 1) > 0);
    assert_non_null(strstr(line, "\"warn\""));
    assert_non_null(strstr(line, path));
    assert_null(strstr(line, "s3cret"));
    assert_string_equal(strchr(line, '\n'), "\n"); /* one line */
    close(pipes[0]);
    close(real);
}

static void what_is_sealed_opens_with_key_and_binding(void **state)
{
    unsigned char key[32] = {1, 2, 3}, other[32] = {1, 2, 4};

    (void)state;
    char *sealed = secret_seal(arena, key, "party:NL/TNM", "token-é");
    assert_memory_equal(sealed, "v1.", 3);
    assert_null(strstr(sealed, "token"));
    assert_string_equal(secret_open(arena, key, "party:NL/TNM", sealed), "token-é");
    assert_null(secret_open(arena, other, "party:NL/TNM", sealed));
    assert_null(secret_open(arena, key, "party:NL/XXX", sealed));
    assert_null(secret_open(arena, key, "", sealed));
    assert_string_equal(secret_open(arena, key, "", secret_seal(arena, key, "", "")), "");
    /* A new nonce each time. */
    assert_string_not_equal(sealed, secret_seal(arena, key, "party:NL/TNM", "token-é"));
}

static void a_damaged_seal_does_not_open(void **state)
{
    unsigned char key[32] = {9};
    char *sealed = secret_seal(arena, key, "x", "plain text");

    (void)state;
    for (size_t i = 0; sealed[i]; i++) {
        char kept = sealed[i];
        sealed[i] = kept == 'A' ? 'B' : 'A';
        assert_null(secret_open(arena, key, "x", sealed));
        sealed[i] = kept;
    }
    assert_non_null(secret_open(arena, key, "x", sealed));
    sealed[strlen(sealed) - 4] = '\0';
    assert_null(secret_open(arena, key, "x", sealed));
    assert_null(secret_open(arena, key, "x", "v1."));
    assert_null(secret_open(arena, key, "x", "v1.AAAA"));
    assert_null(secret_open(arena, key, "x", ""));
    assert_null(secret_open(arena, key, "x", "plain text"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_first_line_is_the_secret),
        T(a_file_without_a_secret_is_refused),
        T(a_file_others_can_read_is_warned_about_only),
        T(what_is_sealed_opens_with_key_and_binding),
        T(a_damaged_seal_does_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
