/* SPDX-License-Identifier: Apache-2.0 */
/* Ids: shape, order, uniqueness, and hashes against published vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/id.h"
#include "base/time.h"

static void a_uuid_has_its_version_and_variant(void **state)
{
    char id[UUID_TEXT], again[UUID_TEXT];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        id_uuid_v4(id);
        assert_int_equal(strlen(id), 36);
        assert_int_equal(id[14], '4');
        assert_non_null(strchr("89ab", id[19]));
        assert_true(id_uuid_parse(id, again));
        assert_string_equal(id, again);
        id_uuid_v7(id);
        assert_int_equal(id[14], '7');
        assert_non_null(strchr("89ab", id[19]));
        assert_true(id_uuid_parse(id, again));
    }
}

static void version_7_is_ordered_and_carries_the_time(void **state)
{
    char before[UUID_TEXT], id[UUID_TEXT];

    (void)state;
    id_uuid_v7(before);
    for (int i = 0; i < 20000; i++) {
        id_uuid_v7(id);
        assert_true(strcmp(before, id) < 0);
        memcpy(before, id, sizeof(id));
    }
    /* RFC 9562, appendix A.6: 2022-02-22T14:22:22-05:00 */
    time_set_for_test(INT64_C(1645557742000000));
    id_uuid_v7(id);
    assert_memory_equal(id, "017f22e2-79b0-7000-", 19);
    id_uuid_v7(before);
    assert_memory_equal(before, "017f22e2-79b0-7001-", 19);
    time_set_for_test(TIME_NONE);
}

static void only_uuids_are_taken_for_uuids(void **state)
{
    static const char *const bad[] = {
        "",
        "018f6a1e-1111-7222-8333-44444444444",
        "018f6a1e-1111-7222-8333-4444444444444",
        "018f6a1e11117222833344444444444",
        "018f6a1e-1111-7222-8333-44444444444g",
        "018f6a1e1-111-7222-8333-444444444444",
        "{018f6a1e-1111-7222-8333-44444444444}",
        " 18f6a1e-1111-7222-8333-444444444444",
    };
    char id[UUID_TEXT] = "untouched";

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(id_uuid_parse(bad[i], id));
    assert_string_equal(id, "untouched");
    assert_true(id_uuid_parse("018F6A1E-AbCd-7222-8333-444444444444", id));
    assert_string_equal(id, "018f6a1e-abcd-7222-8333-444444444444");
}

static void tokens_are_long_alphanumeric_and_different(void **state)
{
    char first[101], second[101], none[1] = "x";
    int seen[256] = {0};

    (void)state;
    for (int i = 0; i < 500; i++) {
        id_token(first, 100);
        id_token(second, 100);
        assert_int_equal(strlen(first), 100);
        assert_string_not_equal(first, second);
        for (const char *c = first; *c; c++)
            seen[(unsigned char)*c]++;
    }
    int kinds = 0;
    for (int c = 0; c < 256; c++) {
        bool digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        assert_true(digit || !seen[c]);
        kinds += seen[c] > 0;
        if (digit) /* 50 000 characters, 806 of each on average */
            assert_in_range(seen[c], 600, 1050);
    }
    assert_int_equal(kinds, 62);
    id_token(none, 0);
    assert_string_equal(none, "");
}

static void random_numbers_stay_below_their_limit(void **state)
{
    int seen[3] = {0};

    (void)state;
    for (int i = 0; i < 3000; i++)
        seen[id_random_below(3)]++;
    for (int i = 0; i < 3; i++)
        assert_in_range(seen[i], 800, 1200);
    assert_int_equal(id_random_below(1), 0);
    for (int i = 0; i < 100; i++)
        assert_true(id_random_below(UINT64_C(1) << 63) < UINT64_C(1) << 63);
}

static void sha256_is_the_one_of_fips_180(void **state)
{
    char hex[SHA256_HEX];

    (void)state;
    id_sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    id_sha256_hex("", 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void hmac_is_the_one_of_rfc_4231(void **state)
{
    unsigned char mac[SHA256_BYTES];
    char hex[SHA256_HEX];

    (void)state;
    id_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac);
    id_hex(mac, sizeof(mac), hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void secrets_are_compared_whole(void **state)
{
    (void)state;
    assert_true(id_equal_constant_time("abc", "abc", 3));
    assert_false(id_equal_constant_time("abc", "abd", 3));
    assert_true(id_equal_constant_time("abc", "abd", 2));
    assert_true(id_equal_constant_time("a", "b", 0));
}

static void a_digest_of_pieces_is_that_of_the_whole(void **state)
{
    struct id_digest *d = id_digest_begin();
    char whole[SHA256_HEX], pieces[SHA256_HEX];

    (void)state;
    id_sha256_hex("abc,def\r\n", 9, whole);
    id_digest_add(d, "abc", 3);
    id_digest_add(d, "", 0);
    id_digest_add(d, ",def\r\n", 6);
    id_digest_end(d, pieces);
    assert_string_equal(pieces, whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uuid_has_its_version_and_variant),
        cmocka_unit_test(version_7_is_ordered_and_carries_the_time),
        cmocka_unit_test(only_uuids_are_taken_for_uuids),
        cmocka_unit_test(tokens_are_long_alphanumeric_and_different),
        cmocka_unit_test(random_numbers_stay_below_their_limit),
        cmocka_unit_test(sha256_is_the_one_of_fips_180),
        cmocka_unit_test(hmac_is_the_one_of_rfc_4231),
        cmocka_unit_test(secrets_are_compared_whole),
        cmocka_unit_test(a_digest_of_pieces_is_that_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
