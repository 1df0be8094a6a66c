/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids: randomness, UUIDs, tokens, hashes. Nothing is buffered: a worker that was just forked must
 * not repeat its parent's ids.
 */
#include "base/id.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/time.h"

void id_random(void *bytes, size_t length)
{
    unsigned char *to = bytes;

    while (length) {
        ssize_t n = getrandom(to, length, 0);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            perror("getrandom");
            abort();
        }
        to += n;
        length -= (size_t)n;
    }
}

uint64_t id_random_below(uint64_t limit)
{
    uint64_t value;

    assert(limit);
    /* Values of the last, incomplete round are thrown again. */
    uint64_t whole_rounds = UINT64_MAX - UINT64_MAX % limit;
    do {
        id_random(&value, sizeof(value));
    } while (value >= whole_rounds);
    return value % limit;
}

static void print_uuid(const unsigned char bytes[16], char ret[UUID_TEXT])
{
    char hex[33];

    id_hex(bytes, 16, hex);
    snprintf(ret, UUID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
             hex + 20);
}

void id_uuid_v4(char ret[UUID_TEXT])
{
    unsigned char bytes[16];

    id_random(bytes, sizeof(bytes));
    bytes[6] = (unsigned char)(0x40 | (bytes[6] & 0x0F));
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3F));
    print_uuid(bytes, ret);
}

/* RFC 9562 version 7: 48 bits of milliseconds, then 12 bits of the fraction, counted on when two
 * ids fall into the same quarter of a microsecond, then 62 random bits. */
void id_uuid_v7(char ret[UUID_TEXT])
{
    static int64_t last;
    int64_t now_us = time_now_us();
    int64_t stamp = now_us / 1000 * 4096 + now_us % 1000 * 4096 / 1000;
    unsigned char bytes[16];

    /* A clock that was set back by more than a second is believed. */
    if (stamp <= last && last - stamp < 1000 * 4096)
        stamp = last + 1;
    last = stamp;

    int64_t ms = stamp / 4096;
    int64_t fraction = stamp % 4096;
    id_random(bytes + 8, 8);
    for (int i = 0; i < 6; i++)
        bytes[i] = (unsigned char)(ms >> (40 - 8 * i) & 255);
    bytes[6] = (unsigned char)(0x70 | fraction >> 8);
    bytes[7] = (unsigned char)(fraction & 255);
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3F));
    print_uuid(bytes, ret);
}

bool id_uuid_parse(const char *s, char ret[UUID_TEXT])
{
    char lower[UUID_TEXT];

    for (int i = 0; i < UUID_TEXT - 1; i++) {
        char c = s[i];
        if (c >= 'A' && c <= 'F')
            c = (char)(c - 'A' + 'a');
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (dash ? c != '-' : !hex)
            return false;
        lower[i] = c;
    }
    if (s[UUID_TEXT - 1])
        return false;
    lower[UUID_TEXT - 1] = '\0';
    memcpy(ret, lower, UUID_TEXT);
    return true;
}

void id_token(char *ret, size_t length)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const unsigned count = sizeof(digits) - 1;
    unsigned char bytes[64];
    size_t n = 0;

    while (n < length) {
        id_random(bytes, sizeof(bytes));
        for (size_t i = 0; i < sizeof(bytes) && n < length; i++)
            if (bytes[i] < 256 / count * count)
                ret[n++] = digits[bytes[i] % count];
    }
    ret[length] = '\0';
    OPENSSL_cleanse(bytes, sizeof(bytes));
}

void id_sha256(const void *bytes, size_t length, unsigned char ret[SHA256_BYTES])
{
    /* SHA256() would look the algorithm up by its name at each call. */
    static EVP_MD *sha256;

    if (!sha256)
        sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!sha256 || !EVP_Digest(bytes, length, ret, NULL, sha256, NULL))
        abort();
}

void id_hex(const unsigned char *bytes, size_t length, char *ret)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < length; i++) {
        *ret++ = digits[bytes[i] >> 4];
        *ret++ = digits[bytes[i] & 15];
    }
    *ret = '\0';
}

void id_sha256_hex(const void *bytes, size_t length, char ret[SHA256_HEX])
{
    unsigned char hash[SHA256_BYTES];

    id_sha256(bytes, length, hash);
    id_hex(hash, sizeof(hash), ret);
}

void id_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length,
                    unsigned char ret[SHA256_BYTES])
{
    unsigned ret_length = SHA256_BYTES;

    assert(key_length <= INT32_MAX);
    if (!HMAC(EVP_sha256(), key, (int)key_length, bytes, length, ret, &ret_length))
        abort();
}

struct id_digest {
    EVP_MD_CTX *context;
};

struct id_digest *id_digest_begin(void)
{
    struct id_digest *d = malloc(sizeof *d);

    if (!d || !(d->context = EVP_MD_CTX_new()) ||
        !EVP_DigestInit_ex(d->context, EVP_sha256(), NULL))
        abort();
    return d;
}

void id_digest_add(struct id_digest *d, const void *bytes, size_t length)
{
    if (!EVP_DigestUpdate(d->context, bytes, length))
        abort();
}

void id_digest_end(struct id_digest *d, char ret[SHA256_HEX])
{
    unsigned char hash[SHA256_BYTES];

    if (!EVP_DigestFinal_ex(d->context, hash, NULL))
        abort();
    EVP_MD_CTX_free(d->context);
    free(d);
    id_hex(hash, sizeof(hash), ret);
}

bool id_equal_constant_time(const void *a, const void *b, size_t length)
{
    return CRYPTO_memcmp(a, b, length) == 0;
}
