/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings: the least that runs, the defaults, and each refusal with its place: file and line or
 * variable, setting, reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/arena.h"
#include "hub/settings.h"

#define HEX64 "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"

static struct {
    struct arena *arena;
    struct settings got;
    char ini[32], key[32];
} world;

static void write_file(char path[32], const char *text)
{
    strncpy(path, "/tmp/settings_test_XXXXXX", 32);
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal((int)strlen(text), (int)write(fd, text, strlen(text)));
    close(fd);
}

static int set_up(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    world.arena = arena_new(4 << 20);
    write_file(world.key, HEX64 "\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(world.ini);
    unlink(world.key);
    arena_free(world.arena);
    return 0;
}

/* Lines 1 to 5 are what is required; `more` begins in line 6, which is in section [hub]. */
static struct err read_with(const char *more)
{
    write_file(world.ini, arena_printf(world.arena,
                                       "[stores]\ndatabase_url = postgresql:///hub\n"
                                       "[secrets]\ndata_key_file = %s\nhash_key_file = %s\n"
                                       "[hub]\n%s",
                                       world.key, world.key, more));
    return settings_read(world.arena, world.ini, &world.got);
}

/* The complaint is "FILE:LINE: setting: ...reason...". */
static void refused(struct err e, int line, const char *setting, const char *reason)
{
    const char *begin = arena_printf(world.arena, "%s:%d: %s: ", world.ini, line, setting);

    assert_true(failed(e));
    if (strncmp(err_text(e), begin, strlen(begin)) != 0 || !strstr(err_text(e), reason))
        fail_msg("\"%s\" does not begin with \"%s\" or tell \"%s\"", err_text(e), begin, reason);
}

static void the_least_that_is_needed_is_enough(void **state)
{
    (void)state;
    struct err e = read_with("");
    if (failed(e))
        fail_msg("%s", err_text(e));
    assert_int_equal(2, world.got.workers);
    assert_string_equal("127.0.0.1:8080", world.got.public_listen);
    assert_string_equal("EUR", world.got.default_currency);
    assert_string_equal("FI", world.got.country_code);
    assert_int_equal(120000, world.got.start_grace_ms);
    assert_null(world.got.public_url);
    assert_null(world.got.dev_jwt_key); /* nobody mints tokens unless told to */
    assert_false(secret_is_set(world.got.admin_token));
    assert_null(world.got.allow_private_urls[0]);
}

static void each_required_setting_is_asked_for(void **state)
{
    static const char *const required[] = {"database_url", "data_key_file", "hash_key_file"};

    (void)state;
    for (size_t missing = 0; missing < 3; missing++) {
        char path[32];
        const char *text = "";
        for (size_t i = 0; i < 3; i++)
            if (i != missing)
                text = arena_printf(world.arena, "%s[%s]\n%s = %s\n", text,
                                    i ? "secrets" : "stores", required[i], world.key);
        write_file(path, text);
        struct err e = settings_read(world.arena, path, &world.got);
        unlink(path);
        assert_true(failed(e));
        assert_non_null(strstr(err_text(e), path));
        assert_non_null(strstr(err_text(e), required[missing]));
    }
}

struct bad_line {
    const char *section, *setting, *value, *reason;
};

static void each_bad_value_is_named_with_its_line(void **state)
{
    static const struct bad_line bad[] = {
        {"hub", "workers", "0", "below the least"},
        {"hub", "workers", "65", "above the greatest"},
        {"hub", "workers", "two", "not a whole number"},
        {"hub", "log_level", "loud", "must be debug"},
        {"hub", "log_level", "", "must not be empty"},
        {"hub", "default_currency", "EURO", "ISO 4217"},
        {"hub", "default_currency", "", "must not be empty"},
        {"hub", "public_listen", "", "must not be empty"},
        {"hub", "public_url", "hub.example", "https://"},
        {"hub", "public_url", "ftp://hub.example", "https://"},
        {"hub", "public_url", "https://hub.example/", "slash"},
        {"hub", "public_url",
         "https://hub.example/"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "too long"},
        {"hub", "tls_certificate", "/nonexistent/cert.pem", "No such file"},
        {"hub", "drain_notice", "5 minutes", "not a time"},
        {"hub", "start_grace", "10ms", "below the least"},
        {"hub", "max_connections", "1", "below the least"},
        {"hub", "wrokers", "2", ""},
        {"stores", "writers", "17", "above the greatest"},
        {"stores", "statement_timeout", "2h", "above the greatest"},
        {"ocpi", "country_code", "fi", "upper-case"},
        {"ocpi", "country_code", "FIN", "two"},
        {"ocpi", "country_code", "", "must not be empty"},
        {"ocpi", "party_id", "hub", "upper-case"},
        {"ocpi", "party_id", "HU", "three"},
        {"ocpi", "party_id", "H-B", "three"},
        {"ocpi", "name", "", "must not be empty"},
        {"ocpi", "page_limit", "1001", "above the greatest"},
        {"finance", "receipt_series", "de", "upper-case"},
        {"finance", "receipt_series", "DE-", "dashes inside"},
        {"finance", "receipt_series", "DE/2", "dashes inside"},
        {"finance", "receipt_series", "ABCDEFGHIJKLMNOPQRSTU", "1 to 20"},
        {"finance", "receipt_language", "sv", "en, de or fi"},
        {"finance", "receipt_language", "", "must not be empty"},
        {"finance", "receipt_pdf", "/nonexistent/program", "No such file"},
        {"secrets", "admin_token_file", "/nonexistent/token", "No such file"},
        {"auth", "jwt_issuer", "", "must not be empty"},
        {"auth", "jwt_audience", "", "must not be empty"},
        {"auth", "jwt_keys_file", "/nonexistent/keys", "No such file"},
        {"auth", "dev_jwt_key_file", "/nonexistent/key", "No such file"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct bad_line *b = &bad[i];
        struct err e = read_with(
            arena_printf(world.arena, "[%s]\n%s = %s\n", b->section, b->setting, b->value));
        refused(e, 8, b->setting, b->reason);
        unlink(world.ini);
        memset(&world.got, 0, sizeof world.got);
    }
}

static void certificate_and_key_need_each_other(void **state)
{
    (void)state;
    refused(read_with(arena_printf(world.arena, "tls_certificate = %s\n", world.key)), 7,
            "tls_certificate", "tls_key");
    unlink(world.ini);
    tear_down(NULL);
    set_up(NULL);
    refused(read_with(arena_printf(world.arena, "tls_key = %s\n", world.key)), 7, "tls_key",
            "tls_certificate");
}

static void a_short_admin_token_is_refused_and_not_shown(void **state)
{
    char path[32];

    (void)state;
    write_file(path, "only-thirty-one-characters-long\n");
    struct err e = read_with(arena_printf(world.arena, "[secrets]\nadmin_token_file = %s\n", path));
    unlink(path);
    refused(e, 8, "admin_token_file", "32 characters");
    assert_null(strstr(err_text(e), "thirty"));
}

static void keys_are_64_hex_digits(void **state)
{
    static const char *const bad[] = {"0123456789abcdef", (HEX64 "00"), ("g" HEX64)};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        tear_down(NULL);
        set_up(NULL);
        unlink(world.key);
        write_file(world.key, bad[i]);
        struct err e = read_with("");
        refused(e, 4, "data_key_file", "openssl rand -hex 32");
        assert_null(strstr(err_text(e), "0123456789"));
    }
}

static void a_key_is_its_hex_digits_bytes(void **state)
{
    unsigned char key[32];

    (void)state;
    assert_false(failed(read_with("")));
    assert_false(failed(settings_key(world.arena, "data_key_file", world.got.data_key, key)));
    assert_int_equal(0x01, key[0]);
    assert_int_equal(0xef, key[15]);
    assert_int_equal(0xef, key[31]);
}

static void a_wrong_variable_is_named_instead_of_the_file(void **state)
{
    (void)state;
    setenv("OCPI_HUB_COUNTRY_CODE", "finland", 1);
    struct err e = read_with("[ocpi]\ncountry_code = FI\n");
    unsetenv("OCPI_HUB_COUNTRY_CODE");
    assert_true(failed(e));
    assert_non_null(strstr(err_text(e), "OCPI_HUB_COUNTRY_CODE: country_code: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_least_that_is_needed_is_enough, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_required_setting_is_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_bad_value_is_named_with_its_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(certificate_and_key_need_each_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_short_admin_token_is_refused_and_not_shown, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(keys_are_64_hex_digits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_is_its_hex_digits_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_variable_is_named_instead_of_the_file, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
