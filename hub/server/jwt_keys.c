/* SPDX-License-Identifier: Apache-2.0 */
/* JWT keys: PEM and JWK in, cjose keys out. */
#include "hub/server/jwt_keys.h"

#include <errno.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"

enum {
    FILE_MAX = 256 * 1024,
    RSA_BITS_MIN = 2048,
    COORDINATE = 32,
    DIGITS_MAX = 4096, /* RSA of 24576 bits */
};

void jwt_keys_clear(struct jwt_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        cjose_jwk_release(keys->items[i].jwk);
    keys->count = 0;
}

static struct err read_whole(struct arena *a, const char *path, char **ret, size_t *ret_length)
{
    FILE *file = fopen(path, "re");
    char *bytes = arena_alloc(a, FILE_MAX + 1);

    if (!file)
        return err_at(a, ERR_BAD_FIELD, path, "%s: cannot be read: %s", path, strerror(errno));
    *ret_length = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    *ret = bytes;
    return OK;
}

/* ---- JWK sets ---- */

static bool allows(const json_t *jwk, const char *member, const char *const *words)
{
    const char *given = json_text_of(jwk, member);

    if (!given)
        return true;
    for (; *words; words++)
        if (strcmp(given, *words) == 0)
            return true;
    return false;
}

/* A number of a JWK as it is written: base64url without padding; NULL where it is none. */
static const char *digits_of(const json_t *jwk, const char *member)
{
    static const char ALPHABET[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *text = json_text_of(jwk, member);
    size_t length = text ? strlen(text) : 0;

    if (!length || length > DIGITS_MAX || length % 4 == 1 || strspn(text, ALPHABET) != length)
        return NULL;
    return text;
}

static BIGNUM *number_of(struct arena *a, const json_t *jwk, const char *member)
{
    const char *text = digits_of(jwk, member);
    size_t length = text ? strlen(text) : 0;

    if (!text)
        return NULL;
    char *plain = arena_alloc(a, length + 4);
    for (size_t i = 0; i < length; i++)
        plain[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
    while (length % 4)
        plain[length++] = '=';
    char *bytes = text_base64_decode(a, plain, &length);
    return bytes ? BN_bin2bn((const unsigned char *)bytes, (int)length, NULL) : NULL;
}

/* The public key alone, for cjose; NULL where a part is missing. cjose sees nothing else of what
 * the issuer wrote: padding inside a number makes it end the process. */
static const char *public_part(struct arena *a, const json_t *jwk, bool ec)
{
    const char *const members[] = {ec ? "x" : "n", ec ? "y" : "e"};
    struct text t;

    text_init(&t, a, 4 * DIGITS_MAX);
    json_begin_object(&t, NULL);
    json_put_text(&t, "kty", ec ? "EC" : "RSA");
    if (ec)
        json_put_text(&t, "crv", "P-256");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const char *digits = digits_of(jwk, members[i]);
        if (!digits)
            return NULL;
        json_put_text(&t, members[i], digits);
    }
    json_end_object(&t);
    return t.bytes;
}

/* Leading zeros do not make a modulus longer, and with an exponent of 1 anybody can sign. */
static bool rsa_is_strong(struct arena *a, const json_t *jwk)
{
    BIGNUM *n = number_of(a, jwk, "n"), *e = number_of(a, jwk, "e");
    bool strong =
        n && e && BN_num_bits(n) >= RSA_BITS_MIN && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e);

    BN_free(n);
    BN_free(e);
    return strong;
}

static bool add_jwk(struct arena *a, const json_t *jwk, struct jwt_keys *keys)
{
    static const char *const USES[] = {"sig", NULL};
    static const char *const RSA_ALGS[] = {"RS256", "PS256", NULL};
    static const char *const EC_ALGS[] = {"ES256", NULL};
    const char *kty = json_text_of(jwk, "kty"), *kid = json_text_of(jwk, "kid");
    bool ec = kty && strcmp(kty, "EC") == 0;
    cjose_err err;

    if (keys->count == JWT_KEYS_MAX || !kty || (!ec && strcmp(kty, "RSA") != 0))
        return false;
    if (!allows(jwk, "use", USES) || !allows(jwk, "alg", ec ? EC_ALGS : RSA_ALGS))
        return false;
    const char *crv = json_text_of(jwk, "crv");
    if (ec ? !crv || strcmp(crv, "P-256") != 0 : !rsa_is_strong(a, jwk))
        return false;
    if (kid && strlen(kid) > JWT_KID_MAX)
        return false;
    const char *text = public_part(a, jwk, ec);
    cjose_jwk_t *key = text ? cjose_jwk_import(text, strlen(text), &err) : NULL;
    if (!key)
        return false;
    struct jwt_key *item = &keys->items[keys->count++];
    *item = (struct jwt_key){.jwk = key, .ec = ec};
    text_copy(item->kid, sizeof item->kid, kid ? kid : "");
    const char *alg = json_text_of(jwk, "alg");
    text_copy(item->alg, sizeof item->alg, alg ? alg : "");
    return true;
}

int jwt_keys_add_set(struct arena *a, const char *json, size_t length, struct jwt_keys *keys)
{
    json_t *document;
    int added = 0;

    if (failed(json_read(a, json, length, 0, &document)))
        return -1;
    const json_t *list = json_array_of(document, "keys");
    if (!list)
        return add_jwk(a, document, keys) ? 1 : -1;
    for (size_t i = 0; i < json_array_size(list); i++)
        added += add_jwk(a, json_array_get(list, i), keys);
    return added;
}

/* ---- PEM ---- */

static char *base64_url(struct arena *a, const unsigned char *bytes, size_t length)
{
    char *text = text_base64(a, bytes, length);

    for (char *c = text; *c; c++) {
        if (*c == '+')
            *c = '-';
        else if (*c == '/')
            *c = '_';
        else if (*c == '=') {
            *c = 0;
            break;
        }
    }
    return text;
}

static void put_number(struct arena *a, struct text *t, const EVP_PKEY *pkey, const char *param,
                       const char *member, int width)
{
    BIGNUM *number = NULL;

    if (EVP_PKEY_get_bn_param(pkey, param, &number) != 1)
        return;
    int length = width ? width : BN_num_bytes(number);
    unsigned char *bytes = arena_alloc(a, (size_t)length + 1);
    BN_bn2binpad(number, bytes, length);
    json_put_text(t, member, base64_url(a, bytes, (size_t)length));
    BN_clear_free(number);
}

/* The JWK text of a key; NULL where it is of a kind we do not use. */
static const char *jwk_of(struct arena *a, const EVP_PKEY *pkey, const char *kid, bool private)
{
    struct text t;
    int kind = EVP_PKEY_get_base_id(pkey);

    text_init(&t, a, 64 * 1024);
    json_begin_object(&t, NULL);
    if (kid && *kid)
        json_put_text(&t, "kid", kid);
    if (kind == EVP_PKEY_RSA) {
        if (EVP_PKEY_get_bits(pkey) < RSA_BITS_MIN)
            return NULL;
        json_put_text(&t, "kty", "RSA");
        put_number(a, &t, pkey, OSSL_PKEY_PARAM_RSA_N, "n", 0);
        put_number(a, &t, pkey, OSSL_PKEY_PARAM_RSA_E, "e", 0);
        if (private) {
            put_number(a, &t, pkey, OSSL_PKEY_PARAM_RSA_D, "d", 0);
            put_number(a, &t, pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, "p", 0);
            put_number(a, &t, pkey, OSSL_PKEY_PARAM_RSA_FACTOR2, "q", 0);
            put_number(a, &t, pkey, OSSL_PKEY_PARAM_RSA_EXPONENT1, "dp", 0);
            put_number(a, &t, pkey, OSSL_PKEY_PARAM_RSA_EXPONENT2, "dq", 0);
            put_number(a, &t, pkey, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, "qi", 0);
        }
    } else if (kind == EVP_PKEY_EC && EVP_PKEY_get_bits(pkey) == 256) {
        json_put_text(&t, "kty", "EC");
        json_put_text(&t, "crv", "P-256");
        put_number(a, &t, pkey, OSSL_PKEY_PARAM_EC_PUB_X, "x", COORDINATE);
        put_number(a, &t, pkey, OSSL_PKEY_PARAM_EC_PUB_Y, "y", COORDINATE);
        if (private)
            put_number(a, &t, pkey, OSSL_PKEY_PARAM_PRIV_KEY, "d", COORDINATE);
    } else {
        return NULL;
    }
    json_end_object(&t);
    return t.bytes;
}

static struct err add_pem(struct arena *a, const char *path, const char *text, size_t length,
                          struct jwt_keys *keys)
{
    BIO *bio = BIO_new_mem_buf(text, (int)length);
    EVP_PKEY *pkey;
    int added = 0;

    while ((pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL))) {
        const char *jwk = jwk_of(a, pkey, NULL, false);
        EVP_PKEY_free(pkey);
        if (!jwk || jwt_keys_add_set(a, jwk, strlen(jwk), keys) != 1) {
            BIO_free(bio);
            return err_at(a, ERR_BAD_FIELD, path,
                          "%s: a key is neither RSA of at least %d bits nor EC P-256", path,
                          RSA_BITS_MIN);
        }
        added++;
    }
    BIO_free(bio);
    ERR_clear_error(); /* of the end of the file */
    if (!added)
        return err_at(a, ERR_BAD_FIELD, path, "%s: holds neither PEM public keys nor a JWK set",
                      path);
    return OK;
}

struct err jwt_keys_read_file(struct arena *a, const char *path, struct jwt_keys *keys)
{
    char *text;
    size_t length;

    TRY(read_whole(a, path, &text, &length));
    if (strstr(text, "-----BEGIN"))
        return add_pem(a, path, text, length, keys);
    if (jwt_keys_add_set(a, text, length, keys) < 1)
        return err_at(a, ERR_BAD_FIELD, path, "%s: holds no usable key", path);
    return OK;
}

struct err jwt_keys_read_private(struct arena *a, const char *path, const char *kid,
                                 struct jwt_keys *keys, struct jwt_key *ret_private)
{
    char *text;
    size_t length;
    cjose_err err;
    char no_passphrase[] = ""; /* else OpenSSL asks the terminal for one */

    TRY(read_whole(a, path, &text, &length));
    BIO *bio = BIO_new_mem_buf(text, (int)length);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, no_passphrase);
    BIO_free(bio);
    explicit_bzero(text, length);
    if (!pkey)
        return err_at(a, ERR_BAD_FIELD, path, "%s: holds no private key in PEM", path);
    const char *whole = jwk_of(a, pkey, kid, true), *public = jwk_of(a, pkey, kid, false);
    bool ec = EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC;
    EVP_PKEY_free(pkey);
    if (!whole || jwt_keys_add_set(a, public, strlen(public), keys) != 1)
        return err_at(a, ERR_BAD_FIELD, path, "%s: must be RSA of at least %d bits or EC P-256",
                      path, RSA_BITS_MIN);
    *ret_private = (struct jwt_key){.jwk = cjose_jwk_import(whole, strlen(whole), &err), .ec = ec};
    text_copy(ret_private->kid, sizeof ret_private->kid, kid);
    if (!ret_private->jwk)
        return err_at(a, ERR_BAD_FIELD, path, "%s: the key cannot be used", path);
    return OK;
}
