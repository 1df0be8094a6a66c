/* SPDX-License-Identifier: Apache-2.0 */
/* Config: what is read, and every complaint with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/config.h"

struct settings {
    const char *name, *database;
    int64_t workers, wait, size, offset;
    bool demo;
    const char *const *hosts;
    struct secret key;
    const char *certificate;
};

#define AT(member) offsetof(struct settings, member)

static const struct setting table[] = {
    {"hub", "name", SETTING_TEXT, AT(name), "hub", "What it is called", .required = true},
    {"hub", "workers", SETTING_INT, AT(workers), "2", "Processes", 1, 64},
    {"hub", "offset", SETTING_INT, AT(offset), NULL, "May be below zero", -10, 10},
    {"hub", "demo", SETTING_BOOL, AT(demo), "no", "For trying out"},
    {"hub", "hosts", SETTING_LIST, AT(hosts), NULL, "Names it answers to"},
    {"store", "database", SETTING_TEXT, AT(database), NULL, "Connection", .required = true},
    {"store", "wait", SETTING_MILLIS, AT(wait), "15s", "How long", 1000, 3600000},
    {"store", "size", SETTING_BYTES, AT(size), "64k", "How much", 1, 1 << 20},
    {"tls", "key_file", SETTING_SECRET_FILE, AT(key), NULL, "The key"},
    {"tls", "certificate", SETTING_FILE, AT(certificate), NULL, "The certificate"},
    {0},
};

static struct arena *arena;
static struct settings got;
static char path[] = "/tmp/config_test_XXXXXX";

static int setup(void **state)
{
    (void)state;
    arena = arena_new(4 << 20);
    memset(&got, 0, sizeof(got));
    memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    return close(fd);
}

static int teardown(void **state)
{
    (void)state;
    got.key = (struct secret){0};
    arena_free(arena);
    return unlink(path);
}

static struct err read_ini(const char *ini)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(ini, f);
    assert_int_equal(fclose(f), 0);
    got.key = (struct secret){0};
    memset(&got, 0, sizeof(got));
    return config_read(arena, table, path, "CONFIG_TEST_", &got);
}

static void reads(const char *ini)
{
    struct err e = read_ini(ini);

    if (failed(e))
        fail_msg("%s", err_text(e));
}

/* The complaint after the file's name. */
static void complains(const char *ini, const char *expected)
{
    struct err e = read_ini(ini);
    char whole[500];

    assert_int_equal(e.kind, ERR_BAD_FIELD);
    snprintf(whole, sizeof(whole), "%s%s", path, expected);
    assert_string_equal(err_text(e), whole);
}

static void all_kinds_of_settings_are_read(void **state)
{
    (void)state;
    reads("# comment\n; comment\n[hub]\nname = My Hub\nworkers=4 ; inline\n  demo = Yes\n"
          "offset = -3\nhosts = a.example, b.example ,c.example\n\n[store]\n"
          "database = host=/run/x dbname=hub # not a comment\nwait = 2m\nsize = 128K\n");
    assert_string_equal(got.name, "My Hub");
    assert_int_equal(got.workers, 4);
    assert_true(got.demo);
    assert_int_equal(got.offset, -3);
    assert_string_equal(got.hosts[0], "a.example");
    assert_string_equal(got.hosts[1], "b.example");
    assert_string_equal(got.hosts[2], "c.example");
    assert_null(got.hosts[3]);
    assert_string_equal(got.database, "host=/run/x dbname=hub # not a comment");
    assert_int_equal(got.wait, 120000);
    assert_int_equal(got.size, 131072);
    assert_false(secret_is_set(got.key));
    assert_null(got.certificate);
}

static void what_is_not_given_has_its_default(void **state)
{
    (void)state;
    reads("\xEF\xBB\xBF[store]\r\ndatabase = x\r\n");
    assert_string_equal(got.name, "hub");
    assert_int_equal(got.workers, 2);
    assert_int_equal(got.wait, 15000);
    assert_int_equal(got.size, 65536);
    assert_false(got.demo);
    assert_non_null(got.hosts);
    assert_null(got.hosts[0]);
    assert_string_equal(got.database, "x");
}

static void the_environment_wins(void **state)
{
    (void)state;
    setenv("CONFIG_TEST_WORKERS", "9", 1);
    setenv("CONFIG_TEST_DATABASE", "y", 1);
    reads("[hub]\nworkers = 3\n");
    assert_int_equal(got.workers, 9);
    assert_string_equal(got.database, "y");
    memset(&got, 0, sizeof(got));
    assert_false(failed(config_read(arena, table, NULL, "CONFIG_TEST_", &got)));
    assert_int_equal(got.workers, 9);
    setenv("CONFIG_TEST_WORKERS", "many", 1);
    struct err e = read_ini("[hub]\nworkers = 3\n");
    assert_string_equal(err_text(e), "environment CONFIG_TEST_WORKERS: workers: \"many\" is not a "
                                     "whole number");
    unsetenv("CONFIG_TEST_WORKERS");
    unsetenv("CONFIG_TEST_DATABASE");
    memset(&got, 0, sizeof(got));
    e = config_read(arena, table, NULL, "CONFIG_TEST_", &got);
    assert_string_equal(err_text(e), "configuration: database: must be set in section [store]");
}

static void lines_of_a_wrong_shape_are_complained_about(void **state)
{
    (void)state;
    complains("[hub]\nworkers\n", ":2: neither a [section] nor a name = value");
    complains("[hub\n", ":1: ']' is missing");
    complains("[hub]\n\n# x\nwrokers = 2\n",
              ":4: wrokers: there is no such setting in section [hub]");
    complains("workers = 2\n", ":1: workers: there is no such setting in section []");
    complains("[store]\nworkers = 2\n", ":2: workers: there is no such setting in section [store]");
    complains("[hub]\nworkers_with_a_name_that_is_so_long_that_it_would_be_cut = 2\n",
              ":2: the name is too long");
    char already[200];
    snprintf(already, sizeof(already), ":4: workers: already set at %s:2", path);
    complains("[hub]\nworkers = 2\ndemo = 1\nworkers = 2\n", already);
}

static void values_that_do_not_fit_are_complained_about(void **state)
{
    (void)state;
    complains("[hub]\nworkers = 0\n", ":2: workers: 0 is below the least value, 1");
    complains("[hub]\nworkers = 65\n", ":2: workers: 65 is above the greatest value, 64");
    complains("[hub]\nworkers = 2x\n", ":2: workers: \"2x\" is not a whole number");
    complains("[hub]\nworkers = 99999999999999999999\n",
              ":2: workers: \"99999999999999999999\" is not a whole number");
    complains("[hub]\noffset = -11\n", ":2: offset: -11 is below the least value, -10");
    complains("[hub]\ndemo = maybe\n", ":2: demo: \"maybe\" is neither true nor false");
    complains("[hub]\nhosts = a,,b\n", ":2: hosts: an entry of the list is empty");
    complains("[hub]\nhosts = a,\n", ":2: hosts: an entry of the list is empty");
    complains("[store]\ndatabase=x\nwait = 15\n",
              ":3: wait: \"15\" is not a time such as 500ms, 15s, 10m, 2h or 7d");
    complains("[store]\ndatabase=x\nwait = 500ms\n",
              ":3: wait: 500ms is below the least value, 1s");
    complains("[store]\ndatabase=x\nwait = 2h\n", ":3: wait: 2h is above the greatest value, 1h");
    complains("[store]\ndatabase=x\nsize = 2m\n", ":3: size: 2m is above the greatest value, 1m");
    complains("[store]\ndatabase=x\nsize = 2 apples\n",
              ":3: size: \"2 apples\" is not a size such as 4096, 64k or 1m");
}

static void required_settings_are_asked_for(void **state)
{
    (void)state;
    complains("[hub]\n", ": database: must be set in section [store]");
    complains("[store]\ndatabase =\n", ":2: database: must be set in section [store]");
    complains("[hub]\nname =\n", ":2: name: must be set in section [hub]");
}

static void an_empty_text_takes_a_default_away(void **state)
{
    static const struct setting optional[] = {
        {"hub", "name", SETTING_TEXT, AT(name), "hub", "What it is called"},
        {"hub", "hosts", SETTING_LIST, AT(hosts), "a,b", "Names it answers to"},
        {0},
    };

    (void)state;
    assert_false(failed(config_read(arena, optional, NULL, "CONFIG_TEST_", &got)));
    assert_string_equal(got.name, "hub");
    assert_string_equal(got.hosts[1], "b");
    setenv("CONFIG_TEST_NAME", "", 1);
    setenv("CONFIG_TEST_HOSTS", "", 1);
    memset(&got, 0, sizeof(got));
    assert_false(failed(config_read(arena, optional, NULL, "CONFIG_TEST_", &got)));
    unsetenv("CONFIG_TEST_NAME");
    unsetenv("CONFIG_TEST_HOSTS");
    assert_null(got.name);
    assert_null(got.hosts[0]);
    complains("[hub]\nworkers =\n", ":2: workers: \"\" is not a whole number");
    complains("[hub]\ndemo =\n", ":2: demo: \"\" is neither true nor false");
}

static void files_must_be_there(void **state)
{
    char ini[300];

    (void)state;
    complains("[tls]\ncertificate = /nonexistent/c\n[store]\ndatabase=x\n",
              ":2: certificate: /nonexistent/c: No such file or directory");
    complains("[tls]\nkey_file = /nonexistent/k\n[store]\ndatabase=x\n",
              ":2: key_file: /nonexistent/k: No such file or directory");
    struct err e = config_read(arena, table, "/nonexistent/hub.ini", "CONFIG_TEST_", &got);
    assert_string_equal(err_text(e), "/nonexistent/hub.ini: No such file or directory");
    /* The file's own first line serves as the secret here. */
    snprintf(ini, sizeof(ini), "# s3cret\n[store]\ndatabase = x\n[tls]\nkey_file = %s\n", path);
    reads(ini);
    assert_string_equal(secret_reveal(got.key), "# s3cret");
}

static void a_secret_is_forgotten_when_something_else_is_wrong(void **state)
{
    char ini[300];

    (void)state;
    snprintf(ini, sizeof(ini),
             "# s3cret\n[store]\ndatabase=x\n[tls]\nkey_file=%s\ncertificate=/nonexistent\n", path);
    assert_true(failed(read_ini(ini)));
    assert_false(secret_is_set(got.key)); /* the leak check sees the rest */
}

/* inih by itself reads lines of 199 bytes. */
static void long_lines_are_read_whole(void **state)
{
    char value[3001], ini[4000];

    (void)state;
    for (size_t i = 0; i < sizeof(value) - 1; i++)
        value[i] = i % 11 == 10  ? ' '
                   : i % 13 == 5 ? '='
                   : i % 17 == 3 ? '['
                                 : (char)('a' + i % 26);
    value[sizeof(value) - 1] = '\0';
    value[sizeof(value) - 2] = 'z';
    snprintf(ini, sizeof(ini), "[store]\ndatabase = %s\nwait = 2s\n[hub]\nworkers=x\n", value);
    complains(ini, ":5: workers: \"x\" is not a whole number");
    ini[strlen(ini) - 2] = '3';
    reads(ini);
    assert_string_equal(got.database, value);
    assert_int_equal(got.wait, 2000);
    assert_int_equal(got.workers, 3);
}

static void lines_without_end_are_refused(void **state)
{
    static char ini[8000];

    (void)state;
    memset(ini, 'x', sizeof(ini) - 1);
    memcpy(ini, "[hub]\nname=", 11);
    complains(ini, ":2: the line is longer than 4096 bytes");
    memset(ini + 11, 'x', sizeof(ini) - 12);
    memset(ini + 20, ' ', 1000);
    ini[1500] = '\0';
    complains(ini, ":2: the line is too long");
    /* A comment may be as long as a line. */
    memset(ini, '#', 4000);
    memcpy(ini + 4000, "\n[store]\ndatabase=x\n", 21);
    reads(ini);
}

static void the_sample_reads_as_the_defaults(void **state)
{
    FILE *f = fopen(path, "w");
    char sample[3000] = "";

    (void)state;
    assert_non_null(f);
    config_print_sample(table, f);
    assert_int_equal(fclose(f), 0);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_true(fread(sample, 1, sizeof(sample) - 1, f) > 0);
    fclose(f);
    assert_non_null(strstr(sample, "[hub]\n\n# What it is called (required)\n#name = hub\n"));
    assert_non_null(strstr(sample, "\n\n[store]\n\n# Connection (required)\ndatabase =\n"));
    assert_non_null(strstr(sample, "\n# How long\n#wait = 15s\n"));
    setenv("CONFIG_TEST_DATABASE", "x", 1);
    reads(sample);
    unsetenv("CONFIG_TEST_DATABASE");
    assert_int_equal(got.wait, 15000);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(all_kinds_of_settings_are_read),
        T(what_is_not_given_has_its_default),
        T(the_environment_wins),
        T(lines_of_a_wrong_shape_are_complained_about),
        T(values_that_do_not_fit_are_complained_about),
        T(required_settings_are_asked_for),
        T(an_empty_text_takes_a_default_away),
        T(files_must_be_there),
        T(a_secret_is_forgotten_when_something_else_is_wrong),
        T(long_lines_are_read_whole),
        T(lines_without_end_are_refused),
        T(the_sample_reads_as_the_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
