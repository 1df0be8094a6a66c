/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URL guard: which URLs and addresses pass, and which do not (O51, O67 of the bad-input corpus).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "adapters/url_guard.h"
#include "base/arena.h"

static struct url_guard *strict, *demo, *docker;
static struct arena *arena;

static int setup(void **state)
{
    static const char *const demo_networks[] = {"127.0.0.0/8", "::1", NULL};
    static const char *const docker_networks[] = {"172.18.0.0/16", "fd00:1::/32", "198.18.0.7",
                                                  NULL};

    (void)state;
    arena = arena_new(1024 * 1024);
    assert_false(failed(url_guard_new(NULL, &strict)));
    assert_false(failed(url_guard_new(demo_networks, &demo)));
    assert_false(failed(url_guard_new(docker_networks, &docker)));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    url_guard_free(strict);
    url_guard_free(demo);
    url_guard_free(docker);
    url_guard_free(NULL);
    arena_free(arena);
    return 0;
}

static bool passes(const struct url_guard *g, const char *text)
{
    struct url url;
    struct err e = url_guard_parse(g, arena, text, &url);

    if (failed(e))
        assert_int_equal(e.kind, ERR_URL_REFUSED);
    return !failed(e);
}

static bool address_ok(const struct url_guard *g, const char *text)
{
    struct sockaddr_storage where = {0};
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        memcpy(&where, &in, sizeof(in));
    else if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
        memcpy(&where, &in6, sizeof(in6));
    else
        fail_msg("%s is no address", text);
    return url_guard_address_ok(g, (const struct sockaddr *)&where);
}

static void each_passes(const struct url_guard *g, const char *const *texts)
{
    for (; *texts; texts++)
        if (!passes(g, *texts))
            fail_msg("%s was refused", *texts);
}

static void each_is_refused(const struct url_guard *g, const char *const *texts)
{
    for (; *texts; texts++)
        if (passes(g, *texts))
            fail_msg("%s was let through", *texts);
}

static void urls_of_public_https_servers_pass(void **state)
{
    static const char *const texts[] = {
        "https://cpo.example/ocpi/2.2.1/commands",
        "https://cpo.example",
        "https://CPO.Example:443/Path?a=b&c=d%20e",
        "https://a-b.c1.example/?q",
        "https://xn--bcher-kva.example/",
        "https://9.9.9.9/",
        "https://[2606:4700:4700::1111]/",
        "https://3com.example/",
        NULL,
    };

    (void)state;
    each_passes(strict, texts);
}

static void a_url_is_taken_apart(void **state)
{
    struct url url;

    (void)state;
    assert_false(failed(url_guard_parse(strict, arena, "https://CPO.Example/a/b?c=D", &url)));
    assert_true(url.tls);
    assert_string_equal(url.host, "cpo.example");
    assert_int_equal(url.port, 443);
    assert_string_equal(url.rest, "/a/b?c=D");
}

/* O51 */
static void urls_of_private_addresses_are_refused(void **state)
{
    static const char *const texts[] = {
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "http://[::1]/",
        "https://[::1]/",
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.169.254/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://172.16.0.1/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://localhost/",
        "https://LOCALHOST/",
        "https://a.localhost/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        NULL,
    };

    (void)state;
    each_is_refused(strict, texts);
}

/* O51 */
static void odd_spellings_of_addresses_are_refused_everywhere(void **state)
{
    static const char *const texts[] = {
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0x7f000001/",
        "https://017700000001/",
        "https://127.1/",
        "https://127.0.1/",
        "https://0177.0.0.1/",
        "https://127.0.0.01/",
        "https://127.0.0.0x1/",
        "https://127.0.0.1./",
        "https://1.2.3.4.5/",
        "https://256.1.1.1/",
        "https://3232235777/",
        "https://0/",
        "https://[::1%25lo]/",
        "https://[::1%lo]/",
        "https://[127.0.0.1]/",
        "https://[0:0:0:0:0:0:0:1/",
        "https://%31%32%37.0.0.1/",
        "https://evil.example.123/",
        NULL,
    };

    (void)state;
    each_is_refused(strict, texts);
    each_is_refused(demo, texts);
}

/* O51 */
static void other_schemes_are_refused(void **state)
{
    static const char *const texts[] = {
        "file:///etc/passwd",
        "gopher://cpo.example/",
        "ftp://cpo.example/",
        "javascript:alert(1)",
        "dict://cpo.example/",
        "//cpo.example/",
        "cpo.example",
        "",
        "https:",
        "https:/cpo.example/",
        "https://",
        "https:///path",
        "https://:443/",
        "httpss://cpo.example/",
        "https:cpo.example",
        "h\xc3\xa9ttps://cpo.example/",
        NULL,
    };

    (void)state;
    each_is_refused(strict, texts);
    each_is_refused(demo, texts);
}

/* O51 */
static void user_information_fragments_and_raw_bytes_are_refused(void **state)
{
    static const char *const texts[] = {
        "https://user@cpo.example/",
        "https://user:word@cpo.example/",
        "https://@cpo.example/",
        "https://cpo.example#@evil.example/",
        "https://cpo.example/#part",
        "https://cpo.example\\@evil.example/",
        "https://cpo.example/a b",
        "https://cpo.example/\t",
        "https://cpo.example/\r\nX-Other: 1",
        "https://cpo.example/\x01",
        "https://cpo.example/\x7f",
        "https://cpo.example/\xc3\xa4",
        "https://b\xc3\xbc\x63her.example/",
        " https://cpo.example/",
        "https://cpo.example/ ",
        NULL,
    };

    (void)state;
    each_is_refused(strict, texts);
    each_is_refused(demo, texts);
}

static void odd_host_names_are_refused(void **state)
{
    static const char *const texts[] = {
        "https://cpo..example/",
        "https://.cpo.example/",
        "https://cpo.example./",
        "https://-cpo.example/",
        "https://cpo-.example/",
        "https://cpo_a.example/",
        "https://cpo.exam*ple/",
        "https://cpo%2eexample/",
        "https://cpo.example%00.evil.example/",
        "https://cpo.example;evil.example/",
        "https://cpo,evil/",
        "https://cpo.example[/",
        "https://a23456789012345678901234567890123456789012345678901234567890abcd.example/",
        NULL,
    };

    (void)state;
    each_is_refused(strict, texts);
}

static void odd_ports_are_refused(void **state)
{
    static const char *const texts[] = {
        "https://cpo.example:8443/", "https://cpo.example:80/",
        "http://cpo.example/",       "http://cpo.example:443/",
        "https://cpo.example:0/",    "https://cpo.example:65536/",
        "https://cpo.example:-1/",   "https://cpo.example:+443/",
        "https://cpo.example:4 43/", "https://cpo.example:443x/",
        "https://cpo.example:22/",   "https://9.9.9.9:8443/",
        "http://9.9.9.9/",           NULL,
    };

    (void)state;
    each_is_refused(strict, texts);
}

/* O51: 255 characters pass, 256 do not. */
static void a_url_of_256_characters_is_refused(void **state)
{
    char text[300];
    struct url url;

    (void)state;
    memset(text, 'a', sizeof(text));
    memcpy(text, "https://cpo.example/", 20);
    text[255] = '\0';
    assert_true(passes(strict, text));
    text[255] = 'a';
    text[256] = '\0';
    assert_false(passes(strict, text));
    assert_false(failed(url_guard_parse_up_to(strict, arena, text, 256, &url)));
}

static void allowed_networks_open_http_and_other_ports(void **state)
{
    static const char *const yes[] = {
        "http://127.0.0.1/",
        "http://127.0.0.1:8080/ocpi",
        "https://127.0.0.1:8443/",
        "http://[::1]:8080/",
        "http://localhost:8080/",
        "https://localhost/",
        "http://cpo:8080/ocpi", /* a name: the address decides at the socket */
        NULL,
    };
    static const char *const no[] = {
        "http://10.0.0.1/",        "http://9.9.9.9/",    "https://9.9.9.9:8443/",
        "http://169.254.169.254/", "http://[::2]:8080/", NULL,
    };

    (void)state;
    each_passes(demo, yes);
    each_is_refused(demo, no);
    assert_true(passes(docker, "http://172.18.0.9:8080/"));
    assert_true(passes(docker, "http://[fd00:1::9]:8080/"));
    assert_true(passes(docker, "http://198.18.0.7/"));
    assert_false(passes(docker, "http://198.18.0.8/"));
    assert_false(passes(docker, "http://172.19.0.9:8080/"));
    assert_false(passes(docker, "http://localhost:8080/"));
    assert_false(passes(docker, "https://localhost/"));
}

static void addresses_that_are_not_public_are_refused(void **state)
{
    static const char *const no[] = {
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.0.0",
        "169.254.169.254",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.0",
        "192.168.255.255",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        /* v6 */
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:2::1",
        "2001:10::1",
        "2001:db8::1",
        "2002:a00:1::",
        "2002:909:909::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        NULL,
    };

    (void)state;
    for (size_t i = 0; no[i]; i++)
        if (address_ok(strict, no[i]))
            fail_msg("%s was let through", no[i]);
}

static void neighbours_of_the_ranges_are_public(void **state)
{
    static const char *const yes[] = {
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.0.3.0",
        "192.88.98.1",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.101.0",
        "203.0.114.0",
        "223.255.255.255",
        /* v6 */
        "2001:200::1",
        "2001:db7::1",
        "2001:db9::1",
        "2003::1",
        "2606:4700::1",
        "3ffe::1",
        "::ffff:9.9.9.9",
        "64:ff9b::9.9.9.9",
        NULL,
    };

    (void)state;
    for (size_t i = 0; yes[i]; i++)
        if (!address_ok(strict, yes[i]))
            fail_msg("%s was refused", yes[i]);
}

static void an_allowed_network_opens_just_itself(void **state)
{
    (void)state;
    assert_true(address_ok(docker, "172.18.0.0"));
    assert_true(address_ok(docker, "172.18.255.255"));
    assert_true(address_ok(docker, "::ffff:172.18.0.1"));
    assert_false(address_ok(docker, "172.17.255.255"));
    assert_false(address_ok(docker, "172.19.0.0"));
    assert_false(address_ok(docker, "64:ff9b::172.18.0.1"));
    assert_true(address_ok(docker, "fd00:1:ffff::1"));
    assert_false(address_ok(docker, "fd00:2::1"));
    assert_false(address_ok(docker, "127.0.0.1"));
    assert_true(address_ok(demo, "127.1.2.3"));
    assert_true(address_ok(demo, "::1"));
    assert_false(address_ok(demo, "::2"));
}

static void networks_that_cannot_be_read_are_an_error(void **state)
{
    static const char *const bad[] = {
        "",
        "/8",
        "10",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/8x",
        "10.0.0.0/0008",
        "::/129",
        "localhost",
        "10.0.0.0/8,",
        " 10.0.0.0/8",
        "0x0a.0.0.0/8",
        NULL,
    };

    (void)state;
    for (size_t i = 0; bad[i]; i++) {
        const char *const list[] = {"10.0.0.0/8", bad[i], NULL};
        struct url_guard *g = NULL;
        struct err e = url_guard_new(list, &g);
        if (!failed(e))
            fail_msg("\"%s\" was taken for a network", bad[i]);
        assert_null(g);
    }
}

static void whole_families_can_be_allowed(void **state)
{
    static const char *const four[] = {"0.0.0.0/0", NULL};
    static const char *const six[] = {"::/0", NULL};
    struct url_guard *g;

    (void)state;
    assert_false(failed(url_guard_new(four, &g)));
    assert_true(address_ok(g, "10.0.0.1"));
    assert_false(address_ok(g, "fd00::1"));
    url_guard_free(g);
    assert_false(failed(url_guard_new(six, &g)));
    assert_true(address_ok(g, "fd00::1"));
    assert_false(address_ok(g, "10.0.0.1"));
    url_guard_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_of_public_https_servers_pass),
        cmocka_unit_test(a_url_is_taken_apart),
        cmocka_unit_test(urls_of_private_addresses_are_refused),
        cmocka_unit_test(odd_spellings_of_addresses_are_refused_everywhere),
        cmocka_unit_test(other_schemes_are_refused),
        cmocka_unit_test(user_information_fragments_and_raw_bytes_are_refused),
        cmocka_unit_test(odd_host_names_are_refused),
        cmocka_unit_test(odd_ports_are_refused),
        cmocka_unit_test(a_url_of_256_characters_is_refused),
        cmocka_unit_test(allowed_networks_open_http_and_other_ports),
        cmocka_unit_test(addresses_that_are_not_public_are_refused),
        cmocka_unit_test(neighbours_of_the_ranges_are_public),
        cmocka_unit_test(an_allowed_network_opens_just_itself),
        cmocka_unit_test(networks_that_cannot_be_read_are_an_error),
        cmocka_unit_test(whole_families_can_be_allowed),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
