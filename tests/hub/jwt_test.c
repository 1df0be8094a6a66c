/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JWT: the good ones are let in, and each kind of bad one is not.
 *
 * Tokens are put together here by hand and signed with OpenSSL, so that any header and any claims
 * can be signed well: what is refused is refused for the reason in the test's name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"
#include "hub/server/jwt.h"

enum { NOW = 1774857600, COORDINATE = 32, ES256_BYTES = 64 };

enum alg { RS256, PS256, ES256 };

static struct {
    EVP_PKEY *rsa, *ec, *foreign_rsa;
    char *set; /* the issuer's JWK set: kid "rs" and "es" */
    struct jwt_keys keys;
    struct arena *arena;
} world;

static const struct jwt_rules rules = {"https://id.example", "ocpi-hub", NOW};

/* ---- making tokens ---- */

static char *base64_url(const void *bytes, size_t length)
{
    char *text = text_base64(world.arena, bytes, length);

    for (char *c = text; *c; c++) {
        if (*c == '+')
            *c = '-';
        if (*c == '/')
            *c = '_';
        if (*c == '=')
            *c = 0;
    }
    return text;
}

static const char *number_of(const EVP_PKEY *key, const char *param, int width)
{
    BIGNUM *number = NULL;
    unsigned char bytes[512];

    assert_int_equal(1, EVP_PKEY_get_bn_param(key, param, &number));
    int length = width ? width : BN_num_bytes(number);
    BN_bn2binpad(number, bytes, length);
    BN_free(number);
    return base64_url(bytes, (size_t)length);
}

static void sign_bytes(EVP_PKEY *key, enum alg alg, const char *what, unsigned char *ret,
                       size_t *ret_length)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *context;

    assert_int_equal(1, EVP_DigestSignInit(md, &context, EVP_sha256(), NULL, key));
    if (alg == PS256) {
        EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST);
    }
    assert_int_equal(
        1, EVP_DigestSign(md, ret, ret_length, (const unsigned char *)what, strlen(what)));
    EVP_MD_CTX_free(md);
}

/* r and s one after the other (RFC 7518), from OpenSSL's DER. */
static void raw_of_der(const unsigned char *der, size_t length, unsigned char raw[ES256_BYTES])
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)length);

    assert_non_null(sig);
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, COORDINATE);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + COORDINATE, COORDINATE);
    ECDSA_SIG_free(sig);
}

static const char *with_signature(const char *signing, const void *bytes, size_t length)
{
    return arena_printf(world.arena, "%s.%s", signing, base64_url(bytes, length));
}

static const char *signing_input(const char *header, const char *claims)
{
    return arena_printf(world.arena, "%s.%s", base64_url(header, strlen(header)),
                        base64_url(claims, strlen(claims)));
}

static const char *signed_with(EVP_PKEY *key, enum alg alg, const char *header, const char *claims)
{
    unsigned char bytes[1024], raw[ES256_BYTES];
    size_t length = sizeof bytes;
    const char *signing = signing_input(header, claims);

    sign_bytes(key, alg, signing, bytes, &length);
    if (alg != ES256)
        return with_signature(signing, bytes, length);
    raw_of_der(bytes, length, raw);
    return with_signature(signing, raw, sizeof raw);
}

static const char RS_HEADER[] = "{\"alg\":\"RS256\",\"kid\":\"rs\",\"typ\":\"JWT\"}";
static const char PS_HEADER[] = "{\"alg\":\"PS256\",\"kid\":\"rs\",\"typ\":\"JWT\"}";
static const char ES_HEADER[] = "{\"alg\":\"ES256\",\"kid\":\"es\",\"typ\":\"at+jwt\"}";

/* Claims like good ones, with what the tests are about in their place. */
#define ISS "\"iss\":\"https://id.example\","
#define AUD "\"aud\":\"ocpi-hub\","
#define SUB "\"sub\":\"user-42\","
#define TIMES "\"iat\":1774857600,\"exp\":1774858200"
static const char GOOD_CLAIMS[] = "{" ISS AUD SUB TIMES "}";

static enum jwt_verdict check(const char *token)
{
    struct jwt_claims claims;
    enum jwt_verdict verdict = jwt_check(world.arena, token, &world.keys, &rules, &claims);

    /* Nothing of a refused token may be used by mistake. */
    if (verdict != JWT_GOOD) {
        assert_null(claims.sub);
        assert_null(claims.robot);
    }
    assert_int_equal(0, ERR_peek_error());
    return verdict;
}

static enum jwt_verdict check_claims(const char *claims)
{
    return check(signed_with(world.rsa, RS256, RS_HEADER, claims));
}

static enum jwt_verdict check_header(const char *header)
{
    return check(signed_with(world.rsa, RS256, header, GOOD_CLAIMS));
}

static enum jwt_verdict check_times(int64_t iat, int64_t exp, const char *more)
{
    return check_claims(arena_printf(world.arena, "{" ISS AUD SUB "\"iat\":%lld,\"exp\":%lld%s}",
                                     (long long)iat, (long long)exp, more));
}

/* ---- the good ones ---- */

static void each_algorithm_is_verified(void **state)
{
    struct jwt_claims claims;

    (void)state;
    const char *const tokens[] = {
        signed_with(world.rsa, RS256, RS_HEADER, GOOD_CLAIMS),
        signed_with(world.rsa, PS256, PS_HEADER, GOOD_CLAIMS),
        signed_with(world.ec, ES256, ES_HEADER, GOOD_CLAIMS),
    };
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(JWT_GOOD, jwt_check(world.arena, tokens[i], &world.keys, &rules, &claims));
        assert_string_equal("user-42", claims.sub);
        assert_null(claims.robot);
        assert_int_equal(NOW + 600, claims.exp_s);
    }
}

static void a_robot_is_the_act_claim_and_lives_an_hour(void **state)
{
    struct jwt_claims claims;
    const char *token = signed_with(
        world.rsa, RS256, RS_HEADER,
        "{" ISS AUD SUB "\"act\":{\"sub\":\"r2\"},\"iat\":1774857600,\"exp\":1774861200}");

    (void)state;
    assert_int_equal(JWT_GOOD, jwt_check(world.arena, token, &world.keys, &rules, &claims));
    assert_string_equal("user-42", claims.sub);
    assert_string_equal("r2", claims.robot);
    assert_int_equal(JWT_INVALID, check_times(NOW, NOW + 3601, ",\"act\":{\"sub\":\"r2\"}"));
    assert_int_equal(JWT_INVALID, check_times(NOW, NOW + 600, ",\"act\":{\"sub\":\"\"}"));
    assert_int_equal(JWT_INVALID, check_times(NOW, NOW + 600, ",\"act\":{}"));
    assert_int_equal(JWT_INVALID, check_times(NOW, NOW + 600, ",\"act\":null"));
    assert_int_equal(JWT_INVALID, check_times(NOW, NOW + 600, ",\"act\":\"r2\""));
}

static void without_a_kid_every_key_that_fits_is_tried(void **state)
{
    (void)state;
    assert_int_equal(JWT_GOOD, check_header("{\"alg\":\"RS256\"}"));
    assert_int_equal(JWT_GOOD,
                     check(signed_with(world.ec, ES256, "{\"alg\":\"ES256\"}", GOOD_CLAIMS)));
    assert_int_equal(JWT_INVALID, check(signed_with(world.foreign_rsa, RS256, "{\"alg\":\"RS256\"}",
                                                    GOOD_CLAIMS)));
}

/* ---- the signature ---- */

static void a01_alg_none_is_refused(void **state)
{
    static const char *const words[] = {"none", "None", "NONE", "nOnE", ""};

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        const char *header = arena_printf(world.arena, "{\"alg\":\"%s\",\"kid\":\"rs\"}", words[i]);
        const char *signing = signing_input(header, GOOD_CLAIMS);
        assert_int_equal(JWT_INVALID, check(arena_printf(world.arena, "%s.", signing)));
        assert_int_equal(JWT_INVALID, check(with_signature(signing, "x", 1)));
        assert_int_equal(JWT_INVALID, check_header(header));
    }
    assert_int_equal(JWT_INVALID, check_header("{\"kid\":\"rs\"}"));
    assert_int_equal(JWT_INVALID, check_header("{\"alg\":null,\"kid\":\"rs\"}"));
    assert_int_equal(JWT_INVALID, check_header("{\"alg\":[\"RS256\"],\"kid\":\"rs\"}"));
}

static void hs256_with(const void *secret, size_t length)
{
    const char *signing =
        signing_input("{\"alg\":\"HS256\",\"kid\":\"rs\",\"typ\":\"JWT\"}", GOOD_CLAIMS);
    unsigned char mac[32];
    unsigned n = sizeof mac;

    HMAC(EVP_sha256(), secret, (int)length, (const unsigned char *)signing, strlen(signing), mac,
         &n);
    assert_int_equal(JWT_INVALID, check(with_signature(signing, mac, n)));
}

static void a02_hs256_with_the_public_key_as_secret_is_refused(void **state)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem;

    (void)state;
    PEM_write_bio_PUBKEY(bio, world.rsa);
    long length = BIO_get_mem_data(bio, &pem);
    hs256_with(pem, (size_t)length);
    hs256_with(world.set, strlen(world.set));
    const char *n = number_of(world.rsa, OSSL_PKEY_PARAM_RSA_N, 0);
    hs256_with(n, strlen(n));
    BIO_free(bio);
}

static void the_algorithm_belongs_to_the_key(void **state)
{
    (void)state;
    /* an RSA signature under the name of ES256, and the other way round */
    assert_int_equal(JWT_INVALID, check_header("{\"alg\":\"ES256\",\"kid\":\"rs\"}"));
    assert_int_equal(
        JWT_INVALID,
        check(signed_with(world.ec, ES256, "{\"alg\":\"RS256\",\"kid\":\"es\"}", GOOD_CLAIMS)));
    assert_int_equal(JWT_INVALID, check_header("{\"alg\":\"RS512\",\"kid\":\"rs\"}"));
    assert_int_equal(JWT_INVALID, check_header("{\"alg\":\"PS256\",\"kid\":\"rs\"}"));
    assert_int_equal(JWT_INVALID, check_header("{\"alg\":\"rs256\",\"kid\":\"rs\"}"));
}

static void a03_a_kid_is_only_a_name(void **state)
{
    (void)state;
    assert_int_equal(JWT_UNKNOWN_KEY,
                     check_header("{\"alg\":\"RS256\",\"kid\":\"../../dev/null\"}"));
    assert_int_equal(JWT_UNKNOWN_KEY, check_header("{\"alg\":\"RS256\",\"kid\":\"' OR 1=1--\"}"));
    assert_int_equal(JWT_UNKNOWN_KEY,
                     check_header("{\"alg\":\"RS256\",\"kid\":\"https://evil.example/k\"}"));
    assert_int_equal(JWT_UNKNOWN_KEY, check_header("{\"alg\":\"RS256\",\"kid\":\"RS\"}"));
    assert_int_equal(JWT_INVALID, check_header("{\"alg\":\"RS256\",\"kid\":7}"));
    assert_int_equal(JWT_INVALID, check_header("{\"alg\":\"RS256\",\"kid\":null}"));
    char *kid = arena_alloc(world.arena, JWT_KID_MAX + 2);
    memset(kid, 'k', JWT_KID_MAX + 1);
    assert_int_equal(JWT_INVALID, check_header(arena_printf(
                                      world.arena, "{\"alg\":\"RS256\",\"kid\":\"%s\"}", kid)));
    /* the other key's name */
    assert_int_equal(JWT_INVALID, check_header("{\"alg\":\"RS256\",\"kid\":\"es\"}"));
}

static void a04_a05_keys_in_the_header_are_ignored(void **state)
{
    const char *n = number_of(world.foreign_rsa, OSSL_PKEY_PARAM_RSA_N, 0);
    const char *jwk = arena_printf(world.arena, "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s\"}", n);
    const char *const members[] = {
        arena_printf(world.arena, "\"jwk\":%s", jwk),
        "\"jku\":\"https://evil.example/jwks\"",
        "\"x5u\":\"https://evil.example/cert\"",
        "\"x5c\":[\"MIIB\"]",
    };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const char *header =
            arena_printf(world.arena, "{\"alg\":\"RS256\",\"kid\":\"rs\",%s}", members[i]);
        assert_int_equal(JWT_INVALID,
                         check(signed_with(world.foreign_rsa, RS256, header, GOOD_CLAIMS)));
        assert_int_equal(JWT_GOOD, check_header(header));
        header = arena_printf(world.arena, "{\"alg\":\"RS256\",%s}", members[i]);
        assert_int_equal(JWT_INVALID,
                         check(signed_with(world.foreign_rsa, RS256, header, GOOD_CLAIMS)));
    }
}

static void a14_signatures_that_are_none_are_refused(void **state)
{
    unsigned char zeros[512] = {0}, bytes[1024];
    size_t length = sizeof bytes;
    const char *rs = signing_input(RS_HEADER, GOOD_CLAIMS);
    const char *es = signing_input(ES_HEADER, GOOD_CLAIMS);
    const size_t lengths[] = {1, 32, 63, 64, 65, 96, 128, 255, 256, 257, 512};

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        assert_int_equal(JWT_INVALID, check(with_signature(rs, zeros, lengths[i])));
        assert_int_equal(JWT_INVALID, check(with_signature(es, zeros, lengths[i]))); /* r = s = 0 */
    }
    /* r = s = n, which is 0 again */
    static const unsigned char ORDER[COORDINATE] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
                                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                                                    0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    memcpy(zeros, ORDER, COORDINATE);
    memcpy(zeros + COORDINATE, ORDER, COORDINATE);
    assert_int_equal(JWT_INVALID, check(with_signature(es, zeros, ES256_BYTES)));
    /* DER instead of r and s */
    sign_bytes(world.ec, ES256, es, bytes, &length);
    assert_int_equal(JWT_INVALID, check(with_signature(es, bytes, length)));
    /* a good one with something behind it */
    unsigned char raw[ES256_BYTES + 2] = {0};
    raw_of_der(bytes, length, raw);
    assert_int_equal(JWT_GOOD, check(with_signature(es, raw, ES256_BYTES)));
    assert_int_equal(JWT_INVALID, check(with_signature(es, raw, ES256_BYTES + 2)));
    assert_int_equal(JWT_INVALID, check(arena_printf(world.arena, "%s.", rs)));
}

static void one_changed_byte_anywhere_is_refused(void **state)
{
    const char *good = signed_with(world.ec, ES256, ES_HEADER, GOOD_CLAIMS);

    (void)state;
    assert_int_equal(JWT_GOOD, check(good));
    for (size_t i = 0; good[i]; i++) {
        char *token = arena_text(world.arena, good);
        token[i] = token[i] == 'A' ? 'B' : 'A';
        assert_int_not_equal(JWT_GOOD, check(token));
    }
}

static void a15_crit_is_refused(void **state)
{
    (void)state;
    assert_int_equal(JWT_INVALID,
                     check_header("{\"alg\":\"RS256\",\"kid\":\"rs\",\"crit\":[\"exp\"]}"));
    assert_int_equal(JWT_INVALID, check_header("{\"alg\":\"RS256\",\"kid\":\"rs\",\"crit\":[]}"));
    assert_int_equal(JWT_INVALID, check_header("{\"alg\":\"RS256\",\"kid\":\"rs\",\"crit\":null}"));
    assert_int_equal(
        JWT_INVALID,
        check_header("{\"alg\":\"RS256\",\"kid\":\"rs\",\"b64\":false,\"crit\":[\"b64\"]}"));
}

static void the_type_must_be_that_of_a_token(void **state)
{
    (void)state;
    assert_int_equal(JWT_GOOD, check_header("{\"alg\":\"RS256\",\"kid\":\"rs\",\"typ\":\"jwt\"}"));
    assert_int_equal(JWT_INVALID,
                     check_header("{\"alg\":\"RS256\",\"kid\":\"rs\",\"typ\":\"logout+jwt\"}"));
    assert_int_equal(JWT_INVALID, check_header("{\"alg\":\"RS256\",\"kid\":\"rs\",\"typ\":1}"));
}

/* ---- the shape ---- */

static void a12_three_parts_and_no_other_number(void **state)
{
    const char *good = signed_with(world.rsa, RS256, RS_HEADER, GOOD_CLAIMS);

    (void)state;
    assert_int_equal(JWT_INVALID, check(""));
    assert_int_equal(JWT_INVALID, check("."));
    assert_int_equal(JWT_INVALID, check(".."));
    assert_int_equal(JWT_INVALID, check("..."));
    assert_int_equal(JWT_INVALID, check("x.y.z"));
    assert_int_equal(JWT_INVALID, check(arena_printf(world.arena, "%s.", good)));
    assert_int_equal(JWT_INVALID, check(arena_printf(world.arena, "%s.AAAA", good)));
    assert_int_equal(JWT_INVALID, check(arena_printf(world.arena, ".%s", good)));
    assert_int_equal(JWT_INVALID, check(signing_input(RS_HEADER, GOOD_CLAIMS)));
    assert_int_equal(JWT_INVALID, check(base64_url(RS_HEADER, sizeof RS_HEADER - 1)));
    assert_int_equal(JWT_INVALID, check_header("[]"));
    assert_int_equal(JWT_INVALID, check_header("no JSON"));
    assert_int_equal(JWT_INVALID, check_claims("[]"));
    assert_int_equal(JWT_INVALID, check_claims("\"text\""));
    assert_int_equal(JWT_INVALID, check_claims("{" ISS AUD SUB TIMES "} "
                                               "{}"));
}

static void a13_base64url_without_padding_or_other_letters(void **state)
{
    static const char *const junk[] = {"=", "==", " ", "\n", "\r\n", "\t", "%3D", "+", "/"};
    const char *good = signed_with(world.rsa, RS256, RS_HEADER, GOOD_CLAIMS);
    const char *first = strchr(good, '.'), *second = strchr(first + 1, '.');

    (void)state;
    for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) {
        const char *const tokens[] = {
            arena_printf(world.arena, "%s%s", good, junk[i]),
            arena_printf(world.arena, "%s%s", junk[i], good),
            arena_printf(world.arena, "%.*s%s%s", (int)(first - good), good, junk[i], first),
            arena_printf(world.arena, "%.*s%s%s", (int)(second - good), good, junk[i], second),
        };
        for (size_t t = 0; t < 4; t++)
            assert_int_equal(JWT_INVALID, check(tokens[t]));
    }
    /* The last letter of 256 bytes has four bits that say nothing: they must be 0. */
    char *loose = arena_text(world.arena, good);
    char *last = loose + strlen(loose) - 1;
    *last = (char)(*last == 'A' || *last == 'Q' || *last == 'g' || *last == 'w' ? *last + 1 : '_');
    assert_int_equal(JWT_INVALID, check(loose));
}

static void a17_a_token_of_100_kib_is_refused(void **state)
{
    enum { LONG = 100 * 1024 };
    char *padding = arena_alloc(world.arena, LONG + 1);

    (void)state;
    memset(padding, 'x', LONG);
    assert_int_equal(
        JWT_INVALID,
        check_claims(arena_printf(world.arena, "{" ISS AUD SUB TIMES ",\"x\":\"%s\"}", padding)));
    assert_int_equal(JWT_INVALID, check(padding));
    memset(padding, '.', LONG);
    assert_int_equal(JWT_INVALID, check(padding));
    padding[5000] = 0;
    memset(padding, 'x', 5000);
    assert_int_equal(JWT_GOOD, check_claims(arena_printf(
                                   world.arena, "{" ISS AUD SUB TIMES ",\"x\":\"%s\"}", padding)));
}

/* ---- the claims ---- */

static void a06_expired_ends_59_to_60_seconds_late(void **state)
{
    (void)state;
    assert_int_equal(JWT_GOOD, check_times(NOW - 600, NOW - 59, ""));
    assert_int_equal(JWT_EXPIRED, check_times(NOW - 600, NOW - 60, ""));
    assert_int_equal(JWT_EXPIRED, check_times(NOW - 600, NOW - 61, ""));
    /* What is wrong otherwise, too, is wrong: expired is said of true tokens only. */
    assert_int_equal(JWT_INVALID, check(signed_with(world.foreign_rsa, RS256, RS_HEADER,
                                                    "{" ISS AUD SUB "\"iat\":1,\"exp\":2}")));
    assert_int_equal(JWT_INVALID,
                     check_claims("{\"iss\":\"other\"," AUD SUB "\"iat\":1,\"exp\":2}"));
}

static void a07_nbf_and_a08_iat_in_the_future(void **state)
{
    (void)state;
    assert_int_equal(JWT_GOOD, check_times(NOW, NOW + 600, ",\"nbf\":1774857660"));
    assert_int_equal(JWT_INVALID, check_times(NOW, NOW + 600, ",\"nbf\":1774857661"));
    assert_int_equal(JWT_GOOD, check_times(NOW + 60, NOW + 600, ""));
    assert_int_equal(JWT_INVALID, check_times(NOW + 61, NOW + 600, ""));
    assert_int_equal(JWT_INVALID, check_times(NOW, NOW + 600, ",\"nbf\":\"1774857600\""));
    assert_int_equal(JWT_INVALID, check_times(NOW, NOW + 600, ",\"nbf\":null"));
}

static void a_token_lives_a_day_at_most(void **state)
{
    (void)state;
    assert_int_equal(JWT_GOOD, check_times(NOW, NOW + 86400, ""));
    assert_int_equal(JWT_INVALID, check_times(NOW, NOW + 86401, ""));
    assert_int_equal(JWT_INVALID, check_times(NOW, INT64_MAX, ""));
    assert_int_equal(JWT_INVALID, check_times(INT64_MAX, INT64_MAX, ""));
    assert_int_equal(JWT_INVALID, check_times(-1, NOW + 600, ""));
    assert_int_equal(JWT_INVALID, check_times(NOW, -1, ""));
}

static void a09_issuer_and_audience_must_be_ours(void **state)
{
    static const char *const bad[] = {
        "{" AUD SUB TIMES "}",
        "{\"iss\":\"https://id.example/\"," AUD SUB TIMES "}",
        "{\"iss\":\"HTTPS://id.example\"," AUD SUB TIMES "}",
        "{\"iss\":[\"https://id.example\"]," AUD SUB TIMES "}",
        "{\"iss\":null," AUD SUB TIMES "}",
        "{" ISS SUB TIMES "}",
        "{" ISS SUB "\"aud\":\"other\"," TIMES "}",
        "{" ISS SUB "\"aud\":\"ocpi-hub2\"," TIMES "}",
        "{" ISS SUB "\"aud\":\"ocpi-hu\"," TIMES "}",
        "{" ISS SUB "\"aud\":[]," TIMES "}",
        "{" ISS SUB "\"aud\":[\"other\",7,null]," TIMES "}",
        "{" ISS SUB "\"aud\":[[\"ocpi-hub\"]]," TIMES "}",
        "{" ISS SUB "\"aud\":{\"ocpi-hub\":1}," TIMES "}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(JWT_INVALID, check_claims(bad[i]));
    assert_int_equal(JWT_GOOD,
                     check_claims("{" ISS SUB "\"aud\":[\"other\",\"ocpi-hub\"]," TIMES "}"));
}

static void a10_a11_missing_claims_and_odd_numbers(void **state)
{
    static const char *const bad[] = {
        "{" ISS AUD TIMES "}",
        "{" ISS AUD "\"sub\":\"\"," TIMES "}",
        "{" ISS AUD "\"sub\":42," TIMES "}",
        "{" ISS AUD "\"sub\":null," TIMES "}",
        "{" ISS AUD "\"sub\":\"a\\nb\"," TIMES "}",
        "{" ISS AUD "\"sub\":\"a\\u0000b\"," TIMES "}",
        "{" ISS AUD SUB "\"iat\":1774857600}",
        "{" ISS AUD SUB "\"exp\":1774858200}",
        "{" ISS AUD SUB "\"iat\":1774857600,\"exp\":\"1774858200\"}",
        "{" ISS AUD SUB "\"iat\":1774857600,\"exp\":1774858200.5}",
        "{" ISS AUD SUB "\"iat\":1774857600,\"exp\":1.7748582e9}",
        "{" ISS AUD SUB "\"iat\":1774857600,\"exp\":1e20}",
        "{" ISS AUD SUB "\"iat\":1774857600,\"exp\":99999999999999999999}",
        "{" ISS AUD SUB "\"iat\":1774857600,\"exp\":true}",
        "{" ISS AUD SUB "\"iat\":1774857600,\"exp\":[1774858200]}",
        "{" ISS AUD SUB "\"iat\":1774857600,\"exp\":null}",
        "{}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(JWT_INVALID, check_claims(bad[i]));
    char *sub = arena_alloc(world.arena, 202);
    memset(sub, 's', 201);
    assert_int_equal(JWT_INVALID, check_claims(arena_printf(
                                      world.arena, "{" ISS AUD "\"sub\":\"%s\"," TIMES "}", sub)));
}

static void a16_duplicate_members_are_refused(void **state)
{
    (void)state;
    assert_int_equal(JWT_INVALID, check_claims("{" ISS AUD SUB SUB TIMES "}"));
    assert_int_equal(JWT_INVALID,
                     check_claims("{" ISS AUD SUB "\"s\\u0075b\":\"admin\"," TIMES "}"));
    assert_int_equal(JWT_INVALID, check_claims("{" ISS AUD SUB TIMES ",\"exp\":1774858200}"));
    assert_int_equal(JWT_INVALID,
                     check_header("{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"rs\"}"));
}

/* ---- the keys ---- */

static int add_set(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int add_set(const char *format, ...)
{
    struct jwt_keys *keys = arena_alloc(world.arena, sizeof *keys);
    va_list args;

    va_start(args, format);
    const char *text = arena_vprintf(world.arena, format, args);
    va_end(args);
    int added = jwt_keys_add_set(world.arena, text, strlen(text), keys);
    assert_int_equal(added > 0 ? added : 0, (int)keys->count);
    jwt_keys_clear(keys);
    return added;
}

static void only_strong_keys_for_signatures_are_taken(void **state)
{
    const char *n = number_of(world.rsa, OSSL_PKEY_PARAM_RSA_N, 0);
    EVP_PKEY *small = EVP_RSA_gen(1024);
    const char *weak = number_of(small, OSSL_PKEY_PARAM_RSA_N, 0);
    const char *padded = number_of(small, OSSL_PKEY_PARAM_RSA_N, 256);

    (void)state;
    EVP_PKEY_free(small);
    assert_int_equal(1, add_set("{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s\"}]}", n));
    assert_int_equal(0,
                     add_set("{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s\"}]}", weak));
    assert_int_equal(0,
                     add_set("{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s\"}]}", padded));
    assert_int_equal(0, add_set("{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQ\",\"n\":\"%s\"}]}", n));
    assert_int_equal(0, add_set("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"%s\"}]}", n));
    assert_int_equal(0, add_set("{\"keys\":[{\"kty\":\"RSA\",\"use\":\"enc\",\"e\":\"AQAB\","
                                "\"n\":\"%s\"}]}",
                                n));
    assert_int_equal(0, add_set("{\"keys\":[{\"kty\":\"RSA\",\"alg\":\"RS512\",\"e\":\"AQAB\","
                                "\"n\":\"%s\"}]}",
                                n));
    assert_int_equal(0, add_set("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\",\"alg\":\"HS256\"}]}"));
    assert_int_equal(0, add_set("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\","
                                "\"y\":\"AQ\"}]}")); /* not on the curve */
    assert_int_equal(0, add_set("{\"keys\":[7,null,{},[]]}"));
    assert_int_equal(-1, add_set("{}"));
    assert_int_equal(-1, add_set("no JSON"));
}

static const char *write_pem(EVP_PKEY *key, bool private, const char *passphrase)
{
    char path[] = "/tmp/jwt_test_XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");

    assert_non_null(file);
    if (private)
        PEM_write_PrivateKey(file, key, passphrase ? EVP_aes_128_cbc() : NULL,
                             (const unsigned char *)passphrase,
                             passphrase ? (int)strlen(passphrase) : 0, NULL, NULL);
    else
        PEM_write_PUBKEY(file, key);
    fclose(file);
    return arena_text(world.arena, path);
}

/* Some of these make cjose end the process. */
static void a_number_of_a_key_is_base64url_and_nothing_else(void **state)
{
    const char *x = number_of(world.ec, OSSL_PKEY_PARAM_EC_PUB_X, COORDINATE);
    const char *y = number_of(world.ec, OSSL_PKEY_PARAM_EC_PUB_Y, COORDINATE);
    const char *n = number_of(world.rsa, OSSL_PKEY_PARAM_RSA_N, 0);
    static const char EC[] =
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}]}";
    static const char ODD[] = "=+/ .";

    (void)state;
    assert_int_equal(1, add_set(EC, x, y));
    for (size_t at = 0; y[at]; at++) {
        for (const char *odd = ODD; *odd; odd++) {
            char *broken = arena_text(world.arena, y);
            broken[at] = *odd;
            assert_int_equal(0, add_set(EC, x, broken));
            assert_int_equal(0, add_set(EC, broken, y));
        }
    }
    assert_int_equal(0, add_set(EC, x, ""));
    assert_int_equal(0, add_set(EC, x, arena_printf(world.arena, "%s=", y)));
    assert_int_equal(0, add_set("{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQ=B\",\"n\":\"%s\"}]}", n));
    assert_int_equal(0, add_set("{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s=\"}]}", n));
    assert_int_equal(
        1, add_set("{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s\",\"d\":\"A=\"}]}", n));
}

static void a_key_that_names_an_algorithm_takes_no_other(void **state)
{
    struct jwt_keys *keys = arena_alloc(world.arena, sizeof *keys);
    struct jwt_claims claims;
    const char *set =
        arena_printf(world.arena,
                     "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"rs\",\"alg\":\"RS256\",\"e\":\"AQAB\","
                     "\"n\":\"%s\"}]}",
                     number_of(world.rsa, OSSL_PKEY_PARAM_RSA_N, 0));

    (void)state;
    assert_int_equal(1, jwt_keys_add_set(world.arena, set, strlen(set), keys));
    const char *rs = signed_with(world.rsa, RS256, RS_HEADER, GOOD_CLAIMS);
    const char *ps = signed_with(world.rsa, PS256, PS_HEADER, GOOD_CLAIMS);
    assert_int_equal(JWT_GOOD, jwt_check(world.arena, rs, keys, &rules, &claims));
    assert_int_equal(JWT_INVALID, jwt_check(world.arena, ps, keys, &rules, &claims));
    jwt_keys_clear(keys);
}

static void a_pem_file_of_public_keys_is_read(void **state)
{
    struct jwt_keys *keys = arena_alloc(world.arena, sizeof *keys);
    struct jwt_claims claims;
    EVP_PKEY *const pkeys[] = {world.rsa, world.ec};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const char *path = write_pem(pkeys[i], false, NULL);
        assert_false(failed(jwt_keys_read_file(world.arena, path, keys)));
        unlink(path);
    }
    assert_int_equal(2, keys->count);
    assert_int_equal(0, ERR_peek_error());
    assert_int_equal(JWT_GOOD,
                     jwt_check(world.arena, signed_with(world.ec, ES256, ES_HEADER, GOOD_CLAIMS),
                               keys, &rules, &claims));
    /* A PEM key has no name: one with another kid may come from a key we do not have yet. */
    assert_int_equal(JWT_UNKNOWN_KEY,
                     jwt_check(world.arena,
                               signed_with(world.foreign_rsa, RS256, RS_HEADER, GOOD_CLAIMS), keys,
                               &rules, &claims));
    jwt_keys_clear(keys);
}

static void a_private_key_signs_and_its_public_half_verifies(void **state)
{
    EVP_PKEY *const pkeys[] = {world.rsa, world.ec};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct jwt_keys *keys = arena_alloc(world.arena, sizeof *keys);
        struct jwt_key signing;
        cjose_err err;
        const char *text, *path = write_pem(pkeys[i], true, NULL);
        assert_false(failed(jwt_keys_read_private(world.arena, path, "dev", keys, &signing)));
        unlink(path);
        assert_int_equal(i == 1, signing.ec);
        cjose_header_t *header = cjose_header_new(&err);
        cjose_header_set(header, CJOSE_HDR_ALG, signing.ec ? "ES256" : "RS256", &err);
        cjose_header_set(header, CJOSE_HDR_KID, signing.kid, &err);
        cjose_jws_t *jws = cjose_jws_sign(signing.jwk, header, (const uint8_t *)GOOD_CLAIMS,
                                          strlen(GOOD_CLAIMS), &err);
        assert_non_null(jws);
        assert_true(cjose_jws_export(jws, &text, &err));
        struct jwt_claims claims;
        assert_int_equal(JWT_GOOD, jwt_check(world.arena, text, keys, &rules, &claims));
        cjose_jws_release(jws);
        cjose_header_release(header);
        cjose_jwk_release(signing.jwk);
        jwt_keys_clear(keys);
    }
}

static void a_key_file_that_cannot_be_used_is_named(void **state)
{
    struct jwt_keys *keys = arena_alloc(world.arena, sizeof *keys);
    struct jwt_key signing;
    EVP_PKEY *small = EVP_RSA_gen(1024);
    const char *const paths[] = {
        write_pem(world.rsa, true, "secret"), /* must not ask for the passphrase */
        write_pem(small, true, NULL),
        write_pem(world.rsa, false, NULL),
        "/nonexistent/key.pem",
    };

    (void)state;
    EVP_PKEY_free(small);
    for (size_t i = 0; i < 4; i++) {
        struct err e = jwt_keys_read_private(world.arena, paths[i], "dev", keys, &signing);
        assert_true(failed(e));
        assert_non_null(strstr(err_text(e), paths[i]));
        unlink(paths[i]);
    }
    const char *path = write_pem(world.rsa, true, NULL);
    struct err e = jwt_keys_read_file(world.arena, path, keys); /* private where public is wanted */
    unlink(path);
    assert_true(failed(e));
    assert_non_null(strstr(err_text(e), path));
    assert_int_equal(0, keys->count);
    ERR_clear_error();
}

/* ---- the world ---- */

static int set_up(void **state)
{
    (void)state;
    world.arena = arena_new(256 * 1024 * 1024);
    world.rsa = EVP_RSA_gen(2048);
    world.foreign_rsa = EVP_RSA_gen(2048);
    world.ec = EVP_EC_gen("P-256");
    world.set = arena_printf(
        world.arena,
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"rs\",\"use\":\"sig\",\"e\":\"AQAB\",\"n\":\"%s\"},"
        "{\"kty\":\"EC\",\"kid\":\"es\",\"use\":\"sig\",\"alg\":\"ES256\",\"crv\":\"P-256\","
        "\"x\":\"%s\",\"y\":\"%s\"}]}",
        number_of(world.rsa, OSSL_PKEY_PARAM_RSA_N, 0),
        number_of(world.ec, OSSL_PKEY_PARAM_EC_PUB_X, COORDINATE),
        number_of(world.ec, OSSL_PKEY_PARAM_EC_PUB_Y, COORDINATE));
    return jwt_keys_add_set(world.arena, world.set, strlen(world.set), &world.keys) == 2 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    jwt_keys_clear(&world.keys);
    EVP_PKEY_free(world.rsa);
    EVP_PKEY_free(world.foreign_rsa);
    EVP_PKEY_free(world.ec);
    arena_free(world.arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_algorithm_is_verified),
        cmocka_unit_test(a_robot_is_the_act_claim_and_lives_an_hour),
        cmocka_unit_test(without_a_kid_every_key_that_fits_is_tried),
        cmocka_unit_test(a01_alg_none_is_refused),
        cmocka_unit_test(a02_hs256_with_the_public_key_as_secret_is_refused),
        cmocka_unit_test(the_algorithm_belongs_to_the_key),
        cmocka_unit_test(a03_a_kid_is_only_a_name),
        cmocka_unit_test(a04_a05_keys_in_the_header_are_ignored),
        cmocka_unit_test(a06_expired_ends_59_to_60_seconds_late),
        cmocka_unit_test(a07_nbf_and_a08_iat_in_the_future),
        cmocka_unit_test(a_token_lives_a_day_at_most),
        cmocka_unit_test(a09_issuer_and_audience_must_be_ours),
        cmocka_unit_test(a10_a11_missing_claims_and_odd_numbers),
        cmocka_unit_test(a12_three_parts_and_no_other_number),
        cmocka_unit_test(a13_base64url_without_padding_or_other_letters),
        cmocka_unit_test(a14_signatures_that_are_none_are_refused),
        cmocka_unit_test(one_changed_byte_anywhere_is_refused),
        cmocka_unit_test(a15_crit_is_refused),
        cmocka_unit_test(the_type_must_be_that_of_a_token),
        cmocka_unit_test(a16_duplicate_members_are_refused),
        cmocka_unit_test(a17_a_token_of_100_kib_is_refused),
        cmocka_unit_test(only_strong_keys_for_signatures_are_taken),
        cmocka_unit_test(a_number_of_a_key_is_base64url_and_nothing_else),
        cmocka_unit_test(a_key_that_names_an_algorithm_takes_no_other),
        cmocka_unit_test(a_pem_file_of_public_keys_is_read),
        cmocka_unit_test(a_private_key_signs_and_its_public_half_verifies),
        cmocka_unit_test(a_key_file_that_cannot_be_used_is_named),
    };

    return cmocka_run_group_tests_name("jwt", tests, set_up, tear_down);
}
